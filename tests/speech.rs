//! Speech with the real model: a file goes in, the right words come out. The model must be there;
//! `scripts/fetch-model` brings it.

use std::path::{Path, PathBuf};

use vuoro::domain::language::Language;
use vuoro::speech::driver::wav::{FileSegment, transcribe_file};
use vuoro::speech::driver::whisper::WhisperModel;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

const JFK: &str = "And so my fellow Americans, ask not what your country can do for you, \
                   ask what you can do for your country.";

/// `$VUORO_MODEL`, or base, or tiny in `models/whisper`.
fn model() -> WhisperModel {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/whisper");
    let wanted = std::env::var_os("VUORO_MODEL").map(PathBuf::from);
    let places: Vec<PathBuf> = match wanted {
        Some(path) => vec![path],
        None => ["ggml-base.bin", "ggml-tiny.bin"].iter().map(|it| models.join(it)).collect(),
    };
    let path = places.iter().find(|it| it.exists()).unwrap_or_else(|| {
        panic!("no whisper model at any of {places:?}: fetch one with scripts/fetch-model")
    });
    WhisperModel::load(path).expect("the model")
}

/// How many words of `reference` were not got right in `said`: substituted, left out or put in
/// (edit distance over words, without case and punctuation).
fn word_errors(reference: &str, said: &str) -> usize {
    let words = |text: &str| -> Vec<String> {
        let lower = text.to_lowercase();
        let parts = lower.split(|it: char| !it.is_alphanumeric() && it != '\'');
        parts.filter(|it| !it.is_empty()).map(str::to_owned).collect()
    };
    let (reference, said) = (words(reference), words(said));
    let mut row: Vec<usize> = (0..=said.len()).collect();
    for (i, want) in reference.iter().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, got) in said.iter().enumerate() {
            let here = before + usize::from(want != got);
            before = row[j + 1];
            row[j + 1] = here.min(before + 1).min(row[j] + 1);
        }
    }
    row[said.len()]
}

#[test]
fn errors_are_counted_in_words() {
    for (reference, said, errors) in [
        ("ask not what", "Ask, not what?", 0),
        ("ask not what", "ask what", 1),
        ("ask not what", "ask not what what", 1),
        ("ask not what", "ask that what", 1),
        ("ask not what", "", 3),
        ("", "ask", 1),
    ] {
        assert_eq!(word_errors(reference, said), errors, "{said}");
    }
}

#[test]
fn what_was_said_is_written_down() {
    let model = model();
    for language in [Some(Language::English), None] {
        let mut segments: Vec<FileSegment> = Vec::new();
        let mut progress = (0, 0);
        let found = transcribe_file(
            &Path::new(FIXTURES).join("jfk.wav"),
            &model,
            language,
            |done, total| progress = (done, total),
            |it| segments.push(it),
        );
        assert_eq!(found.expect("a transcript"), Language::English);
        assert_eq!(progress, (11_000, 11_000));
        let said: Vec<&str> = segments.iter().map(|it| it.text.as_str()).collect();
        let errors = word_errors(JFK, &said.join(" "));
        // 22 words: at least 95 % of them right.
        assert!(errors <= 1, "{errors} of 22 words wrong: {said:?}");
        assert!(segments.is_sorted_by(|a, b| a.span.end <= b.span.start));
        assert!(segments.iter().all(|it| it.span.end.as_ms() <= 11_000 && it.span.ms() > 250));
    }
}
