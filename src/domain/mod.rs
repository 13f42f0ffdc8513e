//! The rules, pure: no clock, no task, no file, no chance of its own. Uses nothing else of this
//! crate; everything else uses it.

pub mod ids;
pub mod language;
pub mod limits;
pub mod spoken;
pub mod time;
pub mod timeline;

pub mod assign;
pub mod balance;
pub mod consent;
pub mod conversation;
pub mod evenness;
pub mod fact;
pub mod ideas;
pub mod mark;
pub mod message;
pub mod method;
pub mod mixing;
pub mod pilot;
pub mod preview;
pub mod rejection;
pub mod rooms;
pub mod rotation;
pub mod run;
pub mod sheet;
pub mod talk;
pub mod view;

pub mod session;
