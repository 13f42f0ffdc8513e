//! Groups as wholes: how many and how large, moving from table to table, merging, and the seat of
//! whoever comes late. Never asks who should meet whom beyond that.

use super::{History, Rules};

/// Room sizes for `people`, larger ones first, that differ by at most one.
///
/// All lie within `min..=max` where any number of rooms allows it; otherwise as little as possible
/// is outside, a seat too few counting as much as two too many. Among those the rooms are, on
/// average, as near to `size` as can be; of two equally near, the fewer and larger rooms. Nobody is
/// alone unless there is only one person. Where `min`, `max` and `size` contradict one another,
/// `min` (at least 2) wins over `max`, and both over `size`. Nobody at all needs no room.
pub fn sizes(people: usize, size: usize, min: usize, max: usize) -> Vec<usize> {
    let min = min.max(2);
    let max = max.max(min);
    let size = size.clamp(min, max);
    let Some(rooms) = (1..=(people / 2).max(1))
        .take(people)
        .map(|rooms| (rooms, outside(people, rooms, min, max)))
        .min_by(|(one, out_one), (other, out_other)| {
            // |people/one − size| < |people/other − size|, without fractions.
            let far = |rooms: usize| people.abs_diff(rooms.saturating_mul(size)) as u128;
            let by_size = (far(*one) * *other as u128).cmp(&(far(*other) * *one as u128));
            out_one.cmp(out_other).then(by_size)
        })
        .map(|(rooms, _)| rooms)
    else {
        return Vec::new();
    };
    (0..rooms).map(|room| people / rooms + usize::from(room < people % rooms)).collect()
}

/// How badly equal rooms miss the limits: seats above `max`, and twice the seats below `min`.
fn outside(people: usize, rooms: usize, min: usize, max: usize) -> usize {
    let larger = people % rooms;
    let miss = |size: usize| size.saturating_sub(max) + 2 * min.saturating_sub(size);
    let small = people / rooms;
    larger
        .saturating_mul(miss(small + 1))
        .saturating_add((rooms - larger).saturating_mul(miss(small)))
}

/// The table of each group in this round when whole groups move on by one table a round: group `g`
/// sits at table `(g + round) mod groups`. After `groups` rounds everybody has been everywhere.
pub fn carousel(groups: usize, round: usize) -> Vec<usize> {
    (0..groups).map(|group| (group + round % groups) % groups).collect()
}

/// Old groups put together, each of them whole: pairs become fours.
///
/// In their order, as long as it brings a new group nearer to `size` (or it has not reached `min`)
/// and not over `max`. What stays smaller than `min` joins the smallest new group, even over `max`:
/// too many in a room is better than nobody to talk with. Empty groups vanish.
pub fn merge(groups: &[Vec<usize>], size: usize, min: usize, max: usize) -> Vec<Vec<usize>> {
    let mut merged: Vec<Vec<usize>> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for group in groups {
        let together = open.len() + group.len();
        let nearer = together.abs_diff(size) < open.len().abs_diff(size);
        if !open.is_empty() && (max < together || !(nearer || open.len() < min)) {
            merged.push(std::mem::take(&mut open));
        }
        open.extend(group);
    }
    merged.push(open);
    let (mut whole, small): (Vec<_>, Vec<_>) =
        merged.into_iter().filter(|it| !it.is_empty()).partition(|it| min <= it.len());
    for group in small {
        match whole.iter_mut().min_by_key(|it| it.len()) {
            Some(smallest) => smallest.extend(group),
            None => whole.push(group),
        }
    }
    for group in &mut whole {
        group.sort_unstable();
    }
    whole
}

