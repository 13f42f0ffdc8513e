//! Puts the packets of one track into order, once each, and says what is missing.
//! Never looks into a payload and never waits: time comes with the packets.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::domain::time::SessionTime;
use crate::speech::engine::bounds::{
    LATE_RUN_MAX, REORDER_MS_MAX, REORDER_PACKETS_MAX, SEQUENCE_JUMP_MAX,
};

/// One RTP packet of Opus as it came from the network, decrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpusPacket {
    /// RTP sequence number; wraps.
    pub sequence: u16,
    /// RTP timestamp in ticks of 48 kHz; wraps.
    pub timestamp: u32,
    /// When the packet reached this machine.
    pub arrived: SessionTime,
    /// One Opus packet; may be anything, the network is not trusted.
    pub payload: Bytes,
}

/// What comes next in a track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ordered {
    Packet(OpusPacket),
    /// So many packets before the next one will not come. At least 1, at most
    /// [`SEQUENCE_JUMP_MAX`].
    Lost {
        count: u32,
    },
}

/// The window of one track: at most [`REORDER_PACKETS_MAX`] packets, none held for longer than
/// [`REORDER_MS_MAX`] while others arrive.
#[derive(Debug, Default)]
pub struct Reorder {
    /// Unwrapped number of the packet that comes next; `None` before the first.
    next: Option<u64>,
    held: BTreeMap<u64, OpusPacket>,
    late_run: u32,
    late: u64,
}

/// Where counting starts, so that numbers before the first packet are numbers too.
const ORIGIN: u64 = 1 << 32;

impl Reorder {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one packet and appends what may go on to `out`. Packets that come twice or too late are
    /// dropped; a jump of more than [`SEQUENCE_JUMP_MAX`] starts anew without reporting a loss.
    pub fn push(&mut self, packet: OpusPacket, out: &mut Vec<Ordered>) {
        let Some(next) = self.next else { return self.restart(packet, out) };
        let ahead = packet.sequence.wrapping_sub(next as u16) as i16;
        if u64::from(ahead.unsigned_abs()) > SEQUENCE_JUMP_MAX {
            self.flush(out);
            return self.restart(packet, out);
        }
        if ahead < 0 {
            self.late += 1;
            self.late_run += 1;
            if self.late_run >= LATE_RUN_MAX {
                self.flush(out);
                self.restart(packet, out);
            }
            return;
        }
        self.late_run = 0;
        let arrived = packet.arrived;
        self.held.entry(next.saturating_add(ahead as u64)).or_insert(packet);
        self.release_in_order(out);
        while self.held.len() > REORDER_PACKETS_MAX || self.held_too_long(arrived) {
            self.skip_to_held(out);
        }
    }

    /// Gives up waiting: everything held goes on, with what is missing between.
    pub fn flush(&mut self, out: &mut Vec<Ordered>) {
        while !self.held.is_empty() {
            self.skip_to_held(out);
        }
    }

    /// Packets dropped so far because they came twice or too late.
    pub fn late(&self) -> u64 {
        self.late
    }

    fn restart(&mut self, packet: OpusPacket, out: &mut Vec<Ordered>) {
        self.next = Some(ORIGIN + u64::from(packet.sequence) + 1);
        self.late_run = 0;
        out.push(Ordered::Packet(packet));
    }

    fn held_too_long(&self, now: SessionTime) -> bool {
        self.held.values().any(|it| now.since_ms(it.arrived) >= REORDER_MS_MAX)
    }

    fn skip_to_held(&mut self, out: &mut Vec<Ordered>) {
        let (Some(next), Some((&first, _))) = (self.next, self.held.first_key_value()) else {
            return;
        };
        if first > next {
            out.push(Ordered::Lost { count: (first - next) as u32 });
        }
        self.next = Some(first);
        self.release_in_order(out);
    }

