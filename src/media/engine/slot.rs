//! One receiving slot: makes the packets of whoever sits in it one unbroken stream. It owns the
//! outgoing sequence numbers and timestamps (RFC 3550); the SSRC never changes, so a receiver notices
//! nothing when the publisher does, or when another layer of their picture is sent. It never holds a
//! packet.

use crate::{domain::ids::ParticipantId, media::engine::time::MediaTime};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrackKind {
    Audio,
    Video,
}

impl TrackKind {
    /// Ticks of the RTP clock per ms: Opus (RFC 7587) 48, VP8 (RFC 7741) 90.
    pub fn ticks_per_ms(self) -> u64 {
        match self {
            TrackKind::Audio => 48,
            TrackKind::Video => 90,
        }
    }
}

/// A layer of a picture sent in several sizes at once (simulcast, RFC 8853), from 0, the smallest.
pub type Layer = u8;

/// The layer of what comes in one size only.
pub const WHOLE: Layer = 2;

/// What of an incoming packet's header matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incoming {
    pub ssrc: u32,
    pub sequence: u16,
    pub timestamp: u32,
    /// Whether a picture that needs no other begins here. Always true for audio.
    pub keyframe: bool,
    pub layer: Layer,
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
    /// Towards which it goes; `None`: nothing is to pass.
    target: Option<Layer>,
    source: Option<Source>,
    last: Option<Last>,
}

/// The stream that flows now, and how its numbers map to ours.
#[derive(Clone, Copy, Debug)]
struct Source {
    ssrc: u32,
    layer: Layer,
    first_sequence: u16,
    newest_sequence: u16,
    sequence_offset: u16,
    timestamp_offset: u32,
    packets: u32,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    outgoing: Outgoing,
    at: MediaTime,
}

/// For so many packets after a switch, one from before it is recognised as late and dropped. More than
/// the cipher takes late, so that no number is ever given twice.
const SWITCH_PACKETS: u32 = 2_000;

