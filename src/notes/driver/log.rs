//! The log on disk: every fact of every session in one SQLite file, in the order of writing. It is
//! the ground that everything else can be rebuilt from. Never alters or forgets a record, but where
//! somebody takes something back (`erasing`, and `Strike` here); never answers "kept" before the disk
//! has it; never logs what a record says.
//!
//! One thread writes. It takes everything that waits into one transaction, so that the cost of a
//! safe write (a millisecond or more) is shared by all who wait for it, and answers each when the
//! disk has answered. When the queue is full, writers wait: notes are not dropped.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension, Params, Row, Statement,
    TransactionBehavior, params,
};
use tokio::sync::{
    mpsc::{self, error::TryRecvError},
    oneshot, watch,
};

use crate::domain::{
    fact::{Fact, GapReason, Record},
    ideas::{self, IdeaId},
    ids::{ParticipantId, SessionId, TenantId},
    language::Language,
    time::{SessionTime, Span},
};
use crate::notes::{
    driver::erasing::{Gone, forget_typed, strike_idea},
    engine::record::{self, RecordError},
};

/// Appends that wait for the writer; one more makes its sender wait. A session has at most a few
/// under way, so this is far more than a thousand sessions send between two commits.
const QUEUE_APPENDS_MAX: usize = 1_024;

/// Facts in one transaction. A bound on how long the first of them waits for the last.
const BATCH_FACTS_MAX: usize = 4_096;

/// Connections kept for readers; more are opened for as long as they are needed.
const READERS_KEPT: usize = 4;

/// The last place ever given, also when its record is gone: no place is given twice.
const LAST_SEQ: &str =
    "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'records'), 0)";

/// How long a statement waits for another connection, in ms. Only checkpoints ever make it wait.
const BUSY_MS: u64 = 5_000;

/// How long until erased words that could not be cleared from the write-ahead log are tried again, in
/// ms. Appends wait that long at most, and only while somebody reads for seconds.
const ERASE_AGAIN_MS: u64 = 250;

/// The schema, step by step: entry n brings a file from version n to n + 1. Never edited, only
/// added to.
const MIGRATIONS: [&str; 6] = [
    "
    CREATE TABLE sessions (
        id TEXT PRIMARY KEY,
        title TEXT NOT NULL,
        language TEXT NOT NULL,
        opened_unix_ms INTEGER NOT NULL,
        ended INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE records (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        session TEXT NOT NULL REFERENCES sessions(id),
        at_ms INTEGER NOT NULL,
        version INTEGER NOT NULL,
        body TEXT NOT NULL
    ) STRICT;
    CREATE INDEX records_of_session ON records(session, seq);
",
    "
    -- How long a session is kept after the last thing in it; NULL: as long as the server keeps them.
    ALTER TABLE sessions ADD COLUMN keep_days INTEGER;
    -- What its pseudonyms are made with. It goes with the session, and they mean nobody then.
    ALTER TABLE sessions ADD COLUMN pseudonym_key BLOB;
    UPDATE sessions SET pseudonym_key = randomblob(32);
    -- Who opened or took away what. Never a word of it; it outlives the session.
    CREATE TABLE accesses (
        session TEXT NOT NULL,
        unix_ms INTEGER NOT NULL,
        who TEXT NOT NULL,
        what TEXT NOT NULL
    ) STRICT;
    CREATE INDEX accesses_of_session ON accesses(session, unix_ms);
    -- That a person has checked their words, and how. Never what stood there before.
    CREATE TABLE checks (
        session TEXT NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
        participant INTEGER NOT NULL,
        unix_ms INTEGER NOT NULL,
        how TEXT NOT NULL,
        seq INTEGER
    ) STRICT;
    CREATE INDEX checks_of_session ON checks(session, participant);
",
    "
    -- Sessions out of which something was taken, until the index has read them again. Written with
    -- what is taken out, so that no crash can part the two.
    CREATE TABLE debts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        session TEXT NOT NULL
    ) STRICT;
",
    "
    -- Whose session it is; NULL: nobody's but its links'.
    ALTER TABLE sessions ADD COLUMN tenant TEXT;
    CREATE INDEX sessions_of_tenant ON sessions(tenant, id);
",
    "
    -- Up to which record a tenant's own server has been told what happens.
    CREATE TABLE told (tenant TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT;
",
    "
    -- What people say of how a method worked. Nothing in a row leads to who said it: the key is chance.
    CREATE TABLE pilots (
        session TEXT NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
        id BLOB NOT NULL,
        method TEXT NOT NULL,
        heard INTEGER,
        clear INTEGER,
        fresh INTEGER,
        again INTEGER,
        line TEXT NOT NULL,
        PRIMARY KEY (session, id)
    ) STRICT, WITHOUT ROWID;
    -- Who has said it already.
    CREATE TABLE piloted (
        session TEXT NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
        participant INTEGER NOT NULL,
        PRIMARY KEY (session, participant)
    ) STRICT, WITHOUT ROWID;
",
];

/// Why the log could not be opened, written or read. After an error of `append` nothing of that
/// append is in the log, except where a variant says otherwise.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LogError {
    /// The folder or the file cannot be made or written: rights, or a read-only disk.
    #[error("the log {path} is not writable: {reason}")]
    NotWritable { path: PathBuf, reason: String },
    /// No room left. The log goes on by itself when there is room again.
    #[error("the disk is full; the log {path} cannot grow")]
    DiskFull { path: PathBuf },
    /// Another process has this log open.
    #[error("the log {path} is in use by another process")]
    InUse { path: PathBuf },
    /// A newer program wrote it.
    #[error("the log {path} has schema {found}, and this program knows schemas up to {known}")]
    NewerSchema { path: PathBuf, found: u32, known: u32 },
    /// The file is not a log, or bytes in it have changed.
    #[error("the log {path} is damaged: {reason}")]
    Damaged { path: PathBuf, reason: String },
    /// One record cannot be understood.
    #[error("reading record {seq} of the log")]
    Record { seq: u64, source: RecordError },
    /// The first fact of a session must be `Opened`.
    #[error("session {session} is not in the log, and its first fact does not open it")]
    NotOpened { session: SessionId },
    /// A session is opened once.
    #[error("session {session} is already open in the log")]
    AlreadyOpened { session: SessionId },
    /// The writer is gone: it failed in a way it could not go on from. What was being appended may
    /// or may not be kept.
    #[error("the log's writer has stopped")]
    Closed,
    /// Anything else that SQLite or the system says.
    #[error("{doing} the log {path}")]
    Sqlite { doing: &'static str, path: PathBuf, source: Arc<rusqlite::Error> },
}

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
    readers: Mutex<Vec<Connection>>,
    last_seq: watch::Receiver<u64>,
    /// Held for as long as the log is open; the system lets go of it even after `kill -9`.
    _lock: File,
}

