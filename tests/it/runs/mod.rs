//! Whole sessions in which methods run, invented by dice: one seed is one session of two to forty
//! people. People and facilitators come, go and interfere, the server is killed, the clock jumps;
//! oracles watch every step, and the log must tell as much as the live session knows. Time is
//! virtual.
//!
//! The seeds of `the_committed_seeds_hold` are the gate. `VUORO_RUN_SEED=7 cargo test --test it runs
//! -- --nocapture` plays one seed and prints a line for each event; `VUORO_RUN_SEEDS=10000` plays so
//! many on all cores. A seed that finds a bug is added to `FOUND`.

mod cafe;
mod disk;
mod faults;
mod invented;
mod oracles;
mod people;
mod seen;
mod steps;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use vuoro::domain::{
    fact::Fact,
    ids::ConnectionId,
    language::Language,
    message::{Message, Overview},
    method::Method,
    preview::preview,
    run::{RunOptions, StepBegan},
    session::{Input, Output, Session, Wish},
    spoken::Spoken,
    time::SessionTime,
};

use self::{
    faults::{FAULTS, Fault},
    oracles::{Checked, Violation, World, ensure},
    people::Soul,
    seen::MUST_HAPPEN,
};

/// About 15 ms each.
const SEEDS: u64 = 200;

/// Seeds beyond `SEEDS` that found something once; they mean the same as long as `StdRng` does.
const FOUND: &[u64] = &[];

/// What happens in one session beyond ticks, at most.
const ACTS: u32 = 160;

/// No page of the session has it: it looks at the whole and goes again.
const PROBE: ConnectionId = ConnectionId(u64::MAX);

type Seen = BTreeMap<&'static str, u32>;

#[test]
fn the_committed_seeds_hold() {
    if let Ok(seed) = env::var("VUORO_RUN_SEED") {
        let seed = seed.parse().expect("VUORO_RUN_SEED is a number");
        let mut run = Run::new(seed, None);
        run.prints = true;
        run.play().unwrap_or_else(|it| panic!("seed {seed} at {}: {it}", run.now));
        println!("{:?}", run.seen);
        return;
    }
    let count = env::var("VUORO_RUN_SEEDS").ok().map(|it| it.parse().expect("a number"));
    let mut seeds: Vec<u64> = (0..count.unwrap_or(SEEDS)).collect();
    seeds.extend(FOUND);
    let seen = play_all(&seeds, count.is_some());
    // What never happens is not tested.
    for what in MUST_HAPPEN {
        assert!(2 <= seen.get(what).copied().unwrap_or(0), "{what} is too rare: {seen:#?}");
    }
}

/// On all cores. A violation stops all of them, told with its seed.
fn play_all(seeds: &[u64], tells: bool) -> Seen {
    let next = AtomicU64::new(0);
    let (seen, found) = (Mutex::new(Seen::new()), Mutex::new(Vec::new()));
    let play = || {
        while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
            let mut run = Run::new(*seed, None);
            if let Err(it) = run.play() {
                let it = format!("seed {seed} at {}: {it}", run.now);
                if tells {
                    println!("{it}");
                }
                found.lock().expect("nobody panics").push(it);
            }
            let mut seen = seen.lock().expect("nobody panics");
            run.seen.into_iter().for_each(|(what, times)| *seen.entry(what).or_insert(0) += times);
            *seen.entry("session").or_insert(0) += 1;
            if tells && seen["session"] % 500 == 0 {
                println!("{} sessions", seen["session"]);
            }
        }
    };
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| (0..cores).for_each(|_| _ = scope.spawn(play)));
    let found = found.into_inner().expect("nobody panics");
    assert!(found.is_empty(), "{} of {}:\n{}", found.len(), seeds.len(), found.join("\n"));
    seen.into_inner().expect("nobody panics")
}

