//! Sessions by whose they are: for tenants' servers, which open, look at and end their own, and are told
//! what happens in them. It decides nothing about a session; ending one goes through its door like
//! anybody's wish.

use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

use crate::{
    app::{
        App,
        registry::{FindError, Registry},
        session_task::{Command, NEWS_MAX, News},
    },
    domain::{
        fact::Record,
        ids::{SessionId, TenantId},
        message::Message,
        rejection::Rejection,
        session::Wish,
    },
};

pub use crate::notes::driver::log::{LogError, SessionSummary};

/// Why a session could not be ended.
#[derive(Debug, thiserror::Error)]
pub enum EndError {
    #[error(transparent)]
    Find(#[from] FindError),
    #[error("the session refused: {}", .0.code())]
    Refused(Rejection),
    #[error("the session's task stopped before it answered")]
    Stopped,
}

impl App {
    /// Whose session it is. `None`: nobody's, or there is no such session.
    pub async fn tenant_of(&self, session: SessionId) -> Result<Option<TenantId>, LogError> {
        let log = self.sessions.log().clone();
        blocking(move || log.tenant(session)).await
    }

    /// At most `limit` sessions of a tenant, latest first, opened before the session `before`.
    pub async fn sessions_of(
        &self,
        tenant: TenantId,
        before: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionSummary>, LogError> {
        let log = self.sessions.log().clone();
        blocking(move || log.sessions_of(&tenant, before, limit)).await
    }

    /// What happened in a tenant's sessions after place `seq` and up to `until`, at most `limit` of it.
    pub async fn records_of(
        &self,
        tenant: TenantId,
        seq: u64,
        until: u64,
        limit: u32,
    ) -> Result<Vec<(SessionId, Record)>, LogError> {
        let log = self.sessions.log().clone();
        blocking(move || log.read_of(&tenant, seq, until, limit)).await
    }

    /// The place of the last record of all, after every commit.
    pub fn places(&self) -> watch::Receiver<u64> {
        self.sessions.log().subscribe()
    }

    /// Up to which place a tenant's server has been told; for a new one: up to now.
    pub async fn told(&self, tenant: &TenantId) -> Result<u64, LogError> {
        let (log, of) = (self.sessions.log().clone(), tenant.clone());
        if let Some(seq) = blocking(move || log.told(&of)).await? {
            return Ok(seq);
        }
        let now = self.sessions.log().last_seq();
        self.set_told(tenant, now).await?;
        Ok(now)
    }

    pub async fn set_told(&self, tenant: &TenantId, seq: u64) -> Result<(), LogError> {
        self.sessions.log().set_told(tenant, seq).await
    }
}

impl Registry {
    /// Ends a session as a facilitator would; one that is over already stays so.
    pub async fn end(&self, session: SessionId) -> Result<(), EndError> {
        let connection = Registry::next_connection();
        let (sender, mut news) = mpsc::channel(NEWS_MAX);
        let handle = match self.send(session, Command::Watch { connection, news: sender }).await {
            Ok(handle) => handle,
            Err(FindError::Ended) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let asked = Instant::now();
        handle.send(Command::Wish { connection, wish: Wish::End, asked }).await;
        let answer = loop {
            match news.recv().await {
                Some(News::Message(Message::Ended)) => break Ok(()),
                Some(News::Message(Message::Rejected(rejection))) => {
                    break Err(EndError::Refused(rejection));
                }
                Some(_) => (),
                None => break Err(EndError::Stopped),
            }
        };
        handle.send(Command::Disconnected { connection }).await;
        match answer {
            Err(EndError::Refused(Rejection::SessionEnded)) => Ok(()),
            answer => answer,
        }
    }
}

async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, LogError> + Send + 'static,
) -> Result<T, LogError> {
    tokio::task::spawn_blocking(read).await.unwrap_or(Err(LogError::Closed))
}
