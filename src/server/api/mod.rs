//! `/api/v1`: what a tenant's own server does with its sessions. It proves itself with the tenant's key,
//! sees no other tenant's session, and can do nothing in a session but end it. The OpenAPI document is
//! written from this code, and a page of our own shows it.

mod page;
pub mod problem;
pub mod shapes;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Json, Router,
    extract::{
        DefaultBodyLimit, FromRequestParts, Path, Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::{
        clock::unix_ms,
        config::KEEP_DAYS,
        registry::NewSession,
        tenancy::{EndError, SessionSummary},
    },
    domain::{
        fact::{Fact, Record},
        ids::{ParticipantId, RoomId, SessionId, TenantId},
        limits::{
            API_AT_ONCE_MAX, API_EVERY_MS, API_PAGE_MAX, BODY_BYTES_MAX, SEARCH_SESSIONS_MAX,
            TICKET_VALID_MS, TOKEN_VALID_S_MAX,
        },
        rooms::regroup,
    },
    server::{
        Server,
        api::problem::Problem,
        error::Refusal,
        exports, http,
        strangers::Tries,
        tenants,
        token::{Right, Role},
        wire::ExportQuery,
    },
};

/// How long what somebody gets for a ticket is good for, where nobody says otherwise.
const TICKET_RIGHT_S: u32 = 12 * 3_600;

/// How often each tenant has asked.
pub type Asked = Mutex<Tries<TenantId>>;

pub fn asked() -> Arc<Asked> {
    Arc::new(Mutex::new(Tries::new(API_AT_ONCE_MAX, API_EVERY_MS, usize::MAX)))
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Vuoro",
        description = "What your own server does with its sessions. Every request proves itself with the \
                       tenant's key: `Authorization: Bearer KEY`. A session of somebody else's is one \
                       that does not exist.",
        license(name = "MIT OR Apache-2.0"),
    ),
    modifiers(&KeyOfTenant),
    components(schemas(shapes::Problem)),
)]
struct Description;

/// How one proves who one is.
struct KeyOfTenant;

impl utoipa::Modify for KeyOfTenant {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        if let Some(components) = &mut document.components {
            components.add_security_scheme("key", scheme);
        }
    }
}

fn described() -> (Router<Server>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(list, open))
        .routes(routes!(library))
        .routes(routes!(about))
        .routes(routes!(end))
        .routes(routes!(people))
        .routes(routes!(export))
        .routes(routes!(ticket))
        .routes(routes!(ticket_for_token))
        .split_for_parts()
}

/// The OpenAPI document.
pub fn document() -> utoipa::openapi::OpenApi {
    described().1
}

pub fn router() -> Router<Server> {
    let json = document().to_pretty_json().unwrap_or_default();
    let shown = page::show(&serde_json::from_str(&json).unwrap_or_default());
    described()
        .0
        .route("/api/v1/openapi.json", get(move || async move { ([page::JSON], json) }))
        .route("/api/v1", get(move || async move { ([page::HTML], shown) }))
        .route("/api/v1/page.css", get(|| async { ([page::CSS], page::STYLE) }))
        .route("/api/v1/{*rest}", axum::routing::any(nothing))
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

async fn nothing() -> Problem {
    Refusal::NOT_FOUND.into()
}

async fn wrong_method() -> Problem {
    Problem::detailed(Refusal::MALFORMED, "the address is right, but not the method")
}

/// The tenant whose key came with the request.
struct Asking(TenantId);

impl FromRequestParts<Server> for Asking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Problem> {
        let key = http::bearer(&parts.headers).unwrap_or_default();
        let tenant = server.tenants.by_api_key(key).ok_or(Refusal::BAD_KEY)?;
        let mut asked = server.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.count(tenant.id.clone(), unix_ms())?;
        Ok(Self(tenant.id.clone()))
    }
}

