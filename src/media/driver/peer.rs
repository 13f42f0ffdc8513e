//! One participant's peer connection: built once, offered once, kept for the whole session. It turns
//! the `webrtc` crate's packets into ours and back; it decides nothing about who hears whom.
//!
//! We offer: two lines to receive the person's own audio and video, then for each slot a line of
//! audio and one of video to send. So payload types and extension ids are ours for every browser, and
//! nothing is ever negotiated again.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use rtc::{
    interceptor::Slot as InterceptorSlot,
    media_stream::MediaStreamTrack,
    rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication,
    rtp::extension::audio_level_extension::AudioLevelExtension,
    rtp_transceiver::rtp_sender::{
        RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters,
        RTCRtpEncodingParameters, RTCRtpHeaderExtensionCapability, RtpCodecKind,
    },
    shared::marshal::Unmarshal,
};
use tokio::sync::watch;
use webrtc::{
    media_stream::{
        track_local::{TrackLocal, TrackLocalEvent, static_rtp::TrackLocalStaticRTP},
        track_remote::{TrackRemote, TrackRemoteEvent},
    },
    peer_connection::*,
    rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit, RtpTransceiver},
};

use crate::{
    domain::limits::SLOTS,
    media::{
        driver::{
            rtcp::{self, KeyframeRequestsToApplication, is_keyframe_request},
            socket::{SharedPortRuntime, SharedSocket},
        },
        engine::slot::{Outgoing, TrackKind},
    },
};

const AUDIO_LEVEL_URI: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
const OPUS_PAYLOAD_TYPE: u8 = 111;
const VP8_PAYLOAD_TYPE: u8 = 96;

/// Gathering is local and takes milliseconds; longer means something is broken.
const GATHERING_MAX: Duration = Duration::from_secs(3);

/// No word from the browser for so long: shown as lost; for so long: given up. And how often we ask.
const ICE_DISCONNECTED: Duration = Duration::from_secs(5);
const ICE_FAILED: Duration = Duration::from_secs(15);
const ICE_KEEPALIVE: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    #[error("cannot open UDP port {address}: {source}")]
    Bind { address: SocketAddr, source: std::io::Error },
    #[error("cannot make a DTLS certificate: {0}")]
    Certificate(String),
    #[error("cannot build a peer connection: {0}")]
    Build(String),
    #[error("cannot use the answer: {0}")]
    Answer(String),
    #[error("there is no peer connection to answer")]
    NoPeer,
}

/// What all peer connections of the process share: the port, the certificate, the addresses.
pub struct Transport {
    socket: Arc<SharedSocket>,
    certificate: RTCCertificate,
    candidates: Vec<SocketAddr>,
}

impl Transport {
    /// `listen`: the one UDP port. `addresses`: those under which browsers reach it, best first;
    /// none: this machine's own. Needs a tokio runtime.
    pub fn bind(listen: SocketAddr, addresses: &[IpAddr]) -> Result<Arc<Self>, MediaError> {
        let bind_error = |source| MediaError::Bind { address: listen, source };
        let socket = SharedSocket::bind(listen).map_err(bind_error)?;
        let port = socket.port().map_err(bind_error)?;
        let own = own_addresses(listen.ip());
        let addresses = if addresses.is_empty() { &own } else { addresses };
        let certificate = make_certificate().map_err(MediaError::Certificate)?;
        let candidates = addresses.iter().map(|ip| SocketAddr::new(*ip, port)).collect();
        Ok(Arc::new(Self { socket, certificate, candidates }))
    }

    /// Where browsers are told to send to.
    pub fn candidates(&self) -> &[SocketAddr] {
        &self.candidates
    }

    /// Peer connections that are not closed.
    pub fn peers(&self) -> usize {
        self.socket.peers()
    }

    /// Datagrams that found no owner or no room, since the start.
    pub fn dropped(&self) -> u64 {
        self.socket.dropped()
    }
}

fn make_certificate() -> Result<RTCCertificate, String> {
    let provider = rtc::crypto::default_provider().map_err(|it| it.to_string())?;
    let parameters =
        rtc::peer_connection::certificate::CertificateParams::new(vec!["vuoro".to_owned()])
            .map_err(|it| it.to_string())?;
    let scheme = rtc::crypto::SignatureScheme::EcdsaP256Sha256;
    RTCCertificate::generate(provider.crypto(), scheme, parameters).map_err(|it| it.to_string())
}

