//! What happened in a conversation, from who spoke when: talk, turns, backchannels, overlap,
//! interruptions, and who followed whom. It counts; it never judges, ranks or names.
//!
//! Terms after Sacks, Schegloff & Jefferson (1974) and Yngve (1970). Silences shorter than
//! `VOICE_GAP_MS` are closed and voices shorter than `VOICE_MIN_MS` dropped before anything is counted.
//!
//! * A *backchannel* is a voice of at most `BACKCHANNEL_MAX_MS` wholly inside another's, who goes on for
//!   at least `BACKCHANNEL_AFTER_MS`. It is no talk and no turn: support given, from one to the other.
//! * The *floor* is somebody's once a voice of theirs that is no backchannel has lasted `TURN_ALONE_MS`
//!   alone, and until the same is true of somebody else. That stretch is a *turn*.
//! * An *interruption* begins while another holds the floor and speaks. It is successful when the other
//!   stops within `INTERRUPTION_MS` and the new voice goes on for at least as long after that. Latency
//!   and culture make it noisy: it is only ever shown in aggregate.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    ids::ParticipantId,
    limits::{
        BACKCHANNEL_AFTER_MS, BACKCHANNEL_MAX_MS, INTERRUPTION_MS, TURN_ALONE_MS, VOICE_GAP_MS,
        VOICE_MIN_MS,
    },
    time::{SessionTime, Span},
    timeline::Timeline,
};

/// What was counted. Everybody who was asked about is in it, also who was silent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversation {
    pub people: BTreeMap<ParticipantId, Part>,
    /// Time in which anybody talked.
    pub talk_ms: u64,
    /// Time in which two or more talked at once.
    pub overlap_ms: u64,
    pub interruptions: Interruptions,
    /// How often a turn of the second came directly after one of the first.
    pub followed: BTreeMap<(ParticipantId, ParticipantId), u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    pub talk_ms: u64,
    pub turns: u32,
    /// Given to others.
    pub backchannels: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interruptions {
    pub successful: u32,
    pub unsuccessful: u32,
}

type Voices = BTreeMap<ParticipantId, Timeline>;

impl Conversation {
    /// Counts what the voices of a room tell.
    pub fn of(voices: &Voices) -> Conversation {
        let voices: Voices =
            voices.iter().map(|(id, it)| (*id, it.smoothed(VOICE_GAP_MS, VOICE_MIN_MS))).collect();
        let mut counted = Conversation::default();
        let mut talk = Voices::new();
        for (id, own) in &voices {
            let part = counted.people.entry(*id).or_default();
            let spoken: Timeline = (own.spans().iter().copied())
                .filter(|span| match supports(*id, *span, &voices) {
                    true => {
                        part.backchannels += 1;
                        false
                    }
                    false => true,
                })
                .collect();
            part.talk_ms = spoken.total_ms();
            talk.insert(*id, spoken);
        }
        let floor = counted.sweep(&talk);
        counted.count_interruptions(&talk, &floor);
        counted
    }

    /// Time with two or more voices as a part of that with any.
    pub fn overlap_share(&self) -> f64 {
        if self.talk_ms == 0 { 0.0 } else { self.overlap_ms as f64 / self.talk_ms as f64 }
    }

