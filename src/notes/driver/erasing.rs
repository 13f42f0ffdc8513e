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
        driver::{
            log::{Log, LogError},
            striking::{Gone, delete, records_of_idea, replace},
        },
        engine::{
            codes::code,
            erasure::{
                After, Erasing, Phases, corrected, idea_of, is_own, is_sound, is_typed, own_text,
                without_parts,
            },
            record,
        },
    },
};

/// Milliseconds of a day.
const DAY_MS: u64 = 24 * 3_600 * 1_000;

/// Days for which it stays known who opened or took away what.
const ACCESSES_KEPT_DAYS: u64 = 730;

/// Every session with the time of its last record. That is the one in the last place, as a session's clock
/// never goes back: one row is looked at, and not all.
const KEPT: &str = "SELECT id, opened_unix_ms, keep_days,
    (SELECT at_ms FROM records WHERE session = id ORDER BY seq DESC LIMIT 1) FROM sessions";

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

    /// Takes a reviewer's comment out. `false`: there is none in that place of the session.
    pub async fn uncomment(&self, session: SessionId, seq: u64) -> Result<bool, LogError> {
        self.alter_erasing(move |connection| {
            let sql = "DELETE FROM records WHERE seq = ?1 AND session = ?2
                       AND json_extract(body, '$.kind') = 'commented'";
            let seq = i64::try_from(seq).unwrap_or(i64::MAX);
            connection.execute(sql, params![seq, session.to_string()]).map(|it| 0 < it)
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
            let mut statement = reader.prepare(KEPT)?;
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
    let mut gone = Gone::default();
    for (seq, version, body) in &rows {
        let after = erasing.of(body);
        if let Some(text) = own_text(body, participant).filter(|_| words) {
            let left = match &after {
                After::Becomes(other) => Some(other.as_str()),
                After::Goes | After::Stays => None,
            };
            gone.take(*seq, &text, left);
        }
        match after {
            After::Becomes(other) if is_sound(*version, &other) => {
                replace(transaction, *seq, &other)?
            }
            After::Becomes(_) | After::Goes => delete(transaction, *seq)?,
            After::Stays => {}
        }
    }
    gone.settle(transaction, session)?;
    hide_in_pilots(transaction, session, &erasing)?;
    let title: String =
        transaction
            .query_row("SELECT title FROM sessions WHERE id = ?1", [&id], |row| row.get(0))?;
    if let Some(other) = erasing.text(&title) {
        transaction.execute("UPDATE sessions SET title = ?2 WHERE id = ?1", [&id, &other])?;
    }
    Ok(true)
}

/// Names can be found in what people said of a method; whose words they are cannot.
fn hide_in_pilots(
    transaction: &Transaction<'_>,
    session: SessionId,
    erasing: &Erasing,
) -> rusqlite::Result<()> {
    let id = session.to_string();
    let mut select = transaction.prepare("SELECT id, line FROM pilots WHERE session = ?1")?;
    let rows = select.query_map([&id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for row in rows.collect::<rusqlite::Result<Vec<(Vec<u8>, String)>>>()? {
        if let Some(other) = erasing.text(&row.1) {
            let sql = "UPDATE pilots SET line = ?3 WHERE session = ?1 AND id = ?2";
            transaction.execute(sql, params![id, row.0, other])?;
        }
    }
    if erasing.words {
        let sql = "DELETE FROM piloted WHERE session = ?1 AND participant = ?2";
        transaction.execute(sql, params![id, erasing.participant.0])?;
    }
    Ok(())
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
    let before = own_text(&body, participant).unwrap_or_default();
    let sheet = without_parts(&body, participant, text.unwrap_or_default());
    let mut gone = Gone::default();
    match text {
        Some(text) if sheet.is_none() => gone.change(&before, text),
        _ => gone.take(seq, &before, sheet.as_deref()),
    }
    gone.settle(transaction, session)?;
    if let Some(idea) = idea_of(&body, participant) {
        rewrite_idea(transaction, session, (participant, idea), (seq, text.unwrap_or_default()))?;
        return Ok(true);
    }
    if sheet.is_some() {
        rewrite_sheets(transaction, session, participant, (seq, text.unwrap_or_default()))?;
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

/// What a person wrote on a sheet goes from every record of what lay on that table in that run, as it is
/// carried from round to round; `text` takes its place in the one they looked at. How sheets came to
/// be, letter by letter, goes whole.
fn rewrite_sheets(
    transaction: &Transaction<'_>,
    session: SessionId,
    participant: ParticipantId,
    (seq, text): (i64, &str),
) -> rusqlite::Result<()> {
    let sql = "SELECT seq, version, body FROM records WHERE session = ?1
               AND json_extract(body, '$.kind') IN ('method-began', 'step-began', 'wrote', 'typed')
               ORDER BY seq";
    let mut select = transaction.prepare(sql)?;
    let rows = select
        .query_map([session.to_string()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let mut phase = Phases::default();
    let mut sheets = Vec::new();
    let mut looked_at = None;
    for row in rows.collect::<rusqlite::Result<Vec<(i64, u32, String)>>>()? {
        let (at, version, body) = row;
        if is_typed(&body) {
            delete(transaction, at)?;
            continue;
        }
        let Ok(fact) = record::decode(version, &body) else { continue };
        phase.apply(&fact);
        let Fact::Wrote { room, .. } = fact else { continue };
        let table = (phase.run(), room);
        if at == seq {
            looked_at = Some(table);
        }
        sheets.push((table, at, version, body));
    }
    for (table, at, version, body) in sheets {
        let text = if at == seq { text } else { "" };
        let other = without_parts(&body, participant, text).filter(|_| Some(table) == looked_at);
        match other {
            Some(other) if is_sound(version, &other) => replace(transaction, at, &other)?,
            Some(_) => delete(transaction, at)?,
            None => (),
        }
    }
    Ok(())
}

/// An idea keeps its place in the chain: the record of its last words has others or none, and those
/// of its earlier words, which would come up in their stead, have none.
fn rewrite_idea(
    transaction: &Transaction<'_>,
    session: SessionId,
    (participant, idea): (ParticipantId, u64),
    (seq, text): (i64, &str),
) -> rusqlite::Result<()> {
    for (at, body) in records_of_idea(transaction, session, Some(participant), idea)? {
        let text = if at == seq { text } else { "" };
        if let Some(other) = corrected(&body, participant, text) {
            replace(transaction, at, &other)?;
        }
    }
    Ok(())
}

fn note(connection: &Connection, session: SessionId, check: Check) -> rusqlite::Result<()> {
    let Check { participant, unix_ms, how, seq } = check;
    let sql = "INSERT INTO checks (session, participant, unix_ms, how, seq)
               SELECT id, ?2, ?3, ?4, ?5 FROM sessions WHERE id = ?1";
    let seq = seq.map(u64::cast_signed);
    let kept = params![session.to_string(), participant.0, unix_ms.cast_signed(), how.code(), seq];
    connection.execute(sql, kept).map(|_| ())
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::domain::{
        fact::{CommentOn, Consent},
        ids::RoomId,
        language::Language,
        time::{SessionTime, Span},
    };

    const ALICE: ParticipantId = ParticipantId(1);
    const HERS: &str = "Salamanterit asuvat torin takana mäellä";
    const QUOTING: &str = "Joku sanoi: ”salamanterit asuvat torin takana”. Onko näin?";

    /// Alice has spoken, and Dana has said something of it three times. The places of her line and of
    /// Dana's comments.
    fn spoken_of(log: &Log, session: SessionId) -> Vec<u64> {
        let language = Language::Finnish;
        let opened = Fact::Opened { title: "Kevät".into(), language, unix_ms: 1_790_000_000_000 };
        let joined = Fact::Joined {
            participant: ALICE,
            name: "Alice Virtanen".into(),
            language,
            consent: Consent::On,
            tags: BTreeMap::new(),
        };
        let said = Fact::Said {
            participant: ALICE,
            room: RoomId::Main,
            span: Span::new(SessionTime(5_000), SessionTime(9_000)),
            language,
            text: HERS.into(),
            words: vec![],
        };
        let collected = Fact::Collected { entry: 3, theme: Some("Luonto".into()) };
        let comment = |on, text: &str| Fact::Commented {
            on,
            name: "Dana".into(),
            unix_ms: 1_790_090_000_000,
            text: text.into(),
        };
        let theme = || CommentOn::Theme("Luonto".into());
        let facts = [
            opened,
            joined,
            said,
            collected,
            comment(CommentOn::Entry(3), "Tästä Alicen ajatuksesta lisää"),
            comment(theme(), QUOTING),
            comment(theme(), "Kysytään Virtaselta"),
        ];
        let at = |fact| (SessionTime(9_500), fact);
        log.append_blocking(session, facts.into_iter().map(at).collect()).expect("kept")
    }

    fn comments(log: &Log, session: SessionId) -> Vec<String> {
        let records = log.read(session).expect("readable");
        let text = |fact| match fact {
            Fact::Commented { text, .. } => Some(text),
            _ => None,
        };
        records.into_iter().filter_map(|it| text(it.fact)).collect()
    }

    fn lies(folder: &Path, needle: &str) -> bool {
        let files = fs::read_dir(folder).expect("the folder");
        files.map(|it| it.expect("a file").path()).any(|file| {
            let bytes = fs::read(file).expect("its bytes");
            bytes.windows(needle.len()).any(|it| it == needle.as_bytes())
        })
    }

    /// A log of one session of which Dana has spoken, what somebody then does to it, which comments are
    /// left, and what lies in no file any more.
    fn check(act: impl AsyncFnOnce(&Log, SessionId) -> bool, left: &[&str], gone: &[&str]) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = Log::open(&folder.path().join("log.sqlite")).expect("a new log");
        let session = SessionId::new(1_790_000_000_000, 1);
        spoken_of(&log, session);
        assert!(gone.iter().all(|it| lies(folder.path(), it)));
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        assert!(runtime.block_on(act(&log, session)));
        let there = comments(&log, session);
        assert_eq!(there.len(), left.len(), "{there:?}");
        for (there, left) in there.iter().zip(left) {
            // The code in a name's place is made with a key that chance has made.
            let (before, after) = left.split_once("KEY").unwrap_or((left, ""));
            assert!(there.starts_with(before) && there.ends_with(after), "{there}");
            assert!(left.contains("KEY") || there == left, "{there}");
        }
        for it in gone {
            assert!(!lies(folder.path(), it), "{it}");
        }
    }

    const CUT: &str = "Joku sanoi: ”…”. Onko näin?";

    #[test]
    fn what_is_said_of_a_line_goes_with_it_and_no_comment_repeats_it() {
        check(
            async |log, session| log.correct(session, ALICE, 3, None, 1).await.expect("struck"),
            &[CUT, "Kysytään Virtaselta"],
            &["alamanterit", "torin takana", "Tästä Alicen"],
        );
        check(
            async |log, session| log.take_back(session, ALICE, true, 1).await.expect("erased"),
            &[CUT, "Kysytään KEY"],
            &["alamanterit", "torin takana", "Alice", "Virta"],
        );
    }

    #[test]
    fn a_corrected_line_keeps_its_comments_but_for_what_it_said_before() {
        let text = || Some("Sammakot asuvat torin takana mäellä".to_owned());
        check(
            async |log, session| {
                log.correct(session, ALICE, 3, text(), 1).await.expect("corrected")
            },
            &["Tästä Alicen ajatuksesta lisää", CUT, "Kysytään Virtaselta"],
            &["alamanterit"],
        );
    }

    #[test]
    fn what_was_said_in_the_last_minute_leaves_comments_too() {
        let span = Span::new(SessionTime(1_000), SessionTime(9_500));
        let struck = (SessionTime(9_500), Fact::Struck { participant: ALICE, span });
        check(
            async |log, session| log.append(session, vec![struck]).await.is_ok(),
            &[CUT, "Kysytään Virtaselta"],
            &["alamanterit", "torin takana"],
        );
    }

    #[test]
    fn a_comment_is_taken_back_and_nothing_else() {
        check(
            async |log, session| {
                assert!(!log.uncomment(session, 3).await.expect("asked"), "that is a line");
                let elsewhere = SessionId::new(1, 9);
                assert!(!log.uncomment(elsewhere, 5).await.expect("asked"), "elsewhere");
                log.uncomment(session, 6).await.expect("taken back")
            },
            &["Tästä Alicen ajatuksesta lisää", "Kysytään Virtaselta"],
            &["Onko näin"],
        );
    }

    #[test]
    fn how_long_a_session_is_kept_is_asked_at_no_more_cost_because_much_was_said() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log.sqlite");
        let (log, session) = (Log::open(&path).expect("a log"), SessionId::new(1, 1));
        let opened =
            Fact::Opened { title: "Kevät".into(), language: Language::Finnish, unix_ms: 1_000 };
        log.append_blocking(session, vec![(SessionTime::ZERO, opened)]).expect("kept");
        let cost = || {
            let reader = Connection::open(&path).expect("the file");
            let mut statement = reader.prepare(KEPT).expect("a statement");
            let rows = statement.query_map([], |row| row.get::<_, i64>(1)).expect("asked").count();
            assert_eq!(rows, 1);
            statement.get_status(rusqlite::StatementStatus::VmStep)
        };
        let before = cost();
        let called =
            |at_ms| (SessionTime(at_ms), Fact::Called { participant: ALICE, room: RoomId::Main });
        log.append_blocking(session, (1..=1_000).map(called).collect()).expect("kept");
        assert_eq!(log.kept().expect("read")[0].last_unix_ms, 2_000);
        let after = cost();
        assert!(after <= before + 10, "{before} steps before, {after} after");
    }
}
