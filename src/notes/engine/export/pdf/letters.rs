//! From texts to glyphs, and where lines may break (Unicode annex 14). The letters are DejaVu Sans,
//! which has those of all of Europe; a sign it lacks is shown as an empty box and still is itself for
//! whoever copies, searches or listens. Lines run from left to right: of writing from right to left each
//! word is right, and the order of several words is not.

use std::ops::Range;

use krilla::text::{Font, GlyphId, KrillaGlyph};
use rustybuzz::UnicodeBuffer;
use unicode_linebreak::{BreakOpportunity, linebreaks};

use crate::domain::language::Language;

/// Stands for a sign that the letters lack.
const BOX: char = '□';

/// How a text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    Text,
    Strong,
    Faint,
    Heading,
}

/// A text that looks the same throughout.
#[derive(Clone, Debug)]
pub struct Piece {
    pub text: String,
    pub ink: Ink,
    pub bold: bool,
    /// Where it is another than that of the document.
    pub language: Option<Language>,
}

impl Piece {
    pub fn new(text: &str, ink: Ink) -> Self {
        Self { text: text.to_owned(), ink, bold: ink == Ink::Strong, language: None }
    }

    pub fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub fn in_language(self, language: Language) -> Self {
        Self { language: Some(language), ..self }
    }
}

struct Face {
    font: Font,
    shapes: rustybuzz::Face<'static>,
    /// Glyph of [`BOX`] and its width in ems.
    missing: (u32, f32),
}

impl Face {
    fn new(bytes: &'static [u8]) -> Option<Self> {
        let font = Font::new(bytes.into(), 0)?;
        let shapes = rustybuzz::Face::from_slice(bytes, 0)?;
        let glyph = shapes.glyph_index(BOX)?;
        let width = f32::from(shapes.glyph_hor_advance(glyph)?) / shapes.units_per_em() as f32;
        Some(Self { font, shapes, missing: (glyph.0.into(), width) })
    }

    /// The glyphs of a text from left to right.
    fn shape(&self, text: &str) -> Vec<KrillaGlyph> {
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(text);
        buffer.guess_segment_properties();
        let shaped = rustybuzz::shape(&self.shapes, &[], buffer);
        let mut starts: Vec<usize> =
            shaped.glyph_infos().iter().map(|it| it.cluster as usize).collect();
        starts.push(text.len());
        starts.sort_unstable();
        starts.dedup();
        let em = self.shapes.units_per_em() as f32;
        let glyphs = shaped.glyph_infos().iter().zip(shaped.glyph_positions());
        glyphs
            .map(|(info, position)| {
                let start = info.cluster as usize;
                let after = starts.partition_point(|it| *it <= start);
                let end = starts.get(after).copied().unwrap_or(text.len());
                let (glyph, width) = match info.glyph_id {
                    0 => self.missing,
                    id => (id, position.x_advance as f32 / em),
                };
                KrillaGlyph::new(
                    GlyphId::new(glyph),
                    width,
                    position.x_offset as f32 / em,
                    position.y_offset as f32 / em,
                    0.0,
                    start..end,
                    None,
                )
            })
            .collect()
    }
}

/// Part of a line that looks the same throughout.
pub struct Run {
    pub text: String,
    pub glyphs: Vec<KrillaGlyph>,
    pub bold: bool,
    pub ink: Ink,
    pub language: Option<Language>,
    /// In ems.
    pub width: f32,
}

pub struct Fonts {
    regular: Face,
    bold: Face,
}

impl Fonts {
    /// `None`: they are not what they should be.
    pub fn new() -> Option<Self> {
        let (regular, bold) = (dejavu::sans::regular(), dejavu::sans::bold());
        Some(Self { regular: Face::new(regular)?, bold: Face::new(bold)? })
    }

    fn face(&self, bold: bool) -> &Face {
        if bold { &self.bold } else { &self.regular }
    }

    pub fn font(&self, bold: bool) -> Font {
        self.face(bold).font.clone()
    }

    /// A text in lines no wider than `width`, in ems. There is at least one.
    pub fn lines(&self, pieces: &[Piece], width: f32) -> Vec<Vec<Run>> {
        let whole: String = pieces.iter().map(|it| it.text.as_str()).collect();
        let mut lines = Lines { lines: vec![Vec::new()], filled: 0.0, width };
        let mut start = 0;
        for (end, opportunity) in linebreaks(&whole) {
            let word = self.runs(pieces, start, end);
            lines.add(self, word);
            if opportunity == BreakOpportunity::Mandatory && end < whole.len() {
                lines.end();
            }
            start = end;
        }
        lines.lines
    }

