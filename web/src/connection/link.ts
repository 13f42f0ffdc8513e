// Reads what a page is from its address: which page, which session, and the token after `#`. It never
// puts a token anywhere else: the fragment stays in the browser and no server logs it.

export type PageKind = "start" | "join" | "host" | "review" | "methods" | "method" | "embed" | "check" | "library" | "nowhere";

export interface PageLink {
  page: PageKind;
  /** On a method's page: the method. Empty on pages that are not of a session. */
  session: string;
  /** Empty when the link has none. */
  token: string;
}

export function readLink(path: string, fragment: string): PageLink {
  const token = safeDecode(fragment.replace(/^#/, ""));
  if (path === "/" || path === "/index.html") return { page: "start", session: "", token: "" };
  if (/^\/methods\/?$/.test(path)) return { page: "methods", session: "", token: "" };
  if (/^\/library\/?$/.test(path)) return { page: "library", session: "", token };
  const method = /^\/methods\/([^/]+)\/?$/.exec(path)?.[1];
  if (method) return { page: "method", session: safeDecode(method), token: "" };
  const parts = /^\/(join|host|review|embed|check)\/([^/]+)\/?$/.exec(path);
  if (!parts?.[1] || !parts[2]) return { page: "nowhere", session: "", token: "" };
  return { page: parts[1] as PageKind, session: safeDecode(parts[2]), token };
}

/** A path that keeps what the address says of language and method; `more` wins over both. */
export function onward(path: string, search: string, more: Record<string, string> = {}): string {
  const [before = "", fragment] = path.split("#", 2);
  const fields = new URLSearchParams();
  const asked = new URLSearchParams(search);
  for (const key of ["lang", "method"]) {
    const value = more[key] ?? asked.get(key);
    if (value) fields.set(key, value);
  }
  const query = fields.toString();
  return `${before}${query ? `?${query}` : ""}${fragment === undefined ? "" : `#${fragment}`}`;
}

/** Whether a learning platform has sent the person here: they know of no link, only of a course. */
export function isLaunch(path: string): boolean {
  return path.startsWith("/lti/");
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
