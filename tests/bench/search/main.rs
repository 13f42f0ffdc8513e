//! Search, measured: index and questions at 10 thousand, 100 thousand and a million segments, beside
//! SQLite FTS5 on the same segments in the same run; how soon a spoken line is findable, beside a
//! plain commit; and how soon a whole event is ready when it ends. Ends with lines `figure NAME VALUE
//! UNIT`. Says nothing of how right the answers are: the tests of `notes::engine::words` do.
//!
//! Segments are made with a seed from the real sentences of the built-in methods, in three languages:
//! a sentence or two, some of its words replaced by forms and compounds of the words in
//! `notes/engine/words`, so that the vocabulary has a long tail as speech has.

// The program's parts are here whole, and not all of them are measured.
#![allow(dead_code, unused_imports)]

#[path = "../../../src/domain/mod.rs"]
mod domain;
/// Only what search is made of, so that no document need be built.
#[path = "../../../src/notes"]
mod notes {
    pub mod driver {
        pub mod erasing;
        pub mod index;
        pub mod log;
        pub mod striking;
        pub mod upkeep;
        pub mod voikko;
    }
    pub mod engine {
        pub mod codes;
        pub mod endings;
        pub mod entries;
        pub mod erasure;
        pub mod highlight;
        pub mod matching;
        pub mod names;
        pub mod outline;
        pub mod query;
        pub mod quotes;
        pub mod record;
        pub mod words;
    }
}

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{
    fact::{Consent, Fact},
    ids::{ParticipantId, RoomId, SessionId},
    language::Language,
    time::{SessionTime, Span},
};
use notes::{
    driver::{
        index::{Index, Search},
        log::Log,
        voikko::Voikko,
    },
    engine::{outline::outline, words::Morphology},
};

/// Two hours of sixty rooms.
const SEGMENTS_A_SESSION: usize = 10_000;
const ROOMS: u64 = 60;
const PEOPLE: u64 = 300;
const SEED: u64 = 20_261_124;

/// xorshift64* (Vigna 2016): enough for choosing sentences.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() >> 33) as usize % end.max(1)
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// The first are common, the last are rare (Zipf, roughly).
    fn zipf<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let even = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        let at = (all.len() as f64).powf(even) - 1.0;
        &all[(at as usize).min(all.len() - 1)]
    }
}

struct Made {
    language: Language,
    text: String,
}

struct Maker {
    dice: Dice,
    sentences: [Vec<String>; 3],
    finnish: Vec<String>,
    swedish: Vec<String>,
}

impl Maker {
    fn new() -> Self {
        let mut sentences = [Vec::new(), Vec::new(), Vec::new()];
        let mut files: Vec<PathBuf> = fs::read_dir("models/methods")
            .expect("run from the root of the repository")
            .map(|it| it.expect("an entry").path())
            .collect();
        files.sort();
        for file in files {
            let text = fs::read_to_string(file).expect("a method");
            for (at, code) in ["fi = \"", "sv = \"", "en = \""].iter().enumerate() {
                for piece in text.split(code).skip(1) {
                    let whole = piece.split('"').next().unwrap_or_default();
                    let each =
                        whole.split_inclusive(['.', '?', '!']).map(|it| it.trim().to_owned());
                    sentences[at].extend(each.filter(|it| 3 < it.split(' ').count()));
                }
            }
        }
        let list = |text: &str| -> Vec<String> {
            let words = text.lines().take_while(|it| !it.starts_with("v:"));
            let words = words.filter(|it| !it.starts_with('#')).flat_map(str::split_whitespace);
            words.map(|it| it.split('=').next().unwrap_or(it).to_owned()).collect()
        };
        Self {
            dice: Dice(SEED),
            sentences,
            finnish: list(include_str!("../../../src/notes/engine/words/finnish.txt")),
            swedish: list(include_str!("../../../src/notes/engine/words/swedish.txt")),
        }
    }

    fn make(&mut self) -> Made {
        let at = [0, 0, 0, 0, 0, 0, 1, 1, 1, 2][self.dice.below(10)];
        let language = Language::ALL[at];
        let mut text = self.dice.zipf(&self.sentences[at]).clone();
        if self.dice.below(3) == 0 {
            let more = self.dice.zipf(&self.sentences[at]).clone();
            let _ = write!(text, " {more}");
        }
        let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        for _ in 0..1 + self.dice.below(3) {
            let place = self.dice.below(words.len());
            words[place] = self.word(language);
        }
        Made { language, text: words.join(" ") }
    }

