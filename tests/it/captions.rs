//! Stories of words on their way: who sees what is still being said and for how long, and who reads
//! along.

use insta::assert_snapshot;
use vuoro::domain::{
    fact::{Consent, GapReason},
    ids::{ConnectionId, RoomId},
    language::Language,
    limits::{EXPECTED_CHARS_MAX, GLOSSARY_CHARS_MAX},
    method::Assign,
    run::RunOptions,
    session::{Input, Wish},
    time::{SessionTime, Span},
};

use crate::stage::{ONE, Person, Stage, TWO};

/// What the person has said so far in that time (in ms) has been read.
fn is_saying(stage: &mut Stage, person: Person, (from, to): (u64, u64), text: &str) {
    stage.feed(Input::Partial {
        participant: person.seat,
        span: Span::new(SessionTime(from), SessionTime(to)),
        language: Language::Finnish,
        text: text.to_owned(),
    });
}

/// Ten seconds after Alice and Bob came, in a session with two open rooms.
fn alice_and_bob() -> (Stage, Person, Person, ConnectionId) {
    let mut stage = Stage::open();
    let host = stage.host();
    let [alice, bob] = ["Alice", "Bob"].map(|it| stage.join(it));
    stage.wish(host, Wish::OpenRooms { count: 2 });
    stage.wait(10_000);
    stage.hush();
    (stage, alice, bob, host)
}

