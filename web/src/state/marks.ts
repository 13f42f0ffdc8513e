// Who has marked what in the captions and the chat: a list for each thing marked. Pure; the server
// decides what counts.
import type { WireMark } from "../wire/wire";

/** In the order of the keys 1 to 6, and of the server's counts. */
export const MARKS: readonly WireMark[] = ["feeling", "experience", "thought", "worry", "challenge", "idea"];

export interface SetMark {
  by: number;
  mark: WireMark;
}

export type Marked = ReadonlyMap<string, readonly SetMark[]>;

/** What is marked, by whose it is and when it began. */
export function markKey(participant: number, start_ms: number): string {
  return `${participant}:${start_ms}`;
}

export function withMark(
  marked: Marked,
  { participant, start_ms, by, mark, on }: { participant: number; start_ms: number; by: number; mark: WireMark; on: boolean },
): Marked {
  const key = markKey(participant, start_ms);
  const others = (marked.get(key) ?? []).filter((it) => it.by !== by || it.mark !== mark);
  const next = new Map(marked);
  if (on || others.length > 0) next.set(key, on ? [...others, { by, mark }] : others);
  else next.delete(key);
  return next;
}

/** How many have set each mark, those that nobody has left out. */
export function counted(set: readonly SetMark[] = []): { mark: WireMark; count: number }[] {
  return MARKS.map((mark) => ({ mark, count: set.filter((it) => it.mark === mark).length })).filter(
    (it) => it.count > 0,
  );
}

export function hasSet(set: readonly SetMark[] | undefined, by: number | null, mark: WireMark): boolean {
  return set?.some((it) => it.by === by && it.mark === mark) ?? false;
}
