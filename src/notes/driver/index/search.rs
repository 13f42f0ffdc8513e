//! One question to the index and its answer, from the part on disk and what is too new for it alike.
//! Never looks outside the sessions it is asked about: they are part of the query itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use tantivy::{
    DocAddress, DocId, Executor, Score, Searcher, SegmentOrdinal, SegmentReader, Term,
    collector::{Collector, SegmentCollector},
    columnar::Column,
    index::SegmentId,
    query::{
        AllQuery, BooleanQuery, ConstScoreQuery, EnableScoring, FuzzyTermQuery, MoreLikeThisQuery,
        Occur, PhraseQuery, Query, TermQuery,
        doc_predicate_query::{DocPredicateQuery, FunctionPredicate},
    },
    schema::{Field, IndexRecordOption, OwnedValue},
};

use crate::domain::{
    ids::{ParticipantId, RoomId, SessionId},
    language::Language,
    limits::SEARCH_RESULTS_MAX,
    mark::Mark,
};
use crate::notes::driver::index::{
    fresh::{Entry, Fresh},
    points::{Either, Of, PointsQuery},
    remembered::Remembered,
    schema::{self, Facets, Fields, Place},
};
use crate::notes::engine::{
    entries::Kind,
    highlight::{self, Part},
    matching::{self, BEGINNING, FORM, NEAR, PART, WORD, Wanted},
};

/// Lines that are compared to find who else said the same.
const ALIKE_LOOKED_AT: usize = 40;

/// Of so much sameness (see `matching::likeness`) on, two lines say the same.
const ALIKE_MIN: f64 = 0.3;

/// Up to so many sessions the index goes through their documents alone, on one thread; of more it looks at
/// each document that has the words.
const SESSIONS_BY_NAME_MAX: usize = 8;

/// A question. What it is narrowed by is empty for "any"; of several values one must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// As the person wrote it; see `engine::query`. Without a word in it: everything.
    pub text: String,
    /// Where to look: the sessions that whoever asks may see. None: nothing is found.
    pub sessions: BTreeSet<SessionId>,
    pub within: BTreeSet<SessionId>,
    pub participants: BTreeSet<ParticipantId>,
    pub rooms: BTreeSet<RoomId>,
    pub kinds: BTreeSet<Kind>,
    pub languages: BTreeSet<Language>,
    pub marks: BTreeSet<Mark>,
    /// Method and phase.
    pub phases: BTreeSet<(String, String)>,
    pub questions: BTreeSet<String>,
    /// How many of the best to pass over. Any number is fine; beyond the end there is nothing.
    pub offset: u64,
}

/// One page of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchResults {
    /// All that match.
    pub total: u64,
    /// At most [`SEARCH_RESULTS_MAX`]: the best first, or in the order of time when no word was
    /// asked for. Equals stand in the order of time.
    pub hits: Vec<Hit>,
    pub counts: Counts,
}

/// How many match with each value of what can be narrowed by: with all other narrowing, and without
/// that of its own kind, so that one sees what another choice would give.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub sessions: BTreeMap<SessionId, u64>,
    pub participants: BTreeMap<ParticipantId, u64>,
    pub rooms: BTreeMap<RoomId, u64>,
    pub kinds: BTreeMap<Kind, u64>,
    pub languages: BTreeMap<Language, u64>,
    pub marks: BTreeMap<Mark, u64>,
    pub phases: BTreeMap<(String, String), u64>,
    pub questions: BTreeMap<String, u64>,
}

/// Something said or written that matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    pub entry: Arc<Entry>,
    /// Its text, whole, with the matching words marked.
    pub parts: Vec<Part>,
}

/// What a segment's documents are counted and narrowed by.
struct Columns {
    /// By their numbers in `ords`.
    places: Vec<Option<Place>>,
    ords: Option<Column<u64>>,
    facets: Column<u64>,
    unix_ms: Column<u64>,
    seq: Column<u64>,
}

