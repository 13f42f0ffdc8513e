//! Alice, Bob and Chao come to town, and what they leave is written out. Hostile names and words in
//! every format, read back by readers that are not ours.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::domain::{
    fact::{Consent, Fact, Record},
    ideas::{Change, IdeaId},
    method::{
        Advance, Assign, Harvest, Method, People, Phase, Source, Text as MethodText, Turns, Vote,
    },
    run::{RunOptions, StepBegan},
};

const ALICE: ParticipantId = ParticipantId(1);
const BOB: ParticipantId = ParticipantId(2);
const CHAO: ParticipantId = ParticipantId(3);

fn text(it: &str) -> MethodText {
    MethodText { fi: it.into(), sv: format!("{it}-sv"), en: format!("{it}-en") }
}

fn phase(id: &str, assign: Assign, harvest: Harvest) -> Phase {
    Phase {
        id: id.into(),
        name: text(id),
        instruction: text("x"),
        script: text("x"),
        assign,
        size: Some(2),
        size_min: None,
        size_max: None,
        rooms_of: None,
        seats: None,
        choose: None,
        vote: None,
        scribe: None,
        length_s: Some(120),
        length_s_per_person: None,
        rounds: 1,
        cycle: None,
        turns: Turns::Free,
        speaking: Vec::new(),
        harvest,
        advance: Advance::Time,
        transcribe: true,
        balance: true,
        colour: None,
    }
}

fn method() -> Method {
    Method {
        id: "me".into(),
        name: text("Minä-me-kaikki"),
        purpose: text("Kaikki mukaan"),
        description: text("x"),
        aims: Vec::new(),
        people: People { min: 2, max: 30, ideal: 6 },
        roles: Vec::new(),
        rules: Vec::new(),
        cycles: Vec::new(),
        phases: vec![
            phase("yksin", Assign::Solo, Harvest::Note),
            phase("salaa", Assign::Solo, Harvest::Private),
            phase("kortti", Assign::Solo, Harvest::Card),
            phase("yhdessa", Assign::Mix, Harvest::Line),
            phase("kaikki", Assign::Plenary, Harvest::Speech),
        ],
        source: Source { by: "me".into(), url: String::new() },
    }
}

fn joined(who: ParticipantId, name: &str) -> Fact {
    Fact::Joined {
        participant: who,
        name: name.into(),
        language: Language::Finnish,
        consent: Consent::On,
        tags: BTreeMap::from([("organisation".into(), "Kuopion kaupunki".into())]),
    }
}

fn began(phase: u16, rooms: Option<Vec<Vec<ParticipantId>>>) -> Fact {
    Fact::StepBegan(StepBegan {
        place: Place { phase, round: 0, of: 1 },
        length_ms: Some(120_000),
        rooms,
        ahead: Vec::new(),
        roles: Vec::new(),
        cards: Vec::new(),
    })
}

fn said(who: ParticipantId, room: RoomId, start_ms: u64, words: &str) -> Fact {
    Fact::Said {
        participant: who,
        room,
        span: Span::new(SessionTime(start_ms), SessionTime(start_ms + 900)),
        language: Language::Finnish,
        text: words.into(),
        words: vec![],
    }
}

fn wrote(who: ParticipantId, room: RoomId, text: &str) -> Fact {
    Fact::Wrote { participant: who, room, text: text.into(), parts: Vec::new() }
}

/// One fact a second.
fn records(facts: impl IntoIterator<Item = Fact>) -> Vec<Record> {
    let record = |(seq, fact)| Record { seq, at: SessionTime((seq - 1) * 1000), fact };
    (1..).zip(facts).map(record).collect()
}

fn id() -> SessionId {
    SessionId::new(1_790_000_000_000, 7)
}

fn opening(names: [&str; 3], title: &str) -> Vec<Fact> {
    let mut facts = vec![Fact::Opened {
        title: title.into(),
        language: Language::Finnish,
        unix_ms: 1_790_000_000_000,
    }];
    for (who, name) in [ALICE, BOB, CHAO].into_iter().zip(names) {
        facts.push(joined(who, name));
        facts.push(Fact::Placed { participant: who, room: Some(RoomId::Main) });
    }
    facts
}

