//! Stories of a room that writes together: Alice and Bob write at the same place, Chao comes late, the
//! server is restarted, the next group finds what lies on the table, and Mallory sends what no page would.

use insta::assert_snapshot;
use vuoro::domain::{
    fact::Fact,
    ids::{ConnectionId, RoomId},
    limits::{
        OVERVIEW_EVERY_MS, POSTS_WITHIN_MS, SHEET_CHARS_MAX, SHEET_QUIET_MS,
        SHEET_WRITTEN_EVERY_MS, TYPED_PERSON_MAX, TYPED_PHASE_BYTES_MAX,
    },
    message::{Message, SheetView},
    method::{Assign, Harvest, Method, Scribe, check},
    rejection::Rejection,
    run::RunOptions,
    session::Wish,
};

use crate::{
    leaf::Leaf,
    stage::{ONE, Person, Stage},
};

fn method(id: &str) -> Method {
    let path = format!("{}/models/methods/{id}.toml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|it| panic!("{path}: {it}"));
    toml::from_str(&text).unwrap_or_else(|it| panic!("{path}: {it}"))
}

/// Rooms of two write together, for long; then all are together.
fn in_pairs() -> Method {
    let mut method = method("me-we-all");
    let mut pairs = method.phases.iter().find(|it| it.harvest == Harvest::Line).unwrap().clone();
    (pairs.assign, pairs.size, pairs.size_min, pairs.size_max) = (Assign::Mix, Some(2), None, None);
    (pairs.length_s, pairs.length_s_per_person, pairs.scribe) = (Some(3_600), None, None);
    let mut all = pairs.clone();
    (all.id, all.assign, all.size, all.harvest) =
        ("all".into(), Assign::Plenary, None, Harvest::Speech);
    (method.phases, method.roles, method.cycles) = (vec![pairs, all], Vec::new(), Vec::new());
    method
}

fn runs(stage: &mut Stage, host: ConnectionId, method: &Method) {
    assert_eq!(check::check(method), [], "the story's method is right");
    let options = RunOptions { seed: 7, warn_ms: 30_000, ..RunOptions::default() };
    stage.wish(host, Wish::RunMethod { method: Box::new(method.clone()), options });
}

fn stage_of(names: &[&str], method: &Method) -> (Stage, Vec<Person>, ConnectionId) {
    let mut stage = Stage::open();
    let people = names.iter().map(|it| stage.join(it)).collect();
    let host = stage.host();
    stage.wait(OVERVIEW_EVERY_MS);
    stage.hush();
    runs(&mut stage, host, method);
    (stage, people, host)
}

/// The sheet that a page was told last.
fn leaf(stage: &Stage, person: Person) -> Leaf {
    let told = stage.news_of(person.page);
    let sheet = told.iter().rev().find_map(|it| match it {
        Message::Sheet(view) => Some(view),
        _ => None,
    });
    Leaf::of(70_000 + person.page.0, sheet.expect("the page is told of its sheet"))
}

/// The sheets that a page was told of, in their order.
fn sheets(stage: &Stage, person: Person) -> Vec<SheetView> {
    let told = stage.news_of(person.page).into_iter();
    told.filter_map(|it| match it {
        Message::Sheet(view) => Some(view),
        _ => None,
    })
    .collect()
}

/// Types on one's own leaf and to the room; whoever is told takes it in.
fn types(stage: &mut Stage, by: (Person, &Leaf), at: usize, words: &str) -> Vec<u8> {
    let update = by.1.types(at, words);
    by.1.hears(&update);
    stage.wish(by.0.page, Wish::Type { sheet: by.1.number, update: update.clone() });
    update
}

fn hears(stage: &Stage, person: Person, leaf: &Leaf) {
    for message in stage.news_of(person.page) {
        if let Message::Typed { sheet, update, .. } = message {
            assert_eq!(sheet, leaf.number);
            leaf.hears(&update);
        }
    }
}

fn room_of(stage: &Stage, person: Person) -> RoomId {
    let rooms = stage.session.overview(stage.now).rooms;
    let there = rooms.iter().find(|it| it.people.iter().any(|it| it.participant == person.seat));
    there.expect("everybody is somewhere").room
}

/// What was written down whole last, for a room.
fn written(stage: &Stage, room: RoomId) -> Option<String> {
    stage.facts.iter().rev().find_map(|it| match &it.1 {
        Fact::Wrote { room: there, text, .. } if *there == room => Some(text.clone()),
        _ => None,
    })
}

#[test]
fn two_write_at_the_same_place_and_who_comes_late_reads_both() {
    let (mut stage, people, _) = stage_of(&["Alice", "Bob"], &in_pairs());
    let [alice, bob] = people[..] else { panic!("two people") };
    let (hers, his) = (leaf(&stage, alice), leaf(&stage, bob));
    stage.hush();
    // Both before they have heard of the other.
    let update = his.types(0, "Penkkejä. ");
    types(&mut stage, (alice, &hers), 0, "Lisää puita. ");
    assert!(stage.told(alice.page).is_empty(), "her own change is no news to her");
    his.hears(&update);
    stage.wish(bob.page, Wish::Type { sheet: his.number, update });
    hears(&stage, alice, &hers);
    stage.hush();
    let both = hers.reads();
    assert!(both.contains("Lisää puita. ") && both.contains("Penkkejä. "), "{both}");

    let chao = stage.join("Chao");
    assert_eq!(leaf(&stage, chao).reads(), both);
    // It is written down whole when nobody has typed for a moment, and once.
    assert_eq!(written(&stage, ONE), None);
    stage.wait(SHEET_QUIET_MS);
    assert_eq!(written(&stage, ONE), Some(both));
    let facts = stage.facts.len();
    stage.wait(60_000);
    assert_eq!(stage.facts.len(), facts, "nobody has changed it since");
}

#[test]
fn a_sheet_that_is_always_changed_is_written_down_all_the_same() {
    let (mut stage, people, _) = stage_of(&["Alice", "Bob"], &in_pairs());
    let hers = leaf(&stage, people[0]);
    for _ in 0..SHEET_WRITTEN_EVERY_MS / 1_000 + 1 {
        types(&mut stage, (people[0], &hers), 0, "sana ");
        stage.wait(1_000);
    }
    let wrote = stage.facts.iter().filter(|it| matches!(it.1, Fact::Wrote { .. })).count();
    assert_eq!(wrote, 1);
}

#[test]
fn a_restart_loses_no_letter_and_pages_go_on_where_they_were() {
    let (mut stage, people, _) = stage_of(&["Alice", "Bob"], &in_pairs());
    let hers = leaf(&stage, people[0]);
    types(&mut stage, (people[0], &hers), 0, "Lisää puita");
    // Killed in the middle of a word, before anything was written down whole.
    stage.restart();
    let alice = stage.rejoin(people[0]);
    let told = leaf(&stage, alice);
    assert_eq!((told.reads(), told.number), ("Lisää puita".into(), hers.number));
    // What she typed meanwhile, on the leaf she had, comes now.
    types(&mut stage, (alice, &hers), 11, " ja penkkejä");
    let bob = stage.rejoin(people[1]);
    assert_eq!(leaf(&stage, bob).reads(), "Lisää puita ja penkkejä");
    stage.hush();
    let host = stage.host();
    stage.wish(host, Wish::Next { at_once: true });
    assert_eq!(
        written(&stage, ONE),
        Some("Lisää puita ja penkkejä".into()),
        "before the step ends"
    );
    let brought = stage.news_of(bob.page).into_iter().find_map(|it| match it {
        Message::Harvest(harvest) => Some(harvest.lines),
        _ => None,
    });
    assert_eq!(brought, Some(vec![(ONE, "Lisää puita ja penkkejä".into())]));
}

#[test]
fn who_types_on_a_sheet_that_lies_there_no_more_is_told_of_the_one_that_does() {
    let (mut stage, people, _) = stage_of(&["Alice", "Bob"], &in_pairs());
    let hers = leaf(&stage, people[0]);
    stage.hush();
    let update = hers.types(0, "Hei");
    let old = hers.number + 1;
    stage.wish(people[0].page, Wish::Type { sheet: old, update: update.clone() });
    assert_eq!(stage.news(), "Alice <- sheet: ");
    // A change that came twice, as when a line breaks: the page compares, and sends what is missing.
    stage.wish(people[0].page, Wish::Type { sheet: hers.number, update: update.clone() });
    stage.hush();
    stage.wish(people[0].page, Wish::Type { sheet: hers.number, update });
    assert_snapshot!(stage.news(), @"Alice <- sheet: Hei");
}

#[test]
fn what_no_page_sends_and_what_is_too_much_is_refused_and_told() {
    let (mut stage, people, _) = stage_of(&["Alice", "Bob"], &in_pairs());
    let [alice, bob] = people[..] else { panic!("two people") };
    let (hers, his) = (leaf(&stage, alice), leaf(&stage, bob));
    stage.hush();
    stage.wish(alice.page, Wish::Type { sheet: hers.number, update: vec![0xff; 40] });
    assert_eq!(stage.news(), "Alice <- no: bad-text\nAlice <- sheet, afresh: ");
    let page = "ä".repeat(SHEET_CHARS_MAX);
    types(&mut stage, (alice, &hers), 0, &page);
    hears(&stage, bob, &his);
    stage.hush();
    let more = his.types(0, "x");
    stage.wish(bob.page, Wish::Type { sheet: his.number, update: more });
    let told = stage.news();
    assert!(told.starts_with("Bob <- no: sheet-full\nBob <- sheet, afresh: ää"), "{told}");
    assert_eq!(written(&stage, ONE), None);

    // More at once than a hand types.
    stage.wait(POSTS_WITHIN_MS);
    let nothing = || Wish::Type { sheet: hers.number, update: vec![0, 0] };
    stage.hush();
    (0..TYPED_PERSON_MAX).for_each(|_| stage.wish(alice.page, nothing()));
    assert!(!stage.told(alice.page).contains("too-fast"));
    stage.wish(alice.page, nothing());
    assert_snapshot!(stage.told(alice.page), @"Alice <- no: too-fast");
}

/// Mallory's letter says that it comes after the fifth and before the second: who hears it as it is typed
/// reads it in another place than who comes later.
#[test]
fn what_pages_read_in_two_ways_is_laid_out_anew_for_all_when_it_is_written_down() {
    let (mut stage, people, _) = stage_of(&["Alice", "Mallory"], &in_pairs());
    let [alice, mallory] = people[..] else { panic!("two people") };
    let hers = leaf(&stage, alice);
    let client = [0xf2, 0xa2, 0x04];
    let word = [&[1, 2][..], &client, &[0, 4, 1, 4], b"text", &[9], b"sana sana"].concat();
    let letter = [&[0xc4][..], &client, &[4], &client, &[1, 1], b"x", &[0]].concat();
    let update = [word, letter].concat();
    stage.hush();
    stage.wish(mallory.page, Wish::Type { sheet: hers.number, update });
    hears(&stage, alice, &hers);
    let bob = stage.join("Bob");
    assert_ne!(leaf(&stage, bob).reads(), hers.reads());
    stage.hush();
    stage.wait(SHEET_QUIET_MS);
    let all = [alice, bob, mallory].map(|it| leaf(&stage, it));
    assert!(all.iter().all(|it| Some(it.reads()) == written(&stage, ONE)));
    assert!(all.iter().all(|it| it.number != hers.number));
    stage.hush();
    stage.restart();
    let alice = stage.rejoin(alice);
    let again = leaf(&stage, alice);
    assert_eq!((again.reads(), again.number), (all[0].reads(), all[0].number));
}

/// Whoever writes while the same text is laid out anew has heard all that stood on the sheet before, and
/// knows so what of theirs has not come there.
#[test]
fn a_sheet_that_was_changed_very_often_is_laid_out_anew_under_the_hands_of_all() {
    let (mut stage, people, _) = stage_of(&["Alice", "Bob"], &in_pairs());
    let [alice, bob] = people[..] else { panic!("two people") };
    let (hers, his) = (leaf(&stage, alice), leaf(&stage, bob));
    let since = hers.number;
    for turn in 0.. {
        stage.hush();
        let update = match turn % 2 {
            0 => hers.types(0, &"x".repeat(SHEET_CHARS_MAX)),
            _ => hers.takes(0, SHEET_CHARS_MAX),
        };
        hers.hears(&update);
        stage.wish(alice.page, Wish::Type { sheet: hers.number, update });
        stage.wait(SHEET_QUIET_MS);
        hears(&stage, bob, &his);
        if let [view] = &sheets(&stage, bob)[..] {
            assert_eq!(sheets(&stage, alice).first(), Some(view));
            assert_ne!(view.number, hers.number);
            assert_eq!((view.since, view.afresh), (since, false), "the same text");
            assert_eq!(Leaf::of(80_000, view).reads(), his.reads(), "he has heard all of it");
            break;
        }
        assert!(turn < 1_000, "it never is");
    }
    let chao = stage.join("Chao");
    let told = sheets(&stage, chao);
    assert_eq!(told.last().map(|it| it.since), Some(since), "also after it has been laid out anew");
    // As long as the session lives, and in the session after a restart, the number is the same.
    let number = leaf(&stage, chao).number;
    stage.restart();
    let bob = stage.rejoin(bob);
    assert_eq!(leaf(&stage, bob).number, number);
}

/// A text in place of all that stood there: what others had beside belongs to the one before.
#[test]
fn a_text_in_place_of_all_is_another_sheet() {
    let (mut stage, people, _) = stage_of(&["Alice", "Bob"], &in_pairs());
    let (alice, bob) = (people[0], people[1]);
    let hers = leaf(&stage, alice);
    types(&mut stage, (alice, &hers), 0, "Puita");
    stage.hush();
    stage.wish(bob.page, Wish::Write { text: "Penkkejä".into(), at: None });
    let now = sheets(&stage, alice).pop().expect("she is told of it");
    assert_eq!(Leaf::of(80_000, &now).reads(), "Penkkejä");
    assert!(hers.number < now.since && now.since == now.number, "{now:?}");
}

#[test]
fn nobody_brings_more_into_the_log_than_a_hand_types() {
    let (mut stage, people, _) = stage_of(&["Alice", "Bob"], &in_pairs());
    let alice = people[0];
    let mut hers = leaf(&stage, alice);
    let page = "😀".repeat(SHEET_CHARS_MAX);
    let mut bytes = 0;
    loop {
        stage.hush();
        let update = match hers.reads().is_empty() {
            true => hers.types(0, &page),
            false => hers.takes(0, 2 * SHEET_CHARS_MAX),
        };
        bytes += update.len();
        hers.hears(&update);
        stage.wish(alice.page, Wish::Type { sheet: hers.number, update });
        match &stage.news_of(alice.page)[..] {
            [] => (),
            [Message::Sheet(anew)] => hers = Leaf::of(80_000 + u64::from(anew.number), anew),
            told => {
                assert!(matches!(told[0], Message::Rejected(Rejection::NotNow)), "{told:?}");
                break;
            }
        }
        assert!(bytes <= TYPED_PHASE_BYTES_MAX);
        stage.wait(500);
    }
    assert!(TYPED_PHASE_BYTES_MAX / 2 < bytes, "{bytes}");
}

#[test]
fn nobody_types_where_no_room_writes() {
    let mut method = in_pairs();
    method.phases[0].harvest = Harvest::Note;
    let (mut stage, people, _) = stage_of(&["Alice", "Bob"], &method);
    stage.hush();
    let update = vec![0, 0];
    stage.wish(people[0].page, Wish::Type { sheet: 1, update: update.clone() });
    assert_snapshot!(stage.news(), @"Alice <- no: not-now");
}

#[test]
fn where_the_scribe_writes_alone_the_others_only_read() {
    let mut pairs = in_pairs();
    pairs.roles = method("me-we-all").roles;
    let role = pairs.roles[0].id.clone();
    pairs.phases[0].scribe = Some(Scribe { role, alone: true });
    let (mut stage, people, _) = stage_of(&["Alice", "Bob"], &pairs);
    let roles = stage.facts.iter().rev().find_map(|it| match &it.1 {
        Fact::StepBegan(began) => Some(began.roles.clone()),
        _ => None,
    });
    let scribe = roles.unwrap().into_iter().find(|it| it.1 == 0).expect("one has the role").0;
    let writes = *people.iter().find(|it| it.seat == scribe).unwrap();
    let reads = *people.iter().find(|it| it.seat != scribe).unwrap();
    let (hers, his) = (leaf(&stage, writes), leaf(&stage, reads));
    stage.hush();
    types(&mut stage, (writes, &hers), 0, "Muistiin");
    hears(&stage, reads, &his);
    assert_eq!(his.reads(), "Muistiin");
    stage.hush();
    let update = his.types(0, "x");
    stage.wish(reads.page, Wish::Type { sheet: his.number, update });
    assert!(stage.told(reads.page).contains("no: not-allowed"));
    stage.wish(reads.page, Wish::Write { text: "x".into(), at: None });
    assert!(stage.told(reads.page).contains("no: not-allowed"));
}

/// The café: what a table has written lies there for the next who come, and all of it comes to all.
#[test]
fn the_next_group_finds_what_the_table_has_written() {
    let names: Vec<_> = (0..12).map(|it| format!("Guest{it}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let cafe = method("world-cafe");
    let (mut stage, people, host) = stage_of(&names, &cafe);
    let harvest = |stage: &Stage| {
        let place = stage.session.overview(stage.now).run.map(|it| it.place);
        place.map(|it| cafe.phases[usize::from(it.phase)].harvest)
    };
    while harvest(&stage) != Some(Harvest::Line) {
        stage.hush();
        stage.wish(host, Wish::Next { at_once: true });
    }
    let mut rounds = 0;
    while harvest(&stage) == Some(Harvest::Line) {
        rounds += 1;
        for person in &people {
            let room = room_of(&stage, *person);
            let own = leaf(&stage, *person);
            // Whoever writes in a round, all of earlier rounds is there.
            for before in 1..rounds {
                assert!(own.reads().contains(&format!("{room} kierros {before}")));
            }
        }
        let mut done = std::collections::BTreeSet::new();
        for person in &people {
            let room = room_of(&stage, *person);
            if done.insert(room) {
                let own = leaf(&stage, *person);
                let end = own.reads().chars().count();
                types(&mut stage, (*person, &own), end, &format!("{room} kierros {rounds}\n"));
            }
        }
        stage.hush();
        stage.wish(host, Wish::Next { at_once: true });
    }
    assert!(1 < rounds, "people went on to other tables");
}