/// Opens a session.
#[utoipa::path(
    post, path = "/api/v1/sessions", operation_id = "openSession", security(("key" = [])),
    request_body = shapes::NewSession,
    responses(
        (status = 201, body = shapes::SessionWithLinks),
        (status = 400, description = "`malformed`, `bad-title`", body = shapes::Problem),
        (status = 401, description = "`bad-key`", body = shapes::Problem),
        (status = 429, description = "`too-fast`", body = shapes::Problem),
    ),
)]
async fn open(
    State(server): State<Server>,
    Asking(tenant): Asking,
    body: Result<Json<shapes::NewSession>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(shapes::NewSession { title, language, keep_days }) = body?;
    if keep_days.is_some_and(|it| !KEEP_DAYS.contains(&it)) {
        return Err(Problem::detailed(Refusal::MALFORMED, "keep_days must be from 1 to 3650"));
    }
    let new =
        NewSession { title, language: language.into(), keep_days, tenant: Some(tenant.clone()) };
    let session = server.app.sessions.open(new).await.map_err(|error| {
        tracing::warn!(%tenant, %error, "a session cannot be opened");
        Refusal::from(&error)
    })?;
    tracing::info!(%session, %tenant, "session opened");
    let about = with_links(&server, &tenant, session).await?;
    Ok((StatusCode::CREATED, Json(about)).into_response())
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Page {
    /// `next` of the page before.
    before: Option<String>,
    /// 1 to 100; 50 when it is absent.
    limit: Option<u32>,
}

/// Lists your sessions, latest first.
#[utoipa::path(
    get, path = "/api/v1/sessions", operation_id = "listSessions", security(("key" = [])), params(Page),
    responses(
        (status = 200, body = shapes::SessionList),
        (status = 401, description = "`bad-key`", body = shapes::Problem),
    ),
)]
async fn list(
    State(server): State<Server>,
    Asking(tenant): Asking,
    query: Result<Query<Page>, QueryRejection>,
) -> Result<Json<shapes::SessionList>, Problem> {
    let Query(Page { before, limit }) = query?;
    let wrong = |_| Problem::detailed(Refusal::MALFORMED, "before is no session's id");
    let before = before.map(|it| it.parse()).transpose().map_err(wrong)?;
    let limit = limit.unwrap_or(50).clamp(1, API_PAGE_MAX);
    let found = server.app.sessions_of(tenant, before, limit).await.map_err(failed)?;
    let full = found.len() == limit as usize;
    let next = found.last().filter(|_| full).map(|it| it.id.to_string());
    Ok(Json(shapes::SessionList { sessions: found.into_iter().map(summary).collect(), next }))
}

/// A link to a page of your latest 50 sessions: what they were about, what people say of their methods,
/// and search in all of them together.
#[utoipa::path(
    get, path = "/api/v1/library", operation_id = "getLibrary", security(("key" = [])),
    responses(
        (status = 200, body = shapes::Library),
        (status = 401, description = "`bad-key`", body = shapes::Problem),
    ),
)]
async fn library(
    State(server): State<Server>,
    Asking(tenant): Asking,
) -> Result<Json<shapes::Library>, Problem> {
    let most = u32::try_from(SEARCH_SESSIONS_MAX).unwrap_or(u32::MAX);
    let found = server.app.sessions_of(tenant, None, most).await.map_err(failed)?;
    let token = |it: &SessionSummary| server.tokens.link(it.id, Role::Reviewer);
    let tokens: Vec<_> = found.iter().map(token).collect();
    let url = format!("{}/library#{}", server.app.config.public_url(), tokens.join(","));
    Ok(Json(shapes::Library { sessions: u32::try_from(tokens.len()).unwrap_or(most), url }))
}

/// One session, with its links.
#[utoipa::path(
    get, path = "/api/v1/sessions/{session}", operation_id = "getSession", security(("key" = [])),
    params(("session" = String, Path)),
    responses(
        (status = 200, body = shapes::SessionWithLinks),
        (status = 401, description = "`bad-key`", body = shapes::Problem),
        (status = 404, description = "`unknown-session`", body = shapes::Problem),
    ),
)]
async fn about(
    State(server): State<Server>,
    Asking(tenant): Asking,
    Path(session): Path<String>,
) -> Result<Json<shapes::SessionWithLinks>, Problem> {
    let session = owned(&server, &tenant, &session).await?;
    Ok(Json(with_links(&server, &tenant, session).await?))
}

/// Ends a session for everybody. One that is over already stays so.
#[utoipa::path(
    post, path = "/api/v1/sessions/{session}/end", operation_id = "endSession", security(("key" = [])),
    params(("session" = String, Path)),
    responses(
        (status = 204, description = "It is over."),
        (status = 401, description = "`bad-key`", body = shapes::Problem),
        (status = 404, description = "`unknown-session`", body = shapes::Problem),
    ),
)]
async fn end(
    State(server): State<Server>,
    Asking(tenant): Asking,
    Path(session): Path<String>,
) -> Result<StatusCode, Problem> {
    let session = owned(&server, &tenant, &session).await?;
    server.app.sessions.end(session).await.map_err(|error| match error {
        EndError::Find(error) => Refusal::from(&error),
        EndError::Refused(rejection) => rejection.into(),
        EndError::Stopped => Refusal::INTERNAL,
    })?;
    Ok(StatusCode::NO_CONTENT)
}

