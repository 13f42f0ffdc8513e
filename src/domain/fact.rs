//! What happened: the facts a session's log keeps, and the only thing its lasting state is made of.

use crate::domain::{
    ids::{ParticipantId, RoomId},
    language::Language,
    time::{SessionTime, Span},
};

/// Whether a person's words may be turned into text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Consent {
    /// Words are transcribed and kept.
    On,
    /// Paused by the person: nothing is decoded until they go on.
    OffTheRecord,
    /// Not given. Nothing is decoded.
    Declined,
}

/// Why words were said that nobody wrote down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GapReason {
    /// More was said at once than the machine could transcribe in time.
    Backlog,
    /// The transcriber failed on it.
    Failed,
}

/// One kept fact. A session is what its facts say, applied in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The session exists. Always the first. `unix_ms`: what the wall clock said at `SessionTime(0)`.
    Opened {
        title: String,
        language: Language,
        unix_ms: u64,
    },
    /// Somebody took a new seat.
    Joined {
        participant: ParticipantId,
        name: String,
        language: Language,
        consent: Consent,
    },
    /// Where the person is from now on; `None`: they have left, and the seat is free.
    Placed {
        participant: ParticipantId,
        room: Option<RoomId>,
    },
    ConsentSet {
        participant: ParticipantId,
        consent: Consent,
    },
    /// Breakout rooms 1 to `count` are open; 0: only the main room.
    RoomsOpened {
        count: u16,
    },
    /// Words, with who said them, where and when.
    Said {
        participant: ParticipantId,
        room: RoomId,
        span: Span,
        language: Language,
        text: String,
    },
    /// Words that could not be written down.
    Unheard {
        participant: ParticipantId,
        room: RoomId,
        span: Span,
        reason: GapReason,
    },
    /// Only words said before may still follow.
    Ended,
}

/// A fact with its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Place in the whole log, from 1, without holes across all sessions in the order of writing.
    pub seq: u64,
    pub at: SessionTime,
    pub fact: Fact,
}
