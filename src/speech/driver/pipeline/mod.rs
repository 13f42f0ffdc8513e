//! The door of speech: tracks are opened, packets are offered, words come out as events.
//!
//! One thread, the ears, decodes and listens for everybody; some workers turn utterances into words,
//! and while nothing else is to be done, what is still being said. When an utterance ends just as it
//! was read last, those are its words. Every queue between them is bounded, and nobody who offers a packet ever waits. Never keeps audio
//! on disk, never logs what was said, and a panic in one person's audio stays with that person.

mod counts;
mod desk;
mod ears;
mod event;
mod inbox;
mod shared;
mod worker;

use std::sync::Arc;
use std::thread::JoinHandle;

use crate::domain::fact::GapReason;
use crate::domain::ids::SessionId;
use crate::domain::spoken::Spoken;
use crate::speech::driver::vad::Vad;
use crate::speech::driver::whisper::{Transcriber, WhisperFailure};
use crate::speech::engine::bounds::{BACKLOG_S_MAX, IDLE_MS, PROMPT_CHARS_MAX, UTTERANCE_MS_MAX};

use counts::add;
use ears::Ears;
use inbox::Offered;
use shared::Shared;
use worker::work;

pub use crate::speech::engine::reorder::OpusPacket;
pub use counts::SpeechCounters;
pub use event::{SpeakerId, SpeechEvent};

/// How much of the machine speech may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpeechConfig {
    /// Threads that run whisper, at least 1; each takes one core and some 100 MB with the base model.
    pub workers: usize,
    /// Seconds of audio that may wait for a worker, over everybody; at least the longest utterance.
    pub backlog_s_max: u64,
}

impl Default for SpeechConfig {
    fn default() -> Self {
        Self { workers: 1, backlog_s_max: BACKLOG_S_MAX }
    }
}

/// What only tests have otherwise.
#[derive(Clone, Copy)]
struct Tuning {
    /// Without a packet for so long a person is taken as silent.
    idle_ms: u64,
    /// Whether what is still being said is read.
    drafts: bool,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { idle_ms: IDLE_MS, drafts: true }
    }
}

/// Why speech could not start.
#[derive(Debug, thiserror::Error)]
pub enum SpeechError {
    #[error("starting {workers} whisper workers with {backlog_s_max} s of backlog: at least 1 and {} are needed", UTTERANCE_MS_MAX / 1_000)]
    Config { workers: usize, backlog_s_max: u64 },
    #[error("making the transcriber of worker {worker}: {source}")]
    Transcriber { worker: usize, source: WhisperFailure },
    #[error("starting the thread {name}: {source}")]
    Thread { name: String, source: std::io::Error },
}

/// Makes a transcriber for a worker: at the start, and again after one panicked.
pub type TranscriberFactory =
    Arc<dyn Fn() -> Result<Box<dyn Transcriber>, WhisperFailure> + Send + Sync>;

/// Makes the voice activity detector of one track.
pub type VadFactory = Arc<dyn Fn() -> Box<dyn Vad> + Send + Sync>;

/// Where events go. Called on the threads of speech with a lock held: it must not wait, and must not
/// call [`Speech`].
pub type OnSpeech = Arc<dyn Fn(SpeechEvent) + Send + Sync>;

/// Listens to everybody who is open. Dropping it stops it.
pub struct Speech {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Speech {
    /// Starts the ears and the workers.
    pub fn start(
        config: SpeechConfig,
        transcribers: TranscriberFactory,
        vads: VadFactory,
        events: OnSpeech,
    ) -> Result<Speech, SpeechError> {
        Self::start_tuned(config, Tuning::default(), transcribers, vads, events)
    }

    fn start_tuned(
        config: SpeechConfig,
        Tuning { idle_ms, drafts }: Tuning,
        transcribers: TranscriberFactory,
        vads: VadFactory,
        events: OnSpeech,
    ) -> Result<Speech, SpeechError> {
        let SpeechConfig { workers, backlog_s_max } = config;
        if workers == 0 || backlog_s_max * 1_000 < UTTERANCE_MS_MAX {
            return Err(SpeechError::Config { workers, backlog_s_max });
        }
        let shared = Arc::new(Shared::new(backlog_s_max, events));
        // From here on a failure drops `speech`, which stops what has been started.
        let mut speech = Speech { shared: Arc::clone(&shared), threads: Vec::new() };
        speech
            .spawn("speech-ears".into(), move || Ears::new(shared, vads, idle_ms, drafts).run())?;
        for worker in 0..workers {
            let transcriber =
                transcribers().map_err(|source| SpeechError::Transcriber { worker, source })?;
            let shared = Arc::clone(&speech.shared);
            let transcribers = Arc::clone(&transcribers);
            speech.spawn(format!("speech-worker-{worker}"), move || {
                work(&shared, &transcribers, transcriber);
            })?;
        }
        Ok(speech)
    }

