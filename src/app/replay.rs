//! A session's log told as a story, line by line, by taking it through the rules once more. It
//! changes nothing. Names and words are shown only when they are asked for.

use std::fmt::Write as _;

use crate::domain::{
    fact::{CommentOn, Consent, Fact, GapReason, Record},
    ideas::Change,
    ids::{ParticipantId, RoomId},
    language::Language,
    message::RoomView,
    method::Method,
    mixing::Keep,
    run::{Clock, StepBegan},
    session::Session,
};

/// What to show besides numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shown {
    /// Names and what was said or written.
    pub words: bool,
    pub language: Language,
}

/// The story, and at its end where everybody is. `None`: the records are no session's.
pub fn replay(records: &[Record], shown: Shown) -> Option<String> {
    let mut story = Story { shown, method: None, names: Default::default() };
    let mut text = String::new();
    let facts = records.iter().map(|it| (it.at, it.fact.clone()));
    let last = records.last()?.at;
    for record in records {
        let line = story.line(&record.fact);
        let _ = writeln!(text, "{}  {line}", record.at); // writing to a text cannot fail
    }
    let session = Session::restore(facts, last)?;
    let overview = session.overview(last);
    let _ = writeln!(text, "\nAt the end ({} facts):", records.len());
    if session.is_ended() {
        let _ = writeln!(text, "  the session is over");
    }
    if let (Some(run), Some(method)) = (&overview.run, &story.method) {
        let phase = method.phases.get(usize::from(run.place.phase));
        let phase = phase.map_or("?", |it| it.name.in_language(shown.language));
        let (round, of) = (run.place.round + 1, run.place.of);
        let _ = writeln!(text, "  {phase}, round {round} of {of}");
    }
    for RoomView { room, people, .. } in overview.rooms.iter().filter(|it| !it.people.is_empty()) {
        let people = people.iter().map(|it| it.participant);
        let _ = writeln!(text, "  {room}: {}", story.people(people));
    }
    Some(text)
}

struct Story {
    shown: Shown,
    method: Option<std::sync::Arc<Method>>,
    names: std::collections::BTreeMap<ParticipantId, String>,
}

