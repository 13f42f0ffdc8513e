//! What must hold when a method goes on: that it may, that it is the next step, and that the groups
//! are as its kind of step makes them.

use std::collections::BTreeSet;

use vuoro::domain::{
    ids::{ParticipantId, RoomId},
    limits::{PHASE_MS_MAX, ROOM_PEOPLE_MAX},
    message::Place,
    method::{Advance, Assign, Method, Phase},
    rotation,
    run::{Clock, Grouping, StepBegan},
    session::{Input, Wish},
    time::SessionTime,
};

use super::{
    disk::{Disk, Show},
    oracles::{Checked, World, ensure},
};

/// The rounds of one phase that makes new groups each time.
pub struct Planned {
    phase: u16,
    people: Vec<ParticipantId>,
    met: BTreeSet<(ParticipantId, ParticipantId)>,
    /// Nobody had met before, nobody has come or gone since.
    pub steady: bool,
}

impl Planned {
    pub fn is_steady(&self, people: &[ParticipantId]) -> bool {
        self.steady && self.people == people
    }
}

impl World {
    pub(super) fn step_may_begin(
        &mut self,
        now: SessionTime,
        input: &Input,
        began: &StepBegan,
    ) -> Checked {
        let counted = self.counted(now);
        let Some(show) = &self.disk.show else {
            return ensure(false, "order", || format!("{:?} of no method", began.place));
        };
        self.not_too_soon(now, input)?;
        let follows = may_follow(&show.method, show.place, began.place);
        ensure(follows, "order", || format!("{:?} after {:?}", began.place, show.place))?;
        let phase = &show.method.phases[usize::from(began.place.phase)];
        let tables = self.disk.tables(&counted);
        is_kind_of(phase, began)?;
        if let Some(rooms) = began.rooms.as_ref().filter(|_| phase.groups()) {
            groups_fit(phase, rooms, &counted)?;
            match phase.assign {
                Assign::Merge => together_before_and_after(phase, &tables, rooms)?,
                Assign::Return => restored(show, phase, rooms, &counted)?,
                Assign::Travel | Assign::Carousel => hosts_stay(show, &self.disk, &counted, rooms)?,
                _ => (),
            }
        }
        let rooms = began.rooms.as_ref().unwrap_or(&tables);
        let length_ms = length_ms(phase, rooms, counted.len());
        ensure(began.length_ms == length_ms, "length", || {
            format!("{:?} instead of {length_ms:?}", began.length_ms)
        })?;
        self.new_people_each_round(began, &counted)
    }

    pub(super) fn method_may_end(&self, now: SessionTime, input: &Input) -> Checked {
        self.not_too_soon(now, input)?;
        let by_host =
            matches!(input, Input::Wish { wish: Wish::StopMethod | Wish::RunMethod { .. }, .. });
        let Some(show) = &self.disk.show else {
            return ensure(false, "order", || "no method can end".to_owned());
        };
        let last = show.place.is_none_or(|it| {
            usize::from(it.phase) + 1 == show.method.phases.len() && it.round + 1 == it.of
        });
        ensure(last || by_host, "order", || format!("ended after {:?}", show.place))
    }

    /// A step ends at its end, or because somebody who may has wished it.
    fn not_too_soon(&self, now: SessionTime, input: &Input) -> Checked {
        let Some(show) = self.disk.show.as_ref().filter(|it| it.place.is_some()) else {
            return Ok(());
        };
        let over = show.goes_on_at().is_some_and(|it| it <= now);
        let closing = matches!(show.clock, Clock::Running { ends: Some(it) } if it <= now);
        let phase = show.phase();
        let no_grace = phase.is_some_and(|it| it.grace_ms() == 0);
        let ready = phase.is_some_and(|it| it.advance == Advance::Ready)
            && !show.is_paused()
            && self.is_everybody_ready();
        let wished = match self.led(input) {
            Some(Wish::Next { at_once }) => *at_once || closing || no_grace,
            Some(Wish::StopMethod | Wish::RunMethod { .. }) => true,
            _ => false,
        };
        ensure(over || ready || wished, "not too soon", || {
            format!("{:?}, {:?}, by {input:?}", show.place, show.clock)
        })
    }

