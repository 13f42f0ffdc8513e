//! How evenly a room talks: from spans of voice to talk time, turns and shares. It counts; it never
//! judges, ranks or names.
//!
//! Terms after Sacks, Schegloff & Jefferson (1974) and Yngve (1970): a *backchannel* is a short
//! voice wholly inside another's that takes no floor; a *turn* is the run of one person's voice
//! while they hold the floor.

use std::collections::BTreeMap;

use crate::domain::{
    ids::ParticipantId,
    limits::{
        BACKCHANNEL_AFTER_MS, BACKCHANNEL_MAX_MS, TURN_ALONE_MS, VOICE_GAP_MS, VOICE_MIN_MS,
        VOICE_SPANS_MAX,
    },
    message::{BalanceView, OwnTalk},
    time::{SessionTime, Span},
    timeline::Timeline,
};

/// The voices of one room since its people were last brought together.
#[derive(Clone, Debug, Default)]
pub struct Balance {
    voices: BTreeMap<ParticipantId, Voice>,
}

#[derive(Clone, Debug, Default)]
struct Voice {
    /// From audio levels: known within half a second, rough.
    levels: Timeline,
    /// From voice activity detection: known seconds later, right.
    utterances: Timeline,
    /// Speaking now, by level, since then.
    since: Option<SessionTime>,
    /// Talk time of spans too old to keep.
    settled_ms: u64,
}

/// What each present person has had of the talk.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    own: BTreeMap<ParticipantId, OwnTalk>,
}

impl Balance {
    /// A person's audio level says: speaking, or not any more.
    pub fn speaking(&mut self, participant: ParticipantId, on: bool, at: SessionTime) {
        let voice = self.voices.entry(participant).or_default();
        match (on, voice.since) {
            (true, None) => voice.since = Some(at),
            (false, Some(since)) => {
                voice.since = None;
                voice.levels.insert(Span::new(since, at));
                voice.settle();
            }
            _ => (),
        }
    }

    /// Voice activity detection has found an utterance: it replaces what the levels said of that
    /// time.
    pub fn uttered(&mut self, participant: ParticipantId, span: Span) {
        let voice = self.voices.entry(participant).or_default();
        voice.levels.remove_touching(span);
        voice.utterances.insert(span);
        voice.settle();
    }

    /// Whether somebody's level says they speak now.
    pub fn is_live(&self) -> bool {
        self.voices.values().any(|it| it.since.is_some())
    }

    /// Talk of the `present` (silent ones included, those gone left out) until `now`.
    pub fn summary(&self, present: &[ParticipantId], now: SessionTime) -> Summary {
        let voices: BTreeMap<ParticipantId, Timeline> = present
            .iter()
            .map(|id| (*id, self.voices.get(id).map(|it| it.timeline(now)).unwrap_or_default()))
            .collect();
        let spoken: BTreeMap<ParticipantId, Timeline> =
            voices.iter().map(|(id, own)| (*id, without_backchannels(*id, own, &voices))).collect();
        let turns = turns(&spoken);
        let talk_ms = |id: &ParticipantId| {
            let settled_ms = self.voices.get(id).map_or(0, |it| it.settled_ms);
            settled_ms + spoken.get(id).map_or(0, Timeline::total_ms)
        };
        let sum_ms: u64 = present.iter().map(talk_ms).sum();
        let own = present.iter().map(|id| {
            let talk_ms = talk_ms(id);
            let share = if sum_ms == 0 { 0.0 } else { talk_ms as f64 / sum_ms as f64 };
            (*id, OwnTalk { talk_ms, turns: turns.get(id).copied().unwrap_or(0), share })
        });
        Summary { own: own.collect() }
    }
}

impl Voice {
    fn timeline(&self, now: SessionTime) -> Timeline {
        let open = self.since.map(|since| Span::new(since, now));
        let all = self.levels.spans().iter().chain(self.utterances.spans()).copied().chain(open);
        all.collect::<Timeline>().smoothed(VOICE_GAP_MS, VOICE_MIN_MS)
    }

    fn settle(&mut self) {
        for spans in [&mut self.levels, &mut self.utterances] {
            while VOICE_SPANS_MAX < spans.spans().len() {
                self.settled_ms += spans.pop_first().map_or(0, Span::ms);
            }
        }
    }
}

impl Summary {
    pub fn voice_ms(&self) -> u64 {
        self.own.values().map(|it| it.talk_ms).sum()
    }

    pub fn own(&self, participant: ParticipantId) -> OwnTalk {
        self.own.get(&participant).copied().unwrap_or_default()
    }

    /// What `participant` may see: the room without names, and their own part.
    pub fn view(&self, participant: ParticipantId) -> BalanceView {
        let mut shares: Vec<f64> = self.own.values().map(|it| it.share).collect();
        shares.sort_by(|a, b| b.total_cmp(a));
        let effective_voices = effective_voices(&shares);
        BalanceView { shares, effective_voices, own: self.own(participant) }
    }
}

