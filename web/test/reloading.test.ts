// A page that lacks a part of itself: when it asks again, when it is loaded again, when the person is told.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { countReload, forgetReloads, nextAfter, reloads } from "../src/connection/reloading";

let kept: Map<string, string>;
beforeEach(() => {
  kept = new Map();
  vi.stubGlobal("sessionStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  });
});
afterEach(() => void vi.unstubAllGlobals());

/** What is done about so many failures, one after another, when nothing ever helps. */
function done(failures: number, answers = true): string[] {
  const all: string[] = [];
  for (let asked = 1; all.length < failures; asked += 1) {
    const next = nextAfter(asked, reloads(), answers);
    all.push(next);
    if (next !== "reload") continue;
    expect(countReload()).toBe(true);
    asked = 0;
  }
  return all;
}

test("it asks again, is loaded again three times, and then the person is told", () => {
  const page = ["ask", "reload"];
  expect(done(9)).toEqual([...page, ...page, ...page, "ask", "tell", "tell"]);
  forgetReloads();
  expect(done(2)).toEqual(page);
});

test("a page that would not come back stays", () => {
  expect(done(3, false)).toEqual(["ask", "tell", "tell"]);
});

test("where nobody can count, the person decides", () => {
  vi.stubGlobal("sessionStorage", undefined);
  expect(reloads()).toBe(null);
  expect(countReload()).toBe(false);
  expect(done(3)).toEqual(["ask", "tell", "tell"]);
  expect(forgetReloads).not.toThrow();
});
