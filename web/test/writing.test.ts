// Words between a keyboard and the server: none lost, none overwritten.
import { describe, expect, test } from "vitest";
import { BLANK, type Draft, arrived, saveDelay_ms, sentOff, told, typed, unsent } from "../src/state/writing";

const START = { phase: 0, round: 0 };
const NEXT = { phase: 1, round: 0 };
const fresh = told(BLANK, START, "");

describe("one's own text", () => {
  test("typed, sent, there", () => {
    let it: Draft = typed(fresh, "Trees");
    expect(it).toMatchObject({ edited: true, saved: false });
    it = told(sentOff(it), START, "Trees");
    expect(it).toMatchObject({ text: "Trees", edited: false, sent: null, saved: true });
  });

  test("an old word of the server does not take back what was typed since", () => {
    let it = sentOff(typed(fresh, "Tree"));
    it = typed(it, "Trees");
    expect(told(it, START, "Tree")).toMatchObject({ text: "Trees", edited: true, sent: null, saved: false });
    expect(told(sentOff(typed(fresh, "Trees")), START, "").text).toBe("Trees");
  });

  test("who comes back finds what they wrote; another phase begins empty", () => {
    expect(told(BLANK, START, "Trees")).toMatchObject({ text: "Trees", saved: true });
    expect(told(typed(fresh, "Trees"), NEXT, "")).toMatchObject({ place: NEXT, text: "", edited: false });
  });

  test("what a lost line swallowed is to be sent again", () => {
    expect(unsent(sentOff(typed(fresh, "Trees")))).toMatchObject({ edited: true, sent: null });
    expect(unsent(fresh)).toBe(fresh);
  });

  test("what a dead line has swallowed is sent again, though it was taken to have arrived", () => {
    const taken = arrived(sentOff(typed(fresh, "Trees")));
    expect(taken.saved).toBe(true);
    expect(unsent(taken)).toMatchObject({ text: "Trees", edited: true, saved: false });
    expect(unsent(told(taken, START, "Trees"))).toMatchObject({ edited: false, saved: true });
  });

  test("spaces at the ends, which the server may cut, are no difference", () => {
    const it = arrived(sentOff(typed(fresh, "Trees ")));
    expect(told(it, START, "Trees")).toEqual({ ...it, unproved: null });
  });
});

test("saving waits for a quiet moment, but not beyond the end of the phase", () => {
  expect(saveDelay_ms(null)).toBe(1_500);
  expect(saveDelay_ms(60_000)).toBe(1_500);
  expect(saveDelay_ms(1_000)).toBe(400);
  expect(saveDelay_ms(100)).toBe(0);
});
