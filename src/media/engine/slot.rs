//! One receiving slot: makes the packets of whoever sits in it one unbroken stream. It owns the
//! outgoing sequence numbers and timestamps (RFC 3550); the SSRC never changes, so a receiver notices
//! nothing when the publisher does. It never holds a packet.

use crate::domain::{ids::ParticipantId, time::SessionTime};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrackKind {
    Audio,
    Video,
}

impl TrackKind {
    /// Ticks of the RTP clock per ms: Opus (RFC 7587) 48, VP8 (RFC 7741) 90.
    fn ticks_per_ms(self) -> u64 {
        match self {
            TrackKind::Audio => 48,
            TrackKind::Video => 90,
        }
    }
}

/// What of an incoming packet's header matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incoming {
    pub ssrc: u32,
    pub sequence: u16,
    pub timestamp: u32,
    /// Whether a picture that needs no other begins here. Always true for audio.
    pub keyframe: bool,
}

/// The header's new values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgoing {
    pub sequence: u16,
    pub timestamp: u32,
}

#[derive(Clone, Debug)]
pub struct Slot {
    kind: TrackKind,
    publisher: Option<ParticipantId>,
    source: Option<Source>,
    last: Option<Last>,
}

/// The stream that flows now, and how its numbers map to ours.
#[derive(Clone, Copy, Debug)]
struct Source {
    ssrc: u32,
    first_sequence: u16,
    sequence_offset: u16,
    timestamp_offset: u32,
    packets: u32,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    outgoing: Outgoing,
    at: SessionTime,
}

/// For so many packets after a switch, one from before it is recognised as late and dropped.
const SWITCH_PACKETS: u32 = 1_000;

impl Slot {
    pub fn new(kind: TrackKind) -> Self {
        Self { kind, publisher: None, source: None, last: None }
    }

    pub fn publisher(&self) -> Option<ParticipantId> {
        self.publisher
    }

    /// Who sits here from now on. Video passes again from their next keyframe.
    pub fn seat(&mut self, publisher: Option<ParticipantId>) {
        if self.publisher != publisher {
            self.publisher = publisher;
            self.source = None;
        }
    }

    /// Whether a keyframe of the publisher is needed before anything can pass.
    pub fn wants_keyframe(&self) -> bool {
        self.kind == TrackKind::Video && self.publisher.is_some() && self.source.is_none()
    }

    /// The numbers with which a packet of `publisher` goes out now; `None`: it does not.
    pub fn pass(
        &mut self,
        now: SessionTime,
        publisher: ParticipantId,
        incoming: Incoming,
    ) -> Option<Outgoing> {
        if self.publisher != Some(publisher) {
            return None;
        }
        if self.source.is_some_and(|it| it.ssrc != incoming.ssrc) {
            self.source = None; // the publisher has connected anew
        }
        let mut source = match self.source {
            Some(source) => source,
            None if incoming.keyframe => self.switch(now, incoming),
            None => return None,
        };
        let ahead = incoming.sequence.wrapping_sub(source.first_sequence);
        if source.packets < SWITCH_PACKETS && 0x8000 <= ahead {
            return None; // from before the switch
        }
        source.packets = source.packets.saturating_add(1);
        self.source = Some(source);
        let outgoing = Outgoing {
            sequence: incoming.sequence.wrapping_add(source.sequence_offset),
            timestamp: incoming.timestamp.wrapping_add(source.timestamp_offset),
        };
        let newer = self
            .last
            .is_none_or(|it| outgoing.sequence.wrapping_sub(it.outgoing.sequence) < 0x8000);
        if newer {
            self.last = Some(Last { outgoing, at: now });
        }
        Some(outgoing)
    }

