// Chat, hands, reactions and calls as a page knows them, message by message.
import { describe, expect, test } from "vitest";
import { type Announcement, announcements } from "../src/state/announcements";
import { NOWHERE, type RoomState, reduce } from "../src/state/room";
import { callFor, continuesPost, placeInQueue, unread } from "../src/state/talk";
import { Talk } from "../src/state/talk.svelte";
import type { ServerMessage, WirePerson, WirePost, WireRoom } from "../src/wire/wire";
import { QUIET } from "./help";

function person(participant: number, name: string): WirePerson {
  const consent = "on" as const;
  return { participant, name, language: "fi", consent, microphone: true, camera: true, present: true };
}

function room(of: Partial<WireRoom> = {}): WireRoom {
  return { room: "room-1", people: [person(1, "Alice"), person(2, "Bob")], ...QUIET, ...of };
}

function welcome(at = room()): ServerMessage {
  const transcription = { state: "off" } as const;
  return { type: "welcome", participant: 1, seat: "s", own: "o", title: "T", language: "fi", room: at, transcription, media: false };
}

function post(participant: number | null, at_ms: number, text = "hei"): WirePost {
  return { participant, name: participant === null ? "" : `P${participant}`, at_ms, text, kept: true };
}

function after(...messages: ServerMessage[]): RoomState {
  return messages.reduce(reduce, NOWHERE);
}

describe("posts", () => {
  const texts = (state: RoomState) => state.posts.map((it) => it.text);

  test("they come one by one, or all at once in place of those before", () => {
    const state = after(welcome(), { type: "post", ...post(2, 1, "yksi") }, { type: "post", ...post(1, 2, "kaksi") });
    expect(texts(state)).toEqual(["yksi", "kaksi"]);
    expect(texts(reduce(state, { type: "posts", posts: [post(2, 9, "kaikki")] }))).toEqual(["kaikki"]);
    expect(texts(reduce(state, { type: "posts", posts: [] }))).toEqual([]);
  });

  test("another room, or a new welcome, begins without", () => {
    const state = after(welcome(), { type: "post", ...post(2, 1) });
    expect(reduce(state, { type: "room", room: room({ room: "room-2" }) }).posts).toEqual([]);
    expect(reduce(state, { type: "room", room: room({ hands: [2] }) }).posts).toHaveLength(1);
    expect(reduce(state, welcome()).posts).toEqual([]);
  });

  test("what the host writes is also shown above", () => {
    const state = after(welcome(), { type: "post", ...post(2, 1) }, { type: "post", ...post(null, 2, "kaikille") });
    expect(state.broadcast).toEqual({ text: "kaikille", number: 1 });
    expect(texts(state)).toEqual(["hei", "kaikille"]);
  });

  test("those of others since the last look are new", () => {
    const posts = [post(2, 1), post(1, 2), post(2, 3), post(null, 4)];
    expect(unread(posts, 1, -1)).toBe(3);
    expect(unread(posts, 1, 3)).toBe(1);
  });

  test("a name is shown once for posts in a row", () => {
    const posts = [post(2, 1), post(2, 2), post(1, 3)];
    expect(posts.map((_, index) => continuesPost(posts, index))).toEqual([false, true, false]);
  });
});

