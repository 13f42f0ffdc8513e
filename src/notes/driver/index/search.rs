//! One question to the index and its answer, from the part on disk and what is too new for it alike.
//! Never looks outside the sessions it is asked about: they are part of the query itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use tantivy::{
    DocAddress, DocId, Score, Searcher, SegmentOrdinal, SegmentReader, Term,
    collector::{Collector, SegmentCollector},
    columnar::Column,
    index::SegmentId,
    query::{
        AllQuery, BooleanQuery, ConstScoreQuery, DisjunctionMaxQuery, FuzzyTermQuery,
        MoreLikeThisQuery, Occur, PhraseQuery, Query, TermQuery,
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

/// What the segments of an index say of places, read once for each segment.
#[derive(Default)]
pub struct PlacesCache {
    of: Mutex<BTreeMap<SegmentId, Arc<Vec<Option<Place>>>>>,
}

impl PlacesCache {
    fn places(&self, segment: &SegmentReader) -> tantivy::Result<Arc<Vec<Option<Place>>>> {
        let known = |of: &BTreeMap<_, Arc<_>>| of.get(&segment.segment_id()).map(Arc::clone);
        if let Some(known) = known(&self.of.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(known);
        }
        let mut places = Vec::new();
        if let Some(column) = segment.fast_fields().str(schema::PLACE)? {
            let mut text = String::new();
            for ord in 0..column.num_terms() as u64 {
                text.clear();
                column.ord_to_str(ord, &mut text)?;
                places.push(Place::read(&text));
            }
        }
        let places = Arc::new(places);
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        of.insert(segment.segment_id(), Arc::clone(&places));
        Ok(places)
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
    places: &PlacesCache,
    words: &Remembered,
    search: &Search,
) -> tantivy::Result<Option<SearchResults>> {
    let mut wanted = matching::wanted(words.words(), &search.text);
    let segments = segment_places(&fresh.searcher, places, search)?;
    for one in &mut wanted {
        look_near_if_nothing_else(fresh, fields, one)?;
    }
    let query = whole_query(fields, search, &segments, &wanted);
    let page = Page {
        narrow: Narrow::of(search),
        segments,
        hidden: fresh.hidden(),
        scores: !wanted.is_empty(),
        limit: usize::try_from(search.offset)
            .unwrap_or(usize::MAX)
            .saturating_add(SEARCH_RESULTS_MAX),
    };
    let mut tally = fresh.searcher.search(&query, &page)?;
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
    places: &PlacesCache,
    of: &Entry,
    each_way: usize,
) -> tantivy::Result<Vec<Arc<Entry>>> {
    let search =
        Search { sessions: [of.session].into(), rooms: [of.room].into(), ..Search::default() };
    let segments = segment_places(&fresh.searcher, places, &search)?;
    let query = whole_query(fields, &search, &segments, &[]);
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
    places: &PlacesCache,
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
    let segments = segment_places(&fresh.searcher, places, &search)?;
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

fn segment_places(
    searcher: &Searcher,
    places: &PlacesCache,
    search: &Search,
) -> tantivy::Result<Segments> {
    let mut segments = BTreeMap::new();
    for segment in searcher.segment_readers() {
        let places = places.places(segment)?;
        let placed = places.iter().map(|it| it.as_ref().map(|it| search.placed(it)));
        let placed: Vec<Placed> = placed.map(Option::unwrap_or_default).collect();
        segments.insert(segment.segment_id(), (places, Arc::new(placed)));
    }
    Ok(segments)
}

type Segments = BTreeMap<SegmentId, (Arc<Vec<Option<Place>>>, Arc<Vec<Placed>>)>;

// The query.

fn whole_query(
    fields: &Fields,
    search: &Search,
    segments: &Segments,
    wanted: &[Wanted],
) -> Box<dyn Query> {
    let only = search.sessions.iter().next().filter(|_| search.sessions.len() == 1);
    if wanted.is_empty()
        && let Some(only) = only
    {
        let term = Term::from_field_text(fields.session, &only.to_string());
        return Box::new(TermQuery::new(term, IndexRecordOption::Basic));
    }
    let mut must = Vec::new();
    // Where everything there is may be seen, nothing need be asked of each document.
    if !segments.values().all(|it| it.1.iter().all(|it| it.open)) {
        must.push((Occur::Must, open_places(segments)));
    }
    must.extend(wanted.iter().map(|it| (Occur::Must, wanted_query(fields, it))));
    if wanted.is_empty() {
        must.push((Occur::Must, Box::new(AllQuery)));
    }
    Box::new(BooleanQuery::new(must))
}

/// Everything in the sessions that may be seen.
fn open_places(segments: &Segments) -> Box<dyn Query> {
    let of: BTreeMap<SegmentId, Arc<Vec<Placed>>> =
        segments.iter().map(|(id, it)| (*id, Arc::clone(&it.1))).collect();
    let predicate = FunctionPredicate::from(move |segment: &SegmentReader| {
        let placed = of.get(&segment.segment_id()).map(Arc::clone).unwrap_or_default();
        let ords = segment.fast_fields().str(schema::PLACE)?.map(|it| it.ords().clone());
        Ok(move |document: DocId| {
            let ord = ords.as_ref().and_then(|it| it.first(document));
            let placed = ord.and_then(|it| placed.get(usize::try_from(it).ok()?));
            placed.is_some_and(|it| it.open)
        })
    });
    let query: DocPredicateQuery = predicate.into();
    Box::new(ConstScoreQuery::new(Box::new(query), 0.0))
}

fn wanted_query(fields: &Fields, wanted: &Wanted) -> Box<dyn Query> {
    match wanted {
        Wanted::Word { word, asked, typing, near } => {
            let mut any = vec![worth(FORM, term(fields.text, word))];
            any.extend(asked.whole.iter().map(|it| worth(WORD, term(fields.keys, it))));
            any.extend(asked.parts.iter().map(|it| worth(PART, term(fields.keys, it))));
            let form = || Term::from_field_text(fields.text, word);
            if *typing {
                let begins = FuzzyTermQuery::new_prefix(form(), 0, true);
                any.push(worth(BEGINNING, Box::new(begins)));
            }
            if *near {
                let near = FuzzyTermQuery::new(form(), matching::wrong_max(word), true);
                any.push(worth(NEAR, Box::new(near)));
            }
            Box::new(DisjunctionMaxQuery::new(any))
        }
        Wanted::Phrase(words) => match words.as_slice() {
            [word] => worth(FORM, term(fields.text, word)),
            words => {
                let terms = words.iter().map(|it| Term::from_field_text(fields.text, it)).collect();
                worth(FORM, Box::new(PhraseQuery::new(terms)))
            }
        },
    }
}

fn term(field: Field, text: &str) -> Box<dyn Query> {
    Box::new(TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::Basic))
}

fn worth(points: u32, query: Box<dyn Query>) -> Box<dyn Query> {
    Box::new(ConstScoreQuery::new(query, points as Score))
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
        let kind = |kind: &Kind| Kind::ALL.iter().position(|it| it == kind);
        let language = |language: &Language| Language::ALL.iter().position(|it| it == language);
        Self {
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
        bit(placed.session, 0)
            | bit(placed.phase, 1)
            | bit(placed.question, 2)
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

    /// Those that meet everything, added to each way of counting.
    fn spread(&mut self) {
        let met = std::mem::take(&mut self.met);
        for (at, many) in met.places.into_iter().enumerate().filter(|it| it.1 != 0) {
            self.places.iter_mut().for_each(|it| count(it, at, many));
        }
        for (small, many) in (0_u64..).zip(met.small).filter(|it| it.1 != 0) {
            self.count_small(many, many, many, Facets(small));
        }
        for (at, many) in met.rooms.into_iter().enumerate() {
            count(&mut self.rooms, at, many);
        }
        for (at, many) in met.participants.into_iter().enumerate() {
            count(&mut self.participants, at, many);
        }
    }

    fn add_to(mut self, places: &[Option<Place>], counts: &mut Counts) {
        self.spread();
        let [sessions, phases, questions] = &self.places;
        let counted = |numbers: &[u32]| -> Vec<(usize, u64)> {
            let all = numbers.iter().enumerate().filter(|it| 0 < *it.1);
            all.map(|(at, count)| (at, u64::from(*count))).collect()
        };
        let at = |index: usize| places.get(index).and_then(Option::as_ref);
        for (index, count) in counted(sessions) {
            if let Some(place) = at(index) {
                *counts.sessions.entry(place.session).or_default() += count;
            }
        }
        for (index, count) in counted(phases) {
            if let Some(place) = at(index).filter(|it| !it.method.is_empty()) {
                let phase = (place.method.clone(), place.phase.clone());
                *counts.phases.entry(phase).or_default() += count;
            }
        }
        for (index, count) in counted(questions) {
            if let Some(place) = at(index).filter(|it| !it.question.is_empty()) {
                *counts.questions.entry(place.question.clone()).or_default() += count;
            }
        }
        for (kind, count) in counted(&self.kinds) {
            Kind::ALL
                .get(kind)
                .into_iter()
                .for_each(|it| *counts.kinds.entry(*it).or_default() += count);
        }
        for (language, count) in counted(&self.languages) {
            let language = Language::ALL.get(language);
            language.into_iter().for_each(|it| *counts.languages.entry(*it).or_default() += count);
        }
        for (mark, count) in counted(&self.marks) {
            Mark::ALL
                .get(mark)
                .into_iter()
                .for_each(|it| *counts.marks.entry(*it).or_default() += count);
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
struct Tally {
    total: u64,
    counts: Counts,
    found: Vec<(Rank, Source)>,
}

impl Tally {
    fn finished(mut self, limit: usize) -> (u64, Counts, Vec<(Rank, Source)>) {
        self.found.sort_unstable();
        self.found.truncate(limit);
        (self.total, self.counts, self.found)
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

struct SegmentPage {
    segment: SegmentOrdinal,
    /// Those that wait for it, with their points.
    documents: Vec<DocId>,
    points: Vec<u32>,
    narrow: Narrow,
    places: Arc<Vec<Option<Place>>>,
    placed: Arc<Vec<Placed>>,
    hidden: BTreeSet<u64>,
    ords: Option<Column<u64>>,
    facets: Column<u64>,
    unix_ms: Column<u64>,
    seq: Column<u64>,
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
        let columns = segment.fast_fields();
        let (places, placed) =
            self.segments.get(&segment.segment_id()).cloned().unwrap_or_default();
        let seq = columns.u64(schema::SEQ)?;
        // What is new is mostly beyond all that lies on disk.
        let there = seq.min_value()..=seq.max_value();
        Ok(SegmentPage {
            segment: ordinal,
            documents: Vec::with_capacity(BLOCK),
            points: Vec::with_capacity(BLOCK),
            narrow: self.narrow.clone(),
            places,
            placed,
            hidden: self.hidden.iter().filter(|it| there.contains(it)).copied().collect(),
            ords: columns.str(schema::PLACE)?.map(|it| it.ords().clone()),
            facets: columns.u64(schema::FACETS)?,
            unix_ms: columns.u64(schema::UNIX_MS)?,
            seq,
            total: 0,
            numbers: Numbers::default(),
            best: Best::new(self.limit),
        })
    }

    fn requires_scoring(&self) -> bool {
        self.scores
    }

    fn merge_fruits(&self, fruits: Vec<Tally>) -> tantivy::Result<Tally> {
        let mut all = Tally { total: 0, counts: Counts::default(), found: Vec::new() };
        for fruit in fruits {
            all.total += fruit.total;
            all.found.extend(fruit.found);
            merge(&mut all.counts, fruit.counts);
        }
        Ok(all)
    }
}

impl SegmentPage {
    fn look_at_block(&mut self) {
        let many = self.documents.len();
        let (mut ords, mut facets) = ([None; BLOCK], [None; BLOCK]);
        let mut unix_ms = [None; BLOCK];
        if let Some(column) = &self.ords {
            read(column, &self.documents, &mut ords);
        }
        read(&self.facets, &self.documents, &mut facets);
        read(&self.unix_ms, &self.documents, &mut unix_ms);
        for at in 0..many {
            let (Some(document), Some(points)) = (self.documents.get(at), self.points.get(at))
            else {
                break;
            };
            let of = |column: &[Option<u64>; BLOCK]| column.get(at).copied().flatten();
            self.look_at(*document, *points, of(&ords), of(&facets), of(&unix_ms));
        }
        self.documents.clear();
        self.points.clear();
    }

    fn look_at(
        &mut self,
        document: DocId,
        points: u32,
        place: Option<u64>,
        facets: Option<u64>,
        unix_ms: Option<u64>,
    ) {
        let seq = |it: &Self| it.seq.first(document).unwrap_or(0);
        if !self.hidden.is_empty() && self.hidden.contains(&seq(self)) {
            return;
        }
        let place = place.and_then(|it| usize::try_from(it).ok()).unwrap_or(usize::MAX);
        let Some(placed) = self.placed.get(place).copied().filter(|it| it.open) else { return };
        let (facets, unix_ms) = (Facets(facets.unwrap_or(0)), unix_ms.unwrap_or(0));
        let misses = self.narrow.misses(facets, placed);
        self.numbers.count(misses, facets, place);
        if misses != 0 {
            return;
        }
        self.total += 1;
        if self.best.may_take(points, unix_ms) {
            let rank = (std::cmp::Reverse(points), unix_ms, seq(self));
            self.best.take(rank, Source::Disk(DocAddress::new(self.segment, document)));
        }
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
        self.documents.push(document);
        self.points.push(score as u32);
        if self.documents.len() == BLOCK {
            self.look_at_block();
        }
    }

    fn harvest(mut self) -> Tally {
        self.look_at_block();
        self.best.cut();
        let mut counts = Counts::default();
        self.numbers.add_to(&self.places, &mut counts);
        Tally { total: self.total, counts, found: self.best.found }
    }
}

fn merge(into: &mut Counts, from: Counts) {
    fn add<K: Ord>(into: &mut BTreeMap<K, u64>, from: BTreeMap<K, u64>) {
        from.into_iter().for_each(|(key, count)| *into.entry(key).or_default() += count);
    }
    add(&mut into.sessions, from.sessions);
    add(&mut into.participants, from.participants);
    add(&mut into.rooms, from.rooms);
    add(&mut into.kinds, from.kinds);
    add(&mut into.languages, from.languages);
    add(&mut into.marks, from.marks);
    add(&mut into.phases, from.phases);
    add(&mut into.questions, from.questions);
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
    numbers.add_to(&places, &mut tally.counts);
}
