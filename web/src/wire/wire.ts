// The words on the wire. Written by a test from `src/server/wire`; never by hand.

export type ClientMessage = { "type": "join", token: string, 
/**
 * From an earlier `welcome` of this person: asks for the same seat.
 */
seat: string | null, name: string, language: WireLanguage, 
/**
 * The language is to be found by listening; `language` is only what it may be.
 */
by_ear?: boolean, consent: WireConsent, 
/**
 * Organisation, role, region and the like, by kind: people of one kind are mixed.
 */
tags: { [key in string]: string }, } | { "type": "watch", token: string, } | { "type": "renew", token: string, } | { "type": "media", 
/**
 * The connection there is shall go on by another way, as the page's network has changed; where
 * there is none, a new one.
 */
restart?: boolean, } | { "type": "answer", number: number, sdp: string, } | { "type": "set-consent", consent: WireConsent, } | { "type": "set-language", language: WireLanguage, by_ear?: boolean, } | { "type": "set-transcription", on: boolean, room?: string, } | { "type": "strike" } | { "type": "set-microphone", on: boolean, } | { "type": "set-camera", on: boolean, } | { "type": "view", slots: Array<WireWanted>, screen?: WireWanted, } | { "type": "leave" } | { "type": "open-rooms", count: number, } | { "type": "move", participant: number, room: string, } | { "type": "end" } | { "type": "run-method", method: Method, 
/**
 * What is talked about. May be empty.
 */
question: string, 
/**
 * One for each table or free room. May be empty.
 */
topics: Array<string>, 
/**
 * How long before the end of a phase people are warned.
 */
warn_s: number, } | { "type": "next", at_once: boolean, } | { "type": "pause", on: boolean, } | { "type": "extend", seconds: number, } | { "type": "stop-method" } | { "type": "keep", participants: [number, number], rule: WireKeep, } | { "type": "pin", participant: number, on: boolean, } | { "type": "ready", on: boolean, } | { "type": "pass-turn" } | { "type": "seat", on: boolean, } | { "type": "go-to", room: string, } | { "type": "write", text: string, 
/**
 * When it was written: a private note is not to become the room's line because the phase has
 * changed on its way. Without it, whatever is on.
 */
at?: WirePlace, } | { "type": "type", 
/**
 * The number that the last `sheet` had.
 */
sheet: number, update: string, } | { "type": "score", score: number, } | { "type": "write-idea", idea?: number, text: string, } | { "type": "combine-ideas", ideas: Array<number>, text: string, } | { "type": "remove-idea", idea: number, } | { "type": "choose-idea", idea: number, on: boolean, } | { "type": "vote", idea: number, votes: number, } | { "type": "strike-idea", idea: number, } | { "type": "raise-hand", on: boolean, } | { "type": "react", reaction: WireReaction, } | { "type": "post", text: string, } | { "type": "mark", participant: number, start_ms: number, mark: WireMark, on: boolean, } | { "type": "call", on: boolean, } | { "type": "share", on: boolean, } | { "type": "broadcast", text: string, } | { "type": "lower-hand", participant: number, } | { "type": "call-seen", participant: number, } | { "type": "call-done", participant: number, } | { "type": "end-share", participant: number, } | { "type": "group-idea", idea: number, group: string | null, } | { "type": "set-glossary", text: string, } | { "type": "follow", room: string | null, };

