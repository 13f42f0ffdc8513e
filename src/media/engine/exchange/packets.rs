//! The way of one datagram: whose it is, what it is, and, for media, opened once, given its numbers
//! for each subscriber, sealed in place. Network bytes never panic here: what is not right is
//! counted and forgotten.

use core::net::SocketAddr;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use crate::{
    domain::ids::ParticipantId,
    media::engine::{
        cache::Cached,
        exchange::{
            Exchange, GREETINGS_MAX, MediaEvent, Outside, PeerKey, TappedPacket, WAYS_MAX, Way,
            count,
            peer::{Edge, Line, Peer, STREAMS_MAX, Seat, Stream},
        },
        rtcp,
        rtp::{self, Header, Written},
        sdp,
        slot::{Incoming, Layer, WHOLE},
        srtp::SEAL_BYTES_MAX,
        stun::BindingRequest,
        time::MediaTime,
        vp8::{self, Numbers, Shift},
    },
};

/// How soon something that waits is looked at again, in ms.
const SOON_MS: u64 = 20;

/// Layers that appear one after another are looked at together, in ms.
const LOOK_EVERY_MS: u64 = 30;

/// Who was heard so lately is there, in ms.
const HERE_MS: u64 = 5_000;

/// A media packet, opened.
struct Media<'a> {
    line: Line,
    incoming: Incoming,
    marker: bool,
    payload: &'a [u8],
    /// Not worth sending: nobody speaks, or it is padding.
    is_silent: bool,
}

/// A packet that a subscriber lacks.
pub(super) struct Missed<'a> {
    pub line: Line,
    pub seat: Seat,
    /// As the subscriber knows it.
    pub sequence: u16,
    /// From the publisher's cache, and the SSRC it came with.
    pub original: Cached<'a>,
    pub source: u32,
}

impl Exchange {
    /// One datagram. `from`: its way; `address`: whence the network says it came. Its bytes are
    /// written over.
    pub fn datagram(
        &mut self,
        now: MediaTime,
        from: Way,
        address: SocketAddr,
        bytes: &mut [u8],
        out: &mut impl Outside,
    ) {
        // RFC 7983: the first byte tells.
        let done = match bytes {
            [0..=3, ..] => self.binding(now, from, address, bytes, out),
            [20..=63, ..] => self.greeting(from, bytes, out),
            [128..=191, 192..=223, ..] => self.control(now, from, bytes, out),
            [128..=191, ..] => self.media(now, from, bytes, out),
            _ => None,
        };
        if done.is_none() {
            self.strays += 1;
        }
    }

    /// A datagram of a handshake. They are dear, so a peer has only so many, with all its repetitions.
    fn greeting(&mut self, from: Way, bytes: &[u8], out: &mut impl Outside) -> Option<()> {
        let key = *self.by_way.get(&from)?;
        let peer = self.peer_mut(key).filter(|it| it.greetings < GREETINGS_MAX)?;
        peer.greetings += 1;
        out.handshake(key, bytes);
        Some(())
    }

    /// ICE-lite: whoever knows the password of a peer reaches it from here.
    fn binding(
        &mut self,
        now: MediaTime,
        from: Way,
        address: SocketAddr,
        bytes: &[u8],
        out: &mut impl Outside,
    ) -> Option<()> {
        let request = BindingRequest::read(bytes)?;
        let key = *self.by_ufrag.get(request.ufrag)?;
        let peer = self.peer_mut(key)?;
        let (_, password) = peer.passwords.iter().find(|it| it.0 == request.ufrag)?;
        if !request.is_from_who_knows(password) {
            return None;
        }
        let answer = request.answer(address, password);
        if request.bytes() < answer.len() {
            return None; // the port must not amplify
        }
        // An address may be used by another connection of the same browser later, but nobody takes it
        // from one who is there.
        let before = self.by_way.get(&from).copied().filter(|it| *it != key);
        if let Some(before) = before.and_then(|it| self.peer_mut(it)) {
            if before.way == Some(from) && now.since_ms(before.heard_at) < HERE_MS {
                return None;
            }
            before.leave(from);
        }
        self.by_way.insert(from, key);
        let peer = self.peer_mut(key)?;
        peer.heard_at = now;
        if request.nominates || peer.way.is_none() {
            peer.way = Some(from);
        }
        if peer.ways.back() != Some(&from) {
            peer.ways.retain(|it| *it != from);
            peer.ways.push_back(from);
            let oldest = peer.ways.iter().position(|it| peer.way != Some(*it));
            let is_full = WAYS_MAX < peer.ways.len();
            if let Some(oldest) = oldest.filter(|_| is_full).and_then(|it| peer.ways.remove(it)) {
                self.by_way.remove(&oldest);
            }
        }
        out.send(from, answer.len(), |buffer| {
            buffer.copy_from_slice(&answer);
            Some(answer.len())
        });
        Some(())
    }

