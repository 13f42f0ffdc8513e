// What a page around the frame is told of a search: what the schema promises, in its words. It asks nothing.
import type { SearchAnswer } from "../../embed/src/words";
import type { SearchAnswer as WireAnswer } from "../wire/wire";

/** Of the review page's answer, which has more and is free to change. */
export function found({ total, hits, counts }: WireAnswer): SearchAnswer {
  return {
    total,
    hits: hits.map(({ participant, name, room, start_ms, end_ms, language, parts }) => ({
      participant,
      name,
      room,
      start_ms,
      end_ms,
      language,
      parts,
    })),
    rooms: counts.rooms.map(([room]) => room),
  };
}
