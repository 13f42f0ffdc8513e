//! The rules of listening, pure: packets into order, voice into utterances, utterances into a fair
//! queue, whisper's answer into words. No clock, no thread, no file; the driver brings all of it in.

pub mod bounds;
pub mod context;
pub mod floor;
pub mod guard;
pub mod int8;
pub mod level;
pub mod mel;
pub mod pace;
pub mod reading;
pub mod reorder;
pub mod schedule;
pub mod segmenter;
pub mod stitch;
pub mod times;
pub mod timing;
pub mod tongue;
