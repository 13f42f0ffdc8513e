//! Debian's Janus with its videoroom plugin under the same load, one event loop. Each person has two
//! connections, as its own pages do: one on which they send, one on which they receive. Debian builds
//! it on a slow libsrtp: a win over this is not a win over Janus.

use std::{
    fs,
    net::{Ipv4Addr, TcpStream},
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tungstenite::{Message, client::IntoClientRequest};

use super::{
    client::{Client, Server, fingerprint},
    floor,
    load::{AUDIO_EVERY, Load},
    peers::{self, Running, Shape, Socket, free_port, keep_open, memory, say},
    sdp,
};

const PROGRAM: &str = "/usr/bin/janus";
const FOLDERS: &str = "/usr/lib/x86_64-linux-gnu/janus";
/// So that clients that receive have other names than those that send.
const RECEIVER: usize = 50_000;

pub fn is_here() -> bool {
    Path::new(PROGRAM).exists()
}

pub fn start(shape: Shape) -> (Running, Vec<Client>) {
    let (port, folder) = (free_port(), peers::folder("janus"));
    configure(&folder, port);
    let child = peers::pinned(Path::new(PROGRAM))
        .args(["-i", "127.0.0.1", "-F"])
        .arg(&folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("janus starts");
    let pid = child.id();
    let end = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        assert!(Instant::now() < end, "janus answers");
        std::thread::sleep(Duration::from_millis(50));
    }
    let memory_before = memory(pid);
    let mut room = Rooms::open(port);
    let mut feeds = Vec::new();
    let mut senders = Vec::new();
    for index in 0..shape.rooms * shape.size {
        if index.is_multiple_of(shape.size) {
            room.create(index / shape.size + 1, shape.size);
        }
        let (client, feed) = room.send(index, shape);
        senders.push(client);
        feeds.push(feed);
    }
    // A feed can be had only when its media flow.
    let mut load = Load::new(senders, shape.size, AUDIO_EVERY);
    assert!(load.connect(Duration::from_secs(60)), "everybody sends");
    let mut clients = load.release();
    for index in 0..feeds.len() {
        let first = index / shape.size * shape.size;
        let others = (first..first + shape.size).filter(|it| *it != index);
        let others: Vec<_> = others.map(|it| json!({"feed": feeds[it]})).collect();
        clients.push(room.receive(index, index / shape.size + 1, &others));
    }
    let pages = keep_open(vec![room.socket]);
    let running = Running::new(vec![child], pid, memory_before, Some(folder), Some(pages));
    (running, clients)
}

fn configure(folder: &Path, port: u16) {
    let disabled = ["http", "rabbitmq", "mqtt", "nanomsg", "pfunix"];
    let disabled: Vec<_> = disabled.iter().map(|it| format!("libjanus_{it}.so")).collect();
    let general = format!(
        "general: {{\n configs_folder = \"{}\"\n plugins_folder = \"{FOLDERS}/plugins\"\n \
         transports_folder = \"{FOLDERS}/transports\"\n debug_level = 1\n session_timeout = 0\n \
         event_loops = 1\n}}\nnat: {{\n ice_lite = true\n}}\ntransports: {{\n disable = \"{}\"\n}}\n",
        folder.display(),
        disabled.join(","),
    );
    let socket = format!(
        "general: {{\n json = \"compact\"\n ws = true\n ws_port = {port}\n ws_ip = \"127.0.0.1\"\n}}\n"
    );
    fs::write(folder.join("janus.jcfg"), general).expect("a configuration");
    fs::write(folder.join("janus.transport.websockets.jcfg"), socket).expect("a configuration");
}

/// The one signalling line, over which every person's handles are had.
struct Rooms {
    socket: Socket,
    session: u64,
    asked: u64,
}

impl Rooms {
    fn open(port: u16) -> Self {
        let mut request =
            format!("ws://127.0.0.1:{port}/").into_client_request().expect("an address");
        let protocol = "janus-protocol".parse().expect("a header");
        request.headers_mut().insert("Sec-WebSocket-Protocol", protocol);
        let (socket, _) = tungstenite::connect(request).expect("janus takes a page");
        let mut rooms = Self { socket, session: 0, asked: 0 };
        rooms.session = rooms.ask(json!({"janus": "create"}), "success")["data"]["id"]
            .as_u64()
            .expect("a session");
        rooms
    }

    /// Asks, and waits for the answer of that kind: `success` at once or `event` later.
    fn ask(&mut self, mut request: Value, kind: &str) -> Value {
        self.asked += 1;
        let transaction = self.asked.to_string();
        request["transaction"] = json!(transaction);
        if self.session != 0 {
            request["session_id"] = json!(self.session);
        }
        say(&mut self.socket, &request);
        loop {
            let Message::Text(text) = self.socket.read().expect("janus answers") else { continue };
            let answer: Value = serde_json::from_str(&text).expect("JSON");
            if answer["transaction"] != transaction {
                continue;
            }
            let fault = &answer["plugindata"]["data"]["error"];
            assert!(answer["janus"] != "error" && fault.is_null(), "janus: {answer}");
            if answer["janus"] == kind {
                return answer;
            }
        }
    }

    fn handle(&mut self) -> u64 {
        let attach = json!({"janus": "attach", "plugin": "janus.plugin.videoroom"});
        self.ask(attach, "success")["data"]["id"].as_u64().expect("a handle")
    }

    fn create(&mut self, room: usize, size: usize) {
        let handle = self.handle();
        let body = json!({
            "request": "create", "room": room, "publishers": size, "bitrate": 0,
            "audiocodec": "opus", "videocodec": "vp8", "transport_wide_cc_ext": false,
            "notify_joining": false,
        });
        self.ask(json!({"janus": "message", "handle_id": handle, "body": body}), "success");
    }

    fn send(&mut self, index: usize, shape: Shape) -> (Client, u64) {
        let handle = self.handle();
        let ice = Client::ice(index);
        let body = json!({
            "request": "joinandconfigure", "room": index / shape.size + 1, "ptype": "publisher",
        });
        let offer = offer(index, shape, &ice);
        let answer = self.ask(
            json!({
                "janus": "message", "handle_id": handle, "body": body,
                "jsep": {"type": "offer", "sdp": offer},
            }),
            "event",
        );
        let sdp = answer["jsep"]["sdp"].as_str().expect("an answer");
        let feed = answer["plugindata"]["data"]["id"].as_u64().expect("a feed");
        let streams = peers::streams(shape, index, peers::BARE);
        (Client::new(index, server(&sdp::Offer::read(sdp)), streams).expect("a client"), feed)
    }

    fn receive(&mut self, index: usize, room: usize, feeds: &[Value]) -> Client {
        let handle = self.handle();
        let body =
            json!({"request": "join", "ptype": "subscriber", "room": room, "streams": feeds});
        let told =
            self.ask(json!({"janus": "message", "handle_id": handle, "body": body}), "event");
        let offered = sdp::Offer::read(told["jsep"]["sdp"].as_str().expect("an offer"));
        let client = Client::new(RECEIVER + index, server(&offered), Vec::new()).expect("a client");
        let (ufrag, password) = Client::ice(RECEIVER + index);
        let answer = offered.answer((&ufrag, &password), &fingerprint(), &[]);
        self.ask(
            json!({
                "janus": "message", "handle_id": handle, "body": {"request": "start"},
                "jsep": {"type": "answer", "sdp": answer},
            }),
            "event",
        );
        client
    }
}

fn server(told: &sdp::Offer) -> Server {
    Server::WebRtc {
        address: told.address(),
        ufrag: told.value("a=ice-ufrag:"),
        password: told.value("a=ice-pwd:"),
    }
}

fn offer(index: usize, shape: Shape, (ufrag, password): &(String, String)) -> String {
    let mut lines = vec![
        "v=0".to_owned(),
        "o=- 1 1 IN IP4 127.0.0.1".to_owned(),
        "s=-".to_owned(),
        "t=0 0".to_owned(),
        format!("a=group:BUNDLE 0{}", if shape.video { " 1" } else { "" }),
    ];
    let kinds = [("audio", 111, "opus/48000/2"), ("video", 96, "VP8/90000")];
    for (mid, (kind, number, codec)) in
        kinds.into_iter().take(1 + usize::from(shape.video)).enumerate()
    {
        lines.extend([
            format!("m={kind} 9 UDP/TLS/RTP/SAVPF {number}"),
            "c=IN IP4 0.0.0.0".to_owned(),
            format!("a=mid:{mid}"),
            "a=sendonly".to_owned(),
            "a=rtcp-mux".to_owned(),
            format!("a=ice-ufrag:{ufrag}"),
            format!("a=ice-pwd:{password}"),
            format!("a=fingerprint:sha-256 {}", fingerprint()),
            "a=setup:active".to_owned(),
            format!("a=rtpmap:{number} {codec}"),
            format!("a=ssrc:{} cname:bench", floor::ssrc(index as u32, mid == 1)),
        ]);
    }
    lines.push(String::new());
    lines.join("\r\n")
}
