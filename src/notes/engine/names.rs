//! People's names in running text: whole, in their parts, and with the endings of Finnish and Swedish.
//! It finds rather too much than too little: "Aino" is also found in "ainoa". It cannot find what no
//! spelling tells: nicknames, and names that speech recognition wrote as another word.

use std::collections::{BTreeMap, BTreeSet};

/// Parts of names shorter than this are found only when they are the whole word, and with their
/// capital: "Bo" is in half of all words.
const PART_CHARS_MIN: usize = 3;

/// What follows a name in one word and is still that name: "Virtasellakaan".
const ENDING_CHARS_MAX: usize = 8;

/// Names, and what stands in their place.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Beginnings of words, in small letters.
    stems: BTreeMap<String, String>,
    /// Whole words, as they are written.
    short: BTreeMap<String, String>,
}

impl Names {
    /// From now on `other` stands in the place of `name` and of each part of it.
    pub fn add(&mut self, name: &str, other: &str) {
        for part in name.split(|it: char| !it.is_alphanumeric()) {
            match part.chars().count() {
                0 | 1 => {}
                2 => _ = self.short.insert(part.to_owned(), other.to_owned()),
                _ => {
                    let stems = stems(&part.to_lowercase()).into_iter();
                    self.stems.extend(stems.map(|it| (it, other.to_owned())));
                }
            }
        }
    }

    /// The text without the names; `None`: there are none in it.
    pub fn hidden(&self, text: &str) -> Option<String> {
        let mut other = String::with_capacity(text.len());
        let mut found = false;
        for piece in text.split_inclusive(|it: char| !it.is_alphanumeric()) {
            let word = piece.trim_end_matches(|it: char| !it.is_alphanumeric());
            match self.other(word) {
                Some(instead) => {
                    found = true;
                    other.push_str(instead);
                    other.push_str(piece.get(word.len()..).unwrap_or_default());
                }
                None => other.push_str(piece),
            }
        }
        found.then_some(other)
    }

    fn other(&self, word: &str) -> Option<&str> {
        if let Some(other) = self.short.get(word) {
            return Some(other);
        }
        let word = word.to_lowercase();
        let ends = word.char_indices().map(|(at, _)| at).chain([word.len()]).rev();
        let mut starts = ends.take(ENDING_CHARS_MAX + 1).filter_map(|end| word.get(..end));
        starts.find_map(|it| self.stems.get(it)).map(String::as_str)
    }
}

/// The beginnings that a name has in its forms: "Virtanen" also begins as "Virtase" and "Virtas",
/// "Pekka" as "Peka", "Lahti" as "Lahd". All in small letters.
fn stems(name: &str) -> BTreeSet<String> {
    let mut stems = BTreeSet::from([name.to_owned()]);
    if let Some(stem) = name.strip_suffix("nen") {
        stems.insert(format!("{stem}s"));
    }
    let chars: Vec<char> = name.chars().collect();
    let Some(((last, stem), weak)) = chars.split_last().zip(weakened(&chars)) else { return stems };
    // "Lahti" becomes "Lahden": the vowel goes with it.
    let ends_in_i = *last == 'i' && !stem.is_empty();
    stems.insert(if ends_in_i {
        weak.chars().take(weak.chars().count() - 1).collect()
    } else {
        weak
    });
    stems.retain(|it| PART_CHARS_MIN <= it.chars().count());
    stems
}

/// The weak grade of a Finnish name that ends in a consonant pair and a vowel.
fn weakened(name: &[char]) -> Option<String> {
    let [start @ .., a, b, vowel] = name else { return None };
    let pair = match (a, b) {
        ('k', 'k') => "k",
        ('p', 'p') => "p",
        ('t', 't') => "t",
        ('n', 't') => "nn",
        ('n', 'k') => "ng",
        ('h', 't') => "hd",
        ('l', 't') => "ll",
        ('r', 't') => "rr",
        _ => return None,
    };
    matches!(vowel, 'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'ä' | 'ö')
        .then(|| start.iter().collect::<String>() + pair + &vowel.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_their_forms() {
        let mut names = Names::default();
        for name in ["Pekka Virtanen", "Lahti", "Bo Åkerström-Li", "Eetu Mäkelä"] {
            names.add(name, "X");
        }
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(names.hidden(text).as_deref(), expected, "{text:?}");
        };
        check("Kysytään Pekalta.", Some("Kysytään X."));
        check("VIRTASEN Pekan, Virtasellakaan, virtanen", Some("X X, X, X"));
        check("Lahdessa", Some("X"));
        check("Åkerströms idé, sa Bo", Some("X idé, sa X"));
        check("Mäkeläinen", Some("X"));
        check("boken och linjen", None);
        check("mäki ja lampi", None);
        check("", None);
    }
}
