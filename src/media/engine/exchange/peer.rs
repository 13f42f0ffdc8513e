//! What the exchange knows of one peer: how it is reached, what it sends, and the slots in which it
//! receives. It decides nothing.

use std::{collections::VecDeque, sync::Arc};

use crate::{
    domain::{
        ids::ParticipantId,
        limits::SLOTS,
        view::{View, Wanted},
    },
    media::engine::{
        cache::PacketCache,
        exchange::{ANSWER_MS, Counters, Gates, Handshaken, PeerKey, SILENT_MS, SessionKey, Way},
        feedback::KeyframeRequests,
        layers::{self, Choice, LAYERS},
        level::SpeakingDetector,
        reception::{Reception, Report},
        rtcp::Arrivals,
        sdp::{self, Secrets},
        sender_clock::SenderClock,
        slot::{Layer, Slot, TrackKind},
        srtp::{Opener, Sealer},
        stun::Password,
        time::MediaTime,
    },
};

/// Streams one peer may send: microphone, three layers, a screen, and each once more after a change.
pub const STREAMS_MAX: usize = 12;

/// A quarter: a sender that prepares for more loss sends little else.
const MISSED_SHARE_MAX: u32 = 64;

/// Of the last second: sound, one layer of a camera, a screen, in bytes.
const AUDIO_CACHE_BYTES: usize = 12_000;
const VIDEO_CACHE_BYTES: [usize; LAYERS] = [24_000, 60_000, 160_000];
const SCREEN_CACHE_BYTES: usize = 240_000;

/// A layer of which nothing has come for so long does not flow, in ms.
const FLOWING_MS: u64 = 1_500;

/// Nor does one that has been silent for so long, in ms, while smaller layers of the same camera have
/// brought so many pictures: its sender has stopped it, and whoever waits for it sees a picture stand.
const STOPPED_MS: u64 = 400;
const STOPPED_PICTURES: u8 = 3;

/// What one microphone may send, in bytes a second with those around the payload, and at a time: several
/// times what browsers make of a voice, as everybody in a room gets all of it.
const SOUND_BYTES_PER_S: u64 = 30_000;
const SOUND_PACKET_BYTES: u64 = 60;

/// Packets sent again to one peer between two reports: what a lost third of a room's video is.
pub const REPAIRS_MAX: u32 = 400;

/// Which of a browser's lines a stream belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    Microphone,
    Camera,
    Screen,
}

impl Line {
    pub fn kind(self) -> TrackKind {
        match self {
            Line::Microphone => TrackKind::Audio,
            Line::Camera | Line::Screen => TrackKind::Video,
        }
    }

    /// By our payload types; and whether it is a repair.
    pub fn of(payload_type: u8) -> Option<(Line, bool)> {
        match payload_type {
            sdp::OPUS => Some((Line::Microphone, false)),
            sdp::CAMERA => Some((Line::Camera, false)),
            sdp::CAMERA_REPAIR => Some((Line::Camera, true)),
            sdp::SCREEN => Some((Line::Screen, false)),
            sdp::SCREEN_REPAIR => Some((Line::Screen, true)),
            _ => None,
        }
    }

    pub fn payload_type(self) -> u8 {
        match self {
            Line::Microphone => sdp::OPUS,
            Line::Camera => sdp::CAMERA,
            Line::Screen => sdp::SCREEN,
        }
    }
}

pub struct Peer {
    pub key: PeerKey,
    pub session: SessionKey,
    pub participant: ParticipantId,
    pub gates: Arc<Gates>,
    pub counters: Arc<Counters>,
    pub secrets: Secrets,
    /// Of each set of ICE credentials that holds, the newest last.
    pub passwords: Vec<(String, Password)>,
    pub version: u32,
    /// The number of its newest offer.
    pub offered: u32,
    /// Datagrams of its handshake.
    pub greetings: u32,
    /// Validated by ICE, the newest last; and the one we send to.
    pub ways: VecDeque<Way>,
    pub way: Option<Way>,
    pub heard_at: MediaTime,
    /// The certificate that the answer names; and a handshake that waits for it.
    pub expected: Option<[u8; 32]>,
    pub handshaken: Option<Handshaken>,
    pub opener: Option<Opener>,
    pub sealer: Option<Sealer>,

    pub repairs: Vec<(u32, u32)>,
    pub streams: Vec<Stream>,
    pub clock: SenderClock,
    /// Of streams of which no packet has come yet: Chromium tells of a stream before it begins.
    pub early_reports: Vec<(u32, Report)>,
    pub detector: SpeakingDetector,
    pub sound: Allowance,
    pub arrivals: Arrivals,
    pub edges: Vec<Edge>,
    pub screen_edges: Vec<Edge>,

