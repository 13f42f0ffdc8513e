//! The languages people may use here. Adding one is adding a variant and following the compiler.

/// A language of the interface, of speech and of search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    #[default]
    Finnish,
    Swedish,
    English,
}

impl Language {
    pub const ALL: [Language; 3] = [Language::Finnish, Language::Swedish, Language::English];

    /// The ISO 639-1 code.
    pub fn code(self) -> &'static str {
        match self {
            Language::Finnish => "fi",
            Language::Swedish => "sv",
            Language::English => "en",
        }
    }

    pub fn from_code(code: &str) -> Option<Language> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}
