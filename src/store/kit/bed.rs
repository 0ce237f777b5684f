//! What a check works with: short names for the operations, and for what to expect of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use super::fixture::Fixture;
use crate::clock::Timestamp;
use crate::store::{
    Commit, Committed, Condition, Cursor, Failed, Key, Listing, Loaded, Page, Purged, Query, Record, Store, StoreError,
    Write, load_all_ready,
};

/// What a check comes to: nothing, or what was wrong.
pub(super) type Verdict = Result<(), String>;

/// Fails a check, with words, unless something holds.
macro_rules! ensure {
    ($holds:expr, $($words:tt)+) => {
        if !$holds {
            return Err(format!($($words)+));
        }
    };
}
pub(super) use ensure;

/// An empty database and a handle on it.
pub(super) struct Bed<'a> {
    pub(super) fixture: &'a dyn Fixture,
    pub(super) store: Arc<dyn Store>,
    calls: AtomicUsize,
}

impl<'a> Bed<'a> {
    pub(super) fn new(fixture: &'a dyn Fixture) -> Self {
        Self { fixture, store: fixture.open(), calls: AtomicUsize::new(0) }
    }

    /// Another handle on the same database.
    pub(super) fn another(&self) -> Self {
        Self::new(self.fixture)
    }

    /// The same handle, for another thread.
    pub(super) fn share(&self) -> Self {
        Self { fixture: self.fixture, store: Arc::clone(&self.store), calls: AtomicUsize::new(0) }
    }

    /// Drives a future to its end on this thread.
    pub(super) fn drive<T: Send>(&self, future: impl Future<Output = T> + Send) -> Result<T, String> {
        let mut value = None;
        self.fixture.drive(Box::pin(async {
            value = Some(future.await);
        }));
        value.ok_or_else(|| "`Fixture::drive` came back before the future had ended".into())
    }

    /// Commits, and hands on whatever is answered.
    pub(super) fn attempt(&self, commit: &Commit) -> Result<Result<Committed, StoreError>, String> {
        if self.at_once()
            && let Poll::Ready(committed) = self.store.commit_ready(commit)
        {
            return Ok(committed);
        }
        self.drive(self.store.commit(commit))
    }

    pub(super) fn commit(&self, commit: &Commit) -> Result<Committed, String> {
        self.attempt(commit)?.map_err(|error| format!("a commit failed: {error}"))
    }

    /// Commits what must be applied.
    pub(super) fn applied(&self, commit: &Commit) -> Verdict {
        let committed = self.commit(commit)?;
        ensure!(
            committed == Committed::Applied,
            "a commit that had to be applied was answered {committed:?}: {commit:?}"
        );
        Ok(())
    }

    /// Commits what must be refused for this reason.
    pub(super) fn refused(&self, commit: &Commit, failed: Failed) -> Verdict {
        let committed = self.commit(commit)?;
        let expected = Committed::Refused(failed);
        ensure!(committed == expected, "a commit was answered {committed:?} instead of {expected:?}: {commit:?}");
        Ok(())
    }

