//! What a bad network does to datagrams in one direction: pure, seeded, told the time. It says when a
//! datagram arrives, or that it never does; it holds none, reads no clock and knows no socket.

/// One direction of a network. The default is a perfect one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// Share of datagrams that are lost, 0 to 1, over the long run.
    pub loss: f64,
    /// How many are lost in a row, on average, once one is (Gilbert's model); up to 1: at random.
    pub burst: f64,
    /// Under way, in ms.
    pub delay_ms: f64,
    /// Added to that: from nothing to so many ms, each as likely. Order is kept.
    pub jitter_ms: f64,
    /// Share that is overtaken: arrives `reorder_ms` later than its place.
    pub reorder: f64,
    pub reorder_ms: f64,
    /// Share that arrives twice.
    pub duplicate: f64,
    /// Bits a second in thousands that fit through; 0: any number.
    pub rate_kbps: f64,
    /// What may wait for its turn at that rate, in ms; more is lost.
    pub queue_ms: f64,
}

/// When a datagram arrives, and when its copy does, in µs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrivals {
    pub first: Option<u64>,
    pub copy: Option<u64>,
}

/// What has become of the datagrams so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub taken: u64,
    pub lost: u64,
    pub late: u64,
    pub doubled: u64,
}

pub struct Road {
    profile: Profile,
    chance: Chance,
    is_losing: bool,
    /// Until when the rate's queue is full of what was taken before, in µs.
    busy_until: u64,
    /// No datagram that keeps its place arrives before this.
    last: u64,
    dark_until: u64,
    counts: Counts,
}

impl Road {
    pub fn new(profile: Profile, seed: u64) -> Self {
        Self {
            profile,
            chance: Chance(seed),
            is_losing: false,
            busy_until: 0,
            last: 0,
            dark_until: 0,
            counts: Counts::default(),
        }
    }

    /// From now on; what is under way arrives as it would have.
    pub fn change(&mut self, profile: Profile) {
        self.profile = profile;
        self.is_losing = false;
    }

    /// Nothing that is taken before `until` (µs) arrives.
    pub fn darken(&mut self, until: u64) {
        self.dark_until = until;
    }

    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// A datagram of so many bytes sets out. `now`: µs, never smaller than before.
    pub fn take(&mut self, now: u64, bytes: usize) -> Arrivals {
        self.counts.taken += 1;
        // The same number of throws for each, so that one datagram's fate moves no other's.
        let [loss, jitter, reorder, duplicate] = [(); 4].map(|()| self.chance.next());
        let is_lost = self.is_lost(loss) || now < self.dark_until;
        let Some(through) = self.pass_bottleneck(now, bytes).filter(|_| !is_lost) else {
            self.counts.lost += 1;
            return Arrivals::default();
        };
        let profile = &self.profile;
        let at = through + us(profile.delay_ms) + us(profile.jitter_ms * jitter);
        let at = at.max(self.last);
        let is_late = reorder < profile.reorder;
        let first = if is_late { at + us(profile.reorder_ms) } else { at };
        if !is_late {
            self.last = at;
        }
        let is_doubled = duplicate < profile.duplicate;
        self.counts.late += u64::from(is_late);
        self.counts.doubled += u64::from(is_doubled);
        Arrivals { first: Some(first), copy: is_doubled.then_some(first) }
    }

    /// Two states: losing all, and losing none. Without bursts, each datagram is its own.
    fn is_lost(&mut self, throw: f64) -> bool {
        let Profile { loss, burst, .. } = self.profile;
        if burst <= 1.0 || loss <= 0.0 || 1.0 <= loss {
            return throw < loss;
        }
        let leaves = 1.0 / burst;
        let enters = loss * leaves / (1.0 - loss);
        self.is_losing = if self.is_losing { leaves <= throw } else { throw < enters };
        self.is_losing
    }

    /// When its last bit has gone through the narrowest place; `None`: too many wait there.
    fn pass_bottleneck(&mut self, now: u64, bytes: usize) -> Option<u64> {
        if self.profile.rate_kbps <= 0.0 {
            return Some(now);
        }
        let waits = self.busy_until.saturating_sub(now);
        if us(self.profile.queue_ms) < waits {
            return None;
        }
        let takes = bytes as f64 * 8.0 / self.profile.rate_kbps;
        self.busy_until = now.max(self.busy_until) + us(takes);
        Some(self.busy_until)
    }
}

fn us(ms: f64) -> u64 {
    (ms.max(0.0) * 1_000.0) as u64
}

/// SplitMix64: a throw is 0 up to 1.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    }
}
