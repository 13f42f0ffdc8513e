//! From facts to the document. What one person wrote for themselves alone stays out of everybody's
//! document, and a card never learns who wrote it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    domain::{
        fact::{CommentOn, Consent, Fact, GapReason, Record},
        ideas::{Change, IdeaId},
        ids::{ParticipantId, RoomId, SessionId},
        method::{Harvest, Phase},
        rooms::regroup,
        run::Run,
        sheet::Part,
        time::{SessionTime, Span},
    },
    notes::engine::export::{Comment, Document, Kind, Line, MethodRun, Person, Step, clean},
};

/// The document for those who may read the session. `None`: the facts are no session's.
pub fn gather(session: SessionId, records: &[Record]) -> Option<Document> {
    Gathering::new(session, records, None)?.gather(records)
}

/// What one person said and wrote, also for themselves alone. Others stand in it with what they were
/// to the method: nobody else's name or word. `None`: the facts are no session's, or nobody in it has
/// that number.
pub fn gather_own(session: SessionId, records: &[Record], own: ParticipantId) -> Option<Document> {
    let mut document = Gathering::new(session, records, Some(own))?.gather(records)?;
    document.people.retain(|id, _| *id == own);
    document.steps.iter_mut().for_each(|step| {
        step.rooms.values_mut().for_each(|people| people.retain(|it| *it == own));
        step.rooms.retain(|_, people| !people.is_empty());
    });
    for run in &mut document.runs {
        run.chosen.clear();
        run.ideas.clear();
        run.ranking.clear();
        run.topics.clear();
    }
    // What others say of their words is those others'.
    document.board.clear();
    document.comments.clear();
    document.people.contains_key(&own).then_some(document)
}

/// What a later text takes the place of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    run: usize,
    phase: u16,
    round: u16,
    of: Owner,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    Person(ParticipantId),
    Room(RoomId),
    Idea(IdeaId),
}

struct Gathering {
    document: Document,
    own: Option<ParticipantId>,
    rooms: BTreeMap<ParticipantId, RoomId>,
    consents: BTreeMap<ParticipantId, Consent>,
    running: Option<Run>,
    written: BTreeMap<Slot, Line>,
    /// Ideas that a room made of others.
    combined: BTreeSet<IdeaId>,
    /// What is on the board, last put there last.
    collected: Vec<(u64, String)>,
}

impl Gathering {
    fn new(session: SessionId, records: &[Record], own: Option<ParticipantId>) -> Option<Self> {
        let Fact::Opened { title, language, unix_ms } = &records.first()?.fact else { return None };
        Some(Gathering {
            document: Document {
                session,
                title: clean(title),
                language: *language,
                opened_unix_ms: *unix_ms,
                ended: false,
                length_ms: records.last()?.at.as_ms(),
                people: BTreeMap::new(),
                runs: Vec::new(),
                steps: Vec::new(),
                lines: Vec::new(),
                board: Vec::new(),
                comments: Vec::new(),
                pilots: BTreeMap::new(),
                pseudonymous: false,
                selected: false,
                brief: false,
            },
            own,
            rooms: BTreeMap::new(),
            consents: BTreeMap::new(),
            running: None,
            written: BTreeMap::new(),
            combined: BTreeSet::new(),
            collected: Vec::new(),
        })
    }

    fn gather(mut self, records: &[Record]) -> Option<Document> {
        records.iter().for_each(|record| self.take(record));
        let end = SessionTime(self.document.length_ms);
        self.end_step(end);
        self.end_run();
        self.lay_board();
        let Document { lines, steps, .. } = &mut self.document;
        lines.extend(std::mem::take(&mut self.written).into_values());
        for line in lines.iter_mut() {
            line.step = step_at(steps, line.span.start);
        }
        lines.sort_by_key(|it| (it.step, it.room, it.span.start, it.seq));
        if self.own.is_none() {
            self.leave_unnamed();
        }
        Some(self.document)
    }

