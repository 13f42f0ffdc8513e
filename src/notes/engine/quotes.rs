//! Words of somebody inside what somebody else wrote: a comment that repeats what was taken back must
//! not keep it. It finds words side by side, whatever stands between them and however they are capitalised;
//! it cannot find what is told in other words.

use std::collections::BTreeSet;

/// So many words side by side are a quotation; shorter lines are one when they are there whole.
const QUOTE_WORDS: usize = 4;

/// A line of a single word is no quotation: everybody says "yes".
const LINE_WORDS_MIN: usize = 2;

/// What stands where a quotation was.
const CUT: &str = "…";

/// Words that are gone.
#[derive(Clone, Debug, Default)]
pub struct Quotes {
    runs: BTreeSet<Vec<String>>,
}

impl Quotes {
    /// From now on `line` is not to stand anywhere.
    pub fn add(&mut self, line: &str) {
        let words: Vec<_> = words(line).into_iter().map(|it| it.1).collect();
        let length = words.len().min(QUOTE_WORDS);
        if LINE_WORDS_MIN <= length {
            self.runs.extend(words.windows(length).map(<[String]>::to_vec));
        }
    }

    /// But for what this text has too: it stays.
    pub fn keep(&mut self, text: &str) {
        let words: Vec<_> = words(text).into_iter().map(|it| it.1).collect();
        for length in LINE_WORDS_MIN..=QUOTE_WORDS {
            for run in words.windows(length) {
                self.runs.remove(run);
            }
        }
    }

    /// The text without what it quotes; `None`: it quotes nothing.
    pub fn cut(&self, text: &str) -> Option<String> {
        let words = words(text);
        let plain: Vec<String> = words.iter().map(|it| it.1.clone()).collect();
        let mut quoted = vec![false; words.len()];
        for length in LINE_WORDS_MIN..=QUOTE_WORDS {
            for (at, run) in plain.windows(length).enumerate() {
                if self.runs.contains(run) {
                    quoted.iter_mut().skip(at).take(length).for_each(|it| *it = true);
                }
            }
        }
        if !quoted.contains(&true) {
            return None;
        }
        let mut left = String::with_capacity(text.len());
        let mut from = 0;
        let mut cut_before = false;
        for ((span, _), quoted) in words.iter().zip(quoted) {
            // Between two quoted words nothing is left either.
            if !(quoted && cut_before) {
                left.push_str(text.get(from..span.start).unwrap_or_default());
                left.push_str(if quoted {
                    CUT
                } else {
                    text.get(span.clone()).unwrap_or_default()
                });
            }
            from = span.end;
            cut_before = quoted;
        }
        left.push_str(text.get(from..).unwrap_or_default());
        Some(left)
    }
}

/// Each word in small letters, and where it stands.
fn words(text: &str) -> Vec<(std::ops::Range<usize>, String)> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, it) in text.char_indices().chain([(text.len(), ' ')]) {
        match (start, it.is_alphanumeric()) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                let word = text.get(from..at).unwrap_or_default().to_lowercase();
                found.push((from..at, word));
                start = None;
            }
            _ => (),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(gone: &[&str], text: &str, left: Option<&str>) {
        let mut quotes = Quotes::default();
        gone.iter().for_each(|it| quotes.add(it));
        assert_eq!(quotes.cut(text).as_deref(), left);
    }

    #[test]
    fn what_is_repeated_is_cut_and_the_rest_stays() {
        let line = "Bussit eivät kulje iltaisin meidän kylälle.";
        check(
            &[line],
            "Totta: ”bussit eivät kulje, iltaisin!” Mitä tehdä?",
            Some("Totta: ”…!” Mitä tehdä?"),
        );
        check(&[line], line, Some("…."));
        check(&[line], "Bussit eivät kulje.", None);
        check(&[line], "Junat kulkevat iltaisin.", None);
        check(&["Puita ja penkkejä"], "Tämä: puita ja penkkejä.", Some("Tämä: …."));
        check(&["Puita ja penkkejä"], "Puita ja ruusuja", None);
        check(&["Kyllä"], "Kyllä", None);
        check(&[], "Mitä tahansa sanotaan täällä", None);
        check(&["", "…"], "", None);
    }

    #[test]
    fn what_a_corrected_line_still_says_may_be_quoted() {
        let mut quotes = Quotes::default();
        quotes.add("Minun nimeni on salainen ja bussit eivät kulje iltaisin");
        quotes.keep("Bussit eivät kulje iltaisin");
        assert_eq!(quotes.cut("Bussit eivät kulje iltaisin, siinä se."), None);
        assert_eq!(quotes.cut("Hän sanoi: nimeni on salainen ja"), Some("Hän sanoi: …".into()));
    }
}
