//! Why a wish was refused. A refusal is data, not a failure: the core always answers.

/// Each has a stable code; pages tell it in the person's own language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rejection {
    /// Every seat of the room is taken.
    RoomFull,
    /// Every seat of the session is taken.
    SessionFull,
    /// The session is over.
    SessionEnded,
    /// No such room is open.
    UnknownRoom,
    /// Nobody with that number is in the session.
    UnknownParticipant,
    /// The name is empty, too long, or has characters that cannot be shown.
    BadName,
    /// More rooms than the limit.
    BadRoomCount,
    /// The method has a fault, or a setting of it is out of bounds.
    BadMethod,
    /// A text is empty where it must not be, or too long.
    BadText,
    /// The wish does not fit what is going on.
    NotNow,
    /// More at once than others can follow; the same may be wished again in a moment.
    TooFast,
    /// Somebody else shares their screen in the room.
    AlreadyShared,
    /// There is no such idea before the person, or it has become another meanwhile.
    UnknownIdea,
    /// An idea is combined of two to six that stand for themselves.
    BadCombination,
    /// The room's sheet has no space for more.
    SheetFull,
    /// The person has written as many ideas as one may, or the room has no space for more.
    EnoughIdeas,
    /// The room has chosen as many ideas as it may.
    EnoughChosen,
    /// All of one's votes are given, or as many as one idea may have.
    EnoughVotes,
    /// As many votes as the method lets one give to one's own ideas.
    EnoughOwnVotes,
    /// The connection has not joined, or has not the right.
    NotAllowed,
    /// The same person opened the page somewhere else; this one is closed.
    Replaced,
}

impl Rejection {
    pub const ALL: [Rejection; 21] = [
        Rejection::RoomFull,
        Rejection::SessionFull,
        Rejection::SessionEnded,
        Rejection::UnknownRoom,
        Rejection::UnknownParticipant,
        Rejection::BadName,
        Rejection::BadRoomCount,
        Rejection::BadMethod,
        Rejection::BadText,
        Rejection::NotNow,
        Rejection::TooFast,
        Rejection::AlreadyShared,
        Rejection::UnknownIdea,
        Rejection::BadCombination,
        Rejection::SheetFull,
        Rejection::EnoughIdeas,
        Rejection::EnoughChosen,
        Rejection::EnoughVotes,
        Rejection::EnoughOwnVotes,
        Rejection::NotAllowed,
        Rejection::Replaced,
    ];

    /// Whether the connection closes after it.
    pub fn is_fatal(self) -> bool {
        matches!(
            self,
            Rejection::SessionFull
                | Rejection::SessionEnded
                | Rejection::BadName
                | Rejection::Replaced
        )
    }

    /// Stable and machine-readable: integrators and pages rely on it.
    pub fn code(self) -> &'static str {
        match self {
            Rejection::RoomFull => "room-full",
            Rejection::SessionFull => "session-full",
            Rejection::SessionEnded => "session-ended",
            Rejection::UnknownRoom => "unknown-room",
            Rejection::UnknownParticipant => "unknown-participant",
            Rejection::BadName => "bad-name",
            Rejection::BadRoomCount => "bad-room-count",
            Rejection::BadMethod => "bad-method",
            Rejection::BadText => "bad-text",
            Rejection::NotNow => "not-now",
            Rejection::TooFast => "too-fast",
            Rejection::AlreadyShared => "already-shared",
            Rejection::UnknownIdea => "unknown-idea",
            Rejection::BadCombination => "bad-combination",
            Rejection::SheetFull => "sheet-full",
            Rejection::EnoughIdeas => "enough-ideas",
            Rejection::EnoughChosen => "enough-chosen",
            Rejection::EnoughVotes => "enough-votes",
            Rejection::EnoughOwnVotes => "enough-own-votes",
            Rejection::NotAllowed => "not-allowed",
            Rejection::Replaced => "replaced",
        }
    }
}
