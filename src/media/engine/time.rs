//! Time as media knows it: microseconds since the program began to forward, told from outside.

use std::ops::{Add, Sub};

/// A moment on the clock of a forwarding core, in µs. It never runs backwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MediaTime(u64);

impl MediaTime {
    pub const ZERO: MediaTime = MediaTime(0);

    pub const fn from_us(us: u64) -> Self {
        Self(us)
    }

    pub const fn from_ms(ms: u64) -> Self {
        Self(ms * 1_000)
    }

    pub fn as_us(self) -> u64 {
        self.0
    }

    /// From `earlier` to `self`, in µs; 0 when `earlier` is in fact later.
    pub fn since_us(self, earlier: MediaTime) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The same in whole ms.
    pub fn since_ms(self, earlier: MediaTime) -> u64 {
        self.since_us(earlier) / 1_000
    }
}

impl Add<u64> for MediaTime {
    type Output = MediaTime;

    /// `ms` later; stops at the end of time rather than wrapping.
    fn add(self, ms: u64) -> MediaTime {
        MediaTime(self.0.saturating_add(ms.saturating_mul(1_000)))
    }
}

impl Sub<u64> for MediaTime {
    type Output = MediaTime;

    /// `ms` earlier; stops at the beginning.
    fn sub(self, ms: u64) -> MediaTime {
        MediaTime(self.0.saturating_sub(ms.saturating_mul(1_000)))
    }
}
