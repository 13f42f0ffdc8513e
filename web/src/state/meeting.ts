// Who has met whom in the small rooms of a session that was held: counted from the server's outline for a
// picture, for figures and for tables. Pure; it ranks nobody, and names only whom the server names.
import type { OutlineStep, SessionOutline } from "../wire/wire";

export interface Met {
  /** Participants, those who first sat together beside each other. */
  readonly people: readonly number[];
  /** How often each two came together anew, by their places in `people`. */
  readonly rows: readonly Uint8Array[];
}

/** A round in which people were put into rooms. */
export interface Round {
  readonly at_ms: number;
  readonly run: number;
  readonly phase: number;
  /** From 0, and how many rounds the phase had. */
  readonly round: number;
  readonly of: number;
  readonly rooms: readonly (readonly number[])[];
}

/** Somebody in a round: where, and with whom. */
export interface Sat {
  /** An index among the rounds. */
  readonly round: number;
  /** From 0. */
  readonly room: number;
  readonly others: readonly number[];
}

export interface MetFigures {
  /** All that there could be. */
  pairs: number;
  met: number;
  /** Of these, more than once. */
  again: number;
  /** How many others a person has met: the middle one, the fewest, the most. */
  median: number;
  fewest: number;
  most: number;
  /** People who have met nobody. */
  nobody: number;
}

export function whoMetWhom(outline: Pick<SessionOutline, "people" | "met" | "steps">): Met {
  const people = beside(outline);
  const place = new Map(people.map((it, at) => [it, at]));
  const rows = people.map(() => new Uint8Array(people.length));
  for (const [one, other, times] of outline.met) {
    const [a, b] = [place.get(one), place.get(other)];
    if (a === undefined || b === undefined || a === b) continue;
    for (const [row, column] of [[a, b], [b, a]] as const) {
      const of = rows[row];
      if (of) of[column] = Math.min(times, 255);
    }
  }
  return { people, rows };
}

/** In the order of the first rooms, so that these are blocks along the diagonal and what came after is
 *  beside it; who came to none of them last. */
function beside({ people, steps }: Pick<SessionOutline, "people" | "steps">): number[] {
  const known = new Set(people.map((it) => it.participant));
  const first = steps.find((it) => it.rooms.length > 0)?.rooms.flat().filter((it) => known.has(it)) ?? [];
  return [...new Set([...first, ...known])];
}

export function figures(rows: readonly Uint8Array[]): MetFigures {
  const each = rows.map((row) => row.reduce((sum, times) => sum + (times > 0 ? 1 : 0), 0));
  const twice = rows.reduce((sum, row) => sum + row.reduce((of, times) => of + (times > 1 ? 1 : 0), 0), 0);
  const sorted = [...each].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return {
    pairs: rows.length < 2 ? 0 : (rows.length * (rows.length - 1)) / 2,
    met: each.reduce((sum, it) => sum + it, 0) / 2,
    again: twice / 2,
    median: ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? sorted.at(-1) ?? 0)) / 2,
    fewest: sorted[0] ?? 0,
    most: sorted.at(-1) ?? 0,
    nobody: each.filter((it) => it === 0).length,
  };
}

/** Whom somebody has met, most often first. */
export function metBy({ people, rows }: Met, participant: number): { participant: number; times: number }[] {
  const row = rows[people.indexOf(participant)];
  const all = people.map((other, at) => ({ participant: other, times: row?.[at] ?? 0 }));
  return all.filter((it) => it.times > 0).sort((a, b) => b.times - a.times);
}

/** The steps in which people were put into rooms. One that leaves them where they are is no round. */
export function rounds(steps: readonly OutlineStep[]): Round[] {
  const of = (step: OutlineStep) =>
    steps.filter((it) => it.run === step.run && it.phase === step.phase).reduce((most, it) => Math.max(most, it.round + 1), 0);
  const grouped = steps.filter((it) => it.rooms.some((room) => room.length > 0));
  return grouped.map((it) => ({ ...it, of: of(it) }));
}

/** Where somebody sat in each round that had a room for them. */
export function satWith(held: readonly Round[], participant: number): Sat[] {
  return held.flatMap((it, round) => {
    const room = it.rooms.findIndex((people) => people.includes(participant));
    return room < 0 ? [] : [{ round, room, others: it.rooms[room]?.filter((one) => one !== participant) ?? [] }];
  });
}

/** Of whom somebody met, those with whom no round has put them together. */
export function otherwise(met: readonly { participant: number }[], sat: readonly Sat[]): number[] {
  const there = new Set(sat.flatMap((it) => it.others));
  return met.map((it) => it.participant).filter((it) => !there.has(it));
}

/** Those in whose names each of the words begins a part, in their order; none while nothing is asked. An accent
 *  that is not typed is no hindrance: nobody knows how to type those of all others. */
export function namedLike(people: readonly number[], name: (participant: number) => string, words: string): number[] {
  const wanted = partsOf(words);
  if (wanted.length === 0) return [];
  return people.filter((it) => {
    const parts = partsOf(name(it));
    return wanted.every((word) => parts.some((part) => part.startsWith(word)));
  });
}

function partsOf(text: string): string[] {
  const bare = text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  return bare.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
}
