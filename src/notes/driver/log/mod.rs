//! The log on disk: every fact of every session in one SQLite file, in the order of writing. It is
//! the ground that everything else can be rebuilt from. Never alters or forgets a record, but where
//! somebody takes something back (`erasing`, `striking`); never answers "kept" before the disk
//! has it; never logs what a record says.
//!
//! One thread writes. It takes everything that waits into one transaction, so that the cost of a
//! safe write (a millisecond or more) is shared by all who wait for it, and answers each when the
//! disk has answered. When the queue is full, writers wait: notes are not dropped.

mod error;
mod schema;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use rusqlite::{Connection, Params, Row, params};
use tokio::sync::{mpsc, watch};

pub use self::error::LogError;
use self::{
    error::{classify, not_writable},
    schema::{lock, open_reader, prepare},
    writer::{Request, Writer, alteration, request},
};
use crate::{
    domain::{
        fact::{Fact, Record},
        ids::SessionId,
        language::Language,
        time::SessionTime,
    },
    notes::engine::record,
};

/// Appends that wait for the writer; one more makes its sender wait. A session has at most a few
/// under way, so this is far more than a thousand sessions send between two commits.
const QUEUE_APPENDS_MAX: usize = 1_024;

/// Connections kept for readers; more are opened for as long as they are needed.
const READERS_KEPT: usize = 4;

/// Readers at once; one more waits. Each holds three files open, and a system often lets a program have
/// only 1,024: more would keep everybody's sockets out. The disk is no quicker for more.
const READERS_MAX: usize = 16;

/// The last place ever given, also when its record is gone: no place is given twice.
const LAST_SEQ: &str =
    "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'records'), 0)";

/// What the log knows of a session without reading its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSummary {
    pub id: SessionId,
    pub title: String,
    pub language: Language,
    /// Milliseconds since 1970.
    pub opened_unix_ms: u64,
    pub ended: bool,
}

/// The open log. Clones share it; the last one to go closes it, which waits for the writer.
#[derive(Clone, Debug)]
pub struct Log {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    /// `None` only while closing.
    requests: Option<mpsc::Sender<Request>>,
    writer: Option<JoinHandle<()>>,
    readers: Mutex<Readers>,
    reader_done: Condvar,
    last_seq: watch::Receiver<u64>,
    /// Held for as long as the log is open; the system lets go of it even after `kill -9`.
    _lock: File,
}

impl Log {
    /// Opens the log in the file `path`, and makes it and its folder if need be. Beside the file
    /// lie SQLite's own (`-wal`, `-shm`) and a lock file.
    ///
    /// Errors: all of [`LogError`] but those of a single session or record. Blocks.
    pub fn open(path: &Path) -> Result<Log, LogError> {
        Log::open_limited(path, None)
    }

