// Words between a keyboard and the server: none lost, none overwritten.
import { describe, expect, test } from "vitest";
import { BLANK, type Draft, arrived, saveDelay_ms, sentOff, told, typed, unsent } from "../src/state/writing";

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

test("saving waits for a quiet moment, but not beyond the end of the phase", () => {
  expect(saveDelay_ms(null)).toBe(1_500);
  expect(saveDelay_ms(60_000)).toBe(1_500);
  expect(saveDelay_ms(1_000)).toBe(400);
  expect(saveDelay_ms(100)).toBe(0);
});
