//! Swedish words by their forms: every listed word with every ending, and compounds of them. Takes
//! more forms than there are; never decides which of two readings is meant.

use std::collections::{BTreeMap, BTreeSet};

use super::{CUTS_MAX, PART_CHARS_MIN, Reading, cut, listed};

const LIST: &str = include_str!("swedish.txt");

/// Behind a noun's or an adjective's stem; each also with the genitive's s.
const ENDINGS: [&str; 22] = [
    "", "n", "en", "t", "et", "r", "er", "ar", "or", "na", "en", "erna", "arna", "orna", "ena",
    "men", "met", "a", "are", "aren", "arna", "an",
];

/// What joins a first part to the next: skolskjuts, arbetsgrupp, hälsovård, frågeställning.
const JOINTS: [&str; 5] = ["", "s", "o", "e", "u"];

const UNKNOWN_HEAD_CHARS_MIN: usize = 4;
const TAIL_LEMMA_CHARS_MIN: usize = 4;

pub struct Swedish {
    forms: BTreeMap<String, BTreeSet<&'static str>>,
    heads: BTreeMap<String, String>,
}

impl Swedish {
    pub fn new() -> Self {
        let mut new = Self { forms: BTreeMap::new(), heads: BTreeMap::new() };
        for (word, own) in listed(LIST) {
            let mut stems = vec![word];
            stems.extend(own.into_iter().flatten());
            if let Some(bare) = word.strip_suffix(['a', 'e']).filter(|it| 2 < it.len()) {
                stems.push(bare);
            }
            for stem in &stems {
                let whole = *stem == word;
                for ending in ENDINGS {
                    if !whole && ending.is_empty() {
                        continue; // "känsl" alone is no form.
                    }
                    for genitive in ["", "s"] {
                        let form = format!("{stem}{ending}{genitive}");
                        new.forms.entry(form).or_default().insert(word);
                    }
                }
                for joint in JOINTS {
                    let head = format!("{stem}{joint}");
                    let linked = !whole || matches!(joint, "" | "s");
                    if linked && PART_CHARS_MIN <= head.chars().count() {
                        new.heads.entry(head).or_insert_with(|| word.to_owned());
                    }
                }
            }
        }
        new
    }

    pub fn readings(&self, word: &str) -> Vec<Reading> {
        if let Some(lemmas) = self.forms.get(word) {
            return lemmas.iter().map(|it| self.read_inside(it)).collect();
        }
        let known =
            |tail: &str| PART_CHARS_MIN <= tail.chars().count() && self.forms.contains_key(tail);
        let found = cut(word, &self.heads, &known, CUTS_MAX);
        let found = found.or_else(|| Some((Vec::new(), self.known_tail(word)?)));
        let Some((heads, at)) = found else { return Vec::new() };
        let (head, tail) = word.split_at(at);
        let with = |last: &&'static str| {
            let mut parts = heads.clone();
            parts.push((*last).to_owned());
            Reading { lemma: format!("{head}{last}"), parts }
        };
        self.forms.get(tail).into_iter().flatten().map(with).collect()
    }

    /// A listed word that may itself be a compound.
    fn read_inside(&self, lemma: &str) -> Reading {
        let known = |tail: &str| {
            PART_CHARS_MIN <= tail.chars().count()
                && self.forms.get(tail).is_some_and(|it| it.contains(tail))
        };
        let mut parts = Vec::new();
        if let Some((heads, at)) = cut(lemma, &self.heads, &known, CUTS_MAX) {
            parts = heads;
            let last = lemma.get(at..).and_then(|it| self.forms.get(it));
            parts.extend(last.into_iter().flatten().map(|it| (*it).to_owned()));
        }
        Reading { lemma: lemma.to_owned(), parts }
    }

    fn known_tail(&self, word: &str) -> Option<usize> {
        word.char_indices().skip(UNKNOWN_HEAD_CHARS_MIN).map(|(at, _)| at).find(|at| {
            let lemmas = word.get(*at..).and_then(|it| self.forms.get(it));
            lemmas.is_some_and(|it| it.iter().any(|it| TAIL_LEMMA_CHARS_MIN <= it.chars().count()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &str, expect: &str) {
        let swedish = Swedish::new();
        for word in words.split(' ') {
            let told: Vec<String> = swedish
                .readings(word)
                .into_iter()
                .map(|it| [vec![it.lemma], it.parts].concat().join("+"))
                .collect();
            assert_eq!(told.join(" "), expect, "{word}");
        }
    }

    #[test]
    fn forms_and_compounds() {
        check("städer städernas staden stads", "stad");
        check("hälsovården", "hälsovård+hälsa+vård");
        check("arbetsgrupperna", "arbetsgrupp+arbete+grupp");
        check("kommunikation", "kommunikation");
    }
}