impl Columns {
    fn open(segment: &SegmentReader) -> tantivy::Result<Columns> {
        let fast = segment.fast_fields();
        let mut places = Vec::new();
        let column = fast.str(schema::PLACE)?;
        if let Some(column) = &column {
            let mut text = String::new();
            for ord in 0..column.num_terms() as u64 {
                text.clear();
                column.ord_to_str(ord, &mut text)?;
                places.push(Place::read(&text));
            }
        }
        Ok(Columns {
            places,
            ords: column.map(|it| it.ords().clone()),
            facets: fast.u64(schema::FACETS)?,
            unix_ms: fast.u64(schema::UNIX_MS)?,
            seq: fast.u64(schema::SEQ)?,
        })
    }
}

/// The columns of an index's segments, opened once for each: every question needs all of them.
#[derive(Default)]
pub struct ColumnsCache {
    of: Mutex<BTreeMap<SegmentId, Arc<Columns>>>,
}

impl ColumnsCache {
    fn columns(&self, segment: &SegmentReader) -> tantivy::Result<Arc<Columns>> {
        let known = |of: &BTreeMap<_, Arc<_>>| of.get(&segment.segment_id()).map(Arc::clone);
        if let Some(known) = known(&self.of.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(known);
        }
        let columns = Arc::new(Columns::open(segment)?);
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        of.insert(segment.segment_id(), Arc::clone(&columns));
        Ok(columns)
    }

    /// Segments that have been merged into others are asked no more.
    pub fn forget_others(&self, searcher: &Searcher) {
        let live: BTreeSet<_> =
            searcher.segment_readers().iter().map(|it| it.segment_id()).collect();
        self.of.lock().unwrap_or_else(PoisonError::into_inner).retain(|it, _| live.contains(it));
    }
}

/// What a place is to a question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Placed {
    /// May be seen.
    open: bool,
    session: bool,
    phase: bool,
    question: bool,
}

impl Search {
    fn placed(&self, place: &Place) -> Placed {
        let phase = || (place.method.clone(), place.phase.clone());
        Placed {
            open: self.sessions.contains(&place.session),
            session: self.within.is_empty() || self.within.contains(&place.session),
            phase: self.phases.is_empty() || self.phases.contains(&phase()),
            question: self.questions.is_empty() || self.questions.contains(&place.question),
        }
    }
}

/// Answers `search`. `None`: a document of the index is not whole.
pub fn run(
    fresh: &Fresh,
    fields: &Fields,
    columns: &ColumnsCache,
    words: &Remembered,
    search: &Search,
) -> tantivy::Result<Option<SearchResults>> {
    let mut wanted = matching::wanted(words.words(), &search.text);
    let segments = segments_of(&fresh.searcher, columns, search)?;
    for one in &mut wanted {
        look_near_if_nothing_else(fresh, fields, one)?;
    }
    let query = whole_query(fields, search, &wanted);
    let page = Page {
        narrow: Narrow::of(search),
        segments,
        hidden: fresh.hidden(),
        scores: !wanted.is_empty(),
        limit: usize::try_from(search.offset)
            .unwrap_or(usize::MAX)
            .saturating_add(SEARCH_RESULTS_MAX),
    };
    let mut tally = if search.sessions.len() <= SESSIONS_BY_NAME_MAX {
        // Sooner done than other threads are awake, on a machine that is busy.
        let scoring = match page.scores {
            true => EnableScoring::enabled_from_searcher(&fresh.searcher),
            false => EnableScoring::disabled_from_searcher(&fresh.searcher),
        };
        let here = Executor::single_thread();
        fresh.searcher.search_with_executor(&query, &page, &here, scoring)?
    } else {
        fresh.searcher.search(&query, &page)?
    };
    tally_fresh(fresh, search, &page, &wanted, &mut tally);

    let (total, counts, found) = tally.finished(page.limit);
    let offset = usize::try_from(search.offset).unwrap_or(usize::MAX);
    let mut hits = Vec::new();
    for (_, source) in found.into_iter().skip(offset) {
        let Some(entry) = load(fresh, fields, source)? else { return Ok(None) };
        let parts = if wanted.is_empty() {
            highlight::parts(&entry.text, &[])
        } else {
            let tokens = matching::tokens(words, entry.language, &entry.text);
            highlight::parts(&entry.text, &matching::hits(&tokens, &wanted))
        };
        hits.push(Hit { entry, parts });
    }
    Ok(Some(SearchResults { total, hits, counts }))
}

