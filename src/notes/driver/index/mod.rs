//! The search index: what people said, findable by its words. It is derived from the log and may be
//! thrown away at any time; a folder that is missing, damaged or of another version is built again
//! when it is opened. Never a source of anything, and never logs what was said or asked.
//!
//! Each commit carries the place in the log up to which it has read, so that index and place cannot
//! part: whatever happens, going on from there adds every record exactly once.

mod schema;
mod search;

pub use search::{Hit, Search, SearchResults};

use std::{
    collections::{BTreeMap, btree_map::Entry},
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use tantivy::{
    IndexReader, IndexWriter, ReloadPolicy, TantivyError, Term, directory::MmapDirectory,
    indexer::IndexWriterOptions,
};
use tokio::sync::watch;

use crate::domain::{
    fact::{Fact, Record},
    ids::{ParticipantId, SessionId},
};
use crate::notes::driver::{
    index::schema::{Fields, Stemmers},
    log::{Log, LogError},
};

/// Shortest time between two commits while following the log, in ms: words are findable within a
/// second, and a commit costs some files and a few fsyncs.
const COMMIT_EVERY_MS: u64 = 500;

/// Records read from the log at a time.
const READ_RECORDS: usize = 1_000;

/// Memory of the indexing thread, in bytes. The least that tantivy takes is 15 MB.
const WRITER_BYTES: usize = 16_000_000;

/// What the folder holds. Goes up with every change of the fields or of how words are cut, which
/// makes the folders of earlier programs be built again.
const VERSION: u32 = 1;

/// Why the index could not be opened, filled or asked.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The folder cannot be made, moved or removed: rights, or no room.
    #[error("{doing} the index folder {path}")]
    Folder { doing: &'static str, path: PathBuf, source: io::Error },
    /// The library could not read or write its files.
    #[error("{doing} the index {path}")]
    Tantivy { doing: &'static str, path: PathBuf, source: TantivyError },
    /// The folder holds something that this program did not write. Building again cures it.
    #[error("the index {path} is damaged")]
    Damaged { path: PathBuf },
    /// The index cannot get at what it is derived from.
    #[error("reading the log for the index")]
    Log(#[from] LogError),
}

/// How far a building has come, in records of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub done: u64,
    pub of: u64,
}

/// The open index. Clones share it.
#[derive(Clone)]
pub struct Index {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    fields: Fields,
    stemmers: Stemmers,
    reader: IndexReader,
    filler: Mutex<Filler>,
    findable: watch::Sender<u64>,
}

impl Index {
    /// Opens the index in the folder `dir`, builds it if it is missing, damaged or of another
    /// version, and adds what the log has beyond it. `on_progress` hears of the building and of the
    /// adding, at least once.
    ///
    /// Errors: [`IndexError`]; a damaged folder is none. Blocks, long for a large log.
    pub fn open(
        dir: &Path,
        log: &Log,
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<Index, IndexError> {
        let index = match Index::open_existing(dir, log) {
            Ok(Some(index)) => index,
            Ok(None) => Index::build_and_open(dir, log, on_progress)?,
            Err(error) => {
                tracing::warn!(%error, path = %dir.display(), "the index is built again");
                Index::build_and_open(dir, log, on_progress)?
            }
        };
        index.catch_up_telling(log, on_progress)?;
        Ok(index)
    }

    /// Builds the index in `dir` again from the whole log: beside it first, then in its place, so
    /// that a crash at any moment leaves a folder that `open` can use. No [`Index`] may be open on
    /// it. Returns the place of the last record read. Blocks.
    pub fn rebuild(
        dir: &Path,
        log: &Log,
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<u64, IndexError> {
        let building = beside(dir, ".building");
        remove_folder(&building)?;
        fs::create_dir_all(&building).map_err(folder("making", &building))?;
        let (schema, fields) = schema::build();
        let directory = MmapDirectory::open(&building)
            .map_err(|error| tantivy("making", &building)(error.into()))?;
        let index = tantivy::Index::builder()
            .schema(schema)
            .tokenizers(schema::tokenizers())
            .open_or_create(directory)
            .map_err(tantivy("making", &building))?;
        let mut filler = Filler::new(index, fields, building.clone(), 0);
        // A commit even of nothing, because it is what says the version.
        let done = filler.fill(log, true, on_progress)?;
        filler.close()?;

        let old = beside(dir, ".old");
        remove_folder(&old)?;
        match fs::rename(dir, &old) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(folder("replacing", dir)(error));
            }
            _ => {}
        }
        fs::rename(&building, dir).map_err(folder("replacing", dir))?;
        if let Some(parent) = dir.parent().filter(|it| !it.as_os_str().is_empty()) {
            File::open(parent).and_then(|it| it.sync_all()).map_err(folder("replacing", dir))?;
        }
        remove_folder(&old)?;
        Ok(done)
    }

    /// Adds everything the log has beyond the index, and makes it findable before it returns the
    /// place of the last record. Blocks; waits for another that does the same.
    pub fn catch_up(&self, log: &Log) -> Result<u64, IndexError> {
        self.catch_up_telling(log, &mut |_| {})
    }

    /// Keeps the index up with the log on a thread of its own until the follower is dropped. New
    /// records are findable at once after a pause, and otherwise at the next commit: one every half
    /// second. A fault is logged and tried again.
    pub fn follow(&self, log: &Log) -> Result<Follower, IndexError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(folder("following", &self.inner.path))?;
        let (stop, stopped) = watch::channel(false);
        let (index, log) = (self.clone(), log.clone());
        let thread = thread::Builder::new()
            .name("index".to_owned())
            .spawn(move || runtime.block_on(index.follow_until(log, stopped)))
            .map_err(folder("following", &self.inner.path))?;
        Ok(Follower { stop, thread: Some(thread) })
    }

    /// Makes a session's part of the index anew from the log, which has been changed behind it, and
    /// leaves no file that still holds what the log has no more. Blocks.
    pub fn renew(&self, log: &Log, session: SessionId) -> Result<(), IndexError> {
        let mut filler = self.inner.filler();
        let renewed = filler.renew(log, session);
        if renewed.is_err() {
            filler.forget_uncommitted();
        }
        renewed?;
        self.inner.reader.reload().map_err(tantivy("reading", &self.inner.path))
    }

    /// Tells the place in the log up to which everything is findable, after every commit.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.inner.findable.subscribe()
    }

    /// Answers a question about one session, and never with words of another: the session is part
    /// of the query itself. Blocks, for milliseconds.
    pub fn search(&self, session: SessionId, search: &Search) -> Result<SearchResults, IndexError> {
        let Inner { path, fields, stemmers, reader, .. } = &*self.inner;
        search::run(&reader.searcher(), fields, stemmers, session, search)
            .map_err(tantivy("searching", path))?
            .ok_or_else(|| IndexError::Damaged { path: path.clone() })
    }

    fn build_and_open(
        dir: &Path,
        log: &Log,
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<Index, IndexError> {
        Index::rebuild(dir, log, on_progress)?;
        Index::open_existing(dir, log)?.ok_or_else(|| IndexError::Damaged { path: dir.to_owned() })
    }

    /// `None`: there is no index of this version and this log in the folder.
    fn open_existing(dir: &Path, log: &Log) -> Result<Option<Index>, IndexError> {
        if !dir.join("meta.json").exists() {
            return Ok(None);
        }
        let mut index = tantivy::Index::open_in_dir(dir).map_err(tantivy("opening", dir))?;
        let (schema, fields) = schema::build();
        let meta = index.load_metas().map_err(tantivy("opening", dir))?;
        let Some(done) = meta.payload.as_deref().and_then(read_payload) else { return Ok(None) };
        // More than the log has: the log has been put back to an earlier state.
        if index.schema() != schema || done > log.last_seq() {
            return Ok(None);
        }
        if !index.validate_checksum().map_err(tantivy("opening", dir))?.is_empty() {
            return Err(IndexError::Damaged { path: dir.to_owned() });
        }
        index.set_tokenizers(schema::tokenizers());
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()
            .map_err(tantivy("opening", dir))?;
        let filler = Filler::new(index, fields, dir.to_owned(), done);
        Ok(Some(Index {
            inner: Arc::new(Inner {
                path: dir.to_owned(),
                fields,
                stemmers: Stemmers::new(),
                reader,
                filler: Mutex::new(filler),
                findable: watch::Sender::new(done),
            }),
        }))
    }

    fn catch_up_telling(
        &self,
        log: &Log,
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<u64, IndexError> {
        let mut filler = self.inner.filler();
        let filled = filler.fill(log, false, on_progress);
        if filled.is_err() {
            filler.forget_uncommitted();
        }
        let done = filled?;
        self.inner.reader.reload().map_err(tantivy("reading", &self.inner.path))?;
        self.inner.findable.send_if_modified(|told| std::mem::replace(told, done) != done);
        Ok(done)
    }

    async fn follow_until(self, log: Log, mut stopped: watch::Receiver<bool>) {
        let mut news = log.subscribe();
        news.mark_changed();
        loop {
            tokio::select! {
                changed = news.changed() => if changed.is_err() { return },
                _ = stopped.changed() => break,
            }
            if let Err(error) = self.catch_up(&log) {
                tracing::warn!(%error, "the index fell behind the log; it will be tried again");
                news.mark_changed();
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(COMMIT_EVERY_MS)) => {}
                _ = stopped.changed() => break,
            }
        }
        if let Err(error) = self.catch_up(&log) {
            tracing::warn!(%error, "the index is behind the log; the next start makes it up");
        }
    }
}

impl Inner {
    /// Whoever panicked while filling left uncommitted records at most, and `fill` forgets those.
    fn filler(&self) -> MutexGuard<'_, Filler> {
        self.filler.lock().unwrap_or_else(|poisoned: PoisonError<_>| {
            self.filler.clear_poison();
            let mut filler = poisoned.into_inner();
            filler.forget_uncommitted();
            filler
        })
    }
}

