//! HTTP of checking: a person sees, corrects and takes back what is kept of them, by a link of their
//! own that is good for some days; and a facilitator takes a person out at their wish. Who comes with
//! another right sees nothing.

use axum::{
    Json, Router,
    extract::{Path, Query, State, rejection::JsonRejection, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::{get, post},
};

use crate::{
    app::{
        exporting::{Look, Selection, Wanted},
        keeping::{How, KeepingError, Own},
        piloting::{Answer, Level, PilotError},
    },
    domain::{
        ids::{ParticipantId, SessionId},
        rejection::Rejection,
    },
    server::{
        Server,
        error::Refusal,
        exports::{self, who},
        http::{authorized, bearer},
        token::Role,
        wire::{
            CheckLink, CheckWish, ExportQuery, OwnLine, OwnWords, PilotWish, WireLevel, wire_ms,
        },
    },
};

const DAY_S: u64 = 24 * 3_600;

pub fn router() -> Router<Server> {
    Router::new()
        .route("/api/sessions/{session}/check-link", get(link))
        .route("/api/sessions/{session}/own", get(own).post(wish))
        .route("/api/sessions/{session}/pilot", post(pilot))
        .route("/api/sessions/{session}/own/export", get(export))
        .route("/api/sessions/{session}/people/{participant}/erase", post(erase))
}

/// For who sits, or sat, in a seat: the link by which they check their words later. The way back to the
/// seat is no proof of that: a page around ours may keep it.
async fn link(
    State(server): State<Server>,
    Path(session): Path<String>,
    headers: HeaderMap,
) -> Result<Json<CheckLink>, Refusal> {
    let session: SessionId = session.parse().map_err(|_| Refusal::UNKNOWN_SESSION)?;
    let token = bearer(&headers).ok_or(Refusal::BAD_TOKEN)?;
    let participant = server.tokens.read_own(token, session).ok_or(Refusal::BAD_TOKEN)?;
    let days = server.app.config.notes.check_days;
    let token = server.tokens.check(session, participant, u64::from(days) * DAY_S);
    Ok(Json(CheckLink { path: format!("/check/{session}#{token}"), days }))
}

/// For who sat in a seat: how the method worked. The seat only proves that nobody says it twice.
async fn pilot(
    State(server): State<Server>,
    Path(session): Path<String>,
    headers: HeaderMap,
    body: Result<Json<PilotWish>, JsonRejection>,
) -> Result<StatusCode, Refusal> {
    let session: SessionId = session.parse().map_err(|_| Refusal::UNKNOWN_SESSION)?;
    let token = bearer(&headers).ok_or(Refusal::BAD_TOKEN)?;
    let participant = server.tokens.read_own(token, session).ok_or(Refusal::BAD_TOKEN)?;
    let Json(PilotWish { heard, clear, fresh, again, line }) =
        body.map_err(|_| Refusal::MALFORMED)?;
    let level = |it: Option<WireLevel>| it.map(Level::from);
    let answer = Answer {
        heard: level(heard),
        clear: level(clear),
        fresh: level(fresh),
        again: level(again),
        line,
    };
    let answered = server.app.answer_pilot(session, participant, answer).await;
    answered.map_err(|error| match error {
        PilotError::Unknown => Refusal::UNKNOWN_SESSION,
        PilotError::GoesOn => Refusal::GOES_ON,
        PilotError::BadAnswer => Refusal::BAD_TEXT,
        PilotError::Log(_) | PilotError::Broken => {
            tracing::error!(%error, "what somebody says of a method could not be kept");
            Refusal::INTERNAL
        }
    })?;
    Ok(StatusCode::NO_CONTENT)
}

async fn own(
    State(server): State<Server>,
    Path(session): Path<String>,
    headers: HeaderMap,
) -> Result<Json<OwnWords>, Refusal> {
    let (session, participant) = checker(&server, &session, &headers)?;
    answer(&server, session, participant, &headers).await
}

async fn wish(
    State(server): State<Server>,
    Path(session): Path<String>,
    headers: HeaderMap,
    body: Result<Json<CheckWish>, JsonRejection>,
) -> Result<Json<OwnWords>, Refusal> {
    let (session, participant) = checker(&server, &session, &headers)?;
    let Json(wish) = body.map_err(|_| Refusal::MALFORMED)?;
    let app = &server.app;
    // Nothing is taken back from a session that goes on.
    app.own(session, participant).await.map_err(refusal)?;
    match wish {
        CheckWish::Correct { number, text } => {
            app.correct_line(session, participant, u64::from(number), Some(&text)).await
        }
        CheckWish::Strike { number } => {
            app.correct_line(session, participant, u64::from(number), None).await
        }
        CheckWish::WithdrawName => app.take_back(session, participant, false).await,
        CheckWish::EraseAll => app.take_back(session, participant, true).await,
        CheckWish::Approve => app.approve(session, participant).await,
    }
    .map_err(refusal)?;
    answer(&server, session, participant, &headers).await
}

async fn answer(
    server: &Server,
    session: SessionId,
    participant: ParticipantId,
    headers: &HeaderMap,
) -> Result<Json<OwnWords>, Refusal> {
    let own = server.app.own(session, participant).await.map_err(refusal)?;
    let keep_days = server.app.keep_days(session).await.map_err(|it| refusal(it.into()))?;
    let until_unix_ms = bearer(headers).and_then(|it| server.tokens.until_unix_ms(it));
    Ok(Json(words(&own, participant, keep_days, until_unix_ms.unwrap_or(0))))
}

fn words(own: &Own, participant: ParticipantId, keep_days: u32, until_unix_ms: u64) -> OwnWords {
    let line = |it: &crate::app::exporting::Line| OwnLine {
        number: u32::try_from(it.seq).unwrap_or(u32::MAX),
        kind: it.kind.code().to_owned(),
        room: it.room.to_string(),
        start_ms: wire_ms(it.span.start),
        language: it.language.map(Into::into),
        text: it.text.clone(),
        corrected: own.is_corrected(it.seq),
    };
    let mut lines: Vec<_> = own.lines().collect();
    lines.sort_by_key(|it| (it.span.start, it.seq));
    OwnWords {
        title: own.document.title.clone(),
        language: own.document.language.into(),
        opened_unix_ms: own.document.opened_unix_ms,
        name: own.document.name(participant).to_owned(),
        name_withdrawn: own.has(How::NameWithdrawn) || own.has(How::Erased),
        approved: own.has(How::Approved),
        struck: own.checks.iter().filter(|it| it.how == How::Struck).count() as u32,
        keep_days,
        until_unix_ms,
        lines: lines.into_iter().map(line).collect(),
    }
}

/// What a person may take along: all that is kept of them.
async fn export(
    State(server): State<Server>,
    Path(session): Path<String>,
    query: Result<Query<ExportQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (session, participant) = checker(&server, &session, &headers)?;
    let Query(query) = query.map_err(|_| Refusal::MALFORMED)?;
    let Wanted { format, look: Look { language, offset_min }, .. } =
        exports::wanted(query).ok_or(Refusal::MALFORMED)?;
    let wanted = Wanted {
        format,
        look: Look { language, offset_min },
        selection: Selection::default(),
        pseudonymous: false,
        own: Some(participant),
    };
    exports::taken(&server, session, wanted, who(Role::Check, &headers)).await
}

async fn erase(
    State(server): State<Server>,
    Path((session, participant)): Path<(String, u32)>,
    headers: HeaderMap,
) -> Result<(), Refusal> {
    let (session, role) = authorized(&server, &session, &headers)?;
    if role != Role::Facilitator {
        return Err(Refusal::NOT_ALLOWED);
    }
    let participant = ParticipantId(participant);
    server.app.take_back(session, participant, true).await.map_err(refusal)?;
    let what = format!("erase {participant}");
    server
        .app
        .note_access(session, who(role, &headers), what)
        .await
        .map_err(|it| refusal(it.into()))
}

/// The session of the address and the person whose link it is.
fn checker(
    server: &Server,
    session: &str,
    headers: &HeaderMap,
) -> Result<(SessionId, ParticipantId), Refusal> {
    let session: SessionId = session.parse().map_err(|_| Refusal::UNKNOWN_SESSION)?;
    let token = bearer(headers).ok_or(Refusal::BAD_TOKEN)?;
    let participant = server.tokens.read_check(token, session).ok_or(Refusal::BAD_TOKEN)?;
    Ok((session, participant))
}

impl From<WireLevel> for Level {
    fn from(it: WireLevel) -> Level {
        match it {
            WireLevel::No => Level::No,
            WireLevel::Little => Level::Little,
            WireLevel::Mostly => Level::Mostly,
            WireLevel::Yes => Level::Yes,
        }
    }
}

fn refusal(error: KeepingError) -> Refusal {
    match error {
        KeepingError::Unknown => Refusal::NOT_FOUND,
        KeepingError::GoesOn => Refusal::GOES_ON,
        KeepingError::BadText => Refusal::BAD_TEXT,
        KeepingError::TooMany => Rejection::TooFast.into(),
        KeepingError::Log(_) | KeepingError::Index(_) | KeepingError::Broken => {
            tracing::error!(%error, "checking failed");
            Refusal::INTERNAL
        }
    }
}
