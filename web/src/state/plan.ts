// What a plan says, put so that a person can see it: when each step begins, how big the rooms are, who
// meets whom. Pure arithmetic on the server's plan; it never makes one.
import type { Plan, PlanStep, WireRun } from "../wire/wire";

/** Rooms of one size. */
export interface Sizes {
  people: number;
  rooms: number;
}

/** The biggest first. */
export function sizes(step: PlanStep): Sizes[] {
  const counts = new Map<number, number>();
  for (const room of step.rooms) counts.set(room.length, (counts.get(room.length) ?? 0) + 1);
  return [...counts].map(([people, rooms]) => ({ people, rooms })).sort((a, b) => b.people - a.people);
}

/** When each step begins, in ms from the start. Null: after one that the facilitator ends, nobody knows. */
export function beginnings(steps: readonly PlanStep[]): (number | null)[] {
  let at: number | null = 0;
  return steps.map(({ length_ms }) => {
    const here = at;
    at = at === null || length_ms === null ? null : at + length_ms;
    return here;
  });
}

/** How often each two people are in one small room: a row for each person. */
export function meetings(plan: Plan): Uint8Array[] {
  const rows = Array.from({ length: plan.people }, () => new Uint8Array(plan.people));
  // A step in the rooms of the one before is no new meeting.
  let before = "";
  for (const step of plan.steps) {
    const now = JSON.stringify(step.rooms.map((it) => [...it].sort((a, b) => a - b)).sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0)));
    if (now === before) continue;
    before = now;
    for (const room of step.rooms) {
      for (const a of room) for (const b of room) if (a !== b && rows[a] && rows[b]) rows[a][b] = (rows[a][b] ?? 0) + 1;
    }
  }
  return rows;
}

export interface Tally {
  /** All that there could be. */
  pairs: number;
  met: number;
  /** Of these, more than once. */
  twice: number;
}

export function tally(rows: readonly Uint8Array[]): Tally {
  let met = 0;
  let twice = 0;
  rows.forEach((row, a) => {
    row.forEach((count, b) => {
      if (b <= a) return;
      if (count > 0) met += 1;
      if (count > 1) twice += 1;
    });
  });
  return { pairs: (rows.length * (rows.length - 1)) / 2, met, twice };
}

/** Where a method that runs stands among the steps of its plan; -1: it goes otherwise than planned. */
export function stepIndex(steps: readonly PlanStep[], run: Pick<WireRun, "phase" | "round">): number {
  return steps.findIndex((it) => it.phase === run.phase && it.round === run.round);
}

/** The steps after this one, each with when it begins, in ms from now. */
export function coming(
  steps: readonly PlanStep[],
  run: Pick<WireRun, "phase" | "round">,
  left_ms: number | null,
): { step: PlanStep; in_ms: number | null }[] {
  const index = stepIndex(steps, run);
  if (index < 0) return [];
  let at = left_ms;
  return steps.slice(index + 1).map((step) => {
    const in_ms = at;
    at = at === null || step.length_ms === null ? null : at + step.length_ms;
    return { step, in_ms };
  });
}
