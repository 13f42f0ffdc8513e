//! Which documents have all that a question asks for, and how well. The library's own union and
//! intersection call each list of documents for each document; here lists are written into a row of
//! points, a window of documents at a time, and the bits of the rows are put together. Never decides
//! what may be seen.

use std::sync::Arc;

use tantivy::{
    DocId, SegmentReader, TERMINATED, Term,
    postings::BlockSegmentPostings,
    query::{EnableScoring, Query, Scorer, Weight},
    schema::IndexRecordOption,
};

/// Documents at a time: their rows stay in the nearest cache.
const WINDOW: usize = 4_096;

/// One of the lists of which a document must be in any; it has the points of the best of them.
#[derive(Clone, Debug)]
pub struct Either {
    pub points: u16,
    pub of: Of,
}

#[derive(Clone, Debug)]
pub enum Of {
    Term(Term),
    Query(Arc<dyn Query>),
}

enum Weighed {
    Term(Term),
    Query(Box<dyn Weight>),
}

/// Documents that are in one of the lists of each clause; their points are added up.
pub struct Points {
    clauses: Vec<Vec<(u16, Weighed)>>,
}

impl Points {
    /// `clauses`: without one there is nothing to be found.
    pub fn new(clauses: &[Vec<Either>], scoring: EnableScoring<'_>) -> tantivy::Result<Self> {
        let weighed = |Either { points, of }: &Either| {
            let of = match of {
                Of::Term(term) => Weighed::Term(term.clone()),
                Of::Query(query) => Weighed::Query(query.weight(scoring)?),
            };
            Ok((*points, of))
        };
        let clauses = clauses.iter().map(|it| it.iter().map(weighed).collect());
        Ok(Self { clauses: clauses.collect::<tantivy::Result<_>>()? })
    }

    /// Calls `each` with the documents of a segment and their points, in order, some thousands at a time.
    pub fn for_each_window(
        &self,
        segment: &SegmentReader,
        mut each: impl FnMut(&[(DocId, u16)]),
    ) -> tantivy::Result<()> {
        let mut windows = self.windows(segment)?;
        while windows.next_window() {
            each(&windows.found);
        }
        Ok(())
    }

    fn windows(&self, segment: &SegmentReader) -> tantivy::Result<Windows> {
        let mut clauses = Vec::with_capacity(self.clauses.len());
        for either in &self.clauses {
            let mut lists = Vec::with_capacity(either.len());
            for (points, of) in either {
                let list = match of {
                    Weighed::Term(term) => {
                        let index = segment.inverted_index(term.field())?;
                        let blocks = index.read_block_postings(term, IndexRecordOption::Basic)?;
                        blocks.map(|it| List::Term { blocks: Box::new(it), at: 0 })
                    }
                    Weighed::Query(weight) => Some(List::Other(weight.scorer(segment, 1.0)?)),
                };
                lists.extend(list.map(|it| (*points, it)));
            }
            // The best is written last, over the others.
            lists.sort_by_key(|it| it.0);
            clauses.push(Clause { lists, row: Row::default() });
        }
        // The one with the fewest documents says which windows need be looked at.
        clauses.sort_by_cached_key(Clause::many);
        Ok(Windows { clauses, found: Vec::with_capacity(WINDOW) })
    }
}

/// As [`Points::for_each_window`] where nothing is asked for: with every document, and no points.
pub fn for_each_window_of_all(segment: &SegmentReader, mut each: impl FnMut(&[(DocId, u16)])) {
    let mut window = Vec::with_capacity(WINDOW);
    for start in (0..segment.max_doc()).step_by(WINDOW) {
        window.clear();
        let end = segment.max_doc().min(start.saturating_add(WINDOW as DocId));
        window.extend((start..end).map(|it| (it, 0)));
        each(&window);
    }
}

/// The documents of one window that are in any list of a clause.
struct Row {
    /// A bit for each document.
    there: [u64; WINDOW / 64],
    /// Of those that are there.
    points: Box<[u16; WINDOW]>,
}

impl Default for Row {
    fn default() -> Self {
        Self { there: [0; WINDOW / 64], points: Box::new([0; WINDOW]) }
    }
}

