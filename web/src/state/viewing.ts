// Measures how large each person is shown and tells the server: a tile says which slot it shows, the
// browser how large it is and whether it can be seen. It never draws, and says nothing twice.
import type { Attachment } from "svelte/attachments";
import { Paced, type Shown, larger, smaller, wantedOf, wishes } from "../media/view";
import type { WireWanted } from "../wire/wire";

/** Three times a second at most; the server takes four. A move changes tiles twice, so its picture waits for this. */
const TELL_EVERY_MS = 300;
/** Tiles that change places are measured together. */
const SETTLE_MS = 60;
/** What is about to be scrolled into sight is asked for in time. */
const NEAR = "120px";
/** The shared screen is no slot. */
const SCREEN = -1;
const NONE = -2;

type Place = Shown & { page: Document };

export class Viewing {
  #places = new Set<Place>();
  #participants: readonly (number | null)[] = [];
  #most: WireWanted = "large";
  #before: readonly WireWanted[] = [];
  #tell: Paced<{ slots: readonly WireWanted[]; screen: WireWanted | null }>;
  #settling: ReturnType<typeof setTimeout> | undefined;
  #attachments = new Map<number, Attachment<HTMLElement>>();
  #look = () => this.#soon();

  constructor(send: (slots: WireWanted[], screen: WireWanted | null) => boolean) {
    this.#tell = new Paced(TELL_EVERY_MS, ({ slots, screen }) => send([...slots], screen));
    document.addEventListener("visibilitychange", this.#look);
  }

  /** Who sits in each slot, and the largest picture that is ever wanted. */
  seats(participants: readonly (number | null)[], most: WireWanted): void {
    this.#participants = participants;
    this.#most = most;
    this.#soon();
  }

  /** The server has forgotten, or there is a new connection. */
  again(): void {
    this.#tell.again();
    this.#soon();
  }

  stop(): void {
    this.#participants = [];
    clearTimeout(this.#settling);
    this.#settling = undefined;
    this.#tell.stop();
  }

  close(): void {
    document.removeEventListener("visibilitychange", this.#look);
    this.stop();
  }

  /** For the element in which a slot is shown; a negative one is none. Works in a window beside, too. */
  shows(slot: number): Attachment<HTMLElement> {
    return this.#attachment(slot < 0 ? NONE : slot);
  }

  showsScreen(): Attachment<HTMLElement> {
    return this.#attachment(SCREEN);
  }

  /** A slot that is shown where no element can be measured, such as in the browser's own small window. */
  aside(slot: number, width: number, height: number): () => void {
    const place: Place = { slot, width, height, ratio: 1, measured: true, visible: true, page: BESIDE };
    return this.#add(place);
  }

  /** The same one each time, so that nothing is measured anew because of another message. */
  #attachment(slot: number): Attachment<HTMLElement> {
    const known = this.#attachments.get(slot);
    if (known) return known;
    const made = (element: HTMLElement) => (slot === NONE ? undefined : this.#watch(element, slot));
    this.#attachments.set(slot, made);
    return made;
  }

  #watch(element: HTMLElement, slot: number): () => void {
    const page = element.ownerDocument;
    // Of the window the element is in: a small one beside the page has its own.
    const view = (page.defaultView ?? window) as typeof window;
    const place: Place = { slot, width: 0, height: 0, ratio: 1, measured: false, visible: false, page };
    let sized = false;
    let sighted = false;
    const size = new view.ResizeObserver(() => {
      sized = true;
      place.measured = sighted;
      place.width = element.clientWidth;
      place.height = element.clientHeight;
      place.ratio = view.devicePixelRatio;
      this.#soon();
    });
    const sight = new view.IntersectionObserver(
      (seen) => {
        sighted = true;
        place.measured = sized;
        place.visible = seen.at(-1)?.isIntersecting ?? false;
        this.#soon();
      },
      { rootMargin: NEAR },
    );
    const gone = this.#add(place);
    size.observe(element);
    sight.observe(element);
    return () => {
      size.disconnect();
      sight.disconnect();
      gone();
    };
  }

  #add(place: Place): () => void {
    this.#places.add(place);
    this.#soon();
    return () => {
      this.#places.delete(place);
      this.#soon();
    };
  }

  #soon(): void {
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      this.#measure();
    }, SETTLE_MS);
  }

  #measure(): void {
    if (this.#participants.length === 0) return;
    const all = [...this.#places].map((it) => ({ ...it, visible: it.visible && isSeen(it.page) }));
    const visible = isSeen(document);
    const seats = { participants: this.#participants, most: this.#most, visible };
    const slots = wishes(all.filter((it) => it.slot !== SCREEN), seats, this.#before);
    const screens = all.filter((it) => it.slot === SCREEN && it.measured);
    const screen = screens.map((it) => wantedOf(it)).reduce<WireWanted | null>((a, b) => larger(a ?? "nothing", b), null);
    this.#before = slots;
    this.#tell.tell({ slots, screen: screen && smaller(screen, this.#most === "small" ? "large" : this.#most) });
  }
}

/** Stands for a window of the browser's own. */
const BESIDE = { visibilityState: "visible" } as Document;

function isSeen(page: Document): boolean {
  return page.visibilityState === "visible";
}
