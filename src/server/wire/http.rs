//! The words of HTTP: the bodies and queries of requests, and what is answered. What they mean stands in
//! `protocol.md`.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{WireIdea, WireLanguage, WireMark};
use crate::domain::method::{Method, Text};

/// `GET /api/methods`: every method of this server.
#[derive(Clone, Debug, Serialize, TS)]
pub struct MethodList {
    pub methods: Vec<Method>,
}

/// `POST /api/methods/plan`: how a method would go.
#[derive(Clone, Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct PlanRequest {
    pub method: Method,
    pub people: u16,
}

/// Answer to `POST /api/methods/plan`.
#[derive(Clone, Debug, Serialize, TS)]
pub struct Plan {
    pub people: u16,
    pub steps: Vec<PlanStep>,
    /// Of all phases that have a time.
    pub length_ms: u32,
    /// Meetings of two people beyond their first.
    pub repeats: u32,
    /// Different people each meets in small rooms: fewest, on average, most.
    pub partners_min: u32,
    pub partners_mean: f64,
    pub partners_max: u32,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct PlanStep {
    pub phase: u16,
    pub round: u16,
    pub of: u16,
    pub length_ms: Option<u32>,
    /// Breakout rooms with the people in them, numbered from 0. Empty: all in the main room.
    pub rooms: Vec<Vec<u16>>,
    /// Pairs that meet in this step who have met in another.
    pub repeats: u32,
}

/// `POST /api/methods/check`: a method file that somebody has written, read.
#[derive(Clone, Debug, Serialize, TS)]
pub struct MethodChecked {
    pub method: Option<Method>,
    /// Why it cannot be used.
    pub faults: Vec<MethodFault>,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct MethodFault {
    /// From 1.
    pub line: u32,
    /// What is wrong, and what to do.
    pub text: Text,
}

/// Whether this server turns speech into text, and if not, why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Transcription {
    On {
        model: String,
    },
    /// The administrator has switched it off.
    Off,
    /// There is no model file.
    ModelMissing,
    /// The model file is not what its checksum says, or whisper cannot load it.
    ModelDamaged,
}

/// `POST /api/sessions`.
#[derive(Clone, Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    pub title: String,
    pub language: WireLanguage,
    /// For how many days it is kept after the last thing that happened in it, 1 to 3650; absent: as
    /// the server keeps sessions.
    #[serde(default)]
    #[ts(optional)]
    pub keep_days: Option<u32>,
}

/// Answer to `POST /api/sessions`. The links carry their right after `#`, which no server logs.
#[derive(Clone, Debug, Serialize, TS)]
pub struct SessionCreated {
    pub session: String,
    /// `/host/ID#TOKEN`
    pub host_path: String,
    /// `/join/ID#TOKEN`
    pub join_path: String,
    /// `/review/ID#TOKEN`
    pub review_path: String,
}

/// `POST /api/sessions/ID/admission`: a frame in somebody else's page asks for a right. Either `token`
/// and `origin`, or `ticket`.
#[derive(Clone, Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Admission {
    /// Signed by a tenant's server, or that of a link.
    #[serde(default)]
    #[ts(optional)]
    pub token: Option<String>,
    /// Of the page around the frame, as the browser told the frame.
    #[serde(default)]
    #[ts(optional)]
    pub origin: Option<String>,
    /// Works once.
    #[serde(default)]
    #[ts(optional)]
    pub ticket: Option<String>,
}

/// The right to go on with.
#[derive(Clone, Debug, Serialize, TS)]
pub struct Admitted {
    pub token: String,
    pub role: WireRole,
    pub title: String,
    /// What the person is called, where the tenant says so; then nobody else does.
    pub name: Option<String>,
    /// What they may do beside speaking. Null: everything.
    pub grants: Option<Vec<WireGrant>>,
    /// How long `token` is good for.
    pub valid_s: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum WireRole {
    Participant,
    Facilitator,
    // Sees what a facilitator sees and helps people, but leads nothing.
    Assistant,
    Reviewer,
}

/// What a participant may do beside speaking, each where its token says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum WireGrant {
    Chat,
    React,
    Hand,
    Call,
    Screenshare,
}

/// `GET /api/status`.
#[derive(Clone, Debug, Serialize, TS)]
pub struct ServerStatus {
    pub version: String,
    pub transcription: Transcription,
}

