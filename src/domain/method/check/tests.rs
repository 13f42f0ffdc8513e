//! Every rule of a method, by a good one in which one thing is changed.

use super::*;
use crate::domain::method::{Aim, People, Scribe, Source, Vote, words};

/// A small method that breaks no rule: alone, in rooms of four, all.
pub fn good() -> Method {
    let said = |it: &str| Text { fi: it.into(), sv: it.into(), en: it.into() };
    let role = |id: &str, count: Option<u8>| Role {
        id: id.into(),
        name: said(id),
        task: said("do"),
        count,
        stays: count.is_some(),
    };
    let phase = |id: &str, assign: Assign, length_s: u32| Phase {
        id: id.into(),
        name: said(id),
        instruction: said("do"),
        script: said("mind"),
        assign,
        size: None,
        size_min: None,
        size_max: None,
        rooms_of: None,
        seats: None,
        choose: None,
        vote: None,
        scribe: None,
        length_s: Some(length_s),
        length_s_per_person: None,
        rounds: 1,
        cycle: None,
        turns: Turns::Free,
        speaking: Vec::new(),
        harvest: Harvest::Speech,
        advance: Advance::Time,
        transcribe: true,
        balance: true,
        colour: None,
    };
    let mut phases = vec![
        phase("alone", Assign::Solo, 60),
        phase("four", Assign::Mix, 300),
        phase("all", Assign::Plenary, 120),
    ];
    phases[0].turns = Turns::Silent;
    phases[1].size = Some(4);
    Method {
        id: "good-1".into(),
        name: said("Good"),
        purpose: said("good for something"),
        description: said("goes like this"),
        aims: vec![Aim::Share],
        people: People { min: 6, max: 40, ideal: 12 },
        roles: vec![role("host", Some(1)), role("guest", None)],
        rules: vec![said("be kind")],
        cycles: Vec::new(),
        phases,
        source: Source { by: "us".into(), url: String::new() },
    }
}

fn cycle(times: Option<u8>, each: Option<&str>) -> Cycle {
    Cycle { id: "again".into(), times, each: each.map(Into::into) }
}

fn faults(change: impl FnOnce(&mut Method)) -> Vec<String> {
    let mut method = good();
    change(&mut method);
    let step = |it: &Step| match it {
        Step::Key(key) => (*key).to_owned(),
        Step::Index(index) => index.to_string(),
    };
    let told = |it: &Fault| {
        format!("{}: {}", it.at.iter().map(step).collect::<Vec<_>>().join("."), it.problem)
    };
    let found = check(&method);
    found.iter().for_each(|it| is_told_alike(&it.problem));
    found.iter().map(told).collect()
}

/// Each language has the keys, the words and the figures that the English has.
#[track_caller]
fn is_told_alike(problem: &Problem) {
    let told = words::told(problem);
    let keys = told.en.split('`').skip(1).step_by(2).map(|it| format!("`{it}`"));
    let figures = told.en.split(|it: char| !it.is_ascii_digit()).filter(|it| !it.is_empty());
    for it in keys.chain(figures.map(ToOwned::to_owned)) {
        assert!(told.fi.contains(&it) && told.sv.contains(&it), "{it} in {told:?}");
    }
    assert!(told.fi != told.sv && told.fi != told.en && told.sv != told.en, "{told:?}");
}

/// One change, the one place it is found at, and words of what is said about it.
#[track_caller]
fn wrong(at: &str, words: &str, change: impl FnOnce(&mut Method)) {
    match &faults(change)[..] {
        [one] => assert!(
            one.starts_with(&format!("{at}: ")) && one.contains(words),
            "expected {at}: … {words}\n   found {one}"
        ),
        found => panic!("expected only {at}: … {words}\n   found {found:#?}"),
    }
}

#[track_caller]
fn right(change: impl FnOnce(&mut Method)) {
    assert_eq!(faults(change), Vec::<String>::new());
}

#[test]
fn a_good_method_has_no_fault() {
    right(|_| ());
}

