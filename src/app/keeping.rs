//! How long things are kept, and taking them back: sessions go when their time is over, people see and
//! correct what is kept of them, and can have all of it taken out. The log is erased first, then the
//! index is made anew from it; nothing else on the disk holds words.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use crate::{
    app::{App, clock::unix_ms, exporting::Document},
    domain::ids::{ParticipantId, SessionId},
    notes::{
        driver::{index::IndexError, log::LogError},
        engine::export::{self, Line},
    },
};

pub use crate::notes::driver::erasing::{Check, How};

/// How often it is looked whether a session's time is over.
const LOOK_EVERY: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
pub enum KeepingError {
    #[error("there is no such session, person or line")]
    Unknown,
    #[error("the session still goes on")]
    GoesOn,
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error("a thread broke off")]
    Broken,
}

/// What is kept of one person, for themselves.
#[derive(Clone, Debug)]
pub struct Own {
    pub document: Document,
    pub checks: Vec<Check>,
}

impl Own {
    /// Lines that can be corrected or struck.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.document.lines.iter().filter(|it| it.kind != export::Kind::Unheard)
    }

    pub fn has(&self, how: How) -> bool {
        self.checks.iter().any(|it| it.how == how)
    }

    pub fn is_corrected(&self, seq: u64) -> bool {
        self.checks.iter().any(|it| it.how == How::Corrected && it.seq == Some(seq))
    }
}

impl App {
    /// What is kept of one person.
    pub async fn own(
        &self,
        session: SessionId,
        participant: ParticipantId,
    ) -> Result<Own, KeepingError> {
        let log = self.sessions.log().clone();
        let read = tokio::task::spawn_blocking(move || {
            let document = export::gather_own(session, &log.read(session)?, participant);
            let document = document.ok_or(KeepingError::Unknown)?;
            if !document.ended {
                return Err(KeepingError::GoesOn);
            }
            Ok(Own { document, checks: own_checks(log.checks(session)?, participant) })
        });
        read.await.map_err(|_| KeepingError::Broken)?
    }

    /// Puts `text` in the place of a person's own line; `None` strikes it.
    pub async fn correct_line(
        &self,
        session: SessionId,
        participant: ParticipantId,
        seq: u64,
        text: Option<String>,
    ) -> Result<(), KeepingError> {
        let log = self.sessions.log();
        let done = log.correct(session, participant, seq, text, unix_ms()).await?;
        if !done {
            return Err(KeepingError::Unknown);
        }
        self.renew_index(session).await
    }

    /// Takes a person's name out of a session, and with `words` all that they said and wrote. Only
    /// when it is over: until then the name stands in the memory of every page.
    pub async fn take_back(
        &self,
        session: SessionId,
        participant: ParticipantId,
        words: bool,
    ) -> Result<(), KeepingError> {
        let goes_on = matches!(self.own(session, participant).await, Err(KeepingError::GoesOn));
        if goes_on && self.sessions.is_running(session).await {
            return Err(KeepingError::GoesOn);
        }
        let log = self.sessions.log();
        if !log.take_back(session, participant, words, unix_ms()).await? {
            return Err(KeepingError::Unknown);
        }
        self.renew_index(session).await
    }

    pub async fn approve(
        &self,
        session: SessionId,
        participant: ParticipantId,
    ) -> Result<(), KeepingError> {
        Ok(self.sessions.log().approve(session, participant, unix_ms()).await?)
    }

    /// For how many days a session is kept after the last thing that happened in it.
    pub async fn keep_days(&self, session: SessionId) -> Result<u32, LogError> {
        let log = self.sessions.log().clone();
        let read = tokio::task::spawn_blocking(move || log.keep_days(session)).await;
        let chosen = read.unwrap_or(Err(LogError::Closed))?;
        Ok(chosen.unwrap_or(self.config.notes.keep_days))
    }

    /// Takes out every session whose time is over at `now_unix_ms`, and tells how many. One that runs
    /// is left until it does not.
    pub async fn purge_due(&self, now_unix_ms: u64) -> Result<usize, KeepingError> {
        let log = self.sessions.log().clone();
        let reader = log.clone();
        let kept = tokio::task::spawn_blocking(move || reader.kept()).await;
        let kept = kept.map_err(|_| KeepingError::Broken)??;
        let usual_days = self.config.notes.keep_days;
        let mut gone = 0;
        for it in kept.into_iter().filter(|it| it.is_over(now_unix_ms, usual_days)) {
            if self.sessions.is_running(it.session).await {
                continue;
            }
            log.purge(it.session, now_unix_ms).await?;
            self.renew_index(it.session).await?;
            tracing::info!(session = %it.session, "the time of a session is over; it is gone");
            gone += 1;
        }
        Ok(gone)
    }

    async fn renew_index(&self, session: SessionId) -> Result<(), KeepingError> {
        let (index, log) = (self.index.clone(), self.sessions.log().clone());
        let renewed = tokio::task::spawn_blocking(move || index.read_again(&log, session)).await;
        Ok(renewed.map_err(|_| KeepingError::Broken)??)
    }
}

fn own_checks(checks: Vec<Check>, participant: ParticipantId) -> Vec<Check> {
    checks.into_iter().filter(|it| it.participant == participant).collect()
}

/// Looks again and again whether a session's time is over, for as long as the program lives.
pub fn watch(app: &Arc<App>) {
    let app = Arc::downgrade(app);
    tokio::spawn(async move {
        while let Some(app) = Weak::upgrade(&app) {
            if let Err(error) = app.purge_due(unix_ms()).await {
                tracing::error!(%error, "a session could not be taken out; it will be tried again");
            }
            drop(app);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    });
}
