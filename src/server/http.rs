//! HTTP: opening a session, what is known of it, search, and the pages. Every answer carries the
//! headers that keep a page to itself.

use std::collections::BTreeMap;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, Query, State, rejection::JsonRejection},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tower_http::{compression::CompressionLayer, set_header::SetResponseHeaderLayer};

use crate::{
    app::{
        config::{KEEP_DAYS, ServerConfig},
        hearing::HearingState,
        reading::Search,
        registry,
    },
    domain::{
        fact::{Consent, Fact, Record},
        ids::{ParticipantId, SessionId},
        language::Language,
        limits::{BODY_BYTES_MAX, QUERY_CHARS_MAX},
    },
    server::{
        Server, api, checking, embed,
        error::Refusal,
        exports, lti, methods, pages, review, strangers,
        token::Role,
        wire::{
            NewSession, PersonAbout, SearchAnswer, SearchQuery, ServerStatus, SessionAbout,
            SessionCreated, Transcription,
        },
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
        .route("/api/sessions", post(open_session))
        .route("/api/sessions/{session}", get(about))
        .route("/api/sessions/{session}/search", get(search))
        .route("/ws", get(ws::upgrade))
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

/// Scripts, styles and connections are our own, or of the house. `parents`: origins whose pages may show
/// this one.
pub fn content_security_policy(config: &ServerConfig, parents: &[String]) -> HeaderValue {
    let parents = parents.join(" ");
    let nodes = config.nodes.join(" ");
    let policy = format!(
        "default-src 'self'; connect-src 'self' {nodes}; img-src 'self' data:; media-src 'self' blob:; object-src 'none'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'self' {parents}"
    );
    HeaderValue::from_str(policy.trim_end())
        .unwrap_or(HeaderValue::from_static("default-src 'self'; frame-ancestors 'self'"))
}

async fn status(State(server): State<Server>) -> Json<ServerStatus> {
    Json(ServerStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        transcription: Transcription::from(server.app.hearing.state()),
    })
}

async fn open_session(
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
    Ok(Json(links(server, session)))
}

pub(super) fn links(server: &Server, session: SessionId) -> SessionCreated {
    let path =
        |page: &str, role| format!("/{page}/{session}#{}", server.tokens.link(session, role));
    SessionCreated {
        session: session.to_string(),
        host_path: path("host", Role::Facilitator),
        join_path: path("join", Role::Participant),
        review_path: path("review", Role::Reviewer),
    }
}

/// Title and language of a session, and when it was opened.
pub(super) async fn opening(
    server: &Server,
    session: SessionId,
) -> Result<(Vec<Record>, String, Language, u64), Refusal> {
    let records = server.app.sessions.records(session).await.map_err(|it| Refusal::from(&it))?;
    match records.first() {
        Some(Record { fact: Fact::Opened { title, language, unix_ms }, .. }) => {
            let (title, language, unix_ms) = (title.clone(), *language, *unix_ms);
            Ok((records, title, language, unix_ms))
        }
        _ => Err(Refusal::UNKNOWN_SESSION),
    }
}

async fn about(
    State(server): State<Server>,
    Path(session): Path<String>,
    headers: HeaderMap,
) -> Result<Json<SessionAbout>, Refusal> {
    let (session, role) = authorized(&server, &session, &headers)?;
    let (records, title, language, opened_unix_ms) = opening(&server, session).await?;
    let keep_days = server.app.keep_days(session).await.map_err(|error| {
        tracing::error!(%session, %error, "how long a session is kept cannot be read");
        Refusal::INTERNAL
    })?;
    let people = match role {
        Role::Facilitator | Role::Reviewer => people(&server, session, &records).await?,
        _ => Vec::new(),
    };
    Ok(Json(SessionAbout {
        session: session.to_string(),
        title,
        language: language.into(),
        opened_unix_ms,
        keep_days,
        ended: records.iter().any(|it| it.fact == Fact::Ended),
        people,
        links: (role == Role::Facilitator).then(|| links(&server, session)),
    }))
}

/// Everybody who had a seat, under the name they had last; who does not agree that anything is kept of
/// them, under their code.
async fn people(
    server: &Server,
    session: SessionId,
    records: &[Record],
) -> Result<Vec<PersonAbout>, Refusal> {
    let mut names = BTreeMap::new();
    let mut agree = BTreeMap::new();
    for record in records {
        match &record.fact {
            Fact::Joined { participant, name, consent, .. } => {
                names.insert(*participant, name.clone());
                agree.insert(*participant, *consent == Consent::On);
            }
            Fact::ConsentSet { participant, consent } => {
                agree.insert(*participant, *consent == Consent::On);
            }
            _ => {}
        }
    }
    let codes = server.app.codes(session, names.keys().copied().collect()).await;
    let mut codes = codes.map_err(|error| {
        tracing::error!(%session, %error, "the codes of people cannot be read");
        Refusal::INTERNAL
    })?;
    let about = |(id, name): (ParticipantId, String)| {
        let code = codes.remove(&id).unwrap_or_default();
        PersonAbout {
            participant: id.0,
            name: if agree.get(&id) == Some(&true) { name } else { code },
        }
    };
    Ok(names.into_iter().map(about).collect())
}

async fn search(
    State(server): State<Server>,
    Path(session): Path<String>,
    query: Result<Query<SearchQuery>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<SearchAnswer>, Refusal> {
    let (session, role) = authorized(&server, &session, &headers)?;
    if !matches!(role, Role::Facilitator | Role::Reviewer) {
        return Err(Refusal::NOT_ALLOWED);
    }
    let Query(query) = query.map_err(|_| Refusal::MALFORMED)?;
    let room = query.room.map(|it| it.parse()).transpose().map_err(|_| Refusal::MALFORMED)?;
    let asked = Search {
        text: query.q.chars().take(QUERY_CHARS_MAX).collect(),
        sessions: [session].into(),
        participants: query.participant.into_iter().map(ParticipantId).collect(),
        rooms: room.into_iter().collect(),
        offset: u64::from(query.offset.unwrap_or(0)),
        ..Search::default()
    };
    review::answer(&server, asked).await
}

/// The session of the address, and as what the bearer may see it.
pub(super) fn authorized(
    server: &Server,
    session: &str,
    headers: &HeaderMap,
) -> Result<(SessionId, Role), Refusal> {
    let session: SessionId = session.parse().map_err(|_| Refusal::UNKNOWN_SESSION)?;
    let token = bearer(headers).ok_or(Refusal::BAD_TOKEN)?;
    match server.tokens.read(token) {
        Some((of, role)) if of == session => Ok((session, role)),
        _ => Err(Refusal::BAD_TOKEN),
    }
}

pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
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
