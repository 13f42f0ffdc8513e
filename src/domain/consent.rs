//! What people have agreed to, each for themselves and together. It says nothing of how that is kept.

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

/// Whether the words of a room are written down, of those who agree, and if not, who wants it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Writing {
    On,
    /// The phase is in confidence.
    OffByMethod,
    /// A facilitator has turned it off for all rooms.
    OffByHost,
    /// Somebody in the room, or a facilitator for it. Anybody there may turn it on again.
    OffByRoom,
}
