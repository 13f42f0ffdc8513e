//! How many rooms this machine can follow with each speech model at hand: measured with real speech on
//! all the threads the server would use, told in plain words. It recommends, and changes nothing.

#![expect(clippy::disallowed_methods, reason = "it measures how long whisper takes")]

use std::{
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    app::models::{Model, Presence, all},
    domain::{
        language::Language,
        time::{SessionTime, Span},
    },
    speech::{
        driver::whisper::{WhisperFailure, WhisperModel, words},
        engine::{segmenter::Utterance, tongue::Tongue},
    },
};

/// J. F. Kennedy's inaugural address (public domain), 16 kHz mono, 16 bits.
const SPEECH: &[u8] = include_bytes!("../../tests/fixtures/jfk.wav");

/// The part that is transcribed again and again, in samples: 5.4 to 10.9 s, fifteen words without a
/// pause, which is as fast as people talk.
const PART: std::ops::Range<usize> = 86_400..174_400;

/// How busy the threads may be, of 1: above it, utterances that end together wait for one another.
///
/// Measured by the live rooms of `scripts/bench speech` on one core of an Intel Xeon: 28 of tiny, 11 of base and 3 of
/// small are followed, at 0.042, 0.090 and 0.21 s for a second of talk. As people pause, that is 1.2, 1.0 and 0.6 by
/// this measure: it is careful, but with small, whose every utterance takes a second, no more than right.
const BUSY_MAX: f64 = 0.7;

/// What one model can do here.
#[derive(Clone, Debug, PartialEq)]
pub struct Capacity {
    pub model: Model,
    /// Seconds of speech that all threads together transcribe in a second.
    pub rate: f64,
    /// The model is not here: estimated from the rate of one that is.
    pub estimated: bool,
}

impl Capacity {
    /// Rooms in which somebody talks all the time and whose final words should come within two seconds.
    pub fn rooms(&self) -> usize {
        (self.rate * BUSY_MAX) as usize
    }
}

/// Measures every model in the folder that is made for a processor, `for_each` so long and with so many
/// threads, and estimates the others. Blocks for some seconds more than that.
pub fn measure(
    folder: &Path,
    threads: usize,
    for_each: Duration,
) -> Result<Vec<Capacity>, WhisperFailure> {
    let mut measured = Vec::new();
    for model in all() {
        if model.presence(folder) == Presence::Here {
            let rate = rate(&WhisperModel::load(&model.path(folder))?, threads, for_each)?;
            measured.push(Capacity { model, rate, estimated: false });
        }
    }
    Ok(estimated(measured, all()))
}

/// Seconds of speech transcribed in a second, by so many threads at once.
fn rate(model: &WhisperModel, threads: usize, for_each: Duration) -> Result<f64, WhisperFailure> {
    let utterance = utterance();
    let work = || -> Result<(usize, Duration), WhisperFailure> {
        let mut transcriber = model.transcriber()?;
        let mut once = || words(&mut transcriber, &utterance, &Tongue::told(Language::English), "");
        once()?; // the first time memory is fetched
        let (begun, mut times) = (Instant::now(), 0);
        while times == 0 || begun.elapsed() < for_each {
            once()?;
            times += 1;
        }
        Ok((times, begun.elapsed()))
    };
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        let mut rate = 0.0;
        for thread in running {
            let panicked = || WhisperFailure::Other { ms: 0, why: "a thread panicked".into() };
            let (times, took) = thread.join().map_err(|_| panicked())??;
            rate += times as f64 * utterance.span.ms() as f64 / 1_000.0 / took.as_secs_f64();
        }
        Ok(rate)
    })
}

fn utterance() -> Utterance {
    let samples = SPEECH[SPEECH.len().min(44)..].chunks_exact(2);
    let pcm: Vec<f32> = samples
        .map(|it| f32::from(i16::from_le_bytes([it[0], it[1]])) / 32_768.0)
        .skip(PART.start)
        .take(PART.len())
        .collect();
    let ms = pcm.len() as u64 / 16;
    let span = Span::new(SessionTime::ZERO, SessionTime(ms));
    Utterance { span, voice: vec![span], pcm, voice_ms: ms, overlap_ms: 0 }
}

/// Adds what is not here, by the work it takes beside the heaviest model that has been measured.
fn estimated(mut measured: Vec<Capacity>, all: Vec<Model>) -> Vec<Capacity> {
    let by_work = |it: &Capacity| it.model.work.map(|work| work * it.rate);
    let known = measured.iter().filter_map(by_work).next_back();
    for model in all {
        let here = measured.iter().any(|it| it.model.name == model.name);
        if let (false, Some(known), Some(work)) = (here, known, model.work) {
            measured.push(Capacity { model, rate: known / work, estimated: true });
        }
    }
    measured.sort_by_key(|it| it.model.bytes);
    measured
}

