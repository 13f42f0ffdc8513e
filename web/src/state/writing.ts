// What a person writes for themself, between the keyboard and the server: what is not yet sent, and what
// is on its way. Pure; it never sends and never waits.

/** Where a method stands. */
export interface Place {
  phase: number;
  round: number;
}

export interface Draft {
  /** When it was written; null: nothing is to be. */
  place: Place | null;
  text: string;
  /** Changed since it was last sent. */
  edited: boolean;
  /** Sent, and not yet taken to have arrived. */
  sent: string | null;
  /** Sent, and not yet come back in a step: a line that is dead takes it for a while. */
  unproved: string | null;
  /** All of it is with the server. */
  saved: boolean;
}

export const BLANK: Draft = { place: null, text: "", edited: false, sent: null, unproved: null, saved: false };

/** A quiet moment of this length saves, in ms. */
const QUIET_MS = 1_500;
/** What is typed less than this before the end of a phase could come too late, in ms. */
const SPARE_MS = 600;

export function typed(draft: Draft, text: string): Draft {
  return { ...draft, text, edited: true, saved: false };
}

export function sentOff(draft: Draft): Draft {
  return { ...draft, sent: draft.text, unproved: draft.text, edited: false };
}

/** The line was lost on the way: it is to be sent again. */
export function unsent(draft: Draft): Draft {
  return draft.unproved === null ? draft : { ...draft, sent: null, edited: true, saved: false };
}

/** The server has what was sent, as far as anybody can tell. */
export function arrived(draft: Draft): Draft {
  if (draft.sent === null) return draft;
  return { ...draft, sent: null, saved: !draft.edited };
}

/** A step came, with what the server has. */
export function told(before: Draft, place: Place, written: string): Draft {
  if (!isAt(before, place)) return { ...BLANK, place, text: written, saved: written !== "" };
  const proved = before.unproved !== null && same(before.unproved, written);
  const draft = proved ? { ...before, unproved: null } : before;
  if (draft.sent !== null && same(draft.sent, written)) return arrived(draft);
  if (draft.edited || draft.sent !== null || written === draft.text || same(written, draft.text)) return draft;
  return { ...draft, text: written, saved: written !== "" };
}

/** How long to wait after a key before saving: less when the phase is about to end. */
export function saveDelay_ms(left_ms: number | null): number {
  if (left_ms === null) return QUIET_MS;
  return Math.max(0, Math.min(QUIET_MS, left_ms - SPARE_MS));
}

export function placeOf({ phase, round }: Place): Place {
  return { phase, round };
}

export function isAt({ place }: Draft, { phase, round }: Place): boolean {
  return place !== null && place.phase === phase && place.round === round;
}

function same(a: string, b: string): boolean {
  return a.trim() === b.trim();
}
