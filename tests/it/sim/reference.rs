//! What a session ought to do, said as plainly as possible: everybody's whole history, searched
//! anew each time. It shares the data of `domain` (facts, messages, inputs) and none of its rules;
//! it has no order of outputs, no throttling and no balance.

use std::collections::{BTreeMap, BTreeSet};

use vuoro::domain::{
    consent::Writing,
    fact::{Consent, Fact},
    ids::{ConnectionId, ParticipantId, RoomId},
    language::Language,
    limits::{ROOM_PEOPLE_MAX, SEAT_GRACE_MS},
    message::{CallView, PersonView, RoomView},
    rejection::Rejection,
    session::{Input, Wish},
    time::SessionTime,
};

#[derive(Default)]
pub struct Reference {
    pub people: BTreeMap<ParticipantId, Person>,
    pub watchers: BTreeSet<ConnectionId>,
    pub breakouts: u16,
    pub ended: bool,
    /// In the order in which they went up.
    hands: Vec<ParticipantId>,
    pub sharers: Vec<ParticipantId>,
    /// In the order in which they came, and whether they are seen.
    calls: Vec<(ParticipantId, bool)>,
    /// All that has been counted, ever since the last crash.
    counted: Vec<(SessionTime, Counted)>,
}

/// What may be done so often only.
#[derive(Clone, Copy, PartialEq)]
enum Counted {
    Post(ParticipantId),
    PostIn(RoomId),
    Broadcast,
    Reaction(ParticipantId),
    ReactionIn(RoomId),
    Call(ParticipantId),
}

pub struct Person {
    pub name: String,
    language: Language,
    /// Each consent ever given, oldest first.
    consents: Vec<(SessionTime, Consent)>,
    /// Each place ever taken, oldest first.
    way: Vec<(SessionTime, Option<RoomId>)>,
    pub page: Option<ConnectionId>,
    away_since: SessionTime,
    microphone: bool,
    camera: bool,
}

/// What has to come of one input.
#[derive(Debug, Default, PartialEq)]
pub struct Expected {
    pub facts: Vec<Fact>,
    pub rejected: Vec<(ConnectionId, Rejection)>,
    /// Pages that are shown the words.
    pub captions: BTreeSet<ConnectionId>,
    /// Pages that are shown a post or a reaction.
    pub talk: BTreeSet<ConnectionId>,
}

impl Person {
    pub fn room(&self) -> Option<RoomId> {
        self.way.last().and_then(|it| it.1)
    }

    fn room_at(&self, at: SessionTime) -> Option<RoomId> {
        self.way.iter().rfind(|it| it.0 <= at).and_then(|it| it.1)
    }

    pub fn consent(&self) -> Consent {
        self.consents.last().expect("given when joining").1
    }

    /// Whether the person agreed then and has agreed ever since.
    pub fn agreed_since(&self, at: SessionTime) -> bool {
        let then = self.consents.iter().rfind(|it| it.0 <= at);
        let later = self.consents.iter().filter(|it| at < it.0);
        then.into_iter().chain(later.clone()).all(|it| it.1 == Consent::On) && then.is_some()
    }
}

impl Reference {
    pub fn apply(&mut self, now: SessionTime, input: &Input) -> Expected {
        let mut expected = Expected::default();
        let refused =
            match input {
                Input::Join { connection, seat, name, spoken, consent, .. } => {
                    let person = (name.trim(), spoken.language(), *consent);
                    let refused = self.join(now, *connection, *seat, person, &mut expected.facts);
                    refused.map(|it| (*connection, it))
                }
                Input::Watch { connection } => self.watch(*connection).map(|it| (*connection, it)),
                Input::Disconnected { connection } => {
                    self.watchers.remove(connection);
                    if let Some(id) = self.owner(*connection) {
                        self.person(id).lose_page(now);
                    }
                    None
                }
                Input::Wish { connection, wish } => {
                    let refused = self.grant(now, *connection, wish, &mut expected);
                    refused.map(|it| (*connection, it))
                }
                Input::Transcribed { participant, span, language, text, .. } => {
                    let room = self.people.get(participant).and_then(|it| {
                        it.room_at(span.start).filter(|_| it.agreed_since(span.start))
                    });
                    if let Some(room) = room.filter(|_| !text.trim().is_empty()) {
                        let (participant, span, language) = (*participant, *span, *language);
                        let text = text.trim().to_owned();
                        let said =
                            Fact::Said { participant, room, span, language, text, words: vec![] };
                        expected.facts.push(said);
                        let there = self.people.values().filter(|it| {
                            it.room() == Some(room) && it.room_at(span.end) == Some(room)
                        });
                        expected.captions = there.filter_map(|it| it.page).collect();
                    }
                    None
                }
                Input::Unheard { participant, span, reason } => {
                    let speaker = self.people.get(participant);
                    let speaker = speaker.filter(|it| it.agreed_since(span.start));
                    if let Some(room) = speaker.and_then(|it| it.room_at(span.start)) {
                        let (participant, span, reason) = (*participant, *span, *reason);
                        expected.facts.push(Fact::Unheard { participant, room, span, reason });
                    }
                    None
                }
                Input::Tick => {
                    self.end_graces(now, &mut expected.facts);
                    None
                }
                Input::Voice { .. } | Input::Uttered { .. } | Input::Partial { .. } => None,
            };
        expected.rejected.extend(refused);
        expected
    }

