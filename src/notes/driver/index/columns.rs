//! What the documents of the index are counted, narrowed and ordered by, unpacked in memory: a question may
//! count every third line there is, and mostly the processor has nothing of them at hand. So a line costs
//! four bytes that lie side by side, the number of its group, and the rest is read for few. Never knows
//! what is asked.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::RangeInclusive,
    sync::{Arc, Mutex, PoisonError},
};

use tantivy::{DocId, Searcher, SegmentReader, columnar::Column, index::SegmentId};

use crate::notes::driver::index::schema::{self, Facets, Place};

/// Values that are unpacked together, and of which it is known when the earliest was said.
const BLOCK: usize = 64;

/// Lines that are alike in all but who said them and when: one kind, language, room and place, the same marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    /// Nobody's.
    pub facets: Facets,
    /// The number of its place among [`Columns::places`]; one that is not there has none.
    pub place: u32,
}

/// Those of one segment: some sixteen bytes a document.
pub struct Columns {
    places: Vec<Option<Place>>,
    groups: Vec<Group>,
    group_of: Vec<u32>,
    participant_of: Vec<u32>,
    unix_ms_of: Vec<u64>,
    /// Of each block.
    earliest_unix_ms: Vec<u64>,
    seq: Column<u64>,
}

impl Columns {
    /// Takes less than a tenth of a second for a million documents, whose whole index opens in that.
    pub fn open(segment: &SegmentReader) -> tantivy::Result<Columns> {
        let fast = segment.fast_fields();
        let mut places = Vec::new();
        let place = fast.str(schema::PLACE)?;
        if let Some(column) = &place {
            let mut text = String::new();
            for ord in 0..column.num_terms() as u64 {
                text.clear();
                column.ord_to_str(ord, &mut text)?;
                places.push(Place::read(&text));
            }
        }
        let many = segment.max_doc() as usize;
        let mut columns = Columns {
            places,
            groups: Vec::new(),
            group_of: Vec::with_capacity(many),
            participant_of: Vec::with_capacity(many),
            unix_ms_of: Vec::with_capacity(many),
            earliest_unix_ms: Vec::with_capacity(many.div_ceil(BLOCK)),
            seq: fast.u64(schema::SEQ)?,
        };
        let (facets, unix_ms) = (fast.u64(schema::FACETS)?, fast.u64(schema::UNIX_MS)?);
        let place = place.as_ref().map(|it| it.ords());
        let mut known = HashMap::new();
        let documents: Vec<DocId> = (0..segment.max_doc()).collect();
        for documents in documents.chunks(BLOCK) {
            let read = |column: &Column<u64>| {
                let mut values = [None; BLOCK];
                if let Some(values) = values.get_mut(..documents.len()) {
                    column.first_vals(documents, values);
                }
                values
            };
            let values = read(&facets).into_iter().zip(place.map_or([None; BLOCK], read));
            for (facets, place) in values.take(documents.len()) {
                let facets = Facets(facets.unwrap_or(0));
                let place = place.and_then(|it| u32::try_from(it).ok()).unwrap_or(u32::MAX);
                let group = Group { facets: facets.of_nobody(), place };
                let number = *known.entry(group).or_insert_with(|| {
                    columns.groups.push(group);
                    columns.groups.len() as u32 - 1
                });
                columns.group_of.push(number);
                columns.participant_of.push(facets.participant_number());
            }
            let unix_ms = read(&unix_ms).map(|it| it.unwrap_or(0));
            let unix_ms = unix_ms.get(..documents.len()).unwrap_or_default();
            columns.unix_ms_of.extend(unix_ms);
            columns.earliest_unix_ms.extend(unix_ms.iter().min());
        }
        Ok(columns)
    }

    /// By their numbers; `None`: not a place.
    pub fn places(&self) -> &[Option<Place>] {
        &self.places
    }

    /// By their numbers.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    pub fn group_of(&self, document: DocId) -> Option<usize> {
        self.group_of.get(document as usize).map(|it| *it as usize)
    }

    /// As [`Facets::participant_number`].
    pub fn participant_of(&self, document: DocId) -> u32 {
        self.participant_of.get(document as usize).copied().unwrap_or(0)
    }

    pub fn unix_ms_of(&self, document: DocId) -> u64 {
        self.unix_ms_of.get(document as usize).copied().unwrap_or(0)
    }

    /// It was not said before this, nor was any other that lies near it.
    pub fn earliest_unix_ms(&self, document: DocId) -> u64 {
        self.earliest_unix_ms.get(document as usize / BLOCK).copied().unwrap_or(0)
    }

    pub fn seq_of(&self, document: DocId) -> u64 {
        self.seq.first(document).unwrap_or(0)
    }

    /// All of its documents stand in the log between these.
    pub fn seqs(&self) -> RangeInclusive<u64> {
        self.seq.min_value()..=self.seq.max_value()
    }
}

/// Of each segment of an index, opened once: every question needs them.
#[derive(Default)]
pub struct ColumnsCache {
    of: Mutex<BTreeMap<SegmentId, Arc<Columns>>>,
}

impl ColumnsCache {
    pub fn columns(&self, segment: &SegmentReader) -> tantivy::Result<Arc<Columns>> {
        let known = |of: &BTreeMap<_, Arc<_>>| of.get(&segment.segment_id()).map(Arc::clone);
        if let Some(known) = known(&self.of.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(known);
        }
        let columns = Arc::new(Columns::open(segment)?);
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        of.insert(segment.segment_id(), Arc::clone(&columns));
        Ok(columns)
    }

    /// Opens those of segments that are new, so that no question waits for it.
    pub fn open_all(&self, searcher: &Searcher) -> tantivy::Result<()> {
        searcher.segment_readers().iter().try_for_each(|it| self.columns(it).map(drop))
    }

    /// Segments that have been merged into others are asked no more.
    pub fn forget_others(&self, searcher: &Searcher) {
        let live: BTreeSet<_> =
            searcher.segment_readers().iter().map(|it| it.segment_id()).collect();
        self.of.lock().unwrap_or_else(PoisonError::into_inner).retain(|it, _| live.contains(it));
    }
}
