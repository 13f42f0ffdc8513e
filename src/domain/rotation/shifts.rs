//! By how many tables each seat moves on: the algebra under rotations in which nobody meets twice.
//! Knows tables and seats; not people.
//!
//! A person of seat `s` who begins at table `y` sits, in round `m`, at table `y + shift(m, s)`, the
//! sum taken in a group of as many elements as there are tables. People of one seat never meet. Two
//! of different seats meet in two rounds only if the difference of their seats' shifts is the same in
//! both. So rows of shifts such that for each two seats all differences differ (a *difference
//! matrix*, where there are as many rows as tables) are rounds without a repeat. Shift 0 for seat 0:
//! who sits there is the host of the table and stays.

use super::{Chance, tables};

/// Steps that a search for shifts may take, for each table, and altogether: some milliseconds.
const SEARCH_STEPS_A_TABLE: usize = 4_000;
const SEARCH_STEPS_MAX: usize = 500_000;

/// A row for each round: the shift of each seat.
pub(super) struct Shifts {
    /// The group is the product of the cyclic groups of these orders; the first is the lowest digit
    /// of an element.
    pub(super) radices: Vec<usize>,
    pub(super) rows: Vec<Vec<usize>>,
}

impl Shifts {
    /// Up to `rounds` rows for so many tables and seats; fewer where more are not known or not found.
    pub(super) fn new(tables: usize, seats: usize, rounds: usize, chance: &mut Chance) -> Self {
        let powers = prime_powers(tables);
        if tables <= 1 || seats <= 1 || tables < seats {
            Self { radices: vec![tables], rows: vec![vec![0; seats]; rounds.min(1)] }
        } else if seats <= smallest(&powers) {
            Self::from_fields(&powers, seats, rounds)
        } else if let Some(known) = tables::difference_matrix(tables, seats, rounds) {
            Self { radices: known.radices, rows: known.rows }
        } else if seats <= 3 {
            Self::nearly_all_of_a_cycle(tables, seats, rounds)
        } else {
            let rows = Search::new(tables, seats).run(rounds, chance);
            Self { radices: vec![tables], rows }
        }
    }

    /// Whether [`Shifts::new`] need not search.
    pub(super) fn are_known(tables: usize, seats: usize) -> bool {
        seats <= smallest(&prime_powers(tables))
            || seats <= 3
            || tables::difference_matrix(tables, seats, 0).is_some()
    }

    /// The multiplication table of a product of finite fields: `shift(m, s) = m·s`. Differences
    /// `m·(s − t)` are all different because `s − t`, in each field, is not 0 (MacNeish, "Euler
    /// squares", 1922). As many rows as tables.
    fn from_fields(powers: &[PrimePower], seats: usize, rounds: usize) -> Self {
        let fields: Vec<Field> = powers.iter().map(|it| Field::new(*it)).collect();
        let tables: usize = powers.iter().map(|it| it.order()).product();
        let shift = |round: usize, seat: usize| {
            let (mut rest, mut place, mut sum) = (round, 1, 0);
            for field in &fields {
                sum += place * field.multiply(rest % field.order, seat);
                rest /= field.order;
                place *= field.order;
            }
            sum
        };
        let rows = (0..rounds.min(tables)).map(|m| (0..seats).map(|s| shift(m, s)).collect());
        let digits = powers.iter().flat_map(|it| vec![it.prime; it.exponent]);
        Self { radices: digits.collect(), rows: rows.collect() }
    }

    /// At most three seats, an even number of tables: all rows but one. Seats 1 and 2 move by `m`
    /// and `2m`, by `m` and `2m + 1` from the middle on: a near-complete mapping of the cyclic
    /// group. (All rows are impossible there: Hall and Paige, 1955.)
    fn nearly_all_of_a_cycle(tables: usize, seats: usize, rounds: usize) -> Self {
        let row = |m: usize| [0, m, (2 * m + usize::from(tables / 2 <= m)) % tables];
        let most = tables - usize::from(2 < seats);
        let rows = (0..rounds.min(most)).map(|m| row(m)[..seats].to_vec()).collect();
        Self { radices: vec![tables], rows }
    }

    /// For each table of a start the table that `shift` leads to.
    pub(super) fn moved(&self, shift: usize) -> Vec<usize> {
        let (mut moved, mut rest, mut place) = (vec![0], shift, 1);
        for radix in &self.radices {
            let digit = rest % radix;
            rest /= radix;
            let turned = |high: usize| (high + digit) % radix * place;
            moved = (0..*radix)
                .flat_map(|high| moved.iter().map(move |low| turned(high) + low))
                .collect();
            place *= radix;
        }
        moved
    }
}

