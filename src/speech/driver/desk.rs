//! What the workers and the ears share: the queue, and how far each speaker's words have come. Under one
//! lock, which its owner holds; it starts no thread and tells nobody anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::ids::SessionId;
use crate::domain::language::Language;
use crate::domain::spoken::Spoken;
use crate::domain::time::Span;
use crate::speech::driver::pipeline::SpeakerId;
use crate::speech::driver::whisper::Words;
use crate::speech::engine::bounds::{DRAFTS_S_MAX, SAMPLES_PER_MS};
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
    /// Of an utterance that has not ended: how many of the speaker's had ended before it.
    pub draft_of: Option<u64>,
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
    /// What was heard last, before anything was taken out of it; to take out of the next words what is
    /// heard twice. Empty when the last utterance has no words.
    pub said: String,
    /// A partial has been told and not yet replaced.
    pub partial_told: bool,
    /// The ears hear nothing more of it.
    pub deaf: bool,
}

pub(super) struct Desk {
    pub schedule: Schedule<Job>,
    pub lines: BTreeMap<SpeakerId, Line>,
    pub generations: u64,
    /// What may be said in each session.
    pub expected: BTreeMap<SessionId, Arc<str>>,
    pub stopping: bool,
}

impl Desk {
    pub fn new(backlog_s_max: u64) -> Self {
        let schedule = Schedule::new(backlog_s_max, DRAFTS_S_MAX);
        let (lines, expected) = (BTreeMap::new(), BTreeMap::new());
        Self { schedule, lines, generations: 0, expected, stopping: false }
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

    pub fn forget(&mut self, speaker: SpeakerId) {
        self.lines.remove(&speaker);
        self.schedule.discard(speaker);
    }

    /// The utterance of the job has been told of. Whether a partial of it stands that nothing has
    /// replaced.
    pub fn conclude(&mut self, job: &Job) -> bool {
        let Some(line) = self.line(job.speaker, job.generation) else { return false };
        line.pending = line.pending.saturating_sub(1);
        line.concluded += 1;
        line.drafted = None;
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
