// How many rooms of what size a phase makes, and how long it lasts: the sums behind a method's picture
// and its length. Pure; the server decides what really happens (`domain/rotation/groups.rs`).
import type { Method, Phase } from "../wire/wire";

export const ROOM_PEOPLE_MAX = 8;

/** Whether people sit in breakout rooms whose size the method chooses. */
export function inGroups(phase: Phase): boolean {
  return ["mix", "merge", "return", "travel", "carousel"].includes(phase.assign);
}

export function wishedSize(phase: Phase): number {
  return Math.min(Math.max(phase.size ?? 4, 2), ROOM_PEOPLE_MAX);
}

/** Room sizes that differ by one at most, near to the wished one and within the limits if possible. */
export function roomSizes(people: number, phase: Phase): number[] {
  if (people <= 0) return [];
  const size = wishedSize(phase);
  const min = Math.min(Math.max(phase.size_min ?? size - 1, 2), size);
  const max = Math.min(Math.max(phase.size_max ?? size + 1, size), ROOM_PEOPLE_MAX);
  const miss = (it: number) => Math.max(0, it - max) + 2 * Math.max(0, min - it);
  let best = { rooms: 1, outside: Infinity, far: Infinity };
  for (let rooms = 1; rooms <= Math.max(1, Math.floor(people / 2)); rooms += 1) {
    const small = Math.floor(people / rooms);
    const larger = people % rooms;
    const outside = larger * miss(small + 1) + (rooms - larger) * miss(small);
    const far = Math.abs(people / rooms - size);
    if (outside < best.outside || (outside === best.outside && far < best.far)) {
      best = { rooms, outside, far };
    }
  }
  return shares(people, best.rooms);
}

/** `people` in `rooms` as evenly as can be, larger rooms first. */
export function shares(people: number, rooms: number): number[] {
  const small = Math.floor(people / rooms);
  return Array.from({ length: rooms }, (_, room) => small + (room < people % rooms ? 1 : 0));
}

export interface PhaseLength {
  /** One repetition, in seconds; null where the method says nothing. */
  once_s: number | null;
  /** All repetitions, of its own and of its cycle. */
  all_s: number;
  /** How often its cycle is gone through. */
  cycles: number;
  /** The facilitator ends it, so that a time is only a suggestion. */
  open: boolean;
}

/** How long each phase lasts with so many people. */
export function phaseLengths(method: Method, people: number): PhaseLength[] {
  const fullest = fullestRooms(method, people);
  return method.phases.map((phase, at) => {
    const room = fullest[at] ?? people;
    const each = phase.length_s_per_person;
    const once_s = each !== null ? each * room : phase.length_s;
    const cycles = cycleTimes(method, phase, Math.max(...roomsOfCycle(method, phase, fullest)));
    const all_s = (once_s ?? 0) * phase.rounds * cycles;
    return { once_s, all_s, cycles, open: phase.advance === "host" || once_s === null };
  });
}

/** Everything together, with the ideal number of people, in whole minutes. */
export function methodMinutes(method: Method, people: number = method.people.ideal): number {
  const total_s = phaseLengths(method, people).reduce((sum, it) => sum + it.all_s, 0);
  return Math.max(1, Math.round(total_s / 60));
}

/** How often the cycle of a phase is gone through when the fullest room has `room` people. */
export function cycleTimes(method: Method, phase: Phase, room: number): number {
  const cycle = method.cycles.find((it) => it.id === phase.cycle);
  if (!cycle) return 1;
  return Math.max(1, cycle.times ?? room);
}

function roomsOfCycle(method: Method, phase: Phase, fullest: readonly number[]): number[] {
  return method.phases.flatMap((it, at) => (it.cycle === phase.cycle ? [fullest[at] ?? 1] : []));
}

/** People in the fullest room of each phase. */
function fullestRooms(method: Method, people: number): number[] {
  const known = new Map<string, number>();
  let room = people;
  return method.phases.map((phase) => {
    if (phase.assign === "plenary") room = people;
    else if (phase.assign === "seats") room = Math.min(people, phase.seats ?? 4);
    else if (phase.assign === "mix" || phase.assign === "merge") {
      room = roomSizes(people, phase)[0] ?? people;
    } else if (phase.assign === "return") room = known.get(phase.rooms_of ?? "") ?? room;
    else if (phase.assign === "free") room = Math.min(people, ROOM_PEOPLE_MAX);
    known.set(phase.id, room);
    return room;
  });
}
