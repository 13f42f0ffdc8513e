//! Thirty people for an hour, invented by dice: one seed is one run. The session is compared
//! with a naive reference and watched by oracles at every step; time is virtual.
//!
//! The seeds of `the_committed_seeds_hold` are the gate. `VUORO_SIM_SEED=7 cargo test --test it sim
//! -- --nocapture` plays one seed and prints a line for each event: when; what came in; how many
//! facts were kept, messages sent, places changed. A seed that finds a bug is added to `FOUND`.

mod oracles;
mod reference;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use vuoro::domain::{
    fact::{Consent, Fact, GapReason},
    ids::{ConnectionId, ParticipantId, RoomId},
    language::Language,
    message::{Message, Overview, RoomView},
    session::{Input, Output, Session, Wish},
    spoken::Spoken,
    talk::Reaction,
    time::{SessionTime, Span},
};

use self::{
    oracles::{Violation, World, ensure, places},
    reference::Reference,
};

/// About 60 ms each.
const SEEDS: std::ops::Range<u64> = 0..100;

/// Seeds beyond `SEEDS` that found something once; they mean the same as long as `StdRng` does.
const FOUND: &[u64] = &[];

const PEOPLE: usize = 30;
const RUN_MS: u64 = 60 * 60 * 1000;

/// No page of the run has it: it looks at the whole and goes again.
const PROBE: ConnectionId = ConnectionId(u64::MAX);

#[test]
fn the_committed_seeds_hold() {
    if let Ok(seed) = env::var("VUORO_SIM_SEED") {
        let seed = seed.parse().expect("VUORO_SIM_SEED is a number");
        let mut run = Run::new(seed, None);
        run.prints = true;
        run.play().unwrap_or_else(|it| panic!("seed {seed} at {}: {it}", run.now));
        println!("{:?}", run.seen);
        return;
    }
    let seeds: Vec<u64> = SEEDS.chain(FOUND.iter().copied()).collect();
    let mut seen = BTreeMap::new();
    std::thread::scope(|scope| {
        let runs = seeds.chunks(seeds.len().div_ceil(2)).map(|it| scope.spawn(|| play_all(it)));
        for run in runs.collect::<Vec<_>>() {
            let of_this = run.join().unwrap_or_else(|it| std::panic::resume_unwind(it));
            of_this.into_iter().for_each(|(what, times)| *seen.entry(what).or_insert(0) += times);
        }
    });
    // What never happens is not tested.
    for what in MUST_HAPPEN {
        assert!(10 <= seen.get(what).copied().unwrap_or(0), "{what} is too rare: {seen:?}");
    }
}

const MUST_HAPPEN: &[&str] = &[
    "already-shared",
    "bad-name",
    "bad-text",
    "balance",
    "broadcast",
    "call ended by a move",
    "call seen",
    "called",
    "bad-room-count",
    "caption",
    "caption to nobody",
    "crash",
    "end",
    "kept after the end",
    "left by grace",
    "not-allowed",
    "not kept",
    "post kept",
    "post not kept",
    "posts told again",
    "reacted",
    "rejoin",
    "replaced",
    "room-full",
    "session-ended",
    "share ended by a move",
    "too-fast",
    "unheard",
    "unknown-participant",
    "unknown-room",
    "words of a former room",
];

fn play_all(seeds: &[u64]) -> BTreeMap<&'static str, u32> {
    let mut seen = BTreeMap::new();
    for seed in seeds {
        let mut run = Run::new(*seed, None);
        if let Err(it) = run.play() {
            panic!("seed {seed} at {}: {it}\nsee VUORO_SIM_SEED={seed}", run.now);
        }
        run.seen.into_iter().for_each(|(what, times)| *seen.entry(what).or_insert(0) += times);
    }
    seen
}

/// A way to spoil what the session does, to see an oracle fail.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    KeepLast,
    LoseFact,
    CaptionToAll,
    CaptionToNobody,
    SpeakingToAll,
    SendToClosed,
    ShareTooMuch,
    ListenOffLate,
    ListenOffNever,
    ListenOnNever,
    PlaceWrong,
    PlaceNever,
    PartialStays,
    RoomViewNever,
    OverviewNever,
    RejectionNever,
    SaidOffTheRecord,
    TickNever,
    LeaveUnheard,
    PersonTwice,
    PersonRenamed,
    LogLosesAMove,
    FinishedNever,
    HandAnywhere,
    ShareGoesAlong,
    ShareNeverTold,
    CallUnkept,
    CallUnknown,
    PostToAll,
    PostLost,
    PostKeptUnasked,
    ReactionsFlood,
}

