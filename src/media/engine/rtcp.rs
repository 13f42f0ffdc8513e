//! RTCP: the few messages we understand (RFC 3550, 4585, 5104, REMB) and the few we write, with
//! transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01). It decides nothing.
//! Any bytes are allowed.

use std::collections::VecDeque;

use crate::media::engine::time::MediaTime;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const TRANSPORT_FEEDBACK: u8 = 205;
const PAYLOAD_FEEDBACK: u8 = 206;
const NACK: u8 = 1;
const TRANSPORT_WIDE: u8 = 15;
const PLI: u8 = 1;
const FIR: u8 = 4;
const APPLICATION: u8 = 15;

/// What a peer can tell us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feedback {
    /// The clock of one of the peer's streams: NTP time and what it is on the stream's own clock.
    Clock {
        ssrc: u32,
        ntp: u64,
        timestamp: u32,
    },
    /// How one of our streams arrives: lost since the last report, in 256ths; and our last sender
    /// report, with how long ago the peer had it, in 65,536ths of a second.
    Arrival {
        ssrc: u32,
        lost: u8,
        last_report: u32,
        since: u32,
    },
    /// Packets of one of our streams that are missing there.
    Missing {
        ssrc: u32,
        sequences: Vec<u16>,
    },
    KeyframeWanted {
        ssrc: u32,
    },
    /// What the peer believes it can receive, in bit/s.
    Estimate {
        bits_per_s: u64,
    },
}

/// Packets one message may ask for again: more is a broken network, where a keyframe serves better.
const MISSING_MAX: usize = 256;

/// Reads a compound packet. What is not understood is passed over.
pub fn read(mut compound: &[u8], mut each: impl FnMut(Feedback)) {
    while let Some(head) = compound.first_chunk::<4>() {
        let bytes = 4 + 4 * usize::from(u16::from_be_bytes([head[2], head[3]]));
        let Some((packet, rest)) = compound.split_at_checked(bytes) else { return };
        if head[0] >> 6 != 2 {
            return;
        }
        // A packet that ends too early says nothing.
        let _ = read_one(head[1], head[0] & 0x1f, &packet[4..], &mut each);
        compound = rest;
    }
}

fn read_one(kind: u8, count: u8, body: &[u8], each: &mut impl FnMut(Feedback)) -> Option<()> {
    match (kind, count) {
        (SENDER_REPORT, _) => {
            let (sender, reports) = body.split_at_checked(24)?;
            let ntp = u64::from_be_bytes(*sender[4..].first_chunk()?);
            each(Feedback::Clock { ssrc: word(sender, 0)?, ntp, timestamp: word(sender, 12)? });
            read_reports(reports, each);
        }
        (RECEIVER_REPORT, _) => read_reports(body.get(4..)?, each),
        (TRANSPORT_FEEDBACK, NACK) => {
            let mut sequences = Vec::new();
            for item in body.get(8..)?.chunks_exact(4) {
                let first = u16::from_be_bytes([item[0], item[1]]);
                let more = u16::from_be_bytes([item[2], item[3]]);
                let followers = (0..16).filter(|it| more >> it & 1 == 1);
                sequences.extend(
                    [first].into_iter().chain(followers.map(|it| first.wrapping_add(it + 1))),
                );
                if MISSING_MAX <= sequences.len() {
                    break;
                }
            }
            each(Feedback::Missing { ssrc: word(body, 4)?, sequences });
        }
        (PAYLOAD_FEEDBACK, PLI) => each(Feedback::KeyframeWanted { ssrc: word(body, 4)? }),
        (PAYLOAD_FEEDBACK, FIR) => {
            for item in body.get(8..)?.chunks_exact(8) {
                each(Feedback::KeyframeWanted { ssrc: word(item, 0)? });
            }
        }
        (PAYLOAD_FEEDBACK, APPLICATION) if body.get(8..12)? == b"REMB" => {
            let coded = word(body, 12)? & 0x00ff_ffff;
            let (exponent, mantissa) = (coded >> 18, u64::from(coded & 0x3_ffff));
            // Beyond 2^44 it is no rate of this world.
            each(Feedback::Estimate { bits_per_s: mantissa << exponent.min(26) });
        }
        _ => (),
    }
    Some(())
}

