//! The rules, pure: no clock, no task, no file, no chance of its own. Uses nothing else of this
//! crate; everything else uses it.

pub mod ids;
pub mod language;
pub mod limits;
pub mod time;
pub mod timeline;

pub mod balance;
pub mod fact;
pub mod message;
pub mod rejection;
pub mod rooms;

pub mod session;
