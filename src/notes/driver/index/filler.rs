//! Writes entries into the index's folder: which sessions are being read, what becomes of each record, and
//! commits. Never answers a question.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use tantivy::{
    IndexWriter, Term,
    indexer::{IndexWriterOptions, LogMergePolicy},
};

use crate::domain::{
    fact::{Fact, Record},
    ids::SessionId,
};
use crate::notes::driver::{
    index::{IndexError, Progress, remembered::Remembered, schema::Fields, tantivy},
    log::{Log, LogError},
};
use crate::notes::engine::{
    entries::{Change, Entries, Entry},
    matching::Keys,
    query,
};

/// Records read from the log at a time.
pub const READ_RECORDS: usize = 1_000;

/// Memory of the indexing thread, in bytes, while an index is built; live, far less is in use. It makes parts of
/// some 200,000 lines, of which a question has one fixed cost each.
const WRITER_BYTES: usize = 64_000_000;

/// Larger parts of the index are not merged into others any more. Threads look through parts side by side,
/// so one that holds most of all lines would leave the other threads idle; merging and erasing rewrite
/// less at once, too.
const MERGED_DOCUMENTS_MAX: usize = 50_000;

/// Sessions that are followed in memory; the others are read again from the log when they go on.
const SESSIONS_FOLLOWED_MAX: usize = 200;

/// What the folder holds. Goes up with every change of the fields, of how they are stored or of how
/// words are cut, which makes the folders of earlier programs be built again.
pub const VERSION: u32 = 3;

/// Adds documents to one folder.
pub struct Filler {
    index: tantivy::Index,
    fields: Fields,
    kind: Kind,
    words: Arc<Remembered>,
    path: PathBuf,
    /// `None` until there is something to add, and after a fault.
    writer: Option<IndexWriter>,
    /// The place in the log that the last commit reached.
    pub committed: u64,
    /// The place from which `fill` reads on.
    pub read: u64,
    /// Files may still hold words that were taken back.
    pub owes_erasing: bool,
}

impl Filler {
    pub fn new(
        index: tantivy::Index,
        fields: Fields,
        kind: Kind,
        words: Arc<Remembered>,
        path: PathBuf,
        committed: u64,
    ) -> Filler {
        // At first it is not known whether the process before has erased everything.
        let owes_erasing = true;
        Filler {
            index,
            fields,
            kind,
            words,
            path,
            writer: None,
            committed,
            read: committed,
            owes_erasing,
        }
    }

