//! Rooms that talk, live: Opus packets in real time through the whole pipeline on one core, and when words
//! come: final ones after the end of the voice, and the first that show what was said. Whoever sends the
//! packets has the other core. Nothing is judged here while the machine does something else: how much of
//! the core was to be had stands beside every figure.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use vuoro::domain::ids::{ParticipantId, SessionId};
use vuoro::domain::language::Language;
use vuoro::domain::spoken::Spoken;
use vuoro::domain::time::{SessionTime, Span};
use vuoro::speech::driver::pipeline::{OpusPacket, SpeakerId, Speech, SpeechConfig, SpeechEvent};
use vuoro::speech::driver::vad::Earshot;
use vuoro::speech::driver::whisper::WhisperModel;

use crate::audio::{Clip, packets};
use crate::figures::{Figures, percentile};
use crate::peer::{stay_on, with_cpu};

/// A caption later than this is late, in ms.
const LATE_MS: f64 = 2_000.0;

/// A packet is on its way when its 20 ms are over, and its first sample was spoken then.
const PACKET_MS: f64 = 20.0;

/// Rooms begin one after another within this time, so that they do not all end together, in ms; what
/// ends before twice that is not counted.
const STAGGER_MS: u64 = 3_000;

/// So long whatever is still worked on at the end is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// A try is given up when so many finals are late, and one in ten of all.
const LATE_MAX: usize = 8;

/// Of the core, what must be to be had for a try to count.
const CORE_PART_MIN: f64 = 0.95;

/// What is to be found out, and of whom.
pub struct Plan<'a> {
    pub name: &'a str,
    pub model: &'a str,
    pub clips: &'a [Clip],
    pub language: Language,
    /// Numbers of rooms to try, from few to many; between the last that is followed and the first that is
    /// not, every number is tried.
    pub steps: Vec<usize>,
    /// At so many rooms it is listened twice as long, as their times are told.
    pub told: usize,
    pub seconds: u64,
}

/// What was heard in one try.
#[derive(Default)]
struct Heard {
    finals_ms: Vec<f64>,
    partials_ms: Vec<f64>,
    /// From when something was said until it was first shown, at every tenth of a second of voice.
    shown_ms: Vec<f64>,
    utterances: usize,
    segments: usize,
    unheard: usize,
    /// How far each person's words have been shown.
    shown_to: BTreeMap<ParticipantId, SessionTime>,
    last: Option<Instant>,
}

struct Try {
    heard: Heard,
    /// Parts of the time: whisper on finals and on drafts.
    finals_busy: f64,
    drafts_busy: f64,
    /// What a second of what was said took of whisper, in s; finals only.
    cost: f64,
    /// Finals that were read twice.
    retried: u64,
    /// Drafts that were read, and those that became the words of their utterance.
    drafts: u64,
    drafts_used: u64,
    /// Of the core, before and after.
    core_part: f64,
}

impl Try {
    fn is_followed(&self) -> bool {
        self.heard.unheard == 0 && percentile(&self.heard.finals_ms, 0.95) <= LATE_MS
    }
}

/// Finds the most rooms that are followed, and tells of each try.
pub fn run(plan: &Plan<'_>, figures: &mut Figures) {
    let model = WhisperModel::load(plan.model.as_ref()).expect("the model");
    let (mut kept, mut failed) = (0, None);
    let mut core_part = 1.0f64;
    let mut attempt = |rooms: usize, figures: &mut Figures| {
        let longer = if rooms == plan.told { 2 } else { 1 };
        let mut tried = live(&model, plan, rooms, plan.seconds * longer);
        // Once more, as one late moment of the machine must not decide.
        if !tried.is_followed() {
            tell(plan, rooms, &tried, "not followed; once more");
            tried = live(&model, plan, rooms, plan.seconds * longer);
        }
        let followed = tried.is_followed();
        tell(plan, rooms, &tried, if followed { "followed" } else { "not followed" });
        core_part = core_part.min(tried.core_part);
        add(plan, rooms, &tried, figures);
        followed
    };
    for &rooms in &plan.steps {
        if attempt(rooms, figures) {
            kept = rooms;
        } else {
            failed = Some(rooms);
            break;
        }
    }
    while let Some(many) = failed.filter(|many| kept + 1 < *many) {
        let rooms = (kept + many) / 2;
        if attempt(rooms, figures) {
            kept = rooms;
        } else {
            failed = Some(rooms);
        }
    }
    if failed.is_none() {
        println!("  {}: the most that was tried is followed", plan.name);
    }
    if core_part < CORE_PART_MIN {
        println!("  {}: the core was shared with others; this is no verdict", plan.name);
    }
    figures.add(&format!("{}_rooms_per_core", plan.name), kept as f64, "rooms");
    figures.add(&format!("{}_rooms_core_part", plan.name), core_part, "part");
}

