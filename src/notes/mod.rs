//! Notes: the log (ground) and what is derived from it. `engine` is pure, `driver` touches the disk.

pub mod driver;
pub mod engine;
