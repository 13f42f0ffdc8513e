//! The queue before whisper: what has been said whole, by deadline and bounded in seconds of audio over
//! everybody; behind it what may be whole, as silence has begun; and behind that what is still being said,
//! worked on only when nothing else can be. Never waits and never runs anything.

use std::collections::{BTreeMap, BTreeSet};

/// What waits: whose it is, how long it is, and when its words should be there.
pub trait Work {
    type Speaker: Ord + Copy;
    fn speaker(&self) -> Self::Speaker;
    /// Length of the audio, in ms.
    fn audio_ms(&self) -> u64;
    /// By the clock that [`Schedule::take`] is told; session times of different sessions cannot be
    /// compared.
    fn due_ms(&self) -> u64;
    /// Of a draft: silence has begun, so it may be all that is said.
    fn may_be_whole(&self) -> bool;
}

/// The queue.
///
/// *Finals* are utterances that have ended. They are served by deadline, and all deadlines are equally
/// far from the end of speech, so nobody is served before somebody who has waited longer. Two of one
/// speaker are never worked on at once, so each person's words come out in order.
///
/// *Drafts* are utterances as far as they have been heard. There is at most one of a speaker, the
/// newest, in the place of the first; one whose deadline is over is dropped, as a newer one comes
/// anyway. None is worked on while a final could be. Those that may be whole go before the others: what
/// is read of them most likely need not be read again.
#[derive(Debug)]
pub struct Schedule<W: Work> {
    /// By deadline, then by number.
    finals: BTreeMap<(u64, u64), W>,
    /// By the number of the place in the queue.
    drafts: BTreeMap<W::Speaker, (u64, W)>,
    busy: BTreeSet<W::Speaker>,
    pushed: u64,
    /// Of the one given back last; counts down, so that it comes before all that were pushed.
    given_back: u64,
    waiting_ms: u64,
    bound_ms: u64,
    drafts_bound_ms: u64,
    drafts_dropped: u64,
}

/// The numbers below it are for what is given back.
const PUSHED_FIRST: u64 = 1 << 32;

impl<W: Work> Schedule<W> {
    /// Seconds of audio that may wait: of finals, and of drafts. What is being worked on is not
    /// counted.
    pub fn new(backlog_s_max: u64, drafts_s_max: u64) -> Self {
        Self {
            finals: BTreeMap::new(),
            drafts: BTreeMap::new(),
            busy: BTreeSet::new(),
            pushed: PUSHED_FIRST,
            given_back: PUSHED_FIRST,
            waiting_ms: 0,
            bound_ms: backlog_s_max.saturating_mul(1_000),
            drafts_bound_ms: drafts_s_max.saturating_mul(1_000),
            drafts_dropped: 0,
        }
    }

    /// Adds a final. The speaker's draft goes: it was of the same utterance. Returns what had to go
    /// because too much waits, the most overdue first; that can be itself.
    pub fn push(&mut self, work: W) -> Vec<W> {
        let speaker = work.speaker();
        self.drafts.remove(&speaker);
        // Never before what the speaker has said before.
        let earlier = self.finals.iter().rev().find(|it| it.1.speaker() == speaker);
        let due_ms = work.due_ms().max(earlier.map_or(0, |it| it.0.0));
        let key = (due_ms, self.pushed);
        self.pushed += 1;
        self.insert(key, work)
    }

    /// Adds a final that was said before everything of its speaker that waits, and could not be worked
    /// on by another way: it goes before all of that. Returns as [`Schedule::push`].
    pub fn push_first(&mut self, work: W) -> Vec<W> {
        let speaker = work.speaker();
        let next = self.finals.iter().find(|it| it.1.speaker() == speaker);
        let due_ms = next.map_or(work.due_ms(), |it| work.due_ms().min(it.0.0));
        self.given_back -= 1;
        self.insert((due_ms, self.given_back), work)
    }

    fn insert(&mut self, key: (u64, u64), work: W) -> Vec<W> {
        self.waiting_ms += work.audio_ms();
        self.finals.insert(key, work);
        let mut dropped = Vec::new();
        while self.waiting_ms > self.bound_ms {
            let Some((_, oldest)) = self.finals.pop_first() else { break };
            self.waiting_ms -= oldest.audio_ms();
            dropped.push(oldest);
        }
        dropped
    }

