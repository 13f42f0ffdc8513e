//! One question to the index and its answer. Never looks outside the session it is asked about.

use std::collections::BTreeSet;

use tantivy::{
    DocAddress, DocId, Order, Score, Searcher, SegmentOrdinal, SegmentReader, TantivyDocument,
    Term,
    collector::{
        Collector, Count, SegmentCollector, TopDocs,
        sort_key::{SortBySimilarityScore, SortByStaticFastValue},
    },
    columnar::Column,
    query::{
        BooleanQuery, BoostQuery, ConstScoreQuery, FuzzyTermQuery, Occur, PhraseQuery, Query,
        TermQuery,
    },
    schema::{Field, IndexRecordOption, Value},
};

use crate::domain::{
    ids::{ParticipantId, RoomId, SessionId},
    language::Language,
    limits::SEARCH_RESULTS_MAX,
    time::{SessionTime, Span},
};
use crate::notes::driver::index::schema::{self, Fields, Stemmers};
use crate::notes::engine::{
    highlight::{self, Part, Wanted},
    query::{self, Clause},
};

/// The very form that was asked for counts this much more than another form of the word.
const FORM_WEIGHT: Score = 2.0;

/// A word that only begins with what is being typed counts this much, and the same however rare.
const BEGINNING_WEIGHT: Score = 0.5;

/// Letters before beginnings are looked for: one letter begins half of everything.
const BEGINNING_CHARS_MIN: usize = 2;

/// A question about one session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// As the person wrote it; see `engine::query`. Without a word in it: everything said.
    pub text: String,
    /// Only what this person said.
    pub participant: Option<ParticipantId>,
    /// Only what was said in this room.
    pub room: Option<RoomId>,
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
    /// Every room in which something was said in the session, whatever the question.
    pub rooms: Vec<RoomId>,
}

/// Something said that matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its place in the log.
    pub seq: u64,
    pub participant: ParticipantId,
    /// As given when joining; empty when the log knows no such person.
    pub name: String,
    pub room: RoomId,
    pub span: Span,
    pub language: Language,
    /// What was said, whole, with the matching words marked.
    pub parts: Vec<Part>,
}

/// `None`: a document of the index is not whole.
pub fn run(
    searcher: &Searcher,
    fields: &Fields,
    stemmers: &Stemmers,
    session: SessionId,
    search: &Search,
) -> tantivy::Result<Option<SearchResults>> {
    let asked = query::parse(&search.text);
    let of_session = filter(Term::from_field_text(fields.session, &session.to_string()));
    let rooms = searcher.search(&of_session, &Rooms)?;

    let mut must: Vec<(Occur, Box<dyn Query>)> = vec![(Occur::Must, Box::new(of_session))];
    if let Some(participant) = search.participant {
        let term = Term::from_field_u64(fields.participant, u64::from(participant.0));
        must.push((Occur::Must, Box::new(filter(term))));
    }
    if let Some(room) = search.room {
        let term = Term::from_field_u64(fields.room, schema::room_number(room));
        must.push((Occur::Must, Box::new(filter(term))));
    }
    for clause in &asked.clauses {
        must.push((Occur::Must, clause_query(fields, stemmers, clause)));
    }
    let query = BooleanQuery::new(must);

    let total = searcher.search(&query, &Count)?;
    let addresses = page(searcher, &query, asked.clauses.is_empty(), total, search.offset)?;
    let mut hits = Vec::with_capacity(addresses.len());
    for address in addresses {
        match hit(fields, stemmers, &asked.clauses, &searcher.doc(address)?) {
            Some(hit) => hits.push(hit),
            None => return Ok(None),
        }
    }
    let rooms = rooms.into_iter().filter_map(schema::room).collect();
    Ok(Some(SearchResults { total: total as u64, hits, rooms }))
}

/// Must hold, and says nothing about relevance.
fn filter(term: Term) -> ConstScoreQuery {
    ConstScoreQuery::new(Box::new(TermQuery::new(term, IndexRecordOption::Basic)), 0.0)
}

