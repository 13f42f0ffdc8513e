// A participant's room, message by message.
import { describe, expect, test } from "vitest";
import { announcements } from "../src/state/announcements";
import { NOWHERE, type RoomState, ownTotal, reduce, tileOrder } from "../src/state/room";
import type { ServerMessage, WirePerson, WireRoom } from "../src/wire/wire";

const ALICE = person(1, "Alice");
const BOB = person(2, "Bob");
const CHAO = person(3, "Chao");

function person(participant: number, name: string, present = true): WirePerson {
  const consent = "on" as const;
  return { participant, name, language: "fi", consent, microphone: true, camera: true, present };
}

function room(name: string, ...people: WirePerson[]): WireRoom {
  return { room: name, people, writing: "on", hands: [], sharing: null, calls: [], followed: false };
}

const QUIET = { invites: false, own_talk_ms: 0, own_turns: 0, own_backchannels: 0, own_share: 0, own_ratio: 0 };

function welcome(at: WireRoom): ServerMessage {
  const transcription = { state: "on", model: "base" } as const;
  return { type: "welcome", participant: 1, seat: "s", own: "o", title: "T", language: "fi", room: at, transcription, media: false };
}

function after(...messages: ServerMessage[]): RoomState {
  return messages.reduce(reduce, NOWHERE);
}

function caption(text: string, start_ms: number): ServerMessage {
  return { type: "caption", participant: 2, name: "Bob", start_ms, end_ms: start_ms + 900, language: "fi", text };
}

describe("reduce", () => {
  test("a welcome tells who and where", () => {
    const state = after(welcome(room("main", ALICE, BOB)));
    expect(state).toMatchObject({ me: 1, title: "T", room: { room: "main" } });
  });

  test("another room forgets voices and balance, keeps the words", () => {
    const state = after(
      welcome(room("main", ALICE, BOB)),
      { type: "speaking", participant: 2, on: true },
      { type: "balance", shares: [1], effective_voices: 1, ...QUIET },
      caption("hei", 0),
      { type: "room", room: room("room-1", ALICE, CHAO) },
    );
    expect([...state.speaking]).toEqual([]);
    expect(state.balance).toBeNull();
    expect(state.captions.map((it) => it.kind)).toEqual(["caption", "room"]);
  });

  test("what somebody has taken back is gone from the captions, and one line says that it was there", () => {
    const state = after(
      welcome(room("main", ALICE, BOB)),
      caption("eka", 1_000),
      caption("toka", 70_000),
      caption("kolmas", 71_000),
      { type: "struck", participant: 2, start_ms: 60_000, end_ms: 120_000 },
    );
    expect(state.captions.map((it) => (it.kind === "caption" ? it.caption.text : it.kind))).toEqual(["eka", "struck"]);
    expect(reduce(state, { type: "struck", participant: 1, start_ms: 0, end_ms: 120_000 })).toMatchObject({
      captions: state.captions,
      strikes: 1,
    });
  });

  test("what a person may keep is all rounds and the one that goes on", () => {
    const own = { talk_ms: 60_000, turns: 3, backchannels: 1, people_heard: 4, rounds: 2 };
    const before = after(welcome(room("main", ALICE, BOB)));
    expect(ownTotal(before)).toBeNull();
    const told = reduce(before, { type: "own", ...own });
    expect(ownTotal(told)).toEqual(own);
    const shares = [0.5, 0.5];
    const live = { type: "balance", shares, effective_voices: 2, ...QUIET, own_talk_ms: 5_000, own_turns: 1 } as const;
    expect(ownTotal(reduce(told, live))).toEqual({ ...own, talk_ms: 65_000, turns: 4, rounds: 3 });
  });

  test("a balance is forgotten when the people it counts are others", () => {
    const shares = [1, 0];
    const before = [
      welcome(room("main", ALICE, BOB)),
      { type: "balance", shares, effective_voices: 1, ...QUIET },
    ] as const;
    expect(after(...before, { type: "room", room: room("main", ALICE, BOB) }).balance?.shares).toEqual(shares);
    expect(after(...before, { type: "room", room: room("main", ALICE) }).balance).toBeNull();
  });

  test("who has gone speaks no more", () => {
    const state = after(
      welcome(room("main", ALICE, BOB)),
      { type: "speaking", participant: 2, on: true },
      { type: "room", room: room("main", ALICE) },
    );
    expect([...state.speaking]).toEqual([]);
  });

  test("slots change without the room", () => {
    const state = after(welcome(room("main", ALICE)), { type: "slots", participants: [3, null] });
    expect(state.slots).toEqual([3, null]);
  });
});

describe("announcements", () => {
  function told(...messages: ServerMessage[]) {
    const last = messages.pop();
    const before = after(...messages);
    return last ? announcements(before, reduce(before, last)) : [];
  }

  test("a move names the room and the people", () => {
    expect(told(welcome(room("main", ALICE)), { type: "room", room: room("room-2", ALICE, BOB) })).toEqual([
      { kind: "moved", room: "room-2", names: ["Bob"], reason: null },
    ]);
  });

  test("who comes and who goes, but never oneself", () => {
    expect(
      told(welcome(room("main", ALICE, BOB)), { type: "room", room: room("main", ALICE, CHAO) }),
    ).toEqual([
      { kind: "joined", names: ["Chao"] },
      { kind: "left", names: ["Bob"] },
    ]);
  });

  test("a seat without a connection has left", () => {
    const away = person(2, "Bob", false);
    expect(
      told(welcome(room("main", ALICE, BOB)), { type: "room", room: room("main", ALICE, away) }),
    ).toEqual([{ kind: "left", names: ["Bob"] }]);
  });

  test("a muted microphone is no news", () => {
    const muted = { ...BOB, microphone: false };
    expect(
      told(welcome(room("main", ALICE, BOB)), { type: "room", room: room("main", ALICE, muted) }),
    ).toEqual([]);
  });
});

test("tiles: oneself, the present by number, the absent", () => {
  const people = [person(5, "E", false), person(4, "D"), ALICE, BOB];
  expect(tileOrder(people, 4).map((it) => it.participant)).toEqual([4, 1, 2, 5]);
});
