//! The index as those who search meet it: a workshop of Alice, Bob and Chao, what they said, and what is
//! found of it.

use std::{collections::BTreeMap, time::Duration};

use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::{filler::VERSION, *};
use crate::domain::{
    fact::Consent,
    ids::{ParticipantId, RoomId},
    language::Language,
    limits::SEARCH_RESULTS_MAX,
    mark::Mark,
    time::{SessionTime, Span},
};

const ALICE: ParticipantId = ParticipantId(1);
const BOB: ParticipantId = ParticipantId(2);
const CHAO: ParticipantId = ParticipantId(3);

/// A log and the folder of its index, in a temporary folder.
struct Notes {
    folder: tempfile::TempDir,
    log: Log,
}

fn session(number: u128) -> SessionId {
    SessionId::new(1_790_000_000_000, number)
}

fn said(
    participant: ParticipantId,
    room: RoomId,
    at_ms: u64,
    language: Language,
    text: &str,
) -> (SessionTime, Fact) {
    let at = SessionTime(at_ms);
    let span = Span::new(at, at + 2_000);
    (at, Fact::Said { participant, room, span, language, text: text.into(), words: vec![] })
}

impl Notes {
    /// Session 1, where Alice, Bob and Chao have talked about getting to work.
    fn of_a_workshop() -> Notes {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = Log::open(&folder.path().join("log.sqlite")).expect("a new log");
        let notes = Notes { folder, log };
        notes.open_session(1);
        let (one, two) = (RoomId::Breakout(1), RoomId::Breakout(2));
        notes.keep(
            1,
            vec![
                said(ALICE, one, 9_000, Language::Finnish, "Minulla on ajatus: pyörällä töihin!"),
                said(BOB, one, 5_000, Language::Finnish, "Bussit ovat aina myöhässä."),
                said(BOB, one, 12_000, Language::Finnish, "Hyviä ajatuksia, hyvä Alice."),
                said(CHAO, two, 7_000, Language::English, "My thoughts: trains were never late"),
                said(CHAO, two, 8_000, Language::Swedish, "Möjligheterna är många, såg du?"),
            ],
        );
        notes
    }

    fn open_session(&self, number: u128) {
        let language = Language::Finnish;
        let mut facts =
            vec![Fact::Opened { title: "Työmatkat".into(), language, unix_ms: 1_790_000 }];
        for (participant, name) in [(ALICE, "Alice"), (BOB, "Bob"), (CHAO, "Chao")] {
            let consent = Consent::On;
            let (name, tags) = (name.into(), Default::default());
            facts.push(Fact::Joined { participant, name, language, consent, tags });
        }
        self.keep(number, facts.into_iter().map(|fact| (SessionTime::ZERO, fact)).collect());
    }

    fn keep(&self, number: u128, facts: Vec<(SessionTime, Fact)>) {
        self.log.append_blocking(session(number), facts).expect("kept");
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("index")
    }

    fn index(&self) -> Index {
        Index::open_with(&self.dir(), &self.log, None, &mut |_| {}).expect("an index")
    }

    /// Takes a word out of the log, as an erasing does.
    fn alter(&self, word: &str) {
        let path = self.folder.path().join("log.sqlite");
        let database = rusqlite::Connection::open(path).expect("the same log");
        let sql = "UPDATE records SET body = replace(body, ?1, 'xxxxxxxx')";
        assert!(0 < database.execute(sql, [word]).expect("altered"));
    }

    fn is_in_files(&self, word: &str) -> bool {
        let files = fs::read_dir(self.dir()).expect("a folder");
        files.flatten().any(|it| {
            let bytes = fs::read(it.path()).unwrap_or_default();
            bytes.windows(word.len()).any(|it| it == word.as_bytes())
        })
    }

    /// Whether opening the index built it from nothing.
    fn is_built_again(&self) -> bool {
        let mut first = None;
        let index = Index::open_with(&self.dir(), &self.log, None, &mut |progress| {
            first.get_or_insert(progress.done);
        });
        assert_eq!(ask(&index.expect("an index"), "").total, 5);
        first.expect("told at least once") == 0
    }
}

fn ask(index: &Index, text: &str) -> SearchResults {
    ask_for(index, Search { text: text.into(), ..Search::default() })
}

