//! Whole schedules, and one more round after those that were. Joins constructions, seating and
//! search; has no algebra of its own.

use std::collections::BTreeMap;

use super::{
    Chance, History, PEOPLE_MAX, ROUNDS_MAX, Round, Rules,
    construct::{rounds_with_hosts, rounds_without_repeat},
    history::pairs,
    search::{Board, NEXT},
    seat::seat,
};

/// Steps of search for a whole plan, where no construction has all of it, and more for each seat:
/// below 10 ms for a few people, and up to some 100 ms where there are many and many rounds.
const PLAN_STEPS: usize = 25_000;
const PLAN_STEPS_A_SEAT: usize = 20;
const PLAN_STEPS_MAX: usize = 1_000_000;
/// So many times more where a plan without repeats is not out of the question: some 40 ms.
const HOPE: usize = 12;
/// Steps of search for one round: below 5 ms.
const ROUND_STEPS: usize = 40_000;
/// Looks at pairs while people are given their places in a construction: some milliseconds.
const NAMING_LOOKS: usize = 2_000_000;

/// A whole schedule: `rounds` rounds, the group in room `r` always of `sizes[r]` people, from person
/// 0 up to but without the sum of `sizes`. Only where people are pinned and the sizes are uneven are
/// the larger groups in other rooms from round to round: that way travellers pass all hosts.
///
/// In this order of importance: pins and `together` hold, then `apart`, then as few repeats as can
/// be had (a third meeting counting more than a second), then tags. No two people meet twice
/// wherever a construction fits: pairs; as many groups as a prime power, and most other numbers, for
/// rounds up to more than half of what could ever be possible; the small classics for all their
/// rounds. That holds for groups of one size or of two adjacent ones, without `together`, and with
/// no more than one person pinned to each group. Everything else is searched, in a fixed number of
/// steps. Two bound together, by `together` or by pins to one group, are no repeats to be avoided,
/// but `History` and `report` do count them.
///
/// The same arguments give the same plan everywhere; another `seed` gives other people to each
/// place. Plans for more than `PEOPLE_MAX` people are empty, and no more than `ROUNDS_MAX` rounds
/// are planned. Takes memory for `people²` numbers and the rounds.
pub fn plan(sizes: &[usize], rounds: usize, rules: &Rules, seed: u64) -> Vec<Round> {
    let Some(people) = people_in(sizes) else { return Vec::new() };
    let rounds = rounds.min(ROUNDS_MAX);
    let mut chance = Chance::new(seed);
    let bundles = rules.bundles(people);
    let mut done = Vec::new();
    if bundles.len() == people {
        done = constructed(sizes, rounds, rules, &mut chance);
    }
    if done.len() == rounds && !rules.weighs_pairs() {
        return done;
    }
    // Part of a construction can be a better beginning than none, or a worse one.
    let beginnings = if done.is_empty() { vec![done] } else { vec![done, Vec::new()] };
    let groups = sizes.iter().filter(|it| 0 < **it).count();
    // The people of a group must be able to go to as many other groups; and tags are never done.
    let hope = !rules.weighs_pairs() && sizes.iter().all(|it| *it <= groups);
    let steps = PLAN_STEPS * if hope { HOPE } else { 1 } + PLAN_STEPS_A_SEAT * people * rounds;
    let steps = steps.min(PLAN_STEPS_MAX) / beginnings.len();
    let mut best: Option<Board> = None;
    for beginning in beginnings {
        let mut board = Board::new(people, None, rules);
        beginning.into_iter().for_each(|round| board.push(round));
        for number in board.len()..rounds {
            board.push(seat(sizes, rules, &bundles, &[], &mut chance));
            board.improve(number, ROUND_STEPS / 20, &mut chance);
        }
        board.improve(0, steps, &mut chance);
        if best.as_ref().is_none_or(|best| board.cost() < best.cost()) {
            best = Some(board);
        }
        if best.as_ref().is_some_and(|best| best.cost() == 0) {
            break;
        }
    }
    best.map(Board::into_rounds).unwrap_or_default()
}

