//! The little of STUN (RFC 8489) that an ICE-lite agent (RFC 8445, 2.5) needs: a binding request is
//! read, its integrity checked, and answered. It asks nobody anything. Any bytes are allowed.

use core::net::{IpAddr, SocketAddr};

use ring::hmac;

const MAGIC: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const HEADER_BYTES: usize = 20;
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const USE_CANDIDATE: u16 = 0x0025;
const FINGERPRINT: u16 = 0x8028;
const FINGERPRINT_XOR: u32 = 0x5354_554e;
const INTEGRITY_BYTES: usize = 20;

/// The largest answer, to an address of IPv6.
pub const ANSWER_BYTES_MAX: usize = HEADER_BYTES + 24 + 4 + INTEGRITY_BYTES + 8;

/// The password of one side, ready to check and to sign with.
#[derive(Clone, Debug)]
pub struct Password(hmac::Key);

impl Password {
    pub fn new(password: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes()))
    }
}

/// A binding request whose integrity is not yet checked.
#[derive(Clone, Copy, Debug)]
pub struct BindingRequest<'a> {
    message: &'a [u8],
    /// The user name fragment of the receiver: whose it is.
    pub ufrag: &'a str,
    /// The sender has chosen this pair of addresses.
    pub nominates: bool,
    integrity_at: usize,
}

impl<'a> BindingRequest<'a> {
    /// `None`: it is something else, or not whole.
    pub fn read(message: &'a [u8]) -> Option<Self> {
        let (header, mut rest) = message.split_at_checked(HEADER_BYTES)?;
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let kind = u16::from_be_bytes([header[0], header[1]]);
        if kind != BINDING_REQUEST || header[4..8] != MAGIC || length != rest.len() {
            return None;
        }
        let (mut ufrag, mut nominates) = (None, false);
        loop {
            let (head, after) = rest.split_at_checked(4)?;
            let kind = u16::from_be_bytes([head[0], head[1]]);
            let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
            let value = after.get(..length)?;
            match kind {
                USERNAME => ufrag = std::str::from_utf8(value).ok()?.split(':').next(),
                USE_CANDIDATE => nominates = true,
                MESSAGE_INTEGRITY if length == INTEGRITY_BYTES => {
                    // What stands behind it is not covered and does not count.
                    let integrity_at = message.len() - rest.len();
                    return Some(Self { message, ufrag: ufrag?, nominates, integrity_at });
                }
                _ => (),
            }
            rest = after.get(length.next_multiple_of(4)..)?;
        }
    }

    /// Whether whoever sent it knows the receiver's password.
    pub fn is_from_who_knows(&self, password: &Password) -> bool {
        let covered = &self.message[..self.integrity_at];
        let signature = &self.message[self.integrity_at + 4..][..INTEGRITY_BYTES];
        let mut header = [0; HEADER_BYTES];
        header.copy_from_slice(&covered[..HEADER_BYTES]);
        let length = self.integrity_at + 4 + INTEGRITY_BYTES - HEADER_BYTES;
        header[2..4].copy_from_slice(&(length as u16).to_be_bytes());
        let mut whole = Vec::with_capacity(covered.len());
        whole.extend(header);
        whole.extend(&covered[HEADER_BYTES..]);
        hmac::verify(&password.0, &whole, signature).is_ok()
    }

    /// Bytes of the request: who answers with more would amplify.
    pub fn bytes(&self) -> usize {
        self.message.len()
    }

