// Which script each page is. Every page brings only its own.
import type { PageKind } from "../connection/link";

const scripts = {
  start: () => import("./pages/Start.svelte"),
  join: () => import("./pages/Join.svelte"),
  host: () => import("./pages/Host.svelte"),
  review: () => import("./pages/Review.svelte"),
  check: () => import("./pages/Check.svelte"),
  methods: () => import("./pages/Methods.svelte"),
  method: () => import("./pages/Method.svelte"),
  embed: () => import("./pages/Embed.svelte"),
  library: () => import("./pages/Library.svelte"),
};

/** Null where there is no such page. */
export function pageScript(page: PageKind): ReturnType<(typeof scripts)[keyof typeof scripts]> | null {
  return page === "nowhere" ? null : scripts[page]();
}
