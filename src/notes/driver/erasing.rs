//! Taking out of the log what people take back, and whole sessions when their time is over. What is
//! taken out is overwritten in the file and gone from the files beside it when the answer comes; that
//! it happened stays, what it was does not. What the index then still holds is written down in the
//! same transaction as its debt, so that it is paid also after a crash.
//!
//! `secure_delete` overwrites a deleted row with zeros in its page; the old pages lie in the WAL until
//! a checkpoint that empties it, which is why each of these is followed by one.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::{
    domain::{
        fact::Fact,
        ids::{ParticipantId, SessionId},
        method::Harvest,
    },
    notes::{
        driver::log::{Log, LogError},
        engine::{
            codes::code,
            erasure::{After, Erasing, Phases, corrected, idea_of, is_own, is_sound},
            record,
        },
    },
};

/// Milliseconds of a day.
const DAY_MS: u64 = 24 * 3_600 * 1_000;

/// Days for which it stays known who opened or took away what.
const ACCESSES_KEPT_DAYS: u64 = 730;

/// How a person has checked what is kept of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Corrected,
    Struck,
    NameWithdrawn,
    Approved,
    /// All of it was taken out.
    Erased,
}

impl How {
    const ALL: [How; 5] =
        [How::Corrected, How::Struck, How::NameWithdrawn, How::Approved, How::Erased];

    pub fn code(self) -> &'static str {
        match self {
            How::Corrected => "corrected",
            How::Struck => "struck",
            How::NameWithdrawn => "name-withdrawn",
            How::Approved => "approved",
            How::Erased => "erased",
        }
    }
}

/// One check, without a word of what it was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    pub participant: ParticipantId,
    pub unix_ms: u64,
    pub how: How,
    /// The place of the line, where it was about one.
    pub seq: Option<u64>,
}

/// A session whose time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    pub session: SessionId,
    /// When the last thing happened in it, in ms since 1970.
    pub last_unix_ms: u64,
    /// `None`: as the server keeps sessions.
    pub keep_days: Option<u32>,
}

impl Kept {
    /// Whether it is to go now. `usual_days`: where nothing was chosen.
    pub fn is_over(&self, now_unix_ms: u64, usual_days: u32) -> bool {
        let days = u64::from(self.keep_days.unwrap_or(usual_days));
        self.last_unix_ms.saturating_add(days.saturating_mul(DAY_MS)) <= now_unix_ms
    }
}

impl Log {
    /// Takes a person's name out of a session, wherever it stands in it, and with `words` also all
    /// that they said and wrote. `false`: nobody there has that number.
    pub async fn take_back(
        &self,
        session: SessionId,
        participant: ParticipantId,
        words: bool,
        unix_ms: u64,
    ) -> Result<bool, LogError> {
        let how = if words { How::Erased } else { How::NameWithdrawn };
        let check = Check { participant, unix_ms, how, seq: None };
        self.alter_erasing(move |connection| {
            in_one(connection, session, |transaction| {
                let known = take_back(transaction, session, participant, words)?;
                if known {
                    note(transaction, session, check)?;
                }
                Ok(known)
            })
        })
        .await
    }

    /// Puts another text in the place of something this person said or wrote; `None` strikes it. Their
    /// older texts on the same paper go with it. `false`: it is not theirs, or not there.
    pub async fn correct(
        &self,
        session: SessionId,
        participant: ParticipantId,
        seq: u64,
        text: Option<String>,
        unix_ms: u64,
    ) -> Result<bool, LogError> {
        let how = if text.is_some() { How::Corrected } else { How::Struck };
        let check = Check { participant, unix_ms, how, seq: Some(seq) };
        self.alter_erasing(move |connection| {
            in_one(connection, session, |transaction| {
                let done = correct(transaction, session, participant, seq, text.as_deref())?;
                if done {
                    note(transaction, session, check)?;
                }
                Ok(done)
            })
        })
        .await
    }

