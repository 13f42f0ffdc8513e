//! Speech: from a person's own Opus track to words. `engine` is pure, `driver` touches codecs and models.

pub mod driver;
pub mod engine;
