// Rows of a long table that come a few at a time, so that who opens it is answered at once and is not kept
// waiting while the rest is drawn. It knows nothing of what stands in them.
import { untrack } from "svelte";

const ROWS_A_FRAME = 8;

/** `rows`: how many there are; 0 while nothing is to be drawn. To be made while a component is. */
export function gradually(rows: () => number): { readonly drawn: number } {
  let drawn = $state(0);
  $effect(() => {
    const all = rows();
    let frame = 0;
    const more = () => {
      drawn = Math.min(all, drawn + ROWS_A_FRAME);
      if (drawn < all) frame = requestAnimationFrame(more);
    };
    untrack(more);
    return () => cancelAnimationFrame(frame);
  });
  return {
    get drawn() {
      return drawn;
    },
  };
}
