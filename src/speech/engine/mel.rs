//! A sound as whisper's encoder sees it: how loud each band of pitch is, every ten milliseconds. It makes
//! what whisper.cpp would make itself, in a twentieth of the time, and reads a model's filters from bytes it is given.

use std::f64::consts::TAU;
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use crate::speech::engine::bounds::SAMPLES_PER_MS;

/// Samples of one frame: 25 ms.
const WINDOW: usize = 400;

/// Samples from one frame to the next.
const HOP: usize = FRAME_MS * SAMPLES_PER_MS;

/// From one frame to the next, in ms.
pub const FRAME_MS: usize = 10;

/// Frames that become one unit of the encoder's context.
pub const FRAMES_PER_UNIT: usize = 2;

/// Samples of a frame on each side of its middle. The first frame has its middle at the first sample.
const HALF: usize = WINDOW / 2;

/// Frequencies that a frame is taken apart into.
const BINS: usize = WINDOW / 2 + 1;

/// Bands of the models there are: large-v3 and its kin have the more.
const BANDS: [usize; 2] = [80, 128];

/// Power that counts as none, as whisper was trained: its logarithm is [`LOG_OF_NONE`].
const NONE: f32 = 1e-10;
const LOG_OF_NONE: f32 = -10.0;

/// How far below the loudest anything is still told apart, in powers of ten.
const RANGE: f32 = 8.0;

/// Bytes behind a model's magic within which its filters end.
pub const HEAD_BYTES_MAX: u64 = (4 * (WEIGHTS_AT + BANDS[1] * BINS)) as u64;

/// Where things stand behind the magic, in words of 4 bytes: eleven sizes of the model, the tenth of which
/// is its bands, then bands and bins of the filters, then their weights, band after band.
const MODEL_BANDS_AT: usize = 9;
const BANDS_AT: usize = 11;
const BINS_AT: usize = 12;
const WEIGHTS_AT: usize = 13;

/// Why a model's filters could not be read.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum NoFilters {
    #[error("its filters are cut short after {bytes} bytes")]
    CutShort { bytes: usize },
    #[error(
        "it wants {model} bands of pitch, and its filters have {filters} of {bins} frequencies"
    )]
    Sizes { model: i32, filters: i32, bins: i32 },
    #[error("the filter of band {band} has a weight that is no number")]
    Weight { band: usize },
}

/// A model's filters: which frequencies make a band, and with how much weight.
#[derive(Debug)]
pub struct Filters(Vec<Filter>);

/// One band's weights, from its first frequency on. Each hears few of them.
#[derive(Debug)]
struct Filter {
    first: usize,
    weights: Vec<f32>,
}

impl Filters {
    /// `head`: what follows the magic of a ggml file of whisper; of it no more than [`HEAD_BYTES_MAX`] is read.
    pub fn of_model(head: &[u8]) -> Result<Self, NoFilters> {
        let (words, _) = head.as_chunks::<4>();
        let cut_short = NoFilters::CutShort { bytes: head.len() };
        let Some(sizes) = words.get(..WEIGHTS_AT) else {
            return Err(cut_short);
        };
        let [model, filters, bins] =
            [MODEL_BANDS_AT, BANDS_AT, BINS_AT].map(|it| i32::from_le_bytes(sizes[it]));
        let bands = BANDS.into_iter().find(|it| *it as i32 == filters);
        let Some(bands) = bands.filter(|_| model == filters && bins == BINS as i32) else {
            return Err(NoFilters::Sizes { model, filters, bins });
        };
        let Some(weights) = words.get(WEIGHTS_AT..WEIGHTS_AT + bands * BINS) else {
            return Err(cut_short);
        };
        let filter = |(band, row): (usize, &[[u8; 4]])| {
            let row: Vec<f32> = row.iter().map(|it| f32::from_le_bytes(*it)).collect();
            let are_numbers = row.iter().all(|it| it.is_finite());
            are_numbers.then(|| Filter::new(&row)).ok_or(NoFilters::Weight { band })
        };
        weights.chunks_exact(BINS).enumerate().map(filter).collect::<Result<_, _>>().map(Self)
    }
}

impl Filter {
    fn new(row: &[f32]) -> Self {
        let first = row.iter().position(|it| *it != 0.0).unwrap_or(row.len());
        let end = row.iter().rposition(|it| *it != 0.0).map_or(first, |it| it + 1);
        Self { first, weights: row[first..end].to_vec() }
    }

    fn hear(&self, powers: &[f32; BINS]) -> f32 {
        self.weights.iter().zip(&powers[self.first..]).map(|(weight, power)| weight * power).sum()
    }
}

/// Frames that end within so many samples, but at least one: how whisper counts them.
pub fn frames_of(samples: usize) -> usize {
    1 + samples.saturating_sub(HALF) / HOP
}

/// What a sound looks like to whisper's encoder.
#[derive(Debug)]
pub struct Spectrogram {
    /// Band after band, each with all its frames: the decimal logarithm of its power, no further than
    /// [`RANGE`] below the loudest, brought to whisper's scale.
    pub values: Vec<f32>,
    pub bands: usize,
}

