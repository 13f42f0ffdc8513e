// How a reader wants captions to look: size, colours, place. Pure but for where it is kept: this
// browser alone, as the reader has asked for it; nothing of a session, and never sent anywhere.
export const SIZES = ["normal", "large", "larger", "largest"] as const;
export const COLOURS = ["page", "dark", "yellow", "light"] as const;
export const PLACES = ["side", "above", "below"] as const;

export interface Look {
  size: (typeof SIZES)[number];
  colours: (typeof COLOURS)[number];
  place: (typeof PLACES)[number];
}

export const PLAIN: Look = { size: "normal", colours: "page", place: "side" };
export const KEY = "vuoro-captions";

/** What is not understood is as at first. */
export function readLook(kept: string | null): Look {
  let found: unknown = null;
  try {
    found = JSON.parse(kept ?? "null");
  } catch {
    // Somebody else's, or of another time.
  }
  const of = (typeof found === "object" && found !== null ? found : {}) as Record<string, unknown>;
  const one = <T>(all: readonly T[], it: unknown, otherwise: T) => (all.includes(it as T) ? (it as T) : otherwise);
  return {
    size: one(SIZES, of["size"], PLAIN.size),
    colours: one(COLOURS, of["colours"], PLAIN.colours),
    place: one(PLACES, of["place"], PLAIN.place),
  };
}

/** Null: as at first, so that nothing need be kept. */
export function writeLook(look: Look): string | null {
  const { size, colours, place } = look;
  const plain = size === PLAIN.size && colours === PLAIN.colours && place === PLAIN.place;
  return plain ? null : JSON.stringify({ size, colours, place });
}
