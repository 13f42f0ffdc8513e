//! What must hold of the outputs of every input while methods run, whatever happened before. Each
//! oracle has a name, by which `runs::every_invariant_can_fail` proves that it can.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use vuoro::domain::{
    fact::{Consent, Fact},
    ids::{ConnectionId, ParticipantId, RoomId},
    limits::{ALONE_MS, COUNTED_AWAY_MS, OVERVIEW_EVERY_MS, ROOM_PEOPLE_MAX},
    message::{ClockView, Message, Overview, RoomView, RunView, StepView},
    method::{Advance, Harvest},
    run::{Clock, Grouping},
    session::{Input, Output, Wish},
    talk::Post,
    time::SessionTime,
};

use crate::leaf::Leaf;

use super::{
    disk::{Disk, Show},
    steps::Planned,
};

/// The oracle that was violated, and how.
pub struct Violation {
    pub oracle: &'static str,
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.oracle, self.detail)
    }
}

pub type Checked = Result<(), Violation>;

pub fn ensure(holds: bool, oracle: &'static str, detail: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(Violation { oracle, detail: detail() }) }
}

/// The world outside one process: the disk, the pages, the media and the ears, as the outputs leave
/// them.
#[derive(Default)]
pub struct World {
    /// What is safe on disk, and only that.
    pub disk: Disk,
    /// Whose page is which; a person without one is away.
    pub page_of: BTreeMap<ParticipantId, ConnectionId>,
    pub hosts: BTreeSet<ConnectionId>,
    /// Who has said to be ready for what comes after this step.
    pub ready: BTreeSet<ParticipantId>,
    /// Sockets that are open.
    open: BTreeSet<ConnectionId>,
    away_since: BTreeMap<ParticipantId, SessionTime>,
    screens: BTreeMap<ConnectionId, Screen>,
    placed: BTreeMap<ParticipantId, RoomId>,
    hushed: BTreeSet<ParticipantId>,
    listening: BTreeSet<ParticipantId>,
    /// Whose hand is up, and where it went up.
    hands: BTreeMap<ParticipantId, RoomId>,
    /// Whose screen goes to which room.
    shared: BTreeMap<ParticipantId, RoomId>,
    alone_since: BTreeMap<RoomId, SessionTime>,
    pub(super) planned: Option<Planned>,
    finished: bool,
}

/// What one page shows.
#[derive(Default)]
pub struct Screen {
    who: Option<ParticipantId>,
    pub room: Option<RoomView>,
    /// The id of the method that runs.
    method: Option<String>,
    /// And when it was told.
    step: Option<(SessionTime, StepView)>,
    overview: Option<Overview>,
    posts: Vec<Post>,
    /// What the page has of its room's sheet.
    leaf: Option<Leaf>,
    /// Since when a facilitator's page shows something else than there is.
    stale_since: Option<SessionTime>,
}

impl World {
    /// Everything that lives in the process is gone; what is in the log stays.
    pub fn crash(&mut self, now: SessionTime, log: &[(SessionTime, Fact)]) {
        let mut disk = Disk::default();
        log.iter().for_each(|(at, fact)| disk.learn(*at, fact));
        disk.restart(now);
        let away_since = disk.people.keys().map(|it| (*it, now)).collect();
        let planned = self.planned.take();
        *self = World { disk, away_since, planned, ..World::default() };
    }

    pub fn is_present(&self, who: ParticipantId) -> bool {
        self.page_of.contains_key(&who)
    }

    /// What a page sends that puts `words` onto its sheet. `None`: it has none.
    pub fn types(&self, page: ConnectionId, at: usize, words: &str) -> Option<Wish> {
        let leaf = self.screens.get(&page)?.leaf.as_ref()?;
        Some(Wish::Type { sheet: leaf.number, update: leaf.types(at, words) })
    }

