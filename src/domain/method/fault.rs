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

/// What is wrong, and the remedy, in words for whoever wrote the document. Words of theirs that are
/// said back are shortened by `quoted`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    // Texts and ids.
    #[error("`{0}` is not an id: write 1 to 40 of the letters a to z, digits and hyphens")]
    NotAnId(String),
    #[error("`{0}` is the id of an earlier one too: give this one another")]
    IdTaken(String),
    #[error("the text is empty: write one")]
    EmptyText,
    #[error("the text has {chars} characters: shorten it to {max} at most")]
    LongText { chars: usize, max: usize },
    #[error("the text has a line break or an invisible character: write it on one line")]
    UnseenCharacter,
    #[error("there are {count} `{key}`: {min} to {max} are possible")]
    Amount { key: &'static str, count: usize, min: usize, max: usize },
    #[error("the address does not begin with https:// or has a space: correct it or leave it out")]
    NotAnAddress,

    // Numbers.
    /// `because` begins with a comma or is empty.
    #[error("`{key}` is {value}{because}: write {min} to {max}")]
    Range { key: &'static str, value: u64, min: u64, max: u64, because: &'static str },
    #[error("`people` are {min} to {max}, ideally {ideal}: write them so that min ≤ ideal ≤ max")]
    PeopleOrder { min: u16, max: u16, ideal: u16 },
    #[error(
        "it lasts {hours} hours with {people} people: shorten its phases to {max} hours in all"
    )]
    TooLong { hours: u64, people: u16, max: u64 },

    // Keys that belong together.
    #[error("`{key}` is missing: {because}")]
    Missing { key: &'static str, because: &'static str },
    #[error("`{key}` has no meaning here: {because}")]
    Needless { key: &'static str, because: &'static str },

    // Roles.
    #[error("a role without `count` takes all who are left: put it last, or write its `count`")]
    RestNotLast,
    #[error("the roles need {needed} people, but a room holds at most {max}: lower their `count`")]
    ManyRoles { needed: u32, max: usize },
    #[error("if all who are left stay, nobody moves: write `count` beside `stays`")]
    AllStay,
    #[error("there is no role `{0}`: write the id of one of `roles`")]
    NoSuchRole(String),
    #[error("nobody has a role yet: let rooms come first (`mix`), or take `speaking` out")]
    SpeakingBeforeRooms,
    #[error("nobody has a role yet: let rooms come first (`mix`), or take `scribe` out")]
    ScribeBeforeRooms,
    #[error("with `{0}` nobody is to speak: take `speaking` out")]
    SpeakingInSilence(&'static str),
    #[error(
        "`travel` needs a host at each table: give one role, and only one, `stays` and count 1"
    )]
    NoHost,

    // Cycles.
    #[error("a cycle needs `times` or `each`, and not both: write one of them")]
    TimesOrEach,
    #[error("`each` gives everybody the role `{0}` once: its `count` must be 1")]
    EachNotOne(String),
    #[error("no phase is in this cycle: write its id as the `cycle` of some, or take it out")]
    UnusedCycle,
    #[error("there is no cycle `{0}`: write the id of one of `cycles`")]
    NoSuchCycle(String),
    #[error("the phases of the cycle `{0}` are apart: put them one after the other")]
    CycleApart(String),
    #[error("`rounds` and `cycle` both repeat: keep one of them")]
    RoundsInCycle,
    #[error(
        "the cycle gives everybody a role in turn, so its rooms must last: use `same` or `solo` in \
         it, and make the rooms (`mix`) right before it"
    )]
    EachMoves,

    // Rooms.
    #[error(
        "rooms of {0} and no other size hold only some numbers of people: let `size_max` be more"
    )]
    OneSize(usize),
    #[error(
        "{people} people may come, but this needs {needed}: raise people.min, or make the rooms \
         smaller (`size`, `size_min`)"
    )]
    FewPeople { people: u16, needed: usize },
    #[error("there is nothing before it to stay in: use `plenary`, `solo` or `mix`")]
    NothingToStayIn,
    #[error(
        "`{0}` needs people who sit in rooms: let a phase with `mix` or `return` come right before \
         it, with nothing but `same` and `solo` between"
    )]
    NoRoomsBefore(&'static str),
    #[error("there is no phase `{0}`: write the id of an earlier phase that makes rooms")]
    NoSuchPhase(String),
    #[error("`{0}` does not come before this phase: write the id of an earlier one")]
    NotEarlier(String),
    #[error("`{0}` makes no rooms to return to: write the id of a phase that does")]
    MakesNoRooms(String),
    #[error(
        "two rooms of {size} before it do not fit into one of at most {max}: make this `size` \
         bigger or those rooms smaller"
    )]
    CannotMerge { size: usize, max: usize },
    #[error("merging again puts nothing more together: write `rounds` = 1")]
    MergeAgain,

    // Time, turns and harvest.
    #[error("`length_s` and `length_s_per_person` are both given: keep one of them")]
    TwoLengths,
    #[error(
        "nothing ends this phase: write `length_s` or `length_s_per_person`, or advance = \"host\""
    )]
    NoLength,
    #[error("there is no order of turns in `{0}`: use turns = \"free\" or \"silent\"")]
    NoTurns(&'static str),
    #[error("there are no cards to score: let a phase with the harvest `card` come before it")]
    NoCards,
    #[error("a card is written alone: use assign = \"solo\" or turns = \"silent\"")]
    CardAloud,
    #[error("a line is written by a room together, but this is `solo`: use `note`")]
    LineAlone,

    // Ideas.
    #[error(
        "ideas lie before a room: write them alone (`solo` or `silent`), or let rooms come first \
         (`mix`); all together `votes` has them"
    )]
    IdeasOfAll,
    #[error("ideas are shown to others, so they are written down: take `transcribe` out")]
    IdeasUnwritten,
    #[error("all vote together: use assign = \"plenary\"")]
    VotesApart,
    #[error(
        "there is nothing to vote on: let a phase with the harvest `ideas` and with `choose` come \
         before it"
    )]
    NothingChosen,
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
