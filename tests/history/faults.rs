//! A store that fails and dawdles, by a seed.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use async_trait::async_trait;
use grantor::clock::Timestamp;
use grantor::store::{
    Commit, Committed, Durability, Key, Listing, Loaded, Page, Purged, Query, ScanCursor, Scanned, Store, StoreError,
};

use crate::random::Random;

/// How often, in a hundred calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Faults {
    /// Nothing happens, and the store says so.
    pub unavailable: usize,
    /// A commit happens, and nobody knows.
    pub doubt_done: usize,
    /// A commit does not happen, and nobody knows.
    pub doubt_undone: usize,
    /// A commit happens, and the store says that it did not: no fault of a network, but a mistake that stores make with one.
    pub denied: usize,
    /// The most turns that others get before a call, and again before its answer.
    pub turns: usize,
}

impl Faults {
    pub const NONE: Self = Self { unavailable: 0, doubt_done: 0, doubt_undone: 0, denied: 0, turns: 0 };
}

/// A store behind a bad connection.
pub struct Faulty {
    inner: Arc<dyn Store>,
    faults: Mutex<Faults>,
    random: Mutex<Random>,
}

impl Faulty {
    /// A store that is well.
    pub fn new(inner: Arc<dyn Store>, random: Random) -> Arc<Self> {
        Arc::new(Self { inner, faults: Mutex::new(Faults::NONE), random: Mutex::new(random) })
    }

    /// From now on it fails as often as this.
    pub fn fail(&self, faults: Faults) {
        *self.faults.lock().unwrap() = faults;
    }

    fn faults(&self) -> Faults {
        *self.faults.lock().unwrap()
    }

    /// Lets others go first, for some turns.
    async fn dawdle(&self) {
        let mut left = self.random.lock().unwrap().below(self.faults().turns + 1);
        poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    fn happens(&self, of_hundred: usize) -> bool {
        self.random.lock().unwrap().percent(of_hundred)
    }

    fn available(&self) -> Result<(), StoreError> {
        if self.happens(self.faults().unavailable) {
            return Err(StoreError::Unavailable("the test says so".into()));
        }
        Ok(())
    }
}

#[async_trait]
impl Store for Faulty {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Loaded>>, StoreError> {
        self.dawdle().await;
        self.available()?;
        let found = self.inner.load(keys).await;
        self.dawdle().await;
        found
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        self.dawdle().await;
        self.available()?;
        let doubt = || StoreError::InDoubt("the test says so".into());
        if self.happens(self.faults().doubt_undone) {
            return Err(doubt());
        }
        let committed = self.inner.commit(commit).await;
        self.dawdle().await;
        if self.happens(self.faults().denied) {
            return Err(StoreError::Unavailable("the test says so".into()));
        }
        if self.happens(self.faults().doubt_done) { Err(doubt()) } else { committed }
    }

    async fn list(&self, query: &Query, page: &Page) -> Result<Listing, StoreError> {
        self.available()?;
        self.inner.list(query, page).await
    }

    async fn scan(&self, after: Option<&ScanCursor>, limit: u32) -> Result<Scanned, StoreError> {
        self.available()?;
        self.inner.scan(after, limit).await
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        self.available()?;
        self.inner.purge(before, limit).await
    }

    fn durability(&self) -> Durability {
        self.inner.durability()
    }
}
