//! Measures forwarding: the floor, ours, and a mediasoup worker under the same load of synthetic
//! WebRTC clients. Run by `scripts/bench sfu`, which gives the server one core and this the other.
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock and waits")]

mod client;
mod floor;
mod load;
mod net;
#[expect(dead_code, reason = "the other bench uses the rest of it")]
mod peers;
mod reports;
mod sdp;

use std::{path::PathBuf, time::Duration};

use serde_json::{Value, json};

use load::{Counted, Load};
use peers::{Kind, Programs, Shape, cpu_s, memory, start};

const KINDS: [Kind; 3] = [Kind::Floor, Kind::Ours, Kind::Mediasoup];
const WARM: Duration = Duration::from_millis(1_500);

/// What counts as carried: so much delivered, with so little delay added, in ms.
const DELIVERED_MIN: f64 = 0.999;
const DELAY_P99_MAX_MS: f64 = 20.0;

struct Workload {
    name: &'static str,
    title: &'static str,
    size: usize,
    video: bool,
    /// Rooms at which the cost of a packet is compared: what every server carries.
    compared: usize,
    /// Rooms by which the largest load is sought, and how many steps at most.
    step: usize,
    most: usize,
}

const WORKLOADS: [Workload; 2] = [
    Workload {
        name: "audio",
        title: "rooms of 5, audio of 160 bytes 50 times a second",
        size: 5,
        video: false,
        compared: 30,
        step: 10,
        most: 320,
    },
    Workload {
        name: "video",
        title: "rooms of 4, video of 1 Mbit/s and audio",
        size: 4,
        video: true,
        compared: 8,
        step: 4,
        most: 120,
    },
];

struct Measured {
    counted: Counted,
    us_per_packet: f64,
    /// Of one core.
    server: f64,
    generator: f64,
    memory_per_person: f64,
    seconds: f64,
}

impl Measured {
    fn is_carried(&self) -> bool {
        let counted = &self.counted;
        DELIVERED_MIN <= counted.delivered() && counted.p99_ms < DELAY_P99_MAX_MS
    }

    fn to_json(&self) -> Value {
        let it = &self.counted;
        json!({
            "us_per_packet": self.us_per_packet, "server_core": self.server,
            "generator_core": self.generator, "memory_per_person_bytes": self.memory_per_person,
            "delivered": it.delivered(), "received": it.received, "skipped": it.skipped,
            "late": it.late, "broken": it.broken, "overdue": it.overdue,
            "p50_ms": it.p50_ms, "p99_ms": it.p99_ms, "seconds": self.seconds,
        })
    }

    fn line(&self, kind: Kind, rooms: usize) -> String {
        let it = &self.counted;
        format!(
            "  {:<10} {rooms:>4} rooms {:>7.0} out/s {:>7.2} us/packet  server {:>3.0} %  delivered \
             {:>7.3} %  delay p50 {:>6.2} p99 {:>6.2} ms  {:>5.0} KiB/person  generator {:>3.0} %{}",
            kind.name(),
            it.received as f64 / self.seconds,
            self.us_per_packet,
            self.server * 100.0,
            it.delivered() * 100.0,
            it.p50_ms,
            it.p99_ms,
            self.memory_per_person / 1_024.0,
            self.generator * 100.0,
            if it.broken == 0 { "" } else { "  BROKEN PACKETS" },
        )
    }
}

fn measure(kind: Kind, shape: Shape, programs: &Programs, time: Duration) -> Option<Measured> {
    let people = shape.rooms * shape.size;
    let (running, clients) = start(kind, shape, programs);
    let mut load = Load::new(clients, shape.size, load::AUDIO_EVERY);
    if !load.connect(Duration::from_secs(30)) {
        let connected = load.clients.iter().filter(|it| it.is_connected()).count();
        println!("  {}: only {connected} of {people} connected", kind.name());
        return None;
    }
    load.warm(WARM);
    let (own, begun) = (std::process::id(), cpu_s(running.pid));
    let own_begun = cpu_s(own);
    let counted = load.measure(time);
    let cpu = cpu_s(running.pid) - begun;
    let seconds = time.as_secs_f64();
    let memory = memory(running.pid).saturating_sub(running.memory_before);
    Some(Measured {
        us_per_packet: cpu * 1e6 / counted.received.max(1) as f64,
        server: cpu / seconds,
        generator: (cpu_s(own) - own_begun) / seconds,
        memory_per_person: memory as f64 / people as f64,
        seconds,
        counted,
    })
}

