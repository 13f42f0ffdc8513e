//! Who is in whose receiving slots: the forwarding table of one session. A move between rooms is an
//! edit of this table and nothing else. It knows rooms, never packets or connections.

use std::collections::BTreeMap;

use crate::domain::{
    ids::{ParticipantId, RoomId},
    limits::SLOTS,
    time::SessionTime,
};

/// A receiving slot's new publisher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotChange {
    pub subscriber: ParticipantId,
    /// From 0 to `SLOTS - 1`.
    pub slot: usize,
    pub publisher: Option<ParticipantId>,
}

/// The publishers in one person's slots.
pub type Slots = [Option<ParticipantId>; SLOTS];

#[derive(Clone, Debug, Default)]
pub struct Router {
    people: BTreeMap<ParticipantId, Place>,
}

#[derive(Clone, Debug)]
struct Place {
    room: RoomId,
    slots: Slots,
    spoke_at: SessionTime,
}

impl Router {
    /// Puts a person into a room, or (`None`) out of the media. Slots are emptied before others are
    /// filled, so that applied in order no change ever lets one room into another.
    pub fn place(
        &mut self,
        who: ParticipantId,
        room: Option<RoomId>,
        changes: &mut Vec<SlotChange>,
    ) {
        let before = self.people.get(&who).map(|it| it.room);
        if before == room && room.is_some() {
            return;
        }
        let spoke_at = self.people.remove(&who).map_or(SessionTime::ZERO, |gone| {
            let held = (0..SLOTS).filter(|slot| gone.slots[*slot].is_some());
            changes.extend(held.map(|slot| SlotChange { subscriber: who, slot, publisher: None }));
            gone.spoke_at
        });
        for subscriber in self.people_in(before) {
            self.change(subscriber, Some(who), None, changes);
        }
        if let Some(room) = room {
            self.people.insert(who, Place { room, slots: [None; SLOTS], spoke_at });
        }
        for subscriber in self.people_in(before) {
            self.fill(subscriber, changes);
        }
        for subscriber in self.people_in(room) {
            self.fill(subscriber, changes);
        }
    }

    /// A person began to speak. In a room with more people than slots they take, in the slots of
    /// those who do not receive them, the place of whoever has been silent for longest.
    pub fn spoke(&mut self, who: ParticipantId, at: SessionTime, changes: &mut Vec<SlotChange>) {
        let Some(place) = self.people.get_mut(&who) else { return };
        place.spoke_at = at;
        let room = Some(place.room);
        for subscriber in self.people_in(room).into_iter().filter(|it| *it != who) {
            let slots = self.slots(subscriber).copied().unwrap_or_default();
            if slots.contains(&Some(who)) {
                continue;
            }
            let longest_silent = slots.iter().flatten().min_by_key(|it| self.spoke_at(**it));
            let silent = longest_silent.copied();
            self.change(subscriber, silent, Some(who), changes);
        }
    }

    pub fn slots(&self, subscriber: ParticipantId) -> Option<&Slots> {
        self.people.get(&subscriber).map(|it| &it.slots)
    }

