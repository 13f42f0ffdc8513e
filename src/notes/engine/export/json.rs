//! JSON for other programs. Its shape is a promise, written down in `export.schema.json`; `version`
//! goes up when a reader of the shape before would misread it.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde::Serialize;

use crate::{
    domain::{
        ideas::IdeaView,
        pilot::{Pilot, Told},
    },
    notes::engine::export::{Comment, CommentOn, Document, Line, Step},
};

/// The shape, as JSON Schema (draft 2020-12).
pub const SCHEMA: &str = include_str!("export.schema.json");

const VERSION: u32 = 1;

#[derive(Serialize)]
struct Head<'a> {
    version: u32,
    session: String,
    title: &'a str,
    language: &'static str,
    opened: String,
    ended: bool,
    length_ms: u64,
    pseudonymous: bool,
    selected: bool,
    people: Vec<Someone<'a>>,
    methods: Vec<Run<'a>>,
    steps: Vec<OneStep<'a>>,
    board: Vec<Theme<'a>>,
    comments: Vec<OneComment<'a>>,
    pilots: Vec<OnePilot<'a>>,
}

#[derive(Serialize)]
struct OnePilot<'a> {
    method: &'a str,
    answers: u32,
    told: Option<OneTold<'a>>,
}

/// How often "no", "a little", "mostly" and "yes".
#[derive(Serialize)]
struct OneTold<'a> {
    heard: [u32; 4],
    clear: [u32; 4],
    fresh: [u32; 4],
    again: [u32; 4],
    lines: &'a [String],
}

#[derive(Serialize)]
struct Theme<'a> {
    theme: &'a str,
    lines: &'a [u64],
}

#[derive(Serialize)]
struct OneComment<'a> {
    line: Option<u64>,
    theme: Option<&'a str>,
    name: &'a str,
    at: String,
    text: &'a str,
}

#[derive(Serialize)]
struct Someone<'a> {
    participant: u32,
    name: &'a str,
    language: &'static str,
    tags: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Run<'a> {
    id: &'a str,
    name: &'a str,
    question: &'a str,
    topics: &'a [String],
    chosen: Vec<Chosen<'a>>,
    ranking: Vec<Ranked<'a>>,
    ideas: Vec<OneIdea<'a>>,
}

#[derive(Serialize)]
struct Chosen<'a> {
    room: String,
    text: &'a str,
}

#[derive(Serialize)]
struct Ranked<'a> {
    text: &'a str,
    points: u8,
    scores: u8,
}

#[derive(Serialize)]
struct OneIdea<'a> {
    number: u32,
    participant: Option<u32>,
    room: Option<String>,
    text: &'a str,
    votes: Option<u32>,
    group: Option<&'a str>,
    from: Vec<OneSource<'a>>,
}

#[derive(Serialize)]
struct OneSource<'a> {
    depth: u8,
    number: u32,
    participant: Option<u32>,
    text: &'a str,
}

#[derive(Serialize)]
struct OneStep<'a> {
    method: usize,
    phase: &'a str,
    name: &'a str,
    round: u16,
    of: u16,
    start_ms: u64,
    end_ms: u64,
    rooms: BTreeMap<String, Vec<u32>>,
}

#[derive(Serialize)]
struct OneLine<'a> {
    number: u64,
    kind: &'static str,
    participant: Option<u32>,
    room: String,
    step: Option<usize>,
    start_ms: u64,
    end_ms: u64,
    language: Option<&'static str>,
    text: &'a str,
}

/// The lines go out one by one, so that a long session needs no second copy of itself.
pub fn write(
    document: &Document,
    out: &mut dyn Write,
    told: &mut dyn FnMut(usize),
) -> io::Result<()> {
    let head = serde_json::to_string_pretty(&head(document))?;
    // The lines become the head's last member.
    let open = head.trim_end_matches(['}', '\n']);
    write!(out, "{open},\n  \"lines\": [")?;
    for (line, count) in document.shown().iter().zip(1..) {
        out.write_all(if count == 1 { b"\n    " } else { b",\n    " })?;
        serde_json::to_writer(&mut *out, &one_line(line))?;
        told(count);
    }
    writeln!(out, "\n  ]\n}}")
}