#[derive(Clone, Copy)]
struct PrimePower {
    prime: usize,
    exponent: usize,
}

impl PrimePower {
    fn order(self) -> usize {
        self.prime.pow(self.exponent as u32)
    }
}

fn prime_powers(number: usize) -> Vec<PrimePower> {
    let (mut rest, mut powers) = (number, Vec::new());
    let mut prime = 2;
    while 1 < rest {
        if rest < prime * prime {
            prime = rest;
        }
        let mut exponent = 0;
        while rest % prime == 0 {
            rest /= prime;
            exponent += 1;
        }
        if 0 < exponent {
            powers.push(PrimePower { prime, exponent });
        }
        prime += 1;
    }
    powers
}

fn smallest(powers: &[PrimePower]) -> usize {
    powers.iter().map(|it| it.order()).min().unwrap_or_default()
}

/// A finite field by its logarithms. Elements are polynomials over the prime, written as numbers to
/// the base of the prime: adding is adding digits without carrying.
struct Field {
    order: usize,
    /// Powers of a primitive element, `order − 1` of them.
    powers: Vec<usize>,
    /// Where each element stands among them; unused for 0.
    logarithms: Vec<usize>,
}

impl Field {
    fn new(power: PrimePower) -> Self {
        let order = power.order();
        // The candidates are the lower coefficients of a polynomial (or, for a prime itself, the
        // element to take powers of); about one in `exponent + 3` is primitive.
        let powers = (1..order)
            .map(|candidate| powers_of_x(power, candidate))
            .find(|powers| powers.len() == order - 1)
            .unwrap_or_default();
        let mut logarithms = vec![0; order];
        for (logarithm, element) in powers.iter().enumerate() {
            logarithms[*element] = logarithm;
        }
        Self { order, powers, logarithms }
    }

    fn multiply(&self, one: usize, other: usize) -> usize {
        if one == 0 || other == 0 {
            return 0;
        }
        self.powers[(self.logarithms[one] + self.logarithms[other]) % (self.order - 1)]
    }
}

/// 1, x, x², … until 1 comes again, where `x` to the `exponent` is the polynomial `reduced`.
fn powers_of_x(power: PrimePower, reduced: usize) -> Vec<usize> {
    let PrimePower { prime, exponent } = power;
    let top = prime.pow(exponent as u32 - 1);
    let mut powers = vec![1];
    let mut element = 1;
    loop {
        // x times the element: digits one up, and the topmost times what x^exponent is.
        let overflow = element / top;
        let (mut low, mut high, mut place) = (element % top * prime, reduced, 1);
        let mut next = 0;
        for _ in 0..exponent {
            next += (low % prime + overflow * (high % prime)) % prime * place;
            low /= prime;
            high /= prime;
            place *= prime;
        }
        element = next;
        if element <= 1 || power.order() <= powers.len() {
            return powers; // 1 again, or a polynomial that is no use
        }
        powers.push(element);
    }
}

/// Row after row by trying, over the cyclic group. When no further row fits, one goes in for another
/// (Stinson's hill climbing for triple systems, 1985, with longer rows).
struct Search {
    tables: usize,
    seats: usize,
    rows: Vec<Vec<usize>>,
    /// By pair of seats and difference: 1 + the row which has it, or 0.
    owner: Vec<usize>,
    steps: usize,
}

impl Search {
    fn new(tables: usize, seats: usize) -> Self {
        Self {
            tables,
            seats,
            rows: Vec::new(),
            owner: vec![0; seats * seats * tables],
            steps: SEARCH_STEPS_MAX.min(SEARCH_STEPS_A_TABLE * tables),
        }
    }

    fn run(mut self, rounds: usize, chance: &mut Chance) -> Vec<Vec<usize>> {
        let rounds = rounds.min(self.tables);
        let mut best = Vec::new();
        while best.len() < rounds && 0 < self.steps {
            self.add_a_row(chance);
            if best.len() < self.rows.len() {
                best.clone_from(&self.rows);
            }
        }
        best
    }

    fn add_a_row(&mut self, chance: &mut Chance) {
        let patience = 40 * self.tables;
        for may_push_out in [false, true] {
            let mut row = vec![0; self.seats];
            let mut left = patience.min(self.steps);
            self.steps -= left;
            let found = self.complete(&mut row, 1, 0, may_push_out, &mut left, chance);
            self.steps += left;
            if let Some(pushed_out) = found {
                self.exchange(row, pushed_out);
                return;
            }
        }
    }

