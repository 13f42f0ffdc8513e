//! The wall clock turned into session time. The only place of `app` that reads a clock.

#![expect(clippy::disallowed_methods, reason = "the clock of the shell, told to everything else")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::domain::time::SessionTime;

/// Milliseconds since 1970, as the machine believes.
pub fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// One session's clock: it never runs backwards, whatever happens to the machine's.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    started_at: SessionTime,
}

impl Clock {
    /// `opened_unix_ms`: when the session opened; `last`: its latest known moment, before which the
    /// clock will not be, even when the machine's clock has been set back since.
    pub fn new(opened_unix_ms: u64, last: SessionTime) -> Self {
        let wall = SessionTime(unix_ms().saturating_sub(opened_unix_ms));
        Self { started: Instant::now(), started_at: wall.max(last) }
    }

    pub fn now(&self) -> SessionTime {
        let elapsed_ms = self.started.elapsed().as_millis();
        self.started_at + u64::try_from(elapsed_ms).unwrap_or(u64::MAX)
    }

    /// How long to wait for a moment; zero when it has passed.
    pub fn until(&self, at: SessionTime) -> Duration {
        Duration::from_millis(at.since_ms(self.now()))
    }
}
