//! What can be asked of the index, and what it answers. Never looks anything up.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::domain::{
    ids::{ParticipantId, RoomId, SessionId},
    language::Language,
    mark::Mark,
};
use crate::notes::driver::index::schema::Place;
use crate::notes::engine::{
    entries::{Entry, Kind},
    highlight::Part,
};

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
    /// At most [`SEARCH_RESULTS_MAX`](crate::domain::limits::SEARCH_RESULTS_MAX): the best first, or in the order of time when no word was
    /// asked for. Equals stand in the order of time.
    pub hits: Vec<Hit>,
    pub counts: Counts,
}

/// How many match with each value of what can be narrowed by: with all other narrowing, and without
/// that of its own kind, so that one sees what another choice would give.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub sessions: BTreeMap<SessionId, u64>,
    /// Only where one session is asked about, or it is narrowed to one: people's numbers are a session's own.
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

/// What a place is to a question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Placed {
    /// May be seen.
    pub open: bool,
    pub session: bool,
    pub phase: bool,
    pub question: bool,
}

impl Search {
    pub fn placed(&self, place: &Place) -> Placed {
        let phase = || (place.method.clone(), place.phase.clone());
        Placed {
            open: self.sessions.contains(&place.session),
            session: self.within.is_empty() || self.within.contains(&place.session),
            phase: self.phases.is_empty() || self.phases.contains(&phase()),
            question: self.questions.is_empty() || self.questions.contains(&place.question),
        }
    }
}
