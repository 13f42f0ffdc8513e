//! What stands in a document for people, from top to bottom, whatever it is written in: the page
//! that sums the event up, then the lines. It says what, never how it looks.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    domain::{
        ideas::IdeaView,
        ids::{ParticipantId, RoomId},
        language::Language,
        method::{Assign, Phase},
        pilot::Pilot,
    },
    notes::engine::export::{
        Comment, CommentOn, Document, Kind, Line, Look, MethodRun, Step, clock,
        words::{Words, day_and_time, lasting, votes},
    },
};

/// A piece of a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Block<'a> {
    /// Of the whole document; once, and first.
    Title(&'a str),
    /// 2: a part; 3: a phase; 4: a room.
    Heading(u8, Cow<'a, str>),
    Text(Cow<'a, str>),
    /// A question or a result, in people's own words.
    Quote(&'a str),
    /// Label and value.
    Facts(Vec<(&'static str, String)>),
    Items(Vec<String>),
    /// A list with lists in it, from top to bottom. The first is at depth 0, and none is more than one
    /// deeper than the one before.
    Tree(Vec<Branch>),
    /// The picture of a method: its phases in order.
    Phases(Vec<PhaseMark>),
    Line(LineMark<'a>),
}

/// A piece of a tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    pub depth: u8,
    pub text: String,
}

/// A phase as a sign among others.
#[derive(Clone, Debug, PartialEq)]
pub struct PhaseMark {
    pub name: String,
    /// How long, and how often.
    pub length: String,
    /// How many sit together, as far as the method says: 1 is alone, `None` everybody.
    pub people: Option<u8>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LineMark<'a> {
    pub at: String,
    pub who: Cow<'a, str>,
    /// What kind of line, unless it was simply said.
    pub kind: Option<&'static str>,
    pub language: Option<Language>,
    pub text: &'a str,
}

/// Everything above the lines.
pub fn summary(document: &Document, look: Look) -> Vec<Block<'_>> {
    let words = Words::in_language(look.language);
    let mut blocks = vec![Block::Title(&document.title)];
    if !document.ended {
        blocks.push(Block::Text(words.goes_on.into()));
    }
    if document.pseudonymous {
        blocks.push(Block::Text(words.pseudonymous.into()));
    }
    blocks.push(Block::Heading(2, words.summary.into()));
    blocks.push(Block::Facts(facts(document, look)));
    for run in &document.runs {
        method(run, look, words, &mut blocks);
        if !run.ideas.is_empty() {
            blocks.push(Block::Heading(4, words.ideas.into()));
            blocks.push(Block::Tree(ideas(document, run, words)));
        }
    }
    for (method, pilot) in &document.pilots {
        let run = document.runs.iter().find(|it| it.method.id == *method);
        let name = run.map_or("", |it| it.method.name.in_language(look.language));
        blocks.extend(said_of_method(name, pilot, words));
    }
    if !document.brief {
        board(document, words, &mut blocks);
    }
    blocks
}

/// What people say of how a method worked. Of too few, only how many they are.
fn said_of_method<'a>(name: &str, pilot: &Pilot, words: &'static Words) -> Vec<Block<'a>> {
    let title = match name.is_empty() {
        true => words.pilot.to_owned(),
        false => format!("{}: {name}", words.pilot),
    };
    let heading = Block::Heading(3, title.into());
    let answers = format!("{}: {}", words.pilot_answers, pilot.answers);
    let Some(told) = &pilot.told else {
        return vec![heading, Block::Text(format!("{answers}. {}", words.pilot_few).into())];
    };
    let each = [told.heard, told.clear, told.fresh, told.again];
    let counted = words.pilot_questions.iter().zip(each).map(|(question, counts)| {
        let levels = words.pilot_levels.iter().zip(counts).rev();
        let levels: Vec<_> = levels.map(|(level, count)| format!("{level} {count}")).collect();
        format!("{question}: {}", levels.join(", "))
    });
    let mut blocks = vec![heading, Block::Text(answers.into()), Block::Items(counted.collect())];
    if !told.lines.is_empty() {
        blocks.push(Block::Text(words.pilot_lines.into()));
        blocks.push(Block::Items(told.lines.iter().map(|it| on_one_line(it)).collect()));
    }
    blocks
}

/// What reviewers have put together and said of it: theme by theme, then what was said of lines that
/// are under none.
fn board<'a>(document: &'a Document, words: &'static Words, blocks: &mut Vec<Block<'a>>) {
    if document.board.is_empty() && document.comments.is_empty() {
        return;
    }
    blocks.push(Block::Heading(2, words.board.into()));
    let lines: BTreeMap<u64, &Line> = document.lines.iter().map(|it| (it.seq, it)).collect();
    let mut left: BTreeSet<u64> = BTreeSet::new();
    for comment in &document.comments {
        if let CommentOn::Entry(seq) = comment.on {
            left.insert(seq);
        }
    }
    for (theme, entries) in &document.board {
        blocks.push(Block::Heading(3, theme.as_str().into()));
        let mut tree = comments(document, &CommentOn::Theme(theme.clone()), 0, words);
        for seq in entries {
            left.remove(seq);
            tree.extend(collected(document, *seq, &lines, words));
        }
        if !tree.is_empty() {
            blocks.push(Block::Tree(tree));
        }
    }
    let rest: Vec<_> = left.iter().flat_map(|it| collected(document, *it, &lines, words)).collect();
    if !rest.is_empty() {
        blocks.push(Block::Heading(3, words.only_commented.into()));
        blocks.push(Block::Tree(rest));
    }
}

/// A line of the board with what is said of it; nothing, if the line is gone.
fn collected(
    document: &Document,
    seq: u64,
    lines: &BTreeMap<u64, &Line>,
    words: &'static Words,
) -> Vec<Branch> {
    let Some(line) = lines.get(&seq) else { return Vec::new() };
    let (who, room) = (speaker(document, line, words), words.room(line.room));
    let mut about = vec![who.into_owned(), clock(line.span.start)];
    if !about.contains(&room) {
        about.insert(1, room);
    }
    let text = format!("{} ({})", on_one_line(&line.text), about.join(", "));
    let mut tree = vec![Branch { depth: 0, text }];
    tree.extend(comments(document, &CommentOn::Entry(seq), 1, words));
    tree
}

fn comments(document: &Document, on: &CommentOn, depth: u8, words: &'static Words) -> Vec<Branch> {
    let text = |it: &Comment| match it.name.is_empty() {
        true => format!("{}: {}", words.comment, on_one_line(&it.text)),
        false => format!("{} ({}): {}", words.comment, it.name, on_one_line(&it.text)),
    };
    let own = document.comments.iter().filter(|it| it.on == *on);
    own.map(|it| Branch { depth, text: text(it) }).collect()
}

/// The figures of the event. Of nobody in particular: they rank no one.
pub fn facts(document: &Document, look: Look) -> Vec<(&'static str, String)> {
    let words = Words::in_language(look.language);
    let count = |kinds: &[Kind]| {
        document.lines.iter().filter(|it| kinds.contains(&it.kind)).count().to_string()
    };
    let said = || document.lines.iter().filter(|it| it.kind == Kind::Said);
    let spoken: usize = said().map(|it| it.text.split_whitespace().count()).sum();
    let languages: BTreeSet<_> = said().filter_map(|it| it.language).collect();
    let names: Vec<_> = languages.into_iter().map(|it| words.tongue(it)).collect();
    let used: BTreeSet<RoomId> =
        document.steps.iter().flat_map(|it| it.rooms.keys()).copied().collect();
    let used = used.union(&document.rooms()).count();
    let mut facts = vec![
        (words.held, day_and_time(document.opened_unix_ms, look.offset_min, look.language)),
        (words.length, lasting(document.length_ms)),
        (words.people, document.people.len().to_string()),
        (words.rooms_used, used.to_string()),
    ];
    if !document.steps.is_empty() {
        facts.push((words.met, pairs_met(&document.steps).to_string()));
    }
    if document.lines.is_empty() {
        return facts;
    }
    facts.push((words.spoken, count(&[Kind::Said])));
    facts.push((words.words_said, spoken.to_string()));
    let written = [Kind::Note, Kind::Card, Kind::Line, Kind::Topic, Kind::Idea];
    facts.push((words.written, count(&written)));
    if !names.is_empty() {
        facts.push((words.languages, names.join(", ")));
    }
    if document.lines.iter().any(|it| it.kind == Kind::Unheard) {
        facts.push((words.unheard, count(&[Kind::Unheard])));
    }
    facts
}

/// Pairs who sat in one breakout room at least once.
fn pairs_met(steps: &[Step]) -> usize {
    let groups = steps.iter().flat_map(|it| &it.rooms).filter(|it| *it.0 != RoomId::Main);
    let mut pairs: BTreeSet<(ParticipantId, ParticipantId)> = BTreeSet::new();
    for (_, people) in groups {
        for (at, one) in people.iter().enumerate() {
            pairs.extend(people.iter().skip(at + 1).map(|it| (*one.min(it), *one.max(it))));
        }
    }
    pairs.len()
}

fn method<'a>(run: &'a MethodRun, look: Look, words: &'static Words, blocks: &mut Vec<Block<'a>>) {
    let method = &run.method;
    let name = method.name.in_language(look.language);
    blocks.push(Block::Heading(3, format!("{}: {name}", words.method).into()));
    blocks.push(Block::Text(method.purpose.in_language(look.language).into()));
    if !run.question.is_empty() {
        blocks.push(Block::Quote(&run.question));
    }
    let mark = |phase: &Phase| phase_mark(phase, look.language);
    blocks.push(Block::Heading(4, words.phases.into()));
    blocks.push(Block::Phases(method.phases.iter().map(mark).collect()));
    let mut list = |title: &'static str, items: Vec<String>| {
        if !items.is_empty() {
            blocks.push(Block::Heading(4, title.into()));
            blocks.push(Block::Items(items));
        }
    };
    list(words.topics, run.topics.clone());
    let chosen = |(room, text): &(RoomId, String)| format!("{}: {text}", words.room(*room));
    list(words.chosen, run.chosen.iter().map(chosen).collect());
    let ranked = |it: &crate::domain::message::RankedCard| {
        format!("{} ({}\u{a0}{})", it.text, it.points, words.points)
    };
    list(words.ranking, run.ranking.iter().map(ranked).collect());
}

