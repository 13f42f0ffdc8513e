//! Stories of what people do beside speaking: Alice, Bob and Chao raise hands, react, write, call for
//! help and share their screens, and the host answers.

use insta::assert_snapshot;
use vuoro::domain::{
    fact::{Consent, Fact},
    ids::ConnectionId,
    limits::{
        BROADCASTS_MAX, CALLS_MAX, OVERVIEW_EVERY_MS, POST_CHARS_MAX, POSTS_PERSON_MAX,
        POSTS_REMEMBERED, POSTS_ROOM_MAX, POSTS_WITHIN_MS, REACTIONS_ROOM_MAX, REACTIONS_WITHIN_MS,
        SEAT_GRACE_MS,
    },
    message::{Message, RoomView},
    method::{Assign, Harvest, Method, Turns},
    run::RunOptions,
    session::Wish,
    talk::{Post, Reaction},
};

use crate::stage::{ONE, Person, Stage, TWO};

/// Alice, Bob and Chao in room 1 of two, a host, and nothing yet to read.
fn three_in_a_room() -> (Stage, [Person; 3], ConnectionId) {
    let mut stage = Stage::open();
    let people = ["Alice", "Bob", "Chao"].map(|it| stage.join(it));
    let host = stage.host();
    stage.wish(host, Wish::OpenRooms { count: 2 });
    people.iter().for_each(|it| stage.moves(host, *it, ONE));
    stage.wait(OVERVIEW_EVERY_MS);
    stage.hush();
    (stage, people, host)
}

fn posts(stage: &mut Stage, person: Person, text: &str) {
    stage.wish(person.page, Wish::Post { text: text.to_owned() });
}

/// The room as the host would see it now.
fn room(stage: &Stage, number: usize) -> RoomView {
    stage.session.overview(stage.now).rooms[number].clone()
}

/// The posts a page has been told one by one; forgets nothing.
fn read(stage: &Stage, page: ConnectionId) -> Vec<Post> {
    let told = stage.news_of(page);
    told.into_iter()
        .filter_map(|it| if let Message::Post(it) = it { Some(it) } else { None })
        .collect()
}

fn refused(stage: &mut Stage, page: ConnectionId) -> String {
    let told = stage.told(page);
    told.lines()
        .filter_map(|it| it.split_once("<- no: "))
        .map(|it| it.1)
        .collect::<Vec<_>>()
        .join(" ")
}

