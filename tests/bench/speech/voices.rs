//! What finds voices, without whisper: microphones whose spans are known, made of phrases of the recordings at
//! several distances in rooms of several loudnesses, with and without drop-outs, through Opus into the ear of one
//! person. Told is how much of what was found was there.

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng, rngs::StdRng};
use vuoro::domain::time::{SessionTime, Span};
use vuoro::domain::timeline::Timeline;
use vuoro::speech::driver::listener::Ear;
use vuoro::speech::driver::vad::Earshot;

use crate::audio::{Clip, RATE, decibels, packets};
use crate::figures::{Figures, percentile};

/// How far from the microphone people sit, in dB below somebody near.
pub const LEVELS_DB: [f64; 5] = [0.0, -6.0, -12.0, -18.0, -24.0];

/// How loud their rooms are; `None`: not at all.
const ROOMS_DBFS: [Option<f64>; 6] =
    [None, Some(-65.0), Some(-60.0), Some(-55.0), Some(-50.0), Some(-45.0)];

/// What the loudest hundredths of somebody near are at.
const LOUD_DBFS: f64 = -18.0;

/// So much below its loudest hundredths a recording still counts as voice: below it are breath and room.
const VOICE_DB: f64 = 18.0;

/// A person who is less above their room than this is left out of the verdict: what is voice is a matter of taste.
const ABOVE_ROOM_DB: f64 = 15.0;

const STEP: usize = RATE / 100;
pub const LENGTH_S: usize = 120;
const LENGTH: usize = LENGTH_S * RATE;
/// A silence in a recording from which on two phrases are two.
const GAP: usize = RATE / 4;
/// Between two phrases of one span, too short to end a voice.
const BREATH: usize = RATE * 12 / 100;
const PHRASE_MIN: usize = RATE * 3 / 10;
/// What is voice for fewer steps in a row is a click, with which no phrase begins or ends.
const VOICED_STEPS_MIN: usize = 3;

/// One person's microphone during [`LENGTH_S`].
pub struct Microphone {
    pcm: Vec<f32>,
    /// When they spoke.
    pub truth: Vec<Span>,
}

/// How somebody was heard.
struct Heard {
    true_ms: u64,
    found_ms: u64,
    /// Pieces of voice where none was.
    invented: usize,
    /// Short answers, and those of which less than a third was found.
    short: usize,
    short_missed: usize,
}

pub fn run(clips: &[Clip], quick: bool, figures: &mut Figures) {
    let phrases: Vec<Vec<f32>> = clips.iter().flat_map(phrases).collect();
    let mut all = Vec::new();
    let seeds = if quick { 2 } else { 4 };
    for room_dbfs in ROOMS_DBFS {
        for level_db in LEVELS_DB {
            let above_db = room_dbfs.map_or(f64::INFINITY, |it| LOUD_DBFS + level_db - it);
            for seed in 0..seeds {
                let made = microphone(&phrases, Some(level_db), room_dbfs, seed);
                all.push((above_db, heard(&made)));
            }
        }
        let told = all.iter().rev().take(LEVELS_DB.len() * seeds as usize);
        let worst = told.map(|it| error_percent(&it.1).abs()).fold(0.0, f64::max);
        println!(
            "  room {}: talk time at most {worst:.1} % off",
            room_dbfs.unwrap_or(f64::NEG_INFINITY)
        );
    }
    let silent_ms = |room_dbfs: Option<f64>| {
        let of = |seed| heard(&microphone(&phrases, None, room_dbfs, seed)).found_ms;
        (0..seeds).map(of).max().unwrap_or(0)
    };
    let silent = ROOMS_DBFS.map(silent_ms);
    let clear: Vec<&Heard> =
        all.iter().filter(|it| ABOVE_ROOM_DB <= it.0).map(|it| &it.1).collect();
    let errors: Vec<f64> = clear.iter().map(|it| error_percent(it).abs()).collect();
    let part = |count: usize, of: usize| 100.0 * count as f64 / of.max(1) as f64;
    let sum = |of: fn(&Heard) -> usize| clear.iter().map(|it| of(it)).sum::<usize>();
    figures.add("voices_people", all.len() as f64, "microphones");
    figures.add("voices_clear", clear.len() as f64, "microphones");
    figures.add("voices_talk_error_p50", percentile(&errors, 0.5), "%");
    figures.add("voices_talk_error_most", percentile(&errors, 1.0), "%");
    let within = errors.iter().filter(|it| **it <= 5.0).count();
    figures.add("voices_talk_within_5_percent", part(within, errors.len()), "%");
    let everybody: f64 = all.iter().map(|it| error_percent(&it.1).abs()).sum();
    figures.add("voices_talk_error_of_everybody_mean", everybody / all.len() as f64, "%");
    figures.add("voices_invented", sum(|it| it.invented) as f64, "pieces");
    figures.add("voices_short", sum(|it| it.short) as f64, "answers");
    figures.add("voices_short_missed", sum(|it| it.short_missed) as f64, "answers");
    figures.add("voices_silent_most", *silent.iter().max().unwrap_or(&0) as f64 / 1e3, "s");
}