    fn control(
        &mut self,
        now: MediaTime,
        from: Way,
        bytes: &mut [u8],
        out: &mut impl Outside,
    ) -> Option<()> {
        let key = *self.by_way.get(&from)?;
        let peer = self.peer_mut(key)?;
        let end = peer.opener.as_mut()?.control(bytes)?;
        peer.heard_at = now;
        let mut told = Vec::new();
        rtcp::read(&bytes[..end], |it| told.push(it));
        told.into_iter().for_each(|it| self.feedback(now, key, it, out));
        Some(())
    }

    fn media(
        &mut self,
        now: MediaTime,
        from: Way,
        bytes: &mut [u8],
        out: &mut impl Outside,
    ) -> Option<()> {
        let key = *self.by_way.get(&from)?;
        let peer = self.peers.get_mut(key.index as usize)?.as_mut()?;
        let header = Header::read(bytes)?;
        let opener = peer.opener.as_mut()?;
        let mut end = opener.media(bytes, header.bytes, header.ssrc, header.sequence)?;
        let packet = &bytes[..end];
        peer.heard_at = now;
        count(&peer.counters.received, 1);
        if header.padded {
            let padding = usize::from(*packet.last()?);
            end = end.checked_sub(padding).filter(|it| header.bytes <= *it)?;
        }
        let packet = &packet[..end];
        if let Some(number) = header.extension(packet, sdp::TRANSPORT_WIDE) {
            peer.arrivals.note(u16::from_be_bytes(*number.first_chunk()?), now);
            peer.due = peer.due.min(now + SOON_MS);
        }
        let (line, is_repair) = Line::of(header.payload_type)?;
        let mut payload = &packet[header.bytes..];
        let (stream, sequence, is_new) = if is_repair {
            let stream = peer.repaired_by(line, &header, packet)?;
            let (sequence, rest) = payload.split_first_chunk::<2>()?;
            payload = rest;
            (stream, u16::from_be_bytes(*sequence), false)
        } else {
            let (stream, is_new) = peer.stream_of(line, &header, packet)?;
            (stream, header.sequence, is_new)
        };
        let stream = &mut peer.streams[stream];
        let arrived = stream.reception.packet(now, sequence, header.timestamp);
        if arrived.again {
            return Some(()); // a probe's filling, or a repair that crossed what it repairs
        }
        stream.last_at = now;
        stream.missed_pictures = 0;
        // What is repaired belongs to a picture that has been counted.
        let later = |last: u32| (1..0x8000_0000).contains(&header.timestamp.wrapping_sub(last));
        let begins = stream.last_timestamp.is_none_or(later);
        if begins {
            stream.last_timestamp = Some(header.timestamp);
        }
        stream.bytes += payload.len() as u64;
        if arrived.missing {
            peer.due = peer.due.min(now + SOON_MS);
        }
        let (ssrc, layer, timestamp) = (stream.ssrc, stream.layer, header.timestamp);
        let ticks_per_ms = line.kind().ticks_per_ms();
        let told = stream.reception.told();
        let captured = told.and_then(|it| peer.clock.captured(now, it, timestamp, ticks_per_ms));
        if begins && line == Line::Camera {
            peer.miss_pictures_above(layer);
        }
        let mut is_silent = payload.is_empty();
        let hushed = || peer.gates.hushed.load(Ordering::Relaxed);
        if line == Line::Microphone && (!peer.sound.take(now, payload.len()) || hushed()) {
            is_silent = true; // and is neither measured nor listened to
        } else if line == Line::Microphone {
            let value = header.extension(packet, sdp::LEVEL).and_then(|it| it.first());
            let level_dbov = value.map(|it| -((it & 0x7f) as i8));
            let voice = match level_dbov {
                Some(level_dbov) => peer.detector.level(now, level_dbov),
                None => peer.detector.quiet(now),
            };
            is_silent |= level_dbov.is_some_and(|it| peer.detector.is_silent(now, it));
            if peer.gates.listened.load(Ordering::Relaxed) && !payload.is_empty() {
                let payload = Bytes::copy_from_slice(payload);
                let packet = TappedPacket { sequence, timestamp, payload };
                out.heard(peer.session, peer.participant, packet);
            }
            if let Some(on) = voice {
                self.voice(now, key, on, out);
            }
        }
        let (keyframe, numbers) = match line {
            Line::Microphone => (true, Numbers::default()),
            Line::Camera | Line::Screen => (vp8::begins_keyframe(payload), vp8::numbers(payload)),
        };
        let at = now;
        let incoming =
            Incoming { ssrc, sequence, timestamp, at, captured, numbers, keyframe, layer };
        let media = Media { line, incoming, marker: header.marker, payload, is_silent };
        self.forward(now, key, &media, out);
        if arrived.broken && line != Line::Microphone {
            self.ask_keyframe(now, key, line, layer, out);
        }
        if is_new && line == Line::Camera && self.may_look_anew(now, key) {
            self.layer_appeared(now, key, out);
        }
        Some(())
    }

