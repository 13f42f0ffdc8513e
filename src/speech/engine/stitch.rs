//! Puts together what was cut in the middle of a talk: the second piece begins with audio of the first,
//! so that no word is cut in two, and the words heard twice are taken out once. Never adds or changes
//! a word.

/// Words that can be heard twice: twice as many as anybody says in the overlap.
const TWICE_MAX: usize = 8;

/// What of `after` was not said in `before` already. `after` begins with audio of the end of `before`, so
/// the first word of `after` may be the end of a word that is whole in `before`, and the last word of
/// `before` the beginning of one that is whole in `after`. That one stays in both, as `before` has been
/// told already: a piece of a word too much is better than a word too little.
pub fn rest<'a>(before: &str, after: &'a str) -> &'a str {
    let told: Vec<String> = words(before).map(|it| plain(it.1)).collect();
    let new: Vec<(usize, String)> = words(after).map(|it| (it.0, plain(it.1))).collect();
    let from = |word: usize| after.get(new.get(word).map_or(after.len(), |it| it.0)..);
    for broken in [0, 1] {
        let most = TWICE_MAX.min(told.len()).min(new.len().saturating_sub(broken));
        for length in (1..=most).rev() {
            let end = &told[told.len() - length..];
            let start = &new[broken..broken + length];
            let is_same = |it: usize| !end[it].is_empty() && end[it] == start[it].1;
            let last = length - 1;
            // In both the first may be cut, when there is more that is the same.
            let is_cut = |it: usize| it == 0 && is_ended(&end[it], &start[it].1, 3);
            if (0..last).all(|it| is_same(it) || is_cut(it)) {
                // One short word after a broken one is chance.
                let is_sure = broken == 0 || length > 1 || end[last].chars().count() > 3;
                if is_sure && is_same(last) {
                    return from(broken + length).unwrap_or_default();
                }
                // A word that is only begun tells nothing by itself.
                if length > 1 && is_begun(&end[last], &start[last].1) {
                    return from(broken + last).unwrap_or_default();
                }
            }
        }
    }
    // The end of a word and nothing else that is known again, as "gether" of "together".
    match (told.last(), new.first()) {
        (Some(whole), Some((_, part))) if is_ended(whole, part, END_CHARS_MIN) => {
            from(1).unwrap_or_default()
        }
        _ => after,
    }
}

/// Whether `part` is a word that was cut before its end.
fn is_begun(part: &str, whole: &str) -> bool {
    !part.is_empty() && part != whole && whole.starts_with(part)
}

/// Whether `part` is an end of the word with at least so many letters.
fn is_ended(whole: &str, part: &str, chars_min: usize) -> bool {
    part.chars().count() >= chars_min && part != whole && whole.ends_with(part)
}

/// Letters by which the end of a word alone is known: "an" and "all" end many words and are words.
const END_CHARS_MIN: usize = 5;

/// Words with where they begin.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_whitespace().map(|it| (it.as_ptr() as usize - text.as_ptr() as usize, it))
}

/// Lower case letters and digits.
fn plain(word: &str) -> String {
    word.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_heard_twice_is_there_once() {
        for (before, after, expect) in [
            ("we must do this together", "this together, or not at all.", "or not at all."),
            ("we must do this together", "Together or not", "or not"),
            ("we must do this together", "or not at all", "or not at all"),
            ("in a village by the sea.", "lage by the sea we met", "we met"),
            ("we talked about money", "ey we have", "ey we have"),
            ("so it is", "is it so", "it so"),
            ("that is it", "er it was", "er it was"),
            ("no no", "no no", ""),
            ("", "well", "well"),
            ("well", "", ""),
            ("- !", "- so", "- so"),
            // A word is cut in the middle: at the end of the one, at the beginning of the other, in both.
            ("we talked about mon", "about money, yes", "money, yes"),
            ("we talked about mon", "bout money, yes", "money, yes"),
            ("so we talked about mon", "ked about money, yes", "money, yes"),
            ("we do this together", "gether or not at all", "or not at all"),
            ("it is a ba", "ball is round", "ball is round"),
            ("I know that I can", "an apple a day", "an apple a day"),
            ("we saw them all", "all of them", "of them"),
            ("in the hall", "all of them", "all of them"),
            ("hän asuu Jyväskylässä", "Jyväskylässä äitinsä kanssa", "äitinsä kanssa"),
        ] {
            assert_eq!(rest(before, after), expect, "{before} | {after}");
        }
    }

    proptest! {
        /// Whatever is cut where, with how many words in both: all words are there once.
        #[test]
        fn no_word_is_lost_or_doubled(count in 2usize..30, cut in 1usize..29, twice in 0usize..=TWICE_MAX) {
            let words: Vec<String> = (0..count).map(|it| format!("word{it}")).collect();
            let cut = cut.min(count);
            let twice = twice.min(cut);
            let before = words[..cut].join(" ");
            let after = words[cut - twice..].join(" ");
            prop_assert_eq!(rest(&before, &after), words[cut..].join(" "));
        }

        #[test]
        fn any_text_is_survived_and_only_cut_at_its_beginning(before in ".{0,60}", after in ".{0,60}") {
            prop_assert!(after.ends_with(rest(&before, &after)));
        }
    }
}
