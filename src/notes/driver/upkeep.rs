//! What is kept about a session beside its records: for how long, the key of its pseudonyms, and who
//! has opened or taken away what. Never a word that was said.

use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    domain::ids::SessionId,
    notes::{
        driver::log::{Log, LogError},
        engine::codes::Key,
    },
};

/// Entries of one session's access log that are shown; older ones stay in the file.
const ACCESSES_SHOWN: u32 = 1_000;

/// Somebody has opened or taken away something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    pub unix_ms: u64,
    /// A role, with a mark of the link by which they came: links are handed on, names are not known.
    pub who: String,
    pub what: String,
}

impl Log {
    /// What a session's pseudonyms are made with. `None`: there is no such session. Blocks.
    pub fn pseudonym_key(&self, session: SessionId) -> Result<Option<Key>, LogError> {
        self.with_reader(|reader| {
            let sql = "SELECT pseudonym_key FROM sessions WHERE id = ?1";
            reader.query_row(sql, [session.to_string()], |row| row.get(0)).optional()
        })
    }

    /// Writes down an access. It is on disk when this returns.
    pub async fn note_access(&self, session: SessionId, access: Access) -> Result<(), LogError> {
        self.alter("writing", move |connection| insert(connection, session, access)).await
    }

    /// As `note_access`, for a thread outside tokio; panics in an asynchronous one.
    pub fn note_access_blocking(&self, session: SessionId, access: Access) -> Result<(), LogError> {
        self.alter_blocking("writing", move |connection| insert(connection, session, access))
    }

    /// The last accesses to a session, latest first. Blocks.
    pub fn accesses(&self, session: SessionId) -> Result<Vec<Access>, LogError> {
        self.with_reader(|reader| {
            let sql = "SELECT unix_ms, who, what FROM accesses WHERE session = ?1
                       ORDER BY unix_ms DESC, rowid DESC LIMIT ?2";
            let mut statement = reader.prepare(sql)?;
            let rows =
                statement.query_map(params![session.to_string(), ACCESSES_SHOWN], |row| {
                    let unix_ms: i64 = row.get(0)?;
                    let unix_ms = unix_ms.cast_unsigned();
                    Ok(Access { unix_ms, who: row.get(1)?, what: row.get(2)? })
                })?;
            rows.collect()
        })
    }
}

fn insert(connection: &Connection, session: SessionId, access: Access) -> rusqlite::Result<()> {
    let sql = "INSERT INTO accesses (session, unix_ms, who, what) VALUES (?1, ?2, ?3, ?4)";
    let Access { unix_ms, who, what } = access;
    let kept = params![session.to_string(), unix_ms.cast_signed(), who, what];
    connection.execute(sql, kept).map(|_| ())
}