    pub slots: [Received; SLOTS],
    pub screen: Outflow,
    pub view: View,
    pub line: layers::Line,
    pub round_trip_ms: u64,
    /// Since `measured_at`, in bytes; and the rate before, in bit/s.
    pub sent_bytes: u64,
    pub sent_rate: u64,
    pub repairs_left: u32,

    /// When something is to be done for it next, and when each regular thing was done last.
    pub due: MediaTime,
    pub told_arrivals_at: MediaTime,
    pub measured_at: MediaTime,
    pub reported_at: MediaTime,
    pub looked_at: MediaTime,
}

/// To whom a publisher's packets go.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    pub to: u32,
    pub seat: Seat,
}

#[derive(Clone, Copy, Debug)]
pub enum Seat {
    Slot(usize),
    Screen,
}

pub struct Received {
    pub audio: Outflow,
    pub video: Outflow,
}

/// One stream that we send.
pub struct Outflow {
    pub slot: Slot,
    pub ssrc: u32,
    /// Which of the peer's streams it is for the cipher; that which repairs it is the next.
    pub number: usize,
    pub repair_ssrc: u32,
    pub repair_sequence: u16,
    pub packets: u32,
    pub octets: u32,
    /// The last report of it: the middle of its NTP time, and when it was sent.
    pub reported: Option<(u32, MediaTime)>,
    /// Packets when the peer last told how they arrive.
    pub told_packets: u32,
    /// Packets the peer has asked for again since so many had been sent; and what share that was
    /// before, in 256ths.
    pub missed: u32,
    pub weighed_packets: u32,
    pub missed_share: u8,
}

/// One stream that the peer sends.
pub struct Stream {
    pub ssrc: u32,
    pub line: Line,
    pub layer: Layer,
    pub repair: Option<u32>,
    pub reception: Reception,
    pub cache: PacketCache,
    pub keyframes: KeyframeRequests,
    pub last_at: MediaTime,
    pub last_timestamp: Option<u32>,
    /// Pictures of smaller layers since.
    pub missed_pictures: u8,
    pub bytes: u64,
    /// In bit/s.
    pub rate: u64,
}

impl Peer {
    pub fn new(
        now: MediaTime,
        key: PeerKey,
        session: SessionKey,
        participant: ParticipantId,
        gates: Arc<Gates>,
        counters: Arc<Counters>,
        secrets: Secrets,
    ) -> Self {
        let audio = |it: usize| Outflow::new(TrackKind::Audio, 3 * it, secrets.audio[it], 0);
        let video = |it: usize| {
            let streams = secrets.video[it];
            Outflow::new(TrackKind::Video, 3 * it + 1, streams.ssrc, streams.repair)
        };
        let slots = std::array::from_fn(|it| Received { audio: audio(it), video: video(it) });
        let screen = secrets.screen;
        Self {
            key,
            session,
            participant,
            gates,
            counters,
            passwords: vec![(secrets.ufrag.clone(), Password::new(&secrets.password))],
            version: 0,
            offered: 0,
            greetings: 0,
            ways: VecDeque::new(),
            way: None,
            // Until it has been heard, it has longer.
            heard_at: now + (ANSWER_MS - SILENT_MS),
            expected: None,
            handshaken: None,
            opener: None,
            sealer: None,
            repairs: Vec::new(),
            streams: Vec::new(),
            clock: SenderClock::default(),
            early_reports: Vec::new(),
            detector: SpeakingDetector::default(),
            sound: Allowance::full(now),
            arrivals: Arrivals::default(),
            edges: Vec::new(),
            screen_edges: Vec::new(),
            slots,
            screen: Outflow::new(TrackKind::Video, 3 * SLOTS, screen.ssrc, screen.repair),
            view: View::default(),
            line: layers::Line::default(),
            round_trip_ms: 100,
            sent_bytes: 0,
            sent_rate: 0,
            repairs_left: REPAIRS_MAX,
            due: now,
            told_arrivals_at: now,
            measured_at: now,
            reported_at: now,
            looked_at: MediaTime::ZERO,
            secrets,
        }
    }

    pub fn seat(&mut self, slot: usize, publisher: Option<ParticipantId>) {
        if let Some(received) = self.slots.get_mut(slot) {
            received.audio.slot.seat(publisher);
            received.video.slot.seat(publisher);
        }
    }