/// The address other machines see, then the loopback, when we listen on all; else the one.
fn own_addresses(listen: IpAddr) -> Vec<IpAddr> {
    if !listen.is_unspecified() {
        return vec![listen];
    }
    // Connecting a UDP socket sends nothing; it only asks the routing table. TEST-NET-1, RFC 5737.
    let outward = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
        .and_then(|it| it.connect(("192.0.2.1", 9)).and_then(|()| it.local_addr()))
        .map(|it| it.ip());
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    outward.into_iter().filter(|it| *it != loopback).chain([loopback]).collect()
}

/// One media packet, payload untouched.
#[derive(Clone, Debug)]
pub struct MediaPacket {
    pub kind: TrackKind,
    pub ssrc: u32,
    pub sequence: u16,
    pub timestamp: u32,
    pub marker: bool,
    pub payload: Bytes,
    /// From the header (RFC 6464), -127 to 0; audio only.
    pub level_dbov: Option<i8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerState {
    Connected,
    /// For good: a new peer connection is needed.
    Failed,
}

/// Hears of a peer connection. Called on its tasks: must not wait.
pub trait PeerObserver: Send + Sync + 'static {
    fn state(&self, state: PeerState);
    fn packet(&self, packet: MediaPacket);
    /// The receiver of a slot's video needs a keyframe.
    fn keyframe_wanted(&self, slot: usize);
}

/// What a browser is offered. `mid`s name the media lines, audio first.
#[derive(Clone, Debug)]
pub struct Offer {
    pub sdp: String,
    pub send: [String; 2],
    pub slots: Vec<[String; 2]>,
}

pub struct Peer {
    connection: Arc<dyn PeerConnection>,
    slots: Vec<SlotTracks>,
    handler: Arc<Handler>,
}

struct SlotTracks {
    audio: SlotTrack,
    video: SlotTrack,
}

struct SlotTrack {
    ssrc: u32,
    payload_type: u8,
    local: Arc<TrackLocalStaticRTP>,
    transceiver: Arc<dyn RtpTransceiver>,
}