/// Follows the log while it lives. Dropping it adds what is left, commits, and waits for that.
#[must_use = "the index follows the log only while this lives"]
pub struct Follower {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the index's thread had panicked");
        }
    }
}

/// Adds records to one folder.
struct Filler {
    index: tantivy::Index,
    fields: Fields,
    path: PathBuf,
    /// `None` until there is something to add, and after a fault.
    writer: Option<IndexWriter>,
    /// The place in the log that the last commit reached.
    committed: u64,
    names: Names,
}

impl Filler {
    fn new(index: tantivy::Index, fields: Fields, path: PathBuf, committed: u64) -> Filler {
        Filler { index, fields, path, writer: None, committed, names: Names::default() }
    }

    /// Adds what the log has beyond the last commit, and commits. `always`: also when that is
    /// nothing. After an error, `forget_uncommitted` before the next.
    fn fill(
        &mut self,
        log: &Log,
        always: bool,
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<u64, IndexError> {
        let of = log.last_seq();
        let mut done = self.committed;
        on_progress(Progress { done, of });
        if done >= of && !always {
            return Ok(done);
        }
        let mut writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.new_writer()?,
        };
        // No further than `of`, so that a log that grows all the time cannot put the commit off.
        while done < of {
            let records = log.read_after(done, READ_RECORDS)?;
            let Some((_, last)) = records.last() else { break };
            done = last.seq;
            for (session, record) in records {
                self.add(&writer, log, session, record)?;
            }
            on_progress(Progress { done, of: of.max(done) });
        }
        let mut commit = writer.prepare_commit().map_err(tantivy("committing", &self.path))?;
        commit.set_payload(&payload(done));
        commit.commit().map_err(tantivy("committing", &self.path))?;
        self.writer = Some(writer);
        self.committed = done;
        Ok(done)
    }

