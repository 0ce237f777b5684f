//! What the tests of wrappers put into a store, and how they ask for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use grantor::clock::Timestamp;
use grantor::store::{
    Commit, Committed, Condition, Durability, Key, Kind, Labels, Link, Listing, Loaded, MemoryStore, Owner, Page,
    Partition, Payload, Purged, Query, Record, ScanCursor, Scanned, State, Store, StoreError, Tenant, Used, Write,
};

use super::broken::yield_once;
use super::memory::now;

pub(crate) const START: Timestamp = Timestamp::from_secs(1_700_000_000);
pub(crate) const HOME: Partition = Partition(7);
pub(crate) const ELSEWHERE: Partition = Partition(8);

pub(crate) fn key(partition: Partition, kind: Kind, number: u8) -> Key {
    Key { partition, kind, id: [number; 32] }
}

pub(crate) fn record(key: Key, payload: &str) -> Record {
    Record {
        key,
        tenant: Tenant([1; 16]),
        revision: 1,
        state: State::Live,
        epoch: 0,
        parent: None,
        owner: None,
        labels: None,
        created_at: START,
        expires_at: Timestamp::NEVER,
        purge_after: Timestamp::NEVER,
        used: None,
        payload: Payload::new(payload.as_bytes()),
    }
}

/// Three tokens of a grant, with a client elsewhere and a subject of whom nothing has been said.
pub(crate) struct Family {
    pub(crate) client: Record,
    pub(crate) subject: Record,
    pub(crate) grant: Record,
    pub(crate) tokens: [Record; 3],
    pub(crate) code: Record,
}

pub(crate) fn family() -> Family {
    let link = |key| Link { key, epoch: 0 };
    let labels = Box::new(Labels { name: "Web".into(), public_id: "web".into(), class: "none".into() });
    let client = Record { labels: Some(labels), ..record(key(ELSEWHERE, Kind::CLIENT, 1), "secrets of the client") };
    let subject = record(key(HOME, Kind::SUBJECT, 2), "what was said of alice");
    let owner = Owner { client: link(client.key), subject: Some(link(subject.key)) };
    let grant = Record { owner: Some(Arc::new(owner)), ..record(key(HOME, Kind::GRANT, 3), "alice and her scope") };
    let under = |record: Record| Record { parent: Some(link(grant.key)), ..record };
    let tokens = [4, 5, 6].map(|number| under(record(key(HOME, Kind::ACCESS_TOKEN, number), "read write")));
    let used = Some(Box::new(Used { at: START, answer: Box::new(*b"a kept answer") }));
    let code = Record { used, ..under(record(key(HOME, Kind::CODE, 7), "challenge of the code")) };
    Family { client, subject, grant, tokens, code }
}

impl Family {
    /// All but what is said of the subject, which may come later.
    pub(crate) fn settle_in(&self, store: &dyn Store) {
        for record in [&self.client, &self.grant, &self.code].into_iter().chain(&self.tokens) {
            applied(store, Write::Insert(Arc::new(record.clone())));
        }
    }
}

pub(crate) fn commit(conditions: Vec<Condition>, writes: Vec<Write>) -> Commit {
    let first = conditions.first().map(Condition::key).or_else(|| writes.first().map(Write::key));
    let partition = first.unwrap().partition;
    Commit { tenant: Tenant([1; 16]), partition, at: START, conditions, writes, events: Vec::new() }
}

#[track_caller]
pub(crate) fn applied(store: &dyn Store, write: Write) {
    assert_eq!(now(store.commit(&commit(Vec::new(), vec![write]))).unwrap(), Committed::Applied);
}

pub(crate) fn set(key: Key, state: State) -> Write {
    Write::SetState { key, state }
}

#[track_caller]
pub(crate) fn load(store: &dyn Store, key: Key) -> Option<Loaded> {
    now(store.load(&[key])).unwrap().pop().flatten()
}

/// A store in memory that counts how many keys it is asked for.
#[derive(Default)]
pub(crate) struct Counting {
    pub(crate) memory: Arc<MemoryStore>,
    asked: Mutex<usize>,
    /// Whether a load that has read is pending once before it answers.
    pub(crate) pauses: AtomicBool,
}

impl Counting {
    /// How many keys were asked for since the last question.
    pub(crate) fn asked(&self) -> usize {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

#[async_trait]
impl Store for Counting {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Loaded>>, StoreError> {
        *self.asked.lock().unwrap() += keys.len();
        let found = self.memory.load(keys).await;
        if self.pauses.load(Ordering::SeqCst) {
            yield_once().await;
        }
        found
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        if self.pauses.load(Ordering::SeqCst) {
            yield_once().await;
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