    pub fn present(&self) -> impl Iterator<Item = ParticipantId> + '_ {
        self.page_of.keys().copied()
    }

    /// Who counts when groups are made: those here, and those just gone.
    pub fn counted(&self, now: SessionTime) -> Vec<ParticipantId> {
        let counts = |it: &ParticipantId| {
            let gone = self.away_since.get(it).map(|since| now.since_ms(*since));
            self.is_present(*it) || gone.is_some_and(|it| it <= COUNTED_AWAY_MS)
        };
        self.disk.places.keys().copied().filter(counts).collect()
    }

    /// The outputs of `input`, one by one in their order.
    pub fn watch(&mut self, now: SessionTime, input: &Input, out: &[Output]) -> Checked {
        self.before(now, input);
        for output in out {
            match output {
                Output::Keep(fact) => {
                    self.may_be_kept(now, input, fact)?;
                    self.disk.learn(now, fact);
                    // One may go and come back within one input: from a method to the next.
                    let places = &self.disk.places;
                    self.hands.retain(|who, room| places.get(who) == Some(room));
                    self.remember(fact);
                }
                Output::Send { connection, message } => {
                    self.send(now, *connection, message, input)?;
                }
                Output::Close { connection } => self.lose(now, *connection),
                Output::Place { participant, room }
                    if self.shares_elsewhere(*participant, *room) =>
                {
                    ensure(false, "beside", || format!("{participant} shares on in {room:?}"))?;
                }
                Output::Place { participant, room: Some(room) } => {
                    self.placed.insert(*participant, *room);
                }
                Output::Place { participant, room: None } => {
                    self.placed.remove(participant);
                    self.hushed.remove(participant);
                    self.listening.remove(participant);
                }
                Output::Listen { participant, on, .. } => {
                    set(&mut self.listening, *participant, *on);
                }
                Output::Hush { participant, on } => set(&mut self.hushed, *participant, *on),
                Output::Share { participant, on: true } => {
                    self.shared
                        .extend(self.disk.places.get(participant).map(|it| (*participant, *it)));
                }
                Output::Share { participant, on: false } => _ = self.shared.remove(participant),
                Output::Expect { .. } => (),
                Output::Finished => self.finished = true,
            }
        }
        self.own_change_stands(input, out);
        Ok(())
    }

    /// A page has on its leaf what it typed itself, unless it is told otherwise.
    fn own_change_stands(&self, input: &Input, out: &[Output]) {
        let Input::Wish { connection: page, wish: Wish::Type { update, .. } } = input else {
            return;
        };
        let otherwise = out.iter().any(|it| {
            matches!(it, Output::Send { connection, message: Message::Rejected(_) | Message::Sheet(_) }
                if connection == page)
        });
        let leaf = self.screens.get(page).and_then(|it| it.leaf.as_ref());
        leaf.filter(|_| !otherwise).into_iter().for_each(|it| it.hears(update));
    }

    fn before(&mut self, now: SessionTime, input: &Input) {
        match input {
            Input::Join { connection, .. } | Input::Watch { connection } => {
                self.open.insert(*connection);
            }
            Input::Disconnected { connection } => self.lose(now, *connection),
            Input::Wish { connection, wish: Wish::SetReady(on) } => {
                let asked = self.disk.phase().is_some_and(|it| it.advance == Advance::Ready);
                if let Some(who) = self.owner(*connection).filter(|_| asked) {
                    set(&mut self.ready, who, *on);
                }
            }
            Input::Wish { connection, wish: Wish::RaiseHand(on) } => {
                if let Some(who) = self.owner(*connection) {
                    match self.disk.places.get(&who).filter(|_| *on) {
                        Some(room) => _ = self.hands.insert(who, *room),
                        None => _ = self.hands.remove(&who),
                    }
                }
            }
            Input::Wish { connection, wish: Wish::LowerHand { participant } }
                if self.hosts.contains(connection) =>
            {
                self.hands.remove(participant);
            }
            _ => (),
        }
    }

    /// Whether a caller, and somebody with a hand up, are taken elsewhere by these rooms.
    pub fn leave_their_rooms(&self, rooms: &Grouping) -> [bool; 2] {
        let stays = |who: &ParticipantId, room: &RoomId| match room {
            RoomId::Main => !rooms.iter().any(|it| it.contains(who)),
            RoomId::Breakout(it) => {
                rooms.get(usize::from(*it) - 1).is_some_and(|it| it.contains(who))
            }
        };
        let calls = self.disk.calls.iter().any(|(who, (room, _))| !stays(who, room));
        [calls, self.hands.iter().any(|(who, room)| !stays(who, room))]
    }

    fn shares_elsewhere(&self, who: ParticipantId, room: Option<RoomId>) -> bool {
        self.shared.get(&who).is_some_and(|it| Some(*it) != room)
    }

    fn lose(&mut self, now: SessionTime, page: ConnectionId) {
        self.open.remove(&page);
        self.hosts.remove(&page);
        self.screens.remove(&page);
        if let Some(who) = self.owner(page) {
            self.page_of.remove(&who);
            self.away_since.insert(who, now);
        }
    }

    pub fn owner(&self, page: ConnectionId) -> Option<ParticipantId> {
        self.page_of.iter().find(|it| *it.1 == page).map(|it| *it.0)
    }

    /// What must be true of a fact before it is kept.
    fn may_be_kept(&mut self, now: SessionTime, input: &Input, fact: &Fact) -> Checked {
        match fact {
            Fact::StepBegan(began) => self.step_may_begin(now, input, began),
            Fact::MethodEnded => self.method_may_end(now, input),
            Fact::ClockSet { clock } => self.clock_may_be(now, input, *clock),
            Fact::Said { span, .. } | Fact::Unheard { span, .. } => {
                let kept = !self.disk.is_confidential(*span);
                ensure(kept, "confidence", || format!("{fact:?}"))
            }
            Fact::Posted { participant, .. } => {
                let agreed = self.disk.people.get(participant).map(|it| it.1);
                let may = self.disk.writes_now() && agreed == Some(Consent::On);
                ensure(may, "confidence", || format!("{fact:?}"))
            }
            Fact::Broadcast { .. } => {
                ensure(self.disk.writes_now(), "confidence", || format!("{fact:?}"))
            }
            Fact::TurnPassed { room, .. } => {
                let takes_turns =
                    self.disk.show.as_ref().is_some_and(|it| it.turns.contains_key(room));
                ensure(takes_turns, "turns", || format!("{fact:?}"))
            }
            _ => Ok(()),
        }
    }

    fn remember(&mut self, fact: &Fact) {
        match fact {
            Fact::StepBegan(began) => {
                self.ready.clear();
                if began.rooms.is_some() {
                    // Others are waited for now.
                    self.alone_since.clear();
                }
            }
            Fact::MethodEnded => self.alone_since.clear(),
            // What was planned holds for people who sit as planned.
            Fact::Placed { .. } => {
                self.planned.iter_mut().for_each(|it| it.steady = false);
            }
            _ => (),
        }
    }

    fn send(
        &mut self,
        now: SessionTime,
        page: ConnectionId,
        message: &Message,
        input: &Input,
    ) -> Checked {
        // Only a wish that was under way when its page was closed is still answered.
        let late = matches!(message, Message::Rejected(_))
            && matches!(input, Input::Wish { connection, .. } if *connection == page);
        let open = self.open.contains(&page) || late;
        ensure(open, "closed", || format!("{page} is gone and is sent {message:?}"))?;
        self.is_on_disk(page, message)?;
        let screen = self.screens.entry(page).or_default();
        match message {
            Message::Welcome { you, room, .. } => {
                (screen.who, screen.room) = (Some(*you), Some(room.clone()));
                screen.posts.clear();
                self.page_of.insert(*you, page);
                self.away_since.remove(you);
            }
            Message::Room(room) => {
                if screen.room.as_ref().map(|it| it.room) != Some(room.room) {
                    screen.posts.clear();
                }
                screen.room = Some(room.clone());
            }
            Message::Post(post) => screen.posts.push(post.clone()),
            Message::Posts(posts) => screen.posts.clone_from(posts),
            Message::Overview(overview) => {
                screen.overview = Some(overview.clone());
                screen.stale_since = None;
                self.hosts.insert(page);
            }
            Message::Method(view) => {
                screen.method = view.as_ref().map(|it| it.method.id.clone());
                screen.step = None;
            }
            Message::Step(step) => screen.step = Some((now, step.clone())),
            Message::Sheet(view) => screen.leaf = Some(Leaf::of(70_000 + page.0, view)),
            Message::Typed { sheet, update, .. } => {
                let leaf = screen.leaf.as_ref().filter(|it| it.number == *sheet);
                let right = leaf.inspect(|it| it.hears(update)).is_some();
                ensure(right, "sheets", || format!("{page} is told of another sheet"))?;
            }
            _ => (),
        }
        Ok(())
    }

    /// Nobody is told what a crash could still undo.
    fn is_on_disk(&self, page: ConnectionId, message: &Message) -> Checked {
        let disk = &self.disk;
        let show = disk.show.as_ref();
        let who = self.screens.get(&page).and_then(|it| it.who);
        let stands = |run: &RunView| show.and_then(|it| it.place) == Some(run.place);
        let known = match message {
            Message::Welcome { room, .. } | Message::Room(room) => knows(disk, room),
            Message::Overview(Overview { rooms, run, .. }) => {
                rooms.iter().all(|it| knows(disk, it)) && run.as_ref().is_none_or(stands)
            }
            Message::Method(view) => {
                view.as_ref().map(|it| &it.method.id) == show.map(|it| &it.method.id)
            }
            Message::Step(step) => {
                let role = who.zip(show).and_then(|(who, show)| show.roles.get(&who));
                stands(&step.run) && step.role == role.copied()
            }
            Message::Typed { by, update, .. } => {
                let room = disk.places.get(by);
                show.zip(room).and_then(|(show, room)| show.typed.get(room)) == Some(update)
            }
            Message::Harvest(harvest) => {
                show.is_some_and(|show| {
                    // What was typed since it was written down last is kept letter by letter.
                    let whole = |room: &RoomId| !show.typed.contains_key(room);
                    let lines = show.lines.iter().map(|(room, text)| (*room, text.trim()));
                    let stands = lines.filter(|(room, text)| !text.is_empty() && whole(room));
                    let told = harvest.lines.iter().map(|(room, text)| (*room, text.as_str()));
                    stands.eq(told.filter(|(room, _)| whole(room)))
                })
            }
            Message::Ended => disk.ended,
            _ => true,
        };
        ensure(known, "kept before told", || format!("{page} is told {message:?}"))
    }

    /// After the outputs of one input. `seen`: the whole, as a facilitator who just came sees it, if
    /// anybody has looked; `wakes`: when the session wants to be woken.
    pub fn settled(
        &mut self,
        now: SessionTime,
        input: &Input,
        seen: Option<&Overview>,
        wakes: Option<SessionTime>,
    ) -> Checked {
        self.goes_on_in_time(now, input, wakes)?;
        let overdue = *input == Input::Tick && wakes.is_some_and(|it| it <= now);
        ensure(!overdue, "timeout", || format!("after the tick of {now} {wakes:?}"))?;
        ensure(self.finished == self.disk.ended, "finished", || format!("{}", self.finished))?;
        if self.disk.ended {
            return Ok(());
        }
        self.never_alone(now, wakes)?;
        self.late_ones_have_company(input)?;
        self.one_room_each(seen)?;
        self.turns_are_taken(now, wakes)?;
        self.floor()?;
        self.ears()?;
        self.people_see()?;
        self.beside(seen)?;
        self.hosts_see(now, input, seen)
    }

    fn one_room_each(&self, seen: Option<&Overview>) -> Checked {
        const NAME: &str = "one room each";
        let disk = &self.disk;
        for who in self.present() {
            let room = disk.places.get(&who);
            let somewhere = room.is_some_and(|it| disk.is_open(*it));
            ensure(somewhere, NAME, || format!("{who} is in {room:?}"))?;
        }
        let mut there: BTreeMap<RoomId, usize> = BTreeMap::new();
        for (who, room) in &disk.places {
            *there.entry(*room).or_default() += 1;
            let media = self.placed.get(who);
            // After a crash media begins when people come back, or are moved.
            let as_told = media == Some(room) || (media.is_none() && !self.is_present(*who));
            ensure(as_told, NAME, || format!("{who} in {room} is heard in {media:?}"))?;
        }
        there.remove(&RoomId::Main);
        let full = there.iter().find(|it| ROOM_PEOPLE_MAX < *it.1);
        ensure(full.is_none(), NAME, || format!("{full:?}"))?;
        let Some(seen) = seen else { return Ok(()) };
        let all_rooms = seen.rooms.len() == usize::from(disk.breakouts) + 1;
        let agree = all_rooms && seen.rooms.iter().all(|it| knows(disk, it));
        ensure(agree, NAME, || format!("{:?} but {:?}", seen.rooms, disk.places))
    }

    fn never_alone(&mut self, now: SessionTime, wakes: Option<SessionTime>) -> Checked {
        let mut alone: BTreeMap<RoomId, (usize, usize)> = BTreeMap::new();
        for (who, room) in self.disk.places.iter().filter(|it| *it.1 != RoomId::Main) {
            let (present, seats) = alone.entry(*room).or_default();
            *present += usize::from(self.page_of.contains_key(who));
            *seats += 1;
        }
        let others: usize = alone.values().map(|it| it.0).sum();
        alone.retain(|_, (present, _)| *present == 1 && 1 < others && self.disk.wants_company());
        self.alone_since.retain(|room, _| alone.contains_key(room));
        for (room, (_, seats)) in alone {
            let since = *self.alone_since.entry(room).or_insert(now);
            // Who has only lost the connection is waited for.
            let patience_ms = if seats == 1 { 0 } else { ALONE_MS };
            ensure(now.since_ms(since) < patience_ms, "never alone", || {
                format!("in {room} since {since}")
            })?;
            let in_time = wakes.is_some_and(|it| it <= since + patience_ms);
            ensure(in_time, "timeout", || format!("alone in {room} since {since}: {wakes:?}"))?;
        }
        Ok(())
    }

    /// Who comes while groups are at work is with one of them, if any has space.
    fn late_ones_have_company(&self, input: &Input) -> Checked {
        let Input::Join { connection, .. } = input else { return Ok(()) };
        let Some(who) = self.owner(*connection).filter(|_| self.disk.wants_company()) else {
            return Ok(());
        };
        let has_space = |number: u16| {
            let there = self.disk.people_in(RoomId::Breakout(number)).count();
            0 < there && there < ROOM_PEOPLE_MAX
        };
        let left_out = self.disk.places.get(&who) == Some(&RoomId::Main);
        ensure(!left_out || !(1..=self.disk.breakouts).any(has_space), "late ones", || {
            format!("{who} waits in the main room")
        })
    }

    fn goes_on_in_time(
        &self,
        now: SessionTime,
        input: &Input,
        wakes: Option<SessionTime>,
    ) -> Checked {
        let Some(show) = &self.disk.show else { return Ok(()) };
        if let Some(at) = show.goes_on_at() {
            let late = *input == Input::Tick && at <= now;
            ensure(!late, "ends in time", || format!("{:?} was over at {at}", show.place))?;
            let asks = wakes.is_some_and(|it| it <= at);
            ensure(asks, "timeout", || format!("{wakes:?} for an end at {at}"))?;
        }
        let waits = show.phase().is_some_and(|it| it.advance == Advance::Ready)
            && !show.is_paused()
            && self.is_everybody_ready();
        ensure(!waits, "ends in time", || "everybody is ready".to_owned())
    }

    pub fn is_everybody_ready(&self) -> bool {
        !self.page_of.is_empty() && self.present().all(|it| self.ready.contains(&it))
    }

    /// Nobody who is not there has the turn, and nobody who is has to wait in vain.
    fn turns_are_taken(&self, now: SessionTime, wakes: Option<SessionTime>) -> Checked {
        let Some(show) = self.disk.show.as_ref().filter(|it| !it.is_paused()) else {
            return Ok(());
        };
        let closing = matches!(show.clock, Clock::Running { ends: Some(it) } if it <= now);
        for (room, turn) in &show.turns {
            let here: Vec<_> =
                self.disk.people_in(*room).filter(|it| self.is_present(*it)).collect();
            if here.is_empty() {
                continue;
            }
            let Some(holder) = turn.holder else {
                let waits = here.iter().find(|it| !turn.had.contains(it));
                ensure(closing || waits.is_none(), "turns", || format!("{waits:?} in {room}"))?;
                continue;
            };
            ensure(here.contains(&holder), "turns", || format!("{holder} has it in {room}"))?;
            let goes_on = now < turn.ends && wakes.is_some_and(|it| it <= turn.ends);
            ensure(goes_on, "turns", || format!("{room}: {} but {wakes:?}", turn.ends))?;
        }
        Ok(())
    }

    /// Microphones are open for those to whom the method gives the floor, and pages say so.
    fn floor(&self) -> Checked {
        for (who, room) in &self.disk.places {
            let may = self.disk.show.as_ref().is_none_or(|it| it.may_speak(*who, *room));
            let hushed = self.hushed.contains(who);
            ensure(may != hushed, "floor", || format!("{who} in {room} is hushed: {hushed}"))?;
            let told = self.step_told(*who).map(|it| it.1.may_speak);
            ensure(told.is_none_or(|it| it == may), "floor", || {
                format!("{who} in {room} is told {told:?}")
            })?;
        }
        Ok(())
    }

    /// Only those are listened to who agreed, and only when the method lets words be written down.
    fn ears(&self) -> Checked {
        for (who, (_, consent)) in &self.disk.people {
            let may = *consent == Consent::On && self.disk.writes_now();
            let heard = self.listening.contains(who);
            let right = if self.is_present(*who) { heard == may } else { !heard || may };
            ensure(right, "ears", || format!("{who} is heard: {heard}"))?;
        }
        Ok(())
    }

    fn step_told(&self, who: ParticipantId) -> Option<&(SessionTime, StepView)> {
        self.screens.get(self.page_of.get(&who)?)?.step.as_ref()
    }

    /// Every person's page shows what there is.
    fn people_see(&self) -> Checked {
        for (who, page) in &self.page_of {
            let Some(screen) = self.screens.get(page) else { continue };
            let room = self.disk.places.get(who).copied();
            let shown = screen.room.as_ref().map(|it| it.room);
            ensure(shown == room, "screens", || format!("{who} in {room:?} sees {shown:?}"))?;
            let method = self.disk.show.as_ref().map(|it| &it.method.id);
            ensure(screen.method.as_ref() == method, "screens", || {
                format!("{who} sees method {:?} instead of {method:?}", screen.method)
            })?;
            self.sees_step(*who, screen)?;
            let old = screen.posts.iter().find(|it| it.at < self.disk.forgotten_at);
            ensure(old.is_none(), "forgotten", || format!("{who} still sees {old:?}"))?;
        }
        Ok(())
    }

    /// Hands, calls and shared screens are where they began, and nowhere else.
    fn beside(&self, seen: Option<&Overview>) -> Checked {
        let Some(seen) = seen else { return Ok(()) };
        for view in &seen.rooms {
            let there = |it: &BTreeMap<ParticipantId, RoomId>| -> BTreeSet<ParticipantId> {
                it.iter().filter(|it| *it.1 == view.room).map(|it| *it.0).collect()
            };
            let calls = self.disk.calls.iter().filter(|it| it.1.0 == view.room);
            let calls: BTreeSet<_> = calls.map(|it| (*it.0, it.1.1)).collect();
            let right = there(&self.hands) == view.hands.iter().copied().collect()
                && there(&self.shared) == view.sharing.into_iter().collect()
                && calls == view.calls.iter().map(|it| (it.by, it.seen)).collect();
            ensure(right, "beside", || {
                format!("{view:?} but {:?}, {:?}, {calls:?}", self.hands, self.shared)
            })?;
        }
        let told = seen.calls.iter().map(|it| (it.by, (it.room, it.seen)));
        let right = told.collect::<BTreeMap<_, _>>() == self.disk.calls;
        ensure(right, "beside", || format!("{:?} but {:?}", seen.calls, self.disk.calls))
    }

    fn sees_step(&self, who: ParticipantId, screen: &Screen) -> Checked {
        let Some(show) = &self.disk.show else { return Ok(()) };
        let Some((at, step)) = &screen.step else {
            return ensure(false, "screens", || format!("{who} sees no step"));
        };
        let room = self.disk.places[&who];
        let by_rooms = show.phase().is_some_and(|it| it.harvest == Harvest::Line);
        let line = show.lines.get(&room).cloned().unwrap_or_default();
        let reads = screen.leaf.as_ref().map(|it| it.reads());
        let by_rooms = by_rooms && !show.typed.contains_key(&room);
        let right = [
            ("the place", Some(step.run.place) == show.place),
            ("the clock", step.run.clock == clock_view(show, *at)),
            ("the role", step.role.as_ref() == show.roles.get(&who)),
            ("the turn", step.turn.map(|it| it.participant) == holder(show, room)),
            ("the seats", step.seated == show.seated),
            ("the sheet", !by_rooms || reads == Some(line)),
        ];
        let wrong = right.iter().find(|it| !it.1);
        ensure(wrong.is_none(), "screens", || {
            format!("{who} in {room} sees wrongly {}: {step:?}", wrong.map_or("", |it| it.0))
        })
    }

    /// Every facilitator's page shows what there is, or will soon.
    fn hosts_see(&mut self, now: SessionTime, input: &Input, seen: Option<&Overview>) -> Checked {
        let method = self.disk.show.as_ref().map(|it| &it.method.id);
        let hosts = &self.hosts;
        for (page, screen) in self.screens.iter_mut().filter(|it| hosts.contains(it.0)) {
            ensure(screen.method.as_ref() == method, "screens", || {
                format!("{page} sees method {:?} instead of {method:?}", screen.method)
            })?;
            let (Some(shown), Some(seen)) = (&screen.overview, seen) else { continue };
            let place = |it: &Overview| it.run.as_ref().map(|it| it.place);
            if shown.rooms == seen.rooms && place(shown) == place(seen) {
                screen.stale_since = None;
                continue;
            }
            let since = *screen.stale_since.get_or_insert(now);
            let stale = *input == Input::Tick && OVERVIEW_EVERY_MS <= now.since_ms(since);
            ensure(!stale, "screens", || format!("{page} has been wrong since {since}"))?;
        }
        Ok(())
    }
}

fn knows(disk: &Disk, view: &RoomView) -> bool {
    let named = |who: ParticipantId| disk.people.get(&who).map(|it| (who, &it.0, it.1));
    let there = disk.people_in(view.room).map(named);
    there.eq(view.people.iter().map(|it| Some((it.participant, &it.name, it.consent))))
}

fn clock_view(show: &Show, at: SessionTime) -> ClockView {
    let grace_ms = show.phase().map_or(0, |it| it.grace_ms());
    match show.clock {
        Clock::Paused { left_ms } => ClockView { left_ms, grace_ms, paused: true },
        Clock::Running { ends } => ClockView {
            left_ms: ends.map(|it| it.since_ms(at)),
            grace_ms: ends.map_or(grace_ms, |it| grace_ms.min((it + grace_ms).since_ms(at))),
            paused: false,
        },
    }
}

fn holder(show: &Show, room: RoomId) -> Option<ParticipantId> {
    show.turns.get(&room).and_then(|it| it.holder)
}

fn set(people: &mut BTreeSet<ParticipantId>, who: ParticipantId, on: bool) {
    match on {
        true => people.insert(who),
        false => people.remove(&who),
    };
}