    /// Adds what the log has beyond `read`, and commits. `always`: also when that is nothing. After
    /// an error, `forget_uncommitted` before the next.
    pub fn fill(
        &mut self,
        log: &Log,
        sessions: &mut Sessions,
        always: bool,
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<u64, IndexError> {
        let of = log.last_seq();
        on_progress(Progress { done: self.committed, of });
        let mut changes = Vec::new();
        // No further than `of`, so that a log that grows all the time cannot put the commit off.
        while self.read < of {
            let records = log.read_after(self.read, READ_RECORDS)?;
            let Some((_, last)) = records.last() else { break };
            let done = last.seq;
            for (session, record) in records {
                sessions.apply(log, session, record, &mut changes)?;
            }
            for change in changes.drain(..) {
                self.add(&change)?;
            }
            self.read = done;
            on_progress(Progress { done, of: of.max(done) });
        }
        if self.committed < self.read || always || self.owes_erasing {
            self.commit(self.read)?;
        }
        Ok(self.committed)
    }

    pub fn add(&mut self, change: &Change) -> Result<(), IndexError> {
        let (entry, seq) = match change {
            Change::Put(entry) => (Some(entry), entry.seq),
            Change::Remove { seq } => (None, *seq),
            Change::Erase { seq } => {
                self.owes_erasing = true;
                (None, *seq)
            }
        };
        let document = entry.map(|it| self.document(it));
        let path = self.path.clone();
        let fields = self.fields;
        let writer = self.writer()?;
        // It may be there already, with other marks; or the commit before it went wrong half-way.
        writer.delete_term(Term::from_field_u64(fields.seq, seq));
        if let Some(document) = document {
            writer.add_document(document).map_err(tantivy("filling", &path))?;
        }
        Ok(())
    }

    fn document(&self, entry: &Entry) -> tantivy::TantivyDocument {
        let keys: BTreeSet<Arc<[String]>> =
            query::words(&entry.text).map(|it| self.words.keys(entry.language, &it)).collect();
        let keys: BTreeSet<&str> =
            keys.iter().flat_map(|it| it.iter().map(String::as_str)).collect();
        self.fields.document(entry, keys)
    }

    pub fn writer(&mut self) -> Result<&mut IndexWriter, IndexError> {
        if self.writer.is_none() {
            let options = IndexWriterOptions::builder()
                .num_worker_threads(1)
                .memory_budget_per_thread(WRITER_BYTES)
                .num_merge_threads(1)
                .build();
            let new: tantivy::Result<IndexWriter> = self.index.writer_with_options(options);
            let new = new.map_err(tantivy("filling", &self.path))?;
            let mut merging = LogMergePolicy::default();
            merging.set_max_docs_before_merge(MERGED_DOCUMENTS_MAX);
            new.set_merge_policy(Box::new(merging));
            self.writer = Some(new);
        }
        self.writer.as_mut().ok_or_else(|| IndexError::Damaged { path: self.path.clone() })
    }

    pub fn commit(&mut self, done: u64) -> Result<(), IndexError> {
        let payload = self.kind.payload(done);
        let path = self.path.clone();
        let mut commit = self.writer()?.prepare_commit().map_err(tantivy("committing", &path))?;
        commit.set_payload(&payload);
        commit.commit().map_err(tantivy("committing", &path))?;
        (self.committed, self.read) = (done, done);
        if self.owes_erasing { self.erase() } else { Ok(()) }
    }

    /// Writes anew whatever holds deleted words, so that they are in no file any more.
    fn erase(&mut self) -> Result<(), IndexError> {
        let path = self.path.clone();
        let said = || tantivy("erasing from", &path);
        let metas = self.index.searchable_segment_metas().map_err(said())?;
        let writer = self.writer()?;
        for meta in metas.iter().filter(|it| it.has_deletes()) {
            writer.merge(&[meta.id()]).wait().map_err(said())?;
        }
        Ok(())
    }

    /// Deletes the files that no searcher has open any more. After an erasing: once the searchers have
    /// been made anew, since the old ones kept them.
    pub fn sweep(&mut self) -> Result<(), IndexError> {
        if self.owes_erasing {
            let path = self.path.clone();
            let swept = self.writer()?.garbage_collect_files().wait();
            swept.map_err(tantivy("erasing from", &path))?;
            self.owes_erasing = false;
        }
        Ok(())
    }

    /// Lets go of a writer that may hold records without their commit; a new one starts from the
    /// last commit.
    pub fn forget_uncommitted(&mut self) {
        self.writer = None;
        self.read = self.committed;
    }

    /// Waits until everything lies on the disk as it shall stay.
    pub fn close(mut self) -> Result<(), IndexError> {
        match self.writer.take() {
            Some(writer) => {
                writer.wait_merging_threads().map_err(tantivy("committing", &self.path))
            }
            None => Ok(()),
        }
    }
}

/// The sessions that are being read; from the log when the reading began in their middle.
#[derive(Default)]
pub struct Sessions {
    pub of: BTreeMap<SessionId, Entries>,
}

impl Sessions {
    pub fn apply(
        &mut self,
        log: &Log,
        session: SessionId,
        record: Record,
        changes: &mut Vec<Change>,
    ) -> Result<(), LogError> {
        let opens = matches!(record.fact, Fact::Opened { .. });
        let ends = matches!(record.fact, Fact::Ended);
        if !self.of.contains_key(&session) {
            if SESSIONS_FOLLOWED_MAX <= self.of.len() {
                // The one opened longest ago; it is read again if it goes on.
                self.of.pop_first();
            }
            let mut entries = Entries::new(session);
            if !opens {
                let before = log.read(session)?.into_iter().take_while(|it| it.seq < record.seq);
                before.for_each(|it| entries.apply(it, &mut Vec::new()));
            }
            self.of.insert(session, entries);
        }
        if let Some(entries) = self.of.get_mut(&session) {
            entries.apply(record, changes);
        }
        if ends {
            self.of.remove(&session);
        }
        Ok(())
    }
}

/// How the words of an index were cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    pub morphology: bool,
}

impl Kind {
    /// What a commit says of itself: version, how words are cut, and the place in the log.
    fn payload(self, done: u64) -> String {
        format!("{}{done}", self.prefix())
    }

    /// The place in the log; `None` when this program's version did not write it so.
    pub fn read_payload(self, payload: &str) -> Option<u64> {
        payload.strip_prefix(&self.prefix())?.parse().ok()
    }

    fn prefix(self) -> String {
        format!("vuoro {VERSION} {} ", if self.morphology { "voikko" } else { "plain" })
    }
}
