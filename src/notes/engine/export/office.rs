//! Documents for offices: DOCX with real headings, lists and tables, so that screen readers and tables
//! of contents find their way; XLSX with one row a line. People's words stand in them as text alone:
//! no cell is ever written as a formula, no word as a field or a link.

use std::io::{self, Cursor, Write};

use docx_rs::{
    AbstractNumbering, Docx, IndentLevel, Level, LevelJc, LevelText, LineSpacing, LineSpacingType,
    NumberFormat, Numbering, NumberingId, PageMargin, Paragraph, Run, RunFonts, Start, Style,
    StyleType, Table, TableBorder, TableBorderPosition, TableBorders, TableCell, TableRow,
    WidthType,
};
use rust_xlsxwriter::{
    ColNum, DocProperties, ExcelDateTime, Format as CellFormat, FormatAlign, RowNum, Workbook,
    Worksheet, XlsxError,
};

use crate::notes::engine::export::{
    Document, Kind, Line, Look, clock,
    outline::{self, Block, LineMark},
    sheet,
    words::Words,
};

const BULLETS: usize = 2;

/// The first list of numbers; each list of phases begins anew, and so has one of its own.
const NUMBERS: usize = 3;

/// Lists in lists: deeper ones stand as deep as this, which is as deep as Word goes.
const LEVEL_MAX: usize = 8;

/// Twentieths of a point, as what follows: A4 with 25 mm beside the text.
const PAGE_WIDTH: u32 = 11_906;
const PAGE_HEIGHT: u32 = 16_838;
const MARGIN: u32 = 1_418;
const TEXT_WIDTH: usize = (PAGE_WIDTH - 2 * MARGIN) as usize;

pub fn write_docx(
    document: &Document,
    look: Look,
    out: &mut dyn Write,
    told: &mut dyn FnMut(usize),
) -> io::Result<()> {
    let mut writer = Writer { docx: styled(), lists: NUMBERS };
    for block in outline::summary(document, look) {
        writer = writer.with(&block);
    }
    for (block, index) in outline::lines(document, look) {
        writer = writer.with(&block);
        if let Some(index) = index {
            told(index + 1);
        }
    }
    let mut bytes = Cursor::new(Vec::new());
    writer.docx.build().pack(&mut bytes).map_err(io::Error::other)?;
    out.write_all(bytes.get_ref())
}

fn styled() -> Docx {
    let heading = |level: usize, size: usize, color: &str| {
        Style::new(format!("Heading{level}"), StyleType::Paragraph)
            .name(format!("heading {level}"))
            .based_on("Normal")
            .next("Normal")
            .q_format(true)
            .outline_lvl(level - 1)
            .size(size)
            .bold()
            .color(color)
            .line_spacing(auto_spacing().before(280).after(100))
    };
    let quote = Style::new("Quote", StyleType::Paragraph).name("Quote").italic().size(26).indent(
        Some(400),
        None,
        None,
        None,
    );
    let list = |id: usize, format: &str, sign: &str| {
        (0..=LEVEL_MAX).fold(AbstractNumbering::new(id), |numbering, at| {
            let level = Level::new(
                at,
                Start::new(1),
                NumberFormat::new(format),
                LevelText::new(sign),
                LevelJc::new("left"),
            );
            let left = 480 + 360 * i32::try_from(at).unwrap_or(0);
            let indent = docx_rs::SpecialIndentType::Hanging(320);
            numbering.add_level(level.indent(Some(left), Some(indent), None, None))
        })
    };
    let margin = i32::try_from(MARGIN).unwrap_or(0);
    Docx::new()
        .page_size(PAGE_WIDTH, PAGE_HEIGHT)
        .page_margin(PageMargin::new().top(margin).bottom(margin).left(margin).right(margin))
        .default_fonts(RunFonts::new().ascii("Calibri").hi_ansi("Calibri").cs("Calibri"))
        .default_size(22)
        .default_line_spacing(auto_spacing().after(120).line(276))
        .add_style(heading(1, 44, "1D2420"))
        .add_style(heading(2, 32, "245740"))
        .add_style(heading(3, 26, "245740"))
        .add_style(heading(4, 23, "1D2420"))
        .add_style(quote)
        .add_abstract_numbering(list(BULLETS, "bullet", "•"))
        .add_numbering(Numbering::new(BULLETS, BULLETS))
        .add_abstract_numbering(list(NUMBERS, "decimal", "%1."))
}

/// As tall as the letters ask for; without saying so, some readers take the lines' height for fixed.
fn auto_spacing() -> LineSpacing {
    LineSpacing::new().line_rule(LineSpacingType::Auto)
}

struct Writer {
    docx: Docx,
    lists: usize,
}

