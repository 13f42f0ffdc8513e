// How a person likes to take part, for as long as the page lives: what is sent and received, how one
// speaks, which keys do something. Never kept anywhere: a new page begins with what suits most.
import type { WireWanted } from "../wire/wire";

/** `hold`: the microphone is open only while a key or the button is held. */
export type Speaking = "switch" | "hold";
/** `save`: small pictures. `sound`: no pictures, neither sent nor received. */
export type Data = "all" | "save" | "sound";

export class Preferences {
  speaking = $state<Speaking>("switch");
  data = $state<Data>(savesData() ? "save" : "all");
  /** Whether single keys do something. */
  shortcuts = $state(true);

  /** The largest picture that is ever wanted. */
  get most(): WireWanted {
    return { all: "large", save: "small", sound: "nothing" }[this.data] as WireWanted;
  }
}

/** Whether the browser has been told to be sparing. */
export function savesData(): boolean {
  return (navigator as { connection?: { saveData?: boolean } }).connection?.saveData === true;
}
