//! One fact as a line of JSON, and back. The shape is a promise: what any version ever wrote must be
//! readable for as long as notes are kept. Never touches the disk.
//!
//! The structs here are the shape on disk and nothing else, so that the domain may be renamed freely
//! and a rename here is seen for what it is.

use serde::{Deserialize, Serialize};

use crate::domain::{
    fact::{Consent, Fact, GapReason},
    ids::{ParticipantId, RoomId},
    language::Language,
    time::{SessionTime, Span},
};

/// The version that `encode` writes. It goes up when the shape of any kind changes in a way that
/// `decode` of the version before would misread; then this file keeps the old shape too.
pub const VERSION: u32 = 1;

/// Why a kept body cannot be read. Tells the place, never the words in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Written by a newer program, or not by this one at all.
    #[error("the record has version {0}, and versions up to {VERSION} are known")]
    UnknownVersion(u32),
    /// No fact of this kind exists in that version. The kind, cut to 40 characters.
    #[error("the record is of the unknown kind {0:?}")]
    UnknownKind(String),
    /// Not JSON, or a field is missing, too many or of the wrong form. `column` counts bytes from 1.
    #[error("the record is malformed at column {column}")]
    Malformed { column: usize },
}

/// The body of `fact` in the shape of [`VERSION`]: one line of JSON.
pub fn encode(fact: &Fact) -> String {
    serde_json::to_string(&Body::from(fact)).expect("numbers and text always have a JSON form")
}

/// What `encode` made, read again.
///
/// Errors: [`RecordError`]; never panics, whatever the bytes.
pub fn decode(version: u32, body: &str) -> Result<Fact, RecordError> {
    if version != VERSION {
        return Err(RecordError::UnknownVersion(version));
    }
    match serde_json::from_str::<Body>(body) {
        Ok(body) => Ok(body.into()),
        Err(error) => Err(explain(body, &error)),
    }
}

/// Tells an unknown kind from a damaged body: the one is a newer program's, the other a fault.
fn explain(body: &str, error: &serde_json::Error) -> RecordError {
    #[derive(Deserialize)]
    struct Kind {
        kind: String,
    }
    match serde_json::from_str::<Kind>(body) {
        Ok(Kind { kind }) if !KINDS.contains(&kind.as_str()) => {
            RecordError::UnknownKind(kind.chars().take(40).collect())
        }
        _ => RecordError::Malformed { column: error.column() },
    }
}

/// The tags of [`Body`]. A test holds the two together.
const KINDS: [&str; 8] =
    ["opened", "joined", "placed", "consent-set", "rooms-opened", "said", "unheard", "ended"];

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum Body {
    Opened {
        title: String,
        language: Tongue,
        unix_ms: u64,
    },
    Joined {
        participant: u32,
        name: String,
        language: Tongue,
        consent: Agreement,
    },
    Placed {
        participant: u32,
        room: Option<Room>,
    },
    ConsentSet {
        participant: u32,
        consent: Agreement,
    },
    RoomsOpened {
        count: u16,
    },
    Said {
        participant: u32,
        room: Room,
        start_ms: u64,
        end_ms: u64,
        language: Tongue,
        text: String,
    },
    Unheard {
        participant: u32,
        room: Room,
        start_ms: u64,
        end_ms: u64,
        reason: Reason,
    },
    Ended {},
}

