// Keeps, while the tab lives, the proof of a seat and what the person has said of themself, so that a
// reload finds the same seat and asks nothing twice. It never keeps anything else, and does without
// where the browser refuses storage inside an iframe: the page around the frame may keep the seat then,
// which is a signed proof, but never what the person has said, and agreed to, of themself.
import type { WireConsent, WireLanguage } from "../wire/wire";

const SEAT = "vuoro-seat-";
const PERSON = "vuoro-person-";

export interface KeptPerson {
  name: string;
  /** In which they speak, or may be speaking. */
  language: WireLanguage;
  /** The language is to be found by listening. */
  byEar?: boolean;
  /** Null: the person was never asked. */
  consent: WireConsent | null;
  /** Only to mix the groups with; empty or absent: not told. */
  organisation?: string;
}

/** Somebody else who keeps the seat. */
export interface Keeper {
  seat: string | null;
  keep(seat: string | null): void;
}

let keeper: Keeper | null = null;

export function keepSeatsAt(it: Keeper | null): void {
  keeper = it;
}

export function keptSeat(session: string): string | null {
  return read(SEAT + session) ?? keeper?.seat ?? null;
}

export function keepSeat(session: string, seat: string): void {
  write(SEAT + session, seat);
  keeper?.keep(seat);
}

export function giveSeatUp(session: string): void {
  write(SEAT + session, null);
  keeper?.keep(null);
}

export function keptPerson(session: string): KeptPerson | null {
  try {
    return JSON.parse(read(PERSON + session) ?? "null") as KeptPerson | null;
  } catch {
    return null;
  }
}

export function keepPerson(session: string, person: KeptPerson | null): void {
  write(PERSON + session, person && JSON.stringify(person));
}

/**
 * Who sits here when a page says so: `kept` is what this tab knows. Two people may use one browser, one after the other,
 * and nobody agrees for another.
 */
export function introduced(kept: KeptPerson | null, person: Omit<KeptPerson, "consent">, nameFixed: boolean): KeptPerson {
  if (kept && !nameFixed) return kept;
  return { ...person, consent: kept?.name === person.name ? kept.consent : null };
}

function read(key: string): string | null {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string | null): void {
  try {
    if (value === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, value);
  } catch {
    // Without storage a reload takes a new seat and asks anew; nothing else is lost.
  }
}
