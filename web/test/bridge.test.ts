// The frame's end of the line: whom it takes a port from, what it hears through it, how much of it, and to
// whom it gives what. Windows are stood in for; ports, clones and checks are the real ones.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Bridge, type BridgeUser, CommandError } from "../src/embed/bridge";

const LIMIT_MS = 15_000;
const PAGE = "https://event.example";
const CONNECT = { vuoro: "connect", version: 1, settings: { lang: "sv" }, kept: { seat: "s" } };

/** The window around us, and what it was told. */
const parent = { said: [] as unknown[][], postMessage: (...all: unknown[]) => parent.said.push(all) };
let frame = new EventTarget();
let ports: MessagePort[] = [];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  frame = new EventTarget();
  [parent.said, ports] = [[], []];
  vi.stubGlobal("window", { parent });
  vi.stubGlobal("addEventListener", frame.addEventListener.bind(frame));
  vi.stubGlobal("removeEventListener", frame.removeEventListener.bind(frame));
});
afterEach(() => {
  ports.forEach((it) => it.close());
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

interface Said {
  data?: unknown;
  source?: unknown;
  origin?: string;
  /** How many come along. */
  ports?: number;
}

/** Some window says something to the frame's. Gives the page's ends of the ports. */
function says({ data = CONNECT, source = parent, origin = PAGE, ports: count = 1 }: Said): MessagePort[] {
  const channels = Array.from({ length: count }, () => new MessageChannel());
  const both = channels.flatMap((it) => [it.port1, it.port2]);
  ports.push(...both);
  frame.dispatchEvent(Object.assign(new Event("message"), { data, source, origin, ports: channels.map((it) => it.port2) }));
  return channels.map((it) => it.port1);
}

const nothing: BridgeUser = { settings: () => undefined, command: async () => undefined };

/** A page that has connected; `heard` is what came through its port. */
async function connected(user: Partial<BridgeUser> = {}) {
  const coming = Bridge.connect({ ...nothing, ...user }, LIMIT_MS);
  const [port] = says({});
  const bridge = await coming;
  if (!bridge || !port) throw new Error("not connected");
  const heard: Record<string, unknown>[] = [];
  port.onmessage = (it) => heard.push(it.data);
  /** Until the port has brought everything: it keeps the order. */
  const settled = async () => {
    bridge.tell("timer.tick", { left_ms: 0 });
    const ticks = () => heard.filter((it) => it["event"] === "timer.tick").length;
    const before = ticks();
    while (ticks() === before) await new Promise((resolve) => setImmediate(resolve));
  };
  /** What came in answer to these messages. */
  const answers = async (...messages: unknown[]) => {
    messages.forEach((it) => port.postMessage(it));
    await port_is_read();
    await settled();
    return heard.splice(0).filter((it) => it["event"] !== "timer.tick");
  };
  return { bridge, port, heard, answers };
}

/** What was posted is read in a later turn of the loop, and answered in one after it. */
async function port_is_read(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const codes = (answers: Record<string, unknown>[]) => answers.map((it) => (it["error"] as { code?: string } | undefined)?.code ?? "done");

describe("the frame takes one port", () => {
  test("from the window around it, whose origin is the browser's word", async () => {
    const settings = vi.fn();
    const { bridge } = await connected({ settings });
    expect(parent.said, "the hello says nothing but that it is there").toEqual([[{ vuoro: "hello", version: 1 }, "*"]]);
    expect([bridge.origin, bridge.kept]).toEqual([PAGE, { seat: "s" }]);
    expect(settings.mock.calls).toEqual([[{ lang: "sv" }]]);
  });

  test.each<[string, Said]>([
    ["another frame in the page", { source: { postMessage: () => undefined } }],
    ["nobody", { source: null }],
    ["no text for a message", { data: "connect" }],
    ["another message", { data: { ...CONNECT, vuoro: "hello" } }],
    ["another version", { data: { ...CONNECT, version: 2 } }],
    ["a class of its own", { data: Object.assign(new Date(), CONNECT) }],
    ["no port", { ports: 0 }],
    ["two ports", { ports: 2 }],
    ["no settings", { data: { ...CONNECT, settings: null } }],
    ["a list of settings", { data: { ...CONNECT, settings: ["lang"] } }],
    ["a setting that is no text", { data: { ...CONNECT, settings: { lang: 1 } } }],
    ["a setting that is too long", { data: { ...CONNECT, settings: { name: "x".repeat(201) } } }],
    ["too many settings", { data: { ...CONNECT, settings: Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`a${"b".repeat(at)}`, ""])) } }],
    ["a name that every object has", { data: { ...CONNECT, settings: JSON.parse('{"__proto__":"x"}') } }],
    ["nothing kept", { data: { ...CONNECT, kept: undefined } }],
    ["too much kept", { data: { ...CONNECT, kept: { seat: "x".repeat(4_097) } } }],
  ])("and not from %s", async (_, wrong) => {
    const settings = vi.fn();
    const coming = Bridge.connect({ ...nothing, settings }, LIMIT_MS);
    says(wrong);
    expect(settings).not.toHaveBeenCalled();
    const [port] = says({ origin: "https://second.example" });
    expect((await coming)?.origin, "whoever is right is heard after it").toBe("https://second.example");
    expect(port).toBeDefined();
  });

  test("and never another: a second connect is not heard, not even from the page", async () => {
    const settings = vi.fn();
    const { bridge } = await connected({ settings });
    const [second] = says({ data: { ...CONNECT, settings: { lang: "en" } } });
    const heard = vi.fn();
    if (second) second.onmessage = heard;
    bridge.tell("ready", {});
    await port_is_read();
    expect(settings).toHaveBeenCalledOnce();
    expect(heard).not.toHaveBeenCalled();
  });

  test("in time, or not at all", async () => {
    const settings = vi.fn();
    const coming = Bridge.connect({ ...nothing, settings }, LIMIT_MS);
    vi.advanceTimersByTime(LIMIT_MS);
    expect(await coming).toBeNull();
    says({});
    expect(settings).not.toHaveBeenCalled();
  });

  test("and says nothing where no page is around it", async () => {
    vi.stubGlobal("window", Object.assign(parent, { parent }));
    expect(await Bridge.connect(nothing, LIMIT_MS)).toBeNull();
    expect(parent.said).toEqual([]);
  });
});

