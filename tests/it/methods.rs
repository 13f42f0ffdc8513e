//! Stories of methods that run: Alice, Bob and the others are put into rooms, take turns, come late,
//! are left alone, and the host interferes.

use std::sync::Arc;

use insta::assert_snapshot;
use vuoro::domain::{
    fact::{Consent, Fact},
    ids::{ConnectionId, RoomId},
    limits::{
        ACTS_MAX, ALONE_MS, BALANCE_AFTER_MS, COUNTED_AWAY_MS, OVERVIEW_EVERY_MS, PHASE_GRACE_MS,
        RETURN_MS, ROOM_PEOPLE_MAX,
    },
    message::{ClockView, Message, StepView},
    method::{Advance, Assign, Harvest, Method, Turns, check},
    mixing::Keep,
    preview::preview,
    run::{RunOptions, StepBegan},
    session::Wish,
};

use crate::stage::{ONE, Person, Stage, TWO};

/// A method of the product.
fn method(id: &str) -> Method {
    let path = format!("{}/models/methods/{id}.toml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|it| panic!("{path}: {it}"));
    toml::from_str(&text).unwrap_or_else(|it| panic!("{path}: {it}"))
}

/// A method of so many phases like the first of 1-2-4-All, to be made what a story needs.
fn invented(phases: usize) -> Method {
    let mut method = method("one-two-four-all");
    let mut phase = method.phases[0].clone();
    phase.assign = Assign::Plenary;
    phase.turns = Turns::Free;
    phase.harvest = Harvest::Speech;
    phase.advance = Advance::Time;
    phase.length_s = Some(60);
    phase.balance = true;
    method.phases = (0..phases)
        .map(|it| {
            let mut phase = phase.clone();
            phase.id = format!("p{it}");
            phase
        })
        .collect();
    method
}

fn stage_of(names: &[&str]) -> (Stage, Vec<Person>, ConnectionId) {
    let mut stage = Stage::open();
    let people = names.iter().map(|it| stage.join(it)).collect();
    let host = stage.host();
    stage.wait(OVERVIEW_EVERY_MS);
    stage.hush();
    (stage, people, host)
}

fn runs(stage: &mut Stage, host: ConnectionId, method: &Method) {
    assert_eq!(check::check(method), [], "the story's method is right");
    let options = RunOptions { seed: 7, warn_ms: 30_000, ..RunOptions::default() };
    stage.wish(host, Wish::RunMethod { method: Box::new(method.clone()), options });
}

/// The last step that has begun.
fn step(stage: &Stage) -> &StepBegan {
    let steps = stage.facts.iter().rev();
    let mut steps = steps.filter_map(|it| match &it.1 {
        Fact::StepBegan(began) => Some(began),
        _ => None,
    });
    steps.next().expect("a step has begun")
}

fn room_of(stage: &Stage, person: Person) -> RoomId {
    let overview = stage.session.overview(stage.now);
    let there = |it: &&vuoro::domain::message::RoomView| {
        it.people.iter().any(|it| it.participant == person.seat)
    };
    overview.rooms.iter().find(there).expect("everybody is somewhere").room
}

/// What a page has been told of its step last.
fn told_step(stage: &Stage, person: Person) -> StepView {
    let told = stage.news_of(person.page);
    let mut steps = told.into_iter().rev().filter_map(|it| match it {
        Message::Step(step) => Some(step),
        _ => None,
    });
    steps.next().expect("a step was told")
}

mod running {
    use super::*;

    #[test]
    fn one_two_four_all_runs_by_itself_from_start_to_plenary() {
        let (mut stage, people, host) =
            stage_of(&["Alice", "Bob", "Chao", "Dana", "Eero", "Fatima", "Gus", "Hilma"]);
        let method = method("one-two-four-all");
        runs(&mut stage, host, &method);
        assert_eq!(step(&stage).rooms, None, "first each thinks alone, where they are");
        stage.wait(60_000);
        let pairs = step(&stage).rooms.clone().expect("pairs");
        assert_eq!(pairs.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 2, 2]);
        stage.wait(120_000 + PHASE_GRACE_MS);
        let fours = step(&stage).rooms.clone().expect("fours");
        assert_eq!(fours.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4]);
        for pair in &pairs {
            assert!(fours.iter().any(|four| pair.iter().all(|it| four.contains(it))), "{pair:?}");
        }
        stage.wait(240_000 + PHASE_GRACE_MS);
        assert_eq!(step(&stage).rooms, Some(vec![]), "all together");
        stage.wait(3_600_000);
        assert!(people.iter().all(|it| room_of(&stage, *it) == RoomId::Main));
        assert_eq!(stage.facts.last().map(|it| it.1.clone()), Some(Fact::MethodEnded));
    }

    #[test]
    fn what_a_page_is_told_when_the_method_begins() {
        let (mut stage, people, host) = stage_of(&["Alice", "Bob"]);
        let mut method = invented(2);
        method.phases[0].assign = Assign::Mix;
        method.phases[0].size = Some(2);
        runs(&mut stage, host, &method);
        let alice = people[0];
        assert_snapshot!(stage.told(alice.page), @r"
        Alice <- method one-two-four-all
        Alice <- moved: Step
        Alice <- room-1: Alice, Bob
        Alice <- phase 0, round 1 of 1, 60000 ms
        ");
        stage.wait(60_000);
        assert!(clock(&stage).left_ms == Some(0), "people finish their sentences");
        stage.hush();
        stage.wait(PHASE_GRACE_MS);
        assert_snapshot!(stage.told(alice.page), @r"
        Alice <- moved: Step
        Alice <- main: Alice, Bob
        Alice <- phase 1, round 1 of 1, 60000 ms
        ");
    }

    fn clock(stage: &Stage) -> ClockView {
        stage.session.overview(stage.now).run.expect("it runs").clock
    }

    #[test]
    fn rounds_of_a_phase_bring_new_people_together() {
        let names: Vec<_> = (0..12).map(|it| format!("Guest{it}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let (mut stage, _, host) = stage_of(&names);
        let mut method = invented(1);
        method.phases[0].assign = Assign::Mix;
        method.phases[0].size = Some(3);
        method.phases[0].rounds = 4;
        runs(&mut stage, host, &method);
        stage.wait(3_600_000);
        let mut met = std::collections::BTreeSet::new();
        let steps = stage.facts.iter().filter_map(|it| match &it.1 {
            Fact::StepBegan(began) => began.rooms.clone(),
            _ => None,
        });
        let rounds: Vec<_> = steps.collect();
        assert_eq!(rounds.len(), 4);
        for room in rounds.iter().flatten() {
            for (index, one) in room.iter().enumerate() {
                for other in &room[index + 1..] {
                    assert!(met.insert((*one, *other)), "{one} and {other} meet again");
                }
            }
        }
    }

    #[test]
    fn at_the_end_everybody_is_back_and_may_speak() {
        let (mut stage, people, host) = stage_of(&["Alice", "Bob"]);
        let mut method = invented(1);
        method.phases[0].turns = Turns::Silent;
        runs(&mut stage, host, &method);
        assert!(stage.news().contains("Alice is hushed"));
        stage.wait(60_000);
        let news = stage.news();
        assert!(news.contains("Alice may speak") && news.contains("Bob may speak"), "{news}");
        assert!(news.contains("Alice <- no method any more"), "{news}");
        assert!(people.iter().all(|it| room_of(&stage, *it) == RoomId::Main));
    }
}

mod hosts {
    use super::*;

    fn two_phases() -> (Stage, Vec<Person>, ConnectionId) {
        let (mut stage, people, host) = stage_of(&["Alice", "Bob", "Chao", "Dana"]);
        let mut method = invented(2);
        method.phases[0].assign = Assign::Mix;
        method.phases[0].size = Some(2);
        runs(&mut stage, host, &method);
        stage.hush();
        (stage, people, host)
    }

    #[test]
    fn a_pause_stops_the_clock_and_going_on_keeps_what_was_left() {
        let (mut stage, _, host) = two_phases();
        stage.wait(20_000);
        stage.wish(host, Wish::Pause(true));
        stage.wait(3_600_000);
        assert_eq!(step(&stage).place.phase, 0, "an hour's pause");
        stage.wish(host, Wish::Pause(true));
        stage.wish(host, Wish::Pause(false));
        stage.wait(40_000 + PHASE_GRACE_MS - 1);
        assert_eq!(step(&stage).place.phase, 0);
        stage.wait(1);
        assert_eq!(step(&stage).place.phase, 1);
    }

    #[test]
    fn more_time_can_be_given_also_while_people_finish() {
        let (mut stage, _, host) = two_phases();
        stage.wait(65_000);
        stage.wish(host, Wish::Extend { ms: 30_000 });
        stage.wait(30_000 + PHASE_GRACE_MS - 1);
        assert_eq!(step(&stage).place.phase, 0);
        stage.wait(1);
        assert_eq!(step(&stage).place.phase, 1);
    }

    #[test]
    fn going_on_leaves_time_to_finish_the_sentence_unless_asked_twice() {
        let (mut stage, _, host) = two_phases();
        stage.wish(host, Wish::Next { at_once: false });
        assert_eq!(step(&stage).place.phase, 0);
        stage.wait(PHASE_GRACE_MS);
        assert_eq!(step(&stage).place.phase, 1);
        stage.wish(host, Wish::Next { at_once: false });
        stage.wish(host, Wish::Next { at_once: false });
        assert!(stage.session.overview(stage.now).run.is_none(), "twice is at once");
    }

    #[test]
    fn nobody_needs_the_host_to_stay() {
        let (mut stage, people, host) = two_phases();
        stage.feed(vuoro::domain::session::Input::Disconnected { connection: host });
        stage.wait(60_000 + PHASE_GRACE_MS);
        assert_eq!(step(&stage).place.phase, 1);
        stage.wait(60_000 + PHASE_GRACE_MS);
        assert!(people.iter().all(|it| room_of(&stage, *it) == RoomId::Main));
    }

    #[test]
    fn stopping_brings_everybody_back_at_once() {
        let (mut stage, people, host) = two_phases();
        stage.wish(host, Wish::StopMethod);
        assert!(people.iter().all(|it| room_of(&stage, *it) == RoomId::Main));
        stage.wish(host, Wish::StopMethod);
        assert!(stage.told(host).contains("no: not-now"));
    }

    #[test]
    fn only_the_host_leads_and_rooms_are_the_methods() {
        let (mut stage, people, host) = two_phases();
        for wish in [Wish::Next { at_once: true }, Wish::Pause(true), Wish::StopMethod] {
            stage.wish(people[0].page, wish);
        }
        stage.wish(host, Wish::OpenRooms { count: 1 });
        let news = stage.news();
        assert_eq!(news.matches("Alice <- no: not-allowed").count(), 3, "{news}");
        assert!(news.contains("Host <- no: not-now"), "{news}");
    }

    #[test]
    fn a_method_with_a_fault_never_begins() {
        let (mut stage, _, host) = stage_of(&["Alice", "Bob"]);
        let mut method = invented(1);
        method.phases[0].size = Some(200);
        let options = RunOptions::default();
        stage.wish(host, Wish::RunMethod { method: Box::new(method), options });
        let question = "?".repeat(1_000);
        let options = RunOptions { question, ..RunOptions::default() };
        stage.wish(host, Wish::RunMethod { method: Box::new(invented(1)), options });
        assert_snapshot!(stage.told(host), @r"
        Host <- no: bad-method
        Host <- no: bad-text
        ");
    }

    #[test]
    fn people_are_kept_apart_together_and_in_their_room_as_wished() {
        let names = ["Alice", "Bob", "Chao", "Dana", "Eero", "Fatima", "Gus", "Hilma"];
        let (mut stage, people, host) = stage_of(&names);
        let [alice, bob, chao, dana] = [people[0], people[1], people[2], people[3]];
        let keep = |one: Person, other: Person, rule| Wish::Keep {
            participants: [one.seat, other.seat],
            rule,
        };
        stage.wish(host, keep(alice, bob, Keep::Together));
        stage.wish(host, keep(chao, dana, Keep::Apart));
        let mut method = invented(1);
        method.phases[0].assign = Assign::Mix;
        method.phases[0].size = Some(4);
        method.phases[0].rounds = 5;
        runs(&mut stage, host, &method);
        let eero = people[4];
        let home = room_of(&stage, eero);
        stage.wish(host, Wish::Pin { participant: eero.seat, on: true });
        for round in 0..5 {
            assert_eq!(room_of(&stage, alice), room_of(&stage, bob), "round {round}");
            assert_ne!(room_of(&stage, chao), room_of(&stage, dana), "round {round}");
            stage.wish(host, Wish::Next { at_once: true });
        }
        let steps = stage.facts.iter().filter_map(|it| match &it.1 {
            Fact::StepBegan(began) => began.rooms.clone(),
            _ => None,
        });
        let RoomId::Breakout(home) = home else { panic!("Eero is in a small room") };
        for rooms in steps.skip(1) {
            assert!(rooms[usize::from(home) - 1].contains(&eero.seat), "Eero stays");
        }
    }
}

mod coming_and_going {
    use super::*;

    fn in_pairs(names: &[&str]) -> (Stage, Vec<Person>, ConnectionId) {
        let (mut stage, people, host) = stage_of(names);
        let mut method = invented(2);
        for phase in &mut method.phases {
            phase.assign = Assign::Mix;
            phase.size = Some(2);
            phase.length_s = Some(600);
        }
        runs(&mut stage, host, &method);
        stage.hush();
        (stage, people, host)
    }

    fn partner(stage: &Stage, people: &[Person], of: Person) -> Person {
        let room = room_of(stage, of);
        let mut others = people.iter().filter(|it| **it != of && room_of(stage, **it) == room);
        *others.next().expect("a partner")
    }

    #[test]
    fn who_comes_late_joins_the_smallest_room_and_is_told_so() {
        let (mut stage, _, _) = in_pairs(&["Alice", "Bob", "Chao", "Dana", "Eero"]);
        let late = stage.join("Fatima");
        assert_ne!(room_of(&stage, late), RoomId::Main);
        let told = stage.told(late.page);
        assert!(told.contains("moved: Late"), "{told}");
        assert!(told.contains("phase 0, round 1 of 1"), "{told}");
        let overview = stage.session.overview(stage.now);
        assert!(overview.rooms.iter().all(|it| it.people.len() <= 3), "{overview:?}");
    }

    #[test]
    fn who_is_left_alone_is_taken_to_others_at_once() {
        let (mut stage, people, _) = in_pairs(&["Alice", "Bob", "Chao", "Dana"]);
        let alice = people[0];
        let bob = partner(&stage, &people, alice);
        stage.wish(alice.page, Wish::Leave);
        let told = stage.told(bob.page);
        assert!(told.contains("moved: Alone"), "{told}");
        let room = room_of(&stage, bob);
        let there = people.iter().filter(|it| **it != alice && room_of(&stage, **it) == room);
        assert_eq!(there.count(), 3);
    }

    #[test]
    fn who_has_only_lost_the_connection_is_waited_for() {
        let (mut stage, people, _) = in_pairs(&["Alice", "Bob", "Chao", "Dana"]);
        let alice = people[0];
        let bob = partner(&stage, &people, alice);
        let home = room_of(&stage, alice);
        stage.loses_connection(alice);
        stage.wait(ALONE_MS - 1);
        assert_eq!(room_of(&stage, bob), home);
        let alice = stage.rejoin(alice);
        stage.wait(3 * ALONE_MS);
        assert_eq!((room_of(&stage, alice), room_of(&stage, bob)), (home, home));
        stage.loses_connection(alice);
        stage.wait(ALONE_MS);
        assert_ne!(room_of(&stage, bob), home, "not for ever");
        // Alice comes back to her seat, where nobody is any more, and is brought along.
        let alice = stage.rejoin(alice);
        assert_ne!(room_of(&stage, alice), home);
        let told = stage.told(alice.page);
        assert!(told.contains("moved: Alone"), "{told}");
    }

    #[test]
    fn when_all_rooms_are_full_somebody_comes_along() {
        let names: Vec<_> = (0..10).map(|it| format!("Guest{it}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let (mut stage, people, host) = stage_of(&names);
        let mut method = invented(1);
        method.phases[0].assign = Assign::Mix;
        method.phases[0].size = Some(8);
        method.phases[0].size_min = Some(5);
        method.people.min = 10;
        runs(&mut stage, host, &method);
        let count =
            |stage: &Stage, room| people.iter().filter(|it| room_of(stage, **it) == room).count();
        assert_eq!((count(&stage, ONE), count(&stage, TWO)), (5, 5));
        // The host fills one room; the last of the other would be alone.
        let others: Vec<_> =
            people.iter().filter(|it| room_of(&stage, **it) == TWO).copied().collect();
        others[..3].iter().for_each(|it| stage.moves(host, *it, ONE));
        assert_eq!(count(&stage, ONE), ROOM_PEOPLE_MAX);
        stage.hush();
        stage.wish(others[3].page, Wish::Leave);
        let overview = stage.session.overview(stage.now);
        let sizes: Vec<_> = overview.rooms.iter().map(|it| it.people.len()).collect();
        assert_eq!(sizes, [0, 7, 2]);
        assert!(stage.news().contains("moved: Company"));
    }

    #[test]
    fn a_lost_connection_counts_for_a_while_when_groups_are_made() {
        let (mut stage, people, host) = in_pairs(&["Alice", "Bob", "Chao", "Dana"]);
        stage.loses_connection(people[0]);
        stage.wait(COUNTED_AWAY_MS);
        stage.wish(host, Wish::Next { at_once: true });
        assert!(step(&stage).rooms.iter().flatten().flatten().any(|it| *it == people[0].seat));
        stage.wait(1);
        stage.wish(host, Wish::StopMethod);
        let mut method = invented(1);
        method.phases[0].assign = Assign::Mix;
        method.phases[0].size = Some(2);
        runs(&mut stage, host, &method);
        assert!(step(&stage).rooms.iter().flatten().flatten().all(|it| *it != people[0].seat));
        assert_eq!(room_of(&stage, people[0]), RoomId::Main, "she keeps her seat");
        let alice = stage.rejoin(people[0]);
        assert_ne!(room_of(&stage, alice), RoomId::Main, "and is taken in when she is back");
    }

    #[test]
    fn after_a_crash_the_same_phase_goes_on_with_the_same_people() {
        let (mut stage, people, _) = in_pairs(&["Alice", "Bob", "Chao", "Dana"]);
        stage.wait(200_000);
        let before: Vec<_> = people.iter().map(|it| room_of(&stage, *it)).collect();
        stage.restart();
        stage.wait(3_000);
        let people: Vec<_> = people.iter().map(|it| stage.rejoin(*it)).collect();
        let after: Vec<_> = people.iter().map(|it| room_of(&stage, *it)).collect();
        assert_eq!(before, after);
        let seen = told_step(&stage, people[0]);
        assert_eq!(seen.run.clock.left_ms, Some(397_000));
        assert_eq!((seen.run.place.phase, seen.run.place.round), (0, 0));
        stage.wait(397_000 + PHASE_GRACE_MS);
        assert_eq!(step(&stage).place.phase, 1);
    }

    #[test]
    fn a_phase_that_would_have_ended_meanwhile_waits_for_people_to_return() {
        let (mut stage, people, _) = in_pairs(&["Alice", "Bob", "Chao", "Dana"]);
        stage.wait(599_000);
        stage.now = stage.now + 60_000;
        stage.restart();
        stage.rejoin(people[0]);
        stage.wait(RETURN_MS - 1);
        assert_eq!(step(&stage).place.phase, 0);
        stage.wait(PHASE_GRACE_MS + 1);
        assert_eq!(step(&stage).place.phase, 1);
    }
}

mod turns {
    use super::*;

    fn with_stick() -> (Stage, Vec<Person>, ConnectionId) {
        let (mut stage, people, host) = stage_of(&["Alice", "Bob", "Chao"]);
        let mut method = invented(2);
        let phase = &mut method.phases[0];
        (phase.assign, phase.size) = (Assign::Mix, Some(3));
        (phase.turns, phase.length_s, phase.length_s_per_person) = (Turns::Stick, None, Some(60));
        runs(&mut stage, host, &method);
        (stage, people, host)
    }

    #[test]
    fn the_stick_goes_round_and_only_its_holder_is_heard() {
        let (mut stage, people, _) = with_stick();
        let [alice, bob, chao] = [people[0], people[1], people[2]];
        assert!(told_step(&stage, alice).may_speak);
        stage.wait(60_000);
        assert!(!told_step(&stage, alice).may_speak);
        stage.wish(bob.page, Wish::PassTurn);
        assert_eq!(told_step(&stage, bob).turn.map(|it| it.participant), Some(chao.seat));
        // It is not hers any more.
        stage.wish(alice.page, Wish::PassTurn);
        assert!(stage.told(alice.page).contains("no: not-now"));
        stage.wish(chao.page, Wish::PassTurn);
        let seen = told_step(&stage, alice);
        assert_eq!((seen.turn, seen.may_speak), (None, true), "the floor is open");
        assert_eq!(seen.run.clock.left_ms, Some(0), "all have spoken: the phase closes");
    }

    #[test]
    fn a_turn_passes_over_who_is_not_there() {
        let (mut stage, people, _) = with_stick();
        let [alice, bob, chao] = [people[0], people[1], people[2]];
        stage.loses_connection(bob);
        stage.wish(alice.page, Wish::PassTurn);
        assert_eq!(told_step(&stage, alice).turn.map(|it| it.participant), Some(chao.seat));
        let bob = stage.rejoin(bob);
        stage.wish(chao.page, Wish::PassTurn);
        assert_eq!(told_step(&stage, alice).turn.map(|it| it.participant), Some(bob.seat));
    }

    #[test]
    fn everybody_ready_goes_on_without_waiting() {
        let (mut stage, people, host) = stage_of(&["Alice", "Bob"]);
        let mut method = invented(2);
        method.phases[0].advance = Advance::Ready;
        runs(&mut stage, host, &method);
        stage.wish(people[0].page, Wish::SetReady(true));
        let seen = told_step(&stage, people[0]);
        assert_eq!((seen.own_ready, seen.run.ready, seen.run.ready_of), (true, 1, 2));
        stage.wish(people[1].page, Wish::SetReady(true));
        assert_eq!(step(&stage).place.phase, 1);
        stage.wish(people[1].page, Wish::SetReady(true));
        assert!(stage.told(people[1].page).contains("no: not-now"));
    }

    #[test]
    fn the_empty_chair_frees_who_has_sat_longest() {
        let (mut stage, people, host) = stage_of(&["Alice", "Bob", "Chao", "Dana"]);
        let mut method = invented(1);
        (method.phases[0].assign, method.phases[0].seats) = (Assign::Seats, Some(2));
        runs(&mut stage, host, &method);
        for person in &people[..3] {
            assert!(!told_step(&stage, *person).may_speak);
            stage.wish(person.page, Wish::SetSeated(true));
        }
        let seen = told_step(&stage, people[2]);
        assert_eq!(seen.seated, [people[1].seat, people[2].seat]);
        assert!(seen.may_speak);
        stage.wish(people[1].page, Wish::SetSeated(false));
        assert_eq!(told_step(&stage, people[1]).seated, [people[2].seat]);
    }

    #[test]
    fn in_troika_each_is_helped_once_and_listens_while_the_others_talk() {
        let (mut stage, people, host) = stage_of(&["Alice", "Bob", "Chao"]);
        runs(&mut stage, host, &method("troika"));
        let troika = method("troika");
        let client = troika.role_index("client").expect("a client") as u16;
        let mut helped = std::collections::BTreeMap::new();
        let mut listened = 0;
        while stage.session.overview(stage.now).run.is_some() {
            let phase = &troika.phases[usize::from(step(&stage).place.phase)];
            if phase.cycle.is_some() {
                let steps: Vec<_> = people.iter().map(|it| told_step(&stage, *it)).collect();
                let clients: Vec<_> = (0..3).filter(|it| steps[*it].role == Some(client)).collect();
                assert_eq!(clients.len(), 1, "{}: one client", phase.id);
                helped.entry(clients[0]).or_insert(step(&stage).place.round);
                if !phase.speaking.is_empty() && !steps[clients[0]].may_speak {
                    listened += 1;
                    assert_eq!(steps.iter().filter(|it| it.may_speak).count(), 2);
                }
            }
            stage.wish(host, Wish::Next { at_once: true });
        }
        assert_eq!(helped.len(), 3, "everybody was helped: {helped:?}");
        assert_eq!(listened, 3, "and listened to the others once");
    }
}

mod harvest {
    use super::*;

    #[test]
    fn what_a_room_writes_is_brought_to_all() {
        let (mut stage, people, host) = stage_of(&["Alice", "Bob", "Chao", "Dana"]);
        let mut method = invented(2);
        (method.phases[0].assign, method.phases[0].size) = (Assign::Mix, Some(2));
        method.phases[0].harvest = Harvest::Line;
        runs(&mut stage, host, &method);
        let write = |text: &str| Wish::Write { text: text.to_owned(), at: None };
        stage.wish(people[0].page, write("More trees"));
        stage.wish(people[0].page, write("  More trees\nand benches "));
        stage.hush();
        stage.wish(host, Wish::Next { at_once: true });
        let told = stage.news_of(people[3].page);
        let brought = told.iter().find_map(|it| match it {
            Message::Harvest(harvest) => Some(harvest.lines.clone()),
            _ => None,
        });
        assert_eq!(brought.unwrap()[0].1, "More trees\nand benches");
        stage.wish(people[0].page, write("too late"));
        assert!(stage.told(people[0].page).contains("no: not-now"));
    }

    #[test]
    fn a_private_note_that_comes_late_is_not_read_by_the_room() {
        let (mut stage, people, host) = stage_of(&["Alice", "Bob"]);
        let mut method = invented(2);
        method.phases[0].harvest = Harvest::Private;
        method.phases[1].harvest = Harvest::Line;
        runs(&mut stage, host, &method);
        let write = |at| Wish::Write { text: "My doubts".to_owned(), at };
        stage.wish(people[0].page, write(Some((0, 0))));
        stage.wish(host, Wish::Next { at_once: true });
        stage.hush();
        stage.wish(people[0].page, write(Some((0, 0))));
        assert_snapshot!(stage.news(), @"Alice <- no: not-now");
        stage.wish(people[0].page, write(Some((1, 0))));
        assert!(stage.news().contains("My doubts"), "what is meant for the room");
    }

    #[test]
    fn nobody_can_fill_the_log_by_writing_without_end() {
        let (mut stage, people, host) = stage_of(&["Alice", "Bob"]);
        let mut method = invented(2);
        method.phases[0].harvest = Harvest::Note;
        runs(&mut stage, host, &method);
        let write = |it: u32| Wish::Write { text: it.to_string(), at: None };
        (0..ACTS_MAX).for_each(|it| stage.wish(people[0].page, write(it)));
        stage.hush();
        stage.wish(people[0].page, write(0));
        assert_snapshot!(stage.news(), @"Alice <- no: not-now");
        // It is hers alone, and ends with the phase.
        stage.wish(people[1].page, write(0));
        assert!(!stage.news().contains("not-now"));
    }

    #[test]
    fn cards_go_round_and_are_scored_unseen() {
        let names: Vec<_> = (0..8).map(|it| format!("Guest{it}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let (mut stage, people, host) = stage_of(&names);
        let method = method("crowd-sourcing-25-10");
        runs(&mut stage, host, &method);
        while method.phases[usize::from(step(&stage).place.phase)].harvest != Harvest::Card {
            stage.wish(host, Wish::Next { at_once: true });
        }
        for (index, person) in people.iter().enumerate() {
            stage.wish(person.page, Wish::Write { text: format!("idea {index}"), at: None });
        }
        let mut rounds = 0;
        let mut held = std::collections::BTreeSet::new();
        while stage.session.overview(stage.now).run.is_some() {
            stage.hush();
            stage.wish(host, Wish::Next { at_once: true });
            let place = step(&stage).place;
            if method.phases[usize::from(place.phase)].harvest == Harvest::Score
                && stage.session.overview(stage.now).run.is_some()
            {
                rounds += 1;
                for (index, person) in people.iter().enumerate() {
                    let card = told_step(&stage, *person).card.expect("a card");
                    assert_ne!(card, format!("idea {index}"), "never one's own");
                    assert!(held.insert((index, card.clone())), "never twice");
                    // Idea 3 is the best.
                    let score = if card == "idea 3" { 5 } else { 2 };
                    stage.wish(person.page, Wish::Score(score));
                }
            }
            let all = stage.news_of(people[0].page);
            let ranking = all.into_iter().find_map(|it| match it {
                Message::Harvest(harvest) if !harvest.ranking.is_empty() => Some(harvest.ranking),
                _ => None,
            });
            if let Some(ranking) = ranking {
                assert_eq!(ranking.len(), 8);
                assert_eq!((ranking[0].text.as_str(), ranking[0].points), ("idea 3", 25));
                assert!(ranking[1..].iter().all(|it| it.points == 10 && it.scores == 5));
            }
        }
        assert_eq!((rounds, held.len()), (5, 40));
    }

    #[test]
    fn where_the_method_is_confidential_nothing_is_written_down() {
        let (mut stage, people, host) = stage_of(&["Alice", "Bob"]);
        let mut method = invented(2);
        method.phases[0].transcribe = false;
        runs(&mut stage, host, &method);
        let begins = stage.now.as_ms();
        assert!(stage.news().contains("listen: Alice off fi"));
        stage.wait(5_000);
        stage.says(people[0], begins + 1_000..begins + 3_000, "Between us.");
        stage.enter(None, "Chao", Consent::On);
        assert!(!stage.news().contains("listen: Chao on fi"), "also for who comes now");
        stage.wish(host, Wish::Next { at_once: true });
        assert!(stage.news().contains("listen: Alice on fi"));
        let later = stage.now.as_ms();
        stage.says(people[0], begins + 4_000..later, "Half before.");
        stage.wait(5_000);
        stage.says(people[0], later + 100..later + 900, "For the notes.");
        let said: Vec<_> = stage
            .facts
            .iter()
            .filter_map(|it| match &it.1 {
                Fact::Said { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(said, ["For the notes."]);
    }

    #[test]
    fn where_unequal_talk_is_the_design_no_balance_is_shown() {
        let (mut stage, people, host) = stage_of(&["Alice", "Bob"]);
        let mut method = invented(2);
        method.phases[0].balance = false;
        runs(&mut stage, host, &method);
        let talks = |stage: &mut Stage| {
            stage.voice(people[0], true);
            stage.wait(BALANCE_AFTER_MS);
            stage.voice(people[0], false);
            stage.wait(2_000);
            stage.balances().len()
        };
        assert_eq!(talks(&mut stage), 0);
        stage.wish(host, Wish::Next { at_once: true });
        assert_ne!(talks(&mut stage), 0);
    }

    #[test]
    fn in_open_space_people_go_where_they_like() {
        let (mut stage, people, host) = stage_of(&["Alice", "Bob", "Chao"]);
        let mut method = invented(1);
        method.phases[0].assign = Assign::Free;
        let topics = vec!["Trees".to_owned(), "Benches".to_owned()];
        let options = RunOptions { topics, ..RunOptions::default() };
        stage.wish(host, Wish::RunMethod { method: Box::new(method), options });
        stage.wish(people[0].page, Wish::GoTo { room: TWO });
        let seen = told_step(&stage, people[0]);
        assert_eq!(seen.topic.as_deref(), Some("Benches"));
        assert_eq!(seen.topics, ["Trees", "Benches"]);
        stage.wait(600_000);
        stage.wish(people[0].page, Wish::GoTo { room: RoomId::Main });
        assert_eq!(room_of(&stage, people[0]), RoomId::Main);
    }
}

mod previews {
    use super::*;

    #[test]
    fn a_preview_is_what_happens_when_everybody_stays() {
        let names: Vec<_> = (0..17).map(|it| format!("Guest{it}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        for id in ["one-two-four-all", "world-cafe", "learning-cafe", "troika", "opera"] {
            let (mut stage, people, host) = stage_of(&names);
            let method = method(id);
            runs(&mut stage, host, &method);
            let mut steps = vec![];
            while stage.session.overview(stage.now).run.is_some() {
                let began = step(&stage).clone();
                steps.push((began.place, began.length_ms));
                stage.wish(host, Wish::Next { at_once: true });
            }
            let seen = preview(&Arc::new(method), people.len(), 7);
            let foreseen: Vec<_> = seen.steps.iter().map(|it| (it.place, it.length_ms)).collect();
            assert_eq!(steps, foreseen, "{id}");
        }
    }

    #[test]
    fn every_method_goes_to_its_end_with_any_number_of_people() {
        for file in
            std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/models/methods")).unwrap()
        {
            let file = file.unwrap().file_name();
            let id = file.to_str().unwrap().trim_end_matches(".toml").to_owned();
            let method = Arc::new(method(&id));
            for people in [0, 1, 2, 3, 4, 5, 7, 11, 12, 23, 60, 300] {
                let seen = preview(&method, people, 1);
                assert!(method.phases.len() <= seen.steps.len(), "{id}, {people}");
                for step in &seen.steps {
                    let placed: usize = step.rooms.iter().map(Vec::len).sum();
                    assert!(placed == 0 || placed == people, "{id}, {people}: {step:?}");
                    let fits = |it: &Vec<_>| it.is_empty() || (2..=8).contains(&it.len());
                    assert!(step.rooms.iter().all(fits), "{id}, {people}: {step:?}");
                }
            }
        }
    }
}
