//! What the requests of several parts need: who asks, what a session is called and under which
//! addresses, and from where a page may take what it shows. Answers nothing itself.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::{
    app::{config::ServerConfig, tenancy::SessionSummary},
    domain::ids::SessionId,
    server::{
        Server,
        error::Refusal,
        token::{Person, Right, Role},
        wire::SessionCreated,
    },
};

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

/// The session of the address, and as what the bearer may see it.
pub(super) fn authorized(
    server: &Server,
    session: &str,
    headers: &HeaderMap,
) -> Result<(SessionId, Role), Refusal> {
    right(server, session, headers).map(|it| (it.session, it.role))
}

/// As `authorized`, with everything that the bearer's token proves.
pub(super) fn right(server: &Server, session: &str, headers: &HeaderMap) -> Result<Right, Refusal> {
    let session: SessionId = session.parse().map_err(|_| Refusal::UNKNOWN_SESSION)?;
    let token = bearer(headers).ok_or(Refusal::BAD_TOKEN)?;
    server.tokens.right(token).filter(|it| it.session == session).ok_or(Refusal::BAD_TOKEN)
}

pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// What is known of a session without reading it: everybody who comes asks for its title.
pub(super) async fn known(server: &Server, session: SessionId) -> Result<SessionSummary, Refusal> {
    server.app.sessions.about(session).await.map_err(|it| Refusal::from(&it))
}

/// `asks`: with which right, if with one. Whom a tenant lets in for some minutes leads and reads for no longer,
/// and gets their own right back as the host's. To take part, whom a host invites may come as long as
/// to anybody's session.
pub(super) fn links(server: &Server, session: SessionId, asks: Option<&Right>) -> SessionCreated {
    let guest = asks.filter(|it| it.person.external.is_some());
    let token = |role| match guest {
        Some(own) if own.role == role => server.tokens.admit(own),
        Some(own) if role != Role::Participant => {
            let person = Person::default();
            server.tokens.admit(&Right { session, role, person, until_unix_s: own.until_unix_s })
        }
        _ => server.tokens.link(session, role),
    };
    let path = |page: &str, role| format!("/{page}/{session}#{}", token(role));
    SessionCreated {
        session: session.to_string(),
        host_path: path("host", Role::Facilitator),
        join_path: path("join", Role::Participant),
        review_path: path("review", Role::Reviewer),
    }
}
