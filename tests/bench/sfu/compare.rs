//! Measures forwarding: the floor, ours, a mediasoup worker and Debian's Janus under the same load of
//! synthetic WebRTC clients. Run by `scripts/bench sfu`, which gives the server one core and this the
//! other. It asserts nothing: what came out is for people to judge.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    figures::{Arguments, Figures, median, spread},
    load::{self, Counted, Load},
    peers::{self, Cpu, Kind, Programs, Shape, busy_s, memory, start},
};

const KINDS: [Kind; 4] = [Kind::Floor, Kind::Ours, Kind::Mediasoup, Kind::Janus];
const WARM: Duration = Duration::from_millis(1_500);

/// What counts as carried: so much delivered, with so little delay added, in ms.
const DELIVERED_MIN: f64 = 0.999;
const DELAY_P99_MAX_MS: f64 = 20.0;

/// Beyond these the generator itself is what cannot do more: its share of its core, and of packets
/// that it sent a whole period too late.
const GENERATOR_MAX: f64 = 0.9;
const OVERDUE_MAX: f64 = 0.005;

/// Beyond this the machine had other work, and delays and deliveries are not the server's own.
const NEIGHBOURS_MAX: f64 = 0.15;

/// A peer whose own figures differ by more than this is no measure for ours.
const SPREAD_MAX: f64 = 0.15;
const PAIRS_MIN: usize = 5;

struct Workload {
    name: &'static str,
    title: &'static str,
    size: usize,
    video: bool,
    loud: bool,
    /// Rooms at which the cost of a packet is compared: what every server carries.
    compared: usize,
    /// Rooms by which the largest load is sought, and how many steps at most.
    step: usize,
    most: usize,
}

const WORKLOADS: [Workload; 3] = [
    Workload {
        name: "audio",
        title: "rooms of 5, audio of 160 bytes 50 times a second, all speak",
        size: 5,
        video: false,
        loud: true,
        compared: 40,
        step: 5,
        most: 640,
    },
    Workload {
        name: "turns",
        title: "the same, one of five speaks; what is wanted is that one's voice",
        size: 5,
        video: false,
        loud: false,
        compared: 40,
        step: 5,
        most: 640,
    },
    Workload {
        name: "video",
        title: "rooms of 4, video of 1 Mbit/s and audio, all speak",
        size: 4,
        video: true,
        loud: true,
        compared: 8,
        step: 2,
        most: 256,
    },
];

impl Workload {
    fn shape(&self, rooms: usize) -> Shape {
        Shape { rooms, size: self.size, video: self.video, loud: self.loud }
    }
}

struct Measured {
    counted: Counted,
    /// For each packet that was wanted and came.
    us_per_packet: f64,
    /// Of one core.
    server: f64,
    generator: f64,
    /// What others had of the two cores, as a part of one.
    neighbours: f64,
    memory_per_person: f64,
    seconds: f64,
}

impl Measured {
    fn is_carried(&self) -> bool {
        let counted = &self.counted;
        DELIVERED_MIN <= counted.delivered() && counted.p99_ms < DELAY_P99_MAX_MS
    }

    fn is_generator_spent(&self) -> bool {
        let overdue = self.counted.overdue as f64 / self.counted.sent.max(1) as f64;
        GENERATOR_MAX < self.generator || OVERDUE_MAX < overdue
    }

    fn to_json(&self) -> Value {
        let it = &self.counted;
        json!({
            "us_per_packet": self.us_per_packet, "server_core": self.server,
            "generator_core": self.generator, "neighbours": self.neighbours, "memory_per_person_bytes": self.memory_per_person,
            "delivered": it.delivered(), "wanted": it.wanted, "received": it.received, "skipped": it.skipped,
            "late": it.late, "broken": it.broken, "overdue": it.overdue,
            "p50_ms": it.p50_ms, "p99_ms": it.p99_ms, "seconds": self.seconds,
        })
    }

    fn line(&self, kind: Kind, rooms: usize) -> String {
        let it = &self.counted;
        format!(
            "  {:<10} {rooms:>4} rooms {:>7.0} out/s {:>7.2} us/packet  server {:>3.0} %  delivered \
             {:>7.3} %  delay p50 {:>6.2} p99 {:>6.2} ms  {:>5.0} KiB/person  generator {:>3.0} %{}{}",
            kind.name(),
            it.received as f64 / self.seconds,
            self.us_per_packet,
            self.server * 100.0,
            it.delivered() * 100.0,
            it.p50_ms,
            it.p99_ms,
            self.memory_per_person / 1_024.0,
            self.generator * 100.0,
            match self.neighbours < NEIGHBOURS_MAX {
                false => "  NEIGHBOURS HAD THE CORES",
                true if self.is_generator_spent() => "  GENERATOR SPENT",
                true => "",
            },
            if it.broken == 0 { "" } else { "  BROKEN PACKETS" },
        )
    }
}