#[test]
fn texts_and_ids_are_shaped() {
    wrong("id", "`Good 1` is not an id", |it| it.id = "Good 1".into());
    wrong("id", "write 1 to 40", |it| it.id = String::new());
    wrong("id", "write 1 to 40", |it| it.id = "a".repeat(41));
    right(|it| it.id = "a".repeat(40));
    wrong("name.sv", "is empty", |it| it.name.sv = " ".into());
    wrong("purpose.fi", "has 241 characters: shorten it to 240", |it| {
        it.purpose.fi = "ä".repeat(241);
    });
    right(|it| it.purpose.fi = "ä".repeat(240));
    wrong("description.sv", "is empty", |it| it.description.sv = String::new());
    wrong("phases.1.instruction.en", "line break", |it| {
        it.phases[1].instruction.en = "one\ntwo".into();
    });
    wrong("rules.0.en", "invisible", |it| it.rules[0].en = "a\u{202e}b".into());
    wrong("phases.2.script.sv", "is empty", |it| it.phases[2].script.sv = String::new());
    wrong("phases.2.name.sv", "is empty", |it| it.phases[2].name.sv = String::new());
    wrong("phases.2.id", "is not an id", |it| it.phases[2].id = "A".into());
    wrong("roles.1.id", "is not an id", |it| it.roles[1].id = "A".into());
    wrong("roles.1.name.en", "is empty", |it| it.roles[1].name.en = String::new());
    wrong("roles.1.task.fi", "is empty", |it| it.roles[1].task.fi = String::new());
    wrong("aims", "there are 0 `aims`: 1 to 7", |it| it.aims.clear());
    wrong("rules", "there are 13 `rules`", |it| it.rules = vec![it.rules[0].clone(); 13]);
    wrong("phases", "there are 0 `phases`: 1 to 30", |it| it.phases.clear());
    wrong("source.by", "is empty", |it| it.source.by = String::new());
    wrong("source.url", "https://", |it| it.source.url = "http://example.fi".into());
    wrong("source.url", "https://", |it| it.source.url = "https://".into());
    wrong("source.url", "https://", |it| it.source.url = "https://a b".into());
    right(|it| it.source.url = "https://example.fi/x".into());
}

#[test]
fn people_are_some_and_in_order() {
    wrong("people.min", "nobody talks alone: write 2 to 300", |it| it.people.min = 1);
    wrong("people.max", "no more than 300: write 2 to 300", |it| it.people.max = 301);
    wrong("people", "min ≤ ideal ≤ max", |it| it.people.ideal = 41);
    wrong("people", "min ≤ ideal ≤ max", |it| it.people.ideal = 5);
    wrong("phases.1.assign", "2 people may come, but this needs 3", |it| it.people.min = 2);
    right(|it| it.people.min = 3);
    right(|it| it.people.ideal = 6);
    right(|it| it.people.ideal = 40);
    wrong("phases.1.assign", "6 people may come, but this needs 7", |it| {
        it.phases[1].size = Some(8);
    });
    wrong("phases.2.assign", "5 people may come, but this needs 6", |it| {
        it.people.min = 5;
        it.phases[2].assign = Assign::Carousel;
    });
}

#[test]
fn ids_are_given_once() {
    wrong("phases.2.id", "`four` is the id of an earlier one", |it| {
        it.phases[2].id = "four".into();
    });
    wrong("roles.1.id", "`host` is the id of an earlier one", |it| {
        it.roles[1].id = "host".into();
    });
    wrong("cycles.1.id", "`again` is the id of an earlier one", |it| {
        it.phases[1].cycle = Some("again".into());
        it.cycles = vec![cycle(Some(2), None); 2];
    });
}

