//! Puts people into rooms, gives roles and deals cards for one step of a method. It decides from what
//! it is told and changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    ids::{ParticipantId, RoomId},
    limits::{BREAKOUT_ROOMS_MAX, ROOM_PEOPLE_MAX},
    message::Place,
    method::{Assign, Harvest, Method, Phase},
    mixing::{Meetings, Mixing},
    rotation::{self, History, Round, Rules},
    run::{Grouping, Run, begins_round, repeated_with},
};

/// What an assignment is made of.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub run: &'a Run,
    /// The step that is about to begin.
    pub place: Place,
    /// Everybody who is counted on, in the order of their numbers.
    pub people: &'a [ParticipantId],
    /// Those of them in breakout rooms 1, 2, … now; a room may be empty.
    pub rooms: &'a [Vec<ParticipantId>],
    pub met: &'a Meetings,
    pub mixing: &'a Mixing,
}

/// Where people go, and where they are to go in the rounds that follow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assigned {
    /// `None`: nobody moves.
    pub rooms: Option<Grouping>,
    pub ahead: Vec<Grouping>,
}

impl Asked<'_> {
    fn method(&self) -> &Method {
        &self.run.method
    }

    fn phase(&self) -> Option<&Phase> {
        self.method().phases.get(usize::from(self.place.phase))
    }

    /// Of this step alone, so that two rounds do not throw the same dice.
    fn seed(&self) -> u64 {
        let place = u64::from(self.place.phase) << 16 | u64::from(self.place.round);
        mixed(self.run.options.seed ^ place)
    }

    /// People in an order that chance, not the time of joining, has made.
    fn shuffled(&self) -> Vec<ParticipantId> {
        let seed = self.run.options.seed;
        let mut people = self.people.to_vec();
        people.sort_by_key(|it| (mixed(seed ^ u64::from(it.0)), *it));
        people
    }
}

/// The rooms of a step. Nobody is alone in a breakout room while there are two people, and no room
/// has more than `ROOM_PEOPLE_MAX`; who finds no room is in the main room.
pub fn assign(asked: &Asked) -> Assigned {
    let Some(phase) = asked.phase() else { return Assigned::default() };
    let tables: Vec<Vec<ParticipantId>> =
        asked.rooms.iter().filter(|it| !it.is_empty()).cloned().collect();
    let mut ahead = Vec::new();
    let mut rooms = match phase.assign {
        Assign::Solo | Assign::Same => return Assigned::default(),
        Assign::Plenary | Assign::Seats => Vec::new(),
        Assign::Free => vec![Vec::new(); asked.run.topics().len()],
        Assign::Merge if !tables.is_empty() => merge(asked, phase, &tables),
        Assign::Return => again(asked, phase),
        Assign::Travel if !tables.is_empty() => travel(asked, phase),
        Assign::Carousel if !tables.is_empty() => carousel(asked),
        Assign::Mix | Assign::Merge | Assign::Travel | Assign::Carousel => {
            let (rooms, later) = mix(asked, phase);
            ahead = later;
            rooms
        }
    };
    if phase.groups() {
        settle(asked, &mut rooms);
    }
    rooms.iter_mut().for_each(|it| it.sort());
    Assigned { rooms: Some(rooms), ahead }
}

fn mix(asked: &Asked, phase: &Phase) -> (Grouping, Vec<Grouping>) {
    let people = asked.shuffled();
    let sizes = sizes(people.len(), phase);
    if sizes.len() < 2 {
        return (if people.len() < 2 { Vec::new() } else { vec![people] }, Vec::new());
    }
    let desk = Desk::new(asked, &people, &sizes);
    let rounds = usize::from(asked.place.of - asked.place.round);
    if asked.place.round == 0 && 1 < rounds && desk.history.repeats_of(&vec![desk.all()]) == 0 {
        // Nobody has met anybody: all rounds can be planned at once, and better.
        let plan = rotation::plan(&sizes, rounds, &desk.rules, asked.seed());
        let mut plan = plan.iter().map(|it| desk.people_of(it));
        return (plan.next().unwrap_or_default(), plan.collect());
    }
    let planned = asked.run.planned().filter(|_| 0 < asked.place.round);
    let later = asked.run.planned_later().to_vec();
    if let Some(planned) = planned
        && is_everybody(planned, asked.people)
        && keeps_wishes(planned, asked.mixing)
    {
        return (planned.clone(), later);
    }
    let start = planned.map(|it| desk.indices_of(it));
    let round = rotation::regroup(&sizes, &desk.history, &desk.rules, start.as_ref(), asked.seed());
    (desk.people_of(&round), if planned.is_some() { later } else { Vec::new() })
}

