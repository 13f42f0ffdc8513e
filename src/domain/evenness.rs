//! How even a few numbers are: the measures of balance, each a plain formula. It knows no people, no
//! rooms and no verdicts.
//!
//! One person silent among four can look more even than one who talks a little more than the rest, so
//! no measure here stands alone: whoever shows one also says whether all were heard.

/// Each part of the whole. Zeros when there is nothing.
pub fn shares(amounts: &[f64]) -> Vec<f64> {
    let sum: f64 = amounts.iter().sum();
    amounts.iter().map(|it| if 0.0 < sum { it / sum } else { 0.0 }).collect()
}

/// Shannon entropy of the shares, in nats.
fn entropy(shares: &[f64]) -> f64 {
    let spoken = shares.iter().filter(|it| 0.0 < **it);
    -spoken.map(|it| it * it.ln()).sum::<f64>()
}

/// exp of the entropy (Hill number of order 1): four people who talk equally give 4, one who talks
/// alone gives 1, nobody 0.
pub fn effective_voices(shares: &[f64]) -> f64 {
    if shares.iter().all(|it| *it <= 0.0) { 0.0 } else { entropy(shares).exp() }
}

/// Entropy as a part of what it could be (Pielou): 1 when all are equal, 0 when one has all.
pub fn evenness(shares: &[f64]) -> f64 {
    if shares.len() < 2 { 0.0 } else { entropy(shares) / (shares.len() as f64).ln() }
}

/// Each share as a multiple of the fair one, which is in proportion to `weights`: 1 is fair. `None`
/// for who weighs nothing.
pub fn share_ratios(shares: &[f64], weights: &[f64]) -> Vec<Option<f64>> {
    let all: f64 = weights.iter().sum();
    let ratio = |(share, weight): (&f64, &f64)| (0.0 < *weight).then(|| share * all / weight);
    shares.iter().zip(weights).map(ratio).collect()
}

/// Variance of the numbers of turns (Woolley 2010), over the square of their mean so that it does not
/// grow with the length of the talk. 0 when there are none.
pub fn turn_variance(turns: &[u32]) -> f64 {
    let n = turns.len() as f64;
    let mean = turns.iter().map(|it| f64::from(*it)).sum::<f64>() / n;
    if turns.is_empty() || mean == 0.0 {
        return 0.0;
    }
    turns.iter().map(|it| (f64::from(*it) - mean).powi(2)).sum::<f64>() / n / mean.powi(2)
}

/// How mixed it is who follows whom among `people`: entropy of the counts of ordered pairs as a part
/// of what it could be. Two who play ping-pong while others listen give little, though each of the two
/// speaks as much as the other.
pub fn mix(followed: impl Iterator<Item = u32> + Clone, people: usize) -> f64 {
    let pairs = people * people.saturating_sub(1);
    if pairs < 2 {
        return 0.0;
    }
    let counts: Vec<f64> = followed.map(f64::from).collect();
    entropy(&shares(&counts)) / (pairs as f64).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Seconds of four to six people, as in the table of dialogue research this follows: evenness,
    /// effective voices, and the smallest share as a multiple of the fair.
    #[test]
    fn the_measures_are_those_of_the_table() {
        let cases: [(&[f64], [f64; 3]); 6] = [
            (&[60.0, 60.0, 60.0, 60.0], [1.0, 4.0, 1.0]),
            (&[90.0, 70.0, 50.0, 30.0], [0.95, 3.72, 0.5]),
            (&[150.0, 40.0, 30.0, 20.0], [0.76, 2.88, 0.33]),
            (&[80.0, 80.0, 80.0, 0.0], [0.79, 3.0, 0.0]),
            (&[240.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0]),
            (&[120.0, 120.0, 0.0, 0.0, 0.0, 0.0], [0.39, 2.0, 0.0]),
        ];
        for (seconds, expected) in cases {
            let parts = shares(seconds);
            let ratios = share_ratios(&parts, &vec![1.0; seconds.len()]);
            let least = ratios.into_iter().flatten().fold(f64::INFINITY, f64::min);
            let found = [evenness(&parts), effective_voices(&parts), least];
            let close = found.iter().zip(expected).all(|(one, other)| (one - other).abs() < 0.006);
            assert!(close, "{seconds:?}: {found:.3?} instead of {expected:?}");
        }
    }

    #[test]
    fn who_was_there_half_the_time_has_a_fair_share_of_half() {
        let ratios = share_ratios(&[0.4, 0.4, 0.2, 0.0], &[1.0, 1.0, 0.5, 0.0]);
        assert_eq!(ratios, [Some(1.0), Some(1.0), Some(1.0), None]);
    }

    #[test]
    fn ping_pong_of_two_is_seen_though_their_turns_are_equal() {
        assert_eq!(turn_variance(&[5, 5, 5, 5]), 0.0);
        assert_eq!(turn_variance(&[10, 10, 0, 0]), 1.0);
        let two = mix([5, 5].into_iter(), 4);
        let all = mix([2; 12].into_iter(), 4);
        assert!((all - 1.0).abs() < 1e-9 && (two - 2f64.ln() / 12f64.ln()).abs() < 1e-9);
    }

    proptest! {
        /// Whoever speaks and however much: the measures stay in their bounds, do not ask who is who,
        /// and do not change when everybody speaks twice as long.
        #[test]
        fn they_are_bounded_and_blind(
            seconds in prop::collection::vec(0.0f64..1_000.0, 1..9),
            turn in 0usize..8,
        ) {
            let parts = shares(&seconds);
            let n = seconds.len() as f64;
            let all = |seconds: &[f64]| {
                let parts = shares(seconds);
                [evenness(&parts), effective_voices(&parts)]
            };
            let [even, voices] = all(&seconds);
            prop_assert!((-1e-9..=1.0 + 1e-9).contains(&even) && voices <= n + 1e-9);
            prop_assert!(seconds.iter().sum::<f64>() == 0.0 || 1.0 - 1e-9 <= voices);
            prop_assert!((parts.iter().sum::<f64>() - 1.0).abs() < 1e-9 || parts.iter().all(|it| *it == 0.0));
            let mut turned = seconds.clone();
            turned.rotate_left(turn % seconds.len());
            let doubled: Vec<_> = seconds.iter().map(|it| 2.0 * it).collect();
            for (one, other) in all(&seconds).into_iter().zip(all(&turned)) {
                prop_assert!((one - other).abs() < 1e-9);
            }
            for (one, other) in all(&seconds).into_iter().zip(all(&doubled)) {
                prop_assert!((one - other).abs() < 1e-9);
            }
        }

        /// Taking from who has more and giving it to who has less is never less even.
        #[test]
        fn giving_makes_it_more_even(
            seconds in prop::collection::vec(1.0f64..1_000.0, 2..9),
            part in 0.0f64..0.5,
        ) {
            let mut given = seconds.clone();
            given.sort_by(f64::total_cmp);
            let last = given.len() - 1;
            let moved = (given[last] - given[0]) * part;
            given[0] += moved;
            given[last] -= moved;
            prop_assert!(effective_voices(&shares(&seconds)) <= effective_voices(&shares(&given)) + 1e-9);
        }
    }
}
