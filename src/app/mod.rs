//! The shell: ties media, speech and notes to the rules; owns clocks, tasks and configuration. It
//! performs what the rules decide and decides nothing itself.

pub mod capacity;
pub mod clock;
pub mod config;
pub mod exporting;
pub mod hearing;
pub mod keeping;
pub mod methods;
pub mod models;
pub mod piloting;
pub mod reading;
pub mod registry;
pub mod replay;
pub mod session_task;
pub mod telemetry;
pub mod tenancy;

use std::{path::PathBuf, sync::Arc, time::Duration};

use crate::{
    app::{
        config::{Config, SpeechSettings},
        hearing::Hearing,
        methods::Library,
        registry::Registry,
    },
    domain::limits::SESSIONS_MAX,
    media::driver::transport::{Transport, TransportError},
    notes::driver::{
        index::{Follower, Index, IndexError},
        log::{Log, LogError},
    },
};

/// Takings out of log and index at once; others wait for their turn.
const ERASINGS_MAX: usize = 2;

/// How long a planned stop waits for words that have been said to be read, and how long for the disk to
/// have them: together less than the ten seconds after which Docker kills what it stops.
const LAST_WORDS: Duration = Duration::from_secs(6);
const LAST_FACTS: Duration = Duration::from_secs(1);

/// The running program, but for its edge.
pub struct App {
    pub config: Config,
    index: Index,
    pub hearing: Arc<Hearing>,
    pub sessions: Arc<Registry>,
    pub transport: Arc<Transport>,
    pub methods: Library,
    /// Each taking out reads a session again and waits for the disk: never many at once.
    erasing: tokio::sync::Semaphore,
    _follower: Follower,
}

/// Why the program cannot run. Each tells what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Media(#[from] TransportError),
    #[error("cannot use the data folder {path}: {source}")]
    Data { path: PathBuf, source: std::io::Error },
}

impl App {
    /// Opens the notes, the media port and the ears, and takes up every session that was open.
    /// A missing or damaged model is no error: the program runs and says that it does not
    /// transcribe. Needs a tokio runtime; blocks it while the index catches up.
    pub fn start(config: Config) -> Result<Arc<App>, StartError> {
        let data = config.data.clone();
        std::fs::create_dir_all(&data)
            .map_err(|source| StartError::Data { path: data.clone(), source })?;
        let log = Log::open(&config.log_path())?;
        let index = Index::open(&config.index_path(), &log, &mut |progress| {
            if progress.done < progress.of {
                tracing::info!(done = progress.done, of = progress.of, "indexing");
            }
        })?;
        let follower = index.follow(&log)?;
        let transport = Transport::bind(&config.media.ports())?;
        let workers = config.speech.workers(config.media.cores);
        let speech = SpeechSettings { workers, ..config.speech.clone() };
        let hearing = Arc::new(Hearing::start(&speech));
        let (methods, faults) = Library::load(Some(&data.join(methods::OWN_FOLDER)));
        faults.iter().for_each(|fault| tracing::warn!("a method is left out: {fault}"));
        let sessions =
            Registry::new(log, Arc::clone(&transport), Arc::clone(&hearing), SESSIONS_MAX);
        let app = Arc::new(App {
            config,
            index,
            hearing,
            sessions,
            transport,
            methods,
            erasing: tokio::sync::Semaphore::new(ERASINGS_MAX),
            _follower: follower,
        });
        keeping::watch(&app);
        Ok(app)
    }

    /// Before a planned stop: hears nobody any more, and keeps what has been said, or that it could not be
    /// read in time.
    pub async fn finish(&self) {
        self.hearing.finish_all(LAST_WORDS).await;
        if tokio::time::timeout(LAST_FACTS, self.sessions.settle()).await.is_err() {
            tracing::warn!("the disk is slow: the last words may not have been kept");
        }
    }
}