    /// What a facilitator has just wished.
    fn led<'a>(&self, input: &'a Input) -> Option<&'a Wish> {
        match input {
            Input::Wish { connection, wish } if self.hosts.contains(connection) => Some(wish),
            _ => None,
        }
    }

    pub(super) fn clock_may_be(&self, now: SessionTime, input: &Input, clock: Clock) -> Checked {
        let Some(show) = &self.disk.show else {
            return ensure(false, "clock", || "of no method".to_owned());
        };
        let closes = clock == Clock::Running { ends: Some(now) };
        let right = match (self.led(input), show.clock) {
            (Some(Wish::Next { at_once: false }), _) => closes,
            (Some(Wish::Pause(true)), Clock::Running { ends }) => {
                clock == Clock::Paused { left_ms: ends.map(|it| it.since_ms(now)) }
            }
            (Some(Wish::Pause(false)), Clock::Paused { left_ms }) => {
                clock == Clock::Running { ends: left_ms.map(|it| now + it) }
            }
            (Some(Wish::Extend { ms }), Clock::Running { ends: Some(ends) }) => {
                let ends = (ends.max(now) + *ms).min(now + PHASE_MS_MAX);
                clock == Clock::Running { ends: Some(ends) }
            }
            (Some(Wish::Extend { ms }), Clock::Paused { left_ms: Some(left_ms) }) => {
                clock == Clock::Paused { left_ms: Some((left_ms + ms).min(PHASE_MS_MAX)) }
            }
            _ => closes && self.turns_are_over(),
        };
        ensure(right, "clock", || format!("{clock:?} after {:?} by {input:?}", show.clock))
    }

    /// Whether everybody who is here has had their turn.
    fn turns_are_over(&self) -> bool {
        let Some(show) = self.disk.show.as_ref().filter(|it| !it.turns.is_empty()) else {
            return false;
        };
        show.turns.iter().all(|(room, turn)| {
            let mut here = self.disk.people_in(*room).filter(|it| self.is_present(*it));
            turn.holder.is_none() || here.next().is_none()
        })
    }

    fn new_people_each_round(&mut self, began: &StepBegan, counted: &[ParticipantId]) -> Checked {
        let Some(rooms) = began.rooms.as_ref().filter(|it| !it.is_empty()) else { return Ok(()) };
        let mixes = self.disk.show.as_ref().is_some_and(|it| {
            it.method.phases[usize::from(began.place.phase)].assign == Assign::Mix
        });
        let place = began.place;
        if !mixes || place.of < 2 {
            self.planned = None;
            return Ok(());
        }
        if place.round == 0 {
            let met = |it: &(ParticipantId, ParticipantId)| {
                counted.contains(&it.0) && counted.contains(&it.1)
            };
            let steady = !self.disk.wished && !self.disk.met.keys().any(met);
            let people = counted.to_vec();
            let met = BTreeSet::new();
            self.planned = Some(Planned { phase: place.phase, people, met, steady });
        }
        let Some(planned) = &mut self.planned else { return Ok(()) };
        planned.steady &=
            planned.phase == place.phase && planned.people == counted && !self.disk.wished;
        let within = rounds_without_repeat(rooms) >= usize::from(place.of);
        for pair in rooms.iter().flat_map(|it| pairs(it)) {
            let again = !planned.met.insert(pair);
            ensure(!(again && planned.steady && within), "repeats", || {
                format!("{pair:?} meet again in {place:?}")
            })?;
        }
        Ok(())
    }
}

impl Disk {
    /// The breakout rooms in their order, with those of `people` who are in them.
    fn tables(&self, people: &[ParticipantId]) -> Grouping {
        let there = |number| self.people_in(RoomId::Breakout(number));
        (1..=self.breakouts)
            .map(|it| there(it).filter(|id| people.contains(id)).collect())
            .collect()
    }
}

