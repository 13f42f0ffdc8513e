//! Other names and numbers for people: the same person has the same code in every document of a
//! session, as long as the session's key exists, and nobody can come from the code to the name without
//! it. It knows no names.

use std::collections::{BTreeMap, BTreeSet};

use ring::hmac;

use crate::domain::ids::ParticipantId;

/// Of one session. Whoever destroys it makes its codes names of nobody.
pub type Key = [u8; 32];

/// Without vowels, that no code becomes a word, and without what looks alike.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// A code for one person who is to stand under none of their names. In few sessions two people have
/// the same.
pub fn code(key: &Key, who: ParticipantId) -> String {
    codes([who].into_iter(), key).remove(&who).unwrap_or_default()
}

/// A code for each, all different: longer where two would be the same.
pub fn codes(
    people: impl Iterator<Item = ParticipantId>,
    key: &Key,
) -> BTreeMap<ParticipantId, String> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let mut taken = BTreeSet::new();
    let mut codes = BTreeMap::new();
    for id in people {
        let tag = hmac::sign(&key, &id.0.to_be_bytes());
        let letters = tag.as_ref().iter().map(|it| {
            char::from(LETTERS.get(usize::from(*it) % LETTERS.len()).copied().unwrap_or(b'X'))
        });
        let letters: String = letters.collect();
        let code = (4..=letters.len()).filter_map(|length| letters.get(..length));
        let code = code.into_iter().find(|it| !taken.contains(*it)).unwrap_or(&letters);
        taken.insert(code.to_owned());
        codes.insert(id, code.to_owned());
    }
    codes
}

/// A number for each, all different, that says nothing of when they came.
pub fn numbers(
    people: impl Iterator<Item = ParticipantId>,
    key: &Key,
) -> BTreeMap<ParticipantId, ParticipantId> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let mut taken = BTreeSet::new();
    let mut numbers = BTreeMap::new();
    for id in people {
        // Another message than that of the codes, so that neither tells of the other.
        let tag = hmac::sign(&key, &[b"number".as_slice(), &id.0.to_be_bytes()].concat());
        let bytes = tag.as_ref().chunks_exact(4).filter_map(|it| it.try_into().ok());
        // No larger than what other programs take for a whole number, and never 0.
        let found = bytes.map(|it| u32::from_be_bytes(it) >> 1 | 1 << 20);
        let mut found = found.chain(1 << 31..).filter(|it| !taken.contains(it));
        let number = found.next().unwrap_or(u32::MAX);
        taken.insert(number);
        numbers.insert(id, ParticipantId(number));
    }
    numbers
}
