// Who is shown where only one can be: whoever speaks, and after them nobody else until somebody does.
// Pure: it keeps nothing, the one before is handed in.
import type { RoomState } from "./room";

/** Null when nobody else is here. */
export function spotlight(before: number | null, room: RoomState): number | null {
  const others = (room.room?.people ?? []).filter((it) => it.present && it.participant !== room.me);
  const here = others.map((it) => it.participant);
  if (before !== null && here.includes(before) && room.speaking.has(before)) return before;
  const speaking = here.find((it) => room.speaking.has(it));
  if (speaking !== undefined) return speaking;
  return before !== null && here.includes(before) ? before : (here[0] ?? null);
}
