//! Recall and precision of words in their forms and of parts of compounds, over the lists in
//! `tests/fixtures/search`; prints the table of tests/bench/RESULTS.md (`--nocapture`).

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::notes::driver::voikko::Voikko;

const FINNISH: &str = include_str!("../../../../tests/fixtures/search/fi.txt");
const SWEDISH: &str = include_str!("../../../../tests/fixtures/search/sv.txt");

struct Family {
    forms: Vec<&'static str>,
    compounds: Vec<&'static str>,
}

fn families(list: &'static str) -> (Vec<Family>, Vec<&'static str>) {
    let mut families = Vec::new();
    let mut strangers = Vec::new();
    for line in list.lines().filter(|it| !it.starts_with('#')) {
        if let Some(line) = line.strip_prefix('!') {
            strangers.extend(line.split_whitespace());
        } else if let Some((_, words)) = line.split_once(':') {
            let (forms, compounds) = words.split_once('+').unwrap_or((words, ""));
            families.push(Family {
                forms: forms.split_whitespace().collect(),
                compounds: compounds.split_whitespace().collect(),
            });
        }
    }
    (families, strangers)
}

/// Percent.
#[derive(Debug)]
struct Score {
    queries: usize,
    forms: f64,
    parts: f64,
    precision: f64,
    missed: Vec<String>,
    wrong: BTreeMap<String, BTreeSet<String>>,
}

/// `keys`: what is kept of a word; `asked`: what finds it.
fn score(
    list: &'static str,
    kept: impl Fn(&str) -> Vec<String>,
    asked: impl Fn(&str) -> Vec<String>,
) -> Score {
    let (families, strangers) = families(list);
    let words: BTreeSet<&str> = families
        .iter()
        .flat_map(|it| it.forms.iter().chain(&it.compounds))
        .chain(&strangers)
        .copied()
        .collect();
    let mut index: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for word in &words {
        for key in kept(word).into_iter().chain([(*word).to_owned()]) {
            index.entry(key).or_default().insert(word);
        }
    }
    let (mut queries, mut right, mut of_forms, mut found_forms) = (0, 0, 0, 0);
    let (mut of_parts, mut found_parts, mut found_all) = (0, 0, 0);
    let mut missed = Vec::new();
    let mut wrong: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for family in &families {
        // A compound may be listed under one of its parts only, so another family's word that
        // contains a form's stem is judged by the list it is in: wrong only if in none.
        for query in &family.forms {
            queries += 1;
            let mut found: BTreeSet<&str> = BTreeSet::new();
            for key in asked(query).into_iter().chain([(*query).to_owned()]) {
                found.extend(index.get(&key).into_iter().flatten());
            }
            for word in &family.forms {
                of_forms += 1;
                found_forms += usize::from(found.contains(word));
                if !found.contains(word) {
                    missed.push(format!("{query}→{word}"));
                }
            }
            for word in &family.compounds {
                of_parts += 1;
                found_parts += usize::from(found.contains(word));
                if !found.contains(word) {
                    missed.push(format!("{query}→+{word}"));
                }
            }
            for word in found {
                let own = family.forms.contains(&word) || family.compounds.contains(&word);
                let elsewhere = families.iter().any(|it| {
                    // The same compound listed under its other part, or in another form.
                    it.compounds.contains(&word)
                });
                found_all += 1;
                if own || elsewhere {
                    right += 1;
                } else {
                    wrong.entry((*query).to_owned()).or_default().insert(word.to_owned());
                }
            }
        }
    }
    let percent = |part: usize, of: usize| 100.0 * part as f64 / of.max(1) as f64;
    Score {
        queries,
        forms: percent(found_forms, of_forms),
        parts: percent(found_parts, of_parts),
        precision: percent(right, found_all),
        missed,
        wrong,
    }
}

fn row(name: &str, score: &Score) {
    println!(
        "| {name} | {} | {:.1} | {:.1} | {:.1} |",
        score.queries, score.forms, score.parts, score.precision
    );
}

fn of_words(list: &'static str, language: Language, words: &Words) -> Score {
    score(
        list,
        |word| words.kept(language, word),
        |word| {
            let asked = words.asked(language, word);
            [asked.whole, asked.parts].concat()
        },
    )
}

