// Plain geometry for the pictures of methods: circles in a circle, arcs, lines and arrows as SVG path
// data. Pure, and without a thought of what is drawn with it.

/** A frame is a square of so many units; people are within a disk around its middle. */
export const FRAME = 108;
export const CENTRE = FRAME / 2;
export const DISK = 48;
export interface Place {
  x: number;
  y: number;
}

/** Equal circles within a larger one around the middle: as large as they can be on one or two rings. */
export function pack(count: number, within: number, gap: number): { r: number; centres: Place[] } {
  const middle = { x: CENTRE, y: CENTRE };
  if (count <= 1) return { r: within, centres: [middle] };
  let best = ringed([count], within, gap);
  for (let inner = 1; inner <= count / 2; inner += 1) {
    const it = ringed([inner, count - inner], within, gap);
    if (it.r > best.r) best = it;
    for (let middleOnes = 1; count > 14 && middleOnes === 1; middleOnes += 1) {
      const three = ringed([middleOnes, inner, count - inner - middleOnes], within, gap);
      if (count - inner - middleOnes > inner && three.r > best.r) best = three;
    }
  }
  return best;
}

function ringed(rings: readonly number[], within: number, gap: number): { r: number; centres: Place[] } {
  let [low, high] = [0, within];
  for (let turn = 0; turn < 24; turn += 1) {
    const r = (low + high) / 2;
    if (apart(ringCentres(rings, within, r, gap), 2 * r + gap)) low = r;
    else high = r;
  }
  return { r: low, centres: ringCentres(rings, within, low, gap) };
}

function ringCentres(rings: readonly number[], within: number, r: number, gap: number): Place[] {
  const middle = { x: CENTRE, y: CENTRE };
  const outer = within - r;
  return rings.flatMap((count, ring) => {
    const last = ring === rings.length - 1;
    const least = count === 1 ? 0 : (r + gap / 2) / Math.sin(Math.PI / count);
    const radius = last ? outer : ring === 0 ? least : (least + outer - 2 * r - gap) / 2;
    const start = count === 2 && last ? Math.PI : count === 4 ? (-3 * Math.PI) / 4 : -Math.PI / 2;
    const turned = last || ring === 0 ? start : start + Math.PI / count;
    return Array.from({ length: count }, (_, nth) =>
      onCircle(middle, radius, turned + (nth * 2 * Math.PI) / count),
    );
  });
}

function apart(places: readonly Place[], distance: number): boolean {
  return places.every((one, at) =>
    places.slice(at + 1).every((other) => Math.hypot(one.x - other.x, one.y - other.y) >= distance),
  );
}

export function onCircle(centre: Place, r: number, angle: number): Place {
  return { x: round(centre.x + r * Math.cos(angle)), y: round(centre.y + r * Math.sin(angle)) };
}

export function angleOf(centre: Place, it: Place): number {
  return Math.atan2(it.y - centre.y, it.x - centre.x);
}

/** Clockwise from one angle to another; with `head`, an arrow. */
export function arc(centre: Place, r: number, from: number, to: number, head: number): string {
  const [start, end] = [onCircle(centre, r, from), onCircle(centre, r, to)];
  const large = to - from > Math.PI ? 1 : 0;
  const path = `M${start.x} ${start.y}A${round(r)} ${round(r)} 0 ${large} 1 ${end.x} ${end.y}`;
  // The head leans inwards a little, as the line bends within its length.
  const lean = to - head / (2 * r);
  return head > 0 ? `${path}${tip(end, -Math.sin(lean), Math.cos(lean), head)}` : path;
}

export function line(from: Place, to: Place, head: number): string {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const [ux, uy] = [(to.x - from.x) / length, (to.y - from.y) / length];
  return `M${round(from.x)} ${round(from.y)}L${round(to.x)} ${round(to.y)}${tip(to, ux, uy, head)}`;
}

/** The two strokes of an arrow that points along (ux, uy). */
export function tip(at: Place, ux: number, uy: number, head: number): string {
  const [bx, by] = [at.x - ux * head, at.y - uy * head];
  const [sx, sy] = [-uy * head * 0.75, ux * head * 0.75];
  return `M${round(bx + sx)} ${round(by + sy)}L${round(at.x)} ${round(at.y)}L${round(bx - sx)} ${round(by - sy)}`;
}

function round(it: number): number {
  return Math.round(it * 100) / 100;
}

/** Half the angle, seen from the middle, that a circle at `away` covers of a circle of radius `at`. */
export function hiddenAngle(away: number, at: number, r: number): number {
  const cosine = (away * away + at * at - r * r) / (2 * away * at);
  return Math.acos(Math.min(1, Math.max(-1, cosine)));
}
