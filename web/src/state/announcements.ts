// What a screen reader should be told when the room changes. Pure: it compares two states and never
// speaks by itself.
import type { WireMoveReason, WireReaction } from "../wire/wire";
import type { RoomState } from "./room";

export type Announcement =
  /** `reason`: null where nobody said why. */
  | { kind: "moved"; room: string; names: string[]; reason: WireMoveReason | null }
  /** The method is at another phase or round; what to do now stands in the state. */
  | { kind: "step" }
  /** Whose turn it is; the number is of the person. */
  | { kind: "turn"; participant: number; mine: boolean }
  /** The own microphone is held off, or let through again. */
  | { kind: "may-speak"; on: boolean }
  | { kind: "method-over" }
  | { kind: "joined"; names: string[] }
  | { kind: "left"; names: string[] }
  /** Others have raised a hand. */
  | { kind: "hands"; names: string[] }
  | { kind: "my-hand-lowered" }
  | { kind: "reacted"; name: string; reaction: WireReaction }
  /** Somebody else has written in the chat. */
  | { kind: "posted"; name: string }
  | { kind: "sharing"; name: string; on: boolean }
  /** A facilitator reads the captions along, or no more. */
  | { kind: "followed"; on: boolean };

/** Those that may come in great number; whoever speaks them leaves some out. */
export const OFTEN: ReadonlySet<Announcement["kind"]> = new Set(["reacted", "posted"]);

export function announcements(before: RoomState, after: RoomState): Announcement[] {
  return [...ofRoom(before, after), ...ofStep(before, after), ...ofTalk(before, after)];
}

/** In another room all is new, and the move is what is told. */
function ofTalk(before: RoomState, after: RoomState): Announcement[] {
  const [was, is] = [before.room, after.room];
  if (!was || !is || was.room !== is.room) return [];
  const name = (participant: number) => is.people.find((it) => it.participant === participant)?.name;
  const told: Announcement[] = [];
  const raised = is.hands.filter((it) => it !== after.me && !was.hands.includes(it)).map(name);
  const names = raised.filter((it) => it !== undefined);
  if (names.length > 0) told.push({ kind: "hands", names });
  if (after.me !== null && was.hands.includes(after.me) && !is.hands.includes(after.me)) {
    told.push({ kind: "my-hand-lowered" });
  }
  if (was.followed !== is.followed) told.push({ kind: "followed", on: is.followed });
  if (was.sharing !== is.sharing) {
    const [on, who] = [is.sharing !== null, is.sharing ?? was.sharing];
    const sharer = who === null || who === after.me ? undefined : name(who);
    if (sharer) told.push({ kind: "sharing", name: sharer, on });
  }
  for (const [participant, shown] of after.reactions) {
    const by = participant === after.me ? undefined : name(participant);
    if (by && before.reactions.get(participant) !== shown) {
      told.push({ kind: "reacted", name: by, reaction: shown.reaction });
    }
  }
  const last = after.posts.at(-1);
  const isNew = last !== undefined && after.posts.length > 0 && last !== before.posts.at(-1);
  // A broadcast is read out where it is shown; all of a room's posts at once are no news.
  if (isNew && last.participant !== null && last.participant !== after.me && grew(before, after)) {
    told.push({ kind: "posted", name: last.name });
  }
  return told;
}

function grew(before: RoomState, after: RoomState): boolean {
  return before.posts.at(-1) === after.posts.at(-2);
}

function ofStep(before: RoomState, after: RoomState): Announcement[] {
  const told: Announcement[] = [];
  if (before.running && before.step && !after.running) told.push({ kind: "method-over" });
  const [was, is] = [before.step, after.step];
  if (is && after.running && (!was || was.run.phase !== is.run.phase || was.run.round !== is.run.round)) {
    told.push({ kind: "step" });
  }
  const turn = is?.turn?.participant;
  if (turn !== undefined && turn !== was?.turn?.participant) {
    told.push({ kind: "turn", participant: turn, mine: turn === after.me });
  }
  const [could, can] = [was?.may_speak ?? true, is?.may_speak ?? true];
  if (could !== can) told.push({ kind: "may-speak", on: can });
  return told;
}

function ofRoom(before: RoomState, after: RoomState): Announcement[] {
  if (!after.room) return [];
  const others = after.room.people.filter((it) => it.present && it.participant !== after.me);
  const reason = newReason(before, after);
  // Who comes in while groups are at work is told so even where their seat already was.
  if (before.room?.room !== after.room.room || reason !== null) {
    return [{ kind: "moved", room: after.room.room, names: others.map((it) => it.name), reason }];
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

function newReason(before: RoomState, after: RoomState): WireMoveReason | null {
  return after.arrival?.number === before.arrival?.number ? null : (after.arrival?.reason ?? null);
}
