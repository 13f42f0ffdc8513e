//! Who speaks, from the audio level in each packet's header (RFC 6464), without decoding. Rough and
//! fast: voice activity detection on the sound itself corrects it later.

use crate::domain::time::SessionTime;

/// As loud as this opens, in dBov: speech into a laptop is at -20 to -40.
const OPEN_DBOV: i8 = -45;

/// As loud as this keeps it open: the ends of words are quieter.
const KEEP_DBOV: i8 = -55;

/// So long it must be loud before it counts as voice, in ms: a click is shorter.
const ONSET_MS: u64 = 60;

/// So long it must be quiet before the voice has ended, in ms: pauses in speech are shorter.
const HANGOVER_MS: u64 = 500;

/// Hears one person's levels.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpeakingDetector {
    speaking: bool,
    loud_since: Option<SessionTime>,
    loud_at: SessionTime,
}

impl SpeakingDetector {
    /// One packet's level, from -127 (silence) to 0. Returns the new state when it changes.
    pub fn level(&mut self, now: SessionTime, level_dbov: i8) -> Option<bool> {
        let threshold_dbov = if self.speaking { KEEP_DBOV } else { OPEN_DBOV };
        if level_dbov < threshold_dbov {
            self.loud_since = None;
            return self.quiet(now);
        }
        self.loud_at = now;
        let since = *self.loud_since.get_or_insert(now);
        let opens = !self.speaking && ONSET_MS <= now.since_ms(since);
        self.speaking |= opens;
        opens.then_some(true)
    }

    /// Time has passed, perhaps without packets. Returns `false` when the voice has ended.
    pub fn quiet(&mut self, now: SessionTime) -> Option<bool> {
        let ends = self.speaking && HANGOVER_MS <= now.since_ms(self.loud_at);
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
                detector.level(SessionTime(at), level).map(|on| (at, on))
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
    fn a_voice_ends_when_packets_stop() {
        let mut detector = SpeakingDetector::default();
        for at in [0, 20, 40, 60] {
            detector.level(SessionTime(at), -30);
        }
        assert_eq!(detector.quiet(SessionTime(300)), None);
        assert_eq!(detector.quiet(SessionTime(600)), Some(false));
        assert_eq!(detector.quiet(SessionTime(700)), None);
    }
}
