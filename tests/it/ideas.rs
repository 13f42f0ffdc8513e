//! Stories of ideas: six people write alone, combine and choose in rooms, and vote together. What each
//! sees on the way, whose names stand beside, and that a crash loses nothing of it.

use vuoro::domain::{
    fact::{Consent, Fact},
    ideas::{Command, IdeaId, IdeaView, Stage as Phase, Tally},
    ids::{ConnectionId, ParticipantId},
    limits::STEP_EVERY_MS,
    message::Message,
    method::Method,
    run::RunOptions,
    session::Wish,
};

use crate::stage::{Person, Stage};

fn tuplatiimi() -> Method {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/models/methods/tuplatiimi.toml");
    toml::from_str(&std::fs::read_to_string(path).expect("a file")).expect("a method")
}

/// What a page was shown last of ideas: the stage, the ideas, and the names that may be known.
fn shown(
    stage: &Stage,
    page: ConnectionId,
) -> (Phase, Vec<IdeaView>, Vec<(ParticipantId, String)>) {
    let told = stage.news_of(page).into_iter().rev();
    let mut views = told.filter_map(|it| match it {
        Message::Ideas { view, names } => Some((view.stage, view.ideas, names)),
        _ => None,
    });
    views.next().expect("ideas were shown")
}

fn texts(stage: &Stage, person: Person) -> Vec<String> {
    shown(stage, person.page).1.into_iter().map(|it| it.text).collect()
}

fn asks(stage: &mut Stage, person: Person, command: Command) {
    stage.wish(person.page, Wish::Ideas(command));
}

fn writes(stage: &mut Stage, person: Person, text: &str) {
    asks(stage, person, Command::Write { idea: None, text: text.to_owned() });
}

fn next(stage: &mut Stage, host: ConnectionId) {
    stage.hush();
    stage.wish(host, Wish::Next { at_once: true });
}

/// Alice to Fatima with an idea each, in their pairs. Bob has not agreed that his words are kept.
fn in_pairs() -> (Stage, Vec<Person>, ConnectionId) {
    let mut stage = Stage::open();
    let names = ["Alice", "Bob", "Chao", "Dana", "Eero", "Fatima"];
    let mut people: Vec<_> = names.iter().map(|it| stage.join(it)).collect();
    stage.consents(people[1], Consent::Declined);
    let host = stage.host();
    let options = RunOptions { seed: 7, warn_ms: 30_000, ..RunOptions::default() };
    stage.wish(host, Wish::RunMethod { method: Box::new(tuplatiimi()), options });
    for (person, name) in people.clone().into_iter().zip(names) {
        writes(&mut stage, person, &format!("  {name}'s\n idea "));
        assert_eq!(texts(&stage, person), [format!("{name}'s idea")], "and nobody else's");
    }
    let early = shown(&stage, people[0].page);
    assert_eq!(early.0, Phase::Alone);
    // The server is killed, and everybody comes back.
    stage.restart();
    people = people.into_iter().map(|it| stage.rejoin(it)).collect();
    stage.consents(people[1], Consent::Declined);
    let host = stage.host();
    assert_eq!(texts(&stage, people[3]), ["Dana's idea"]);
    next(&mut stage, host);
    (stage, people, host)
}

/// Who sits with Alice.
fn beside(stage: &Stage, people: &[Person]) -> Person {
    let all = stage.session.overview(stage.now).rooms;
    let holds = |who: Person| {
        all.iter().position(|it| it.people.iter().any(|it| it.participant == who.seat))
    };
    let found = people[1..].iter().find(|it| holds(**it) == holds(people[0]));
    *found.expect("nobody is alone")
}

