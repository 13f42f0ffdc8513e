//! The search index: what people said and wrote, findable by its words. It is derived from the log
//! and may be thrown away at any time; a folder that is missing, damaged or of another version is
//! built again when it is opened. Never a source of anything, and never logs what was said or asked.
//!
//! It has two parts. What has been committed lies on disk (tantivy); each commit carries the place in
//! the log up to which it has read, so that index and place cannot part: whatever happens, going on
//! from there adds every record exactly once. What came since is in memory (`fresh`), where it is
//! findable as soon as the log has it. One thread takes in, another commits: a commit takes a tenth of
//! a second, and nobody waits for it.

mod columns;
mod counts;
mod filler;
mod follow;
pub mod fresh;
mod page;
mod points;
mod question;
mod remembered;
mod schema;
mod search;

pub use follow::Follower;
pub use question::{Counts, Hit, Search, SearchResults};

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    thread,
};

use tantivy::{
    IndexReader, IndexSettings, ReloadPolicy, Searcher, TantivyError, Term,
    directory::MmapDirectory,
};
use tokio::sync::watch;

use crate::domain::{fact::Fact, ids::SessionId};
use crate::notes::driver::{
    index::{
        columns::ColumnsCache,
        filler::{Filler, Kind, READ_RECORDS, Sessions},
        fresh::{Cut, Fresh},
        remembered::Remembered,
        schema::Fields,
    },
    log::{Log, LogError},
    voikko::Voikko,
};
use crate::notes::engine::{
    entries::{Change, Entries, Entry},
    words::{Morphology, Words},
};

/// Changes that may wait in memory for a commit; then taking in waits for it.
const FRESH_MAX: usize = 5_000;

/// Entries are stored in blocks of so many bytes, and to read one its block is unpacked: a page of fifty
/// lines from everywhere unpacks fifty. The library's 16 KiB cost a page more than finding its lines.
const BLOCK_BYTES: usize = 2_048;

/// Threads that look through the files of many sessions at once, at most.
const SEARCH_THREADS_MAX: usize = 4;

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
    columns: ColumnsCache,
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
                columns: ColumnsCache::default(),
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
        self.columns.open_all(&searcher).map_err(tantivy("reading", &self.path))?;
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
mod tests;
