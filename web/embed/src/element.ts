// `<vuoro-session>`: a frame of a Vuoro server in somebody else's page, its handshake, its commands as
// methods and its events as events. It never puts a token into a URL, never keeps one, never listens to
// anybody but its own frame on the server's own origin, and needs no storage of its own.
import { type PlayerControl, playerFor } from "./players";
import type { Connect, Settings, ToFrame, ToPage } from "./port";
import { ATTRIBUTES, COMMANDS, type CommandName, type Commands, EVENTS, type ErrorCode, type EventName, type Events, LIVE, VERSION } from "./words";

/**
 * What the frame may use: microphone, camera and speakers for talking; `display-capture` for sharing a
 * screen; `autoplay` so that others are heard at once; a lit screen while one talks. Named with the
 * server's origin by `src` itself: the frame never goes to another.
 */
export const ALLOW =
  "microphone; camera; display-capture; autoplay; fullscreen; picture-in-picture; speaker-selection; screen-wake-lock; clipboard-write";

/** How long the frame may take to be there, a command to wait for it, and one to be answered. */
const CONNECT_WITHIN_MS = 30_000;
/** After which silence whoever builds the page is told what it usually is. */
const HINT_AFTER_MS = 5_000;
const EARLY_WITHIN_MS = 60_000;
const ANSWER_WITHIN_MS = 20_000;
/** Commands that wait for the frame or for an answer; the frame does as many at once. */
const WAITING_MAX = 32;
const KEPT = "vuoro-kept-";

/** Why a command was refused. `code` is stable; `message` is English, for whoever reads logs. */
export class VuoroError extends Error {
  constructor(
    readonly code: ErrorCode,
    text: string,
    readonly retryAfter_ms: number | null = null,
  ) {
    super(text || code);
    this.name = "VuoroError";
  }
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: VuoroError): void;
  timer: ReturnType<typeof setTimeout> | undefined;
}

type Asked = Extract<ToFrame, { command: string }>;
type TokenProvider = () => string | Promise<string>;

/** Where this script came from, when it is a plain script tag. */
const HOME = document.currentScript instanceof HTMLScriptElement ? originOf(document.currentScript.src) : "";

export class VuoroSession extends HTMLElement {
  static observedAttributes = [...ATTRIBUTES];

  /** Gives a token: at first, and whenever it is about to run out. In place of the attribute `token`. */
  tokenProvider: TokenProvider | null = null;
  /** For a player that is none of those we know. In place of the attribute `player`. */
  playerControl: PlayerControl | null = null;

  #frame: HTMLIFrameElement | null = null;
  #port: MessagePort | null = null;
  #late: ReturnType<typeof setTimeout> | undefined;
  #hint: ReturnType<typeof setTimeout> | undefined;
  #waiting = new Map<number, Waiting>();
  /** Commands given before the frame was ready, in their order: they are done when it is. */
  #early: Asked[] = [];
  #ready = false;
  #number = 0;
  #kept: Record<string, string> = {};
  #player: PlayerControl | null = null;
  #ducked = false;
  #rebuild = false;