fn evening() -> Vec<Record> {
    let (one, main) = (RoomId::Breakout(1), RoomId::Main);
    let mut facts = opening(["Alice Virtanen", "Bob", "Chao"], "Kevään ilta");
    facts.extend([
        said(ALICE, main, 6_500, "Tervetuloa kaikki"), // seq 8
        Fact::MethodBegan {
            method: method().into(),
            options: RunOptions {
                question: "Mitä keskustassa puuttuu?".into(),
                ..Default::default()
            },
        },
        began(0, None),
        wrote(ALICE, main, "Puis"),
        wrote(ALICE, main, "Puisto lapsille"),
        began(1, None),
        wrote(BOB, main, "En kehtaa sanoa ääneen"),
        began(2, None),
        wrote(BOB, main, "Pyöräkatu"),
        Fact::Scored { participant: ALICE, card: BOB, score: 4 },
        began(3, Some(vec![vec![ALICE, BOB]])),
        said(BOB, one, 18_500, "Olen Alicen kanssa samaa mieltä, Virtasella on oikea ajatus"),
        wrote(ALICE, one, "Puisto ja pyöräkatu\nyhdessä"),
        began(4, Some(Vec::new())),
        Fact::Unheard {
            participant: CHAO,
            room: main,
            span: Span::new(SessionTime(21_000), SessionTime(22_000)),
            reason: crate::domain::fact::GapReason::Backlog,
        },
        Fact::MethodEnded,
        Fact::Ended,
    ]);
    records(facts)
}

fn written(document: &Document, format: Format, language: Language) -> String {
    let mut out = Vec::new();
    let mut told = 0;
    let look = Look { language, offset_min: 180 };
    render(document, format, look, &mut out, &mut |done| told = done).expect("memory takes it");
    let lines = if format.is_of_one_room() {
        document.shown().iter().filter(|it| it.kind == Kind::Said).count()
    } else {
        document.shown().len()
    };
    assert_eq!(told, lines, "{format:?} tells how far it is");
    match format {
        Format::Docx => unzipped(&out, &["word/document.xml", "word/numbering.xml"]),
        Format::Xlsx => unzipped(
            &out,
            &["xl/sharedStrings.xml", "xl/worksheets/sheet1.xml", "docProps/core.xml"],
        ),
        Format::Pdf => of_pages(&out),
        _ => String::from_utf8(out).expect("text"),
    }
}

/// The text of a PDF as another reader finds it, without its breaks.
fn of_pages(bytes: &[u8]) -> String {
    let pdf = lopdf::Document::load_mem(bytes).expect("a PDF");
    let pages: Vec<u32> = pdf.get_pages().into_keys().collect();
    pdf.extract_text(&pages).expect("its text").replace('\n', "")
}

/// The first of the parts that is there, and what of the others could hold words.
fn unzipped(bytes: &[u8], parts: &[&str]) -> String {
    let mut archive = zip::ZipArchive::new(io::Cursor::new(bytes)).expect("a zip archive");
    let mut texts = Vec::new();
    for part in parts {
        let mut text = String::new();
        let mut file = archive.by_name(part).unwrap_or_else(|_| panic!("{part} is missing"));
        io::Read::read_to_string(&mut file, &mut text).expect("text");
        texts.push(text);
    }
    texts.join("\u{0}")
}

#[test]
fn an_evening_is_told_under_its_phases_and_rooms() {
    let document = gather(id(), &evening()).expect("a session");
    let markdown = written(&document, Format::Markdown, Language::Finnish);
    for part in [
        "# Kevään ilta",
        "- Osallistujia: **3**",
        "> Mitä keskustassa puuttuu?",
        "- Huone 1: Puisto ja pyöräkatu\\\n  yhdessä",
        "- Pyöräkatu (20\u{a0}pistettä)",
        "### yhdessa (0:00:17–0:00:20)",
        "#### Huone 1: Alice Virtanen, Bob",
        "0:00:18 **Bob**: Olen Alicen kanssa",
        "**Alice Virtanen**, muistiinpano: Puisto lapsille",
        "**Osallistuja**, kortti: Pyöräkatu",
        "puhetta, jota ei saatu tekstiksi",
    ] {
        assert!(markdown.contains(part), "{part:?} is missing in:\n{markdown}");
    }
    assert!(!markdown.contains("Puis\n"), "the last text stands, not the one before");
    let swedish = written(&document, Format::Markdown, Language::Swedish);
    assert!(
        swedish.contains("## Sammanfattning") && swedish.contains("Rum 1: Puisto"),
        "{swedish}"
    );
}

#[test]
fn what_was_written_for_oneself_alone_is_in_ones_own_document_only() {
    let secret = "En kehtaa sanoa ääneen";
    let all = gather(id(), &evening()).expect("a session");
    let own = gather_own(id(), &evening(), BOB).expect("Bob was there");
    let others = gather_own(id(), &evening(), CHAO).expect("Chao was there");
    for format in Format::ALL {
        assert!(!written(&all, format, Language::Finnish).contains(secret), "{format:?}");
        assert!(!written(&others, format, Language::Finnish).contains("Alice"), "{format:?}");
    }
    let mine = written(&own, Format::Markdown, Language::Finnish);
    assert!(mine.contains(secret) && mine.contains("Pyöräkatu"), "{mine}");
    assert!(!mine.contains("Tervetuloa") && !mine.contains("Puisto"), "{mine}");
    assert_eq!(gather_own(id(), &evening(), ParticipantId(9)), None);
}

