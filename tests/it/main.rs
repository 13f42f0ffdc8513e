//! The rules seen from outside: stories about a few people, and a simulation of many; and what other
//! people's servers see of them over HTTP.

mod api;
mod captions;
mod conversations;
mod ideas;
mod leaf;
mod methods;
mod pauses;
mod rights;
mod rotation;
mod runs;
mod session;
mod sim;
mod stage;
mod talk;
mod together;
mod tools;
