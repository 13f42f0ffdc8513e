//! How large a picture a page wants of each person it receives: what it shows, and how large. A wish,
//! no measurement: what the network carries is for others to know. Never what anybody sees.

use crate::domain::limits::SLOTS;

/// The size a picture is shown in, largest last. Which layer of a sender that is, the media decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// It is not shown: hidden, scrolled away, or the person has asked for sound alone.
    Nothing,
    Small,
    Medium,
    Large,
}

/// What one page wants. Until it has said anything, all of it large: an old page works as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// In the order of the receiving slots.
    pub slots: [Wanted; SLOTS],
    /// Of the screen that somebody shares.
    pub screen: Wanted,
}

impl View {
    /// `slots`: the first of them; what a page does not name it does not show. `None`: there are not
    /// so many slots.
    pub fn new(slots: &[Wanted], screen: Wanted) -> Option<View> {
        let mut view = View { slots: [Wanted::Nothing; SLOTS], screen };
        view.slots.get_mut(..slots.len())?.copy_from_slice(slots);
        Some(view)
    }
}

impl Default for View {
    fn default() -> View {
        View { slots: [Wanted::Large; SLOTS], screen: Wanted::Large }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_is_not_shown() {
        let view = View::new(&[Wanted::Small, Wanted::Large], Wanted::Medium).unwrap();
        assert_eq!(view.slots[..3], [Wanted::Small, Wanted::Large, Wanted::Nothing]);
        assert_eq!(view.screen, Wanted::Medium);
        assert_eq!(View::new(&[], Wanted::Large).unwrap().slots, [Wanted::Nothing; SLOTS]);
    }

    #[test]
    fn there_are_as_many_slots_as_there_are() {
        assert!(View::new(&[Wanted::Small; SLOTS], Wanted::Large).is_some());
        assert!(View::new(&[Wanted::Small; SLOTS + 1], Wanted::Large).is_none());
    }
}