    /// `pages_max`: the file grows no further than this, as on a full disk. For tests.
    fn open_limited(path: &Path, pages_max: Option<u32>) -> Result<Log, LogError> {
        let lock = lock(path)?;
        let said = |doing| move |error| classify(doing, path, error);
        let mut connection = Connection::open(path).map_err(said("opening"))?;
        prepare(&mut connection, path)?;
        if let Some(pages) = pages_max {
            connection
                .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
                .map_err(said("limiting"))?;
        }
        let last: i64 =
            connection.query_row(LAST_SEQ, [], |row| row.get(0)).map_err(said("reading"))?;

        let (requests, queue) = mpsc::channel(QUEUE_APPENDS_MAX);
        let (told, last_seq) = watch::channel(last.cast_unsigned());
        let owes_erasing = true; // Perhaps the process before could not do it any more.
        let writer = Writer { connection, path: path.to_owned(), told, owes_erasing };
        let writer = thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || writer.run(queue))
            .map_err(|error| not_writable(path, &error))?;
        Ok(Log {
            inner: Arc::new(Inner {
                path: path.to_owned(),
                requests: Some(requests),
                writer: Some(writer),
                readers: Mutex::default(),
                reader_done: Condvar::new(),
                last_seq,
                _lock: lock,
            }),
        })
    }

    /// Appends the facts of one session, all or none of them and side by side, and answers with
    /// their places when the disk has them. Waits while the queue is full. After the end of a session
    /// words of who has been erased from it are passed over: they have no place.
    ///
    /// When the future is dropped early, the facts may be kept or not.
    pub async fn append(
        &self,
        session: SessionId,
        facts: Vec<(SessionTime, Fact)>,
    ) -> Result<Vec<u64>, LogError> {
        let (append, answer) = request(session, facts);
        self.inner.queue()?.send(Request::Append(append)).await.map_err(|_| LogError::Closed)?;
        answer.await.map_err(|_| LogError::Closed)?
    }

    /// As `append`, for a thread outside tokio; panics in an asynchronous one.
    pub fn append_blocking(
        &self,
        session: SessionId,
        facts: Vec<(SessionTime, Fact)>,
    ) -> Result<Vec<u64>, LogError> {
        let (append, answer) = request(session, facts);
        self.inner.queue()?.blocking_send(Request::Append(append)).map_err(|_| LogError::Closed)?;
        answer.blocking_recv().map_err(|_| LogError::Closed)?
    }

    /// All records of a session in order; none when it is unknown. Blocks on the disk.
    pub fn read(&self, session: SessionId) -> Result<Vec<Record>, LogError> {
        let sql = "SELECT seq, at_ms, version, body FROM records WHERE session = ?1 ORDER BY seq";
        let kept = self.with_reader(|reader| {
            let mut statement = reader.prepare(sql)?;
            let rows = statement.query_map([session.to_string()], KeptRow::read)?;
            rows.collect::<Result<Vec<KeptRow>, _>>()
        })?;
        kept.into_iter().map(KeptRow::record).collect()
    }

    /// At most `limit` records of any session that come after place `seq`, in order. Blocks on the
    /// disk.
    pub fn read_after(&self, seq: u64, limit: usize) -> Result<Vec<(SessionId, Record)>, LogError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let after = i64::try_from(seq).unwrap_or(i64::MAX);
        self.records_where("WHERE seq > ?1 ORDER BY seq LIMIT ?2", params![after, limit])
    }

    /// `which`: the rest of the statement, after the table.
    pub(super) fn records_where(
        &self,
        which: &str,
        params: impl Params,
    ) -> Result<Vec<(SessionId, Record)>, LogError> {
        let sql = format!("SELECT seq, at_ms, version, body, session FROM records {which}");
        let kept = self.with_reader(|reader| {
            let mut statement = reader.prepare(&sql)?;
            let rows = statement.query_map(params, |row| Ok((row.get(4)?, KeptRow::read(row)?)))?;
            rows.collect::<Result<Vec<(String, KeptRow)>, _>>()
        })?;
        kept.into_iter()
            .map(|(session, row)| Ok((self.session_id(&session)?, row.record()?)))
            .collect()
    }

    /// The records of a session that are of these kinds, in order. Blocks on the disk.
    pub fn read_kinds(
        &self,
        session: SessionId,
        kinds: &[&'static str],
    ) -> Result<Vec<Record>, LogError> {
        let kinds: Vec<_> = kinds.iter().map(|it| format!("'{it}'")).collect();
        let which = format!(
            "WHERE session = ?1 AND json_extract(body, '$.kind') IN ({}) ORDER BY seq",
            kinds.join(", ")
        );
        let found = self.records_where(&which, params![session.to_string()])?;
        Ok(found.into_iter().map(|it| it.1).collect())
    }

    /// Every session ever opened, in the order of their ids, which is that of opening. Blocks on
    /// the disk.
    pub fn sessions(&self) -> Result<Vec<SessionSummary>, LogError> {
        self.summaries("ORDER BY id", [])
    }

    /// What is known of one session; `None`: there is none. Blocks on the disk.
    pub fn session(&self, session: SessionId) -> Result<Option<SessionSummary>, LogError> {
        self.summaries("WHERE id = ?1", [session.to_string()]).map(|it| it.into_iter().next())
    }

    /// `which`: the rest of the statement, after the table.
    pub(super) fn summaries(
        &self,
        which: &str,
        params: impl Params,
    ) -> Result<Vec<SessionSummary>, LogError> {
        let sql =
            format!("SELECT id, title, language, opened_unix_ms, ended FROM sessions {which}");
        let kept = self.with_reader(|reader| {
            let mut statement = reader.prepare(&sql)?;
            let rows = statement.query_map(params, |row| {
                let opened: i64 = row.get(3)?;
                let (id, language): (String, String) = (row.get(0)?, row.get(2)?);
                Ok((id, row.get(1)?, language, opened, row.get(4)?))
            })?;
            rows.collect::<Result<Vec<(String, String, String, i64, bool)>, _>>()
        })?;
        kept.into_iter()
            .map(|(id, title, language, opened, ended)| {
                Ok(SessionSummary {
                    id: self.session_id(&id)?,
                    title,
                    language: Language::from_code(&language).ok_or_else(|| {
                        self.inner.damaged("a session has an unknown language".to_owned())
                    })?,
                    opened_unix_ms: opened.cast_unsigned(),
                    ended,
                })
            })
            .collect()
    }

    /// The place of the last record; 0 when there is none.
    pub fn last_seq(&self) -> u64 {
        *self.inner.last_seq.borrow()
    }

    /// Tells the place of the last record after every commit.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.inner.last_seq.clone()
    }

    /// Reads the whole file and checks that it is sound. Slow on a large log. Blocks.
    ///
    /// Errors: [`LogError::Damaged`] with SQLite's first finding.
    pub fn check(&self) -> Result<(), LogError> {
        let found: String = self.with_reader(|reader| {
            reader.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        })?;
        if found == "ok" { Ok(()) } else { Err(self.inner.damaged(found)) }
    }

    /// Runs `change` on the connection that writes, after all that was asked before. It answers for
    /// its own transaction. `doing`: for the error.
    pub(super) async fn alter<T: Send + 'static>(
        &self,
        doing: &'static str,
        change: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LogError> {
        self.alter_so(doing, false, change).await
    }

    /// As `alter`, for what takes words out: when the answer comes, they are in no file beside the
    /// log's either. Only while somebody reads for longer than [`BUSY_MS`] it comes before that.
    pub(super) async fn alter_erasing<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LogError> {
        self.alter_so("erasing from", true, change).await
    }

    async fn alter_so<T: Send + 'static>(
        &self,
        doing: &'static str,
        erases: bool,
        change: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LogError> {
        let (request, answer) = alteration(erases, change);
        self.inner.queue()?.send(request).await.map_err(|_| LogError::Closed)?;
        let done = answer.await.map_err(|_| LogError::Closed)?;
        done.map_err(|error| classify(doing, &self.inner.path, error))
    }

    /// As `alter`, but nobody waits for it or hears of it. For what may be lost.
    pub(super) fn alter_later(
        &self,
        change: impl FnOnce(&mut Connection) -> rusqlite::Result<()> + Send + 'static,
    ) -> Result<(), LogError> {
        let (request, _) = alteration(false, change);
        self.inner.queue()?.try_send(request).map_err(|_| LogError::Closed)
    }

    /// As `alter`, for a thread outside tokio; panics in an asynchronous one.
    pub(super) fn alter_blocking<T: Send + 'static>(
        &self,
        doing: &'static str,
        change: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LogError> {
        let (request, answer) = alteration(false, change);
        self.inner.queue()?.blocking_send(request).map_err(|_| LogError::Closed)?;
        let done = answer.blocking_recv().map_err(|_| LogError::Closed)?;
        done.map_err(|error| classify(doing, &self.inner.path, error))
    }

    /// Runs `read` on a connection of its own that cannot write. Waits while [`READERS_MAX`] others do;
    /// `read` itself must not read in another way.
    pub(super) fn with_reader<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, LogError> {
        let said = |error| classify("reading", &self.inner.path, error);
        let (_place, spare) = self.inner.place();
        let reader = match spare {
            Some(reader) => reader,
            None => open_reader(&self.inner.path).map_err(said)?,
        };
        let answer = read(&reader).map_err(said);
        let mut readers = self.inner.readers();
        if readers.spare.len() < READERS_KEPT {
            readers.spare.push(reader);
        }
        answer
    }

    fn session_id(&self, text: &str) -> Result<SessionId, LogError> {
        text.parse().map_err(|_| self.inner.damaged("a record has no session's id".to_owned()))
    }
}

