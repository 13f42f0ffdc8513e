//! What people do in a room beside speaking: raise a hand, react, post, call for help, share a screen.
//! Each belongs to the room it was done in and ends with its person's move. It tells nobody, and of
//! all of it only calls and kept posts are in the log.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::domain::{
    ids::{ParticipantId, RoomId},
    limits::{
        BROADCASTS_MAX, CALLS_MAX, MARKS_PERSON_MAX, POSTS_PERSON_MAX, POSTS_REMEMBERED,
        POSTS_ROOM_MAX, POSTS_WITHIN_MS, REACTIONS_PERSON_MAX, REACTIONS_ROOM_MAX,
        REACTIONS_WITHIN_MS, TYPED_PERSON_MAX, TYPED_ROOM_MAX,
    },
    time::SessionTime,
};

/// What a person may show for a moment. Few, so that each is understood at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reaction {
    Clap,
    Heart,
    Laugh,
    Wonder,
    ThumbsUp,
}

impl Reaction {
    pub const ALL: [Reaction; 5] =
        [Reaction::Clap, Reaction::Heart, Reaction::Laugh, Reaction::Wonder, Reaction::ThumbsUp];
}

/// Something written to a room, or by a facilitator to all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// `None`: a facilitator, to everybody.
    pub by: Option<ParticipantId>,
    /// As they were called then; empty for a facilitator.
    pub name: String,
    pub at: SessionTime,
    pub text: String,
    /// Whether it is in the log.
    pub kept: bool,
}

/// Somebody waits for a facilitator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    pub by: ParticipantId,
    /// Where they called from.
    pub room: RoomId,
    pub since: SessionTime,
    /// A facilitator has said that they know.
    pub seen: bool,
}

/// At most so many in any stretch of so long, counted for each key. Not kept: after a restart all
/// may begin anew.
#[derive(Clone, Debug)]
struct Pace<K> {
    many: usize,
    within_ms: u64,
    times: BTreeMap<K, VecDeque<SessionTime>>,
}

impl<K: Ord + Copy> Pace<K> {
    fn new(many: usize, within_ms: u64) -> Self {
        Self { many, within_ms, times: BTreeMap::new() }
    }

    fn has_room(&mut self, now: SessionTime, key: K) -> bool {
        let times = self.times.entry(key).or_default();
        while times.front().is_some_and(|it| self.within_ms <= now.since_ms(*it)) {
            times.pop_front();
        }
        times.len() < self.many
    }

    fn count(&mut self, now: SessionTime, key: K) {
        self.times.entry(key).or_default().push_back(now);
    }
}

#[derive(Clone, Debug)]
pub struct Talk {
    /// In the order in which they went up.
    hands: Vec<(ParticipantId, RoomId)>,
    sharers: BTreeMap<RoomId, ParticipantId>,
    /// In the order in which they came.
    calls: Vec<Call>,
    posts: BTreeMap<RoomId, VecDeque<Post>>,
    posts_of: Pace<ParticipantId>,
    posts_in: Pace<RoomId>,
    broadcasts: Pace<()>,
    reactions_of: Pace<ParticipantId>,
    reactions_in: Pace<RoomId>,
    calls_of: Pace<ParticipantId>,
    marks_of: Pace<ParticipantId>,
    typed_by: Pace<ParticipantId>,
    typed_in: Pace<RoomId>,
}

impl Default for Talk {
    fn default() -> Self {
        Self {
            hands: Vec::new(),
            sharers: BTreeMap::new(),
            calls: Vec::new(),
            posts: BTreeMap::new(),
            posts_of: Pace::new(POSTS_PERSON_MAX, POSTS_WITHIN_MS),
            posts_in: Pace::new(POSTS_ROOM_MAX, POSTS_WITHIN_MS),
            broadcasts: Pace::new(BROADCASTS_MAX, POSTS_WITHIN_MS),
            reactions_of: Pace::new(REACTIONS_PERSON_MAX, REACTIONS_WITHIN_MS),
            reactions_in: Pace::new(REACTIONS_ROOM_MAX, REACTIONS_WITHIN_MS),
            calls_of: Pace::new(CALLS_MAX, POSTS_WITHIN_MS),
            marks_of: Pace::new(MARKS_PERSON_MAX, POSTS_WITHIN_MS),
            typed_by: Pace::new(TYPED_PERSON_MAX, POSTS_WITHIN_MS),
            typed_in: Pace::new(TYPED_ROOM_MAX, POSTS_WITHIN_MS),
        }
    }
}

impl Talk {
    // Hands.

