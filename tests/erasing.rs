//! What is taken back is in no file any more: every byte of the data folder is searched for it. And
//! sessions go when their time is over, told by a clock of the test's own.

use std::path::Path;

use vuoro::{
    app::{exporting::Document, methods::Library},
    domain::{
        fact::{CommentOn, Consent, Fact},
        ideas::{Change, IdeaId},
        ids::{ParticipantId, RoomId, SessionId},
        language::Language,
        message::Place,
        method::Harvest,
        run::StepBegan,
        session::Session,
        time::{SessionTime, Span},
    },
    notes::{
        driver::{
            erasing::{How, Kept},
            index::{Index, Search},
            log::Log,
        },
        engine::export,
    },
};

const ALICE: ParticipantId = ParticipantId(1);
const BOB: ParticipantId = ParticipantId(2);
const DAY_MS: u64 = 24 * 3_600 * 1_000;
const OPENED_MS: u64 = 1_790_000_000_000;

/// What only Alice says, and how others say her name.
const HERS: [&str; 3] = ["salamanterikukkula", "Aliisa", "Kettunen"];

fn session(number: u128) -> SessionId {
    SessionId::new(OPENED_MS, number)
}

fn joined(who: ParticipantId, name: &str) -> (SessionTime, Fact) {
    (
        SessionTime(1),
        Fact::Joined {
            participant: who,
            name: name.into(),
            language: Language::Finnish,
            consent: Consent::On,
            tags: Default::default(),
        },
    )
}

fn said(who: ParticipantId, at_ms: u64, text: &str) -> (SessionTime, Fact) {
    let at = SessionTime(at_ms);
    (
        at,
        Fact::Said {
            participant: who,
            room: RoomId::Main,
            span: Span::new(at, at + 900),
            language: Language::Finnish,
            text: text.into(),
            words: vec![],
        },
    )
}

/// Two thousand lines of two people, spread over many pages of the file, in two sessions.
fn talk(log: &Log, of: SessionId) {
    let opened =
        Fact::Opened { title: "Ilta".into(), language: Language::Finnish, unix_ms: OPENED_MS };
    let mut facts =
        vec![(SessionTime::ZERO, opened), joined(ALICE, "Aliisa Kettunen"), joined(BOB, "Bob")];
    facts.push((
        SessionTime(2),
        Fact::Posted {
            participant: ALICE,
            room: RoomId::Main,
            text: "salamanterikukkula kirjoitettuna".into(),
        },
    ));
    for number in 0..1_000 {
        let at_ms = 1_000 * (number + 1);
        facts.push(said(ALICE, at_ms, &format!("Minun salamanterikukkulani on numero {number}")));
        let bobs = ["Pyörätie puuttuu asemalta", "Kuten Aliisa sanoi", "Kysytään Kettuselta"];
        facts.push(said(BOB, at_ms + 500, bobs[number as usize % 3]));
    }
    facts.push((SessionTime(1_001_000), Fact::Ended));
    for some in facts.chunks(100) {
        log.append_blocking(of, some.to_vec()).expect("kept");
    }
}

/// The files in which any of the words stands, in any case.
fn found(folder: &Path, words: &[&str]) -> Vec<String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            files.extend(found(&path, words));
            continue;
        }
        let bytes = std::fs::read(&path).expect("readable").to_ascii_lowercase();
        for word in words {
            let word = word.to_ascii_lowercase().into_bytes();
            if bytes.windows(word.len()).any(|it| it == word) {
                files.push(format!("{:?} in {}", String::from_utf8_lossy(&word), path.display()));
            }
        }
    }
    files
}

