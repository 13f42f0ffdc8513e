//! The little of VP8 over RTP (RFC 7741) that forwarding needs: where a keyframe begins. Never
//! decodes.

/// Whether the payload is the first packet of a keyframe. Any bytes are allowed.
pub fn begins_keyframe(payload: &[u8]) -> bool {
    begins_keyframe_checked(payload).unwrap_or(false)
}

/// `None`: the payload ends too early.
fn begins_keyframe_checked(payload: &[u8]) -> Option<bool> {
    let mut bytes = payload.iter().copied();
    let first = bytes.next()?;
    let (extended, start, partition) = (first & 0x80, first & 0x10, first & 0x07);
    if extended != 0 {
        let fields = bytes.next()?;
        let (picture_id, tl0, tid_or_key) = (fields & 0x80, fields & 0x40, fields & 0x30);
        if picture_id != 0 && bytes.next()? & 0x80 != 0 {
            bytes.next()?; // a picture id of 15 bits
        }
        if tl0 != 0 {
            bytes.next()?;
        }
        if tid_or_key != 0 {
            bytes.next()?;
        }
    }
    let inter_frame = bytes.next()? & 0x01;
    Some(start != 0 && partition == 0 && inter_frame == 0)
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

    proptest! {
        #[test]
        fn any_bytes_are_answered(payload in prop::collection::vec(any::<u8>(), 0..12)) {
            begins_keyframe(&payload);
        }
    }
}
