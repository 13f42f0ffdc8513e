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

/// How a sheet was written, letter by letter, also what nobody has left on it. What came of it stands
/// in records of their own; when anybody takes anything back, how it came to be goes whole.
const TYPED: &str = "typed";

/// The kind whose text alone goes: the room's work with an idea, and all that came of it, stays.
pub const IDEA: &str = "idea-written";

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
        if value["kind"] == TYPED {
            return After::Goes;
        }
        let mut changed = false;
        if is_of_sheet(&value) {
            changed |= self.words && replace_parts(&mut value, self.participant, "");
            changed |= self.hide_in_parts(&mut value);
            return if changed { After::Becomes(value.to_string()) } else { After::Stays };
        }
        let own = |kind: &&&str| is(&value, kind, self.participant);
        if self.words && OWN_WORDS.iter().find(own).is_some() {
            return After::Goes;
        }
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

    /// Names that somebody wrote whole keep whose words they stand in; where several wrote one name
    /// together, nobody has counted from then on.
    fn hide_in_parts(&self, value: &mut Value) -> bool {
        let mut parts = parts_of(value);
        let mut changed = false;
        for (_, text) in &mut parts {
            if let Some(other) = self.names.hidden(text) {
                (*text, changed) = (other, true);
            }
        }
        if changed {
            put_parts(value, parts);
        }
        let text = value["text"].as_str().unwrap_or_default();
        if let Some(other) = self.names.hidden(text) {
            value["text"] = other.into();
            value["parts"] = Value::Array(Vec::new());
            changed = true;
        }
        changed
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

/// The record of a sheet, with `text` in place of the first that this person wrote on it and nothing in
/// place of the rest. `None`: it is no sheet, or the person wrote nothing on it.
pub fn without_parts(body: &str, participant: ParticipantId, text: &str) -> Option<String> {
    let mut value = read(body).filter(is_of_sheet)?;
    replace_parts(&mut value, participant, text).then(|| value.to_string())
}

/// Whether it is a record of how a sheet came to be, letter by letter.
pub fn is_typed(body: &str) -> bool {
    read(body).is_some_and(|it| it["kind"] == TYPED)
}

fn is_of_sheet(value: &Value) -> bool {
    let counted = value["parts"].as_array().is_some_and(|it| !it.is_empty());
    value["kind"] == "wrote" && counted
}

/// Who wrote what of a sheet, from its beginning.
fn parts_of(value: &Value) -> Vec<(u64, String)> {
    let mut chars = value["text"].as_str().unwrap_or_default().chars();
    let counted = value["parts"].as_array().into_iter().flatten();
    counted
        .map(|it| {
            let chars_of = usize::try_from(it[1].as_u64().unwrap_or(0)).unwrap_or(usize::MAX);
            // Whose nobody knows is nobody's: no seat has this number.
            let by = it[0].as_u64().unwrap_or(0);
            (by, chars.by_ref().take(chars_of).collect())
        })
        .collect()
}

fn put_parts(value: &mut Value, parts: Vec<(u64, String)>) {
    let counted: Vec<Value> = parts
        .iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(by, text)| Value::from(vec![*by, text.chars().count() as u64]))
        .collect();
    value["text"] = parts.into_iter().map(|(_, text)| text).collect::<String>().into();
    value["parts"] = counted.into();
}

