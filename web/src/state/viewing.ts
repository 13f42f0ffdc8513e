// Measures how large each person is shown and tells the server: a tile says which slot it shows, the
// browser how large it is and whether it can be seen. It never draws, and says nothing twice.
import type { Attachment } from "svelte/attachments";
import { Paced, type Shown, larger, smaller, wantedOf, wishes } from "../media/view";
import type { WireWanted } from "../wire/wire";

/** Twice a second at most; the server takes four. */
const TELL_EVERY_MS = 500;
/** What is about to be scrolled into sight is asked for in time. */
const NEAR = "120px";
/** The shared screen is no slot. */
const SCREEN = -1;

type Place = Shown & { page: Document };

export class Viewing {
  #places = new Set<Place>();
  #participants: readonly (number | null)[] = [];
  #most: WireWanted = "large";
  #before: readonly WireWanted[] = [];
  #tell: Paced<{ slots: readonly WireWanted[]; screen: WireWanted | null }>;
  #look = () => this.#look_again();

  constructor(send: (slots: WireWanted[], screen: WireWanted | null) => boolean) {
    this.#tell = new Paced(TELL_EVERY_MS, ({ slots, screen }) => send([...slots], screen));
    document.addEventListener("visibilitychange", this.#look);
  }

  /** Who sits in each slot, and the largest picture that is ever wanted. */
  seats(participants: readonly (number | null)[], most: WireWanted): void {
    this.#participants = participants;
    this.#most = most;
    this.#look_again();
  }

  /** The server has forgotten, or there is a new connection. */
  again(): void {
    this.#tell.again();
    this.#look_again();
  }

  stop(): void {
    this.#participants = [];
    this.#tell.stop();
  }

  close(): void {
    document.removeEventListener("visibilitychange", this.#look);
    this.stop();
  }

  /** For the element in which a slot is shown; a negative one is none. Works in a window beside, too. */
  shows(slot: number): Attachment<HTMLElement> {
    return (element) => (slot < 0 ? undefined : this.#watch(element, slot));
  }

  showsScreen(): Attachment<HTMLElement> {
    return (element) => this.#watch(element, SCREEN);
  }

  /** A slot that is shown where no element can be measured, such as in the browser's own small window. */
  aside(slot: number, width: number, height: number): () => void {
    const place: Place = { slot, width, height, ratio: 1, visible: true, page: BESIDE };
    return this.#add(place);
  }

  #watch(element: HTMLElement, slot: number): () => void {
    const page = element.ownerDocument;
    // Of the window the element is in: a small one beside the page has its own.
    const view = (page.defaultView ?? window) as typeof window;
    const place: Place = { slot, width: 0, height: 0, ratio: 1, visible: false, page };
    const size = new view.ResizeObserver(() => {
      place.width = element.clientWidth;
      place.height = element.clientHeight;
      place.ratio = view.devicePixelRatio;
      this.#look_again();
    });
    const sight = new view.IntersectionObserver(
      (seen) => {
        place.visible = seen.at(-1)?.isIntersecting ?? false;
        this.#look_again();
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
    this.#look_again();
    return () => {
      this.#places.delete(place);
      this.#look_again();
    };
  }

  #look_again(): void {
    if (this.#participants.length === 0) return;
    const all = [...this.#places].map((it) => ({ ...it, visible: it.visible && isSeen(it.page) }));
    const visible = isSeen(document);
    const seats = { participants: this.#participants, most: this.#most, visible };
    const slots = wishes(all.filter((it) => it.slot !== SCREEN), seats, this.#before);
    const screens = all.filter((it) => it.slot === SCREEN);
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
