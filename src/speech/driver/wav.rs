//! Transcribes a WAV file by the same path as a live track. Never keeps the whole file in memory, and
//! never writes one.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavReader, WavSpec};
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler};

use crate::domain::language::Language;
use crate::domain::time::Span;
use crate::speech::driver::listener::Listener;
use crate::speech::driver::vad::Earshot;
use crate::speech::driver::whisper::{Transcriber, WhisperFailure, WhisperModel, words};
use crate::speech::engine::bounds::{RATE_HZ, SAMPLES_PER_MS};
use crate::speech::engine::segmenter::Utterance;
use crate::speech::engine::stitch::rest;
use crate::speech::engine::tongue::Tongue;

/// Why a file could not be transcribed.
#[derive(Debug, thiserror::Error)]
pub enum WavError {
    #[error("reading {path}: {source}")]
    Read { path: PathBuf, source: hound::Error },
    #[error(
        "reading {path}: {channels} channels of {bits} bits at {rate_hz} Hz; \
         {CHANNELS_MAX} channels, 32 bits and {RATE_HZ_MIN} to {RATE_HZ_MAX} Hz are the limits"
    )]
    Unsupported { path: PathBuf, channels: u16, bits: u16, rate_hz: u32 },
    #[error("resampling {path} from {rate_hz} Hz: {why}")]
    Resample { path: PathBuf, rate_hz: u32, why: String },
    #[error(transparent)]
    Whisper(#[from] WhisperFailure),
}

const CHANNELS_MAX: u16 = 8;
const RATE_HZ_MIN: u32 = 8_000;
const RATE_HZ_MAX: u32 = 192_000;

/// Frames of the file read at a time.
const CHUNK_FRAMES: usize = 1_024;

/// Audio gathered before the language is guessed, in ms; whisper looks at no more than 30 s.
const DETECT_MS: usize = 15_000;

/// Words of a file; times are from its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSegment {
    pub span: Span,
    pub language: Language,
    pub text: String,
}

/// Transcribes a WAV file: integer or float samples, any usual rate, one channel or more (mixed).
/// `language`: `None` lets whisper choose one of ours for the whole file from its first 15 s of voice.
/// `on_progress`: milliseconds done and in all; `on_segment`: words, in order. Returns the language.
pub fn transcribe_file(
    path: &Path,
    model: &WhisperModel,
    language: Option<Language>,
    on_progress: impl FnMut(u64, u64),
    on_segment: impl FnMut(FileSegment),
) -> Result<Language, WavError> {
    transcribe_with(path, &mut model.transcriber()?, language, on_progress, on_segment)
}

/// As [`transcribe_file`], with a transcriber of one's own.
pub fn transcribe_with(
    path: &Path,
    transcriber: &mut dyn Transcriber,
    language: Option<Language>,
    mut on_progress: impl FnMut(u64, u64),
    mut on_segment: impl FnMut(FileSegment),
) -> Result<Language, WavError> {
    let mut wav = Wav::open(path)?;
    let total_ms = wav.duration_ms();
    let mut listener = Listener::new(Box::new(Earshot::new()));
    let mut scribe = Scribe { transcriber, language, waiting: Vec::new(), said: String::new() };
    let mut pcm = Vec::new();
    let mut found = Vec::new();
    on_progress(0, total_ms);
    while wav.read(&mut pcm)? {
        listener.hear(&pcm, &mut found);
        pcm.clear();
        if !found.is_empty() {
            scribe.write(&mut found, false, &mut on_segment)?;
            on_progress(listener.end().as_ms().min(total_ms), total_ms);
        }
    }
    listener.hear(&pcm, &mut found);
    listener.cut(&mut found);
    scribe.write(&mut found, true, &mut on_segment)?;
    on_progress(total_ms, total_ms);
    Ok(scribe.language.unwrap_or_default())
}

/// Writes utterances down, once the language is known.
struct Scribe<'a> {
    transcriber: &'a mut dyn Transcriber,
    language: Option<Language>,
    /// What waits for the language.
    waiting: Vec<Utterance>,
    /// What was heard last, to take out of the next words what is heard twice.
    said: String,
}

