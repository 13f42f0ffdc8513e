//! Which packets of one stream have been seen: the newest thousand, one bit each. It goes on past the
//! 16 bits of a sequence number. It keeps no packet.

/// Packets back from the newest that are told apart: a second of video and more, as a packet that was
/// asked for again comes late. What is older counts as seen.
pub const SEEN: u64 = 1_024;

#[derive(Clone, Debug, Default)]
pub struct Window {
    /// `None`: nothing yet.
    newest: Option<u64>,
    seen: [u64; (SEEN / 64) as usize],
}

impl Window {
    /// The index that a sequence number means, next to the newest (RFC 3711, 3.3.1). `None`: from
    /// before the stream began.
    pub fn index_of(&self, sequence: u16) -> Option<u64> {
        let Some(newest) = self.newest else { return Some(u64::from(sequence)) };
        let ahead = sequence.wrapping_sub(newest as u16);
        if ahead < 0x8000 {
            Some(newest + u64::from(ahead))
        } else {
            newest.checked_sub(0x1_0000 - u64::from(ahead))
        }
    }

    pub fn is_new(&self, index: u64) -> bool {
        match self.newest {
            Some(newest) if index <= newest => {
                newest - index < SEEN && self.seen[Self::word(index)] & Self::bit(index) == 0
            }
            _ => true,
        }
    }

    /// From now on it is seen. What is too old to be told apart stays seen.
    pub fn take(&mut self, index: u64) {
        let from = self.newest.map_or(index, |it| it + 1);
        if from <= index {
            if SEEN <= index - from {
                self.seen = Default::default();
            } else {
                (from..=index).for_each(|it| self.seen[Self::word(it)] &= !Self::bit(it));
            }
            self.newest = Some(index);
        }
        if self.newest.is_some_and(|newest| newest - index < SEEN) {
            self.seen[Self::word(index)] |= Self::bit(index);
        }
    }

    fn word(index: u64) -> usize {
        (index % SEEN / 64) as usize
    }

    fn bit(index: u64) -> u64 {
        1 << (index % 64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn an_index_is_the_nearest(newest in 0u64..1 << 40, step in -0x7fff_i64..0x7fff) {
            let mut window = Window::default();
            window.take(newest);
            let meant = newest as i64 + step;
            if 0 <= meant {
                prop_assert_eq!(window.index_of(meant as u16), Some(meant as u64));
            }
        }

        /// It is a set, of what is not too old.
        #[test]
        fn it_is_a_set(indices in prop::collection::vec(0u64..3_000, 1..400)) {
            let (mut window, mut set, mut newest) = (Window::default(), BTreeSet::new(), 0);
            for index in indices {
                let old = !set.is_empty() && SEEN <= u64::saturating_sub(newest, index);
                prop_assert_eq!(window.is_new(index), !old && !set.contains(&index), "{}", index);
                window.take(index);
                set.insert(index);
                newest = newest.max(index);
            }
        }
    }
}