    /// Whether anything can be sent to it.
    pub fn is_ready(&self) -> bool {
        self.sealer.is_some() && self.way.is_some()
    }

    /// A way leads to it no longer.
    pub fn leave(&mut self, way: Way) {
        self.ways.retain(|it| *it != way);
        if self.way == Some(way) {
            self.way = self.ways.back().copied();
        }
    }

    pub fn outflows(&self) -> impl Iterator<Item = &Outflow> {
        self.slots.iter().flat_map(|it| [&it.audio, &it.video]).chain([&self.screen])
    }

    pub fn outflow_mut(&mut self, ssrc: u32) -> Option<&mut Outflow> {
        let slots = self.slots.iter_mut().flat_map(|it| [&mut it.audio, &mut it.video]);
        slots.chain([&mut self.screen]).find(|it| it.ssrc == ssrc)
    }

    pub fn screen_rate(&self, now: MediaTime) -> u64 {
        let screens = self.streams.iter().filter(|it| it.line == Line::Screen && it.flows(now));
        screens.map(|it| it.rate).sum()
    }

    /// The moment when it counts as gone.
    pub fn gone_at(&self) -> MediaTime {
        self.heard_at + SILENT_MS
    }
}

/// How much one may still send; it fills up with time.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    bytes: u64,
    at: MediaTime,
}

impl Allowance {
    fn full(now: MediaTime) -> Self {
        Self { bytes: SOUND_BYTES_PER_S, at: now }
    }

    /// Whether a packet of sound may go on.
    pub fn take(&mut self, now: MediaTime, payload_bytes: usize) -> bool {
        let more = now.since_us(self.at) * SOUND_BYTES_PER_S / 1_000_000;
        if 0 < more {
            *self = Self { bytes: (self.bytes + more).min(SOUND_BYTES_PER_S), at: now };
        }
        let rest = self.bytes.checked_sub(SOUND_PACKET_BYTES + payload_bytes as u64);
        self.bytes = rest.unwrap_or(self.bytes);
        rest.is_some()
    }
}

impl Outflow {
    fn new(kind: TrackKind, number: usize, ssrc: u32, repair_ssrc: u32) -> Self {
        let slot = Slot::new(kind);
        Self {
            slot,
            ssrc,
            number,
            repair_ssrc,
            repair_sequence: 0,
            packets: 0,
            octets: 0,
            reported: None,
            told_packets: 0,
            missed: 0,
            weighed_packets: 0,
            missed_share: 0,
        }
    }

    /// `packets_min`: a share of fewer says nothing. Half of what was, half of what is.
    pub fn weigh(&mut self, packets_min: u32) {
        let sent = self.packets.wrapping_sub(self.weighed_packets);
        if packets_min <= sent {
            let share = (self.missed.saturating_mul(256) / sent).min(MISSED_SHARE_MAX) as u8;
            self.missed_share = (self.missed_share + share) / 2;
            (self.missed, self.weighed_packets) = (0, self.packets);
        }
    }
}

impl Stream {
    pub fn new(line: Line, layer: Layer, ssrc: u32, repair: Option<u32>, sequence: u16) -> Self {
        let cache_bytes = match line {
            Line::Microphone => AUDIO_CACHE_BYTES,
            Line::Camera => VIDEO_CACHE_BYTES[usize::from(layer)],
            Line::Screen => SCREEN_CACHE_BYTES,
        };
        Self {
            ssrc,
            line,
            layer,
            repair,
            reception: Reception::new(line.kind(), sequence),
            cache: PacketCache::new(cache_bytes),
            keyframes: KeyframeRequests::default(),
            last_at: MediaTime::ZERO,
            last_timestamp: None,
            missed_pictures: 0,
            bytes: 0,
            rate: 0,
        }
    }

    pub fn flows(&self, now: MediaTime) -> bool {
        let silent_ms = now.since_ms(self.last_at);
        let is_stopped = STOPPED_MS <= silent_ms && STOPPED_PICTURES <= self.missed_pictures;
        silent_ms < FLOWING_MS && !is_stopped
    }
}

/// What there is to choose from of one publisher's camera.
pub fn choice_of(now: MediaTime, wanted: Wanted, publisher: Option<&Peer>) -> Choice {
    let mut flows = [None; LAYERS];
    for stream in publisher.into_iter().flat_map(|it| &it.streams) {
        if stream.line == Line::Camera && stream.flows(now) {
            let rate = u32::try_from(stream.rate).unwrap_or(u32::MAX);
            flows[usize::from(stream.layer)] = Some(rate);
        }
    }
    Choice { wanted, flows }
}