impl Row {
    /// `at`: from the first document of the window on. `false`: it is beyond the window.
    fn put(&mut self, at: u32, points: u16) -> bool {
        let at = at as usize;
        let (Some(bits), Some(cell)) = (self.there.get_mut(at / 64), self.points.get_mut(at))
        else {
            return false;
        };
        *bits |= 1 << (at % 64);
        *cell = points;
        true
    }
}

/// A list of documents, up to the first that has not been written into a row.
enum List {
    Term { blocks: Box<BlockSegmentPostings>, at: usize },
    Other(Box<dyn Scorer>),
}

impl List {
    fn many(&self) -> u32 {
        match self {
            List::Term { blocks, .. } => blocks.doc_freq(),
            List::Other(it) => it.size_hint(),
        }
    }

    fn next(&self) -> DocId {
        match self {
            List::Term { blocks, at } => blocks.docs().get(*at).copied().unwrap_or(TERMINATED),
            List::Other(it) => it.doc(),
        }
    }

    /// Passes over what is before the window that begins at `start`, and writes what is in it.
    fn write(&mut self, start: DocId, points: u16, row: &mut Row) {
        let before = self.next() < start;
        match self {
            List::Term { blocks, at } => {
                if before {
                    *at = blocks.seek(start);
                }
                loop {
                    let left = blocks.docs().get(*at..).unwrap_or_default();
                    if let Some(beyond) = left.iter().position(|it| !row.put(it - start, points)) {
                        *at += beyond;
                        return;
                    }
                    if left.is_empty() {
                        return;
                    }
                    blocks.advance();
                    *at = 0;
                }
            }
            List::Other(list) => {
                if before {
                    list.seek(start);
                }
                while row.put(list.doc() - start, points) {
                    list.advance();
                }
            }
        }
    }
}

struct Clause {
    lists: Vec<(u16, List)>,
    row: Row,
}

impl Clause {
    fn many(&self) -> u64 {
        self.lists.iter().map(|it| u64::from(it.1.many())).sum()
    }

    fn next(&self) -> DocId {
        self.lists.iter().map(|it| it.1.next()).min().unwrap_or(TERMINATED)
    }

    fn write(&mut self, start: DocId) {
        self.row.there.fill(0);
        for (points, list) in &mut self.lists {
            list.write(start, *points, &mut self.row);
        }
    }
}

/// The documents of one segment, from the first on.
struct Windows {
    clauses: Vec<Clause>,
    /// Those of the window with their points.
    found: Vec<(DocId, u16)>,
}

impl Windows {
    /// Goes to the next window in which there is something. `false`: there is none.
    fn next_window(&mut self) -> bool {
        self.found.clear();
        while self.found.is_empty() {
            // None before the one that comes last to its first can be in all of them.
            let next = self.clauses.iter().map(Clause::next).max();
            let Some(next) = next.filter(|it| *it != TERMINATED) else { return false };
            let start = next - next % WINDOW as DocId;
            self.clauses.iter_mut().for_each(|it| it.write(start));
            self.put_together(start);
        }
        true
    }

