// What a screen reader hears: changes of what stands in a live region, and nothing else.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Aloud } from "../src/ui/parts/aloud.svelte";

let aloud: Aloud;
beforeEach(() => {
  vi.useFakeTimers();
  aloud = new Aloud();
});
afterEach(() => void vi.useRealTimers());

/** What stands there, moment by moment, when all this is said with so long between, in ms. */
function heard(between_ms: number, ...said: string[]): string[] {
  const all: string[] = [];
  const look = () => aloud.told === (all.at(-1) ?? "") || all.push(aloud.told);
  for (const it of said) {
    aloud.say(it);
    look();
    for (let at_ms = 0; at_ms < between_ms; at_ms += 10) {
      vi.advanceTimersByTime(10);
      look();
    }
  }
  vi.advanceTimersByTime(1_000);
  look();
  return all;
}

test("the same is heard again", () => {
  expect(heard(500, "Bob calls.", "Bob calls.")).toEqual(["Bob calls.", "", "Bob calls."]);
});

test("what happens at one moment is one breath, and nothing in it is said twice", () => {
  expect(heard(20, "Room 2.", "Bob is here.", "Room 2.")).toEqual(["Room 2. Bob is here."]);
});
