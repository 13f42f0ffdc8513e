//! HTTP for reviewers: searching several sessions at once, and what stands around an entry. Each
//! session is proved by a token of its own; nothing is found in any other.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Json, Router,
    extract::{
        Path, Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::HeaderMap,
    routing::{delete, get, post},
};

use crate::{
    app::{
        piloting::{Pilot, Told},
        reading::{
            Comment, Counts, Digest, Entry, Hit, Kind, Outline, Part, ReadingError, RunOutline,
            Search, StepOutline, Stretch,
        },
        registry::FindError,
    },
    domain::{
        fact::CommentOn,
        ids::{ParticipantId, SessionId},
        limits::{QUERY_CHARS_MAX, SEARCH_RESULTS_MAX, SEARCH_SESSIONS_MAX},
    },
    server::{
        Server,
        error::Refusal,
        http,
        token::Role,
        wire::{
            BoardTheme, Collect, CommentAbout, EntryAbout, EntryRequest, NewComment, OutlinePerson,
            OutlinePhase, OutlineRoom, OutlineRun, OutlineStep, PastMethod, PastRequest,
            PastSession, PastSessions, PhaseOfMethod, PilotAbout, PilotTold, SearchAnswer,
            SearchCounts, SearchHit, SearchQuery, SearchRequest, SessionOutline, TextPart,
            WireKind, wire_ms,
        },
    },
};

pub fn router() -> Router<Server> {
    Router::new()
        .route("/api/search", post(search))
        .route("/api/sessions/{session}/search", get(search_one))
        .route("/api/entry", post(entry))
        .route("/api/past", post(past))
        .route("/api/sessions/{session}/outline", get(outline))
        .route("/api/sessions/{session}/board", post(collect))
        .route("/api/sessions/{session}/comments", post(comment))
        .route("/api/sessions/{session}/comments/{comment}", delete(uncomment))
}