describe("the chat as one uses it", () => {
  function chat(sends = true) {
    const sent: string[] = [];
    return { sent, talk: new Talk((text) => sends && sent.push(text) > 0) };
  }

  test("a post leaves the field, and comes back when it is refused", () => {
    const { talk, sent } = chat();
    talk.draft = "  hei \n";
    talk.post();
    expect([sent, talk.draft]).toEqual([["hei"], ""]);
    talk.draft = "ja";
    expect(talk.refused("too-fast")).toBe(true);
    expect([talk.draft, talk.refusal]).toEqual(["hei\nja", "too-fast"]);
    expect(talk.refused("room-full"), "of something else").toBe(false);
    expect(talk.draft).toBe("hei\nja");
    talk.post();
    expect([sent.at(-1), talk.refusal]).toEqual(["hei\nja", ""]);
  });

  test("the next waits until the server has told the last", () => {
    const { talk, sent } = chat();
    talk.draft = "yksi";
    talk.post();
    talk.draft = "kaksi";
    talk.post();
    expect(talk.draft).toBe("kaksi");
    talk.told(post(1, 1, "yksi"), 1);
    talk.post();
    expect(sent).toEqual(["yksi", "kaksi"]);
  });

  test("what cannot be sent stays", () => {
    const { talk } = chat(false);
    talk.draft = "hei";
    talk.post();
    expect([talk.draft, talk.refusal]).toEqual(["hei", "not-sent"]);
  });

  test("what was there before the page is no news; what was there in the next room is", () => {
    const { talk } = chat();
    talk.toldAll([post(2, 5)]);
    expect(talk.unread([post(2, 5)], 1)).toBe(0);
    talk.told(post(2, 6), 1);
    expect(talk.unread([post(2, 5), post(2, 6)], 1)).toBe(1);
    const other = chat().talk;
    other.moved();
    other.toldAll([post(2, 5)]);
    expect(other.unread([post(2, 5)], 1)).toBe(1);
    other.show([post(2, 5)]);
    expect(other.unread([post(2, 5)], 1)).toBe(0);
    other.open = false;
    expect(other.unread([post(2, 5)], 1)).toBe(0);
  });
});

test("hands have places in a queue", () => {
  const at = room({ hands: [2, 1] });
  expect([1, 2, 3, null].map((it) => placeInQueue(at, it))).toEqual([2, 1, 0, 0]);
});

test("a breakout room has one call for all, the main room one for each", () => {
  const calls = [{ participant: 2, seen: false }];
  expect(callFor(room({ calls }), 1)).toEqual(calls[0]);
  expect(callFor(room({ room: "main", calls }), 1)).toBeNull();
  expect(callFor(room({ room: "main", calls }), 2)).toEqual(calls[0]);
  expect(callFor(null, 1)).toBeNull();
});

test("two reactions alike are two, and are gone in another room", () => {
  const clap: ServerMessage = { type: "reacted", participant: 2, reaction: "clap" };
  const state = after(welcome(), clap, clap);
  expect(state.reactions.get(2)).toEqual({ reaction: "clap", number: 2 });
  expect(reduce(state, { type: "room", room: room({ room: "room-2" }) }).reactions.size).toBe(0);
});

describe("what is told aloud", () => {
  function told(...messages: ServerMessage[]): Announcement[] {
    const last = messages.pop();
    const before = after(welcome(), ...messages);
    return last ? announcements(before, reduce(before, last)) : [];
  }

  test("others' hands, and when one's own is lowered", () => {
    expect(told({ type: "room", room: room({ hands: [2, 1] }) })).toEqual([{ kind: "hands", names: ["Bob"] }]);
    const mine: ServerMessage = { type: "room", room: room({ hands: [1] }) };
    expect(told(mine, { type: "room", room: room() })).toEqual([{ kind: "my-hand-lowered" }]);
    expect(told(mine, { type: "room", room: room({ room: "room-2" }) }).map((it) => it.kind)).toEqual(["moved"]);
  });

  test("others' reactions, posts and screens", () => {
    const clap: ServerMessage = { type: "reacted", participant: 2, reaction: "clap" };
    expect(told(clap)).toEqual([{ kind: "reacted", name: "Bob", reaction: "clap" }]);
    expect(told({ ...clap, participant: 1 })).toEqual([]);
    expect(told({ type: "post", ...post(2, 1) })).toEqual([{ kind: "posted", name: "P2" }]);
    expect(told({ type: "post", ...post(1, 1) })).toEqual([]);
    expect(told({ type: "post", ...post(null, 1) })).toEqual([]);
    expect(told({ type: "posts", posts: [post(2, 1), post(2, 2)] })).toEqual([]);
    expect(told({ type: "room", room: room({ sharing: 2 }) })).toEqual([{ kind: "sharing", name: "Bob", on: true }]);
    expect(told({ type: "room", room: room({ sharing: 2 }) }, { type: "room", room: room() })).toEqual([
      { kind: "sharing", name: "Bob", on: false },
    ]);
  });
});
