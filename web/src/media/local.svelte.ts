// A person's own microphone, camera and loudspeaker: opening, switching, letting go, and going on with
// another one when the one in use is unplugged. It never sends anything anywhere; `peer.ts` does.
import { type DeviceChange, type Listed, changeOf } from "./devices";
import { PICTURE } from "./layers";
import { type CameraProblem, type DeviceProblem, cameraProblemOf, problemOf } from "./problem";

export interface Choices {
  microphones: MediaDeviceInfo[];
  cameras: MediaDeviceInfo[];
  speakers: MediaDeviceInfo[];
}

export type DeviceKind = "microphone" | "camera" | "speaker";

/** What has happened to the devices, to be told calmly. */
export interface DeviceNotice {
  kind: Exclude<DeviceChange["kind"], "none">;
  device: DeviceKind;
  /** As the browser names it. */
  label: string;
  /** Of the one that is new. */
  id: string;
}

/** What a browser does to the sound of a microphone. */
export type Cleaning = "noiseSuppression" | "echoCancellation" | "autoGainControl";
export const CLEANINGS: readonly Cleaning[] = ["noiseSuppression", "echoCancellation", "autoGainControl"];

const LISTS = { microphone: "microphones", camera: "cameras", speaker: "speakers" } as const;
const NOTHING: Choices = { microphones: [], cameras: [], speakers: [] };

export class LocalMedia {
  /** Open and running; null while off or not to be had. */
  microphone = $state.raw<MediaStreamTrack | null>(null);
  camera = $state.raw<MediaStreamTrack | null>(null);
  problem = $state<DeviceProblem | null>(null);
  cameraProblem = $state<CameraProblem | null>(null);
  choices = $state.raw<Choices>(NOTHING);
  /** In use, for the pickers. */
  microphoneId = $state("");
  cameraId = $state("");
  speakerId = $state("");
  opening = $state(false);
  notice = $state.raw<DeviceNotice | null>(null);
  /** As wished; what a browser cannot do it does not do. */
  cleaning = $state.raw<Readonly<Record<Cleaning, boolean>>>({
    noiseSuppression: true,
    echoCancellation: true,
    autoGainControl: true,
  });
  /** Whether the person wants to be heard, as their button says. */
  wished = $state(true);
  /** Whether the microphone is off for now whatever the person wants. */
  held = $state(false);
  /** The system has muted the open microphone, as phones do during a call: it gives silence. */
  interrupted = $state(false);
  /** Told after a track was opened or let go, so that what is sent follows. */
  changed: () => void = () => undefined;
  /** Told when the chosen loudspeaker is gone or there again. */
  speakerChanged: (id: string) => void = () => undefined;
  /** Told when the system mutes the microphone, and when it lets go of it. */
  interruptedChanged: (on: boolean) => void = () => undefined;
  /** What the person has picked, kept for when it is there again. */
  #chosen: Record<DeviceKind, string> = { microphone: "", camera: "", speaker: "" };
  #asking: Promise<boolean> | null = null;
  /** How often each was let go: what was asked for before comes for nobody any more. */
  #turn: Record<DeviceKind, number> = { microphone: 0, camera: 0, speaker: 0 };

