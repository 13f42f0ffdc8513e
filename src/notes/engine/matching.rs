//! Whether a text answers a question, how well, and where. The index on disk and what is too new for
//! it are asked in the same way, so that a line answers the same before and after it is committed.
//! Never alters the text.

use std::{collections::BTreeSet, ops::Range, sync::Arc};

use crate::domain::language::Language;
use crate::notes::engine::{
    query::{self, Clause},
    words::{Asked, Words},
};

/// How well a word answers; the better always come first. What a text has for each of a question's
/// clauses is added up. Nothing else counts: a spoken line is short, and how rare a word is tells
/// nothing when every word must be there.
pub const FORM: u32 = 16;
pub const WORD: u32 = 12;
pub const PART: u32 = 6;
pub const BEGINNING: u32 = 3;
pub const NEAR: u32 = 1;

/// Letters before beginnings are looked for: one letter begins half of everything.
pub const BEGINNING_CHARS_MIN: usize = 2;

/// Letters before words are looked for that are written a little otherwise.
pub const NEAR_CHARS_MIN: usize = 4;

/// From so many letters on, two letters may be wrong.
pub const NEAR_TWO_CHARS_MIN: usize = 8;

/// One word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Bytes of the text.
    pub range: Range<usize>,
    /// In small letters.
    pub word: String,
    /// As [`Words::kept`].
    pub keys: Arc<[String]>,
}

/// Who tells the keys of a word that was said, as [`Words::kept`]; perhaps from memory.
pub trait Keys {
    fn keys(&self, language: Language, word: &str) -> Arc<[String]>;
}

impl Keys for Words {
    fn keys(&self, language: Language, word: &str) -> Arc<[String]> {
        self.kept(language, word).into()
    }
}

/// One thing that must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    Word {
        word: String,
        /// In every language, as it is not known in which one was asked.
        asked: Asked,
        /// Also words that begin with it.
        typing: bool,
        /// Also words that are written almost so: nothing else answers.
        near: bool,
    },
    /// These forms side by side. Never empty.
    Phrase(Vec<String>),
}

/// A question with all that answers each of its words.
pub fn wanted(words: &Words, text: &str) -> Vec<Wanted> {
    let of = |clause| match clause {
        Clause::Phrase(words) => Wanted::Phrase(words),
        Clause::Word { word, typing } => {
            let mut asked = Asked::default();
            for language in Language::ALL {
                let of = words.asked(language, &word);
                asked.whole.extend(of.whole);
                asked.parts.extend(of.parts);
            }
            let typing = typing && BEGINNING_CHARS_MIN <= word.chars().count();
            Wanted::Word { word, asked, typing, near: false }
        }
    };
    query::parse(text).clauses.into_iter().map(of).collect()
}

/// The words of a text.
pub fn tokens(words: &impl Keys, language: Language, text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut start = None;
    for (at, it) in text.char_indices().chain([(text.len(), ' ')]) {
        match (start, it.is_alphanumeric()) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                let form = text.get(from..at).unwrap_or_default();
                let word: String = form.chars().flat_map(char::to_lowercase).collect();
                let keys = words.keys(language, &word);
                tokens.push(Token { range: from..at, word, keys });
                start = None;
            }
            _ => (),
        }
    }
    tokens
}

/// How well a text answers everything that is wanted; `None`: not all of it.
pub fn points(tokens: &[Token], wanted: &[Wanted]) -> Option<u32> {
    wanted.iter().map(|one| points_of(tokens, one)).sum()
}

fn points_of(tokens: &[Token], wanted: &Wanted) -> Option<u32> {
    match wanted {
        Wanted::Word { .. } => tokens.iter().filter_map(|it| points_of_word(it, wanted)).max(),
        Wanted::Phrase(words) => side_by_side(tokens, words).next().map(|_| FORM),
    }
}

fn points_of_word(token: &Token, wanted: &Wanted) -> Option<u32> {
    let Wanted::Word { word, asked, typing, near } = wanted else { return None };
    let has = |keys: &[String]| token.keys.iter().any(|it| keys.contains(it));
    match () {
        () if token.word == *word => Some(FORM),
        () if has(&asked.whole) => Some(WORD),
        () if has(&asked.parts) => Some(PART),
        () if *typing && token.word.starts_with(word.as_str()) => Some(BEGINNING),
        () if *near && is_near(&token.word, word) => Some(NEAR),
        () => None,
    }
}

fn side_by_side<'a>(
    tokens: &'a [Token],
    words: &'a [String],
) -> impl Iterator<Item = Range<usize>> + 'a {
    tokens
        .windows(words.len().max(1))
        .filter(move |window| window.iter().map(|token| &token.word).eq(words))
        .filter_map(|window| Some(window.first()?.range.start..window.last()?.range.end))
}

