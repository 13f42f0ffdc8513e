// A room's text whose library does not come: the person is told, and what waits for it is bounded.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type * as Yjs from "yjs";
import { Together } from "../src/state/together.svelte";

const fetched = vi.hoisted(() => ({ fails: 0 }));
vi.mock("yjs", (original) => {
  fetched.fails -= 1;
  if (fetched.fails >= 0) throw new Error("not fetched");
  return original();
});

let page: Together;
beforeEach(() => {
  vi.resetModules();
  vi.useFakeTimers();
  page = new Together({ send: () => true, people: () => 2, left_ms: () => null });
});
afterEach(() => void vi.useRealTimers());

const { Doc, encodeStateAsUpdate } = await vi.importActual<typeof Yjs>("yjs");

/** As the server tells it: in base64. */
function sheet(text: string): string {
  const doc = new Doc();
  doc.getText("text").insert(0, text);
  return Buffer.from(encodeStateAsUpdate(doc)).toString("base64");
}

/** Another `times` in vain, or as it comes. */
async function asks(times: number): Promise<void> {
  for (let at = 0; at < times; at += 1) {
    await vi.dynamicImportSettled();
    await vi.advanceTimersByTimeAsync(3_000);
  }
  await vi.dynamicImportSettled();
}

test("the person is told when it has been asked for twice, until it comes", async () => {
  fetched.fails = 3;
  page.told(1, 1, sheet("Puita"), false);
  await asks(0);
  expect(page.lacking).toBe(false);
  await asks(1);
  expect([page.lacking, page.ready]).toEqual([true, false]);
  await asks(2);
  expect([page.lacking, page.ready, page.text]).toEqual([false, true, "Puita"]);
});

test("of more than can wait nothing is kept but that there was something, until all is told anew", async () => {
  fetched.fails = 2;
  const heard = (times: number) => Array.from({ length: times }, () => page.heard(2, 7, ""));
  page.told(1, 1, sheet("Puita"), false);
  heard(400);
  page.told(1, 1, sheet("Puita"), false);
  heard(400);
  expect(page.lacking, "the sheet has in it what came before").toBe(false);
  heard(200);
  expect(page.lacking).toBe(true);
  await asks(1);
  expect([page.lacking, page.ready]).toEqual([true, false]);
  page.told(2, 2, sheet("Puita ja tori"), false);
  await asks(1);
  expect([page.lacking, page.ready, page.text]).toEqual([false, true, "Puita ja tori"]);
});