  connectedCallback(): void {
    addEventListener("message", this.#knocked);
    this.#build();
  }

  disconnectedCallback(): void {
    removeEventListener("message", this.#knocked);
    this.#close("not-ready");
    this.#duck(false);
    this.#frame?.remove();
    this.#frame = null;
  }

  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    if (!this.isConnected || before === now) return;
    if (name === "session" || name === "server") return this.#buildSoon();
    // Before there was a token nothing could be done.
    if (name === "token" && before === null && !this.#ready) return this.#buildSoon();
    if ((LIVE as readonly string[]).includes(name)) this.#send({ settings: this.#settings() });
    if (name === "min-height" && this.#frame) this.#frame.style.minHeight = this.#height;
    if (name === "player" || name.startsWith("duck")) this.#findPlayer();
  }

  /** The server's origin; empty when it is not known. */
  get server(): string {
    return originOf(this.getAttribute("server") ?? "") || HOME;
  }

  /** Whether commands are answered now. */
  get isReady(): boolean {
    return this.#ready;
  }

  /** As the method of that name. */
  command<Name extends CommandName>(name: Name, takes: Commands[Name]["takes"] | Record<string, never> = {}): Promise<Commands[Name]["gives"]> {
    if (WAITING_MAX <= this.#waiting.size) return Promise.reject(new VuoroError("too-fast", "too many commands wait", 1_000));
    return new Promise((resolve, reject) => {
      const asked: Asked = { id: ++this.#number, command: name, takes };
      this.#waiting.set(asked.id, { resolve: resolve as (value: unknown) => void, reject, timer: undefined });
      if (this.#ready) return this.#ask(asked);
      this.#early.push(asked);
      this.#refuseIn(EARLY_WITHIN_MS, asked, "not-ready", "the frame was not there in time: is the element in the page, with session and server?");
    });
  }

  #ask(asked: Asked): void {
    this.#refuseIn(ANSWER_WITHIN_MS, asked, "no-answer", "the command was not answered");
    // Nothing of it is made into a text here: whatever the page has asked, its command may be no text.
    try {
      this.#send(asked);
    } catch {
      // A function among the arguments, or the like, goes through no port.
      this.#settle(asked.id)?.reject(new VuoroError("bad-arguments", "a command takes what can be sent"));
    }
  }

  #refuseIn(limit_ms: number, { id }: Asked, code: ErrorCode, text: string): void {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    clearTimeout(waiting.timer);
    waiting.timer = setTimeout(() => this.#settle(id)?.reject(new VuoroError(code, text)), limit_ms);
  }

  get #height(): string {
    return this.getAttribute("min-height") ?? "36rem";
  }

  /** Several attributes may change in one breath. */
  #buildSoon(): void {
    if (this.#rebuild) return;
    this.#rebuild = true;
    queueMicrotask(() => {
      this.#rebuild = false;
      if (this.isConnected) this.#build();
    });
  }

  #build(): void {
    this.#close("not-ready");
    this.#frame?.remove();
    this.#frame = null;
    const session = this.getAttribute("session") ?? "";
    if (!this.server || !/^[0-9A-Za-z]{1,40}$/.test(session)) return;
    this.#kept = readKept(session);
    this.#findPlayer();
    const frame = document.createElement("iframe");
    const language = this.getAttribute("lang");
    frame.allow = ALLOW;
    frame.title = this.getAttribute("title") ?? "Vuoro";
    frame.style.cssText = `display:block;width:100%;height:100%;min-height:${CSS.supports("min-height", this.#height) ? this.#height : "36rem"};border:0;border-radius:inherit`;
    frame.src = `${this.server}/embed/${session}${language && /^(fi|sv|en)$/.test(language) ? `?lang=${language}` : ""}`;
    this.style.display ||= "block";
    this.append(frame);
    this.#frame = frame;
    this.#hint = setTimeout(() => this.#tellOrigin(), HINT_AFTER_MS);
    this.#late = setTimeout(() => this.#fail("timeout", "the frame did not connect: check the server's address and that it lets this origin embed"), CONNECT_WITHIN_MS);
  }

  /** A frame says hello: ours is known by its window and its origin, both. */
  #knocked = (event: MessageEvent): void => {
    const frame = this.#frame?.contentWindow;
    if (!frame || event.source !== frame || event.origin !== this.server) return;
    if (event.data?.vuoro !== "hello" || event.data.version !== VERSION) return;
    // The frame was loaded anew: what was asked of the one before is not answered any more.
    this.#close("not-ready");
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = (it) => this.#heard(it.data as ToPage);
    const connect: Connect = { vuoro: "connect", version: VERSION, settings: this.#settings(), kept: this.#kept };
    frame.postMessage(connect, this.server, [port2]);
  };

  #heard(message: ToPage): void {
    if (typeof message !== "object" || message === null) return;
    if ("gives" in message) this.#settle(message.id)?.resolve(message.gives);
    else if ("error" in message) {
      const { code, text, retry_after_ms } = message.error;
      this.#settle(message.id)?.reject(new VuoroError(code as ErrorCode, text, retry_after_ms));
    } else if ("wants" in message) void this.#giveToken(message.asks);
    else if ("keep" in message) this.#keep(message.keep, message.value);
    else if ("event" in message) this.#told(message.event, message.detail);
  }

  #told(name: string, detail: unknown): void {
    if (!(EVENTS as readonly string[]).includes(name)) return;
    if (name === "ready") {
      clearTimeout(this.#late);
      this.#ready = true;
      this.#early.splice(0).forEach((it) => this.#ask(it));
    }
    if (name === "rooms.opened") this.#duck(true);
    if (name === "rooms.closed" || name === "left" || name === "stream.returned" || name === "session.ended") this.#duck(false);
    if (name === "stream.returned") this.#showPlayer();
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  async #giveToken(asks: number): Promise<void> {
    const port = this.#port;
    let token: string | null = null;
    try {
      token = (await this.tokenProvider?.()) ?? this.getAttribute("token");
    } catch {
      // The frame says what it means to be without one.
    }
    if (port === this.#port) this.#send({ token, answers: asks });
  }

  #settings(): Settings {
    const all = ATTRIBUTES.filter((it) => it !== "token" && this.hasAttribute(it));
    return Object.fromEntries(all.map((it) => [it, this.getAttribute(it) ?? ""]));
  }

  #send(message: ToFrame): void {
    this.#port?.postMessage(message);
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    // Who was told that it is not done must not see it done later.
    this.#early = this.#early.filter((it) => it.id !== id);
    clearTimeout(waiting?.timer);
    return waiting;
  }

  #close(code: ErrorCode): void {
    clearTimeout(this.#hint);
    clearTimeout(this.#late);
    this.#port?.close();
    this.#port = null;
    this.#ready = false;
    // Those given before the frame was there are still to be done.
    const early = new Set(this.#early.map((it) => it.id));
    for (const id of [...this.#waiting.keys()].filter((it) => !early.has(it) || !this.isConnected)) {
      this.#settle(id)?.reject(new VuoroError(code, "the frame is gone"));
    }
  }

  /** The browser says only which pages the server lets show the frame, and not that this is none of them. */
  #tellOrigin(): void {
    console.error(
      `Vuoro: no answer from ${this.server}. It is shown only by pages that embed_parents in its vuoro.toml names (or the tenant's origins). This page's origin: ${location.origin}`,
    );
  }

  #fail(code: ErrorCode, text: string): void {
    this.#close(code);
    for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(new VuoroError(code, text));
    this.dispatchEvent(new CustomEvent("error", { detail: { code, text, fatal: true, retry_after_ms: null } }));
  }

  /** The frame's own storage may be blocked; the page's own is a bonus, and memory does as well. */
  #keep(key: string, value: string | null): void {
    if (value === null) delete this.#kept[key];
    else this.#kept[key] = value;
    try {
      sessionStorage.setItem(KEPT + this.getAttribute("session"), JSON.stringify(this.#kept));
    } catch {
      // Until the page is loaded anew.
    }
  }

  #findPlayer(): void {
    const ducked = this.#ducked;
    if (ducked) this.#duck(false);
    const selector = this.getAttribute("player");
    const how = this.getAttribute("duck") ?? "turn-down";
    const volume = Math.min(1, Math.max(0, Number(this.getAttribute("duck-volume") ?? 0.1))) || 0;
    let found: Element | null = null;
    try {
      found = selector ? document.querySelector(selector) : null;
    } catch {
      // No selector.
    }
    this.#player = how === "off" ? null : playerFor(found, { how: how === "pause" ? "pause" : "turn-down", volume });
    if (ducked) this.#duck(true);
  }

  #duck(on: boolean): void {
    if (on === this.#ducked) return;
    // The page may have put its player in later than us.
    if (on && !this.#player) this.#findPlayer();
    const player = this.playerControl ?? this.#player;
    this.#ducked = on;
    if (!player || (this.getAttribute("duck") === "off")) return;
    if (on) player.duck();
    else player.restore();
    this.dispatchEvent(new CustomEvent("player.changed", { detail: { ducked: on } }));
  }

  #showPlayer(): void {
    const selector = this.getAttribute("player");
    const player = selector ? document.querySelector<HTMLElement>(selector) : null;
    if (!player) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    player.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "center" });
    player.focus({ preventScroll: true });
  }
}

type Methods = {
  [Name in CommandName]: Commands[Name]["takes"] extends Record<string, never>
    ? () => Promise<Commands[Name]["gives"]>
    : (takes: Commands[Name]["takes"]) => Promise<Commands[Name]["gives"]>;
};

export interface VuoroSession extends Methods {
  addEventListener<Name extends EventName>(
    type: Name,
    listener: (this: VuoroSession, event: CustomEvent<Events[Name]>) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
}

for (const name of COMMANDS) {
  Object.defineProperty(VuoroSession.prototype, name, {
    value(this: VuoroSession, takes: never) {
      return this.command(name, takes);
    },
  });
}

function originOf(address: string): string {
  try {
    const { origin, protocol } = new URL(address);
    return protocol === "https:" || protocol === "http:" ? origin : "";
  } catch {
    return "";
  }
}

function readKept(session: string): Record<string, string> {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(KEPT + session) ?? "{}");
    return typeof kept === "object" && kept !== null ? (kept as Record<string, string>) : {};
  } catch {
    return {};
  }
}

if (!customElements.get("vuoro-session")) customElements.define("vuoro-session", VuoroSession);

declare global {
  interface HTMLElementTagNameMap {
    "vuoro-session": VuoroSession;
  }
}
