//! What the workers and the ears share: the queue, and how far each speaker's words have come. Under one
//! lock, which its owner holds; it starts no thread and tells nobody anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::ids::SessionId;
use crate::domain::language::Language;
use crate::domain::spoken::Spoken;
use crate::domain::time::Span;
use crate::speech::driver::pipeline::event::SpeakerId;
use crate::speech::driver::whisper::{Brake, Words};
use crate::speech::engine::bounds::{DRAFT_READ_MS_MAX, DRAFTS_S_MAX, SAMPLES_PER_MS};
use crate::speech::engine::pace::Pace;
use crate::speech::engine::schedule::{Schedule, Work};
use crate::speech::engine::segmenter::Utterance;
use crate::speech::engine::stitch::rest;
use crate::speech::engine::tongue::Tongue;

/// An utterance on its way to a worker.
pub(super) struct Job {
    pub speaker: SpeakerId,
    /// Of the line it belongs to.
    pub generation: u64,
    /// What is known of the speaker's language when it is read.
    pub tongue: Tongue,
    pub utterance: Utterance,
    /// By the clock of the desk.
    pub due_ms: u64,
    pub stage: Stage,
}

/// How much of an utterance a job has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// All of it: it has ended.
    Final,
    /// What has been said so far. `number`: how many of the speaker's utterances had ended before it.
    Draft { number: u64, may_be_whole: bool },
}

impl Job {
    pub fn key(&self) -> Key {
        let Utterance { span, pcm, .. } = &self.utterance;
        Key { span: *span, samples: pcm.len(), told: self.tongue.as_told() }
    }
}

impl Work for Job {
    type Speaker = SpeakerId;

    fn speaker(&self) -> SpeakerId {
        self.speaker
    }

    fn audio_ms(&self) -> u64 {
        (self.utterance.pcm.len() / SAMPLES_PER_MS) as u64
    }

    fn due_ms(&self) -> u64 {
        self.due_ms
    }

    fn may_be_whole(&self) -> bool {
        matches!(self.stage, Stage::Draft { may_be_whole: true, .. })
    }
}

/// Two pieces of audio of one speaker with the same key are the same audio, to be read in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    span: Span,
    samples: usize,
    /// The language it is to be read in; `None`: by ear.
    told: Option<Language>,
}

/// A speaker whose words are waited for.
pub(super) struct Line {
    /// Changes when the speaker is forgotten; what carries an older one is not told.
    pub generation: u64,
    pub tongue: Tongue,
    /// Utterances that have ended and whose words are waited for.
    pub pending: usize,
    /// Utterances that have ended, and those of them that have been told of.
    pub ended: u64,
    pub concluded: u64,
    /// The draft that is being worked on.
    pub drafting: Option<Key>,
    /// Has ended just as that draft has it: its words will be these.
    pub awaits_draft: Option<Job>,
    /// The words of the newest draft of the running utterance.
    pub drafted: Option<(Key, Words)>,
    /// The tokens of the newest draft of the running utterance: the next one most likely begins with them.
    pub guess: Vec<i32>,
    /// What was heard last, before anything was taken out of it; to take out of the next words what is
    /// heard twice. Empty when the last utterance has no words.
    pub said: String,
    /// A partial has been told and not yet replaced.
    pub partial_told: bool,
    /// The ears hear nothing more of it.
    pub deaf: bool,
}

/// What the workers do, as far as it can be stopped.
#[derive(Default)]
pub(super) struct Workers {
    /// How many wait for something to do.
    pub idle: usize,
    /// The drafts that are being read: the first has begun first.
    drafts: Vec<Reading>,
    /// The ended utterances that are being read, one of a speaker at most.
    finals: BTreeMap<SpeakerId, (u64, Span)>,
}

/// A draft that is being read, and what stops it.
struct Reading {
    speaker: SpeakerId,
    brake: Brake,
    may_be_whole: bool,
}

impl Workers {
    /// Whether a draft of the speaker is being read that nobody has stopped.
    #[cfg(test)]
    pub fn read(&self, speaker: SpeakerId) -> bool {
        self.drafts.iter().any(|it| it.speaker == speaker)
    }

    fn done(&mut self, speaker: SpeakerId) {
        self.drafts.retain(|it| it.speaker != speaker);
    }

    /// What is being read of the speaker is for nobody any more.
    fn stop(&mut self, speaker: SpeakerId) {
        self.drafts.extract_if(.., |it| it.speaker == speaker).for_each(|it| it.brake.pull());
    }

    /// Something of the speaker waits, and `pressing` jobs in all: stops the speaker's own draft, which is of
    /// the same utterance, or the oldest of somebody else when no idle worker is left for it. None that may
    /// be whole.
    fn hurry(&mut self, speaker: SpeakerId, pressing: usize) {
        let stoppable = || self.drafts.iter().filter(|it| !it.may_be_whole);
        let own = stoppable().find(|it| it.speaker == speaker);
        let any = || stoppable().next().filter(|_| self.idle < pressing);
        if let Some(speaker) = own.or_else(any).map(|it| it.speaker) {
            self.stop(speaker);
        }
    }

    /// The speaker says more: what is read of them is not whole.
    fn goes_on(&mut self, speaker: SpeakerId, pressing: usize) {
        let own = self.drafts.iter_mut().filter(|it| it.speaker == speaker);
        own.for_each(|it| it.may_be_whole = false);
        if self.idle < pressing {
            self.stop(speaker);
        }
    }
}

