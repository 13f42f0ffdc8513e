//! What the log and the index mean, pure: no disk, no clock, no task.

pub mod endings;
pub mod highlight;
pub mod query;
pub mod record;
