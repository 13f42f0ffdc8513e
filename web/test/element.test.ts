// The page's end of the line, `<vuoro-session>`: whose hello it answers, to whom it gives port and token,
// what it tells the page, and that nothing waits for ever. The page is stood in for; ports are the real ones.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { VuoroSession } from "../embed/src/element";

const SERVER = "https://vuoro.example";
const HELLO = { vuoro: "hello", version: 1 };

/** The frame that the element makes, and what was posted to its window. */
class FakeFrame {
  allow = "";
  title = "";
  src = "";
  style = { cssText: "", minHeight: "" };
  said: { data: Record<string, unknown>; origin: string; ports: MessagePort[] }[] = [];
  contentWindow = {
    postMessage: (data: Record<string, unknown>, origin: string, ports: MessagePort[]) => this.said.push({ data, origin, ports }),
  };
  remove = vi.fn();
}

/** What the element needs of what it is made from. */
class FakeElement extends EventTarget {
  attributes = new Map<string, string>();
  isConnected = false;
  style = { display: "" };
  append = (): void => undefined;
  getAttribute(name: string): string | null {
    return this.attributes.get(name) ?? null;
  }
  hasAttribute(name: string): boolean {
    return this.attributes.has(name);
  }
}

let page = new EventTarget();
let frames: FakeFrame[] = [];
let Element: new () => VuoroSession;
const stored = new Map<string, string>();

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  vi.resetModules();
  page = new EventTarget();
  frames = [];
  stored.clear();
  vi.stubGlobal("HTMLElement", FakeElement);
  vi.stubGlobal("HTMLScriptElement", class {});
  vi.stubGlobal("HTMLMediaElement", class {});
  vi.stubGlobal("HTMLIFrameElement", class {});
  vi.stubGlobal("CSS", { supports: () => true });
  vi.stubGlobal("location", { origin: "https://event.example" });
  vi.stubGlobal("customElements", { get: () => undefined, define: (_: string, it: typeof Element) => (Element = it) });
  vi.stubGlobal("sessionStorage", { getItem: (key: string) => stored.get(key) ?? null, setItem: (key: string, value: string) => stored.set(key, value) });
  vi.stubGlobal("document", {
    currentScript: null,
    querySelector: () => null,
    createElement: () => {
      const frame = new FakeFrame();
      frames.push(frame);
      return frame;
    },
  });
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  await import("../embed/src/element");
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function placed(attributes: Record<string, string> = {}): { element: VuoroSession; frame: FakeFrame } {
  const element = new Element();
  const all = { session: "01abc", server: SERVER, token: "secret-token", ...attributes };
  for (const [key, value] of Object.entries(all)) (element as unknown as FakeElement).attributes.set(key, value);
  (element as unknown as { isConnected: boolean }).isConnected = true;
  element.connectedCallback();
  return { element, frame: frames.at(-1) as FakeFrame };
}

function hears(source: unknown, { data = HELLO as unknown, origin = SERVER } = {}): void {
  page.dispatchEvent(Object.assign(new Event("message"), { data, source, origin }));
}

/** Our frame has said hello; `heard` is what came through the port that it was given. */
function connected(attributes?: Record<string, string>) {
  const { element, frame } = placed(attributes);
  hears(frame.contentWindow);
  const port = frame.said.at(-1)?.ports[0] as MessagePort;
  const heard: Record<string, unknown>[] = [];
  port.onmessage = (it) => heard.push(it.data);
  const settled = async () => {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    return heard.splice(0);
  };
  const says = (...messages: unknown[]) => {
    messages.forEach((it) => port.postMessage(it));
    return settled();
  };
  return { element, frame, port, heard, settled, says };
}

const READY = { event: "ready", detail: {} };
const outcome = (it: Promise<unknown>) => it.then((gives) => gives, (error: { code: string }) => error.code);

describe("the frame", () => {
  test("is the server's, with what talking takes, and has no token in its address", () => {
    const { frame } = placed({ lang: "fi" });
    expect(frame.src).toBe(`${SERVER}/embed/01abc?lang=fi`);
    for (const it of ["microphone", "camera", "autoplay", "display-capture"]) expect(frame.allow.split("; ")).toContain(it);
  });

  test.each([
    ["a session that is none", { session: "../x" }],
    ["an address that is no server's", { server: "javascript:alert(1)" }],
  ])("is not made for %s", (_, attributes) => {
    placed(attributes);
    expect(frames).toEqual([]);
  });

  test("speaks no language that we do not know", () => {
    expect(placed({ lang: "fi&token=x" }).frame.src).toBe(`${SERVER}/embed/01abc`);
  });
});

