//! A method that runs in a session: where it stands, its clock, its turns, seats, cards and what was
//! written. It changes only by facts; it moves nobody and tells nobody.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::domain::{
    ideas::{Change, Ideas, Stage},
    ids::{ParticipantId, RoomId},
    limits::{
        ACTS_MAX, PHASE_MS_MAX, RETURN_MS, ROOM_PEOPLE_MAX, TOPICS_MAX, TYPED_PHASE_BYTES_MAX,
        TYPED_RECORD_BYTES,
    },
    message::{ClockView, HarvestView, Place, RankedCard, TurnView},
    method::{Assign, Cycle, Harvest, Method, Phase, Turns},
    sheet::{Part, Sheet},
    time::SessionTime,
};

/// The people of breakout rooms 1, 2, … in this order.
pub type Grouping = Vec<Vec<ParticipantId>>;

/// What a facilitator chose for one run of a method.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// What is talked about. May be empty.
    pub question: String,
    /// One for each table or free room. May be empty.
    pub topics: Vec<String>,
    /// How long before the end of a phase people are warned.
    pub warn_ms: u64,
    /// The chance of this run, from outside.
    pub seed: u64,
}

/// The clock of a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// `None`: until the facilitator goes on.
    Running {
        ends: Option<SessionTime>,
    },
    Paused {
        left_ms: Option<u64>,
    },
}

/// The beginning of a step: where the method stands from now on, and who is where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepBegan {
    pub place: Place,
    /// `None`: until the facilitator goes on.
    pub length_ms: Option<u64>,
    /// Breakout rooms 1, 2, … from now on; whoever has a place and is in none of them is in the main
    /// room. `None`: nobody moves.
    pub rooms: Option<Grouping>,
    /// The rooms planned for the rounds that follow, to be kept to as long as people stay.
    pub ahead: Vec<Grouping>,
    /// Who has which role, as an index among the method's.
    pub roles: Vec<(ParticipantId, u16)>,
    /// Who holds whose card.
    pub cards: Vec<(ParticipantId, ParticipantId)>,
}

#[derive(Clone, Debug)]
pub struct Run {
    pub method: Arc<Method>,
    pub options: RunOptions,
    /// `None` until the first step begins.
    place: Option<Place>,
    clock: Clock,
    ahead: Vec<Grouping>,
    /// The rooms each phase has made last.
    made: BTreeMap<u16, Grouping>,
    roles: BTreeMap<ParticipantId, u16>,
    /// How often each had a role.
    had: BTreeMap<(ParticipantId, u16), u16>,
    turns: BTreeMap<RoomId, Turn>,
    seated: Vec<ParticipantId>,
    topics: Vec<String>,
    notes: BTreeMap<(ParticipantId, u16), String>,
    /// What each room writes together; it stays on its table when people move on.
    sheets: BTreeMap<RoomId, Sheet>,
    /// The number given last to a sheet.
    last_sheet: u32,
    cards: Cards,
    ideas: Ideas,
    /// Not kept: whoever comes back says so again.
    pub ready: BTreeSet<ParticipantId>,
    /// How often each has acted in this phase, and how many bytes of changes of sheets are theirs. Not
    /// kept.
    acts: BTreeMap<ParticipantId, u32>,
    typed: BTreeMap<ParticipantId, usize>,
}

#[derive(Clone, Debug)]
struct Turn {
    /// `None`: everybody has had theirs.
    holder: Option<ParticipantId>,
    /// While the clock runs.
    ends: SessionTime,
    /// While it is paused.
    left_ms: u64,
    done: BTreeSet<ParticipantId>,
}

/// Cards are named by who wrote them.
#[derive(Clone, Debug, Default)]
struct Cards {
    texts: BTreeMap<ParticipantId, String>,
    holds: BTreeMap<ParticipantId, ParticipantId>,
    held: BTreeSet<(ParticipantId, ParticipantId)>,
    scores: BTreeMap<ParticipantId, BTreeMap<ParticipantId, u8>>,
}

