//! The rules seen from outside: stories about a few people, and a simulation of many.

mod captions;
mod conversations;
mod ideas;
mod methods;
mod pauses;
mod rotation;
mod runs;
mod session;
mod sim;
mod stage;
mod talk;
mod tools;
