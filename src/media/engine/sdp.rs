//! The one offer that a connection is made by, and its answer (RFC 8829, JSEP). We offer: so payload
//! types and extension numbers are ours for every browser, and a packet's payload type alone tells
//! which line it belongs to. It knows no packets. Any text is allowed as an answer.

use core::net::SocketAddr;
use std::fmt::Write;

use crate::domain::limits::SLOTS;

pub const OPUS: u8 = 111;
pub const CAMERA: u8 = 96;
pub const CAMERA_REPAIR: u8 = 97;
pub const SCREEN: u8 = 98;
pub const SCREEN_REPAIR: u8 = 99;

/// Numbers of the header extensions.
pub const LEVEL: u8 = 1;
pub const SENT_AT: u8 = 2;
pub const TRANSPORT_WIDE: u8 = 3;
const MID: u8 = 4;
pub const RID: u8 = 5;
pub const REPAIRED_RID: u8 = 6;

/// The names of a camera's layers, from the smallest.
pub const RIDS: [&str; 3] = ["q", "h", "f"];

/// Lines to receive on: microphone, camera, screen.
const SENT_LINES: usize = 3;

/// Lines of an answer that are read; we offer fewer.
const LINES_MAX: usize = SENT_LINES + 2 * SLOTS + 1;

/// One stream of ours and that which repairs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Streams {
    pub ssrc: u32,
    /// RTX (RFC 4588).
    pub repair: u32,
}

/// What is drawn by chance for one connection, so that nobody can guess it.
#[derive(Clone, Debug)]
pub struct Secrets {
    pub ufrag: String,
    pub password: String,
    /// Of the description's origin line.
    pub session: u64,
    pub own_ssrc: u32,
    /// An SSRC for each slot's audio.
    pub audio: [u32; SLOTS],
    pub video: [Streams; SLOTS],
    pub screen: Streams,
}

/// Where we can be reached, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Candidate {
    Udp(SocketAddr),
    /// The browser connects (RFC 6544).
    Tcp(SocketAddr),
}

/// What a browser is offered. `mid`s name the media lines, audio first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub sdp: String,
    pub send: [String; 2],
    /// The line to send a screen on, and the one to see another's.
    pub screen: [String; 2],
    pub slots: Vec<[String; 2]>,
    /// Whether it is of a connection there is already.
    pub restarts: bool,
    /// Set by the exchange: larger than that of every offer before.
    pub number: u32,
}

/// `fingerprint`: of our certificate, as SDP writes it. `version`: 0, and one more each time the same
/// connection is offered anew.
pub fn offer(
    secrets: &Secrets,
    fingerprint: &str,
    candidates: &[Candidate],
    version: u32,
) -> Offer {
    let lines = SENT_LINES + 2 * SLOTS + 1;
    let mut sdp = String::with_capacity(12_000);
    let out = &mut sdp;
    line(out, "v=0");
    line(out, &format!("o=- {} {version} IN IP4 127.0.0.1", secrets.session));
    line(out, "s=-");
    line(out, "t=0 0");
    line(out, "a=ice-lite");
    line(out, "a=ice-options:ice2");
    line(out, &format!("a=fingerprint:sha-256 {fingerprint}"));
    let mids: Vec<String> = (0..lines).map(|it| it.to_string()).collect();
    line(out, &format!("a=group:BUNDLE {}", mids.join(" ")));
    line(out, "a=extmap-allow-mixed");
    line(out, "a=msid-semantic: WMS *");
    let mut section = Section { out, secrets, next: 0 };
    section.audio("recvonly");
    for candidate in candidates.iter().enumerate() {
        line(section.out, &candidate_line(candidate));
    }
    line(section.out, "a=end-of-candidates");
    section.video("recvonly", CAMERA, CAMERA_REPAIR);
    for rid in RIDS {
        line(section.out, &format!("a=rid:{rid} recv"));
    }
    line(section.out, &format!("a=simulcast:recv {}", RIDS.join(";")));
    section.video("recvonly", SCREEN, SCREEN_REPAIR);
    for slot in 0..SLOTS {
        section.audio("sendonly");
        let ssrc = secrets.audio[slot];
        section.stream(&format!("slot-{slot}"), "audio", Streams { ssrc, repair: 0 });
        section.video("sendonly", CAMERA, CAMERA_REPAIR);
        section.stream(&format!("slot-{slot}"), "video", secrets.video[slot]);
    }
    section.video("sendonly", SCREEN, SCREEN_REPAIR);
    section.stream("screen", "screen", secrets.screen);
    let mid = |it: usize| it.to_string();
    Offer {
        sdp,
        send: [mid(0), mid(1)],
        screen: [mid(2), mid(lines - 1)],
        slots: (0..SLOTS)
            .map(|it| [mid(SENT_LINES + 2 * it), mid(SENT_LINES + 2 * it + 1)])
            .collect(),
        restarts: 0 < version,
        number: 0,
    }
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push_str("\r\n");
}

