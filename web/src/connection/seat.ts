// Keeps the proof of a seat while the tab lives, so that a reload finds the same seat. It never keeps
// anything else, and does without where the browser refuses storage inside an iframe.

const PREFIX = "vuoro-seat-";

export function keptSeat(session: string): string | null {
  try {
    return sessionStorage.getItem(PREFIX + session);
  } catch {
    return null;
  }
}

export function keepSeat(session: string, seat: string): void {
  try {
    sessionStorage.setItem(PREFIX + session, seat);
  } catch {
    // Without storage a reload takes a new seat; nothing else is lost.
  }
}

export function giveSeatUp(session: string): void {
  try {
    sessionStorage.removeItem(PREFIX + session);
  } catch {
    // As above.
  }
}
