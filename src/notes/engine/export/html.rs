//! HTML: one page that needs nothing else, to be read in any browser, by ear, and on paper. It runs
//! nothing and asks nothing of any network; its own policy forbids both. It is also well-formed XML.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use crate::notes::engine::export::{
    Document, Look,
    outline::{self, Block, Branch, LineMark, PhaseMark},
};

const STYLE: &str = include_str!("page.css");

/// A line's language stands in the page only where it is another than the page's.
pub fn write(
    document: &Document,
    look: Look,
    out: &mut dyn Write,
    told: &mut dyn FnMut(usize),
) -> io::Result<()> {
    let language = look.language.code();
    write!(
        out,
        "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"{language}\">\n<head>\n\
         <meta charset=\"utf-8\" />\n\
         <meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'\" />\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n",
        escaped(&document.title)
    )?;
    for block in outline::summary(document, look) {
        write_block(out, &block, look)?;
    }
    for (block, index) in outline::lines(document, look) {
        write_block(out, &block, look)?;
        if let Some(index) = index {
            told(index + 1);
        }
    }
    writeln!(out, "</main>\n</body>\n</html>")
}

fn write_block(out: &mut dyn Write, block: &Block<'_>, look: Look) -> io::Result<()> {
    match block {
        Block::Title(text) => writeln!(out, "<h1>{}</h1>", escaped(text)),
        Block::Heading(level, text) => writeln!(out, "<h{level}>{}</h{level}>", escaped(text)),
        Block::Text(text) => writeln!(out, "<p>{}</p>", broken(text)),
        Block::Quote(text) => writeln!(out, "<blockquote><p>{}</p></blockquote>", broken(text)),
        Block::Facts(facts) => {
            writeln!(out, "<table><tbody>")?;
            for (label, value) in facts {
                let (label, value) = (escaped(label), escaped(value));
                writeln!(out, "<tr><th scope=\"row\">{label}</th><td>{value}</td></tr>")?;
            }
            writeln!(out, "</tbody></table>")
        }
        Block::Items(items) => {
            writeln!(out, "<ul>")?;
            items.iter().try_for_each(|it| writeln!(out, "<li>{}</li>", broken(it)))?;
            writeln!(out, "</ul>")
        }
        Block::Tree(tree) => write_tree(out, tree),
        Block::Phases(phases) => {
            writeln!(out, "<ol class=\"phases\">")?;
            phases.iter().try_for_each(|it| write_phase(out, it))?;
            writeln!(out, "</ol>")
        }
        Block::Line(line) => write_line(out, line, look),
    }
}

fn write_tree(out: &mut dyn Write, tree: &[Branch]) -> io::Result<()> {
    let mut open = 0_u8;
    for Branch { depth, text } in tree {
        // A list for each step down; each step up closes an item and its list.
        if open <= *depth {
            writeln!(out, "<ul>")?;
            open += 1;
        } else {
            writeln!(out, "</li>")?;
            while depth + 1 < open {
                writeln!(out, "</ul></li>")?;
                open -= 1;
            }
        }
        write!(out, "<li>{}", escaped(text))?;
    }
    (0..open).try_for_each(|_| writeln!(out, "</li></ul>"))
}

fn write_phase(out: &mut dyn Write, phase: &PhaseMark) -> io::Result<()> {
    let dots = match phase.people {
        Some(people) => "●".repeat(usize::from(people.clamp(1, 8))),
        None => "◯".to_owned(),
    };
    let (name, length) = (escaped(&phase.name), escaped(&phase.length));
    writeln!(
        out,
        "<li><span class=\"dots\" aria-hidden=\"true\">{dots}</span> <strong>{name}</strong> \
         <span class=\"soft\">{length}</span></li>"
    )
}

fn write_line(out: &mut dyn Write, line: &LineMark<'_>, look: Look) -> io::Result<()> {
    let LineMark { at, who, kind, language, text } = line;
    let kind = kind.map(|it| format!(" <span class=\"kind\">{}</span>", escaped(it)));
    let lang = language.filter(|it| *it != look.language);
    let lang = lang.map(|it| format!(" lang=\"{}\"", it.code())).unwrap_or_default();
    writeln!(
        out,
        "<p class=\"line\"><span class=\"at\">{at}</span> <strong>{}</strong>{}: \
         <span{lang}>{}</span></p>",
        escaped(who),
        kind.unwrap_or_default(),
        broken(text)
    )
}

fn broken(text: &str) -> String {
    escaped(text).replace('\n', "<br />")
}

pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for it in text.chars() {
        match it {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(it),
        }
    }
    escaped.into()
}
