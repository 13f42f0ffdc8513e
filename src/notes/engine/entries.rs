//! What search finds: everything said or written of a session, one **entry** each, made from the
//! facts of its log. Pure; never decides who may see it.
//!
//! What somebody wrote for themselves alone or in confidence is no entry, nor is a note of who has not
//! agreed that their words are kept: as in the documents (`export`). Cards and topics are shown without
//! a name, so theirs have none.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::domain::{
    fact::{Consent, Fact, GapReason, Record},
    ideas::{self, IdeaId},
    ids::{ParticipantId, RoomId, SessionId},
    language::Language,
    mark::Mark,
    message::Place,
    method::{Harvest, Method, Phase},
    time::{SessionTime, Span},
};

/// How an entry came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Said,
    /// Written into a room's chat.
    Chat,
    /// Written by one person where the method asks for it.
    Note,
    /// What a room has written together.
    Line,
    Card,
    Topic,
    /// Written by one person, or combined by a room, on the way to what all choose.
    Idea,
    /// By a facilitator, to all.
    Broadcast,
}

impl Kind {
    pub const ALL: [Kind; 8] = [
        Kind::Said,
        Kind::Chat,
        Kind::Note,
        Kind::Line,
        Kind::Card,
        Kind::Topic,
        Kind::Idea,
        Kind::Broadcast,
    ];

    /// As it stands on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Kind::Said => "said",
            Kind::Chat => "chat",
            Kind::Note => "note",
            Kind::Line => "line",
            Kind::Card => "card",
            Kind::Topic => "topic",
            Kind::Idea => "idea",
            Kind::Broadcast => "broadcast",
        }
    }

    pub fn from_code(code: &str) -> Option<Kind> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}

/// Something said or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The place in the log of the fact that has its words.
    pub seq: u64,
    pub session: SessionId,
    /// `None`: a room's, a facilitator's, or nobody is to know whose.
    pub participant: Option<ParticipantId>,
    /// As given when joining; empty without a participant.
    pub name: String,
    pub room: RoomId,
    pub span: Span,
    /// When it began, in milliseconds since 1970.
    pub unix_ms: u64,
    pub language: Language,
    pub kind: Kind,
    /// The method that ran, its phase, and what was asked; empty when none did.
    pub method: String,
    pub phase: String,
    pub question: String,
    /// How many have set each of [`Mark::ALL`].
    pub marks: [u16; Mark::ALL.len()],
    pub text: String,
}

/// What a fact does to what can be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Put(Arc<Entry>),
    /// An entry there was is no more: another stands in its place.
    Remove {
        seq: u64,
    },
    /// An entry there was is to be in no file any more.
    Erase {
        seq: u64,
    },
}

/// One session as its facts tell it, as far as entries need it.
#[derive(Clone, Debug)]
pub struct Entries {
    session: SessionId,
    opened_unix_ms: u64,
    language: Language,
    people: BTreeMap<ParticipantId, Person>,
    run: Option<Run>,
    /// What can be marked, by whose it is and when it began.
    markable: BTreeMap<(ParticipantId, SessionTime), Arc<Entry>>,
    /// Places in the log of words that had been taken back when they were read.
    taken_back: Vec<u64>,
    /// Who has set which mark on what.
    marks: BTreeSet<(ParticipantId, SessionTime, Mark, ParticipantId)>,
    /// What stands on a paper now, by whose it is: the next text takes its place.
    papers: BTreeMap<Paper, u64>,
    ideas: BTreeMap<IdeaId, Idea>,
}

/// An idea as far as it is known, and whether it can be found.
#[derive(Clone, Debug)]
struct Idea {
    entry: Arc<Entry>,
    combined: bool,
    chosen: bool,
    found: bool,
}

#[derive(Clone, Debug)]
struct Person {
    name: String,
    language: Language,
    consent: Consent,
}

#[derive(Clone, Debug)]
struct Run {
    method: Arc<Method>,
    question: String,
    place: Option<Place>,
    /// So that a method run twice does not write over itself.
    number: u32,
}

