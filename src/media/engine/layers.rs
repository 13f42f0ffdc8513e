//! Which layer of whose picture a subscriber gets: what they look at first, within what their network
//! carries; audio is not asked about, it always goes. It measures nothing and sends nothing.

use crate::{
    domain::view::Wanted,
    media::engine::{
        slot::{Layer, WHOLE},
        time::MediaTime,
    },
};

/// Layers of one picture.
pub const LAYERS: usize = WHOLE as usize + 1;

/// Believed until the subscriber has told, in bit/s: an ordinary line.
const START_BITS_PER_S: u64 = 2_500_000;

/// An estimate older than this is no longer believed, in ms.
const ESTIMATE_MS: u64 = 10_000;

/// More than is in use is tried only so far, and after a squeeze not for so long, in ms: each try that
/// fails is felt.
const TRY_BITS_PER_S: u64 = 300_000;
const HOLD_MS: u64 = 4_000;
const HOLD_MS_MAX: u64 = 32_000;

/// So much is sent whatever is estimated, in bit/s: an estimate made of little is little, and would keep
/// the last picture paused for ever. A line that does not carry this says so by what it loses.
const FLOOR_BITS_PER_S: u64 = 250_000;

/// An estimate climbs by a few hundredths a second, so that for a while after more is sent it lies below
/// it. One that lies there for so long without having climbed is what the line carries, in ms.
const CLIMB_MS: u64 = 5_000;

/// From this share of lost packets on, in 256ths, the line is taken to be full whatever is estimated.
const FULL_LOST: u8 = 31;

/// What one subscriber's line carries, from what they tell (REMB and receiver reports). An estimate
/// cannot see more than was sent, so that more has to be tried now and then.
#[derive(Clone, Copy, Debug, Default)]
pub struct Line {
    estimate: Option<(u64, MediaTime)>,
    /// An estimate that lay below what was sent, and since when none of those after it has climbed.
    below: Option<(u64, MediaTime)>,
    /// Told and not yet acted upon: a share, and that the estimate fell. It falls only when packets
    /// begin to queue, and not because little is sent (draft-ietf-rmcat-gcc-02, 5.5).
    lost: Option<u8>,
    fell: bool,
    squeezed: Option<Squeeze>,
}

#[derive(Clone, Copy, Debug)]
struct Squeeze {
    at: MediaTime,
    hold_ms: u64,
    /// What it fell to, in bit/s.
    cap: u64,
}

impl Line {
    pub fn estimated(&mut self, now: MediaTime, bits_per_s: u64) {
        self.fell |= self.estimate.is_some_and(|it| bits_per_s < it.0);
        self.estimate = Some((bits_per_s, now));
    }

    /// Of pictures, in 256ths; of sound it says too little, as silence is hardly sent.
    pub fn lost(&mut self, lost: u8) {
        self.lost = self.lost.max(Some(lost));
    }

    /// What may be sent now in all, in bit/s. `sent_bits_per_s`: what was, over the last second.
    pub fn budget(&mut self, now: MediaTime, sent_bits_per_s: u64) -> u64 {
        let (lost, fell) = (self.lost.take(), std::mem::take(&mut self.fell));
        let known = self.estimate.filter(|it| now.since_ms(it.1) < ESTIMATE_MS);
        let Some((estimate, _)) = known else { return START_BITS_PER_S };
        let is_below = estimate < sent_bits_per_s;
        self.below = self.below.filter(|it| is_below && estimate <= it.0);
        let since = self.below.get_or_insert((estimate, now)).1;
        let is_full = is_below && (fell || CLIMB_MS <= now.since_ms(since));
        let held = self.squeezed.filter(|it| now.since_ms(it.at) < it.hold_ms);
        let is_lossy = lost.is_some_and(|it| FULL_LOST <= it);
        if is_lossy || is_full {
            let floor = if is_lossy { 1 } else { FLOOR_BITS_PER_S };
            let cap = (estimate.min(sent_bits_per_s) * 9 / 10).max(floor);
            let (at, hold_ms) = match (held, self.squeezed) {
                (Some(held), _) => (held.at, held.hold_ms),
                (None, Some(before)) if now.since_ms(before.at) < 2 * before.hold_ms => {
                    (now, (before.hold_ms * 2).min(HOLD_MS_MAX))
                }
                _ => (now, HOLD_MS),
            };
            self.squeezed = Some(Squeeze { at, hold_ms, cap });
            return cap;
        }
        match held {
            Some(held) => estimate.max(FLOOR_BITS_PER_S).min(held.cap),
            None => estimate.max(sent_bits_per_s * 3 / 2 + TRY_BITS_PER_S),
        }
    }
}

