//! Stories of the whole pipeline with an ear for loudness and a whisper that waits to be told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::*;
use crate::domain::ids::ParticipantId;
use crate::domain::language::Language;
use crate::speech::driver::listener::tests::packets;
use crate::speech::driver::vad::LoudnessVad;
use crate::speech::driver::whisper::{Brake, Effort};
use crate::speech::engine::bounds::FRAME_SAMPLES;
use crate::speech::engine::guard::Piece;
use crate::speech::engine::tongue::Odds;

pub(super) fn alice() -> SpeakerId {
    SpeakerId { session: SessionId::new(1, 1), participant: ParticipantId(1) }
}

pub(super) fn bob() -> SpeakerId {
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
            Ok(text) => Ok(vec![Piece { text: text.into(), no_speech: 0.0, logprob_mean: 0.0 }]),
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
        while self.speech.shared.inbox().packets(speaker) > 0 {
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
fn what_was_said_before_a_planned_stop_is_read_or_told_as_unheard() {
    let mut rig = Rig::new(1, 60);
    rig.begin_to_say(alice());
    rig.speech.close_all();
    rig.speech.open(alice(), Spoken::Told(Language::Finnish));
    rig.expect(&["alice spoke"]);
    rig.wait_begun();
    assert!(!rig.speech.is_done(), "her words are waited for");
    rig.answer("hei vaan");
    rig.expect(&["alice fi: hei vaan"]);
    while !rig.speech.is_done() {
        std::thread::yield_now();
    }

    let mut rig = Rig::new(1, 60);
    rig.say(alice());
    rig.expect(&["alice spoke"]);
    rig.wait_begun();
    rig.say(bob());
    rig.expect(&["bob spoke"]);
    rig.speech.close_all();
    rig.wait_ears();
    rig.speech.give_up();
    rig.expect(&["alice Backlog", "bob Backlog"]);
    rig.answer("too late");
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
    // Unless more is said after all.
    let mut rig = Rig::drafting();
    rig.tape = packets(&[vec![true; 30], vec![false; 14], vec![true; 30]].concat(), 65_500);
    rig.say_packets(alice(), 44);
    rig.wait_begun();
    rig.say_packets(bob(), 44);
    rig.speech.cut(bob());
    rig.expect(&["bob spoke"]);
    rig.say_packets(alice(), 15);
    while rig.speech.shared.desk().workers.read(alice()) {
        std::thread::yield_now();
    }
    for answer in ["no niin", "ja"] {
        rig.answer(answer);
    }
    rig.expect(&["bob sv: ja"]);
    assert_eq!(rig.speech.counters().drafts_stopped, 1);
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
        ["alice fi: we must do this together", "alice Failed", "alice fi: together or not at all"]
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
