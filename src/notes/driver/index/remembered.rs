//! The keys of words that were met before. To cut a word takes microseconds, tens of them with Voikko, and
//! people say the same words again and again: a page of fifty lines is cut anew for every question. Knows
//! single words only, never who said them.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use crate::domain::language::Language;
use crate::notes::engine::{matching::Keys, words::Words};

/// Words of a language that are remembered, some 150 bytes each; then all of them are forgotten, and the
/// common ones are soon back.
const WORDS_MAX: usize = 100_000;

pub struct Remembered {
    words: Words,
    of: [RwLock<HashMap<String, Arc<[String]>>>; Language::ALL.len()],
}

impl Remembered {
    pub fn new(words: Words) -> Self {
        Self { words, of: Default::default() }
    }

    pub fn words(&self) -> &Words {
        &self.words
    }
}

impl Keys for Remembered {
    fn keys(&self, language: Language, word: &str) -> Arc<[String]> {
        let [finnish, swedish, english] = &self.of;
        let of = match language {
            Language::Finnish => finnish,
            Language::Swedish => swedish,
            Language::English => english,
        };
        if let Some(known) = of.read().unwrap_or_else(PoisonError::into_inner).get(word) {
            return Arc::clone(known);
        }
        let new = self.words.keys(language, word);
        let mut of = of.write().unwrap_or_else(PoisonError::into_inner);
        if WORDS_MAX <= of.len() {
            of.clear();
        }
        of.insert(word.to_owned(), Arc::clone(&new));
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_the_same_keys_the_second_time_and_others_in_another_language() {
        let remembered = Remembered::new(Words::new(None));
        for (language, word) in [(Language::Finnish, "bussit"), (Language::Swedish, "bussar")] {
            let first = remembered.keys(language, word);
            assert_eq!(first.to_vec(), remembered.words().kept(language, word));
            assert!(Arc::ptr_eq(&first, &remembered.keys(language, word)));
        }
        let (finnish, english) = (Language::Finnish, Language::English);
        assert_ne!(remembered.keys(finnish, "on"), remembered.keys(english, "on"));
    }
}