export type ServerMessage = { "type": "welcome", participant: number, 
/**
 * The way back to this seat, for `join` after a lost connection; a page may keep it.
 */
seat: string, 
/**
 * Proof of who sits here, for `check-link`. A page keeps it in memory only.
 */
own: string, title: string, language: WireLanguage, room: WireRoom, transcription: Transcription, 
/**
 * Whether the server still has a live media connection of this seat. A page that has its
 * end of it goes on with it; any other asks for `media`.
 */
media: boolean, 
/**
 * Where the session lives, such as `wss://solmu-1.example.fi`, if that is another address
 * than the page's own: the page's next lines go there.
 */
node?: string, } | { "type": "alive" } | { "type": "offer", 
/**
 * Larger than that of every offer before on this line.
 */
number: number, sdp: string, send: SendMids, slots: Array<Mids>, 
/**
 * The line on which a shared screen is received.
 */
screen?: string, 
/**
 * The connection there is goes on by another way (ICE restart): its lines stay as they are.
 */
restart?: boolean, 
/**
 * TURN servers the page may go through.
 */
relays?: WireRelays, } | { "type": "slots", participants: Array<number | null>, } | { "type": "room", room: WireRoom, } | { "type": "speaking", participant: number, on: boolean, } | { "type": "caption" } & WireCaption | { "type": "partial" } & WireCaption | { "type": "struck", participant: number, start_ms: number, end_ms: number, } | { "type": "balance", 
/**
 * Largest first, without names.
 */
shares: Array<number>, effective_voices: number, 
/**
 * Somebody has not been heard yet: the room is invited to ask.
 */
invites: boolean, own_talk_ms: number, own_turns: number, own_backchannels: number, own_share: number, 
/**
 * The share as a multiple of what the time in the room makes fair.
 */
own_ratio: number, } | { "type": "round", lasted_ms: number, 
/**
 * Largest first, without names.
 */
shares: Array<number>, balance: WireRoomBalance, } | { "type": "own", talk_ms: number, turns: number, backchannels: number, 
/**
 * Different people whom they have heard have the floor.
 */
people_heard: number, rounds: number, } | { "type": "room-balances", rooms: Array<WireRoomBalance>, } | { "type": "rounds", rooms: Array<WireRoomBalance>, } | { "type": "overview", title: string, language: WireLanguage, rooms: Array<WireRoom>, transcription: Transcription, 
/**
 * Whether the facilitators let words be written down.
 */
transcribes: boolean, run: WireRun | null, 
/**
 * Who stays where they are when groups are made anew.
 */
pinned: Array<number>, kept: Array<WireKept>, 
/**
 * Who waits for a facilitator, longest first.
 */
calls: Array<WireWaiting>, 
/**
 * Words and names to be heard rightly.
 */
glossary: string, } | { "type": "following", room: string | null, } | { "type": "method", method: Method | null, question: string, warn_ms: number, } | { "type": "step" } & WireStep | { "type": "moved", reason: WireMoveReason, } | { "type": "sheet", 
/**
 * Another number: another sheet, in place of the one before.
 */
number: number, 
/**
 * The number under which its text began. Where the sheet before has the same, this is its text,
 * laid out anew: what the page has beside belongs onto this one.
 */
since: number, state: string, 
/**
 * What the page has changed and the room has not is refused, and is to be forgotten.
 */
afresh: boolean, } | { "type": "typed", participant: number, sheet: number, update: string, } | { "type": "harvest", lines: Array<WireLine>, 
/**
 * Best first, without names.
 */
ranking: Array<WireCard>, } | { "type": "ideas", stage: WireStage, ideas: Array<WireIdea>, 
/**
 * Of those who let theirs be known.
 */
names: Array<WireName>, own_votes: Array<WireVote>, } | { "type": "own-votes", votes: Array<WireVote>, } | { "type": "tally", votes: Array<WireVote>, 
/**
 * How many people have voted.
 */
voters: number, } | { "type": "reacted", participant: number, reaction: WireReaction, } | { "type": "marked", participant: number, start_ms: number, by: number, mark: WireMark, on: boolean, } | { "type": "post" } & WirePost | { "type": "posts", posts: Array<WirePost>, } | { "type": "ended" } | { "type": "error", code: string, text: string, 
/**
 * Whether the socket closes after this.
 */
fatal: boolean, };

export type Mids = { audio: string, video: string, };

export type WireRelays = { urls: Array<string>, username: string, credential: string, };

export type SendMids = { audio: string, video: string, 
/**
 * For sharing a screen.
 */
screen?: string, };

export type WireWanted = "nothing" | "small" | "medium" | "large";

export type WireLanguage = "fi" | "sv" | "en";

