// The languages of the pages. Another language is one file like these and one line below; the wire must
// know it too. A page brings the words of one language with its first script, and of the others later.
import type { WireLanguage } from "../wire/wire";
import type { FaultCode, Texts, Told } from "./texts";

export type { FaultCode, Texts, Told };

/** Each with its own name for itself. */
const known: Record<WireLanguage, { name: string; words: () => Promise<Texts> }> = {
  fi: { name: "Suomi", words: () => import("./fi").then((it) => it.fi) },
  sv: { name: "Svenska", words: () => import("./sv").then((it) => it.sv) },
  en: { name: "English", words: () => import("./en").then((it) => it.en) },
};

export const languages = Object.keys(known) as WireLanguage[];

export function isLanguage(text: unknown): text is WireLanguage {
  return typeof text === "string" && Object.hasOwn(known, text);
}

export function nameOf(language: WireLanguage): string {
  return known[language].name;
}

/** Fails when the server cannot be reached, or has another version by now. */
export function wordsOf(language: WireLanguage): Promise<Texts> {
  return known[language].words();
}

export function roomName(it: Texts, room: string): string {
  const number = /^room-(\d+)$/.exec(room)?.[1];
  return number ? it.common.room(Number(number)) : it.common.mainRoom;
}

export function fault(it: Texts, code: string): Told {
  return Object.hasOwn(it.faults, code) ? it.faults[code as FaultCode] : it.otherFault;
}

export function refusal(it: Texts, code: string): string {
  return it.refusals[code] ?? it.otherRefusal;
}
