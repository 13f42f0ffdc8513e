// Whether what comes through the port is a command, by the schema: nothing is called, and nothing of it
// looked at twice, before every part of it is of the right kind and within its bounds. Pure.
import { commands } from "../../embed/schema.json";

interface Field {
  type: string;
  optional?: boolean;
  min?: number;
  max?: number;
}

/** For whom a command is. `assists`: an assistant may do what is a facilitator's. */
export interface Known {
  who: string;
  assists?: boolean;
  needs?: string;
}

export function isFor({ who, assists }: Known, role: string): boolean {
  return who === "anybody" || who === role || (role === "assistant" && assists === true);
}

export type Takes = Record<string, string | number | boolean>;
export type Checked =
  | { ok: true; id: number; command: string; known: Known; takes: Takes }
  | { ok: false; id: number; code: "unknown-command" | "bad-arguments"; text: string };

/** Where a text has no bound of its own. */
const TEXT_CHARS_MAX = 1_000;

/** `null`: it has no number to answer to, and is dropped without a word. */
export function check(message: unknown): Checked | null {
  if (!isRecord(message) || !Number.isSafeInteger(message["id"])) return null;
  const id = message["id"] as number;
  const refuse = (code: "unknown-command" | "bad-arguments", text: string): Checked => ({ ok: false, id, code, text });
  const { command, takes } = message;
  if (typeof command !== "string" || !Object.hasOwn(commands, command)) {
    return refuse("unknown-command", "there is no such command");
  }
  const known = commands[command as keyof typeof commands];
  const fields: Record<string, Field> = known.takes;
  if (!isRecord(takes)) return refuse("bad-arguments", `${command} takes an object`);
  const given = Reflect.ownKeys(takes);
  const stranger = given.find((key) => typeof key !== "string" || !Object.hasOwn(fields, key));
  if (stranger !== undefined) return refuse("bad-arguments", `${command} takes no such argument`);
  const taken: Takes = {};
  for (const [key, field] of Object.entries(fields)) {
    const value = takes[key];
    if (value === undefined && field.optional) continue;
    if (!fits(value, field)) return refuse("bad-arguments", `${key} must be ${field.type}${bounds(field)}`);
    taken[key] = value;
  }
  return { ok: true, id, command, known, takes: taken };
}

function fits(value: unknown, { type, min, max }: Field): value is string | number | boolean {
  switch (type) {
    case "boolean":
      return typeof value === "boolean";
    case "string":
      return typeof value === "string" && value.length <= (max ?? TEXT_CHARS_MAX);
    case "integer":
      return Number.isSafeInteger(value) && (min ?? 0) <= (value as number) && (value as number) <= (max ?? 0xffff_ffff);
    default:
      return typeof value === "string" && value.length <= 40 && type.split(" | ").includes(`'${value}'`);
  }
}

function bounds({ type, min, max }: Field): string {
  if (type === "string") return ` of at most ${max ?? TEXT_CHARS_MAX} characters`;
  return type === "integer" ? ` from ${min ?? 0}${max === undefined ? "" : ` to ${max}`}` : "";
}

/** A plain object: no array, nothing with a life of its own. */
export function isRecord(it: unknown): it is Record<string, unknown> {
  return typeof it === "object" && it !== null && Object.getPrototypeOf(it) === Object.prototype;
}