#[derive(Serialize, Deserialize)]
enum Tongue {
    #[serde(rename = "fi")]
    Finnish,
    #[serde(rename = "sv")]
    Swedish,
    #[serde(rename = "en")]
    English,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Agreement {
    On,
    OffTheRecord,
    Declined,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Reason {
    Backlog,
    Failed,
}

/// `main` or `room-N`. Every number is read, also one that the domain would refuse: a record that
/// was written must never make its whole session unreadable.
#[derive(Clone, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
struct Room(RoomId);

impl From<Room> for String {
    fn from(room: Room) -> String {
        room.0.to_string()
    }
}

impl TryFrom<String> for Room {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Room, &'static str> {
        if text == "main" {
            return Ok(Room(RoomId::Main));
        }
        let number = text.strip_prefix("room-").and_then(|number| number.parse().ok());
        number.map(|number| Room(RoomId::Breakout(number))).ok_or("not a room")
    }
}

impl From<&Fact> for Body {
    fn from(fact: &Fact) -> Body {
        match fact {
            Fact::Opened { title, language, unix_ms } => Body::Opened {
                title: title.clone(),
                language: (*language).into(),
                unix_ms: *unix_ms,
            },
            Fact::Joined { participant, name, language, consent } => Body::Joined {
                participant: participant.0,
                name: name.clone(),
                language: (*language).into(),
                consent: (*consent).into(),
            },
            Fact::Placed { participant, room } => {
                Body::Placed { participant: participant.0, room: room.map(Room) }
            }
            Fact::ConsentSet { participant, consent } => {
                Body::ConsentSet { participant: participant.0, consent: (*consent).into() }
            }
            Fact::RoomsOpened { count } => Body::RoomsOpened { count: *count },
            Fact::Said { participant, room, span, language, text } => Body::Said {
                participant: participant.0,
                room: Room(*room),
                start_ms: span.start.as_ms(),
                end_ms: span.end.as_ms(),
                language: (*language).into(),
                text: text.clone(),
            },
            Fact::Unheard { participant, room, span, reason } => Body::Unheard {
                participant: participant.0,
                room: Room(*room),
                start_ms: span.start.as_ms(),
                end_ms: span.end.as_ms(),
                reason: (*reason).into(),
            },
            Fact::Ended => Body::Ended {},
        }
    }
}

impl From<Body> for Fact {
    fn from(body: Body) -> Fact {
        match body {
            Body::Opened { title, language, unix_ms } => {
                Fact::Opened { title, language: language.into(), unix_ms }
            }
            Body::Joined { participant, name, language, consent } => Fact::Joined {
                participant: ParticipantId(participant),
                name,
                language: language.into(),
                consent: consent.into(),
            },
            Body::Placed { participant, room } => Fact::Placed {
                participant: ParticipantId(participant),
                room: room.map(|room| room.0),
            },
            Body::ConsentSet { participant, consent } => Fact::ConsentSet {
                participant: ParticipantId(participant),
                consent: consent.into(),
            },
            Body::RoomsOpened { count } => Fact::RoomsOpened { count },
            Body::Said { participant, room, start_ms, end_ms, language, text } => Fact::Said {
                participant: ParticipantId(participant),
                room: room.0,
                span: span(start_ms, end_ms),
                language: language.into(),
                text,
            },
            Body::Unheard { participant, room, start_ms, end_ms, reason } => Fact::Unheard {
                participant: ParticipantId(participant),
                room: room.0,
                span: span(start_ms, end_ms),
                reason: reason.into(),
            },
            Body::Ended {} => Fact::Ended,
        }
    }
}

fn span(start_ms: u64, end_ms: u64) -> Span {
    Span::new(SessionTime(start_ms), SessionTime(end_ms))
}

impl From<Language> for Tongue {
    fn from(it: Language) -> Tongue {
        match it {
            Language::Finnish => Tongue::Finnish,
            Language::Swedish => Tongue::Swedish,
            Language::English => Tongue::English,
        }
    }
}

impl From<Tongue> for Language {
    fn from(it: Tongue) -> Language {
        match it {
            Tongue::Finnish => Language::Finnish,
            Tongue::Swedish => Language::Swedish,
            Tongue::English => Language::English,
        }
    }
}

impl From<Consent> for Agreement {
    fn from(it: Consent) -> Agreement {
        match it {
            Consent::On => Agreement::On,
            Consent::OffTheRecord => Agreement::OffTheRecord,
            Consent::Declined => Agreement::Declined,
        }
    }
}

impl From<Agreement> for Consent {
    fn from(it: Agreement) -> Consent {
        match it {
            Agreement::On => Consent::On,
            Agreement::OffTheRecord => Consent::OffTheRecord,
            Agreement::Declined => Consent::Declined,
        }
    }
}

impl From<GapReason> for Reason {
    fn from(it: GapReason) -> Reason {
        match it {
            GapReason::Backlog => Reason::Backlog,
            GapReason::Failed => Reason::Failed,
        }
    }
}

impl From<Reason> for GapReason {
    fn from(it: Reason) -> GapReason {
        match it {
            Reason::Backlog => GapReason::Backlog,
            Reason::Failed => GapReason::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What version 1 wrote, line by line; one at least of each kind. Lines are only ever added.
    const WRITTEN_V1: &str = include_str!("../../../tests/fixtures/records-v1.jsonl");

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
            },
            Fact::Joined {
                participant: bob,
                name: "Bob".into(),
                language: Language::English,
                consent: Consent::Declined,
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
            Fact::Placed { participant: bob, room: None },
            Fact::Ended,
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

    fn facts() -> impl Strategy<Value = Fact> {
        let person = || any::<u32>().prop_map(ParticipantId);
        prop_oneof![
            (any::<String>(), languages(), any::<u64>()).prop_map(|(title, language, unix_ms)| {
                Fact::Opened { title, language, unix_ms }
            }),
            (person(), any::<String>(), languages(), consents()).prop_map(
                |(participant, name, language, consent)| Fact::Joined {
                    participant,
                    name,
                    language,
                    consent
                }
            ),
            (person(), prop::option::of(rooms()))
                .prop_map(|(participant, room)| Fact::Placed { participant, room }),
            (person(), consents())
                .prop_map(|(participant, consent)| Fact::ConsentSet { participant, consent }),
            any::<u16>().prop_map(|count| Fact::RoomsOpened { count }),
            (person(), rooms(), spans(), languages(), any::<String>()).prop_map(
                |(participant, room, span, language, text)| Fact::Said {
                    participant,
                    room,
                    span,
                    language,
                    text
                }
            ),
            (
                person(),
                rooms(),
                spans(),
                prop::sample::select(vec![GapReason::Backlog, GapReason::Failed])
            )
                .prop_map(|(participant, room, span, reason)| Fact::Unheard {
                    participant,
                    room,
                    span,
                    reason
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
}
