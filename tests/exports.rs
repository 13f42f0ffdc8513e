//! A whole event, written out by the program itself in every format, and opened by readers that are
//! not ours. `VUORO_EXPORTS=FOLDER` keeps the files, to be looked at.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use vuoro::{
    app::methods::Library,
    domain::{
        fact::{Consent, Fact},
        ids::{ParticipantId, RoomId, SessionId},
        language::Language,
        message::Place,
        method::Harvest,
        run::{RunOptions, StepBegan},
        time::{SessionTime, Span},
    },
    notes::driver::log::Log,
};

const NAMES: [&str; 6] =
    ["Aino Virtanen", "Björn Åkerström", "Chao Li", "Dagmar <b>Öhman</b>", "Eetu Mäkelä", "=Farid"];

const SPOKEN: [(Language, &str); 8] = [
    (Language::Finnish, "Keskustassa ei ole paikkaa, jossa voisi vain istua ostamatta mitään."),
    (Language::Finnish, "Lapsiperheet lähtevät kauppakeskukseen, koska siellä on lämmin."),
    (Language::Swedish, "Jag saknar en plats där unga och gamla möts av misstag."),
    (Language::English, "The library is the only room that is open to everybody after six."),
    (Language::Finnish, "Entä jos torin reunaan tulisi katos ja pitkä pöytä?"),
    (Language::Swedish, "Ett långbord vore billigt att pröva redan i sommar."),
    (Language::Finnish, "Pyöräilijät tarvitsevat turvallisen reitin asemalta torille."),
    (Language::Finnish, "Kokeillaan ensin kesän ajan ja kysytään sitten uudestaan."),
];

fn session() -> SessionId {
    SessionId::new(1_795_500_000_000, 6)
}

/// Half an hour in which six people go through 1-2-4-all.
fn event(data: &Path) {
    let (library, faults) = Library::load(None);
    assert!(faults.is_empty());
    let method = library.get("one-two-four-all").expect("a method of the product");
    let people: Vec<ParticipantId> = (1..=6).map(ParticipantId).collect();
    let mut facts = vec![(
        0,
        Fact::Opened {
            title: "Kuopion kaupunkikeskustan kehittäminen".into(),
            language: Language::Finnish,
            unix_ms: 1_795_500_000_000,
        },
    )];
    for (who, name) in people.iter().zip(NAMES) {
        facts.push((
            1_000,
            Fact::Joined {
                participant: *who,
                name: name.into(),
                language: Language::Finnish,
                consent: Consent::On,
                tags: [("organisation".to_owned(), "Kuopion kaupunki".to_owned())].into(),
            },
        ));
        facts.push((1_000, Fact::Placed { participant: *who, room: Some(RoomId::Main) }));
    }
    facts.push((
        60_000,
        said(people[0], RoomId::Main, 55_000, Language::Finnish, "Tervetuloa kaikki!"),
    ));
    let question = "Mitä keskustasta puuttuu?".to_owned();
    let options = RunOptions { question, warn_ms: 60_000, ..RunOptions::default() };
    facts.push((90_000, Fact::MethodBegan { method: method.clone().into(), options }));
    let mut at_ms = 120_000;
    for (phase, number) in method.phases.iter().zip(0..) {
        let groups: Vec<Vec<ParticipantId>> = match phase.groups() {
            true => people
                .chunks(usize::from(phase.size.unwrap_or(3)).max(2))
                .map(<[_]>::to_vec)
                .collect(),
            false => Vec::new(),
        };
        facts.push((
            at_ms,
            Fact::StepBegan(StepBegan {
                place: Place { phase: number, round: 0, of: 1 },
                length_ms: Some(300_000),
                rooms: Some(groups.clone()),
                ahead: Vec::new(),
                roles: Vec::new(),
                cards: Vec::new(),
            }),
        ));
        for (index, who) in people.iter().enumerate() {
            let room = groups.iter().zip(1..).find(|it| it.0.contains(who));
            let room = room.map_or(RoomId::Main, |it| RoomId::Breakout(it.1));
            let start_ms = at_ms + 10_000 + 30_000 * index as u64;
            match phase.harvest {
                Harvest::Note | Harvest::Private | Harvest::Card => facts.push((
                    start_ms,
                    Fact::Wrote {
                        participant: *who,
                        room,
                        text: SPOKEN[index].1.into(),
                        parts: Vec::new(),
                    },
                )),
                Harvest::Line => facts.push((
                    start_ms,
                    Fact::Wrote {
                        participant: *who,
                        room,
                        text: format!("Pitkä pöytä torille\nKokeilu {}", index + 1),
                        parts: Vec::new(),
                    },
                )),
                _ => {}
            }
            if 0 < number {
                let (language, words) = SPOKEN[(index + usize::from(number)) % SPOKEN.len()];
                facts.push((start_ms + 5_000, said(*who, room, start_ms, language, words)));
            }
        }
        at_ms += 300_000;
    }
    facts.push((at_ms, Fact::MethodEnded));
    facts.push((at_ms + 1_000, Fact::Ended));
    let log = Log::open(&data.join("notes.sqlite")).expect("a new log");
    let facts = facts.into_iter().map(|(at, fact)| (SessionTime(at), fact)).collect();
    log.append_blocking(session(), facts).expect("kept");
}

