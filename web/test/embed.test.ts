// The frame's side of an embedded session: what is taken for a command, what is told to the page, that
// no accent makes text unreadable, and that the loader stays small.
import path from "node:path";
import { gzipSync } from "node:zlib";
import { type Rollup, build } from "vite";
import { describe, expect, test } from "vitest";
import { commands } from "../embed/schema.json";
import { introduced } from "../src/connection/seat";
import { check, isFor } from "../src/embed/check";
import { found } from "../src/embed/found";
import { happenings } from "../src/embed/happenings";
import { readable } from "../src/embed/look";
import { NOWHERE, reduce } from "../src/state/room";
import type { ServerMessage, WireRoom } from "../src/wire/wire";

const LOADER_BYTES_MAX = 10_000;

test("a page around the frame gets the answer that the schema promises, and no more", () => {
  const counts = { sessions: [], participants: [], kinds: [], languages: [], marks: [], phases: [], questions: [] };
  const said = { participant: 1, name: "Alice", room: "room-1", start_ms: 1, end_ms: 2, language: "fi" as const };
  const more = { seq: 7, session: "S", unix_ms: 3, kind: "said" as const, method: "", phase: "", question: "" };
  const parts = [{ text: "pyörätie", hit: true }];
  const answer = found({
    total: 1,
    hits: [{ ...said, ...more, marks: [0, 0, 0, 0, 0, 1], parts }],
    counts: { ...counts, rooms: [["room-1", 1]] },
  });
  expect(answer).toEqual({ total: 1, hits: [{ ...said, parts }], rooms: ["room-1"] });
});

describe("a command is what the schema says", () => {
  const taken = (message: unknown) => {
    const it = check(message);
    return it === null ? "dropped" : it.ok ? it.takes : it.code;
  };

  test("and then its arguments are taken one by one", () => {
    expect(taken({ id: 1, command: "raiseHand", takes: { on: true } })).toEqual({ on: true });
    expect(taken({ id: 1, command: "join", takes: {} })).toEqual({});
    expect(taken({ id: 1, command: "openRooms", takes: { count: 150 } })).toEqual({ count: 150 });
  });

  test.each([
    [null, "dropped"],
    ["raiseHand", "dropped"],
    [[], "dropped"],
    [{ command: "raiseHand", takes: { on: true } }, "dropped"],
    [{ id: "1", command: "raiseHand", takes: { on: true } }, "dropped"],
    [{ id: 1.5, command: "raiseHand", takes: { on: true } }, "dropped"],
    [{ id: 1, command: "becomeHost", takes: {} }, "unknown-command"],
    [{ id: 1, command: "constructor", takes: {} }, "unknown-command"],
    [{ id: 1, command: "__proto__", takes: {} }, "unknown-command"],
    [{ id: 1, command: ["raiseHand"], takes: { on: true } }, "unknown-command"],
    [{ id: 1, command: "raiseHand" }, "bad-arguments"],
    [{ id: 1, command: "raiseHand", takes: [true] }, "bad-arguments"],
    [{ id: 1, command: "leave", takes: new Date(0) }, "bad-arguments"],
    [{ id: 1, command: "leave", takes: new Map([["now", true]]) }, "bad-arguments"],
    [{ id: 1, command: "raiseHand", takes: {} }, "bad-arguments"],
    [{ id: 1, command: "raiseHand", takes: { on: 1 } }, "bad-arguments"],
    [{ id: 1, command: "raiseHand", takes: { on: true, for: 2 } }, "bad-arguments"],
    [{ id: 1, command: "raiseHand", takes: JSON.parse('{"on":true,"__proto__":{"role":"facilitator"}}') }, "bad-arguments"],
    [{ id: 1, command: "react", takes: { reaction: "clap' | 'heart" } }, "bad-arguments"],
    [{ id: 1, command: "sendChat", takes: { text: "x".repeat(501) } }, "bad-arguments"],
    [{ id: 1, command: "openRooms", takes: { count: 0 } }, "bad-arguments"],
    [{ id: 1, command: "openRooms", takes: { count: 1.5 } }, "bad-arguments"],
    [{ id: 1, command: "openRooms", takes: { count: 151 } }, "bad-arguments"],
    [{ id: 1, command: "openRooms", takes: { count: Number.NaN } }, "bad-arguments"],
    [{ id: 1, command: "openRooms", takes: { count: "2" } }, "bad-arguments"],
  ])("%j is refused", (message, code) => {
    expect(taken(message)).toBe(code);
  });
});

