//! What is counted of the talk of rooms, and who may see what of it: the room a shape without names, the
//! person their own part, facilitators rooms. Between rounds there is more to see than while people
//! talk. Nothing of it is a fact, and of a person nothing stays when they leave or the session ends.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    balance::{Balance, Summary},
    ids::{ParticipantId, RoomId},
    limits::{BALANCE_EVERY_MS, BALANCE_HOST_EVERY_MS, ROOM_PEOPLE_MAX},
    message::{Message, OwnTotal, RoomBalance},
    session::{Output, Session},
    time::SessionTime,
};

/// What one person has had of the talk in the rounds that are over.
#[derive(Clone, Debug, Default)]
pub(super) struct Total {
    talk_ms: u64,
    turns: u32,
    backchannels: u32,
    rounds: u32,
    /// Others who have had the floor where this person was.
    heard: BTreeSet<ParticipantId>,
}

impl Total {
    fn add(&mut self, summary: &Summary, of: ParticipantId) {
        let own = summary.own(of);
        self.talk_ms += own.talk_ms;
        self.turns += own.turns;
        self.backchannels += own.backchannels;
        self.rounds += 1;
        self.heard.extend(summary.conversation().heard().filter(|it| *it != of));
    }

    fn view(&self) -> OwnTotal {
        OwnTotal {
            talk_ms: self.talk_ms,
            turns: self.turns,
            backchannels: self.backchannels,
            people_heard: u32::try_from(self.heard.len()).unwrap_or(u32::MAX),
            rounds: self.rounds,
        }
    }
}

/// A room of a round that ends, with those who were there.
pub(super) type Round = (RoomId, Summary, Vec<ParticipantId>);

impl Session {
    /// Where unequal talk is the design, a picture of it would only disturb.
    pub(super) fn shows_balance(&self) -> bool {
        self.phase().is_none_or(|it| it.balance)
    }

    pub(super) fn balance_of(&mut self, room: RoomId) -> &mut Balance {
        let (since, has_ears) = (self.grouped_at, self.has_ears);
        self.balances.entry(room).or_insert_with(|| {
            let mut balance = Balance::new(since);
            if has_ears {
                balance.has_ears();
            }
            balance
        })
    }

    /// Who is there has changed.
    pub(super) fn note_presence(&mut self, now: SessionTime, room: RoomId) {
        let there: BTreeSet<_> = self.seated_in(room).map(|(id, _)| id).collect();
        let heard: Vec<_> = there.iter().map(|id| (*id, self.heard.contains_key(id))).collect();
        let balance = self.balance_of(room);
        heard.into_iter().for_each(|(id, is_heard)| balance.listens(id, is_heard, now));
        balance.attend(there, now);
        // How many voices there could be may have changed. And in time the room is told also when
        // nobody speaks just then.
        let due = now + balance.early_ms(now).max(BALANCE_EVERY_MS);
        self.due.balances.entry(room).or_insert(due);
    }

    /// Of a room that can be a conversation; a lecture is none.
    fn summary(&self, now: SessionTime, room: RoomId) -> Option<Summary> {
        let balance = self.balances.get(&room)?;
        let present: Vec<_> = self.rooms.people_in(room).collect();
        let is_talk = (2..=ROOM_PEOPLE_MAX).contains(&present.len());
        let summary = is_talk.then(|| balance.summary(&present, now))?;
        summary.is_due().then_some(summary)
    }

    pub(super) fn tell_balance(&mut self, now: SessionTime, room: RoomId, out: &mut Vec<Output>) {
        if let Some(balance) = self.balances.get(&room) {
            let early_ms = balance.early_ms(now);
            if balance.is_live() || (0 < early_ms && balance.are_together()) {
                self.due.balances.insert(room, now + early_ms.max(BALANCE_EVERY_MS));
            }
        }
        if !self.shows_balance() {
            return;
        }
        let Some(summary) = self.summary(now, room) else { return };
        out.extend(self.seated_in(room).map(|(participant, connection)| Output::Send {
            connection,
            message: Message::Balance(summary.view(participant)),
        }));
        if self.facilitators().next().is_some() {
            self.due.room_balances.get_or_insert(now + BALANCE_HOST_EVERY_MS);
        }
    }

    /// How the rooms talk now, as facilitators may see it.
    pub fn room_balances(&self, now: SessionTime) -> Vec<RoomBalance> {
        if !self.shows_balance() {
            return Vec::new();
        }
        self.rooms.all().filter_map(|it| Some(self.summary(now, it)?.of_room(it))).collect()
    }

    pub(super) fn tell_room_balances(&mut self, now: SessionTime, out: &mut Vec<Output>) {
        self.due.room_balances = None;
        let message = Message::RoomBalances(self.room_balances(now));
        out.extend(
            self.facilitators()
                .map(|connection| Output::Send { connection, message: message.clone() }),
        );
    }

    /// The rounds that would end now; to be asked before what ends them changes anything.
    pub(super) fn rounds(&self, now: SessionTime) -> Vec<Round> {
        if !self.shows_balance() {
            return Vec::new();
        }
        let round = |room| {
            let summary = self.summary(now, room)?;
            Some((room, summary, self.rooms.people_in(room).collect()))
        };
        self.rooms.all().filter_map(round).collect()
    }

    /// Groups have ended: those who were in them look back, and counting begins anew.
    pub(super) fn close_rounds(
        &mut self,
        now: SessionTime,
        rounds: Vec<Round>,
        out: &mut Vec<Output>,
    ) {
        self.balances.clear();
        self.due.balances.clear();
        self.due.room_balances = None;
        self.grouped_at = now;
        for (room, summary, people) in &rounds {
            let view = summary.look_back(*room);
            for participant in people {
                let total = self.totals.entry(*participant).or_default();
                total.add(summary, *participant);
                let own = total.view();
                let Some(connection) = self.connection_of(*participant) else { continue };
                out.push(Output::Send { connection, message: Message::Round(view.clone()) });
                out.push(Output::Send { connection, message: Message::Own(own) });
            }
        }
        if !rounds.is_empty() {
            let rooms: Vec<_> = rounds.iter().map(|(room, it, _)| it.of_room(*room)).collect();
            let hosts = self.facilitators().map(|connection| Output::Send {
                connection,
                message: Message::Rounds(rooms.clone()),
            });
            out.extend(hosts);
        }
        let rooms: BTreeMap<RoomId, ()> = self.rooms.people().map(|it| (it.1, ())).collect();
        rooms.into_keys().for_each(|room| self.note_presence(now, room));
    }
}
