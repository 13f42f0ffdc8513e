//! Runs a method: begins its steps, keeps its clock and turns, gives the floor, and lets nobody sit
//! alone. Where people go is `assign`'s to decide; what a step is, the method's.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    assign::{self, Asked},
    fact::Fact,
    ids::{ParticipantId, RoomId},
    limits::{
        ALONE_MS, BIG_ROOM_EVERY_MS, COUNTED_AWAY_MS, MIXING_WISHES_MAX, OVERVIEW_EVERY_MS,
        PHASE_MS_MAX, QUESTION_CHARS_MAX, ROOM_PEOPLE_MAX, STEP_EVERY_MS, TOPICS_MAX,
        WRITTEN_CHARS_MAX,
    },
    message::{Message, MoveReason, Place},
    method::{Advance, Assign, Harvest, Method, Phase, check},
    mixing::Keep,
    rejection::Rejection,
    rooms::regroup,
    run::{Clock, Grouping, Run, RunOptions, StepBegan},
    session::{Output, Presence, Session, Wish},
    talk::is_invisible,
    time::SessionTime,
};

/// How often one thing may follow from another at once. More than twice has not been seen.
const FOLLOWS_MAX: usize = 8;

impl Session {
    /// What follows from any input while a method runs, and what follows from that: whoever is taken
    /// to others may be the one whose turn it is there.
    pub(super) fn guide(&mut self, now: SessionTime, out: &mut Vec<Output>) {
        if self.ended {
            return;
        }
        for _ in 0..FOLLOWS_MAX {
            let before = out.len();
            if let Some(run) = &self.run {
                if run.place().is_none() {
                    // The server was killed before the first step was written down.
                    self.step_on(now, out);
                }
                self.pass_turns(now, out);
                self.keep_company(now, out);
                if self.everybody_is_ready() {
                    self.step_on(now, out);
                }
            }
            self.give_floor(now, out);
            if out.len() == before {
                break;
            }
        }
    }

    /// When the method next wants to go on, and why.
    pub(super) fn guide_timeout(&self) -> Option<(SessionTime, &'static str)> {
        let run = self.run.as_ref()?;
        let turns = run
            .rooms_with_turns()
            .filter(|it| self.seated_in(*it).next().is_some())
            .filter_map(|it| Some((run.turn_ends(it)?, "a turn ends")));
        run.moves_on_at().map(|at| (at, "a step ends")).into_iter().chain(turns).min()
    }

    pub(super) fn tick_method(&mut self, now: SessionTime, out: &mut Vec<Output>) {
        if self.run.as_ref().and_then(Run::moves_on_at).is_some_and(|it| it <= now) {
            self.step_on(now, out);
        }
        if self.due.step.is_some_and(|it| it <= now) {
            self.tell_step(now, None, out);
        }
        if self.due.tally.is_some_and(|it| it <= now) {
            self.tell_tally(out);
        }
        self.write_due_sheets_down(now, out);
    }

    // Facilitators.

    pub(super) fn lead(
        &mut self,
        now: SessionTime,
        wish: Wish,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        match wish {
            Wish::RunMethod { method, options } => self.run_method(now, *method, options, out),
            Wish::Next { at_once } => self.next(now, at_once, out),
            Wish::Pause(on) => {
                let run = self.run.as_ref().ok_or(Rejection::NotNow)?;
                let clock = run.paused(on, now);
                clock.into_iter().for_each(|it| self.set_clock(now, it, out));
                Ok(())
            }
            Wish::Extend { ms } => {
                if !(1_000..=PHASE_MS_MAX).contains(&ms) {
                    return Err(Rejection::BadMethod);
                }
                let clock = self.run.as_ref().and_then(|it| it.extended(ms, now));
                self.set_clock(now, clock.ok_or(Rejection::NotNow)?, out);
                Ok(())
            }
            Wish::StopMethod => {
                self.run.as_ref().ok_or(Rejection::NotNow)?;
                self.finish_method(now, out);
                Ok(())
            }
            Wish::Keep { participants, rule } => self.keep_wish(now, participants, rule, out),
            Wish::Pin { participant, on } => self.pin(now, participant, on, out),
            _ => Err(Rejection::NotAllowed),
        }
    }