    fn word(&mut self, language: Language) -> String {
        match language {
            Language::Finnish => {
                let ending = *self.dice.of(&["", "n", "a", "ssa", "sta", "lle", "t", "ja", "kin"]);
                let last = self.dice.zipf(&self.finnish).clone();
                match self.dice.below(3) {
                    0 => format!("{}{last}{ending}", self.dice.zipf(&self.finnish).clone()),
                    _ => format!("{last}{ending}"),
                }
            }
            Language::Swedish => {
                let ending = *self.dice.of(&["", "en", "et", "er", "erna", "s"]);
                let last = self.dice.zipf(&self.swedish).clone();
                match self.dice.below(3) {
                    0 => format!("{}s{last}{ending}", self.dice.zipf(&self.swedish).clone()),
                    _ => format!("{last}{ending}"),
                }
            }
            Language::English => {
                let stem = *self.dice.of(&["service", "meeting", "bus", "school", "idea", "worry"]);
                format!("{stem}{}", self.dice.of(&["", "s", "'s"]))
            }
        }
    }
}

fn session(number: usize) -> SessionId {
    SessionId::new(1_790_000_000_000 + number as u64 * 86_400_000, number as u128)
}

/// The beginning of a session: its people.
fn people(number: usize) -> Vec<(SessionTime, Fact)> {
    let unix_ms = 1_790_000_000_000 + number as u64 * 86_400_000;
    let language = Language::Finnish;
    let mut facts = vec![Fact::Opened { title: "Työpaja".into(), language, unix_ms }];
    facts.extend((1..=PEOPLE).map(|person| Fact::Joined {
        participant: ParticipantId(person as u32),
        name: format!("Osallistuja {person}"),
        language,
        consent: Consent::On,
        tags: Default::default(),
    }));
    facts.into_iter().map(|it| (SessionTime::ZERO, it)).collect()
}

fn said(person: u32, room: RoomId, start: SessionTime, made: Made) -> Fact {
    let Made { language, text } = made;
    let span = Span::new(start, start + 3_000);
    let words = vec![];
    Fact::Said { participant: ParticipantId(person), room, span, language, text, words }
}

/// Writes the segments into the log and beside it into FTS5, and gives the lines for questions.
fn write_all(folder: &Path, many: usize) -> (Log, rusqlite::Connection, Vec<Made>, Duration) {
    let log = Log::open(&folder.join("log.sqlite")).expect("a log");
    let peer = rusqlite::Connection::open(folder.join("fts.sqlite")).expect("a database");
    peer.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE said (id INTEGER PRIMARY KEY, session INTEGER, room INTEGER, at INTEGER);
         CREATE INDEX said_when ON said (session, at);
         CREATE VIRTUAL TABLE fts USING fts5(text, session UNINDEXED, room UNINDEXED,
             tokenize = \"unicode61 remove_diacritics 0\");",
    )
    .expect("tables");
    let mut maker = Maker::new();
    let mut kept = Vec::new();
    let mut peer_time = Duration::ZERO;
    let mut made_all = 0;
    for number in 0..many.div_ceil(SEGMENTS_A_SESSION) {
        let id = session(number);
        let mut facts = people(number);
        let mut rows = Vec::new();
        for at in 0..SEGMENTS_A_SESSION.min(many - made_all) {
            let made = maker.make();
            let start = SessionTime(at as u64 * 720);
            let person = maker.dice.below(PEOPLE as usize) as u64 + 1;
            let room = (person - 1) / (PEOPLE / ROOMS) + 1;
            rows.push((number, room, start.as_ms(), made.text.clone()));
            let room = RoomId::Breakout(room as u16);
            let copy = Made { language: made.language, text: made.text.clone() };
            facts.push((start, said(person as u32, room, start, copy)));
            if maker.dice.below(many / 20_000 + 1) == 0 {
                kept.push(made);
            }
        }
        made_all += rows.len();
        facts.push((SessionTime(8_000_000), Fact::Ended));
        for batch in facts.chunks(2_000) {
            log.append_blocking(id, batch.to_vec()).expect("kept");
        }
        let began = Instant::now();
        peer.execute_batch("BEGIN").expect("begun");
        {
            let mut said = peer
                .prepare("INSERT INTO said (session, room, at) VALUES (?1, ?2, ?3)")
                .expect("prepared");
            let mut fts = peer
                .prepare("INSERT INTO fts (rowid, text, session, room) VALUES (?1, ?2, ?3, ?4)")
                .expect("prepared");
            for (session, room, at, text) in &rows {
                let (session, room, at) = (*session as i64, *room as i64, *at as i64);
                said.execute(rusqlite::params![session, room, at]).expect("in");
                let id = peer.last_insert_rowid();
                fts.execute(rusqlite::params![id, text, session, room]).expect("in");
            }
        }
        peer.execute_batch("COMMIT").expect("committed");
        peer_time += began.elapsed();
    }
    let began = Instant::now();
    peer.execute_batch("INSERT INTO fts (fts) VALUES ('optimize')").expect("merged");
    peer.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("all in one file");
    (log, peer, kept, peer_time + began.elapsed())
}

