//! PDF for everybody (PDF/UA-1): a document that a screen reader can read in its order, with headings,
//! lists, tables whose rows have headers, and the language of each person's words. It says the same as
//! the other documents for people (`outline`); people's words stand in it as text alone.
//!
//! Here the blocks become paragraphs with their tags; `page` sets them on pages, `letters` makes glyphs
//! of texts. The clock is not asked: the same document is the same file.

mod letters;
mod page;

use std::{
    io::{self, Write},
    num::NonZeroU16,
};

use krilla::{
    Document as Pdf, SerializeSettings,
    configure::{Configuration, Validator},
    geom::Point,
    metadata::{DateTime, Metadata},
    outline::{Outline, OutlineNode},
    destination::XyzDestination,
    tagging::{ListNumbering, Node, TableHeaderScope, Tag, TagGroup, TagTree},
};

use crate::{
    domain::language::Language,
    notes::engine::export::{
        Document, Look,
        outline::{self, Block, LineMark},
        pdf::{
            letters::{Fonts, Ink, Piece},
            page::{Marks, Pages, Spot, Style},
        },
    },
};

const TITLE: Style = Style { size: 22.0, before: 0.0, after: 8.0, left: 0.0, leads: true };
const PART: Style = Style { size: 16.0, before: 18.0, after: 6.0, left: 0.0, leads: true };
const PHASE: Style = Style { size: 13.0, before: 14.0, after: 4.0, left: 0.0, leads: true };
const ROOM: Style = Style { size: 11.0, before: 10.0, after: 3.0, left: 0.0, leads: true };
const TEXT: Style = Style { size: 10.0, before: 0.0, after: 5.0, left: 0.0, leads: false };
const QUOTE: Style = Style { size: 12.0, before: 2.0, after: 7.0, left: 14.0, leads: false };
const ITEM: Style = Style { size: 10.0, before: 0.0, after: 3.0, left: 18.0, leads: false };

/// Between the left edge of a list and the signs of its items, in points.
const SIGN_LEFT: f32 = 4.0;

/// Writes the document. `told` hears after each line how many are set.
///
/// Errors: those of `out`, and `Other` if the letters cannot be used.
pub fn write(
    document: &Document,
    look: Look,
    out: &mut dyn Write,
    told: &mut dyn FnMut(usize),
) -> io::Result<()> {
    let fonts = Fonts::new().ok_or_else(|| io::Error::other("the letters cannot be used"))?;
    let mut setting = Setting { document, pages: Pages::new(&fonts), tree: Vec::new(), at: Vec::new() };
    for block in outline::summary(document, look) {
        setting.block(&block);
    }
    for (block, index) in outline::lines(document, look) {
        setting.block(&block);
        if let Some(index) = index {
            told(index + 1);
        }
    }
    out.write_all(&setting.finish(look)?)
}

/// A group of the structure before it is known what stands where in the file.
struct Group {
    tag: krilla::tagging::TagKind,
    of: Vec<Part>,
}

enum Part {
    Group(Group),
    /// One of the marks of `Pages`.
    Mark(usize),
}

impl Group {
    fn new(tag: impl Into<krilla::tagging::TagKind>, of: Vec<Part>) -> Self {
        Self { tag: tag.into(), of }
    }

    fn of_marks(tag: impl Into<krilla::tagging::TagKind>, marks: Marks) -> Self {
        Self::new(tag, marks.map(Part::Mark).collect())
    }
}

/// A heading, for the outline beside the pages.
struct Heading {
    level: u8,
    text: String,
    spot: Spot,
}

struct Setting<'a> {
    document: &'a Document,
    pages: Pages<'a>,
    tree: Vec<Group>,
    at: Vec<Heading>,
}

