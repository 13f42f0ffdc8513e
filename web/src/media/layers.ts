// How a camera is encoded: one picture, or three sizes of it where the server asks for them. Pure: it
// never touches a sender.

export interface Encoding {
  maxBitrate: number;
  scaleResolutionDownBy: number;
  active: boolean;
}

/**
 * What a camera is asked for. Small rooms of small tiles need no more; with less, Chromium (156) sends
 * two layers however many are asked for: its third begins at 960 × 540.
 */
export const PICTURE = { width: 960, height: 540, frameRate: 24 };

/**
 * Smallest first, as the server names them, in bit/s: 240, 480 and 960 pixels wide. All three together
 * stay at 1.25 Mbit/s, which a phone's uplink carries.
 */
const LAYERS: readonly Encoding[] = [
  { maxBitrate: 100_000, scaleResolutionDownBy: 4, active: true },
  { maxBitrate: 300_000, scaleResolutionDownBy: 2, active: true },
  { maxBitrate: 850_000, scaleResolutionDownBy: 1, active: true },
];
/** One for all who watch: 640 × 360. */
const ALONE: Encoding = { maxBitrate: 600_000, scaleResolutionDownBy: 1.5, active: true };
const ALONE_SAVING: Encoding = { maxBitrate: 150_000, scaleResolutionDownBy: 3, active: true };

/** Of a shared screen: text must be read, and mostly stands still. */
export const SCREEN_BITRATE_MAX = 1_500_000;

/**
 * `count`: how many layers the offer asks for. `saving`: whoever saves data sends the smallest one
 * alone; the others stay in the agreement, so that nothing is negotiated when they are wanted again.
 */
export function encodings(count: number, saving: boolean): Encoding[] {
  if (count <= 1) return [saving ? ALONE_SAVING : ALONE];
  const used = LAYERS.slice(Math.max(0, LAYERS.length - count));
  return used.map((it, at) => ({ ...it, active: !saving || at === 0 }));
}
