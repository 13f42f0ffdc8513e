//! Who sits with whom in which round, so that people meet new people. Knows numbers of people and
//! groups and is told its chance; never a name, a clock or a room's life.

mod chance;
mod construct;
mod deal;
mod groups;
mod history;
mod plan;
mod rules;
mod search;
mod seat;
mod shifts;
mod tables;

use chance::Chance;
pub use deal::deal;
pub use groups::{carousel, merge, place_late, sizes};
pub use history::{History, PlanReport, report};
pub use plan::{plan, regroup, regroup_harder};
pub use rules::Rules;

/// The groups in the order of their rooms, each group's people in the order of their numbers.
pub type Round = Vec<Vec<usize>>;

/// The most people who can be planned for.
pub const PEOPLE_MAX: usize = 1_000;
/// The most rounds in one plan.
pub const ROUNDS_MAX: usize = 1_000;
