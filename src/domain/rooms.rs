//! Who is where, and was where when. Knows rooms and their sizes; not names, consent or connections.

use std::collections::BTreeMap;

use crate::domain::{
    ids::{ParticipantId, RoomId},
    limits::{MOVES_KEPT, ROOM_PEOPLE_MAX, SESSION_PEOPLE_MAX},
    time::SessionTime,
};

/// The rooms of a session and everybody's way through them.
#[derive(Clone, Debug, Default)]
pub struct Rooms {
    breakouts: u16,
    /// Where each person went, oldest first; `None` is "left".
    ways: BTreeMap<ParticipantId, Vec<(SessionTime, Option<RoomId>)>>,
}

impl Rooms {
    /// From now on breakout rooms 1 to `count` are open.
    pub fn open(&mut self, count: u16) {
        self.breakouts = count;
    }

    /// The main room first, then every open breakout room.
    pub fn all(&self) -> impl Iterator<Item = RoomId> + use<> {
        std::iter::once(RoomId::Main).chain((1..=self.breakouts).map(RoomId::Breakout))
    }

    pub fn is_open(&self, room: RoomId) -> bool {
        match room {
            RoomId::Main => true,
            RoomId::Breakout(number) => (1..=self.breakouts).contains(&number),
        }
    }

    /// Seats in a room. The main room holds the whole session: people are brought back to it.
    pub fn capacity(room: RoomId) -> usize {
        match room {
            RoomId::Main => SESSION_PEOPLE_MAX,
            RoomId::Breakout(_) => ROOM_PEOPLE_MAX,
        }
    }

    pub fn has_space(&self, room: RoomId) -> bool {
        self.people_in(room).count() < Self::capacity(room)
    }

    pub fn put(&mut self, participant: ParticipantId, room: Option<RoomId>, at: SessionTime) {
        let way = self.ways.entry(participant).or_default();
        way.push((at, room));
        if MOVES_KEPT < way.len() {
            way.remove(0);
        }
    }

    /// `None` for somebody who has left or was never here.
    pub fn room_of(&self, participant: ParticipantId) -> Option<RoomId> {
        self.ways.get(&participant)?.last()?.1
    }

    /// Where the person was then; `None` also for a time before their first known move, so that
    /// nobody is told what was said before they came.
    pub fn room_at(&self, participant: ParticipantId, at: SessionTime) -> Option<RoomId> {
        let way = self.ways.get(&participant)?;
        let index = way.partition_point(|(moved, _)| *moved <= at);
        way.get(index.checked_sub(1)?)?.1
    }

    /// In the order of their numbers.
    pub fn people_in(&self, room: RoomId) -> impl Iterator<Item = ParticipantId> + '_ {
        self.people().filter(move |(_, it)| *it == room).map(|(id, _)| id)
    }

    /// Everybody who has a place, in the order of their numbers.
    pub fn people(&self) -> impl Iterator<Item = (ParticipantId, RoomId)> + '_ {
        self.ways.iter().filter_map(|(id, way)| Some((*id, way.last()?.1?)))
    }
}

/// Everybody with a place goes where `rooms` say, the first of them breakout room 1, else to the main room.
pub fn regroup(places: &mut BTreeMap<ParticipantId, RoomId>, rooms: &[Vec<ParticipantId>]) {
    places.values_mut().for_each(|it| *it = RoomId::Main);
    for (people, number) in rooms.iter().zip(1..) {
        for id in people {
            if let Some(place) = places.get_mut(id) {
                *place = RoomId::Breakout(number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: ParticipantId = ParticipantId(1);

    #[test]
    fn a_person_was_where_they_were_when_they_spoke() {
        let mut rooms = Rooms::default();
        rooms.open(2);
        rooms.put(ALICE, Some(RoomId::Main), SessionTime(100));
        rooms.put(ALICE, Some(RoomId::Breakout(2)), SessionTime(5_000));
        rooms.put(ALICE, None, SessionTime(9_000));
        let at = |ms| rooms.room_at(ALICE, SessionTime(ms));
        assert_eq!(at(99), None);
        assert_eq!(at(100), Some(RoomId::Main));
        assert_eq!(at(4_999), Some(RoomId::Main));
        assert_eq!(at(5_000), Some(RoomId::Breakout(2)));
        assert_eq!(at(9_000), None);
        assert_eq!(rooms.room_of(ALICE), None);
        assert_eq!(rooms.room_at(ParticipantId(9), SessionTime(0)), None);
    }

    #[test]
    fn who_is_in_no_group_is_in_the_main_room_and_who_has_left_stays_away() {
        let [alice, bob, chao] = [1, 2, 3].map(ParticipantId);
        let mut places: BTreeMap<_, _> = [(alice, RoomId::Breakout(4)), (bob, RoomId::Main)].into();
        regroup(&mut places, &[vec![], vec![bob, chao]]);
        assert_eq!(places, [(alice, RoomId::Main), (bob, RoomId::Breakout(2))].into());
        regroup(&mut places, &[]);
        assert_eq!(places, [(alice, RoomId::Main), (bob, RoomId::Main)].into());
    }

    #[test]
    fn a_breakout_room_has_eight_seats_and_the_main_room_holds_all() {
        let mut rooms = Rooms::default();
        rooms.open(1);
        for number in 1..=8 {
            assert!(rooms.has_space(RoomId::Breakout(1)));
            rooms.put(ParticipantId(number), Some(RoomId::Breakout(1)), SessionTime(0));
        }
        assert!(!rooms.has_space(RoomId::Breakout(1)));
        assert!(rooms.has_space(RoomId::Main));
        assert!(!rooms.is_open(RoomId::Breakout(2)));
    }
}
