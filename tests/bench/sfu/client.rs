//! One synthetic WebRTC client: ICE by hand (the servers are ICE-lite, so a binding request is all it
//! takes), DTLS and SRTP by the sans-I/O crates, then packets, and the reports that browsers send about
//! them. It knows no signalling, asks for nothing to be sent again, and decodes nothing.

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    os::fd::AsRawFd,
    sync::{Arc, LazyLock},
    time::Instant,
};

use super::reports::{
    self, Reception, SENDER_REPORT, TransportFeedback, rtcp_packets, transport_number,
};
use bytes::BytesMut;
use rtc::{
    crypto::{HashAlgorithm, RTCCryptoProvider},
    dtls::{
        config::{ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig},
        crypto::Certificate,
        endpoint::{Endpoint, EndpointEvent},
        extension::extension_use_srtp::SrtpProtectionProfile,
    },
    rtp::Header,
    shared::{
        TransportProtocol,
        marshal::{Marshal, MarshalSize, Unmarshal},
    },
    srtp::{context::Context, protection_profile::ProtectionProfile},
    stun::{
        attributes::{ATTR_ICE_CONTROLLING, ATTR_PRIORITY, ATTR_USE_CANDIDATE, ATTR_USERNAME},
        fingerprint::FINGERPRINT,
        integrity::MessageIntegrity,
        message::{BINDING_REQUEST, BINDING_SUCCESS, Message, Setter, TransactionId},
        textattrs::TextAttribute,
        xoraddr::XorMappedAddress,
    },
};

pub const AUDIO_PAYLOAD_BYTES: usize = 160;
/// Four of these 30 times a second are 1 Mbit/s.
pub const VIDEO_PAYLOAD_BYTES: usize = 1_040;
pub const VIDEO_PACKETS_PER_FRAME: u32 = 4;
const VIDEO_FRAMES_PER_KEYFRAME: u32 = 30;

/// Where in a payload the time of sending stands, whose it is, and the how manieth.
const STAMP: std::ops::Range<usize> = 8..16;
const SENDER: std::ops::Range<usize> = 16..20;
const COUNTER: std::ops::Range<usize> = 20..24;

/// One in so many packets is decrypted and its delay looked at, unless all are wanted.
pub const SAMPLED: u64 = 16;

static PROVIDER: LazyLock<Arc<dyn RTCCryptoProvider>> =
    LazyLock::new(|| rtc::crypto::default_provider().expect("a crypto provider"));
static CERTIFICATE: LazyLock<Certificate> = LazyLock::new(|| {
    Certificate::generate_self_signed(vec!["bench".to_owned()], PROVIDER.crypto())
        .expect("a certificate")
});
static DTLS: LazyLock<Arc<HandshakeConfig>> = LazyLock::new(|| {
    let config = ConfigBuilder::default()
        .with_crypto_provider(Arc::clone(&PROVIDER))
        .with_certificates(vec![CERTIFICATE.clone()])
        // One suite for every server measured, the cheapest.
        .with_srtp_protection_profiles(vec![SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm])
        .with_insecure_skip_verify(true)
        .with_extended_master_secret(ExtendedMasterSecretType::Require)
        .build(true, None);
    Arc::new(config.expect("a DTLS configuration"))
});

/// `sha-256` of our certificate, as SDP has it.
pub fn fingerprint() -> String {
    let hash = PROVIDER.crypto().hash(HashAlgorithm::Sha256, &CERTIFICATE.certificate[0]);
    let bytes: Vec<_> = hash.expect("a hash").iter().map(|it| format!("{it:02X}")).collect();
    bytes.join(":")
}

/// How a client reaches its server.
pub enum Server {
    WebRtc {
        address: SocketAddr,
        ufrag: String,
        password: String,
    },
    /// Keys that both know: for the floor, which has no handshake.
    Keyed {
        address: SocketAddr,
        key: [u8; 16],
        salt: [u8; 12],
    },
}

/// One stream that a client sends.
pub struct Sent {
    pub is_video: bool,
    /// Whether it must reach the others: video, and a voice that its level says is one.
    pub is_wanted: bool,
    pub sent: u64,
    pub ssrc: u32,
    header: Header,
    packet: Vec<u8>,
    packets: u32,
}