test("a command is for whom the schema says, and an assistant leads nothing", () => {
  const mayDo = (role: string) => Object.entries(commands).filter(([, it]) => isFor(it, role)).map(([name]) => name);
  expect(mayDo("participant")).toContain("raiseHand");
  expect(mayDo("facilitator")).toContain("endSession");
  for (const [role, never] of [
    ["participant", ["openRooms", "move", "endSession", "search"]],
    ["assistant", ["openRooms", "endSession", "broadcast", "raiseHand", "search"]],
    ["reviewer", ["raiseHand", "endSession"]],
    ["nobody", ["raiseHand", "endSession", "search"]],
  ] as const) {
    expect(mayDo(role)).toContain("state");
    for (const it of never) expect(mayDo(role), role).not.toContain(it);
  }
  expect(mayDo("assistant")).toContain("answerHelp");
});

test("who comes after another in the same tab has agreed to nothing yet", () => {
  const aino = { name: "Aino", language: "fi" as const };
  const kept = { ...aino, consent: "on" as const, organisation: "Lahti" };
  expect(introduced(null, aino, true).consent).toBeNull();
  expect(introduced(kept, aino, true).consent).toBe("on");
  expect(introduced(kept, { name: "Bo", language: "sv" }, true)).toEqual({ name: "Bo", language: "sv", consent: null });
  expect(introduced(kept, { name: "Gäst", language: "sv" }, false), "who has said more of themself").toBe(kept);
});

describe("what a participant's page is told", () => {
  const person = (participant: number, name: string) => ({ participant, name, language: "fi" as const, consent: "on" as const, microphone: true, camera: false, present: true });
  const room = (name: string, people: ReturnType<typeof person>[]): WireRoom => ({ room: name, people, writing: "on", hands: [], sharing: null, calls: [], followed: false });
  const welcome: ServerMessage = { type: "welcome", participant: 1, seat: "s", own: "o", title: "Asukasilta", language: "fi", room: room("main", [person(1, "Aino")]), transcription: { state: "off" }, media: false };
  const told = (...messages: ServerMessage[]) => {
    let state = NOWHERE;
    return messages.flatMap((message) => {
      const before = state;
      state = reduce(state, message);
      return happenings(before, state, message).map((it) => it.event);
    });
  };

  test("Aino comes in, Bo follows, and they are taken to a small room and back", () => {
    const both = [person(1, "Aino"), person(2, "Bo")];
    const events = told(
      welcome,
      { type: "room", room: room("main", both) },
      { type: "moved", reason: "step" },
      { type: "room", room: room("room-1", both) },
      { type: "room", room: { ...room("room-1", both), hands: [2] } },
      { type: "room", room: room("main", both) },
      { type: "ended" },
    );
    expect(events).toEqual([
      "joined",
      "consent.changed",
      "person.joined",
      "rooms.opened",
      "room.changed",
      "hand.changed",
      "rooms.closed",
      "room.changed",
      "session.ended",
    ]);
  });

  test("Bo takes back what he said, and so has the page around the frame to", () => {
    const said = { participant: 2, name: "Bo", language: "sv" as const, start_ms: 1_000, end_ms: 2_000 };
    const events = told(
      welcome,
      { type: "caption", ...said, text: "Jag ångrar mig" },
      { type: "struck", participant: 2, start_ms: 0, end_ms: 60_000 },
    );
    expect(events.slice(2)).toEqual(["caption.final", "caption.struck"]);
  });

  test("who comes back to a small room after a lost line is not taken there again", () => {
    expect(told(welcome, { ...welcome, room: room("main", [person(1, "Aino")]) })).toEqual(["joined", "consent.changed"]);
  });
});

describe("an accent", () => {
  test("stays as it is where text on it can be read", () => expect(readable("#0f5450", "#fffdf8")).toBe("#0f5450"));
  test("is darkened where it could not be", () => expect(readable("#ffd900", "#fffdf8")).toMatch(/^#(?!ffd900)/));
  test("is lightened under dark text", () => expect(readable("#203040", "#08201e")).toMatch(/^#(?!203040)/));
  test("that is no colour is none", () => expect(readable("red;}", "#fffdf8")).toBeNull());
});

test(`the loader weighs at most ${LOADER_BYTES_MAX} bytes, gzipped`, async () => {
  const configFile = path.resolve(import.meta.dirname, "../embed/vite.config.ts");
  const built = (await build({ configFile, logLevel: "silent", build: { write: false } })) as Rollup.RollupOutput[];
  const weight = gzipSync(built[0]?.output[0].code ?? "").length;
  console.info(`the loader: ${weight} bytes gzipped`);
  expect(weight).toBeGreaterThan(1_000);
  expect(weight).toBeLessThanOrEqual(LOADER_BYTES_MAX);
});
