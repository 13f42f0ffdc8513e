//! What the log and the index mean, pure: no disk, no clock, no task.

pub mod endings;
pub mod erasure;
pub mod export;
pub mod highlight;
pub mod names;
pub mod query;
pub mod record;
