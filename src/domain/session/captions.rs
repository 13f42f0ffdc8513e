//! Words that come and go: partial ones, which stand until final ones replace them or nobody may read
//! them any more, and facilitators who read along in a room. It keeps nothing: no partial is a fact.

use std::collections::BTreeMap;

use crate::domain::{
    consent::Consent,
    ids::{ConnectionId, ParticipantId, RoomId},
    language::Language,
    limits::SEGMENT_CHARS_MAX,
    message::{Caption, Message},
    rejection::Rejection,
    session::{Output, Session},
    time::{SessionTime, Span},
};

/// What of captions a session has now.
#[derive(Debug, Default)]
pub(super) struct Captions {
    /// The partial of each person that their room sees, and when it was said.
    partials: BTreeMap<ParticipantId, (RoomId, Span)>,
    /// Which room each facilitator's page reads along in, and since when.
    follows: BTreeMap<ConnectionId, (RoomId, SessionTime)>,
}

impl Captions {
    /// Whether a facilitator reads along in the room.
    pub fn is_followed(&self, room: RoomId) -> bool {
        self.follows.values().any(|it| it.0 == room)
    }
}

impl Session {
    /// Words of what somebody is still saying; without text they are to go.
    pub(super) fn partial(
        &mut self,
        participant: ParticipantId,
        span: Span,
        (language, text): (Language, String),
        out: &mut Vec<Output>,
    ) {
        let text: String = text.trim().chars().take(SEGMENT_CHARS_MAX).collect();
        if text.is_empty() {
            return self.withdraw(participant, out);
        }
        if let Some(room) = self.may_stand(participant, span) {
            self.captions.partials.insert(participant, (room, span));
            let name = self.seats.get(&participant).map(|it| it.name.clone()).unwrap_or_default();
            let caption = Caption { participant, name, span, language, text };
            self.tell_words(room, span, Message::Partial(caption), out);
        }
    }

    /// The person's final words of that time are told now, in place of their partial; one of what they
    /// have begun since stays.
    pub(super) fn partial_is_over(&mut self, participant: ParticipantId, said: Span) {
        let partials = &mut self.captions.partials;
        if partials.get(&participant).is_some_and(|(_, span)| span.start < said.end) {
            partials.remove(&participant);
        }
    }

    /// Takes the person's partial off the pages.
    pub(super) fn withdraw(&mut self, participant: ParticipantId, out: &mut Vec<Output>) {
        let Some((room, span)) = self.captions.partials.remove(&participant) else { return };
        let name = self.seats.get(&participant).map(|it| it.name.clone()).unwrap_or_default();
        let caption =
            Caption { participant, name, span, language: self.language, text: String::new() };
        // To everybody who may have it: who came since has nothing to lose.
        let readers = self.connections_in(room).chain(self.followers(room)).collect::<Vec<_>>();
        out.extend(readers.into_iter().map(|connection| Output::Send {
            connection,
            message: Message::Partial(caption.clone()),
        }));
    }

    /// Words belong to those who were there when they were said, and still are; and to facilitators
    /// who read along, from when the room was told so.
    pub(super) fn tell_words(
        &self,
        room: RoomId,
        span: Span,
        message: Message,
        out: &mut Vec<Output>,
    ) {
        let there = self
            .seated_in(room)
            .filter(|(id, _)| self.rooms.room_at(*id, span.end) == Some(room))
            .map(|(_, connection)| connection);
        let since =
            |it: &(&ConnectionId, &(RoomId, SessionTime))| it.1.0 == room && it.1.1 <= span.start;
        let along = self.captions.follows.iter().filter(since).map(|it| *it.0);
        let readers: Vec<_> = there.chain(along).collect();
        out.extend(
            readers
                .into_iter()
                .map(|connection| Output::Send { connection, message: message.clone() }),
        );
    }

    /// A facilitator's page reads along in a room, or in none.
    pub(super) fn follow(
        &mut self,
        now: SessionTime,
        connection: ConnectionId,
        room: Option<RoomId>,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        if let Some(room) = room {
            if !self.rooms.is_open(room) {
                return Err(Rejection::UnknownRoom);
            }
            // Off the record there is nothing to read, and nobody is to think that there were.
            if !self.record.is_on(room) {
                return Err(Rejection::NotNow);
            }
        }
        let before = self.captions.follows.get(&connection).map(|it| it.0);
        if before == room {
            return Ok(());
        }
        match room {
            Some(room) => self.captions.follows.insert(connection, (room, now)),
            None => self.captions.follows.remove(&connection),
        };
        // The room knows before anything is read.
        for it in before.into_iter().chain(room) {
            self.room_changed(now, it, None, out);
        }
        out.push(Output::Send { connection, message: Message::Following(room) });
        Ok(())
    }

    /// Takes back what may not stand any more: partials of who has withdrawn, moved or left, or that
    /// were said before the method went off the record; and reading along where there is nothing to
    /// read. After every input, whatever it was.
    pub(super) fn settle_captions(&mut self, now: SessionTime, out: &mut Vec<Output>) {
        let stale: Vec<_> = (self.captions.partials.iter())
            .filter(|(id, (room, span))| self.may_stand(**id, *span) != Some(*room))
            .map(|(id, _)| *id)
            .collect();
        for participant in stale {
            self.withdraw(participant, out);
        }
        let over: Vec<_> = (self.captions.follows.iter())
            .filter(|(connection, (room, _))| {
                let lives = self.connections.contains_key(connection);
                !(lives && self.record.is_on(*room) && self.rooms.is_open(*room))
            })
            .map(|(connection, (room, _))| (*connection, *room))
            .collect();
        for (connection, room) in over {
            self.captions.follows.remove(&connection);
            if self.connections.contains_key(&connection) {
                out.push(Output::Send { connection, message: Message::Following(None) });
            }
            if !self.ended {
                self.room_changed(now, room, None, out);
            }
        }
    }

    /// The room that may see a partial of what was said then.
    fn may_stand(&self, participant: ParticipantId, span: Span) -> Option<RoomId> {
        let agreed = self.seats.get(&participant).is_some_and(|it| it.consent == Consent::On);
        let room = self.on_record_at(participant, span)?;
        let there = self.rooms.room_of(participant) == Some(room);
        (agreed && there && self.record.is_on(room)).then_some(room)
    }

    fn followers(&self, room: RoomId) -> impl Iterator<Item = ConnectionId> + '_ {
        self.captions.follows.iter().filter(move |it| it.1.0 == room).map(|it| *it.0)
    }
}
