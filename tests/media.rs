//! Media by another implementation: two people whose peer connections are the `webrtc` crate's talk
//! through our forwarding core, over real sockets. What browsers do beyond it, the browser stories see.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use rtc::{
    media_stream::MediaStreamTrack,
    rtp_transceiver::rtp_sender::{
        RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
        RtpCodecKind,
    },
};
use tokio::sync::mpsc;
use vuoro::{
    domain::ids::{ParticipantId, RoomId},
    media::driver::{
        forwarder::{Forwarder, MediaEvent},
        tap::{AudioTap, TappedPacket},
        transport::{Ports, TcpPort, Transport},
    },
};
use webrtc::{
    media_stream::{
        track_local::{TrackLocal, static_rtp::TrackLocalStaticRTP},
        track_remote::{TrackRemote, TrackRemoteEvent},
    },
    peer_connection::*,
};

const ALICE: ParticipantId = ParticipantId(1);
const BOB: ParticipantId = ParticipantId(2);
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Heard(Mutex<BTreeMap<ParticipantId, usize>>);

impl AudioTap for Heard {
    fn packet(&self, from: ParticipantId, _: TappedPacket) {
        *self.0.lock().unwrap().entry(from).or_default() += 1;
    }
}

/// What arrives at one person: the payloads of whatever track.
struct Ears {
    payloads: mpsc::UnboundedSender<Vec<u8>>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Ears {
    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let payloads = self.payloads.clone();
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(packet) = event {
                    let _ = payloads.send(packet.payload.to_vec());
                }
            }
        });
    }
}

struct Someone {
    connection: Arc<dyn PeerConnection>,
    track: Arc<TrackLocalStaticRTP>,
    ssrc: u32,
    payloads: mpsc::UnboundedReceiver<Vec<u8>>,
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

impl Someone {
    async fn joins(forwarder: &Forwarder, who: ParticipantId) -> Self {
        let (sender, payloads) = mpsc::unbounded_channel();
        let mut engine = MediaEngine::default();
        let codec = RTCRtpCodecParameters { rtp_codec: opus(), payload_type: 111 };
        engine.register_codec(codec, RtpCodecKind::Audio).unwrap();
        let settings = SettingEngineBuilder::new()
            .with_multicast_dns_mode(rtc::ice::mdns::MulticastDnsMode::Disabled)
            .with_include_loopback_candidate(true)
            .with_answering_dtls_role(rtc::peer_connection::transport::RTCDtlsRole::Client);
        let connection = PeerConnectionBuilder::new()
            .with_media_engine(engine)
            .with_setting_engine(settings.build())
            .with_handler(Arc::new(Ears { payloads: sender }))
            .with_udp_addrs(vec!["127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap()])
            .build()
            .await
            .unwrap();
        let connection: Arc<dyn PeerConnection> = Arc::new(connection);
        let ssrc = 1_000 + who.0;
        let coding = RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() };
        let encoding = RTCRtpEncodingParameters {
            rtp_coding_parameters: coding,
            active: true,
            codec: opus(),
            ..Default::default()
        };
        let track = MediaStreamTrack::new(
            "voice".to_owned(),
            "voice".to_owned(),
            "voice".to_owned(),
            RtpCodecKind::Audio,
            vec![encoding],
        );
        let track = Arc::new(TrackLocalStaticRTP::new(track));
        let offered = forwarder.connect(who).await.unwrap();
        let offer = RTCSessionDescription::offer(offered.sdp).unwrap();
        connection.set_remote_description(offer).await.unwrap();
        connection.add_track(Arc::clone(&track) as Arc<dyn TrackLocal>).await.unwrap();
        let answer = connection.create_answer(None).await.unwrap();
        connection.set_local_description(answer).await.unwrap();
        let answer = connection.local_description().await.unwrap();
        forwarder.answer(who, offered.number, answer.sdp).await.unwrap();
        Self { connection, track, ssrc, payloads }
    }

    async fn says(&self, sequence: u16, words: &str) {
        let header = rtc::rtp::Header {
            version: 2,
            payload_type: 111,
            sequence_number: sequence,
            timestamp: u32::from(sequence) * 960,
            ssrc: self.ssrc,
            ..Default::default()
        };
        let payload = words.as_bytes().to_vec().into();
        self.track.write_rtp(rtc::rtp::Packet { header, payload }).await.unwrap();
    }

    /// Whether a payload arrives that was said now; what was said before is passed over.
    async fn hears(&mut self, from: &Someone, sequence: &mut u16, words: &str) -> bool {
        for _ in 0..50 {
            *sequence += 1;
            from.says(*sequence, words).await;
            let next = tokio::time::timeout(Duration::from_millis(40), self.payloads.recv());
            if matches!(next.await, Ok(Some(payload)) if payload == words.as_bytes()) {
                return true;
            }
        }
        false
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_of_another_library_talk_and_are_moved() {
    let listen = "127.0.0.1:0".parse().unwrap();
    let ports = Ports { listen, tcp: TcpPort::Next, addresses: vec![], cores: 1 };
    let transport = Transport::bind(&ports).unwrap();
    let (sender, mut events) = mpsc::unbounded_channel();
    let heard = Arc::<Heard>::default();
    let tap = Arc::clone(&heard) as Arc<dyn AudioTap>;
    let forwarder = Forwarder::new(&transport, tap, Arc::new(move |it| _ = sender.send(it)));
    forwarder.place_all(&[ALICE, BOB].map(|it| (it, Some(RoomId::Main))));
    let alice = Someone::joins(&forwarder, ALICE).await;
    let mut bob = Someone::joins(&forwarder, BOB).await;
    let mut connected = 0;
    while connected < 2 {
        let event = tokio::time::timeout(PATIENCE, events.recv()).await.expect("both connect");
        connected += usize::from(matches!(event, Some(MediaEvent::Connected { .. })));
    }
    assert!(forwarder.live_slots(BOB).is_some_and(|it| it.contains(&Some(ALICE))));

    let mut sequence = 0;
    assert!(bob.hears(&alice, &mut sequence, "hello").await);
    assert!(heard.0.lock().unwrap().is_empty(), "nobody has agreed to be listened to");
    forwarder.listen(ALICE, true);
    assert!(bob.hears(&alice, &mut sequence, "listen").await);
    assert!(heard.0.lock().unwrap().contains_key(&ALICE));

    forwarder.place_all(&[(ALICE, Some(RoomId::Breakout(1)))]);
    assert!(!bob.hears(&alice, &mut sequence, "elsewhere").await, "in another room");
    forwarder.place_all(&[(BOB, Some(RoomId::Breakout(1)))]);
    assert!(bob.hears(&alice, &mut sequence, "together again").await);

    alice.connection.close().await.unwrap();
    let failed = MediaEvent::Failed { participant: ALICE };
    while tokio::time::timeout(PATIENCE, events.recv()).await.expect("a goodbye")
        != Some(failed.clone())
    {}
    bob.connection.close().await.unwrap();
}
