//! The notes as a whole, from outside: what was acknowledged outlives the process that wrote it,
//! and an index built again from the log answers as the one that grew with it.

#![expect(clippy::disallowed_methods, reason = "figures are printed, never asserted")]

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use vuoro::domain::{
    fact::{Consent, Fact},
    ids::{ParticipantId, RoomId, SessionId},
    language::Language,
    time::{SessionTime, Span},
};
use vuoro::notes::driver::{
    index::{Index, Search},
    log::Log,
};

const ALICE: ParticipantId = ParticipantId(1);
const BOB: ParticipantId = ParticipantId(2);
const CHAO: ParticipantId = ParticipantId(3);

/// Set for the child alone: the folder it writes to, and the number of its run.
const CHILD_FOLDER: &str = "VUORO_NOTES_CHILD_FOLDER";
const CHILD_RUN: &str = "VUORO_NOTES_CHILD_RUN";

/// Threads of the child that append at the same time, each to a session of its own.
const CHILD_THREADS: u64 = 4;

/// Seeded numbers; the test is the same at each run.
struct Dice(u64);

impl Dice {
    /// From 0 to `below`, which is not in it. (xorshift64*)
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % below
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.roll(from.len() as u64) as usize]
    }
}

fn opened() -> (SessionTime, Fact) {
    let fact = Fact::Opened {
        title: "Työmatkat".into(),
        language: Language::Finnish,
        unix_ms: 1_790_000_000_000,
    };
    (SessionTime::ZERO, fact)
}

fn joined(participant: ParticipantId, name: &str) -> (SessionTime, Fact) {
    let (name, language, consent) = (name.to_owned(), Language::Finnish, Consent::On);
    let tags = Default::default();
    (SessionTime::ZERO, Fact::Joined { participant, name, language, consent, tags })
}

fn said(
    participant: ParticipantId,
    room: RoomId,
    at_ms: u64,
    language: Language,
    text: &str,
) -> (SessionTime, Fact) {
    let at = SessionTime(at_ms);
    let span = Span::new(at, at + 1_500);
    (at, Fact::Said { participant, room, span, language, text: text.to_owned(), words: vec![] })
}

/// Not a test of its own: the process that the tests below start and kill.
#[test]
fn child_that_appends() {
    let Ok(folder) = std::env::var(CHILD_FOLDER) else { return };
    let run: u64 = std::env::var(CHILD_RUN).expect("a run").parse().expect("a number");
    let folder = Path::new(&folder);
    // The harness has begun a line.
    tell("");
    let log = match Log::open(&folder.join("log.sqlite")) {
        Ok(log) => log,
        Err(error) => return tell(&format!("failed {error}")),
    };
    let index = Index::open(&folder.join("index"), &log, &mut |_| {});
    let _follower = index.as_ref().ok().and_then(|index| index.follow(&log).ok());
    thread::scope(|scope| {
        for number in 0..CHILD_THREADS {
            let log = &log;
            scope.spawn(move || append_until_killed(log, run, number));
        }
    });
}

/// Tells `acked SEQ TEXT` when an append has been acknowledged, and `failed TEXT` when it has not.
fn append_until_killed(log: &Log, run: u64, number: u64) {
    let session = SessionId::new(run, number.into());
    let mut failures = 0;
    let mut is_open = false;
    for append in 0..3_000_u64 {
        let texts: Vec<String> =
            (0..=append % 3).map(|part| format!("{run}-{number}-{append}-{part}")).collect();
        let first = (!is_open).then(opened);
        let words =
            texts.iter().map(|text| said(ALICE, RoomId::Main, append, Language::Finnish, text));
        match log.append_blocking(session, first.into_iter().chain(words).collect()) {
            Ok(seqs) => {
                let of_words = seqs.iter().skip(usize::from(!is_open));
                let acked: Vec<String> =
                    of_words.zip(&texts).map(|(seq, text)| format!("acked {seq} {text}")).collect();
                tell(&acked.join("\n"));
                is_open = true;
            }
            Err(_) => {
                let failed: Vec<String> = texts.iter().map(|it| format!("failed {it}")).collect();
                tell(&failed.join("\n"));
                failures += 1;
                if failures > 3 {
                    return;
                }
            }
        }
    }
}

