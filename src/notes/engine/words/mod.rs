//! By what a word is found: the keys that the index keeps of a word that was said, and those that a
//! question looks for. A word is found in all its forms, and, in Finnish and Swedish, as a part of a
//! compound. Pure; knows single words only, in small letters.
//!
//! What is in the built-in lists is analysed by its paradigm; of all other words Snowball's stem is
//! compared. A [`Morphology`] (Voikko, where it is installed) knows more words, and is asked beside.
//!
//! A key begins with the language and a sign of what it is:
//!
//! | sign | kept of | looked for by |
//! |---|---|---|
//! | `l` lemma | a word whose lemma is known | such a word |
//! | `k` stem | a word whose lemma is known | a word whose lemma is not known |
//! | `u` stem | a word whose lemma is not known | every word |
//! | `p` lemma | a compound that has it as a part | such a word |
//!
//! Stems of two known words are never compared: *kunta* and *kunto* have the same one.

mod finnish;
mod swedish;

use std::sync::Arc;

use frostem::{Algorithm, Stemmer};

use crate::domain::language::Language;
use crate::notes::engine::endings;

/// One reading of a word.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reading {
    /// The form a dictionary has.
    pub lemma: String,
    /// The lemmas of its parts when it is a compound; else empty.
    pub parts: Vec<String>,
}

/// Somebody who knows the forms of Finnish words.
pub trait Morphology: Send + Sync {
    /// All readings of `word`, which is in small letters. Empty: not known.
    fn readings(&self, word: &str) -> Vec<Reading>;
}

/// What a question looks for when it asks for a word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Keys of the word itself.
    pub whole: Vec<String>,
    /// Keys of compounds that have it as a part.
    pub parts: Vec<String>,
}

/// Cuts and compares words. The same one must make the index and read the questions.
pub struct Words {
    finnish: finnish::Finnish,
    swedish: swedish::Swedish,
    stemmers: [Stemmer; 3],
    morphology: Option<Arc<dyn Morphology>>,
}

impl Words {
    pub fn new(morphology: Option<Arc<dyn Morphology>>) -> Self {
        let stemmers = [Algorithm::Finnish, Algorithm::Swedish, Algorithm::English];
        Self {
            finnish: finnish::Finnish::new(),
            swedish: swedish::Swedish::new(),
            stemmers: stemmers.map(Stemmer::new),
            morphology,
        }
    }

    /// What the index keeps of a word that was said in `language`, each key once.
    pub fn kept(&self, language: Language, word: &str) -> Vec<String> {
        let readings = self.readings(language, word);
        let stem = self.stem(language, word);
        let mut keys = vec![key(language, if readings.is_empty() { 'u' } else { 'k' }, &stem)];
        for reading in &readings {
            keys.push(key(language, 'l', &reading.lemma));
            keys.extend(reading.parts.iter().map(|it| key(language, 'p', it)));
        }
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// What finds `word`, if it is one of `language`.
    pub fn asked(&self, language: Language, word: &str) -> Asked {
        let readings = self.readings(language, word);
        let stem = self.stem(language, word);
        let mut asked = Asked { whole: vec![key(language, 'u', &stem)], parts: Vec::new() };
        if readings.is_empty() {
            asked.whole.push(key(language, 'k', &stem));
        }
        for reading in &readings {
            asked.whole.push(key(language, 'l', &reading.lemma));
            asked.parts.push(key(language, 'p', &reading.lemma));
        }
        asked
    }

    fn stem(&self, language: Language, word: &str) -> String {
        let [finnish, swedish, english] = &self.stemmers;
        let stemmer = match language {
            Language::Finnish => finnish,
            Language::Swedish => swedish,
            Language::English => english,
        };
        endings::fold(language, &stemmer.stem(word))
    }

    fn readings(&self, language: Language, word: &str) -> Vec<Reading> {
        let mut readings = match language {
            Language::Finnish => self.finnish.readings(word),
            Language::Swedish => self.swedish.readings(word),
            Language::English => Vec::new(),
        };
        if language == Language::Finnish
            && let Some(morphology) = &self.morphology
        {
            let known = morphology.readings(word);
            if !known.is_empty() {
                // What was cut behind something unknown was a guess.
                readings.retain(|it| it.parts.len() != 1);
            }
            readings.extend(known);
        }
        readings.sort_unstable();
        readings.dedup();
        readings
    }
}

fn key(language: Language, sign: char, of: &str) -> String {
    let language = match language {
        Language::Finnish => 'f',
        Language::Swedish => 's',
        Language::English => 'e',
    };
    let mut key = String::with_capacity(of.len() + 2);
    key.push(language);
    key.push(sign);
    key.push_str(of);
    key
}

/// The words of a built-in list, each with the stems it gives itself.
fn listed(list: &'static str) -> impl Iterator<Item = (&'static str, Option<Vec<&'static str>>)> {
    list.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).map(
        |entry| match entry.split_once('=') {
            Some((lemma, stems)) => (lemma, Some(stems.split(',').collect())),
            None => (entry, None),
        },
    )
}

/// Cuts a compound into the fewest parts: each but the last one of `heads`, the last one read by
/// `last`. Gives the lemmas of all the parts before the last, with the bytes where that begins.
/// `None`: no such cut.
fn cut(
    word: &str,
    heads: &std::collections::BTreeMap<String, String>,
    last: &dyn Fn(&str) -> bool,
    cuts_max: usize,
) -> Option<(Vec<String>, usize)> {
    let mut best: Option<(Vec<String>, usize)> = None;
    for (at, _) in word.char_indices().skip(PART_CHARS_MIN) {
        let (head, tail) = word.split_at(at);
        let Some(lemma) = heads.get(head) else { continue };
        let found = if last(tail) {
            Some((vec![lemma.clone()], at))
        } else if 1 < cuts_max {
            cut(tail, heads, last, cuts_max - 1).map(|(mut parts, further)| {
                parts.insert(0, lemma.clone());
                (parts, at + further)
            })
        } else {
            None
        };
        if let Some(found) = found
            && best.as_ref().is_none_or(|it| found.0.len() <= it.0.len())
        {
            best = Some(found);
        }
    }
    best
}

/// The shortest part of a compound: *työ*, *tie*, *ikä*.
const PART_CHARS_MIN: usize = 3;

/// Compounds have at most so many parts here.
const CUTS_MAX: usize = 3;

#[cfg(test)]
mod tests;
