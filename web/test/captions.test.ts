// The list of captions: bounded, each once.
import { expect, test } from "vitest";
import { CAPTIONS_MAX, type CaptionEntry, continues, withCaption, withRoomLine } from "../src/state/captions";
import type { WireCaption } from "../src/wire/wire";

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
