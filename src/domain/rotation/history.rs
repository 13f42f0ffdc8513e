//! Who has met whom how often, and what a plan is worth. Knows numbers of people, not people.

use super::{PEOPLE_MAX, Round};

/// How often each two people have been in one group.
///
/// People are 0 up to but without `n`. Dense: `n·(n−1)/2` counters of two bytes, 1 MB for 1,000
/// people. Asking or telling about people beyond it is allowed and changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    people: usize,
    /// The triangle below the diagonal, row by row: 1-0, 2-0, 2-1, 3-0, …
    met: Vec<u16>,
}

impl History {
    /// Nobody has met anybody. At most `PEOPLE_MAX` people are remembered.
    pub fn new(people: usize) -> Self {
        let people = people.min(PEOPLE_MAX);
        Self { people, met: vec![0; people * people.saturating_sub(1) / 2] }
    }

    pub fn people(&self) -> usize {
        self.people
    }

    /// Each two people of each group have now met once more.
    pub fn record(&mut self, round: &Round) {
        for (one, other) in pairs(round) {
            if let Some(met) = self.place(one, other).and_then(|it| self.met.get_mut(it)) {
                *met = met.saturating_add(1);
            }
        }
    }

    /// How often the two have met; 0 for a person with themselves and for people beyond the last.
    pub fn met(&self, one: usize, other: usize) -> u16 {
        self.place(one, other).and_then(|it| self.met.get(it)).copied().unwrap_or_default()
    }

    /// Meetings that were not the first of their two people.
    pub fn repeats(&self) -> usize {
        self.met.iter().map(|met| usize::from(met.saturating_sub(1))).sum()
    }

    /// Pairs in the round who have met before.
    pub fn repeats_of(&self, round: &Round) -> usize {
        pairs(round).filter(|(one, other)| 0 < self.met(*one, *other)).count()
    }

    fn place(&self, one: usize, other: usize) -> Option<usize> {
        let (low, high) = (one.min(other), one.max(other));
        (low < high && high < self.people).then(|| high * (high - 1) / 2 + low)
    }
}

/// Each two people who share a group.
pub(super) fn pairs(round: &Round) -> impl Iterator<Item = (usize, usize)> + '_ {
    round.iter().flat_map(|group| {
        (0..group.len()).flat_map(move |at| (0..at).map(move |below| (group[at], group[below])))
    })
}

/// What a plan is worth, for the host's preview.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PlanReport {
    /// Meetings that were not the first of their two people, over the whole plan.
    pub repeats: usize,
    /// The fewest different people that anybody meets.
    pub meets_min: usize,
    /// Different people met, the mean over everybody.
    pub meets_mean: f64,
    /// The most different people that anybody meets.
    pub meets_max: usize,
}

/// Everybody who is in any round counts; a plan of nobody is worth zeros.
pub fn report(rounds: &[Round]) -> PlanReport {
    let people = rounds.iter().flatten().flatten().max().map_or(0, |it| it.saturating_add(1));
    let mut history = History::new(people);
    let mut here = vec![false; history.people()];
    for round in rounds {
        history.record(round);
        for person in round.iter().flatten() {
            if let Some(here) = here.get_mut(*person) {
                *here = true;
            }
        }
    }
    let present: Vec<usize> = (0..here.len()).filter(|it| here[*it]).collect();
    let meets: Vec<usize> = present
        .iter()
        .map(|one| present.iter().filter(|other| 0 < history.met(*one, **other)).count())
        .collect();
    PlanReport {
        repeats: history.repeats(),
        meets_min: meets.iter().copied().min().unwrap_or_default(),
        meets_mean: meets.iter().sum::<usize>() as f64 / meets.len().max(1) as f64,
        meets_max: meets.iter().copied().max().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meetings_are_counted_both_ways() {
        let mut history = History::new(5);
        history.record(&vec![vec![0, 1, 2], vec![3, 4]]);
        history.record(&vec![vec![0, 1], vec![2, 3, 4]]);
        assert_eq!((history.met(0, 1), history.met(1, 0)), (2, 2));
        assert_eq!((history.met(2, 0), history.met(2, 4), history.met(0, 4)), (1, 1, 0));
        assert_eq!(history.repeats(), 2); // 0-1 and 3-4
        assert_eq!(history.repeats_of(&vec![vec![0, 4], vec![1, 2, 3]]), 2); // 1-2, 2-3
    }

    #[test]
    fn people_beyond_the_last_change_nothing() {
        let mut history = History::new(2);
        history.record(&vec![vec![0, 7], vec![0, 0]]);
        assert_eq!((history.met(0, 7), history.met(0, 0), history.repeats()), (0, 0, 0));
        assert_eq!(History::new(usize::MAX).people(), PEOPLE_MAX);
        assert_eq!(History::new(0).repeats_of(&vec![vec![]]), 0);
    }

    #[test]
    fn a_report_counts_only_who_is_there() {
        let plan = [vec![vec![1, 2], vec![4, 5, 6]], vec![vec![1, 2, 4], vec![5]]];
        let worth = report(&plan);
        assert_eq!((worth.repeats, worth.meets_min, worth.meets_max), (1, 2, 4));
        // 1 and 2 meet two people each, 4 meets four, 5 and 6 meet two each.
        assert!((worth.meets_mean - 12.0 / 5.0).abs() < 1e-9);
        assert_eq!(report(&[]), PlanReport::default());
    }
}
