//! Other names for people: the same person has the same code in every document of the session, as
//! long as the session's key exists, and nobody can come from the code to the name without it.
//!
//! Names are also taken out of what was said and written, as far as they can be found (`names`). What
//! people tell of themselves stays: this makes recognising harder, not impossible.

use std::collections::{BTreeMap, BTreeSet};

use ring::hmac;

use crate::{
    domain::ids::ParticipantId,
    notes::engine::{
        export::{Document, Look, words::Words},
        names::Names,
    },
};

/// Of one session. Whoever destroys it makes its codes names of nobody.
pub type Key = [u8; 32];

/// Without vowels, that no code becomes a word, and without what looks alike.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

impl Document {
    /// Codes in place of names, in lists and in texts; organisations and other tags left out.
    pub fn pseudonymised(mut self, key: &Key, look: Look) -> Document {
        let words = Words::in_language(look.language);
        let codes = codes(self.people.keys().copied(), key);
        let mut names = Names::default();
        for (id, person) in &mut self.people {
            let code = codes.get(id).cloned().unwrap_or_default();
            let name = std::mem::replace(&mut person.name, format!("{} {code}", words.person));
            person.tags.clear();
            names.add(&name, &code);
        }
        let hide = |text: &mut String| {
            if let Some(other) = names.hidden(text) {
                *text = other;
            }
        };
        self.lines.iter_mut().for_each(|it| hide(&mut it.text));
        hide(&mut self.title);
        for run in &mut self.runs {
            hide(&mut run.question);
            run.topics.iter_mut().for_each(hide);
            run.chosen.iter_mut().for_each(|(_, text)| hide(text));
            run.ranking.iter_mut().for_each(|it| hide(&mut it.text));
        }
        self.pseudonymous = true;
        self
    }
}

/// A code for one person who is to stand under none of their names. In few sessions two people have
/// the same.
pub fn code(key: &Key, who: ParticipantId) -> String {
    codes([who].into_iter(), key).remove(&who).unwrap_or_default()
}

/// A code for each, all different: longer where two would be the same.
fn codes(
    people: impl Iterator<Item = ParticipantId>,
    key: &Key,
) -> BTreeMap<ParticipantId, String> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let mut taken = BTreeSet::new();
    let mut codes = BTreeMap::new();
    for id in people {
        let tag = hmac::sign(&key, &id.0.to_be_bytes());
        let letters = tag.as_ref().iter().map(|it| {
            char::from(LETTERS.get(usize::from(*it) % LETTERS.len()).copied().unwrap_or(b'X'))
        });
        let letters: String = letters.collect();
        let code = (4..=letters.len()).filter_map(|length| letters.get(..length));
        let code = code.into_iter().find(|it| !taken.contains(*it)).unwrap_or(&letters);
        taken.insert(code.to_owned());
        codes.insert(id, code.to_owned());
    }
    codes
}
