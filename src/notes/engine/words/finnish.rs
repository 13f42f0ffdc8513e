//! Finnish words by their paradigms: of each listed word the stems its forms are made of, and the
//! endings that may follow. Takes more stems than a word has, because a stem that no word has is
//! never asked for; never decides which of two readings is meant.

use std::collections::{BTreeMap, BTreeSet};

use super::{CUTS_MAX, PART_CHARS_MIN, Reading, cut, listed};

const LIST: &str = include_str!("finnish.txt");

const VOWELS: [char; 8] = ['a', 'ä', 'e', 'i', 'o', 'ö', 'u', 'y'];

/// Behind any form.
const CLITICS: [&str; 6] = ["kin", "kaan", "kään", "ko", "kö", "kohan"];

/// Whose it is. The third person's vowel and n are taken off apart.
const POSSESSIVES: [&str; 6] = ["ni", "si", "nsa", "nsä", "mme", "nne"];

const CASES: [&str; 36] = [
    "", "n", "t", "a", "ä", "ta", "tä", "tta", "ttä", "ssa", "ssä", "sta", "stä", "lla", "llä",
    "lta", "ltä", "lle", "na", "nä", "ksi", "kse", "en", "den", "ten", "tten", "seen", "siin",
    "hin", "hon", "hön", "hun", "hyn", "hän", "ine", "hen",
];

const PERSONS: [&str; 60] = [
    "", "n", "t", "mme", "tte", "vat", "vät", "a", "ä", "da", "dä", "la", "lä", "ta", "tä", "i",
    "in", "it", "imme", "itte", "ivat", "ivät", "isi", "isin", "isit", "isimme", "isivat",
    "isivät", "nut", "nyt", "neet", "nneet", "nnut", "nnyt", "lut", "leet", "taan", "tään", "daan",
    "dään", "laan", "lään", "an", "ttiin", "tiin", "ttu", "tty", "tu", "ty", "va", "vä", "ma",
    "mä", "maan", "mään", "massa", "mässä", "malla", "mällä", "essa",
];

/// Weak and strong grade of the consonants before the last vowels. Both are made of every word.
const GRADES: [(&str, &str); 16] = [
    ("kk", "k"),
    ("pp", "p"),
    ("tt", "t"),
    ("nk", "ng"),
    ("nt", "nn"),
    ("lt", "ll"),
    ("rt", "rr"),
    ("mp", "mm"),
    ("t", "d"),
    ("p", "v"),
    ("lk", "lj"),
    ("rk", "rj"),
    ("hk", "hj"),
    ("uk", "uv"),
    ("yk", "yv"),
    ("k", ""),
];

/// A part that is not listed must be this long before a listed last part.
const UNKNOWN_HEAD_CHARS_MIN: usize = 4;
const TAIL_LEMMA_CHARS_MIN: usize = 4;

pub struct Finnish {
    /// Stem → lemmas.
    nouns: BTreeMap<String, BTreeSet<&'static str>>,
    verbs: BTreeMap<String, BTreeSet<&'static str>>,
    /// As the first part of a compound stands → its lemma.
    heads: BTreeMap<String, String>,
}

impl Finnish {
    pub fn new() -> Self {
        let mut new =
            Self { nouns: BTreeMap::new(), verbs: BTreeMap::new(), heads: BTreeMap::new() };
        let mut verbs = false;
        for (word, own) in listed(LIST) {
            if word == "v:" {
                verbs = true;
                continue;
            }
            let own = own.map(|it| it.into_iter().map(str::to_owned).collect::<BTreeSet<_>>());
            if verbs {
                let stems = own.unwrap_or_else(|| verb_stems(word));
                stems.into_iter().for_each(|it| _ = new.verbs.entry(it).or_default().insert(word));
                new.verbs.entry(word.to_owned()).or_default().insert(word);
            } else {
                let mut stems = own.unwrap_or_else(|| noun_stems(word));
                stems.insert(word.to_owned());
                new.add_heads(word, &stems);
                stems.into_iter().for_each(|it| _ = new.nouns.entry(it).or_default().insert(word));
            }
        }
        new
    }

