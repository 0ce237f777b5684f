//! A store that counts what it is asked, and fails when it is told to.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use grantor::Builder;
use grantor::clock::Timestamp;
use grantor::store::{
    Commit, Committed, Durability, Key, Listing, Loaded, MemoryStore, Page, Purged, Query, ScanCursor, Scanned, Store,
    StoreError,
};

use crate::harness::{Answer, World};

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
    meeting: Mutex<Option<(usize, Arc<tokio::sync::Barrier>)>>,
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
            meeting: Mutex::default(),
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

    /// Another node over this store.
    pub fn node(self: &Arc<Self>, world: &World, configure: impl FnOnce(Builder) -> Builder) -> World {
        World::node_over(Arc::clone(self) as _, Arc::clone(&self.inner), Arc::clone(&world.clock), configure)
    }

    /// The next `callers` commits wait for one another: whoever makes them has read, and nobody has written.
    pub fn meet(&self, callers: usize) {
        *self.meeting.lock().unwrap() = Some((callers, Arc::new(tokio::sync::Barrier::new(callers))));
    }

    /// The meeting that the commit at hand goes to.
    fn meeting(&self) -> Option<Arc<tokio::sync::Barrier>> {
        let mut meeting = self.meeting.lock().unwrap();
        let (left, barrier) = meeting.as_mut()?;
        *left -= 1;
        let barrier = Arc::clone(barrier);
        if *left == 0 {
            *meeting = None;
        }
        Some(barrier)
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
        if let Some(barrier) = self.meeting() {
            barrier.wait().await;
        }
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

    async fn scan(&self, after: Option<&ScanCursor>, limit: u32) -> Result<Scanned, StoreError> {
        self.inner.scan(after, limit).await
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        self.inner.purge(before, limit).await
    }

    fn durability(&self) -> Durability {
        self.inner.durability()
    }
}

/// Sends all of these at the same moment, alternately to each server, and waits for every answer.
pub async fn at_once(worlds: &[&World], requests: Vec<http::Request<String>>) -> Vec<Answer> {
    let mut tasks = Vec::new();
    for (number, request) in requests.into_iter().enumerate() {
        let server = worlds[number % worlds.len()].server.clone();
        tasks.push(tokio::spawn(async move {
            match server.handle(request).await {
                grantor::Outcome::Respond(response) => Answer::of(response),
                other => panic!("expected an answer, got {other:?}"),
            }
        }));
    }
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}
