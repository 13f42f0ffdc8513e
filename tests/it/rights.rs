//! Who may do what over a socket, whatever their page says of itself: stories of Aino, whom Lahti lets in, of
//! Apu, who helps, and of Mallory, who has a token of something else. It speaks to a server as a page does, at
//! a port of its own.

use std::{net::TcpStream, time::Duration};

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tungstenite::{
    Message, WebSocket, client::IntoClientRequest, handshake::HandshakeError, http::StatusCode,
};
use vuoro::{
    app::App,
    domain::ids::{ParticipantId, SessionId},
    server::{
        Server,
        token::{Person, Right, Role, Tokens},
        wire::WireGrant,
    },
};

use crate::api::House;

/// A test that waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(30);
const PINGS_MAX: u32 = 6;

/// A server with an open door, and two sessions on it.
struct Door {
    port: u16,
    tokens: std::sync::Arc<Tokens>,
    session: SessionId,
    other: SessionId,
    _runtime: Runtime,
    _folder: tempfile::TempDir,
}

impl Door {
    fn open() -> Self {
        let (runtime, folder) = (Runtime::new().unwrap(), tempfile::tempdir().unwrap());
        let mut config = House::config();
        config.data = folder.path().to_owned();
        let (server, port) = runtime.block_on(async {
            let server = Server::new(App::start(config).unwrap()).unwrap();
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            tokio::spawn(server.clone().serve_on(listener, std::future::pending()));
            (server, port)
        });
        let open = |title: &str| {
            let new = vuoro::app::registry::NewSession {
                title: title.to_owned(),
                language: vuoro::domain::language::Language::Finnish,
                keep_days: None,
                tenant: None,
            };
            runtime.block_on(server.app.sessions.open(new)).unwrap()
        };
        let (session, other) = (open("Kevät"), open("Syksy"));
        Self { port, tokens: server.tokens, session, other, _runtime: runtime, _folder: folder }
    }

    /// A token for the first session, from now on for so long; `external`: the tenant's own name for whose it is.
    fn token(&self, role: Role, external: &str, valid_s: i64) -> String {
        let person = Person { external: Some(external.to_owned()), ..Person::default() };
        self.token_of(role, person, valid_s)
    }

    fn token_of(&self, role: Role, person: Person, valid_s: i64) -> String {
        let now_unix_s = vuoro::app::clock::unix_ms() / 1000;
        let until_unix_s = now_unix_s.saturating_add_signed(valid_s);
        self.tokens.admit(&Right { session: self.session, role, person, until_unix_s })
    }

    /// The way back to a seat of a session, for whoever has its link.
    fn seat(&self, session: SessionId, participant: ParticipantId) -> String {
        let right = self.tokens.right(&self.tokens.link(session, Role::Participant)).unwrap();
        self.tokens.seat(&right, participant)
    }

    /// As every page may ask for them.
    fn methods(&self) -> Value {
        let address = format!("http://127.0.0.1:{}/api/methods", self.port);
        let text = ureq::get(address).call().unwrap().body_mut().read_to_string().unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["methods"].take()
    }

    /// A page says who it is.
    fn says(&self, first: Value) -> Page {
        let mut page = self.connects(None).unwrap();
        page.say(first);
        page
    }

    fn joins(&self, token: &str, name: &str) -> (Page, Value) {
        let mut page = self.says(join(token, name));
        let welcome = page.hears("welcome");
        (page, welcome)
    }

    fn watches(&self, token: &str) -> Page {
        let mut page = self.says(json!({ "type": "watch", "token": token }));
        page.hears("overview");
        page
    }

    /// Errors: with which status the server will have no page of that `origin`.
    fn connects(&self, origin: Option<&str>) -> Result<Page, StatusCode> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut request = format!("ws://127.0.0.1:{}/ws", self.port).into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(Page { socket }),
            Err(HandshakeError::Failure(tungstenite::Error::Http(answer))) => Err(answer.status()),
            Err(error) => panic!("{error}"),
        }
    }
}

struct Page {
    socket: WebSocket<TcpStream>,
}

impl Page {
    fn say(&mut self, what: Value) {
        self.socket.send(Message::text(what.to_string())).unwrap();
    }

    /// The next message of that kind; what else is said before it is passed over.
    fn hears(&mut self, kind: &str) -> Value {
        let mut pings = 0;
        loop {
            let text = match self.socket.read().expect(kind) {
                Message::Text(text) => text,
                // The server asks every few seconds whether we are there: a socket is never silent.
                _ => {
                    pings += 1;
                    assert!(pings < PINGS_MAX, "not heard in time: {kind}");
                    continue;
                }
            };
            let message: Value = serde_json::from_str(&text).unwrap();
            if message["type"] == kind {
                return message;
            }
            assert_ne!(message["type"], "error", "instead of {kind}: {message}");
        }
    }

