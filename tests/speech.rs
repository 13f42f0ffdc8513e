//! Speech with the real model: a file goes in, the right words come out. The model must be there;
//! `scripts/fetch-model` brings it.

#[path = "bench/speech/audio.rs"]
#[allow(dead_code, reason = "shared with the bench")]
mod audio;
#[path = "bench/speech/words.rs"]
mod words;

use std::path::{Path, PathBuf};

use vuoro::domain::language::Language;
use vuoro::speech::driver::wav::{FileSegment, transcribe_file};
use vuoro::speech::driver::whisper::WhisperModel;

use audio::{RATE, decibels, noises, read, write};
use words::word_errors;

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

/// What is written down of audio that is no file.
fn said_in(model: &WhisperModel, pcm: &[f32], language: Language) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sound.wav");
    write(&path, pcm);
    let mut said = String::new();
    let written = transcribe_file(
        &path,
        model,
        Some(language),
        |_, _| (),
        |it| {
            said += " ";
            said += &it.text;
        },
    );
    written.expect("a transcript");
    said.trim().to_owned()
}

#[test]
fn where_nobody_speaks_nothing_is_written() {
    let model = model();
    assert_eq!(said_in(&model, &vec![0.0; 10 * RATE], Language::Finnish), "");
    for (kind, pcm) in noises(8.0, 2) {
        for (level_db, language) in [(-6.0, Language::English), (-36.0, Language::Finnish)] {
            let pcm: Vec<f32> = pcm.iter().map(|it| it * decibels(level_db)).collect();
            let said = said_in(&model, &pcm, language);
            assert_eq!(said, "", "{kind} at {level_db} dB");
        }
    }
}

#[test]
fn who_speaks_quietly_is_written_down() {
    let model = model();
    let pcm = read(&Path::new(FIXTURES).join("jfk.wav"));
    for level_db in [-30.0, -40.0] {
        let quiet: Vec<f32> = pcm.iter().map(|it| it * decibels(level_db)).collect();
        let errors = word_errors(JFK, &said_in(&model, &quiet, Language::English));
        assert!(errors <= 3, "{errors} of 22 words wrong at {level_db} dB");
    }
}

#[test]
fn who_speaks_beside_a_keyboard_is_written_down_and_the_keyboard_is_not() {
    let model = model();
    let mut pcm = read(&Path::new(FIXTURES).join("jfk.wav"));
    pcm.resize(pcm.len() + 4 * RATE, 0.0);
    let (_, keys) = noises(15.0, 3).into_iter().find(|it| it.0 == "keyboard").unwrap();
    for (sample, key) in pcm.iter_mut().zip(keys) {
        *sample = (*sample + key * decibels(-26.0)).clamp(-1.0, 1.0);
    }
    let errors = word_errors(JFK, &said_in(&model, &pcm, Language::English));
    assert!(errors <= 2, "{errors} of 22 words wrong");
}