    /// The server was killed: nobody is connected any more.
    pub fn crash(&mut self, now: SessionTime) {
        self.watchers.clear();
        self.hands.clear();
        self.sharers.clear();
        self.counted.clear();
        self.people.values_mut().for_each(|it| it.lose_page(now));
    }

    pub fn owner(&self, page: ConnectionId) -> Option<ParticipantId> {
        self.people.iter().find(|it| it.1.page == Some(page)).map(|it| *it.0)
    }

    pub fn rooms(&self) -> Vec<RoomView> {
        let rooms = (1..=self.breakouts).map(RoomId::Breakout);
        std::iter::once(RoomId::Main).chain(rooms).map(|it| self.room(it)).collect()
    }

    pub fn room(&self, room: RoomId) -> RoomView {
        let there = self.people.iter().filter(|it| it.1.room() == Some(room));
        let people = there.map(|(id, it)| PersonView {
            participant: *id,
            name: it.name.clone(),
            language: it.language,
            by_ear: false,
            consent: it.consent(),
            microphone: it.microphone,
            camera: it.camera,
            present: it.page.is_some(),
        });
        let (people, is_here) =
            (people.collect(), |it: &ParticipantId| self.people[it].room() == Some(room));
        RoomView {
            room,
            people,
            writing: Writing::On,
            hands: self.hands.iter().copied().filter(is_here).collect(),
            sharing: self.sharers.iter().copied().find(is_here),
            calls: self
                .calls
                .iter()
                .filter(|it| is_here(&it.0))
                .map(|it| CallView { by: it.0, seen: it.1 })
                .collect(),
            followed: false,
        }
    }

    /// Whether the person calls for help, and not from there.
    pub fn calls_from_elsewhere(&self, who: ParticipantId, room: RoomId) -> bool {
        let calls = self.calls.iter().any(|it| it.0 == who);
        calls && self.is_open(room) && self.people[&who].room() != Some(room)
    }

    pub fn count(&self, room: RoomId) -> usize {
        self.people.values().filter(|it| it.room() == Some(room)).count()
    }

    /// When the next seat is given up.
    pub fn next_grace(&self) -> Option<SessionTime> {
        let away = self.people.values().filter(|it| it.room().is_some() && it.page.is_none());
        away.map(|it| it.away_since + SEAT_GRACE_MS).min()
    }

    fn person(&mut self, id: ParticipantId) -> &mut Person {
        self.people.get_mut(&id).expect("known")
    }

    fn join(
        &mut self,
        now: SessionTime,
        page: ConnectionId,
        seat: Option<ParticipantId>,
        (name, language, consent): (&str, Language, Consent),
        facts: &mut Vec<Fact>,
    ) -> Option<Rejection> {
        if self.ended {
            return Some(Rejection::SessionEnded);
        }
        if self.owner(page).is_some() || self.watchers.contains(&page) {
            return Some(Rejection::NotAllowed);
        }
        if name.is_empty() || 60 < name.chars().count() || name.contains('\u{202e}') {
            return Some(Rejection::BadName);
        }
        let id = match seat.filter(|it| self.people.contains_key(it)) {
            Some(id) => id,
            None => ParticipantId(self.people.len() as u32 + 1),
        };
        let (tags, kept) = (BTreeMap::new(), name.to_owned());
        let joined = Fact::Joined { participant: id, name: kept, language, consent, tags };
        let person = self.people.entry(id).or_insert_with(|| Person {
            name: String::new(),
            language,
            consents: vec![],
            way: vec![],
            page: None,
            away_since: now,
            microphone: false,
            camera: false,
        });
        let known = person.consents.last().map(|it| it.1);
        if (person.name.as_str(), person.language, known) != (name, language, Some(consent)) {
            facts.push(joined);
        }
        person.name = name.to_owned();
        person.language = language;
        person.consents.push((now, consent));
        person.lose_page(now);
        person.page = Some(page);
        if person.room().is_none() {
            person.way.push((now, Some(RoomId::Main)));
            facts.push(Fact::Placed { participant: id, room: Some(RoomId::Main) });
        }
        None
    }

