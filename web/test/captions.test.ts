// The list of captions: bounded, each once.
import { expect, test } from "vitest";
import {
  CAPTIONS_MAX,
  type CaptionEntry,
  NO_PARTIALS,
  continues,
  withCaption,
  withPartial,
  withRoomLine,
  withoutPartial,
} from "../src/state/captions";
import { type Look, PLAIN, readLook, writeLook } from "../src/state/look";
import { UNSEEN, reduceOverview } from "../src/state/overview";
import { NOWHERE, reduce } from "../src/state/room";
import type { Peer } from "../src/media/peer";
import { Support } from "../src/media/support";
import type { WireCaption } from "../src/wire/wire";
import { QUIET } from "./help";

function said(participant: number, start_ms: number): WireCaption {
  return { participant, name: `P${participant}`, start_ms, end_ms: start_ms + 500, language: "sv", text: "ja" };
}

test("a caption told twice is there once", () => {
  const list = withCaption(withCaption([], said(1, 0)), said(1, 0));
  expect(list).toHaveLength(1);
});

test("two people in the same moment are two", () => {
  expect(withCaption(withCaption([], said(1, 0)), said(2, 0))).toHaveLength(2);
});

test("the list is bounded and loses its oldest", () => {
  let list: CaptionEntry[] = [];
  for (let at = 0; at < CAPTIONS_MAX + 3; at += 1) list = withCaption(list, said(1, at * 1000));
  expect(list).toHaveLength(CAPTIONS_MAX);
  expect(list[0]).toMatchObject({ caption: { start_ms: 3000 } });
});

test("moves with nothing said between them are one line, and never the first", () => {
  expect(withRoomLine([], "room-1")).toEqual([]);
  const list = withRoomLine(withRoomLine(withCaption([], said(1, 0)), "room-1"), "main");
  expect(list.map((it) => (it.kind === "room" ? it.room : "caption"))).toEqual(["caption", "main"]);
});

test("keys stay their own after many moves", () => {
  let list: CaptionEntry[] = [];
  for (let at = 0; at < 5; at += 1) list = withRoomLine(withCaption(list, said(1, at * 1000)), "main");
  expect(new Set(list.map((it) => it.key)).size).toBe(list.length);
});

test("a name is repeated only after another voice or a move", () => {
  const list = withCaption(withCaption(withCaption([], said(1, 0)), said(1, 900)), said(2, 1800));
  expect(list.map((_, index) => continues(list, index))).toEqual([false, true, false]);
});

test("what is taken back is nowhere in the page any more", () => {
  const support = new Support({} as Peer, () => []);
  support.note({ type: "caption", ...said(1, 0) });
  support.note({ type: "partial", ...said(1, 600) });
  support.note({ type: "caption", ...said(1, 5_000) });
  support.note({ type: "caption", ...said(2, 0) });
  support.note({ type: "struck", participant: 1, start_ms: 0, end_ms: 2_000 });
  const left = support.messages.map((it) => ("text" in it ? [it.participant, it.start_ms] : it.type));
  expect(left).toEqual([[1, 5_000], [2, 0], "struck"]);
});

test("what is still being said gives way to newer words, to final ones, and to none", () => {
  const partial = (participant: number, text: string) => ({ ...said(participant, 0), text });
  const two = withPartial(withPartial(NO_PARTIALS, partial(1, "I have")), partial(2, "Well"));
  const newer = withPartial(two, partial(1, "I have a dream"));
  expect([...newer.values()].map((it) => it.text)).toEqual(["I have a dream", "Well"]);
  expect([...withoutPartial(newer, 1).keys()]).toEqual([2]);
  expect([...withPartial(newer, partial(2, "")).keys()]).toEqual([1]);
  expect(withoutPartial(newer, 3)).toBe(newer);
  expect(withoutPartial(newer, 1, 0)).toBe(newer);
  expect(withoutPartial(newer, 1, 500).has(1)).toBe(false);
});

test("a room's page shows partials until the words are final, and takes none along", () => {
  const room = { room: "main", people: [], ...QUIET };
  const there = reduce(NOWHERE, {
    type: "welcome",
    participant: 1,
    seat: "s",
    own: "o",
    title: "t",
    language: "fi",
    room,
    transcription: { state: "on", model: "base" },
    media: false,
  });
  const saying = reduce(there, { type: "partial", ...said(2, 0) });
  expect([...saying.partials.keys()]).toEqual([2]);
  expect(saying.captions).toEqual([]);
  const over = reduce(saying, { type: "caption", ...said(2, 0) });
  expect(over.partials.size).toBe(0);
  expect(over.captions).toHaveLength(1);
  expect(reduce(saying, { type: "room", room: { ...room, room: "room-1" } }).partials.size).toBe(0);
  expect(reduce(saying, { type: "room", room }).partials.size).toBe(1);
});

test("a host reads one room along at a time", () => {
  const one = reduceOverview(UNSEEN, { type: "following", room: "room-1" });
  const read = reduceOverview(one, { type: "caption", ...said(1, 0) });
  expect(read.captions).toHaveLength(1);
  const paused = reduceOverview(read, { type: "following", room: null });
  expect([paused.following, paused.captions.length]).toEqual([null, 1]);
  const two = reduceOverview(read, { type: "following", room: "room-2" });
  expect([two.following, two.captions.length]).toEqual(["room-2", 0]);
});

test("the look of captions is read as it was written, and rubbish is as at first", () => {
  const look: Look = { size: "larger", colours: "yellow", place: "below" };
  expect(readLook(writeLook(look))).toEqual(look);
  expect(writeLook(PLAIN)).toBeNull();
  for (const rubbish of [null, "", "{", "3", "null", "[]", '{"size":"huge","colours":1,"place":null}']) {
    expect(readLook(rubbish)).toEqual(PLAIN);
  }
});
