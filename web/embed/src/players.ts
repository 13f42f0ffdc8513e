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
  #before: number | null = null;
  #paused = false;
  #fading: ReturnType<typeof setInterval> | undefined;

  constructor(media: HTMLMediaElement, options: DuckOptions) {
    this.#media = media;
    this.#options = options;
  }

  duck(): void {
    if (this.#before !== null || this.#paused) return;
    if (this.#options.how === "pause") {
      this.#paused = !this.#media.paused;
      this.#media.pause();
      return;
    }
    this.#before = this.#media.volume;
    this.#fade(this.#before * this.#options.volume);
  }

  restore(): void {
    if (this.#paused) void this.#media.play().catch(() => undefined);
    if (this.#before !== null) this.#fade(this.#before);
    this.#paused = false;
    this.#before = null;
  }

  #fade(to: number): void {
    clearInterval(this.#fading);
    const from = this.#media.volume;
    let step = 0;
    this.#fading = setInterval(() => {
      step += 1;
      this.#media.volume = Math.min(1, Math.max(0, from + ((to - from) * step) / FADE_STEPS));
      if (step === FADE_STEPS) clearInterval(this.#fading);
    }, FADE_MS / FADE_STEPS);
  }
}

/** Players in frames of others, asked by the messages that their makers describe. */
abstract class FramePlayer implements PlayerControl {
  /** As it last said, 0 to 100. */
  protected volume = FULL;
  /** Whether it plays, as it last said; one that says nothing is taken to play. */
  protected playing = true;
  #frame: HTMLIFrameElement;
  #origin: string;
  #options: DuckOptions;
  #before: number | null = null;
  #paused = false;

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
    if (this.#options.how === "pause") {
      this.#paused = this.playing;
      if (this.playing) this.play(false);
      return;
    }
    this.#before = this.volume;
    this.setVolume(Math.round(this.#before * this.#options.volume));
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

  /** While it is turned down, what it tells of its volume is our own doing. */
  protected heard(volume: unknown): void {
    if (typeof volume === "number" && this.#before === null) this.volume = volume;
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
    this.heard(message.info?.volume);
    if (typeof message.info?.playerState === "number") this.playing = [1, 3].includes(message.info.playerState);
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
    this.send({ method: "getVolume" });
    for (const value of ["volumechange", "play", "pause"]) this.send({ method: "addEventListener", value });
  }
  protected told(message: { method?: string; event?: string; value?: unknown; data?: { volume?: unknown } }): void {
    const volume = message.method === "getVolume" ? message.value : message.data?.volume;
    if (typeof volume === "number") this.heard(volume * FULL);
    if (message.event === "play" || message.event === "pause") this.playing = message.event === "play";
  }
  protected play(on: boolean): void {
    this.send({ method: on ? "play" : "pause" });
  }
  protected setVolume(volume: number): void {
    this.send({ method: "setVolume", value: volume / FULL });
  }
}
