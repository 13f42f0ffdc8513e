// Reads what a page is from its address: which page, which session, and the token after `#`. It never
// puts a token anywhere else: the fragment stays in the browser and no server logs it.

export type PageKind = "start" | "join" | "host" | "review" | "nowhere";

export interface PageLink {
  page: PageKind;
  /** Empty on the start page. */
  session: string;
  /** Empty when the link has none. */
  token: string;
}

export function readLink(path: string, fragment: string): PageLink {
  const token = safeDecode(fragment.replace(/^#/, ""));
  if (path === "/" || path === "/index.html") return { page: "start", session: "", token: "" };
  const parts = /^\/(join|host|review)\/([^/]+)\/?$/.exec(path);
  if (!parts?.[1] || !parts[2]) return { page: "nowhere", session: "", token: "" };
  return { page: parts[1] as PageKind, session: safeDecode(parts[2]), token };
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
