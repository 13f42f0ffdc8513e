//! The language one person is heard in: as they have said, or found by ear and remembered. Is given how
//! likely each language is and decides; never listens, and never changes what a person has said themself.

use crate::domain::language::Language;
use crate::domain::spoken::Spoken;

/// How likely each of [`Language::ALL`] is, in that order; together 1.
pub type Odds = [f32; Language::ALL.len()];

/// From this on one utterance is enough to change the language. How often odds like that are right and how often
/// wrong: "Language by ear" in `tests/bench/RESULTS.md`. Swedish is not found well by the smaller models.
const SURE: f32 = 0.9;

/// From this on an utterance speaks for a language; two in a row change it. Of three that are alike each has a
/// third, so this is nearly twice what chance gives; how right it is: as for [`SURE`].
const LIKELY: f32 = 0.6;

/// Utterances that are asked about before the language counts as known.
const ASKED_ENOUGH: u32 = 3;

/// Voice below which an utterance tells nothing of its language, in ms: "joo", "ja" and "yeah" are alike.
const VOICE_MS_MIN: u64 = 800;

/// By how much the mean logarithm of the probabilities of an utterance's tokens must lie below the
/// person's usual for the language to be asked about again. A guess, not measured yet: `scripts/bench speech
/// --part language` tells what falls so in one's own language and what in another's.
const FALL: f32 = 0.35;

/// The part of a new utterance in the person's usual.
const USUAL_PART: f32 = 0.2;

/// What is known of the language of one person.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tongue {
    language: Language,
    by_ear: bool,
    /// Utterances that have told something of the language since it was last changed.
    asked: u32,
    /// Another language, which the last utterance that was asked about spoke for.
    rival: Option<Language>,
    /// Mean logarithm of the probabilities of tokens, over the last utterances.
    usual: Option<f32>,
}

/// What an utterance has told of its language.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence {
    /// `None`: nobody has asked.
    pub odds: Option<Odds>,
    /// Mean logarithm of the probabilities of its tokens, at most 0; `None`: it has no words.
    pub confidence: Option<f32>,
}

impl Tongue {
    pub fn new(spoken: Spoken) -> Self {
        let by_ear = matches!(spoken, Spoken::ByEar(_));
        Self { language: spoken.language(), by_ear, asked: 0, rival: None, usual: None }
    }

    /// As the person has said: it is never asked about.
    pub fn told(language: Language) -> Self {
        Self::new(Spoken::Told(language))
    }

    /// The language in which the next utterance is read first.
    pub fn language(&self) -> Language {
        self.language
    }

    pub fn is_by_ear(&self) -> bool {
        self.by_ear
    }

    /// The language that the person has said; `None`: it is found by ear.
    pub fn as_told(&self) -> Option<Language> {
        (!self.by_ear).then_some(self.language)
    }

    /// Takes what the person says of their language from now on. What has been found out by ear is
    /// kept while they leave it to the ear.
    pub fn tell(&mut self, spoken: Spoken) {
        if !(self.by_ear && matches!(spoken, Spoken::ByEar(_))) {
            *self = Self::new(spoken);
        }
    }

    /// Whether it is worth to ask in which language an utterance is. `confidence`: as it was read in the
    /// language there is.
    pub fn wonders(&self, voice_ms: u64, confidence: Option<f32>) -> bool {
        let fallen = match (self.usual, confidence) {
            (Some(usual), Some(confidence)) => confidence < usual - FALL,
            // No words where there is voice: perhaps they are of another language.
            (_, None) => true,
            (None, _) => false,
        };
        let unsure = self.asked < ASKED_ENOUGH || self.rival.is_some() || fallen;
        self.by_ear && VOICE_MS_MIN <= voice_ms && unsure
    }

    /// In which language an utterance with these odds is to be read.
    pub fn verdict(&self, odds: &Odds) -> Language {
        let (best, odds) = best(odds);
        let again = LIKELY <= odds && (self.asked == 0 || self.rival == Some(best));
        if self.by_ear && (SURE <= odds || again) { best } else { self.language }
    }

    /// An utterance has ended: remembers what it has told. What has no words in the language it sounds like
    /// is a cough or a door, which sound like some language too.
    pub fn learn(&mut self, evidence: Evidence) {
        let mut changed = false;
        let told = self.by_ear && evidence.confidence.is_some();
        if let Some(odds) = evidence.odds.filter(|_| told) {
            let verdict = self.verdict(&odds);
            changed = verdict != self.language;
            self.language = verdict;
            self.asked = if changed { 1 } else { self.asked.saturating_add(1) };
            let (best, likely) = best(&odds);
            self.rival = (best != verdict && LIKELY <= likely).then_some(best);
        }
        if let Some(confidence) = evidence.confidence {
            self.usual = Some(match self.usual.filter(|_| !changed) {
                Some(usual) => usual + USUAL_PART * (confidence - usual),
                None => confidence,
            });
        }
    }
}