/// `GET /api/sessions/ID`, for any token of the session.
#[derive(Clone, Debug, Serialize, TS)]
pub struct SessionAbout {
    pub session: String,
    pub title: String,
    pub language: WireLanguage,
    /// Milliseconds since 1970.
    #[ts(type = "number")]
    pub opened_unix_ms: u64,
    /// For how many days it is kept after the last thing that happened in it.
    pub keep_days: u32,
    pub ended: bool,
    /// Everybody who ever had a seat. Only for facilitators and reviewers; else empty.
    pub people: Vec<PersonAbout>,
    /// Links to hand out. Only for facilitators.
    pub links: Option<SessionCreated>,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct PersonAbout {
    pub participant: u32,
    pub name: String,
}

/// Query of `GET /api/sessions/ID/export`, for facilitators and reviewers. Lists have commas between;
/// an empty one asks for all.
#[derive(Clone, Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ExportQuery {
    /// `md`, `html`, `docx`, `pdf`, `xlsx`, `csv`, `json`, `vtt`, `srt`.
    pub format: String,
    /// Of headings and labels; `fi` when it is not given.
    #[serde(default)]
    #[ts(optional)]
    pub language: Option<WireLanguage>,
    /// `main`, `room-N`.
    #[serde(default)]
    #[ts(optional, as = "Option<String>")]
    pub rooms: String,
    /// Ids of phases.
    #[serde(default)]
    #[ts(optional, as = "Option<String>")]
    pub phases: String,
    /// `said`, `note`, `card`, `line`, `topic`, `post`, `broadcast`, `unheard`.
    #[serde(default)]
    #[ts(optional, as = "Option<String>")]
    pub kinds: String,
    /// Codes in place of names.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub pseudonymous: bool,
    /// Only the page that sums the event up.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub summary: bool,
    /// The reader's clock ahead of universal time.
    #[serde(default)]
    #[ts(optional)]
    pub offset_min: Option<i32>,
}

/// The way to one's own words: answer to `GET /api/sessions/ID/check-link` with the seat as bearer.
#[derive(Clone, Debug, Serialize, TS)]
pub struct CheckLink {
    pub path: String,
    /// For how many days it is good.
    pub days: u32,
}

/// What is kept of one person: answer to `GET` and `POST /api/sessions/ID/own` with their link.
#[derive(Clone, Debug, Serialize, TS)]
pub struct OwnWords {
    pub title: String,
    pub language: WireLanguage,
    #[ts(type = "number")]
    pub opened_unix_ms: u64,
    /// Under which they stand.
    pub name: String,
    pub name_withdrawn: bool,
    pub approved: bool,
    /// How many lines they have struck.
    pub struck: u32,
    /// For how many days the session is kept.
    pub keep_days: u32,
    /// Until when the link is good.
    #[ts(type = "number")]
    pub until_unix_ms: u64,
    pub lines: Vec<OwnLine>,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct OwnLine {
    pub number: u32,
    /// As in `ExportQuery`.
    pub kind: String,
    pub room: String,
    pub start_ms: u32,
    pub language: Option<WireLanguage>,
    pub text: String,
    pub corrected: bool,
}

/// Body of `POST /api/sessions/ID/own`.
#[derive(Clone, Debug, Deserialize, TS)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum CheckWish {
    Correct {
        number: u32,
        text: String,
    },
    Strike {
        number: u32,
    },
    /// A code stands in its place, also where others have said it.
    WithdrawName,
    /// All that they said and wrote, and their name.
    EraseAll,
    Approve,
}

/// Who opened or took away what, latest first: answer to `GET /api/sessions/ID/accesses`.
#[derive(Clone, Debug, Serialize, TS)]
pub struct AccessList {
    pub accesses: Vec<AccessAbout>,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct AccessAbout {
    #[ts(type = "number")]
    pub unix_ms: u64,
    /// A role, and a mark of the link they came by.
    pub who: String,
    pub what: String,
}

/// Query of `GET /api/sessions/ID/search`, for facilitators and reviewers.
#[derive(Clone, Debug, Default, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SearchQuery {
    /// Words; `"in quotes"` a phrase. Empty: everything said, in the order of time.
    #[serde(default)]
    pub q: String,
    #[serde(default)]
    #[ts(optional)]
    pub participant: Option<u32>,
    /// `main` or `room-N`.
    #[serde(default)]
    #[ts(optional)]
    pub room: Option<String>,
    #[serde(default)]
    #[ts(optional)]
    pub offset: Option<u32>,
}

