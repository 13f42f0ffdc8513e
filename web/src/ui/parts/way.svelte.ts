// A sheet that lies over the room gives way when something happens there: whoever reads the sheet would not
// see it, and what is told to a screen reader is not heard from under it.
import { untrack } from "svelte";
import { type RoomState, momentOf } from "../../state/room";

/** Call it while a component is made; `close` may find its sheet closed. */
export function givesWay(room: () => RoomState, close: () => void): void {
  let before: string | null = null;
  $effect(() => {
    const now = momentOf(room());
    untrack(() => {
      if (before !== null && before !== now) close();
      before = now;
    });
  });
}
