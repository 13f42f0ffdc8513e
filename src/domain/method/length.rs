//! How long a method takes and how full its rooms get, foretold from the document alone. What
//! really happens is the engine's: people come late, and facilitators go on early.

use crate::domain::limits::ROOM_PEOPLE_MAX;
use crate::domain::method::{Assign, Cycle, Method, Phase};

/// How long it takes with `people`, in seconds. A phase that waits for the facilitator counts with
/// the length it names, or not at all. Answers for broken documents too, without meaning.
pub fn seconds(method: &Method, people: usize) -> u64 {
    let fullest = fullest_rooms(method, people);
    let mut total = 0_u64;
    for (phase, fullest) in method.phases.iter().zip(&fullest) {
        let cycle = phase.cycle.as_ref();
        let cycle = cycle.and_then(|id| method.cycles.iter().find(|it| it.id == *id));
        let times = u64::from(phase.rounds).saturating_mul(repetitions(cycle, *fullest));
        total = total.saturating_add(once(phase, *fullest).saturating_mul(times));
    }
    total
}

fn once(phase: &Phase, fullest: usize) -> u64 {
    match phase.length_s_per_person {
        Some(each) => u64::from(each).saturating_mul(fullest as u64),
        None => phase.length_s.map_or(0, u64::from),
    }
}

fn repetitions(cycle: Option<&Cycle>, fullest: usize) -> u64 {
    match cycle {
        Some(Cycle { times: Some(times), .. }) => u64::from(*times),
        Some(Cycle { each: Some(_), .. }) => fullest as u64,
        _ => 1,
    }
}

/// People in the fullest room of each phase, when `people` take part.
fn fullest_rooms(method: &Method, people: usize) -> Vec<usize> {
    let mut fullest: Vec<usize> = Vec::with_capacity(method.phases.len());
    let (mut here, mut rooms) = (people, people);
    for phase in &method.phases {
        here = match phase.assign {
            Assign::Plenary | Assign::Seats => people,
            Assign::Solo | Assign::Same => here,
            Assign::Free => people.min(ROOM_PEOPLE_MAX),
            Assign::Mix | Assign::Merge => fullest_room(phase, people),
            Assign::Travel | Assign::Carousel => rooms,
            Assign::Return => {
                let earlier = phase.rooms_of.as_ref().and_then(|id| method.phase_index(id));
                earlier.and_then(|it| fullest.get(it)).copied().unwrap_or(rooms)
            }
        };
        if phase.groups() {
            rooms = here;
        }
        fullest.push(here);
    }
    fullest
}

/// As even as can be: one more room only when those of the wished size would overflow.
fn fullest_room(phase: &Phase, people: usize) -> usize {
    let (size, _, most) = phase.sizes();
    let rooms = (people / size).max(people.div_ceil(most)).max(1);
    people.div_ceil(rooms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::method::check::tests::good;

    #[test]
    fn rooms_are_filled_evenly() {
        let mut phase = good().phases[1].clone();
        for (size, people, expect) in
            [(4, 16, 4), (4, 5, 5), (4, 7, 4), (4, 9, 5), (2, 5, 3), (8, 9, 5)]
        {
            phase.size = Some(size);
            assert_eq!(fullest_room(&phase, people), expect, "{people} people by {size}");
        }
        assert_eq!(fullest_room(&phase, 0), 0);
    }

    #[test]
    fn what_repeats_counts_as_often_as_it_does() {
        let check = |change: fn(&mut Method), expect: u64| {
            let mut method = good();
            change(&mut method);
            assert_eq!(seconds(&method, 12), expect);
        };
        // Alone 60, rooms of four 300, all 120.
        check(|_| (), 480);
        check(|it| it.phases[1].rounds = 3, 1_080);
        check(|it| it.phases[0].length_s = None, 420);
        check(
            |it| {
                it.phases[1].length_s = None;
                it.phases[1].length_s_per_person = Some(60);
            },
            420,
        );
        check(
            |it| {
                it.phases[1].cycle = Some("again".to_owned());
                it.cycles.push(Cycle { id: "again".to_owned(), times: Some(2), each: None });
            },
            780,
        );
        check(
            |it| {
                it.phases[2].assign = Assign::Same;
                it.phases[2].cycle = Some("again".to_owned());
                let each = Some("host".to_owned());
                it.cycles.push(Cycle { id: "again".to_owned(), times: None, each });
            },
            840,
        );
    }
}