    fn renew(&mut self, log: &Log, session: SessionId) -> Result<(), IndexError> {
        let mut writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.new_writer()?,
        };
        writer.delete_term(Term::from_field_text(self.fields.session, &session.to_string()));
        self.names.forget(session);
        let committed = self.committed;
        for record in log.read(session)?.into_iter().filter(|it| it.seq <= committed) {
            self.add(&writer, log, session, record)?;
        }
        let mut commit = writer.prepare_commit().map_err(tantivy("erasing from", &self.path))?;
        commit.set_payload(&payload(self.committed));
        commit.commit().map_err(tantivy("erasing from", &self.path))?;
        // Deleted words stay in their segment until it is written anew.
        let metas = self.index.searchable_segment_metas();
        for meta in metas.map_err(tantivy("erasing from", &self.path))? {
            if meta.has_deletes() {
                let merged = writer.merge(&[meta.id()]).wait();
                merged.map_err(tantivy("erasing from", &self.path))?;
            }
        }
        let collected = writer.garbage_collect_files().wait();
        collected.map_err(tantivy("erasing from", &self.path))?;
        self.writer = Some(writer);
        Ok(())
    }

    fn add(
        &mut self,
        writer: &IndexWriter,
        log: &Log,
        session: SessionId,
        record: Record,
    ) -> Result<(), IndexError> {
        match record.fact {
            Fact::Opened { .. } => self.names.open(session),
            Fact::Joined { participant, name, .. } => self.names.set(session, participant, name),
            Fact::Ended => self.names.forget(session),
            Fact::Said { participant, room, span, language, text } => {
                let name = self.names.get(log, session, participant)?;
                let document = self.fields.document(
                    record.seq,
                    session,
                    participant,
                    name,
                    room,
                    span,
                    language,
                    &text,
                );
                writer.add_document(document).map_err(tantivy("filling", &self.path))?;
            }
            // Only speech is searched until written words have a place in the schema.
            _ => {}
        }
        Ok(())
    }

    fn new_writer(&self) -> Result<IndexWriter, IndexError> {
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .memory_budget_per_thread(WRITER_BYTES)
            .num_merge_threads(1)
            .build();
        self.index.writer_with_options(options).map_err(tantivy("filling", &self.path))
    }

    /// Lets go of a writer that may hold records without their commit; a new one starts from the
    /// last commit.
    fn forget_uncommitted(&mut self) {
        self.writer = None;
        self.names = Names::default();
    }

    /// Waits until everything lies on the disk as it shall stay.
    fn close(mut self) -> Result<(), IndexError> {
        match self.writer.take() {
            Some(writer) => {
                writer.wait_merging_threads().map_err(tantivy("committing", &self.path))
            }
            None => Ok(()),
        }
    }
}

