//! All sessions of this process: finds a running one, or takes it up again from its log.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::Mutex;

use crate::{
    app::{
        clock::{Clock, unix_ms},
        hearing::Hearing,
        session_task::{self, Command, SessionHandle, Surroundings},
    },
    domain::{
        fact::{Fact, Record},
        ids::{ConnectionId, SessionId, TenantId},
        language::Language,
        limits::TITLE_CHARS_MAX,
        session::Session,
        time::SessionTime,
    },
    media::driver::transport::Transport,
    notes::driver::log::{Log, LogError, SessionSummary},
};

#[derive(Debug, thiserror::Error)]
pub enum FindError {
    #[error("there is no such session")]
    Unknown,
    #[error("the session is over")]
    Ended,
    #[error("the server holds as many sessions as it can")]
    TooMany,
    #[error("the title is empty or too long")]
    BadTitle,
    #[error(transparent)]
    Log(#[from] LogError),
}

/// A session to be opened.
pub struct NewSession {
    pub title: String,
    pub language: Language,
    /// How long it is kept; `None`: as this server keeps sessions.
    pub keep_days: Option<u32>,
    /// Whose it is.
    pub tenant: Option<TenantId>,
}

pub struct Registry {
    log: Log,
    transport: Arc<Transport>,
    hearing: Arc<Hearing>,
    sessions_max: usize,
    /// Held while one is taken up, so that no session ever runs twice.
    running: Mutex<BTreeMap<SessionId, SessionHandle>>,
    itself: Weak<Registry>,
}

impl Registry {
    pub fn new(
        log: Log,
        transport: Arc<Transport>,
        hearing: Arc<Hearing>,
        sessions_max: usize,
    ) -> Arc<Self> {
        Arc::new_cyclic(|itself| Self {
            log,
            transport,
            hearing,
            sessions_max,
            running: Mutex::default(),
            itself: itself.clone(),
        })
    }

    pub(in crate::app) fn log(&self) -> &Log {
        &self.log
    }

    /// Does something to a session that nobody takes up meanwhile. `None`: it runs, and nothing was
    /// done. No session is taken up before `act` is done, so it must be short.
    pub async fn at_rest<T>(&self, id: SessionId, act: impl Future<Output = T>) -> Option<T> {
        let running = self.running.lock().await;
        if running.get(&id).is_some_and(SessionHandle::is_running) {
            return None;
        }
        Some(act.await)
    }

    /// A name for one more live socket, or whoever acts like one.
    pub fn next_connection() -> ConnectionId {
        static CONNECTIONS: AtomicU64 = AtomicU64::new(1);
        ConnectionId(CONNECTIONS.fetch_add(1, Ordering::Relaxed))
    }

    /// Opens a new session; it is on disk when this returns.
    pub async fn open(&self, new: NewSession) -> Result<SessionId, FindError> {
        let NewSession { title, language, keep_days, tenant } = new;
        let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
        if title.is_empty() || TITLE_CHARS_MAX < title.chars().count() {
            return Err(FindError::BadTitle);
        }
        let unix_ms = unix_ms();
        let id = SessionId::new(unix_ms, rand::random());
        let opened = Fact::Opened { title, language, unix_ms };
        let facts = [opened].into_iter().chain(tenant.map(|tenant| Fact::BelongsTo { tenant }));
        self.log.append(id, facts.map(|it| (SessionTime::ZERO, it)).collect()).await?;
        if let Some(days) = keep_days {
            self.log.set_keep_days(id, days).await?;
        }
        Ok(id)
    }

    /// Sends a page's first command to its session, taken up from its log if need be. A task that
    /// was just leaving is followed by a new one.
    pub async fn send(
        &self,
        id: SessionId,
        mut command: Command,
    ) -> Result<SessionHandle, FindError> {
        loop {
            let handle = self.find(id).await?;
            match handle.give(command).await {
                Ok(()) => return Ok(handle),
                Err(returned) => command = returned,
            }
        }
    }

