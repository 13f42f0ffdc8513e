// What is left of a phase, between two words of the server. Pure: what it is told is tied to the moment
// it came, by a clock that nobody can set (`performance.now()`), so that a wrong clock on the wall or a
// page that slept shows nothing wrong. It never asks the time itself.
import type { Method, WireRun } from "../wire/wire";

export interface Clock {
  /** When the server's word came, by `performance.now()`. */
  at_ms: number;
  /** Null: the facilitator ends the phase. */
  left_ms: number | null;
  grace_ms: number;
  paused: boolean;
}

export type Stage =
  /** Until the facilitator goes on. */
  | "open"
  | "running"
  /** Soon over. */
  | "warning"
  /** Over; people finish their sentences. */
  | "finishing"
  /** Over; the server is about to go on. */
  | "over";

export interface Remaining {
  stage: Stage;
  /** Of the phase, or while `finishing` until people are moved. Null while `open`. */
  left_ms: number | null;
  paused: boolean;
}

export function clockOf(run: Pick<WireRun, "left_ms" | "grace_ms" | "paused">, at_ms: number): Clock {
  return { at_ms, left_ms: run.left_ms, grace_ms: run.grace_ms, paused: run.paused };
}

export function remaining(clock: Clock, warn_ms: number, now_ms: number): Remaining {
  const { paused } = clock;
  if (clock.left_ms === null) return { stage: "open", left_ms: null, paused };
  const gone = paused ? 0 : Math.max(0, now_ms - clock.at_ms);
  const left_ms = clock.left_ms - gone;
  if (left_ms > 0) return { stage: left_ms <= warn_ms ? "warning" : "running", left_ms, paused };
  const grace_ms = clock.grace_ms + left_ms;
  return grace_ms > 0
    ? { stage: "finishing", left_ms: grace_ms, paused }
    : { stage: "over", left_ms: 0, paused };
}

/** A single time that runs down, such as a turn's. */
export function runDown(left_ms: number, at_ms: number, paused: boolean, now_ms: number): number {
  return Math.max(0, left_ms - (paused ? 0 : Math.max(0, now_ms - at_ms)));
}

/**
 * How long before the end of a phase its people are warned: as wished, but never for more than half of
 * it, as a warning that is always there is none.
 */
export function warningOf(method: Method, phase: number, warn_ms: number): number {
  const it = method.phases[phase];
  const length_s = it?.length_s_per_person ? it.length_s_per_person * 2 : it?.length_s;
  return length_s ? Math.min(warn_ms, (length_s * 1000) / 2) : warn_ms;
}

/** `m:ss`, where a begun second counts: it says 0:01 until the very end. */
export function countdown(left_ms: number): string {
  const seconds = Math.ceil(Math.max(0, left_ms) / 1000);
  const two = (it: number) => String(it).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${two(minutes)}:${two(seconds % 60)}`;
}