    fn spawn(
        &mut self,
        name: String,
        body: impl FnOnce() + Send + 'static,
    ) -> Result<(), SpeechError> {
        let spawned = std::thread::Builder::new().name(name.clone()).spawn(body);
        self.threads.push(spawned.map_err(|source| SpeechError::Thread { name, source })?);
        Ok(())
    }

    /// Begins to listen to somebody. Again: the language of what ends from now on; what has been found
    /// out by ear is kept while it is left to the ear.
    pub fn open(&self, speaker: SpeakerId, spoken: Spoken) {
        let mut inbox = self.shared.inbox();
        if inbox.closed {
            return;
        }
        let generation = self.shared.desk().open(speaker, spoken);
        inbox.open(speaker, generation);
    }

    /// Gives a packet of somebody's track. Never waits: when too many wait already, or the track is
    /// not open, the packet is dropped and counted.
    pub fn offer(&self, speaker: SpeakerId, packet: OpusPacket) {
        let counts = &self.shared.counts;
        match self.shared.inbox().offer(speaker, packet) {
            Offered::Taken => self.shared.inbox_changed.notify_one(),
            Offered::Full => add(&counts.packets_dropped, 1),
            Offered::NotOpen => add(&counts.packets_unwanted, 1),
        }
    }

    /// Ends the running utterance, as when a person changes rooms: what is said from now on is not in
    /// one utterance with what was said before.
    pub fn cut(&self, speaker: SpeakerId) {
        self.shared.inbox().cut(speaker);
        self.shared.inbox_changed.notify_one();
    }

    /// Stops listening to somebody. `discard`: also forgets what waits and what is being worked on;
    /// when this returns, no event about what was said before will come. Otherwise what was said is
    /// still written down.
    pub fn close(&self, speaker: SpeakerId, discard: bool) {
        let mut inbox = self.shared.inbox();
        inbox.close(speaker, discard);
        if discard {
            self.shared.desk().forget(speaker);
        }
        drop(inbox);
        self.shared.inbox_changed.notify_one();
    }

    /// Stops listening to everybody, and opens nobody any more. What was said is still written down.
    pub fn close_all(&self) {
        self.shared.inbox().close_all();
        self.shared.inbox_changed.notify_one();
    }

    /// Whether nobody is listened to and nobody's words are waited for.
    pub fn is_done(&self) -> bool {
        let inbox = self.shared.inbox();
        inbox.is_empty() && self.shared.desk().lines.is_empty()
    }

    /// What has been said and not been read yet, nobody will read: it is reported as unheard.
    pub fn give_up(&self) {
        let mut desk = self.shared.desk();
        for (speaker, generation, span) in desk.give_up() {
            let reason = GapReason::Backlog;
            self.shared.tell(&desk, generation, SpeechEvent::Unheard { speaker, span, reason });
        }
        // Words that still come from a worker are nobody's.
        desk.lines.clear();
    }

    /// What may be said in a session from now on: words and names, as text that might have been said
    /// before. At most [`PROMPT_CHARS_MAX`] characters are looked at. Empty: nothing in particular.
    pub fn expect(&self, session: SessionId, words: &str) {
        let words: String =
            words.chars().filter(|it| !it.is_control()).take(PROMPT_CHARS_MAX).collect();
        let expected = &mut self.shared.desk().expected;
        if words.is_empty() {
            expected.remove(&session);
        } else {
            expected.insert(session, words.into());
        }
    }

    /// Audio that waits for a worker, in ms.
    pub fn backlog_ms(&self) -> u64 {
        self.shared.desk().schedule.waiting_ms()
    }

    pub fn counters(&self) -> SpeechCounters {
        let drafts_dropped = self.shared.desk().schedule.drafts_dropped();
        SpeechCounters { drafts_dropped, ..self.shared.counts.read() }
    }

    /// Stops all threads and waits for them. What is being transcribed is finished and reported; what
    /// waits is reported as unheard; what is being said is forgotten.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Speech {
    fn drop(&mut self) {
        self.shared.inbox().stopping = true;
        self.shared.desk().stopping = true;
        self.shared.inbox_changed.notify_all();
        self.shared.desk_changed.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        let mut desk = self.shared.desk();
        for job in desk.schedule.drain() {
            self.shared.unheard(&mut desk, &job, GapReason::Backlog);
        }
    }
}

#[cfg(test)]
mod tests;