    fn run_method(
        &mut self,
        now: SessionTime,
        method: Method,
        options: RunOptions,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        let long = |it: &String| QUESTION_CHARS_MAX < it.chars().count();
        if long(&options.question)
            || options.topics.iter().any(|it| long(it) || it.trim().is_empty())
        {
            return Err(Rejection::BadText);
        }
        let out_of_bounds = TOPICS_MAX < options.topics.len() || PHASE_MS_MAX < options.warn_ms;
        if out_of_bounds || !check::check(&method).is_empty() {
            return Err(Rejection::BadMethod);
        }
        if self.run.is_some() {
            self.finish_method(now, out);
        }
        self.keep(now, Fact::MethodBegan { method: method.into(), options }, out);
        self.tell_all(Message::Method(self.method_view()), out);
        self.step_on(now, out);
        Ok(())
    }

    fn next(
        &mut self,
        now: SessionTime,
        at_once: bool,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        let run = self.run.as_ref().ok_or(Rejection::NotNow)?;
        let needs_no_grace = run.phase().is_none_or(|it| it.grace_ms() == 0);
        if at_once || needs_no_grace || run.is_closing(now) {
            self.step_on(now, out);
        } else {
            self.set_clock(now, Clock::Running { ends: Some(now) }, out);
        }
        Ok(())
    }

    fn set_clock(&mut self, now: SessionTime, clock: Clock, out: &mut Vec<Output>) {
        self.keep(now, Fact::ClockSet { clock }, out);
        self.tell_step(now, None, out);
    }

    fn keep_wish(
        &mut self,
        now: SessionTime,
        participants: [ParticipantId; 2],
        rule: Keep,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        let [one, other] = participants;
        if one == other || participants.iter().any(|it| !self.seats.contains_key(it)) {
            return Err(Rejection::UnknownParticipant);
        }
        if MIXING_WISHES_MAX <= self.mixing.wishes() && rule != Keep::AsItComes {
            return Err(Rejection::NotNow);
        }
        self.keep(now, Fact::Kept { participants, rule }, out);
        self.due.overview.get_or_insert(now + OVERVIEW_EVERY_MS);
        Ok(())
    }

    fn pin(
        &mut self,
        now: SessionTime,
        participant: ParticipantId,
        on: bool,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        let room = self.rooms.room_of(participant).ok_or(Rejection::UnknownParticipant)?;
        if on && (room == RoomId::Main || MIXING_WISHES_MAX <= self.mixing.wishes()) {
            return Err(Rejection::NotNow);
        }
        self.keep(now, Fact::Pinned { participant, room: on.then_some(room) }, out);
        self.due.overview.get_or_insert(now + OVERVIEW_EVERY_MS);
        Ok(())
    }

    // Participants.

