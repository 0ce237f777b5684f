//! Records, keys and commits to try.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::clock::Timestamp;
use crate::store::{Key, Kind, Labels, Link, Owner, Partition, Payload, Record, State, Tenant, Used, Write};

/// The partition in which most checks play.
pub(super) const HOME: Partition = Partition(0x1234);
/// Another partition, in which clients live.
pub(super) const ELSEWHERE: Partition = Partition(0xfedc);
/// The server that most records belong to.
pub(super) const TENANT: Tenant = Tenant([0xa5; 16]);
/// Another server.
pub(super) const OTHER_TENANT: Tenant = Tenant([0x5a; 16]);
/// When everything happens: 2023-11-14T22:13:20Z.
pub(super) const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

/// A moment `seconds` after (before, where negative) [`NOW`].
pub(super) fn later(seconds: i64) -> Timestamp {
    Timestamp::from_secs(NOW.as_secs().saturating_add(seconds))
}

/// The key of the `number`th record of a kind: a digest, as every key is.
pub(super) fn key_in(partition: Partition, kind: Kind, number: u64) -> Key {
    let mut hash = Sha256::new();
    hash.update([kind.0]);
    hash.update(number.to_be_bytes());
    Key { partition, kind, id: hash.finalize().into() }
}

pub(super) fn key(kind: Kind, number: u64) -> Key {
    key_in(HOME, kind, number)
}

/// An ordinary record, as it is found after it was inserted.
pub(super) fn record(key: Key) -> Record {
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
        expires_at: later(3_600),
        purge_after: later(86_400),
        used: None,
        payload: Payload::new(*b"payload"),
    }
}

pub(super) fn token(number: u64) -> Record {
    record(key(Kind::ACCESS_TOKEN, number))
}

pub(super) fn grant(number: u64) -> Record {
    record(key(Kind::GRANT, number))
}

/// Until when what is spent is remembered: longer than it would have been otherwise.
pub(super) const REMEMBERED: Timestamp = Timestamp::from_secs(1_700_172_800);

/// Spends a record.
pub(super) fn spend(key: Key, at: Timestamp, answer: &[u8]) -> Write {
    Write::Use { key, at, answer: answer.into(), purge_after: REMEMBERED }
}

/// The record as it is after [`spend`].
pub(super) fn spent(record: Record, at: Timestamp, answer: &[u8]) -> Record {
    let used = Some(Box::new(Used { at, answer: answer.into() }));
    Record { used, purge_after: REMEMBERED, revision: record.revision.saturating_add(1), ..record }
}

pub(super) const fn link(key: Key, epoch: u64) -> Link {
    Link { key, epoch }
}

/// An owner: a client in another partition, and a subject in this one.
#[expect(clippy::unnecessary_wraps, reason = "the column is an option")]
pub(super) fn owner(client: Key, subject: Option<Key>) -> Option<Arc<Owner>> {
    Some(Arc::new(Owner { client: link(client, 0), subject: subject.map(|key| link(key, 0)) }))
}

#[expect(clippy::unnecessary_wraps, reason = "the column is an option")]
pub(super) fn labels(name: &str, public_id: &str, class: &str) -> Option<Box<Labels>> {
    Some(Box::new(Labels { name: name.into(), public_id: public_id.into(), class: class.into() }))
}

/// Every byte value, again and again: 64 KiB.
pub(super) fn every_byte() -> Vec<u8> {
    (0..=u8::MAX).cycle().take(65_536).collect()
}