#[test]
fn rooms_have_a_size_where_they_are_made() {
    let message = "phases.1.size: `size` is 12, but a room holds at most 8 people: write 2 to 8";
    assert_eq!(faults(|it| it.phases[1].size = Some(12)), [message]);
    wrong("phases.1.size", "`size` is 1: write 2 to 8", |it| it.phases[1].size = Some(1));
    wrong("phases.1.size", "`size` is 9", |it| {
        it.phases[1].size = Some(9);
        it.phases[2].assign = Assign::Carousel;
    });
    wrong("phases.1.size", "is missing", |it| it.phases[1].size = None);
    wrong("phases.0.size", "no meaning", |it| it.phases[0].size = Some(4));
    wrong("phases.2.size_max", "no meaning", |it| it.phases[2].size_max = Some(4));
    wrong("phases.1.size_min", "write 2 to 4", |it| it.phases[1].size_min = Some(5));
    wrong("phases.1.size_max", "write 4 to 8", |it| it.phases[1].size_max = Some(3));
    wrong("phases.1.size_max", "write 4 to 8", |it| it.phases[1].size_max = Some(9));
    wrong("phases.1.size", "no other size", |it| {
        it.phases[1].size_min = Some(4);
        it.phases[1].size_max = Some(4);
    });
    wrong("phases.1.size", "no other size", |it| {
        (it.phases[1].size, it.phases[1].size_max) = (Some(2), Some(2));
    });
    wrong("phases.1.size", "no other size", |it| {
        it.people.min = 8;
        (it.phases[1].size, it.phases[1].size_min) = (Some(8), Some(8));
    });
    right(|it| it.phases[1].size = Some(2));
    wrong("phases.2.seats", "is missing", |it| it.phases[2].assign = Assign::Seats);
    wrong("phases.2.seats", "no meaning", |it| it.phases[2].seats = Some(4));
    let seats = |seats| {
        move |it: &mut Method| {
            it.phases[2].assign = Assign::Seats;
            it.phases[2].seats = Some(seats);
        }
    };
    wrong("phases.2.seats", "`seats` is 8: write 2 to 7", seats(8));
    right(seats(7));
}

#[test]
fn rooms_that_are_taken_up_exist() {
    let back = |to: &'static str| {
        move |it: &mut Method| {
            it.phases[2].assign = Assign::Return;
            it.phases[2].rooms_of = Some(to.into());
        }
    };
    right(back("four"));
    wrong("phases.2.rooms_of", "there is no phase `five`", back("five"));
    wrong("phases.2.rooms_of", "`all` does not come before", back("all"));
    wrong("phases.2.rooms_of", "`alone` makes no rooms", back("alone"));
    wrong("phases.2.rooms_of", "is missing", |it| it.phases[2].assign = Assign::Return);
    wrong("phases.2.rooms_of", "no meaning", |it| it.phases[2].rooms_of = Some("four".into()));
    for assign in [Assign::Travel, Assign::Carousel] {
        wrong("phases.0.assign", "sit in rooms", |it| it.phases[0].assign = assign);
        right(|it| it.phases[2].assign = assign);
        let after = |between: Assign| {
            move |it: &mut Method| {
                let mut next = it.phases[2].clone();
                (next.id, next.assign) = ("next".into(), assign);
                it.phases[2].assign = between;
                it.phases.push(next);
            }
        };
        wrong("phases.3.assign", "sit in rooms", after(Assign::Plenary));
        right(after(Assign::Solo));
        right(after(Assign::Same));
        // The second time, people come from the main room.
        let again = |first: usize, last: usize| {
            move |it: &mut Method| {
                (it.phases[0].assign, it.phases[0].size) = (Assign::Mix, Some(4));
                (it.phases[1].assign, it.phases[1].size) = (assign, None);
                it.cycles.push(cycle(Some(2), None));
                (first..=last).for_each(|at| it.phases[at].cycle = Some("again".into()));
            }
        };
        wrong("phases.1.assign", "sit in rooms", again(1, 2));
        right(again(0, 2));
        right(again(1, 1));
    }
    wrong("phases.0.assign", "nothing before it", |it| it.phases[0].assign = Assign::Same);
    right(|it| it.phases[2].assign = Assign::Same);
    right(|it| it.phases[0].assign = Assign::Free);
}