#[test]
fn every_invariant_can_fail() {
    let next = AtomicU64::new(0);
    let check = || {
        while let Some((fault, oracle)) = FAULTS.get(next.fetch_add(1, Ordering::Relaxed) as usize)
        {
            let fails = |seed| Run::new(seed, Some(*fault)).play().err();
            let violation = (0..SEEDS).find_map(fails);
            let found = violation.unwrap_or_else(|| panic!("nothing sees {fault:?}"));
            assert_eq!(found.oracle, *oracle, "{fault:?} is seen as {found}");
        }
    };
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..cores).map(|_| scope.spawn(check)).collect();
        all.into_iter().for_each(|it| it.join().unwrap_or_else(|it| std::panic::resume_unwind(it)));
    });
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mood {
    /// Everybody comes before, and nobody does anything: the method runs by itself.
    Untouched,
    /// People do what the method asks, and stay.
    Steady,
    Wild,
}

struct Run {
    dice: StdRng,
    now: SessionTime,
    session: Session,
    log: Vec<(SessionTime, Fact)>,
    world: World,
    souls: Vec<Soul>,
    mood: Mood,
    /// The page that was closed last.
    gone: Option<ConnectionId>,
    pages: u64,
    /// Speech that is being worked on, by when it will be done.
    speech: BTreeMap<(SessionTime, u64), Input>,
    utterances: u64,
    /// What came of the last input, and how many facts of it are in the log.
    last_out: Vec<Output>,
    last_written: usize,
    fault: Option<Fault>,
    prints: bool,
    seen: Seen,
}

impl Run {
    fn new(seed: u64, fault: Option<Fault>) -> Self {
        let mut dice = StdRng::seed_from_u64(seed);
        let title = "Simulated".to_owned();
        let opened = Fact::Opened { title, language: Language::Finnish, unix_ms: seed };
        let log = vec![(SessionTime::ZERO, opened)];
        let session = Session::restore(log.clone(), SessionTime::ZERO).expect("it is opened");
        let mood =
            [Mood::Untouched, Mood::Steady, Mood::Steady, Mood::Wild, Mood::Wild, Mood::Wild]
                [dice.random_range(0..6)];
        let count = if dice.random_ratio(1, 2) { 2..=12 } else { 2..=40 };
        let count = if dice.random_ratio(1, 8) { 10 } else { dice.random_range(count) };
        let has_tags = dice.random_ratio(1, 3);
        let mut tag = |kind: &str, of: u32| (kind.to_owned(), dice.random_range(0..of).to_string());
        let mut tags = || BTreeMap::from([tag("organisation", 3), tag("region", 4)]);
        let souls = (0..count).map(|_| Soul {
            tags: if has_tags { tags() } else { BTreeMap::new() },
            ..Soul::default()
        });
        let souls = souls.collect();
        Self {
            dice,
            now: SessionTime::ZERO,
            session,
            log,
            world: World::default(),
            souls,
            mood,
            gone: None,
            pages: 0,
            speech: BTreeMap::new(),
            utterances: 0,
            last_out: vec![],
            last_written: 0,
            fault,
            prints: false,
            seen: Seen::new(),
        }
    }

    fn play(&mut self) -> Checked {
        let connection = self.new_page();
        self.step(Input::Watch { connection })?;
        for index in 0..self.souls.len() {
            let late = self.mood == Mood::Wild && self.one_in(3);
            if !late {
                self.enter(index, ConnectionId(self.pages + 1), None, format!("Soul {index}"))?;
                self.pages += 1;
                self.wait(100)?;
            }
        }
        self.run_method(connection)?;
        match self.mood {
            Mood::Untouched => self.go_by_itself(),
            Mood::Steady | Mood::Wild => self.be_busy(),
        }
    }

    /// Nobody interferes: everything takes as long as it should, and goes as foretold.
    fn go_by_itself(&mut self) -> Checked {
        let began_at = self.now;
        let patience_ms = 24 * 3_600_000;
        while self.world.disk.show.is_some() && self.now.since_ms(began_at) < patience_ms {
            let Some((at, _)) = self.session.poll_timeout() else { break };
            self.wait(at.since_ms(self.now))?;
        }
        let steps: Vec<_> = self.steps().collect();
        let Some((method, _)) = self.method().filter(|_| self.world.disk.show.is_none()) else {
            return ensure(false, "whole length", || "it does not end".to_owned());
        };
        let grace_ms = |it: &StepBegan| method.phases[usize::from(it.place.phase)].grace_ms();
        let length = |it: &StepBegan| it.length_ms.unwrap_or(0) + grace_ms(it);
        let whole: u64 = steps.iter().map(length).sum();
        let took = self.now.since_ms(began_at);
        ensure(took == whole, "whole length", || format!("{took} ms instead of {whole} ms"))?;
        self.saw("untouched to the end");
        self.goes_as_foretold(&steps)
    }