fn replace_parts(value: &mut Value, participant: ParticipantId, text: &str) -> bool {
    let mut parts = parts_of(value);
    let own = |it: &&mut (u64, String)| it.0 == u64::from(participant.0);
    let mut instead = Some(text);
    let mut changed = false;
    for (_, words) in parts.iter_mut().filter(own) {
        *words = instead.take().unwrap_or_default().to_owned();
        changed = true;
    }
    if changed {
        put_parts(value, parts);
    }
    changed
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

    /// Which run of a method it is, from 1; 0 before the first.
    pub fn run(&self) -> usize {
        self.run
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
    if is_of_sheet(&value) {
        let own = |it: (u64, String)| (it.0 == u64::from(participant.0)).then_some(it.1);
        return Some(parts_of(&value).into_iter().filter_map(own).collect::<Vec<_>>().join(" "));
    }
    value["text"].as_str().map(str::to_owned)
}

/// What stands on a sheet, by everybody; `None`: it is a record of something else, or empty.
pub fn sheet_text(body: &str) -> Option<String> {
    read(body).filter(is_of_sheet)?["text"].as_str().map(str::to_owned)
}

/// The idea whose words a record has; `None`: it is a record of something else.
pub fn idea_of(body: &str, participant: ParticipantId) -> Option<u64> {
    idea_and_writer(body).filter(|it| it.1 == participant).map(|it| it.0)
}

/// The idea whose words a record has, and whose words they are.
pub fn idea_and_writer(body: &str) -> Option<(u64, ParticipantId)> {
    let value = read(body).filter(|it| it["kind"] == IDEA)?;
    let writer = u32::try_from(value["participant"].as_u64()?).ok()?;
    Some((value["idea"].as_u64()?, ParticipantId(writer)))
}

fn has_own_text(value: &Value, participant: ParticipantId) -> bool {
    if is_of_sheet(value) {
        return parts_of(value).iter().any(|it| it.0 == u64::from(participant.0));
    }
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
    fn of_what_a_room_wrote_together_only_ones_own_part_goes() {
        let sheet = |text: &str, parts: &[(ParticipantId, u32)]| {
            let (text, parts) = (text.to_owned(), parts.to_vec());
            record::encode(&Fact::Wrote { participant: ALICE, room: RoomId::Main, text, parts })
        };
        let body = sheet("Puisto ja tori😀", &[(ALICE, 7), (BOB, 3), (ALICE, 4), (BOB, 1)]);
        let typed = record::encode(&Fact::Typed {
            participant: BOB,
            room: RoomId::Main,
            update: b"Puisto".to_vec(),
        });
        let bodies = [joined(ALICE, "Alice"), joined(BOB, "Bob"), body.clone()];
        let of = |who, words, body: &str| {
            Erasing::new(who, "KXQT", words, bodies.iter().map(String::as_str)).of(body)
        };
        let becomes = |after| match after {
            After::Becomes(other) => fact(&other),
            other => panic!("{other:?}"),
        };
        assert_eq!(becomes(of(ALICE, true, &body)), fact(&sheet("ja 😀", &[(BOB, 3), (BOB, 1)])));
        let left = sheet("Puisto tori", &[(ALICE, 7), (ALICE, 4)]);
        assert_eq!(becomes(of(BOB, true, &body)), fact(&left), "whoever changed it last");
        assert_eq!(of(ALICE, false, &body), After::Stays, "a name alone leaves the words");
        for (who, words) in [(ALICE, true), (BOB, false)] {
            assert_eq!(of(who, words, &typed), After::Goes, "it may hold what was struck");
        }
        let corrected = without_parts(&body, BOB, "tai").expect("he wrote on it");
        let other = sheet("Puisto taitori", &[(ALICE, 7), (BOB, 3), (ALICE, 4)]);
        assert_eq!(fact(&corrected), fact(&other), "in place of the first, nothing of the rest");
        assert_eq!(without_parts(&body, ParticipantId(9), ""), None);
        assert!(is_own(&body, BOB) && !is_own(&body, ParticipantId(9)));
        assert_eq!(own_text(&body, ALICE).as_deref(), Some("Puisto  tori"), "hers alone");
        assert_eq!(sheet_text(&body).as_deref(), Some("Puisto ja tori😀"));
        assert_eq!(sheet_text(&said(BOB, "ja")), None);

        // A name is hidden in whosever words it stands; written by two, nobody has counted any more.
        let named = sheet("Alicen ja Alicen", &[(BOB, 10), (BOB, 2), (ALICE, 4)]);
        let Fact::Wrote { text, parts, .. } = becomes(of(ALICE, false, &named)) else {
            panic!("{named}")
        };
        assert_eq!((text.as_str(), parts), ("KXQT ja KXQT", Vec::new()));
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
