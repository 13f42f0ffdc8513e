//! The log and the index on disk. What they mean stands in `engine`.

pub mod erasing;
pub mod index;
pub mod log;
pub mod pilots;
mod striking;
pub mod tenants;
pub mod upkeep;
pub mod voikko;
