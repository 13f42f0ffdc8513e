//! The one thread that writes: takes all that waits into one transaction, answers when the disk has
//! answered, and clears the write-ahead log of what has been erased. It decides nothing about facts but
//! what they mean to the table of sessions and to words that are taken back.

use std::{path::PathBuf, thread, time::Duration};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use tokio::sync::{
    mpsc::{self, error::TryRecvError},
    oneshot, watch,
};

use super::{
    error::{LogError, classify},
    schema::BUSY_MS,
};
use crate::{
    domain::{
        fact::Fact,
        ideas::{self, IdeaId},
        ids::{ParticipantId, SessionId, TenantId},
        language::Language,
        time::{SessionTime, Span},
    },
    notes::{
        driver::striking::{forget_typed, strike_idea, strike_said},
        engine::record,
    },
};

/// Facts in one transaction. A bound on how long the first of them waits for the last.
const BATCH_FACTS_MAX: usize = 4_096;

/// How long until erased words that could not be cleared from the write-ahead log are tried again, in
/// ms. Appends wait that long at most, and only while somebody reads for seconds.
const ERASE_AGAIN_MS: u64 = 250;

/// One request to the writer.
pub(super) enum Request {
    Append(Append),
    /// Something else that writes, in the order of asking.
    Alter(Alteration),
}

pub(super) struct Alteration {
    /// Whether it leaves words in the write-ahead log that are to be in no file.
    erases: bool,
    change: Box<dyn FnOnce(&mut Connection) -> Told + Send>,
}

/// Tells whoever asked what came of it.
type Told = Box<dyn FnOnce() + Send>;

#[derive(Debug)]
pub(super) struct Append {
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

pub(super) fn request(
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

pub(super) fn alteration<T: Send + 'static>(
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
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    pub(super) told: watch::Sender<u64>,
    /// Erased words may still lie in the write-ahead log.
    pub(super) owes_erasing: bool,
}

impl Writer {
    /// Until every sender is gone and the queue is empty.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Request>) {
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

/// Writes the batch in one transaction. The outer error means that nothing of it was written; an
/// inner one, that this append was refused and the others were not.
pub(super) fn write(
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
                        strike_said(&transaction, append.session, *participant, *span)?;
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
