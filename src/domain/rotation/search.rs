//! Local search over rounds: exchanges people between groups of one round as long as the whole gets
//! better, and sometimes when it does not. Counts its effort in steps, never in time.

use super::{Chance, History, Rules, history::pairs};

/// What a repeat costs; a shared tag costs 1, so that no exchange ever buys tags with a repeat.
const REPEAT: i64 = 1 << 12;
/// What sitting together costs two who are to be apart: more than all repeats there can be.
const APART: i32 = 1 << 30;
/// Warmth at the start and at the end of a search: a way out of a corner may cost one repeat now and
/// then, and later hardly ever. Tried out on plans that no construction has.
const WARM: i64 = REPEAT / 5;
const COOL: i64 = REPEAT / 16;
/// As often as anybody is remembered to have met anybody.
const MET_MAX: u16 = 10_000;

/// Rounds being worked at, and how often each two people have met in them and before.
pub(super) struct Board {
    people: usize,
    /// `people × people`, both halves, so that the innermost loop need not sort two numbers.
    met: Vec<u16>,
    /// Likewise: what one more meeting would cost, and what the last one does.
    prices: Vec<[i32; 2]>,
    bundle_of: Vec<usize>,
    /// By person: their bundle, if it has more people than them.
    mates: Vec<Vec<usize>>,
    bundled: bool,
    locked: Vec<bool>,
    rounds: Vec<Seating>,
    /// What all repeats, tags and broken wishes cost. Those bound together cost nothing.
    cost: i64,
}

pub(super) const NEXT: usize = 0;
const LAST: usize = 1;

#[derive(Clone, Default)]
struct Seating {
    group_of: Vec<usize>,
    groups: Vec<Vec<usize>>,
}

/// People of one group who change places with as many of another, in one round.
struct Exchange {
    round: usize,
    these: Vec<usize>,
    those: Vec<usize>,
    /// How much more everything costs afterwards.
    worse: i64,
}

impl Board {
    pub(super) fn new(people: usize, history: Option<&History>, rules: &Rules) -> Self {
        let bundles = rules.bundles(people);
        let mut bundle_of = vec![0; people];
        let mut mates = vec![Vec::new(); people];
        let mut locked = vec![false; people];
        for (number, bundle) in bundles.iter().enumerate() {
            for person in bundle {
                bundle_of[*person] = number;
                locked[*person] = bundle.iter().any(|it| rules.pin(*it).is_some());
                if 1 < bundle.len() {
                    mates[*person].clone_from(bundle);
                }
            }
        }
        let mut board = Self {
            people,
            met: vec![0; people * people],
            prices: vec![[0; 2]; people * people],
            bundled: bundles.len() < people,
            bundle_of,
            mates,
            locked,
            rounds: Vec::new(),
            cost: 0,
        };
        if rules.weighs_pairs() {
            board.weigh_pairs(rules);
        }
        if let Some(history) = history {
            board.remember(history);
        }
        board
    }

    fn weigh_pairs(&mut self, rules: &Rules) {
        for one in 0..self.people {
            for other in 0..one {
                // Never as much as a repeat, however many there are.
                let shared = rules.shared_tags(one, other).min(REPEAT as usize / 64);
                self.set_extra(one, other, shared as i32);
            }
        }
        for (one, other) in &rules.apart {
            if *one != *other && *one < self.people && *other < self.people {
                self.set_extra(*one, *other, APART);
            }
        }
    }

    fn set_extra(&mut self, one: usize, other: usize, extra: i32) {
        if self.bundle_of[one] != self.bundle_of[other] {
            self.prices[one * self.people + other] = [extra; 2];
            self.prices[other * self.people + one] = [extra; 2];
        }
    }

    fn remember(&mut self, history: &History) {
        for high in 0..self.people {
            for low in 0..high {
                let times = history.met(low, high);
                if 0 < times {
                    self.meet(low, high, times.min(MET_MAX) as i16);
                }
            }
        }
    }

    /// Takes in one more round, in which everybody is in exactly one group.
    pub(super) fn push(&mut self, groups: Vec<Vec<usize>>) {
        for (one, other) in pairs(&groups) {
            self.cost += self.price(one, other, NEXT);
            self.meet(one, other, 1);
        }
        let mut group_of = vec![0; self.people];
        for (number, group) in groups.iter().enumerate() {
            for person in group {
                group_of[*person] = number;
            }
        }
        self.rounds.push(Seating { group_of, groups });
    }

