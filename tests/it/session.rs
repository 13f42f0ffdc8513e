//! Stories of one session: Alice, Bob, Chao and Dana come, talk, are moved, change their minds and
//! go, and each line the session answers stands beside what they did.

use insta::assert_snapshot;
use vuoro::domain::{
    fact::{Consent, Fact, GapReason},
    ids::{ConnectionId, ParticipantId, RoomId},
    language::Language,
    limits::{
        BALANCE_AFTER_MS, BALANCE_EVERY_MS, BALANCE_VOICE_MIN_MS, BIG_ROOM_EVERY_MS,
        BREAKOUT_ROOMS_MAX, NAME_CHARS_MAX, OVERVIEW_EVERY_MS, ROOM_PEOPLE_MAX, SEAT_GRACE_MS,
        SEGMENT_CHARS_MAX, SESSION_PEOPLE_MAX, SESSION_SEATS_MAX, WATCHERS_MAX,
    },
    message::{Message, OwnTalk},
    session::{Input, Session, Wish},
    spoken::Spoken,
    time::SessionTime,
};

use crate::stage::{ONE, Person, Stage, TWO, span};

/// Alice and Bob in the main room, a host, and nothing yet to read.
fn alice_bob_and_a_host() -> (Stage, Person, Person, ConnectionId) {
    let mut stage = Stage::open();
    let (alice, bob) = (stage.join("Alice"), stage.join("Bob"));
    let host = stage.host();
    stage.wait(OVERVIEW_EVERY_MS);
    stage.hush();
    (stage, alice, bob, host)
}

/// The same with two rooms open.
fn with_two_rooms() -> (Stage, Person, Person, ConnectionId) {
    let (mut stage, alice, bob, host) = alice_bob_and_a_host();
    stage.wish(host, Wish::OpenRooms { count: 2 });
    stage.hush();
    (stage, alice, bob, host)
}

/// So many more people, who agreed to be transcribed.
fn crowd(stage: &mut Stage, count: usize) -> Vec<Person> {
    (0..count).map(|it| stage.join(&format!("Guest{it}"))).collect()
}

mod coming_and_going {
    use super::*;

