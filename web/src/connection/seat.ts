// Keeps, while the tab lives, the proof of a seat and what the person has said of themself, so that a
// reload finds the same seat and asks nothing twice. It never keeps anything else, and does without
// where the browser refuses storage inside an iframe.
import type { WireConsent, WireLanguage } from "../wire/wire";

const SEAT = "vuoro-seat-";
const PERSON = "vuoro-person-";

export interface KeptPerson {
  name: string;
  language: WireLanguage;
  /** Null: the person was never asked. */
  consent: WireConsent | null;
  /** Only to mix the groups with; empty or absent: not told. */
  organisation?: string;
}

export function keptSeat(session: string): string | null {
  return read(SEAT + session);
}

export function keepSeat(session: string, seat: string): void {
  write(SEAT + session, seat);
}

export function giveSeatUp(session: string): void {
  write(SEAT + session, null);
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