fn ask_for(index: &Index, search: Search) -> SearchResults {
    let search = Search { sessions: [session(1)].into(), ..search };
    index.search(&search).expect("an answer")
}

/// Name and text of each hit, matching words in `[ ]`.
fn told(results: &SearchResults) -> Vec<String> {
    assert!(results.total >= results.hits.len() as u64);
    let part = |part: &crate::notes::engine::highlight::Part| match part.hit {
        true => format!("[{}]", part.text),
        false => part.text.clone(),
    };
    let text = |hit: &Hit| hit.parts.iter().map(part).collect::<String>();
    results.hits.iter().map(|hit| format!("{}: {}", hit.entry.name, text(hit))).collect()
}

fn rooms(results: &SearchResults) -> Vec<RoomId> {
    results.counts.rooms.keys().copied().collect()
}

fn check(text: &str, expect: &[&str]) {
    let notes = Notes::of_a_workshop();
    assert_eq!(told(&ask(&notes.index(), text)), expect, "{text:?}");
}

#[test]
fn words_are_found_in_all_their_forms_and_languages() {
    check(
        "ajatus ",
        &["Alice: Minulla on [ajatus]: pyörällä töihin!", "Bob: Hyviä [ajatuksia], hyvä Alice."],
    );
    check("BUSSIN ", &["Bob: [Bussit] ovat aina myöhässä."]);
    check("thought ", &["Chao: My [thoughts]: trains were never late"]);
    check("train late ", &["Chao: My thoughts: [trains] were never [late]"]);
    check("möjlighet ", &["Chao: [Möjligheterna] är många, såg du?"]);
    check("pyörä ", &["Alice: Minulla on ajatus: [pyörällä] töihin!"]);
}

#[test]
fn letters_with_dots_are_letters() {
    check("såg ", &["Chao: Möjligheterna är många, [såg] du?"]);
    check("sag ", &[]);
    // Who leaves the dots out is understood where nothing else is meant.
    check("toihin ", &["Alice: Minulla on ajatus: pyörällä [töihin]!"]);
}

#[test]
fn every_word_must_be_there_and_phrases_as_they_are() {
    check("ajatus pyörä ", &["Alice: Minulla on [ajatus]: [pyörällä] töihin!"]);
    check("ajatus bussi ", &[]);
    check("\"hyvä alice\"", &["Bob: Hyviä ajatuksia, [hyvä Alice]."]);
    check("\"alice hyvä\"", &[]);
    check("\"ajatus\"", &["Alice: Minulla on [ajatus]: pyörällä töihin!"]);
    check("\"hyvä ali", &["Bob: [Hyviä] ajatuksia, [hyvä] [Alice]."]);
}

#[test]
fn the_last_word_may_be_unfinished() {
    check("töi", &["Alice: Minulla on ajatus: pyörällä [töihin]!"]);
    check("thoug", &["Chao: My [thoughts]: trains were never late"]);
    check("thoug ", &[]);
    check("zzz", &[]);
}

#[test]
fn without_words_everything_comes_in_the_order_of_time() {
    let notes = Notes::of_a_workshop();
    let index = notes.index();
    let all = ask(&index, " ?! ");
    let starts: Vec<u64> = all.hits.iter().map(|hit| hit.entry.span.start.as_ms()).collect();
    assert_eq!((all.total, starts), (5, vec![5_000, 7_000, 8_000, 9_000, 12_000]));
    assert_eq!(rooms(&all), [RoomId::Breakout(1), RoomId::Breakout(2)]);
    let first = all.hits.first().expect("one");
    let first = &first.entry;
    assert_eq!((first.seq, first.participant), (6, Some(BOB)));
    assert_eq!(first.language, Language::Finnish);
}

#[test]
fn a_person_and_a_room_narrow_the_answer_but_not_the_rooms() {
    let notes = Notes::of_a_workshop();
    let index = notes.index();
    let of_bob = ask_for(&index, Search { participants: [BOB].into(), ..Search::default() });
    assert_eq!((of_bob.total, rooms(&of_bob)), (2, vec![RoomId::Breakout(1)]));
    let two = RoomId::Breakout(2);
    let in_two = ask_for(&index, Search { rooms: [two].into(), ..Search::default() });
    assert!(in_two.hits.iter().all(|hit| hit.entry.participant == Some(CHAO)));
    let main = ask_for(&index, Search { rooms: [RoomId::Main].into(), ..Search::default() });
    assert_eq!((main.total, rooms(&main).len()), (0, 2));
}