    /// To everybody who receives the publisher.
    fn forward(&mut self, now: MediaTime, key: PeerKey, media: &Media<'_>, out: &mut impl Outside) {
        let Some(peer) = self.peers.get_mut(key.index as usize).and_then(Option::as_mut) else {
            return;
        };
        let Incoming { ssrc, sequence, timestamp, .. } = media.incoming;
        if !media.is_silent
            && let Some(stream) = peer.streams.iter_mut().find(|it| it.ssrc == ssrc)
        {
            stream.cache.put(sequence, timestamp, media.marker, media.payload);
        }
        let publisher = peer.participant;
        // Taken out while others are written to, and put back.
        let edges = std::mem::take(peer.edges_of(media.line));
        let (mut forwarded, mut asked) = (0, [false; WHOLE as usize + 1]);
        for Edge { to, seat } in &edges {
            let Some(to) = self.peers.get_mut(*to as usize).and_then(Option::as_mut) else {
                continue;
            };
            forwarded += u64::from(to.receive(now, *seat, publisher, media, out));
            let wanted = match (media.line, seat) {
                (Line::Microphone, _) => None,
                _ if !to.is_ready() => None,
                (_, Seat::Slot(slot)) => to.slots[*slot].video.slot.wants_keyframe(),
                (_, Seat::Screen) => to.screen.slot.wants_keyframe(),
            };
            if let Some(layer) = wanted {
                asked[usize::from(layer)] = true;
            }
        }
        if let Some(peer) = self.peers.get_mut(key.index as usize).and_then(Option::as_mut) {
            let counter =
                if media.is_silent { &peer.counters.silent } else { &peer.counters.forwarded };
            count(counter, if media.is_silent { edges.len() as u64 } else { forwarded });
            *peer.edges_of(media.line) = edges;
        }
        for layer in (0..=WHOLE).filter(|it| asked[usize::from(*it)]) {
            self.ask_keyframe(now, key, media.line, layer, out);
        }
    }

    fn voice(&mut self, now: MediaTime, key: PeerKey, on: bool, out: &mut impl Outside) {
        let Some(peer) = self.peer(key) else { return };
        let (session, participant) = (peer.session, peer.participant);
        let Some(known) = self.sessions.get_mut(&session) else { return };
        let mut changes = Vec::new();
        if on {
            known.router.spoke(participant, now, &mut changes);
        } else {
            known.router.ended(participant, now);
        }
        if !changes.is_empty() {
            self.perform(now, session, &changes, out);
        }
        out.event(session, MediaEvent::Voice { participant, on });
    }