fn clause_query(fields: &Fields, stemmers: &Stemmers, clause: &Clause) -> Box<dyn Query> {
    match clause {
        Clause::Word { word, typing } => {
            let mut any = vec![boosted(term(fields.text, word), FORM_WEIGHT)];
            for language in Language::ALL {
                let stem = stemmers.stem(language, word);
                any.push(term(fields.stems(language), &stem));
            }
            if *typing && word.chars().count() >= BEGINNING_CHARS_MIN {
                let begins =
                    FuzzyTermQuery::new_prefix(Term::from_field_text(fields.text, word), 0, true);
                any.push(boosted(Box::new(begins), BEGINNING_WEIGHT));
            }
            Box::new(BooleanQuery::union(any))
        }
        Clause::Phrase(words) => match words.as_slice() {
            [word] => term(fields.text, word),
            words => Box::new(PhraseQuery::new(
                words.iter().map(|word| Term::from_field_text(fields.text, word)).collect(),
            )),
        },
    }
}

fn term(field: Field, text: &str) -> Box<dyn Query> {
    let term = Term::from_field_text(field, text);
    Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs))
}

fn boosted(query: Box<dyn Query>, weight: Score) -> Box<dyn Query> {
    Box::new(BoostQuery::new(query, weight))
}

/// The documents of the page, in order. The order is whole (the place in the log comes last), so
/// that pages fit together and an index built again answers the same.
fn page(
    searcher: &Searcher,
    query: &BooleanQuery,
    by_time: bool,
    total: usize,
    offset: u64,
) -> tantivy::Result<Vec<DocAddress>> {
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    // Never more than there is: memory is taken for all up to the end of the page.
    let limit = total.saturating_sub(offset).min(SEARCH_RESULTS_MAX);
    if limit == 0 {
        return Ok(Vec::new());
    }
    let top = TopDocs::with_limit(limit).and_offset(offset);
    let ascending = |name| (SortByStaticFastValue::<u64>::for_field(name), Order::Asc);
    let (start, seq) = (ascending(schema::START_MS), ascending(schema::SEQ));
    Ok(if by_time {
        let found = searcher.search(query, &top.order_by((start, seq)))?;
        found.into_iter().map(|(_, address)| address).collect()
    } else {
        let found = searcher.search(query, &top.order_by((SortBySimilarityScore, start, seq)))?;
        found.into_iter().map(|(_, address)| address).collect()
    })
}

fn hit(
    fields: &Fields,
    stemmers: &Stemmers,
    clauses: &[Clause],
    document: &TantivyDocument,
) -> Option<Hit> {
    let number = |field| document.get_first(field)?.as_u64();
    let words = |field| document.get_first(field)?.as_str();
    let language = Language::from_code(words(fields.language)?)?;
    let text = words(fields.text)?;
    Some(Hit {
        seq: number(fields.seq)?,
        participant: ParticipantId(u32::try_from(number(fields.participant)?).ok()?),
        name: words(fields.name)?.to_owned(),
        room: schema::room(number(fields.room)?)?,
        span: Span::new(SessionTime(number(fields.start_ms)?), SessionTime(number(fields.end_ms)?)),
        language,
        parts: marked(stemmers, clauses, language, text),
    })
}

fn marked(stemmers: &Stemmers, clauses: &[Clause], language: Language, text: &str) -> Vec<Part> {
    let wanted: Vec<Wanted> = clauses
        .iter()
        .map(|clause| match clause {
            Clause::Word { word, typing } => Wanted::Word {
                word: word.clone(),
                stem: stemmers.stem(language, word),
                typing: *typing && word.chars().count() >= BEGINNING_CHARS_MIN,
            },
            Clause::Phrase(words) => Wanted::Phrase(words.clone()),
        })
        .collect();
    if wanted.is_empty() {
        return highlight::parts(text, &[]);
    }
    highlight::parts(text, &highlight::hits(&stemmers.tokens(language, text), &wanted))
}

/// Collects the numbers of the rooms of all that matches.
struct Rooms;

struct SegmentRooms {
    rooms: Column<u64>,
    found: BTreeSet<u64>,
}

impl Collector for Rooms {
    type Fruit = BTreeSet<u64>;
    type Child = SegmentRooms;

    fn for_segment(
        &self,
        _: SegmentOrdinal,
        segment: &SegmentReader,
    ) -> tantivy::Result<SegmentRooms> {
        let rooms = segment.fast_fields().u64(schema::ROOM)?;
        Ok(SegmentRooms { rooms, found: BTreeSet::new() })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, found: Vec<BTreeSet<u64>>) -> tantivy::Result<BTreeSet<u64>> {
        Ok(found.into_iter().flatten().collect())
    }
}

impl SegmentCollector for SegmentRooms {
    type Fruit = BTreeSet<u64>;

    fn collect(&mut self, document: DocId, _: Score) {
        self.found.extend(self.rooms.first(document));
    }

    fn harvest(self) -> BTreeSet<u64> {
        self.found
    }
}