    /// Those that are in every clause's row.
    fn put_together(&mut self, start: DocId) {
        let Some((first, rest)) = self.clauses.split_first() else { return };
        for (word, from) in (0..).zip((start..).step_by(64).take(first.row.there.len())) {
            let bits = |it: &Clause| it.row.there.get(word).copied().unwrap_or(0);
            let mut left = rest.iter().fold(bits(first), |left, it| left & bits(it));
            while left != 0 {
                let bit = left.trailing_zeros();
                left &= left - 1;
                let at = word * 64 + bit as usize;
                let of = |it: &Clause| it.row.points.get(at).copied().unwrap_or(0);
                let points = rest.iter().fold(of(first), |sum, it| sum.saturating_add(of(it)));
                self.found.push((from + bit, points));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use proptest::prelude::*;
    use tantivy::{
        Index, Score, Searcher,
        query::{
            BooleanQuery, ConstScoreQuery, DisjunctionMaxQuery, FuzzyTermQuery, Occur, TermQuery,
        },
        schema::{Field, STRING, Schema},
    };

    use super::*;

    /// Documents are in the lists of these that divide their number; the first are in many blocks and
    /// windows, the last is in none.
    const DIVIDE: [u32; 9] = [1, 2, 3, 7, 64, 129, 5_000, 19_999, 99_999];
    const DOCUMENTS: u32 = 20_000;

    struct Numbers {
        searcher: Searcher,
        field: Field,
    }

    impl Numbers {
        fn get() -> &'static Numbers {
            static NUMBERS: OnceLock<Numbers> = OnceLock::new();
            NUMBERS.get_or_init(|| {
                let mut schema = Schema::builder();
                let field = schema.add_text_field("by", STRING);
                let index = Index::create_in_ram(schema.build());
                let mut writer = index.writer_with_num_threads(1, 20_000_000).expect("a writer");
                for number in 0..DOCUMENTS {
                    let mut document = tantivy::TantivyDocument::new();
                    for by in DIVIDE.iter().filter(|by| number % **by == 0) {
                        document.add_text(field, by.to_string());
                    }
                    writer.add_document(document).expect("added");
                }
                writer.commit().expect("committed");
                let searcher = index.reader().expect("a reader").searcher();
                Numbers { searcher, field }
            })
        }

        fn term(&self, by: u32) -> Term {
            Term::from_field_text(self.field, &by.to_string())
        }

        fn segment(&self) -> &SegmentReader {
            assert_eq!(self.searcher.segment_readers().len(), 1);
            self.searcher.segment_reader(0)
        }

        fn found(&self, clauses: &[Vec<Either>]) -> Vec<(DocId, Score)> {
            let scoring = EnableScoring::enabled_from_searcher(&self.searcher);
            let points = Points::new(clauses, scoring).expect("points");
            let mut found = Vec::new();
            let each = |some: &[(DocId, u16)]| {
                found.extend(some.iter().map(|(it, points)| (*it, Score::from(*points))));
            };
            points.for_each_window(self.segment(), each).expect("found");
            found
        }

        fn found_by_the_library(&self, query: &dyn Query) -> Vec<(DocId, Score)> {
            let scoring = EnableScoring::enabled_from_searcher(&self.searcher);
            let weight = query.weight(scoring).expect("a weight");
            let mut found = Vec::new();
            weight
                .for_each(self.segment(), &mut |it, points| found.push((it, points)))
                .expect("found");
            found
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Each list: its points, what divides, and whether whatever begins so is meant.
        #[test]
        fn it_finds_and_rates_what_the_librarys_own_query_does(
            clauses in prop::collection::vec(
                prop::collection::vec((0_u16..20, prop::sample::select(&DIVIDE[..]), any::<bool>()), 0..5),
                0..4,
            )
        ) {
            let numbers = Numbers::get();
            let begins = |by| FuzzyTermQuery::new_prefix(numbers.term(by), 0, true);
            let ours = |(points, by, begin): &(u16, u32, bool)| Either {
                points: *points,
                of: match begin {
                    true => Of::Query(Arc::new(begins(*by))),
                    false => Of::Term(numbers.term(*by)),
                },
            };
            let theirs = |(points, by, begin): &(u16, u32, bool)| -> Box<dyn Query> {
                let of: Box<dyn Query> = match begin {
                    true => Box::new(begins(*by)),
                    false => Box::new(TermQuery::new(numbers.term(*by), IndexRecordOption::Basic)),
                };
                Box::new(ConstScoreQuery::new(of, Score::from(*points)))
            };
            let best = |clause: &Vec<(u16, u32, bool)>| -> (Occur, Box<dyn Query>) {
                (Occur::Must, Box::new(DisjunctionMaxQuery::new(clause.iter().map(theirs).collect())))
            };
            let own = BooleanQuery::new(clauses.iter().map(best).collect());
            let of: Vec<Vec<Either>> = clauses.iter().map(|it| it.iter().map(ours).collect()).collect();
            prop_assert_eq!(numbers.found(&of), numbers.found_by_the_library(&own));
        }
    }
}
