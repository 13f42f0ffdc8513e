//! A whole event, written out by the program itself in every format, and opened by readers that are
//! not ours. `VUORO_EXPORTS=FOLDER` keeps the files, to be looked at.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use lopdf::{Dictionary, Document as Pdf, Object, ObjectId, content::Content};
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

/// What a program of poppler or qpdf says of a PDF; `scripts/test` brings them, and where they are not
/// this is left out.
fn asked(program: &str, arguments: &[&str], file: &Path, after: &[&str]) -> Option<String> {
    let done = Command::new(program).args(arguments).arg(file).args(after).output();
    let done = done.map_err(|error| eprintln!("not read with {program}: {error}")).ok()?;
    // Older popplers take it for an error that nothing is suspected of the marks.
    let complains =
        String::from_utf8_lossy(&done.stderr).lines().any(|it| !it.contains("Suspects"));
    assert!(done.status.success() && !complains, "{program}: {done:?}");
    Some(String::from_utf8_lossy(&done.stdout).into_owned())
}

fn text_of_pdf(file: &Path) -> Option<String> {
    let text = asked("pdftotext", &[], file, &["-"])?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// It is sound, it is tagged, and no letter of it is lost.
fn read_as_pdf(file: &Path) {
    asked("qpdf", &["--check"], file, &[]);
    if let Some(about) = asked("pdfinfo", &[], file, &[]) {
        let tagged = about.lines().any(|it| it.starts_with("Tagged:") && it.ends_with("yes"));
        assert!(tagged && about.contains("Kuopion kaupunkikeskustan kehittäminen"), "{about}");
    }
    if let Some(structure) = asked("pdfinfo", &["-struct-text"], file, &[]) {
        for part in ["H1", "H2", "H3", "H4", "Table", "TH", "TD", "LI", "LBody", "BlockQuote"] {
            assert!(structure.contains(part), "{part} in {structure}");
        }
    }
    if let Some(fonts) = asked("pdffonts", &[], file, &[]) {
        let fonts: Vec<&str> = fonts.lines().skip(2).collect();
        let whole = |it: &&str| it.contains(" yes yes yes ");
        assert!(!fonts.is_empty() && fonts.iter().all(whole), "embedded, cut, readable: {fonts:?}");
    }
    if let Some(flat) = text_of_pdf(file) {
        for words in SPOKEN.map(|it| it.1).iter().chain(&["Björn Åkerström", "Dagmar <b>Öhman</b>"])
        {
            assert!(flat.contains(words), "{words} in {flat}");
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
    let hidden_pdf = export(&["--format", "pdf", "--pseudonymous"], "hidden.pdf");
    let hidden_pdf = text_of_pdf(&hidden_pdf).unwrap_or_default();
    for name in ["Aino", "Virta", "Åkerström", "Chao", "Öhman", "Mäkelä", "Farid"] {
        assert!(!hidden.contains(name) && !hidden_pdf.contains(name), "{name} in {hidden}");
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
    let pdf = export(&["--format", "pdf"], "event.pdf");
    read_as_pdf(&pdf);
    follows_pdf_ua(&Pdf::load(&pdf).expect("a PDF"));

    let refused = vuoro(data.path(), &["--format", "vtt"]);
    let says = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && says.contains("--room room-1"), "{says}");
    let log = Log::open(&data.path().join("notes.sqlite")).expect("the log");
    let accesses = log.accesses(session()).expect("readable");
    assert_eq!(accesses.len(), 12, "each taking is noted, a refusal is not: {accesses:?}");
    assert!(accesses.iter().any(|it| it.what == "export html, pseudonymous"), "{accesses:?}");
}

/// What of ISO 14289-1 (PDF/UA-1) a script can check, by its clauses. Whether the order makes sense and
/// headings say what follows, people must see.
fn follows_pdf_ua(pdf: &Pdf) {
    // 6.2, 7.1, 7.2: it says what it is, is shown by its title, and names its language.
    let catalog = pdf.catalog().expect("a catalog");
    let within = |key: &str| catalog.get_deref(key.as_bytes(), pdf).and_then(Object::as_dict);
    let metadata = catalog.get_deref(b"Metadata", pdf).and_then(Object::as_stream);
    let metadata = metadata.and_then(|it| it.get_plain_content()).expect("metadata");
    let metadata = String::from_utf8(metadata).expect("text");
    assert!(metadata.contains("<pdfuaid:part>1</pdfuaid:part>"), "{metadata}");
    assert!(metadata.contains("Kuopion kaupunkikeskustan kehittäminen"), "{metadata}");
    let is_set =
        |of: &Dictionary, key: &[u8]| of.get(key).and_then(Object::as_bool).is_ok_and(|it| it);
    let marked = within("MarkInfo").expect("marks");
    assert!(is_set(marked, b"Marked") && !is_set(marked, b"Suspects"));
    assert!(is_set(within("ViewerPreferences").expect("how it is shown"), b"DisplayDocTitle"));
    assert_eq!(catalog.get(b"Lang").and_then(Object::as_str).ok(), Some(b"fi".as_slice()));
    // 7.17: one can walk by its headings.
    assert!(within("Outlines").is_ok_and(|it| it.has(b"First")));

    let mut tree = Tree::default();
    let root = within("StructTreeRoot").expect("a structure");
    tree.walk(pdf, root.get(b"K").expect("something in it"), "", None);
    tree.is_sound(pdf);
    let (mut marks, mut languages) = (Vec::new(), BTreeSet::new());
    for page in pdf.page_iter() {
        let about = pdf.get_dictionary(page).expect("a page");
        assert!(about.has(b"StructParents") && !about.has(b"Annots"), "{about:?}");
        marks_of_page(pdf, page, &mut marks, &mut languages);
    }
    // 7.1: all that is said stands in the structure, and once.
    let numbers = marks.len();
    let (once, known): (BTreeSet<_>, BTreeSet<_>) =
        (marks.into_iter().collect(), tree.marks.iter().copied().collect());
    assert_eq!((once.len(), &once), (numbers, &known), "marked content and the structure");
    assert_eq!(known.len(), tree.marks.len());
    // 7.2: each in the language in which it was said.
    assert_eq!(languages, ["en", "fi", "sv"].map(str::to_owned).into());
    // 7.21: letters come with it, and which they are.
    let mut fonts = 0;
    for font in pdf.objects.values().filter_map(|it| it.as_dict().ok()) {
        match font.get(b"Subtype").and_then(Object::as_name).ok() {
            Some(b"Type0") => {
                fonts += 1;
                assert!(font.has(b"ToUnicode"), "{font:?}");
            }
            Some(b"CIDFontType0" | b"CIDFontType2") => {
                let about = font.get_deref(b"FontDescriptor", pdf).and_then(Object::as_dict);
                assert!(about.is_ok_and(|it| it.has(b"FontFile2") || it.has(b"FontFile3")));
            }
            _ => {}
        }
    }
    assert_eq!(fonts, 2, "a plain and a bold one");
}

/// What can be heard of a PDF.
#[derive(Default)]
struct Tree<'a> {
    /// What each stands in, what it is, and itself.
    elements: Vec<(&'a str, &'a str, &'a Dictionary)>,
    /// Page and number of all that was marked.
    marks: Vec<(ObjectId, i64)>,
}

impl<'a> Tree<'a> {
    fn walk(&mut self, pdf: &'a Pdf, of: &'a Object, parent: &'a str, page: Option<ObjectId>) {
        match pdf.dereference(of).expect("there").1 {
            Object::Integer(mark) => self.marks.push((page.expect("a page"), *mark)),
            Object::Array(all) => all.iter().for_each(|it| self.walk(pdf, it, parent, page)),
            Object::Dictionary(group) => {
                let page = group.get(b"Pg").and_then(Object::as_reference).ok().or(page);
                if let Ok(mark) = group.get(b"MCID").and_then(Object::as_i64) {
                    return self.marks.push((page.expect("a page"), mark));
                }
                let kind = group.get(b"S").and_then(Object::as_name).expect("a kind");
                let kind = std::str::from_utf8(kind).expect("a name");
                self.elements.push((parent, kind, group));
                if let Ok(within) = group.get(b"K") {
                    self.walk(pdf, within, kind, page);
                }
            }
            other => panic!("{other:?} in the structure"),
        }
    }

    fn is_sound(&self, pdf: &Pdf) {
        let mut heading = 0;
        for (parent, kind, element) in &self.elements {
            let of = |parents: &[&str]| assert!(parents.contains(parent), "{kind} in {parent}");
            match *kind {
                // 7.4: headings go down by one.
                "H1" | "H2" | "H3" | "H4" => {
                    let level: u8 = kind[1..].parse().expect("a number");
                    assert!(level <= heading + 1, "{kind} after H{heading}");
                    heading = level;
                }
                // 7.5: rows have headers.
                "TBody" => of(&["Table"]),
                "TR" => of(&["TBody"]),
                "TD" => of(&["TR"]),
                "TH" => {
                    of(&["TR"]);
                    assert_eq!(attribute(pdf, element, b"Scope"), Some(b"Row".to_vec()));
                }
                // 7.6: lists say how they are numbered.
                "L" => {
                    of(&["Document", "LBody"]);
                    assert!(attribute(pdf, element, b"ListNumbering").is_some());
                }
                "LI" => of(&["L"]),
                "Lbl" | "LBody" => of(&["LI"]),
                "P" => of(&["Document", "BlockQuote"]),
                "Document" => of(&[""]),
                "Table" | "BlockQuote" => of(&["Document"]),
                other => panic!("{other}, which no document of ours has"),
            }
        }
    }
}

/// A name among the attributes of an element.
fn attribute(pdf: &Pdf, element: &Dictionary, key: &[u8]) -> Option<Vec<u8>> {
    let all = match element.get_deref(b"A", pdf).ok()? {
        Object::Array(all) => all.iter().collect(),
        one => vec![one],
    };
    let all = all.into_iter().filter_map(|it| pdf.dereference(it).ok()?.1.as_dict().ok());
    all.filter_map(|it| it.get(key).ok()?.as_name().ok()).map(<[u8]>::to_vec).next()
}

/// Nothing is drawn that is not marked, as something that is said or as something that is not.
fn marks_of_page(
    pdf: &Pdf,
    page: ObjectId,
    marks: &mut Vec<(ObjectId, i64)>,
    languages: &mut BTreeSet<String>,
) {
    let content = Content::decode(&pdf.get_page_content(page)).expect("can be read");
    let mut open: Vec<bool> = Vec::new();
    for operation in content.operations {
        match operation.operator.as_str() {
            "BDC" | "BMC" => {
                let tag = operation.operands.first().and_then(|it| it.as_name().ok());
                let about = operation.operands.get(1).and_then(|it| it.as_dict().ok());
                let get = |key: &[u8]| about.and_then(|it| it.get(key).ok());
                let mark = get(b"MCID").and_then(|it| it.as_i64().ok());
                assert!(mark.is_none() || tag != Some(b"Artifact"), "{operation:?}");
                marks.extend(mark.map(|it| (page, it)));
                let language = get(b"Lang").and_then(|it| it.as_str().ok());
                languages.extend(language.map(|it| String::from_utf8_lossy(it).into_owned()));
                open.push(mark.is_some() || tag == Some(b"Artifact"));
            }
            "EMC" => assert!(open.pop().is_some(), "what ends has begun"),
            "Tj" | "TJ" | "'" | "\"" | "f" | "F" | "f*" | "B" | "B*" | "b" | "b*" | "S" | "s"
            | "sh" | "Do" | "BI" => assert!(open.contains(&true), "{operation:?} is not marked"),
            _ => {}
        }
    }
    assert!(open.is_empty());
}
