//! Where audio is offered to whoever may listen. The gate is closed until a person has agreed, and
//! then nothing of theirs passes it, decoded or not. It never waits and never stores.

use crate::domain::ids::ParticipantId;
pub use crate::media::engine::exchange::TappedPacket;

/// Receives the audio of those whose gate is open. Called on the packet path: must not wait.
pub trait AudioTap: Send + Sync {
    fn packet(&self, from: ParticipantId, packet: TappedPacket);
}
