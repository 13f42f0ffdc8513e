//! A sender's clock beside ours, as its reports tell it (RFC 3550, 6.4.1): when something of theirs was
//! captured, on our clock. Layers of one camera, and cameras of different people, have nothing else in
//! common. It reads no clock.

use crate::media::engine::{reception::Report, time::MediaTime};

/// Of the reports of so long and those of as long before, the one that waited least on its way tells
/// how far two clocks are apart, in ms: browsers report sound about every 5 s.
const LEAST_MS: u64 = 15_000;

/// One that comes so much later than another, in µs: the sender's clock was set.
const SET_US: i64 = 2_000_000;

/// What was captured longer ago is no call any more, in ms; what has yet to be captured, by more than
/// reports may have waited, is a false claim.
const PAST_MS: u64 = 2_000;
const FUTURE_MS: u64 = 200;

/// One sender's. All of their streams tell of the same clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SenderClock {
    /// Ours less theirs, of the report that waited least, in µs: since when, and before.
    least: Option<(MediaTime, i64)>,
    least_before: Option<i64>,
}

impl SenderClock {
    /// A report has come; `ntp`: its NTP time, in 2^-32 s.
    pub fn told(&mut self, now: MediaTime, ntp: u64) {
        let ahead = now.as_us() as i64 - us_of(ntp);
        (self.least, self.least_before) = match self.least {
            Some((_, least)) if SET_US < ahead - least => (Some((now, ahead)), None),
            Some((since, least)) if LEAST_MS <= now.since_ms(since) => {
                let is_of_use = now.since_ms(since) < 2 * LEAST_MS;
                (Some((now, ahead)), is_of_use.then_some(least))
            }
            Some((since, least)) => (Some((since, least.min(ahead))), self.least_before),
            None => (Some((now, ahead)), None),
        };
    }

    /// The moment on our clock that is their `ntp`. `None`: nothing has been told yet.
    pub fn ours(&self, ntp: u64) -> Option<MediaTime> {
        let least = self.least?.1;
        let us = us_of(ntp) + self.least_before.map_or(least, |it| it.min(least));
        Some(MediaTime::from_us(us.max(0) as u64))
    }

    /// When what comes `now` was captured. `report`: the last one of its stream. `None`: it is not known,
    /// or cannot be.
    pub fn captured(
        &self,
        now: MediaTime,
        report: Report,
        timestamp: u32,
        ticks_per_ms: u64,
    ) -> Option<MediaTime> {
        let ticks = timestamp.wrapping_sub(report.timestamp) as i32;
        let since_us = i64::from(ticks) * 1_000 / ticks_per_ms as i64;
        let us = self.ours(report.ntp)?.as_us() as i64 + since_us;
        let captured = MediaTime::from_us(us.max(0) as u64);
        (now - PAST_MS..=now + FUTURE_MS).contains(&captured).then_some(captured)
    }
}

/// NTP time in µs; the turn of its 32 bits in 2036 is a clock that was set.
fn us_of(ntp: u64) -> i64 {
    ((u128::from(ntp) * 1_000_000) >> 32) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Their clock is 7 s ahead of ours: its time at `ms` of ours.
    fn ntp(ms: u64) -> u64 {
        ((7_000 + ms) << 32) / 1_000
    }

    fn at(ms: u64) -> MediaTime {
        MediaTime::from_ms(ms)
    }

    /// By how much it is wrong that their `ntp` is that moment of ours, in ms.
    fn off_ms(clock: &SenderClock, ntp: u64, ours: MediaTime) -> u64 {
        let found = clock.ours(ntp).expect("something was told");
        found.since_ms(ours).max(ours.since_ms(found))
    }

    #[test]
    fn a_report_that_waited_moves_nothing() {
        let mut clock = SenderClock::default();
        assert_eq!(clock.ours(ntp(0)), None);
        clock.told(at(1_020), ntp(1_000));
        clock.told(at(2_400), ntp(2_000));
        assert_eq!(off_ms(&clock, ntp(3_000), at(3_020)), 0);
        clock.told(at(4_005), ntp(4_000));
        assert_eq!(off_ms(&clock, ntp(5_000), at(5_005)), 0, "a quicker one is nearer");
    }

    #[test]
    fn two_clocks_may_run_apart_and_one_may_have_stood_still() {
        let mut clock = SenderClock::default();
        // Theirs is late by 100 µs more each second, and tells every five.
        let theirs = |ms: u64| ntp(ms - ms / 10_000);
        for second in (5..3_600).step_by(5) {
            clock.told(at(second * 1_000), theirs(second * 1_000));
            assert!(off_ms(&clock, theirs(second * 1_000), at(second * 1_000)) <= 3);
        }
        for second in (3_600..3_650).step_by(5) {
            clock.told(at(second * 1_000), theirs(second * 1_000 - 1_500));
        }
        assert!(off_ms(&clock, theirs(3_650_000 - 1_500), at(3_650_000)) <= 3);
    }

    #[test]
    fn a_clock_that_was_set_is_believed() {
        let mut clock = SenderClock::default();
        clock.told(at(1_000), ntp(60_000));
        assert_eq!(clock.ours(ntp(60_000)), Some(at(1_000)));
        clock.told(at(2_000), ntp(1_000));
        assert_eq!(clock.ours(ntp(1_000)), Some(at(2_000)));
        clock.told(at(3_000), u64::MAX);
        clock.told(at(4_000), 0);
        assert_eq!(clock.ours(0), Some(at(4_000)));
    }

    #[test]
    fn what_cannot_be_is_not_believed() {
        let mut clock = SenderClock::default();
        let captured = |clock: &SenderClock, timestamp: u32| {
            let report = Report { ntp: ntp(1_000), timestamp: 90, at: at(1_020) };
            clock.captured(at(3_000), report, timestamp, 90)
        };
        assert_eq!(captured(&clock, 90), None, "nothing is known");
        clock.told(at(1_020), ntp(1_000));
        assert_eq!(captured(&clock, 90 + 1_900 * 90), Some(at(2_920)));
        assert_eq!(captured(&clock, 90 + 5_000 * 90), None, "it lies ahead");
        assert_eq!(captured(&clock, 0x8000_0000), None, "hours ago");
    }
}
