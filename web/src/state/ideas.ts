// The ideas before a page: what has been told of them, what is left to choose and to vote with. Pure; it
// never draws and never sends.
import type { ServerMessage, Vote, WireIdea, WireStage } from "../wire/wire";

export interface Ideas {
  stage: WireStage;
  ideas: readonly WireIdea[];
  /** Of those who let theirs be known. */
  names: ReadonlyMap<number, string>;
  /** One's own votes, by idea. */
  own: ReadonlyMap<number, number>;
  /** How many have voted, where one may know. */
  voters: number | null;
}

type Told<T extends ServerMessage["type"]> = Extract<ServerMessage, { type: T }>;

export function ideasTold({ stage, ideas, names, own_votes }: Told<"ideas">): Ideas {
  return {
    stage,
    ideas,
    names: new Map(names.map((it) => [it.participant, it.name])),
    own: new Map(own_votes.map((it) => [it.idea, it.votes])),
    voters: null,
  };
}

export function withOwnVotes(ideas: Ideas | null, { votes }: Told<"own-votes">): Ideas | null {
  return ideas && { ...ideas, own: new Map(votes.map((it) => [it.idea, it.votes])) };
}

/** Ideas that are not named have none. */
export function withTally(ideas: Ideas | null, { votes, voters }: Told<"tally">): Ideas | null {
  if (!ideas) return null;
  const counted = new Map(votes.map((it) => [it.idea, it.votes]));
  return { ...ideas, voters, ideas: ideas.ideas.map((it) => ({ ...it, votes: counted.get(it.idea) ?? 0 })) };
}

/** Once the method is over what was chosen stays to be read; what a room had before it does not. */
export function lasting(ideas: Ideas | null): Ideas | null {
  return ideas?.stage === "result" ? ideas : null;
}

export function votesLeft(vote: Vote, ideas: Ideas): number {
  return vote.each - sum(ideas.own.values());
}

/** How many more votes may go to ideas one has had a part in; null: as many as are left. */
export function ownVotesLeft(vote: Vote, ideas: Ideas): number | null {
  if (vote.own === null || vote.own === undefined) return null;
  const mine = ideas.ideas.filter((it) => it.mine).map((it) => ideas.own.get(it.idea) ?? 0);
  return vote.own - sum(mine);
}

/** How many votes may lie on an idea now, with those that do. */
export function mostVotes(vote: Vote, ideas: Ideas, idea: WireIdea): number {
  const now = ideas.own.get(idea.idea) ?? 0;
  const own = idea.mine ? ownVotesLeft(vote, ideas) : null;
  const left = Math.min(votesLeft(vote, ideas), own ?? vote.each);
  return Math.min(vote.same, now + Math.max(0, left));
}

/** Ideas that stand under one name. */
export interface Group {
  /** Null: those that stand by themselves. */
  name: string | null;
  ideas: readonly WireIdea[];
}

/** In the order of their coming, those that stand by themselves last. */
export function grouped(ideas: readonly WireIdea[]): Group[] {
  const groups = new Map<string | null, WireIdea[]>();
  for (const it of ideas) groups.set(it.group, [...(groups.get(it.group) ?? []), it]);
  const all = [...groups].map(([name, of]) => ({ name, ideas: of }));
  return [...all.filter((it) => it.name !== null), ...all.filter((it) => it.name === null)];
}

/** What the field for a combined idea begins with: all words, to be made into a sentence. */
export function together(ideas: readonly WireIdea[], chars_max: number): string {
  const texts = ideas.map((it) => it.text.trim().replace(/[.;,]$/, "")).filter((it) => it !== "");
  return texts.join("; ").slice(0, chars_max);
}

function sum(of: Iterable<number>): number {
  return [...of].reduce((all, it) => all + it, 0);
}