    /// Continues our numbers: the next sequence number, and a timestamp as much later as the clock.
    fn switch(&self, now: SessionTime, incoming: Incoming) -> Source {
        let next = self.last.map_or(
            Outgoing { sequence: incoming.sequence, timestamp: incoming.timestamp },
            |last| {
                let ticks = (now.since_ms(last.at) * self.kind.ticks_per_ms()).max(1);
                Outgoing {
                    sequence: last.outgoing.sequence.wrapping_add(1),
                    timestamp: last.outgoing.timestamp.wrapping_add(ticks as u32),
                }
            },
        );
        Source {
            ssrc: incoming.ssrc,
            first_sequence: incoming.sequence,
            sequence_offset: next.sequence.wrapping_sub(incoming.sequence),
            timestamp_offset: next.timestamp.wrapping_sub(incoming.timestamp),
            packets: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALICE: ParticipantId = ParticipantId(1);
    const BOB: ParticipantId = ParticipantId(2);

    fn packet(ssrc: u32, sequence: u16, timestamp: u32, keyframe: bool) -> Incoming {
        Incoming { ssrc, sequence, timestamp, keyframe }
    }

    #[test]
    fn a_new_publisher_continues_the_numbers() {
        let mut slot = Slot::new(TrackKind::Audio);
        slot.seat(Some(ALICE));
        let a = slot.pass(SessionTime(0), ALICE, packet(7, 65_535, 960, true)).unwrap();
        let b = slot.pass(SessionTime(20), ALICE, packet(7, 0, 1_920, true)).unwrap();
        assert_eq!(b.sequence, a.sequence.wrapping_add(1));
        slot.seat(Some(BOB));
        let c = slot.pass(SessionTime(120), BOB, packet(9, 40_000, 5, true)).unwrap();
        assert_eq!(c.sequence, b.sequence.wrapping_add(1));
        assert_eq!(c.timestamp, b.timestamp + 100 * 48);
    }

    #[test]
    fn nothing_of_somebody_who_does_not_sit_here_passes() {
        let mut slot = Slot::new(TrackKind::Audio);
        assert_eq!(slot.pass(SessionTime(0), ALICE, packet(7, 1, 1, true)), None);
        slot.seat(Some(BOB));
        assert_eq!(slot.pass(SessionTime(0), ALICE, packet(7, 1, 1, true)), None);
    }

    #[test]
    fn video_waits_for_a_keyframe_at_each_change() {
        let mut slot = Slot::new(TrackKind::Video);
        assert!(!slot.wants_keyframe());
        slot.seat(Some(ALICE));
        assert!(slot.wants_keyframe());
        assert_eq!(slot.pass(SessionTime(0), ALICE, packet(7, 10, 0, false)), None);
        assert!(slot.pass(SessionTime(1), ALICE, packet(7, 11, 90, true)).is_some());
        assert!(!slot.wants_keyframe());
        // A picture from before the switch arrives late.
        assert_eq!(slot.pass(SessionTime(2), ALICE, packet(7, 9, 0, false)), None);
        // The publisher connects anew: another SSRC.
        assert_eq!(slot.pass(SessionTime(3), ALICE, packet(8, 500, 7, false)), None);
        assert!(slot.wants_keyframe());
    }

    proptest! {
        /// However publishers change, the receiver sees a stream without holes of our making and
        /// whose time never runs backwards.
        #[test]
        fn the_stream_never_breaks(
            runs in prop::collection::vec((any::<u16>(), any::<u32>(), 1u16..50), 1..12),
        ) {
            let mut slot = Slot::new(TrackKind::Video);
            let (mut now, mut last) = (SessionTime(0), None::<Outgoing>);
            for (index, (sequence, timestamp, count)) in runs.into_iter().enumerate() {
                let publisher = ParticipantId(index as u32 % 3 + 1);
                slot.seat(None);
                slot.seat(Some(publisher));
                for n in 0..count {
                    now = now + 33;
                    let incoming = packet(
                        index as u32,
                        sequence.wrapping_add(n),
                        timestamp.wrapping_add(u32::from(n) * 2_970),
                        n == 0,
                    );
                    let outgoing = slot.pass(now, publisher, incoming).unwrap();
                    if let Some(last) = last {
                        prop_assert_eq!(outgoing.sequence, last.sequence.wrapping_add(1));
                        let step = outgoing.timestamp.wrapping_sub(last.timestamp);
                        prop_assert_eq!(step, 2_970);
                    }
                    last = Some(outgoing);
                }
            }
        }
    }
}
