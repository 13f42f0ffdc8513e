//! What the kept facts say, read as plainly as possible: who is where, and where the method stands.
//! It shares the data of `domain` and none of its rules, so that it can disagree with the session.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use vuoro::domain::{
    fact::{Consent, Fact},
    ids::{ParticipantId, RoomId},
    limits::RETURN_MS,
    message::Place,
    method::{Assign, Harvest, Method, Phase, Turns},
    mixing::Keep,
    run::{Clock, Grouping, StepBegan},
    time::{SessionTime, Span},
};

#[derive(Default)]
pub struct Disk {
    pub people: BTreeMap<ParticipantId, (String, Consent)>,
    pub places: BTreeMap<ParticipantId, RoomId>,
    pub breakouts: u16,
    pub show: Option<Show>,
    /// How often each two have been together in a small room, the lower number first.
    pub met: BTreeMap<(ParticipantId, ParticipantId), u32>,
    /// Whether a facilitator has wished anything about who is put together.
    pub wished: bool,
    pub pinned: BTreeSet<ParticipantId>,
    /// When nothing may be written down: since, and until if it is over.
    pub confidential: Vec<(SessionTime, Option<SessionTime>)>,
    /// Where each called for help from, and whether the call is seen.
    pub calls: BTreeMap<ParticipantId, (RoomId, bool)>,
    /// When what had been written in chats was forgotten last.
    pub forgotten_at: SessionTime,
    pub ended: bool,
}

/// The method that runs.
pub struct Show {
    pub method: Arc<Method>,
    pub place: Option<Place>,
    pub began_at: SessionTime,
    pub clock: Clock,
    pub roles: BTreeMap<ParticipantId, u16>,
    pub turns: BTreeMap<RoomId, Turn>,
    /// Who has a seat in the middle, longest first.
    pub seated: Vec<ParticipantId>,
    /// The rooms each phase has made last.
    pub made: BTreeMap<u16, Grouping>,
    /// What each room has written together, and which were changed since they were written down.
    pub lines: BTreeMap<RoomId, String>,
    pub typed: BTreeMap<RoomId, Vec<u8>>,
    pub topics: Vec<String>,
}

pub struct Turn {
    pub holder: Option<ParticipantId>,
    /// While the clock runs; while it is paused, what is left of it is in `left_ms`.
    pub ends: SessionTime,
    pub left_ms: u64,
    pub had: BTreeSet<ParticipantId>,
}

impl Show {
    pub fn phase(&self) -> Option<&Phase> {
        self.method.phases.get(usize::from(self.place?.phase))
    }

    /// When it must go on, if its clock runs towards it.
    pub fn goes_on_at(&self) -> Option<SessionTime> {
        let grace_ms = self.phase()?.grace_ms();
        match self.clock {
            Clock::Running { ends } => ends.map(|it| it + grace_ms),
            Clock::Paused { .. } => None,
        }
    }

    pub fn is_paused(&self) -> bool {
        matches!(self.clock, Clock::Paused { .. })
    }

    pub fn stays(&self, who: ParticipantId) -> bool {
        self.roles.get(&who).is_some_and(|it| self.method.roles[usize::from(*it)].stays)
    }

    pub fn may_speak(&self, who: ParticipantId, room: RoomId) -> bool {
        let Some(phase) = self.phase() else { return true };
        let role = self.roles.get(&who).map(|it| &self.method.roles[usize::from(*it)].id);
        let holder = self.turns.get(&room).and_then(|it| it.holder);
        match phase.turns {
            Turns::Silent => return false,
            Turns::Stick if holder.is_some_and(|it| it != who) => return false,
            _ => (),
        }
        let by_role = phase.speaking.is_empty()
            || role.is_some_and(|role| phase.speaking.iter().any(|it| it == role));
        by_role && (phase.assign != Assign::Seats || self.seated.contains(&who))
    }

    fn begin(&mut self, at: SessionTime, began: &StepBegan) {
        self.place = Some(began.place);
        self.began_at = at;
        self.clock = Clock::Running { ends: began.length_ms.map(|it| at + it) };
        self.seated.clear();
        if !began.roles.is_empty() {
            self.roles = began.roles.iter().copied().collect();
        }
        if let Some(rooms) = &began.rooms {
            self.made.insert(began.place.phase, rooms.clone());
        }
        if self
            .phase()
            .is_some_and(|it| matches!(it.assign, Assign::Mix | Assign::Merge | Assign::Free))
        {
            self.lines.clear();
            self.typed.clear();
        }
    }

