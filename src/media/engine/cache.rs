//! The last second of one stream, so that what a subscriber lost can be sent again. One copy serves
//! all subscribers, however many. It never grows beyond its bytes.

use std::collections::VecDeque;

/// Packets remembered, whatever their size.
const PACKETS_MAX: usize = 512;

/// What is needed to send a packet again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cached<'a> {
    pub timestamp: u32,
    pub marker: bool,
    pub payload: &'a [u8],
}

#[derive(Clone, Debug)]
pub struct PacketCache {
    entries: VecDeque<Entry>,
    /// A ring: an entry's payload stands in one piece, the oldest are written over.
    bytes: Vec<u8>,
    bytes_max: usize,
    at: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    sequence: u16,
    timestamp: u32,
    marker: bool,
    start: usize,
    end: usize,
}

impl PacketCache {
    /// `bytes_max`: of payload. Takes memory only as packets come.
    pub fn new(bytes_max: usize) -> Self {
        Self { entries: VecDeque::new(), bytes: Vec::new(), bytes_max, at: 0 }
    }

    pub fn put(&mut self, sequence: u16, timestamp: u32, marker: bool, payload: &[u8]) {
        if payload.is_empty() || self.bytes_max < payload.len() {
            return;
        }
        if self.bytes_max < self.at + payload.len() {
            // What lies in the rest of the ring is older than what lies at its beginning.
            while self.entries.front().is_some_and(|it| self.at <= it.start) {
                self.entries.pop_front();
            }
            self.at = 0;
        }
        let (start, end) = (self.at, self.at + payload.len());
        // The oldest lie next in the ring; those which this one writes over are gone.
        while let Some(oldest) = self.entries.front() {
            let is_clear = oldest.end <= start || end <= oldest.start;
            if is_clear && self.entries.len() < PACKETS_MAX {
                break;
            }
            self.entries.pop_front();
        }
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[start..end].copy_from_slice(payload);
        self.entries.push_back(Entry { sequence, timestamp, marker, start, end });
        self.at = end;
    }

    pub fn get(&self, sequence: u16) -> Option<Cached<'_>> {
        let entry = self.entries.iter().rev().find(|it| it.sequence == sequence)?;
        let payload = &self.bytes[entry.start..entry.end];
        Some(Cached { timestamp: entry.timestamp, marker: entry.marker, payload })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What is still there is right, the newest always is, and no more bytes are used than
        /// allowed.
        #[test]
        fn it_is_what_was_put(lengths in prop::collection::vec(1usize..40, 1..200)) {
            let mut cache = PacketCache::new(300);
            let payload = |it: usize, length: usize| vec![it as u8; length];
            for (index, length) in lengths.iter().enumerate() {
                cache.put(index as u16, index as u32 * 10, index % 3 == 0, &payload(index, *length));
                prop_assert!(cache.bytes.len() <= 300);
                let mut held = 0;
                for (earlier, length) in lengths[..=index].iter().enumerate() {
                    let Some(cached) = cache.get(earlier as u16) else { continue };
                    held += length;
                    prop_assert_eq!(cached.payload, payload(earlier, *length));
                    prop_assert_eq!(cached.timestamp, earlier as u32 * 10);
                }
                prop_assert!(held <= 300);
                prop_assert!(cache.get(index as u16).is_some());
                // At least half of the room is in use once it has been filled.
                let all: usize = lengths[..=index].iter().sum();
                prop_assert!(150.min(all) <= held, "{held} of {all}");
            }
        }
    }

    #[test]
    fn what_is_too_large_or_empty_is_not_kept() {
        let mut cache = PacketCache::new(10);
        cache.put(1, 0, true, &[]);
        cache.put(2, 0, true, &[0; 11]);
        assert_eq!((cache.get(1), cache.get(2)), (None, None));
    }
}
