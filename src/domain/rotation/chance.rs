//! Chance that is told: a stream of numbers made from one seed, the same on every machine. Never asks
//! the system for anything.

/// The splitmix64 generator (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014): good enough to shuffle people, and nobody should trust it with a secret.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to but without `limit`; 0 when there is nothing to choose from.
    pub fn below(&mut self, limit: usize) -> usize {
        // The high half of a product instead of a remainder: no division in the innermost loop.
        ((u128::from(self.bits()) * limit as u128) >> 64) as usize
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// 0 up to but without `count`, in an order of chance.
    pub fn order(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        self.shuffle(&mut order);
        order
    }

    /// How much worse a step may make things at this `warmth`: more than `warmth` in half of all
    /// cases, more than twice that in a quarter, and so on. It stands in for the exponential of
    /// simulated annealing, whose floating point would not be the same on every machine.
    pub fn allowance(&mut self, warmth: i64) -> i64 {
        let bits = self.bits();
        let halvings = i64::from((bits | 1 << 40).trailing_zeros());
        let between = (bits >> 44) as i64; // 20 bits
        warmth * halvings + ((warmth * between) >> 20)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_stream() {
        // The first numbers of the authors' own program for the seed 1234567.
        let mut chance = Chance::new(1_234_567);
        assert_eq!(chance.bits(), 6_457_827_717_110_365_317);
        assert_eq!(chance.bits(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn a_choice_stays_below_its_limit_and_reaches_all() {
        let mut chance = Chance::new(7);
        let mut seen = [false; 5];
        for _ in 0..200 {
            seen[chance.below(5)] = true;
        }
        assert_eq!(seen, [true; 5]);
        assert_eq!(chance.below(0), 0);
    }

    #[test]
    fn an_order_has_everybody_once() {
        let mut order = Chance::new(3).order(100);
        assert_ne!(order, (0..100).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn twice_the_warmth_is_exceeded_half_as_often() {
        let mut chance = Chance::new(11);
        let drawn: Vec<i64> = (0..40_000).map(|_| chance.allowance(1_000)).collect();
        let over = |limit: i64| drawn.iter().filter(|it| limit <= **it).count();
        assert!((19_000..21_000).contains(&over(1_000)), "{}", over(1_000));
        assert!((9_500..10_500).contains(&over(2_000)), "{}", over(2_000));
    }
}