impl Spectrogram {
    pub fn frames(&self) -> usize {
        self.values.len().checked_div(self.bands).unwrap_or_default()
    }
}

/// Draws spectrograms for one model. One per worker, as it keeps what it writes on.
pub struct Spectrograph {
    filters: Arc<Filters>,
    transform: Arc<dyn RealToComplex<f32>>,
    /// How much each sample of a frame counts (Hann's window).
    window: [f32; WINDOW],
    frame: [f32; WINDOW],
    spectrum: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
}

impl Spectrograph {
    pub fn new(filters: Arc<Filters>) -> Self {
        let transform = RealFftPlanner::new().plan_fft_forward(WINDOW);
        Self {
            filters,
            window: std::array::from_fn(|it| {
                (0.5 - 0.5 * (TAU * it as f64 / WINDOW as f64).cos()) as f32
            }),
            frame: [0.0; WINDOW],
            spectrum: transform.make_output_vec(),
            scratch: transform.make_scratch_vec(),
            transform,
        }
    }

    /// The first so many frames of a sound of 16 kHz in [-1, 1] that is mirrored at its beginning and followed
    /// by silence without end.
    pub fn draw(&mut self, pcm: &[f32], frames: usize) -> Spectrogram {
        let bands = self.filters.0.len();
        let mut values = vec![LOG_OF_NONE; bands * frames];
        let mut loudest = LOG_OF_NONE;
        let sounding = ((pcm.len() + HALF) / HOP + 1).min(frames);
        for (at, frame) in with_borders(pcm).windows(WINDOW).step_by(HOP).take(sounding).enumerate()
        {
            let powers = self.powers(frame);
            for (band, filter) in self.filters.0.iter().enumerate() {
                let value = filter.hear(&powers).max(NONE).log2() * std::f32::consts::LOG10_2;
                loudest = loudest.max(value);
                values[band * frames + at] = value;
            }
        }
        let least = loudest - RANGE;
        values.iter_mut().for_each(|it| *it = (it.max(least) + 4.0) / 4.0);
        Spectrogram { values, bands }
    }

    /// The power of each frequency.
    fn powers(&mut self, frame: &[f32]) -> [f32; BINS] {
        for ((into, sample), weight) in self.frame.iter_mut().zip(frame).zip(&self.window) {
            *into = sample * weight;
        }
        self.transform
            .process_with_scratch(&mut self.frame, &mut self.spectrum, &mut self.scratch)
            .expect("all are as long as the plan wants them");
        std::array::from_fn(|it| self.spectrum[it].norm_sqr())
    }
}

