//! The queue before whisper: bounded in seconds of audio over everybody, in the order in which people
//! stopped speaking. Never waits and never runs anything.

use std::collections::{BTreeMap, BTreeSet};

/// What waits: whose it is, and how long it is.
pub trait Work {
    type Speaker: Ord + Copy;
    fn speaker(&self) -> Self::Speaker;
    /// Length of the audio, in ms.
    fn audio_ms(&self) -> u64;
}

/// The queue. Utterances are pushed as they end, so first come is first served and nobody is served
/// before somebody who has waited longer; two of one speaker are never worked on at once, so each
/// person's words come out in order.
///
/// Session times of different sessions cannot be compared, so the order is that of pushing.
#[derive(Debug)]
pub struct Schedule<W: Work> {
    waiting: BTreeMap<u64, W>,
    busy: BTreeSet<W::Speaker>,
    pushed: u64,
    waiting_ms: u64,
    bound_ms: u64,
}

impl<W: Work> Schedule<W> {
    /// `backlog_s_max`: seconds of audio that may wait; what is being worked on is not counted.
    pub fn new(backlog_s_max: u64) -> Self {
        Self {
            waiting: BTreeMap::new(),
            busy: BTreeSet::new(),
            pushed: 0,
            waiting_ms: 0,
            bound_ms: backlog_s_max.saturating_mul(1_000),
        }
    }

    /// Adds one at the end. Returns what had to go for it, the oldest first; that can be itself.
    pub fn push(&mut self, work: W) -> Vec<W> {
        self.waiting_ms += work.audio_ms();
        self.waiting.insert(self.pushed, work);
        self.pushed += 1;
        let mut dropped = Vec::new();
        while self.waiting_ms > self.bound_ms {
            let Some((_, oldest)) = self.waiting.pop_first() else { break };
            self.waiting_ms -= oldest.audio_ms();
            dropped.push(oldest);
        }
        dropped
    }

    /// The next to work on, if any; its speaker is busy until [`Schedule::done`].
    pub fn take(&mut self) -> Option<W> {
        let free = |work: &W| !self.busy.contains(&work.speaker());
        let (&number, _) = self.waiting.iter().find(|it| free(it.1))?;
        let work = self.waiting.remove(&number)?;
        self.waiting_ms -= work.audio_ms();
        self.busy.insert(work.speaker());
        Some(work)
    }

    /// The work on the speaker's utterance is over, well or badly.
    pub fn done(&mut self, speaker: W::Speaker) {
        self.busy.remove(&speaker);
    }

    /// Forgets everything that waits for the speaker. What is being worked on stays busy.
    pub fn discard(&mut self, speaker: W::Speaker) {
        self.waiting.retain(|_, it| it.speaker() != speaker);
        self.waiting_ms = self.waiting.values().map(W::audio_ms).sum();
    }

    /// Takes out everything that waits, the oldest first.
    pub fn drain(&mut self) -> Vec<W> {
        self.waiting_ms = 0;
        std::mem::take(&mut self.waiting).into_values().collect()
    }

    /// Audio waiting, in ms.
    pub fn waiting_ms(&self) -> u64 {
        self.waiting_ms
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Job(char, u64);

    impl Work for Job {
        type Speaker = char;
        fn speaker(&self) -> char {
            self.0
        }
        fn audio_ms(&self) -> u64 {
            self.1
        }
    }

    /// A story told in words: `a3` pushes 3 s of Alice, `?` takes, `.a` is done with Alice, `!a`
    /// discards her. Returns what was taken (`a3`) and dropped (`-a3`).
    fn check(backlog_s: u64, story: &str, expect: &str) {
        let mut schedule = Schedule::new(backlog_s);
        let mut told = Vec::new();
        for word in story.split(' ') {
            let (head, tail) = word.split_at(1);
            let speaker = |text: &str| text.chars().next().unwrap();
            match head {
                "?" => told.push(match schedule.take() {
                    Some(Job(who, ms)) => format!("{who}{}", ms / 1000),
                    None => "nothing".into(),
                }),
                "." => schedule.done(speaker(tail)),
                "!" => schedule.discard(speaker(tail)),
                who => {
                    let ms: u64 = tail.parse::<u64>().unwrap() * 1000;
                    for Job(who, ms) in schedule.push(Job(speaker(who), ms)) {
                        told.push(format!("-{who}{}", ms / 1000));
                    }
                }
            }
        }
        assert_eq!(told.join(" "), expect, "{story}");
    }

    #[test]
    fn first_come_is_first_served_and_one_of_each_at_a_time() {
        check(60, "a3 b2 c1 ? ? ? ?", "a3 b2 c1 nothing");
        check(60, "a3 a2 b1 ? ? ? .a ?", "a3 b1 nothing a2");
    }

    #[test]
    fn the_oldest_goes_when_there_is_too_much() {
        check(10, "a4 b4 c4 ? ?", "-a4 b4 c4");
        check(10, "a4 b6 c1 d9 ? ? ?", "-a4 -b6 c1 d9 nothing");
        check(10, "a4 b11 ?", "-a4 -b11 nothing");
        check(0, "a1 ?", "-a1 nothing");
    }

    #[test]
    fn what_is_discarded_does_not_wait_and_does_not_count() {
        check(10, "a4 b4 !a c6 ? ? ?", "b4 c6 nothing");
        check(10, "a4 ? !a a2 ? .a ?", "a4 nothing a2");
    }

    proptest! {
        #[test]
        fn the_bound_holds(jobs in proptest::collection::vec((0u8..5, 1u64..20_000, any::<bool>()), 0..200)) {
            let mut schedule = Schedule::new(60);
            let mut balance = 0i64;
            for (who, ms, take) in jobs {
                balance += 1 - schedule.push(Job(char::from(b'a' + who), ms)).len() as i64;
                if take && let Some(job) = schedule.take() {
                    balance -= 1;
                    schedule.done(job.0);
                }
                prop_assert!(schedule.waiting_ms() <= 60_000);
            }
            let rest = schedule.drain();
            prop_assert_eq!(rest.len() as i64, balance);
            prop_assert_eq!(schedule.waiting_ms(), 0);
        }
    }
}
