//! What pages are told: rooms, balances, the overview, and where a method stands. It decides nothing
//! that lasts.

use crate::domain::{
    ids::{ConnectionId, ParticipantId, RoomId},
    limits::{BIG_ROOM_EVERY_MS, OVERVIEW_EVERY_MS, ROOM_PEOPLE_MAX},
    message::{
        CallView, Message, MethodView, MoveReason, Overview, PersonView, RoomView, RunView,
        StepView, WaitingView,
    },
    method::{Assign, Phase},
    session::{Output, Presence, Role, Session},
    talk::Call,
    time::SessionTime,
};

impl Session {
    /// Tells those it concerns that a room has changed: `except` knows already.
    pub(super) fn room_changed(
        &mut self,
        now: SessionTime,
        room: RoomId,
        except: Option<ConnectionId>,
        out: &mut Vec<Output>,
    ) {
        self.due.overview.get_or_insert(now + OVERVIEW_EVERY_MS);
        self.note_presence(now, room);
        if self.rooms.people_in(room).count() <= ROOM_PEOPLE_MAX {
            self.tell_room(room, except, out);
        } else {
            self.due.big_rooms.entry(room).or_insert(now + BIG_ROOM_EVERY_MS);
        }
    }

    pub(super) fn tell_room(
        &self,
        room: RoomId,
        except: Option<ConnectionId>,
        out: &mut Vec<Output>,
    ) {
        let view = self.room_view(room);
        let listeners = self.connections_in(room).filter(|it| Some(*it) != except);
        out.extend(
            listeners.map(|connection| Output::Send {
                connection,
                message: Message::Room(view.clone()),
            }),
        );
    }