    /// With which code something is refused, and whether that is the end.
    fn refusal(&mut self, what: Value) -> (String, bool) {
        self.say(what);
        self.refused()
    }

    fn refused(&mut self) -> (String, bool) {
        let error = self.hears("error");
        (error["code"].as_str().unwrap().to_owned(), error["fatal"].as_bool().unwrap())
    }
}

fn join(token: &str, name: &str) -> Value {
    json!({ "type": "join", "token": token, "name": name, "language": "fi", "consent": "declined" })
}

fn refused(code: &str, fatal: bool) -> (String, bool) {
    (code.to_owned(), fatal)
}

#[test]
fn a_token_is_renewed_by_a_newer_one_of_the_same_person_and_by_nothing_else() {
    let door = Door::open();
    let participant = |external, valid_s| door.token(Role::Participant, external, valid_s);
    let (mut aino, _) = door.joins(&participant("u-17", 4), "Aino");
    let renew = |token: &str| json!({ "type": "renew", "token": token });
    let person = Person { external: Some("u-17".to_owned()), ..Person::default() };
    let until_unix_s = vuoro::app::clock::unix_ms() / 1000 + 600;
    let role = Role::Participant;
    let elsewhere = door.tokens.admit(&Right { session: door.other, role, person, until_unix_s });
    for (what, token, code) in [
        ("another person's", participant("u-18", 600), "not-allowed"),
        ("nobody's", door.tokens.link(door.session, Role::Participant), "not-allowed"),
        ("her own of another session", elsewhere, "not-allowed"),
        ("a host's", door.token(Role::Facilitator, "u-17", 600), "not-allowed"),
        ("one that has run out", participant("u-17", -60), "bad-token"),
        ("a seat's", door.seat(door.session, ParticipantId(1)), "bad-token"),
        ("no token", "x".to_owned(), "bad-token"),
    ] {
        assert_eq!(aino.refusal(renew(&token)), refused(code, false), "{what}");
    }
    // Her first runs out; with a newer one in time she would have stayed, as Bo does.
    let (mut bo, _) = door.joins(&participant("u-19", 4), "Bo");
    bo.say(renew(&participant("u-19", 600)));
    assert_eq!(aino.refused(), refused("token-expired", true));
    bo.say(json!({ "type": "post", "text": "still here" }));
    assert_eq!(bo.hears("post")["text"], "still here");
}

#[test]
fn what_a_token_withholds_is_refused_and_no_more_than_that() {
    let door = Door::open();
    let person = Person { grants: Some([WireGrant::Chat].into()), ..Person::default() };
    let (mut aino, _) = door.joins(&door.token_of(Role::Participant, person, 600), "Aino");
    for withheld in [
        json!({ "type": "raise-hand", "on": true }),
        json!({ "type": "react", "reaction": "heart" }),
        json!({ "type": "call", "on": true }),
        json!({ "type": "share", "on": true }),
    ] {
        assert_eq!(aino.refusal(withheld.clone()), refused("not-allowed", false), "{withheld}");
    }
    aino.say(json!({ "type": "post", "text": "but this" }));
    assert_eq!(aino.hears("post")["text"], "but this");

    let person = Person { grants: Some([WireGrant::Hand].into()), ..Person::default() };
    let (mut bo, _) = door.joins(&door.token_of(Role::Participant, person, 600), "Bo");
    let post = json!({ "type": "post", "text": "x" });
    assert_eq!(bo.refusal(post), refused("not-allowed", false));
}

#[test]
fn what_the_tenant_says_of_a_person_wins_over_what_the_page_says() {
    let door = Door::open();
    let person = Person { name: Some("Aino Virtanen".to_owned()), ..Person::default() };
    let token = door.token_of(Role::Participant, person, 600);
    let (_page, welcome) = door.joins(&token, "The mayor");
    assert_eq!(welcome["room"]["people"][0]["name"], "Aino Virtanen");
}

#[test]
fn an_assistant_sees_to_people_and_leads_nothing() {
    let door = Door::open();
    let (_bo, welcome) = door.joins(&door.tokens.link(door.session, Role::Participant), "Bo");
    let bo = welcome["participant"].clone();
    let mut apu = door.watches(&door.token(Role::Assistant, "u-20", 600));
    let methods = door.methods();
    for leads in [
        json!({ "type": "open-rooms", "count": 2 }),
        json!({ "type": "run-method", "method": methods[0], "question": "", "topics": [], "warn_s": 60 }),
        json!({ "type": "next", "at_once": true }),
        json!({ "type": "pause", "on": true }),
        json!({ "type": "extend", "seconds": 60 }),
        json!({ "type": "stop-method" }),
        json!({ "type": "keep", "participants": [1, 2], "rule": "apart" }),
        json!({ "type": "pin", "participant": bo, "on": true }),
        json!({ "type": "broadcast", "text": "x" }),
        json!({ "type": "set-glossary", "text": "x" }),
        json!({ "type": "set-transcription", "on": false }),
        json!({ "type": "group-idea", "idea": 1, "group": null }),
        json!({ "type": "end" }),
    ] {
        assert_eq!(apu.refusal(leads.clone()), refused("not-allowed", false), "{leads}");
    }
    // A host opens a room, and now Apu takes Bo there.
    let mut host = door.watches(&door.tokens.link(door.session, Role::Facilitator));
    host.say(json!({ "type": "open-rooms", "count": 1 }));
    while host.hears("overview")["rooms"].as_array().unwrap().len() < 2 {}
    apu.say(json!({ "type": "move", "participant": bo, "room": "room-1" }));
    while apu.hears("overview")["rooms"][1]["people"][0]["participant"] != bo {}
}

