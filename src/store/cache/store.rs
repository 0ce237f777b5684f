//! The cache itself.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::shelf::{Shelf, counts};
use crate::clock::{Clock, Timestamp};
use crate::store::{
    Commit, Committed, Condition, Durability, Key, Kind, Listing, Loaded, Page, Purged, Query, ScanCursor, Scanned,
    Store, StoreError, Write,
};

/// For how long a [`CachingStore`] may answer from what it has seen. By default not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheOptions {
    /// For how long the record of a client is kept. Within this time another node may go on with the secrets, redirect
    /// URIs and state that a client had before it was changed here. Default 0: not at all.
    pub clients_for: Duration,
    /// For how long an access token that counts is kept, with what it hangs on. Within this time another node may still
    /// accept a token that was revoked here, by itself, with its grant, its client or its subject. It never outlives
    /// its own expiry. Default 0: not at all.
    pub tokens_for: Duration,
    /// How many answers are kept, at most; what came first goes first. Default 10,000.
    pub max_entries: usize,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self { clients_for: Duration::ZERO, tokens_for: Duration::ZERO, max_entries: 10_000 }
    }
}

/// Any store, with a memory of its own for what is asked again and again: clients, and access tokens that count.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use grantor::AuthorizationServer;
/// use grantor::clock::SystemClock;
/// use grantor::store::{CacheOptions, CachingStore, MemoryStore};
///
/// let database = Arc::new(MemoryStore::new()); // one that is further away, rather
/// let options = CacheOptions { clients_for: Duration::from_secs(10), ..CacheOptions::default() };
/// let server = AuthorizationServer::builder("https://auth.example.com")
///     .store(CachingStore::new(database, Arc::new(SystemClock), options))
///     .build()?;
/// # Ok::<(), grantor::ConfigError>(())
/// ```
///
/// # What it costs in truth
///
/// With both durations at 0 it passes everything on and keeps every promise of [`Store`]. With others it keeps all but
/// one: a load may show what was true up to that long ago.
///
/// - **Through this value**, what was committed is seen at once: a commit drops every answer that shows, or would show,
///   a record that it wrote to. A token's answer falls with the token, its grant, its client and its subject.
/// - **On another node**, what was committed here is seen once the duration has passed since that node loaded the
///   record, by its clock. The same holds here for a commit that was answered [`StoreError::InDoubt`], or whose future
///   was dropped, and that happens later.
/// - **What is decided on old records cannot break the store**: conditions and guards are evaluated below, on the
///   records as they are. A commit that is refused drops what it rested on, so that whoever decides again decides on
///   what is true now.
/// - **Who manages clients on two nodes at once** may be told [`ManageError::Changed`](crate::manage::ManageError::Changed),
///   or find that a client is as they want it although it was just changed elsewhere. Manage them through one node, or
///   do it again after the duration.
/// - Only good answers are kept. That something is missing, spent, revoked or inactive is never remembered; nor is
///   anything but clients and access tokens. Codes, refresh tokens and grants are always read below.
///
/// Put it before an encrypting store, not behind: then what is opened once need not be opened again. Events are read
/// from the store below.
pub struct CachingStore {
    inner: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    options: CacheOptions,
    shelf: Shelf,
}

impl CachingStore {
    /// A cache in front of `inner`. The clock is to be the server's.
    pub fn new(inner: Arc<dyn Store>, clock: Arc<dyn Clock>, options: CacheOptions) -> Self {
        Self { inner, clock, options, shelf: Shelf::new(options.max_entries) }
    }

    /// Forgets everything: for a host that has heard of changes elsewhere.
    pub fn clear(&self) {
        self.shelf.clear();
    }

    /// For how long an answer about this kind is kept.
    fn kept_for(&self, kind: Kind) -> Duration {
        match kind {
            Kind::CLIENT => self.options.clients_for,
            Kind::ACCESS_TOKEN => self.options.tokens_for,
            _ => Duration::ZERO,
        }
    }

    fn is_kept(&self, key: &Key) -> bool {
        !self.kept_for(key.kind).is_zero()
    }

    /// Whether an answer that was loaded at `since` may still be given.
    fn lives(&self, key: &Key, since: Timestamp, now: Timestamp) -> bool {
        // A clock that was set back has no say in how old something is.
        since <= now && !since.after(self.kept_for(key.kind)).has_come(now)
    }
}

/// Drops what a commit has written to, when it has ended or was dropped, before anybody is told.
struct Ending<'a> {
    shelf: &'a Shelf,
    commit: &'a Commit,
    applied: bool,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let written = self.commit.writes.iter().map(Write::key);
        if self.applied {
            self.shelf.written(written);
        } else {
            // Whoever was refused has decided on what is no longer so.
            self.shelf.written(written.chain(self.commit.conditions.iter().map(Condition::key)));
        }
    }
}

/// Drops everything, when a purge has ended or was dropped.
struct Purging<'a>(&'a Shelf);

impl Drop for Purging<'_> {
    fn drop(&mut self) {
        self.0.clear();
    }
}

#[async_trait]
impl Store for CachingStore {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Loaded>>, StoreError> {
        if !keys.iter().any(|key| self.is_kept(key)) {
            return self.inner.load(keys).await;
        }
        let now = self.clock.now();
        let mut answers = self.shelf.find(keys, |key, since| self.lives(key, since, now));
        let missing: Vec<Key> =
            keys.iter().zip(&answers).filter(|(_, answer)| answer.is_none()).map(|(key, _)| *key).collect();
        if missing.is_empty() {
            return Ok(answers);
        }
        let begun = self.shelf.begin();
        let found = self.inner.load(&missing).await?;
        if found.len() != missing.len() {
            return Err(StoreError::Corrupt(format!("{} keys were answered with {}", missing.len(), found.len())));
        }
        let good = |(key, loaded): (&Key, &Option<Loaded>)| {
            let loaded = loaded.as_ref().filter(|loaded| loaded.record.key == *key && counts(loaded))?;
            self.is_kept(key).then(|| (*key, loaded.clone()))
        };
        let good: Vec<_> = missing.iter().zip(&found).filter_map(good).collect();
        self.shelf.keep(begun, now, &good);
        let unanswered = answers.iter_mut().filter(|answer| answer.is_none());
        unanswered.zip(found).for_each(|(answer, found)| *answer = found);
        Ok(answers)
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        let mut ending = Ending { shelf: &self.shelf, commit, applied: false };
        let committed = self.inner.commit(commit).await?;
        ending.applied = committed == Committed::Applied;
        Ok(committed)
    }

    async fn list(&self, query: &Query, page: &Page) -> Result<Listing, StoreError> {
        self.inner.list(query, page).await
    }

    async fn scan(&self, after: Option<&ScanCursor>, limit: u32) -> Result<Scanned, StoreError> {
        self.inner.scan(after, limit).await
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        // What is purged is told by number, not by name; and purges are rare.
        let _purging = Purging(&self.shelf);
        self.inner.purge(before, limit).await
    }

    fn durability(&self) -> Durability {
        self.inner.durability()
    }
}

impl fmt::Debug for CachingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachingStore").field("options", &self.options).finish_non_exhaustive()
    }
}
