//! Reading what was said and written: search, for people who may. Rights are the caller's business:
//! nothing is read here of a session that is not named.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    app::{App, clock::unix_ms, registry::FindError},
    domain::{
        fact::{CommentOn, Fact, Record},
        ids::{ParticipantId, SessionId},
        limits::{
            BOARD_ENTRIES_MAX, COMMENT_CHARS_MAX, COMMENTS_MAX, NAME_CHARS_MAX, THEME_CHARS_MAX,
        },
        talk::clean_text,
    },
    notes::{
        driver::index::IndexError,
        engine::{codes::codes, digest, outline},
    },
};

pub use crate::notes::{
    driver::index::{Counts, Hit, Search, SearchResults},
    engine::{
        digest::Digest,
        entries::{Entry, Kind},
        highlight::Part,
        outline::{Comment, Outline, RunOutline, StepOutline, Stretch},
    },
};

/// Lines that are told to have been said alike elsewhere.
const ALIKE_MAX: usize = 6;

/// An entry among its neighbours.
pub struct Moment {
    /// In order, the entry among them.
    pub around: Vec<Arc<Entry>>,
    /// Said alike, independently, in other rooms.
    pub alike: Vec<Arc<Entry>>,
}

#[derive(Debug, thiserror::Error)]
pub enum ReadingError {
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error("the search broke off")]
    Broken,
    #[error(transparent)]
    Find(#[from] FindError),
    #[error("the session has no such entry")]
    UnknownEntry,
    #[error("the theme is empty or too long")]
    BadTheme,
    #[error("the board is full")]
    BoardFull,
    #[error("the comment is empty or too long, or its writer's name is")]
    BadComment,
    #[error("the session has no such comment")]
    UnknownComment,
}

impl App {
    /// Answers a question, and never with words of a session that it does not name.
    pub async fn search(&self, search: Search) -> Result<SearchResults, ReadingError> {
        let index = self.index.clone();
        let found = tokio::task::spawn_blocking(move || index.search(&search)).await;
        Ok(found.map_err(|_| ReadingError::Broken)??)
    }

    /// The session at a glance.
    pub async fn outline(&self, session: SessionId) -> Result<Outline, ReadingError> {
        let records = self.sessions.records(session).await?;
        Ok(outline::outline(&records))
    }

    /// By what the session is found again.
    pub async fn digest(&self, session: SessionId) -> Result<Digest, ReadingError> {
        let log = self.sessions.log().clone();
        let read = tokio::task::spawn_blocking(move || log.read_kinds(session, &digest::KINDS));
        let records = read.await.map_err(|_| ReadingError::Broken)?.map_err(FindError::from)?;
        digest::digest(&records).ok_or(ReadingError::Find(FindError::Unknown))
    }

    /// The codes that stand for people of the session in every document that names nobody.
    pub async fn codes(
        &self,
        session: SessionId,
        people: Vec<ParticipantId>,
    ) -> Result<BTreeMap<ParticipantId, String>, ReadingError> {
        let log = self.sessions.log().clone();
        let key = tokio::task::spawn_blocking(move || log.pseudonym_key(session)).await;
        let key = key.map_err(|_| ReadingError::Broken)?.map_err(FindError::from)?;
        Ok(key.map(|key| codes(people.into_iter(), &key)).unwrap_or_default())
    }

    /// Everybody who had a seat, under the name they had last; who does not agree that anything is kept
    /// of them, under the code that stands for them in documents: the number beside it is the same in
    /// both, and with a name here it would tell whose code it is.
    pub async fn names(
        &self,
        session: SessionId,
        records: &[Record],
    ) -> Result<BTreeMap<ParticipantId, String>, ReadingError> {
        let people = outline::people(records);
        let mut codes = self.codes(session, people.keys().copied().collect()).await?;
        let name = |(id, name): (_, Option<_>)| {
            (id, name.or_else(|| codes.remove(&id)).unwrap_or_default())
        };
        Ok(people.into_iter().map(name).collect())
    }