/// One question to both.
struct Asked {
    ours: Search,
    /// `None`: FTS5 has nothing like it.
    peer: Option<AskedOfPeer>,
}

/// For what a page of ours shows, but without the counts by room, person, phase and so on: the fifty best
/// lines with their words marked, and how many there are in all.
struct AskedOfPeer {
    page: String,
    total: String,
    values: Vec<rusqlite::types::Value>,
}

const KINDS: [&str; 10] = [
    "one word",
    "one word, common",
    "two words",
    "a phrase",
    "a beginning",
    "a slip of the finger",
    "a part of compounds",
    "a word in one room",
    "a word in one session",
    "a session in the order of time",
];

fn ask(kind: usize, dice: &mut Dice, lines: &[Made], many: usize) -> Asked {
    use rusqlite::types::Value;
    let sessions = many.div_ceil(SEGMENTS_A_SESSION);
    let all: BTreeSet<SessionId> = (0..sessions).map(session).collect();
    let words = |dice: &mut Dice| -> Vec<String> {
        loop {
            let words: Vec<String> = notes::engine::query::words(&dice.of(lines).text)
                .filter(|it| 3 < it.chars().count() && it.chars().all(char::is_alphabetic))
                .collect();
            if 1 < words.len() {
                return words;
            }
        }
    };
    let all_words = words(dice);
    let word = dice.of(&all_words).clone();
    let worded = "fts MATCH ?1";
    let text = |it: String| Value::Text(it);
    let quoted = |it: &str| format!("\"{it}\"");
    let search = |text: String| Search { text, sessions: all.clone(), ..Search::default() };
    let peer = |found: &str, values: Vec<Value>| {
        let marked = "SELECT rowid, highlight(fts, 0, '[', ']') FROM fts";
        let page = format!("{marked} WHERE {found} ORDER BY rank LIMIT 50");
        let total = format!("SELECT count(*) FROM fts WHERE {found}");
        Some(AskedOfPeer { page, total, values })
    };
    match kind {
        0 => Asked {
            ours: search(format!("{word} ")),
            peer: peer(worded, vec![text(quoted(&word))]),
        },
        1 => {
            let common = ["on", "ja", "att", "the", "jokainen", "ryhmä", "kaikki", "och"];
            let word = *dice.of(&common);
            Asked { ours: search(format!("{word} ")), peer: peer(worded, vec![text(quoted(word))]) }
        }
        2 => {
            let other = dice.of(&all_words).clone();
            let both = format!("{} {}", quoted(&word), quoted(&other));
            Asked { ours: search(format!("{word} {other} ")), peer: peer(worded, vec![text(both)]) }
        }
        3 => {
            let line = notes::engine::query::words(&dice.of(lines).text).collect::<Vec<_>>();
            let at = dice.below(line.len().saturating_sub(2));
            let phrase = quoted(&line[at..(at + 2).min(line.len())].join(" "));
            Asked { ours: search(phrase.clone()), peer: peer(worded, vec![text(phrase)]) }
        }
        4 => {
            let begins: String = word.chars().take(3 + dice.below(3)).collect();
            let star = format!("{}*", quoted(&begins));
            Asked { ours: search(begins), peer: peer(worded, vec![text(star)]) }
        }
        5 => {
            let mut letters: Vec<char> = word.chars().collect();
            let at = 1 + dice.below(letters.len() - 2);
            letters.swap(at, at + 1);
            let wrong: String = letters.into_iter().collect();
            Asked { ours: search(format!("{wrong} ")), peer: None }
        }
        6 => {
            let part = *dice.of(&["palvelu", "kunta", "koulu", "auto", "hoito", "verkko", "tila"]);
            Asked { ours: search(format!("{part} ")), peer: None }
        }
        7 => {
            let room = dice.below(ROOMS as usize) as i64 + 1;
            let rooms = [RoomId::Breakout(room as u16)].into();
            Asked {
                ours: Search { rooms, ..search(format!("{word} ")) },
                peer: peer(
                    "fts MATCH ?1 AND room = ?2",
                    vec![text(quoted(&word)), Value::Integer(room)],
                ),
            }
        }
        8 => {
            let of = dice.below(sessions);
            Asked {
                ours: Search { sessions: [session(of)].into(), ..search(format!("{word} ")) },
                peer: peer(
                    "fts MATCH ?1 AND session = ?2",
                    vec![text(quoted(&word)), Value::Integer(of as i64)],
                ),
            }
        }
        _ => {
            let of = dice.below(sessions);
            let page = "SELECT said.id, fts.text FROM said JOIN fts ON fts.rowid = said.id \
                        WHERE said.session = ?1 ORDER BY said.at LIMIT 50";
            let total = "SELECT count(*) FROM said WHERE session = ?1";
            let (page, total) = (page.to_owned(), total.to_owned());
            Asked {
                ours: Search { sessions: [session(of)].into(), ..search(String::new()) },
                peer: Some(AskedOfPeer { page, total, values: vec![Value::Integer(of as i64)] }),
            }
        }
    }
}