    pub(super) fn take_part(
        &mut self,
        now: SessionTime,
        participant: ParticipantId,
        wish: Wish,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        let phase = self.phase().ok_or(Rejection::NotNow)?;
        let (assign, harvest, advance) = (phase.assign, phase.harvest, phase.advance);
        let room = self.rooms.room_of(participant).ok_or(Rejection::NotNow)?;
        if self.run.as_mut().is_none_or(|it| !it.may_act(participant)) {
            return Err(Rejection::NotNow);
        }
        match wish {
            Wish::SetReady(on) if advance == Advance::Ready => {
                self.due.step.get_or_insert(now + STEP_EVERY_MS);
                let run = self.run.as_mut().ok_or(Rejection::NotNow)?;
                if on {
                    run.ready.insert(participant)
                } else {
                    run.ready.remove(&participant)
                };
            }
            Wish::PassTurn if self.has_turn(participant, room) => self.pass_turn(now, room, out),
            Wish::SetSeated(on) if assign == Assign::Seats => {
                self.keep(now, Fact::Seated { participant, on }, out);
                self.tell_step(now, None, out);
                return Ok(());
            }
            Wish::GoTo { room } if assign == Assign::Free => {
                self.due.step.get_or_insert(now + STEP_EVERY_MS);
                return self.move_to(now, participant, room, MoveReason::Own, out);
            }
            Wish::Write { at: Some(at), .. } if !self.is_at(at) => return Err(Rejection::NotNow),
            Wish::Write { text, .. } => {
                self.write(now, (participant, room), harvest, &text, out)?
            }
            Wish::Score(score) if harvest == Harvest::Score && (1..=5).contains(&score) => {
                let card = self.run.as_ref().and_then(|it| it.card_held_by(participant));
                let card = card.ok_or(Rejection::NotNow)?;
                self.keep(now, Fact::Scored { participant, card, score }, out);
            }
            _ => return Err(Rejection::NotNow),
        }
        self.tell_own_step(now, participant, out);
        Ok(())
    }

    fn is_at(&self, (phase, round): (u16, u16)) -> bool {
        let place = self.run.as_ref().and_then(Run::place);
        place.is_some_and(|it| (it.phase, it.round) == (phase, round))
    }

    fn write(
        &mut self,
        now: SessionTime,
        (participant, room): (ParticipantId, RoomId),
        harvest: Harvest,
        text: &str,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        let shown = |it: &char| *it == '\n' || !is_invisible(*it);
        let text: String = text.trim().chars().filter(shown).collect();
        let chars = text.chars().count();
        let full = self.run.as_ref().is_some_and(|it| TOPICS_MAX <= it.topics().len());
        match harvest {
            Harvest::Speech | Harvest::Score | Harvest::Ideas | Harvest::Votes => {
                return Err(Rejection::NotNow);
            }
            Harvest::Topics if full => return Err(Rejection::NotNow),
            Harvest::Topics if chars == 0 || QUESTION_CHARS_MAX < chars => {
                return Err(Rejection::BadText);
            }
            _ if WRITTEN_CHARS_MAX < chars => return Err(Rejection::BadText),
            _ => (),
        }
        if harvest == Harvest::Line && !self.may_write_on_sheet(participant) {
            return Err(Rejection::NotAllowed);
        }
        self.keep(now, Fact::Wrote { participant, room, text, parts: Vec::new() }, out);
        match harvest {
            Harvest::Line => self.tell_sheet_in(room, out),
            Harvest::Topics => _ = self.due.step.get_or_insert(now + STEP_EVERY_MS),
            _ => (),
        }
        Ok(())
    }

    // Steps.

    fn step_on(&mut self, now: SessionTime, out: &mut Vec<Output>) {
        let counted = self.counted(now);
        let fullest = self.fullest(&self.tables(&counted), &counted);
        match self.run.as_ref().and_then(|it| it.next_place(fullest)) {
            Some(place) => self.begin_step(now, place, &counted, out),
            None => self.finish_method(now, out),
        }
    }

    fn begin_step(
        &mut self,
        now: SessionTime,
        place: Place,
        counted: &[ParticipantId],
        out: &mut Vec<Output>,
    ) {
        let Some(run) = &self.run else { return };
        let Some(phase) = run.method.phases.get(usize::from(place.phase)) else { return };
        let tables = self.tables(counted);
        let asked = Asked {
            run,
            place,
            people: counted,
            rooms: &tables,
            met: &self.met,
            mixing: &self.mixing,
        };
        let assigned = assign::assign(&asked);
        let rooms = assigned.rooms.as_ref().unwrap_or(&tables);
        let roles = assign::roles(&asked, rooms);
        let cards = assign::deal(&asked);
        let length_ms = phase.length_ms(self.fullest(rooms, counted));
        let before: Vec<_> = self.rooms.people().collect();
        let went = assigned.rooms.is_some();
        let showed = self.shows_balance();
        let began = StepBegan {
            place,
            length_ms,
            rooms: assigned.rooms,
            ahead: assigned.ahead,
            roles,
            cards,
        };
        if went {
            before.iter().for_each(|(id, _)| self.voice(now, *id, (false, now), out));
        }
        let rounds = self.rounds(now);
        self.write_sheets_down(now, out);
        self.keep_and_forget_posts(now, Fact::StepBegan(began), out);
        if went || !showed {
            self.close_rounds(now, rounds, out);
        }
        if went {
            self.tell_new_rooms(now, &before, out);
        }
        self.give_floor(now, out);
        self.tell_step(now, None, out);
        self.tell_sheets(out);
        self.tell_harvest(None, out);
        self.tell_ideas_to_all(out);
    }

