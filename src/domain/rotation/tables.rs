//! Schedules and matrices that took somebody long to find, written down. Computes nothing but their
//! unfolding.

use super::Round;

/// The orders of a group's cyclic factors, and a row of its elements for each round.
pub(super) struct Matrix {
    pub(super) radices: Vec<usize>,
    pub(super) rows: Vec<Vec<usize>>,
}

/// Rows of shifts for 12 or 60 tables and up to six seats, as many as there are tables.
pub(super) fn difference_matrix(tables: usize, seats: usize, rounds: usize) -> Option<Matrix> {
    let (radices, mut rows) = match (tables, seats) {
        (12, ..=6) => (vec![2, 2, 3], dozen()),
        (60, ..=6) => (vec![2, 30], sixty()),
        _ => return None,
    };
    rows.truncate(rounds);
    for row in &mut rows {
        let host = row[0];
        row.truncate(seats);
        row.iter_mut().for_each(|it| *it = minus(*it, host, &radices));
    }
    Some(Matrix { radices, rows })
}

/// One element less another, digit by digit.
fn minus(one: usize, other: usize, radices: &[usize]) -> usize {
    let (mut one, mut other, mut place, mut difference) = (one, other, 1, 0);
    for radix in radices {
        difference += (one % radix + radix - other % radix) % radix * place;
        (one, other, place) = (one / radix, other / radix, place * radix);
    }
    difference
}

/// By seat from the second on, for rounds 0 to 11: orthomorphisms of Z₂×Z₂×Z₃ each two of which
/// differ everywhere. Found by going through all 16,512; that there are five together was shown by
/// Johnson, Dulmage and Mendelsohn, "Orthomorphisms of groups and orthogonal Latin squares", 1961.
const DOZEN: [[u8; 12]; 5] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    [0, 2, 4, 6, 1, 3, 10, 8, 7, 5, 11, 9],
    [0, 3, 8, 11, 10, 9, 7, 4, 5, 6, 1, 2],
    [0, 4, 11, 1, 8, 6, 2, 9, 3, 7, 5, 10],
    [0, 5, 7, 10, 3, 11, 4, 1, 9, 2, 6, 8],
];

fn dozen() -> Vec<Vec<usize>> {
    let row = |round: usize| DOZEN.iter().map(move |seat| usize::from(seat[round]));
    (0..12).map(|round| std::iter::once(0).chain(row(round)).collect()).collect()
}

/// Elements of Z₂×Z₃₀, from which [`sixty`] makes all rows. From R. J. R. Abel, "Existence of five
/// MOLS of orders 18 and 60", Journal of Combinatorial Designs 23 (2015).
const SIXTY: [[(u8, u8); 6]; 10] = [
    [(0, 0), (1, 10), (1, 22), (1, 24), (0, 17), (1, 14)],
    [(0, 0), (1, 6), (1, 1), (1, 1), (0, 7), (1, 9)],
    [(0, 0), (0, 17), (1, 8), (0, 14), (0, 20), (0, 10)],
    [(0, 0), (0, 7), (0, 9), (0, 0), (0, 1), (0, 27)],
    [(0, 0), (1, 5), (1, 21), (0, 16), (1, 4), (1, 20)],
    [(0, 0), (0, 9), (1, 29), (0, 18), (0, 26), (0, 11)],
    [(0, 0), (0, 3), (1, 0), (0, 8), (0, 19), (0, 13)],
    [(0, 0), (1, 13), (0, 2), (0, 28), (0, 28), (1, 12)],
    [(0, 0), (1, 17), (0, 12), (0, 17), (1, 21), (0, 28)],
    [(0, 0), (0, 13), (1, 15), (0, 7), (0, 6), (1, 18)],
];

/// Each row, with its halves turned three ways; and each of these with the halves exchanged,
/// negated, and (1, 0) added to the second.
fn sixty() -> Vec<Vec<usize>> {
    let number = |(low, high): (u8, u8)| usize::from(low) + 2 * usize::from(high);
    let negative = |it: usize| it % 2 + 2 * ((30 - it / 2) % 30);
    let mut rows = Vec::new();
    for base in SIXTY {
        let [a, b, c, d, e, f] = base.map(number);
        for [a, b, c, d, e, f] in [[a, b, c, d, e, f], [c, a, b, e, f, d], [b, c, a, f, d, e]] {
            let exchanged = [d, e, f, a ^ 1, b ^ 1, c ^ 1];
            rows.push(vec![a, b, c, d, e, f]);
            rows.push(exchanged.map(negative).to_vec());
        }
    }
    rows
}

/// A schedule with a symmetry: points are numbers below `turning × layers`, which a turn moves on
/// within their layer of `turning`, and a few above that which stay. Found by trying rounds of
/// chance under the symmetry, most in less than a second.
struct Starter {
    size: usize,
    turning: usize,
    layers: usize,
    /// Rounds which all turns leave the same: each has these groups and all that turns make of them.
    still: &'static [&'static [u8]],
    /// Rounds which, with all that turns make of them, are the rest; group after group.
    turned: &'static [&'static [u8]],
}

