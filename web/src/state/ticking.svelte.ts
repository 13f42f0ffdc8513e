// The moment that countdowns are drawn for. It ticks only while somebody looks at it, and never counts
// by itself: each tick asks the clock, so that a page that slept is right at once.
import { createSubscriber } from "svelte/reactivity";

const TICK_MS = 200;

class Ticking {
  #subscribe = createSubscriber((update) => {
    const timer = setInterval(update, TICK_MS);
    return () => clearInterval(timer);
  });

  /** `performance.now()`, as of the last tick. */
  get now_ms(): number {
    this.#subscribe();
    return performance.now();
  }
}

export const ticking = new Ticking();