/// Each chosen idea, and under it what it came from.
fn ideas(document: &Document, run: &MethodRun, words: &'static Words) -> Vec<Branch> {
    let mut tree = Vec::new();
    // Under each name what stands there together, and then what stands for itself.
    let mut groups: Vec<Option<&str>> = Vec::new();
    for group in run.ideas.iter().map(|it| it.group.as_deref()) {
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups.sort_by_key(Option::is_none);
    for group in groups {
        let under = u8::from(group.is_some());
        tree.extend(group.map(|it| Branch { depth: 0, text: it.to_owned() }));
        let own = run.ideas.iter().filter(|it| it.group.as_deref() == group);
        own.for_each(|it| tree.extend(one_idea(document, it, under, words)));
    }
    tree
}

/// An idea at this depth, and under it what it came from.
fn one_idea(document: &Document, idea: &IdeaView, depth: u8, words: &'static Words) -> Vec<Branch> {
    let room = idea.room.map(|it| words.room(it));
    let votes = idea.votes.map(|it| votes(it, words));
    let who = idea.by.map(|it| document.name(it).to_owned());
    let about: Vec<_> = [votes, who, room].into_iter().flatten().collect();
    let text = format!("{} ({})", idea_text(&idea.text, words), about.join(", "));
    let mut tree = vec![Branch { depth, text }];
    for source in &idea.from {
        let who = source.by.map(|it| format!(" ({})", document.name(it))).unwrap_or_default();
        let text = format!("{}{who}", idea_text(&source.text, words));
        tree.push(Branch { depth: depth.saturating_add(source.depth), text });
    }
    tree
}

/// The words of an idea, or that they have been taken back.
pub fn idea_text<'a>(text: &'a str, words: &'static Words) -> &'a str {
    if text.is_empty() { words.taken_back } else { text }
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn phase_mark(phase: &Phase, language: Language) -> PhaseMark {
    let people = match phase.assign {
        Assign::Solo => Some(1),
        Assign::Plenary | Assign::Seats => None,
        _ => phase.size,
    };
    let length = match (phase.length_s, phase.length_s_per_person) {
        (_, Some(s)) => format!("{}\u{a0}/\u{a0}1", lasting(u64::from(s) * 1000)),
        (Some(s), None) => lasting(u64::from(s) * 1000),
        (None, None) => String::new(),
    };
    let length = match (phase.rounds, length.is_empty()) {
        (0 | 1, _) => length,
        (rounds, true) => format!("{rounds}\u{a0}×"),
        (rounds, false) => format!("{rounds}\u{a0}×\u{a0}{length}"),
    };
    PhaseMark { name: phase.name.in_language(language).to_owned(), length, people }
}

/// The lines, under headings of step and room; each with its index behind it.
pub fn lines(document: &Document, look: Look) -> impl Iterator<Item = (Block<'_>, Option<usize>)> {
    let words = Words::in_language(look.language);
    let title = if document.selected { words.some_lines } else { words.all_lines };
    let mut at_step = None;
    let mut at_room = None;
    let begin = (!document.shown().is_empty()).then(|| Block::Heading(2, title.into()));
    let nothing = document.lines.is_empty() && document.selected && !document.brief;
    let nothing = nothing.then(|| Block::Text(words.nothing.into()));
    let body = document.shown().iter().enumerate().flat_map(move |(index, line)| {
        let mut blocks = Vec::with_capacity(3);
        if at_step != Some(line.step) {
            (at_step, at_room) = (Some(line.step), None);
            blocks.push((step_heading(document, line.step, look, words), None));
        }
        if at_room != Some(line.room) {
            at_room = Some(line.room);
            blocks.push((room_heading(document, line, words), None));
        }
        blocks.push((Block::Line(line_mark(document, line, words)), Some(index)));
        blocks
    });
    begin.into_iter().chain(nothing).map(|it| (it, None)).chain(body)
}

fn step_heading<'a>(
    document: &'a Document,
    step: Option<usize>,
    look: Look,
    words: &'static Words,
) -> Block<'a> {
    let step = step.and_then(|it| document.steps.get(it));
    let Some((step, phase)) = step.and_then(|it| Some((it, document.phase(it)?))) else {
        return Block::Heading(3, words.outside.into());
    };
    let name = phase.name.in_language(look.language);
    let (from, until) = (clock(step.span.start), clock(step.span.end));
    let round = match step.place.of {
        0 | 1 => String::new(),
        of => format!(", {} {}/{of}", words.round, step.place.round + 1),
    };
    Block::Heading(3, format!("{name}{round} ({from}–{until})").into())
}