export type WireConsent = "on" | "off-the-record" | "declined";

export type WireWriting = "on" | "off-by-method" | "off-by-host" | "off-by-room";

export type WireRoomBalance = { room: string, 
/**
 * Present, silent ones included.
 */
people: number, 
/**
 * Of them, who has had the floor.
 */
heard: number, effective_voices: number, 
/**
 * 0 to 1.
 */
evenness: number, turns: number, 
/**
 * Of the numbers of turns, over the square of their mean.
 */
turn_variance: number, 
/**
 * How mixed it is who follows whom: 0 to 1.
 */
mix: number, 
/**
 * Time with two voices or more as a part of that with any.
 */
overlap: number, backchannels: number, interruptions: number, };

export type WirePerson = { participant: number, name: string, 
/**
 * In which they are heard.
 */
language: WireLanguage, 
/**
 * The language is found by listening, and not as they have said.
 */
by_ear?: boolean, consent: WireConsent, microphone: boolean, camera: boolean, present: boolean, };

export type WireRoom = { 
/**
 * `main` or `room-N`.
 */
room: string, people: Array<WirePerson>, writing: WireWriting, 
/**
 * Who has a hand up, in the order in which they went up.
 */
hands: Array<number>, 
/**
 * Who shares their screen.
 */
sharing: number | null, 
/**
 * Who waits for a facilitator: in a breakout room one for all.
 */
calls: Array<WireCall>, 
/**
 * Whether a facilitator reads the captions along.
 */
followed: boolean, };

export type WireCall = { participant: number, 
/**
 * A facilitator has said that they know.
 */
seen: boolean, };

export type WireWaiting = { participant: number, room: string, 
/**
 * At the moment of sending.
 */
waited_ms: number, seen: boolean, };

export type WirePost = { 
/**
 * Null: a facilitator, to everybody.
 */
participant: number | null, 
/**
 * As they were called then; empty for a facilitator.
 */
name: string, at_ms: number, text: string, 
/**
 * Whether it is written down for later.
 */
kept: boolean, };

export type WireReaction = "clap" | "heart" | "laugh" | "wonder" | "thumbs-up";

export type WireMark = "feeling" | "experience" | "thought" | "worry" | "challenge" | "idea";

export type WireCaption = { participant: number, name: string, start_ms: number, end_ms: number, language: WireLanguage, text: string, };

export type WireKeep = "apart" | "together" | "as-it-comes";

export type WireKept = { participants: [number, number], rule: WireKeep, };

export type WireRun = { 
/**
 * Index among the method's phases.
 */
phase: number, 
/**
 * From 0, of `of`.
 */
round: number, of: number, 
/**
 * Until the end of the phase, at the moment of sending; 0 while people finish their
 * sentences. Null: the facilitator ends it.
 */
left_ms: number | null, 
/**
 * From the end of the phase, or from now while people finish, until they are moved.
 */
grace_ms: number, paused: boolean, 
/**
 * People present who are ready to go on, and people present.
 */
ready: number, ready_of: number, };

export type WirePlace = { 
/**
 * Index among the method's phases.
 */
phase: number, 
/**
 * From 0.
 */
round: number, };

export type WireStep = { run: WireRun, 
/**
 * Index among the method's roles.
 */
role: number | null, 
/**
 * Whether the microphone is let through.
 */
may_speak: boolean, own_ready: boolean, 
/**
 * Whose turn it is in the own room.
 */
turn: WireTurn | null, 
/**
 * Who has a seat in the middle, longest first.
 */
seated: Array<number>, 
/**
 * Of the own room.
 */
topic: string | null, 
/**
 * Of all rooms, in their order.
 */
topics: Array<string>, 
/**
 * Where people go as they like, how many are in each breakout room; else empty.
 */
people: Array<number>, 
/**
 * What stands on the card the person holds.
 */
card: string | null, own_score: number | null, 
/**
 * What the person, or their room together, has written in this phase.
 */
written: string, };

export type WireTurn = { participant: number, left_ms: number, };

export type WireStage = "alone" | "room" | "vote" | "result";

