//! What the host asks of the groups, put so that it can be looked up fast. Decides nothing.

use std::collections::BTreeMap;

/// What the host asks. Vectors may be shorter than the number of people, and numbers of people or
/// groups that do not exist are passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// For each person the group they must be in, in every round: table hosts who stay, a host's own
    /// wish. Kept whenever the group has enough seats.
    pub pins: Vec<Option<usize>>,
    /// Two people never to be in one group. Outweighs any number of repeats, but cannot always be
    /// kept: three people, two groups.
    pub apart: Vec<(usize, usize)>,
    /// Two people always to be in one group; chains count, and where they contradict `apart` or one
    /// another's pins, the pins win, then `together`. Given up only where no group has the seats.
    pub together: Vec<(usize, usize)>,
    /// For each person some values, 0 for none: organisation, role, region, each at its own place.
    /// Two people with the same value at the same place would rather not share a group: a wish, and
    /// lighter than a single repeat.
    pub tags: Vec<Vec<u16>>,
}

impl Rules {
    /// The group the person must be in.
    pub(super) fn pin(&self, person: usize) -> Option<usize> {
        self.pins.get(person).copied().flatten()
    }

    pub(super) fn has_pins(&self) -> bool {
        self.pins.iter().any(Option::is_some)
    }

    /// Whether two people in one group can cost something besides a repeat.
    pub(super) fn weighs_pairs(&self) -> bool {
        !self.apart.is_empty() || self.tags.iter().flatten().any(|tag| *tag != 0)
    }

    pub(super) fn are_apart(&self, one: usize, other: usize) -> bool {
        self.apart.iter().any(|it| *it == (one, other) || *it == (other, one))
    }

    /// How many tags the two share.
    pub(super) fn shared_tags(&self, one: usize, other: usize) -> usize {
        match (self.tags.get(one), self.tags.get(other)) {
            (Some(one), Some(other)) => {
                one.iter().zip(other).filter(|(one, other)| one == other && **one != 0).count()
            }
            _ => 0,
        }
    }

    /// Everybody in bundles that stay together, most of them of one person. Those pinned to one
    /// group are together too: their meeting again is nobody's fault.
    pub(super) fn bundles(&self, people: usize) -> Vec<Vec<usize>> {
        let mut head: Vec<usize> = (0..people).collect();
        for (one, other) in self.together.iter().copied().chain(self.pinned_together(people)) {
            if let (Some(one), Some(other)) = (head.get(one).copied(), head.get(other).copied()) {
                let (low, high) = (one.min(other), one.max(other));
                for it in head.iter_mut().filter(|it| **it == high) {
                    *it = low;
                }
            }
        }
        let mut bundles = vec![Vec::new(); people];
        for (person, head) in head.iter().enumerate() {
            bundles[*head].push(person);
        }
        bundles.retain(|it| !it.is_empty());
        bundles
    }

    /// Each pinned person and the first who is pinned to the same group.
    fn pinned_together(&self, people: usize) -> Vec<(usize, usize)> {
        let mut first = BTreeMap::new();
        let pinned = (0..people).filter_map(|it| Some((it, self.pin(it)?)));
        pinned.map(|(person, group)| (*first.entry(group).or_insert(person), person)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_of_together_become_one_bundle() {
        let rules = Rules { together: vec![(4, 1), (1, 3), (9, 0)], ..Rules::default() };
        assert_eq!(rules.bundles(5), [vec![0], vec![1, 3, 4], vec![2]]);
        assert!(Rules::default().bundles(0).is_empty());
    }

    #[test]
    fn only_the_same_tag_at_the_same_place_is_shared() {
        let rules = Rules { tags: vec![vec![1, 0, 3], vec![1, 0, 4], vec![3]], ..Rules::default() };
        assert_eq!(rules.shared_tags(0, 1), 1);
        assert_eq!(rules.shared_tags(0, 2), 0);
        assert_eq!(rules.shared_tags(0, 8), 0);
        assert!(rules.weighs_pairs());
        assert!(!Rules { tags: vec![vec![0]], ..Rules::default() }.weighs_pairs());
    }
}
