// A method that runs, as one person's page takes it in.
import { describe, expect, test } from "vitest";
import { announcements } from "../src/state/announcements";
import { UNSEEN, reduceOverview } from "../src/state/overview";
import { NOWHERE, type RoomState, momentOf, reduce, tileOrder } from "../src/state/room";
import { heldBecause, isQuiet, places, taskOf } from "../src/state/steps";
import type { ServerMessage, WirePerson, WireStep } from "../src/wire/wire";
import { QUIET, method, phase, run, step } from "./help";

const METHOD = method(
  phase({ id: "alone", assign: "solo", turns: "silent", harvest: "note" }),
  phase({ id: "round", assign: "mix", turns: "stick" }),
  phase({ id: "bowl", assign: "seats", seats: 3 }),
  phase({ id: "advice", speaking: ["owner"] }),
  phase({ id: "talk" }),
);
const RUNS: ServerMessage = { type: "method", method: METHOD, question: "Why?", warn_ms: 60_000 };
const OVER: ServerMessage = { type: "method", method: null, question: "", warn_ms: 0 };
const SLOTS: ServerMessage = { type: "slots", participants: [] };

function person(participant: number): WirePerson {
  const name = `P${participant}`;
  return { participant, name, language: "fi", consent: "on", microphone: true, camera: true, present: true };
}
function at(room: string, ...people: number[]): ServerMessage {
  return { type: "room", room: { room, people: people.map(person), ...QUIET } };
}
const WELCOME: ServerMessage = {
  type: "welcome",
  participant: 1,
  seat: "s",
  own: "o",
  title: "T",
  language: "fi",
  room: { room: "main", people: [person(1), person(2)], ...QUIET },
  transcription: { state: "off" },
  media: false,
};
function stepped(of: Partial<WireStep> = {}): ServerMessage {
  return { type: "step", ...step(of) };
}
function after(...messages: ServerMessage[]): RoomState {
  return messages.reduce((state, it) => reduce(state, it, 500), NOWHERE);
}

test("a move, a phase, a round or one's own turn is another moment; what others do is not", () => {
  const before = [WELCOME, RUNS, stepped({ turn: { participant: 2, left_ms: 9 } })];
  const another = (...messages: ServerMessage[]) => momentOf(after(...before, ...messages)) !== momentOf(after(...before));
  expect(another(at("room-1", 1, 2))).toBe(true);
  expect(another(stepped({ run: run({ phase: 1 }) }))).toBe(true);
  expect(another(stepped({ run: run({ round: 1 }) }))).toBe(true);
  expect(another(stepped({ turn: { participant: 1, left_ms: 9 } }))).toBe(true);
  expect(another(OVER)).toBe(true);
  expect(another(at("main", 1, 2, 3))).toBe(false);
  expect(another(stepped({ run: run({ ready: 1 }), turn: { participant: 3, left_ms: 9 } }))).toBe(false);
});

describe("reduce", () => {
  test("a method, where it stands, and when that was told", () => {
    const state = after(WELCOME, RUNS, stepped({ role: 1 }));
    expect(state).toMatchObject({ running: { question: "Why?" }, step: { role: 1 }, step_ms: 500 });
    expect(after(WELCOME, RUNS, stepped(), OVER)).toMatchObject({ running: null, step: null });
  });

  test("a lost line loses nothing, if the method still runs", () => {
    const back = after(WELCOME, RUNS, stepped({ written: "half a" }), WELCOME);
    expect(back.step?.written).toBe("half a");
    expect(reduce(reduce(back, RUNS), SLOTS).step?.written).toBe("half a");
  });

  test("a method that ended while the line was lost is over", () => {
    expect(after(WELCOME, RUNS, stepped(), WELCOME, SLOTS)).toMatchObject({ running: null, step: null });
    expect(after(WELCOME, SLOTS, RUNS, stepped(), SLOTS).running).not.toBeNull();
  });

  test("why one is in another room is known once one is there, and until the next move", () => {
    const moved = after(WELCOME, { type: "moved", reason: "alone" });
    expect(moved.arrival).toBeNull();
    const there = reduce(moved, at("room-2", 1, 3));
    expect(there.arrival).toEqual({ reason: "alone", room: "room-2", number: 1 });
    expect(reduce(there, at("room-2", 1, 3, 4)).arrival?.number).toBe(1);
    expect(reduce(there, at("main", 1)).arrival).toBeNull();
    expect(reduce(reduce(there, { type: "moved", reason: "step" }), at("room-1", 1)).arrival?.number).toBe(2);
  });

  test("what was brought stays after the method, until another begins", () => {
    const brought: ServerMessage = { type: "harvest", lines: [{ room: "room-1", text: "x" }], ranking: [] };
    expect(after(WELCOME, RUNS, brought, OVER).harvest?.lines).toHaveLength(1);
    expect(after(WELCOME, RUNS, brought, OVER, RUNS).harvest).toBeNull();
  });
});

