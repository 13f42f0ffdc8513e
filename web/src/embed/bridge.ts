// The frame's end of the line to the page around it. It says hello to whoever is there, takes one port
// from the window above it and nobody else, and from then on hears only that port. What comes through
// it is checked before anything is called; what goes through it is events, answers and the wish for a
// token. It never holds a token longer than it takes to hand it to the server.
import { VERSION } from "../../embed/src/words";
import type { Connect, Hello, Settings, ToPage } from "../../embed/src/port";
import { type Checked, check, isRecord } from "./check";

export interface BridgeUser {
  /** What the page's attributes say, at first and whenever they change. */
  settings(settings: Settings): void;
  /** A command that is well formed. Rejects with a `CommandError`. */
  command(it: Extract<Checked, { ok: true }>): Promise<unknown>;
}

export class CommandError extends Error {
  constructor(
    readonly code: string,
    text = "",
    readonly retry_after_ms: number | null = null,
  ) {
    super(text || code);
  }
}

/** Commands that are being done. */
const WAITING_MAX = 32;
/** Commands in ten seconds. */
const OFTEN_MAX = 100;
const OFTEN_MS = 10_000;
const TOKEN_WITHIN_MS = 30_000;
const SETTING_CHARS_MAX = 200;

export class Bridge {
  /** The origin of the page around us, as the browser says it. */
  readonly origin: string;
  readonly kept: Record<string, string>;
  #port: MessagePort;
  #user: BridgeUser;
  #doing = 0;
  #since_ms = 0;
  #often = 0;
  #asks = 0;
  #tokens = new Map<number, (token: string | null) => void>();

  /** Null: nobody answers within `limit_ms`. */
  static connect(user: BridgeUser, limit_ms: number): Promise<Bridge | null> {
    if (window.parent === window) return Promise.resolve(null);
    return new Promise((resolve) => {
      const end = (bridge: Bridge | null) => {
        removeEventListener("message", hear);
        clearTimeout(late);
        resolve(bridge);
      };
      const hear = (event: MessageEvent) => {
        const connect = event.source === window.parent ? readConnect(event) : null;
        if (connect) end(new Bridge(user, event.origin, connect, event.ports[0] as MessagePort));
      };
      const late = setTimeout(() => end(null), limit_ms);
      addEventListener("message", hear);
      const hello: Hello = { vuoro: "hello", version: VERSION };
      // To anybody, as there is nothing in it.
      window.parent.postMessage(hello, "*");
    });
  }

  private constructor(user: BridgeUser, origin: string, connect: Connect, port: MessagePort) {
    this.origin = origin;
    this.kept = connect.kept;
    this.#user = user;
    this.#port = port;
    user.settings(connect.settings);
    port.onmessage = (event) => this.#heard(event.data);
  }

  tell(event: string, detail: unknown): void {
    this.#send({ event, detail });
  }

  keep(key: string, value: string | null): void {
    this.#send({ keep: key, value });
  }

  /** Null: the page has none to give. */
  token(): Promise<string | null> {
    const asks = ++this.#asks;
    this.#send({ wants: "token", asks });
    return new Promise((resolve) => {
      const late = setTimeout(() => this.#tokens.get(asks)?.(null), TOKEN_WITHIN_MS);
      this.#tokens.set(asks, (token) => {
        clearTimeout(late);
        this.#tokens.delete(asks);
        resolve(token);
      });
    });
  }

  #heard(message: unknown): void {
    if (!isRecord(message)) return;
    if (Object.hasOwn(message, "answers")) {
      const { answers, token } = message;
      const good = typeof token === "string" && token.length <= 8_192 ? token : null;
      return this.#tokens.get(answers as number)?.(good);
    }
    if (Object.hasOwn(message, "settings")) {
      const settings = readSettings(message["settings"]);
      return settings ? this.#user.settings(settings) : undefined;
    }
    const checked = check(message);
    if (checked) void this.#answer(checked);
  }

  async #answer(checked: Checked): Promise<void> {
    const { id } = checked;
    const refuse = (code: string, text: string, retry_after_ms: number | null = null) =>
      this.#send({ id, error: { code, text, retry_after_ms } });
    if (!this.#takesMore()) return refuse("too-fast", "too many commands", OFTEN_MS);
    if (!checked.ok) return refuse(checked.code, checked.text);
    this.#doing += 1;
    try {
      this.#send({ id, gives: (await this.#user.command(checked)) ?? null });
    } catch (error) {
      if (error instanceof CommandError) refuse(error.code, error.message, error.retry_after_ms);
      else refuse("internal", "a fault of ours");
    } finally {
      this.#doing -= 1;
    }
  }

  #takesMore(): boolean {
    const now_ms = performance.now();
    if (OFTEN_MS < now_ms - this.#since_ms) [this.#since_ms, this.#often] = [now_ms, 0];
    this.#often += 1;
    return this.#often <= OFTEN_MAX && this.#doing < WAITING_MAX;
  }

  #send(message: ToPage): void {
    this.#port.postMessage(message);
  }
}

/** Null: it is not the message that it should be. */
function readConnect(event: MessageEvent): Connect | null {
  const { data, ports } = event;
  if (!isRecord(data) || data["vuoro"] !== "connect" || data["version"] !== VERSION || ports.length !== 1) return null;
  const [settings, kept] = [readSettings(data["settings"]), readTexts(data["kept"], 4_096)];
  return settings && kept ? { vuoro: "connect", version: VERSION, settings, kept } : null;
}

function readSettings(it: unknown): Settings | null {
  return readTexts(it, SETTING_CHARS_MAX);
}

/** A few short texts by name. A name that means something to every object is none. */
function readTexts(it: unknown, chars_max: number): Record<string, string> | null {
  if (!isRecord(it)) return null;
  const all = Object.entries(it);
  const good = all.length <= 32 && all.every(([key, value]) => /^[a-z][a-z-]{0,40}$/.test(key) && typeof value === "string" && value.length <= chars_max);
  return good ? Object.fromEntries(all as [string, string][]) : null;
}
