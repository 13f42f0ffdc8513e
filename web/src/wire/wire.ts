// The words on the wire. Written by a test from `src/server/wire.rs`; never by hand.

export type ClientMessage = { "type": "join", token: string, 
/**
 * From an earlier `welcome` of this person: asks for the same seat.
 */
seat: string | null, name: string, language: WireLanguage, consent: WireConsent, } | { "type": "watch", token: string, } | { "type": "media" } | { "type": "answer", sdp: string, } | { "type": "set-consent", consent: WireConsent, } | { "type": "set-microphone", on: boolean, } | { "type": "set-camera", on: boolean, } | { "type": "leave" } | { "type": "open-rooms", count: number, } | { "type": "move", participant: number, room: string, } | { "type": "end" };

export type ServerMessage = { "type": "welcome", participant: number, 
/**
 * Proof of this seat, for `join` after a lost connection.
 */
seat: string, title: string, language: WireLanguage, room: WireRoom, transcription: Transcription, } | { "type": "offer", sdp: string, send: Mids, slots: Array<Mids>, } | { "type": "slots", participants: Array<number | null>, } | { "type": "room", room: WireRoom, } | { "type": "speaking", participant: number, on: boolean, } | { "type": "caption" } & WireCaption | { "type": "balance", 
/**
 * Largest first, without names.
 */
shares: Array<number>, effective_voices: number, own_talk_ms: number, own_turns: number, own_share: number, } | { "type": "overview", title: string, language: WireLanguage, rooms: Array<WireRoom>, transcription: Transcription, } | { "type": "ended" } | { "type": "error", code: string, text: string, 
/**
 * Whether the socket closes after this.
 */
fatal: boolean, };

export type Mids = { audio: string, video: string, };

export type WireLanguage = "fi" | "sv" | "en";

export type WireConsent = "on" | "off-the-record" | "declined";

export type WirePerson = { participant: number, name: string, language: WireLanguage, consent: WireConsent, microphone: boolean, camera: boolean, present: boolean, };

export type WireRoom = { 
/**
 * `main` or `room-N`.
 */
room: string, people: Array<WirePerson>, };

export type WireCaption = { participant: number, name: string, start_ms: number, end_ms: number, language: WireLanguage, text: string, };

export type Transcription = { "state": "on", model: string, } | { "state": "off" } | { "state": "model-missing" } | { "state": "model-damaged" };

export type NewSession = { title: string, language: WireLanguage, };

export type SessionCreated = { session: string, 
/**
 * `/host/ID#TOKEN`
 */
host_path: string, 
/**
 * `/join/ID#TOKEN`
 */
join_path: string, 
/**
 * `/review/ID#TOKEN`
 */
review_path: string, };

export type ServerStatus = { version: string, transcription: Transcription, };

export type SessionAbout = { session: string, title: string, language: WireLanguage, 
/**
 * Milliseconds since 1970.
 */
opened_unix_ms: number, ended: boolean, 
/**
 * Everybody who ever had a seat. Only for facilitators and reviewers; else empty.
 */
people: Array<PersonAbout>, 
/**
 * Links to hand out. Only for facilitators.
 */
links: SessionCreated | null, };

export type PersonAbout = { participant: number, name: string, };

export type SearchQuery = { 
/**
 * Words; `"in quotes"` a phrase. Empty: everything said, in the order of time.
 */
q: string, participant?: number, 
/**
 * `main` or `room-N`.
 */
room?: string, offset?: number, };

export type SearchAnswer = { 
/**
 * All that match, of which `hits` is one page.
 */
total: number, hits: Array<SearchHit>, 
/**
 * Every room in which something was said in this session.
 */
rooms: Array<string>, };

export type SearchHit = { participant: number, name: string, room: string, start_ms: number, end_ms: number, language: WireLanguage, 
/**
 * What was said, in order; `hit` marks what matched. Their texts add up to the whole.
 */
parts: Array<TextPart>, };

export type TextPart = { text: string, hit: boolean, };

export type ErrorBody = { code: string, text: string, };
