//! A thousand pauses at random: nothing of what was said while it was not to be written down is ever
//! kept or shown. Everybody talks without end, five words a second, each word marked with its moment;
//! ears decode what the gate lets through and are late with it; people, rooms and hosts turn the writing
//! down off and on, take back minutes, are moved, lose their line, and the server is killed.

use std::collections::{BTreeMap, BTreeSet};

use rand::{Rng, SeedableRng, rngs::StdRng};
use vuoro::domain::{
    fact::{Consent, Fact, GapReason},
    ids::{ConnectionId, ParticipantId, RoomId},
    language::Language,
    message::Message,
    session::{Input, Output, Session, Wish},
    spoken::Spoken,
    time::{SessionTime, Span},
};

const PAUSES: u32 = 1_000;
const PEOPLE: u32 = 6;
const WORD_MS: u64 = 200;
const MINUTE_MS: u64 = 60_000;
const HOST: ConnectionId = ConnectionId(1_000_000);

/// What is wrong with the ears of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ears {
    Right,
    /// They decode whatever is said and forget nothing: only the rules stand between it and the log.
    Leak,
    /// And they do not know when it was said.
    LeakAndMisdate,
}

/// One spoken word.
type Word = (ParticipantId, SessionTime);

struct Heard {
    span: Span,
    words: Vec<Word>,
}

struct Room {
    dice: StdRng,
    ears: Ears,
    now: SessionTime,
    session: Session,
    log: Vec<(SessionTime, Fact)>,
    pages: u64,
    page_of: BTreeMap<ParticipantId, ConnectionId>,
    // What the test itself knows of what people want.
    wishes: BTreeMap<ParticipantId, Consent>,
    places: BTreeMap<ParticipantId, RoomId>,
    off: BTreeSet<RoomId>,
    host_off: bool,
    never: BTreeSet<Word>,
    /// Of the last minute.
    said: BTreeMap<ParticipantId, Vec<SessionTime>>,
    // The shell.
    gates: BTreeSet<ParticipantId>,
    buffers: BTreeMap<ParticipantId, Vec<Word>>,
    waiting: BTreeMap<(SessionTime, u64), (ParticipantId, Heard)>,
    screens: BTreeMap<ParticipantId, Vec<(ParticipantId, Span, String)>>,
    utterances: u64,
    pauses: u32,
    seen: BTreeMap<&'static str, u32>,
}

#[derive(Debug, Default)]
struct Outcome {
    kept: usize,
    kept_though_off: usize,
    shown_though_off: usize,
    off: usize,
}

#[test]
fn in_a_thousand_pauses_no_word_is_kept() {
    let mut room = Room::new(1, Ears::Right);
    room.play();
    let outcome = room.outcome();
    println!("{} pauses, {outcome:?}, {:?}", room.pauses, room.seen);
    assert_eq!((outcome.kept_though_off, outcome.shown_though_off), (0, 0), "{outcome:?}");
    // It is no silence that was tested.
    assert!(5_000 < outcome.kept && 5_000 < outcome.off, "{outcome:?}");
    for what in ["pause", "decline", "room", "host", "strike", "move", "lost", "killed"] {
        assert!(20 <= room.seen[what], "{what} is too rare: {:?}", room.seen);
    }
}

#[test]
fn the_rules_alone_would_hold_if_the_ears_leaked() {
    let mut room = Room::new(2, Ears::Leak);
    room.play();
    let outcome = room.outcome();
    assert_eq!((outcome.kept_though_off, outcome.shown_though_off), (0, 0), "{outcome:?}");
    assert!(1_000 < outcome.kept, "{outcome:?}");
}

#[test]
fn the_count_can_fail() {
    let mut room = Room::new(3, Ears::LeakAndMisdate);
    room.play();
    let outcome = room.outcome();
    assert!(100 < outcome.kept_though_off && 100 < outcome.shown_though_off, "{outcome:?}");
}

impl Room {
    fn new(seed: u64, ears: Ears) -> Self {
        let opened =
            Fact::Opened { title: "Tauko".into(), language: Language::Finnish, unix_ms: 0 };
        let log = vec![(SessionTime::ZERO, opened)];
        let session = Session::restore(log.clone(), SessionTime::ZERO).expect("it is opened");
        Self {
            dice: StdRng::seed_from_u64(seed),
            ears,
            now: SessionTime::ZERO,
            session,
            log,
            pages: 0,
            page_of: BTreeMap::new(),
            wishes: BTreeMap::new(),
            places: BTreeMap::new(),
            off: BTreeSet::new(),
            host_off: false,
            never: BTreeSet::new(),
            said: BTreeMap::new(),
            gates: BTreeSet::new(),
            buffers: BTreeMap::new(),
            waiting: BTreeMap::new(),
            screens: BTreeMap::new(),
            utterances: 0,
            pauses: 0,
            seen: BTreeMap::new(),
        }
    }

