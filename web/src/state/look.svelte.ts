// The look of captions on this page, kept for the next one. Where the browser refuses storage inside an
// iframe, it holds as long as the page.
import { KEY, type Look, readLook, writeLook } from "./look";

class CaptionLook {
  now = $state<Look>(readLook(kept()));

  set(change: Partial<Look>): void {
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