/// Who is who in the sessions being read; from the log when the reading began in their middle.
#[derive(Default)]
struct Names {
    of_sessions: BTreeMap<SessionId, BTreeMap<ParticipantId, String>>,
}

impl Names {
    fn open(&mut self, session: SessionId) {
        self.of_sessions.insert(session, BTreeMap::new());
    }

    /// A session read from its middle learns all names at once, in `get`.
    fn set(&mut self, session: SessionId, participant: ParticipantId, name: String) {
        if let Some(names) = self.of_sessions.get_mut(&session) {
            names.insert(participant, name);
        }
    }

    fn forget(&mut self, session: SessionId) {
        self.of_sessions.remove(&session);
    }

    /// Empty when nobody with that number ever joined.
    fn get(
        &mut self,
        log: &Log,
        session: SessionId,
        participant: ParticipantId,
    ) -> Result<&str, LogError> {
        let names = match self.of_sessions.entry(session) {
            Entry::Occupied(names) => names.into_mut(),
            Entry::Vacant(place) => {
                let joined =
                    log.read(session)?.into_iter().filter_map(|record| match record.fact {
                        Fact::Joined { participant, name, .. } => Some((participant, name)),
                        _ => None,
                    });
                place.insert(joined.collect())
            }
        };
        Ok(names.get(&participant).map_or("", String::as_str))
    }
}

/// What a commit says of itself: version, and the place in the log.
fn payload(done: u64) -> String {
    format!("vuoro {VERSION} {done}")
}

/// The place in the log; `None` when this program's version did not write it.
fn read_payload(payload: &str) -> Option<u64> {
    payload.strip_prefix(&format!("vuoro {VERSION} "))?.parse().ok()
}

/// `dir` with `ending` after its name, in the same folder and so on the same disk.
fn beside(dir: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(dir);
    name.push(ending);
    PathBuf::from(name)
}

fn remove_folder(dir: &Path) -> Result<(), IndexError> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(folder("removing", dir)(error))
        }
        _ => Ok(()),
    }
}

