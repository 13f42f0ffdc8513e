//! Rounds without a repeat from constructions, for groups of one size or of two adjacent sizes.
//! Never searches among people, and never says that there are no more rounds than it has.

use super::{Chance, Round, history::pairs, shifts::Shifts, tables};

/// Up to so many groups it is worth looking for people who can be left out of a full schedule.
const SMALL: usize = 12;

/// Up to `rounds` rounds in which no two people meet twice, of `groups` groups of `size`, `missing`
/// of which have one person less in each round. Which groups these are differs from round to round.
///
/// People are 0 up to but without `groups × size − missing`. None at all where the numbers make no
/// sense or nothing fits.
pub(super) fn rounds_without_repeat(
    groups: usize,
    size: usize,
    missing: usize,
    rounds: usize,
    chance: &mut Chance,
) -> Vec<Round> {
    let people = (groups * size).saturating_sub(missing);
    if groups == 0 || size < 2 || groups <= missing || rounds == 0 {
        return Vec::new();
    }
    if size == 2 && missing < 2 {
        return circle(people, rounds);
    }
    // For few rounds seats that move are found at once and leave more people unmet, who can then be
    // those to be kept apart.
    let few = 5 * rounds <= 3 * groups;
    let moving = if few { by_seats(groups, size, missing, rounds, chance) } else { Vec::new() };
    if moving.len() == rounds {
        return moving;
    }
    let known = tables::schedule(groups, size);
    let fitting = known.and_then(|it| without(it, groups * size, missing, rounds));
    if let Some(fitting) = fitting.filter(|it| moving.len() < it.len()) {
        return fitting;
    }
    let found = if few { moving } else { by_seats(groups, size, missing, rounds, chance) };
    if found.len() < rounds && 0 < missing && groups <= SMALL {
        let full = rounds_without_repeat(groups, size, 0, rounds, chance);
        let longer = Some(full).filter(|it| found.len() < it.len());
        return longer.and_then(|it| without(it, groups * size, missing, rounds)).unwrap_or(found);
    }
    found
}

/// Rounds in which each seat moves by its own number of tables, and then some within each seat.
fn by_seats(
    groups: usize,
    size: usize,
    missing: usize,
    rounds: usize,
    chance: &mut Chance,
) -> Vec<Round> {
    let people = groups * size - missing;
    let within = |rounds, chance: &mut Chance| within_seats(groups, size, missing, rounds, chance);
    // No search for shifts where people of one seat can meet instead.
    let ready = if Shifts::are_known(groups, size) { Vec::new() } else { within(rounds, chance) };
    let shifts = Shifts::new(groups, size, rounds.saturating_sub(ready.len()).max(1), chance);
    let mut found: Vec<Round> =
        (0..shifts.rows.len()).map(|row| seated(&shifts, row, groups, people)).collect();
    let rest = rounds - found.len();
    if ready.is_empty() && 0 < rest {
        found.extend(within(rest, chance));
    } else {
        found.extend(ready.into_iter().take(rest));
    }
    found
}

/// Rounds in which whoever starts at table `y` on seat 0 stays there: `groups` hosts and `size − 1`
/// travellers a table. Person `s × groups + y` starts on seat `s` at table `y`, and group `y` of
/// every round is the one at table `y`. The last `missing` people of the last seat do not exist.
pub(super) fn rounds_with_hosts(
    groups: usize,
    size: usize,
    missing: usize,
    rounds: usize,
    chance: &mut Chance,
) -> Vec<Round> {
    let people = (groups * size).saturating_sub(missing);
    let shifts = Shifts::new(groups, size, rounds, chance);
    (0..shifts.rows.len()).map(|row| seated(&shifts, row, groups, people)).collect()
}

/// The group at each table in one round. People of the last seat who do not exist are left out: as
/// one seat's people never meet, no group lacks two.
fn seated(shifts: &Shifts, row: usize, tables: usize, people: usize) -> Round {
    let seats = &shifts.rows[row];
    let mut groups: Round = (0..tables).map(|_| Vec::with_capacity(seats.len())).collect();
    for (seat, shift) in seats.iter().enumerate() {
        for (start, table) in shifts.moved(*shift).into_iter().enumerate() {
            let person = seat * tables + start;
            if person < people {
                groups[table].push(person);
            }
        }
    }
    groups
}

/// Pairs by the circle method (Kirkman, 1847): one stays, the others move round. With an odd number
/// of people, who would sit opposite the one that does not exist sits alone.
fn circle(people: usize, rounds: usize) -> Vec<Round> {
    let moving = people.div_ceil(2) * 2 - 1;
    let round = |turn: usize| -> Round {
        let at = |place: usize| (turn + place) % moving;
        let opposite = |step: usize| vec![at(step), at(moving - step)];
        let staying = std::iter::once(vec![turn, moving]);
        let mut groups: Round = staying.chain((1..=moving / 2).map(opposite)).collect();
        groups.iter_mut().for_each(|group| group.retain(|it| *it < people));
        groups
    };
    (0..rounds.min(moving)).map(round).collect()
}

/// The people of one seat never meet when seats move: they can do so now, in rounds of their own,
/// if their number can be divided by the size. (This makes an affine plane complete.)
fn within_seats(
    groups: usize,
    size: usize,
    missing: usize,
    rounds: usize,
    chance: &mut Chance,
) -> Vec<Round> {
    if !groups.is_multiple_of(size) || groups / size < missing {
        return Vec::new();
    }
    let inner = |missing: usize, chance: &mut Chance| match (groups / size, missing) {
        (1, 0 | 1) => vec![vec![(0..size - missing).collect()]],
        (inner, _) => rounds_without_repeat(inner, size, missing, rounds, chance),
    };
    let (full, last) = (inner(0, chance), inner(missing, chance));
    let moved = |round: &Round, seat: usize| -> Round {
        round.iter().map(|it| it.iter().map(|person| seat * groups + person).collect()).collect()
    };
    let joined = |(full, last): (&Round, &Round)| -> Round {
        let seats = (0..size - 1).flat_map(|seat| moved(full, seat));
        seats.chain(moved(last, size - 1)).collect()
    };
    full.iter().zip(&last).map(joined).collect()
}

