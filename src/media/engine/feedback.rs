//! Keyframe requests upstream, throttled: a publisher asked by seven people at once makes one
//! keyframe, not seven. It decides when to ask; it never sends.

use crate::media::engine::time::MediaTime;

/// A keyframe is many times as large as another picture, and is on its way for a round trip.
const REQUEST_EVERY_MS: u64 = 400;

#[derive(Clone, Copy, Debug, Default)]
pub struct KeyframeRequests {
    last: Option<MediaTime>,
}

impl KeyframeRequests {
    /// Somebody wants a keyframe: whether to ask the publisher now.
    pub fn want(&mut self, now: MediaTime) -> bool {
        let ask = self.last.is_none_or(|last| REQUEST_EVERY_MS <= now.since_ms(last));
        if ask {
            self.last = Some(now);
        }
        ask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_wishes_are_one_request() {
        let mut requests = KeyframeRequests::default();
        let asked: Vec<_> =
            [0, 10, 399, 400, 401, 900].map(|at| requests.want(MediaTime::from_ms(at))).into();
        assert_eq!(asked, [true, false, false, true, false, true]);
    }
}
