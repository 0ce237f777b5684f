//! A store that counts what it is asked, and fails when it is told to.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use grantor::Builder;
use grantor::clock::Timestamp;
use grantor::store::{
    Commit, Committed, Durability, Key, Listing, Loaded, MemoryStore, Page, Purged, Query, Store, StoreError,
};

use crate::harness::World;

/// What becomes of the next commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It happens, and nobody is told.
    InDoubtAndApplied,
    /// It does not happen, and nobody is told.
    InDoubtAndLost,
}

/// A store in memory, watched.
pub struct Spy {
    inner: Arc<MemoryStore>,
    loads: Mutex<Vec<Vec<Key>>>,
    commits: Mutex<Vec<Commit>>,
    fault: Mutex<Option<Fault>>,
}

/// What the store was asked since the last time.
#[derive(Debug, Clone, Default)]
pub struct Work {
    /// The keys of each load.
    pub loads: Vec<Vec<Key>>,
    pub commits: Vec<Commit>,
}

impl Work {
    /// How many keys each load asked for, and how many commits there were.
    pub fn amount(&self) -> (Vec<usize>, usize) {
        (self.loads.iter().map(Vec::len).collect(), self.commits.len())
    }
}

impl Spy {
    pub async fn world(configure: impl FnOnce(Builder) -> Builder) -> (World, Arc<Self>) {
        let inner = Arc::new(MemoryStore::new());
        let spy = Arc::new(Self {
            inner: Arc::clone(&inner),
            loads: Mutex::default(),
            commits: Mutex::default(),
            fault: Mutex::default(),
        });
        let world = World::over(Arc::clone(&spy) as Arc<dyn Store>, inner, configure).await;
        spy.work();
        (world, spy)
    }

    /// What was asked since the last time.
    pub fn work(&self) -> Work {
        Work {
            loads: std::mem::take(&mut *self.loads.lock().unwrap()),
            commits: std::mem::take(&mut *self.commits.lock().unwrap()),
        }
    }

    /// The next commit fails so.
    pub fn fail_next(&self, fault: Fault) {
        *self.fault.lock().unwrap() = Some(fault);
    }
}

#[async_trait]
impl Store for Spy {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Loaded>>, StoreError> {
        self.loads.lock().unwrap().push(keys.to_vec());
        self.inner.load(keys).await
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        self.commits.lock().unwrap().push(commit.clone());
        let fault = self.fault.lock().unwrap().take();
        match fault {
            None => self.inner.commit(commit).await,
            Some(Fault::InDoubtAndLost) => Err(StoreError::InDoubt("the line went dead".into())),
            Some(Fault::InDoubtAndApplied) => {
                assert_eq!(self.inner.commit(commit).await?, Committed::Applied);
                Err(StoreError::InDoubt("the line went dead".into()))
            }
        }
    }

    async fn list(&self, query: &Query, page: &Page) -> Result<Listing, StoreError> {
        self.inner.list(query, page).await
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        self.inner.purge(before, limit).await
    }

    fn durability(&self) -> Durability {
        self.inner.durability()
    }
}