/// One request to the writer.
enum Request {
    Append(Append),
    /// Something else that writes, in the order of asking.
    Alter(Alteration),
}

struct Alteration {
    /// Whether it leaves words in the write-ahead log that are to be in no file.
    erases: bool,
    change: Box<dyn FnOnce(&mut Connection) -> Told + Send>,
}

/// Tells whoever asked what came of it.
type Told = Box<dyn FnOnce() + Send>;

#[derive(Debug)]
struct Append {
    session: SessionId,
    rows: Vec<NewRow>,
    reply: oneshot::Sender<Result<Vec<u64>, LogError>>,
}

#[derive(Debug)]
struct NewRow {
    at: SessionTime,
    body: String,
    /// Whose word it is, said or written.
    own: Option<ParticipantId>,
    change: Change,
}

/// What a fact means to the table of sessions.
#[derive(Debug)]
enum Change {
    None,
    Open {
        title: String,
        language: Language,
        unix_ms: u64,
    },
    Belong(TenantId),
    End,
    /// What was said in that time is erased.
    Strike {
        participant: ParticipantId,
        span: Span,
    },
    /// The words of this idea are erased: those of one person, or everybody's.
    StrikeIdea {
        whose: Option<ParticipantId>,
        idea: IdeaId,
    },
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
                readers: Mutex::new(Vec::new()),
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