impl Story {
    fn line(&mut self, fact: &Fact) -> String {
        match fact {
            Fact::Opened { title, language, .. } => {
                format!("the session opens, in {}{}", language.code(), self.words(title))
            }
            Fact::Joined { participant, name, language, consent, tags } => {
                self.names.insert(*participant, name.clone());
                let tags: Vec<_> = tags.keys().map(String::as_str).collect();
                let tags =
                    if tags.is_empty() { String::new() } else { format!(", {}", tags.join(", ")) };
                let who = self.person(*participant);
                format!("{who} joins, {}, {}{tags}", language.code(), agreed(*consent))
            }
            Fact::Placed { participant, room: Some(room) } => {
                format!("{} is in {room}", self.person(*participant))
            }
            Fact::Placed { participant, room: None } => {
                format!("{} leaves", self.person(*participant))
            }
            Fact::ConsentSet { participant, consent } => {
                format!("{} is {}", self.person(*participant), agreed(*consent))
            }
            Fact::LanguageSet { participant, spoken } => {
                let who = self.person(*participant);
                let how = if spoken.is_by_ear() { "by ear, at first in" } else { "in" };
                format!("{who} is heard {how} {}", spoken.language().code())
            }
            Fact::TranscriptionSet { room, by, on } => {
                let who = by.map_or("a host".to_owned(), |it| self.person(it));
                let place = room.map_or("all rooms".to_owned(), |it| it.to_string());
                let turns = if *on { "on" } else { "off" };
                format!("{who} turns the writing down {turns} in {place}")
            }
            Fact::Struck { participant, span } => {
                format!(
                    "{} takes back what they said since {}",
                    self.person(*participant),
                    span.start
                )
            }
            Fact::RoomsOpened { count } => format!("{count} breakout rooms are open"),
            Fact::MethodBegan { method, options } => {
                self.method = Some(method.clone());
                let name = method.name.in_language(self.shown.language);
                format!("{name} begins{}", self.words(&options.question))
            }
            Fact::StepBegan(began) => self.step(began),
            Fact::ClockSet { clock } => match clock {
                Clock::Running { ends: Some(ends) } => format!("the phase ends at {ends}"),
                Clock::Running { ends: None } => "the phase ends when the host says".to_owned(),
                Clock::Paused { .. } => "the clock is paused".to_owned(),
            },
            Fact::TurnPassed { room, to: Some(to) } => {
                format!("{room}: it is the turn of {}", self.person(*to))
            }
            Fact::TurnPassed { room, to: None } => format!("{room}: everybody has had a turn"),
            Fact::Seated { participant, on } => {
                let does = if *on { "takes a seat" } else { "leaves the seat" };
                format!("{} {does}", self.person(*participant))
            }
            Fact::RoleGiven { participant, role } => {
                format!("{} is {}", self.person(*participant), self.role(*role))
            }
            Fact::Typed { participant, room, .. } => {
                format!("{} types on the sheet of {room}", self.person(*participant))
            }
            Fact::Wrote { participant, room, text, .. } => {
                format!("{} writes in {room}{}", self.person(*participant), self.words(text))
            }
            Fact::Scored { participant, card, score } => {
                let score = if self.shown.words { score.to_string() } else { "a score".to_owned() };
                let (who, whose) = (self.person(*participant), self.person(*card));
                format!("{who} gives {score} to the card of {whose}")
            }
            Fact::Ideas(change) => self.idea(change),
            Fact::MethodEnded => "the method is over; all are together".to_owned(),
            Fact::Kept { participants, rule } => {
                let rule = match rule {
                    Keep::Apart => "are kept apart",
                    Keep::Together => "are kept together",
                    Keep::AsItComes => "go as it comes",
                };
                format!("{} {rule}", self.people(participants.iter().copied()))
            }
            Fact::Pinned { participant, room: Some(room) } => {
                format!("{} stays in {room}", self.person(*participant))
            }
            Fact::Pinned { participant, room: None } => {
                format!("{} goes where they are put", self.person(*participant))
            }
            Fact::Said { participant, room, span, text, .. } => {
                let who = self.person(*participant);
                format!("{who} says in {room} at {}{}", span.start, self.words(text))
            }
            Fact::Unheard { participant, room, reason: GapReason::Struck, .. } => {
                format!("{} says in {room} what they took back later", self.person(*participant))
            }
            Fact::Unheard { participant, room, .. } => {
                format!("{} says in {room} what nobody wrote down", self.person(*participant))
            }
            Fact::Posted { participant, room, text } => {
                format!("{} posts in {room}{}", self.person(*participant), self.words(text))
            }
            Fact::BelongsTo { tenant } => format!("it belongs to {tenant}"),
            Fact::GlossarySet { text } => {
                format!("a host says which words to expect{}", self.words(text))
            }
            Fact::Broadcast { text } => format!("a host writes to all{}", self.words(text)),
            Fact::Called { participant, room } => {
                format!("{} calls for help in {room}", self.person(*participant))
            }
            Fact::CallSeen { participant } => {
                format!("a host has seen the call of {}", self.person(*participant))
            }
            Fact::CallEnded { participant } => {
                format!("the call of {} is over", self.person(*participant))
            }
            Fact::Marked { by, of, at, mark, on } => {
                let does = if *on { "marks" } else { "no longer marks" };
                let (by, of) = (self.person(*by), self.person(*of));
                format!("{by} {does} what {of} began at {at} as {}", mark.code())
            }
            Fact::Collected { entry, theme: Some(theme) } => {
                format!("record {entry} is put on the board{}", self.words(theme))
            }
            Fact::Collected { entry, theme: None } => {
                format!("record {entry} is taken off the board")
            }
            Fact::Commented { on: CommentOn::Entry(entry), text, .. } => {
                format!("a reviewer comments on record {entry}{}", self.words(text))
            }
            Fact::Commented { on: CommentOn::Theme(theme), text, .. } => {
                let theme = self.words(theme);
                format!("a reviewer comments on a theme of the board{theme}{}", self.words(text))
            }
            Fact::Ended => "the session ends".to_owned(),
        }
    }