/// Where somebody writes: on their own paper or their room's, in one phase of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Paper {
    run: u32,
    phase: u16,
    round: u16,
    whose: Whose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Whose {
    Person(ParticipantId),
    Room(RoomId),
}

impl Entries {
    pub fn new(session: SessionId) -> Self {
        Self {
            session,
            opened_unix_ms: 0,
            language: Language::default(),
            people: BTreeMap::new(),
            run: None,
            markable: BTreeMap::new(),
            taken_back: Vec::new(),
            marks: BTreeSet::new(),
            papers: BTreeMap::new(),
            ideas: BTreeMap::new(),
        }
    }

    /// The facts of the session in order, each once.
    pub fn apply(&mut self, record: Record, out: &mut Vec<Change>) {
        let Record { seq, at, fact } = record;
        match fact {
            Fact::Opened { language, unix_ms, .. } => {
                (self.language, self.opened_unix_ms) = (language, unix_ms);
            }
            Fact::Joined { participant, name, language, consent, .. } => {
                self.people.insert(participant, Person { name, language, consent });
            }
            Fact::ConsentSet { participant, consent } => {
                if let Some(person) = self.people.get_mut(&participant) {
                    person.consent = consent;
                }
            }
            Fact::LanguageSet { participant, spoken } => {
                if let Some(person) = self.people.get_mut(&participant) {
                    person.language = spoken.language();
                }
            }
            Fact::MethodBegan { method, options } => {
                let number = self.run.as_ref().map_or(0, |it| it.number + 1);
                let question = options.question;
                self.run = Some(Run { method, question, place: None, number });
            }
            Fact::StepBegan(began) => {
                if let Some(run) = &mut self.run {
                    run.place = Some(began.place);
                }
            }
            Fact::MethodEnded => {
                if let Some(run) = &mut self.run {
                    run.place = None;
                }
            }
            Fact::Said { participant, room, span, language, text, .. } => {
                let entry = self.entry(seq, Kind::Said, Some(participant), room, span, text);
                self.put(Entry { language, ..entry }, out);
            }
            Fact::Posted { participant, room, text } => {
                let span = Span::new(at, at);
                let entry = self.entry(seq, Kind::Chat, Some(participant), room, span, text);
                self.put(entry, out);
            }
            Fact::Unheard { reason: GapReason::Struck, .. } => self.taken_back.push(seq),
            Fact::Struck { participant, span } => self.struck(participant, span, out),
            Fact::Marked { by, of, at, mark, on } => self.marked(by, (of, at), mark, on, out),
            Fact::Broadcast { text } => {
                let span = Span::new(at, at);
                let entry = self.entry(seq, Kind::Broadcast, None, RoomId::Main, span, text);
                out.push(Change::Put(Arc::new(entry)));
            }
            Fact::Wrote { participant, room, text, .. } => {
                self.wrote(seq, at, (participant, room), text, out);
            }
            Fact::Ideas(change) => self.idea(seq, at, change, out),
            _ => (),
        }
    }

    /// Words are taken back: those put in here, and those that the log had taken out before they were
    /// read here, but perhaps not before they were put in by a reader before this one.
    fn struck(&mut self, participant: ParticipantId, span: Span, out: &mut Vec<Change>) {
        let mut seqs = std::mem::take(&mut self.taken_back);
        self.markable.retain(|at, entry| {
            let stays =
                at.0 != participant || entry.kind != Kind::Said || !entry.span.overlaps(span);
            if !stays {
                seqs.push(entry.seq);
            }
            stays
        });
        out.extend(seqs.into_iter().map(|seq| Change::Erase { seq }));
    }

    /// Something that people can mark.
    fn put(&mut self, mut entry: Entry, out: &mut Vec<Change>) {
        let Some(participant) = entry.participant else { return };
        let at = entry.span.start;
        // A mark may be in the log before the words it is set on, which took their time to come.
        entry.marks = self.counted((participant, at));
        let entry = Arc::new(entry);
        self.markable.insert((participant, at), Arc::clone(&entry));
        out.push(Change::Put(entry));
    }

