//! Who speaks, from the audio level in each packet's header (RFC 6464), without decoding. Rough and
//! fast: voice activity detection on the sound itself corrects it later.

use crate::domain::limits::{LEVEL_HANGOVER_MS, LEVEL_ONSET_MS};
use crate::media::engine::time::MediaTime;

/// As loud as this opens, in dBov: speech into a laptop is at -20 to -40.
const OPEN_DBOV: i8 = -45;

/// As loud as this keeps it open: the ends of words are quieter.
const KEEP_DBOV: i8 = -55;

/// Quieter than this nothing is heard, in dBov: browsers remove the noise of a quiet room to below it.
const SILENT_DBOV: i8 = -70;

/// So long it must be that quiet before packets are left out, in ms: a room's sound does not stop
/// between two words.
const SILENT_MS: u64 = 1_000;

/// How often a packet of silence passes, in ms: as RFC 7587, 3.1.3 has it.
const SILENCE_EVERY_MS: u64 = 400;

/// Hears one person's levels.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpeakingDetector {
    speaking: bool,
    loud_since: Option<MediaTime>,
    loud_at: MediaTime,
    audible_at: MediaTime,
    passed_at: MediaTime,
}

impl SpeakingDetector {
    /// One packet's level, from -127 (silence) to 0. Returns the new state when it changes.
    pub fn level(&mut self, now: MediaTime, level_dbov: i8) -> Option<bool> {
        if SILENT_DBOV <= level_dbov {
            self.audible_at = now;
        }
        let threshold_dbov = if self.speaking { KEEP_DBOV } else { OPEN_DBOV };
        if level_dbov < threshold_dbov {
            self.loud_since = None;
            return self.quiet(now);
        }
        self.loud_at = now;
        let since = *self.loud_since.get_or_insert(now);
        let opens = !self.speaking && LEVEL_ONSET_MS <= now.since_ms(since);
        self.speaking |= opens;
        opens.then_some(true)
    }

    /// Whether a packet of this level is not worth sending on: the person is silent, and so is their
    /// room. What is heard is never cut: the first packet that is louder goes on at once. And of
    /// silence one packet passes now and then, as Opus's own silence has it: listeners' browsers keep
    /// the room's sound by it, and see that the stream lives.
    pub fn is_silent(&mut self, now: MediaTime, level_dbov: i8) -> bool {
        let passed_ms = now.since_ms(self.passed_at);
        let silent = !self.speaking
            && level_dbov < SILENT_DBOV
            && SILENT_MS <= now.since_ms(self.loud_at.max(self.audible_at))
            && passed_ms < SILENCE_EVERY_MS;
        if !silent {
            self.passed_at = now;
        }
        silent
    }

    /// Time has passed, perhaps without packets. Returns `false` when the voice has ended.
    pub fn quiet(&mut self, now: MediaTime) -> Option<bool> {
        let ends = self.speaking && LEVEL_HANGOVER_MS <= now.since_ms(self.loud_at);
        if ends {
            self.speaking = false;
            self.loud_since = None;
        }
        ends.then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(levels: impl IntoIterator<Item = i8>, expected: &[(u64, bool)]) {
        let mut detector = SpeakingDetector::default();
        let changes: Vec<_> = levels
            .into_iter()
            .enumerate()
            .filter_map(|(index, level)| {
                let at = index as u64 * 20;
                detector.level(MediaTime::from_ms(at), level).map(|on| (at, on))
            })
            .collect();
        assert_eq!(changes, expected);
    }

    #[test]
    fn speech_opens_at_once_and_closes_after_a_pause() {
        let speech = [vec![-30; 50], vec![-90; 50]].concat();
        check(speech, &[(60, true), (1_480, false)]);
    }

    #[test]
    fn clicks_and_murmur_are_no_voice() {
        check([-90, -20, -20, -90, -50, -50, -50, -50, -50], &[]);
    }

    #[test]
    fn pauses_between_words_do_not_close_it() {
        let words = [vec![-30; 10], vec![-80; 20], vec![-50; 5], vec![-30; 10]].concat();
        check(words, &[(60, true)]);
    }

    #[test]
    fn only_what_nobody_hears_is_left_out() {
        let mut detector = SpeakingDetector::default();
        let mut silent = |at: u64, level| {
            let now = MediaTime::from_ms(at);
            detector.level(now, level);
            detector.is_silent(now, level)
        };
        assert!(!silent(0, -127), "it may just have begun");
        assert!(!silent(990, -127));
        assert!(silent(1_000, -127));
        assert!(!silent(1_020, -65), "a quiet voice goes on at once");
        assert!(!silent(1_040, -127));
        assert!(!silent(2_010, -127));
        let passed: Vec<_> = (102..150).filter(|it| !silent(it * 20, -127)).collect();
        assert_eq!(passed, [121, 141], "one in 400 ms");
    }

    #[test]
    fn a_voice_ends_when_packets_stop() {
        let mut detector = SpeakingDetector::default();
        for at in [0, 20, 40, 60] {
            detector.level(MediaTime::from_ms(at), -30);
        }
        assert_eq!(detector.quiet(MediaTime::from_ms(300)), None);
        assert_eq!(detector.quiet(MediaTime::from_ms(600)), Some(false));
        assert_eq!(detector.quiet(MediaTime::from_ms(700)), None);
    }
}
