//! What speech says: whose voice was heard, and what became of its words. It holds nothing back and
//! remembers nothing.

use crate::domain::fact::GapReason;
use crate::domain::ids::{ParticipantId, SessionId};
use crate::domain::language::Language;
use crate::domain::time::Span;

/// Whose voice it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpeakerId {
    pub session: SessionId,
    pub participant: ParticipantId,
}

/// What was heard. Events of one speaker come in the order of speaking, but for `Uttered`, which
/// comes at the end of an utterance, before its words, and `Partial`, which comes before it or after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpeechEvent {
    /// Voice was found, whatever becomes of its words; `voice`: when in the span, in order.
    Uttered { speaker: SpeakerId, span: Span, voice: Vec<Span> },
    /// Words of what is still being said: each replaces the one before, and the speaker's next
    /// `Segment` or `Unheard` the last. Without text: what was told so far is not to stand.
    Partial { speaker: SpeakerId, span: Span, language: Language, text: String },
    /// Final words. `words`: a span for each, as white space parts them, in order and inside `span`.
    Segment { speaker: SpeakerId, span: Span, language: Language, text: String, words: Vec<Span> },
    /// Voice whose words nobody wrote down.
    Unheard { speaker: SpeakerId, span: Span, reason: GapReason },
}

impl SpeechEvent {
    pub fn speaker(&self) -> SpeakerId {
        match self {
            SpeechEvent::Uttered { speaker, .. }
            | SpeechEvent::Partial { speaker, .. }
            | SpeechEvent::Segment { speaker, .. }
            | SpeechEvent::Unheard { speaker, .. } => *speaker,
        }
    }
}