    /// What hosts are shown beforehand is what happens.
    fn goes_as_foretold(&mut self, steps: &[StepBegan]) -> Checked {
        let Some((method, options)) = self.method() else { return Ok(()) };
        if !options.topics.is_empty() || self.souls.iter().any(|it| !it.tags.is_empty()) {
            return Ok(());
        }
        let seed = options.seed ^ u64::from(self.fault == Some(Fault::PreviewOther));
        let foretold = preview(&method, self.souls.len(), seed);
        let same = foretold.steps.len() == steps.len()
            && foretold.steps.iter().zip(steps).all(|(told, step)| {
                let rooms = step.rooms.as_ref().is_none_or(|it| {
                    *it == told.rooms || it.iter().all(Vec::is_empty) && told.rooms.is_empty()
                });
                (told.place, told.length_ms) == (step.place, step.length_ms) && rooms
            });
        ensure(same, "preview", || format!("{:?} instead of {steps:?}", foretold.steps))?;
        self.saw("preview agreed");
        Ok(())
    }

    fn steps(&self) -> impl Iterator<Item = StepBegan> {
        self.log.iter().filter_map(|it| match &it.1 {
            Fact::StepBegan(began) => Some(began.clone()),
            _ => None,
        })
    }

    fn method(&self) -> Option<(Arc<Method>, RunOptions)> {
        self.log.iter().find_map(|it| match &it.1 {
            Fact::MethodBegan { method, options } => Some((method.clone(), options.clone())),
            _ => None,
        })
    }

    fn be_busy(&mut self) -> Checked {
        let tempo_ms = [2_000, 20_000, 60_000][self.dice.random_range(0..3)];
        let mut left = ACTS;
        while 0 < left {
            self.act()?;
            if self.one_in(2) {
                self.talk()?;
            }
            let pause_ms = if self.one_in(2) { 50 } else { tempo_ms };
            let pause_ms = self.dice.random_range(0..=pause_ms);
            self.wait(pause_ms)?;
            if left.is_multiple_of(40) {
                self.look_at_the_log()?;
            }
            left = if self.world.disk.ended { left.min(10) - 1 } else { left - 1 };
        }
        self.look_at_the_log()
    }

    /// Time passes; the session is woken whenever it has asked for it, or a little later.
    fn wait(&mut self, ms: u64) -> Checked {
        let until = self.now + ms;
        loop {
            let tick_at = self.session.poll_timeout().map(|it| it.0);
            let speech_at = self.speech.keys().next().map(|it| it.0);
            let Some(next) = [tick_at, speech_at].into_iter().flatten().min() else { break };
            if until < next {
                break;
            }
            self.now = self.now.max(next);
            if tick_at == Some(next) {
                self.be_late();
                self.step(Input::Tick)?;
            } else if let Some((_, input)) = self.speech.pop_first() {
                self.step(input)?;
            }
        }
        self.now = self.now.max(until);
        Ok(())
    }

    fn be_late(&mut self) {
        if self.fault == Some(Fault::TicksLate) {
            self.now = self.now + 1;
        } else if self.mood == Mood::Wild && self.one_in(60) {
            self.saw("late tick");
            self.now = self.now + self.dice.random_range(1..5_000);
        }
    }

    /// The machine has slept: all at once it is later.
    fn jump(&mut self) -> Checked {
        self.saw("jump");
        let far_ms = [1_000, 60_000, 3 * 3_600_000][self.dice.random_range(0..3)];
        self.now = self.now + self.dice.random_range(1..far_ms);
        // A page may be quicker than the alarm clock.
        if self.one_in(2) { Ok(()) } else { self.wait(0) }
    }

    /// Feeds an input to the session, and looks at everything that comes of it.
    fn step(&mut self, input: Input) -> Checked {
        let mut out = vec![];
        self.last_written = 0;
        if !self.is_unheard(&input) {
            self.session.handle(self.now, input.clone(), &mut out);
        }
        self.spoil_input(&input, &mut out);
        self.spoil(&mut out);
        self.print(&input, &out);
        self.count_before(&input, &out);
        self.world.watch(self.now, &input, &out)?;
        self.after(&input, &out);
        let seen = if is_talk(&input) { None } else { self.probe()? };
        self.last_out = out;
        let wakes = self.session.poll_timeout().map(|it| it.0);
        self.world.settled(self.now, &input, seen.as_ref(), wakes)
    }