/// By number of groups and their size.
const STARTERS: &[((usize, usize), Starter)] = &[
    // Kirkman's schoolgirls.
    (
        (5, 3),
        Starter {
            size: 3,
            turning: 7,
            layers: 2,
            still: &[],
            turned: &[&[14, 0, 11, 3, 6, 5, 2, 9, 8, 1, 13, 10, 7, 4, 12]],
        },
    ),
    // A nearly Kirkman triple system: one person is never met.
    (
        (6, 3),
        Starter {
            size: 3,
            turning: 4,
            layers: 4,
            still: &[],
            turned: &[
                &[16, 13, 8, 17, 0, 11, 1, 4, 9, 3, 2, 12, 7, 14, 10, 5, 6, 15],
                &[16, 0, 6, 17, 7, 15, 13, 2, 14, 8, 4, 3, 1, 11, 5, 9, 12, 10],
            ],
        },
    ),
    (
        (7, 3),
        Starter {
            size: 3,
            turning: 7,
            layers: 3,
            still: &[&[5, 14, 11], &[13, 18, 6], &[8, 5, 19]],
            turned: &[&[14, 13, 4, 6, 5, 1, 2, 17, 10, 16, 7, 3, 20, 19, 15, 0, 18, 12, 9, 11, 8]],
        },
    ),
    // Three people each never meet: 21, 22, 23 and seven threes more.
    (
        (6, 4),
        Starter {
            size: 4,
            turning: 7,
            layers: 3,
            still: &[],
            turned: &[&[
                22, 16, 2, 12, 23, 3, 20, 7, 21, 0, 15, 8, 6, 1, 5, 17, 10, 11, 4, 13, 18, 19, 14,
                9,
            ]],
        },
    ),
    // Everybody meets everybody.
    (
        (7, 4),
        Starter {
            size: 4,
            turning: 9,
            layers: 3,
            still: &[],
            turned: &[&[
                27, 9, 20, 6, 11, 16, 21, 19, 15, 2, 12, 1, 4, 24, 25, 8, 3, 18, 22, 0, 26, 10, 23,
                17, 14, 5, 7, 13,
            ]],
        },
    ),
    (
        (6, 5),
        Starter {
            size: 5,
            turning: 6,
            layers: 5,
            still: &[],
            turned: &[&[
                24, 3, 20, 7, 5, 0, 14, 9, 19, 12, 8, 2, 15, 26, 28, 1, 21, 23, 17, 29, 18, 25, 6,
                10, 16, 4, 22, 13, 27, 11,
            ]],
        },
    ),
    // The problem of 1998, open until A. Aguado, "A 10 days solution to the social golfer problem",
    // 2004. This one has five turns and, within each round, an involution (x → −x, more or less),
    // under which a search of seconds finds it. One person is never met.
    (
        (8, 4),
        Starter {
            size: 4,
            turning: 5,
            layers: 6,
            still: &[],
            turned: &[
                &[
                    31, 28, 8, 2, 30, 20, 11, 16, 18, 29, 27, 10, 19, 1, 3, 21, 5, 15, 6, 17, 22,
                    23, 7, 26, 14, 13, 9, 4, 25, 24, 0, 12,
                ],
                &[
                    31, 22, 14, 16, 30, 29, 8, 1, 18, 4, 19, 26, 28, 5, 27, 12, 2, 6, 3, 24, 20,
                    23, 25, 15, 11, 13, 0, 17, 9, 21, 10, 7,
                ],
            ],
        },
    ),
    // More of the same kinds: everybody meets everybody, or one or two people each never meet.
    (
        (8, 3),
        Starter {
            size: 3,
            turning: 11,
            layers: 2,
            still: &[],
            turned: &[&[
                22, 16, 2, 23, 3, 20, 0, 6, 10, 12, 1, 21, 18, 15, 14, 7, 19, 9, 5, 8, 13, 11, 4,
                17,
            ]],
        },
    ),
    (
        (10, 3),
        Starter {
            size: 3,
            turning: 14,
            layers: 2,
            still: &[],
            turned: &[&[
                28, 24, 3, 29, 20, 0, 7, 5, 8, 14, 2, 12, 15, 4, 10, 9, 23, 17, 1, 18, 19, 25, 27,
                16, 26, 22, 13, 21, 6, 11,
            ]],
        },
    ),
    (
        (11, 3),
        Starter {
            size: 3,
            turning: 11,
            layers: 3,
            still: &[&[18, 5, 29], &[28, 3, 14], &[0, 26, 14], &[8, 16, 24], &[3, 19, 32]],
            turned: &[&[
                27, 21, 28, 13, 16, 4, 20, 24, 5, 22, 12, 2, 17, 15, 11, 31, 29, 26, 14, 23, 30, 7,
                10, 6, 1, 18, 19, 32, 0, 9, 25, 8, 3,
            ]],
        },
    ),
    (
        (12, 3),
        Starter {
            size: 3,
            turning: 17,
            layers: 2,
            still: &[],
            turned: &[&[
                35, 4, 27, 34, 29, 2, 17, 8, 30, 11, 13, 5, 0, 31, 16, 6, 3, 10, 1, 21, 20, 18, 24,
                33, 19, 22, 15, 9, 14, 26, 12, 28, 23, 25, 7, 32,
            ]],
        },
    ),
    (
        (13, 3),
        Starter {
            size: 3,
            turning: 19,
            layers: 2,
            still: &[],
            turned: &[&[
                38, 27, 6, 15, 21, 11, 34, 36, 31, 30, 12, 20, 35, 22, 23, 29, 3, 9, 19, 2, 7, 16,
                25, 14, 1, 10, 13, 24, 28, 5, 17, 18, 33, 37, 26, 4, 32, 8, 0,
            ]],
        },
    ),
    (
        (9, 4),
        Starter {
            size: 4,
            turning: 11,
            layers: 3,
            still: &[],
            turned: &[&[
                34, 19, 6, 32, 35, 10, 23, 14, 33, 5, 28, 17, 4, 8, 25, 3, 2, 27, 0, 31, 9, 1, 15,
                20, 13, 29, 21, 11, 22, 18, 30, 24, 16, 7, 26, 12,
            ]],
        },
    ),
    (
        (10, 4),
        Starter {
            size: 4,
            turning: 13,
            layers: 3,
            still: &[],
            turned: &[&[
                39, 26, 7, 22, 23, 4, 10, 21, 8, 6, 13, 18, 28, 14, 17, 37, 33, 20, 32, 24, 34, 16,
                15, 31, 30, 1, 0, 35, 25, 11, 19, 3, 5, 36, 9, 29, 2, 38, 12, 27,
            ]],
        },
    ),
];

