// Times that run down between two words of the server.
import { expect, test } from "vitest";
import { clockOf, countdown, remaining, runDown, warningOf } from "../src/state/countdown";
import { method, phase } from "./help";

const clock = (left_ms: number | null, paused = false) => clockOf({ left_ms, grace_ms: 10_000, paused }, 1_000);

test("a phase runs, warns, lets people finish, and is over", () => {
  const at = (now_ms: number) => remaining(clock(120_000), 60_000, now_ms);
  expect(at(1_000)).toEqual({ stage: "running", left_ms: 120_000, paused: false });
  expect(at(61_000)).toEqual({ stage: "warning", left_ms: 60_000, paused: false });
  expect(at(121_000)).toEqual({ stage: "finishing", left_ms: 10_000, paused: false });
  expect(at(129_000)).toEqual({ stage: "finishing", left_ms: 2_000, paused: false });
  expect(at(131_000)).toEqual({ stage: "over", left_ms: 0, paused: false });
  expect(at(999_000).left_ms).toBe(0);
});

test("a clock of the wall does not matter, nor a tick that comes too early", () => {
  expect(remaining(clock(5_000), 0, 0)).toEqual({ stage: "running", left_ms: 5_000, paused: false });
});

test("a pause stands still, also while people finish", () => {
  expect(remaining(clock(30_000, true), 0, 99_000)).toEqual({ stage: "running", left_ms: 30_000, paused: true });
  expect(remaining(clock(0, true), 0, 99_000)).toEqual({ stage: "finishing", left_ms: 10_000, paused: true });
});

test("without a time the facilitator decides", () => {
  expect(remaining(clock(null), 60_000, 5_000)).toEqual({ stage: "open", left_ms: null, paused: false });
});

test("who joins while people finish sees what is left of that", () => {
  const late = clockOf({ left_ms: 0, grace_ms: 4_000, paused: false }, 0);
  expect(remaining(late, 60_000, 1_000)).toEqual({ stage: "finishing", left_ms: 3_000, paused: false });
});

test("in a short phase the warning is never more than half of it", () => {
  const it = method(phase({ id: "a", length_s: 60 }), phase({ id: "b", length_s_per_person: 60 }), phase({ id: "c" }));
  expect(warningOf(it, 0, 60_000)).toBe(30_000);
  expect(warningOf(it, 0, 10_000)).toBe(10_000);
  expect(warningOf(it, 1, 90_000)).toBe(60_000);
  expect(warningOf(it, 2, 60_000)).toBe(60_000);
});

test("a begun second counts", () => {
  expect(countdown(134_000)).toBe("02:14");
  expect(countdown(1)).toBe("00:01");
  expect(countdown(0)).toBe("00:00");
  expect(countdown(-5)).toBe("00:00");
  expect(countdown(3_600_000)).toBe("1:00:00");
});

test("a turn runs down and stands still in a pause", () => {
  expect(runDown(60_000, 1_000, false, 31_000)).toBe(30_000);
  expect(runDown(60_000, 1_000, true, 31_000)).toBe(60_000);
  expect(runDown(60_000, 1_000, false, 99_000)).toBe(0);
});
