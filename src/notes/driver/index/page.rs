//! One pass over the documents that have what was asked for: how many there are, what they are counted by, and
//! the best of them. Never reads a document's text.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tantivy::{
    DocAddress, DocId, Executor, Searcher, SegmentOrdinal, SegmentReader, index::SegmentId,
};

use crate::notes::driver::index::{
    columns::{Columns, ColumnsCache, Group},
    counts::{Narrow, Numbers},
    fresh::Fresh,
    points::{Points, for_each_window_of_all},
    question::{Counts, Placed, Search},
    schema::Place,
};
use crate::notes::engine::matching::{self, Wanted};

/// Best first; then in the order of time, which the place in the log makes whole, so that pages fit
/// together and an index built again answers the same.
pub type Rank = (std::cmp::Reverse<u32>, u64, u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    Disk(DocAddress),
    Fresh(u64),
}

/// The best so many, of any number.
struct Best {
    limit: usize,
    found: Vec<(Rank, Source)>,
    /// The last of the best, once there are enough.
    worst: Option<Rank>,
}

impl Best {
    fn new(limit: usize) -> Self {
        Self { limit, found: Vec::new(), worst: None }
    }

    /// Whether a document with these could still be among the best.
    fn may_take(&self, points: u32, unix_ms: u64) -> bool {
        self.worst.is_none_or(|it| (std::cmp::Reverse(points), unix_ms) <= (it.0, it.1))
    }

    fn take(&mut self, rank: Rank, source: Source) {
        if self.worst.is_some_and(|it| it <= rank) {
            return;
        }
        self.found.push((rank, source));
        if self.limit.saturating_mul(2).saturating_add(64) <= self.found.len() {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.limit < self.found.len() && 0 < self.limit {
            let (_, last, _) = self.found.select_nth_unstable(self.limit - 1);
            self.worst = Some(last.0);
            self.found.truncate(self.limit);
        }
    }
}

/// The columns of each segment, and what its places are to the question.
pub type Segments = BTreeMap<SegmentId, (Arc<Columns>, Arc<Vec<Placed>>)>;

pub fn segments_of(
    searcher: &Searcher,
    columns: &ColumnsCache,
    search: &Search,
) -> tantivy::Result<Segments> {
    let mut segments = BTreeMap::new();
    for segment in searcher.segment_readers() {
        let columns = columns.columns(segment)?;
        let placed = columns.places().iter().map(|it| it.as_ref().map(|it| search.placed(it)));
        let placed: Vec<Placed> = placed.map(Option::unwrap_or_default).collect();
        segments.insert(segment.segment_id(), (columns, Arc::new(placed)));
    }
    Ok(segments)
}

/// Everything that was found, in one pass.
#[derive(Default)]
pub struct Tally {
    total: u64,
    /// Of what depends on the place; the rest stands in `numbers` until the end.
    counts: Counts,
    numbers: Numbers,
    found: Vec<(Rank, Source)>,
}

impl Tally {
    pub fn finished(mut self, limit: usize) -> (u64, Counts, Vec<(Rank, Source)>) {
        self.numbers.add_to(&mut self.counts);
        self.found.sort_unstable();
        self.found.truncate(limit);
        (self.total, self.counts, self.found)
    }

    fn add(&mut self, other: Tally) {
        fn add<K: Ord>(into: &mut BTreeMap<K, u64>, from: BTreeMap<K, u64>) {
            from.into_iter().for_each(|(key, count)| *into.entry(key).or_default() += count);
        }
        self.total += other.total;
        self.numbers.add(&other.numbers);
        add(&mut self.counts.sessions, other.counts.sessions);
        add(&mut self.counts.phases, other.counts.phases);
        add(&mut self.counts.questions, other.counts.questions);
        self.found.extend(other.found);
    }
}

pub struct Page {
    pub narrow: Narrow,
    pub segments: Segments,
    /// Places in the log of what the part on disk must be silent about.
    pub hidden: BTreeSet<u64>,
    /// The best so many.
    pub limit: usize,
}

impl Page {
    /// What there is on disk. `points`: of what is looked for; `None`: everything.
    pub fn tally(
        &self,
        searcher: &Searcher,
        points: Option<&Points>,
        executor: &Executor,
    ) -> tantivy::Result<Tally> {
        let of_segment = |(ordinal, segment): (SegmentOrdinal, &SegmentReader)| {
            self.tally_of_segment(ordinal, segment, points)
        };
        let segments = (0..).zip(searcher.segment_readers());
        let mut all = Tally::default();
        executor.map(of_segment, segments)?.into_iter().for_each(|it| all.add(it));
        Ok(all)
    }