fn read_reports(reports: &[u8], each: &mut impl FnMut(Feedback)) {
    for report in reports.chunks_exact(24) {
        let at = |offset| word(report, offset).unwrap_or_default();
        let (ssrc, lost) = (at(0), report[4]);
        each(Feedback::Arrival { ssrc, lost, last_report: at(16), since: at(20) });
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn packet(out: &mut Vec<u8>, kind: u8, count: u8, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend([0x80 | count, kind, 0, 0]);
    body(out);
    out.resize(out.len().next_multiple_of(4), 0);
    let words = ((out.len() - start) / 4 - 1) as u16;
    out[start + 2..start + 4].copy_from_slice(&words.to_be_bytes());
}

/// What we say of one of our streams.
#[derive(Clone, Copy, Debug)]
pub struct SenderReport {
    pub ssrc: u32,
    pub ntp: u64,
    pub timestamp: u32,
    pub packets: u32,
    pub octets: u32,
}

/// How one of the peer's streams arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceptionReport {
    pub ssrc: u32,
    /// Since the last report, in 256ths.
    pub lost: u8,
    /// In all, at most 23 bits.
    pub lost_in_all: u32,
    pub newest: u32,
    pub jitter: u32,
    pub last_report: u32,
    pub since: u32,
}

pub fn write_sender_report(out: &mut Vec<u8>, it: &SenderReport) {
    packet(out, SENDER_REPORT, 0, |out| {
        out.extend(it.ssrc.to_be_bytes());
        out.extend(it.ntp.to_be_bytes());
        for word in [it.timestamp, it.packets, it.octets] {
            out.extend(word.to_be_bytes());
        }
    });
}

/// `reports`: the first 31 count, as the format has it.
pub fn write_receiver_report(out: &mut Vec<u8>, sender: u32, reports: &[ReceptionReport]) {
    let reports = &reports[..reports.len().min(31)];
    packet(out, RECEIVER_REPORT, reports.len() as u8, |out| {
        out.extend(sender.to_be_bytes());
        for it in reports {
            let lost = u32::from(it.lost) << 24 | it.lost_in_all.min(0x7f_ffff);
            for word in [it.ssrc, lost, it.newest, it.jitter, it.last_report, it.since] {
                out.extend(word.to_be_bytes());
            }
        }
    });
}

pub fn write_keyframe_request(out: &mut Vec<u8>, sender: u32, ssrc: u32) {
    packet(out, PAYLOAD_FEEDBACK, PLI, |out| {
        out.extend(sender.to_be_bytes());
        out.extend(ssrc.to_be_bytes());
    });
}

/// `sequences`: in order.
pub fn write_missing(out: &mut Vec<u8>, sender: u32, ssrc: u32, sequences: &[u16]) {
    packet(out, TRANSPORT_FEEDBACK, NACK, |out| {
        out.extend(sender.to_be_bytes());
        out.extend(ssrc.to_be_bytes());
        let mut rest = sequences;
        while let Some((first, after)) = rest.split_first() {
            let mut more = 0_u16;
            rest = after;
            while let Some((next, after)) = rest.split_first() {
                let step = next.wrapping_sub(*first);
                if !(1..=16).contains(&step) {
                    break;
                }
                more |= 1 << (step - 1);
                rest = after;
            }
            out.extend(first.to_be_bytes());
            out.extend(more.to_be_bytes());
        }
    });
}

/// Arrivals kept: what comes in a quarter of a second at 20 Mbit/s, or in this time, in ms. One that
/// comes later than others may have been told to be lost; the next message takes that back.
const ARRIVALS_MAX: usize = 512;
const ARRIVALS_MS: u64 = 500;

/// Steps of time in transport-wide feedback, in µs: of an arrival, and of the time they all begin at.
const STEP_US: u64 = 250;
const REFERENCE_US: u64 = 64_000;

/// Remembers when packets with a transport-wide number arrived, and tells it to their sender, whose
/// congestion control lives on it.
#[derive(Clone, Debug, Default)]
pub struct Arrivals {
    /// By number, which goes on past 16 bits.
    seen: VecDeque<(u64, MediaTime)>,
    /// Where the next message begins: after the last that was told, or at one that came late.
    next: Option<u64>,
    /// Whether anything has come since the last message.
    is_fresh: bool,
    told: u8,
}

impl Arrivals {
    pub fn note(&mut self, number: u16, now: MediaTime) {
        let near = self.seen.back().map(|it| it.0).or(self.next);
        let number = near.map_or(0x1_0000 + u64::from(number), |near| {
            let ahead = number.wrapping_sub(near as u16) as i16;
            near.saturating_add_signed(i64::from(ahead))
        });
        let is_told = |it: u64| self.next.is_some_and(|next| it < next);
        while self.seen.front().is_some_and(|it| {
            let is_old = is_told(it.0) && ARRIVALS_MS <= now.since_ms(it.1);
            is_old || ARRIVALS_MAX <= self.seen.len()
        }) {
            self.seen.pop_front();
        }
        let at = self.seen.iter().rposition(|it| it.0 <= number).map_or(0, |it| it + 1);
        let is_known = at != 0 && self.seen[at - 1].0 == number;
        // With none before it that is remembered it may have been told to have come.
        if is_known || at == 0 && is_told(number) {
            return;
        }
        self.seen.insert(at, (number, now));
        self.next = self.next.map(|it| it.min(number));
        self.is_fresh = true;
    }

    pub fn is_empty(&self) -> bool {
        !self.is_fresh
    }

    /// Writes what has arrived since it was last written, and again what came after one that was late.
    pub fn write(&mut self, out: &mut Vec<u8>, sender: u32, ssrc: u32) {
        let Some(last) = self.seen.back().map(|it| it.0).filter(|_| self.is_fresh) else { return };
        let begun = self.next;
        (self.next, self.is_fresh) = (Some(last + 1), false);
        let untold = || self.seen.iter().filter(|it| begun.is_none_or(|begun| begun <= it.0));
        let Some(first) = untold().next().map(|it| it.0) else { return };
        // What was lost before the first of these is told too, if it is not too long ago.
        let base = begun.filter(|it| first - it < 0x2000).unwrap_or(first);
        let count = (last - base + 1) as usize;
        if 0x4000 < count {
            return;
        }
        let earliest = untold().map(|it| it.1).min().unwrap_or_default();
        let reference = earliest.as_us() / REFERENCE_US;
        let mut at = reference * REFERENCE_US / STEP_US;
        let mut symbols = vec![0_u8; count];
        let mut deltas = Vec::with_capacity(self.seen.len() * 2);
        for (number, arrived) in untold() {
            let step = arrived.as_us() / STEP_US;
            let delta = (step as i64 - at as i64).clamp(i64::from(i16::MIN), i64::from(i16::MAX));
            at = step;
            let symbol = &mut symbols[(number - base) as usize];
            match u8::try_from(delta) {
                Ok(small) => {
                    *symbol = 1;
                    deltas.push(small);
                }
                Err(_) => {
                    *symbol = 2;
                    deltas.extend((delta as i16).to_be_bytes());
                }
            }
        }
        packet(out, TRANSPORT_FEEDBACK, TRANSPORT_WIDE, |out| {
            out.extend(sender.to_be_bytes());
            out.extend(ssrc.to_be_bytes());
            out.extend((base as u16).to_be_bytes());
            out.extend((count as u16).to_be_bytes());
            out.extend(&(reference as u32).to_be_bytes()[1..]);
            out.push(self.told);
            write_symbols(out, &symbols);
            out.extend(deltas);
        });
        self.told = self.told.wrapping_add(1);
    }
}

/// Runs of one symbol where they are long, else seven symbols in a word.
fn write_symbols(out: &mut Vec<u8>, symbols: &[u8]) {
    let mut rest = symbols;
    while let Some(first) = rest.first() {
        let run = rest.iter().take_while(|it| *it == first).count().min(0x1fff);
        if 7 <= run || run == rest.len() {
            out.extend((u16::from(*first) << 13 | run as u16).to_be_bytes());
            rest = &rest[run..];
        } else {
            let seven = rest.iter().take(7).chain(std::iter::repeat(&0)).take(7);
            let word = seven.fold(0b11, |word: u16, it| word << 2 | u16::from(*it));
            out.extend(word.to_be_bytes());
            rest = &rest[rest.len().min(7)..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rtc::{
        rtcp::{
            payload_feedbacks::{
                full_intra_request::{FirEntry, FullIntraRequest},
                picture_loss_indication::PictureLossIndication,
                receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate,
            },
            receiver_report::ReceiverReport,
            reception_report::ReceptionReport as TheirReport,
            sender_report::SenderReport as TheirSenderReport,
            transport_feedbacks::{
                transport_layer_cc::TransportLayerCc,
                transport_layer_nack::{NackPair, TransportLayerNack},
            },
        },
        shared::marshal::{Marshal, Unmarshal},
    };

    fn told(packet: &impl Marshal) -> Vec<Feedback> {
        let mut all = vec![];
        read(&packet.marshal().unwrap(), |it| all.push(it));
        all
    }

    #[test]
    fn what_others_write_is_understood() {
        let pli = PictureLossIndication { sender_ssrc: 1, media_ssrc: 7 };
        assert_eq!(told(&pli), [Feedback::KeyframeWanted { ssrc: 7 }]);
        let fir = [FirEntry { ssrc: 8, sequence_number: 3 }].into();
        let fir = FullIntraRequest { sender_ssrc: 1, media_ssrc: 0, fir };
        assert_eq!(told(&fir), [Feedback::KeyframeWanted { ssrc: 8 }]);
        let nacks = vec![NackPair { packet_id: 65_534, lost_packets: 0b101 }];
        let nack = TransportLayerNack { sender_ssrc: 1, media_ssrc: 7, nacks };
        assert_eq!(
            told(&nack),
            [Feedback::Missing { ssrc: 7, sequences: vec![65_534, 65_535, 1] }]
        );
        let remb = ReceiverEstimatedMaximumBitrate {
            sender_ssrc: 1,
            bitrate: 1_000_000.0,
            ssrcs: vec![7],
        };
        assert_eq!(told(&remb), [Feedback::Estimate { bits_per_s: 1_000_000 }]);
        let report = TheirReport {
            ssrc: 7,
            fraction_lost: 26,
            last_sender_report: 5,
            delay: 6,
            ..Default::default()
        };
        let reports = vec![report];
        let arrival = Feedback::Arrival { ssrc: 7, lost: 26, last_report: 5, since: 6 };
        assert_eq!(
            told(&ReceiverReport { ssrc: 1, reports: reports.clone(), ..Default::default() }),
            std::slice::from_ref(&arrival)
        );
        let sender = TheirSenderReport {
            ssrc: 3,
            ntp_time: 1 << 40,
            rtp_time: 9,
            reports,
            ..Default::default()
        };
        assert_eq!(
            told(&sender),
            [Feedback::Clock { ssrc: 3, ntp: 1 << 40, timestamp: 9 }, arrival]
        );
    }

    #[test]
    fn others_understand_what_we_write() {
        let mut out = vec![];
        let report = ReceptionReport {
            ssrc: 7,
            lost: 26,
            lost_in_all: 300,
            newest: 70_000,
            jitter: 5,
            last_report: 8,
            since: 9,
        };
        write_sender_report(
            &mut out,
            &SenderReport { ssrc: 3, ntp: 1 << 40, timestamp: 9, packets: 4, octets: 500 },
        );
        write_receiver_report(&mut out, 1, &[report]);
        write_keyframe_request(&mut out, 1, 7);
        write_missing(&mut out, 1, 7, &[10, 11, 26, 27, 500]);
        let mut raw = &out[..];
        let packets = rtc::rtcp::packet::unmarshal(&mut raw).unwrap();
        let sender = packets[0].as_any().downcast_ref::<TheirSenderReport>().unwrap();
        assert_eq!((sender.ntp_time, sender.packet_count, sender.octet_count), (1 << 40, 4, 500));
        let receiver = packets[1].as_any().downcast_ref::<ReceiverReport>().unwrap();
        let it = &receiver.reports[0];
        assert_eq!(
            (it.fraction_lost, it.total_lost, it.last_sequence_number, it.delay),
            (26, 300, 70_000, 9)
        );
        assert_eq!(
            packets[2].as_any().downcast_ref::<PictureLossIndication>().unwrap().media_ssrc,
            7
        );
        let nack = packets[3].as_any().downcast_ref::<TransportLayerNack>().unwrap();
        let asked: Vec<_> = nack.nacks.iter().flat_map(|it| it.packet_list()).collect();
        assert_eq!(asked, [10, 11, 26, 27, 500]);
    }

    #[test]
    fn who_comes_late_is_no_longer_told_to_be_lost() {
        let mut arrivals = Arrivals::default();
        let mut told = |numbers: &[u16], at_ms: u64| {
            numbers.iter().for_each(|it| arrivals.note(*it, MediaTime::from_ms(at_ms)));
            let mut out = vec![];
            arrivals.write(&mut out, 1, 7);
            let told = if out.is_empty() { vec![] } else { arrivals_in(&out) };
            told.into_iter().map(|it| it.0).collect::<Vec<_>>()
        };
        assert_eq!(told(&[65_534, 65_535, 1], 5_000), [65_534, 65_535, 1]);
        assert_eq!(told(&[0, 2], 5_100), [0, 1, 2], "what is told again does no harm");
        assert_eq!(told(&[3], 5_200), [3]);
        assert_eq!(told(&[4, 1, 4], 5_300), [4], "twice is once");
        assert_eq!(told(&[6], 6_000), [6]);
        assert_eq!(told(&[8], 6_100), [8]);
        assert_eq!(told(&[65_000], 6_200), [] as [u16; 0], "of long ago");
    }

    /// The numbers that a message says have come, and when, in µs.
    fn arrivals_in(message: &[u8]) -> Vec<(u16, u64)> {
        let message = TransportLayerCc::unmarshal(&mut &message[..]).unwrap();
        let mut at = u64::from(message.reference_time) * 64_000;
        let mut deltas = message.recv_deltas.iter();
        let mut number = message.base_sequence_number;
        let mut symbols = vec![];
        for chunk in &message.packet_chunks {
            match chunk {
                rtc::rtcp::transport_feedbacks::transport_layer_cc::PacketStatusChunk::RunLengthChunk(it) => {
                    symbols.extend(vec![it.packet_status_symbol as u8; it.run_length as usize]);
                }
                rtc::rtcp::transport_feedbacks::transport_layer_cc::PacketStatusChunk::StatusVectorChunk(it) => {
                    symbols.extend(it.symbol_list.iter().map(|it| *it as u8));
                }
            }
        }
        let mut read = vec![];
        for symbol in symbols.iter().take(message.packet_status_count as usize) {
            if *symbol != 0 {
                let delta = deltas.next().unwrap();
                at = at.saturating_add_signed(delta.delta);
                read.push((number, at));
            }
            number = number.wrapping_add(1);
        }
        read
    }

    proptest! {
        /// Whatever arrives when, and in whatever order, the sender learns of each packet whether
        /// it came and when, to a quarter of a millisecond.
        #[test]
        fn arrivals_are_told_exactly(
            first in any::<u16>(),
            steps in prop::collection::vec((prop::option::of(0u64..70_000), 0usize..3), 1..200),
        ) {
            let (mut arrivals, mut now, mut came) = (Arrivals::default(), MediaTime::from_ms(5_000), vec![]);
            for (index, (gap_us, late)) in steps.iter().enumerate() {
                if let Some(gap_us) = gap_us {
                    now = MediaTime::from_us(now.as_us() + gap_us / 8);
                    came.push((first.wrapping_add(index as u16), now, *late));
                }
            }
            for it in &came {
                arrivals.note(it.0, it.1);
            }
            let mut out = vec![];
            arrivals.write(&mut out, 1, 7);
            if came.is_empty() {
                prop_assert!(out.is_empty());
                return Ok(());
            }
            let read = arrivals_in(&out);
            let expected: Vec<_> = came.iter().map(|it| (it.0, it.1.as_us() / 250 * 250)).collect();
            prop_assert_eq!(read, expected);
        }

        #[test]
        fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..64), kind in 0usize..5) {
            let mut bytes = bytes;
            if let Some(head) = bytes.first_chunk_mut::<4>() {
                *head = [0x81 + (kind as u8 & 3), [200, 201, 205, 206, 206][kind], 0, 3];
            }
            read(&bytes, |_| ());
        }
    }
}
