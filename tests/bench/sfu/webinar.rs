//! One webinar in a running server: people who join, a facilitator who regroups them, and what their
//! pages are told. It sends no media itself.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tungstenite::{Message, stream::MaybeTlsStream};

use super::{
    client::Client,
    peers::{self, Running, Shape, Socket, hear, open_socket, say},
};

/// How often the pages' sockets are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// What a page is told whose queue is full.
const TOO_SLOW: &str = "too-slow";
const PIN_EVERY: Duration = Duration::from_millis(25);

pub struct Webinar {
    pub running: Running,
    port: u16,
    token: String,
    host: Arc<Mutex<Socket>>,
    /// How often the server let the facilitator's page go, which came back as pages do.
    pub let_go: u32,
    refused: Arc<Mutex<Option<String>>>,
    method: Value,
    pages: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
    /// When each page was last told who is in its slots.
    told: Arc<Mutex<Vec<Option<Instant>>>>,
}

impl Webinar {
    /// A server with one session that everybody has joined; they are not connected yet.
    pub fn open(program: &Path, shape: Shape) -> (Self, Vec<Client>) {
        let (running, port) = peers::serve_ours(program);
        let tokens = peers::open_session(port);
        let (mut clients, mut sockets) = (Vec::new(), Vec::new());
        for index in 0..shape.rooms * shape.size {
            let (client, socket) = peers::join(port, &tokens.participant, index, shape);
            clients.push(client);
            sockets.push(socket);
        }
        let token = tokens.facilitator;
        let host = watch(port, &token);
        let told = Arc::new(Mutex::new(vec![None; sockets.len()]));
        let host = Arc::new(Mutex::new(host));
        let refused = Arc::new(Mutex::new(None));
        let pages = listen(sockets, Arc::clone(&told), Arc::clone(&host), Arc::clone(&refused));
        let method = method(port, shape.size);
        let pages = Some(pages);
        let webinar = Self { running, port, token, host, let_go: 0, refused, method, pages, told };
        (webinar, clients)
    }

    /// Everybody into new groups, by running the method anew. Returns when it was asked for.
    pub fn regroup(&mut self) -> Instant {
        self.be_there();
        self.told.lock().expect("no panic").fill(None);
        let asked = Instant::now();
        say(
            &mut self.host.lock().expect("no panic"),
            &json!({
                "type": "run-method", "method": self.method, "question": "", "topics": [],
                "warn_s": 60,
            }),
        );
        asked
    }

    /// A person stays where they are when groups are made anew. Not in haste: each wish tells the
    /// facilitator's page of everybody.
    pub fn pin(&mut self, participant: u32) {
        self.be_there();
        let mut host = self.host.lock().expect("no panic");
        say(&mut host, &json!({"type": "pin", "participant": participant, "on": true}));
        drop(host);
        std::thread::sleep(PIN_EVERY);
    }

    /// A facilitator's page that was let go comes back before it wishes anything.
    fn be_there(&mut self) {
        let mut refused = self.refused.lock().expect("no panic");
        if refused.take_if(|it| it.contains(TOO_SLOW)).is_some() {
            let mut host = self.host.lock().expect("no panic");
            *host = watch(self.port, &self.token);
            never_wait(&host);
            self.let_go += 1;
        }
    }

    /// How long after `asked` each page was told who is in its slots, in ms; of those that were.
    pub fn told_ms(&self, asked: Instant) -> Vec<f64> {
        let told = self.told.lock().expect("no panic");
        let times = told.iter().flatten();
        times.map(|it| it.duration_since(asked).as_secs_f64() * 1e3).collect()
    }

    /// What the server has logged under a name, such as `placed_us=812`.
    pub fn logged(&self, name: &str) -> Vec<f64> {
        let log = self.running.log();
        let parts = log.split(name).skip(1).filter_map(|it| it.strip_prefix('='));
        let numbers = parts.map(|it| it.split(|it: char| !it.is_ascii_digit()).next());
        numbers.filter_map(|it| it?.parse().ok()).collect()
    }

    /// Fails when the server has refused a wish of the facilitator's.
    pub fn check(&self) {
        let refused = self.refused.lock().expect("no panic").clone();
        let is_fine = refused.as_ref().is_none_or(|it| it.contains(TOO_SLOW));
        assert!(is_fine, "the server refuses: {refused:?}");
    }
}

impl Drop for Webinar {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.pages.take() {
            stop.store(true, Ordering::Relaxed);
            let _ = thread.join();
        }
    }
}

fn watch(port: u16, token: &str) -> Socket {
    let mut host = open_socket(port, &json!({"type": "watch", "token": token}));
    hear(&mut host, "overview");
    host
}

/// A method of one phase that mixes people into rooms of a size, and lasts.
fn method(port: u16, size: usize) -> Value {
    let methods = peers::get(port, "/api/methods");
    let methods = methods["methods"].as_array().expect("methods");
    let mut method = methods
        .iter()
        .find(|it| it["id"] == "impromptu-networking")
        .expect("a method that mixes")
        .clone();
    let mut phase = method["phases"][0].clone();
    let settings = json!({
        "assign": "mix", "size": size, "size_min": null, "size_max": null, "rounds": 9,
        "length_s": 3_600, "length_s_per_person": null, "turns": "free", "harvest": "speech",
        "cycle": null, "roles": [], "advance": "time",
    });
    for (name, value) in settings.as_object().expect("settings") {
        if phase.get(name).is_some() || name == "size" {
            phase[name] = value.clone();
        }
    }
    method["phases"] = json!([phase]);
    method["people"] = json!({"min": 4, "max": 300, "ideal": 300});
    method
}

/// Reads what the pages are told, which also answers the server's pings; who does not read is let go.
fn listen(
    mut sockets: Vec<Socket>,
    told: Arc<Mutex<Vec<Option<Instant>>>>,
    host: Arc<Mutex<Socket>>,
    refused: Arc<Mutex<Option<String>>>,
) -> (Arc<AtomicBool>, JoinHandle<()>) {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    sockets.iter().for_each(never_wait);
    never_wait(&host.lock().expect("no panic"));
    let thread = std::thread::spawn(move || {
        while !stopped.load(Ordering::Relaxed) {
            for (page, socket) in sockets.iter_mut().enumerate() {
                while let Ok(message) = socket.read() {
                    let Message::Text(text) = message else { continue };
                    if text.contains("\"type\":\"slots\"") {
                        told.lock().expect("no panic")[page] = Some(Instant::now());
                    }
                }
                let _ = socket.flush();
            }
            let mut host = host.lock().expect("no panic");
            while let Ok(message) = host.read() {
                let Message::Text(text) = message else { continue };
                if text.contains("\"type\":\"error\"") {
                    *refused.lock().expect("no panic") = Some(text.to_string());
                }
            }
            let _ = host.flush();
            drop(host);
            std::thread::sleep(LOOK_EVERY);
        }
    });
    (stop, thread)
}

fn never_wait(socket: &Socket) {
    if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
        stream.set_nonblocking(true).expect("a socket");
    }
}