    /// Time has passed for one who may have stopped to send.
    pub(super) fn listen_for_end(&mut self, now: MediaTime, key: PeerKey, out: &mut impl Outside) {
        let ended = self.peer_mut(key).and_then(|it| it.detector.quiet(now));
        if let Some(on) = ended {
            self.voice(now, key, on, out);
        }
    }

    /// Looking for all subscribers is dear: at most as often as it is done anyway.
    fn may_look_anew(&mut self, now: MediaTime, key: PeerKey) -> bool {
        let Some(peer) = self.peer_mut(key) else { return false };
        let may = LOOK_EVERY_MS <= now.since_ms(peer.looked_at);
        if may {
            peer.looked_at = now;
        }
        may
    }

    /// A layer of a camera flows that did not: its subscribers may want it.
    fn layer_appeared(&mut self, now: MediaTime, key: PeerKey, out: &mut impl Outside) {
        let edges = self.peer(key).map(|it| it.edges.clone()).unwrap_or_default();
        for edge in edges {
            let to = self.peers.get(edge.to as usize).and_then(Option::as_ref).map(|it| it.key);
            if let Some(to) = to {
                self.choose_layers(now, to, out);
            }
        }
    }
}

impl Peer {
    fn edges_of(&mut self, line: Line) -> &mut Vec<Edge> {
        match line {
            Line::Screen => &mut self.screen_edges,
            Line::Microphone | Line::Camera => &mut self.edges,
        }
    }

    /// A layer of the camera has brought a picture.
    fn miss_pictures_above(&mut self, layer: Layer) {
        let larger = |it: &&mut Stream| it.line == Line::Camera && layer < it.layer;
        let larger = self.streams.iter_mut().filter(larger);
        larger.for_each(|it| it.missed_pictures = it.missed_pictures.saturating_add(1));
    }

    /// The stream a packet belongs to, and whether it is a new one. `None`: its SSRC is that of another
    /// line.
    fn stream_of(&mut self, line: Line, header: &Header, packet: &[u8]) -> Option<(usize, bool)> {
        if let Some(known) = self.streams.iter().position(|it| it.ssrc == header.ssrc) {
            return (self.streams[known].line == line).then_some((known, false));
        }
        let layer = match line {
            Line::Camera => layer_named(header.extension(packet, sdp::RID)).unwrap_or(WHOLE),
            Line::Microphone | Line::Screen => WHOLE,
        };
        let repair = self.repairs.iter().find(|it| it.0 == header.ssrc).map(|it| it.1);
        // A browser that begins anew leaves its old stream behind.
        self.streams.retain(|it| it.line != line || it.layer != layer);
        if STREAMS_MAX <= self.streams.len() {
            self.streams.remove(0);
        }
        let mut stream = Stream::new(line, layer, header.ssrc, repair, header.sequence);
        if let Some(early) = self.early_reports.iter().position(|it| it.0 == header.ssrc) {
            stream.reception.tell(self.early_reports.swap_remove(early).1);
        }
        self.streams.push(stream);
        Some((self.streams.len() - 1, true))
    }

    /// The stream that a repair (RTX, RFC 4588) belongs to: by what the answer said, by what it says
    /// itself (RFC 8852), or because there is only one.
    fn repaired_by(&mut self, line: Line, header: &Header, packet: &[u8]) -> Option<usize> {
        let is_known = |it: &Stream| it.repair == Some(header.ssrc) && it.line == line;
        let known = self.streams.iter().position(is_known);
        if known.is_some() {
            return known;
        }
        let layer = layer_named(header.extension(packet, sdp::REPAIRED_RID));
        let mut fitting = (0..self.streams.len()).filter(|it| {
            let stream = &self.streams[*it];
            stream.line == line && layer.is_none_or(|layer| stream.layer == layer)
        });
        let found = fitting.next().filter(|_| fitting.next().is_none())?;
        self.streams[found].repair = Some(header.ssrc);
        Some(found)
    }

