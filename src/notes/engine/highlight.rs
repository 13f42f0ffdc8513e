//! Cuts a text into parts: those that answer a question and those that do not. Which do, `matching`
//! finds. Never alters the text: the parts add up to it, byte for byte.

use std::ops::Range;

/// A piece of a text; `hit`: it is part of what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub text: String,
    pub hit: bool,
}

/// Cuts `text` at the borders of `ranges` (bytes, any order; overlapping and touching ones become
/// one). What lies outside the text is left out, and a border inside a character takes the whole
/// character in. No part is empty, and two neighbours never have the same `hit`.
pub fn parts(text: &str, ranges: &[Range<usize>]) -> Vec<Part> {
    let mut whole: Vec<Range<usize>> = ranges
        .iter()
        .filter(|range| range.start < range.end && range.start < text.len())
        .map(|range| boundary_before(text, range.start)..boundary_after(text, range.end))
        .collect();
    whole.sort_by_key(|range| range.start);

    let mut parts: Vec<Part> = Vec::new();
    let mut add = |range: Range<usize>, hit: bool| {
        let Some(piece) = text.get(range).filter(|piece| !piece.is_empty()) else { return };
        match parts.last_mut() {
            Some(last) if last.hit == hit => last.text.push_str(piece),
            _ => parts.push(Part { text: piece.to_owned(), hit }),
        }
    };
    let mut told = 0;
    for range in whole {
        let start = range.start.max(told);
        let end = range.end.max(told);
        add(told..start, false);
        add(start..end, true);
        told = end;
    }
    add(told..text.len(), false);
    parts
}

/// The last border between characters that is not after `at`, which lies inside `text`.
fn boundary_before(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|it| text.is_char_boundary(*it)).unwrap_or(0)
}

/// The first border between characters that is not before `at`; the end when `at` is beyond it.
fn boundary_after(text: &str, at: usize) -> usize {
    (at..text.len()).find(|it| text.is_char_boundary(*it)).unwrap_or(text.len())
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init)] // One range is a list of ranges here.
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `expect`: the text with hits in `[ ]`.
    fn check(text: &str, ranges: &[Range<usize>], expect: &str) {
        assert_eq!(shown(&parts(text, ranges)), expect, "{text:?} {ranges:?}");
    }

    fn shown(parts: &[Part]) -> String {
        parts
            .iter()
            .map(|part| if part.hit { format!("[{}]", part.text) } else { part.text.clone() })
            .collect()
    }

    #[test]
    fn a_text_is_cut_at_its_hits() {
        check("", &[], "");
        check("hei vaan", &[], "hei vaan");
        check("hei vaan", &[0..3], "[hei] vaan");
        check("hei vaan", &[4..8, 0..3], "[hei] [vaan]");
        check("hei vaan", &[0..8], "[hei vaan]");
    }

    #[test]
    fn odd_ranges_do_no_harm() {
        check("hei vaan", &[0..3, 2..5, 5..6], "[hei va]an");
        check("hei vaan", &[6..100, 200..300, 3..3], "hei va[an]");
        check("yö", &[2..3], "y[ö]");
        check("", &[0..1], "");
    }

    proptest! {
        #[test]
        fn parts_add_up_to_the_text(
            text in any::<String>(),
            ranges in prop::collection::vec((0..60usize, 0..60usize), 0..8),
        ) {
            let ranges: Vec<Range<usize>> = ranges.into_iter().map(|(a, b)| a..b).collect();
            let parts = parts(&text, &ranges);
            let whole: String = parts.iter().map(|part| part.text.as_str()).collect();
            prop_assert_eq!(&whole, &text);
            prop_assert!(parts.iter().all(|part| !part.text.is_empty()));
            prop_assert!(parts.windows(2).all(|two| two[0].hit != two[1].hit));

            let mut at = 0;
            for part in &parts {
                for (offset, it) in part.text.char_indices() {
                    let (start, end) = (at + offset, at + offset + it.len_utf8());
                    let asked = ranges.iter().any(|range| range.start < end && start < range.end
                        && range.start < range.end);
                    prop_assert_eq!(part.hit, asked, "{}..{}", start, end);
                }
                at += part.text.len();
            }
        }
    }
}
