// What a participant's page knows of its room, and how each message of the server changes it. Pure:
// it never draws, never connects, never asks the time.
import type { ServerMessage, Transcription, WireLanguage, WirePerson, WireRoom } from "../wire/wire";
import { type CaptionEntry, withCaption, withRoomLine } from "./captions";

export interface Balance {
  shares: readonly number[];
  effective_voices: number;
  own_talk_ms: number;
  own_turns: number;
  own_share: number;
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
  balance: Balance | null;
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
  balance: null,
  ended: false,
};

export function reduce(state: RoomState, message: ServerMessage): RoomState {
  switch (message.type) {
    case "welcome": {
      const { participant: me, title, language, transcription } = message;
      return inRoom({ ...state, me, title, language, transcription }, message.room);
    }
    case "room":
      return inRoom(state, message.room);
    case "slots":
      return { ...state, slots: message.participants };
    case "speaking":
      return { ...state, speaking: withSpeaking(state.speaking, message.participant, message.on) };
    case "caption":
      return { ...state, captions: withCaption(state.captions, message) };
    case "balance": {
      const { type: _, ...balance } = message;
      return { ...state, balance };
    }
    case "ended":
      return { ...state, ended: true };
    case "offer":
    case "overview":
    case "error":
      return state;
  }
}

/** In another room nobody's voice and nothing of the balance is known yet. */
function inRoom(state: RoomState, room: WireRoom): RoomState {
  const moved = state.room !== null && state.room.room !== room.room;
  if (moved) {
    const captions = withRoomLine(state.captions, room.room);
    return { ...state, room, speaking: new Set(), balance: null, captions };
  }
  const here = new Set(room.people.filter((it) => it.present).map((it) => it.participant));
  const speaking = new Set([...state.speaking].filter((it) => here.has(it)));
  // A balance of other people than are here is out of date; the server tells a new one in time.
  const stale = state.balance?.shares.length !== room.people.length;
  return { ...state, room, speaking, balance: stale ? null : state.balance };
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

/** Tiles in a steady order: myself first, the others by number, those without a live seat last. */
export function tileOrder(people: readonly WirePerson[], me: number | null): WirePerson[] {
  const rank = (it: WirePerson) => (it.participant === me ? 0 : it.present ? 1 : 2);
  return [...people].sort((a, b) => rank(a) - rank(b) || a.participant - b.participant);
}

export function isMainRoom(room: string): boolean {
  return room === "main";
}

/** The N of `room-N`; null for the main room. */
export function roomNumber(room: string): number | null {
  const found = /^room-(\d+)$/.exec(room);
  return found?.[1] ? Number(found[1]) : null;
}