    /// Runs `read` on a connection of its own that cannot write.
    pub(super) fn with_reader<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, LogError> {
        let said = |error| classify("reading", &self.inner.path, error);
        let spare = self.inner.readers().pop();
        let reader = match spare {
            Some(reader) => reader,
            None => open_reader(&self.inner.path).map_err(said)?,
        };
        let answer = read(&reader).map_err(said);
        let mut readers = self.inner.readers();
        if readers.len() < READERS_KEPT {
            readers.push(reader);
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
    fn readers(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn damaged(&self, reason: String) -> LogError {
        LogError::Damaged { path: self.path.clone(), reason }
    }
}

impl Drop for Inner {
    /// Readers go first, so that the writer's connection is the last and puts the file in order.
    /// The lock goes after it, so that who opens next finds the file closed.
    fn drop(&mut self) {
        self.readers().clear();
        self.requests = None;
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!(path = %self.path.display(), "the log's writer had panicked");
        }
    }
}

fn request(
    session: SessionId,
    facts: Vec<(SessionTime, Fact)>,
) -> (Append, oneshot::Receiver<Result<Vec<u64>, LogError>>) {
    let rows = facts
        .into_iter()
        .map(|(at, fact)| NewRow {
            at,
            body: record::encode(&fact),
            own: match &fact {
                Fact::Said { participant, .. }
                | Fact::Unheard { participant, .. }
                | Fact::Posted { participant, .. }
                | Fact::Wrote { participant, .. }
                | Fact::Typed { participant, .. } => Some(*participant),
                _ => None,
            },
            change: match fact {
                Fact::Opened { title, language, unix_ms } => {
                    Change::Open { title, language, unix_ms }
                }
                Fact::BelongsTo { tenant } => Change::Belong(tenant),
                Fact::Ended => Change::End,
                Fact::Struck { participant, span } => Change::Strike { participant, span },
                Fact::Ideas(ideas::Change::Struck { idea, by }) => {
                    Change::StrikeIdea { whose: Some(by), idea }
                }
                // Nobody sees it any more, so its words are kept for nobody.
                Fact::Ideas(ideas::Change::Removed { idea, .. }) => {
                    Change::StrikeIdea { whose: None, idea }
                }
                _ => Change::None,
            },
        })
        .collect();
    let (reply, answer) = oneshot::channel();
    (Append { session, rows, reply }, answer)
}

fn alteration<T: Send + 'static>(
    erases: bool,
    change: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
) -> (Request, oneshot::Receiver<rusqlite::Result<T>>) {
    let (reply, answer) = oneshot::channel();
    let change = move |connection: &mut Connection| -> Told {
        let done = change(connection);
        // Who no longer waits is not told.
        Box::new(move || _ = reply.send(done))
    };
    (Request::Alter(Alteration { erases, change: Box::new(change) }), answer)
}

/// The one who writes: owns the only connection that can.
struct Writer {
    connection: Connection,
    path: PathBuf,
    told: watch::Sender<u64>,
    /// Erased words may still lie in the write-ahead log.
    owes_erasing: bool,
}

impl Writer {
    /// Until every sender is gone and the queue is empty.
    fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        self.erase_from_wal(BUSY_MS);
        let mut next = self.next(&mut queue);
        while let Some(request) = next.take() {
            match request {
                Request::Alter(it) => self.alter(it),
                Request::Append(first) => next = self.append(first, &mut queue),
            }
            next = next.or_else(|| self.next(&mut queue));
        }
    }

    /// Waits for a request. Erased words do not wait for one: until the write-ahead log is clear of
    /// them, it is tried again and again.
    fn next(&mut self, queue: &mut mpsc::Receiver<Request>) -> Option<Request> {
        while self.owes_erasing {
            match queue.try_recv() {
                Ok(request) => return Some(request),
                // The last connection that closes clears it.
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => {
                    thread::park_timeout(Duration::from_millis(ERASE_AGAIN_MS));
                    self.erase_from_wal(0);
                }
            }
        }
        queue.blocking_recv()
    }

    fn alter(&mut self, Alteration { erases, change }: Alteration) {
        let tell = change(&mut self.connection);
        // Whether or not it says that it could: half of a change may lie there.
        self.owes_erasing |= erases;
        self.erase_from_wal(if erases { BUSY_MS } else { 0 });
        tell();
    }

    /// Commits it with all that waits behind it; what is not an append comes back.
    fn append(&mut self, first: Append, queue: &mut mpsc::Receiver<Request>) -> Option<Request> {
        let mut facts = first.rows.len();
        let mut batch = vec![first];
        let mut other = None;
        while facts < BATCH_FACTS_MAX
            && let Ok(next) = queue.try_recv()
        {
            match next {
                Request::Append(next) => {
                    facts += next.rows.len();
                    batch.push(next);
                }
                next @ Request::Alter(_) => {
                    other = Some(next);
                    break;
                }
            }
        }
        self.commit(batch);
        other
    }

