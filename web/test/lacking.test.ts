// A room's text whose library does not come: the person is told, and what waits for it is bounded.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import * as Yjs from "yjs";
import { Together } from "../src/state/together.svelte";

let fails: number;
let page: Together;
beforeEach(() => {
  vi.useFakeTimers();
  page = new Together({ send: () => true, people: () => 2, left_ms: () => null }, () => {
    fails -= 1;
    return fails >= 0 ? Promise.reject(new Error("not fetched")) : Promise.resolve(Yjs);
  });
});
afterEach(() => void vi.useRealTimers());

/** As the server tells it: in base64. */
function sheet(text: string): string {
  const doc = new Yjs.Doc();
  doc.getText("text").insert(0, text);
  return Buffer.from(Yjs.encodeStateAsUpdate(doc)).toString("base64");
}

/** Another `times` in vain, or as it comes. */
async function asks(times: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(times * 3_000);
}

test("the person is told when it has been asked for twice, until it comes", async () => {
  fails = 3;
  page.told(1, 1, sheet("Puita"), false);
  await asks(0);
  expect(page.lacking).toBe(false);
  await asks(1);
  expect([page.lacking, page.ready]).toEqual([true, false]);
  await asks(2);
  expect([page.lacking, page.ready, page.text]).toEqual([false, true, "Puita"]);
});

test("of more than can wait nothing is kept but that there was something, until all is told anew", async () => {
  fails = 2;
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
