//! Which tokens were being spent when the store did not say whether they were.
//!
//! "In doubt" is never taken for theft: a client that was answered 503 and comes back with the same token is innocent, even where it
//! comes back too late for the retry window. This process remembers for which tokens it gave that answer; another node cannot know,
//! and judges by the retry window alone.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::clock::Timestamp;
use crate::store::Key;

/// The most that is remembered. A store whose commits are in doubt more often than that has other troubles.
const MOST: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Doubts(Mutex<HashMap<Key, Timestamp>>);

impl Doubts {
    /// Remembers that nobody knows whether this token was spent.
    pub(crate) fn remember(&self, key: Key, now: Timestamp) {
        let mut doubts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if doubts.len() >= MOST
            && let Some(oldest) = doubts.iter().min_by_key(|(_, at)| **at).map(|(key, _)| *key)
        {
            doubts.remove(&oldest);
        }
        doubts.insert(key, now);
    }

    /// Whether the token was left in doubt by this process.
    pub(crate) fn has(&self, key: &Key) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(key)
    }
}