#[test]
fn another_session_is_never_in_the_answer() {
    let notes = Notes::of_a_workshop();
    notes.open_session(2);
    notes.keep(2, vec![said(ALICE, RoomId::Main, 1, Language::Finnish, "ajatus salaisuus")]);
    let index = notes.index();
    assert_eq!(ask(&index, "ajatus").total, 2);
    assert_eq!(ask(&index, "salaisuus").total, 0);
    assert_eq!(rooms(&ask(&index, "")), [RoomId::Breakout(1), RoomId::Breakout(2)]);
    let of = |number| Search { sessions: [session(number)].into(), ..Search::default() };
    let other = index.search(&of(2)).expect("an answer");
    assert_eq!(told(&other), ["Alice: ajatus salaisuus"]);
    let nobody = index.search(&of(9)).expect("an answer");
    assert_eq!(nobody, SearchResults::default());
}

#[test]
fn pages_fit_together_and_any_offset_is_fine() {
    let notes = Notes::of_a_workshop();
    let many =
        (0..120).map(|at| said(ALICE, RoomId::Main, at, Language::Finnish, "sama lause")).collect();
    notes.keep(1, many);
    let index = notes.index();
    let page = |offset| {
        let search = Search { text: "lause".into(), offset, ..Search::default() };
        let results = ask_for(&index, search);
        assert_eq!(results.total, 120);
        results.hits.iter().map(|hit| hit.entry.span.start.as_ms()).collect::<Vec<_>>()
    };
    let (first, second, third) = (page(0), page(50), page(100));
    assert_eq!((first.len(), second.len(), third.len()), (SEARCH_RESULTS_MAX, 50, 20));
    assert_eq!([first, second, third].concat(), (0..120).collect::<Vec<u64>>());
    assert_eq!(page(120), [0; 0]);
    assert_eq!(page(u64::MAX), [0; 0]);
}

#[test]
fn what_is_said_later_becomes_findable_with_the_speakers_name() {
    let notes = Notes::of_a_workshop();
    drop(notes.index());
    // Opened in the middle of the session: the names come from the log.
    let index = notes.index();
    let news = index.subscribe();
    notes.keep(1, vec![said(BOB, RoomId::Main, 20_000, Language::Finnish, "Lopuksi vielä.")]);
    assert_eq!(ask(&index, "lopuksi").total, 0);
    assert_eq!(index.catch_up(&notes.log).expect("added"), notes.log.last_seq());
    assert_eq!(*news.borrow(), notes.log.last_seq());
    assert_eq!(told(&ask(&index, "lopuksi")), ["Bob: [Lopuksi] vielä."]);
    assert_eq!(index.catch_up(&notes.log).expect("nothing new"), notes.log.last_seq());
    assert_eq!(ask(&index, "").total, 6);
}

#[test]
fn a_follower_adds_by_itself_and_finishes_when_dropped() {
    let notes = Notes::of_a_workshop();
    let index = notes.index();
    let mut news = index.subscribe();
    let follower = index.follow(&notes.log).expect("a thread");
    notes.keep(1, vec![said(BOB, RoomId::Main, 20_000, Language::Finnish, "Ensimmäinen.")]);
    let last = notes.log.last_seq();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let findable = async { news.wait_for(|seq| *seq >= last).await.map(|seq| *seq) };
    let findable = async { tokio::time::timeout(Duration::from_secs(30), findable).await };
    let findable = runtime.expect("a runtime").block_on(findable);
    findable.expect("findable at all").expect("the index lives");
    assert_eq!(ask(&index, "ensimmäinen").total, 1);
    notes.keep(1, vec![said(BOB, RoomId::Main, 21_000, Language::Finnish, "Toinen.")]);
    drop(follower);
    assert_eq!(ask(&index, "toinen").total, 1);
}

