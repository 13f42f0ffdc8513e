//! Sets paragraphs, rows and items on pages of A4, and draws each page as soon as it is full, so that
//! glyphs are held for one page only. Measures are in points from the upper left corner. It knows no
//! document, and not how many pages there will be.

use std::{io, ops::Range};

use krilla::{
    Document as Pdf,
    color::rgb,
    geom::{PathBuilder, Point},
    num::NormalizedF32,
    page::PageSettings,
    paint::{Fill, Stroke},
    surface::Surface,
    tagging::{ArtifactType, ContentTag, Identifier, SpanTag},
};

use crate::notes::engine::export::pdf::letters::{Fonts, Ink, Piece, Run};

const WIDTH: f32 = 595.28;
const HEIGHT: f32 = 841.89;
const MARGIN: f32 = 62.0;

/// From the lower edge to the number of the page.
const FOOT: f32 = 36.0;

const FOOT_SIZE: f32 = 9.0;

/// Of a line, as a multiple of the letters' size.
const LEADING: f32 = 1.4;

/// From the top of a line to the feet of its letters, as a multiple of their size.
const ASCENT: f32 = 1.05;

/// Lines of text that must find room under what leads to them.
const LED_LINES: f32 = 2.0;

const VALUE_LEFT: f32 = 230.0;

/// Grey enough to be seen and light enough to stay behind.
const RULE: (u8, u8, u8) = (0xc9, 0xcf, 0xcb);

/// How a paragraph stands.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub size: f32,
    pub before: f32,
    pub after: f32,
    pub left: f32,
    /// Leads to what follows, and must not stand alone at the foot of a page.
    pub leads: bool,
}

impl Style {
    fn line(&self) -> f32 {
        self.size * LEADING
    }
}

/// Where something begins.
#[derive(Clone, Copy, Debug)]
pub struct Spot {
    /// From 0.
    pub page: usize,
    pub y: f32,
}

/// Numbers of the pieces that were set, in the order of reading.
pub type Marks = Range<usize>;

struct Set {
    x: f32,
    /// Of the letters' feet.
    y: f32,
    size: f32,
    run: Run,
}

#[derive(Default)]
struct Page {
    sets: Vec<Set>,
    /// Lines that only please the eye: from, to.
    rules: Vec<(Point, Point)>,
}

pub struct Pages<'a> {
    fonts: &'a Fonts,
    pdf: Pdf,
    settings: PageSettings,
    /// The one that is being filled, and how many stand before it.
    page: Page,
    before: usize,
    y: f32,
    /// Where what has been drawn stands in the file.
    marks: Vec<Option<Identifier>>,
}

impl<'a> Pages<'a> {
    /// Errors: never, as the size of a page is sound.
    pub fn new(fonts: &'a Fonts, pdf: Pdf) -> io::Result<Self> {
        let settings = PageSettings::from_wh(WIDTH, HEIGHT);
        let settings = settings.ok_or_else(|| io::Error::other("a page has no size"))?;
        let page = Page::default();
        Ok(Self { fonts, pdf, settings, page, before: 0, y: MARGIN, marks: Vec::new() })
    }

    /// How many pieces have been set.
    fn set(&self) -> usize {
        self.marks.len() + self.page.sets.len()
    }

    pub fn space(&mut self, height: f32) {
        self.y += height;
    }

    /// Sets a paragraph; it may go on on the next page.
    pub fn paragraph(&mut self, pieces: &[Piece], style: Style) -> (Marks, Spot) {
        let lines = self.lines(pieces, style, style.left, WIDTH - MARGIN);
        let led = if style.leads { LED_LINES * LEADING * 10.0 } else { 0.0 };
        let together = if style.leads { lines.len() as f32 * style.line() } else { style.line() };
        if MARGIN < self.y {
            self.space(style.before);
        }
        self.need(together + led);
        let spot = Spot { page: self.before, y: self.y };
        let from = self.set();
        for line in lines {
            self.need(style.line());
            let y = self.y + ASCENT * style.size;
            self.put(line, MARGIN + style.left, y, style.size);
            self.y += style.line();
        }
        self.space(style.after);
        (from..self.set(), spot)
    }

    /// Sets a sign and beside it what it stands for.
    pub fn item(
        &mut self,
        sign: &Piece,
        sign_left: f32,
        pieces: &[Piece],
        style: Style,
    ) -> (Marks, Marks) {
        self.need(style.line());
        let from = self.set();
        let y = self.y + ASCENT * style.size;
        for line in self.lines(std::slice::from_ref(sign), style, sign_left, WIDTH - MARGIN) {
            self.put(line, MARGIN + sign_left, y, style.size);
        }
        let signs = from..self.set();
        (signs, self.paragraph(pieces, style).0)
    }

