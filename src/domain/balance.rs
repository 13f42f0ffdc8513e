//! How evenly one room talks: from spans of voice and of presence to what may be shown of it. It counts;
//! it never judges, ranks or names, and lets nobody but the person see a person's figures.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    conversation::{Conversation, Part},
    evenness,
    ids::{ParticipantId, RoomId},
    limits::{
        BALANCE_AFTER_MS, BALANCE_VOICE_MIN_MS, INVITES_FROM, LEVEL_UNSURE_MS, VOICE_SPANS_MAX,
    },
    message::{BalanceView, OwnTalk, RoomBalance, RoundView},
    time::{SessionTime, Span},
    timeline::Timeline,
};

/// The voices of one room since its people were last brought together.
#[derive(Clone, Debug)]
pub struct Balance {
    since: SessionTime,
    /// Somebody listens here beside the levels: voice activity detection has found a voice.
    ears: bool,
    voices: BTreeMap<ParticipantId, Voice>,
    /// How long each has been in the room, but for those there now.
    stayed_ms: BTreeMap<ParticipantId, u64>,
    there: BTreeSet<ParticipantId>,
    there_since: SessionTime,
    /// How long there have been two or more, but for those there now.
    together_ms: u64,
}

#[derive(Clone, Debug, Default)]
struct Voice {
    /// From audio levels, of time in which nobody else listens: rough, and all there is.
    levels: Timeline,
    /// From audio levels, of time in which voice activity detection listens too: known within half a
    /// second, until it says better.
    unsure: Timeline,
    /// From voice activity detection: known seconds later, right.
    utterances: Timeline,
    /// Speaking now, by level, since then.
    since: Option<SessionTime>,
    listened_to: bool,
    /// Talk time of spans too old to keep.
    settled_ms: u64,
}

/// What each present person has had of the talk, and the room as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    lasted_ms: u64,
    together_ms: u64,
    conversation: Conversation,
    /// How long each has been there. Silent people are in it.
    stayed_ms: BTreeMap<ParticipantId, u64>,
}

impl Balance {
    /// Of people who are together from `since` on.
    pub fn new(since: SessionTime) -> Self {
        Self {
            since,
            ears: false,
            voices: BTreeMap::new(),
            stayed_ms: BTreeMap::new(),
            there: BTreeSet::new(),
            there_since: since,
            together_ms: 0,
        }
    }

    /// These people are in the room from now on, and connected.
    pub fn attend(&mut self, there: BTreeSet<ParticipantId>, now: SessionTime) {
        self.together_ms = self.together_ms(now);
        let ms = now.since_ms(self.there_since);
        for id in std::mem::replace(&mut self.there, there) {
            *self.stayed_ms.entry(id).or_default() += ms;
        }
        self.there_since = now;
    }

    /// Whether there is anybody to talk with.
    pub fn are_together(&self) -> bool {
        2 <= self.there.len()
    }

    /// For how much longer nothing is to be said, if they stay together, in ms.
    pub fn early_ms(&self, now: SessionTime) -> u64 {
        BALANCE_AFTER_MS.saturating_sub(self.together_ms(now))
    }

    fn together_ms(&self, now: SessionTime) -> u64 {
        self.together_ms + if self.are_together() { now.since_ms(self.there_since) } else { 0 }
    }

    /// Voice activity detection works in this session: of who is listened to, what only the levels take
    /// for a voice is none.
    pub fn has_ears(&mut self) {
        self.ears = true;
    }

    /// Voice activity detection listens to the person from now on, or does not.
    pub fn listens(&mut self, participant: ParticipantId, on: bool, now: SessionTime) {
        let voice = self.voices.entry(participant).or_default();
        if voice.listened_to != on {
            voice.end_level(now);
            voice.since = voice.since.map(|_| now);
            voice.listened_to = on;
        }
    }