    fn release_in_order(&mut self, out: &mut Vec<Ordered>) {
        let Some(mut next) = self.next else { return };
        while let Some(packet) = self.held.remove(&next) {
            out.push(Ordered::Packet(packet));
            next += 1;
        }
        self.next = Some(next);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet(sequence: u16, arrived: u64) -> OpusPacket {
        OpusPacket {
            sequence,
            timestamp: u32::from(sequence) * 960,
            arrived: SessionTime(arrived),
            payload: Bytes::new(),
        }
    }

    /// Pushes the numbers, one per 20 ms, flushes, and writes what came out: `!n` is a loss of n.
    fn run(sequences: &[u16]) -> Vec<String> {
        let mut reorder = Reorder::new();
        let mut out = Vec::new();
        for (i, &sequence) in sequences.iter().enumerate() {
            reorder.push(packet(sequence, i as u64 * 20), &mut out);
            assert!(reorder.held.len() <= REORDER_PACKETS_MAX);
        }
        reorder.flush(&mut out);
        out.iter()
            .map(|it| match it {
                Ordered::Packet(packet) => packet.sequence.to_string(),
                Ordered::Lost { count } => format!("!{count}"),
            })
            .collect()
    }

    fn check(sequences: &[u16], expect: &str) {
        assert_eq!(run(sequences).join(" "), expect, "{sequences:?}");
    }

    #[test]
    fn order_is_restored_and_what_comes_twice_or_late_is_dropped() {
        check(&[1, 2, 3], "1 2 3");
        check(&[1, 3, 2, 4], "1 2 3 4");
        check(&[1, 4, 3, 2, 5], "1 2 3 4 5");
        check(&[1, 1, 2, 2, 2, 3, 1], "1 2 3");
        check(&[5, 4, 6], "5 6");
    }

    #[test]
    fn what_does_not_come_is_reported_once() {
        check(&[1, 3, 4, 5, 6], "1 !1 3 4 5 6");
        check(&[1, 5], "1 !3 5");
        check(&[1, 3, 4, 5, 6, 2], "1 !1 3 4 5 6");
        check(&[1, 3, 5, 7, 9], "1 !1 3 !1 5 !1 7 !1 9");
    }

    #[test]
    fn numbers_wrap() {
        check(&[65534, 65535, 0, 1], "65534 65535 0 1");
        check(&[65534, 0, 65535, 1], "65534 65535 0 1");
        check(&[65535, 1, 2, 3, 4], "65535 !1 1 2 3 4");
    }

    #[test]
    fn a_large_jump_is_a_new_start() {
        check(&[1, 2, 20_000, 20_001], "1 2 20000 20001");
        check(&[20_000, 1, 2], "20000 1 2");
        let lower: Vec<u16> = std::iter::once(400).chain(1..=60).collect();
        assert_eq!(run(&lower).len(), 1 + 60 - (LATE_RUN_MAX as usize - 1));
    }

    #[test]
    fn a_packet_is_not_held_longer_than_the_window() {
        let mut reorder = Reorder::new();
        let mut out = Vec::new();
        reorder.push(packet(1, 0), &mut out);
        reorder.push(packet(3, 40), &mut out);
        assert_eq!(out.len(), 1);
        reorder.push(packet(4, 40 + REORDER_MS_MAX), &mut out);
        assert_eq!(out.len(), 4);
        assert_eq!(out[1], Ordered::Lost { count: 1 });
    }

    proptest! {
        /// Every packet displaced by less than the window comes out once, in order; losses add up.
        #[test]
        fn nothing_in_the_window_is_lost(
            start in any::<u16>(),
            lost in proptest::collection::btree_set(1usize..200, 0..40),
            swaps in proptest::collection::vec((1usize..199, 1usize..3), 0..60),
            twice in proptest::collection::vec(0usize..200, 0..20),
        ) {
            let mut order: Vec<usize> = (0..200).collect();
            let mut moved = [false; 200];
            for (at, by) in swaps {
                let to = (at + by).min(199);
                if (at..=to).any(|i| moved[i]) { continue }
                order[at..=to].rotate_left(1);
                moved[at..=to].fill(true);
            }
            let mut sent: Vec<usize> = order.into_iter().filter(|i| !lost.contains(i)).collect();
            for at in twice {
                if at < sent.len() { let it = sent[at]; sent.insert(at, it) }
            }
            let mut reorder = Reorder::new();
            let mut out = Vec::new();
            for &i in &sent {
                // All at once: only the number of packets bounds the window here.
                reorder.push(packet(start.wrapping_add(i as u16), 0), &mut out);
                prop_assert!(reorder.held.len() <= REORDER_PACKETS_MAX);
            }
            reorder.flush(&mut out);
            let mut at = 0u64;
            let mut seen = 0;
            for it in &out {
                match it {
                    Ordered::Lost { count } => at += u64::from(*count),
                    Ordered::Packet(packet) => {
                        prop_assert_eq!(packet.sequence, start.wrapping_add(at as u16));
                        at += 1;
                        seen += 1;
                    }
                }
            }
            let unique: std::collections::BTreeSet<_> = sent.iter().collect();
            prop_assert_eq!(seen, unique.len());
        }

        /// Whatever arrives, numbers come out at most as often as they were put in, and nothing grows.
        #[test]
        fn anything_may_arrive(sequences in proptest::collection::vec((any::<u16>(), 0u64..200), 0..400)) {
            let mut reorder = Reorder::new();
            let mut out = Vec::new();
            let mut at = 0;
            for &(sequence, pause) in &sequences {
                at += pause;
                reorder.push(packet(sequence, at), &mut out);
                prop_assert!(reorder.held.len() <= REORDER_PACKETS_MAX);
            }
            reorder.flush(&mut out);
            let packets = out.iter().filter(|it| matches!(it, Ordered::Packet(_))).count();
            prop_assert!(packets <= sequences.len());
            for it in &out {
                if let Ordered::Lost { count } = it {
                    prop_assert!((1..=SEQUENCE_JUMP_MAX as u32 + 4).contains(count));
                }
            }
        }
    }
}
