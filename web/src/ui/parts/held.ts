// Why a person's microphone is held off just now, in words. Pure.
import type { Texts } from "../../languages";
import type { RoomState } from "../../state/room";
import { heldBecause, nameOf } from "../../state/steps";
import type { WireLanguage } from "../../wire/wire";

/** Empty while nothing is held. */
export function heldWords(texts: Texts, language: WireLanguage, room: RoomState): string {
  const held = heldBecause(room.running, room.step);
  const words = texts.steps.held;
  if (!held) return "";
  switch (held.why) {
    case "turn":
      return words.turn(nameOf(room.room, held.participant));
    case "roles":
      return words.roles(held.roles.map((it) => room.running?.method.roles[it]?.name[language] ?? ""));
    default:
      return words[held.why];
  }
}