    fn marked(
        &mut self,
        by: ParticipantId,
        (of, at): (ParticipantId, SessionTime),
        mark: Mark,
        on: bool,
        out: &mut Vec<Change>,
    ) {
        let changed = if on {
            self.marks.insert((of, at, mark, by))
        } else {
            self.marks.remove(&(of, at, mark, by))
        };
        if !changed {
            return;
        }
        let marks = self.counted((of, at));
        if let Some(entry) = self.markable.get_mut(&(of, at)) {
            *entry = Arc::new(Entry { marks, ..Entry::clone(entry) });
            out.push(Change::Put(Arc::clone(entry)));
        }
    }

    fn counted(&self, (of, at): (ParticipantId, SessionTime)) -> [u16; Mark::ALL.len()] {
        Mark::ALL.map(|mark| {
            let first = (of, at, mark, ParticipantId(0));
            let last = (of, at, mark, ParticipantId(u32::MAX));
            u16::try_from(self.marks.range(first..=last).count()).unwrap_or(u16::MAX)
        })
    }

    fn wrote(
        &mut self,
        seq: u64,
        at: SessionTime,
        (participant, room): (ParticipantId, RoomId),
        text: String,
        out: &mut Vec<Change>,
    ) {
        let Some((run, place, phase)) = self.asked() else { return };
        // What one writes in confidence stays there; what a room writes together is meant for all.
        if !phase.transcribe && phase.harvest != Harvest::Line {
            return;
        }
        let harvest = phase.harvest;
        let agreed = self.people.get(&participant).is_some_and(|it| it.consent == Consent::On);
        let (kind, by, whose) = match harvest {
            Harvest::Line => (Kind::Line, None, Whose::Room(room)),
            Harvest::Card => (Kind::Card, None, Whose::Person(participant)),
            Harvest::Note if agreed => (Kind::Note, Some(participant), Whose::Person(participant)),
            // Each is a topic of its own: nothing takes the place of another.
            Harvest::Topics => {
                let span = Span::new(at, at);
                let entry = self.entry(seq, Kind::Topic, None, room, span, text);
                out.push(Change::Put(Arc::new(entry)));
                return;
            }
            Harvest::Note
            | Harvest::Private
            | Harvest::Speech
            | Harvest::Score
            | Harvest::Ideas
            | Harvest::Votes => return,
        };
        // One's own paper stays before one from round to round.
        let round = if let Whose::Room(_) = whose { place.round } else { 0 };
        let paper = Paper { run, phase: place.phase, round, whose };
        if let Some(seq) = self.papers.remove(&paper) {
            out.push(Change::Remove { seq });
        }
        if !text.is_empty() {
            self.papers.insert(paper, seq);
            let entry = self.entry(seq, kind, by, room, Span::new(at, at), text);
            // Who wrote the room's words last says in which language they are, but not to whom.
            let language = self.people.get(&participant).map_or(self.language, |it| it.language);
            out.push(Change::Put(Arc::new(Entry { language, ..entry })));
        }
    }

