//! The pure half of media: told the time and the bytes, it answers what to do with them.

pub mod feedback;
pub mod level;
pub mod router;
pub mod slot;
pub mod vp8;