impl Run {
    pub fn new(method: Arc<Method>, options: RunOptions) -> Self {
        let topics = options.topics.clone();
        Self {
            method,
            options,
            place: None,
            clock: Clock::Running { ends: None },
            ahead: Vec::new(),
            made: BTreeMap::new(),
            roles: BTreeMap::new(),
            had: BTreeMap::new(),
            turns: BTreeMap::new(),
            seated: Vec::new(),
            topics,
            notes: BTreeMap::new(),
            sheets: BTreeMap::new(),
            last_sheet: 0,
            cards: Cards::default(),
            ideas: Ideas::default(),
            ready: BTreeSet::new(),
            acts: BTreeMap::new(),
            typed: BTreeMap::new(),
        }
    }

    pub fn place(&self) -> Option<Place> {
        self.place
    }

    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// The phase that is on. `None` only before the first step.
    pub fn phase(&self) -> Option<&Phase> {
        self.method.phases.get(usize::from(self.place?.phase))
    }

    /// The step after this one when the fullest room has `fullest` people; `None`: it is over.
    pub fn next_place(&self, fullest: usize) -> Option<Place> {
        next_place(&self.method, self.place, fullest)
    }

    pub fn role_of(&self, participant: ParticipantId) -> Option<u16> {
        self.roles.get(&participant).copied()
    }

    pub fn times_had(&self, participant: ParticipantId, role: u16) -> u16 {
        self.had.get(&(participant, role)).copied().unwrap_or(0)
    }

    pub fn rooms_made_by(&self, phase: u16) -> Option<&Grouping> {
        self.made.get(&phase)
    }

    /// The rooms planned for the coming round.
    pub fn planned(&self) -> Option<&Grouping> {
        self.ahead.first()
    }

    /// What remains of the plan after the coming round.
    pub fn planned_later(&self) -> &[Grouping] {
        self.ahead.get(1..).unwrap_or_default()
    }

    pub fn seated(&self) -> &[ParticipantId] {
        &self.seated
    }

    pub fn topics(&self) -> &[String] {
        &self.topics
    }

    pub fn topic_of(&self, room: RoomId) -> Option<&String> {
        match room {
            RoomId::Main => None,
            RoomId::Breakout(number) => self.topics.get(usize::from(number).checked_sub(1)?),
        }
    }

    /// When people are moved on, if the clock runs towards it.
    pub fn moves_on_at(&self) -> Option<SessionTime> {
        match self.clock {
            Clock::Running { ends } => Some(ends? + self.grace_ms()),
            Clock::Paused { .. } => None,
        }
    }

    fn grace_ms(&self) -> u64 {
        self.phase().map_or(0, Phase::grace_ms)
    }

    pub fn clock_view(&self, now: SessionTime) -> ClockView {
        let grace_ms = self.grace_ms();
        match self.clock {
            Clock::Running { ends: None } => ClockView { left_ms: None, grace_ms, paused: false },
            Clock::Running { ends: Some(ends) } => ClockView {
                left_ms: Some(ends.since_ms(now)),
                grace_ms: grace_ms.min((ends + grace_ms).since_ms(now)),
                paused: false,
            },
            Clock::Paused { left_ms } => ClockView { left_ms, grace_ms, paused: true },
        }
    }

    /// The clock stopped, or going on again. `None`: it is so already.
    pub fn paused(&self, on: bool, now: SessionTime) -> Option<Clock> {
        match (self.clock, on) {
            (Clock::Running { ends }, true) => {
                Some(Clock::Paused { left_ms: ends.map(|it| it.since_ms(now)) })
            }
            (Clock::Paused { left_ms }, false) => {
                Some(Clock::Running { ends: left_ms.map(|it| now + it) })
            }
            _ => None,
        }
    }

    /// The clock with more time; one that was over goes on from now. `None`: it has no end to move.
    pub fn extended(&self, ms: u64, now: SessionTime) -> Option<Clock> {
        match self.clock {
            Clock::Running { ends } => {
                let ends = ends?.max(now) + ms;
                Some(Clock::Running { ends: Some(ends.min(now + PHASE_MS_MAX)) })
            }
            Clock::Paused { left_ms } => {
                let left_ms = left_ms?.saturating_add(ms).min(PHASE_MS_MAX);
                Some(Clock::Paused { left_ms: Some(left_ms) })
            }
        }
    }