    /// The first turn in each room goes to another in each round.
    fn deal_turns(&mut self, at: SessionTime, places: &BTreeMap<ParticipantId, RoomId>) {
        self.turns.clear();
        let Some((phase, place)) = self.phase().zip(self.place) else { return };
        let Some(turn_ms) = turn_ms(phase) else { return };
        let mut rooms: BTreeMap<RoomId, Vec<ParticipantId>> = BTreeMap::new();
        places.iter().for_each(|(id, room)| rooms.entry(*room).or_default().push(*id));
        self.turns = rooms
            .into_iter()
            .map(|(room, there)| {
                let holder = Some(there[usize::from(place.round) % there.len()]);
                let had = BTreeSet::new();
                (room, Turn { holder, ends: at + turn_ms, left_ms: turn_ms, had })
            })
            .collect();
    }

    fn pass_turn(&mut self, at: SessionTime, room: RoomId, to: Option<ParticipantId>) {
        let turn_ms = self.phase().and_then(turn_ms).unwrap_or(0);
        let Some(turn) = self.turns.get_mut(&room) else { return };
        turn.had.extend(turn.holder);
        (turn.holder, turn.ends, turn.left_ms) = (to, at + turn_ms, turn_ms);
    }

    fn set_clock(&mut self, at: SessionTime, clock: Clock) {
        let before = std::mem::replace(&mut self.clock, clock);
        for turn in self.turns.values_mut() {
            match (before, clock) {
                (Clock::Running { .. }, Clock::Paused { .. }) => {
                    turn.left_ms = turn.ends.since_ms(at);
                }
                (Clock::Paused { .. }, Clock::Running { .. }) => turn.ends = at + turn.left_ms,
                _ => (),
            }
        }
    }

    fn seat(&mut self, who: ParticipantId, on: bool) {
        let seats = self.phase().and_then(|it| it.seats).map_or(8, usize::from);
        self.seated.retain(|it| *it != who);
        if on {
            self.seated.push(who);
            let too_many = self.seated.len().saturating_sub(seats);
            self.seated.drain(..too_many);
        }
    }
}

fn turn_ms(phase: &Phase) -> Option<u64> {
    let in_turn = matches!(phase.turns, Turns::Round | Turns::Stick);
    phase.length_s_per_person.filter(|_| in_turn).map(|s| u64::from(s) * 1000)
}

impl Disk {
    pub fn phase(&self) -> Option<&Phase> {
        self.show.as_ref()?.phase()
    }

    /// Whether people sit in rooms in which nobody should be alone.
    pub fn wants_company(&self) -> bool {
        self.phase()
            .is_some_and(|it| !matches!(it.assign, Assign::Free | Assign::Plenary | Assign::Seats))
    }

    pub fn is_open(&self, room: RoomId) -> bool {
        match room {
            RoomId::Main => true,
            RoomId::Breakout(number) => (1..=self.breakouts).contains(&number),
        }
    }

