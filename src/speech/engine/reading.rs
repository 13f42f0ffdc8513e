//! Which tokens whisper's decoder says: from rows of odds to an answer, by the rules that whisper was trained for
//! (greedy; after `decoding.py` of openai/whisper, as whisper.cpp 1.8.3 has them). Runs no model.
//!
//! Times are read, though nobody uses them: with the context cut, it is the time at the end that tells whisper to stop.
//! Without them tiny said the whole clip twice (69 instead of 110 of 114 words right; how: see `CONTEXT_MARGIN`).

use crate::speech::engine::guard::loops;

/// The tokens that mean something, of one model. Below `end` are those of text, from `first_time` on those of
/// times, 20 ms apart; what lies between is for the model to be told and never for it to say.
#[derive(Clone, Copy, Debug)]
pub struct Tokens {
    pub end: i32,
    pub first_time: i32,
    /// Stands for no speech. It lies between, and is as likely as whisper thinks that nobody speaks.
    pub nothing: i32,
    /// A space and nothing else.
    pub blank: Option<i32>,
}

/// The first time in an answer is at most this, in units of 20 ms: 1 s.
const FIRST_TIME_MAX: i32 = 50;

/// An answer ends with a time this close to the end of the sound, in units of 20 ms: 100 ms.
const NEAR_THE_END: i32 = 5;

/// One answer, as far as it has come.
pub struct Reading {
    tokens: Tokens,
    said: Vec<i32>,
    /// Natural logarithms of the probabilities of the tokens of text.
    logprobs: f32,
    texts: usize,
    no_speech: f32,
    /// The newest time, in units of 20 ms, after the first token of times.
    time: Option<i32>,
    most: usize,
    units: i32,
    is_over: bool,
}

impl Reading {
    /// `units`: how long the sound is, in units of 20 ms. `most`: it is over when it has more tokens than this.
    pub fn new(tokens: Tokens, units: i32, most: usize) -> Self {
        let said = Vec::with_capacity(most + 1);
        Self {
            tokens,
            said,
            logprobs: 0.0,
            texts: 0,
            no_speech: 0.0,
            time: None,
            most,
            units,
            is_over: false,
        }
    }

    /// Learns from the odds of what follows the token that starts, before the answer, how likely it is that nobody
    /// speaks.
    pub fn hear(&mut self, odds: &[f32]) {
        let best = odds.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let all: f32 = odds.iter().map(|it| (it - best).exp()).sum();
        let nothing = odds.get(self.tokens.nothing as usize).map_or(0.0, |it| (it - best).exp());
        self.no_speech = nothing / all;
    }

    /// How likely it is that nobody speaks, 0 to 1; 0 where that was not to be learnt.
    pub fn no_speech(&self) -> f32 {
        self.no_speech
    }

    /// What has been said, all tokens of it.
    pub fn said(&self) -> &[i32] {
        &self.said
    }

    /// The tokens of text.
    pub fn text(&self) -> impl Iterator<Item = i32> {
        self.said.iter().copied().filter(|it| *it < self.tokens.end)
    }

    /// Mean natural logarithm of the probabilities of the tokens of text; 0 where there are none.
    pub fn logprob_mean(&self) -> f32 {
        self.logprobs / self.texts.max(1) as f32
    }

    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Says the likeliest token that may follow. `odds`: a number for each token of the model, the natural logarithm of
    /// how likely it is, but for what is common to all.
    pub fn follow(&mut self, odds: &[f32]) -> i32 {
        let (token, logprob) = self.choose(odds);
        self.said.push(token);
        if token < self.tokens.end {
            self.logprobs += logprob;
            self.texts += 1;
        }
        if self.tokens.first_time < token {
            self.time = Some(token - self.tokens.first_time);
        }
        let is_at_the_end = self.time.is_some_and(|it| self.units <= it + NEAR_THE_END);
        self.is_over = token == self.tokens.end || self.most < self.said.len() || is_at_the_end;
        token
    }

