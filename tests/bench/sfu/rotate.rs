//! Measures a rotation from outside: 300 synthetic people in 60 rooms of a running server are regrouped
//! at once by their facilitator, while all of them speak. Beside it, the time a mediasoup worker takes
//! to make the same 1,200 edges.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use super::{
    client::Arrival,
    figures::{Arguments, Figures, median, percentile},
    load::Load,
    peers::{Mediasoup, Programs, Shape},
    webinar::Webinar,
};

const SIZE: usize = 5;
/// Who stays in each room, so that there are pairs that no move may disturb.
const PINNED_PER_ROOM: usize = 2;

/// A server that is slower than this without moves does not have its core.
const DELAY_P99_MAX_MS: f64 = 50.0;

/// A trace begins so long before a move and ends so long after it.
const BEFORE: Duration = Duration::from_millis(1_000);
const AFTER: Duration = Duration::from_millis(2_000);
/// Beginning and end of a trace, in which packets are on their way.
const MARGIN_NS: u64 = 300_000_000;
/// Around the wish, so much belongs to the move.
const MOVE_NS: u64 = 1_000_000_000;

#[derive(Default)]
struct Found {
    told_ms: Vec<f64>,
    /// From the facilitator's wish to the first packet of each new companion.
    heard_ms: Vec<f64>,
    /// In slots that had somebody before: from their last packet to the first of the next person.
    silent_ms: Vec<f64>,
    pairs_kept: usize,
    pairs_new: usize,
    lost_kept: u64,
    missing: u64,
    missing_elsewhere: u64,
    sent: u64,
    skipped: u64,
}

pub fn run(arguments: &Arguments, programs: &Programs) {
    let people = arguments.number("--people", 300);
    let rounds = arguments.number("--rounds", 5);
    let every = Duration::from_millis(arguments.number("--every-ms", 20) as u64);
    let mut figures = Figures::default();

    let theirs = mediasoup_edges(programs, people, rounds);
    let shape = Shape { rooms: people / SIZE, size: SIZE, video: false, loud: true };
    let (mut webinar, clients) = Webinar::open(&programs.vuoro, shape);
    let mut load = Load::new(clients, SIZE, every);
    assert!(load.connect(Duration::from_secs(60)), "everybody is connected");
    webinar.regroup();
    load.warm(Duration::from_secs(3));
    let handshakes: u32 = load.clients.iter().map(|it| it.handshakes).sum();
    let quiet = load.measure(Duration::from_secs(2));
    println!(
        "without moves: {} packets/s out, {:.3} % delivered, delay p99 {:.2} ms",
        quiet.received / 2,
        quiet.delivered() * 100.0,
        quiet.p99_ms
    );
    if quiet.delivered() < 0.999 || DELAY_P99_MAX_MS < quiet.p99_ms {
        println!("  THE SERVER IS OVERLOADED: what is lost or late below is not so by the moves");
    }

    let (mut found, mut kept) = (Found::default(), Vec::new());
    for round in 0..rounds {
        if round == 0 {
            pin(&mut webinar, &load.trace(Duration::from_millis(500)).1);
            load.warm(Duration::from_millis(300));
        }
        let (counted, arrivals, asked, asked_ns) = one_move(&mut webinar, &mut load);
        let before = Found { skipped: found.skipped, ..Default::default() };
        look(&arrivals, asked_ns, &mut found);
        found.told_ms.extend(webinar.told_ms(asked));
        found.skipped += counted.skipped;
        found.sent += counted.sent;
        println!(
            "  move {}: {} of {} packets came, {} numbers skipped, delay p99 {:.2} ms",
            round + 1,
            counted.received,
            counted.expected,
            found.skipped - before.skipped,
            counted.p99_ms
        );
        kept.push(json!({"received": counted.received, "p99_ms": counted.p99_ms}));
    }
    let renewed: u32 = load.clients.iter().map(|it| it.handshakes).sum::<u32>() - handshakes;
    if webinar.let_go > 0 {
        println!("  the server let the facilitator's page go {} times as too slow", webinar.let_go);
    }
    figures.add("rotate_facilitator_let_go", f64::from(webinar.let_go), "times");
    tell(&found, people, rounds, renewed, &mut figures);

    // The first placing of all, and the moves.
    let told = webinar.logged("placed_us");
    let ours: Vec<_> = told.iter().skip(1).map(|it| it / 1e3).collect();
    println!("mediasoup, {} consumers: {theirs:.1?} ms", people * (SIZE - 1));
    figures.add("rotate_mediasoup_edges", median(&theirs), "ms");
    if ours.is_empty() {
        println!("the program does not tell how long the edit takes (placed_us in its log)");
    } else {
        println!("the edit itself, as the program tells: {ours:.2?} ms");
        // Each move is two: all come back, all go on.
        figures.add("rotate_edit", median(&ours), "ms");
        figures.add("rotate_edit_most", percentile(&ours, 1.0), "ms");
        figures.add("rotate_mediasoup_over_ours", median(&theirs) / median(&ours), "ratio");
    }
    let last = percentile(&found.told_ms, 1.0);
    figures.add("rotate_mediasoup_over_last_told", median(&theirs) / last, "ratio");
    figures.tell(arguments, json!({"moves": kept, "mediasoup_ms": theirs, "edit_ms": ours}));
}

fn mediasoup_edges(programs: &Programs, people: usize, rounds: usize) -> Vec<f64> {
    let mut mediasoup = Mediasoup::start(programs);
    let request = json!({"action": "edges", "count": people, "size": SIZE});
    let edges = (people * (SIZE - 1)) as u64;
    let made = (0..rounds.max(5)).map(|_| {
        let made: Value = mediasoup.ask(&request);
        assert_eq!(made["edges"].as_u64(), Some(edges));
        made["ms"].as_f64().expect("a time")
    });
    made.collect()
}

