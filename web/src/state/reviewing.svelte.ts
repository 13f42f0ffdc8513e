// What a reviewer looks for and what the server has answered: the question, what it is narrowed by, the
// pages of the answer that have been seen, the outline and the board. Nothing is kept in the browser:
// what must last is in the address or on the server.
import { ApiError, aboutSession, collect, comment, search, sessionOutline, uncomment } from "../connection/api";
import type {
  CommentAbout,
  SearchAnswer,
  SearchCounts,
  SearchHit,
  SearchRequest,
  SessionAbout,
  SessionOutline,
} from "../wire/wire";
import { pagesOf, type Sight } from "./windowed";

export const PAGE = 50;
/** Pages kept; the farthest are forgotten first. */
const PAGES_MAX = 60;

export type Facet = "kinds" | "marks" | "rooms" | "participants" | "phases" | "questions" | "languages" | "sessions";

/** Values as the wire has them, written as text so that they can be compared. */
export type Narrowed = Record<Facet, readonly string[]>;

const NOTHING: Narrowed = {
  kinds: [],
  marks: [],
  rooms: [],
  participants: [],
  phases: [],
  questions: [],
  languages: [],
  sessions: [],
};

export class Reviewing {
  readonly session: string;
  /** One for each session that is looked in, the page's own first. */
  tokens = $state.raw<readonly string[]>([]);
  abouts = $state.raw<ReadonlyMap<string, SessionAbout>>(new Map());
  outline = $state.raw<SessionOutline | null>(null);
  words = $state("");
  narrowed = $state.raw<Narrowed>(NOTHING);
  total = $state<number | null>(null);
  counts = $state.raw<SearchCounts | null>(null);
  pages = $state.raw<ReadonlyMap<number, readonly SearchHit[]>>(new Map());
  /** The words that the shown hits answer; the person may be typing further already. */
  answered = $state("");
  refusal = $state("");
  busy = $state(false);
  /** As whom one comments; for as long as the page is open. */
  commenter = $state("");
  #asking = new Set<number>();
  #underway: AbortController | null = null;

  constructor(session: string, token: string) {
    this.session = session;
    this.tokens = token.split(",").filter(Boolean);
  }

  get token(): string {
    return this.tokens[0] ?? "";
  }

  get about(): SessionAbout | null {
    return this.abouts.get(this.session) ?? null;
  }

  get isNarrowed(): boolean {
    return Object.values(this.narrowed).some((it) => it.length > 0);
  }

  async open(): Promise<void> {
    this.refusal = "";
    try {
      const known = new Map(this.abouts);
      for (const token of this.tokens) {
        const session = sessionOf(token);
        if (session && !known.has(session)) known.set(session, await aboutSession(session, token));
      }
      this.abouts = known;
      this.outline = await sessionOutline(this.session, this.token);
    } catch (error) {
      this.#fail(error);
      return;
    }
    await this.look();
  }

  /** Also in another session, by its token. `false`: it opens none. */
  async add(token: string): Promise<boolean> {
    const session = sessionOf(token);
    if (!session || this.abouts.has(session)) return session !== null;
    try {
      const about = await aboutSession(session, token);
      this.abouts = new Map([...this.abouts, [session, about]]);
    } catch {
      return false;
    }
    this.tokens = [...this.tokens, token];
    await this.look();
    return true;
  }

