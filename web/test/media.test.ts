// What is decided about devices, pictures and push-to-talk, without any of them.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { changeOf } from "../src/media/devices";
import { HoldToTalk, LastWish, mayTalkByKey } from "../src/media/hold";
import { encodings } from "../src/media/layers";
import { NOWHERE, type RoomState } from "../src/state/room";
import { spotlight } from "../src/state/spotlight";
import { Paced, type Shown, wantedOf, wishes } from "../src/media/view";
import type { WireWanted } from "../src/wire/wire";

describe("push-to-talk", () => {
  let told: boolean[];
  let hold: HoldToTalk;
  beforeEach(() => {
    told = [];
    hold = new HoldToTalk((open) => told.push(open));
  });

  test("opens while a key is held, however often it repeats", () => {
    hold.press("key");
    hold.press("key");
    hold.release("key");
    expect(told).toEqual([true, false]);
  });

  test("stays open until the last one lets go", () => {
    hold.press("key");
    hold.press("pointer");
    hold.release("key");
    expect(hold.open).toBe(true);
    hold.release("pointer");
    expect(told).toEqual([true, false]);
  });

  test("ends when the page loses the keys, and a late release says nothing more", () => {
    hold.press("key");
    hold.letGo();
    hold.release("key");
    hold.letGo();
    expect(told).toEqual([true, false]);
  });

  test("can be switched where nothing can be held", () => {
    hold.switch();
    hold.switch();
    hold.press("key");
    hold.switch();
    expect(told).toEqual([true, false, true, false]);
  });

  test("leaves the space bar to fields, and to controls that the keyboard has come to", () => {
    const at = (field: boolean, control: boolean, reached: boolean) => mayTalkByKey({ field, control, reached });
    expect(at(false, false, false)).toBe(true);
    expect(at(true, false, false)).toBe(false);
    expect(at(true, false, true)).toBe(false);
    expect(at(false, true, false)).toBe(true);
    expect(at(false, true, true)).toBe(false);
  });
});

describe("a wish for a microphone", () => {
  function device() {
    const it = { log: [] as string[], ready: false, give: (_: boolean): void => undefined };
    const wish = new LastWish({
      ready: () => it.ready,
      wish: (on) => void it.log.push(`wish ${on}`),
      open: () => new Promise<boolean>((resolve) => (it.give = resolve)),
      done: (on) => void it.log.push(`done ${on}`),
    });
    const answer = (given: boolean) => {
      it.ready = given;
      it.give(given);
    };
    return { it, wish, answer };
  }

  test("comes true when the browser gives it", async () => {
    const { it, wish, answer } = device();
    const following = wish.follow(true);
    answer(true);
    await following;
    expect(it.log).toEqual(["wish true", "done true"]);
  });

  test("ends off when the key is let go while the browser still asks", async () => {
    const { it, wish, answer } = device();
    const pressed = wish.follow(true);
    await wish.follow(false);
    answer(true);
    await pressed;
    expect(it.log).toEqual(["wish true", "wish false", "done false"]);
  });

  test("that is refused changes nothing", async () => {
    const { it, wish, answer } = device();
    const following = wish.follow(true);
    answer(false);
    await following;
    expect(it.log).toEqual(["wish true"]);
  });

  test("of a microphone that is open comes true at once", async () => {
    const { it, wish } = device();
    it.ready = true;
    await wish.follow(true);
    await wish.follow(false);
    expect(it.log).toEqual(["wish true", "done true", "wish false", "done false"]);
  });
});

describe("a change of devices", () => {
  const built = { id: "a", label: "Built in" };
  const head = { id: "b", label: "Headset" };
  const alias = { id: "default", label: "Default – Built in" };

  test("the one in use is unplugged", () => {
    expect(changeOf([alias, built, head], [alias, built], "b", "b")).toEqual({ kind: "gone", label: "Headset" });
    expect(changeOf([built, head], [built], "", "b")).toEqual({ kind: "gone", label: "Headset" });
  });

  test("another one is unplugged", () => {
    expect(changeOf([built, head], [built], "a", "a")).toEqual({ kind: "none" });
  });

  test("the chosen one comes back", () => {
    expect(changeOf([built], [built, head], "b", "a")).toEqual({ kind: "back", device: head });
  });

  test("a new one is offered, and only by its own name", () => {
    expect(changeOf([built], [alias, built, head], "", "a")).toEqual({ kind: "new", device: head });
    expect(changeOf([built], [alias, built], "", "a")).toEqual({ kind: "none" });
  });

  test("the first list is no news", () => {
    expect(changeOf([], [built, head], "", "a")).toEqual({ kind: "none" });
  });

  test("nothing is said of a kind that is not in use but for what is new", () => {
    expect(changeOf([built, head], [built], "b", "")).toEqual({ kind: "none" });
  });
});

