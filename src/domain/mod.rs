//! The rules, pure: no clock, no task, no file, no chance of its own. Uses nothing else of this
//! crate; everything else uses it.

pub mod fact;
pub mod ids;
pub mod language;
pub mod limits;
pub mod message;
pub mod rejection;
pub mod time;