describe("announcements", () => {
  function told(...messages: ServerMessage[]) {
    const last = messages.pop();
    const before = after(...messages);
    return last ? announcements(before, reduce(before, last)).map((it) => it.kind) : [];
  }

  test("a step is told once, however often it is sent", () => {
    expect(told(WELCOME, RUNS, stepped())).toEqual(["step"]);
    expect(told(WELCOME, RUNS, stepped(), stepped({ run: run({ ready: 1 }) }))).toEqual([]);
    expect(told(WELCOME, RUNS, stepped(), stepped({ run: run({ round: 1, of: 2 }) }))).toEqual(["step"]);
    expect(told(WELCOME, RUNS, stepped(), OVER)).toEqual(["method-over"]);
  });

  test("a turn, and a microphone that is held off and let go", () => {
    const talking = stepped({ turn: { participant: 2, left_ms: 9 } });
    expect(told(WELCOME, RUNS, stepped(), talking)).toEqual(["turn"]);
    expect(told(WELCOME, RUNS, talking, talking)).toEqual([]);
    expect(told(WELCOME, RUNS, stepped(), stepped({ may_speak: false }))).toEqual(["may-speak"]);
    expect(told(WELCOME, RUNS, stepped({ may_speak: false }), OVER)).toEqual(["method-over", "may-speak"]);
  });

  test("a move is told with its reason, also where the seat already was there", () => {
    const before = after(WELCOME, { type: "moved", reason: "late" });
    const [it] = announcements(before, reduce(before, at("main", 1, 2)));
    expect(it).toEqual({ kind: "moved", room: "main", names: ["P2"], reason: "late" });
  });
});

test("why the microphone is off", () => {
  const held = (index: number, of: Partial<WireStep> = {}) =>
    heldBecause({ method: METHOD, question: "", warn_ms: 0 }, step({ run: run({ phase: index }), may_speak: false, ...of }));
  expect(held(0)).toEqual({ why: "silent" });
  expect(held(1, { turn: { participant: 7, left_ms: 1 } })).toEqual({ why: "turn", participant: 7 });
  expect(held(1)).toEqual({ why: "turn", participant: null });
  expect(held(2)).toEqual({ why: "seats" });
  expect(held(3)).toEqual({ why: "roles", roles: [0] });
  expect(held(4)).toEqual({ why: "other" });
  expect(held(9)).toEqual({ why: "other" });
  expect(held(0, { may_speak: true })).toBeNull();
  expect(heldBecause(null, null)).toBeNull();
});

test("what a phase asks for", () => {
  expect(isQuiet(METHOD.phases[0] ?? null)).toBe(true);
  expect(isQuiet(METHOD.phases[1] ?? null)).toBe(false);
  expect(taskOf(phase({ id: "x", harvest: "card" }))).toBe("own-text");
  expect(taskOf(phase({ id: "x", harvest: "line" }))).toBe("room-line");
  expect(taskOf(null)).toBeNull();
});

test("places to go to, by their numbers", () => {
  expect(places(["Parks", "Roads"], "room-2")).toEqual([
    { room: "room-1", topic: "Parks", here: false },
    { room: "room-2", topic: "Roads", here: true },
  ]);
});

test("who sits in the middle comes first", () => {
  const people = [1, 2, 3, 4].map(person);
  expect(tileOrder(people, 1, [4, 2]).map((it) => it.participant)).toEqual([2, 4, 1, 3]);
});

test("a facilitator's page knows where the method stands", () => {
  const overview = (of: Partial<Extract<ServerMessage, { type: "overview" }>> = {}): ServerMessage => ({
    type: "overview",
    title: "T",
    language: "fi",
    rooms: [],
    transcription: { state: "off" },
    transcribes: true,
    run: run(),
    pinned: [],
    kept: [],
    calls: [],
    glossary: "",
    ...of,
  });
  const seen = [RUNS, overview()].reduce((state, it) => reduceOverview(state, it, 9), UNSEEN);
  expect(seen).toMatchObject({ running: { method: { id: "m" } }, run: { phase: 0 }, run_ms: 9 });
  expect(reduceOverview(seen, OVER)).toMatchObject({ running: null, run: null });
  expect(reduceOverview(seen, overview({ run: null })).run).toBeNull();
});
