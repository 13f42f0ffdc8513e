//! What people say of how a method worked, beside the records and not among them: whoever knows when
//! somebody left must not find their answer by its place. It knows who has answered and, apart from
//! that, what was answered; nothing leads from the one to the other.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, params};

use crate::{
    domain::{
        ids::{ParticipantId, SessionId},
        pilot::{Answer, Level},
    },
    notes::driver::log::{Log, LogError},
};

impl Log {
    /// Keeps one person's answer. `false`: they have answered already, and nothing is kept. `method`:
    /// its id; empty when none was run.
    pub async fn answer_pilot(
        &self,
        session: SessionId,
        participant: ParticipantId,
        method: String,
        answer: Answer,
    ) -> Result<bool, LogError> {
        self.alter("writing", move |connection| {
            let transaction = connection.transaction()?;
            let id = session.to_string();
            let sql = "INSERT OR IGNORE INTO piloted (session, participant)
                       SELECT id, ?2 FROM sessions WHERE id = ?1";
            let is_first = 0 < transaction.execute(sql, params![id, participant.0])?;
            if is_first {
                let Answer { heard, clear, fresh, again, line } = answer;
                let level = |it: Option<Level>| it.map(|it| it.index() as i64);
                // The key is chance, so that the order of the rows tells nothing.
                let sql = "INSERT INTO pilots
                           (session, id, method, heard, clear, fresh, again, line)
                           VALUES (?1, randomblob(16), ?2, ?3, ?4, ?5, ?6, ?7)";
                let levels = [heard, clear, fresh, again].map(level);
                let [heard, clear, fresh, again] = levels;
                transaction.execute(sql, params![id, method, heard, clear, fresh, again, line])?;
            }
            transaction.commit()?;
            Ok(is_first)
        })
        .await
    }

    /// What has been answered, by the method it is about. Blocks.
    pub fn pilots(&self, session: SessionId) -> Result<BTreeMap<String, Vec<Answer>>, LogError> {
        self.with_reader(|reader| {
            let sql = "SELECT method, heard, clear, fresh, again, line FROM pilots
                       WHERE session = ?1 ORDER BY id";
            let mut statement = reader.prepare(sql)?;
            let rows = statement.query_map([session.to_string()], |row| {
                let level = |column: usize| -> rusqlite::Result<Option<Level>> {
                    let index: Option<u8> = row.get(column)?;
                    Ok(index.and_then(|it| Level::ALL.get(usize::from(it))).copied())
                };
                let answer = Answer {
                    heard: level(1)?,
                    clear: level(2)?,
                    fresh: level(3)?,
                    again: level(4)?,
                    line: row.get(5)?,
                };
                Ok((row.get::<_, String>(0)?, answer))
            })?;
            let mut found: BTreeMap<String, Vec<Answer>> = BTreeMap::new();
            for row in rows {
                let (method, answer) = row?;
                found.entry(method).or_default().push(answer);
            }
            Ok(found)
        })
    }

    /// Whether a session is over, and the id of the method that was run last in it. `None`: there is
    /// no such session. Blocks.
    pub fn end_of(&self, session: SessionId) -> Result<Option<(bool, Option<String>)>, LogError> {
        self.with_reader(|reader| {
            let id = session.to_string();
            let sql = "SELECT ended FROM sessions WHERE id = ?1";
            let ended: Option<bool> = reader.query_row(sql, [&id], |row| row.get(0)).optional()?;
            let sql = "SELECT json_extract(body, '$.method.id') FROM records
                       WHERE session = ?1 AND json_extract(body, '$.kind') = 'method-began'
                       ORDER BY seq DESC LIMIT 1";
            let method = reader.query_row(sql, [&id], |row| row.get(0)).optional()?;
            Ok(ended.map(|ended| (ended, method)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{fact::Fact, language::Language, time::SessionTime};

    #[tokio::test]
    async fn each_answers_once_and_all_of_it_goes_with_the_session() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = Log::open(&folder.path().join("log.sqlite")).expect("a new log");
        let session = SessionId::new(1_790_000_000_000, 1);
        let opened =
            Fact::Opened { title: "Kevät".into(), language: Language::Finnish, unix_ms: 1 };
        let answer = |line: &str| Answer {
            heard: Some(Level::Mostly),
            again: Some(Level::No),
            line: line.into(),
            ..Answer::default()
        };
        let (alice, bob) = (ParticipantId(1), ParticipantId(2));
        let say = async |who, line| {
            let method = "learning-cafe".to_owned();
            log.answer_pilot(session, who, method, answer(line)).await.expect("written")
        };
        assert!(!say(alice, "Ennen aikojaan").await, "there is no session yet");
        log.append(session, vec![(SessionTime::ZERO, opened)]).await.expect("kept");
        assert!(say(alice, "Hyvä").await && say(bob, "Sinitiainen").await);
        assert!(!say(alice, "Vielä kerran").await);
        let found = log.pilots(session).expect("readable");
        let mut lines: Vec<_> = found["learning-cafe"].iter().map(|it| &*it.line).collect();
        lines.sort_unstable();
        assert_eq!(lines, ["Hyvä", "Sinitiainen"]);
        assert!(found["learning-cafe"].contains(&answer("Hyvä")));
        assert_eq!(log.end_of(session).expect("readable"), Some((false, None)));
        log.purge(session, 2).await.expect("gone");
        assert_eq!(log.pilots(session).expect("readable"), BTreeMap::new());
        let files = std::fs::read_dir(folder.path()).expect("the folder");
        for file in files.map(|it| it.expect("a file").path()) {
            let bytes = std::fs::read(&file).expect("its bytes");
            assert!(!bytes.windows(11).any(|it| it == b"Sinitiainen"), "{}", file.display());
        }
    }
}
