//! The noise floor of one person's room, and what stands out of it: room noise is nobody's voice, however
//! much it is lifted and whatever the VAD makes of it. Knows nothing of voices.

use std::collections::VecDeque;

use crate::speech::engine::bounds::{
    FLOOR_FIRST_DBFS_MAX, FLOOR_MARGIN_DB, FLOOR_SMOOTHED_FRAMES, FLOOR_WITHIN_FRAMES,
    FRAME_SAMPLES, STANDS_OUT_FRAMES,
};
use crate::speech::engine::level::{decibels, power};

/// Frames quieter than this are no room: a muted microphone, a hole that was filled, in dBFS.
const SILENCE_DBFS: f32 = -80.0;

/// How a frame stands to its room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Louder, together with those just before it.
    Out,
    /// No louder, but just after such a one ([`STANDS_OUT_FRAMES`]): words end more softly than they begin.
    After,
    /// Like the room.
    In,
}

/// The quietest [`FLOOR_SMOOTHED_FRAMES`] of the last [`FLOOR_WITHIN_FRAMES`] (minimum statistics, R. Martin,
/// 2001, of the whole band and without its correction of bias, which the margin holds).
#[derive(Clone, Debug, Default)]
pub struct Floor {
    /// Powers of the newest frames in a row in which the room was heard, at most [`FLOOR_SMOOTHED_FRAMES`].
    recent: VecDeque<f32>,
    /// Frames in which it was heard.
    heard: u64,
    /// Smoothed levels in dBFS that are below all that came after them, with the number of their frame: the
    /// first is the floor.
    quietest: VecDeque<(u64, f32)>,
    /// Frames for which what stood out still counts.
    left: usize,
}

impl Floor {
    /// Hears the next frame, and tells whether it stands out of the room. Everything does until the room has
    /// been heard, and nothing after it because of that.
    pub fn hear(&mut self, frame: &[f32; FRAME_SAMPLES]) -> Standing {
        let smoothed_dbfs = self.listen(power(frame));
        let Some(&(_, quietest)) = self.quietest.front() else { return Standing::Out };
        // Who speaks before their room does is not the room.
        let is_well_known = FLOOR_WITHIN_FRAMES <= self.heard;
        let floor = if is_well_known { quietest } else { quietest.min(FLOOR_FIRST_DBFS_MAX) };
        // Smoothed like the floor: Opus codes the same hiss 3 dB louder for a while, and of its single frames
        // some are then beyond the margin.
        let stands_out = smoothed_dbfs.is_some_and(|it| floor + FLOOR_MARGIN_DB <= it);
        self.left = if stands_out { STANDS_OUT_FRAMES } else { self.left.saturating_sub(1) };
        match (stands_out, self.left) {
            (true, _) => Standing::Out,
            (false, 0) => Standing::In,
            (false, _) => Standing::After,
        }
    }

