// A plan, put so that a person can see it; a method, made to fit.
import { expect, test } from "vitest";
import { lasting } from "../src/languages/words";
import { minutesOf, topicsOf, withMinutes, withSize } from "../src/state/adapt";
import { beginnings, coming, meetings, sizes, tally } from "../src/state/plan";
import type { Plan, PlanStep } from "../src/wire/wire";
import { method, phase } from "./help";

function step(phase: number, round: number, length_ms: number | null, rooms: number[][] = []): PlanStep {
  return { phase, round, of: 2, length_ms, rooms, repeats: 0 };
}
const STEPS = [
  step(0, 0, 60_000),
  step(1, 0, 120_000, [[0, 1], [2, 3], [4, 5, 6]]),
  step(1, 1, null, [[0, 2], [1, 3], [4, 6, 5]]),
  step(2, 0, 30_000),
];
const PLAN: Plan = {
  people: 7,
  steps: STEPS,
  length_ms: 210_000,
  repeats: 3,
  partners_min: 2,
  partners_mean: 2,
  partners_max: 2,
};

test("rooms by their sizes, the biggest first", () => {
  expect(sizes(STEPS[1] as PlanStep)).toEqual([
    { people: 3, rooms: 1 },
    { people: 2, rooms: 2 },
  ]);
});

test("after an open end nobody knows the time", () => {
  expect(beginnings(STEPS)).toEqual([0, 60_000, 180_000, null]);
  expect(coming(STEPS, { phase: 1, round: 0 }, 5_000).map((it) => it.in_ms)).toEqual([5_000, null]);
  expect(coming(STEPS, { phase: 9, round: 0 }, 5_000)).toEqual([]);
});

test("who meets whom, and whom again", () => {
  const rows = meetings(PLAN);
  expect([...(rows[0] ?? [])]).toEqual([0, 1, 1, 0, 0, 0, 0]);
  expect([...(rows[4] ?? [])]).toEqual([0, 0, 0, 0, 0, 2, 2]);
  expect(tally(rows)).toEqual({ pairs: 21, met: 7, twice: 3 });
});

test("to stay in the same rooms is no new meeting", () => {
  const rows = meetings({ ...PLAN, people: 2, steps: [step(0, 0, 1, [[0, 1]]), step(1, 0, 1, [[1, 0]])] });
  expect(rows[0]?.[1]).toBe(1);
});

test("times in minutes, also parts of one, and until somebody goes on", () => {
  const it = method(phase({ id: "a", length_s: 90 }), phase({ id: "b", length_s_per_person: 60 }));
  const minutes = (of: typeof it) => of.phases.map(minutesOf);
  expect(minutes(it)).toEqual([1.5, 1]);
  expect(withMinutes(it, "a", 0.2).phases[0]).toMatchObject({ length_s: 12, advance: "time" });
  expect(withMinutes(it, "b", 2).phases[1]).toMatchObject({ length_s_per_person: 120, length_s: null });
  const open = withMinutes(it, "a", null);
  expect(minutes(open)).toEqual([null, 1]);
  expect(withMinutes(open, "a", 3).phases[0]).toMatchObject({ length_s: 180, advance: "time" });
});

test("another size takes the bounds of the old one away", () => {
  const it = method(phase({ id: "a", assign: "mix", size: 4, size_min: 3, size_max: 5 }));
  expect(withSize(it, "a", 2).phases[0]).toMatchObject({ size: 2, size_min: null, size_max: null });
});

test("topics, one per line", () => {
  expect(topicsOf(" Parks \n\nRoads\n")).toEqual(["Parks", "Roads"]);
});

test("lengths, as people say them", () => {
  expect(lasting(30_000)).toBe("30 s");
  expect(lasting(60_000)).toBe("1 min");
  expect(lasting(90_000)).toBe("1 min 30 s");
  expect(lasting(720_000)).toBe("12 min");
  expect(lasting(5_400_000)).toBe("1 h 30 min");
});
