//! What must hold of the outputs of every input, whatever happened before. Each oracle has a name,
//! by which `sim::every_oracle_can_fail` proves that it can.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use vuoro::{
    domain::{
        fact::{Consent, Fact},
        ids::{ConnectionId, ParticipantId, RoomId},
        language::Language,
        limits::{BIG_ROOM_EVERY_MS, OVERVIEW_EVERY_MS, ROOM_PEOPLE_MAX},
        message::{BalanceView, Caption, Message, RoomView},
        rejection::Rejection,
        session::{Input, Output},
        talk::Post,
        time::SessionTime,
    },
    media::engine::{
        router::{Router, SlotChange, Slots},
        time::MediaTime,
    },
};

use super::reference::{Expected, Reference};

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

pub fn ensure(
    holds: bool,
    oracle: &'static str,
    detail: impl FnOnce() -> String,
) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation { oracle, detail: detail() }) }
}

/// The world outside one process: the disk, the pages, the media and the ears, as the outputs leave
/// them.
#[derive(Default)]
pub struct World {
    /// What is safe on disk, and only that.
    disk: Disk,
    /// Sockets that are open.
    pub open: BTreeSet<ConnectionId>,
    screens: BTreeMap<ConnectionId, Screen>,
    router: Router,
    /// The slots as their changes made them, one by one.
    slots: BTreeMap<ParticipantId, Slots>,
    /// Whether a slot or a place has changed since the slots were last looked through.
    rerouted: bool,
    placed: BTreeMap<ParticipantId, RoomId>,
    listening: BTreeSet<ParticipantId>,
    /// Whose screen goes to which room.
    shared: BTreeMap<ParticipantId, Option<RoomId>>,
    finished: bool,
}

/// What one page shows.
#[derive(Default)]
struct Screen {
    who: Option<ParticipantId>,
    room: Option<RoomView>,
    overview: Option<Vec<RoomView>>,
    /// Who is seen saying something, and since when they have.
    partials: BTreeMap<ParticipantId, SessionTime>,
    /// Since when it shows something else than there is.
    stale_since: Option<SessionTime>,
}

/// Who is where by the facts kept so far: what a page may be told.
#[derive(Default)]
struct Disk {
    people: BTreeMap<ParticipantId, (String, Language, Consent)>,
    places: BTreeMap<ParticipantId, RoomId>,
    breakouts: u16,
    said: BTreeSet<(ParticipantId, SessionTime, SessionTime, String)>,
    posts: BTreeSet<(Option<ParticipantId>, String)>,
    /// Where each called from, and whether the call is seen.
    calls: BTreeMap<ParticipantId, (RoomId, bool)>,
    ended: bool,
}

impl World {
    /// Everything that lives in the process is gone; the disk stays.
    pub fn crash(&mut self) {
        *self = World { disk: std::mem::take(&mut self.disk), ..World::default() };
    }

