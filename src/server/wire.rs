//! The words on the wire, as Rust types. `protocol.md` beside this file tells what they mean, in the
//! order of a session's life; `web/src/wire/wire.ts` is written from them by a test.
//!
//! Only this file, the log's records and the configuration know serde.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    app::session_task::Offer,
    domain::{
        consent::Writing,
        fact,
        ideas::{IdeaId, IdeaView, IdeasView, SourceView, Stage, Tally},
        ids::ParticipantId,
        language::Language,
        mark::Mark,
        message::{
            BalanceView, CallView, Caption, ClockView, HarvestView, MethodView, MoveReason,
            OwnTotal, PersonView, RankedCard, RoomBalance, RoomView, RoundView, RunView, StepView,
            WaitingView,
        },
        method::{Method, Text},
        mixing::Keep,
        talk::{Post, Reaction},
        time::SessionTime,
        view,
    },
};

/// From a page to the server, over the WebSocket. Unknown fields and types are refused.
#[derive(Clone, Debug, Deserialize, TS)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ClientMessage {
    /// The first message of a participant's page.
    Join {
        token: String,
        /// From an earlier `welcome` of this person: asks for the same seat.
        #[serde(default)]
        seat: Option<String>,
        name: String,
        language: WireLanguage,
        /// The language is to be found by listening; `language` is only what it may be.
        #[serde(default)]
        #[ts(optional, as = "Option<bool>")]
        by_ear: bool,
        consent: WireConsent,
        /// Organisation, role, region and the like, by kind: people of one kind are mixed.
        #[serde(default)]
        tags: BTreeMap<String, String>,
    },
    /// The first message of a facilitator's page.
    Watch {
        token: String,
    },
    /// A newer token for the same session, role and person, before the one in use runs out.
    Renew {
        token: String,
    },
    /// Asks for an `offer`: at first, and again when the media connection has failed.
    Media {
        /// The connection there is shall go on by another way, as the page's network has changed; where
        /// there is none, a new one.
        #[serde(default)]
        #[ts(optional)]
        restart: Option<bool>,
    },
    /// The answer to the `offer` of that number.
    Answer {
        number: u32,
        sdp: String,
    },
    SetConsent {
        consent: WireConsent,
    },
    /// In which language the person speaks from now on; `by_ear` as in `join`.
    SetLanguage {
        language: WireLanguage,
        #[serde(default)]
        #[ts(optional, as = "Option<bool>")]
        by_ear: bool,
    },
    /// Whether words are written down. A participant: in their own room, without `room`. A facilitator:
    /// in a room or, without `room`, in all.
    SetTranscription {
        on: bool,
        #[serde(default)]
        #[ts(optional)]
        room: Option<String>,
    },
    /// Takes back what one said in the last minute.
    Strike,
    SetMicrophone {
        on: bool,
    },
    SetCamera {
        on: bool,
    },
    /// How large the page shows each receiving slot, in the order of the offer's `slots`, and the
    /// shared screen. Slots that are not named are not shown.
    View {
        slots: Vec<WireWanted>,
        #[serde(default)]
        #[ts(optional)]
        screen: Option<WireWanted>,
    },
    /// Gives the seat up.
    Leave,
    /// Facilitator: breakout rooms 1 to `count` are open from now on; 0 brings everybody back.
    OpenRooms {
        count: u16,
    },
    /// Facilitator: puts a person into a room.
    Move {
        participant: u32,
        room: String,
    },
    /// Facilitator: ends the session for everybody.
    End,
    /// Facilitator: runs a method, in place of one that runs already.
    RunMethod {
        method: Box<Method>,
        /// What is talked about. May be empty.
        question: String,
        /// One for each table or free room. May be empty.
        topics: Vec<String>,
        /// How long before the end of a phase people are warned.
        warn_s: u32,
    },
    /// Facilitator: ends the phase. `at_once`: without time to finish the sentence.
    Next {
        at_once: bool,
    },
    /// Facilitator: stops the clock, or lets it go on.
    Pause {
        on: bool,
    },
    /// Facilitator: makes the phase longer.
    Extend {
        seconds: u32,
    },
    /// Facilitator: ends the method; everybody comes back to the main room.
    StopMethod,
    /// Facilitator: two people are never put into one room, or always, or as it comes.
    Keep {
        participants: [u32; 2],
        rule: WireKeep,
    },
    /// Facilitator: a person stays in the breakout room they are in when groups are made anew.
    Pin {
        participant: u32,
        on: bool,
    },
    /// Ready to go on, where the phase asks.
    Ready {
        on: bool,
    },
    /// One's turn is over.
    PassTurn,
    /// Takes the empty chair, or leaves one's own.
    Seat {
        on: bool,
    },
    /// Goes to a room, where people are free to.
    GoTo {
        room: String,
    },
    /// One's note or card, the room's line, or a topic, as the phase asks.
    Write {
        text: String,
    },
    /// A change of the room's sheet: an update in Yjs's first encoding, in Base64.
    Type {
        /// The number that the last `sheet` had.
        sheet: u32,
        update: String,
    },
    /// Of the card one holds, 1 to 5.
    Score {
        score: u8,
    },
    /// A new idea or, with `idea`, another text for one there is: one's own, or one that the room made.
    WriteIdea {
        #[serde(default)]
        #[ts(optional)]
        idea: Option<u32>,
        text: String,
    },
    /// One idea out of two to six that lie before the room.
    CombineIdeas {
        ideas: Vec<u32>,
        text: String,
    },
    /// Takes one's own idea away, or apart what the room has combined.
    RemoveIdea {
        idea: u32,
    },
    /// The room brings it to all; off: not any more.
    ChooseIdea {
        idea: u32,
        on: bool,
    },
    /// So many of one's votes lie on it from now on; 0: none.
    Vote {
        idea: u32,
        votes: u8,
    },
    /// Takes back the words of an idea of one's own, wherever it is by now.
    StrikeIdea {
        idea: u32,
    },
    /// One's hand is up, or down again.
    RaiseHand {
        on: bool,
    },
    /// Shown to the room for a moment.
    React {
        reaction: WireReaction,
    },
    /// Into the chat of the own room.
    Post {
        text: String,
    },
    /// What somebody in the room began to say or write at `start_ms` is this to oneself; off: no more.
    Mark {
        participant: u32,
        start_ms: u32,
        mark: WireMark,
        on: bool,
    },
    /// Calls a facilitator for help, or needs none any more.
    Call {
        on: bool,
    },
    /// Shares one's screen with the room, or ends it.
    Share {
        on: bool,
    },
    /// Facilitator: writes to everybody, in every room.
    Broadcast {
        text: String,
    },
    /// Facilitator: lowers the hand of a person.
    LowerHand {
        participant: u32,
    },
    /// Facilitator: has seen the call of a person.
    CallSeen {
        participant: u32,
    },
    /// Facilitator: the call of a person is over.
    CallDone {
        participant: u32,
    },
    /// Facilitator: ends the sharing of a person's screen.
    EndShare {
        participant: u32,
    },
    /// Facilitator: puts an idea that was chosen with others under a name; null: by itself.
    GroupIdea {
        idea: u32,
        group: Option<String>,
    },
    /// Facilitator: words and names that are to be heard rightly, in place of those before.
    SetGlossary {
        text: String,
    },
    /// Facilitator: reads the captions of a room along, in place of another; null: of none.
    Follow {
        room: Option<String>,
    },
}

