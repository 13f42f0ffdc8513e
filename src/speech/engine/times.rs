//! When each word was said: whisper's own times, put to the words that are left of what it wrote. Never
//! changes a word; what whisper gives no time for gets a place between its neighbours.

use crate::domain::time::{SessionTime, Span};

/// A word as whisper wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timed {
    pub text: String,
    /// From the first sample of its audio, in ms.
    pub start_ms: u64,
    pub end_ms: u64,
}

/// A span for each word of `text`, as white space parts them: in order, inside `within`, none overlapping
/// another. `text`: what is left of `written` after the guard. `first_sample`: when the audio began.
/// Empty when nothing is known of any word.
pub fn word_spans(
    text: &str,
    written: &[Timed],
    first_sample: SessionTime,
    within: Span,
) -> Vec<Span> {
    let found = find(text, written);
    if found.iter().all(Option::is_none) {
        return Vec::new();
    }
    let place = |at: u64| (first_sample + at).clamp(within.start, within.end);
    let known = |it: &Option<&Timed>| it.map(|it| (place(it.start_ms), place(it.end_ms)));
    let known: Vec<_> = found.iter().map(known).collect();
    let mut spans = Vec::with_capacity(known.len());
    let mut from = within.start;
    for (n, it) in known.iter().enumerate() {
        let span = match it {
            Some((start, end)) => Span::new((*start).max(from), (*end).max(from)),
            None => {
                // So many without a time share what is left until the next that has one.
                let without = known[n..].iter().take_while(|it| it.is_none()).count() as u64;
                let next = known[n..].iter().flatten().next().map_or(within.end, |it| it.0);
                Span::new(from, from + next.since_ms(from) / without.max(1))
            }
        };
        from = span.end;
        spans.push(span);
    }
    spans
}

/// Where each word of `text` stands in what was written; each later than the one before.
fn find<'a>(text: &str, written: &'a [Timed]) -> Vec<Option<&'a Timed>> {
    let mut rest = written;
    let find = |word: &str| {
        let at = rest.iter().position(|it| plain(&it.text) == plain(word))?;
        let found = rest.get(at);
        rest = rest.get(at + 1..).unwrap_or_default();
        found
    };
    text.split_whitespace().map(find).collect()
}

/// Letters and digits only; a sign that stands alone is itself.
fn plain(word: &str) -> String {
    let letters: String = word.chars().filter(|it| it.is_alphanumeric()).collect();
    if letters.is_empty() { word.trim().to_owned() } else { letters }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn timed(words: &[(&str, u64, u64)]) -> Vec<Timed> {
        let timed =
            |it: &(&str, u64, u64)| Timed { text: it.0.into(), start_ms: it.1, end_ms: it.2 };
        words.iter().map(timed).collect()
    }

    /// The audio begins at 1,000 ms and the voice goes from 1,200 to 4,000.
    fn check(text: &str, written: &[(&str, u64, u64)], expect: &[(u64, u64)]) {
        let within = Span::new(SessionTime(1_200), SessionTime(4_000));
        let got = word_spans(text, &timed(written), SessionTime(1_000), within);
        let got: Vec<_> = got.iter().map(|it| (it.start.as_ms(), it.end.as_ms())).collect();
        assert_eq!(got, expect, "{text}");
    }

    #[test]
    fn every_word_has_its_time() {
        check(
            "Hei, vaan kaikki!",
            &[("Hei,", 300, 600), ("vaan", 600, 900), ("kaikki!", 1_000, 1_800)],
            &[(1_300, 1_600), (1_600, 1_900), (2_000, 2_800)],
        );
        check("", &[("Hei", 0, 100)], &[]);
        check("Hei", &[], &[]);
        check("Hei", &[("Moi", 0, 100)], &[]);
    }

    #[test]
    fn no_word_is_outside_the_voice_or_before_the_one_before() {
        check("a b", &[("a", 0, 9_000), ("b", 400, 500)], &[(1_200, 4_000), (4_000, 4_000)]);
        check("a b", &[("a", 0, 100), ("b", 5_000, 6_000)], &[(1_200, 1_200), (4_000, 4_000)]);
    }

    #[test]
    fn what_the_guard_has_left_finds_its_times() {
        // A loop cut to one, a tag taken out, a sign that stands alone.
        check(
            "we go - so",
            &[
                ("[music]", 0, 200),
                ("we", 200, 300),
                ("go", 300, 400),
                ("we", 400, 500),
                ("go", 500, 600),
                ("-", 600, 700),
                ("so", 900, 1_000),
            ],
            &[(1_200, 1_300), (1_300, 1_400), (1_600, 1_700), (1_900, 2_000)],
        );
        // What was parted otherwise has a place between its neighbours.
        check(
            "yes one two no",
            &[("yes", 200, 400), ("one[x]two", 400, 1_000), ("no", 1_000, 1_200)],
            &[(1_200, 1_400), (1_400, 1_700), (1_700, 2_000), (2_000, 2_200)],
        );
    }

    proptest! {
        /// Whatever is written with whatever times: as many spans as words, in order and inside.
        #[test]
        fn spans_are_in_order_and_inside(
            written in proptest::collection::vec(("[a-c]{1,2}", 0u64..20_000, 0u64..20_000), 1..20),
            text in "([a-c]{1,2} ){0,20}",
            (first, start, length) in (0u64..5_000, 0u64..5_000, 0u64..12_000),
        ) {
            let written: Vec<Timed> = written.into_iter()
                .map(|(text, start_ms, end_ms)| Timed { text, start_ms, end_ms })
                .collect();
            let start = SessionTime(first + start);
            let within = Span::new(start, start + length);
            let spans = word_spans(&text, &written, SessionTime(first), within);
            prop_assert!(spans.is_empty() || spans.len() == text.split_whitespace().count());
            let is_inside = spans.iter().all(|it| within.covers(*it));
            prop_assert!(is_inside, "{:?}", spans);
            prop_assert!(spans.windows(2).all(|it| it[0].end <= it[1].start));
        }
    }
}
