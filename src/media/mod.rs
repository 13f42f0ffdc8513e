//! Media: who hears and sees whom. `engine` is pure, `driver` touches the network.
//!
//! The life of one packet: `driver::socket` → `driver::peer` (decrypts) → `driver::forwarder` (looks
//! up the table that `engine::router` made) → `engine::slot` of each subscriber → `driver::peer`
//! (encrypts) → `driver::socket`. Beside it `engine::level` hears who speaks, and `driver::tap`
//! offers the audio to whoever may listen.

pub mod driver;
pub mod engine;
