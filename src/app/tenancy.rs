//! Sessions by whose they are: for tenants' servers, which open, look at and end their own. It decides nothing about a session; ending one goes through its door like
//! anybody's wish.

use tokio::{sync::mpsc, time::Instant};

use crate::{
    app::{
        App,
        registry::{FindError, Registry},
        session_task::{Command, NEWS_MAX, News},
    },
    domain::{
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