/// Host candidates, in our order; those of TCP after all of UDP (RFC 8445, 5.1.2.1; RFC 6544, 4.2).
fn candidate_line((index, candidate): (usize, &Candidate)) -> String {
    let (transport, local, address) = match candidate {
        Candidate::Udp(address) => ("udp", 65_535 - index as u32, address),
        // The direction preference of a passive candidate is 4.
        Candidate::Tcp(address) => ("tcp", (4 << 13) + 8_191 - index as u32, address),
    };
    let kind = if transport == "udp" { 126_u32 } else { 90 };
    let priority = (kind << 24) + (local << 8) + 255;
    let (ip, port) = (address.ip(), address.port());
    let passive = if transport == "tcp" { " tcptype passive" } else { "" };
    format!("a=candidate:{index} 1 {transport} {priority} {ip} {port} typ host{passive}")
}

struct Section<'a> {
    out: &'a mut String,
    secrets: &'a Secrets,
    next: usize,
}

impl Section<'_> {
    fn begin(&mut self, media: &str, direction: &str) {
        let (ufrag, password) = (&self.secrets.ufrag, &self.secrets.password);
        let mid = self.next;
        self.next += 1;
        let written = write!(
            self.out,
            "m={media}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na={direction}\r\n\
             a=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\na=setup:actpass\r\n\
             a=rtcp-mux\r\na=rtcp-rsize\r\n"
        );
        written.expect("a text takes what is written to it");
    }

    fn extension(&mut self, id: u8, uri: &str) {
        line(self.out, &format!("a=extmap:{id} {uri}"));
    }

    fn audio(&mut self, direction: &str) {
        self.begin(&format!("audio 9 UDP/TLS/RTP/SAVPF {OPUS}"), direction);
        line(self.out, &format!("a=rtpmap:{OPUS} opus/48000/2"));
        // Silence costs a packet every 400 ms (DTX), and a lost packet is in the next (FEC).
        line(self.out, &format!("a=fmtp:{OPUS} minptime=10;useinbandfec=1;usedtx=1"));
        line(self.out, &format!("a=rtcp-fb:{OPUS} nack"));
        self.extension(LEVEL, "urn:ietf:params:rtp-hdrext:ssrc-audio-level");
        self.extension(MID, "urn:ietf:params:rtp-hdrext:sdes:mid");
    }

    fn video(&mut self, direction: &str, codec: u8, repair: u8) {
        self.begin(&format!("video 9 UDP/TLS/RTP/SAVPF {codec} {repair}"), direction);
        line(self.out, &format!("a=rtpmap:{codec} VP8/90000"));
        for feedback in ["ccm fir", "nack", "nack pli"] {
            line(self.out, &format!("a=rtcp-fb:{codec} {feedback}"));
        }
        line(self.out, &format!("a=rtpmap:{repair} rtx/90000"));
        line(self.out, &format!("a=fmtp:{repair} apt={codec}"));
        self.extension(MID, "urn:ietf:params:rtp-hdrext:sdes:mid");
        // Browsers steer what they send by when it arrives here, and estimate what they receive by
        // when we say it was sent.
        if direction == "recvonly" {
            line(self.out, &format!("a=rtcp-fb:{codec} transport-cc"));
            self.extension(
                TRANSPORT_WIDE,
                "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
            );
            self.extension(RID, "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id");
            self.extension(REPAIRED_RID, "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id");
        } else {
            line(self.out, &format!("a=rtcp-fb:{codec} goog-remb"));
            self.extension(SENT_AT, "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time");
        }
    }

    fn stream(&mut self, stream: &str, track: &str, streams: Streams) {
        let Streams { ssrc, repair } = streams;
        line(self.out, &format!("a=msid:{stream} {stream}-{track}"));
        if repair != 0 {
            line(self.out, &format!("a=ssrc-group:FID {ssrc} {repair}"));
        }
        for ssrc in [ssrc, repair].into_iter().filter(|it| *it != 0) {
            line(self.out, &format!("a=ssrc:{ssrc} cname:{stream}"));
        }
    }
}

/// What of an answer matters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// SHA-256 of the browser's certificate.
    pub fingerprint: [u8; 32],
    /// Streams and what repairs them, where the answer names them.
    pub repairs: Vec<(u32, u32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    #[error("it is no session description")]
    NoDescription,
    #[error("it has no SHA-256 fingerprint")]
    NoFingerprint,
    #[error("it wants us to begin the handshake")]
    NotActive,
    #[error("it has more lines than were offered")]
    TooLong,
}