    /// Keeps that a person has seen what is kept of them and lets it stand.
    pub async fn approve(
        &self,
        session: SessionId,
        participant: ParticipantId,
        unix_ms: u64,
    ) -> Result<(), LogError> {
        let check = Check { participant, unix_ms, how: How::Approved, seq: None };
        self.alter("writing", move |connection| note(connection, session, check)).await
    }

    /// What has been checked in a session, in order. Blocks.
    pub fn checks(&self, session: SessionId) -> Result<Vec<Check>, LogError> {
        self.with_reader(|reader| {
            let sql = "SELECT participant, unix_ms, how, seq FROM checks WHERE session = ?1
                       ORDER BY rowid";
            let mut statement = reader.prepare(sql)?;
            let rows = statement.query_map([session.to_string()], |row| {
                let (unix_ms, how, seq): (i64, String, Option<i64>) =
                    (row.get(1)?, row.get(2)?, row.get(3)?);
                let how = How::ALL.into_iter().find(|it| it.code() == how);
                Ok(how.map(|how| (unix_ms, how, seq)).zip(Some(row.get::<_, u32>(0)?)))
            })?;
            let check =
                |((unix_ms, how, seq), participant): ((i64, How, Option<i64>), u32)| Check {
                    participant: ParticipantId(participant),
                    unix_ms: unix_ms.cast_unsigned(),
                    how,
                    seq: seq.map(i64::cast_unsigned),
                };
            rows.map(|it| it.map(|it| it.map(check))).filter_map(Result::transpose).collect()
        })
    }

    /// For how long a session is kept after the last thing that happened in it.
    pub async fn set_keep_days(&self, session: SessionId, days: u32) -> Result<(), LogError> {
        self.alter("writing", move |connection| {
            let sql = "UPDATE sessions SET keep_days = ?2 WHERE id = ?1";
            connection.execute(sql, params![session.to_string(), days]).map(|_| ())
        })
        .await
    }

    /// `None`: as the server keeps sessions, or there is none. Blocks.
    pub fn keep_days(&self, session: SessionId) -> Result<Option<u32>, LogError> {
        self.with_reader(|reader| {
            let sql = "SELECT keep_days FROM sessions WHERE id = ?1";
            let days = reader.query_row(sql, [session.to_string()], |row| row.get(0)).optional()?;
            Ok(days.flatten())
        })
    }

    /// Every session, with what says how long it stays. Blocks.
    pub fn kept(&self) -> Result<Vec<Kept>, LogError> {
        self.with_reader(|reader| {
            let sql = "SELECT id, opened_unix_ms, keep_days,
                       (SELECT max(at_ms) FROM records WHERE session = id) FROM sessions";
            let mut statement = reader.prepare(sql)?;
            let rows = statement.query_map([], |row| {
                let (id, opened, last): (String, i64, Option<i64>) =
                    (row.get(0)?, row.get(1)?, row.get(3)?);
                let last_unix_ms = opened.cast_unsigned() + last.unwrap_or(0).cast_unsigned();
                Ok(id.parse().ok().map(|session| (session, last_unix_ms)).zip(Some(row.get(2)?)))
            })?;
            let kept =
                |((session, last_unix_ms), keep_days)| Kept { session, last_unix_ms, keep_days };
            rows.map(|it| it.map(|it| it.map(kept))).filter_map(Result::transpose).collect()
        })
    }

    /// Takes a whole session out; only who opened or took away something of it stays known, and goes
    /// in its own time.
    pub async fn purge(&self, session: SessionId, unix_ms: u64) -> Result<(), LogError> {
        self.alter_erasing(move |connection| {
            in_one(connection, session, |transaction| {
                let id = session.to_string();
                transaction.execute("DELETE FROM records WHERE session = ?1", [&id])?;
                transaction.execute("DELETE FROM sessions WHERE id = ?1", [&id])?;
                let kept_ms = ACCESSES_KEPT_DAYS * DAY_MS;
                let before = unix_ms.saturating_sub(kept_ms).cast_signed();
                transaction.execute("DELETE FROM accesses WHERE unix_ms < ?1", [before])?;
                let sql = "INSERT INTO accesses (session, unix_ms, who, what)
                           VALUES (?1, ?2, 'server', 'purge')";
                transaction.execute(sql, params![id, unix_ms.cast_signed()])?;
                Ok(true)
            })
        })
        .await
        .map(|_| ())
    }

