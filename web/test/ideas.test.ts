// What a page knows of ideas, and what it lets a person do with their votes.
import { expect, test } from "vitest";
import { grouped, ideasTold, lasting, mostVotes, ownVotesLeft, together, votesLeft, withOwnVotes, withTally } from "../src/state/ideas";
import { NOWHERE, reduce } from "../src/state/room";
import type { Vote, WireIdea } from "../src/wire/wire";
import { run, step } from "./help";

const idea = (number: number, text: string, mine = false): WireIdea => ({
  idea: number,
  by: null,
  room: "room-1",
  text,
  from: [],
  mine,
  chosen: true,
  own: false,
  group: null,
  votes: null,
});
const VOTE: Vote = { each: 3, same: 2, own: 1, hidden: true };
const told = (stage: "room" | "vote" | "result") =>
  ideasTold({
    type: "ideas",
    stage,
    ideas: [idea(1, "tree", true), idea(2, "bench"), idea(3, "roof", true)],
    names: [{ participant: 4, name: "Alice" }],
    own_votes: [],
  });
const voted = (votes: [number, number][]) =>
  withOwnVotes(told("vote"), { type: "own-votes", votes: votes.map(([idea, votes]) => ({ idea, votes })) })!;

test("votes run out, on one idea, on one's own and altogether", () => {
  const before = told("vote");
  expect([votesLeft(VOTE, before), ownVotesLeft(VOTE, before)]).toEqual([3, 1]);
  expect(before.ideas.map((it) => mostVotes(VOTE, before, it))).toEqual([1, 2, 1]);
  const after = voted([[1, 1], [2, 1]]);
  expect([votesLeft(VOTE, after), ownVotesLeft(VOTE, after)]).toEqual([1, 0]);
  expect(after.ideas.map((it) => mostVotes(VOTE, after, it))).toEqual([1, 2, 0]);
  const all = voted([[2, 2], [1, 1]]);
  expect(all.ideas.map((it) => mostVotes(VOTE, all, it))).toEqual([1, 2, 0]);
  expect(ownVotesLeft({ each: 3, same: 1, own: null, hidden: false }, before)).toBeNull();
});

test("a tally tells each idea's votes, also none", () => {
  const seen = withTally(told("vote"), { type: "tally", votes: [{ idea: 2, votes: 4 }], voters: 3 });
  expect(seen?.ideas.map((it) => it.votes)).toEqual([0, 4, 0]);
  expect(seen?.voters).toBe(3);
});

test("ideas stand under their groups, and those without one last", () => {
  const in_group = (number: number, group: string | null) => ({ ...idea(number, "x"), group });
  const groups = grouped([in_group(1, null), in_group(2, "Green"), in_group(3, "Play"), in_group(4, "Green")]);
  expect(groups.map((it) => [it.name, it.ideas.map((one) => one.idea)])).toEqual([
    ["Green", [2, 4]],
    ["Play", [3]],
    [null, [1]],
  ]);
  expect(grouped([])).toEqual([]);
});

test("what is combined begins with all words, cut to what fits", () => {
  expect(together([idea(1, "A tree. "), idea(2, "a bench"), idea(3, "")], 300)).toBe("A tree; a bench");
  expect(together([idea(1, "tree"), idea(2, "bench")], 6)).toBe("tree; ");
});

test("another step, and what lay before the room is gone; the result stays when the method is over", () => {
  const ours = step({ run: run({ phase: 1 }) });
  const over = { type: "method", method: null, question: "", warn_ms: 0 } as const;
  let room = reduce(NOWHERE, { type: "step", ...ours });
  room = { ...room, ideas: told("room") };
  expect(reduce(room, { type: "step", ...ours, own_ready: true }).ideas).not.toBeNull();
  expect(reduce(room, { type: "step", ...ours, run: run({ phase: 2 }) }).ideas).toBeNull();
  expect(reduce(room, over).ideas).toBeNull();
  expect(reduce({ ...room, ideas: told("result") }, over).ideas).toEqual(told("result"));
  expect(lasting(null)).toBeNull();
});