#[test]
fn an_index_that_cannot_be_used_is_built_again() {
    let notes = Notes::of_a_workshop();
    assert!(notes.is_built_again(), "missing");
    assert!(!notes.is_built_again(), "whole");

    fs::write(notes.dir().join("meta.json"), "{ half a").expect("written");
    assert!(notes.is_built_again(), "meta.json damaged");

    let files = fs::read_dir(notes.dir()).expect("readable");
    let of_words = files
        .map(|entry| entry.expect("readable").path())
        .find(|path| path.extension().is_some_and(|it| it == "term"))
        .expect("a file of words");
    let mut bytes = fs::read(&of_words).expect("readable");
    bytes[10] ^= 0x40;
    fs::write(&of_words, bytes).expect("written");
    assert!(notes.is_built_again(), "one bit turned");

    let meta = notes.dir().join("meta.json");
    let other =
        fs::read_to_string(&meta).expect("text").replace(&format!("vuoro {VERSION} "), "vuoro 0 ");
    fs::write(&meta, other).expect("written");
    assert!(notes.is_built_again(), "another version");

    let other = fs::read_to_string(&meta).expect("text").replace("plain ", "plain 9");
    fs::write(&meta, other).expect("written");
    assert!(notes.is_built_again(), "further than the log");

    fs::create_dir(beside(&notes.dir(), ".building")).expect("made");
    fs::rename(notes.dir(), beside(&notes.dir(), ".old")).expect("moved");
    assert!(notes.is_built_again(), "a crash in the middle of the swap");
    assert!(!notes.is_built_again(), "whole again");
}

#[test]
fn an_ended_session_is_still_found() {
    let notes = Notes::of_a_workshop();
    notes.keep(1, vec![(SessionTime(30_000), Fact::Ended)]);
    let index = notes.index();
    assert_eq!(ask(&index, "ajatus").total, 2);
}

#[test]
fn an_answer_is_the_same_before_and_after_it_is_on_disk() {
    let notes = Notes::of_a_workshop();
    let index = notes.index();
    notes.keep(
        1,
        vec![
            said(BOB, RoomId::Main, 20_000, Language::Finnish, "Kuntavaalit ja bussivuorot."),
            said(CHAO, RoomId::Main, 21_000, Language::Finnish, "Kunnan bussi, kunta."),
            said(ALICE, RoomId::Breakout(2), 6_000, Language::Swedish, "Skolskjutsen i byn"),
        ],
    );
    index.take_in(&notes.log).expect("taken in");
    let questions =
        ["", "kunta ", "bussi", "kuntavaali", "skola ", "\"kunnan bussi\"", "bussi kunta "];
    let answers = |index: &Index| questions.map(|text| ask(index, text));
    let fresh = answers(&index);
    assert_eq!(fresh.iter().map(|it| it.total).collect::<Vec<_>>(), [8, 2, 3, 1, 1, 1, 2]);
    index.commit().expect("committed");
    assert_eq!(answers(&index), fresh);
    drop(index);
    Index::build(
        &notes.dir(),
        &notes.log,
        Kind { morphology: false },
        &Arc::new(Remembered::new(Words::new(None))),
        &mut |_| {},
    )
    .expect("built again");
    assert_eq!(answers(&notes.index()), fresh);
}

#[test]
fn a_slip_of_the_finger_finds_the_word_if_nothing_else_does() {
    check("ajtaus ", &["Alice: Minulla on [ajatus]: pyörällä töihin!"]);
    check("trians ", &["Chao: My thoughts: [trains] were never late"]);
}

#[test]
fn what_the_log_has_no_more_is_in_no_file() {
    let notes = Notes::of_a_workshop();
    let index = notes.index();
    notes.alter("pyörällä");
    let in_files = || notes.is_in_files("pyörällä");
    assert_eq!((ask(&index, "pyörällä ").total, in_files()), (1, true));
    index.read_again(&notes.log, session(1)).expect("read again");
    assert_eq!((ask(&index, "pyörällä ").total, ask(&index, "").total), (0, 5));
    assert!(!in_files());
}

#[test]
fn a_line_is_found_though_a_long_search_goes_on() {
    let notes = Notes::of_a_workshop();
    let index = notes.index();
    notes.keep(1, vec![said(BOB, RoomId::Main, 20_000, Language::Finnish, "Lopuksi vielä.")]);
    let (before, found) = index.inner.ask(|fresh| {
        index.take_in(&notes.log).expect("taken in");
        index.commit().expect("committed");
        (fresh.searcher.num_docs(), ask(&index, "lopuksi").total)
    });
    assert_eq!((before, found), (5, 1));
}