fn tell(lines: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{lines}\n").as_bytes()).and_then(|()| out.flush()).expect("a reader");
}

/// Starts this test binary again as `child_that_appends`. `limit_kib`: no file grows beyond it.
fn start_child(folder: &Path, run: u64, limit_kib: Option<u64>) -> Child {
    let this = std::env::current_exe().expect("this binary");
    let mut command = match limit_kib {
        None => Command::new(this),
        Some(limit) => {
            let mut command = Command::new("bash");
            let script = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$0\" \"$@\"");
            command.arg("-c").arg(script).arg(this);
            command
        }
    };
    command
        .args(["--exact", "child_that_appends", "--nocapture", "--test-threads=1"])
        .env(CHILD_FOLDER, folder)
        .env(CHILD_RUN, run.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a child")
}

/// What the children told, of all runs.
#[derive(Default)]
struct Told {
    acked: BTreeMap<u64, String>,
    failed: BTreeSet<String>,
}

impl Told {
    /// A last line without its end was cut off by the kill, and counts for nothing.
    fn take(&mut self, line: &str) {
        let Some(line) = line.strip_suffix('\n') else { return };
        if let Some((seq, text)) = line.strip_prefix("acked ").and_then(|it| it.split_once(' ')) {
            let before = self.acked.insert(seq.parse().expect("a place"), text.to_owned());
            assert_eq!(before, None, "place {seq} was given twice");
        } else if let Some(text) = line.strip_prefix("failed ") {
            self.failed.insert(text.to_owned());
        }
    }
}

/// Everything said in the log, by its place. Fails if anything stands there twice.
fn said_in(log: &Log) -> BTreeMap<u64, String> {
    let mut said = BTreeMap::new();
    let mut texts = BTreeSet::new();
    for (expected, (_, record)) in (1..).zip(log.read_after(0, usize::MAX).expect("readable")) {
        assert_eq!(record.seq, expected, "a hole in the log");
        if let Fact::Said { text, .. } = record.fact {
            assert!(texts.insert(text.clone()), "{text} stands in the log twice");
            said.insert(record.seq, text);
        }
    }
    said
}

fn assert_all_there(told: &Told, said: &BTreeMap<u64, String>) {
    for (seq, text) in &told.acked {
        assert_eq!(said.get(seq), Some(text), "acknowledged as {seq}, and not there");
    }
    for text in said.values() {
        assert!(!told.failed.contains(text), "{text} was said to have failed, and is there");
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut dice = Dice(20_261_123);
    let mut told = Told::default();
    let mut slowest_ms = 0;
    for run in 1..=24 {
        // Every fourth is killed while it starts; the first of them while it makes the file.
        let lines_before_kill = if run % 4 == 1 { 0 } else { 1 + dice.roll(600) };
        let mut child = start_child(folder.path(), run, None);
        let mut lines = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        for _ in 0..lines_before_kill {
            line.clear();
            lines.read_line(&mut line).expect("readable");
            told.take(&line);
        }
        for turn in 0..dice.roll(300_000) {
            std::hint::black_box(turn);
        }
        child.kill().expect("killed");
        child.wait().expect("gone");
        let mut rest = String::new();
        lines.read_to_string(&mut rest).expect("readable");
        rest.split_inclusive('\n').for_each(|line| told.take(line));

        let opening = Instant::now();
        let log = Log::open(&folder.path().join("log.sqlite")).expect("opens after the kill");
        slowest_ms = slowest_ms.max(opening.elapsed().as_millis());
        log.check().expect("sound");
        assert_all_there(&told, &said_in(&log));
    }
    assert!(told.failed.is_empty());
    assert!(told.acked.len() > 1_000, "only {} acknowledged", told.acked.len());
    println!(
        "24 kills, {} acknowledged, 0 lost; slowest opening {slowest_ms} ms",
        told.acked.len()
    );

    // The index was killed as often. It must be what the log makes of it.
    let log = Log::open(&folder.path().join("log.sqlite")).expect("opens");
    let index = Index::open(&folder.path().join("index"), &log, &mut |_| {}).expect("opens");
    let mut found = 0;
    for session in log.sessions().expect("readable") {
        let all = index
            .search(&Search { sessions: [session.id].into(), ..Search::default() })
            .expect("an answer");
        found += all.total;
    }
    assert_eq!(found, said_in(&log).len() as u64);
}

/// Each run lets the files grow a little further before every write fails, so that the fault meets
/// the log at another place each time: making the file, the first commit, the tenth.
#[test]
fn nothing_is_acknowledged_that_the_disk_did_not_take() {
    let mut told_any = 0;
    let mut failed_any = 0;
    for (run, limit_kib) in (8..136).step_by(4).enumerate() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let child = start_child(folder.path(), run as u64 + 1, Some(limit_kib));
        let output = child.wait_with_output().expect("ended by itself");
        assert!(output.status.success(), "with {limit_kib} KiB: {}", output.status);
        let mut told = Told::default();
        let text = String::from_utf8(output.stdout).expect("text");
        text.split_inclusive('\n').for_each(|line| told.take(line));
        failed_any += usize::from(!told.failed.is_empty());
        told_any += usize::from(!told.acked.is_empty());

        let log = Log::open(&folder.path().join("log.sqlite")).expect("opens when there is room");
        log.check().expect("sound");
        assert_all_there(&told, &said_in(&log));
        let session = SessionId::new(99, 99);
        log.append_blocking(session, vec![opened()]).expect("kept when there is room");
    }
    assert_eq!(failed_any, 32, "each run must have met its fault");
    assert!(told_any >= 8, "some runs must get further: {told_any}");
}

