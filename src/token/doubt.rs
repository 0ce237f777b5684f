//! Which tokens were being spent when the store did not say whether they were.
//!
//! "In doubt" is never taken for theft: a client that was answered 503 and comes back with the same token is innocent, even where it
//! comes back too late for the retry window. This process remembers for which tokens it gave that answer; another node cannot know,
//! and judges by the retry window alone.
//!
//! A doubt is no licence. It ends when a later commit is known to have spent the token, a retry window after the client that came back was
//! answered, and an hour after it arose: whoever presents the token then is judged as if there had been none.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::store::Key;

/// The most that is remembered. A store whose commits are in doubt more often than that has other troubles.
const MOST: usize = 10_000;

/// How long a client may take to come back: it was told to try again in a second.
const HELD: Duration = Duration::from_secs(3600);

#[derive(Debug, Default)]
pub(crate) struct Doubts {
    /// Until when each excuses.
    until: Mutex<HashMap<Key, Timestamp>>,
    /// How many there are, so that nobody takes the lock where there are none, which is nearly always.
    count: AtomicUsize,
}

impl Doubts {
    /// Remembers that nobody knows whether this token was spent.
    pub(crate) fn remember(&self, key: Key, now: Timestamp) {
        let mut doubts = self.lock();
        if doubts.len() >= MOST
            && let Some(oldest) = doubts.iter().min_by_key(|(_, until)| **until).map(|(key, _)| *key)
        {
            doubts.remove(&oldest);
        }
        doubts.insert(key, now.after(HELD));
        self.count.store(doubts.len(), Ordering::Release);
    }

    /// Whether the token was left in doubt by this process, not long ago.
    pub(crate) fn excuse(&self, key: &Key, now: Timestamp) -> bool {
        !self.none() && self.lock().get(key).is_some_and(|until| !until.has_come(now))
    }

    /// A commit that spent the token is known to have happened: there is no doubt any more.
    pub(crate) fn settle(&self, key: &Key) {
        if !self.none() {
            let mut doubts = self.lock();
            doubts.remove(key);
            self.count.store(doubts.len(), Ordering::Release);
        }
    }

    /// Who came back with the token was answered: the excuse ends at `end`.
    pub(crate) fn answered(&self, key: &Key, end: Timestamp) {
        if !self.none()
            && let Some(until) = self.lock().get_mut(key)
        {
            *until = end.min(*until);
        }
    }

    fn none(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Timestamp>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