fn merge(asked: &Asked, phase: &Phase, tables: &[Vec<ParticipantId>]) -> Grouping {
    let (size, min, max) = phase.sizes();
    let everybody: Vec<_> = tables.iter().flatten().copied().collect();
    let desk = Desk::new(asked, &everybody, &[]);
    let groups: Vec<_> = tables.iter().map(|it| desk.indices(it)).collect();
    let merged = desk.people_of(&rotation::merge(&groups, size, min, max));
    let fit = merged.iter().all(|it| it.len() <= ROOM_PEOPLE_MAX);
    if fit { merged } else { mix(asked, phase).0 }
}

fn again(asked: &Asked, phase: &Phase) -> Grouping {
    let before = phase.rooms_of.as_ref().and_then(|it| asked.method().phase_index(it));
    let before = before.and_then(|it| asked.run.rooms_made_by(u16::try_from(it).ok()?));
    let Some(before) = before else { return mix(asked, phase).0 };
    let here: BTreeSet<_> = asked.people.iter().copied().collect();
    before.iter().map(|it| it.iter().filter(|id| here.contains(id)).copied().collect()).collect()
}

/// Hosts stay, the others go each to a table of which they know as few as possible.
fn travel(asked: &Asked, phase: &Phase) -> Grouping {
    let wanted = sizes(asked.people.len(), phase).len();
    // Too few people for so many tables: the emptiest are closed, and their hosts travel. A table
    // keeps its number, and with it what stands on it.
    let mut open = open_tables(asked);
    open.sort_by_key(|it| std::cmp::Reverse(asked.rooms.get(*it).map_or(0, Vec::len)));
    let most = asked.people.len() / 2;
    open.truncate(wanted.max(1).min(most.max(1)));
    open.sort();
    let people = asked.shuffled();
    let mut sizes = vec![0; open.last().map_or(0, |it| it + 1)];
    for (index, table) in open.iter().enumerate() {
        let one_more = usize::from(index < people.len() % open.len());
        sizes[*table] = people.len() / open.len() + one_more;
    }
    let mut desk = Desk::new(asked, &people, &sizes);
    for table in open {
        let there = asked.rooms.get(table).map_or(&[][..], Vec::as_slice);
        let host = there.iter().copied().find(|it| stays(asked, *it)).or(there.first().copied());
        desk.pin(host, table);
    }
    desk.people_of(&rotation::regroup(&sizes, &desk.history, &desk.rules, None, asked.seed()))
}

/// Whole groups go on to the next table; hosts stay.
fn carousel(asked: &Asked) -> Grouping {
    let open = open_tables(asked);
    let goes_to = rotation::carousel(open.len(), 1);
    let mut rooms: Grouping = vec![Vec::new(); asked.rooms.len()];
    for (table, next) in open.iter().zip(goes_to) {
        let next = open.get(next).copied().unwrap_or(*table);
        for id in &asked.rooms[*table] {
            let to = if stays(asked, *id) { *table } else { next };
            rooms[to].push(*id);
        }
    }
    rooms
}

/// The rooms in which there is anybody, as indices.
fn open_tables(asked: &Asked) -> Vec<usize> {
    let filled = asked.rooms.iter().enumerate().filter(|(_, there)| !there.is_empty());
    filled.map(|it| it.0).collect()
}

fn stays(asked: &Asked, participant: ParticipantId) -> bool {
    let role = asked.run.role_of(participant).map(usize::from);
    role.and_then(|it| asked.method().roles.get(it)).is_some_and(|it| it.stays)
}

