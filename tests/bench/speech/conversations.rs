//! How people talk with each other, counted from what was found of their voices: many more conversations than
//! real browsers could hold, through Opus into one ear for each person. Whether the definitions are counted
//! rightly is not asked here: the same code counts what is true (`scripts/bench balance` asks that).

use std::collections::BTreeMap;

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng, rngs::StdRng};
use vuoro::domain::conversation::{Conversation, Part};
use vuoro::domain::ids::ParticipantId;
use vuoro::domain::timeline::Timeline;

use crate::audio::Clip;
use crate::figures::Figures;
use crate::voices::{LENGTH_S, LEVELS_DB, Microphone, found, phrases};

/// Rooms in which even the softest of [`LEVELS_DB`] are well heard.
const ROOMS_DBFS: [Option<f64>; 3] = [None, Some(-65.0), Some(-60.0)];
const PEOPLE: usize = 3;
/// A backchannel is followed by so much of the other's voice, in s; the definition says 0.5.
const GOES_ON_S: f64 = 2.5;

/// Each of three people: what is true, and what was counted.
type Counted = (Part, Part);

pub fn run(clips: &[Clip], quick: bool, figures: &mut Figures) {
    let phrases: Vec<Vec<f32>> = clips.iter().flat_map(phrases).collect();
    let count = if quick { 4 } else { 100 };
    let people: Vec<Counted> = (0..count).flat_map(|it| one(&phrases, it)).collect();
    let share = |is: &dyn Fn(&Counted) -> bool| {
        100.0 * people.iter().filter(|it| is(it)).count() as f64 / people.len() as f64
    };
    figures.add("conversations_people", people.len() as f64, "people");
    let error = |it: &Counted| it.0.talk_ms.abs_diff(it.1.talk_ms) as f64 / it.0.talk_ms as f64;
    figures.add("conversations_talk_within_5_percent", share(&|it| error(it) <= 0.05), "%");
    figures.add("conversations_turns_exact", share(&|it| it.0.turns == it.1.turns), "%");
    let exact = share(&|it| it.0.backchannels == it.1.backchannels);
    figures.add("conversations_backchannels_exact", exact, "%");
    let sum = |of: fn(&Counted) -> u32| f64::from(people.iter().map(of).sum::<u32>());
    figures.add("conversations_backchannels", sum(|it| it.0.backchannels), "backchannels");
    let missed = sum(|it| it.0.backchannels.saturating_sub(it.1.backchannels));
    figures.add("conversations_backchannels_missed", missed, "backchannels");
    let invented = sum(|it| it.1.backchannels.saturating_sub(it.0.backchannels));
    figures.add("conversations_backchannels_invented", invented, "backchannels");
}

fn one(phrases: &[Vec<f32>], seed: u64) -> Vec<Counted> {
    let mut chance = StdRng::seed_from_u64(seed);
    let spans_s = talk(&mut chance);
    let microphones = spans_s.map(|own| {
        let level_db = LEVELS_DB.choose(&mut chance).copied();
        let room_dbfs = ROOMS_DBFS.choose(&mut chance).copied().flatten();
        let made = Microphone::new(phrases, &own, level_db, room_dbfs, &mut chance);
        if seed % 2 == 1 { made.with_drop_outs(&mut chance) } else { made }
    });
    let all = |of: &dyn Fn(&Microphone) -> Timeline| -> BTreeMap<ParticipantId, Timeline> {
        (1..).map(ParticipantId).zip(microphones.iter().map(of)).collect()
    };
    let truth = Conversation::of(&all(&|it| it.truth.iter().copied().collect()));
    let counted = Conversation::of(&all(&found));
    truth.people.into_values().zip(counted.people.into_values()).collect()
}

/// When each of three people speaks, in s, as people do: turns, pauses, into one another, "mhm".
fn talk(chance: &mut StdRng) -> [Vec<(f64, f64)>; PEOPLE] {
    let mut spans: [Vec<(f64, f64)>; PEOPLE] = Default::default();
    let mut who = chance.random_range(0..PEOPLE);
    let mut at = 1.0;
    while at < LENGTH_S as f64 - 13.0 {
        let end = at + chance.random_range(2.5..11.0);
        spans[who].push((at, end));
        for other in (0..PEOPLE).filter(|it| *it != who) {
            let heard = spans[other].last().map_or(0.0, |it| it.1);
            let within = at.max(heard) + 1.0..end - GOES_ON_S;
            if !within.is_empty() && chance.random_bool(0.5) {
                let from = chance.random_range(within);
                spans[other].push((from, from + chance.random_range(0.4..0.8)));
            }
        }
        let (goes_on, overlaps) = (chance.random_bool(0.2), chance.random_bool(0.3));
        at = end
            + match (goes_on, overlaps) {
                (true, _) => chance.random_range(0.6..2.0),
                (false, true) => -chance.random_range(0.3..1.5),
                (false, false) => chance.random_range(0.1..1.2),
            };
        if !goes_on {
            who = (who + chance.random_range(1..PEOPLE)) % PEOPLE;
        }
    }
    spans
}
