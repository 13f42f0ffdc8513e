//! The stage on which stories are played: names for seats and pages, a clock that is moved by hand,
//! and everything the session answers as lines a person can read. It decides nothing.

use std::{collections::BTreeMap, ops::Range};

use vuoro::domain::{
    fact::{Consent, Fact},
    ids::{ConnectionId, ParticipantId, RoomId},
    language::Language,
    message::{BalanceView, Message, PersonView, Place, RoomView, WaitingView},
    run::{Clock, StepBegan},
    session::{Input, Output, Session, Wish},
    spoken::Spoken,
    talk::Post,
    time::{SessionTime, Span},
};

use crate::leaf::Leaf;

pub const ONE: RoomId = RoomId::Breakout(1);
pub const TWO: RoomId = RoomId::Breakout(2);

/// A person of the story and the page they came with last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person {
    pub seat: ParticipantId,
    pub page: ConnectionId,
}

pub struct Stage {
    pub session: Session,
    pub now: SessionTime,
    /// What the log holds.
    pub facts: Vec<(SessionTime, Fact)>,
    news: Vec<Output>,
    names: BTreeMap<ParticipantId, String>,
    pages: BTreeMap<ConnectionId, String>,
}

impl Stage {
    /// A session in Finnish called "Kevät", at time 0, with nobody in it.
    pub fn open() -> Self {
        let opened = Fact::Opened {
            title: "Kevät".to_owned(),
            language: Language::Finnish,
            unix_ms: 1_790_000_000_000,
        };
        let facts = vec![(SessionTime::ZERO, opened)];
        let session = Session::restore(facts.clone(), SessionTime::ZERO).expect("it is opened");
        Self {
            session,
            now: SessionTime::ZERO,
            facts,
            news: vec![],
            names: BTreeMap::new(),
            pages: BTreeMap::new(),
        }
    }

    /// The same evening after `kill -9`: what is in the log, and nobody connected.
    pub fn restart(&mut self) {
        self.session = Session::restore(self.facts.clone(), self.now).expect("it is opened");
        self.news.clear();
    }

    /// Comes for the first time, agrees to be transcribed.
    pub fn join(&mut self, name: &str) -> Person {
        self.enter(None, name, Consent::On).expect("there is room")
    }

    /// Comes with the seat had before.
    pub fn rejoin(&mut self, person: Person) -> Person {
        let name = self.names[&person.seat].clone();
        self.enter(Some(person.seat), &name, Consent::On).expect("there is room")
    }

    /// `None`: was not let in.
    pub fn enter(
        &mut self,
        seat: Option<ParticipantId>,
        name: &str,
        consent: Consent,
    ) -> Option<Person> {
        let page = self.new_page(name);
        let from = self.news.len();
        self.feed(Input::Join {
            connection: page,
            seat,
            name: name.to_owned(),
            spoken: Spoken::Told(Language::Finnish),
            consent,
            tags: BTreeMap::new(),
        });
        self.news[from..].iter().find_map(|it| match it {
            Output::Send { connection, message: Message::Welcome { you, .. } }
                if *connection == page =>
            {
                Some(Person { seat: *you, page })
            }
            _ => None,
        })
    }

    /// A facilitator's page.
    pub fn host(&mut self) -> ConnectionId {
        let page = self.new_page("Host");
        self.feed(Input::Watch { connection: page });
        page
    }

    pub fn wish(&mut self, page: ConnectionId, wish: Wish) {
        self.feed(Input::Wish { connection: page, wish });
    }

    pub fn consents(&mut self, person: Person, consent: Consent) {
        self.wish(person.page, Wish::SetConsent(consent));
    }

    pub fn moves(&mut self, host: ConnectionId, person: Person, room: RoomId) {
        self.wish(host, Wish::Move { participant: person.seat, room });
    }

    pub fn loses_connection(&mut self, person: Person) {
        self.feed(Input::Disconnected { connection: person.page });
    }

