// What a participant's page knows of its room, and how each message of the server changes it. Pure:
// it never draws, never connects, never asks the time.
import type {
  ServerMessage,
  Transcription,
  WireCard,
  WireLanguage,
  WireLine,
  WireMoveReason,
  WirePerson,
  WirePost,
  WireRoom,
  WireStep,
} from "../wire/wire";
import { type Marked, withMark } from "./marks";
import {
  type CaptionEntry,
  NO_PARTIALS,
  type Partials,
  withCaption,
  withPartial,
  withRoomLine,
  withoutPartial,
  withoutStruck,
} from "./captions";
import { type Ideas, ideasTold, lasting, withOwnVotes, withTally } from "./ideas";
import type { Running } from "./steps";
import { type Broadcast, type Shown, withPost, withReaction } from "./talk";

export interface Balance {
  shares: readonly number[];
  effective_voices: number;
  /** Somebody has not been heard yet. */
  invites: boolean;
  own_talk_ms: number;
  own_turns: number;
  own_backchannels: number;
  own_share: number;
  own_ratio: number;
}

type Told<T extends ServerMessage["type"]> = Omit<Extract<ServerMessage, { type: T }>, "type">;

/** A round that is over, as the room may look back on it. */
export type Round = Told<"round">;

/** What I have had of all rounds so far. */
export type Own = Told<"own">;

/** What rooms and cards bring to all. */
export interface Harvested {
  lines: readonly WireLine[];
  ranking: readonly WireCard[];
}

/** How one came to be in this room. */
export interface Arrival {
  reason: WireMoveReason;
  room: string;
  /** Counts the moves, so that two in a row are two. */
  number: number;
}

export interface RoomState {
  /** My own number; null before `welcome`. */
  me: number | null;
  title: string;
  language: WireLanguage | null;
  room: WireRoom | null;
  transcription: Transcription | null;
  speaking: ReadonlySet<number>;
  /** Who sits in each receiving slot. */
  slots: readonly (number | null)[];
  captions: readonly CaptionEntry[];
  /** What people have marked of what was said and written. */
  marked: Marked;
  /** What is still being said here. */
  partials: Partials;
  balance: Balance | null;
  /** The round that was over last, until it is put away. */
  round: Round | null;
  own: Own | null;
  /** How often I have taken back what I said. */
  strikes: number;
  running: Running | null;
  step: WireStep | null;
  /** When `step` came, by the clock of whoever called. */
  step_ms: number;
  /** Whether, since the last welcome, the server has said that the method still runs. */
  confirmed: boolean;
  /** Told, and not yet there. */
  moving: WireMoveReason | null;
  arrival: Arrival | null;
  harvest: Harvested | null;
  /** The ideas before this person now, or those that all chose last. */
  ideas: Ideas | null;
  /** What has been written in this room, oldest first. */
  posts: readonly WirePost[];
  /** What each has shown last; how long it is seen is the page's business. */
  reactions: ReadonlyMap<number, Shown>;
  /** What a facilitator has written to all last. */
  broadcast: Broadcast | null;
  ended: boolean;
}

export const NOWHERE: RoomState = {
  me: null,
  title: "",
  language: null,
  room: null,
  transcription: null,
  speaking: new Set(),
  slots: [],
  captions: [],
  marked: new Map(),
  partials: NO_PARTIALS,
  balance: null,
  round: null,
  own: null,
  strikes: 0,
  running: null,
  step: null,
  step_ms: 0,
  confirmed: true,
  moving: null,
  arrival: null,
  harvest: null,
  ideas: null,
  posts: [],
  reactions: new Map(),
  broadcast: null,
  ended: false,
};

/** `at_ms`: when the message came; only times that run down depend on it. */
export function reduce(state: RoomState, message: ServerMessage, at_ms = 0): RoomState {
  switch (message.type) {
    case "welcome": {
      const { participant: me, title, language, transcription } = message;
      // What was written in the room follows, if anything was.
      const gone = { posts: [], partials: NO_PARTIALS };
      const fresh = { ...state, ...gone, me, title, language, transcription, confirmed: false };
      return inRoom(fresh, message.room);
    }
    case "room":
      return inRoom(state, message.room);
    case "slots":
      return settled({ ...state, slots: message.participants });
    case "speaking":
      return { ...state, speaking: withSpeaking(state.speaking, message.participant, message.on) };
    case "caption":
      return {
        ...state,
        captions: withCaption(state.captions, message),
        partials: withoutPartial(state.partials, message.participant, message.end_ms),
      };
    case "partial":
      return { ...state, partials: withPartial(state.partials, message) };
    case "struck": {
      const captions = withoutStruck(state.captions, message);
      const strikes = state.strikes + (message.participant === state.me ? 1 : 0);
      return { ...state, captions, strikes };
    }
    case "round": {
      const { type: _, ...round } = message;
      return { ...state, round, balance: null };
    }
    case "own": {
      const { type: _, ...own } = message;
      return { ...state, own };
    }
    case "balance": {
      const { type: _, ...balance } = message;
      return { ...state, balance };
    }
    case "method":
      return withMethod(state, message);
    case "step": {
      const { type: _, ...step } = message;
      // What lies before people in the new step follows, if anything does.
      const { run } = state.step ?? step;
      const same = run.phase === step.run.phase && run.round === step.run.round;
      return { ...state, step, step_ms: at_ms, ideas: same ? state.ideas : null };
    }
    case "moved":
      return { ...state, moving: message.reason };
    case "harvest":
      return { ...state, harvest: { lines: message.lines, ranking: message.ranking } };
    case "ideas":
      return { ...state, ideas: ideasTold(message) };
    case "own-votes":
      return { ...state, ideas: withOwnVotes(state.ideas, message) };
    case "tally":
      return { ...state, ideas: withTally(state.ideas, message) };
    case "post": {
      const { type: _, ...post } = message;
      const number = (state.broadcast?.number ?? 0) + 1;
      const broadcast = post.participant === null ? { text: post.text, number } : state.broadcast;
      return { ...state, posts: withPost(state.posts, post), broadcast };
    }
    case "posts":
      return { ...state, posts: message.posts };
    case "marked":
      return { ...state, marked: withMark(state.marked, message) };
    case "reacted":
      return { ...state, reactions: withReaction(state.reactions, message.participant, message.reaction) };
    case "ended":
      return { ...state, ended: true };
    default:
      // Also words of a newer server than this page.
      return state;
  }
}

