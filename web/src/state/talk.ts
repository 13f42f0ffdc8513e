// What a page knows of a room's chat and reactions, and what of it is new to the person. Pure: it
// never draws and never asks the time.
import type { WirePost, WireReaction, WireRoom } from "../wire/wire";

export const REACTIONS: readonly WireReaction[] = ["clap", "heart", "laugh", "wonder", "thumbs-up"];

/** As many as the server remembers. */
const POSTS_MAX = 100;

/** A reaction that is shown for a moment. */
export interface Shown {
  reaction: WireReaction;
  /** Counts them, so that two alike in a row are two. */
  number: number;
}

/** What a facilitator has written to all, to be shown above the room. */
export interface Broadcast {
  text: string;
  number: number;
}

export function withPost(posts: readonly WirePost[], post: WirePost): readonly WirePost[] {
  return [...posts, post].slice(-POSTS_MAX);
}

export function withReaction(
  shown: ReadonlyMap<number, Shown>,
  participant: number,
  reaction: WireReaction,
): ReadonlyMap<number, Shown> {
  const number = (shown.get(participant)?.number ?? 0) + 1;
  return new Map(shown).set(participant, { reaction, number });
}

/** How many posts of others came after `read_ms`, in session time. */
export function unread(posts: readonly WirePost[], me: number | null, read_ms: number): number {
  return posts.filter((it) => it.participant !== me && it.at_ms > read_ms).length;
}

/** Whether the post before is by the same person, so that the name need not be shown again. */
export function continuesPost(posts: readonly WirePost[], index: number): boolean {
  const [before, here] = [posts[index - 1], posts[index]];
  return before !== undefined && here !== undefined && before.participant === here.participant;
}

/** From 1 in the order in which hands went up; 0: the hand is down. */
export function placeInQueue(room: WireRoom | null, participant: number | null): number {
  return participant === null || !room ? 0 : room.hands.indexOf(participant) + 1;
}

/** The call for help that concerns a person: their own, or in a breakout room anybody's. */
export function callFor(room: WireRoom | null, me: number | null): WireRoom["calls"][number] | null {
  const own = room?.calls.find((it) => it.participant === me);
  const shared = room?.room === "main" ? undefined : room?.calls[0];
  return own ?? shared ?? null;
}