#[test]
fn a_selection_is_of_rooms_phases_and_kinds() {
    let document = || gather(id(), &evening()).expect("a session");
    let count = |wanted: Selection| document().select(&wanted).lines.len();
    let all = document().lines.len();
    assert_eq!(count(Selection::default()), all);
    let room = Selection { rooms: [RoomId::Breakout(1)].into(), ..Default::default() };
    assert_eq!(count(room.clone()), 2);
    assert_eq!(count(Selection { phases: ["yksin".into()].into(), ..Default::default() }), 1);
    assert_eq!(count(Selection { kinds: [Kind::Said].into(), ..room }), 1);
    let page = document().select(&Selection { summary: true, ..Default::default() });
    let page = written(&page, Format::Markdown, Language::English);
    assert!(page.contains("What the groups arrived at") && !page.contains("Tervetuloa"), "{page}");
    assert!(page.contains("- Spoken lines as text: **2**"), "what is not shown is counted: {page}");
}

#[test]
fn pseudonyms_are_stable_and_leave_no_name_behind() {
    let look = Look { language: Language::Finnish, offset_min: 0 };
    let hidden = |key| gather(id(), &evening()).expect("a session").pseudonymised(&key, look);
    let once = hidden([1; 32]);
    assert_eq!(once, hidden([1; 32]));
    let speaker = |document: &Document, words: &str| {
        let line = document.lines.iter().find(|it| it.text.starts_with(words)).expect("a line");
        line.who.expect("a person")
    };
    let (alice, bob) = (speaker(&once, "Tervetuloa"), speaker(&once, "Olen"));
    let other = hidden([2; 32]);
    assert_ne!(once.name(alice), other.name(speaker(&other, "Tervetuloa")));
    let part = once.clone().select(&Selection { kinds: [Kind::Said].into(), ..Default::default() });
    assert_eq!((speaker(&part, "Olen"), part.name(bob)), (bob, once.name(bob)));
    for format in Format::ALL {
        let text = written(&once, format, Language::Finnish);
        for name in ["Alice", "Virta", "Bob", "Chao", "Kuopio"] {
            assert!(!text.contains(name), "{format:?} tells {name}:\n{text}");
        }
    }
    let code = once.name(alice).rsplit(' ').next().expect("a code").to_owned();
    let line = once.lines.iter().find(|it| it.text.starts_with("Olen")).expect("Bob's line");
    assert_eq!(line.text, format!("Olen {code} kanssa samaa mieltä, {code} on oikea ajatus"));
}

/// Alice and Bob write, combine twice over and choose; Chao, who has not agreed, votes for it. What
/// Alice wrote at first stands empty where she has taken it back.
fn of_ideas(first: &str) -> Vec<Record> {
    let (one, main) = (RoomId::Breakout(1), RoomId::Main);
    let mut method = method();
    method.phases = vec![
        phase("yksin", Assign::Solo, Harvest::Ideas),
        phase("pari", Assign::Mix, Harvest::Ideas),
        phase("aanestys", Assign::Plenary, Harvest::Votes),
        phase("kaikki", Assign::Plenary, Harvest::Speech),
    ];
    method.phases[1].choose = Some(2);
    method.phases[2].vote = Some(Vote { each: 2, same: 2, own: None, hidden: true });
    let written = |idea: u32, by, room, text: &str, from: &[u32]| {
        Fact::Ideas(Change::Written {
            idea: IdeaId(idea),
            by,
            room,
            open: room != RoomId::Main,
            text: text.into(),
            from: from.iter().map(|it| IdeaId(*it)).collect(),
        })
    };
    let voted = |by, idea, votes| Fact::Ideas(Change::Voted { by, idea: IdeaId(idea), votes });
    let chosen = |idea| Fact::Ideas(Change::Chosen { idea: IdeaId(idea), by: BOB, on: true });
    let mut facts = opening(["Alice Virtanen", "Bob", "Chao"], "Kevään ilta");
    facts.extend([
        Fact::ConsentSet { participant: CHAO, consent: Consent::Declined },
        Fact::MethodBegan { method: method.into(), options: RunOptions::default() },
        began(0, None),
        written(1, ALICE, main, first, &[]),
        written(2, BOB, main, "Penkki", &[]),
        written(3, CHAO, main, "Katos", &[]),
        began(1, Some(vec![vec![ALICE, BOB, CHAO]])),
        written(4, BOB, one, "Varjoa", &[1, 2]),
        written(5, ALICE, one, "Varjoa & suojaa", &[4, 3]),
        written(6, BOB, one, "Bobin keinu", &[]),
        chosen(5),
        chosen(6),
        began(2, Some(Vec::new())),
        voted(CHAO, 5, 2),
        voted(ALICE, 6, 1),
        began(3, Some(Vec::new())),
        Fact::MethodEnded,
    ]);
    records(facts)
}

