// Which methods suit: by words, people, time and aim. Pure.
import type { Aim, Method, WireLanguage } from "../wire/wire";
import { methodMinutes } from "./grouping";

export interface Wish {
  words: string;
  /** Null: any. */
  people: number | null;
  minutes: number | null;
  aim: Aim | null;
}

export const ANY: Wish = { words: "", people: null, minutes: null, aim: null };

/** Methods that suit, in their order. `more` are further words for a method, such as its aims. */
export function suited(
  methods: readonly Method[],
  wish: Wish,
  language: WireLanguage,
  more: (method: Method) => readonly string[] = () => [],
): Method[] {
  const words = plain(wish.words).split(/[^\p{L}\p{N}]+/u).filter(Boolean).map(stem);
  return methods.filter((it) => {
    if (wish.people !== null && (wish.people < it.people.min || it.people.max < wish.people)) return false;
    if (wish.minutes !== null && methodMinutes(it, peopleFor(it, wish.people)) > wish.minutes) return false;
    if (wish.aim !== null && !it.aims.includes(wish.aim)) return false;
    const text = plain([...wordsOf(it, language), ...more(it)].join(" "));
    return words.every((word) => text.includes(word));
  });
}

/** The people a method's length is told for. */
export function peopleFor(method: Method, people: number | null): number {
  return people ?? method.people.ideal;
}

/** Only a number that makes sense; anything else counts as nothing asked. */
export function readCount(text: string | null): number | null {
  const count = Number(text);
  return text !== null && text.trim() !== "" && Number.isInteger(count) && 0 < count ? Math.min(count, 9999) : null;
}

function wordsOf(it: Method, language: WireLanguage): string[] {
  const told = [it.name, it.purpose, it.description, ...it.roles.map((role) => role.name)];
  const phases = it.phases.flatMap((phase) => [phase.name, phase.instruction]);
  return [...told, ...phases].map((text) => text[language]);
}

/** Without capitals, accents of other languages kept: ä and o are different letters. */
function plain(text: string): string {
  return text.toLocaleLowerCase("fi").replace(/[\u2013\u2014\u2212-]/g, " ");
}

/** Long words are found by how they begin, since their ends bend: "kokemuksia", "kokemukset". */
function stem(word: string): string {
  return word.length > 6 ? word.slice(0, Math.max(5, word.length - 3)) : word.length > 4 ? word.slice(0, -1) : word;
}