describe("what is wanted of a slot", () => {
  const tile = (width: number, height: number, ratio = 1, slot = 0): Shown => ({
    slot,
    width,
    height,
    ratio,
    measured: true,
    visible: true,
  });

  test.each<[number, number, number, WireWanted]>([
    [150, 112, 1, "small"],
    [110, 82, 3, "small"],
    [170, 127, 2, "medium"],
    [170, 127, 3, "medium"],
    [400, 300, 1, "medium"],
    [600, 450, 1, "large"],
    [330, 248, 3, "large"],
    [0, 0, 1, "nothing"],
  ])("a tile of %i × %i at %i pixels a pixel is %s", (width, height, ratio, wanted) => {
    expect(wantedOf(tile(width, height, ratio))).toBe(wanted);
  });

  test("a tall tile is measured by its height, as it is filled", () => {
    expect(wantedOf(tile(150, 400))).toBe("large");
  });

  test("a size at the limit does not go to and fro", () => {
    expect(wantedOf(tile(620, 340), "large")).toBe("large");
    expect(wantedOf(tile(620, 340), "medium")).toBe("medium");
    expect(wantedOf(tile(560, 300), "large")).toBe("medium");
    expect(wantedOf(tile(320, 170), "small")).toBe("small");
    expect(wantedOf(tile(370, 200), "small")).toBe("medium");
  });

  const seats = (participants: (number | null)[], most: WireWanted = "large", visible = true) => ({ participants, most, visible });

  test("hidden people are nothing, empty slots as large as the others", () => {
    expect(wishes([tile(600, 450)], seats([4, 5, null]))).toEqual(["large", "nothing", "large"]);
  });

  test("in an empty room whoever comes first is seen at once", () => {
    expect(wishes([], seats([null, null]))).toEqual(["medium", "medium"]);
  });

  test("whoever has just come is wished as large as the others until their tile is measured", () => {
    const made = { ...tile(0, 0, 1, 1), measured: false, visible: false };
    expect(wishes([tile(600, 450), made], seats([4, 5]))).toEqual(["large", "large"]);
    expect(wishes([made], seats([4, 5]))).toEqual(["nothing", "medium"]);
    expect(wishes([{ ...made, measured: true }], seats([4, 5]))).toEqual(["nothing", "nothing"]);
  });

  test("a page that cannot be seen wants nothing, unless a small window shows somebody", () => {
    const gone = { ...tile(600, 450), visible: false };
    expect(wishes([gone], seats([4, null], "large", false))).toEqual(["nothing", "nothing"]);
    expect(wishes([gone, tile(300, 225)], seats([4, 5], "large", false))).toEqual(["medium", "nothing"]);
  });

  test("sound alone wants no picture; who saves data small ones", () => {
    expect(wishes([tile(600, 450)], seats([4, null], "nothing"))).toEqual(["nothing", "nothing"]);
    expect(wishes([tile(600, 450)], seats([4, null], "small"))).toEqual(["small", "small"]);
  });
});

describe("telling what is wanted", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("at once, then at most once in a while, and the last word always", () => {
    const said: number[] = [];
    const paced = new Paced<number>(500, (it) => said.push(it) > 0);
    for (const it of [1, 2, 3]) paced.tell(it);
    expect(said).toEqual([1]);
    vi.advanceTimersByTime(499);
    expect(said).toEqual([1]);
    vi.advanceTimersByTime(1);
    expect(said).toEqual([1, 3]);
    paced.tell(3);
    vi.advanceTimersByTime(5_000);
    expect(said).toEqual([1, 3]);
    paced.tell(4);
    expect(said).toEqual([1, 3, 4]);
  });

  test("again to a server that has forgotten, and to a line that was lost", () => {
    const said: number[] = [];
    let open = false;
    const paced = new Paced<number>(500, (it) => open && said.push(it) > 0);
    paced.tell(1);
    open = true;
    paced.tell(1);
    vi.advanceTimersByTime(500);
    paced.again();
    paced.tell(1);
    expect(said).toEqual([1, 1]);
  });
});

describe("layers", () => {
  test("three sizes of one picture, bounded together", () => {
    const three = encodings(3, false);
    expect(three.map((it) => it.scaleResolutionDownBy)).toEqual([4, 2, 1]);
    expect(three.every((it) => it.active)).toBe(true);
    expect(three.reduce((sum, it) => sum + it.maxBitrate, 0)).toBeLessThanOrEqual(1_250_000);
  });

  test("one where the server asks for no more, and the smallest alone to save data", () => {
    expect(encodings(1, false)).toHaveLength(1);
    expect(encodings(1, true)[0]).toMatchObject({ scaleResolutionDownBy: 3, active: true });
    expect(encodings(3, true).map((it) => it.active)).toEqual([true, false, false]);
    expect(encodings(2, false).map((it) => it.scaleResolutionDownBy)).toEqual([2, 1]);
  });
});

describe("who is shown where only one can be", () => {
  const room = (here: number[], speaking: number[] = []): RoomState => ({
    ...NOWHERE,
    me: 1,
    room: {
      room: "main",
      people: here.map((participant) => ({
        participant,
        name: `${participant}`,
        language: "fi",
        consent: "on",
        microphone: true,
        camera: true,
        present: true,
      })),
    } as RoomState["room"],
    speaking: new Set(speaking),
  });

  test("whoever speaks, and after them nobody else until somebody does", () => {
    expect(spotlight(null, room([1, 2, 3], [3]))).toBe(3);
    expect(spotlight(3, room([1, 2, 3]))).toBe(3);
    expect(spotlight(3, room([1, 2, 3], [2]))).toBe(2);
  });

  test("nobody is taken away while they speak, and never oneself", () => {
    expect(spotlight(3, room([1, 2, 3], [2, 3]))).toBe(3);
    expect(spotlight(null, room([1, 2], [1]))).toBe(2);
    expect(spotlight(2, room([1]))).toBe(null);
    expect(spotlight(9, room([1, 2]))).toBe(2);
  });
});