    pub fn people_in(&self, room: RoomId) -> impl Iterator<Item = ParticipantId> + '_ {
        self.places.iter().filter(move |it| *it.1 == room).map(|it| *it.0)
    }

    /// Whether words said then may not be kept by anybody.
    pub fn is_confidential(&self, span: Span) -> bool {
        self.confidential.iter().any(|(since, until)| {
            *since < span.end && until.is_none_or(|it| span.start < it) && !span.is_empty()
        })
    }

    pub fn writes_now(&self) -> bool {
        self.confidential.last().is_none_or(|it| it.1.is_some())
    }

    /// After a restart no step ends before people can be back.
    pub fn restart(&mut self, now: SessionTime) {
        let Some(show) = &mut self.show else { return };
        if let Clock::Running { ends: Some(ends) } = &mut show.clock {
            *ends = (*ends).max(now + RETURN_MS);
        }
        for turn in show.turns.values_mut() {
            turn.ends = turn.ends.max(now + RETURN_MS);
        }
    }

    pub fn learn(&mut self, at: SessionTime, fact: &Fact) {
        match fact {
            Fact::Joined { participant, name, consent, .. } => {
                self.people.insert(*participant, (name.clone(), *consent));
            }
            Fact::ConsentSet { participant, consent } => {
                if let Some(person) = self.people.get_mut(participant) {
                    person.1 = *consent;
                }
            }
            Fact::Placed { participant, room: Some(room) } => self.put(*participant, *room),
            Fact::Placed { participant, room: None } => _ = self.places.remove(participant),
            Fact::RoomsOpened { count } => self.breakouts = *count,
            Fact::Kept { rule, .. } => self.wished |= *rule != Keep::AsItComes,
            Fact::Pinned { participant, room } => {
                self.wished |= room.is_some();
                match room {
                    Some(_) => self.pinned.insert(*participant),
                    None => self.pinned.remove(participant),
                };
            }
            Fact::Ended => (self.ended, self.show) = (true, None),
            Fact::MethodBegan { method, options } => {
                let topics = options.topics.clone();
                self.show = Some(Show::new(method.clone(), topics));
            }
            Fact::StepBegan(began) => {
                self.begin_step(at, began);
                self.forgotten_at = at;
            }
            Fact::Called { participant, room } => {
                self.calls.insert(*participant, (*room, false));
            }
            Fact::CallSeen { participant } => {
                self.calls.entry(*participant).and_modify(|it| it.1 = true);
            }
            Fact::CallEnded { participant } => _ = self.calls.remove(participant),
            Fact::MethodEnded => {
                self.show = None;
                self.forgotten_at = at;
                self.write_down(at, true);
                self.put_all(&[]);
            }
            _ => self.learn_of_show(at, fact),
        }
        // A call ends when its caller is elsewhere.
        let places = &self.places;
        self.calls.retain(|who, (room, _)| places.get(who) == Some(room));
    }

    fn learn_of_show(&mut self, at: SessionTime, fact: &Fact) {
        let Some(show) = &mut self.show else { return };
        match fact {
            Fact::ClockSet { clock } => show.set_clock(at, *clock),
            Fact::TurnPassed { room, to } => show.pass_turn(at, *room, *to),
            Fact::Seated { participant, on } => show.seat(*participant, *on),
            Fact::RoleGiven { participant, role: Some(role) } => {
                show.roles.insert(*participant, *role);
            }
            Fact::RoleGiven { participant, role: None } => _ = show.roles.remove(participant),
            Fact::Typed { room, update, .. } => _ = show.typed.insert(*room, update.clone()),
            Fact::Wrote { room, text, .. } => match show.phase().map(|it| it.harvest) {
                Some(Harvest::Line) => {
                    show.lines.insert(*room, text.clone());
                    show.typed.remove(room);
                }
                Some(Harvest::Topics) => show.topics.push(text.clone()),
                _ => (),
            },
            _ => (),
        }
    }

    fn begin_step(&mut self, at: SessionTime, began: &StepBegan) {
        if let Some(rooms) = &began.rooms {
            self.put_all(rooms);
            for room in rooms {
                self.meet(room);
            }
        }
        let Some(show) = &mut self.show else { return };
        show.begin(at, began);
        show.deal_turns(at, &self.places);
        let writes = show.phase().is_none_or(|it| it.transcribe);
        self.write_down(at, writes);
    }

    fn put(&mut self, who: ParticipantId, room: RoomId) {
        if room != RoomId::Main {
            for other in self.people_in(room).filter(|it| *it != who).collect::<Vec<_>>() {
                self.meet(&[who.min(other), who.max(other)]);
            }
        }
        self.places.insert(who, room);
    }

    fn put_all(&mut self, rooms: &[Vec<ParticipantId>]) {
        self.breakouts = rooms.len() as u16;
        self.places.values_mut().for_each(|it| *it = RoomId::Main);
        for (room, number) in rooms.iter().zip(1..) {
            for id in room.iter() {
                if let Some(place) = self.places.get_mut(id) {
                    *place = RoomId::Breakout(number);
                }
            }
        }
    }

    fn meet(&mut self, room: &[ParticipantId]) {
        for (index, one) in room.iter().enumerate() {
            for other in &room[index + 1..] {
                *self.met.entry((*one.min(other), *one.max(other))).or_default() += 1;
            }
        }
    }

    fn write_down(&mut self, at: SessionTime, on: bool) {
        match (on, self.confidential.last_mut()) {
            (true, Some((_, until @ None))) => *until = Some(at),
            (false, None | Some((_, Some(_)))) => self.confidential.push((at, None)),
            _ => (),
        }
    }
}

impl Show {
    fn new(method: Arc<Method>, topics: Vec<String>) -> Self {
        Self {
            method,
            place: None,
            began_at: SessionTime::ZERO,
            clock: Clock::Running { ends: None },
            roles: BTreeMap::new(),
            turns: BTreeMap::new(),
            seated: vec![],
            made: BTreeMap::new(),
            lines: BTreeMap::new(),
            typed: BTreeMap::new(),
            topics,
        }
    }
}
