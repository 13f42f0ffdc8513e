// Who sits with whom in each phase, for the picture of a method: few people, always the same. Pure; who
// really sits where is the server's to say.
import type { Method, Phase } from "../wire/wire";
import { roomSizes, wishedSize } from "./grouping";

/** How many people make the clearest picture: about twelve, and groups come out even. */
export function pictured(method: Method): number {
  const made = method.phases.filter((it) => it.assign === "mix" || it.assign === "merge");
  const uses = (assign: Phase["assign"]) => method.phases.some((it) => it.assign === assign);
  // Crossing ways show only between four tables; a circle needs three.
  const tables = uses("travel") ? 4 : uses("carousel") ? 3 : 1;
  const hats = method.phases.some((it) => it.colour !== null);
  const cost = (people: number) => {
    let sum = Math.abs(people - 12);
    for (const phase of made) {
      const size = wishedSize(phase);
      if (people % size !== 0) sum += 6;
      if (people / size < tables) sum += 20;
      // In more than two rings a hat would be too small to be seen.
      if (hats && people / size !== 2) sum += 8;
    }
    if (people < method.people.min) sum += 20 * (method.people.min - people);
    if (people > method.people.max) sum += 20 * (people - method.people.max);
    return sum;
  };
  let best = 12;
  for (let people = 4; people <= 20; people += 1) if (cost(people) < cost(best)) best = people;
  return best;
}

/** Where people are: rooms in their order, each with its people in theirs. */
type Rooms = readonly (readonly number[])[];

export interface Seating {
  kind: "all" | "alone" | "rooms" | "free" | "seats";
  rooms: Rooms;
}

/** Who sits where in each phase. */
export function seats(method: Method, people: number): Seating[] {
  const everybody = Array.from({ length: people }, (_, it) => it);
  const known = new Map<string, Rooms>();
  const hosts = method.roles.some((it) => it.stays);
  // What counts when nobody moves: quiet thinking happens wherever one is.
  let now: Seating = { kind: "all", rooms: [everybody] };
  let groups: Rooms | null = null;
  return method.phases.map((phase) => {
    let next: Seating = now;
    switch (phase.assign) {
      case "plenary":
        next = { kind: "all", rooms: [everybody] };
        break;
      case "solo":
        return { kind: "alone", rooms: everybody.map((it) => [it]) };
      case "same":
        break;
      case "seats":
        next = { kind: "seats", rooms: [everybody] };
        break;
      case "free":
        next = { kind: "free", rooms: [everybody] };
        break;
      case "mix":
        next = { kind: "rooms", rooms: mixed(groups, roomSizes(people, phase)) };
        break;
      case "merge":
        next = { kind: "rooms", rooms: merged(groups ?? everybody.map((it) => [it]), phase, people) };
        break;
      case "return":
        next = { kind: "rooms", rooms: known.get(phase.rooms_of ?? "") ?? groups ?? [everybody] };
        break;
      case "travel":
        next = { kind: "rooms", rooms: travelled(groups ?? mixed(null, roomSizes(people, phase)), true) };
        break;
      case "carousel":
        next = { kind: "rooms", rooms: wandered(groups ?? mixed(null, roomSizes(people, phase)), hosts) };
        break;
    }
    now = next;
    if (next.kind === "rooms") {
      groups = next.rooms;
      known.set(phase.id, next.rooms);
    }
    return next;
  });
}

/** At first in their order; then everybody away from those they were with. */
function mixed(before: Rooms | null, sizes: readonly number[]): Rooms {
  const people = sizes.reduce((sum, it) => sum + it, 0);
  if (before === null) {
    let from = 0;
    return sizes.map((size) => Array.from({ length: size }, () => from++));
  }
  const rooms: number[][] = sizes.map(() => []);
  const flat = before.flat().slice(0, people);
  let room = 0;
  for (const person of flat) {
    while ((rooms[room]?.length ?? 0) >= (sizes[room] ?? 0)) room = (room + 1) % rooms.length;
    rooms[room]?.push(person);
    room = (room + 1) % rooms.length;
  }
  return rooms;
}

function merged(before: Rooms, phase: Phase, people: number): Rooms {
  const sizes = roomSizes(people, phase);
  const rooms: number[][] = sizes.map(() => []);
  let room = 0;
  for (const group of before) {
    const last = room === rooms.length - 1;
    if (!last && (rooms[room]?.length ?? 0) + group.length / 2 > (sizes[room] ?? 0)) room += 1;
    rooms[room]?.push(...group);
  }
  return rooms.filter((it) => it.length > 0);
}

/** The first of each table stays; of the others each goes to another table. */
function travelled(before: Rooms, hosts: boolean): Rooms {
  const rooms = before.map((group) => (hosts ? group.slice(0, 1) : []));
  before.forEach((group, table) => {
    group.slice(hosts ? 1 : 0).forEach((person, nth) => {
      const away = 1 + (nth % Math.max(1, rooms.length - 1));
      rooms[(table + away) % rooms.length]?.push(person);
    });
  });
  return rooms;
}

/** Whole groups, one table on. */
function wandered(before: Rooms, hosts: boolean): Rooms {
  const stay = hosts ? 1 : 0;
  return before.map((group, table) => {
    const from = before[(table + before.length - 1) % before.length] ?? [];
    return [...group.slice(0, stay), ...from.slice(stay)];
  });
}