    pub(super) fn connections_in(&self, room: RoomId) -> impl Iterator<Item = ConnectionId> + '_ {
        self.seated_in(room).map(|(_, connection)| connection)
    }

    pub(super) fn seated_in(
        &self,
        room: RoomId,
    ) -> impl Iterator<Item = (ParticipantId, ConnectionId)> + '_ {
        self.rooms.people_in(room).filter_map(|id| Some((id, self.connection_of(id)?)))
    }

    pub(super) fn connection_of(&self, participant: ParticipantId) -> Option<ConnectionId> {
        match self.seats.get(&participant)?.presence {
            Presence::Here(connection) => Some(connection),
            Presence::Away { .. } => None,
        }
    }

    pub(super) fn facilitators(&self) -> impl Iterator<Item = ConnectionId> + '_ {
        let leads = |it: &(&ConnectionId, &Role)| *it.1 == Role::Facilitator;
        self.connections.iter().filter(leads).map(|(connection, _)| *connection)
    }

    /// Everybody, everywhere, as facilitators see it.
    pub fn overview(&self, now: SessionTime) -> Overview {
        Overview {
            title: self.title.clone(),
            language: self.language,
            rooms: self.rooms.all().map(|it| self.room_view(it)).collect(),
            transcribes: self.record.host_wants(),
            run: self.run_view(now),
            pinned: self.mixing.pinned.keys().copied().collect(),
            kept: self.mixing.kept().collect(),
            calls: self.talk.calls().iter().map(|it| waiting(it, now)).collect(),
            glossary: self.glossary.clone(),
        }
    }

    pub(super) fn room_view(&self, room: RoomId) -> RoomView {
        let people = self.rooms.people_in(room).filter_map(|participant| {
            let seat = self.seats.get(&participant)?;
            let present = matches!(seat.presence, Presence::Here(_));
            Some(PersonView {
                participant,
                name: seat.name.clone(),
                language: seat.spoken.language(),
                by_ear: seat.spoken.is_by_ear(),
                consent: seat.consent,
                microphone: seat.microphone,
                camera: seat.camera,
                present,
            })
        });
        RoomView {
            room,
            people: people.collect(),
            writing: self.record.writing(room),
            hands: self.talk.hands_in(room).collect(),
            sharing: self.talk.sharer_in(room),
            calls: self
                .talk
                .calls_in(room)
                .map(|it| CallView { by: it.by, seen: it.seen })
                .collect(),
            followed: self.captions.is_followed(room),
        }
    }

    /// The method that runs, as pages show it.
    pub(super) fn method_view(&self) -> Option<MethodView> {
        self.run.as_ref().map(|run| MethodView {
            method: run.method.clone(),
            question: run.options.question.clone(),
            warn_ms: run.options.warn_ms,
        })
    }

    pub(super) fn run_view(&self, now: SessionTime) -> Option<RunView> {
        let run = self.run.as_ref()?;
        let present = self.present();
        let ready = present.iter().filter(|it| run.ready.contains(it)).count();
        Some(RunView {
            place: run.place()?,
            clock: run.clock_view(now),
            ready: u32::try_from(ready).unwrap_or(u32::MAX),
            ready_of: u32::try_from(present.len()).unwrap_or(u32::MAX),
        })
    }

    fn step_view(
        &self,
        view: &RunView,
        participant: ParticipantId,
        now: SessionTime,
    ) -> Option<StepView> {
        let run = self.run.as_ref()?;
        let room = self.rooms.room_of(participant)?;
        Some(StepView {
            run: view.clone(),
            role: run.role_of(participant),
            may_speak: run.may_speak(participant, room),
            own_ready: run.ready.contains(&participant),
            turn: run.turn_view(room, now),
            seated: run.seated().to_vec(),
            topic: run.topic_of(room).cloned(),
            topics: run.topics().to_vec(),
            people: self.people_of_free_rooms(),
            card: run.card_text(participant).cloned(),
            own_score: run.own_score(participant),
            written: run.written(participant),
        })
    }

    fn people_of_free_rooms(&self) -> Vec<u32> {
        if self.phase().is_none_or(|it| it.assign != Assign::Free) {
            return Vec::new();
        }
        let mut people = vec![0; self.rooms.all().count() - 1];
        for (_, room) in self.rooms.people() {
            if let RoomId::Breakout(number) = room
                && let Some(there) = people.get_mut(usize::from(number).saturating_sub(1))
            {
                *there += 1;
            }
        }
        people
    }

    /// Tells people where the method stands: everybody, or those of one room.
    pub(super) fn tell_step(
        &mut self,
        now: SessionTime,
        of: Option<RoomId>,
        out: &mut Vec<Output>,
    ) {
        let Some(view) = self.run_view(now) else { return };
        if of.is_none() {
            self.due.step = None;
        }
        self.due.overview.get_or_insert(now + OVERVIEW_EVERY_MS);
        for (participant, room) in self.rooms.people() {
            if of.is_none_or(|it| it == room)
                && let Some(connection) = self.connection_of(participant)
                && let Some(step) = self.step_view(&view, participant, now)
            {
                out.push(Output::Send { connection, message: Message::Step(step) });
            }
        }
    }

    pub(super) fn tell_own_step(
        &self,
        now: SessionTime,
        participant: ParticipantId,
        out: &mut Vec<Output>,
    ) {
        let step = self.run_view(now).and_then(|it| self.step_view(&it, participant, now));
        if let Some((connection, step)) = self.connection_of(participant).zip(step) {
            out.push(Output::Send { connection, message: Message::Step(step) });
        }
    }

    pub(super) fn tell_all(&self, message: Message, out: &mut Vec<Output>) {
        let connections = self.connections.keys();
        out.extend(
            connections.map(|connection| Output::Send {
                connection: *connection,
                message: message.clone(),
            }),
        );
    }

    /// To whom the method shows what rooms and cards bring: to all, when they are together.
    pub(super) fn tell_harvest(&self, to: Option<ConnectionId>, out: &mut Vec<Output>) {
        let Some(run) = &self.run else { return };
        if run.phase().is_none_or(|it| it.assign != Assign::Plenary) {
            return;
        }
        let harvest = run.harvest();
        if harvest.lines.is_empty() && harvest.ranking.is_empty() {
            return;
        }
        let all = || self.connections.keys().copied().collect();
        for connection in to.map_or_else(all, |it| vec![it]) {
            let message = Message::Harvest(harvest.clone());
            out.push(Output::Send { connection, message });
        }
    }

    /// Somebody has been taken to another room: why, where, and what the method wants there.
    pub(super) fn tell_moved(
        &self,
        now: SessionTime,
        participant: ParticipantId,
        reason: MoveReason,
        out: &mut Vec<Output>,
    ) {
        let Some(connection) = self.connection_of(participant) else { return };
        let Some(room) = self.rooms.room_of(participant) else { return };
        if self.run.is_some() {
            out.push(Output::Send { connection, message: Message::Moved(reason) });
        }
        let message = Message::Room(self.room_view(room));
        out.push(Output::Send { connection, message });
        self.tell_posts(connection, room, out);
        self.tell_own_step(now, participant, out);
        self.tell_sheet(participant, false, out);
        self.tell_ideas_brought(participant, room, out);
    }

    /// Everything about the method to somebody who comes while it runs.
    pub(super) fn welcome_to_method(
        &self,
        now: SessionTime,
        participant: ParticipantId,
        connection: ConnectionId,
        late: bool,
        out: &mut Vec<Output>,
    ) {
        let Some(method) = self.method_view() else { return };
        let mut send = |message| out.push(Output::Send { connection, message });
        if late {
            send(Message::Moved(MoveReason::Late));
        }
        send(Message::Method(Some(method)));
        let step = self.run_view(now).and_then(|it| self.step_view(&it, participant, now));
        step.into_iter().for_each(|it| send(Message::Step(it)));
        self.tell_sheet(participant, false, out);
        self.tell_harvest(Some(connection), out);
        match self.rooms.room_of(participant).filter(|_| late) {
            Some(room) => self.tell_ideas_brought(participant, room, out),
            None => self.tell_ideas(participant, out),
        }
    }

    pub(super) fn phase(&self) -> Option<&Phase> {
        self.run.as_ref()?.phase()
    }

    /// Everybody with a live connection and a place, in the order of their numbers.
    pub(super) fn present(&self) -> Vec<ParticipantId> {
        let here = |id: &ParticipantId| self.connection_of(*id).is_some();
        self.rooms.people().map(|(id, _)| id).filter(here).collect()
    }
}

fn waiting(call: &Call, now: SessionTime) -> WaitingView {
    let waited_ms = now.since_ms(call.since);
    WaitingView { by: call.by, room: call.room, waited_ms, seen: call.seen }
}