    pub(super) fn cost(&self) -> i64 {
        self.cost
    }

    pub(super) fn len(&self) -> usize {
        self.rounds.len()
    }

    /// The rounds in the order they came, each group sorted.
    pub(super) fn into_rounds(self) -> Vec<Vec<Vec<usize>>> {
        let mut rounds: Vec<_> = self.rounds.into_iter().map(|it| it.groups).collect();
        rounds.iter_mut().flatten().for_each(|group| group.sort_unstable());
        rounds
    }

    /// Makes the rounds from number `from` on better, in at most `steps` tries. Ends with the best
    /// found, which is never worse than what was there.
    pub(super) fn improve(&mut self, from: usize, steps: usize, chance: &mut Chance) {
        let mut since_best: Vec<Exchange> = Vec::new();
        let mut best = self.cost;
        let mut hot = Hot::default();
        let slow = self.rounds.len().saturating_sub(from) * self.people;
        for step in 0..steps {
            if self.cost == 0 {
                break;
            }
            if hot.is_stale(slow) && !hot.refill(self, from) {
                break;
            }
            let Some((round, person)) = hot.draw(self, chance) else { continue };
            let warmth = WARM - (WARM - COOL) * step as i64 / steps as i64;
            let allowed = chance.allowance(warmth);
            let Some(exchange) = self.propose(round, person, allowed, chance) else { continue };
            self.perform(&exchange);
            self.cost += exchange.worse;
            hot.touch(self, &exchange);
            since_best.push(exchange);
            if self.cost < best {
                best = self.cost;
                since_best.clear();
            }
        }
        self.undo(since_best, best);
    }

    fn undo(&mut self, exchanges: Vec<Exchange>, cost: i64) {
        for Exchange { round, these, those, worse } in exchanges.into_iter().rev() {
            self.perform(&Exchange { round, these: those, those: these, worse: -worse });
        }
        self.cost = cost;
    }

    /// Somebody with whom the person (and whoever is bound to them) might change places at no more
    /// than the `allowed` additional cost.
    fn propose(
        &self,
        round: usize,
        person: usize,
        allowed: i64,
        chance: &mut Chance,
    ) -> Option<Exchange> {
        let other = chance.below(self.people);
        let seating = &self.rounds[round];
        if self.locked[other] || seating.group_of[other] == seating.group_of[person] {
            return None;
        }
        if !self.bundled {
            let worse = self.worsening(seating, &[person], &[other]);
            return (worse <= allowed).then(|| Exchange {
                round,
                these: vec![person],
                those: vec![other],
                worse,
            });
        }
        let mut these = self.bound_to(person, seating);
        let mut those = self.bound_to(other, seating);
        let size = these.len().max(those.len());
        let fits = self.fill(&mut these, size, seating, chance)
            && self.fill(&mut those, size, seating, chance);
        let worse = if fits { self.worsening(seating, &these, &those) } else { i64::MAX };
        (worse <= allowed).then_some(Exchange { round, these, those, worse })
    }

    /// The person and those of their bundle who are in the same group.
    fn bound_to(&self, person: usize, seating: &Seating) -> Vec<usize> {
        let here = |it: &&usize| seating.group_of[**it] == seating.group_of[person];
        match self.mates[person].as_slice() {
            [] => vec![person],
            mates => mates.iter().filter(here).copied().collect(),
        }
    }

    /// Adds whole bundles of the same group until there are `size` people; false when none fits.
    fn fill(
        &self,
        some: &mut Vec<usize>,
        size: usize,
        seating: &Seating,
        chance: &mut Chance,
    ) -> bool {
        let group = &seating.groups[seating.group_of[some[0]]];
        let first = chance.below(group.len());
        for at in 0..group.len() {
            if some.len() == size {
                break;
            }
            let more = group[(first + at) % group.len()];
            if self.locked[more] || some.contains(&more) {
                continue;
            }
            let more = self.bound_to(more, seating);
            if some.len() + more.len() <= size {
                some.extend(more);
            }
        }
        some.len() == size
    }

