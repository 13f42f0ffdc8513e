//! What is written is read again, also what older programs have written.

use proptest::prelude::*;

use super::*;
use crate::domain::method::{Advance, Aim, Assign, Harvest, People, Phase, Source, Text, Turns};

/// What version 1 wrote, line by line; one at least of each kind. Lines are only ever added.
const WRITTEN_V1: &str = include_str!("../../../../tests/fixtures/records-v1.jsonl");

fn told_in_v1() -> Vec<Fact> {
    let alice = ParticipantId(1);
    let bob = ParticipantId(2);
    vec![
        Fact::Opened {
            title: "Kestävä liikkuminen \"2030\"".into(),
            language: Language::Finnish,
            unix_ms: 1_790_000_000_000,
        },
        Fact::Joined {
            participant: alice,
            name: "Alice Åkerström".into(),
            language: Language::Swedish,
            consent: Consent::On,
            tags: BTreeMap::new(),
        },
        Fact::Joined {
            participant: bob,
            name: "Bob".into(),
            language: Language::English,
            consent: Consent::Declined,
            tags: BTreeMap::new(),
        },
        Fact::Placed { participant: alice, room: Some(RoomId::Main) },
        Fact::RoomsOpened { count: 2 },
        Fact::Placed { participant: alice, room: Some(RoomId::Breakout(2)) },
        Fact::ConsentSet { participant: bob, consent: Consent::On },
        Fact::Said {
            participant: alice,
            room: RoomId::Breakout(2),
            span: span(61_000, 64_500),
            language: Language::Finnish,
            text: "Työmatkat pyörällä, eikö niin?".into(),
            words: vec![],
        },
        Fact::Unheard {
            participant: bob,
            room: RoomId::Main,
            span: span(70_000, 71_000),
            reason: GapReason::Backlog,
        },
        Fact::Unheard {
            participant: bob,
            room: RoomId::Main,
            span: span(72_000, 72_900),
            reason: GapReason::Failed,
        },
        Fact::ConsentSet { participant: bob, consent: Consent::OffTheRecord },
        Fact::TranscriptionSet { room: Some(RoomId::Breakout(2)), by: Some(alice), on: false },
        Fact::TranscriptionSet { room: None, by: None, on: true },
        Fact::Struck { participant: alice, span: span(12_000, 72_000) },
        Fact::Unheard {
            participant: alice,
            room: RoomId::Breakout(2),
            span: span(61_000, 64_500),
            reason: GapReason::Struck,
        },
        Fact::Placed { participant: bob, room: None },
        Fact::Ended,
    ]
    .into_iter()
    .chain(told_of_a_method(alice, bob))
    .chain(told_beside(alice, bob))
    .chain(told_of_ideas(alice, bob))
    .chain([Fact::GlossarySet { text: "Hyvinkää, Kivelä".into() }])
    .chain(told_by_reviewers())
    .chain(told_of_speech(bob))
    .chain(told_of_a_sheet(alice, bob))
    .collect()
}

/// And what a room writes together, last.
fn told_of_a_sheet(alice: ParticipantId, bob: ParticipantId) -> Vec<Fact> {
    let room = RoomId::Breakout(1);
    vec![
        Fact::Wrote {
            participant: alice,
            room,
            text: "Puisto ja tori".into(),
            parts: vec![(alice, 6), (bob, 8)],
        },
        Fact::Typed { participant: alice, room, update: vec![0, 1, 2, 255] },
    ]
}

/// So did chat and calls for help.
fn told_beside(alice: ParticipantId, bob: ParticipantId) -> Vec<Fact> {
    vec![
        Fact::Posted {
            participant: alice,
            room: RoomId::Breakout(1),
            text: "Linkki:\nhttps://vuoro.example".into(),
        },
        Fact::Broadcast { text: "Viisi minuuttia vielä".into() },
        Fact::Called { participant: bob, room: RoomId::Breakout(1) },
        Fact::CallSeen { participant: bob },
        Fact::CallEnded { participant: bob },
        Fact::Marked {
            by: bob,
            of: alice,
            at: SessionTime(61_250),
            mark: Mark::Experience,
            on: true,
        },
        Fact::Collected { entry: 19, theme: Some("Yhteydet".into()) },
        Fact::Collected { entry: 19, theme: None },
        Fact::BelongsTo { tenant: "lahti-2".parse().expect("a tenant's id") },
    ]
}