    /// Who has a hand up in a room, in the order in which they went up.
    pub fn hands_in(&self, room: RoomId) -> impl Iterator<Item = ParticipantId> + '_ {
        self.hands.iter().filter(move |it| it.1 == room).map(|it| it.0)
    }

    /// `false`: it was so already.
    pub fn raise(&mut self, participant: ParticipantId, room: RoomId) -> bool {
        let is_up = self.hands.iter().any(|it| it.0 == participant);
        if !is_up {
            self.hands.push((participant, room));
        }
        !is_up
    }

    /// `false`: it was not up.
    pub fn lower(&mut self, participant: ParticipantId) -> bool {
        let before = self.hands.len();
        self.hands.retain(|it| it.0 != participant);
        self.hands.len() < before
    }

    // Screens.

    pub fn sharer_in(&self, room: RoomId) -> Option<ParticipantId> {
        self.sharers.get(&room).copied()
    }

    pub fn sharers(&self) -> impl Iterator<Item = ParticipantId> + '_ {
        self.sharers.values().copied()
    }

    pub fn share(&mut self, participant: ParticipantId, room: RoomId) {
        self.sharers.insert(room, participant);
    }

    /// `false`: they did not share.
    pub fn unshare(&mut self, participant: ParticipantId) -> bool {
        let before = self.sharers.len();
        self.sharers.retain(|_, it| *it != participant);
        self.sharers.len() < before
    }

    // Calls for help.

    /// In the order in which they came.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    pub fn call_of(&self, participant: ParticipantId) -> Option<&Call> {
        self.calls.iter().find(|it| it.by == participant)
    }

    pub fn calls_in(&self, room: RoomId) -> impl Iterator<Item = &Call> + '_ {
        self.calls.iter().filter(move |it| it.room == room)
    }

    /// Counts a call; `false`: it is too many.
    pub fn may_call(&mut self, now: SessionTime, participant: ParticipantId) -> bool {
        let free = self.calls_of.has_room(now, participant);
        if free {
            self.calls_of.count(now, participant);
        }
        free
    }

    /// Counts a mark that is set or taken back; `false`: it is too many.
    pub fn may_mark(&mut self, now: SessionTime, participant: ParticipantId) -> bool {
        let free = self.marks_of.has_room(now, participant);
        if free {
            self.marks_of.count(now, participant);
        }
        free
    }

    /// Counts a change of a room's sheet; `false`: it is too many, of the person or of the room.
    pub fn may_type(&mut self, now: SessionTime, by: ParticipantId, room: RoomId) -> bool {
        let free = self.typed_by.has_room(now, by) && self.typed_in.has_room(now, room);
        if free {
            self.typed_by.count(now, by);
            self.typed_in.count(now, room);
        }
        free
    }

    pub fn called(&mut self, call: Call) {
        self.calls.retain(|it| it.by != call.by);
        self.calls.push(call);
    }

    pub fn call_seen(&mut self, participant: ParticipantId) {
        self.calls.iter_mut().filter(|it| it.by == participant).for_each(|it| it.seen = true);
    }

    pub fn call_ended(&mut self, participant: ParticipantId) {
        self.calls.retain(|it| it.by != participant);
    }

    // Posts.

    /// What has been written in a room, oldest first.
    pub fn posts_in(&self, room: RoomId) -> Vec<Post> {
        self.posts.get(&room).into_iter().flatten().cloned().collect()
    }

    /// Counts a post; `false`: it is too many, of the person or of the room.
    pub fn may_post(&mut self, now: SessionTime, by: ParticipantId, room: RoomId) -> bool {
        let free = self.posts_of.has_room(now, by) && self.posts_in.has_room(now, room);
        if free {
            self.posts_of.count(now, by);
            self.posts_in.count(now, room);
        }
        free
    }

    /// Counts what is written to all; `false`: it is too many.
    pub fn may_broadcast(&mut self, now: SessionTime) -> bool {
        let free = self.broadcasts.has_room(now, ());
        if free {
            self.broadcasts.count(now, ());
        }
        free
    }

    pub fn post(&mut self, room: RoomId, post: Post) {
        let posts = self.posts.entry(room).or_default();
        posts.push_back(post);
        if POSTS_REMEMBERED < posts.len() {
            posts.pop_front();
        }
    }

    /// Rooms in which something has been written.
    pub fn rooms_with_posts(&self) -> BTreeSet<RoomId> {
        self.posts.keys().copied().collect()
    }

    pub fn forget_posts(&mut self) {
        self.posts.clear();
    }

    // Reactions.

    /// Counts a reaction; `false`: it is too many, of the person or of the room.
    pub fn may_react(&mut self, now: SessionTime, by: ParticipantId, room: RoomId) -> bool {
        let free = self.reactions_of.has_room(now, by) && self.reactions_in.has_room(now, room);
        if free {
            self.reactions_of.count(now, by);
            self.reactions_in.count(now, room);
        }
        free
    }

    /// People have moved: what they did elsewhere is over, and what was written in a room that is
    /// empty now is forgotten. `places`: where everybody is.
    pub fn follow(&mut self, places: &BTreeMap<ParticipantId, RoomId>) {
        let is_there = |who: ParticipantId, room: RoomId| places.get(&who) == Some(&room);
        self.hands.retain(|(who, room)| is_there(*who, *room));
        self.sharers.retain(|room, who| is_there(*who, *room));
        self.calls.retain(|it| is_there(it.by, it.room));
        if !self.posts.is_empty() {
            let rooms: BTreeSet<_> = places.values().collect();
            self.posts.retain(|room, _| rooms.contains(room));
        }
    }
}

