//! What can be wrong with a method document, where, and what to do about it. It finds nothing
//! itself (see `check`), and knows no file and no line.

/// Something a method document must not have, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The way from the document's root: `phases`, 2, `size`. It may name a key that is absent.
    pub at: Vec<Step>,
    pub problem: Problem,
}

/// One step into a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Key(&'static str),
    /// A place in a list, from 0.
    Index(usize),
}

/// What is wrong, with what it takes to say so in any language (`words` does). Words of whoever wrote the
/// document, when they are said back, are shortened by `quoted`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    // Texts and ids.
    NotAnId(String),
    IdTaken(String),
    EmptyText,
    LongText { chars: usize, max: usize },
    UnseenCharacter,
    Amount { key: &'static str, count: usize, min: usize, max: usize },
    NotAnAddress,

    // Numbers.
    Range { key: &'static str, value: u64, min: u64, max: u64, because: Bound },
    PeopleOrder { min: u16, max: u16, ideal: u16 },
    TooLong { hours: u64, people: u16, max: u64 },

    // Keys that belong together.
    Missing(Absent),
    Needless { key: &'static str, only: OnlyWith },

    // Roles.
    RestNotLast,
    ManyRoles { needed: u32, max: usize },
    AllStay,
    NoSuchRole(String),
    SpeakingBeforeRooms,
    ScribeBeforeRooms,
    SpeakingInSilence(&'static str),
    NoHost,

    // Cycles.
    TimesOrEach,
    EachNotOne(String),
    UnusedCycle,
    NoSuchCycle(String),
    CycleApart(String),
    RoundsInCycle,
    EachMoves,

    // Rooms.
    OneSize(usize),
    FewPeople { people: u16, needed: usize },
    NothingToStayIn,
    NoRoomsBefore(&'static str),
    NoSuchPhase(String),
    NotEarlier(String),
    MakesNoRooms(String),
    CannotMerge { size: usize, max: usize },
    MergeAgain,

    // Time, turns and harvest.
    TwoLengths,
    NoLength,
    NoTurns(&'static str),
    NoCards,
    CardAloud,
    LineAlone,

    // Ideas.
    IdeasOfAll,
    IdeasUnwritten,
    VotesApart,
    NothingChosen,
}

/// Why a number is bounded as it is, where that is not plain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    Plain,
    /// Of people: nobody talks alone.
    Alone,
    /// What a session holds.
    Session,
    /// What a room holds.
    Room,
    AtMostSize,
    AtLeastSize,
    /// Of a phase.
    Hours,
    /// As many votes as each person has.
    Each,
}

/// A key without which a phase cannot run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    Size,
    RoomsOf,
    Seats,
    LengthPerPerson,
    Vote,
}

impl Absent {
    /// As the document would have it.
    pub fn key(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::RoomsOf => "rooms_of",
            Self::Seats => "seats",
            Self::LengthPerPerson => "length_s_per_person",
            Self::Vote => "vote",
        }
    }
}

/// Where a key has a meaning, and there only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnlyWith {
    /// `mix` and `merge`.
    RoomsMade,
    Return,
    Seats,
    Line,
    Ideas,
    Votes,
}

/// A stranger's word as it may be said back: short, and without characters that do things.
pub fn quoted(word: &str) -> String {
    const CHARS_MAX: usize = 40;
    let mut shown: String = word.chars().filter(|it| !unseen(*it)).take(CHARS_MAX).collect();
    if CHARS_MAX < word.chars().count() {
        shown.push('…');
    }
    shown
}

/// Whether a character breaks the line, steers a terminal or turns the direction of writing.
pub fn unseen(it: char) -> bool {
    it.is_control() || matches!(it, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_word_is_said_back_short_and_tame() {
        assert_eq!(quoted("pöytä 2"), "pöytä 2");
        assert_eq!(quoted("\u{1b}[31mred\n\u{202e}"), "[31mred");
        assert_eq!(quoted(&"ä".repeat(41)), format!("{}…", "ä".repeat(40)));
    }
}
