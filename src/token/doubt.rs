//! Which tokens were being spent when the store did not say whether they were.
//!
//! "In doubt" is never taken for theft: a client that was answered 503 and comes back with the same token is innocent,
//! even where it comes back too late for the retry window. This process remembers for which tokens it gave that answer;
//! another node cannot know, and judges by the retry window alone.
//!
//! A doubt is no licence. It concerns the one use that was in doubt, and it ends when a later commit is known to have
//! spent the token, a retry window after the client that came back was answered, and a day after it arose: whoever
//! presents the token then is judged as if there had been none.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::store::Key;

/// The most that is remembered. A store whose commits are in doubt more often than that has other troubles.
const MOST: usize = 10_000;

/// How long a client may take to come back: it was told to try again in a second, but may have been switched off.
const HELD: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug, Default)]
pub(crate) struct Doubts {
    doubts: Mutex<HashMap<Key, Doubt>>,
    /// How many there are, so that nobody takes the lock where there are none, which is nearly always.
    count: AtomicUsize,
}

#[derive(Debug, Clone, Copy)]
struct Doubt {
    /// When the commit was decided of which nothing is known.
    at: Timestamp,
    /// Until when it excuses.
    until: Timestamp,
}

impl Doubts {
    /// Remembers that nobody knows whether this token was spent by a commit of this moment.
    pub(crate) fn remember(&self, key: Key, at: Timestamp) {
        let mut doubts = self.lock();
        if doubts.len() >= MOST
            && let Some(oldest) = doubts.iter().min_by_key(|(_, doubt)| doubt.until).map(|(key, _)| *key)
        {
            doubts.remove(&oldest);
        }
        doubts.insert(key, Doubt { at, until: at.after(HELD) });
        self.count.store(doubts.len(), Ordering::Release);
    }

    /// Whether the use of this token at `used_at` is one that this process left in doubt, not long ago. A use at
    /// another moment is another's: the one in doubt did not happen.
    pub(crate) fn excuse(&self, key: &Key, used_at: Timestamp, now: Timestamp) -> bool {
        !self.none() && self.lock().get(key).is_some_and(|doubt| doubt.at == used_at && !doubt.until.has_come(now))
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
            && let Some(doubt) = self.lock().get_mut(key)
        {
            doubt.until = end.min(doubt.until);
        }
    }

    fn none(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Doubt>> {
        self.doubts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