    /// The answer: from where the request came.
    pub fn answer(&self, from: SocketAddr, password: &Password) -> Vec<u8> {
        let mut out = Vec::with_capacity(ANSWER_BYTES_MAX);
        out.extend(BINDING_SUCCESS.to_be_bytes());
        out.extend([0, 0]);
        out.extend(&self.message[4..HEADER_BYTES]);
        let mask = &self.message[4..HEADER_BYTES];
        let port = from.port() ^ u16::from_be_bytes([MAGIC[0], MAGIC[1]]);
        let octets = match from.ip().to_canonical() {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        attribute(&mut out, XOR_MAPPED_ADDRESS, 4 + octets.len());
        out.extend([0, if octets.len() == 4 { 1 } else { 2 }]);
        out.extend(port.to_be_bytes());
        out.extend(octets.iter().zip(mask).map(|(it, mask)| it ^ mask));
        say_length(&mut out, 4 + INTEGRITY_BYTES);
        let signature = hmac::sign(&password.0, &out);
        attribute(&mut out, MESSAGE_INTEGRITY, INTEGRITY_BYTES);
        out.extend(signature.as_ref());
        say_length(&mut out, 8);
        let check = crc32fast::hash(&out) ^ FINGERPRINT_XOR;
        attribute(&mut out, FINGERPRINT, 4);
        out.extend(check.to_be_bytes());
        out
    }
}

fn attribute(out: &mut Vec<u8>, kind: u16, length: usize) {
    out.extend(kind.to_be_bytes());
    out.extend((length as u16).to_be_bytes());
}

/// As if `more` bytes were already there: integrity and fingerprint cover the length with themselves.
fn say_length(out: &mut [u8], more: usize) {
    let length = (out.len() + more - HEADER_BYTES) as u16;
    out[2..4].copy_from_slice(&length.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rtc::stun::{
        attributes::{ATTR_USE_CANDIDATE, ATTR_USERNAME},
        fingerprint::FINGERPRINT,
        integrity::MessageIntegrity,
        message::{BINDING_REQUEST, BINDING_SUCCESS, Getter, Message, Setter, TransactionId},
        textattrs::TextAttribute,
        xoraddr::XorMappedAddress,
    };

    struct UseCandidate;

    impl Setter for UseCandidate {
        fn add_to(&self, message: &mut Message) -> Result<(), rtc::shared::error::Error> {
            message.add(ATTR_USE_CANDIDATE, &[]);
            Ok(())
        }
    }

    fn request(password: &str) -> Vec<u8> {
        let provider = rtc::crypto::default_provider().unwrap();
        let integrity = MessageIntegrity::new_short_term_integrity_with_provider(
            password.to_owned(),
            provider.crypto(),
        );
        let mut message = Message::new();
        let username = TextAttribute::new(ATTR_USERNAME, "ours:theirs".to_owned());
        let setters: [Box<dyn Setter + '_>; 6] = [
            Box::new(BINDING_REQUEST),
            Box::new(TransactionId::new()),
            Box::new(username),
            Box::new(UseCandidate),
            Box::new(integrity),
            Box::new(FINGERPRINT),
        ];
        message.build(&setters).unwrap();
        message.raw
    }

    #[test]
    fn a_request_is_read_checked_and_answered_as_others_understand_it() {
        let raw = request("secret");
        let request = BindingRequest::read(&raw).unwrap();
        assert_eq!((request.ufrag, request.nominates), ("ours", true));
        assert!(request.is_from_who_knows(&Password::new("secret")));
        assert!(!request.is_from_who_knows(&Password::new("guess")));
        for from in ["198.51.100.7:5000", "[2001:db8::7]:5000", "[::ffff:198.51.100.7]:5000"] {
            let from: SocketAddr = from.parse().unwrap();
            let answer = request.answer(from, &Password::new("secret"));
            assert!(answer.len() <= ANSWER_BYTES_MAX);
            let mut read = Message::new();
            read.unmarshal_binary(&answer).unwrap();
            assert_eq!(read.typ, BINDING_SUCCESS);
            let mut mapped = XorMappedAddress::default();
            mapped.get_from(&read).unwrap();
            assert_eq!((mapped.ip, mapped.port), (from.ip().to_canonical(), 5000));
            let provider = rtc::crypto::default_provider().unwrap();
            MessageIntegrity::check(&mut read, b"secret", provider.crypto()).unwrap();
            FINGERPRINT.check(&read).unwrap();
        }
    }

    #[test]
    fn what_is_no_request_is_nobodys() {
        let raw = request("secret");
        assert!(BindingRequest::read(&raw[..raw.len() - 1]).is_none());
        assert!(BindingRequest::read(b"\x80 rtp packets are not stun messages").is_none());
        let mut answer = raw.clone();
        answer[0] = 1;
        assert!(BindingRequest::read(&answer).is_none());
        let mut bare = raw[..20].to_vec();
        bare[2..4].copy_from_slice(&[0, 0]);
        assert!(BindingRequest::read(&bare).is_none(), "no name, no integrity");
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(
            tail in prop::collection::vec(any::<u8>(), 0..64),
            at in 0usize..100,
            byte in any::<u8>(),
        ) {
            BindingRequest::read(&tail);
            let mut raw = request("secret");
            let at = at % raw.len();
            let before = std::mem::replace(&mut raw[at], byte);
            if let Some(request) = BindingRequest::read(&raw) {
                let covered = at < request.integrity_at + 24 && !(2..4).contains(&at);
                let known = request.is_from_who_knows(&Password::new("secret"));
                prop_assert!(!known || before == byte || !covered);
            }
        }
    }
}
