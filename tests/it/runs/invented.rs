//! Methods to run: those of the product, and such as dice invent and `check` finds right.

use std::{fs, sync::OnceLock};

use rand::{Rng, rngs::StdRng};
use vuoro::domain::method::{
    Advance, Assign, Cycle, Harvest, Method, People, Phase, Role, Turns, Vote, check,
};

/// Every method in the binary.
pub fn of_the_product() -> &'static [Method] {
    static METHODS: OnceLock<Vec<Method>> = OnceLock::new();
    METHODS.get_or_init(|| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/models/methods");
        let files = fs::read_dir(folder).expect("the methods are there");
        let mut paths: Vec<_> = files.map(|it| it.expect("it can be read").path()).collect();
        paths.sort();
        let read = |path| fs::read_to_string(path).expect("it is text");
        paths.iter().map(|it| toml::from_str(&read(it)).expect("it is a method")).collect()
    })
}

pub fn called(id: &str) -> Method {
    let found = of_the_product().iter().find(|it| it.id == id);
    found.unwrap_or_else(|| panic!("no method {id}")).clone()
}

/// Rooms of eight: with ten people one is full, and two sit in another.
pub fn of_eights() -> Method {
    let mut method = called("one-two-four-all");
    method.phases.truncate(2);
    method.phases[1].size = Some(8);
    method.phases[1].length_s = Some(900);
    method.people = People { min: 8, max: 300, ideal: 24 };
    method
}

/// One that nobody has thought of. `waits`: whether a phase may wait for the facilitator.
pub fn invented(dice: &mut StdRng, waits: bool) -> Method {
    for _ in 0..100 {
        let method = guessed(dice, waits);
        if check::check(&method).is_empty() {
            return method;
        }
    }
    called("one-two-four-all")
}

fn guessed(dice: &mut StdRng, waits: bool) -> Method {
    let mut method = called("one-two-four-all");
    let pattern = method.phases[0].clone();
    method.id = "invented".to_owned();
    method.people = People { min: 16, max: 300, ideal: 20 };
    method.roles = roles(dice);
    let count = dice.random_range(1..=6);
    method.phases = (0..count).map(|it| phase(dice, &pattern, it, waits)).collect();
    return_somewhere(dice, &mut method.phases);
    if dice.random_ratio(1, 3) {
        cycle(dice, &mut method);
    }
    if let Some(role) = method.roles.first().filter(|_| dice.random_ratio(1, 3)) {
        let (id, at) = (role.id.clone(), dice.random_range(0..method.phases.len()));
        method.phases[at].speaking = vec![id];
    }
    method
}

fn roles(dice: &mut StdRng) -> Vec<Role> {
    let pattern = called("world-cafe").roles[0].clone();
    let role = |id: &str, count, stays| {
        let id = id.to_owned();
        Role { id, count, stays, ..pattern.clone() }
    };
    match dice.random_range(0..4) {
        0 => vec![],
        1 => vec![role("host", Some(1), true), role("guest", None, false)],
        2 => vec![role("client", Some(1), false), role("consultant", None, false)],
        _ => vec![
            role("pair", Some(2), false),
            role("keeper", Some(1), true),
            role("team", None, false),
        ],
    }
}

fn phase(dice: &mut StdRng, pattern: &Phase, number: usize, waits: bool) -> Phase {
    const ASSIGNS: [Assign; 15] = [
        Assign::Plenary,
        Assign::Solo,
        Assign::Same,
        Assign::Mix,
        Assign::Mix,
        Assign::Mix,
        Assign::Merge,
        Assign::Merge,
        Assign::Return,
        Assign::Return,
        Assign::Travel,
        Assign::Carousel,
        Assign::Carousel,
        Assign::Free,
        Assign::Seats,
    ];
    let assign = ASSIGNS[dice.random_range(0..ASSIGNS.len())];
    let mut phase = Phase {
        id: format!("p{number}"),
        assign,
        length_s: Some(dice.random_range(10..240)),
        length_s_per_person: None,
        harvest: harvest(dice),
        turns: turns(dice),
        transcribe: !dice.random_ratio(1, 4),
        advance: Advance::Time,
        ..pattern.clone()
    };
    if dice.random_ratio(1, 4) {
        phase.advance = Advance::Ready;
    } else if waits && dice.random_ratio(1, 8) {
        phase.advance = Advance::Host;
    }
    if matches!(phase.turns, Turns::Round | Turns::Stick) {
        (phase.length_s, phase.length_s_per_person) = (None, Some(dice.random_range(5..60)));
    }
    if matches!(assign, Assign::Mix | Assign::Merge) {
        phase.size = Some(dice.random_range(2..=8));
        phase.size_max = dice.random_ratio(1, 2).then(|| dice.random_range(2..=8));
        phase.size_min = dice.random_ratio(1, 4).then(|| dice.random_range(2..=8));
    }
    if matches!(assign, Assign::Mix | Assign::Travel | Assign::Carousel) {
        phase.rounds = dice.random_range(1..=4);
    }
    phase.seats = (assign == Assign::Seats).then(|| dice.random_range(2..=4));
    phase.transcribe |= phase.harvest == Harvest::Ideas;
    let shown = phase.harvest == Harvest::Ideas && !phase.is_quiet();
    phase.choose = shown.then(|| dice.random_range(1..=3));
    phase.vote = (phase.harvest == Harvest::Votes).then(|| Vote {
        each: 3,
        same: 2,
        own: Some(1),
        hidden: dice.random_ratio(1, 2),
    });
    phase
}

fn harvest(dice: &mut StdRng) -> Harvest {
    use Harvest::{Card, Ideas, Line, Note, Private, Score, Speech, Topics, Votes};
    [Speech, Speech, Note, Private, Line, Line, Card, Score, Topics, Ideas, Ideas, Votes]
        [dice.random_range(0..12)]
}

fn turns(dice: &mut StdRng) -> Turns {
    use Turns::{Free, Round, Silent, Stick};
    [Free, Free, Free, Round, Round, Stick, Stick, Silent][dice.random_range(0..8)]
}

/// Who returns does so to rooms that were made.
fn return_somewhere(dice: &mut StdRng, phases: &mut [Phase]) {
    for index in 0..phases.len() {
        let made: Vec<_> = phases[..index].iter().filter(|it| it.groups()).collect();
        if phases[index].assign == Assign::Return && !made.is_empty() {
            let to = made[dice.random_range(0..made.len())].id.clone();
            phases[index].rooms_of = Some(to);
        }
    }
}

/// Some phases next to each other are gone through several times.
fn cycle(dice: &mut StdRng, method: &mut Method) {
    let first = dice.random_range(0..method.phases.len());
    let last = dice.random_range(first..method.phases.len());
    let each = method.roles.iter().find(|it| it.count == Some(1)).map(|it| it.id.clone());
    let each = each.filter(|_| dice.random_ratio(1, 2));
    let times = each.is_none().then(|| dice.random_range(2..=4));
    method.cycles = vec![Cycle { id: "again".to_owned(), times, each }];
    for phase in &mut method.phases[first..=last] {
        (phase.cycle, phase.rounds) = (Some("again".to_owned()), 1);
    }
}