impl Writer {
    fn with(mut self, block: &Block<'_>) -> Self {
        match block {
            Block::Title(text) => self.add(Paragraph::new().style("Heading1").add_run(run(text))),
            Block::Heading(level, text) => {
                let style = format!("Heading{level}");
                self.add(Paragraph::new().style(&style).keep_next(true).add_run(run(text)))
            }
            Block::Text(text) => self.add(Paragraph::new().add_run(run(text))),
            Block::Quote(text) => self.add(Paragraph::new().style("Quote").add_run(run(text))),
            Block::Facts(facts) => {
                self.docx = self.docx.add_table(table(facts));
                self
            }
            Block::Items(items) => {
                let item = |it: &String| listed(BULLETS).add_run(run(it));
                items.iter().map(item).fold(self, Writer::add)
            }
            Block::Tree(tree) => tree.iter().fold(self, |writer, branch| {
                let level = IndentLevel::new(usize::from(branch.depth).min(LEVEL_MAX));
                let item = Paragraph::new().numbering(NumberingId::new(BULLETS), level);
                writer.add(item.add_run(run(&branch.text)))
            }),
            Block::Phases(phases) => {
                let list = self.lists;
                self.lists += 1;
                let begins = docx_rs::LevelOverride::new(0).start(1);
                let numbering = Numbering::new(list, NUMBERS).add_override(begins);
                self.docx = self.docx.add_numbering(numbering);
                phases.iter().fold(self, |writer, phase| {
                    let length = match phase.length.is_empty() {
                        true => String::new(),
                        false => format!(" ({})", phase.length),
                    };
                    let name = run(&phase.name).bold();
                    writer.add(listed(list).add_run(name).add_run(run(&length)))
                })
            }
            Block::Line(LineMark { at, who, kind, text, .. }) => {
                let kind = kind.map(|it| format!(", {it}")).unwrap_or_default();
                let line = Paragraph::new()
                    .add_run(run(&format!("{at} ")).color("55605A"))
                    .add_run(run(who).bold())
                    .add_run(run(&format!("{kind}: ")))
                    .add_run(run(text));
                self.add(line)
            }
        }
    }

    fn add(mut self, paragraph: Paragraph) -> Self {
        self.docx = self.docx.add_paragraph(paragraph);
        self
    }
}

fn listed(list: usize) -> Paragraph {
    Paragraph::new().numbering(NumberingId::new(list), IndentLevel::new(0))
}

/// Text with its breaks.
fn run(text: &str) -> Run {
    let mut lines = text.split('\n');
    let first = Run::new().add_text(lines.next().unwrap_or_default());
    lines.fold(first, |run, line| run.add_break(docx_rs::BreakType::TextWrapping).add_text(line))
}

