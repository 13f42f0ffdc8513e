//! SRTP and SRTCP (RFC 3711): what is received is opened in place, what is sent is sealed in place.
//! AEAD_AES_128_GCM (RFC 7714) is our own, as it is the packet path and the crate's makes a copy for
//! every packet; AES-CM with HMAC-SHA1 is the crate's, for the browsers that know no other. It makes
//! no keys of its own. Any bytes are allowed.

use aes::cipher::{BlockEncrypt, KeyInit};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use rtc::srtp::{context::Context, option, protection_profile::ProtectionProfile};

use crate::media::engine::window::{SEEN, Window};

/// What sealing can add to a packet at most, in bytes: a tag, and SRTCP's index.
pub const SEAL_BYTES_MAX: usize = TAG_BYTES + INDEX_BYTES;

const TAG_BYTES: usize = 16;
const INDEX_BYTES: usize = 4;
const SHA1_80_TAG_BYTES: usize = 10;

/// The fixed header of an RTCP packet with its SSRC, which stays readable.
const RTCP_CLEAR_BYTES: usize = 8;
const ENCRYPTED: u32 = 0x8000_0000;

/// Streams one peer may send: two of audio and video with their layers and repairs, and as many again
/// for a browser that begins anew. As many may begin control packets.
const STREAMS_MAX: usize = 32;

/// Which cipher a handshake has agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    Aes128Gcm,
    Aes128CmSha1_80,
}

impl Profile {
    fn of_crate(self) -> ProtectionProfile {
        match self {
            Profile::Aes128Gcm => ProtectionProfile::AeadAes128Gcm,
            Profile::Aes128CmSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
        }
    }

    /// Bytes of keying material for both directions (RFC 5764, 4.2).
    pub fn material_bytes(self) -> usize {
        2 * (self.of_crate().key_len() + self.of_crate().salt_len())
    }
}

/// Both halves of a connection's keys, as the server has them. `material`: what the handshake
/// exports, [`Profile::material_bytes`] long. `None`: it is not.
pub fn keys(profile: Profile, material: &[u8]) -> Option<(Opener, Sealer)> {
    if material.len() != profile.material_bytes() {
        return None;
    }
    let (key, salt) = (profile.of_crate().key_len(), profile.of_crate().salt_len());
    let (client_key, rest) = material.split_at(key);
    let (server_key, rest) = rest.split_at(key);
    let (client_salt, server_salt) = rest.split_at(salt);
    let opener = Opener {
        cipher: Cipher::new(profile, client_key, client_salt, true)?,
        streams: Vec::new(),
        control: Vec::new(),
    };
    let sealer = Sealer {
        cipher: Cipher::new(profile, server_key, server_salt, false)?,
        streams: Vec::new(),
        control_index: 0,
    };
    Some((opener, sealer))
}

#[expect(clippy::large_enum_variant, reason = "the large one is on the packet path")]
enum Cipher {
    Gcm { media: Aead, control: Aead },
    Other(Box<Other>),
}

impl Cipher {
    fn new(profile: Profile, key: &[u8], salt: &[u8], guard: bool) -> Option<Self> {
        match profile {
            Profile::Aes128Gcm => {
                let (key, salt) = (key.try_into().ok()?, salt.try_into().ok()?);
                Some(Cipher::Gcm {
                    media: Aead::derive(key, salt, 0),
                    control: Aead::derive(key, salt, 3),
                })
            }
            Profile::Aes128CmSha1_80 => {
                let (key, salt) = (key.to_vec(), salt.to_vec());
                Some(Cipher::Other(Box::new(Other::new(profile, key, salt, guard)?)))
            }
        }
    }
}

/// The crate's cipher, and what it takes to make another like it.
struct Other {
    context: Context,
    profile: Profile,
    key: Vec<u8>,
    salt: Vec<u8>,
}

