// Sessions that were held, as one finds them again: narrowed by words, method, theme and day; and what
// people say of each method in all of them together. Pure; it knows only what the server told it.
import type { PastSession, PilotTold, Text, WireLanguage } from "../wire/wire";

export interface Wanted {
  words: string;
  /** An id, or empty for all. */
  method: string;
  /** A name, or empty for all. */
  theme: string;
  /** Days as `2026-11-28`, or empty. */
  from: string;
  until: string;
}

export const EVERYTHING: Wanted = { words: "", method: "", theme: "", from: "", until: "" };

/** Those that are wanted, in the order given. Every word must begin some word of theirs. */
export function narrowed(sessions: readonly PastSession[], wanted: Wanted): PastSession[] {
  const words = wordsOf(wanted.words);
  return sessions.filter((it) => {
    const day = dayOf(it.opened_unix_ms);
    if (wanted.from && day < wanted.from) return false;
    if (wanted.until && wanted.until < day) return false;
    if (wanted.method && !it.methods.some((method) => method.id === wanted.method)) return false;
    if (wanted.theme && !it.themes.includes(wanted.theme)) return false;
    if (words.length === 0) return true;
    const names = it.methods.flatMap(({ name }) => [name.fi, name.sv, name.en]);
    const own = wordsOf([it.title, ...it.questions, ...it.themes, ...names].join(" "));
    return words.every((word) => own.some((one) => one.startsWith(word)));
  });
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);
}

/** On the reader's own calendar. */
function dayOf(unix_ms: number): string {
  const at = new Date(unix_ms);
  const two = (it: number) => String(it).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** Each method once, by its name. */
export function methodsIn(sessions: readonly PastSession[], language: WireLanguage): { id: string; name: string }[] {
  const names = new Map<string, Text>();
  for (const it of sessions) for (const { id, name } of it.methods) names.set(id, name);
  const all = [...names].map(([id, name]) => ({ id, name: name[language] }));
  return all.sort((a, b) => a.name.localeCompare(b.name, language));
}

/** Each theme once, by its name. */
export function themesIn(sessions: readonly PastSession[], language: WireLanguage): string[] {
  return [...new Set(sessions.flatMap((it) => it.themes))].sort((a, b) => a.localeCompare(b, language));
}

/** What people say of one method in several sessions. */
export interface MethodPilot {
  method: string;
  sessions: number;
  answers: number;
  /** Of the sessions in which enough have answered; null: there is none. */
  told: PilotTold | null;
}

type Counts = PilotTold["heard"];

export function pilotsByMethod(sessions: readonly Pick<PastSession, "pilots">[]): MethodPilot[] {
  const found = new Map<string, MethodPilot>();
  for (const { method, answers, told } of sessions.flatMap((it) => it.pilots)) {
    const before = found.get(method) ?? { method, sessions: 0, answers: 0, told: null };
    found.set(method, {
      method,
      sessions: before.sessions + 1,
      answers: before.answers + answers,
      told: told ? both(before.told, told) : before.told,
    });
  }
  return [...found.values()].sort((a, b) => b.answers - a.answers);
}

function both(one: PilotTold | null, other: PilotTold): PilotTold {
  if (!one) return other;
  const sum = (a: Counts, b: Counts): Counts => [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]];
  return {
    heard: sum(one.heard, other.heard),
    clear: sum(one.clear, other.clear),
    fresh: sum(one.fresh, other.fresh),
    again: sum(one.again, other.again),
    lines: [...one.lines, ...other.lines].sort(),
  };
}

/** Every token in what somebody pastes: links, one or many, with one token each or several. */
export function tokensIn(text: string): string[] {
  const fragments = text.split(/\s+/).map((it) => it.slice(it.indexOf("#") + 1));
  return fragments.flatMap((it) => it.split(",")).filter((it) => /^[\w-]+\.[\w-]+\.[\w-]+$/.test(it));
}
