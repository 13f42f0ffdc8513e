//! Puts together what was cut in the middle of a talk: the second piece begins with audio of the first,
//! so that no word is cut in two, and the words heard twice are taken out once. Never adds or changes
//! a word.

/// Words that can be heard twice: twice as many as anybody says in the overlap.
const TWICE_MAX: usize = 8;

/// What of `after` was not said in `before` already. `after` begins with audio of the end of `before`,
/// perhaps in the middle of a word.
pub fn rest<'a>(before: &str, after: &'a str) -> &'a str {
    let told: Vec<String> = words(before).map(|it| plain(it.1)).collect();
    let new: Vec<(usize, String)> = words(after).map(|it| (it.0, plain(it.1))).collect();
    // The first word may be the end of one that is whole in `before`.
    for broken in [0, 1] {
        let most = TWICE_MAX.min(told.len()).min(new.len().saturating_sub(broken));
        for length in (1..=most).rev() {
            let end = &told[told.len() - length..];
            let start = &new[broken..broken + length];
            let same = end.iter().zip(start).all(|(a, b)| !a.is_empty() && *a == b.1);
            // One short word after a broken one is chance.
            let sure = broken == 0 || length > 1 || end[0].chars().count() > 3;
            if same && sure {
                let from = new.get(broken + length).map_or(after.len(), |it| it.0);
                return after.get(from..).unwrap_or_default();
            }
        }
    }
    after
}

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