impl Other {
    fn new(profile: Profile, key: Vec<u8>, salt: Vec<u8>, guard: bool) -> Option<Self> {
        let window = SEEN as usize;
        let media = guard.then(|| option::srtp_replay_protection(window));
        let control = guard.then(|| option::srtcp_replay_protection(window));
        let provider = rtc::crypto::default_provider().ok()?;
        let of_crate = profile.of_crate();
        let context =
            Context::new(&key, &salt, of_crate, media, control, provider.crypto()).ok()?;
        Some(Self { context, profile, key, salt })
    }

    /// One that has seen nothing.
    fn make(&self) -> Option<Context> {
        let provider = rtc::crypto::default_provider().ok()?;
        let profile = self.profile.of_crate();
        Context::new(&self.key, &self.salt, profile, None, None, provider.crypto()).ok()
    }
}

struct Aead {
    key: LessSafeKey,
    salt: [u8; 12],
}

impl Aead {
    /// RFC 3711, 4.3 and RFC 7714, 11. `label`: 0 for media, 3 for control; the salt's is 2 more.
    fn derive(master: &[u8; 16], master_salt: &[u8; 12], label: u8) -> Self {
        let block = |label: u8| {
            let mut block = [0; 16];
            block[..12].copy_from_slice(master_salt);
            block[7] ^= label;
            let mut block = block.into();
            aes::Aes128::new(master.into()).encrypt_block(&mut block);
            <[u8; 16]>::from(block)
        };
        let mut salt = [0; 12];
        salt.copy_from_slice(&block(label + 2)[..12]);
        let key = UnboundKey::new(&AES_128_GCM, &block(label)).expect("a key of 16 bytes");
        Self { key: LessSafeKey::new(key), salt }
    }

    fn nonce(&self, ssrc: u32, index: u64) -> Nonce {
        let mut nonce = [0; 12];
        nonce[2..6].copy_from_slice(&ssrc.to_be_bytes());
        nonce[6..12].copy_from_slice(&index.to_be_bytes()[2..]);
        nonce.iter_mut().zip(self.salt).for_each(|(it, salt)| *it ^= salt);
        Nonce::assume_unique_for_key(nonce)
    }
}

/// Opens what one peer sends.
pub struct Opener {
    cipher: Cipher,
    streams: Vec<(u32, Window)>,
    /// Of control packets, by the SSRC they begin with: each counts for itself (RFC 3711, 3.2.1).
    control: Vec<(u32, Window)>,
}

impl Opener {
    /// Opens a media packet in place. `header_bytes`, `ssrc`, `sequence`: as its header says. Returns
    /// where the payload ends; `None`: it is forged, damaged, or has been taken before.
    pub fn media(
        &mut self,
        packet: &mut [u8],
        header_bytes: usize,
        ssrc: u32,
        sequence: u16,
    ) -> Option<usize> {
        let aead = match &mut self.cipher {
            Cipher::Gcm { media, .. } => media,
            Cipher::Other(other) => {
                let is_known = self.streams.iter().any(|it| it.0 == ssrc);
                if !is_known && STREAMS_MAX <= self.streams.len() {
                    return None;
                }
                // The crate keeps something for each SSRC before it knows whether it is authentic.
                let mut trial = (!is_known).then(|| other.make()).flatten();
                if let Some(trial) = &mut trial {
                    trial.decrypt_rtp(packet).ok()?;
                    self.streams.push((ssrc, Window::default()));
                }
                let plain = other.context.decrypt_rtp(packet).ok()?;
                packet.get_mut(..plain.len())?.copy_from_slice(&plain);
                return Some(plain.len());
            }
        };
        let stream = self.streams.iter().position(|it| it.0 == ssrc);
        if stream.is_none() && STREAMS_MAX <= self.streams.len() {
            return None;
        }
        let fresh = Window::default();
        let known = stream.map_or(&fresh, |it| &self.streams[it].1);
        let index = known.index_of(sequence).filter(|it| known.is_new(*it))?;
        let (header, body) = packet.split_at_mut_checked(header_bytes)?;
        let plain =
            aead.key.open_in_place(aead.nonce(ssrc, index), Aad::from(&*header), body).ok()?;
        let end = header_bytes + plain.len();
        // Only what is authentic makes a stream known.
        let stream = stream.unwrap_or_else(|| {
            self.streams.push((ssrc, Window::default()));
            self.streams.len() - 1
        });
        self.streams[stream].1.take(index);
        Some(end)
    }

