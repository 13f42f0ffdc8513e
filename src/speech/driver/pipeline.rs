//! The door of speech: tracks are opened, packets are offered, words come out as events.
//!
//! One thread, the ears, decodes and listens for everybody; some workers turn utterances into words,
//! and while nothing else is to be done, what is still being said. When an utterance ends just as it
//! was read last, those are its words. Every queue between them is bounded, and nobody who offers a packet ever waits. Never keeps audio
//! on disk, never logs what was said, and a panic in one person's audio stays with that person.

#![expect(
    clippy::disallowed_methods,
    reason = "the ears notice when packets stop, and workers are timed"
)]

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::domain::fact::GapReason;
use crate::domain::ids::{ParticipantId, SessionId};
use crate::domain::language::Language;
use crate::domain::spoken::Spoken;
use crate::domain::time::{SessionTime, Span};
use crate::speech::driver::desk::{Desk, Job, Stage};
use crate::speech::driver::listener::{Ear, Tally};
use crate::speech::driver::vad::Vad;
use crate::speech::driver::whisper::{Transcriber, WhisperFailure, Words, draft, words};
use crate::speech::engine::bounds::{
    BACKLOG_S_MAX, DRAFT_DUE_MS, FINAL_DUE_MS, IDLE_MS, PROMPT_CHARS_MAX, UTTERANCE_MS_MAX,
    WAITING_PACKETS_MAX,
};
use crate::speech::engine::schedule::Work;
use crate::speech::engine::segmenter::{Draft, Utterance};

pub use crate::speech::engine::reorder::OpusPacket;

/// Whose voice it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpeakerId {
    pub session: SessionId,
    pub participant: ParticipantId,
}

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

/// What the threads share. Locks are taken in this order: inbox, desk. No lock is held while audio
/// is decoded or transcribed.
struct Shared {
    inbox: Mutex<Inbox>,
    inbox_changed: Condvar,
    desk: Mutex<Desk>,
    desk_changed: Condvar,
    events: OnSpeech,
    counts: Counts,
    /// What the clock of the desk counts from.
    began: Instant,
}