    /// The outputs of `input`, one by one in their order, then all that must hold after them.
    pub fn watch(
        &mut self,
        now: SessionTime,
        input: &Input,
        out: &[Output],
        (reference, expected): (&Reference, &Expected),
    ) -> Result<(), Violation> {
        let mut seen = Expected::default();
        for output in out {
            match output {
                Output::Keep(fact) => {
                    self.keep(fact, reference)?;
                    seen.facts.push(fact.clone());
                }
                Output::Send { connection, message } => {
                    self.send(*connection, message, input, &mut seen)?;
                }
                Output::Close { connection } => _ = self.open.remove(connection),
                Output::Place { participant, room } => self.place(*participant, *room)?,
                Output::Listen { participant, on: true, .. } => {
                    self.listening.insert(*participant);
                }
                Output::Listen { participant, on: false, .. } => {
                    self.listening.remove(participant);
                }
                Output::Hush { on, .. } => {
                    ensure(!on, "no method", || format!("{output:?} where no method runs"))?;
                }
                Output::Share { participant, on: true } => {
                    let room = self.placed.get(participant).copied();
                    self.shared.insert(*participant, room);
                }
                Output::Share { participant, on: false } => _ = self.shared.remove(participant),
                Output::Expect { .. } => (),
                Output::Finished => self.finished = true,
            }
        }
        if let Input::Voice { participant, on: true } = input {
            let mut changes = vec![];
            self.router.spoke(*participant, MediaTime::from_ms(now.as_ms()), &mut changes);
            self.change_slots(&changes)?;
        }
        let same = seen.facts.len() == expected.facts.len()
            && expected.facts.iter().all(|it| seen.facts.contains(it));
        ensure(same, "facts", || format!("{:?} instead of {:?}", seen.facts, expected.facts))?;
        ensure(seen.captions == expected.captions, "captions", || {
            format!("sent to {:?} instead of {:?}", seen.captions, expected.captions)
        })?;
        ensure(seen.talk == expected.talk, "talk", || {
            format!("told to {:?} instead of {:?}", seen.talk, expected.talk)
        })?;
        ensure(seen.rejected == expected.rejected, "answers", || {
            format!("{:?} instead of {:?}", seen.rejected, expected.rejected)
        })?;
        Ok(())
    }

    fn keep(&mut self, fact: &Fact, reference: &Reference) -> Result<(), Violation> {
        match fact {
            Fact::Said { participant, span, .. } => {
                let speaker = reference.people.get(participant);
                let agreed = speaker.is_some_and(|it| it.agreed_since(span.start));
                ensure(agreed, "consent", || format!("{fact:?}"))?;
            }
            Fact::Posted { participant, .. } => {
                let agreed = reference.people[participant].consent() == Consent::On;
                ensure(agreed, "consent", || format!("{fact:?}"))?;
            }
            Fact::ConsentSet { participant, consent }
            | Fact::Joined { participant, consent, .. }
                if *consent != Consent::On =>
            {
                let deaf = !self.listening.contains(participant);
                ensure(deaf, "deaf before the disk", || format!("{fact:?}"))?;
            }
            _ => (),
        }
        self.disk.learn(fact);
        Ok(())
    }