    fn idea(&self, change: &Change) -> String {
        match change {
            Change::Written { idea, by, room, text, from, .. } => {
                let from: Vec<_> = from.iter().map(|it| it.0.to_string()).collect();
                let of = match from.is_empty() {
                    true => String::new(),
                    false => format!(" of {}", from.join(", ")),
                };
                let (who, words) = (self.person(*by), self.words(text));
                format!("{who} writes idea {} in {room}{of}{words}", idea.0)
            }
            Change::Removed { idea, by } => {
                format!("{} takes idea {} away", self.person(*by), idea.0)
            }
            Change::Chosen { idea, by, on } => {
                let does = if *on { "chooses" } else { "no longer chooses" };
                format!("{} {does} idea {}", self.person(*by), idea.0)
            }
            Change::Voted { by, idea, votes } if self.shown.words => {
                format!("{} gives idea {} {votes} votes", self.person(*by), idea.0)
            }
            Change::Voted { by, .. } => format!("{} votes", self.person(*by)),
            Change::Struck { idea, by } => {
                format!("{} takes back the words of idea {}", self.person(*by), idea.0)
            }
            Change::Grouped { idea, group: Some(group) } => {
                format!("a host puts idea {} into a group{}", idea.0, self.words(group))
            }
            Change::Grouped { idea, group: None } => {
                format!("a host takes idea {} out of its group", idea.0)
            }
        }
    }

    fn step(&self, began: &StepBegan) -> String {
        let phases = self.method.as_ref().map(|it| &it.phases);
        let phase = phases.and_then(|it| it.get(usize::from(began.place.phase)));
        let name = phase.map_or("?", |it| it.name.in_language(self.shown.language));
        let (round, of) = (began.place.round + 1, began.place.of);
        let length = began.length_ms.map_or("until the host goes on".to_owned(), |ms| {
            format!("{} min {:02} s", ms / 60_000, ms / 1000 % 60)
        });
        let mut text = format!("{name}, round {round} of {of}, {length}");
        match &began.rooms {
            None => text.push_str(", nobody moves"),
            Some(rooms) if rooms.iter().all(Vec::is_empty) => text.push_str(", all together"),
            Some(rooms) => {
                for (people, number) in rooms.iter().zip(1..).filter(|it| !it.0.is_empty()) {
                    let (room, people) =
                        (RoomId::Breakout(number), self.people(people.iter().copied()));
                    let _ = write!(text, "\n                 {room}: {people}");
                }
            }
        }
        text
    }

    fn role(&self, role: Option<u16>) -> String {
        let roles = self.method.as_ref().map(|it| &it.roles);
        let role = roles.zip(role).and_then(|(roles, it)| roles.get(usize::from(it)));
        role.map_or("without a role".to_owned(), |it| {
            it.name.in_language(self.shown.language).to_lowercase()
        })
    }

    fn people(&self, people: impl Iterator<Item = ParticipantId>) -> String {
        people.map(|it| self.person(it)).collect::<Vec<_>>().join(", ")
    }

    fn person(&self, participant: ParticipantId) -> String {
        let name = self.names.get(&participant).filter(|_| self.shown.words);
        name.map_or_else(|| participant.to_string(), Clone::clone)
    }

    fn words(&self, text: &str) -> String {
        if self.shown.words && !text.is_empty() { format!(": {text}") } else { String::new() }
    }
}

fn agreed(consent: Consent) -> &'static str {
    match consent {
        Consent::On => "on the record",
        Consent::OffTheRecord => "off the record",
        Consent::Declined => "not to be written down",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::SessionTime;

    fn records() -> Vec<Record> {
        let alice = ParticipantId(1);
        let facts = [
            Fact::Opened { title: "Kevät".into(), language: Language::Finnish, unix_ms: 0 },
            Fact::Joined {
                participant: alice,
                name: "Alice".into(),
                language: Language::Finnish,
                consent: Consent::On,
                tags: Default::default(),
            },
            Fact::Placed { participant: alice, room: Some(RoomId::Main) },
            Fact::Wrote {
                participant: alice,
                room: RoomId::Main,
                text: "Pyöriä".into(),
                parts: Vec::new(),
            },
        ];
        let record = |(seq, fact)| Record { seq, at: SessionTime(seq * 1000), fact };
        (1..).zip(facts).map(record).collect()
    }

    #[test]
    fn names_and_words_are_shown_only_when_asked_for() {
        let quiet = replay(&records(), Shown::default()).unwrap();
        assert!(quiet.contains("0:00:02.000  p1 joins, fi, on the record"), "{quiet}");
        assert!(quiet.contains("  main: p1"), "{quiet}");
        for word in ["Alice", "Pyöriä", "Kevät"] {
            assert!(!quiet.contains(word), "{quiet}");
        }
        let told = replay(&records(), Shown { words: true, ..Shown::default() }).unwrap();
        assert!(told.contains("Alice writes in main: Pyöriä"), "{told}");
    }

    #[test]
    fn records_without_an_opening_are_no_session() {
        assert_eq!(replay(&records()[1..], Shown::default()), None);
        assert_eq!(replay(&[], Shown::default()), None);
    }
}