    fn choose(&self, odds: &[f32]) -> (i32, f32) {
        let Tokens { end, first_time, blank, .. } = self.tokens;
        let (end_at, first_at) = (end as usize, first_time as usize);
        let is_first = self.said.is_empty();
        let is_time = |back: usize| self.said.iter().nth_back(back).map(|it| first_time <= *it);
        // Times come in pairs, the end of a stretch and the beginning of the next; one may be missing at both ends.
        let (may_be_text, may_be_time) = match (is_time(0), is_time(1)) {
            (Some(true), Some(false)) => (false, true),
            (Some(true), _) => (true, false),
            _ => (true, true),
        };
        let is_looping = loops(&self.said);
        let text = if may_be_text && !is_looping { 0..end_at } else { 0..0 };
        let (from, until) =
            (self.time.unwrap_or(0), if is_first { FIRST_TIME_MAX } else { i32::MAX });
        let until = first_at.saturating_add(until as usize).saturating_add(1).min(odds.len());
        let from = (first_at + from as usize).min(until);
        let times = if may_be_time && !is_looping { from..until } else { 0..0 };

        let blank = blank.filter(|_| is_first).and_then(|it| usize::try_from(it).ok());
        let best_of = |range: std::ops::Range<usize>| {
            let allowed = range.filter(|it| Some(*it) != blank).map(|it| (it, odds[it]));
            allowed.reduce(|best, it| if best.1 < it.1 { it } else { best })
        };
        let ends = (!is_first || is_looping).then(|| (end_at, odds[end_at]));
        let texts = [best_of(text.clone()), ends].into_iter().flatten();
        let best_text = texts.reduce(|best, it| if best.1 < it.1 { it } else { best });
        let best_time = best_of(times.clone());
        let both = [best_text, best_time].into_iter().flatten();
        let Some(best) = both.reduce(|best, it| if best.1 < it.1 { it } else { best }) else {
            return (end, 0.0);
        };
        let sum = |range: std::ops::Range<usize>| -> f32 {
            range.filter(|it| Some(*it) != blank).map(|it| (odds[it] - best.1).exp()).sum()
        };
        let times = sum(times);
        let all = sum(text) + ends.map_or(0.0, |it| (it.1 - best.1).exp()) + times;
        // Where some time is likelier than any one token of text, it is the likeliest time.
        let likeliest_text = best_text.map_or(0.0, |it| (it.1 - best.1).exp());
        let chosen = best_time.filter(|_| likeliest_text < times).or(best_text).unwrap_or(best);
        (chosen.0 as i32, chosen.1 - best.1 - all.ln())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten words, the blank among them; the end; two that are never said; and times.
    const TOKENS: Tokens = Tokens { end: 10, first_time: 13, nothing: 12, blank: Some(3) };

    /// Each step: what is likely there, with its odds; all else has -9. Says what is said.
    fn check(steps: &[&[(usize, f32)]], expect: &[i32]) -> Reading {
        let mut reading = Reading::new(TOKENS, 40, 6);
        let said = steps.iter().map_while(|likely| {
            let mut odds = [-9.0; 100];
            likely.iter().for_each(|(token, it)| odds[*token] = *it);
            (!reading.is_over()).then(|| reading.follow(&odds))
        });
        let said: Vec<i32> = said.collect();
        assert_eq!(said, expect);
        reading
    }

    #[test]
    fn an_answer_has_words_between_its_times() {
        let read = check(
            &[&[(13, 5.0)], &[(1, 5.0)], &[(2, 4.0)], &[(50, 3.0)], &[(10, 2.0)]],
            &[13, 1, 2, 50],
        );
        // The sound is 0.8 s long, and 0.74 s are close to it.
        assert!(read.is_over());
        assert_eq!(read.text().collect::<Vec<_>>(), [1, 2]);
        assert!((-0.1..0.0).contains(&read.logprob_mean()), "{}", read.logprob_mean());
    }

    #[test]
    fn what_may_not_come_does_not_come() {
        // Not the end, nor a blank, nor a late time at the beginning; never what is no word and no time.
        check(&[&[(10, 9.0), (3, 8.0), (90, 7.0), (11, 6.0), (12, 6.0), (4, 1.0)]], &[4]);
        // After the first time no other, after one that ends a stretch no word.
        check(&[&[(13, 5.0)], &[(14, 5.0), (6, 1.0)]], &[13, 6]);
        check(&[&[(13, 5.0)], &[(6, 1.0)], &[(20, 1.0)], &[(7, 9.0), (21, 1.0)]], &[13, 6, 20, 21]);
        // Times do not go back.
        let back = [(18, 9.0), (25, 1.0)];
        check(&[&[(13, 5.0)], &[(6, 1.0)], &[(20, 1.0)], &back], &[13, 6, 20, 25]);
    }

    #[test]
    fn times_that_are_likely_together_come_before_a_word() {
        let times: Vec<(usize, f32)> = (20..30).map(|it| (it, 1.0)).collect();
        let with = |word: f32| [&times[..], &[(5, word)]].concat();
        check(&[&[(13, 5.0)], &[(6, 1.0)], &with(2.0)], &[13, 6, 20]);
        check(&[&[(13, 5.0)], &[(6, 1.0)], &with(4.0)], &[13, 6, 5]);
    }

    #[test]
    fn whether_anybody_speaks_is_told_before_the_answer() {
        let mut reading = Reading::new(TOKENS, 40, 6);
        assert_eq!(reading.no_speech(), 0.0);
        let mut odds = [-9.0; 100];
        (odds[12], odds[1]) = (2.0, 1.0);
        reading.hear(&odds);
        assert!((0.72..0.74).contains(&reading.no_speech()), "{}", reading.no_speech());
        assert!(reading.said().is_empty());
    }

    #[test]
    fn an_answer_without_end_is_ended() {
        let word: &[(usize, f32)] = &[(1, 5.0)];
        let other: &[(usize, f32)] = &[(2, 5.0)];
        let read =
            check(&[word, other, word, word, other, other, other, word], &[1, 2, 1, 1, 2, 2, 2]);
        assert!(read.is_over());
        let mut reading = Reading::new(TOKENS, 4_000, 200);
        let mut odds = [-9.0; 100];
        odds[7] = 9.0;
        while !reading.is_over() {
            reading.follow(&odds);
        }
        // Round and round, and then nothing but the end.
        assert_eq!(reading.said().len(), 13);
        assert_eq!(reading.said().last(), Some(&TOKENS.end));
    }
}
