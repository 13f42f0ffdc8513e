//! What the ears are told to expect: the words and names of the session's glossary, and what the method
//! that runs is about. Data that somebody has typed, bounded here; what listens takes it as text that
//! may have been said before, and never does what it says.

use crate::domain::{
    fact::Fact,
    limits::{EXPECTED_CHARS_MAX, GLOSSARY_CHARS_MAX},
    rejection::Rejection,
    session::{Output, Session},
    talk::is_invisible,
    time::SessionTime,
};

impl Session {
    /// A facilitator's words and names, in place of those before; empty: none.
    pub(super) fn set_glossary(
        &mut self,
        now: SessionTime,
        text: &str,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if GLOSSARY_CHARS_MAX < text.chars().count() || text.contains(is_invisible) {
            return Err(Rejection::BadText);
        }
        if text != self.glossary {
            self.keep(now, Fact::GlossarySet { text }, out);
            self.due.overview = Some(now);
        }
        Ok(())
    }

    /// Tells the ears when what they may expect has changed. After every input, whatever it was.
    pub(super) fn settle_expected(&mut self, out: &mut Vec<Output>) {
        let mut words = self.glossary.clone();
        if let Some(run) = &self.run {
            let about = std::iter::once(&run.options.question).chain(&run.options.topics);
            for it in about.filter(|it| !it.trim().is_empty()) {
                if !words.is_empty() {
                    words.push_str(". ");
                }
                words.push_str(it.trim());
            }
        }
        let words: String = words.chars().take(EXPECTED_CHARS_MAX).collect();
        if words != self.expected {
            self.expected.clone_from(&words);
            out.push(Output::Expect { words });
        }
    }
}