    /// A person's audio level says: speaking since then, or no longer than until then.
    pub fn speaking(&mut self, participant: ParticipantId, on: bool, at: SessionTime) {
        let voice = self.voices.entry(participant).or_default();
        if on {
            voice.since.get_or_insert(at.max(self.since));
        } else {
            voice.end_level(at);
            voice.since = None;
            if self.ears {
                voice.unsure.cut_before(at - LEVEL_UNSURE_MS);
            }
        }
    }

    /// Voice activity detection has found an utterance, with `voice` in these parts of it: what the levels
    /// said of the time until its end is over with. What was said before these people came together is
    /// not theirs.
    pub fn uttered(&mut self, participant: ParticipantId, span: Span, voice: &[Span]) {
        if span.start < self.since {
            return;
        }
        let heard = self.voices.entry(participant).or_default();
        heard.unsure.cut_before(span.end);
        if heard.listened_to {
            heard.since = heard.since.map(|it| it.max(span.end));
        }
        voice.iter().for_each(|it| heard.utterances.insert(*it));
        heard.settle();
    }

    /// Whether somebody's level says they speak now.
    pub fn is_live(&self) -> bool {
        self.voices.values().any(|it| it.since.is_some())
    }

    /// Talk of the `present` (silent ones included, those gone left out) until `now`.
    pub fn summary(&self, present: &[ParticipantId], now: SessionTime) -> Summary {
        let voices: BTreeMap<ParticipantId, Timeline> =
            present.iter().map(|id| (*id, self.timeline(*id, now))).collect();
        let mut conversation = Conversation::of(&voices);
        for (id, part) in &mut conversation.people {
            part.talk_ms += self.voices.get(id).map_or(0, |it| it.settled_ms);
        }
        let stayed_ms = |id: &ParticipantId| {
            let before = self.stayed_ms.get(id).copied().unwrap_or(0);
            before + if self.there.contains(id) { now.since_ms(self.there_since) } else { 0 }
        };
        Summary {
            lasted_ms: now.since_ms(self.since),
            together_ms: self.together_ms(now),
            conversation,
            stayed_ms: present.iter().map(|id| (*id, stayed_ms(id))).collect(),
        }
    }

    /// When the person has talked, as far as is known by now.
    fn timeline(&self, participant: ParticipantId, now: SessionTime) -> Timeline {
        let Some(voice) = self.voices.get(&participant) else { return Timeline::default() };
        let mut unsure = voice.unsure.clone();
        let mut open = voice.since.map(|since| Span::new(since, now));
        if self.ears {
            let oldest = now - LEVEL_UNSURE_MS;
            unsure.cut_before(oldest);
            if voice.listened_to {
                open = open.map(|it| Span::new(it.start.max(oldest), it.end));
            }
        }
        let sure = voice.levels.spans().iter().chain(voice.utterances.spans());
        sure.chain(unsure.spans()).copied().chain(open).collect()
    }
}

impl Voice {
    /// The levels' voice was on until then.
    fn end_level(&mut self, at: SessionTime) {
        let Some(since) = self.since else { return };
        let spans = if self.listened_to { &mut self.unsure } else { &mut self.levels };
        spans.insert(Span::new(since, at));
        self.settle();
    }

    fn settle(&mut self) {
        for spans in [&mut self.levels, &mut self.unsure, &mut self.utterances] {
            while VOICE_SPANS_MAX < spans.spans().len() {
                self.settled_ms += spans.pop_first().map_or(0, Span::ms);
            }
        }
    }
}

impl Summary {
    /// Whether there is enough to say anything: a picture of the first minutes would be noise, and
    /// would make people look at it instead of at one another.
    pub fn is_due(&self) -> bool {
        let talk_ms: u64 = self.parts().map(|it| it.talk_ms).sum();
        BALANCE_AFTER_MS <= self.together_ms && BALANCE_VOICE_MIN_MS <= talk_ms
    }

