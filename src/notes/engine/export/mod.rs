//! A session as a document to take away: what was said and written, by whom, in which room and phase,
//! in the formats that offices use. It is made of the log's facts alone; it reads no file, knows no
//! clock, and gives away no name when it is asked not to.
//!
//! One model (`Document`) is gathered from the facts, cut to what is wanted, perhaps given other
//! names, and then written. Texts read by people share one outline; tables share one list of columns.

mod captions;
mod gather;
mod html;
mod json;
mod markdown;
mod office;
mod outline;
mod pdf;
mod pseudonyms;
mod sheet;
mod words;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

pub use crate::domain::fact::CommentOn;
use crate::domain::{
    ideas::IdeaView,
    ids::{ParticipantId, RoomId, SessionId},
    language::Language,
    message::{Place, RankedCard},
    pilot::Pilot,
    time::{SessionTime, Span},
};

pub use gather::{gather, gather_own};
pub use json::SCHEMA;

/// A session as it is written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub session: SessionId,
    pub title: String,
    /// Of the session; the texts around may be in another.
    pub language: Language,
    /// What the wall clock said at the start, in ms since 1970.
    pub opened_unix_ms: u64,
    pub ended: bool,
    /// Until the last thing that happened, in ms.
    pub length_ms: u64,
    pub people: BTreeMap<ParticipantId, Person>,
    pub runs: Vec<MethodRun>,
    pub steps: Vec<Step>,
    /// By step, then room, then time.
    pub lines: Vec<Line>,
    /// What reviewers have put together, by theme in the order of their coming. Lines by their place
    /// in the log; only some of them need be among the lines.
    pub board: Vec<(String, Vec<u64>)>,
    /// What reviewers say of lines and themes.
    pub comments: Vec<Comment>,
    /// What people say of how the methods worked, by the methods' ids. It is in no fact: whoever has
    /// it puts it here.
    pub pilots: BTreeMap<String, Pilot>,
    /// Whether people stand in it under other names than their own.
    pub pseudonymous: bool,
    /// Whether lines were left out because they were not asked for.
    pub selected: bool,
    /// Only the page that sums the event up is wanted: its lines are counted and not shown.
    pub brief: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Empty: they do not agree to be named, and have no code yet.
    pub name: String,
    /// Others that they came under before. Known only to be found in texts; never written out.
    pub names_before: BTreeSet<String>,
    pub language: Language,
    /// Organisation, role and the like, by kind.
    pub tags: BTreeMap<String, String>,
}

/// A method as it was run, and what it brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodRun {
    pub method: std::sync::Arc<crate::domain::method::Method>,
    pub question: String,
    pub topics: Vec<String>,
    /// What each room had written together at the end.
    pub chosen: Vec<(RoomId, String)>,
    /// Cards by their points, best first. Without names.
    pub ranking: Vec<RankedCard>,
    /// What the rooms chose for all, most votes first, each with what it came from.
    pub ideas: Vec<IdeaView>,
}

/// One step of a method: a phase, or a round of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Index among the runs.
    pub run: usize,
    pub place: Place,
    pub span: Span,
    /// Who was in which room when it began; rooms with nobody are left out.
    pub rooms: BTreeMap<RoomId, Vec<ParticipantId>>,
}

/// What kind of line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Said,
    /// What one person wrote for themselves and the group.
    Note,
    /// An idea on a card. Cards have no name.
    Card,
    /// What a room wrote together.
    Line,
    /// A topic somebody proposed.
    Topic,
    /// An idea of one person, or one that a room made of several.
    Idea,
    /// Written to the room, in its chat.
    Post,
    /// Written by a facilitator to everybody.
    Broadcast,
    /// Something was said, and the machine could not write it down.
    Unheard,
}

impl Kind {
    pub const ALL: [Kind; 9] = [
        Kind::Said,
        Kind::Note,
        Kind::Card,
        Kind::Line,
        Kind::Topic,
        Kind::Idea,
        Kind::Post,
        Kind::Broadcast,
        Kind::Unheard,
    ];

