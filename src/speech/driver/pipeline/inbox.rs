//! What waits for the ears: packets and marks between them, of everybody, in the order of arriving. Under
//! one lock, which its owner holds; it decodes nothing.

use std::collections::{BTreeMap, VecDeque};

use crate::speech::driver::pipeline::OpusPacket;
use crate::speech::driver::pipeline::event::SpeakerId;
use crate::speech::engine::bounds::WAITING_PACKETS_MAX;

/// What waits to be heard, in the order of arriving.
pub(super) enum Sound {
    Open {
        generation: u64,
    },
    Packet(OpusPacket),
    Cut,
    /// The track is over; what was said is flushed.
    Close,
    /// The track is over and what was said is forgotten.
    Forget,
}

#[derive(Default)]
pub(super) struct Inbox {
    queues: BTreeMap<SpeakerId, Queue>,
    pub(super) stopping: bool,
    /// Nobody is opened any more.
    pub(super) closed: bool,
}

/// At most [`WAITING_PACKETS_MAX`] packets, and one mark between two of them.
#[derive(Default)]
pub(super) struct Queue {
    sounds: VecDeque<Sound>,
    packets: usize,
    open: bool,
}

pub(super) enum Offered {
    Taken,
    Full,
    NotOpen,
}

impl Inbox {
    pub(super) fn open(&mut self, speaker: SpeakerId, generation: u64) {
        let queue = self.queues.entry(speaker).or_default();
        queue.open = true;
        match queue.sounds.back_mut() {
            // Closed and opened again before the ears noticed: the same track goes on.
            Some(last @ Sound::Close) => *last = Sound::Cut,
            Some(Sound::Open { generation: last }) => *last = generation,
            _ => queue.sounds.push_back(Sound::Open { generation }),
        }
    }

    pub(super) fn offer(&mut self, speaker: SpeakerId, packet: OpusPacket) -> Offered {
        let Some(queue) = self.queues.get_mut(&speaker).filter(|it| it.open) else {
            return Offered::NotOpen;
        };
        if queue.packets >= WAITING_PACKETS_MAX {
            return Offered::Full;
        }
        queue.packets += 1;
        queue.sounds.push_back(Sound::Packet(packet));
        Offered::Taken
    }

    pub(super) fn cut(&mut self, speaker: SpeakerId) {
        if let Some(queue) = self.queues.get_mut(&speaker).filter(|it| it.open)
            && !matches!(queue.sounds.back(), Some(Sound::Cut))
        {
            queue.sounds.push_back(Sound::Cut);
        }
    }

    pub(super) fn close(&mut self, speaker: SpeakerId, discard: bool) {
        let Some(queue) = self.queues.get_mut(&speaker) else { return };
        if discard {
            *queue = Queue::default();
            queue.sounds.push_back(Sound::Forget);
        } else if queue.open {
            queue.open = false;
            if matches!(queue.sounds.back(), Some(Sound::Cut)) {
                queue.sounds.pop_back();
            }
            queue.sounds.push_back(Sound::Close);
        }
    }

    /// Closes everybody; what they have said is flushed.
    pub(super) fn close_all(&mut self) {
        self.closed = true;
        let speakers: Vec<_> = self.queues.keys().copied().collect();
        speakers.into_iter().for_each(|it| self.close(it, false));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queues.is_empty()
    }

    #[cfg(test)]
    pub(super) fn packets(&self, speaker: SpeakerId) -> usize {
        self.queues.get(&speaker).map_or(0, |it| it.packets)
    }

    /// Whether anything of that speaker waits for the ears.
    pub(super) fn waits(&self, speaker: SpeakerId) -> bool {
        self.queues.get(&speaker).is_some_and(|it| !it.sounds.is_empty())
    }

    /// Whether an opening of that generation waits.
    pub(super) fn will_open(&self, speaker: SpeakerId, generation: u64) -> bool {
        let opens = |it: &Sound| matches!(it, Sound::Open { generation: it } if *it == generation);
        self.queues.get(&speaker).is_some_and(|it| it.sounds.iter().any(opens))
    }

    /// What waits of the first speaker after `last` of whom anything waits, so that everybody gets a
    /// turn. Queues of closed tracks go away here.
    pub(super) fn take(&mut self, last: Option<SpeakerId>) -> Option<(SpeakerId, VecDeque<Sound>)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let waits = |it: &(&SpeakerId, &Queue)| !it.1.sounds.is_empty();
        let after = last.map_or(Unbounded, Excluded);
        let later = self.queues.range((after, Unbounded)).find(waits);
        let speaker = *later.or_else(|| self.queues.iter().find(waits))?.0;
        let queue = self.queues.get_mut(&speaker)?;
        queue.packets = 0;
        let sounds = std::mem::take(&mut queue.sounds);
        if !queue.open {
            self.queues.remove(&speaker);
        }
        Some((speaker, sounds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::SessionTime;
    use crate::speech::driver::pipeline::tests::{alice, bob};

    #[test]
    fn nobody_waits_for_slow_ears() {
        let mut inbox = Inbox::default();
        let offer = |inbox: &mut Inbox, n: u16| {
            let payload = bytes::Bytes::new();
            let arrived = SessionTime::ZERO;
            let packet = OpusPacket { sequence: n, timestamp: 0, arrived, payload };
            inbox.offer(alice(), packet)
        };
        assert!(matches!(offer(&mut inbox, 0), Offered::NotOpen));
        inbox.open(alice(), 1);
        for n in 0..WAITING_PACKETS_MAX {
            for _ in 0..3 {
                inbox.cut(alice());
                inbox.close(alice(), false);
                inbox.open(alice(), 1);
            }
            assert!(matches!(offer(&mut inbox, n as u16), Offered::Taken));
        }
        assert!(matches!(offer(&mut inbox, 0), Offered::Full));
        assert!(inbox.queues[&alice()].sounds.len() <= 2 * WAITING_PACKETS_MAX + 1);
        let (_, sounds) = inbox.take(None).unwrap();
        assert!(matches!(sounds[0], Sound::Open { generation: 1 }));
        assert!(matches!(offer(&mut inbox, 0), Offered::Taken));
    }

    #[test]
    fn everybody_gets_a_turn_at_the_ears() {
        let mut inbox = Inbox::default();
        for speaker in [alice(), bob()] {
            inbox.open(speaker, 1);
        }
        let first = inbox.take(None).unwrap().0;
        inbox.cut(first);
        assert_eq!(inbox.take(Some(first)).unwrap().0, bob());
        assert_eq!(inbox.take(Some(bob())).unwrap().0, alice());
        assert!(inbox.take(Some(alice())).is_none());
    }
}
