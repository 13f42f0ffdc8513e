//! What may be written down: the switches of method, host and room, whose ears are open because of
//! them, and taking back what was said. It keeps no words.

use std::collections::BTreeMap;

use crate::domain::{
    consent::{Consent, Writing},
    fact::Fact,
    ids::{ParticipantId, RoomId},
    limits::{STRIKE_EVERY_MS, STRIKE_MS},
    message::Message,
    rejection::Rejection,
    session::{Output, Presence, Session},
    time::{SessionTime, Span},
};

/// Whether words are written down. The method, the host and the room must all want it.
#[derive(Debug, Default)]
pub(super) struct Record {
    by_method: Switch,
    by_host: Switch,
    by_room: BTreeMap<RoomId, Switch>,
}

/// On or off, and since when: enough to know of an utterance whether it was on all the time.
#[derive(Clone, Copy, Debug, Default)]
struct Switch {
    on_since: SessionTime,
    off_since: Option<SessionTime>,
}

impl Switch {
    fn is_on(self) -> bool {
        self.off_since.is_none()
    }

    /// Of what was before it was last turned on it says no: too little is lost by that to remember
    /// more.
    fn covers(self, span: Span) -> bool {
        self.on_since <= span.start && self.off_since.is_none_or(|off| span.end <= off)
    }

    fn set(&mut self, on: bool, at: SessionTime) {
        match (on, self.off_since) {
            (true, Some(_)) => *self = Self { on_since: at, off_since: None },
            (false, None) => self.off_since = Some(at),
            _ => (),
        }
    }
}

impl Record {
    pub(super) fn writing(&self, room: RoomId) -> Writing {
        if !self.by_method.is_on() {
            Writing::OffByMethod
        } else if !self.by_host.is_on() {
            Writing::OffByHost
        } else if !self.room(room).is_on() {
            Writing::OffByRoom
        } else {
            Writing::On
        }
    }

    pub(super) fn is_on(&self, room: RoomId) -> bool {
        self.writing(room) == Writing::On
    }

    /// Whatever single rooms have chosen.
    pub(super) fn is_on_for_all(&self) -> bool {
        self.by_method.is_on() && self.by_host.is_on()
    }

    pub(super) fn host_wants(&self) -> bool {
        self.by_host.is_on()
    }

    /// Whether all of that time in that room may be written down.
    pub(super) fn covers(&self, room: RoomId, span: Span) -> bool {
        [self.by_method, self.by_host, self.room(room)].iter().all(|it| it.covers(span))
    }

    pub(super) fn set_by_method(&mut self, on: bool, at: SessionTime) {
        self.by_method.set(on, at);
    }

    /// `room` `None`: the host, for every room.
    pub(super) fn set(&mut self, room: Option<RoomId>, on: bool, at: SessionTime) {
        let switch = match room {
            None => &mut self.by_host,
            Some(room) => self.by_room.entry(room).or_default(),
        };
        switch.set(on, at);
    }

    /// New groups sit in the breakout rooms: what others have chosen there binds them no more.
    pub(super) fn regrouped(&mut self, at: SessionTime) {
        let breakouts = self.by_room.iter_mut().filter(|it| *it.0 != RoomId::Main);
        breakouts.for_each(|(_, switch)| switch.set(true, at));
    }

    fn room(&self, room: RoomId) -> Switch {
        self.by_room.get(&room).copied().unwrap_or_default()
    }
}

impl Session {
    /// A room's choice, or with `None` the host's for all.
    pub(super) fn set_transcription(
        &mut self,
        now: SessionTime,
        (room, by): (Option<RoomId>, Option<ParticipantId>),
        on: bool,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        if room.is_some_and(|it| !self.rooms.is_open(it)) {
            return Err(Rejection::UnknownRoom);
        }
        let is_on = match room {
            None => self.record.host_wants(),
            Some(room) => self.record.room(room).is_on(),
        };
        if on == is_on {
            return Ok(());
        }
        self.keep(now, Fact::TranscriptionSet { room, by, on }, out);
        let rooms: Vec<_> = match room {
            None => self.rooms.all().collect(),
            Some(room) => vec![room],
        };
        rooms.into_iter().for_each(|it| self.room_changed(now, it, None, out));
        Ok(())
    }

    /// Takes back what a person said in the [`STRIKE_MS`] before they asked for it, which was
    /// `waited_ms` ago, and since: written down or still on its way.
    pub(super) fn strike(
        &mut self,
        now: SessionTime,
        (participant, waited_ms): (ParticipantId, u64),
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        let seat = self.seats.get_mut(&participant).ok_or(Rejection::NotNow)?;
        if seat.struck_at.is_some_and(|it| now.since_ms(it) < STRIKE_EVERY_MS) {
            return Err(Rejection::TooFast);
        }
        seat.struck_at = Some(now);
        let spoken = seat.spoken;
        if self.heard.remove(&participant).is_some() {
            // What is being worked on is forgotten; `tune` opens the ears again.
            out.push(Output::Listen { participant, on: false, spoken });
        }
        let span = Span::new(now - waited_ms - STRIKE_MS, now);
        self.keep(now, Fact::Struck { participant, span }, out);
        self.tell_all(Message::Struck { participant, span }, out);
        Ok(())
    }

    /// Opens and closes ears as what everybody has agreed to has changed by one input, whose outputs
    /// begin at `from`. Closing comes before all of them, so that it never waits for the disk.
    pub(super) fn tune(&mut self, now: SessionTime, from: usize, out: &mut Vec<Output>) {
        let (mut closed, mut ears) = (Vec::new(), Vec::new());
        for (participant, room) in self.rooms.people() {
            let Some(seat) = self.seats.get(&participant) else { continue };
            let spoken = seat.spoken;
            let may = seat.consent == Consent::On && self.record.is_on(room);
            let heard = self.heard.get(&participant);
            // What is heard by ear need not be told to the ears.
            let is_heard =
                heard.is_some_and(|it| *it == spoken || it.is_by_ear() && spoken.is_by_ear());
            if !may && heard.is_some() {
                closed.push(Output::Listen { participant, on: false, spoken });
                self.heard.remove(&participant);
                ears.push((participant, room, false));
            } else if may && !is_heard && matches!(seat.presence, Presence::Here(_)) {
                self.heard.insert(participant, spoken);
                out.push(Output::Listen { participant, on: true, spoken });
                ears.push((participant, room, true));
            }
        }
        for (participant, room, on) in ears {
            self.balance_of(room).listens(participant, on, now);
        }
        out.splice(from..from, closed);
    }
}
