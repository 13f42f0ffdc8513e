//! How long whisper takes on this machine, learnt from what it has read. Never measures a time itself.

use crate::speech::engine::context::cut;

/// Time goes nearly with the context: with tiny, utterances of 0.9 to 7 s took 0.9 to 1.3 ms for a unit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pace {
    /// Of one unit of context; `None` before anything has been read.
    unit_ms: Option<f64>,
}

/// The weight of the newest: some ten readings are remembered.
const NEWEST: f64 = 0.1;

impl Pace {
    /// So many samples of 16 kHz were read once in `took_ms`.
    pub fn learn(&mut self, samples: usize, took_ms: u64) {
        let newest = took_ms as f64 / f64::from(cut(samples));
        self.unit_ms = Some(self.unit_ms.map_or(newest, |it| it + NEWEST * (newest - it)));
    }

    /// How long so many samples will take, in ms; 0 before anything has been read.
    pub fn expects_ms(&self, samples: usize) -> u64 {
        (self.unit_ms.unwrap_or_default() * f64::from(cut(samples))) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_longer_takes_longer_and_the_last_ten_count_most() {
        let mut pace = Pace::default();
        assert_eq!(pace.expects_ms(16_000 * 5), 0);
        pace.learn(16_000, 128);
        assert_eq!((pace.expects_ms(16_000), pace.expects_ms(16_000 * 5)), (128, 320));
        (0..30).for_each(|_| pace.learn(16_000, 256));
        assert!((245..=256).contains(&pace.expects_ms(16_000)), "{pace:?}");
        pace.learn(16_000, 2_000);
        assert!(pace.expects_ms(16_000) < 450, "one slow moment is not the machine: {pace:?}");
    }
}