const WORDS: [(Language, &[&str]); 3] = [
    (
        Language::Finnish,
        &["ajatus", "ajatuksia", "bussi", "busseja", "huoli", "huolet", "kokemuksen", "pyörällä"],
    ),
    (Language::Swedish, &["tanke", "tankar", "bussen", "oro", "möjligheter", "cykel", "cyklar"]),
    (Language::English, &["thought", "thoughts", "bus", "buses", "worries", "worry", "cycling"]),
];

#[test]
fn an_index_built_again_answers_as_the_one_that_grew() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = Log::open(&folder.path().join("log.sqlite")).expect("a new log");
    let grown_dir = folder.path().join("grown");
    let mut dice = Dice(7);
    let sessions = [1, 2, 3].map(|number| SessionId::new(1_790_000_000_000, number));
    for session in sessions {
        let people =
            vec![opened(), joined(ALICE, "Alice"), joined(BOB, "Bob"), joined(CHAO, "Chao")];
        log.append_blocking(session, people).expect("kept");
    }

    let mut grown = Index::open(&grown_dir, &log, &mut |_| {}).expect("a new index");
    for step in 0..300 {
        let facts = (0..=dice.roll(4)).map(|_| {
            let (language, words) = *dice.pick(&WORDS);
            let text: Vec<&str> = (0..=dice.roll(9)).map(|_| *dice.pick(words)).collect();
            let room = match dice.roll(4) {
                0 => RoomId::Main,
                number => RoomId::Breakout(number as u16),
            };
            let participant = *dice.pick(&[ALICE, BOB, CHAO]);
            said(participant, room, dice.roll(60_000), language, &text.join(" "))
        });
        let facts = facts.collect();
        log.append_blocking(*dice.pick(&sessions), facts).expect("kept");
        if dice.roll(10) == 0 {
            grown.catch_up(&log).expect("added");
        }
        if step % 100 == 50 {
            drop(grown);
            grown = Index::open(&grown_dir, &log, &mut |_| {}).expect("the same index");
        }
    }
    grown.catch_up(&log).expect("added");

    let built_dir = folder.path().join("built");
    let last = Index::rebuild(&built_dir, &log, &mut |_| {}).expect("built");
    assert_eq!(last, log.last_seq());
    let built = Index::open(&built_dir, &log, &mut |_| {}).expect("opens");

    let mut questions = vec![String::new(), "\"bussi huoli\"".into(), "aja".into()];
    for (_, words) in WORDS {
        questions.extend(words.iter().map(|word| format!("{word} ")));
        questions.extend(words.windows(2).map(|two| two.join(" ")));
    }
    let mut found = 0;
    for (text, session) in questions.iter().flat_map(|it| sessions.map(|session| (it, session))) {
        for participant in [None, Some(BOB)] {
            for room in [None, Some(RoomId::Breakout(2))] {
                let search = Search {
                    text: text.clone(),
                    sessions: [session].into(),
                    participants: participant.into_iter().collect(),
                    rooms: room.into_iter().collect(),
                    offset: dice.roll(60),
                    ..Search::default()
                };
                let one = grown.search(&search).expect("an answer");
                let other = built.search(&search).expect("an answer");
                assert_eq!(one, other, "{search:?}");
                found += one.total;
            }
        }
    }
    assert!(found > 5_000, "too little to compare: {found}");
    assert_nothing_missing(&log, &built, sessions);
}

