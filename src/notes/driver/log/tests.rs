//! The log as its callers see it: kept, read, refused, full, and free of what was taken back.

use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
};

use rusqlite::Connection;

use super::{
    schema::{MIGRATIONS, prepare},
    writer::{Append, request, write},
    *,
};
use crate::domain::{
    fact::{Consent, GapReason},
    ids::{ParticipantId, RoomId},
    time::Span,
};

const ALICE: ParticipantId = ParticipantId(1);

fn session(number: u128) -> SessionId {
    SessionId::new(1_790_000_000_000, number)
}

fn opened(title: &str) -> (SessionTime, Fact) {
    let fact =
        Fact::Opened { title: title.into(), language: Language::Finnish, unix_ms: 1_790_000 };
    (SessionTime::ZERO, fact)
}

fn said(at_ms: u64, text: &str) -> (SessionTime, Fact) {
    let at = SessionTime(at_ms);
    let fact = Fact::Said {
        participant: ALICE,
        room: RoomId::Main,
        span: Span::new(at, at + 900),
        language: Language::Finnish,
        text: text.into(),
        words: vec![],
    };
    (at, fact)
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

#[test]
fn words_taken_back_are_in_no_byte_of_the_folder_and_that_they_were_said_stays() {
    let folder = folder();
    let path = folder.path().join("log.sqlite");
    let log = Log::open(&path).expect("a new log");
    let early = said(5_000, "Kukkaruukku vanhassa maassa");
    let late = said(70_000, "Salaisuus on sinitiainen");
    log.append_blocking(session(1), vec![opened("Kevät"), early.clone()]).expect("kept");
    log.append_blocking(session(1), vec![late]).expect("kept");
    let lies = |needle: &str| {
        let files = fs::read_dir(folder.path()).expect("the folder");
        files.map(|it| it.expect("a file").path()).any(|file| {
            let bytes = fs::read(file).expect("its bytes");
            bytes.windows(needle.len()).any(|it| it == needle.as_bytes())
        })
    };
    assert!(lies("sinitiainen"));
    let span = Span::new(SessionTime(60_000), SessionTime(75_000));
    let struck = (SessionTime(75_000), Fact::Struck { participant: ALICE, span });
    log.append_blocking(session(1), vec![struck.clone()]).expect("kept");
    assert!(!lies("sinitiainen") && lies("Kukkaruukku"));
    let records = log.read(session(1)).expect("records");
    let unheard = Fact::Unheard {
        participant: ALICE,
        room: RoomId::Main,
        span: Span::new(SessionTime(70_000), SessionTime(70_900)),
        reason: GapReason::Struck,
    };
    let facts: Vec<_> = records.iter().map(|it| &it.fact).collect();
    assert_eq!(facts[1..], [&early.1, &unheard, &struck.1]);
    assert_eq!(records.iter().map(|it| it.seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
    log.check().expect("sound");
}

#[test]
fn what_was_kept_is_read_after_reopening() {
    let folder = folder();
    let path = folder.path().join("data").join("log.sqlite");
    let joined = Fact::Joined {
        participant: ALICE,
        name: "Alice".into(),
        language: Language::Swedish,
        consent: Consent::On,
        tags: Default::default(),
    };
    let log = Log::open(&path).expect("a new log");
    let first = vec![opened("Yksi"), (SessionTime(5), joined)];
    assert_eq!(log.append_blocking(session(1), first.clone()).expect("kept"), [1, 2]);
    assert_eq!(log.append_blocking(session(2), vec![opened("Kaksi")]).expect("kept"), [3]);
    let last = vec![said(9, "hei"), (SessionTime(u64::MAX), Fact::Ended)];
    assert_eq!(log.append_blocking(session(1), last.clone()).expect("kept"), [4, 5]);
    assert_eq!(log.append_blocking(session(2), vec![]).expect("nothing to keep"), [0; 0]);
    drop(log);

    let log = Log::open(&path).expect("the same log");
    log.check().expect("sound");
    assert_eq!(log.last_seq(), 5);
    let read = log.read(session(1)).expect("readable");
    assert_eq!(read.iter().map(|it| it.seq).collect::<Vec<_>>(), [1, 2, 4, 5]);
    let facts: Vec<_> = read.into_iter().map(|it| (it.at, it.fact)).collect();
    assert_eq!(facts, [first, last].concat());
    assert_eq!(log.read(session(3)).expect("unknown is empty"), []);

    let after = log.read_after(2, 2).expect("readable");
    let places: Vec<_> = after.into_iter().map(|(id, record)| (id, record.seq)).collect();
    assert_eq!(places, [(session(2), 3), (session(1), 4)]);

    let about: Vec<_> = log.sessions().expect("readable");
    let about: Vec<_> =
        about.iter().map(|it| (it.id, &*it.title, it.opened_unix_ms, it.ended)).collect();
    assert_eq!(
        about,
        [(session(1), "Yksi", 1_790_000, true), (session(2), "Kaksi", 1_790_000, false)]
    );
}

#[test]
fn every_commit_is_told() {
    let folder = folder();
    let log = Log::open(&folder.path().join("log.sqlite")).expect("a new log");
    let mut news = log.subscribe();
    assert_eq!(*news.borrow_and_update(), 0);
    log.append_blocking(session(1), vec![opened("Yksi"), said(1, "hei")]).expect("kept");
    assert!(news.has_changed().expect("open"));
    assert_eq!(*news.borrow_and_update(), 2);
    log.append_blocking(session(2), vec![said(1, "hei")]).expect_err("not opened");
    assert!(!news.has_changed().expect("open"));
}

#[test]
fn a_session_begins_with_opened_and_has_one() {
    let folder = folder();
    let log = Log::open(&folder.path().join("log.sqlite")).expect("a new log");
    let refused = |facts| log.append_blocking(session(1), facts).expect_err("refused");
    assert!(matches!(refused(vec![said(1, "hei")]), LogError::NotOpened { .. }));
    let twice = vec![opened("Yksi"), opened("Yksi")];
    assert!(matches!(refused(twice), LogError::AlreadyOpened { .. }));
    log.append_blocking(session(1), vec![opened("Yksi")]).expect("kept");
    assert!(matches!(refused(vec![opened("Yksi")]), LogError::AlreadyOpened { .. }));
    let late = vec![said(1, "hei"), opened("Yksi")];
    assert!(matches!(refused(late), LogError::AlreadyOpened { .. }));
    // Refusals leave no trace and no hole.
    assert_eq!(log.append_blocking(session(1), vec![said(2, "hei")]).expect("kept"), [2]);
}

#[test]
fn a_refused_append_does_not_take_its_neighbours_along() {
    let folder = folder();
    let path = folder.path().join("log.sqlite");
    let mut connection = Connection::open(&path).expect("opens");
    prepare(&mut connection, &path).expect("a new log");
    let facts = [vec![opened("Yksi")], vec![said(1, "ei")], vec![said(2, "hei")]];
    let ids = [session(1), session(2), session(1)];
    let batch: Vec<Append> =
        ids.into_iter().zip(facts).map(|(id, facts)| request(id, facts).0).collect();
    let answers = write(&mut connection, &batch).expect("written");
    assert!(
        matches!(
            answers.as_slice(),
            [Ok(first), Err(LogError::NotOpened { .. }), Ok(last)]
                if *first == [1] && *last == [2]
        ),
        "{answers:?}"
    );
}

#[test]
fn a_second_server_on_the_same_folder_is_refused() {
    let folder = folder();
    let path = folder.path().join("log.sqlite");
    let first = Log::open(&path).expect("a new log");
    let second = Log::open(&path).expect_err("in use");
    assert!(matches!(second, LogError::InUse { .. }), "{second:?}");
    drop(first);
    Log::open(&path).expect("free again");
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let folder = folder();
    let path = folder.path().join("log.sqlite");
    drop(Log::open(&path).expect("a new log"));
    let known = MIGRATIONS.len() as u32;
    let other = Connection::open(&path).expect("opens");
    other.pragma_update(None, "user_version", known + 1).expect("set");
    drop(other);
    match Log::open(&path).expect_err("too new") {
        LogError::NewerSchema { found, known: mine, .. } => {
            assert_eq!((found, mine), (known + 1, known));
        }
        error => panic!("{error:?}"),
    }
}

#[test]
fn a_folder_that_cannot_be_and_a_file_that_is_no_log_are_told_apart() {
    let folder = folder();
    let file = folder.path().join("file");
    fs::write(&file, "long enough to be looked at, and no database at all".repeat(50))
        .expect("written");
    let error = Log::open(&file.join("log.sqlite")).expect_err("a file is no folder");
    assert!(matches!(error, LogError::NotWritable { .. }), "{error:?}");
    let error = Log::open(&file).expect_err("no database");
    assert!(matches!(error, LogError::Damaged { .. }), "{error:?}");
}

#[test]
fn a_record_of_a_newer_program_is_an_error_with_its_place() {
    let folder = folder();
    let path = folder.path().join("log.sqlite");
    let log = Log::open(&path).expect("a new log");
    log.append_blocking(session(1), vec![opened("Yksi"), said(1, "hei")]).expect("kept");
    drop(log);
    let other = Connection::open(&path).expect("opens");
    other.execute("UPDATE records SET version = 99 WHERE seq = 2", []).expect("set");
    drop(other);
    let log = Log::open(&path).expect("the log itself is fine");
    let error = log.read(session(1)).expect_err("unreadable");
    assert!(matches!(error, LogError::Record { seq: 2, .. }), "{error:?}");
}

#[test]
fn a_full_disk_is_told_and_the_log_goes_on() {
    let folder = folder();
    let path = folder.path().join("log.sqlite");
    let log = Log::open_limited(&path, Some(60)).expect("a new log");
    log.append_blocking(session(1), vec![opened("Yksi")]).expect("kept");
    let much = "paljon ".repeat(60_000);
    let error = log
        .append_blocking(session(1), vec![said(1, "vähän"), said(2, &much)])
        .expect_err("too much");
    assert!(matches!(error, LogError::DiskFull { .. }), "{error:?}");
    assert_eq!(log.last_seq(), 1);
    let kept = log.append_blocking(session(1), vec![said(3, "vähän")]).expect("room for this");
    assert_eq!(kept, [2]);
    drop(log);
    let log = Log::open(&path).expect("the same log");
    log.check().expect("sound");
    assert_eq!(log.read(session(1)).expect("readable").len(), 2);
}

#[cfg(unix)]
#[test]
fn only_its_user_can_read_the_log() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let log = Log::open(&folder.path().join("log.sqlite")).expect("a new log");
    log.append_blocking(session(1), vec![opened("Yksi")]).expect("kept");
    for entry in fs::read_dir(folder.path()).expect("readable") {
        let entry = entry.expect("readable");
        let mode = entry.metadata().expect("there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?} has mode {mode:o}", entry.file_name());
    }
}

#[test]
fn a_record_that_is_none_stops_nobody_from_taking_words_back() {
    let folder = folder();
    let path = folder.path().join("log.sqlite");
    let log = Log::open(&path).expect("a new log");
    let facts = vec![opened("Kevät"), said(5_000, "Salaisuus")];
    log.append_blocking(session(1), facts).expect("kept");
    let sql = "INSERT INTO records (session, at_ms, version, body) VALUES (?1, 6000, 1, 'none')";
    let disk = Connection::open(&path).expect("the file");
    disk.execute(sql, [session(1).to_string()]).expect("written");
    let span = Span::new(SessionTime(0), SessionTime(60_000));
    let struck = (SessionTime(61_000), Fact::Struck { participant: ALICE, span });
    log.append_blocking(session(1), vec![struck]).expect("taken back");
    let sql = "SELECT count(*) FROM records WHERE body LIKE '%Salaisuus%'";
    let left: u32 = disk.query_row(sql, [], |row| row.get(0)).expect("counted");
    assert_eq!(left, 0);
}

#[test]
fn many_who_read_at_once_take_turns_and_one_who_fails_leaves_their_place() {
    let folder = folder();
    let log = Log::open(&folder.path().join("log.sqlite")).expect("a new log");
    log.append_blocking(session(1), vec![opened("Kevät")]).expect("kept");
    for _ in 0..2 * READERS_MAX {
        let broken = std::panic::AssertUnwindSafe(|| {
            log.with_reader::<()>(|_| std::panic::resume_unwind(Box::new(())))
        });
        assert!(std::panic::catch_unwind(broken).is_err());
    }
    let (came, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 * READERS_MAX {
            scope.spawn(|| {
                let busy = log.with_reader(|reader| {
                    let sql = "SELECT count(*) FROM records";
                    let _: i64 = reader.query_row(sql, [], |row| row.get(0))?;
                    came.fetch_add(1, Ordering::Relaxed);
                    // Nobody goes before every place has been taken.
                    while came.load(Ordering::Relaxed) < READERS_MAX {
                        std::thread::yield_now();
                    }
                    Ok(log.inner.readers().busy)
                });
                most.fetch_max(busy.expect("read"), Ordering::Relaxed);
            });
        }
    });
    assert_eq!(most.into_inner(), READERS_MAX);
    assert_eq!(log.inner.readers().busy, 0);
}
