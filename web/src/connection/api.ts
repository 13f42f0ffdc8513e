// Asks the server over HTTP. It never keeps what it was told, and never puts a token into a URL.
import type {
  ErrorBody,
  NewSession,
  SearchAnswer,
  SearchQuery,
  ServerStatus,
  SessionAbout,
  SessionCreated,
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

export function searchSession(
  session: string,
  token: string,
  query: SearchQuery,
  signal?: AbortSignal,
): Promise<SearchAnswer> {
  const fields = new URLSearchParams();
  if (query.q) fields.set("q", query.q);
  if (query.participant !== undefined) fields.set("participant", String(query.participant));
  if (query.room !== undefined) fields.set("room", query.room);
  if (query.offset) fields.set("offset", String(query.offset));
  const text = fields.toString();
  const path = `/api/sessions/${encodeURIComponent(session)}/search${text ? `?${text}` : ""}`;
  return ask(path, { ...withToken(token), signal });
}

function withToken(token: string): RequestInit {
  return { headers: { Authorization: `Bearer ${token}` } };
}

async function ask<Answer>(path: string, request: RequestInit = {}): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(path, { ...request, credentials: "omit", cache: "no-store" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError("unreachable", "the server did not answer");
  }
  if (response.ok) return (await response.json()) as Answer;
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
