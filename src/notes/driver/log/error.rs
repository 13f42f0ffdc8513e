//! Why the log could not do what was asked of it, in words of ours. It never says what a record holds.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rusqlite::ErrorCode;

use crate::{domain::ids::SessionId, notes::engine::record::RecordError};

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
    /// Another process has this log open, or holds its file for longer than anybody waits.
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

pub(super) fn not_writable(path: &Path, error: &io::Error) -> LogError {
    LogError::NotWritable { path: path.to_owned(), reason: error.to_string() }
}

pub(super) fn classify(doing: &'static str, path: &Path, error: rusqlite::Error) -> LogError {
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