    /// What stands from `start` to `end` in all the pieces together. Breaks are not part of it.
    fn runs(&self, pieces: &[Piece], start: usize, end: usize) -> Vec<Run> {
        let mut runs = Vec::new();
        let mut at = 0;
        for piece in pieces {
            let from = start.clamp(at, at + piece.text.len()) - at;
            let to = end.clamp(at, at + piece.text.len()) - at;
            at += piece.text.len();
            let text = piece.text.get(from..to).unwrap_or_default().trim_end_matches('\n');
            if !text.is_empty() {
                runs.push(self.run(piece, text));
            }
        }
        runs
    }

    fn run(&self, piece: &Piece, text: &str) -> Run {
        let glyphs = self.face(piece.bold).shape(text);
        Run {
            text: text.to_owned(),
            width: width(&glyphs),
            glyphs,
            bold: piece.bold,
            ink: piece.ink,
            language: piece.language,
        }
    }
}

fn width(glyphs: &[KrillaGlyph]) -> f32 {
    glyphs.iter().map(|it| it.x_advance).sum()
}

struct Lines {
    lines: Vec<Vec<Run>>,
    /// Of the last one, in ems.
    filled: f32,
    width: f32,
}

impl Lines {
    fn end(&mut self) {
        self.lines.push(Vec::new());
        self.filled = 0.0;
    }

    /// What may not be broken, but where it is wider than a line.
    fn add(&mut self, fonts: &Fonts, word: Vec<Run>) {
        let space = |run: &Run| {
            let spaces = run.text.chars().rev().take_while(|it| *it == ' ').count();
            spaces as f32 * width(&fonts.face(run.bold).shape(" "))
        };
        let all: f32 = word.iter().map(|it| it.width).sum();
        // A space at the end may stand beyond the edge: nobody sees it.
        let seen = all - word.last().map_or(0.0, space);
        if self.width < self.filled + seen && 0.0 < self.filled {
            self.end();
        }
        if seen <= self.width {
            word.into_iter().for_each(|it| self.put(it));
            return;
        }
        for run in word {
            for sign in run.text.chars() {
                let piece = Piece {
                    text: String::new(),
                    ink: run.ink,
                    bold: run.bold,
                    language: run.language,
                };
                let sign = fonts.run(&piece, sign.encode_utf8(&mut [0; 4]));
                if self.width < self.filled + sign.width {
                    self.end();
                }
                self.put(sign);
            }
        }
    }

    fn put(&mut self, run: Run) {
        self.filled += run.width;
        let Some(line) = self.lines.last_mut() else { return };
        match line.last_mut() {
            Some(last)
                if (last.bold, last.ink, last.language) == (run.bold, run.ink, run.language) =>
            {
                let from = last.text.len();
                last.glyphs.extend(run.glyphs.into_iter().map(|it| {
                    let Range { start, end } = it.text_range;
                    KrillaGlyph { text_range: from + start..from + end, ..it }
                }));
                last.text.push_str(&run.text);
                last.width += run.width;
            }
            _ => line.push(run),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, width: f32, expect: &[&str]) {
        let fonts = Fonts::new().expect("letters");
        let lines = fonts.lines(&[Piece::new(text, Ink::Text)], width);
        let told: Vec<String> =
            lines.iter().map(|it| it.iter().map(|it| it.text.as_str()).collect()).collect();
        assert_eq!(told, expect, "{text:?}");
        for run in lines.iter().flatten() {
            // Each glyph stands for a whole part of the text.
            assert!(run.glyphs.iter().all(|it| run.text.get(it.text_range.clone()).is_some()));
        }
    }

    #[test]
    fn lines_break_where_they_may_and_long_words_where_they_must() {
        check("", 10.0, &[""]);
        check("Pitkä pöytä torille", 100.0, &["Pitkä pöytä torille"]);
        check("Pitkä pöytä torille", 4.0, &["Pitkä ", "pöytä ", "torille"]);
        check("yksi\nkaksi", 100.0, &["yksi", "kaksi"]);
        check("mmmmmm", 2.5, &["mm", "mm", "mm"]);
        check("Åland 中 👩\u{200d}👧 שלום", 100.0, &["Åland 中 👩\u{200d}👧 שלום"]);
    }
}
