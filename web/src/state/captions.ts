// The list of captions a person sees: bounded, in the order of arrival, each once, with a line where
// the person came into another room. It never sorts or edits what the server said.
import type { WireCaption } from "../wire/wire";

export const CAPTIONS_MAX = 200;

/** What each is still saying, by their number, in the order in which they began. */
export type Partials = ReadonlyMap<number, WireCaption>;

export const NO_PARTIALS: Partials = new Map();

/** In place of the person's last one; without text it goes. */
export function withPartial(partials: Partials, partial: WireCaption): Partials {
  if (!partial.text) return withoutPartial(partials, partial.participant);
  return new Map(partials).set(partial.participant, partial);
}

/** Their final words until then are there; what they have begun since stays. */
export function withoutPartial(partials: Partials, participant: number, end_ms = Infinity): Partials {
  const partial = partials.get(participant);
  if (!partial || partial.start_ms >= end_ms) return partials;
  return new Map([...partials].filter(([it]) => it !== participant));
}

export type CaptionEntry =
  | { kind: "caption"; key: string; caption: WireCaption }
  /** Here something was said that has been taken back. */
  | { kind: "struck"; key: string }
  | { kind: "room"; key: string; room: string };

/** After a lost connection the server may tell a caption twice; the second is dropped. */
export function withCaption(list: readonly CaptionEntry[], caption: WireCaption): CaptionEntry[] {
  const key = `${caption.participant}:${caption.start_ms}:${caption.end_ms}`;
  if (list.some((it) => it.kind === "caption" && it.key === key)) return list as CaptionEntry[];
  return [...list, { kind: "caption" as const, key, caption }].slice(-CAPTIONS_MAX);
}

export interface Struck {
  participant: number;
  start_ms: number;
  end_ms: number;
}

export function isStruck(it: Struck, struck: Struck): boolean {
  return it.participant === struck.participant && it.start_ms < struck.end_ms && it.end_ms > struck.start_ms;
}

/** What somebody has taken back is gone; where it stood, one line says that something did. */
export function withoutStruck(list: readonly CaptionEntry[], struck: Struck): CaptionEntry[] {
  const gone = (it: CaptionEntry) => it.kind === "caption" && isStruck(it.caption, struck);
  return list.flatMap((it, index) => {
    if (!gone(it)) return [it];
    const before = list[index - 1];
    const follows = before !== undefined && (gone(before) || before.kind === "struck");
    return follows ? [] : [{ kind: "struck" as const, key: `struck:${it.key}` }];
  });
}

/** Two lines in a row are one: nothing was said between the moves. */
export function withRoomLine(list: readonly CaptionEntry[], room: string): CaptionEntry[] {
  const last = list.at(-1);
  const kept = last?.kind === "room" ? list.slice(0, -1) : list;
  if (kept.length === 0) return [];
  const number = list.filter((it) => it.kind === "room").length;
  const key = `room:${number}:${kept.at(-1)?.key ?? ""}`;
  return [...kept, { kind: "room" as const, key, room }].slice(-CAPTIONS_MAX);
}

/** Whether the entry before is by the same person, so that the name need not be shown again. */
export function continues(list: readonly CaptionEntry[], index: number): boolean {
  const here = list[index];
  const before = list[index - 1];
  if (here?.kind !== "caption" || before?.kind !== "caption") return false;
  return here.caption.participant === before.caption.participant;
}