#[test]
fn a_token_opens_what_it_is_for_and_nothing_beside_it() {
    let door = Door::open();
    let link = |role| door.tokens.link(door.session, role);
    let one = ParticipantId(1);
    let watch = |token: &str| json!({ "type": "watch", "token": token });
    for (what, first, code) in [
        ("a participant leads", watch(&link(Role::Participant)), "not-allowed"),
        ("a reviewer leads", watch(&link(Role::Reviewer)), "not-allowed"),
        ("a reviewer joins", join(&link(Role::Reviewer), "Mallory"), "not-allowed"),
        ("a host joins", join(&link(Role::Facilitator), "Mallory"), "not-allowed"),
        ("an assistant joins", join(&link(Role::Assistant), "Mallory"), "not-allowed"),
        ("a seat joins", join(&door.seat(door.session, one), "Mallory"), "bad-token"),
        ("a seat leads", watch(&door.seat(door.session, one)), "bad-token"),
        ("own words lead", watch(&door.tokens.own(door.session, one)), "bad-token"),
        ("checking leads", watch(&door.tokens.check(door.session, one, 600)), "bad-token"),
        ("nothing leads", watch(""), "bad-token"),
    ] {
        assert_eq!(door.says(first).refused(), refused(code, true), "{what}");
    }
    // Who leads one session does not see another.
    let mut elsewhere = door.watches(&door.tokens.link(door.other, Role::Facilitator));
    let (_aino, _) = door.joins(&link(Role::Participant), "Aino");
    elsewhere.say(json!({ "type": "open-rooms", "count": 1 }));
    let seen = elsewhere.hears("overview");
    assert_eq!(seen["title"], "Syksy");
    assert_eq!(seen["rooms"][0]["people"], json!([]));
}

#[test]
fn a_seat_is_found_again_by_whoever_sat_there_and_in_its_own_session() {
    let door = Door::open();
    let token = door.tokens.link(door.session, Role::Participant);
    let (page, welcome) = door.joins(&token, "Aino");
    drop(page);
    let comes = |seat: &str| {
        let mut first = join(&token, "Mallory");
        first["seat"] = json!(seat);
        let mut page = door.says(first);
        let found = page.hears("welcome")["participant"].clone();
        (page, found)
    };
    let aino = welcome["participant"].as_u64().unwrap() as u32;
    for (what, seat) in [
        ("the same number in another session", door.seat(door.other, ParticipantId(aino))),
        ("proof of who sits there", door.tokens.own(door.session, ParticipantId(aino))),
        ("a link to her words", door.tokens.check(door.session, ParticipantId(aino), 600)),
        ("nothing", "x".to_owned()),
    ] {
        let (_page, found) = comes(&seat);
        assert_ne!(found, welcome["participant"], "{what}");
    }
    let (_page, found) = comes(welcome["seat"].as_str().unwrap());
    assert_eq!(found, welcome["participant"]);
}

#[test]
fn whom_a_tenant_lets_in_after_another_in_the_same_browser_gets_a_seat_of_their_own() {
    let door = Door::open();
    let token = |external| door.token(Role::Participant, external, 600);
    let (page, welcome) = door.joins(&token("u-17"), "Aino");
    drop(page);
    let comes = |external| {
        let mut first = join(&token(external), "Bo");
        first["seat"] = welcome["seat"].clone();
        let mut page = door.says(first);
        let found = page.hears("welcome")["participant"].clone();
        (page, found)
    };
    let (_bo, found) = comes("u-18");
    assert_ne!(found, welcome["participant"], "Bo sits where Aino sat, and sees her words");
    let (_aino, found) = comes("u-17");
    assert_eq!(found, welcome["participant"]);
}

#[test]
fn pages_of_others_may_not_connect_at_all() {
    let door = Door::open();
    let own = format!("http://127.0.0.1:{}", door.port);
    assert!(door.connects(Some(&own)).is_ok());
    assert!(door.connects(None).is_ok(), "a program that is no browser");
    let longer = format!("{own}0");
    for origin in ["https://evil.example", "null", "http://127.0.0.1", &longer] {
        let refused = door.connects(Some(origin)).err();
        assert_eq!(refused, Some(StatusCode::FORBIDDEN), "{origin}");
    }
}
