//! The half of media that touches the network: sockets, threads, handshakes. What happens to a packet
//! is the engine's.

mod batch;
mod clock;
mod core;
pub mod forwarder;
mod handshake;
pub mod tap;
mod tcp;
pub mod transport;
