// Saves what a person writes without a button: after a quiet moment, when they leave the field, and
// before the phase ends. It never loses words to a lost line, and never overwrites what is being typed.
import { BLANK, type Draft, arrived, saveDelay_ms, sentOff, told, typed, unsent } from "./writing";

/** The server handles one page's words in order: what it has not refused by now has arrived, in ms. */
const ARRIVED_MS = 2_000;

export class Writing {
  draft = $state.raw<Draft>(BLANK);
  #send: (text: string) => boolean;
  #left_ms: () => number | null;
  #quiet: ReturnType<typeof setTimeout> | undefined;
  #arrival: ReturnType<typeof setTimeout> | undefined;

  /** `send`: whether it went out. `left_ms`: of the phase. */
  constructor(send: (text: string) => boolean, left_ms: () => number | null) {
    this.#send = send;
    this.#left_ms = left_ms;
  }

  type(text: string): void {
    this.draft = typed(this.draft, text);
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.save(), saveDelay_ms(this.#left_ms()));
  }

  /** Sends what is not yet sent. Without a line it waits for `connected`. */
  save(): void {
    clearTimeout(this.#quiet);
    if (!this.draft.edited || !this.#send(this.draft.text)) return;
    this.draft = sentOff(this.draft);
    clearTimeout(this.#arrival);
    this.#arrival = setTimeout(() => (this.draft = arrived(this.draft)), ARRIVED_MS);
  }

  told(key: string, written: string): void {
    if (this.draft.key !== key) clearTimeout(this.#quiet);
    this.draft = told(this.draft, key, written);
  }

  clear(): void {
    clearTimeout(this.#quiet);
    clearTimeout(this.#arrival);
    this.draft = BLANK;
  }

  lost(): void {
    clearTimeout(this.#arrival);
    this.draft = unsent(this.draft);
  }

  connected(): void {
    if (this.draft.edited) this.save();
  }
}