/// What can be had of one picture, and how large it is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    pub wanted: Wanted,
    /// Of each layer that flows, in bit/s.
    pub flows: [Option<u32>; LAYERS],
}

impl Choice {
    /// The largest layer that is of use.
    fn cap(&self) -> Option<Layer> {
        let cap = match self.wanted {
            Wanted::Nothing => return None,
            Wanted::Small => 0,
            Wanted::Medium => 1,
            Wanted::Large => WHOLE,
        };
        let flowing = (0..=WHOLE).filter(|it| self.flows[usize::from(*it)].is_some());
        // Of one that comes larger only, the smallest that comes.
        flowing.clone().rfind(|it| *it <= cap).or_else(|| flowing.clone().next())
    }

    fn cost(&self, layer: Layer) -> u64 {
        self.flows[usize::from(layer)].map_or(0, u64::from)
    }
}

/// The layer of each picture within the budget, in bit/s. `choices`: the most important first. First
/// everybody is seen at all, then those before are seen larger. `None`: not now. A picture of which
/// nothing flows yet is asked for in the layer that is wanted.
pub fn choose(budget_bits_per_s: u64, choices: &[Choice]) -> Vec<Option<Layer>> {
    let mut left = budget_bits_per_s;
    let mut chosen: Vec<Option<Layer>> = choices
        .iter()
        .map(|it| {
            if it.flows.iter().all(Option::is_none) {
                return (it.wanted != Wanted::Nothing).then_some(match it.wanted {
                    Wanted::Small | Wanted::Nothing => 0,
                    Wanted::Medium => 1,
                    Wanted::Large => WHOLE,
                });
            }
            let cap = it.cap()?;
            let smallest = (0..=cap).find(|layer| it.flows[usize::from(*layer)].is_some())?;
            left = left.checked_sub(it.cost(smallest))?;
            Some(smallest)
        })
        .collect();
    for step in 1..=WHOLE {
        for (choice, chosen) in choices.iter().zip(&mut chosen) {
            let (Some(now), Some(cap)) = (*chosen, choice.cap()) else { continue };
            if step <= now || cap < step || choice.flows[usize::from(step)].is_none() {
                continue;
            }
            let more = choice.cost(step).saturating_sub(choice.cost(now));
            if let Some(rest) = left.checked_sub(more) {
                left = rest;
                *chosen = Some(step);
            }
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const THREE: [Option<u32>; LAYERS] = [Some(100_000), Some(300_000), Some(900_000)];

    fn choice(wanted: Wanted) -> Choice {
        Choice { wanted, flows: THREE }
    }

    #[test]
    fn each_is_seen_as_large_as_wanted_when_the_line_is_wide() {
        let all = [Wanted::Large, Wanted::Small, Wanted::Nothing, Wanted::Medium].map(choice);
        assert_eq!(choose(10_000_000, &all), [Some(2), Some(0), None, Some(1)]);
    }

    #[test]
    fn everybody_is_seen_before_anybody_is_seen_larger() {
        let all = [Wanted::Large; 3].map(choice);
        assert_eq!(choose(650_000, &all), [Some(1), Some(0), Some(0)]);
        assert_eq!(choose(250_000, &all), [Some(0), Some(0), None], "paused rather than broken");
        assert_eq!(choose(0, &all), [None; 3]);
    }

    #[test]
    fn what_comes_in_one_size_is_taken_as_it_is() {
        let one = Choice { wanted: Wanted::Small, flows: [None, None, Some(500_000)] };
        assert_eq!(choose(1_000_000, &[one]), [Some(2)]);
        assert_eq!(choose(100_000, &[one]), [None]);
        let none_yet = Choice { wanted: Wanted::Medium, flows: [None; 3] };
        assert_eq!(choose(0, &[none_yet]), [Some(1)]);
    }

    #[test]
    fn a_line_is_tried_and_after_a_squeeze_left_alone_for_longer_each_time() {
        let (mut line, mut at) = (Line::default(), MediaTime::from_ms(1));
        assert_eq!(line.budget(at, 0), START_BITS_PER_S);
        line.estimated(at, 1_000_000);
        assert_eq!(line.budget(at, 900_000), 1_650_000, "more is tried");
        line.estimated(at, 800_000);
        assert_eq!(line.budget(at, 1_000_000), 720_000, "it was too much");
        assert_eq!(line.budget(at, 1_000_000), 720_000, "once");
        assert_eq!(line.budget(at + 1_000, 700_000), 720_000, "not again at once");
        at = at + HOLD_MS;
        line.estimated(at, 800_000);
        assert_eq!(line.budget(at, 700_000), 1_350_000);
        line.estimated(at, 790_000);
        assert_eq!(line.budget(at, 1_000_000), 711_000);
        at = at + HOLD_MS;
        line.estimated(at, 800_000);
        assert_eq!(line.budget(at, 700_000), 711_000, "longer this time");
        assert_eq!(line.budget(at + 60_000, 0), START_BITS_PER_S, "nothing has been told for long");
    }

    #[test]
    fn a_second_face_is_shown_while_the_estimate_still_climbs() {
        // As Chromium's: at most half more than what came, and a few hundredths more a second.
        let (mut line, mut at, mut estimate) = (Line::default(), MediaTime::from_ms(1), 200_000);
        for _ in 0..40 {
            line.estimated(at, estimate);
            assert!(320_000 < line.budget(at, 320_000), "{estimate}");
            (at, estimate) = (at + 250, (estimate + estimate / 50).min(490_000));
        }
    }

    #[test]
    fn an_estimate_that_stays_below_is_believed_in_the_end() {
        let (mut line, at) = (Line::default(), MediaTime::from_ms(1));
        line.estimated(at, 400_000);
        assert!(700_000 < line.budget(at, 700_000));
        line.estimated(at + CLIMB_MS, 400_000);
        assert_eq!(line.budget(at + CLIMB_MS, 700_000), 360_000);
    }

    #[test]
    fn an_estimate_made_of_little_does_not_pause_the_last_picture() {
        let (mut line, at) = (Line::default(), MediaTime::from_ms(1));
        line.estimated(at, 60_000);
        line.estimated(at, 50_000);
        assert_eq!(line.budget(at, 130_000), FLOOR_BITS_PER_S);
        assert_eq!(line.budget(at, 30_000), FLOOR_BITS_PER_S);
        line.lost(100);
        assert_eq!(line.budget(at, 130_000), 45_000, "what is lost is believed");
        assert_eq!(line.budget(at, 30_000), 45_000);
    }

    #[test]
    fn a_loss_is_acted_upon_once() {
        let (mut line, at) = (Line::default(), MediaTime::from_ms(1));
        line.estimated(at, 900_000);
        line.lost(80);
        assert_eq!(line.budget(at, 700_000), 630_000);
        assert_eq!(line.budget(at, 600_000), 630_000, "and does not go on falling");
        line.lost(10);
        assert_eq!(line.budget(at, 600_000), 630_000);
    }

    proptest! {
        #[test]
        fn the_budget_holds_and_nobody_gets_more_than_wanted(
            budget in 0u64..5_000_000,
            wanted in prop::collection::vec((0u8..4, 0u8..8), 0..8),
        ) {
            let all: Vec<_> = wanted.iter().map(|(wanted, mask)| {
                let wanted = [Wanted::Nothing, Wanted::Small, Wanted::Medium, Wanted::Large][usize::from(*wanted)];
                let flows = std::array::from_fn(|it| THREE[it].filter(|_| mask >> it & 1 == 1));
                Choice { wanted, flows }
            }).collect();
            let chosen = choose(budget, &all);
            let cost: u64 = all.iter().zip(&chosen).filter_map(|(it, layer)| Some(it.cost((*layer)?))).sum();
            prop_assert!(cost <= budget);
            for (it, layer) in all.iter().zip(&chosen) {
                let flows = it.flows.iter().any(Option::is_some);
                prop_assert!(!flows || *layer <= it.cap());
                prop_assert!(layer.is_none_or(|layer| !flows || it.flows[usize::from(layer)].is_some()));
            }
        }
    }
}
