//! From whisper's pieces to words somebody said: what whisper makes up out of silence, music and its
//! own loops is dropped. Never adds or corrects a word.

use crate::domain::limits::SEGMENT_CHARS_MAX;
use crate::speech::engine::bounds::RATE_HZ;

/// One segment of whisper's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// As whisper wrote it.
    pub text: String,
    /// Whisper's probability that nothing was said, 0 to 1; 0 where it is not known.
    pub no_speech: f32,
    /// Mean natural logarithm of the probabilities of its tokens; 0 is certain.
    pub logprob_mean: f32,
}

/// What is known of the audio that the pieces are about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heard {
    /// Length of the audio, in ms.
    pub ms: u64,
    /// How much of it is voice by the VAD, in ms.
    pub voice_ms: u64,
    /// Root mean square relative to full scale, in dB; at most 0.
    pub level_dbfs: f32,
}

impl Heard {
    /// Measures 16 kHz mono audio.
    pub fn of(pcm: &[f32], voice_ms: u64) -> Self {
        let power = pcm.iter().map(|it| it * it).sum::<f32>() / pcm.len().max(1) as f32;
        let level_dbfs = 10.0 * power.max(1e-12).log10();
        Self { ms: pcm.len() as u64 * 1_000 / u64::from(RATE_HZ), voice_ms, level_dbfs }
    }

    /// So little voice that whisper is likelier to dream than to hear.
    fn weak(&self) -> bool {
        self.level_dbfs < WEAK_DBFS || self.voice_ms < WEAK_VOICE_MS || self.voice_ms * 3 < self.ms
    }
}

/// Below this level the audio is weak, in dBFS: speech of a far person is about -45.
const WEAK_DBFS: f32 = -50.0;

/// Below so much voice the audio is weak, in ms.
const WEAK_VOICE_MS: u64 = 600;

/// Whisper's own thresholds (OpenAI's transcribe.py: 0.6 and -1.0): both must hold.
const NO_SPEECH_MAX: f32 = 0.6;
const LOGPROB_MIN: f32 = -1.0;

/// Characters per second of voice that nobody speaks. Fast Finnish is about 20.
const CHARS_PER_S_MAX: u64 = 35;

/// Characters forgiven before counting, for short utterances.
const CHARS_FREE: u64 = 20;

/// Words in the longest run that is looked for as a repetition.
const REPEATED_WORDS_MAX: usize = 12;

/// So many times the same run of words is whisper's loop and not the person's.
const REPEATED_TIMES: usize = 3;

/// Characters in the longest tag between brackets.
const TAG_CHARS_MAX: usize = 60;

/// What the guard makes of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The words, on one line, at most [`SEGMENT_CHARS_MAX`] characters; empty when nothing was said.
    pub text: String,
    /// The answer looks like whisper's failure with too little context: try again with all of it.
    pub retry: bool,
}

/// Judges whisper's answer about one utterance.
pub fn judge(pieces: &[Piece], heard: &Heard) -> Verdict {
    let mut said = String::new();
    let mut doubtful = false;
    for piece in pieces {
        if piece.no_speech > NO_SPEECH_MAX && piece.logprob_mean < LOGPROB_MIN {
            continue;
        }
        doubtful |= piece.no_speech > NO_SPEECH_MAX;
        said.push(' ');
        said.push_str(&piece.text);
    }
    let untagged = without_tags(&said);
    let words: Vec<&str> = untagged.split_whitespace().collect();
    let (words, repeated) = without_repetition(words);
    let looped = words.iter().any(|it| it.chars().count() > WORD_CHARS_MAX);
    let words: Vec<&str> =
        words.into_iter().filter(|it| it.chars().count() <= WORD_CHARS_MAX).collect();
    let looped = looped || begins_again(&words);
    let text = words.join(" ");
    if !text.chars().any(char::is_alphanumeric) {
        return Verdict { text: String::new(), retry: repeated || looped };
    }
    if (doubtful || heard.weak()) && is_phantom(&text) {
        return Verdict { text: String::new(), retry: false };
    }
    let chars_max = CHARS_FREE + heard.voice_ms * CHARS_PER_S_MAX / 1_000;
    let too_much = text.chars().count() as u64 > chars_max;
    Verdict { text: shortened(&text), retry: repeated || looped || too_much }
}

/// Characters in the longest word that is looked at; longer ones are "aaaaa…". The longest Finnish
/// word in use has 61.
const WORD_CHARS_MAX: usize = 64;

