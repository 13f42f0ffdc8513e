//! Tells tenants' own servers what happens in their sessions, under the names that the embedded frame
//! uses, and never a name or a word of anybody's. The log is the queue: a place in it is kept for each
//! tenant, so that a restart on either side loses nothing; what is older than a day is told no more.

mod happenings;
mod signing;

use std::{sync::Arc, time::Duration};

use tokio::task::JoinSet;
use ureq::tls::{RootCerts, TlsConfig};

use crate::{
    app::{clock::unix_ms, config::tenants::webhook_secret, tenancy::LogError},
    domain::{
        fact::Record,
        ids::{SessionId, TenantId},
        limits::WEBHOOK_AGE_MS_MAX,
    },
    server::{Server, webhooks::happenings::Happening},
};

pub use signing::sign;

/// Records read at once.
const READ_MAX: u32 = 100;

/// How long a receiver may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How long we wait after the first failure, and at most; twice as long each time.
const AGAIN_FIRST: Duration = Duration::from_secs(1);
const AGAIN_MAX: Duration = Duration::from_secs(300);

/// Begins to tell every tenant that wants it. They are told until what is returned is dropped.
pub fn start(server: &Server) -> JoinSet<()> {
    let mut telling = JoinSet::new();
    for tenant in server.tenants.iter() {
        let Some(webhook) = &tenant.webhook else { continue };
        // The configuration has been checked.
        let Some(secret) = webhook_secret(&webhook.secret) else { continue };
        let receiver = Receiver { url: webhook.url.clone(), secret, agent: agent(ANSWER_WITHIN) };
        let teller = Teller {
            server: server.clone(),
            tenant: tenant.id.clone(),
            receiver: Arc::new(receiver),
        };
        telling.spawn(teller.run());
    }
    telling
}

/// Tells one tenant.
struct Teller {
    server: Server,
    tenant: TenantId,
    receiver: Arc<Receiver>,
}

impl Teller {
    async fn run(self) {
        let mut places = self.server.app.places();
        let mut seq = loop {
            match self.server.app.told(&self.tenant).await {
                Ok(seq) => break seq,
                Err(error) => self.wait_after(&error).await,
            }
        };
        loop {
            let until = *places.borrow_and_update();
            while seq < until {
                match self.tell_some(seq, until).await {
                    Ok(told) => seq = told,
                    Err(error) => self.wait_after(&error).await,
                }
            }
            if places.changed().await.is_err() {
                return;
            }
        }
    }

    /// Up to where it has told.
    async fn tell_some(&self, seq: u64, until: u64) -> Result<u64, LogError> {
        let app = &self.server.app;
        let records = app.records_of(self.tenant.clone(), seq, until, READ_MAX).await?;
        let read = records.last().filter(|_| records.len() == READ_MAX as usize);
        let read_to = read.map_or(until, |it| it.1.seq);
        for (session, record) in records {
            if let Some(happening) = Happening::of(&record.fact) {
                self.tell(session, &record, &happening).await;
                app.set_told(&self.tenant, record.seq).await?;
            }
        }
        Ok(read_to)
    }

    /// Until the receiver has taken it, or it is too old.
    async fn tell(&self, session: SessionId, record: &Record, happening: &Happening) {
        let happened_unix_ms = session.opened_unix_ms() + record.at.as_ms();
        let id = format!("{}-{}", self.tenant, record.seq);
        let body = happening.body(&id, session, record.at.as_ms(), happened_unix_ms);
        let mut wait = AGAIN_FIRST;
        while unix_ms() < happened_unix_ms + WEBHOOK_AGE_MS_MAX {
            let (receiver, id, body) = (Arc::clone(&self.receiver), id.clone(), body.clone());
            let sent =
                tokio::task::spawn_blocking(move || receiver.send(&id, unix_ms() / 1000, &body));
            match sent.await.unwrap_or(Err(Failed::Broken)) {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(tenant = %self.tenant, %error, wait_s = wait.as_secs(), "a webhook failed");
                }
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(AGAIN_MAX);
        }
        tracing::error!(tenant = %self.tenant, %session, event = happening.name(), "a webhook is given up: it is a day old");
    }

    async fn wait_after(&self, error: &LogError) {
        tracing::error!(tenant = %self.tenant, %error, "webhooks wait for the log");
        tokio::time::sleep(AGAIN_FIRST).await;
    }
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("the receiver answered {0}")]
    Status(u16),
    #[error("{0}")]
    Unreachable(Box<ureq::Error>),
    #[error("a thread broke off")]
    Broken,
}

/// Where a tenant is told.
struct Receiver {
    url: String,
    secret: Vec<u8>,
    agent: ureq::Agent,
}

impl Receiver {
    /// Blocks until the receiver has answered. Anything but a 2xx is a failure; a redirection too, as what
    /// was signed for one address is for no other.
    fn send(&self, id: &str, unix_s: u64, body: &str) -> Result<(), Failed> {
        let request = self
            .agent
            .post(&self.url)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", unix_s.to_string())
            .header("webhook-signature", sign(&self.secret, id, unix_s, body));
        let status = request.send(body).map_err(|it| Failed::Unreachable(Box::new(it)))?.status();
        if status.is_success() { Ok(()) } else { Err(Failed::Status(status.as_u16())) }
    }
}

/// Who asks others' servers: never follows a redirection, and never waits longer than `within`.
pub(super) fn agent(within: Duration) -> ureq::Agent {
    // The machine's own roots: a municipality's own authority is among them.
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    ureq::Agent::config_builder()
        .tls_config(tls)
        .timeout_global(Some(within))
        .max_redirects(0)
        .http_status_as_error(false)
        .user_agent(concat!("vuoro/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}
