//! In which language somebody speaks: as they have said, or as it is heard.

use crate::domain::language::Language;

/// The language of a person's speech.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoken {
    /// As they have said.
    Told(Language),
    /// Found by listening. The language in which they are heard now; at first a guess.
    ByEar(Language),
}

impl Spoken {
    pub fn language(self) -> Language {
        match self {
            Spoken::Told(language) | Spoken::ByEar(language) => language,
        }
    }

    pub fn is_by_ear(self) -> bool {
        matches!(self, Spoken::ByEar(_))
    }

    /// The same way of finding the language, with another that is heard; what has been told stays.
    pub fn heard_as(self, language: Language) -> Self {
        match self {
            Spoken::Told(_) => self,
            Spoken::ByEar(_) => Spoken::ByEar(language),
        }
    }
}