    /// Adds a draft, in place of the speaker's last one. Dropped when too much of drafts waits.
    pub fn push_draft(&mut self, work: W) {
        let speaker = work.speaker();
        let others = self.drafts.iter().filter(|it| *it.0 != speaker);
        let waiting_ms: u64 = others.map(|it| it.1.1.audio_ms()).sum();
        if waiting_ms + work.audio_ms() > self.drafts_bound_ms {
            self.drafts_dropped += 1;
            return;
        }
        let place = match self.drafts.remove(&speaker) {
            Some((place, _)) => {
                self.drafts_dropped += 1;
                place
            }
            None => self.pushed,
        };
        self.pushed += 1;
        self.drafts.insert(speaker, (place, work));
    }

    /// The speaker says more: a draft that might have been whole is not.
    pub fn goes_on(&mut self, speaker: W::Speaker) {
        if self.drafts.get(&speaker).is_some_and(|it| it.1.may_be_whole()) {
            self.drafts.remove(&speaker);
            self.drafts_dropped += 1;
        }
    }

    /// The next to work on, if any; its speaker is busy until [`Schedule::done`].
    pub fn take(&mut self, now_ms: u64) -> Option<W> {
        let work = self.take_final().or_else(|| self.take_draft(now_ms))?;
        self.busy.insert(work.speaker());
        Some(work)
    }

    fn take_final(&mut self) -> Option<W> {
        let free = |work: &W| !self.busy.contains(&work.speaker());
        let (&key, _) = self.finals.iter().find(|it| free(it.1))?;
        let work = self.finals.remove(&key)?;
        self.waiting_ms -= work.audio_ms();
        Some(work)
    }

    fn take_draft(&mut self, now_ms: u64) -> Option<W> {
        let before = self.drafts.len();
        self.drafts.retain(|_, (_, work)| now_ms <= work.due_ms());
        self.drafts_dropped += (before - self.drafts.len()) as u64;
        let free = self.drafts.iter().filter(|it| !self.busy.contains(it.0));
        let (&speaker, _) = free.min_by_key(|(_, (place, work))| (!work.may_be_whole(), *place))?;
        self.drafts.remove(&speaker).map(|it| it.1)
    }

    /// The work on the speaker's utterance is over, well or badly.
    pub fn done(&mut self, speaker: W::Speaker) {
        self.busy.remove(&speaker);
    }

    /// Forgets everything that waits for the speaker. What is being worked on stays busy.
    pub fn discard(&mut self, speaker: W::Speaker) {
        self.drafts.remove(&speaker);
        self.finals.retain(|_, it| it.speaker() != speaker);
        self.waiting_ms = self.finals.values().map(W::audio_ms).sum();
    }

    /// Takes out every final that waits, the most overdue first, and forgets the drafts.
    pub fn drain(&mut self) -> Vec<W> {
        self.waiting_ms = 0;
        self.drafts.clear();
        std::mem::take(&mut self.finals).into_values().collect()
    }

    /// Speakers of whom something could be worked on that is worth to stop a draft for: a final, or what
    /// may be one.
    pub fn pressing(&self) -> usize {
        let finals = self.finals.values().map(W::speaker);
        let whole = self.drafts.iter().filter(|it| it.1.1.may_be_whole()).map(|it| *it.0);
        let speakers: BTreeSet<_> =
            finals.chain(whole).filter(|it| !self.busy.contains(it)).collect();
        speakers.len()
    }

    /// Audio of finals that waits, in ms.
    pub fn waiting_ms(&self) -> u64 {
        self.waiting_ms
    }

