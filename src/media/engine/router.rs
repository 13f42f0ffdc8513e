//! Who is in whose receiving slots: the forwarding table of one session. A move between rooms is an
//! edit of this table and nothing else. It knows rooms, never packets or connections.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    domain::{
        ids::{ParticipantId, RoomId},
        limits::SLOTS,
    },
    media::engine::time::MediaTime,
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
    /// Who shows a screen to their room.
    showing: BTreeSet<ParticipantId>,
}

#[derive(Clone, Debug)]
struct Place {
    room: RoomId,
    slots: Slots,
    heard: Heard,
}

/// When somebody was heard last: whoever speaks now is later than whoever has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Heard {
    is_speaking: bool,
    at: MediaTime,
}

impl Router {
    /// Puts a person into a room, or (`None`) out of the media.
    pub fn place(
        &mut self,
        who: ParticipantId,
        room: Option<RoomId>,
        changes: &mut Vec<SlotChange>,
    ) {
        self.place_all(&[(who, room)], changes);
    }

    /// Puts many at once, each into a room or (`None`) out of the media; the last word on a person
    /// counts. Those who stay together keep one another's slots. Slots are emptied before others are
    /// filled, so that applied in order no change ever lets one room into another.
    pub fn place_all(
        &mut self,
        moves: &[(ParticipantId, Option<RoomId>)],
        changes: &mut Vec<SlotChange>,
    ) {
        let mut touched = BTreeSet::new();
        for (who, room) in moves {
            let before = self.people.get(who).map(|it| it.room);
            if before == *room {
                continue;
            }
            touched.extend([before, *room].into_iter().flatten());
            match (room, self.people.get_mut(who)) {
                (Some(room), Some(place)) => place.room = *room,
                (Some(room), None) => {
                    let (slots, heard) = ([None; SLOTS], Heard::default());
                    self.people.insert(*who, Place { room: *room, slots, heard });
                }
                (None, _) => {
                    self.showing.remove(who);
                    let gone = self.people.remove(who).map_or([None; SLOTS], |it| it.slots);
                    let held = (0..SLOTS).filter(|slot| gone[*slot].is_some());
                    let emptied = |slot| SlotChange { subscriber: *who, slot, publisher: None };
                    changes.extend(held.map(emptied));
                }
            }
        }
        if touched.is_empty() {
            return;
        }
        let rooms: BTreeMap<_, _> = self.people.iter().map(|(id, it)| (*id, it.room)).collect();
        let mut there: BTreeMap<RoomId, Vec<ParticipantId>> = BTreeMap::new();
        for (subscriber, place) in &mut self.people {
            for (slot, held) in place.slots.iter_mut().enumerate() {
                if held.is_some_and(|it| rooms.get(&it) != Some(&place.room)) {
                    *held = None;
                    changes.push(SlotChange { subscriber: *subscriber, slot, publisher: None });
                }
            }
            if touched.contains(&place.room) {
                there.entry(place.room).or_default().push(*subscriber);
            }
        }
        for people in there.values_mut() {
            // Once for the room: three hundred times would keep their packets waiting.
            people.sort_by_cached_key(|it| std::cmp::Reverse(self.heard(*it)));
            people.iter().for_each(|it| self.fill(*it, people, changes));
        }
    }

    /// A person began to speak. In a room with more people than slots they take, in the slots of
    /// those who do not receive them, the place of whoever has been silent for longest.
    pub fn spoke(&mut self, who: ParticipantId, at: MediaTime, changes: &mut Vec<SlotChange>) {
        let Some(place) = self.people.get_mut(&who) else { return };
        place.heard = Heard { is_speaking: true, at };
        let room = Some(place.room);
        for subscriber in self.people_in(room).into_iter().filter(|it| *it != who) {
            let slots = self.slots(subscriber).copied().unwrap_or_default();
            if slots.contains(&Some(who)) {
                continue;
            }
            let longest_silent = slots.iter().flatten().min_by_key(|it| self.heard(**it));
            let silent = longest_silent.copied();
            self.change(subscriber, silent, Some(who), changes);
        }
    }

    /// A person has ended to speak.
    pub fn ended(&mut self, who: ParticipantId, at: MediaTime) {
        if let Some(place) = self.people.get_mut(&who) {
            place.heard = Heard { is_speaking: false, at };
        }
    }

    /// A person's connection is gone: until they speak again everybody else comes before them.
    pub fn lost(&mut self, who: ParticipantId) {
        if let Some(place) = self.people.get_mut(&who) {
            place.heard = Heard::default();
        }
    }

    /// A person begins to show a screen to their room, or ends.
    pub fn show(&mut self, who: ParticipantId, on: bool) {
        if on && self.people.contains_key(&who) {
            self.showing.insert(who);
        } else {
            self.showing.remove(&who);
        }
    }

    /// Whose screen a person sees.
    pub fn screen(&self, subscriber: ParticipantId) -> Option<ParticipantId> {
        let room = |it: &ParticipantId| self.people.get(it).map(|it| it.room);
        let own = room(&subscriber)?;
        let mut others = self.showing.iter().copied().filter(|it| *it != subscriber);
        others.find(|it| room(it) == Some(own))
    }

    /// Everybody who has a place.
    pub fn people(&self) -> impl Iterator<Item = ParticipantId> + '_ {
        self.people.keys().copied()
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

    pub fn heard(&self, who: ParticipantId) -> Heard {
        self.people.get(&who).map_or(Heard::default(), |it| it.heard)
    }