    /// The method is over: everybody is in the main room again.
    fn finish_method(&mut self, now: SessionTime, out: &mut Vec<Output>) {
        let before: Vec<_> = self.rooms.people().collect();
        before.iter().for_each(|(id, _)| self.voice(now, *id, (false, now), out));
        let rounds = self.rounds(now);
        self.tell_result(out);
        self.write_sheets_down(now, out);
        self.keep_and_forget_posts(now, Fact::MethodEnded, out);
        self.close_rounds(now, rounds, out);
        self.due.step = None;
        self.due.tally = None;
        self.tell_all(Message::Method(None), out);
        self.tell_new_rooms(now, &before, out);
    }

    /// Performs what a fact has changed of everybody's place.
    fn tell_new_rooms(
        &mut self,
        now: SessionTime,
        before: &[(ParticipantId, RoomId)],
        out: &mut Vec<Output>,
    ) {
        self.due.company.clear();
        let moved: BTreeMap<_, _> = before
            .iter()
            .filter_map(|(id, was)| Some((*id, self.rooms.room_of(*id)?)).filter(|it| it.1 != *was))
            .collect();
        for (participant, room) in &moved {
            out.push(Output::Place { participant: *participant, room: Some(*room) });
        }
        let views: BTreeMap<_, _> =
            self.rooms.all().map(|room| (room, self.room_view(room))).collect();
        for (participant, room) in self.rooms.people() {
            let is_moved = moved.contains_key(&participant);
            // In a big room nobody needs to be told at once that others have come.
            let small = self.rooms.people_in(room).count() <= ROOM_PEOPLE_MAX;
            let Some(connection) = self.connection_of(participant) else { continue };
            if is_moved && self.run.is_some() {
                out.push(Output::Send { connection, message: Message::Moved(MoveReason::Step) });
            }
            if let Some(view) = views.get(&room).filter(|_| is_moved || small) {
                out.push(Output::Send { connection, message: Message::Room(view.clone()) });
            }
        }
        self.due.overview.get_or_insert(now + OVERVIEW_EVERY_MS);
        if ROOM_PEOPLE_MAX < self.rooms.people_in(RoomId::Main).count() {
            self.due.big_rooms.entry(RoomId::Main).or_insert(now + BIG_ROOM_EVERY_MS);
        }
    }

    /// Who is counted on when groups are made: those here, and those just gone.
    fn counted(&self, now: SessionTime) -> Vec<ParticipantId> {
        let here = |id: &ParticipantId| match self.seats.get(id).map(|it| it.presence) {
            Some(Presence::Here(_)) => true,
            Some(Presence::Away { since }) => now.since_ms(since) <= COUNTED_AWAY_MS,
            None => false,
        };
        self.rooms.people().map(|(id, _)| id).filter(here).collect()
    }

    /// The breakout rooms in their order, with those of `people` who are in them.
    fn tables(&self, people: &[ParticipantId]) -> Grouping {
        let mut tables = vec![Vec::new(); self.rooms.all().count() - 1];
        for id in people {
            if let Some(RoomId::Breakout(number)) = self.rooms.room_of(*id)
                && let Some(table) = tables.get_mut(usize::from(number).saturating_sub(1))
            {
                table.push(*id);
            }
        }
        tables
    }