#[test]
fn what_was_chosen_is_traced_back_with_the_names_of_those_who_agree() {
    let document = gather(id(), &of_ideas("Puu")).expect("a session");
    let markdown = written(&document, Format::Markdown, Language::Finnish);
    let tree = "#### Mitä valittiin ja mistä se syntyi\n\n\
                - Varjoa \\& suojaa (2\u{a0}ääntä, Huone 1)\n  \
                - Varjoa\n    \
                - Puu (Alice Virtanen)\n    \
                - Penkki (Bob)\n  \
                - Katos\n\
                - Bobin keinu (1\u{a0}ääni, Bob, Huone 1)\n\n";
    assert!(markdown.contains(tree), "{markdown}");
    assert!(markdown.contains("**Alice Virtanen**, idea: Puu"), "{markdown}");
    // Chao sat there, and is named in no list either.
    assert!(markdown.contains("Huone 1: Alice Virtanen, Bob, Osallistuja"), "{markdown}");
    let look = Look { language: Language::Finnish, offset_min: 0 };
    let coded = document.clone().with_codes(&[1; 32], look);
    let code = coded.name(CHAO).strip_prefix("Osallistuja ").expect("a code");
    let hidden = document.clone().pseudonymised(&[1; 32], look);
    assert!(hidden.people.values().any(|it| it.name == coded.name(CHAO)), "{code}");
    assert_eq!((code.chars().count(), coded.name(BOB)), (4, "Bob"));
    assert!(markdown.contains("**Osallistuja**, idea: Katos"), "{markdown}");
    assert!(markdown.contains("**Huone 1**, idea: Varjoa"), "{markdown}");
    let html = written(&document, Format::Html, Language::English);
    let list = "<ul>\n<li>Varjoa &amp; suojaa (2\u{a0}votes, Room 1)<ul>\n<li>Varjoa<ul>\n\
                <li>Puu (Alice Virtanen)</li>\n<li>Penkki (Bob)</li>\n</ul></li>\n\
                <li>Katos</li>\n</ul></li>\n<li>Bobin keinu (1\u{a0}vote, Bob, Room 1)</li></ul>\n";
    assert!(html.contains(list), "{html}");
    for format in [Format::Docx, Format::Xlsx] {
        let text = written(&document, format, Language::Swedish);
        assert!(text.contains("Varjoa &amp; suojaa") && text.contains("Katos"), "{format:?}");
    }
    let json = written(&document, Format::Json, Language::Finnish);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let schema = serde_json::from_str(SCHEMA).expect("JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    let faults: Vec<_> = validator.iter_errors(&json).map(|it| it.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}");
    let idea = &json["methods"][0]["ideas"][0];
    assert_eq!((&idea["votes"], &idea["from"][1]["participant"]), (&2.into(), &1.into()));
    assert!(!json.to_string().contains("\"voters"), "who voted how is in no document");
}

#[test]
fn a_pdf_has_what_an_idea_came_from_in_a_list_within_its_item() {
    let document = gather(id(), &of_ideas("Puu")).expect("a session");
    let mut out = Vec::new();
    render(&document, Format::Pdf, Look::default(), &mut out, &mut |_| ()).expect("written");
    let kinds = structure(&lopdf::Document::load_mem(&out).expect("a PDF")).join(" ");
    assert!(kinds.contains("LI Lbl LBody L LI Lbl LBody"), "{kinds}");
}

#[test]
fn ideas_follow_what_their_writers_take_back() {
    let look = Look { language: Language::Finnish, offset_min: 0 };
    let taken_back = gather(id(), &of_ideas("")).expect("a session");
    let markdown = written(&taken_back, Format::Markdown, Language::English);
    assert!(markdown.contains("    - the writer has taken their words back (Alice Virtanen)"));
    let hidden = gather(id(), &of_ideas("Puu")).expect("a session").pseudonymised(&[1; 32], look);
    for format in Format::ALL {
        let text = written(&hidden, format, Language::Finnish);
        assert!(!text.contains("Alice") && !text.contains("Bob"), "{format:?}: {text}");
    }
    let own = gather_own(id(), &of_ideas("Puu"), ALICE).expect("Alice was there");
    let texts: Vec<_> = own.lines.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(texts, ["Puu", "Varjoa & suojaa"], "what she wrote, also for the room");
    assert!(own.runs[0].ideas.is_empty());
}