/// A method of two quiet phases in pairs, the first of them on the record or not.
pub fn two_phases(transcribe: bool, assign: Assign) -> Method {
    let path = format!("{}/models/methods/one-two-four-all.toml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("a method of the product");
    let mut method: Method = toml::from_str(&text).expect("it is right");
    let mut phase = method.phases[0].clone();
    (phase.assign, phase.turns, phase.harvest) = (assign, Turns::Free, Harvest::Speech);
    (phase.length_s, phase.transcribe) = (Some(60), transcribe);
    let mut second = phase.clone();
    (second.id, second.transcribe, second.assign) = ("second".to_owned(), true, Assign::Same);
    (method.phases, method.cycles) = (vec![phase, second], vec![]);
    method
}

fn runs(stage: &mut Stage, host: ConnectionId, method: Method) {
    let options = RunOptions { seed: 7, ..RunOptions::default() };
    stage.wish(host, Wish::RunMethod { method: Box::new(method), options });
    assert!(matches!(stage.facts.last(), Some((_, Fact::StepBegan(_)))), "it runs");
}

mod hands {
    use super::*;

    #[test]
    fn a_raised_hand_is_seen_in_its_place_in_the_queue() {
        let (mut stage, [alice, bob, _], host) = three_in_a_room();
        let facts = stage.facts.len();
        stage.wish(bob.page, Wish::RaiseHand(true));
        stage.wish(alice.page, Wish::RaiseHand(true));
        stage.wish(bob.page, Wish::RaiseHand(true));
        assert_snapshot!(stage.told(alice.page), @r"
        Alice <- room-1: Alice, Bob, Chao; hands: Bob
        Alice <- room-1: Alice, Bob, Chao; hands: Bob, Alice
        ");
        stage.wait(OVERVIEW_EVERY_MS);
        assert_snapshot!(
            stage.told(host),
            @"Host <- main: | room-1: Alice, Bob, Chao; hands: Bob, Alice | room-2:"
        );
        assert_eq!(stage.facts.len(), facts, "a hand is no fact");
    }

    #[test]
    fn it_is_lowered_by_oneself_or_by_the_host() {
        let (mut stage, [alice, bob, chao], host) = three_in_a_room();
        for it in [alice, bob] {
            stage.wish(it.page, Wish::RaiseHand(true));
        }
        stage.hush();
        stage.wish(alice.page, Wish::RaiseHand(false));
        stage.wish(host, Wish::LowerHand { participant: bob.seat });
        stage.wish(host, Wish::LowerHand { participant: bob.seat });
        assert_snapshot!(stage.told(chao.page), @r"
        Chao <- room-1: Alice, Bob, Chao; hands: Bob
        Chao <- room-1: Alice, Bob, Chao
        ");
        stage.wish(alice.page, Wish::LowerHand { participant: bob.seat });
        stage.wish(host, Wish::RaiseHand(true));
        let nobody = vuoro::domain::ids::ParticipantId(77);
        stage.wish(host, Wish::LowerHand { participant: nobody });
        assert_snapshot!(stage.news(), @r"
        Alice <- no: not-allowed
        Host <- no: not-allowed
        Host <- no: unknown-participant
        ");
    }

    #[test]
    fn a_reload_keeps_it_and_a_move_lowers_it() {
        let (mut stage, [alice, bob, _], host) = three_in_a_room();
        stage.wish(alice.page, Wish::RaiseHand(true));
        stage.loses_connection(alice);
        let alice = stage.rejoin(alice);
        assert_eq!(room(&stage, 1).hands, [alice.seat]);
        assert!(stage.told(alice.page).contains("hands: Alice"));
        stage.moves(host, alice, TWO);
        stage.moves(host, alice, ONE);
        assert!(room(&stage, 1).hands.is_empty() && room(&stage, 2).hands.is_empty());
        stage.wish(bob.page, Wish::RaiseHand(true));
        stage.loses_connection(bob);
        stage.wait(SEAT_GRACE_MS);
        stage.rejoin(bob);
        assert!(room(&stage, 0).hands.is_empty(), "who was away too long has left");
    }

    #[test]
    fn a_step_that_moves_people_lowers_theirs() {
        let (mut stage, [alice, bob, chao], host) = three_in_a_room();
        for it in [alice, bob, chao] {
            stage.wish(it.page, Wish::RaiseHand(true));
        }
        runs(&mut stage, host, two_phases(true, Assign::Plenary));
        assert!(stage.session.overview(stage.now).rooms.iter().all(|it| it.hands.is_empty()));
        stage.wish(alice.page, Wish::RaiseHand(true));
        stage.wish(host, Wish::Next { at_once: true });
        assert_eq!(room(&stage, 0).hands, [alice.seat], "nobody has moved");
    }
}

mod reactions {
    use super::*;

    #[test]
    fn a_reaction_is_shown_to_the_room_and_nowhere_else() {
        let (mut stage, [alice, _, chao], host) = three_in_a_room();
        stage.moves(host, chao, TWO);
        stage.hush();
        stage.wish(alice.page, Wish::React(Reaction::Heart));
        assert_snapshot!(stage.news(), @r"
        Alice <- Alice: Heart
        Bob <- Alice: Heart
        ");
        stage.wish(host, Wish::React(Reaction::Clap));
        assert_snapshot!(stage.news(), @"Host <- no: not-allowed");
    }

    #[test]
    fn more_than_one_a_second_is_dropped_without_a_word() {
        let (mut stage, [alice, bob, _], _) = three_in_a_room();
        for wait_ms in [0, REACTIONS_WITHIN_MS - 1, 1] {
            stage.wait(wait_ms);
            stage.wish(alice.page, Wish::React(Reaction::Clap));
        }
        assert_snapshot!(stage.told(bob.page), @r"
        Bob <- Alice: Clap
        Bob <- Alice: Clap
        ");
    }

    #[test]
    fn a_hall_that_claps_is_heard_in_ten() {
        let mut stage = Stage::open();
        let people: Vec<_> = (0..30).map(|it| stage.join(&format!("Guest{it}"))).collect();
        stage.hush();
        people.iter().for_each(|it| stage.wish(it.page, Wish::React(Reaction::Clap)));
        assert_eq!(stage.told(people[0].page).lines().count(), REACTIONS_ROOM_MAX);
    }
}

mod chat {
    use super::*;

    #[test]
    fn a_post_is_kept_and_then_told_to_the_room() {
        let (mut stage, [alice, _, chao], host) = three_in_a_room();
        stage.moves(host, chao, TWO);
        stage.hush();
        posts(&mut stage, alice, "  Katsokaa tätä:\nhttps://vuoro.example ");
        assert_snapshot!(stage.news(), @r"
        keep: Alice posts in room-1: Katsokaa tätä:
        https://vuoro.example
        Alice <- Alice writes: Katsokaa tätä:
        https://vuoro.example
        Bob <- Alice writes: Katsokaa tätä:
        https://vuoro.example
        ");
        stage.wish(host, Wish::Post { text: "Hei".to_owned() });
        assert_snapshot!(stage.news(), @"Host <- no: not-allowed");
    }

    #[test]
    fn who_comes_or_returns_is_told_what_was_written() {
        let (mut stage, [alice, bob, chao], host) = three_in_a_room();
        posts(&mut stage, alice, "Yksi");
        posts(&mut stage, bob, "Kaksi");
        stage.loses_connection(bob);
        stage.hush();
        let bob = stage.rejoin(bob);
        assert_snapshot!(stage.told(bob.page), @r"
        Bob#2 <- welcome p2 to Kevät (fi), room-1: Alice, Bob, Chao
        Bob#2 <- posts: Alice writes: Yksi | Bob writes: Kaksi
        ");
        stage.moves(host, chao, TWO);
        stage.hush();
        stage.moves(host, chao, ONE);
        assert_snapshot!(stage.told(chao.page), @r"
        Chao <- room-1: Alice, Bob, Chao
        Chao <- posts: Alice writes: Yksi | Bob writes: Kaksi
        ");
        stage.restart();
        let alice = stage.rejoin(alice);
        assert!(stage.told(alice.page).contains("posts: Alice writes: Yksi | Bob writes: Kaksi"));
    }

    #[test]
    fn a_room_forgets_when_its_last_person_has_left() {
        let (mut stage, [alice, bob, chao], host) = three_in_a_room();
        posts(&mut stage, alice, "Salaisuus");
        for it in [alice, bob, chao] {
            stage.moves(host, it, TWO);
        }
        stage.hush();
        stage.moves(host, chao, ONE);
        assert_snapshot!(stage.told(chao.page), @"Chao <- room-1: Chao");
    }

    #[test]
    fn it_remembers_so_many() {
        let (mut stage, [alice, ..], _) = three_in_a_room();
        for number in 0..=POSTS_REMEMBERED {
            posts(&mut stage, alice, &number.to_string());
            stage.wait(POSTS_WITHIN_MS / POSTS_PERSON_MAX as u64);
        }
        stage.hush();
        let alice = stage.rejoin(alice);
        let told = stage.told(alice.page);
        assert_eq!(told.matches("Alice writes").count(), POSTS_REMEMBERED);
        assert!(told.contains("posts: Alice writes: 1 |"), "the oldest is forgotten");
    }

    #[test]
    fn a_new_phase_begins_with_an_empty_chat() {
        let (mut stage, [alice, bob, _], host) = three_in_a_room();
        runs(&mut stage, host, two_phases(true, Assign::Plenary));
        posts(&mut stage, alice, "Vanha");
        stage.hush();
        stage.wish(host, Wish::Next { at_once: true });
        assert!(stage.told(bob.page).starts_with("Bob <- no posts any more\nBob <- phase 1"));
        let alice = stage.rejoin(alice);
        assert!(!stage.told(alice.page).contains("posts"));
        posts(&mut stage, alice, "Uusi");
        stage.hush();
        stage.wish(host, Wish::StopMethod);
        assert!(stage.told(bob.page).contains("no posts any more"));
    }

    #[test]
    fn off_the_record_it_is_told_and_not_kept() {
        let (mut stage, [alice, bob, chao], host) = three_in_a_room();
        stage.consents(bob, Consent::OffTheRecord);
        stage.hush();
        posts(&mut stage, bob, "Minulta ei");
        assert_snapshot!(stage.told(chao.page), @"Chao <- Bob writes: Minulta ei (not kept)");
        runs(&mut stage, host, two_phases(false, Assign::Plenary));
        let facts = stage.facts.len();
        stage.hush();
        posts(&mut stage, alice, "Luottamuksellista");
        stage.wish(host, Wish::Broadcast { text: "Viisi minuuttia".to_owned() });
        assert_snapshot!(stage.told(chao.page), @r"
        Chao <- Alice writes: Luottamuksellista (not kept)
        Chao <- to all writes: Viisi minuuttia (not kept)
        ");
        assert_eq!(stage.facts.len(), facts);
        // Who only loses the line for a moment still has it; a restart forgets it.
        let alice = stage.rejoin(alice);
        assert!(stage.told(alice.page).contains("Luottamuksellista"));
        stage.restart();
        let alice = stage.rejoin(alice);
        assert!(!stage.told(alice.page).contains("Luottamuksellista"));
    }

    #[test]
    fn texts_are_trimmed_or_refused() {
        let (mut stage, [alice, bob, _], _) = three_in_a_room();
        let longest = "ä".repeat(POST_CHARS_MAX);
        posts(&mut stage, alice, &format!(" {longest} "));
        assert_eq!(read(&stage, bob.page)[0].text, longest);
        let too_long = "ä".repeat(POST_CHARS_MAX + 1);
        for bad in ["", " \n\t ", &too_long, "a\0", "a\u{1b}[2J", "\u{200b}"] {
            posts(&mut stage, alice, bad);
            assert_eq!(refused(&mut stage, alice.page), "bad-text", "{bad:?}");
        }
        // What was refused does not count.
        (1..POSTS_PERSON_MAX).for_each(|_| posts(&mut stage, alice, "Hei"));
        assert_eq!(refused(&mut stage, alice.page), "");
    }

    #[test]
    fn one_person_writes_so_often() {
        let (mut stage, [alice, bob, _], _) = three_in_a_room();
        (0..POSTS_PERSON_MAX).for_each(|_| posts(&mut stage, alice, "Hei"));
        assert_eq!(refused(&mut stage, alice.page), "");
        stage.wait(POSTS_WITHIN_MS - 1);
        posts(&mut stage, alice, "Hei");
        posts(&mut stage, bob, "Minä vielä");
        assert_snapshot!(stage.told(alice.page), @r"
        Alice <- no: too-fast
        Alice <- Bob writes: Minä vielä
        ");
        stage.wait(1);
        posts(&mut stage, alice, "Taas");
        assert_snapshot!(stage.told(bob.page), @"Bob <- Alice writes: Taas");
    }

    #[test]
    fn one_room_reads_so_much() {
        let mut stage = Stage::open();
        let people: Vec<_> = (0..10).map(|it| stage.join(&format!("Guest{it}"))).collect();
        for index in 0..POSTS_ROOM_MAX {
            posts(&mut stage, people[index % 10], "Hei");
        }
        stage.hush();
        posts(&mut stage, people[0], "Liikaa");
        assert_snapshot!(stage.news(), @"Guest0 <- no: too-fast");
        stage.wait(POSTS_WITHIN_MS);
        posts(&mut stage, people[0], "Nyt");
        assert_eq!(refused(&mut stage, people[0].page), "");
    }

    #[test]
    fn the_host_writes_to_everybody_so_often() {
        let (mut stage, [alice, bob, chao], host) = three_in_a_room();
        let second = stage.host();
        stage.moves(host, chao, TWO);
        stage.hush();
        let all = || Wish::Broadcast { text: "Tervetuloa".to_owned() };
        stage.wish(host, all());
        assert_snapshot!(stage.news(), @r"
        keep: to all: Tervetuloa
        Alice <- to all writes: Tervetuloa
        Bob <- to all writes: Tervetuloa
        Chao <- to all writes: Tervetuloa
        Host <- to all writes: Tervetuloa
        Host#2 <- to all writes: Tervetuloa
        ");
        (1..BROADCASTS_MAX).for_each(|_| stage.wish(second, all()));
        stage.hush();
        stage.wish(host, all());
        stage.wish(alice.page, all());
        stage.wish(host, Wish::Broadcast { text: " ".to_owned() });
        assert_snapshot!(stage.news(), @r"
        Host <- no: too-fast
        Alice <- no: not-allowed
        Host <- no: bad-text
        ");
        stage.wait(POSTS_WITHIN_MS);
        stage.wish(host, all());
        assert_eq!(read(&stage, bob.page).len(), 1);
        stage.restart();
        let chao = stage.rejoin(chao);
        let told = stage.told(chao.page);
        assert_eq!(told.matches("to all writes").count(), BROADCASTS_MAX + 1, "{told}");
    }
}

mod calls {
    use super::*;

    #[test]
    fn a_call_reaches_the_host_who_sees_and_ends_it() {
        let (mut stage, [alice, ..], host) = three_in_a_room();
        stage.wish(alice.page, Wish::Call(true));
        stage.wait(OVERVIEW_EVERY_MS);
        assert_snapshot!(stage.news(), @r"
        keep: Alice calls from room-1
        Alice <- room-1: Alice, Bob, Chao; Alice calls
        Bob <- room-1: Alice, Bob, Chao; Alice calls
        Chao <- room-1: Alice, Bob, Chao; Alice calls
        Host <- main: | room-1: Alice, Bob, Chao; Alice calls | room-2: | Alice waits 250 ms
        ");
        stage.wait(10_000);
        let participant = alice.seat;
        stage.wish(host, Wish::SeeCall { participant });
        stage.wish(host, Wish::SeeCall { participant });
        stage.wait(OVERVIEW_EVERY_MS);
        stage.wish(host, Wish::EndCall { participant });
        stage.wish(host, Wish::EndCall { participant });
        stage.wish(host, Wish::SeeCall { participant });
        let news = stage.news();
        let of = |who: &str| {
            news.lines().filter(|it| it.starts_with(who)).collect::<Vec<_>>().join("\n")
        };
        assert_snapshot!(of("keep"), @r"
        keep: Alice's call is seen
        keep: Alice's call ends
        ");
        assert_snapshot!(of("Bob"), @r"
        Bob <- room-1: Alice, Bob, Chao; Alice calls, seen
        Bob <- room-1: Alice, Bob, Chao
        ");
        assert_snapshot!(
            of("Host"),
            @"Host <- main: | room-1: Alice, Bob, Chao; Alice calls, seen | room-2: | Alice waits 10500 ms, seen"
        );
    }

    #[test]
    fn one_call_is_enough_for_a_room_and_its_caller_ends_it() {
        let (mut stage, [alice, bob, _], _) = three_in_a_room();
        stage.wish(alice.page, Wish::Call(true));
        stage.hush();
        stage.wish(alice.page, Wish::Call(true));
        stage.wish(bob.page, Wish::Call(true));
        stage.wish(bob.page, Wish::Call(false));
        assert!(stage.is_silent(), "it is called already, and the call is not Bob's");
        stage.wish(alice.page, Wish::Call(false));
        assert!(room(&stage, 1).calls.is_empty());
        stage.wish(bob.page, Wish::Call(true));
        assert_eq!(room(&stage, 1).calls.iter().map(|it| it.by).collect::<Vec<_>>(), [bob.seat]);
    }

    #[test]
    fn in_the_main_room_each_calls_for_themselves() {
        let mut stage = Stage::open();
        let (alice, bob) = (stage.join("Alice"), stage.join("Bob"));
        stage.wish(bob.page, Wish::Call(true));
        stage.wish(alice.page, Wish::Call(true));
        let waiting = stage.session.overview(stage.now).calls;
        assert_eq!(waiting.iter().map(|it| it.by).collect::<Vec<_>>(), [bob.seat, alice.seat]);
    }

    #[test]
    fn it_outlives_a_reload_and_a_restart() {
        let (mut stage, [alice, ..], host) = three_in_a_room();
        stage.wish(alice.page, Wish::Call(true));
        stage.wish(host, Wish::SeeCall { participant: alice.seat });
        stage.loses_connection(alice);
        stage.wait(5_000);
        stage.restart();
        let host = stage.host();
        assert_snapshot!(
            stage.told(host),
            @"Host#2 <- main: | room-1: Alice (away), Bob (away), Chao (away); Alice calls, seen | room-2: | Alice waits 5000 ms, seen"
        );
        let alice = stage.rejoin(alice);
        assert!(stage.told(alice.page).contains("Alice calls, seen"));
    }

    #[test]
    fn it_ends_when_the_caller_is_moved_or_leaves() {
        let (mut stage, [alice, bob, chao], host) = three_in_a_room();
        stage.wish(alice.page, Wish::Call(true));
        stage.moves(host, alice, TWO);
        stage.moves(host, alice, ONE);
        assert!(stage.session.overview(stage.now).calls.is_empty());
        stage.wish(bob.page, Wish::Call(true));
        stage.wish(bob.page, Wish::Leave);
        assert!(stage.session.overview(stage.now).calls.is_empty());
        stage.wish(chao.page, Wish::Call(true));
        runs(&mut stage, host, two_phases(true, Assign::Plenary));
        assert!(stage.session.overview(stage.now).calls.is_empty(), "a step has moved Chao");
        stage.wish(chao.page, Wish::Call(true));
        stage.wish(host, Wish::Next { at_once: true });
        assert_eq!(stage.session.overview(stage.now).calls.len(), 1, "nobody has moved");
        stage.restart();
        assert_eq!(stage.session.overview(stage.now).calls.len(), 1, "so says the log");
    }

    #[test]
    fn nobody_can_fill_the_log_by_calling() {
        let (mut stage, [alice, ..], _) = three_in_a_room();
        for _ in 0..CALLS_MAX {
            stage.wish(alice.page, Wish::Call(true));
            stage.wish(alice.page, Wish::Call(false));
        }
        stage.hush();
        stage.wish(alice.page, Wish::Call(true));
        assert_snapshot!(stage.news(), @"Alice <- no: too-fast");
    }
}

mod screens {
    use super::*;

    #[test]
    fn one_shares_and_a_second_is_told_so() {
        let (mut stage, [alice, bob, _], host) = three_in_a_room();
        let facts = stage.facts.len();
        stage.wish(alice.page, Wish::Share(true));
        stage.wish(alice.page, Wish::Share(true));
        assert_snapshot!(stage.news(), @r"
        screen: Alice shares
        Alice <- room-1: Alice, Bob, Chao; Alice shares
        Bob <- room-1: Alice, Bob, Chao; Alice shares
        Chao <- room-1: Alice, Bob, Chao; Alice shares
        ");
        stage.wish(bob.page, Wish::Share(true));
        stage.wish(bob.page, Wish::Share(false));
        assert_snapshot!(stage.news(), @"Bob <- no: already-shared");
        stage.wish(alice.page, Wish::Share(false));
        stage.wish(bob.page, Wish::Share(true));
        stage.hush();
        stage.wish(host, Wish::EndShare { participant: bob.seat });
        stage.wish(host, Wish::EndShare { participant: bob.seat });
        assert_snapshot!(stage.news(), @r"
        screen: Bob shares no more
        Alice <- room-1: Alice, Bob, Chao
        Bob <- room-1: Alice, Bob, Chao
        Chao <- room-1: Alice, Bob, Chao
        ");
        assert_eq!(stage.facts.len(), facts, "a share is no fact");
    }

    #[test]
    fn it_ends_before_its_person_comes_to_another_room() {
        let (mut stage, [alice, bob, _], host) = three_in_a_room();
        stage.wish(alice.page, Wish::Share(true));
        stage.hush();
        stage.moves(host, alice, TWO);
        let news = stage.news();
        assert!(
            news.starts_with(
                "keep: Alice in room-2\nscreen: Alice shares no more\nmedia: Alice in room-2"
            ),
            "{news}"
        );
        stage.wish(bob.page, Wish::Share(true));
        stage.hush();
        runs(&mut stage, host, two_phases(true, Assign::Plenary));
        let news = stage.news();
        let at = |it: &str| news.find(it).unwrap_or_else(|| panic!("{it}: {news}"));
        assert!(at("screen: Bob shares no more") < at("media: Bob in main"));
    }

    #[test]
    fn a_lost_line_is_waited_for_and_leaving_ends_it() {
        let (mut stage, [alice, bob, chao], host) = three_in_a_room();
        stage.wish(alice.page, Wish::Share(true));
        stage.loses_connection(alice);
        assert_eq!(room(&stage, 1).sharing, Some(alice.seat));
        let alice = stage.rejoin(alice);
        assert_eq!(room(&stage, 1).sharing, Some(alice.seat));
        stage.loses_connection(alice);
        stage.hush();
        stage.wait(SEAT_GRACE_MS);
        assert!(stage.news().contains("screen: Alice shares no more\nmedia: Alice out"));
        assert_eq!(room(&stage, 1).sharing, None);
        stage.wish(bob.page, Wish::Share(true));
        stage.hush();
        stage.wish(bob.page, Wish::Leave);
        assert!(stage.news().contains("screen: Bob shares no more\nmedia: Bob out"));
        stage.wish(chao.page, Wish::Share(true));
        stage.hush();
        stage.wish(host, Wish::End);
        assert!(stage.news().starts_with("screen: Chao shares no more"));
    }
}

mod marks {
    use vuoro::domain::{limits::MARKS_PERSON_MAX, mark::Mark, time::SessionTime};

    use super::*;

    fn marks(stage: &mut Stage, by: Person, of: Person, at: SessionTime, on: bool) {
        stage.wish(by.page, Wish::Mark { of: of.seat, at, mark: Mark::Worry, on });
    }

    #[test]
    fn a_mark_is_a_fact_is_told_to_the_room_and_taken_back() {
        let (mut stage, [alice, bob, _], _) = three_in_a_room();
        let at = stage.now;
        marks(&mut stage, alice, bob, at, true);
        marks(&mut stage, alice, bob, at, false);
        let set = |on| Fact::Marked { by: alice.seat, of: bob.seat, at, mark: Mark::Worry, on };
        let kept: Vec<_> = stage.facts.iter().rev().take(2).map(|it| it.1.clone()).collect();
        assert_eq!(kept, [set(false), set(true)]);
        let told = stage.news_of(bob.page);
        let told = told.iter().filter(|it| matches!(it, Message::Marked { .. })).count();
        assert_eq!(told, 2);
    }

    #[test]
    fn nobody_marks_what_they_cannot_have_heard_or_read() {
        let (mut stage, [alice, bob, chao], host) = three_in_a_room();
        let before = stage.now;
        stage.wait(1_000);
        stage.moves(host, chao, TWO);
        let after = stage.now;
        stage.hush();
        let facts = stage.facts.len();
        marks(&mut stage, chao, bob, after, true);
        marks(&mut stage, alice, bob, after + 60_000, true);
        assert_eq!(refused(&mut stage, chao.page), "not-now");
        assert_eq!(stage.facts.len(), facts);
        // What was said while Chao was there is still theirs to mark.
        marks(&mut stage, chao, bob, before, true);
        assert_eq!(stage.facts.len(), facts + 1);
    }

    #[test]
    fn a_key_that_is_held_down_does_not_fill_the_log() {
        let (mut stage, [alice, bob, _], _) = three_in_a_room();
        let (at, facts) = (stage.now, stage.facts.len());
        for on in [true, false].into_iter().cycle().take(3 * MARKS_PERSON_MAX) {
            marks(&mut stage, alice, bob, at, on);
        }
        assert_eq!(stage.facts.len(), facts + MARKS_PERSON_MAX);
    }
}
