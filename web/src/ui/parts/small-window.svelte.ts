// A small window in front of other programs, with the faces and the words: a page of our own where the
// browser has such a thing, else its own window with the picture of whoever speaks. It never takes
// sound or media away from the page.
import { mount, unmount } from "svelte";
import { allowed } from "../../media/awake";
import { speech } from "../../state/language.svelte";
import type { Participation } from "../../state/participation.svelte";
import { spotlight } from "../../state/spotlight";
import SmallRoom from "./SmallRoom.svelte";

interface PagesAside {
  requestWindow(options: { width: number; height: number }): Promise<Window>;
}

const SIZE = { width: 380, height: 340 };
/** In the browser's own window nothing can be measured. */
const PICTURE = { width: 480, height: 270 };

export class SmallWindow {
  open = $state(false);
  #participation: Participation;
  #close: () => void = () => undefined;
  #element: HTMLVideoElement | null = null;
  #shown: number | null = null;
  #unwatch: () => void = () => undefined;

  constructor(participation: Participation) {
    this.#participation = participation;
  }

  static get possible(): boolean {
    return pagesAside() !== null || pictureAside();
  }

  async toggle(): Promise<void> {
    if (this.open) return this.close();
    const aside = pagesAside();
    try {
      if (aside) this.#show(await aside.requestWindow(SIZE));
      else await this.#showPicture();
    } catch {
      this.#participation.toasts.add("no-picture");
    }
  }

  close(): void {
    this.#close();
  }

  /** Whoever speaks now is in the browser's own window. */
  follow(): void {
    const element = this.#element;
    const { room, slots, viewing } = this.#participation;
    const shown = spotlight(this.#shown, room);
    const slot = shown === null ? -1 : room.slots.indexOf(shown);
    const picture = slots[slot]?.picture ?? null;
    this.#shown = shown;
    if (!element || element.srcObject === picture || !picture) return;
    element.srcObject = picture;
    void element.play().catch(() => undefined);
    this.#unwatch();
    this.#unwatch = viewing.aside(slot, PICTURE.width, PICTURE.height);
  }

  #show(window: Window): void {
    dress(window.document);
    const room = mount(SmallRoom, {
      target: window.document.body,
      props: { participation: this.#participation },
    });
    this.open = true;
    const gone = () => {
      if (!this.open) return;
      this.open = false;
      void unmount(room);
    };
    window.addEventListener("pagehide", gone);
    this.#close = () => {
      gone();
      window.close();
    };
  }

  async #showPicture(): Promise<void> {
    const element = document.createElement("video");
    Object.assign(element, { muted: true, playsInline: true, autoplay: true });
    this.#element = element;
    this.follow();
    const gone = () => {
      this.open = false;
      this.#unwatch();
      this.#element = null;
      element.srcObject = null;
    };
    try {
      if (!element.srcObject) throw new Error("nobody to be seen");
      await loaded(element);
      await element.requestPictureInPicture();
    } catch (error) {
      gone();
      throw error;
    }
    this.open = true;
    element.addEventListener("leavepictureinpicture", gone);
    this.#close = () => {
      gone();
      void document.exitPictureInPicture().catch(() => undefined);
    };
  }
}

/** Only a page that is no iframe may open one. */
function pagesAside(): PagesAside | null {
  const { documentPictureInPicture } = window as { documentPictureInPicture?: PagesAside };
  return documentPictureInPicture && window.top === window ? documentPictureInPicture : null;
}

function pictureAside(): boolean {
  return document.pictureInPictureEnabled === true && allowed("picture-in-picture");
}

function loaded(element: HTMLVideoElement): Promise<void> {
  if (element.readyState >= HTMLMediaElement.HAVE_METADATA) return Promise.resolve();
  return new Promise((resolve, reject) => {
    element.addEventListener("loadedmetadata", () => resolve(), { once: true });
    setTimeout(() => reject(new Error("no picture came")), 3_000);
  });
}

/** The looks of this page, by its own style sheets. */
function dress(page: Document): void {
  for (const it of document.querySelectorAll("link[rel=stylesheet], style")) {
    const copy = page.importNode(it, true);
    if (copy instanceof HTMLElement && it instanceof HTMLLinkElement) copy.setAttribute("href", it.href);
    page.head.append(copy);
  }
  page.documentElement.lang = speech.language;
  page.title = speech.texts.controls.window.title;
}
