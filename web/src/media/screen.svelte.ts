// A person's own screen, or the window or tab of it that they pick: opening it and letting it go. It
// never sends anything, and never shares without the browser's own question.
import { allowed } from "./awake";

const SCREEN: DisplayMediaStreamOptions = { video: { frameRate: { max: 15 } }, audio: false };

export class Screen {
  track = $state.raw<MediaStreamTrack | null>(null);
  opening = $state(false);
  /** Told when the browser's own button has ended it, or the window is gone. */
  ended: () => void = () => undefined;

  /** Phones have no such thing; an iframe must be given the right. */
  static get possible(): boolean {
    return typeof navigator.mediaDevices?.getDisplayMedia === "function" && allowed("display-capture");
  }

  /** Whether there is something to share now; whoever closes the browser's question has changed their mind. */
  async open(): Promise<boolean> {
    if (this.track || this.opening) return this.track !== null;
    this.opening = true;
    try {
      const stream = await navigator.mediaDevices.getDisplayMedia(SCREEN);
      this.#take(stream.getVideoTracks()[0] ?? null);
    } catch {
      return false;
    } finally {
      this.opening = false;
    }
    return this.track !== null;
  }

  close(): void {
    this.track?.stop();
    this.track = null;
  }

  #take(track: MediaStreamTrack | null): void {
    this.close();
    if (!track) return;
    // Letters stay sharp; a moving picture on it moves less smoothly.
    track.contentHint = "detail";
    track.addEventListener("ended", () => {
      if (this.track !== track) return;
      this.track = null;
      this.ended();
    });
    this.track = track;
  }
}