impl Inner {
    fn queue(&self) -> Result<&mpsc::Sender<Request>, LogError> {
        self.requests.as_ref().ok_or(LogError::Closed)
    }

    /// A reader that panicked has left the list itself whole.
    fn readers(&self) -> MutexGuard<'_, Readers> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place among the readers, and brings a connection if one is kept.
    fn place(&self) -> (Place<'_>, Option<Connection>) {
        let full = |it: &mut Readers| READERS_MAX <= it.busy;
        let readers = self.reader_done.wait_while(self.readers(), full);
        let mut readers = readers.unwrap_or_else(PoisonError::into_inner);
        readers.busy += 1;
        (Place(self), readers.spare.pop())
    }

    fn damaged(&self, reason: String) -> LogError {
        LogError::Damaged { path: self.path.clone(), reason }
    }
}

impl Drop for Inner {
    /// Readers go first, so that the writer's connection is the last and puts the file in order.
    /// The lock goes after it, so that who opens next finds the file closed.
    fn drop(&mut self) {
        self.readers().spare.clear();
        self.requests = None;
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!(path = %self.path.display(), "the log's writer had panicked");
        }
    }
}

/// Those who read.
#[derive(Debug, Default)]
struct Readers {
    spare: Vec<Connection>,
    busy: usize,
}

/// A reader's place; it is free again also after a panic.
struct Place<'a>(&'a Inner);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.readers().busy -= 1;
        self.0.reader_done.notify_one();
    }
}

/// A record as it lies in the file.
struct KeptRow {
    seq: u64,
    at: SessionTime,
    version: u32,
    body: String,
}

impl KeptRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<KeptRow> {
        let (seq, at_ms): (i64, i64) = (row.get(0)?, row.get(1)?);
        Ok(KeptRow {
            seq: seq.cast_unsigned(),
            at: SessionTime(at_ms.cast_unsigned()),
            version: row.get(2)?,
            body: row.get(3)?,
        })
    }

    fn record(self) -> Result<Record, LogError> {
        let KeptRow { seq, at, version, body } = self;
        match record::decode(version, &body) {
            Ok(fact) => Ok(Record { seq, at, fact }),
            Err(source) => Err(LogError::Record { seq, source }),
        }
    }
}