    fn fullest(&self, rooms: &Grouping, counted: &[ParticipantId]) -> usize {
        let fullest = rooms.iter().map(Vec::len).max().unwrap_or(0);
        if fullest == 0 { counted.len() } else { fullest }
    }

    fn everybody_is_ready(&self) -> bool {
        let Some(run) = &self.run else { return false };
        let asks = run.phase().is_some_and(|it| it.advance == Advance::Ready);
        let runs = matches!(run.clock(), Clock::Running { .. });
        if !asks || !runs || run.ready.is_empty() {
            return false;
        }
        let present = self.present();
        !present.is_empty() && present.iter().all(|it| run.ready.contains(it))
    }

    // Turns and the floor.

    fn has_turn(&self, participant: ParticipantId, room: RoomId) -> bool {
        self.run.as_ref().and_then(|it| it.turn_holder(room)) == Some(participant)
    }

    /// Takes the turn from those whose time is over or who are not here, and gives it to those who
    /// have not had it.
    fn pass_turns(&mut self, now: SessionTime, out: &mut Vec<Output>) {
        let Some(run) = &self.run else { return };
        for room in run.rooms_with_turns().collect::<Vec<_>>() {
            while self.turn_must_pass(now, room) {
                self.pass_turn(now, room, out);
            }
        }
    }

    fn turn_must_pass(&self, now: SessionTime, room: RoomId) -> bool {
        let Some(run) = &self.run else { return false };
        let mut here = self.seated_in(room).map(|(id, _)| id).peekable();
        if here.peek().is_none() || matches!(run.clock(), Clock::Paused { .. }) {
            return false;
        }
        match run.turn_holder(room) {
            Some(holder) => {
                run.turn_ends(room).is_some_and(|it| it <= now) || here.all(|it| it != holder)
            }
            // Somebody has come who has not had theirs.
            None => !run.is_closing(now) && here.any(|it| !run.has_had_turn(room, it)),
        }
    }

    fn pass_turn(&mut self, now: SessionTime, room: RoomId, out: &mut Vec<Output>) {
        let Some(run) = &self.run else { return };
        let holder = run.turn_holder(room);
        let waiting: Vec<_> = (self.seated_in(room).map(|(id, _)| id))
            .filter(|it| !run.has_had_turn(room, *it))
            .collect();
        let after = waiting.iter().find(|it| holder < Some(**it)).or(waiting.first()).copied();
        self.keep(now, Fact::TurnPassed { room, to: after }, out);
        if after.is_none() && self.turns_are_over(now) {
            self.set_clock(now, Clock::Running { ends: Some(now) }, out);
        } else {
            self.tell_step(now, Some(room), out);
        }
    }

    /// Whether nobody who is here has a turn to come: then the phase closes.
    fn turns_are_over(&self, now: SessionTime) -> bool {
        let Some(run) = &self.run else { return false };
        let waits = |room| run.turn_holder(room).is_some() && self.seated_in(room).next().is_some();
        let runs = matches!(run.clock(), Clock::Running { .. });
        runs && !run.is_closing(now) && !run.rooms_with_turns().any(waits)
    }

    /// Microphones follow the method: the shell lets through whom it gives the floor.
    fn give_floor(&mut self, now: SessionTime, out: &mut Vec<Output>) {
        let hushed: BTreeSet<_> = match &self.run {
            Some(run) => (self.rooms.people())
                .filter(|(id, room)| !run.may_speak(*id, *room))
                .map(|(id, _)| id)
                .collect(),
            None => BTreeSet::new(),
        };
        if hushed == self.hushed {
            return;
        }
        let before = std::mem::replace(&mut self.hushed, hushed);
        for participant in before.symmetric_difference(&self.hushed.clone()).copied() {
            let on = self.hushed.contains(&participant);
            if on {
                self.voice(now, participant, (false, now), out);
            }
            out.push(Output::Hush { participant, on });
        }
    }

    // Company.

