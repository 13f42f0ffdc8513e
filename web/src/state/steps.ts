// A method that runs, as one person's page knows it, and what follows from it: who may speak, what is
// written, how the page is laid out. Pure; it never draws and never sends.
import type { Method, Phase, Text, WireRoom, WireStep } from "../wire/wire";

export interface Running {
  method: Method;
  /** May be empty. */
  question: string;
  warn_ms: number;
}

export function phaseOf(running: Running | null, step: WireStep | null): Phase | null {
  return (step && running?.method.phases[step.run.phase]) ?? null;
}

/** Why the microphone is held off. */
export type Held =
  | { why: "silent" }
  /** `participant`: whose turn it is; null while nobody has it. */
  | { why: "turn"; participant: number | null }
  | { why: "seats" }
  /** Indices among the method's roles. */
  | { why: "roles"; roles: number[] }
  | { why: "other" };

export function heldBecause(running: Running | null, step: WireStep | null): Held | null {
  const phase = phaseOf(running, step);
  if (!running || !step || step.may_speak) return null;
  if (!phase) return { why: "other" };
  if (phase.turns === "silent" || phase.assign === "solo") return { why: "silent" };
  if (phase.assign === "seats") return { why: "seats" };
  if (phase.turns === "stick") return { why: "turn", participant: step.turn?.participant ?? null };
  const roles = running.method.roles.flatMap((it, index) => (phase.speaking.includes(it.id) ? [index] : []));
  return roles.length > 0 ? { why: "roles", roles } : { why: "other" };
}

/** Whether people are each by themselves, so that the writing is the main thing and the faces step back. */
export function isQuiet(phase: Phase | null): boolean {
  return phase !== null && (phase.turns === "silent" || phase.assign === "solo");
}

/** What the page offers to do in a phase, beside listening and speaking. */
export type Task = "own-text" | "room-line" | "score" | "topics" | "ideas" | "votes" | null;

export function taskOf(phase: Phase | null): Task {
  switch (phase?.harvest) {
    case "note":
    case "private":
    case "card":
      return "own-text";
    case "line":
      return "room-line";
    case "score":
      return "score";
    case "topics":
      return "topics";
    case "ideas":
      return "ideas";
    case "votes":
      return "votes";
    default:
      return null;
  }
}

/** Whom the room's sheet is given to, and whether that is the person. Null: nobody more than others. */
export function scribeOf(
  running: Running | null,
  step: WireStep | null,
  phase: Phase | null,
): { name: Text; alone: boolean; own: boolean } | null {
  const index = running?.method.roles.findIndex((it) => it.id === phase?.scribe?.role) ?? -1;
  const role = running?.method.roles[index];
  if (!role || !phase?.scribe) return null;
  return { name: role.name, alone: phase.scribe.alone, own: step?.role === index };
}

/** The rooms that people may go to, with what is talked about in each. */
export function places(topics: readonly string[], here: string): { room: string; topic: string; here: boolean }[] {
  return topics.map((topic, index) => {
    const room = `room-${index + 1}`;
    return { room, topic, here: room === here };
  });
}

/** Names by number, of the people in the own room. */
export function nameOf(room: WireRoom | null, participant: number | null): string {
  return room?.people.find((it) => it.participant === participant)?.name ?? "";
}
