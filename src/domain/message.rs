//! What people are told. Data only: who gets which message is the session's business, how it looks
//! on the wire is the server's.

use std::sync::Arc;

use crate::domain::{
    consent::{Consent, Writing},
    conversation::Interruptions,
    ideas::{IdeaId, IdeasView, Tally},
    ids::{ParticipantId, RoomId},
    language::Language,
    mark::Mark,
    method::Method,
    mixing::Keep,
    rejection::Rejection,
    talk::{Post, Reaction},
    time::{SessionTime, Span},
};

#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// Answer to joining: who you are and where. A `Room` follows every later change.
    Welcome {
        you: ParticipantId,
        title: String,
        language: Language,
        room: RoomView,
    },
    /// Your room, whole. Sent at each change of it, also when you have been moved.
    Room(RoomView),
    Speaking {
        participant: ParticipantId,
        on: bool,
    },
    Caption(Caption),
    /// As `Caption`, of what is still being said: it stands in place of the person's partial before,
    /// until their next caption. Without text it is to go.
    Partial(Caption),
    /// A person has taken back what they said in that time: it is to be shown no more.
    Struck {
        participant: ParticipantId,
        span: Span,
    },
    Balance(BalanceView),
    /// The round that has just ended, to those who were in it.
    Round(RoundView),
    /// What a person has had of all talk in the session so far; kept nowhere else, and by the server
    /// only until the session ends or they leave.
    Own(OwnTotal),
    /// To facilitators: how the rooms talk, those of which anything can be said.
    RoomBalances(Vec<RoomBalance>),
    /// To facilitators: how the rooms have talked in the round that has just ended.
    Rounds(Vec<RoomBalance>),
    /// The method that runs from now on; `None`: none any more. A `Step` follows.
    Method(Option<MethodView>),
    /// Where the method stands, and what it means for the receiver. At each change of it.
    Step(StepView),
    /// The receiver is about to be in another room, and why. The `Room` follows.
    Moved(MoveReason),
    /// The sheet of the receiver's room, whole.
    Sheet(SheetView),
    /// Somebody else has changed it.
    Typed {
        by: ParticipantId,
        sheet: u32,
        update: Vec<u8>,
    },
    /// What rooms and cards bring to all.
    Harvest(HarvestView),
    /// The ideas before the receiver in this phase, in place of those before, with the names of who
    /// lets theirs be known.
    Ideas {
        view: IdeasView,
        names: Vec<(ParticipantId, String)>,
    },
    /// Where the receiver's own votes lie from now on.
    OwnVotes(Vec<(IdeaId, u8)>),
    /// How a vote stands, to those from whom it is not hidden.
    Tally(Tally),
    /// Somebody shows for a moment what they feel.
    Reacted {
        by: ParticipantId,
        reaction: Reaction,
    },
    /// Somebody in the room says what it is to them that `of` began to say or write at `at`.
    Marked {
        by: ParticipantId,
        of: ParticipantId,
        at: SessionTime,
        mark: Mark,
        on: bool,
    },
    /// Somebody has written to the room, or a facilitator to all.
    Post(Post),
    /// All that has been written in the receiver's room and is remembered, oldest first.
    Posts(Vec<Post>),
    /// To facilitators: everybody, everywhere.
    Overview(Overview),
    /// To a facilitator: whose captions they read along from now on.
    Following(Option<RoomId>),
    Rejected(Rejection),
    /// The session is over; nothing follows.
    Ended,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonView {
    pub participant: ParticipantId,
    pub name: String,
    /// In which they are heard.
    pub language: Language,
    /// The language is found by listening, and not as they have said.
    pub by_ear: bool,
    pub consent: Consent,
    pub microphone: bool,
    pub camera: bool,
    /// Whether a live connection sits in the seat; a seat is kept for a while without one.
    pub present: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomView {
    pub room: RoomId,
    /// In the order of their numbers.
    pub people: Vec<PersonView>,
    pub writing: Writing,
    /// Who has a hand up, in the order in which they went up.
    pub hands: Vec<ParticipantId>,
    /// Who shares their screen.
    pub sharing: Option<ParticipantId>,
    /// Who waits for a facilitator: in a breakout room one for all.
    pub calls: Vec<CallView>,
    /// Whether a facilitator reads the captions along.
    pub followed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallView {
    pub by: ParticipantId,
    /// A facilitator has said that they know.
    pub seen: bool,
}

/// A call for help as facilitators see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingView {
    pub by: ParticipantId,
    pub room: RoomId,
    pub waited_ms: u64,
    pub seen: bool,
}

/// Words somebody said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caption {
    pub participant: ParticipantId,
    pub name: String,
    pub span: Span,
    pub language: Language,
    pub text: String,
}

