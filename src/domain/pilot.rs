//! What people say of how a method worked, once it is over: each once, without a name, and only as
//! much as they like. It counts; it shows nothing of so few that one of them could be told apart.

use crate::domain::limits::PILOT_ANSWERS_MIN;

/// How far something was so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    No,
    Little,
    Mostly,
    Yes,
}

impl Level {
    pub const ALL: [Level; 4] = [Level::No, Level::Little, Level::Mostly, Level::Yes];

    /// Its place among [`Level::ALL`].
    pub fn index(self) -> usize {
        match self {
            Level::No => 0,
            Level::Little => 1,
            Level::Mostly => 2,
            Level::Yes => 3,
        }
    }
}

/// What one person says. What they pass over is `None`, and `line` empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The others listened to me.
    pub heard: Option<Level>,
    /// I knew what to do.
    pub clear: Option<Level>,
    /// I heard or understood something new.
    pub fresh: Option<Level>,
    /// I would take part in this again.
    pub again: Option<Level>,
    /// In their own words.
    pub line: String,
}

impl Answer {
    /// Whether everything was passed over.
    pub fn is_empty(&self) -> bool {
        self.levels().iter().all(Option::is_none) && self.line.is_empty()
    }

    fn levels(&self) -> [Option<Level>; 4] {
        [self.heard, self.clear, self.fresh, self.again]
    }
}

/// How often each level was said, in the order of [`Level::ALL`].
pub type Counts = [u32; 4];

/// What all say together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pilot {
    pub answers: u32,
    /// `None`: too few have answered.
    pub told: Option<Told>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub heard: Counts,
    pub clear: Counts,
    pub fresh: Counts,
    pub again: Counts,
    /// In the order of their letters: in no other could anybody look for their writers.
    pub lines: Vec<String>,
}

impl Pilot {
    pub fn of(answers: &[Answer]) -> Pilot {
        let count = u32::try_from(answers.len()).unwrap_or(u32::MAX);
        if answers.len() < PILOT_ANSWERS_MIN {
            return Pilot { answers: count, told: None };
        }
        let mut told = Told::default();
        for answer in answers {
            let counts = [&mut told.heard, &mut told.clear, &mut told.fresh, &mut told.again];
            for (counts, level) in counts.into_iter().zip(answer.levels()) {
                let of = level.and_then(|it| counts.get_mut(it.index()));
                of.into_iter().for_each(|it| *it = it.saturating_add(1));
            }
        }
        let lines = answers.iter().map(|it| it.line.clone()).filter(|it| !it.is_empty());
        told.lines = lines.collect();
        told.lines.sort();
        Pilot { answers: count, told: Some(told) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(heard: Option<Level>, line: &str) -> Answer {
        Answer { heard, line: line.into(), ..Answer::default() }
    }

    #[test]
    fn of_few_nothing_is_told() {
        let two = [answer(Some(Level::Yes), "Hyvä"), answer(None, "")];
        assert_eq!(Pilot::of(&two), Pilot { answers: 2, told: None });
    }

    #[test]
    fn what_is_passed_over_is_no_answer() {
        let three = [
            answer(Some(Level::Yes), "Ääni pätki"),
            answer(None, "Hyvä"),
            answer(Some(Level::Little), ""),
        ];
        let told = Pilot::of(&three).told.expect("three are enough");
        assert_eq!((told.heard, told.again), ([0, 1, 0, 1], [0; 4]));
        assert_eq!(told.lines, ["Hyvä", "Ääni pätki"]);
        assert!(answer(None, "").is_empty() && !answer(Some(Level::No), "").is_empty());
    }
}