    fn add_heads(&mut self, word: &str, stems: &BTreeSet<String>) {
        let mut add = |head: String| {
            if PART_CHARS_MIN <= head.chars().count() {
                self.heads.entry(head).or_insert_with(|| word.to_owned());
            }
        };
        add(word.to_owned());
        for stem in stems {
            match stem.chars().next_back() {
                // kaupungin-, terveyden-
                Some(last) if VOWELS.contains(&last) && last != 'i' => add(format!("{stem}n")),
                // bussin- · asukkaiden-, nuorisotalojen-
                Some('i') => {
                    add(format!("{stem}n"));
                    add(format!("{stem}den"));
                    add(format!("{stem}en"));
                }
                Some('j') => add(format!("{stem}en")),
                // ihmis-, vanhusten- · pien-, nuorten-
                Some('s') => {
                    add(stem.clone());
                    add(format!("{stem}ten"));
                }
                Some('n' | 'r' | 'l') => {
                    add(stem.clone());
                    add(format!("{stem}ten"));
                }
                _ => (),
            }
        }
    }

    pub fn readings(&self, word: &str) -> Vec<Reading> {
        let whole = self.lemmas(word);
        let mut readings: Vec<Reading> = Vec::new();
        for lemma in &whole {
            // A listed word may itself be a compound.
            let is_lemma = |tail: &str| self.nouns.get(tail).is_some_and(|it| it.contains(tail));
            let mut parts = Vec::new();
            if let Some((heads, at)) = cut(lemma, &self.heads, &is_lemma, CUTS_MAX) {
                parts = heads;
                parts.extend(lemma.get(at..).map(str::to_owned));
            }
            readings.push(Reading { lemma: (*lemma).to_owned(), parts });
        }
        if !whole.is_empty() {
            return readings;
        }
        let known = |tail: &str| !self.lemmas_of(tail, false).is_empty();
        let found = cut(word, &self.heads, &known, CUTS_MAX);
        let found = found.or_else(|| Some((Vec::new(), self.known_tail(word)?)));
        let Some((heads, at)) = found else { return readings };
        let (head, tail) = word.split_at(at);
        for last in self.lemmas_of(tail, false) {
            let mut parts = heads.clone();
            parts.push(last.to_owned());
            readings.push(Reading { lemma: format!("{head}{last}"), parts });
        }
        readings
    }

    /// Where the longest listed last part begins behind something unknown.
    fn known_tail(&self, word: &str) -> Option<usize> {
        word.char_indices().skip(UNKNOWN_HEAD_CHARS_MIN).map(|(at, _)| at).find(|at| {
            let (head, tail) = word.split_at(*at);
            head.contains(VOWELS)
                && self
                    .lemmas_of(tail, false)
                    .iter()
                    .any(|it| TAIL_LEMMA_CHARS_MIN <= it.chars().count())
        })
    }

    /// The listed words that `word` may be a form of.
    fn lemmas(&self, word: &str) -> BTreeSet<&'static str> {
        self.lemmas_of(word, true)
    }

    /// `verbs`: also as a form of a verb, which no compound ends with here.
    fn lemmas_of(&self, word: &str, verbs: bool) -> BTreeSet<&'static str> {
        let mut found = BTreeSet::new();
        for bare in without_clitics(word) {
            for (at, _) in bare.char_indices().skip(2).chain([(bare.len(), ' ')]) {
                let (stem, ending) = bare.split_at(at);
                if let Some(lemmas) = self.nouns.get(stem)
                    && (CASES.contains(&ending) || is_lengthened(stem, ending))
                {
                    found.extend(lemmas);
                }
                if verbs
                    && let Some(lemmas) = self.verbs.get(stem)
                    && (PERSONS.contains(&ending) || is_lengthened_verb(stem, ending))
                {
                    found.extend(lemmas);
                }
            }
        }
        found
    }
}

/// The word itself, and what is left of it without what may stand behind a form.
fn without_clitics(word: &str) -> Vec<&str> {
    let mut bare = vec![word];
    bare.extend(CLITICS.iter().filter_map(|it| word.strip_suffix(it)));
    for at in 0..bare.len() {
        let Some(form) = bare.get(at).copied() else { continue };
        bare.extend(POSSESSIVES.iter().filter_map(|it| form.strip_suffix(it)));
        // lapsilleen, ajatustaan: a vowel twice and n
        if let Some(rest) = form.strip_suffix('n') {
            let mut back = rest.chars().rev();
            if let (Some(last), Some(before)) = (back.next(), back.next())
                && last == before
                && VOWELS.contains(&last)
            {
                bare.push(rest.strip_suffix(last).unwrap_or(rest));
            }
        }
    }
    bare.retain(|it| 2 <= it.chars().count());
    bare
}

