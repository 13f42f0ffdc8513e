//! HTTP of methods: the gallery's list, a file to take along, a file that somebody has written, and
//! how a method would go. Public, as methods are no secret; it keeps nothing.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, State, rejection::JsonRejection},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};

use tokio::sync::Semaphore;

use crate::{
    app::methods::{DOCUMENT_BYTES_MAX, MethodError, parse, to_toml},
    domain::{
        limits::{MESSAGE_BYTES_MAX, SESSION_PEOPLE_MAX},
        method::{Method, check},
        preview::{Preview, PreviewStep, preview},
        run::Grouping,
    },
    server::{
        Server,
        error::Refusal,
        wire::{MethodChecked, MethodFault, MethodList, Plan, PlanRequest, PlanStep, wire_ms_of},
    },
};

/// Plans made at the same time: the next one waits. Anybody may ask, and a long method for three
/// hundred people costs a second of a core.
static PLANS_AT_ONCE: Semaphore = Semaphore::const_new(1);

/// Chance of a plan that is only looked at; the session throws its own.
const PREVIEW_SEED: u64 = 1;

pub fn router() -> Router<Server> {
    Router::new()
        .route("/api/methods", get(all))
        .route("/api/methods/{file}", get(file))
        .route("/api/methods/check", post(checked))
        .route("/api/methods/toml", post(as_file))
        .route("/api/methods/plan", post(plan))
        .layer(DefaultBodyLimit::max(MESSAGE_BYTES_MAX.max(DOCUMENT_BYTES_MAX)))
}

async fn all(State(server): State<Server>) -> Json<MethodList> {
    Json(MethodList { methods: server.app.methods.all().to_vec() })
}

/// `ID.toml`.
async fn file(State(server): State<Server>, Path(file): Path<String>) -> Result<Response, Refusal> {
    let method = file.strip_suffix(".toml").and_then(|id| server.app.methods.get(id));
    Ok(document(method.ok_or(Refusal::NOT_FOUND)?))
}

async fn checked(text: String) -> Json<MethodChecked> {
    Json(match parse(&text) {
        Ok(method) => MethodChecked { method: Some(method), faults: Vec::new() },
        Err(errors) => {
            let fault = |it: &MethodError| MethodFault {
                line: u32::try_from(it.line).unwrap_or(u32::MAX),
                text: it.told(),
            };
            MethodChecked { method: None, faults: errors.iter().map(fault).collect() }
        }
    })
}

async fn as_file(body: Result<Json<Method>, JsonRejection>) -> Result<Response, Refusal> {
    Ok(document(&valid(read(body)?)?))
}

async fn plan(body: Result<Json<PlanRequest>, JsonRejection>) -> Result<Json<Plan>, Refusal> {
    let PlanRequest { method, people } = read(body)?;
    let method = Arc::new(valid(method)?);
    let people = people.min(u16::try_from(SESSION_PEOPLE_MAX).unwrap_or(u16::MAX));
    let _turn = PLANS_AT_ONCE.acquire().await.map_err(|_| Refusal::INTERNAL)?;
    let seen =
        tokio::task::spawn_blocking(move || preview(&method, usize::from(people), PREVIEW_SEED));
    let seen = seen.await.map_err(|error| {
        tracing::error!(%error, "a plan failed");
        Refusal::INTERNAL
    })?;
    Ok(Json(plan_of(seen, people)))
}

fn read<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, Refusal> {
    body.map(|it| it.0).map_err(|it| match it {
        JsonRejection::BytesRejection(_) => Refusal::TOO_LARGE,
        _ => Refusal::MALFORMED,
    })
}

fn valid(method: Method) -> Result<Method, Refusal> {
    if check::check(&method).is_empty() { Ok(method) } else { Err(Refusal::BAD_METHOD) }
}

fn document(method: &Method) -> Response {
    let name = format!("attachment; filename=\"{}.toml\"", method.id);
    let name = HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("attachment"));
    let kind = HeaderValue::from_static("application/toml; charset=utf-8");
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)];
    (headers, to_toml(method)).into_response()
}

fn plan_of(seen: Preview, people: u16) -> Plan {
    let number = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
    Plan {
        people,
        length_ms: wire_ms_of(seen.length_ms),
        repeats: number(seen.repeats),
        partners_min: number(seen.partners_min),
        partners_mean: seen.partners_mean,
        partners_max: number(seen.partners_max),
        steps: seen.steps.into_iter().map(step_of).collect(),
    }
}

fn step_of(step: PreviewStep) -> PlanStep {
    PlanStep {
        phase: step.place.phase,
        round: step.place.round,
        of: step.place.of,
        length_ms: step.length_ms.map(wire_ms_of),
        rooms: numbers(&step.rooms),
        repeats: u32::try_from(step.repeats).unwrap_or(u32::MAX),
    }
}

/// People of a preview are numbered from 1, those of a plan from 0.
fn numbers(rooms: &Grouping) -> Vec<Vec<u16>> {
    let number = |it: &crate::domain::ids::ParticipantId| {
        u16::try_from(it.0.saturating_sub(1)).unwrap_or(u16::MAX)
    };
    rooms.iter().map(|room| room.iter().map(number).collect()).collect()
}
