//! Reading what was said: search, for people who may.

use crate::{app::App, domain::ids::SessionId, notes::driver::index::IndexError};

pub use crate::notes::{
    driver::index::{Hit, Search, SearchResults},
    engine::highlight::Part,
};

#[derive(Debug, thiserror::Error)]
pub enum ReadingError {
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error("the search broke off")]
    Broken,
}

impl App {
    /// Answers a question about one session, and never with words of another.
    pub async fn search(
        &self,
        session: SessionId,
        search: Search,
    ) -> Result<SearchResults, ReadingError> {
        let index = self.index.clone();
        let found = tokio::task::spawn_blocking(move || index.search(session, &search)).await;
        Ok(found.map_err(|_| ReadingError::Broken)??)
    }
}