fn hits(index: &Index, of: SessionId, text: &str) -> usize {
    let search = Search { text: text.into(), sessions: [of].into(), ..Search::default() };
    index.search(&search).expect("answered").total as usize
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_taken_out_of_every_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = Log::open(&folder.path().join("notes.sqlite")).expect("a new log");
    let of = session(1);
    tokio::task::block_in_place(|| talk(&log, of));
    let index = tokio::task::block_in_place(|| {
        Index::open(&folder.path().join("index"), &log, &mut |_| ()).expect("an index")
    });
    assert!(!found(folder.path(), &HERS).is_empty(), "the search itself finds what is there");
    assert_eq!(hits(&index, of, "salamanterikukkulani"), 1_001, "said and written");

    assert!(log.take_back(of, ALICE, true, OPENED_MS).await.expect("taken out"));
    tokio::task::block_in_place(|| index.read_again(&log, of)).expect("read again");

    assert_eq!(found(folder.path(), &HERS), Vec::<String>::new());
    assert_eq!(hits(&index, of, "salamanterikukkulani"), 0);
    assert_eq!(hits(&index, of, "pyörätie"), 334, "Bob's words stay");
    let records = tokio::task::block_in_place(|| log.read(of)).expect("readable");
    assert_eq!(records.len(), 1_004, "opening, two people, Bob's thousand lines, the end");
    let checks = tokio::task::block_in_place(|| log.checks(of)).expect("readable");
    assert_eq!(checks.iter().map(|it| it.how).collect::<Vec<_>>(), [How::Erased]);
    assert!(!log.take_back(of, ParticipantId(9), true, OPENED_MS).await.expect("answered"));

    // Nor is it there after everything has been closed and opened again.
    drop((index, log));
    assert_eq!(found(folder.path(), &HERS), Vec::<String>::new());
    let log = Log::open(&folder.path().join("notes.sqlite")).expect("the log");
    tokio::task::block_in_place(|| log.check()).expect("sound");
}