    fn send(
        &mut self,
        page: ConnectionId,
        message: &Message,
        input: &Input,
        seen: &mut Expected,
    ) -> Result<(), Violation> {
        // Only a wish that was under way when its page was closed is still answered.
        let late = matches!(message, Message::Rejected(_))
            && matches!(input, Input::Wish { connection, .. } if *connection == page);
        let open = self.open.contains(&page) || late;
        ensure(open, "closed", || format!("{page} is gone and is sent {message:?}"))?;
        let screen = self.screens.entry(page).or_default();
        let early = || format!("{page} is told what is not on disk: {message:?}");
        match message {
            Message::Welcome { you, room, .. } => {
                screen.who = Some(*you);
                screen.room = Some(room.clone());
                screen.partials.clear();
                ensure(self.disk.knows(room), "kept before told", early)?;
            }
            Message::Room(room) => {
                if screen.room.as_ref().is_some_and(|it| it.room != room.room) {
                    screen.partials.clear();
                }
                screen.room = Some(room.clone());
                let theirs = screen.who.and_then(|it| self.disk.places.get(&it));
                ensure(self.disk.knows(room), "kept before told", early)?;
                ensure(theirs == Some(&room.room), "rooms apart", || {
                    format!("{page} in {theirs:?} is shown {}", room.room)
                })?;
            }
            Message::Overview(overview) => {
                screen.overview = Some(overview.rooms.clone());
                let known = overview.rooms.iter().all(|it| self.disk.knows(it));
                ensure(known, "kept before told", early)?;
            }
            Message::Caption(Caption { participant, span, text, .. }) => {
                let said = (*participant, span.start, span.end, text.clone());
                ensure(self.disk.said.contains(&said), "kept before told", early)?;
                seen.captions.insert(page);
                screen.partials.retain(|who, since| who != participant || span.end <= *since);
            }
            Message::Partial(Caption { participant, text, .. }) if text.is_empty() => {
                screen.partials.remove(participant);
            }
            Message::Partial(Caption { participant, span, .. }) => {
                screen.partials.insert(*participant, span.start);
            }
            Message::Speaking { participant, .. } => {
                let theirs = screen.who.map(|it| self.disk.places.get(&it));
                let speakers = self.disk.places.get(participant);
                ensure(theirs.is_none_or(|it| it == speakers), "rooms apart", || {
                    format!("{page} in {theirs:?} hears that {participant} speaks in {speakers:?}")
                })?;
            }
            Message::Balance(view) => {
                let room = screen.who.and_then(|it| self.disk.places.get(&it));
                let people = self.disk.places.values().filter(|it| Some(*it) == room).count();
                balance(view, people)?;
            }
            // Of persons to persons, of rooms to facilitators.
            Message::Round(_) | Message::Own(_) => {
                ensure(screen.who.is_some(), "balance", || format!("{page} is told {message:?}"))?;
            }
            Message::RoomBalances(_) | Message::Rounds(_) => {
                ensure(screen.who.is_none(), "balance", || format!("{page} is told {message:?}"))?;
            }
            Message::Struck { .. } => {
                ensure(false, "struck", || format!("{message:?} where nobody wished it"))?;
            }
            Message::Following(_)
            | Message::Method(_)
            | Message::Step(_)
            | Message::Moved(_)
            | Message::Sheet(_)
            | Message::Typed { .. }
            | Message::Harvest(_)
            | Message::Ideas { .. }
            | Message::OwnVotes(_)
            | Message::Tally(_) => {
                ensure(false, "no method", || format!("{message:?} where no method runs"))?;
            }
            Message::Reacted { by, .. } => {
                let together = screen.who.map(|it| self.disk.places.get(&it));
                let right = together == Some(self.disk.places.get(by));
                ensure(right, "rooms apart", || format!("{page} is told {message:?}"))?;
                seen.talk.insert(page);
            }
            Message::Marked { by, .. } => {
                let together = screen.who.map(|it| self.disk.places.get(&it));
                let right = together == Some(self.disk.places.get(by));
                ensure(right, "rooms apart", || format!("{page} is told {message:?}"))?;
            }
            Message::Post(post) => {
                self.disk.knows_post(page, post)?;
                seen.talk.insert(page);
            }
            Message::Posts(posts) => {
                posts.iter().try_for_each(|it| self.disk.knows_post(page, it))?;
            }
            Message::Ended => ensure(self.disk.ended, "kept before told", early)?,
            Message::Rejected(Rejection::Replaced) => (),
            Message::Rejected(rejection) => seen.rejected.push((page, *rejection)),
        }
        Ok(())
    }

    fn place(&mut self, who: ParticipantId, room: Option<RoomId>) -> Result<(), Violation> {
        let shared = self.shared.get(&who).copied().flatten();
        ensure(shared.is_none_or(|it| Some(it) == room), "shares", || {
            format!("{who} goes to {room:?} and still shares in {shared:?}")
        })?;
        match room {
            Some(room) => _ = self.placed.insert(who, room),
            None => {
                self.placed.remove(&who);
                self.listening.remove(&who);
            }
        }
        let mut changes = vec![];
        self.router.place(who, room, &mut changes);
        self.change_slots(&changes)
    }

    fn change_slots(&mut self, changes: &[SlotChange]) -> Result<(), Violation> {
        self.rerouted = true;
        for change in changes {
            let crosses = change
                .publisher
                .is_some_and(|it| self.placed.get(&it) != self.placed.get(&change.subscriber));
            ensure(!crosses, "slots apart", || format!("{change:?}"))?;
            let slots = self.slots.entry(change.subscriber).or_default();
            slots[change.slot] = change.publisher;
        }
        Ok(())
    }