  /** From the beginning. */
  async look(): Promise<void> {
    this.#underway?.abort();
    const mine = new AbortController();
    this.#underway = mine;
    this.#asking.clear();
    this.busy = true;
    const asked = this.words.trim();
    try {
      const answer = await search(this.#request(0), mine.signal);
      if (mine !== this.#underway) return;
      this.answered = asked;
      this.pages = new Map();
      this.#take(0, answer);
      this.busy = false;
    } catch (error) {
      if (mine === this.#underway) this.#fail(error);
    }
  }

  narrow(facet: Facet, values: readonly string[]): void {
    this.narrowed = { ...this.narrowed, [facet]: values };
    void this.look();
  }

  toggle(facet: Facet, value: string): void {
    const now = this.narrowed[facet];
    this.narrow(facet, now.includes(value) ? now.filter((it) => it !== value) : [...now, value]);
  }

  clear(): void {
    this.words = "";
    this.narrowed = NOTHING;
    void this.look();
  }

  hit(index: number): SearchHit | undefined {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  /** Asks for what these rows need and is not here. */
  need(sight: Sight): void {
    for (const page of pagesOf(sight, PAGE)) {
      if (!this.pages.has(page) && !this.#asking.has(page)) void this.#page(page);
    }
  }

  async collect(hit: SearchHit, theme: string | null): Promise<string | null> {
    const token = this.tokens.find((it) => sessionOf(it) === hit.session);
    if (!token) return "not-allowed";
    try {
      const outline = await collect(hit.session, token, { seq: hit.seq, theme });
      if (hit.session === this.session) this.outline = outline;
      return null;
    } catch (error) {
      return error instanceof ApiError ? error.code : "internal";
    }
  }

  /** What is said of an entry of the page's own session. */
  commentsOf(hit: SearchHit): readonly CommentAbout[] {
    if (hit.session !== this.session) return [];
    return this.outline?.comments.filter((it) => it.seq === hit.seq) ?? [];
  }

  commentsOnTheme(theme: string): readonly CommentAbout[] {
    return this.outline?.comments.filter((it) => it.theme === theme) ?? [];
  }

  /** A refusal's code, or null. */
  async comment(on: { seq: number } | { theme: string }, text: string): Promise<string | null> {
    return this.#change(() => comment(this.session, this.token, { ...on, name: this.commenter.trim(), text }));
  }

  async uncomment(which: number): Promise<string | null> {
    return this.#change(() => uncomment(this.session, this.token, which));
  }

  async #change(act: () => Promise<SessionOutline>): Promise<string | null> {
    try {
      this.outline = await act();
      return null;
    } catch (error) {
      return error instanceof ApiError ? error.code : "internal";
    }
  }

  themeOf(hit: SearchHit): string | null {
    const theme = this.outline?.board.find((it) =>
      it.entries.some((one) => one.seq === hit.seq && one.session === hit.session),
    );
    return theme?.theme ?? null;
  }

  /** The place in the answer of the first of a room at or after a moment, by halving. */
  async nearest(room: string, at_ms: number): Promise<SearchHit | null> {
    const request = { tokens: [this.token], rooms: [room] };
    const first = await search(request);
    let [from, end] = [0, first.total];
    let found: SearchHit | null = null;
    while (from < end) {
      const middle = Math.floor((from + end) / 2);
      const answer = await search({ ...request, offset: middle });
      const hit = answer.hits.find((it) => it.end_ms >= at_ms);
      if (hit) found = hit;
      if (hit && hit !== answer.hits[0]) return hit;
      if (hit) end = middle;
      else from = middle + Math.max(answer.hits.length, 1);
    }
    return found;
  }

  async #page(page: number): Promise<void> {
    const underway = this.#underway;
    this.#asking.add(page);
    try {
      const answer = await search(this.#request(page * PAGE), underway?.signal);
      if (underway === this.#underway) this.#take(page, answer);
    } catch (error) {
      if (underway === this.#underway) this.#fail(error);
    } finally {
      if (underway === this.#underway) this.#asking.delete(page);
    }
  }

  #take(page: number, answer: SearchAnswer): void {
    const pages = [...this.pages, [page, answer.hits] as const];
    pages.sort((a, b) => Math.abs(a[0] - page) - Math.abs(b[0] - page));
    this.pages = new Map(pages.slice(0, PAGES_MAX));
    this.total = answer.total;
    this.counts = answer.counts;
  }

  #request(offset: number): Partial<SearchRequest> {
    const { kinds, marks, rooms, participants, phases, questions, languages, sessions } = this.narrowed;
    return {
      tokens: [...this.tokens],
      q: this.words.trim(),
      kinds: kinds as SearchRequest["kinds"],
      marks: marks as SearchRequest["marks"],
      rooms: [...rooms],
      participants: participants.map(Number),
      phases: phases.map((it) => {
        const [method = "", phase = ""] = it.split("/", 2);
        return { method, phase };
      }),
      questions: [...questions],
      languages: languages as SearchRequest["languages"],
      sessions: [...sessions],
      offset,
    };
  }

  #fail(error: unknown): void {
    if (error instanceof DOMException && error.name === "AbortError") return;
    this.busy = false;
    this.refusal = error instanceof ApiError ? error.code : "internal";
  }
}

/** The session a token names. Only to know which is which: rights are the server's to judge. */
export function sessionOf(token: string): string | null {
  try {
    const body = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const claims = JSON.parse(atob(body)) as { sid?: unknown };
    return typeof claims.sid === "string" ? claims.sid : null;
  } catch {
    return null;
  }
}
