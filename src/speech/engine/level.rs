//! How loud one person is, so that quiet people are heard like loud ones: by the VAD frame by frame, by
//! whisper utterance by utterance. It makes nothing louder that anybody hears or keeps.

use std::borrow::Cow;

use crate::speech::engine::bounds::{FRAME_MS, FRAME_SAMPLES};

/// What the loudest frames of a person are brought to, in dBFS: those of somebody near a microphone.
const LOUD_DBFS: f32 = -20.0;

/// The most that is added, in dB. More would bring the noise of an empty room near to a voice.
const GAIN_DB_MAX: f32 = 24.0;

/// How fast the loudest that was heard is forgotten, in dB per second: a door that slams deafens nobody
/// for long, and a pause between two sentences changes little.
const FORGETS_DB_PER_S: f32 = 1.0;

/// The gain for one person's frames. Quiet speech is lifted from its first frame on: nobody is taken
/// for loud before they have been.
#[derive(Clone, Debug)]
pub struct Level {
    loudest_dbfs: f32,
}

impl Default for Level {
    fn default() -> Self {
        Self { loudest_dbfs: LOUD_DBFS - GAIN_DB_MAX }
    }
}

impl Level {
    /// The frame as the VAD is to hear it.
    pub fn lift(&mut self, frame: &[f32; FRAME_SAMPLES]) -> [f32; FRAME_SAMPLES] {
        let forgotten_db = FORGETS_DB_PER_S * FRAME_MS as f32 / 1_000.0;
        let quietest = LOUD_DBFS - GAIN_DB_MAX;
        let now_dbfs = dbfs(frame);
        // Rubbish of a broken decoder is nobody's voice.
        let now_dbfs = if now_dbfs.is_finite() { now_dbfs } else { quietest };
        self.loudest_dbfs = (self.loudest_dbfs - forgotten_db).max(now_dbfs).max(quietest);
        let gain = factor(LOUD_DBFS - self.loudest_dbfs);
        frame.map(|it| it * gain)
    }
}

/// An utterance as whisper is to hear it: its loudest frame at the level of somebody near.
pub fn levelled(pcm: &[f32]) -> Cow<'_, [f32]> {
    let loudest_dbfs = pcm.chunks(FRAME_SAMPLES).map(dbfs).fold(f32::NEG_INFINITY, f32::max);
    let gain_db = (LOUD_DBFS - loudest_dbfs).min(GAIN_DB_MAX);
    if !gain_db.is_finite() || gain_db <= 0.0 {
        return pcm.into();
    }
    let gain = factor(gain_db);
    pcm.iter().map(|it| (it * gain).clamp(-1.0, 1.0)).collect()
}

fn dbfs(samples: &[f32]) -> f32 {
    decibels(power(samples))
}

/// Mean of the squares, 1 at full scale.
pub fn power(samples: &[f32]) -> f32 {
    samples.iter().map(|it| it * it).sum::<f32>() / samples.len().max(1) as f32
}

/// At least -120.
pub fn decibels(power: f32) -> f32 {
    10.0 * power.max(1e-12).log10()
}

/// At least 1.
fn factor(gain_db: f32) -> f32 {
    10f32.powf(gain_db.clamp(0.0, GAIN_DB_MAX) / 20.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of a tone with that root mean square.
    fn frame(dbfs: f32) -> [f32; FRAME_SAMPLES] {
        let peak = 10f32.powf(dbfs / 20.0) * std::f32::consts::SQRT_2;
        std::array::from_fn(|i| (i as f32 * std::f32::consts::TAU / 16.0).sin() * peak)
    }

    /// Levels in, levels out, in dBFS, the same frame `count` times each.
    fn check(parts: &[(f32, usize)], expect: &[f32]) {
        let mut level = Level::default();
        let got: Vec<f32> = parts
            .iter()
            .map(|&(dbfs_in, count)| {
                let mut last = 0.0;
                (0..count).for_each(|_| last = dbfs(&level.lift(&frame(dbfs_in))));
                last
            })
            .collect();
        for (got, expect) in got.iter().zip(expect) {
            assert!((got - expect).abs() < 0.5, "{parts:?}: {got} instead of {expect}");
        }
    }

    #[test]
    fn quiet_people_are_lifted_and_loud_ones_left_alone() {
        check(&[(-20.0, 1)], &[-20.0]);
        check(&[(-6.0, 1)], &[-6.0]);
        check(&[(-35.0, 1)], &[-20.0]);
        check(&[(-60.0, 100)], &[-36.0]);
    }

    #[test]
    fn whoever_was_loud_is_not_lifted_in_a_pause_and_a_slam_is_forgotten() {
        check(&[(-20.0, 60), (-60.0, 62)], &[-20.0, -59.0]);
        check(&[(-3.0, 3), (-40.0, 62 * 40)], &[-3.0, -20.0]);
    }

    #[test]
    fn rubbish_is_no_level() {
        let mut level = Level::default();
        level.lift(&[f32::NAN; FRAME_SAMPLES]);
        level.lift(&[f32::INFINITY; FRAME_SAMPLES]);
        assert!((dbfs(&level.lift(&frame(-40.0))) + 20.0).abs() < 0.5);
        assert_eq!(levelled(&[]), Cow::Borrowed(&[] as &[f32]));
        assert!(levelled(&[f32::NAN; 10]).len() == 10);
    }

    #[test]
    fn an_utterance_is_lifted_as_a_whole() {
        let quiet = [frame(-60.0), frame(-45.0)].concat();
        let got = levelled(&quiet);
        assert!((dbfs(&got[..FRAME_SAMPLES]) + 36.0).abs() < 0.5);
        assert!((dbfs(&got[FRAME_SAMPLES..]) + 21.0).abs() < 0.5);
        assert!(matches!(levelled(&frame(-10.0)), Cow::Borrowed(_)));
    }
}
