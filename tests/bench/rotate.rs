//! Measures a rotation on the server: 300 people in 60 rooms are regrouped at once. First the
//! forwarding table alone, with real peer connections; then a running server with 300 synthetic WebRTC
//! clients who send and count; beside them, the time a mediasoup worker takes to make the same 1,200
//! edges. Run by `scripts/bench rotate`.
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock and waits")]
#![allow(dead_code, reason = "the parts it shares with the other bench do more")]

#[path = "sfu/client.rs"]
mod client;
#[path = "sfu/floor.rs"]
mod floor;
#[path = "sfu/load.rs"]
mod load;
#[path = "sfu/net.rs"]
mod net;
#[path = "sfu/peers.rs"]
mod peers;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;
use vuoro::{
    domain::{
        ids::{ParticipantId, RoomId},
        time::SessionTime,
    },
    media::driver::{
        forwarder::{Forwarder, MediaEvent},
        peer::Transport,
        tap::{AudioTap, TappedPacket},
    },
};

use load::Load;
use peers::{Mediasoup, Programs, Shape, hear, join, keep_open, open_session, open_socket, say};

const PEOPLE: u32 = 300;
const SIZE: u32 = 5;
const ROUNDS: usize = 9;

/// A fifth of what people send: what is lost is then lost by the moves and not by the load.
const AUDIO_EVERY: Duration = Duration::from_millis(100);

struct Deaf;

impl AudioTap for Deaf {
    fn packet(&self, _: ParticipantId, _: TappedPacket) {}
}

/// Everybody's room in a round: nobody stays with anybody.
fn moves(round: u32) -> Vec<(ParticipantId, Option<RoomId>)> {
    let rooms = PEOPLE / SIZE;
    let room = |who: u32| {
        let (seat, group) = (who % SIZE, who / SIZE);
        (group + seat * round) % rooms
    };
    (0..PEOPLE)
        .map(|who| (ParticipantId(who + 1), Some(RoomId::Breakout(room(who) as u16 + 1))))
        .collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The table with 300 peer connections that have been offered: times of each regrouping in ms, for
/// all at once and for one after another.
fn table() -> (Vec<f64>, Vec<f64>, usize) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listen = "127.0.0.1:0".parse().expect("an address");
        let transport = Transport::bind(listen, &[]).expect("a port");
        let told = Arc::new(AtomicUsize::new(0));
        let events = {
            let told = Arc::clone(&told);
            move |event| {
                if matches!(event, MediaEvent::Slots { .. }) {
                    told.fetch_add(1, Ordering::Relaxed);
                }
            }
        };
        let forwarder = Forwarder::new(
            Arc::clone(&transport),
            Arc::new(|| SessionTime::ZERO),
            Arc::new(Deaf),
            Arc::new(events),
        );
        forwarder.place_all(&moves(0));
        for who in 1..=PEOPLE {
            forwarder.connect(ParticipantId(who)).await.expect("a peer connection");
        }
        let peers = transport.peers();
        let (mut at_once, mut one_by_one) = (Vec::new(), Vec::new());
        for round in 1..=ROUNDS as u32 {
            told.store(0, Ordering::Relaxed);
            let moves = moves(round * 2 - 1);
            let begun = Instant::now();
            forwarder.place_all(&moves);
            at_once.push(begun.elapsed().as_secs_f64() * 1e3);
            assert_eq!(told.load(Ordering::Relaxed), PEOPLE as usize, "everybody has been moved");
            tokio::time::sleep(Duration::from_millis(200)).await;
            let moves = self::moves(round * 2);
            let begun = Instant::now();
            moves.chunks(1).for_each(|it| forwarder.place_all(it));
            one_by_one.push(begun.elapsed().as_secs_f64() * 1e3);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        assert_eq!(transport.peers(), peers, "no connection is made or lost by a move");
        (at_once, one_by_one, peers)
    })
}