    #[test]
    fn who_comes_is_welcomed_and_the_others_see_them() {
        let mut stage = Stage::open();
        let alice = stage.join("  Alice   Aalto ");
        assert_snapshot!(stage.news(), @r"
        keep: Alice Aalto joins, fi, on record
        keep: Alice Aalto in main
        media: Alice Aalto in main
        Alice   Aalto <- welcome p1 to Kevät (fi), main: Alice Aalto
        listen: Alice Aalto on fi
        ");
        stage.wish(alice.page, Wish::SetMicrophone(true));
        stage.hush();
        stage.enter(None, "Bob", Consent::Declined);
        assert_snapshot!(stage.news(), @r"
        keep: Bob joins, fi, declined
        keep: Bob in main
        media: Bob in main
        Bob <- welcome p2 to Kevät (fi), main: Alice Aalto (microphone), Bob (declined)
        Alice   Aalto <- main: Alice Aalto (microphone), Bob (declined)
        ");
    }

    #[test]
    fn a_microphone_and_a_camera_are_seen_by_the_room() {
        let (mut stage, alice, bob, _) = with_two_rooms();
        stage.wish(alice.page, Wish::SetMicrophone(true));
        stage.wish(alice.page, Wish::SetCamera(true));
        assert_snapshot!(stage.told(bob.page), @r"
        Bob <- main: Alice (microphone), Bob
        Bob <- main: Alice (microphone, camera), Bob
        ");
        // Nothing of it lasts.
        assert!(!stage.facts.iter().any(|it| SessionTime(OVERVIEW_EVERY_MS) < it.0));
    }

    #[test]
    fn who_leaves_frees_the_seat_and_is_told_nothing_more() {
        let (mut stage, alice, bob, _) = alice_bob_and_a_host();
        stage.voice(alice, true);
        stage.hush();
        stage.wish(alice.page, Wish::Leave);
        stage.says(bob, 100..200, "Did she go?");
        assert_snapshot!(stage.news(), @r"
        Alice is closed
        Bob <- Alice is silent
        Host <- Alice is silent
        keep: Alice out
        media: Alice out
        Bob <- main: Bob
        keep: Bob in main: Did she go?
        Bob <- Bob: Did she go?
        ");
        // The number stays hers.
        let again = stage.rejoin(alice);
        assert_eq!(again.seat, alice.seat);
    }

    #[test]
    fn a_seat_is_kept_for_the_grace_time() {
        let (mut stage, alice, bob, host) = with_two_rooms();
        stage.moves(host, alice, TWO);
        stage.moves(host, bob, TWO);
        stage.wish(alice.page, Wish::SetMicrophone(true));
        stage.voice(alice, true);
        stage.wait(BALANCE_EVERY_MS);
        stage.hush();
        stage.loses_connection(alice);
        assert_snapshot!(stage.news(), @r"
        Bob <- Alice is silent
        Host <- Alice is silent
        Bob <- room-2: Alice (away), Bob
        ");
        stage.wait(SEAT_GRACE_MS - 1);
        stage.hush();
        let again = stage.rejoin(alice);
        assert_eq!(again.seat, alice.seat);
        assert_snapshot!(stage.news(), @r"
        media: Alice in room-2
        Alice#2 <- welcome p1 to Kevät (fi), room-2: Alice, Bob
        Bob <- room-2: Alice, Bob
        ");
    }

    #[test]
    fn after_the_grace_time_they_have_left() {
        let (mut stage, alice, bob, host) = with_two_rooms();
        stage.moves(host, alice, TWO);
        stage.moves(host, bob, TWO);
        stage.wait(BALANCE_EVERY_MS);
        stage.loses_connection(alice);
        stage.wait(OVERVIEW_EVERY_MS);
        stage.hush();
        stage.wait(SEAT_GRACE_MS - OVERVIEW_EVERY_MS - 1);
        assert!(stage.is_silent());
        stage.wait(1);
        assert_snapshot!(stage.news(), @r"
        keep: Alice out
        media: Alice out
        Bob <- room-2: Bob
        ");
        // The same person, but the place in room 2 is gone.
        let again = stage.rejoin(alice);
        assert_eq!(again.seat, alice.seat);
        assert_snapshot!(
            stage.told(again.page),
            @"Alice#2 <- welcome p1 to Kevät (fi), main: Alice"
        );
    }

    #[test]
    fn the_same_person_in_a_second_tab_replaces_the_first() {
        let (mut stage, alice, bob, _) = alice_bob_and_a_host();
        stage.wish(alice.page, Wish::SetMicrophone(true));
        stage.voice(alice, true);
        stage.hush();
        let second = stage.rejoin(alice);
        assert_eq!(second.seat, alice.seat);
        assert_snapshot!(stage.news(), @r"
        Bob <- Alice is silent
        Host <- Alice is silent
        Alice <- no: replaced
        Alice is closed
        media: Alice in main
        Alice#2 <- welcome p1 to Kevät (fi), main: Alice, Bob
        Bob <- main: Alice, Bob
        ");
        stage.says(bob, 100..200, "Hei!");
        assert_snapshot!(stage.told(alice.page), @"");
        // The end of the first tab's socket is not the end of the person.
        stage.loses_connection(alice);
        assert!(stage.is_silent());
        stage.wish(alice.page, Wish::Leave);
        assert_snapshot!(stage.news(), @"Alice <- no: not-allowed");
    }

    #[test]
    fn a_seat_nobody_had_is_a_new_seat() {
        let mut stage = Stage::open();
        let alice = stage.enter(Some(ParticipantId(77)), "Alice", Consent::On).unwrap();
        assert_eq!(alice.seat, ParticipantId(1));
    }

    #[test]
    fn a_page_joins_once() {
        let (mut stage, alice, bob, host) = alice_bob_and_a_host();
        for page in [alice.page, host] {
            stage.feed(Input::Join {
                connection: page,
                seat: None,
                name: "Mallory".to_owned(),
                spoken: Spoken::Told(Language::Finnish),
                consent: Consent::On,
                tags: Default::default(),
            });
            stage.feed(Input::Watch { connection: page });
        }
        assert_snapshot!(stage.news(), @r"
        Alice <- no: not-allowed
        Alice <- no: not-allowed
        Host <- no: not-allowed
        Host <- no: not-allowed
        ");
        stage.says(bob, 100..200, "Still there?");
        assert_snapshot!(stage.told(alice.page), @"Alice <- Bob: Still there?");
    }

    #[test]
    fn names_are_shown_or_refused() {
        let longest = "ä".repeat(NAME_CHARS_MAX);
        let too_long = "ä".repeat(NAME_CHARS_MAX + 1);
        for good in ["Åsa", "O'Brien-Öberg", "  Li   Na ", "李娜", "Zoë 🌻", &longest] {
            assert!(Stage::open().enter(None, good, Consent::On).is_some(), "{good:?}");
        }
        let bad = [
            "",
            "  \t\n ",
            &too_long,
            "A\0",
            "A\u{1b}[2J",
            "A\u{7f}",
            "\u{202e}ecila",
            "A\u{2066}b",
            "A\u{200f}b",
            "A\u{61c}b",
            "\u{200b}",
            "A\u{feff}",
            "\u{ad}",
            "\u{3164}",
            "\u{2800}",
            "A\u{e0041}",
        ];
        for bad in bad {
            let mut stage = Stage::open();
            assert_eq!(stage.enter(None, bad, Consent::On), None, "{bad:?}");
            assert!(stage.news().ends_with(" is closed"), "{bad:?}");
            assert_eq!(stage.facts.len(), 1, "{bad:?}");
        }
    }

    #[test]
    fn a_session_has_so_many_seats() {
        let mut stage = Stage::open();
        let people = crowd(&mut stage, SESSION_PEOPLE_MAX);
        stage.hush();
        assert_eq!(stage.enter(None, "Zoë", Consent::On), None);
        assert_snapshot!(stage.news(), @r"
        Zoë <- no: session-full
        Zoë is closed
        ");
        // Who has a seat may come again, and a seat that is given up is free.
        stage.rejoin(people[0]);
        stage.wish(people[1].page, Wish::Leave);
        stage.join("Zoë");
        assert_eq!(stage.enter(Some(people[1].seat), "Guest1", Consent::On), None);
    }

    #[test]
    fn a_script_that_joins_and_leaves_comes_to_an_end() {
        let mut stage = Stage::open();
        for _ in 0..SESSION_SEATS_MAX {
            let person = stage.join("Script");
            stage.wish(person.page, Wish::Leave);
            stage.hush();
        }
        assert_eq!(stage.enter(None, "Script", Consent::On), None);
        assert!(stage.enter(Some(ParticipantId(1)), "Script", Consent::On).is_some());
    }
}

mod words {
    use super::*;

    #[test]
    fn they_reach_those_who_were_there_and_still_are() {
        let (mut stage, alice, bob, host) = with_two_rooms();
        let (chao, dana) = (stage.join("Chao"), stage.join("Dana"));
        stage.wait(10_000);
        stage.moves(host, dana, ONE);
        stage.wait(10_000);
        let erin = stage.join("Erin");
        stage.moves(host, chao, ONE);
        stage.hush();
        // Said at second 5, with all four there: Chao and Dana have gone, Erin was not there yet.
        stage.says(alice, 5_000..6_000, "Before.");
        assert_snapshot!(stage.news(), @r"
        keep: Alice in main: Before.
        Alice <- Alice: Before.
        Bob <- Alice: Before.
        ");
        stage.says(alice, 20_300..20_400, "Now.");
        assert_snapshot!(stage.news(), @r"
        keep: Alice in main: Now.
        Alice <- Alice: Now.
        Bob <- Alice: Now.
        Erin <- Alice: Now.
        ");
        // Back again: Dana was there when it was said, and is there now.
        stage.moves(host, dana, RoomId::Main);
        stage.hush();
        stage.says(bob, 5_000..6_000, "Late.");
        assert_snapshot!(stage.news(), @r"
        keep: Bob in main: Late.
        Alice <- Bob: Late.
        Bob <- Bob: Late.
        Dana <- Bob: Late.
        ");
        assert!(erin.seat != dana.seat);
    }

    #[test]
    fn a_move_in_the_middle_of_a_talk_parts_the_words() {
        let (mut stage, alice, bob, host) = with_two_rooms();
        let chao = stage.join("Chao");
        stage.moves(host, chao, ONE);
        stage.wait(10_000);
        stage.moves(host, alice, ONE);
        let moved = stage.now.as_ms();
        stage.wait(10_000);
        stage.hush();
        // Began in the main room: of the main room, whole, and not even for Alice any more.
        stage.says(alice, moved - 2_000..moved + 500, "I think that");
        stage.says(alice, moved..moved + 3_000, "we are moving");
        assert_snapshot!(stage.news(), @r"
        keep: Alice in main: I think that
        Bob <- Alice: I think that
        keep: Alice in room-1: we are moving
        Alice <- Alice: we are moving
        Chao <- Alice: we are moving
        ");
        assert_eq!(stage.told(bob.page), "");
    }

    #[test]
    fn words_said_before_leaving_are_kept() {
        let (mut stage, alice, _, _) = alice_bob_and_a_host();
        stage.wait(10_000);
        stage.wish(alice.page, Wish::Leave);
        stage.wait(10_000);
        stage.hush();
        stage.says(alice, 9_000..10_000, "Bye!");
        stage.says(alice, 11_000..12_000, "A ghost.");
        assert_snapshot!(stage.news(), @r"
        keep: Alice in main: Bye!
        Bob <- Alice: Bye!
        ");
    }

    #[test]
    fn words_without_letters_or_end() {
        let (mut stage, alice, _, _) = alice_bob_and_a_host();
        stage.says(alice, 100..200, " \n ");
        assert!(stage.is_silent());
        stage.says(alice, 100..200, &"a".repeat(SEGMENT_CHARS_MAX + 1));
        let Some((_, Fact::Said { text, .. })) = stage.facts.last() else { panic!("not kept") };
        assert_eq!(text.len(), SEGMENT_CHARS_MAX);
        stage.hush();
        stage.feed(Input::Transcribed {
            participant: ParticipantId(9),
            span: span(0..1),
            language: Language::Finnish,
            text: "Nobody.".to_owned(),
            words: vec![],
        });
        assert!(stage.is_silent());
    }

    #[test]
    fn what_could_not_be_written_down_is_a_fact_too() {
        let (mut stage, alice, bob, _) = alice_bob_and_a_host();
        stage.consents(bob, Consent::Declined);
        stage.hush();
        for participant in [alice.seat, bob.seat] {
            let reason = GapReason::Backlog;
            stage.feed(Input::Unheard { participant, span: span(100..200), reason });
        }
        assert_snapshot!(stage.news(), @"keep: Alice in main: Backlog");
    }
}

mod language {
    use super::*;

    /// In which language the person is heard, and how that is known, as everybody sees it.
    fn heard(stage: &Stage, person: Person) -> (Language, bool) {
        let overview = stage.session.overview(stage.now);
        let mut people = overview.rooms.into_iter().flat_map(|it| it.people);
        let seen = people.find(|it| it.participant == person.seat).expect("is there");
        (seen.language, seen.by_ear)
    }

    #[test]
    fn who_leaves_it_to_the_ear_is_heard_as_they_speak_until_they_say_otherwise() {
        let (mut stage, _, bob, _) = alice_bob_and_a_host();
        stage.wait(10_000);
        stage.hush();
        stage.wish(bob.page, Wish::SetLanguage(Spoken::ByEar(Language::Finnish)));
        let news = stage.news();
        assert!(news.contains("keep: Bob speaks by ear, fi"), "{news}");
        assert!(news.contains("listen: Bob on by ear, fi"), "{news}");
        assert_eq!(heard(&stage, bob), (Language::Finnish, true));
        stage.says_in(Language::Swedish, bob, 8_000..9_000, "Hej alla");
        assert_eq!(heard(&stage, bob), (Language::Swedish, true));
        let news = stage.news();
        assert!(!news.contains("listen"), "the ears know it themselves: {news}");
        assert!(news.contains("Alice <- main:"), "the room is told: {news}");
        // It is remembered when he comes again, and after a crash.
        stage.loses_connection(bob);
        stage.restart();
        let page = stage.new_page("Bob");
        stage.feed(Input::Join {
            connection: page,
            seat: Some(bob.seat),
            name: "Bob".to_owned(),
            spoken: Spoken::ByEar(Language::Finnish),
            consent: Consent::On,
            tags: Default::default(),
        });
        let news = stage.news();
        assert!(!news.contains("keep:"), "nothing is new: {news}");
        assert!(news.contains("listen: Bob on by ear, sv"), "{news}");
        // What he says of himself is so, whatever is heard.
        stage.wish(page, Wish::SetLanguage(Spoken::Told(Language::English)));
        stage.says_in(Language::English, bob, 12_000..13_000, "Hello");
        assert_eq!(heard(&stage, bob), (Language::English, false));
        assert!(stage.news().contains("listen: Bob on en"));
    }
}

mod consent {
    use super::*;

    #[test]
    fn off_the_record_closes_the_tap_before_the_disk_is_asked() {
        let (mut stage, alice, _, _) = alice_bob_and_a_host();
        stage.consents(alice, Consent::OffTheRecord);
        assert_snapshot!(stage.news(), @r"
        listen: Alice off fi
        keep: Alice is off the record
        Alice <- main: Alice (off the record), Bob
        Bob <- main: Alice (off the record), Bob
        ");
        stage.consents(alice, Consent::OffTheRecord);
        assert!(stage.is_silent());
    }

    #[test]
    fn so_does_coming_back_without_it() {
        let (mut stage, alice, _, _) = alice_bob_and_a_host();
        stage.enter(Some(alice.seat), "Alice", Consent::Declined);
        assert_snapshot!(stage.news(), @r"
        listen: Alice off fi
        Alice <- no: replaced
        Alice is closed
        keep: Alice joins, fi, declined
        media: Alice in main
        Alice#2 <- welcome p1 to Kevät (fi), main: Alice (declined), Bob
        Bob <- main: Alice (declined), Bob
        ");
    }

    #[test]
    fn without_it_nothing_is_kept() {
        let mut stage = Stage::open();
        let alice = stage.enter(None, "Alice", Consent::Declined).unwrap();
        stage.wait(10_000);
        stage.hush();
        stage.says(alice, 1_000..2_000, "Hush.");
        assert!(stage.is_silent());
    }

    #[test]
    fn words_in_flight_when_it_is_withdrawn_are_dropped_for_good() {
        let (mut stage, alice, _, _) = alice_bob_and_a_host();
        stage.wait(10_000);
        stage.consents(alice, Consent::OffTheRecord);
        stage.hush();
        stage.says(alice, 9_000..9_500, "In flight.");
        assert!(stage.is_silent());
        stage.wait(10_000);
        stage.consents(alice, Consent::On);
        let since = stage.now.as_ms();
        stage.wait(10_000);
        stage.hush();
        stage.says(alice, 9_000..9_500, "In flight.");
        stage.says(alice, since - 100..since + 500, "Begun off the record.");
        assert!(stage.is_silent());
        stage.says(alice, since..since + 500, "On it.");
        assert_snapshot!(stage.news(), @r"
        keep: Alice in main: On it.
        Alice <- Alice: On it.
        Bob <- Alice: On it.
        ");
    }

    #[test]
    fn coming_back_with_the_same_consent_loses_no_words() {
        let (mut stage, alice, _, _) = alice_bob_and_a_host();
        stage.wait(10_000);
        stage.rejoin(alice);
        stage.hush();
        stage.says(alice, 9_000..9_500, "Reload.");
        assert!(!stage.is_silent());
    }
}

mod hosts {
    use super::*;

    #[test]
    fn two_rooms_are_opened_and_people_moved() {
        let (mut stage, alice, bob, host) = alice_bob_and_a_host();
        stage.wish(host, Wish::OpenRooms { count: 2 });
        assert_snapshot!(stage.news(), @r"
        keep: 2 rooms
        Host <- main: Alice, Bob | room-1: | room-2:
        ");
        stage.voice(alice, true);
        stage.hush();
        stage.moves(host, alice, ONE);
        assert_snapshot!(stage.news(), @r"
        Alice <- Alice is silent
        Bob <- Alice is silent
        Host <- Alice is silent
        keep: Alice in room-1
        media: Alice in room-1
        Alice <- room-1: Alice
        Bob <- main: Bob
        ");
        stage.moves(host, alice, ONE);
        assert!(stage.is_silent());
        stage.moves(host, bob, ONE);
        assert_snapshot!(stage.told(alice.page), @"Alice <- room-1: Alice, Bob");
    }

    #[test]
    fn what_cannot_be_is_refused_and_changes_nothing() {
        let (mut stage, alice, bob, host) = with_two_rooms();
        let guests = crowd(&mut stage, ROOM_PEOPLE_MAX);
        guests.iter().for_each(|it| stage.moves(host, *it, ONE));
        stage.wait(BIG_ROOM_EVERY_MS);
        let kept = stage.facts.len();
        stage.hush();
        stage.moves(host, alice, ONE);
        stage.moves(host, bob, RoomId::Breakout(3));
        stage.moves(host, Person { seat: ParticipantId(99), ..bob }, TWO);
        stage.wish(host, Wish::OpenRooms { count: BREAKOUT_ROOMS_MAX + 1 });
        assert_snapshot!(stage.news(), @r"
        Host <- no: room-full
        Host <- no: unknown-room
        Host <- no: unknown-participant
        Host <- no: bad-room-count
        ");
        assert_eq!(stage.facts.len(), kept);
        // Somebody who has left cannot be moved; one who is only away can.
        stage.wish(guests[0].page, Wish::Leave);
        stage.loses_connection(alice);
        stage.hush();
        stage.moves(host, guests[0], TWO);
        stage.moves(host, alice, ONE);
        assert_snapshot!(stage.news(), @r"
        Host <- no: unknown-participant
        keep: Alice in room-1
        media: Alice in room-1
        Bob <- main: Bob
        Guest1 <- room-1: Alice (away), Guest1, Guest2, Guest3, Guest4, Guest5, Guest6, Guest7
        Guest2 <- room-1: Alice (away), Guest1, Guest2, Guest3, Guest4, Guest5, Guest6, Guest7
        Guest3 <- room-1: Alice (away), Guest1, Guest2, Guest3, Guest4, Guest5, Guest6, Guest7
        Guest4 <- room-1: Alice (away), Guest1, Guest2, Guest3, Guest4, Guest5, Guest6, Guest7
        Guest5 <- room-1: Alice (away), Guest1, Guest2, Guest3, Guest4, Guest5, Guest6, Guest7
        Guest6 <- room-1: Alice (away), Guest1, Guest2, Guest3, Guest4, Guest5, Guest6, Guest7
        Guest7 <- room-1: Alice (away), Guest1, Guest2, Guest3, Guest4, Guest5, Guest6, Guest7
        ");
    }

    #[test]
    fn participants_have_no_such_wishes_and_hosts_none_of_theirs() {
        let (mut stage, alice, bob, host) = with_two_rooms();
        stage.wish(alice.page, Wish::OpenRooms { count: 3 });
        stage.moves(alice.page, bob, ONE);
        stage.wish(alice.page, Wish::End);
        stage.wish(host, Wish::SetConsent(Consent::On));
        stage.wish(host, Wish::Leave);
        assert_snapshot!(stage.news(), @r"
        Alice <- no: not-allowed
        Alice <- no: not-allowed
        Alice <- no: not-allowed
        Host <- no: not-allowed
        Host <- no: not-allowed
        ");
    }

    #[test]
    fn closing_the_rooms_brings_everybody_back() {
        let (mut stage, alice, bob, host) = with_two_rooms();
        stage.moves(host, alice, ONE);
        stage.moves(host, bob, TWO);
        stage.hush();
        stage.wish(host, Wish::OpenRooms { count: 1 });
        assert_snapshot!(stage.news(), @r"
        keep: 1 rooms
        keep: Bob in main
        media: Bob in main
        Bob <- main: Bob
        Host <- main: Bob | room-1: Alice
        ");
        stage.wish(host, Wish::OpenRooms { count: 0 });
        assert_snapshot!(stage.told(alice.page), @"Alice <- main: Alice, Bob");
    }

    #[test]
    fn who_is_brought_back_to_a_big_room_sees_at_once_where_they_are() {
        let (mut stage, alice, _, host) = with_two_rooms();
        stage.moves(host, alice, ONE);
        crowd(&mut stage, ROOM_PEOPLE_MAX);
        stage.wait(BIG_ROOM_EVERY_MS);
        stage.hush();
        stage.wish(host, Wish::OpenRooms { count: 0 });
        assert!(stage.told(alice.page).starts_with("Alice <- main: Alice, Bob, Guest0"));
    }

    #[test]
    fn the_end() {
        let (mut stage, alice, bob, host) = with_two_rooms();
        stage.moves(host, bob, ONE);
        stage.wait(10_000);
        stage.voice(alice, true);
        stage.hush();
        stage.wish(host, Wish::End);
        assert_snapshot!(stage.news(), @r"
        media: Alice out
        media: Bob out
        keep: ended
        Alice <- ended
        Alice is closed
        Bob <- ended
        Bob is closed
        Host <- ended
        Host is closed
        finished
        ");
        assert!(stage.session.is_ended());
        assert_eq!(stage.session.poll_timeout(), None);
        // Words said before are kept, and told to nobody.
        stage.says(bob, 9_000..9_500, "And so on.");
        stage.voice(bob, false);
        stage.utters(bob, 9_000..9_500);
        stage.feed(Input::Tick);
        assert_snapshot!(stage.news(), @"keep: Bob in room-1: And so on.");
        assert_eq!(stage.enter(None, "Chao", Consent::On), None);
        assert_eq!(stage.enter(Some(bob.seat), "Bob", Consent::On), None);
        stage.host();
        assert_snapshot!(stage.news(), @r"
        Chao <- no: session-ended
        Chao is closed
        Bob#2 <- no: session-ended
        Bob#2 is closed
        Host#2 <- no: session-ended
        Host#2 is closed
        ");
        stage.loses_connection(alice);
        assert!(stage.is_silent());
    }

    #[test]
    fn so_many_hosts_may_follow() {
        let mut stage = Stage::open();
        (0..WATCHERS_MAX).for_each(|_| _ = stage.host());
        stage.hush();
        stage.host();
        assert_snapshot!(stage.news(), @r"
        Host#21 <- no: session-full
        Host#21 is closed
        ");
    }
}

mod tempo {
    use super::*;

    #[test]
    fn hosts_are_told_of_changes_together() {
        let mut stage = Stage::open();
        let host = stage.host();
        stage.hush();
        stage.join("Alice");
        stage.wait(OVERVIEW_EVERY_MS - 1);
        let bob = stage.join("Bob");
        assert_eq!(stage.told(host), "");
        stage.wait(1);
        assert_snapshot!(stage.told(host), @"Host <- main: Alice, Bob");
        stage.wait(60_000);
        assert!(stage.is_silent());
        stage.wish(bob.page, Wish::SetCamera(true));
        stage.wait(OVERVIEW_EVERY_MS);
        assert_snapshot!(stage.told(host), @"Host <- main: Alice, Bob (camera)");
    }

    #[test]
    fn a_big_main_room_is_told_of_changes_together() {
        let mut stage = Stage::open();
        let people = crowd(&mut stage, ROOM_PEOPLE_MAX);
        let alice = people[0];
        stage.hush();
        let last = stage.join("Last of eight and one");
        assert_eq!(stage.told(alice.page), "");
        stage.wait(BIG_ROOM_EVERY_MS / 2);
        stage.wish(last.page, Wish::SetCamera(true));
        stage.wait(BIG_ROOM_EVERY_MS / 2 - 1);
        assert_eq!(stage.told(alice.page), "");
        stage.wait(1);
        let told = stage.told(alice.page);
        assert!(told.ends_with("Last of eight and one (camera)"), "{told}");
        assert_eq!(told.lines().count(), 1);
    }

    /// 300 people who are dealt into rooms must not make 300 * 300 messages: a page that is sent
    /// more than it can read is let go.
    #[test]
    fn dealing_a_full_main_room_into_rooms_is_a_handful_of_messages_each() {
        let mut stage = Stage::open();
        let host = stage.host();
        let people = crowd(&mut stage, SESSION_PEOPLE_MAX);
        stage.wish(host, Wish::OpenRooms { count: BREAKOUT_ROOMS_MAX });
        stage.wait(BIG_ROOM_EVERY_MS);
        stage.hush();
        for (index, person) in people.iter().enumerate() {
            stage.moves(host, *person, RoomId::Breakout(index as u16 % 60 + 1));
        }
        let told = stage.told(people[SESSION_PEOPLE_MAX - 1].page);
        assert!(told.lines().count() < 10, "{told}");
    }

    #[test]
    fn speaking_is_told_when_it_changes() {
        let (mut stage, alice, _, _) = alice_bob_and_a_host();
        stage.voice(alice, true);
        assert_snapshot!(stage.news(), @r"
        Alice <- Alice speaks
        Bob <- Alice speaks
        Host <- Alice speaks
        ");
        stage.voice(alice, true);
        assert!(stage.is_silent());
        stage.wish(alice.page, Wish::SetMicrophone(false));
        assert_snapshot!(stage.news(), @r"
        Alice <- main: Alice, Bob
        Bob <- main: Alice, Bob
        Alice <- Alice is silent
        Bob <- Alice is silent
        Host <- Alice is silent
        ");
        stage.voice(alice, false);
        assert!(stage.is_silent());
    }
}

mod balance {
    use super::*;

    /// Alice, Bob and Chao, who have been together for two minutes.
    fn after_two_minutes() -> (Stage, [Person; 3], ConnectionId) {
        let (mut stage, alice, bob, host) = alice_bob_and_a_host();
        let chao = stage.join("Chao");
        stage.wait(BALANCE_AFTER_MS);
        (stage, [alice, bob, chao], host)
    }

    #[test]
    fn it_is_told_after_enough_voice_without_names_and_to_each_their_own() {
        let (mut stage, [alice, bob, chao], host) = after_two_minutes();
        let enough = BALANCE_VOICE_MIN_MS;
        stage.utters(alice, 1_000..1_000 + enough - 1);
        stage.wait(BALANCE_EVERY_MS);
        assert_eq!(stage.balances(), []);
        stage.utters(bob, 30_000..30_000 + enough - 1);
        stage.wait(BALANCE_EVERY_MS);
        let balances = stage.balances();
        let pages: Vec<_> = balances.iter().map(|it| it.0).collect();
        assert_eq!(pages, [alice.page, bob.page, chao.page]);
        assert!(!pages.contains(&host));
        let half =
            OwnTalk { talk_ms: enough - 1, turns: 1, backchannels: 0, share: 0.5, ratio: 1.5 };
        let rounded = |it: OwnTalk| OwnTalk { ratio: (it.ratio * 10.0).round() / 10.0, ..it };
        let own: Vec<_> = balances.iter().map(|it| rounded(it.1.own)).collect();
        // Chao came a moment after the others, so that theirs is a little less than half more.
        assert_eq!(own, [half, half, OwnTalk::default()]);
        for (_, view) in &balances {
            assert_eq!(view.shares, [0.5, 0.5, 0.0]);
            assert!((view.effective_voices - 2.0).abs() < 1e-9);
            assert!(view.invites, "all are asked alike, also Chao");
        }
        // Nobody speaks: nothing more is told.
        stage.wait(60_000);
        assert_eq!(stage.balances(), []);
    }

    #[test]
    fn in_the_first_two_minutes_nothing_is_told() {
        let (mut stage, alice, _, _) = alice_bob_and_a_host();
        stage.voice(alice, true);
        stage.wait(BALANCE_AFTER_MS - OVERVIEW_EVERY_MS - 1);
        assert_eq!(stage.balances(), []);
        stage.wait(BALANCE_EVERY_MS);
        assert_eq!(stage.balances().len(), 2);
    }

    #[test]
    fn it_follows_a_voice_while_it_lasts() {
        let (mut stage, [alice, bob, _], _) = after_two_minutes();
        stage.voice(alice, true);
        stage.wait(BALANCE_VOICE_MIN_MS - 1);
        assert_eq!(stage.balances(), []);
        stage.wait(BALANCE_EVERY_MS * 3);
        assert_eq!(stage.balances().len(), 3 * 3);
        stage.voice(alice, false);
        stage.wait(BALANCE_EVERY_MS);
        let last = stage.balances();
        assert_eq!(last.iter().find(|it| it.0 == bob.page).unwrap().1.own, OwnTalk::default());
        stage.wait(60_000);
        assert_eq!(stage.balances(), []);
    }

    #[test]
    fn it_is_told_anew_when_somebody_leaves_a_silent_room() {
        let (mut stage, [alice, bob, chao], _) = after_two_minutes();
        stage.utters(alice, 1_000..50_000);
        stage.wait(60_000);
        stage.balances();
        stage.wish(bob.page, Wish::Leave);
        stage.wait(BALANCE_EVERY_MS);
        let told: Vec<_> = stage.balances().into_iter().map(|it| (it.0, it.1.shares)).collect();
        assert_eq!(told, [(alice.page, vec![1.0, 0.0]), (chao.page, vec![1.0, 0.0])]);
    }

    #[test]
    fn it_begins_anew_when_rooms_are_opened() {
        let (mut stage, [alice, ..], host) = after_two_minutes();
        stage.utters(alice, 1_000..50_000);
        stage.wish(host, Wish::OpenRooms { count: 2 });
        stage.wait(BALANCE_AFTER_MS);
        stage.utters(alice, 90_000..119_000); // said before, known late
        stage.wait(BALANCE_EVERY_MS);
        assert_eq!(stage.balances(), []);
    }

    #[test]
    fn after_a_round_the_room_looks_back_and_hosts_see_rooms_and_no_person() {
        let (mut stage, [alice, bob, chao], host) = after_two_minutes();
        stage.utters(alice, 1_000..31_000);
        stage.utters(bob, 5_000..5_600);
        stage.utters(chao, 40_000..50_000);
        stage.wait(BALANCE_EVERY_MS);
        stage.hush();
        stage.wish(host, Wish::OpenRooms { count: 1 });
        let of = |stage: &Stage, page| {
            let told = stage.news_of(page).into_iter().filter_map(|it| match it {
                Message::Round(round) => Some(format!("{:?} {}", round.shares, round.room.heard)),
                Message::Own(own) => Some(format!("{own:?}")),
                Message::Rounds(rooms) => Some(format!("{rooms:?}")),
                _ => None,
            });
            told.collect::<Vec<_>>().join("\n")
        };
        assert_snapshot!(of(&stage, bob.page), @r"
        [0.75, 0.25, 0.0] 2
        OwnTotal { talk_ms: 0, turns: 0, backchannels: 1, people_heard: 2, rounds: 1 }
        ");
        let host_sees = of(&stage, host);
        assert!(host_sees.contains("people: 3, heard: 2") && !host_sees.contains("shares"));
        // A short round has nothing to look back on.
        stage.hush();
        stage.wait(BALANCE_AFTER_MS - 1);
        stage.wish(host, Wish::OpenRooms { count: 2 });
        assert_eq!(of(&stage, alice.page), "");
    }

    #[test]
    fn what_was_counted_of_a_person_is_told_them_at_the_end_and_then_forgotten() {
        let (mut stage, [alice, bob, _], host) = after_two_minutes();
        stage.utters(alice, 1_000..31_000);
        stage.wait(BALANCE_EVERY_MS);
        stage.hush();
        stage.wish(host, Wish::End);
        let own = |page| {
            stage.news_of(page).into_iter().find_map(|it| match it {
                Message::Own(own) => Some((own.talk_ms, own.turns, own.people_heard)),
                _ => None,
            })
        };
        assert_eq!(own(alice.page), Some((30_000, 1, 0)));
        assert_eq!(own(bob.page), Some((0, 0, 1)));
        assert!(!format!("{:?}", stage.session).contains("30000"), "nothing is remembered");
        assert!(!format!("{:?}", stage.facts).contains("30000"), "nothing was written down");
    }
}

mod off_the_record {
    use super::*;

    #[test]
    fn anybody_turns_the_writing_down_off_for_the_room_and_anybody_on_again() {
        let (mut stage, alice, bob, _) = alice_bob_and_a_host();
        let dana = stage.enter(None, "Dana", Consent::OffTheRecord).unwrap();
        stage.hush();
        stage.wish(dana.page, Wish::SetTranscription { room: None, on: false });
        let news = stage.news();
        assert!(news.starts_with(
            "listen: Alice off fi\nlisten: Bob off fi\nkeep: Dana turns writing off in main"
        ));
        stage.wait(10_000);
        stage.says(alice, 1_000..9_000, "Between us.");
        stage.wish(bob.page, Wish::SetTranscription { room: None, on: true });
        assert!(!stage.news().contains("listen: Dana on"), "Dana's own no is as it was");
        stage.says(alice, 1_000..9_000, "Between us.");
        stage.wait(10_000);
        stage.says(alice, 12_000..13_000, "For the notes.");
        let kept = stage.news();
        assert!(kept.contains("For the notes.") && !kept.contains("Between us."));
    }

    #[test]
    fn a_host_turns_it_off_everywhere_or_in_one_room_and_nobody_else_can() {
        let (mut stage, alice, bob, host) = with_two_rooms();
        stage.moves(host, alice, ONE);
        stage.moves(host, bob, TWO);
        stage.hush();
        let set = |room, on| Wish::SetTranscription { room, on };
        stage.wish(host, set(Some(ONE), false));
        assert!(stage.news().starts_with("listen: Alice off fi\nkeep: Host turns writing off"));
        stage.wish(alice.page, set(Some(TWO), false));
        assert_snapshot!(stage.news(), @"Alice <- no: not-allowed");
        stage.wish(host, set(None, false));
        assert!(
            stage.news().starts_with("listen: Bob off fi\nkeep: Host turns writing off in all")
        );
        stage.wish(alice.page, set(None, true));
        assert!(!stage.news().contains("listen:"), "the host's no is as it was");
        stage.wish(host, set(None, true));
        let news = stage.news();
        assert!(news.contains("listen: Alice on fi") && news.contains("listen: Bob on fi"));
    }

    #[test]
    fn who_is_moved_into_a_room_that_is_off_is_heard_no_more() {
        let (mut stage, alice, bob, host) = with_two_rooms();
        stage.moves(host, bob, TWO);
        stage.wish(bob.page, Wish::SetTranscription { room: None, on: false });
        stage.hush();
        stage.moves(host, alice, TWO);
        assert!(stage.news().starts_with("listen: Alice off fi\nkeep: Alice in room-2"));
        // New groups choose for themselves.
        stage.wish(host, Wish::OpenRooms { count: 3 });
        assert!(stage.news().contains("listen: Alice on fi"));
    }

    #[test]
    fn what_was_said_in_the_last_minute_is_taken_back_and_what_is_on_its_way_too() {
        let (mut stage, alice, bob, _) = alice_bob_and_a_host();
        stage.wait(120_000);
        stage.hush();
        stage.wish(alice.page, Wish::Strike { waited_ms: 0 });
        assert_snapshot!(stage.news(), @r"
        listen: Alice off fi
        keep: Alice strikes since 0:01:00.250
        Alice <- Alice has struck since 0:01:00.250
        Bob <- Alice has struck since 0:01:00.250
        Host <- Alice has struck since 0:01:00.250
        listen: Alice on fi
        ");
        let now = stage.now.0;
        stage.says(alice, now - 3_000..now - 500, "On its way.");
        stage.says(bob, now - 3_000..now - 500, "Bob's own.");
        stage.wait(5_000);
        stage.says(alice, now + 100..now + 900, "Afterwards.");
        let kept = stage.news();
        assert!(!kept.contains("On its way."));
        assert!(kept.contains("Bob's own.") && kept.contains("Afterwards."));
        // It holds after a crash.
        stage.restart();
        stage.says(alice, now - 3_000..now - 500, "On its way.");
        assert!(!stage.news().contains("On its way."));
    }
}

mod after_a_restart {
    use super::*;

    #[test]
    fn rooms_and_seats_are_as_the_log_says_and_everybody_is_away() {
        let (mut stage, alice, bob, host) = with_two_rooms();
        let chao = stage.join("Chao");
        stage.moves(host, alice, TWO);
        stage.consents(bob, Consent::OffTheRecord);
        stage.wish(alice.page, Wish::SetMicrophone(true));
        stage.wish(chao.page, Wish::Leave);
        stage.wait(10_000);
        stage.restart();
        let host = stage.host();
        assert_snapshot!(
            stage.news(),
            @"Host#2 <- main: Bob (away, off the record) | room-1: | room-2: Alice (away)"
        );
        stage.wait(SEAT_GRACE_MS - 1);
        let again = stage.rejoin(alice);
        assert_eq!(again.seat, alice.seat);
        assert_snapshot!(stage.news(), @r"
        media: Alice in room-2
        Alice#2 <- welcome p1 to Kevät (fi), room-2: Alice
        listen: Alice on fi
        ");
        // Bob has not come.
        stage.wait(OVERVIEW_EVERY_MS + 1);
        assert_snapshot!(stage.told(host), @"Host#2 <- main: | room-1: | room-2: Alice");
    }

    #[test]
    fn consent_is_as_old_as_it_was() {
        let (mut stage, alice, bob, _) = alice_bob_and_a_host();
        stage.wait(10_000);
        stage.consents(bob, Consent::OffTheRecord);
        stage.consents(bob, Consent::On);
        stage.wait(10_000);
        stage.restart();
        stage.says(alice, 5_000..6_000, "On record.");
        stage.says(bob, 5_000..6_000, "Withdrawn.");
        assert_snapshot!(stage.news(), @"keep: Alice in main: On record.");
    }

    #[test]
    fn it_takes_a_log_that_begins_at_the_beginning() {
        assert!(Session::restore([], SessionTime::ZERO).is_none());
        let ended = [(SessionTime::ZERO, Fact::Ended)];
        assert!(Session::restore(ended, SessionTime::ZERO).is_none());
    }
}