    fn play(&mut self) {
        self.feed(Input::Watch { connection: HOST });
        (1..=PEOPLE).for_each(|it| self.join(ParticipantId(it), Consent::On));
        self.wish(HOST, Wish::OpenRooms { count: 2 });
        for it in 1..=PEOPLE {
            let room = RoomId::Breakout(if it % 2 == 0 { 1 } else { 2 });
            self.move_to(ParticipantId(it), room);
        }
        while self.pauses < PAUSES {
            let ms = self.dice.random_range(100..6_000);
            self.talk(ms);
            self.act();
        }
        self.talk(30_000);
    }

    /// Time passes, and everybody talks all the while.
    fn talk(&mut self, ms: u64) {
        let until = self.now + ms;
        while self.now < until {
            self.now = self.now + WORD_MS;
            let people: Vec<_> = self.page_of.keys().copied().collect();
            for who in people {
                self.say(who);
            }
            while let Some(entry) = self.waiting.first_entry().filter(|it| it.key().0 <= self.now) {
                let (participant, Heard { span, words }) = entry.remove();
                let said = words.iter().map(|it| format!("{}:{}", it.0.0, it.1.0));
                let text = said.collect::<Vec<_>>().join(" ");
                let language = Language::Finnish;
                self.feed(Input::Transcribed { participant, span, language, text, words: vec![] });
            }
            if self.session.poll_timeout().is_some_and(|it| it.0 <= self.now) {
                self.feed(Input::Tick);
            }
        }
    }

    fn say(&mut self, who: ParticipantId) {
        let word = (who, self.now);
        let said = self.said.entry(who).or_default();
        said.push(self.now);
        said.retain(|it| self.now.since_ms(*it) <= MINUTE_MS);
        if !self.may_be_kept(who) {
            self.never.insert(word);
        }
        if self.gates.contains(&who) || self.ears != Ears::Right {
            self.buffers.entry(who).or_default().push(word);
        }
        let long = self.buffers.get(&who).is_some_and(|it| 25 <= it.len());
        if long || self.dice.random_ratio(1, 12) {
            self.end_utterance(who);
        }
    }

    fn may_be_kept(&self, who: ParticipantId) -> bool {
        let room = self.places[&who];
        self.wishes[&who] == Consent::On && !self.host_off && !self.off.contains(&room)
    }

    fn end_utterance(&mut self, who: ParticipantId) {
        let words = self.buffers.remove(&who).unwrap_or_default();
        let (Some(first), Some(last)) = (words.first(), words.last()) else { return };
        // A word takes its time up to the moment it is marked with.
        let mut span = Span::new(first.1 - (WORD_MS - 1), last.1);
        if self.ears == Ears::LeakAndMisdate {
            span = Span::new(span.start + 15_000, span.end + 15_000);
        }
        self.utterances += 1;
        let due = self.now + self.dice.random_range(100..15_000);
        self.waiting.insert((due, self.utterances), (who, Heard { span, words }));
    }

    fn act(&mut self) {
        let who = ParticipantId(self.dice.random_range(1..=PEOPLE));
        let page = self.page_of[&who];
        let room = self.places[&who];
        let consent = self.wishes[&who];
        match self.dice.random_range(0..20) {
            0..8 if consent == Consent::On => self.consents(who, Consent::OffTheRecord, "pause"),
            8 if consent == Consent::On => self.consents(who, Consent::Declined, "decline"),
            0..9 => self.consents(who, Consent::On, "resume"),
            9..12 => {
                let on = !self.off.insert(room) && self.off.remove(&room);
                self.pauses += u32::from(!on);
                self.saw("room");
                self.wish(page, Wish::SetTranscription { room: None, on });
            }
            12..14 => {
                self.host_off = !self.host_off;
                self.pauses += u32::from(self.host_off);
                self.saw("host");
                self.wish(HOST, Wish::SetTranscription { room: None, on: !self.host_off });
            }
            14..16 => {
                self.talk(1_000); // Who strikes twice at once is asked to wait.
                self.saw("strike");
                self.pauses += 1;
                let minute = self.said.remove(&who).unwrap_or_default();
                let since = self.now - MINUTE_MS;
                let taken_back = minute.into_iter().filter(|it| since < *it);
                self.never.extend(taken_back.map(|it| (who, it)));
                self.wish(page, Wish::Strike { waited_ms: 0 });
            }
            16..18 => {
                self.saw("move");
                let to = if room == RoomId::Breakout(1) { 2 } else { 1 };
                self.move_to(who, RoomId::Breakout(to));
            }
            18 => {
                self.saw("lost");
                self.feed(Input::Disconnected { connection: page });
                self.talk(1_000);
                self.join(who, consent);
            }
            _ => self.kill(),
        }
    }