impl Sent {
    /// `level`: the id of the header extension with the audio level, and whether it says that somebody
    /// speaks; `mid`: the id of the one with the media line's name, and the name. As was offered.
    pub fn new(
        is_video: bool,
        ssrc: u32,
        payload_type: u8,
        level: Option<(u8, bool)>,
        mid: Option<(u8, &str)>,
    ) -> Self {
        let mut header =
            Header { version: 2, payload_type, ssrc, sequence_number: 1_000, ..Default::default() };
        if let Some((id, speaks)) = level {
            let level = bytes::Bytes::copy_from_slice(&[if speaks { 0x80 | 30 } else { 127 }]);
            header.set_extension(id, level).expect("an extension");
        }
        if let Some((id, mid)) = mid {
            let mid = bytes::Bytes::copy_from_slice(mid.as_bytes());
            header.set_extension(id, mid).expect("an extension");
        }
        let mut packet = header.marshal().expect("a header").to_vec();
        let payload = if is_video { VIDEO_PAYLOAD_BYTES } else { AUDIO_PAYLOAD_BYTES };
        packet.resize(packet.len() + payload, 7);
        let is_wanted = level.is_none_or(|(_, speaks)| speaks);
        Self { is_video, is_wanted, sent: 0, ssrc, header, packet, packets: 0 }
    }

    fn payload_type(&self) -> u8 {
        self.header.payload_type
    }

    /// The next packet of the stream, encrypted.
    fn next(&mut self, keys: &mut Context) -> BytesMut {
        let header = &mut self.header;
        header.sequence_number = header.sequence_number.wrapping_add(1);
        let (mut marker, mut vp8) = (false, None);
        if self.is_video {
            let (frame, part) =
                (self.packets / VIDEO_PACKETS_PER_FRAME, self.packets % VIDEO_PACKETS_PER_FRAME);
            marker = part + 1 == VIDEO_PACKETS_PER_FRAME;
            header.timestamp = frame.wrapping_mul(3_000);
            // The VP8 payload descriptor with a picture id, as browsers have it (RFC 7741), and the
            // first byte of a frame, whose lowest bit is 0 in a keyframe.
            let first = if part == 0 { 0x90 } else { 0x80 };
            let inter_frame = u8::from(!frame.is_multiple_of(VIDEO_FRAMES_PER_KEYFRAME));
            vp8 = Some([first, 0x80, 0x80 | (frame >> 8) as u8, frame as u8, inter_frame]);
        } else {
            header.timestamp = header.timestamp.wrapping_add(960);
        }
        header.marker = marker;
        self.packets += 1;
        self.sent += 1;
        let payload_at = header.marshal_size();
        self.packet[1] = u8::from(marker) << 7 | header.payload_type;
        self.packet[2..4].copy_from_slice(&header.sequence_number.to_be_bytes());
        self.packet[4..8].copy_from_slice(&header.timestamp.to_be_bytes());
        let payload = &mut self.packet[payload_at..];
        if let Some(vp8) = vp8 {
            payload[..vp8.len()].copy_from_slice(&vp8);
        }
        payload[STAMP].copy_from_slice(&wall_ns().to_be_bytes());
        payload[SENDER].copy_from_slice(&self.ssrc.to_be_bytes());
        payload[COUNTER].copy_from_slice(&self.packets.to_be_bytes());
        keys.encrypt_rtp_with_header(&self.packet, &self.header).expect("a packet encrypted")
    }
}

/// One stream that a client receives.
#[derive(Default)]
pub struct Received {
    pub ssrc: u32,
    /// Whose stream, by its SSRC at the sender, came last in it.
    pub sender: u32,
    pub packets: u64,
    /// Sequence numbers that were skipped, and packets that came after a later one.
    pub skipped: u64,
    pub late: u64,
    last: Option<u16>,
    report: Reception,
}

/// A packet that was decrypted: what `Noticed::trace` keeps.
#[derive(Clone, Copy)]
pub struct Arrival {
    /// The client, and the SSRC of its slot.
    pub client: u32,
    pub slot: u32,
    /// The SSRC at the sender, and how many packets it had sent with this one.
    pub sender: u32,
    pub counter: u32,
    pub at_ns: u64,
}

/// What a client has received, apart from its streams.
#[derive(Default)]
pub struct Noticed {
    pub delays_us: Vec<u32>,
    /// Every packet, when that is wanted.
    pub trace: Option<Vec<Arrival>>,
    /// Decrypted, and not found to be right.
    pub broken: u64,
    pub rtcp: u64,
    seen: u64,
}

