//! The search index: what people said and wrote, findable by its words. It is derived from the log
//! and may be thrown away at any time; a folder that is missing, damaged or of another version is
//! built again when it is opened. Never a source of anything, and never logs what was said or asked.
//!
//! It has two parts. What has been committed lies on disk (tantivy); each commit carries the place in
//! the log up to which it has read, so that index and place cannot part: whatever happens, going on
//! from there adds every record exactly once. What came since is in memory (`fresh`), where it is
//! findable as soon as the log has it. One thread takes in, another commits: a commit takes a tenth of
//! a second, and nobody waits for it.

pub mod fresh;
mod points;
mod remembered;
mod schema;
mod search;

pub use search::{Counts, Hit, Search, SearchResults};

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    thread::{self, JoinHandle},
    time::Duration,
};

use tantivy::{
    IndexReader, IndexSettings, IndexWriter, ReloadPolicy, Searcher, TantivyError, Term,
    directory::MmapDirectory, indexer::IndexWriterOptions,
};
use tokio::sync::watch;

use crate::domain::{
    fact::{Fact, Record},
    ids::SessionId,
};
use crate::notes::driver::{
    index::{
        fresh::{Cut, Fresh},
        remembered::Remembered,
        schema::Fields,
    },
    log::{Log, LogError},
    voikko::Voikko,
};
use crate::notes::engine::{
    entries::{Change, Entries, Entry},
    matching::Keys,
    query,
    words::{Morphology, Words},
};

/// Time between two commits while following the log, in ms. What waits is findable all the same, so
/// this is only how much must be read again after a crash; each commit costs files and fsyncs.
const COMMIT_EVERY_MS: u64 = 2_000;

/// Changes that may wait in memory for a commit; then taking in waits for it.
const FRESH_MAX: usize = 5_000;

/// Records read from the log at a time.
const READ_RECORDS: usize = 1_000;

/// Memory of the indexing thread, in bytes. The least that tantivy takes is 15 MB.
const WRITER_BYTES: usize = 32_000_000;

/// Entries are stored in blocks of so many bytes, and to read one its block is unpacked: a page of fifty
/// lines from everywhere unpacks fifty. The library's 16 KiB cost a page more than finding its lines.
const BLOCK_BYTES: usize = 2_048;

/// Threads that look through the files of many sessions at once, at most.
const SEARCH_THREADS_MAX: usize = 4;

/// Sessions that are followed in memory; the others are read again from the log when they go on.
const SESSIONS_FOLLOWED_MAX: usize = 200;

/// What the folder holds. Goes up with every change of the fields, of how they are stored or of how
/// words are cut, which makes the folders of earlier programs be built again.
const VERSION: u32 = 3;

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
    words: Arc<Remembered>,
    reader: IndexReader,
    columns: search::ColumnsCache,
    /// Whoever asks takes it as it is now; a change puts another in its place, and neither waits.
    fresh: Mutex<Arc<Fresh>>,
    /// Held by whoever asks for as long as it takes, and by who must know that nobody has files open
    /// any more that are to go.
    asking: RwLock<()>,
    intake: Mutex<Intake>,
    filler: Mutex<Filler>,
    findable: watch::Sender<u64>,
    committed: watch::Sender<u64>,
}

/// How far the log has been taken in, and what of it waits for the next commit.
struct Intake {
    /// The place in the log up to which everything is findable.
    done: u64,
    sessions: Sessions,
    waiting: Vec<Change>,
    /// The number of the commit that will take what waits.
    commit: u64,
}