fn folder(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> IndexError {
    move |source| IndexError::Folder { doing, path: path.to_owned(), source }
}

fn tantivy(doing: &'static str, path: &Path) -> impl FnOnce(TantivyError) -> IndexError {
    move |source| IndexError::Tantivy { doing, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        fact::Consent, ids::RoomId, language::Language, limits::SEARCH_RESULTS_MAX,
        time::SessionTime, time::Span,
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
        (at, Fact::Said { participant, room, span, language, text: text.into() })
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
                    said(
                        ALICE,
                        one,
                        9_000,
                        Language::Finnish,
                        "Minulla on ajatus: pyörällä töihin!",
                    ),
                    said(BOB, one, 5_000, Language::Finnish, "Bussit ovat aina myöhässä."),
                    said(BOB, one, 12_000, Language::Finnish, "Hyviä ajatuksia, hyvä Alice."),
                    said(
                        CHAO,
                        two,
                        7_000,
                        Language::English,
                        "My thoughts: trains were never late",
                    ),
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
            Index::open(&self.dir(), &self.log, &mut |_| {}).expect("an index")
        }

        /// Whether opening the index built it from nothing.
        fn is_built_again(&self) -> bool {
            let mut first = None;
            let index = Index::open(&self.dir(), &self.log, &mut |progress| {
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
        index.search(session(1), &search).expect("an answer")
    }

    /// Name and text of each hit, matching words in `[ ]`.
    fn told(results: &SearchResults) -> Vec<String> {
        assert!(results.total >= results.hits.len() as u64);
        let part = |part: &crate::notes::engine::highlight::Part| match part.hit {
            true => format!("[{}]", part.text),
            false => part.text.clone(),
        };
        let text = |hit: &Hit| hit.parts.iter().map(part).collect::<String>();
        results.hits.iter().map(|hit| format!("{}: {}", hit.name, text(hit))).collect()
    }

    fn check(text: &str, expect: &[&str]) {
        let notes = Notes::of_a_workshop();
        assert_eq!(told(&ask(&notes.index(), text)), expect, "{text:?}");
    }

    #[test]
    fn words_are_found_in_all_their_forms_and_languages() {
        check(
            "ajatus ",
            &[
                "Alice: Minulla on [ajatus]: pyörällä töihin!",
                "Bob: Hyviä [ajatuksia], hyvä Alice.",
            ],
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
        check("toihin ", &[]);
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
        let starts: Vec<u64> = all.hits.iter().map(|hit| hit.span.start.as_ms()).collect();
        assert_eq!((all.total, starts), (5, vec![5_000, 7_000, 8_000, 9_000, 12_000]));
        assert_eq!(all.rooms, [RoomId::Breakout(1), RoomId::Breakout(2)]);
        let first = all.hits.first().expect("one");
        assert_eq!((first.seq, first.participant, first.language), (6, BOB, Language::Finnish));
    }

    #[test]
    fn a_person_and_a_room_narrow_the_answer_but_not_the_rooms() {
        let notes = Notes::of_a_workshop();
        let index = notes.index();
        let of_bob = ask_for(&index, Search { participant: Some(BOB), ..Search::default() });
        assert_eq!((of_bob.total, of_bob.rooms.len()), (2, 2));
        let room = Some(RoomId::Breakout(2));
        let in_two = ask_for(&index, Search { room, ..Search::default() });
        assert!(in_two.hits.iter().all(|hit| hit.participant == CHAO));
        let main = ask_for(&index, Search { room: Some(RoomId::Main), ..Search::default() });
        assert_eq!((main.total, main.rooms.len()), (0, 2));
    }

    #[test]
    fn another_session_is_never_in_the_answer() {
        let notes = Notes::of_a_workshop();
        notes.open_session(2);
        notes.keep(2, vec![said(ALICE, RoomId::Main, 1, Language::Finnish, "ajatus salaisuus")]);
        let index = notes.index();
        assert_eq!(ask(&index, "ajatus").total, 2);
        assert_eq!(ask(&index, "salaisuus").total, 0);
        assert_eq!(ask(&index, "").rooms, [RoomId::Breakout(1), RoomId::Breakout(2)]);
        let other = index.search(session(2), &Search::default()).expect("an answer");
        assert_eq!(told(&other), ["Alice: ajatus salaisuus"]);
        let nobody = index.search(session(9), &Search::default()).expect("an answer");
        assert_eq!(nobody, SearchResults::default());
    }

    #[test]
    fn pages_fit_together_and_any_offset_is_fine() {
        let notes = Notes::of_a_workshop();
        let many = (0..120)
            .map(|at| said(ALICE, RoomId::Main, at, Language::Finnish, "sama lause"))
            .collect();
        notes.keep(1, many);
        let index = notes.index();
        let page = |offset| {
            let search = Search { text: "lause".into(), offset, ..Search::default() };
            let results = ask_for(&index, search);
            assert_eq!(results.total, 120);
            results.hits.iter().map(|hit| hit.span.start.as_ms()).collect::<Vec<_>>()
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
        let other = fs::read_to_string(&meta).expect("text").replace("vuoro 1 ", "vuoro 0 ");
        fs::write(&meta, other).expect("written");
        assert!(notes.is_built_again(), "another version");

        let other = fs::read_to_string(&meta).expect("text").replace("vuoro 1 ", "vuoro 1 9");
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
}
