//! What is said about packets, and when: what subscribers miss is sent again, what we miss is asked
//! for, keyframes are asked for once and not seven times, and everybody's congestion control is told
//! what it lives on. It moves no media of its own accord.

use crate::{
    domain::ids::ParticipantId,
    media::engine::{
        exchange::{
            Exchange, Outside, PeerKey, count,
            packets::Missed,
            peer::{Edge, Line, Outflow, Peer, REPAIRS_MAX, STREAMS_MAX, Seat},
        },
        reception::Report,
        rtcp::{self, Feedback, ReceptionReport, SenderReport},
        slot::{Layer, TrackKind, WHOLE},
        time::MediaTime,
    },
};

/// How soon what waits is looked at, in ms.
const SOON_MS: u64 = 20;

/// How often browsers are told when their packets arrived, in ms: as often as libwebrtc does it.
const ARRIVALS_EVERY_MS: u64 = 100;

/// How often rates are measured and layers chosen, in ms.
const MEASURE_EVERY_MS: u64 = 250;

/// How often reports are sent, in ms.
const REPORT_EVERY_MS: u64 = 1_000;

/// A share of fewer packets says nothing of a line.
const TELLING_PACKETS: u32 = 20;

/// A round trip that is longer is no call any more, in ms.
const ROUND_TRIP_MS_MAX: u64 = 2_000;

impl Exchange {
    /// What is due. To be called about every [`SOON_MS`].
    pub fn tick(&mut self, now: MediaTime, out: &mut impl Outside) {
        for index in 0..self.peers.len() {
            let Some(peer) = &self.peers[index] else { continue };
            if now < peer.due {
                continue;
            }
            let key = peer.key;
            if peer.gone_at() <= now {
                self.fail(key, out);
                continue;
            }
            self.serve(now, key, out);
        }
    }

    fn serve(&mut self, now: MediaTime, key: PeerKey, out: &mut impl Outside) {
        let mut compound = Vec::new();
        let Some(peer) = self.peer_mut(key) else { return };
        peer.ask_for_missing(now, &mut compound);
        if !peer.arrivals.is_empty() && ARRIVALS_EVERY_MS <= now.since_ms(peer.told_arrivals_at) {
            peer.told_arrivals_at = now;
            let ssrc = peer.streams.first().map_or(0, |it| it.ssrc);
            peer.arrivals.write(&mut compound, peer.secrets.own_ssrc, ssrc);
        }
        let is_measured = MEASURE_EVERY_MS <= now.since_ms(peer.measured_at);
        if is_measured {
            peer.measure(now);
        }
        let waits = !peer.arrivals.is_empty()
            || peer.streams.iter().any(|it| it.reception.is_missing_any());
        peer.due = now + if waits { SOON_MS } else { MEASURE_EVERY_MS };
        let is_reported = REPORT_EVERY_MS <= now.since_ms(peer.reported_at);
        if is_reported {
            peer.reported_at = now;
            peer.repairs_left = REPAIRS_MAX;
            self.report(now, key, &mut compound);
        }
        if is_measured {
            self.listen_for_end(now, key, out);
            self.choose_layers(now, key, out);
            self.ask_for_screen(now, key, out);
        }
        if let Some(peer) = self.peer_mut(key) {
            peer.say(compound, out);
        }
    }

    /// A screen that stands still sends nothing by which its new viewer would be noticed.
    fn ask_for_screen(&mut self, now: MediaTime, key: PeerKey, out: &mut impl Outside) {
        let Some(peer) = self.peer(key).filter(|it| it.is_ready()) else { return };
        let slot = &peer.screen.slot;
        let shown = slot.wants_keyframe().and(slot.publisher());
        let from = shown.and_then(|it| self.key_of(peer.session, it));
        if let Some(from) = from {
            self.ask_keyframe(now, from, Line::Screen, WHOLE, out);
        }
    }

