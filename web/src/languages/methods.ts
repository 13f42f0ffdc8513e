// A method in words, from its data alone: how a phase is done, how long, and what its picture shows.
// Pure; only the words themselves are in the languages' files.
import { type PhaseLength, phaseLengths, wishedSize } from "../state/grouping";
import type { Method, Phase, WireLanguage } from "../wire/wire";
import type { Texts } from "./texts";

/** "10 min", "2 min each", "until the facilitator goes on". */
export function howLong(it: Texts, phase: Phase): string {
  const each = phase.length_s_per_person;
  if (each !== null) return it.methods.perPerson(each);
  return phase.length_s === null ? it.methods.untilHost : it.methods.length(phase.length_s);
}

/** The time under a phase in a picture: short, and of one repetition. */
export function underPicture(it: Texts, phase: Phase, length: PhaseLength): string {
  if (length.once_s === null) return it.methods.untilHost;
  if (phase.length_s_per_person !== null) return howLong(it, phase);
  return it.methods.length(length.once_s);
}

/** Who with whom and how: "in groups of 4, in turn, 3 rounds". */
export function howDone(
  it: Texts,
  method: Method,
  phase: Phase,
  language: WireLanguage,
  withWriting = true,
): string[] {
  const size = phase.assign === "seats" ? (phase.seats ?? 4) : wishedSize(phase);
  const parts = [it.methods.assign[phase.assign](size)];
  if (phase.rounds > 1) parts.push(it.methods.rounds(phase.rounds));
  if (phase.turns !== "free") parts.push(it.methods.turns[phase.turns]);
  if (phase.speaking.length > 0) {
    const names = method.roles.filter((role) => phase.speaking.includes(role.id)).map((role) => role.name[language]);
    parts.push(it.methods.speaking(names));
  }
  if (phase.harvest !== "speech") parts.push(it.methods.harvest[phase.harvest]);
  if (withWriting && !phase.transcribe) parts.push(it.methods.notWritten);
  return parts;
}

/** What is said of the repetition of several phases, where the first of them stands. */
export function howRepeated(it: Texts, method: Method, at: number, language: WireLanguage): string | null {
  const phase = method.phases[at];
  const cycle = method.cycles.find((one) => one.id === phase?.cycle);
  if (!phase || !cycle || method.phases[at - 1]?.cycle === phase.cycle) return null;
  const role = method.roles.find((one) => one.id === cycle.each);
  return role ? it.methods.cycleEach(role.name[language]) : it.methods.cycle(cycle.times);
}

/** The picture for those who do not see it. */
export function pictureInWords(it: Texts, method: Method, language: WireLanguage): string {
  const lengths = phaseLengths(method, method.people.ideal);
  const phases = method.phases.map((phase, at) => {
    const length = lengths[at];
    const time = length ? underPicture(it, phase, length) : "";
    const repeated = howRepeated(it, method, at, language);
    const hat = phase.colour ? [it.methods.colours[phase.colour]] : [];
    const parts = [...howDone(it, method, phase, language), ...hat, time, ...(repeated ? [repeated] : [])];
    return `${phase.name[language]}: ${parts.join(", ")}`;
  });
  return it.methods.pictured(method.name[language], phases);
}
