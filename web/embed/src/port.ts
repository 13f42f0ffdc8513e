// What the element and the frame say to each other. After the handshake everything goes through a
// message port that only the two of them have; a window's `message` event is never listened to again.
//
// Own code and not a library: what a library would bring beyond a port and a promise (penpal: 3.8 kB)
// is calling methods by their path, and what we need it does not bring: every command checked against
// the schema before anything is called, a bound on how many wait, and errors with a code.

/** Frame to page, to anybody: it says nothing but that it is there. */
export interface Hello {
  vuoro: "hello";
  version: number;
}

/** Page to frame, to the server's origin alone, with one port. */
export interface Connect {
  vuoro: "connect";
  version: number;
  settings: Settings;
  /** What the frame asked the page to keep before, as its own storage may be blocked. */
  kept: Record<string, string>;
}

/** Attributes, as they stand. */
export type Settings = Record<string, string>;

/** Page to frame, through the port. */
export type ToFrame =
  | { id: number; command: string; takes: unknown }
  | { settings: Settings }
  | { token: string | null; answers: number };

/** Frame to page, through the port. */
export type ToPage =
  | { id: number; gives: unknown }
  | { id: number; error: { code: string; text: string; retry_after_ms: number | null } }
  | { event: string; detail: unknown }
  /** A token is needed: at first, and before it runs out. */
  | { wants: "token"; asks: number }
  /** To be handed back with the next `connect`. */
  | { keep: string; value: string | null };
