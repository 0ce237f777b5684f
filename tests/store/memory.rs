//! What the reference store promises beyond the contract: never to wait, to stay within bounds, and to forget on its
//! own.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use grantor::clock::Timestamp;
use grantor::store::{
    Commit, Committed, Failed, Key, Kind, MemoryStore, Partition, Payload, Purged, Record, State, Store, StoreError,
    Tenant, Write,
};

/// What a future of the reference store yields: it never waits, so it is asked once.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the reference store waited"),
    }
}

const START: Timestamp = Timestamp::from_secs(1_700_000_000);
const HOUR: Duration = Duration::from_secs(3_600);

fn record(partition: u16, number: u32, purge_after: Timestamp) -> Record {
    let mut id = [0; 32];
    // Spread over the head, as a digest would be.
    id[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b1).to_be_bytes());
    id[28..].copy_from_slice(&number.to_be_bytes());
    Record {
        key: Key { partition: Partition(partition), kind: Kind::ACCESS_TOKEN, id },
        tenant: Tenant([1; 16]),
        revision: 1,
        state: State::Live,
        epoch: 0,
        parent: None,
        owner: None,
        labels: None,
        created_at: START,
        expires_at: purge_after,
        purge_after,
        used: None,
        payload: Payload::default(),
    }
}

fn commit(partition: u16, at: Timestamp, writes: Vec<Write>) -> Commit {
    Commit {
        tenant: Tenant([1; 16]),
        partition: Partition(partition),
        at,
        conditions: Vec::new(),
        writes,
        events: Vec::new(),
    }
}

fn insert(store: &MemoryStore, record: Record) {
    let insert = commit(record.key.partition.0, START, vec![Write::Insert(Arc::new(record))]);
    assert_eq!(now(store.commit(&insert)).unwrap(), Committed::Applied);
}

#[test]
fn a_full_store_is_unavailable_and_changes_nothing() {
    let store = MemoryStore::with_capacity_limit(3);
    for number in 1..=2 {
        insert(&store, record(7, number, Timestamp::NEVER));
    }
    let before = store.snapshot();
    let two = |a, b| {
        let writes = [a, b].map(|number| Write::Insert(record(7, number, Timestamp::NEVER).into()));
        commit(7, START, writes.to_vec())
    };
    assert!(matches!(now(store.commit(&two(3, 4))), Err(StoreError::Unavailable(_))));
    assert_eq!(store.snapshot(), before);
    // A commit that would be refused anyway is refused: that is the better answer.
    assert_eq!(now(store.commit(&two(3, 1))).unwrap(), Committed::Refused(Failed::Write(1)));
    insert(&store, record(7, 3, Timestamp::NEVER));
    assert_eq!(store.len(), 3);
}

#[test]
fn a_full_store_still_changes_and_removes_what_it_has() {
    let store = MemoryStore::with_capacity_limit(1);
    let held = record(7, 1, Timestamp::NEVER);
    let (key, other) = (held.key, record(7, 2, Timestamp::NEVER));
    insert(&store, held.clone());
    let writes = vec![
        Write::SetState { key, state: State::Revoked },
        Write::Replace(held.into()),
        Write::Use { key, at: START, answer: Box::default(), purge_after: Timestamp::NEVER },
    ];
    assert_eq!(now(store.commit(&commit(7, START, writes))).unwrap(), Committed::Applied);
    // One goes and one comes: no more than before.
    let writes = vec![Write::Insert(other.into()), Write::Delete(key)];
    assert_eq!(now(store.commit(&commit(7, START, writes))).unwrap(), Committed::Applied);
    assert_eq!(store.len(), 1);
}

#[test]
fn a_full_store_makes_room_by_forgetting_what_is_due_anywhere() {
    let store = MemoryStore::with_capacity_limit(20);
    for number in 0..20 {
        insert(&store, record(9, number, START.after(HOUR)));
    }
    let writes: Vec<Write> =
        (100..120).map(|number| Write::Insert(record(7, number, Timestamp::NEVER).into())).collect();
    let early = commit(7, START.after(HOUR), writes.clone());
    assert!(matches!(now(store.commit(&early)), Err(StoreError::Unavailable(_))));
    let late = commit(7, START.after(HOUR * 2), writes);
    assert_eq!(now(store.commit(&late)).unwrap(), Committed::Applied);
    assert_eq!(store.len(), 20);
}

