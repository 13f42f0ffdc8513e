//! What one finds a session again by: its name and day, its methods and questions, the themes of its
//! board. Pure, made from a few kinds of records; it has no word that anybody said, and no name.

use std::collections::BTreeSet;

use crate::domain::{
    fact::{Fact, Record},
    ids::ParticipantId,
    language::Language,
    method::Text,
};

/// The kinds of records that it is made of.
pub const KINDS: [&str; 5] = ["opened", "joined", "method-began", "collected", "ended"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    pub title: String,
    pub language: Language,
    pub opened_unix_ms: u64,
    pub ended: bool,
    /// How many had a seat.
    pub people: usize,
    /// Ids and names, each once, in the order of being run.
    pub methods: Vec<(String, Text)>,
    /// What the methods were about, each once.
    pub questions: Vec<String>,
    /// Of the board, in the order of their coming.
    pub themes: Vec<String>,
}

/// The session that `records` tell of; they may be of other kinds, too. `None`: they are no session's.
pub fn digest(records: &[Record]) -> Option<Digest> {
    let Fact::Opened { title, language, unix_ms } = &records.first()?.fact else { return None };
    let mut people: BTreeSet<ParticipantId> = BTreeSet::new();
    let mut collected: Vec<(u64, &String)> = Vec::new();
    let mut found = Digest {
        title: title.clone(),
        language: *language,
        opened_unix_ms: *unix_ms,
        ended: false,
        people: 0,
        methods: Vec::new(),
        questions: Vec::new(),
        themes: Vec::new(),
    };
    for record in records {
        match &record.fact {
            Fact::Joined { participant, .. } => _ = people.insert(*participant),
            Fact::MethodBegan { method, options } => {
                if found.methods.iter().all(|it| it.0 != method.id) {
                    found.methods.push((method.id.clone(), method.name.clone()));
                }
                if !options.question.is_empty() && !found.questions.contains(&options.question) {
                    found.questions.push(options.question.clone());
                }
            }
            Fact::Collected { entry, theme } => {
                collected.retain(|it| it.0 != *entry);
                collected.extend(theme.iter().map(|it| (*entry, it)));
            }
            Fact::Ended => found.ended = true,
            _ => (),
        }
    }
    found.people = people.len();
    for (_, theme) in collected {
        if !found.themes.contains(theme) {
            found.themes.push(theme.clone());
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{fact::Consent, time::SessionTime};

    #[test]
    fn a_session_is_found_by_its_board_as_it_stands() {
        let joined = |number| Fact::Joined {
            participant: ParticipantId(number),
            name: "Alice".into(),
            language: Language::Swedish,
            consent: Consent::On,
            tags: Default::default(),
        };
        let collected =
            |entry, theme: Option<&str>| Fact::Collected { entry, theme: theme.map(Into::into) };
        let facts = [
            Fact::Opened { title: "Kevät".into(), language: Language::Finnish, unix_ms: 9 },
            joined(1),
            joined(2),
            joined(1),
            collected(7, Some("Tiet")),
            collected(8, Some("Koulut")),
            collected(9, Some("Koulut")),
            collected(7, None),
            Fact::Ended,
        ];
        let record = |(seq, fact)| Record { seq, at: SessionTime::ZERO, fact };
        let records: Vec<_> = (1..).zip(facts).map(record).collect();
        let found = digest(&records).expect("a session");
        assert_eq!((found.people, found.ended, found.opened_unix_ms), (2, true, 9));
        assert_eq!(found.themes, ["Koulut"]);
        assert_eq!(digest(&records[1..]), None);
    }
}