impl Scribe<'_> {
    fn write(
        &mut self,
        found: &mut Vec<Utterance>,
        last: bool,
        on_segment: &mut impl FnMut(FileSegment),
    ) -> Result<(), WavError> {
        self.waiting.append(found);
        let language = match self.language {
            Some(language) => language,
            None => {
                let pcm: Vec<f32> = self.waiting.iter().flat_map(|it| &it.pcm).copied().collect();
                if pcm.is_empty() || (pcm.len() < DETECT_MS * SAMPLES_PER_MS && !last) {
                    return Ok(());
                }
                *self.language.insert(self.transcriber.detect(&pcm)?)
            }
        };
        for utterance in self.waiting.drain(..) {
            let heard = words(self.transcriber, &utterance, &Tongue::told(language), "")?.text;
            let again = 0 < utterance.overlap_ms;
            let text = if again { rest(&self.said, &heard).to_owned() } else { heard.clone() };
            self.said = heard;
            if !text.is_empty() {
                on_segment(FileSegment { span: utterance.span, language, text });
            }
        }
        Ok(())
    }
}

/// A WAV file read piece by piece as 16 kHz mono.
struct Wav {
    path: PathBuf,
    reader: WavReader<BufReader<File>>,
    spec: WavSpec,
    /// `None` when the file is 16 kHz already.
    resampler: Option<Fft<f32>>,
    /// Samples the resampler still owes to its own delay.
    skip: usize,
    /// Frames read, and samples given.
    frames: u64,
    given: u64,
    ended: bool,
}

impl Wav {
    fn open(path: &Path) -> Result<Self, WavError> {
        let read = |source| WavError::Read { path: path.into(), source };
        let reader = WavReader::open(path).map_err(read)?;
        let spec = reader.spec();
        let float = spec.sample_format == SampleFormat::Float;
        let bits_right =
            if float { spec.bits_per_sample == 32 } else { spec.bits_per_sample <= 32 };
        let rate_right = (RATE_HZ_MIN..=RATE_HZ_MAX).contains(&spec.sample_rate);
        if !bits_right || !rate_right || !(1..=CHANNELS_MAX).contains(&spec.channels) {
            return Err(WavError::Unsupported {
                path: path.into(),
                channels: spec.channels,
                bits: spec.bits_per_sample,
                rate_hz: spec.sample_rate,
            });
        }
        let resampler = if spec.sample_rate == RATE_HZ {
            None
        } else {
            let (from, to) = (spec.sample_rate as usize, RATE_HZ as usize);
            let made = Fft::new(from, to, CHUNK_FRAMES, 1, FixedSync::Input);
            Some(made.map_err(|it| resample_error(path, spec.sample_rate, it))?)
        };
        let skip = resampler.as_ref().map_or(0, Fft::output_delay);
        let path = path.into();
        Ok(Self { path, reader, spec, resampler, skip, frames: 0, given: 0, ended: false })
    }

    fn duration_ms(&self) -> u64 {
        u64::from(self.reader.duration()) * 1_000 / u64::from(self.spec.sample_rate)
    }

    /// Appends the next piece; `false` when there was nothing left to append.
    fn read(&mut self, out: &mut Vec<f32>) -> Result<bool, WavError> {
        if self.ended {
            return Ok(false);
        }
        let chunk = self.resampler.as_ref().map_or(CHUNK_FRAMES, Fft::input_frames_next);
        let mono = self.read_mono(chunk)?;
        self.frames += mono.len() as u64;
        self.ended = mono.len() < chunk;
        let Some(resampler) = &mut self.resampler else {
            out.extend_from_slice(&mono);
            return Ok(true);
        };
        let rate_hz = self.spec.sample_rate;
        let due = (self.frames * u64::from(RATE_HZ)).div_ceil(u64::from(rate_hz));
        let mut input = mono;
        let mut partial = input.len();
        input.resize(chunk, 0.0);
        loop {
            let adapter = InterleavedSlice::new(&input, 1, chunk)
                .map_err(|it| resample_error(&self.path, rate_hz, it))?;
            let indexing = Indexing::new().partial_len(partial);
            let pcm = resampler
                .process(&adapter, Some(&indexing))
                .map_err(|it| resample_error(&self.path, rate_hz, it))?
                .take_data();
            let skipped = self.skip.min(pcm.len());
            self.skip -= skipped;
            let left = due.saturating_sub(self.given) as usize;
            let take = (pcm.len() - skipped).min(left);
            out.extend_from_slice(&pcm[skipped..skipped + take]);
            self.given += take as u64;
            if !self.ended || self.given >= due {
                return Ok(true);
            }
            // The end of the file is still inside the resampler: push it out with silence.
            partial = 0;
        }
    }