/// Body of `POST /api/search`. Lists narrow the answer when they are not empty; of several values of
/// one kind one must hold.
#[derive(Clone, Debug, Default, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct SearchRequest {
    /// A facilitator's or reviewer's of each session to look in; at most 50.
    pub tokens: Vec<String>,
    /// As in `SearchQuery`.
    pub q: String,
    pub sessions: Vec<String>,
    pub participants: Vec<u32>,
    pub rooms: Vec<String>,
    pub kinds: Vec<WireKind>,
    pub languages: Vec<WireLanguage>,
    pub marks: Vec<WireMark>,
    pub phases: Vec<PhaseOfMethod>,
    pub questions: Vec<String>,
    pub offset: u32,
}

/// How an entry came to be: spoken, in a room's chat, a person's note, a room's line, a card, a topic,
/// or from a facilitator to all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum WireKind {
    Said,
    Chat,
    Note,
    Line,
    Card,
    Topic,
    Idea,
    Broadcast,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct PhaseOfMethod {
    pub method: String,
    pub phase: String,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct SearchAnswer {
    /// All that match, of which `hits` is one page.
    pub total: u32,
    pub hits: Vec<SearchHit>,
    pub counts: SearchCounts,
}

/// How many match with each value, given all other narrowing.
#[derive(Clone, Debug, Default, Serialize, TS)]
pub struct SearchCounts {
    pub sessions: Vec<(String, u32)>,
    /// Only where one session is asked about, or it is narrowed to one: people's numbers are a session's own.
    pub participants: Vec<(u32, u32)>,
    pub rooms: Vec<(String, u32)>,
    pub kinds: Vec<(WireKind, u32)>,
    pub languages: Vec<(WireLanguage, u32)>,
    pub marks: Vec<(WireMark, u32)>,
    pub phases: Vec<(PhaseOfMethod, u32)>,
    pub questions: Vec<(String, u32)>,
}

/// Answer of `GET /api/sessions/ID/outline`, for facilitators and reviewers: a session at a glance.
#[derive(Clone, Debug, Serialize, TS)]
pub struct SessionOutline {
    /// When the last thing happened.
    pub last_ms: u32,
    pub runs: Vec<OutlineRun>,
    pub steps: Vec<OutlineStep>,
    pub rooms: Vec<OutlineRoom>,
    /// Everybody who had a seat.
    pub people: Vec<OutlinePerson>,
    /// Two people, and how often they came into one breakout room.
    pub met: Vec<(u32, u32, u32)>,
    /// The marks that stand, by the moment of what they are set on.
    pub marks: Vec<(u32, WireMark)>,
    pub board: Vec<BoardTheme>,
    /// In the order of their coming.
    pub comments: Vec<CommentAbout>,
    pub pilots: Vec<PilotAbout>,
}

/// A method that was run.
#[derive(Clone, Debug, Serialize, TS)]
pub struct OutlineRun {
    pub at_ms: u32,
    pub method: String,
    pub name: Text,
    pub question: String,
    pub phases: Vec<OutlinePhase>,
    /// What the rooms chose for all, most votes first.
    pub ideas: Vec<WireIdea>,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct OutlinePhase {
    pub id: String,
    pub name: Text,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct OutlinePerson {
    pub participant: u32,
    /// Or the code that stands for it in every document that names nobody.
    pub name: String,
    /// Whether it is the name. It is where they agree that what they say is kept.
    pub named: bool,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct OutlineStep {
    pub at_ms: u32,
    /// An index among `runs`, and one among its phases.
    pub run: u32,
    pub phase: u16,
    /// From 0.
    pub round: u16,
    /// Who was put into which breakout room, from the first on; empty: people stayed where they were.
    pub rooms: Vec<Vec<u32>>,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct OutlineRoom {
    pub room: String,
    /// Who spoke nearly without a pause, from when, until when.
    pub voices: Vec<(u32, u32, u32)>,
}

/// Entries that somebody has put together.
#[derive(Clone, Debug, Serialize, TS)]
pub struct BoardTheme {
    pub theme: String,
    pub entries: Vec<SearchHit>,
}

/// Body of `POST /api/sessions/ID/board`; the answer is the `SessionOutline` that comes of it.
#[derive(Clone, Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Collect {
    /// Its place in the log.
    pub seq: u32,
    /// 1 to 80 characters; null: off the board.
    pub theme: Option<String>,
}

/// Body of `POST /api/sessions/ID/comments`; the answer is the `SessionOutline` that comes of it. Of
/// `seq` and `theme` there is one.
#[derive(Clone, Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct NewComment {
    /// Of the entry it is about, its place in the log.
    #[serde(default)]
    #[ts(optional)]
    pub seq: Option<u32>,
    /// Of the board.
    #[serde(default)]
    #[ts(optional)]
    pub theme: Option<String>,
    /// As whom its writer wants to be known; may be empty.
    pub name: String,
    pub text: String,
}

/// What a reviewer has said of an entry or a theme.
#[derive(Clone, Debug, Serialize, TS)]
pub struct CommentAbout {
    /// Its own place in the log, by which it can be taken back.
    pub comment: u32,
    pub seq: Option<u32>,
    pub theme: Option<String>,
    pub name: String,
    #[ts(type = "number")]
    pub unix_ms: u64,
    pub text: String,
}

/// How far something was so.
#[derive(Clone, Copy, Debug, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum WireLevel {
    No,
    Little,
    Mostly,
    Yes,
}

/// Body of `POST /api/sessions/ID/pilot`, with `welcome.own` as bearer: what somebody says, after the
/// end, of how the method worked. What is passed over is left out; something must be said.
#[derive(Clone, Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct PilotWish {
    /// The others listened to me.
    #[serde(default)]
    #[ts(optional)]
    pub heard: Option<WireLevel>,
    /// I knew what to do.
    #[serde(default)]
    #[ts(optional)]
    pub clear: Option<WireLevel>,
    /// I heard or understood something new.
    #[serde(default)]
    #[ts(optional)]
    pub fresh: Option<WireLevel>,
    /// I would take part in this again.
    #[serde(default)]
    #[ts(optional)]
    pub again: Option<WireLevel>,
    /// At most 300 characters; may be empty.
    #[serde(default)]
    pub line: String,
}

/// What people say of how a method worked.
#[derive(Clone, Debug, Serialize, TS)]
pub struct PilotAbout {
    /// Its id; empty: no method was run.
    pub method: String,
    pub answers: u32,
    /// Null: too few have answered.
    pub told: Option<PilotTold>,
}

/// How often "no", "a little", "mostly" and "yes" were said of each.
#[derive(Clone, Debug, Serialize, TS)]
pub struct PilotTold {
    pub heard: [u32; 4],
    pub clear: [u32; 4],
    pub fresh: [u32; 4],
    pub again: [u32; 4],
    pub lines: Vec<String>,
}

/// Body of `POST /api/past`: a facilitator's or reviewer's token of each session.
#[derive(Clone, Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct PastRequest {
    pub tokens: Vec<String>,
}

