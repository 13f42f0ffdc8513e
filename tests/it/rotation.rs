//! The rotation seen from outside: what holds whatever is asked of it.

use std::collections::BTreeSet;

use proptest::{collection::vec, prelude::*};
use vuoro::domain::rotation::*;

/// Whether the groups have these sizes, are sorted, and seat everybody once.
fn seats_everybody(round: &Round, sizes: &[usize]) -> bool {
    let mut everybody = round.concat();
    everybody.sort_unstable();
    round.iter().map(Vec::len).eq(sizes.iter().copied())
        && round.iter().all(|group| group.is_sorted())
        && everybody.into_iter().eq(0..sizes.iter().sum())
}

fn shares(round: &Round, one: usize, other: usize) -> bool {
    round.iter().any(|group| group.contains(&one) && group.contains(&other))
}

fn repeats(rounds: &[Round]) -> usize {
    report(rounds).repeats
}

prop_compose! {
    fn any_sizes()(sizes in vec(0_usize..7, 0..12)) -> Vec<usize> { sizes }
}

prop_compose! {
    fn any_rules()(
        pins in vec(proptest::option::of(0_usize..9), 0..20),
        apart in vec((0_usize..50, 0_usize..50), 0..6),
        together in vec((0_usize..50, 0_usize..50), 0..4),
        tags in vec(vec(0_u16..4, 0..3), 0..50),
    ) -> Rules {
        Rules { pins, apart, together, tags }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_round_seats_everybody_once(
        sizes in any_sizes(), rounds in 0_usize..7, rules in any_rules(), seed: u64,
    ) {
        let found = plan(&sizes, rounds, &rules, seed);
        prop_assert_eq!(found.len(), rounds);
        for round in &found {
            let lengths: Vec<usize> = round.iter().map(Vec::len).collect();
            let (mut wandering, mut asked) = (lengths.clone(), sizes.clone());
            wandering.sort_unstable();
            asked.sort_unstable();
            prop_assert_eq!(wandering, asked);
            let pinned = rules.pins.iter().any(Option::is_some);
            let expected = if pinned { &lengths } else { &sizes };
            prop_assert!(seats_everybody(round, expected));
        }
        prop_assert_eq!(found, plan(&sizes, rounds, &rules, seed));
    }

    #[test]
    fn regrouping_seats_everybody_and_repairs_any_proposal(
        sizes in any_sizes(), rules in any_rules(), seed: u64,
        start in vec(vec(0_usize..60, 0..9), 0..14),
    ) {
        let history = History::new(sizes.iter().sum());
        let round = regroup(&sizes, &history, &rules, Some(&start), seed);
        prop_assert!(seats_everybody(&round, &sizes));
        prop_assert_eq!(round, regroup(&sizes, &history, &rules, Some(&start), seed));
    }

    #[test]
    fn uneven_groups_do_not_meet_again_up_to_half_of_the_bound(
        people in 2_usize..260, size in 3_usize..7, larger: bool, seed: u64,
    ) {
        let sizes = if larger {
            sizes(people, size, size, size + 1)
        } else {
            sizes(people, size, size - 1, size)
        };
        let rounds = (people - 1) / (sizes[0] - 1).max(1) / 2;
        // Five people cannot all go to new groups when there are four.
        prop_assume!(rounds < 2 || sizes[0] <= sizes.len());
        let found = plan(&sizes, rounds, &Rules::default(), seed);
        prop_assert!(found.iter().all(|round| seats_everybody(round, &sizes)));
        prop_assert_eq!(repeats(&found), 0, "{:?}, {} rounds", sizes, rounds);
    }

    #[test]
    fn pins_and_bonds_hold_where_they_can(
        groups in 3_usize..9, size in 4_usize..6, rounds in 1_usize..5, seed: u64,
    ) {
        let sizes = vec![size; groups];
        let people = groups * size;
        let rules = Rules {
            pins: vec![Some(2), None, Some(0)],
            together: vec![(3, 4), (5, 6)],
            apart: vec![(0, 3), (7, 8), (8, 9)],
            ..Rules::default()
        };
        let planned = plan(&sizes, rounds, &rules, seed);
        let mut history = History::new(people);
        planned.iter().for_each(|round| history.record(round));
        let more = regroup(&sizes, &history, &rules, planned.last(), seed);
        for round in planned.iter().chain([&more]) {
            prop_assert!(round[2].contains(&0) && round[0].contains(&2));
            prop_assert!(shares(round, 3, 4) && shares(round, 5, 6));
            prop_assert!(!shares(round, 0, 3) && !shares(round, 7, 8) && !shares(round, 8, 9));
        }
    }

    #[test]
    fn hosts_stay_and_travellers_never_come_back(
        tables in 4_usize..13, size in 3_usize..6, missing in 0_usize..4, seed: u64,
    ) {
        prop_assume!(missing < tables && size <= tables);
        let people = tables * size - missing;
        let sizes: Vec<usize> =
            (0..tables).map(|table| size - usize::from(tables - missing <= table)).collect();
        let host = |table: usize| (3 * table + 1) % people;
        let hosts: BTreeSet<usize> = (0..tables).map(host).collect();
        prop_assume!(hosts.len() == tables);
        let mut pins = vec![None; people];
        (0..tables).for_each(|table| pins[host(table)] = Some(table));
        let rounds = plan(&sizes, tables / 2, &Rules { pins, ..Rules::default() }, seed);
        for round in &rounds {
            prop_assert!((0..tables).all(|table| round[table].contains(&host(table))));
        }
        prop_assert_eq!(repeats(&rounds), 0);
    }

    #[test]
    fn regrouping_is_never_worse_than_the_proposal(
        rounds in 1_usize..9, seed: u64, proposal_seed: u64,
    ) {
        let sizes = [5, 5, 5, 5];
        let mut history = History::new(20);
        for past in plan(&sizes, rounds, &Rules::default(), seed) {
            history.record(&past);
        }
        // A good one: from a poor one it would hardly be possible to get worse.
        let proposal = regroup(&sizes, &history, &Rules::default(), None, proposal_seed);
        let price = |round: &Round| -> u64 {
            let of = |group: &Vec<usize>| -> u64 {
                let pairs = (0..group.len()).flat_map(|at| (0..at).map(move |it| (it, at)));
                pairs.map(|(one, other)| (1 << history.met(group[one], group[other])) - 1).sum()
            };
            round.iter().map(of).sum()
        };
        let found = regroup(&sizes, &history, &Rules::default(), Some(&proposal), seed);
        prop_assert!(price(&found) <= price(&proposal));
    }

    #[test]
    fn room_sizes_differ_by_one_at_most(
        people in 0_usize..200, size in 0_usize..10, min in 0_usize..9, max in 0_usize..12,
    ) {
        let found = sizes(people, size, min, max);
        prop_assert_eq!(found.iter().sum::<usize>(), people);
        if let (Some(largest), Some(smallest)) = (found.first(), found.last()) {
            prop_assert!(largest - smallest <= 1 && found.is_sorted_by(|one, other| one >= other));
            prop_assert!(2 <= *smallest || people == 1);
            let (min, max) = (min.max(2), max.max(min).max(2));
            let inside = min <= *smallest && *largest <= max;
            let possible = (1..=people).any(|rooms| {
                min <= people / rooms && people.div_ceil(rooms) <= max
            });
            prop_assert_eq!(inside, possible, "{:?}", found);
        }
    }

    #[test]
    fn merging_keeps_old_groups_whole(
        lengths in vec(0_usize..5, 0..10), size in 2_usize..7, min in 0_usize..4,
    ) {
        let mut next = 0..;
        let groups: Vec<Vec<usize>> =
            lengths.iter().map(|length| next.by_ref().take(*length).collect()).collect();
        let merged = merge(&groups, size, min, size + 2);
        let mut everybody = merged.concat();
        everybody.sort_unstable();
        prop_assert!(everybody.into_iter().eq(0..lengths.iter().sum()));
        for group in groups.iter().filter(|it| !it.is_empty()) {
            prop_assert!(merged.iter().any(|it| group.iter().all(|person| it.contains(person))));
        }
        prop_assert!(merged.len() <= 1 || merged.iter().all(|it| min <= it.len()));
    }

    #[test]
    fn who_comes_late_gets_a_seat_while_there_is_one(
        groups in vec(vec(0_usize..30, 0..6), 0..6), max in 0_usize..7, rules in any_rules(),
    ) {
        match place_late(&groups, 40, &History::new(41), &rules, max) {
            Some(group) => prop_assert!(groups[group].len() < max),
            None => prop_assert!(groups.iter().all(|it| max <= it.len())),
        }
    }

    #[test]
    fn cards_are_dealt_to_as_many_as_is_possible(
        cards in 0_usize..7, holders in proptest::collection::btree_set(0_usize..9, 0..7),
        held in proptest::collection::btree_set((0_usize..9, 0_usize..7), 0..30),
        rated in vec(0_u16..4, 0..7), seed: u64,
    ) {
        let holders: Vec<usize> = holders.into_iter().collect();
        let dealt = deal(cards, &holders, &held, &rated, seed);
        prop_assert_eq!(dealt.len(), holders.len());
        let different: BTreeSet<usize> = dealt.iter().copied().flatten().collect();
        prop_assert_eq!(different.len(), dealt.iter().flatten().count());
        for (person, card) in holders.iter().zip(&dealt) {
            if let Some(card) = card {
                prop_assert!(*card < cards && card != person && !held.contains(&(*person, *card)));
            }
        }
        let ratings = different.iter().map(|it| rated.get(*it).map_or(0, |it| u32::from(*it))).sum();
        let best = best_deal(cards, &holders, &held, &rated, &mut BTreeSet::new());
        prop_assert_eq!((different.len(), ratings), best);
    }
}

/// The most that can be dealt and the fewest ratings then, by trying everything.
fn best_deal(
    cards: usize,
    holders: &[usize],
    held: &BTreeSet<(usize, usize)>,
    rated: &[u16],
    gone: &mut BTreeSet<usize>,
) -> (usize, u32) {
    let Some((person, others)) = holders.split_first() else { return (0, 0) };
    let mut best = best_deal(cards, others, held, rated, gone);
    for card in 0..cards {
        if card == *person || held.contains(&(*person, card)) || !gone.insert(card) {
            continue;
        }
        let (dealt, ratings) = best_deal(cards, others, held, rated, gone);
        gone.remove(&card);
        let with = (dealt + 1, ratings + rated.get(card).map_or(0, |it| u32::from(*it)));
        if (best.0, with.1) < (with.0, best.1) || (best.0 == with.0 && with.1 < best.1) {
            best = with;
        }
    }
    best
}

/// Groups, size and rounds of OEIS A107431, and more that are known: each to be had without a repeat.
#[test]
fn the_classics_are_kept() {
    let table = [
        (2, 2, 3),
        (3, 2, 5),
        (4, 2, 7),
        (5, 2, 9),
        (6, 2, 11),
        (7, 2, 13),
        (3, 3, 4),
        (4, 3, 4),
        (5, 3, 7),
        (6, 3, 8),
        (7, 3, 10),
        (4, 4, 5),
        (5, 4, 5),
        (6, 4, 7),
        (7, 4, 9),
        (5, 5, 6),
        (6, 5, 6),
        (7, 5, 7),
        (6, 6, 3),
        (7, 7, 8),
        (8, 4, 10),
        (60, 5, 72),
    ];
    for (groups, size, rounds) in table {
        let sizes = vec![size; groups];
        let found = plan(&sizes, rounds, &Rules::default(), 5);
        assert_eq!(found.len(), rounds);
        assert!(found.iter().all(|round| seats_everybody(round, &sizes)));
        assert_eq!(repeats(&found), 0, "{groups} groups of {size}, {rounds} rounds");
    }
}

#[test]
fn tags_part_people_without_costing_a_repeat() {
    let sizes = vec![4; 10];
    let tags: Vec<Vec<u16>> = (0..40).map(|person| vec![person / 10 + 1]).collect();
    let shared = |rounds: &[Round]| -> usize {
        let of = |group: &Vec<usize>| {
            let pairs = (0..group.len()).flat_map(|at| (0..at).map(move |it| (it, at)));
            pairs.filter(|(one, other)| group[*one] / 10 == group[*other] / 10).count()
        };
        rounds.iter().flatten().map(of).sum()
    };
    let free = plan(&sizes, 6, &Rules::default(), 1);
    let parted = plan(&sizes, 6, &Rules { tags, ..Rules::default() }, 1);
    assert_eq!(repeats(&parted), 0);
    assert!(4 * shared(&parted) < shared(&free), "{} of {}", shared(&parted), shared(&free));
}

#[test]
fn no_argument_is_too_strange() {
    let rules = Rules {
        pins: vec![Some(usize::MAX), Some(0), Some(0)],
        apart: vec![(0, 1), (1, 2), (0, 2), (4, usize::MAX)],
        together: vec![(0, 1), (usize::MAX, 2), (3, 3)],
        tags: vec![vec![], vec![1], vec![1, 2]],
    };
    for sizes in [&[][..], &[0], &[1], &[2], &[0, 0, 3], &[1, 1, 1, 1], &[7, 1], &[3, 3, 3]] {
        let people = sizes.iter().sum();
        assert_eq!(plan(sizes, 3, &rules, 1).len(), 3);
        let strange = vec![vec![usize::MAX, 0, 0], vec![0]];
        let history = History::new(people);
        let round = regroup(sizes, &history, &rules, Some(&strange), 1);
        assert!(seats_everybody(&round, sizes));
        // A history of other people than these is no harm either.
        assert!(seats_everybody(&regroup(sizes, &History::new(2), &rules, None, 1), sizes));
    }
    assert!(plan(&[usize::MAX, 2], 3, &rules, 1).is_empty());
    assert!(plan(&[PEOPLE_MAX, 1], 3, &rules, 1).is_empty());
    assert!(regroup(&[usize::MAX], &History::new(3), &rules, None, 1).is_empty());
    assert_eq!(plan(&[2, 2], usize::MAX, &rules, 1).len(), ROUNDS_MAX);
}