#[test]
fn words_are_erased_also_from_files_that_a_long_search_has_open() {
    let notes = Notes::of_a_workshop();
    let index = notes.index();
    notes.alter("pyörällä");
    let (began, beginning) = std::sync::mpsc::channel();
    let (erased, erasing) = std::sync::mpsc::channel();
    thread::scope(|scope| {
        let index = &index;
        scope.spawn(move || {
            index.inner.ask(|_| {
                began.send(()).expect("somebody waits");
                // Until the words are erased, or for as long as somebody would wait.
                let _ = erasing.recv_timeout(Duration::from_millis(300));
            });
        });
        beginning.recv().expect("a search");
        index.read_again(&notes.log, session(1)).expect("read again");
        let _ = erased.send(());
    });
    assert!(!notes.is_in_files("pyörällä"));
}

#[test]
fn what_is_still_owed_is_erased_though_nothing_new_has_come() {
    let notes = Notes::of_a_workshop();
    let index = notes.index();
    {
        // As when the commit succeeded and the writing anew did not.
        let mut filler = index.inner.filler();
        filler.owes_erasing = false;
        let term = Term::from_field_u64(index.inner.fields.seq, 5);
        filler.writer().expect("a writer").delete_term(term);
        let done = filler.committed;
        filler.commit(done).expect("committed");
        filler.owes_erasing = true;
    }
    assert!(notes.is_in_files("pyörällä"));
    index.commit().expect("committed");
    assert!(!notes.is_in_files("pyörällä"));
}

#[test]
fn nothing_of_an_older_index_stays_beside_the_new_one() {
    let notes = Notes::of_a_workshop();
    drop(notes.index());
    // A crash after the swap: what was there before lies there still.
    let old = beside(&notes.dir(), ".old");
    fs::create_dir(&old).expect("made");
    fs::write(old.join("words.term"), "pyörällä").expect("written");
    assert!(!notes.is_built_again());
    assert!(!old.exists());
}

#[test]
fn marks_are_found_counted_and_taken_back() {
    let notes = Notes::of_a_workshop();
    let index = notes.index();
    let mark = |by, on| {
        let at = SessionTime(9_000);
        (at, Fact::Marked { by, of: ALICE, at, mark: Mark::Idea, on })
    };
    let ideas =
        |index: &Index| ask_for(index, Search { marks: [Mark::Idea].into(), ..Search::default() });
    notes.keep(1, vec![mark(BOB, true), mark(CHAO, true), mark(CHAO, true)]);
    index.take_in(&notes.log).expect("taken in");
    for _ in ["fresh", "on disk"] {
        let found = ideas(&index);
        assert_eq!((found.total, ask(&index, "").total), (1, 5));
        let entry = found.hits.first().map(|it| Arc::clone(&it.entry)).expect("one");
        assert_eq!((entry.participant, entry.marks), (Some(ALICE), [0, 0, 0, 0, 0, 2]));
        assert_eq!(ask(&index, "").counts.marks, [(Mark::Idea, 1)].into());
        index.commit().expect("committed");
    }
    notes.keep(1, vec![mark(BOB, false), mark(CHAO, false)]);
    index.take_in(&notes.log).expect("taken in");
    assert_eq!((ideas(&index).total, ask(&index, "").total), (0, 5));
}

#[test]
fn posts_are_found_and_several_sessions_at_once() {
    let notes = Notes::of_a_workshop();
    notes.open_session(2);
    let posted = |text: &str| {
        let fact = Fact::Posted { participant: BOB, room: RoomId::Main, text: text.to_owned() };
        (SessionTime(1), fact)
    };
    notes.keep(2, vec![posted("Bussi numero kolme")]);
    let index = notes.index();
    let both = [session(1), session(2)];
    let search = |search: Search| {
        index.search(&Search { sessions: both.into(), ..search }).expect("an answer")
    };
    let bus = search(Search { text: "bussi ".into(), ..Search::default() });
    assert_eq!(told(&bus), ["Bob: [Bussi] numero kolme", "Bob: [Bussit] ovat aina myöhässä."]);
    assert_eq!(bus.counts.sessions, [(session(1), 1), (session(2), 1)].into());
    let kinds = [crate::notes::engine::entries::Kind::Chat].into();
    let chat = search(Search { kinds, ..Search::default() });
    assert_eq!((chat.total, chat.counts.kinds.len()), (1, 2));
    let within = search(Search { within: [session(2)].into(), ..Search::default() });
    assert_eq!((within.total, within.counts.sessions.len()), (1, 2));
}