fn of_snowball(list: &'static str, algorithm: Algorithm) -> Score {
    let stemmer = Stemmer::new(algorithm);
    let keys = |word: &str| vec![format!("u{}", stemmer.stem(word))];
    score(list, keys, keys)
}

/// What search had before: Snowball's stem with a few Finnish endings more.
fn of_endings(list: &'static str) -> Score {
    let stemmer = Stemmer::new(Algorithm::Finnish);
    let keys = |word: &str| vec![endings::fold(Language::Finnish, &stemmer.stem(word))];
    score(list, keys, keys)
}

#[test]
fn words_are_found_in_their_forms_and_inside_compounds() {
    println!("| Finnish | questions | forms found, % | compounds found by a part, % | right, % |");
    let snowball = of_snowball(FINNISH, Algorithm::Finnish);
    row("Snowball", &snowball);
    row("Snowball and endings", &of_endings(FINNISH));
    let own = of_words(FINNISH, Language::Finnish, &Words::new(None));
    row("built-in lists", &own);
    if std::env::var("SHOW").is_ok() {
        println!("{:?}\n{:?}", own.missed, own.wrong);
    }
    if let Some(voikko) = Voikko::find() {
        let voikko: Arc<dyn Morphology> = Arc::new(voikko);
        let alone = |word: &str| -> Vec<Reading> { voikko.readings(word) };
        let lemmas = |word: &str| alone(word).into_iter().map(|it| format!("l{}", it.lemma));
        let parts = |word: &str| alone(word).into_iter().flat_map(|it| it.parts);
        row(
            "Voikko alone",
            &score(
                FINNISH,
                |word| lemmas(word).chain(parts(word).map(|it| format!("p{it}"))).collect(),
                |word| {
                    let asked: Vec<String> = lemmas(word).collect();
                    let parts = alone(word).into_iter().map(|it| format!("p{}", it.lemma));
                    asked.into_iter().chain(parts).collect()
                },
            ),
        );
        let both = Words::new(Some(Arc::clone(&voikko)));
        let both = of_words(FINNISH, Language::Finnish, &both);
        row("built-in lists and Voikko", &both);
        if std::env::var("SHOW").is_ok() {
            println!("{:?}\n{:?}", both.missed, both.wrong);
        }
    }
    println!("| Swedish | | | | |");
    let snowball_sv = of_snowball(SWEDISH, Algorithm::Swedish);
    row("Snowball", &snowball_sv);
    let own_sv = of_words(SWEDISH, Language::Swedish, &Words::new(None));
    row("built-in lists", &own_sv);
    if std::env::var("SHOW").is_ok() {
        println!("{:?}\n{:?}", own_sv.missed, own_sv.wrong);
    }

    assert!(200 <= own.queries && 100 <= own_sv.queries);
    assert!(95.0 <= own.forms && 95.0 <= own_sv.forms, "forms");
    assert!(2.0 * snowball.parts <= own.parts && 2.0 * snowball_sv.parts <= own_sv.parts, "parts");
    assert!(95.0 <= own.precision && 95.0 <= own_sv.precision, "precision");
}

/// Words that nobody chose for this: the compounds in the Finnish of the pages, as Voikko cuts
/// them. Says nothing where Voikko is not installed.
#[test]
fn compounds_of_real_texts_are_cut_as_voikko_cuts_them() {
    let Some(voikko) = Voikko::find() else { return };
    let text = std::fs::read_to_string("web/src/languages/fi.ts").expect("the pages' Finnish");
    let words: BTreeSet<String> =
        text.to_lowercase().split(|it: char| !it.is_alphabetic()).map(str::to_owned).collect();
    let own = Words::new(None);
    let (mut of, mut found) = (0, 0);
    let mut missed = BTreeSet::new();
    for word in &words {
        let Some(reading) = voikko.readings(word).into_iter().find(|it| 1 < it.parts.len()) else {
            continue;
        };
        let kept = own.kept(Language::Finnish, word);
        for part in reading.parts {
            of += 1;
            let is_kept = kept.iter().any(|it| it.strip_prefix("fp") == Some(part.as_str()));
            found += usize::from(is_kept);
            if !is_kept {
                missed.insert(format!("{word}: {part}"));
            }
        }
    }
    println!("real texts: {} words, {found} of {of} parts of compounds kept", words.len());
    if std::env::var("SHOW").is_ok() {
        println!("{missed:?}");
    }
    assert!(of < 5 * found, "{found} of {of}");
}
