//! What becomes of a kept record when a person takes back their name, a line, or everything. It works
//! on the body as it lies in the log, so that kinds of records that came later are not passed over: a
//! body is never made larger than what a person has left in it.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    domain::{
        fact::Fact,
        ids::{ParticipantId, RoomId},
        message::Place,
        method::{Harvest, Method},
    },
    notes::engine::{names::Names, record},
};

/// Kinds of records whose text is a person's own. They go when the person's words go.
const OWN_WORDS: [&str; 4] = ["said", "unheard", "posted", "wrote"];

/// The kind whose text alone goes: the room's work with an idea, and all that came of it, stays.
const IDEA: &str = "idea-written";

/// Fields in which people's words and names stand. Others hold numbers and words of ours.
const HUMAN: [&str; 8] = ["title", "name", "text", "question", "topics", "tags", "theme", "group"];

/// What is taken out of a session.
#[derive(Clone, Debug)]
pub struct Erasing {
    pub participant: ParticipantId,
    /// What stands for the person from now on. No name.
    pub instead: String,
    /// Also all that they said and wrote.
    pub words: bool,
    names: Names,
    known: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    Stays,
    Goes,
    Becomes(String),
}

impl Erasing {
    /// `bodies`: of the whole session, in any order; the person's names are found in them.
    pub fn new<'a>(
        participant: ParticipantId,
        instead: &str,
        words: bool,
        bodies: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut names = Names::default();
        let mut known = false;
        for body in bodies.into_iter().filter(|it| it.contains("\"joined\"")) {
            if let Some(joined) = read(body).filter(|it| is(it, "joined", participant)) {
                known = true;
                names.add(joined["name"].as_str().unwrap_or_default(), instead);
            }
        }
        Self { participant, instead: instead.to_owned(), words, names, known }
    }

    /// Whether the person has ever joined.
    pub fn is_known(&self) -> bool {
        self.known
    }

    /// What becomes of a record. One that cannot be read goes, if it may be the person's: better to
    /// lose it than to keep what was to be erased.
    pub fn of(&self, body: &str) -> After {
        let Some(mut value) = read(body) else { return After::Goes };
        let own = |kind: &&&str| is(&value, kind, self.participant);
        if self.words && OWN_WORDS.iter().find(own).is_some() {
            return After::Goes;
        }
        let mut changed = false;
        if self.words && is(&value, IDEA, self.participant) {
            value["text"] = "".into();
            changed = true;
        }
        if is(&value, "joined", self.participant) {
            value["name"] = self.instead.as_str().into();
            if let Some(fields) = value.as_object_mut() {
                fields.remove("tags");
            }
            changed = true;
        }
        if let Some(fields) = value.as_object_mut() {
            for (_, it) in fields.iter_mut().filter(|(name, _)| HUMAN.contains(&name.as_str())) {
                changed |= self.hide(it);
            }
        }
        if changed { After::Becomes(value.to_string()) } else { After::Stays }
    }

    /// A text that is no record, such as a session's title; `None`: it stays.
    pub fn text(&self, text: &str) -> Option<String> {
        self.names.hidden(text)
    }

    fn hide(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => match self.names.hidden(text) {
                Some(other) => {
                    *text = other;
                    true
                }
                None => false,
            },
            Value::Array(items) => {
                items.iter_mut().fold(false, |so_far, it| self.hide(it) | so_far)
            }
            Value::Object(fields) => {
                fields.values_mut().fold(false, |so_far, it| self.hide(it) | so_far)
            }
            _ => false,
        }
    }
}

/// The record with another text, if it is something this person said or wrote. What was said is one
/// line, as speech has none.
pub fn corrected(body: &str, participant: ParticipantId, text: &str) -> Option<String> {
    let mut value = read(body)?;
    if !has_own_text(&value, participant) {
        return None;
    }
    value["text"] = match value["kind"] == "said" {
        true => text.split_whitespace().collect::<Vec<_>>().join(" ").into(),
        false => text.into(),
    };
    // The times are those of the words that were heard.
    if let Some(fields) = value.as_object_mut() {
        fields.remove("words");
    }
    Some(value.to_string())
}

/// In which phase of which method a session is, as its facts go by.
#[derive(Clone, Debug, Default)]
pub struct Phases {
    run: usize,
    method: Option<Arc<Method>>,
    place: Option<Place>,
}

impl Phases {
    pub fn apply(&mut self, fact: &Fact) {
        match fact {
            Fact::MethodBegan { method, .. } => {
                self.run += 1;
                (self.method, self.place) = (Some(Arc::clone(method)), None);
            }
            Fact::StepBegan(began) => self.place = Some(began.place),
            _ => (),
        }
    }

    /// What the phase asks people for.
    pub fn harvest(&self) -> Option<Harvest> {
        let phase = usize::from(self.place?.phase);
        self.method.as_ref()?.phases.get(phase).map(|it| it.harvest)
    }

    /// Where a person's next text takes the place of their one before.
    pub fn paper(&self, room: RoomId) -> (usize, Option<u16>, Option<(u16, RoomId)>) {
        let of_room = self.place.filter(|_| self.harvest() == Some(Harvest::Line));
        (self.run, self.place.map(|it| it.phase), of_room.map(|it| (it.round, room)))
    }
}

/// Whether this person may take the record away: they said or wrote it.
pub fn is_own(body: &str, participant: ParticipantId) -> bool {
    read(body).is_some_and(|it| has_own_text(&it, participant))
}

