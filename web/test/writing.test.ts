// Words between a keyboard and the server: none lost, none overwritten.
import { describe, expect, test } from "vitest";
import { BLANK, type Draft, arrived, lineTold, saveDelay_ms, sentOff, told, typed, unsent } from "../src/state/writing";

const ME = 1;
const BO = 2;
const fresh = told(BLANK, "0/0", "");

describe("one's own text", () => {
  test("typed, sent, there", () => {
    let it: Draft = typed(fresh, "Trees");
    expect(it).toMatchObject({ edited: true, saved: false });
    it = told(sentOff(it), "0/0", "Trees");
    expect(it).toMatchObject({ text: "Trees", edited: false, sent: null, saved: true });
  });

  test("an old word of the server does not take back what was typed since", () => {
    let it = sentOff(typed(fresh, "Tree"));
    it = typed(it, "Trees");
    expect(told(it, "0/0", "Tree")).toMatchObject({ text: "Trees", edited: true, sent: null, saved: false });
    expect(told(sentOff(typed(fresh, "Trees")), "0/0", "").text).toBe("Trees");
  });

  test("who comes back finds what they wrote; another phase begins empty", () => {
    expect(told(BLANK, "0/0", "Trees")).toMatchObject({ text: "Trees", saved: true });
    expect(told(typed(fresh, "Trees"), "1/0", "")).toMatchObject({ key: "1/0", text: "", edited: false });
  });

  test("what a lost line swallowed is to be sent again", () => {
    expect(unsent(sentOff(typed(fresh, "Trees")))).toMatchObject({ edited: true, sent: null });
    expect(unsent(fresh)).toBe(fresh);
  });

  test("spaces at the ends, which the server may cut, are no difference", () => {
    const it = arrived(sentOff(typed(fresh, "Trees ")));
    expect(told(it, "0/0", "Trees")).toBe(it);
  });
});

describe("a room's line", () => {
  test("another's words come in while one only reads", () => {
    expect(lineTold(fresh, BO, "Benches", ME)).toMatchObject({ text: "Benches", by: BO, theirs: null });
  });

  test("who is typing keeps their own, and is shown the other's", () => {
    const it = lineTold(typed(fresh, "Trees"), BO, "Benches", ME);
    expect(it).toMatchObject({ text: "Trees", theirs: { participant: BO, text: "Benches" } });
  });

  test("one's own echo is an arrival, not news", () => {
    const it = lineTold(sentOff(typed(fresh, "Trees")), ME, "Trees", ME);
    expect(it).toMatchObject({ text: "Trees", saved: true, by: null });
  });
});

test("saving waits for a quiet moment, but not beyond the end of the phase", () => {
  expect(saveDelay_ms(null)).toBe(1_500);
  expect(saveDelay_ms(60_000)).toBe(1_500);
  expect(saveDelay_ms(1_000)).toBe(400);
  expect(saveDelay_ms(100)).toBe(0);
});
