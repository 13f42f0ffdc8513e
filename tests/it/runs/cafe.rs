//! Three hundred people in a learning café: nobody interferes, and it goes as foretold.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use vuoro::domain::{
    fact::{Consent, Fact},
    ids::{ConnectionId, ParticipantId, RoomId},
    language::Language,
    limits::SESSION_PEOPLE_MAX,
    method::Method,
    preview::{Preview, preview},
    run::{Grouping, RunOptions, StepBegan},
    session::{Input, Wish},
    spoken::Spoken,
    time::SessionTime,
};

use super::{Mood, Run, invented, oracles::Checked, people::Soul, steps::pairs};

const SEED: u64 = 2026;

#[test]
fn three_hundred_people_in_a_learning_cafe() {
    let method = invented::called("learning-cafe");
    let mut run = Run::new(SEED, None);
    run.mood = Mood::Untouched;
    run.souls = vec![Soul::default(); SESSION_PEOPLE_MAX];
    run.meet_in(&method).unwrap_or_else(|it| panic!("at {}: {it}", run.now));
    assert!(run.world.disk.places.values().all(|it| *it == RoomId::Main));

    let foretold = preview(&Arc::new(method.clone()), SESSION_PEOPLE_MAX, SEED);
    let began: Vec<_> = run.log.iter().filter_map(step).collect();
    assert_eq!(began.len(), foretold.steps.len());
    println!("{} for {SESSION_PEOPLE_MAX} people", method.name.en);
    let mut met = BTreeSet::new();
    let mut before = Grouping::new();
    for ((at, it), told) in began.iter().zip(&foretold.steps) {
        let rooms = it.rooms.clone().unwrap_or_default();
        let repeats = meet(&mut met, &rooms, &before);
        assert_eq!((it.place, it.length_ms, &rooms), (told.place, told.length_ms, &told.rooms));
        assert_eq!(repeats, told.repeats);
        println!("{}", line(*at, it, &method, repeats));
        before = rooms;
    }
    is_summed_up(&foretold, &began, &met);
}

impl Run {
    fn meet_in(&mut self, method: &Method) -> Checked {
        let connection = self.new_page();
        self.step(Input::Watch { connection })?;
        for index in 0..self.souls.len() {
            self.comes(index)?;
        }
        let topics = (1..=10).map(|it| format!("Topic {it}")).collect();
        let options = RunOptions { topics, seed: SEED, ..RunOptions::default() };
        let wish = Wish::RunMethod { method: method.clone().into(), options };
        self.step(Input::Wish { connection, wish })?;
        self.go_by_itself()
    }

    fn comes(&mut self, index: usize) -> Checked {
        let connection: ConnectionId = self.new_page();
        self.souls[index].page = Some(connection);
        self.step(Input::Join {
            connection,
            seat: None,
            name: format!("Soul {index}"),
            spoken: Spoken::Told(Language::Finnish),
            consent: Consent::On,
            tags: BTreeMap::new(),
        })?;
        self.wait(1_000)
    }
}

fn step((at, fact): &(SessionTime, Fact)) -> Option<(SessionTime, StepBegan)> {
    match fact {
        Fact::StepBegan(began) => Some((*at, began.clone())),
        _ => None,
    }
}

type Pairs = BTreeSet<(ParticipantId, ParticipantId)>;

/// Pairs put together anew who had met before.
fn meet(met: &mut Pairs, rooms: &Grouping, before: &Grouping) -> usize {
    let together: Pairs = before.iter().flat_map(|it| pairs(it)).collect();
    let now: Vec<_> = rooms.iter().flat_map(|it| pairs(it)).collect();
    let again = now.iter().filter(|it| met.contains(*it) && !together.contains(*it)).count();
    met.extend(now);
    again
}

fn line(at: SessionTime, it: &StepBegan, method: &Method, repeats: usize) -> String {
    let rooms = it.rooms.iter().flatten().map(Vec::len);
    let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
    rooms.for_each(|it| *sizes.entry(it).or_default() += 1);
    let sizes: Vec<_> = sizes.iter().map(|(size, rooms)| format!("{rooms} of {size}")).collect();
    let rooms = if sizes.is_empty() { "all together".to_owned() } else { sizes.join(", ") };
    let phase = &method.phases[usize::from(it.place.phase)].name.en;
    let (round, of) = (it.place.round + 1, it.place.of);
    let minutes = it.length_ms.unwrap_or(0) / 60_000;
    format!("{at}  {phase:<12} {round} of {of}  {minutes:>2} min  {rooms}, {repeats} repeats")
}

fn is_summed_up(foretold: &Preview, began: &[(SessionTime, StepBegan)], met: &Pairs) {
    let length_ms: u64 = began.iter().filter_map(|it| it.1.length_ms).sum();
    assert_eq!(length_ms, foretold.length_ms);
    assert_eq!(foretold.repeats, foretold.steps.iter().map(|it| it.repeats).sum::<usize>());
    let partners = 2.0 * met.len() as f64 / SESSION_PEOPLE_MAX as f64;
    assert!((partners - foretold.partners_mean).abs() < 1e-9);
    println!(
        "{} minutes, {} repeats, {} to {} partners, {partners:.1} on average",
        length_ms / 60_000,
        foretold.repeats,
        foretold.partners_min,
        foretold.partners_max
    );
}
