//! Captions of one room: WebVTT (W3C) and SubRip, to lie beside a recording that somebody else made.
//! Only what was said; the time is the session's own. What is too long to be read at once comes in parts,
//! each when its own words were said.

use std::io::{self, Write};

use crate::{
    domain::time::{SessionTime, Span},
    notes::engine::export::{Document, Kind, Line, Look, outline::speaker, words::Words},
};

/// A caption is shown for at least so long, in ms: less cannot be read at all.
const SHOWN_MS_MIN: u64 = 700;

/// Letters that are shown at once: two lines of 42, as television has them.
const CUE_CHARS_MAX: usize = 84;

/// A silence between two words after which the next is another caption, in ms.
const CUE_PAUSE_MS: u64 = 1_500;

/// What is shown at once of a line, and when. A line whose words have no times is shown whole.
fn cues(line: &Line) -> Vec<(Span, String)> {
    let words: Vec<&str> = line.text.split_whitespace().collect();
    let whole = words.join(" ");
    if words.len() != line.words.len() || words.is_empty() {
        return vec![(shown(line.span), whole)];
    }
    // As many as needed, all about as long, so that none is left with one word.
    let count = whole.chars().count().div_ceil(CUE_CHARS_MAX).max(1);
    let chars_each = whole.chars().count().div_ceil(count);
    let mut cues: Vec<(Span, String)> = Vec::new();
    for (word, span) in words.into_iter().zip(&line.words) {
        let fits = |(told, text): &&mut (Span, String)| {
            let chars = text.chars().count();
            let room = chars + 1 + word.chars().count() <= CUE_CHARS_MAX;
            let ends = text.ends_with(['.', '?', '!']) && chars_each <= chars * 2;
            let pause = CUE_PAUSE_MS <= span.start.since_ms(told.end);
            room && chars < chars_each && !pause && !(ends && count > 1)
        };
        match cues.last_mut().filter(fits) {
            Some((told, text)) => {
                *told = Span::new(told.start, span.end);
                text.push(' ');
                text.push_str(word);
            }
            None => cues.push((*span, word.to_owned())),
        }
    }
    // Long enough to be read, but not into the next.
    let starts: Vec<SessionTime> = cues.iter().skip(1).map(|it| it.0.start).collect();
    for (n, (span, _)) in cues.iter_mut().enumerate() {
        let end = shown(*span).end;
        *span = Span::new(span.start, starts.get(n).map_or(end, |it| end.min(*it)));
    }
    cues
}

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
        let who = vtt_safe(&on_one_line(&speaker(document, line, words)));
        for (part, (Span { start, end }, text)) in cues(line).into_iter().enumerate() {
            let text = vtt_safe(&text);
            let text = match line.language {
                Some(language) => format!("<lang {}>{text}</lang>", language.code()),
                None => text,
            };
            let (start, end) = (stamp(start, '.'), stamp(end, '.'));
            let id = if part == 0 { String::new() } else { format!(".{}", part + 1) };
            write!(out, "{}{id}\n{start} --> {end}\n<v {who}>{text}</v>\n\n", line.seq)?;
        }
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
    let mut number = 0;
    for (line, count) in said(document).into_iter().zip(1..) {
        let who = srt_safe(&on_one_line(&speaker(document, line, words)));
        for (Span { start, end }, text) in cues(line) {
            let (start, end, text) = (stamp(start, ','), stamp(end, ','), srt_safe(&text));
            number += 1;
            write!(out, "{number}\r\n{start} --> {end}\r\n{who}: {text}\r\n\r\n")?;
        }
        told(count);
    }
    Ok(())
}

fn shown(Span { start, end }: Span) -> Span {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ids::RoomId, language::Language};

    /// Words of 400 ms, one after another from the tenth second on, `pauses` (after which word, how long)
    /// between.
    fn line(text: &str, pauses: &[(usize, u64)]) -> Line {
        let mut at = SessionTime(10_000);
        let mut word = |n: usize| {
            let span = Span::new(at, at + 400);
            at = span.end + pauses.iter().find(|it| it.0 == n).map_or(0, |it| it.1);
            span
        };
        let words: Vec<Span> = (0..text.split_whitespace().count()).map(&mut word).collect();
        Line {
            seq: 7,
            kind: Kind::Said,
            who: None,
            room: RoomId::Main,
            span: Span::new(SessionTime(10_000), at),
            language: Some(Language::English),
            text: text.into(),
            words,
            step: None,
        }
    }

    fn check(line: &Line, expect: &[(u64, u64, &str)]) {
        let got = cues(line);
        let got: Vec<_> = got
            .iter()
            .map(|(it, text)| (it.start.as_ms(), it.end.as_ms(), text.as_str()))
            .collect();
        assert_eq!(got, expect);
    }

    #[test]
    fn what_is_long_comes_in_parts_when_it_was_said() {
        check(&line("Yes.", &[]), &[(10_000, 10_700, "Yes.")]);
        let long = "we met in the library and talked for an hour about the street and the park and \
                    what the school would need when the new houses are there";
        check(
            &line(long, &[]),
            &[
                (
                    10_000,
                    16_000,
                    "we met in the library and talked for an hour about the street and the",
                ),
                (
                    16_000,
                    21_200,
                    "park and what the school would need when the new houses are there",
                ),
            ],
        );
        // At the end of a sentence, when that is near the middle.
        let two = "we met in the library and talked for an hour about it. The school would need more \
                   when the houses are there";
        check(
            &line(two, &[]),
            &[
                (10_000, 14_800, "we met in the library and talked for an hour about it."),
                (14_800, 18_800, "The school would need more when the houses are there"),
            ],
        );
        check(
            &line("Well let us see", &[(0, 2_000)]),
            &[(10_000, 10_700, "Well"), (12_400, 13_600, "let us see")],
        );
    }

    #[test]
    fn what_has_no_times_is_shown_whole() {
        let mut old = line("we met in the library", &[]);
        old.words.clear();
        check(&old, &[(10_000, 12_000, "we met in the library")]);
        // A name was taken out since, and with it the number of words.
        let mut hidden = line("we met Bob Smith there", &[]);
        hidden.text = "we met P2 there".into();
        check(&hidden, &[(10_000, 12_000, "we met P2 there")]);
    }
}