/// Two hours of sixty rooms, five people in each, written down faster than in life while the index follows
/// on its own threads: with its newest lines in memory, it answers as the index built from the log alone.
#[test]
fn a_whole_event_answers_the_same_from_an_index_built_again() {
    const LINES: u64 = 10_000;
    const LINES_AT_ONCE: u64 = 20;
    const EVENT_MS: u64 = 2 * 3_600_000;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = Log::open(&folder.path().join("log.sqlite")).expect("a new log");
    let grown = Index::open(&folder.path().join("grown"), &log, &mut |_| {}).expect("a new index");
    let follower = grown.follow(&log).expect("threads");
    let mut dice = Dice(11);
    let session = SessionId::new(1_790_000_000_000, 60);
    let mut people = vec![opened()];
    people.extend((1..=300).map(|it| joined(ParticipantId(it), &format!("Osallistuja {it}"))));
    log.append_blocking(session, people).expect("kept");
    for first in (0..LINES).step_by(LINES_AT_ONCE as usize) {
        let line = |at: u64| {
            let person = dice.roll(300) as u32 + 1;
            let room = RoomId::Breakout(((person - 1) / 5 + 1) as u16);
            let (language, words) = *dice.pick(&WORDS);
            let text: Vec<&str> = (0..=4 + dice.roll(9)).map(|_| *dice.pick(words)).collect();
            said(ParticipantId(person), room, at * EVENT_MS / LINES, language, &text.join(" "))
        };
        log.append_blocking(session, (first..first + LINES_AT_ONCE).map(line).collect())
            .expect("kept");
    }
    log.append_blocking(session, vec![(SessionTime(EVENT_MS), Fact::Ended)]).expect("kept");
    let last = log.last_seq();
    let mut news = grown.subscribe();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let findable = async { news.wait_for(|it| last <= *it).await.map(|it| *it) };
    let findable = async { tokio::time::timeout(Duration::from_secs(60), findable).await };
    let findable = runtime.expect("a runtime").block_on(findable);
    findable.expect("findable at all").expect("the index lives");

    let built = folder.path().join("built");
    Index::rebuild(&built, &log, &mut |_| {}).expect("built");
    let built = Index::open(&built, &log, &mut |_| {}).expect("opens");
    let all = Search { sessions: [session].into(), ..Search::default() };
    assert_eq!(grown.search(&all).expect("an answer").total, LINES);
    let mut found = 0;
    let pairs = WORDS.iter().flat_map(|it| it.1.windows(2).map(|two| two.join(" ")));
    for text in pairs.chain([String::new(), "aja".into()]) {
        let room = RoomId::Breakout(dice.roll(60) as u16 + 1);
        for rooms in [BTreeSet::new(), [room].into()] {
            let offset = dice.roll(60);
            let search = Search { text: text.clone(), rooms, offset, ..all.clone() };
            let one = grown.search(&search).expect("an answer");
            assert_eq!(one, built.search(&search).expect("an answer"), "{search:?}");
            found += one.total;
        }
    }
    assert!(20_000 < found, "too little to compare: {found}");
    drop(follower);
}