/// Half a frame, mirrored, before the sound, and a whole one of silence after it.
fn with_borders(pcm: &[f32]) -> Vec<f32> {
    let mut whole = Vec::with_capacity(HALF + pcm.len() + WINDOW);
    whole.extend((1..=HALF).rev().map(|it| pcm.get(it).copied().unwrap_or(0.0)));
    whole.extend_from_slice(pcm);
    whole.resize(HALF + pcm.len() + WINDOW, 0.0);
    whole
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng, rngs::StdRng};

    use super::*;

    /// Weight of a frequency in a band: two bands share each, as in the models.
    fn weight(bands: usize, band: usize, bin: usize) -> f32 {
        let width = BINS as f32 / (bands + 1) as f32;
        let middle = (band + 1) as f32 * width;
        (1.0 - (bin as f32 - middle).abs() / (1.5 * width)).max(0.0) * 0.02
    }

    /// The head of a model with such filters.
    fn head(model: i32, filters: i32, bins: i32) -> Vec<u8> {
        let mut words = [0; WEIGHTS_AT];
        (words[MODEL_BANDS_AT], words[BANDS_AT], words[BINS_AT]) = (model, filters, bins);
        let mut head: Vec<u8> = words.iter().flat_map(|it| it.to_le_bytes()).collect();
        for band in 0..filters.clamp(0, 200) as usize {
            let row = (0..BINS).map(|bin| weight(filters as usize, band, bin));
            head.extend(row.flat_map(f32::to_le_bytes));
        }
        head
    }

    fn spectrograph(bands: i32) -> Spectrograph {
        let filters = Filters::of_model(&head(bands, bands, BINS as i32)).unwrap();
        Spectrograph::new(Arc::new(filters))
    }

    /// As it is defined, in no hurry.
    fn by_definition(pcm: &[f32], bands: usize, frames: usize) -> Vec<f64> {
        let sample = |at: i64| pcm.get(at.unsigned_abs() as usize).map_or(0.0, |it| f64::from(*it));
        let turn = |it: usize| TAU * (it % WINDOW) as f64 / WINDOW as f64;
        let mut values = vec![0.0; bands * frames];
        for frame in 0..frames {
            let first = (frame * HOP) as i64 - HALF as i64;
            let heard: Vec<f64> = (0..WINDOW)
                .map(|it| sample(first + it as i64) * (1.0 - turn(it).cos()) / 2.0)
                .collect();
            let power = |bin: usize| {
                let (mut re, mut im) = (0.0, 0.0);
                for (at, it) in heard.iter().enumerate() {
                    re += it * turn(at * bin).cos();
                    im -= it * turn(at * bin).sin();
                }
                re * re + im * im
            };
            let powers: Vec<f64> = (0..BINS).map(power).collect();
            for band in 0..bands {
                let weighed = |(bin, it): (usize, &f64)| f64::from(weight(bands, band, bin)) * it;
                let sum: f64 = powers.iter().enumerate().map(weighed).sum();
                values[band * frames + frame] = sum.max(1e-10).log10();
            }
        }
        let least = values.iter().copied().fold(-10.0, f64::max) - 8.0;
        values.iter().map(|it| (it.max(least) + 4.0) / 4.0).collect()
    }

    fn check(what: &str, pcm: &[f32], bands: usize, frames: usize) {
        let drawn = spectrograph(bands as i32).draw(pcm, frames);
        assert_eq!((drawn.bands, drawn.frames()), (bands, frames));
        let expect = by_definition(pcm, bands, frames);
        assert_eq!(drawn.values.len(), expect.len());
        for (at, (got, expect)) in drawn.values.iter().zip(&expect).enumerate() {
            let off = (f64::from(*got) - expect).abs();
            assert!(off < 1e-4, "{what}, frame {}: {got}, not {expect}", at % frames);
        }
    }

    fn noise(samples: usize) -> Vec<f32> {
        let mut chance = StdRng::seed_from_u64(1);
        (0..samples).map(|_| chance.random_range(-0.5..0.5)).collect()
    }

    fn tone(samples: usize) -> Vec<f32> {
        (0..samples).map(|it| (it as f32 * 0.2).sin() * 0.3).collect()
    }

    #[test]
    fn a_spectrogram_is_what_its_definition_says() {
        check("noise", &noise(4_321), 80, 40);
        check("noise in more bands", &noise(1_000), 128, 12);
        check("a tone", &tone(3_200), 80, 25);
        check("a tone after silence", &[vec![0.0; 1_000], tone(700)].concat(), 80, 14);
    }

    #[test]
    fn a_sound_shorter_than_what_is_mirrored_is_drawn_like_any_other() {
        for samples in [0, 1, 2, 159, 160, 199, 200, 201, 400] {
            check(&format!("{samples} samples"), &noise(samples), 80, 6);
        }
        check("one frame", &noise(900), 80, 1);
        assert!(spectrograph(80).draw(&noise(900), 0).values.is_empty());
    }

    #[test]
    fn silence_is_as_far_below_the_sound_as_anything_can_be() {
        let silent = spectrograph(80).draw(&[0.0; 5_000], 50);
        assert!(silent.values.iter().all(|it| *it == -1.5));
        let drawn = spectrograph(80).draw(&noise(1_600), 30);
        let loudest = drawn.values.iter().copied().fold(f32::MIN, f32::max);
        let after = drawn.values.chunks(30).flat_map(|it| &it[13..]);
        let least = (loudest - 2.0).max(-1.5);
        assert!(after.into_iter().all(|it| (it - least).abs() < 1e-6));
    }

    #[test]
    fn a_frame_counts_once_all_of_it_is_in_the_sound() {
        for (samples, frames) in [(0, 1), (359, 1), (360, 2), (17_600, 109), (480_000, 2_999)] {
            assert_eq!(frames_of(samples), frames, "{samples} samples");
        }
    }

    #[test]
    fn filters_that_no_model_has_are_refused() {
        let whole = head(80, 80, 201);
        assert_eq!(whole.len(), 4 * (13 + 80 * 201));
        assert_eq!(head(128, 128, 201).len() as u64, HEAD_BYTES_MAX);
        let filters = Filters::of_model(&[whole.clone(), vec![7; 999]].concat()).unwrap();
        assert_eq!(filters.0.len(), 80);
        for bytes in [0, 3, 4, 47, 51, 52, 56, 60_000, whole.len() - 1] {
            let refused = Filters::of_model(&whole[..bytes]).err();
            assert_eq!(refused, Some(NoFilters::CutShort { bytes }));
        }
        for (model, filters, bins) in
            [(80, 128, 201), (79, 79, 201), (80, 80, 200), (-1, -1, 201), (80, i32::MAX, i32::MIN)]
        {
            let refused = Filters::of_model(&head(model, filters, bins)).err();
            assert_eq!(refused, Some(NoFilters::Sizes { model, filters, bins }));
        }
        for rubbish in [f32::NAN, f32::INFINITY] {
            let mut head = whole.clone();
            let at = 4 * (13 + 3 * 201 + 7);
            head[at..at + 4].copy_from_slice(&rubbish.to_le_bytes());
            assert_eq!(Filters::of_model(&head).err(), Some(NoFilters::Weight { band: 3 }));
        }
    }
}
