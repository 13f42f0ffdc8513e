//! Vuoro makes a webinar's listeners talk. The modules, in reading order; each may use those above
//! it, except that `media`, `speech` and `notes` never see one another (`tests/tidy.rs` holds this).

pub mod domain;

pub mod media;
pub mod notes;
pub mod speech;

pub mod app;
pub mod server;
