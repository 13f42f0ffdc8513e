// The chat as one person uses it: whether it is open, what is being written, what has been read. It
// never clears words that the server has not taken.
import type { WirePost } from "../wire/wire";
import { unread } from "./talk";

export class Talk {
  open = $state(false);
  draft = $state("");
  /** In session time: what came until then has been seen. */
  read_ms = $state(-1);
  /** The code of the refusal of what was sent last; empty: none. */
  refusal = $state("");
  #send: (text: string) => boolean;
  /** Sent, and neither told nor refused yet. */
  #pending: string | null = null;
  /** Whether nothing of a chat has come yet: what was written before a page is opened is not news. */
  #fresh = true;

  constructor(send: (text: string) => boolean) {
    this.#send = send;
  }

  /** Sends what is written. The field is empty at once, so that the next thought can be typed. */
  post(): void {
    const text = this.draft.trim();
    if (text === "" || this.#pending !== null) return;
    this.refusal = this.#send(text) ? "" : "not-sent";
    if (this.refusal) return;
    this.#pending = text;
    this.draft = "";
  }

  /** A post has come. */
  told(post: WirePost, me: number | null): void {
    this.#fresh = false;
    if (post.participant === me) this.#pending = null;
    if (this.open) this.read_ms = post.at_ms;
  }

  /** All posts of the room have come. */
  toldAll(posts: readonly WirePost[]): void {
    const last = posts.at(-1);
    if (last && (this.#fresh || this.open)) this.read_ms = last.at_ms;
    this.#fresh = false;
  }

  /** Another room: what was written there already is news. */
  moved(): void {
    this.#fresh = false;
  }

  /**
   * What was sent has not been taken: it comes back into the field, before what was typed since.
   * `false`: nothing was sent, and the refusal is of something else.
   */
  refused(code: string): boolean {
    if (this.#pending === null) return false;
    this.draft = [this.#pending, this.draft].filter((it) => it !== "").join("\n");
    this.#pending = null;
    this.refusal = code;
    return true;
  }

  show(posts: readonly WirePost[]): void {
    this.open = true;
    this.read_ms = posts.at(-1)?.at_ms ?? this.read_ms;
  }

  unread(posts: readonly WirePost[], me: number | null): number {
    return this.open ? 0 : unread(posts, me, this.read_ms);
  }
}
