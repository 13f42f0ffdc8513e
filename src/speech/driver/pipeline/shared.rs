//! What the threads of speech share, and what becomes of an utterance: it has ended, its words come, or
//! nobody writes them down. It reads no audio and runs no whisper.

#![expect(clippy::disallowed_methods, reason = "the desk has a clock")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::domain::fact::GapReason;
use crate::speech::driver::pipeline::OnSpeech;
use crate::speech::driver::pipeline::counts::{Counts, add};
use crate::speech::driver::pipeline::desk::{Desk, Job};
use crate::speech::driver::pipeline::event::SpeechEvent;
use crate::speech::driver::pipeline::inbox::Inbox;
use crate::speech::driver::whisper::Words;

/// What the threads share. Locks are taken in this order: inbox, desk. No lock is held while audio
/// is decoded or transcribed.
pub(super) struct Shared {
    pub(super) inbox: Mutex<Inbox>,
    pub(super) inbox_changed: Condvar,
    pub(super) desk: Mutex<Desk>,
    pub(super) desk_changed: Condvar,
    pub(super) events: OnSpeech,
    pub(super) counts: Counts,
    /// What the clock of the desk counts from.
    pub(super) began: Instant,
}

impl Shared {
    pub(super) fn new(backlog_s_max: u64, events: OnSpeech) -> Self {
        Self {
            inbox: Mutex::new(Inbox::default()),
            inbox_changed: Condvar::new(),
            desk: Mutex::new(Desk::new(backlog_s_max)),
            desk_changed: Condvar::new(),
            events,
            counts: Counts::default(),
            began: Instant::now(),
        }
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    // A panic under a lock can only come from the callback, after which the data are whole.
    pub(super) fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells an event and counts it, if its speaker has not been forgotten since.
    pub(super) fn tell(&self, desk: &Desk, generation: u64, event: SpeechEvent) -> bool {
        let speaker = event.speaker();
        let live = desk.lines.get(&speaker).is_some_and(|it| it.generation == generation);
        if !live {
            return false;
        }
        self.counts.add_event(&event);
        if catch_unwind(AssertUnwindSafe(|| (self.events)(event))).is_err() {
            tracing::error!(%speaker.session, %speaker.participant, "the receiver of speech panicked");
        }
        true
    }

    pub(super) fn unheard(&self, desk: &mut Desk, job: &Job, reason: GapReason) {
        let (speaker, span) = (job.speaker, job.utterance.span);
        self.tell(desk, job.generation, SpeechEvent::Unheard { speaker, span, reason });
        if let Some(line) = desk.line(speaker, job.generation) {
            line.said.clear();
        }
        desk.conclude(job);
    }

    /// An utterance has its words; there may be none.
    pub(super) fn heard(&self, desk: &mut Desk, job: &Job, words: Words) {
        let Job { speaker, generation, .. } = *job;
        let Words { text, spans: mut words, language, evidence, .. } = words;
        let span = job.utterance.span;
        let stitched = desk.stitched(job, &text);
        let mut partial = false;
        if let Some(line) = desk.line(speaker, generation) {
            // Unless they have said since in which language they speak.
            if line.tongue.is_by_ear() && job.tongue.is_by_ear() {
                line.tongue.learn(evidence);
            }
            line.said = text;
            partial = line.partial_told;
        }
        let text = stitched;
        // What was taken out stood at its beginning.
        words.drain(..words.len().saturating_sub(text.split_whitespace().count()));
        if !text.is_empty() {
            let event = SpeechEvent::Segment { speaker, span, language, text, words };
            self.tell(desk, generation, event);
        } else if partial {
            let event = SpeechEvent::Partial { speaker, span, language, text };
            self.tell(desk, generation, event);
        }
        desk.conclude(job);
    }

    /// A draft has its words, or is of no use. Of an utterance that has ended meanwhile, with no more
    /// said, they are the final ones.
    pub(super) fn drafted(&self, desk: &mut Desk, draft: &Job, number: u64, words: Option<Words>) {
        let Job { speaker, generation, .. } = *draft;
        let Some(line) = desk.line(speaker, generation) else { return };
        line.drafting = None;
        if let Some(job) = line.awaits_draft.take() {
            match words {
                Some(words) => {
                    add(&self.counts.drafts_used, 1);
                    self.heard(desk, &job, words);
                }
                // More may have been said and be waiting since.
                None => {
                    let dropped = desk.schedule.push_first(job);
                    self.drop_all(desk, dropped);
                }
            }
            return;
        }
        // Of a language that the person has not changed since, and of what has not been told already.
        let current = line.concluded == number && line.tongue.as_told() == draft.tongue.as_told();
        let Some(words) = words.filter(|_| current) else { return };
        line.guess.clone_from(&words.tokens);
        let span = draft.utterance.span;
        let Words { ref text, language, .. } = words;
        let told = (!text.is_empty()).then(|| text.clone());
        // What ended meanwhile with more to it has its own words soon.
        if line.ended == number {
            line.drafted = Some((draft.key(), words));
        }
        if let Some(text) = told {
            line.partial_told = true;
            let text = desk.stitched(draft, &text);
            self.tell(desk, generation, SpeechEvent::Partial { speaker, span, language, text });
        }
    }

    /// Takes an utterance that has ended.
    pub(super) fn ended(&self, desk: &mut Desk, job: Job) {
        let key = job.key();
        let Some(line) = desk.line(job.speaker, job.generation) else { return };
        line.pending += 1;
        line.ended += 1;
        let drafted = line.drafted.take().filter(|it| line.pending == 1 && it.0 == key);
        if let Some((_, words)) = drafted {
            add(&self.counts.drafts_used, 1);
            self.heard(desk, &job, words);
        } else if line.pending == 1 && line.drafting == Some(key) {
            line.awaits_draft = Some(job);
        } else {
            self.push(desk, job);
        }
    }

    fn push(&self, desk: &mut Desk, job: Job) {
        let speaker = job.speaker;
        let dropped = desk.schedule.push(job);
        self.drop_all(desk, dropped);
        desk.hurries(speaker);
    }

    fn drop_all(&self, desk: &mut Desk, dropped: Vec<Job>) {
        for job in dropped {
            self.unheard(desk, &job, GapReason::Backlog);
        }
    }
}
