//! HTTP of what can be taken away: a session in a format of one's choice, written while it is sent,
//! and who has done so. Each taking is on disk in the access log before the first byte leaves.

use std::{
    collections::BTreeSet,
    io::{self, BufWriter, Write},
    str::FromStr,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::{
    app::exporting::{
        Document, ExportError, Format, Kind, Look, SCHEMA, Selection, Wanted, file_name, what,
        write,
    },
    domain::{ids::SessionId, language::Language},
    server::{
        Server,
        error::Refusal,
        http::{authorized, bearer},
        token::Role,
        wire::{AccessAbout, AccessList, ExportQuery},
    },
};

/// Pieces of a document that wait for the network; the writing waits when there are more.
const PIECES_MAX: usize = 8;

/// Bytes in one piece.
const PIECE_BYTES: usize = 64 * 1024;

/// Minutes that a clock on Earth can be away from universal time.
const OFFSET_MIN_MAX: i32 = 14 * 60;

pub fn router() -> Router<Server> {
    Router::new()
        .route("/api/sessions/{session}/export", get(export))
        .route("/api/sessions/{session}/accesses", get(accesses))
        .route("/api/export.schema.json", get(schema))
}

async fn schema() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/schema+json")], SCHEMA)
}

async fn export(
    State(server): State<Server>,
    Path(session): Path<String>,
    query: Result<Query<ExportQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (session, role) = authorized(&server, &session, &headers)?;
    if !matches!(role, Role::Facilitator | Role::Reviewer) {
        return Err(Refusal::NOT_ALLOWED);
    }
    let Query(query) = query.map_err(|_| Refusal::MALFORMED)?;
    let wanted = wanted(query).ok_or(Refusal::MALFORMED)?;
    taken(&server, session, wanted, who(role, &headers)).await
}

/// The answer with the document, once it stands in the access log.
pub async fn taken(
    server: &Server,
    session: SessionId,
    wanted: Wanted,
    who: String,
) -> Result<Response, Refusal> {
    let (document, wanted) = server.app.document(session, wanted).await.map_err(|error| {
        if let ExportError::Log(error) = &error {
            tracing::error!(%session, %error, "an export failed");
        }
        Refusal::from(&error)
    })?;
    server.app.note_access(session, who, what(&wanted)).await.map_err(|error| {
        tracing::error!(%session, %error, "an access could not be noted");
        Refusal::INTERNAL
    })?;
    Ok(sent(document, wanted))
}

/// The answer, written on a thread of its own while it is read.
fn sent(document: Document, wanted: Wanted) -> Response {
    let name = file_name(&document, wanted.format);
    let kind = HeaderValue::from_static(wanted.format.media_type());
    let disposition = format!("attachment; filename=\"{name}\"");
    let disposition =
        HeaderValue::from_str(&disposition).unwrap_or(HeaderValue::from_static("attachment"));
    let (pieces, written) = mpsc::channel(PIECES_MAX);
    tokio::task::spawn_blocking(move || {
        let mut out = BufWriter::with_capacity(PIECE_BYTES, Pieces(pieces));
        let whole = write(&document, &wanted, &mut out, &mut |_| ()).and_then(|()| out.flush());
        // Who has gone away needs no more of it.
        if whole.is_ok()
            && let Ok(Pieces(pieces)) = out.into_inner()
        {
            let _ = pieces.blocking_send(Piece::End);
        }
    });
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, disposition)];
    (headers, body(written)).into_response()
}

fn body(mut written: mpsc::Receiver<Piece>) -> Body {
    let mut whole = false;
    // Whoever reads must not take half of a document for one: without its end the answer breaks off.
    let stream = futures_util::stream::poll_fn(move |context| {
        written.poll_recv(context).map(|piece| match piece {
            Some(Piece::Bytes(bytes)) => Some(Ok(bytes)),
            Some(Piece::End) => {
                whole = true;
                None
            }
            None if whole => None,
            None => {
                // Said once; then there is nothing more.
                whole = true;
                Some(Err(io::Error::from(io::ErrorKind::UnexpectedEof)))
            }
        })
    });
    Body::from_stream(stream)
}

enum Piece {
    Bytes(Bytes),
    /// All of it has been written.
    End,
}

struct Pieces(mpsc::Sender<Piece>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Piece::Bytes(Bytes::copy_from_slice(bytes));
        self.0.blocking_send(piece).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `None`: a word in it is none of ours.
pub fn wanted(query: ExportQuery) -> Option<Wanted> {
    let language = query.language.map_or(Language::default(), Language::from);
    let offset_min = query.offset_min.unwrap_or(0).clamp(-OFFSET_MIN_MAX, OFFSET_MIN_MAX);
    Some(Wanted {
        format: Format::from_code(&query.format)?,
        look: Look { language, offset_min },
        selection: Selection {
            rooms: listed(&query.rooms, |it| FromStr::from_str(it).ok())?,
            phases: listed(&query.phases, |it| Some(it.to_owned()))?,
            kinds: listed(&query.kinds, Kind::from_code)?,
            summary: query.summary,
        },
        pseudonymous: query.pseudonymous,
        own: None,
    })
}

/// Words between commas.
fn listed<T: Ord>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<BTreeSet<T>> {
    text.split(',').filter(|it| !it.is_empty()).map(read).collect()
}

async fn accesses(
    State(server): State<Server>,
    Path(session): Path<String>,
    headers: HeaderMap,
) -> Result<Json<AccessList>, Refusal> {
    let (session, role) = authorized(&server, &session, &headers)?;
    if role != Role::Facilitator {
        return Err(Refusal::NOT_ALLOWED);
    }
    let accesses = server.app.accesses(session).await.map_err(|error| {
        tracing::error!(%session, %error, "the access log cannot be read");
        Refusal::INTERNAL
    })?;
    let about = |it: crate::app::exporting::Access| AccessAbout {
        unix_ms: it.unix_ms,
        who: it.who,
        what: it.what,
    };
    Ok(Json(AccessList { accesses: accesses.into_iter().map(about).collect() }))
}

/// A role, and a mark of the link they came by: enough to tell two links apart, useless as a link.
pub fn who(role: Role, headers: &HeaderMap) -> String {
    let role = match role {
        Role::Participant => "participant",
        Role::Facilitator => "facilitator",
        Role::Assistant => "assistant",
        Role::Reviewer => "reviewer",
        Role::Seat | Role::Own | Role::Check => "person",
    };
    let digest = Sha256::digest(bearer(headers).unwrap_or_default().as_bytes());
    let mark: String = digest.iter().take(4).map(|it| format!("{it:02x}")).collect();
    format!("{role} {mark}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn half_a_document_is_told_from_a_whole_one() {
        for (ends, is_whole) in [(true, true), (false, false)] {
            let (pieces, written) = mpsc::channel(PIECES_MAX);
            let half = Piece::Bytes(Bytes::from_static(b"# Kev\xc3\xa4t"));
            assert!(pieces.send(half).await.is_ok());
            if ends {
                assert!(pieces.send(Piece::End).await.is_ok());
            }
            drop(pieces);
            let read = axum::body::to_bytes(body(written), 1_000).await;
            assert_eq!(read.is_ok(), is_whole);
        }
    }
}
