//! What is too new for the index on disk: findable within a millisecond or two, until the next commit
//! takes it over. A list that is gone through from end to end; never long, because commits empty it.

use std::collections::{BTreeMap, BTreeSet};

use tantivy::Searcher;

use crate::notes::driver::index::schema::{Facets, Place};
use crate::notes::engine::{
    entries::Change,
    matching::{self, Token},
    words::Words,
};

pub use crate::notes::engine::entries::Entry;

/// One that the index on disk does not have yet, or has with other marks.
pub struct FreshEntry {
    pub entry: std::sync::Arc<Entry>,
    pub tokens: Vec<Token>,
    pub facets: Facets,
    pub place: Place,
    /// Which commit takes it over.
    commit: u64,
}

/// The two parts of the index as they belong together. Whoever asks holds it for as long.
pub struct Fresh {
    /// The part on disk, as of the last commit.
    pub searcher: Searcher,
    pub entries: BTreeMap<u64, FreshEntry>,
    /// What the part on disk has and must not answer with: by which commit that is over.
    pub hidden: BTreeMap<u64, u64>,
}

impl Fresh {
    pub fn new(searcher: Searcher) -> Self {
        Self { searcher, entries: BTreeMap::new(), hidden: BTreeMap::new() }
    }

    /// `commit`: the next one, which has not begun.
    pub fn take_in(&mut self, words: &Words, changes: &[Change], commit: u64) {
        for change in changes {
            match change {
                Change::Put(entry) => {
                    let tokens = matching::tokens(words, entry.language, &entry.text);
                    let (facets, place) = (Facets::of(entry), Place::of(entry));
                    let entry = std::sync::Arc::clone(entry);
                    let seq = entry.seq;
                    let fresh = FreshEntry { entry, tokens, facets, place, commit };
                    self.entries.insert(seq, fresh);
                    self.hidden.insert(seq, commit);
                }
                Change::Remove { seq } | Change::Erase { seq } => {
                    self.entries.remove(seq);
                    self.hidden.insert(*seq, commit);
                }
            }
        }
    }

    /// The part on disk now has all of this commit and of those before.
    pub fn committed(&mut self, searcher: Searcher, commit: u64) {
        self.searcher = searcher;
        self.entries.retain(|_, it| commit < it.commit);
        self.hidden.retain(|_, it| commit < *it);
    }

    /// Lets go of all there is of a session.
    pub fn forget(&mut self, session: crate::domain::ids::SessionId) {
        let gone: Vec<u64> = (self.entries.iter())
            .filter(|it| it.1.place.session == session)
            .map(|it| *it.0)
            .collect();
        for seq in gone {
            self.entries.remove(&seq);
            self.hidden.remove(&seq);
        }
    }

    /// Places in the log that the part on disk must be silent about.
    pub fn hidden(&self) -> BTreeSet<u64> {
        self.hidden.keys().copied().collect()
    }
}