    /// The log is written and pages learn who they are.
    fn after(&mut self, input: &Input, out: &[Output]) {
        for output in out {
            match output {
                Output::Keep(fact) => self.write(fact),
                Output::Close { connection } => self.forget(*connection),
                Output::Send { connection, message: Message::Welcome { you, .. } } => {
                    for soul in self.souls.iter_mut().filter(|it| it.page == Some(*connection)) {
                        soul.seat = Some(*you);
                    }
                }
                _ => (),
            }
        }
        if let Input::Disconnected { connection } = input {
            self.forget(*connection);
        }
    }

    fn write(&mut self, fact: &Fact) {
        if !self.is_lost(fact) {
            self.log.push((self.now, fact.clone()));
            self.last_written += 1;
        }
    }

    fn forget(&mut self, page: ConnectionId) {
        self.souls.iter_mut().filter(|it| it.page == Some(page)).for_each(|it| it.page = None);
        self.gone = Some(page);
    }

    /// The whole, as a facilitator who has just come sees it. Looking changes nothing: what had to
    /// be done is done. `None`: it is over, or there are too many who look.
    fn probe(&mut self) -> Result<Option<Overview>, Violation> {
        if self.session.is_ended() || 20 <= self.world.hosts.len() {
            return Ok(None);
        }
        let mut out = vec![];
        self.session.handle(self.now, Input::Watch { connection: PROBE }, &mut out);
        self.session.handle(self.now, Input::Disconnected { connection: PROBE }, &mut out);
        self.spoil_probe(&mut out);
        let theirs =
            |it: &Output| matches!(it, Output::Send { connection, .. } if *connection == PROBE);
        ensure(out.iter().all(theirs), "done at once", || format!("left undone: {out:?}"))?;
        let mut seen = seen::overview_in(out);
        ensure(seen.is_some(), "screens", || "a host sees nothing".to_owned())?;
        seen.iter_mut().for_each(|it| self.spoil_overview(it));
        Ok(seen)
    }

    /// `kill -9` and a start from the log. Most people are back soon.
    fn crash(&mut self) -> Checked {
        if self.world.disk.ended {
            return Ok(());
        }
        self.saw(seen::crash_in(self.world.disk.phase().map(|it| it.assign)));
        let before = self.probe()?;
        self.restart(before)
    }

    /// `kill -9` before what an input has brought is on disk. It is written whole or not at all, as
    /// one append is one transaction, and nobody has been told of it.
    fn crash_amid(&mut self) -> Checked {
        self.act_as_host()?;
        if self.world.disk.ended || self.last_written < 1 {
            return Ok(());
        }
        self.saw("crash amid facts");
        self.log.truncate(self.log.len() - self.last_written);
        // Who met in a round that is lost has not met.
        self.world.planned = None;
        self.restart(None)
    }

    /// `before`: the whole as it was, if all of it is in the log.
    fn restart(&mut self, before: Option<Overview>) -> Checked {
        self.print_line("kill -9", "");
        self.session = Session::restore(self.log.clone(), self.now).expect("it is opened");
        self.world.crash(self.now, &self.log);
        self.speech.clear();
        let back: Vec<_> =
            (0..self.souls.len()).filter(|it| self.souls[*it].page.is_some()).collect();
        for soul in &mut self.souls {
            soul.page = None;
            soul.seat = soul.seat.filter(|it| self.world.disk.people.contains_key(it));
        }
        let after = self.probe_restored()?;
        if let (Some(before), Some(after)) = (before, after) {
            seen::is_replayed(&before, &after)?;
        }
        for index in back {
            let pause_ms = self.dice.random_range(0..500);
            self.wait(pause_ms)?;
            if self.mood == Mood::Steady || !self.one_in(6) {
                let name = format!("Soul {index}");
                let (page, seat) = (self.new_page(), self.souls[index].seat);
                self.enter(index, page, seat, name)?;
            }
        }
        let connection = self.new_page();
        self.step(Input::Watch { connection })
    }