    /// What a person said in that time (in ms) has been written down now.
    pub fn says(&mut self, person: Person, span_ms: Range<u64>, text: &str) {
        self.says_in(Language::Finnish, person, span_ms, text);
    }

    pub fn says_in(&mut self, language: Language, person: Person, span_ms: Range<u64>, text: &str) {
        self.feed(Input::Transcribed {
            participant: person.seat,
            span: span(span_ms),
            language,
            text: text.to_owned(),
            words: vec![],
        });
    }

    pub fn utters(&mut self, person: Person, span_ms: Range<u64>) {
        let span = span(span_ms);
        self.feed(Input::Uttered { participant: person.seat, span, voice: vec![span] });
    }

    pub fn voice(&mut self, person: Person, on: bool) {
        self.feed(Input::Voice { participant: person.seat, on });
    }

    /// Time passes; the session is woken whenever it has asked for it.
    pub fn wait(&mut self, ms: u64) {
        let until = self.now + ms;
        while let Some((at, why)) = self.session.poll_timeout().filter(|it| it.0 <= until) {
            self.now = self.now.max(at);
            self.feed(Input::Tick);
            let next = self.session.poll_timeout();
            assert!(next.is_none_or(|it| self.now < it.0), "{why}: wants a second tick at once");
        }
        self.now = until;
    }

    pub fn feed(&mut self, input: Input) {
        let from = self.news.len();
        self.session.handle(self.now, input, &mut self.news);
        for output in &self.news[from..] {
            let Output::Keep(fact) = output else { continue };
            if let Fact::Joined { participant, name, .. } = fact {
                self.names.insert(*participant, name.clone());
            }
            self.facts.push((self.now, fact.clone()));
        }
    }

    /// Forgets what was answered until now.
    pub fn hush(&mut self) {
        self.news.clear();
    }

    /// Everything since the last time, one line each.
    pub fn news(&mut self) -> String {
        let news = std::mem::take(&mut self.news);
        news.iter().map(|it| self.line(it)).collect::<Vec<_>>().join("\n")
    }

    /// Of everything since the last time, what one page was sent.
    pub fn told(&mut self, page: ConnectionId) -> String {
        self.news.retain(|it| match it {
            Output::Send { connection, .. } | Output::Close { connection } => *connection == page,
            _ => false,
        });
        self.news()
    }

    /// Of everything since the last time, the messages one page was sent; forgets nothing.
    pub fn news_of(&self, page: ConnectionId) -> Vec<Message> {
        let sent = |it: &Output| match it {
            Output::Send { connection, message } if *connection == page => Some(message.clone()),
            _ => None,
        };
        self.news.iter().filter_map(sent).collect()
    }

    /// The balances since the last time, and to whom; forgets the rest.
    pub fn balances(&mut self) -> Vec<(ConnectionId, BalanceView)> {
        let news = std::mem::take(&mut self.news).into_iter();
        news.filter_map(|it| match it {
            Output::Send { connection, message: Message::Balance(view) } => {
                Some((connection, view))
            }
            _ => None,
        })
        .collect()
    }

    pub fn is_silent(&self) -> bool {
        self.news.is_empty()
    }

    /// A connection that nobody has used.
    pub fn new_page(&mut self, name: &str) -> ConnectionId {
        let name = name.trim();
        let page = ConnectionId(self.pages.len() as u64 + 1);
        let tabs = self.pages.values().filter(|it| it.split('#').next() == Some(name)).count();
        let label = if tabs == 0 { name.to_owned() } else { format!("{name}#{}", tabs + 1) };
        self.pages.insert(page, label);
        page
    }

    fn name(&self, participant: &ParticipantId) -> String {
        self.names.get(participant).cloned().unwrap_or_else(|| participant.to_string())
    }

