//! What the Snowball stemmer leaves apart in Finnish, brought together, so that who asks for
//! *ajatus* also finds *ajatuksia* and *ajatusta*. Pure, and only ever about one word.
//!
//! Snowball takes the case endings off but knows neither stems that change (*-us*: *-ukse-*,
//! *-nen*: *-se-*) nor most of consonant gradation (*tieto*: *tiedon*). The rules here go on from
//! its result. They bring some strangers together too (*terve*, *terveys*); the index gives the
//! very form that was asked for the greater weight.

use crate::domain::language::Language;

/// What of a stem is compared. `stem`: Snowball's result, in small letters. The same rules must
/// make the index and read the question; a change of them is a new version of the index.
pub fn fold(language: Language, stem: &str) -> String {
    match language {
        Language::Finnish => fold_finnish(stem),
        Language::Swedish | Language::English => stem.to_owned(),
    }
}

/// Endings of changing stems: what ends in one of `.1` after one of `.0` loses it, if at least `.2`
/// characters are left. The first that fits is taken.
const CHANGING: [(&[char], &[&str], usize); 4] = [
    // ajatus: ajatuks-, ajatu- · mahdollisuus: -uuks-, -uud-, -uut-
    (&['u', 'y'], &["ks", "s", "d", "t"], 4),
    // ihminen: ihmis-, ihmist- · osallistuminen
    (&[], &["ist", "is", "in"], 3),
    // oppilas: oppilaa-
    (&[], &["as", "äs"], 4),
    // bussi: busseja
    (&['a', 'ä', 'e', 'o', 'ö', 'u', 'y'], &["j"], 4),
];

/// Weak and strong grade of the consonants at the end, as one.
const GRADES: [(&str, &str); 7] = [
    ("nt", "n"),  // tunne: tuntee- · kunta: kunna-
    ("lt", "l"),  // ilta: illa-
    ("rt", "r"),  // kerta: kerra-
    ("mp", "m"),  // parempi: paremma-
    ("ng", "nk"), // kaupunki: kaupungi-
    ("d", "t"),   // tieto: tiedo-
    ("v", "p"),   // tapa: tava-
];

/// Less than this is left of no word.
const CHARS_MIN: usize = 3;

fn fold_finnish(stem: &str) -> String {
    let cut = without_vowel(without_changing(stem));
    for (from, to) in GRADES {
        if let Some(rest) = cut.strip_suffix(from)
            && rest.chars().count() + to.len() >= CHARS_MIN
        {
            return format!("{rest}{to}");
        }
    }
    undoubled(cut).to_owned()
}

fn without_changing(stem: &str) -> &str {
    for (after, endings, chars_min) in CHANGING {
        for ending in endings {
            if let Some(rest) = stem.strip_suffix(ending)
                && rest.chars().count() >= chars_min
                && (after.is_empty() || rest.ends_with(after))
            {
                return rest;
            }
        }
    }
    stem
}

/// idea: ide- · huoli: huole-, huol-
fn without_vowel(stem: &str) -> &str {
    match stem.strip_suffix(['a', 'ä', 'e', 'i', 'o', 'ö', 'u', 'y']) {
        Some(rest) if rest.chars().count() >= CHARS_MIN => rest,
        _ => stem,
    }
}

/// buss-: bus-, as Snowball itself does at the end of a word.
fn undoubled(stem: &str) -> &str {
    let mut chars = stem.chars().rev();
    let (Some(last), Some(before)) = (chars.next(), chars.next()) else { return stem };
    let rest = stem.strip_suffix(last).unwrap_or(stem);
    let doubled = last == before && !"aäeioöuy".contains(last);
    if doubled && rest.chars().count() >= CHARS_MIN { rest } else { stem }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Snowball's stems of one word's forms must fold to `expect`.
    fn check(stems: &str, expect: &str) {
        for stem in stems.split(' ') {
            assert_eq!(fold(Language::Finnish, stem), expect, "{stem}");
        }
    }

    #[test]
    fn forms_of_a_finnish_word_meet() {
        check("ajatus ajatuks ajatu", "ajat");
        check("kokemus kokemuks kokemu", "kokem");
        check("mahdollisuus mahdollisuud mahdollisuuks mahdollisuut", "mahdollisu");
        check("ihmin ihmis ihmist ihm", "ihm");
        check("osallistumin osallistumis osallistum", "osallistum");
        check("suomalain suomalais suomalaist", "suomal");
        check("huoli huole huol", "huol");
        check("ide idea ideo", "ide");
        check("tun tunt", "tun");
        check("bus bussej", "bus");
        check("kaupunk kaupung", "kaupunk");
        check("oppilas oppil", "oppil");
        check("kokous kokouks", "koko");
        check("tieto tiedo", "tiet");
    }

    #[test]
    fn other_languages_are_left_alone() {
        assert_eq!(fold(Language::English, "focus"), "focus");
        assert_eq!(fold(Language::Swedish, "tanke"), "tanke");
    }

    proptest! {
        #[test]
        fn no_word_disappears(stem in "[a-zåäö]{1,12}|\\PC{1,6}") {
            prop_assert!(!fold(Language::Finnish, &stem).is_empty());
        }
    }
}
