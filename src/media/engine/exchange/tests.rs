//! Stories of a core, without a network: browsers are synthetic, but their ciphers and their STUN are
//! another library's.

use std::collections::VecDeque;

use proptest::prelude::*;
use rtc::{
    srtp::{config::Config, context::Context, protection_profile::ProtectionProfile},
    stun::{
        attributes::{ATTR_PRIORITY, ATTR_USE_CANDIDATE, ATTR_USERNAME},
        fingerprint::FINGERPRINT,
        integrity::MessageIntegrity,
        message::{BINDING_REQUEST, Message, Setter, TransactionId},
        textattrs::TextAttribute,
    },
};

use super::*;
use crate::media::engine::{rtcp, rtp::Header, sdp::Streams, vp8};

const SESSION: SessionKey = SessionKey(1);
const ALICE: ParticipantId = ParticipantId(1);
const BOB: ParticipantId = ParticipantId(2);
const CHAO: ParticipantId = ParticipantId(3);
const ONE: RoomId = RoomId::Breakout(1);
const PROFILE: Profile = Profile::Aes128Gcm;

#[derive(Default)]
struct World {
    sent: VecDeque<(Way, Vec<u8>)>,
    events: Vec<MediaEvent>,
    heard: Vec<(ParticipantId, u16)>,
    forgotten: usize,
    greetings: usize,
}

impl Outside for World {
    fn send(&mut self, to: Way, bytes_max: usize, fill: impl FnOnce(&mut [u8]) -> Option<usize>) {
        let mut bytes = vec![0; bytes_max];
        if let Some(length) = fill(&mut bytes) {
            bytes.truncate(length);
            self.sent.push_back((to, bytes));
        }
    }

    fn event(&mut self, _: SessionKey, event: MediaEvent) {
        self.events.push(event);
    }

    fn heard(&mut self, _: SessionKey, from: ParticipantId, packet: TappedPacket) {
        self.heard.push((from, packet.sequence));
    }

    fn handshake(&mut self, _: PeerKey, _: &[u8]) {
        self.greetings += 1;
    }

    fn forget(&mut self, _: PeerKey) {
        self.forgotten += 1;
    }
}

/// One browser: it knows its keys and where it sits.
struct Browser {
    address: SocketAddr,
    secrets: Secrets,
    sends: Context,
    receives: Context,
    gates: Arc<Gates>,
}

/// A packet that came, decrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Came {
    payload_type: u8,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    payload: Vec<u8>,
}

struct Stage {
    exchange: Exchange,
    world: World,
    now: MediaTime,
    browsers: BTreeMap<ParticipantId, Browser>,
}

fn udp(remote: SocketAddr) -> Way {
    Way::Udp(Pair { remote, local: None })
}

fn integrity_request(ufrag: &str, password: &str) -> Vec<u8> {
    struct Raw(rtc::stun::attributes::AttrType, Vec<u8>);
    impl Setter for Raw {
        fn add_to(&self, message: &mut Message) -> Result<(), rtc::shared::error::Error> {
            message.add(self.0, &self.1);
            Ok(())
        }
    }
    let provider = rtc::crypto::default_provider().unwrap();
    let integrity = MessageIntegrity::new_short_term_integrity_with_provider(
        password.to_owned(),
        provider.crypto(),
    );
    let mut message = Message::new();
    let setters: [Box<dyn Setter + '_>; 7] = [
        Box::new(BINDING_REQUEST),
        Box::new(TransactionId::new()),
        Box::new(TextAttribute::new(ATTR_USERNAME, format!("{ufrag}:theirs"))),
        Box::new(Raw(ATTR_USE_CANDIDATE, vec![])),
        Box::new(Raw(ATTR_PRIORITY, vec![1, 2, 3, 4])),
        Box::new(integrity),
        Box::new(FINGERPRINT),
    ];
    message.build(&setters).unwrap();
    message.raw
}

impl Stage {
    fn new() -> Self {
        let here = Here { fingerprint: "AA".to_owned(), candidates: vec![], ntp: 1 << 60 };
        let mut exchange = Exchange::new(here);
        exchange.open(SESSION, Arc::default());
        let (world, now) = (World::default(), MediaTime::from_ms(10_000));
        Self { exchange, world, now, browsers: BTreeMap::new() }
    }

    /// Everybody in the main room, connected.
    fn with(people: &[ParticipantId]) -> Self {
        let mut stage = Self::new();
        for who in people {
            stage.place(&[(*who, Some(RoomId::Main))]);
            stage.connect(*who);
        }
        stage.world.events.clear();
        stage
    }

    fn place(&mut self, moves: &[(ParticipantId, Option<RoomId>)]) {
        self.exchange.place_all(self.now, SESSION, moves, &mut self.world);
    }