    /// Sender reports of what we send, so that sound and picture stay together, and reception reports
    /// of what we receive. Sound is said to be lost as often as whoever hears it worst misses it: a
    /// browser puts a second copy of its sound (FEC, RFC 6716, 2.1.7) into its packets by that share
    /// alone, and its own way to us may lose nothing.
    fn report(&mut self, now: MediaTime, key: PeerKey, compound: &mut Vec<u8>) {
        let Some(peer) = self.peer_mut(key) else { return };
        peer.slots.iter_mut().for_each(|it| it.audio.weigh(TELLING_PACKETS));
        let Some(peer) = self.peer(key) else { return };
        let missed = |edge: &Edge| {
            let (to, Seat::Slot(slot)) = (self.peers.get(edge.to as usize)?.as_ref()?, edge.seat)
            else {
                return None;
            };
            Some(to.slots[slot].audio.missed_share)
        };
        let missed = peer.edges.iter().filter_map(missed).max().unwrap_or(0);
        let reports: Vec<_> =
            peer.outflows().filter_map(|it| self.sender_report(now, peer, it)).collect();
        let Some(peer) = self.peer_mut(key) else { return };
        for report in &reports {
            rtcp::write_sender_report(compound, report);
            if let Some(outflow) = peer.outflow_mut(report.ssrc) {
                outflow.reported = Some(((report.ntp >> 16) as u32, now));
            }
        }
        let receptions: Vec<ReceptionReport> = peer
            .streams
            .iter_mut()
            .filter(|it| it.flows(now))
            .map(|it| {
                let mut report = it.reception.report(now, it.ssrc);
                if it.line == Line::Microphone {
                    report.lost = report.lost.max(missed);
                }
                report
            })
            .collect();
        rtcp::write_receiver_report(compound, peer.secrets.own_ssrc, &receptions);
    }

    /// Capture, told on our own clock: the same for a publisher's sound and picture, and for whoever sits
    /// there next.
    fn sender_report(&self, now: MediaTime, to: &Peer, outflow: &Outflow) -> Option<SenderReport> {
        let (publisher, ssrc) = (outflow.slot.publisher()?, outflow.slot.source_ssrc()?);
        let from = self.peer(self.key_of(to.session, publisher)?)?;
        let stream = from.streams.iter().find(|it| it.ssrc == ssrc)?;
        let told = stream.reception.told()?;
        let captured = from.clock.ours(told.ntp)?;
        let past_us = now.since_us(told.at);
        let ticks = past_us * TrackKind::ticks_per_ms(stream.line.kind()) / 1_000;
        let timestamp = outflow.slot.clock_of(ssrc, told.timestamp)?;
        Some(SenderReport {
            ssrc: outflow.ssrc,
            ntp: self.here.ntp.wrapping_add(ntp_of(captured.as_us() + past_us)),
            timestamp: timestamp.wrapping_add(ticks as u32),
            packets: outflow.packets,
            octets: outflow.octets,
        })
    }

    /// One thing a peer has told.
    pub(super) fn feedback(
        &mut self,
        now: MediaTime,
        key: PeerKey,
        told: Feedback,
        out: &mut impl Outside,
    ) {
        let Some(peer) = self.peer_mut(key) else { return };
        match told {
            Feedback::Clock { ssrc, ntp, timestamp } => {
                peer.clock.told(now, ntp);
                let report = Report { ntp, timestamp, at: now };
                match peer.streams.iter_mut().find(|it| it.ssrc == ssrc) {
                    Some(stream) => stream.reception.tell(report),
                    None => peer.keep_early(ssrc, report),
                }
            }
            Feedback::Arrival { ssrc, lost, last_report, since } => {
                let Some(outflow) = peer.outflow_mut(ssrc) else { return };
                let reported = outflow.reported;
                let sent = outflow.packets.wrapping_sub(outflow.told_packets);
                outflow.told_packets = outflow.packets;
                if outflow.repair_ssrc != 0 && TELLING_PACKETS <= sent {
                    peer.line.lost(lost);
                }
                if let Some((_, at)) = reported.filter(|it| it.0 == last_report) {
                    let held_ms = u64::from(since) * 1_000 / 65_536;
                    peer.round_trip_ms =
                        now.since_ms(at).saturating_sub(held_ms).min(ROUND_TRIP_MS_MAX);
                }
            }
            Feedback::Estimate { bits_per_s } => peer.line.estimated(now, bits_per_s),
            Feedback::Missing { ssrc, sequences } => {
                if let Some(outflow) = peer.outflow_mut(ssrc) {
                    outflow.missed = outflow.missed.saturating_add(sequences.len() as u32);
                }
                self.send_again(now, key, ssrc, &sequences, out);
            }
            Feedback::KeyframeWanted { ssrc } => {
                let outflow = peer.outflows().find(|it| it.ssrc == ssrc);
                let origin = outflow.map(|it| (it.slot.publisher(), it.slot.source_ssrc()));
                let session = peer.session;
                if let Some((Some(publisher), Some(source))) = origin
                    && let Some(from) = self.key_of(session, publisher)
                    && let Some((line, layer)) = self.stream_named(from, source)
                {
                    self.ask_keyframe(now, from, line, layer, out);
                }
            }
        }
    }

    fn stream_named(&self, key: PeerKey, ssrc: u32) -> Option<(Line, Layer)> {
        let stream = self.peer(key)?.streams.iter().find(|it| it.ssrc == ssrc)?;
        Some((stream.line, stream.layer))
    }