/// What this person said or wrote in a record; `None`: it is not theirs, or has no words.
pub fn own_text(body: &str, participant: ParticipantId) -> Option<String> {
    let value = read(body).filter(|it| has_own_text(it, participant))?;
    value["text"].as_str().map(str::to_owned)
}

/// The idea whose words a record has; `None`: it is a record of something else.
pub fn idea_of(body: &str, participant: ParticipantId) -> Option<u64> {
    let value = read(body).filter(|it| is(it, IDEA, participant))?;
    value["idea"].as_u64()
}

fn has_own_text(value: &Value, participant: ParticipantId) -> bool {
    ["said", "posted", "wrote", IDEA].iter().any(|it| is(value, it, participant))
        && value["text"].as_str().is_some_and(|it| !it.is_empty())
}

fn read(body: &str) -> Option<Value> {
    serde_json::from_str(body).ok().filter(Value::is_object)
}

fn is(value: &Value, kind: &str, participant: ParticipantId) -> bool {
    value["kind"] == kind && value["participant"] == participant.0
}

/// Whether a changed body can still be read as what it was; the log must never hold one that cannot.
pub fn is_sound(version: u32, body: &str) -> bool {
    record::decode(version, body).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        fact::{Consent, Fact},
        ideas::{Change, IdeaId},
        ids::RoomId,
        language::Language,
        time::{SessionTime, Span},
    };

    const ALICE: ParticipantId = ParticipantId(1);
    const BOB: ParticipantId = ParticipantId(2);

    fn joined(who: ParticipantId, name: &str) -> String {
        record::encode(&Fact::Joined {
            participant: who,
            name: name.into(),
            language: Language::Finnish,
            consent: Consent::On,
            tags: [("organisation".to_owned(), "Kuopio".to_owned())].into(),
        })
    }

    fn said(who: ParticipantId, text: &str) -> String {
        record::encode(&Fact::Said {
            participant: who,
            room: RoomId::Main,
            span: Span::new(SessionTime(1), SessionTime(2)),
            language: Language::Finnish,
            text: text.into(),
            words: vec![],
        })
    }

    fn fact(body: &str) -> Fact {
        record::decode(record::VERSION, body).expect("a record")
    }

    #[test]
    fn a_person_goes_and_the_others_stay() {
        let bodies = [
            joined(ALICE, "Alice Virtanen"),
            joined(BOB, "Bob"),
            said(ALICE, "Puisto"),
            said(BOB, "Kuten Alice sanoi, ja \"Virtasen\" idea"),
            said(BOB, "Pyörä"),
        ];
        let erasing = Erasing::new(ALICE, "KXQT", true, bodies.iter().map(String::as_str));
        let after: Vec<_> = bodies.iter().map(|it| erasing.of(it)).collect();
        assert_eq!(after[1], After::Stays);
        assert_eq!(after[2], After::Goes);
        assert_eq!(after[4], After::Stays);
        let After::Becomes(name) = &after[0] else { panic!("{after:?}") };
        assert!(name.contains("KXQT") && !name.contains("Kuopio") && !name.contains("Alice"));
        let After::Becomes(bobs) = &after[3] else { panic!("{after:?}") };
        let expected = said(BOB, "Kuten KXQT sanoi, ja \"KXQT\" idea");
        assert_eq!(fact(bobs), fact(&expected));
        assert!(is_sound(record::VERSION, name) && is_sound(record::VERSION, bobs));

        let named = Erasing::new(ALICE, "KXQT", false, bodies.iter().map(String::as_str));
        assert_eq!(named.of(&bodies[2]), After::Stays, "a name alone leaves the words");
    }

    #[test]
    fn an_idea_keeps_its_place_in_the_chain_without_its_words() {
        let idea = |by, text: &str| {
            record::encode(&Fact::Ideas(Change::Written {
                idea: IdeaId(7),
                by,
                room: RoomId::Breakout(1),
                open: true,
                text: text.into(),
                from: vec![IdeaId(3)],
            }))
        };
        let bodies = [joined(ALICE, "Alice"), idea(ALICE, "Puisto"), idea(BOB, "Alicen puisto")];
        let erasing = Erasing::new(ALICE, "KXQT", true, bodies.iter().map(String::as_str));
        let becomes = |body: &str| match erasing.of(body) {
            After::Becomes(other) => fact(&other),
            other => panic!("{other:?}"),
        };
        assert_eq!(becomes(&bodies[1]), fact(&idea(ALICE, "")));
        assert_eq!(becomes(&bodies[2]), fact(&idea(BOB, "KXQT puisto")));
        assert_eq!(idea_of(&bodies[1], ALICE), Some(7));
        assert_eq!(idea_of(&bodies[1], BOB), None, "it is not his");
        let other = corrected(&bodies[1], ALICE, "Metsä").expect("her own");
        assert_eq!(fact(&other), fact(&idea(ALICE, "Metsä")));
    }

    #[test]
    fn only_ones_own_words_are_corrected() {
        let body = said(ALICE, "Puisto");
        let other = corrected(&body, ALICE, "Puistot").expect("her own");
        assert_eq!(fact(&other), fact(&said(ALICE, "Puistot")));
        assert_eq!(corrected(&body, BOB, "Pyörä"), None);
        assert_eq!(corrected(&joined(ALICE, "Alice"), ALICE, "x"), None);
        assert_eq!(corrected("{", ALICE, "x"), None);
        assert!(is_own(&body, ALICE) && !is_own(&body, BOB));
    }
}