    /// An idea of who agrees that their words are kept, of a room, or chosen for all, can be found; whose
    /// it is only of the first.
    fn idea(&mut self, seq: u64, at: SessionTime, change: ideas::Change, out: &mut Vec<Change>) {
        match change {
            ideas::Change::Written { idea, by, room, text, from, .. } => {
                let before = self.ideas.remove(&idea);
                if let Some(before) = before.as_ref().filter(|it| it.found) {
                    out.push(Change::Remove { seq: before.entry.seq });
                }
                let person = self.people.get(&by);
                let agreed = person.is_some_and(|it| it.consent == Consent::On);
                let language = person.map_or(self.language, |it| it.language);
                let combined = !from.is_empty() || before.as_ref().is_some_and(|it| it.combined);
                let chosen = before.is_some_and(|it| it.chosen);
                let found = !text.is_empty() && (agreed || combined || chosen);
                let named = (agreed && !combined).then_some(by);
                let entry = self.entry(seq, Kind::Idea, named, room, Span::new(at, at), text);
                let entry = Arc::new(Entry { language, ..entry });
                if found {
                    out.push(Change::Put(Arc::clone(&entry)));
                }
                self.ideas.insert(idea, Idea { entry, combined, chosen, found });
            }
            ideas::Change::Removed { idea, .. } => {
                // As when its words are struck: whether or not it can be found now.
                if let Some(it) = self.ideas.remove(&idea) {
                    out.push(Change::Erase { seq: it.entry.seq });
                }
            }
            ideas::Change::Chosen { idea, on, .. } => {
                let Some(it) = self.ideas.get_mut(&idea) else { return };
                it.chosen = on;
                if on && !it.found && !it.entry.text.is_empty() {
                    it.found = true;
                    out.push(Change::Put(Arc::clone(&it.entry)));
                }
            }
            ideas::Change::Struck { idea, .. } => {
                let Some(it) = self.ideas.get_mut(&idea).filter(|it| !it.combined) else { return };
                // Whether or not it can be found now: the log may have lost the words before they
                // were taken out of the index.
                out.push(Change::Erase { seq: it.entry.seq });
                it.entry = Arc::new(Entry { text: String::new(), ..(*it.entry).clone() });
                it.found = false;
            }
            ideas::Change::Grouped { .. } | ideas::Change::Voted { .. } => (),
        }
    }

    fn asked(&self) -> Option<(u32, Place, Phase)> {
        let run = self.run.as_ref()?;
        let place = run.place?;
        let phase = run.method.phases.get(usize::from(place.phase))?;
        Some((run.number, place, phase.clone()))
    }

