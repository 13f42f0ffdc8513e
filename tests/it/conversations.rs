//! Conversations whose turns and backchannels are known, taken through what finds utterances and what
//! counts them. The same scripts are spoken in real browsers by `scripts/bench balance`.

use std::collections::BTreeMap;

use serde::Deserialize;
use vuoro::{
    domain::{
        balance::Balance,
        ids::ParticipantId,
        time::{SessionTime, Span},
    },
    speech::engine::{
        bounds::{EARLY_MS, FRAME_MS, FRAME_SAMPLES, TRAIL_MS},
        floor::Standing,
        segmenter::{Segmenter, Utterance},
    },
};

#[derive(Deserialize)]
struct Script {
    name: String,
    /// Who, from when to when, in seconds.
    spans_s: Vec<(u32, f64, f64)>,
    /// Of each person, in the order of their numbers.
    turns: [u32; 4],
    backchannels: [u32; 4],
}

#[test]
fn talk_turns_and_backchannels_are_those_of_the_scripts() {
    let scripts: Vec<Script> =
        serde_json::from_str(include_str!("../fixtures/conversations.json")).expect("scripts");
    for script in scripts {
        let Script { name, spans_s, turns, backchannels } = script;
        let everybody = [1, 2, 3, 4].map(ParticipantId);
        let mut voices: BTreeMap<ParticipantId, Vec<Span>> = BTreeMap::new();
        for (who, from, to) in spans_s {
            let at = |s: f64| SessionTime((s * 1_000.0) as u64);
            voices.entry(ParticipantId(who)).or_default().push(Span::new(at(from), at(to)));
        }
        let mut balance = Balance::new(SessionTime::ZERO);
        for (who, spans) in &voices {
            heard(spans).into_iter().for_each(|it| balance.uttered(*who, it.span, &it.voice));
        }
        let summary = balance.summary(&everybody, SessionTime(130_000));
        for (index, who) in everybody.into_iter().enumerate() {
            let own = summary.own(who);
            assert_eq!(
                (own.turns, own.backchannels),
                (turns[index], backchannels[index]),
                "{name}: {who}"
            );
            let spans = voices.get(&who).cloned().unwrap_or_default();
            let inside =
                |it: &Span| {
                    voices.iter().filter(|other| *other.0 != who).flat_map(|it| it.1).any(|other| {
                        it.ms() <= 1_000 && other.covers(*it) && it.end + 500 <= other.end
                    })
                };
            let truth: u64 = spans.iter().filter(|it| !inside(it)).map(|it| it.ms()).sum();
            let error = own.talk_ms.abs_diff(truth) as f64;
            assert!(error <= 0.05 * truth as f64, "{name}: {who} {} ms of {truth} ms", own.talk_ms);
        }
    }
}

/// The utterances that the segmenter finds when voice is in these, and heard a little longer.
fn heard(spans: &[Span]) -> Vec<Utterance> {
    let (mut segmenter, mut found) = (Segmenter::new(), Vec::new());
    let end = spans.iter().map(|it| it.end.0).max().unwrap_or(0) + 3_000;
    for at in (0..end).step_by(FRAME_MS as usize).map(SessionTime) {
        // As detectors are: sure of a voice a little late, and still when its sound has ended.
        let sounds = spans.iter().any(|it| it.contains(at));
        let sure = Span::new(at - TRAIL_MS / 2, at - EARLY_MS / 2);
        let probability = if spans.iter().any(|it| it.overlaps(sure)) { 0.95 } else { 0.02 };
        let (loudness, standing) =
            if sounds { (0.1, Standing::Out) } else { (0.0001, Standing::After) };
        let samples = [loudness; FRAME_SAMPLES];
        segmenter.push(&samples, probability, standing, at, &mut found);
    }
    segmenter.cut(&mut found);
    found
}