    /// Who has had the floor at least once.
    pub fn heard(&self) -> impl Iterator<Item = ParticipantId> + '_ {
        self.people.iter().filter(|it| 0 < it.1.turns).map(|it| *it.0)
    }

    pub fn turns(&self) -> u32 {
        self.people.values().map(|it| it.turns).sum()
    }

    pub fn backchannels(&self) -> u32 {
        self.people.values().map(|it| it.backchannels).sum()
    }

    /// Goes through time once. Returns who came to have the floor and since when, in order.
    fn sweep(&mut self, talk: &Voices) -> Vec<(SessionTime, ParticipantId)> {
        let mut edges: Vec<(SessionTime, bool, ParticipantId)> = talk
            .iter()
            .flat_map(|(id, voice)| voice.spans().iter().map(move |it| (*id, *it)))
            .flat_map(|(id, span)| [(span.start, true, id), (span.end, false, id)])
            .collect();
        edges.sort();
        let mut floor: Vec<(SessionTime, ParticipantId)> = Vec::new();
        let mut speaking = BTreeSet::new();
        let mut since = SessionTime::ZERO;
        for (at, begins, id) in edges {
            let ms = at.since_ms(since);
            if !speaking.is_empty() {
                self.talk_ms += ms;
            }
            if 1 < speaking.len() {
                self.overlap_ms += ms;
            }
            if let (Some(alone), 1) = (speaking.first(), speaking.len())
                && TURN_ALONE_MS <= ms
                && floor.last().map(|it| it.1) != Some(*alone)
            {
                self.take_floor(floor.last().map(|it| it.1), *alone);
                floor.push((since, *alone));
            }
            if begins {
                speaking.insert(id)
            } else {
                speaking.remove(&id)
            };
            since = at;
        }
        floor
    }

    fn take_floor(&mut self, from: Option<ParticipantId>, to: ParticipantId) {
        self.people.entry(to).or_default().turns += 1;
        if let Some(from) = from {
            *self.followed.entry((from, to)).or_default() += 1;
        }
    }

    fn count_interruptions(&mut self, talk: &Voices, floor: &[(SessionTime, ParticipantId)]) {
        for (id, voice) in talk {
            for span in voice.spans() {
                let held = floor.partition_point(|it| it.0 < span.start);
                let holder = held.checked_sub(1).and_then(|it| floor.get(it)).map(|it| it.1);
                let Some(holder) = holder.filter(|it| it != id) else { continue };
                let Some(other) = talk.get(&holder).and_then(|it| it.at(span.start)) else {
                    continue;
                };
                let gives_way = other.end <= span.start + INTERRUPTION_MS;
                if gives_way && other.end + INTERRUPTION_MS <= span.end {
                    self.interruptions.successful += 1;
                } else {
                    self.interruptions.unsuccessful += 1;
                }
            }
        }
    }
}