#[test]
fn a_store_in_use_forgets_what_is_due_without_being_asked() {
    let store = MemoryStore::new();
    for number in 0..1_000 {
        insert(&store, record(7, number, START.after(Duration::from_secs(u64::from(number)))));
    }
    let kept = record(7, 5_000, Timestamp::NEVER);
    let key = kept.key;
    insert(&store, kept);
    // Eight at a time, whatever the commit does; all but the one that is kept.
    for round in 1..=125 {
        let touch = commit(7, START.after(HOUR), vec![Write::SetState { key, state: State::Live }]);
        assert_eq!(now(store.commit(&touch)).unwrap(), Committed::Applied);
        assert_eq!(store.len(), 1_001 - 8 * round);
    }
    assert_eq!(store.snapshot().iter().map(|record| record.key).collect::<Vec<_>>(), [key]);
}

#[test]
fn a_store_that_is_written_to_as_fast_as_it_expires_does_not_grow() {
    let store = MemoryStore::new();
    for number in 0..20_000_u32 {
        let at = START.after(Duration::from_secs(u64::from(number)));
        let token = record(7, number, at.after(HOUR));
        let insert = commit(7, at, vec![Write::Insert(token.into())]);
        assert_eq!(now(store.commit(&insert)).unwrap(), Committed::Applied);
        // An hour's worth, and what trails by a bucket of the queue.
        assert!(store.len() <= 3_600 + 140, "{} records after {number}", store.len());
    }
}

#[test]
fn a_refused_commit_forgets_nothing() {
    let store = MemoryStore::new();
    insert(&store, record(7, 1, START));
    let before = store.snapshot();
    let refused = commit(7, START.after(HOUR), vec![Write::Delete(record(7, 2, START).key)]);
    assert_eq!(now(store.commit(&refused)).unwrap(), Committed::Refused(Failed::Write(0)));
    assert_eq!(store.snapshot(), before);
}

#[test]
fn a_purge_of_a_store_at_rest_takes_the_count_back_to_the_start() {
    let store = MemoryStore::new();
    assert!(store.is_empty());
    for number in 0..5_000_u16 {
        let partition = number.wrapping_mul(13);
        insert(&store, record(partition, u32::from(number), START.after(Duration::from_secs(u64::from(number % 600)))));
    }
    let (mut removed, mut calls) = (0, 0);
    loop {
        let Purged { removed: some, more } = now(store.purge(START.after(HOUR), 300)).unwrap();
        assert!(some <= 300);
        (removed, calls) = (removed + some, calls + 1);
        if !more {
            break;
        }
    }
    assert_eq!((removed, calls), (5_000, 17));
    assert!(store.is_empty() && store.snapshot().is_empty());
}

#[test]
fn what_was_loaded_stays_as_it_was() {
    let store = MemoryStore::new();
    let held = record(7, 1, Timestamp::NEVER);
    let key = held.key;
    insert(&store, held.clone());
    let loaded = now(store.load(&[key])).unwrap().pop().flatten().unwrap();
    let writes = vec![Write::SetState { key, state: State::Revoked }, Write::Delete(key)];
    assert_eq!(now(store.commit(&commit(7, START, writes))).unwrap(), Committed::Applied);
    assert_eq!(*loaded.record, held);
}

#[test]
fn a_record_that_needs_no_change_is_shared_and_not_copied() {
    let store = MemoryStore::new();
    let held = Arc::new(record(7, 1, Timestamp::NEVER));
    let insert = commit(7, START, vec![Write::Insert(Arc::clone(&held))]);
    assert_eq!(now(store.commit(&insert)).unwrap(), Committed::Applied);
    let loaded = now(store.load(&[held.key])).unwrap().pop().flatten().unwrap();
    assert!(Arc::ptr_eq(&loaded.record, &held));
}