/// A thin line below each row, as on the page and in the PDF.
fn table(facts: &[(&'static str, String)]) -> Table {
    let cell = |text: &str, width: usize, bold: bool| {
        let run = if bold { run(text).bold() } else { run(text).color("55605A") };
        let close = auto_spacing().before(50).after(50);
        let paragraph = Paragraph::new().line_spacing(close).add_run(run);
        TableCell::new().width(width, WidthType::Dxa).add_paragraph(paragraph)
    };
    let (labels, values) = (TEXT_WIDTH * 2 / 5, TEXT_WIDTH * 3 / 5);
    let row = |(label, value): &(&str, String)| {
        TableRow::new(vec![cell(label, labels, false), cell(value, values, true)])
    };
    let thin = |position| TableBorder::new(position).color("DDE3DE").size(4);
    let borders = TableBorders::with_empty()
        .set(thin(TableBorderPosition::InsideH))
        .set(thin(TableBorderPosition::Bottom));
    Table::new(facts.iter().map(row).collect())
        .set_grid(vec![labels, values])
        .width(TEXT_WIDTH, WidthType::Dxa)
        .set_borders(borders)
}

/// A sheet of lines and one of figures. Numbers are numbers, so that they can be counted with.
pub fn write_xlsx(
    document: &Document,
    look: Look,
    out: &mut dyn Write,
    told: &mut dyn FnMut(usize),
) -> io::Result<()> {
    let bytes = workbook(document, look, told).map_err(io::Error::other)?;
    out.write_all(&bytes)
}

fn workbook(
    document: &Document,
    look: Look,
    told: &mut dyn FnMut(usize),
) -> Result<Vec<u8>, XlsxError> {
    let words = Words::in_language(look.language);
    let bold = CellFormat::new().set_bold();
    let wrapped = CellFormat::new().set_text_wrap().set_align(FormatAlign::Top);
    let left = wrapped.clone().set_align(FormatAlign::Left);
    let mut workbook = Workbook::new();
    // The clock is not asked: the same document is the same file.
    let opened = i64::try_from(document.opened_unix_ms / 1000).unwrap_or(0);
    let properties = DocProperties::new()
        .set_title(&document.title)
        .set_creation_datetime(&ExcelDateTime::from_timestamp(opened)?);
    workbook.set_properties(&properties);

    if !document.shown().is_empty() {
        // A word stands clear of the number beside it.
        let spaced = CellFormat::new().set_align(FormatAlign::Top).set_indent(1);
        let name = spaced.clone().set_align(FormatAlign::Left);
        let text = name.clone().set_text_wrap();
        let formats = [spaced.set_align(FormatAlign::Right), name, text];
        let lines = workbook.add_worksheet();
        lines.set_name(words.text)?;
        for (name, column) in sheet::header(words).iter().zip(0..) {
            let side = if is_number(column) { FormatAlign::Right } else { FormatAlign::Left };
            let heading = bold.clone().set_align(side).set_indent(1);
            lines.write_string_with_format(0, column, *name, &heading)?;
            lines.set_column_width(column, width(column))?;
        }
        for (line, row) in document.shown().iter().zip(1..) {
            write_row(lines, row, document, line, look, &formats)?;
            told(row as usize);
        }
        let last = RowNum::try_from(document.shown().len()).unwrap_or(RowNum::MAX);
        lines.autofilter(0, 0, last, TEXT_COLUMN)?;
        lines.set_freeze_panes(1, 0)?;
        // On paper: all columns beside one another, and the header on each page.
        lines.set_landscape().set_print_fit_to_pages(1, 0).set_repeat_rows(0, 0)?;
    }
    let figures = workbook.add_worksheet();
    figures.set_name(words.summary)?;
    figures.set_column_width(0, 42)?;
    figures.set_column_width(1, 60)?;
    figures.set_print_fit_to_pages(1, 0);
    figures.write_string_with_format(0, 0, &document.title, &bold)?;
    let mut row = 2;
    for (label, value) in outline::facts(document, look) {
        figures.write_string(row, 0, label)?;
        match value.parse::<u32>() {
            Ok(number) => figures.write_number_with_format(row, 1, number, &left)?,
            Err(_) => figures.write_string_with_format(row, 1, &value, &left)?,
        };
        row += 1;
    }
    for run in &document.runs {
        row += 1;
        let name = run.method.name.in_language(look.language);
        figures.write_string_with_format(row, 0, name, &bold)?;
        figures.write_string_with_format(row, 1, &run.question, &wrapped)?;
        for (room, text) in &run.chosen {
            row += 1;
            figures.write_string(row, 0, words.room(*room))?;
            figures.write_string_with_format(row, 1, text, &wrapped)?;
        }
        for idea in &run.ideas {
            row += 1;
            match idea.votes {
                Some(votes) => figures.write_number(row, 0, votes)?,
                None => figures.write_string(row, 0, words.kind(Kind::Idea))?,
            };
            let text = outline::idea_text(&idea.text, words);
            figures.write_string_with_format(row, 1, text, &wrapped)?;
            for source in &idea.from {
                row += 1;
                let who = source.by.map_or("", |it| document.name(it));
                figures.write_string(row, 0, who)?;
                let text = outline::idea_text(&source.text, words);
                let indented = wrapped.clone().set_indent(source.depth.min(LEVEL_MAX as u8));
                figures.write_string_with_format(row, 1, text, &indented)?;
            }
        }
        for card in &run.ranking {
            row += 1;
            figures.write_number(row, 0, card.points)?;
            figures.write_string_with_format(row, 1, &card.text, &wrapped)?;
        }
        row += 1;
    }
    workbook.save_to_buffer()
}

/// Of what was said or written, in `sheet::header`.
const TEXT_COLUMN: ColNum = 9;

fn width(column: ColNum) -> f64 {
    match column {
        TEXT_COLUMN => 80.0,
        4..=7 => 24.0,
        _ => 13.0,
    }
}

fn is_number(column: ColNum) -> bool {
    matches!(column, 0..=3)
}

fn write_row(
    lines: &mut Worksheet,
    row: RowNum,
    document: &Document,
    line: &Line,
    look: Look,
    [number, name, text]: &[CellFormat; 3],
) -> Result<(), XlsxError> {
    let words = Words::in_language(look.language);
    let cells = sheet::row(document, line, look, words);
    for (cell, column) in cells.iter().zip(0..) {
        match column {
            1 => {
                let at = clock(line.span.start);
                lines.write_string_with_format(row, column, at, number)?;
            }
            _ if is_number(column) => {
                let value = cell.parse::<f64>().unwrap_or_default();
                lines.write_number_with_format(row, column, value, number)?;
            }
            _ => {
                let format = if column == TEXT_COLUMN { text } else { name };
                lines.write_string_with_format(row, column, cell.as_ref(), format)?;
            }
        }
    }
    Ok(())
}
