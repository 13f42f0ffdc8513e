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

#[cfg(test)]
mod tests {
    use super::*;

    /// One datagram of 200 bytes each ms: when each arrives.
    fn walk(profile: Profile, seed: u64, count: u64) -> (Vec<Arrivals>, Counts) {
        let mut road = Road::new(profile, seed);
        let arrivals = (0..count).map(|it| road.take(it * 1_000, 200)).collect();
        (arrivals, road.counts())
    }

    fn assert_near(part: f64, wanted: f64, by: f64) {
        assert!((part - wanted).abs() < by, "{part} is not about {wanted}");
    }

    #[test]
    fn a_perfect_network_changes_nothing() {
        let (arrivals, counts) = walk(Profile::default(), 1, 100);
        for (at, it) in arrivals.iter().enumerate() {
            assert_eq!(*it, Arrivals { first: Some(at as u64 * 1_000), copy: None });
        }
        assert_eq!(counts, Counts { taken: 100, ..Counts::default() });
    }

    #[test]
    fn the_same_seed_tells_the_same_and_another_does_not() {
        let bad = Profile {
            loss: 0.2,
            jitter_ms: 30.0,
            reorder: 0.1,
            reorder_ms: 9.0,
            duplicate: 0.1,
            ..Profile::default()
        };
        assert_eq!(walk(bad.clone(), 7, 500), walk(bad.clone(), 7, 500));
        assert_ne!(walk(bad.clone(), 7, 500).0, walk(bad, 8, 500).0);
    }

    #[test]
    fn loss_comes_to_its_share_alone_and_in_bursts() {
        for burst in [0.0, 5.0] {
            let profile = Profile { loss: 0.1, burst, ..Profile::default() };
            let (arrivals, counts) = walk(profile, 3, 100_000);
            assert_near(counts.lost as f64 / 1e5, 0.1, 0.01);
            let lost: Vec<_> = arrivals.iter().map(|it| it.first.is_none()).collect();
            let begun = lost.windows(2).filter(|it| !it[0] && it[1]).count();
            assert_near(counts.lost as f64 / begun as f64, f64::max(burst, 1.11), 0.3);
        }
        let all = Profile { loss: 1.0, burst: 5.0, ..Profile::default() };
        assert_eq!(walk(all, 3, 100).1.lost, 100);
    }

    #[test]
    fn jitter_delays_and_keeps_the_order() {
        let profile = Profile { delay_ms: 50.0, jitter_ms: 40.0, ..Profile::default() };
        let (arrivals, _) = walk(profile, 5, 1_000);
        let times: Vec<_> = arrivals.iter().filter_map(|it| it.first).collect();
        assert!(times.is_sorted());
        for (at, time) in times.iter().enumerate() {
            assert!((50_000..=90_000).contains(&(time - at as u64 * 1_000)));
        }
    }

    #[test]
    fn who_is_overtaken_comes_after_its_follower_and_copies_come_too() {
        let profile =
            Profile { reorder: 0.25, reorder_ms: 10.0, duplicate: 0.5, ..Profile::default() };
        let (arrivals, counts) = walk(profile, 9, 10_000);
        let times: Vec<_> = arrivals.iter().filter_map(|it| it.first).collect();
        assert!(times.windows(2).any(|it| it[1] < it[0]));
        assert_near(counts.late as f64 / 1e4, 0.25, 0.02);
        assert_near(counts.doubled as f64 / 1e4, 0.5, 0.02);
        assert!(arrivals.iter().all(|it| it.copy.is_none() || it.copy == it.first));
    }

    #[test]
    fn a_narrow_place_makes_a_queue_and_then_loses() {
        // 200 bytes each ms are 1.6 Mbit/s: half of them fit.
        let profile = Profile { rate_kbps: 800.0, queue_ms: 100.0, ..Profile::default() };
        let (arrivals, counts) = walk(profile, 1, 10_000);
        assert_near(counts.lost as f64 / 1e4, 0.5, 0.02);
        for (at, it) in arrivals.iter().enumerate() {
            assert!(it.first.is_none_or(|it| it - at as u64 * 1_000 <= 104_000));
        }
    }

    #[test]
    fn in_the_dark_nothing_arrives_and_after_it_all() {
        let mut road = Road::new(Profile::default(), 1);
        road.darken(10_000);
        assert_eq!(road.take(9_999, 200), Arrivals::default());
        assert_eq!(road.take(10_000, 200).first, Some(10_000));
    }
}
