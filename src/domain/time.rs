//! Time as the core knows it: milliseconds since a session opened, told from outside.

use std::{
    fmt,
    ops::{Add, Sub},
};

/// A moment of a session, in milliseconds since it opened. It goes on across restarts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionTime(pub u64);

impl SessionTime {
    pub const ZERO: SessionTime = SessionTime(0);

    pub fn as_ms(self) -> u64 {
        self.0
    }

    /// Milliseconds from `earlier` to `self`; 0 when `earlier` is in fact later.
    pub fn since_ms(self, earlier: SessionTime) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<u64> for SessionTime {
    type Output = SessionTime;

    /// `ms` later; stops at the end of time rather than wrapping.
    fn add(self, ms: u64) -> SessionTime {
        SessionTime(self.0.saturating_add(ms))
    }
}

impl Sub<u64> for SessionTime {
    type Output = SessionTime;

    /// `ms` earlier; stops at the opening of the session.
    fn sub(self, ms: u64) -> SessionTime {
        SessionTime(self.0.saturating_sub(ms))
    }
}

impl fmt::Display for SessionTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = self.0 / 1000;
        write!(f, "{}:{:02}:{:02}.{:03}", s / 3600, s / 60 % 60, s % 60, self.0 % 1000)
    }
}

/// A half-open interval of session time: `start` is in it, `end` is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub start: SessionTime,
    pub end: SessionTime,
}

impl Span {
    /// A span that ends before it starts is taken as empty at `start`.
    pub fn new(start: SessionTime, end: SessionTime) -> Self {
        Self { start, end: end.max(start) }
    }

    pub fn ms(self) -> u64 {
        self.end.since_ms(self.start)
    }

    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    pub fn contains(self, at: SessionTime) -> bool {
        self.start <= at && at < self.end
    }

    /// Whether `other` lies wholly inside.
    pub fn covers(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Whether the two share at least one millisecond.
    pub fn overlaps(self, other: Span) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// What both have; `None` when they share nothing.
    pub fn intersection(self, other: Span) -> Option<Span> {
        let both = Span { start: self.start.max(other.start), end: self.end.min(other.end) };
        (both.start < both.end).then_some(both)
    }
}
