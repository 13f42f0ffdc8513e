//! Who has met whom in small rooms, and what facilitators wish about who is put together. It
//! remembers and answers; it makes no groups.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::ids::{ParticipantId, RoomId};

/// How often each two have been together in a small room.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meetings {
    times: BTreeMap<(ParticipantId, ParticipantId), u16>,
}

impl Meetings {
    /// Everybody in a room has met everybody else in it once more.
    pub fn met_all(&mut self, room: &[ParticipantId]) {
        for (index, one) in room.iter().enumerate() {
            self.met_each(*one, room.get(index + 1..).unwrap_or_default());
        }
    }

    /// Somebody has met each of the others once more.
    pub fn met_each(&mut self, one: ParticipantId, others: &[ParticipantId]) {
        for other in others.iter().filter(|it| **it != one) {
            let times = self.times.entry(ordered(one, *other)).or_default();
            *times = times.saturating_add(1);
        }
    }

    pub fn times(&self, one: ParticipantId, other: ParticipantId) -> u16 {
        self.times.get(&ordered(one, other)).copied().unwrap_or(0)
    }

    /// Every two who have met, with how often.
    pub fn pairs(&self) -> impl Iterator<Item = (ParticipantId, ParticipantId, u16)> + '_ {
        self.times.iter().map(|((one, other), times)| (*one, *other, *times))
    }

    /// Meetings beyond the first of each two.
    pub fn repeats(&self) -> usize {
        self.times.values().map(|it| usize::from(it.saturating_sub(1))).sum()
    }
}

/// How two people are to be treated when groups are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    Apart,
    Together,
    AsItComes,
}

/// What facilitators wish, and what is known of people, for making groups.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mixing {
    pub apart: BTreeSet<(ParticipantId, ParticipantId)>,
    pub together: BTreeSet<(ParticipantId, ParticipantId)>,
    /// Who stays in which room.
    pub pinned: BTreeMap<ParticipantId, RoomId>,
    /// By kind (organisation, role …): people of one kind are spread when possible.
    pub tags: BTreeMap<ParticipantId, BTreeMap<String, String>>,
}

impl Mixing {
    pub fn keep(&mut self, [one, other]: [ParticipantId; 2], rule: Keep) {
        let pair = ordered(one, other);
        self.apart.remove(&pair);
        self.together.remove(&pair);
        match rule {
            Keep::Apart => _ = self.apart.insert(pair),
            Keep::Together => _ = self.together.insert(pair),
            Keep::AsItComes => (),
        }
    }

    /// `None`: goes where they are put.
    pub fn pin(&mut self, participant: ParticipantId, room: Option<RoomId>) {
        match room {
            Some(room) => _ = self.pinned.insert(participant, room),
            None => _ = self.pinned.remove(&participant),
        }
    }

    /// Every wish about two people, in the order of their numbers.
    pub fn kept(&self) -> impl Iterator<Item = ([ParticipantId; 2], Keep)> + '_ {
        let wish = |rule| move |(one, other): &(_, _)| ([*one, *other], rule);
        let together = self.together.iter().map(wish(Keep::Together));
        self.apart.iter().map(wish(Keep::Apart)).chain(together)
    }

    pub fn are_apart(&self, one: ParticipantId, other: ParticipantId) -> bool {
        self.apart.contains(&ordered(one, other))
    }

    /// Wishes in all, for a limit on them.
    pub fn wishes(&self) -> usize {
        self.apart.len() + self.together.len() + self.pinned.len()
    }
}

fn ordered(one: ParticipantId, other: ParticipantId) -> (ParticipantId, ParticipantId) {
    (one.min(other), one.max(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: ParticipantId = ParticipantId(1);
    const BOB: ParticipantId = ParticipantId(2);
    const CHAO: ParticipantId = ParticipantId(3);

    #[test]
    fn a_meeting_counts_for_both() {
        let mut met = Meetings::default();
        met.met_all(&[CHAO, ALICE, BOB]);
        met.met_each(BOB, &[ALICE, BOB]);
        assert_eq!(met.times(ALICE, BOB), 2);
        assert_eq!(met.times(BOB, ALICE), 2);
        assert_eq!(met.times(CHAO, ALICE), 1);
        assert_eq!(met.times(BOB, BOB), 0);
        assert_eq!(met.repeats(), 1);
    }

    #[test]
    fn the_last_wish_about_two_people_holds() {
        let mut mixing = Mixing::default();
        mixing.keep([BOB, ALICE], Keep::Apart);
        assert!(mixing.are_apart(ALICE, BOB));
        mixing.keep([ALICE, BOB], Keep::Together);
        assert!(!mixing.are_apart(ALICE, BOB) && mixing.wishes() == 1);
        mixing.keep([ALICE, BOB], Keep::AsItComes);
        assert_eq!(mixing, Mixing::default());
    }
}
