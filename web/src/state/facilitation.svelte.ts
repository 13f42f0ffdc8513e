// A facilitator's page: follows every room and sends the facilitator's wishes. It never takes part in
// the media and never moves anybody by itself.
import { ApiError, aboutSession } from "../connection/api";
import { Line, type LineState } from "../connection/socket";
import type { ClientMessage, Method, ServerMessage, SessionAbout, WireKeep } from "../wire/wire";
import { type OverviewState, UNSEEN, reduceOverview, spread } from "./overview";
import { speech } from "./language.svelte";
import { Toasts } from "./toasts.svelte";

/** What a method runs with. */
export interface Occasion {
  question: string;
  topics: string[];
  warn_s: number;
}

export interface Wish {
  participants: [number, number];
  rule: WireKeep;
}

export class Facilitation {
  overview = $state.raw<OverviewState>(UNSEEN);
  about = $state.raw<SessionAbout | null>(null);
  line = $state<LineState>("closed");
  refusal = $state("");
  readonly toasts = new Toasts();
  /** Told of what was taken in, for a page around the frame. */
  attendant: ((before: OverviewState, now: OverviewState, message: ServerMessage) => void) | null = null;
  #line: Line | null = null;
  #session: string;
  #token: string;

  constructor(session: string, token: string) {
    this.#session = session;
    this.#token = token;
  }

  async open(): Promise<void> {
    try {
      this.about = await aboutSession(this.#session, this.#token);
      speech.suggest(this.about.language);
      if (this.about.ended) {
        this.overview = { ...this.overview, title: this.about.title, ended: true };
        return;
      }
    } catch (error) {
      const code = error instanceof ApiError ? error.code : "internal";
      if (code !== "unreachable") {
        this.refusal = code;
        return;
      }
      // The line tries again by itself, and asks once more when it is open.
    }
    this.#line = new Line({
      opening: () => ({ type: "watch", token: this.#token }),
      received: (message) => this.#received(message),
      changed: (state) => this.#changed(state),
    });
  }

  openRooms(count: number): void {
    this.#send({ type: "open-rooms", count });
  }

  bringBack(): void {
    this.#send({ type: "open-rooms", count: 0 });
  }

  move(participant: number, room: string): void {
    this.#send({ type: "move", participant, room });
  }

  /** Everybody who is still in the main room goes to a breakout room. */
  spreadEvenly(): void {
    for (const { participant, room } of spread(this.overview.rooms ?? [])) {
      this.move(participant, room);
    }
  }

  runMethod(method: Method, { question, topics, warn_s }: Occasion): void {
    this.#send({ type: "run-method", method, question, topics, warn_s });
  }

  next(at_once: boolean): void {
    this.#send({ type: "next", at_once });
  }

  pause(on: boolean): void {
    this.#send({ type: "pause", on });
  }

  extend(seconds: number): void {
    this.#send({ type: "extend", seconds });
  }

  /** Puts a chosen idea with others under a name; null: by itself. */
  groupIdea(idea: number, group: string | null): void {
    this.#send({ type: "group-idea", idea, group });
  }

  stopMethod(): void {
    this.#send({ type: "stop-method" });
  }

  keep(wish: Wish): void {
    this.#send({ type: "keep", ...wish });
  }

  pin(participant: number, on: boolean): void {
    this.#send({ type: "pin", participant, on });
  }

  /** To everybody, in every room. Whether it went out. */
  broadcast(text: string): boolean {
    return this.#send({ type: "broadcast", text });
  }

  seeCall(participant: number): void {
    this.#send({ type: "call-seen", participant });
  }

  endCall(participant: number): void {
    this.#send({ type: "call-done", participant });
  }

  lowerHand(participant: number): void {
    this.#send({ type: "lower-hand", participant });
  }

  endShare(participant: number): void {
    this.#send({ type: "end-share", participant });
  }

  /** Words and names to be heard rightly. Whether it went out. */
  setGlossary(text: string): boolean {
    return this.#send({ type: "set-glossary", text });
  }

  /** Reads the captions of a room along; null: of none. The room is told. */
  follow(room: string | null): void {
    this.#send({ type: "follow", room });
  }

  /** Whether words are written down: in one room or, without it, in all. */
  setTranscribed(on: boolean, room?: string): void {
    this.#send({ type: "set-transcription", on, ...(room === undefined ? {} : { room }) });
  }

  end(): void {
    this.#send({ type: "end" });
  }

  /** A newer right, in place of one that runs out. */
  renew(token: string): void {
    this.#token = token;
    this.#line?.send({ type: "renew", token });
    this.#learn(); // the links live as long as the right that asks for them
  }

  #learn(): void {
    void aboutSession(this.#session, this.#token).then(
      (about) => (this.about = about),
      () => undefined, // what is known stays
    );
  }

  /** As the embedding page asks, once it has been checked. Whether it went out. */
  say(message: ClientMessage): boolean {
    return this.#line?.send(message) ?? false;
  }

  close(): void {
    this.#line?.close();
  }

  #changed(state: LineState): void {
    this.line = state;
    // The server has forgotten what a lost page read along; a page that is back does not go on by itself.
    if (state === "lost") this.overview = reduceOverview(this.overview, { type: "following", room: null });
    if (state === "open" && !this.about) this.#learn();
  }

  #received(message: ServerMessage): void {
    const before = this.overview;
    this.overview = reduceOverview(before, message, performance.now());
    this.attendant?.(before, this.overview, message);
    if (message.type === "ended") this.#learn();
    if (message.type !== "error") return;
    if (!message.fatal) this.toasts.add(message.code);
    else if (message.code === "session-ended") this.overview = { ...this.overview, ended: true };
    else this.refusal = message.code;
  }

  #send(message: ClientMessage): boolean {
    const sent = this.#line?.send(message) ?? false;
    if (!sent) this.toasts.add("not-sent");
    return sent;
  }
}