fn tell(plan: &Plan<'_>, rooms: usize, tried: &Try, verdict: &str) {
    let Heard { finals_ms, partials_ms, shown_ms, utterances, segments, unheard, .. } =
        &tried.heard;
    println!(
        "  {}, {rooms} rooms: {} finals, p50 {:.0} ms, p95 {:.0}, most {:.0}; {} partials, p95 {:.0}; \
         first shown p50 {:.0}, p95 {:.0}; {} without words, {unheard} unheard; whisper is busy {:.0} % \
         with finals and {:.0} % with drafts; {:.3} s for a second of finals, {} read twice; {} drafts, {} \
         of them final; {:.0} % of the core to be had: {verdict}",
        plan.name,
        finals_ms.len(),
        percentile(finals_ms, 0.5),
        percentile(finals_ms, 0.95),
        percentile(finals_ms, 1.0),
        partials_ms.len(),
        percentile(partials_ms, 0.95),
        percentile(shown_ms, 0.5),
        percentile(shown_ms, 0.95),
        utterances.saturating_sub(segments + unheard),
        100.0 * tried.finals_busy,
        100.0 * tried.drafts_busy,
        tried.cost,
        tried.retried,
        tried.drafts,
        tried.drafts_used,
        100.0 * tried.core_part,
    );
}

fn add(plan: &Plan<'_>, rooms: usize, tried: &Try, figures: &mut Figures) {
    let Heard { finals_ms, partials_ms, shown_ms, unheard, .. } = &tried.heard;
    let mut figure = |name: &str, value, unit| {
        figures.add(&format!("{}_{rooms}_rooms_{name}", plan.name), value, unit);
    };
    figure("final_p50", percentile(finals_ms, 0.5), "ms");
    figure("final_p95", percentile(finals_ms, 0.95), "ms");
    figure("partial_p95", percentile(partials_ms, 0.95), "ms");
    figure("shown_p95", percentile(shown_ms, 0.95), "ms");
    figure("unheard", *unheard as f64, "utterances");
    figure("busy_finals", tried.finals_busy, "part");
    figure("busy_drafts", tried.drafts_busy, "part");
}

fn live(model: &WhisperModel, plan: &Plan<'_>, rooms: usize, seconds: u64) -> Try {
    let tracks: Vec<Vec<OpusPacket>> =
        (0..rooms).map(|it| packets(&talk(plan.clips, seconds, it).pcm)).collect();
    stay_on(0);
    let before = core_part();
    let heard = Arc::new(Mutex::new(Heard::default()));
    let clock = Arc::new(Mutex::new(Instant::now()));
    let (told, told_clock) = (Arc::clone(&heard), Arc::clone(&clock));
    let model = model.clone();
    let speech = Speech::start(
        SpeechConfig { workers: 1, ..SpeechConfig::default() },
        Arc::new(move || model.transcriber().map(|it| Box::new(it) as _)),
        Arc::new(|| Box::new(Earshot::new())),
        Arc::new(move |event| {
            let begun = *lock(&told_clock);
            hear(&mut lock(&told), event, begun);
        }),
    );
    let speech = speech.expect("speech");
    stay_on(1);
    let spoken = Spoken::Told(plan.language);
    warm_up(&speech, spoken, &tracks[0], &heard);
    for room in 0..rooms {
        speech.open(speaker(room), spoken);
    }
    // From here on the clock of what is said and of what is heard is the same.
    let begun = Instant::now();
    *lock(&clock) = begun;
    *lock(&heard) = Heard::default();
    let first = speech.counters();
    send(&speech, &tracks, &heard, begun);
    let took_ms = begun.elapsed().as_millis() as f64;
    let last = speech.counters();
    let part = |now: u64, then: u64| (now - then) as f64 / took_ms;
    let finals_busy = part(last.transcribing_ms, first.transcribing_ms);
    let drafts_busy = part(last.drafting_ms, first.drafting_ms);
    let read_ms = (last.transcribed_ms - first.transcribed_ms).max(1);
    let cost = (last.transcribing_ms - first.transcribing_ms) as f64 / read_ms as f64;
    let retried = last.retried - first.retried;
    let drafts = last.drafts - first.drafts;
    let drafts_used = last.drafts_used - first.drafts_used;
    let ended = Instant::now();
    let quiet = || lock(&heard).last.is_none_or(|it| it.elapsed() > Duration::from_millis(900));
    while ended.elapsed() < PATIENCE && (speech.backlog_ms() > 0 || !quiet()) {
        std::thread::sleep(Duration::from_millis(50));
    }
    // What still waits is reported as unheard.
    speech.stop();
    stay_on(0);
    let core_part = core_part().min(before);
    stay_on(1);
    let heard = std::mem::take(&mut *lock(&heard));
    Try { heard, finals_busy, drafts_busy, cost, retried, drafts, drafts_used, core_part }
}