    /// Who does not agree stands in lists of who sat where all the same, but not under their name. Who
    /// agreed once is named at what they said then, and so everywhere.
    fn leave_unnamed(&mut self) {
        let named: BTreeSet<_> = self.document.lines.iter().filter_map(|it| it.who).collect();
        for (id, person) in &mut self.document.people {
            if self.consents.get(id) != Some(&Consent::On) && !named.contains(id) {
                person.names_before.insert(std::mem::take(&mut person.name));
                person.tags.clear();
            }
        }
    }

    fn take(&mut self, record: &Record) {
        let at = record.at;
        match &record.fact {
            Fact::Joined { participant, name, language, consent, tags } => {
                let tags = tags.iter().map(|(kind, tag)| (clean(kind), clean(tag))).collect();
                let before = self.document.people.remove(participant);
                let mut names_before = before.map_or(BTreeSet::new(), |it| {
                    it.names_before.into_iter().chain([it.name]).collect()
                });
                let name = clean(name);
                names_before.remove(&name);
                let person = Person { name, names_before, language: *language, tags };
                self.document.people.insert(*participant, person);
                self.consents.insert(*participant, *consent);
            }
            Fact::ConsentSet { participant, consent } => {
                self.consents.insert(*participant, *consent);
            }
            Fact::LanguageSet { participant, spoken } => {
                if let Some(person) = self.document.people.get_mut(participant) {
                    person.language = spoken.language();
                }
            }
            Fact::Placed { participant, room: Some(room) } => {
                self.rooms.insert(*participant, *room);
                if let Some(run) = &mut self.running {
                    run.comes(*participant, *room);
                }
            }
            Fact::Placed { participant, room: None } => _ = self.rooms.remove(participant),
            Fact::MethodBegan { method, options } => {
                self.end_step(at);
                self.end_run();
                self.document.runs.push(MethodRun {
                    method: method.clone(),
                    question: clean(&options.question),
                    topics: options.topics.iter().map(|it| clean(it)).collect(),
                    chosen: Vec::new(),
                    ranking: Vec::new(),
                    ideas: Vec::new(),
                });
                self.running = Some(Run::new(method.clone(), options.clone()));
            }
            Fact::StepBegan(began) => self.step(at, began),
            Fact::MethodEnded => {
                self.end_step(at);
                self.end_run();
                regroup(&mut self.rooms, &[]);
            }
            Fact::Scored { participant, card, score } => {
                if let Some(run) = &mut self.running {
                    run.score(*participant, *card, *score);
                }
            }
            Fact::Wrote { participant, room, text, parts } => {
                self.wrote(record.seq, at, (*participant, *room), (text, parts));
            }
            Fact::Ideas(change) => self.idea(record.seq, at, change),
            Fact::Said { participant, room, span, language, text, words } => self.line(Line {
                language: Some(*language),
                span: *span,
                words: words.clone(),
                ..line(record.seq, Kind::Said, Some(*participant), *room, at, text)
            }),
            // Nobody else need know of what was taken back, nor how often.
            Fact::Unheard { reason: GapReason::Struck, .. } => (),
            Fact::Unheard { participant, room, span, .. } => self.line(Line {
                span: *span,
                ..line(record.seq, Kind::Unheard, Some(*participant), *room, at, "")
            }),
            Fact::Posted { participant, room, text } => {
                self.line(line(record.seq, Kind::Post, Some(*participant), *room, at, text));
            }
            Fact::Broadcast { text } => {
                self.line(line(record.seq, Kind::Broadcast, None, RoomId::Main, at, text));
            }
            Fact::Collected { entry, theme } => {
                self.collected.retain(|it| it.0 != *entry);
                self.collected.extend(theme.as_deref().map(|it| (*entry, clean(it))));
            }
            Fact::Commented { on, name, unix_ms, text } => {
                let on = match on {
                    CommentOn::Entry(seq) => CommentOn::Entry(*seq),
                    CommentOn::Theme(theme) => CommentOn::Theme(clean(theme)),
                };
                let (name, text, unix_ms) = (clean(name), clean(text), *unix_ms);
                self.document.comments.push(Comment { on, name, unix_ms, text });
            }
            Fact::Ended => self.document.ended = true,
            _ => (),
        }
    }