/// In milliseconds.
struct Times(Vec<f64>);

impl Times {
    fn at(&mut self, share: f64) -> f64 {
        self.0.sort_by(f64::total_cmp);
        let at = ((self.0.len() as f64 * share).ceil() as usize).clamp(1, self.0.len().max(1)) - 1;
        self.0.get(at).copied().unwrap_or(f64::NAN)
    }
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// Resident memory of this process, in MiB.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:")).unwrap_or("0");
    line.trim().split(' ').next().and_then(|it| it.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

fn size_of(path: &Path) -> f64 {
    let Ok(meta) = fs::metadata(path) else { return 0.0 };
    if meta.is_file() {
        return meta.len() as f64 / 1e6;
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|it| size_of(&it.path())).sum()
}

struct Report {
    figures: Vec<(String, f64, &'static str)>,
}

impl Report {
    fn figure(&mut self, name: String, value: f64, unit: &'static str) {
        println!("figure {name} {value:.3} {unit}");
        self.figures.push((name, value, unit));
    }
}

fn measure(
    many: usize,
    times: usize,
    morphology: Option<Arc<dyn Morphology>>,
    report: &mut Report,
) {
    let folder = std::env::temp_dir().join(format!("vuoro-bench-search-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    let name = |what: &str| format!("{what}-{many}");
    println!("\n## {many} segments");
    let (log, peer, lines, peer_time) = write_all(&folder, many);
    let dir = folder.join("index");
    let before = resident();
    let began = Instant::now();
    let index = Index::open_with(&dir, &log, morphology, &mut |_| {}).expect("an index");
    report.figure(name("index-time"), began.elapsed().as_secs_f64(), "s");
    report.figure(name("index-time-fts5"), peer_time.as_secs_f64(), "s");
    report.figure(name("index-size"), size_of(&dir), "MB");
    report.figure(name("index-size-fts5"), size_of(&folder.join("fts.sqlite")), "MB");
    let log_size = size_of(&folder.join("log.sqlite")) + size_of(&folder.join("log.sqlite-wal"));
    report.figure(name("log-size"), log_size, "MB");

    let mut dice = Dice(SEED + 1);
    let (mut all, mut all_peer) = (Times(Vec::new()), Times(Vec::new()));
    // Those kinds alone that both can be asked.
    let mut all_shared = Times(Vec::new());
    println!("| question | found, median | ours p50 / p95 / p99, ms | FTS5 p50 / p95 / p99, ms |");
    println!("|---|---|---|---|");
    for (kind, title) in KINDS.iter().enumerate() {
        let (mut ours, mut theirs) = (Times(Vec::new()), Times(Vec::new()));
        let mut found = Times(Vec::new());
        for _ in 0..times {
            let asked = ask(kind, &mut dice, &lines, many);
            let began = Instant::now();
            let answer = index.search(&asked.ours).expect("an answer");
            ours.0.push(ms(began));
            found.0.push(answer.total as f64);
            if let Some(AskedOfPeer { page, total, values }) = &asked.peer {
                let mut page = peer.prepare(page).expect("prepared");
                let mut total = peer.prepare(total).expect("prepared");
                let values = || rusqlite::params_from_iter(values);
                let began = Instant::now();
                let rows = page.query_map(values(), |row| {
                    Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
                });
                std::hint::black_box(rows.expect("an answer").count());
                let all: i64 = total.query_row(values(), |row| row.get(0)).expect("an answer");
                theirs.0.push(ms(began));
                std::hint::black_box(all);
            }
        }
        let told = |it: &mut Times| match it.0.is_empty() {
            true => "–".to_owned(),
            false => format!("{:.2} / {:.2} / {:.2}", it.at(0.5), it.at(0.95), it.at(0.99)),
        };
        println!(
            "| {title} | {:.0} | {} | {} |",
            found.at(0.5),
            told(&mut ours),
            told(&mut theirs)
        );
        if !theirs.0.is_empty() {
            all_peer.0.extend(&theirs.0);
            all_shared.0.extend(&ours.0);
        }
        all.0.extend(&ours.0);
    }
    for (share, of) in [(0.5, "p50"), (0.95, "p95"), (0.99, "p99")] {
        report.figure(name(&format!("question-{of}")), all.at(share), "ms");
        report.figure(name(&format!("shared-{of}")), all_shared.at(share), "ms");
        report.figure(name(&format!("shared-{of}-fts5")), all_peer.at(share), "ms");
    }
    let ratio = all_peer.at(0.99) / all_shared.at(0.99);
    report.figure(name("shared-p99-fts5-over-ours"), ratio, "times");
    report.figure(name("memory"), resident() - before, "MiB");

    // A line that has just been written into the log, until a search finds it.
    let one_line = |text: String| {
        let made = Made { language: Language::Finnish, text };
        (SessionTime(1), said(1, RoomId::Breakout(1), SessionTime(1), made))
    };
    let follower = index.follow(&log).expect("threads");
    // In a session that goes on now, as lines are said.
    let number = many.div_ceil(SEGMENTS_A_SESSION);
    let id = session(number);
    log.append_blocking(id, people(number)).expect("kept");
    let mut soon = Times(Vec::new());
    let mut commits = Times(Vec::new());
    std::thread::sleep(Duration::from_millis(500));
    for at in 0..200_u32 {
        let word = format!("sana{at}x{many}");
        let text = format!("Nyt sanottiin {word} ihan oikeasti");
        log.append_blocking(id, vec![one_line(text)]).expect("kept");
        let began = Instant::now();
        let search =
            Search { text: format!("\"{word}\""), sessions: [id].into(), ..Search::default() };
        while index.search(&search).expect("an answer").total == 0 {
            std::hint::spin_loop();
        }
        soon.0.push(ms(began));
        std::thread::sleep(Duration::from_millis(15));
    }
    drop(follower);
    for at in 0..20_u32 {
        let line = one_line(format!("Tavallinen talletus {at}"));
        log.append_blocking(id, vec![line]).expect("kept");
        index.take_in(&log).expect("taken in");
        let began = Instant::now();
        index.commit().expect("committed");
        commits.0.push(ms(began));
    }
    report.figure(name("findable-p50"), soon.at(0.5), "ms");
    report.figure(name("findable-p99"), soon.at(0.99), "ms");
    report.figure(name("plain-commit-p50"), commits.at(0.5), "ms");
    report.figure(name("plain-commit-over-findable"), commits.at(0.5) / soon.at(0.5), "times");
    drop((index, log, peer));
    let _ = fs::remove_dir_all(&folder);
}

/// An event of two hours in sixty rooms, regrouped every twenty minutes, written down as fast as the disk
/// takes it while the index follows; then, how soon after its end all of it is found and can be seen at a
/// glance, and how long an index from the log alone takes.
fn measure_an_event(morphology: Option<Arc<dyn Morphology>>, report: &mut Report) {
    /// What all rooms say in about four seconds goes to the disk at once.
    const LINES_AT_ONCE: usize = 5;
    const EVENT_MS: u64 = 7_200_000;
    const ROUND_LINES: usize = SEGMENTS_A_SESSION / 6;
    let folder = std::env::temp_dir().join(format!("vuoro-bench-event-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    println!("\n## An event");
    let log = Log::open(&folder.join("log.sqlite")).expect("a log");
    let index = Index::open_with(&folder.join("index"), &log, morphology.clone(), &mut |_| {});
    let index = index.expect("an index");
    let follower = index.follow(&log).expect("threads");
    let id = session(0);
    log.append_blocking(id, people(0)).expect("kept");
    let mut maker = Maker::new();
    let room = |person: u64, round: usize| {
        let seat = (person - 1) * (1 + round as u64) % PEOPLE;
        RoomId::Breakout((seat / (PEOPLE / ROOMS) + 1) as u16)
    };
    let mut facts = Vec::new();
    for line in 0..SEGMENTS_A_SESSION {
        let at = SessionTime(line as u64 * EVENT_MS / SEGMENTS_A_SESSION as u64);
        let round = line / ROUND_LINES;
        if line % ROUND_LINES == 0 {
            facts.extend((1..=PEOPLE).map(|person| {
                let (participant, room) = (ParticipantId(person as u32), Some(room(person, round)));
                (at, Fact::Placed { participant, room })
            }));
        }
        let person = maker.dice.below(PEOPLE as usize) as u64 + 1;
        facts.push((at, said(person as u32, room(person, round), at, maker.make())));
        if line % LINES_AT_ONCE == LINES_AT_ONCE - 1 {
            log.append_blocking(id, std::mem::take(&mut facts)).expect("kept");
        }
    }
    let ended = Instant::now();
    log.append_blocking(id, vec![(SessionTime(EVENT_MS), Fact::Ended)]).expect("kept");
    let all = Search { sessions: [id].into(), ..Search::default() };
    while index.search(&all).expect("an answer").total < SEGMENTS_A_SESSION as u64 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let findable = ended.elapsed().as_secs_f64();
    let seen = outline(&log.read(id).expect("readable"));
    assert_eq!(seen.rooms.len() as u64, ROOMS, "every room has spoken");
    report.figure("ready_s".to_owned(), ended.elapsed().as_secs_f64(), "s");
    report.figure("ready-of-that-findable".to_owned(), findable, "s");
    drop(follower);
    let began = Instant::now();
    let built = Index::open_with(&folder.join("built"), &log, morphology, &mut |_| {});
    built.expect("an index");
    report.figure("ready-index-from-the-log".to_owned(), began.elapsed().as_secs_f64(), "s");
    drop((index, log));
    let _ = fs::remove_dir_all(&folder);
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let quick = arguments.iter().any(|it| it == "--quick");
    let plain = arguments.iter().any(|it| it == "--plain");
    let json = arguments.iter().position(|it| it == "--json").and_then(|at| arguments.get(at + 1));
    let morphology =
        Voikko::find().filter(|_| !plain).map(|it| Arc::new(it) as Arc<dyn Morphology>);
    println!("Voikko: {}", if morphology.is_some() { "yes" } else { "no" });
    let mut report = Report { figures: Vec::new() };
    let chosen = arguments.iter().position(|it| it == "--segments");
    let chosen = chosen.and_then(|at| arguments.get(at + 1)).map(|it| {
        it.split(',').map(|it| it.parse().expect("numbers with commas between")).collect()
    });
    let usual = if quick { vec![10_000] } else { vec![10_000, 100_000, 1_000_000] };
    let sizes: Vec<usize> = chosen.unwrap_or(usual);
    for many in sizes {
        measure(many, if quick { 50 } else { 200 }, morphology.clone(), &mut report);
    }
    measure_an_event(morphology, &mut report);
    if let Some(path) = json {
        let figures: serde_json::Map<String, serde_json::Value> = (report.figures.iter())
            .map(|(name, value, unit)| (format!("{name} ({unit})"), (*value).into()))
            .collect();
        let text = serde_json::to_string_pretty(&figures).expect("numbers have a form");
        fs::write(path, text).expect("written");
    }
}
