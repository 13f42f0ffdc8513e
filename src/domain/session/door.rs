//! The words at the door of a session: what can happen to it, what people may wish, and what it asks to
//! be done. Data alone; what comes of it is decided behind the door.

use std::collections::BTreeMap;

use crate::domain::{
    fact::{Consent, Fact, GapReason},
    ideas::{Command, IdeaId},
    ids::{ConnectionId, ParticipantId, RoomId},
    language::Language,
    mark::Mark,
    message::Message,
    method::Method,
    mixing::Keep,
    run::RunOptions,
    spoken::Spoken,
    talk::Reaction,
    time::{SessionTime, Span},
};

/// Something that happened to the session.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A page wants in. `seat`: the one it had before, already proved.
    Join {
        connection: ConnectionId,
        seat: Option<ParticipantId>,
        name: String,
        spoken: Spoken,
        consent: Consent,
        /// Organisation, role, region and the like, by kind.
        tags: BTreeMap<String, String>,
    },
    /// A facilitator's page, its right already proved, wants to follow and to lead.
    Watch {
        connection: ConnectionId,
    },
    Disconnected {
        connection: ConnectionId,
    },
    /// A wish of a joined or watching page.
    Wish {
        connection: ConnectionId,
        wish: Wish,
    },
    /// Audio levels say that a person began or stopped to speak.
    Voice {
        participant: ParticipantId,
        on: bool,
    },
    /// Voice activity detection found an utterance, with `voice` in these parts of it.
    Uttered {
        participant: ParticipantId,
        span: Span,
        voice: Vec<Span>,
    },
    /// Words of an utterance that has not ended: in place of those told before, and not for long.
    /// Without text: those told before are to go.
    Partial {
        participant: ParticipantId,
        span: Span,
        language: Language,
        text: String,
    },
    /// Words of an utterance. `words`: a span for each, or none at all.
    Transcribed {
        participant: ParticipantId,
        span: Span,
        language: Language,
        text: String,
        words: Vec<Span>,
    },
    /// An utterance without words, and why.
    Unheard {
        participant: ParticipantId,
        span: Span,
        reason: GapReason,
    },
    /// The time that `poll_timeout` asked for has come.
    Tick,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    SetConsent(Consent),
    /// In which language the person speaks, or that it be found by listening.
    SetLanguage(Spoken),
    /// Whether words are written down: a participant for their own room, with `None`; a facilitator
    /// for a room or, with `None`, for all.
    SetTranscription {
        room: Option<RoomId>,
        on: bool,
    },
    /// Takes back what they said in the minute before they asked, which was `waited_ms` ago.
    Strike {
        waited_ms: u64,
    },
    SetMicrophone(bool),
    SetCamera(bool),
    /// To give the seat up.
    Leave,
    /// Where the phase asks for it.
    SetReady(bool),
    /// One's turn is over.
    PassTurn,
    /// Takes the empty chair, or leaves one's own.
    SetSeated(bool),
    /// Where people are free to.
    GoTo {
        room: RoomId,
    },
    /// A note, a card, the room's line or a topic, as the phase asks.
    Write {
        text: String,
        /// The phase and round in which it was written; any but those that are on is too late. `None`:
        /// those.
        at: Option<(u16, u16)>,
    },
    /// A change of the sheet with that number, which lies in one's room: an update in Yjs's first
    /// encoding.
    Type {
        sheet: u32,
        update: Vec<u8>,
    },
    /// Of the card one holds, 1 to 5.
    Score(u8),
    /// Writes, combines, chooses or votes, as the phase asks.
    Ideas(Command),
    RaiseHand(bool),
    React(Reaction),
    /// Into the chat of the room.
    Post {
        text: String,
    },
    /// What somebody in the room began to say or write at `at` is this to the one who wishes; off: no
    /// more.
    Mark {
        of: ParticipantId,
        at: SessionTime,
        mark: Mark,
        on: bool,
    },
    /// For help; off: not needed any more.
    Call(bool),
    /// One's screen, to the room.
    Share(bool),
    /// Facilitators only, as is all that follows.
    OpenRooms {
        count: u16,
    },
    Move {
        participant: ParticipantId,
        room: RoomId,
    },
    RunMethod {
        method: Box<Method>,
        options: RunOptions,
    },
    /// Ends the phase. `at_once`: without time to finish the sentence.
    Next {
        at_once: bool,
    },
    Pause(bool),
    Extend {
        ms: u64,
    },
    StopMethod,
    Keep {
        participants: [ParticipantId; 2],
        rule: Keep,
    },
    /// Stays in the breakout room they are in when groups are made anew.
    Pin {
        participant: ParticipantId,
        on: bool,
    },
    /// To everybody, in every room.
    Broadcast {
        text: String,
    },
    LowerHand {
        participant: ParticipantId,
    },
    /// The call of this person is known.
    SeeCall {
        participant: ParticipantId,
    },
    EndCall {
        participant: ParticipantId,
    },
    EndShare {
        participant: ParticipantId,
    },
    /// Puts a chosen idea with others under a name; without: by itself.
    GroupIdea {
        idea: IdeaId,
        group: Option<String>,
    },
    /// Words and names to be heard rightly.
    SetGlossary {
        text: String,
    },
    /// Reads the captions of a room along, or of none.
    Follow {
        room: Option<RoomId>,
    },
    End,
}

/// Something the shell must do, in the order given.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Write it down; what follows may only be done when it is safe on disk.
    Keep(Fact),
    Send {
        connection: ConnectionId,
        message: Message,
    },
    /// Close the socket after what was sent.
    Close {
        connection: ConnectionId,
    },
    /// Who can hear whom has changed. `None`: take the person out of the media.
    Place {
        participant: ParticipantId,
        room: Option<RoomId>,
    },
    /// Whether the person's audio may be decoded. Off: forget also what is being worked on.
    Listen {
        participant: ParticipantId,
        on: bool,
        spoken: Spoken,
    },
    /// Whether the person's audio goes nowhere, because the method gives the floor to others.
    Hush {
        participant: ParticipantId,
        on: bool,
    },
    /// Whether the person's screen goes to the room. Off comes before any `Place` that would take it
    /// to another.
    Share {
        participant: ParticipantId,
        on: bool,
    },
    /// What may be said here, for whatever listens: data, never instructions.
    Expect {
        words: String,
    },
    /// The session is over. Words said before may still come.
    Finished,
}