export type WireIdea = { idea: number, 
/**
 * Who wrote it; null: a room made it of several, or nobody is to know.
 */
by: number | null, 
/**
 * Before which room it lies, or lay last.
 */
room: string | null, 
/**
 * Empty: its words have been taken back.
 */
text: string, 
/**
 * All that it came from, back to what single people wrote.
 */
from: Array<WireSource>, 
/**
 * Whether this page's person has had a part in it.
 */
mine: boolean, chosen: boolean, 
/**
 * Whether its words are this person's own, and still there.
 */
own: boolean, 
/**
 * Under which name it stands with others.
 */
group: string | null, 
/**
 * Null: hidden, or nobody has been asked to vote.
 */
votes: number | null, };

export type WireSource = { 
/**
 * 1: the idea was made of it; 2: the one before at depth 1 was; and so on.
 */
depth: number, idea: number, by: number | null, own: boolean, text: string, };

export type WireName = { participant: number, name: string, };

export type WireVote = { idea: number, votes: number, };

export type WireMoveReason = "step" | "late" | "alone" | "company" | "host" | "own";

export type WireLine = { room: string, text: string, };

export type WireCard = { text: string, 
/**
 * 5 to 25.
 */
points: number, 
/**
 * How many scored it.
 */
scores: number, };

export type Method = { 
/**
 * Lower-case letters, digits and hyphens; the name of its file, and stable.
 */
id: string, name: Text, 
/**
 * What it is good for, in one sentence.
 */
purpose: Text, 
/**
 * How it goes and why it works, in two to five sentences.
 */
description: Text, 
/**
 * For finding it.
 */
aims: Array<Aim>, people: People, 
/**
 * Who does what in a room, in the order in which they are given out. Empty: all do the same.
 */
roles: Array<Role>, 
/**
 * What everybody agrees to.
 */
rules: Array<Text>, 
/**
 * Repetitions of several phases together.
 */
cycles: Array<Cycle>, phases: Array<Phase>, source: Source, };

export type Text = { fi: string, sv: string, en: string, };

export type Aim = "meet" | "share" | "understand" | "ideas" | "choose" | "help" | "reflect";

export type People = { min: number, max: number, ideal: number, };

export type Source = { 
/**
 * Who made or described it.
 */
by: string, 
/**
 * May be empty.
 */
url: string, };

export type Role = { id: string, name: Text, 
/**
 * What whoever has it does, said to them.
 */
task: Text, 
/**
 * How many in a room have it; absent: all who are left.
 */
count: number | null, 
/**
 * Whether they stay at their table when the others move on.
 */
stays: boolean, };

export type Cycle = { id: string, times: number | null, 
/**
 * A role: as often as a room has people, so that everybody has it once.
 */
each: string | null, };

export type Phase = { id: string, name: Text, 
/**
 * What to do, said to everybody in it, in one to three sentences.
 */
instruction: Text, 
/**
 * What the facilitator says or minds, for the printed guide.
 */
script: Text, assign: Assign, 
/**
 * People to a room, with `mix` and `merge`.
 */
size: number | null, 
/**
 * Fewest to a room; absent: one less than `size`, and at least 2.
 */
size_min: number | null, 
/**
 * Most to a room; absent: one more than `size`, and at most 8.
 */
size_max: number | null, 
/**
 * With `return`: the phase whose rooms are taken up again.
 */
rooms_of: string | null, 
/**
 * With `seats`: how many may speak; one more chair stands empty.
 */
seats: number | null, 
/**
 * With the harvest `ideas` in rooms: how many ideas each room may choose to bring to all. Absent:
 * none are chosen yet.
 */
choose?: number, 
/**
 * With the harvest `votes`: how people vote.
 */
vote?: Vote, 
/**
 * How long, in seconds.
 */
length_s: number | null, 
/**
 * Or how long for each person of the fullest room, in seconds. Neither: until the facilitator
 * goes on.
 */
length_s_per_person: number | null, 
/**
 * How often in a row, regrouped each time.
 */
rounds: number, 
/**
 * The cycle it belongs to.
 */
cycle: string | null, turns: Turns, 
/**
 * Only these roles may speak. Empty: everybody whom `turns` lets.
 */
speaking: Array<string>, harvest: Harvest, 
/**
 * With the harvest `line`: whom the room's sheet is given to.
 */
scribe?: Scribe, advance: Advance, 
/**
 * Whether words may be written down at all, whatever people have agreed to.
 */
transcribe: boolean, 
/**
 * Whether even turns are the aim, so that the room is shown its balance.
 */
balance: boolean, 
/**
 * The way of thinking it asks for, as a colour (six hats).
 */
colour: Colour | null, };

