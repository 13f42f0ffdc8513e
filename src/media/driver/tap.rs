//! Where audio is offered to whoever may listen. The gate is closed until a person has agreed, and
//! then nothing of theirs passes it, decoded or not. It never waits and never stores.

use std::{collections::BTreeSet, sync::RwLock};

use bytes::Bytes;

use crate::domain::ids::ParticipantId;

/// One Opus packet of somebody who has agreed to be listened to.
#[derive(Clone, Debug)]
pub struct TappedPacket {
    pub sequence: u16,
    /// RTP clock, 48 kHz.
    pub timestamp: u32,
    pub payload: Bytes,
}

/// Receives the audio of those whose gate is open. Called on the packet path: must not wait.
pub trait AudioTap: Send + Sync {
    fn packet(&self, from: ParticipantId, packet: TappedPacket);
}

/// For whom something holds, such as that their audio may pass; at first for nobody.
#[derive(Debug, Default)]
pub struct Gate {
    open: RwLock<BTreeSet<ParticipantId>>,
}

impl Gate {
    pub fn set(&self, participant: ParticipantId, open: bool) {
        let mut set = self.open.write().unwrap_or_else(|it| it.into_inner());
        if open {
            set.insert(participant);
        } else {
            set.remove(&participant);
        }
    }

    pub fn is_open(&self, participant: ParticipantId) -> bool {
        self.open.read().unwrap_or_else(|it| it.into_inner()).contains(&participant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gate_is_closed_until_it_is_opened() {
        let gate = Gate::default();
        assert!(!gate.is_open(ParticipantId(1)));
        gate.set(ParticipantId(1), true);
        assert!(gate.is_open(ParticipantId(1)));
        assert!(!gate.is_open(ParticipantId(2)));
        gate.set(ParticipantId(1), false);
        assert!(!gate.is_open(ParticipantId(1)));
    }
}
