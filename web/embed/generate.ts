// Writes what follows from `schema.json`: the element's words and types, the reference, the custom
// elements manifest. Pure: it never touches a file; `test/embed-words.test.ts` holds the files to it.
import schema from "./schema.json" with { type: "json" };

interface Field {
  type: string;
  about?: string;
  optional?: boolean;
  live?: boolean;
}
interface Command {
  who: string;
  /** An assistant may do it too. */
  assists?: boolean;
  needs?: string;
  about: string;
  takes: Record<string, Field>;
  gives?: string;
}
interface Told {
  about: string;
  detail: Record<string, string>;
}

const attributes: Record<string, Field> = schema.attributes;
const commands: Record<string, Command> = schema.commands;
const events: Record<string, Told> = schema.events;
const errors: Record<string, string> = schema.errors;
const WRITTEN = "Written from `schema.json` by `test/embed-words.test.ts`; never by hand.";

/** `src/words.ts`: what the loader knows of the schema at run time, and the types integrators see. */
export function words(): string {
  const takes = (it: Command) => record(it.takes, typescript, (field) => field.optional === true);
  return `// ${WRITTEN}

export const VERSION = ${schema.version};
export const ATTRIBUTES = ${list(Object.keys(attributes))} as const;
/** Followed while the frame is open. */
export const LIVE = ${list(Object.keys(attributes).filter((it) => attributes[it]?.live))} as const;
export const COMMANDS = ${list(Object.keys(commands))} as const;
export const EVENTS = ${list(Object.keys(events))} as const;

export type ErrorCode =
${Object.keys(errors).map((it) => `  | "${it}"`).join("\n")};

/** What this server and this token can do. */
export interface Capabilities {
  version: number;
  role: "participant" | "facilitator" | "assistant" | "reviewer";
  commands: CommandName[];
  events: EventName[];
  transcription: boolean;
}

/** Where a person stands. */
export interface State {
  role: "participant" | "facilitator" | "assistant" | "reviewer";
  phase: string;
  participant: number | null;
  room: string | null;
  microphone: boolean;
  camera: boolean;
  people: { participant: number; name: string; present: boolean }[];
}

export interface SearchAnswer {
  total: number;
  hits: {
    /** Null: of nobody, or nobody is to know of whom. */
    participant: number | null;
    name: string;
    room: string;
    start_ms: number;
    end_ms: number;
    language: "fi" | "sv" | "en";
    parts: { text: string; hit: boolean }[];
  }[];
  /** Every room in which something is found. */
  rooms: string[];
}

/** What each command takes and gives. */
export interface Commands {
${Object.entries(commands).map(([name, it]) => `  /** ${it.about} For: ${forWhom(it)}. */\n  ${name}: { takes: ${takes(it)}; gives: ${it.gives ?? "void"} };`).join("\n")}
}
export type CommandName = keyof Commands;

/** The \`detail\` of each event. */
export interface Events {
${Object.entries(events).map(([name, it]) => `  /** ${it.about} */\n  "${name}": ${record(it.detail, (type) => type.replaceAll("'", '"'))};`).join("\n")}
}
export type EventName = keyof Events;
`;
}

/** `REFERENCE.md`. */
export function reference(): string {
  const cell = (text: string) => text.replaceAll("|", "\\|");
  const row = (...cells: string[]) => `| ${cells.map(cell).join(" | ")} |`;
  const fields = (all: Record<string, Field>) =>
    Object.entries(all).map(([name, it]) => `\`${name}${it.optional ? "?" : ""}: ${it.type}\``).join(", ");
  return `# \`<vuoro-session>\`: reference

${WRITTEN}

## Attributes

| attribute | value | |
|---|---|---|
${Object.entries(attributes).map(([name, it]) => row(`\`${name}\``, `\`${it.type}\``, `${it.about ?? ""}${it.live ? " May change while the frame is open." : ""}`)).join("\n")}

Properties: \`tokenProvider\`, a function that gives a token or a promise of one: called at first and
whenever the token is about to run out. \`playerControl\`, \`{ duck(), restore() }\`, for a player that is
none of those above.

## Commands

Methods of the element; each gives a promise. A refusal rejects it with a \`VuoroError\`, whose \`code\` is
one of those below. Commands given before the frame is ready wait for it, 32 at most. The server checks every one against the token.

| command | takes | for whom | |
|---|---|---|---|
${Object.entries(commands).map(([name, it]) => row(`\`${name}\``, fields(it.takes), it.needs ? `${forWhom(it)}, grant \`${it.needs}\`` : forWhom(it), it.about + (it.gives ? ` Gives \`${it.gives}\`.` : ""))).join("\n")}

## Events

Dispatched on the element; \`event.detail\` has what is listed.

| event | detail | |
|---|---|---|
${Object.entries(events).map(([name, it]) => row(`\`${name}\``, Object.entries(it.detail).map(([key, type]) => `\`${key}: ${type}\``).join(", "), it.about)).join("\n")}

## Errors

| code | |
|---|---|
${Object.entries(errors).map(([code, about]) => row(`\`${code}\``, about)).join("\n")}
`;
}

/** `custom-elements.json`, as the custom elements manifest 2.1.0 has it. */
export function manifest(): string {
  const text = (type: string) => ({ type: { text: type } });
  const methods = Object.entries(commands).map(([name, it]) => ({
    kind: "method",
    name,
    description: it.about,
    parameters: Object.keys(it.takes).length ? [{ name: "options", ...text(record(it.takes, typescript, (field) => field.optional === true)) }] : [],
    return: text(`Promise<${it.gives ?? "void"}>`),
  }));
  const module = {
    kind: "javascript-module",
    path: "dist/vuoro-session.js",
    declarations: [
      {
        kind: "class",
        name: "VuoroSession",
        tagName: "vuoro-session",
        customElement: true,
        description: "A Vuoro session in the page: small rooms, methods and captions beside any webinar.",
        superclass: { name: "HTMLElement" },
        attributes: Object.entries(attributes).map(([name, it]) => ({ name, description: it.about, ...text(it.type) })),
        members: methods,
        events: Object.entries(events).map(([name, it]) => ({ name, description: it.about, ...text(`CustomEvent<${record(it.detail, (type) => type)}>`) })),
      },
    ],
    exports: [
      { kind: "js", name: "VuoroSession", declaration: { name: "VuoroSession" } },
      { kind: "custom-element-definition", name: "vuoro-session", declaration: { name: "VuoroSession" } },
    ],
  };
  return `${JSON.stringify({ schemaVersion: "2.1.0", modules: [module] }, null, 2)}\n`;
}

function forWhom({ who, assists }: Command): string {
  return assists ? `${who}, assistant` : who;
}

function typescript({ type }: Field): string {
  return type === "integer" ? "number" : type.replaceAll("'", '"');
}

function list(names: string[]): string {
  return `[\n${names.map((it) => `  "${it}",`).join("\n")}\n]`;
}

function record<It>(all: Record<string, It>, type: (it: It) => string, optional: (it: It) => boolean = () => false): string {
  const fields = Object.entries(all).map(([name, it]) => `${name}${optional(it) ? "?" : ""}: ${type(it)}`);
  return fields.length === 0 ? "Record<string, never>" : `{ ${fields.join("; ")} }`;
}
