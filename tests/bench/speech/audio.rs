//! What the bench listens to: recordings with their words, talks made of them, noises, Opus packets.
//! All 16 kHz mono; every choice is by a seed.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use rand::{Rng, SeedableRng, rngs::StdRng};
use vuoro::domain::time::SessionTime;
use vuoro::speech::driver::pipeline::OpusPacket;

pub const RATE: usize = 16_000;

/// A recording and what is said in it.
#[derive(Clone, Default)]
pub struct Clip {
    pub name: String,
    pub pcm: Vec<f32>,
    pub words: String,
}

impl Clip {
    pub fn seconds(&self) -> f64 {
        self.pcm.len() as f64 / RATE as f64
    }
}

/// Reads a 16 kHz mono WAV.
pub fn read(path: &Path) -> Vec<f32> {
    let mut wav =
        hound::WavReader::open(path).unwrap_or_else(|it| panic!("{}: {it}", path.display()));
    let spec = wav.spec();
    assert_eq!((spec.sample_rate, spec.channels), (16_000, 1), "{}", path.display());
    match spec.sample_format {
        hound::SampleFormat::Float => wav.samples::<f32>().map(|it| it.expect("samples")).collect(),
        hound::SampleFormat::Int => {
            wav.samples::<i16>().map(|it| f32::from(it.expect("16 bits")) / 32_768.0).collect()
        }
    }
}

/// Writes one, for what reads files.
pub fn write(path: &Path, pcm: &[f32]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE as u32,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, spec).expect("a file");
    for it in pcm {
        wav.write_sample((it.clamp(-1.0, 1.0) * 32_767.0) as i16).expect("a sample");
    }
    wav.finalize().expect("the file");
}

/// Debian's pocketsphinx-testdata (LibriVox and playing cards) and jfk.wav: eleven clips, 56 s.
pub fn english(pocketsphinx: &Path) -> Vec<Clip> {
    let jfk = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/jfk.wav");
    let mut clips = vec![Clip {
        name: "jfk".into(),
        pcm: read(&jfk),
        words:
            "and so my fellow americans ask not what your country can do for you ask what you can \
                do for your country"
                .into(),
    }];
    for (folder, transcription) in [("librivox", "transcription"), ("cards", "cards.transcription")]
    {
        let folder = pocketsphinx.join(folder);
        let text = std::fs::read_to_string(folder.join(transcription)).expect("transcripts");
        for line in text.lines() {
            let (words, name) = line.rsplit_once('(').expect("words (name)");
            let name = name.trim().trim_end_matches(')');
            clips.push(Clip {
                name: name.rsplit('_').next().unwrap_or(name).into(),
                pcm: read(&folder.join(format!("{name}.wav"))),
                words: words.replace("<s>", " ").replace("</s>", " ").trim().into(),
            });
        }
    }
    clips
}

/// Recordings of single keys, typed one after another, four to nine a second; 44.1 kHz comes down to 16.
pub fn typed(folder: &Path, seconds: f64, seed: u64) -> Clip {
    let mut chance = StdRng::seed_from_u64(seed);
    let entries = std::fs::read_dir(folder).expect("recordings of keys");
    let mut paths: Vec<_> = entries.map(|it| it.expect("a recording").path()).collect();
    paths.sort();
    let keys: Vec<Vec<f32>> = paths.iter().map(|it| slower(it)).collect();
    let mut typed = Clip { name: "a real keyboard".into(), ..Clip::default() };
    typed.pcm.resize((seconds * RATE as f64) as usize, 0.0);
    let mut at = 0;
    while at < typed.pcm.len() {
        let key = &keys[chance.random_range(0..keys.len())];
        typed.pcm[at..].iter_mut().zip(key).for_each(|(sound, key)| *sound += key);
        at += chance.random_range(1_700..4_500);
    }
    typed
}

/// Reads a WAV of 16 kHz or more: each sample is the mean of those it stands for.
fn slower(path: &Path) -> Vec<f32> {
    let mut wav = hound::WavReader::open(path).expect("a recording");
    let step = f64::from(wav.spec().sample_rate) / RATE as f64;
    let pcm: Vec<f32> =
        wav.samples::<i16>().map(|it| f32::from(it.expect("16 bits")) / 32_768.0).collect();
    let count = (pcm.len() as f64 / step) as usize;
    let at = |n: usize| ((n as f64 * step) as usize).min(pcm.len());
    (0..count)
        .map(|n| {
            let part = &pcm[at(n)..at(n + 1).max(at(n) + 1).min(pcm.len())];
            part.iter().sum::<f32>() / part.len().max(1) as f32
        })
        .collect()
}

