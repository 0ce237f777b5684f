//! The store in memory: 64 shards, each behind a lock of its own.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use async_trait::async_trait;

use super::list::list;
use super::outbox::{Events, written_down};
use super::scan::scan;
use super::shard::{SHARDS, Shard, shard_of};
use super::stage::{Staged, stage};
use super::table::Table;
use crate::clock::Timestamp;
use crate::store::{
    Commit, Committed, Durability, Key, Listing, Loaded, Page, Purged, Query, Record, ScanCursor, Scanned, Store,
    StoreError,
};

/// How many records a commit forgets on the way, at most: more than a commit usually adds, so that garbage does not
/// gather, and few enough that nobody notices.
const FORGOTTEN_PER_COMMIT: usize = 8;

/// How many records a purge forgets before others get the lock: some 50 µs where none of them is in the cache.
const PURGED_PER_LOCK: usize = 32;

/// How many records there may be where nobody said otherwise.
const DEFAULT_CAPACITY: usize = 1 << 24;

/// A store in memory: the reference that other stores are measured by, and all that a test or a single process needs.
///
/// Nothing outlives the process ([`Durability::Volatile`]). No future that it returns ever waits: each is ready when it
/// is first polled, so that a dropped one has either done nothing or everything.
///
/// # Bounded
///
/// It holds at most 16,777,216 records, or what [`with_capacity_limit`](Self::with_capacity_limit) says; a commit that
/// would exceed this is answered with [`StoreError::Unavailable`] and changes nothing. Memory is in use for what is
/// held, not for the limit, and goes back as records go.
///
/// # Forgetting
///
/// Each commit that is applied forgets up to eight records of its shard whose `purge_after` lies at least a minute or
/// so before its `at`, so that a store in use stays small without anybody's help. [`purge`](Store::purge) is exact, and
/// for a store that rests.
///
/// # Events
///
/// It keeps none, unless it was made with [`keeping_events`](Self::keeping_events).
///
/// # Lists
///
/// A list that names a partition (by subject, by parent) reads that partition; one by client reads what that client
/// owns; a list of records that all have labels (clients) reads these, and by time only a page of them. Any other reads
/// everything, a little at a time.
pub struct MemoryStore {
    shards: Box<[Aligned; SHARDS]>,
    records: AtomicUsize,
    capacity: usize,
    events: Option<Events>,
}

/// On cache lines of its own: two threads at work in neighbouring shards would otherwise slow each other down.
#[repr(align(128))]
struct Aligned(Mutex<Shard>);