    /// Puts an entry of the session under a theme of its board, or takes it off.
    pub async fn collect(
        &self,
        session: SessionId,
        seq: u64,
        theme: Option<String>,
    ) -> Result<Outline, ReadingError> {
        let theme = theme.map(|it| it.split_whitespace().collect::<Vec<_>>().join(" "));
        if let Some(theme) = &theme {
            if !(1..=THEME_CHARS_MAX).contains(&theme.chars().count()) {
                return Err(ReadingError::BadTheme);
            }
            let (index, sessions) = (self.index.clone(), [session].into());
            let entry = tokio::task::spawn_blocking(move || index.entry(&sessions, seq)).await;
            if entry.map_err(|_| ReadingError::Broken)??.is_none() {
                return Err(ReadingError::UnknownEntry);
            }
            let board = self.outline(session).await?.board;
            if BOARD_ENTRIES_MAX <= board.iter().map(|it| it.1.len()).sum() {
                return Err(ReadingError::BoardFull);
            }
        }
        self.sessions.note(session, Fact::Collected { entry: seq, theme }).await?;
        self.outline(session).await
    }

    /// Keeps what a reviewer says of an entry or a theme of the board.
    pub async fn comment(
        &self,
        session: SessionId,
        on: CommentOn,
        name: &str,
        text: &str,
    ) -> Result<Outline, ReadingError> {
        let text = clean_text(text, COMMENT_CHARS_MAX).ok_or(ReadingError::BadComment)?;
        let name = match name.trim() {
            "" => String::new(),
            name => clean_text(name, NAME_CHARS_MAX)
                .filter(|it| !it.contains('\n'))
                .ok_or(ReadingError::BadComment)?,
        };
        let outline = self.outline(session).await?;
        match &on {
            CommentOn::Entry(seq) => {
                let found = self.entries(session, vec![*seq]).await?;
                found.first().ok_or(ReadingError::UnknownEntry)?;
            }
            CommentOn::Theme(theme) => {
                let mut themes = outline.board.iter();
                themes.find(|it| it.0 == *theme).ok_or(ReadingError::UnknownEntry)?;
            }
        }
        if COMMENTS_MAX <= outline.comments.len() {
            return Err(ReadingError::BoardFull);
        }
        let fact = Fact::Commented { on, name, unix_ms: unix_ms(), text };
        self.sessions.note(session, fact).await?;
        self.outline(session).await
    }

    /// Takes a comment back; whoever may write one may.
    pub async fn uncomment(&self, session: SessionId, seq: u64) -> Result<Outline, ReadingError> {
        let done = self.sessions.log().uncomment(session, seq).await.map_err(FindError::from)?;
        if !done {
            return Err(ReadingError::UnknownComment);
        }
        self.outline(session).await
    }

    /// Entries by their places in the log, those there are, in the order asked for.
    pub async fn entries(
        &self,
        session: SessionId,
        seqs: Vec<u64>,
    ) -> Result<Vec<Arc<Entry>>, ReadingError> {
        let index = self.index.clone();
        let found = tokio::task::spawn_blocking(move || {
            let sessions = [session].into();
            let mut found = Vec::new();
            for seq in seqs {
                found.extend(index.entry(&sessions, seq)?);
            }
            Ok::<_, IndexError>(found)
        });
        Ok(found.await.map_err(|_| ReadingError::Broken)??)
    }

    /// What stands around an entry, and what was said alike in other rooms of these sessions; `None`
    /// when none of them has it.
    pub async fn moment(
        &self,
        sessions: BTreeSet<SessionId>,
        seq: u64,
        each_way: usize,
    ) -> Result<Option<Moment>, ReadingError> {
        let index = self.index.clone();
        let found = tokio::task::spawn_blocking(move || {
            let Some(entry) = index.entry(&sessions, seq)? else { return Ok(None) };
            let around = index.around(&entry, each_way)?;
            let alike = index.alike(&sessions, &entry, ALIKE_MAX)?;
            Ok::<_, IndexError>(Some(Moment { around, alike }))
        });
        Ok(found.await.map_err(|_| ReadingError::Broken)??)
    }
}
