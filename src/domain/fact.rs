//! What happened: the facts a session's log keeps, and the only thing its lasting state is made of.

use std::{collections::BTreeMap, sync::Arc};

pub use crate::domain::consent::Consent;
use crate::domain::{
    ideas::Change,
    ids::{ParticipantId, RoomId, TenantId},
    language::Language,
    mark::Mark,
    method::Method,
    mixing::Keep,
    run::{Clock, RunOptions, StepBegan},
    sheet::Part,
    spoken::Spoken,
    time::{SessionTime, Span},
};

/// Why words were said that nobody wrote down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GapReason {
    /// More was said at once than the machine could transcribe in time.
    Backlog,
    /// The transcriber failed on it.
    Failed,
    /// They were, and the person has taken them back.
    Struck,
}

/// What a comment is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CommentOn {
    /// By its place in the log.
    Entry(u64),
    /// By its name.
    Theme(String),
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
    /// Whose session it is. Beside `Opened`, or never.
    BelongsTo {
        tenant: TenantId,
    },
    /// Somebody took a new seat.
    Joined {
        participant: ParticipantId,
        name: String,
        language: Language,
        consent: Consent,
        /// Organisation, role, region and the like, by kind.
        tags: BTreeMap<String, String>,
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
    /// In which language a person is heard from now on. Where it is found by ear, every `Said` of
    /// theirs says in which they are heard since.
    LanguageSet {
        participant: ParticipantId,
        spoken: Spoken,
    },
    /// Whether words are written down. `room` `None`: in all rooms, for as long as a facilitator wants;
    /// `by` `None`: a facilitator.
    TranscriptionSet {
        room: Option<RoomId>,
        by: Option<ParticipantId>,
        on: bool,
    },
    /// A person takes back what they said in that time. In the log every `Said` of theirs that shares
    /// time with it has become an `Unheard`.
    Struck {
        participant: ParticipantId,
        span: Span,
    },
    /// Breakout rooms 1 to `count` are open; 0: only the main room.
    RoomsOpened {
        count: u16,
    },
    /// A method runs from now on. It stands here whole: its file may change or go away.
    MethodBegan {
        method: Arc<Method>,
        options: RunOptions,
    },
    StepBegan(StepBegan),
    /// The clock of the step is stopped, goes on, or has another end.
    ClockSet {
        clock: Clock,
    },
    /// It is somebody's turn in a room; `None`: everybody there has had theirs.
    TurnPassed {
        room: RoomId,
        to: Option<ParticipantId>,
    },
    /// Somebody takes a seat in the middle, or leaves it.
    Seated {
        participant: ParticipantId,
        on: bool,
    },
    /// An index among the method's roles.
    RoleGiven {
        participant: ParticipantId,
        role: Option<u16>,
    },
    /// What somebody has written, for themselves or for their room, in place of what was there. Of a
    /// sheet it is all that stands on it, by whoever changed it last; `parts`: whose which part is, from
    /// the beginning to the end, empty where nobody has counted.
    Wrote {
        participant: ParticipantId,
        room: RoomId,
        text: String,
        parts: Vec<Part>,
    },
    /// Somebody has changed the sheet of a room: an update in Yjs's first encoding. It is kept so that
    /// a crash takes nothing; what came of it is `Wrote` soon after.
    Typed {
        participant: ParticipantId,
        room: RoomId,
        update: Vec<u8>,
    },
    /// `card`: who wrote it.
    Scored {
        participant: ParticipantId,
        card: ParticipantId,
        score: u8,
    },
    /// Ideas of the method were written, combined, chosen or voted on.
    Ideas(Change),
    /// The method is over.
    MethodEnded,
    /// How a facilitator wants two people treated when groups are made.
    Kept {
        participants: [ParticipantId; 2],
        rule: Keep,
    },
    /// `None`: the person goes where they are put.
    Pinned {
        participant: ParticipantId,
        room: Option<RoomId>,
    },
    /// Words, with who said them, where and when.
    Said {
        participant: ParticipantId,
        room: RoomId,
        span: Span,
        language: Language,
        text: String,
        /// When each word of the text was said, as white space parts them: in order, inside `span`.
        /// Empty when not known.
        words: Vec<Span>,
    },
    /// Words that could not be written down.
    Unheard {
        participant: ParticipantId,
        room: RoomId,
        span: Span,
        reason: GapReason,
    },
    /// Somebody has written to their room, in its chat. Nobody's post is kept off the record.
    Posted {
        participant: ParticipantId,
        room: RoomId,
        text: String,
    },
    /// A facilitator has written to everybody.
    Broadcast {
        text: String,
    },
    /// Somebody calls a facilitator to their room.
    Called {
        participant: ParticipantId,
        room: RoomId,
    },
    /// A facilitator knows of the call of this person.
    CallSeen {
        participant: ParticipantId,
    },
    /// The caller needs no help any more, or a facilitator has helped. A call also ends, without a
    /// word, when its caller comes to another room or leaves.
    CallEnded {
        participant: ParticipantId,
    },
    /// Somebody says what something is to them that `of` began to say or write at `at`; off: no more.
    Marked {
        by: ParticipantId,
        of: ParticipantId,
        at: SessionTime,
        mark: Mark,
        on: bool,
    },
    /// A reviewer has put the entry with this place in the log under a theme of the board; `None`:
    /// taken it off. Also after the end.
    Collected {
        entry: u64,
        theme: Option<String>,
    },
    /// A reviewer has said something about an entry or a theme of the board, for all who may see it.
    /// Also after the end. One that is taken back is gone from the log.
    Commented {
        on: CommentOn,
        /// As who they say they are; nobody has checked it. May be empty.
        name: String,
        /// By the wall clock: a session that is over has no time of its own.
        unix_ms: u64,
        text: String,
    },
    /// Words and names to be heard rightly, in place of those before.
    GlossarySet {
        text: String,
    },
    /// Only words said before, and what reviewers do, may still follow.
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
