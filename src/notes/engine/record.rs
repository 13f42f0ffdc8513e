//! One fact as a line of JSON, and back. The shape is a promise: what any version ever wrote must be
//! readable for as long as notes are kept. Never touches the disk.
//!
//! The structs here are the shape on disk and nothing else, so that the domain may be renamed freely
//! and a rename here is seen for what it is.

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

use crate::domain::{
    fact::{CommentOn, Consent, Fact, GapReason},
    ideas::{Change, IdeaId},
    ids::{ParticipantId, RoomId, TenantId},
    language::Language,
    mark::Mark,
    message::Place,
    method::Method,
    mixing::Keep,
    run::{Clock, Grouping, RunOptions, StepBegan},
    spoken::Spoken,
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
const KINDS: [&str; 39] = [
    "opened",
    "belongs-to",
    "joined",
    "placed",
    "consent-set",
    "language-set",
    "transcription-set",
    "struck",
    "rooms-opened",
    "method-began",
    "step-began",
    "clock-set",
    "turn-passed",
    "seated",
    "role-given",
    "wrote",
    "typed",
    "scored",
    "idea-written",
    "idea-removed",
    "idea-chosen",
    "voted",
    "idea-struck",
    "idea-grouped",
    "method-ended",
    "kept",
    "pinned",
    "said",
    "unheard",
    "posted",
    "broadcast",
    "glossary-set",
    "called",
    "call-seen",
    "call-ended",
    "marked",
    "collected",
    "commented",
    "ended",
];

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum Body {
    Opened {
        title: String,
        language: Tongue,
        unix_ms: u64,
    },
    BelongsTo {
        tenant: Owner,
    },
    Joined {
        participant: u32,
        name: String,
        language: Tongue,
        consent: Agreement,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        tags: BTreeMap<String, String>,
    },
    Placed {
        participant: u32,
        room: Option<Room>,
    },
    ConsentSet {
        participant: u32,
        consent: Agreement,
    },
    /// `by_ear`: the language is a guess, or what was heard.
    LanguageSet {
        participant: u32,
        language: Tongue,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        by_ear: bool,
    },
    TranscriptionSet {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<Room>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<u32>,
        on: bool,
    },
    Struck {
        participant: u32,
        start_ms: u64,
        end_ms: u64,
    },
    RoomsOpened {
        count: u16,
    },
    /// The method as its file would have it: a format that is kept readable for its own sake.
    MethodBegan {
        method: Arc<Method>,
        question: String,
        topics: Vec<String>,
        warn_ms: u64,
        seed: u64,
    },
    StepBegan {
        phase: u16,
        round: u16,
        of: u16,
        length_ms: Option<u64>,
        rooms: Option<Vec<Vec<u32>>>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ahead: Vec<Vec<Vec<u32>>>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        roles: Vec<(u32, u16)>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        cards: Vec<(u32, u32)>,
    },
    /// `ends_ms`: in session time, while it runs; `left_ms`: while it is paused.
    ClockSet {
        paused: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ends_ms: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left_ms: Option<u64>,
    },
    TurnPassed {
        room: Room,
        to: Option<u32>,
    },
    Seated {
        participant: u32,
        on: bool,
    },
    RoleGiven {
        participant: u32,
        role: Option<u16>,
    },
    /// `parts`: of a sheet, who wrote how many characters of it.
    Wrote {
        participant: u32,
        room: Room,
        text: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        parts: Vec<(u32, u32)>,
    },
    /// `update`: in Base64.
    Typed {
        participant: u32,
        room: Room,
        update: Binary,
    },
    Scored {
        participant: u32,
        card: u32,
        score: u8,
    },
    /// `open`: the room sees it. `from`: what it was combined of. The same `idea` again: another text.
    IdeaWritten {
        idea: u32,
        participant: u32,
        room: Room,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        open: bool,
        text: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        from: Vec<u32>,
    },
    IdeaRemoved {
        idea: u32,
        participant: u32,
    },
    IdeaChosen {
        idea: u32,
        participant: u32,
        on: bool,
    },
    Voted {
        participant: u32,
        idea: u32,
        votes: u8,
    },
    IdeaStruck {
        idea: u32,
        participant: u32,
    },
    IdeaGrouped {
        idea: u32,
        group: Option<String>,
    },
    MethodEnded {},
    Kept {
        participants: [u32; 2],
        rule: KeepRule,
    },
    Pinned {
        participant: u32,
        room: Option<Room>,
    },
    /// `words`: for each word how long after the one before it begins (the first: after `start_ms`), and how
    /// long it is, in ms, one after another: a third less than from when to when. Not there when not known,
    /// as in everything that was written before words had times.
    Said {
        participant: u32,
        room: Room,
        start_ms: u64,
        end_ms: u64,
        language: Tongue,
        text: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        words: Vec<u64>,
    },
    Unheard {
        participant: u32,
        room: Room,
        start_ms: u64,
        end_ms: u64,
        reason: Reason,
    },
    Posted {
        participant: u32,
        room: Room,
        text: String,
    },
    Broadcast {
        text: String,
    },
    GlossarySet {
        text: String,
    },
    Called {
        participant: u32,
        room: Room,
    },
    CallSeen {
        participant: u32,
    },
    CallEnded {
        participant: u32,
    },
    Marked {
        by: u32,
        of: u32,
        at_ms: u64,
        mark: Sign,
        on: bool,
    },
    Collected {
        entry: u64,
        theme: Option<String>,
    },
    /// Of `entry` and `theme` there is one.
    Commented {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        entry: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        theme: Option<String>,
        name: String,
        unix_ms: u64,
        text: String,
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
enum KeepRule {
    Apart,
    Together,
    AsItComes,
}

/// One of the six marks by its code.
#[derive(Clone, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
struct Sign(Mark);

impl From<Sign> for String {
    fn from(sign: Sign) -> String {
        sign.0.code().to_owned()
    }
}

impl TryFrom<String> for Sign {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Sign, &'static str> {
        Mark::from_code(&text).map(Sign).ok_or("not a mark")
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Reason {
    Backlog,
    Failed,
    Struck,
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

/// Bytes, as Base64.
#[derive(Clone, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
struct Binary(Vec<u8>);

impl From<Binary> for String {
    fn from(bytes: Binary) -> String {
        BASE64_STANDARD.encode(bytes.0)
    }
}

impl TryFrom<String> for Binary {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Binary, &'static str> {
        BASE64_STANDARD.decode(text).map(Binary).map_err(|_| "not Base64")
    }
}

/// As [`TenantId`] is written.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Owner(TenantId);

impl TryFrom<String> for Owner {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Owner, &'static str> {
        text.parse().map(Owner).map_err(|_| "not a tenant")
    }
}

impl From<Owner> for String {
    fn from(owner: Owner) -> String {
        owner.0.to_string()
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
            Fact::BelongsTo { tenant } => Body::BelongsTo { tenant: Owner(tenant.clone()) },
            Fact::Joined { participant, name, language, consent, tags } => Body::Joined {
                participant: participant.0,
                name: name.clone(),
                language: (*language).into(),
                consent: (*consent).into(),
                tags: tags.clone(),
            },
            Fact::Placed { participant, room } => {
                Body::Placed { participant: participant.0, room: room.map(Room) }
            }
            Fact::ConsentSet { participant, consent } => {
                Body::ConsentSet { participant: participant.0, consent: (*consent).into() }
            }
            Fact::LanguageSet { participant, spoken } => Body::LanguageSet {
                participant: participant.0,
                language: spoken.language().into(),
                by_ear: spoken.is_by_ear(),
            },
            Fact::TranscriptionSet { room, by, on } => {
                Body::TranscriptionSet { room: room.map(Room), by: by.map(|it| it.0), on: *on }
            }
            Fact::Struck { participant, span } => Body::Struck {
                participant: participant.0,
                start_ms: span.start.as_ms(),
                end_ms: span.end.as_ms(),
            },
            Fact::RoomsOpened { count } => Body::RoomsOpened { count: *count },
            Fact::MethodBegan { method, options } => Body::MethodBegan {
                method: Arc::clone(method),
                question: options.question.clone(),
                topics: options.topics.clone(),
                warn_ms: options.warn_ms,
                seed: options.seed,
            },
            Fact::StepBegan(began) => began.into(),
            Fact::ClockSet { clock: Clock::Running { ends } } => {
                let ends_ms = ends.map(SessionTime::as_ms);
                Body::ClockSet { paused: false, ends_ms, left_ms: None }
            }
            Fact::ClockSet { clock: Clock::Paused { left_ms } } => {
                Body::ClockSet { paused: true, ends_ms: None, left_ms: *left_ms }
            }
            Fact::TurnPassed { room, to } => {
                Body::TurnPassed { room: Room(*room), to: to.map(|it| it.0) }
            }
            Fact::Seated { participant, on } => {
                Body::Seated { participant: participant.0, on: *on }
            }
            Fact::RoleGiven { participant, role } => {
                Body::RoleGiven { participant: participant.0, role: *role }
            }
            Fact::Wrote { participant, room, text, parts } => Body::Wrote {
                participant: participant.0,
                room: Room(*room),
                text: text.clone(),
                parts: parts.iter().map(|(by, chars)| (by.0, *chars)).collect(),
            },
            Fact::Typed { participant, room, update } => Body::Typed {
                participant: participant.0,
                room: Room(*room),
                update: Binary(update.clone()),
            },
            Fact::Scored { participant, card, score } => {
                Body::Scored { participant: participant.0, card: card.0, score: *score }
            }
            Fact::Ideas(change) => change.into(),
            Fact::MethodEnded => Body::MethodEnded {},
            Fact::Kept { participants, rule } => {
                Body::Kept { participants: participants.map(|it| it.0), rule: (*rule).into() }
            }
            Fact::Pinned { participant, room } => {
                Body::Pinned { participant: participant.0, room: room.map(Room) }
            }
            Fact::Said { participant, room, span, language, text, words } => Body::Said {
                participant: participant.0,
                room: Room(*room),
                start_ms: span.start.as_ms(),
                end_ms: span.end.as_ms(),
                language: (*language).into(),
                text: text.clone(),
                words: apart(span.start, words),
            },
            Fact::Unheard { participant, room, span, reason } => Body::Unheard {
                participant: participant.0,
                room: Room(*room),
                start_ms: span.start.as_ms(),
                end_ms: span.end.as_ms(),
                reason: (*reason).into(),
            },
            Fact::Posted { participant, room, text } => {
                Body::Posted { participant: participant.0, room: Room(*room), text: text.clone() }
            }
            Fact::Broadcast { text } => Body::Broadcast { text: text.clone() },
            Fact::GlossarySet { text } => Body::GlossarySet { text: text.clone() },
            Fact::Called { participant, room } => {
                Body::Called { participant: participant.0, room: Room(*room) }
            }
            Fact::CallSeen { participant } => Body::CallSeen { participant: participant.0 },
            Fact::CallEnded { participant } => Body::CallEnded { participant: participant.0 },
            Fact::Marked { by, of, at, mark, on } => {
                Body::Marked { by: by.0, of: of.0, at_ms: at.as_ms(), mark: Sign(*mark), on: *on }
            }
            Fact::Collected { entry, theme } => {
                Body::Collected { entry: *entry, theme: theme.clone() }
            }
            Fact::Commented { on, name, unix_ms, text } => {
                let (entry, theme) = match on {
                    CommentOn::Entry(entry) => (Some(*entry), None),
                    CommentOn::Theme(theme) => (None, Some(theme.clone())),
                };
                let (name, unix_ms, text) = (name.clone(), *unix_ms, text.clone());
                Body::Commented { entry, theme, name, unix_ms, text }
            }
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
            Body::Joined { participant, name, language, consent, tags } => Fact::Joined {
                participant: ParticipantId(participant),
                name,
                language: language.into(),
                consent: consent.into(),
                tags,
            },
            Body::Placed { participant, room } => Fact::Placed {
                participant: ParticipantId(participant),
                room: room.map(|room| room.0),
            },
            Body::ConsentSet { participant, consent } => Fact::ConsentSet {
                participant: ParticipantId(participant),
                consent: consent.into(),
            },
            Body::LanguageSet { participant, language, by_ear } => {
                let language = language.into();
                Fact::LanguageSet {
                    participant: ParticipantId(participant),
                    spoken: if by_ear { Spoken::ByEar(language) } else { Spoken::Told(language) },
                }
            }
            Body::TranscriptionSet { room, by, on } => {
                Fact::TranscriptionSet { room: room.map(|it| it.0), by: by.map(ParticipantId), on }
            }
            Body::Struck { participant, start_ms, end_ms } => Fact::Struck {
                participant: ParticipantId(participant),
                span: Span::new(SessionTime(start_ms), SessionTime(end_ms)),
            },
            Body::BelongsTo { tenant } => Fact::BelongsTo { tenant: tenant.0 },
            Body::RoomsOpened { count } => Fact::RoomsOpened { count },
            Body::MethodBegan { method, question, topics, warn_ms, seed } => Fact::MethodBegan {
                method,
                options: RunOptions { question, topics, warn_ms, seed },
            },
            Body::StepBegan { phase, round, of, length_ms, rooms, ahead, roles, cards } => {
                Fact::StepBegan(StepBegan {
                    place: Place { phase, round, of },
                    length_ms,
                    rooms: rooms.map(grouping),
                    ahead: ahead.into_iter().map(grouping).collect(),
                    roles: roles.into_iter().map(|(id, it)| (ParticipantId(id), it)).collect(),
                    cards: cards
                        .into_iter()
                        .map(|(holder, card)| (ParticipantId(holder), ParticipantId(card)))
                        .collect(),
                })
            }
            Body::ClockSet { paused: true, left_ms, .. } => {
                Fact::ClockSet { clock: Clock::Paused { left_ms } }
            }
            Body::ClockSet { ends_ms, .. } => {
                Fact::ClockSet { clock: Clock::Running { ends: ends_ms.map(SessionTime) } }
            }
            Body::TurnPassed { room, to } => {
                Fact::TurnPassed { room: room.0, to: to.map(ParticipantId) }
            }
            Body::Seated { participant, on } => {
                Fact::Seated { participant: ParticipantId(participant), on }
            }
            Body::RoleGiven { participant, role } => {
                Fact::RoleGiven { participant: ParticipantId(participant), role }
            }
            Body::Wrote { participant, room, text, parts } => Fact::Wrote {
                participant: ParticipantId(participant),
                room: room.0,
                text,
                parts: parts.into_iter().map(|(by, chars)| (ParticipantId(by), chars)).collect(),
            },
            Body::Typed { participant, room, update } => Fact::Typed {
                participant: ParticipantId(participant),
                room: room.0,
                update: update.0,
            },
            Body::Scored { participant, card, score } => Fact::Scored {
                participant: ParticipantId(participant),
                card: ParticipantId(card),
                score,
            },
            Body::IdeaWritten { idea, participant, room, open, text, from } => {
                Fact::Ideas(Change::Written {
                    idea: IdeaId(idea),
                    by: ParticipantId(participant),
                    room: room.0,
                    open,
                    text,
                    from: from.into_iter().map(IdeaId).collect(),
                })
            }
            Body::IdeaRemoved { idea, participant } => {
                Fact::Ideas(Change::Removed { idea: IdeaId(idea), by: ParticipantId(participant) })
            }
            Body::IdeaChosen { idea, participant, on } => Fact::Ideas(Change::Chosen {
                idea: IdeaId(idea),
                by: ParticipantId(participant),
                on,
            }),
            Body::Voted { participant, idea, votes } => Fact::Ideas(Change::Voted {
                by: ParticipantId(participant),
                idea: IdeaId(idea),
                votes,
            }),
            Body::IdeaStruck { idea, participant } => {
                Fact::Ideas(Change::Struck { idea: IdeaId(idea), by: ParticipantId(participant) })
            }
            Body::IdeaGrouped { idea, group } => {
                Fact::Ideas(Change::Grouped { idea: IdeaId(idea), group })
            }
            Body::MethodEnded {} => Fact::MethodEnded,
            Body::Kept { participants, rule } => {
                Fact::Kept { participants: participants.map(ParticipantId), rule: rule.into() }
            }
            Body::Pinned { participant, room } => Fact::Pinned {
                participant: ParticipantId(participant),
                room: room.map(|room| room.0),
            },
            Body::Said { participant, room, start_ms, end_ms, language, text, words } => {
                Fact::Said {
                    participant: ParticipantId(participant),
                    room: room.0,
                    span: span(start_ms, end_ms),
                    language: language.into(),
                    text,
                    words: together(start_ms, &words),
                }
            }
            Body::Unheard { participant, room, start_ms, end_ms, reason } => Fact::Unheard {
                participant: ParticipantId(participant),
                room: room.0,
                span: span(start_ms, end_ms),
                reason: reason.into(),
            },
            Body::Posted { participant, room, text } => {
                Fact::Posted { participant: ParticipantId(participant), room: room.0, text }
            }
            Body::Broadcast { text } => Fact::Broadcast { text },
            Body::GlossarySet { text } => Fact::GlossarySet { text },
            Body::Called { participant, room } => {
                Fact::Called { participant: ParticipantId(participant), room: room.0 }
            }
            Body::CallSeen { participant } => {
                Fact::CallSeen { participant: ParticipantId(participant) }
            }
            Body::CallEnded { participant } => {
                Fact::CallEnded { participant: ParticipantId(participant) }
            }
            Body::Marked { by, of, at_ms, mark, on } => Fact::Marked {
                by: ParticipantId(by),
                of: ParticipantId(of),
                at: SessionTime(at_ms),
                mark: mark.0,
                on,
            },
            Body::Collected { entry, theme } => Fact::Collected { entry, theme },
            Body::Commented { entry, theme, name, unix_ms, text } => {
                let on = match entry {
                    Some(entry) => CommentOn::Entry(entry),
                    None => CommentOn::Theme(theme.unwrap_or_default()),
                };
                Fact::Commented { on, name, unix_ms, text }
            }
            Body::Ended {} => Fact::Ended,
        }
    }
}

impl From<&Change> for Body {
    fn from(change: &Change) -> Body {
        match change {
            Change::Written { idea, by, room, open, text, from } => Body::IdeaWritten {
                idea: idea.0,
                participant: by.0,
                room: Room(*room),
                open: *open,
                text: text.clone(),
                from: from.iter().map(|it| it.0).collect(),
            },
            Change::Removed { idea, by } => Body::IdeaRemoved { idea: idea.0, participant: by.0 },
            Change::Chosen { idea, by, on } => {
                Body::IdeaChosen { idea: idea.0, participant: by.0, on: *on }
            }
            Change::Voted { by, idea, votes } => {
                Body::Voted { participant: by.0, idea: idea.0, votes: *votes }
            }
            Change::Struck { idea, by } => Body::IdeaStruck { idea: idea.0, participant: by.0 },
            Change::Grouped { idea, group } => {
                Body::IdeaGrouped { idea: idea.0, group: group.clone() }
            }
        }
    }
}

impl From<&StepBegan> for Body {
    fn from(began: &StepBegan) -> Body {
        let numbers = |it: &Grouping| -> Vec<Vec<u32>> {
            it.iter().map(|room| room.iter().map(|id| id.0).collect()).collect()
        };
        Body::StepBegan {
            phase: began.place.phase,
            round: began.place.round,
            of: began.place.of,
            length_ms: began.length_ms,
            rooms: began.rooms.as_ref().map(numbers),
            ahead: began.ahead.iter().map(numbers).collect(),
            roles: began.roles.iter().map(|(id, role)| (id.0, *role)).collect(),
            cards: began.cards.iter().map(|(holder, card)| (holder.0, card.0)).collect(),
        }
    }
}

fn grouping(numbers: Vec<Vec<u32>>) -> Grouping {
    numbers.into_iter().map(|room| room.into_iter().map(ParticipantId).collect()).collect()
}

fn span(start_ms: u64, end_ms: u64) -> Span {
    Span::new(SessionTime(start_ms), SessionTime(end_ms))
}

/// How long after the one before each word begins, and how long it is. Words are in order.
fn apart(start: SessionTime, words: &[Span]) -> Vec<u64> {
    let mut from = start;
    let mut apart = |it: &Span| {
        let gap_ms = it.start.since_ms(from);
        from = it.end;
        [gap_ms, it.ms()]
    };
    words.iter().flat_map(&mut apart).collect()
}

/// What [`apart`] was made of; whatever a log has, no time is past the last there can be.
fn together(start_ms: u64, apart: &[u64]) -> Vec<Span> {
    let mut from = start_ms;
    let mut word = |pair: &[u64]| {
        let [gap_ms, ms] = pair else { return None };
        let start = from.saturating_add(*gap_ms);
        from = start.saturating_add(*ms);
        Some(span(start, from))
    };
    apart.chunks(2).map_while(&mut word).collect()
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

impl From<Keep> for KeepRule {
    fn from(it: Keep) -> KeepRule {
        match it {
            Keep::Apart => KeepRule::Apart,
            Keep::Together => KeepRule::Together,
            Keep::AsItComes => KeepRule::AsItComes,
        }
    }
}

impl From<KeepRule> for Keep {
    fn from(it: KeepRule) -> Keep {
        match it {
            KeepRule::Apart => Keep::Apart,
            KeepRule::Together => Keep::Together,
            KeepRule::AsItComes => Keep::AsItComes,
        }
    }
}

impl From<GapReason> for Reason {
    fn from(it: GapReason) -> Reason {
        match it {
            GapReason::Backlog => Reason::Backlog,
            GapReason::Failed => Reason::Failed,
            GapReason::Struck => Reason::Struck,
        }
    }
}

impl From<Reason> for GapReason {
    fn from(it: Reason) -> GapReason {
        match it {
            Reason::Backlog => GapReason::Backlog,
            Reason::Failed => GapReason::Failed,
            Reason::Struck => GapReason::Struck,
        }
    }
}