pub(super) struct Desk {
    pub schedule: Schedule<Job>,
    pub lines: BTreeMap<SpeakerId, Line>,
    pub generations: u64,
    /// What may be said in each session.
    pub expected: BTreeMap<SessionId, Arc<str>>,
    pub pace: Pace,
    pub workers: Workers,
    pub stopping: bool,
}

impl Desk {
    pub fn new(backlog_s_max: u64) -> Self {
        let schedule = Schedule::new(backlog_s_max, DRAFTS_S_MAX);
        Self {
            schedule,
            lines: BTreeMap::new(),
            generations: 0,
            expected: BTreeMap::new(),
            pace: Pace::default(),
            workers: Workers::default(),
            stopping: false,
        }
    }

    /// A worker begins with the job, and can be stopped by the brake if it is a draft.
    pub fn begins(&mut self, job: &Job, brake: Brake) {
        brake.release();
        if let Stage::Draft { may_be_whole, .. } = job.stage {
            let key = job.key();
            if let Some(line) = self.line(job.speaker, job.generation) {
                line.drafting = Some(key);
            }
            let reading = Reading { speaker: job.speaker, brake, may_be_whole };
            self.workers.drafts.push(reading);
        } else {
            let read = (job.generation, job.utterance.span);
            self.workers.finals.insert(job.speaker, read);
        }
    }

    /// The worker is done with it, or was stopped.
    pub fn ends(&mut self, job: &Job) {
        self.schedule.done(job.speaker);
        if job.stage == Stage::Final {
            self.workers.finals.remove(&job.speaker);
        }
        self.workers.done(job.speaker);
    }

    /// Takes a draft, unless it would be old when it has been read.
    pub fn push_draft(&mut self, draft: Job) {
        let speaker = draft.speaker;
        if draft.may_be_whole() {
            self.schedule.push_draft(draft);
            self.hurries(speaker);
        } else if self.pace.expects_ms(draft.utterance.pcm.len()) <= DRAFT_READ_MS_MAX {
            self.schedule.push_draft(draft);
        }
    }

    /// Something of the speaker waits that is worth to stop a draft for.
    pub fn hurries(&mut self, speaker: SpeakerId) {
        self.workers.hurry(speaker, self.schedule.pressing());
    }

    /// The speaker says more than a draft has that might have been whole.
    pub fn goes_on(&mut self, speaker: SpeakerId) {
        self.schedule.goes_on(speaker);
        self.workers.goes_on(speaker, self.schedule.pressing());
    }

    /// Returns the generation of the line.
    pub fn open(&mut self, speaker: SpeakerId, spoken: Spoken) -> u64 {
        let generations = &mut self.generations;
        let line = self.lines.entry(speaker).or_insert_with(|| {
            *generations += 1;
            Line {
                generation: *generations,
                tongue: Tongue::new(spoken),
                pending: 0,
                ended: 0,
                concluded: 0,
                drafting: None,
                awaits_draft: None,
                drafted: None,
                guess: Vec::new(),
                said: String::new(),
                partial_told: false,
                deaf: false,
            }
        });
        line.tongue.tell(spoken);
        line.deaf = false;
        line.generation
    }

    pub fn line(&mut self, speaker: SpeakerId, generation: u64) -> Option<&mut Line> {
        self.lines.get_mut(&speaker).filter(|it| it.generation == generation)
    }

    /// The text of an utterance of the line without what the one before has of it: its end.
    pub fn stitched(&mut self, job: &Job, text: &str) -> String {
        let said = self.line(job.speaker, job.generation).map(|it| it.said.as_str());
        match said.filter(|_| 0 < job.utterance.overlap_ms) {
            Some(said) => rest(said, text).to_owned(),
            None => text.to_owned(),
        }
    }

    /// Takes out what is waited for of everybody, and waits for it no more: whose line, and when it was
    /// said. What is being read is told of by nobody afterwards.
    pub fn give_up(&mut self) -> Vec<(SpeakerId, u64, Span)> {
        let read = std::mem::take(&mut self.workers.finals);
        let read = read.into_iter().map(|(speaker, (line, span))| (speaker, line, span));
        let drafted = self.lines.values_mut().filter_map(|it| it.awaits_draft.take());
        let waiting = self.schedule.drain();
        let waiting =
            drafted.chain(waiting).map(|it| (it.speaker, it.generation, it.utterance.span));
        read.chain(waiting).collect()
    }

    pub fn forget(&mut self, speaker: SpeakerId) {
        self.lines.remove(&speaker);
        self.schedule.discard(speaker);
        self.workers.stop(speaker);
    }

    /// The utterance of the job has been told of. Whether a partial of it stands that nothing has
    /// replaced.
    pub fn conclude(&mut self, job: &Job) -> bool {
        let Some(line) = self.line(job.speaker, job.generation) else { return false };
        line.pending = line.pending.saturating_sub(1);
        line.concluded += 1;
        line.drafted = None;
        line.guess.clear();
        let stands = std::mem::take(&mut line.partial_told);
        self.sweep(job.speaker);
        stands
    }

    pub fn deafen(&mut self, speaker: SpeakerId, generation: u64) {
        if let Some(line) = self.line(speaker, generation) {
            line.deaf = true;
            self.sweep(speaker);
        }
    }

    fn sweep(&mut self, speaker: SpeakerId) {
        if self.lines.get(&speaker).is_some_and(|it| it.deaf && it.pending == 0) {
            self.lines.remove(&speaker);
        }
    }
}
