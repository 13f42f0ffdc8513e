//! The servers that are measured, each a process of its own on a core of its own, and the signalling
//! by which synthetic clients come to them.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket, stream::MaybeTlsStream};

use super::{
    client::{Client, Sent, Server, Wishes, fingerprint},
    floor, janus, sdp,
};

pub type Socket = WebSocket<MaybeTlsStream<TcpStream>>;

/// The core that servers get to themselves.
pub const SERVER_CORE: &str = "0";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Floor,
    Ours,
    Mediasoup,
    Janus,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Floor => "floor",
            Kind::Ours => "vuoro",
            Kind::Mediasoup => "mediasoup",
            Kind::Janus => "janus",
        }
    }
}

#[derive(Clone, Copy)]
pub struct Shape {
    pub rooms: usize,
    pub size: usize,
    pub video: bool,
    /// Whether all speak, by their levels; else one in each room.
    pub loud: bool,
}

/// What is needed to start them.
pub struct Programs {
    pub vuoro: PathBuf,
    /// Folder whose `node_modules` has mediasoup.
    pub peers: PathBuf,
    pub mediasoup: PathBuf,
}

pub struct Running {
    children: Vec<Child>,
    pub pid: u32,
    pub memory_before: u64,
    pages: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
    folder: Option<PathBuf>,
    /// Ends when it is dropped.
    _mediasoup: Option<Mediasoup>,
}

impl Running {
    /// All that it has said on its output, where it logs.
    pub fn log(&self) -> String {
        let folder = self.folder.as_ref().expect("a folder");
        let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
        // Without colours, between a name and its value.
        let parts = log.split('\u{1b}').enumerate();
        parts
            .map(|(at, it)| if at == 0 { it } else { it.split_once('m').map_or("", |it| it.1) })
            .collect()
    }

