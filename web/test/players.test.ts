// The page's own player: turned down or paused while its person talks, and never turned or started
// against what the person has done to it meanwhile.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type DuckOptions, type PlayerControl, playerFor } from "../embed/src/players";

const LONG_MS = 2_000;

/** What we need of `<video>`, as browsers do it: `play` is told when it has begun. */
class FakeMedia extends EventTarget {
  volume = 0.8;
  paused = false;
  async play(): Promise<void> {
    this.paused = false;
    this.dispatchEvent(new Event("play"));
  }
  pause(): void {
    this.paused = true;
  }
}

/** A frame of YouTube or Vimeo: `said` is what it was asked for. */
class FakeFrame extends EventTarget {
  said: Record<string, unknown>[] = [];
  contentWindow = { postMessage: (text: string) => this.said.push(JSON.parse(text)) };
  constructor(readonly src: string) {
    super();
  }
  tells(data: unknown): void {
    const { origin } = new URL(this.src);
    page.dispatchEvent(Object.assign(new Event("message"), { source: this.contentWindow, origin, data: JSON.stringify(data) }));
  }
  asked(method: string): unknown[] {
    return this.said.filter((it) => (it["func"] ?? it["method"]) === method);
  }
}

let page = new EventTarget();

beforeEach(() => {
  vi.useFakeTimers();
  page = new EventTarget();
  vi.stubGlobal("HTMLMediaElement", FakeMedia);
  vi.stubGlobal("HTMLIFrameElement", FakeFrame);
  vi.stubGlobal("document", { baseURI: "https://event.example" });
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function control(it: FakeMedia | FakeFrame, how: DuckOptions["how"]): PlayerControl {
  const player = playerFor(it as unknown as Element, { how, volume: 0.1 });
  if (!player) throw new Error("no player");
  return player;
}

describe("a <video>", () => {
  const away = (video: FakeMedia, how: DuckOptions["how"], meanwhile: () => void) => {
    const player = control(video, how);
    player.duck();
    vi.advanceTimersByTime(LONG_MS);
    meanwhile();
    player.restore();
    vi.advanceTimersByTime(LONG_MS);
  };

  test("is turned down and as loud as before", () => {
    const video = new FakeMedia();
    away(video, "turn-down", () => expect(video.volume).toBeCloseTo(0.08));
    expect(video.volume).toBeCloseTo(0.8);
  });

  test("stays as loud as the person has turned it meanwhile", () => {
    const video = new FakeMedia();
    away(video, "turn-down", () => (video.volume = 0.3));
    expect(video.volume).toBeCloseTo(0.3);
  });

  test("that is turned in the middle of a fade is let be", () => {
    const video = new FakeMedia();
    const player = control(video, "turn-down");
    player.duck();
    vi.advanceTimersByTime(200);
    video.volume = 0.5;
    vi.advanceTimersByTime(LONG_MS);
    expect(video.volume).toBe(0.5);
    player.restore();
    vi.advanceTimersByTime(LONG_MS);
    expect(video.volume).toBe(0.5);
  });

  test("is as loud as at first, also when people are moved again before it is back", () => {
    const video = new FakeMedia();
    const player = control(video, "turn-down");
    for (let round = 0; round < 3; round += 1) {
      player.duck();
      vi.advanceTimersByTime(LONG_MS);
      player.restore();
      vi.advanceTimersByTime(200);
    }
    vi.advanceTimersByTime(LONG_MS);
    expect(video.volume).toBeCloseTo(0.8);
  });

  test("is paused and plays on", () => {
    const video = new FakeMedia();
    away(video, "pause", () => expect(video.paused).toBe(true));
    expect(video.paused).toBe(false);
  });

  test("that the person had paused stays paused", () => {
    const video = new FakeMedia();
    video.pause();
    away(video, "pause", () => undefined);
    expect(video.paused).toBe(true);
  });

  test("that the person has started and stopped meanwhile stays stopped", () => {
    const video = new FakeMedia();
    away(video, "pause", () => {
      void video.play();
      video.pause();
    });
    expect(video.paused).toBe(true);
  });
});

describe("a frame of somebody else's", () => {
  const youTube = () => new FakeFrame("https://www.youtube.com/embed/x?enablejsapi=1");
  const vimeo = () => new FakeFrame("https://player.vimeo.com/video/1");

  test("that was paused before is not started", () => {
    const [tube, video] = [youTube(), vimeo()];
    const players = [control(tube, "pause"), control(video, "pause")];
    tube.tells({ event: "infoDelivery", info: { playerState: 2 } });
    video.tells({ method: "getPaused", value: true });
    for (const it of players) it.duck();
    for (const it of players) it.restore();
    expect([tube.asked("playVideo"), video.asked("play")]).toEqual([[], []]);
  });

  test("that has said nothing is paused, but not started", () => {
    const video = vimeo();
    const player = control(video, "pause");
    player.duck();
    player.restore();
    expect([video.asked("pause").length, video.asked("play").length]).toEqual([1, 0]);
  });

  test("that the person has started and stopped meanwhile is not started", () => {
    const tube = youTube();
    const player = control(tube, "pause");
    for (const playerState of [1]) tube.tells({ info: { playerState } });
    player.duck();
    for (const playerState of [2, 1, 2]) tube.tells({ info: { playerState } });
    player.restore();
    expect(tube.asked("playVideo")).toEqual([]);
  });

  test("that only did as it was told plays on", () => {
    const tube = youTube();
    const player = control(tube, "pause");
    for (const playerState of [1]) tube.tells({ info: { playerState } });
    player.duck();
    // It was still loading when it was asked.
    for (const playerState of [3, 1, 2]) tube.tells({ info: { playerState } });
    player.restore();
    expect(tube.asked("playVideo").length).toBe(1);
  });

  test("stays as loud as the person has turned it meanwhile", () => {
    const tube = youTube();
    const player = control(tube, "turn-down");
    tube.tells({ info: { volume: 60 } });
    player.duck();
    for (const volume of [60, 6, 40]) tube.tells({ info: { volume } });
    player.restore();
    expect(tube.asked("setVolume").map((it) => (it as { args: number[] }).args)).toEqual([[6]]);
  });
});
