//! Where speech touches the world: libopus, the VAD's and whisper's models, threads and files.

pub mod ggml;
pub mod listener;
pub mod opus;
pub mod pipeline;
pub mod vad;
pub mod wav;
pub mod whisper;
