//! What somebody has agreed to. It says nothing of how that is kept.

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