    fn read_mono(&mut self, frames: usize) -> Result<Vec<f32>, WavError> {
        let channels = usize::from(self.spec.channels);
        let count = frames * channels;
        let samples: Result<Vec<f32>, hound::Error> = match self.spec.sample_format {
            SampleFormat::Float => self.reader.samples::<f32>().take(count).collect(),
            SampleFormat::Int => {
                let scale = 1.0 / (1u64 << (self.spec.bits_per_sample.max(1) - 1)) as f32;
                let samples = self.reader.samples::<i32>().take(count);
                samples.map(|it| it.map(|it| it as f32 * scale)).collect()
            }
        };
        let samples =
            samples.map_err(|source| WavError::Read { path: self.path.clone(), source })?;
        let mix = |frame: &[f32]| {
            let sum: f32 = frame.iter().map(|it| if it.is_finite() { *it } else { 0.0 }).sum();
            (sum / channels as f32).clamp(-1.0, 1.0)
        };
        Ok(samples.chunks_exact(channels).map(mix).collect())
    }
}

fn resample_error(path: &Path, rate_hz: u32, why: impl std::fmt::Display) -> WavError {
    WavError::Resample { path: path.into(), rate_hz, why: why.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech::driver::whisper::ScriptedTranscriber;

    const JFK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/jfk.wav");

    fn read_all(path: &Path) -> Result<Vec<f32>, WavError> {
        let mut wav = Wav::open(path)?;
        let mut pcm = Vec::new();
        while wav.read(&mut pcm)? {}
        Ok(pcm)
    }

    /// Writes a second and a bit of a 200 Hz tone of amplitude 0.5 and reads it as 16 kHz mono.
    fn check(channels: u16, rate_hz: u32, bits: u16, format: SampleFormat) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tone.wav");
        let spec = WavSpec {
            channels,
            sample_rate: rate_hz,
            bits_per_sample: bits,
            sample_format: format,
        };
        let mut writer = hound::WavWriter::create(&path, spec).unwrap();
        let frames = rate_hz + 77;
        let tone = |at: f32| (at * 200.0 * std::f32::consts::TAU).sin() * 0.5;
        for n in 0..frames {
            let sample = tone(n as f32 / rate_hz as f32);
            for _ in 0..channels {
                match format {
                    SampleFormat::Float => writer.write_sample(sample).unwrap(),
                    SampleFormat::Int => {
                        let scale = ((1i64 << (bits - 1)) - 1) as f32;
                        writer.write_sample((sample * scale) as i32).unwrap();
                    }
                }
            }
        }
        writer.finalize().unwrap();
        let pcm = read_all(&path).unwrap();
        let expect = (u64::from(frames) * 16_000).div_ceil(u64::from(rate_hz)) as usize;
        assert_eq!(pcm.len(), expect, "{spec:?}");
        for (n, sample) in pcm.iter().enumerate().skip(800).take(14_000) {
            let off = (sample - tone(n as f32 / 16_000.0)).abs();
            // One sample of 200 Hz: the resampler's delay is no whole number of samples.
            assert!(off < 0.04, "{off} at {n} of {spec:?}");
        }
    }

    #[test]
    fn every_usual_form_is_read_as_the_same_sound() {
        check(1, 16_000, 16, SampleFormat::Int);
        check(2, 16_000, 32, SampleFormat::Float);
        check(2, 48_000, 16, SampleFormat::Int);
        check(1, 44_100, 24, SampleFormat::Int);
        check(1, 8_000, 8, SampleFormat::Int);
        check(2, 96_000, 32, SampleFormat::Int);
        check(1, 11_025, 32, SampleFormat::Float);
    }

    #[test]
    fn what_is_no_wav_is_refused_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("talk.wav");
        let why = |path: &Path| read_all(path).unwrap_err().to_string();
        assert!(why(&path).contains("talk.wav"), "{}", why(&path));
        std::fs::write(&path, "RIFFnothing").unwrap();
        assert!(why(&path).starts_with("reading "), "{}", why(&path));
        let whole = std::fs::read(JFK).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert!(why(&path).starts_with("reading "), "{}", why(&path));
    }

    #[test]
    fn a_file_goes_the_whole_way() {
        let mut transcriber =
            ScriptedTranscriber::new([Ok("one"), Ok("[BLANK_AUDIO]"), Ok("three")]);
        let mut progress = Vec::new();
        let mut segments = Vec::new();
        let language = transcribe_with(
            Path::new(JFK),
            &mut transcriber,
            None,
            |done, total| progress.push((done, total)),
            |it| segments.push(it),
        );
        assert_eq!(language.unwrap(), Language::Swedish);
        let texts: Vec<&str> = segments.iter().map(|it| it.text.as_str()).collect();
        assert_eq!(texts, ["one", "three"]);
        assert!(segments.iter().all(|it| it.language == Language::Swedish));
        assert_eq!(progress.first(), Some(&(0, 11_000)));
        assert_eq!(progress.last(), Some(&(11_000, 11_000)));
        assert!(progress.is_sorted());
    }
}
