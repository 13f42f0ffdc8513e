//! Rooms that talk, live: Opus packets in real time through the whole pipeline on one core, and when the
//! final words come after the end of the voice. Whoever sends the packets has the other core.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use vuoro::domain::ids::{ParticipantId, SessionId};
use vuoro::domain::language::Language;
use vuoro::domain::time::SessionTime;
use vuoro::speech::driver::pipeline::{OpusPacket, SpeakerId, Speech, SpeechConfig, SpeechEvent};
use vuoro::speech::driver::vad::Earshot;
use vuoro::speech::driver::whisper::WhisperModel;

use crate::audio::{Clip, packets};
use crate::figures::{Figures, percentile};
use crate::peer::stay_on;

/// A caption later than this is late, in ms.
const LATE_MS: f64 = 2_000.0;

/// A packet is on its way when its 20 ms are over, and its first sample was spoken then.
const PACKET_MS: f64 = 20.0;

/// So long whatever is still worked on at the end is waited for.
const PATIENCE: Duration = Duration::from_secs(6);

#[derive(Default)]
struct Heard {
    finals_ms: Vec<f64>,
    utterances: usize,
    unheard: usize,
}

/// Tries each number of rooms in turn until finals are late; tells of each, and the most that was kept.
pub fn run(
    name: &str,
    model: &str,
    clips: &[Clip],
    language: Language,
    steps: &[usize],
    seconds: u64,
    figures: &mut Figures,
) {
    let model = WhisperModel::load(model.as_ref()).expect("the model");
    let mut kept = 0;
    for &rooms in steps {
        let (heard, busy) = live(&model, clips, language, rooms, seconds);
        let p95 = percentile(&heard.finals_ms, 0.95);
        println!(
            "  {name}, {rooms} rooms: {} finals, p50 {:.0} ms, p95 {p95:.0}, most {:.0}; {} without \
             words, {} unheard; whisper is busy {:.0} %",
            heard.finals_ms.len(),
            percentile(&heard.finals_ms, 0.5),
            percentile(&heard.finals_ms, 1.0),
            heard.utterances.saturating_sub(heard.finals_ms.len() + heard.unheard),
            heard.unheard,
            100.0 * busy,
        );
        figures.add(
            &format!("{name}_{rooms}_rooms_final_p50"),
            percentile(&heard.finals_ms, 0.5),
            "ms",
        );
        figures.add(&format!("{name}_{rooms}_rooms_final_p95"), p95, "ms");
        figures.add(&format!("{name}_{rooms}_rooms_unheard"), heard.unheard as f64, "utterances");
        figures.add(&format!("{name}_{rooms}_rooms_busy"), busy, "part");
        if LATE_MS <= p95 || 0 < heard.unheard {
            break;
        }
        kept = rooms;
    }
    figures.add(&format!("{name}_rooms_per_core"), kept as f64, "rooms");
}

fn live(
    model: &WhisperModel,
    clips: &[Clip],
    language: Language,
    rooms: usize,
    seconds: u64,
) -> (Heard, f64) {
    let tracks: Vec<Vec<OpusPacket>> =
        (0..rooms).map(|it| packets(&talk(clips, seconds, it).pcm)).collect();
    let heard = Arc::new(Mutex::new(Heard::default()));
    let begun = Instant::now();
    let told = Arc::clone(&heard);
    let model = model.clone();
    stay_on(0);
    let speech = Speech::start(
        SpeechConfig { workers: 1, ..SpeechConfig::default() },
        Arc::new(move || model.transcriber().map(|it| Box::new(it) as _)),
        Arc::new(|| Box::new(Earshot::new())),
        Arc::new(move |event| hear(&told, event, begun)),
    );
    let speech = speech.expect("speech");
    stay_on(1);
    for room in 0..rooms {
        speech.open(speaker(room), language);
    }
    let before = speech.counters();
    for tick in 0.. {
        let due = Duration::from_millis(tick * 20 + 20);
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
        let mut any = false;
        for (room, track) in tracks.iter().enumerate() {
            // Rooms begin one after another within three seconds, so that they do not end together.
            let late = (room as u64 * 151 / rooms as u64).min(tick + 1);
            let Some(packet) = track.get((tick - late.min(tick)) as usize) else { continue };
            if late <= tick {
                let arrived = SessionTime(begun.elapsed().as_millis() as u64);
                speech.offer(speaker(room), OpusPacket { arrived, ..packet.clone() });
            }
            any = true;
        }
        if !any {
            break;
        }
    }
    let spoken = begun.elapsed();
    let busy = speech.counters().transcribing_ms - before.transcribing_ms;
    let ended = Instant::now();
    let waits = || {
        let heard = heard.lock().expect("what was heard");
        heard.finals_ms.len() + heard.unheard < heard.utterances
    };
    while waits() && ended.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(50));
    }
    // What still waits is reported as unheard.
    speech.stop();
    let heard = std::mem::take(&mut *heard.lock().expect("what was heard"));
    (heard, busy as f64 / spoken.as_millis() as f64)
}

fn hear(heard: &Mutex<Heard>, event: SpeechEvent, begun: Instant) {
    let now_ms = begun.elapsed().as_secs_f64() * 1_000.0;
    let mut heard = heard.lock().expect("what was heard");
    match event {
        SpeechEvent::Uttered { .. } => heard.utterances += 1,
        SpeechEvent::Segment { span, .. } => {
            heard.finals_ms.push(now_ms - span.end.as_ms() as f64 + PACKET_MS);
        }
        // Drafts are the first to go; what counts here is what is kept.
        SpeechEvent::Partial { .. } => (),
        SpeechEvent::Unheard { .. } => heard.unheard += 1,
    }
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
