//! A co-development method as data: what is done in which order, in groups of what size, for how
//! long, by whom, and the texts that guide people. It runs nothing and knows nobody.
//!
//! These types are the file format: a method is a document that people write, share and keep, and
//! the log and the wire carry the same document. That is why serde stands here, alone in the
//! domain. Anybody can make one, so what came from outside is `check`ed before it is run.

pub mod check;
pub mod fault;
pub mod length;
pub mod words;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::domain::{
    language::Language,
    limits::{PHASE_GRACE_MS, ROOM_PEOPLE_MAX},
};

/// A text in every language of the product; none may be empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Text {
    pub fi: String,
    pub sv: String,
    pub en: String,
}

impl Text {
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::Finnish => &self.fi,
            Language::Swedish => &self.sv,
            Language::English => &self.en,
        }
    }
}

/// One method, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Method {
    /// Lower-case letters, digits and hyphens; the name of its file, and stable.
    pub id: String,
    pub name: Text,
    /// What it is good for, in one sentence.
    pub purpose: Text,
    /// How it goes and why it works, in two to five sentences.
    pub description: Text,
    /// For finding it.
    pub aims: Vec<Aim>,
    pub people: People,
    /// Who does what in a room, in the order in which they are given out. Empty: all do the same.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// What everybody agrees to.
    #[serde(default)]
    pub rules: Vec<Text>,
    /// Repetitions of several phases together.
    #[serde(default)]
    pub cycles: Vec<Cycle>,
    pub phases: Vec<Phase>,
    pub source: Source,
}

/// What a method helps with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Aim {
    /// People get to know one another.
    Meet,
    /// Experiences and good practices are told on.
    Share,
    /// Something is understood from several sides.
    Understand,
    /// Ideas come up.
    Ideas,
    /// Ideas are weighed and chosen.
    Choose,
    /// One person is helped with their question.
    Help,
    /// What has happened is looked back on.
    Reflect,
}

/// How many people it suits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct People {
    pub min: u16,
    pub max: u16,
    pub ideal: u16,
}

/// Where the method is described.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Who made or described it.
    pub by: String,
    /// May be empty.
    #[serde(default)]
    pub url: String,
}

/// A part somebody plays in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Role {
    pub id: String,
    pub name: Text,
    /// What whoever has it does, said to them.
    pub task: Text,
    /// How many in a room have it; absent: all who are left.
    #[serde(default)]
    pub count: Option<u8>,
    /// Whether they stay at their table when the others move on.
    #[serde(default)]
    pub stays: bool,
}

/// Phases, next to each other, that are gone through together several times. One of `times` and
/// `each` is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Cycle {
    pub id: String,
    #[serde(default)]
    pub times: Option<u8>,
    /// A role: as often as a room has people, so that everybody has it once.
    #[serde(default)]
    pub each: Option<String>,
}

/// One timed step. A **round** is one repetition of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    pub id: String,
    pub name: Text,
    /// What to do, said to everybody in it, in one to three sentences.
    pub instruction: Text,
    /// What the facilitator says or minds, for the printed guide.
    pub script: Text,
    pub assign: Assign,
    /// People to a room, with `mix` and `merge`.
    #[serde(default)]
    pub size: Option<u8>,
    /// Fewest to a room; absent: one less than `size`, and at least 2.
    #[serde(default)]
    pub size_min: Option<u8>,
    /// Most to a room; absent: one more than `size`, and at most 8.
    #[serde(default)]
    pub size_max: Option<u8>,
    /// With `return`: the phase whose rooms are taken up again.
    #[serde(default)]
    pub rooms_of: Option<String>,
    /// With `seats`: how many may speak; one more chair stands empty.
    #[serde(default)]
    pub seats: Option<u8>,
    /// With the harvest `ideas` in rooms: how many ideas each room may choose to bring to all. Absent:
    /// none are chosen yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub choose: Option<u8>,
    /// With the harvest `votes`: how people vote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub vote: Option<Vote>,
    /// How long, in seconds.
    #[serde(default)]
    pub length_s: Option<u32>,
    /// Or how long for each person of the fullest room, in seconds. Neither: until the facilitator
    /// goes on.
    #[serde(default)]
    pub length_s_per_person: Option<u32>,
    /// How often in a row, regrouped each time.
    #[serde(default = "once")]
    pub rounds: u8,
    /// The cycle it belongs to.
    #[serde(default)]
    pub cycle: Option<String>,
    #[serde(default)]
    pub turns: Turns,
    /// Only these roles may speak. Empty: everybody whom `turns` lets.
    #[serde(default)]
    pub speaking: Vec<String>,
    #[serde(default)]
    pub harvest: Harvest,
    /// With the harvest `line`: whom the room's sheet is given to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub scribe: Option<Scribe>,
    #[serde(default)]
    pub advance: Advance,
    /// Whether words may be written down at all, whatever people have agreed to.
    #[serde(default = "yes")]
    pub transcribe: bool,
    /// Whether even turns are the aim, so that the room is shown its balance.
    #[serde(default = "yes")]
    pub balance: bool,
    /// The way of thinking it asks for, as a colour (six hats).
    #[serde(default)]
    pub colour: Option<Colour>,
}