#[test]
fn what_merges_fits() {
    let merge = |from: u8, to: u8| {
        move |it: &mut Method| {
            it.phases[1].size = Some(from);
            it.phases[2].assign = Assign::Merge;
            it.phases[2].size = Some(to);
        }
    };
    right(merge(2, 4));
    right(merge(3, 6));
    right(|it| {
        it.people.min = 7;
        merge(4, 8)(it);
    });
    wrong(
        "phases.2.size",
        "two rooms of 4 before it do not fit into one of at most 7",
        merge(4, 6),
    );
    wrong("phases.1.assign", "`merge` needs people who sit in rooms", |it| {
        it.phases[1].assign = Assign::Merge;
    });
    wrong("phases.2.rounds", "write `rounds` = 1", |it| {
        merge(2, 4)(it);
        it.phases[2].rounds = 2;
    });
    // Pairs, fours, the pairs again: these can be merged once more.
    let pairs_again = |it: &mut Method, to: &str| {
        merge(2, 4)(it);
        let mut back = it.phases[0].clone();
        (back.id, back.assign, back.rooms_of) = ("back".into(), Assign::Return, Some(to.into()));
        let mut fours = it.phases[2].clone();
        fours.id = "fours".into();
        it.phases.extend([back, fours]);
    };
    right(|it| pairs_again(it, "four"));
    wrong("phases.4.size", "two rooms of 4", |it| pairs_again(it, "all"));
}

#[test]
fn roles_can_be_given_out() {
    wrong("roles.0", "put it last", |it| {
        it.roles[0].count = None;
        it.roles[0].stays = false;
    });
    wrong("roles.1.stays", "nobody moves", |it| it.roles[1].stays = true);
    wrong("roles.0.count", "`count` is 0: write 1 to 8", |it| it.roles[0].count = Some(0));
    wrong("roles", "need 9 people", |it| it.roles[1].count = Some(8));
    right(|it| it.roles[1].count = Some(7));
    wrong("roles", "there are 9 `roles`", |it| {
        let one = it.roles[0].clone();
        let ones = (2..9).map(|at| Role { id: format!("host{at}"), ..one.clone() });
        it.roles.splice(1..1, ones);
    });
    let travel = |it: &mut Method| it.phases[2].assign = Assign::Travel;
    wrong("phases.2.assign", "needs a host", |it| {
        travel(it);
        it.roles[0].stays = false;
    });
    wrong("phases.2.assign", "needs a host", |it| {
        travel(it);
        it.roles[0].count = Some(2);
    });
    wrong("phases.2.assign", "needs a host", |it| {
        travel(it);
        (it.roles[1].count, it.roles[1].stays) = (Some(1), true);
    });
    let speaking = |phase: usize, role: &'static str| {
        move |it: &mut Method| it.phases[phase].speaking = vec![role.into()]
    };
    right(speaking(1, "host"));
    right(speaking(2, "host"));
    wrong("phases.1.speaking.0", "there is no role `guru`", speaking(1, "guru"));
    wrong("phases.0.speaking", "`silent` nobody is to speak", speaking(0, "host"));
    wrong("phases.0.speaking", "`solo` nobody is to speak", |it| {
        it.phases[0].turns = Turns::Free;
        speaking(0, "host")(it);
    });
    wrong("phases.0.speaking", "nobody has a role yet", |it| {
        (it.phases[0].turns, it.phases[0].assign) = (Turns::Free, Assign::Plenary);
        speaking(0, "host")(it);
    });
}