impl Peer {
    /// Builds the connection and its one offer. `random`: for names and SSRCs nobody can guess.
    pub async fn offer(
        transport: &Transport,
        observer: Arc<dyn PeerObserver>,
    ) -> Result<(Peer, Offer), MediaError> {
        let build = |it: webrtc::error::Error| MediaError::Build(it.to_string());
        let (gathered_sender, mut gathered) = watch::channel(false);
        let handler = Arc::new(Handler {
            observer,
            gathered: gathered_sender,
            connected: AtomicBool::new(false),
            audio_level_id: Arc::default(),
            video_ssrc: Arc::default(),
            video: watch::channel(None).0,
        });
        let connection = connect(transport, Arc::clone(&handler)).await.map_err(build)?;
        let mut own = Vec::new();
        for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
            let direction = RTCRtpTransceiverDirection::Recvonly;
            let init = RTCRtpTransceiverInit { direction, ..Default::default() };
            own.push(connection.add_transceiver_from_kind(kind, Some(init)).await.map_err(build)?);
        }
        let mut slots = Vec::with_capacity(SLOTS);
        for slot in 0..SLOTS {
            let audio = add_slot(&connection, slot, TrackKind::Audio).await.map_err(build)?;
            let video = add_slot(&connection, slot, TrackKind::Video).await.map_err(build)?;
            slots.push(SlotTracks { audio, video });
        }
        let description = connection.create_offer(None).await.map_err(build)?;
        connection.set_local_description(description).await.map_err(build)?;
        let all = tokio::time::timeout(GATHERING_MAX, gathered.wait_for(|it| *it)).await;
        let is_whole = matches!(all, Ok(Ok(_)));
        drop(all);
        let description = connection.local_description().await.filter(|_| is_whole);
        let description = description
            .ok_or_else(|| MediaError::Build("gathering addresses did not end".to_owned()))?;
        let offer = Offer {
            sdp: with_candidates(&description.sdp, transport.candidates()),
            send: [mid(&own[0]).await?, mid(&own[1]).await?],
            slots: {
                let mut mids = Vec::with_capacity(SLOTS);
                for slot in &slots {
                    let audio = mid(&slot.audio.transceiver).await?;
                    mids.push([audio, mid(&slot.video.transceiver).await?]);
                }
                mids
            },
        };
        let peer = Peer { connection, slots, handler };
        Ok((peer, offer))
    }

    /// Takes the browser's answer. Nothing is sent before it.
    pub async fn answer(&self, sdp: String) -> Result<(), MediaError> {
        let answer = |it: webrtc::error::Error| MediaError::Answer(it.to_string());
        let id = audio_level_id(&sdp).unwrap_or(0);
        self.handler.audio_level_id.store(id, Ordering::Relaxed);
        let description = RTCSessionDescription::answer(sdp).map_err(answer)?;
        self.connection.set_remote_description(description).await.map_err(answer)?;
        for (index, slot) in self.slots.iter().enumerate() {
            let (local, observer) =
                (Arc::clone(&slot.video.local), Arc::clone(&self.handler.observer));
            tokio::spawn(async move {
                while let Some(TrackLocalEvent::OnRtcpPacket(packets)) = local.poll().await {
                    if packets.iter().any(|it| is_keyframe_request(it.as_ref())) {
                        observer.keyframe_wanted(index);
                    }
                }
            });
        }
        Ok(())
    }

    /// Sends a packet in a slot. Waits while the connection's own queue is full. A packet before the
    /// connection stands is nothing.
    pub async fn send(&self, slot: usize, packet: &MediaPacket, numbers: Outgoing) {
        let Some(tracks) = self.slots.get(slot) else { return };
        if !self.handler.connected.load(Ordering::Relaxed) {
            return;
        }
        let track = match packet.kind {
            TrackKind::Audio => &tracks.audio,
            TrackKind::Video => &tracks.video,
        };
        let header = rtc::rtp::Header {
            version: 2,
            marker: packet.marker,
            payload_type: track.payload_type,
            sequence_number: numbers.sequence,
            timestamp: numbers.timestamp,
            ssrc: track.ssrc,
            ..Default::default()
        };
        let packet = rtc::rtp::Packet { header, payload: packet.payload.clone() };
        // The only failure is a connection that has gone; its state says so by itself.
        let _ = track.local.write_rtp(packet).await;
    }

    /// Asks the person's browser for a keyframe (PLI).
    pub async fn request_keyframe(&self) {
        let media_ssrc = self.handler.video_ssrc.load(Ordering::Relaxed);
        let track = self.handler.video.borrow().clone();
        if let Some(track) = track.filter(|_| media_ssrc != 0) {
            let request = PictureLossIndication { sender_ssrc: 0, media_ssrc };
            let _ = track.write_rtcp(vec![Box::new(request)]).await;
        }
    }

    pub async fn close(&self) {
        let _ = self.connection.close().await;
    }
}

async fn mid(transceiver: &Arc<dyn RtpTransceiver>) -> Result<String, MediaError> {
    let mid = transceiver.mid().await.ok().flatten();
    mid.ok_or_else(|| MediaError::Build("a media line has no mid".to_owned()))
}

async fn add_slot(
    connection: &Arc<dyn PeerConnection>,
    slot: usize,
    kind: TrackKind,
) -> Result<SlotTrack, webrtc::error::Error> {
    let (name, codec_kind, codec, payload_type) = match kind {
        TrackKind::Audio => ("audio", RtpCodecKind::Audio, opus(), OPUS_PAYLOAD_TYPE),
        TrackKind::Video => ("video", RtpCodecKind::Video, vp8(), VP8_PAYLOAD_TYPE),
    };
    let ssrc = rand::random_range(1..u32::MAX);
    let stream = format!("slot-{slot}");
    let local = Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
        stream.clone(),
        format!("{stream}-{name}"),
        format!("{stream}-{name}"),
        codec_kind,
        vec![RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                ssrc: Some(ssrc),
                ..Default::default()
            },
            active: true,
            codec,
            ..Default::default()
        }],
    )));
    // Not `add_track`: that would send on the line meant for receiving.
    let direction = RTCRtpTransceiverDirection::Sendonly;
    let init = RTCRtpTransceiverInit { direction, streams: vec![stream], ..Default::default() };
    let track = Arc::clone(&local) as Arc<dyn TrackLocal>;
    let transceiver = connection.add_transceiver_from_track(track, Some(init)).await?;
    Ok(SlotTrack { ssrc, payload_type, local, transceiver })
}