    pub fn code(self) -> &'static str {
        match self {
            Kind::Said => "said",
            Kind::Note => "note",
            Kind::Card => "card",
            Kind::Line => "line",
            Kind::Topic => "topic",
            Kind::Idea => "idea",
            Kind::Post => "post",
            Kind::Broadcast => "broadcast",
            Kind::Unheard => "unheard",
        }
    }

    pub fn from_code(code: &str) -> Option<Kind> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}

/// One thing said or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its place in the log, by which a reader can point at it.
    pub seq: u64,
    pub kind: Kind,
    /// `None`: a room, a facilitator, or somebody who stays without a name.
    pub who: Option<ParticipantId>,
    pub room: RoomId,
    pub span: Span,
    pub language: Option<Language>,
    /// May have several lines. Empty with `Unheard`.
    pub text: String,
    /// When each of its words was said, as white space parts them; empty where not known.
    pub words: Vec<Span>,
    /// Index among the steps.
    pub step: Option<usize>,
}

/// What a reviewer has said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    pub on: CommentOn,
    /// As who they say they are. May be empty.
    pub name: String,
    pub unix_ms: u64,
    pub text: String,
}

/// What of a session is wanted; what is empty asks for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    pub rooms: BTreeSet<RoomId>,
    /// Ids of phases.
    pub phases: BTreeSet<String>,
    pub kinds: BTreeSet<Kind>,
    /// The one page of what the event was, without the lines.
    pub summary: bool,
}

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    Markdown,
    Html,
    Docx,
    Pdf,
    Xlsx,
    Csv,
    Json,
    WebVtt,
    Srt,
}

impl Format {
    pub const ALL: [Format; 9] = [
        Format::Markdown,
        Format::Html,
        Format::Docx,
        Format::Pdf,
        Format::Xlsx,
        Format::Csv,
        Format::Json,
        Format::WebVtt,
        Format::Srt,
    ];

    /// The ending of its files, which is also its name.
    pub fn code(self) -> &'static str {
        match self {
            Format::Markdown => "md",
            Format::Html => "html",
            Format::Docx => "docx",
            Format::Pdf => "pdf",
            Format::Xlsx => "xlsx",
            Format::Csv => "csv",
            Format::Json => "json",
            Format::WebVtt => "vtt",
            Format::Srt => "srt",
        }
    }

    pub fn from_code(code: &str) -> Option<Format> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Format::Markdown => "text/markdown; charset=utf-8",
            Format::Html => "text/html; charset=utf-8",
            Format::Docx => {
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
            }
            Format::Pdf => "application/pdf",
            Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Format::Csv => "text/csv; charset=utf-8; header=present",
            Format::Json => "application/json",
            Format::WebVtt => "text/vtt; charset=utf-8",
            Format::Srt => "application/x-subrip; charset=utf-8",
        }
    }

    /// Whether it runs along one room's time, so that it cannot hold two.
    pub fn is_of_one_room(self) -> bool {
        matches!(self, Format::WebVtt | Format::Srt)
    }
}

/// How a document is to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Of headings and labels.
    pub language: Language,
    /// The reader's clock ahead of universal time, in minutes.
    pub offset_min: i32,
}

impl Document {
    /// What is wanted of it.
    pub fn select(mut self, wanted: &Selection) -> Document {
        let before = self.lines.len();
        let phase_of = |step: usize| {
            let step = self.steps.get(step)?;
            let method = &self.runs.get(step.run)?.method;
            Some(&method.phases.get(usize::from(step.place.phase))?.id)
        };
        let all = |empty: bool, has: bool| empty || has;
        let kept: Vec<bool> = self
            .lines
            .iter()
            .map(|line| {
                let phase = line.step.and_then(phase_of);
                all(wanted.rooms.is_empty(), wanted.rooms.contains(&line.room))
                    && all(wanted.kinds.is_empty(), wanted.kinds.contains(&line.kind))
                    && all(
                        wanted.phases.is_empty(),
                        phase.is_some_and(|it| wanted.phases.contains(it)),
                    )
            })
            .collect();
        let mut kept = kept.into_iter();
        self.lines.retain(|_| kept.next().unwrap_or(true));
        if self.lines.len() < before {
            self.selected = true;
            self.keep_board_of_lines();
        }
        self.brief = wanted.summary;
        self
    }