#[test]
fn cycles_are_whole_and_end() {
    let again = |made: Cycle, phases: &'static [usize]| {
        move |it: &mut Method| {
            it.cycles.push(made);
            phases.iter().for_each(|at| it.phases[*at].cycle = Some("again".into()));
        }
    };
    right(again(cycle(Some(2), None), &[0, 1]));
    right(again(cycle(Some(20), None), &[2]));
    wrong("cycles.0.times", "write 2 to 20", again(cycle(Some(1), None), &[2]));
    wrong("cycles.0.times", "write 2 to 20", again(cycle(Some(21), None), &[2]));
    wrong("cycles.0", "write one of them", again(cycle(None, None), &[2]));
    wrong("cycles.0", "write one of them", |it| {
        it.phases[2].assign = Assign::Same;
        again(cycle(Some(2), Some("host")), &[2])(it);
    });
    wrong("cycles.0", "no phase is in this cycle", again(cycle(Some(2), None), &[]));
    wrong("phases.2.cycle", "are apart", again(cycle(Some(2), None), &[0, 2]));
    wrong("phases.1.cycle", "there is no cycle `round`", |it| {
        it.phases[1].cycle = Some("round".into());
    });
    wrong("phases.2.rounds", "keep one", |it| {
        it.phases[2].rounds = 2;
        again(cycle(Some(2), None), &[2])(it);
    });
    wrong("cycles.0.id", "is not an id", |it| {
        again(cycle(Some(2), None), &[])(it);
        it.cycles[0].id = "A".into();
        it.phases[2].cycle = Some("A".into());
    });
    wrong("cycles", "there are 11 `cycles`", |it| {
        let end = it.phases[2].clone();
        for at in 0..11 {
            let id = format!("c{at}");
            it.phases.push(Phase { id: id.clone(), cycle: Some(id.clone()), ..end.clone() });
            it.cycles.push(Cycle { id, ..cycle(Some(2), None) });
        }
    });
    wrong("phases.1.rounds", "`rounds` is 0: write 1 to 20", |it| it.phases[1].rounds = 0);
    wrong("phases.1.rounds", "write 1 to 20", |it| it.phases[1].rounds = 21);
    let same = |made: Cycle| {
        move |it: &mut Method| {
            it.phases[2].assign = Assign::Same;
            again(made, &[2])(it);
        }
    };
    right(same(cycle(None, Some("host"))));
    wrong("cycles.0.each", "there is no role `guru`", same(cycle(None, Some("guru"))));
    wrong("cycles.0.each", "`guest` once", same(cycle(None, Some("guest"))));
    wrong("phases.2.assign", "its rooms must last", again(cycle(None, Some("host")), &[2]));
    wrong("phases.1.assign", "its rooms must last", again(cycle(None, Some("host")), &[1]));
    wrong("phases.0.assign", "right before it", again(cycle(None, Some("host")), &[0]));
}

#[test]
fn every_phase_ends() {
    wrong("phases.0", "nothing ends this phase", |it| it.phases[0].length_s = None);
    right(|it| (it.phases[0].length_s, it.phases[0].advance) = (None, Advance::Host));
    wrong("phases.0.length_s", "both given", |it| {
        it.phases[0].length_s_per_person = Some(60);
    });
    wrong("phases.0.length_s", "`length_s` is 9: write 10 to 14400", |it| {
        it.phases[0].length_s = Some(9);
    });
    wrong("phases.0.length_s", "more than 4 hours", |it| it.phases[0].length_s = Some(14_401));
    let each = |seconds| {
        move |it: &mut Method| {
            (it.phases[1].length_s, it.phases[1].length_s_per_person) = (None, Some(seconds));
        }
    };
    right(each(5));
    wrong("phases.1.length_s_per_person", "write 5 to 1800", each(4));
    wrong("phases.1.length_s_per_person", "write 5 to 1800", each(1_801));
    right(|it| {
        it.phases[0].length_s = Some(14_280);
        (it.phases[1].length_s, it.phases[1].rounds) = (Some(14_400), 2);
    });
    wrong("phases", "it lasts 13 hours with 12 people", |it| {
        (it.phases[1].length_s, it.phases[1].rounds) = (Some(14_400), 3);
    });
}