/// Takes the lock, also when a thread has panicked holding it: nothing that may panic runs between the first change of
/// a commit and the last.
pub(super) fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What became of one attempt at a commit.
enum Attempt {
    Done(Committed),
    Full,
    EventsFull(StoreError),
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::with_capacity_limit(DEFAULT_CAPACITY)
    }

    /// An empty store that will hold at most `max_records` records.
    pub fn with_capacity_limit(max_records: usize) -> Self {
        Self {
            shards: Box::new([const { Aligned(Mutex::new(Shard::new())) }; SHARDS]),
            records: AtomicUsize::new(0),
            capacity: max_records,
            events: None,
        }
    }

    /// The same store, empty still, with an [`Outbox`](crate::store::Outbox): the events of every commit are kept until
    /// [`forget_events`](crate::store::Outbox::forget_events). Where `at_most` wait, a commit that tells of more is
    /// answered with [`StoreError::Unavailable`] and changes nothing, for nothing may happen that is not told.
    #[must_use]
    pub fn keeping_events(self, at_most: usize) -> Self {
        Self { events: Some(Events::new(at_most)), ..self }
    }

    pub(super) const fn events(&self) -> Option<&Events> {
        self.events.as_ref()
    }

    /// How many records there are, of all kinds and states.
    pub fn len(&self) -> usize {
        self.records.load(Ordering::Relaxed)
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every record, by key: for tests that compare what was there before and after. Not a moment in time, where others
    /// write meanwhile.
    pub fn snapshot(&self) -> Vec<Arc<Record>> {
        let mut records = Vec::with_capacity(self.len());
        for shard in self.shards() {
            let shard = lock(shard);
            records.extend(shard.tables_from(0).flat_map(Table::records).cloned());
        }
        records.sort_unstable_by_key(|record| record.key);
        records
    }

    pub(super) fn shards(&self) -> impl Iterator<Item = &Mutex<Shard>> {
        self.shards.iter().map(|shard| &shard.0)
    }

    pub(super) fn shard(&self, number: usize) -> &Mutex<Shard> {
        let [first, ..] = &*self.shards;
        &self.shards.get(number).unwrap_or(first).0
    }

    /// One record with what it hangs on, under one lock but for what lives in another shard.
    fn load_one(&self, key: &Key) -> Option<Loaded> {
        let home = shard_of(key.partition);
        let shard = lock(self.shard(home));
        let near = |key: &Key| if shard_of(key.partition) == home { shard.get(key) } else { None };
        // All is found before anything is shared: sharing waits for memory, and nothing can be fetched meanwhile.
        let record = near(key)?;
        let parent = record.parent.as_ref().and_then(|link| near(&link.key));
        let owner = record.owner.as_deref().or_else(|| parent?.owner.as_deref());
        let subject = owner.and_then(|owner| owner.subject.as_ref()).and_then(|link| near(&link.key));
        let client_key = owner.map(|owner| owner.client.key);
        let client = match &client_key {
            Some(key) => near(key),
            // What hangs on a client directly need not name it twice.
            None => parent,
        };
        let (record, parent) = (Arc::clone(record), parent.cloned());
        let (mut client, subject) = (client.cloned(), subject.cloned());
        // Never two locks at once: whoever holds one waits for nobody.
        drop(shard);
        if let Some(key) = client_key.filter(|key| shard_of(key.partition) != home) {
            client = lock(self.shard(shard_of(key.partition))).get(&key).cloned();
        }
        Some(Loaded { record, parent, client, subject })
    }

    fn attempt(&self, commit: &Commit) -> Result<Attempt, StoreError> {
        let events = self.events.as_ref().filter(|_| !commit.events.is_empty());
        let told = events.map(|events| Ok::<_, StoreError>((events, written_down(commit)?))).transpose()?;
        let mut shard = lock(self.shard(shard_of(commit.partition)));
        let Staged { mut changes, growth } = match stage(&shard, commit)? {
            Ok(staged) => staged,
            Err(failed) => return Ok(Attempt::Done(Committed::Refused(failed))),
        };
        // Under the lock of the shard, so that the order of events is that of the commits. Nobody who holds this one
        // waits for that.
        let told = match told {
            None => None,
            Some((events, json)) => {
                let kept = events.lock();
                if !events.has_room(&kept, json.len()) {
                    return Ok(Attempt::EventsFull(events.full()));
                }
                Some((kept, json))
            }
        };
        if !self.grow(growth) {
            return Ok(Attempt::Full);
        }
        if let Some((mut kept, json)) = told {
            kept.push(commit.tenant, json);
        }
        // What goes out takes the place of what came in, and is dropped when the lock is released.
        for (key, change) in &mut changes {
            *change = match change.take() {
                Some(record) => shard.put(record),
                None => shard.remove(key),
            };
        }
        let forgotten = shard.forget(commit.at, FORGOTTEN_PER_COMMIT);
        drop(shard);
        self.shrink(forgotten.len());
        Ok(Attempt::Done(Committed::Applied))
    }

    fn commit_now(&self, commit: &Commit) -> Result<Committed, StoreError> {
        if !commit.is_local() {
            return Err(StoreError::Corrupt("a commit names keys of several partitions".into()));
        }
        loop {
            match self.attempt(commit)? {
                Attempt::Done(committed) => return Ok(committed),
                Attempt::EventsFull(error) => return Err(error),
                Attempt::Full => {}
            }
            if !self.make_room(commit.at) {
                break;
            }
        }
        Err(StoreError::Unavailable(format!(
            "{} records are held, and no more than {} may be",
            self.len(),
            self.capacity
        )))
    }

    /// Forgets a few records somewhere, and tells whether there were any.
    fn make_room(&self, at: Timestamp) -> bool {
        self.shards().any(|shard| {
            let forgotten = lock(shard).forget(at, FORGOTTEN_PER_COMMIT);
            self.shrink(forgotten.len());
            !forgotten.is_empty()
        })
    }

    /// Counts records in, unless there would be too many.
    fn grow(&self, by: isize) -> bool {
        let Ok(more) = usize::try_from(by) else {
            self.shrink(by.unsigned_abs());
            return true;
        };
        let within = |records: usize| records.checked_add(more).filter(|records| *records <= self.capacity);
        more == 0 || self.records.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within).is_ok()
    }

    fn shrink(&self, by: usize) {
        if by > 0 {
            self.records.fetch_sub(by, Ordering::Relaxed);
        }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("records", &self.len())
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Loaded>>, StoreError> {
        Ok(keys.iter().map(|key| self.load_one(key)).collect())
    }

    fn load_ready(&self, key: &Key) -> Poll<Result<Option<Loaded>, StoreError>> {
        Poll::Ready(Ok(self.load_one(key)))
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        self.commit_now(commit)
    }

    fn commit_ready(&self, commit: &Commit) -> Poll<Result<Committed, StoreError>> {
        Poll::Ready(self.commit_now(commit))
    }

    async fn list(&self, query: &Query, page: &Page) -> Result<Listing, StoreError> {
        Ok(list(self, query, page))
    }

    async fn scan(&self, after: Option<&ScanCursor>, limit: u32) -> Result<Scanned, StoreError> {
        scan(self, after, limit)
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        let mut removed = 0_u32;
        for shard in self.shards() {
            let mut resume = usize::MAX;
            loop {
                let left = usize::try_from(limit.saturating_sub(removed)).unwrap_or(usize::MAX);
                if left == 0 {
                    return Ok(Purged { removed, more: true });
                }
                let (gone, all) = lock(shard).purge(before, left.min(PURGED_PER_LOCK), &mut resume);
                self.shrink(gone.len());
                removed = removed.saturating_add(u32::try_from(gone.len()).unwrap_or(u32::MAX));
                if all {
                    break;
                }
            }
        }
        Ok(Purged { removed, more: false })
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }
}