async fn connect(
    transport: &Transport,
    handler: Arc<Handler>,
) -> Result<Arc<dyn PeerConnection>, webrtc::error::Error> {
    let mut engine = MediaEngine::default();
    for (rtp_codec, payload_type, kind) in [
        (opus(), OPUS_PAYLOAD_TYPE, RtpCodecKind::Audio),
        (vp8(), VP8_PAYLOAD_TYPE, RtpCodecKind::Video),
    ] {
        engine.register_codec(RTCRtpCodecParameters { rtp_codec, payload_type }, kind)?;
    }
    engine.register_header_extension(
        RTCRtpHeaderExtensionCapability { uri: AUDIO_LEVEL_URI.to_owned() },
        RtpCodecKind::Audio,
        None,
    )?;
    let interceptors = register_default_interceptors(Registry::new(), &mut engine)?
        .with(InterceptorSlot::from(rtcp::SLOT), KeyframeRequestsToApplication::default());
    let ufrag = random_text(8);
    let settings = SettingEngineBuilder::new()
        .with_multicast_dns_mode(rtc::ice::mdns::MulticastDnsMode::Disabled)
        .with_include_loopback_candidate(true)
        .with_lite(true)
        .with_ice_timeouts(Some(ICE_DISCONNECTED), Some(ICE_FAILED), Some(ICE_KEEPALIVE))
        .with_ice_credentials(ufrag.clone(), random_text(24));
    let configuration = RTCConfigurationBuilder::new()
        .with_certificates(vec![transport.certificate.clone()])
        .build();
    let runtime = SharedPortRuntime::new(Arc::clone(&transport.socket), ufrag);
    let connection = PeerConnectionBuilder::new()
        .with_configuration(configuration)
        .with_media_engine(engine)
        .with_setting_engine(settings.build())
        .with_interceptor_registry(interceptors)
        .with_handler(handler)
        .with_runtime(Arc::new(runtime))
        // Never used as such: `socket` replaces it, `with_candidates` hides it.
        .with_udp_addrs(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))])
        .build()
        .await?;
    Ok(Arc::new(connection))
}

fn opus() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: "audio/opus".to_owned(),
        clock_rate: 48_000,
        channels: 2,
        sdp_fmtp_line: "minptime=10;useinbandfec=1".to_owned(),
        rtcp_feedback: vec![],
    }
}

