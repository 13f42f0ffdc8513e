//! What leaves the log inside one transaction: words that are struck while their session goes on, and
//! all that repeats them in what reviewers have said. It commits nothing, and clears no file: who calls
//! it does.

use std::collections::BTreeSet;

use rusqlite::{Connection, Transaction, params};

use crate::{
    domain::{
        fact::{CommentOn, Fact, GapReason},
        ideas::IdeaId,
        ids::{ParticipantId, SessionId},
        time::Span,
    },
    notes::engine::{
        erasure::{IDEA, corrected, idea_and_writer, own_text, sheet_text},
        quotes::Quotes,
        record,
    },
};

/// Lines that are gone, or stand in other words now.
#[derive(Debug, Default)]
pub(super) struct Gone {
    /// Places in the log: comments on them go too.
    lines: BTreeSet<u64>,
    /// What other comments may not repeat.
    quotes: Quotes,
}

impl Gone {
    pub(super) fn add(&mut self, seq: i64, text: &str) {
        self.lines.insert(seq.cast_unsigned());
        self.quotes.add(text);
    }

    /// What is left of a sheet is the line that it was; of anything else nothing is left to comment on.
    pub(super) fn take(&mut self, seq: i64, own: &str, left: Option<&str>) {
        match left.and_then(sheet_text) {
            Some(left) => self.change(own, &left),
            None => self.add(seq, own),
        }
    }

    /// The line stands there still; only these words of it do not.
    pub(super) fn change(&mut self, text: &str, other: &str) {
        self.quotes.add(text);
        self.quotes.keep(other);
    }

    /// Takes out of what reviewers have said in a session what they may not say any more.
    pub(super) fn settle(
        &self,
        connection: &Connection,
        session: SessionId,
    ) -> rusqlite::Result<()> {
        let sql = "SELECT seq, version, body FROM records
                   WHERE session = ?1 AND 0 < instr(body, '\"commented\"')
                   AND CASE WHEN json_valid(body) THEN json_extract(body, '$.kind') = 'commented' END";
        let mut select = connection.prepare(sql)?;
        let rows = select
            .query_map([session.to_string()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        for row in rows.collect::<rusqlite::Result<Vec<(i64, u32, String)>>>()? {
            let (seq, version, body) = row;
            // What cannot be read may repeat anything.
            let Ok(Fact::Commented { on, name, unix_ms, text }) = record::decode(version, &body)
            else {
                delete(connection, seq)?;
                continue;
            };
            if matches!(&on, CommentOn::Entry(entry) if self.lines.contains(entry)) {
                delete(connection, seq)?;
            } else if let Some(text) = self.quotes.cut(&text) {
                let fact = Fact::Commented { on, name, unix_ms, text };
                replace(connection, seq, &record::encode(&fact))?;
            }
        }
        Ok(())
    }
}

/// Makes of each `Said` of a person in a stretch of time an `Unheard`, so that no place in the log is
/// empty and it stays known that somebody spoke then.
pub(super) fn strike_said(
    connection: &Connection,
    session: SessionId,
    striker: ParticipantId,
    struck: Span,
) -> rusqlite::Result<()> {
    // Words are written down some seconds after they were said; nothing older can share time. A body
    // that is none stops nobody from taking words back.
    let sql = "SELECT seq, version, body FROM records WHERE session = ?1 AND at_ms >= ?2
               AND CASE WHEN json_valid(body) THEN json_extract(body, '$.kind') = 'said' END";
    let mut select = connection.prepare(sql)?;
    let since = params![session.to_string(), struck.start.as_ms().cast_signed()];
    let rows = select.query_map(since, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let mut gone = Gone::default();
    for (seq, version, body) in rows.collect::<rusqlite::Result<Vec<(i64, u32, String)>>>()? {
        // What cannot be read cannot be struck; it stops no other.
        let Ok(Fact::Said { participant, room, span, text, .. }) = record::decode(version, &body)
        else {
            continue;
        };
        if participant == striker && span.overlaps(struck) {
            gone.add(seq, &text);
            let reason = GapReason::Struck;
            let body = record::encode(&Fact::Unheard { participant, room, span, reason });
            let sql = "UPDATE records SET version = ?2, body = ?3 WHERE seq = ?1";
            connection.execute(sql, params![seq, record::VERSION, body])?;
        }
    }
    gone.settle(connection, session)
}

/// The words of an idea go while its session is on; that it was there stays. `whose`: the words of this
/// person alone; `None`: everybody's, for the idea itself has been removed.
pub(super) fn strike_idea(
    transaction: &Transaction<'_>,
    session: SessionId,
    whose: Option<ParticipantId>,
    idea: IdeaId,
) -> rusqlite::Result<()> {
    let mut gone = Gone::default();
    for (seq, body) in records_of_idea(transaction, session, whose, u64::from(idea.0))? {
        let Some((_, writer)) = idea_and_writer(&body) else { continue };
        gone.add(seq, &own_text(&body, writer).unwrap_or_default());
        if let Some(other) = corrected(&body, writer, "") {
            replace(transaction, seq, &other)?;
        }
    }
    gone.settle(transaction, session)
}

/// The records in which this person, or anybody, has put it into words.
pub(super) fn records_of_idea(
    transaction: &Transaction<'_>,
    session: SessionId,
    whose: Option<ParticipantId>,
    idea: u64,
) -> rusqlite::Result<Vec<(i64, String)>> {
    // Most records have nothing to do with ideas, and whoever writes waits for this: they are passed over
    // before anybody reads them.
    let sql = "SELECT seq, body FROM records WHERE session = ?1 AND 0 < instr(body, ?2)";
    let mut select = transaction.prepare(sql)?;
    let kind = format!("\"{IDEA}\"");
    let rows = select
        .query_map(params![session.to_string(), kind], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut found = rows.collect::<rusqlite::Result<Vec<(i64, String)>>>()?;
    let wanted = |(of, writer)| of == idea && whose.is_none_or(|it| it == writer);
    found.retain(|it| idea_and_writer(&it.1).is_some_and(wanted));
    Ok(found)
}

/// How the sheets of a session came to be, letter by letter, also what nobody has left on them: it is
/// needed while the session goes on, and nobody is to read it afterwards.
pub(super) fn forget_typed(
    transaction: &Transaction<'_>,
    session: SessionId,
) -> rusqlite::Result<()> {
    // A body that is none stops no session from ending.
    let sql = "DELETE FROM records WHERE session = ?1
               AND CASE WHEN json_valid(body) THEN json_extract(body, '$.kind') = 'typed' END";
    transaction.execute(sql, [session.to_string()]).map(|_| ())
}

pub(super) fn replace(connection: &Connection, seq: i64, body: &str) -> rusqlite::Result<()> {
    let sql = "UPDATE records SET body = ?2 WHERE seq = ?1";
    connection.execute(sql, params![seq, body]).map(|_| ())
}

pub(super) fn delete(connection: &Connection, seq: i64) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM records WHERE seq = ?1", [seq]).map(|_| ())
}