    pub fn new(
        children: Vec<Child>,
        pid: u32,
        memory_before: u64,
        folder: Option<PathBuf>,
        pages: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
    ) -> Self {
        Self { children, pid, memory_before, pages, folder, _mediasoup: None }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.pages.take() {
            stop.store(true, Ordering::Relaxed);
            let _ = thread.join();
        }
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
        if let Some(folder) = &self.folder {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// Starts a server and has everybody's signalling done; they are not connected yet.
pub fn start(kind: Kind, shape: Shape, programs: &Programs) -> (Running, Vec<Client>) {
    match kind {
        Kind::Floor => start_floor(shape),
        Kind::Ours => start_ours(shape, &programs.vuoro),
        Kind::Mediasoup => start_mediasoup(shape, programs),
        Kind::Janus => janus::start(shape),
    }
}

/// Whether it can be started at all; says so when not.
pub fn is_here(kind: Kind, programs: &Programs) -> bool {
    let is_here = match kind {
        Kind::Floor | Kind::Ours => true,
        Kind::Mediasoup => programs.peers.join("node_modules/mediasoup_prebuilt").exists(),
        Kind::Janus => janus::is_here(),
    };
    if !is_here {
        println!("{} is not on this machine: left out", kind.name());
    }
    is_here
}

/// A server on its core, which ends when this program does, however it does.
pub fn pinned(program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", SERVER_CORE]).arg(program);
    // SAFETY: between fork and exec nothing is called but this one system call.
    unsafe {
        command.pre_exec(|| {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            Ok(())
        });
    }
    command
}

pub fn free_port() -> u16 {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    probe.local_addr().expect("an address").port()
}

/// How a client's two lines are to be sent on: payload types, and header extensions as offered.
#[derive(Clone, Copy)]
pub struct Lines<'a> {
    pub types: (u8, u8),
    /// Of the audio level, without which all packets look alike.
    pub level: Option<u8>,
    /// Of the line's name.
    pub mids: [Option<(u8, &'a str)>; 2],
}

/// With nothing but the payload.
pub const BARE: Lines = Lines { types: (111, 96), level: None, mids: [None, None] };

pub fn streams(shape: Shape, index: usize, lines: Lines) -> Vec<Sent> {
    let ssrc = |video| floor::ssrc(index as u32, video);
    let speaks = shape.loud || index.is_multiple_of(shape.size);
    let level = lines.level.map(|id| (id, speaks));
    let mut audio = Sent::new(false, ssrc(false), lines.types.0, level, lines.mids[0]);
    audio.is_wanted = speaks;
    let video =
        shape.video.then(|| Sent::new(true, ssrc(true), lines.types.1, None, lines.mids[1]));
    [Some(audio), video].into_iter().flatten().collect()
}

fn start_floor(shape: Shape) -> (Running, Vec<Client>) {
    let (port, count) = (free_port(), shape.rooms * shape.size);
    let mut child = pinned(&std::env::current_exe().expect("our own program"))
        .args(["floor", &port.to_string(), &count.to_string(), &shape.size.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the floor starts");
    let mut said = String::new();
    BufReader::new(child.stdout.take().expect("its output"))
        .read_line(&mut said)
        .expect("the floor is ready");
    let pid = child.id();
    let clients = (0..count).map(|index| {
        let (key, salt) = floor::master(index as u32);
        let server = Server::Keyed { address: (Ipv4Addr::LOCALHOST, port).into(), key, salt };
        Client::new(index, server, streams(shape, index, BARE)).expect("a client")
    });
    let clients = clients.collect();
    let memory_before = memory(pid);
    (Running::new(vec![child], pid, memory_before, None, None), clients)
}

fn start_ours(shape: Shape, program: &Path) -> (Running, Vec<Client>) {
    let (mut running, port) = serve_ours(program);
    let (mut clients, mut sockets) = (Vec::new(), Vec::new());
    for room in 0..shape.rooms {
        let token = open_session(port).participant;
        for _ in 0..shape.size {
            let (client, socket) = join(port, &token, clients.len(), shape);
            clients.push(client);
            sockets.push(socket);
        }
        // Who says nothing for half a minute is given up, and a thousand take longer to come.
        if room % 20 == 0 {
            clients.iter().for_each(Client::ask);
        }
    }
    running.pages = Some(keep_open(sockets));
    (running, clients)
}

/// Without speech: what is measured is the way of the packets.
pub fn serve_ours(program: &Path) -> (Running, u16) {
    let port = free_port();
    let folder = folder("ours");
    let config = folder.join("vuoro.toml");
    fs::write(
        &config,
        "[speech]\nenabled = false\n[media]\nlisten = \"127.0.0.1:0\"\naddresses = [\"127.0.0.1\"]\n",
    )
    .expect("a configuration");
    let child = pinned(program)
        .args(["serve", "--port", &port.to_string()])
        .arg("--config")
        .arg(&config)
        .arg("--data")
        .arg(folder.join("data"))
        .stdout(fs::File::create(folder.join("said")).expect("a log"))
        .stderr(fs::File::create(folder.join("log")).expect("a log"))
        .spawn()
        .expect("vuoro starts");
    let pid = child.id();
    let end = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        assert!(Instant::now() < end, "vuoro answers");
        std::thread::sleep(Duration::from_millis(50));
    }
    let memory_before = memory(pid);
    (Running::new(vec![child], pid, memory_before, Some(folder), None), port)
}

/// A new one, that goes away with what runs in it.
pub fn folder(name: &str) -> PathBuf {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let name = format!("vuoro-bench-{name}-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

pub struct Tokens {
    pub participant: String,
    pub facilitator: String,
}

pub fn open_session(port: u16) -> Tokens {
    let body = r#"{"title":"Bench","language":"en"}"#;
    let created = request(port, "POST", "/api/sessions", body);
    let token = |it: &str| {
        let path = created[it].as_str().expect("a path");
        path.split_once('#').expect("a token").1.to_owned()
    };
    Tokens { participant: token("join_path"), facilitator: token("host_path") }
}

pub fn get(port: u16, path: &str) -> Value {
    request(port, "GET", path, "")
}

fn request(port: u16, verb: &str, path: &str, body: &str) -> Value {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a connection");
    // HTTP/1.0, so that the answer comes in one piece.
    write!(
        stream,
        "{verb} {path} HTTP/1.0\r\nhost: localhost:{port}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let body = answer.split_once("\r\n\r\n").map_or("", |it| it.1);
    serde_json::from_str(body).expect(&answer)
}

pub fn open_socket(port: u16, first: &Value) -> Socket {
    let (mut socket, _) =
        tungstenite::connect(format!("ws://127.0.0.1:{port}/ws")).expect("the server takes a page");
    say(&mut socket, first);
    socket
}

pub fn say(socket: &mut Socket, what: &Value) {
    socket.send(Message::text(what.to_string())).expect("the server listens");
}

/// Waits for a message of one type.
pub fn hear(socket: &mut Socket, kind: &str) -> Value {
    loop {
        let Message::Text(text) = socket.read().expect("the server answers") else { continue };
        let message: Value = serde_json::from_str(&text).expect("JSON");
        assert!(message["type"] != "error", "{message}");
        if message["type"] == kind {
            return message;
        }
    }
}

/// Joins as a page does: a seat, an offer, an answer.
pub fn join(port: u16, token: &str, index: usize, shape: Shape) -> (Client, Socket) {
    let join = json!({
        "type": "join", "token": token, "name": format!("Bench {index}"), "language": "en",
        "consent": "declined",
    });
    let mut socket = open_socket(port, &join);
    say(&mut socket, &json!({"type": "media"}));
    let offer = hear(&mut socket, "offer");
    let offered = sdp::Offer::read(offer["sdp"].as_str().expect("an offer"));
    let line = |it: &str| offer["send"][it].as_str().expect("a line");
    let (audio, video) = (line("audio"), line("video"));
    let server = Server::WebRtc {
        address: offered.address(),
        ufrag: offered.value("a=ice-ufrag:"),
        password: offered.value("a=ice-pwd:"),
    };
    let mid = |mid| offered.extension(mid, "sdes:mid").map(|id| (id, mid));
    let lines = Lines {
        types: (offered.payload_type(audio), offered.payload_type(video)),
        level: offered.extension(audio, "ssrc-audio-level"),
        mids: [mid(audio), mid(video)],
    };
    let mut client = Client::new(index, server, streams(shape, index, lines)).expect("a client");
    client.wishes =
        Wishes { transport: offered.transport_feedback(), estimate: offered.estimates() };
    let sending =
        [(audio, floor::ssrc(index as u32, false)), (video, floor::ssrc(index as u32, true))];
    let ice = (client.ufrag.as_str(), client.ice_password());
    let answer = offered.answer(ice, &fingerprint(), &sending);
    say(&mut socket, &json!({"type": "answer", "number": offer["number"], "sdp": answer}));
    (client, socket)
}

/// Reads what the pages are told, which also answers the server's pings, until told to stop.
pub fn keep_open(mut sockets: Vec<Socket>) -> (Arc<AtomicBool>, JoinHandle<()>) {
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    for socket in &sockets {
        if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
            stream.set_nonblocking(true).expect("a socket");
        }
    }
    let thread = std::thread::spawn(move || {
        while !told.load(Ordering::Relaxed) {
            for socket in &mut sockets {
                while socket.read().is_ok() {}
                let _ = socket.flush();
            }
            std::thread::sleep(Duration::from_millis(400));
        }
    });
    (stop, thread)
}

/// mediasoup's worker behind a small program of its own.
pub struct Mediasoup {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    child: Child,
    pub pid: u32,
}

impl Mediasoup {
    pub fn start(programs: &Programs) -> Self {
        let mut child = Command::new("node")
            .arg(&programs.mediasoup)
            .env("VUORO_PEERS", &programs.peers)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let input = child.stdin.take().expect("its input");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let mut mediasoup = Self { input, output, child, pid: 0 };
        let pid = mediasoup.ask(&json!({"action": "worker"}))["pid"].as_u64();
        mediasoup.pid = pid.expect("a worker") as u32;
        let pinned = Command::new("taskset")
            .args(["-a", "-cp", SERVER_CORE, &mediasoup.pid.to_string()])
            .stdout(Stdio::null())
            .status();
        assert!(pinned.is_ok_and(|it| it.success()), "the worker is given its core");
        mediasoup
    }

    pub fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.input, "{request}").expect("node listens");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("node answers");
        let answer: Value = serde_json::from_str(&line).expect("JSON");
        assert!(answer.get("error").is_none(), "mediasoup: {answer}");
        answer
    }
}

impl Drop for Mediasoup {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start_mediasoup(shape: Shape, programs: &Programs) -> (Running, Vec<Client>) {
    let mut mediasoup = Mediasoup::start(programs);
    let (pid, memory_before) = (mediasoup.pid, memory(mediasoup.pid));
    let mut clients = Vec::new();
    for _ in 0..shape.rooms {
        let first = clients.len();
        let ssrcs = (first..first + shape.size).map(|index| {
            let ssrc = |video| floor::ssrc(index as u32, video);
            json!({"audio": ssrc(false), "video": ssrc(true)})
        });
        let room = mediasoup.ask(&json!({
            "action": "room", "size": shape.size, "video": shape.video,
            "ssrcs": ssrcs.collect::<Vec<_>>(), "fingerprint": fingerprint(),
        }));
        for person in room.as_array().expect("a room") {
            let port = person["port"].as_u64().expect("a port") as u16;
            let text = |it: &str| person[it].as_str().expect("a text").to_owned();
            let server = Server::WebRtc {
                address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
                ufrag: text("ufrag"),
                password: text("password"),
            };
            let index = clients.len();
            clients
                .push(Client::new(index, server, streams(shape, index, BARE)).expect("a client"));
        }
    }
    let mut running = Running::new(Vec::new(), pid, memory_before, None, None);
    running._mediasoup = Some(mediasoup);
    (running, clients)
}

/// Resident memory of a process, in bytes.
pub fn memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
    let kib = line.and_then(|it| it.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1_024
}

/// What each thread of a process has had of the processor so far (the clock behind utime and stime, in
/// ns and not in ticks).
pub struct Cpu {
    pid: u32,
    threads: BTreeMap<OsString, f64>,
}

impl Cpu {
    pub fn of(pid: u32) -> Self {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        let threads = tasks.filter_map(|it| {
            let text = fs::read_to_string(it.path().join("schedstat")).ok()?;
            Some((it.file_name(), text.split_whitespace().next()?.parse().ok()?))
        });
        Self { pid, threads: threads.collect() }
    }

    /// In seconds. A thread that has ended meanwhile takes nothing away of what it had before.
    pub fn since(&self) -> f64 {
        let now = Self::of(self.pid);
        let before = |it| self.threads.get(it).copied().unwrap_or(0.0);
        now.threads.iter().map(|(thread, ns)| ns - before(thread)).sum::<f64>() / 1e9
    }
}

/// For how long the cores of server and generator have been busy with whatever it was, in seconds;
/// what the machine below us took counts.
pub fn busy_s() -> f64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let cores = stat.lines().filter(|it| it.starts_with("cpu0 ") || it.starts_with("cpu1 "));
    let ticks = cores.map(|it| {
        let ticks: Vec<f64> =
            it.split_whitespace().skip(1).filter_map(|it| it.parse().ok()).collect();
        // user, nice, system, idle, iowait, irq, softirq, steal; guests are in user.
        ticks
            .iter()
            .take(8)
            .enumerate()
            .filter(|(at, _)| ![3, 4].contains(at))
            .map(|it| it.1)
            .sum::<f64>()
    });
    ticks.sum::<f64>() / 100.0
}