fn vp8() -> RTCRtpCodec {
    let feedback = |typ: &str, parameter: &str| RTCPFeedback {
        typ: typ.to_owned(),
        parameter: parameter.to_owned(),
    };
    RTCRtpCodec {
        mime_type: "video/VP8".to_owned(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: String::new(),
        // No video/rtx: the crate asks again for what a browser has already sent again.
        rtcp_feedback: vec![
            feedback("goog-remb", ""),
            feedback("ccm", "fir"),
            feedback("nack", ""),
            feedback("nack", "pli"),
        ],
    }
}

/// Letters and digits from the operating system's randomness.
fn random_text(length: usize) -> String {
    use rand::{Rng, distr::Alphanumeric};
    rand::rng().sample_iter(Alphanumeric).take(length).map(char::from).collect()
}

/// The offer with our addresses in place of those the crate found.
fn with_candidates(sdp: &str, candidates: &[SocketAddr]) -> String {
    let mut out = String::with_capacity(sdp.len() + 128 * candidates.len());
    let mut written = false;
    for line in sdp.lines() {
        if line.starts_with("m=") {
            written = false;
        }
        if !line.starts_with("a=candidate:") {
            out.push_str(line);
            out.push_str("\r\n");
        } else if !written {
            written = true;
            for (index, address) in candidates.iter().enumerate() {
                // Type preference 126 for host candidates, in our order (RFC 8445, 5.1.2.1).
                let priority = (126u32 << 24) + ((65_535 - index as u32) << 8) + 255;
                let (ip, port) = (address.ip(), address.port());
                out.push_str(&format!(
                    "a=candidate:{index} 1 udp {priority} {ip} {port} typ host\r\n"
                ));
            }
        }
    }
    out
}

struct Handler {
    observer: Arc<dyn PeerObserver>,
    gathered: watch::Sender<bool>,
    connected: AtomicBool,
    /// Of the header extension, as negotiated; 0: none.
    audio_level_id: Arc<AtomicU8>,
    video_ssrc: Arc<AtomicU32>,
    video: watch::Sender<Option<Arc<dyn TrackRemote>>>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.gathered.send_replace(true);
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        tracing::debug!(%state, "peer connection");
        match state {
            RTCPeerConnectionState::Connected => {
                self.connected.store(true, Ordering::Relaxed);
                self.observer.state(PeerState::Connected);
            }
            RTCPeerConnectionState::Failed => {
                self.connected.store(false, Ordering::Relaxed);
                self.observer.state(PeerState::Failed);
            }
            _ => (),
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let observer = Arc::clone(&self.observer);
        let video_ssrc = Arc::clone(&self.video_ssrc);
        let audio_level_id = Arc::clone(&self.audio_level_id);
        let kind = match track.kind().await {
            RtpCodecKind::Audio => TrackKind::Audio,
            RtpCodecKind::Video => {
                self.video.send_replace(Some(Arc::clone(&track)));
                TrackKind::Video
            }
            _ => return,
        };
        // Not on this task: it is the connection's own.
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                let TrackRemoteEvent::OnRtpPacket(packet) = event else { continue };
                if kind == TrackKind::Video {
                    video_ssrc.store(packet.header.ssrc, Ordering::Relaxed);
                }
                observer.packet(MediaPacket {
                    kind,
                    ssrc: packet.header.ssrc,
                    sequence: packet.header.sequence_number,
                    timestamp: packet.header.timestamp,
                    marker: packet.header.marker,
                    level_dbov: match kind {
                        TrackKind::Audio => {
                            level_dbov(&packet, audio_level_id.load(Ordering::Relaxed))
                        }
                        TrackKind::Video => None,
                    },
                    payload: packet.payload,
                });
            }
        });
    }
}

/// The number of the audio level among the header extensions, as an answer has it. The crate tells
/// it only once the first packet is there.
fn audio_level_id(sdp: &str) -> Option<u8> {
    let mut extensions = sdp.lines().filter_map(|it| it.strip_prefix("a=extmap:"));
    extensions.find_map(|it| {
        let (id, uri) = it.split_once(' ')?;
        let is_level = uri.split_whitespace().next() == Some(AUDIO_LEVEL_URI);
        id.split('/').next()?.parse().ok().filter(|_| is_level)
    })
}

fn level_dbov(packet: &rtc::rtp::Packet, id: u8) -> Option<i8> {
    let mut bytes = packet.header.get_extension(id)?;
    let level = AudioLevelExtension::unmarshal(&mut bytes).ok()?;
    i8::try_from(level.level).ok().map(|it| -it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_tells_where_the_audio_level_is() {
        let line =
            |it: &str| format!("v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n{it}\r\na=mid:0\r\n");
        let level = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
        for (extension, id) in [
            (format!("a=extmap:1 {level}"), Some(1)),
            (format!("a=extmap:3/sendonly {level} vad=on"), Some(3)),
            (format!("a=extmap:5 urn:other\r\na=extmap:14 {level}"), Some(14)),
            ("a=extmap:1 urn:ietf:params:rtp-hdrext:csrc-audio-level".to_owned(), None),
            ("a=rtcp-mux".to_owned(), None),
        ] {
            assert_eq!(audio_level_id(&line(&extension)), id, "{extension}");
        }
    }

    #[test]
    fn our_addresses_stand_where_the_crates_stood() {
        let sdp = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=candidate:1 1 udp 5 127.0.0.1 4000 typ \
                   host\r\na=candidate:1 2 udp 5 127.0.0.1 4000 typ host\r\na=end-of-candidates\r\n";
        let candidates = ["198.51.100.7:5000".parse().unwrap(), "127.0.0.1:5000".parse().unwrap()];
        assert_eq!(
            with_candidates(sdp, &candidates),
            "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
             a=candidate:0 1 udp 2130706431 198.51.100.7 5000 typ host\r\n\
             a=candidate:1 1 udp 2130706175 127.0.0.1 5000 typ host\r\n\
             a=end-of-candidates\r\n"
        );
    }
}