/// The illative: kuntaan, kouluihin is `hin`.
fn is_lengthened(stem: &str, ending: &str) -> bool {
    let mut chars = ending.chars();
    let (first, second, third) = (chars.next(), chars.next(), chars.next());
    first.is_some() && first == stem.chars().next_back() && second == Some('n') && third.is_none()
}

/// The third person: puhuu.
fn is_lengthened_verb(stem: &str, ending: &str) -> bool {
    let mut chars = ending.chars();
    let first = chars.next();
    first.is_some() && first == stem.chars().next_back() && chars.next().is_none()
}

/// `stem` with the consonants before its last vowels in every grade.
fn in_grades(stem: &str) -> Vec<String> {
    let mut all = vec![stem.to_owned()];
    let body = stem.trim_end_matches(VOWELS);
    let vowels = stem.get(body.len()..).unwrap_or_default();
    if body.is_empty() || vowels.is_empty() {
        return all;
    }
    for (strong, weak) in GRADES {
        if let Some(rest) = body.strip_suffix(strong) {
            all.push(format!("{rest}{weak}{vowels}"));
        }
        if !weak.is_empty()
            && let Some(rest) = body.strip_suffix(weak)
        {
            all.push(format!("{rest}{strong}{vowels}"));
        }
    }
    all
}

fn noun_stems(word: &str) -> BTreeSet<String> {
    let mut stems = BTreeSet::new();
    let mut add = |body: &str, ends: &[&str]| {
        for end in ends {
            stems.extend(in_grades(&format!("{body}{end}")));
        }
    };
    let without = |chars: usize| {
        let at = word.char_indices().rev().nth(chars - 1).map_or(0, |it| it.0);
        word.get(..at).unwrap_or_default()
    };
    if let Some(body) = word.strip_suffix("nen") {
        add(body, &["se", "si"]);
        stems.insert(format!("{body}s"));
        return stems;
    }
    for (nominative, vowel) in [("ton", "ttoma"), ("tön", "ttömä")] {
        if let Some(body) = word.strip_suffix(nominative) {
            add(body, &[vowel]);
            add(&format!("{body}{}", vowel.trim_end_matches(['a', 'ä'])), &["i"]);
            return stems;
        }
    }
    let last = word.chars().next_back().unwrap_or(' ');
    let before = word.chars().rev().nth(1).unwrap_or(' ');
    let body = without(1);
    match last {
        's' if matches!(before, 'u' | 'y' | 'o' | 'ö' | 'e') => {
            add(body, &["kse", "ksi"]);
            // mahdollisuude-, vapaude- beside rahoitukse-
            if body.ends_with(['u', 'y']) && body.trim_end_matches(['u', 'y']) != body {
                let inner = body.trim_end_matches(['u', 'y']);
                if inner.ends_with(VOWELS) || body.ends_with("uu") || body.ends_with("yy") {
                    add(body, &["de", "te"]);
                    stems.insert(format!("{body}t"));
                }
            }
        }
        // oppilas: oppilaa- · vieras · kallis: kallii- · opas: oppaa-
        's' => add(body, &[&before.to_string(), "i"]),
        'n' => add(body, &["me", "mi"]),
        'l' | 'r' => add(word, &["e", "i"]),
        't' => add(body, &["e", "i", "ee", "ei"]),
        'e' => add(body, &["ee", "ei", "e"]),
        'i' => {
            add(body, &["i", "e", "ei", "ej"]);
            if body.ends_with(['l', 'n', 'r', 's']) {
                stems.insert(body.to_owned());
            }
        }
        'a' | 'ä' => {
            add(body, &[&last.to_string()]);
            let vowels = word.chars().filter(|it| VOWELS.contains(it)).count();
            let first = word.chars().find(|it| VOWELS.contains(it)).unwrap_or(' ');
            let round = if last == 'a' { "oi" } else { "öi" };
            let long = 2 < syllables(word);
            if long || last == 'ä' || matches!(first, 'o' | 'u') || vowels < 2 {
                add(body, &["i"]);
            }
            if long || (last == 'a' && matches!(first, 'a' | 'e' | 'i')) {
                add(body, &[round]);
                // kuntoja: the j is no vowel, so that the grade is looked for before it.
                for stem in in_grades(&format!("{body}{}", round.trim_end_matches('i'))) {
                    stems.insert(format!("{stem}j"));
                }
            }
        }
        _ => {
            add(word, &["", "i"]);
            for stem in in_grades(word) {
                stems.insert(format!("{stem}j"));
            }
        }
    }
    stems
}