/// Words that somebody said one by one, at the rate of telephones: 8 kHz, brought to 16.
pub fn single(folder: &Path) -> Vec<Clip> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|it| it.expect("a recording").path()).collect();
    paths.sort();
    let clip = |path: &PathBuf| {
        let mut wav = hound::WavReader::open(path).expect("a recording");
        assert_eq!(wav.spec().sample_rate, 8_000, "{}", path.display());
        let pcm: Vec<f32> =
            wav.samples::<i16>().map(|it| f32::from(it.expect("16 bits")) / 32_768.0).collect();
        let between = pcm.windows(2).flat_map(|it| [it[0], (it[0] + it[1]) / 2.0]);
        Clip { name: path.display().to_string(), pcm: between.collect(), words: String::new() }
    };
    paths.iter().map(clip).collect()
}

/// Clips named `NN.wav` beside a file of lines, the words of each in order.
pub fn folder(folder: &Path, lines: &Path) -> Vec<Clip> {
    let text = std::fs::read_to_string(lines).expect("lines");
    let lines = text.lines().filter(|it| !it.is_empty() && !it.starts_with('#'));
    let clip = |(n, words): (usize, &str)| {
        let name = format!("{:02}", n + 1);
        Clip { pcm: slower(&folder.join(format!("{name}.wav"))), name, words: words.into() }
    };
    lines.enumerate().map(clip).collect()
}

/// A talk of so many seconds: clips in any order, each 0 to 20 dB quieter, silences of 0.6 to 2.5 s.
pub fn talk(clips: &[Clip], seconds: f64, seed: u64) -> Clip {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut talk = Clip { name: format!("talk {seed}"), ..Clip::default() };
    let mut last = usize::MAX;
    while talk.seconds() < seconds {
        let silence = (chance.random_range(0.6..2.5) * RATE as f64) as usize;
        talk.pcm.resize(talk.pcm.len() + silence, 0.0);
        let mut next = chance.random_range(0..clips.len());
        if next == last {
            next = (next + 1) % clips.len();
        }
        last = next;
        let gain = decibels(-chance.random_range(0.0..20.0));
        talk.pcm.extend(clips[next].pcm.iter().map(|it| it * gain));
        talk.words += " ";
        talk.words += &clips[next].words;
    }
    talk.pcm.resize(talk.pcm.len() + RATE, 0.0);
    talk
}

pub fn decibels(db: f64) -> f32 {
    10f64.powf(db / 20.0) as f32
}

/// As a browser sends it: 20 ms packets at 32 kbit/s with in-band redundancy, and hardly any where nobody
/// speaks (DTX). Arrival is the end of each.
pub fn packets(pcm: &[f32]) -> Vec<OpusPacket> {
    let mut encoder =
        opus::Encoder::new(16_000, opus::Channels::Mono, opus::Application::Voip).expect("opus");
    encoder.set_bitrate(opus::Bitrate::Bits(32_000)).expect("32 kbit/s");
    encoder.set_inband_fec(true).expect("FEC");
    encoder.set_dtx(true).expect("DTX");
    let mut sent = 0u16;
    let encode = |(n, pcm): (usize, &[f32])| {
        let payload = Bytes::from(encoder.encode_vec_float(pcm, 1_000).expect("a packet"));
        // Nothing but a table of contents is not sent (RFC 6716, 2.1.9).
        (2 < payload.len()).then(|| {
            sent += 1;
            let arrived = SessionTime(n as u64 * 20 + 20);
            OpusPacket { sequence: sent - 1, timestamp: n as u32 * 960, arrived, payload }
        })
    };
    pcm.chunks_exact(320).enumerate().filter_map(encode).collect()
}

/// What is heard where nobody speaks, of each kind `seconds` long, near full scale.
pub fn noises(seconds: f64, seed: u64) -> Vec<(&'static str, Vec<f32>)> {
    let count = (seconds * RATE as f64) as usize;
    let make = |name, sound: fn(&mut StdRng, usize) -> Vec<f32>| {
        let mut pcm = sound(&mut StdRng::seed_from_u64(seed), count);
        let peak = pcm.iter().fold(1e-9f32, |peak, it| peak.max(it.abs()));
        pcm.iter_mut().for_each(|it| *it *= 0.9 / peak);
        (name, pcm)
    };
    vec![
        make("hiss", hiss),
        make("fan", fan),
        make("keyboard", keyboard),
        make("breathing", breathing),
        make("music", music),
        make("paper", paper),
        make("hum", hum),
        make("beeps", beeps),
    ]
}

fn white(chance: &mut StdRng) -> f32 {
    chance.random_range(-1.0..1.0)
}

fn hiss(chance: &mut StdRng, count: usize) -> Vec<f32> {
    (0..count).map(|_| white(chance)).collect()
}

/// Low noise of a slowly changing strength.
fn fan(chance: &mut StdRng, count: usize) -> Vec<f32> {
    let (mut low, mut lower) = (0.0, 0.0);
    let of = |n: usize| {
        low += 0.05 * (white(chance) - low);
        lower += 0.02 * (low - lower);
        lower * (1.0 + 0.3 * (n as f32 / 9_000.0).sin())
    };
    (0..count).map(of).collect()
}

