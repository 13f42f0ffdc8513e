//! Markdown (CommonMark): the outline as text that any editor opens. No word of people's can become
//! markup: whatever could be is escaped.

use std::io::{self, Write};

use crate::notes::engine::export::{
    Document, Look,
    outline::{self, Block, Branch, LineMark},
};

pub fn write(
    document: &Document,
    look: Look,
    out: &mut dyn Write,
    told: &mut dyn FnMut(usize),
) -> io::Result<()> {
    for block in outline::summary(document, look) {
        write_block(out, &block)?;
    }
    for (block, index) in outline::lines(document, look) {
        write_block(out, &block)?;
        if let Some(index) = index {
            told(index + 1);
        }
    }
    Ok(())
}

fn write_block(out: &mut dyn Write, block: &Block<'_>) -> io::Result<()> {
    match block {
        Block::Title(text) => writeln!(out, "# {}\n", on_one_line(text)),
        Block::Heading(level, text) => {
            writeln!(out, "{} {}\n", "#".repeat(usize::from(*level)), on_one_line(text))
        }
        Block::Text(text) => writeln!(out, "{}\n", broken(text, "")),
        Block::Quote(text) => writeln!(out, "> {}\n", broken(text, "> ")),
        Block::Facts(facts) => {
            for (label, value) in facts {
                writeln!(out, "- {}: **{}**", escaped(label), on_one_line(value))?;
            }
            writeln!(out)
        }
        Block::Items(items) => {
            for item in items {
                writeln!(out, "- {}", broken(item, "  "))?;
            }
            writeln!(out)
        }
        Block::Tree(tree) => {
            for Branch { depth, text } in tree {
                let indent = "  ".repeat(usize::from(*depth));
                writeln!(out, "{indent}- {}", broken(text, &format!("{indent}  ")))?;
            }
            writeln!(out)
        }
        Block::Phases(phases) => {
            for (phase, number) in phases.iter().zip(1..) {
                let length = match phase.length.is_empty() {
                    true => String::new(),
                    false => format!(" ({})", escaped(&phase.length)),
                };
                writeln!(out, "{number}. {}{length}", on_one_line(&phase.name))?;
            }
            writeln!(out)
        }
        Block::Line(LineMark { at, who, kind, text, .. }) => {
            let kind = kind.map(|it| format!(", {}", escaped(it))).unwrap_or_default();
            let (who, text) = (on_one_line(who), broken(text, ""));
            writeln!(out, "{at} **{who}**{kind}: {text}\n")
        }
    }
}

fn on_one_line(text: &str) -> String {
    escaped(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Each line after the first begins with `indent`; a break is kept as one.
fn broken(text: &str, indent: &str) -> String {
    let lines = text.split('\n').map(str::trim).filter(|it| !it.is_empty());
    lines.map(escaped).collect::<Vec<_>>().join(&format!("\\\n{indent}"))
}

/// Every mark that CommonMark or its common extensions give a meaning, with a backslash before it.
/// Ordinary punctuation stays as it is, unless a line begins with it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    let mut begins = true;
    for (at, it) in text.char_indices() {
        let always = matches!(
            it,
            '\\' | '`'
                | '*'
                | '_'
                | '['
                | ']'
                | '<'
                | '>'
                | '#'
                | '|'
                | '~'
                | '&'
                | '{'
                | '}'
                | '$'
                | '^'
                | '='
        );
        let at_first = begins && matches!(it, '-' | '+' | ':');
        let numbers =
            matches!(it, '.' | ')') && 0 < at && text[..at].chars().all(|it| it.is_ascii_digit());
        // A bare address would become a link where a reader takes such for one.
        let address = it == ':' && text[at..].starts_with("://") || it == '@';
        if always || at_first || numbers || address {
            escaped.push('\\');
        }
        escaped.push(it);
        begins = begins && it.is_whitespace();
    }
    // "www." is an address without a mark of its own.
    escaped.replace("www.", "www\\.").replace("WWW.", "WWW\\.")
}
