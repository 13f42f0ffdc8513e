//! HTTP of a session as a whole: opening one, and what is known of it.

use axum::{
    Json, Router,
    extract::{Path, State, rejection::JsonRejection},
    http::{Extensions, HeaderMap},
    response::{IntoResponse, Response},
    routing::{get, post},
};

use crate::{
    app::{config::KEEP_DAYS, registry},
    server::{
        Server,
        error::Refusal,
        http::{self, bearer, known, links},
        token::Role,
        wire::{NewSession, PersonAbout, SessionAbout, SessionCreated},
    },
};

pub fn router() -> Router<Server> {
    Router::new().route("/api/sessions", post(open)).route("/api/sessions/{session}", get(about))
}

async fn open(
    State(server): State<Server>,
    extensions: Extensions,
    headers: HeaderMap,
    body: Result<Json<NewSession>, JsonRejection>,
) -> Response {
    match &server.app.config.server.create_key {
        Some(key) if bearer(&headers) != Some(key) => return Refusal::NOT_ALLOWED.into_response(),
        Some(_) => (),
        None => {
            let network = server.strangers.network(&headers, &extensions);
            if let Err(too_many) = server.strangers.count(network) {
                return too_many.into_response();
            }
        }
    }
    opened(&server, body).await.into_response()
}

async fn opened(
    server: &Server,
    body: Result<Json<NewSession>, JsonRejection>,
) -> Result<Json<SessionCreated>, Refusal> {
    let Json(NewSession { title, language, keep_days }) = body.map_err(|it| match it {
        JsonRejection::BytesRejection(_) => Refusal::TOO_LARGE,
        _ => Refusal::MALFORMED,
    })?;
    if keep_days.is_some_and(|it| !KEEP_DAYS.contains(&it)) {
        return Err(Refusal::MALFORMED);
    }
    let new = registry::NewSession { title, language: language.into(), keep_days, tenant: None };
    let opened = server.app.sessions.open(new).await;
    let session = opened.map_err(|error| {
        tracing::warn!(%error, "a session cannot be opened");
        Refusal::from(&error)
    })?;
    tracing::info!(%session, "session opened");
    Ok(Json(links(server, session, None)))
}

async fn about(
    State(server): State<Server>,
    Path(session): Path<String>,
    headers: HeaderMap,
) -> Result<Json<SessionAbout>, Refusal> {
    let right = http::right(&server, &session, &headers)?;
    let (session, role) = (right.session, right.role);
    let known = known(&server, session).await?;
    let keep_days = server.app.keep_days(session).await.map_err(|error| {
        tracing::error!(%session, %error, "how long a session is kept cannot be read");
        Refusal::INTERNAL
    })?;
    let people = match role {
        Role::Facilitator | Role::Reviewer => {
            let records = server.app.sessions.records(session).await;
            let records = records.map_err(|it| Refusal::from(&it))?;
            let names = server.app.names(session, &records).await.map_err(|error| {
                tracing::error!(%session, %error, "the names of people cannot be read");
                Refusal::INTERNAL
            })?;
            names.into_iter().map(|(id, name)| PersonAbout { participant: id.0, name }).collect()
        }
        _ => Vec::new(),
    };
    Ok(Json(SessionAbout {
        session: session.to_string(),
        title: known.title,
        language: known.language.into(),
        opened_unix_ms: known.opened_unix_ms,
        keep_days,
        ended: known.ended,
        people,
        links: (role == Role::Facilitator).then(|| links(&server, session, Some(&right))),
    }))
}
