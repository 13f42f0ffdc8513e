//! How one incoming stream arrives: what is missing and when to ask for it again, and what its sender
//! is told (RFC 3550, 6.4.1 and A.8). It sends nothing.

use std::collections::VecDeque;

use crate::media::engine::{
    rtcp::ReceptionReport, slot::TrackKind, time::MediaTime, window::Window,
};

/// A hole larger than this is not filled packet by packet; video asks for a keyframe.
const HOLE_MAX: u16 = 64;

/// Packets waited for at a time.
const MISSING_MAX: usize = 128;

/// A packet that comes this late is no longer of use, in ms.
const USEFUL_MS: u64 = 1_000;

/// A packet that is only late is not asked for: reordering is shorter, in ms.
const PATIENCE_MS: u64 = 10;

/// Between two requests for one packet at least, in ms, and at most so many requests.
const AGAIN_MS: u64 = 40;
const ASKED_MAX: u8 = 10;

#[derive(Clone, Debug)]
pub struct Reception {
    ticks_per_ms: u64,
    /// With the cycles of the 16 bits above.
    newest: u32,
    first: u32,
    received: u32,
    expected_before: u32,
    received_before: u32,
    /// In ticks, times 16, as the RFC has it; and the transit of the last packet.
    jitter: u32,
    transit: Option<u32>,
    told: Option<Report>,
    missing: VecDeque<Missing>,
    seen: Window,
}

/// What the sender told of a stream's clock: `timestamp` is that of what was captured at `ntp`, in
/// 2^-32 s of the sender's own clock; and when that came.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    pub ntp: u64,
    pub timestamp: u32,
    pub at: MediaTime,
}

#[derive(Clone, Copy, Debug)]
struct Missing {
    sequence: u16,
    since: MediaTime,
    asked: u8,
    asked_at: MediaTime,
}

/// What a packet told about the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// A hole too large to be filled packet by packet lies before it.
    pub broken: bool,
    /// Something is missing and will have to be asked for.
    pub missing: bool,
    /// It has come before, itself or by its repair, or is too old to tell: nothing may be done with it.
    pub again: bool,
}

impl Reception {
    pub fn new(kind: TrackKind, sequence: u16) -> Self {
        let first = u32::from(sequence);
        Self {
            ticks_per_ms: kind.ticks_per_ms(),
            newest: first.wrapping_sub(1),
            first,
            received: 0,
            expected_before: 0,
            received_before: 0,
            jitter: 0,
            transit: None,
            told: None,
            missing: VecDeque::new(),
            seen: Window::default(),
        }
    }

    pub fn packet(&mut self, now: MediaTime, sequence: u16, timestamp: u32) -> Arrived {
        let index = self.seen.index_of(sequence).filter(|it| self.seen.is_new(*it));
        let Some(index) = index else {
            return Arrived { broken: false, missing: !self.missing.is_empty(), again: true };
        };
        self.seen.take(index);
        self.received = self.received.wrapping_add(1);
        let ahead = sequence.wrapping_sub(self.newest as u16);
        let mut broken = false;
        match ahead {
            0x8000.. => self.missing.retain(|it| it.sequence != sequence),
            0 => (),
            _ => {
                let hole = ahead - 1;
                broken = HOLE_MAX < hole;
                if broken {
                    self.missing.clear();
                } else {
                    let lost = (0..hole).map(|it| sequence.wrapping_sub(hole).wrapping_add(it));
                    self.missing.extend(lost.map(|sequence| Missing {
                        sequence,
                        since: now,
                        asked: 0,
                        asked_at: now,
                    }));
                    while MISSING_MAX < self.missing.len() {
                        self.missing.pop_front();
                    }
                }
                self.newest = self.newest.wrapping_add(u32::from(ahead));
                self.measure_jitter(now, timestamp);
            }
        }
        Arrived { broken, missing: !self.missing.is_empty(), again: false }
    }

    fn measure_jitter(&mut self, now: MediaTime, timestamp: u32) {
        let ticks = now.as_us() * self.ticks_per_ms / 1_000;
        let transit = (ticks as u32).wrapping_sub(timestamp);
        if let Some(before) = self.transit.replace(transit) {
            let difference = (transit.wrapping_sub(before) as i32).unsigned_abs().min(0xff_ffff);
            self.jitter = self.jitter + difference - ((self.jitter + 8) >> 4);
        }
    }

    /// The numbers to ask for now, appended to `out`. `round_trip_ms`: to the sender and back; asking
    /// again sooner is asking twice.
    pub fn ask(&mut self, now: MediaTime, round_trip_ms: u64, out: &mut Vec<u16>) {
        self.missing.retain(|it| now.since_ms(it.since) < USEFUL_MS && it.asked < ASKED_MAX);
        for it in &mut self.missing {
            let wait_ms = if it.asked == 0 { PATIENCE_MS } else { AGAIN_MS.max(round_trip_ms) };
            if wait_ms <= now.since_ms(it.asked_at) {
                it.asked += 1;
                it.asked_at = now;
                out.push(it.sequence);
            }
        }
    }

