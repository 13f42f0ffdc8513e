//! Counts of what speech has done, since it was started. They count; they never name anybody.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::fact::GapReason;
use crate::speech::driver::listener::Tally;
use crate::speech::driver::pipeline::event::SpeechEvent;

/// Counts since the start; each only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpeechCounters {
    /// Packets of tracks that were not open.
    pub packets_unwanted: u64,
    /// Packets dropped because the ears did not keep up.
    pub packets_dropped: u64,
    /// Packets that came twice or too late.
    pub packets_late: u64,
    /// Packets that never came.
    pub packets_lost: u64,
    /// Packets that were no Opus.
    pub packets_undecodable: u64,
    pub utterances: u64,
    pub segments: u64,
    pub partials: u64,
    /// Drafts that were transcribed, those that became the words of their utterance, those that were
    /// stopped for something more urgent, and those that nobody had time for.
    pub drafts: u64,
    pub drafts_used: u64,
    pub drafts_stopped: u64,
    pub drafts_dropped: u64,
    /// Utterances dropped because too much was waiting.
    pub unheard_backlog: u64,
    /// Utterances or stretches of audio on which something failed.
    pub unheard_failed: u64,
    /// Utterances that were transcribed twice.
    pub retried: u64,
    /// Audio of utterances transcribed and the time it took, in ms: their ratio is the real-time
    /// factor. Drafts are apart.
    pub transcribed_ms: u64,
    pub transcribing_ms: u64,
    pub drafting_ms: u64,
}

#[derive(Default)]
pub(super) struct Counts {
    pub(super) packets_unwanted: AtomicU64,
    pub(super) packets_dropped: AtomicU64,
    pub(super) packets_late: AtomicU64,
    pub(super) packets_lost: AtomicU64,
    pub(super) packets_undecodable: AtomicU64,
    pub(super) utterances: AtomicU64,
    pub(super) segments: AtomicU64,
    pub(super) partials: AtomicU64,
    pub(super) drafts: AtomicU64,
    pub(super) drafts_used: AtomicU64,
    pub(super) drafts_stopped: AtomicU64,
    pub(super) unheard_backlog: AtomicU64,
    pub(super) unheard_failed: AtomicU64,
    pub(super) retried: AtomicU64,
    pub(super) transcribed_ms: AtomicU64,
    pub(super) transcribing_ms: AtomicU64,
    pub(super) drafting_ms: AtomicU64,
}

pub(super) fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

impl Counts {
    pub(super) fn add_event(&self, event: &SpeechEvent) {
        let counter = match event {
            SpeechEvent::Uttered { .. } => &self.utterances,
            SpeechEvent::Partial { .. } => &self.partials,
            SpeechEvent::Segment { .. } => &self.segments,
            SpeechEvent::Unheard { reason: GapReason::Backlog, .. } => &self.unheard_backlog,
            // Nobody takes words back from speech itself.
            SpeechEvent::Unheard { reason: GapReason::Failed | GapReason::Struck, .. } => {
                &self.unheard_failed
            }
        };
        add(counter, 1);
    }

    pub(super) fn add_tally(&self, tally: Tally) {
        add(&self.packets_late, tally.late);
        add(&self.packets_lost, tally.lost);
        add(&self.packets_undecodable, tally.undecodable);
    }

    pub(super) fn read(&self) -> SpeechCounters {
        let of = |it: &AtomicU64| it.load(Ordering::Relaxed);
        SpeechCounters {
            packets_unwanted: of(&self.packets_unwanted),
            packets_dropped: of(&self.packets_dropped),
            packets_late: of(&self.packets_late),
            packets_lost: of(&self.packets_lost),
            packets_undecodable: of(&self.packets_undecodable),
            utterances: of(&self.utterances),
            segments: of(&self.segments),
            partials: of(&self.partials),
            drafts: of(&self.drafts),
            drafts_used: of(&self.drafts_used),
            drafts_stopped: of(&self.drafts_stopped),
            drafts_dropped: 0,
            unheard_backlog: of(&self.unheard_backlog),
            unheard_failed: of(&self.unheard_failed),
            retried: of(&self.retried),
            transcribed_ms: of(&self.transcribed_ms),
            transcribing_ms: of(&self.transcribing_ms),
            drafting_ms: of(&self.drafting_ms),
        }
    }
}
