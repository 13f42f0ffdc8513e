//! Captions of one room: WebVTT (W3C) and SubRip, to lie beside a recording that somebody else made.
//! Only what was said; the time is the session's own.

use std::io::{self, Write};

use crate::{
    domain::time::{SessionTime, Span},
    notes::engine::export::{Document, Kind, Line, Look, outline::speaker, words::Words},
};

/// A caption is shown for at least so long, in ms: less cannot be read at all.
const SHOWN_MS_MIN: u64 = 700;

fn said(document: &Document) -> Vec<&Line> {
    let mut lines: Vec<_> = document.shown().iter().filter(|it| it.kind == Kind::Said).collect();
    lines.sort_by_key(|it| (it.span.start, it.seq));
    lines
}

pub fn write_vtt(
    document: &Document,
    look: Look,
    out: &mut dyn Write,
    told: &mut dyn FnMut(usize),
) -> io::Result<()> {
    let words = Words::in_language(look.language);
    write!(out, "WEBVTT\n\n")?;
    for (line, count) in said(document).into_iter().zip(1..) {
        let Span { start, end } = shown(line);
        let who = vtt_safe(&on_one_line(&speaker(document, line, words)));
        let text = vtt_safe(&on_one_line(&line.text));
        let text = match line.language {
            Some(language) => format!("<lang {}>{text}</lang>", language.code()),
            None => text,
        };
        let (start, end) = (stamp(start, '.'), stamp(end, '.'));
        write!(out, "{}\n{start} --> {end}\n<v {who}>{text}</v>\n\n", line.seq)?;
        told(count);
    }
    Ok(())
}

pub fn write_srt(
    document: &Document,
    look: Look,
    out: &mut dyn Write,
    told: &mut dyn FnMut(usize),
) -> io::Result<()> {
    let words = Words::in_language(look.language);
    for (line, count) in said(document).into_iter().zip(1..) {
        let Span { start, end } = shown(line);
        let who = srt_safe(&on_one_line(&speaker(document, line, words)));
        let text = srt_safe(&on_one_line(&line.text));
        let (start, end) = (stamp(start, ','), stamp(end, ','));
        write!(out, "{count}\r\n{start} --> {end}\r\n{who}: {text}\r\n\r\n")?;
        told(count);
    }
    Ok(())
}

fn shown(line: &Line) -> Span {
    let Span { start, end } = line.span;
    Span::new(start, end.max(start + SHOWN_MS_MIN))
}

fn stamp(at: SessionTime, point: char) -> String {
    let (s, ms) = (at.as_ms() / 1000, at.as_ms() % 1000);
    format!("{:02}:{:02}:{:02}{point}{ms:03}", s / 3600, s / 60 % 60, s % 60)
}

/// An empty line would end the cue.
fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What opens a tag, ends a name or stands in an arrow is written as an entity.
fn vtt_safe(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// SubRip has no way to write these; players take some for markup. Signs that look alike stand in.
fn srt_safe(text: &str) -> String {
    text.replace('<', "‹").replace('>', "›").replace('{', "(").replace('}', ")")
}
