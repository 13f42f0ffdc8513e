//! Keeps an open index up with the log, on two threads: one takes in, another commits.

use std::{
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::sync::watch;

use crate::notes::driver::{
    index::{Index, IndexError, folder},
    log::Log,
};

/// Time between two commits while following the log, in ms. What waits is findable all the same, so
/// this is only how much must be read again after a crash; each commit costs files and fsyncs.
const COMMIT_EVERY_MS: u64 = 2_000;

impl Index {
    /// Keeps the index up with the log on threads of its own until the follower is dropped. New
    /// records are findable as soon as the log has them. A fault is logged and tried again.
    pub fn follow(&self, log: &Log) -> Result<Follower, IndexError> {
        let (stop, stopped) = watch::channel(false);
        let following = |error| folder("following", &self.inner.path)(error);
        let spawn = |name: &str, run: Box<dyn FnOnce(tokio::runtime::Runtime) + Send>| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
            thread::Builder::new().name(name.to_owned()).spawn(move || run(runtime))
        };
        let (index, its_log, its_stop) = (self.clone(), log.clone(), stopped.clone());
        let taking = spawn(
            "index",
            Box::new(move |runtime| {
                runtime.block_on(index.take_in_until(its_log, its_stop));
            }),
        );
        let (index, its_log) = (self.clone(), log.clone());
        let committing = spawn(
            "index-commits",
            Box::new(move |runtime| {
                runtime.block_on(index.commit_until(its_log, stopped));
            }),
        );
        Ok(Follower {
            stop,
            threads: vec![taking.map_err(following)?, committing.map_err(following)?],
        })
    }

    async fn take_in_until(self, log: Log, mut stopped: watch::Receiver<bool>) {
        let mut news = log.subscribe();
        let mut commits = self.inner.committed.subscribe();
        news.mark_changed();
        loop {
            tokio::select! {
                changed = news.changed() => if changed.is_err() { return },
                // It may have stopped because too much waited.
                changed = commits.changed() => if changed.is_err() { return },
                _ = stopped.changed() => return,
            }
            if let Err(error) = self.take_in(&log) {
                tracing::warn!(%error, "the index fell behind the log; it will be tried again");
                tokio::time::sleep(Duration::from_millis(COMMIT_EVERY_MS)).await;
                news.mark_changed();
            }
        }
    }

    async fn commit_until(self, log: Log, mut stopped: watch::Receiver<bool>) {
        let mut taken = self.inner.findable.subscribe();
        taken.mark_changed();
        loop {
            tokio::select! {
                changed = taken.changed() => if changed.is_err() { return },
                _ = stopped.changed() => break,
            }
            if let Err(error) = self.commit() {
                tracing::warn!(%error, "the index could not be committed; it will be tried again");
                taken.mark_changed();
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(COMMIT_EVERY_MS)) => {}
                _ = stopped.changed() => break,
            }
        }
        if let Err(error) = self.catch_up(&log) {
            tracing::warn!(%error, "the index is behind the log; the next start makes it up");
        }
    }
}

/// Follows the log while it lives. Dropping it adds what is left, commits, and waits for that.
#[must_use = "the index follows the log only while this lives"]
pub struct Follower {
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the index had panicked");
            }
        }
    }
}