/// What a person shows for a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum WireReaction {
    Clap,
    Heart,
    Laugh,
    Wonder,
    ThumbsUp,
}

/// What something is to whoever marks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum WireMark {
    Feeling,
    Experience,
    Thought,
    Worry,
    Challenge,
    Idea,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum WireKeep {
    Apart,
    Together,
    AsItComes,
}

/// How two people are treated when groups are made.
#[derive(Clone, Copy, Debug, Serialize, TS)]
pub struct WireKept {
    pub participants: [u32; 2],
    pub rule: WireKeep,
}

/// From the server to a page, over the WebSocket.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ServerMessage {
    Welcome {
        participant: u32,
        /// The way back to this seat, for `join` after a lost connection; a page may keep it.
        seat: String,
        /// Proof of who sits here, for `check-link`. A page keeps it in memory only.
        own: String,
        title: String,
        language: WireLanguage,
        room: WireRoom,
        transcription: Transcription,
        /// Whether the server still has a live media connection of this seat. A page that has its
        /// end of it goes on with it; any other asks for `media`.
        media: bool,
        /// Where the session lives, such as `wss://solmu-1.example.fi`, if that is another address
        /// than the page's own: the page's next lines go there.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        node: Option<String>,
    },
    /// The offer of a media connection: lines to send on, then the receiving slots.
    Offer {
        /// Larger than that of every offer before on this line.
        number: u32,
        sdp: String,
        send: SendMids,
        slots: Vec<Mids>,
        /// The line on which a shared screen is received.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        screen: Option<String>,
        /// The connection there is goes on by another way (ICE restart): its lines stay as they are.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        restart: Option<bool>,
        /// TURN servers the page may go through.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        relays: Option<WireRelays>,
    },
    /// Who is in each receiving slot, in the order of the offer's `slots`. Never negotiated.
    Slots {
        participants: Vec<Option<u32>>,
    },
    Room {
        room: WireRoom,
    },
    Speaking {
        participant: u32,
        on: bool,
    },
    Caption(WireCaption),
    /// Words of what is still being said, in place of the person's last partial. Their next caption
    /// replaces it; without text it is to go.
    Partial(WireCaption),
    /// Somebody has taken back what they said in that time: no caption of theirs that shares time with
    /// it is to be shown any more.
    Struck {
        participant: u32,
        start_ms: u32,
        end_ms: u32,
    },
    Balance {
        /// Largest first, without names.
        shares: Vec<f64>,
        effective_voices: f64,
        /// Somebody has not been heard yet: the room is invited to ask.
        invites: bool,
        own_talk_ms: u32,
        own_turns: u32,
        own_backchannels: u32,
        own_share: f64,
        /// The share as a multiple of what the time in the room makes fair.
        own_ratio: f64,
    },
    /// The round that has just ended, to those who were in it.
    Round {
        lasted_ms: u32,
        /// Largest first, without names.
        shares: Vec<f64>,
        balance: WireRoomBalance,
    },
    /// What the person has had of all talk so far. The server keeps it until the session ends.
    Own {
        talk_ms: u32,
        turns: u32,
        backchannels: u32,
        /// Different people whom they have heard have the floor.
        people_heard: u32,
        rounds: u32,
    },
    /// To facilitators: how the rooms talk now, those of which anything can be said.
    RoomBalances {
        rooms: Vec<WireRoomBalance>,
    },
    /// To facilitators: how the rooms have talked in the round that has just ended.
    Rounds {
        rooms: Vec<WireRoomBalance>,
    },
    Overview {
        title: String,
        language: WireLanguage,
        rooms: Vec<WireRoom>,
        transcription: Transcription,
        /// Whether the facilitators let words be written down.
        transcribes: bool,
        run: Option<WireRun>,
        /// Who stays where they are when groups are made anew.
        pinned: Vec<u32>,
        kept: Vec<WireKept>,
        /// Who waits for a facilitator, longest first.
        calls: Vec<WireWaiting>,
        /// Words and names to be heard rightly.
        glossary: String,
    },
    /// Whose captions this facilitator's page reads along from now on.
    Following {
        room: Option<String>,
    },
    /// The method that runs from now on; null: none any more. `step` follows.
    Method {
        #[ts(type = "Method | null")]
        method: Option<Arc<Method>>,
        question: String,
        warn_ms: u32,
    },
    /// Where the method stands, and what it means for this page's person. At each change.
    Step(WireStep),
    /// This page's person is about to be in another room. `room` follows.
    Moved {
        reason: WireMoveReason,
    },
    /// What the own room writes together, whole: an update in Yjs's first encoding, in Base64.
    Sheet {
        /// Another number: another sheet, in place of the one before.
        number: u32,
        /// The number under which its text began. Where the sheet before has the same, this is its text,
        /// laid out anew: what the page has beside belongs onto this one.
        since: u32,
        state: String,
        /// What the page has changed and the room has not is refused, and is to be forgotten.
        afresh: bool,
    },
    /// Somebody else has changed the sheet of that number.
    Typed {
        participant: u32,
        sheet: u32,
        update: String,
    },
    /// What rooms and cards bring to all.
    Harvest {
        lines: Vec<WireLine>,
        /// Best first, without names.
        ranking: Vec<WireCard>,
    },
    /// The ideas before this page, in place of those it had.
    Ideas {
        stage: WireStage,
        ideas: Vec<WireIdea>,
        /// Of those who let theirs be known.
        names: Vec<WireName>,
        own_votes: Vec<WireVote>,
    },
    /// Where one's own votes lie.
    OwnVotes {
        votes: Vec<WireVote>,
    },
    /// How a vote stands; ideas that are not named have none.
    Tally {
        votes: Vec<WireVote>,
        /// How many people have voted.
        voters: u32,
    },
    /// Somebody in the own room shows for a moment what they feel.
    Reacted {
        participant: u32,
        reaction: WireReaction,
    },
    /// `by` has marked what `participant` began to say or write at `start_ms`; off: no more.
    Marked {
        participant: u32,
        start_ms: u32,
        by: u32,
        mark: WireMark,
        on: bool,
    },
    /// Somebody has written to the own room, or a facilitator to all.
    Post(WirePost),
    /// All that is remembered of what was written in the own room, in place of what the page has.
    Posts {
        posts: Vec<WirePost>,
    },
    /// The session is over. The socket closes.
    Ended,
    /// A refusal or a fault. `code` is stable; `text` is English, for logs and integrators.
    Error {
        code: String,
        text: String,
        /// Whether the socket closes after this.
        fatal: bool,
    },
}

