//! What tenants' own servers and pages can do, over HTTP: stories of Lahti and Turku, who share a server,
//! and of Mallory, who is neither.

use std::{collections::BTreeMap, net::SocketAddr, path::Path, sync::Arc};

use axum::{
    Extension, Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tower::ServiceExt;
use vuoro::{
    app::{
        App,
        config::{
            Config, MediaConfig, SpeechSettings,
            tenants::{TenantConfig, TenantKey},
        },
    },
    domain::{
        fact::{Consent, Fact},
        ids::{ParticipantId, RoomId, SessionId},
        language::Language,
        message::Place,
        run::StepBegan,
        time::SessionTime,
    },
    notes::driver::log::Log,
    server::{
        Server, routes,
        token::{Role, Tokens},
    },
};

const LAHTI: &str = "lahti-key-lahti-key-lahti-key-lahti";
const TURKU: &str = "turku-key-turku-key-turku-key-turku";
const SECRET: &str = "lahti-secret-lahti-secret-lahti-secret";
const PAGE: &str = "https://webinaari.lahti.example";
const HERE: &str = "https://vuoro.example";
const ANYBODY: &str = "192.0.2.7:4711";

/// A private key for tests, and its public part (RFC 8037, appendix A).
const ED_PRIVATE: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const ED_PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// A server that Lahti and Turku share.
pub struct House {
    routes: Router,
    tokens: Arc<Tokens>,
    _folder: tempfile::TempDir,
}

/// What came back.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    async fn of(response: axum::response::Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 10_000_000).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Self { status: parts.status, headers: parts.headers, text }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// The code of a refusal, with its status.
    fn refusal(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["code"].as_str().unwrap_or_default().to_owned())
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default()
    }
}