    /// After the outputs of one input; `rooms`: who is where by the reference.
    pub fn settled(
        &mut self,
        now: SessionTime,
        reference: &Reference,
        rooms: &[RoomView],
    ) -> Result<(), Violation> {
        self.media(reference)?;
        self.screens(now, reference, rooms)
    }

    /// Nobody receives another room, everybody is in theirs, only those who agreed are heard.
    fn media(&mut self, reference: &Reference) -> Result<(), Violation> {
        let rerouted = std::mem::take(&mut self.rerouted);
        for (publisher, subscriber, slot) in self.router.edges().filter(|_| rerouted) {
            let rooms = [publisher, subscriber].map(|it| reference.people[&it].room());
            let together = rooms[0].is_some() && rooms[0] == rooms[1];
            let told = self.slots.get(&subscriber).map(|it| it[slot]) == Some(Some(publisher));
            ensure(reference.ended || together && told, "slots apart", || {
                format!("{subscriber} receives {publisher} in slot {slot}")
            })?;
        }
        for (id, person) in &reference.people {
            let placed = self.placed.get(id).copied();
            let right = if reference.ended { None } else { person.room() };
            // After a crash media begins when people come back, or are moved.
            let as_told = placed == right || (placed.is_none() && person.page.is_none());
            ensure(as_told, "placed", || format!("{id} is in {placed:?} instead of {right:?}"))?;
            let heard = self.listening.contains(id);
            let may_be_heard = person.consent() == Consent::On;
            let as_agreed =
                if person.page.is_some() { heard == may_be_heard } else { !heard || may_be_heard };
            ensure(as_agreed, "ears", || format!("{id} is heard: {heard}"))?;
        }
        let shares = reference.sharers.iter().copied().collect::<BTreeSet<_>>();
        let same = self.shared.keys().copied().eq(shares.iter().copied());
        ensure(same, "shares", || format!("{:?} instead of {shares:?}", self.shared))?;
        ensure(self.finished == reference.ended, "finished", || format!("{}", self.finished))
    }

    /// Every page shows what there is (`rooms`), or will soon.
    fn screens(
        &mut self,
        now: SessionTime,
        reference: &Reference,
        rooms: &[RoomView],
    ) -> Result<(), Violation> {
        let open = &self.open;
        self.screens.retain(|page, _| open.contains(page));
        for (page, screen) in &mut self.screens {
            for speaker in screen.partials.keys() {
                let person = &reference.people[speaker];
                let theirs = screen.who.and_then(|it| reference.people[&it].room());
                let may = person.consent() == Consent::On && person.room() == theirs;
                ensure(may, "partials", || format!("{page} still shows what {speaker} said"))?;
            }
            let (is_right, patience_ms) = match (screen.who, &screen.room, &screen.overview) {
                (Some(who), Some(shown), _) => {
                    let theirs = reference.people[&who].room();
                    ensure(Some(shown.room) == theirs, "screens", || {
                        format!("{page} shows {} to {who} in {theirs:?}", shown.room)
                    })?;
                    let there = rooms.iter().find(|it| it.room == shown.room);
                    let people = there.map_or(0, |it| it.people.len());
                    let is_big = ROOM_PEOPLE_MAX < people;
                    (Some(shown) == there, if is_big { BIG_ROOM_EVERY_MS } else { 0 })
                }
                (None, _, Some(shown)) => (shown == rooms, OVERVIEW_EVERY_MS),
                _ => continue,
            };
            if is_right {
                screen.stale_since = None;
                continue;
            }
            let since = *screen.stale_since.get_or_insert(now);
            ensure(now.since_ms(since) < patience_ms, "screens", || {
                format!("{page} has been wrong since {since}: {:?}", screen.room)
            })?;
        }
        Ok(())
    }
}