  /** `raw`: no echo cancelling, noise suppression or gain control. Tests measure sound with it. */
  constructor(raw: boolean) {
    if (raw) this.cleaning = { noiseSuppression: false, echoCancellation: false, autoGainControl: false };
    navigator.mediaDevices?.addEventListener("devicechange", this.#plugged);
  }

  static get possible(): boolean {
    return typeof navigator.mediaDevices?.getUserMedia === "function";
  }

  static get speakerCanBeChosen(): boolean {
    return "setSinkId" in HTMLMediaElement.prototype;
  }

  static canClean(cleaning: Cleaning): boolean {
    return navigator.mediaDevices?.getSupportedConstraints()[cleaning] === true;
  }

  /** Whether the browser will give the microphone without asking the person. */
  static async alreadyAllowed(): Promise<boolean> {
    try {
      const name = "microphone" as PermissionName;
      return (await navigator.permissions.query({ name })).state === "granted";
    } catch {
      return false;
    }
  }

  /** Opens what is wanted, asking the person once where the browser can. A missing camera is no reason
   * to be without a microphone. */
  async open(want: { microphone: boolean; camera: boolean }): Promise<void> {
    const microphone = want.microphone && !this.microphone;
    const camera = want.camera && !this.camera;
    const turn = { ...this.#turn };
    if (microphone && camera && LocalMedia.possible) {
      this.opening = true;
      try {
        const stream = await navigator.mediaDevices.getUserMedia({
          audio: this.#sound(this.#chosen.microphone),
          video: this.#picture(this.#chosen.camera),
        });
        this.#takeMicrophone(stream.getAudioTracks()[0] ?? null, turn.microphone);
        this.#takeCamera(stream.getVideoTracks()[0] ?? null, turn.camera);
        this.problem = null;
        this.cameraProblem = null;
        await this.#refresh();
        return;
      } catch {
        // Which of the two failed is found by asking for each.
      } finally {
        this.opening = false;
      }
    }
    if (microphone && turn.microphone === this.#turn.microphone) await this.openMicrophone();
    if (camera && turn.camera === this.#turn.camera && this.problem !== "insecure") await this.openCamera();
  }

  /** Whoever asks again while the browser still waits for the person's answer gets the same answer. */
  openMicrophone(): Promise<boolean> {
    if (this.#asking) return this.#asking;
    const asking = this.#openMicrophone().finally(() => {
      if (this.#asking === asking) this.#asking = null;
    });
    this.#asking = asking;
    return asking;
  }

  async openCamera(): Promise<boolean> {
    if (!LocalMedia.possible) {
      this.problem = "insecure";
      return false;
    }
    const turn = this.#turn.camera;
    this.opening = true;
    try {
      const stream = await given((id) => ({ video: this.#picture(id) }), this.#chosen.camera);
      this.#takeCamera(stream.getVideoTracks()[0] ?? null, turn);
      this.cameraProblem = null;
    } catch (error) {
      this.cameraProblem = cameraProblemOf(error);
    } finally {
      this.opening = false;
    }
    await this.#refresh();
    return this.camera !== null && turn === this.#turn.camera;
  }

  /** Also one that the browser still asks the person about. */
  closeMicrophone(): void {
    this.#turn.microphone += 1;
    this.#asking = null;
    this.#takeMicrophone(null);
  }

  /** Silences or opens the microphone by the person's own wish, also one that is still being opened. */
  wish(on: boolean): void {
    this.wished = on;
    this.#followWish();
  }

  /** Holds the microphone off, and later lets it be again as the person wishes. */
  hold(on: boolean): void {
    this.held = on;
    this.#followWish();
  }

  /** Off means off: the camera's light goes out, and does not come on when permission comes later. */
  closeCamera(): void {
    this.#turn.camera += 1;
    this.#takeCamera(null);
  }

  async chooseMicrophone(id: string): Promise<void> {
    this.#chosen.microphone = id;
    this.microphoneId = id;
    this.notice = null;
    const turn = this.#turn.microphone;
    await this.#asking;
    if (turn === this.#turn.microphone) await this.openMicrophone();
  }

  async chooseCamera(id: string): Promise<void> {
    this.#chosen.camera = id;
    this.cameraId = id;
    this.notice = null;
    await this.openCamera();
  }

  chooseSpeaker(id: string): void {
    this.#chosen.speaker = id;
    this.speakerId = id;
    this.notice = null;
    this.speakerChanged(id);
  }

  /** Takes the device that was told of as new. */
  async useNew({ device, id }: DeviceNotice): Promise<void> {
    if (device === "microphone") await this.chooseMicrophone(id);
    else if (device === "camera") await this.chooseCamera(id);
    else this.chooseSpeaker(id);
  }

  /** While one talks: where the browser cannot change it on the open microphone, it is opened anew. */
  async clean(cleaning: Cleaning, on: boolean): Promise<void> {
    this.cleaning = { ...this.cleaning, [cleaning]: on };
    const track = this.microphone;
    if (!track) return;
    await track.applyConstraints({ ...this.cleaning }).catch(() => undefined);
    const now = track.getSettings()[cleaning];
    if (now === undefined || now === on || this.microphone !== track) return;
    // Chromium gives an open device once more as it is, so it is let go first: silence for a moment.
    track.stop();
    await this.openMicrophone();
  }

  close(): void {
    navigator.mediaDevices?.removeEventListener("devicechange", this.#plugged);
    this.closeMicrophone();
    this.closeCamera();
  }

  async #openMicrophone(): Promise<boolean> {
    if (!LocalMedia.possible) {
      this.problem = "insecure";
      return false;
    }
    const turn = this.#turn.microphone;
    this.opening = true;
    try {
      const stream = await given((id) => ({ audio: this.#sound(id) }), this.#chosen.microphone);
      this.#takeMicrophone(stream.getAudioTracks()[0] ?? null, turn);
      this.problem = null;
    } catch (error) {
      this.problem = problemOf(error);
    } finally {
      this.opening = false;
    }
    await this.#refresh();
    return this.microphone !== null && turn === this.#turn.microphone;
  }

  #followWish(): void {
    if (this.microphone) this.microphone.enabled = this.wished && !this.held;
  }

  #sound(id: string): MediaTrackConstraints {
    return { ...this.cleaning, ...(id ? { deviceId: { exact: id } } : {}) };
  }

  #picture(id: string): MediaTrackConstraints {
    const { width, height, frameRate } = PICTURE;
    const picture = { width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: frameRate } };
    return id ? { ...picture, deviceId: { exact: id } } : { ...picture, facingMode: "user" };
  }

  /** As silent or as open as the one before it: another device never opens a microphone by itself.
   *  `turn`: when it was asked for. */
  #takeMicrophone(track: MediaStreamTrack | null, turn = this.#turn.microphone): void {
    if (turn !== this.#turn.microphone) return track?.stop();
    this.microphone?.stop();
    this.microphone = track;
    this.#followWish();
    track?.addEventListener("ended", () => {
      if (this.microphone === track) void this.#goOn("microphone", track.label);
    });
    const follow = () => this.microphone === track && this.#interrupt(track?.muted ?? false);
    track?.addEventListener("mute", follow);
    track?.addEventListener("unmute", follow);
    follow();
    this.changed();
  }

  #interrupt(on: boolean): void {
    if (on === this.interrupted) return;
    this.interrupted = on;
    this.interruptedChanged(on);
  }

  #takeCamera(track: MediaStreamTrack | null, turn = this.#turn.camera): void {
    if (turn !== this.#turn.camera) return track?.stop();
    this.camera?.stop();
    this.camera = track;
    track?.addEventListener("ended", () => {
      if (this.camera === track) void this.#goOn("camera", track.label);
    });
    this.changed();
  }

  /** The device in use is gone: goes on with what the browser takes by default, or says what is wrong. */
  async #goOn(device: DeviceKind, label: string): Promise<void> {
    const chosen = this.#chosen[device];
    const turn = this.#turn[device];
    this.#chosen[device] = "";
    if (device === "microphone") {
      if (!(await this.#another("microphone")) && turn === this.#turn.microphone) {
        this.microphone = null;
        this.microphoneId = "";
        this.problem ??= "no-microphone";
        this.changed();
      }
    } else if (device === "camera") {
      if (!(await this.#another("camera")) && turn === this.#turn.camera) {
        this.camera = null;
        this.cameraId = "";
        this.cameraProblem ??= "no-camera";
        this.changed();
      }
    } else {
      this.speakerId = "";
      this.speakerChanged("");
    }
    // Kept for when it is plugged in again, unless the person has picked another meanwhile.
    if (this.#chosen[device] === "") this.#chosen[device] = chosen;
    const lost = device === "microphone" ? !this.microphone : device === "camera" && !this.camera;
    this.notice = lost ? null : { kind: "gone", device, label, id: "" };
  }

  async #another(device: "microphone" | "camera"): Promise<boolean> {
    const ended = this[device];
    await (device === "microphone" ? this.openMicrophone() : this.openCamera());
    return this[device] !== null && this[device] !== ended;
  }

  /** Something was plugged in or out. */
  #plugged = async (): Promise<void> => {
    const before = this.choices;
    await this.#refresh();
    const inUse: Record<DeviceKind, string> = {
      microphone: this.microphone ? this.microphoneId : "",
      camera: this.camera ? this.cameraId : "",
      speaker: this.speakerId,
    };
    for (const device of ["speaker", "camera", "microphone"] as const) {
      const [was, is] = [before, this.choices].map((it) => listed(it[LISTS[device]]));
      const change = changeOf(was ?? [], is ?? [], this.#chosen[device], inUse[device]);
      await this.#follow(device, change);
    }
  };

  async #follow(device: DeviceKind, change: DeviceChange): Promise<void> {
    switch (change.kind) {
      case "none":
        return;
      case "gone":
        return this.#goOn(device, change.label);
      case "back":
        // One that is off stays off: to open it is the person's to do.
        if (device !== "speaker" && !this[device]) return;
        await this.useNew({ kind: "back", device, label: change.device.label, id: change.device.id });
        break;
      case "new":
        if (device === "speaker" && !LocalMedia.speakerCanBeChosen) return;
        if (device === "camera" && !this.camera) return;
        break;
    }
    const { id, label } = change.device;
    this.notice = { kind: change.kind, device, label, id };
  }

  #refresh = async (): Promise<void> => {
    try {
      const all = await navigator.mediaDevices.enumerateDevices();
      // Before permission the names and ids are empty; such a list is no choice.
      const named = all.filter((it) => it.deviceId !== "" && it.label !== "");
      this.choices = {
        microphones: named.filter((it) => it.kind === "audioinput"),
        cameras: named.filter((it) => it.kind === "videoinput"),
        speakers: named.filter((it) => it.kind === "audiooutput"),
      };
      this.microphoneId = this.microphone?.getSettings().deviceId ?? this.microphoneId;
      this.cameraId = this.camera?.getSettings().deviceId ?? this.cameraId;
    } catch {
      // No list: the pickers stay hidden and the default devices are used.
    }
  };
}

function listed(devices: readonly MediaDeviceInfo[]): Listed[] {
  return devices.map((it) => ({ id: it.deviceId, label: it.label }));
}

/** The chosen device, or, when it is not there any more, the one the browser takes by default. */
async function given(
  want: (id: string) => MediaStreamConstraints,
  chosen: string,
): Promise<MediaStream> {
  try {
    return await navigator.mediaDevices.getUserMedia(want(chosen));
  } catch (error) {
    const gone = problemOf(error) === "no-microphone"; // no such device, whichever it is
    if (!chosen || !gone) throw error;
    return navigator.mediaDevices.getUserMedia(want(""));
  }
}
