//! Seats everybody in groups of given sizes so that pins and bundles hold. Looks at nobody's past.

use super::{Chance, Rules};

/// One round of these sizes with everybody from 0 up to but without their sum.
///
/// Pins come first, then bundles (whole, if any group has the seats), then everybody stays where
/// `start` has them if there is a seat, then chance decides.
pub(super) fn seat(
    sizes: &[usize],
    rules: &Rules,
    bundles: &[Vec<usize>],
    start: &[Vec<usize>],
    chance: &mut Chance,
) -> Vec<Vec<usize>> {
    let mut seats = Seats {
        groups: vec![Vec::new(); sizes.len()],
        free: sizes.to_vec(),
        group_of: vec![None; sizes.iter().sum()],
    };
    for person in 0..seats.group_of.len() {
        if let Some(group) = rules.pin(person) {
            seats.take(group, &[person]);
        }
    }
    let wished = wished_groups(start, seats.group_of.len());
    let mut larger: Vec<&Vec<usize>> = bundles.iter().filter(|it| 1 < it.len()).collect();
    chance.shuffle(&mut larger);
    larger.sort_by_key(|it| std::cmp::Reverse(it.len()));
    for bundle in larger {
        seats.take_bundle(bundle, &wished);
    }
    for (person, wish) in wished.into_iter().enumerate() {
        if let Some(group) = wish {
            seats.take(group, &[person]);
        }
    }
    seats.take_rest(chance);
    seats.groups
}

/// By person: where the proposal has them first.
fn wished_groups(start: &[Vec<usize>], people: usize) -> Vec<Option<usize>> {
    let mut wished = vec![None; people];
    for (group, members) in start.iter().enumerate() {
        for person in members {
            if let Some(wish) = wished.get_mut(*person) {
                wish.get_or_insert(group);
            }
        }
    }
    wished
}

struct Seats {
    groups: Vec<Vec<usize>>,
    free: Vec<usize>,
    group_of: Vec<Option<usize>>,
}

impl Seats {
    /// Seats all who stand, or nobody when the group lacks the seats.
    fn take(&mut self, group: usize, people: &[usize]) -> bool {
        let standing: Vec<usize> =
            people.iter().copied().filter(|it| self.group_of[*it].is_none()).collect();
        match self.free.get_mut(group) {
            Some(free) if standing.len() <= *free => *free -= standing.len(),
            _ => return false,
        }
        for person in &standing {
            self.group_of[*person] = Some(group);
        }
        self.groups[group].extend(standing);
        true
    }

    /// Beside a member who sits already, or where the proposal has one, or where most seats are
    /// free; one by one, as chance will have it, where no group has enough.
    fn take_bundle(&mut self, bundle: &[usize], wished: &[Option<usize>]) {
        let seated = bundle.iter().find_map(|it| self.group_of[*it]);
        if let Some(group) = seated {
            if !self.take(group, bundle) {
                for person in bundle {
                    self.take(group, &[*person]);
                }
            }
            return;
        }
        let wish = bundle.iter().find_map(|it| wished[*it]);
        if wish.is_some_and(|group| self.take(group, bundle)) {
            return;
        }
        let roomiest = (0..self.free.len()).max_by_key(|it| self.free[*it]);
        if let Some(group) = roomiest {
            self.take(group, bundle);
        }
    }

    fn take_rest(&mut self, chance: &mut Chance) {
        let mut standing: Vec<usize> =
            (0..self.group_of.len()).filter(|it| self.group_of[*it].is_none()).collect();
        chance.shuffle(&mut standing);
        for (group, free) in self.free.iter().enumerate() {
            let rest = standing.len().saturating_sub(*free);
            self.groups[group].extend(standing.drain(rest..));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seated(sizes: &[usize], rules: &Rules, start: &[Vec<usize>]) -> Vec<Vec<usize>> {
        let people = sizes.iter().sum();
        let mut groups = seat(sizes, rules, &rules.bundles(people), start, &mut Chance::new(1));
        groups.iter_mut().for_each(|it| it.sort_unstable());
        groups
    }

    #[test]
    fn pins_and_bundles_hold() {
        let rules = Rules {
            pins: vec![Some(2), None, Some(0)],
            together: vec![(2, 5), (6, 7), (7, 8)],
            ..Rules::default()
        };
        let groups = seated(&[3, 3, 3], &rules, &[]);
        assert!(groups[2].contains(&0));
        assert!(groups[0].contains(&2) && groups[0].contains(&5));
        assert!(groups.contains(&vec![6, 7, 8]));
    }

    #[test]
    fn a_proposal_is_kept_as_far_as_there_are_seats() {
        let start = [vec![0, 1, 2, 3], vec![4, 0, 77], vec![5]];
        let groups = seated(&[2, 2, 2], &Rules::default(), &start);
        assert_eq!(groups[0], [0, 1]);
        assert!(groups[1].contains(&4) && groups[2].contains(&5));
        assert_eq!(seated(&[3, 2, 1], &Rules::default(), &start)[0], [0, 1, 2]);
    }

    #[test]
    fn what_cannot_hold_is_given_up_and_everybody_sits() {
        let rules = Rules {
            pins: vec![Some(9), Some(0), Some(0), Some(0)],
            together: vec![(0, 4), (4, 5), (5, 6)],
            ..Rules::default()
        };
        let groups = seated(&[2, 0, 3, 2], &rules, &[]);
        assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [2, 0, 3, 2]);
        let mut all: Vec<usize> = groups.concat();
        all.sort_unstable();
        assert_eq!(all, (0..7).collect::<Vec<_>>());
    }
}
