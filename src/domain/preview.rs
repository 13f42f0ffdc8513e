//! How a method would go with so many people, before anybody has come: the same steps and the same
//! rooms as in a session in which everybody stays. It promises nothing about those who come late.

use std::{collections::BTreeMap, sync::Arc};

use crate::domain::{
    assign::{self, Asked},
    ids::{ParticipantId, RoomId},
    limits::SESSION_PEOPLE_MAX,
    message::Place,
    method::{Assign, Method},
    mixing::{Meetings, Mixing},
    run::{Grouping, Run, RunOptions, StepBegan},
    time::SessionTime,
};

/// Steps looked at; more than any method has.
const STEPS_MAX: usize = 1_000;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preview {
    pub steps: Vec<PreviewStep>,
    /// Of all steps that have a time.
    pub length_ms: u64,
    /// Meetings of two people beyond their first.
    pub repeats: usize,
    /// Different people each meets in small rooms: fewest, on average, most.
    pub partners_min: usize,
    pub partners_mean: f64,
    pub partners_max: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewStep {
    pub place: Place,
    pub length_ms: Option<u64>,
    /// Breakout rooms in their order, with people numbered from 1; empty: all in the main room.
    pub rooms: Grouping,
    /// Pairs newly put together who had met in an earlier step.
    pub repeats: usize,
}

/// `people`: at most `SESSION_PEOPLE_MAX` are looked at.
pub fn preview(method: &Arc<Method>, people: usize, seed: u64) -> Preview {
    let people: Vec<_> = (1..).map(ParticipantId).take(people.min(SESSION_PEOPLE_MAX)).collect();
    let mixing = Mixing::default();
    let mut met = Meetings::default();
    let mut run = Run::new(method.clone(), RunOptions { seed, ..RunOptions::default() });
    let mut rooms = Grouping::new();
    let mut seen = Preview::default();
    while let Some(place) = run.next_place(fullest(&rooms, people.len()))
        && seen.steps.len() < STEPS_MAX
        && let Some(phase) = method.phases.get(usize::from(place.phase))
    {
        let asked =
            Asked { run: &run, place, people: &people, rooms: &rooms, met: &met, mixing: &mixing };
        let assigned = assign::assign(&asked);
        let there = assigned.rooms.clone().unwrap_or_else(|| rooms.clone());
        let roles = assign::roles(&asked, &there);
        let repeats = assigned.rooms.as_ref().map_or(0, |it| met_again(it, &rooms, &met));
        assigned.rooms.iter().flatten().for_each(|it| met.met_all(it));
        let length_ms = phase.length_ms(fullest(&there, people.len()));
        let began = StepBegan {
            place,
            length_ms,
            rooms: assigned.rooms,
            ahead: assigned.ahead,
            roles,
            cards: Vec::new(),
        };
        run.begin(SessionTime::ZERO, &began, &by_room(&there));
        rooms = there;
        // In the open nobody knows who goes where.
        let shown = if phase.assign == Assign::Free { Grouping::new() } else { rooms.clone() };
        seen.length_ms += length_ms.unwrap_or(0);
        seen.steps.push(PreviewStep { place, length_ms, rooms: shown, repeats });
    }
    count_partners(&mut seen, &people, &met);
    seen
}

/// Who stays together is no repeat: that is what merging and staying are for.
fn met_again(rooms: &Grouping, before: &Grouping, met: &Meetings) -> usize {
    let together_before = |one: &ParticipantId, other: &ParticipantId| {
        before.iter().any(|it| it.contains(one) && it.contains(other))
    };
    let mut repeats = 0;
    for room in rooms {
        for (index, one) in room.iter().enumerate() {
            let later = room.iter().skip(index + 1);
            repeats += later
                .filter(|other| 0 < met.times(*one, **other) && !together_before(one, other))
                .count();
        }
    }
    repeats
}

fn count_partners(seen: &mut Preview, people: &[ParticipantId], met: &Meetings) {
    let mut partners: BTreeMap<ParticipantId, usize> = people.iter().map(|it| (*it, 0)).collect();
    for (one, other, _) in met.pairs() {
        for id in [one, other] {
            *partners.entry(id).or_default() += 1;
        }
    }
    seen.repeats = seen.steps.iter().map(|it| it.repeats).sum();
    seen.partners_min = partners.values().copied().min().unwrap_or(0);
    seen.partners_max = partners.values().copied().max().unwrap_or(0);
    let sum: usize = partners.values().sum();
    seen.partners_mean = if people.is_empty() { 0.0 } else { sum as f64 / people.len() as f64 };
}

fn fullest(rooms: &Grouping, people: usize) -> usize {
    rooms.iter().map(Vec::len).max().filter(|it| 0 < *it).unwrap_or(people)
}

fn by_room(rooms: &Grouping) -> BTreeMap<RoomId, Vec<ParticipantId>> {
    let numbered = rooms.iter().zip(1..);
    numbered.map(|(room, number)| (RoomId::Breakout(number), room.clone())).collect()
}
