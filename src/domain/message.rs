//! What people are told. Data only: who gets which message is the session's business, how it looks
//! on the wire is the server's.

use crate::domain::{
    fact::Consent,
    ids::{ParticipantId, RoomId},
    language::Language,
    rejection::Rejection,
    time::Span,
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
    Balance(BalanceView),
    /// To facilitators: everybody, everywhere.
    Overview(Overview),
    Rejected(Rejection),
    /// The session is over; nothing follows.
    Ended,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonView {
    pub participant: ParticipantId,
    pub name: String,
    pub language: Language,
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
}

/// Words somebody said, final.
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
    /// Of the person it is sent to, and to nobody else.
    pub own: OwnTalk,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OwnTalk {
    pub talk_ms: u64,
    pub turns: u32,
    /// 0 to 1.
    pub share: f64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    pub title: String,
    pub language: Language,
    /// The main room first, then every open breakout room, also empty ones.
    pub rooms: Vec<RoomView>,
}