/// Two of each room, as the packets show who is in one.
fn pin(webinar: &mut Webinar, arrivals: &[Arrival]) {
    let mut rooms: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for it in arrivals {
        rooms.entry(it.client).or_default().insert((it.sender - 1) / 2);
    }
    let mut done = BTreeSet::new();
    for (client, others) in rooms {
        if done.contains(&client) {
            continue;
        }
        let together: Vec<_> = std::iter::once(client).chain(others).collect();
        // Seats are given in the order in which people join, from 1.
        together.iter().take(PINNED_PER_ROOM).for_each(|it| webinar.pin(it + 1));
        done.extend(together);
    }
    std::thread::sleep(Duration::from_millis(500));
    webinar.check();
}

fn one_move(
    webinar: &mut Webinar,
    load: &mut Load,
) -> (super::load::Counted, Vec<Arrival>, Instant, u64) {
    let (counted, arrivals, (asked, asked_ns)) = std::thread::scope(|scope| {
        let wish = scope.spawn(|| {
            std::thread::sleep(BEFORE);
            let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
            (webinar.regroup(), now.as_nanos() as u64)
        });
        let (counted, arrivals) = load.trace(BEFORE + AFTER);
        (counted, arrivals, wish.join().expect("a wish"))
    });
    webinar.check();
    (counted, arrivals, asked, asked_ns)
}

/// What the packets of one move tell.
fn look(arrivals: &[Arrival], asked_ns: u64, found: &mut Found) {
    let times = arrivals.iter().map(|it| it.at_ns);
    let (Some(begin), Some(end)) = (times.clone().min(), times.max()) else { return };
    let mut pairs: BTreeMap<(u32, u32), Vec<&Arrival>> = BTreeMap::new();
    let mut slots: BTreeMap<(u32, u32), Vec<&Arrival>> = BTreeMap::new();
    let mut deliveries: BTreeMap<(u32, u32), (u64, u64)> = BTreeMap::new();
    for it in arrivals {
        pairs.entry((it.client, it.sender)).or_default().push(it);
        slots.entry((it.client, it.slot)).or_default().push(it);
        let delivery = deliveries.entry((it.sender, it.counter)).or_insert((0, it.at_ns));
        delivery.0 += 1;
    }
    for seen in pairs.values_mut() {
        seen.sort_by_key(|it| it.counter);
        let (Some(first), Some(last)) = (seen.first(), seen.last()) else { continue };
        let was_before = first.at_ns < asked_ns.min(begin + MARGIN_NS);
        let is_after = end - MARGIN_NS < last.at_ns;
        if was_before && is_after {
            found.pairs_kept += 1;
            let steps = seen.windows(2).map(|it| it[1].counter.wrapping_sub(it[0].counter));
            found.lost_kept += steps.map(|it| u64::from(it.saturating_sub(1))).sum::<u64>();
        } else if is_after {
            found.pairs_new += 1;
            found.heard_ms.push(first.at_ns.saturating_sub(asked_ns) as f64 / 1e6);
        }
    }
    for seen in slots.values_mut() {
        seen.sort_by_key(|it| it.at_ns);
        for it in seen.windows(2).filter(|it| it[0].sender != it[1].sender) {
            found.silent_ms.push((it[1].at_ns - it[0].at_ns) as f64 / 1e6);
        }
    }
    for (count, at_ns) in deliveries.values() {
        if *at_ns < begin + MARGIN_NS || end - MARGIN_NS < *at_ns {
            continue;
        }
        let missing = (SIZE as u64 - 1).saturating_sub(*count);
        if asked_ns.abs_diff(*at_ns) < MOVE_NS {
            found.missing += missing;
        } else {
            found.missing_elsewhere += missing;
        }
    }
}

fn tell(found: &Found, people: usize, rounds: usize, renewed: u32, figures: &mut Figures) {
    let moves = (people * rounds) as f64;
    println!("{rounds} moves of {people} people:");
    println!("  new handshakes                         {renewed} (must be 0)");
    println!("  sequence numbers skipped in slots      {} (must be 0)", found.skipped);
    println!("  pairs that stay                        {}", found.pairs_kept);
    println!("    packets lost in them                 {} (must be 0)", found.lost_kept);
    println!("  pairs that are new                     {}", found.pairs_new);
    for (title, name, values) in [
        ("from the wish to the page's news, ms", "rotate_told", &found.told_ms),
        ("from the wish to the new voice, ms", "rotate_heard", &found.heard_ms),
        ("from the old voice to the new one, ms", "rotate_gap", &found.silent_ms),
    ] {
        let [p50, p95, most] = [0.5, 0.95, 1.0].map(|it| percentile(values, it));
        println!("  {title:<38} p50 {p50:.1}, p95 {p95:.1}, most {most:.1}");
        figures.percentiles(name, values, "ms");
    }
    let each = found.missing as f64 / moves;
    println!(
        "  copies that reached nobody in the moves {} ({each:.2} a person and move), at other times {}",
        found.missing, found.missing_elsewhere
    );
    figures.add("rotate_new_handshakes", f64::from(renewed), "handshakes");
    figures.add("rotate_skipped", found.skipped as f64, "packets");
    figures.add("rotate_pairs_kept", found.pairs_kept as f64, "pairs");
    figures.add("rotate_lost_in_pairs_kept", found.lost_kept as f64, "packets");
    figures.add("rotate_pairs_new", found.pairs_new as f64, "pairs");
    figures.add("rotate_missing", found.missing as f64, "packets");
    figures.add("rotate_missing_elsewhere", found.missing_elsewhere as f64, "packets");
}
