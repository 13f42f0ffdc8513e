// The elements through which other people are heard: one per slot, made once, never remade, because
// iOS Safari loses the sound of an element that comes later. It never decides who is heard.

/** Whatever stops the sound, such as a call, also mutes the microphone; which comes first is open. In ms. */
const AGAIN_AFTER_MS = 500;

export class Sound {
  #elements: HTMLAudioElement[] = [];
  #starts = 0;
  #again: ReturnType<typeof setTimeout> | undefined;
  #waiting = false;
  #blocked = false;
  #speaker = "";
  #told: (blocked: boolean) => void;

  constructor(told: (blocked: boolean) => void) {
    this.#told = told;
  }

  /** One track per slot, in the order of the slots. */
  play(tracks: readonly MediaStreamTrack[]): void {
    tracks.forEach((track, slot) => {
      const element = this.#element(slot);
      element.srcObject = new MediaStream([track]);
    });
    void this.start();
  }

  /** Call it from a click when the browser wants one before there may be sound. */
  async start(): Promise<void> {
    this.#starts += 1;
    const mine = this.#starts;
    const playing = this.#elements.filter((it) => it.srcObject).map((it) => it.play());
    const results = await Promise.allSettled(playing);
    const blocked = results.some(
      (it) => it.status === "rejected" && (it.reason as Error | undefined)?.name === "NotAllowedError",
    );
    if (mine === this.#starts) this.#tell(blocked || this.#elements.some(isStopped));
  }

  /** Plays what something else has stopped. */
  again(): void {
    clearTimeout(this.#again);
    if (!this.#waiting && this.#elements.some(isStopped)) void this.start();
  }

  /** While the own microphone is muted by the system nothing is played again: WebKit would leave it muted
   *  for good (bug 213853). */
  wait(on: boolean): void {
    this.#waiting = on;
    this.again();
  }

  async chooseSpeaker(id: string): Promise<void> {
    this.#speaker = id;
    await Promise.all(this.#elements.map((it) => setSpeaker(it, id)));
  }

  close(): void {
    clearTimeout(this.#again);
    for (const element of this.#elements) {
      element.pause();
      element.srcObject = null;
      element.remove();
    }
    this.#elements = [];
  }

  #tell(blocked: boolean): void {
    if (blocked === this.#blocked) return;
    this.#blocked = blocked;
    this.#told(blocked);
  }

  /** By nobody here. */
  #stopped(element: HTMLAudioElement): void {
    if (!isStopped(element)) return;
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.again(), AGAIN_AFTER_MS);
  }

  #element(slot: number): HTMLAudioElement {
    const known = this.#elements[slot];
    if (known) return known;
    const element = document.createElement("audio");
    element.autoplay = true;
    element.hidden = true;
    element.addEventListener("pause", () => this.#stopped(element));
    document.body.append(element);
    if (this.#speaker) void setSpeaker(element, this.#speaker);
    this.#elements[slot] = element;
    return element;
  }
}

/** Also not because what it plays is over. */
function isStopped(element: HTMLAudioElement): boolean {
  return element.paused && !element.ended && element.srcObject !== null;
}

async function setSpeaker(element: HTMLAudioElement, id: string): Promise<void> {
  if ("setSinkId" in element) await element.setSinkId(id).catch(() => undefined);
}
