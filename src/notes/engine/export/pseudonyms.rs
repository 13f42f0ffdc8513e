//! Other names and numbers for people (`codes`), in lists and in texts. Names are taken out of what was
//! said and written as far as they can be found (`names`). What people tell of themselves stays: this
//! makes recognising harder, not impossible.

use std::collections::BTreeMap;

use crate::{
    domain::ids::ParticipantId,
    notes::engine::{
        codes::{Key, codes, numbers},
        export::{CommentOn, Document, Look, words::Words},
        names::Names,
    },
};

impl Document {
    /// A code for each who has no name in it because they do not agree to be named.
    pub fn with_codes(mut self, key: &Key, look: Look) -> Document {
        let words = Words::in_language(look.language);
        let mut codes = codes(self.people.keys().copied(), key);
        for (id, person) in self.people.iter_mut().filter(|it| it.1.name.is_empty()) {
            person.name = format!("{} {}", words.person, codes.remove(id).unwrap_or_default());
        }
        self
    }

    /// Codes in place of names, in lists and in texts; organisations and other tags left out.
    pub fn pseudonymised(mut self, key: &Key, look: Look) -> Document {
        let words = Words::in_language(look.language);
        let numbers = numbers(self.people.keys().copied(), key);
        let codes = codes(self.people.keys().copied(), key);
        let codes: BTreeMap<_, _> =
            codes.into_iter().filter_map(|(id, it)| Some((*numbers.get(&id)?, it))).collect();
        self.renumber(&numbers);
        let mut names = Names::default();
        for (id, person) in &mut self.people {
            let code = codes.get(id).cloned().unwrap_or_default();
            let name = std::mem::replace(&mut person.name, format!("{} {code}", words.person));
            person.tags.clear();
            names.add(&name, &code);
            let before = std::mem::take(&mut person.names_before);
            before.iter().for_each(|it| names.add(it, &code));
        }
        let hide = |text: &mut String| {
            if let Some(other) = names.hidden(text) {
                *text = other;
            }
        };
        self.lines.iter_mut().for_each(|it| hide(&mut it.text));
        hide(&mut self.title);
        self.board.iter_mut().for_each(|it| hide(&mut it.0));
        self.pilots.values_mut().for_each(|it| {
            it.told.iter_mut().flat_map(|it| &mut it.lines).for_each(hide);
        });
        for comment in &mut self.comments {
            // Reviewers are people too, and no codes are kept of them.
            comment.name.clear();
            hide(&mut comment.text);
            if let CommentOn::Theme(theme) = &mut comment.on {
                hide(theme);
            }
        }
        for run in &mut self.runs {
            hide(&mut run.question);
            run.topics.iter_mut().for_each(hide);
            run.chosen.iter_mut().for_each(|(_, text)| hide(text));
            for idea in &mut run.ideas {
                hide(&mut idea.text);
                idea.group.iter_mut().for_each(hide);
                idea.from.iter_mut().for_each(|it| hide(&mut it.text));
            }
            run.ranking.iter_mut().for_each(|it| hide(&mut it.text));
        }
        self.pseudonymous = true;
        self
    }

    /// Whoever knows in which order people came must not find them by it.
    fn renumber(&mut self, numbers: &BTreeMap<ParticipantId, ParticipantId>) {
        let number = |id: ParticipantId| numbers.get(&id).copied();
        let people = std::mem::take(&mut self.people).into_iter();
        self.people = people.filter_map(|(id, it)| Some((number(id)?, it))).collect();
        self.lines.iter_mut().for_each(|it| it.who = it.who.and_then(number));
        for people in self.steps.iter_mut().flat_map(|it| it.rooms.values_mut()) {
            *people = people.iter().copied().filter_map(number).collect();
            people.sort_unstable();
        }
    }
}