/// Finds a room for those who have none, makes none too full, and leaves nobody alone.
fn settle(asked: &Asked, rooms: &mut Grouping) {
    let placed: BTreeSet<_> = rooms.iter().flatten().copied().collect();
    let mut without: Vec<_> =
        asked.people.iter().filter(|it| !placed.contains(it)).copied().collect();
    for room in rooms.iter_mut().filter(|it| ROOM_PEOPLE_MAX < it.len()) {
        room.sort_by_key(|it| !stays(asked, *it));
        without.extend(room.split_off(ROOM_PEOPLE_MAX));
    }
    for room in rooms.iter_mut().filter(|it| it.len() == 1) {
        without.append(room);
    }
    without.sort();
    let mut homeless = Vec::new();
    for id in without {
        match company(rooms, id, asked.met, asked.mixing) {
            Some(room) => rooms[room].push(id),
            None => homeless.push(id),
        }
    }
    if 1 < homeless.len() {
        for sizes in rotation::sizes(homeless.len(), 4, 2, ROOM_PEOPLE_MAX) {
            let group = homeless.drain(..sizes.min(homeless.len())).collect();
            let open = rooms.len() < usize::from(BREAKOUT_ROOMS_MAX);
            match rooms.iter_mut().find(|it| it.is_empty()) {
                Some(room) => *room = group,
                None if open => rooms.push(group),
                None => (),
            }
        }
    } else if let Some(id) = homeless.pop()
        && let Some(fullest) = rooms.iter_mut().filter(|it| 2 < it.len()).max_by_key(|it| it.len())
        && let Some(companion) = fullest.iter().rposition(|it| !stays(asked, *it))
    {
        // Every room is full: somebody comes along to a new one.
        let pair = vec![fullest.remove(companion), id];
        match rooms.iter_mut().find(|it| it.is_empty()) {
            Some(room) => *room = pair,
            None => rooms.push(pair),
        }
    }
}

/// The room for somebody who comes alone: the smallest that has people and space, among equals the
/// one whose people they have met least. Index into `rooms`.
pub fn company(
    rooms: &[Vec<ParticipantId>],
    participant: ParticipantId,
    met: &Meetings,
    mixing: &Mixing,
) -> Option<usize> {
    let fits = |it: &&(usize, &Vec<ParticipantId>)| {
        !it.1.is_empty() && it.1.len() < ROOM_PEOPLE_MAX && !it.1.contains(&participant)
    };
    let cost = |(index, room): &(usize, &Vec<ParticipantId>)| {
        let apart = room.iter().any(|it| mixing.are_apart(*it, participant));
        let times: u32 = room.iter().map(|it| u32::from(met.times(*it, participant))).sum();
        (apart, room.len(), times, *index)
    };
    rooms.iter().enumerate().filter(|it| fits(&it)).min_by_key(cost).map(|it| it.0)
}

/// Room sizes for so many people, within what a session may have of rooms.
fn sizes(people: usize, phase: &Phase) -> Vec<usize> {
    let (size, min, max) = phase.sizes();
    let sizes = rotation::sizes(people, size, min, max);
    if sizes.len() <= usize::from(BREAKOUT_ROOMS_MAX) {
        return sizes;
    }
    let rooms = usize::from(BREAKOUT_ROOMS_MAX);
    (0..rooms).map(|it| people / rooms + usize::from(it < people % rooms)).collect()
}

fn is_everybody(rooms: &Grouping, people: &[ParticipantId]) -> bool {
    let mut planned: Vec<_> = rooms.iter().flatten().copied().collect();
    planned.sort();
    planned == people
}

