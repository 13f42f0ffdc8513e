// A method made to fit the occasion: other times, other group sizes, a question, topics. Pure; what a
// method must be, the server knows.
import type { Method, Phase } from "../wire/wire";

/** Times are given in minutes, also parts of one. Null: until the facilitator goes on. */
export function minutesOf(phase: Phase): number | null {
  if (phase.advance === "host") return null;
  const seconds = phase.length_s_per_person ?? phase.length_s;
  return seconds === null ? null : Math.round((seconds / 60) * 100) / 100;
}

export function isPerPerson(phase: Phase): boolean {
  return phase.length_s_per_person !== null;
}

export function withMinutes(method: Method, phase: string, minutes: number | null): Method {
  return withPhase(method, phase, (it) => {
    if (minutes === null) return { ...it, advance: "host" };
    const seconds = Math.max(1, Math.round(minutes * 60));
    const advance = it.advance === "host" ? ("time" as const) : it.advance;
    return isPerPerson(it)
      ? { ...it, advance, length_s_per_person: seconds }
      : { ...it, advance, length_s: seconds };
  });
}

/** Bounds of another size would not fit; the server has good ones. */
export function withSize(method: Method, phase: string, size: number): Method {
  return withPhase(method, phase, (it) => ({ ...it, size, size_min: null, size_max: null }));
}

/** One per line; empty lines do not count. */
export function topicsOf(text: string): string[] {
  return text
    .split("\n")
    .map((it) => it.trim())
    .filter((it) => it !== "");
}

function withPhase(method: Method, phase: string, change: (phase: Phase) => Phase): Method {
  return { ...method, phases: method.phases.map((it) => (it.id === phase ? change(it) : it)) };
}