impl Index {
    /// Opens the index in the folder `dir`, builds it if it is missing, damaged or of another
    /// version, and adds what the log has beyond it. `on_progress` hears of the building and of the
    /// adding, at least once. Uses Voikko for Finnish if this machine has it.
    ///
    /// Errors: [`IndexError`]; a damaged folder is none. Blocks, long for a large log.
    pub fn open(
        dir: &Path,
        log: &Log,
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<Index, IndexError> {
        Index::open_with(dir, log, Voikko::find().map(|it| Arc::new(it) as _), on_progress)
    }

    /// As `open`, with a morphology of Finnish or none. An index that was made with another is built
    /// again.
    pub fn open_with(
        dir: &Path,
        log: &Log,
        morphology: Option<Arc<dyn Morphology>>,
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<Index, IndexError> {
        let kind = Kind { morphology: morphology.is_some() };
        let words = Arc::new(Remembered::new(Words::new(morphology)));
        // A crash in the middle of the swap leaves what was there before, with words that may have been
        // taken back since.
        remove_folder(&beside(dir, ".old"))?;
        remove_folder(&beside(dir, ".building"))?;
        let index = match Index::open_existing(dir, log, kind, &words) {
            Ok(Some(index)) => index,
            Ok(None) => Index::build_and_open(dir, log, kind, &words, on_progress)?,
            Err(error) => {
                tracing::warn!(%error, path = %dir.display(), "the index is built again");
                Index::build_and_open(dir, log, kind, &words, on_progress)?
            }
        };
        index.catch_up_telling(log, on_progress)?;
        index.settle(log)?;
        Ok(index)
    }

    /// Reads every session again out of which something was taken that the index may still have. At
    /// opening it is done before anybody can ask. Blocks.
    pub fn settle(&self, log: &Log) -> Result<(), IndexError> {
        log.debts()?.into_keys().try_for_each(|session| self.read_again(log, session))
    }

    /// Builds the index in `dir` again from the whole log: beside it first, then in its place, so
    /// that a crash at any moment leaves a folder that `open` can use. No [`Index`] may be open on
    /// it. Returns the place of the last record read. Blocks.
    pub fn rebuild(
        dir: &Path,
        log: &Log,
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<u64, IndexError> {
        let morphology = Voikko::find().map(|it| Arc::new(it) as Arc<dyn Morphology>);
        let kind = Kind { morphology: morphology.is_some() };
        let words = Arc::new(Remembered::new(Words::new(morphology)));
        Index::build(dir, log, kind, &words, on_progress)
    }

    fn build(
        dir: &Path,
        log: &Log,
        kind: Kind,
        words: &Arc<Remembered>,
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
            .settings(IndexSettings { docstore_blocksize: BLOCK_BYTES, ..IndexSettings::default() })
            .tokenizers(schema::tokenizers())
            .open_or_create(directory)
            .map_err(tantivy("making", &building))?;
        let mut filler = Filler::new(index, fields, kind, Arc::clone(words), building.clone(), 0);
        // A commit even of nothing, because it is what says the version.
        let done = filler.fill(log, &mut Sessions::default(), true, on_progress)?;
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

    /// Adds everything the log has beyond the index, and commits it. Returns the place of the last
    /// record. Blocks; waits for another that does the same.
    pub fn catch_up(&self, log: &Log) -> Result<u64, IndexError> {
        self.catch_up_telling(log, &mut |_| {})
    }

    /// Makes findable, in memory, what the log has beyond the index. Returns the place of the last
    /// record that is. Takes about a millisecond; stops early when much waits for a commit.
    pub fn take_in(&self, log: &Log) -> Result<u64, IndexError> {
        let inner = &*self.inner;
        let mut intake = inner.intake();
        let of = log.last_seq();
        while intake.done < of && intake.waiting.len() < FRESH_MAX {
            let records = log.read_after(intake.done, READ_RECORDS)?;
            let Some((_, last)) = records.last() else { break };
            let done = last.seq;
            let mut changes = Vec::new();
            for (session, record) in records {
                if let Err(error) = intake.sessions.apply(log, session, record, &mut changes) {
                    // Some have been applied already and will be read once more.
                    intake.sessions = Sessions::default();
                    return Err(error.into());
                }
            }
            inner.put_in_memory(&changes, intake.commit);
            intake.waiting.extend(changes);
            intake.done = done;
        }
        let done = intake.done;
        drop(intake);
        inner.findable.send_if_modified(|told| std::mem::replace(told, done) != done);
        Ok(done)
    }

    /// Puts what waits in memory on disk. Blocks for a tenth of a second or more.
    pub fn commit(&self) -> Result<u64, IndexError> {
        let inner = &*self.inner;
        let mut filler = inner.filler();
        let (changes, done, commit) = {
            let mut intake = inner.intake();
            let commit = intake.commit;
            intake.commit += 1;
            (std::mem::take(&mut intake.waiting), intake.done, commit)
        };
        if filler.committed == done && changes.is_empty() && !filler.owes_erasing {
            return Ok(done);
        }
        let added = changes.iter().try_for_each(|it| filler.add(it));
        if let Err(error) = added.and_then(|()| filler.commit(done)) {
            filler.forget_uncommitted();
            // They wait for the next commit as before; what is in memory answers for them.
            let mut intake = inner.intake();
            let newer = std::mem::replace(&mut intake.waiting, changes);
            intake.waiting.extend(newer);
            return Err(error);
        }
        inner.turn_over(&mut filler, |fresh, searcher| fresh.committed(searcher, commit))?;
        inner.committed.send_if_modified(|told| std::mem::replace(told, done) != done);
        Ok(done)
    }

    /// Reads a session from the log again, because the log has been altered (somebody's words were
    /// erased, or the whole session): what it does not have any more is in no file of the index when
    /// this returns. Blocks.
    pub fn read_again(&self, log: &Log, session: SessionId) -> Result<(), IndexError> {
        let owed = log.debts()?.get(&session).copied();
        self.catch_up(log)?;
        let inner = &*self.inner;
        let mut filler = inner.filler();
        let mut intake = inner.intake();
        intake.sessions.of.remove(&session);
        let (upto, done) = (filler.committed, intake.done);
        let records = log.read(session)?;
        let ended = records.iter().any(|it| matches!(it.fact, Fact::Ended));
        let term = Term::from_field_text(inner.fields.session, &session.to_string());
        filler.writer()?.delete_term(term);
        filler.owes_erasing = true;
        let (mut entries, mut changes, mut newer) = (Entries::new(session), Vec::new(), Vec::new());
        for record in records.into_iter().take_while(|it| it.seq <= done) {
            let into = if record.seq <= upto { &mut changes } else { &mut newer };
            entries.apply(record, into);
        }
        let added = changes.iter().try_for_each(|it| filler.add(it));
        if let Err(error) = added.and_then(|()| filler.commit(upto)) {
            filler.forget_uncommitted();
            return Err(error);
        }
        inner.turn_over(&mut filler, |fresh, searcher| {
            fresh.searcher = searcher;
            fresh.forget(session);
        })?;
        // What was taken in since the commit waits for the next one as before.
        intake.waiting.retain(|it| match it {
            Change::Put(entry) => entry.session != session,
            Change::Remove { .. } | Change::Erase { .. } => true,
        });
        inner.put_in_memory(&newer, intake.commit);
        intake.waiting.extend(newer);
        if !ended {
            intake.sessions.of.insert(session, entries);
        }
        drop(intake);
        drop(filler);
        if let Some(last) = owed {
            log.pay(session, last)?;
        }
        self.take_in(log)?;
        Ok(())
    }

    /// Keeps the index up with the log on threads of its own until the follower is dropped. New
    /// records are findable as soon as the log has them. A fault is logged and tried again.
    pub fn follow(&self, log: &Log) -> Result<Follower, IndexError> {
        let (stop, stopped) = watch::channel(false);
        let following = |error| folder("following", &self.inner.path)(error);
        let spawn = |name: &str, run: Box<dyn FnOnce(tokio::runtime::Runtime) + Send>| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
            thread::Builder::new().name(name.to_owned()).spawn(move || run(runtime))
        };
        let (index, its_log, its_stop) = (self.clone(), log.clone(), stopped.clone());
        let taking = spawn(
            "index",
            Box::new(move |runtime| {
                runtime.block_on(index.take_in_until(its_log, its_stop));
            }),
        );
        let (index, its_log) = (self.clone(), log.clone());
        let committing = spawn(
            "index-commits",
            Box::new(move |runtime| {
                runtime.block_on(index.commit_until(its_log, stopped));
            }),
        );
        Ok(Follower {
            stop,
            threads: vec![taking.map_err(following)?, committing.map_err(following)?],
        })
    }

    /// Tells the place in the log up to which everything is findable.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.inner.findable.subscribe()
    }

    /// Answers a question, and never with words of a session that it does not name: those are part of
    /// the query itself. Blocks, for milliseconds.
    pub fn search(&self, search: &Search) -> Result<SearchResults, IndexError> {
        let Inner { path, fields, columns, words, .. } = &*self.inner;
        self.inner
            .ask(|fresh| search::run(fresh, fields, columns, words, search))
            .map_err(tantivy("searching", path))?
            .ok_or_else(|| IndexError::Damaged { path: path.clone() })
    }

    /// The entry at a place in the log; `None` when none of these sessions has it.
    pub fn entry(
        &self,
        sessions: &BTreeSet<SessionId>,
        seq: u64,
    ) -> Result<Option<Arc<Entry>>, IndexError> {
        let Inner { path, fields, .. } = &*self.inner;
        self.inner
            .ask(|fresh| search::entry(fresh, fields, sessions, seq))
            .map_err(tantivy("searching", path))
    }

    /// What was said and written just before and after an entry in its room, with itself, in order.
    pub fn around(&self, of: &Entry, each_way: usize) -> Result<Vec<Arc<Entry>>, IndexError> {
        let Inner { path, fields, columns, .. } = &*self.inner;
        self.inner
            .ask(|fresh| search::around(fresh, fields, columns, of, each_way))
            .map_err(tantivy("searching", path))
    }

    /// What was said alike, independently, in other rooms of these sessions; the most alike first.
    pub fn alike(
        &self,
        sessions: &BTreeSet<SessionId>,
        of: &Entry,
        most: usize,
    ) -> Result<Vec<Arc<Entry>>, IndexError> {
        let Inner { path, fields, columns, words, .. } = &*self.inner;
        self.inner
            .ask(|fresh| search::alike(fresh, fields, columns, words, (sessions, of, most)))
            .map_err(tantivy("searching", path))
    }

    fn build_and_open(
        dir: &Path,
        log: &Log,
        kind: Kind,
        words: &Arc<Remembered>,
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<Index, IndexError> {
        Index::build(dir, log, kind, words, on_progress)?;
        Index::open_existing(dir, log, kind, words)?
            .ok_or_else(|| IndexError::Damaged { path: dir.to_owned() })
    }

    /// `None`: there is no index of this version, this log and this kind in the folder.
    fn open_existing(
        dir: &Path,
        log: &Log,
        kind: Kind,
        words: &Arc<Remembered>,
    ) -> Result<Option<Index>, IndexError> {
        if !dir.join("meta.json").exists() {
            return Ok(None);
        }
        let mut index = tantivy::Index::open_in_dir(dir).map_err(tantivy("opening", dir))?;
        let (schema, fields) = schema::build();
        let meta = index.load_metas().map_err(tantivy("opening", dir))?;
        let Some(done) = meta.payload.as_deref().and_then(|it| kind.read_payload(it)) else {
            return Ok(None);
        };
        // More than the log has: the log has been put back to an earlier state.
        if index.schema() != schema || done > log.last_seq() {
            return Ok(None);
        }
        if !index.validate_checksum().map_err(tantivy("opening", dir))?.is_empty() {
            return Err(IndexError::Damaged { path: dir.to_owned() });
        }
        index.set_tokenizers(schema::tokenizers());
        let threads = thread::available_parallelism().map_or(1, |it| it.get());
        index
            .set_multithread_executor(threads.min(SEARCH_THREADS_MAX))
            .map_err(tantivy("opening", dir))?;
        let reader: IndexReader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()
            .map_err(tantivy("opening", dir))?;
        let fresh = Mutex::new(Arc::new(Fresh::new(reader.searcher())));
        let filler = Filler::new(index, fields, kind, Arc::clone(words), dir.to_owned(), done);
        let sessions = Sessions::default();
        Ok(Some(Index {
            inner: Arc::new(Inner {
                path: dir.to_owned(),
                fields,
                words: Arc::clone(words),
                reader,
                columns: search::ColumnsCache::default(),
                fresh,
                asking: RwLock::new(()),
                intake: Mutex::new(Intake { done, sessions, waiting: Vec::new(), commit: 1 }),
                filler: Mutex::new(filler),
                findable: watch::Sender::new(done),
                committed: watch::Sender::new(done),
            }),
        }))
    }

    fn catch_up_telling(
        &self,
        log: &Log,
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<u64, IndexError> {
        self.commit()?;
        let inner = &*self.inner;
        let mut filler = inner.filler();
        let mut intake = inner.intake();
        // Nothing waits: what came since goes to disk at once, however much it is.
        let waiting = std::mem::take(&mut intake.waiting);
        let added = waiting.iter().try_for_each(|it| filler.add(it));
        let from = std::mem::replace(&mut filler.read, intake.done);
        let filled =
            added.and_then(|()| filler.fill(log, &mut intake.sessions, false, on_progress));
        let done = match filled {
            Ok(done) => done,
            Err(error) => {
                filler.forget_uncommitted();
                filler.read = from;
                intake.sessions = Sessions::default();
                intake.waiting = waiting;
                return Err(error);
            }
        };
        let commit = intake.commit;
        intake.commit += 1;
        intake.done = done;
        inner.turn_over(&mut filler, |fresh, searcher| fresh.committed(searcher, commit))?;
        drop(intake);
        inner.findable.send_if_modified(|told| std::mem::replace(told, done) != done);
        inner.committed.send_if_modified(|told| std::mem::replace(told, done) != done);
        Ok(done)
    }

    async fn take_in_until(self, log: Log, mut stopped: watch::Receiver<bool>) {
        let mut news = log.subscribe();
        let mut commits = self.inner.committed.subscribe();
        news.mark_changed();
        loop {
            tokio::select! {
                changed = news.changed() => if changed.is_err() { return },
                // It may have stopped because too much waited.
                changed = commits.changed() => if changed.is_err() { return },
                _ = stopped.changed() => return,
            }
            if let Err(error) = self.take_in(&log) {
                tracing::warn!(%error, "the index fell behind the log; it will be tried again");
                tokio::time::sleep(Duration::from_millis(COMMIT_EVERY_MS)).await;
                news.mark_changed();
            }
        }
    }

    async fn commit_until(self, log: Log, mut stopped: watch::Receiver<bool>) {
        let mut taken = self.inner.findable.subscribe();
        taken.mark_changed();
        loop {
            tokio::select! {
                changed = taken.changed() => if changed.is_err() { return },
                _ = stopped.changed() => break,
            }
            if let Err(error) = self.commit() {
                tracing::warn!(%error, "the index could not be committed; it will be tried again");
                taken.mark_changed();
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

    fn intake(&self) -> MutexGuard<'_, Intake> {
        self.intake.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers from the index as it is now. What comes or is committed meanwhile does not wait.
    fn ask<T>(&self, answer: impl FnOnce(&Fresh) -> T) -> T {
        let _asking = self.asking.read().unwrap_or_else(PoisonError::into_inner);
        let fresh = Arc::clone(&self.fresh.lock().unwrap_or_else(PoisonError::into_inner));
        answer(&fresh)
    }

    /// What a fresh entry is cut into is the slow part; searches go on meanwhile.
    fn put_in_memory(&self, changes: &[Change], commit: u64) {
        let cut = Cut::all(&*self.words, changes);
        self.change_fresh(|fresh| fresh.take_in(cut, commit));
    }

    /// From now on it is answered from what the last commit has. `change`: of what is in memory.
    fn turn_over(
        &self,
        filler: &mut Filler,
        change: impl FnOnce(&mut Fresh, Searcher),
    ) -> Result<(), IndexError> {
        self.reader.reload().map_err(tantivy("reading", &self.path))?;
        let searcher = self.reader.searcher();
        self.change_fresh(|fresh| change(fresh, searcher.clone()));
        if filler.owes_erasing {
            // Who began to ask before this has the files open in which the words are.
            drop(self.asking.write().unwrap_or_else(PoisonError::into_inner));
        }
        self.columns.forget_others(&searcher);
        filler.sweep()
    }

    fn change_fresh(&self, change: impl FnOnce(&mut Fresh)) {
        let mut fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        let before = Arc::clone(&fresh);
        change(Arc::make_mut(&mut fresh));
        drop(fresh);
        // Whoever lets go of a searcher closes the files of what has been merged, for 6 ms and more:
        // here, where no search and no new line waits for it.
        drop(before);
    }
}

/// Follows the log while it lives. Dropping it adds what is left, commits, and waits for that.
#[must_use = "the index follows the log only while this lives"]
pub struct Follower {
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the index had panicked");
            }
        }
    }
}

/// Adds documents to one folder.
struct Filler {
    index: tantivy::Index,
    fields: Fields,
    kind: Kind,
    words: Arc<Remembered>,
    path: PathBuf,
    /// `None` until there is something to add, and after a fault.
    writer: Option<IndexWriter>,
    /// The place in the log that the last commit reached.
    committed: u64,
    /// The place from which `fill` reads on.
    read: u64,
    /// Files may still hold words that were taken back.
    owes_erasing: bool,
}

impl Filler {
    fn new(
        index: tantivy::Index,
        fields: Fields,
        kind: Kind,
        words: Arc<Remembered>,
        path: PathBuf,
        committed: u64,
    ) -> Filler {
        // At first it is not known whether the process before has erased everything.
        let owes_erasing = true;
        Filler {
            index,
            fields,
            kind,
            words,
            path,
            writer: None,
            committed,
            read: committed,
            owes_erasing,
        }
    }

    /// Adds what the log has beyond `read`, and commits. `always`: also when that is nothing. After
    /// an error, `forget_uncommitted` before the next.
    fn fill(
        &mut self,
        log: &Log,
        sessions: &mut Sessions,
        always: bool,
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<u64, IndexError> {
        let of = log.last_seq();
        on_progress(Progress { done: self.committed, of });
        let mut changes = Vec::new();
        // No further than `of`, so that a log that grows all the time cannot put the commit off.
        while self.read < of {
            let records = log.read_after(self.read, READ_RECORDS)?;
            let Some((_, last)) = records.last() else { break };
            let done = last.seq;
            for (session, record) in records {
                sessions.apply(log, session, record, &mut changes)?;
            }
            for change in changes.drain(..) {
                self.add(&change)?;
            }
            self.read = done;
            on_progress(Progress { done, of: of.max(done) });
        }
        if self.committed < self.read || always || self.owes_erasing {
            self.commit(self.read)?;
        }
        Ok(self.committed)
    }

    fn add(&mut self, change: &Change) -> Result<(), IndexError> {
        let (entry, seq) = match change {
            Change::Put(entry) => (Some(entry), entry.seq),
            Change::Remove { seq } => (None, *seq),
            Change::Erase { seq } => {
                self.owes_erasing = true;
                (None, *seq)
            }
        };
        let document = entry.map(|it| self.document(it));
        let path = self.path.clone();
        let fields = self.fields;
        let writer = self.writer()?;
        // It may be there already, with other marks; or the commit before it went wrong half-way.
        writer.delete_term(Term::from_field_u64(fields.seq, seq));
        if let Some(document) = document {
            writer.add_document(document).map_err(tantivy("filling", &path))?;
        }
        Ok(())
    }

    fn document(&self, entry: &Entry) -> tantivy::TantivyDocument {
        let keys: BTreeSet<Arc<[String]>> =
            query::words(&entry.text).map(|it| self.words.keys(entry.language, &it)).collect();
        let keys: BTreeSet<&str> =
            keys.iter().flat_map(|it| it.iter().map(String::as_str)).collect();
        self.fields.document(entry, keys)
    }

    fn writer(&mut self) -> Result<&mut IndexWriter, IndexError> {
        if self.writer.is_none() {
            let options = IndexWriterOptions::builder()
                .num_worker_threads(1)
                .memory_budget_per_thread(WRITER_BYTES)
                .num_merge_threads(1)
                .build();
            let new = self.index.writer_with_options(options);
            self.writer = Some(new.map_err(tantivy("filling", &self.path))?);
        }
        self.writer.as_mut().ok_or_else(|| IndexError::Damaged { path: self.path.clone() })
    }

    fn commit(&mut self, done: u64) -> Result<(), IndexError> {
        let payload = self.kind.payload(done);
        let path = self.path.clone();
        let mut commit = self.writer()?.prepare_commit().map_err(tantivy("committing", &path))?;
        commit.set_payload(&payload);
        commit.commit().map_err(tantivy("committing", &path))?;
        (self.committed, self.read) = (done, done);
        if self.owes_erasing { self.erase() } else { Ok(()) }
    }

    /// Writes anew whatever holds deleted words, so that they are in no file any more.
    fn erase(&mut self) -> Result<(), IndexError> {
        let path = self.path.clone();
        let said = || tantivy("erasing from", &path);
        let metas = self.index.searchable_segment_metas().map_err(said())?;
        let writer = self.writer()?;
        for meta in metas.iter().filter(|it| it.has_deletes()) {
            writer.merge(&[meta.id()]).wait().map_err(said())?;
        }
        Ok(())
    }

    /// Deletes the files that no searcher has open any more. After an erasing: once the searchers have
    /// been made anew, since the old ones kept them.
    fn sweep(&mut self) -> Result<(), IndexError> {
        if self.owes_erasing {
            let path = self.path.clone();
            let swept = self.writer()?.garbage_collect_files().wait();
            swept.map_err(tantivy("erasing from", &path))?;
            self.owes_erasing = false;
        }
        Ok(())
    }

    /// Lets go of a writer that may hold records without their commit; a new one starts from the
    /// last commit.
    fn forget_uncommitted(&mut self) {
        self.writer = None;
        self.read = self.committed;
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

/// The sessions that are being read; from the log when the reading began in their middle.
#[derive(Default)]
struct Sessions {
    of: BTreeMap<SessionId, Entries>,
}

impl Sessions {
    fn apply(
        &mut self,
        log: &Log,
        session: SessionId,
        record: Record,
        changes: &mut Vec<Change>,
    ) -> Result<(), LogError> {
        let opens = matches!(record.fact, Fact::Opened { .. });
        let ends = matches!(record.fact, Fact::Ended);
        if !self.of.contains_key(&session) {
            if SESSIONS_FOLLOWED_MAX <= self.of.len() {
                // The one opened longest ago; it is read again if it goes on.
                self.of.pop_first();
            }
            let mut entries = Entries::new(session);
            if !opens {
                let before = log.read(session)?.into_iter().take_while(|it| it.seq < record.seq);
                before.for_each(|it| entries.apply(it, &mut Vec::new()));
            }
            self.of.insert(session, entries);
        }
        if let Some(entries) = self.of.get_mut(&session) {
            entries.apply(record, changes);
        }
        if ends {
            self.of.remove(&session);
        }
        Ok(())
    }
}

/// How the words of an index were cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kind {
    morphology: bool,
}

impl Kind {
    /// What a commit says of itself: version, how words are cut, and the place in the log.
    fn payload(self, done: u64) -> String {
        format!("{}{done}", self.prefix())
    }

    /// The place in the log; `None` when this program's version did not write it so.
    fn read_payload(self, payload: &str) -> Option<u64> {
        payload.strip_prefix(&self.prefix())?.parse().ok()
    }

    fn prefix(self) -> String {
        format!("vuoro {VERSION} {} ", if self.morphology { "voikko" } else { "plain" })
    }
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
        let many = (0..120)
            .map(|at| said(ALICE, RoomId::Main, at, Language::Finnish, "sama lause"))
            .collect();
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
        let other = fs::read_to_string(&meta)
            .expect("text")
            .replace(&format!("vuoro {VERSION} "), "vuoro 0 ");
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
        let ideas = |index: &Index| {
            ask_for(index, Search { marks: [Mark::Idea].into(), ..Search::default() })
        };
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
        let line =
            |who, room, at, text| said(who, RoomId::Breakout(room), at, Language::Finnish, text);
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
}