    /// Takes out of the write-ahead log what has been erased from the file. While somebody reads, it
    /// waits for them `patience_ms`; then it is tried again later, and nobody else waits for it.
    fn erase_from_wal(&mut self, patience_ms: u64) {
        if !self.owes_erasing {
            return;
        }
        let connection = &self.connection;
        let wait = |ms| connection.busy_timeout(Duration::from_millis(ms));
        let busy = wait(patience_ms).and_then(|()| {
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0))
        });
        let waits_again = wait(BUSY_MS);
        match busy.and_then(|busy| waits_again.map(|()| busy)) {
            Ok(busy) => self.owes_erasing = busy,
            Err(error) => tracing::warn!(%error, "erased words are still in the write-ahead log"),
        }
    }

    fn commit(&mut self, batch: Vec<Append>) {
        let strikes = |it: &NewRow| {
            matches!(it.change, Change::Strike { .. } | Change::StrikeIdea { .. } | Change::End)
        };
        let strikes = batch.iter().flat_map(|it| &it.rows).any(strikes);
        self.owes_erasing |= strikes;
        let written = write(&mut self.connection, &batch);
        self.erase_from_wal(if strikes { BUSY_MS } else { 0 });
        match written {
            Ok(answers) => {
                let last = answers.iter().flatten().flatten().max().copied();
                self.told.send_if_modified(|told| match last {
                    Some(last) => std::mem::replace(told, last) != last,
                    None => false,
                });
                for (append, answer) in batch.into_iter().zip(answers) {
                    // Who no longer waits is not told.
                    let _ = append.reply.send(answer);
                }
            }
            Err(error) => {
                let error = classify("writing", &self.path, error);
                tracing::error!(%error, appends = batch.len(), "facts could not be kept");
                for append in batch {
                    let _ = append.reply.send(Err(error.clone()));
                }
            }
        }
    }
}

/// Makes of each `Said` of a person in a stretch of time an `Unheard`, so that no place in the log is
/// empty and it stays known that somebody spoke then.
struct Strike<'a> {
    find: Statement<'a>,
    replace: Statement<'a>,
}

impl<'a> Strike<'a> {
    fn prepare(connection: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            // Words are written down some seconds after they were said; nothing older can share time.
            find: connection.prepare(
                "SELECT seq, version, body FROM records
                 WHERE session = ?1 AND at_ms >= ?2 AND json_extract(body, '$.kind') = 'said'",
            )?,
            replace: connection
                .prepare("UPDATE records SET version = ?2, body = ?3 WHERE seq = ?1")?,
        })
    }

    fn execute(
        &mut self,
        session: &str,
        striker: ParticipantId,
        struck: Span,
    ) -> rusqlite::Result<Gone> {
        let found = self
            .find
            .query_map(params![session, struck.start.as_ms().cast_signed()], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?, row.get::<_, String>(2)?))
            })?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let mut gone = Gone::default();
        for (seq, version, body) in found {
            // What cannot be read cannot be struck; it stops no other.
            let Ok(Fact::Said { participant, room, span, text, .. }) =
                record::decode(version, &body)
            else {
                continue;
            };
            if participant == striker && span.overlaps(struck) {
                gone.add(seq, &text);
                let reason = GapReason::Struck;
                let body = record::encode(&Fact::Unheard { participant, room, span, reason });
                self.replace.execute(params![seq, record::VERSION, body])?;
            }
        }
        Ok(gone)
    }
}