/// Half of what could ever be, where there are as many rooms as people in one.
pub fn rounds_without_repeat(rooms: &Grouping) -> usize {
    let people: usize = rooms.iter().map(Vec::len).sum();
    let largest = rooms.iter().map(Vec::len).max().unwrap_or(0);
    if largest < 2 || rooms.len() < largest {
        return 1;
    }
    ((people - 1) / (largest - 1) / 2).max(1)
}

pub fn pairs(room: &[ParticipantId]) -> Vec<(ParticipantId, ParticipantId)> {
    let later = |it: usize| room[it + 1..].iter().map(move |other| (room[it], *other));
    (0..room.len()).flat_map(later).map(|(a, b)| (a.min(b), a.max(b))).collect()
}

/// Whether one step can come right after the other: on in the cycle, again from its beginning, or to
/// the next phase.
fn may_follow(method: &Method, from: Option<Place>, to: Place) -> bool {
    let enters = to.round == 0 && (1..=20).contains(&to.of);
    let Some(from) = from else { return enters && to.phase == 0 };
    let cycle = |it: u16| method.phases.get(usize::from(it)).and_then(|it| it.cycle.as_ref());
    let here = cycle(from.phase);
    let goes_on_in_cycle = here.is_some() && cycle(from.phase + 1) == here;
    if goes_on_in_cycle {
        return to == Place { phase: from.phase + 1, ..from };
    }
    if from.round + 1 < from.of {
        let first = (0..from.phase).rev().take_while(|it| here.is_some() && cycle(*it) == here);
        return to
            == Place { phase: first.last().unwrap_or(from.phase), round: from.round + 1, ..from };
    }
    enters && to.phase == from.phase + 1
}

fn length_ms(phase: &Phase, rooms: &Grouping, people: usize) -> Option<u64> {
    let fullest = rooms.iter().map(Vec::len).max().filter(|it| 0 < *it).unwrap_or(people).max(1);
    let each = phase.length_s_per_person.map(|it| u64::from(it) * fullest as u64);
    let length_s = each.or(phase.length_s.map(u64::from));
    length_s.filter(|_| phase.advance != Advance::Host).map(|it| it * 1000)
}

/// Nobody moves where nobody should; all are together where they should be.
fn is_kind_of(phase: &Phase, began: &StepBegan) -> Checked {
    let right = match phase.assign {
        Assign::Solo | Assign::Same => began.rooms.is_none(),
        Assign::Plenary | Assign::Seats => began.rooms.as_ref().is_some_and(Vec::is_empty),
        Assign::Free => began.rooms.as_ref().is_some_and(|it| it.iter().all(Vec::is_empty)),
        _ => began.rooms.is_some(),
    };
    ensure(right, "sizes", || format!("{:?}: {:?}", phase.assign, began.rooms))
}

/// Everybody once, nobody alone, no more than seats; new rooms as even as the method asks.
fn groups_fit(phase: &Phase, rooms: &Grouping, counted: &[ParticipantId]) -> Checked {
    let mut placed: Vec<_> = rooms.iter().flatten().copied().collect();
    placed.sort();
    let everybody = placed == counted || counted.len() < 2 && placed.is_empty();
    ensure(everybody, "sizes", || format!("{rooms:?} of {counted:?}"))?;
    let mut there: Vec<_> = rooms.iter().map(Vec::len).filter(|it| 0 < *it).collect();
    let fit = there.iter().all(|it| (2..=ROOM_PEOPLE_MAX).contains(it));
    ensure(fit, "sizes", || format!("{there:?}"))?;
    if phase.assign == Assign::Mix && 1 < counted.len() {
        let (size, min, max) = phase.sizes();
        let wished = rotation::sizes(counted.len(), size, min, max);
        there.sort_by_key(|it| std::cmp::Reverse(*it));
        // More than a room holds come only of bounds that cannot be kept.
        let right = there == wished || wished.iter().any(|it| ROOM_PEOPLE_MAX < *it);
        ensure(right, "sizes", || format!("{there:?} instead of {wished:?}"))?;
    }
    Ok(())
}