    pub fn is_missing_any(&self) -> bool {
        !self.missing.is_empty()
    }

    /// The sender's last report.
    pub fn told(&self) -> Option<Report> {
        self.told
    }

    pub fn tell(&mut self, report: Report) {
        self.told = Some(report);
    }

    /// What its sender is told, about once a second.
    pub fn report(&mut self, now: MediaTime, ssrc: u32) -> ReceptionReport {
        let expected = self.newest.wrapping_sub(self.first).wrapping_add(1);
        let (due, came) = (
            expected.wrapping_sub(self.expected_before),
            self.received.wrapping_sub(self.received_before),
        );
        (self.expected_before, self.received_before) = (expected, self.received);
        let lost = due.saturating_sub(came);
        let (last_report, since) = self.told.map_or((0, 0), |it| {
            ((it.ntp >> 16) as u32, (now.since_us(it.at) * 65_536 / 1_000_000) as u32)
        });
        ReceptionReport {
            ssrc,
            lost: (u64::from(lost) * 256 / u64::from(due.max(1))).min(255) as u8,
            lost_in_all: expected.saturating_sub(self.received),
            newest: self.newest,
            jitter: self.jitter >> 4,
            last_report,
            since,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn asked(reception: &mut Reception, at_ms: u64) -> Vec<u16> {
        let mut out = vec![];
        reception.ask(MediaTime::from_ms(at_ms), 100, &mut out);
        out
    }

    #[test]
    fn what_is_missing_is_asked_for_until_it_comes_or_is_of_no_use() {
        let mut reception = Reception::new(TrackKind::Video, 65_534);
        for (at, sequence) in [(0, 65_534), (20, 2), (21, 0)] {
            reception.packet(MediaTime::from_ms(at), sequence, 0);
        }
        assert_eq!(asked(&mut reception, 25), [0_u16; 0], "it may only be late");
        assert_eq!(asked(&mut reception, 40), [65_535, 1]);
        assert_eq!(asked(&mut reception, 100), [0_u16; 0], "the answer is on its way");
        reception.packet(MediaTime::from_ms(120), 1, 0);
        assert_eq!(asked(&mut reception, 140), [65_535]);
        assert_eq!(asked(&mut reception, 1_100), [0_u16; 0]);
        assert!(!reception.is_missing_any());
    }

    #[test]
    fn what_has_come_before_is_told() {
        let mut reception = Reception::new(TrackKind::Video, 10);
        let mut again = |sequence| reception.packet(MediaTime::ZERO, sequence, 0).again;
        assert_eq!(
            [10, 12, 11, 11, 12, 10, 13].map(&mut again),
            [false, false, false, true, true, true, false]
        );
    }

    #[test]
    fn a_large_hole_is_a_new_beginning() {
        let mut reception = Reception::new(TrackKind::Video, 1);
        reception.packet(MediaTime::ZERO, 1, 0);
        assert!(reception.packet(MediaTime::ZERO, 500, 0).broken);
        assert!(!reception.is_missing_any());
    }

    #[test]
    fn the_sender_is_told_what_was_lost_since_last_time() {
        let mut reception = Reception::new(TrackKind::Audio, 65_500);
        for n in 0..100_u16 {
            if n % 4 != 1 {
                reception.packet(
                    MediaTime::from_ms(u64::from(n) * 20),
                    65_500_u16.wrapping_add(n),
                    u32::from(n) * 960,
                );
            }
        }
        let at = MediaTime::from_ms(1_000);
        reception.tell(Report { ntp: 0x1122_3344_5566_7788, timestamp: 5, at });
        let report = reception.report(MediaTime::from_ms(2_000), 7);
        assert_eq!((report.lost, report.lost_in_all, report.newest), (64, 25, 65_599));
        assert_eq!((report.last_report, report.since, report.jitter), (0x3344_5566, 65_536, 0));
        assert_eq!(reception.report(MediaTime::from_ms(3_000), 7).lost, 0);
    }

    proptest! {
        /// No order of packets makes it ask for what it has, for ever, or for more than its bound.
        #[test]
        fn it_asks_within_bounds(packets in prop::collection::vec((any::<u16>(), 0u64..50), 1..300)) {
            let mut reception = Reception::new(TrackKind::Video, packets[0].0);
            let (mut at, mut asked) = (MediaTime::ZERO, vec![]);
            for (sequence, gap_ms) in &packets {
                at = at + *gap_ms;
                reception.packet(at, *sequence, 0);
                reception.ask(at, 0, &mut asked);
                prop_assert!(reception.missing.len() <= MISSING_MAX);
                prop_assert!(reception.missing.iter().all(|it| it.sequence != *sequence));
            }
            at = at + USEFUL_MS;
            reception.ask(at, 0, &mut asked);
            prop_assert!(!reception.is_missing_any());
            reception.report(at, 1);
        }
    }
}