/// As when the process dies between the one and the other: the log is erased, the index is not.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_index_owes_after_a_crash_is_paid_before_anybody_asks() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = || {
        let log = Log::open(&folder.path().join("notes.sqlite")).expect("the log");
        let index = Index::open(&folder.path().join("index"), &log, &mut |_| ()).expect("an index");
        (log, index)
    };
    let (log, index) = tokio::task::block_in_place(open);
    let (of, other) = (session(1), session(2));
    tokio::task::block_in_place(|| {
        talk(&log, of);
        talk(&log, other);
        index.catch_up(&log).expect("added");
    });
    assert!(log.take_back(of, ALICE, true, OPENED_MS).await.expect("taken out"));
    log.purge(other, OPENED_MS).await.expect("purged");
    drop((index, log));
    assert!(!found(folder.path(), &HERS).is_empty(), "the index still has them");

    let (log, index) = tokio::task::block_in_place(open);
    assert_eq!(found(folder.path(), &HERS), Vec::<String>::new());
    assert_eq!(hits(&index, of, "salamanterikukkulani"), 0);
    assert_eq!((hits(&index, of, "pyörätie"), hits(&index, other, "pyörätie")), (334, 0));
    // Whatever is asked of the log next comes after the paying.
    log.approve(of, BOB, OPENED_MS).await.expect("kept");
    assert!(tokio::task::block_in_place(|| log.debts()).expect("readable").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn words_still_on_their_way_at_the_end_do_not_bring_anybody_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = Log::open(&folder.path().join("notes.sqlite")).expect("a new log");
    let of = session(1);
    tokio::task::block_in_place(|| talk(&log, of));
    assert!(log.take_back(of, ALICE, true, OPENED_MS).await.expect("taken out"));
    let late = |who, text| said(who, 1_000_500, text);
    let kept =
        log.append(of, vec![late(ALICE, "salamanterikukkula vielä")]).await.expect("seen to");
    assert_eq!(kept, Vec::<u64>::new());
    let kept = log.append(of, vec![late(BOB, "Ja minä")]).await.expect("kept");
    assert_eq!(kept.len(), 1, "Bob's last words are his own");
    assert_eq!(found(folder.path(), &HERS), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_gone_also_when_somebody_was_reading_for_long() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notes.sqlite");
    let log = Log::open(&path).expect("a new log");
    let of = session(1);
    tokio::task::block_in_place(|| talk(&log, of));
    let reader = rusqlite::Connection::open(&path).expect("the same file");
    reader.execute_batch("BEGIN; SELECT count(*) FROM records").expect("begun");
    let read: i64 =
        reader.query_row("SELECT count(*) FROM records", [], |row| row.get(0)).expect("read");
    assert_eq!(read, 2_005);
    assert!(log.take_back(of, ALICE, true, OPENED_MS).await.expect("it is done all the same"));
    reader.execute_batch("COMMIT").expect("ended");
    drop(reader);
    log.approve(of, BOB, OPENED_MS).await.expect("kept");
    assert_eq!(found(folder.path(), &HERS), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_that_was_struck_brings_no_older_one_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = Log::open(&folder.path().join("notes.sqlite")).expect("a new log");
    let (library, _) = Library::load(None);
    let method = library.get("me-we-all").expect("a method of the product").clone();
    let phase = method.phases.iter().position(|it| it.harvest == Harvest::Note).expect("one");
    let of = session(1);
    let opened =
        Fact::Opened { title: "Ilta".into(), language: Language::Finnish, unix_ms: OPENED_MS };
    let began = Fact::StepBegan(StepBegan {
        place: Place { phase: phase as u16, round: 0, of: 1 },
        length_ms: None,
        rooms: None,
        ahead: Vec::new(),
        roles: Vec::new(),
        cards: Vec::new(),
    });
    let wrote = |who, text: &str| {
        let fact = Fact::Wrote {
            participant: who,
            room: RoomId::Main,
            text: text.into(),
            parts: Vec::new(),
        };
        (SessionTime(3), fact)
    };
    let facts = vec![
        (SessionTime::ZERO, opened),
        joined(ALICE, "Alice"),
        joined(BOB, "Bob"),
        (SessionTime(2), Fact::MethodBegan { method: method.into(), options: Default::default() }),
        (SessionTime(2), began),
        wrote(ALICE, "Salamanterikukkula on minun"),
        wrote(BOB, "Pyörätie puuttuu"),
        wrote(ALICE, "Salamanterikukkula on meidän"),
    ];
    let seqs = log.append(of, facts).await.expect("kept");
    assert!(log.correct(of, ALICE, seqs[7], None, 5).await.expect("struck"));
    assert!(!log.correct(of, ALICE, seqs[7], None, 5).await.expect("answered"), "it is gone");

    let records = tokio::task::block_in_place(|| log.read(of)).expect("readable");
    let texts = |document: Option<Document>| -> Vec<String> {
        document.expect("a session").lines.into_iter().map(|it| it.text).collect()
    };
    assert_eq!(texts(export::gather(of, &records)), ["Pyörätie puuttuu"]);
    assert_eq!(texts(export::gather_own(of, &records, ALICE)), Vec::<String>::new());
    let index = tokio::task::block_in_place(|| {
        Index::open(&folder.path().join("index"), &log, &mut |_| ()).expect("an index")
    });
    assert_eq!((hits(&index, of, "salamanterikukkula"), hits(&index, of, "pyörätie")), (0, 1));
    assert_eq!(found(folder.path(), &HERS), Vec::<String>::new());
}

/// A table of the café over two rounds: what Alice wrote there, also what she has struck again herself,
/// is in no file any more; what Bob wrote beside it stays.
#[tokio::test(flavor = "multi_thread")]
async fn ones_words_are_taken_out_of_what_a_room_wrote_together() {
    for erases in [true, false] {
        let folder = tempfile::tempdir().expect("a folder");
        let log = Log::open(&folder.path().join("notes.sqlite")).expect("a new log");
        let (of, seqs) = (session(1), log.append(session(1), table()).await.expect("kept"));
        let comment = Fact::Commented {
            on: CommentOn::Entry(seqs[6]),
            name: "Dana".into(),
            unix_ms: OPENED_MS,
            text: "Salamanterikukkula on totta, ja pyörätie puuttuu".into(),
        };
        log.append(of, vec![(SessionTime(2_000), comment)]).await.expect("kept");
        let index = tokio::task::block_in_place(|| {
            Index::open(&folder.path().join("index"), &log, &mut |_| ()).expect("an index")
        });
        let records = tokio::task::block_in_place(|| log.read(of)).expect("readable");
        let own = export::gather_own(of, &records, ALICE).expect("a session").lines;
        let own: Vec<_> = own.iter().map(|it| (it.seq, it.text.as_str())).collect();
        let first = "Salamanterikukkula on";
        assert_eq!(own, [(seqs[6], first), (seqs[8], first)], "one for each round, hers alone");

        if erases {
            assert!(log.take_back(of, ALICE, true, OPENED_MS).await.expect("taken out"));
        } else {
            assert!(!log.correct(of, ParticipantId(9), seqs[6], None, 5).await.expect("answered"));
            assert!(log.correct(of, ALICE, seqs[6], None, 5).await.expect("struck"));
        }
        tokio::task::block_in_place(|| index.read_again(&log, of)).expect("read again");

        assert_eq!(found(folder.path(), &["salamanterikukkula", "c2FsYW1h"]), Vec::<String>::new());
        let records = tokio::task::block_in_place(|| log.read(of)).expect("readable");
        let typed = records.iter().filter(|it| matches!(it.fact, Fact::Typed { .. })).count();
        assert_eq!(typed, 0, "how it came to be goes whole");
        let lines = export::gather(of, &records).expect("a session").lines;
        let lines: Vec<_> = lines.iter().map(|it| it.text.as_str()).collect();
        assert_eq!(lines, ["ja pyörätie", "ja pyörätie asemalle"], "Bob's words stay");
        let said = records.iter().find_map(|it| match &it.fact {
            Fact::Commented { text, .. } => Some(text.as_str()),
            _ => None,
        });
        assert_eq!(said, Some("… totta, ja pyörätie puuttuu"), "so does what is said of them");
        assert_eq!((hits(&index, of, "salamanterikukkula"), hits(&index, of, "pyörätie")), (0, 2));
        // Whoever takes the session up again finds the table as it is in the log.
        let facts = records.into_iter().map(|it| (it.at, it.fact));
        assert!(Session::restore(facts, SessionTime(9_000)).is_some());
    }
}

/// What somebody typed and took away again is kept only for as long as a crash could take the rest.
#[tokio::test(flavor = "multi_thread")]
async fn how_a_sheet_was_typed_is_in_no_file_when_the_session_is_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = Log::open(&folder.path().join("notes.sqlite")).expect("a new log");
    log.append(session(1), table()).await.expect("kept");
    assert!(!found(folder.path(), &["c2FsYW1h"]).is_empty(), "it could be lost until then");
    log.append(session(1), vec![(SessionTime(5_000), Fact::Ended)]).await.expect("kept");
    assert_eq!(found(folder.path(), &["c2FsYW1h"]), Vec::<String>::new());
    let records = tokio::task::block_in_place(|| log.read(session(1))).expect("readable");
    assert!(!records.iter().any(|it| matches!(it.fact, Fact::Typed { .. })));
    let last = export::gather(session(1), &records).expect("a session").lines.pop();
    assert_eq!(last.expect("a line").text, "Salamanterikukkula on ja pyörätie asemalle");
}

/// What the log has of it: two people at the first table, and the next round.
fn table() -> Vec<(SessionTime, Fact)> {
    let (library, _) = Library::load(None);
    let method = library.get("world-cafe").expect("a method of the product").clone();
    let phase = method.phases.iter().position(|it| it.harvest == Harvest::Line).expect("one");
    let began = |phase: usize, rooms: Option<Vec<Vec<ParticipantId>>>| {
        Fact::StepBegan(StepBegan {
            place: Place { phase: phase as u16, round: 0, of: 1 },
            length_ms: None,
            rooms,
            ahead: Vec::new(),
            roles: Vec::new(),
            cards: Vec::new(),
        })
    };
    let room = RoomId::Breakout(1);
    let wrote = |participant, text: &str, parts: &[(ParticipantId, u32)]| {
        let (text, parts) = (text.to_owned(), parts.to_vec());
        Fact::Wrote { participant, room, text, parts }
    };
    // As it lies there: the letters themselves, of which she has struck some.
    let typed = |participant, text: &str| Fact::Typed {
        participant,
        room,
        update: text.to_lowercase().into_bytes(),
    };
    let opened =
        Fact::Opened { title: "Ilta".into(), language: Language::Finnish, unix_ms: OPENED_MS };
    let facts = [
        opened,
        joined(ALICE, "Alice").1,
        joined(BOB, "Bob").1,
        Fact::MethodBegan { method: method.into(), options: Default::default() },
        began(phase, Some(vec![vec![ALICE, BOB]])),
        typed(ALICE, "Salamanterikukkula on aivan"),
        wrote(BOB, "Salamanterikukkula on ja pyörätie", &[(ALICE, 22), (BOB, 11)]),
        began(phase + 1, None),
        wrote(BOB, "Salamanterikukkula on ja pyörätie asemalle", &[(ALICE, 22), (BOB, 20)]),
        typed(BOB, " asemalle"),
    ];
    (0..).zip(facts).map(|(at, fact)| (SessionTime(at * 100), fact)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_is_corrected_and_another_struck_by_their_own_person_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = Log::open(&folder.path().join("notes.sqlite")).expect("a new log");
    let of = session(1);
    let facts = vec![
        (
            SessionTime::ZERO,
            Fact::Opened { title: "Ilta".into(), language: Language::Finnish, unix_ms: OPENED_MS },
        ),
        joined(ALICE, "Alice"),
        said(ALICE, 1_000, "Väärinkuultu höpsismi"),
        said(ALICE, 2_000, "Poistettava räyhääminen"),
    ];
    log.append(of, facts).await.expect("kept");
    let change =
        |who, seq, text: Option<&str>| log.correct(of, who, seq, text.map(str::to_owned), 5);
    assert!(!change(BOB, 3, Some("Bobin sana")).await.expect("answered"));
    assert!(!change(ALICE, 2, None).await.expect("answered"), "a name is no line");
    assert!(change(ALICE, 3, Some("Kuultu oikein")).await.expect("corrected"));
    assert!(change(ALICE, 4, None).await.expect("struck"));
    assert!(!change(ALICE, 4, None).await.expect("answered"), "it is gone already");

    let records = tokio::task::block_in_place(|| log.read(of)).expect("readable");
    let texts: Vec<_> = records
        .iter()
        .filter_map(|it| match &it.fact {
            Fact::Said { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(texts, ["Kuultu oikein"]);
    assert_eq!(found(folder.path(), &["höpsismi", "räyhääminen"]), Vec::<String>::new());
    let checks = tokio::task::block_in_place(|| log.checks(of)).expect("readable");
    let told: Vec<_> = checks.iter().map(|it| (it.how, it.seq)).collect();
    assert_eq!(told, [(How::Corrected, Some(3)), (How::Struck, Some(4))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idea_is_struck_with_all_its_earlier_words_and_what_came_of_it_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = Log::open(&folder.path().join("notes.sqlite")).expect("a new log");
    let of = session(1);
    let idea = |idea: u32, by, text: &str, from: &[u32]| {
        let from = from.iter().map(|it| IdeaId(*it)).collect();
        let (idea, text, room) = (IdeaId(idea), text.to_owned(), RoomId::Breakout(1));
        (SessionTime(9), Fact::Ideas(Change::Written { idea, by, room, open: true, text, from }))
    };
    let facts = vec![
        (
            SessionTime::ZERO,
            Fact::Opened { title: "Ilta".into(), language: Language::Finnish, unix_ms: OPENED_MS },
        ),
        joined(ALICE, "Alice"),
        joined(BOB, "Bob"),
        idea(1, ALICE, "Ensimmäinen höpsismi", &[]),
        idea(1, ALICE, "Toinen höpsismi", &[]),
        idea(2, BOB, "Penkki", &[]),
        idea(3, BOB, "Penkki ja muuta", &[1, 2]),
    ];
    log.append(of, facts).await.expect("kept");
    assert!(!log.correct(of, BOB, 5, None, 5).await.expect("answered"), "it is not his");
    assert!(log.correct(of, ALICE, 5, None, 5).await.expect("struck"));

    assert_eq!(found(folder.path(), &["höpsismi"]), Vec::<String>::new());
    let records = tokio::task::block_in_place(|| log.read(of)).expect("readable");
    let kept: Vec<_> = records
        .iter()
        .filter_map(|it| match &it.fact {
            Fact::Ideas(Change::Written { text, from, .. }) => Some((text.as_str(), from.len())),
            _ => None,
        })
        .collect();
    assert_eq!(kept, [("", 0), ("", 0), ("Penkki", 0), ("Penkki ja muuta", 2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_an_idea_that_was_taken_away_go_while_the_session_is_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = Log::open(&folder.path().join("notes.sqlite")).expect("a new log");
    let of = session(1);
    let idea = |idea: u32, by, text: &str, from: &[u32]| {
        let from = from.iter().map(|it| IdeaId(*it)).collect();
        let (idea, text, room) = (IdeaId(idea), text.to_owned(), RoomId::Breakout(1));
        (SessionTime(9), Fact::Ideas(Change::Written { idea, by, room, open: true, text, from }))
    };
    let removed = |idea, by| {
        let idea = IdeaId(idea);
        (SessionTime(10), Fact::Ideas(Change::Removed { idea, by }))
    };
    let facts = vec![
        (
            SessionTime::ZERO,
            Fact::Opened { title: "Ilta".into(), language: Language::Finnish, unix_ms: OPENED_MS },
        ),
        joined(ALICE, "Alice"),
        joined(BOB, "Bob"),
        idea(1, ALICE, "Puu", &[]),
        idea(2, BOB, "Penkki", &[]),
        // Both have put it into words, and it was the room's to take apart.
        idea(3, BOB, "Penkki höpsismin alla", &[1, 2]),
        idea(3, ALICE, "Istutaan höpsismin alla", &[]),
        idea(4, ALICE, "Pelkkä höpsismi", &[]),
    ];
    log.append(of, facts).await.expect("kept");
    assert_ne!(found(folder.path(), &["höpsismi"]), Vec::<String>::new());
    log.append(of, vec![removed(3, BOB), removed(4, ALICE)]).await.expect("kept");

    assert_eq!(found(folder.path(), &["höpsismi"]), Vec::<String>::new());
    let records = tokio::task::block_in_place(|| log.read(of)).expect("readable");
    let kept = records.iter().filter_map(|it| match &it.fact {
        Fact::Ideas(Change::Written { text, .. }) => Some(text.as_str()),
        _ => None,
    });
    assert_eq!(kept.collect::<Vec<_>>(), ["Puu", "Penkki", "", "", ""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_when_its_time_is_over_and_not_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = Log::open(&folder.path().join("notes.sqlite")).expect("a new log");
    let (short, usual) = (session(1), session(2));
    tokio::task::block_in_place(|| [short, usual].map(|of| talk(&log, of)));
    log.set_keep_days(short, 7).await.expect("set");
    let over = |now_unix_ms: u64| {
        let kept: Vec<Kept> = tokio::task::block_in_place(|| log.kept()).expect("readable");
        let over = kept.iter().filter(|it| it.is_over(now_unix_ms, 30));
        over.map(|it| it.session).collect::<Vec<_>>()
    };
    let last_ms = OPENED_MS + 1_001_000;
    assert_eq!(over(last_ms + 7 * DAY_MS - 1), []);
    assert_eq!(over(last_ms + 7 * DAY_MS), [short]);
    assert_eq!(over(last_ms + 30 * DAY_MS), [short, usual]);

    for of in [short, usual] {
        log.purge(of, last_ms + 30 * DAY_MS).await.expect("purged");
    }
    assert_eq!(over(u64::MAX), []);
    assert_eq!(found(folder.path(), &[&HERS[..], &["Pyörätie"]].concat()), Vec::<String>::new());
    let accesses = tokio::task::block_in_place(|| log.accesses(short)).expect("readable");
    assert_eq!(accesses.iter().map(|it| it.what.as_str()).collect::<Vec<_>>(), ["purge"]);
}