/// The largest load that is carried, in rooms: doubled from the compared one, then halved in between.
/// A step that fails is tried once more, for the machine has other work.
fn largest(
    kind: Kind,
    workload: &Workload,
    programs: &Programs,
    time: Duration,
    tried: &mut Vec<Value>,
) -> usize {
    let mut is_carried = |rooms: usize| {
        let shape = Shape { rooms, size: workload.size, video: workload.video };
        (0..2).any(|_| {
            let Some(measured) = measure(kind, shape, programs, time) else { return false };
            println!("{}", measured.line(kind, rooms));
            let mut kept = measured.to_json();
            (kept["kind"], kept["rooms"]) = (json!(kind.name()), json!(rooms));
            tried.push(kept);
            measured.is_carried()
        })
    };
    let (mut good, mut bad) = (0, workload.most + workload.step);
    let mut rooms = workload.compared;
    while workload.step < bad - good {
        if is_carried(rooms) {
            good = rooms;
        } else {
            bad = rooms;
        }
        let middle = (good + bad) / 2 / workload.step * workload.step;
        rooms = if workload.most < bad { (good * 2).min(workload.most) } else { middle };
        if rooms <= good || bad <= rooms {
            break;
        }
    }
    good
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

fn spread(values: &[f64]) -> f64 {
    let (least, most) =
        values.iter().fold((f64::MAX, f64::MIN), |(a, b), it| (a.min(*it), b.max(*it)));
    (most - least) / least
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let text = |name: &str| {
        let at = arguments.iter().position(|it| it == name);
        at.and_then(|it| arguments.get(it + 1)).cloned()
    };
    let number = |name: &str, usual: usize| text(name).map_or(usual, |it| it.parse().expect(name));
    if arguments.first().is_some_and(|it| it == "floor") {
        let number = |index: usize| arguments[index].parse::<u32>().expect("a number");
        floor::serve(number(1) as u16, number(2), number(3));
    }
    let programs = Programs {
        vuoro: text("--vuoro").expect("--vuoro PROGRAM").into(),
        peers: text("--peers").expect("--peers FOLDER").into(),
        mediasoup: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/bench/mediasoup.mjs"),
    };
    let kinds: Vec<_> = match text("--only") {
        None => KINDS.to_vec(),
        Some(only) => {
            KINDS.into_iter().filter(|it| only.split(',').any(|o| o == it.name())).collect()
        }
    };
    let rounds = number("--rounds", 5);
    let time = Duration::from_secs(number("--seconds", 6) as u64);
    let seeks = !arguments.iter().any(|it| it == "--no-limit");
    let (mut figures, mut kept) = (Vec::new(), serde_json::Map::new());
    for workload in WORKLOADS {
        if text("--workload").is_some_and(|it| it != workload.name) {
            continue;
        }
        let rooms = number("--rooms", workload.compared);
        println!("\n{}: {}, {rounds} rounds", workload.name, workload.title);
        let shape = Shape { rooms, size: workload.size, video: workload.video };
        let mut costs = vec![Vec::new(); kinds.len()];
        let (mut runs, mut tried) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            for (index, kind) in kinds.iter().enumerate() {
                let Some(measured) = measure(*kind, shape, &programs, time) else { continue };
                println!("{}", measured.line(*kind, rooms));
                costs[index].push(measured.us_per_packet);
                let mut run = measured.to_json();
                run["kind"] = json!(kind.name());
                runs.push(run);
            }
        }
        let mut figure = |name: String, value: f64, unit: &'static str| {
            figures.push((name, value, unit));
        };
        let of = |wanted: Kind| kinds.iter().position(|it| *it == wanted).map(|it| &costs[it]);
        for (index, kind) in kinds.iter().enumerate() {
            let name = format!("sfu_{}_{}", workload.name, kind.name());
            figure(format!("{name}_cpu_per_packet"), median(&mut costs[index].clone()), "us");
            figure(format!("{name}_spread"), spread(&costs[index]) * 100.0, "%");
            let memory = runs.iter().filter(|it| it["kind"] == kind.name());
            let mut memory: Vec<_> =
                memory.filter_map(|it| it["memory_per_person_bytes"].as_f64()).collect();
            figure(format!("{name}_memory_per_person"), median(&mut memory) / 1_024.0, "KiB");
        }
        for peer in [Kind::Mediasoup, Kind::Floor] {
            if let (Some(ours), Some(theirs)) = (of(Kind::Ours), of(peer)) {
                let mut ratios: Vec<_> = ours.iter().zip(theirs).map(|(a, b)| a / b).collect();
                let name = format!("sfu_{}_vuoro_over_{}", workload.name, peer.name());
                figure(name, median(&mut ratios), "ratio");
            }
        }
        if seeks {
            println!("\n{}: the largest load", workload.name);
            for kind in &kinds {
                let most = largest(*kind, &workload, &programs, time, &mut tried);
                let name = format!("sfu_{}_{}_rooms", workload.name, kind.name());
                figure(name, most as f64, "rooms");
            }
        }
        kept.insert(workload.name.to_owned(), json!({"runs": runs, "largest": tried}));
    }
    println!();
    for (name, value, unit) in &figures {
        println!("figure {name} {value:.3} {unit}");
    }
    let list: Vec<_> = figures
        .iter()
        .map(|(name, value, unit)| json!({"name": name, "value": value, "unit": unit}))
        .collect();
    let json = json!({"figures": list, "workloads": kept});
    if let Some(path) = text("--json") {
        std::fs::write(path, serde_json::to_string_pretty(&json).expect("JSON")).expect("a file");
    }
}
