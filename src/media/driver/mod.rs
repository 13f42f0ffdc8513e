//! The half of media that touches the network. Only `socket`, `rtcp` and `peer` know the `webrtc`
//! crate, so that another way to move packets changes these three files.

pub mod forwarder;
pub mod peer;
mod rtcp;
pub mod socket;
pub mod tap;
