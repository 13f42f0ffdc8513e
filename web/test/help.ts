// Methods, phases and steps for tests, with everything a test does not care about filled in.
import type { Method, Phase, Text, WireRoom, WireRun, WireStep } from "../src/wire/wire";

export function text(of: string): Text {
  return { fi: `${of} fi`, sv: `${of} sv`, en: of };
}

export function phase(of: Partial<Phase> & { id: string }): Phase {
  return {
    name: text(of.id),
    instruction: text(`do ${of.id}`),
    script: text(`say ${of.id}`),
    assign: "same",
    size: null,
    size_min: null,
    size_max: null,
    rooms_of: null,
    seats: null,
    length_s: null,
    length_s_per_person: null,
    rounds: 1,
    cycle: null,
    turns: "free",
    speaking: [],
    harvest: "speech",
    advance: "time",
    transcribe: true,
    balance: true,
    colour: null,
    ...of,
  };
}

export function method(...phases: Phase[]): Method {
  const role = (id: string) => ({ id, name: text(id), task: text(`as ${id}`), count: 1, stays: false });
  return {
    id: "m",
    name: text("Method"),
    purpose: text("Purpose"),
    description: text("Description"),
    aims: ["meet"],
    people: { min: 4, max: 40, ideal: 12 },
    roles: [role("owner"), role("helper")],
    rules: [],
    cycles: [],
    phases,
    source: { by: "Somebody", url: "" },
  };
}

export function run(of: Partial<WireRun> = {}): WireRun {
  return { phase: 0, round: 0, of: 1, left_ms: 60_000, grace_ms: 10_000, paused: false, ready: 0, ready_of: 2, ...of };
}

export function step(of: Partial<WireStep> = {}): WireStep {
  return {
    run: run(),
    role: null,
    may_speak: true,
    own_ready: false,
    turn: null,
    seated: [],
    topic: null,
    topics: [],
    people: [],
    card: null,
    own_score: null,
    written: "",
    ...of,
  };
}

/** A room in which nobody raises a hand, shares, calls or reads along. */
export const QUIET: Pick<WireRoom, "writing" | "hands" | "sharing" | "calls" | "followed"> = {
  writing: "on",
  hands: [],
  sharing: null,
  calls: [],
  followed: false,
};