/// Everybody who has, or had, a seat in a session. Who does not agree that what they say is kept stands
/// under a code, the same as in exports, whatever name you sent them with: it comes with their number,
/// which your events have too.
#[utoipa::path(
    get, path = "/api/v1/sessions/{session}/people", operation_id = "listPeople", security(("key" = [])),
    params(("session" = String, Path)),
    responses(
        (status = 200, body = shapes::PersonList),
        (status = 401, description = "`bad-key`", body = shapes::Problem),
        (status = 404, description = "`unknown-session`", body = shapes::Problem),
    ),
)]
async fn people(
    State(server): State<Server>,
    Asking(tenant): Asking,
    Path(session): Path<String>,
) -> Result<Json<shapes::PersonList>, Problem> {
    let session = owned(&server, &tenant, &session).await?;
    let records = server.app.sessions.records(session).await.map_err(|it| Refusal::from(&it))?;
    let names = server.app.names(session, &records).await.map_err(failed)?;
    Ok(Json(shapes::PersonList { people: seated(names, &records) }))
}

/// What was said and written, as a document: `md`, `html`, `docx`, `pdf`, `xlsx`, `csv`, `json`, `vtt` or `srt`.
#[utoipa::path(
    get, path = "/api/v1/sessions/{session}/export", operation_id = "exportSession", security(("key" = [])),
    params(
        ("session" = String, Path),
        ("format" = String, Query, description = "`md`, `html`, `docx`, `pdf`, `xlsx`, `csv`, `json`, `vtt` or `srt`"),
        ("language" = Option<String>, Query, description = "`fi`, `sv` or `en`: of headings and labels"),
        ("rooms" = Option<String>, Query, description = "Only these, with commas between: `main,room-2`"),
        ("phases" = Option<String>, Query, description = "Only these phases of methods, by their ids"),
        ("kinds" = Option<String>, Query, description = "Only these: `said`, `note`, `card`, `line`, `topic`, `post`, `broadcast`, `unheard`"),
        ("summary" = Option<bool>, Query, description = "Only the page that sums the event up"),
        ("pseudonymous" = Option<bool>, Query, description = "Codes in place of names"),
        ("offset_min" = Option<i32>, Query, description = "The reader's clock ahead of universal time"),
    ),
    responses(
        (status = 200, description = "The document, as an attachment. It stands in the session's access log."),
        (status = 400, description = "`malformed`", body = shapes::Problem),
        (status = 401, description = "`bad-key`", body = shapes::Problem),
        (status = 404, description = "`unknown-session`", body = shapes::Problem),
        (status = 409, description = "`choose-room`: captions are of one room", body = shapes::Problem),
    ),
)]
async fn export(
    State(server): State<Server>,
    Asking(tenant): Asking,
    Path(session): Path<String>,
    query: Result<Query<ExportQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let session = owned(&server, &tenant, &session).await?;
    let Query(query) = query?;
    let wanted = exports::wanted(query).ok_or(Refusal::MALFORMED)?;
    Ok(exports::taken(&server, session, wanted, format!("api {tenant}")).await?)
}

/// A one-time ticket for somebody, for the address of a plain `<iframe>`: no token stands in a URL.
#[utoipa::path(
    post, path = "/api/v1/sessions/{session}/tickets", operation_id = "issueTicket", security(("key" = [])),
    params(("session" = String, Path)), request_body = shapes::NewTicket,
    responses(
        (status = 201, body = shapes::Ticket),
        (status = 400, description = "`malformed`, `bad-claims`", body = shapes::Problem),
        (status = 401, description = "`bad-key`", body = shapes::Problem),
        (status = 404, description = "`unknown-session`", body = shapes::Problem),
        (status = 503, description = "`server-full`: too many tickets wait", body = shapes::Problem),
    ),
)]
async fn ticket(
    State(server): State<Server>,
    Asking(tenant): Asking,
    Path(session): Path<String>,
    body: Result<Json<shapes::NewTicket>, JsonRejection>,
) -> Result<Response, Problem> {
    let session = owned(&server, &tenant, &session).await?;
    let Json(new) = body?;
    let valid_s = u64::from(new.valid_s.unwrap_or(TICKET_RIGHT_S));
    if !(60..=TOKEN_VALID_S_MAX).contains(&valid_s) {
        return Err(Problem::detailed(Refusal::MALFORMED, "valid_s must be from 60 to 86400"));
    }
    let person = tenants::person(new.person, new.name, new.tags, new.grants)?;
    let until_unix_s = unix_ms() / 1000 + valid_s;
    issued(&server, Right { session, role: new.role.into(), person, until_unix_s })
}