/// The known schedule for so many groups of this size, all of its rounds.
pub(super) fn schedule(groups: usize, size: usize) -> Option<Vec<Round>> {
    let (_, starter) = STARTERS.iter().find(|(fits, _)| *fits == (groups, size))?;
    Some(starter.unfolded())
}

impl Starter {
    fn unfolded(&self) -> Vec<Round> {
        let groups = |flat: &[u8], turn: usize| -> Round {
            flat.chunks(self.size).map(|it| self.moved(it, turn)).collect()
        };
        let still = self
            .still
            .iter()
            .map(|round| (0..self.turning).flat_map(|turn| groups(round, turn)).collect::<Round>());
        let turned = self
            .turned
            .iter()
            .flat_map(|round| (0..self.turning).map(move |turn| groups(round, turn)));
        turned.chain(still).collect()
    }

    fn moved(&self, group: &[u8], turn: usize) -> Vec<usize> {
        let moved = |point: usize| {
            if point < self.turning * self.layers {
                point / self.turning * self.turning + (point + turn) % self.turning
            } else {
                point
            }
        };
        let mut group: Vec<usize> = group.iter().map(|it| moved(usize::from(*it))).collect();
        group.sort_unstable();
        group
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_schedule_is_of_partitions_and_no_pair_meets_twice() {
        for ((groups, size), starter) in STARTERS {
            let mut met = BTreeSet::new();
            for round in starter.unfolded() {
                assert_eq!(round.len(), *groups);
                assert!(round.iter().all(|it| it.len() == *size));
                let mut everybody = round.concat();
                everybody.sort_unstable();
                assert_eq!(everybody, (0..groups * size).collect::<Vec<_>>());
                for group in round {
                    for (at, one) in group.iter().enumerate() {
                        for other in &group[..at] {
                            assert!(met.insert((*other, *one)), "{groups} groups of {size}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn every_schedule_is_as_long_as_any_known() {
        let rounds = |groups, size| schedule(groups, size).map(|it| it.len());
        assert_eq!(rounds(5, 3), Some(7));
        assert_eq!(rounds(6, 3), Some(8));
        assert_eq!(rounds(7, 3), Some(10));
        assert_eq!(rounds(6, 4), Some(7));
        assert_eq!(rounds(7, 4), Some(9));
        assert_eq!(rounds(6, 5), Some(6));
        assert_eq!(rounds(8, 4), Some(10));
        assert_eq!(rounds(8, 3), Some(11));
        assert_eq!(rounds(10, 3), Some(14));
        assert_eq!(rounds(11, 3), Some(16));
        assert_eq!(rounds(12, 3), Some(17));
        assert_eq!(rounds(13, 3), Some(19));
        assert_eq!(rounds(9, 4), Some(11));
        assert_eq!(rounds(10, 4), Some(13));
        assert_eq!(rounds(5, 5), None);
    }

    #[test]
    fn both_matrices_have_every_difference_once() {
        for tables in [12, 60] {
            let matrix = difference_matrix(tables, 6, 99).expect("it is written down");
            assert_eq!(matrix.rows.len(), tables);
            for one in 0..6 {
                for other in 0..one {
                    let difference =
                        |row: &Vec<usize>| minus(row[one], row[other], &matrix.radices);
                    let all: BTreeSet<usize> = matrix.rows.iter().map(difference).collect();
                    assert_eq!(all, (0..tables).collect(), "{tables} tables, {one} and {other}");
                }
            }
        }
    }
}