/// Whether rooms that were planned earlier are still what facilitators wish.
fn keeps_wishes(rooms: &Grouping, mixing: &Mixing) -> bool {
    let room_of = |id: &ParticipantId| rooms.iter().position(|it| it.contains(id));
    let pinned = mixing.pinned.iter().all(|(id, pin)| match (room_of(id), pin) {
        (Some(room), RoomId::Breakout(number)) => room + 1 == usize::from(*number),
        _ => true,
    });
    let same = |(one, other): &(ParticipantId, ParticipantId)| {
        room_of(one).zip(room_of(other)).map(|(one, other)| one == other)
    };
    pinned
        && mixing.apart.iter().all(|it| same(it) != Some(true))
        && mixing.together.iter().all(|it| same(it) != Some(false))
}

/// People as the numbers that `rotation` knows, with what it must know of them.
struct Desk {
    people: Vec<ParticipantId>,
    numbers: BTreeMap<ParticipantId, usize>,
    history: History,
    rules: Rules,
}

impl Desk {
    fn new(asked: &Asked, people: &[ParticipantId], sizes: &[usize]) -> Self {
        let people = people.to_vec();
        let numbers: BTreeMap<_, _> = people.iter().enumerate().map(|(i, id)| (*id, i)).collect();
        let both = |(one, other): (&ParticipantId, &ParticipantId)| {
            Some((*numbers.get(one)?, *numbers.get(other)?))
        };
        let mut history = History::new(people.len());
        for (one, other, times) in asked.met.pairs() {
            if let Some((one, other)) = both((&one, &other)) {
                (0..times).for_each(|_| history.record(&vec![vec![one, other]]));
            }
        }
        let mixing = asked.mixing;
        let pin = |id: &ParticipantId| match mixing.pinned.get(id) {
            Some(RoomId::Breakout(number)) => {
                usize::from(*number).checked_sub(1).filter(|it| *it < sizes.len())
            }
            _ => None,
        };
        let rules = Rules {
            pins: people.iter().map(pin).collect(),
            apart: mixing.apart.iter().filter_map(|(a, b)| both((a, b))).collect(),
            together: mixing.together.iter().filter_map(|(a, b)| both((a, b))).collect(),
            tags: tag_numbers(mixing, &people),
        };
        Self { people, numbers, history, rules }
    }

    fn pin(&mut self, participant: Option<ParticipantId>, group: usize) {
        let number = participant.and_then(|it| self.numbers.get(&it));
        if let Some(pin) = number.and_then(|it| self.rules.pins.get_mut(*it)) {
            *pin = Some(group);
        }
    }

    fn all(&self) -> Vec<usize> {
        (0..self.people.len()).collect()
    }

    fn indices(&self, people: &[ParticipantId]) -> Vec<usize> {
        people.iter().filter_map(|it| self.numbers.get(it).copied()).collect()
    }

    fn indices_of(&self, rooms: &Grouping) -> Round {
        rooms.iter().map(|it| self.indices(it)).collect()
    }

    fn people_of(&self, round: &Round) -> Grouping {
        let person = |it: &usize| self.people.get(*it).copied();
        round.iter().map(|it| it.iter().filter_map(person).collect()).collect()
    }
}

/// Each kind of tag at its own place, each value as its own number from 1.
fn tag_numbers(mixing: &Mixing, people: &[ParticipantId]) -> Vec<Vec<u16>> {
    if mixing.tags.is_empty() {
        return Vec::new();
    }
    let kinds: BTreeSet<&String> = mixing.tags.values().flat_map(BTreeMap::keys).collect();
    let mut values: BTreeMap<(&String, &String), u16> = BTreeMap::new();
    let mut number = |kind, value| {
        let next = u16::try_from(values.len() + 1).unwrap_or(u16::MAX);
        *values.entry((kind, value)).or_insert(next)
    };
    let tags = people.iter().map(|id| {
        let own = mixing.tags.get(id);
        kinds
            .iter()
            .map(|kind| own.and_then(|it| it.get(*kind)).map_or(0, |value| number(kind, value)))
            .collect()
    });
    tags.collect()
}