    /// Sets two cells side by side with a rule under them; a row is never parted.
    pub fn row(&mut self, cells: &[Piece; 2], style: Style) -> [Marks; 2] {
        let [label, value] = cells;
        let label = self.lines(std::slice::from_ref(label), style, 0.0, VALUE_LEFT - 8.0);
        let value =
            self.lines(std::slice::from_ref(value), style, VALUE_LEFT - MARGIN, WIDTH - MARGIN);
        let height = label.len().max(value.len()) as f32 * style.line() + 4.0;
        self.need(height);
        let top = self.y + 2.0 + ASCENT * style.size;
        let mut column = |lines: Vec<Vec<Run>>, x: f32| {
            let from = self.set();
            for (line, number) in lines.into_iter().zip(0_u16..) {
                self.put(line, x, top + f32::from(number) * style.line(), style.size);
            }
            from..self.set()
        };
        let marks = [column(label, MARGIN), column(value, VALUE_LEFT)];
        self.y += height;
        let (left, right) =
            (Point::from_xy(MARGIN, self.y), Point::from_xy(WIDTH - MARGIN, self.y));
        self.page.rules.push((left, right));
        marks
    }

    fn lines(&self, pieces: &[Piece], style: Style, left: f32, right: f32) -> Vec<Vec<Run>> {
        self.fonts.lines(pieces, (right - MARGIN - left) / style.size)
    }

    /// Goes to the next page where there is no room for so much.
    fn need(&mut self, height: f32) {
        if HEIGHT - MARGIN < self.y + height && MARGIN < self.y {
            self.draw();
            self.y = MARGIN;
        }
    }

    fn put(&mut self, line: Vec<Run>, left: f32, y: f32, size: f32) {
        let mut x = left;
        for run in line {
            let width = run.width * size;
            self.page.sets.push(Set { x, y, size, run });
            x += width;
        }
    }

    /// The file, and where each mark stands in it.
    pub fn finish(mut self) -> (Pdf, Vec<Option<Identifier>>) {
        self.draw();
        (self.pdf, self.marks)
    }

    fn draw(&mut self) {
        let Page { sets, rules } = std::mem::take(&mut self.page);
        self.before += 1;
        let mut drawn = self.pdf.start_page_with(self.settings.clone());
        let mut surface = drawn.surface();
        for set in sets {
            let language = set.run.language.map(|it| it.code());
            let span = SpanTag::empty().with_lang(language);
            self.marks.push(Some(surface.start_tagged(ContentTag::Span(span))));
            draw_set(&mut surface, self.fonts, &set);
            surface.end_tagged();
        }
        draw_rules(&mut surface, &rules);
        let number = Piece::new(&self.before.to_string(), Ink::Faint);
        for run in self.fonts.lines(&[number], WIDTH).into_iter().flatten() {
            let x = (WIDTH - run.width * FOOT_SIZE) / 2.0;
            surface.start_tagged(ContentTag::Artifact(ArtifactType::Footer));
            draw_set(&mut surface, self.fonts, &Set { x, y: HEIGHT - FOOT, size: FOOT_SIZE, run });
            surface.end_tagged();
        }
        surface.finish();
        drawn.finish();
    }
}

fn draw_set(surface: &mut Surface<'_>, fonts: &Fonts, Set { x, y, size, run }: &Set) {
    let (red, green, blue) = match run.ink {
        Ink::Text | Ink::Strong => (0x1d, 0x24, 0x20),
        Ink::Faint => (0x55, 0x60, 0x5a),
        Ink::Heading => (0x24, 0x57, 0x40),
    };
    let paint = rgb::Color::new(red, green, blue).into();
    surface.set_fill(Some(Fill { paint, opacity: NormalizedF32::ONE, rule: Default::default() }));
    let font = fonts.font(run.bold);
    surface.draw_glyphs(Point::from_xy(*x, *y), &run.glyphs, font, &run.text, *size, false);
}

fn draw_rules(surface: &mut Surface<'_>, rules: &[(Point, Point)]) {
    for (from, to) in rules {
        let mut path = PathBuilder::new();
        path.move_to(from.x, from.y);
        path.line_to(to.x, to.y);
        let Some(path) = path.finish() else { continue };
        surface.start_tagged(ContentTag::Artifact(ArtifactType::Other));
        surface.set_fill(None);
        let paint = rgb::Color::new(RULE.0, RULE.1, RULE.2).into();
        surface.set_stroke(Some(Stroke { paint, width: 0.6, ..Stroke::default() }));
        surface.draw_path(&path);
        surface.set_stroke(None);
        surface.end_tagged();
    }
}