#[test]
fn every_oracle_can_fail() {
    let faults = [
        (Fault::KeepLast, "kept before told"),
        (Fault::LoseFact, "facts"),
        (Fault::CaptionToAll, "captions"),
        (Fault::CaptionToNobody, "captions"),
        (Fault::SpeakingToAll, "rooms apart"),
        (Fault::SendToClosed, "closed"),
        (Fault::ShareTooMuch, "balance"),
        (Fault::ListenOffLate, "deaf before the disk"),
        (Fault::ListenOffNever, "deaf before the disk"),
        (Fault::ListenOnNever, "ears"),
        (Fault::PlaceWrong, "slots apart"),
        (Fault::PlaceNever, "placed"),
        (Fault::PartialStays, "partials"),
        (Fault::RoomViewNever, "screens"),
        (Fault::OverviewNever, "screens"),
        (Fault::RejectionNever, "answers"),
        (Fault::SaidOffTheRecord, "consent"),
        (Fault::TickNever, "timeout"),
        (Fault::LeaveUnheard, "facts"),
        (Fault::PersonTwice, "one room each"),
        (Fault::PersonRenamed, "agreement"),
        (Fault::LogLosesAMove, "restore"),
        (Fault::FinishedNever, "finished"),
        (Fault::HandAnywhere, "agreement"),
        (Fault::ShareGoesAlong, "shares"),
        (Fault::ShareNeverTold, "shares"),
        (Fault::CallUnkept, "kept before told"),
        (Fault::CallUnknown, "agreement"),
        (Fault::PostToAll, "talk"),
        (Fault::PostLost, "talk"),
        (Fault::PostKeptUnasked, "consent"),
        (Fault::ReactionsFlood, "talk"),
    ];
    for (fault, oracle) in faults {
        let fails = |seed| Run::new(seed, Some(fault)).play().err();
        let violation = SEEDS.take(20).find_map(fails);
        let found = violation.unwrap_or_else(|| panic!("nothing sees {fault:?}"));
        assert_eq!(found.oracle, oracle, "{fault:?} is seen as {found}");
    }
}

/// One invented person, not yet or not any more on a page.
#[derive(Clone, Copy, Default)]
struct Soul {
    seat: Option<ParticipantId>,
    page: Option<ConnectionId>,
}

struct Run {
    dice: StdRng,
    now: SessionTime,
    session: Session,
    log: Vec<(SessionTime, Fact)>,
    reference: Reference,
    world: World,
    souls: Vec<Soul>,
    hosts: Vec<ConnectionId>,
    gone: Vec<ConnectionId>,
    pages: u64,
    /// Speech that is being worked on, by when it will be done.
    speech: BTreeMap<(SessionTime, u64), Input>,
    utterances: u64,
    fault: Option<Fault>,
    prints: bool,
    seen: BTreeMap<&'static str, u32>,
}

impl Run {
    fn new(seed: u64, fault: Option<Fault>) -> Self {
        let title = "Simulated".to_owned();
        let opened = Fact::Opened { title, language: Language::Finnish, unix_ms: seed };
        let log = vec![(SessionTime::ZERO, opened)];
        let session = Session::restore(log.clone(), SessionTime::ZERO).expect("it is opened");
        Self {
            dice: StdRng::seed_from_u64(seed),
            now: SessionTime::ZERO,
            session,
            log,
            reference: Reference::default(),
            world: World::default(),
            souls: vec![Soul::default(); PEOPLE],
            hosts: vec![],
            gone: vec![],
            pages: 0,
            speech: BTreeMap::new(),
            utterances: 0,
            fault,
            prints: false,
            seen: BTreeMap::new(),
        }
    }

