//! The rules seen from outside: stories about a few people.

mod session;
mod stage;