    /// Themes in the order of their coming, and those that are only spoken of.
    fn lay_board(&mut self) {
        let Document { board, comments, .. } = &mut self.document;
        let themes = comments.iter().filter_map(|it| match &it.on {
            CommentOn::Theme(theme) => Some((None, theme.clone())),
            CommentOn::Entry(_) => None,
        });
        let collected = std::mem::take(&mut self.collected).into_iter();
        for (entry, theme) in collected.map(|(seq, theme)| (Some(seq), theme)).chain(themes) {
            match board.iter_mut().find(|it| it.0 == theme) {
                Some((_, entries)) => entries.extend(entry),
                None => board.push((theme, entry.into_iter().collect())),
            }
        }
    }

    /// Keeps a line that whoever reads may see.
    fn line(&mut self, line: Line) {
        if self.own.is_none() || (self.own == line.who && line.who.is_some()) {
            self.document.lines.push(line);
        }
    }

    fn step(&mut self, at: SessionTime, began: &crate::domain::run::StepBegan) {
        self.end_step(at);
        if let Some(rooms) = &began.rooms {
            regroup(&mut self.rooms, rooms);
        }
        let Some(run) = &mut self.running else { return };
        let mut people: BTreeMap<RoomId, Vec<ParticipantId>> = BTreeMap::new();
        for (id, room) in &self.rooms {
            people.entry(*room).or_default().push(*id);
        }
        run.begin(at, began, &people);
        self.document.steps.push(Step {
            run: self.document.runs.len().saturating_sub(1),
            place: began.place,
            span: Span::new(at, SessionTime(u64::MAX)),
            rooms: people,
        });
    }

    /// As the session does it: into the rooms given, and everybody else into the main one.
    fn wrote(
        &mut self,
        seq: u64,
        at: SessionTime,
        (who, room): (ParticipantId, RoomId),
        (text, parts): (&str, &[Part]),
    ) {
        let Some(run) = &mut self.running else { return };
        let Some((phase, place)) = run.phase().cloned().zip(run.place()) else { return };
        run.write(who, room, (text, parts));
        let Some(kind) = kind(&phase) else { return };
        let alone = phase.harvest == Harvest::Private || !phase.transcribe;
        // Of a sheet one's own document has what one wrote on it, whoever changed it last.
        let own_parts = self.own.filter(|_| !parts.is_empty()).map(|it| parts_of(it, text, parts));
        let is_own = self.own == Some(who) || own_parts.is_some();
        let text = own_parts.as_deref().unwrap_or(text);
        if (alone && kind != Kind::Line && !is_own) || (self.own.is_some() && !is_own) {
            return;
        }
        let agreed = self.consents.get(&who) == Some(&Consent::On);
        let shown = match kind {
            // A room's line and a card are of nobody; a note is kept of who agrees to that.
            Kind::Note if !agreed && !is_own => return,
            Kind::Card | Kind::Line | Kind::Topic if !is_own => None,
            _ => Some(self.own.unwrap_or(who)),
        };
        let line = line(seq, kind, shown, room, at, text);
        if kind == Kind::Topic {
            self.document.lines.push(line);
            return;
        }
        let slot = Slot {
            run: self.document.runs.len(),
            phase: place.phase,
            round: if kind == Kind::Line { place.round } else { 0 },
            of: if kind == Kind::Line { Owner::Room(room) } else { Owner::Person(who) },
        };
        match line.text.is_empty() {
            true => self.written.remove(&slot),
            false => self.written.insert(slot, line),
        };
    }

