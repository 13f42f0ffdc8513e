//! How long things are kept, and taking them back: sessions go when their time is over, people see and
//! correct what is kept of them, and can have all of it taken out. The log is erased first, then the
//! index is made anew from it; nothing else on the disk holds words. What goes wrong in between is
//! made up for while the program runs, and at its next start before anybody can ask.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use crate::{
    app::{App, clock::unix_ms, exporting::Document},
    domain::{
        ids::{ParticipantId, SessionId},
        limits::{CHECKS_MAX, SEGMENT_CHARS_MAX},
        talk::clean_text,
    },
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
    #[error("the text is empty, too long, or controls a machine")]
    BadText,
    #[error("the person has wished for so much that nothing more is done")]
    TooMany,
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
        text: Option<&str>,
    ) -> Result<(), KeepingError> {
        let clean = |it| clean_text(it, SEGMENT_CHARS_MAX).ok_or(KeepingError::BadText);
        let text = text.map(clean).transpose()?;
        let _turn = self.erasing.acquire().await.map_err(|_| KeepingError::Broken)?;
        self.check_wishes(session, participant).await?;
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
        let _turn = self.erasing.acquire().await.map_err(|_| KeepingError::Broken)?;
        if !words {
            self.check_wishes(session, participant).await?;
        }
        let goes_on = matches!(self.own(session, participant).await, Err(KeepingError::GoesOn));
        let log = self.sessions.log();
        let taken = log.take_back(session, participant, words, unix_ms());
        // What is still on its way when a session has ended, the log does not take any more.
        let taken = match goes_on {
            true => self.sessions.at_rest(session, taken).await.ok_or(KeepingError::GoesOn)?,
            false => taken.await,
        };
        if !taken? {
            return Err(KeepingError::Unknown);
        }
        self.renew_index(session).await
    }

    pub async fn approve(
        &self,
        session: SessionId,
        participant: ParticipantId,
    ) -> Result<(), KeepingError> {
        self.check_wishes(session, participant).await?;
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
            let purged =
                self.sessions.at_rest(it.session, log.purge(it.session, now_unix_ms)).await;
            let Some(purged) = purged else { continue };
            purged?;
            self.renew_index(it.session).await?;
            tracing::info!(session = %it.session, "the time of a session is over; it is gone");
            gone += 1;
        }
        Ok(gone)
    }

    /// Whoever asks for more than anybody has lines is a script.
    async fn check_wishes(
        &self,
        session: SessionId,
        participant: ParticipantId,
    ) -> Result<(), KeepingError> {
        let log = self.sessions.log().clone();
        let read = tokio::task::spawn_blocking(move || log.checks(session)).await;
        let checks = read.map_err(|_| KeepingError::Broken)??;
        let full = CHECKS_MAX <= own_checks(checks, participant).len();
        if full { Err(KeepingError::TooMany) } else { Ok(()) }
    }

    /// What was taken out of the log and could not be taken out of the index then.
    async fn settle_index(&self) -> Result<(), KeepingError> {
        let (index, log) = (self.index.clone(), self.sessions.log().clone());
        let settled = tokio::task::spawn_blocking(move || index.settle(&log)).await;
        Ok(settled.map_err(|_| KeepingError::Broken)??)
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
            if let Err(error) = app.settle_index().await {
                tracing::error!(%error, "the index still has what was taken back; it is tried again");
            }
            drop(app);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    });
}
