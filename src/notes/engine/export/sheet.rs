//! Tables: one row a line, for calculating and for other programs. No cell can become a formula: what
//! a spreadsheet would take for one is given an apostrophe before it.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use crate::notes::engine::export::{Document, Line, Look, clock, outline::speaker, words::Words};

/// Without this, Excel takes the file for Latin-1 and spoils every ä.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The columns' names.
pub fn header(words: &'static Words) -> [&'static str; 10] {
    [
        words.number,
        words.time,
        words.start_ms,
        words.end_ms,
        words.room,
        words.phase,
        words.kind,
        words.who,
        words.language,
        words.text,
    ]
}

/// One line's cells, in the order of the columns. They are people's words as they are: not yet safe.
pub fn row<'a>(
    document: &'a Document,
    line: &'a Line,
    look: Look,
    words: &'static Words,
) -> [Cow<'a, str>; 10] {
    let step = line.step.and_then(|it| document.steps.get(it));
    let phase = step.and_then(|it| document.phase(it));
    [
        line.seq.to_string().into(),
        clock(line.span.start).into(),
        line.span.start.as_ms().to_string().into(),
        line.span.end.as_ms().to_string().into(),
        words.room(line.room).into(),
        phase.map_or("", |it| it.name.in_language(look.language)).into(),
        words.kind(line.kind).into(),
        speaker(document, line, words),
        line.language.map_or("", |it| it.code()).into(),
        line.text.as_str().into(),
    ]
}

/// RFC 4180, with a header, in UTF-8.
pub fn write_csv(
    document: &Document,
    look: Look,
    out: &mut dyn Write,
    told: &mut dyn FnMut(usize),
) -> io::Result<()> {
    let words = Words::in_language(look.language);
    out.write_all(BYTE_ORDER_MARK.as_bytes())?;
    let mut table =
        ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(out);
    table.write_record(header(words))?;
    for (line, count) in document.shown().iter().zip(1..) {
        let cells = row(document, line, look, words).map(safe);
        table.write_record(cells.iter().map(|it| it.as_bytes()))?;
        told(count);
    }
    table.flush()
}

/// A cell that no spreadsheet takes for a formula, whatever stands in it. Source: OWASP, CSV
/// injection; the wide forms are what Japanese input makes of the same marks.
fn safe(cell: Cow<'_, str>) -> Cow<'_, str> {
    let first = cell.trim_start().chars().next();
    let formula =
        matches!(first, Some('=' | '+' | '-' | '@' | '|' | '%' | '＝' | '＋' | '－' | '＠'));
    if formula { format!("'{cell}").into() } else { cell }
}