impl House {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::of(Config { data: folder.path().to_owned(), ..Self::config() }, folder)
    }

    fn of(config: Config, folder: tempfile::TempDir) -> Self {
        let server = Server::new(App::start(config).unwrap()).unwrap();
        let tokens = Arc::clone(&server.tokens);
        Self { routes: routes::router(server), tokens, _folder: folder }
    }

    pub fn config() -> Config {
        let tenant = |id: &str, key: &str, keys, origins| TenantConfig {
            id: id.into(),
            origins,
            api_key: Some(key.into()),
            keys,
            webhook: None,
            lti: None,
        };
        let keys = vec![
            TenantKey { hs256: Some(SECRET.into()), ..TenantKey::default() },
            TenantKey { id: Some("ed".into()), eddsa: Some(ED_PUBLIC.into()), hs256: None },
        ];
        let mut config = Config {
            media: MediaConfig {
                listen: ([127, 0, 0, 1], 0).into(),
                tcp_port: Some(0),
                ..MediaConfig::default()
            },
            speech: SpeechSettings { enabled: false, ..SpeechSettings::default() },
            tenants: vec![
                tenant("lahti", LAHTI, keys, vec![PAGE.to_owned()]),
                tenant("turku", TURKU, Vec::new(), Vec::new()),
            ],
            ..Config::default()
        };
        config.server.public_url = Some(HERE.to_owned());
        config.server.embed_parents = vec!["https://open.example".to_owned()];
        config
    }

    async fn ask(&self, method: Method, path: &str, bearer: &str, body: Option<Value>) -> Answer {
        self.ask_from(ANYBODY, method, path, bearer, body).await
    }

    async fn ask_from(
        &self,
        from: &str,
        method: Method,
        path: &str,
        bearer: &str,
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !bearer.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let from: SocketAddr = from.parse().unwrap();
        let routes = self.routes.clone().layer(Extension(ConnectInfo(from)));
        Answer::of(routes.oneshot(request.body(body).unwrap()).await.unwrap()).await
    }

    async fn get(&self, path: &str, bearer: &str) -> Answer {
        self.ask(Method::GET, path, bearer, None).await
    }

    async fn post(&self, path: &str, bearer: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, bearer, Some(body)).await
    }

    /// A session of that key's tenant.
    async fn session(&self, key: &str, title: &str) -> String {
        let new = json!({ "title": title, "language": "fi" });
        let answer = self.post("/api/v1/sessions", key, new).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// As the frame does from a browser, which says where the frame itself comes from.
    async fn admit_from(&self, origin: &str, session: &str, admission: Value) -> Answer {
        let request = Request::post(format!("/api/sessions/{session}/admission"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ORIGIN, origin)
            .body(Body::from(admission.to_string()));
        let from: SocketAddr = ANYBODY.parse().unwrap();
        let routes = self.routes.clone().layer(Extension(ConnectInfo(from)));
        Answer::of(routes.oneshot(request.unwrap()).await.unwrap()).await
    }

    async fn admit(&self, session: &str, admission: Value) -> Answer {
        self.post(&format!("/api/sessions/{session}/admission"), "", admission).await
    }
}

fn now_s() -> u64 {
    vuoro::app::clock::unix_ms() / 1000
}

/// What Lahti's server says of Aino, with `changed` in it; null takes a claim out.
fn claims(session: &str, changed: Value) -> Value {
    let mut claims = json!({
        "iss": "lahti", "aud": HERE, "exp": now_s() + 600, "session": session,
        "person": "u-17", "name": "Aino", "role": "participant", "tags": { "organisation": "Lahti" },
    });
    for (name, value) in changed.as_object().unwrap() {
        match value {
            Value::Null => _ = claims.as_object_mut().unwrap().remove(name),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

fn signed(claims: &Value, secret: &str) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
}

/// As Lahti's other server does, which has a private key.
fn signed_ed(claims: &Value, kid: Option<&str>) -> String {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    // PKCS #8 of an Ed25519 key: what it is, and the 32 bytes.
    let mut der = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    der.extend(BASE64_URL_SAFE_NO_PAD.decode(ED_PRIVATE).unwrap());
    let header = Header { kid: kid.map(Into::into), ..Header::new(Algorithm::EdDSA) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_ed_der(&der)).unwrap()
}

#[tokio::test]
async fn lahti_opens_looks_at_and_ends_its_session_and_turku_never_sees_it() {
    let house = House::open();
    let session = house.session(LAHTI, "Kevät").await;
    let path = format!("/api/v1/sessions/{session}");

    let about = house.get(&path, LAHTI).await.json();
    assert_eq!(about["title"], "Kevät");
    assert_eq!(about["ended"], false);
    assert!(
        about["links"]["join"].as_str().unwrap().starts_with(&format!("{HERE}/join/{session}#"))
    );
    assert_eq!(house.get("/api/v1/sessions", LAHTI).await.json()["sessions"][0]["id"], session);

    let nothing = (404, "unknown-session".to_owned());
    for (method, rest) in [
        (Method::GET, ""),
        (Method::GET, "/people"),
        (Method::GET, "/export?format=md"),
        (Method::POST, "/end"),
        (Method::POST, "/tickets"),
    ] {
        let body = (method == Method::POST).then(|| json!({ "person": "u", "role": "host" }));
        let answer = house.ask(method, &format!("{path}{rest}"), TURKU, body).await;
        assert_eq!(answer.refusal(), nothing, "{rest}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    assert_eq!(house.get("/api/v1/sessions", TURKU).await.json()["sessions"], json!([]));

    let ended = house.post(&format!("{path}/end"), LAHTI, json!({})).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT, "{}", ended.text);
    assert_eq!(house.get(&path, LAHTI).await.json()["ended"], true);
    let again = house.post(&format!("{path}/end"), LAHTI, json!({})).await;
    assert_eq!(again.status, StatusCode::NO_CONTENT, "over is over: {}", again.text);
}

#[tokio::test]
async fn a_long_list_comes_page_by_page() {
    let house = House::open();
    let mut opened = Vec::new();
    for number in 0..5 {
        opened.push(house.session(LAHTI, &format!("Kevät {number}")).await);
    }
    opened.sort();
    opened.reverse();
    let (mut listed, mut next) = (Vec::new(), String::new());
    loop {
        let page = house.get(&format!("/api/v1/sessions?limit=2{next}"), LAHTI).await.json();
        let ids = page["sessions"].as_array().unwrap().iter();
        listed.extend(ids.map(|it| it["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(before) => next = format!("&before={before}"),
            None => break,
        }
    }
    assert_eq!(listed, opened);
}

#[tokio::test]
async fn mallory_without_a_key_gets_nothing_and_soon_waits() {
    let house = House::open();
    let session = house.session(LAHTI, "Kevät").await;
    let path = format!("/api/v1/sessions/{session}");
    for key in ["", "x", SECRET, &LAHTI.to_uppercase()] {
        let answer = house.get(&path, key).await;
        assert_eq!(answer.refusal(), (401, "bad-key".to_owned()), "{key}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    // From any address of one household, it is Mallory who waits, and Lahti does not.
    let mut last = 0;
    for host in 0..200 {
        let from = format!("[2001:db8:0:7::{host:x}]:4711");
        last = house.ask_from(&from, Method::GET, &path, "x", None).await.status.as_u16();
    }
    assert_eq!(last, 429);
    let lahti = house.ask_from("[2001:db8:0:7::1]:1", Method::GET, &path, LAHTI, None).await;
    assert_eq!(lahti.status, StatusCode::OK, "who has a key is no stranger");
    let next_door = house.ask_from("[2001:db8:0:8::1]:1", Method::GET, &path, "x", None).await;
    assert_eq!(next_door.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_cannot_be_understood_is_refused_with_what_is_wrong() {
    let house = House::open();
    let open = async |body: Value| house.post("/api/v1/sessions", LAHTI, body).await;
    let titled = |title: &str| json!({ "title": title, "language": "fi" });
    assert_eq!(open(titled("")).await.refusal(), (400, "bad-title".into()));
    assert_eq!(open(titled(&"x".repeat(121))).await.refusal(), (400, "bad-title".into()));
    assert_eq!(open(titled(&"x".repeat(20_000))).await.refusal(), (413, "too-large".into()));
    assert_eq!(open(json!({})).await.refusal(), (400, "malformed".into()));
    let unknown = open(json!({ "title": "a", "language": "fi", "rooms": 2 })).await;
    assert_eq!(unknown.refusal(), (400, "malformed".into()));
    assert!(unknown.json()["detail"].as_str().unwrap().contains("rooms"), "{}", unknown.text);
    let forever = open(json!({ "title": "a", "language": "fi", "keep_days": 4_000 })).await;
    assert_eq!(forever.refusal(), (400, "malformed".into()));
    assert_eq!(house.get("/api/v1/nothing", LAHTI).await.refusal(), (404, "not-found".into()));
    assert_eq!(
        house.get("/api/v1/sessions?befor=x", LAHTI).await.refusal(),
        (400, "malformed".into())
    );
    assert_eq!(
        house.get("/api/v1/sessions/x", LAHTI).await.refusal(),
        (404, "unknown-session".into())
    );
    let wrong = house.ask(Method::DELETE, "/api/v1/sessions", LAHTI, None).await;
    assert!(wrong.status.is_client_error());
}

#[tokio::test]
async fn a_server_that_asks_without_end_is_told_when_to_come_again() {
    let house = House::open();
    // What is refused counts too, and costs nothing to ask.
    let asked = "/api/v1/sessions?before=x";
    let mut answer = house.get(asked, LAHTI).await;
    for _ in 0..3_000 {
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            break;
        }
        answer = house.get(asked, LAHTI).await;
    }
    assert_eq!(answer.refusal(), (429, "too-fast".into()));
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(house.get("/api/v1/sessions", TURKU).await.status, StatusCode::OK);
}

#[tokio::test]
async fn lahtis_token_lets_aino_into_lahtis_session_from_lahtis_page() {
    let house = House::open();
    let session = house.session(LAHTI, "Kevät").await;
    let token = signed(&claims(&session, json!({})), SECRET);
    let admitted = house.admit(&session, json!({ "token": token, "origin": PAGE })).await;
    assert_eq!(admitted.status, StatusCode::OK, "{}", admitted.text);
    let admitted = admitted.json();
    assert_eq!((&admitted["role"], &admitted["name"]), (&json!("participant"), &json!("Aino")));
    assert!((590..=600).contains(&admitted["valid_s"].as_u64().unwrap()), "{admitted}");

    // Both kinds of key; the algorithm is the key's, never the token's word.
    for (kid, expect) in [(Some("ed"), 200), (None, 401), (Some("other"), 401)] {
        let token = signed_ed(&claims(&session, json!({})), kid);
        let answer = house.admit(&session, json!({ "token": token, "origin": PAGE })).await;
        assert_eq!(answer.status.as_u16(), expect, "{kid:?}: {}", answer.text);
    }
    let confused = signed(&claims(&session, json!({})), ED_PUBLIC);
    let answer = house.admit(&session, json!({ "token": confused, "origin": PAGE })).await;
    assert_eq!(answer.refusal(), (401, "bad-token".into()), "a public key is no secret");

    // Another page, and another tenant's session.
    for origin in ["https://open.example", "https://lahti.example", "null", ""] {
        let answer = house.admit(&session, json!({ "token": token, "origin": origin })).await;
        assert_eq!(answer.refusal(), (403, "origin-not-allowed".into()), "{origin}");
    }
    // The frame's own origin stands in its requests, and is not that of the page around it.
    let told = json!({ "token": token, "origin": "https://evil.example" });
    let frames = house.admit_from(HERE, &session, told).await;
    assert_eq!(frames.refusal(), (403, "origin-not-allowed".into()));
    let own = house.admit_from(HERE, &session, json!({ "token": token, "origin": HERE })).await;
    assert_eq!(own.status, StatusCode::OK, "a page of ours around a frame of ours: {}", own.text);
    // Lahti's other session is another session, and so is one of the server's own links.
    let other = house.session(LAHTI, "Talvi").await;
    let answer = house.admit(&other, json!({ "token": token, "origin": PAGE })).await;
    assert_eq!(answer.refusal(), (404, "unknown-session".into()));
    let link = house.tokens.link(session.parse().unwrap(), Role::Facilitator);
    let answer = house.admit(&other, json!({ "token": link, "origin": PAGE })).await;
    assert_eq!(answer.refusal(), (401, "bad-token".into()));
    let turkus = house.session(TURKU, "Syksy").await;
    let stolen = signed(&claims(&turkus, json!({})), SECRET);
    let answer = house.admit(&turkus, json!({ "token": stolen, "origin": PAGE })).await;
    assert_eq!(answer.refusal(), (404, "unknown-session".into()));
    let answer = house.admit(&turkus, json!({ "token": token, "origin": PAGE })).await;
    assert_eq!(answer.refusal(), (404, "unknown-session".into()));
}

#[tokio::test]
async fn a_host_whom_lahti_lets_in_for_minutes_leads_and_reads_for_no_longer() {
    let house = House::open();
    let session = house.session(LAHTI, "Kevät").await;
    let path = format!("/api/sessions/{session}");
    let links = async |token: &str| {
        let links = house.get(&path, token).await.json()["links"].take();
        ["host_path", "join_path", "review_path"]
            .map(|it| links[it].as_str().unwrap().split_once('#').unwrap().1.to_owned())
    };
    let claimed = signed(&claims(&session, json!({ "role": "host" })), SECRET);
    let admitted = house.admit(&session, json!({ "token": claimed, "origin": PAGE })).await.json();
    let mut host = admitted["token"].as_str().unwrap().to_owned();
    let until = house.tokens.until_unix_ms(&host).unwrap();
    // Nor with the link that the host gets, and so on.
    for _ in 0..2 {
        let links = links(&host).await;
        let [leads, takes_part, reads] =
            [0, 1, 2].map(|it| house.tokens.until_unix_ms(&links[it]).unwrap());
        assert!(leads <= until && reads <= until);
        assert!(until + 1_000_000_000 < takes_part, "whoever is invited tomorrow comes, too");
        host = links[0].clone();
    }
    // Whoever has the server's own link gives on what they have.
    let own = house.tokens.link(session.parse().unwrap(), Role::Facilitator);
    for link in links(&own).await {
        assert!(until + 1_000_000_000 < house.tokens.until_unix_ms(&link).unwrap());
    }
}

#[tokio::test]
async fn a_token_with_a_wrong_claim_is_refused_and_the_claim_is_named() {
    let house = House::open();
    let session = house.session(LAHTI, "Kevät").await;
    let long = "x".repeat(101);
    let tags: BTreeMap<String, String> = (0..6).map(|it| (it.to_string(), "x".into())).collect();
    for (changed, code, named) in [
        (json!({ "exp": now_s() - 1 }), "token-expired", ""),
        (json!({ "exp": now_s() + 2 * 86_400 }), "bad-claims", "exp"),
        (json!({ "exp": null }), "bad-claims", "exp"),
        (json!({ "nbf": now_s() + 600 }), "bad-token", "not valid yet"),
        (json!({ "aud": "https://other.example" }), "bad-claims", "aud"),
        (json!({ "aud": null }), "bad-claims", ""),
        (json!({ "iss": "espoo" }), "bad-token", "iss"),
        (json!({ "iss": "turku" }), "bad-token", "key"),
        (json!({ "session": null }), "bad-claims", "session"),
        (json!({ "session": "../../etc/passwd" }), "bad-claims", "session"),
        (json!({ "person": null }), "bad-claims", "person"),
        (json!({ "person": " " }), "bad-claims", "person"),
        (json!({ "person": long }), "bad-claims", "person"),
        (json!({ "name": "" }), "bad-claims", "name"),
        (json!({ "name": "x".repeat(61) }), "bad-claims", "name"),
        (json!({ "name": "Aino\u{0}" }), "bad-claims", "name"),
        (json!({ "role": null }), "bad-claims", "role"),
        (json!({ "role": "facilitator" }), "bad-claims", ""),
        (json!({ "tags": tags }), "bad-claims", "tags"),
        (json!({ "tags": { "organisation": long } }), "bad-claims", "tags"),
        (json!({ "rol": "host" }), "bad-claims", ""),
        (json!({ "name": "x".repeat(5_000) }), "bad-token", ""),
    ] {
        let token = signed(&claims(&session, changed.clone()), SECRET);
        let answer = house.admit(&session, json!({ "token": token, "origin": PAGE })).await;
        assert_eq!(answer.refusal(), (401, code.to_owned()), "{changed}");
        assert!(answer.json()["text"].as_str().unwrap().contains(named), "{}", answer.text);
    }
    let good = signed(&claims(&session, json!({})), SECRET);
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", good.split('.').nth(1).unwrap());
    for token in [
        unsigned.as_str(),
        "",
        "a.b.c",
        &format!("{good}x"),
        &signed(&claims(&session, json!({})), TURKU),
    ] {
        let answer = house.admit(&session, json!({ "token": token, "origin": PAGE })).await;
        assert_eq!(answer.refusal(), (401, "bad-token".into()), "{token}");
    }
}

#[tokio::test]
async fn a_ticket_works_once_and_no_token_stands_in_its_address() {
    let house = House::open();
    let session = house.session(LAHTI, "Kevät").await;
    let path = format!("/api/v1/sessions/{session}/tickets");
    let new = json!({ "person": "u-17", "name": "Aino", "role": "host", "valid_s": 600 });
    let ticket = house.post(&path, LAHTI, new).await.json();
    let word = ticket["ticket"].as_str().unwrap().to_owned();
    assert_eq!(ticket["frame"], format!("{HERE}/embed/{session}#{word}"));
    assert!(!word.contains('.') && word.len() == 43, "no token: {word}");
    let admitted = house.admit(&session, json!({ "ticket": word })).await.json();
    assert_eq!((&admitted["role"], &admitted["name"]), (&json!("facilitator"), &json!("Aino")));
    let again = house.admit(&session, json!({ "ticket": word })).await;
    assert_eq!(again.refusal(), (410, "ticket-used".into()));

    // A signed token is proof enough for a ticket, and for no more than it says.
    let token = signed(&claims(&session, json!({ "role": "assistant" })), SECRET);
    let ticket = house.post("/api/v1/tickets", "", json!({ "token": token })).await.json();
    let admitted = house.admit(&session, json!({ "ticket": ticket["ticket"] })).await.json();
    assert_eq!(admitted["role"], "assistant");
    let late = signed(&claims(&session, json!({ "exp": now_s() - 60 })), SECRET);
    let answer = house.post("/api/v1/tickets", "", json!({ "token": late })).await;
    assert_eq!(answer.refusal(), (401, "token-expired".into()));

    for bad in [
        json!({ "person": "", "role": "host" }),
        json!({ "person": "u", "role": "boss" }),
        json!({ "person": "u", "role": "host", "valid_s": 86_401 }),
    ] {
        assert!(house.post(&path, LAHTI, bad.clone()).await.status.is_client_error(), "{bad}");
    }
}

#[tokio::test]
async fn an_assistant_gets_no_links_no_words_and_no_erasing() {
    let house = House::open();
    let session = house.session(LAHTI, "Kevät").await;
    let token = signed(&claims(&session, json!({ "role": "assistant" })), SECRET);
    let admitted = house.admit(&session, json!({ "token": token, "origin": PAGE })).await.json();
    let token = admitted["token"].as_str().unwrap().to_owned();
    let path = format!("/api/sessions/{session}");
    let about = house.get(&path, &token).await.json();
    assert_eq!((&about["title"], &about["links"]), (&json!("Kevät"), &Value::Null));
    for rest in ["/search?q=a", "/export?format=md", "/accesses", "/outline"] {
        let answer = house.get(&format!("{path}{rest}"), &token).await;
        assert_eq!(answer.refusal(), (403, "not-allowed".into()), "{rest}");
    }
    let erase = house.post(&format!("{path}/people/1/erase"), &token, json!({})).await;
    assert_eq!(erase.refusal(), (403, "not-allowed".into()));
}

#[tokio::test]
async fn each_session_is_shown_only_by_pages_of_whose_it_is() {
    let house = House::open();
    let lahtis = house.session(LAHTI, "Kevät").await;
    let turkus = house.session(TURKU, "Syksy").await;
    let opened =
        house.post("/api/sessions", "", json!({ "title": "Talvi", "language": "fi" })).await;
    let nobodys = opened.json()["session"].as_str().unwrap().to_owned();
    for (path, expect) in [
        (format!("/embed/{lahtis}"), format!("frame-ancestors 'self' {PAGE}")),
        (format!("/embed/{turkus}"), "frame-ancestors 'self'".to_owned()),
        (format!("/embed/{nobodys}"), "frame-ancestors 'self' https://open.example".to_owned()),
        (format!("/host/{nobodys}"), "frame-ancestors 'self'".to_owned()),
        (format!("/review/{lahtis}"), "frame-ancestors 'self'".to_owned()),
        ("/embed/x".to_owned(), "frame-ancestors 'self'".to_owned()),
    ] {
        let answer = house.get(&path, "").await;
        let policy = answer.header("content-security-policy");
        assert!(policy.ends_with(&expect), "{path}: {policy}");
    }
}

#[tokio::test]
async fn people_are_listed_with_where_they_are() {
    let house = House::open();
    let session = house.session(LAHTI, "Kevät").await;
    let path = format!("/api/v1/sessions/{session}/people");
    assert_eq!(house.get(&path, LAHTI).await.json(), json!({ "people": [] }));
    drop(house);

    let folder = tempfile::tempdir().unwrap();
    let id = write_down_an_event(folder.path()).await;
    let config = Config { data: folder.path().to_owned(), ..House::config() };
    let house = House::of(config, folder);
    let path = format!("/api/v1/sessions/{id}");
    let people = house.get(&format!("{path}/people"), LAHTI).await.json();
    assert_eq!(
        people["people"],
        json!([
            { "participant": 1, "name": "Aino", "room": "room-2" },
            { "participant": 2, "name": "Bo", "room": null },
        ])
    );
    let export = house.get(&format!("{path}/export?format=md&language=en"), LAHTI).await;
    assert_eq!(export.status, StatusCode::OK, "{}", export.text);
    assert!(export.text.contains("Aino"), "{}", export.text);
    assert!(export.header("content-disposition").contains("attachment"));
}

#[tokio::test]
async fn people_are_listed_in_the_rooms_to_which_a_method_has_brought_them() {
    let (aino, bo) = (ParticipantId(1), ParticipantId(2));
    let back = Fact::Placed { participant: bo, room: Some(RoomId::Main) };
    let step = Fact::StepBegan(StepBegan {
        place: Place { phase: 1, round: 1, of: 1 },
        length_ms: Some(60_000),
        rooms: Some(vec![vec![bo], vec![], vec![aino]]),
        ahead: vec![],
        roles: vec![],
        cards: vec![],
    });
    for (facts, expect) in [
        (vec![back.clone(), step.clone()], ["room-3", "room-1"]),
        (vec![back, step, Fact::MethodEnded], ["main", "main"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let id = write_down_an_event(folder.path()).await;
        let log = Log::open(&folder.path().join("notes.sqlite")).unwrap();
        let facts = facts.into_iter().map(|it| (SessionTime::ZERO, it));
        log.append(id, facts.collect()).await.unwrap();
        drop(log);
        let house = House::of(Config { data: folder.path().to_owned(), ..House::config() }, folder);
        let people = house.get(&format!("/api/v1/sessions/{id}/people"), LAHTI).await.json();
        let rooms = [0, 1].map(|it| people["people"][it]["room"].clone());
        assert_eq!(rooms, expect);
    }
}

/// Aino is in the second room, Bo has left.
async fn write_down_an_event(data: &Path) -> SessionId {
    let (id, aino, bo) = (SessionId::new(1_795_500_000_000, 6), ParticipantId(1), ParticipantId(2));
    let joined = |participant, name: &str| Fact::Joined {
        participant,
        name: name.into(),
        language: Language::Finnish,
        consent: Consent::On,
        tags: BTreeMap::new(),
    };
    let facts = [
        Fact::Opened {
            title: "Kevät".into(),
            language: Language::Finnish,
            unix_ms: 1_795_500_000_000,
        },
        Fact::BelongsTo { tenant: "lahti".parse().unwrap() },
        joined(aino, "Aino"),
        Fact::Placed { participant: aino, room: Some(RoomId::Main) },
        joined(bo, "Bo"),
        Fact::Placed { participant: bo, room: Some(RoomId::Main) },
        Fact::RoomsOpened { count: 2 },
        Fact::Placed { participant: aino, room: Some(RoomId::Breakout(2)) },
        Fact::Posted { participant: aino, room: RoomId::Breakout(2), text: "Hei".into() },
        Fact::Placed { participant: bo, room: None },
        Fact::Ended,
    ];
    let log = Log::open(&data.join("notes.sqlite")).unwrap();
    log.append(id, facts.map(|it| (SessionTime::ZERO, it)).into()).await.unwrap();
    id
}

#[tokio::test]
async fn who_comes_is_let_in_without_the_whole_session_being_read() {
    let folder = tempfile::tempdir().unwrap();
    let id = write_down_an_event(folder.path()).await;
    let file = folder.path().join("notes.sqlite");
    let house = House::of(Config { data: folder.path().to_owned(), ..House::config() }, folder);
    // Whoever read it all would stumble.
    let disk = rusqlite::Connection::open(file).unwrap();
    disk.execute("UPDATE records SET body = 'none'", []).unwrap();
    let token = signed(&claims(&id.to_string(), json!({})), SECRET);
    let admitted = house.admit(&id.to_string(), json!({ "token": token, "origin": PAGE })).await;
    assert_eq!(admitted.status, StatusCode::OK, "{}", admitted.text);
    let token = house.tokens.link(id, Role::Participant);
    let about = house.get(&format!("/api/sessions/{id}"), &token).await.json();
    assert_eq!(about["title"], admitted.json()["title"]);
    let about = house.get(&format!("/api/v1/sessions/{id}"), LAHTI).await.json();
    assert_eq!(about["title"], admitted.json()["title"]);
}

#[tokio::test]
async fn who_declines_stands_under_a_code_for_reviewers_and_tenants() {
    let folder = tempfile::tempdir().unwrap();
    let id = write_down_an_event(folder.path()).await;
    let declines = Fact::ConsentSet { participant: ParticipantId(2), consent: Consent::Declined };
    let log = Log::open(&folder.path().join("notes.sqlite")).unwrap();
    log.append(id, vec![(SessionTime::ZERO, declines)]).await.unwrap();
    drop(log);
    let house = House::of(Config { data: folder.path().to_owned(), ..House::config() }, folder);
    let token = house.tokens.link(id, Role::Reviewer);
    let path = format!("/api/sessions/{id}");
    let about = house.get(&path, &token).await.json();
    let outline = house.get(&format!("{path}/outline"), &token).await.json();
    assert_eq!(about["people"][0], json!({ "participant": 1, "name": "Aino" }));
    let code = about["people"][1]["name"].as_str().unwrap();
    assert_eq!((code.len(), &about["people"][1]["name"]), (4, &outline["people"][1]["name"]));
    let document = house.get(&format!("{path}/export?format=json"), &token).await.json();
    let names = document["people"].as_array().unwrap().iter().map(|it| it["name"].as_str());
    assert_eq!(names.collect::<Vec<_>>(), [Some("Aino"), Some(&*format!("Osallistuja {code}"))]);
    let people = house.get(&format!("/api/v1/sessions/{id}/people"), LAHTI).await.json();
    assert_eq!(
        people["people"],
        json!([
            { "participant": 1, "name": "Aino", "room": "room-2" },
            { "participant": 2, "name": code, "room": null },
        ])
    );
}

#[tokio::test]
async fn reviewers_comment_on_lines_and_themes_and_take_it_back() {
    let folder = tempfile::tempdir().unwrap();
    let id = write_down_an_event(folder.path()).await;
    let house = House::of(Config { data: folder.path().to_owned(), ..House::config() }, folder);
    let token = house.tokens.link(id, Role::Reviewer);
    let path = format!("/api/sessions/{id}");
    let found = house.get(&format!("{path}/search?q=hei"), &token).await.json();
    let seq = found["hits"][0]["seq"].clone();
    let comments = format!("{path}/comments");
    let say = async |what: Value| house.post(&comments, &token, what).await;
    let said = say(json!({ "seq": seq, "name": " Dana ", "text": "Tästä\nlisää" })).await.json();
    let first = &said["comments"][0];
    assert_eq!((&first["seq"], &first["theme"]), (&seq, &Value::Null));
    assert_eq!((&first["name"], &first["text"]), (&json!("Dana"), &json!("Tästä\nlisää")));
    assert_eq!(said["people"][0], json!({ "participant": 1, "name": "Aino", "named": true }));

    for (wrong, status) in [
        (json!({ "seq": 999, "name": "", "text": "x" }), 404),
        (json!({ "theme": "Luonto", "name": "", "text": "x" }), 404),
        (json!({ "seq": seq, "theme": "Luonto", "name": "", "text": "x" }), 400),
        (json!({ "name": "", "text": "x" }), 400),
        (json!({ "seq": seq, "name": "", "text": " \n" }), 400),
        (json!({ "seq": seq, "name": "", "text": "x".repeat(1_001) }), 400),
        (json!({ "seq": seq, "name": "D".repeat(61), "text": "x" }), 400),
    ] {
        assert_eq!(say(wrong.clone()).await.status, status, "{wrong}");
    }
    house.post(&format!("{path}/board"), &token, json!({ "seq": seq, "theme": "Luonto" })).await;
    let said = say(json!({ "theme": "Luonto", "name": "", "text": "Kuka?" })).await.json();
    assert_eq!(said["comments"].as_array().unwrap().len(), 2);
    let document = house.get(&format!("{path}/export?format=md&language=en"), &token).await.text;
    for there in ["Luonto", "Comment (Dana): Tästä lisää", "Comment: Kuka?"] {
        assert!(document.contains(there), "{there} in {document}");
    }
    let gone = format!("{comments}/{}", said["comments"][1]["comment"]);
    let left = house.ask(Method::DELETE, &gone, &token, None).await.json();
    assert_eq!(left["comments"].as_array().unwrap().len(), 1);
    assert_eq!(house.ask(Method::DELETE, &gone, &token, None).await.status, 404);
    let line = format!("{comments}/{seq}");
    assert_eq!(house.ask(Method::DELETE, &line, &token, None).await.status, 404, "no comment");
    let own = house.tokens.own(id, ParticipantId(1));
    assert!(house.post(&comments, &own, json!({})).await.status.is_client_error());
}

#[tokio::test]
async fn people_say_once_how_the_method_worked_and_it_is_shown_of_three() {
    let folder = tempfile::tempdir().unwrap();
    let id = write_down_an_event(folder.path()).await;
    let house = House::of(Config { data: folder.path().to_owned(), ..House::config() }, folder);
    let path = format!("/api/sessions/{id}/pilot");
    let say = async |who: u32, what: Value| {
        let own = house.tokens.own(id, ParticipantId(who));
        house.post(&path, &own, what).await.status.as_u16()
    };
    let reviewer = house.tokens.link(id, Role::Reviewer);
    let past = async || {
        let all = house.post("/api/past", "", json!({ "tokens": [reviewer] })).await.json();
        all["sessions"][0].clone()
    };
    assert_eq!(say(1, json!({})).await, 400, "something must be said");
    assert_eq!(say(1, json!({ "heard": "maybe" })).await, 400);
    assert_eq!(say(1, json!({ "line": "x".repeat(301) })).await, 400);
    assert_eq!(say(1, json!({ "heard": "yes", "line": " Hyvä " })).await, 204);
    assert_eq!(say(1, json!({ "heard": "no" })).await, 204, "and nothing comes of it");
    assert_eq!(say(2, json!({ "heard": "little" })).await, 204);
    assert_eq!(past().await["pilots"], json!([{ "method": "", "answers": 2, "told": null }]));
    assert_eq!(say(3, json!({ "again": "mostly" })).await, 204);
    let told = past().await["pilots"][0]["told"].clone();
    assert_eq!((&told["heard"], &told["again"]), (&json!([0, 1, 0, 1]), &json!([0, 0, 1, 0])));
    assert_eq!(told["lines"], json!(["Hyvä"]));
    assert_eq!(house.post(&path, &reviewer, json!({ "heard": "yes" })).await.status, 401);

    let open = house.session(LAHTI, "Kevät").await;
    let own = house.tokens.own(open.parse().unwrap(), ParticipantId(1));
    let path = format!("/api/sessions/{open}/pilot");
    let answer = house.post(&path, &own, json!({ "heard": "yes" })).await;
    assert_eq!(answer.refusal(), (409, "goes-on".into()));
}

#[tokio::test]
async fn past_sessions_are_those_one_has_tokens_of() {
    let house = House::open();
    let first = house.session(LAHTI, "Kevät").await;
    let second = house.session(LAHTI, "Syksy").await;
    let of = |id: &str, role| house.tokens.link(id.parse().unwrap(), role);
    let ask =
        async |tokens: Vec<String>| house.post("/api/past", "", json!({ "tokens": tokens })).await;
    let both = vec![of(&first, Role::Reviewer), of(&second, Role::Facilitator)];
    let found = ask(both.clone()).await.json();
    let titles: Vec<_> =
        found["sessions"].as_array().unwrap().iter().map(|it| &it["title"]).collect();
    assert_eq!(titles, [&json!("Syksy"), &json!("Kevät")], "latest first");
    assert_eq!(ask(vec![of(&first, Role::Participant)]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(ask(vec!["x".into()]).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(ask(vec![both[0].clone(); 51]).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let library = house.get("/api/v1/library", LAHTI).await.json();
    let (_, tokens) = library["url"].as_str().unwrap().split_once("/library#").unwrap();
    let found = ask(tokens.split(',').map(str::to_owned).collect()).await.json();
    assert_eq!(
        (library["sessions"].as_u64(), found["sessions"].as_array().unwrap().len()),
        (Some(2), 2)
    );
    assert_eq!(
        house.get("/api/v1/library", TURKU).await.json()["sessions"],
        0,
        "those are not Turku's"
    );
    let gone = house.tokens.link(SessionId::new(1, 1), Role::Reviewer);
    let found = ask(vec![gone, both[0].clone()]).await.json();
    assert_eq!(found["sessions"].as_array().unwrap().len(), 1, "its time was over");
}

#[tokio::test]
async fn the_description_is_what_the_server_does() {
    let house = House::open();
    let described = house.get("/api/v1/openapi.json", "").await.json();
    assert!(described["openapi"].as_str().unwrap().starts_with("3.1"));
    let page = house.get("/api/v1", "").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let mut seen = 0;
    for (path, methods) in described["paths"].as_object().unwrap() {
        for (method, about) in methods.as_object().unwrap() {
            seen += 1;
            // Each is there: without a key it is refused, and not unknown.
            let method: Method = method.to_uppercase().parse().unwrap();
            let real = path.replace("{session}", "01KB4XG6TQ4PZ0S0FZX2M9T9AV");
            let body = (method == Method::POST).then(|| json!({ "token": "x" }));
            let answer = house.ask(method, &real, "", body).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}: {}", answer.text);
            let id = about["operationId"].as_str().unwrap();
            assert!(page.text.contains(&format!("id=\"{id}\"")), "{id} is on the page");
        }
    }
    assert_eq!(seen, 9);
    for other in ["<script", "http://", "https://"] {
        assert!(!page.text.contains(other), "nothing of others' on the page: {other}");
    }
}

#[tokio::test]
async fn a_link_to_one_session_reads_nothing_of_another() {
    let house = House::open();
    let (one, other) = (house.session(LAHTI, "Kevät").await, house.session(LAHTI, "Syksy").await);
    for role in [Role::Facilitator, Role::Reviewer] {
        let link = house.tokens.link(one.parse().unwrap(), role);
        for rest in ["", "/search?q=a", "/export?format=md", "/accesses", "/outline"] {
            let answer = house.get(&format!("/api/sessions/{other}{rest}"), &link).await;
            assert_eq!(answer.refusal(), (401, "bad-token".into()), "{rest}");
        }
        let own = house.get(&format!("/api/sessions/{one}"), &link).await;
        assert_eq!(own.status, StatusCode::OK);
    }
}