    /// Drafts that nobody has worked on, since the start.
    pub fn drafts_dropped(&self) -> u64 {
        self.drafts_dropped
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Who, how long, due when, whether it may be whole.
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Job(char, u64, u64, bool);

    impl Work for Job {
        type Speaker = char;
        fn speaker(&self) -> char {
            self.0
        }
        fn audio_ms(&self) -> u64 {
            self.1
        }
        fn due_ms(&self) -> u64 {
            self.2
        }
        fn may_be_whole(&self) -> bool {
            self.3
        }
    }

    /// A story told in words: `a3` ends 3 s of Alice, due a second later; `a3~` the same as a draft; `?`
    /// takes; `a3~.` as a draft that may be whole; `>a`: Alice says more; `!?` tells how many press; `+5` lets five seconds pass; `.a` is done with Alice, `!a` discards her; `<a3` gives back 3 s
    /// of hers from before all that waits. Returns what was taken (`a3`) and dropped (`-a3`).
    fn check(backlog_s: u64, story: &str, expect: &str) {
        let mut schedule = Schedule::new(backlog_s, 10);
        let mut told = Vec::new();
        let mut now_ms = 0;
        for word in story.split(' ') {
            let (head, tail) = word.split_at(1);
            let speaker = |text: &str| text.chars().next().unwrap();
            let length = |text: &str| text.parse::<u64>().unwrap() * 1000;
            match head {
                "!" if tail == "?" => told.push(format!("{}!", schedule.pressing())),
                "?" => told.push(match schedule.take(now_ms) {
                    Some(Job(who, ms, ..)) => format!("{who}{}", ms / 1000),
                    None => "nothing".into(),
                }),
                "." => schedule.done(speaker(tail)),
                ">" => schedule.goes_on(speaker(tail)),
                "!" => schedule.discard(speaker(tail)),
                "+" => now_ms += length(tail),
                "<" => {
                    let (who, tail) = tail.split_at(1);
                    let job = Job(speaker(who), length(tail), now_ms + 1_000, false);
                    for Job(who, ms, ..) in schedule.push_first(job) {
                        told.push(format!("-{who}{}", ms / 1000));
                    }
                }
                who => match tail.split_once('~') {
                    Some((tail, whole)) => {
                        let may_be_whole = whole == ".";
                        let due_ms = now_ms + 1_000;
                        schedule.push_draft(Job(speaker(who), length(tail), due_ms, may_be_whole));
                    }
                    None => {
                        let job = Job(speaker(who), length(tail), now_ms + 1_000, false);
                        for Job(who, ms, ..) in schedule.push(job) {
                            told.push(format!("-{who}{}", ms / 1000));
                        }
                    }
                },
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
        check(10, "a2~ b1~ !a ? ?", "b1 nothing");
    }

    #[test]
    fn an_earlier_deadline_is_served_first_but_not_before_own_words() {
        let mut schedule = Schedule::new(60, 10);
        let job = |(who, ms, due_ms)| Job(who, ms, due_ms, false);
        for job in [('a', 1, 900), ('b', 2, 500), ('a', 3, 100)].map(job) {
            assert_eq!(schedule.push(job), vec![]);
        }
        assert_eq!(schedule.take(0), Some(job(('b', 2, 500))));
        assert_eq!(schedule.take(0), Some(job(('a', 1, 900))));
        schedule.done('a');
        assert_eq!(schedule.take(0), Some(job(('a', 3, 100))));
    }

    #[test]
    fn a_draft_waits_for_every_final_and_gives_way_to_a_newer_one() {
        check(60, "a1~ b5 ? ? ?", "b5 a1 nothing");
        check(60, "a1~ b1~ a2~ ? ?", "a2 b1");
        check(60, "a1~ a2 ? .a ?", "a2 nothing");
        check(60, "a1 ? a1~ ? .a ?", "a1 nothing a1");
    }

    #[test]
    fn what_may_be_whole_goes_before_other_drafts_and_presses() {
        check(60, "a1~ b1~. ? ?", "b1 a1");
        check(60, "a1~. b1~ a2~ ? ?", "a2 b1");
        check(60, "a1~ b1~ b2~. ? ?", "b2 a1");
        check(60, "a1~ !? b1~. !? c2 !? a3 !? ? !? ? ?", "0! 1! 2! 3! c2 2! a3 b1");
        check(60, "a1 ? a1~. a2 !? .a !?", "a1 0! 1!");
    }

    #[test]
    fn what_turns_out_not_to_be_whole_is_not_read() {
        check(60, "a1~. b1~. >a ? ?", "b1 nothing");
        check(60, "a1~ >a ?", "a1");
        check(60, "a1 >a ?", "a1");
    }

    #[test]
    fn a_late_draft_is_dropped_and_a_late_final_is_not() {
        check(60, "a1~ b2 +5 ? ?", "b2 nothing");
        check(60, "a1~ +1 ?", "a1");
        check(60, "a6~ b6~ c4~ ? ? ?", "a6 c4 nothing");
    }

    #[test]
    fn what_was_said_before_and_comes_back_late_goes_before_what_was_said_after() {
        check(60, "a2 +1 <a1 ? .a ? .a ?", "a1 a2 nothing");
        check(60, "a3 <a2 <a1 ? .a ? .a ?", "a1 a2 a3");
        check(60, "b2 +1 <a1 ? ?", "b2 a1");
        check(60, "a3 a4~ <a2 ? .a ? .a ?", "a2 a3 a4");
        check(4, "a3 <a2 ?", "-a2 a3");
    }

    #[derive(Clone, Debug)]
    enum Step {
        Final(u8, u64, u64),
        Draft(u8, u64),
        Take,
        Done(u8),
        Discard(u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        let ms = 1u64..13_000;
        prop_oneof![
            3 => (0u8..5, ms.clone(), 0u64..800).prop_map(|it| Step::Final(it.0, it.1, it.2)),
            3 => (0u8..5, ms).prop_map(|it| Step::Draft(it.0, it.1)),
            4 => Just(Step::Take),
            3 => (0u8..5).prop_map(Step::Done),
            1 => (0u8..5).prop_map(Step::Discard),
        ]
    }

    proptest! {
        /// Every final is taken, dropped, discarded or still there, each once; a speaker's in their
        /// order; the bounds hold; and no draft goes before a final that could go.
        #[test]
        fn no_final_is_lost_and_no_draft_pushes_in(steps in proptest::collection::vec(step(), 0..300)) {
            let mut schedule = Schedule::new(60, 20);
            let mut busy = BTreeSet::new();
            let mut waiting: Vec<Job> = Vec::new();
            let mut now_ms = 0;
            let who = |it: u8| char::from(b'a' + it);
            for step in steps {
                now_ms += 200;
                match step {
                    Step::Final(it, ms, early) => {
                        let job = Job(who(it), ms, now_ms + 1_000 - early, false);
                        waiting.push(job);
                        for dropped in schedule.push(job) {
                            let at = waiting.iter().position(|it| *it == dropped);
                            prop_assert!(at.is_some(), "dropped what was not there");
                            waiting.remove(at.unwrap());
                        }
                    }
                    Step::Draft(it, ms) => {
                        let may_be_whole = ms % 2 == 0;
                        schedule.push_draft(Job(who(it), ms, u64::MAX / 2 + now_ms, may_be_whole));
                    }
                    Step::Take => {
                        let free = |it: &Job| !busy.contains(&it.0);
                        match schedule.take(now_ms) {
                            Some(job) if job.2 > u64::MAX / 2 => {
                                prop_assert!(!waiting.iter().any(free), "a draft before a final");
                                prop_assert!(busy.insert(job.0));
                            }
                            Some(job) => {
                                let first = waiting.iter().position(|it| it.0 == job.0);
                                prop_assert!(first.is_some_and(|at| waiting[at] == job), "order");
                                waiting.remove(first.unwrap());
                                prop_assert!(busy.insert(job.0));
                            }
                            None => prop_assert!(!waiting.iter().any(free), "a final waits for nothing"),
                        }
                    }
                    Step::Done(it) => {
                        busy.remove(&who(it));
                        schedule.done(who(it));
                    }
                    Step::Discard(it) => {
                        waiting.retain(|job| job.0 != who(it));
                        schedule.discard(who(it));
                    }
                }
                let sum: u64 = waiting.iter().map(|it| it.1).sum();
                prop_assert_eq!(schedule.waiting_ms(), sum);
                prop_assert!(sum <= 60_000);
                let drafts: u64 = schedule.drafts.values().map(|it| it.1.1).sum();
                prop_assert!(drafts <= 20_000 && schedule.drafts.len() <= 5);
            }
            prop_assert_eq!(schedule.drain().len(), waiting.len());
            prop_assert_eq!(schedule.waiting_ms(), 0);
            prop_assert_eq!(schedule.take(0), None);
        }
    }
}
