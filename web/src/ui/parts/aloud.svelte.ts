// Words for a screen reader. A live region says only what is new in it, so the words before are taken away
// first: the same once more would be silence. It never draws.

/** What happens at one moment is told in one breath: the words of a move come in several messages. */
const BREATH_MS = 150;

export class Aloud {
  /** What stands in the live region. */
  told = $state("");
  #breath: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heard: (text: string) => void;

  constructor(heard: (text: string) => void = () => undefined) {
    this.#heard = heard;
  }

  say(text: string): void {
    this.told = "";
    if (!this.#breath.includes(text)) this.#breath.push(text);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.told = this.#breath.join(" ");
      this.#breath = [];
      this.#heard(this.told);
    }, BREATH_MS);
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