    fn play(&mut self) -> Result<(), Violation> {
        let mut action_at = SessionTime::ZERO;
        let mut steps = 0;
        while self.now < SessionTime(RUN_MS) {
            let tick_at = self.session.poll_timeout().map(|it| it.0);
            let speech_at = self.speech.keys().next().map(|it| it.0);
            let next = [tick_at, speech_at].into_iter().flatten().fold(action_at, SessionTime::min);
            ensure(self.now <= next, "timeout", || format!("{} wants {next}", self.now))?;
            self.now = next;
            if tick_at == Some(next) {
                self.tick()?;
            } else if speech_at == Some(next) {
                let (_, input) = self.speech.pop_first().expect("it is there");
                self.step(input)?;
            } else {
                self.act()?;
                if self.one_in(3) {
                    self.talk()?;
                }
                // Now in bursts, now after a pause.
                let pause_ms = if self.one_in(2) { 20 } else { 16_000 };
                action_at = self.now + self.dice.random_range(0..=pause_ms);
            }
            steps += 1;
            self.saw("step");
            if steps % 100 == 0 {
                self.check_restore()?;
            }
        }
        self.check_restore()
    }

    fn tick(&mut self) -> Result<(), Violation> {
        self.step(Input::Tick)?;
        let next = self.session.poll_timeout();
        let later = next.is_none_or(|it| self.now < it.0);
        ensure(later, "timeout", || format!("after the tick of {} {next:?}", self.now))
    }

    /// Feeds an input to the session and to the reference, and compares.
    fn step(&mut self, input: Input) -> Result<(), Violation> {
        self.before(&input);
        let expected = self.reference.apply(self.now, &input);
        let mut out = vec![];
        if !self.is_unheard(&input) {
            self.session.handle(self.now, input.clone(), &mut out);
        }
        self.spoil(&input, &mut out);
        self.print(&input, &out);
        self.world.watch(self.now, &input, &out, (&self.reference, &expected))?;
        self.after(&input, &out);
        if is_talk(&input) && out.iter().all(is_talk_told) {
            return Ok(()); // most steps: nobody and nothing has moved
        }
        let rooms = self.reference.rooms();
        self.world.settled(self.now, &self.reference, &rooms)?;
        if !self.reference.ended {
            let mut seen = overview(&mut self.session, self.now).rooms;
            self.spoil_overview(&mut seen);
            places(&seen, &rooms, &self.reference)?;
            let grace = self.reference.next_grace();
            let wakes = self.session.poll_timeout().map(|it| it.0);
            let in_time = grace.is_none_or(|it| wakes.is_some_and(|wake| wake <= it));
            ensure(in_time, "timeout", || format!("{wakes:?} for a grace until {grace:?}"))?;
        }
        Ok(())
    }

    /// What the server does with sockets on its own.
    fn before(&mut self, input: &Input) {
        if let Input::Wish { connection, wish: Wish::Move { participant, room } } = input
            && self.hosts.contains(connection)
            && self.reference.calls_from_elsewhere(*participant, *room)
        {
            self.saw("call ended by a move");
        }
        match input {
            Input::Join { connection, .. } | Input::Watch { connection } => {
                self.world.open.insert(*connection);
            }
            Input::Disconnected { connection } => {
                self.world.open.remove(connection);
            }
            _ => (),
        }
    }