    /// Whether people are in rooms in which nobody should be alone.
    fn wants_company(&self) -> bool {
        self.phase()
            .is_some_and(|it| !matches!(it.assign, Assign::Free | Assign::Plenary | Assign::Seats))
    }

    /// Notices who sits alone, and takes them to others when their time has come.
    fn keep_company(&mut self, now: SessionTime, out: &mut Vec<Output>) {
        if !self.wants_company() {
            self.due.company.clear();
            return;
        }
        for _ in 0..self.rooms.all().count() {
            self.notice_alone(now);
            let due = self.due.company.iter().find(|it| *it.1 <= now).map(|it| *it.0);
            let Some(room) = due else { return };
            self.due.company.remove(&room);
            self.bring_company(now, room, out);
        }
    }

    fn notice_alone(&mut self, now: SessionTime) {
        let mut there: BTreeMap<RoomId, (usize, usize)> = BTreeMap::new();
        for (id, room) in self.rooms.people().filter(|it| it.1 != RoomId::Main) {
            let (present, seats) = there.entry(room).or_default();
            *present += usize::from(self.connection_of(id).is_some());
            *seats += 1;
        }
        let others: usize = there.values().map(|it| it.0).sum();
        there.retain(|_, (present, _)| *present == 1 && 1 < others);
        self.due.company.retain(|room, _| there.contains_key(room));
        for (room, (_, seats)) in there {
            // Who has only lost the connection is waited for.
            let patience_ms = if seats == 1 { 0 } else { ALONE_MS };
            let at = self.due.company.entry(room).or_insert(now + patience_ms);
            *at = (*at).min(now + patience_ms);
        }
    }

    fn bring_company(&mut self, now: SessionTime, room: RoomId, out: &mut Vec<Output>) {
        let Some((alone, _)) = self.seated_in(room).next() else { return };
        let everybody: Vec<_> = self.rooms.people().map(|(id, _)| id).collect();
        let mut tables = self.tables(&everybody);
        for (index, table) in tables.iter_mut().enumerate() {
            let number = u16::try_from(index + 1).map(RoomId::Breakout);
            if number == Ok(room) || !table.iter().any(|it| self.connection_of(*it).is_some()) {
                table.clear();
            }
        }
        let found = assign::company(&tables, alone, &self.met, &self.mixing);
        let (who, to, why) = match found.and_then(|it| u16::try_from(it + 1).ok()) {
            Some(number) => (alone, RoomId::Breakout(number), MoveReason::Alone),
            // Every other room is full: somebody comes from the one where they are fewest met.
            None => {
                let comes = tables.iter().flatten().filter(|it| self.connection_of(**it).is_some());
                let Some(who) = comes.min_by_key(|it| (self.met.times(**it, alone), **it)) else {
                    return;
                };
                (*who, room, MoveReason::Company)
            }
        };
        // It has space, as `company` looked for it, or one person is in it.
        let _ = self.move_to(now, who, to, why, out);
    }

    /// Where somebody belongs who comes while groups are at work.
    pub(super) fn late_room(&self, participant: ParticipantId) -> Option<RoomId> {
        if !self.wants_company() {
            return None;
        }
        let everybody: Vec<_> = self.rooms.people().map(|(id, _)| id).collect();
        let tables = self.tables(&everybody);
        let found = assign::company(&tables, participant, &self.met, &self.mixing)?;
        Some(RoomId::Breakout(u16::try_from(found + 1).ok()?))
    }

    /// Somebody has come into a room: the role that is missing there, or the one that any number may
    /// have.
    pub(super) fn late_role(
        &mut self,
        now: SessionTime,
        participant: ParticipantId,
        room: RoomId,
        out: &mut Vec<Output>,
    ) {
        let Some(run) = self.run.as_ref().filter(|it| !it.method.roles.is_empty()) else { return };
        let taken: Vec<_> = (self.rooms.people_in(room).filter(|it| *it != participant))
            .filter_map(|it| run.role_of(it))
            .collect();
        let role = match room {
            RoomId::Main => None,
            RoomId::Breakout(_) => assign::late_role(&run.method, &taken),
        };
        if run.role_of(participant) != role {
            self.keep(now, Fact::RoleGiven { participant, role }, out);
        }
    }