/// The entry at a place in the log, if it is of one of these sessions.
pub fn entry(
    fresh: &Fresh,
    fields: &Fields,
    sessions: &BTreeSet<SessionId>,
    seq: u64,
) -> tantivy::Result<Option<Arc<Entry>>> {
    let found = match fresh.entries.get(&seq) {
        Some(it) => Some(Arc::clone(&it.entry)),
        None if fresh.hidden.contains_key(&seq) => None,
        None => {
            let query =
                TermQuery::new(Term::from_field_u64(fields.seq, seq), IndexRecordOption::Basic);
            let top = fresh.searcher.search(&query, &tantivy::collector::DocSetCollector)?;
            match top.into_iter().next() {
                Some(address) => fields.entry(&fresh.searcher.doc(address)?).map(Arc::new),
                None => None,
            }
        }
    };
    Ok(found.filter(|it| sessions.contains(&it.session)))
}

fn load(fresh: &Fresh, fields: &Fields, source: Source) -> tantivy::Result<Option<Arc<Entry>>> {
    Ok(match source {
        Source::Fresh(seq) => fresh.entries.get(&seq).map(|it| Arc::clone(&it.entry)),
        Source::Disk(address) => fields.entry(&fresh.searcher.doc(address)?).map(Arc::new),
    })
}

/// What stands before and after an entry in its room, with itself.
pub fn around(
    fresh: &Fresh,
    fields: &Fields,
    columns: &ColumnsCache,
    of: &Entry,
    each_way: usize,
) -> tantivy::Result<Vec<Arc<Entry>>> {
    let search =
        Search { sessions: [of.session].into(), rooms: [of.room].into(), ..Search::default() };
    let segments = segments_of(&fresh.searcher, columns, &search)?;
    let query = whole_query(fields, &search, &[]);
    let (hidden, limit) = (fresh.hidden(), usize::MAX);
    let page = Page { narrow: Narrow::of(&search), segments, hidden, scores: false, limit };
    let mut tally = fresh.searcher.search(&query, &page)?;
    tally_fresh(fresh, &search, &page, &[], &mut tally);
    let (_, _, found) = tally.finished(limit);
    let at = found.iter().position(|it| it.0.2 == of.seq).unwrap_or(0);
    let near = found
        .into_iter()
        .skip(at.saturating_sub(each_way))
        .take(each_way.saturating_add(1).saturating_add(at.min(each_way)));
    let mut entries = Vec::new();
    for (_, source) in near {
        entries.extend(load(fresh, fields, source)?);
    }
    Ok(entries)
}

/// Lines like this one from other rooms and sessions, the most alike first: the same, said
/// independently.
pub fn alike(
    fresh: &Fresh,
    fields: &Fields,
    columns: &ColumnsCache,
    words: &Remembered,
    (sessions, of, most): (&BTreeSet<SessionId>, &Entry, usize),
) -> tantivy::Result<Vec<Arc<Entry>>> {
    let own = matching::tokens(words, of.language, &of.text);
    let keys: Vec<OwnedValue> = (own.iter())
        .filter(|it| 3 < it.word.chars().count())
        .flat_map(|it| it.keys.iter().filter(|key| key.get(1..2) != Some("p")))
        .map(|key| OwnedValue::Str(key.clone()))
        .collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let like = MoreLikeThisQuery::builder()
        .with_min_doc_frequency(1)
        .with_min_term_frequency(1)
        .with_max_query_terms(12)
        .with_document_fields(vec![(fields.keys, keys)]);
    let search = Search { sessions: sessions.clone(), ..Search::default() };
    let segments = segments_of(&fresh.searcher, columns, &search)?;
    let query = BooleanQuery::new(vec![
        (Occur::Must, open_places(&segments)),
        (Occur::Must, Box::new(like) as Box<dyn Query>),
    ]);
    let top = tantivy::collector::TopDocs::with_limit(ALIKE_LOOKED_AT).order_by_score();
    let mut others: Vec<Arc<Entry>> = Vec::new();
    for (_, address) in fresh.searcher.search(&query, &top)? {
        let other = fields.entry(&fresh.searcher.doc(address)?);
        others.extend(other.filter(|it| !fresh.hidden.contains_key(&it.seq)).map(Arc::new));
    }
    let new = fresh.entries.values().filter(|it| sessions.contains(&it.place.session));
    others.extend(new.map(|it| Arc::clone(&it.entry)));
    let mut alike: Vec<(f64, Arc<Entry>)> = others
        .into_iter()
        .filter(|it| (it.session, it.room) != (of.session, of.room) && it.seq != of.seq)
        // Who said it again elsewhere did not come to it independently.
        .filter(|it| {
            it.session != of.session || it.participant.is_none() || it.participant != of.participant
        })
        .map(|it| {
            let tokens = matching::tokens(words, it.language, &it.text);
            (matching::likeness(&own, &tokens), it)
        })
        .filter(|it| ALIKE_MIN <= it.0)
        .collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.seq.cmp(&b.1.seq)));
    Ok(alike.into_iter().take(most).map(|it| it.1).collect())
}