fn room_heading<'a>(document: &'a Document, line: &Line, words: &'static Words) -> Block<'a> {
    let room = words.room(line.room);
    let step = line.step.and_then(|it| document.steps.get(it));
    let people = step.filter(|_| line.room != RoomId::Main).and_then(|it| it.rooms.get(&line.room));
    let name = |who: &ParticipantId| match document.name(*who) {
        "" => words.person,
        name => name,
    };
    let names: Vec<_> = people.into_iter().flatten().map(name).collect();
    match names.is_empty() {
        true => Block::Heading(4, room.into()),
        false => Block::Heading(4, format!("{room}: {}", names.join(", ")).into()),
    }
}

fn line_mark<'a>(document: &'a Document, line: &'a Line, words: &'static Words) -> LineMark<'a> {
    LineMark {
        at: clock(line.span.start),
        who: speaker(document, line, words),
        kind: (line.kind != Kind::Said && line.kind != Kind::Unheard)
            .then(|| words.kind(line.kind)),
        language: line.language,
        text: if line.kind == Kind::Unheard { words.missing } else { &line.text },
    }
}

/// Under what a line stands: a name, a room, or what somebody is.
pub fn speaker<'a>(document: &'a Document, line: &Line, words: &'static Words) -> Cow<'a, str> {
    match (line.who, line.kind) {
        (Some(who), _) => document.name(who).into(),
        (None, Kind::Line) => words.room(line.room).into(),
        // What a room made of several; or somebody in it who stays without a name.
        (None, Kind::Idea) if line.room != RoomId::Main => words.room(line.room).into(),
        (None, Kind::Broadcast) => words.facilitator.into(),
        (None, _) => words.person.into(),
    }
}
