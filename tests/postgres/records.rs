//! Records, commits and events to try.

use std::sync::{Arc, Mutex};

use grantor::AuthorizationServer;
use grantor::client::ClientMetadata;
use grantor::clock::Timestamp;
use grantor::event::Event;
use grantor::manage::Registration;
use grantor::store::{
    Commit, Committed, Condition, Key, Kind, MemoryStore, Partition, PostgresStore, Record, State, Store, Tenant, Write,
};

pub const TENANT: Tenant = Tenant([0xa5; 16]);
pub const HOME: Partition = Partition(0x1234);
pub const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

pub fn key(kind: Kind, number: u64) -> Key {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    id[24..].copy_from_slice(&number.to_be_bytes());
    Key { partition: HOME, kind, id }
}

pub fn record(key: Key) -> Record {
    Record {
        key,
        tenant: TENANT,
        revision: 1,
        state: State::Live,
        epoch: 0,
        parent: None,
        owner: None,
        labels: None,
        created_at: NOW,
        expires_at: Timestamp::NEVER,
        purge_after: Timestamp::NEVER,
        used: None,
        payload: grantor::store::Payload::default(),
    }
}

pub fn token(number: u64) -> Record {
    record(key(Kind::ACCESS_TOKEN, number))
}

pub fn grant(number: u64) -> Record {
    record(key(Kind::GRANT, number))
}

pub fn commit(conditions: Vec<Condition>, writes: Vec<Write>) -> Commit {
    Commit { tenant: TENANT, partition: HOME, at: NOW, conditions, writes, events: Vec::new() }
}

pub fn insert(record: Record) -> Commit {
    commit(Vec::new(), vec![Write::Insert(Arc::new(record))])
}

pub fn spend(key: Key) -> Write {
    Write::Use { key, at: NOW, answer: Box::default(), purge_after: Timestamp::NEVER }
}

/// Commits what must be applied.
pub async fn apply(store: &PostgresStore, commit: &Commit) {
    assert_eq!(store.commit(commit).await.unwrap(), Committed::Applied);
}

pub async fn find(store: &PostgresStore, key: Key) -> Option<Arc<Record>> {
    store.load(&[key]).await.unwrap().pop().unwrap().map(|loaded| loaded.record)
}

/// An event that says this number, as its moment. Only a server can make one.
pub async fn event(number: i64) -> Event {
    let events: Arc<Mutex<Vec<Event>>> = Arc::default();
    let observed = Arc::clone(&events);
    let server = AuthorizationServer::builder("https://auth.example.com")
        .shared_store(Arc::new(MemoryStore::new()) as Arc<dyn Store>)
        .secret([7; 32])
        .observer(move |event: &Event| observed.lock().unwrap().push(event.clone()))
        .default_scope("read", "Read your data")
        .build()
        .unwrap();
    let metadata = ClientMetadata {
        redirect_uris: vec!["https://app.example/cb".into()],
        scope: "read".parse().unwrap(),
        ..ClientMetadata::default()
    };
    let registration = Registration { metadata, client_id: Some("web".into()), client_secret: None };
    server.clients().register(registration).await.unwrap();
    let mut event = events.lock().unwrap().pop().unwrap();
    event.at = Timestamp::from_millis(number);
    event
}
