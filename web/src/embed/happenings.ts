// What a message of the server means to the page around the frame: events with the names of the schema.
// Pure: it compares what was known before with what is known now.
import type { Events, EventName } from "../../embed/src/words";
import type { OverviewState } from "../state/overview";
import { type RoomState, isMainRoom, myself } from "../state/room";
import type { ServerMessage, WireCall, WirePerson, WireRoom } from "../wire/wire";

export type Happening = { [Name in EventName]: { event: Name; detail: Events[Name] } }[EventName];

/** For a participant. */
export function happenings(before: RoomState, now: RoomState, message: ServerMessage): Happening[] {
  const all: Happening[] = [];
  const tell = <Name extends EventName>(event: Name, detail: Events[Name]) => all.push({ event, detail } as Happening);
  switch (message.type) {
    case "welcome":
      if (before.me === null) tell("joined", { participant: message.participant, room: message.room.room });
      break;
    case "reacted":
      tell("reaction", { participant: message.participant, reaction: message.reaction });
      break;
    case "post":
      if (message.participant === null) tell("broadcast.received", { text: message.text });
      else {
        const { participant, name, text, at_ms } = message;
        tell("chat.message", { participant, name, text, at_ms });
      }
      break;
    case "caption": {
      const { participant, name, language, text, start_ms, end_ms } = message;
      tell("caption.final", { participant, name, language, text, start_ms, end_ms });
      break;
    }
    case "struck": {
      const { participant, start_ms, end_ms } = message;
      tell("caption.struck", { participant, start_ms, end_ms });
      break;
    }
    case "balance":
      tell("balance.updated", { shares: message.shares, effective_voices: message.effective_voices });
      break;
    case "speaking":
      tell("speaking.changed", { participant: message.participant, on: message.on });
      break;
    case "ended":
      tell("session.ended", {});
      break;
    case "error":
      all.push(refused(message));
      break;
  }
  all.push(...method(before, now));
  const [was, is] = [before.room, now.room];
  if (is && (message.type === "room" || message.type === "welcome")) {
    all.push(...(was && was.room === is.room ? inside(was, is) : moved(was, is, now)));
  }
  const consent = myself(now)?.consent;
  if (consent && consent !== myself(before)?.consent) tell("consent.changed", { consent });
  if (before.step?.turn?.participant !== now.step?.turn?.participant) {
    const participant = now.step?.turn?.participant ?? null;
    tell("turn.changed", { participant, mine: participant !== null && participant === now.me });
  }
  return all;
}

/** For a facilitator. */
export function overviewHappenings(before: OverviewState, now: OverviewState, message: ServerMessage): Happening[] {
  const all: Happening[] = [];
  if (message.type === "error") all.push(refused(message));
  if (message.type === "ended") all.push({ event: "session.ended", detail: {} });
  if (message.type !== "overview") return all;
  const rooms = (now.rooms ?? []).map((it) => ({ room: it.room, people: it.people.map(({ participant, name, present }) => ({ participant, name, present })), hands: it.hands }));
  all.push({ event: "overview.changed", detail: { rooms } });
  const open = (state: OverviewState) => (state.rooms ?? []).filter((it) => !isMainRoom(it.room)).length;
  if (open(before) !== open(now)) {
    all.push(open(now) > 0 ? { event: "rooms.opened", detail: { count: open(now) } } : { event: "rooms.closed", detail: {} });
  }
  all.push(...calls(before.calls, now.calls, (it) => (now.calls.find((call) => call.participant === it)?.room ?? "main")));
  const [was, is] = [before.run, now.run];
  if (is && (was?.phase !== is.phase || was.round !== is.round)) {
    all.push({ event: "round.started", detail: { phase: is.phase, round: is.round, of: is.of, left_ms: is.left_ms } });
  }
  if (is && !was && now.running) all.push({ event: "method.started", detail: { method: now.running.method.id, question: now.running.question } });
  if (was && !is) all.push({ event: "method.ended", detail: {} });
  return all;
}

function refused(message: Extract<ServerMessage, { type: "error" }>): Happening {
  const { code, text, fatal } = message;
  const retry_after_ms = code === "too-fast" ? 2_000 : null;
  return { event: "error", detail: { code: code as Events["error"]["code"], text, fatal, retry_after_ms } };
}

function method(before: RoomState, now: RoomState): Happening[] {
  const all: Happening[] = [];
  if (now.running && !before.running) {
    all.push({ event: "method.started", detail: { method: now.running.method.id, question: now.running.question } });
  }
  if (before.running && !now.running) all.push({ event: "method.ended", detail: {} });
  const [was, is] = [before.step?.run, now.step?.run];
  if (is && (was?.phase !== is.phase || was.round !== is.round)) {
    all.push({ event: "round.started", detail: { phase: is.phase, round: is.round, of: is.of, left_ms: is.left_ms } });
  }
  return all;
}

/** Another room, or the first one. */
function moved(was: WireRoom | null, is: WireRoom, now: RoomState): Happening[] {
  const all: Happening[] = [];
  const [small, wasSmall] = [!isMainRoom(is.room), was !== null && !isMainRoom(was.room)];
  if (small && !wasSmall) all.push({ event: "rooms.opened", detail: { count: null } });
  if (!small && wasSmall) all.push({ event: "rooms.closed", detail: {} });
  if (was) {
    const people = is.people.filter((it) => it.present).map((it) => it.participant);
    all.push({ event: "room.changed", detail: { room: is.room, reason: now.arrival?.reason ?? null, people } });
  }
  return all;
}

function inside(was: WireRoom, is: WireRoom): Happening[] {
  const all: Happening[] = [];
  const [before, now] = [byNumber(was), byNumber(is)];
  for (const [participant, person] of now) {
    const old = before.get(participant);
    if (!old) all.push({ event: "person.joined", detail: { participant, name: person.name } });
    else if (differs(old, person)) {
      const { microphone, camera, consent, present } = person;
      all.push({ event: "person.updated", detail: { participant, microphone, camera, consent, present } });
    }
  }
  for (const participant of before.keys()) {
    if (!now.has(participant)) all.push({ event: "person.left", detail: { participant } });
  }
  if (was.hands.join() !== is.hands.join()) all.push({ event: "hand.changed", detail: { hands: is.hands } });
  if (was.sharing !== is.sharing) all.push({ event: "screen.changed", detail: { participant: is.sharing } });
  all.push(...calls(was.calls, is.calls, () => is.room));
  return all;
}

function calls(was: readonly WireCall[], is: readonly WireCall[], room: (participant: number) => string): Happening[] {
  const all: Happening[] = [];
  for (const { participant, seen } of is) {
    const old = was.find((it) => it.participant === participant);
    if (!old) all.push({ event: "help.requested", detail: { participant, room: room(participant) } });
    if (seen && !old?.seen) all.push({ event: "help.answered", detail: { participant } });
  }
  return all;
}

function byNumber(room: WireRoom): Map<number, WirePerson> {
  return new Map(room.people.map((it) => [it.participant, it]));
}

function differs(a: WirePerson, b: WirePerson): boolean {
  return a.microphone !== b.microphone || a.camera !== b.camera || a.consent !== b.consent || a.present !== b.present;
}
