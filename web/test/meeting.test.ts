// Who met whom, counted from the outline of a session that was held.
import { expect, test } from "vitest";
import { figures, metBy, namedLike, otherwise, rounds, satWith, whoMetWhom } from "../src/state/meeting";
import type { OutlineStep } from "../src/wire/wire";

const [ALICE, BOB, CHAO, DANA, EERO] = [1, 2, 3, 4, 5];
const people = [ALICE, BOB, CHAO, DANA, EERO].map((participant) => ({ participant, name: String(participant), named: true }));
function step(round: number, rooms: number[][]): OutlineStep {
  return { at_ms: round * 60_000, run: 0, phase: 1, round, rooms };
}
const STEPS = [step(0, []), step(0, [[CHAO, ALICE], [BOB, DANA]]), step(1, [[ALICE, BOB], [CHAO, DANA]])];
const outline = {
  people,
  steps: STEPS,
  met: [[ALICE, CHAO, 1], [BOB, DANA, 2], [ALICE, BOB, 1], [CHAO, DANA, 1]] as [number, number, number][],
};

test("those who sat together first stand beside each other, who met nobody last", () => {
  expect(whoMetWhom(outline).people).toEqual([CHAO, ALICE, BOB, DANA, EERO]);
});

test("pairs are counted once, from both sides alike", () => {
  const met = whoMetWhom(outline);
  expect(figures(met.rows)).toEqual({ pairs: 10, met: 4, again: 1, median: 2, fewest: 0, most: 2, nobody: 1 });
  expect(metBy(met, DANA)).toEqual([
    { participant: BOB, times: 2 },
    { participant: CHAO, times: 1 },
  ]);
  expect(metBy(met, 9)).toEqual([]);
});

test("of an even number the middle lies between two", () => {
  const rows = [[0, 1, 1, 1], [1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]].map((it) => Uint8Array.from(it));
  expect(figures(rows).median).toBe(1);
  const uneven = [[0, 1, 1, 1], [1, 0, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]].map((it) => Uint8Array.from(it));
  expect(figures(uneven).median).toBe(2);
  expect(figures([])).toEqual({ pairs: 0, met: 0, again: 0, median: 0, fewest: 0, most: 0, nobody: 0 });
});

test("a person whom the log tells nothing of is no reason to fail", () => {
  const met = whoMetWhom({ ...outline, met: [[ALICE, 77, 1], [ALICE, ALICE, 1]] });
  expect(figures(met.rows).met).toBe(0);
});

test("a step that leaves people where they are is no round", () => {
  expect(rounds(STEPS).map((it) => [it.round, it.of])).toEqual([[0, 2], [1, 2]]);
});

test("one person's rounds have their rooms and companions, and whom the host brought stands beside", () => {
  const held = rounds(STEPS);
  expect(satWith(held, CHAO)).toEqual([
    { round: 0, room: 0, others: [ALICE] },
    { round: 1, room: 1, others: [DANA] },
  ]);
  expect(satWith(held, EERO)).toEqual([]);
  const met = whoMetWhom({ ...outline, met: [...outline.met, [CHAO, EERO, 1]] });
  expect(otherwise(metBy(met, CHAO), satWith(held, CHAO))).toEqual([EERO]);
  expect(otherwise(metBy(met, EERO), satWith(held, EERO))).toEqual([CHAO]);
});

test("a person is found by how any part of their name begins, typed with or without accents", () => {
  const names = ["Maija-Liisa Öztürk-Korhonen", "Öhman Bo", "Oona Kallio"];
  const found = (words: string) => namedLike([0, 1, 2], (it) => names[it] ?? "", words).map((it) => names[it]);
  expect(found("korh")).toEqual([names[0]]);
  expect(found("OZT maija")).toEqual([names[0]]);
  expect(found("öhm")).toEqual([names[1]]);
  expect(found("o")).toEqual(names);
  expect(found("liisa kallio")).toEqual([]);
  expect(found(" - ")).toEqual([]);
});