/// The group for somebody who comes when the groups already talk; `None` when all have `max`.
///
/// Among those with a seat: the group they are pinned to, else one with a person they belong
/// together with, else one without a person they are to be apart from, else the smallest, else the
/// one whose people they have met least, else the first.
pub fn place_late(
    groups: &[Vec<usize>],
    person: usize,
    history: &History,
    rules: &Rules,
    max: usize,
) -> Option<usize> {
    let belongs = |group: &[usize]| {
        let bound = |it: &(usize, usize)| {
            (it.0 == person && group.contains(&it.1)) || (it.1 == person && group.contains(&it.0))
        };
        rules.together.iter().any(bound)
    };
    let met = |group: &[usize]| -> usize {
        group.iter().map(|other| usize::from(history.met(person, *other))).sum()
    };
    let with_seat = groups.iter().enumerate().filter(|(_, group)| group.len() < max);
    let best = with_seat.min_by_key(|(number, group)| {
        (
            rules.pin(person) != Some(*number),
            !belongs(group),
            group.iter().any(|other| rules.are_apart(person, *other)),
            group.len(),
            met(group),
        )
    })?;
    Some(best.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_are_as_near_to_the_size_as_can_be() {
        assert_eq!(sizes(5, 4, 3, 5), [5]);
        assert_eq!(sizes(6, 4, 3, 5), [3, 3]);
        assert_eq!(sizes(7, 4, 3, 5), [4, 3]);
        assert_eq!(sizes(11, 5, 3, 6), [6, 5]);
        assert_eq!(sizes(3, 2, 2, 3), [3]);
        assert_eq!(sizes(5, 2, 2, 3), [3, 2]);
        assert_eq!(sizes(8, 3, 3, 4), [4, 4]);
        assert_eq!(sizes(300, 5, 4, 6), [5; 60]);
    }

    #[test]
    fn limits_give_way_only_where_they_must() {
        assert_eq!(sizes(5, 3, 3, 4), [5]);
        assert_eq!(sizes(7, 3, 3, 3), [4, 3]);
        assert_eq!(sizes(4, 3, 3, 3), [4]);
        assert_eq!(sizes(12, 5, 4, 6), [6, 6]); // as near as 4, 4, 4
        assert_eq!(sizes(12, 5, 4, 5), [4, 4, 4]);
        assert_eq!(sizes(6, 1, 0, 0), [2, 2, 2]);
        assert_eq!(sizes(6, 9, 7, 3), [6]);
    }

    #[test]
    fn one_person_sits_alone_and_nobody_sits_nowhere() {
        assert_eq!(sizes(1, 4, 3, 5), [1]);
        assert!(sizes(0, 4, 3, 5).is_empty());
    }

    #[test]
    fn a_carousel_brings_every_group_to_every_table() {
        assert_eq!(carousel(3, 0), [0, 1, 2]);
        assert_eq!(carousel(3, 2), [2, 0, 1]);
        assert_eq!(carousel(3, usize::MAX), carousel(3, usize::MAX % 3));
        assert!(carousel(0, 5).is_empty());
    }

    #[test]
    fn pairs_become_fours_and_leftovers_join() {
        let pair = |first: usize| vec![first, first + 1];
        assert_eq!(merge(&[pair(0), pair(2), pair(4)], 4, 3, 6), [vec![0, 1, 2, 3, 4, 5]]);
        let with_three = merge(&[pair(5), pair(2), vec![0, 1, 9]], 4, 3, 6);
        assert_eq!(with_three, [vec![2, 3, 5, 6], vec![0, 1, 9]]);
        let four = merge(&[pair(0), pair(2), pair(4), pair(6)], 4, 3, 5);
        assert_eq!(four, [vec![0, 1, 2, 3], vec![4, 5, 6, 7]]);
    }

    #[test]
    fn a_merged_group_stays_within_the_limit_where_it_can() {
        let groups = [vec![0, 1, 2], vec![3, 4, 5], vec![6, 7, 8]];
        assert_eq!(merge(&groups, 5, 2, 5).len(), 3);
        assert_eq!(merge(&groups, 6, 2, 6).len(), 2);
        assert_eq!(merge(&[vec![0]], 4, 3, 5), [vec![0]]);
        assert!(merge(&[vec![], vec![]], 4, 3, 5).is_empty());
        assert!(merge(&[], 4, 3, 5).is_empty());
    }

    #[test]
    fn who_comes_late_sits_with_the_few_and_the_new() {
        let groups = [vec![0, 1, 2], vec![3, 4], vec![5, 6], vec![7, 8]];
        let mut history = History::new(10);
        history.record(&vec![vec![9, 3]]);
        let free = Rules::default();
        assert_eq!(place_late(&groups, 9, &history, &free, 4), Some(2));
        assert_eq!(place_late(&groups, 9, &history, &free, 2), None);
        assert_eq!(place_late(&groups[..1], 9, &history, &free, 4), Some(0));
        assert_eq!(place_late(&[], 9, &history, &free, 4), None);
    }

    #[test]
    fn who_comes_late_keeps_the_rules() {
        let groups = [vec![0, 1, 2], vec![3, 4], vec![5, 6], vec![7, 8]];
        let history = History::new(10);
        let apart = Rules { apart: vec![(9, 3), (5, 9)], ..Rules::default() };
        assert_eq!(place_late(&groups, 9, &history, &apart, 4), Some(3));
        let together = Rules { together: vec![(1, 9)], ..apart.clone() };
        assert_eq!(place_late(&groups, 9, &history, &together, 4), Some(0));
        assert_eq!(place_late(&groups, 9, &history, &together, 3), Some(3));
        let mut pins = vec![None; 9];
        pins.push(Some(1));
        assert_eq!(place_late(&groups, 9, &history, &Rules { pins, ..together }, 4), Some(1));
    }
}
