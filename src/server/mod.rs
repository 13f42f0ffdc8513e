//! The edge: HTTP, WebSocket, tokens and the pages. It checks rights and shapes, and turns words on
//! the wire into commands; it decides nothing.

pub mod api;
pub mod checking;
pub mod embed;
pub mod error;
pub mod exports;
pub mod http;
pub mod lti;
pub mod methods;
pub mod pages;
pub mod relays;
pub mod review;
pub mod routes;
pub mod sessions;
pub mod strangers;
pub mod tenants;
pub mod tickets;
pub mod token;
pub mod webhooks;
pub mod wire;
pub mod ws;

use std::{io, net::SocketAddr, sync::Arc};

use crate::{
    app::App,
    server::{
        lti::Launches, strangers::Strangers, tenants::Tenants, tickets::Tickets, token::Tokens,
    },
};

/// What every request can reach.
#[derive(Clone)]
pub struct Server {
    pub app: Arc<App>,
    pub tokens: Arc<Tokens>,
    pub strangers: Arc<Strangers>,
    pub tenants: Arc<Tenants>,
    pub tickets: Arc<Tickets>,
    pub asked: Arc<api::Asked>,
    pub launches: Arc<Launches>,
}

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error(transparent)]
    Secret(#[from] token::SecretError),
    #[error("the server stopped: {0}")]
    Serve(io::Error),
}

impl Server {
    pub fn new(app: Arc<App>) -> Result<Self, ServeError> {
        let tokens = Arc::new(Tokens::open(&app.config.secret_path())?);
        let strangers = Arc::new(Strangers::new(&app.config.server.proxies));
        let tenants = Arc::new(Tenants::new(&app.config.tenants, app.config.public_url()));
        let (tickets, asked) = (Arc::new(Tickets::default()), api::asked());
        let launches = Arc::new(Launches::default());
        Ok(Self { app, tokens, strangers, tenants, tickets, asked, launches })
    }

    /// Serves until `stop` resolves.
    pub async fn serve(
        self,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let address = self.app.config.server.listen;
        let listener = tokio::net::TcpListener::bind(address)
            .await
            .map_err(|source| ServeError::Listen { address, source })?;
        self.serve_on(listener, stop).await
    }

    /// As `serve`, at a port that is open already.
    pub async fn serve_on(
        self,
        listener: tokio::net::TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let _webhooks = webhooks::start(&self);
        let service = routes::router(self).into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, service).with_graceful_shutdown(stop).await.map_err(ServeError::Serve)
    }
}