    /// The level of the newest frames together, in dBFS; `None` for silence.
    fn listen(&mut self, power: f32) -> Option<f32> {
        if !power.is_finite() || decibels(power) < SILENCE_DBFS {
            self.recent.clear();
            return None;
        }
        self.heard += 1;
        if self.recent.len() == FLOOR_SMOOTHED_FRAMES {
            self.recent.pop_front();
        }
        self.recent.push_back(power);
        let smoothed = decibels(self.recent.iter().sum::<f32>() / self.recent.len() as f32);
        if self.recent.len() < FLOOR_SMOOTHED_FRAMES {
            return Some(smoothed);
        }
        while self.quietest.back().is_some_and(|it| smoothed <= it.1) {
            self.quietest.pop_back();
        }
        self.quietest.push_back((self.heard, smoothed));
        while self.quietest.front().is_some_and(|it| it.0 + FLOOR_WITHIN_FRAMES <= self.heard) {
            self.quietest.pop_front();
        }
        Some(smoothed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    /// Frames of hiss, each of its level in dBFS.
    fn hiss(
        levels_dbfs: impl IntoIterator<Item = f32>,
    ) -> impl Iterator<Item = [f32; FRAME_SAMPLES]> {
        let mut chance = StdRng::seed_from_u64(1);
        levels_dbfs.into_iter().map(move |dbfs| {
            let most = 10f32.powf(dbfs / 20.0) * 3f32.sqrt();
            std::array::from_fn(|_| most * chance.random_range(-1.0..1.0f32))
        })
    }

    /// Which of the frames stand out, or come just after.
    fn heard(levels_dbfs: impl IntoIterator<Item = f32>) -> Vec<bool> {
        let mut floor = Floor::default();
        hiss(levels_dbfs).map(|it| floor.hear(&it) != Standing::In).collect()
    }

    fn many(dbfs: f32, count: usize) -> impl Iterator<Item = f32> {
        std::iter::repeat_n(dbfs, count)
    }

    #[test]
    fn a_room_is_no_voice_however_loud_and_with_holes_in_it() {
        for dbfs in [-70.0, -50.0, -30.0] {
            let with_hole = many(dbfs, 500).chain(many(-120.0, 2)).chain(many(dbfs, 500));
            let heard = heard(with_hole);
            // One so loud might be somebody, until there was time for a breath.
            let is_loud = FLOOR_FIRST_DBFS_MAX < dbfs;
            let within = FLOOR_WITHIN_FRAMES as usize + STANDS_OUT_FRAMES;
            let known = if is_loud { within } else { FLOOR_SMOOTHED_FRAMES };
            assert!(heard[known..].iter().all(|it| !it), "{dbfs}");
        }
    }

    #[test]
    fn a_room_that_is_coded_a_little_louder_is_no_voice() {
        let heard = heard(many(-62.0, 500).chain(many(-59.2, 500)));
        assert!(heard[FLOOR_SMOOTHED_FRAMES..].iter().all(|it| !it));
    }

    #[test]
    fn a_room_is_no_voice_because_it_is_heard_for_the_first_time() {
        let heard = heard(many(-120.0, 50).chain(many(-60.0, 50)));
        assert!(heard[50 + FLOOR_SMOOTHED_FRAMES..].iter().all(|it| !it));
    }

    #[test]
    fn who_speaks_stands_out_of_the_room_until_shortly_after() {
        let mut floor = Floor::default();
        let spoken = many(-60.0, 100).chain(many(-50.0, 50)).chain(many(-60.0, 100));
        let heard: Vec<Standing> = hiss(spoken).map(|it| floor.hear(&it)).collect();
        let out = 150 + FLOOR_SMOOTHED_FRAMES - 1;
        let over = out + STANDS_OUT_FRAMES - 1;
        assert!(heard[20..100].iter().all(|it| *it == Standing::In));
        assert!(heard[100..out].iter().all(|it| *it == Standing::Out));
        assert!(heard[out..over].iter().all(|it| *it == Standing::After));
        assert!(heard[over..].iter().all(|it| *it == Standing::In));
    }

    #[test]
    fn whoever_speaks_before_the_room_was_heard_is_heard() {
        assert!(heard(many(-40.0, FLOOR_SMOOTHED_FRAMES - 1)).iter().all(|it| *it));
        assert!(heard(many(-120.0, 50).chain(many(-40.0, 30))).iter().all(|it| *it));
    }

    #[test]
    fn a_fan_that_is_turned_on_becomes_the_room() {
        let window = FLOOR_WITHIN_FRAMES as usize;
        let heard = heard(many(-60.0, 100).chain(many(-45.0, 2 * window)));
        assert!(heard[100 + window / 2]);
        assert!(heard[100 + window + STANDS_OUT_FRAMES..].iter().all(|it| !it));
    }

    #[test]
    fn rubbish_is_no_room() {
        let mut floor = Floor::default();
        for sample in [f32::NAN, f32::INFINITY, -f32::INFINITY, 3e38] {
            floor.hear(&[sample; FRAME_SAMPLES]);
        }
        let heard: Vec<Standing> = hiss(many(-60.0, 200)).map(|it| floor.hear(&it)).collect();
        assert!(heard[50..].iter().all(|it| *it == Standing::In));
    }
}
