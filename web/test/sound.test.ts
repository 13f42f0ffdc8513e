// The sound of the others when something else takes it, such as a call. Elements are stood in for.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Sound } from "../src/media/sound";

class Element extends EventTarget {
  srcObject: unknown = null;
  paused = true;
  ended = false;
  plays = 0;
  async play(): Promise<void> {
    this.plays += 1;
    if (refuses) throw Object.assign(new Error(), { name: "NotAllowedError" });
    this.paused = false;
  }
  pause(): void {
    this.paused = true;
    this.dispatchEvent(new Event("pause"));
  }
  remove(): void {}
}

let refuses = false;
let element: Element;
let blocked: boolean[];
let sound: Sound;
beforeEach(async () => {
  vi.useFakeTimers();
  [refuses, blocked, element] = [false, [], new Element()];
  vi.stubGlobal("MediaStream", class {});
  vi.stubGlobal("document", { createElement: () => element, body: { append: () => undefined } });
  sound = new Sound((it) => blocked.push(it));
  sound.play([{} as MediaStreamTrack]);
  await vi.advanceTimersByTimeAsync(1);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("what something else has stopped is played again", async () => {
  element.pause();
  await vi.advanceTimersByTimeAsync(1_000);
  expect([element.paused, blocked]).toEqual([false, []]);
});

test("while the own microphone is muted nothing is, and then all of it", async () => {
  element.pause();
  sound.wait(true);
  await vi.advanceTimersByTimeAsync(5_000);
  sound.again();
  expect(element.plays).toBe(1);
  sound.wait(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(element.paused).toBe(false);
});

test("what stays stopped is told, until it plays when the page is seen again", async () => {
  refuses = true;
  element.pause();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(blocked).toEqual([true]);
  refuses = false;
  sound.again();
  await vi.advanceTimersByTimeAsync(1);
  expect(blocked).toEqual([true, false]);
});

test("what is over or closed stays so", async () => {
  element.ended = true;
  element.pause();
  await vi.advanceTimersByTimeAsync(1_000);
  element.ended = false;
  await element.play();
  sound.close();
  await vi.advanceTimersByTimeAsync(1_000);
  expect([element.paused, element.plays]).toEqual([true, 2]);
});
