// The elements through which other people are heard: one per slot, made once, never remade, because
// iOS Safari loses the sound of an element that comes later. It never decides who is heard.

export class Sound {
  #elements: HTMLAudioElement[] = [];
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
    const playing = this.#elements.filter((it) => it.srcObject).map((it) => it.play());
    const results = await Promise.allSettled(playing);
    const blocked = results.some(
      (it) => it.status === "rejected" && (it.reason as Error | undefined)?.name === "NotAllowedError",
    );
    if (blocked === this.#blocked) return;
    this.#blocked = blocked;
    this.#told(blocked);
  }

  async chooseSpeaker(id: string): Promise<void> {
    this.#speaker = id;
    await Promise.all(this.#elements.map((it) => setSpeaker(it, id)));
  }

  close(): void {
    for (const element of this.#elements) {
      element.pause();
      element.srcObject = null;
      element.remove();
    }
    this.#elements = [];
  }

  #element(slot: number): HTMLAudioElement {
    const known = this.#elements[slot];
    if (known) return known;
    const element = document.createElement("audio");
    element.autoplay = true;
    element.hidden = true;
    document.body.append(element);
    if (this.#speaker) void setSpeaker(element, this.#speaker);
    this.#elements[slot] = element;
    return element;
  }
}

async function setSpeaker(element: HTMLAudioElement, id: string): Promise<void> {
  if ("setSinkId" in element) await element.setSinkId(id).catch(() => undefined);
}
