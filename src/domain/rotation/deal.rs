//! Who reads which card next, for 25/10 crowd sourcing. Knows numbers of people and cards; not what
//! is written on them.

use std::collections::{BTreeSet, VecDeque};

use super::Chance;

/// One card for each of `holders`, in their order: card `i` was written by person `i`.
///
/// Nobody gets their own card or one they have held (`held`: person, card), and no card goes to two.
/// As many get a card as is possible at all, and the cards dealt have, together, the fewest ratings
/// (`rated`, by card; 0 beyond its end) that so many cards can have; `seed` decides among equals.
/// `None` for whoever no card is left for.
///
/// While nobody comes or goes, everybody gets a card for `people − 1` rounds: each round everybody
/// may still be dealt equally many cards and each card go to equally many people, and such a graph
/// has a perfect matching (Kőnig, 1916). At most some 1,000 people and cards: `holders × cards` bytes
/// are taken, and the time grows with the cube in the very worst case.
pub fn deal(
    cards: usize,
    holders: &[usize],
    held: &BTreeSet<(usize, usize)>,
    rated: &[u16],
    seed: u64,
) -> Vec<Option<usize>> {
    let mut chance = Chance::new(seed);
    let mut dealing = Dealing::new(cards, holders, held);
    let mut order = chance.order(cards);
    order.sort_by_key(|card| rated.get(*card).copied().unwrap_or_default());
    let mut seats = chance.order(holders.len());
    // Cards that can be dealt at the same time form a matroid, so taking them greedily, the least
    // rated first, and never giving one up again, is best (Edmonds, 1971).
    for card in order {
        if dealing.dealt == holders.len() {
            break;
        }
        chance.shuffle(&mut seats);
        dealing.find_a_holder(card, &seats);
    }
    dealing.card_of
}

struct Dealing {
    seats: usize,
    dealt: usize,
    /// By card, then by place in `holders`.
    allowed: Vec<bool>,
    /// By place in `holders`.
    card_of: Vec<Option<usize>>,
}

impl Dealing {
    fn new(cards: usize, holders: &[usize], held: &BTreeSet<(usize, usize)>) -> Self {
        let may = |card: usize, person: usize| card != person && !held.contains(&(person, card));
        let allowed = (0..cards)
            .flat_map(|card| holders.iter().map(move |person| may(card, *person)))
            .collect();
        Self { seats: holders.len(), dealt: 0, allowed, card_of: vec![None; holders.len()] }
    }

    /// Looks for the shortest chain "card to this holder, whose card goes to that one, … to somebody
    /// who has none", and passes the cards along it.
    fn find_a_holder(&mut self, card: usize, seats: &[usize]) {
        let mut came_from: Vec<Option<usize>> = vec![None; self.seats];
        let mut offered = VecDeque::from([card]);
        while let Some(card) = offered.pop_front() {
            for seat in seats.iter().copied() {
                if came_from[seat].is_some() || !self.allowed[card * self.seats + seat] {
                    continue;
                }
                came_from[seat] = Some(card);
                match self.card_of[seat] {
                    Some(given_up) => offered.push_back(given_up),
                    None => return self.pass_along(seat, &came_from),
                }
            }
        }
    }

    fn pass_along(&mut self, free: usize, came_from: &[Option<usize>]) {
        self.dealt += 1;
        let mut seat = free;
        while let Some(card) = came_from[seat] {
            let before = self.card_of.iter().position(|it| *it == Some(card));
            self.card_of[seat] = Some(card);
            match before {
                Some(before) => seat = before,
                None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_rounds_give_every_card_five_readers() {
        for people in [6, 7, 10, 31] {
            let everybody: Vec<usize> = (0..people).collect();
            let (mut held, mut rated) = (BTreeSet::new(), vec![0; people]);
            for round in 0..5 {
                let dealt = deal(people, &everybody, &held, &rated, round);
                for (person, card) in dealt.into_iter().enumerate() {
                    let card = card.expect("there is a card for everybody");
                    assert_ne!(card, person);
                    assert!(held.insert((person, card)), "{people} people, round {round}");
                    rated[card] += 1;
                }
            }
            assert_eq!(rated, vec![5; people]);
        }
    }

    #[test]
    fn cards_with_few_ratings_go_first() {
        let dealt = deal(6, &[0, 1], &BTreeSet::new(), &[5, 5, 5, 0, 5, 1], 1);
        assert_eq!(dealt.into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([Some(3), Some(5)]));
    }

    #[test]
    fn a_card_is_passed_on_so_that_nobody_goes_without() {
        // 0 can only have card 2, which 1 would be dealt as gladly as card 0.
        for seed in 0..20 {
            let dealt = deal(3, &[1, 0], &BTreeSet::from([(0, 1)]), &[3, 3, 0], seed);
            assert_eq!(dealt, [Some(0), Some(2)]);
        }
    }

    #[test]
    fn where_no_card_is_left_none_is_dealt() {
        assert_eq!(deal(1, &[0], &BTreeSet::new(), &[], 0), [None]);
        assert_eq!(deal(0, &[4, 5], &BTreeSet::new(), &[], 0), [None, None]);
        assert!(deal(3, &[], &BTreeSet::new(), &[], 0).is_empty());
        let dealt = deal(1, &[7, 8], &BTreeSet::new(), &[], 0);
        assert_eq!(dealt.iter().flatten().count(), 1);
    }
}
