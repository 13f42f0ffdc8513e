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

/** A connection on which the server has spoken counts as good so long after: the next loss starts with a short wait. */
const GOOD_AFTER_MS = 2_000;
/** A connection attempt that has not opened by now is given up; some networks swallow them. */
const OPEN_WITHIN_MS = 10_000;
/** The server says something every 5 s. A line that is silent for so long is dead, though nobody has closed it. */
const SILENT_MS = 15_000;
const LOOK_EVERY_MS = 5_000;
/** After a sleep of the machine what has come meanwhile is read first, in ms. */
const READ_FIRST_MS = 1_000;

export class Line {
  #user: LineUser;
  #socket: WebSocket | null = null;
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #goodTimer: ReturnType<typeof setTimeout> | undefined;
  #over = false;
  #heard_ms = 0;
  #look = setInterval(() => this.#listen(), LOOK_EVERY_MS);
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
    clearInterval(this.#look);
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
      this.#heard_ms = performance.now();
      this.send(this.#user.opening());
      this.#user.changed("open");
    };
    socket.onmessage = (event) => {
      if (socket !== this.#socket || this.#over) return;
      this.#heard_ms = performance.now();
      this.#goodTimer ??= setTimeout(() => (this.#attempt = 0), GOOD_AFTER_MS);
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
    if (message.type === "alive") return;
    if (message.type === "welcome") this.#node = message.node ?? null;
    this.#user.received(message);
    if (message.type === "ended" || (message.type === "error" && message.fatal)) this.close();
  }

  #lost(): void {
    clearTimeout(this.#goodTimer);
    this.#goodTimer = undefined;
    this.#socket = null;
    const wait = waitBeforeAttempt_ms(this.#attempt, Math.random());
    this.#attempt += 1;
    this.#user.changed("lost");
    this.#timer = setTimeout(() => this.#open(), wait);
  }

  /** Whether the line is dead. */
  #listen(): void {
    const [socket, heard_ms] = [this.#socket, this.#heard_ms];
    const is = () => socket?.readyState === WebSocket.OPEN && SILENT_MS <= performance.now() - heard_ms;
    if (!is()) return;
    setTimeout(() => {
      if (this.#over || socket !== this.#socket || heard_ms !== this.#heard_ms || !is()) return;
      socket?.close();
      this.#lost();
    }, READ_FIRST_MS);
  }

  /** The network came back: no reason to sit out the wait. */
  #tryNow(): void {
    if (this.#over) return;
    if (this.#socket) return this.#listen();
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