/// Clicks of 8 ms, with a dull body, four to nine a second and in bursts.
fn keyboard(chance: &mut StdRng, count: usize) -> Vec<f32> {
    let mut pcm = vec![0.0; count];
    let mut at = 0;
    while at < count {
        let body = chance.random_range(150.0..400.0);
        for n in 0..700usize.min(count - at) {
            let t = n as f32 / RATE as f32;
            let click = white(chance) * (-t * 500.0).exp();
            pcm[at + n] +=
                click + 0.4 * (t * body * std::f32::consts::TAU).sin() * (-t * 90.0).exp();
        }
        let burst = chance.random_bool(0.85);
        at += chance.random_range(if burst { 1_700..4_500 } else { 10_000..40_000 });
    }
    pcm
}

/// Noise through a mouth: in and out, two formants, a breath in four seconds.
fn breathing(chance: &mut StdRng, count: usize) -> Vec<f32> {
    let mut mouths = [Resonance::new(500.0, 0.97), Resonance::new(1_600.0, 0.95)];
    let of = |n: usize| {
        let phase = (n as f32 / RATE as f32 / 4.0).fract();
        let strength = if phase < 0.35 {
            (phase / 0.35 * std::f32::consts::PI).sin()
        } else if (0.45..0.95).contains(&phase) {
            0.7 * ((phase - 0.45) / 0.5 * std::f32::consts::PI).sin()
        } else {
            0.0
        };
        let breath = white(chance) * strength;
        mouths.iter_mut().map(|it| it.next(breath)).sum::<f32>()
    };
    (0..count).map(of).collect()
}

/// Chords of plucked strings, four a second, with a beat.
fn music(chance: &mut StdRng, count: usize) -> Vec<f32> {
    const SCALE: [f32; 7] = [220.0, 246.9, 277.2, 293.7, 329.6, 370.0, 415.3];
    let mut pcm = vec![0.0; count];
    for (beat, at) in (0..count).step_by(RATE / 4).enumerate() {
        let root = chance.random_range(0..SCALE.len());
        for step in [0, 2, 4] {
            let hz = SCALE[(root + step) % SCALE.len()];
            for n in 0..RATE.min(count - at) {
                let t = n as f32 / RATE as f32;
                let tone: f32 = (1..6)
                    .map(|it| (t * hz * it as f32 * std::f32::consts::TAU).sin() / it as f32)
                    .sum();
                pcm[at + n] += tone * (-t * 4.0).exp();
            }
        }
        if beat % 2 == 0 {
            for n in 0..1_200usize.min(count - at) {
                pcm[at + n] += 2.0 * white(chance) * (-(n as f32) / 200.0).exp();
            }
        }
    }
    pcm
}

/// Rustling: short bursts of bright noise.
fn paper(chance: &mut StdRng, count: usize) -> Vec<f32> {
    let (mut strength, mut last) = (0.0f32, 0.0);
    let of = |_| {
        if chance.random_bool(0.001) {
            strength = chance.random_range(0.1..1.0);
        }
        strength *= 0.9995;
        let noise = white(chance);
        let bright = noise - last;
        last = noise;
        bright * strength
    };
    (0..count).map(of).collect()
}

/// The mains and its harmonics.
fn hum(chance: &mut StdRng, count: usize) -> Vec<f32> {
    let of = |n: usize| {
        let t = n as f32 / RATE as f32 * std::f32::consts::TAU;
        (t * 50.0).sin() + 0.5 * (t * 100.0).sin() + 0.3 * (t * 150.0).sin() + 0.05 * white(chance)
    };
    (0..count).map(of).collect()
}

/// What machines say: tones of 150 ms, some of two notes.
fn beeps(chance: &mut StdRng, count: usize) -> Vec<f32> {
    let mut pcm = vec![0.0; count];
    let mut at = 0;
    while at < count {
        let hz = chance.random_range(400.0..2_000.0f32);
        for n in 0..2_400usize.min(count - at) {
            let t = n as f32 / RATE as f32;
            let hz = if n < 1_200 { hz } else { hz * 1.26 };
            pcm[at + n] = (t * hz * std::f32::consts::TAU).sin();
        }
        at += chance.random_range(8_000..48_000);
    }
    pcm
}

/// One formant.
struct Resonance {
    a: f32,
    b: f32,
    last: [f32; 2],
}

impl Resonance {
    fn new(hz: f32, radius: f32) -> Self {
        let angle = hz * std::f32::consts::TAU / RATE as f32;
        Self { a: 2.0 * radius * angle.cos(), b: -radius * radius, last: [0.0; 2] }
    }

    fn next(&mut self, sample: f32) -> f32 {
        let now = sample + self.a * self.last[0] + self.b * self.last[1];
        self.last = [now, self.last[0]];
        now
    }
}

/// A place for files that only programs read, emptied before.
pub fn scratch(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("vuoro-bench-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a folder");
    path
}
