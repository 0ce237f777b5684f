//! Which tokens were being spent when the store did not say whether they were.
//!
//! "In doubt" is never taken for theft: a client that was answered 503 and comes back with the same token is innocent, even where it
//! comes back too late for the retry window. It is given the answer it did not get, once; then the token is as spent as any other. This process remembers for which tokens it gave that answer; another node cannot know,
//! and judges by the retry window alone.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::clock::Timestamp;
use crate::store::Key;

/// The most that is remembered. A store whose commits are in doubt more often than that has other troubles.
const MOST: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Doubts {
    /// When the commit was decided that is in doubt.
    at: Mutex<HashMap<Key, Timestamp>>,
    /// How many there are, so that whoever has none to ask for takes no lock.
    count: AtomicUsize,
}

impl Doubts {
    /// Remembers that nobody knows whether this token was spent at this moment.
    pub(crate) fn remember(&self, key: Key, at: Timestamp) {
        let mut doubts = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        if doubts.len() >= MOST
            && let Some(oldest) = doubts.iter().min_by_key(|(_, at)| **at).map(|(key, _)| *key)
        {
            doubts.remove(&oldest);
        }
        doubts.insert(key, at);
        self.count.store(doubts.len(), Ordering::Release);
    }

    /// Whether the use of this token at this moment is one that was left in doubt, so that nobody has had the answer to it.
    ///
    /// A use at another moment is another's: the one in doubt did not happen.
    pub(crate) fn has(&self, key: &Key, used_at: Timestamp) -> bool {
        self.count.load(Ordering::Acquire) > 0
            && self.at.lock().unwrap_or_else(PoisonError::into_inner).get(key) == Some(&used_at)
    }

    /// The doubt is settled: somebody was given the answer.
    pub(crate) fn settle(&self, key: &Key) {
        if self.count.load(Ordering::Acquire) > 0 {
            let mut doubts = self.at.lock().unwrap_or_else(PoisonError::into_inner);
            doubts.remove(key);
            self.count.store(doubts.len(), Ordering::Release);
        }
    }
}