export type Assign = "plenary" | "solo" | "same" | "mix" | "merge" | "return" | "travel" | "carousel" | "free" | "seats";

export type Turns = "free" | "round" | "stick" | "silent";

export type Harvest = "speech" | "note" | "private" | "line" | "card" | "score" | "topics" | "ideas" | "votes";

export type Scribe = { 
/**
 * Whoever has this role is asked to write what the others say.
 */
role: string, 
/**
 * Whether the others only read.
 */
alone: boolean, };

export type Vote = { 
/**
 * Votes that each person has.
 */
each: number, 
/**
 * Most of them on one idea.
 */
same: number, 
/**
 * Most of them on ideas that one has had a part in. Absent: as many as on others'.
 */
own: number | null, 
/**
 * Whether only facilitators see how the votes lie until the phase is over.
 */
hidden: boolean, };

export type Advance = "time" | "ready" | "host";

export type Colour = "white" | "red" | "yellow" | "black" | "green" | "blue";

export type MethodList = { methods: Array<Method>, };

export type PlanRequest = { method: Method, people: number, };

export type Plan = { people: number, steps: Array<PlanStep>, 
/**
 * Of all phases that have a time.
 */
length_ms: number, 
/**
 * Meetings of two people beyond their first.
 */
repeats: number, 
/**
 * Different people each meets in small rooms: fewest, on average, most.
 */
partners_min: number, partners_mean: number, partners_max: number, };

export type PlanStep = { phase: number, round: number, of: number, length_ms: number | null, 
/**
 * Breakout rooms with the people in them, numbered from 0. Empty: all in the main room.
 */
rooms: Array<Array<number>>, 
/**
 * Pairs that meet in this step who have met in another.
 */
repeats: number, };

export type MethodChecked = { method: Method | null, 
/**
 * Why it cannot be used.
 */
faults: Array<MethodFault>, };

export type MethodFault = { 
/**
 * From 1.
 */
line: number, 
/**
 * What is wrong, and what to do.
 */
text: Text, };

export type Transcription = { "state": "on", model: string, } | { "state": "off" } | { "state": "model-missing" } | { "state": "model-damaged" };

export type NewSession = { title: string, language: WireLanguage, 
/**
 * For how many days it is kept after the last thing that happened in it, 1 to 3650; absent: as
 * the server keeps sessions.
 */
keep_days?: number, };

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

export type Admission = { 
/**
 * Signed by a tenant's server, or that of a link.
 */
token?: string, 
/**
 * Of the page around the frame, as the browser told the frame.
 */
origin?: string, 
/**
 * Works once.
 */
ticket?: string, };

export type Admitted = { token: string, role: WireRole, title: string, 
/**
 * What the person is called, where the tenant says so; then nobody else does.
 */
name: string | null, 
/**
 * What they may do beside speaking. Null: everything.
 */
grants: Array<WireGrant> | null, 
/**
 * How long `token` is good for.
 */
valid_s: number, };

export type WireRole = "participant" | "facilitator" | "assistant" | "reviewer";

export type WireGrant = "chat" | "react" | "hand" | "call" | "screenshare";

export type ServerStatus = { version: string, transcription: Transcription, };