/// How evenly a room has talked, without names, and the receiver's own part.
#[derive(Clone, Debug, PartialEq)]
pub struct BalanceView {
    /// Each present person's part of the room's talk time, largest first so that the order tells
    /// nothing; silent people are in it with 0. Adds to 1 when anybody has spoken.
    pub shares: Vec<f64>,
    /// As how many equally talking people the room sounds: from 1 to the number present.
    pub effective_voices: f64,
    /// Somebody has not been heard yet: the room, not they, is invited to ask.
    pub invites: bool,
    /// Of the person it is sent to, and to nobody else.
    pub own: OwnTalk,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OwnTalk {
    pub talk_ms: u64,
    pub turns: u32,
    /// Signs of listening given to others while they talked.
    pub backchannels: u32,
    /// 0 to 1.
    pub share: f64,
    /// The share as a multiple of what the time in the room makes fair: 1 is fair.
    pub ratio: f64,
}

/// Of one person, over all rounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnTotal {
    pub talk_ms: u64,
    pub turns: u32,
    pub backchannels: u32,
    /// Different people whom they have heard have the floor.
    pub people_heard: u32,
    /// Rounds, or stretches of talk without a method, of which anything could be said.
    pub rounds: u32,
}

/// How a room talks, with nothing in it of any person.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoomBalance {
    pub room: RoomId,
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
    pub interruptions: Interruptions,
}

/// A round looked back on, without names.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundView {
    pub lasted_ms: u64,
    /// As in `BalanceView`.
    pub shares: Vec<f64>,
    pub room: RoomBalance,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    pub title: String,
    pub language: Language,
    /// The main room first, then every open breakout room, also empty ones.
    pub rooms: Vec<RoomView>,
    /// Whether the facilitators let words be written down.
    pub transcribes: bool,
    /// Where the method stands that runs.
    pub run: Option<RunView>,
    /// Who stays where they are when groups are made anew.
    pub pinned: Vec<ParticipantId>,
    /// Who is kept apart or together.
    pub kept: Vec<([ParticipantId; 2], Keep)>,
    /// Who waits for a facilitator, longest first.
    pub calls: Vec<WaitingView>,
    /// Words and names to be heard rightly.
    pub glossary: String,
}

/// A method as it runs in this session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodView {
    pub method: Arc<Method>,
    /// What is talked about. May be empty.
    pub question: String,
    pub warn_ms: u64,
}

/// Where a method stands: a phase, and which round of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Index among the method's phases.
    pub phase: u16,
    /// From 0.
    pub round: u16,
    pub of: u16,
}

/// What is left of a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockView {
    /// Until its end, in ms; 0 while people finish their sentences. `None`: the facilitator ends it.
    pub left_ms: Option<u64>,
    /// From its end until people are moved, in ms.
    pub grace_ms: u64,
    pub paused: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunView {
    pub place: Place,
    pub clock: ClockView,
    /// People present who are ready to go on, and people present.
    pub ready: u32,
    pub ready_of: u32,
}

/// A step as one person sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepView {
    pub run: RunView,
    /// Index among the method's roles.
    pub role: Option<u16>,
    /// Whether their microphone is let through.
    pub may_speak: bool,
    pub own_ready: bool,
    /// Whose turn it is in their room.
    pub turn: Option<TurnView>,
    /// Who has a seat in the middle, longest first.
    pub seated: Vec<ParticipantId>,
    /// Of their room.
    pub topic: Option<String>,
    /// Of all rooms, in their order.
    pub topics: Vec<String>,
    /// Where people go as they like, how many are in each breakout room; else empty.
    pub people: Vec<u32>,
    /// What stands on the card they hold.
    pub card: Option<String>,
    pub own_score: Option<u8>,
    /// What they themselves, or their room together, have written in this phase.
    pub written: String,
}

/// What a room writes together, as an update in Yjs's first encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetView {
    /// It tells this sheet from every other of the session.
    pub number: u32,
    /// The number under which its text began: a sheet of another number and the same `since` has an
    /// earlier state of the same text.
    pub since: u32,
    pub state: Vec<u8>,
    /// What the receiver has on theirs beside is not to come onto it: it was refused.
    pub afresh: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TurnView {
    pub participant: ParticipantId,
    pub left_ms: u64,
}

/// Why somebody is taken to another room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveReason {
    /// The method goes on.
    Step,
    /// They came while groups were at work.
    Late,
    /// They would have been alone.
    Alone,
    /// Somebody would have been alone without them.
    Company,
    /// The facilitator.
    Host,
    /// They themselves.
    Own,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HarvestView {
    /// What each room has written together last, in the order of rooms.
    pub lines: Vec<(RoomId, String)>,
    /// Cards by their points, best first. Without names.
    pub ranking: Vec<RankedCard>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RankedCard {
    pub text: String,
    /// Five times the mean of its scores, rounded: 5 to 25.
    pub points: u8,
    /// How many scored it.
    pub scores: u8,
}