    /// Sessions out of which something was taken and that the index has not read again since, each
    /// with the number of its last taking. Blocks.
    pub fn debts(&self) -> Result<BTreeMap<SessionId, u64>, LogError> {
        self.with_reader(|reader| {
            let sql = "SELECT session, max(id) FROM debts GROUP BY session";
            let mut statement = reader.prepare(sql)?;
            let rows = statement.query_map([], |row| {
                let (session, last): (String, i64) = (row.get(0)?, row.get(1)?);
                Ok(session.parse().ok().zip(Some(last.cast_unsigned())))
            })?;
            rows.filter_map(Result::transpose).collect()
        })
    }

    /// The index has read the session again since the taking with that number. Nobody waits for it: a
    /// debt that stays by a mischance is paid once more.
    pub fn pay(&self, session: SessionId, last: u64) -> Result<(), LogError> {
        self.alter_later(move |connection| {
            let sql = "DELETE FROM debts WHERE session = ?1 AND id <= ?2";
            connection.execute(sql, params![session.to_string(), last.cast_signed()]).map(|_| ())
        })
    }
}

/// Does it whole or not at all. What it takes out, the index owes from then on.
fn in_one(
    connection: &mut Connection,
    session: SessionId,
    change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<bool>,
) -> rusqlite::Result<bool> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let changed = change(&transaction)?;
    if changed {
        let sql = "INSERT INTO debts (session) VALUES (?1)";
        transaction.execute(sql, [session.to_string()])?;
    }
    transaction.commit()?;
    Ok(changed)
}

