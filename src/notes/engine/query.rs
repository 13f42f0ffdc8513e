//! A person's words, as a question to the index. Any text is a question: nothing here can fail, and
//! there are no operators to learn or to stumble on. Never knows how the answer is found.

use crate::domain::limits::QUERY_CHARS_MAX;

/// What was asked. Everything asked for must be in what is found; empty asks for all there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// In the order of writing.
    pub clauses: Vec<Clause>,
}

/// One thing that must have been said. All words are in small letters and have no punctuation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clause {
    /// A word in any of its inflected forms; `typing`: it is the last and may not be whole yet, so
    /// words that begin with it count too.
    Word { word: String, typing: bool },
    /// Words in quotes: exactly these forms, side by side. Never empty.
    Phrase(Vec<String>),
}

/// Reads at most [`QUERY_CHARS_MAX`] characters. Quotes of all kinds pair up in the order of
/// writing; one that is left over means nothing.
pub fn parse(text: &str) -> Query {
    let text = compose(text.chars().take(QUERY_CHARS_MAX));
    let mut pieces: Vec<&str> = text.split(is_quote).collect();
    // An even number of pieces is an odd number of quotes: the last one opened nothing.
    let left_over = if pieces.len().is_multiple_of(2) { pieces.pop() } else { None };

    let mut clauses = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        if at.is_multiple_of(2) {
            clauses.extend(words(piece).map(whole_word));
        } else {
            let phrase: Vec<String> = words(piece).collect();
            if !phrase.is_empty() {
                clauses.push(Clause::Phrase(phrase));
            }
        }
    }
    clauses.extend(left_over.into_iter().flat_map(words).map(whole_word));

    if text.ends_with(char::is_alphanumeric)
        && let Some(Clause::Word { typing, .. }) = clauses.last_mut()
    {
        *typing = true;
    }
    Query { clauses }
}

fn whole_word(word: String) -> Clause {
    Clause::Word { word, typing: false }
}

/// The words of `text` in small letters. Splits and lowers as the index does, character by
/// character, so that both sides see the same words.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|it: char| !it.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().flat_map(char::to_lowercase).collect())
}

/// Finns and Swedes write ”so”, Germans „so“, and a phone decides for itself.
fn is_quote(it: char) -> bool {
    matches!(it, '"' | '”' | '“' | '„' | '»' | '«')
}

/// Some keyboards send ä as a and two dots. Only the letters of our languages are put together.
fn compose(chars: impl Iterator<Item = char>) -> String {
    let mut text = String::new();
    for it in chars {
        let whole = match (text.chars().next_back(), it) {
            (Some('a'), '\u{308}') => 'ä',
            (Some('o'), '\u{308}') => 'ö',
            (Some('u'), '\u{308}') => 'ü',
            (Some('A'), '\u{308}') => 'Ä',
            (Some('O'), '\u{308}') => 'Ö',
            (Some('U'), '\u{308}') => 'Ü',
            (Some('a'), '\u{30a}') => 'å',
            (Some('A'), '\u{30a}') => 'Å',
            (Some('e'), '\u{301}') => 'é',
            (Some('E'), '\u{301}') => 'É',
            _ => {
                text.push(it);
                continue;
            }
        };
        text.pop();
        text.push(whole);
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `expect`: words, a phrase in `[ ]`, and `…` after the word that is being typed.
    fn check(text: &str, expect: &str) {
        let told: Vec<String> = parse(text)
            .clauses
            .into_iter()
            .map(|clause| match clause {
                Clause::Word { word, typing: false } => word,
                Clause::Word { word, typing: true } => word + "…",
                Clause::Phrase(words) => format!("[{}]", words.join(" ")),
            })
            .collect();
        assert_eq!(told.join(" "), expect, "{text:?}");
    }

    #[test]
    fn words_and_phrases() {
        check("", "");
        check("  ?! ", "");
        check("Bussi", "bussi…");
        check("Bussi myöhässä ", "bussi myöhässä");
        check("ÄLÄ PYSÄYTÄ.", "älä pysäytä");
        check("\"hyvä idea\"", "[hyvä idea]");
        check("lapset \"Hyvä, idea\" bussi", "lapset [hyvä idea] bussi…");
        check("”så är det” »juuri niin»", "[så är det] [juuri niin]");
    }

    #[test]
    fn odd_input_is_only_text() {
        check("\"hyvä ide", "hyvä ide…");
        check("\"yksi\" \"kaksi", "[yksi] kaksi…");
        check("\"\" \"?\"", "");
        check("a AND (b OR -c) text:* NOT", "a and b or c text not…");
        check("EU:n room-1", "eu n room 1…");
        check("\\\" [1 TO 2} ^9~", "1 to 2 9");
    }

    #[test]
    fn letters_in_two_pieces_are_put_together() {
        check("pyo\u{308}ra\u{308} A\u{30a}bo ", "pyörä åbo");
    }

    #[test]
    fn a_very_long_question_is_cut() {
        check(&"a ".repeat(5_000), &["a"; QUERY_CHARS_MAX / 2].join(" "));
    }

    proptest! {
        #[test]
        fn any_text_is_a_question(text in any::<String>()) {
            for clause in parse(&text).clauses {
                let words = match clause {
                    Clause::Word { word, .. } => vec![word],
                    Clause::Phrase(words) => words,
                };
                prop_assert!(!words.is_empty());
                prop_assert!(words.iter().all(|word| !word.is_empty()));
            }
        }
    }
}