    fn line(&self, output: &Output) -> String {
        match output {
            Output::Keep(fact) => format!("keep: {}", self.fact(fact)),
            Output::Send { connection, message } => {
                format!("{} <- {}", self.pages[connection], self.message(message))
            }
            Output::Close { connection } => format!("{} is closed", self.pages[connection]),
            Output::Place { participant, room } => {
                format!("media: {} {}", self.name(participant), place(room))
            }
            Output::Listen { participant, on, spoken } => {
                let on = if *on { "on" } else { "off" };
                let how = if spoken.is_by_ear() { "by ear, " } else { "" };
                let language = spoken.language().code();
                format!("listen: {} {on} {how}{language}", self.name(participant))
            }
            Output::Hush { participant, on } => {
                format!(
                    "{} {}",
                    self.name(participant),
                    if *on { "is hushed" } else { "may speak" }
                )
            }
            Output::Share { participant, on } => {
                let does = if *on { "shares" } else { "shares no more" };
                format!("screen: {} {does}", self.name(participant))
            }
            Output::Expect { words } => format!("expect: {words}"),
            Output::Finished => "finished".to_owned(),
        }
    }

    fn fact(&self, fact: &Fact) -> String {
        match fact {
            Fact::Opened { title, .. } => format!("{title} opens"),
            Fact::Joined { name, language, consent, .. } => {
                format!("{name} joins, {}, {}", language.code(), agreed(*consent))
            }
            Fact::Placed { participant, room } => {
                format!("{} {}", self.name(participant), place(room))
            }
            Fact::ConsentSet { participant, consent } => {
                format!("{} is {}", self.name(participant), agreed(*consent))
            }
            Fact::LanguageSet { participant, spoken } => {
                let how = if spoken.is_by_ear() { "by ear, " } else { "" };
                let language = spoken.language().code();
                format!("{} speaks {how}{language}", self.name(participant))
            }
            Fact::TranscriptionSet { room, by, on } => {
                let who = by.map_or("Host".to_owned(), |it| self.name(&it));
                let place = room.map_or("all rooms".to_owned(), |it| it.to_string());
                format!("{who} turns writing {} in {place}", if *on { "on" } else { "off" })
            }
            Fact::Struck { participant, span } => {
                format!("{} strikes since {}", self.name(participant), span.start)
            }
            Fact::RoomsOpened { count } => format!("{count} rooms"),
            Fact::Said { participant, room, text, .. } => {
                format!("{} in {room}: {text}", self.name(participant))
            }
            Fact::Unheard { participant, room, reason, .. } => {
                format!("{} in {room}: {reason:?}", self.name(participant))
            }
            Fact::Posted { participant, room, text } => {
                format!("{} posts in {room}: {text}", self.name(participant))
            }
            Fact::Broadcast { text } => format!("to all: {text}"),
            Fact::BelongsTo { tenant } => format!("belongs to {tenant}"),
            Fact::GlossarySet { text } => format!("glossary: {text}"),
            Fact::Called { participant, room } => {
                format!("{} calls from {room}", self.name(participant))
            }
            Fact::CallSeen { participant } => format!("{}'s call is seen", self.name(participant)),
            Fact::CallEnded { participant } => format!("{}'s call ends", self.name(participant)),
            Fact::Marked { by, of, mark, on, .. } => {
                let does = if *on { "marks" } else { "no longer marks" };
                format!("{} {does} {} as {}", self.name(by), self.name(of), mark.code())
            }
            Fact::Collected { entry, .. } => format!("{entry} is collected"),
            Fact::Commented { text, .. } => format!("a comment: {text}"),
            Fact::Ended => "ended".to_owned(),
            Fact::MethodBegan { method, .. } => format!("{} begins", method.id),
            Fact::StepBegan(began) => self.step(began),
            Fact::ClockSet { clock: Clock::Running { ends } } => {
                ends.map_or("the clock waits".to_owned(), |it| format!("the step ends at {it}"))
            }
            Fact::ClockSet { clock: Clock::Paused { .. } } => "the clock stands".to_owned(),
            Fact::TurnPassed { room, to } => {
                let to = to.map_or("nobody".to_owned(), |it| self.name(&it));
                format!("{room}: the turn is {to}'s")
            }
            Fact::Seated { participant, on } => {
                format!(
                    "{} {} seat",
                    self.name(participant),
                    if *on { "takes a" } else { "leaves the" }
                )
            }
            Fact::RoleGiven { participant, role } => {
                format!("{} has role {role:?}", self.name(participant))
            }
            Fact::Wrote { participant, room, text, .. } => {
                format!("{} writes in {room}: {text}", self.name(participant))
            }
            Fact::Typed { participant, room, .. } => {
                format!("{} types in {room}", self.name(participant))
            }
            Fact::Scored { participant, card, score } => {
                format!("{} gives {score} to {}'s card", self.name(participant), self.name(card))
            }
            Fact::Ideas(change) => format!("{change:?}"),
            Fact::MethodEnded => "the method ends".to_owned(),
            Fact::Kept { participants: [one, other], rule } => {
                format!("{} and {}: {rule:?}", self.name(one), self.name(other))
            }
            Fact::Pinned { participant, room } => {
                format!("{} stays {}", self.name(participant), place(room))
            }
        }
    }

