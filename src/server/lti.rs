//! LTI 1.3: Moodle and other learning platforms open a session inside their own page. The platform proves
//! who comes (OpenID Connect, implicit flow with `form_post`), and they go on with a one-time ticket, so
//! that no cookie is needed and no token stands in an address. Only the launch is spoken here, no grades
//! and no rosters.
//!
//! Source: 1EdTech, LTI Core 1.3 and Security Framework 1.0, sections 5.1.1 to 5.1.3.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Form, Router,
    extract::{
        DefaultBodyLimit, Query, State, rejection::FormRejection, rejection::QueryRejection,
    },
    response::Redirect,
    routing::{get, post},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use serde::Deserialize;

use crate::{
    app::{clock::unix_ms, config::tenants::LtiConfig},
    domain::{
        ids::{SessionId, TenantId},
        limits::{BODY_BYTES_MAX, NAME_CHARS_MAX},
    },
    server::{
        Server,
        error::Refusal,
        tenants::{self, Tenant},
        token::{Right, Role},
    },
};

/// How long what somebody gets by a launch is good for: there is nobody who would renew it.
const RIGHT_S: u64 = 12 * 3_600;

/// Characters of what a platform hands through us to itself.
const HINT_CHARS_MAX: usize = 2_000;

/// How long a platform's keys are believed, and how often unknown ones are asked for at most.
const KEYS_VALID_MS: u64 = 3_600_000;
const KEYS_EVERY_MS: u64 = 30_000;

/// How long a platform may take to tell its keys, and how many bytes they may be.
const KEYS_WITHIN: Duration = Duration::from_secs(5);
const KEYS_BYTES_MAX: u64 = 64 * 1024;