/// And the chain of ideas.
fn told_of_ideas(alice: ParticipantId, bob: ParticipantId) -> Vec<Fact> {
    let written = |idea: u32, by, room, text: &str, from: &[u32]| Change::Written {
        idea: IdeaId(idea),
        by,
        room,
        open: !from.is_empty(),
        text: text.into(),
        from: from.iter().map(|it| IdeaId(*it)).collect(),
    };
    let changes = vec![
        written(1, alice, RoomId::Main, "Lisää puita", &[]),
        written(4, bob, RoomId::Breakout(1), "Puita ja penkkejä", &[1, 2]),
        Change::Removed { idea: IdeaId(3), by: bob },
        Change::Chosen { idea: IdeaId(4), by: alice, on: true },
        Change::Voted { by: bob, idea: IdeaId(4), votes: 2 },
        Change::Struck { idea: IdeaId(1), by: alice },
        Change::Grouped { idea: IdeaId(4), group: Some("Piha".into()) },
        Change::Grouped { idea: IdeaId(4), group: None },
    ];
    changes.into_iter().map(Fact::Ideas).collect()
}

/// And what reviewers say of it.
fn told_by_reviewers() -> Vec<Fact> {
    let said = |on, name: &str, text: &str| Fact::Commented {
        on,
        name: name.into(),
        unix_ms: 1_790_090_000_000,
        text: text.into(),
    };
    vec![
        said(CommentOn::Entry(19), "Dana", "Tästä lisää"),
        said(CommentOn::Theme("Yhteydet".into()), "", "Kaksi riviä\nriittää"),
    ]
}

/// So did the language of speech, and the times of words.
fn told_of_speech(bob: ParticipantId) -> Vec<Fact> {
    vec![
        Fact::LanguageSet { participant: bob, spoken: Spoken::ByEar(Language::Finnish) },
        Fact::LanguageSet { participant: bob, spoken: Spoken::Told(Language::Swedish) },
        // Since words have times; what was said before has none.
        Fact::Said {
            participant: bob,
            room: RoomId::Main,
            span: span(70_000, 71_000),
            language: Language::Swedish,
            text: "Vi tar det".into(),
            words: vec![span(70_040, 70_200), span(70_200, 70_560), span(70_600, 71_000)],
        },
    ]
}

/// Methods came while version 1 was current; they are kinds of their own.
fn told_of_a_method(alice: ParticipantId, bob: ParticipantId) -> Vec<Fact> {
    let text = |it: &str| Text { fi: it.into(), sv: it.into(), en: it.into() };
    let method = Method {
        id: "kaksin".into(),
        name: text("Kaksin"),
        purpose: text("Puhua."),
        description: text("Puhutaan."),
        aims: vec![Aim::Meet],
        people: People { min: 2, max: 300, ideal: 20 },
        roles: vec![],
        rules: vec![],
        cycles: vec![],
        phases: vec![Phase {
            id: "pari".into(),
            name: text("Pari"),
            instruction: text("Puhukaa."),
            script: text("Puhukaa."),
            assign: Assign::Mix,
            size: Some(2),
            size_min: None,
            size_max: None,
            rooms_of: None,
            seats: None,
            choose: None,
            vote: None,
            scribe: None,
            length_s: Some(60),
            length_s_per_person: None,
            rounds: 2,
            cycle: None,
            turns: Turns::Free,
            speaking: vec![],
            harvest: Harvest::Line,
            advance: Advance::Time,
            transcribe: true,
            balance: true,
            colour: None,
        }],
        source: Source { by: "me".into(), url: String::new() },
    };
    let options = RunOptions {
        question: "Mitä kuuluu?".into(),
        topics: vec!["Kevät".into()],
        warn_ms: 60_000,
        seed: u64::MAX,
    };
    let pair = vec![vec![alice, bob]];
    vec![
        Fact::Joined {
            participant: bob,
            name: "Bob".into(),
            language: Language::English,
            consent: Consent::On,
            tags: [("organisation".to_owned(), "lahti".to_owned())].into(),
        },
        Fact::Kept { participants: [alice, bob], rule: Keep::Together },
        Fact::Pinned { participant: bob, room: Some(RoomId::Breakout(1)) },
        Fact::MethodBegan { method: method.into(), options },
        Fact::StepBegan(StepBegan {
            place: Place { phase: 0, round: 0, of: 2 },
            length_ms: Some(60_000),
            rooms: Some(pair.clone()),
            ahead: vec![pair],
            roles: vec![(alice, 0)],
            cards: vec![(bob, alice)],
        }),
        Fact::ClockSet { clock: Clock::Paused { left_ms: Some(30_000) } },
        Fact::ClockSet { clock: Clock::Running { ends: Some(SessionTime(90_000)) } },
        Fact::TurnPassed { room: RoomId::Breakout(1), to: Some(bob) },
        Fact::Seated { participant: alice, on: true },
        Fact::RoleGiven { participant: bob, role: Some(1) },
        Fact::Wrote {
            participant: alice,
            room: RoomId::Breakout(1),
            text: "Enemmän\npyöriä".into(),
            parts: Vec::new(),
        },
        Fact::Scored { participant: alice, card: bob, score: 5 },
        Fact::MethodEnded,
    ]
}