describe("a hello", () => {
  test("of our own frame is answered with one port, to the server's origin alone, and no token", () => {
    const { frame } = placed({ name: "Aino" });
    hears(frame.contentWindow);
    expect(frame.said.map(({ origin, ports }) => [origin, ports.length])).toEqual([[SERVER, 1]]);
    expect(frame.said[0]?.data).toMatchObject({ vuoro: "connect", version: 1, settings: { name: "Aino" } });
    expect(JSON.stringify(frame.said[0]?.data)).not.toContain("secret-token");
  });

  test.each([
    ["of another window on the server's origin", { source: {} }],
    ["of our frame when something else is shown in it", { origin: "https://evil.example" }],
    ["of an origin that only begins alike", { origin: `${SERVER}.evil.example` }],
    ["of another version", { data: { vuoro: "hello", version: 2 } }],
    ["that is something else", { data: { vuoro: "connect", version: 1 } }],
    ["that is nothing", { data: null }],
  ])("%s is not", (_, { source, ...wrong }: { source?: unknown; data?: unknown; origin?: string }) => {
    const { frame } = placed();
    hears(source ?? frame.contentWindow, wrong);
    expect(frame.said).toEqual([]);
  });

  test("of a frame that was loaded anew takes the place of the one before", async () => {
    const { element, frame, says } = connected();
    await says(READY);
    const asked = outcome(element.command("state"));
    hears(frame.contentWindow);
    expect(await asked).toBe("not-ready");
    expect([frame.said.length, element.isReady]).toEqual([2, false]);
    const ended = vi.fn();
    element.addEventListener("session.ended", ended);
    await says({ event: "session.ended", detail: {} });
    expect(ended, "the port before is closed").not.toHaveBeenCalled();
  });

  test("is not heard any more once the element is gone from the page", () => {
    const { element, frame } = placed();
    (element as unknown as { isConnected: boolean }).isConnected = false;
    element.disconnectedCallback();
    hears(frame.contentWindow);
    expect(frame.said).toEqual([]);
    expect(frame.remove).toHaveBeenCalled();
  });
});

describe("a token", () => {
  test("is the provider's, asked anew each time, and answers that question", async () => {
    const { element, says } = connected();
    let count = 0;
    element.tokenProvider = async () => `token-${++count}`;
    expect(await says({ wants: "token", asks: 4 })).toEqual([{ token: "token-1", answers: 4 }]);
    expect(await says({ wants: "token", asks: 5 })).toEqual([{ token: "token-2", answers: 5 }]);
  });

  test("is the attribute's without a provider, and none when the provider fails", async () => {
    const { element, says } = connected();
    expect(await says({ wants: "token", asks: 1 })).toEqual([{ token: "secret-token", answers: 1 }]);
    element.tokenProvider = () => Promise.reject(new Error("signed out"));
    expect(await says({ wants: "token", asks: 2 })).toEqual([{ token: null, answers: 2 }]);
  });

  test("that comes late goes to no other frame than the one that asked", async () => {
    const { element, frame, says } = connected();
    let gives: (token: string) => void = () => undefined;
    element.tokenProvider = () => new Promise((resolve) => (gives = resolve));
    await says({ wants: "token", asks: 1 });
    hears(frame.contentWindow);
    const next: unknown[] = [];
    const port = frame.said.at(-1)?.ports[0] as MessagePort;
    port.onmessage = (it) => next.push(it.data);
    gives("late");
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(next).toEqual([]);
  });
});

describe("commands", () => {
  test("given early are done in their order once the frame is ready, and settled by their number", async () => {
    const { element, says } = connected();
    const both = [outcome(element.command("raiseHand", { on: true })), outcome(element.command("leave"))];
    expect(await says()).toEqual([]);
    expect(await says(READY)).toMatchObject([{ id: 1, command: "raiseHand", takes: { on: true } }, { id: 2, command: "leave" }]);
    await says({ id: 2, error: { code: "not-in-room", text: "", retry_after_ms: null } }, { id: 1, gives: "up" }, { id: 9, gives: "x" });
    expect(await Promise.all(both)).toEqual(["up", "not-in-room"]);
  });

  test("are refused when 32 wait, when nobody answers, and when they are nothing that can be sent", async () => {
    const { element, says } = connected();
    await says(READY);
    const unsendable = { on: (() => true) as unknown as boolean };
    expect(await outcome(element.command("raiseHand", unsendable))).toBe("bad-arguments");
    const all = Array.from({ length: 33 }, () => outcome(element.command("state")));
    expect(await all[32]).toBe("too-fast");
    vi.advanceTimersByTime(20_000);
    expect(new Set(await Promise.all(all.slice(0, 32)))).toEqual(new Set(["no-answer"]));
    await says({ id: 2, gives: "late" });
    expect((await says()).length, "and it goes on").toBe(0);
  });

  test("and the page are told when the frame does not come", async () => {
    const { element } = placed();
    const failed = vi.fn();
    (element as unknown as EventTarget).addEventListener("error", failed);
    const asked = outcome(element.command("state"));
    vi.advanceTimersByTime(30_000);
    expect(await asked).toBe("timeout");
    expect(failed.mock.calls[0]?.[0].detail).toMatchObject({ code: "timeout", fatal: true });
    expect(console.error).toHaveBeenCalledWith(expect.stringContaining("This page's origin: https://event.example"));
  });
});

describe("the page is told", () => {
  test("the events of the schema, and none besides", async () => {
    const { element, says } = connected();
    const told: string[] = [];
    for (const name of ["joined", "click", "error"]) (element as unknown as EventTarget).addEventListener(name, () => told.push(name));
    await says(null, "joined", { event: "click", detail: {} }, { event: "joined", detail: {} }, { event: "error", detail: {} });
    expect(told).toEqual(["joined", "error"]);
  });

  test("and keeps for a frame what that may not keep itself", async () => {
    const { frame, says } = connected();
    await says({ keep: "seat", value: "s" });
    hears(frame.contentWindow);
    expect(frame.said.at(-1)?.data["kept"]).toEqual({ seat: "s" });
    await says({ keep: "seat", value: null });
    expect(stored.get("vuoro-kept-01abc")).toBe('{"seat":"s"}');
  });
});
