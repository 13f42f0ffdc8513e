// Asks the server over HTTP. It never keeps what it was told, and never puts a token into a URL.
import type {
  Admission,
  Admitted,
  CheckLink,
  CheckWish,
  Collect,
  EntryAbout,
  EntryRequest,
  ErrorBody,
  ExportQuery,
  Method,
  MethodChecked,
  MethodList,
  NewComment,
  NewSession,
  OwnWords,
  PastSessions,
  PilotWish,
  Plan,
  PlanRequest,
  SearchAnswer,
  SearchRequest,
  ServerStatus,
  SessionAbout,
  SessionCreated,
  SessionOutline,
} from "../wire/wire";

/** A refusal by the server, or `unreachable` when no answer came. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    text: string,
  ) {
    super(text);
  }
}

export function serverStatus(): Promise<ServerStatus> {
  return ask("/api/status");
}

export function createSession(session: NewSession): Promise<SessionCreated> {
  return ask("/api/sessions", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(session),
  });
}

export function aboutSession(session: string, token: string): Promise<SessionAbout> {
  return ask(`/api/sessions/${encodeURIComponent(session)}`, withToken(token));
}

/** A right in exchange for a token that somebody's server has signed, or for a ticket. */
export function admit(session: string, admission: Admission): Promise<Admitted> {
  return ask(`/api/sessions/${encodeURIComponent(session)}/admission`, posted(admission));
}

/** Looks in every session that a token is given of. */
export function search(request: Partial<SearchRequest>, signal?: AbortSignal): Promise<SearchAnswer> {
  return ask("/api/search", { ...posted(request), signal });
}

/** An entry among its neighbours, and what was said alike elsewhere. */
export function entryAbout(request: EntryRequest, signal?: AbortSignal): Promise<EntryAbout> {
  return ask("/api/entry", { ...posted(request), signal });
}

export function sessionOutline(session: string, token: string): Promise<SessionOutline> {
  return ask(`/api/sessions/${encodeURIComponent(session)}/outline`, withToken(token));
}

/** Puts an entry under a theme of the session's board; without a theme: takes it off. */
export function collect(session: string, token: string, what: Collect): Promise<SessionOutline> {
  const request = posted(what);
  const headers = { ...request.headers, ...withToken(token).headers };
  return ask(`/api/sessions/${encodeURIComponent(session)}/board`, { ...request, headers });
}

/** Says something about an entry or a theme of the board, to all who may see it. */
export function comment(session: string, token: string, what: NewComment): Promise<SessionOutline> {
  const request = posted(what);
  const headers = { ...request.headers, ...withToken(token).headers };
  return ask(`/api/sessions/${encodeURIComponent(session)}/comments`, { ...request, headers });
}

export function uncomment(session: string, token: string, which: number): Promise<SessionOutline> {
  return ask(`/api/sessions/${encodeURIComponent(session)}/comments/${which}`, { method: "DELETE", ...withToken(token) });
}

/** By what each of these sessions is found again. One whose time is over is not among them. */
export function pastSessions(tokens: readonly string[]): Promise<PastSessions> {
  return ask("/api/past", posted({ tokens }));
}

/** What somebody who was here says of how the method worked. Nobody is told who. */
export async function answerPilot(session: string, proof: string, wish: PilotWish): Promise<void> {
  const request = posted(wish);
  const headers = { ...request.headers, ...withToken(proof).headers };
  await answer(`/api/sessions/${encodeURIComponent(session)}/pilot`, { ...request, headers });
}

/** A document of the session, as a file. `told` hears how many bytes of it have come. */
export function exportSession(
  session: string,
  token: string,
  query: ExportQuery,
  told: (bytes: number) => void,
): Promise<NamedFile> {
  return download(`/api/sessions/${encodeURIComponent(session)}/export`, token, query, told);
}

/** All that is kept of the person whose link it is, as a file. */
export function exportOwn(session: string, token: string, query: ExportQuery): Promise<NamedFile> {
  return download(`/api/sessions/${encodeURIComponent(session)}/own/export`, token, query, () => undefined);
}

/** The way to one's own words, for who sits or sat in a seat. */
export function checkLink(session: string, proof: string): Promise<CheckLink> {
  return ask(`/api/sessions/${encodeURIComponent(session)}/check-link`, withToken(proof));
}

export function ownWords(session: string, token: string): Promise<OwnWords> {
  return ask(`/api/sessions/${encodeURIComponent(session)}/own`, withToken(token));
}

/** Does what a person wants of their own words, and answers with what there is after it. */
export function sendCheck(session: string, token: string, wish: CheckWish): Promise<OwnWords> {
  return ask(`/api/sessions/${encodeURIComponent(session)}/own`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: JSON.stringify(wish),
  });
}

export interface NamedFile {
  name: string;
  file: Blob;
}

async function download(
  path: string,
  token: string,
  query: ExportQuery,
  told: (bytes: number) => void,
): Promise<NamedFile> {
  const fields = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== "" && value !== false) fields.set(key, String(value));
  }
  const response = await answer(`${path}?${fields}`, withToken(token));
  const says = response.headers.get("Content-Disposition") ?? "";
  const name = /filename="([\w.-]+)"/.exec(says)?.[1] ?? `vuoro.${query.format}`;
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const piece = await reader?.read().catch(() => {
      throw new ApiError("unreachable", "the document broke off");
    });
    if (!piece || piece.done) break;
    pieces.push(piece.value);
    bytes += piece.value.byteLength;
    told(bytes);
  }
  return { name, file: new Blob(pieces, { type: response.headers.get("Content-Type") ?? "" }) };
}

export async function allMethods(): Promise<Method[]> {
  return (await ask<MethodList>("/api/methods")).methods;
}

/** How a method would go with so many people. */
export function planOf(method: Method, people: number): Promise<Plan> {
  const request: PlanRequest = { method, people };
  return ask("/api/methods/plan", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(request),
  });
}

/** Reads a method file that somebody has written. */
export function checkMethod(text: string): Promise<MethodChecked> {
  return ask("/api/methods/check", {
    method: "POST",
    headers: { "Content-Type": "text/plain; charset=utf-8" },
    body: text,
  });
}

/** Where a method's file is to be had. */
export function methodFile(id: string): string {
  return `/api/methods/${encodeURIComponent(id)}.toml`;
}

/** A method written as a file, also one that no server keeps. */
export async function methodText(method: Method): Promise<string> {
  const response = await answer("/api/methods/toml", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(method),
  });
  return response.text();
}

function posted(body: unknown): RequestInit {
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

function withToken(token: string): RequestInit {
  return { headers: { Authorization: `Bearer ${token}` } };
}

async function ask<Answer>(path: string, request: RequestInit = {}): Promise<Answer> {
  return (await (await answer(path, request)).json()) as Answer;
}

/** An answer that is a success. */
async function answer(path: string, request: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { ...request, credentials: "omit", cache: "no-store" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError("unreachable", "the server did not answer");
  }
  if (response.ok) return response;
  throw await refusalOf(response);
}

async function refusalOf(response: Response): Promise<ApiError> {
  try {
    const body = (await response.json()) as Partial<ErrorBody>;
    if (typeof body.code === "string") return new ApiError(body.code, body.text ?? "");
  } catch {
    // A proxy in between may answer with a page of its own.
  }
  return new ApiError(response.status >= 500 ? "unreachable" : "internal", response.statusText);
}