/// Who has which role from this step on, when its people are in `rooms`. Empty: as before.
pub fn roles(asked: &Asked, rooms: &Grouping) -> Vec<(ParticipantId, u16)> {
    let Some(phase) = asked.phase() else { return Vec::new() };
    let method = asked.method();
    let moved_on = matches!(phase.assign, Assign::Travel | Assign::Carousel);
    // A cycle in which everybody has a role once gives it itself, also the first time.
    let goes_round = |it: &Phase| {
        method
            .cycles
            .iter()
            .any(|cycle| Some(&cycle.id) == it.cycle.as_ref() && cycle.each.is_some())
    };
    let next = method.phases.get(usize::from(asked.place.phase) + 1);
    let before_cycle = !goes_round(phase) && next.is_some_and(goes_round);
    let in_cycle = goes_round(phase) && begins_round(method, asked.place);
    if method.roles.is_empty() || before_cycle || !(phase.groups() || in_cycle) {
        return Vec::new();
    }
    let mut given = Vec::new();
    for room in rooms {
        let keeps: Vec<_> =
            room.iter().filter(|it| moved_on && stays(asked, **it)).copied().collect();
        give(asked, room, &keeps, &mut given);
    }
    given
}

/// One room: first those who keep a role that stays, then whoever has had each role least.
fn give(
    asked: &Asked,
    room: &[ParticipantId],
    keeps: &[ParticipantId],
    given: &mut Vec<(ParticipantId, u16)>,
) {
    let seed = asked.run.options.seed;
    let mut left = room.to_vec();
    for (index, role) in asked.method().roles.iter().enumerate() {
        let Ok(number) = u16::try_from(index) else { return };
        let count = role.count.map_or(left.len(), usize::from);
        for _ in 0..count {
            let cost = |id: &ParticipantId| {
                let kept = keeps.contains(id) && asked.run.role_of(*id) == Some(number);
                let chance = mixed(seed ^ u64::from(id.0) << 8);
                (!kept, asked.run.times_had(*id, number), chance, *id)
            };
            let Some(next) = left.iter().min_by_key(|it| cost(it)).copied() else { return };
            left.retain(|it| *it != next);
            given.push((next, number));
        }
    }
}

/// The role for somebody who comes to a room later: one that is missing there, else the one that any
/// number may have.
pub fn late_role(method: &Method, taken: &[u16]) -> Option<u16> {
    let missing = method.roles.iter().enumerate().find(|(index, role)| {
        let there = taken.iter().filter(|it| usize::from(**it) == *index).count();
        role.count.is_some_and(|count| there < usize::from(count))
    });
    let any = || method.roles.iter().enumerate().find(|(_, role)| role.count.is_none());
    missing.or_else(any).and_then(|(index, _)| u16::try_from(index).ok())
}

/// Who holds whose card in this step; empty: nothing is dealt.
pub fn deal(asked: &Asked) -> Vec<(ParticipantId, ParticipantId)> {
    let index = usize::from(asked.place.phase);
    let scores = repeated_with(asked.method(), index).any(|it| it.harvest == Harvest::Score);
    if !scores || !begins_round(asked.method(), asked.place) {
        return Vec::new();
    }
    let run = asked.run;
    let authors: Vec<_> = run.card_authors().collect();
    let others = asked.people.iter().filter(|it| !authors.contains(it));
    let people: Vec<_> = authors.iter().chain(others).copied().collect();
    let holders: Vec<_> = (0..people.len())
        .filter(|it| people.get(*it).is_some_and(|id| asked.people.contains(id)))
        .collect();
    let held = people
        .iter()
        .enumerate()
        .flat_map(|(person, id)| {
            let cards = authors.iter().enumerate();
            cards
                .filter(|(_, author)| run.has_held(*id, **author))
                .map(move |(card, _)| (person, card))
        })
        .collect();
    let rated: Vec<_> =
        authors.iter().map(|it| u16::try_from(run.scores_of(*it)).unwrap_or(u16::MAX)).collect();
    let dealt = rotation::deal(authors.len(), &holders, &held, &rated, asked.seed());
    let pair = |(holder, card): (&usize, &Option<usize>)| {
        Some((*people.get(*holder)?, *authors.get((*card)?)?))
    };
    holders.iter().zip(&dealt).filter_map(pair).collect()
}

/// Bits without a pattern (splitmix64, Steele et al. 2014).
fn mixed(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
