//! The file under the log: whose it is alone, its tables from version to version, and how a connection
//! to it reads and writes. Knows no facts.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::Path,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::error::{LogError, classify, not_writable};

/// How long a statement waits for another connection, in ms. Only checkpoints ever make it wait.
pub(super) const BUSY_MS: u64 = 5_000;

/// The schema, step by step: entry n brings a file from version n to n + 1. Never edited, only
/// added to.
pub(super) const MIGRATIONS: [&str; 6] = [
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

/// Makes the folder and the file, and takes the log for this process alone.
pub(super) fn lock(path: &Path) -> Result<File, LogError> {
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

pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let reader = Connection::open_with_flags(path, flags)?;
    reader.busy_timeout(Duration::from_millis(BUSY_MS))?;
    Ok(reader)
}

/// Sets how the connection writes, and brings the schema to this program's version.
pub(super) fn prepare(connection: &mut Connection, path: &Path) -> Result<(), LogError> {
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