impl Shared {
    fn new(backlog_s_max: u64, events: OnSpeech) -> Self {
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

    fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    // A panic under a lock can only come from the callback, after which the data are whole.
    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells an event and counts it, if its speaker has not been forgotten since.
    fn tell(&self, desk: &Desk, generation: u64, event: SpeechEvent) -> bool {
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

    fn unheard(&self, desk: &mut Desk, job: &Job, reason: GapReason) {
        let (speaker, span) = (job.speaker, job.utterance.span);
        self.tell(desk, job.generation, SpeechEvent::Unheard { speaker, span, reason });
        if let Some(line) = desk.line(speaker, job.generation) {
            line.said.clear();
        }
        desk.conclude(job);
    }

    /// An utterance has its words; there may be none.
    fn heard(&self, desk: &mut Desk, job: &Job, words: Words) {
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
    fn drafted(&self, desk: &mut Desk, draft: &Job, number: u64, words: Option<Words>) {
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
    fn ended(&self, desk: &mut Desk, job: Job) {
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

/// What waits to be heard, in the order of arriving.
enum Sound {
    Open {
        generation: u64,
    },
    Packet(OpusPacket),
    Cut,
    /// The track is over; what was said is flushed.
    Close,
    /// The track is over and what was said is forgotten.
    Forget,
}

#[derive(Default)]
struct Inbox {
    queues: BTreeMap<SpeakerId, Queue>,
    stopping: bool,
}

/// At most [`WAITING_PACKETS_MAX`] packets, and one mark between two of them.
#[derive(Default)]
struct Queue {
    sounds: VecDeque<Sound>,
    packets: usize,
    open: bool,
}

enum Offered {
    Taken,
    Full,
    NotOpen,
}

impl Inbox {
    fn open(&mut self, speaker: SpeakerId, generation: u64) {
        let queue = self.queues.entry(speaker).or_default();
        queue.open = true;
        match queue.sounds.back_mut() {
            // Closed and opened again before the ears noticed: the same track goes on.
            Some(last @ Sound::Close) => *last = Sound::Cut,
            Some(Sound::Open { generation: last }) => *last = generation,
            _ => queue.sounds.push_back(Sound::Open { generation }),
        }
    }

    fn offer(&mut self, speaker: SpeakerId, packet: OpusPacket) -> Offered {
        let Some(queue) = self.queues.get_mut(&speaker).filter(|it| it.open) else {
            return Offered::NotOpen;
        };
        if queue.packets >= WAITING_PACKETS_MAX {
            return Offered::Full;
        }
        queue.packets += 1;
        queue.sounds.push_back(Sound::Packet(packet));
        Offered::Taken
    }

    fn cut(&mut self, speaker: SpeakerId) {
        if let Some(queue) = self.queues.get_mut(&speaker).filter(|it| it.open)
            && !matches!(queue.sounds.back(), Some(Sound::Cut))
        {
            queue.sounds.push_back(Sound::Cut);
        }
    }

    fn close(&mut self, speaker: SpeakerId, discard: bool) {
        let Some(queue) = self.queues.get_mut(&speaker) else { return };
        if discard {
            *queue = Queue::default();
            queue.sounds.push_back(Sound::Forget);
        } else if queue.open {
            queue.open = false;
            if matches!(queue.sounds.back(), Some(Sound::Cut)) {
                queue.sounds.pop_back();
            }
            queue.sounds.push_back(Sound::Close);
        }
    }

    /// Whether anything of that speaker waits for the ears.
    fn waits(&self, speaker: SpeakerId) -> bool {
        self.queues.get(&speaker).is_some_and(|it| !it.sounds.is_empty())
    }

    /// Whether an opening of that generation waits.
    fn will_open(&self, speaker: SpeakerId, generation: u64) -> bool {
        let opens = |it: &Sound| matches!(it, Sound::Open { generation: it } if *it == generation);
        self.queues.get(&speaker).is_some_and(|it| it.sounds.iter().any(opens))
    }

    /// What waits of the first speaker after `last` of whom anything waits, so that everybody gets a
    /// turn. Queues of closed tracks go away here.
    fn take(&mut self, last: Option<SpeakerId>) -> Option<(SpeakerId, VecDeque<Sound>)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let waits = |it: &(&SpeakerId, &Queue)| !it.1.sounds.is_empty();
        let after = last.map_or(Unbounded, Excluded);
        let later = self.queues.range((after, Unbounded)).find(waits);
        let speaker = *later.or_else(|| self.queues.iter().find(waits))?.0;
        let queue = self.queues.get_mut(&speaker)?;
        queue.packets = 0;
        let sounds = std::mem::take(&mut queue.sounds);
        if !queue.open {
            self.queues.remove(&speaker);
        }
        Some((speaker, sounds))
    }
}

/// The ears' thread.
struct Ears {
    shared: Arc<Shared>,
    vads: VadFactory,
    idle_ms: u64,
    drafts: bool,
    tracks: BTreeMap<SpeakerId, Track>,
}

struct Track {
    generation: u64,
    /// `None` after a panic or when there is no decoder; made at the next packet.
    ear: Option<Ear>,
    /// When the newest packet was heard here, and when it arrived.
    heard: Option<(Instant, SessionTime)>,
    /// After a panic nothing is heard before this.
    rests_until: SessionTime,
}

/// How often the ears look for tracks that have fallen silent.
const LOOK: Duration = Duration::from_millis(100);

impl Ears {
    fn new(shared: Arc<Shared>, vads: VadFactory, idle_ms: u64, drafts: bool) -> Self {
        Self { shared, vads, idle_ms, drafts, tracks: BTreeMap::new() }
    }

    fn run(mut self) {
        let mut last = None;
        let mut looked = Instant::now();
        loop {
            let awake = self.tracks.values().any(|it| it.ear.as_ref().is_some_and(Ear::is_awake));
            let mut inbox = self.shared.inbox();
            let next = loop {
                if inbox.stopping {
                    return;
                }
                let next = inbox.take(last);
                if next.is_some() || (awake && looked.elapsed() >= LOOK) {
                    break next;
                }
                let changed = &self.shared.inbox_changed;
                inbox = if awake {
                    changed.wait_timeout(inbox, LOOK).unwrap_or_else(PoisonError::into_inner).0
                } else {
                    changed.wait(inbox).unwrap_or_else(PoisonError::into_inner)
                };
            };
            drop(inbox);
            if let Some((speaker, sounds)) = next {
                last = Some(speaker);
                for sound in sounds {
                    self.hear(speaker, sound);
                }
            }
            if looked.elapsed() >= LOOK {
                looked = Instant::now();
                self.look();
            }
        }
    }

    fn hear(&mut self, speaker: SpeakerId, sound: Sound) {
        match sound {
            Sound::Open { generation } => match self.tracks.get(&speaker) {
                Some(track) if track.generation == generation => {}
                _ => {
                    let rests_until = SessionTime::ZERO;
                    let track = Track { generation, ear: None, heard: None, rests_until };
                    self.tracks.insert(speaker, track);
                }
            },
            Sound::Packet(packet) => {
                if let Some(track) = self.tracks.get_mut(&speaker)
                    && packet.arrived >= track.rests_until
                {
                    let arrived = packet.arrived;
                    track.heard = Some((Instant::now(), arrived));
                    track.ear = track.ear.take().or_else(|| new_ear(speaker, &self.vads));
                    self.listen(speaker, arrived, |ear, out| ear.hear(packet, out));
                }
            }
            Sound::Cut => self.end(speaker),
            Sound::Close => {
                self.end(speaker);
                if let Some(track) = self.tracks.remove(&speaker) {
                    // Opened again in the meantime, perhaps closed again too: what waits is of the same
                    // line, so it lives on, and so must the track.
                    let inbox = self.shared.inbox();
                    let mut desk = self.shared.desk();
                    if inbox.will_open(speaker, track.generation) {
                        self.tracks.insert(speaker, track);
                    } else {
                        desk.deafen(speaker, track.generation);
                    }
                }
            }
            Sound::Forget => {
                self.tracks.remove(&speaker);
            }
        }
    }

    fn end(&mut self, speaker: SpeakerId) {
        let arrived = self.tracks.get(&speaker).and_then(|it| it.heard).map(|it| it.1);
        if let Some(arrived) = arrived {
            self.listen(speaker, arrived, |ear, out| ear.cut(out));
        }
    }

    /// Ends the utterances of those from whom nothing has come for a while. Whose packets wait here
    /// has not fallen silent: these ears are late.
    fn look(&mut self) {
        let now = Instant::now();
        let inbox = self.shared.inbox();
        let silent = |(speaker, track): (&SpeakerId, &Track)| {
            let (heard, arrived) = track.heard?;
            let silent_ms = now.saturating_duration_since(heard).as_millis() as u64;
            let awake = track.ear.as_ref().is_some_and(Ear::is_awake);
            let silent = awake && silent_ms >= self.idle_ms && !inbox.waits(*speaker);
            silent.then_some((*speaker, arrived, silent_ms))
        };
        let silent: Vec<_> = self.tracks.iter().filter_map(silent).collect();
        drop(inbox);
        for (speaker, arrived, silent_ms) in silent {
            self.listen(speaker, arrived, |ear, out| ear.idle(silent_ms, out));
        }
    }

    /// Lets the ear of a speaker do something, and sends on what it found. A panic costs that
    /// speaker's running utterance and the next [`REST_MS`], and nothing else. `arrived`: of the newest packet.
    fn listen(
        &mut self,
        speaker: SpeakerId,
        arrived: SessionTime,
        act: impl FnOnce(&mut Ear, &mut Vec<Utterance>),
    ) {
        let Some(track) = self.tracks.get_mut(&speaker) else { return };
        let Some(mut ear) = track.ear.take() else { return };
        let since = ear.open_since().unwrap_or(arrived);
        let mut found = Vec::new();
        let mut draft = None;
        let acted = catch_unwind(AssertUnwindSafe(|| {
            act(&mut ear, &mut found);
            ear
        }));
        let generation = track.generation;
        match acted {
            Ok(mut ear) => {
                self.shared.counts.add_tally(ear.take_tally());
                draft = ear.take_draft().filter(|_| self.drafts);
                track.ear = Some(ear);
            }
            Err(_) => {
                tracing::error!(%speaker.session, %speaker.participant, "hearing a track panicked");
                track.rests_until = arrived + REST_MS;
                let span = Span::new(since, track.rests_until);
                let reason = GapReason::Failed;
                let event = SpeechEvent::Unheard { speaker, span, reason };
                self.shared.tell(&self.shared.desk(), generation, event);
            }
        }
        if !found.is_empty() || draft.is_some() {
            self.send(speaker, generation, arrived, found, draft);
        }
    }

    fn send(
        &self,
        speaker: SpeakerId,
        generation: u64,
        arrived: SessionTime,
        found: Vec<Utterance>,
        draft: Option<Draft>,
    ) {
        let now_ms = self.shared.now_ms();
        let mut desk = self.shared.desk();
        for utterance in found {
            let (span, voice) = (utterance.span, utterance.voice.clone());
            let uttered = SpeechEvent::Uttered { speaker, span, voice };
            if !self.shared.tell(&desk, generation, uttered) {
                return;
            }
            let Some(line) = desk.line(speaker, generation) else { return };
            let tongue = line.tongue;
            let due_ms = now_ms + FINAL_DUE_MS.saturating_sub(arrived.since_ms(span.end));
            let job = Job { speaker, generation, tongue, utterance, due_ms, stage: Stage::Final };
            self.shared.ended(&mut desk, job);
        }
        if let Some(Draft { utterance, may_be_whole }) = draft {
            let Some(line) = desk.line(speaker, generation) else { return };
            let tongue = line.tongue;
            let stage = Stage::Draft { number: line.ended, may_be_whole };
            let due_ms = now_ms + DRAFT_DUE_MS;
            let job = Job { speaker, generation, tongue, utterance, due_ms, stage };
            desk.push_draft(job);
        }
        self.shared.desk_changed.notify_all();
    }
}

/// How long nothing is heard of a track after a panic, in ms: what panics at one packet may panic at
/// every one, and each panic is an event.
const REST_MS: u64 = 2_000;

fn new_ear(speaker: SpeakerId, vads: &VadFactory) -> Option<Ear> {
    let made = catch_unwind(AssertUnwindSafe(|| Ear::new(vads())));
    match made {
        Ok(Ok(ear)) => Some(ear),
        Ok(Err(error)) => {
            tracing::error!(%speaker.session, %speaker.participant, %error, "no ear for a track");
            None
        }
        Err(_) => {
            tracing::error!(%speaker.session, %speaker.participant, "making an ear panicked");
            None
        }
    }
}

/// A worker's thread.
fn work(shared: &Shared, transcribers: &TranscriberFactory, transcriber: Box<dyn Transcriber>) {
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
                    desk.idle += 1;
                    let waited = shared.desk_changed.wait(desk);
                    desk = waited.unwrap_or_else(PoisonError::into_inner);
                    desk.idle -= 1;
                }
            }
        };
        if let Some(line) = desk.line(job.speaker, job.generation) {
            // What was said before may have told more of the language since this ended.
            if line.tongue.is_by_ear() && job.tongue.is_by_ear() {
                job.tongue = line.tongue;
            }
        }
        let brake = transcriber.as_ref().map(|it| it.brake()).unwrap_or_default();
        desk.begins(&job, brake);
        let expected = desk.expected.get(&job.speaker.session).cloned();
        drop(desk);
        let prompt = expected.as_deref().unwrap_or_default();
        let words = transcribe(shared, transcribers, &mut transcriber, &job, prompt);
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

/// The words of a job; `None` when it failed, or when a draft is not to be trusted or was stopped. After a panic the
/// transcriber is made anew.
fn transcribe(
    shared: &Shared,
    transcribers: &TranscriberFactory,
    transcriber: &mut Option<Box<dyn Transcriber>>,
    job: &Job,
    prompt: &str,
) -> Option<Words> {
    let speaker = job.speaker;
    let is_draft = job.stage != Stage::Final;
    let started = Instant::now();
    let run = AssertUnwindSafe(|| {
        let mut ready = match transcriber.take() {
            Some(ready) => ready,
            None => transcribers()?,
        };
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

#[derive(Default)]
struct Counts {
    packets_unwanted: AtomicU64,
    packets_dropped: AtomicU64,
    packets_late: AtomicU64,
    packets_lost: AtomicU64,
    packets_undecodable: AtomicU64,
    utterances: AtomicU64,
    segments: AtomicU64,
    partials: AtomicU64,
    drafts: AtomicU64,
    drafts_used: AtomicU64,
    drafts_stopped: AtomicU64,
    unheard_backlog: AtomicU64,
    unheard_failed: AtomicU64,
    retried: AtomicU64,
    transcribed_ms: AtomicU64,
    transcribing_ms: AtomicU64,
    drafting_ms: AtomicU64,
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

impl Counts {
    fn add_event(&self, event: &SpeechEvent) {
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

    fn add_tally(&self, tally: Tally) {
        add(&self.packets_late, tally.late);
        add(&self.packets_lost, tally.lost);
        add(&self.packets_undecodable, tally.undecodable);
    }

    fn read(&self) -> SpeechCounters {
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;
    use crate::speech::driver::listener::tests::packets;
    use crate::speech::driver::vad::LoudnessVad;
    use crate::speech::driver::whisper::{Brake, Effort};
    use crate::speech::engine::bounds::FRAME_SAMPLES;
    use crate::speech::engine::guard::Piece;
    use crate::speech::engine::tongue::Odds;

    fn alice() -> SpeakerId {
        SpeakerId { session: SessionId::new(1, 1), participant: ParticipantId(1) }
    }

    fn bob() -> SpeakerId {
        SpeakerId { session: SessionId::new(1, 1), participant: ParticipantId(2) }
    }

    /// Waits for an answer from the test before it gives it; says when it has begun. "panic" panics,
    /// "fail" fails.
    struct Gated {
        begun: Sender<()>,
        answers: Arc<Mutex<Receiver<&'static str>>>,
        odds: Arc<Mutex<Option<Odds>>>,
        brake: Brake,
    }

    impl Transcriber for Gated {
        fn transcribe(
            &mut self,
            pcm: &[f32],
            _: Language,
            _: &str,
            _: Effort,
        ) -> Result<Vec<Piece>, WhisperFailure> {
            self.begun.send(()).ok();
            let answer = self.answers.lock().unwrap_or_else(PoisonError::into_inner).recv();
            match answer {
                _ if self.brake.is_pulled() => Err(WhisperFailure::Stopped),
                Ok("panic") => panic!("asked to panic"),
                Ok("fail") => {
                    Err(WhisperFailure::Other { ms: pcm.len() as u64 / 16, why: "asked".into() })
                }
                Ok(text) => {
                    Ok(vec![Piece { text: text.into(), no_speech: 0.0, logprob_mean: 0.0 }])
                }
                Err(_) => Ok(vec![]),
            }
        }

        fn detect(&mut self, _: &[f32]) -> Result<Language, WhisperFailure> {
            Ok(Language::English)
        }

        fn odds(&mut self) -> Result<Option<Odds>, WhisperFailure> {
            Ok(*self.odds.lock().unwrap_or_else(PoisonError::into_inner))
        }

        fn brake(&self) -> Brake {
            self.brake.clone()
        }
    }

    /// Panics while the switch is on.
    struct Fragile(Arc<AtomicBool>, LoudnessVad);

    impl Vad for Fragile {
        fn voice(&mut self, frame: &[f32; FRAME_SAMPLES]) -> f32 {
            assert!(!self.0.load(Ordering::SeqCst), "asked to panic");
            self.1.voice(frame)
        }

        fn reset(&mut self) {}
    }

    struct Rig {
        // Before `speech`, so that a failing test lets the workers go instead of waiting for them.
        answers: Sender<&'static str>,
        speech: Speech,
        events: Receiver<SpeechEvent>,
        begun: Receiver<()>,
        /// How likely each language is in whatever is said.
        odds: Arc<Mutex<Option<Odds>>>,
        panics: Arc<AtomicBool>,
        /// What everybody says, in pieces of 1.6 s; how far each is.
        tape: Vec<OpusPacket>,
        said: BTreeMap<SpeakerId, usize>,
    }

    const PIECE: usize = 80;

    /// So long nobody is idle in a test whose thread a busy machine holds up.
    const NEVER_IDLE_MS: u64 = 600_000;

    impl Rig {
        fn new(workers: usize, backlog_s_max: u64) -> Self {
            Self::tuned(workers, backlog_s_max, Tuning { idle_ms: NEVER_IDLE_MS, drafts: false })
        }

        /// With one worker, and what is still being said is read.
        fn drafting() -> Self {
            Self::tuned(1, 60, Tuning { idle_ms: NEVER_IDLE_MS, drafts: true })
        }

        fn tuned(workers: usize, backlog_s_max: u64, tuning: Tuning) -> Self {
            let (tell, events) = channel();
            let (begin, begun) = channel();
            let (answers, answer) = channel();
            let answer = Arc::new(Mutex::new(answer));
            let panics = Arc::new(AtomicBool::new(false));
            let fragile = Arc::clone(&panics);
            let odds = Arc::new(Mutex::new(None));
            let likely = Arc::clone(&odds);
            let speech = Speech::start_tuned(
                SpeechConfig { workers, backlog_s_max },
                tuning,
                Arc::new(move || {
                    let answers = Arc::clone(&answer);
                    let (begun, odds) = (begin.clone(), Arc::clone(&likely));
                    let gated = Gated { begun, answers, odds, brake: Brake::default() };
                    Ok(Box::new(gated) as Box<dyn Transcriber>)
                }),
                Arc::new(move || Box::new(Fragile(Arc::clone(&fragile), LoudnessVad))),
                Arc::new(move |event| drop(tell.send(event))),
            );
            let speech = speech.unwrap();
            speech.open(alice(), Spoken::Told(Language::Finnish));
            speech.open(bob(), Spoken::Told(Language::Swedish));
            let tape = packets(&[true; PIECE * 12], 65_500);
            Self { speech, events, begun, answers, odds, panics, tape, said: BTreeMap::new() }
        }

        /// Says the next piece, and ends it.
        fn say(&mut self, speaker: SpeakerId) {
            self.begin_to_say(speaker);
            self.speech.cut(speaker);
        }

        fn begin_to_say(&mut self, speaker: SpeakerId) {
            self.say_packets(speaker, PIECE);
        }

        fn say_packets(&mut self, speaker: SpeakerId, count: usize) {
            // Ears that were held up may have more to come, and too much of it is dropped.
            let held = |it: &Inbox| it.queues.get(&speaker).is_some_and(|it| it.packets > 0);
            while held(&self.speech.shared.inbox()) {
                std::thread::yield_now();
            }
            let at = self.said.entry(speaker).or_default();
            for packet in &self.tape[*at..*at + count] {
                self.speech.offer(speaker, packet.clone());
            }
            *at += count;
        }

        /// Says 600 ms of tone and 280 ms of nothing: it has been read, and has not ended.
        fn pause(&mut self, speaker: SpeakerId) {
            self.tape = packets(&[vec![true; 30], vec![false; 30]].concat(), 65_500);
            self.tape[..44].iter().for_each(|it| self.speech.offer(speaker, it.clone()));
            self.wait_begun();
        }

        /// Says nothing more.
        fn end(&mut self, speaker: SpeakerId) {
            self.tape[44..].iter().for_each(|it| self.speech.offer(speaker, it.clone()));
        }

        /// The next event in short: who, what.
        fn next(&self) -> String {
            let event = self.events.recv_timeout(Duration::from_secs(20)).expect("an event");
            short(&event)
        }

        fn expect(&self, events: &[&str]) {
            for event in events {
                assert_eq!(self.next(), *event);
            }
        }

        fn wait_begun(&self) {
            self.begun.recv_timeout(Duration::from_secs(20)).expect("a worker that begins");
        }

        /// Until the ears have sent on what they have just told.
        fn wait_ears(&self) {
            drop(self.speech.shared.desk());
        }

        fn answer(&self, text: &'static str) {
            self.answers.send(text).unwrap();
        }

        /// Stops, and returns what was told until then. Workers take nothing new.
        fn stop(self) -> Vec<String> {
            self.speech.shared.desk().stopping = true;
            drop(self.answers);
            self.speech.stop();
            self.events.try_iter().map(|it| short(&it)).collect()
        }
    }

    fn short(event: &SpeechEvent) -> String {
        let who = |it: &SpeakerId| if *it == alice() { "alice" } else { "bob" };
        match event {
            SpeechEvent::Uttered { speaker, span, .. } => {
                assert!(span.ms() > 500 && span.ms() < 13_000, "{span:?}");
                format!("{} spoke", who(speaker))
            }
            SpeechEvent::Partial { speaker, language, text, .. } => {
                format!("{} {}~ {text}", who(speaker), language.code())
            }
            SpeechEvent::Segment { speaker, language, text, .. } => {
                format!("{} {}: {text}", who(speaker), language.code())
            }
            SpeechEvent::Unheard { speaker, reason, .. } => {
                format!("{} {reason:?}", who(speaker))
            }
        }
    }

    #[test]
    fn packets_become_words() {
        let mut rig = Rig::new(1, 60);
        rig.say(alice());
        rig.answer("hei vaan");
        rig.expect(&["alice spoke", "alice fi: hei vaan"]);
        rig.say(bob());
        rig.answer("hejsan");
        rig.expect(&["bob spoke", "bob sv: hejsan"]);
        rig.speech.open(bob(), Spoken::Told(Language::English));
        rig.say(bob());
        rig.answer("hello");
        rig.expect(&["bob spoke", "bob en: hello"]);
        rig.say(bob());
        rig.answer("[BLANK_AUDIO]");
        rig.expect(&["bob spoke"]);
        (0..4).for_each(|_| rig.wait_begun());
        let counters = rig.speech.counters();
        assert_eq!((counters.utterances, counters.segments, counters.packets_dropped), (4, 3, 0));
        assert_eq!(rig.stop(), Vec::<String>::new());
    }

    #[test]
    fn who_stops_sending_has_stopped_speaking() {
        let mut rig = Rig::tuned(1, 60, Tuning { drafts: false, ..Tuning::default() });
        rig.begin_to_say(alice());
        rig.answer("hei");
        rig.expect(&["alice spoke", "alice fi: hei"]);
    }

    #[test]
    fn words_of_one_come_in_order_while_others_go_on() {
        let mut rig = Rig::new(3, 60);
        rig.say(alice());
        rig.wait_begun();
        rig.say(alice());
        rig.expect(&["alice spoke", "alice spoke"]);
        rig.say(bob());
        rig.wait_begun();
        rig.expect(&["bob spoke"]);
        assert!(rig.begun.try_recv().is_err(), "alice is worked on twice at once");
        for answer in ["one", "two", "three"] {
            rig.answer(answer);
        }
        let mut words: Vec<String> = (0..3).map(|_| rig.next()).collect();
        words.retain(|it| it.starts_with("alice"));
        assert_eq!(words.len(), 2);
        assert_eq!(rig.speech.backlog_ms(), 0);
    }

    #[test]
    fn too_much_is_dropped_from_the_oldest_and_told() {
        let mut rig = Rig::new(1, 12);
        rig.say(alice());
        rig.expect(&["alice spoke"]);
        rig.wait_begun();
        for _ in 0..7 {
            rig.say(bob());
            rig.expect(&["bob spoke"]);
        }
        assert!((9_000..=12_000).contains(&rig.speech.backlog_ms()));
        rig.say(alice());
        rig.expect(&["alice spoke", "bob Backlog"]);
        assert!(rig.speech.backlog_ms() <= 12_000);
        assert_eq!(rig.speech.counters().unheard_backlog, 1);
        let told = rig.stop();
        assert_eq!(told.iter().filter(|it| it.ends_with("Backlog")).count(), 7, "{told:?}");
    }

    #[test]
    fn what_is_withdrawn_is_never_told() {
        let mut rig = Rig::new(1, 60);
        rig.say(alice());
        rig.expect(&["alice spoke"]);
        rig.wait_begun();
        rig.say(alice());
        rig.expect(&["alice spoke"]);
        rig.begin_to_say(alice());
        rig.speech.close(alice(), true);
        assert_eq!(rig.speech.backlog_ms(), 0);
        // Opened again before the worker comes back with what was withdrawn.
        rig.speech.open(alice(), Spoken::Told(Language::English));
        rig.answer("a secret");
        rig.say(bob());
        rig.answer("hej");
        rig.expect(&["bob spoke", "bob sv: hej"]);
        rig.say(alice());
        rig.answer("no secret");
        rig.expect(&["alice spoke", "alice en: no secret"]);
        assert_eq!(rig.stop(), Vec::<String>::new());
    }

    #[test]
    fn what_is_being_said_is_told_until_it_has_been_said() {
        let mut rig = Rig::drafting();
        rig.say_packets(alice(), 45);
        rig.answer("hei");
        rig.expect(&["alice fi~ hei"]);
        rig.speech.cut(alice());
        rig.answer("hei vaan");
        rig.expect(&["alice spoke", "alice fi: hei vaan"]);
        rig.say_packets(alice(), 45);
        rig.answer("no niin");
        rig.expect(&["alice fi~ no niin"]);
        rig.speech.cut(alice());
        rig.answer("[BLANK_AUDIO]");
        rig.expect(&["alice spoke", "alice fi~ "]);
        rig.say_packets(alice(), 45);
        rig.answer("no niin");
        rig.expect(&["alice fi~ no niin"]);
        rig.speech.cut(alice());
        rig.answer("fail");
        rig.expect(&["alice spoke", "alice Failed"]);
        assert_eq!(rig.speech.counters().partials, 4);
    }

    #[test]
    fn what_ended_as_it_was_read_is_not_read_again() {
        let mut rig = Rig::drafting();
        rig.pause(alice());
        rig.answer("hei vaan");
        rig.expect(&["alice fi~ hei vaan"]);
        rig.end(alice());
        rig.expect(&["alice spoke", "alice fi: hei vaan"]);
        // The end comes while it is being read.
        rig.pause(bob());
        rig.end(bob());
        rig.expect(&["bob spoke"]);
        rig.answer("hej");
        rig.expect(&["bob sv: hej"]);
        let counters = rig.speech.counters();
        assert_eq!((counters.drafts, counters.drafts_used, counters.transcribed_ms), (2, 2, 0));
        assert_eq!(rig.stop(), Vec::<String>::new());
    }

    #[test]
    fn a_draft_is_stopped_for_what_has_been_said_whole() {
        // By somebody else.
        let mut rig = Rig::drafting();
        rig.say_packets(alice(), 45);
        rig.wait_begun();
        rig.say_packets(bob(), 45);
        rig.speech.cut(bob());
        rig.expect(&["bob spoke"]);
        rig.wait_ears();
        for answer in ["hei", "hej"] {
            rig.answer(answer);
        }
        rig.expect(&["bob sv: hej"]);
        // Or by the same person, who has said more since.
        rig.wait_begun();
        rig.say_packets(alice(), 42);
        rig.wait_begun();
        rig.speech.cut(alice());
        rig.expect(&["alice spoke"]);
        rig.wait_ears();
        for answer in ["hei", "hei vaan"] {
            rig.answer(answer);
        }
        rig.expect(&["alice fi: hei vaan"]);
        assert_eq!(rig.speech.counters().drafts_stopped, 2);
        // What may be whole is read to its end.
        let mut rig = Rig::drafting();
        rig.pause(alice());
        rig.say_packets(bob(), 45);
        rig.speech.cut(bob());
        rig.expect(&["bob spoke"]);
        rig.wait_ears();
        for answer in ["no niin", "ja"] {
            rig.answer(answer);
        }
        rig.expect(&["alice fi~ no niin", "bob sv: ja"]);
        assert_eq!(rig.speech.counters().drafts_stopped, 0);
    }

    #[test]
    fn a_draft_that_fails_costs_nothing() {
        for failure in ["fail", "panic", "and so and so and so and so"] {
            let mut rig = Rig::drafting();
            rig.pause(alice());
            rig.end(alice());
            rig.expect(&["alice spoke"]);
            rig.answer(failure);
            rig.answer("so it is");
            rig.expect(&["alice fi: so it is"]);
        }
    }

    #[test]
    fn a_draft_that_fails_late_leaves_the_order_of_speaking() {
        let mut rig = Rig::drafting();
        rig.tape = packets(&[vec![true; 30], vec![false; 30], vec![true; 80]].concat(), 65_500);
        rig.say_packets(alice(), 44);
        rig.wait_begun();
        // It ends just as it is being read, and something else is said and ended before that fails.
        rig.say_packets(alice(), 16);
        rig.say_packets(alice(), 80);
        rig.speech.cut(alice());
        rig.expect(&["alice spoke", "alice spoke"]);
        for answer in ["fail", "first", "second"] {
            rig.answer(answer);
        }
        for text in ["first", "second"] {
            let event = rig.events.recv_timeout(Duration::from_secs(20)).expect("words");
            let SpeechEvent::Segment { span, text: told, .. } = event else {
                panic!("{event:?}");
            };
            assert_eq!(told, text);
            assert_eq!(text == "first", span.start.as_ms() < 11_000, "{span:?}");
        }
        let desk = rig.speech.shared.desk();
        let line = &desk.lines[&alice()];
        assert_eq!((line.pending, line.concluded, line.ended), (0, 2, 2));
        assert!(line.awaits_draft.is_none() && line.drafting.is_none() && !line.partial_told);
    }

    #[test]
    fn who_changes_language_in_the_middle_is_not_read_in_the_one_before() {
        // While a draft is being read.
        let mut rig = Rig::drafting();
        rig.pause(alice());
        rig.speech.open(alice(), Spoken::Told(Language::English));
        rig.answer("hei loo");
        rig.end(alice());
        rig.answer("hello");
        rig.expect(&["alice spoke", "alice en: hello"]);
        // After it has been.
        let mut rig = Rig::drafting();
        rig.pause(alice());
        rig.answer("hei loo");
        rig.expect(&["alice fi~ hei loo"]);
        rig.speech.open(alice(), Spoken::Told(Language::English));
        rig.end(alice());
        rig.answer("hello");
        rig.expect(&["alice spoke", "alice en: hello"]);
    }

    #[test]
    fn who_is_heard_by_ear_is_read_in_the_language_they_speak() {
        let mut rig = Rig::new(1, 60);
        let sounds = |rig: &Rig, odds| *rig.odds.lock().unwrap() = Some(odds);
        rig.speech.open(alice(), Spoken::ByEar(Language::Finnish));
        // The first is sure, so that it is read again at once; the second only speaks for English.
        sounds(&rig, [0.05, 0.95, 0.0]);
        rig.say(alice());
        ["hei san", "hejsan"].iter().for_each(|it| rig.answer(it));
        rig.expect(&["alice spoke", "alice sv: hejsan"]);
        sounds(&rig, [0.1, 0.2, 0.7]);
        rig.say(alice());
        rig.answer("jes");
        rig.expect(&["alice spoke", "alice sv: jes"]);
        rig.say(alice());
        ["jes", "yes"].iter().for_each(|it| rig.answer(it));
        rig.expect(&["alice spoke", "alice en: yes"]);
        // What was found out is kept when she moves or is opened again, and not when she says otherwise.
        rig.speech.open(alice(), Spoken::ByEar(Language::Finnish));
        rig.say(alice());
        rig.answer("still");
        rig.expect(&["alice spoke", "alice en: still"]);
        rig.speech.open(alice(), Spoken::Told(Language::Finnish));
        sounds(&rig, [0.0, 1.0, 0.0]);
        rig.say(alice());
        rig.answer("suomea");
        rig.expect(&["alice spoke", "alice fi: suomea"]);
        assert_eq!(rig.speech.counters().segments, 5);
    }

    #[test]
    fn what_follows_lost_words_is_not_taken_for_theirs() {
        let mut rig = Rig::new(1, 60);
        rig.tape = packets(&[true; PIECE * 24], 65_500);
        for answer in ["we must do this together", "fail", "together or not at all", "all", "all"] {
            rig.answer(answer);
        }
        (0..24).for_each(|_| rig.begin_to_say(alice()));
        rig.speech.cut(alice());
        let mut told = Vec::new();
        while told.len() < 3 {
            told.push(rig.next());
            told.retain(|it| it != "alice spoke");
        }
        assert_eq!(
            told,
            [
                "alice fi: we must do this together",
                "alice Failed",
                "alice fi: together or not at all"
            ]
        );
    }

    #[test]
    fn what_is_withdrawn_while_it_is_being_said_is_never_told() {
        let mut rig = Rig::drafting();
        rig.pause(alice());
        rig.speech.close(alice(), true);
        rig.speech.open(alice(), Spoken::Told(Language::English));
        rig.answer("a secret");
        rig.pause(bob());
        rig.answer("hej");
        rig.expect(&["bob sv~ hej"]);
        assert_eq!(rig.stop(), Vec::<String>::new());
    }

    #[test]
    fn who_closes_is_heard_to_the_end() {
        let mut rig = Rig::new(1, 60);
        rig.begin_to_say(alice());
        rig.speech.close(alice(), false);
        rig.begin_to_say(alice());
        rig.answer("last words");
        rig.expect(&["alice spoke", "alice fi: last words"]);
        assert_eq!(rig.speech.counters().packets_unwanted, PIECE as u64);
        rig.speech.open(alice(), Spoken::Told(Language::Finnish));
        rig.begin_to_say(alice());
        rig.speech.close(alice(), false);
        rig.answer("again");
        rig.expect(&["alice spoke", "alice fi: again"]);
        let shared = Arc::clone(&rig.speech.shared);
        rig.stop();
        assert_eq!(shared.desk().lines.len(), 1, "only bob is left");
    }

    #[test]
    fn failures_are_told_and_survived() {
        let mut rig = Rig::new(1, 60);
        for failure in ["fail", "panic"] {
            rig.say(alice());
            rig.answer(failure);
            rig.expect(&["alice spoke", "alice Failed"]);
        }
        rig.say(alice());
        rig.answer("well again");
        rig.expect(&["alice spoke", "alice fi: well again"]);
        rig.panics.store(true, Ordering::SeqCst);
        rig.say(bob());
        rig.expect(&["bob Failed"]);
        rig.panics.store(false, Ordering::SeqCst);
        rig.say(alice());
        rig.answer("and still");
        rig.expect(&["alice spoke", "alice fi: and still"]);
        // Bob rests for two seconds of his 1.6 second pieces, then is heard.
        rig.said.insert(bob(), 3 * PIECE);
        rig.say(bob());
        rig.answer("jag också");
        rig.expect(&["bob spoke", "bob sv: jag också"]);
        assert_eq!(rig.speech.counters().unheard_failed, 3);
    }

    #[test]
    fn nobody_waits_for_slow_ears() {
        let mut inbox = Inbox::default();
        let offer = |inbox: &mut Inbox, n: u16| {
            let payload = bytes::Bytes::new();
            let arrived = SessionTime::ZERO;
            let packet = OpusPacket { sequence: n, timestamp: 0, arrived, payload };
            inbox.offer(alice(), packet)
        };
        assert!(matches!(offer(&mut inbox, 0), Offered::NotOpen));
        inbox.open(alice(), 1);
        for n in 0..WAITING_PACKETS_MAX {
            for _ in 0..3 {
                inbox.cut(alice());
                inbox.close(alice(), false);
                inbox.open(alice(), 1);
            }
            assert!(matches!(offer(&mut inbox, n as u16), Offered::Taken));
        }
        assert!(matches!(offer(&mut inbox, 0), Offered::Full));
        assert!(inbox.queues[&alice()].sounds.len() <= 2 * WAITING_PACKETS_MAX + 1);
        let (_, sounds) = inbox.take(None).unwrap();
        assert!(matches!(sounds[0], Sound::Open { generation: 1 }));
        assert!(matches!(offer(&mut inbox, 0), Offered::Taken));
    }

    #[test]
    fn who_closes_and_opens_again_before_the_ears_notice_is_heard() {
        let shared = Arc::new(Shared::new(60, Arc::new(|_| ())));
        let vads: VadFactory = Arc::new(|| Box::new(LoudnessVad));
        let mut ears = Ears::new(Arc::clone(&shared), vads, IDLE_MS, false);
        let open = || {
            let mut inbox = shared.inbox();
            let generation = shared.desk().open(alice(), Spoken::Told(Language::Finnish));
            inbox.open(alice(), generation);
        };
        let take = || shared.inbox().take(None).unwrap().1;
        open();
        shared.inbox().close(alice(), false);
        let first = take();
        open();
        shared.inbox().close(alice(), false);
        for sound in first {
            ears.hear(alice(), sound);
        }
        assert_eq!(
            (ears.tracks.len(), shared.desk().lines.len()),
            (1, 1),
            "what waits has no line"
        );
        for sound in take() {
            ears.hear(alice(), sound);
        }
        assert_eq!((ears.tracks.len(), shared.desk().lines.len()), (0, 0));
    }

    #[test]
    fn who_waits_for_late_ears_has_not_fallen_silent() {
        let shared = Arc::new(Shared::new(60, Arc::new(|_| ())));
        let vads: VadFactory = Arc::new(|| Box::new(LoudnessVad));
        let mut ears = Ears::new(Arc::clone(&shared), vads, IDLE_MS, false);
        let generation = shared.desk().open(alice(), Spoken::Told(Language::Finnish));
        shared.inbox().open(alice(), generation);
        let packets = packets(&[true; PIECE], 0);
        let (first, rest) = packets.split_at(PIECE / 2);
        let offer = |packets: &[OpusPacket]| {
            for it in packets {
                assert!(matches!(shared.inbox().offer(alice(), it.clone()), Offered::Taken));
            }
        };
        let hear = |ears: &mut Ears| {
            let (_, sounds) = shared.inbox().take(None).unwrap();
            sounds.into_iter().for_each(|it| ears.hear(alice(), it));
            let heard = &mut ears.tracks.get_mut(&alice()).unwrap().heard.as_mut().unwrap().0;
            *heard -= Duration::from_millis(IDLE_MS);
        };
        let spoken = |ears: &Ears| ears.shared.desk().schedule.waiting_ms();
        offer(first);
        hear(&mut ears);
        offer(rest);
        ears.look();
        assert_eq!(spoken(&ears), 0, "cut although more waits");
        hear(&mut ears);
        ears.look();
        assert!(spoken(&ears) > 1_500, "one utterance: {}", spoken(&ears));
    }

    #[test]
    fn everybody_gets_a_turn_at_the_ears() {
        let mut inbox = Inbox::default();
        for speaker in [alice(), bob()] {
            inbox.open(speaker, 1);
        }
        let first = inbox.take(None).unwrap().0;
        inbox.cut(first);
        assert_eq!(inbox.take(Some(first)).unwrap().0, bob());
        assert_eq!(inbox.take(Some(bob())).unwrap().0, alice());
        assert!(inbox.take(Some(alice())).is_none());
    }

    #[test]
    fn what_waits_when_it_stops_is_told() {
        let mut rig = Rig::new(1, 60);
        rig.say(alice());
        rig.wait_begun();
        rig.say(bob());
        rig.expect(&["alice spoke", "bob spoke"]);
        rig.speech.shared.desk().stopping = true;
        rig.answer("nearly done");
        assert_eq!(rig.stop(), ["alice fi: nearly done", "bob Backlog"]);
    }

    #[test]
    fn it_does_not_start_with_nothing_to_work_with() {
        for (workers, backlog_s_max) in [(0, 60), (1, 11)] {
            let started = Speech::start(
                SpeechConfig { workers, backlog_s_max },
                Arc::new(|| Err(WhisperFailure::Other { ms: 0, why: "never".into() })),
                Arc::new(|| Box::new(LoudnessVad)),
                Arc::new(|_| ()),
            );
            assert!(matches!(started, Err(SpeechError::Config { .. })));
        }
        let started = Speech::start(
            SpeechConfig::default(),
            Arc::new(|| Err(WhisperFailure::Other { ms: 0, why: "no model".into() })),
            Arc::new(|| Box::new(LoudnessVad)),
            Arc::new(|_| ()),
        );
        assert!(started.err().unwrap().to_string().contains("worker 0"));
    }
}