#[test]
fn pseudonyms_say_nothing_of_who_came_first_nor_under_which_name() {
    let look = Look { language: Language::Finnish, offset_min: 0 };
    let mut facts: Vec<Fact> = evening().into_iter().map(|it| it.fact).collect();
    // Bob was called otherwise when he came, and is still called so by others.
    facts.insert(1, joined(BOB, "Robert Kuusinen"));
    facts.push(said(CHAO, RoomId::Main, 30_000, "Kuten Kuusinen sanoi"));
    let document = gather(id(), &records(facts)).expect("a session").pseudonymised(&[3; 32], look);
    let ids: Vec<u32> = document.people.keys().map(|it| it.0).collect();
    assert!(ids.len() == 3 && ids.iter().all(|it| 1_000 < *it), "{ids:?}");
    let speakers: Vec<_> = document.lines.iter().filter_map(|it| it.who).collect();
    assert!(!speakers.is_empty() && speakers.iter().all(|it| ids.contains(&it.0)));
    let seated = document.steps.iter().flat_map(|it| it.rooms.values().flatten());
    assert!(seated.clone().count() > 0 && seated.clone().all(|it| ids.contains(&it.0)));
    let json = written(&document, Format::Json, Language::Finnish);
    assert!(!json.contains("Kuusi") && !json.contains("Robert"), "{json}");
    let schema: serde_json::Value = serde_json::from_str(SCHEMA).expect("JSON");
    let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert!(jsonschema::draft202012::new(&schema).expect("a schema").is_valid(&value));
}

/// What a reviewer finds and what stands in the document are the same words under the same names:
/// nothing that somebody keeps to themselves comes out on one of the two ways.
#[test]
fn search_and_documents_show_the_same() {
    use crate::notes::engine::entries::{Change, Entries};
    let harvests = [
        Harvest::Note,
        Harvest::Private,
        Harvest::Card,
        Harvest::Line,
        Harvest::Topics,
        Harvest::Speech,
    ];
    let consents = [Consent::On, Consent::OffTheRecord, Consent::Declined];
    let cases = harvests.into_iter().flat_map(|it| consents.map(|consent| (it, consent)));
    for ((harvest, consent), transcribe) in cases.flat_map(|it| [(it, true), (it, false)]) {
        let mut of_one_phase = method();
        of_one_phase.phases = vec![Phase { transcribe, ..phase("yksin", Assign::Solo, harvest) }];
        let room = RoomId::Main;
        let mut facts = opening(["Alice", "Bob", "Chao"], "Ilta");
        facts.extend([
            Fact::ConsentSet { participant: ALICE, consent },
            Fact::MethodBegan { method: of_one_phase.into(), options: Default::default() },
            began(0, None),
            wrote(ALICE, room, "Alicen ensimmäinen"),
            wrote(BOB, room, "Bobin"),
            wrote(ALICE, room, "Alicen toinen"),
            Fact::Posted { participant: BOB, room, text: "Linkki".into() },
            said(BOB, room, 12_000, "Sanottu"),
            Fact::Unheard {
                participant: BOB,
                room,
                span: Span::new(SessionTime(13_000), SessionTime(14_000)),
                reason: crate::domain::fact::GapReason::Struck,
            },
            Fact::Broadcast { text: "Kaikille".into() },
        ]);
        let records = records(facts);
        let mut entries = Entries::new(id());
        let mut changes = Vec::new();
        records.iter().cloned().for_each(|it| entries.apply(it, &mut changes));
        let mut found = BTreeMap::new();
        for change in changes {
            match change {
                Change::Put(it) => _ = found.insert(it.seq, (it.participant, it.text.clone())),
                Change::Remove { seq } | Change::Erase { seq } => _ = found.remove(&seq),
            }
        }
        let document = gather(id(), &records).expect("a session");
        let shown: BTreeMap<u64, _> =
            document.lines.into_iter().map(|it| (it.seq, (it.who, it.text))).collect();
        assert_eq!(found, shown, "{harvest:?} {consent:?} {transcribe}");
    }
}