    pub fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    pub fn own(&self, participant: ParticipantId) -> OwnTalk {
        let Some(part) = self.conversation.people.get(&participant).copied() else {
            return OwnTalk::default();
        };
        let sum_ms: u64 = self.parts().map(|it| it.talk_ms).sum();
        let share = if sum_ms == 0 { 0.0 } else { part.talk_ms as f64 / sum_ms as f64 };
        let here = self.conversation.people.keys().position(|it| *it == participant);
        let ratio = here.and_then(|it| self.ratios().get(it).copied().flatten()).unwrap_or(0.0);
        let Part { talk_ms, turns, backchannels } = part;
        OwnTalk { talk_ms, turns, backchannels, share, ratio }
    }

    /// Each present person's share as a multiple of what their time in the room makes fair, in the
    /// order of their numbers.
    fn ratios(&self) -> Vec<Option<f64>> {
        let stayed: Vec<f64> = self.stayed_ms.values().map(|it| *it as f64).collect();
        evenness::share_ratios(&self.shares(), &stayed)
    }

    fn shares(&self) -> Vec<f64> {
        evenness::shares(&self.parts().map(|it| it.talk_ms as f64).collect::<Vec<_>>())
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        self.conversation.people.values()
    }

    /// Shares without names: largest first, so that the order tells nothing.
    fn shape(&self) -> Vec<f64> {
        let mut shares = self.shares();
        shares.sort_by(|a, b| b.total_cmp(a));
        shares
    }

    /// Whether the room may be asked from whom it has not heard yet: somebody has been there all the
    /// time that it takes and has not had the floor. In a pair that would point at one person.
    fn invites(&self) -> bool {
        let waits = |(id, part): (&ParticipantId, &Part)| {
            part.turns == 0 && self.stayed_ms.get(id).is_some_and(|it| BALANCE_AFTER_MS <= *it)
        };
        INVITES_FROM <= self.conversation.people.len() && self.conversation.people.iter().any(waits)
    }

    /// What `participant` may see: the room without names, and their own part.
    pub fn view(&self, participant: ParticipantId) -> BalanceView {
        let shares = self.shape();
        BalanceView {
            effective_voices: evenness::effective_voices(&shares),
            shares,
            invites: self.invites(),
            own: self.own(participant),
        }
    }

    /// What facilitators may see: the room, and nothing of any person.
    pub fn of_room(&self, room: RoomId) -> RoomBalance {
        let people = self.conversation.people.len();
        let turns: Vec<u32> = self.parts().map(|it| it.turns).collect();
        let count = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
        RoomBalance {
            room,
            people: count(people),
            heard: count(self.conversation.heard().count()),
            effective_voices: evenness::effective_voices(&self.shares()),
            evenness: evenness::evenness(&self.shares()),
            turns: self.conversation.turns(),
            turn_variance: evenness::turn_variance(&turns),
            mix: evenness::mix(self.conversation.followed.values().copied(), people),
            overlap: self.conversation.overlap_share(),
            backchannels: self.conversation.backchannels(),
            interruptions: self.conversation.interruptions,
        }
    }