    /// Fills free slots with those of the room who are not in one, in their order.
    fn fill(
        &mut self,
        subscriber: ParticipantId,
        people: &[ParticipantId],
        changes: &mut Vec<SlotChange>,
    ) {
        let Some(place) = self.people.get(&subscriber) else { return };
        let free = place.slots.iter().filter(|it| it.is_none()).count();
        if free == 0 {
            return;
        }
        let missing = |it: &ParticipantId| *it != subscriber && !place.slots.contains(&Some(*it));
        let missing: Vec<_> = people.iter().copied().filter(missing).take(free).collect();
        for publisher in missing {
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
    fn a_screen_is_seen_in_its_room_and_nowhere_else() {
        let mut router = Router::default();
        let all = [ALICE, BOB, CHAO];
        router.place_all(&all.map(|it| (it, Some(RoomId::Main))), &mut vec![]);
        router.show(BOB, true);
        assert_eq!(all.map(|it| router.screen(it)), [Some(BOB), None, Some(BOB)]);
        router.place(CHAO, Some(ONE), &mut vec![]);
        assert_eq!(all.map(|it| router.screen(it)), [Some(BOB), None, None]);
        router.place(BOB, None, &mut vec![]);
        router.place(BOB, Some(RoomId::Main), &mut vec![]);
        assert_eq!(router.screen(ALICE), None, "who comes back does not show by that");
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
    fn those_who_move_together_never_lose_one_another() {
        let mut router = Router::default();
        let all = [1, 2, 3, 4].map(ParticipantId);
        router.place_all(&all.map(|it| (it, Some(RoomId::Main))), &mut vec![]);
        let mut changes = vec![];
        router.place_all(&[ALICE, BOB].map(|it| (it, Some(ONE))), &mut changes);
        assert!(changes.iter().all(|it| it.publisher.is_none()), "{changes:?}");
        assert_eq!((hears(&router, ALICE), hears(&router, BOB)), (vec![2], vec![1]));
        assert_eq!((hears(&router, CHAO), hears(&router, ParticipantId(4))), (vec![4], vec![3]));
    }

    #[test]
    fn in_a_crowd_whoever_speaks_is_heard_in_place_of_the_longest_silent() {
        let mut router = Router::default();
        for who in 1..=20 {
            router.place(ParticipantId(who), Some(RoomId::Main), &mut vec![]);
        }
        for (who, at) in [(2, 10), (3, 20), (20, 30)] {
            router.spoke(ParticipantId(who), MediaTime::from_ms(at), &mut vec![]);
        }
        for subscriber in 4..=19 {
            let heard = hears(&router, ParticipantId(subscriber));
            assert!([2, 3, 20].iter().all(|it| heard.contains(it)), "{subscriber}: {heard:?}");
        }
    }

    #[test]
    fn in_a_crowd_whoever_speaks_on_is_not_pushed_out_by_short_voices() {
        let mut router = Router::default();
        for who in 1..=20 {
            router.place(ParticipantId(who), Some(RoomId::Main), &mut vec![]);
        }
        router.spoke(ALICE, MediaTime::from_ms(1_000), &mut vec![]);
        for (who, at) in (2..=20).zip(2..) {
            router.spoke(ParticipantId(who), MediaTime::from_ms(at * 1_000), &mut vec![]);
            router.ended(ParticipantId(who), MediaTime::from_ms(at * 1_000 + 300));
        }
        assert!((2..=20).all(|it| hears(&router, ParticipantId(it)).contains(&1)));
    }

    #[test]
    fn who_comes_into_a_crowd_hears_whoever_speaks_and_not_who_is_gone() {
        let mut router = Router::default();
        for who in 1..=10 {
            router.place(ParticipantId(who), Some(RoomId::Main), &mut vec![]);
            router.spoke(ParticipantId(who), MediaTime::from_ms(who.into()), &mut vec![]);
        }
        (4..=10).for_each(|it| router.lost(ParticipantId(it)));
        router.place(ParticipantId(11), Some(RoomId::Main), &mut vec![]);
        let heard = hears(&router, ParticipantId(11));
        assert!([1, 2, 3].iter().all(|it| heard.contains(it)), "{heard:?}");
    }

    proptest! {
        /// Whatever moves: nobody receives themselves, another room, or the same person twice; a
        /// room with no more people than slots is received whole; and the changes, applied in
        /// order to empty tables, give the same table without ever crossing rooms on the way out.
        #[test]
        fn the_table_is_the_rooms(
            moves in prop::collection::vec((1u32..15, 0u16..4, any::<bool>()), 1..80),
            at_once in 1usize..12,
        ) {
            let mut router = Router::default();
            let mut rooms: BTreeMap<ParticipantId, RoomId> = BTreeMap::new();
            let mut shadow: BTreeMap<ParticipantId, Slots> = BTreeMap::new();
            for (index, step) in moves.chunks(at_once).enumerate() {
                let mut changes = vec![];
                let mut placed = vec![];
                for (who, room, speaks) in step {
                    let who = ParticipantId(*who);
                    let room = match *room {
                        0 => None,
                        1 => Some(RoomId::Main),
                        n => Some(RoomId::Breakout(n)),
                    };
                    if *speaks {
                        router.spoke(who, MediaTime::from_ms(index as u64), &mut changes);
                    } else {
                        placed.push((who, room));
                    }
                }
                for change in &changes {
                    shadow.entry(change.subscriber).or_default()[change.slot] = change.publisher;
                }
                changes.clear();
                router.place_all(&placed, &mut changes);
                for (who, room) in placed {
                    match room {
                        Some(room) => rooms.insert(who, room),
                        None => rooms.remove(&who),
                    };
                }
                let filled = changes.iter().position(|it| it.publisher.is_some());
                let filled = filled.unwrap_or(changes.len());
                prop_assert!(changes[filled..].iter().all(|it| it.publisher.is_some()));
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