fn head(document: &Document) -> Head<'_> {
    let people = document.people.iter().map(|(id, it)| Someone {
        participant: id.0,
        name: &it.name,
        language: it.language.code(),
        tags: &it.tags,
    });
    let methods = document.runs.iter().map(|it| Run {
        id: &it.method.id,
        name: it.method.name.in_language(document.language),
        question: &it.question,
        topics: &it.topics,
        chosen: it
            .chosen
            .iter()
            .map(|(room, text)| Chosen { room: room.to_string(), text })
            .collect(),
        ranking: it
            .ranking
            .iter()
            .map(|it| Ranked { text: &it.text, points: it.points, scores: it.scores })
            .collect(),
        ideas: it.ideas.iter().map(one_idea).collect(),
    });
    Head {
        version: VERSION,
        session: document.session.to_string(),
        title: &document.title,
        language: document.language.code(),
        opened: rfc3339(document.opened_unix_ms),
        ended: document.ended,
        length_ms: document.length_ms,
        pseudonymous: document.pseudonymous,
        selected: document.selected,
        people: people.collect(),
        methods: methods.collect(),
        steps: document.steps.iter().map(|it| step(document, it)).collect(),
        board: document.board.iter().map(|(theme, lines)| Theme { theme, lines }).collect(),
        comments: document.comments.iter().map(one_comment).collect(),
        pilots: document.pilots.iter().map(|(method, it)| one_pilot(method, it)).collect(),
    }
}

fn one_pilot<'a>(method: &'a str, it: &'a Pilot) -> OnePilot<'a> {
    let told = |it: &'a Told| OneTold {
        heard: it.heard,
        clear: it.clear,
        fresh: it.fresh,
        again: it.again,
        lines: &it.lines,
    };
    OnePilot { method, answers: it.answers, told: it.told.as_ref().map(told) }
}

fn one_comment(it: &Comment) -> OneComment<'_> {
    let (line, theme) = match &it.on {
        CommentOn::Entry(seq) => (Some(*seq), None),
        CommentOn::Theme(theme) => (None, Some(theme.as_str())),
    };
    OneComment { line, theme, name: &it.name, at: rfc3339(it.unix_ms), text: &it.text }
}

fn one_idea(it: &IdeaView) -> OneIdea<'_> {
    let from = it.from.iter().map(|it| OneSource {
        depth: it.depth,
        number: it.idea.0,
        participant: it.by.map(|it| it.0),
        text: &it.text,
    });
    OneIdea {
        number: it.idea.0,
        participant: it.by.map(|it| it.0),
        room: it.room.map(|it| it.to_string()),
        text: &it.text,
        votes: it.votes,
        group: it.group.as_deref(),
        from: from.collect(),
    }
}

fn step<'a>(document: &'a Document, step: &Step) -> OneStep<'a> {
    let phase = document.phase(step);
    OneStep {
        method: step.run,
        phase: phase.map_or("", |it| &it.id),
        name: phase.map_or("", |it| it.name.in_language(document.language)),
        round: step.place.round + 1,
        of: step.place.of,
        start_ms: step.span.start.as_ms(),
        end_ms: step.span.end.as_ms(),
        rooms: step
            .rooms
            .iter()
            .map(|(room, people)| (room.to_string(), people.iter().map(|it| it.0).collect()))
            .collect(),
    }
}

fn one_line(line: &Line) -> OneLine<'_> {
    OneLine {
        number: line.seq,
        kind: line.kind.code(),
        participant: line.who.map(|it| it.0),
        room: line.room.to_string(),
        step: line.step,
        start_ms: line.span.start.as_ms(),
        end_ms: line.span.end.as_ms(),
        language: line.language.map(|it| it.code()),
        text: &line.text,
    }
}

fn rfc3339(unix_ms: u64) -> String {
    let nanoseconds = i128::from(unix_ms) * 1_000_000;
    let at = time::OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok();
    let text = at.and_then(|it| it.format(&time::format_description::well_known::Rfc3339).ok());
    text.unwrap_or_default()
}