    /// The log is written and pages learn who they are.
    fn after(&mut self, input: &Input, out: &[Output]) {
        for output in out {
            match output {
                Output::Keep(fact) => {
                    let is_move = matches!(fact, Fact::Placed { room: Some(_), .. });
                    if !(is_move && self.fault == Some(Fault::LogLosesAMove) && self.one_in(20)) {
                        self.log.push((self.now, fact.clone()));
                    }
                }
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
        self.count(input, out);
    }

    fn forget(&mut self, page: ConnectionId) {
        self.souls.iter_mut().filter(|it| it.page == Some(page)).for_each(|it| it.page = None);
        self.hosts.retain(|it| *it != page);
        self.gone.push(page);
    }

    /// The log alone tells as much as the live session knows.
    fn check_restore(&mut self) -> Result<(), Violation> {
        let restored = Session::restore(self.log.clone(), self.now);
        let ended = restored.is_some_and(|it| it.is_ended());
        ensure(ended == self.reference.ended, "restore", || format!("ended: {ended}"))?;
        // One that has ended lets nobody look; it knows no less for it.
        let log = self.log.iter().filter(|it| it.1 != Fact::Ended).cloned();
        let mut restored = Session::restore(log, self.now).expect("it is opened");
        let mut rooms = self.reference.rooms();
        for person in rooms.iter_mut().flat_map(|it| &mut it.people) {
            (person.microphone, person.camera, person.present) = (false, false, false);
        }
        for room in &mut rooms {
            room.hands.clear();
            room.sharing = None;
        }
        let restored = overview(&mut restored, self.now).rooms;
        ensure(restored == rooms, "restore", || format!("{restored:?} instead of {rooms:?}"))
    }

    /// `kill -9` and a start from the log.
    fn crash(&mut self) -> Result<(), Violation> {
        self.saw("crash");
        self.print_line("kill -9", "");
        self.session = Session::restore(self.log.clone(), self.now).expect("it is opened");
        self.reference.crash(self.now);
        self.world.crash();
        self.speech.clear();
        self.hosts.clear();
        self.souls.iter_mut().for_each(|it| it.page = None);
        let seen = overview(&mut self.session, self.now).rooms;
        places(&seen, &self.reference.rooms(), &self.reference)
    }
}

/// What people do.
impl Run {
    fn act(&mut self) -> Result<(), Violation> {
        if !self.reference.ended && self.one_in(400) {
            return self.crash();
        }
        if self.one_in(5) {
            return self.act_as_host();
        }
        let index = self.dice.random_range(0..PEOPLE);
        let Soul { seat, page } = self.souls[index];
        let Some(page) = page else {
            // Some stay away longer than their seat.
            return if self.one_in(2) { self.join(index) } else { Ok(()) };
        };
        let Some(participant) = seat else { return Ok(()) };
        let wish = match self.dice.random_range(0..100) {
            0..5 => return self.step(Input::Disconnected { connection: page }),
            5..8 => return self.join(index),
            8..10 => Wish::Leave,
            10..18 => Wish::SetConsent(self.consent()),
            18..25 => Wish::SetMicrophone(self.one_in(2)),
            25..28 => Wish::SetCamera(self.one_in(2)),
            28..40 => {
                let off_at = self.now + self.dice.random_range(200..15_000);
                self.utterances += 1;
                let off = Input::Voice { participant, on: false };
                self.speech.insert((off_at, self.utterances * 2), off);
                return self.step(Input::Voice { participant, on: true });
            }
            40..42 => Wish::OpenRooms { count: 1 },
            42..43 => Wish::End,
            43..44 => return self.step(Input::Watch { connection: page }),
            44..46 => return self.late_wish(),
            _ => {
                self.speak(participant);
                return Ok(());
            }
        };
        self.step(Input::Wish { connection: page, wish })
    }

    fn act_as_host(&mut self) -> Result<(), Violation> {
        let Some(connection) = self.hosts.last().copied().filter(|_| !self.one_in(30)) else {
            let connection = self.new_page();
            if !self.reference.ended {
                self.hosts.push(connection);
            }
            return self.step(Input::Watch { connection });
        };
        let late = RUN_MS * 5 / 6 < self.now.as_ms();
        let wish = match self.dice.random_range(0..100) {
            0..3 => return self.step(Input::Disconnected { connection }),
            3..15 => Wish::OpenRooms { count: self.dice.random_range(0..6) },
            15..16 => Wish::OpenRooms { count: 151 },
            16..18 => Wish::SetConsent(Consent::On),
            18..26 => return self.deal(connection),
            26..30 if late => Wish::End,
            _ => {
                let seats = self.reference.people.len() as u32 + 2;
                let soul = self.souls[self.dice.random_range(0..PEOPLE)].seat;
                let anybody = ParticipantId(self.dice.random_range(0..seats));
                let participant = soul.unwrap_or(anybody);
                Wish::Move { participant, room: self.room() }
            }
        };
        self.step(Input::Wish { connection, wish })
    }

    /// Everybody into the rooms in turn, all in one moment.
    fn deal(&mut self, connection: ConnectionId) -> Result<(), Violation> {
        let rooms = self.reference.breakouts;
        let seats = self.reference.people.len() as u32;
        let here = |it: &ParticipantId| self.reference.people[it].room().is_some();
        let people: Vec<_> = (1..=seats).map(ParticipantId).filter(here).collect();
        for (index, participant) in people.into_iter().enumerate() {
            if rooms == 0 || self.reference.ended {
                break;
            }
            let room = RoomId::Breakout(index as u16 % rooms + 1);
            self.step(Input::Wish { connection, wish: Wish::Move { participant, room } })?;
        }
        Ok(())
    }

    fn join(&mut self, index: usize) -> Result<(), Violation> {
        let asks_twice = self.one_in(4);
        let connection = match self.souls[index].page {
            Some(page) if asks_twice => page,
            _ => self.new_page(),
        };
        let seat = match self.dice.random_range(0..40) {
            0 => None,
            1 if self.souls[index].page.is_none() => Some(ParticipantId(9_999)),
            _ => self.souls[index].seat,
        };
        let name = match self.dice.random_range(0..40) {
            0 => String::new(),
            1 => "x".repeat(61),
            2 => "\u{202e}ecilA".to_owned(),
            3 => format!("  Soul {index}, renamed "),
            _ => format!("Soul {index}"),
        };
        let language = Language::ALL[if self.one_in(20) { 1 } else { index % 3 }];
        let consent = self.consent();
        let old = self.souls[index].page.replace(connection);
        let tags = BTreeMap::new();
        let spoken = Spoken::Told(language);
        self.step(Input::Join { connection, seat, name, spoken, consent, tags })?;
        let old = old.filter(|it| *it != connection && self.world.open.contains(it));
        if self.reference.owner(connection).is_none() {
            self.souls[index].page = old;
            return Ok(());
        }
        // Whoever came without their seat is somebody else now, and closes the page they had.
        match old {
            Some(connection) => self.step(Input::Disconnected { connection }),
            None => Ok(()),
        }
    }

    /// A wish that was under way when its page was closed.
    fn late_wish(&mut self) -> Result<(), Violation> {
        let Some(connection) = self.gone.last().copied() else { return Ok(()) };
        self.step(Input::Wish { connection, wish: Wish::SetCamera(true) })
    }

    /// Says something that ends now; it is found soon and written down sooner or later.
    fn speak(&mut self, participant: ParticipantId) {
        let said_ms = self.dice.random_range(100..15_000);
        let span = Span::new(self.now - said_ms, self.now);
        let found_at = self.now + self.dice.random_range(0..1_000);
        let delay_ms = if self.one_in(10) { 90_000 } else { 8_000 };
        let written_at = found_at + self.dice.random_range(0..delay_ms);
        self.utterances += 1;
        let number = self.utterances;
        let words = match self.dice.random_range(0..12) {
            0 => Input::Unheard { participant, span, reason: GapReason::Backlog },
            1 => self.words(participant, span, "  ".to_owned()),
            _ => self.words(participant, span, format!("Words {number}.")),
        };
        let partial = Input::Partial {
            participant,
            span,
            language: Language::Finnish,
            text: format!("Half {number}"),
        };
        self.speech.insert((found_at, number * 3), partial);
        self.speech.insert(
            (found_at, number * 3 + 1),
            Input::Uttered { participant, span, voice: vec![span] },
        );
        self.speech.insert((written_at, number * 3 + 2), words);
    }

    fn words(&self, participant: ParticipantId, span: Span, text: String) -> Input {
        Input::Transcribed { participant, span, language: Language::Finnish, text, words: vec![] }
    }

    fn room(&mut self) -> RoomId {
        match self.dice.random_range(0..10) {
            0..2 => RoomId::Main,
            2..6 => RoomId::Breakout(1),
            _ => RoomId::Breakout(self.dice.random_range(0..self.reference.breakouts + 2)),
        }
    }

    fn consent(&mut self) -> Consent {
        match self.dice.random_range(0..6) {
            0 => Consent::Declined,
            1 => Consent::OffTheRecord,
            _ => Consent::On,
        }
    }

    fn new_page(&mut self) -> ConnectionId {
        self.pages += 1;
        ConnectionId(self.pages)
    }

    fn one_in(&mut self, count: u32) -> bool {
        self.dice.random_ratio(1, count)
    }
}

/// What people do beside speaking, and hosts about it.
impl Run {
    fn talk(&mut self) -> Result<(), Violation> {
        if self.one_in(5) {
            return self.attend();
        }
        let Some(page) = self.souls[self.dice.random_range(0..PEOPLE)].page else { return Ok(()) };
        let wish = match self.dice.random_range(0..20) {
            0..5 => Wish::RaiseHand(!self.one_in(4)),
            5..8 => {
                let reaction = Reaction::ALL[self.dice.random_range(0..Reaction::ALL.len())];
                return self.often(page, 3, || Wish::React(reaction));
            }
            8..10 => return self.all_react(),
            10..13 => Wish::Post { text: self.text() },
            13 => return self.often(page, 7, || Wish::Post { text: "Again".to_owned() }),
            14 => return self.all_post(),
            15..17 => Wish::Call(!self.one_in(3)),
            17 => {
                for on in [true, false, true, false, true, false, true] {
                    self.step(Input::Wish { connection: page, wish: Wish::Call(on) })?;
                }
                return Ok(());
            }
            18 => Wish::Broadcast { text: "Mine".to_owned() },
            _ => Wish::Share(!self.one_in(4)),
        };
        self.step(Input::Wish { connection: page, wish })
    }

    fn attend(&mut self) -> Result<(), Violation> {
        let Some(connection) = self.hosts.last().copied() else { return Ok(()) };
        let seats = self.reference.people.len() as u32 + 2;
        let calling = self.reference.rooms().iter().flat_map(|it| it.calls.clone()).next();
        let anybody = ParticipantId(self.dice.random_range(0..seats));
        let caller = calling.map_or(anybody, |it| it.by);
        let wish = match self.dice.random_range(0..10) {
            0..2 => {
                return self.often(connection, 5, || Wish::Broadcast { text: "All!".to_owned() });
            }
            2 => Wish::Broadcast { text: self.text() },
            3..5 => Wish::LowerHand { participant: anybody },
            5..7 => Wish::SeeCall { participant: caller },
            7..9 => Wish::EndCall { participant: caller },
            _ => Wish::EndShare { participant: anybody },
        };
        self.step(Input::Wish { connection, wish })
    }

    fn often(
        &mut self,
        connection: ConnectionId,
        times: u32,
        wish: impl Fn() -> Wish,
    ) -> Result<(), Violation> {
        (0..times).try_for_each(|_| self.step(Input::Wish { connection, wish: wish() }))
    }

    /// More than one room can take.
    fn all_react(&mut self) -> Result<(), Violation> {
        let pages: Vec<_> = self.souls.iter().filter_map(|it| it.page).collect();
        pages.into_iter().try_for_each(|it| self.often(it, 1, || Wish::React(Reaction::Clap)))
    }

    fn all_post(&mut self) -> Result<(), Violation> {
        let pages: Vec<_> = self.souls.iter().filter_map(|it| it.page).collect();
        let text = || Wish::Post { text: "Me too".to_owned() };
        pages.into_iter().try_for_each(|it| self.often(it, 2, text))
    }

    fn text(&mut self) -> String {
        match self.dice.random_range(0..12) {
            0 => String::new(),
            1 => "x".repeat(501),
            2 => "ä".repeat(500),
            _ => format!("Text {}", self.dice.random_range(0..1_000)),
        }
    }
}

/// What is broken on purpose.
impl Run {
    fn is_unheard(&self, input: &Input) -> bool {
        match input {
            Input::Tick => self.fault == Some(Fault::TickNever),
            Input::Wish { wish: Wish::Leave, .. } => self.fault == Some(Fault::LeaveUnheard),
            _ => false,
        }
    }

    fn spoil(&mut self, input: &Input, out: &mut Vec<Output>) {
        if self.fault.is_none() {
            return;
        }
        let open = self.world.open.clone();
        let everybody = |message: &Message| -> Vec<Output> {
            let send =
                |it: &ConnectionId| Output::Send { connection: *it, message: message.clone() };
            open.iter().map(send).collect()
        };
        let sent = |out: &[Output], is: fn(&Message) -> bool| {
            out.iter().position(|it| matches!(it, Output::Send { message, .. } if is(message)))
        };
        let is_off = |it: &Output| matches!(it, Output::Listen { on: false, .. });
        match self.fault {
            Some(Fault::KeepLast) => out.sort_by_key(|it| matches!(it, Output::Keep(_))),
            Some(Fault::LoseFact) => {
                out.retain(|it| !matches!(it, Output::Keep(Fact::Unheard { .. })));
            }
            Some(Fault::CaptionToAll) => {
                if let Some(at) = sent(out, |it| matches!(it, Message::Caption(_))) {
                    let Output::Send { message, .. } = &out[at] else { return };
                    out.extend(everybody(message));
                }
            }
            Some(Fault::CaptionToNobody) => {
                out.retain(|it| !matches!(it, Output::Send { message: Message::Caption(_), .. }))
            }
            Some(Fault::SpeakingToAll) => {
                let closes = out.iter().any(|it| matches!(it, Output::Close { .. }));
                let speaking = sent(out, |it| matches!(it, Message::Speaking { .. }));
                if let Some(at) = speaking.filter(|_| !closes) {
                    let Output::Send { message, .. } = &out[at] else { return };
                    out.extend(everybody(message));
                }
            }
            Some(Fault::SendToClosed) => {
                if let Some(Output::Close { connection }) = out.last().cloned() {
                    out.push(Output::Send { connection, message: Message::Ended });
                }
            }
            Some(Fault::ShareTooMuch) => {
                for output in out {
                    if let Output::Send { message: Message::Balance(view), .. } = output {
                        view.shares[0] += 0.001;
                    }
                }
            }
            Some(Fault::ListenOffLate) => out.sort_by_key(is_off),
            Some(Fault::ListenOffNever) => out.retain(|it| !is_off(it)),
            Some(Fault::ListenOnNever) => {
                out.retain(|it| !matches!(it, Output::Listen { on: true, .. }));
            }
            Some(Fault::PlaceWrong) => {
                for output in out {
                    if let Output::Place { room: Some(room @ RoomId::Breakout(_)), .. } = output {
                        *room = RoomId::Main;
                    }
                }
            }
            Some(Fault::PlaceNever) => {
                out.retain(|it| !matches!(it, Output::Place { room: None, .. }));
            }
            Some(Fault::PartialStays) => out.retain(|it| match it {
                Output::Send { message: Message::Partial(it), .. } => !it.text.is_empty(),
                _ => true,
            }),
            Some(Fault::RoomViewNever) => {
                out.retain(|it| !matches!(it, Output::Send { message: Message::Room(_), .. }));
            }
            Some(Fault::OverviewNever) => out.retain(|it| {
                !matches!(it, Output::Send { message: Message::Overview(_), .. }) || self.one_in(2)
            }),
            Some(Fault::RejectionNever) => {
                out.retain(|it| !matches!(it, Output::Send { message: Message::Rejected(_), .. }))
            }
            Some(Fault::SaidOffTheRecord) => {
                let mut people = self.reference.people.iter();
                let hushed = people.find(|it| it.1.consent() != Consent::On);
                if let Some((participant, _)) = hushed {
                    out.push(Output::Keep(Fact::Said {
                        participant: *participant,
                        room: RoomId::Main,
                        span: Span::new(self.now, self.now),
                        language: Language::Finnish,
                        text: "A secret.".to_owned(),
                        words: vec![],
                    }));
                }
            }
            Some(Fault::FinishedNever) => out.retain(|it| *it != Output::Finished),
            Some(Fault::ShareGoesAlong) => {
                out.retain(|it| !matches!(it, Output::Share { on: false, .. }));
            }
            Some(Fault::ShareNeverTold) => {
                out.retain(|it| !matches!(it, Output::Share { on: true, .. }));
            }
            Some(Fault::CallUnkept) => {
                out.retain(|it| !matches!(it, Output::Keep(Fact::Called { .. })));
            }
            Some(Fault::PostToAll) => {
                if let Some(at) = sent(out, |it| matches!(it, Message::Post(_))) {
                    let Output::Send { message, .. } = &out[at] else { return };
                    out.extend(everybody(message));
                }
            }
            Some(Fault::PostLost) => {
                out.retain(|it| !matches!(it, Output::Send { message: Message::Post(_), .. }));
            }
            Some(Fault::PostKeptUnasked) => {
                let unkept = sent(out, |it| matches!(it, Message::Post(it) if !it.kept));
                if let Some(at) = unkept
                    && let Output::Send { message: Message::Post(post), .. } = &out[at]
                    && let Some(participant) = post.by
                {
                    let (room, text) = (RoomId::Main, post.text.clone());
                    out.push(Output::Keep(Fact::Posted { participant, room, text }));
                }
            }
            Some(Fault::ReactionsFlood) => {
                if let Input::Wish { connection, wish: Wish::React(reaction) } = input
                    && out.is_empty()
                    && let Some(by) = self.reference.owner(*connection)
                {
                    let message = Message::Reacted { by, reaction: *reaction };
                    out.push(Output::Send { connection: *connection, message });
                }
            }
            _ => (),
        }
    }

    fn spoil_overview(&self, rooms: &mut [RoomView]) {
        let [RoomView { people, calls, .. }, .., last] = rooms else { return };
        match self.fault {
            Some(Fault::HandAnywhere) => {
                last.hands.extend(people.first().map(|it| it.participant));
            }
            Some(Fault::CallUnknown) => _ = calls.pop(),
            Some(Fault::PersonTwice) => last.people.extend(people.first().cloned()),
            Some(Fault::PersonRenamed) => {
                people.iter_mut().take(1).for_each(|it| it.name.push('!'));
            }
            _ => (),
        }
    }
}

/// What is said about the run.
impl Run {
    fn saw(&mut self, what: &'static str) {
        *self.seen.entry(what).or_insert(0) += 1;
    }

    fn count(&mut self, input: &Input, out: &[Output]) {
        let mut captions = 0;
        for output in out {
            match output {
                Output::Keep(Fact::Placed { room: None, .. }) if *input == Input::Tick => {
                    self.saw("left by grace");
                }
                Output::Keep(Fact::Said { participant, room, .. }) => {
                    if self.reference.ended {
                        self.saw("kept after the end");
                    }
                    if self.reference.people[participant].room() != Some(*room) {
                        self.saw("words of a former room");
                    }
                }
                Output::Keep(Fact::Unheard { .. }) => self.saw("unheard"),
                Output::Send { message: Message::Caption(_), .. } => captions += 1,
                Output::Send { message: Message::Balance(_), .. } => self.saw("balance"),
                Output::Send { message: Message::Rejected(it), .. } => self.saw(it.code()),
                Output::Send { message: Message::Reacted { .. }, .. } => self.saw("reacted"),
                Output::Send { message: Message::Posts(_), .. } => self.saw("posts told again"),
                Output::Send { message: Message::Post(it), .. } if !it.kept => {
                    self.saw("post not kept");
                }
                Output::Keep(Fact::Posted { .. }) => self.saw("post kept"),
                Output::Keep(Fact::Broadcast { .. }) => self.saw("broadcast"),
                Output::Keep(Fact::Called { .. }) => self.saw("called"),
                Output::Keep(Fact::CallSeen { .. }) => self.saw("call seen"),
                Output::Share { on: false, .. }
                    if out.iter().any(|it| matches!(it, Output::Keep(Fact::Placed { .. }))) =>
                {
                    self.saw("share ended by a move");
                }
                Output::Finished => self.saw("end"),
                _ => (),
            }
        }
        let kept = out.iter().any(|it| matches!(it, Output::Keep(_)));
        match input {
            Input::Join { seat: Some(_), .. } if kept => self.saw("rejoin"),
            Input::Transcribed { .. } if !kept => self.saw("not kept"),
            Input::Transcribed { .. } if captions == 0 => self.saw("caption to nobody"),
            Input::Transcribed { .. } => self.saw("caption"),
            _ => (),
        }
    }

    fn print(&self, input: &Input, out: &[Output]) {
        if !self.prints {
            return;
        }
        let kept = out.iter().filter(|it| matches!(it, Output::Keep(_))).count();
        let sent: BTreeSet<_> = out
            .iter()
            .filter_map(|it| match it {
                Output::Send { connection, .. } => Some(connection),
                _ => None,
            })
            .collect();
        let placed = out.iter().filter(|it| matches!(it, Output::Place { .. })).count();
        let pages = sent.len();
        self.print_line(
            &format!("{input:?}"),
            &format!("keeps {kept} tells {pages} places {placed}"),
        );
    }

    fn print_line(&self, what: &str, then: &str) {
        if self.prints {
            println!("{}  {what:<110} {then}", self.now);
        }
    }
}

fn is_talk(input: &Input) -> bool {
    !matches!(
        input,
        Input::Join { .. } | Input::Watch { .. } | Input::Disconnected { .. } | Input::Wish { .. }
    )
}

fn is_talk_told(output: &Output) -> bool {
    match output {
        Output::Send { message, .. } => {
            matches!(
                message,
                Message::Caption(_)
                    | Message::Partial(_)
                    | Message::Speaking { .. }
                    | Message::Balance(_)
            )
        }
        Output::Keep(fact) => matches!(fact, Fact::Said { .. } | Fact::Unheard { .. }),
        _ => false,
    }
}

/// The whole, as a facilitator who has just come sees it.
fn overview(session: &mut Session, now: SessionTime) -> Overview {
    let mut out = vec![];
    session.handle(now, Input::Watch { connection: PROBE }, &mut out);
    session.handle(now, Input::Disconnected { connection: PROBE }, &mut out);
    match out.pop() {
        Some(Output::Send { message: Message::Overview(overview), .. }) => overview,
        other => panic!("a facilitator is shown {other:?}"),
    }
}