/// A known schedule for fewer people and at most `rounds` rounds: leaves out `missing` people no two
/// of whom meet, so that no group lacks two. `None` where there are none such or it is too short.
fn without(
    mut schedule: Vec<Round>,
    people: usize,
    missing: usize,
    rounds: usize,
) -> Option<Vec<Round>> {
    schedule.truncate(rounds);
    let mut met = vec![false; people * people];
    for (one, other) in schedule.iter().flat_map(pairs) {
        met[one * people + other] = true;
        met[other * people + one] = true;
    }
    let strangers = |one: usize, other: usize| !met[one * people + other];
    let gone =
        strangers_of_one_another(people, missing, &strangers, &mut Vec::new(), &mut 100_000)?;
    let mut number = vec![None; people];
    let staying = (0..people).filter(|it| !gone.contains(it));
    staying.enumerate().for_each(|(new, old)| number[old] = Some(new));
    for group in schedule.iter_mut().flatten() {
        *group = group.iter().filter_map(|it| number[*it]).collect();
    }
    Some(schedule)
}

/// So many people no two of whom meet, by going back and forth for at most `left` steps.
fn strangers_of_one_another(
    people: usize,
    wanted: usize,
    strangers: &dyn Fn(usize, usize) -> bool,
    chosen: &mut Vec<usize>,
    left: &mut usize,
) -> Option<Vec<usize>> {
    if chosen.len() == wanted {
        return Some(chosen.clone());
    }
    for person in chosen.last().map_or(0, |it| it + 1)..people {
        *left = left.checked_sub(1)?;
        if chosen.iter().all(|it| strangers(*it, person)) {
            chosen.push(person);
            let found = strangers_of_one_another(people, wanted, strangers, chosen, left);
            if found.is_some() {
                return found;
            }
            chosen.pop();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn check(rounds: &[Round], groups: usize, size: usize, missing: usize) {
        let mut met = BTreeSet::new();
        for round in rounds {
            assert_eq!(round.len(), groups);
            let of_size = |size: usize| round.iter().filter(|it| it.len() == size).count();
            assert_eq!((of_size(size), of_size(size - 1)), (groups - missing, missing));
            let mut everybody = round.concat();
            everybody.sort_unstable();
            assert_eq!(everybody, (0..groups * size - missing).collect::<Vec<_>>());
            for (one, other) in pairs(round) {
                let pair = (one.min(other), one.max(other));
                assert!(met.insert(pair), "{groups} groups of {size}, {missing} missing: {pair:?}");
            }
        }
    }

    fn rounds(groups: usize, size: usize, missing: usize) -> usize {
        let found = rounds_without_repeat(groups, size, missing, 99, &mut Chance::new(1));
        check(&found, groups, size, missing);
        found.len()
    }

    #[test]
    fn pairs_meet_everybody() {
        assert_eq!(rounds(4, 2, 0), 7);
        assert_eq!(rounds(4, 2, 1), 7);
        assert_eq!(rounds(1, 2, 0), 1);
    }

    #[test]
    fn planes_and_products_are_complete() {
        assert_eq!(rounds(3, 3, 0), 4);
        assert_eq!(rounds(4, 4, 0), 5);
        assert_eq!(rounds(7, 7, 0), 8);
        assert_eq!(rounds(9, 9, 0), 10);
        assert_eq!(rounds(9, 3, 0), 13);
        assert_eq!(rounds(16, 4, 0), 21);
        assert_eq!(rounds(8, 8, 0), 9);
        assert_eq!(rounds(6, 6, 0), 3);
        assert_eq!(rounds(60, 5, 0), 72);
    }

    #[test]
    fn any_number_may_be_missing_from_the_last_seat() {
        for missing in 0..7 {
            assert!(7 <= rounds(7, 3, missing));
            assert!(5 <= rounds(8, 5, missing));
        }
        for missing in 0..6 {
            let found = rounds_without_repeat(6, 6, missing, 3, &mut Chance::new(1));
            check(&found, 6, 6, missing);
            assert_eq!(found.len(), 3);
        }
    }

    #[test]
    fn hosts_stay_and_every_traveller_meets_new_ones() {
        for (groups, size, missing) in [(5, 4, 0), (7, 5, 3), (10, 4, 9), (2, 2, 1)] {
            let found = rounds_with_hosts(groups, size, missing, 3, &mut Chance::new(1));
            assert_eq!(found.len(), groups.min(3));
            check(&found, groups, size, missing);
            for round in found {
                assert!(round.iter().enumerate().all(|(table, it)| it[0] == table));
            }
        }
    }

    #[test]
    fn nothing_is_asked_too_much() {
        for (groups, size, missing) in [(0, 0, 0), (3, 1, 0), (2, 3, 2), (3, 3, 99), (0, 4, 0)] {
            let found = rounds_without_repeat(groups, size, missing, 5, &mut Chance::new(1));
            assert!(found.is_empty());
        }
        assert!(rounds_without_repeat(3, 3, 0, 0, &mut Chance::new(1)).is_empty());
        assert_eq!(rounds(2, 5, 0), 1); // five people cannot all go to other groups of two
        assert_eq!(rounds(1, 5, 0), 1);
    }
}
