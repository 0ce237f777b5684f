//! The store of a test: any store, in which a token can be hidden until its time has come.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::TestClock;
use crate::clock::{Clock as _, Timestamp};
use crate::store::{
    Commit, Committed, Durability, Key, Listing, Loaded, Page, Purged, Query, ScanCursor, Scanned, Store, StoreError,
};

/// Another store, but for what is not valid yet: the engine has no token that begins later than it was issued, and so a
/// test's is not to be found before.
pub(super) struct TestStore {
    below: Arc<dyn Store>,
    clock: Arc<TestClock>,
    begins: Mutex<HashMap<Key, Timestamp>>,
}

impl TestStore {
    pub(super) fn new(below: Arc<dyn Store>, clock: Arc<TestClock>) -> Self {
        Self { below, clock, begins: Mutex::new(HashMap::new()) }
    }

    /// Hides a record until this moment.
    pub(super) fn hide(&self, key: Key, until: Timestamp) {
        self.begins.lock().unwrap_or_else(PoisonError::into_inner).insert(key, until);
    }
}

#[async_trait]
impl Store for TestStore {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Loaded>>, StoreError> {
        let mut found = self.below.load(keys).await?;
        let begins = self.begins.lock().unwrap_or_else(PoisonError::into_inner);
        if !begins.is_empty() {
            let now = self.clock.now();
            for (key, found) in keys.iter().zip(&mut found) {
                if begins.get(key).is_some_and(|begins| !begins.has_come(now)) {
                    *found = None;
                }
            }
        }
        Ok(found)
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        self.below.commit(commit).await
    }

    async fn list(&self, query: &Query, page: &Page) -> Result<Listing, StoreError> {
        self.below.list(query, page).await
    }

    async fn scan(&self, after: Option<&ScanCursor>, limit: u32) -> Result<Scanned, StoreError> {
        self.below.scan(after, limit).await
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        self.below.purge(before, limit).await
    }

    fn durability(&self) -> Durability {
        self.below.durability()
    }
}