/// The columns of each segment, and what its places are to the question.
type Segments = BTreeMap<SegmentId, (Arc<Columns>, Arc<Vec<Placed>>)>;

fn segments_of(
    searcher: &Searcher,
    columns: &ColumnsCache,
    search: &Search,
) -> tantivy::Result<Segments> {
    let mut segments = BTreeMap::new();
    for segment in searcher.segment_readers() {
        let columns = columns.columns(segment)?;
        let placed = columns.places.iter().map(|it| it.as_ref().map(|it| search.placed(it)));
        let placed: Vec<Placed> = placed.map(Option::unwrap_or_default).collect();
        segments.insert(segment.segment_id(), (columns, Arc::new(placed)));
    }
    Ok(segments)
}

// The query.

/// What may hold what is looked for. Whether it may be seen, the page asks of each document.
fn whole_query(fields: &Fields, search: &Search, wanted: &[Wanted]) -> Box<dyn Query> {
    let sessions = || search.sessions.iter().map(|it| term(fields.session, &it.to_string()));
    let few = search.sessions.len() <= SESSIONS_BY_NAME_MAX;
    if wanted.is_empty() {
        return match few {
            true => Box::new(PointsQuery::new(vec![sessions().map(|it| worth(0, it)).collect()])),
            false => Box::new(AllQuery),
        };
    }
    let mut clauses: Vec<Vec<Either>> = wanted.iter().map(|it| wanted_query(fields, it)).collect();
    if few {
        clauses.push(sessions().map(|it| worth(0, it)).collect());
    }
    Box::new(PointsQuery::new(clauses))
}

/// Everything in the sessions that may be seen, document by document.
fn open_places(segments: &Segments) -> Box<dyn Query> {
    let segments = segments.clone();
    let predicate = FunctionPredicate::from(move |segment: &SegmentReader| {
        let of = segments.get(&segment.segment_id()).cloned();
        Ok(move |document: DocId| {
            let ord = of.as_ref().and_then(|it| it.0.ords.as_ref()?.first(document));
            let placed = of.as_ref().zip(ord);
            let placed = placed.and_then(|(of, ord)| of.1.get(usize::try_from(ord).ok()?));
            placed.is_some_and(|it| it.open)
        })
    });
    let query: DocPredicateQuery = predicate.into();
    Box::new(ConstScoreQuery::new(Box::new(query), 0.0))
}

fn wanted_query(fields: &Fields, wanted: &Wanted) -> Vec<Either> {
    match wanted {
        Wanted::Word { word, asked, typing, near } => {
            let mut any = vec![worth(FORM, term(fields.text, word))];
            any.extend(asked.whole.iter().map(|it| worth(WORD, term(fields.keys, it))));
            any.extend(asked.parts.iter().map(|it| worth(PART, term(fields.keys, it))));
            let form = || Term::from_field_text(fields.text, word);
            if *typing {
                let begins = FuzzyTermQuery::new_prefix(form(), 0, true);
                any.push(worth(BEGINNING, Of::Query(Arc::new(begins))));
            }
            if *near {
                let near = FuzzyTermQuery::new(form(), matching::wrong_max(word), true);
                any.push(worth(NEAR, Of::Query(Arc::new(near))));
            }
            any
        }
        Wanted::Phrase(words) => match words.as_slice() {
            [word] => vec![worth(FORM, term(fields.text, word))],
            words => {
                let terms = words.iter().map(|it| Term::from_field_text(fields.text, it)).collect();
                vec![worth(FORM, Of::Query(Arc::new(PhraseQuery::new(terms))))]
            }
        },
    }
}