fn error_percent(it: &Heard) -> f64 {
    100.0 * (it.found_ms as f64 - it.true_ms as f64) / it.true_ms.max(1) as f64
}

/// When a voice was heard.
pub fn found(made: &Microphone) -> Timeline {
    let mut ear = Ear::new(Box::new(Earshot::new())).expect("an ear");
    let mut out = Vec::new();
    packets(&made.pcm).into_iter().for_each(|it| ear.hear(it, &mut out));
    ear.cut(&mut out);
    // The packets arrive, and so are spoken, when their 20 ms are over.
    let on_tape = |it: &Span| Span::new(it.start - 20, it.end - 20);
    out.iter().flat_map(|it| &it.voice).map(on_tape).collect()
}

fn heard(made: &Microphone) -> Heard {
    let found = found(made);
    let truth: Timeline = made.truth.iter().copied().collect();
    let short: Vec<&Span> = made.truth.iter().filter(|it| it.ms() < 900).collect();
    Heard {
        true_ms: truth.total_ms(),
        found_ms: found.total_ms(),
        invented: found.spans().iter().filter(|it| truth.covered_ms(**it) == 0).count(),
        short_missed: short.iter().filter(|it| found.covered_ms(***it) * 3 < it.ms()).count(),
        short: short.len(),
    }
}

/// Somebody who answers and talks for two minutes. `level_db`: `None` says nothing. Every other seed has
/// drop-outs.
fn microphone(
    phrases: &[Vec<f32>],
    level_db: Option<f64>,
    room_dbfs: Option<f64>,
    seed: u64,
) -> Microphone {
    let mut chance = StdRng::seed_from_u64(seed);
    let (mut spans_s, mut at) = (Vec::new(), 1.0);
    loop {
        let is_short = chance.random_bool(0.3);
        let end = at + chance.random_range(if is_short { 0.4..0.8 } else { 2.5..11.0 });
        if LENGTH_S as f64 <= end + 1.0 {
            break;
        }
        spans_s.push((at, end));
        at = end + chance.random_range(0.8..6.0);
    }
    let made = Microphone::new(phrases, &spans_s, level_db, room_dbfs, &mut chance);
    if seed % 2 == 1 { made.with_drop_outs(&mut chance) } else { made }
}

impl Microphone {
    /// `spans_s`: when the person may speak; what is true ends with the last phrase there was room for.
    /// `level_db`: how much softer than somebody near, `None` says nothing; `room_dbfs`: `None` is silent.
    pub fn new(
        phrases: &[Vec<f32>],
        spans_s: &[(f64, f64)],
        level_db: Option<f64>,
        room_dbfs: Option<f64>,
        chance: &mut StdRng,
    ) -> Self {
        let mut made = Microphone { pcm: vec![0.0; LENGTH], truth: Vec::new() };
        if let Some(level_db) = level_db {
            spans_s.iter().for_each(|it| made.speak(phrases, *it, decibels(level_db), chance));
        }
        if let Some(room_dbfs) = room_dbfs {
            made.hiss(decibels(room_dbfs), chance);
        }
        made
    }

