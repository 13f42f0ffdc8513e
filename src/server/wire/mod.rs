//! The words on the wire, as Rust types. `protocol.md` beside this folder tells what they mean, in the
//! order of a session's life; `web/src/wire/wire.ts` is written from them by a test.
//!
//! Only this folder, the log's records and the configuration know serde.

mod http;
#[cfg(test)]
mod tests;
mod translate;

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub use self::{
    http::*,
    translate::{wire_ms, wire_ms_of},
};
use crate::domain::method::Method;

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
        /// When it was written: a private note is not to become the room's line because the phase has
        /// changed on its way. Without it, whatever is on.
        #[serde(default)]
        #[ts(optional)]
        at: Option<WirePlace>,
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
    /// Said every 5 s, so that a page knows of a line that is dead and that nobody has closed.
    Alive,
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

/// Where a method stands.
#[derive(Clone, Copy, Debug, Deserialize, TS)]
pub struct WirePlace {
    /// Index among the method's phases.
    pub phase: u16,
    /// From 0.
    pub round: u16,
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
