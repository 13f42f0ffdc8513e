// What becomes of a page that lacks a part of itself. Some browsers remember for as long as a page lives
// that a script could not be had, and then only another page helps. It never loads a page again and again:
// the tab counts, and where it cannot, the person decides.

const RELOADS = "vuoro-reloads";
const RELOADS_MAX = 3;
/** How often one page asks before it takes the browser for one that remembers. */
const ASKED_MAX = 2;

/**
 * `asked`: in vain, by this page. `reloads`: since a page of this tab was whole; null: nobody counts.
 * `answers`: whether the server would give another page; else this one would be gone as well.
 */
export function nextAfter(asked: number, reloads: number | null, answers: boolean): "ask" | "reload" | "tell" {
  if (asked < ASKED_MAX) return "ask";
  return answers && reloads !== null && reloads < RELOADS_MAX ? "reload" : "tell";
}

/** Null where the browser refuses storage. */
export function reloads(): number | null {
  try {
    return Number(sessionStorage.getItem(RELOADS));
  } catch {
    return null;
  }
}

/** Nothing is loaded again that could not be counted. */
export function countReload(): boolean {
  try {
    sessionStorage.setItem(RELOADS, String((reloads() ?? 0) + 1));
    return true;
  } catch {
    return false;
  }
}

/** The page is whole, or a person begins anew. */
export function forgetReloads(): void {
  try {
    sessionStorage.removeItem(RELOADS);
  } catch {
    // Then nothing was counted either.
  }
}