    /// Fills the row from `seat` on; `pushed_out` is 1 + the one row it is in conflict with. The
    /// answer likewise.
    fn complete(
        &self,
        row: &mut [usize],
        seat: usize,
        pushed_out: usize,
        may_push_out: bool,
        left: &mut usize,
        chance: &mut Chance,
    ) -> Option<usize> {
        if seat == self.seats {
            return Some(pushed_out);
        }
        let first = chance.below(self.tables);
        for step in 0..self.tables {
            *left = left.checked_sub(1)?;
            row[seat] = (first + step) % self.tables;
            let Some(pushed_out) = self.conflict(row, seat, pushed_out, may_push_out) else {
                continue;
            };
            let found = self.complete(row, seat + 1, pushed_out, may_push_out, left, chance);
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// The one row that would have to go, `None` if there would be two.
    fn conflict(
        &self,
        row: &[usize],
        seat: usize,
        mut pushed_out: usize,
        may_push_out: bool,
    ) -> Option<usize> {
        for before in 0..seat {
            let owner = self.owner[self.place(before, seat, row)];
            if owner != 0 && owner != pushed_out {
                if !may_push_out || pushed_out != 0 {
                    return None;
                }
                pushed_out = owner;
            }
        }
        Some(pushed_out)
    }

    fn exchange(&mut self, row: Vec<usize>, pushed_out: usize) {
        let at = if pushed_out == 0 {
            self.rows.push(row);
            self.rows.len() - 1
        } else {
            let gone = std::mem::replace(&mut self.rows[pushed_out - 1], row);
            self.own(&gone, 0);
            pushed_out - 1
        };
        let row = self.rows[at].clone();
        self.own(&row, at + 1);
    }

    fn own(&mut self, row: &[usize], owner: usize) {
        for seat in 0..self.seats {
            for before in 0..seat {
                let place = self.place(before, seat, row);
                self.owner[place] = owner;
            }
        }
    }

    fn place(&self, before: usize, seat: usize, row: &[usize]) -> usize {
        let difference = (row[seat] + self.tables - row[before]) % self.tables;
        (before * self.seats + seat) * self.tables + difference
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether all differences differ, by the definition and nothing cleverer.
    fn are_different(shifts: &Shifts, seats: usize) -> bool {
        (0..seats).all(|one| {
            (0..one).all(|other| {
                let mut seen = std::collections::BTreeSet::new();
                shifts.rows.iter().all(|row| {
                    // The table from which `one` comes to where `other` of table 0 goes.
                    let target = shifts.moved(row[other])[0];
                    let from = shifts.moved(row[one]).iter().position(|it| *it == target);
                    seen.insert(from)
                })
            })
        })
    }

    #[test]
    fn prime_powers_give_as_many_rounds_as_tables() {
        for tables in [2, 3, 4, 5, 7, 8, 9, 11, 13, 16, 25, 27, 49] {
            let seats = tables.min(6);
            let shifts = Shifts::new(tables, seats, 99, &mut Chance::new(0));
            assert_eq!(shifts.rows.len(), tables);
            assert!(are_different(&shifts, seats), "{tables} tables");
        }
    }

    #[test]
    fn products_do_up_to_their_smallest_factor() {
        for (tables, seats) in [(15, 3), (20, 4), (35, 5), (63, 7), (12, 3)] {
            let shifts = Shifts::new(tables, seats, 99, &mut Chance::new(0));
            assert_eq!(shifts.rows.len(), tables);
            assert!(are_different(&shifts, seats), "{tables} tables");
        }
    }

    #[test]
    fn an_even_cycle_lacks_one_round_only() {
        for tables in [6, 10, 14, 330] {
            let shifts = Shifts::new(tables, 3, 999, &mut Chance::new(0));
            assert_eq!(shifts.rows.len(), tables - 1);
            assert!(are_different(&shifts, 3), "{tables} tables");
        }
    }

    #[test]
    fn other_numbers_of_tables_are_searched() {
        for (tables, seats, rounds) in [(10, 4, 7), (14, 5, 9), (18, 6, 11), (50, 6, 30)] {
            let shifts = Shifts::new(tables, seats, rounds, &mut Chance::new(0));
            assert_eq!(shifts.rows.len(), rounds, "{tables} tables");
            assert!(are_different(&shifts, seats), "{tables} tables");
        }
    }

    #[test]
    fn seat_nought_never_moves() {
        for tables in [6, 8, 12, 20, 60] {
            let shifts = Shifts::new(tables, 4, 9, &mut Chance::new(0));
            assert!(shifts.rows.iter().all(|row| row[0] == 0));
        }
    }

    #[test]
    fn nothing_is_asked_too_much() {
        for (tables, seats) in [(0, 0), (1, 5), (5, 1), (0, 3), (3, 4)] {
            assert!(Shifts::new(tables, seats, 4, &mut Chance::new(0)).rows.len() <= 1);
        }
    }
}