export type SessionAbout = { session: string, title: string, language: WireLanguage, 
/**
 * Milliseconds since 1970.
 */
opened_unix_ms: number, 
/**
 * For how many days it is kept after the last thing that happened in it.
 */
keep_days: number, ended: boolean, 
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

export type SearchRequest = { 
/**
 * A facilitator's or reviewer's of each session to look in; at most 50.
 */
tokens: Array<string>, 
/**
 * As in `SearchQuery`.
 */
q: string, sessions: Array<string>, participants: Array<number>, rooms: Array<string>, kinds: Array<WireKind>, languages: Array<WireLanguage>, marks: Array<WireMark>, phases: Array<PhaseOfMethod>, questions: Array<string>, offset: number, };

export type WireKind = "said" | "chat" | "note" | "line" | "card" | "topic" | "idea" | "broadcast";

export type PhaseOfMethod = { method: string, phase: string, };

export type SearchAnswer = { 
/**
 * All that match, of which `hits` is one page.
 */
total: number, hits: Array<SearchHit>, counts: SearchCounts, };

export type SearchCounts = { sessions: Array<[string, number]>, 
/**
 * Only where one session is asked about, or it is narrowed to one: people's numbers are a session's own.
 */
participants: Array<[number, number]>, rooms: Array<[string, number]>, kinds: Array<[WireKind, number]>, languages: Array<[WireLanguage, number]>, marks: Array<[WireMark, number]>, phases: Array<[PhaseOfMethod, number]>, questions: Array<[string, number]>, };

export type SessionOutline = { 
/**
 * When the last thing happened.
 */
last_ms: number, runs: Array<OutlineRun>, steps: Array<OutlineStep>, rooms: Array<OutlineRoom>, 
/**
 * Everybody who had a seat.
 */
people: Array<OutlinePerson>, 
/**
 * Two people, and how often they came into one breakout room.
 */
met: Array<[number, number, number]>, 
/**
 * The marks that stand, by the moment of what they are set on.
 */
marks: Array<[number, WireMark]>, board: Array<BoardTheme>, 
/**
 * In the order of their coming.
 */
comments: Array<CommentAbout>, pilots: Array<PilotAbout>, };

export type OutlineRun = { at_ms: number, method: string, name: Text, question: string, phases: Array<OutlinePhase>, 
/**
 * What the rooms chose for all, most votes first.
 */
ideas: Array<WireIdea>, };

export type OutlinePhase = { id: string, name: Text, };

export type OutlinePerson = { participant: number, 
/**
 * Or the code that stands for it in every document that names nobody.
 */
name: string, 
/**
 * Whether it is the name. It is where they agree that what they say is kept.
 */
named: boolean, };

export type OutlineStep = { at_ms: number, 
/**
 * An index among `runs`, and one among its phases.
 */
run: number, phase: number, 
/**
 * From 0.
 */
round: number, 
/**
 * Who was put into which breakout room, from the first on; empty: people stayed where they were.
 */
rooms: Array<Array<number>>, };

export type OutlineRoom = { room: string, 
/**
 * Who spoke nearly without a pause, from when, until when.
 */
voices: Array<[number, number, number]>, };

export type BoardTheme = { theme: string, entries: Array<SearchHit>, };

export type CommentAbout = { 
/**
 * Its own place in the log, by which it can be taken back.
 */
comment: number, seq: number | null, theme: string | null, name: string, unix_ms: number, text: string, };

export type NewComment = { 
/**
 * Of the entry it is about, its place in the log.
 */
seq?: number, 
/**
 * Of the board.
 */
theme?: string, 
/**
 * As whom its writer wants to be known; may be empty.
 */
name: string, text: string, };

export type WireLevel = "no" | "little" | "mostly" | "yes";

export type PilotWish = { 
/**
 * The others listened to me.
 */
heard?: WireLevel, 
/**
 * I knew what to do.
 */
clear?: WireLevel, 
/**
 * I heard or understood something new.
 */
fresh?: WireLevel, 
/**
 * I would take part in this again.
 */
again?: WireLevel, 
/**
 * At most 300 characters; may be empty.
 */
line: string, };

export type PilotAbout = { 
/**
 * Its id; empty: no method was run.
 */
method: string, answers: number, 
/**
 * Null: too few have answered.
 */
told: PilotTold | null, };

export type PilotTold = { heard: [number, number, number, number], clear: [number, number, number, number], fresh: [number, number, number, number], again: [number, number, number, number], lines: Array<string>, };

export type PastRequest = { tokens: Array<string>, };

export type PastSessions = { sessions: Array<PastSession>, };

export type PastSession = { session: string, title: string, language: WireLanguage, opened_unix_ms: number, ended: boolean, 
/**
 * People who had a seat.
 */
people: number, 
/**
 * Each once, in the order of being run.
 */
methods: Array<PastMethod>, 
/**
 * What the methods were about.
 */
questions: Array<string>, 
/**
 * Of its board.
 */
themes: Array<string>, pilots: Array<PilotAbout>, };

export type PastMethod = { id: string, name: Text, };

export type Collect = { 
/**
 * Its place in the log.
 */
seq: number, 
/**
 * 1 to 80 characters; null: off the board.
 */
theme: string | null, };

export type EntryRequest = { tokens: Array<string>, seq: number, 
/**
 * How many before and after it in its room; at most 50.
 */
around: number, };

export type EntryAbout = { 
/**
 * In order, the entry among them.
 */
around: Array<SearchHit>, 
/**
 * What was said alike, independently, in other rooms.
 */
alike: Array<SearchHit>, };

export type SearchHit = { 
/**
 * Its place in the log.
 */
seq: number, session: string, 
/**
 * Null: a room's, a facilitator's, or nobody is to know whose.
 */
participant: number | null, name: string, room: string, start_ms: number, end_ms: number, unix_ms: number, language: WireLanguage, kind: WireKind, 
/**
 * Ids, and what was asked; empty while no method ran.
 */
method: string, phase: string, question: string, 
/**
 * How many have set each mark, in the order of `WireMark`.
 */
marks: [number, number, number, number, number, number], 
/**
 * What was said, in order; `hit` marks what matched. Their texts add up to the whole.
 */
parts: Array<TextPart>, };

export type TextPart = { text: string, hit: boolean, };

export type ExportQuery = { 
/**
 * `md`, `html`, `docx`, `pdf`, `xlsx`, `csv`, `json`, `vtt`, `srt`.
 */
format: string, 
/**
 * Of headings and labels; `fi` when it is not given.
 */
language?: WireLanguage, 
/**
 * `main`, `room-N`.
 */
rooms?: string, 
/**
 * Ids of phases.
 */
phases?: string, 
/**
 * `said`, `note`, `card`, `line`, `topic`, `post`, `broadcast`, `unheard`.
 */
kinds?: string, 
/**
 * Codes in place of names.
 */
pseudonymous?: boolean, 
/**
 * Only the page that sums the event up.
 */
summary?: boolean, 
/**
 * The reader's clock ahead of universal time.
 */
offset_min?: number, };

export type AccessList = { accesses: Array<AccessAbout>, };

export type AccessAbout = { unix_ms: number, 
/**
 * A role, and a mark of the link they came by.
 */
who: string, what: string, };

export type CheckLink = { path: string, 
/**
 * For how many days it is good.
 */
days: number, };

export type OwnWords = { title: string, language: WireLanguage, opened_unix_ms: number, 
/**
 * Under which they stand.
 */
name: string, name_withdrawn: boolean, approved: boolean, 
/**
 * How many lines they have struck.
 */
struck: number, 
/**
 * For how many days the session is kept.
 */
keep_days: number, 
/**
 * Until when the link is good.
 */
until_unix_ms: number, lines: Array<OwnLine>, };

export type OwnLine = { number: number, 
/**
 * As in `ExportQuery`.
 */
kind: string, room: string, start_ms: number, language: WireLanguage | null, text: string, corrected: boolean, };

export type CheckWish = { "type": "correct", number: number, text: string, } | { "type": "strike", number: number, } | { "type": "withdraw-name" } | { "type": "erase-all" } | { "type": "approve" };

export type ErrorBody = { code: string, text: string, };