pub struct Client {
    pub socket: UdpSocket,
    pub ufrag: String,
    password: String,
    server: Server,
    dtls: Option<Endpoint>,
    keys: Option<(Context, Context)>,
    pub streams: Vec<Sent>,
    pub received: Vec<Received>,
    /// DTLS handshakes begun since the start.
    pub handshakes: u32,
    index: usize,
    /// What the server wants to be told about what it sends.
    pub wishes: Wishes,
    transport: TransportFeedback,
}

/// The feedback that an offer asks for.
#[derive(Clone, Copy, Default)]
pub struct Wishes {
    /// Id of the header extension with transport-wide sequence numbers.
    pub transport: Option<u8>,
    /// Estimates of the bandwidth (REMB), where there is no transport-wide feedback.
    pub estimate: bool,
}

impl Client {
    pub fn new(index: usize, server: Server, streams: Vec<Sent>) -> io::Result<Self> {
        let address = match &server {
            Server::WebRtc { address, .. } | Server::Keyed { address, .. } => *address,
        };
        let socket = socket2::Socket::new(
            socket2::Domain::for_address(address),
            socket2::Type::DGRAM,
            None,
        )?;
        socket.set_recv_buffer_size(2 << 20)?;
        socket.bind(&SocketAddr::new(address.ip(), 0).into())?;
        socket.connect(&address.into())?;
        socket.set_nonblocking(true)?;
        let on: libc::c_int = 1;
        // SAFETY: the option takes an int, and the descriptor is ours.
        let done = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_TIMESTAMPNS,
                (&raw const on).cast(),
                size_of::<libc::c_int>() as u32,
            )
        };
        assert_eq!(done, 0, "the kernel stamps what is received");
        let keys = match &server {
            Server::WebRtc { .. } => None,
            Server::Keyed { key, salt, .. } => Some((context(key, salt), context(key, salt))),
        };
        Ok(Self {
            socket: socket.into(),
            ufrag: Self::ice(index).0,
            password: Self::ice(index).1,
            server,
            dtls: None,
            keys,
            streams,
            received: Vec::new(),
            handshakes: 0,
            index,
            wishes: Wishes::default(),
            transport: TransportFeedback::default(),
        })
    }

    /// User name and password of a client's end.
    pub fn ice(index: usize) -> (String, String) {
        (format!("benchufrag{index:05}"), format!("benchpasswordbenchpass{index:05}"))
    }

    pub fn ice_password(&self) -> &str {
        &self.password
    }

    pub fn is_connected(&self) -> bool {
        self.keys.is_some()
    }

    /// Asks the server whether it is there, as ICE does at first and to keep the way open.
    pub fn ask(&self) {
        let Server::WebRtc { ufrag, password, .. } = &self.server else { return };
        let mut message = Message::new();
        let username = TextAttribute::new(ATTR_USERNAME, format!("{ufrag}:{}", self.ufrag));
        let integrity = MessageIntegrity::new_short_term_integrity_with_provider(
            password.clone(),
            PROVIDER.crypto(),
        );
        let raw = |kind, value: &[u8]| Box::new(Raw(kind, value.to_vec())) as Box<dyn Setter>;
        let built = message.build(&[
            Box::new(BINDING_REQUEST),
            Box::new(TransactionId::new()),
            Box::new(username),
            raw(ATTR_USE_CANDIDATE, &[]),
            raw(ATTR_ICE_CONTROLLING, &7_u64.to_be_bytes()),
            raw(ATTR_PRIORITY, &1_853_817_087_u32.to_be_bytes()),
            Box::new(integrity),
            Box::new(FINGERPRINT),
        ]);
        built.expect("a binding request");
        self.transmit(&message.raw);
    }

    /// What is due while the connection is made.
    pub fn tick(&mut self, now: Instant) {
        let Some(dtls) = &mut self.dtls else { return };
        let remote = self.socket.peer_addr().expect("a connected socket");
        let _ = dtls.handle_timeout(remote, now);
        self.flush();
    }

    fn flush(&mut self) {
        while let Some(out) = self.dtls.as_mut().and_then(Endpoint::poll_transmit) {
            self.transmit(&out.message);
        }
    }

    /// What the kernel does not take is lost, as on any network.
    fn transmit(&self, datagram: &[u8]) {
        let _ = self.socket.send(datagram);
    }

    pub fn send(&mut self, stream: usize) {
        if let (Some((keys, _)), Some(stream)) = (&mut self.keys, self.streams.get_mut(stream)) {
            let packet = stream.next(keys);
            let _ = self.socket.send(&packet);
        }
    }

    /// One datagram, with the time at which the kernel had it.
    pub fn receive(&mut self, datagram: &[u8], at_ns: u64, noticed: &mut Noticed) {
        match datagram.first() {
            Some(0..=3) => self.stun(datagram),
            Some(20..=63) => self.handshake(datagram),
            Some(128..=191) if 12 < datagram.len() => match datagram[1] {
                192..=223 => self.told(datagram, at_ns, noticed),
                _ => self.media(datagram, at_ns, noticed),
            },
            _ => (),
        }
    }

    fn media(&mut self, datagram: &[u8], at_ns: u64, noticed: &mut Noticed) {
        let sequence = u16::from_be_bytes([datagram[2], datagram[3]]);
        let ssrc = u32::from_be_bytes([datagram[8], datagram[9], datagram[10], datagram[11]]);
        let known = self.received.iter().position(|it| it.ssrc == ssrc);
        let is_new = known.is_none();
        let stream = match known {
            Some(index) => &mut self.received[index],
            None => {
                self.received.push(Received { ssrc, ..Default::default() });
                self.received.last_mut().expect("just pushed")
            }
        };
        stream.packets += 1;
        match stream.last.map(|last| sequence.wrapping_sub(last)) {
            Some(0 | 0x8000..) => stream.late += 1,
            step => {
                stream.skipped += step.map_or(0, |it| u64::from(it) - 1);
                stream.last = Some(sequence);
            }
        }
        let is_audio =
            self.streams.first().is_some_and(|it| it.payload_type() == datagram[1] & 0x7f);
        stream.report.packet(datagram, if is_audio { 48 } else { 90 }, at_ns);
        if let Some(id) = self.wishes.transport
            && let Some(number) = transport_number(datagram, id)
        {
            self.transport.packet(number, at_ns);
        }
        noticed.seen += 1;
        // The first of a stream tells whose it is.
        if !is_new && noticed.trace.is_none() && !noticed.seen.is_multiple_of(SAMPLED) {
            return;
        }
        let Some((_, keys)) = &mut self.keys else { return };
        let told = keys.decrypt_rtp(datagram).ok().and_then(|packet| {
            let mut rest = &packet[..];
            Header::unmarshal(&mut rest).ok()?;
            let number = |it: std::ops::Range<usize>| {
                Some(u32::from_be_bytes(rest.get(it)?.try_into().ok()?))
            };
            let stamp = u64::from_be_bytes(rest.get(STAMP)?.try_into().ok()?);
            Some((stamp, number(SENDER)?, number(COUNTER)?))
        });
        let Some((stamp, sender, counter)) = told else {
            noticed.broken += 1;
            return;
        };
        stream.sender = sender;
        noticed.delays_us.push((at_ns.saturating_sub(stamp) / 1_000) as u32);
        let client = self.index as u32;
        if let Some(trace) = &mut noticed.trace {
            trace.push(Arrival { client, slot: ssrc, sender, counter, at_ns });
        }
    }

    /// RTCP: of the server's sender reports the time is kept, to be told back.
    fn told(&mut self, datagram: &[u8], at_ns: u64, noticed: &mut Noticed) {
        noticed.rtcp += 1;
        let Some((_, keys)) = &mut self.keys else { return };
        let Ok(packets) = keys.decrypt_rtcp(datagram) else { return };
        for (kind, packet) in rtcp_packets(&packets) {
            if kind != SENDER_REPORT || packet.len() < 20 {
                continue;
            }
            let number =
                |at: usize| u32::from_be_bytes(packet[at..at + 4].try_into().expect("4 bytes"));
            if let Some(it) = self.received.iter_mut().find(|it| it.ssrc == number(4)) {
                it.report.sender_report(number(8) << 16 | number(12) >> 16, at_ns);
            }
        }
    }

    /// What a browser tells about once a second of what it sends and receives.
    pub fn report(&mut self) {
        let (Server::WebRtc { .. }, Some((keys, _))) = (&self.server, &mut self.keys) else {
            return;
        };
        let now_ns = wall_ns();
        let own = self.streams.first().map_or(1, |it| it.ssrc);
        let mut compound = Vec::with_capacity(256);
        for it in &self.streams {
            let ticks = it.header.timestamp;
            reports::sender_report(
                &mut compound,
                it.ssrc,
                now_ns,
                ticks,
                it.packets,
                it.packet.len(),
            );
        }
        let heard = self.received.iter_mut().filter(|it| it.report.is_fresh());
        let blocks: Vec<_> = heard.take(31).map(|it| it.report.block(it.ssrc, now_ns)).collect();
        reports::receiver_report(&mut compound, own, &blocks);
        if self.wishes.estimate && self.wishes.transport.is_none() {
            let heard: Vec<_> = self.received.iter().map(|it| it.ssrc).collect();
            reports::estimate(&mut compound, own, &heard);
        }
        if let Ok(packet) = keys.encrypt_rtcp(&compound) {
            let _ = self.socket.send(&packet);
        }
    }

    /// What a browser tells ten times a second where transport-wide feedback is wanted.
    pub fn feed_back(&mut self) {
        let Some((keys, _)) = &mut self.keys else { return };
        let own = self.streams.first().map_or(1, |it| it.ssrc);
        let Some(of) = self.received.first().map(|it| it.ssrc) else { return };
        while let Some(packet) = self.transport.next(own, of) {
            if let Ok(packet) = keys.encrypt_rtcp(&packet) {
                let _ = self.socket.send(&packet);
            }
        }
    }

    fn stun(&mut self, datagram: &[u8]) {
        let mut message = Message::new();
        if message.unmarshal_binary(datagram).is_err() {
            return;
        }
        if message.typ == BINDING_SUCCESS && self.dtls.is_none() {
            let remote = self.socket.peer_addr().expect("a connected socket");
            let local = self.socket.local_addr().expect("a bound socket");
            let mut dtls = Endpoint::new(local, TransportProtocol::UDP, None);
            let begun = dtls.connect(Instant::now(), remote, Arc::clone(&DTLS), None);
            begun.expect("a DTLS handshake begins");
            self.handshakes += 1;
            self.dtls = Some(dtls);
            self.flush();
        } else if message.typ == BINDING_REQUEST {
            let remote = self.socket.peer_addr().expect("a connected socket");
            let integrity = MessageIntegrity::new_short_term_integrity_with_provider(
                self.password.clone(),
                PROVIDER.crypto(),
            );
            let mut answer = Message::new();
            let built = answer.build(&[
                Box::new(BINDING_SUCCESS),
                Box::new(message.transaction_id),
                Box::new(XorMappedAddress { ip: remote.ip(), port: remote.port() }),
                Box::new(integrity),
                Box::new(FINGERPRINT),
            ]);
            built.expect("a binding answer");
            self.transmit(&answer.raw);
        }
    }

    fn handshake(&mut self, datagram: &[u8]) {
        let remote = self.socket.peer_addr().expect("a connected socket");
        let Some(dtls) = &mut self.dtls else { return };
        let events = dtls.read(Instant::now(), remote, None, BytesMut::from(datagram));
        let is_done = events
            .unwrap_or_default()
            .iter()
            .any(|it| matches!(it, EndpointEvent::HandshakeComplete));
        if is_done && let Some(state) = dtls.get_connection_state(remote) {
            assert_eq!(
                state.srtp_protection_profile(),
                SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
                "the server takes AEAD_AES_128_GCM"
            );
            let mut config = rtc::srtp::config::Config {
                profile: ProtectionProfile::AeadAes128Gcm,
                ..Default::default()
            };
            let label = rtc::srtp::config::LABEL_EXTRACTOR_DTLS_SRTP;
            let material = state.export_keying_material(label, &[], config.keying_material_len());
            let material = material.expect("keys");
            config.set_session_keys_from_keying_material(material.as_ref(), true).expect("keys");
            let keys = &config.keys;
            self.keys = Some((
                context(&keys.local_master_key, &keys.local_master_salt),
                context(&keys.remote_master_key, &keys.remote_master_salt),
            ));
        }
        self.flush();
    }
}

fn context(key: &[u8], salt: &[u8]) -> Context {
    let made =
        Context::new(key, salt, ProtectionProfile::AeadAes128Gcm, None, None, PROVIDER.crypto());
    made.expect("an SRTP context")
}

/// The kernel's clock by which it stamps what is received.
fn wall_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec of ours.
    unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

struct Raw(rtc::stun::attributes::AttrType, Vec<u8>);

impl Setter for Raw {
    fn add_to(&self, message: &mut Message) -> Result<(), rtc::shared::error::Error> {
        message.add(self.0, &self.1);
        Ok(())
    }
}