#[test]
fn an_idea_goes_from_one_to_all_and_is_traced_back() {
    let (mut stage, people, host) = in_pairs();
    let alice = people[0];
    let friend = beside(&stage, &people);
    let (phase, ideas, _) = shown(&stage, alice.page);
    assert_eq!((phase, ideas.len()), (Phase::Room, 2));
    let both: Vec<_> = ideas.iter().map(|it| it.idea).collect();
    asks(&mut stage, friend, Command::Combine { ideas: both, text: "Ours".into() });
    assert_eq!(texts(&stage, alice), ["Ours"], "the room sees it at once");
    let ours = shown(&stage, alice.page).1[0].idea;
    asks(&mut stage, alice, Command::Choose { idea: ours, on: true });
    assert!(shown(&stage, friend.page).1[0].chosen);
    for person in &people {
        let (_, ideas, _) = shown(&stage, person.page);
        if let Some(own) = ideas.iter().find(|it| it.mine && it.from.is_empty()) {
            asks(&mut stage, *person, Command::Choose { idea: own.idea, on: true });
        }
    }
    next(&mut stage, host);
    let (phase, presented, names) = shown(&stage, alice.page);
    assert_eq!((phase, presented.len()), (Phase::Result, 5));
    assert!(presented.iter().all(|it| it.votes.is_none()), "nobody has been asked yet");
    assert!(!names.iter().any(|it| it.1 == "Bob"), "he has not agreed: {names:?}");

    next(&mut stage, host);
    assert_eq!(shown(&stage, alice.page).0, Phase::Vote);
    for person in &people {
        asks(&mut stage, *person, Command::Vote { idea: ours, votes: 1 });
    }
    asks(&mut stage, alice, Command::Vote { idea: ours, votes: 2 });
    assert!(
        stage
            .news_of(alice.page)
            .contains(&Message::Rejected(vuoro::domain::rejection::Rejection::EnoughVotes))
    );
    stage.wait(STEP_EVERY_MS);
    let told = |page| stage.news_of(page).into_iter().any(|it| matches!(it, Message::Tally(_)));
    assert!(!people.iter().any(|it| told(it.page)), "hidden from people");
    let tally = Message::Tally(Tally { votes: vec![(ours, 6)], voters: 6 });
    assert!(stage.news_of(host).contains(&tally), "and not from the host");

    next(&mut stage, host);
    let (phase, result, names) = shown(&stage, people[5].page);
    assert_eq!((phase, result[0].idea, result[0].votes), (Phase::Result, ours, Some(6)));
    let name = |id: &ParticipantId| names.iter().find(|it| it.0 == *id).map(|it| it.1.clone());
    for source in &result[0].from {
        let writer = source.by.as_ref().and_then(name);
        match source.text.as_str() {
            "Bob's idea" => assert_eq!(writer, None),
            text => assert_eq!(writer.map(|it| format!("{it}'s idea")).as_deref(), Some(text)),
        }
    }
    assert_eq!(result[0].from.len(), 2);
}

#[test]
fn who_comes_late_brings_what_they_wrote() {
    let mut stage = Stage::open();
    let names = ["Alice", "Bob", "Chao", "Dana", "Eero", "Fatima", "Gus"];
    let people: Vec<_> = names.iter().map(|it| stage.join(it)).collect();
    let host = stage.host();
    let options = RunOptions { seed: 7, warn_ms: 30_000, ..RunOptions::default() };
    stage.wish(host, Wish::RunMethod { method: Box::new(tuplatiimi()), options });
    writes(&mut stage, people[6], "Late");
    stage.loses_connection(people[6]);
    stage.wait(30_000);
    next(&mut stage, host);
    let gus = stage.rejoin(people[6]);
    let late = texts(&stage, gus);
    assert!(late.contains(&"Late".to_owned()), "{late:?}");
    let sees = |it: &&Person| {
        let told = stage.news_of(it.page);
        told.iter().any(|it| {
            matches!(it, Message::Ideas { view, .. }
            if view.ideas.iter().any(|it| it.text == "Late"))
        })
    };
    assert!(people[..6].iter().filter(sees).count() >= 2, "those there see it at once");
}

#[test]
fn numbers_of_ideas_are_given_once_in_a_session() {
    let (mut stage, people, host) = in_pairs();
    let options = RunOptions { seed: 8, warn_ms: 30_000, ..RunOptions::default() };
    stage.wish(host, Wish::RunMethod { method: Box::new(tuplatiimi()), options });
    writes(&mut stage, people[2], "Another time");
    let last = stage.facts.iter().rev().find_map(|it| match &it.1 {
        Fact::Ideas(vuoro::domain::ideas::Change::Written { idea, .. }) => Some(*idea),
        _ => None,
    });
    assert_eq!(last, Some(IdeaId(7)));
    assert_eq!(texts(&stage, people[2]), ["Another time"], "the first run's are over");
}