    /// Through a browser the same room is some 3 dB louder for a while, now and then.
    fn hiss(&mut self, level: f32, chance: &mut StdRng) {
        // Evenly spread numbers have a third of the power of their square.
        let most = level * 3f32.sqrt();
        let mut rest = &mut self.pcm[..];
        while !rest.is_empty() {
            let length = chance.random_range(5 * RATE..20 * RATE).min(rest.len());
            let (stretch, later) = rest.split_at_mut(length);
            let most = if chance.random_bool(0.5) { most } else { most * decibels(3.0) };
            stretch.iter_mut().for_each(|it| *it += most * chance.random_range(-1.0..1.0f32));
            rest = later;
        }
    }

    /// A page whose machine has too much to do gives nothing for a while, now and then.
    pub fn with_drop_outs(mut self, chance: &mut StdRng) -> Self {
        for _ in 0..12 {
            let from = chance.random_range(0..LENGTH - RATE);
            let length = STEP * chance.random_range(1..=12);
            self.pcm[from..from + length].fill(0.0);
        }
        self
    }

    fn speak(
        &mut self,
        phrases: &[Vec<f32>],
        (from_s, to_s): (f64, f64),
        gain: f32,
        chance: &mut StdRng,
    ) {
        let [start, end] = [from_s, to_s].map(|it| (it * RATE as f64) as usize);
        let (mut at, mut voiced) = (start, start);
        while PHRASE_MIN <= end - at {
            let piece = cut(phrases.choose(chance).expect("phrases"), end - at);
            for (sample, it) in self.pcm[at..].iter_mut().zip(&piece) {
                *sample = it * gain;
            }
            voiced = at + piece.len();
            at = (voiced + BREATH).min(end);
        }
        let ms = |it: usize| SessionTime((it * 1_000 / RATE) as u64);
        self.truth.push(Span::new(ms(start), ms(voiced)));
    }
}

/// The pieces of a recording between silences, at one loudness, from their first to their last voice.
pub fn phrases(clip: &Clip) -> Vec<Vec<f32>> {
    let levels = levels(&clip.pcm);
    let loud = loudest(&levels);
    let gain = decibels(LOUD_DBFS - loud);
    let voiced = voiced(&levels).into_iter().enumerate().filter_map(|(at, it)| it.then_some(at));
    let mut pieces: Vec<(usize, usize)> = Vec::new();
    for step in voiced {
        match pieces.last_mut().filter(|it| (step - it.1) * STEP < GAP) {
            Some(last) => last.1 = step,
            None => pieces.push((step, step)),
        }
    }
    let cut_out = |(first, last): (usize, usize)| clip.pcm[first * STEP..(last + 1) * STEP].iter();
    let pieces = pieces.into_iter().map(|it| cut_out(it).map(|it| it * gain).collect::<Vec<_>>());
    pieces.filter(|it| PHRASE_MIN <= it.len()).collect()
}

/// At most `most` samples of a phrase, ending in voice, softened where it is cut.
fn cut(phrase: &[f32], most: usize) -> Vec<f32> {
    let mut length = phrase.len().min(most);
    let voiced = voiced(&levels(phrase));
    while length < phrase.len() && STEP < length && !voiced[length / STEP - 1] {
        length -= STEP;
    }
    let fade = RATE / 125;
    let soften = |n: usize| (n.min(length - 1 - n) as f32 / fade as f32).min(1.0);
    phrase[..length].iter().enumerate().map(|(n, it)| it * soften(n)).collect()
}

/// Whether each hundredth of a second is voice.
fn voiced(levels: &[f64]) -> Vec<bool> {
    let least = loudest(levels) - VOICE_DB;
    let mut voiced = Vec::with_capacity(levels.len());
    for run in levels.chunk_by(|a, b| (least <= *a) == (least <= *b)) {
        let is_voice = least <= run[0] && VOICED_STEPS_MIN <= run.len();
        voiced.extend(run.iter().map(|_| is_voice));
    }
    voiced
}

/// Of each hundredth of a second, in dBFS.
fn levels(pcm: &[f32]) -> Vec<f64> {
    let level = |it: &[f32]| {
        let power = it.iter().map(|it| f64::from(it * it)).sum::<f64>() / it.len() as f64;
        10.0 * power.max(1e-12).log10()
    };
    pcm.chunks_exact(STEP).map(level).collect()
}

fn loudest(levels: &[f64]) -> f64 {
    percentile(levels, 0.95)
}