    fn connect(&mut self, who: ParticipantId) {
        let base = who.0 * 1_000;
        let streams = |it: u32| Streams { ssrc: base + it, repair: base + 100 + it };
        let secrets = Secrets {
            ufrag: format!("ufrag{}-{}", who.0, self.now.as_us()),
            password: format!("a password of person {}", who.0),
            session: 1,
            own_ssrc: base,
            audio: std::array::from_fn(|it| base + 300 + it as u32),
            video: std::array::from_fn(|it| streams(200 + it as u32)),
            screen: streams(290),
        };
        let gates = Arc::<Gates>::default();
        let (given, drawn) = (Arc::clone(&gates), secrets.clone());
        let offer = self.exchange.connect(self.now, SESSION, who, given, drawn, &mut self.world);
        let number = offer.expect("an offer").number;
        let material: Vec<u8> =
            (0..PROFILE.material_bytes()).map(|it| it as u8 ^ who.0 as u8).collect();
        let mut config = Config { profile: ProtectionProfile::AeadAes128Gcm, ..Default::default() };
        config.set_session_keys_from_keying_material(&material, true).unwrap();
        let provider = rtc::crypto::default_provider().unwrap();
        let context = |key: &[u8], salt: &[u8]| {
            let profile = ProtectionProfile::AeadAes128Gcm;
            Context::new(key, salt, profile, None, None, provider.crypto()).unwrap()
        };
        let keys = &config.keys;
        let sends = context(&keys.local_master_key, &keys.local_master_salt);
        let receives = context(&keys.remote_master_key, &keys.remote_master_salt);
        let address = SocketAddr::from(([198, 51, 100, who.0 as u8], 5_000));
        self.browsers.insert(who, Browser { address, secrets, sends, receives, gates });
        self.bind(who, address);
        let certificate = [who.0 as u8; 32];
        let text: Vec<_> = certificate.iter().map(|it| format!("{it:02X}")).collect();
        let answer = format!(
            "v=0\r\na=fingerprint:sha-256 {}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=setup:active\r\n",
            text.join(":")
        );
        self.exchange.answer(self.now, SESSION, who, number, &answer, &mut self.world).unwrap();
        let key = self.exchange.key_of(SESSION, who).unwrap();
        let done = Handshaken { profile: PROFILE, material, fingerprint: certificate };
        self.exchange.handshaken(self.now, key, done, &mut self.world);
    }

    /// A binding request from an address.
    fn bind(&mut self, who: ParticipantId, address: SocketAddr) {
        let browser = self.browsers.get_mut(&who).unwrap();
        browser.address = address;
        let (ufrag, password) = (&browser.secrets.ufrag, &browser.secrets.password);
        let request = integrity_request(ufrag, password);
        self.datagram(address, request);
    }

    fn datagram(&mut self, from: SocketAddr, mut bytes: Vec<u8>) {
        self.exchange.datagram(self.now, udp(from), from, &mut bytes, &mut self.world);
    }

    fn pass(&mut self, ms: u64) {
        for _ in 0..ms.div_ceil(20) {
            self.now = self.now + 20;
            self.exchange.tick(self.now, &mut self.world);
        }
    }

    fn sends(&mut self, who: ParticipantId, packet: &[u8]) {
        let browser = self.browsers.get_mut(&who).unwrap();
        let sealed = browser.sends.encrypt_rtp(packet).unwrap().to_vec();
        let from = browser.address;
        self.datagram(from, sealed);
    }

    fn reports(&mut self, who: ParticipantId, compound: &[u8]) {
        let browser = self.browsers.get_mut(&who).unwrap();
        let sealed = browser.sends.encrypt_rtcp(compound).unwrap().to_vec();
        let from = browser.address;
        self.datagram(from, sealed);
    }

    fn says(&mut self, who: ParticipantId, sequence: u16, level_dbov: i8) {
        self.sends(who, &audio(who, sequence, level_dbov));
    }

    /// What has come to a browser since it last looked: media, and what was told by RTCP.
    fn looks(&mut self, who: ParticipantId) -> (Vec<Came>, Vec<Vec<u8>>) {
        let browser = self.browsers.get_mut(&who).unwrap();
        let (mut media, mut control) = (vec![], vec![]);
        self.world.sent.retain(|(to, bytes)| {
            if *to != udp(browser.address) {
                return true;
            }
            match bytes[..2] {
                [128..=191, 192..=223] => {
                    control.push(browser.receives.decrypt_rtcp(bytes).unwrap().to_vec());
                }
                [128..=191, _] => {
                    let plain = browser.receives.decrypt_rtp(bytes).unwrap();
                    let header = Header::read(&plain).unwrap();
                    let payload = plain[header.bytes..].to_vec();
                    let Header { payload_type, ssrc, sequence, timestamp, .. } = header;
                    media.push(Came { payload_type, ssrc, sequence, timestamp, payload });
                }
                _ => (),
            }
            false
        });
        (media, control)
    }

    fn hears(&mut self, who: ParticipantId) -> Vec<Came> {
        self.looks(who).0
    }
}

