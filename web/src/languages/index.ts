// The languages of the pages. Another language is one file like these and one line below; the wire
// must know it too.
import type { WireLanguage } from "../wire/wire";
import { en } from "./en";
import { fi } from "./fi";
import { sv } from "./sv";
import type { FaultCode, Texts, Told } from "./texts";

export type { FaultCode, Texts, Told };

export const texts: Record<WireLanguage, Texts> = { fi, sv, en };

export const languages = Object.keys(texts) as WireLanguage[];

export function isLanguage(text: unknown): text is WireLanguage {
  return typeof text === "string" && Object.hasOwn(texts, text);
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
