//! The pure half of media: told the time and the bytes, it answers what to do with them.

pub mod cache;
pub mod exchange;
pub mod feedback;
pub mod layers;
pub mod level;
pub mod reception;
pub mod router;
pub mod rtcp;
pub mod rtp;
pub mod sdp;
pub mod sender_clock;
pub mod slot;
pub mod srtp;
pub mod stun;
pub mod time;
pub mod vp8;
pub mod window;