    /// How much more everything would cost if `these` and `those` changed places.
    fn worsening(&self, seating: &Seating, these: &[usize], those: &[usize]) -> i64 {
        let here = &seating.groups[seating.group_of[these[0]]];
        let there = &seating.groups[seating.group_of[those[0]]];
        let mut worse = 0;
        for (some, others, from, to) in [(these, those, here, there), (those, these, there, here)] {
            for person in some {
                for mate in from.iter().filter(|it| !some.contains(it)) {
                    worse -= self.price(*person, *mate, LAST);
                }
                for mate in to.iter().filter(|it| !others.contains(it)) {
                    worse += self.price(*person, *mate, NEXT);
                }
            }
        }
        worse
    }

    fn perform(&mut self, exchange: &Exchange) {
        let Exchange { round, these, those, .. } = exchange;
        let mut seating = std::mem::take(&mut self.rounds[*round]);
        let (here, there) = (seating.group_of[these[0]], seating.group_of[those[0]]);
        for (some, from, to) in [(these, here, there), (those, there, here)] {
            for person in some {
                for other in seating.groups[from].iter().filter(|it| !some.contains(it)) {
                    self.meet(*person, *other, -1);
                }
                seating.group_of[*person] = to;
            }
        }
        seating.groups[here].retain(|it| !these.contains(it));
        seating.groups[there].retain(|it| !those.contains(it));
        for (some, to) in [(these, there), (those, here)] {
            for person in some {
                for other in &seating.groups[to] {
                    self.meet(*person, *other, 1);
                }
            }
        }
        seating.groups[there].extend(these);
        seating.groups[here].extend(those);
        self.rounds[*round] = seating;
    }

    /// What the [`NEXT`] meeting of the two would cost, or the [`LAST`] one does. On a board without
    /// rounds or history: what only the host's wishes make it cost.
    pub(super) fn price(&self, one: usize, other: usize, which: usize) -> i64 {
        i64::from(self.prices[one * self.people + other][which])
    }

    fn meet(&mut self, one: usize, other: usize, change: i16) {
        let at = one * self.people + other;
        let (before, after) = (self.met[at], self.met[at].saturating_add_signed(change));
        let mut price = self.prices[at];
        if self.bundle_of[one] != self.bundle_of[other] {
            let wishes = price[NEXT] - repeat(before);
            price = [wishes + repeat(after), wishes + repeat(after.saturating_sub(1))];
        }
        for at in [at, other * self.people + one] {
            self.met[at] = after;
            self.prices[at] = price;
        }
    }

    /// Whether the person, in this round, sits with somebody they would better not sit with.
    fn is_unhappy(&self, round: usize, person: usize) -> bool {
        let seating = &self.rounds[round];
        let group = &seating.groups[seating.group_of[person]];
        group.iter().any(|it| *it != person && 0 < self.price(person, *it, LAST))
    }
}

/// What a meeting costs two who have met before so often.
fn repeat(before: u16) -> i32 {
    ((1 << before.min(8)) - 1) * REPEAT as i32
}

/// Who is unhappy in which round: only they are worth moving.
#[derive(Default)]
struct Hot {
    places: Vec<(usize, usize)>,
    /// Steps since the list was last made anew.
    age: usize,
}

impl Hot {
    /// The list is kept up only near each exchange, so it is made anew when it runs out or when as
    /// many steps have gone by as making it takes.
    fn is_stale(&mut self, slow: usize) -> bool {
        self.age += 1;
        self.places.is_empty() || slow < self.age
    }

    /// False when nobody who can be moved is unhappy.
    fn refill(&mut self, board: &Board, from: usize) -> bool {
        self.age = 0;
        self.places.clear();
        for round in from..board.rounds.len() {
            let unhappy = |it: &usize| !board.locked[*it] && board.is_unhappy(round, *it);
            self.places.extend((0..board.people).filter(unhappy).map(|it| (round, it)));
        }
        !self.places.is_empty()
    }

    fn draw(&mut self, board: &Board, chance: &mut Chance) -> Option<(usize, usize)> {
        let at = chance.below(self.places.len());
        let (round, person) = *self.places.get(at)?;
        if board.is_unhappy(round, person) {
            return Some((round, person));
        }
        self.places.swap_remove(at);
        None
    }