/// Takes out `[tags]`, `(tags)`, `*tags*` and everything between notes of music.
fn without_tags(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['[', '(', '*', '♪', '♫', '【', '（']) {
        let (before, from) = rest.split_at(at);
        kept.push_str(before);
        kept.push(' ');
        let mut chars = from.chars();
        let Some(open) = chars.next() else { break };
        let close: &[char] = match open {
            '[' => &[']'],
            '(' => &[')'],
            '【' => &['】'],
            '（' => &['）'],
            '*' => &['*'],
            _ => &['♪', '♫'],
        };
        let inside = chars.as_str();
        rest = match inside.split_once(close) {
            Some((tag, after)) if tag.chars().count() <= TAG_CHARS_MAX => after,
            _ => inside,
        };
    }
    kept.push_str(rest);
    kept.replace([']', ')', '】', '）', '�'], " ")
}

/// Cuts runs of words that come three or more times in a row to one; a single word stays twice, as
/// people do say "joo joo". Also tells whether anything was cut.
fn without_repetition(mut words: Vec<&str>) -> (Vec<&str>, bool) {
    let mut cut = false;
    for length in 1..=REPEATED_WORDS_MAX {
        let mut at = 0;
        while at + length * REPEATED_TIMES <= words.len() {
            let times = 1 + words[at..]
                .chunks_exact(length)
                .skip(1)
                .take_while(|it| same(it, &words[at..at + length]))
                .count();
            if times >= REPEATED_TIMES {
                let keep = if length == 1 { 2 } else { 1 };
                words.drain(at + keep * length..at + times * length);
                cut = true;
            }
            at += 1;
        }
    }
    (words, cut)
}

/// Whether the newest of these tokens are one run of them over and over, so that what comes next would be it
/// again: three times at least, and twelve tokens, as people do say "joo joo joo". Such an answer is cut by
/// [`judge`] and tried again; to know it early saves the rest of it.
pub fn loops(tokens: &[i32]) -> bool {
    (1..=LOOP_TOKENS_MAX).any(|run| {
        let whole = run * LOOP_TOKENS_MIN.div_ceil(run).max(REPEATED_TIMES);
        let newest = tokens.len().checked_sub(whole).and_then(|from| tokens.get(from..));
        newest.is_some_and(|it| it.iter().zip(&it[run..]).all(|(a, b)| a == b))
    })
}

/// Tokens in the longest run that is looked for.
const LOOP_TOKENS_MAX: usize = 16;

/// Tokens in the shortest loop.
const LOOP_TOKENS_MIN: usize = 12;

/// Whether the answer ends with its own beginning: whisper did not stop and started over. A person
/// may say the same four words again, so nothing is cut; it is only a reason to try again.
fn begins_again(words: &[&str]) -> bool {
    let lengths = AGAIN_WORDS_MIN..=words.len() / 2;
    lengths.into_iter().any(|it| same(&words[..it], &words[words.len() - it..]))
}

/// Words that must come again at the end to look like a new beginning.
const AGAIN_WORDS_MIN: usize = 4;

fn same(a: &[&str], b: &[&str]) -> bool {
    let letters = a.iter().any(|it| it.chars().any(char::is_alphanumeric));
    letters && a.len() == b.len() && a.iter().zip(b).all(|(a, b)| plain(a) == plain(b))
}

/// Whether whisper, with next to nothing to hear, has said what the prompt says. Perhaps it has read it
/// out, and perhaps somebody has answered with one word of it: see [`is_alike`].
pub fn echoes(text: &str, prompt: &str, heard: &Heard) -> bool {
    let text = plain(text);
    heard.weak()
        && !text.is_empty()
        && format!(" {} ", plain(prompt)).contains(&format!(" {text} "))
}

/// Whether a second hearing, without the prompt, has made out about the same sounds: at least half of the
/// letters are where they were. Who knows the word writes it rightly, and who does not writes
/// "kunta lito" for "Kuntaliitto"; but where nobody spoke nothing of it comes again.
pub fn is_alike(text: &str, without_prompt: &str) -> bool {
    let letters = |it: &str| {
        let letters = it.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase);
        letters.take(ALIKE_CHARS_MAX).collect::<Vec<_>>()
    };
    let (one, other) = (letters(text), letters(without_prompt));
    let longer = one.len().max(other.len());
    longer > 0 && edits(&one, &other) * 2 <= longer
}

/// Letters that are compared; an echo is a word or a few.
const ALIKE_CHARS_MAX: usize = 120;

/// Letters to put in, take out or change to make the one the other (Levenshtein 1966).
fn edits(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (n, a) in one.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], n + 1);
        for (m, b) in other.iter().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[m + 1];
            row[m + 1] = changed.min(diagonal + 1).min(row[m] + 1);
        }
    }
    row[other.len()]
}

