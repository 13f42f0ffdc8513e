// What a facilitator's page knows of all rooms, and how each message changes it. Pure.
import type { ServerMessage, Transcription, WirePerson, WireRoom } from "../wire/wire";
import { isMainRoom, withSpeaking } from "./room";

export interface OverviewState {
  title: string;
  /** Null before the first `overview`. */
  rooms: readonly WireRoom[] | null;
  transcription: Transcription | null;
  speaking: ReadonlySet<number>;
  ended: boolean;
}

export const UNSEEN: OverviewState = {
  title: "",
  rooms: null,
  transcription: null,
  speaking: new Set(),
  ended: false,
};

export function reduceOverview(state: OverviewState, message: ServerMessage): OverviewState {
  switch (message.type) {
    case "overview": {
      const { title, rooms, transcription } = message;
      const here = new Set(rooms.flatMap((it) => it.people).map((it) => it.participant));
      const speaking = new Set([...state.speaking].filter((it) => here.has(it)));
      return { ...state, title, rooms, transcription, speaking };
    }
    case "speaking":
      return { ...state, speaking: withSpeaking(state.speaking, message.participant, message.on) };
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

function present(room: WireRoom): WirePerson[] {
  return room.people.filter((it) => it.present);
}
