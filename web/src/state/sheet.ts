// A text that several write at once, as one page's field knows it: what a keystroke has changed, and
// where the cursor is when others have. Pure; the merging is Yjs's.

/** A stretch taken out at a place, and what came there. Places and lengths in units of UTF-16. */
export interface Change {
  at: number;
  gone: number;
  comes: string;
}

/** A step of what Yjs tells of a text that has changed. */
export type Step = { retain?: number; delete?: number; insert?: unknown };

const GATHER_MS = 400;
const LEAST_MS = 150;
/** For the way to the server. */
const SPARE_MS = 2_000;

/** Characters on one sheet; the server holds to it. */
export const SHEET_CHARS_MAX = 2_000;

// What the server lets on no sheet (`is_invisible` in its `talk.rs`), but for joiners and new lines.
const HIDDEN =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

const LONE_HALF = /[\ud800-\udfff]/gu;

/** The text as it may stand on a sheet. Half a character, as no keyboard makes it, is none. */
export function shown(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(/\t/g, " ").replace(HIDDEN, "").replace(LONE_HALF, "");
}

/** The one stretch in which two texts differ, at whole characters. `cursor`: where it is in the second;
 *  among equal letters it says which of them is new. Null: they are the same. */
export function changed(before: string, after: string, cursor: number = after.length): Change | null {
  if (before === after) return null;
  const least = Math.min(before.length, after.length);
  let end = 0;
  const endMax = Math.min(least, Math.max(0, after.length - cursor));
  while (end < endMax && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  let at = 0;
  while (at < least - end && before[at] === after[at]) at += 1;
  while (end < least - at && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  if (isSecondHalf(before, at) || isSecondHalf(after, at)) at -= 1;
  if (isSecondHalf(before, before.length - end) || isSecondHalf(after, after.length - end)) end -= 1;
  return { at, gone: before.length - end - at, comes: after.slice(at, after.length - end) };
}

/** As many characters of a change as fit beside what stays. */
export function fitting(before: string, change: Change): Change {
  const stays = chars(before) - chars(before.slice(change.at, change.at + change.gone));
  const free = Math.max(0, SHEET_CHARS_MAX - stays);
  return chars(change.comes) <= free ? change : { ...change, comes: [...change.comes].slice(0, free).join("") };
}

/** Where a place is after a change by others. At a stretch that comes it stays before it. */
export function moved(place: number, steps: readonly Step[]): number {
  let at = 0;
  let to = place;
  for (const step of steps) {
    if (at > place) break;
    if (step.retain !== undefined) at += step.retain;
    else if (step.delete !== undefined) {
      to -= Math.min(step.delete, place - at);
      at += step.delete;
    } else if (typeof step.insert === "string" && at < place) to += step.insert.length;
  }
  return to;
}

/** What one page has changed of `base`, as changes of what others have made of it meanwhile: the last in the
 *  text comes first, so that each stands where it says when they are done in this order. What others have
 *  written is never taken away; where both have written, both stay. */
export function brought(base: string, own: readonly Step[], theirs: string): Change[] {
  const other = changed(base, theirs) ?? { at: base.length, gone: 0, comes: "" };
  const [otherEnd, theirEnd] = [other.at + other.gone, other.at + other.comes.length];
  const place = (at: number) => (at <= other.at ? at : theirEnd + Math.max(0, at - otherEnd));
  const changes: Change[] = [];
  let at = 0;
  for (const step of own) {
    if (step.retain !== undefined) at += step.retain;
    else if (step.delete !== undefined) {
      const end = at + step.delete;
      // What others have changed in there stays as it is now.
      const before = Math.min(end, other.at) - at;
      if (before > 0) changes.push({ at, gone: before, comes: "" });
      const from = Math.max(at, otherEnd);
      if (from < end) changes.push({ at: theirEnd + from - otherEnd, gone: end - from, comes: "" });
      at = end;
    } else if (typeof step.insert === "string") changes.push({ at: place(at), gone: 0, comes: step.insert });
  }
  return changes.reverse();
}

/** How much of a text is another: the units of UTF-16 that go and come. */
export function apart(before: string, after: string): number {
  const change = changed(before, after);
  return change ? change.gone + change.comes.length : 0;
}

export function chars(text: string): number {
  return [...text].length;
}

/** How long what is typed is gathered before it is sent, in ms: in a big room a few write while many read.
 *  When the phase is about to end, hardly at all: what comes later comes nowhere. */
export function gather_ms(people: number, left_ms: number | null): number {
  const usual = GATHER_MS * Math.max(1, Math.ceil(people / 8));
  return left_ms === null ? usual : Math.max(LEAST_MS, Math.min(usual, left_ms - SPARE_MS));
}

function isSecondHalf(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return 0xdc00 <= unit && unit < 0xe000;
}
