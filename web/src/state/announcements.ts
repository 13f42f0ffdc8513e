// What a screen reader should be told when the room changes. Pure: it compares two states and never
// speaks by itself.
import type { RoomState } from "./room";

export type Announcement =
  | { kind: "moved"; room: string; names: string[] }
  | { kind: "joined"; names: string[] }
  | { kind: "left"; names: string[] };

export function announcements(before: RoomState, after: RoomState): Announcement[] {
  if (!after.room) return [];
  const others = after.room.people.filter((it) => it.present && it.participant !== after.me);
  if (before.room?.room !== after.room.room) {
    return [{ kind: "moved", room: after.room.room, names: others.map((it) => it.name) }];
  }
  const were = new Map(
    before.room.people.filter((it) => it.present).map((it) => [it.participant, it.name]),
  );
  const are = new Set(after.room.people.filter((it) => it.present).map((it) => it.participant));
  const joined = others.filter((it) => !were.has(it.participant)).map((it) => it.name);
  const left = [...were]
    .filter(([participant]) => !are.has(participant) && participant !== after.me)
    .map(([, name]) => name);
  const told: Announcement[] = [];
  if (joined.length > 0) told.push({ kind: "joined", names: joined });
  if (left.length > 0) told.push({ kind: "left", names: left });
  return told;
}
