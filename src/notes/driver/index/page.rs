//! One pass over the documents that have what was asked for: how many there are, what they are counted by, and
//! the best of them. Never reads a document's text.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tantivy::{
    DocAddress, DocId, Score, Searcher, SegmentOrdinal, SegmentReader,
    collector::{Collector, SegmentCollector},
    index::SegmentId,
    query::Weight,
};

use crate::notes::driver::index::{
    columns::{Columns, ColumnsCache, Group},
    counts::{Narrow, Numbers},
    fresh::Fresh,
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
    /// Whether words are wanted.
    pub scores: bool,
    /// The best so many.
    pub limit: usize,
}

pub struct SegmentPage {
    segment: SegmentOrdinal,
    narrow: Narrow,
    columns: Arc<Columns>,
    placed: Arc<Vec<Placed>>,
    hidden: BTreeSet<u64>,
    /// How many there are of each group.
    groups: Vec<u32>,
    numbers: Numbers,
    best: Best,
}

impl Collector for Page {
    type Fruit = Tally;
    type Child = SegmentPage;

    fn for_segment(
        &self,
        ordinal: SegmentOrdinal,
        segment: &SegmentReader,
    ) -> tantivy::Result<SegmentPage> {
        let (columns, placed) = match self.segments.get(&segment.segment_id()) {
            Some(known) => known.clone(),
            None => (Arc::new(Columns::open(segment)?), Arc::default()),
        };
        // What is new is mostly beyond all that lies on disk.
        let there = columns.seqs();
        Ok(SegmentPage {
            segment: ordinal,
            narrow: self.narrow.clone(),
            placed,
            hidden: self.hidden.iter().filter(|it| there.contains(it)).copied().collect(),
            groups: vec![0; columns.groups().len()],
            columns,
            numbers: Numbers::default(),
            best: Best::new(self.limit),
        })
    }

    /// As the library would, but that a segment in which nothing may be seen is not looked at.
    fn collect_segment(
        &self,
        weight: &dyn Weight,
        ordinal: SegmentOrdinal,
        segment: &SegmentReader,
    ) -> tantivy::Result<Tally> {
        let mut page = self.for_segment(ordinal, segment)?;
        if page.placed.iter().any(|it| it.open) {
            let alive = segment.alive_bitset();
            weight.for_each(segment, &mut |document, points| {
                if alive.is_none_or(|it| it.is_alive(document)) {
                    page.collect(document, if self.scores { points } else { 0.0 });
                }
            })?;
        }
        Ok(page.harvest())
    }

    fn requires_scoring(&self) -> bool {
        self.scores
    }

    fn merge_fruits(&self, fruits: Vec<Tally>) -> tantivy::Result<Tally> {
        let mut all = Tally::default();
        fruits.into_iter().for_each(|it| all.add(it));
        Ok(all)
    }
}

impl SegmentPage {
    /// As [`Narrow::misses`]; `None`: it must not be seen.
    fn misses(&self, group: Group) -> Option<u8> {
        let placed = self.placed.get(group.place as usize).filter(|it| it.open)?;
        Some(self.narrow.misses(group.facets, *placed))
    }

    fn is_hidden(&self, document: DocId) -> bool {
        !self.hidden.is_empty() && self.hidden.contains(&self.columns.seq_of(document))
    }
}

impl SegmentCollector for SegmentPage {
    type Fruit = Tally;

    fn collect(&mut self, document: DocId, score: Score) {
        let Some(number) = self.columns.group_of(document) else { return };
        if self.is_hidden(document) {
            return;
        }
        let Some(group) = self.columns.groups().get(number) else { return };
        if self.narrow.by_participant() {
            let participant = self.columns.participant_of(document);
            if self.narrow.counts_people && self.misses(*group) == Some(0) {
                self.numbers.count_person(participant);
            }
            if !self.narrow.meets_participant(participant) {
                return;
            }
        }
        if let Some(many) = self.groups.get_mut(number) {
            *many += 1;
        }
        let points = score as u32;
        if self.best.may_take(points, self.columns.earliest_unix_ms(document))
            && self.misses(*group) == Some(0)
        {
            let (unix_ms, seq) = (self.columns.unix_ms_of(document), self.columns.seq_of(document));
            let rank = (std::cmp::Reverse(points), unix_ms, seq);
            self.best.take(rank, Source::Disk(DocAddress::new(self.segment, document)));
        }
    }

    fn harvest(mut self) -> Tally {
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
