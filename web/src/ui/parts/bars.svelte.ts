// Bars that stay in sight while the page scrolls. What the keyboard comes to is scrolled to where none of
// them covers it. In a window that is small both ways, as at 400 % zoom, they would leave no room for
// anything else, and scroll with the page.
import { MediaQuery } from "svelte/reactivity";

/** As in the styles of the bars. */
const small = new MediaQuery("(max-width: 639px) and (max-height: 480px)");
/** For the mark around what has the focus. */
const AROUND_PX = 12;

/** Call it while a component is made. `height`: of its bar, in px; null: it scrolls with the page anyway. */
export function keepsClear(edge: "top" | "bottom", height: () => number | null): void {
  const padding = edge === "top" ? "scrollPaddingTop" : "scrollPaddingBottom";
  $effect(() => {
    const covered = small.current ? null : height();
    const { style } = document.documentElement;
    style[padding] = covered === null ? "" : `${covered + AROUND_PX}px`;
    return () => (style[padding] = "");
  });
}
