//! A long run: sixty synthetic people who speak and are regrouped every two minutes, and what the
//! server's memory, descriptors and threads do meanwhile. Not for comparing: for finding what grows.

use std::{
    fs,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    figures::{Arguments, Figures},
    load::{AUDIO_EVERY, Load},
    peers::{Cpu, Programs, Shape, memory},
    webinar::Webinar,
};

const SIZE: usize = 5;
const SAMPLED_EVERY: Duration = Duration::from_secs(10);
/// Caches and pools fill at first: this part of the run is left out of the slopes.
const WARM_UP: f64 = 0.2;

struct Sample {
    hours: f64,
    memory_mb: f64,
    descriptors: f64,
    threads: f64,
    delivered: f64,
    p99_ms: f64,
    cpu: f64,
}

pub fn run(arguments: &Arguments, programs: &Programs) {
    let minutes = arguments.number("--minutes", 60);
    let people = arguments.number("--people", 60);
    let every = Duration::from_secs(arguments.number("--every", 120) as u64);
    let shape =
        Shape { rooms: people / SIZE, size: SIZE, video: arguments.has("--video"), loud: true };
    let (mut webinar, clients) = Webinar::open(&programs.vuoro, shape);
    let mut load = Load::new(clients, SIZE, AUDIO_EVERY);
    assert!(load.connect(Duration::from_secs(60)), "everybody is connected");
    let pid = webinar.running.pid;
    let begun = Instant::now();
    let length = Duration::from_secs(minutes as u64 * 60);
    let (mut samples, mut moves, mut next) = (Vec::new(), 0_u32, begun);
    while begun.elapsed() < length {
        if next <= Instant::now() {
            next += every;
            moves += 1;
            webinar.regroup();
            load.warm(Duration::from_secs(1));
        }
        let (cpu, since) = (Cpu::of(pid), Instant::now());
        let counted = load.measure(SAMPLED_EVERY.min(length));
        webinar.check();
        let sample = Sample {
            hours: begun.elapsed().as_secs_f64() / 3_600.0,
            memory_mb: memory(pid) as f64 / 1e6,
            descriptors: entries(pid, "fd"),
            threads: entries(pid, "task"),
            delivered: counted.delivered(),
            p99_ms: counted.p99_ms,
            cpu: cpu.since() / since.elapsed().as_secs_f64(),
        };
        if samples.len() % 6 == 0 {
            println!(
                "  {:>5.1} min, {moves:>3} moves: {:>6.1} MB, {} descriptors, {} threads, {:.2} % \
                 delivered, p99 {:.1} ms, {:.0} % of a core",
                sample.hours * 60.0,
                sample.memory_mb,
                sample.descriptors,
                sample.threads,
                sample.delivered * 100.0,
                sample.p99_ms,
                sample.cpu * 100.0
            );
        }
        samples.push(sample);
    }
    let handshakes: u32 = load.clients.iter().map(|it| it.handshakes).sum();
    tell(arguments, &samples, moves, handshakes as usize - people);
}

/// How many entries a folder of a process has: its descriptors, its threads.
fn entries(pid: u32, folder: &str) -> f64 {
    fs::read_dir(format!("/proc/{pid}/{folder}")).map_or(f64::NAN, |it| it.count() as f64)
}

fn tell(arguments: &Arguments, samples: &[Sample], moves: u32, renewed: usize) {
    let warm = &samples[(samples.len() as f64 * WARM_UP) as usize..];
    let mut figures = Figures::default();
    figures.add("soak_moves", f64::from(moves), "moves");
    figures.add("soak_new_handshakes", renewed as f64, "handshakes");
    type Of = fn(&Sample) -> f64;
    let all: [(&str, Of, &str); 3] = [
        ("memory", |it| it.memory_mb, "MB"),
        ("descriptors", |it| it.descriptors, "descriptors"),
        ("threads", |it| it.threads, "threads"),
    ];
    println!("  what grows        at first      at last        an hour");
    for (name, of, unit) in all {
        let [first, last] = [warm.first(), warm.last()].map(|it| it.map_or(f64::NAN, of));
        let slope = slope(warm, of);
        println!("  {name:<14} {first:>10.1}   {last:>10.1}   {slope:>+10.2} {unit}");
        figures.add(&format!("soak_{name}_at_last"), last, unit);
        let hour = match unit {
            "MB" => "MB/h",
            "threads" => "threads/h",
            _ => "descriptors/h",
        };
        figures.add(&format!("soak_{name}_slope"), slope, hour);
    }
    let least = samples.iter().map(|it| it.delivered).fold(f64::MAX, f64::min);
    figures.add("soak_delivered_least", least * 100.0, "%");
    let kept: Vec<_> = samples
        .iter()
        .map(|it| {
            json!({
                "hours": it.hours, "memory_mb": it.memory_mb, "descriptors": it.descriptors,
                "threads": it.threads, "delivered": it.delivered, "p99_ms": it.p99_ms,
                "cpu": it.cpu,
            })
        })
        .collect();
    figures.tell(arguments, json!({"samples": kept}));
}

/// Of the line that fits best, an hour.
fn slope(samples: &[Sample], of: fn(&Sample) -> f64) -> f64 {
    let count = samples.len() as f64;
    let mean = |of: &dyn Fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (hour, value) = (mean(&|it| it.hours), mean(&of));
    let both = samples.iter().map(|it| (it.hours - hour) * (of(it) - value)).sum::<f64>();
    both / samples.iter().map(|it| (it.hours - hour).powi(2)).sum::<f64>()
}