/** After a welcome the method comes before the slots, if one runs; it may have ended while we were away. */
function settled(state: RoomState): RoomState {
  return state.confirmed ? state : { ...state, running: null, step: null, confirmed: true };
}

type MethodMessage = Extract<ServerMessage, { type: "method" }>;

/** What the last method has brought stays to be read until another begins. */
function withMethod(state: RoomState, message: MethodMessage): RoomState {
  const { method, question, warn_ms } = message;
  if (!method) return { ...state, running: null, step: null, ideas: lasting(state.ideas), confirmed: true };
  const again = state.running !== null && !state.confirmed;
  return {
    ...state,
    running: { method, question, warn_ms },
    confirmed: true,
    step: again ? state.step : null,
    harvest: again ? state.harvest : null,
    ideas: again ? state.ideas : null,
  };
}

/** In another room nobody's voice and nothing of the balance is known yet. */
function inRoom(before: RoomState, room: WireRoom): RoomState {
  const state = arrived(before, room.room);
  const moved = state.room !== null && state.room.room !== room.room;
  if (moved) {
    const captions = withRoomLine(state.captions, room.room);
    const reactions = new Map<number, Shown>();
    const fresh = { speaking: new Set<number>(), balance: null, posts: [], partials: NO_PARTIALS };
    const ideas = state.ideas?.stage === "room" ? null : state.ideas;
    return { ...state, ...fresh, room, captions, reactions, ideas };
  }
  const here = new Set(room.people.filter((it) => it.present).map((it) => it.participant));
  const speaking = new Set([...state.speaking].filter((it) => here.has(it)));
  // A balance of other people than are here is out of date; the server tells a new one in time.
  const stale = state.balance?.shares.length !== room.people.length;
  return { ...state, room, speaking, balance: stale ? null : state.balance };
}

function arrived(state: RoomState, room: string): RoomState {
  if (state.moving !== null) {
    const number = (state.arrival?.number ?? 0) + 1;
    return { ...state, moving: null, arrival: { reason: state.moving, room, number } };
  }
  // Moved without a word why: what was said of the last move is over.
  return state.room && state.room.room !== room ? { ...state, arrival: null } : state;
}

export function withSpeaking(
  speaking: ReadonlySet<number>,
  participant: number,
  on: boolean,
): ReadonlySet<number> {
  const next = new Set(speaking);
  if (on) next.add(participant);
  else next.delete(participant);
  return next;
}

export function myself(state: RoomState): WirePerson | undefined {
  return state.room?.people.find((it) => it.participant === state.me);
}

/** Another one means that the person is elsewhere, has something else to do, or has the turn. */
export function momentOf({ room, step, me }: RoomState): string {
  const { run, turn } = step ?? {};
  return [room?.room, run?.phase, run?.round, turn?.participant === me].join();
}

/**
 * Tiles in a steady order: who sits in the middle, myself, the others by number, those without a live
 * seat last.
 */
export function tileOrder(
  people: readonly WirePerson[],
  me: number | null,
  seated: readonly number[] = [],
): WirePerson[] {
  const rank = (it: WirePerson) => {
    if (seated.includes(it.participant)) return 0;
    if (it.participant === me) return 1;
    return it.present ? 2 : 3;
  };
  return [...people].sort((a, b) => rank(a) - rank(b) || a.participant - b.participant);
}

/** Whether words are written down in the room, of those who agree. */
export function isWriting(state: RoomState): boolean {
  return state.transcription?.state === "on" && state.room?.writing === "on";
}

/** What I have had of all talk, with the round that goes on; null when nothing can be said of it. */
export function ownTotal({ own, balance }: RoomState): Own | null {
  if (!balance) return own;
  const before = own ?? { talk_ms: 0, turns: 0, backchannels: 0, people_heard: 0, rounds: 0 };
  return {
    ...before,
    talk_ms: before.talk_ms + balance.own_talk_ms,
    turns: before.turns + balance.own_turns,
    backchannels: before.backchannels + balance.own_backchannels,
    rounds: before.rounds + 1,
  };
}

export function isMainRoom(room: string): boolean {
  return room === "main";
}

/** The N of `room-N`; null for the main room. */
export function roomNumber(room: string): number | null {
  const found = /^room-(\d+)$/.exec(room);
  return found?.[1] ? Number(found[1]) : null;
}
