// What a facilitator's page knows of all rooms, and how each message changes it. Pure.
import type {
  ServerMessage,
  Transcription,
  WireKept,
  WirePerson,
  WirePost,
  WireRoom,
  WireRoomBalance,
  WireRun,
  WireWaiting,
} from "../wire/wire";
import {
  type CaptionEntry,
  NO_PARTIALS,
  type Partials,
  withCaption,
  withPartial,
  withoutPartial,
  withoutStruck,
} from "./captions";
import { type Harvested, isMainRoom, withSpeaking } from "./room";
import { type Ideas, ideasTold, lasting, withTally } from "./ideas";
import type { Running } from "./steps";
import { withPost } from "./talk";

export interface OverviewState {
  title: string;
  /** Null before the first `overview`. */
  rooms: readonly WireRoom[] | null;
  transcription: Transcription | null;
  /** Whether facilitators let words be written down. */
  transcribes: boolean;
  /** How the rooms talk now, those of which anything can be said. */
  balances: readonly WireRoomBalance[];
  /** How they talked in the round before. */
  rounds: readonly WireRoomBalance[];
  speaking: ReadonlySet<number>;
  /** The method that runs, once it is told; without `run` none does. */
  running: Running | null;
  /** Where it stands. */
  run: WireRun | null;
  /** When `run` came, by the clock of whoever called. */
  run_ms: number;
  harvest: Harvested | null;
  /** What the rooms have chosen, with the votes as they come. */
  ideas: Ideas | null;
  /** Who stays where they are when groups are made anew. */
  pinned: ReadonlySet<number>;
  /** Who is kept apart or together. */
  kept: readonly WireKept[];
  /** Who waits for help, longest first, and when that was told, by the clock of whoever called. */
  calls: readonly WireWaiting[];
  calls_ms: number;
  /** What facilitators have written to all while this page was open, oldest first. */
  broadcasts: readonly WirePost[];
  /** Words and names to be heard rightly. */
  glossary: string;
  /** The room whose captions are read along, and what has been said there since. */
  following: string | null;
  captions: readonly CaptionEntry[];
  partials: Partials;
  ended: boolean;
}

export const UNSEEN: OverviewState = {
  title: "",
  rooms: null,
  transcription: null,
  transcribes: true,
  balances: [],
  rounds: [],
  speaking: new Set(),
  running: null,
  run: null,
  run_ms: 0,
  harvest: null,
  ideas: null,
  pinned: new Set(),
  kept: [],
  calls: [],
  calls_ms: 0,
  broadcasts: [],
  glossary: "",
  following: null,
  captions: [],
  partials: NO_PARTIALS,
  ended: false,
};

/** `at_ms`: when the message came; only times that run down depend on it. */
export function reduceOverview(state: OverviewState, message: ServerMessage, at_ms = 0): OverviewState {
  switch (message.type) {
    case "overview": {
      const { title, rooms, transcription, transcribes, run, kept, calls, glossary } = message;
      const here = new Set(rooms.flatMap((it) => it.people).map((it) => it.participant));
      const speaking = new Set([...state.speaking].filter((it) => here.has(it)));
      const pinned = new Set(message.pinned);
      const told = { glossary, run_ms: at_ms, calls_ms: at_ms };
      return { ...state, title, rooms, transcription, transcribes, speaking, run, pinned, kept, calls, ...told };
    }
    case "method": {
      const { method, question, warn_ms } = message;
      if (!method) return { ...state, running: null, run: null, ideas: lasting(state.ideas) };
      return { ...state, running: { method, question, warn_ms }, harvest: null, ideas: null };
    }
    case "ideas":
      return { ...state, ideas: ideasTold(message) };
    case "tally":
      return { ...state, ideas: withTally(state.ideas, message) };
    case "harvest":
      return { ...state, harvest: { lines: message.lines, ranking: message.ranking } };
    case "struck":
      return { ...state, captions: withoutStruck(state.captions, message) };
    case "room-balances":
      return { ...state, balances: message.rooms };
    case "rounds":
      return { ...state, balances: [], rounds: message.rooms };
    case "speaking":
      return { ...state, speaking: withSpeaking(state.speaking, message.participant, message.on) };
    case "post": {
      const { type: _, ...post } = message;
      return { ...state, broadcasts: withPost(state.broadcasts, post) };
    }
    case "following": {
      // What was read stays to be read, until another room takes its place.
      const same = message.room === null || message.room === state.following;
      const captions = same ? state.captions : [];
      return { ...state, following: message.room, captions, partials: NO_PARTIALS };
    }
    case "caption": {
      const captions = withCaption(state.captions, message);
      const partials = withoutPartial(state.partials, message.participant, message.end_ms);
      return { ...state, captions, partials };
    }
    case "partial":
      return { ...state, partials: withPartial(state.partials, message) };
    case "ended":
      return { ...state, ended: true };
    default:
      return state;
  }
}

export interface Move {
  participant: number;
  room: string;
}

/**
 * Spreads the people of the main room evenly over the breakout rooms: each goes to the room that has
 * fewest by then, the first of equals. People without a live connection stay.
 */
export function spread(rooms: readonly WireRoom[]): Move[] {
  const sizes = new Map(
    rooms.filter((it) => !isMainRoom(it.room)).map((it) => [it.room, present(it).length]),
  );
  const main = rooms.find((it) => isMainRoom(it.room));
  if (!main || sizes.size === 0) return [];
  return present(main).map(({ participant }) => {
    const [room, size] = [...sizes].reduce((least, it) => (it[1] < least[1] ? it : least));
    sizes.set(room, size + 1);
    return { participant, room };
  });
}

/** Everybody with a live connection, in the order of their numbers: as a plan counts them. */
export function presentPeople(rooms: readonly WireRoom[]): WirePerson[] {
  return rooms.flatMap(present).sort((a, b) => a.participant - b.participant);
}

function present(room: WireRoom): WirePerson[] {
  return room.people.filter((it) => it.present);
}