    fn step(&self, began: &StepBegan) -> String {
        let Place { phase, round, of } = began.place;
        let rooms = began.rooms.iter().flatten();
        let names = |it: &Vec<ParticipantId>| {
            it.iter().map(|id| self.name(id)).collect::<Vec<_>>().join(" ")
        };
        let rooms: Vec<_> = rooms.map(names).collect();
        let rooms = match &began.rooms {
            None => "nobody moves".to_owned(),
            Some(_) if rooms.is_empty() => "all together".to_owned(),
            Some(_) => rooms.join(" | "),
        };
        format!("phase {phase}, round {} of {of}: {rooms}", round + 1)
    }

    fn message(&self, message: &Message) -> String {
        match message {
            Message::Welcome { you, title, language, room } => {
                let room = self.room_line(room);
                format!("welcome {you} to {title} ({}), {room}", language.code())
            }
            Message::Room(room) => self.room_line(room),
            Message::Reacted { by, reaction } => format!("{}: {reaction:?}", self.name(by)),
            Message::Marked { by, of, at, mark, on } => {
                let (by, of) = (self.name(by), self.name(of));
                format!("{by}: {} {mark:?} at {at} {}", of, if *on { "on" } else { "off" })
            }
            Message::Post(it) => post(it),
            Message::Posts(posts) if posts.is_empty() => "no posts any more".to_owned(),
            Message::Posts(posts) => {
                format!("posts: {}", posts.iter().map(post).collect::<Vec<_>>().join(" | "))
            }
            Message::Speaking { participant, on: true } => {
                format!("{} speaks", self.name(participant))
            }
            Message::Speaking { participant, on: false } => {
                format!("{} is silent", self.name(participant))
            }
            Message::Caption(caption) => format!("{}: {}", caption.name, caption.text),
            Message::Partial(caption) if caption.text.is_empty() => {
                format!("{}~ (nothing)", caption.name)
            }
            Message::Partial(caption) => format!("{}~ {}", caption.name, caption.text),
            Message::Following(room) => match room {
                Some(room) => format!("follows {room}"),
                None => "follows nobody".to_owned(),
            },
            Message::Struck { participant, span } => {
                format!("{} has struck since {}", self.name(participant), span.start)
            }
            Message::Round(view) => format!("round of {}", view.room.people),
            Message::Own(own) => format!("own: {own:?}"),
            Message::RoomBalances(rooms) => format!("balance of {} rooms", rooms.len()),
            Message::Rounds(rooms) => format!("rounds of {} rooms", rooms.len()),
            Message::Balance(view) => format!(
                "balance of {}, own {} ms in {} turns",
                view.shares.len(),
                view.own.talk_ms,
                view.own.turns
            ),
            Message::Overview(overview) => {
                let rooms = overview.rooms.iter().map(|it| self.room_line(it));
                let waits = |it: &WaitingView| {
                    let seen = if it.seen { ", seen" } else { "" };
                    format!("{} waits {} ms{seen}", self.name(&it.by), it.waited_ms)
                };
                rooms.chain(overview.calls.iter().map(waits)).collect::<Vec<_>>().join(" | ")
            }
            Message::Method(Some(view)) => format!("method {}", view.method.id),
            Message::Method(None) => "no method any more".to_owned(),
            Message::Step(step) => {
                let Place { phase, round, of } = step.run.place;
                let left =
                    step.run.clock.left_ms.map_or("open".to_owned(), |it| format!("{it} ms"));
                format!("phase {phase}, round {} of {of}, {left}", round + 1)
            }
            Message::Moved(reason) => format!("moved: {reason:?}"),
            Message::Sheet(view) => {
                let afresh = if view.afresh { ", afresh" } else { "" };
                format!("sheet{afresh}: {}", Leaf::of(70_000, view).reads())
            }
            Message::Typed { by, .. } => format!("{} has typed", self.name(by)),
            Message::Harvest(harvest) => {
                format!("{} lines, {} cards", harvest.lines.len(), harvest.ranking.len())
            }
            Message::Ideas { view, .. } => {
                let ideas = view.ideas.iter().map(|it| it.text.as_str());
                format!("{:?}: {}", view.stage, ideas.collect::<Vec<_>>().join(", "))
            }
            Message::OwnVotes(votes) => format!("votes on {}", votes.len()),
            Message::Tally(tally) => format!("{} have voted", tally.voters),
            Message::Rejected(rejection) => format!("no: {}", rejection.code()),
            Message::Ended => "ended".to_owned(),
        }
    }

