// The focus is never lost: when what has it goes away or can be used no more, the focus goes to what has
// come in its place or stands nearest, or else to the heading where one lands. Whoever uses the keyboard
// would otherwise begin at the top of the page again. It never takes the focus from anything that has it.

const STOPS = "a[href], button, input, select, textarea, summary, [tabindex='0']";
/** Where the search for what stands nearest ends: what is further away has little to do with it. */
const ENDS = "main, dialog, #app, body";
/** A field goes when a phase ends, and hands go on: so long after a key, the next one is still of the text. */
const TYPES_ON_MS = 2_000;

interface Place {
  element: HTMLElement;
  /** What stands around it, from near to far, and which of the stops in there it is. */
  around: { of: Element; at: number }[];
}

/** Whether a key is of a text, or may be a shortcut. */
export class Typing {
  /** The key that came last was of a text. */
  on = false;
  #until_ms = -Infinity;

  /** A key has come. `field`: to something that takes letters. */
  key(key: string, field: boolean, at_ms: number): void {
    const leaves = key === "Tab" || key === "Escape";
    this.on = field || (!leaves && at_ms < this.#until_ms);
    this.#until_ms = this.on && !leaves ? at_ms + TYPES_ON_MS : -Infinity;
  }

  /** The person has turned to something else. */
  ends(): void {
    this.#until_ms = -Infinity;
  }
}

const typing = new Typing();

/** Whether the key that is handled now is of a text, also when the field has just gone, and so no shortcut. */
export function isTyping(): boolean {
  return typing.on;
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

  const keyed = (event: KeyboardEvent) => typing.key(event.key, takesLetters(event.target), event.timeStamp);
  const pointed = () => typing.ends();

  const watch = new MutationObserver(look);
  watch.observe(page.body, { subtree: true, childList: true, attributeFilter: ["disabled", "hidden", "open"] });
  page.addEventListener("focusin", come);
  page.addEventListener("focusout", gone);
  // Before whatever asks of it.
  page.addEventListener("keydown", keyed, true);
  page.addEventListener("pointerdown", pointed, true);
  return () => {
    watch.disconnect();
    page.removeEventListener("focusin", come);
    page.removeEventListener("focusout", gone);
    page.removeEventListener("keydown", keyed, true);
    page.removeEventListener("pointerdown", pointed, true);
  };
}

function takesLetters(at: EventTarget | null): boolean {
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