    /// The board and the comments say nothing of lines that are left out.
    fn keep_board_of_lines(&mut self) {
        let kept: BTreeSet<u64> = self.lines.iter().map(|it| it.seq).collect();
        self.board.iter_mut().for_each(|it| it.1.retain(|it| kept.contains(it)));
        self.board.retain(|it| !it.1.is_empty());
        let themes: BTreeSet<&String> = self.board.iter().map(|it| &it.0).collect();
        self.comments.retain(|it| match &it.on {
            CommentOn::Entry(seq) => kept.contains(seq),
            CommentOn::Theme(theme) => themes.contains(theme),
        });
    }

    /// The lines that are written out.
    pub fn shown(&self) -> &[Line] {
        if self.brief { &[] } else { &self.lines }
    }

    /// Rooms in which something of it was said or written.
    pub fn rooms(&self) -> BTreeSet<RoomId> {
        self.lines.iter().map(|it| it.room).collect()
    }

    /// Rooms in which something was said aloud.
    pub fn rooms_with_speech(&self) -> BTreeSet<RoomId> {
        self.lines.iter().filter(|it| it.kind == Kind::Said).map(|it| it.room).collect()
    }

    /// The name somebody stands under.
    pub fn name(&self, who: ParticipantId) -> &str {
        self.people.get(&who).map_or("?", |it| it.name.as_str())
    }

    fn phase(&self, step: &Step) -> Option<&crate::domain::method::Phase> {
        self.runs.get(step.run)?.method.phases.get(usize::from(step.place.phase))
    }
}

/// Writes the document. `told` hears after each line how many are written.
///
/// Errors: those of `out` alone.
pub fn render(
    document: &Document,
    format: Format,
    look: Look,
    out: &mut dyn Write,
    told: &mut dyn FnMut(usize),
) -> io::Result<()> {
    match format {
        Format::Markdown => markdown::write(document, look, out, told),
        Format::Html => html::write(document, look, out, told),
        Format::Docx => office::write_docx(document, look, out, told),
        Format::Pdf => pdf::write(document, look, out, told),
        Format::Xlsx => office::write_xlsx(document, look, out, told),
        Format::Csv => sheet::write_csv(document, look, out, told),
        Format::Json => json::write(document, out, told),
        Format::WebVtt => captions::write_vtt(document, look, out, told),
        Format::Srt => captions::write_srt(document, look, out, told),
    }
}

/// The day as `2026-11-24`, in universal time.
pub fn day(unix_ms: u64) -> String {
    let seconds = i64::try_from(unix_ms / 1000).unwrap_or(0);
    let at = time::OffsetDateTime::from_unix_timestamp(seconds);
    at.map_or(String::new(), |it| it.date().to_string())
}

/// A text without what no document should carry: control characters, and those that turn the
/// direction of what follows. Lines stay lines.
fn clean(text: &str) -> String {
    let shown = |it: char| match it {
        '\n' => true,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => false,
        '\u{feff}' | '\u{fffe}' | '\u{ffff}' => false,
        _ => !it.is_control(),
    };
    let spaced = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n");
    let text: String = spaced.replace('\t', " ").chars().filter(|it| shown(*it)).collect();
    text.trim().to_owned()
}

/// `h:mm:ss`, as people read it.
fn clock(at: SessionTime) -> String {
    let s = at.as_ms() / 1000;
    format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
}

#[cfg(test)]
mod tests;
