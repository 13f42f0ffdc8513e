//! RTP headers (RFC 3550) with their extensions (RFC 8285), read and written in place. It knows
//! nothing of what a packet carries. Any bytes are allowed.

/// Bytes of the fixed header.
pub const HEADER_BYTES: usize = 12;

const ONE_BYTE_PROFILE: u16 = 0xbede;

/// What a header says; offsets are into the packet it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub marker: bool,
    pub padded: bool,
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    /// With contributing sources and extensions; the payload begins here.
    pub bytes: usize,
    /// Where the extensions' own bytes are, and whether each has a head of one byte or of two.
    extensions: Option<(usize, usize, bool)>,
}

impl Header {
    /// `None`: this is no RTP packet.
    pub fn read(packet: &[u8]) -> Option<Header> {
        let fixed = packet.first_chunk::<HEADER_BYTES>()?;
        if fixed[0] >> 6 != 2 {
            return None;
        }
        let mut bytes = HEADER_BYTES + 4 * usize::from(fixed[0] & 0x0f);
        let mut extensions = None;
        if fixed[0] & 0x10 != 0 {
            let head = packet.get(bytes..bytes + 4)?;
            let length = 4 * usize::from(u16::from_be_bytes([head[2], head[3]]));
            let profile = u16::from_be_bytes([head[0], head[1]]);
            let one_byte = profile == ONE_BYTE_PROFILE;
            bytes += 4;
            if one_byte || profile & 0xfff0 == 0x1000 {
                extensions = Some((bytes, bytes + length, one_byte));
            }
            bytes += length;
        }
        if packet.len() < bytes {
            return None;
        }
        Some(Header {
            marker: fixed[1] & 0x80 != 0,
            padded: fixed[0] & 0x20 != 0,
            payload_type: fixed[1] & 0x7f,
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
            bytes,
            extensions,
        })
    }

    /// The value of one header extension. `packet`: the one this header was read from.
    pub fn extension<'a>(&self, packet: &'a [u8], id: u8) -> Option<&'a [u8]> {
        let (start, end, one_byte) = self.extensions?;
        let mut rest = packet.get(start..end)?;
        while let Some((first, after)) = rest.split_first() {
            if *first == 0 {
                rest = after; // padding
                continue;
            }
            let (found, length, after) = if one_byte {
                (first >> 4, usize::from(first & 0x0f) + 1, after)
            } else {
                let (length, after) = after.split_first()?;
                (*first, usize::from(*length), after)
            };
            if one_byte && found == 15 {
                return None; // reserved: nothing behind it counts
            }
            let value = after.get(..length)?;
            if found == id {
                return Some(value);
            }
            rest = &after[length..];
        }
        None
    }
}

/// A header as we send it: no contributing sources, and at most one extension of three bytes.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    pub marker: bool,
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    /// Its id, 1 to 14, and its value.
    pub extension: Option<(u8, [u8; 3])>,
}

impl Written {
    pub fn bytes(&self) -> usize {
        HEADER_BYTES + if self.extension.is_some() { 8 } else { 0 }
    }

    /// `out`: at least [`Self::bytes`] long.
    pub fn write(&self, out: &mut [u8]) {
        out[0] = 0x80 | if self.extension.is_some() { 0x10 } else { 0 };
        out[1] = u8::from(self.marker) << 7 | self.payload_type;
        out[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        out[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        out[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        if let Some((id, value)) = self.extension {
            out[12..14].copy_from_slice(&ONE_BYTE_PROFILE.to_be_bytes());
            out[14..16].copy_from_slice(&1_u16.to_be_bytes());
            out[16] = id << 4 | 2;
            out[17..20].copy_from_slice(&value);
        }
    }
}

/// The moment of sending, as the extension `abs-send-time` has it: seconds in 6.18 fixed point.
pub fn abs_send_time(now_us: u64) -> [u8; 3] {
    let fixed = (now_us << 18) / 1_000_000;
    [(fixed >> 16) as u8, (fixed >> 8) as u8, fixed as u8]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_is_read() {
        let written = Written {
            marker: true,
            payload_type: 96,
            sequence: 65_535,
            timestamp: 7,
            ssrc: 0xdead_beef,
            extension: Some((2, [1, 2, 3])),
        };
        let mut packet = vec![0; written.bytes() + 5];
        written.write(&mut packet);
        let header = Header::read(&packet).unwrap();
        assert_eq!((header.marker, header.payload_type, header.sequence), (true, 96, 65_535));
        assert_eq!((header.timestamp, header.ssrc, header.bytes), (7, 0xdead_beef, 20));
        assert_eq!(header.extension(&packet, 2), Some(&[1, 2, 3][..]));
        assert_eq!(header.extension(&packet, 1), None);
    }

    #[test]
    fn extensions_of_both_forms_and_padding_between_are_read() {
        let fixed = [0x90, 111, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9];
        let one = [0xbe, 0xde, 0, 2, 0x10, 0x9e, 0, 0x51, 0x0a, 0x0b, 0, 0];
        let packet = [&fixed[..], &one].concat();
        let header = Header::read(&packet).unwrap();
        assert_eq!(header.extension(&packet, 1), Some(&[0x9e][..]));
        assert_eq!(header.extension(&packet, 5), Some(&[0x0a, 0x0b][..]));
        let two = [0x10, 0, 0, 1, 20, 1, 0x7f, 0];
        let packet = [&fixed[..], &two].concat();
        assert_eq!(Header::read(&packet).unwrap().extension(&packet, 20), Some(&[0x7f][..]));
        assert!(Header::read(&packet[..15]).is_none(), "shorter than it says");
    }

    #[test]
    fn the_moment_of_sending_wraps_every_64_seconds() {
        assert_eq!(abs_send_time(0), [0, 0, 0]);
        assert_eq!(abs_send_time(1_500_000), [0x06, 0, 0]);
        assert_eq!(abs_send_time(64_000_000), [0, 0, 0]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(packet in prop::collection::vec(any::<u8>(), 0..64), id in 0u8..16) {
            if let Some(header) = Header::read(&packet) {
                prop_assert!(header.bytes <= packet.len());
                header.extension(&packet, id);
            }
        }
    }
}
