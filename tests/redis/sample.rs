//! Records and commits to try.

use std::sync::Arc;

use grantor::clock::Timestamp;
use grantor::store::{
    Commit, Committed, Condition, Key, Kind, Labels, Link, Owner, Partition, Payload, Record, RedisStore, State, Store,
    StoreError, Tenant, Write,
};

use super::server::wait;

pub(crate) const TENANT: Tenant = Tenant([7; 16]);
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_767_225_600);

/// A key whose partition is the number, as far as that goes.
pub(crate) fn key(kind: Kind, partition: u16, number: u64) -> Key {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    id[24..].copy_from_slice(&number.to_be_bytes());
    Key { partition: Partition(partition), kind, id }
}

pub(crate) fn record(key: Key) -> Record {
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
        payload: Payload::new(*b"payload"),
    }
}

pub(crate) fn token(partition: u16, number: u64) -> Record {
    record(key(Kind::ACCESS_TOKEN, partition, number))
}

/// A grant of a client that lives in another partition, to a subject in its own.
pub(crate) fn grant(partition: u16, number: u64, client: Key) -> Record {
    let link = |key| Link { key, epoch: 0 };
    let owner = Owner { client: link(client), subject: Some(link(key(Kind::SUBJECT, partition, 1))) };
    Record { owner: Some(Arc::new(owner)), ..record(key(Kind::GRANT, partition, number)) }
}

pub(crate) fn client(partition: u16, number: u64) -> Record {
    let labels =
        Labels { name: format!("client {number}"), public_id: format!("client-{number}"), class: "basic".into() };
    Record { labels: Some(Box::new(labels)), ..record(key(Kind::CLIENT, partition, number)) }
}

pub(crate) fn commit(partition: u16, conditions: Vec<Condition>, writes: Vec<Write>) -> Commit {
    Commit { tenant: TENANT, partition: Partition(partition), at: NOW, conditions, writes, events: Vec::new() }
}

pub(crate) fn insert(record: &Record) -> Commit {
    commit(record.key.partition.0, Vec::new(), vec![Write::Insert(Arc::new(record.clone()))])
}

pub(crate) fn revoke(key: Key) -> Commit {
    commit(key.partition.0, Vec::new(), vec![Write::SetState { key, state: State::Revoked }])
}

pub(crate) fn put(store: &RedisStore, commit: &Commit) {
    assert_eq!(wait(store.commit(commit)).unwrap(), Committed::Applied);
}

pub(crate) fn find(store: &RedisStore, key: Key) -> Result<Option<Arc<Record>>, StoreError> {
    Ok(wait(store.load(&[key]))?.pop().unwrap().map(|loaded| loaded.record))
}

/// Expects a call to have failed in this way.
macro_rules! assert_fails {
    ($result:expr, $how:ident) => {{
        let result = $result;
        assert!(matches!(result, Err(StoreError::$how(_))), "{result:?}");
    }};
}
pub(crate) use assert_fails;
