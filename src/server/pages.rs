//! The web part, inside the binary. Every page is the same small document; its script looks at the
//! address. Whom a browser has taken somewhere in vain is told so by it, too, in their own language.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    middleware::Next,
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

/// Answers with a file, with the document for the addresses that are pages, or says that there is nothing.
/// Only the frame of a session may be shown by the pages of others, and only by those of whose session it
/// is.
pub async fn page(State(server): State<Server>, uri: Uri, headers: HeaderMap) -> Response {
    let frame = uri.path().strip_prefix("/embed/").and_then(|it| it.parse().ok());
    let mut response = match found(&uri) {
        Some(found) => found,
        // What a script asks for is under `api`, whatever it says of itself.
        None if is_visit(&headers) && !uri.path().starts_with("/api/") => {
            refused(Refusal::NOT_FOUND)
        }
        None => Refusal::NOT_FOUND.into_response(),
    };
    if let Some(session) = frame {
        let parents = embed::parents(&server, session).await.unwrap_or_default();
        let policy = http::content_security_policy(&server.app.config.server, &parents);
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Around a learning platform's addresses, to which browsers are sent with people in front of them: a
/// refusal becomes a page, with the same status, and one that the platforms' pages may show.
pub async fn visited(State(server): State<Server>, request: Request, next: Next) -> Response {
    let is_visit = is_visit(request.headers());
    let response = next.run(request).await;
    let Some(refusal) = response.extensions().get::<Refusal>().filter(|_| is_visit) else {
        return response;
    };
    let mut response = refused(*refusal);
    let platforms = server.tenants.iter().filter(|it| it.lti.is_some());
    let parents: Vec<String> = platforms.flat_map(|it| it.origins.clone()).collect();
    let policy = http::content_security_policy(&server.app.config.server, &parents);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// Whether a person is to read the answer, and no script.
fn is_visit(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|it| it.to_str().ok());
    accepted.is_some_and(|it| it.contains("text/html"))
}

/// The document with the code of what went wrong, which its script puts into words.
fn refused(refusal: Refusal) -> Response {
    let Some(document) = Files::get("index.html") else { return refusal.into_response() };
    let told = format!("<meta name=\"vuoro-fault\" content=\"{}\" />\n  </head>", refusal.code);
    let document = String::from_utf8_lossy(&document.data).replacen("</head>", &told, 1);
    let headers = [(header::CACHE_CONTROL, "no-store")];
    (refusal.status, headers, axum::response::Html(document)).into_response()
}

fn found(uri: &Uri) -> Option<Response> {
    let path = uri.path().trim_start_matches('/');
    if let Some(file) = Files::get(path).filter(|_| path.starts_with("assets/")) {
        // Their names have a hash of what is in them.
        return Some(respond(path, file, "public, max-age=31536000, immutable"));
    }
    if let Some(file) = Files::get(path).filter(|_| !path.is_empty() && path != "index.html") {
        return Some(respond(path, file, "no-cache"));
    }
    let first = path.split('/').next().unwrap_or_default();
    if !matches!(
        first,
        "" | "index.html" | "join" | "host" | "review" | "check" | "methods" | "embed" | "library"
    ) {
        return None;
    }
    Some(match Files::get("index.html") {
        Some(document) => respond("index.html", document, "no-cache"),
        None => (StatusCode::SERVICE_UNAVAILABLE, NOT_BUILT).into_response(),
    })
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