    fn send_again(
        &mut self,
        now: MediaTime,
        key: PeerKey,
        ssrc: u32,
        sequences: &[u16],
        out: &mut impl Outside,
    ) {
        let Some(peer) = self.peer(key) else { return };
        let Some((seat, line)) = peer.seat_of(ssrc) else { return };
        let session = peer.session;
        for sequence in sequences {
            let Some(peer) = self.peer_mut(key).filter(|it| 0 < it.repairs_left) else { return };
            peer.repairs_left -= 1; // also for what is not found: looking is not free
            let Some((publisher, source, original)) = peer.origin(seat, line, *sequence) else {
                continue;
            };
            let Some(from) = self.key_of(session, publisher) else { continue };
            let both = [key.index as usize, from.index as usize];
            let Ok([Some(to), Some(from)]) = self.peers.get_disjoint_mut(both) else { continue };
            let stream = from.streams.iter().find(|it| it.ssrc == source);
            let Some(original) = stream.and_then(|it| it.cache.get(original)) else { continue };
            let missed = Missed { line, seat, sequence: *sequence, original, source };
            if to.repair(now, &missed, out) {
                count(&to.counters.repaired, 1);
            }
        }
    }

    /// Asks a publisher for a keyframe of one layer, if it flows and was not asked for just now.
    pub(super) fn ask_keyframe(
        &mut self,
        now: MediaTime,
        publisher: PeerKey,
        line: Line,
        layer: Layer,
        out: &mut impl Outside,
    ) {
        let Some(peer) = self.peer_mut(publisher) else { return };
        let stream = peer.streams.iter_mut().find(|it| it.line == line && it.layer == layer);
        let Some(stream) = stream.filter(|it| line == Line::Screen || it.flows(now)) else {
            return;
        };
        if stream.keyframes.want(now) {
            let (mut compound, ssrc) = (Vec::new(), stream.ssrc);
            rtcp::write_keyframe_request(&mut compound, peer.secrets.own_ssrc, ssrc);
            peer.say(compound, out);
        }
    }
}

impl Peer {
    fn keep_early(&mut self, ssrc: u32, report: Report) {
        self.early_reports.retain(|it| it.0 != ssrc);
        if STREAMS_MAX <= self.early_reports.len() {
            self.early_reports.remove(0);
        }
        self.early_reports.push((ssrc, report));
    }

    fn ask_for_missing(&mut self, now: MediaTime, compound: &mut Vec<u8>) {
        let mut missing = Vec::new();
        for stream in &mut self.streams {
            missing.clear();
            stream.reception.ask(now, self.round_trip_ms, &mut missing);
            if !missing.is_empty() {
                rtcp::write_missing(compound, self.secrets.own_ssrc, stream.ssrc, &missing);
            }
        }
    }

    fn measure(&mut self, now: MediaTime) {
        let past_ms = now.since_ms(self.measured_at).max(1);
        self.measured_at = now;
        // Half of what was, half of what is: a second is forgotten after another.
        let rate =
            |before: u64, bytes: &mut u64| (before + std::mem::take(bytes) * 8_000 / past_ms) / 2;
        self.sent_rate = rate(self.sent_rate, &mut self.sent_bytes);
        for stream in &mut self.streams {
            stream.rate = rate(stream.rate, &mut stream.bytes);
        }
    }

    fn seat_of(&self, ssrc: u32) -> Option<(Seat, Line)> {
        if self.screen.ssrc == ssrc {
            return Some((Seat::Screen, Line::Screen));
        }
        self.slots.iter().enumerate().find_map(|(slot, it)| match ssrc {
            _ if it.audio.ssrc == ssrc => Some((Seat::Slot(slot), Line::Microphone)),
            _ if it.video.ssrc == ssrc => Some((Seat::Slot(slot), Line::Camera)),
            _ => None,
        })
    }

    fn origin(&self, seat: Seat, line: Line, sequence: u16) -> Option<(ParticipantId, u32, u16)> {
        match (seat, line) {
            (Seat::Slot(slot), Line::Microphone) => self.slots[slot].audio.slot.origin(sequence),
            (Seat::Slot(slot), _) => self.slots[slot].video.slot.origin(sequence),
            (Seat::Screen, _) => self.screen.slot.origin(sequence),
        }
    }

    fn say(&mut self, compound: Vec<u8>, out: &mut impl Outside) {
        let (Some(sealer), Some(way)) = (&mut self.sealer, self.way) else { return };
        if compound.is_empty() {
            return;
        }
        if let Some(sealed) = sealer.control(compound) {
            out.send(way, sealed.len(), |buffer| {
                buffer.copy_from_slice(&sealed);
                Some(sealed.len())
            });
        }
    }
}

/// As much NTP time, in 2^-32 s.
fn ntp_of(us: u64) -> u64 {
    ((u128::from(us) << 32) / 1_000_000) as u64
}