    async fn find(&self, id: SessionId) -> Result<SessionHandle, FindError> {
        let is_running = |it: &&SessionHandle| it.is_running();
        if let Some(handle) = self.running.lock().await.get(&id).filter(is_running) {
            return Ok(handle.clone());
        }
        // Whoever comes to what is over, again and again, keeps nobody else waiting for a whole log.
        if self.about(id).await?.ended {
            return Err(FindError::Ended);
        }
        let mut running = self.running.lock().await;
        if let Some(handle) = running.get(&id).filter(is_running) {
            return Ok(handle.clone());
        }
        if self.sessions_max <= running.len() {
            return Err(FindError::TooMany);
        }
        let records = self.records(id).await?;
        let (opened_unix_ms, last) = match (records.first(), records.last()) {
            (Some(Record { fact: Fact::Opened { unix_ms, .. }, .. }), Some(last)) => {
                (*unix_ms, last.at)
            }
            _ => return Err(FindError::Unknown),
        };
        let clock = Clock::new(opened_unix_ms, last);
        let facts = records.into_iter().map(|it| (it.at, it.fact));
        let session = Session::restore(facts, clock.now()).ok_or(FindError::Unknown)?;
        if session.is_ended() {
            return Err(FindError::Ended);
        }
        let around = Surroundings {
            log: self.log.clone(),
            hearing: Arc::clone(&self.hearing),
            transport: Arc::clone(&self.transport),
        };
        let (handle, task) = session_task::start(id, session, clock, around);
        running.insert(id, handle.clone());
        tracing::info!(session = %id, "session task begins");
        self.watch_over(id, task);
        Ok(handle)
    }

    /// What is known of a session without reading what happened in it.
    pub async fn about(&self, id: SessionId) -> Result<SessionSummary, FindError> {
        let log = self.log.clone();
        let read = tokio::task::spawn_blocking(move || log.session(id)).await;
        read.unwrap_or(Err(LogError::Closed))?.ok_or(FindError::Unknown)
    }

    /// Until the disk has all that has been said in any session so far.
    pub async fn settle(&self) {
        let running: Vec<_> = self.running.lock().await.values().cloned().collect();
        for session in running {
            session.settle().await;
        }
    }

    /// Every fact of a session in order; none when it is unknown.
    pub async fn records(&self, id: SessionId) -> Result<Vec<Record>, FindError> {
        let log = self.log.clone();
        let read = tokio::task::spawn_blocking(move || log.read(id)).await;
        Ok(read.unwrap_or(Err(LogError::Closed))?)
    }

    /// Keeps what somebody does who only reads: no task of the session need run, and none is told.
    pub async fn note(&self, id: SessionId, fact: Fact) -> Result<(), FindError> {
        let records = self.records(id).await?;
        // The session's own clock goes on from its last record: never ahead of it, and never back.
        let at = records.last().ok_or(FindError::Unknown)?.at;
        self.log.append(id, vec![(at, fact)]).await?;
        Ok(())
    }

    /// A task that ends, even by a panic, leaves its place; whoever joins next takes it up anew.
    fn watch_over(&self, id: SessionId, task: tokio::task::JoinHandle<()>) {
        let registry = self.itself.clone();
        tokio::spawn(async move {
            if let Err(error) = task.await {
                tracing::error!(session = %id, %error, "a session's task broke off");
            }
            if let Some(registry) = registry.upgrade() {
                let mut running = registry.running.lock().await;
                if running.get(&id).is_some_and(|it| !it.is_running()) {
                    running.remove(&id);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::config::{MediaConfig, SpeechSettings};

    #[tokio::test]
    async fn a_session_that_is_over_is_refused_without_its_log_being_read() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open(&folder.path().join("log")).unwrap();
        let listen = ([127, 0, 0, 1], 0).into();
        let media = MediaConfig { listen, tcp_port: Some(0), ..Default::default() };
        let silent = SpeechSettings { enabled: false, ..Default::default() };
        let hearing = Arc::new(Hearing::start(&silent));
        let transport = Transport::bind(&media.ports()).unwrap();
        let sessions = Registry::new(log.clone(), transport, hearing, 10);
        let (title, language) = ("Kevät".to_owned(), Language::Finnish);
        let new = NewSession { title, language, keep_days: None, tenant: None };
        let id = sessions.open(new).await.unwrap();
        log.append(id, vec![(SessionTime::ZERO, Fact::Ended)]).await.unwrap();
        // Whoever read this session would stumble.
        let disk = rusqlite::Connection::open(folder.path().join("log")).unwrap();
        disk.execute("UPDATE records SET body = 'none'", []).unwrap();
        assert!(matches!(sessions.find(id).await, Err(FindError::Ended)));
        let unknown = SessionId::new(1, 1);
        assert!(matches!(sessions.find(unknown).await, Err(FindError::Unknown)));
    }
}