    /// Inserts records, each in a commit of its own.
    pub(super) fn given<'r>(&self, records: impl IntoIterator<Item = &'r Record>) -> Verdict {
        records.into_iter().try_for_each(|record| self.applied(&insert(record)))
    }

    pub(super) fn load(&self, keys: &[Key]) -> Result<Vec<Option<Loaded>>, String> {
        let ready = if self.at_once() { load_all_ready(&*self.store, keys) } else { Poll::Pending };
        let loaded = match ready {
            Poll::Ready(loaded) => loaded,
            Poll::Pending => self.drive(self.store.load(keys))?,
        };
        let loaded = loaded.map_err(|error| format!("a load failed: {error}"))?;
        ensure!(loaded.len() == keys.len(), "a load of {} keys was answered with {}", keys.len(), loaded.len());
        Ok(loaded)
    }

    /// Whether to ask in the way of stores that need not wait: every other time, so that both ways are checked.
    fn at_once(&self) -> bool {
        self.calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(2)
    }

    /// Loads one record with what it hangs on; it must be there.
    pub(super) fn loaded(&self, key: Key) -> Result<Loaded, String> {
        let found = self.load(&[key])?.pop().flatten();
        found.ok_or_else(|| format!("a record that was inserted is not found: {key:?}"))
    }

    pub(super) fn find(&self, key: Key) -> Result<Option<Arc<Record>>, String> {
        Ok(self.load(&[key])?.pop().flatten().map(|loaded| loaded.record))
    }

    /// Loads these records, without what they hang on.
    pub(super) fn look(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, String> {
        let loaded = self.load(keys)?;
        Ok(loaded.into_iter().map(|found| found.map(|it| Record::clone(&it.record))).collect())
    }

    /// Expects a record to be exactly this, revision included.
    pub(super) fn holds(&self, expected: &Record) -> Verdict {
        let found = self.loaded(expected.key)?.record;
        same(expected, &found)
    }

    pub(super) fn absent(&self, key: Key) -> Verdict {
        let found = self.find(key)?;
        ensure!(found.is_none(), "a record is there that must not be: {found:?}");
        Ok(())
    }

    pub(super) fn page(&self, query: &Query, after: Option<Cursor>, limit: u32) -> Result<Listing, String> {
        let page = Page { after, limit };
        let listing = self.drive(self.store.list(query, &page))?.map_err(|error| format!("a list failed: {error}"))?;
        let count = listing.records.len();
        ensure!(u32::try_from(count).is_ok_and(|count| count <= limit), "a page of {limit} holds {count}");
        Ok(listing)
    }

    pub(super) fn purge(&self, before: Timestamp, limit: u32) -> Result<Purged, String> {
        let purged =
            self.drive(self.store.purge(before, limit))?.map_err(|error| format!("a purge failed: {error}"))?;
        ensure!(purged.removed <= limit, "a purge of at most {limit} removed {}", purged.removed);
        Ok(purged)
    }

    /// Purges until there is no more, and returns how many went.
    pub(super) fn purge_all(&self, before: Timestamp, limit: u32) -> Result<u32, String> {
        let mut removed = 0_u32;
        // A purge may come back empty-handed and say that there may be more, but not for ever.
        for _ in 0..100_000 {
            let purged = self.purge(before, limit)?;
            removed = removed.saturating_add(purged.removed);
            if !purged.more {
                return Ok(removed);
            }
        }
        Err(format!("after 100,000 purges, and {removed} records removed, there is still said to be more"))
    }
}

/// A commit in the partition of what it touches.
pub(super) fn commit(conditions: Vec<Condition>, writes: Vec<Write>) -> Commit {
    let first = conditions.first().map(Condition::key).or_else(|| writes.first().map(Write::key));
    let partition = first.map_or(super::sample::HOME, |key| key.partition);
    Commit { tenant: super::sample::TENANT, partition, at: super::sample::NOW, conditions, writes, events: Vec::new() }
}

/// A commit of nothing but writes.
pub(super) fn writes(writes: impl IntoIterator<Item = Write>) -> Commit {
    commit(Vec::new(), writes.into_iter().collect())
}

/// A commit that inserts one record. Its moment is the least, so that no store may forget the record at once.
pub(super) fn insert(record: &Record) -> Commit {
    Commit { at: Timestamp::from_millis(i64::MIN), ..writes([Write::Insert(Arc::new(record.clone()))]) }
}

/// Expects two records to be equal, and names the columns in which they differ.
pub(super) fn same(expected: &Record, found: &Record) -> Verdict {
    let mut wrong = Vec::new();
    macro_rules! compare {
        ($($column:ident),+) => {$(
            if expected.$column != found.$column {
                let (expected, found) = (short(&expected.$column), short(&found.$column));
                wrong.push(format!("{} is {found} instead of {expected}", stringify!($column)));
            }
        )+};
    }
    compare!(key, tenant, revision, state, epoch, parent, owner, labels, created_at, expires_at, purge_after, used);
    if expected.payload != found.payload {
        let (expected, found) = (expected.payload.as_bytes(), found.payload.as_bytes());
        let at = expected.iter().zip(found).position(|(a, b)| a != b).unwrap_or(expected.len().min(found.len()));
        wrong.push(format!(
            "payload has {} bytes instead of {}, and differs from byte {at} on",
            found.len(),
            expected.len()
        ));
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("; "));
    Ok(())
}

fn short(value: &impl std::fmt::Debug) -> String {
    let mut text = format!("{value:?}");
    if let Some((end, _)) = text.char_indices().nth(120) {
        text.truncate(end);
        text.push('…');
    }
    text
}
