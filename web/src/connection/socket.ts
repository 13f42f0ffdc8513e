// One page's line to the server: opens it, says who we are, opens it again when it is lost. It never
// interprets a message beyond knowing when nothing more will come (`ended`, a fatal `error`).
import type { ClientMessage, ServerMessage } from "../wire/wire";
import { waitBeforeAttempt_ms } from "./backoff";

export type LineState = "connecting" | "open" | "lost" | "closed";

export interface LineUser {
  /** The first message of every connection: `join` or `watch`. Asked anew, as the seat may be known. */
  opening(): ClientMessage;
  received(message: ServerMessage): void;
  changed(state: LineState): void;
}

/** A connection that stayed open this long counts as good: the next loss starts with a short wait. */
const GOOD_AFTER_MS = 2_000;
/** A connection attempt that has not opened by now is given up; some networks swallow them. */
const OPEN_WITHIN_MS = 10_000;

export class Line {
  #user: LineUser;
  #socket: WebSocket | null = null;
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #goodTimer: ReturnType<typeof setTimeout> | undefined;
  #over = false;
  /** Where the session lives, when it has said so; null: where the page came from. */
  #node: string | null = null;
  #wake = () => this.#tryNow();

  constructor(user: LineUser) {
    this.#user = user;
    addEventListener("online", this.#wake);
    this.#open();
  }

  /** Whether it went out; a wish made while the line is lost is dropped, as state is told anew. */
  send(message: ClientMessage): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    removeEventListener("online", this.#wake);
    clearTimeout(this.#timer);
    clearTimeout(this.#goodTimer);
    this.#socket?.close(1000);
    this.#user.changed("closed");
  }

  #open(): void {
    this.#user.changed(this.#attempt === 0 ? "connecting" : "lost");
    const socket = new WebSocket(`${nodeOfAttempt(this.#node, location, this.#attempt)}/ws`);
    this.#socket = socket;
    const opening = setTimeout(() => socket.close(), OPEN_WITHIN_MS);

    socket.onopen = () => {
      clearTimeout(opening);
      if (socket !== this.#socket || this.#over) return;
      this.send(this.#user.opening());
      this.#goodTimer = setTimeout(() => (this.#attempt = 0), GOOD_AFTER_MS);
      this.#user.changed("open");
    };
    socket.onmessage = (event) => {
      if (socket !== this.#socket || this.#over) return;
      this.#read(event.data);
    };
    socket.onclose = () => {
      clearTimeout(opening);
      if (socket !== this.#socket || this.#over) return;
      this.#lost();
    };
  }

  #read(data: unknown): void {
    if (typeof data !== "string") return;
    let message: ServerMessage;
    try {
      message = JSON.parse(data) as ServerMessage;
    } catch {
      return;
    }
    if (message.type === "welcome") this.#node = message.node ?? null;
    this.#user.received(message);
    if (message.type === "ended" || (message.type === "error" && message.fatal)) this.close();
  }

  #lost(): void {
    clearTimeout(this.#goodTimer);
    this.#socket = null;
    const wait = waitBeforeAttempt_ms(this.#attempt, Math.random());
    this.#attempt += 1;
    this.#user.changed("lost");
    this.#timer = setTimeout(() => this.#open(), wait);
  }

  /** The network came back: no reason to sit out the wait. */
  #tryNow(): void {
    if (this.#over || this.#socket) return;
    clearTimeout(this.#timer);
    this.#open();
  }
}

/**
 * Where an attempt goes, counted from 1 after a line is lost. A node that is gone answers nothing: every second attempt of a lost line goes to
 * where the page came from, which knows where the session lives now.
 */
export function nodeOfAttempt(
  node: string | null,
  page: { protocol: string; host: string },
  attempt: number,
): string {
  if (node && attempt % 2 === 1) return node;
  return `${page.protocol === "https:" ? "wss:" : "ws:"}//${page.host}`;
}