impl Slot {
    pub fn new(kind: TrackKind) -> Self {
        Self { kind, publisher: None, target: Some(WHOLE), source: None, last: None }
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

    /// The layer that is wanted from now on; it comes with its next keyframe, and until then the one
    /// before goes on. `None`: nothing passes.
    pub fn want(&mut self, target: Option<Layer>) {
        self.target = target;
        if target.is_none() {
            self.source = None;
        }
    }

    /// The layer of which a keyframe is needed before what is wanted can pass.
    pub fn wants_keyframe(&self) -> Option<Layer> {
        let target = self.target.filter(|_| self.kind == TrackKind::Video);
        self.publisher.and(target).filter(|it| self.source.is_none_or(|now| now.layer != *it))
    }

    /// The numbers with which a packet of `publisher` goes out now; `None`: it does not.
    pub fn pass(
        &mut self,
        now: MediaTime,
        publisher: ParticipantId,
        incoming: Incoming,
    ) -> Option<Outgoing> {
        if self.publisher != Some(publisher) {
            return None;
        }
        let mut source = match self.source {
            Some(source) if source.ssrc == incoming.ssrc => source,
            other => {
                let target = self.target?;
                if other.is_some_and(|it| it.layer == incoming.layer) {
                    self.source = None; // the publisher has connected anew
                }
                let fits = incoming.layer == target;
                let meanwhile = self.source.is_none() && incoming.layer < target;
                if !incoming.keyframe || !(fits || meanwhile) {
                    return None;
                }
                self.switch(now, incoming)
            }
        };
        let ahead = incoming.sequence.wrapping_sub(source.first_sequence);
        if source.packets < SWITCH_PACKETS && 0x8000 <= ahead {
            return None; // from before the switch
        }
        source.packets = source.packets.saturating_add(1);
        if incoming.sequence.wrapping_sub(source.newest_sequence) < 0x8000 {
            source.newest_sequence = incoming.sequence;
        }
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

    /// A packet of the publisher is not worth sending. The numbers close over it, so that the
    /// receiver does not take it for lost.
    pub fn skip(&mut self, publisher: ParticipantId, ssrc: u32, sequence: u16) {
        let Some(source) = self.source.as_mut().filter(|it| it.ssrc == ssrc) else { return };
        let ahead = sequence.wrapping_sub(source.newest_sequence);
        // One that comes late would take a number back that has been given to a later one.
        if self.publisher == Some(publisher) && (1..0x8000).contains(&ahead) {
            source.newest_sequence = sequence;
            source.sequence_offset = source.sequence_offset.wrapping_sub(1);
            // What is older would now get a number that has been given.
            source.first_sequence = sequence.wrapping_add(1);
            source.packets = 0;
        }
    }

    /// Which packet of whom one of our numbers was, so that it can be sent again; `None`: of somebody
    /// who sits here no longer, or a layer that flows no longer.
    pub fn origin(&self, sequence: u16) -> Option<(ParticipantId, u32, u16)> {
        let source = self.source?;
        let original = sequence.wrapping_sub(source.sequence_offset);
        let ahead = original.wrapping_sub(source.first_sequence);
        let is_ours = SWITCH_PACKETS <= source.packets || ahead < 0x8000;
        is_ours.then_some((self.publisher?, source.ssrc, original))
    }

    /// The time of the publisher's stream, on ours.
    pub fn timestamp_of(&self, ssrc: u32, timestamp: u32) -> Option<u32> {
        let source = self.source.filter(|it| it.ssrc == ssrc)?;
        Some(timestamp.wrapping_add(source.timestamp_offset))
    }

    /// The stream that flows now.
    pub fn source_ssrc(&self) -> Option<u32> {
        self.source.map(|it| it.ssrc)
    }

    /// Continues our numbers: the next sequence number, and a timestamp as much later as the clock.
    fn switch(&self, now: MediaTime, incoming: Incoming) -> Source {
        let next = self.last.map_or(
            // Far from the end of the 16 bits: a browser that misses the first packets would take what
            // comes after the turn for packets of before it, for ever (RFC 3711, 3.3.1).
            Outgoing { sequence: incoming.sequence & 0x3fff, timestamp: incoming.timestamp },
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
            layer: incoming.layer,
            first_sequence: incoming.sequence,
            newest_sequence: incoming.sequence,
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
        Incoming { ssrc, sequence, timestamp, keyframe, layer: WHOLE }
    }

    #[test]
    fn a_new_publisher_continues_the_numbers() {
        let mut slot = Slot::new(TrackKind::Audio);
        slot.seat(Some(ALICE));
        let a = slot.pass(MediaTime::from_ms(0), ALICE, packet(7, 65_535, 960, true)).unwrap();
        let b = slot.pass(MediaTime::from_ms(20), ALICE, packet(7, 0, 1_920, true)).unwrap();
        assert_eq!(b.sequence, a.sequence.wrapping_add(1));
        slot.seat(Some(BOB));
        let c = slot.pass(MediaTime::from_ms(120), BOB, packet(9, 40_000, 5, true)).unwrap();
        assert_eq!(c.sequence, b.sequence.wrapping_add(1));
        assert_eq!(c.timestamp, b.timestamp + 100 * 48);
    }

    #[test]
    fn nothing_of_somebody_who_does_not_sit_here_passes() {
        let mut slot = Slot::new(TrackKind::Audio);
        assert_eq!(slot.pass(MediaTime::from_ms(0), ALICE, packet(7, 1, 1, true)), None);
        slot.seat(Some(BOB));
        assert_eq!(slot.pass(MediaTime::from_ms(0), ALICE, packet(7, 1, 1, true)), None);
    }

    #[test]
    fn video_waits_for_a_keyframe_at_each_change() {
        let mut slot = Slot::new(TrackKind::Video);
        assert_eq!(slot.wants_keyframe(), None);
        slot.seat(Some(ALICE));
        assert_eq!(slot.wants_keyframe(), Some(WHOLE));
        assert_eq!(slot.pass(MediaTime::from_ms(0), ALICE, packet(7, 10, 0, false)), None);
        assert!(slot.pass(MediaTime::from_ms(1), ALICE, packet(7, 11, 90, true)).is_some());
        assert_eq!(slot.wants_keyframe(), None);
        // A picture from before the switch arrives late.
        assert_eq!(slot.pass(MediaTime::from_ms(2), ALICE, packet(7, 9, 0, false)), None);
        // The publisher connects anew: another SSRC.
        assert_eq!(slot.pass(MediaTime::from_ms(3), ALICE, packet(8, 500, 7, false)), None);
        assert_eq!(slot.wants_keyframe(), Some(WHOLE));
    }

    #[test]
    fn another_layer_comes_with_its_keyframe_and_until_then_the_old_one_stays() {
        let mut slot = Slot::new(TrackKind::Video);
        let layer = |ssrc, sequence, keyframe, layer| Incoming {
            layer,
            ..packet(ssrc, sequence, 0, keyframe)
        };
        slot.seat(Some(ALICE));
        let at = MediaTime::from_ms;
        let a = slot.pass(at(0), ALICE, layer(1, 10, true, 0)).expect("something until then");
        assert_eq!(slot.wants_keyframe(), Some(WHOLE));
        assert!(slot.pass(at(1), ALICE, layer(3, 700, false, 2)).is_none());
        let b = slot.pass(at(2), ALICE, layer(1, 11, false, 0)).unwrap();
        let c = slot.pass(at(33), ALICE, layer(3, 701, true, 2)).unwrap();
        assert_eq!((b.sequence, c.sequence), (a.sequence + 1, a.sequence + 2));
        assert!(
            slot.pass(at(34), ALICE, layer(1, 12, true, 0)).is_none(),
            "the smaller one is over"
        );
        slot.want(Some(0));
        assert!(slot.pass(at(35), ALICE, layer(3, 702, false, 2)).is_some());
        slot.want(None);
        assert!(slot.pass(at(36), ALICE, layer(3, 703, true, 2)).is_none());
        assert_eq!(slot.wants_keyframe(), None);
        slot.want(Some(0));
        let d = slot.pass(at(66), ALICE, layer(1, 13, true, 0)).unwrap();
        assert_eq!(d.sequence, a.sequence + 4);
    }

    #[test]
    fn what_is_not_worth_sending_leaves_no_hole() {
        let mut slot = Slot::new(TrackKind::Audio);
        slot.seat(Some(ALICE));
        let pass = |slot: &mut Slot, sequence| {
            slot.pass(MediaTime::ZERO, ALICE, packet(7, sequence, 0, true)).map(|it| it.sequence)
        };
        assert_eq!(pass(&mut slot, 10), Some(10));
        for silent in 11..=20 {
            slot.skip(ALICE, 7, silent);
        }
        assert_eq!(pass(&mut slot, 21), Some(11));
        assert_eq!(pass(&mut slot, 20), None, "its number is another's now");
        assert_eq!(slot.origin(11), Some((ALICE, 7, 21)));
        assert_eq!(slot.origin(10), None);
        slot.skip(BOB, 7, 22);
        assert_eq!(pass(&mut slot, 22), Some(12));
    }

    proptest! {
        /// Whatever comes late, twice or is left out, no number is given to two packets: the cipher
        /// would give both away.
        #[test]
        fn no_number_is_given_twice(
            packets in prop::collection::vec((0u16..12, any::<bool>()), 1..300),
        ) {
            let mut slot = Slot::new(TrackKind::Audio);
            slot.seat(Some(ALICE));
            let mut given = std::collections::BTreeMap::new();
            for (index, (late, silent)) in packets.into_iter().enumerate() {
                let sequence = (65_500 + index).wrapping_sub(usize::from(late)) as u16;
                if silent {
                    slot.skip(ALICE, 7, sequence);
                } else if let Some(it) = slot.pass(MediaTime::ZERO, ALICE, packet(7, sequence, 0, true)) {
                    let before = given.insert(it.sequence, sequence);
                    prop_assert!(before.is_none_or(|it| it == sequence), "{before:?} {sequence}");
                }
            }
        }

        /// However publishers change, the receiver sees a stream without holes of our making and
        /// whose time never runs backwards.
        #[test]
        fn the_stream_never_breaks(
            runs in prop::collection::vec((any::<u16>(), any::<u32>(), 1u16..50), 1..12),
        ) {
            let mut slot = Slot::new(TrackKind::Video);
            let (mut now, mut last) = (MediaTime::from_ms(0), None::<Outgoing>);
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
