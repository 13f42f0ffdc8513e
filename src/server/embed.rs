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
    domain::{ids::SessionId, limits::BODY_BYTES_MAX},
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
            let right = server.tokens.right(&token).ok_or(Refusal::BAD_TOKEN)?;
            if !is_parent(&server, &headers, &origin) {
                return Err(Refusal::ORIGIN_NOT_ALLOWED);
            }
            right
        }
        _ => return Err(Refusal::MALFORMED),
    };
    if right.session != session {
        return Err(Refusal::BAD_TOKEN);
    }
    let (_, title, ..) = http::opening(&server, session).await?;
    answer(&server, &right, title)
}

/// Whether pages of this origin may show us: those of the configuration, and our own.
fn is_parent(server: &Server, headers: &HeaderMap, origin: &str) -> bool {
    let own = headers.get(header::ORIGIN).is_some_and(|it| it.as_bytes() == origin.as_bytes());
    own || server.app.config.server.embed_parents.iter().any(|it| it == origin)
}

fn answer(server: &Server, right: &Right, title: String) -> Result<Json<Admitted>, Refusal> {
    let role = match right.role {
        Role::Participant => WireRole::Participant,
        Role::Facilitator => WireRole::Facilitator,
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