/// The plainest search there is: look at each text for the very word.
fn assert_nothing_missing(log: &Log, index: &Index, sessions: [SessionId; 3]) {
    let all = log.read_after(0, usize::MAX).expect("readable");
    for session in sessions {
        for word in WORDS.iter().flat_map(|(_, words)| *words) {
            let plain: BTreeSet<u64> = all
                .iter()
                .filter(|(of, record)| match &record.fact {
                    Fact::Said { text, .. } => {
                        *of == session && text.split(' ').any(|it| it == *word)
                    }
                    _ => false,
                })
                .map(|(_, record)| record.seq)
                .collect();
            let mut found = BTreeSet::new();
            loop {
                let offset = found.len() as u64;
                let search = Search {
                    text: format!("\"{word}\""),
                    sessions: [session].into(),
                    offset,
                    ..Search::default()
                };
                let page = index.search(&search).expect("an answer");
                if page.hits.is_empty() {
                    break;
                }
                found.extend(page.hits.iter().map(|hit| hit.entry.seq));
            }
            assert_eq!(found, plain, "{word}");
        }
    }
}

/// Prints the figures that ARCHITECTURE.md and the goals speak of; what it asserts is only that
/// every writer gets places of its own.
#[test]
fn figures_of_many_writers_at_once() {
    const WRITERS: u128 = 64;
    const APPENDS: u64 = 50;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = Log::open(&folder.path().join("log.sqlite")).expect("a new log");
    let index = Index::open(&folder.path().join("index"), &log, &mut |_| {}).expect("a new index");
    let _follower = index.follow(&log).expect("a thread");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("a runtime");

    let alone = Instant::now();
    runtime.block_on(async {
        let session = SessionId::new(1, 1_000);
        log.append(session, vec![opened(), joined(ALICE, "Alice")]).await.expect("kept");
        for at in 0..100 {
            let one = said(ALICE, RoomId::Main, at, Language::Finnish, "yksin sanottu");
            log.append(session, vec![one]).await.expect("kept");
        }
    });
    let alone_per_s = 101.0 / alone.elapsed().as_secs_f64();

    let together = Instant::now();
    let places: BTreeSet<u64> = runtime.block_on(async {
        let mut tasks = Vec::new();
        for number in 0..WRITERS {
            let log = log.clone();
            tasks.push(tokio::spawn(async move {
                let session = SessionId::new(1, number);
                let mut places = log.append(session, vec![opened()]).await.expect("kept");
                for at in 1..APPENDS {
                    let one = said(BOB, RoomId::Main, at, Language::Finnish, "yhdessä sanottu");
                    places.extend(log.append(session, vec![one]).await.expect("kept"));
                }
                places
            }));
        }
        let mut all = BTreeSet::new();
        for task in tasks {
            all.extend(task.await.expect("no panic"));
        }
        all
    });
    let together_per_s = places.len() as f64 / together.elapsed().as_secs_f64();
    assert_eq!(places.len() as u64, WRITERS as u64 * APPENDS);

    let mut findable_ms = Vec::new();
    for at in 0..5 {
        let start = Instant::now();
        let one = said(CHAO, RoomId::Main, at, Language::Finnish, "löytyykö tämä");
        let seq = log.append_blocking(SessionId::new(1, 1_000), vec![one]).expect("kept")[0];
        let mut news = index.subscribe();
        let findable = async { news.wait_for(|findable| *findable >= seq).await.map(|it| *it) };
        let findable = async { tokio::time::timeout(Duration::from_secs(30), findable).await };
        runtime.block_on(findable).expect("findable at all").expect("the index lives");
        findable_ms.push(start.elapsed().as_millis());
    }
    let mut at_once_ms = Vec::new();
    for at in 0..5 {
        let start = Instant::now();
        let one = said(CHAO, RoomId::Main, at, Language::Finnish, "löytyykö tämä");
        log.append_blocking(SessionId::new(1, 1_000), vec![one]).expect("kept");
        index.catch_up(&log).expect("added");
        at_once_ms.push(start.elapsed().as_millis());
    }
    println!(
        "appends/s: one writer {alone_per_s:.0}, {WRITERS} writers {together_per_s:.0}; \
         from append to findable, ms: {findable_ms:?} at the follower's pace, {at_once_ms:?} asked for"
    );
}