    fn room_line(&self, room: &RoomView) -> String {
        let people: Vec<_> = room.people.iter().map(person).collect();
        let mut line = format!("{}: {}", room.room, people.join(", ")).trim_end().to_owned();
        let hands: Vec<_> = room.hands.iter().map(|it| self.name(it)).collect();
        if !hands.is_empty() {
            line += &format!("; hands: {}", hands.join(", "));
        }
        if let Some(sharer) = &room.sharing {
            line += &format!("; {} shares", self.name(sharer));
        }
        for call in &room.calls {
            let seen = if call.seen { ", seen" } else { "" };
            line += &format!("; {} calls{seen}", self.name(&call.by));
        }
        if room.followed {
            line += "; read along";
        }
        line
    }
}

fn post(it: &Post) -> String {
    let by = if it.by.is_none() { "to all" } else { &it.name };
    let kept = if it.kept { "" } else { " (not kept)" };
    format!("{by} writes: {}{kept}", it.text)
}

pub fn span(ms: Range<u64>) -> Span {
    Span::new(SessionTime(ms.start), SessionTime(ms.end))
}

fn place(room: &Option<RoomId>) -> String {
    room.map_or("out".to_owned(), |it| format!("in {it}"))
}

fn agreed(consent: Consent) -> &'static str {
    match consent {
        Consent::On => "on record",
        Consent::OffTheRecord => "off the record",
        Consent::Declined => "declined",
    }
}

/// The name, and after it what is not as usual.
fn person(it: &PersonView) -> String {
    let marks = [
        (!it.present, "away"),
        (it.microphone, "microphone"),
        (it.camera, "camera"),
        (it.consent != Consent::On, agreed(it.consent)),
    ];
    let marks: Vec<_> = marks.iter().filter(|it| it.0).map(|it| it.1).collect();
    let marks = if marks.is_empty() { String::new() } else { format!(" ({})", marks.join(", ")) };
    format!("{}{marks}", it.name)
}
