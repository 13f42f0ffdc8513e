//! A worker: a thread that turns utterances into words, one after another. It keeps nothing of what it has
//! read, and gives way to whatever else wants its core.

#![expect(clippy::disallowed_methods, reason = "workers are timed")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::time::Instant;

use crate::domain::fact::GapReason;
use crate::speech::driver::pipeline::TranscriberFactory;
use crate::speech::driver::pipeline::counts::add;
use crate::speech::driver::pipeline::desk::{Job, Stage};
use crate::speech::driver::pipeline::shared::Shared;
use crate::speech::driver::whisper::{Transcriber, WhisperFailure, Words, draft, words};
use crate::speech::engine::schedule::Work;

/// Words may come later; voices, pages and the search may not: against others who want its core a worker gets
/// a tenth of it. On Linux alone, where niceness is of one thread.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 10) {
        tracing::warn!(%error, "a whisper worker does not give way to others");
    }
}

/// A worker's thread.
pub(super) fn work(
    shared: &Shared,
    transcribers: &TranscriberFactory,
    transcriber: Box<dyn Transcriber>,
) {
    give_way();
    let mut transcriber = Some(transcriber);
    loop {
        let mut desk = shared.desk();
        let mut job = loop {
            if desk.stopping {
                return;
            }
            match desk.schedule.take(shared.now_ms()) {
                Some(job) => break job,
                None => {
                    desk.workers.idle += 1;
                    let waited = shared.desk_changed.wait(desk);
                    desk = waited.unwrap_or_else(PoisonError::into_inner);
                    desk.workers.idle -= 1;
                }
            }
        };
        let mut guess = Vec::new();
        if let Some(line) = desk.line(job.speaker, job.generation) {
            guess.clone_from(&line.guess);
            // What was said before may have told more of the language since this ended.
            if line.tongue.is_by_ear() && job.tongue.is_by_ear() {
                job.tongue = line.tongue;
            }
        }
        let brake = transcriber.as_ref().map(|it| it.brake()).unwrap_or_default();
        desk.begins(&job, brake);
        let expected = desk.expected.get(&job.speaker.session).cloned();
        drop(desk);
        let told = Told { prompt: expected.as_deref().unwrap_or_default(), guess: &guess };
        let words = transcribe(shared, transcribers, &mut transcriber, &job, told);
        let mut desk = shared.desk();
        desk.ends(&job);
        match (job.stage, words) {
            (Stage::Draft { number, .. }, words) => shared.drafted(&mut desk, &job, number, words),
            (Stage::Final, Some(words)) => shared.heard(&mut desk, &job, words),
            (Stage::Final, None) => shared.unheard(&mut desk, &job, GapReason::Failed),
        }
        // Another utterance of this speaker may have waited for this one.
        shared.desk_changed.notify_all();
    }
}

/// What may help to read a job.
struct Told<'a> {
    /// Words that may be said in the session.
    prompt: &'a str,
    /// Tokens that the speaker's utterance seems to begin with.
    guess: &'a [i32],
}

/// The words of a job; `None` when it failed, or when a draft is not to be trusted or was stopped. After a panic the
/// transcriber is made anew.
fn transcribe(
    shared: &Shared,
    transcribers: &TranscriberFactory,
    transcriber: &mut Option<Box<dyn Transcriber>>,
    job: &Job,
    told: Told<'_>,
) -> Option<Words> {
    let Told { prompt, guess } = told;
    let speaker = job.speaker;
    let is_draft = job.stage != Stage::Final;
    let started = Instant::now();
    let run = AssertUnwindSafe(|| {
        let mut ready = match transcriber.take() {
            Some(ready) => ready,
            None => transcribers()?,
        };
        ready.expect(guess);
        let result = if is_draft {
            draft(ready.as_mut(), &job.utterance, &job.tongue, prompt)
        } else {
            words(ready.as_mut(), &job.utterance, &job.tongue, prompt).map(|it| {
                add(&shared.counts.retried, u64::from(it.retried));
                Some(it)
            })
        };
        *transcriber = Some(ready);
        result
    });
    let result = catch_unwind(run);
    let took_ms = started.elapsed().as_millis() as u64;
    if matches!(&result, Ok(Ok(Some(words))) if !words.retried) {
        shared.desk().pace.learn(job.utterance.pcm.len(), took_ms);
    }
    if is_draft {
        add(&shared.counts.drafts, 1);
        add(&shared.counts.drafting_ms, took_ms);
    } else {
        add(&shared.counts.transcribing_ms, took_ms);
        add(&shared.counts.transcribed_ms, job.audio_ms());
    }
    match result {
        Ok(Ok(words)) => words,
        Ok(Err(WhisperFailure::Stopped)) => {
            add(&shared.counts.drafts_stopped, 1);
            None
        }
        Ok(Err(error)) => {
            tracing::warn!(%speaker.session, %speaker.participant, is_draft, %error, "an utterance is lost");
            None
        }
        Err(_) => {
            tracing::error!(%speaker.session, %speaker.participant, is_draft, "transcribing panicked");
            None
        }
    }
}
