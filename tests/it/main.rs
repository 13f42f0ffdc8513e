//! The rules seen from outside: stories about a few people, and a simulation of many.

mod methods;
#[allow(dead_code, reason = "the load generator uses the rest of it")]
#[path = "../bench/sfu/reports.rs"]
mod reports;
/// Of the benches, where nothing runs tests.
#[allow(dead_code, reason = "the relay uses the rest of it")]
#[path = "../bench/relay/road.rs"]
mod road;
mod rotation;
mod runs;
/// Of the benches too.
#[path = "../bench/sfu/sdp.rs"]
mod sdp;
mod session;
mod sim;
mod stage;