    fn watch(&mut self, page: ConnectionId) -> Option<Rejection> {
        if self.ended {
            Some(Rejection::SessionEnded)
        } else if self.owner(page).is_some() || !self.watchers.insert(page) {
            Some(Rejection::NotAllowed)
        } else {
            None
        }
    }

    fn grant(
        &mut self,
        now: SessionTime,
        page: ConnectionId,
        wish: &Wish,
        expected: &mut Expected,
    ) -> Option<Rejection> {
        let facts = &mut expected.facts;
        if self.ended {
            return Some(Rejection::SessionEnded);
        }
        let leads = self.watchers.contains(&page);
        match (self.owner(page), wish) {
            (Some(participant), Wish::SetConsent(consent)) => {
                let (person, consent) = (self.person(participant), *consent);
                if person.consent() != consent {
                    person.consents.push((now, consent));
                    facts.push(Fact::ConsentSet { participant, consent });
                }
            }
            (Some(id), Wish::SetMicrophone(on)) => self.person(id).microphone = *on,
            (Some(id), Wish::SetCamera(on)) => self.person(id).camera = *on,
            (Some(id), Wish::Leave) => {
                self.person(id).lose_page(now);
                self.put(now, id, None, facts);
            }
            (None, Wish::OpenRooms { count }) if leads => {
                if 150 < *count {
                    return Some(Rejection::BadRoomCount);
                }
                self.breakouts = *count;
                facts.push(Fact::RoomsOpened { count: *count });
                for id in self.people.keys().copied().collect::<Vec<_>>() {
                    if self.people[&id].room().is_some_and(|it| !self.is_open(it)) {
                        self.put(now, id, Some(RoomId::Main), facts);
                    }
                }
            }
            (None, Wish::Move { participant, room }) if leads => {
                let Some(from) = self.people.get(participant).and_then(Person::room) else {
                    return Some(Rejection::UnknownParticipant);
                };
                if !self.is_open(*room) {
                    return Some(Rejection::UnknownRoom);
                }
                if from == *room {
                    return None;
                }
                if *room != RoomId::Main && ROOM_PEOPLE_MAX <= self.count(*room) {
                    return Some(Rejection::RoomFull);
                }
                self.put(now, *participant, Some(*room), facts);
            }
            (
                Some(id),
                Wish::RaiseHand(_)
                | Wish::React(_)
                | Wish::Post { .. }
                | Wish::Call(_)
                | Wish::Share(_),
            ) => {
                return self.converse(now, id, wish, expected);
            }
            (None, Wish::Broadcast { text }) if leads => {
                if text.is_empty() || 500 < text.chars().count() {
                    return Some(Rejection::BadText);
                }
                if !self.may(now, &[(Counted::Broadcast, 3, 10_000)]) {
                    return Some(Rejection::TooFast);
                }
                facts.push(Fact::Broadcast { text: text.clone() });
                expected.talk = self.people.values().filter_map(|it| it.page).collect();
                expected.talk.extend(&self.watchers);
            }
            (
                None,
                Wish::LowerHand { participant }
                | Wish::SeeCall { participant }
                | Wish::EndCall { participant }
                | Wish::EndShare { participant },
            ) if leads => {
                let id = *participant;
                if self.people.get(&id).and_then(Person::room).is_none() {
                    return Some(Rejection::UnknownParticipant);
                }
                let call = self.calls.iter().position(|it| it.0 == id);
                match (wish, call) {
                    (Wish::LowerHand { .. }, _) => self.hands.retain(|it| *it != id),
                    (Wish::EndShare { .. }, _) => self.sharers.retain(|it| *it != id),
                    (Wish::SeeCall { .. }, Some(at)) if !self.calls[at].1 => {
                        self.calls[at].1 = true;
                        facts.push(Fact::CallSeen { participant: id });
                    }
                    (Wish::EndCall { .. }, Some(at)) => {
                        self.calls.remove(at);
                        facts.push(Fact::CallEnded { participant: id });
                    }
                    _ => (),
                }
            }
            (None, Wish::End) if leads => {
                self.ended = true;
                facts.push(Fact::Ended);
                self.crash(now);
            }
            _ => return Some(Rejection::NotAllowed),
        }
        None
    }