    /// Somebody has gone from a room: a role that only they had goes to another.
    pub(super) fn fill_roles(&mut self, now: SessionTime, room: RoomId, out: &mut Vec<Output>) {
        let Some(run) = self.run.as_ref().filter(|it| !it.method.roles.is_empty()) else { return };
        let there: Vec<_> = self.rooms.people_in(room).collect();
        let counted = |role: Option<u16>| {
            let role = role.and_then(|it| run.method.roles.get(usize::from(it)));
            role.is_some_and(|it| it.count.is_some())
        };
        let taken: Vec<_> = there.iter().filter_map(|it| run.role_of(*it)).collect();
        let missing = assign::late_role(&run.method, &taken).filter(|it| counted(Some(*it)));
        let free = there.iter().find(|it| !counted(run.role_of(**it))).copied();
        if let (Some(role), Some(participant), RoomId::Breakout(_)) = (missing, free, room) {
            self.keep(now, Fact::RoleGiven { participant, role: Some(role) }, out);
            self.tell_step(now, Some(room), out);
        }
    }

    // Facts.

    /// The part of `apply` that is a method's.
    pub(super) fn apply_method(&mut self, at: SessionTime, fact: &Fact) {
        match fact {
            Fact::MethodBegan { method, options } => {
                let last = self.run.as_ref().map_or(self.last_sheet, Run::last_sheet);
                let run = Run::new(method.clone(), options.clone());
                self.run = Some(run.numbering_sheets_from(last));
            }
            Fact::StepBegan(began) => self.apply_step(at, began),
            Fact::MethodEnded => {
                self.last_sheet = self.run.take().map_or(self.last_sheet, |it| it.last_sheet());
                self.record.set_by_method(true, at);
                self.put_all(at, &Vec::new());
            }
            _ => (),
        }
        let Some(run) = &mut self.run else { return };
        match fact {
            Fact::ClockSet { clock } => run.set_clock(at, *clock),
            Fact::TurnPassed { room, to } => run.pass_turn(at, *room, *to),
            Fact::Seated { participant, on } => run.seat(*participant, *on),
            Fact::RoleGiven { participant, role } => run.give_role(*participant, *role),
            Fact::Wrote { participant, room, text, parts } => {
                run.write(*participant, *room, (text, parts));
            }
            Fact::Typed { participant, room, update } => {
                run.change_sheet(*participant, *room, update);
            }
            Fact::Scored { participant, card, score } => run.score(*participant, *card, *score),
            _ => (),
        }
    }

    fn apply_step(&mut self, at: SessionTime, began: &StepBegan) {
        if let Some(rooms) = &began.rooms {
            self.put_all(at, rooms);
            rooms.iter().for_each(|it| self.met.met_all(it));
        }
        let mut people: BTreeMap<RoomId, Vec<ParticipantId>> = BTreeMap::new();
        for (id, room) in self.rooms.people() {
            people.entry(room).or_default().push(id);
        }
        if let Some(run) = &mut self.run {
            run.begin(at, began, &people);
            let writes = run.phase().is_none_or(|it: &Phase| it.transcribe);
            self.record.set_by_method(writes, at);
        }
    }

    /// See [`regroup`].
    fn put_all(&mut self, at: SessionTime, rooms: &Grouping) {
        self.rooms.open(u16::try_from(rooms.len()).unwrap_or(u16::MAX));
        self.record.regrouped(at);
        let mut places: BTreeMap<ParticipantId, RoomId> = self.rooms.people().collect();
        regroup(&mut places, rooms);
        for (id, room) in places {
            if self.rooms.room_of(id) != Some(room) {
                self.rooms.put(id, Some(room), at);
            }
        }
    }
}