pub fn router() -> Router<Server> {
    Router::new()
        .route("/lti/login", get(login_by_address).post(login_by_form))
        .route("/lti/launch", post(launch))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

/// A platform says that somebody is about to come.
#[derive(Deserialize)]
struct Login {
    iss: String,
    login_hint: String,
    #[serde(default)]
    client_id: Option<String>,
    #[serde(default)]
    lti_message_hint: Option<String>,
}

async fn login_by_address(
    server: State<Server>,
    login: Result<Query<Login>, QueryRejection>,
) -> Result<Redirect, Refusal> {
    login_of(&server, login.map_err(|_| Refusal::MALFORMED)?.0)
}

async fn login_by_form(
    server: State<Server>,
    login: Result<Form<Login>, FormRejection>,
) -> Result<Redirect, Refusal> {
    login_of(&server, login.map_err(|_| Refusal::MALFORMED)?.0)
}

/// Sends the browser to the platform, to prove who it is. The address is the configuration's, whatever
/// the request says.
fn login_of(server: &Server, login: Login) -> Result<Redirect, Refusal> {
    let Login { iss, login_hint, client_id, lti_message_hint } = login;
    let hint = lti_message_hint.unwrap_or_default();
    if HINT_CHARS_MAX < login_hint.len() || HINT_CHARS_MAX < hint.len() {
        return Err(Refusal::TOO_LARGE);
    }
    let fits = |it: &LtiConfig| {
        it.issuer == iss && client_id.as_ref().is_none_or(|id| *id == it.client_id)
    };
    let mut found = server.tenants.iter().filter_map(|it| Some((it, it.lti.as_ref()?)));
    let (tenant, platform) = found.find(|it| fits(it.1)).ok_or(Refusal::UNKNOWN_PLATFORM)?;
    let nonce = BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    let state = server.tokens.launch(&tenant.id, &nonce);
    let redirect = format!("{}/lti/launch", server.app.config.public_url());
    let mut address = platform.authorization.clone();
    let mut before = if address.contains('?') { '&' } else { '?' };
    for (name, value) in [
        ("scope", "openid"),
        ("response_type", "id_token"),
        ("response_mode", "form_post"),
        ("prompt", "none"),
        ("client_id", platform.client_id.as_str()),
        ("redirect_uri", redirect.as_str()),
        ("login_hint", login_hint.as_str()),
        ("lti_message_hint", hint.as_str()),
        ("state", state.as_str()),
        ("nonce", nonce.as_str()),
    ] {
        if !value.is_empty() {
            address.push(before);
            address.push_str(name);
            address.push('=');
            address.push_str(&in_address(value));
            before = '&';
        }
    }
    Ok(Redirect::to(&address))
}

/// As a value of a query (RFC 3986).
fn in_address(text: &str) -> String {
    let byte = |it: u8| match it {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(it).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// The platform has seen who it is.
#[derive(Deserialize)]
struct Launch {
    #[serde(default)]
    id_token: Option<String>,
    #[serde(default)]
    state: Option<String>,
}

/// What we read of the platform's token; it has much more.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    nonce: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(rename = "https://purl.imsglobal.org/spec/lti/claim/message_type")]
    message_type: String,
    #[serde(rename = "https://purl.imsglobal.org/spec/lti/claim/version")]
    version: String,
    #[serde(rename = "https://purl.imsglobal.org/spec/lti/claim/deployment_id")]
    deployment_id: String,
    #[serde(rename = "https://purl.imsglobal.org/spec/lti/claim/roles", default)]
    roles: Vec<String>,
    #[serde(rename = "https://purl.imsglobal.org/spec/lti/claim/custom", default)]
    custom: BTreeMap<String, serde_json::Value>,
}

async fn launch(
    State(server): State<Server>,
    form: Result<Form<Launch>, FormRejection>,
) -> Result<Redirect, Refusal> {
    let Form(Launch { id_token, state }) = form.map_err(|_| Refusal::MALFORMED)?;
    // A platform where somebody is logged out, for example, sends an `error` in their place.
    let (Some(id_token), Some(state)) = (id_token, state) else { return Err(Refusal::BAD_TOKEN) };
    // Who waited too long, or went back in their browser.
    let (tenant, nonce) = server.tokens.read_launch(&state).ok_or(Refusal::TICKET_USED)?;
    let tenant = server.tenants.get(&tenant).ok_or(Refusal::UNKNOWN_PLATFORM)?;
    let platform = tenant.lti.as_ref().ok_or(Refusal::UNKNOWN_PLATFORM)?;
    let claims = proved(&server, tenant, platform, &id_token).await?;
    if claims.nonce != nonce || !server.launches.first(&nonce, unix_ms()) {
        return Err(Refusal::TICKET_USED);
    }
    let right = right(&claims, platform)?;
    let session = right.session;
    if server.app.tenant_of(session).await.ok().flatten().as_ref() != Some(&tenant.id) {
        return Err(Refusal::UNKNOWN_SESSION);
    }
    let ticket = server.tickets.issue(right, rand::random(), unix_ms());
    let ticket = ticket.ok_or(Refusal::SERVER_FULL)?;
    Ok(Redirect::to(&format!("/embed/{session}#{ticket}")))
}

/// What a platform's token says, once its signature has been checked.
async fn proved(
    server: &Server,
    tenant: &Tenant,
    platform: &LtiConfig,
    token: &str,
) -> Result<Claims, Refusal> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| Refusal::BAD_TOKEN)?;
    let kid = header.kid.unwrap_or_default();
    let key = server.launches.key(&tenant.id, platform, &kid).await.ok_or(Refusal::BAD_TOKEN)?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[&platform.issuer]);
    validation.set_audience(&[&platform.client_id]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    let decoded = jsonwebtoken::decode::<Claims>(token, &key, &validation);
    decoded.map(|it| it.claims).map_err(|error| {
        tracing::info!(tenant = %tenant.id, %error, "a launch is refused");
        Refusal::BAD_TOKEN
    })
}

fn right(claims: &Claims, platform: &LtiConfig) -> Result<Right, Refusal> {
    let deployed = platform.deployment_id.as_ref().is_none_or(|it| *it == claims.deployment_id);
    let is_launch = claims.message_type == "LtiResourceLinkRequest" && claims.version == "1.3.0";
    if !deployed || !is_launch {
        return Err(Refusal::BAD_CLAIMS);
    }
    let session = claims.custom.get("session").and_then(|it| it.as_str()).unwrap_or_default();
    let session: SessionId = session.trim().parse().map_err(|_| Refusal::UNKNOWN_SESSION)?;
    // Names from a school's register may be longer than ours.
    let short = |it: &String| -> String {
        it.chars().filter(|it| !it.is_control()).take(NAME_CHARS_MAX).collect()
    };
    let name = claims.name.as_ref().map(short).filter(|it| !it.trim().is_empty());
    let person = tenants::person(claims.sub.clone(), name, BTreeMap::new(), None)?;
    let role = if claims.roles.iter().any(|it| is_teacher(it)) {
        Role::Facilitator
    } else {
        Role::Participant
    };
    Ok(Right { session, role, person, until_unix_s: unix_ms() / 1000 + RIGHT_S })
}

