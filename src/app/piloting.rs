//! Asking people how a method worked, and telling what they say. Rights are the caller's business; who
//! said what is known to nobody, not here either.

use std::collections::BTreeMap;

use crate::{
    app::App,
    domain::{
        ids::{ParticipantId, SessionId},
        limits::PILOT_LINE_CHARS_MAX,
        talk::clean_text,
    },
    notes::driver::log::{Log, LogError},
};

pub use crate::domain::pilot::{Answer, Counts, Level, Pilot, Told};

#[derive(Debug, thiserror::Error)]
pub enum PilotError {
    #[error("there is no such session")]
    Unknown,
    #[error("the session still goes on")]
    GoesOn,
    #[error("the answer says nothing, or its line is too long")]
    BadAnswer,
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("a thread broke off")]
    Broken,
}

impl App {
    /// Keeps what one person says of the session's last method. Whoever says it again has said it: the
    /// first answer stays.
    pub async fn answer_pilot(
        &self,
        session: SessionId,
        participant: ParticipantId,
        mut answer: Answer,
    ) -> Result<(), PilotError> {
        answer.line = match answer.line.trim() {
            "" => String::new(),
            line => clean_text(line, PILOT_LINE_CHARS_MAX).ok_or(PilotError::BadAnswer)?,
        };
        if answer.is_empty() {
            return Err(PilotError::BadAnswer);
        }
        let log = self.sessions.log().clone();
        let end = tokio::task::spawn_blocking(move || log.end_of(session)).await;
        let (ended, method) = end.map_err(|_| PilotError::Broken)??.ok_or(PilotError::Unknown)?;
        if !ended {
            return Err(PilotError::GoesOn);
        }
        let log = self.sessions.log();
        log.answer_pilot(session, participant, method.unwrap_or_default(), answer).await?;
        Ok(())
    }

    /// What people say of the methods of a session, by the methods' ids.
    pub async fn pilots(&self, session: SessionId) -> Result<BTreeMap<String, Pilot>, PilotError> {
        let log = self.sessions.log().clone();
        let read = tokio::task::spawn_blocking(move || pilots(&log, session)).await;
        Ok(read.map_err(|_| PilotError::Broken)??)
    }
}

/// As `App::pilots`, for a thread. Blocks.
pub fn pilots(log: &Log, session: SessionId) -> Result<BTreeMap<String, Pilot>, LogError> {
    let answers = log.pilots(session)?;
    Ok(answers.into_iter().map(|(method, it)| (method, Pilot::of(&it))).collect())
}