#[test]
fn turns_and_harvest_can_be_kept() {
    let turns = |phase: usize, turns| {
        move |it: &mut Method| {
            it.phases[phase].turns = turns;
            (it.phases[phase].length_s, it.phases[phase].length_s_per_person) = (None, Some(60));
        }
    };
    right(turns(1, Turns::Round));
    right(turns(2, Turns::Stick));
    wrong("phases.0.turns", "no order of turns in `solo`", turns(0, Turns::Stick));
    wrong("phases.1.length_s_per_person", "time of one turn", |it| {
        it.phases[1].turns = Turns::Round;
    });
    wrong("phases.1.harvest", "no cards", |it| it.phases[1].harvest = Harvest::Score);
    wrong("phases.1.harvest", "written alone", |it| it.phases[1].harvest = Harvest::Card);
    wrong("phases.0.harvest", "use `note`", |it| it.phases[0].harvest = Harvest::Line);
    let scribe = |phase: usize, role: &'static str| {
        move |it: &mut Method| {
            it.phases[phase].scribe = Some(Scribe { role: role.into(), alone: false });
            (it.phases[phase].harvest, it.phases[phase].assign) = match phase {
                1 => (Harvest::Line, Assign::Mix),
                _ => (Harvest::Line, Assign::Plenary),
            };
        }
    };
    right(scribe(1, "host"));
    right(scribe(2, "host"));
    wrong("phases.1.scribe.role", "there is no role `guru`", scribe(1, "guru"));
    wrong("phases.0.scribe", "nobody has a role yet", |it| {
        scribe(0, "host")(it);
        it.phases[0].turns = Turns::Free;
    });
    wrong("phases.2.scribe", "a room writes with the harvest `line`", |it| {
        it.phases[2].scribe = Some(Scribe { role: "host".into(), alone: true });
    });
    right(|it| {
        it.phases[0].harvest = Harvest::Card;
        it.phases[2].harvest = Harvest::Score;
    });
    right(|it| {
        it.phases[0].turns = Turns::Free;
        it.phases[0].harvest = Harvest::Card;
    });
    right(|it| (it.phases[2].turns, it.phases[2].harvest) = (Turns::Silent, Harvest::Card));
}

#[test]
fn ideas_have_people_before_them_and_votes_have_ideas() {
    let chain = |it: &mut Method| {
        (it.phases[0].harvest, it.phases[1].harvest) = (Harvest::Ideas, Harvest::Ideas);
        it.phases[1].choose = Some(2);
        it.phases[2].harvest = Harvest::Votes;
        it.phases[2].vote = Some(Vote { each: 3, same: 3, own: Some(0), hidden: true });
    };
    let but = |change: fn(&mut Method)| {
        move |it: &mut Method| {
            chain(it);
            change(it);
        }
    };
    let vote = |it: &mut Method| it.phases[2].vote.clone().expect("a vote");
    right(chain);
    right(but(|it| it.phases[0].assign = Assign::Plenary));
    wrong("phases.2.harvest", "let rooms come first", |it| {
        it.phases[2].harvest = Harvest::Ideas;
    });
    right(|it| (it.phases[2].harvest, it.phases[2].assign) = (Harvest::Ideas, Assign::Free));
    wrong("phases.0.transcribe", "written down", but(|it| it.phases[0].transcribe = false));
    wrong("phases.1.choose", "write 1 to 5", but(|it| it.phases[1].choose = Some(6)));
    wrong("phases.0.choose", "rooms choose", but(|it| it.phases[0].choose = Some(1)));
    wrong("phases.2.harvest", "nothing to vote on", but(|it| it.phases[1].choose = None));
    wrong("phases.2.vote", "is missing", but(|it| it.phases[2].vote = None));
    wrong("phases.2.vote", "no meaning", but(|it| it.phases[2].harvest = Harvest::Speech));
    wrong("phases.2.assign", "all vote together", but(|it| it.phases[2].assign = Assign::Same));
    let of = |change: fn(&mut Vote)| {
        move |it: &mut Method| {
            chain(it);
            let mut changed = vote(it);
            change(&mut changed);
            it.phases[2].vote = Some(changed);
        }
    };
    wrong("phases.2.vote.each", "write 1 to 20", of(|it| it.each = 21));
    wrong("phases.2.vote.same", "write 1 to 3", of(|it| it.same = 4));
    wrong("phases.2.vote.own", "write 0 to 3", of(|it| it.own = Some(4)));
    right(of(|it| (it.same, it.own, it.hidden) = (1, None, false)));
}

#[test]
fn a_hopeless_document_is_told_its_first_faults_only() {
    let found = faults(|it| {
        it.phases = vec![it.phases[0].clone(); 400];
        it.phases.iter_mut().for_each(|it| it.length_s = Some(u32::MAX));
    });
    assert_eq!(found.len(), FAULTS_MAX);
    assert!(found[0].contains("there are 400 `phases`: 1 to 30"), "{}", found[0]);
}
