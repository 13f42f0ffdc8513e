//! The rules seen from outside: stories about a few people, and a simulation of many.

mod methods;
/// Of the benches, where nothing runs tests.
#[allow(dead_code, reason = "the relay uses the rest of it")]
#[path = "../bench/relay/road.rs"]
mod road;
mod rotation;
mod runs;
mod session;
mod sim;
mod stage;
