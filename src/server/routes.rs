//! Every address of the server, put together from the parts that answer there. Every answer carries the
//! headers that keep a page to itself.

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    http::{HeaderName, HeaderValue, header},
    middleware,
    routing::get,
};
use tower_http::{compression::CompressionLayer, set_header::SetResponseHeaderLayer};

use crate::{
    app::hearing::HearingState,
    domain::limits::BODY_BYTES_MAX,
    server::{
        Server, api, checking, embed, exports,
        http::content_security_policy,
        lti, methods, pages, review, sessions, strangers,
        wire::{ServerStatus, Transcription},
        ws,
    },
};

pub fn router(server: Server) -> Router {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, content_security_policy(&server.app.config.server, &[])),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin"),
        ),
    ];
    let routes = Router::new()
        .route("/api/status", get(status))
        .route("/ws", get(ws::upgrade))
        .merge(sessions::router())
        .merge(review::router())
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .merge(embed::router())
        .merge(methods::router())
        .merge(exports::router())
        .merge(checking::router())
        .merge(api::router())
        .merge(lti::router().layer(middleware::from_fn_with_state(server.clone(), pages::visited)))
        .layer(middleware::from_fn_with_state(server.clone(), strangers::limit))
        .fallback(pages::page)
        .layer(CompressionLayer::new())
        .with_state(server);
    headers.into_iter().fold(routes, |routes, (name, value)| {
        routes.layer(SetResponseHeaderLayer::if_not_present(name, value))
    })
}

async fn status(State(server): State<Server>) -> Json<ServerStatus> {
    Json(ServerStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        transcription: Transcription::from(server.app.hearing.state()),
    })
}

impl From<&HearingState> for Transcription {
    fn from(state: &HearingState) -> Self {
        match state {
            HearingState::On { model } => Transcription::On { model: model.clone() },
            HearingState::Off => Transcription::Off,
            HearingState::ModelMissing => Transcription::ModelMissing,
            HearingState::ModelDamaged => Transcription::ModelDamaged,
        }
    }
}