/// The best model for Finnish that is here and follows so many rooms; of equals the fastest. When none
/// does, the fastest of those that are any good for Finnish, else the fastest.
pub fn recommended(measured: &[Capacity], rooms: usize) -> Option<&Capacity> {
    let here = || measured.iter().filter(|it| !it.estimated);
    let fastest = |a: &&Capacity, b: &&Capacity| a.rate.total_cmp(&b.rate);
    let follows = here().filter(|it| it.rooms() >= rooms && 0 < it.model.finnish);
    follows
        .max_by(|a, b| a.model.finnish.cmp(&b.model.finnish).then_with(|| fastest(a, b)))
        .or_else(|| here().filter(|it| 0 < it.model.finnish).max_by(fastest))
        .or_else(|| here().max_by(fastest))
}

/// What was measured and what follows from it, for an administrator.
pub fn report(measured: &[Capacity], threads: usize, rooms: usize) -> String {
    let mut text = format!(
        "Speech has {threads} {} here. In a room somebody talks all the time; final words should \
         come within two seconds.\n\n{:<16}{:>22}{:>8}\n",
        if threads == 1 { "thread" } else { "threads" },
        "model",
        "a minute of talk takes",
        "rooms",
    );
    for it in measured {
        let seconds = 60.0 / it.rate;
        let note = if it.estimated { "  estimated; not here" } else { "" };
        text += &format!("{:<16}{seconds:>20.1} s{:>8}{note}\n", it.model.name, it.rooms());
    }
    text += &advice(measured, rooms);
    text
}

fn advice(measured: &[Capacity], rooms: usize) -> String {
    let Some(best) = recommended(measured, rooms) else {
        return "\nThere is no model here: vuoro model fetch base\n".to_owned();
    };
    let name = &best.model.name;
    let mut text = match best.rooms() {
        0 => format!(
            "\nThis machine cannot follow even one room live. {name} comes nearest; words will be late.\n"
        ),
        can => format!("\nRecommended for Finnish: {name}, {can} rooms at once.\n"),
    };
    if best.rooms() < rooms {
        text += &format!(
            "That is fewer than the {rooms} asked for: words will come late when all talk.\n"
        );
    }
    let better = |it: &&Capacity| {
        it.estimated && it.rooms() >= rooms && best.model.finnish < it.model.finnish
    };
    if let Some(better) = measured.iter().find(better) {
        let name = &better.model.name;
        text += &format!("{name} would be better and could keep up: vuoro model fetch {name}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::models::find;

    fn capacity(name: &str, rate: f64) -> Capacity {
        Capacity { model: find(name).unwrap(), rate, estimated: false }
    }

    #[test]
    fn the_best_that_keeps_up_is_recommended() {
        let three = |tiny, base, small| {
            [capacity("tiny", tiny), capacity("base", base), capacity("small", small)]
        };
        let name = |measured: &[Capacity], rooms| {
            recommended(measured, rooms).map(|it| it.model.name.clone()).unwrap_or_default()
        };
        assert_eq!(name(&three(40.0, 20.0, 9.0), 6), "small");
        assert_eq!(name(&three(40.0, 20.0, 5.0), 6), "base");
        assert_eq!(name(&three(8.0, 2.0, 0.5), 6), "base", "tiny is not usable for Finnish");
        assert_eq!(name(&three(40.0, 20.0, 9.0)[..1], 6), "tiny", "when there is nothing else");
        assert_eq!(name(&[], 6), "");
    }

    #[test]
    fn what_is_not_here_is_estimated_and_never_recommended() {
        let measured = estimated(vec![capacity("tiny", 60.0), capacity("base", 30.0)], all());
        let small = measured.iter().find(|it| it.model.name == "small").unwrap();
        assert!(small.estimated && small.rate < 12.0 && 6.0 < small.rate, "{small:?}");
        assert!(measured.iter().all(|it| it.model.name != "large-v3-turbo"), "not for a processor");
        assert_eq!(recommended(&measured, 6).unwrap().model.name, "base");
        let said = report(&measured, 2, 6);
        assert!(said.contains("Recommended for Finnish: base, 21 rooms"), "{said}");
        assert!(said.contains("vuoro model fetch small"), "{said}");
    }

    #[test]
    fn an_administrator_is_told_when_it_is_too_much() {
        let said = report(&[capacity("base", 1.0)], 1, 4);
        assert!(said.contains("cannot follow even one room"), "{said}");
        assert!(said.contains("fewer than the 4"), "{said}");
        assert!(report(&[], 1, 4).contains("vuoro model fetch base"));
    }

    #[test]
    fn the_speech_is_five_seconds_and_loud_enough() {
        let utterance = utterance();
        assert_eq!(utterance.span.ms(), 5_500);
        let power = utterance.pcm.iter().map(|it| it * it).sum::<f32>();
        assert!(power / utterance.pcm.len() as f32 > 1e-3);
    }
}