/// Writes the batch in one transaction. The outer error means that nothing of it was written; an
/// inner one, that this append was refused and the others were not.
fn write(
    connection: &mut Connection,
    batch: &[Append],
) -> rusqlite::Result<Vec<Result<Vec<u64>, LogError>>> {
    // Dropped without commit, it rolls back.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut answers = Vec::with_capacity(batch.len());
    {
        let mut known = transaction.prepare("SELECT ended FROM sessions WHERE id = ?1")?;
        let mut erased = transaction.prepare(
            "SELECT 1 FROM checks WHERE session = ?1 AND participant = ?2 AND how = 'erased'",
        )?;
        let mut open = transaction.prepare(
            "INSERT INTO sessions (id, title, language, opened_unix_ms, pseudonym_key)
             VALUES (?1, ?2, ?3, ?4, randomblob(32))",
        )?;
        let mut belong = transaction.prepare("UPDATE sessions SET tenant = ?2 WHERE id = ?1")?;
        let mut end = transaction.prepare("UPDATE sessions SET ended = 1 WHERE id = ?1")?;
        let mut strike = Strike::prepare(&transaction)?;
        let mut keep = transaction.prepare(
            "INSERT INTO records (session, at_ms, version, body) VALUES (?1, ?2, ?3, ?4)",
        )?;
        for append in batch {
            let id = append.session.to_string();
            let ended: Option<bool> = known.query_row([&id], |row| row.get(0)).optional()?;
            if let Some(refusal) = refusal(append, ended.is_some()) {
                answers.push(Err(refusal));
                continue;
            }
            let mut seqs = Vec::with_capacity(append.rows.len());
            for row in &append.rows {
                // Words on their way when the session ended may come after their person was erased.
                if let Some(own) = row.own.filter(|_| ended == Some(true))
                    && erased.exists(params![id, own.0])?
                {
                    continue;
                }
                match &row.change {
                    Change::Open { title, language, unix_ms } => {
                        open.execute(params![id, title, language.code(), unix_ms.cast_signed()])?;
                    }
                    Change::Belong(tenant) => {
                        belong.execute(params![id, tenant.as_str()])?;
                    }
                    Change::End => {
                        end.execute([&id])?;
                        forget_typed(&transaction, append.session)?;
                    }
                    Change::Strike { participant, span } => {
                        let gone = strike.execute(&id, *participant, *span)?;
                        gone.settle(&transaction, append.session)?;
                    }
                    Change::StrikeIdea { whose, idea } => {
                        strike_idea(&transaction, append.session, *whose, *idea)?;
                    }
                    Change::None => {}
                }
                let at_ms = row.at.as_ms().cast_signed();
                let seq = keep.insert(params![id, at_ms, record::VERSION, row.body])?;
                seqs.push(seq.cast_unsigned());
            }
            answers.push(Ok(seqs));
        }
    }
    transaction.commit()?;
    Ok(answers)
}

/// A session begins with `Opened`, and has only one of it.
fn refusal(append: &Append, is_open: bool) -> Option<LogError> {
    let session = append.session;
    let opens = |row: &NewRow| matches!(row.change, Change::Open { .. });
    let mut rows = append.rows.iter();
    if !is_open && !rows.next().is_none_or(opens) {
        return Some(LogError::NotOpened { session });
    }
    rows.any(opens).then_some(LogError::AlreadyOpened { session })
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

/// Makes the folder and the file, and takes the log for this process alone.
fn lock(path: &Path) -> Result<File, LogError> {
    let io = |error: io::Error| match error.kind() {
        io::ErrorKind::StorageFull => LogError::DiskFull { path: path.to_owned() },
        _ => not_writable(path, &error),
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        fs::create_dir_all(folder).map_err(io)?;
    }
    let lock = own_file(&path.with_extension("lock")).map_err(io)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(LogError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => return Err(io(error)),
    }
    own_file(path).map_err(io)?;
    // A new file survives a power cut only when its folder has been written too.
    File::open(folder.unwrap_or(Path::new("."))).and_then(|it| it.sync_all()).map_err(io)?;
    Ok(lock)
}

/// Opens a file for writing, or makes it so that only this user can read it: it will hold what
/// people said. SQLite gives its own files beside it the same rights.
fn own_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let reader = Connection::open_with_flags(path, flags)?;
    reader.busy_timeout(Duration::from_millis(BUSY_MS))?;
    Ok(reader)
}

/// Sets how the connection writes, and brings the schema to this program's version.
fn prepare(connection: &mut Connection, path: &Path) -> Result<(), LogError> {
    let said = |error| classify("opening", path, error);
    connection.busy_timeout(Duration::from_millis(BUSY_MS)).map_err(said)?;
    let found: u32 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(said)?;
    let known = MIGRATIONS.len() as u32;
    if found > known {
        return Err(LogError::NewerSchema { path: path.to_owned(), found, known });
    }
    // FULL and not NORMAL: in WAL mode NORMAL may lose acknowledged commits when power fails.
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA secure_delete = ON;
             PRAGMA foreign_keys = ON;",
        )
        .map_err(said)?;

    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(said)?;
    for step in MIGRATIONS.iter().skip(found as usize) {
        transaction.execute_batch(step).map_err(said)?;
    }
    transaction.pragma_update(None, "user_version", known).map_err(said)?;
    transaction.commit().map_err(said)
}

fn not_writable(path: &Path, error: &io::Error) -> LogError {
    LogError::NotWritable { path: path.to_owned(), reason: error.to_string() }
}

fn classify(doing: &'static str, path: &Path, error: rusqlite::Error) -> LogError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => LogError::DiskFull { path },
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            LogError::NotWritable { path, reason: error.to_string() }
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            LogError::Damaged { path, reason: error.to_string() }
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => LogError::InUse { path },
        _ => LogError::Sqlite { doing, path, source: Arc::new(error) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{fact::Consent, ids::RoomId};

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
}