#[test]
fn what_others_said_alike_is_found_and_what_one_said_oneself_is_not() {
    let notes = Notes::of_a_workshop();
    let line = |who, room, at, text| said(who, RoomId::Breakout(room), at, Language::Finnish, text);
    notes.keep(
        1,
        vec![
            line(ALICE, 3, 30_000, "Bussit eivät kulje iltaisin kylille."),
            line(BOB, 4, 31_000, "Iltaisin ei kulje bussi meidän kylälle."),
            line(BOB, 3, 32_000, "Iltaisin kylille kulje bussit."),
            line(ALICE, 4, 33_000, "Bussit eivät kulje iltaisin kylille, sanoin."),
            line(CHAO, 4, 34_000, "Kylillä on hyvä asua."),
        ],
    );
    let index = notes.index();
    let of = ask(&index, "\"eivät kulje iltaisin kylille\"");
    let of = of.hits.first().map(|it| Arc::clone(&it.entry)).expect("one");
    let sessions = [session(1)].into();
    let alike = index.alike(&sessions, &of, 5).expect("an answer");
    let alike: Vec<_> = alike.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(alike, ["Iltaisin ei kulje bussi meidän kylälle."]);
    assert!(index.alike(&[session(2)].into(), &of, 5).expect("an answer").is_empty());
}

/// Of every way to narrow whether a line meets it, in the order of [`counted`]; people apart.
fn meets(search: &Search, it: &Entry) -> [bool; 7] {
    fn any<T: Ord>(of: &BTreeSet<T>, it: &T) -> bool {
        of.is_empty() || of.contains(it)
    }
    [
        any(&search.within, &it.session),
        any(&search.kinds, &it.kind),
        any(&search.languages, &it.language),
        any(&search.rooms, &it.room),
        search.marks.is_empty() || search.marks.iter().any(|mark| 0 < it.marks[mark.index()]),
        any(&search.phases, &(it.method.clone(), it.phase.clone())),
        any(&search.questions, &it.question),
    ]
}

/// All that is counted, as text, but for people.
fn counted(counts: &Counts) -> [BTreeMap<String, u64>; 5] {
    fn named<K: std::fmt::Debug>(of: &BTreeMap<K, u64>) -> BTreeMap<String, u64> {
        of.iter().map(|(key, many)| (format!("{key:?}"), *many)).collect()
    }
    [
        named(&counts.sessions),
        named(&counts.kinds),
        named(&counts.languages),
        named(&counts.rooms),
        named(&counts.marks),
    ]
}

