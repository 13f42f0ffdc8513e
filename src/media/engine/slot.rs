//! One receiving slot: makes the packets of whoever sits in it one unbroken stream. It owns the
//! outgoing sequence numbers, timestamps (RFC 3550) and numbers of pictures; the SSRC never changes, so a receiver notices
//! nothing when the publisher does, or when another layer of their picture is sent. It never holds a
//! packet.

use crate::{
    domain::ids::ParticipantId,
    media::engine::{
        time::MediaTime,
        vp8::{Numbers, PICTURE_MASK, Shift},
    },
};

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

    /// From one packet's timestamp to another's that follows it in a stream, at least: 20 ms of sound
    /// must not lie upon what went before, a picture need only be later.
    fn ticks_min(self) -> u32 {
        match self {
            TrackKind::Audio => 20 * 48,
            TrackKind::Video => 1,
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
    /// When it has come, and when it was captured, where that is known.
    pub at: MediaTime,
    pub captured: Option<MediaTime>,
    /// Of the picture that it is part of.
    pub numbers: Numbers,
    /// Whether a picture that needs no other begins here. Always true for audio.
    pub keyframe: bool,
    pub layer: Layer,
}

/// The header's new values, and by how much the picture's numbers are others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgoing {
    pub sequence: u16,
    pub timestamp: u32,
    pub shift: Shift,
}

#[derive(Clone, Debug)]
pub struct Slot {
    kind: TrackKind,
    publisher: Option<ParticipantId>,
    /// Towards which it goes; `None`: nothing is to pass.
    target: Option<Layer>,
    source: Option<Source>,
    last: Option<Last>,
    anchor: Option<Anchor>,
}

/// The stream that flows now, and how its numbers map to ours.
#[derive(Clone, Copy, Debug)]
struct Source {
    ssrc: u32,
    layer: Layer,
    first_sequence: u16,
    newest_sequence: u16,
    sequence_offset: u16,
    first_timestamp: u32,
    timestamp_offset: u32,
    /// By so many ticks its first picture is sent as later than it was captured, as later ones had been
    /// shown.
    lag: u32,
    /// By so many ticks all of its sound is sent as later, as what went before had been heard until then.
    pushed: u32,
    shift: Shift,
    packets: u32,
}

/// A lag has been made up for by then, in ms.
const LAG_MS: u64 = 10_000;

impl Source {
    /// Soon no later than captured: what is captured in a second takes a sixteenth of it until then.
    fn timestamp(&self, original: u32) -> u32 {
        let since = original.wrapping_sub(self.first_timestamp);
        let since = if since < 0x8000_0000 { since } else { 0 };
        let lag = self.lag.saturating_sub(since - since / 16);
        original.wrapping_add(self.timestamp_offset).wrapping_add(lag)
    }
}

/// What has gone out last.
#[derive(Clone, Copy, Debug)]
struct Last {
    sequence: u16,
    timestamp: u32,
    at: MediaTime,
    /// The newest of all pictures, as they went out.
    picture: u16,
    base: u8,
}

/// A moment of capture, or of arrival where that is not known, and the timestamp it has here. Whoever
/// sits here and whatever layer of them flows, later moments follow from it: a receiver learns a
/// stream's clock from our reports, browsers from the last twenty, and is to learn one clock.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    captured: MediaTime,
    timestamp: u32,
}

/// A timestamp further than this from where time itself would put it was a sender's leap, in ms.
const LEAP_MS: u64 = 1_000;

/// For so many packets after a switch, one from before it is recognised as late and dropped. More than
/// the cipher takes late, so that no number is ever given twice.
const SWITCH_PACKETS: u32 = 2_000;