/// A running server with everybody connected and sending, regrouped again and again by a method: what
/// was counted, over how many regroupings, and how many handshakes there have been.
fn live(programs: &Programs) -> (load::Counted, usize, u32) {
    let shape = Shape { rooms: 60, size: SIZE as usize, video: false };
    let (_running, port) = peers::serve_ours(&programs.vuoro);
    let tokens = open_session(port);
    let (mut clients, mut sockets) = (Vec::new(), Vec::new());
    for index in 0..PEOPLE as usize {
        let (client, socket) = join(port, &tokens.participant, index, shape);
        clients.push(client);
        sockets.push(socket);
    }
    let (stop, pages) = keep_open(sockets);
    let mut load = Load::new(clients, shape.size, AUDIO_EVERY);
    assert!(load.connect(Duration::from_secs(30)), "everybody is connected");

    let mut host = open_socket(port, &json!({"type": "watch", "token": tokens.facilitator}));
    hear(&mut host, "overview");
    let methods = peers::get(port, "/api/methods");
    let methods = methods["methods"].as_array().expect("methods");
    let method = methods.iter().find(|it| it["id"] == "impromptu-networking");
    let mut method = method.expect("a method that mixes").clone();
    let mut phase = method["phases"][0].clone();
    let settings = json!({
        "assign": "mix", "size": SIZE, "size_min": null, "size_max": null, "rounds": ROUNDS,
        "length_s": 600, "length_s_per_person": null, "turns": "free", "harvest": "speech",
        "cycle": null, "roles": [], "advance": "time",
    });
    for (name, value) in settings.as_object().expect("settings") {
        if phase.get(name).is_some() || name == "size" {
            phase[name] = value.clone();
        }
    }
    method["phases"] = json!([phase]);
    method["people"] = json!({"min": 4, "max": 300, "ideal": 300});
    say(
        &mut host,
        &json!({
            "type": "run-method", "method": method, "question": "", "topics": [], "warn_s": 60,
        }),
    );
    load.warm(Duration::from_secs(3));
    let steps = 5;
    let told = std::thread::spawn(move || {
        for _ in 0..steps {
            std::thread::sleep(Duration::from_millis(1_500));
            say(&mut host, &json!({"type": "next", "at_once": true}));
        }
        host
    });
    let counted = load.measure(Duration::from_secs(10));
    drop(told.join());
    stop.store(true, Ordering::Relaxed);
    let _ = pages.join();
    (counted, steps, load.clients.iter().map(|it| it.handshakes).sum())
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let text = |name: &str| {
        let at = arguments.iter().position(|it| it == name);
        at.and_then(|it| arguments.get(it + 1)).cloned()
    };
    let programs = Programs {
        vuoro: text("--vuoro").expect("--vuoro PROGRAM").into(),
        peers: text("--peers").expect("--peers FOLDER").into(),
        mediasoup: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/bench/mediasoup.mjs"),
    };
    let mut figures: Vec<(&str, f64, &str)> = Vec::new();

    let mut mediasoup = Mediasoup::start(&programs);
    let mut theirs = Vec::new();
    let (at_once, one_by_one, peers) = table();
    for _ in 0..5 {
        let made = mediasoup.ask(&json!({"action": "edges", "count": PEOPLE, "size": SIZE}));
        assert_eq!(made["edges"].as_u64(), Some(u64::from(PEOPLE * (SIZE - 1))));
        theirs.push(made["ms"].as_f64().expect("a time"));
    }
    drop(mediasoup);
    println!("the table, {peers} peer connections, ms: at once {at_once:.2?}");
    println!("                             one by one {one_by_one:.2?}");
    println!("mediasoup, 1,200 consumers, ms: {theirs:.1?}");
    let (at_once, theirs) = (median(at_once), median(theirs));
    figures.push(("rotate_table_at_once", at_once, "ms"));
    figures.push(("rotate_table_one_by_one", median(one_by_one), "ms"));
    figures.push(("rotate_mediasoup_edges", theirs, "ms"));
    figures.push(("rotate_mediasoup_over_ours", theirs / at_once, "ratio"));

    let (counted, steps, handshakes) = live(&programs);
    println!(
        "running server: {steps} regroupings of {PEOPLE} people, sent {}, received {} of {}, sequence \
         numbers skipped {}, late {}, broken {}, delay p50 {:.2} p99 {:.2} ms, handshakes {handshakes}",
        counted.sent,
        counted.received,
        counted.expected,
        counted.skipped,
        counted.late,
        counted.broken,
        counted.p50_ms,
        counted.p99_ms,
    );
    figures.push(("rotate_live_skipped", counted.skipped as f64, "packets"));
    let missing = counted.expected as f64 - counted.received as f64;
    figures.push(("rotate_live_not_received", missing, "packets"));
    figures.push(("rotate_live_new_handshakes", f64::from(handshakes - PEOPLE), "handshakes"));
    figures.push(("rotate_live_delay_p99", counted.p99_ms, "ms"));

    for (name, value, unit) in &figures {
        println!("figure {name} {value:.3} {unit}");
    }
    let list: Vec<_> = figures
        .iter()
        .map(|(name, value, unit)| json!({"name": name, "value": value, "unit": unit}))
        .collect();
    if let Some(path) = text("--json") {
        let json = serde_json::to_string_pretty(&json!({"figures": list})).expect("JSON");
        std::fs::write(path, json).expect("a file");
    }
}