    /// Opens a control packet in place. Returns where it ends.
    pub fn control(&mut self, packet: &mut [u8]) -> Option<usize> {
        let aead = match &mut self.cipher {
            Cipher::Gcm { control, .. } => control,
            Cipher::Other(other) => {
                // The crate takes what says that it is not encrypted without a look at its tag.
                let flag = packet.len().checked_sub(SHA1_80_TAG_BYTES + INDEX_BYTES)?;
                if packet[flag] & 0x80 == 0 {
                    return None;
                }
                // As above: of what is not authentic nothing is to stay.
                other.make()?.decrypt_rtcp(packet).ok()?;
                let plain = other.context.decrypt_rtcp(packet).ok()?;
                packet.get_mut(..plain.len())?.copy_from_slice(&plain);
                return Some(plain.len());
            }
        };
        let length = packet.len().checked_sub(INDEX_BYTES)?;
        if length < RTCP_CLEAR_BYTES + TAG_BYTES {
            return None;
        }
        let word = u32::from_be_bytes(*packet[length..].first_chunk()?);
        let index = u64::from(word & !ENCRYPTED);
        let ssrc = u32::from_be_bytes(*packet[4..].first_chunk()?);
        let stream = self.control.iter().position(|it| it.0 == ssrc);
        let is_new = match stream {
            Some(stream) => self.control[stream].1.is_new(index),
            None => self.control.len() < STREAMS_MAX,
        };
        if word & ENCRYPTED == 0 || !is_new {
            return None; // browsers encrypt all of it
        }
        let mut clear = [0; RTCP_CLEAR_BYTES + INDEX_BYTES];
        clear[..RTCP_CLEAR_BYTES].copy_from_slice(&packet[..RTCP_CLEAR_BYTES]);
        clear[RTCP_CLEAR_BYTES..].copy_from_slice(&word.to_be_bytes());
        let body = &mut packet[RTCP_CLEAR_BYTES..length];
        let plain =
            aead.key.open_in_place(aead.nonce(ssrc, index), Aad::from(&clear), body).ok()?;
        let end = RTCP_CLEAR_BYTES + plain.len();
        let stream = stream.unwrap_or_else(|| {
            self.control.push((ssrc, Window::default()));
            self.control.len() - 1
        });
        self.control[stream].1.take(index);
        Some(end)
    }
}

/// Seals what we send to one peer.
pub struct Sealer {
    cipher: Cipher,
    /// Which indices of each stream have been given.
    streams: Vec<(u32, Window)>,
    control_index: u32,
}

impl Sealer {
    /// Seals a media packet in place. `packet`: header and payload, and then [`SEAL_BYTES_MAX`] bytes
    /// of room. `stream`: which of our own it is, a small number. `again`: it is, to the last byte, one
    /// that has been sealed before. Returns how long it is now; `None`: it must not be sent, for one
    /// index never serves two packets: it would give the key away.
    pub fn media(
        &mut self,
        packet: &mut [u8],
        header_bytes: usize,
        stream: usize,
        ssrc: u32,
        sequence: u16,
        again: bool,
    ) -> Option<usize> {
        let end = packet.len().checked_sub(SEAL_BYTES_MAX)?;
        if self.streams.len() <= stream {
            self.streams.resize_with(stream + 1, Default::default);
        }
        let known = &mut self.streams[stream];
        if known.0 != ssrc {
            *known = (ssrc, Window::default());
        }
        let index = known.1.index_of(sequence).filter(|it| again || known.1.is_new(*it))?;
        known.1.take(index);
        let aead = match &mut self.cipher {
            Cipher::Gcm { media, .. } => media,
            Cipher::Other(other) => {
                let sealed = other.context.encrypt_rtp(&packet[..end]).ok()?;
                packet.get_mut(..sealed.len())?.copy_from_slice(&sealed);
                return Some(sealed.len());
            }
        };
        let (header, rest) = packet.split_at_mut_checked(header_bytes)?;
        let (body, room) = rest.split_at_mut(end - header_bytes);
        let nonce = aead.nonce(ssrc, index);
        let tag = aead.key.seal_in_place_separate_tag(nonce, Aad::from(&*header), body).ok()?;
        room[..TAG_BYTES].copy_from_slice(tag.as_ref());
        Some(end + TAG_BYTES)
    }

