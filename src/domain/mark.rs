//! Marks: what people say of something that was said or written, so that it is found again. Stated by
//! a person, never inferred by the machine; six of them, from the founding text.

/// What something is to whoever marks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    Feeling,
    Experience,
    Thought,
    Worry,
    Challenge,
    Idea,
}

impl Mark {
    pub const ALL: [Mark; 6] =
        [Mark::Feeling, Mark::Experience, Mark::Thought, Mark::Worry, Mark::Challenge, Mark::Idea];

    /// Its place among [`Mark::ALL`].
    pub fn index(self) -> usize {
        match self {
            Mark::Feeling => 0,
            Mark::Experience => 1,
            Mark::Thought => 2,
            Mark::Worry => 3,
            Mark::Challenge => 4,
            Mark::Idea => 5,
        }
    }

    /// As it stands on the wire and in the log.
    pub fn code(self) -> &'static str {
        match self {
            Mark::Feeling => "feeling",
            Mark::Experience => "experience",
            Mark::Thought => "thought",
            Mark::Worry => "worry",
            Mark::Challenge => "challenge",
            Mark::Idea => "idea",
        }
    }

    pub fn from_code(code: &str) -> Option<Mark> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}
