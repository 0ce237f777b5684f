//! A store in which something else can happen between a reading and the commit that rests on it.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use grantor::clock::Timestamp;
use grantor::store::{
    Commit, Committed, Durability, Key, Listing, Loaded, MemoryStore, Page, Purged, Query, ScanCursor, Scanned, Store,
    StoreError,
};

type Hook = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The memory store, but for what was asked to happen in between.
pub struct Intercept {
    memory: Arc<MemoryStore>,
    before: Mutex<Option<Hook>>,
    asked: AtomicUsize,
}

impl Intercept {
    pub fn new() -> Self {
        Self { memory: Arc::new(MemoryStore::new()), before: Mutex::new(None), asked: AtomicUsize::new(0) }
    }

    pub fn memory(&self) -> Arc<MemoryStore> {
        Arc::clone(&self.memory)
    }

    /// This happens, to its end, when the next commit has arrived and before it is made; once.
    pub fn before_commit(&self, hook: impl Future<Output = ()> + Send + 'static) {
        *self.before.lock().unwrap() = Some(Box::pin(hook));
    }

    /// How many records were asked for since the last question.
    pub fn take_asked(&self) -> usize {
        self.asked.swap(0, Ordering::SeqCst)
    }

    /// Whether what was asked for has happened.
    pub fn happened(&self) -> bool {
        self.before.lock().unwrap().is_none()
    }
}

#[async_trait]
impl Store for Intercept {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Loaded>>, StoreError> {
        self.asked.fetch_add(keys.len(), Ordering::SeqCst);
        self.memory.load(keys).await
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        let hook = self.before.lock().unwrap().take();
        if let Some(hook) = hook {
            hook.await;
        }
        self.memory.commit(commit).await
    }

    async fn list(&self, query: &Query, page: &Page) -> Result<Listing, StoreError> {
        self.memory.list(query, page).await
    }

    async fn scan(&self, after: Option<&ScanCursor>, limit: u32) -> Result<Scanned, StoreError> {
        self.memory.scan(after, limit).await
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        self.memory.purge(before, limit).await
    }

    fn durability(&self) -> Durability {
        self.memory.durability()
    }
}