describe("what comes through the port", () => {
  test("is done when it is a command, and answered by its number", async () => {
    const command = vi.fn(async () => "given");
    const { answers } = await connected({ command });
    expect(await answers({ id: 7, command: "raiseHand", takes: { on: true } })).toEqual([{ id: 7, gives: "given" }]);
    expect(command.mock.calls).toMatchObject([[{ command: "raiseHand", takes: { on: true } }]]);
  });

  test("is not even called when it is none", async () => {
    const command = vi.fn(async () => undefined);
    const { answers } = await connected({ command });
    const wrong = [{ id: 1, command: "becomeHost", takes: {} }, { id: 2, command: "raiseHand", takes: { on: 1 } }];
    expect(codes(await answers(...wrong))).toEqual(["unknown-command", "bad-arguments"]);
    expect(await answers(null, 0, "leave", [], new Date(), { command: "leave", takes: {} }), "without a number there is no answer").toEqual([]);
    expect(command).not.toHaveBeenCalled();
  });

  test("is refused with the server's code; a fault of ours tells nothing of itself", async () => {
    const command = async ({ command: it }: { command: string }) => {
      throw it === "leave" ? new CommandError("not-in-room", "", 5) : new Error("secret");
    };
    const { answers } = await connected({ command });
    const both = await answers({ id: 1, command: "leave", takes: {} }, { id: 2, command: "state", takes: {} });
    expect(both[0]).toEqual({ id: 1, error: { code: "not-in-room", text: "not-in-room", retry_after_ms: 5 } });
    expect(codes(both)).toEqual(["not-in-room", "internal"]);
    expect(JSON.stringify(both)).not.toContain("secret");
  });

  test("waits for nothing once 32 wait, and is heard again when they are done", async () => {
    const waiting: (() => void)[] = [];
    const { answers } = await connected({ command: () => new Promise<void>((resolve) => waiting.push(resolve)) });
    const state = (id: number) => ({ id, command: "state", takes: {} });
    const refused = await answers(...Array.from({ length: 40 }, (_, id) => state(id)));
    expect(codes(refused)).toEqual(Array(8).fill("too-fast"));
    expect(waiting.length).toBe(32);
    waiting.forEach((it) => it());
    expect(codes(await answers()).length).toBe(32);
    await answers(state(50));
    expect(waiting.length).toBe(33);
  });

  test("is heard a hundred times in ten seconds, wrong ones counted, and then again", async () => {
    const { answers } = await connected();
    const flood = (count: number) => Array.from({ length: count }, (_, id) => (id % 2 ? { id, command: "state", takes: {} } : { id, command: "x", takes: {} }));
    const all = await answers(...flood(120));
    expect(codes(all).filter((it) => it === "too-fast").length).toBe(20);
    expect(all.at(-1)).toMatchObject({ error: { code: "too-fast", retry_after_ms: 10_000 } });
    vi.advanceTimersByTime(9_000);
    expect(codes(await answers(...flood(1)))).toEqual(["too-fast"]);
    vi.advanceTimersByTime(1_001);
    expect(codes(await answers({ id: 1, command: "state", takes: {} }))).toEqual(["done"]);
  });

  test("changes settings only by short texts", async () => {
    const settings = vi.fn();
    const { answers } = await connected({ settings });
    settings.mockClear();
    await answers({ settings: { lang: 1 } }, { settings: [] }, { settings: { theme: "x".repeat(201) } }, { settings: null }, { settings: { theme: "dark" } });
    expect(settings.mock.calls).toEqual([[{ theme: "dark" }]]);
  });
});

describe("a token", () => {
  test("is asked for by a number, and taken for that one alone, once", async () => {
    const { bridge, answers } = await connected();
    const taken = vi.fn();
    void bridge.token().then(taken);
    const [asked] = await answers();
    expect(asked).toEqual({ wants: "token", asks: 1 });
    await answers({ token: "wrong", answers: 2 }, { token: "wrong", answers: "1" });
    expect(taken).not.toHaveBeenCalled();
    await answers({ token: "first", answers: 1 }, { token: "second", answers: 1 });
    expect(taken.mock.calls).toEqual([["first"]]);
    // Before it runs out another is asked for, and the answer to the one before is none to it.
    const renewed = vi.fn();
    void bridge.token().then(renewed);
    expect(await answers({ token: "old", answers: 1 })).toEqual([{ wants: "token", asks: 2 }]);
    expect(renewed).not.toHaveBeenCalled();
    await answers({ token: "new", answers: 2 });
    expect(renewed.mock.calls).toEqual([["new"]]);
  });

  test.each([[null], [7], [["x"]], ["x".repeat(8_193)]])("that is none (%#) is none", async (token) => {
    const { bridge, answers } = await connected();
    const coming = bridge.token();
    await answers({ token, answers: 1 });
    expect(await coming).toBeNull();
  });

  test("that does not come is none after half a minute", async () => {
    const { bridge } = await connected();
    const taken = vi.fn();
    const coming = bridge.token().then(taken);
    vi.advanceTimersByTime(29_000);
    await port_is_read();
    expect(taken).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_000);
    await coming;
    expect(taken.mock.calls).toEqual([[null]]);
  });
});
