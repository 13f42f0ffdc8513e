//! Counts word errors: what a recording was to say, beside what was written down.

/// How many words of `reference` were not got right in `said`: substituted, left out or put in
/// (edit distance over words, without case and punctuation; small numbers as words).
pub fn word_errors(reference: &str, said: &str) -> usize {
    let (reference, said) = (plain(reference), plain(said));
    let mut row: Vec<usize> = (0..=said.len()).collect();
    for (i, want) in reference.iter().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, got) in said.iter().enumerate() {
            let here = before + usize::from(want != got);
            before = row[j + 1];
            row[j + 1] = here.min(before + 1).min(row[j] + 1);
        }
    }
    row[said.len()]
}

/// Words in lower case, without what stands between them.
pub fn plain(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let words = lower.split(|it: char| !it.is_alphanumeric() && it != '\'');
    words.filter(|it| !it.is_empty()).map(|it| in_letters(it).to_owned()).collect()
}

/// Whisper writes "8 of spades" and "Mr.", the references "eight" and "mister".
fn in_letters(word: &str) -> &str {
    const NUMBERS: [&str; 11] =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    match word {
        "mr" => "mister",
        _ => word.parse::<usize>().ok().and_then(|it| NUMBERS.get(it)).unwrap_or(&word),
    }
}