    /// As `probe`, of a session to which nothing has come yet: it may have much to do.
    fn probe_restored(&mut self) -> Result<Option<Overview>, Violation> {
        if self.session.is_ended() {
            return Ok(None);
        }
        let restored = Session::restore(self.log.clone(), self.now);
        let mut restored = restored.expect("it is opened");
        Ok(seen::overview_of(&mut restored, self.now))
    }

    /// The log alone tells as much as the live session knows, and always the same.
    fn look_at_the_log(&mut self) -> Checked {
        if self.world.disk.ended {
            let ended =
                Session::restore(self.log.clone(), self.now).is_some_and(|it| it.is_ended());
            return ensure(ended, "replay", || "the end is not in the log".to_owned());
        }
        let [one, other] =
            [0, 1].map(|_| format!("{:?}", Session::restore(self.log.clone(), self.now)));
        ensure(one == other, "replay", || "two replays differ".to_owned())?;
        let live = self.probe()?;
        let restored = self.probe_restored()?;
        if let (Some(live), Some(restored)) = (live, restored) {
            seen::is_replayed(&live, &restored)?;
        }
        let present: Vec<_> =
            (0..self.souls.len()).filter(|it| self.souls[*it].page.is_some()).collect();
        match present.get(self.dice.random_range(0..present.len().max(1))) {
            Some(index) => self.reload(*index),
            None => Ok(()),
        }
    }

    /// Opens a second tab; a session restored from the log would show it the same.
    fn reload(&mut self, index: usize) -> Checked {
        let restored = Session::restore(self.log.clone(), self.now);
        let connection = self.new_page();
        let seat = self.souls[index].seat;
        self.enter(index, connection, seat, format!("Soul {index}"))?;
        let Some(input) = self.last_join(index, connection) else { return Ok(()) };
        let mut out = vec![];
        restored.expect("it is opened").handle(self.now, input, &mut out);
        let to_page = |out: &[Output]| -> Vec<Output> {
            out.iter().filter(|it| seen::told(it) == Some(connection)).cloned().collect()
        };
        let (live, restored) = (to_page(&self.last_out), to_page(&out));
        self.saw("replay compared");
        seen::is_shown_the_same(&live, &restored, &mut self.seen)
    }

    /// What the person of this page has come with.
    fn last_join(&self, index: usize, connection: ConnectionId) -> Option<Input> {
        let participant = self.world.owner(connection)?;
        let consent = self.world.disk.people[&participant].1;
        Some(Input::Join {
            connection,
            seat: self.souls[index].seat,
            name: format!("Soul {index}"),
            spoken: Spoken::Told(Language::ALL[index % 3]),
            consent,
            tags: self.souls[index].tags.clone(),
        })
    }

    fn new_page(&mut self) -> ConnectionId {
        self.pages += 1;
        ConnectionId(self.pages)
    }

    fn one_in(&mut self, count: u32) -> bool {
        self.dice.random_ratio(1, count)
    }

    fn saw(&mut self, what: &'static str) {
        *self.seen.entry(what).or_insert(0) += 1;
    }

    fn print(&self, input: &Input, out: &[Output]) {
        if !self.prints || (is_talk(input) && out.is_empty()) {
            return;
        }
        let kept: Vec<_> = out.iter().filter_map(seen::kept).collect();
        let told: BTreeSet<_> = out.iter().filter_map(seen::told).collect();
        let what = match input {
            Input::Wish { connection, wish: Wish::RunMethod { method, .. } } => {
                format!("{connection} runs {}", method.id)
            }
            other => format!("{other:?}"),
        };
        self.print_line(&what, &format!("tells {} keeps {}", told.len(), kept.join("; ")));
    }

    fn print_line(&self, what: &str, then: &str) {
        if self.prints {
            println!("{}  {what:<110} {then}", self.now);
        }
    }
}

/// Of what was said: nothing else follows from it, mostly.
fn is_talk(input: &Input) -> bool {
    matches!(
        input,
        Input::Voice { .. }
            | Input::Uttered { .. }
            | Input::Partial { .. }
            | Input::Transcribed { .. }
            | Input::Unheard { .. }
    )
}
