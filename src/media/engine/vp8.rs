//! The little of VP8 over RTP (RFC 7741) that forwarding needs: where a keyframe begins, and the numbers
//! that pictures have. Never decodes.

/// A picture's numbers in the descriptor of its payloads. A receiver takes them to be one count for the
/// whole of a stream, and lets pictures go that do not fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Of 15 bits, where it has 7 of 7.
    pub picture: Option<u16>,
    /// Of the lowest temporal layer (TL0PICIDX).
    pub base: Option<u8>,
}

/// How much is to be added to a picture's numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shift {
    pub picture: u16,
    pub base: u8,
}

/// The bits of a picture's number that a stream may have at most.
pub const PICTURE_MASK: u16 = 0x7fff;

/// Where things lie in a payload.
#[derive(Clone, Copy, Debug, Default)]
struct Descriptor {
    /// Of the picture's number, and whether it has 15 bits.
    picture: Option<(usize, bool)>,
    base: Option<usize>,
    /// Of VP8's own header, at the start of a partition.
    end: usize,
}

impl Descriptor {
    /// `None`: the payload ends too early.
    fn read(payload: &[u8]) -> Option<Self> {
        let first = *payload.first()?;
        let mut it = Descriptor { end: 1, ..Descriptor::default() };
        if first & 0x80 == 0 {
            return Some(it);
        }
        let fields = *payload.get(1)?;
        it.end = 2;
        if fields & 0x80 != 0 {
            let is_long = payload.get(it.end)? & 0x80 != 0;
            it.picture = Some((it.end, is_long));
            it.end += 1 + usize::from(is_long);
        }
        if fields & 0x40 != 0 {
            it.base = Some(it.end);
            it.end += 1;
        }
        if fields & 0x30 != 0 {
            it.end += 1;
        }
        (it.end <= payload.len()).then_some(it)
    }
}

/// Whether the payload is the first packet of a keyframe. Any bytes are allowed.
pub fn begins_keyframe(payload: &[u8]) -> bool {
    let is = |it: Descriptor| {
        let (start, partition) = (payload[0] & 0x10, payload[0] & 0x07);
        let inter_frame = payload.get(it.end)? & 0x01;
        Some(start != 0 && partition == 0 && inter_frame == 0)
    };
    Descriptor::read(payload).and_then(is).unwrap_or(false)
}

/// The numbers that a payload has. Any bytes are allowed.
pub fn numbers(payload: &[u8]) -> Numbers {
    let Some(it) = Descriptor::read(payload) else { return Numbers::default() };
    let picture = it.picture.map(|(at, is_long)| match is_long {
        true => u16::from_be_bytes([payload[at], payload[at + 1]]) & PICTURE_MASK,
        false => u16::from(payload[at]),
    });
    Numbers { picture, base: it.base.map(|at| payload[at]) }
}

/// Shifts the numbers that a payload has; its length and all else stay. Any bytes are allowed.
pub fn renumber(payload: &mut [u8], by: Shift) {
    let (Some(it), Numbers { picture, base }) = (Descriptor::read(payload), numbers(payload))
    else {
        return;
    };
    if let (Some((at, is_long)), Some(picture)) = (it.picture, picture) {
        let picture = picture.wrapping_add(by.picture);
        if is_long {
            payload[at..at + 2].copy_from_slice(&(picture | !PICTURE_MASK).to_be_bytes());
        } else {
            payload[at] = (picture & 0x7f) as u8;
        }
    }
    if let (Some(at), Some(base)) = (it.base, base) {
        payload[at] = base.wrapping_add(by.base);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keyframes_are_told_from_the_rest() {
        assert!(begins_keyframe(&[0x10, 0x00]));
        assert!(!begins_keyframe(&[0x10, 0x01]), "an inter frame");
        assert!(!begins_keyframe(&[0x00, 0x00]), "not the start of a partition");
        assert!(!begins_keyframe(&[0x11, 0x00]), "the second partition");
        // As Chromium sends it: a picture id of 15 bits, TL0PICIDX and TID.
        assert!(begins_keyframe(&[0x90, 0xe0, 0x81, 0x23, 0x05, 0x20, 0x50]));
        assert!(!begins_keyframe(&[0x90, 0xe0, 0x81, 0x23, 0x05, 0x20, 0x51]));
    }

    #[test]
    fn pictures_are_numbered_anew_in_place() {
        let mut long = [0x90, 0xe0, 0xff, 0xfe, 0xff, 0x20, 0x50];
        assert_eq!(numbers(&long), Numbers { picture: Some(0x7ffe), base: Some(255) });
        renumber(&mut long, Shift { picture: 3, base: 2 });
        assert_eq!(long, [0x90, 0xe0, 0x80, 0x01, 0x01, 0x20, 0x50]);
        let mut short = [0x90, 0x80, 0x7f, 0x50];
        renumber(&mut short, Shift { picture: 0x101, base: 9 });
        assert_eq!(short, [0x90, 0x80, 0x00, 0x50]);
        let mut none = [0x10, 0x50];
        renumber(&mut none, Shift { picture: 1, base: 1 });
        assert_eq!(none, [0x10, 0x50]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(
            payload in prop::collection::vec(any::<u8>(), 0..12),
            picture in any::<u16>(),
            base in any::<u8>(),
        ) {
            begins_keyframe(&payload);
            let before = numbers(&payload);
            let mut after = payload.clone();
            renumber(&mut after, Shift { picture, base });
            prop_assert_eq!(numbers(&after).base, before.base.map(|it| it.wrapping_add(base)));
            let back = Shift { picture: picture.wrapping_neg(), base: base.wrapping_neg() };
            renumber(&mut after, back);
            prop_assert_eq!(after, payload);
        }
    }
}
