// A person's own microphone, camera and loudspeaker: opening, switching, letting go. It never sends
// anything anywhere; `peer.ts` does.
import { type CameraProblem, type DeviceProblem, cameraProblemOf, problemOf } from "./problem";

export interface Choices {
  microphones: MediaDeviceInfo[];
  cameras: MediaDeviceInfo[];
  speakers: MediaDeviceInfo[];
}

/** Small rooms of small tiles: more picture than this only costs other people's data plans. */
const PICTURE: MediaTrackConstraints = {
  width: { ideal: 640 },
  height: { ideal: 480 },
  frameRate: { ideal: 24 },
};

export class LocalMedia {
  /** Open and running; null while off or not to be had. */
  microphone = $state.raw<MediaStreamTrack | null>(null);
  camera = $state.raw<MediaStreamTrack | null>(null);
  problem = $state<DeviceProblem | null>(null);
  cameraProblem = $state<CameraProblem | null>(null);
  choices = $state.raw<Choices>({ microphones: [], cameras: [], speakers: [] });
  microphoneId = $state("");
  cameraId = $state("");
  speakerId = $state("");
  opening = $state(false);
  /** Whether the person wants to be heard, as their button says. */
  wished = $state(true);
  /** Whether the microphone is off for now whatever the person wants. */
  held = $state(false);
  /** Told after a track was opened or let go, so that what is sent follows. */
  changed: () => void = () => undefined;
  #raw: boolean;

  /** `raw`: no echo cancelling, noise suppression or gain control. Tests measure sound with it. */
  constructor(raw: boolean) {
    this.#raw = raw;
    navigator.mediaDevices?.addEventListener("devicechange", this.#refresh);
  }

  static get possible(): boolean {
    return typeof navigator.mediaDevices?.getUserMedia === "function";
  }

  static get speakerCanBeChosen(): boolean {
    return "setSinkId" in HTMLMediaElement.prototype;
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
    if (microphone && camera && LocalMedia.possible) {
      this.opening = true;
      try {
        const stream = await navigator.mediaDevices.getUserMedia({
          audio: this.#sound(),
          video: this.#picture(),
        });
        this.#takeMicrophone(stream.getAudioTracks()[0] ?? null);
        this.#takeCamera(stream.getVideoTracks()[0] ?? null);
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
    if (microphone) await this.openMicrophone();
    if (camera && this.problem !== "insecure") await this.openCamera();
  }

  async openMicrophone(): Promise<boolean> {
    if (!LocalMedia.possible) {
      this.problem = "insecure";
      return false;
    }
    this.opening = true;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: this.#sound() });
      this.#takeMicrophone(stream.getAudioTracks()[0] ?? null);
      this.problem = null;
    } catch (error) {
      this.problem = problemOf(error);
    } finally {
      this.opening = false;
    }
    await this.#refresh();
    return this.microphone !== null;
  }

  async openCamera(): Promise<boolean> {
    if (!LocalMedia.possible) {
      this.problem = "insecure";
      return false;
    }
    this.opening = true;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: this.#picture() });
      this.#takeCamera(stream.getVideoTracks()[0] ?? null);
      this.cameraProblem = null;
    } catch (error) {
      this.cameraProblem = cameraProblemOf(error);
    } finally {
      this.opening = false;
    }
    await this.#refresh();
    return this.camera !== null;
  }

  closeMicrophone(): void {
    this.#takeMicrophone(null);
  }

  /** Silences or opens the microphone by the person's own wish. */
  wish(on: boolean): void {
    this.wished = on;
    this.#followWish();
  }

  /** Holds the microphone off, and later lets it be again as the person wishes. */
  hold(on: boolean): void {
    this.held = on;
    this.#followWish();
  }

  /** Off means off: the camera's light goes out. */
  closeCamera(): void {
    this.#takeCamera(null);
  }

  async chooseMicrophone(id: string): Promise<void> {
    this.microphoneId = id;
    await this.openMicrophone();
  }

  async chooseCamera(id: string): Promise<void> {
    this.cameraId = id;
    await this.openCamera();
  }

  close(): void {
    navigator.mediaDevices?.removeEventListener("devicechange", this.#refresh);
    this.closeMicrophone();
    this.closeCamera();
  }

  #followWish(): void {
    if (this.microphone) this.microphone.enabled = this.wished && !this.held;
  }

  #sound(): MediaTrackConstraints {
    const clean = !this.#raw;
    return {
      echoCancellation: clean,
      noiseSuppression: clean,
      autoGainControl: clean,
      ...(this.microphoneId ? { deviceId: { exact: this.microphoneId } } : {}),
    };
  }

  #picture(): MediaTrackConstraints {
    if (this.cameraId) return { ...PICTURE, deviceId: { exact: this.cameraId } };
    return { ...PICTURE, facingMode: "user" };
  }

  #takeMicrophone(track: MediaStreamTrack | null): void {
    stop(this.microphone);
    // Another device is as silent as the one before; the first one is opened to be heard.
    if (track && !this.microphone) this.wished = true;
    this.microphone = track;
    this.#followWish();
    track?.addEventListener("ended", () => {
      if (this.microphone !== track) return;
      this.microphone = null;
      this.microphoneId = "";
      this.problem = "no-microphone";
      this.changed();
    });
    this.changed();
  }

  #takeCamera(track: MediaStreamTrack | null): void {
    stop(this.camera);
    this.camera = track;
    track?.addEventListener("ended", () => {
      if (this.camera !== track) return;
      this.camera = null;
      this.cameraId = "";
      this.cameraProblem = "no-camera";
      this.changed();
    });
    this.changed();
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

function stop(track: MediaStreamTrack | null): void {
  track?.stop();
}