    /// Whether people are finishing their sentences.
    pub fn is_closing(&self, now: SessionTime) -> bool {
        matches!(self.clock, Clock::Running { ends: Some(ends) } if ends <= now)
    }

    /// After a restart: nobody is moved before they can be back.
    pub fn wait_for_return(&mut self, now: SessionTime) {
        if let Clock::Running { ends: Some(ends) } = &mut self.clock {
            *ends = (*ends).max(now + RETURN_MS);
        }
        for turn in self.turns.values_mut() {
            turn.ends = turn.ends.max(now + RETURN_MS);
        }
    }

    /// Whether the method lets this person's microphone through.
    pub fn may_speak(&self, participant: ParticipantId, room: RoomId) -> bool {
        let Some(phase) = self.phase() else { return true };
        let by_turn = match phase.turns {
            Turns::Silent => false,
            Turns::Free | Turns::Round => true,
            // Once everybody has had the stick, the floor is open.
            Turns::Stick => self
                .turns
                .get(&room)
                .is_none_or(|turn| turn.holder.is_none() || turn.holder == Some(participant)),
        };
        let by_role = phase.speaking.is_empty()
            || self.role_of(participant).is_some_and(|role| {
                let id = self.method.roles.get(usize::from(role)).map(|it| &it.id);
                id.is_some_and(|id| phase.speaking.contains(id))
            });
        let by_seat = phase.assign != Assign::Seats || self.seated.contains(&participant);
        by_turn && by_role && by_seat
    }

    pub fn turn_view(&self, room: RoomId, now: SessionTime) -> Option<TurnView> {
        let turn = self.turns.get(&room)?;
        let left_ms = match self.clock {
            Clock::Running { .. } => turn.ends.since_ms(now),
            Clock::Paused { .. } => turn.left_ms,
        };
        Some(TurnView { participant: turn.holder?, left_ms })
    }

    pub fn turn_holder(&self, room: RoomId) -> Option<ParticipantId> {
        self.turns.get(&room)?.holder
    }