/// Lower case letters and digits only, words parted by one space.
fn plain(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower.split(|it: char| !it.is_alphanumeric()).filter(|it| !it.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// Whether the whole text is something whisper learnt from subtitles of silence.
fn is_phantom(text: &str) -> bool {
    let text = plain(text);
    PHANTOMS.contains(&text.as_str()) || CREDITS.iter().any(|it| text.contains(it))
}

/// Whole utterances, in the form of [`plain`].
const PHANTOMS: [&str; 33] = [
    "thank you",
    "thanks",
    "thank you very much",
    "thank you so much",
    "thanks for watching",
    "thank you for watching",
    "thank you so much for watching",
    "thanks for listening",
    "thank you for listening",
    "please subscribe",
    "please subscribe to my channel",
    "like and subscribe",
    "see you next time",
    "see you in the next video",
    "bye",
    "bye bye",
    "you",
    "the end",
    "kiitos",
    "kiitos kun katsoit",
    "kiitos kun katsoitte",
    "kiitos katsomisesta",
    "kiitos että katsoit",
    "kiitos videon katselusta",
    "kiitos",
    "nähdään ensi videossa",
    "nähdään seuraavassa videossa",
    "moi moi",
    "tack",
    "tack för att du tittade",
    "tack för att ni tittade",
    "tack för att ni har tittat",
    "vi ses i nästa video",
];

/// Pieces of subtitle credits, in the form of [`plain`].
const CREDITS: [&str; 17] = [
    "amara org",
    "subtitles by",
    "subtitled by",
    "captions by",
    "captioned by",
    "transcription by",
    "transcribed by",
    "castingwords",
    "otter ai",
    "suomennos ",
    "tekstitys ",
    "tekstitykset ",
    "textning ",
    "textad av",
    "undertexter ",
    "undertextning ",
    "svensktextning",
];

fn shortened(text: &str) -> String {
    if text.chars().count() <= SEGMENT_CHARS_MAX {
        return text.to_owned();
    }
    let head: String = text.chars().take(SEGMENT_CHARS_MAX).collect();
    match head.rsplit_once(' ') {
        Some((words, _)) => words.to_owned(),
        None => head,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_the_prompt_says_was_said_by_nobody_where_there_is_no_voice() {
        let weak = Heard { ms: 4_000, voice_ms: 300, level_dbfs: -40.0 };
        let strong = Heard { ms: 4_000, voice_ms: 3_000, level_dbfs: -20.0 };
        let prompt = "Hyvinkää, Troika. Miten jaksamme?";
        for (text, is_echo) in [
            ("Hyvinkää, Troika.", true),
            ("Miten jaksamme", true),
            ("Hyvin", false),
            ("Troika on hyvä", false),
            ("", false),
        ] {
            assert_eq!(echoes(text, prompt, &weak), is_echo, "{text}");
            assert!(!echoes(text, prompt, &strong), "{text}");
        }
        assert!(!echoes("Hei", "", &weak));
    }

    #[test]
    fn a_word_that_was_said_is_heard_again_without_the_prompt() {
        for (text, without, is) in [
            ("Kuntaliitto.", "Kunta-liitto", true),
            ("Kuntaliitto.", "Kuntal lito!", true),
            ("Troika", "Roika.", true),
            ("Troika", "", false),
            ("Troika", "Kiitos.", false),
            ("Kuntaliitto", "Thank you.", false),
            ("", "", false),
            ("...", "...", false),
        ] {
            assert_eq!(is_alike(text, without), is, "{text} {without}");
        }
        assert_eq!(edits(&['a', 'b'], &['b', 'a', 'b']), 1);
    }

    #[test]
    fn a_loop_is_noticed_while_it_is_being_written() {
        let run = |run: &[i32], times: usize| run.repeat(times);
        for (tokens, is) in [
            (run(&[7], 11), false),
            (run(&[7], 12), true),
            (run(&[1, 2], 5), false),
            (run(&[1, 2], 6), true),
            (run(&[1, 2, 3, 4, 5], 2), false),
            (run(&[1, 2, 3, 4, 5], 3), true),
            ([run(&[9, 8], 3), run(&[1, 2, 3, 4], 3)].concat(), true),
            ([run(&[1, 2, 3, 4], 3), vec![9]].concat(), false),
            (vec![], false),
        ] {
            assert_eq!(loops(&tokens), is, "{tokens:?}");
        }
    }

    const STRONG: Heard = Heard { ms: 6_000, voice_ms: 5_000, level_dbfs: -22.0 };
    const WEAK: Heard = Heard { ms: 3_000, voice_ms: 300, level_dbfs: -48.0 };

    fn piece(text: &str) -> Piece {
        Piece { text: text.into(), no_speech: 0.05, logprob_mean: -0.3 }
    }

    fn check(text: &str, heard: Heard, expect: &str, retry: bool) {
        let got = judge(&[piece(text)], &heard);
        assert_eq!(got, Verdict { text: expect.into(), retry }, "{text:?}");
    }

    #[test]
    fn words_go_through_on_one_line() {
        check("  And so,\n my   fellow\tAmericans ", STRONG, "And so, my fellow Americans", false);
        check("Äänestä tätä!", STRONG, "Äänestä tätä!", false);
        check("", STRONG, "", false);
        check(" . ... -", STRONG, "", false);
    }

    #[test]
    fn tags_are_not_words() {
        for tag in ["[BLANK_AUDIO]", "(music)", "[Musiikkia]", "♪ la la ♪", "*sigh*", "(ääntä)"]
        {
            check(tag, STRONG, "", false);
            check(&format!("Yes {tag} please"), STRONG, "Yes please", false);
        }
        check("[BLANK_AUDIO", STRONG, "BLANK_AUDIO", false);
        check("It costs 5 ♪", STRONG, "It costs 5", false);
    }

    #[test]
    fn phantoms_are_dropped_only_where_little_was_heard() {
        for phantom in [
            "Thanks for watching!",
            "Thank you.",
            "Kiitos kun katsoit!",
            "Tack för att ni tittade.",
            "Undertexter från Amara.org-gemenskapen",
            "Tekstitys: Joku Ihminen",
        ] {
            check(phantom, WEAK, "", false);
            check(phantom, STRONG, phantom, false);
        }
        check("Kiitos kun kuuntelitte minua", WEAK, "Kiitos kun kuuntelitte minua", false);
        let doubtful = Piece { no_speech: 0.7, ..piece("Thank you.") };
        assert_eq!(judge(&[doubtful], &STRONG), Verdict::default());
    }

    #[test]
    fn unlikely_pieces_are_dropped_when_both_signs_say_so() {
        let both = Piece { no_speech: 0.8, logprob_mean: -1.4, ..piece("nothing") };
        let silent = Piece { no_speech: 0.8, ..piece("quiet but clear") };
        let unsure = Piece { logprob_mean: -1.4, ..piece("loud and unclear") };
        let got = judge(&[both, silent, unsure], &STRONG);
        assert_eq!(got.text, "quiet but clear loud and unclear");
    }

    #[test]
    fn loops_are_cut_and_tried_again() {
        check("we go we go we go we go", STRONG, "we go", true);
        check("Well, so it is. So it is. So it is.", STRONG, "Well, so it is.", true);
        check("joo joo joo joo joo kyllä", STRONG, "joo joo kyllä", true);
        check("joo joo kyllä", STRONG, "joo joo kyllä", false);
        check("no no, we go we go now", STRONG, "no no, we go we go now", false);
        check(&"a".repeat(300), STRONG, "", true);
        let one = "yes and it was good ".repeat(40);
        check(&one, STRONG, "yes and it was good", true);
    }

    #[test]
    fn an_answer_that_starts_over_is_tried_again() {
        let twice = "He was not an ill man. He was not an ill man.";
        check(twice, STRONG, twice, true);
        let begun = "Eight of spades, four of clubs. Eight of spades, four";
        check(begun, STRONG, begun, true);
        check("it is so, it is so", STRONG, "it is so, it is so", false);
    }

    #[test]
    fn nobody_speaks_that_fast() {
        let text = (0..60).map(|n| format!("word{n}")).collect::<Vec<_>>().join(" ");
        let short = Heard { voice_ms: 1_000, ms: 1_400, ..STRONG };
        check(&text, short, &text, true);
        check("nopeasti puhuttua suomea", short, "nopeasti puhuttua suomea", false);
    }

    #[test]
    fn the_text_is_bounded() {
        let text = (0..1_000).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        let got = judge(&[piece(&text)], &STRONG).text;
        assert!(got.chars().count() <= SEGMENT_CHARS_MAX && got.chars().count() > 1_900);
        assert!(text.starts_with(&got));
    }

    #[test]
    fn level_is_measured_in_decibels() {
        assert_eq!(Heard::of(&[0.0; 1600], 0).level_dbfs, -120.0);
        assert!((Heard::of(&[0.1; 1600], 0).level_dbfs + 20.0).abs() < 0.01);
        assert_eq!(Heard::of(&[1.0; 1600], 50), Heard { ms: 100, voice_ms: 50, level_dbfs: 0.0 });
        Heard::of(&[], 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever whisper writes: no panic, one line, bounded, nothing made up.
        #[test]
        fn anything_may_be_written(text in "([a-c♪()\\[\\]* .äå]|\\PC){0,300}", voice_ms in 0u64..20_000) {
            let heard = Heard { ms: 20_000, voice_ms, level_dbfs: -20.0 };
            let got = judge(&[piece(&text)], &heard).text;
            prop_assert!(got.chars().count() <= SEGMENT_CHARS_MAX);
            prop_assert!(!got.contains('\n') && got.trim() == got);
            for word in got.split(' ') {
                prop_assert!(text.contains(word), "{word:?} was not written");
            }
        }
    }
}
