//! The chain from one person's ideas to all, as a session lives it: whose wish comes to what, and who is
//! told which ideas, with whose names. What is allowed, and where ideas come from, `domain/ideas` knows.

use crate::domain::{
    consent::Consent,
    fact::Fact,
    ideas::{Change, Command, IdeaId, IdeasView, Stage, Tally},
    ids::{ConnectionId, ParticipantId, RoomId},
    limits::STEP_EVERY_MS,
    message::Message,
    rejection::Rejection,
    session::{Output, Session},
    talk::is_invisible,
    time::SessionTime,
};

impl Session {
    pub(super) fn change_ideas(
        &mut self,
        now: SessionTime,
        participant: ParticipantId,
        command: Command,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        let room = self.rooms.room_of(participant).ok_or(Rejection::NotNow)?;
        let next = IdeaId(self.last_idea.0.saturating_add(1));
        let run = self.run.as_mut().ok_or(Rejection::NotNow)?;
        if !run.may_act(participant) {
            return Err(Rejection::NotNow);
        }
        let phase = run.phase().ok_or(Rejection::NotNow)?;
        let change = run.ideas().ask((participant, room), phase, next, shown(command))?;
        let stage = Stage::of(phase);
        let is_struck = matches!(change, Change::Struck { .. });
        self.keep(now, Fact::Ideas(change), out);
        if is_struck {
            // It may be before anybody, and in what any idea came from.
            self.tell_ideas_to_all(out);
            return Ok(());
        }
        match stage {
            Some(Stage::Room) => self.tell_ideas_in(room, out),
            Some(Stage::Vote) => {
                self.due.tally.get_or_insert(now + STEP_EVERY_MS);
                self.tell_own_votes(participant, out);
            }
            _ => self.tell_ideas(participant, out),
        }
        Ok(())
    }

    /// A facilitator puts an idea with others.
    pub(super) fn group_idea(
        &mut self,
        now: SessionTime,
        idea: IdeaId,
        group: Option<String>,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        let (run, phase) = self.run.as_ref().zip(self.phase()).ok_or(Rejection::NotNow)?;
        let change = run.ideas().ask_group(phase, idea, group.map(clean))?;
        self.keep(now, Fact::Ideas(change), out);
        self.tell_ideas_to_all(out);
        Ok(())
    }

    fn tell_own_votes(&self, participant: ParticipantId, out: &mut Vec<Output>) {
        if let Some((connection, run)) = self.connection_of(participant).zip(self.run.as_ref()) {
            let message = Message::OwnVotes(run.ideas().votes_of(participant));
            out.push(Output::Send { connection, message });
        }
    }

    /// How the vote stands, to who may know.
    pub(super) fn tell_tally(&mut self, out: &mut Vec<Output>) {
        self.due.tally = None;
        let Some((run, phase)) = self.run.as_ref().zip(self.phase()) else { return };
        let Some(vote) = &phase.vote else { return };
        let tally: Tally = run.ideas().tally();
        let all = self.connections.keys().filter(|_| !vote.hidden).copied();
        let some = self.facilitators().filter(|_| vote.hidden);
        out.extend(
            all.chain(some).map(|connection| Output::Send {
                connection,
                message: Message::Tally(tally.clone()),
            }),
        );
    }

    /// A step has begun: everybody is shown what lies before them now.
    pub(super) fn tell_ideas_to_all(&mut self, out: &mut Vec<Output>) {
        self.due.tally = None;
        for (participant, _) in self.rooms.people() {
            self.tell_ideas(participant, out);
        }
        for connection in self.facilitators() {
            let before = out.len();
            self.tell_ideas_to_facilitator(connection, out);
            let had = self.run.as_ref().is_some_and(|it| !it.ideas().is_empty());
            if out.len() == before && had {
                // What they saw of the step before is over.
                let (stage, ideas, own_votes) = (Stage::Result, Vec::new(), Vec::new());
                let message = self.ideas_message(IdeasView { stage, ideas, own_votes });
                out.push(Output::Send { connection, message });
            }
        }
    }

    /// The method ends while its vote is on: how it went is not kept from anybody.
    pub(super) fn tell_result(&self, out: &mut Vec<Output>) {
        let Some((run, phase)) = self.run.as_ref().zip(self.phase()) else { return };
        if Stage::of(phase) != Some(Stage::Vote) {
            return;
        }
        for connection in self.connections.keys().copied() {
            let ideas = run.ideas().result(self.participant_at(connection));
            let view = IdeasView { stage: Stage::Result, ideas, own_votes: Vec::new() };
            out.push(Output::Send { connection, message: self.ideas_message(view) });
        }
    }

    fn participant_at(&self, connection: ConnectionId) -> Option<ParticipantId> {
        match self.connections.get(&connection)? {
            super::Role::Participant(participant) => Some(*participant),
            super::Role::Facilitator => None,
        }
    }

    /// Somebody has come into a room, perhaps with ideas of their own.
    pub(super) fn tell_ideas_brought(
        &self,
        participant: ParticipantId,
        room: RoomId,
        out: &mut Vec<Output>,
    ) {
        match self.phase().and_then(Stage::of) {
            Some(Stage::Room) => self.tell_ideas_in(room, out),
            _ => self.tell_ideas(participant, out),
        }
    }

    fn tell_ideas_in(&self, room: RoomId, out: &mut Vec<Output>) {
        for (participant, _) in self.seated_in(room) {
            self.tell_ideas(participant, out);
        }
    }

    pub(super) fn tell_ideas(&self, participant: ParticipantId, out: &mut Vec<Output>) {
        let Some(connection) = self.connection_of(participant) else { return };
        let Some(room) = self.rooms.room_of(participant) else { return };
        self.tell_view(connection, Some(participant), room, out);
    }

    pub(super) fn tell_ideas_to_facilitator(
        &self,
        connection: ConnectionId,
        out: &mut Vec<Output>,
    ) {
        self.tell_view(connection, None, RoomId::Main, out);
    }

    fn tell_view(
        &self,
        connection: ConnectionId,
        who: Option<ParticipantId>,
        room: RoomId,
        out: &mut Vec<Output>,
    ) {
        let Some((run, phase)) = self.run.as_ref().zip(self.phase()) else { return };
        if let Some(view) = run.ideas().view(phase, who, room) {
            out.push(Output::Send { connection, message: self.ideas_message(view) });
        }
    }

    /// Who has not agreed that their words are kept is named in nothing that stays.
    fn ideas_message(&self, mut view: IdeasView) -> Message {
        let named =
            |it: &ParticipantId| self.seats.get(it).is_some_and(|seat| seat.consent == Consent::On);
        let mut people = std::collections::BTreeSet::new();
        for idea in &mut view.ideas {
            let sources = idea.from.iter_mut().map(|it| &mut it.by);
            for by in std::iter::once(&mut idea.by).chain(sources) {
                *by = by.filter(named);
                people.extend(*by);
            }
        }
        let name = |it: ParticipantId| Some((it, self.seats.get(&it)?.name.clone()));
        Message::Ideas { view, names: people.into_iter().filter_map(name).collect() }
    }
}

fn clean(text: String) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").chars().filter(|it| !is_invisible(*it)).collect()
}

/// A text on one line, with nothing in it that cannot be seen.
fn shown(command: Command) -> Command {
    match command {
        Command::Write { idea, text } => Command::Write { idea, text: clean(text) },
        Command::Combine { ideas, text } => Command::Combine { ideas, text: clean(text) },
        other => other,
    }
}
