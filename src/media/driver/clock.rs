//! The clocks of media: the only place of it where time is read and where a thread pauses. What is
//! read is handed on as a value.

#![allow(clippy::disallowed_methods, reason = "the shell's half of media has to know the time")]

use std::time::{Duration, Instant, SystemTime};

use crate::media::engine::time::MediaTime;

/// NTP counts from 1900, the system from 1970 (RFC 868).
const NTP_OFFSET_S: u64 = 2_208_988_800;

/// Our clock begins here, so that "before" exists.
const BEGIN_US: u64 = 1_000_000;

/// The clock of one forwarding core.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    begun: Instant,
    ntp_at_zero: u64,
}

impl Clock {
    pub fn begin() -> Self {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let us = since_1970.unwrap_or_default().as_micros().saturating_sub(u128::from(BEGIN_US));
        let seconds = (us / 1_000_000) as u64 + NTP_OFFSET_S;
        let ntp_at_zero = seconds << 32 | (((us % 1_000_000) << 32) / 1_000_000) as u64;
        Self { begun: Instant::now(), ntp_at_zero }
    }

    pub fn now(&self) -> MediaTime {
        MediaTime::from_us(BEGIN_US + self.begun.elapsed().as_micros() as u64)
    }

    /// NTP time, in 2^-32 s, at [`MediaTime::ZERO`].
    pub fn ntp_at_zero(&self) -> u64 {
        self.ntp_at_zero
    }
}

/// For what measures in the standard library's time, such as handshakes.
pub fn now() -> Instant {
    Instant::now()
}

/// Stops this thread. For threads that do nothing else.
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}
