//! Who comes, goes, comes back and is moved: seats, the connections that fill them, and how somebody
//! takes part. It opens rooms, and does not decide who belongs together.

use std::collections::BTreeMap;

use super::{Output, Presence, Role, Seat, Session, answer};
use crate::domain::{
    fact::{Consent, Fact},
    ids::{ConnectionId, ParticipantId, RoomId},
    limits::{
        BREAKOUT_ROOMS_MAX, NAME_CHARS_MAX, SEAT_GRACE_MS, SESSION_PEOPLE_MAX, SESSION_SEATS_MAX,
        TAG_CHARS_MAX, TAGS_MAX, WATCHERS_MAX,
    },
    message::{Message, MoveReason},
    rejection::Rejection,
    spoken::Spoken,
    talk::is_invisible,
    time::SessionTime,
};

/// Who comes, as they say.
pub(super) struct Person {
    pub(super) name: String,
    pub(super) spoken: Spoken,
    pub(super) consent: Consent,
    pub(super) tags: BTreeMap<String, String>,
}

impl Session {
    pub(super) fn join(
        &mut self,
        now: SessionTime,
        connection: ConnectionId,
        seat: Option<ParticipantId>,
        Person { name, spoken, consent, tags }: Person,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        if self.ended {
            return Err(Rejection::SessionEnded);
        }
        if self.connections.contains_key(&connection) {
            return Err(Rejection::NotAllowed);
        }
        let name = clean_name(&name).ok_or(Rejection::BadName)?;
        let tags = clean_tags(tags);
        let known = seat.filter(|it| self.seats.contains_key(it));
        let placed = known.and_then(|it| self.rooms.room_of(it));
        if placed.is_none() {
            self.check_space_for_one_more(known.is_none())?;
        }
        let participant = known.unwrap_or_else(|| self.next_participant());
        if let Some(old) = self.vacate(now, participant, out) {
            answer(old, Err(Rejection::Replaced), out);
        }
        let known_tags = self.mixing.tags.get(&participant).cloned().unwrap_or_default();
        // Who is heard by ear has been heard already.
        let known_spoken = self.seats.get(&participant).map(|it| it.spoken);
        let spoken = known_spoken.map_or(spoken, |it| spoken.heard_as(it.language()));
        let language = spoken.language();
        let same = self.seats.get(&participant).is_some_and(|it| {
            (&it.name, it.spoken.language(), it.consent) == (&name, language, consent)
                && tags == known_tags
        });
        if !same {
            self.keep(now, Fact::Joined { participant, name, language, consent, tags }, out);
        }
        self.set_language(now, participant, spoken, out);
        // Groups at work take everybody in; the main room would be lonely.
        let late = placed.is_none_or(|it| it == RoomId::Main).then(|| self.late_room(participant));
        let late = late.flatten();
        let room = late.or(placed).unwrap_or(RoomId::Main);
        if placed != Some(room) {
            self.keep(now, Fact::Placed { participant, room: Some(room) }, out);
            self.late_role(now, participant, room, out);
        }
        if let Some(seat) = self.seats.get_mut(&participant) {
            seat.presence = Presence::Here(connection);
        }
        self.connections.insert(connection, Role::Participant(participant));
        out.push(Output::Place { participant, room: Some(room) });
        let message = Message::Welcome {
            you: participant,
            title: self.title.clone(),
            language: self.language,
            room: self.room_view(room),
        };
        out.push(Output::Send { connection, message });
        self.tell_posts(connection, room, out);
        self.welcome_to_method(now, participant, connection, late.is_some(), out);
        self.room_changed(now, room, Some(connection), out);
        Ok(())
    }

    pub(super) fn set_language(
        &mut self,
        now: SessionTime,
        participant: ParticipantId,
        spoken: Spoken,
        out: &mut Vec<Output>,
    ) {
        let Some(known) = self.seats.get(&participant).map(|it| it.spoken) else { return };
        // What has been found by ear is not forgotten because somebody leaves it to the ear again.
        let again = known.is_by_ear() && spoken.is_by_ear();
        if known != spoken && !again {
            self.keep(now, Fact::LanguageSet { participant, spoken }, out);
        }
    }

    fn check_space_for_one_more(&self, new_seat: bool) -> Result<(), Rejection> {
        let crowded = SESSION_PEOPLE_MAX <= self.rooms.people().count();
        let full = crowded || (new_seat && SESSION_SEATS_MAX <= self.seats.len());
        if full { Err(Rejection::SessionFull) } else { Ok(()) }
    }

    fn next_participant(&self) -> ParticipantId {
        ParticipantId(self.seats.keys().last().map_or(1, |it| it.0 + 1))
    }

    pub(super) fn watch(
        &mut self,
        now: SessionTime,
        connection: ConnectionId,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        if self.ended {
            return Err(Rejection::SessionEnded);
        }
        if self.connections.contains_key(&connection) {
            return Err(Rejection::NotAllowed);
        }
        if WATCHERS_MAX <= self.facilitators().count() {
            return Err(Rejection::SessionFull);
        }
        self.connections.insert(connection, Role::Facilitator);
        if let Some(method) = self.method_view() {
            out.push(Output::Send { connection, message: Message::Method(Some(method)) });
        }
        out.push(Output::Send { connection, message: Message::Overview(self.overview(now)) });
        self.tell_harvest(Some(connection), out);
        self.tell_ideas_to_facilitator(connection, out);
        Ok(())
    }