    /// Looks anew at the two groups that have changed.
    fn touch(&mut self, board: &Board, exchange: &Exchange) {
        let seating = &board.rounds[exchange.round];
        for mover in [exchange.these[0], exchange.those[0]] {
            for person in &seating.groups[seating.group_of[mover]] {
                if !board.locked[*person] && board.is_unhappy(exchange.round, *person) {
                    self.places.push((exchange.round, *person));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the board says its rounds cost, by counting.
    fn counted(board: &Board, history: &History, rules: &Rules) -> i64 {
        let mut met = vec![0; board.people * board.people];
        let mut cost = 0;
        for (one, other) in board.rounds.iter().flat_map(|it| pairs(&it.groups)) {
            if board.bundle_of[one] == board.bundle_of[other] {
                continue;
            }
            let at = one.max(other) * board.people + one.min(other);
            cost += i64::from(repeat(history.met(one, other) + met[at]));
            met[at] += 1;
            cost += if rules.are_apart(one, other) {
                i64::from(APART)
            } else {
                rules.shared_tags(one, other) as i64
            };
        }
        cost
    }

    fn halves(people: usize) -> Vec<Vec<usize>> {
        vec![(0..people / 2).collect(), (people / 2..people).collect()]
    }

    #[test]
    fn the_cost_is_what_counting_says() {
        let rules = Rules {
            pins: vec![Some(1), None, Some(1)],
            apart: vec![(3, 4), (5, 5), (2, 99)],
            together: vec![(6, 7)],
            tags: (0..12).map(|it| vec![it % 3, it % 2]).collect(),
        };
        let mut history = History::new(12);
        history.record(&halves(12));
        history.record(&halves(12));
        let mut board = Board::new(12, Some(&history), &rules);
        for _ in 0..4 {
            board.push(halves(12));
        }
        assert_eq!(board.cost, counted(&board, &history, &rules));
        for seed in 0..20 {
            board.improve(1, 500, &mut Chance::new(seed));
            assert_eq!(board.cost, counted(&board, &history, &rules));
        }
    }

    #[test]
    fn rounds_before_the_first_stay_as_they_are() {
        for seed in 0..20 {
            let mut board = Board::new(12, None, &Rules::default());
            (0..3).for_each(|_| board.push(halves(12)));
            board.improve(1, 200, &mut Chance::new(seed));
            let rounds = board.into_rounds();
            assert_eq!(rounds[0], halves(12));
            assert_ne!(rounds[1], rounds[2]);
        }
    }

    #[test]
    fn bundles_and_pins_stay() {
        let rules = Rules {
            pins: vec![Some(0), None, None, None, None, None, Some(1)],
            together: vec![(1, 2), (7, 8), (8, 9)],
            ..Rules::default()
        };
        let mut board = Board::new(12, None, &rules);
        (0..5).for_each(|_| board.push(halves(12)));
        board.improve(0, 2_000, &mut Chance::new(1));
        for round in board.into_rounds() {
            assert!(round[0].contains(&0) && round[1].contains(&6));
            for group in round {
                assert_eq!(group.contains(&1), group.contains(&2));
                assert_eq!(group.contains(&7), group.contains(&8));
                assert_eq!(group.contains(&7), group.contains(&9));
            }
        }
    }

    #[test]
    fn it_never_ends_worse_than_it_began() {
        let mut board = Board::new(12, None, &Rules::default());
        for _ in 0..7 {
            board.push((0..4).map(|group| (3 * group..3 * group + 3).collect()).collect());
        }
        let mut before = board.cost;
        for seed in 0..500 {
            board.improve(0, 30, &mut Chance::new(seed));
            assert!(board.cost <= before);
            before = board.cost;
        }
        assert!(0 < before, "with nothing left to better, nothing could have got worse");
    }

    #[test]
    fn a_third_meeting_costs_more_than_a_second_and_no_tags_buy_one() {
        assert_eq!(repeat(0), 0);
        assert!(2 * repeat(1) < repeat(2));
        let rules = Rules { tags: vec![vec![7; 5_000]; 2], ..Rules::default() };
        let board = Board::new(2, None, &rules);
        assert!(16 * board.price(0, 1, NEXT) < i64::from(repeat(1)));
        assert!(1_000 * i64::from(repeat(9)) < i64::from(APART));
    }
}
