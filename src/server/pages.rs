//! The web part, inside the binary. Every page is the same small document; its script looks at the
//! address.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

use crate::server::{Server, embed, error::Refusal, http};

/// Built by Vite before the binary is.
#[derive(rust_embed::RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Files;

/// What stands where the web part should be when it has not been built.
const NOT_BUILT: &str = "The web part is not in this binary. Build it first: scripts/start does.\n";

/// Answers with a file, or with the document for the addresses that are pages. Only the frame of a session
/// may be shown by the pages of others, and only by those of whose session it is.
pub async fn page(State(server): State<Server>, uri: Uri) -> Response {
    let frame = uri.path().strip_prefix("/embed/").and_then(|it| it.parse().ok());
    let mut response = found(&uri);
    if let Some(session) = frame {
        let parents = embed::parents(&server, session).await.unwrap_or_default();
        let policy = http::content_security_policy(&server.app.config.server, &parents);
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn found(uri: &Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    if let Some(file) = Files::get(path).filter(|_| path.starts_with("assets/")) {
        // Their names have a hash of what is in them.
        return respond(path, file, "public, max-age=31536000, immutable");
    }
    if let Some(file) = Files::get(path).filter(|_| !path.is_empty() && path != "index.html") {
        return respond(path, file, "no-cache");
    }
    let first = path.split('/').next().unwrap_or_default();
    if !matches!(
        first,
        "" | "index.html" | "join" | "host" | "review" | "check" | "methods" | "embed"
    ) {
        return Refusal::NOT_FOUND.into_response();
    }
    match Files::get("index.html") {
        Some(document) => respond("index.html", document, "no-cache"),
        None => (StatusCode::SERVICE_UNAVAILABLE, NOT_BUILT).into_response(),
    }
}

fn respond(path: &str, file: rust_embed::EmbeddedFile, cache: &'static str) -> Response {
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let mut headers = HeaderMap::new();
    if let Ok(kind) = HeaderValue::from_str(kind.as_ref()) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    (headers, Body::from(file.data.into_owned())).into_response()
}