/// Whether a voice is a backchannel: short, and wholly inside another's.
fn supports(id: ParticipantId, span: Span, voices: &Voices) -> bool {
    let is_around = |voice: &Timeline| {
        voice.at(span.start).is_some_and(|it| {
            it.covers(span) && BACKCHANNEL_AFTER_MS <= it.end.since_ms(span.end) && it != span
        })
    };
    let mut others = voices.iter().filter(|it| *it.0 != id);
    span.ms() <= BACKCHANNEL_MAX_MS && others.any(|(_, voice)| is_around(voice))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALICE: ParticipantId = ParticipantId(1);
    const BOB: ParticipantId = ParticipantId(2);
    const CHAO: ParticipantId = ParticipantId(3);
    const DANA: ParticipantId = ParticipantId(4);

    fn voices(spans: &[(ParticipantId, u64, u64)]) -> Voices {
        let mut voices: Voices =
            [ALICE, BOB, CHAO, DANA].map(|it| (it, Timeline::default())).into();
        for (who, start, end) in spans {
            let span = Span::new(SessionTime(*start), SessionTime(*end));
            voices.entry(*who).or_default().insert(span);
        }
        voices
    }

    fn talk(spans: &[(ParticipantId, u64, u64)]) -> Conversation {
        Conversation::of(&voices(spans))
    }

    fn turns(of: &Conversation) -> [u32; 4] {
        [ALICE, BOB, CHAO, DANA].map(|it| of.people[&it].turns)
    }

    #[test]
    fn a_short_yes_inside_anothers_voice_is_support_and_no_turn() {
        let it = talk(&[(ALICE, 0, 10_000), (BOB, 4_000, 4_600)]);
        assert_eq!(it.people[&BOB], Part { talk_ms: 0, turns: 0, backchannels: 1 });
        assert_eq!((it.talk_ms, it.overlap_ms), (10_000, 0));
        // At the very end of the other's voice it is an answer, not a backchannel.
        let it = talk(&[(ALICE, 0, 10_000), (BOB, 9_400, 9_950)]);
        assert_eq!(it.people[&BOB], Part { talk_ms: 550, turns: 0, backchannels: 0 });
        assert_eq!(it.overlap_ms, 550);
        // So it is when it takes longer than a second.
        let it = talk(&[(ALICE, 0, 10_000), (BOB, 4_000, 5_001)]);
        assert_eq!(it.people[&BOB].backchannels, 0);
    }

    #[test]
    fn the_floor_changes_hands_after_a_second_alone() {
        let it = talk(&[
            (ALICE, 0, 5_000),
            (BOB, 4_500, 5_900), // alone for 0.9 s: no turn
            (ALICE, 6_000, 9_000),
            (BOB, 8_500, 12_000), // alone for 3 s: a turn
            (ALICE, 13_000, 20_000),
        ]);
        assert_eq!(turns(&it), [2, 1, 0, 0]);
        assert_eq!(it.followed, BTreeMap::from([((ALICE, BOB), 1), ((BOB, ALICE), 1)]));
    }

    #[test]
    fn a_pause_inside_a_turn_does_not_end_it_and_a_cough_is_nothing() {
        let it = talk(&[
            (ALICE, 0, 4_000),
            (ALICE, 6_000, 9_000),
            (CHAO, 5_000, 5_200),
            (ALICE, 9_299, 12_000), // a gap of less than 300 ms is no gap
        ]);
        assert_eq!(turns(&it), [1, 0, 0, 0]);
        assert_eq!(it.people[&ALICE].talk_ms, 4_000 + 6_000);
        assert_eq!(it.people[&CHAO], Part::default());
        assert_eq!(it.heard().collect::<Vec<_>>(), [ALICE]);
    }

    #[test]
    fn two_who_speak_at_once_both_talk_and_neither_takes_the_floor() {
        let it = talk(&[(ALICE, 0, 5_000), (BOB, 0, 5_000)]);
        assert_eq!(turns(&it), [0; 4]);
        assert_eq!((it.talk_ms, it.overlap_ms), (5_000, 5_000));
        assert_eq!(it.overlap_share(), 1.0);
    }

    #[test]
    fn an_interruption_succeeds_when_the_other_gives_way() {
        let gives_way = talk(&[(ALICE, 0, 6_000), (BOB, 5_000, 9_000)]);
        assert_eq!(gives_way.interruptions, Interruptions { successful: 1, unsuccessful: 0 });
        let goes_on = talk(&[(ALICE, 0, 12_000), (BOB, 5_000, 6_500)]);
        assert_eq!(goes_on.interruptions, Interruptions { successful: 0, unsuccessful: 1 });
        let after = talk(&[(ALICE, 0, 5_000), (BOB, 5_000, 9_000)]);
        assert_eq!(after.interruptions, Interruptions::default());
    }

    proptest! {
        /// What must be true of any conversation, against a list of milliseconds counted one by one.
        #[test]
        fn it_agrees_with_counting_moment_by_moment(
            list in prop::collection::vec((1u32..5, 0u64..200, 1u64..60), 0..25),
        ) {
            // Steps of 50 ms, so that the naive count is short.
            let spans: Vec<_> = list.iter()
                .map(|(who, start, length)| (ParticipantId(*who), start * 50, (start + length) * 50))
                .collect();
            let raw = voices(&spans);
            let it = Conversation::of(&raw);
            let smooth: Voices = raw.iter()
                .map(|(id, voice)| (*id, voice.smoothed(VOICE_GAP_MS, VOICE_MIN_MS))).collect();
            let talk: BTreeMap<_, Vec<Span>> = smooth.iter().map(|(id, voice)| {
                let own = voice.spans().iter().copied().filter(|span| {
                    let inside = |other: &Span| other.start <= span.start
                        && span.end + BACKCHANNEL_AFTER_MS <= other.end;
                    let others = smooth.iter().filter(|it| it.0 != id);
                    let short = span.ms() <= BACKCHANNEL_MAX_MS;
                    !(short && others.flat_map(|it| it.1.spans()).any(inside))
                });
                (*id, own.collect())
            }).collect();
            let (mut any, mut many) = (0, 0);
            let (mut floor, mut alone, mut turns) = (None, (None, 0), BTreeMap::new());
            for at in (0..15_000).step_by(50).map(SessionTime) {
                let on: Vec<_> = talk.iter()
                    .filter_map(|(id, own)| Some((*id, *own.iter().find(|it| it.contains(at))?)))
                    .collect();
                any += 50 * u64::from(!on.is_empty());
                many += 50 * u64::from(1 < on.len());
                let one = if on.len() == 1 { Some(on[0]) } else { None };
                alone = if one.is_some() && alone.0 == one { (one, alone.1 + 50) } else { (one, 50) };
                if let (Some((id, _)), 1_000..) = alone && floor != Some(id) {
                    floor = Some(id);
                    *turns.entry(id).or_insert(0) += 1;
                }
            }
            prop_assert_eq!((it.talk_ms, it.overlap_ms), (any, many));
            for (id, part) in &it.people {
                prop_assert_eq!(part.turns, turns.get(id).copied().unwrap_or(0), "{}", id);
                let own: u64 = talk[id].iter().map(|it| it.ms()).sum();
                prop_assert_eq!(part.talk_ms, own);
                prop_assert_eq!(part.backchannels as usize, smooth[id].spans().len() - talk[id].len());
            }
            let changes: u32 = it.followed.values().sum();
            prop_assert_eq!(changes, it.turns().saturating_sub(1));
            prop_assert!(it.followed.keys().all(|it| it.0 != it.1));
        }
    }
}