    /// Rooms where turns are taken.
    pub fn rooms_with_turns(&self) -> impl Iterator<Item = RoomId> + '_ {
        self.turns.keys().copied()
    }

    pub fn turn_ends(&self, room: RoomId) -> Option<SessionTime> {
        let turn = self.turns.get(&room)?;
        let runs = matches!(self.clock, Clock::Running { .. });
        (runs && turn.holder.is_some()).then_some(turn.ends)
    }

    /// Whether the person has had their turn, or has it.
    pub fn has_had_turn(&self, room: RoomId, participant: ParticipantId) -> bool {
        self.turns
            .get(&room)
            .is_none_or(|it| it.done.contains(&participant) || it.holder == Some(participant))
    }

    /// Counts what somebody does in this phase; `false`: it is enough.
    pub fn may_act(&mut self, participant: ParticipantId) -> bool {
        let acts = self.acts.entry(participant).or_default();
        *acts = acts.saturating_add(1);
        *acts <= ACTS_MAX
    }

    /// As `may_act`, of changes of a sheet, of which there are many.
    pub fn may_type(&mut self, participant: ParticipantId, update: &[u8]) -> bool {
        let typed = self.typed.entry(participant).or_default();
        *typed = typed.saturating_add(update.len() + TYPED_RECORD_BYTES);
        *typed <= TYPED_PHASE_BYTES_MAX
    }

    /// The sheet of a room, in a phase in which rooms write.
    pub fn sheet(&self, room: RoomId) -> Option<&Sheet> {
        self.phase().filter(|it| it.harvest == Harvest::Line)?;
        self.sheets.get(&room)
    }

    /// Sheets that were changed since they were written down whole, and who did it last.
    pub fn unwritten(&self) -> impl Iterator<Item = (RoomId, ParticipantId, &Sheet)> {
        self.sheets.iter().filter_map(|(room, it)| Some((*room, it.changed_by()?, it)))
    }

    pub fn last_sheet(&self) -> u32 {
        self.last_sheet
    }

    /// Sheets are numbered on from those of methods before.
    pub fn numbering_sheets_from(mut self, last_sheet: u32) -> Self {
        self.last_sheet = last_sheet;
        self
    }

    fn lay_out(&mut self, room: RoomId) {
        self.sheets.entry(room).or_insert_with(|| {
            self.last_sheet += 1;
            Sheet::blank(self.last_sheet)
        });
    }

    /// Somebody changes the sheet of a room.
    pub fn change_sheet(&mut self, participant: ParticipantId, room: RoomId, update: &[u8]) {
        if let Some(sheet) = self.sheets.get_mut(&room)
            && sheet.change(participant, update)
        {
            self.last_sheet += 1;
            sheet.lay_out_anew(self.last_sheet);
        }
    }

    /// What the person has written for themselves in this phase.
    pub fn written(&self, participant: ParticipantId) -> String {
        let note = self.place.and_then(|it| self.notes.get(&(participant, it.phase)));
        note.cloned().unwrap_or_default()
    }

    /// Those with a card to deal, by who wrote them.
    pub fn card_authors(&self) -> impl Iterator<Item = ParticipantId> + '_ {
        self.cards.texts.keys().copied()
    }

    pub fn has_held(&self, holder: ParticipantId, author: ParticipantId) -> bool {
        self.cards.held.contains(&(holder, author))
    }

    pub fn scores_of(&self, author: ParticipantId) -> usize {
        self.cards.scores.get(&author).map_or(0, BTreeMap::len)
    }

    pub fn card_held_by(&self, holder: ParticipantId) -> Option<ParticipantId> {
        self.cards.holds.get(&holder).copied()
    }

    pub fn card_text(&self, holder: ParticipantId) -> Option<&String> {
        self.cards.texts.get(&self.card_held_by(holder)?)
    }

    pub fn own_score(&self, holder: ParticipantId) -> Option<u8> {
        self.cards.scores.get(&self.card_held_by(holder)?)?.get(&holder).copied()
    }

    /// What rooms and cards bring to all. Scores are hidden until a phase comes that scores no more.
    pub fn harvest(&self) -> HarvestView {
        let stands = self.sheets.iter().map(|(room, it)| (*room, it.text().trim().to_owned()));
        let lines = stands.filter(|(_, text)| !text.is_empty()).collect();
        let open = self.phase().is_some_and(|it| it.assign == Assign::Plenary);
        let mut ranking: Vec<_> = if open {
            self.cards.texts.iter().filter_map(|it| self.ranked(it)).collect()
        } else {
            Vec::new()
        };
        ranking.sort_by(|a, b| b.points.cmp(&a.points).then_with(|| a.text.cmp(&b.text)));
        HarvestView { lines, ranking }
    }

    fn ranked(&self, (author, text): (&ParticipantId, &String)) -> Option<RankedCard> {
        let scores = self.cards.scores.get(author)?;
        let sum: u32 = scores.values().map(|it| u32::from(*it)).sum();
        let count = u32::try_from(scores.len()).ok().filter(|it| 0 < *it)?;
        // Not every card has been seen by five people when some have left: the mean stands for them.
        let points = (5 * sum + count / 2) / count;
        let points = u8::try_from(points).unwrap_or(u8::MAX);
        Some(RankedCard { text: text.clone(), points, scores: u8::try_from(count).ok()? })
    }

    pub fn ideas(&self) -> &Ideas {
        &self.ideas
    }

    pub fn change_ideas(&mut self, change: &Change) {
        self.ideas.apply(change);
    }

    /// Somebody has come into a room.
    pub fn comes(&mut self, who: ParticipantId, room: RoomId) {
        if self.phase().is_some_and(|it| it.harvest == Harvest::Line) {
            self.lay_out(room);
        }
        if self.phase().and_then(Stage::of) == Some(Stage::Room) {
            self.ideas.comes(who, room);
        }
    }

    /// `people`: everybody in each room at that moment.
    pub fn begin(
        &mut self,
        at: SessionTime,
        began: &StepBegan,
        people: &BTreeMap<RoomId, Vec<ParticipantId>>,
    ) {
        self.place = Some(began.place);
        self.clock = Clock::Running { ends: began.length_ms.map(|ms| at + ms) };
        self.ahead.clone_from(&began.ahead);
        self.ready.clear();
        self.acts.clear();
        self.typed.clear();
        if let Some(rooms) = &began.rooms {
            self.made.insert(began.place.phase, rooms.clone());
        }
        let Some(phase) = self.method.phases.get(usize::from(began.place.phase)) else { return };
        self.ideas.begin(phase, people);
        // What stands on a table stays on it, also while everybody is together in between.
        let anew = matches!(phase.assign, Assign::Mix | Assign::Merge | Assign::Free);
        let turn_ms = match phase.turns {
            Turns::Round | Turns::Stick => phase.length_s_per_person.map(|s| u64::from(s) * 1000),
            Turns::Free | Turns::Silent => None,
        };
        if anew {
            self.sheets.clear();
        }
        if self.phase().is_some_and(|it| it.harvest == Harvest::Line) {
            people.keys().for_each(|room| self.lay_out(*room));
        }
        self.seated.clear();
        self.give_roles(began);
        for (holder, author) in &began.cards {
            self.cards.held.insert((*holder, *author));
        }
        if !began.cards.is_empty() {
            self.cards.holds = began.cards.iter().copied().collect();
        }
        self.turns.clear();
        if let Some(turn_ms) = turn_ms {
            let first = |it: &Vec<ParticipantId>| {
                it.get(usize::from(began.place.round) % it.len().max(1)).copied()
            };
            self.turns = people
                .iter()
                .map(|(room, it)| {
                    let done = BTreeSet::new();
                    (*room, Turn { holder: first(it), ends: at + turn_ms, left_ms: turn_ms, done })
                })
                .collect();
        }
    }

    fn give_roles(&mut self, began: &StepBegan) {
        if began.roles.is_empty() {
            return;
        }
        self.roles = began.roles.iter().copied().collect();
        for (participant, role) in &began.roles {
            *self.had.entry((*participant, *role)).or_default() += 1;
        }
    }

    pub fn give_role(&mut self, participant: ParticipantId, role: Option<u16>) {
        match role {
            Some(role) => {
                self.roles.insert(participant, role);
                *self.had.entry((participant, role)).or_default() += 1;
            }
            None => _ = self.roles.remove(&participant),
        }
    }

    pub fn set_clock(&mut self, at: SessionTime, clock: Clock) {
        let (before, after) = (self.clock, clock);
        for turn in self.turns.values_mut() {
            match (before, after) {
                (Clock::Running { .. }, Clock::Paused { .. }) => {
                    turn.left_ms = turn.ends.since_ms(at);
                }
                (Clock::Paused { .. }, Clock::Running { .. }) => turn.ends = at + turn.left_ms,
                _ => (),
            }
        }
        self.clock = clock;
    }

    /// The turn goes to somebody; `None`: everybody in the room has had theirs.
    pub fn pass_turn(&mut self, at: SessionTime, room: RoomId, to: Option<ParticipantId>) {
        let turn_ms =
            self.phase().and_then(|it| it.length_s_per_person).map_or(0, u64::from) * 1000;
        if let Some(turn) = self.turns.get_mut(&room) {
            turn.done.extend(turn.holder);
            turn.holder = to;
            turn.ends = at + turn_ms;
            turn.left_ms = turn_ms;
        }
    }

    /// Takes a seat, and frees the one taken longest ago when no empty chair would be left; or
    /// leaves it.
    pub fn seat(&mut self, participant: ParticipantId, on: bool) {
        self.seated.retain(|it| *it != participant);
        let seats = self.phase().and_then(|it| it.seats).map_or(ROOM_PEOPLE_MAX, usize::from);
        if on {
            self.seated.push(participant);
            if seats < self.seated.len() {
                self.seated.remove(0);
            }
        }
    }

    /// `parts`: whose which part is, of a sheet.
    pub fn write(
        &mut self,
        participant: ParticipantId,
        room: RoomId,
        (text, parts): (&str, &[Part]),
    ) {
        let Some((harvest, place)) = self.phase().map(|it| it.harvest).zip(self.place) else {
            return;
        };
        match harvest {
            Harvest::Line => {
                self.lay_out(room);
                if let Some(sheet) = self.sheets.get_mut(&room)
                    && sheet.written(participant, text, parts)
                {
                    self.last_sheet += 1;
                    sheet.lay_out_another(self.last_sheet);
                }
            }
            Harvest::Topics if self.topics.len() < TOPICS_MAX => self.topics.push(text.to_owned()),
            Harvest::Card => {
                self.notes.insert((participant, place.phase), text.to_owned());
                match text.is_empty() {
                    true => self.cards.texts.remove(&participant),
                    false => self.cards.texts.insert(participant, text.to_owned()),
                };
            }
            Harvest::Note | Harvest::Private => {
                self.notes.insert((participant, place.phase), text.to_owned());
            }
            Harvest::Topics
            | Harvest::Speech
            | Harvest::Score
            | Harvest::Ideas
            | Harvest::Votes => (),
        }
    }

    pub fn score(&mut self, participant: ParticipantId, card: ParticipantId, score: u8) {
        self.cards.scores.entry(card).or_default().insert(participant, score);
    }
}