impl Setting<'_> {
    fn block(&mut self, block: &Block<'_>) {
        match block {
            Block::Title(text) => self.heading(1, text, TITLE),
            Block::Heading(level @ 2, text) => self.heading(*level, text, PART),
            Block::Heading(level @ 3, text) => self.heading(*level, text, PHASE),
            Block::Heading(level, text) => self.heading(*level, text, ROOM),
            Block::Text(text) => self.paragraph(Tag::P, &[Piece::new(text, Ink::Text)], TEXT),
            Block::Quote(text) => {
                let piece = Piece::new(text, Ink::Heading).in_language(self.document.language);
                let (marks, _) = self.pages.paragraph(&[piece], QUOTE);
                let paragraph = Part::Group(Group::of_marks(Tag::P, marks));
                self.tree.push(Group::new(Tag::BlockQuote, vec![paragraph]));
            }
            Block::Facts(facts) => self.table(facts),
            Block::Items(items) => {
                let piece = |it| vec![Piece::new(it, Ink::Text).in_language(self.document.language)];
                let items = items.iter().map(|it| ("•".to_owned(), piece(it))).collect();
                self.list(ListNumbering::Disc, items);
            }
            Block::Phases(phases) => {
                let item = |(phase, number): (&'_ outline::PhaseMark, usize)| {
                    let name = Piece::new(&phase.name, Ink::Strong);
                    let length = match phase.length.is_empty() {
                        true => String::new(),
                        false => format!(" ({})", phase.length),
                    };
                    (format!("{number}."), vec![name, Piece::new(&length, Ink::Text)])
                };
                self.list(ListNumbering::Decimal, phases.iter().zip(1..).map(item).collect());
            }
            Block::Line(line) => self.line(line),
        }
    }

    fn line(&mut self, LineMark { at, who, kind, language, text }: &LineMark<'_>) {
        let kind = kind.map(|it| format!(", {it}")).unwrap_or_default();
        let mut words = Piece::new(text, Ink::Text);
        words.language = *language;
        let pieces = [
            Piece::new(&format!("{at} "), Ink::Faint),
            Piece::new(who, Ink::Strong),
            Piece::new(&format!("{kind}: "), Ink::Text),
            words,
        ];
        self.paragraph(Tag::P, &pieces, TEXT);
    }

    fn paragraph(
        &mut self,
        tag: impl Into<krilla::tagging::TagKind>,
        pieces: &[Piece],
        style: Style,
    ) {
        let (marks, _) = self.pages.paragraph(pieces, style);
        self.tree.push(Group::of_marks(tag, marks));
    }

    fn heading(&mut self, level: u8, text: &str, style: Style) {
        let ink = if level == 1 { Ink::Strong } else { Ink::Heading };
        let (marks, spot) = self.pages.paragraph(&[Piece::new(text, ink).bold()], style);
        let number = NonZeroU16::new(level.into()).unwrap_or(NonZeroU16::MIN);
        self.tree.push(Group::of_marks(Tag::Hn(number, Some(text.to_owned())), marks));
        self.at.push(Heading { level, text: text.to_owned(), spot });
    }

    fn list(&mut self, numbering: ListNumbering, items: Vec<(String, Vec<Piece>)>) {
        let mut list = Group::new(Tag::L(numbering), Vec::new());
        for (sign, pieces) in items {
            let (sign, body) = self.pages.item(&Piece::new(&sign, Ink::Faint), SIGN_LEFT, &pieces, ITEM);
            let parts = [Group::of_marks(Tag::Lbl, sign), Group::of_marks(Tag::LBody, body)];
            let item = Group::new(Tag::LI, parts.map(Part::Group).into());
            list.of.push(Part::Group(item));
        }
        self.tree.push(list);
    }

    /// Label and value; each label is the header of its row.
    fn table(&mut self, facts: &[(&'static str, String)]) {
        let mut body = Group::new(Tag::TBody, Vec::new());
        for (label, value) in facts {
            let cells = [Piece::new(label, Ink::Text), Piece::new(value, Ink::Strong)];
            let [label, value] = self.pages.row(&cells, TEXT);
            let label = Group::of_marks(Tag::TH(TableHeaderScope::Row), label);
            let value = Group::of_marks(Tag::TD, value);
            let row = Group::new(Tag::TR, vec![Part::Group(label), Part::Group(value)]);
            body.of.push(Part::Group(row));
        }
        self.tree.push(Group::new(Tag::Table, vec![Part::Group(body)]));
        self.pages.space(6.0);
    }

    fn finish(self, look: Look) -> io::Result<Vec<u8>> {
        let settings = SerializeSettings {
            configuration: Configuration::new_with_validator(Validator::UA1),
            ..SerializeSettings::default()
        };
        let mut pdf = Pdf::new_with(settings);
        let mut marks = self.pages.draw(&mut pdf)?;
        let mut tree = TagTree::new().with_lang(Some(look.language.code().to_owned()));
        for group in self.tree {
            tree.push(tagged(group, &mut marks));
        }
        pdf.set_tag_tree(tree);
        pdf.set_outline(outline_of(&self.at));
        pdf.set_metadata(metadata(self.document, look.language));
        // What it says may quote people's words.
        pdf.finish().map_err(|_| io::Error::other("the document cannot be written as PDF/UA"))
    }
}

fn tagged(group: Group, marks: &mut Vec<Option<krilla::tagging::Identifier>>) -> TagGroup {
    let mut tag = TagGroup::new(group.tag);
    for part in group.of {
        match part {
            Part::Group(group) => tag.push(tagged(group, marks)),
            Part::Mark(mark) => {
                if let Some(mark) = marks.get_mut(mark).and_then(Option::take) {
                    tag.push(Node::Leaf(mark));
                }
            }
        }
    }
    tag
}

/// Headings under headings.
fn outline_of(headings: &[Heading]) -> Outline {
    let mut outline = Outline::new();
    let mut rest = headings;
    while !rest.is_empty() {
        let (node, after) = node_of(rest);
        node.into_iter().for_each(|it| outline.push_child(it));
        rest = after;
    }
    outline
}

fn node_of(headings: &[Heading]) -> (Option<OutlineNode>, &[Heading]) {
    let Some((first, mut rest)) = headings.split_first() else { return (None, &[]) };
    let to = XyzDestination::new(first.spot.page, Point::from_xy(0.0, first.spot.y));
    let mut node = OutlineNode::new(first.text.clone(), to);
    while rest.first().is_some_and(|it| first.level < it.level) {
        let (child, after) = node_of(rest);
        child.into_iter().for_each(|it| node.push_child(it));
        rest = after;
    }
    (Some(node), rest)
}

fn metadata(document: &Document, language: Language) -> Metadata {
    let seconds = i64::try_from(document.opened_unix_ms / 1000).unwrap_or(0);
    let metadata = Metadata::new()
        .title(document.title.clone())
        .language(language.code().to_owned())
        .creator("Vuoro".to_owned())
        .document_id(document.session.to_string());
    match time::OffsetDateTime::from_unix_timestamp(seconds) {
        Ok(at) => metadata.creation_date(
            DateTime::new(u16::try_from(at.year()).unwrap_or(0))
                .month(at.month().into())
                .day(at.day())
                .hour(at.hour())
                .minute(at.minute())
                .second(at.second()),
        ),
        Err(_) => metadata,
    }
}
