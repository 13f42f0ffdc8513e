// The look of captions on this page, kept for the next one. Where the browser refuses storage inside an
// iframe, it holds as long as the page.
import { KEY, type Look, readLook, writeLook } from "./look";

class CaptionLook {
  now = $state<Look>(readLook(kept()));
  /** Whether the choice is open beside the captions; it stays so when they are moved. */
  choosing = $state(false);
  /** They have been moved by it: what had the focus is made anew. */
  moved = false;

  set(change: Partial<Look>): void {
    const moves = change.place !== undefined && change.place !== this.now.place;
    this.moved = this.choosing && moves;
    this.now = { ...this.now, ...change };
    const text = writeLook(this.now);
    try {
      if (text === null) localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, text);
    } catch {
      // Chosen anew on the next page; nothing else is lost.
    }
  }
}

function kept(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export const captionLook = new CaptionLook();