/// A one-time ticket in exchange for a token that your server has signed. The token is proof enough: no
/// key is asked for.
#[utoipa::path(
    post, path = "/api/v1/tickets", operation_id = "exchangeToken",
    request_body = shapes::TokenForTicket,
    responses(
        (status = 201, body = shapes::Ticket),
        (status = 401, description = "`bad-token`, `bad-claims`, `token-expired`", body = shapes::Problem),
        (status = 404, description = "`unknown-session`", body = shapes::Problem),
        (status = 503, description = "`server-full`: too many tickets wait", body = shapes::Problem),
    ),
)]
async fn ticket_for_token(
    State(server): State<Server>,
    body: Result<Json<shapes::TokenForTicket>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(shapes::TokenForTicket { token }) = body?;
    let (tenant, right) = server.tenants.right(&token, unix_ms() / 1000)?;
    owned(&server, &tenant.id, &right.session.to_string()).await?;
    issued(&server, right)
}

fn issued(server: &Server, right: Right) -> Result<Response, Problem> {
    let session = right.session;
    let ticket = server.tickets.issue(right, rand::random(), unix_ms());
    let ticket = ticket.ok_or(Refusal::SERVER_FULL)?;
    let frame = format!("{}/embed/{session}#{ticket}", server.app.config.public_url());
    let valid_s = u32::try_from(TICKET_VALID_MS / 1000).unwrap_or(u32::MAX);
    Ok((StatusCode::CREATED, Json(shapes::Ticket { ticket, frame, valid_s })).into_response())
}

/// The session of the address, if it is this tenant's; else there is none.
async fn owned(server: &Server, tenant: &TenantId, session: &str) -> Result<SessionId, Problem> {
    let session: SessionId = session.parse().map_err(|_| Refusal::UNKNOWN_SESSION)?;
    match server.app.tenant_of(session).await.map_err(failed)? {
        Some(owner) if owner == *tenant => Ok(session),
        _ => Err(Refusal::UNKNOWN_SESSION.into()),
    }
}

async fn with_links(
    server: &Server,
    tenant: &TenantId,
    session: SessionId,
) -> Result<shapes::SessionWithLinks, Problem> {
    let known = http::known(server, session).await?;
    let keep_days = server.app.keep_days(session).await.map_err(failed)?;
    let links = http::links(server, session, None);
    let url = |path: String| format!("{}{path}", server.app.config.public_url());
    tracing::debug!(%session, %tenant, "links given");
    Ok(shapes::SessionWithLinks {
        session: summary(known),
        keep_days,
        links: shapes::Links {
            host: url(links.host_path),
            join: url(links.join_path),
            review: url(links.review_path),
        },
    })
}

fn summary(it: SessionSummary) -> shapes::Session {
    shapes::Session {
        id: it.id.to_string(),
        title: it.title,
        language: it.language.into(),
        opened_unix_ms: it.opened_unix_ms,
        ended: it.ended,
    }
}

/// Each in the room where they are, or were when the session ended.
fn seated(names: BTreeMap<ParticipantId, String>, records: &[Record]) -> Vec<shapes::Person> {
    let mut places: BTreeMap<ParticipantId, RoomId> = BTreeMap::new();
    for record in records {
        match &record.fact {
            Fact::Placed { participant, room: Some(room) } => {
                places.insert(*participant, *room);
            }
            Fact::Placed { participant, room: None } => _ = places.remove(participant),
            Fact::StepBegan(began) => {
                began.rooms.iter().for_each(|it| regroup(&mut places, it));
            }
            Fact::MethodEnded => regroup(&mut places, &[]),
            _ => (),
        }
    }
    let person = |(id, name): (ParticipantId, String)| shapes::Person {
        participant: id.0,
        name,
        room: places.get(&id).map(|it| it.to_string()),
    };
    names.into_iter().map(person).collect()
}

fn failed(error: impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "the log cannot be read");
    Refusal::INTERNAL.into()
}