fn said(who: ParticipantId, room: RoomId, start_ms: u64, language: Language, words: &str) -> Fact {
    Fact::Said {
        participant: who,
        room,
        span: Span::new(SessionTime(start_ms), SessionTime(start_ms + 4_200)),
        language,
        text: words.into(),
        words: vec![],
    }
}

fn vuoro(data: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vuoro"))
        .arg("export")
        .arg(session().to_string())
        .args(arguments)
        .arg("--data")
        .arg(data)
        .output()
        .expect("the program runs")
}

/// The file that the program wrote.
fn exported(data: &Path, folder: &Path, arguments: &[&str], name: &str) -> PathBuf {
    let file = folder.join(name);
    let path = file.to_str().expect("plain");
    let done = vuoro(data, &[arguments, &["--out", path]].concat());
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    file
}

/// Where LibreOffice is installed (`apt-get install libreoffice-writer-nogui libreoffice-calc-nogui`)
/// it opens the file and prints it, so that it can be looked at; elsewhere this is left out.
fn open_in_office(file: &Path) {
    let Some(folder) = file.parent() else { return };
    let profile = tempfile::tempdir().expect("a folder");
    let printed = Command::new("soffice")
        .arg(format!("-env:UserInstallation=file://{}", profile.path().display()))
        .args(["--headless", "--convert-to", "pdf", "--outdir"])
        .arg(folder)
        .arg(file)
        .output();
    match printed {
        Err(error) => eprintln!("not opened in LibreOffice: {error}"),
        Ok(done) => {
            let pdf = std::fs::read(file.with_extension("pdf")).expect("LibreOffice prints it");
            assert!(done.status.success() && pdf.starts_with(b"%PDF"), "{done:?}");
        }
    }
}

fn text(file: &Path) -> String {
    String::from_utf8(std::fs::read(file).expect("written")).expect("text")
}

#[test]
fn an_event_is_taken_away_in_every_format() {
    let data = tempfile::tempdir().expect("a folder");
    event(data.path());
    let kept = std::env::var_os("VUORO_EXPORTS").map(PathBuf::from);
    let folder = kept.unwrap_or_else(|| data.path().join("out"));
    std::fs::create_dir_all(&folder).expect("a folder");
    let export = |arguments: &[&str], name: &str| exported(data.path(), &folder, arguments, name);

    let markdown = text(&export(&["--format", "md"], "event.md"));
    assert!(markdown.contains("# Kuopion kaupunkikeskustan kehittäminen"), "{markdown}");
    let html = text(&export(&["--format", "html"], "event.html"));
    assert!(html.contains("Dagmar &lt;b&gt;Öhman&lt;/b&gt;"), "{html}");
    export(&["--format", "html", "--language", "sv", "--summary"], "summary-sv.html");
    let hidden = text(&export(&["--format", "html", "--pseudonymous"], "hidden.html"));
    for name in ["Aino", "Virta", "Åkerström", "Chao", "Öhman", "Mäkelä", "Farid"] {
        assert!(!hidden.contains(name), "{name} in {hidden}");
    }
    let csv = text(&export(&["--format", "csv"], "event.csv"));
    assert!(csv.contains(",'=Farid,"), "{csv}");
    let json = text(&export(&["--format", "json"], "event.json"));
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let schema = serde_json::from_str(vuoro::app::exporting::SCHEMA).expect("JSON");
    let schema = jsonschema::draft202012::new(&schema).expect("a schema");
    let faults: Vec<_> = schema.iter_errors(&json).map(|it| it.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}");
    let vtt = text(&export(&["--format", "vtt", "--room", "room-1"], "room-1.vtt"));
    assert!(vtt.starts_with("WEBVTT\n") && vtt.contains("<v Aino Virtanen><lang"), "{vtt}");
    export(&["--format", "srt", "--room", "main"], "main.srt");
    open_in_office(&export(&["--format", "docx"], "event.docx"));
    open_in_office(&export(&["--format", "xlsx"], "event.xlsx"));

    let refused = vuoro(data.path(), &["--format", "vtt"]);
    let says = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && says.contains("--room room-1"), "{says}");
    let log = Log::open(&data.path().join("notes.sqlite")).expect("the log");
    let accesses = log.accesses(session()).expect("readable");
    assert_eq!(accesses.len(), 10, "each taking is noted, a refusal is not: {accesses:?}");
    assert!(accesses.iter().any(|it| it.what == "export html, pseudonymous"), "{accesses:?}");
}