/// Groups of vowels; two different ones side by side in the end are two syllables (i-de-a).
fn syllables(word: &str) -> usize {
    let mut count = 0;
    let mut inside = false;
    for it in word.chars() {
        let vowel = VOWELS.contains(&it);
        count += usize::from(vowel && !inside);
        inside = vowel;
    }
    let hiatus = ["ea", "eä", "ia", "iä", "oa", "ua"].iter().any(|it| word.ends_with(it));
    count + usize::from(hiatus)
}

fn verb_stems(word: &str) -> BTreeSet<String> {
    let mut stems = BTreeSet::new();
    let cut = |chars: usize| {
        let at = word.char_indices().rev().nth(chars - 1).map_or(0, |it| it.0);
        word.get(..at).unwrap_or_default()
    };
    let ends = |endings: &[&str]| endings.iter().any(|it| word.ends_with(it));
    if ends(&["lla", "llä", "nna", "nnä", "rra", "rrä", "sta", "stä"]) && !ends(&["ttaa"]) {
        let bare = cut(2); // kuunnel, tul, pääs
        stems.insert(bare.to_owned());
        for vowel in ["e", "i"] {
            // The grade is before the vowel that comes before the l: kuuntele, ajattele.
            let last = bare.chars().next_back().unwrap_or(' ');
            let inner = bare.strip_suffix(last).unwrap_or(bare);
            stems.extend(in_grades(inner).into_iter().map(|it| format!("{it}{last}{vowel}")));
        }
    } else if ends(&["ita", "itä"]) {
        let bare = cut(2);
        stems.extend([
            format!("{bare}tse"),
            format!("{bare}tsi"),
            format!("{bare}t"),
            bare.to_owned(),
        ]);
    } else if ends(&["ata", "ätä", "ota", "ötä", "uta", "ytä"]) {
        let bare = cut(2);
        let vowel = if word.ends_with('a') { "a" } else { "ä" };
        stems.extend([bare.to_owned(), format!("{bare}t")]);
        for stem in in_grades(bare) {
            stems.extend([format!("{stem}{vowel}"), format!("{stem}s")]);
        }
    } else if ends(&["da", "dä"]) {
        stems.insert(cut(2).to_owned());
    } else {
        let bare = cut(1);
        stems.extend(in_grades(bare));
        let body = bare.trim_end_matches(['a', 'ä', 'e']);
        if body != bare {
            // auttoi, kulki, antoi · autetaan
            for vowels in ["i", "oi", "e", ""] {
                if !vowels.is_empty() {
                    stems.extend(in_grades(&format!("{body}{vowels}")));
                }
            }
        }
    }
    stems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &str, expect: &str) {
        let finnish = Finnish::new();
        for word in words.split(' ') {
            let told: Vec<String> = finnish
                .readings(word)
                .into_iter()
                .map(|it| [vec![it.lemma], it.parts].concat().join("+"))
                .collect();
            assert_eq!(told.join(" "), expect, "{word}");
        }
    }

    #[test]
    fn forms_lead_to_their_word() {
        check("kunta kunnan kuntien kuntiin kunnassammekin", "kunta");
        check("kunnon kuntoja", "kunto");
        check("liikunta liikunnasta", "liikunta");
        check("kuuntelen kuunnellaan kuuntelemaan", "kuunnella");
    }

    #[test]
    fn compounds_are_cut_into_the_fewest_parts() {
        check("hyvinvointialueen", "hyvinvointialue+hyvinvointi+alue");
        check("sisäilmaongelmat", "sisäilmaongelma+sisä+ilma+ongelma");
        check("zumbapalvelut", "zumbapalvelu+palvelu");
        check("velvoite", "");
    }
}