fn room_of(rooms: &Grouping, who: ParticipantId) -> Option<usize> {
    rooms.iter().position(|it| it.contains(&who))
}

/// Whether somebody had to come along with one who sat nowhere, or alone, because all rooms were full.
fn comes_along(before: &Grouping, rooms: &Grouping, who: ParticipantId) -> bool {
    let is_here = |id: &&ParticipantId| room_of(rooms, **id).is_some();
    let is_alone = |id: &ParticipantId| {
        let room = room_of(before, *id).and_then(|it| before.get(it));
        room.is_none_or(|it| it.iter().filter(is_here).count() < 2)
    };
    let pair = room_of(rooms, who).map(|it| &rooms[it]).filter(|it| it.len() == 2);
    let mut others = rooms.iter().filter(|it| Some(*it) != pair && !it.is_empty());
    let with_one_alone = pair.is_some_and(|it| it.iter().any(is_alone));
    with_one_alone && others.all(|it| ROOM_PEOPLE_MAX - 1 <= it.len())
}

/// Who was together stays together, unless that would be too many.
fn together_before_and_after(phase: &Phase, tables: &Grouping, rooms: &Grouping) -> Checked {
    let (size, min, max) = phase.sizes();
    let mut next = 0;
    let numbered: Vec<Vec<usize>> = tables
        .iter()
        .filter(|it| !it.is_empty())
        .map(|it| {
            next += it.len();
            (next - it.len()..next).collect()
        })
        .collect();
    let merged = rotation::merge(&numbered, size, min, max);
    if merged.iter().any(|it| ROOM_PEOPLE_MAX < it.len()) {
        return Ok(());
    }
    for table in tables.iter().filter(|it| !it.is_empty()) {
        let stay = table.iter().filter(|it| !comes_along(tables, rooms, **it));
        let to: BTreeSet<_> = stay.map(|it| room_of(rooms, *it)).collect();
        ensure(to.len() < 2, "old rooms together", || format!("{table:?} in {rooms:?}"))?;
    }
    Ok(())
}

/// Who is still there is in the room they had.
fn restored(show: &Show, phase: &Phase, rooms: &Grouping, counted: &[ParticipantId]) -> Checked {
    let before = phase.rooms_of.as_ref().and_then(|it| show.method.phase_index(it));
    let Some(before) = before.and_then(|it| show.made.get(&(it as u16))) else { return Ok(()) };
    for (number, room) in before.iter().enumerate() {
        let here: Vec<_> = room.iter().filter(|it| counted.contains(it)).collect();
        if here.len() < 2 {
            continue;
        }
        for who in here.into_iter().filter(|it| !comes_along(before, rooms, **it)) {
            let now = room_of(rooms, *who);
            ensure(now == Some(number), "rooms again", || {
                format!("{who} of {number} is in {now:?}: {rooms:?} after {before:?}")
            })?;
        }
    }
    Ok(())
}

/// The host of a table is at the same table, as long as there is a table for them.
fn hosts_stay(show: &Show, disk: &Disk, counted: &[ParticipantId], rooms: &Grouping) -> Checked {
    for who in counted.iter().filter(|it| show.stays(**it)) {
        let Some(RoomId::Breakout(number)) = disk.places.get(who) else { continue };
        let table = usize::from(*number) - 1;
        let closed = rooms.get(table).is_none_or(Vec::is_empty);
        let now = room_of(rooms, *who);
        ensure(closed || now == Some(table), "hosts stay", || {
            format!("{who} of {table} is in {now:?}: {rooms:?}, from {:?}", disk.tables(counted))
        })?;
    }
    Ok(())
}