    /// Every edge of the table: (publisher, subscriber, slot).
    pub fn edges(&self) -> impl Iterator<Item = (ParticipantId, ParticipantId, usize)> + '_ {
        self.people.iter().flat_map(|(subscriber, place)| {
            let held = place.slots.iter().enumerate();
            held.filter_map(|(slot, publisher)| Some(((*publisher)?, *subscriber, slot)))
        })
    }

    fn people_in(&self, room: Option<RoomId>) -> Vec<ParticipantId> {
        let there = self.people.iter().filter(|(_, it)| Some(it.room) == room);
        there.map(|(id, _)| *id).collect()
    }

    fn spoke_at(&self, who: ParticipantId) -> SessionTime {
        self.people.get(&who).map_or(SessionTime::ZERO, |it| it.spoke_at)
    }

    /// Fills free slots with those of the room who are not in one, who spoke last first.
    fn fill(&mut self, subscriber: ParticipantId, changes: &mut Vec<SlotChange>) {
        let Some(place) = self.people.get(&subscriber) else { return };
        let mut missing = self.people_in(Some(place.room));
        missing.retain(|it| *it != subscriber && !place.slots.contains(&Some(*it)));
        missing.sort_by_key(|it| std::cmp::Reverse(self.spoke_at(*it)));
        let free = place.slots.iter().filter(|it| it.is_none()).count();
        for publisher in missing.into_iter().take(free) {
            self.change(subscriber, None, Some(publisher), changes);
        }
    }

    /// Replaces `from` by `to` in the first slot of `subscriber` that holds it.
    fn change(
        &mut self,
        subscriber: ParticipantId,
        from: Option<ParticipantId>,
        to: Option<ParticipantId>,
        changes: &mut Vec<SlotChange>,
    ) {
        let Some(place) = self.people.get_mut(&subscriber) else { return };
        if let Some(slot) = place.slots.iter().position(|it| *it == from) {
            place.slots[slot] = to;
            changes.push(SlotChange { subscriber, slot, publisher: to });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const ALICE: ParticipantId = ParticipantId(1);
    const BOB: ParticipantId = ParticipantId(2);
    const CHAO: ParticipantId = ParticipantId(3);
    const ONE: RoomId = RoomId::Breakout(1);

    fn hears(router: &Router, who: ParticipantId) -> Vec<u32> {
        let mut heard: Vec<_> =
            router.slots(who).unwrap().iter().flatten().map(|it| it.0).collect();
        heard.sort();
        heard
    }

    #[test]
    fn a_move_takes_a_person_out_of_one_rooms_slots_and_into_anothers() {
        let mut router = Router::default();
        let mut changes = vec![];
        for who in [ALICE, BOB, CHAO] {
            router.place(who, Some(RoomId::Main), &mut changes);
        }
        assert_eq!(hears(&router, ALICE), [2, 3]);
        changes.clear();
        router.place(CHAO, Some(ONE), &mut changes);
        assert!(changes.iter().all(|it| it.publisher.is_none()), "{changes:?}");
        assert_eq!((hears(&router, ALICE), hears(&router, CHAO)), (vec![2], vec![]));
        router.place(BOB, Some(ONE), &mut changes);
        assert_eq!((hears(&router, BOB), hears(&router, CHAO)), (vec![3], vec![2]));
        router.place(BOB, None, &mut changes);
        assert!(hears(&router, CHAO).is_empty());
        assert_eq!(router.edges().count(), 0);
    }

    #[test]
    fn those_who_stay_keep_their_slots() {
        let mut router = Router::default();
        for who in 1..=5 {
            router.place(ParticipantId(who), Some(RoomId::Main), &mut vec![]);
        }
        let before = *router.slots(ALICE).unwrap();
        let mut changes = vec![];
        router.place(CHAO, Some(ONE), &mut changes);
        let after = *router.slots(ALICE).unwrap();
        let changed = (0..SLOTS).filter(|it| before[*it] != after[*it]).count();
        assert_eq!(changed, 1);
    }

    #[test]
    fn in_a_crowd_whoever_speaks_is_heard_in_place_of_the_longest_silent() {
        let mut router = Router::default();
        for who in 1..=20 {
            router.place(ParticipantId(who), Some(RoomId::Main), &mut vec![]);
        }
        for (who, at) in [(2, 10), (3, 20), (20, 30)] {
            router.spoke(ParticipantId(who), SessionTime(at), &mut vec![]);
        }
        for subscriber in 4..=19 {
            let heard = hears(&router, ParticipantId(subscriber));
            assert!([2, 3, 20].iter().all(|it| heard.contains(it)), "{subscriber}: {heard:?}");
        }
    }

    proptest! {
        /// Whatever moves: nobody receives themselves, another room, or the same person twice; a
        /// room with no more people than slots is received whole; and the changes, applied in
        /// order to empty tables, give the same table without ever crossing rooms on the way out.
        #[test]
        fn the_table_is_the_rooms(
            moves in prop::collection::vec((1u32..15, 0u16..4, any::<bool>()), 1..80),
        ) {
            let mut router = Router::default();
            let mut rooms: BTreeMap<ParticipantId, RoomId> = BTreeMap::new();
            let mut shadow: BTreeMap<ParticipantId, Slots> = BTreeMap::new();
            for (index, (who, room, speaks)) in moves.into_iter().enumerate() {
                let who = ParticipantId(who);
                let mut changes = vec![];
                let room = match room {
                    0 => None,
                    1 => Some(RoomId::Main),
                    n => Some(RoomId::Breakout(n)),
                };
                if speaks {
                    router.spoke(who, SessionTime(index as u64), &mut changes);
                } else {
                    router.place(who, room, &mut changes);
                    match room {
                        Some(room) => rooms.insert(who, room),
                        None => rooms.remove(&who),
                    };
                }
                for change in &changes {
                    if let Some(publisher) = change.publisher {
                        prop_assert_eq!(rooms.get(&publisher), rooms.get(&change.subscriber));
                    }
                    shadow.entry(change.subscriber).or_default()[change.slot] = change.publisher;
                }
                for (subscriber, room) in &rooms {
                    let slots = router.slots(*subscriber).unwrap();
                    prop_assert_eq!(slots, shadow.entry(*subscriber).or_default());
                    let heard: BTreeSet<_> = slots.iter().flatten().copied().collect();
                    prop_assert_eq!(heard.len(), slots.iter().flatten().count());
                    let others: BTreeSet<_> = rooms
                        .iter()
                        .filter(|(id, it)| *it == room && *id != subscriber)
                        .map(|(id, _)| *id)
                        .collect();
                    prop_assert!(heard.is_subset(&others));
                    prop_assert_eq!(heard.len(), others.len().min(SLOTS));
                }
            }
        }
    }
}