/// The step after `from` (`None`: the first), when the fullest room has `fullest` people. `None`:
/// the method is over.
pub fn next_place(method: &Method, from: Option<Place>, fullest: usize) -> Option<Place> {
    let Some(Place { phase, round, of }) = from else { return enter(method, 0, fullest) };
    let index = usize::from(phase);
    let here = method.phases.get(index)?;
    let in_cycle = |it: usize| {
        here.cycle.is_some() && method.phases.get(it).is_some_and(|it| it.cycle == here.cycle)
    };
    if in_cycle(index + 1) {
        return Some(Place { phase: phase + 1, round, of });
    }
    if round + 1 < of {
        let first = (0..=index).rev().take_while(|it| in_cycle(*it)).last().unwrap_or(index);
        return Some(Place { phase: u16::try_from(first).ok()?, round: round + 1, of });
    }
    enter(method, index + 1, fullest)
}

fn enter(method: &Method, index: usize, fullest: usize) -> Option<Place> {
    let phase = method.phases.get(index)?;
    let cycle = method.cycles.iter().find(|it| Some(&it.id) == phase.cycle.as_ref());
    let of = match cycle {
        Some(Cycle { times: Some(times), .. }) => u16::from(*times),
        Some(_) => {
            let people = if phase.groups() { phase.sizes().0 } else { fullest };
            u16::try_from(people.clamp(1, ROOM_PEOPLE_MAX)).ok()?
        }
        None => u16::from(phase.rounds),
    };
    Some(Place { phase: u16::try_from(index).ok()?, round: 0, of: of.max(1) })
}

/// Whether a step begins a repetition: the first of its cycle, or a round of a phase alone.
pub fn begins_round(method: &Method, place: Place) -> bool {
    let index = usize::from(place.phase);
    let cycle = |it: usize| method.phases.get(it).and_then(|it| it.cycle.as_ref());
    let before = index.checked_sub(1).and_then(cycle);
    cycle(index).is_none() || cycle(index) != before
}

/// The phases that are repeated together with the one at `index`, itself included.
pub fn repeated_with(method: &Method, index: usize) -> impl Iterator<Item = &Phase> {
    let cycle = method.phases.get(index).and_then(|it| it.cycle.clone());
    method
        .phases
        .iter()
        .enumerate()
        .filter(move |(at, it)| *at == index || (cycle.is_some() && it.cycle == cycle))
        .map(|(_, it)| it)
}
