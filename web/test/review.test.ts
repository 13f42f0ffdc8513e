// The review page's rules: which rows of a long list are there, and the marks that people have set.
import { describe, expect, test } from "vitest";
import { counted, hasSet, withMark } from "../src/state/marks";
import { sessionOf } from "../src/state/reviewing.svelte";
import { inSight, pagesOf } from "../src/state/windowed";

describe("a list of a hundred thousand lines", () => {
  test("has only the rows in sight, and a few around them", () => {
    const sight = inSight(100_000, 90, -4_500_000, 900);
    expect(sight).toEqual({ first: 49_992, end: 50_018 });
    expect(pagesOf(sight, 50)).toEqual([999, 1000]);
  });

  test("ends where it ends", () => {
    expect(inSight(3, 90, 200, 900)).toEqual({ first: 0, end: 3 });
    expect(inSight(100, 90, -90_000, 900)).toEqual({ first: 100, end: 100 });
    expect(inSight(0, 90, 0, 900)).toEqual({ first: 0, end: 0 });
    expect(inSight(10, 0, 0, 900)).toEqual({ first: 0, end: 0 });
    expect(pagesOf({ first: 100, end: 100 }, 50)).toEqual([]);
  });
});

describe("marks", () => {
  const what = { participant: 2, start_ms: 900 };

  test("are counted, each person's once, and taken back", () => {
    let marked = withMark(new Map(), { ...what, by: 1, mark: "idea", on: true });
    marked = withMark(marked, { ...what, by: 1, mark: "idea", on: true });
    marked = withMark(marked, { ...what, by: 3, mark: "worry", on: true });
    expect(counted(marked.get("2:900"))).toEqual([
      { mark: "worry", count: 1 },
      { mark: "idea", count: 1 },
    ]);
    expect(hasSet(marked.get("2:900"), 1, "idea")).toBe(true);
    expect(hasSet(marked.get("2:900"), 2, "idea")).toBe(false);
    marked = withMark(marked, { ...what, by: 1, mark: "idea", on: false });
    marked = withMark(marked, { ...what, by: 3, mark: "worry", on: false });
    expect(marked.size).toBe(0);
  });
});

describe("a token", () => {
  test("names its session, and nonsense names none", () => {
    const body = btoa(JSON.stringify({ sid: "01J", role: "reviewer" })).replaceAll("=", "");
    expect(sessionOf(`x.${body}.y`)).toBe("01J");
    for (const it of ["", "a.b", "a.!.c", `x.${btoa("5")}.y`]) expect(sessionOf(it)).toBe(null);
  });
});
