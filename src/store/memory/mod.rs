//! The reference store: everything in memory, nothing behind one lock.

use async_trait::async_trait;

use super::{Commit, Committed, Durability, Key, Listing, Loaded, Page, Purged, Query, Store, StoreError};
use crate::clock::Timestamp;

/// A store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn load(&self, _keys: &[Key]) -> Result<Vec<Option<Loaded>>, StoreError> {
        Err(StoreError::Unavailable("not yet".into()))
    }
    async fn commit(&self, _commit: &Commit) -> Result<Committed, StoreError> {
        Err(StoreError::Unavailable("not yet".into()))
    }
    async fn list(&self, _query: &Query, _page: &Page) -> Result<Listing, StoreError> {
        Err(StoreError::Unavailable("not yet".into()))
    }
    async fn purge(&self, _before: Timestamp, _limit: u32) -> Result<Purged, StoreError> {
        Err(StoreError::Unavailable("not yet".into()))
    }
    fn durability(&self) -> Durability {
        Durability::Volatile
    }
}