fn term(field: Field, text: &str) -> Of {
    Of::Term(Term::from_field_text(field, text))
}

fn worth(points: u32, of: Of) -> Either {
    Either { points: u16::try_from(points).unwrap_or_default(), of }
}

/// Slips of the finger are looked for only where nothing else is found, in any session: whoever
/// writes a word right is not to be told of others.
fn look_near_if_nothing_else(
    fresh: &Fresh,
    fields: &Fields,
    wanted: &mut Wanted,
) -> tantivy::Result<()> {
    let Wanted::Word { word, asked, typing, near } = wanted else { return Ok(()) };
    if matching::wrong_max(word) == 0 {
        return Ok(());
    }
    let there = |field, text: &str| -> tantivy::Result<bool> {
        Ok(0 < fresh.searcher.doc_freq(&Term::from_field_text(field, text))?)
    };
    if there(fields.text, word)? {
        return Ok(());
    }
    for key in asked.whole.iter().chain(&asked.parts) {
        if there(fields.keys, key)? {
            return Ok(());
        }
    }
    if *typing {
        for segment in fresh.searcher.segment_readers() {
            let index = segment.inverted_index(fields.text)?;
            let mut terms = index.terms().range().ge(word.as_bytes()).into_stream()?;
            if terms.advance() && terms.key().starts_with(word.as_bytes()) {
                return Ok(());
            }
        }
    }
    *near = true;
    let mut plain = wanted.clone();
    if let Wanted::Word { near, .. } = &mut plain {
        *near = false;
        let only = std::slice::from_ref(&plain);
        let found = fresh.entries.values().any(|it| matching::points(&it.tokens, only).is_some());
        if found {
            *wanted = plain;
        }
    }
    Ok(())
}

// The page.