/// How people are put into rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Assign {
    /// Everybody in the main room.
    Plenary,
    /// Each for themselves, quietly, wherever they are.
    Solo,
    /// Nobody moves.
    Same,
    /// New rooms of `size`, with people one has not met.
    Mix,
    /// Rooms are put together into rooms of `size`; who was together stays together.
    Merge,
    /// The rooms of an earlier phase again.
    Return,
    /// One stays at each table as host; the others go each to a new one.
    Travel,
    /// Each group goes on as a whole to the next table; hosts stay.
    Carousel,
    /// Everybody goes where they like, and when.
    Free,
    /// A few in the main room have a seat and speak; who takes the empty chair frees the one taken
    /// longest ago.
    Seats,
}

/// Who may speak when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Turns {
    /// As it comes.
    #[default]
    Free,
    /// Each in turn, for `length_s_per_person`; the others may put in a word.
    Round,
    /// Each in turn; the others listen with their microphones off.
    Stick,
    /// Nobody speaks.
    Silent,
}

/// What people leave behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Harvest {
    /// Only what is said.
    #[default]
    Speech,
    /// Each writes for themselves and, later, the group.
    Note,
    /// Each writes for themselves alone.
    Private,
    /// Each room writes together what it wants to bring to all, on a sheet that stays on its table
    /// when people move on.
    Line,
    /// Each writes one idea on a card, to be scored by others without a name.
    Card,
    /// Each scores the card they hold, from 1 to 5, unseen.
    Score,
    /// Who likes proposes a topic to talk about.
    Topics,
    /// Alone, each writes ideas of their own; in rooms, people have those of all who are there before
    /// them, combine them and choose.
    Ideas,
    /// All vote on the ideas that the rooms have chosen.
    Votes,
}

/// Who writes for the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Scribe {
    /// Whoever has this role is asked to write what the others say.
    pub role: String,
    /// Whether the others only read.
    #[serde(default)]
    pub alone: bool,
}

/// How people vote on ideas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Vote {
    /// Votes that each person has.
    pub each: u8,
    /// Most of them on one idea.
    #[serde(default = "once")]
    pub same: u8,
    /// Most of them on ideas that one has had a part in. Absent: as many as on others'.
    #[serde(default)]
    pub own: Option<u8>,
    /// Whether only facilitators see how the votes lie until the phase is over.
    #[serde(default)]
    pub hidden: bool,
}

/// What ends a phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Advance {
    /// Its time.
    #[default]
    Time,
    /// Everybody is ready, or its time.
    Ready,
    /// The facilitator.
    Host,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Colour {
    White,
    Red,
    Yellow,
    Black,
    Green,
    Blue,
}

impl Phase {
    /// Whether people sit in breakout rooms of a size the method chooses.
    pub fn groups(&self) -> bool {
        matches!(
            self.assign,
            Assign::Mix | Assign::Merge | Assign::Return | Assign::Travel | Assign::Carousel
        )
    }

    /// Whether each is for themselves, and nobody speaks.
    pub fn is_quiet(&self) -> bool {
        self.assign == Assign::Solo || self.turns == Turns::Silent
    }

    /// People to a room, as (wished, fewest, most).
    pub fn sizes(&self) -> (usize, usize, usize) {
        let size = usize::from(self.size.unwrap_or(4)).clamp(2, ROOM_PEOPLE_MAX);
        let min = self.size_min.map_or((size - 1).max(2), usize::from).clamp(2, size);
        let max = self.size_max.map_or(size + 1, usize::from).clamp(size, ROOM_PEOPLE_MAX);
        (size, min, max)
    }

    /// How long it lasts when the fullest room has `people`, in ms. `None`: until the facilitator
    /// goes on.
    pub fn length_ms(&self, people: usize) -> Option<u64> {
        if self.advance == Advance::Host {
            return None;
        }
        let each = self.length_s_per_person.map(|s| u64::from(s) * people.max(1) as u64);
        each.or(self.length_s.map(u64::from)).map(|s| s * 1000)
    }

    /// Time to finish the sentence after the end, in ms. Nobody needs it who does not speak.
    pub fn grace_ms(&self) -> u64 {
        if self.turns == Turns::Silent { 0 } else { PHASE_GRACE_MS }
    }
}

impl Method {
    /// The place of a phase among `phases`.
    pub fn phase_index(&self, id: &str) -> Option<usize> {
        self.phases.iter().position(|it| it.id == id)
    }

    /// The place of a role among `roles`.
    pub fn role_index(&self, id: &str) -> Option<usize> {
        self.roles.iter().position(|it| it.id == id)
    }
}

fn once() -> u8 {
    1
}

fn yes() -> bool {
    true
}