/// The media lines of one direction or slot, named by their SDP `mid`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct Mids {
    pub audio: String,
    pub video: String,
}

/// The lines a page sends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct SendMids {
    pub audio: String,
    pub video: String,
    /// For sharing a screen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub screen: Option<String>,
}

/// TURN servers and what lets a page in, in the form of an `RTCIceServer`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct WireRelays {
    pub urls: Vec<String>,
    pub username: String,
    pub credential: String,
}

/// How large something is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum WireWanted {
    Nothing,
    Small,
    Medium,
    Large,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub enum WireLanguage {
    #[serde(rename = "fi")]
    Finnish,
    #[serde(rename = "sv")]
    Swedish,
    #[serde(rename = "en")]
    English,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum WireConsent {
    On,
    OffTheRecord,
    Declined,
}

/// Whether the words of a room are written down, of those who agree, and if not, who wants it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum WireWriting {
    On,
    OffByMethod,
    OffByHost,
    OffByRoom,
}

/// How a room talks, with nothing in it of any person.
#[derive(Clone, Debug, Serialize, TS)]
pub struct WireRoomBalance {
    pub room: String,
    /// Present, silent ones included.
    pub people: u32,
    /// Of them, who has had the floor.
    pub heard: u32,
    pub effective_voices: f64,
    /// 0 to 1.
    pub evenness: f64,
    pub turns: u32,
    /// Of the numbers of turns, over the square of their mean.
    pub turn_variance: f64,
    /// How mixed it is who follows whom: 0 to 1.
    pub mix: f64,
    /// Time with two voices or more as a part of that with any.
    pub overlap: f64,
    pub backchannels: u32,
    pub interruptions: u32,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct WirePerson {
    pub participant: u32,
    pub name: String,
    /// In which they are heard.
    pub language: WireLanguage,
    /// The language is found by listening, and not as they have said.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub by_ear: bool,
    pub consent: WireConsent,
    pub microphone: bool,
    pub camera: bool,
    pub present: bool,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct WireRoom {
    /// `main` or `room-N`.
    pub room: String,
    pub people: Vec<WirePerson>,
    pub writing: WireWriting,
    /// Who has a hand up, in the order in which they went up.
    pub hands: Vec<u32>,
    /// Who shares their screen.
    pub sharing: Option<u32>,
    /// Who waits for a facilitator: in a breakout room one for all.
    pub calls: Vec<WireCall>,
    /// Whether a facilitator reads the captions along.
    pub followed: bool,
}

#[derive(Clone, Copy, Debug, Serialize, TS)]
pub struct WireCall {
    pub participant: u32,
    /// A facilitator has said that they know.
    pub seen: bool,
}

/// A call for help as facilitators see it.
#[derive(Clone, Debug, Serialize, TS)]
pub struct WireWaiting {
    pub participant: u32,
    pub room: String,
    /// At the moment of sending.
    pub waited_ms: u32,
    pub seen: bool,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct WirePost {
    /// Null: a facilitator, to everybody.
    pub participant: Option<u32>,
    /// As they were called then; empty for a facilitator.
    pub name: String,
    pub at_ms: u32,
    pub text: String,
    /// Whether it is written down for later.
    pub kept: bool,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct WireCaption {
    pub participant: u32,
    pub name: String,
    pub start_ms: u32,
    pub end_ms: u32,
    pub language: WireLanguage,
    pub text: String,
}

/// Where a method stands.
#[derive(Clone, Copy, Debug, Serialize, TS)]
pub struct WireRun {
    /// Index among the method's phases.
    pub phase: u16,
    /// From 0, of `of`.
    pub round: u16,
    pub of: u16,
    /// Until the end of the phase, at the moment of sending; 0 while people finish their
    /// sentences. Null: the facilitator ends it.
    pub left_ms: Option<u32>,
    /// From the end of the phase, or from now while people finish, until they are moved.
    pub grace_ms: u32,
    pub paused: bool,
    /// People present who are ready to go on, and people present.
    pub ready: u32,
    pub ready_of: u32,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct WireStep {
    pub run: WireRun,
    /// Index among the method's roles.
    pub role: Option<u16>,
    /// Whether the microphone is let through.
    pub may_speak: bool,
    pub own_ready: bool,
    /// Whose turn it is in the own room.
    pub turn: Option<WireTurn>,
    /// Who has a seat in the middle, longest first.
    pub seated: Vec<u32>,
    /// Of the own room.
    pub topic: Option<String>,
    /// Of all rooms, in their order.
    pub topics: Vec<String>,
    /// Where people go as they like, how many are in each breakout room; else empty.
    pub people: Vec<u32>,
    /// What stands on the card the person holds.
    pub card: Option<String>,
    pub own_score: Option<u8>,
    /// What the person, or their room together, has written in this phase.
    pub written: String,
}

/// What people do with ideas in a phase.
#[derive(Clone, Copy, Debug, Serialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum WireStage {
    /// Each writes for themselves.
    Alone,
    /// A room has its ideas before it.
    Room,
    /// All vote on what the rooms have chosen.
    Vote,
    /// All see what was chosen, and how the vote went.
    Result,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct WireIdea {
    pub idea: u32,
    /// Who wrote it; null: a room made it of several, or nobody is to know.
    pub by: Option<u32>,
    /// Before which room it lies, or lay last.
    pub room: Option<String>,
    /// Empty: its words have been taken back.
    pub text: String,
    /// All that it came from, back to what single people wrote.
    pub from: Vec<WireSource>,
    /// Whether this page's person has had a part in it.
    pub mine: bool,
    pub chosen: bool,
    /// Whether its words are this person's own, and still there.
    pub own: bool,
    /// Under which name it stands with others.
    pub group: Option<String>,
    /// Null: hidden, or nobody has been asked to vote.
    pub votes: Option<u32>,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct WireSource {
    /// 1: the idea was made of it; 2: the one before at depth 1 was; and so on.
    pub depth: u8,
    pub idea: u32,
    pub by: Option<u32>,
    pub own: bool,
    pub text: String,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct WireName {
    pub participant: u32,
    pub name: String,
}

#[derive(Clone, Copy, Debug, Serialize, TS)]
pub struct WireVote {
    pub idea: u32,
    pub votes: u32,
}

#[derive(Clone, Copy, Debug, Serialize, TS)]
pub struct WireTurn {
    pub participant: u32,
    pub left_ms: u32,
}

/// Why somebody is taken to another room.
#[derive(Clone, Copy, Debug, Serialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum WireMoveReason {
    /// The method goes on.
    Step,
    /// They came while groups were at work.
    Late,
    /// They would have been alone.
    Alone,
    /// Somebody would have been alone without them.
    Company,
    Host,
    /// They themselves.
    Own,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct WireLine {
    pub room: String,
    pub text: String,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct WireCard {
    pub text: String,
    /// 5 to 25.
    pub points: u8,
    /// How many scored it.
    pub scores: u8,
}

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
    /// What is wrong, and what to do, in English.
    pub text: String,
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

impl From<WireLanguage> for Language {
    fn from(it: WireLanguage) -> Language {
        match it {
            WireLanguage::Finnish => Language::Finnish,
            WireLanguage::Swedish => Language::Swedish,
            WireLanguage::English => Language::English,
        }
    }
}

impl From<Language> for WireLanguage {
    fn from(it: Language) -> WireLanguage {
        match it {
            Language::Finnish => WireLanguage::Finnish,
            Language::Swedish => WireLanguage::Swedish,
            Language::English => WireLanguage::English,
        }
    }
}

impl From<WireConsent> for fact::Consent {
    fn from(it: WireConsent) -> fact::Consent {
        match it {
            WireConsent::On => fact::Consent::On,
            WireConsent::OffTheRecord => fact::Consent::OffTheRecord,
            WireConsent::Declined => fact::Consent::Declined,
        }
    }
}

impl From<fact::Consent> for WireConsent {
    fn from(it: fact::Consent) -> WireConsent {
        match it {
            fact::Consent::On => WireConsent::On,
            fact::Consent::OffTheRecord => WireConsent::OffTheRecord,
            fact::Consent::Declined => WireConsent::Declined,
        }
    }
}

impl From<Writing> for WireWriting {
    fn from(it: Writing) -> WireWriting {
        match it {
            Writing::On => WireWriting::On,
            Writing::OffByMethod => WireWriting::OffByMethod,
            Writing::OffByHost => WireWriting::OffByHost,
            Writing::OffByRoom => WireWriting::OffByRoom,
        }
    }
}

impl From<RoomBalance> for WireRoomBalance {
    fn from(it: RoomBalance) -> WireRoomBalance {
        WireRoomBalance {
            room: it.room.to_string(),
            people: it.people,
            heard: it.heard,
            effective_voices: it.effective_voices,
            evenness: it.evenness,
            turns: it.turns,
            turn_variance: it.turn_variance,
            mix: it.mix,
            overlap: it.overlap,
            backchannels: it.backchannels,
            interruptions: it.interruptions.successful + it.interruptions.unsuccessful,
        }
    }
}

impl From<RoundView> for ServerMessage {
    fn from(it: RoundView) -> ServerMessage {
        let lasted_ms = wire_ms_of(it.lasted_ms);
        ServerMessage::Round { lasted_ms, shares: it.shares, balance: it.room.into() }
    }
}

impl From<OwnTotal> for ServerMessage {
    fn from(it: OwnTotal) -> ServerMessage {
        ServerMessage::Own {
            talk_ms: wire_ms_of(it.talk_ms),
            turns: it.turns,
            backchannels: it.backchannels,
            people_heard: it.people_heard,
            rounds: it.rounds,
        }
    }
}

impl From<WireWanted> for view::Wanted {
    fn from(it: WireWanted) -> view::Wanted {
        match it {
            WireWanted::Nothing => view::Wanted::Nothing,
            WireWanted::Small => view::Wanted::Small,
            WireWanted::Medium => view::Wanted::Medium,
            WireWanted::Large => view::Wanted::Large,
        }
    }
}

impl From<RoomView> for WireRoom {
    fn from(it: RoomView) -> Self {
        let people = it.people.into_iter().map(WirePerson::from).collect();
        let call = |it: CallView| WireCall { participant: it.by.0, seen: it.seen };
        WireRoom {
            room: it.room.to_string(),
            people,
            writing: it.writing.into(),
            hands: it.hands.into_iter().map(|it| it.0).collect(),
            sharing: it.sharing.map(|it| it.0),
            calls: it.calls.into_iter().map(call).collect(),
            followed: it.followed,
        }
    }
}

impl From<WaitingView> for WireWaiting {
    fn from(it: WaitingView) -> Self {
        WireWaiting {
            participant: it.by.0,
            room: it.room.to_string(),
            waited_ms: wire_ms_of(it.waited_ms),
            seen: it.seen,
        }
    }
}

impl From<Post> for WirePost {
    fn from(it: Post) -> Self {
        WirePost {
            participant: it.by.map(|it| it.0),
            name: it.name,
            at_ms: wire_ms(it.at),
            text: it.text,
            kept: it.kept,
        }
    }
}

impl From<WireReaction> for Reaction {
    fn from(it: WireReaction) -> Reaction {
        match it {
            WireReaction::Clap => Reaction::Clap,
            WireReaction::Heart => Reaction::Heart,
            WireReaction::Laugh => Reaction::Laugh,
            WireReaction::Wonder => Reaction::Wonder,
            WireReaction::ThumbsUp => Reaction::ThumbsUp,
        }
    }
}

impl From<Reaction> for WireReaction {
    fn from(it: Reaction) -> WireReaction {
        match it {
            Reaction::Clap => WireReaction::Clap,
            Reaction::Heart => WireReaction::Heart,
            Reaction::Laugh => WireReaction::Laugh,
            Reaction::Wonder => WireReaction::Wonder,
            Reaction::ThumbsUp => WireReaction::ThumbsUp,
        }
    }
}

impl From<WireMark> for Mark {
    fn from(it: WireMark) -> Mark {
        match it {
            WireMark::Feeling => Mark::Feeling,
            WireMark::Experience => Mark::Experience,
            WireMark::Thought => Mark::Thought,
            WireMark::Worry => Mark::Worry,
            WireMark::Challenge => Mark::Challenge,
            WireMark::Idea => Mark::Idea,
        }
    }
}

impl From<Mark> for WireMark {
    fn from(it: Mark) -> WireMark {
        match it {
            Mark::Feeling => WireMark::Feeling,
            Mark::Experience => WireMark::Experience,
            Mark::Thought => WireMark::Thought,
            Mark::Worry => WireMark::Worry,
            Mark::Challenge => WireMark::Challenge,
            Mark::Idea => WireMark::Idea,
        }
    }
}

impl From<PersonView> for WirePerson {
    fn from(it: PersonView) -> Self {
        WirePerson {
            participant: it.participant.0,
            name: it.name,
            language: it.language.into(),
            by_ear: it.by_ear,
            consent: it.consent.into(),
            microphone: it.microphone,
            camera: it.camera,
            present: it.present,
        }
    }
}

impl From<Caption> for WireCaption {
    fn from(it: Caption) -> Self {
        WireCaption {
            participant: it.participant.0,
            name: it.name,
            start_ms: wire_ms(it.span.start),
            end_ms: wire_ms(it.span.end),
            language: it.language.into(),
            text: it.text,
        }
    }
}

impl From<BalanceView> for ServerMessage {
    fn from(it: BalanceView) -> Self {
        ServerMessage::Balance {
            shares: it.shares,
            effective_voices: it.effective_voices,
            own_talk_ms: wire_ms_of(it.own.talk_ms),
            own_turns: it.own.turns,
            own_backchannels: it.own.backchannels,
            own_ratio: it.own.ratio,
            invites: it.invites,
            own_share: it.own.share,
        }
    }
}

impl From<WireKeep> for Keep {
    fn from(it: WireKeep) -> Keep {
        match it {
            WireKeep::Apart => Keep::Apart,
            WireKeep::Together => Keep::Together,
            WireKeep::AsItComes => Keep::AsItComes,
        }
    }
}

impl From<Keep> for WireKeep {
    fn from(it: Keep) -> WireKeep {
        match it {
            Keep::Apart => WireKeep::Apart,
            Keep::Together => WireKeep::Together,
            Keep::AsItComes => WireKeep::AsItComes,
        }
    }
}

impl From<([ParticipantId; 2], Keep)> for WireKept {
    fn from((participants, rule): ([ParticipantId; 2], Keep)) -> WireKept {
        WireKept { participants: participants.map(|it| it.0), rule: rule.into() }
    }
}

impl From<Option<MethodView>> for ServerMessage {
    fn from(it: Option<MethodView>) -> Self {
        let (method, question, warn_ms) = match it {
            Some(view) => (Some(view.method), view.question, wire_ms_of(view.warn_ms)),
            None => (None, String::new(), 0),
        };
        ServerMessage::Method { method, question, warn_ms }
    }
}

impl From<RunView> for WireRun {
    fn from(it: RunView) -> Self {
        let ClockView { left_ms, grace_ms, paused } = it.clock;
        WireRun {
            phase: it.place.phase,
            round: it.place.round,
            of: it.place.of,
            left_ms: left_ms.map(wire_ms_of),
            grace_ms: wire_ms_of(grace_ms),
            paused,
            ready: it.ready,
            ready_of: it.ready_of,
        }
    }
}

impl From<StepView> for WireStep {
    fn from(it: StepView) -> Self {
        WireStep {
            run: it.run.into(),
            role: it.role,
            may_speak: it.may_speak,
            own_ready: it.own_ready,
            turn: it.turn.map(|turn| WireTurn {
                participant: turn.participant.0,
                left_ms: wire_ms_of(turn.left_ms),
            }),
            seated: it.seated.into_iter().map(|id| id.0).collect(),
            topic: it.topic,
            topics: it.topics,
            people: it.people,
            card: it.card,
            own_score: it.own_score,
            written: it.written,
        }
    }
}

impl From<MoveReason> for WireMoveReason {
    fn from(it: MoveReason) -> Self {
        match it {
            MoveReason::Step => WireMoveReason::Step,
            MoveReason::Late => WireMoveReason::Late,
            MoveReason::Alone => WireMoveReason::Alone,
            MoveReason::Company => WireMoveReason::Company,
            MoveReason::Host => WireMoveReason::Host,
            MoveReason::Own => WireMoveReason::Own,
        }
    }
}

impl From<IdeaView> for WireIdea {
    fn from(it: IdeaView) -> Self {
        let source = |it: SourceView| WireSource {
            depth: it.depth,
            idea: it.idea.0,
            by: it.by.map(|it| it.0),
            own: it.own,
            text: it.text,
        };
        WireIdea {
            idea: it.idea.0,
            by: it.by.map(|it| it.0),
            room: it.room.map(|it| it.to_string()),
            text: it.text,
            from: it.from.into_iter().map(source).collect(),
            mine: it.mine,
            chosen: it.chosen,
            own: it.own,
            group: it.group,
            votes: it.votes,
        }
    }
}

impl From<(IdeaId, u8)> for WireVote {
    fn from((idea, votes): (IdeaId, u8)) -> Self {
        WireVote { idea: idea.0, votes: votes.into() }
    }
}

impl From<Tally> for ServerMessage {
    fn from(it: Tally) -> Self {
        let vote = |(idea, votes): (IdeaId, u32)| WireVote { idea: idea.0, votes };
        let votes = it.votes.into_iter().map(vote).collect();
        ServerMessage::Tally { votes, voters: it.voters }
    }
}

impl From<Stage> for WireStage {
    fn from(it: Stage) -> Self {
        match it {
            Stage::Alone => WireStage::Alone,
            Stage::Room => WireStage::Room,
            Stage::Vote => WireStage::Vote,
            Stage::Result => WireStage::Result,
        }
    }
}

impl From<HarvestView> for ServerMessage {
    fn from(it: HarvestView) -> Self {
        let lines = it.lines.into_iter();
        let lines = lines.map(|(room, text)| WireLine { room: room.to_string(), text }).collect();
        let ranking = it.ranking.into_iter();
        let card = |RankedCard { text, points, scores }| WireCard { text, points, scores };
        let ranking = ranking.map(card).collect();
        ServerMessage::Harvest { lines, ranking }
    }
}

impl ServerMessage {
    pub fn ideas(view: IdeasView, names: Vec<(ParticipantId, String)>) -> Self {
        let name = |(id, name): (ParticipantId, String)| WireName { participant: id.0, name };
        ServerMessage::Ideas {
            stage: view.stage.into(),
            ideas: view.ideas.into_iter().map(WireIdea::from).collect(),
            names: names.into_iter().map(name).collect(),
            own_votes: view.own_votes.into_iter().map(WireVote::from).collect(),
        }
    }

    pub fn offer(it: Offer, relays: Option<WireRelays>) -> Self {
        let mids = |[audio, video]: [String; 2]| Mids { audio, video };
        let slots = it.slots.into_iter().map(mids).collect();
        let [audio, video] = it.send;
        let [own_screen, screen] = it.screen;
        let send = SendMids { audio, video, screen: Some(own_screen) };
        let restart = it.restarts.then_some(true);
        let (number, sdp) = (it.number, it.sdp);
        ServerMessage::Offer { number, sdp, send, slots, screen: Some(screen), restart, relays }
    }
}

/// A session is over long before 49 days, where this would stop.
pub fn wire_ms(at: SessionTime) -> u32 {
    wire_ms_of(at.as_ms())
}

/// As `wire_ms`, of a length.
pub fn wire_ms_of(ms: u64) -> u32 {
    u32::try_from(ms).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::method::{
        Advance, Aim, Assign, Colour, Cycle, Harvest, People, Phase, Role, Scribe, Source, Text,
        Turns, Vote,
    };
    use std::{fmt::Write as _, fs, path::Path};

    /// The types as the pages know them, in the order of this file.
    fn typescript() -> String {
        let config = ts_rs::Config::new();
        let mut text = String::from(
            "// The words on the wire. Written by a test from `src/server/wire.rs`; never by hand.\n",
        );
        macro_rules! declare {
            ($($type:ty),* $(,)?) => {
                $(writeln!(text, "\nexport {}", <$type>::decl(&config)).unwrap();)*
            };
        }
        declare!(
            ClientMessage,
            ServerMessage,
            Mids,
            WireRelays,
            SendMids,
            WireWanted,
            WireLanguage,
            WireConsent,
            WireWriting,
            WireRoomBalance,
            WirePerson,
            WireRoom,
            WireCall,
            WireWaiting,
            WirePost,
            WireReaction,
            WireMark,
            WireCaption,
            WireKeep,
            WireKept,
            WireRun,
            WireStep,
            WireTurn,
            WireStage,
            WireIdea,
            WireSource,
            WireName,
            WireVote,
            WireMoveReason,
            WireLine,
            WireCard,
            Method,
            Text,
            Aim,
            People,
            Source,
            Role,
            Cycle,
            Phase,
            Assign,
            Turns,
            Harvest,
            Scribe,
            Vote,
            Advance,
            Colour,
            MethodList,
            PlanRequest,
            Plan,
            PlanStep,
            MethodChecked,
            MethodFault,
            Transcription,
            NewSession,
            SessionCreated,
            Admission,
            Admitted,
            WireRole,
            WireGrant,
            ServerStatus,
            SessionAbout,
            PersonAbout,
            SearchQuery,
            SearchRequest,
            WireKind,
            PhaseOfMethod,
            SearchAnswer,
            SearchCounts,
            SessionOutline,
            OutlineRun,
            OutlinePhase,
            OutlinePerson,
            OutlineStep,
            OutlineRoom,
            BoardTheme,
            CommentAbout,
            NewComment,
            WireLevel,
            PilotWish,
            PilotAbout,
            PilotTold,
            PastRequest,
            PastSessions,
            PastSession,
            PastMethod,
            Collect,
            EntryRequest,
            EntryAbout,
            SearchHit,
            TextPart,
            ExportQuery,
            AccessList,
            AccessAbout,
            CheckLink,
            OwnWords,
            OwnLine,
            CheckWish,
            ErrorBody,
        );
        text
    }

    #[test]
    fn the_pages_know_the_same_words() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/src/wire/wire.ts");
        let (written, kept) = (typescript(), fs::read_to_string(&path).unwrap_or_default());
        if written != kept {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, written).unwrap();
            panic!("web/src/wire/wire.ts was stale and has been written anew: commit it");
        }
    }

    #[test]
    fn messages_with_unknown_words_are_refused() {
        let read = |text| serde_json::from_str::<ClientMessage>(text).is_ok();
        assert!(read(r#"{"type":"set-microphone","on":true}"#));
        assert!(!read(r#"{"type":"set-microphone","on":true,"loud":1}"#));
        assert!(read(r#"{"type":"view","slots":["nothing","small","medium","large"]}"#));
        assert!(read(r#"{"type":"view","slots":[],"screen":"large"}"#));
        assert!(!read(r#"{"type":"view","slots":["huge"]}"#));
        assert!(!read(r#"{"type":"become-host"}"#));
        assert!(!read(r#"{"type":"move","participant":-1,"room":"main"}"#));
        assert!(read(r#"{"type":"follow","room":null}"#));
        assert!(!read("[]"));
    }
}