    fn idea(&mut self, seq: u64, at: SessionTime, change: &Change) {
        if let Some(run) = &mut self.running {
            run.change_ideas(change);
        }
        let run = self.document.runs.len();
        let slot = |of| Slot { run, phase: 0, round: 0, of: Owner::Idea(of) };
        match change {
            Change::Written { idea, by, room, text, from, .. } => {
                if !from.is_empty() {
                    self.combined.insert(*idea);
                }
                let is_own = self.own == Some(*by);
                if self.own.is_some() && !is_own {
                    return;
                }
                let of_a_person = !self.combined.contains(idea) && self.lets_be_named(*by);
                let who = Some(*by).filter(|_| is_own || of_a_person);
                let line = line(seq, Kind::Idea, who, *room, at, text);
                match line.text.is_empty() {
                    true => self.written.remove(&slot(*idea)),
                    false => self.written.insert(slot(*idea), line),
                };
            }
            // It is in nobody's document but that of who may want its words gone too.
            Change::Removed { idea, .. } if self.own.is_none() => {
                self.written.remove(&slot(*idea));
            }
            _ => (),
        }
    }

    fn lets_be_named(&self, who: ParticipantId) -> bool {
        self.consents.get(&who) == Some(&Consent::On)
    }

    fn end_step(&mut self, at: SessionTime) {
        if let Some(step) = self.document.steps.last_mut() {
            step.span.end = step.span.end.min(at);
        }
    }

    fn end_run(&mut self) {
        let Some(run) = self.running.take() else { return };
        let mut ideas = run.ideas().result(None);
        for idea in &mut ideas {
            idea.text = clean(&idea.text);
            idea.group = idea.group.as_deref().map(clean);
            idea.by = idea.by.filter(|it| self.lets_be_named(*it));
            for source in &mut idea.from {
                source.text = clean(&source.text);
                source.by = source.by.filter(|it| self.lets_be_named(*it));
            }
        }
        let Some(of) = self.document.runs.last_mut() else { return };
        let harvest = run.harvest();
        let text = |(room, text): (RoomId, String)| (room, clean(&text));
        of.chosen = harvest.lines.into_iter().map(text).collect();
        of.chosen.retain(|(_, text)| !text.is_empty());
        of.ranking = harvest.ranking;
        of.ranking.iter_mut().for_each(|it| it.text = clean(&it.text));
        of.topics = run.topics().iter().map(|it| clean(it)).collect();
        of.ideas = ideas;
    }
}

fn kind(phase: &Phase) -> Option<Kind> {
    match phase.harvest {
        Harvest::Note | Harvest::Private => Some(Kind::Note),
        Harvest::Line => Some(Kind::Line),
        Harvest::Card => Some(Kind::Card),
        Harvest::Topics => Some(Kind::Topic),
        Harvest::Speech | Harvest::Score | Harvest::Ideas | Harvest::Votes => None,
    }
}

/// What one person wrote of a text, each stretch on a line of its own.
fn parts_of(who: ParticipantId, text: &str, parts: &[Part]) -> String {
    let mut chars = text.chars();
    let mut own: Vec<String> = Vec::new();
    for (by, count) in parts {
        let part: String = chars.by_ref().take(*count as usize).collect();
        if *by == who && !part.trim().is_empty() {
            own.push(part.trim().to_owned());
        }
    }
    own.join("\n")
}

fn line(
    seq: u64,
    kind: Kind,
    who: Option<ParticipantId>,
    room: RoomId,
    at: SessionTime,
    text: &str,
) -> Line {
    let span = Span::new(at, at);
    let (text, words) = (clean(text), Vec::new());
    Line { seq, kind, who, room, span, language: None, text, words, step: None }
}

/// The step that was on; the last that had begun, if none was.
fn step_at(steps: &[Step], at: SessionTime) -> Option<usize> {
    let begun = steps.partition_point(|it| it.span.start <= at);
    let last = begun.checked_sub(1)?;
    steps.get(last).is_some_and(|it| at <= it.span.end).then_some(last)
}
