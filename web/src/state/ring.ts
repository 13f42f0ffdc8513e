// The arcs of the balance ring. Pure geometry: shares in, pieces of a circle out. It never knows
// whose share is whose.

export interface Arc {
  /** Where the arc begins and how long it is, as parts of the whole circle: 0 to 1. */
  start: number;
  length: number;
}

/** `gap`: space between two arcs, as a part of the circle. Silent people have no arc. */
export function arcs(shares: readonly number[], gap: number): Arc[] {
  const heard = shares.filter((it) => it > 0.001);
  const sum = heard.reduce((a, b) => a + b, 0);
  if (sum <= 0) return [];
  if (heard.length === 1) return [{ start: 0, length: 1 }];
  let at = 0;
  return heard.map((share) => {
    const whole = share / sum;
    const arc = { start: at + gap / 2, length: Math.max(0.004, whole - gap) };
    at += whole;
    return arc;
  });
}
