//! What a room writes together as a session lives it: whose change is let in, who is told, and when all
//! of it is written down. How changes come together is `domain/sheet`'s.

use std::collections::BTreeMap;

use crate::domain::{
    fact::Fact,
    ids::{ConnectionId, ParticipantId, RoomId},
    limits::{SHEET_QUIET_MS, SHEET_WRITTEN_EVERY_MS},
    message::{Message, SheetView},
    rejection::Rejection,
    session::{Output, Session},
    sheet::Refused,
    time::SessionTime,
};

impl Session {
    /// Somebody changes the sheet of their room. A page that is behind is told how it stands, and comes
    /// again with what it has beside.
    pub(super) fn change_sheet(
        &mut self,
        now: SessionTime,
        participant: ParticipantId,
        (number, update): (u32, Vec<u8>),
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        let room = self.rooms.room_of(participant).ok_or(Rejection::NotNow)?;
        if self.run.as_ref().and_then(|it| it.sheet(room)).is_none() {
            return Err(Rejection::NotNow);
        }
        if !self.may_write_on_sheet(participant) {
            return self.refuse_change(participant, Rejection::NotAllowed, out);
        }
        if !self.talk.may_type(now, participant, room) {
            return Err(Rejection::TooFast);
        }
        if self.run.as_mut().is_none_or(|it| !it.may_type(participant, &update)) {
            return self.refuse_change(participant, Rejection::NotNow, out);
        }
        let sheet = self.run.as_ref().and_then(|it| it.sheet(room));
        let lies_there = sheet.filter(|it| it.number() == number);
        match lies_there.map_or(Err(Refused::Elsewhere), |it| it.check(participant, &update)) {
            Ok(()) => (),
            Err(Refused::Elsewhere) => {
                self.tell_sheet(participant, false, out);
                return Ok(());
            }
            Err(Refused::Full) => {
                return self.refuse_change(participant, Rejection::SheetFull, out);
            }
            Err(Refused::Garbled) => {
                return self.refuse_change(participant, Rejection::BadText, out);
            }
        }
        self.keep(now, Fact::Typed { participant, room, update: update.clone() }, out);
        let (at, since) = self.due.sheets.get(&room).copied().unwrap_or((now, now));
        let latest = (since + SHEET_WRITTEN_EVERY_MS).max(at);
        self.due.sheets.insert(room, ((now + SHEET_QUIET_MS).min(latest), since));
        let others = self.seated_in(room).filter(|(id, _)| *id != participant);
        out.extend(others.map(|(_, connection)| Output::Send {
            connection,
            message: Message::Typed { by: participant, sheet: number, update: update.clone() },
        }));
        // So many changes that it was laid out anew.
        let sheet = self.run.as_ref().and_then(|it| it.sheet(room));
        if sheet.is_some_and(|it| it.number() != number) {
            self.tell_sheet_in(room, out);
        }
        Ok(())
    }

    /// The page is to forget what it has on its sheet and the room has not.
    fn refuse_change(
        &self,
        participant: ParticipantId,
        why: Rejection,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        if let Some(connection) = self.connection_of(participant) {
            out.push(Output::Send { connection, message: Message::Rejected(why) });
        }
        self.tell_sheet(participant, true, out);
        Ok(())
    }

    /// Whether the method lets this person write on their room's sheet.
    pub(super) fn may_write_on_sheet(&self, participant: ParticipantId) -> bool {
        let Some(run) = &self.run else { return false };
        let Some(phase) = run.phase() else { return false };
        let Some(scribe) = phase.scribe.as_ref().filter(|it| it.alone) else { return true };
        let role = run.role_of(participant).and_then(|it| run.method.roles.get(usize::from(it)));
        role.is_some_and(|it| it.id == scribe.role)
    }

    // Telling.

    pub(super) fn tell_sheet(
        &self,
        participant: ParticipantId,
        afresh: bool,
        out: &mut Vec<Output>,
    ) {
        let Some(connection) = self.connection_of(participant) else { return };
        let Some(room) = self.rooms.room_of(participant) else { return };
        if let Some(view) = self.sheet_view(room) {
            let view = SheetView { afresh, ..view };
            out.push(Output::Send { connection, message: Message::Sheet(view) });
        }
    }

    pub(super) fn tell_sheet_in(&self, room: RoomId, out: &mut Vec<Output>) {
        let Some(view) = self.sheet_view(room) else { return };
        let there = self.connections_in(room);
        out.extend(
            there.map(|connection| Output::Send {
                connection,
                message: Message::Sheet(view.clone()),
            }),
        );
    }

    /// To everybody the one of their room, where the phase asks rooms to write.
    pub(super) fn tell_sheets(&self, out: &mut Vec<Output>) {
        let mut rooms: BTreeMap<RoomId, Vec<ConnectionId>> = BTreeMap::new();
        for (participant, room) in self.rooms.people() {
            rooms.entry(room).or_default().extend(self.connection_of(participant));
        }
        for (room, connections) in rooms {
            let Some(view) = self.sheet_view(room) else { continue };
            out.extend(connections.into_iter().map(|connection| Output::Send {
                connection,
                message: Message::Sheet(view.clone()),
            }));
        }
    }

    fn sheet_view(&self, room: RoomId) -> Option<SheetView> {
        let sheet = self.run.as_ref()?.sheet(room)?;
        let (number, since, state) = (sheet.number(), sheet.since(), sheet.state());
        Some(SheetView { number, since, state, afresh: false })
    }

    // Writing down.

    /// Before a step ends, or the method, or the session: what is searched, exported and brought to all
    /// is what was written down whole.
    pub(super) fn write_sheets_down(&mut self, now: SessionTime, out: &mut Vec<Output>) {
        let rooms: Vec<_> = self.run.iter().flat_map(|it| it.unwritten()).map(|it| it.0).collect();
        rooms.into_iter().for_each(|room| self.write_down(now, room, out));
    }

    pub(super) fn write_due_sheets_down(&mut self, now: SessionTime, out: &mut Vec<Output>) {
        let due = self.due.sheets.iter().filter(|(_, (at, _))| *at <= now);
        let rooms: Vec<_> = due.map(|(room, _)| *room).collect();
        rooms.into_iter().for_each(|room| self.write_down(now, room, out));
    }

    fn write_down(&mut self, now: SessionTime, room: RoomId, out: &mut Vec<Output>) {
        self.due.sheets.remove(&room);
        let changed = self.run.as_ref().and_then(|it| it.unwritten().find(|it| it.0 == room));
        let Some((_, participant, sheet)) = changed else { return };
        let (number, text, parts) = (sheet.number(), sheet.text(), sheet.parts());
        self.keep(now, Fact::Wrote { participant, room, text, parts }, out);
        // Not all pages had the same text: it was laid out anew.
        let sheet = self.run.as_ref().and_then(|it| it.sheet(room));
        if sheet.is_some_and(|it| it.number() != number) {
            self.tell_sheet_in(room, out);
        }
    }
}
