//! Frames in other people's pages: gives a right in exchange for what the page around the frame has
//! proved. A token never stands in a URL, and a frame never believes a page that its origin does not
//! speak for.

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, State, rejection::JsonRejection},
    http::{HeaderMap, header},
    routing::post,
};

use crate::{
    app::clock::unix_ms,
    domain::{
        ids::{SessionId, TenantId},
        limits::BODY_BYTES_MAX,
    },
    server::{
        Server,
        error::Refusal,
        http,
        token::{Right, Role},
        wire::{Admission, Admitted, WireRole},
    },
};

pub fn router() -> Router<Server> {
    Router::new()
        .route("/api/sessions/{session}/admission", post(admit))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

async fn admit(
    State(server): State<Server>,
    Path(session): Path<String>,
    headers: HeaderMap,
    body: Result<Json<Admission>, JsonRejection>,
) -> Result<Json<Admitted>, Refusal> {
    let session: SessionId = session.parse().map_err(|_| Refusal::UNKNOWN_SESSION)?;
    let Json(admission) = body.map_err(|_| Refusal::MALFORMED)?;
    let right = match admission {
        Admission { token: Some(token), origin: Some(origin), ticket: None } => {
            let right = proved(&server, &token, session).await?;
            let own =
                headers.get(header::ORIGIN).is_some_and(|it| it.as_bytes() == origin.as_bytes());
            if !own && !parents(&server, session).await?.contains(&origin) {
                return Err(Refusal::ORIGIN_NOT_ALLOWED);
            }
            right
        }
        // The browser has seen to it that no other page shows this one (`frame-ancestors`).
        Admission { token: None, origin: None, ticket: Some(ticket) } => {
            let right = server.tickets.redeem(&ticket, session, unix_ms());
            right.ok_or(Refusal::TICKET_USED)?
        }
        _ => return Err(Refusal::MALFORMED),
    };
    let known = http::known(&server, session).await?;
    answer(&server, &right, known.title)
}

/// What a token proves for this session: one of ours, or one that the session's tenant has signed.
async fn proved(server: &Server, token: &str, session: SessionId) -> Result<Right, Refusal> {
    if let Some(right) = server.tokens.right(token) {
        return if right.session == session { Ok(right) } else { Err(Refusal::BAD_TOKEN) };
    }
    let (tenant, right) = server.tenants.right(token, unix_ms() / 1000).map_err(|fault| {
        tracing::info!(%session, %fault, "a tenant's token is refused");
        Refusal::from(fault)
    })?;
    let owner = owner(server, session).await?;
    if right.session != session || owner.as_ref() != Some(&tenant.id) {
        return Err(Refusal::UNKNOWN_SESSION);
    }
    Ok(right)
}

/// Origins whose pages may show a session: its tenant's, or those of the server.
pub async fn parents(server: &Server, session: SessionId) -> Result<Vec<String>, Refusal> {
    Ok(match owner(server, session).await? {
        Some(tenant) => server.tenants.get(&tenant).map_or(Vec::new(), |it| it.origins.clone()),
        None => server.app.config.server.embed_parents.clone(),
    })
}

async fn owner(server: &Server, session: SessionId) -> Result<Option<TenantId>, Refusal> {
    server.app.tenant_of(session).await.map_err(|error| {
        tracing::error!(%session, %error, "whose session it is cannot be read");
        Refusal::INTERNAL
    })
}

fn answer(server: &Server, right: &Right, title: String) -> Result<Json<Admitted>, Refusal> {
    let role = match right.role {
        Role::Participant => WireRole::Participant,
        Role::Facilitator => WireRole::Facilitator,
        Role::Assistant => WireRole::Assistant,
        Role::Reviewer => WireRole::Reviewer,
        Role::Seat | Role::Own | Role::Check => return Err(Refusal::BAD_TOKEN),
    };
    let grants = right.person.grants.as_ref().map(|it| it.iter().copied().collect());
    Ok(Json(Admitted {
        token: server.tokens.admit(right),
        role,
        title,
        name: right.person.name.clone(),
        grants,
        valid_s: u32::try_from(right.valid_s()).unwrap_or(u32::MAX),
    }))
}
