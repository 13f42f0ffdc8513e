// One's own devices while the browser asks the person, who may have gone meanwhile. The browser is stood in
// for: it gives what it is asked for when the test says so.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LocalMedia } from "../src/media/local.svelte";
import { Participation } from "../src/state/participation.svelte";

class Track extends EventTarget {
  readyState = "live";
  enabled = true;
  muted = false;
  constructor(
    readonly kind: "audio" | "video",
    readonly label: string,
  ) {
    super();
  }
  stop(): void {
    this.readyState = "ended";
  }
  /** As the system does. */
  mute(on: boolean): void {
    this.muted = on;
    this.dispatchEvent(new Event(on ? "mute" : "unmute"));
  }
  getSettings() {
    return { deviceId: this.label };
  }
}

/** Every track that was ever given, and the answers the person still owes. */
let given: Track[] = [];
let answers: (() => void)[] = [];
let devices: { kind: string; deviceId: string; label: string }[] = [];
const media = Object.assign(new EventTarget(), {
  getUserMedia: (want: MediaStreamConstraints) => {
    const kinds = [want.audio ? ("audio" as const) : null, want.video ? ("video" as const) : null];
    const tracks = kinds.filter((it) => it !== null).map((it) => new Track(it, it === "audio" ? "head" : "cam"));
    const of = (kind: string) => tracks.filter((it) => it.kind === kind);
    return new Promise((resolve) =>
      answers.push(() => {
        given.push(...tracks);
        resolve({ getAudioTracks: () => of("audio"), getVideoTracks: () => of("video") });
      }),
    );
  },
  enumerateDevices: async () => devices,
});

const live = () => given.filter((it) => it.readyState === "live").map((it) => it.kind);

/** Until all that follows from it is done. */
async function allows(): Promise<void> {
  for (const answer of answers.splice(0)) answer();
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

let opened: LocalMedia[] = [];

function own(): LocalMedia {
  const local = new LocalMedia(false);
  opened.push(local);
  return local;
}

beforeEach(() => {
  [given, answers, devices] = [[], [], []];
  vi.stubGlobal("navigator", { mediaDevices: media });
});
afterEach(() => {
  opened.splice(0).forEach((it) => it.close());
  vi.unstubAllGlobals();
});

describe("what was let go while the browser asked is not on when it comes", () => {
  test("both at once", async () => {
    const local = own();
    const opening = local.open({ microphone: true, camera: true });
    local.close();
    await allows();
    await opening;
    expect([live(), local.microphone, local.camera]).toEqual([[], null, null]);
  });

  test("one of the two", async () => {
    const local = own();
    void local.open({ microphone: true, camera: true });
    local.closeCamera();
    await allows();
    expect(live()).toEqual(["audio"]);
  });

  test("whoever has opened it is told that it is not", async () => {
    const local = own();
    const asked = [local.openMicrophone(), local.openCamera()];
    local.closeMicrophone();
    local.closeCamera();
    await allows();
    expect(await Promise.all(asked)).toEqual([false, false]);
    expect(live()).toEqual([]);
  });

  test("a choice of another microphone", async () => {
    const local = own();
    void local.openMicrophone();
    void local.chooseMicrophone("head");
    local.close();
    await allows();
    await allows();
    expect(live()).toEqual([]);
  });

  test("but what is asked for after that is", async () => {
    const local = own();
    const before = local.openMicrophone();
    local.closeMicrophone();
    const after = local.openMicrophone();
    await allows();
    expect(await Promise.all([before, after])).toEqual([false, true]);
    expect(live()).toEqual(["audio"]);
  });
});

test("a device that is off stays off when it is plugged in again", async () => {
  const local = own();
  const plug = async (...there: string[]) => {
    devices = there.map((it) => ({ kind: it === "cam" ? "videoinput" : "audioinput", deviceId: it, label: it }));
    media.dispatchEvent(new Event("devicechange"));
    await allows();
  };
  await plug("head", "cam");
  void local.chooseMicrophone("head");
  void local.chooseCamera("cam");
  await allows();
  await allows();
  expect(live()).toEqual(["video", "audio"]);
  local.closeMicrophone();
  local.closeCamera();
  await plug();
  await plug("head", "cam");
  await allows();
  expect(live()).toEqual([]);
});

describe("a person in a room whom the browser asks", () => {
  let person: Participation;
  beforeEach(() => {
    const page = new EventTarget();
    vi.stubGlobal("window", {});
    vi.stubGlobal("document", page);
    vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
    vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
    person = new Participation("s", "t", own());
    person.phase = "in-room";
  });

  test.each(["leave", "end"] as const)("has neither microphone nor camera on after %s", async (gone) => {
    const pressed = [person.setMicrophone(true), person.setCamera(true)];
    person[gone]();
    await allows();
    await Promise.all(pressed);
    expect(live()).toEqual([]);
    expect([person.microphoneOn, person.cameraOn]).toEqual([false, false]);
  });

  describe("and to whom a call comes", () => {
    const said: boolean[] = [];
    beforeEach(async () => {
      said.length = 0;
      vi.stubGlobal("location", { protocol: "https:", host: "vuoro.example" });
      vi.stubGlobal(
        "WebSocket",
        class {
          static OPEN = 1;
          readyState = 1;
          close(): void {}
          send(text: string): void {
            const { type, on } = JSON.parse(text);
            if (type === "set-microphone") said.push(on);
          }
        },
      );
      person.join({ name: "Alice", language: "fi", consent: null });
      person.phase = "in-room";
      void person.setMicrophone(true);
      await allows();
    });

    test("is off for the others until it is over, and wished for all the while", () => {
      given[0]?.mute(true);
      expect([person.local.interrupted, person.microphoneOn]).toEqual([true, true]);
      given[0]?.mute(false);
      expect([person.local.interrupted, said]).toEqual([false, [true, false, true]]);
    });

    test("stays off who has switched it off meanwhile", async () => {
      given[0]?.mute(true);
      await person.setMicrophone(false);
      given[0]?.mute(false);
      expect(said).toEqual([true, false, false]);
    });

    test("is not interrupted by a microphone that was let go", () => {
      given[0]?.mute(true);
      person.local.closeMicrophone();
      expect(person.local.interrupted).toBe(false);
    });
  });
});