fn header(
    payload_type: u8,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    extensions: &[u8],
) -> Vec<u8> {
    let mut packet = vec![if extensions.is_empty() { 0x80 } else { 0x90 }, payload_type];
    packet.extend(sequence.to_be_bytes());
    packet.extend(timestamp.to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    if !extensions.is_empty() {
        packet.extend([0xbe, 0xde]);
        packet.extend((extensions.len().div_ceil(4) as u16).to_be_bytes());
        packet.extend(extensions);
        packet.resize(packet.len().next_multiple_of(4), 0);
    }
    packet
}

fn audio(who: ParticipantId, sequence: u16, level_dbov: i8) -> Vec<u8> {
    let level = [sdp::LEVEL << 4, -level_dbov as u8];
    let mut packet = header(sdp::OPUS, sequence, u32::from(sequence) * 960, who.0, &level);
    packet.extend(format!("sound {sequence} of {}", who.0).bytes());
    packet
}

/// One packet of a camera's layer; each layer has an SSRC of its own.
fn video(who: ParticipantId, layer: u8, sequence: u16, keyframe: bool) -> Vec<u8> {
    let rid = [sdp::RID << 4, sdp::RIDS[usize::from(layer)].as_bytes()[0]];
    let ssrc = who.0 * 10 + u32::from(layer);
    let mut packet = header(sdp::CAMERA, sequence, u32::from(sequence) * 3_000, ssrc, &rid);
    packet.extend([0x10, u8::from(!keyframe)]);
    packet.extend(format!("picture {sequence} in {layer}").bytes());
    packet
}

fn told(compounds: &[Vec<u8>]) -> Vec<rtcp::Feedback> {
    let mut all = vec![];
    compounds.iter().for_each(|it| rtcp::read(it, |it| all.push(it)));
    all
}

fn is_picture(came: &Came, layer: u8) -> bool {
    came.payload.ends_with(format!("in {layer}").as_bytes())
}

#[test]
fn a_voice_reaches_the_room_and_nobody_else() {
    let mut stage = Stage::with(&[ALICE, BOB, CHAO]);
    stage.place(&[(CHAO, Some(ONE))]);
    for sequence in 0..50 {
        stage.says(ALICE, sequence, -30);
        stage.pass(20);
    }
    let heard = stage.hears(BOB);
    assert_eq!(heard.len(), 50);
    assert!(heard.windows(2).all(|it| it[1].sequence == it[0].sequence.wrapping_add(1)));
    assert_eq!(heard[7].payload, b"sound 7 of 1");
    assert!(stage.hears(CHAO).is_empty() && stage.hears(ALICE).is_empty());
    assert!(stage.world.events.contains(&MediaEvent::Voice { participant: ALICE, on: true }));
    stage.place(&[(CHAO, Some(RoomId::Main))]);
    stage.says(ALICE, 50, -30);
    assert_eq!(stage.hears(CHAO).len(), 1, "at once after a move");
}

#[test]
fn silence_is_not_sent_and_leaves_no_hole() {
    let mut stage = Stage::with(&[ALICE, BOB]);
    let mut all = vec![];
    for sequence in 0..200_u16 {
        let silent = (20..150).contains(&sequence);
        stage.says(ALICE, sequence, if silent { -127 } else { -30 });
        stage.pass(20);
        all.extend(stage.hears(BOB));
    }
    assert!((120..135).contains(&all.len()), "{}", all.len());
    assert!(all.windows(2).all(|it| it[1].sequence == it[0].sequence.wrapping_add(1)));
}

#[test]
fn only_who_has_agreed_is_listened_to_and_who_is_hushed_is_heard_by_nobody() {
    let mut stage = Stage::with(&[ALICE, BOB]);
    stage.says(ALICE, 1, -30);
    let gates = Arc::clone(&stage.browsers[&ALICE].gates);
    gates.listened.store(true, Ordering::Relaxed);
    stage.says(ALICE, 2, -30);
    gates.hushed.store(true, Ordering::Relaxed);
    stage.says(ALICE, 3, -30);
    for sequence in 4..30 {
        stage.says(ALICE, sequence, -30);
        stage.pass(20);
    }
    assert!(stage.world.events.is_empty(), "nor seen to speak");
    gates.hushed.store(false, Ordering::Relaxed);
    stage.says(ALICE, 30, -30);
    assert_eq!(stage.world.heard, [(ALICE, 2), (ALICE, 30)]);
    let heard = stage.hears(BOB);
    let numbers: Vec<_> =
        heard.iter().map(|it| it.sequence.wrapping_sub(heard[0].sequence)).collect();
    assert_eq!(numbers, [0, 1, 2], "the pause leaves no hole");
}

#[test]
fn pictures_come_in_the_layer_that_is_wanted() {
    let mut stage = Stage::with(&[ALICE, BOB]);
    let mut seen = vec![];
    for sequence in 0..150_u16 {
        for layer in 0..3 {
            stage.sends(ALICE, &video(ALICE, layer, sequence, sequence % 30 == 0));
        }
        if sequence == 60 {
            let view = View::new(&[Wanted::Small], Wanted::Large).unwrap();
            stage.exchange.view(stage.now, SESSION, BOB, view, &mut stage.world);
        }
        stage.pass(33);
        seen.push(stage.hears(BOB));
    }
    let layers = |from: usize, to: usize, layer| {
        seen[from..to].iter().flatten().filter(|it| is_picture(it, layer)).count()
    };
    assert_eq!((layers(31, 60, 2), layers(31, 60, 0)), (29, 0));
    assert_eq!((layers(91, 150, 2), layers(91, 150, 0)), (0, 59), "smaller from the next keyframe");
    let all: Vec<_> = seen.into_iter().flatten().collect();
    assert!(all.windows(2).all(|it| it[1].sequence == it[0].sequence.wrapping_add(1)));
    assert!(all.iter().all(|it| it.ssrc == all[0].ssrc && it.payload_type == sdp::CAMERA));
}

/// As where a phone's line shrinks, or somebody saves data.
#[test]
fn a_layer_that_is_stopped_gives_way_to_a_smaller_one_soon() {
    let mut stage = Stage::with(&[ALICE, BOB]);
    let wants_small = |control: &[Vec<u8>]| {
        told(control).contains(&rtcp::Feedback::KeyframeWanted { ssrc: ALICE.0 * 10 })
    };
    // Slowly, all of them: nothing has stopped.
    for sequence in 0..20 {
        for layer in [0, 2] {
            stage.sends(ALICE, &video(ALICE, layer, sequence, sequence < 3));
        }
        stage.pass(500);
    }
    assert!(!wants_small(&stage.looks(ALICE).1));
    assert!(is_picture(stage.hears(BOB).last().unwrap(), 2));
    let mut waited_ms = 0;
    for sequence in 20..60 {
        stage.sends(ALICE, &video(ALICE, 0, sequence, false));
        stage.pass(40);
        waited_ms += 40;
        if wants_small(&stage.looks(ALICE).1) {
            break;
        }
    }
    assert!((120..=500).contains(&waited_ms), "{waited_ms}");
}

#[test]
fn nobody_fills_the_lines_of_a_room_with_sound() {
    let mut stage = Stage::with(&[ALICE, BOB]);
    let mut heard = vec![];
    for sequence in 0..1_000 {
        let mut packet = audio(ALICE, sequence, -10);
        packet.resize(packet.len() + 1_000, 7);
        stage.sends(ALICE, &packet);
        if sequence % 20 == 0 {
            stage.pass(20);
        }
        heard.extend(stage.hears(BOB));
    }
    assert!((40..70).contains(&heard.len()), "{}", heard.len());
    assert!(heard.windows(2).all(|it| it[1].sequence == it[0].sequence.wrapping_add(1)));
    stage.pass(1_000);
    stage.says(ALICE, 1_001, -30);
    assert_eq!(stage.hears(BOB).len(), 1, "and is heard when they behave");
}

#[test]
fn a_new_viewer_has_the_publisher_asked_for_a_keyframe_once() {
    let mut stage = Stage::with(&[ALICE, BOB, CHAO]);
    for sequence in 0..10 {
        stage.sends(ALICE, &video(ALICE, 2, sequence, false));
    }
    let asked = told(&stage.looks(ALICE).1);
    let ssrc = ALICE.0 * 10 + 2;
    assert_eq!(asked, [rtcp::Feedback::KeyframeWanted { ssrc }]);
    assert!(stage.hears(BOB).is_empty(), "no half pictures");
    stage.sends(ALICE, &video(ALICE, 2, 10, true));
    assert_eq!((stage.hears(BOB).len(), stage.hears(CHAO).len()), (1, 1));
}

#[test]
fn what_a_viewer_missed_comes_again_by_its_repair_stream() {
    let mut stage = Stage::with(&[ALICE, BOB]);
    for sequence in 0..20 {
        stage.sends(ALICE, &video(ALICE, 2, sequence, sequence == 0));
        stage.says(ALICE, sequence, -30);
        stage.pass(20);
    }
    stage.pass(1_000);
    let came = stage.hears(BOB);
    let pictures: Vec<_> = came.iter().filter(|it| it.payload_type == sdp::CAMERA).collect();
    let sounds: Vec<_> = came.iter().filter(|it| it.payload_type == sdp::OPUS).collect();
    let mut nack = vec![];
    rtcp::write_missing(
        &mut nack,
        9,
        pictures[3].ssrc,
        &[pictures[3].sequence, pictures[4].sequence],
    );
    rtcp::write_missing(&mut nack, 9, sounds[5].ssrc, &[sounds[5].sequence]);
    stage.reports(BOB, &nack);
    let again = stage.hears(BOB);
    assert_eq!(again.len(), 3);
    assert_eq!(again[0].payload_type, sdp::CAMERA_REPAIR);
    assert_eq!(again[0].payload[..2], pictures[3].sequence.to_be_bytes());
    assert_eq!(again[0].payload[2..], pictures[3].payload);
    assert_eq!(again[1].sequence, again[0].sequence.wrapping_add(1));
    assert_eq!(&again[2], sounds[5], "sound comes again as it was");
}

#[test]
fn a_speaker_prepares_for_the_losses_of_whoever_hears_worst() {
    let mut stage = Stage::with(&[ALICE, BOB, CHAO]);
    let talk = |stage: &mut Stage, from: u16| {
        for sequence in from..from + 120 {
            stage.says(ALICE, sequence, -30);
            stage.pass(20);
        }
    };
    let lost = |stage: &mut Stage| {
        let told = told(&stage.looks(ALICE).1).into_iter();
        let lost = told.filter_map(|it| match it {
            rtcp::Feedback::Arrival { lost, .. } => Some(lost),
            _ => None,
        });
        lost.max().expect("a report")
    };
    talk(&mut stage, 0);
    assert_eq!(lost(&mut stage), 0);
    let came = stage.hears(BOB);
    let missed: Vec<_> = came.iter().step_by(10).map(|it| it.sequence).collect();
    let mut nack = vec![];
    rtcp::write_missing(&mut nack, 9, came[0].ssrc, &missed);
    stage.reports(BOB, &nack);
    talk(&mut stage, 120);
    assert!((10..=40).contains(&lost(&mut stage)), "some tenth of 256");
    (2..6).for_each(|it| talk(&mut stage, it * 120));
    stage.looks(ALICE);
    talk(&mut stage, 720);
    assert_eq!(lost(&mut stage), 0, "and forgets them");
}

#[test]
fn what_a_publisher_lost_on_the_way_here_is_asked_for_and_passed_on() {
    let mut stage = Stage::with(&[ALICE, BOB]);
    for sequence in (0..20).filter(|it| *it != 7) {
        stage.sends(ALICE, &video(ALICE, 2, sequence, sequence == 0));
        stage.pass(20);
    }
    let asked = told(&stage.looks(ALICE).1);
    let ssrc = ALICE.0 * 10 + 2;
    assert!(asked.contains(&rtcp::Feedback::Missing { ssrc, sequences: vec![7] }), "{asked:?}");
    let before = stage.hears(BOB).len();
    // It comes as a repair: another payload type and SSRC, the number in front.
    let rid = [sdp::REPAIRED_RID << 4, b'f'];
    let mut repair = header(sdp::CAMERA_REPAIR, 1, 7 * 3_000, 777, &rid);
    repair.extend(7_u16.to_be_bytes());
    repair.extend(&video(ALICE, 2, 7, false)[20..]);
    stage.sends(ALICE, &repair);
    let came = stage.hears(BOB);
    assert_eq!((before, came.len()), (19, 1));
    assert!(came[0].payload.ends_with(b"picture 7 in 2"));
}

#[test]
fn a_still_screen_is_shown_to_who_comes_late() {
    let mut stage = Stage::with(&[ALICE, BOB]);
    let mut screen = header(sdp::SCREEN, 1, 0, 555, &[]);
    screen.extend([0x10, 0, 1, 2, 3]);
    stage.exchange.show(stage.now, SESSION, ALICE, true, &mut stage.world);
    stage.sends(ALICE, &screen);
    stage.looks(ALICE);
    stage.place(&[(CHAO, Some(RoomId::Main))]);
    stage.connect(CHAO);
    stage.pass(500);
    let asked = told(&stage.looks(ALICE).1);
    assert!(asked.contains(&rtcp::Feedback::KeyframeWanted { ssrc: 555 }), "{asked:?}");
}

#[test]
fn a_repair_of_what_has_come_is_passed_on_to_nobody() {
    let mut stage = Stage::with(&[ALICE, BOB]);
    for sequence in 0..10 {
        stage.sends(ALICE, &video(ALICE, 2, sequence, sequence == 0));
    }
    stage.hears(BOB);
    // As a browser that probes its line does; and as one that means harm does, with other words.
    let rid = [sdp::REPAIRED_RID << 4, b'f'];
    for (number, content) in [(1, &b"\x10\x01picture 5 in 2"[..]), (2, b"\x10\x00something else")] {
        let mut repair = header(sdp::CAMERA_REPAIR, number, 5 * 3_000, 777, &rid);
        repair.extend(5_u16.to_be_bytes());
        repair.extend(content);
        stage.sends(ALICE, &repair);
    }
    assert!(stage.hears(BOB).is_empty());
}

#[test]
fn who_has_not_connected_yet_makes_nobody_draw_keyframes() {
    let mut stage = Stage::with(&[ALICE]);
    stage.place(&[(BOB, Some(RoomId::Main))]);
    let secrets = Secrets { ufrag: "bob".to_owned(), ..stage.browsers[&ALICE].secrets.clone() };
    let world = &mut stage.world;
    stage.exchange.connect(stage.now, SESSION, BOB, Arc::default(), secrets, world).unwrap();
    for sequence in 0..100 {
        stage.sends(ALICE, &video(ALICE, 2, sequence, sequence == 0));
        stage.pass(20);
    }
    let asked = told(&stage.looks(ALICE).1);
    let wanted = |it: &&rtcp::Feedback| matches!(it, rtcp::Feedback::KeyframeWanted { .. });
    assert_eq!(asked.iter().filter(wanted).count(), 0);
}

#[test]
fn nobody_takes_the_address_of_one_who_is_there() {
    let mut stage = Stage::with(&[ALICE, BOB]);
    let secrets = stage.browsers[&BOB].secrets.clone();
    let hers = stage.browsers[&ALICE].address;
    stage.says(ALICE, 1, -30);
    stage.datagram(hers, integrity_request(&secrets.ufrag, &secrets.password));
    stage.says(ALICE, 2, -30);
    stage.says(BOB, 1, -30);
    assert_eq!((stage.hears(BOB).len(), stage.hears(ALICE).len()), (2, 1));
}

#[test]
fn a_screen_goes_to_its_room_in_its_own_slot() {
    let mut stage = Stage::with(&[ALICE, BOB]);
    let screen = |sequence, keyframe: bool| {
        let mut packet = header(sdp::SCREEN, sequence, 0, 555, &[]);
        packet.extend([0x10, u8::from(!keyframe), 1, 2, 3]);
        packet
    };
    stage.sends(ALICE, &screen(1, true));
    assert!(stage.hears(BOB).is_empty(), "the session has not said so");
    stage.exchange.show(stage.now, SESSION, ALICE, true, &mut stage.world);
    stage.sends(ALICE, &screen(2, true));
    let came = stage.hears(BOB);
    assert_eq!(came.len(), 1);
    assert_eq!(
        (came[0].payload_type, came[0].ssrc),
        (sdp::SCREEN, stage.browsers[&BOB].secrets.screen.ssrc)
    );
    stage.exchange.show(stage.now, SESSION, ALICE, false, &mut stage.world);
    stage.sends(ALICE, &screen(3, true));
    assert!(stage.hears(BOB).is_empty());
}

#[test]
fn a_browser_whose_address_changes_goes_on_from_the_new_one() {
    let mut stage = Stage::with(&[ALICE, BOB]);
    stage.says(ALICE, 1, -30);
    let (old, new) = (stage.browsers[&BOB].address, "203.0.113.9:777".parse().unwrap());
    stage.bind(BOB, new);
    stage.says(ALICE, 2, -30);
    assert_eq!(stage.hears(BOB).len(), 1, "to the new address");
    assert!(stage.world.sent.iter().any(|it| it.0 == udp(old)), "and before to the old one");
    stage.says(BOB, 1, -30);
    assert_eq!(stage.hears(ALICE).len(), 1);
}

#[test]
fn each_of_our_addresses_answers_for_itself() {
    let mut stage = Stage::with(&[ALICE, BOB]);
    let (remote, local) = (stage.browsers[&BOB].address, Some("192.0.2.7".parse().unwrap()));
    let other = Way::Udp(Pair { remote, local });
    let secrets = &stage.browsers[&BOB].secrets;
    let mut request = integrity_request(&secrets.ufrag, &secrets.password);
    stage.world.sent.clear();
    stage.exchange.datagram(stage.now, other, remote, &mut request, &mut stage.world);
    stage.says(ALICE, 1, -30);
    assert_eq!(stage.world.sent.iter().filter(|it| it.0 == other).count(), 2, "answer and sound");
}

#[test]
fn who_does_not_know_the_password_moves_nothing() {
    let mut stage = Stage::with(&[ALICE, BOB]);
    let ufrag = stage.browsers[&BOB].secrets.ufrag.clone();
    let stranger: SocketAddr = "203.0.113.66:6".parse().unwrap();
    stage.world.sent.clear();
    stage.datagram(stranger, integrity_request(&ufrag, "a guess"));
    stage.datagram(stranger, integrity_request("nobody", "a guess"));
    assert!(stage.world.sent.is_empty(), "no answer at all");
    let mut sealed = stage
        .browsers
        .get_mut(&BOB)
        .unwrap()
        .sends
        .encrypt_rtp(&audio(BOB, 1, -30))
        .unwrap()
        .to_vec();
    stage.datagram(stranger, sealed.clone());
    sealed[20] ^= 1;
    let from = stage.browsers[&BOB].address;
    stage.datagram(from, sealed);
    assert!(stage.hears(ALICE).is_empty());
    assert_eq!(stage.exchange.strays(), 4);
}

#[test]
fn another_certificate_than_the_answers_ends_the_connection() {
    let mut stage = Stage::with(&[ALICE]);
    stage.place(&[(BOB, Some(RoomId::Main))]);
    stage.connect(BOB);
    // A second connection of Bob's, whose handshake somebody else makes.
    let secrets = Secrets { ufrag: "again".to_owned(), ..stage.browsers[&BOB].secrets.clone() };
    let (exchange, world) = (&mut stage.exchange, &mut stage.world);
    let offer = exchange.connect(stage.now, SESSION, BOB, Arc::default(), secrets, world).unwrap();
    let key = exchange.key_of(SESSION, BOB).unwrap();
    let material = vec![0; PROFILE.material_bytes()];
    let done = Handshaken { profile: PROFILE, material, fingerprint: [9; 32] };
    exchange.handshaken(stage.now, key, done, world);
    assert_eq!(exchange.peers(), 2, "the answer is not there yet");
    let fingerprint = ["08"; 32].join(":");
    let answer =
        format!("v=0\r\na=fingerprint:sha-256 {fingerprint}\r\nm=audio 9\r\na=setup:active\r\n");
    exchange.answer(stage.now, SESSION, BOB, offer.number - 1, &answer, world).unwrap();
    assert_eq!(exchange.peers(), 2, "the answer to an older offer says nothing");
    exchange.answer(stage.now, SESSION, BOB, offer.number, &answer, world).unwrap();
    assert_eq!(exchange.peers(), 1);
    assert!(world.events.contains(&MediaEvent::Failed { participant: BOB }));
}

#[test]
fn nobody_keeps_the_others_from_their_handshakes() {
    let mut stage = Stage::with(&[ALICE, BOB]);
    let of = |who: ParticipantId, stage: &Stage| stage.browsers[&who].address;
    for _ in 0..100_000 {
        stage.datagram(of(BOB, &stage), vec![22; 200]);
    }
    assert_eq!(stage.world.greetings, GREETINGS_MAX as usize);
    stage.datagram(of(ALICE, &stage), vec![22; 200]);
    assert_eq!(stage.world.greetings, GREETINGS_MAX as usize + 1);
}

#[test]
fn a_restart_takes_new_credentials_and_keeps_everything_else() {
    let mut stage = Stage::with(&[ALICE, BOB]);
    let (ufrag, password) = ("fresh".to_owned(), "a fresh password of some length".to_owned());
    let offer = stage.exchange.restart(SESSION, BOB, ufrag.clone(), password.clone()).unwrap();
    assert!(offer.restarts && offer.sdp.contains("a=ice-ufrag:fresh\r\n"));
    let new: SocketAddr = "203.0.113.9:777".parse().unwrap();
    stage.datagram(new, integrity_request(&ufrag, &password));
    stage.browsers.get_mut(&BOB).unwrap().address = new;
    stage.says(ALICE, 1, -30);
    assert_eq!(stage.hears(BOB).len(), 1, "with the keys of before");
}

#[test]
fn who_falls_silent_is_let_go_and_nothing_is_left_behind() {
    let mut stage = Stage::with(&[ALICE, BOB]);
    for _ in 0..20 {
        stage.pass(1_000);
        stage.bind(ALICE, stage.browsers[&ALICE].address);
    }
    assert!(stage.world.events.contains(&MediaEvent::Failed { participant: BOB }));
    assert_eq!(stage.exchange.peers(), 1);
    stage.place(&[(ALICE, None)]);
    stage.exchange.close(SESSION, &mut stage.world);
    assert_eq!((stage.exchange.peers(), stage.world.forgotten), (0, 2));
    assert!(stage.exchange.by_way.is_empty() && stage.exchange.by_ufrag.is_empty());
}

/// NTP times that BOB is told, and the timestamps of the same moments, stream by stream.
fn clocks_told(control: &[Vec<u8>], ssrc: u32) -> Vec<(u64, u32)> {
    let clocks = told(control).into_iter().filter_map(|it| match it {
        rtcp::Feedback::Clock { ssrc: of, ntp, timestamp } if of == ssrc => Some((ntp, timestamp)),
        _ => None,
    });
    clocks.collect()
}

/// As a browser does once a second: for each stream the timestamp of what is captured at `ntp`.
fn clocks_of(ntp: u64, streams: &[(u32, u32)]) -> Vec<u8> {
    let mut compound = vec![];
    for (ssrc, timestamp) in streams.iter().copied() {
        let report = rtcp::SenderReport { ssrc, ntp, timestamp, packets: 1, octets: 1 };
        rtcp::write_sender_report(&mut compound, &report);
    }
    compound
}

#[test]
fn sound_and_picture_keep_together() {
    let mut stage = Stage::with(&[ALICE, BOB]);
    stage.says(ALICE, 10, -30);
    stage.sends(ALICE, &video(ALICE, 2, 5, true));
    stage.reports(ALICE, &clocks_of(77 << 32, &[(ALICE.0, 9_600), (ALICE.0 * 10 + 2, 15_000)]));
    stage.pass(1_500);
    let (media, control) = stage.looks(BOB);
    // What was captured at 77 s of her clock, by the reports of each stream.
    let captured_ms = |payload_type, ticks_per_ms: u32| {
        let came = media.iter().find(|it| it.payload_type == payload_type).unwrap();
        let (ntp, timestamp) = clocks_told(&control, came.ssrc)[0];
        let past_ms = timestamp.wrapping_sub(came.timestamp) / ticks_per_ms;
        ((u128::from(ntp) * 1_000) >> 32) as u64 - u64::from(past_ms)
    };
    assert_eq!(captured_ms(sdp::OPUS, 48), captured_ms(sdp::CAMERA, 90));
}

#[test]
fn what_is_told_of_a_stream_before_it_begins_is_known_when_it_does() {
    let mut stage = Stage::with(&[ALICE, BOB]);
    stage.reports(ALICE, &clocks_of(7 << 32, &[(12, 3_000)]));
    stage.sends(ALICE, &video(ALICE, 2, 1, true));
    stage.pass(1_100);
    let picture = stage.browsers[&BOB].secrets.video[0].ssrc;
    assert!(!clocks_told(&stage.looks(BOB).1, picture).is_empty());
}

/// A browser that gets another layer of a camera lets pictures go whose numbers do not follow.
#[test]
fn pictures_and_their_repairs_are_numbered_as_one_stream() {
    let mut stage = Stage::with(&[ALICE, BOB]);
    let numbered = |layer: u8, sequence: u16, picture: u8, keyframe: bool| {
        let mut packet = video(ALICE, layer, sequence, keyframe);
        let payload = packet.len() - format!("picture {sequence} in {layer}").len() - 2;
        packet[payload] |= 0x80;
        packet.splice(payload + 1..payload + 1, [0xc0, 0x80, picture, picture]);
        packet
    };
    let view = |stage: &mut Stage, wanted| {
        let view = View { slots: [wanted; SLOTS], ..View::default() };
        stage.exchange.view(stage.now, SESSION, BOB, view, &mut stage.world);
    };
    view(&mut stage, Wanted::Small);
    stage.sends(ALICE, &numbered(2, 1, 200, true));
    stage.sends(ALICE, &numbered(0, 1, 50, true));
    stage.sends(ALICE, &numbered(0, 2, 51, false));
    view(&mut stage, Wanted::Large);
    stage.sends(ALICE, &numbered(2, 2, 201, true));
    stage.sends(ALICE, &numbered(2, 3, 202, false));
    let came = stage.hears(BOB);
    let numbers = |it: &Came| vp8::numbers(&it.payload);
    let all: Vec<_> = came.iter().map(numbers).collect();
    for two in all.windows(2) {
        assert_eq!(two[1].picture, two[0].picture.map(|it| it + 1), "{all:?}");
        assert_eq!(two[1].base, two[0].base.map(|it| it + 1), "{all:?}");
    }
    let lost = came.last().unwrap();
    let mut asked = vec![];
    rtcp::write_missing(&mut asked, 1, lost.ssrc, &[lost.sequence]);
    stage.reports(BOB, &asked);
    let repair = stage.hears(BOB).pop().expect("a repair");
    assert_eq!(repair.payload[2..], lost.payload, "to the last byte");
}

/// Browsers draw one line through twenty reports of a stream, and time sound and picture by it.
#[test]
fn a_stream_has_one_clock_whatever_flows_in_it() {
    let mut stage = Stage::with(&[ALICE, BOB]);
    let (mut told, mut offsets) = (vec![], vec![]);
    let mut pictures: u16 = 0;
    for wanted in [Wanted::Small, Wanted::Large, Wanted::Small, Wanted::Large, Wanted::Small] {
        let view = View { slots: [wanted; SLOTS], ..View::default() };
        stage.exchange.view(stage.now, SESSION, BOB, view, &mut stage.world);
        for picture in 0..30 {
            pictures += 1;
            stage.sends(ALICE, &video(ALICE, 0, pictures, true));
            // The large one takes a tenth of a second more to be made.
            if let Some(late) = pictures.checked_sub(3) {
                stage.sends(ALICE, &video(ALICE, 2, late, true));
            }
            stage.pass(if picture % 3 == 0 { 20 } else { 40 });
        }
        let (ntp, timestamp) = ((u64::from(pictures) << 32) / 30, u32::from(pictures) * 3_000);
        for ssrc in [10, 12] {
            stage.reports(ALICE, &clocks_of(ntp, &[(ssrc, timestamp)]));
        }
        let (media, control) = stage.looks(BOB);
        told.extend(clocks_told(&control, stage.browsers[&BOB].secrets.video[0].ssrc));
        // What each picture's timestamp is more than its number tells; a change takes some pictures.
        offsets.extend(media.iter().skip(8).map(|it| {
            let text = String::from_utf8_lossy(&it.payload[2..]);
            let number: u32 = text.split(' ').nth(1).unwrap().parse().unwrap();
            it.timestamp.wrapping_sub(number * 3_000)
        }));
    }
    assert_eq!(told.len(), 4, "{told:?}");
    let on_the_line = |(ntp, timestamp): &(u64, u32)| {
        let seconds = (ntp - told[0].0) as f64 / 2f64.powi(32);
        (f64::from(timestamp.wrapping_sub(told[0].1)) - seconds * 90_000.0).abs() / 90.0 < 1.0
    };
    assert!(told.iter().all(on_the_line), "{told:?}");
    let offsets = &offsets[22..]; // nothing is known in the first second
    assert!(offsets.iter().all(|it| it.abs_diff(offsets[0]) < 90), "{offsets:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever bytes come from whom: nobody stumbles, nobody else is disturbed, nothing is answered
    /// that was not asked by who may.
    #[test]
    fn garbage_disturbs_nobody(
        datagrams in prop::collection::vec(
            (0usize..3, prop::collection::vec(any::<u8>(), 0..80), any::<bool>()),
            1..60,
        ),
    ) {
        let mut stage = Stage::with(&[ALICE, BOB]);
        stage.says(ALICE, 1, -30);
        stage.looks(BOB);
        let stranger: SocketAddr = "203.0.113.66:6".parse().unwrap();
        let from = [stranger, stage.browsers[&ALICE].address, stage.browsers[&BOB].address];
        stage.world.sent.clear();
        for (who, mut bytes, sealed) in datagrams {
            if let Some(first) = bytes.first_mut() {
                *first = [0, 22, 0x80, 0x90, 0x81][usize::from(*first) % 5];
            }
            // Some of it well sealed: a browser that has been taken over.
            let well = sealed && who == 2 && Header::read(&bytes).is_some();
            if well {
                stage.sends(BOB, &bytes);
            } else {
                stage.datagram(from[who], bytes);
            }
            stage.pass(20);
        }
        prop_assert!(stage.world.sent.iter().all(|it| it.0 != udp(stranger)));
        stage.looks(BOB);
        stage.says(ALICE, 2, -30);
        prop_assert_eq!(stage.hears(BOB).len(), 1);
    }
}
