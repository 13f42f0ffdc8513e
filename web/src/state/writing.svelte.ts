// Saves what a person writes without a button: after a quiet moment, when they leave the field, and
// before the phase ends. It never loses words to a lost line, and never overwrites what is being typed.
import { BLANK, type Draft, type Place, arrived, isAt, saveDelay_ms, sentOff, told, typed, unsent } from "./writing";

/** The server handles one page's words in order: what it has not refused by now has arrived, in ms. */
const ARRIVED_MS = 2_000;

export class Writing {
  draft = $state.raw<Draft>(BLANK);
  #send: (text: string, at: Place) => boolean;
  #left_ms: () => number | null;
  #quiet: ReturnType<typeof setTimeout> | undefined;
  #arrival: ReturnType<typeof setTimeout> | undefined;
  /** The line is there, and where the method stands is not yet told. */
  #waits = false;

  /** `send`: whether it went out. `left_ms`: of the phase. */
  constructor(send: (text: string, at: Place) => boolean, left_ms: () => number | null) {
    this.#send = send;
    this.#left_ms = left_ms;
  }

  type(text: string): void {
    this.draft = typed(this.draft, text);
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.save(), saveDelay_ms(this.#left_ms()));
  }

  /** Sends what is not yet sent. Without a line it waits for the next one's first step. */
  save(): void {
    clearTimeout(this.#quiet);
    const { place, edited, text } = this.draft;
    if (!place || !edited || this.#waits || !this.#send(text, place)) return;
    this.draft = sentOff(this.draft);
    clearTimeout(this.#arrival);
    this.#arrival = setTimeout(() => (this.draft = arrived(this.draft)), ARRIVED_MS);
  }

  told(place: Place, written: string): void {
    if (!isAt(this.draft, place)) clearTimeout(this.#quiet);
    this.draft = told(this.draft, place, written);
    const waited = this.#waits;
    this.#waits = false;
    if (waited) this.save();
  }

  clear(): void {
    clearTimeout(this.#quiet);
    clearTimeout(this.#arrival);
    this.draft = BLANK;
    this.#waits = false;
  }

  /** What is typed from now on is sent once the server has told where the method stands by then. */
  lost(): void {
    clearTimeout(this.#arrival);
    this.draft = unsent(this.draft);
    this.#waits = true;
  }
}
