//! Records to try.

use std::sync::Arc;

use grantor::clock::Timestamp;
use grantor::store::{Commit, Key, Kind, Partition, Payload, Record, State, Tenant, Write};

pub(crate) const TENANT: Tenant = Tenant([1; 16]);
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_767_225_600);

pub(crate) fn key(kind: Kind, number: u64) -> Key {
    let mut id = [0; 32];
    // Spread, as a digest would be.
    id[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    id[24..].copy_from_slice(&number.to_be_bytes());
    Key { partition: Partition(7), kind, id }
}

pub(crate) fn record(kind: Kind, number: u64, payload: usize) -> Record {
    Record {
        key: key(kind, number),
        tenant: TENANT,
        revision: 1,
        state: State::Live,
        epoch: 0,
        parent: None,
        owner: None,
        labels: None,
        created_at: NOW,
        expires_at: NOW,
        purge_after: NOW,
        used: None,
        payload: Payload::new(vec![7; payload]),
    }
}

pub(crate) fn commit(writes: impl IntoIterator<Item = Write>) -> Commit {
    let writes = writes.into_iter().collect();
    Commit { tenant: TENANT, partition: Partition(7), at: NOW, conditions: Vec::new(), writes, events: Vec::new() }
}

pub(crate) fn insert(record: Record) -> Commit {
    commit([Write::Insert(Arc::new(record))])
}

/// Two records that come together or not at all.
pub(crate) fn pair(number: u64, payload: usize) -> Commit {
    let both = [Kind::GRANT, Kind::ACCESS_TOKEN].map(|kind| record(kind, number, payload));
    commit(both.map(|record| Write::Insert(record.into())))
}

pub(crate) fn keys(number: u64) -> [Key; 2] {
    [Kind::GRANT, Kind::ACCESS_TOKEN].map(|kind| key(kind, number))
}
