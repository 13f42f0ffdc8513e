// The page's own player, turned down or paused while the person is in a small room, and back as it was
// afterwards. It never touches a player that the person has turned or stopped meanwhile.

export interface PlayerControl {
  duck(): void;
  restore(): void;
}

export interface DuckOptions {
  how: "turn-down" | "pause";
  /** Part of the volume that is left. */
  volume: number;
}

const FADE_MS = 600;
const FADE_STEPS = 12;
/** Where a player is heard that does not tell how loud it is. */
const FULL = 100;

/** `null`: it is no player that we know. */
export function playerFor(it: Element | null, options: DuckOptions): PlayerControl | null {
  if (it instanceof HTMLMediaElement) return new MediaPlayer(it, options);
  if (!(it instanceof HTMLIFrameElement)) return null;
  const origin = originOf(it.src);
  if (/^https:\/\/www\.youtube(-nocookie)?\.com$/.test(origin)) return new YouTube(it, origin, options);
  if (origin === "https://player.vimeo.com") return new Vimeo(it, origin, options);
  return null;
}

function originOf(address: string): string {
  try {
    return new URL(address, document.baseURI).origin;
  } catch {
    return "";
  }
}

/** `<video>` and `<audio>`. */
class MediaPlayer implements PlayerControl {
  #media: HTMLMediaElement;
  #options: DuckOptions;
  /** As loud as it shall be again; null: it is not turned down, or the person has turned it since. */
  #before: number | null = null;
  /** What we have set last; any other volume is the person's. */
  #ours = 0;
  #paused = false;
  #fading: ReturnType<typeof setInterval> | undefined;

  constructor(media: HTMLMediaElement, options: DuckOptions) {
    this.#media = media;
    this.#options = options;
    // Who starts it meanwhile has it as they want it, also when they stop it again.
    media.addEventListener("play", () => (this.#paused &&= media.paused));
  }

  duck(): void {
    if (this.#options.how === "pause") {
      if (this.#media.paused) return;
      this.#media.pause();
      this.#paused = true;
      return;
    }
    // It may still be on its way back from the last time.
    if (this.#before === null || this.#isTurned()) this.#before = this.#ours = this.#media.volume;
    this.#fade(this.#before * this.#options.volume);
  }

  restore(): void {
    if (this.#paused) void this.#media.play().catch(() => undefined);
    this.#paused = false;
    if (this.#before !== null) this.#fade(this.#before, () => (this.#before = null));
  }

  #isTurned(): boolean {
    return 0.001 < Math.abs(this.#media.volume - this.#ours);
  }

  #fade(to: number, done: () => void = () => undefined): void {
    clearInterval(this.#fading);
    const from = this.#media.volume;
    let step = 0;
    this.#fading = setInterval(() => {
      step += 1;
      if (this.#isTurned()) this.#before = null;
      else this.#media.volume = this.#ours = Math.min(1, Math.max(0, from + ((to - from) * step) / FADE_STEPS));
      if (step < FADE_STEPS && this.#before !== null) return;
      clearInterval(this.#fading);
      done();
    }, FADE_MS / FADE_STEPS);
  }
}

/** Players in frames of others, asked by the messages that their makers describe. */
abstract class FramePlayer implements PlayerControl {
  /** As it last said, 0 to 100. */
  #volume = FULL;
  /** Whether it plays, as it last said; null: it has said nothing, and is not started by us. */
  #playing: boolean | null = null;
  #frame: HTMLIFrameElement;
  #origin: string;
  #options: DuckOptions;
  /** As `MediaPlayer`'s. What a player tells comes late: only after it has told what we asked for is
   *  anything else the person's. */
  #before: number | null = null;
  #ours = 0;
  #paused = false;
  #obeyed = false;

  constructor(frame: HTMLIFrameElement, origin: string, options: DuckOptions) {
    this.#frame = frame;
    this.#origin = origin;
    this.#options = options;
    addEventListener("message", (event) => {
      if (event.source !== this.#frame.contentWindow || event.origin !== this.#origin) return;
      try {
        this.told(typeof event.data === "string" ? JSON.parse(event.data) : event.data);
      } catch {
        // Something else's business.
      }
    });
    this.listen();
    frame.addEventListener("load", () => this.listen());
  }

  duck(): void {
    if (this.#before !== null || this.#paused) return;
    this.#obeyed = false;
    if (this.#options.how === "pause") {
      if (this.#playing === false) return;
      this.#paused = this.#playing === true;
      return this.play(false);
    }
    this.#before = this.#volume;
    this.#ours = Math.round(this.#before * this.#options.volume);
    this.setVolume(this.#ours);
  }

  restore(): void {
    if (this.#paused) this.play(true);
    if (this.#before !== null) this.setVolume(this.#before);
    this.#paused = false;
    this.#before = null;
  }

  protected send(message: unknown): void {
    this.#frame.contentWindow?.postMessage(JSON.stringify(message), this.#origin);
  }

  protected heardVolume(volume: unknown): void {
    if (typeof volume !== "number") return;
    if (this.#before === null) this.#volume = volume;
    else if (Math.abs(volume - this.#ours) <= 1) this.#obeyed = true;
    else if (this.#obeyed) [this.#before, this.#volume] = [null, volume];
  }

  protected heardPlaying(playing: boolean): void {
    this.#playing = playing;
    if (this.#paused && !playing) this.#obeyed = true;
    else if (this.#paused && this.#obeyed) this.#paused = false;
  }

  protected abstract listen(): void;
  protected abstract told(message: unknown): void;
  protected abstract play(on: boolean): void;
  /** 0 to 100. */
  protected abstract setVolume(volume: number): void;
}

/** The messages of YouTube's IFrame player, which its script sends too. Needs `enablejsapi=1`. */
class YouTube extends FramePlayer {
  protected listen(): void {
    this.send({ event: "listening", id: "vuoro", channel: "widget" });
  }
  protected told(message: { info?: { volume?: unknown; playerState?: unknown } | null }): void {
    this.heardVolume(message.info?.volume);
    if (typeof message.info?.playerState === "number") this.heardPlaying([1, 3].includes(message.info.playerState));
  }
  protected play(on: boolean): void {
    this.#command(on ? "playVideo" : "pauseVideo");
  }
  protected setVolume(volume: number): void {
    this.#command("setVolume", volume);
  }
  #command(func: string, ...args: unknown[]): void {
    this.send({ event: "command", func, args });
  }
}

/** The messages of Vimeo's player. */
class Vimeo extends FramePlayer {
  protected listen(): void {
    for (const method of ["getVolume", "getPaused"]) this.send({ method });
    for (const value of ["volumechange", "play", "pause"]) this.send({ method: "addEventListener", value });
  }
  protected told(message: { method?: string; event?: string; value?: unknown; data?: { volume?: unknown } }): void {
    const volume = message.method === "getVolume" ? message.value : message.data?.volume;
    if (typeof volume === "number") this.heardVolume(volume * FULL);
    if (message.method === "getPaused" && typeof message.value === "boolean") this.heardPlaying(!message.value);
    if (message.event === "play" || message.event === "pause") this.heardPlaying(message.event === "play");
  }
  protected play(on: boolean): void {
    this.send({ method: on ? "play" : "pause" });
  }
  protected setVolume(volume: number): void {
    this.send({ method: "setVolume", value: volume / FULL });
  }
}