    fn entry(
        &self,
        seq: u64,
        kind: Kind,
        participant: Option<ParticipantId>,
        room: RoomId,
        span: Span,
        text: String,
    ) -> Entry {
        let person = participant.and_then(|it| self.people.get(&it));
        let (method, phase, question) = match &self.run {
            Some(Run { method, question, place: Some(place), .. }) => {
                let phase = method.phases.get(usize::from(place.phase));
                let phase = phase.map(|it| it.id.clone()).unwrap_or_default();
                (method.id.clone(), phase, question.clone())
            }
            _ => Default::default(),
        };
        Entry {
            seq,
            session: self.session,
            participant,
            name: person.map(|it| it.name.clone()).unwrap_or_default(),
            room,
            span,
            unix_ms: self.opened_unix_ms.saturating_add(span.start.as_ms()),
            language: person.map_or(self.language, |it| it.language),
            kind,
            method,
            phase,
            question,
            marks: [0; Mark::ALL.len()],
            text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::run::{RunOptions, StepBegan};

    const ALICE: ParticipantId = ParticipantId(1);
    const BOB: ParticipantId = ParticipantId(2);
    const ROOM: RoomId = RoomId::Breakout(1);

    /// The facts of a session that runs the café with `harvest` in its first phase; then `facts`.
    /// What can be found at the end: kind, name and text.
    fn check(harvest: Harvest, consent: Consent, facts: Vec<Fact>, expect: &[&str]) {
        let joined = |participant, name: &str, consent| Fact::Joined {
            participant,
            name: name.to_owned(),
            language: Language::Finnish,
            consent,
            tags: BTreeMap::new(),
        };
        let mut all = vec![
            Fact::Opened { title: "Kevät".into(), language: Language::Finnish, unix_ms: 1_000 },
            joined(ALICE, "Alice", consent),
            joined(BOB, "Bob", Consent::On),
            Fact::MethodBegan {
                method: Arc::new(method(harvest)),
                options: RunOptions { question: "Miten?".into(), ..RunOptions::default() },
            },
            Fact::StepBegan(StepBegan {
                place: Place { phase: 0, round: 0, of: 1 },
                length_ms: None,
                rooms: None,
                ahead: Vec::new(),
                roles: Vec::new(),
                cards: Vec::new(),
            }),
        ];
        all.extend(facts);
        let mut entries = Entries::new(SessionId::new(1, 1));
        let mut changes = Vec::new();
        for (seq, fact) in (1..).zip(all) {
            entries.apply(Record { seq, at: SessionTime(seq), fact }, &mut changes);
        }
        let mut found = BTreeMap::new();
        for change in changes {
            match change {
                Change::Put(entry) => _ = found.insert(entry.seq, entry),
                Change::Remove { seq } | Change::Erase { seq } => _ = found.remove(&seq),
            }
        }
        let told: Vec<String> = found
            .values()
            .map(|it| format!("{} {}: {}", it.kind.code(), it.name, it.text))
            .collect();
        assert_eq!(told, expect, "{harvest:?} {consent:?}");
        assert!(found.values().all(|it| it.phase == "alone" && it.question == "Miten?"));
    }

    fn method(harvest: Harvest) -> Method {
        use crate::domain::method::{Advance, Aim, Assign, People, Phase, Source, Text, Turns};
        let text = |it: &str| Text { fi: it.into(), sv: it.into(), en: it.into() };
        Method {
            id: "alone-together".into(),
            name: text("Yksin"),
            purpose: text("Kirjoittaa."),
            description: text("Kirjoitetaan."),
            aims: vec![Aim::Ideas],
            people: People { min: 2, max: 300, ideal: 20 },
            roles: vec![],
            rules: vec![],
            cycles: vec![],
            phases: vec![Phase {
                id: "alone".into(),
                name: text("Yksin"),
                instruction: text("Kirjoita."),
                script: text("Kirjoittakaa."),
                assign: Assign::Same,
                size: None,
                size_min: None,
                size_max: None,
                rooms_of: None,
                seats: None,
                choose: None,
                vote: None,
                scribe: None,
                length_s: None,
                length_s_per_person: None,
                rounds: 1,
                cycle: None,
                turns: Turns::Free,
                speaking: vec![],
                harvest,
                advance: Advance::Host,
                transcribe: true,
                balance: true,
                colour: None,
            }],
            source: Source { by: "Vuoro".into(), url: String::new() },
        }
    }

    fn wrote(participant: ParticipantId, text: &str) -> Fact {
        Fact::Wrote { participant, room: ROOM, text: text.into(), parts: Vec::new() }
    }

    #[test]
    fn what_is_written_last_stands_and_only_that() {
        let facts = || vec![wrote(ALICE, "Tie"), wrote(BOB, "Puu"), wrote(ALICE, "Tie kuntoon")];
        let (on, off) = (Consent::On, Consent::OffTheRecord);
        check(Harvest::Note, on, facts(), &["note Bob: Puu", "note Alice: Tie kuntoon"]);
        check(Harvest::Note, off, facts(), &["note Bob: Puu"]);
        check(Harvest::Private, on, facts(), &[]);
        check(Harvest::Card, on, facts(), &["card : Puu", "card : Tie kuntoon"]);
        check(Harvest::Line, off, facts(), &["line : Tie kuntoon"]);
        check(Harvest::Topics, on, facts(), &["topic : Tie", "topic : Puu", "topic : Tie kuntoon"]);
        check(Harvest::Note, on, vec![wrote(BOB, "Puu"), wrote(BOB, "")], &[]);
    }

    #[test]
    fn ideas_are_found_as_they_stand_with_the_name_of_who_lets_it_be_known() {
        let idea = |idea: u32, by, text: &str, from: &[u32]| {
            let from = from.iter().map(|it| IdeaId(*it)).collect();
            let (idea, text) = (IdeaId(idea), text.to_owned());
            let open = true;
            Fact::Ideas(ideas::Change::Written { idea, by, room: ROOM, open, text, from })
        };
        let facts = || {
            vec![
                idea(1, ALICE, "puu", &[]),
                idea(2, BOB, "penkki", &[]),
                idea(1, ALICE, "tammi", &[]),
                idea(3, ALICE, "varjo", &[1, 2]),
                idea(3, BOB, "varjoa", &[]),
                idea(4, BOB, "ei", &[]),
                Fact::Ideas(ideas::Change::Removed { idea: IdeaId(4), by: BOB }),
            ]
        };
        let (on, off) = (Consent::On, Consent::OffTheRecord);
        let all = ["idea Bob: penkki", "idea Alice: tammi", "idea : varjoa"];
        check(Harvest::Ideas, on, facts(), &all);
        check(Harvest::Ideas, off, facts(), &["idea Bob: penkki", "idea : varjoa"]);
        let mut chosen = facts();
        chosen.push(Fact::Ideas(ideas::Change::Chosen { idea: IdeaId(1), by: BOB, on: true }));
        let all = ["idea Bob: penkki", "idea : tammi", "idea : varjoa"];
        check(Harvest::Ideas, off, chosen, &all);
    }

    #[test]
    fn a_mark_may_come_before_its_words() {
        let span = Span::new(SessionTime(50), SessionTime(90));
        let said = Fact::Said {
            participant: ALICE,
            room: ROOM,
            span,
            language: Language::Swedish,
            text: "Hej".into(),
            words: vec![],
        };
        let at = span.start;
        let mark = Fact::Marked { by: BOB, of: ALICE, at, mark: Mark::Worry, on: true };
        let session = SessionId::new(1, 1);
        let mut told = Vec::new();
        for order in [[mark.clone(), said.clone()], [said, mark]] {
            let mut entries = Entries::new(session);
            let mut changes = Vec::new();
            for (seq, fact) in (1..).zip(order) {
                entries.apply(Record { seq, at: SessionTime(seq), fact }, &mut changes);
            }
            let Some(Change::Put(entry)) = changes.last() else { panic!("{changes:?}") };
            told.push((entry.language, entry.marks));
        }
        assert_eq!(told, [(Language::Swedish, [0, 0, 0, 1, 0, 0]); 2]);
    }

    #[test]
    fn words_taken_back_are_erased_and_others_stay() {
        let span = |from, to| Span::new(SessionTime(from), SessionTime(to));
        let said = |participant, span, text: &str| Fact::Said {
            participant,
            room: ROOM,
            span,
            language: Language::Finnish,
            text: text.to_owned(),
            words: vec![],
        };
        let facts = vec![
            said(ALICE, span(1_000, 9_000), "early"),
            said(ALICE, span(59_000, 61_000), "half in it"),
            said(BOB, span(70_000, 71_000), "Bob's"),
            said(ALICE, span(80_000, 81_000), "late"),
            Fact::Struck { participant: ALICE, span: span(60_000, 120_000) },
        ];
        check(Harvest::Speech, Consent::On, facts, &["said Alice: early", "said Bob: Bob's"]);
        // Read when the log had taken them out already: whoever put them in is told all the same.
        let mut entries = Entries::new(SessionId::new(1, 1));
        let mut changes = Vec::new();
        let (participant, reason) = (ALICE, GapReason::Struck);
        let gone = Fact::Unheard { participant, room: ROOM, span: span(1, 2), reason };
        let struck = Fact::Struck { participant, span: span(0, 9) };
        for (seq, fact) in [(7, gone), (8, struck)] {
            entries.apply(Record { seq, at: SessionTime(9), fact }, &mut changes);
        }
        assert_eq!(changes, [Change::Erase { seq: 7 }]);

        // So with an idea that was taken away, whose words the log has no more either.
        changes.clear();
        let idea = IdeaId(1);
        let (text, from) = (String::new(), Vec::new());
        let written =
            ideas::Change::Written { idea, by: ALICE, room: ROOM, open: true, text, from };
        let removed = ideas::Change::Removed { idea, by: ALICE };
        for (seq, change) in [(9, written), (10, removed)] {
            let fact = Fact::Ideas(change);
            entries.apply(Record { seq, at: SessionTime(9), fact }, &mut changes);
        }
        assert_eq!(changes, [Change::Erase { seq: 9 }]);
    }
}
