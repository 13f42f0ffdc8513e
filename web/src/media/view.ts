// How large each receiving slot is shown, and when the server is told so. Pure of the page: sizes are
// handed in by whoever measures them. It never decides what is sent; the server does, by this and by
// what the network carries.
import type { WireWanted } from "../wire/wire";
import { PICTURE } from "./layers";

/** One place where a slot is shown. The same one may be shown twice, such as in a small window. */
export interface Shown {
  slot: number;
  /** In CSS pixels. */
  width: number;
  height: number;
  /** Device pixels for one CSS pixel. */
  ratio: number;
  /** Whether the browser has said yet how large it is and whether it is in sight. */
  measured: boolean;
  /** On the screen, of a page that can be seen. */
  visible: boolean;
}

export interface Seats {
  /** Who sits in each slot. */
  participants: readonly (number | null)[];
  /** The largest that is ever wanted: `nothing` for sound alone. */
  most: WireWanted;
  /** Whether the page can be seen at all. */
  visible: boolean;
}

/** More than this nobody sees in a moving picture, and phones have three. */
const RATIO_MAX = 2;
/** Parts of the whole picture that the two smaller layers have, stretched as far as looks well. */
const SMALL_UP_TO = 0.32;
const MEDIUM_UP_TO = 0.65;
/** A tile that is being resized at the limit does not go to and fro. */
const SLACK = 0.05;

const ORDER: readonly WireWanted[] = ["nothing", "small", "medium", "large"];

/** `before`: what was wanted of it until now. */
export function wantedOf(shown: Shown, before?: WireWanted): WireWanted {
  if (!shown.visible || shown.width <= 0 || shown.height <= 0) return "nothing";
  const ratio = Math.min(RATIO_MAX, shown.ratio);
  const part = Math.max(shown.width / PICTURE.width, shown.height / PICTURE.height) * ratio;
  const slack = (limit: number, below: WireWanted) =>
    limit + (before === undefined || before === "nothing" ? 0 : order(before) <= order(below) ? SLACK : -SLACK);
  if (part <= slack(SMALL_UP_TO, "small")) return "small";
  return part <= slack(MEDIUM_UP_TO, "medium") ? "medium" : "large";
}

/**
 * One wish for each slot. A slot in which nobody sits is wished as large as the others: it costs
 * nothing, and whoever comes into it is seen at once. So is one whose tile has just been made: to wish
 * for nothing until it is measured would keep the picture of whoever comes waiting for a second wish.
 */
export function wishes(shown: readonly Shown[], seats: Seats, before: readonly WireWanted[] = []): WireWanted[] {
  const wanted = seats.participants.map<WireWanted>(() => "nothing");
  const open = seats.participants.map((it) => it === null);
  for (const it of shown) {
    if (it.slot >= wanted.length) continue;
    if (!it.measured) {
      open[it.slot] = true;
    } else {
      wanted[it.slot] = larger(wanted[it.slot] ?? "nothing", wantedOf(it, before[it.slot]));
    }
  }
  const usual = wanted.reduce(larger, "nothing");
  const empty = usual === "nothing" && seats.visible ? "medium" : usual;
  return wanted.map((it, slot) => smaller(open[slot] ? larger(it, empty) : it, seats.most));
}

export function larger(a: WireWanted, b: WireWanted): WireWanted {
  return order(a) < order(b) ? b : a;
}

export function smaller(a: WireWanted, b: WireWanted): WireWanted {
  return order(a) < order(b) ? a : b;
}

function order(it: WireWanted): number {
  return ORDER.indexOf(it);
}

/** Says a thing when it changes, at once if nothing was said lately, and no faster than `every_ms`. */
export class Paced<Said> {
  #say: (it: Said) => boolean;
  #every_ms: number;
  #last = "";
  #next: Said | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `say`: whether it went out; what did not is said when it changes again, or after `again`. */
  constructor(every_ms: number, say: (it: Said) => boolean) {
    this.#every_ms = every_ms;
    this.#say = say;
  }

  tell(it: Said): void {
    this.#next = it;
    if (this.#timer === undefined) this.#flush();
  }

  /** Whoever listens has forgotten what was said. */
  again(): void {
    this.#last = "";
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#next = null;
    this.#last = "";
  }

  #flush(): void {
    const it = this.#next;
    this.#next = null;
    const text = JSON.stringify(it);
    if (it === null || text === this.#last || !this.#say(it)) return;
    this.#last = text;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#flush();
    }, this.#every_ms);
  }
}