/// A text as others will read it. `None`: empty, longer than `chars_max`, or with characters that
/// control a machine. Joiners stay, as emoji and whole languages need them; what else shows as nothing,
/// or turns the direction of what follows, goes.
pub fn clean_text(text: &str, chars_max: usize) -> Option<String> {
    let text = text.trim().replace("\r\n", "\n").replace('\t', " ");
    if text.chars().any(|it| it.is_control() && it != '\n') {
        return None;
    }
    let shown = |it: &char| matches!(*it, '\n' | '\u{200c}' | '\u{200d}') || !is_invisible(*it);
    let text: String = text.chars().filter(shown).collect();
    let text = text.trim_matches(|it: char| it.is_whitespace() || is_joiner(it));
    (1..=chars_max).contains(&text.chars().count()).then(|| text.to_owned())
}

/// Control characters, those that turn the direction of text, and those that show as nothing.
pub fn is_invisible(it: char) -> bool {
    it.is_control()
        || matches!(it, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

fn is_joiner(it: char) -> bool {
    matches!(it, '\u{200c}' | '\u{200d}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::limits::POST_CHARS_MAX;

    const ALICE: ParticipantId = ParticipantId(1);
    const BOB: ParticipantId = ParticipantId(2);
    const ONE: RoomId = RoomId::Breakout(1);

    #[test]
    fn a_pace_is_kept_in_every_stretch_of_its_length() {
        let mut pace = Pace::new(2, 100);
        let mut tries = |ms| {
            let free = pace.has_room(SessionTime(ms), ALICE);
            if free {
                pace.count(SessionTime(ms), ALICE);
            }
            free
        };
        assert_eq!(
            [0, 99, 99, 100, 198, 199].map(&mut tries),
            [true, true, false, true, false, true]
        );
        assert!(pace.has_room(SessionTime(200), BOB), "each for themselves");
    }

    #[test]
    fn what_was_done_in_a_room_ends_with_the_move() {
        let mut talk = Talk::default();
        for who in [ALICE, BOB] {
            assert!(talk.raise(who, ONE));
            assert!(!talk.raise(who, ONE));
            talk.called(Call { by: who, room: ONE, since: SessionTime(0), seen: false });
        }
        talk.share(ALICE, ONE);
        let post = |text: &str| Post {
            by: Some(ALICE),
            name: "Alice".into(),
            at: SessionTime(0),
            text: text.into(),
            kept: false,
        };
        (0..=POSTS_REMEMBERED).for_each(|it| talk.post(ONE, post(&it.to_string())));
        assert_eq!(talk.posts_in(ONE).len(), POSTS_REMEMBERED);
        assert_eq!(talk.posts_in(ONE)[0].text, "1", "the oldest goes first");
        talk.follow(&BTreeMap::from([(ALICE, RoomId::Main), (BOB, ONE)]));
        assert_eq!(talk.hands_in(ONE).collect::<Vec<_>>(), [BOB]);
        assert_eq!(talk.calls().iter().map(|it| it.by).collect::<Vec<_>>(), [BOB]);
        assert_eq!(talk.sharer_in(ONE), None);
        assert_eq!(talk.posts_in(ONE).len(), POSTS_REMEMBERED, "Bob is there still");
        talk.follow(&BTreeMap::from([(ALICE, RoomId::Main)]));
        assert!(talk.posts_in(ONE).is_empty() && talk.hands_in(ONE).next().is_none());
    }

    #[test]
    fn posts_are_cleaned_or_refused() {
        let clean = |text: &str| clean_text(text, POST_CHARS_MAX);
        assert_eq!(clean("  Hei\r\nkaikki\t! \n"), Some("Hei\nkaikki !".to_owned()));
        assert_eq!(clean("a\u{200b}b"), Some("ab".to_owned()));
        assert_eq!(clean("👩\u{200d}👧"), Some("👩\u{200d}👧".to_owned()));
        assert_eq!(clean(&"ä".repeat(POST_CHARS_MAX)).map(|it| it.len()), Some(2 * POST_CHARS_MAX));
        let long = "ä".repeat(POST_CHARS_MAX + 1);
        for bad in ["", " \n ", "\u{200b}", "\u{200d}", "a\0b", "a\u{1b}[2J", "a\u{85}b", &long] {
            assert_eq!(clean(bad), None, "{bad:?}");
        }
    }
}
