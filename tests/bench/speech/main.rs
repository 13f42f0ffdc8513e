//! Speech, measured: what an utterance costs beside plain whisper, how many words are wrong, how many rooms one
//! core follows live, what is invented out of noise, whose turn it was in real meetings, and how well voices are
//! found. Run by
//! `scripts/bench speech` and `guards`, which bring the recordings and build the peer.
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock and waits")]

mod audio;
mod conversations;
mod cost;
#[path = "../sfu/figures.rs"]
#[allow(dead_code, reason = "shared with the media benches")]
mod figures;
mod guards;
mod language;
mod meetings;
mod peer;
mod rooms;
mod text;
mod times;
mod voices;
mod words;

use std::path::{Path, PathBuf};

use figures::{Arguments, Figures};
use vuoro::app::models::{self, Presence};
use vuoro::domain::language::Language;

use audio::Clip;

/// Seeds of the five talks in which words are counted.
const TALKS: std::ops::Range<u64> = 1..6;

fn main() {
    whisper_rs::install_logging_hooks();
    let arguments = Arguments::read();
    let quick = arguments.has("--quick");
    let path =
        |name: &str| PathBuf::from(arguments.text(name).unwrap_or_else(|| panic!("{name} PATH")));
    // Only what is measured beside the peer needs it.
    let plain = || arguments.text("--plain").expect("--plain PROGRAM");
    let folder = path("--models");
    let english = audio::english(&path("--pocketsphinx"));
    let read_out = |name: &str, lines: &str| {
        let lines = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/speech").join(lines);
        arguments.text(name).map(|it| audio::folder(Path::new(&it), &lines))
    };
    let finnish = read_out("--finnish", "finnish.txt");
    let swedish = read_out("--swedish", "swedish.txt").unwrap_or_default();
    let ami = arguments.text("--ami").map(PathBuf::from);
    let part = arguments.text("--part");
    let wants = |name: &str| part.as_deref().is_none_or(|it| it.split(',').any(|it| it == name));
    let only = arguments.text("--only");
    let guards = arguments.at(0) == Some("guards");
    let mut figures = Figures::default();

    for (name, model) in models_at_hand(&folder) {
        if only.as_deref().is_some_and(|it| !it.split(',').any(|it| it == name)) {
            continue;
        }
        let figures = &mut figures;
        if guards {
            let seconds = if quick { 10.0 } else { 40.0 };
            let keyboard = arguments.text("--keyboard").map(PathBuf::from);
            let real: Vec<Clip> =
                keyboard.iter().map(|it| audio::typed(it, 2.0 * seconds, 1)).collect();
            guards::run(&name, &model, &plain(), seconds, &english, &real, figures);
            continue;
        }
        if wants("cost") {
            println!("\n{name}: CPU of an utterance of 5 s");
            let rounds = if quick || name.starts_with("small") { 1 } else { 3 };
            cost::run(&name, &model, &plain(), &english, rounds, figures);
        }
        if wants("words") {
            println!("\n{name}: words");
            let seconds = if quick { 20.0 } else { 128.0 };
            let talks: Vec<Clip> = TALKS.map(|it| audio::talk(&english, seconds, it)).collect();
            text::run(&name, &model, Some(&plain()), &talks, Language::English, figures);
        }
        if let Some(ami) = ami.as_deref().filter(|_| wants("ami-words")) {
            println!("\n{name}: words of meetings");
            let clips = meetings::spoken(ami);
            text::run(
                &format!("{name}_ami"),
                &model,
                Some(&plain()),
                &clips,
                Language::English,
                figures,
            );
        }
        if let Some(finnish) = finnish.as_ref().filter(|_| wants("finnish")) {
            println!("\n{name}: Finnish words");
            let name = format!("{name}_finnish");
            text::run(&name, &model, Some(&plain()), finnish, Language::Finnish, figures);
        }
        if wants("language") {
            println!("\n{name}: in which language somebody speaks");
            let meetings = ami.as_deref().map(meetings::people).unwrap_or_default();
            let single = |of: Language| {
                let folder = arguments.text("--single").map(|it| Path::new(&it).join(of.code()));
                folder.map(|it| audio::single(&it)).unwrap_or_default()
            };
            let finnish = finnish.as_deref().unwrap_or_default();
            let people = language::people(&english, meetings, finnish, &swedish, single);
            language::run(&name, &model, &people, figures);
        }
        if wants("times") {
            println!("\n{name}: when each word was said");
            let folder = arguments.text("--finnish").map(PathBuf::from);
            let timed = finnish.as_deref().zip(folder.as_deref());
            let timed = timed.map(|(clips, folder)| times::festival(clips, folder));
            times::run(&name, &model, &english, &timed.unwrap_or_default(), figures);
        }
        if wants("rooms") {
            println!("\n{name}: rooms that talk");
            // tiny is not usable for Finnish; the others are there for its sake.
            let in_finnish = name != "tiny" || arguments.has("--in-finnish");
            let finnish = finnish.as_ref().filter(|_| in_finnish && !arguments.has("--in-english"));
            let (clips, language, called) = match finnish {
                Some(finnish) => (finnish, Language::Finnish, format!("{name}_finnish")),
                None => (&english, Language::English, name.clone()),
            };
            let steps = steps(&arguments, &name, quick);
            let (seconds, told) = if quick { (12, 0) } else { (24, 10) };
            let (name, model) = (called.as_str(), model.as_str());
            rooms::run(
                &rooms::Plan { name, model, clips, language, steps, told, seconds },
                figures,
            );
        }
    }
    if let Some(ami) = ami.filter(|_| wants("turns") && !guards) {
        println!("\nturns of meetings");
        meetings::run(&ami, &mut figures);
    }
    if wants("voices") && !guards {
        println!("\nwhat finds voices");
        voices::run(&english, quick, &mut figures);
    }
    if wants("conversations") && !guards {
        println!("\nwho talked how much, took turns and showed that they listen");
        conversations::run(&english, quick, &mut figures);
    }
    figures.tell(&arguments, serde_json::json!({}));
}

/// The multilingual models in the folder, from the lightest on.
fn models_at_hand(folder: &Path) -> Vec<(String, String)> {
    let here = models::all().into_iter().filter(|it| it.presence(folder) == Presence::Here);
    here.filter(|it| !it.name.ends_with(".en") && it.work.is_some())
        .map(|it| (it.name.clone(), it.path(folder).display().to_string()))
        .collect()
}

/// Numbers of rooms to try, one after another.
fn steps(arguments: &Arguments, model: &str, quick: bool) -> Vec<usize> {
    if let Some(given) = arguments.text("--rooms") {
        return given.split(',').map(|it| it.parse().expect("--rooms 10,20")).collect();
    }
    let all: &[usize] = match model {
        "tiny" => &[10, 16, 24, 32, 48, 64],
        "base" => &[4, 10, 16, 24, 32],
        _ => &[1, 3, 6, 10],
    };
    if quick { all[..1].to_vec() } else { all.to_vec() }
}