    /// One packet of a publisher who sits in one of our slots. Returns whether it went on.
    fn receive(
        &mut self,
        now: MediaTime,
        seat: Seat,
        publisher: ParticipantId,
        media: &Media<'_>,
        out: &mut impl Outside,
    ) -> bool {
        let (Some(sealer), Some(way)) = (&mut self.sealer, self.way) else { return false };
        let outflow = match (seat, media.line) {
            (Seat::Slot(slot), Line::Microphone) => &mut self.slots[slot].audio,
            (Seat::Slot(slot), _) => &mut self.slots[slot].video,
            (Seat::Screen, _) => &mut self.screen,
        };
        let Incoming { ssrc, sequence, .. } = media.incoming;
        if media.is_silent {
            outflow.slot.skip(publisher, ssrc, sequence);
            return false;
        }
        let Some(numbers) = outflow.slot.pass(publisher, media.incoming) else {
            return false;
        };
        let header = Written {
            marker: media.marker,
            payload_type: media.line.payload_type(),
            sequence: numbers.sequence,
            timestamp: numbers.timestamp,
            ssrc: outflow.ssrc,
            extension: sent_at(media.line, now),
        };
        outflow.packets = outflow.packets.wrapping_add(1);
        outflow.octets = outflow.octets.wrapping_add(media.payload.len() as u32);
        self.sent_bytes += media.payload.len() as u64;
        let start = header.bytes();
        let number = outflow.number;
        out.send(way, start + media.payload.len() + SEAL_BYTES_MAX, |buffer| {
            header.write(buffer);
            let payload = &mut buffer[start..start + media.payload.len()];
            payload.copy_from_slice(media.payload);
            if numbers.shift != Shift::default() {
                vp8::renumber(payload, numbers.shift);
            }
            sealer.media(buffer, start, number, header.ssrc, header.sequence, false)
        });
        true
    }

    /// Sends again what was missing. Video goes in a stream of its own (RTX), sound as it was.
    pub(super) fn repair(
        &mut self,
        now: MediaTime,
        missed: &Missed<'_>,
        out: &mut impl Outside,
    ) -> bool {
        let Missed { line, seat, sequence, original, source } = missed;
        let (Some(sealer), Some(way)) = (&mut self.sealer, self.way) else { return false };
        let outflow = match (seat, line) {
            (Seat::Slot(slot), Line::Microphone) => &mut self.slots[*slot].audio,
            (Seat::Slot(slot), _) => &mut self.slots[*slot].video,
            (Seat::Screen, _) => &mut self.screen,
        };
        let Some(timestamp) = outflow.slot.timestamp_of(*source, original.timestamp) else {
            return false;
        };
        let shift = outflow.slot.shift_of(*source);
        let mut header = Written {
            marker: original.marker,
            payload_type: line.payload_type(),
            sequence: *sequence,
            timestamp,
            ssrc: outflow.ssrc,
            extension: sent_at(*line, now),
        };
        let (mut prefix, mut number) = (&[][..], outflow.number);
        let original_sequence = sequence.to_be_bytes();
        let is_sound = *line == Line::Microphone;
        if !is_sound {
            outflow.repair_sequence = outflow.repair_sequence.wrapping_add(1);
            header.payload_type += 1; // the repair's is the next of each
            header.sequence = outflow.repair_sequence;
            header.ssrc = outflow.repair_ssrc;
            prefix = &original_sequence;
            number += 1;
        }
        self.sent_bytes += original.payload.len() as u64;
        let start = header.bytes();
        let bytes = start + prefix.len() + original.payload.len();
        out.send(way, bytes + SEAL_BYTES_MAX, |buffer| {
            header.write(buffer);
            let (before, after) = buffer[start..bytes].split_at_mut(prefix.len());
            before.copy_from_slice(prefix);
            after.copy_from_slice(original.payload);
            if shift != Shift::default() {
                vp8::renumber(after, shift);
            }
            sealer.media(buffer, start, number, header.ssrc, header.sequence, is_sound)
        });
        true
    }
}

/// Browsers estimate from it what they can receive; sound is never held back, and has none.
fn sent_at(line: Line, now: MediaTime) -> Option<(u8, [u8; 3])> {
    (line != Line::Microphone).then(|| (sdp::SENT_AT, rtp::abs_send_time(now.as_us())))
}

fn layer_named(rid: Option<&[u8]>) -> Option<Layer> {
    let rid = rid?;
    sdp::RIDS.iter().position(|it| it.as_bytes() == rid).map(|it| it as Layer)
}
