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

pub struct Webinar {
    pub running: Running,
    host: Socket,
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
        let mut host = open_socket(port, &json!({"type": "watch", "token": tokens.facilitator}));
        hear(&mut host, "overview");
        let told = Arc::new(Mutex::new(vec![None; sockets.len()]));
        let pages = Some(listen(sockets, Arc::clone(&told)));
        let method = method(port, shape.size);
        (Self { running, host, method, pages, told }, clients)
    }

    /// Everybody into new groups, by running the method anew. Returns when it was asked for.
    pub fn regroup(&mut self) -> Instant {
        self.told.lock().expect("no panic").fill(None);
        let asked = Instant::now();
        say(
            &mut self.host,
            &json!({
                "type": "run-method", "method": self.method, "question": "", "topics": [],
                "warn_s": 60,
            }),
        );
        asked
    }

    /// A person stays where they are when groups are made anew.
    pub fn pin(&mut self, participant: u32) {
        say(&mut self.host, &json!({"type": "pin", "participant": participant, "on": true}));
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

    /// The facilitator's page has to be read, or the server lets it go.
    pub fn drain(&mut self) {
        if let MaybeTlsStream::Plain(stream) = self.host.get_ref() {
            let _ = stream.set_nonblocking(true);
        }
        while self.host.read().is_ok() {}
        let _ = self.host.flush();
        if let MaybeTlsStream::Plain(stream) = self.host.get_ref() {
            let _ = stream.set_nonblocking(false);
        }
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
        "assign": "mix", "size": size, "size_min": null, "size_max": null, "rounds": 1,
        "length_s": 36_000, "length_s_per_person": null, "turns": "free", "harvest": "speech",
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

/// Reads what the pages are told, which also answers the server's pings.
fn listen(
    mut sockets: Vec<Socket>,
    told: Arc<Mutex<Vec<Option<Instant>>>>,
) -> (Arc<AtomicBool>, JoinHandle<()>) {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    for socket in &sockets {
        if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
            stream.set_nonblocking(true).expect("a socket");
        }
    }
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
            std::thread::sleep(LOOK_EVERY);
        }
    });
    (stop, thread)
}