/// One more round for people with a past, of these sizes; `history` is of the same people.
///
/// Keeps the rules as [`plan`] does; a repeat costs `2^met − 1`, so that a third meeting is worse
/// than a second. Begins from `start` (a planned round, say) as far as it fits: people too many, out
/// of place or named twice are seated anew. Answers with the best it found in a fixed number of
/// steps, which is not worse than the repaired `start`. Empty for more than `PEOPLE_MAX` people.
pub fn regroup(
    sizes: &[usize],
    history: &History,
    rules: &Rules,
    start: Option<&Round>,
    seed: u64,
) -> Round {
    regroup_harder(sizes, history, rules, start, seed, 1)
}

/// [`regroup`] with `times` as many steps.
pub fn regroup_harder(
    sizes: &[usize],
    history: &History,
    rules: &Rules,
    start: Option<&Round>,
    seed: u64,
    times: usize,
) -> Round {
    let Some(people) = people_in(sizes) else { return Vec::new() };
    let mut chance = Chance::new(seed);
    let mut board = Board::new(people, Some(history), rules);
    let start = start.map_or(&[][..], Vec::as_slice);
    board.push(seat(sizes, rules, &rules.bundles(people), start, &mut chance));
    board.improve(0, ROUND_STEPS.saturating_mul(times), &mut chance);
    board.into_rounds().pop().unwrap_or_default()
}

/// `None` when they are more than can be minded.
fn people_in(sizes: &[usize]) -> Option<usize> {
    let people = sizes.iter().try_fold(0_usize, |sum, size| sum.checked_add(*size))?;
    (people <= PEOPLE_MAX).then_some(people)
}

/// As many rounds as a construction has for these sizes and rules, which bind nobody together; often
/// none.
fn constructed(sizes: &[usize], rounds: usize, rules: &Rules, chance: &mut Chance) -> Vec<Round> {
    let size = sizes.iter().copied().max().unwrap_or_default();
    let groups = sizes.iter().filter(|it| 0 < **it).count();
    let missing = groups * size - sizes.iter().sum::<usize>();
    if !sizes.iter().all(|it| *it == 0 || size <= it + 1) {
        return Vec::new();
    }
    if !rules.has_pins() {
        let mut found = rounds_without_repeat(groups, size, missing, rounds, chance);
        found.iter_mut().for_each(|round| into_rooms(round, sizes));
        return with_names(found, BTreeMap::new(), rules, chance);
    }
    if groups == sizes.len() {
        let found = rounds_with_hosts(groups, size, missing, rounds, chance);
        let pinned = |person| Some((rules.pin(person).filter(|it| *it < groups)?, person));
        let hosts = (0..groups * size - missing).filter_map(pinned).collect();
        return with_names(found, hosts, rules, chance);
    }
    Vec::new()
}

/// Puts the groups in rooms of their sizes; of equal ones the first in the first.
fn into_rooms(round: &mut Round, sizes: &[usize]) {
    let mut by_size: BTreeMap<usize, Vec<Vec<usize>>> = BTreeMap::new();
    for group in round.drain(..).rev() {
        by_size.entry(group.len()).or_default().push(group);
    }
    let mut next = |size: &usize| by_size.get_mut(size).and_then(Vec::pop).unwrap_or_default();
    round.extend(sizes.iter().map(&mut next));
}

/// Gives the places of a construction to people: those in `given` (place → person) as told, the
/// others by chance, and then so that apart and tags are kept as far as that goes.
fn with_names(
    mut rounds: Vec<Round>,
    given: BTreeMap<usize, usize>,
    rules: &Rules,
    chance: &mut Chance,
) -> Vec<Round> {
    let people = rounds.first().map_or(0, |round| round.iter().map(Vec::len).sum());
    let taken: Vec<usize> = given.values().copied().collect();
    let mut free = chance.order(people);
    free.retain(|person| !taken.contains(person));
    let mut names: Vec<usize> = Vec::with_capacity(people);
    for place in 0..people {
        names.extend(given.get(&place).copied().or_else(|| free.pop()));
    }
    if rules.weighs_pairs() {
        exchange_names(&rounds, &mut names, &given, rules, chance);
    }
    for group in rounds.iter_mut().flatten() {
        group.iter_mut().for_each(|person| *person = names[*person]);
        group.sort_unstable();
    }
    rounds
}