impl Disk {
    fn learn(&mut self, fact: &Fact) {
        match fact {
            Fact::Joined { participant, name, language, consent, .. } => {
                self.people.insert(*participant, (name.clone(), *language, *consent));
            }
            Fact::Placed { participant, room } => {
                self.calls.remove(participant);
                match room {
                    Some(room) => self.places.insert(*participant, *room),
                    None => self.places.remove(participant),
                };
            }
            Fact::Posted { participant, text, .. } => {
                self.posts.insert((Some(*participant), text.clone()));
            }
            Fact::Broadcast { text } => _ = self.posts.insert((None, text.clone())),
            Fact::Called { participant, room } => {
                self.calls.insert(*participant, (*room, false));
            }
            Fact::CallSeen { participant } => {
                self.calls.entry(*participant).and_modify(|it| it.1 = true);
            }
            Fact::CallEnded { participant } => _ = self.calls.remove(participant),
            Fact::ConsentSet { participant, consent } => {
                if let Some(person) = self.people.get_mut(participant) {
                    person.2 = *consent;
                }
            }
            Fact::RoomsOpened { count } => self.breakouts = *count,
            Fact::Said { participant, span, text, .. } => {
                self.said.insert((*participant, span.start, span.end, text.clone()));
            }
            Fact::Ended => self.ended = true,
            // Methods have a simulation of their own.
            _ => (),
        }
    }

    fn knows_post(&self, page: ConnectionId, post: &Post) -> Result<(), Violation> {
        let known = !post.kept || self.posts.contains(&(post.by, post.text.clone()));
        ensure(known, "kept before told", || format!("{page} is told {post:?}"))
    }

    fn knows(&self, view: &RoomView) -> bool {
        let calls = self.calls.iter().filter(|it| it.1.0 == view.room);
        let calls: BTreeSet<_> = calls.map(|it| (*it.0, it.1.1)).collect();
        if calls != view.calls.iter().map(|it| (it.by, it.seen)).collect() {
            return false;
        }
        let there = self.places.iter().filter(|it| *it.1 == view.room).map(|it| *it.0);
        there.eq(view.people.iter().map(|it| it.participant))
            && view.people.iter().all(|it| {
                self.people.get(&it.participant).is_some_and(|(name, language, consent)| {
                    (name, language, consent) == (&it.name, &it.language, &it.consent)
                })
            })
    }
}

fn balance(view: &BalanceView, people: usize) -> Result<(), Violation> {
    let sum: f64 = view.shares.iter().sum();
    let voices = view.effective_voices;
    let spoken = view.shares.iter().any(|it| 0.0 < *it);
    let holds = view.shares.len() == people
        && ((sum - 1.0).abs() < 1e-9 || (!spoken && sum == 0.0))
        && view.shares.is_sorted_by(|a, b| a >= b)
        && view.shares.contains(&view.own.share)
        && (if spoken { 1.0 - 1e-9 } else { 0.0 }..=people as f64 + 1e-9).contains(&voices);
    ensure(holds, "balance", || format!("{view:?} of {people}"))
}

/// Everybody at most once, in a room that is open, with no more people than seats.
pub fn places(
    seen: &[RoomView],
    rooms: &[RoomView],
    reference: &Reference,
) -> Result<(), Violation> {
    let mut placed = BTreeSet::new();
    for view in seen {
        let seats = if view.room == RoomId::Main { usize::MAX } else { ROOM_PEOPLE_MAX };
        let fits = reference.is_open(view.room) && view.people.len() <= seats;
        ensure(fits, "one room each", || format!("{} has {}", view.room, view.people.len()))?;
        for person in &view.people {
            let first = placed.insert(person.participant);
            ensure(first, "one room each", || format!("{} is twice", person.participant))?;
        }
    }
    for (id, person) in &reference.people {
        let somewhere = person.page.is_none() || placed.contains(id);
        ensure(somewhere, "one room each", || format!("{id} is nowhere"))?;
    }
    ensure(seen == rooms, "agreement", || format!("{seen:?} instead of {rooms:?}"))
}