fn measure(
    kind: Kind,
    shape: Shape,
    programs: &Programs,
    time: Duration,
    profile: Option<&Path>,
) -> Option<Measured> {
    let people = shape.rooms * shape.size;
    let (running, clients) = start(kind, shape, programs);
    let mut load = Load::new(clients, shape.size, load::AUDIO_EVERY);
    if !load.connect(Duration::from_secs(30 + people as u64 / 20)) {
        let connected = load.clients.iter().filter(|it| it.is_connected()).count();
        println!("  {}: only {connected} of {people} connected", kind.name());
        return None;
    }
    load.warm(WARM);
    let (server, own) = (Cpu::of(running.pid), Cpu::of(std::process::id()));
    let busy_begun = busy_s();
    let profile = profile.map(|file| record(running.pid, time, file));
    let counted = load.measure(time);
    if let Some(mut profile) = profile {
        let _ = profile.wait();
    }
    let (cpu, own_cpu) = (server.since(), own.since());
    let others = busy_s() - busy_begun - cpu - own_cpu;
    let seconds = time.as_secs_f64();
    let memory = memory(running.pid).saturating_sub(running.memory_before);
    Some(Measured {
        us_per_packet: cpu * 1e6 / counted.wanted.max(1) as f64,
        server: cpu / seconds,
        neighbours: others.max(0.0) / seconds,
        generator: own_cpu / seconds,
        memory_per_person: memory as f64 / people as f64,
        seconds,
        counted,
    })
}

/// Where a server's time goes: `perf` looks at it beside the measuring.
fn record(pid: u32, time: Duration, file: &Path) -> Child {
    Command::new("perf")
        .args(["record", "-q", "-F", "499", "-g", "-p", &pid.to_string(), "-o"])
        .arg(file)
        .args(["--", "sleep", &format!("{:.1}", time.as_secs_f64())])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("perf starts")
}

fn print_profile(file: &Path) {
    let sorted = Command::new("perf")
        .args(["report", "--stdio", "--no-children", "-g", "none", "--percent-limit", "0.8"])
        .args(["--sort", "dso,symbol", "-i"])
        .arg(file)
        .stderr(Stdio::null())
        .output();
    let Ok(sorted) = sorted else { return };
    let text = String::from_utf8_lossy(&sorted.stdout);
    let lines = text.lines().filter(|it| !it.starts_with('#') && !it.trim().is_empty());
    lines.take(40).for_each(|it| println!("    {it}"));
}

/// What a search for the largest load has found.
#[derive(Default)]
struct Largest {
    rooms: usize,
    packets_per_s: f64,
    /// More was not to be had from the generator: the server may carry more.
    is_generator_spent: bool,
    /// The step above did not fail by itself: neighbours had the cores each time.
    is_disturbed: bool,
}

/// The largest load that is carried, in rooms: doubled from `first` until it is not, then halved in between. A step
/// that fails is tried once more, and up to four times while neighbours have the cores.
fn largest(
    kind: Kind,
    workload: &Workload,
    first: usize,
    programs: &Programs,
    time: Duration,
    tried: &mut Vec<Value>,
) -> Largest {
    let mut found = Largest::default();
    let mut is_carried = |rooms: usize, found: &mut Largest| {
        let (mut failed, mut spent) = (0, 0);
        for _ in 0..4 {
            let shape = workload.shape(rooms);
            let Some(measured) = measure(kind, shape, programs, time, None) else { continue };
            println!("{}", measured.line(kind, rooms));
            let mut kept = measured.to_json();
            (kept["kind"], kept["rooms"]) = (json!(kind.name()), json!(rooms));
            tried.push(kept);
            if measured.is_carried() {
                found.rooms = rooms;
                found.packets_per_s = measured.counted.received as f64 / measured.seconds;
                return true;
            }
            if NEIGHBOURS_MAX <= measured.neighbours {
                continue;
            }
            failed += 1;
            spent += u32::from(measured.is_generator_spent());
            if failed == 2 {
                break;
            }
        }
        found.is_generator_spent = failed != 0 && spent == failed;
        found.is_disturbed = failed == 0;
        false
    };
    let (mut good, mut bad, mut rooms) = (0, workload.most + workload.step, first);
    while good < rooms && rooms < bad {
        if is_carried(rooms, &mut found) {
            good = rooms;
        } else {
            bad = rooms;
        }
        rooms = if workload.most < bad {
            (good * 2).min(workload.most)
        } else {
            (good + bad) / 2 / workload.step * workload.step
        };
    }
    found
}