    fn consents(&mut self, who: ParticipantId, consent: Consent, what: &'static str) {
        self.saw(what);
        self.pauses += u32::from(consent != Consent::On);
        self.wishes.insert(who, consent);
        self.wish(self.page_of[&who], Wish::SetConsent(consent));
    }

    fn move_to(&mut self, participant: ParticipantId, room: RoomId) {
        self.places.insert(participant, room);
        self.wish(HOST, Wish::Move { participant, room });
    }

    /// The process dies with everything but the log and what is on people's screens.
    fn kill(&mut self) {
        self.saw("killed");
        self.gates.clear();
        self.buffers.clear();
        self.waiting.clear();
        self.session = Session::restore(self.log.clone(), self.now).expect("it is opened");
        self.feed(Input::Watch { connection: HOST });
        for (who, consent) in self.wishes.clone() {
            self.join(who, consent);
        }
    }

    fn join(&mut self, who: ParticipantId, consent: Consent) {
        self.pages += 1;
        let connection = ConnectionId(self.pages);
        self.page_of.insert(who, connection);
        self.wishes.insert(who, consent);
        self.places.entry(who).or_insert(RoomId::Main);
        self.feed(Input::Join {
            connection,
            seat: Some(who),
            name: format!("Person {}", who.0),
            spoken: Spoken::Told(Language::Finnish),
            consent,
            tags: BTreeMap::new(),
        });
    }

    fn wish(&mut self, connection: ConnectionId, wish: Wish) {
        self.feed(Input::Wish { connection, wish });
    }

    /// Does what the shell does.
    fn feed(&mut self, input: Input) {
        let mut out = Vec::new();
        self.session.handle(self.now, input, &mut out);
        for output in out {
            match output {
                Output::Keep(fact) => self.keep(fact),
                Output::Listen { participant, on: true, .. } => {
                    self.gates.insert(participant);
                }
                Output::Listen { participant, on: false, .. } => {
                    self.gates.remove(&participant);
                    if self.ears == Ears::Right {
                        self.buffers.remove(&participant);
                        self.waiting.retain(|_, it| it.0 != participant);
                    }
                }
                Output::Place { participant, .. } => self.end_utterance(participant),
                Output::Send { connection, message } => self.show(connection, message),
                _ => (),
            }
        }
    }

    /// As the log on disk does it.
    fn keep(&mut self, fact: Fact) {
        if let Fact::Struck { participant: striker, span: struck } = fact {
            for (_, kept) in &mut self.log {
                if let Fact::Said { participant, room, span, .. } = *kept
                    && participant == striker
                    && span.overlaps(struck)
                {
                    *kept = Fact::Unheard { participant, room, span, reason: GapReason::Struck };
                }
            }
        }
        self.log.push((self.now, fact));
    }

    fn show(&mut self, page: ConnectionId, message: Message) {
        let Some(who) = self.page_of.iter().find(|it| *it.1 == page).map(|it| *it.0) else {
            return;
        };
        let screen = self.screens.entry(who).or_default();
        match message {
            Message::Caption(it) => screen.push((it.participant, it.span, it.text)),
            Message::Struck { participant, span } => {
                screen.retain(|it| it.0 != participant || !it.1.overlaps(span));
            }
            Message::Rejected(it) => panic!("{who} is refused: {it:?}"),
            _ => (),
        }
    }

    fn saw(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    fn outcome(&self) -> Outcome {
        let kept = self.log.iter().filter_map(|it| match &it.1 {
            Fact::Said { text, .. } => Some(text.as_str()),
            _ => None,
        });
        let kept: BTreeSet<Word> = kept.flat_map(words).collect();
        let shown = self.screens.values().flatten().flat_map(|it| words(&it.2));
        let shown: BTreeSet<Word> = shown.collect();
        Outcome {
            kept: kept.len(),
            kept_though_off: kept.intersection(&self.never).count(),
            shown_though_off: shown.intersection(&self.never).count(),
            off: self.never.len(),
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = Word> + '_ {
    text.split(' ').map(|it| {
        let (who, at) = it.split_once(':').expect("a word");
        let number = |it: &str| it.parse::<u64>().expect("a number");
        (ParticipantId(number(who) as u32), SessionTime(number(at)))
    })
}
