//! What is too new for the index on disk: findable within a millisecond or two, until the next commit
//! takes it over. A list that is gone through from end to end; never long, because commits empty it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tantivy::Searcher;

use crate::notes::driver::index::schema::{Facets, Place};
use crate::notes::engine::{
    entries::Change,
    matching::{self, Keys, Token},
};

pub use crate::notes::engine::entries::Entry;

/// One that the index on disk does not have yet, or has with other marks.
pub struct FreshEntry {
    pub entry: Arc<Entry>,
    pub tokens: Vec<Token>,
    pub facets: Facets,
    pub place: Place,
    /// Which commit takes it over.
    commit: u64,
}

/// A change whose text has been cut into words, which takes its time: it is done before anybody has to
/// wait.
pub struct Cut {
    seq: u64,
    /// `None`: what was there goes.
    put: Option<(Arc<Entry>, Vec<Token>)>,
}

impl Cut {
    pub fn all(words: &impl Keys, changes: &[Change]) -> Vec<Cut> {
        let cut = |change: &Change| match change {
            Change::Put(entry) => {
                let tokens = matching::tokens(words, entry.language, &entry.text);
                Cut { seq: entry.seq, put: Some((Arc::clone(entry), tokens)) }
            }
            Change::Remove { seq } | Change::Erase { seq } => Cut { seq: *seq, put: None },
        };
        changes.iter().map(cut).collect()
    }
}

/// The two parts of the index as they belong together. A copy costs no copy of what was said.
#[derive(Clone)]
pub struct Fresh {
    /// The part on disk, as of the last commit.
    pub searcher: Searcher,
    pub entries: BTreeMap<u64, Arc<FreshEntry>>,
    /// What the part on disk has and must not answer with: by which commit that is over.
    pub hidden: BTreeMap<u64, u64>,
}

impl Fresh {
    pub fn new(searcher: Searcher) -> Self {
        Self { searcher, entries: BTreeMap::new(), hidden: BTreeMap::new() }
    }

    /// `commit`: the next one, which has not begun.
    pub fn take_in(&mut self, cut: Vec<Cut>, commit: u64) {
        for Cut { seq, put } in cut {
            match put {
                Some((entry, tokens)) => {
                    let (facets, place) = (Facets::of(&entry), Place::of(&entry));
                    let new = FreshEntry { entry, tokens, facets, place, commit };
                    self.entries.insert(seq, Arc::new(new));
                }
                None => _ = self.entries.remove(&seq),
            }
            self.hidden.insert(seq, commit);
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
