//! Turns RTP timestamps into session time, and says how to fill the hole before a packet.
//! Never asks for the time: the arrival of each packet is told.

use crate::domain::time::SessionTime;
use crate::speech::engine::bounds::{
    CLOCK_SLIP_MS_MAX, CONCEALED_PACKETS_MAX, HOLE_MS_MAX, TICKS_PER_MS,
};

/// The clock of one track: set by the first arrival, then it follows the RTP clock, which knows
/// nothing of jitter. Set anew when it is more than [`CLOCK_SLIP_MS_MAX`] away from the arrival
/// (a sender that stopped its clock while muted).
#[derive(Debug, Default)]
pub struct MediaClock {
    last: Option<Last>,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    timestamp: u32,
    /// Ticks since the base; never negative in a clock that has just been set.
    ticks: i64,
    base: SessionTime,
}

impl MediaClock {
    pub fn new() -> Self {
        Self::default()
    }

    /// When the first sample of the packet was spoken, as this machine sees it.
    pub fn at(&mut self, timestamp: u32, arrived: SessionTime) -> SessionTime {
        if let Some(last) = self.last {
            let step = timestamp.wrapping_sub(last.timestamp) as i32;
            let ticks = last.ticks.saturating_add(i64::from(step));
            let per_ms = TICKS_PER_MS as i64;
            let ms = ticks.div_euclid(per_ms);
            let at = match u64::try_from(ms) {
                Ok(ms) => last.base + ms,
                Err(_) => last.base - ms.unsigned_abs(),
            };
            if arrived.since_ms(at).max(at.since_ms(arrived)) <= CLOCK_SLIP_MS_MAX {
                self.last = Some(Last { timestamp, ticks, base: last.base });
                return at;
            }
        }
        self.last = Some(Last { timestamp, ticks: 0, base: arrived });
        arrived
    }
}

/// How the hole before a packet is filled, in this order: `conceal` packets made up by the decoder,
/// one rebuilt from the packet's own redundancy (`fec`), `silence_ms` of nothing. When `restart`, the
/// hole is too long: what was being said is over, and only the packet itself is decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filling {
    pub conceal: u32,
    pub fec: bool,
    pub silence_ms: u64,
    pub restart: bool,
}

/// `expected`: where the audio so far ends; `at`: where the packet starts; `lost`: packets known to
/// be missing between; `packet_ms`: length of one packet. A hole with nothing lost is a sender that
/// was silent (DTX), so it is filled with silence.
pub fn fill(expected: SessionTime, at: SessionTime, lost: u32, packet_ms: u64) -> Filling {
    let hole_ms = at.since_ms(expected);
    let back_ms = expected.since_ms(at);
    if hole_ms > HOLE_MS_MAX || back_ms > HOLE_MS_MAX {
        return Filling { restart: true, ..Filling::default() };
    }
    let packet_ms = packet_ms.max(1);
    // The clock is in whole milliseconds and packets may be of 2.5 ms: round to the nearest packet.
    let missing = (hole_ms + packet_ms / 2) / packet_ms;
    let lost = u64::from(lost).min(missing);
    let made_up = lost.min(u64::from(CONCEALED_PACKETS_MAX));
    let fec = lost > 0;
    // The redundancy rebuilds the packet just before; what was made up comes first, then silence
    // would stand between them, so beyond the limit the redundancy is left alone.
    let fec = fec && lost <= u64::from(CONCEALED_PACKETS_MAX);
    let conceal = if fec { made_up - 1 } else { made_up };
    let silence_ms = hole_ms.saturating_sub(made_up * packet_ms);
    let silence_ms = if silence_ms < packet_ms.min(5) { 0 } else { silence_ms };
    Filling { conceal: conceal as u32, fec, silence_ms, restart: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(timestamp, arrived)` of each packet, and where the clock puts it.
    fn check(packets: &[(u32, u64)], expect: &[u64]) {
        let mut clock = MediaClock::new();
        let got: Vec<u64> = packets
            .iter()
            .map(|&(timestamp, arrived)| clock.at(timestamp, SessionTime(arrived)).as_ms())
            .collect();
        assert_eq!(got, expect, "{packets:?}");
    }

    #[test]
    fn the_clock_follows_the_sender_and_not_the_jitter() {
        check(&[(0, 1000), (960, 1050), (1920, 1041)], &[1000, 1020, 1040]);
        check(&[(u32::MAX - 959, 10), (0, 30), (960, 55)], &[10, 30, 50]);
        check(&[(960, 1000), (0, 1001), (1920, 1002)], &[1000, 980, 1020]);
    }

    #[test]
    fn a_clock_that_stood_still_is_set_anew() {
        check(&[(0, 1000), (960, 9000), (1920, 9020)], &[1000, 9000, 9020]);
        check(&[(0, 1000), (48_000 * 60, 1020), (48_000 * 60 + 960, 1040)], &[1000, 1020, 1040]);
        check(&[(0, 1000), (48_000 * 60, 61_400)], &[1000, 61_000]);
    }

    #[test]
    fn odd_timestamps_do_not_overflow() {
        let mut clock = MediaClock::new();
        for i in 0..100u32 {
            clock.at(i.wrapping_mul(0x8000_0001), SessionTime(u64::from(i)));
        }
        let mut clock = MediaClock::new();
        clock.at(0, SessionTime(u64::MAX));
        clock.at(960, SessionTime(u64::MAX));
    }

    fn check_fill(hole_ms: u64, lost: u32, conceal: u32, fec: bool, silence_ms: u64) {
        let got = fill(SessionTime(5_000), SessionTime(5_000 + hole_ms), lost, 20);
        assert_eq!(got, Filling { conceal, fec, silence_ms, restart: false }, "{hole_ms} {lost}");
    }

    #[test]
    fn holes_are_filled_by_what_made_them() {
        check_fill(0, 0, 0, false, 0);
        check_fill(1, 0, 0, false, 0);
        check_fill(20, 1, 0, true, 0);
        check_fill(60, 3, 2, true, 0);
        check_fill(100, 5, 4, true, 0);
        check_fill(140, 7, 5, false, 40);
        check_fill(400, 0, 0, false, 400);
        check_fill(420, 1, 0, true, 400);
    }

    #[test]
    fn a_long_hole_ends_what_was_said() {
        for at in [5_000 + HOLE_MS_MAX + 1, 5_000 - HOLE_MS_MAX - 1] {
            let got = fill(SessionTime(5_000), SessionTime(at), 3, 20);
            assert_eq!(got, Filling { restart: true, ..Filling::default() });
        }
    }
}