#[test]
fn many_sessions_are_counted_and_ordered_as_if_each_line_was_looked_at() {
    let mut dice = StdRng::seed_from_u64(11);
    let notes = Notes::of_a_workshop();
    let sessions: BTreeSet<SessionId> = (1..=12).map(session).collect();
    for number in 1..=12 {
        if 1 < number {
            notes.open_session(number);
        }
        let line = |dice: &mut StdRng| {
            let who = *[ALICE, BOB, CHAO].choose(dice).expect("one");
            let room = *[RoomId::Main, RoomId::Breakout(1), RoomId::Breakout(7)]
                .choose(dice)
                .expect("one");
            let text = ["bussi", "bussi koulu", "koulu"].choose(dice).expect("one");
            let at = dice.random_range(0..50_000);
            match dice.random_range(0..4) {
                0 => {
                    let text = (*text).to_owned();
                    (SessionTime(at), Fact::Posted { participant: who, room, text })
                }
                _ => said(who, room, at, *Language::ALL.choose(dice).expect("one"), text),
            }
        };
        notes.keep(number, (0..150).map(|_| line(&mut dice)).collect());
    }
    let index = notes.index();
    for of in &sessions {
        let all = Search { sessions: [*of].into(), ..Search::default() };
        let own = index.search(&all).expect("an answer").hits;
        let mark = |hit: &Hit| {
            let (of, at) = (hit.entry.participant?, hit.entry.span.start);
            let mark = Fact::Marked { by: BOB, of, at, mark: Mark::Idea, on: true };
            Some((SessionTime(60_000), mark))
        };
        let marks = own.iter().step_by(3).filter_map(mark).collect();
        notes.log.append_blocking(*of, marks).expect("kept");
    }
    // Some wait in memory with their marks.
    index.take_in(&notes.log).expect("taken in");
    let mut lines: Vec<Arc<Entry>> = Vec::new();
    for of in &sessions {
        for offset in (0..).step_by(SEARCH_RESULTS_MAX) {
            let page = Search { sessions: [*of].into(), offset, ..Search::default() };
            let page = index.search(&page).expect("an answer").hits;
            if page.is_empty() {
                break;
            }
            lines.extend(page.into_iter().map(|it| it.entry));
        }
    }
    assert_eq!(lines.len(), 12 * 150 + 5);
    assert!(lines.iter().any(|it| it.marks != [0; 6]), "none is marked");
    let mut some = |of: &[SessionId]| -> BTreeSet<SessionId> {
        of.iter().filter(|_| dice.random_bool(0.5)).copied().collect()
    };
    for (at, text) in ["", "bussi ", "koulu ", "bussi koulu ", "\"bussi koulu\""].iter().enumerate()
    {
        for narrowed in 0..12_usize {
            let bit = |of: usize| narrowed >> of & 1 == 1;
            let all: Vec<SessionId> = sessions.iter().copied().collect();
            let search = Search {
                text: (*text).to_owned(),
                sessions: sessions.clone(),
                within: if bit(0) { some(&all) } else { BTreeSet::new() },
                kinds: if bit(1) {
                    [crate::notes::engine::entries::Kind::Said].into()
                } else {
                    BTreeSet::new()
                },
                rooms: if bit(2) { [RoomId::Breakout(7)].into() } else { BTreeSet::new() },
                languages: if bit(3) { [Language::Swedish].into() } else { BTreeSet::new() },
                marks: if at == 1 { [Mark::Idea].into() } else { BTreeSet::new() },
                participants: if at == 2 { [CHAO].into() } else { BTreeSet::new() },
                ..Search::default()
            };
            let has = |it: &Entry| text.split(['"', ' ']).all(|word| it.text.contains(word));
            let of_them = |it: &Entry| {
                search.participants.is_empty()
                    || it.participant.is_some_and(|it| search.participants.contains(&it))
            };
            let found: Vec<_> = lines.iter().filter(|it| has(it) && of_them(it)).collect();
            let mut counts = Counts::default();
            let mut met = Vec::new();
            for it in &found {
                let meets = meets(&search, it);
                let misses = meets.iter().filter(|it| !**it).count();
                let but_own = |own: usize| misses == 0 || (misses == 1 && !meets[own]);
                let one = |own: usize| u64::from(but_own(own));
                *counts.sessions.entry(it.session).or_default() += one(0);
                *counts.kinds.entry(it.kind).or_default() += one(1);
                *counts.languages.entry(it.language).or_default() += one(2);
                *counts.rooms.entry(it.room).or_default() += one(3);
                for mark in Mark::ALL.into_iter().filter(|mark| 0 < it.marks[mark.index()]) {
                    *counts.marks.entry(mark).or_default() += one(4);
                }
                if misses == 0 {
                    met.push(it);
                }
            }
            met.sort_by_key(|it| (it.unix_ms, it.seq));
            let answer = index.search(&search).expect("an answer");
            assert_eq!(answer.total, met.len() as u64, "{search:?}");
            let of_all = counted(&counts).map(|mut it| {
                it.retain(|_, many| 0 < *many);
                it
            });
            assert_eq!(counted(&answer.counts), of_all, "{search:?}");
            // Each has the same points, so the earliest come first.
            let seqs: Vec<u64> = answer.hits.iter().map(|it| it.entry.seq).collect();
            let best = met.iter().map(|it| it.seq).take(SEARCH_RESULTS_MAX);
            assert_eq!(seqs, best.collect::<Vec<_>>(), "{search:?}");
            let one_session = search.within.len() == 1;
            assert!(answer.counts.participants.is_empty() || one_session, "numbers of whom?");
        }
    }
    let of_one = index.search(&Search { sessions: [session(3)].into(), ..Search::default() });
    let people = of_one.expect("an answer").counts.participants;
    let of_three = lines.iter().filter(|it| it.session == session(3));
    let mut expected = BTreeMap::new();
    of_three.filter_map(|it| it.participant).for_each(|it| *expected.entry(it).or_insert(0) += 1);
    assert_eq!(people, expected);
}