/// Sessions that somebody may see, latest first.
#[derive(Clone, Debug, Serialize, TS)]
pub struct PastSessions {
    pub sessions: Vec<PastSession>,
}

/// A session as one finds it again.
#[derive(Clone, Debug, Serialize, TS)]
pub struct PastSession {
    pub session: String,
    pub title: String,
    pub language: WireLanguage,
    #[ts(type = "number")]
    pub opened_unix_ms: u64,
    pub ended: bool,
    /// People who had a seat.
    pub people: u32,
    /// Each once, in the order of being run.
    pub methods: Vec<PastMethod>,
    /// What the methods were about.
    pub questions: Vec<String>,
    /// Of its board.
    pub themes: Vec<String>,
    pub pilots: Vec<PilotAbout>,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct PastMethod {
    pub id: String,
    pub name: Text,
}

/// Body of `POST /api/entry`.
#[derive(Clone, Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct EntryRequest {
    pub tokens: Vec<String>,
    pub seq: u32,
    /// How many before and after it in its room; at most 50.
    pub around: u32,
}

/// An entry among its neighbours.
#[derive(Clone, Debug, Serialize, TS)]
pub struct EntryAbout {
    /// In order, the entry among them.
    pub around: Vec<SearchHit>,
    /// What was said alike, independently, in other rooms.
    pub alike: Vec<SearchHit>,
}

/// Something said or written.
#[derive(Clone, Debug, Serialize, TS)]
pub struct SearchHit {
    /// Its place in the log.
    pub seq: u32,
    pub session: String,
    /// Null: a room's, a facilitator's, or nobody is to know whose.
    pub participant: Option<u32>,
    pub name: String,
    pub room: String,
    pub start_ms: u32,
    pub end_ms: u32,
    #[ts(type = "number")]
    pub unix_ms: u64,
    pub language: WireLanguage,
    pub kind: WireKind,
    /// Ids, and what was asked; empty while no method ran.
    pub method: String,
    pub phase: String,
    pub question: String,
    /// How many have set each mark, in the order of `WireMark`.
    pub marks: [u16; 6],
    /// What was said, in order; `hit` marks what matched. Their texts add up to the whole.
    pub parts: Vec<TextPart>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct TextPart {
    pub text: String,
    pub hit: bool,
}

/// Body of every HTTP answer that is not a success.
#[derive(Clone, Debug, Serialize, TS)]
pub struct ErrorBody {
    pub code: String,
    pub text: String,
}