/// Reads an answer.
pub fn read_answer(sdp: &str) -> Result<Answer, AnswerError> {
    if !sdp.starts_with("v=0") || !sdp.lines().any(|it| it.starts_with("m=")) {
        return Err(AnswerError::NoDescription);
    }
    if LINES_MAX < sdp.lines().filter(|it| it.starts_with("m=")).count() {
        return Err(AnswerError::TooLong);
    }
    let value = |name: &str| sdp.lines().find_map(|it| it.trim_end().strip_prefix(name));
    let fingerprint = value("a=fingerprint:").and_then(|it| {
        let (hash, bytes) = it.split_once(' ')?;
        read_fingerprint(bytes).filter(|_| hash.eq_ignore_ascii_case("sha-256"))
    });
    let fingerprint = fingerprint.ok_or(AnswerError::NoFingerprint)?;
    if value("a=setup:") != Some("active") {
        return Err(AnswerError::NotActive);
    }
    let groups = sdp.lines().filter_map(|it| it.trim_end().strip_prefix("a=ssrc-group:FID "));
    let repairs = groups.filter_map(|it| {
        let (stream, repair) = it.split_once(' ')?;
        Some((stream.parse().ok()?, repair.parse().ok()?))
    });
    Ok(Answer { fingerprint, repairs: repairs.take(LINES_MAX).collect() })
}

fn read_fingerprint(text: &str) -> Option<[u8; 32]> {
    let mut fingerprint = [0; 32];
    let mut bytes = text.split(':');
    for byte in &mut fingerprint {
        *byte = u8::from_str_radix(bytes.next()?, 16).ok()?;
    }
    bytes.next().is_none().then_some(fingerprint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    pub fn secrets() -> Secrets {
        let streams = |it: usize| Streams { ssrc: 200 + it as u32, repair: 300 + it as u32 };
        Secrets {
            ufrag: "ours".to_owned(),
            password: "a password of the right length".to_owned(),
            session: 1,
            own_ssrc: 1,
            audio: std::array::from_fn(|it| 100 + it as u32),
            video: std::array::from_fn(streams),
            screen: streams(90),
        }
    }

    #[test]
    fn every_line_has_its_name_and_others_can_read_it() {
        let udp = Candidate::Udp("198.51.100.7:5000".parse().unwrap());
        let tcp = Candidate::Tcp("[2001:db8::7]:5001".parse().unwrap());
        let offer = offer(&secrets(), "AA:BB", &[udp, tcp], 0);
        let sections: Vec<_> = offer.sdp.split("\r\nm=").skip(1).collect();
        assert_eq!(sections.len(), 3 + 2 * SLOTS + 1);
        let section = |mid: &str| {
            let name = format!("\r\na=mid:{mid}\r\n");
            *sections.iter().find(|it| it.contains(&name)).expect("a line of that name")
        };
        assert!(section(&offer.send[0]).starts_with("audio"));
        assert!(section(&offer.send[1]).contains("a=simulcast:recv q;h;f"));
        assert!(section(&offer.screen[0]).contains("a=recvonly"));
        assert!(section(&offer.screen[1]).contains("a=ssrc-group:FID 290 390"));
        for (index, [audio, video]) in offer.slots.iter().enumerate() {
            assert!(section(audio).contains(&format!("a=ssrc:{} cname", 100 + index)));
            assert!(section(video).contains(&format!("a=ssrc-group:FID {} ", 200 + index)));
        }
        assert!(
            offer.sdp.contains("a=candidate:0 1 udp 2130706431 198.51.100.7 5000 typ host\r\n")
        );
        assert!(offer.sdp.contains(" 2001:db8::7 5001 typ host tcptype passive\r\n"));
        rtc::sdp::SessionDescription::unmarshal(&mut std::io::Cursor::new(&offer.sdp)).unwrap();
    }

    #[test]
    fn an_answer_is_read_or_refused_with_its_reason() {
        let bytes = ["0A"; 32].join(":");
        let answer = format!(
            "v=0\r\na=fingerprint:SHA-256 {bytes}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
             a=setup:active\r\na=ssrc-group:FID 5 6\r\n"
        );
        let read = read_answer(&answer).unwrap();
        assert_eq!((read.fingerprint, read.repairs), ([10; 32], vec![(5, 6)]));
        for (wrong, error) in [
            (String::new(), AnswerError::NoDescription),
            ("v=0\r\n".to_owned(), AnswerError::NoDescription),
            (answer.replace("SHA-256", "SHA-1"), AnswerError::NoFingerprint),
            (answer.replace("0A:", ""), AnswerError::NoFingerprint),
            (answer.replace("active", "passive"), AnswerError::NotActive),
            (answer.clone() + &"m=audio\r\n".repeat(99), AnswerError::TooLong),
        ] {
            assert_eq!(read_answer(&wrong), Err(error), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "\\PC{0,80}", head in any::<bool>()) {
            let head = if head { "v=0\r\nm=audio\r\na=fingerprint:sha-256 " } else { "" };
            let _ = read_answer(&format!("{head}{text}"));
        }
    }
}