#[test]
fn captions_run_along_one_room() {
    let room = Selection { rooms: [RoomId::Main].into(), ..Default::default() };
    let document = gather(id(), &evening()).expect("a session").select(&room);
    let expected = "WEBVTT\n\n8\n00:00:06.500 --> 00:00:07.400\n\
                    <v Alice Virtanen><lang fi>Tervetuloa kaikki</lang></v>\n\n";
    assert_eq!(written(&document, Format::WebVtt, Language::Finnish), expected);
    let expected =
        "1\r\n00:00:06,500 --> 00:00:07,400\r\nAlice Virtanen: Tervetuloa kaikki\r\n\r\n";
    assert_eq!(written(&document, Format::Srt, Language::Finnish), expected);
}

#[test]
fn the_schema_takes_what_is_written_and_refuses_what_is_not() {
    let schema: serde_json::Value = serde_json::from_str(SCHEMA).expect("JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    let document = gather(id(), &evening()).expect("a session");
    let text = written(&document, Format::Json, Language::Finnish);
    let mut value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let faults: Vec<_> = validator.iter_errors(&value).map(|it| it.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!(value["opened"], "2026-09-21T14:13:20Z");
    value["lines"][0]["room"] = "kitchen".into();
    assert!(!validator.is_valid(&value), "a room of no kind");
}

/// Everything that some format gives a meaning.
const HOSTILE: [&str; 16] = [
    "=HYPERLINK(\"http://evil\",\"x\")",
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    " =1+1",
    "<script>alert(1)</script>",
    "</v><c.red>&amp;",
    "a --> b",
    "00:00:01.000 --> 00:00:02.000",
    "# Otsikko\n\n- lista\n1. yksi",
    "![x](http://evil) [y](javascript:alert(1)) <http://evil>",
    "`koodi` **lihava** | taulu | ~~pois~~",
    "{\\an8}ylös \\N uusi",
    "\u{202e}nurin\u{202c} \u{0}nolla\u{7}",
    "]]> <!-- --> \" onload=\"x",
    "https://evil.example www.evil.example a@evil.example",
];

fn of_hostile(name: &str, title: &str, words: &str) -> Document {
    let mut facts = opening([name, "Bob", "Chao"], title);
    facts.extend([
        said(ALICE, RoomId::Main, 6_500, words),
        Fact::MethodBegan {
            method: method().into(),
            options: RunOptions { question: words.into(), ..Default::default() },
        },
        began(3, Some(vec![vec![ALICE, BOB]])),
        wrote(ALICE, RoomId::Breakout(1), words),
        Fact::Posted { participant: BOB, room: RoomId::Main, text: words.into() },
    ]);
    gather(id(), &records(facts)).expect("a session")
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn check_all(name: &str, title: &str, words: &str) {
    let document = of_hostile(name, title, words);
    let (name, words) = (flat(&clean(name)), flat(&clean(words)));
    check_html(&written(&document, Format::Html, Language::English), &name, &words);
    check_markdown(&written(&document, Format::Markdown, Language::English), &name, &words);
    check_office(&document, &name, &words);
    check_pdf(&document, &words);
    check_csv(&written(&document, Format::Csv, Language::English), &words);
    check_json(&written(&document, Format::Json, Language::English), &words);
    let room = Selection { rooms: [RoomId::Main].into(), ..Default::default() };
    let room = document.select(&room);
    check_vtt(&written(&room, Format::WebVtt, Language::English), &name, &words);
    let srt = written(&room, Format::Srt, Language::English);
    assert_eq!(srt.matches("-->").count(), 1, "{srt}");
    assert_eq!(srt.matches("\r\n\r\n").count(), 1, "{srt}");
    assert!(!srt.contains(['<', '{']), "{srt}");
}

/// A strict reader of XML sees our elements and attributes alone, and people's words whole.
fn check_html(page: &str, name: &str, words: &str) {
    let body = page.strip_prefix("<!DOCTYPE html>").expect("HTML");
    let tree = roxmltree::Document::parse(body).expect("well formed");
    for node in tree.descendants().filter(roxmltree::Node::is_element) {
        let tag = node.tag_name().name();
        let ours = "html head meta title style body main h1 h2 h3 h4 p span strong table tbody tr th \
                    td ul ol li blockquote br";
        assert!(ours.split(' ').any(|it| it == tag), "<{tag}> in {page}");
        for attribute in node.attributes() {
            let ours = [
                "charset",
                "http-equiv",
                "content",
                "name",
                "lang",
                "scope",
                "class",
                "aria-hidden",
            ];
            assert!(ours.contains(&attribute.name()), "{}= in {page}", attribute.name());
        }
    }
    let texts: Vec<_> = tree
        .descendants()
        .filter(|it| it.has_tag_name(("http://www.w3.org/1999/xhtml", "p")))
        .map(|it| {
            flat(
                &it.descendants()
                    .filter_map(|it| {
                        if it.tag_name().name() == "br" {
                            Some(" ")
                        } else {
                            it.text().filter(|_| it.is_text())
                        }
                    })
                    .collect::<String>(),
            )
        })
        .collect();
    assert!(
        texts.iter().any(|it| it.contains(name) && it.contains(words)),
        "{words:?} in {texts:?}"
    );
}

/// A reader of CommonMark with its extensions sees no link, picture, code or raw HTML.
fn check_markdown(text: &str, name: &str, words: &str) {
    use pulldown_cmark::{Event, Options, Parser, Tag};
    let mut read = String::new();
    for event in Parser::new_ext(text, Options::all() - Options::ENABLE_SMART_PUNCTUATION) {
        match event {
            Event::Text(it) => read.push_str(&it),
            Event::SoftBreak | Event::HardBreak => read.push(' '),
            Event::End(_) => read.push('\n'),
            Event::Start(
                Tag::Heading { .. }
                | Tag::Paragraph
                | Tag::List(_)
                | Tag::Item
                | Tag::Strong
                | Tag::BlockQuote(_),
            ) => {}
            other => panic!("{other:?} in {text}"),
        }
    }
    let read: Vec<_> =
        read.lines().collect::<Vec<_>>().concat().split_whitespace().map(str::to_owned).collect();
    let read = read.join(" ");
    assert!(read.contains(name) && read.contains(words), "{words:?} in {read:?} from {text}");
}

/// A strict reader of XML sees our elements alone, no formula, no link, and people's words whole.
fn check_office(document: &Document, name: &str, words: &str) {
    for format in [Format::Docx, Format::Xlsx] {
        let parts = written(document, format, Language::English);
        let mut texts = Vec::new();
        for part in parts.split('\u{0}') {
            let tree = roxmltree::Document::parse(part).expect("well formed");
            for node in tree.descendants().filter(roxmltree::Node::is_element) {
                let tag = node.tag_name().name();
                assert!(!["f", "hyperlink", "fldSimple", "instrText"].contains(&tag), "<{tag}>");
                if ["p", "si"].contains(&tag) {
                    let text = node.descendants().filter_map(|it| match it.tag_name().name() {
                        "t" => it.text(),
                        "br" => Some(" "),
                        _ => None,
                    });
                    texts.push(flat(&text.collect::<String>()));
                }
            }
        }
        assert!(texts.iter().any(|it| it.contains(words)), "{format:?}: {words:?} in {texts:?}");
        assert!(texts.iter().any(|it| it.contains(name)), "{format:?}: {name:?} in {texts:?}");
    }
}

/// Nothing in it can be followed or run, and where the letters have all signs of it the text is whole.
fn check_pdf(document: &Document, words: &str) {
    let mut out = Vec::new();
    render(document, Format::Pdf, Look::default(), &mut out, &mut |_| ()).expect("written");
    let pdf = lopdf::Document::load_mem(&out).expect("a PDF");
    for object in pdf.objects.values() {
        let keys = object.as_dict().into_iter().flat_map(|it| it.iter()).map(|it| it.0.as_slice());
        let acts = [&b"JS"[..], b"JavaScript", b"URI", b"Launch", b"OpenAction", b"AA", b"Annots"];
        assert!(keys.into_iter().all(|it| !acts.contains(&it)), "{object:?}");
    }
    let text = of_pages(&out).replace(' ', "");
    if words.chars().all(|it| it.is_ascii() || "åäöÅÄÖ".contains(it)) {
        assert!(text.contains(&words.replace(' ', "")), "{words:?} in {text:?}");
    }
}

/// The kinds of all groups of the structure, in order.
fn structure(pdf: &lopdf::Document) -> Vec<String> {
    fn walk(pdf: &lopdf::Document, of: &lopdf::Object, kinds: &mut Vec<String>) {
        let Ok((_, object)) = pdf.dereference(of) else { return };
        match object {
            lopdf::Object::Array(all) => all.iter().for_each(|it| walk(pdf, it, kinds)),
            lopdf::Object::Dictionary(group) => {
                if let Ok(kind) = group.get(b"S").and_then(lopdf::Object::as_name) {
                    kinds.push(String::from_utf8_lossy(kind).into_owned());
                }
                if let Ok(of) = group.get(b"K") {
                    walk(pdf, of, kinds);
                }
            }
            _ => (),
        }
    }
    let root = pdf.catalog().and_then(|it| it.get(b"StructTreeRoot")).expect("a structure");
    let mut kinds = Vec::new();
    walk(pdf, root, &mut kinds);
    kinds
}

#[test]
fn a_pdf_can_be_read_by_a_screen_reader() {
    let document = gather(id(), &evening()).expect("a session");
    let mut out = Vec::new();
    let look = Look { language: Language::Swedish, offset_min: 180 };
    render(&document, Format::Pdf, look, &mut out, &mut |_| ()).expect("written");
    let mut again = Vec::new();
    render(&document, Format::Pdf, look, &mut again, &mut |_| ()).expect("written");
    assert_eq!(out, again, "the same document is the same file");
    assert!(out.windows(9).any(|it| it == b"pdfuaid:p"), "it says that it is for everybody");

    let pdf = lopdf::Document::load_mem(&out).expect("a PDF");
    let catalog = pdf.catalog().expect("a catalog");
    let text = |key: &[u8]| catalog.get(key).and_then(lopdf::Object::as_str).expect("text");
    assert_eq!(text(b"Lang"), b"sv");
    assert!(catalog.get(b"MarkInfo").is_ok() && catalog.get(b"Outlines").is_ok());
    let kinds = structure(&pdf);
    let count = |kind: &str| kinds.iter().filter(|it| *it == kind).count();
    assert_eq!((kinds[0].as_str(), kinds[1].as_str(), count("H1")), ("Document", "H1", 1));
    assert!(0 < count("TH") && count("TH") == count("TD") && count("TD") == count("TR"));
    assert!(5 <= count("LI") && count("LI") == count("Lbl") && count("Lbl") == count("LBody"));
    // No level of headings is passed over.
    let levels = kinds.iter().filter_map(|it| it.strip_prefix('H')?.parse::<u8>().ok());
    levels.fold(0, |before, level| {
        assert!(level <= before + 1, "{kinds:?}");
        level
    });
    // Where the look of words changes, the reader sees a gap.
    let flat = of_pages(&out).replace(' ', "");
    for part in ["Kevään ilta", "Mitä keskustassa puuttuu?", "Bob: Olen Alicen kanssa samaa mieltä"]
    {
        assert!(flat.contains(&part.replace(' ', "")), "{part:?} in {flat}");
    }
}

fn check_csv(text: &str, words: &str) {
    let text = text.strip_prefix('\u{feff}').expect("for Excel");
    let mut table = ::csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<_> = table.records().collect::<Result<_, _>>().expect("RFC 4180");
    for cell in rows.iter().flat_map(|it| it.iter()) {
        let first = cell.trim_start().chars().next().unwrap_or(' ');
        assert!(!"=+-@|%".contains(first), "{cell:?} would be a formula");
    }
    let kept = |it: &str| {
        flat(it).trim_start_matches('\'').trim() == words.trim_start_matches('\'').trim()
    };
    assert!(rows.iter().any(|it| kept(&it[9])), "{words:?} in {rows:?}");
}

fn check_json(text: &str, words: &str) {
    let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let lines = value["lines"].as_array().expect("lines");
    assert!(lines.iter().any(|it| flat(it["text"].as_str().expect("text")) == words), "{text}");
}

/// As the specification cuts a file: blocks at empty lines, one arrow a block.
fn check_vtt(text: &str, name: &str, words: &str) {
    let blocks: Vec<_> = text.trim_end().split("\n\n").collect();
    assert_eq!(blocks.len(), 2, "{text}");
    let cue: Vec<_> = blocks[1].lines().collect();
    assert_eq!(cue.len(), 3, "{text}");
    assert_eq!(text.matches("-->").count(), 1, "{text}");
    let entities = |it: &str| it.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let inner = cue[2].strip_prefix("<v ").expect("a voice");
    let (voice, rest) = inner.split_once('>').expect("its end");
    assert_eq!(entities(voice), name);
    let rest = rest.strip_prefix("<lang fi>").expect("a language");
    let said = rest.strip_suffix("</lang></v>").expect("closed");
    assert!(!said.contains(['<', '>']), "{said}");
    assert_eq!(entities(said), words);
}

#[test]
fn hostile_names_and_words_are_only_words() {
    for one in HOSTILE {
        check_all(one, one, one);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_words_are_only_words(
        name in "[^\\p{C}\\s]\\PC{0,20}[^\\p{C}\\s]",
        words in "([-=+@#*_`<>&\\[\\](){}|~!$^:;.,'\"\\\\/% \na-z0-9åäö]|\\PC){1,60}",
    ) {
        prop_assume!(!clean(&words).is_empty() && !clean(&name).is_empty());
        check_all(&name, &name, &words);
    }
}