    /// The round as those who were in it look back on it.
    pub fn look_back(&self, room: RoomId) -> RoundView {
        let shares = self.shape();
        RoundView { lasted_ms: self.lasted_ms, shares, room: self.of_room(room) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: ParticipantId = ParticipantId(1);
    const BOB: ParticipantId = ParticipantId(2);
    const CHAO: ParticipantId = ParticipantId(3);
    const DANA: ParticipantId = ParticipantId(4);
    const ALL: [ParticipantId; 4] = [ALICE, BOB, CHAO, DANA];

    fn utters(balance: &mut Balance, who: ParticipantId, start: u64, end: u64) {
        let span = Span::new(SessionTime(start), SessionTime(end));
        balance.uttered(who, span, &[span]);
    }

    fn room(spans: &[(ParticipantId, u64, u64)]) -> Summary {
        let mut balance = Balance::new(SessionTime::ZERO);
        balance.attend(ALL.into(), SessionTime::ZERO);
        for (who, start, end) in spans {
            utters(&mut balance, *who, *start, *end);
        }
        balance.summary(&ALL, SessionTime(240_000))
    }

    #[test]
    fn four_equal_voices_are_four_voices() {
        let summary = room(&[
            (ALICE, 0, 60_000),
            (BOB, 60_000, 120_000),
            (CHAO, 120_000, 180_000),
            (DANA, 180_000, 240_000),
        ]);
        let view = summary.view(BOB);
        assert!((view.effective_voices - 4.0).abs() < 1e-9);
        assert_eq!(view.shares, vec![0.25; 4]);
        let own = OwnTalk { talk_ms: 60_000, turns: 1, backchannels: 0, share: 0.25, ratio: 1.0 };
        assert_eq!(view.own, own);
        assert!(!view.invites && summary.is_due());
        let host = summary.of_room(RoomId::Main);
        assert_eq!((host.people, host.heard, host.turns, host.turn_variance), (4, 4, 4, 0.0));
    }

    #[test]
    fn a_silent_person_is_counted_and_the_order_of_shares_tells_nobody() {
        let summary = room(&[(CHAO, 0, 30_000), (ALICE, 40_000, 50_000)]);
        let view = summary.view(DANA);
        assert_eq!(view.shares, vec![0.75, 0.25, 0.0, 0.0]);
        assert_eq!(view.own, OwnTalk::default());
        assert!(view.invites, "the room is asked from whom it has not heard");
        assert_eq!(summary.of_room(RoomId::Main).heard, 2);
    }

    #[test]
    fn nobody_has_spoken() {
        let summary = room(&[]);
        let view = summary.view(ALICE);
        assert_eq!(view.shares, vec![0.0; 4]);
        assert_eq!(view.effective_voices, 0.0);
        assert!(!summary.is_due());
    }

    #[test]
    fn who_came_late_is_measured_by_the_time_they_had() {
        let mut balance = Balance::new(SessionTime::ZERO);
        balance.attend([ALICE, BOB].into(), SessionTime::ZERO);
        balance.attend([ALICE, BOB, CHAO].into(), SessionTime(120_000));
        for (who, start, end) in
            [(ALICE, 0, 40_000), (BOB, 40_000, 80_000), (CHAO, 200_000, 220_000)]
        {
            utters(&mut balance, who, start, end);
        }
        let summary = balance.summary(&[ALICE, BOB, CHAO], SessionTime(240_000));
        for who in [ALICE, BOB, CHAO] {
            assert!((summary.own(who).ratio - 1.0).abs() < 1e-9, "{who}: {:?}", summary.own(who));
        }
        assert_eq!(summary.own(CHAO).share, 0.2);
    }

    #[test]
    fn nobody_is_invited_who_has_just_come_nor_in_a_pair() {
        let mut balance = Balance::new(SessionTime::ZERO);
        balance.attend([ALICE, BOB].into(), SessionTime::ZERO);
        utters(&mut balance, ALICE, 0, 60_000);
        let pair = balance.summary(&[ALICE, BOB], SessionTime(200_000));
        assert!(!pair.view(ALICE).invites);
        utters(&mut balance, BOB, 60_000, 90_000);
        balance.attend([ALICE, BOB, CHAO].into(), SessionTime(200_000));
        let with_chao =
            |at| balance.summary(&[ALICE, BOB, CHAO], SessionTime(at)).view(CHAO).invites;
        assert!(!with_chao(210_000) && with_chao(320_000));
    }

    /// Alice's talk time by then, in ms.
    fn talk_ms(balance: &Balance, at: u64) -> u64 {
        balance.summary(&[ALICE], SessionTime(at)).own(ALICE).talk_ms
    }

    /// A room in which voice detection works and listens to Alice, since 500 ms.
    fn with_ears() -> Balance {
        let mut balance = Balance::new(SessionTime(500));
        balance.has_ears();
        balance.listens(ALICE, true, SessionTime(500));
        balance
    }

    #[test]
    fn voice_detection_corrects_the_levels_and_leaves_other_groups_alone() {
        let mut balance = with_ears();
        balance.speaking(ALICE, true, SessionTime(1_000));
        assert!(balance.is_live());
        assert_eq!(talk_ms(&balance, 3_000), 2_000);
        balance.speaking(ALICE, false, SessionTime(6_000));
        utters(&mut balance, ALICE, 1_200, 5_200);
        assert_eq!(talk_ms(&balance, 9_000), 4_000 + 800, "after its end only the levels know");
        utters(&mut balance, ALICE, 7_000, 8_000);
        // Said in the room before, written down late.
        utters(&mut balance, ALICE, 100, 900);
        assert_eq!(talk_ms(&balance, 9_000), 5_000);
    }

    #[test]
    fn voice_detection_is_right_also_when_it_comes_before_the_levels() {
        let mut balance = with_ears();
        balance.speaking(ALICE, true, SessionTime(1_000));
        utters(&mut balance, ALICE, 1_000, 5_000);
        assert_eq!(talk_ms(&balance, 5_200), 4_200, "she goes on, as far as is known");
        balance.speaking(ALICE, false, SessionTime(5_000));
        assert_eq!(talk_ms(&balance, 5_500), 4_000);
    }

    #[test]
    fn pauses_inside_an_utterance_are_no_talk() {
        let mut balance = with_ears();
        let span = |start, end| Span::new(SessionTime(start), SessionTime(end));
        balance.uttered(
            ALICE,
            span(1_000, 5_000),
            &[span(1_000, 2_500), span(2_900, 4_000), span(4_200, 5_000)],
        );
        assert_eq!(talk_ms(&balance, 9_000), 1_500 + 2_100, "but one of 200 ms is no pause");
    }

    #[test]
    fn a_keyboard_is_no_voice_where_somebody_listens() {
        let mut balance = with_ears();
        let types = |balance: &mut Balance, from| {
            balance.speaking(ALICE, true, SessionTime(from));
            balance.speaking(ALICE, false, SessionTime(from + 5_000));
        };
        types(&mut balance, 10_000);
        assert_eq!(talk_ms(&balance, 16_000), 5_000);
        assert_eq!(talk_ms(&balance, 10_000 + LEVEL_UNSURE_MS), 5_000);
        assert_eq!(talk_ms(&balance, 15_000 + LEVEL_UNSURE_MS), 0);
        // Who has said no is not listened to: only the levels can tell.
        balance.listens(ALICE, false, SessionTime(40_000));
        types(&mut balance, 40_000);
        assert_eq!(talk_ms(&balance, 100_000), 5_000);
        balance.listens(ALICE, true, SessionTime(100_000));
        utters(&mut balance, ALICE, 110_000, 111_000);
        assert_eq!(talk_ms(&balance, 200_000), 6_000);
    }

    #[test]
    fn without_a_model_the_levels_are_all_there_is() {
        let mut balance = Balance::new(SessionTime::ZERO);
        balance.listens(ALICE, true, SessionTime::ZERO);
        balance.speaking(ALICE, true, SessionTime(1_000));
        balance.speaking(ALICE, false, SessionTime(3_000));
        assert_eq!(talk_ms(&balance, 60_000), 2_000);
    }

    #[test]
    fn the_first_two_minutes_together_say_nothing() {
        let mut balance = Balance::new(SessionTime::ZERO);
        balance.attend([ALICE].into(), SessionTime::ZERO);
        balance.attend([ALICE, BOB].into(), SessionTime(60_000));
        utters(&mut balance, ALICE, 60_000, 100_000);
        assert!(!balance.summary(&[ALICE, BOB], SessionTime(179_999)).is_due());
        assert!(balance.summary(&[ALICE, BOB], SessionTime(180_000)).is_due());
    }
}