    /// Seals a control packet. Returns it whole.
    pub fn control(&mut self, mut packet: Vec<u8>) -> Option<Vec<u8>> {
        let aead = match &mut self.cipher {
            Cipher::Gcm { control, .. } => control,
            Cipher::Other(other) => {
                return Some(other.context.encrypt_rtcp(&packet).ok()?.to_vec());
            }
        };
        let ssrc = u32::from_be_bytes(*packet.get(4..)?.first_chunk()?);
        self.control_index = (self.control_index + 1) & !ENCRYPTED;
        let word = (self.control_index | ENCRYPTED).to_be_bytes();
        let mut clear = [0; RTCP_CLEAR_BYTES + INDEX_BYTES];
        clear[..RTCP_CLEAR_BYTES].copy_from_slice(&packet[..RTCP_CLEAR_BYTES]);
        clear[RTCP_CLEAR_BYTES..].copy_from_slice(&word);
        let nonce = aead.nonce(ssrc, u64::from(self.control_index));
        let body = &mut packet[RTCP_CLEAR_BYTES..];
        let tag = aead.key.seal_in_place_separate_tag(nonce, Aad::from(&clear), body).ok()?;
        packet.extend(tag.as_ref());
        packet.extend(word);
        Some(packet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The browser's side, by the crate.
    struct Browser {
        sends: Context,
        receives: Context,
    }

    const PROFILES: [Profile; 2] = [Profile::Aes128Gcm, Profile::Aes128CmSha1_80];

    fn pair(profile: Profile) -> (Opener, Sealer, Browser) {
        let material: Vec<u8> = (0..profile.material_bytes()).map(|it| it as u8 * 3).collect();
        let (opener, sealer) = keys(profile, &material).unwrap();
        let mut config =
            rtc::srtp::config::Config { profile: profile.of_crate(), ..Default::default() };
        config.set_session_keys_from_keying_material(&material, true).unwrap();
        let provider = rtc::crypto::default_provider().unwrap();
        let context = |key: &[u8], salt: &[u8]| {
            Context::new(key, salt, profile.of_crate(), None, None, provider.crypto()).unwrap()
        };
        let keys = &config.keys;
        let sends = context(&keys.local_master_key, &keys.local_master_salt);
        let receives = context(&keys.remote_master_key, &keys.remote_master_salt);
        (opener, sealer, Browser { sends, receives })
    }

    fn plain(sequence: u16) -> Vec<u8> {
        let mut packet = vec![0x80, 111, 0, 0, 0, 0, 0, 1, 0, 0, 0, 7];
        packet[2..4].copy_from_slice(&sequence.to_be_bytes());
        packet.extend(b"the payload");
        packet
    }

    #[test]
    fn media_goes_both_ways_across_the_rollover() {
        for profile in PROFILES {
            let (mut opener, mut sealer, mut browser) = pair(profile);
            for n in 0..400_u16 {
                let sequence = 65_400_u16.wrapping_add(n);
                let packet = plain(sequence);
                let mut sealed = browser.sends.encrypt_rtp(&packet).unwrap().to_vec();
                let end = opener.media(&mut sealed, 12, 7, sequence).unwrap();
                assert_eq!(&sealed[..end], packet, "{profile:?} {sequence}");
                let mut out = packet.clone();
                out.resize(packet.len() + SEAL_BYTES_MAX, 0);
                let end = sealer.media(&mut out, 12, 3, 7, sequence, false).unwrap();
                assert_eq!(browser.receives.decrypt_rtp(&out[..end]).unwrap(), packet);
            }
        }
    }

    #[test]
    fn control_goes_both_ways() {
        for profile in PROFILES {
            let (mut opener, mut sealer, mut browser) = pair(profile);
            let report = vec![0x80, 201, 0, 1, 0, 0, 0, 9];
            let mut sealed = browser.sends.encrypt_rtcp(&report).unwrap().to_vec();
            let again = sealed.clone();
            let end = opener.control(&mut sealed).unwrap();
            assert_eq!(&sealed[..end], report);
            assert!(opener.control(&mut again.clone()).is_none(), "{profile:?}: taken once");
            for _ in 0..3 {
                let sealed = sealer.control(report.clone()).unwrap();
                assert_eq!(browser.receives.decrypt_rtcp(&sealed).unwrap(), report);
            }
        }
    }

    /// As browsers do: a report for each stream, under that stream's SSRC.
    #[test]
    fn each_stream_counts_its_control_packets_for_itself() {
        for profile in PROFILES {
            let (mut opener, _, mut browser) = pair(profile);
            let mut sealed = |ssrc: u8| {
                let report = [0x80, 201, 0, 1, 0, 0, 0, ssrc];
                browser.sends.encrypt_rtcp(&report).unwrap().to_vec()
            };
            for ssrc in [9, 9, 9, 10, 9, 10, 11] {
                let report = sealed(ssrc);
                let taken = |opener: &mut Opener| opener.control(&mut report.clone()).is_some();
                assert!(taken(&mut opener), "{profile:?} {ssrc}");
                assert!(!taken(&mut opener), "{profile:?} {ssrc}: taken once");
            }
        }
    }

    #[test]
    fn what_comes_twice_or_damaged_or_too_late_is_refused() {
        for profile in PROFILES {
            let (mut opener, _, mut browser) = pair(profile);
            let mut sealed = |it: u16| browser.sends.encrypt_rtp(&plain(it)).unwrap().to_vec();
            let (first, second) = (sealed(1), sealed(2));
            let mut damaged = second.clone();
            *damaged.last_mut().unwrap() ^= 1;
            assert!(opener.media(&mut damaged, 12, 7, 2).is_none());
            assert!(opener.media(&mut second.clone(), 12, 7, 2).is_some());
            assert!(opener.media(&mut first.clone(), 12, 7, 1).is_some(), "a little late");
            assert!(opener.media(&mut second.clone(), 12, 7, 2).is_none(), "twice");
            let mut late = sealed(3);
            assert!(opener.media(&mut sealed(3 + SEEN as u16), 12, 7, 3 + SEEN as u16).is_some());
            assert!(opener.media(&mut late, 12, 7, 3).is_none(), "{profile:?}: too late");
        }
    }

    #[test]
    fn no_index_serves_two_packets() {
        for profile in PROFILES {
            let (_, mut sealer, _) = pair(profile);
            let mut seal = |sequence, again| {
                let mut out = plain(sequence);
                out.resize(out.len() + SEAL_BYTES_MAX, 0);
                sealer.media(&mut out, 12, 0, 7, sequence, again).is_some()
            };
            assert!(seal(5, false) && seal(6, false));
            assert!(!seal(5, false) && !seal(6, false));
            assert!(seal(5, true), "the very same packet");
            assert!(seal(4, false) && !seal(4, false), "{profile:?}: late, but once");
        }
    }

    #[test]
    fn streams_that_nobody_authenticated_take_no_room() {
        for profile in PROFILES {
            let (mut opener, _, _) = pair(profile);
            for ssrc in 0..1_000_u32 {
                let mut forged = plain(1);
                forged[8..12].copy_from_slice(&ssrc.to_be_bytes());
                forged.extend([0; 20]);
                assert!(opener.media(&mut forged, 12, ssrc, 1).is_none());
            }
            assert!(opener.streams.is_empty());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..80), header in 0usize..90) {
            for profile in PROFILES {
                let (mut opener, _, _) = pair(profile);
                prop_assert!(opener.media(&mut bytes.clone(), header, 7, 1).is_none());
                prop_assert!(opener.control(&mut bytes.clone()).is_none());
            }
        }
    }
}