    fn tally_of_segment(
        &self,
        ordinal: SegmentOrdinal,
        segment: &SegmentReader,
        points: Option<&Points>,
    ) -> tantivy::Result<Tally> {
        let Some((columns, placed)) = self.segments.get(&segment.segment_id()) else {
            return Ok(Tally::default());
        };
        if !placed.iter().any(|it| it.open) {
            return Ok(Tally::default());
        }
        // What is new is mostly beyond all that lies on disk.
        let there = columns.seqs();
        let mut page = SegmentPage {
            ordinal,
            narrow: &self.narrow,
            columns,
            placed,
            hidden: self.hidden.iter().filter(|it| there.contains(it)).copied().collect(),
            groups: vec![0; columns.groups().len()],
            numbers: Numbers::default(),
            best: Best::new(self.limit),
        };
        let alive = segment.alive_bitset();
        let each = |found: &[(DocId, u16)]| match alive {
            None => page.take(found),
            Some(alive) => {
                let found = found.iter().filter(|it| alive.is_alive(it.0));
                page.take(&found.copied().collect::<Vec<_>>());
            }
        };
        match points {
            Some(points) => points.for_each_window(segment, each)?,
            None => for_each_window_of_all(segment, each),
        }
        Ok(page.finished())
    }
}

/// The page as far as one segment has it.
struct SegmentPage<'a> {
    ordinal: SegmentOrdinal,
    narrow: &'a Narrow,
    columns: &'a Columns,
    placed: &'a [Placed],
    hidden: BTreeSet<u64>,
    /// How many there are of each group.
    groups: Vec<u32>,
    numbers: Numbers,
    best: Best,
}

impl SegmentPage<'_> {
    fn take(&mut self, found: &[(DocId, u16)]) {
        if !self.hidden.is_empty() || self.narrow.by_participant() {
            let taken = found.iter().filter(|it| self.is_taken(it.0)).copied();
            let taken = taken.collect::<Vec<_>>();
            self.take_all(&taken);
        } else {
            self.take_all(found);
        }
    }

    /// Whether it may be shown, and is by somebody who is asked for; counts who it is by.
    fn is_taken(&mut self, document: DocId) -> bool {
        if !self.hidden.is_empty() && self.hidden.contains(&self.columns.seq_of(document)) {
            return false;
        }
        let participant = self.columns.participant_of(document);
        if self.narrow.counts_people && self.is_met(document) {
            self.numbers.count_person(participant);
        }
        self.narrow.meets_participant(participant)
    }

    fn take_all(&mut self, found: &[(DocId, u16)]) {
        // Apart, so that nothing keeps the processor from fetching many at once.
        for (document, _) in found {
            let number = self.columns.group_of(*document);
            if let Some(many) = number.and_then(|it| self.groups.get_mut(it)) {
                *many += 1;
            }
        }
        for (document, points) in found {
            let points = u32::from(*points);
            if self.best.may_take(points, self.columns.earliest_unix_ms(*document))
                && self.is_met(*document)
            {
                let unix_ms = self.columns.unix_ms_of(*document);
                let rank = (std::cmp::Reverse(points), unix_ms, self.columns.seq_of(*document));
                let address = DocAddress::new(self.ordinal, *document);
                self.best.take(rank, Source::Disk(address));
            }
        }
    }

    /// Whether it may be seen and misses no narrowing, but perhaps that by participant.
    fn is_met(&self, document: DocId) -> bool {
        let group = self.columns.group_of(document).and_then(|it| self.columns.groups().get(it));
        group.is_some_and(|it| self.misses(*it) == Some(0))
    }

    /// As [`Narrow::misses`]; `None`: it must not be seen.
    fn misses(&self, group: Group) -> Option<u8> {
        let placed = self.placed.get(group.place as usize).filter(|it| it.open)?;
        Some(self.narrow.misses(group.facets, *placed))
    }

    fn finished(mut self) -> Tally {
        let mut total = 0;
        for (group, many) in self.columns.groups().iter().zip(&self.groups) {
            if *many != 0
                && let Some(misses) = self.misses(*group)
            {
                self.numbers.count(misses, group.facets, group.place as usize, *many);
                total += if misses == 0 { u64::from(*many) } else { 0 };
            }
        }
        self.best.cut();
        let mut counts = Counts::default();
        self.numbers.move_places(self.columns.places(), &mut counts);
        Tally { total, counts, numbers: self.numbers, found: self.best.found }
    }
}

/// The same for what is too new to be on disk.
pub fn tally_fresh(
    fresh: &Fresh,
    search: &Search,
    page: &Page,
    wanted: &[Wanted],
    tally: &mut Tally,
) {
    let (mut numbers, mut places) = (Numbers::default(), Vec::<Option<Place>>::new());
    for (seq, it) in &fresh.entries {
        let placed = search.placed(&it.place);
        if !placed.open {
            continue;
        }
        let Some(points) = matching::points(&it.tokens, wanted) else { continue };
        // What is said at one time mostly has one place.
        if places.last().and_then(Option::as_ref) != Some(&it.place) {
            places.push(Some(it.place.clone()));
        }
        let misses = page.narrow.misses(it.facets, placed);
        let participant = it.facets.participant_number();
        if page.narrow.counts_people && misses == 0 {
            numbers.count_person(participant);
        }
        if !page.narrow.meets_participant(participant) {
            continue;
        }
        numbers.count(misses, it.facets, places.len() - 1, 1);
        if misses == 0 {
            tally.total += 1;
            let rank = (std::cmp::Reverse(points), it.entry.unix_ms, *seq);
            tally.found.push((rank, Source::Fresh(*seq)));
        }
    }
    numbers.move_places(&places, &mut tally.counts);
    tally.numbers.add(&numbers);
}