/// Best first; then in the order of time, which the place in the log makes whole, so that pages fit
/// together and an index built again answers the same.
type Rank = (std::cmp::Reverse<u32>, u64, u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
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

/// What a question is narrowed by, as numbers.
#[derive(Clone, Debug)]
struct Narrow {
    /// It is narrowed by none of these.
    nothing: bool,
    kinds: u64,
    languages: u64,
    /// 0: any, or none.
    marks: u64,
    rooms: BTreeSet<u16>,
    participants: BTreeSet<u32>,
}

impl Narrow {
    fn of(search: &Search) -> Self {
        let bits = |at: Vec<Option<usize>>| {
            at.into_iter().flatten().fold(0_u64, |bits, at| bits | 1 << at)
        };
        let any = |bits: u64| if bits == 0 { u64::MAX } else { bits };
        let nothing = search.kinds.is_empty()
            && search.languages.is_empty()
            && search.marks.is_empty()
            && search.rooms.is_empty()
            && search.participants.is_empty();
        let kind = |kind: &Kind| Kind::ALL.iter().position(|it| it == kind);
        let language = |language: &Language| Language::ALL.iter().position(|it| it == language);
        Self {
            nothing,
            kinds: any(bits(search.kinds.iter().map(kind).collect())),
            languages: any(bits(search.languages.iter().map(language).collect())),
            marks: bits(search.marks.iter().map(|it| Some(it.index())).collect()),
            rooms: search
                .rooms
                .iter()
                .map(|it| match it {
                    RoomId::Main => 0,
                    RoomId::Breakout(number) => *number,
                })
                .collect(),
            participants: search.participants.iter().map(|it| it.0).collect(),
        }
    }

    /// Which of the narrowings a document does not meet, as bits in the order of [`Numbers`].
    fn misses(&self, facets: Facets, placed: Placed) -> u8 {
        let bit = |met: bool, at: u8| u8::from(!met) << at;
        let of_place = bit(placed.session, 0) | bit(placed.phase, 1) | bit(placed.question, 2);
        if self.nothing {
            return of_place;
        }
        of_place
            | bit(self.kinds >> facets.kind_index() & 1 == 1, 3)
            | bit(self.languages >> facets.language_index() & 1 == 1, 4)
            | bit(self.marks == 0 || self.marks & facets.marks() != 0, 5)
            | bit(self.rooms.is_empty() || self.rooms.contains(&facets.room_number()), 6)
            | bit(
                self.participants.is_empty()
                    || self.participants.contains(&facets.participant_number()),
                7,
            )
    }
}

/// Counts by number, while they are counted.
#[derive(Default)]
struct Numbers {
    met: Met,
    /// Of those that miss the narrowing by session, by phase, by question and nothing else: by place.
    places: [Vec<u32>; 3],
    kinds: [u32; 16],
    languages: [u32; 4],
    marks: [u32; 6],
    rooms: Vec<u32>,
    participants: Vec<u32>,
}

/// Of those that meet every narrowing, which are counted with all of their values. Mostly these are all
/// there is, so that each costs four additions.
#[derive(Default)]
struct Met {
    places: Vec<u32>,
    /// By [`Facets::small`].
    small: Vec<u32>,
    rooms: Vec<u32>,
    participants: Vec<u32>,
}

fn count(counts: &mut Vec<u32>, at: usize, many: u32) {
    if counts.len() <= at {
        counts.resize(at + 1, 0);
    }
    if let Some(count) = counts.get_mut(at) {
        *count += many;
    }
}

fn sum(into: &mut Vec<u32>, from: &[u32]) {
    if into.len() < from.len() {
        into.resize(from.len(), 0);
    }
    into.iter_mut().zip(from).for_each(|(into, from)| *into += from);
}

/// Numbered from 1 in the order of joining, so never many more than there are people.
fn participant_place(facets: Facets) -> usize {
    facets.participant_number().min(1 << 20) as usize
}

impl Numbers {
    /// `misses`: as [`Narrow::misses`]; with more than one nothing is counted.
    fn count(&mut self, misses: u8, facets: Facets, place: usize) {
        if misses == 0 {
            count(&mut self.met.places, place, 1);
            count(&mut self.met.small, facets.small(), 1);
            count(&mut self.met.rooms, usize::from(facets.room_number()), 1);
            count(&mut self.met.participants, participant_place(facets), 1);
        } else if misses.count_ones() == 1 {
            self.count_one(misses.trailing_zeros(), facets, place);
        }
    }

    /// `dimension`: the bit of the only narrowing that is not met.
    fn count_one(&mut self, dimension: u32, facets: Facets, place: usize) {
        match dimension {
            3 => self.count_small(1, 0, 0, facets),
            4 => self.count_small(0, 1, 0, facets),
            5 => self.count_small(0, 0, 1, facets),
            6 => count(&mut self.rooms, usize::from(facets.room_number()), 1),
            7 => count(&mut self.participants, participant_place(facets), 1),
            it => {
                if let Some(places) = self.places.get_mut(it as usize) {
                    count(places, place, 1);
                }
            }
        }
    }

    /// So many of this kind, of this language and with these marks.
    fn count_small(&mut self, kinds: u32, languages: u32, marks: u32, facets: Facets) {
        if let Some(count) = self.kinds.get_mut(facets.kind_index()) {
            *count += kinds;
        }
        if let Some(count) = self.languages.get_mut(facets.language_index()) {
            *count += languages;
        }
        let set = facets.marks();
        for (at, count) in (0_u32..).zip(&mut self.marks) {
            *count += (set >> at & 1) as u32 * marks;
        }
    }

    /// Adds how many there are in each place, and forgets it: the numbers of places are a segment's own.
    fn move_places(&mut self, places: &[Option<Place>], counts: &mut Counts) {
        let met = std::mem::take(&mut self.met.places);
        let [sessions, phases, questions] = &mut self.places;
        let with_met = |numbers: &mut Vec<u32>| -> Vec<(&Place, u64)> {
            sum(numbers, &met);
            let all = places.iter().zip(std::mem::take(numbers));
            all.filter(|it| 0 < it.1).filter_map(|it| Some((it.0.as_ref()?, it.1.into()))).collect()
        };
        for (place, many) in with_met(sessions) {
            *counts.sessions.entry(place.session).or_default() += many;
        }
        for (place, many) in with_met(phases).into_iter().filter(|it| !it.0.method.is_empty()) {
            let phase = (place.method.clone(), place.phase.clone());
            *counts.phases.entry(phase).or_default() += many;
        }
        for (place, many) in with_met(questions).into_iter().filter(|it| !it.0.question.is_empty())
        {
            *counts.questions.entry(place.question.clone()).or_default() += many;
        }
    }

    /// Those of another segment, whose places have been moved.
    fn add(&mut self, other: &Numbers) {
        sum(&mut self.met.small, &other.met.small);
        sum(&mut self.met.rooms, &other.met.rooms);
        sum(&mut self.met.participants, &other.met.participants);
        sum(&mut self.rooms, &other.rooms);
        sum(&mut self.participants, &other.participants);
        let each = |into: &mut [u32], from: &[u32]| {
            into.iter_mut().zip(from).for_each(|(into, from)| *into += from);
        };
        each(&mut self.kinds, &other.kinds);
        each(&mut self.languages, &other.languages);
        each(&mut self.marks, &other.marks);
    }

    /// All but the places.
    fn add_to(mut self, counts: &mut Counts) {
        let met = std::mem::take(&mut self.met);
        for (small, many) in (0_u64..).zip(met.small).filter(|it| it.1 != 0) {
            self.count_small(many, many, many, Facets(small));
        }
        sum(&mut self.rooms, &met.rooms);
        sum(&mut self.participants, &met.participants);
        let counted = |numbers: &[u32]| -> Vec<(usize, u64)> {
            let all = numbers.iter().enumerate().filter(|it| 0 < *it.1);
            all.map(|(at, count)| (at, u64::from(*count))).collect()
        };
        for (kind, count) in counted(&self.kinds) {
            let kind = Kind::ALL.get(kind);
            kind.into_iter().for_each(|it| *counts.kinds.entry(*it).or_default() += count);
        }
        for (language, count) in counted(&self.languages) {
            let language = Language::ALL.get(language);
            language.into_iter().for_each(|it| *counts.languages.entry(*it).or_default() += count);
        }
        for (mark, count) in counted(&self.marks) {
            let mark = Mark::ALL.get(mark);
            mark.into_iter().for_each(|it| *counts.marks.entry(*it).or_default() += count);
        }
        for (room, count) in counted(&self.rooms) {
            let room = schema::room(u16::try_from(room).unwrap_or(u16::MAX));
            *counts.rooms.entry(room).or_default() += count;
        }
        for (participant, count) in counted(&self.participants) {
            if participant != 0 {
                let participant = ParticipantId(u32::try_from(participant).unwrap_or(u32::MAX));
                *counts.participants.entry(participant).or_default() += count;
            }
        }
    }
}

/// Everything that was found, in one pass.
#[derive(Default)]
struct Tally {
    total: u64,
    /// Of what depends on the place; the rest stands in `numbers` until the end.
    counts: Counts,
    numbers: Numbers,
    found: Vec<(Rank, Source)>,
}

impl Tally {
    fn finished(mut self, limit: usize) -> (u64, Counts, Vec<(Rank, Source)>) {
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

struct Page {
    narrow: Narrow,
    segments: Segments,
    hidden: BTreeSet<u64>,
    scores: bool,
    limit: usize,
}

/// Documents whose columns are read together, which costs a third of reading them one by one.
const BLOCK: usize = 64;

/// Some that wait for their columns to be read, with their points.
#[derive(Default)]
struct Waiting {
    documents: Vec<DocId>,
    points: Vec<u32>,
}

impl Waiting {
    fn push(&mut self, document: DocId, points: u32) {
        self.documents.push(document);
        self.points.push(points);
    }

    fn clear(&mut self) {
        self.documents.clear();
        self.points.clear();
    }
}

struct SegmentPage {
    segment: SegmentOrdinal,
    /// What has all that was asked for, to be counted.
    found: Waiting,
    /// Of those counted, what may come on the page; it is asked when these were said.
    likely: Waiting,
    narrow: Narrow,
    columns: Arc<Columns>,
    placed: Arc<Vec<Placed>>,
    hidden: BTreeSet<u64>,
    total: u64,
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
        let there = columns.seq.min_value()..=columns.seq.max_value();
        Ok(SegmentPage {
            segment: ordinal,
            found: Waiting::default(),
            likely: Waiting::default(),
            narrow: self.narrow.clone(),
            placed,
            hidden: self.hidden.iter().filter(|it| there.contains(it)).copied().collect(),
            columns,
            total: 0,
            numbers: Numbers::default(),
            best: Best::new(self.limit),
        })
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
    fn look_at_block(&mut self) {
        let mut found = std::mem::take(&mut self.found);
        let (mut ords, mut facets) = ([None; BLOCK], [None; BLOCK]);
        if let Some(column) = &self.columns.ords {
            read(column, &found.documents, &mut ords);
        }
        read(&self.columns.facets, &found.documents, &mut facets);
        let documents = found.documents.iter().zip(&found.points);
        for (((document, points), ord), facets) in documents.zip(ords).zip(facets) {
            if self.counts(*document, ord, facets) && self.best.may_take(*points, 0) {
                self.likely.push(*document, *points);
            }
        }
        self.rank_likely();
        found.clear();
        self.found = found;
    }

    /// Counts a document. Whether it meets everything that is asked.
    fn counts(&mut self, document: DocId, place: Option<u64>, facets: Option<u64>) -> bool {
        if !self.hidden.is_empty() && self.hidden.contains(&self.seq(document)) {
            return false;
        }
        let place = place.and_then(|it| usize::try_from(it).ok()).unwrap_or(usize::MAX);
        let Some(placed) = self.placed.get(place).copied().filter(|it| it.open) else {
            return false;
        };
        let facets = Facets(facets.unwrap_or(0));
        let misses = self.narrow.misses(facets, placed);
        self.numbers.count(misses, facets, place);
        self.total += u64::from(misses == 0);
        misses == 0
    }

    fn rank_likely(&mut self) {
        let mut unix_ms = [None; BLOCK];
        read(&self.columns.unix_ms, &self.likely.documents, &mut unix_ms);
        let documents = self.likely.documents.iter().zip(&self.likely.points);
        for ((document, points), unix_ms) in documents.zip(unix_ms) {
            let unix_ms = unix_ms.unwrap_or(0);
            if self.best.may_take(*points, unix_ms) {
                let rank = (std::cmp::Reverse(*points), unix_ms, self.seq(*document));
                self.best.take(rank, Source::Disk(DocAddress::new(self.segment, *document)));
            }
        }
        self.likely.clear();
    }

    fn seq(&self, document: DocId) -> u64 {
        self.columns.seq.first(document).unwrap_or(0)
    }
}

fn read(column: &Column<u64>, documents: &[DocId], into: &mut [Option<u64>; BLOCK]) {
    if let Some(into) = into.get_mut(..documents.len()) {
        column.first_vals(documents, into);
    }
}

impl SegmentCollector for SegmentPage {
    type Fruit = Tally;

    fn collect(&mut self, document: DocId, score: Score) {
        self.found.push(document, score as u32);
        if self.found.documents.len() == BLOCK {
            self.look_at_block();
        }
    }

    fn harvest(mut self) -> Tally {
        self.look_at_block();
        self.best.cut();
        let mut counts = Counts::default();
        self.numbers.move_places(&self.columns.places, &mut counts);
        Tally { total: self.total, counts, numbers: self.numbers, found: self.best.found }
    }
}

/// The same for what is too new to be on disk.
fn tally_fresh(fresh: &Fresh, search: &Search, page: &Page, wanted: &[Wanted], tally: &mut Tally) {
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
        numbers.count(misses, it.facets, places.len() - 1);
        if misses == 0 {
            tally.total += 1;
            let rank = (std::cmp::Reverse(points), it.entry.unix_ms, *seq);
            tally.found.push((rank, Source::Fresh(*seq)));
        }
    }
    numbers.move_places(&places, &mut tally.counts);
    tally.numbers.add(&numbers);
}
