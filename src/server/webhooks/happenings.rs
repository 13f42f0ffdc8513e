//! Facts as events of webhooks. The names are those of the embedded frame (`web/embed/schema.json`); what
//! goes along is numbers and rooms, never a name, a title, a question or a word.

use serde_json::{Value, json};

use crate::domain::{fact::Fact, ids::SessionId};

/// Something that a tenant's server is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening {
    event: &'static str,
    detail: Value,
}

impl Happening {
    /// `None`: nobody outside is told of that.
    pub fn of(fact: &Fact) -> Option<Happening> {
        let (event, detail) = match fact {
            Fact::Joined { participant, .. } => {
                ("person.joined", json!({ "participant": participant.0 }))
            }
            Fact::Placed { participant, room: None } => {
                ("person.left", json!({ "participant": participant.0 }))
            }
            Fact::Placed { participant, room: Some(room) } => {
                ("room.changed", json!({ "participant": participant.0, "room": room.to_string() }))
            }
            Fact::RoomsOpened { count: 0 } => ("rooms.closed", json!({})),
            Fact::RoomsOpened { count } => ("rooms.opened", json!({ "count": count })),
            Fact::MethodBegan { method, .. } => ("method.started", json!({ "method": method.id })),
            Fact::MethodEnded => ("method.ended", json!({})),
            Fact::StepBegan(step) => {
                let (place, length_ms) = (step.place, step.length_ms);
                let detail = json!({
                    "phase": place.phase, "round": place.round, "of": place.of, "left_ms": length_ms,
                });
                ("round.started", detail)
            }
            Fact::Called { participant, room } => (
                "help.requested",
                json!({ "participant": participant.0, "room": room.to_string() }),
            ),
            Fact::CallSeen { participant } => {
                ("help.answered", json!({ "participant": participant.0 }))
            }
            Fact::Ended => ("session.ended", json!({})),
            _ => return None,
        };
        Some(Happening { event, detail })
    }

    pub fn name(&self) -> &'static str {
        self.event
    }

    /// What is sent: one line of JSON.
    ///
    /// `at_ms`: since the session opened.
    pub fn body(&self, id: &str, session: SessionId, at_ms: u64, unix_ms: u64) -> String {
        let Happening { event, detail } = self;
        json!({
            "id": id, "event": event, "session": session.to_string(), "at_ms": at_ms,
            "unix_ms": unix_ms, "detail": detail,
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        fact::Consent,
        ids::{ParticipantId, RoomId},
        language::Language,
        time::{SessionTime, Span},
    };

    const SCHEMA: &str = include_str!("../../../web/embed/schema.json");
    const SECRET: &str = "kuiskaus";

    fn facts() -> Vec<Fact> {
        let (participant, room) = (ParticipantId(1), RoomId::Breakout(2));
        let words = || SECRET.to_owned();
        let span = Span { start: SessionTime(1), end: SessionTime(2) };
        vec![
            Fact::Opened { title: words(), language: Language::Finnish, unix_ms: 1 },
            Fact::Joined {
                participant,
                name: words(),
                language: Language::Finnish,
                consent: Consent::On,
                tags: [(words(), words())].into(),
            },
            Fact::Placed { participant, room: Some(room) },
            Fact::RoomsOpened { count: 2 },
            Fact::Said {
                participant,
                room,
                span,
                language: Language::Finnish,
                text: words(),
                words: vec![span],
            },
            Fact::Posted { participant, room, text: words() },
            Fact::Wrote { participant, room, text: words(), parts: Vec::new() },
            Fact::Typed { participant, room, update: words().into_bytes() },
            Fact::Broadcast { text: words() },
            Fact::GlossarySet { text: words() },
            Fact::Called { participant, room },
            Fact::CallSeen { participant },
            Fact::RoomsOpened { count: 0 },
            Fact::Placed { participant, room: None },
            Fact::MethodEnded,
            Fact::Ended,
        ]
    }

    #[test]
    fn no_name_and_no_word_leaves_the_house() {
        let session = SessionId::new(1, 1);
        for happening in facts().iter().filter_map(Happening::of) {
            let body = happening.body("lahti-1", session, 2, 3);
            assert!(!body.contains(SECRET), "{body}");
        }
    }

    #[test]
    fn events_have_the_names_of_the_frames_events() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let told: Vec<_> = facts().iter().filter_map(Happening::of).collect();
        assert!(8 < told.len());
        for happening in told {
            assert!(schema["events"][happening.name()].is_object(), "{}", happening.name());
        }
    }
}
