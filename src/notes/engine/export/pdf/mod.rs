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
    destination::XyzDestination,
    geom::Point,
    metadata::{DateTime, Metadata},
    outline::{Outline, OutlineNode},
    tagging::{Identifier, ListNumbering, Node, TableHeaderScope, Tag, TagGroup, TagKind, TagTree},
};

use crate::{
    domain::language::Language,
    notes::engine::export::{
        Document, Look,
        outline::{self, Block, Branch, LineMark},
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

/// How much further to the right a list within a list stands, in points.
const DEEPER: f32 = 16.0;

/// Lists in lists: deeper ones stand no further to the right than this, and are as deep all the same.
const DEPTH_SEEN_MAX: u8 = 8;

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
    let settings = SerializeSettings {
        configuration: Configuration::new_with_validator(Validator::UA1),
        ..SerializeSettings::default()
    };
    let pages = Pages::new(&fonts, Pdf::new_with(settings))?;
    let mut setting = Setting { document, pages, tree: Vec::new(), at: Vec::new() };
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
    tag: TagKind,
    of: Vec<Part>,
}

enum Part {
    Group(Group),
    /// One of the marks of `Pages`.
    Mark(usize),
}

impl Group {
    fn new(tag: impl Into<TagKind>, of: Vec<Part>) -> Self {
        Self { tag: tag.into(), of }
    }

    fn of_marks(tag: impl Into<TagKind>, marks: Marks) -> Self {
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
            Block::Title(text) => self.title(text),
            Block::Heading(level @ 2, text) => self.heading(*level, text, None, PART),
            Block::Heading(level @ 3, text) => self.heading(*level, text, None, PHASE),
            Block::Heading(level, text) => self.heading(*level, text, None, ROOM),
            Block::Text(text) => self.paragraph(Tag::P, &[Piece::new(text, Ink::Text)], TEXT),
            Block::Quote(text) => {
                let piece = Piece::new(text, Ink::Heading).in_language(self.document.language);
                let (marks, _) = self.pages.paragraph(&[piece], QUOTE);
                let paragraph = Part::Group(Group::of_marks(Tag::P, marks));
                self.tree.push(Group::new(Tag::BlockQuote, vec![paragraph]));
            }
            Block::Facts(facts) => self.table(facts),
            Block::Items(items) => {
                let item = |text: &String| Branch { depth: 0, text: text.clone() };
                let items: Vec<Branch> = items.iter().map(item).collect();
                self.nested(&items);
            }
            Block::Tree(branches) => self.nested(branches),
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

    fn paragraph(&mut self, tag: impl Into<TagKind>, pieces: &[Piece], style: Style) {
        let (marks, _) = self.pages.paragraph(pieces, style);
        self.tree.push(Group::of_marks(tag, marks));
    }

    /// People have chosen it, in the language of their session. A document has one in any case.
    fn title(&mut self, text: &str) {
        self.heading(1, named(text), Some(self.document.language), TITLE);
    }

    fn heading(&mut self, level: u8, text: &str, language: Option<Language>, style: Style) {
        let ink = if level == 1 { Ink::Strong } else { Ink::Heading };
        let piece = Piece { language, ..Piece::new(text, ink).bold() };
        let (marks, spot) = self.pages.paragraph(&[piece], style);
        let number = NonZeroU16::new(level.into()).unwrap_or(NonZeroU16::MIN);
        self.tree.push(Group::of_marks(Tag::Hn(number, Some(text.to_owned())), marks));
        self.at.push(Heading { level, text: text.to_owned(), spot });
    }

    fn list(&mut self, numbering: ListNumbering, items: Vec<(String, Vec<Piece>)>) {
        let mut list = Group::new(Tag::L(numbering), Vec::new());
        for (sign, pieces) in items {
            list.of.push(self.item(&sign, &pieces, 0, None));
        }
        self.tree.push(list);
    }

    /// A list in whose items there may be lists.
    fn nested(&mut self, branches: &[Branch]) {
        let mut rest = branches;
        let list = self.branches(&mut rest, 0);
        self.tree.push(list);
    }

    /// Takes what belongs to the list at this depth.
    fn branches(&mut self, rest: &mut &[Branch], depth: u8) -> Group {
        let mut list = Group::new(Tag::L(ListNumbering::Disc), Vec::new());
        while let Some((first, after)) = rest.split_first().filter(|it| depth <= it.0.depth) {
            *rest = after;
            let words = Piece::new(&first.text, Ink::Text).in_language(self.document.language);
            let sign = if depth.is_multiple_of(2) { "•" } else { "–" };
            list.of.push(self.item(sign, &[words], depth, Some(&mut *rest)));
        }
        list
    }

    /// `under`: what may stand in a list within the item.
    fn item(
        &mut self,
        sign: &str,
        pieces: &[Piece],
        depth: u8,
        under: Option<&mut &[Branch]>,
    ) -> Part {
        let right = f32::from(depth.min(DEPTH_SEEN_MAX)) * DEEPER;
        let style = Style { left: ITEM.left + right, ..ITEM };
        let sign = Piece::new(sign, Ink::Faint);
        let (sign, body) = self.pages.item(&sign, SIGN_LEFT + right, pieces, style);
        let mut body = Group::of_marks(Tag::LBody, body);
        if let Some(rest) = under
            && rest.first().is_some_and(|it| depth < it.depth)
        {
            body.of.push(Part::Group(self.branches(rest, depth + 1)));
        }
        let parts = [Group::of_marks(Tag::Lbl, sign), body];
        Part::Group(Group::new(Tag::LI, parts.map(Part::Group).into()))
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
        let (mut pdf, mut marks) = self.pages.finish();
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

fn tagged(group: Group, marks: &mut [Option<Identifier>]) -> TagGroup {
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

/// A document without a name could not be told from others.
fn named(title: &str) -> &str {
    if title.trim().is_empty() { "Vuoro" } else { title }
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
        .title(named(&document.title).to_owned())
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
