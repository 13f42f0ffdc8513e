//! One question to the index and its answer, from the part on disk and what is too new for it alike.
//! Never looks outside the sessions it is asked about: they are part of the query itself.

use std::{collections::BTreeSet, sync::Arc};

use tantivy::{
    DocId, Executor, SegmentReader, Term,
    query::{
        BooleanQuery, ConstScoreQuery, EnableScoring, FuzzyTermQuery, MoreLikeThisQuery, Occur,
        PhraseQuery, Query, TermQuery,
        doc_predicate_query::{DocPredicateQuery, FunctionPredicate},
    },
    schema::{Field, IndexRecordOption, OwnedValue},
};

use crate::domain::{ids::SessionId, limits::SEARCH_RESULTS_MAX};
use crate::notes::driver::index::{
    columns::ColumnsCache,
    counts::Narrow,
    fresh::{Entry, Fresh},
    page::{Page, Rank, Segments, Source, segments_of, tally_fresh},
    points::{Either, Of, Points},
    question::{Hit, Search, SearchResults},
    remembered::Remembered,
    schema::Fields,
};
use crate::notes::engine::{
    highlight,
    matching::{self, BEGINNING, FORM, NEAR, PART, WORD, Wanted},
};

/// Lines that are compared to find who else said the same.
const ALIKE_LOOKED_AT: usize = 40;

/// Of so much sameness (see `matching::likeness`) on, two lines say the same.
const ALIKE_MIN: f64 = 0.3;

/// Up to so many sessions the index goes through their documents alone, on one thread; of more it looks at
/// each document that has the words.
const SESSIONS_BY_NAME_MAX: usize = 8;

fn is_of_few(search: &Search) -> bool {
    search.sessions.len() <= SESSIONS_BY_NAME_MAX
}

/// Lines of a page that one thread unpacks and marks.
const HITS_TOGETHER: usize = 9;

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
    let page = Page {
        narrow: Narrow::of(search),
        segments,
        hidden: fresh.hidden(),
        limit: usize::try_from(search.offset)
            .unwrap_or(usize::MAX)
            .saturating_add(SEARCH_RESULTS_MAX),
    };
    // Of few sessions it is sooner done than other threads are awake, on a machine that is busy.
    let (here, threads) = (Executor::single_thread(), fresh.searcher.index().search_executor());
    let executor = if is_of_few(search) { &here } else { threads };
    let points = points(fresh, fields, search, &wanted)?;
    let mut tally = page.tally(&fresh.searcher, points.as_ref(), executor)?;
    tally_fresh(fresh, search, &page, &wanted, &mut tally);

    let (total, counts, mut found) = tally.finished(page.limit);
    let offset = usize::try_from(search.offset).unwrap_or(usize::MAX);
    let found = found.split_off(offset.min(found.len()));
    let shown = |of: &[(Rank, Source)]| -> tantivy::Result<Vec<Option<Hit>>> {
        of.iter().map(|it| hit(fresh, fields, words, &wanted, it.1)).collect()
    };
    let hits = executor.map(shown, found.chunks(HITS_TOGETHER))?;
    let hits: Option<Vec<Hit>> = hits.into_iter().flatten().collect();
    Ok(hits.map(|hits| SearchResults { total, hits, counts }))
}

/// What was found, with what is wanted of it marked. `None`: the document is not whole.
fn hit(
    fresh: &Fresh,
    fields: &Fields,
    words: &Remembered,
    wanted: &[Wanted],
    source: Source,
) -> tantivy::Result<Option<Hit>> {
    let Some(entry) = load(fresh, fields, source)? else { return Ok(None) };
    let parts = if wanted.is_empty() {
        highlight::parts(&entry.text, &[])
    } else {
        let tokens = matching::tokens(words, entry.language, &entry.text);
        highlight::parts(&entry.text, &matching::hits(&tokens, wanted))
    };
    Ok(Some(Hit { entry, parts }))
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
    let points = points(fresh, fields, &search, &[])?;
    let (hidden, limit) = (fresh.hidden(), usize::MAX);
    let page = Page { narrow: Narrow::of(&search), segments, hidden, limit };
    let here = Executor::single_thread();
    let mut tally = page.tally(&fresh.searcher, points.as_ref(), &here)?;
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

// The query.

/// What may hold what is looked for; `None`: everything. Whether it may be seen, the page asks of each
/// document.
fn points(
    fresh: &Fresh,
    fields: &Fields,
    search: &Search,
    wanted: &[Wanted],
) -> tantivy::Result<Option<Points>> {
    if wanted.is_empty() && !is_of_few(search) {
        return Ok(None);
    }
    let mut clauses: Vec<Vec<Either>> = wanted.iter().map(|it| wanted_query(fields, it)).collect();
    if is_of_few(search) {
        let session = |it: &SessionId| worth(0, term(fields.session, &it.to_string()));
        clauses.push(search.sessions.iter().map(session).collect());
    }
    let scoring = EnableScoring::enabled_from_searcher(&fresh.searcher);
    Points::new(&clauses, scoring).map(Some)
}

/// Everything in the sessions that may be seen, document by document.
fn open_places(segments: &Segments) -> Box<dyn Query> {
    let segments = segments.clone();
    let predicate = FunctionPredicate::from(move |segment: &SegmentReader| {
        let of = segments.get(&segment.segment_id()).cloned();
        Ok(move |document: DocId| {
            let placed = of.as_ref().and_then(|(columns, placed)| {
                let group = columns.groups().get(columns.group_of(document)?)?;
                placed.get(group.place as usize)
            });
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