/// The pieces of a text that answer: byte ranges, which may overlap.
pub fn hits(tokens: &[Token], wanted: &[Wanted]) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    for one in wanted {
        match one {
            Wanted::Word { .. } => {
                let answers = tokens.iter().filter(|it| points_of_word(it, one).is_some());
                ranges.extend(answers.map(|it| it.range.clone()));
            }
            Wanted::Phrase(words) => ranges.extend(side_by_side(tokens, words)),
        }
    }
    ranges
}

/// How many letters may be wrong in a word of this length.
pub fn wrong_max(word: &str) -> u8 {
    match word.chars().count() {
        it if NEAR_TWO_CHARS_MIN <= it => 2,
        it if NEAR_CHARS_MIN <= it => 1,
        _ => 0,
    }
}

/// Whether one becomes the other by so few changes of a letter, or of two neighbours changing
/// places (one change).
pub fn is_near(one: &str, other: &str) -> bool {
    let max = usize::from(wrong_max(other));
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    0 < max && one.len().abs_diff(other.len()) <= max && distance(&one, &other) <= max
}

/// Optimal string alignment (Damerau 1964, restricted).
fn distance(one: &[char], other: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let at =
                |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
            let mut best =
                (at(&row, j) + usize::from(a != b)).min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            let swapped =
                0 < i && 0 < j && one.get(i - 1) == Some(b) && other.get(j - 1) == Some(a);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(0)
}

/// What of two texts is the same, from 0 to 1: words by their lemmas or stems, short ones left out
/// because they are in every line.
pub fn likeness(one: &[Token], other: &[Token]) -> f64 {
    let telling = |tokens: &[Token]| -> BTreeSet<String> {
        let long = tokens.iter().filter(|it| 3 < it.word.chars().count());
        // The first key in order is a lemma's or a stem's; parts are not words that were said.
        long.filter_map(|it| {
            it.keys
                .iter()
                .find(|key| !key.get(1..2).is_some_and(|it| it == "p" || it == "k"))
                .cloned()
        })
        .collect()
    };
    let (one, other) = (telling(one), telling(other));
    let all = one.union(&other).count();
    if all == 0 { 0.0 } else { one.intersection(&other).count() as f64 / all as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notes::engine::highlight;

    /// `expect`: the points, and the text with what answers in `[ ]`; empty when it does not.
    fn check(text: &str, question: &str, expect: &str) {
        let words = Words::new(None);
        let tokens = tokens(&words, Language::Finnish, text);
        let wanted = wanted(&words, question);
        let told = points(&tokens, &wanted).map_or(String::new(), |points| {
            let parts = highlight::parts(text, &hits(&tokens, &wanted));
            let mark = |part: highlight::Part| match part.hit {
                true => format!("[{}]", part.text),
                false => part.text,
            };
            format!("{points}: {}", parts.into_iter().map(mark).collect::<String>())
        });
        assert_eq!(told, expect, "{question:?} in {text:?}");
    }

    #[test]
    fn the_nearer_the_form_the_better() {
        check("Kunta päätti.", "kunta", "16: [Kunta] päätti.");
        check("Kunnat päättivät.", "kunta ", "12: [Kunnat] päättivät.");
        check("Kuntavaalit tulevat.", "kunnan ", "6: [Kuntavaalit] tulevat.");
        check("Kuntoon!", "kunta ", "");
        check("Kuntopolku", "kunt", "3: [Kuntopolku]");
        check("Bussit ja tiet", "bussi tie ", "24: [Bussit] ja [tiet]");
        check("Bussit ja tiet", "bussi juna ", "");
        check("niin on niin ei on", "\"niin on\"", "16: [niin on] niin ei on");
        check("", "", "0: ");
    }

    #[test]
    fn a_slip_of_the_finger_is_near() {
        for (one, other, near) in [
            ("kirjasto", "kirjatso", true),
            ("kirjasto", "kirjasot", true),
            ("kirjasto", "irjasto", true),
            ("koulu", "kuolu", true),
            ("koulu", "kuula", false),
            ("tie", "tia", false),
            ("yö", "", false),
        ] {
            assert_eq!(is_near(one, other), near, "{one} {other}");
        }
    }

    #[test]
    fn the_same_said_otherwise_is_alike() {
        let words = Words::new(None);
        let of = |text| tokens(&words, Language::Finnish, text);
        let one = of("Bussit eivät kulje iltaisin kylille.");
        let same = likeness(&one, &of("Iltaisin ei kulje bussi meidän kylälle."));
        let other = likeness(&one, &of("Koulun ruoka on hyvää."));
        assert!(0.4 < same && other < 0.1, "{same} {other}");
    }
}