    pub(super) fn disconnect(
        &mut self,
        now: SessionTime,
        connection: ConnectionId,
        out: &mut Vec<Output>,
    ) {
        let Some(Role::Participant(participant)) = self.connections.remove(&connection) else {
            return;
        };
        self.vacate(now, participant, out);
        if let Some(room) = self.rooms.room_of(participant) {
            self.room_changed(now, room, None, out);
        }
    }

    /// Takes the person's connection, which is returned, from their seat. It brought its microphone
    /// and camera along; with it they go.
    pub(super) fn vacate(
        &mut self,
        now: SessionTime,
        participant: ParticipantId,
        out: &mut Vec<Output>,
    ) -> Option<ConnectionId> {
        let seat = self.seats.get_mut(&participant)?;
        let Presence::Here(connection) = seat.presence else { return None };
        seat.presence = Presence::Away { since: now };
        seat.microphone = false;
        seat.camera = false;
        self.connections.remove(&connection);
        self.voice(now, participant, (false, now), out);
        Some(connection)
    }

    pub(super) fn set_consent(
        &mut self,
        now: SessionTime,
        participant: ParticipantId,
        consent: Consent,
        out: &mut Vec<Output>,
    ) {
        if self.seats.get(&participant).is_none_or(|it| it.consent == consent) {
            return;
        }
        self.keep(now, Fact::ConsentSet { participant, consent }, out);
        self.change_seat(now, participant, out, |_| ());
    }

    pub(super) fn change_seat(
        &mut self,
        now: SessionTime,
        participant: ParticipantId,
        out: &mut Vec<Output>,
        change: impl FnOnce(&mut Seat),
    ) {
        if let Some(seat) = self.seats.get_mut(&participant) {
            change(seat);
        }
        if let Some(room) = self.rooms.room_of(participant) {
            self.room_changed(now, room, None, out);
        }
    }

    pub(super) fn leave(
        &mut self,
        now: SessionTime,
        participant: ParticipantId,
        out: &mut Vec<Output>,
    ) {
        let Some(room) = self.rooms.room_of(participant) else { return };
        self.vacate(now, participant, out);
        self.voice(now, participant, (false, now), out);
        self.keep(now, Fact::Placed { participant, room: None }, out);
        self.totals.remove(&participant);
        self.hushed.remove(&participant);
        self.heard.remove(&participant);
        out.push(Output::Place { participant, room: None });
        self.fill_roles(now, room, out);
        self.room_changed(now, room, None, out);
    }

    pub(super) fn open_rooms(
        &mut self,
        now: SessionTime,
        count: u16,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        if BREAKOUT_ROOMS_MAX < count {
            return Err(Rejection::BadRoomCount);
        }
        let rounds = self.rounds(now);
        self.keep(now, Fact::RoomsOpened { count }, out);
        let closed: Vec<_> =
            self.rooms.people().filter(|(_, room)| !self.rooms.is_open(*room)).collect();
        for (participant, _) in closed {
            self.move_to(now, participant, RoomId::Main, MoveReason::Host, out)?;
        }
        self.close_rounds(now, rounds, out);
        self.due.overview = Some(now);
        self.tick(now, out);
        Ok(())
    }

    pub(super) fn move_to(
        &mut self,
        now: SessionTime,
        participant: ParticipantId,
        room: RoomId,
        reason: MoveReason,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        let from = self.rooms.room_of(participant).ok_or(Rejection::UnknownParticipant)?;
        if !self.rooms.is_open(room) {
            return Err(Rejection::UnknownRoom);
        }
        if from == room {
            return Ok(());
        }
        if !self.rooms.has_space(room) {
            return Err(Rejection::RoomFull);
        }
        self.voice(now, participant, (false, now), out);
        self.keep(now, Fact::Placed { participant, room: Some(room) }, out);
        self.late_role(now, participant, room, out);
        out.push(Output::Place { participant, room: Some(room) });
        let connection = self.connection_of(participant);
        // However big the room: whoever is moved sees at once where they are.
        self.tell_moved(now, participant, reason, out);
        self.fill_roles(now, from, out);
        self.room_changed(now, from, None, out);
        self.room_changed(now, room, connection, out);
        Ok(())
    }

    pub(super) fn grace_end(&self, participant: ParticipantId) -> Option<SessionTime> {
        match self.seats.get(&participant)?.presence {
            Presence::Away { since } => Some(since + SEAT_GRACE_MS),
            Presence::Here(_) => None,
        }
    }

    pub(super) fn all_away(&mut self, now: SessionTime) {
        for seat in self.seats.values_mut() {
            seat.presence = Presence::Away { since: now };
        }
    }
}

/// The name as it will be shown: white space made single, nothing invisible. `None`: not a name.
fn clean_name(name: &str) -> Option<String> {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let chars = name.chars().count();
    ((1..=NAME_CHARS_MAX).contains(&chars) && !name.contains(is_invisible)).then_some(name)
}

/// Short ones with something in them; the rest is no reason to send anybody away.
fn clean_tags(tags: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let clean = |it: &str| it.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let good = |it: &String| (1..=TAG_CHARS_MAX).contains(&it.chars().count());
    tags.iter()
        .map(|(kind, value)| (clean(kind), clean(value)))
        .filter(|(kind, value)| good(kind) && good(value) && !value.contains(is_invisible))
        .take(TAGS_MAX)
        .collect()
}