impl Slot {
    pub fn new(kind: TrackKind) -> Self {
        Self { kind, publisher: None, target: Some(WHOLE), source: None, last: None, anchor: None }
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
    pub fn pass(&mut self, publisher: ParticipantId, incoming: Incoming) -> Option<Outgoing> {
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
                self.switch(incoming)
            }
        };
        let ahead = incoming.sequence.wrapping_sub(source.first_sequence);
        if source.packets < SWITCH_PACKETS && 0x8000 <= ahead {
            return None; // from before the switch
        }
        source.packets = source.packets.saturating_add(1);
        let since = incoming.timestamp.wrapping_sub(source.first_timestamp);
        if (self.ticks(LAG_MS * 1_000)..0x8000_0000).contains(&since) {
            source.lag = 0;
        }
        if incoming.sequence.wrapping_sub(source.newest_sequence) < 0x8000 {
            source.newest_sequence = incoming.sequence;
        }
        self.source = Some(source);
        let outgoing = Outgoing {
            sequence: incoming.sequence.wrapping_add(source.sequence_offset),
            timestamp: source.timestamp(incoming.timestamp),
            shift: source.shift,
        };
        self.note(&source, incoming, outgoing);
        Some(outgoing)
    }

    fn note(&mut self, source: &Source, incoming: Incoming, outgoing: Outgoing) {
        let Outgoing { sequence, timestamp, shift } = outgoing;
        if self.last.is_none_or(|it| sequence.wrapping_sub(it.sequence) < 0x8000) {
            let (mut picture, mut base) = self.last.map_or((0, 0), |it| (it.picture, it.base));
            if let Some(it) = incoming.numbers.picture {
                picture = it.wrapping_add(shift.picture) & PICTURE_MASK;
            }
            if let Some(it) = incoming.numbers.base {
                base = it.wrapping_add(shift.base);
            }
            self.last = Some(Last { sequence, timestamp, at: incoming.at, picture, base });
            // Along with what flows: two clocks run apart by a third of a second in two hours.
            if let Some(captured) = incoming.captured {
                let exact = incoming.timestamp.wrapping_add(source.timestamp_offset);
                self.anchor =
                    Some(Anchor { captured, timestamp: exact.wrapping_sub(source.pushed) });
            }
        }
    }

    fn ticks(&self, us: u64) -> u32 {
        (us * self.kind.ticks_per_ms() / 1_000) as u32
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

    /// The timestamp that a packet of the stream had when it went out.
    pub fn timestamp_of(&self, ssrc: u32, timestamp: u32) -> Option<u32> {
        Some(self.source.filter(|it| it.ssrc == ssrc)?.timestamp(timestamp))
    }

    /// The time of the publisher's stream, on ours.
    pub fn clock_of(&self, ssrc: u32, timestamp: u32) -> Option<u32> {
        let source = self.source.filter(|it| it.ssrc == ssrc)?;
        Some(timestamp.wrapping_add(source.timestamp_offset))
    }

    /// By how much the numbers of its pictures are others on ours.
    pub fn shift_of(&self, ssrc: u32) -> Shift {
        self.source.filter(|it| it.ssrc == ssrc).map(|it| it.shift).unwrap_or_default()
    }

    /// The stream that flows now.
    pub fn source_ssrc(&self) -> Option<u32> {
        self.source.map(|it| it.ssrc)
    }

    /// Continues our numbers: the next of each, and the timestamp of the moment of capture.
    fn switch(&mut self, incoming: Incoming) -> Source {
        // Far from the end of the 16 bits: a browser that misses the first packets would take what comes
        // after the turn for packets of before it, for ever (RFC 3711, 3.3.1).
        let first = || (incoming.sequence & 0x3fff, Shift::default());
        let after = |last: Last| {
            let picture = |it: u16| last.picture.wrapping_add(1).wrapping_sub(it) & PICTURE_MASK;
            let base = |it: u8| last.base.wrapping_add(1).wrapping_sub(it);
            let Numbers { picture: of_picture, base: of_base } = incoming.numbers;
            let (picture, base) = (of_picture.map_or(0, picture), of_base.map_or(0, base));
            (last.sequence.wrapping_add(1), Shift { picture, base })
        };
        let (sequence, shift) = self.last.map_or_else(first, after);
        let (timestamp, lag, pushed) = self.timestamp_for(incoming);
        Source {
            ssrc: incoming.ssrc,
            layer: incoming.layer,
            first_sequence: incoming.sequence,
            newest_sequence: incoming.sequence,
            sequence_offset: sequence.wrapping_sub(incoming.sequence),
            first_timestamp: incoming.timestamp,
            timestamp_offset: timestamp.wrapping_sub(incoming.timestamp),
            lag,
            pushed,
            shift,
            packets: 0,
        }
    }

    /// The timestamp of the first packet of a stream that follows another, its lag, and its push.
    fn timestamp_for(&mut self, incoming: Incoming) -> (u32, u32, u32) {
        let ticks = |us: u64| self.ticks(us);
        let captured = incoming.captured.unwrap_or(incoming.at);
        let mut timestamp = incoming.timestamp;
        if let (Some(anchor), Some(last)) = (self.anchor, self.last) {
            let least = self.kind.ticks_min();
            timestamp =
                last.timestamp.wrapping_add(ticks(incoming.at.since_us(last.at)).max(least));
            let wanted = anchor
                .timestamp
                .wrapping_add(ticks(captured.since_us(anchor.captured)))
                .wrapping_sub(ticks(anchor.captured.since_us(captured)));
            let leap = (wanted.wrapping_sub(timestamp) as i32).unsigned_abs();
            if leap <= ticks(LEAP_MS * 1_000) {
                let soonest = last.timestamp.wrapping_add(least);
                let late = soonest.wrapping_sub(wanted);
                return match self.kind {
                    // After hours of silence it is later by more than half of all numbers.
                    _ if ticks(LEAP_MS * 1_000 + 1_000_000) < late => (wanted, 0, 0),
                    TrackKind::Video => (wanted, late, 0),
                    // Sound cannot be pushed together.
                    TrackKind::Audio => (soonest, 0, late),
                };
            }
        }
        self.anchor = Some(Anchor { captured, timestamp });
        (timestamp, 0, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALICE: ParticipantId = ParticipantId(1);
    const BOB: ParticipantId = ParticipantId(2);

    fn packet(ssrc: u32, sequence: u16, timestamp: u32, keyframe: bool) -> Incoming {
        let numbers = Numbers::default();
        let (at, captured) = (MediaTime::ZERO, None);
        Incoming { ssrc, sequence, timestamp, at, captured, numbers, keyframe, layer: WHOLE }
    }

    #[test]
    fn a_new_publisher_continues_the_numbers() {
        let mut slot = Slot::new(TrackKind::Audio);
        slot.seat(Some(ALICE));
        let at = |ms, packet| Incoming { at: MediaTime::from_ms(ms), ..packet };
        let a = slot.pass(ALICE, at(0, packet(7, 65_535, 960, true))).unwrap();
        let b = slot.pass(ALICE, at(20, packet(7, 0, 1_920, true))).unwrap();
        assert_eq!(b.sequence, a.sequence.wrapping_add(1));
        slot.seat(Some(BOB));
        let c = slot.pass(BOB, at(120, packet(9, 40_000, 5, true))).unwrap();
        assert_eq!(c.sequence, b.sequence.wrapping_add(1));
        assert_eq!(c.timestamp, b.timestamp + 100 * 48);
    }

    /// What is shown of one packet of a layer: captured then, come then.
    fn shown(
        slot: &mut Slot,
        layer: Layer,
        (captured_ms, at_ms): (Option<u64>, u64),
        timestamp: u32,
    ) -> u32 {
        slot.want(Some(layer));
        let packet = packet(u32::from(layer), 1, timestamp, true);
        let captured = captured_ms.map(MediaTime::from_ms);
        let incoming = Incoming { captured, at: MediaTime::from_ms(at_ms), layer, ..packet };
        slot.pass(ALICE, incoming).unwrap().timestamp
    }

    #[test]
    fn whatever_flows_a_moment_of_capture_has_one_timestamp() {
        let mut slot = Slot::new(TrackKind::Video);
        slot.seat(Some(ALICE));
        let first = shown(&mut slot, 2, (Some(1_000), 1_100), 77);
        assert_eq!(shown(&mut slot, 0, (Some(1_040), 1_045), 500_000), first + 40 * 90);
        // It was captured before what has been shown, and what follows is soon right again.
        assert_eq!(shown(&mut slot, 2, (Some(1_030), 1_130), 2_777), first + 40 * 90 + 1);
        let soon = shown(&mut slot, 2, (Some(1_035), 1_135), 2_777 + 5 * 90);
        assert!((first + 40 * 90 + 2..first + 45 * 90).contains(&soon), "{soon}");
        let later = shown(&mut slot, 2, (Some(1_063), 1_163), 2_777 + 33 * 90);
        assert_eq!(later, first + 63 * 90);
        assert_eq!(shown(&mut slot, 0, (Some(1_080), 1_166), 503_600), first + 80 * 90);
    }

    #[test]
    fn a_moment_that_was_guessed_is_put_right_once_it_is_known() {
        let mut slot = Slot::new(TrackKind::Video);
        slot.seat(Some(ALICE));
        let first = shown(&mut slot, 0, (None, 1_100), 0);
        assert_eq!(shown(&mut slot, 0, (Some(1_040), 1_140), 40 * 90), first + 40 * 90);
        assert_eq!(shown(&mut slot, 2, (Some(1_080), 1_300), 9), first + 80 * 90);
    }

    /// A sound card is slow by 100 ppm, and nobody leaves their seat for two hours.
    #[test]
    fn clocks_that_run_apart_are_not_made_up_for_at_the_next_change() {
        let mut slot = Slot::new(TrackKind::Video);
        slot.seat(Some(ALICE));
        let mut last = 0;
        for second in 0..7_200_u64 {
            let at_ms = 1_000 + second * 1_000;
            let timestamp = (second * (90_000 - 9)) as u32;
            last = shown(&mut slot, 0, (Some(at_ms - 20), at_ms), timestamp);
        }
        let at_ms = 1_000 + 7_200_000;
        let next = shown(&mut slot, 2, (Some(at_ms - 20), at_ms), 5);
        assert_eq!(next.wrapping_sub(last), 90_000);
    }

    #[test]
    fn after_hours_without_a_picture_time_is_as_much_later() {
        for hours in [1, 7, 12, 14] {
            let mut slot = Slot::new(TrackKind::Video);
            slot.seat(Some(ALICE));
            let first = shown(&mut slot, 0, (Some(1_000), 1_020), 7);
            let at_ms = 1_020 + hours * 3_600_000;
            let later = shown(&mut slot, 2, (Some(at_ms - 20), at_ms), 9);
            assert_eq!(later, first.wrapping_add((hours * 3_600_000 * 90) as u32), "{hours}");
            let soon = shown(&mut slot, 2, (Some(at_ms + 20), at_ms + 40), 9 + 40 * 90);
            assert_eq!(soon.wrapping_sub(later), 40 * 90, "{hours}");
        }
    }

    #[test]
    fn a_lag_is_made_up_for_once() {
        let mut slot = Slot::new(TrackKind::Video);
        slot.seat(Some(ALICE));
        shown(&mut slot, 0, (Some(1_000), 1_000), 0);
        let first = shown(&mut slot, 2, (Some(900), 1_001), 0);
        let mut last = first;
        // A picture each quarter of an hour, for a day.
        for quarter in 1..96_u64 {
            let ms = quarter * 900_000;
            last = shown(&mut slot, 2, (None, 1_001 + ms), (ms * 90) as u32);
            let on_time = first.wrapping_sub(100 * 90 + 1).wrapping_add((ms * 90) as u32);
            assert_eq!(last, on_time, "{quarter}");
        }
        assert_ne!(last, first);
    }

    #[test]
    fn a_sender_whose_time_leaps_does_not_take_those_after_along() {
        let mut slot = Slot::new(TrackKind::Video);
        slot.seat(Some(ALICE));
        shown(&mut slot, 0, (Some(1_000), 1_000), 0);
        let leapt = shown(&mut slot, 0, (None, 1_040), 3_600_000 * 90);
        let after = shown(&mut slot, 2, (Some(6_040), 6_040), 5);
        assert_eq!(after, leapt.wrapping_add(5_000 * 90));
        assert_eq!(shown(&mut slot, 0, (Some(11_040), 11_040), 7), after.wrapping_add(5_000 * 90));
    }

    #[test]
    fn pictures_are_one_count_whatever_flows() {
        let mut slot = Slot::new(TrackKind::Video);
        slot.seat(Some(ALICE));
        let mut sent = |layer: Layer, sequence, picture: u16, base: u8, keyframe| {
            slot.want(Some(layer));
            let numbers = Numbers { picture: Some(picture), base: Some(base) };
            let packet = packet(u32::from(layer), sequence, 0, keyframe);
            let shift = slot.pass(ALICE, Incoming { layer, numbers, ..packet }).unwrap().shift;
            (picture.wrapping_add(shift.picture) & PICTURE_MASK, base.wrapping_add(shift.base))
        };
        assert_eq!(sent(2, 1, 0x7ffe, 254, true), (0x7ffe, 254));
        assert_eq!(sent(2, 2, 0x7fff, 254, false), (0x7fff, 254), "of a higher layer in time");
        assert_eq!(sent(0, 9, 20, 7, true), (0, 255));
        assert_eq!(sent(0, 10, 21, 8, false), (1, 0));
        assert_eq!(sent(2, 700, 90, 200, true), (2, 1));
    }

    #[test]
    fn nothing_of_somebody_who_does_not_sit_here_passes() {
        let mut slot = Slot::new(TrackKind::Audio);
        assert_eq!(slot.pass(ALICE, packet(7, 1, 1, true)), None);
        slot.seat(Some(BOB));
        assert_eq!(slot.pass(ALICE, packet(7, 1, 1, true)), None);
    }

    #[test]
    fn video_waits_for_a_keyframe_at_each_change() {
        let mut slot = Slot::new(TrackKind::Video);
        assert_eq!(slot.wants_keyframe(), None);
        slot.seat(Some(ALICE));
        assert_eq!(slot.wants_keyframe(), Some(WHOLE));
        assert_eq!(slot.pass(ALICE, packet(7, 10, 0, false)), None);
        assert!(slot.pass(ALICE, packet(7, 11, 90, true)).is_some());
        assert_eq!(slot.wants_keyframe(), None);
        // A picture from before the switch arrives late.
        assert_eq!(slot.pass(ALICE, packet(7, 9, 0, false)), None);
        // The publisher connects anew: another SSRC.
        assert_eq!(slot.pass(ALICE, packet(8, 500, 7, false)), None);
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
        let a = slot.pass(ALICE, layer(1, 10, true, 0)).expect("something until then");
        assert_eq!(slot.wants_keyframe(), Some(WHOLE));
        assert!(slot.pass(ALICE, layer(3, 700, false, 2)).is_none());
        let b = slot.pass(ALICE, layer(1, 11, false, 0)).unwrap();
        let c = slot.pass(ALICE, layer(3, 701, true, 2)).unwrap();
        assert_eq!((b.sequence, c.sequence), (a.sequence + 1, a.sequence + 2));
        assert!(slot.pass(ALICE, layer(1, 12, true, 0)).is_none(), "the smaller one is over");
        slot.want(Some(0));
        assert!(slot.pass(ALICE, layer(3, 702, false, 2)).is_some());
        slot.want(None);
        assert!(slot.pass(ALICE, layer(3, 703, true, 2)).is_none());
        assert_eq!(slot.wants_keyframe(), None);
        slot.want(Some(0));
        let d = slot.pass(ALICE, layer(1, 13, true, 0)).unwrap();
        assert_eq!(d.sequence, a.sequence + 4);
    }

    #[test]
    fn what_is_not_worth_sending_leaves_no_hole() {
        let mut slot = Slot::new(TrackKind::Audio);
        slot.seat(Some(ALICE));
        let pass = |slot: &mut Slot, sequence| {
            slot.pass(ALICE, packet(7, sequence, 0, true)).map(|it| it.sequence)
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
        /// Layers that are on their way for different times, pauses of up to half a day, moments that are
        /// known or not: time goes on, as fast as time does.
        #[test]
        fn time_goes_on_as_time_does(
            ways_ms in prop::array::uniform3(0u64..300),
            begins in prop::array::uniform3(any::<u32>()),
            steps in prop::collection::vec(
                (0u8..3, prop_oneof![9 => 20u64..400, 1 => 400u64..50_000_000], any::<bool>()),
                2..80,
            ),
        ) {
            let mut slot = Slot::new(TrackKind::Video);
            slot.seat(Some(ALICE));
            let (mut at_ms, mut last) = (10_000_u64, None::<(u64, u32)>);
            for (layer, gap_ms, is_known) in steps {
                at_ms += gap_ms;
                let way_ms = ways_ms[usize::from(layer)];
                let captured_ms = at_ms - way_ms;
                let timestamp = begins[usize::from(layer)].wrapping_add((captured_ms * 90) as u32);
                let now = shown(&mut slot, layer, (is_known.then_some(captured_ms), at_ms), timestamp);
                if let Some((last_ms, last)) = last {
                    let step = now.wrapping_sub(last);
                    let off = step.wrapping_sub(((at_ms - last_ms) * 90) as u32) as i32;
                    prop_assert!(off.abs() <= 1_000 * 90, "{off}");
                    prop_assert!(20_000_000 < gap_ms || (1..0x8000_0000).contains(&step), "{step}");
                }
                last = Some((at_ms, now));
            }
        }

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
                } else if let Some(it) = slot.pass(ALICE, packet(7, sequence, 0, true)) {
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
                    let timestamp = timestamp.wrapping_add(u32::from(n) * 2_970);
                    let packet = packet(index as u32, sequence.wrapping_add(n), timestamp, n == 0);
                    let incoming = Incoming { at: now, ..packet };
                    let outgoing = slot.pass(publisher, incoming).unwrap();
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