fn best(odds: &Odds) -> (Language, f32) {
    let all = Language::ALL.into_iter().zip(odds.iter().copied());
    all.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use Language::{English, Finnish, Swedish};

    fn odds(of: Language, likely: f32) -> Odds {
        Language::ALL.map(|it| if it == of { likely } else { (1.0 - likely) / 2.0 })
    }

    /// Says utterances of 3 s, each as `(the likeliest language, how likely)`, to ears that take the
    /// person for a Finn; returns in which language each is read.
    fn check(said: &[(Language, f32)], read: &[Language]) {
        let mut tongue = Tongue::new(Spoken::ByEar(Finnish));
        let told = said.iter().map(|(language, likely)| {
            let odds = odds(*language, *likely);
            let verdict = tongue.verdict(&odds);
            tongue.learn(Evidence { odds: Some(odds), confidence: Some(-0.3) });
            assert_eq!(tongue.language(), verdict);
            verdict
        });
        assert_eq!(told.collect::<Vec<_>>(), read, "{said:?}");
    }

    #[test]
    fn the_first_utterance_is_believed_and_a_change_takes_two_or_a_sure_one() {
        check(&[(Swedish, 0.7), (Swedish, 0.7)], &[Swedish, Swedish]);
        check(&[(Swedish, 0.5)], &[Finnish]);
        check(&[(Finnish, 0.8), (English, 0.8), (English, 0.8)], &[Finnish, Finnish, English]);
        check(&[(Finnish, 0.8), (English, 0.95)], &[Finnish, English]);
        // One doubtful utterance between others of the language there is changes nothing.
        check(&[(Finnish, 0.8), (English, 0.8), (Finnish, 0.6), (English, 0.8)], &[Finnish; 4]);
        check(&[(Finnish, 0.8), (English, 0.8), (Swedish, 0.8)], &[Finnish; 3]);
    }

    #[test]
    fn it_is_asked_while_unsure_and_again_when_words_become_doubtful() {
        let mut tongue = Tongue::new(Spoken::ByEar(Finnish));
        let evidence = |odds| Evidence { odds, confidence: Some(-0.3) };
        for _ in 0..ASKED_ENOUGH {
            assert!(tongue.wonders(2_000, Some(-0.3)));
            assert!(!tongue.wonders(500, Some(-0.3)), "a word is no evidence");
            tongue.learn(evidence(Some(odds(Finnish, 0.9))));
        }
        assert!(!tongue.wonders(2_000, Some(-0.4)));
        assert!(tongue.wonders(2_000, Some(-0.8)));
        assert!(tongue.wonders(2_000, None));
        tongue.learn(evidence(None));
        assert!(!tongue.wonders(2_000, Some(-0.4)));
        // Somebody goes on in another language: it is asked about until it is certain.
        tongue.learn(evidence(Some(odds(Swedish, 0.7))));
        assert!(tongue.wonders(2_000, Some(-0.3)));
        tongue.learn(evidence(Some(odds(Swedish, 0.7))));
        assert_eq!(tongue.language(), Swedish);
        assert!(tongue.wonders(2_000, Some(-0.3)));
    }

    #[test]
    fn who_has_said_their_language_is_not_asked_about() {
        let mut tongue = Tongue::told(Swedish);
        assert!(!tongue.wonders(9_000, None));
        assert_eq!(tongue.verdict(&odds(English, 1.0)), Swedish);
        tongue.learn(Evidence { odds: Some(odds(English, 1.0)), confidence: None });
        assert_eq!(tongue.language(), Swedish);
        tongue.tell(Spoken::ByEar(English));
        assert_eq!((tongue.language(), tongue.is_by_ear()), (English, true));
        tongue.learn(Evidence { odds: Some(odds(Finnish, 1.0)), confidence: None });
        assert_eq!(tongue.language(), English, "where no words are, nothing was said");
        tongue.learn(Evidence { odds: Some(odds(Finnish, 1.0)), confidence: Some(-0.3) });
        tongue.tell(Spoken::ByEar(English));
        assert_eq!(tongue.language(), Finnish, "what was found out is kept");
        tongue.tell(Spoken::Told(English));
        assert_eq!((tongue.language(), tongue.is_by_ear()), (English, false));
    }

    proptest! {
        /// Whatever is heard: the language is one that some utterance spoke for, or the first guess.
        #[test]
        fn nothing_is_made_up(said in proptest::collection::vec((0usize..3, 0.34f32..1.0), 0..20)) {
            let mut tongue = Tongue::new(Spoken::ByEar(Finnish));
            for (n, (of, likely)) in said.iter().enumerate() {
                let odds = Some(odds(Language::ALL[*of], *likely));
                tongue.learn(Evidence { odds, confidence: Some(-0.3) });
                let heard = said[..=n].iter().any(|it| {
                    Language::ALL[it.0] == tongue.language() && LIKELY <= it.1
                });
                prop_assert!(heard || tongue.language() == Finnish);
            }
        }
    }
}