/// Exchanges two people's places for the whole schedule as long as that costs less: who meets whom
/// changes, that nobody meets twice does not.
fn exchange_names(
    rounds: &[Round],
    names: &mut [usize],
    given: &BTreeMap<usize, usize>,
    rules: &Rules,
    chance: &mut Chance,
) {
    let board = Board::new(names.len(), None, rules);
    let mut meets: Vec<Vec<usize>> = vec![Vec::new(); names.len()];
    let mut looks = 0;
    for (one, other) in rounds.iter().flat_map(pairs) {
        meets[one].push(other);
        meets[other].push(one);
        looks += 2;
    }
    let burden = |names: &[usize], place: usize| -> i64 {
        meets[place].iter().map(|it| board.price(names[place], names[*it], NEXT)).sum()
    };
    for _ in 0..NAMING_LOOKS * names.len() / (4 * looks).max(1) {
        let (one, other) = (chance.below(names.len()), chance.below(names.len()));
        if given.contains_key(&one) || given.contains_key(&other) {
            continue;
        }
        let heavy = burden(names, one);
        if heavy == 0 {
            continue;
        }
        let before = heavy + burden(names, other);
        names.swap(one, other);
        if before < burden(names, one) + burden(names, other) {
            names.swap(one, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::report;
    use super::*;

    #[test]
    fn a_planned_round_without_repeats_is_kept_as_it_is() {
        let sizes = [4, 4, 4, 4, 4];
        let rounds = plan(&sizes, 5, &Rules::default(), 3);
        let mut history = History::new(20);
        for round in rounds {
            assert_eq!(regroup(&sizes, &history, &Rules::default(), Some(&round), 9), round);
            history.record(&round);
        }
    }

    #[test]
    fn whoever_is_pinned_but_not_there_changes_nothing() {
        let mut pins = vec![Some(0), None, Some(1), Some(7)];
        pins.resize(8, None);
        pins.extend([Some(2), Some(2)]); // people 8 and 9 of 8
        let rounds = plan(&[3, 3, 2], 3, &Rules { pins, ..Rules::default() }, 1);
        for round in &rounds {
            assert!(round[0].contains(&0) && round[1].contains(&2));
            let mut everybody = round.concat();
            everybody.sort_unstable();
            assert_eq!(everybody, (0..8).collect::<Vec<_>>());
        }
        assert_eq!(report(&rounds).repeats, 0);
    }

    #[test]
    fn a_room_without_seats_stays_empty() {
        for round in plan(&[0, 3, 0, 3, 2, 0], 2, &Rules::default(), 1) {
            assert_eq!(round.iter().map(Vec::len).collect::<Vec<_>>(), [0, 3, 0, 3, 2, 0]);
        }
    }

    #[test]
    fn a_third_meeting_is_worse_than_two_second_ones() {
        // Of three ways to part four people, one repeats two pairs who have met twice, the others
        // two pairs each who have met once.
        let mut history = History::new(4);
        for pair in [[0, 1], [0, 1], [2, 3], [2, 3], [0, 2], [1, 3], [0, 3], [1, 2]] {
            history.record(&vec![pair.to_vec()]);
        }
        for seed in 0..20 {
            let round = regroup(&[2, 2], &history, &Rules::default(), None, seed);
            assert!(!round.contains(&vec![0, 1]));
        }
    }

    #[test]
    fn more_steps_are_never_worse_here() {
        let sizes = [5; 8];
        let mut history = History::new(40);
        for round in plan(&sizes, 10, &Rules::default(), 1) {
            history.record(&round);
        }
        let repeats = |times| {
            history.repeats_of(&regroup_harder(&sizes, &history, &Rules::default(), None, 1, times))
        };
        assert!(repeats(20) <= repeats(1));
    }
}