/// Says what the first room will say first, to nobody: a worker's first work fetches its memory.
fn warm_up(speech: &Speech, spoken: Spoken, track: &[OpusPacket], heard: &Mutex<Heard>) {
    let nobody = SpeakerId { session: SessionId::new(0, 2), participant: ParticipantId(1) };
    speech.open(nobody, spoken);
    for packets in track[..track.len().min(250)].chunks(50) {
        packets.iter().for_each(|it| speech.offer(nobody, it.clone()));
        std::thread::sleep(Duration::from_millis(100));
    }
    speech.close(nobody, false);
    let begun = Instant::now();
    while lock(heard).segments == 0 && begun.elapsed() < 2 * PATIENCE {
        std::thread::sleep(Duration::from_millis(20));
    }
    // The rest of it, with its drafts.
    while speech.backlog_ms() > 0 && begun.elapsed() < 2 * PATIENCE {
        std::thread::sleep(Duration::from_millis(20));
    }
    speech.close(nobody, true);
}

/// Sends every track in real time, until all is said or it is clear that it is too much.
fn send(speech: &Speech, tracks: &[Vec<OpusPacket>], heard: &Mutex<Heard>, begun: Instant) {
    let stagger = STAGGER_MS / 20;
    let begins = |room: usize| room as u64 * stagger / tracks.len() as u64;
    for tick in 0.. {
        let due = Duration::from_millis(tick * 20 + 20);
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
        let mut any = false;
        for (room, track) in tracks.iter().enumerate() {
            any |= tick < begins(room) + track.len() as u64;
            let next = tick.checked_sub(begins(room)).and_then(|it| track.get(it as usize));
            if let Some(packet) = next {
                let arrived = SessionTime(begun.elapsed().as_millis() as u64);
                speech.offer(speaker(room), OpusPacket { arrived, ..packet.clone() });
            }
        }
        if !any || (tick % 50 == 0 && is_too_much(&lock(heard))) {
            return;
        }
    }
}

fn is_too_much(heard: &Heard) -> bool {
    let late = heard.finals_ms.iter().filter(|it| LATE_MS < **it).count();
    heard.unheard > 0 || (LATE_MAX <= late && heard.finals_ms.len() <= late * 10)
}

fn hear(heard: &mut Heard, event: SpeechEvent, begun: Instant) {
    let now_ms = begun.elapsed().as_secs_f64() * 1_000.0;
    let since = |at: SessionTime| now_ms - at.as_ms() as f64 + PACKET_MS;
    let counts = |span: Span| 2 * STAGGER_MS <= span.end.as_ms();
    heard.last = Some(Instant::now());
    match event {
        SpeechEvent::Uttered { .. } => heard.utterances += 1,
        SpeechEvent::Segment { speaker, span, .. } => {
            heard.segments += 1;
            if counts(span) {
                heard.finals_ms.push(since(span.end));
            }
            show(heard, speaker.participant, span, since);
        }
        SpeechEvent::Partial { speaker, span, text, .. } if !text.is_empty() => {
            if counts(span) {
                heard.partials_ms.push(since(span.end));
            }
            show(heard, speaker.participant, span, since);
        }
        SpeechEvent::Partial { .. } => (),
        SpeechEvent::Unheard { .. } => heard.unheard += 1,
    }
}

/// What of the span has not been shown before is shown now.
fn show(heard: &mut Heard, who: ParticipantId, span: Span, since: impl Fn(SessionTime) -> f64) {
    let shown_to = heard.shown_to.entry(who).or_default();
    let from = span.start.max(*shown_to).as_ms();
    *shown_to = span.end.max(*shown_to);
    if 2 * STAGGER_MS <= from {
        heard
            .shown_ms
            .extend((from..span.end.as_ms()).step_by(100).map(|it| since(SessionTime(it))));
    }
}

/// How much of the core this thread can have, from 0 to 1: what it gets in a third of a second.
fn core_part() -> f64 {
    let begun = Instant::now();
    let (_, cpu) = with_cpu(|| {
        while begun.elapsed() < Duration::from_millis(300) {
            std::hint::spin_loop();
        }
    });
    cpu.as_secs_f64() / begun.elapsed().as_secs_f64()
}

/// Somebody always talks: clips with 0.5 to 0.9 s between.
fn talk(clips: &[Clip], seconds: u64, room: usize) -> Clip {
    let mut talk = Clip::default();
    let mut next = room * 7 + 3;
    while talk.seconds() < seconds as f64 {
        talk.pcm.extend(&clips[next % clips.len()].pcm);
        talk.pcm.resize(talk.pcm.len() + 8_000 + (next * 911) % 6_400, 0.0);
        next += 5;
    }
    talk.pcm.truncate(seconds as usize * crate::audio::RATE);
    talk
}

fn speaker(room: usize) -> SpeakerId {
    SpeakerId { session: SessionId::new(0, 1), participant: ParticipantId(room as u32 + 1) }
}

fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}