fn take_back(
    transaction: &Transaction<'_>,
    session: SessionId,
    participant: ParticipantId,
    words: bool,
) -> rusqlite::Result<bool> {
    let id = session.to_string();
    let key = transaction
        .query_row("SELECT pseudonym_key FROM sessions WHERE id = ?1", [&id], |row| row.get(0))
        .optional()?;
    let Some(key) = key else { return Ok(false) };
    let mut select =
        transaction.prepare("SELECT seq, version, body FROM records WHERE session = ?1")?;
    let rows = select.query_map([&id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let rows = rows.collect::<rusqlite::Result<Vec<(i64, u32, String)>>>()?;
    let bodies = rows.iter().map(|it| it.2.as_str());
    let erasing = Erasing::new(participant, &code(&key, participant), words, bodies);
    if !erasing.is_known() {
        return Ok(false);
    }
    for (seq, version, body) in &rows {
        match erasing.of(body) {
            After::Becomes(other) if is_sound(*version, &other) => {
                replace(transaction, *seq, &other)?
            }
            After::Becomes(_) | After::Goes => delete(transaction, *seq)?,
            After::Stays => {}
        }
    }
    let title: String =
        transaction
            .query_row("SELECT title FROM sessions WHERE id = ?1", [&id], |row| row.get(0))?;
    if let Some(other) = erasing.text(&title) {
        transaction.execute("UPDATE sessions SET title = ?2 WHERE id = ?1", [&id, &other])?;
    }
    Ok(true)
}

fn correct(
    transaction: &Transaction<'_>,
    session: SessionId,
    participant: ParticipantId,
    seq: u64,
    text: Option<&str>,
) -> rusqlite::Result<bool> {
    let seq = i64::try_from(seq).unwrap_or(i64::MAX);
    let sql = "SELECT body FROM records WHERE seq = ?1 AND session = ?2";
    let kept = params![seq, session.to_string()];
    let body: Option<String> = transaction.query_row(sql, kept, |row| row.get(0)).optional()?;
    let Some(body) = body.filter(|it| is_own(it, participant)) else { return Ok(false) };
    if let Some(idea) = idea_of(&body, participant) {
        rewrite_idea(transaction, session, (participant, idea), (seq, text.unwrap_or_default()))?;
        return Ok(true);
    }
    let paper = paper(transaction, session, participant, seq)?;
    for draft in paper.drafts {
        delete(transaction, draft)?;
    }
    // On a paper an empty text stays, so that no older one takes its place again.
    let text = text.or(paper.is_one.then_some(""));
    match text.and_then(|text| corrected(&body, participant, text)) {
        Some(other) => replace(transaction, seq, &other)?,
        None => delete(transaction, seq)?,
    }
    Ok(true)
}

/// What somebody wrote before on the paper that a record is written on.
#[derive(Default)]
struct Paper {
    /// Whether a later text takes the place of an older one there.
    is_one: bool,
    /// Their own older texts.
    drafts: Vec<i64>,
}

fn paper(
    transaction: &Transaction<'_>,
    session: SessionId,
    participant: ParticipantId,
    seq: i64,
) -> rusqlite::Result<Paper> {
    let sql = "SELECT seq, version, body FROM records WHERE session = ?1 AND seq <= ?2
               AND json_extract(body, '$.kind') IN ('method-began', 'step-began', 'wrote')
               ORDER BY seq";
    let mut select = transaction.prepare(sql)?;
    let mut rows = select.query(params![session.to_string(), seq])?;
    let mut phase = Phases::default();
    // Of each place in which the person wrote.
    let mut drafts: BTreeMap<_, Vec<i64>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (at, version, body): (i64, u32, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let Ok(fact) = record::decode(version, &body) else { continue };
        phase.apply(&fact);
        let Fact::Wrote { participant: by, room, .. } = fact else { continue };
        if by != participant {
            continue;
        }
        let before = drafts.entry(phase.paper(room)).or_default();
        if at == seq {
            let is_one = phase.harvest() != Some(Harvest::Topics);
            let drafts = if is_one { std::mem::take(before) } else { Vec::new() };
            return Ok(Paper { is_one, drafts });
        }
        before.push(at);
    }
    Ok(Paper::default())
}

/// An idea keeps its place in the chain: the record of its last words has others or none, and those
/// of its earlier words, which would come up in their stead, have none.
fn rewrite_idea(
    transaction: &Transaction<'_>,
    session: SessionId,
    (participant, idea): (ParticipantId, u64),
    (seq, text): (i64, &str),
) -> rusqlite::Result<()> {
    let sql = "SELECT seq, body FROM records WHERE session = ?1";
    let mut select = transaction.prepare(sql)?;
    let rows = select.query_map([session.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for row in rows.collect::<rusqlite::Result<Vec<(i64, String)>>>()? {
        let (at, body) = row;
        if idea_of(&body, participant) != Some(idea) {
            continue;
        }
        let text = if at == seq { text } else { "" };
        if let Some(other) = corrected(&body, participant, text) {
            replace(transaction, at, &other)?;
        }
    }
    Ok(())
}

fn replace(transaction: &Transaction<'_>, seq: i64, body: &str) -> rusqlite::Result<()> {
    let sql = "UPDATE records SET body = ?2 WHERE seq = ?1";
    transaction.execute(sql, params![seq, body]).map(|_| ())
}

fn delete(transaction: &Transaction<'_>, seq: i64) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM records WHERE seq = ?1", [seq]).map(|_| ())
}

fn note(connection: &Connection, session: SessionId, check: Check) -> rusqlite::Result<()> {
    let Check { participant, unix_ms, how, seq } = check;
    let sql = "INSERT INTO checks (session, participant, unix_ms, how, seq)
               SELECT id, ?2, ?3, ?4, ?5 FROM sessions WHERE id = ?1";
    let seq = seq.map(u64::cast_signed);
    let kept = params![session.to_string(), participant.0, unix_ms.cast_signed(), how.code(), seq];
    connection.execute(sql, kept).map(|_| ())
}