    fn converse(
        &mut self,
        now: SessionTime,
        id: ParticipantId,
        wish: &Wish,
        expected: &mut Expected,
    ) -> Option<Rejection> {
        let room = self.people[&id].room().expect("who is on a page is somewhere");
        let there = || self.people.iter().filter(|it| it.1.room() == Some(room));
        let pages = || there().filter_map(|it| it.1.page).collect();
        match wish {
            Wish::RaiseHand(on) => {
                let is_up = self.hands.contains(&id);
                match on {
                    true if !is_up => self.hands.push(id),
                    true => (),
                    false => self.hands.retain(|it| *it != id),
                }
            }
            Wish::React(_) => {
                let pages = pages();
                let limits =
                    [(Counted::Reaction(id), 1, 1_000), (Counted::ReactionIn(room), 10, 1_000)];
                if self.may(now, &limits) {
                    expected.talk = pages;
                }
            }
            Wish::Post { text } => {
                if text.is_empty() || 500 < text.chars().count() {
                    return Some(Rejection::BadText);
                }
                let pages = pages();
                if !self.may(
                    now,
                    &[(Counted::Post(id), 5, 10_000), (Counted::PostIn(room), 20, 10_000)],
                ) {
                    return Some(Rejection::TooFast);
                }
                if self.people[&id].consent() == Consent::On {
                    expected.facts.push(Fact::Posted { participant: id, room, text: text.clone() });
                }
                expected.talk = pages;
            }
            Wish::Call(true) => {
                let called = |it: &(ParticipantId, bool)| {
                    it.0 == id || room != RoomId::Main && self.people[&it.0].room() == Some(room)
                };
                if self.calls.iter().any(called) {
                    return None;
                }
                if !self.may(now, &[(Counted::Call(id), 3, 10_000)]) {
                    return Some(Rejection::TooFast);
                }
                self.calls.push((id, false));
                expected.facts.push(Fact::Called { participant: id, room });
            }
            Wish::Call(false) => {
                if self.calls.iter().any(|it| it.0 == id) {
                    self.calls.retain(|it| it.0 != id);
                    expected.facts.push(Fact::CallEnded { participant: id });
                }
            }
            Wish::Share(true) => {
                let other = there().any(|it| *it.0 != id && self.sharers.contains(it.0));
                if other {
                    return Some(Rejection::AlreadyShared);
                }
                if !self.sharers.contains(&id) {
                    self.sharers.push(id);
                }
            }
            _ => self.sharers.retain(|it| *it != id),
        }
        None
    }

    /// Whether none of these has been done so often in the last so many ms; if so, all are counted.
    fn may(&mut self, now: SessionTime, limits: &[(Counted, usize, u64)]) -> bool {
        let free = limits.iter().all(|(what, many, within_ms)| {
            let same =
                |it: &&(SessionTime, Counted)| it.1 == *what && now.since_ms(it.0) < *within_ms;
            self.counted.iter().filter(same).count() < *many
        });
        if free {
            self.counted.extend(limits.iter().map(|it| (now, it.0)));
        }
        free
    }

    fn put(
        &mut self,
        now: SessionTime,
        participant: ParticipantId,
        room: Option<RoomId>,
        facts: &mut Vec<Fact>,
    ) {
        self.person(participant).way.push((now, room));
        self.hands.retain(|it| *it != participant);
        self.sharers.retain(|it| *it != participant);
        self.calls.retain(|it| it.0 != participant);
        facts.push(Fact::Placed { participant, room });
    }

    pub fn is_open(&self, room: RoomId) -> bool {
        match room {
            RoomId::Main => true,
            RoomId::Breakout(number) => 0 < number && number <= self.breakouts,
        }
    }

    fn end_graces(&mut self, now: SessionTime, facts: &mut Vec<Fact>) {
        for id in self.people.keys().copied().collect::<Vec<_>>() {
            let person = &self.people[&id];
            let away = person.room().is_some() && person.page.is_none();
            if !self.ended && away && SEAT_GRACE_MS <= now.since_ms(person.away_since) {
                self.put(now, id, None, facts);
            }
        }
    }
}

impl Person {
    fn lose_page(&mut self, now: SessionTime) {
        self.page = None;
        self.away_since = now;
        self.microphone = false;
        self.camera = false;
    }
}