/// exp of the Shannon entropy of the shares (Hill number of order 1): four people who talk equally
/// give 4, one who talks alone gives 1, nobody 0.
fn effective_voices(shares: &[f64]) -> f64 {
    let spoken = shares.iter().filter(|it| 0.0 < **it);
    if spoken.clone().count() == 0 {
        return 0.0;
    }
    (-spoken.map(|it| it * it.ln()).sum::<f64>()).exp()
}

fn without_backchannels(
    id: ParticipantId,
    own: &Timeline,
    voices: &BTreeMap<ParticipantId, Timeline>,
) -> Timeline {
    let is_backchannel = |span: &Span| {
        span.ms() <= BACKCHANNEL_MAX_MS
            && voices.iter().filter(|(other, _)| **other != id).any(|(_, voice)| {
                voice.at(span.start).is_some_and(|it| {
                    it.covers(*span) && BACKCHANNEL_AFTER_MS <= it.end.since_ms(span.end)
                })
            })
    };
    own.spans().iter().filter(|it| !is_backchannel(it)).copied().collect()
}

fn turns(spoken: &BTreeMap<ParticipantId, Timeline>) -> BTreeMap<ParticipantId, u32> {
    let mut spans: Vec<(Span, ParticipantId)> =
        spoken.iter().flat_map(|(id, voice)| voice.spans().iter().map(|it| (*it, *id))).collect();
    spans.sort();
    let mut floor: Option<ParticipantId> = None;
    let mut turns = BTreeMap::new();
    for (span, id) in spans {
        let takes_floor = match floor {
            None => true,
            Some(holder) if holder == id => false,
            Some(holder) => {
                let covered_ms = spoken.get(&holder).map_or(0, |it| it.covered_ms(span));
                TURN_ALONE_MS <= span.ms().saturating_sub(covered_ms)
            }
        };
        if takes_floor {
            floor = Some(id);
            *turns.entry(id).or_insert(0) += 1;
        }
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: ParticipantId = ParticipantId(1);
    const BOB: ParticipantId = ParticipantId(2);
    const CHAO: ParticipantId = ParticipantId(3);
    const DANA: ParticipantId = ParticipantId(4);

    fn room(spans: &[(ParticipantId, u64, u64)]) -> Summary {
        let mut balance = Balance::default();
        for (who, start, end) in spans {
            balance.uttered(*who, Span::new(SessionTime(*start), SessionTime(*end)));
        }
        balance.summary(&[ALICE, BOB, CHAO, DANA], SessionTime(1_000_000))
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
        assert_eq!(view.own, OwnTalk { talk_ms: 60_000, turns: 1, share: 0.25 });
    }

    #[test]
    fn a_silent_person_is_counted_and_the_order_of_shares_tells_nobody() {
        let view = room(&[(CHAO, 0, 30_000), (ALICE, 40_000, 50_000)]).view(DANA);
        assert_eq!(view.shares, vec![0.75, 0.25, 0.0, 0.0]);
        assert_eq!(view.own, OwnTalk::default());
    }

    #[test]
    fn nobody_has_spoken() {
        let view = room(&[]).view(ALICE);
        assert_eq!(view.shares, vec![0.0; 4]);
        assert_eq!(view.effective_voices, 0.0);
    }

    #[test]
    fn a_short_yes_inside_anothers_voice_is_no_talk_and_no_turn() {
        let summary = room(&[(ALICE, 0, 10_000), (BOB, 4_000, 4_600)]);
        assert_eq!(summary.own(BOB), OwnTalk::default());
        // At the very end of the other's voice it is an answer, not a backchannel.
        let summary = room(&[(ALICE, 0, 10_000), (BOB, 9_400, 9_950)]);
        assert_eq!(summary.own(BOB).talk_ms, 550);
    }

    #[test]
    fn the_floor_changes_hands_after_a_second_alone() {
        let summary = room(&[
            (ALICE, 0, 5_000),
            (BOB, 4_500, 5_900), // alone for 0.9 s: no turn
            (ALICE, 6_000, 9_000),
            (BOB, 8_500, 12_000), // alone for 3 s: a turn
            (ALICE, 13_000, 20_000),
        ]);
        assert_eq!((summary.own(ALICE).turns, summary.own(BOB).turns), (2, 1));
    }

    #[test]
    fn voice_detection_corrects_the_levels() {
        let mut balance = Balance::default();
        balance.speaking(ALICE, true, SessionTime(1_000));
        assert!(balance.is_live());
        let so_far = balance.summary(&[ALICE], SessionTime(3_000));
        assert_eq!(so_far.own(ALICE).talk_ms, 2_000);
        balance.speaking(ALICE, false, SessionTime(6_000));
        balance.uttered(ALICE, Span::new(SessionTime(1_200), SessionTime(5_200)));
        assert_eq!(balance.summary(&[ALICE], SessionTime(9_000)).own(ALICE).talk_ms, 4_000);
    }
}
