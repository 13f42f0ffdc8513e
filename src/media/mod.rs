//! Media: who hears and sees whom. `engine` is pure, `driver` touches the network.
//!
//! The life of one packet: `driver::core` receives a batch → `engine::exchange` finds whose it is,
//! opens it once, and for each subscriber that `engine::router` has put in its table asks
//! `engine::slot` for its numbers and seals it in place → `driver::batch` sends all of them. Beside it
//! `engine::level` hears who speaks, and `driver::tap` offers the audio to whoever may listen.

pub mod driver;
pub mod engine;
