//! What the log and the index mean, pure: no disk, no clock, no task.

pub mod codes;
pub mod digest;
pub mod endings;
pub mod entries;
pub mod erasure;
pub mod export;
pub mod highlight;
pub mod matching;
pub mod names;
pub mod outline;
pub mod query;
pub mod quotes;
pub mod record;
pub mod words;
