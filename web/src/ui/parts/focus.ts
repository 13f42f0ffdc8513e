// The focus is never lost: when what has it goes away or can be used no more, the focus goes to what has
// come in its place or stands nearest, or else to the heading where one lands. Whoever uses the keyboard
// would otherwise begin at the top of the page again. It never takes the focus from anything that has it.

const STOPS = "a[href], button, input, select, textarea, summary, [tabindex='0']";
/** Where the search for what stands nearest ends: what is further away has little to do with it. */
const ENDS = "main, dialog, #app, body";

interface Place {
  element: HTMLElement;
  /** What stands around it, from near to far, and which of the stops in there it is. */
  around: { of: Element; at: number }[];
}

/** For as long as the page lives, or until what is returned is called. */
export function keepFocus(page: Document): () => void {
  let last: Place | null = null;
  let asked = false;

  function come(event: FocusEvent): void {
    if (event.target instanceof HTMLElement) last = placeOf(event.target);
  }

  /** Somebody has pressed beside everything; then nothing is lost. */
  function gone(event: FocusEvent): void {
    const { target } = event;
    queueMicrotask(() => {
      if (last?.element === target && page.activeElement === page.body && isUsable(last.element)) last = null;
    });
  }

  function look(): void {
    if (!last || asked) return;
    const at = page.activeElement;
    if (at !== page.body && at !== null && !at.matches(":disabled")) return;
    asked = true;
    // Whatever the page itself does with the focus comes first.
    requestAnimationFrame(() => requestAnimationFrame(mend));
  }

  function mend(): void {
    asked = false;
    const lost = page.activeElement === page.body && page.hasFocus() && last !== null && !isUsable(last.element);
    if (lost) nearest(last as Place, page)?.focus();
  }

  const watch = new MutationObserver(look);
  watch.observe(page.body, { subtree: true, childList: true, attributeFilter: ["disabled", "hidden", "open"] });
  page.addEventListener("focusin", come);
  page.addEventListener("focusout", gone);
  return () => {
    watch.disconnect();
    page.removeEventListener("focusin", come);
    page.removeEventListener("focusout", gone);
  };
}

/** Whether letters and digits are for what has the focus, and so no shortcuts. */
export function takesLetters(at: EventTarget | null): boolean {
  const fields = "input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]";
  return at instanceof HTMLElement && at.matches(fields);
}

function placeOf(element: HTMLElement): Place {
  const around: Place["around"] = [];
  for (let of = element.parentElement; of && !of.matches(ENDS); of = of.parentElement) {
    around.push({ of, at: [...of.querySelectorAll(STOPS)].indexOf(element) });
  }
  return { element, around };
}

function nearest({ around }: Place, page: Document): HTMLElement | null {
  for (const { of, at } of around) {
    if (!of.isConnected) continue;
    const stops = [...of.querySelectorAll<HTMLElement>(STOPS)].filter(isUsable);
    const found = stops[Math.min(Math.max(at, 0), stops.length - 1)];
    if (found) return found;
  }
  const landings = [...page.querySelectorAll<HTMLElement>("main [data-landing]")];
  return landings.find(isUsable) ?? page.getElementById("content");
}

function isUsable(element: HTMLElement): boolean {
  return element.isConnected && !element.matches(":disabled, [inert] *") && element.checkVisibility();
}