/// In the course where the link stands, not somewhere on the platform.
fn is_teacher(role: &str) -> bool {
    let of_course = role.strip_prefix("http://purl.imsglobal.org/vocab/lis/v2/membership#");
    matches!(of_course, Some("Instructor" | "ContentDeveloper" | "Administrator"))
}

/// What is remembered of launches: those that were, and platforms' keys.
#[derive(Default)]
pub struct Launches {
    used: Mutex<BTreeMap<String, u64>>,
    keys: Mutex<BTreeMap<TenantId, Known>>,
}

struct Known {
    keys: Arc<JwkSet>,
    asked_unix_ms: u64,
}

impl Launches {
    /// Whether this launch has not been before.
    fn first(&self, nonce: &str, now_unix_ms: u64) -> bool {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, until| now_unix_ms < *until);
        // As long as the state itself holds.
        let until = now_unix_ms + crate::server::token::LAUNCH_VALID_S * 1_000;
        used.insert(nonce.to_owned(), until).is_none()
    }

    /// The platform's key of that name, asked for when it is not known.
    async fn key(&self, tenant: &TenantId, platform: &LtiConfig, kid: &str) -> Option<DecodingKey> {
        let now = unix_ms();
        let (known, age_ms) = {
            let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
            let known = keys.get(tenant);
            let age_ms = known.map(|it| now.saturating_sub(it.asked_unix_ms));
            (known.map(|it| Arc::clone(&it.keys)), age_ms.unwrap_or(u64::MAX))
        };
        let found = known.as_ref().and_then(|it| key_of(it, kid));
        if (found.is_some() && age_ms < KEYS_VALID_MS) || age_ms < KEYS_EVERY_MS {
            return found;
        }
        let url = platform.keys.clone();
        let asked = tokio::task::spawn_blocking(move || ask_keys(&url)).await.ok()?;
        let keys = Arc::new(asked.or_else(|| known.as_deref().cloned())?);
        let known = Known { keys: Arc::clone(&keys), asked_unix_ms: now };
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant.clone(), known);
        key_of(&keys, kid)
    }
}

fn key_of(keys: &JwkSet, kid: &str) -> Option<DecodingKey> {
    DecodingKey::from_jwk(keys.find(kid)?).ok()
}

/// Blocks. `None`: they could not be had.
fn ask_keys(url: &str) -> Option<JwkSet> {
    let agent = crate::server::webhooks::agent(KEYS_WITHIN);
    let told = agent
        .get(url)
        .call()
        .and_then(|mut it| it.body_mut().with_config().limit(KEYS_BYTES_MAX).read_to_string());
    match told.map(|it| serde_json::from_str(&it)) {
        Ok(Ok(keys)) => Some(keys),
        Ok(Err(error)) => {
            tracing::warn!(%url, %error, "a platform's keys cannot be read");
            None
        }
        Err(error) => {
            tracing::warn!(%url, %error, "a platform's keys cannot be had");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_teacher_is_one_of_the_course() {
        let of = |it: &str| is_teacher(&format!("http://purl.imsglobal.org/vocab/lis/v2/{it}"));
        assert!(of("membership#Instructor"));
        assert!(!of("membership#Learner"));
        assert!(!of("institution/person#Instructor"), "a teacher elsewhere learns here");
        assert!(!of("membership#Instructorx"));
    }

    #[test]
    fn what_goes_into_an_address_is_one_value() {
        assert_eq!(in_address("a b&c=ä#"), "a%20b%26c%3D%C3%A4%23");
    }

    #[test]
    fn a_launch_happens_once() {
        let launches = Launches::default();
        assert!(launches.first("one", 0));
        assert!(!launches.first("one", 1));
        assert!(launches.first("two", 1));
    }
}