async fn search_one(
    State(server): State<Server>,
    Path(session): Path<String>,
    query: Result<Query<SearchQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<SearchAnswer>, Refusal> {
    let session = reader(&server, &session, &headers)?;
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
    answer(&server, asked).await
}

async fn search(
    State(server): State<Server>,
    body: Result<Json<SearchRequest>, JsonRejection>,
) -> Result<Json<SearchAnswer>, Refusal> {
    let Json(request) = body.map_err(|it| refused(&it))?;
    let malformed = |_| Refusal::MALFORMED;
    let parsed = |texts: Vec<String>| -> Result<BTreeSet<SessionId>, Refusal> {
        texts.iter().map(|it| it.parse().map_err(malformed)).collect()
    };
    let asked = Search {
        text: request.q.chars().take(QUERY_CHARS_MAX).collect(),
        sessions: readable(&server, &request.tokens)?,
        within: parsed(request.sessions)?,
        participants: request.participants.into_iter().map(ParticipantId).collect(),
        rooms: request
            .rooms
            .iter()
            .map(|it| it.parse().map_err(malformed))
            .collect::<Result<_, _>>()?,
        kinds: request.kinds.into_iter().map(Kind::from).collect(),
        languages: request.languages.into_iter().map(Into::into).collect(),
        marks: request.marks.into_iter().map(Into::into).collect(),
        phases: request.phases.into_iter().map(|it| (it.method, it.phase)).collect(),
        questions: request.questions.into_iter().collect(),
        offset: u64::from(request.offset),
    };
    answer(&server, asked).await
}

async fn entry(
    State(server): State<Server>,
    body: Result<Json<EntryRequest>, JsonRejection>,
) -> Result<Json<EntryAbout>, Refusal> {
    let Json(request) = body.map_err(|it| refused(&it))?;
    let sessions = readable(&server, &request.tokens)?;
    let each_way = usize::try_from(request.around).unwrap_or(0).min(SEARCH_RESULTS_MAX);
    let found = server.app.moment(sessions, u64::from(request.seq), each_way).await;
    let found = found.map_err(|error| {
        tracing::error!(%error, "reading around an entry failed");
        Refusal::INTERNAL
    })?;
    let found = found.ok_or(Refusal::NOT_FOUND)?;
    Ok(Json(EntryAbout {
        around: found.around.iter().map(whole).collect(),
        alike: found.alike.iter().map(whole).collect(),
    }))
}

async fn past(
    State(server): State<Server>,
    body: Result<Json<PastRequest>, JsonRejection>,
) -> Result<Json<PastSessions>, Refusal> {
    let Json(request) = body.map_err(|it| refused(&it))?;
    let mut sessions = Vec::new();
    // Ids are in the order of opening.
    for session in readable(&server, &request.tokens)?.into_iter().rev() {
        let digest = match server.app.digest(session).await {
            Ok(digest) => digest,
            // Its time was over; the others are there still.
            Err(ReadingError::Find(FindError::Unknown)) => continue,
            Err(error) => return Err(failed(&error)),
        };
        sessions.push(past_session(session, digest, pilots(&server, session).await?));
    }
    Ok(Json(PastSessions { sessions }))
}

fn past_session(session: SessionId, it: Digest, pilots: Vec<PilotAbout>) -> PastSession {
    let method = |(id, name)| PastMethod { id, name };
    PastSession {
        session: session.to_string(),
        title: it.title,
        language: it.language.into(),
        opened_unix_ms: it.opened_unix_ms,
        ended: it.ended,
        people: u32::try_from(it.people).unwrap_or(u32::MAX),
        methods: it.methods.into_iter().map(method).collect(),
        questions: it.questions,
        themes: it.themes,
        pilots,
    }
}

/// What people say of how the methods of a session worked.
async fn pilots(server: &Server, session: SessionId) -> Result<Vec<PilotAbout>, Refusal> {
    let pilots = server.app.pilots(session).await.map_err(|error| {
        tracing::error!(%session, %error, "what people say of a method could not be read");
        Refusal::INTERNAL
    })?;
    let told = |it: Told| PilotTold {
        heard: it.heard,
        clear: it.clear,
        fresh: it.fresh,
        again: it.again,
        lines: it.lines,
    };
    let about = |(method, it): (String, Pilot)| PilotAbout {
        method,
        answers: it.answers,
        told: it.told.map(told),
    };
    Ok(pilots.into_iter().map(about).collect())
}

async fn outline(
    State(server): State<Server>,
    Path(session): Path<String>,
    headers: HeaderMap,
) -> Result<Json<SessionOutline>, Refusal> {
    let session = reader(&server, &session, &headers)?;
    let outline = server.app.outline(session).await.map_err(|it| failed(&it))?;
    told(&server, session, outline).await
}

async fn collect(
    State(server): State<Server>,
    Path(session): Path<String>,
    headers: HeaderMap,
    body: Result<Json<Collect>, JsonRejection>,
) -> Result<Json<SessionOutline>, Refusal> {
    let session = reader(&server, &session, &headers)?;
    let Json(Collect { seq, theme }) = body.map_err(|it| refused(&it))?;
    let outline = server.app.collect(session, u64::from(seq), theme).await;
    told(&server, session, outline.map_err(|it| failed(&it))?).await
}

async fn comment(
    State(server): State<Server>,
    Path(session): Path<String>,
    headers: HeaderMap,
    body: Result<Json<NewComment>, JsonRejection>,
) -> Result<Json<SessionOutline>, Refusal> {
    let session = reader(&server, &session, &headers)?;
    let Json(NewComment { seq, theme, name, text }) = body.map_err(|it| refused(&it))?;
    let on = match (seq, theme) {
        (Some(seq), None) => CommentOn::Entry(u64::from(seq)),
        (None, Some(theme)) => CommentOn::Theme(theme),
        _ => return Err(Refusal::MALFORMED),
    };
    let outline = server.app.comment(session, on, &name, &text).await;
    told(&server, session, outline.map_err(|it| failed(&it))?).await
}

async fn uncomment(
    State(server): State<Server>,
    Path((session, comment)): Path<(String, u64)>,
    headers: HeaderMap,
) -> Result<Json<SessionOutline>, Refusal> {
    let session = reader(&server, &session, &headers)?;
    let outline = server.app.uncomment(session, comment).await;
    told(&server, session, outline.map_err(|it| failed(&it))?).await
}

/// The session of the address, if its words may be read with this token.
fn reader(server: &Server, session: &str, headers: &HeaderMap) -> Result<SessionId, Refusal> {
    match http::authorized(server, session, headers)? {
        (session, Role::Facilitator | Role::Reviewer) => Ok(session),
        _ => Err(Refusal::NOT_ALLOWED),
    }
}

fn failed(error: &ReadingError) -> Refusal {
    match error {
        ReadingError::Find(error) => Refusal::from(error),
        ReadingError::UnknownEntry | ReadingError::UnknownComment => Refusal::NOT_FOUND,
        ReadingError::BadComment => Refusal::BAD_TEXT,
        ReadingError::BadTheme => Refusal::MALFORMED,
        ReadingError::BoardFull => Refusal::TOO_LARGE,
        ReadingError::Index(_) | ReadingError::Broken => {
            tracing::error!(%error, "reading a session failed");
            Refusal::INTERNAL
        }
    }
}

async fn told(
    server: &Server,
    session: SessionId,
    outline: Outline,
) -> Result<Json<SessionOutline>, Refusal> {
    let mut board = Vec::new();
    for (theme, entries) in outline.board {
        let entries = server.app.entries(session, entries).await.map_err(|it| failed(&it))?;
        board.push(BoardTheme { theme, entries: entries.iter().map(whole).collect() });
    }
    let run = |it: &RunOutline| OutlineRun {
        at_ms: wire_ms(it.at),
        method: it.method.id.clone(),
        name: it.method.name.clone(),
        question: it.question.clone(),
        phases: (it.method.phases.iter())
            .map(|it| OutlinePhase { id: it.id.clone(), name: it.name.clone() })
            .collect(),
        ideas: it.ideas.iter().cloned().map(Into::into).collect(),
    };
    let step = |it: &StepOutline| OutlineStep {
        at_ms: wire_ms(it.at),
        run: u32::try_from(it.run).unwrap_or(u32::MAX),
        phase: it.phase,
        round: it.round,
        rooms: (it.rooms.iter()).map(|it| it.iter().map(|it| it.0).collect()).collect(),
    };
    let codes = server.app.codes(session, outline.people.keys().copied().collect()).await;
    let mut codes = codes.map_err(|it| failed(&it))?;
    let person = |(id, name): (ParticipantId, Option<String>)| OutlinePerson {
        participant: id.0,
        named: name.is_some(),
        name: name.or_else(|| codes.remove(&id)).unwrap_or_default(),
    };
    let voice = |it: Stretch| (it.participant.0, wire_ms(it.span.start), wire_ms(it.span.end));
    let rooms = outline.rooms.into_iter().map(|(room, voices)| OutlineRoom {
        room: room.to_string(),
        voices: voices.into_iter().map(voice).collect(),
    });
    Ok(Json(SessionOutline {
        last_ms: wire_ms(outline.last),
        runs: outline.runs.iter().map(run).collect(),
        steps: outline.steps.iter().map(step).collect(),
        rooms: rooms.collect(),
        people: outline.people.into_iter().map(person).collect(),
        met: outline.met.iter().map(|((one, other), times)| (one.0, other.0, *times)).collect(),
        marks: outline.marks.iter().map(|(at, mark)| (wire_ms(*at), (*mark).into())).collect(),
        board,
        comments: outline.comments.into_iter().map(comment_about).collect(),
        pilots: pilots(server, session).await?,
    }))
}

fn comment_about(Comment { seq, on, name, unix_ms, text }: Comment) -> CommentAbout {
    let (entry, theme) = match on {
        CommentOn::Entry(entry) => (Some(clamped(entry)), None),
        CommentOn::Theme(theme) => (None, Some(theme)),
    };
    CommentAbout { comment: clamped(seq), seq: entry, theme, name, unix_ms, text }
}

/// An entry with nothing marked in it.
fn whole(entry: &Arc<Entry>) -> SearchHit {
    let parts = vec![Part { text: entry.text.clone(), hit: false }];
    SearchHit::from(Hit { entry: Arc::clone(entry), parts })
}

/// What a search finds, as pages know it.
pub async fn answer(server: &Server, asked: Search) -> Result<Json<SearchAnswer>, Refusal> {
    let found = server.app.search(asked).await.map_err(|error| {
        tracing::error!(%error, "a search failed");
        Refusal::INTERNAL
    })?;
    Ok(Json(SearchAnswer {
        total: clamped(found.total),
        hits: found.hits.into_iter().map(SearchHit::from).collect(),
        counts: found.counts.into(),
    }))
}

fn refused(rejection: &JsonRejection) -> Refusal {
    match rejection {
        JsonRejection::BytesRejection(_) => Refusal::TOO_LARGE,
        _ => Refusal::MALFORMED,
    }
}

/// The sessions that whoever has these tokens may read.
pub fn readable(server: &Server, tokens: &[String]) -> Result<BTreeSet<SessionId>, Refusal> {
    if SEARCH_SESSIONS_MAX < tokens.len() {
        return Err(Refusal::TOO_LARGE);
    }
    let of = |token: &String| match server.tokens.read(token) {
        Some((session, Role::Facilitator | Role::Reviewer)) => Ok(session),
        Some(_) => Err(Refusal::NOT_ALLOWED),
        None => Err(Refusal::BAD_TOKEN),
    };
    tokens.iter().map(of).collect()
}

fn clamped(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl From<Hit> for SearchHit {
    fn from(hit: Hit) -> Self {
        let entry = &hit.entry;
        let part = |it: Part| TextPart { text: it.text, hit: it.hit };
        SearchHit {
            seq: clamped(entry.seq),
            session: entry.session.to_string(),
            participant: entry.participant.map(|it| it.0),
            name: entry.name.clone(),
            room: entry.room.to_string(),
            start_ms: wire_ms(entry.span.start),
            end_ms: wire_ms(entry.span.end),
            unix_ms: entry.unix_ms,
            language: entry.language.into(),
            kind: entry.kind.into(),
            method: entry.method.clone(),
            phase: entry.phase.clone(),
            question: entry.question.clone(),
            marks: entry.marks,
            parts: hit.parts.into_iter().map(part).collect(),
        }
    }
}

impl From<Counts> for SearchCounts {
    fn from(counts: Counts) -> Self {
        fn each<K, V>(
            of: std::collections::BTreeMap<K, u64>,
            name: impl Fn(K) -> V,
        ) -> Vec<(V, u32)> {
            of.into_iter().map(|(key, count)| (name(key), clamped(count))).collect()
        }
        SearchCounts {
            sessions: each(counts.sessions, |it| it.to_string()),
            participants: each(counts.participants, |it| it.0),
            rooms: each(counts.rooms, |it| it.to_string()),
            kinds: each(counts.kinds, Into::into),
            languages: each(counts.languages, Into::into),
            marks: each(counts.marks, Into::into),
            phases: each(counts.phases, |(method, phase)| PhaseOfMethod { method, phase }),
            questions: each(counts.questions, |it| it),
        }
    }
}

impl From<WireKind> for Kind {
    fn from(it: WireKind) -> Kind {
        match it {
            WireKind::Said => Kind::Said,
            WireKind::Chat => Kind::Chat,
            WireKind::Note => Kind::Note,
            WireKind::Line => Kind::Line,
            WireKind::Card => Kind::Card,
            WireKind::Topic => Kind::Topic,
            WireKind::Idea => Kind::Idea,
            WireKind::Broadcast => Kind::Broadcast,
        }
    }
}

impl From<Kind> for WireKind {
    fn from(it: Kind) -> WireKind {
        match it {
            Kind::Said => WireKind::Said,
            Kind::Chat => WireKind::Chat,
            Kind::Note => WireKind::Note,
            Kind::Line => WireKind::Line,
            Kind::Card => WireKind::Card,
            Kind::Topic => WireKind::Topic,
            Kind::Idea => WireKind::Idea,
            Kind::Broadcast => WireKind::Broadcast,
        }
    }
}