#[test]
fn what_version_one_wrote_still_opens() {
    let read: Vec<Fact> =
        WRITTEN_V1.lines().map(|line| decode(1, line).expect("a committed line")).collect();
    assert_eq!(read, told_in_v1());
}

#[test]
fn version_one_is_still_what_is_written() {
    let written: Vec<String> = told_in_v1().iter().map(encode).collect();
    assert_eq!(written, WRITTEN_V1.lines().collect::<Vec<_>>());
}

#[test]
fn every_kind_is_in_the_fixture_and_in_the_list() {
    for kind in KINDS {
        let tag = format!("{{\"kind\":\"{kind}\"");
        assert!(WRITTEN_V1.lines().any(|line| line.starts_with(&tag)), "{kind}");
        let alone = decode(1, &format!("{tag},\"surplus\":0}}"));
        assert!(matches!(alone, Err(RecordError::Malformed { .. })), "{kind}: {alone:?}");
    }
}

#[test]
fn what_cannot_be_read_says_why_without_the_words() {
    assert_eq!(decode(2, "{}"), Err(RecordError::UnknownVersion(2)));
    assert_eq!(
        decode(1, r#"{"kind":"danced","secret":"kuiskaus"}"#),
        Err(RecordError::UnknownKind("danced".into()))
    );
    for body in [
        "",
        "null",
        "{}",
        r#"{"kind":7}"#,
        r#"{"kind":"said","participant":1}"#,
        r#"{"kind":"placed","participant":1,"room":"kuiskaus"}"#,
        r#"{"kind":"rooms-opened","count":70000}"#,
        r#"{"kind":"joined","participant":1,"name":"A","language":"kuiskaus","consent":"on"}"#,
    ] {
        let error = decode(1, body).expect_err(body);
        assert!(matches!(error, RecordError::Malformed { .. }), "{body}: {error:?}");
        assert!(!error.to_string().contains("kuiskaus"), "{error}");
    }
}

fn languages() -> impl Strategy<Value = Language> {
    prop::sample::select(Language::ALL.to_vec())
}

fn consents() -> impl Strategy<Value = Consent> {
    prop::sample::select(vec![Consent::On, Consent::OffTheRecord, Consent::Declined])
}

fn rooms() -> impl Strategy<Value = RoomId> {
    prop_oneof![Just(RoomId::Main), any::<u16>().prop_map(RoomId::Breakout)]
}

fn spans() -> impl Strategy<Value = Span> {
    any::<(u64, u64)>().prop_map(|(start, end)| span(start, end))
}

fn steps() -> impl Strategy<Value = StepBegan> {
    let person = || any::<u32>().prop_map(ParticipantId);
    let groups = || prop::collection::vec(prop::collection::vec(person(), 0..4), 0..4);
    (
        any::<(u16, u16, u16)>(),
        prop::option::of(any::<u64>()),
        prop::option::of(groups()),
        prop::collection::vec(groups(), 0..3),
        prop::collection::vec((person(), any::<u16>()), 0..3),
        prop::collection::vec((person(), person()), 0..3),
    )
        .prop_map(|((phase, round, of), length_ms, rooms, ahead, roles, cards)| StepBegan {
            place: Place { phase, round, of },
            length_ms,
            rooms,
            ahead,
            roles,
            cards,
        })
}

fn ideas() -> impl Strategy<Value = Change> {
    let person = || any::<u32>().prop_map(ParticipantId);
    let idea = || any::<u32>().prop_map(IdeaId);
    let from = prop::collection::vec(idea(), 0..3);
    prop_oneof![
        (idea(), person(), rooms(), any::<bool>(), any::<String>(), from).prop_map(
            |(idea, by, room, open, text, from)| {
                Change::Written { idea, by, room, open, text, from }
            }
        ),
        (idea(), person()).prop_map(|(idea, by)| Change::Removed { idea, by }),
        (idea(), person(), any::<bool>()).prop_map(|(idea, by, on)| Change::Chosen {
            idea,
            by,
            on
        }),
        (idea(), person(), any::<u8>()).prop_map(|(idea, by, votes)| Change::Voted {
            idea,
            by,
            votes
        }),
        (idea(), person()).prop_map(|(idea, by)| Change::Struck { idea, by }),
        (idea(), prop::option::of(any::<String>()))
            .prop_map(|(idea, group)| Change::Grouped { idea, group }),
    ]
}

fn facts() -> impl Strategy<Value = Fact> {
    let person = || any::<u32>().prop_map(ParticipantId);
    prop_oneof![
        (any::<String>(), languages(), any::<u64>())
            .prop_map(|(title, language, unix_ms)| { Fact::Opened { title, language, unix_ms } }),
        (
            person(),
            any::<String>(),
            languages(),
            consents(),
            prop::collection::btree_map(any::<String>(), any::<String>(), 0..3)
        )
            .prop_map(|(participant, name, language, consent, tags)| {
                Fact::Joined { participant, name, language, consent, tags }
            }),
        steps().prop_map(Fact::StepBegan),
        prop::option::of(any::<u64>())
            .prop_map(|left_ms| Fact::ClockSet { clock: Clock::Paused { left_ms } }),
        prop::option::of(any::<u64>().prop_map(SessionTime))
            .prop_map(|ends| Fact::ClockSet { clock: Clock::Running { ends } }),
        (rooms(), prop::option::of(person())).prop_map(|(room, to)| Fact::TurnPassed { room, to }),
        (person(), any::<bool>()).prop_map(|(participant, on)| Fact::Seated { participant, on }),
        ideas().prop_map(Fact::Ideas),
        (person(), prop::option::of(any::<u16>()))
            .prop_map(|(participant, role)| Fact::RoleGiven { participant, role }),
        (person(), rooms(), any::<String>(), prop::collection::vec((person(), any::<u32>()), 0..3))
            .prop_map(|(participant, room, text, parts)| Fact::Wrote {
                participant,
                room,
                text,
                parts
            }),
        (person(), rooms(), prop::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(participant, room, update)| Fact::Typed { participant, room, update }),
        (person(), person(), any::<u8>()).prop_map(|(participant, card, score)| Fact::Scored {
            participant,
            card,
            score
        }),
        Just(Fact::MethodEnded),
        (person(), prop::option::of(rooms()))
            .prop_map(|(participant, room)| Fact::Placed { participant, room }),
        (person(), consents())
            .prop_map(|(participant, consent)| Fact::ConsentSet { participant, consent }),
        (person(), languages(), any::<bool>()).prop_map(|(participant, language, by_ear)| {
            let spoken = if by_ear { Spoken::ByEar(language) } else { Spoken::Told(language) };
            Fact::LanguageSet { participant, spoken }
        }),
        any::<u16>().prop_map(|count| Fact::RoomsOpened { count }),
        "[a-z0-9-]{1,40}".prop_map(|it| Fact::BelongsTo { tenant: it.parse().unwrap() }),
        (person(), rooms(), spans(), languages(), any::<String>(), any::<bool>()).prop_map(
            |(participant, room, span, language, text, timed)| Fact::Said {
                participant,
                room,
                span,
                language,
                text,
                words: if timed { vec![span, Span::new(span.end, span.end)] } else { vec![] },
            }
        ),
        (
            person(),
            rooms(),
            spans(),
            prop::sample::select(vec![GapReason::Backlog, GapReason::Failed, GapReason::Struck])
        )
            .prop_map(|(participant, room, span, reason)| Fact::Unheard {
                participant,
                room,
                span,
                reason
            }),
        (person(), rooms(), any::<String>()).prop_map(|(participant, room, text)| Fact::Posted {
            participant,
            room,
            text
        }),
        any::<String>().prop_map(|text| Fact::Broadcast { text }),
        any::<String>().prop_map(|text| Fact::GlossarySet { text }),
        (person(), rooms()).prop_map(|(participant, room)| Fact::Called { participant, room }),
        person().prop_map(|participant| Fact::CallSeen { participant }),
        person().prop_map(|participant| Fact::CallEnded { participant }),
        (person(), person(), any::<u64>(), prop::sample::select(Mark::ALL.to_vec()), any::<bool>())
            .prop_map(|(by, of, at_ms, mark, on)| Fact::Marked {
                by,
                of,
                at: SessionTime(at_ms),
                mark,
                on
            }),
        (any::<u64>(), prop::option::of(any::<String>()))
            .prop_map(|(entry, theme)| Fact::Collected { entry, theme }),
        (
            prop_oneof![
                any::<u64>().prop_map(CommentOn::Entry),
                any::<String>().prop_map(CommentOn::Theme)
            ],
            any::<(String, u64, String)>()
        )
            .prop_map(|(on, (name, unix_ms, text))| Fact::Commented {
                on,
                name,
                unix_ms,
                text
            }),
        Just(Fact::Ended),
    ]
}

proptest! {
    #[test]
    fn a_fact_survives_being_written_and_read(fact in facts()) {
        let body = encode(&fact);
        prop_assert!(!body.contains('\n'));
        prop_assert_eq!(decode(VERSION, &body), Ok(fact));
    }

    #[test]
    fn no_bytes_make_it_panic(body in any::<String>()) {
        prop_assert!(decode(VERSION, &body).is_err());
    }
}