#[test]
fn what_is_still_being_said_is_seen_and_never_kept() {
    let (mut stage, alice, _, _) = alice_and_bob();
    let facts = stage.facts.len();
    is_saying(&mut stage, alice, (5_000, 5_800), "I have");
    is_saying(&mut stage, alice, (5_000, 6_600), " I have a dream ");
    assert_snapshot!(stage.news(), @r"
    Alice <- Alice~ I have
    Bob <- Alice~ I have
    Alice <- Alice~ I have a dream
    Bob <- Alice~ I have a dream
    ");
    assert_eq!(stage.facts.len(), facts);
    stage.says(alice, 5_000..6_700, "I have a dream.");
    assert_snapshot!(stage.news(), @r"
    keep: Alice in main: I have a dream.
    Alice <- Alice: I have a dream.
    Bob <- Alice: I have a dream.
    ");
    // The final words have taken its place: there is nothing to take back.
    stage.consents(alice, Consent::OffTheRecord);
    assert!(!stage.news().contains('~'));
}

#[test]
fn what_turns_out_to_be_nothing_is_taken_back() {
    let (mut stage, alice, _, _) = alice_and_bob();
    is_saying(&mut stage, alice, (5_000, 5_800), "Thank");
    is_saying(&mut stage, alice, (5_000, 6_000), "");
    is_saying(&mut stage, alice, (5_000, 6_000), "");
    assert_snapshot!(stage.news(), @r"
    Alice <- Alice~ Thank
    Bob <- Alice~ Thank
    Alice <- Alice~ (nothing)
    Bob <- Alice~ (nothing)
    ");
    is_saying(&mut stage, alice, (7_000, 7_800), "So");
    stage.hush();
    let span = Span::new(SessionTime(7_000), SessionTime(8_000));
    let reason = GapReason::Backlog;
    stage.feed(Input::Unheard { participant: alice.seat, span, reason });
    assert_snapshot!(stage.news(), @r"
    Alice <- Alice~ (nothing)
    Bob <- Alice~ (nothing)
    keep: Alice in main: Backlog
    ");
}

#[test]
fn who_withdraws_takes_back_what_they_are_saying() {
    let (mut stage, alice, _, _) = alice_and_bob();
    is_saying(&mut stage, alice, (5_000, 5_800), "Between us");
    stage.hush();
    stage.consents(alice, Consent::OffTheRecord);
    assert_snapshot!(stage.news(), @r"
    listen: Alice off fi
    keep: Alice is off the record
    Alice <- main: Alice (off the record), Bob
    Bob <- main: Alice (off the record), Bob
    Alice <- Alice~ (nothing)
    Bob <- Alice~ (nothing)
    ");
    // What a worker was still busy with.
    is_saying(&mut stage, alice, (5_000, 6_600), "Between us, he");
    assert!(stage.is_silent());
    stage.consents(alice, Consent::On);
    stage.hush();
    is_saying(&mut stage, alice, (5_000, 6_600), "Between us, he");
    assert!(stage.is_silent(), "of before she agreed again");
}

#[test]
fn a_half_sentence_does_not_go_along_to_another_room() {
    let (mut stage, alice, _, host) = alice_and_bob();
    is_saying(&mut stage, alice, (9_000, 9_800), "Let us");
    stage.hush();
    stage.moves(host, alice, ONE);
    let news = stage.news();
    assert!(news.contains("Bob <- Alice~ (nothing)"), "{news}");
    is_saying(&mut stage, alice, (9_000, 9_900), "Let us go");
    assert!(stage.is_silent());
    is_saying(&mut stage, alice, (10_000, 10_900), "Here");
    assert_snapshot!(stage.news(), @"Alice <- Alice~ Here");
}

#[test]
fn who_came_later_does_not_see_what_was_begun_before() {
    let (mut stage, alice, _, _) = alice_and_bob();
    let chao = stage.join("Chao");
    stage.hush();
    is_saying(&mut stage, alice, (9_000, 9_800), "Before");
    assert_eq!(stage.told(chao.page), "");
    is_saying(&mut stage, alice, (9_000, 10_400), "Before and after");
    assert_eq!(stage.told(chao.page), "Chao <- Alice~ Before and after");
}

#[test]
fn a_host_reads_one_room_along_and_the_room_knows() {
    let (mut stage, alice, bob, host) = alice_and_bob();
    stage.moves(host, alice, ONE);
    stage.moves(host, bob, TWO);
    stage.wait(1_000);
    stage.hush();
    stage.wish(host, Wish::Follow { room: Some(ONE) });
    assert_snapshot!(stage.news(), @r"
    Alice <- room-1: Alice; read along
    Host <- follows room-1
    ");
    stage.says(alice, 10_500..10_900, "Before she read along.");
    is_saying(&mut stage, alice, (11_000, 11_800), "Now");
    stage.says(alice, 11_000..12_000, "Now she does.");
    stage.says(bob, 11_000..12_000, "Elsewhere.");
    assert_snapshot!(stage.told(host), @r"
    Host <- Alice~ Now
    Host <- Alice: Now she does.
    ");
    stage.wish(host, Wish::Follow { room: Some(TWO) });
    assert_snapshot!(stage.news(), @r"
    Alice <- room-1: Alice
    Bob <- room-2: Bob; read along
    Host <- follows room-2
    ");
    stage.wish(host, Wish::Follow { room: Some(TWO) });
    stage.wish(host, Wish::Follow { room: Some(RoomId::Breakout(9)) });
    assert_snapshot!(stage.news(), @"Host <- no: unknown-room");
    stage.feed(Input::Disconnected { connection: host });
    assert_snapshot!(stage.news(), @"Bob <- room-2: Bob");
}

#[test]
fn reading_along_ends_with_the_room_and_is_for_hosts_only() {
    let (mut stage, alice, _, host) = alice_and_bob();
    stage.wish(alice.page, Wish::Follow { room: Some(ONE) });
    assert_snapshot!(stage.news(), @"Alice <- no: not-allowed");
    stage.wish(host, Wish::Follow { room: Some(TWO) });
    stage.hush();
    stage.wish(host, Wish::OpenRooms { count: 1 });
    assert!(stage.told(host).contains("follows nobody"));
    stage.wish(host, Wish::Follow { room: None });
    assert!(stage.is_silent());
}

#[test]
fn nobody_reads_along_what_is_off_the_record() {
    let mut stage = Stage::open();
    let host = stage.host();
    let people: Vec<_> = ["Alice", "Bob", "Chao"].into_iter().map(|it| stage.join(it)).collect();
    let method = crate::talk::two_phases(false, Assign::Plenary);
    stage.wish(host, Wish::Follow { room: Some(RoomId::Main) });
    stage.wait(1_000);
    is_saying(&mut stage, people[0], (500, 900), "On");
    stage.hush();
    let options = Default::default();
    stage.wish(host, Wish::RunMethod { method: Box::new(method), options });
    let told = stage.told(host);
    assert!(told.contains("Host <- Alice~ (nothing)"), "{told}");
    assert!(told.contains("follows nobody"), "{told}");
    stage.wish(host, Wish::Follow { room: Some(RoomId::Main) });
    assert_snapshot!(stage.told(host), @"Host <- no: not-now");
}

#[test]
fn the_ears_are_told_which_words_to_expect() {
    let (mut stage, alice, _, host) = alice_and_bob();
    stage.wish(host, Wish::SetGlossary { text: "  Hyvinkää,\n Kivelä ".to_owned() });
    assert_snapshot!(stage.news(), @r"
    keep: glossary: Hyvinkää, Kivelä
    expect: Hyvinkää, Kivelä
    ");
    stage.wish(host, Wish::SetGlossary { text: "Hyvinkää, Kivelä".to_owned() });
    assert!(stage.told(host).is_empty());
    stage.wish(alice.page, Wish::SetGlossary { text: "Alice".to_owned() });
    assert_snapshot!(stage.news(), @"Alice <- no: not-allowed");
    let method = crate::talk::two_phases(true, Assign::Plenary);
    let options = RunOptions { question: "Miten jaksamme?".to_owned(), ..Default::default() };
    stage.wish(host, Wish::RunMethod { method: Box::new(method), options });
    let news = stage.news();
    assert!(news.contains("expect: Hyvinkää, Kivelä. Miten jaksamme?"), "{news}");
    // The log brings it back.
    stage.restart();
    stage.host();
    assert!(stage.news().contains("expect: Hyvinkää, Kivelä. Miten jaksamme?"));
}

#[test]
fn a_hostile_glossary_is_refused_and_what_is_expected_stays_bounded() {
    let (mut stage, _, _, host) = alice_and_bob();
    let longest = "ä".repeat(GLOSSARY_CHARS_MAX);
    for bad in [format!("{longest}ä"), "a\u{202e}b".to_owned(), "a\0b".to_owned()] {
        stage.wish(host, Wish::SetGlossary { text: bad });
        assert_eq!(stage.news(), "Host <- no: bad-text");
    }
    stage.wish(host, Wish::SetGlossary { text: longest });
    stage.hush();
    let method = crate::talk::two_phases(true, Assign::Plenary);
    let question = "ö".repeat(300);
    stage.wish(
        host,
        Wish::RunMethod {
            method: Box::new(method),
            options: RunOptions { question, ..Default::default() },
        },
    );
    let news = stage.news();
    let words = news.lines().find_map(|it| it.strip_prefix("expect: ")).expect("it is told");
    assert_eq!(words.chars().count(), EXPECTED_CHARS_MAX);
    assert!(words.starts_with('ä'), "the glossary comes first");
}