pub fn run(arguments: &Arguments, programs: &Programs) {
    let profile = arguments.text("--profile").map(PathBuf::from);
    let kinds: Vec<_> = match arguments.text("--only") {
        None => KINDS.to_vec(),
        Some(only) => {
            KINDS.into_iter().filter(|it| only.split(',').any(|o| o == it.name())).collect()
        }
    };
    let kinds: Vec<_> = kinds.into_iter().filter(|it| peers::is_here(*it, programs)).collect();
    let rounds = arguments.number("--rounds", 5);
    let time = Duration::from_secs(arguments.number("--seconds", 6) as u64);
    let step_time = Duration::from_secs(arguments.number("--step-seconds", 4) as u64);
    let seeks = !arguments.has("--no-limit");
    let (mut figures, mut kept) = (Figures::default(), serde_json::Map::new());
    for workload in WORKLOADS {
        if arguments.text("--workload").is_some_and(|it| it != workload.name) {
            continue;
        }
        let rooms = arguments.number("--rooms", workload.compared);
        println!("\n{}: {}, {rounds} rounds", workload.name, workload.title);
        let shape = workload.shape(rooms);
        let mut costs = vec![Vec::new(); kinds.len()];
        let (mut runs, mut tried) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            for (index, kind) in kinds.iter().enumerate() {
                let measured = measure(*kind, shape, programs, time, None);
                let Some(measured) = measured else {
                    costs[index].push(f64::NAN);
                    continue;
                };
                println!("{}", measured.line(*kind, rooms));
                costs[index].push(measured.us_per_packet);
                let mut run = measured.to_json();
                run["kind"] = json!(kind.name());
                runs.push(run);
            }
        }
        let mut figure = |name: String, value, unit| figures.add(&name, value, unit);
        let of = |wanted: Kind| kinds.iter().position(|it| *it == wanted).map(|it| &costs[it]);
        for (index, kind) in kinds.iter().enumerate() {
            let name = format!("sfu_{}_{}", workload.name, kind.name());
            figure(format!("{name}_cpu_per_packet"), median(&costs[index]), "us");
            figure(format!("{name}_spread"), spread(&costs[index]) * 100.0, "%");
            let memory = runs.iter().filter(|it| it["kind"] == kind.name());
            let memory: Vec<_> =
                memory.filter_map(|it| it["memory_per_person_bytes"].as_f64()).collect();
            let others = runs.iter().filter(|it| it["kind"] == kind.name());
            let others: Vec<_> = others.filter_map(|it| it["neighbours"].as_f64()).collect();
            figure(format!("{name}_neighbours"), median(&others) * 100.0, "%");
            figure(format!("{name}_memory_per_person"), median(&memory) / 1_024.0, "KiB");
        }
        for peer in [Kind::Mediasoup, Kind::Floor, Kind::Janus] {
            let (Some(ours), Some(theirs)) = (of(Kind::Ours), of(peer)) else { continue };
            let ratios: Vec<_> =
                ours.iter().zip(theirs).map(|(a, b)| a / b).filter(|it| it.is_finite()).collect();
            let name = format!("sfu_{}_vuoro_over_{}", workload.name, peer.name());
            let (ratio, own) = (median(&ratios), spread(theirs));
            let verdict = match own {
                _ if ratios.len() < PAIRS_MIN => {
                    format!("no verdict: fewer than {PAIRS_MIN} pairs")
                }
                own if own <= SPREAD_MAX => "stands".to_owned(),
                own => format!(
                    "no verdict: {}'s own figures differ by {:.0} %",
                    peer.name(),
                    own * 100.0
                ),
            };
            println!(
                "  vuoro over {:<10} {ratio:.2} (spread {:.0} %): {verdict}",
                peer.name(),
                spread(&ratios) * 100.0
            );
            figure(name.clone(), ratio, "ratio");
            figure(format!("{name}_spread"), spread(&ratios) * 100.0, "%");
            figure(format!("{name}_stands"), f64::from(u8::from(verdict == "stands")), "yes");
        }
        if let Some(file) = &profile {
            let file = file.with_extension(workload.name);
            if measure(Kind::Ours, shape, programs, time, Some(&file)).is_some() {
                println!("\n{}: where our time goes, in % ({})", workload.name, file.display());
                print_profile(&file);
            }
        }
        if seeks {
            println!("\n{}: the largest load", workload.name);
            for kind in &kinds {
                let most = largest(*kind, &workload, rooms, programs, step_time, &mut tried);
                let name = format!("sfu_{}_{}", workload.name, kind.name());
                let limit = match &most {
                    it if it.is_generator_spent => ", and the generator had no more",
                    it if it.is_disturbed => ", and beyond it neighbours had the cores: no verdict",
                    _ => "",
                };
                println!("  {:<10} carries {} rooms{limit}", kind.name(), most.rooms);
                figure(format!("{name}_rooms"), most.rooms as f64, "rooms");
                let disturbed = f64::from(u8::from(most.is_disturbed));
                figure(format!("{name}_disturbed"), disturbed, "yes");
                figure(format!("{name}_most"), most.packets_per_s, "packets/s");
                figure(
                    format!("{name}_generator_spent"),
                    f64::from(u8::from(most.is_generator_spent)),
                    "yes",
                );
            }
        }
        kept.insert(workload.name.to_owned(), json!({"runs": runs, "largest": tried}));
    }
    figures.tell(arguments, json!({"workloads": kept}));
}
