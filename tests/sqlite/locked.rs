//! Another process holds the lock, for a while or for too long.

use std::time::Duration;

use grantor::clock::Timestamp;
use grantor::store::{Committed, Purged, SqliteStore, Store as _, StoreError};
use rusqlite::Connection;

use super::database::{Directory, open, wait};
use super::records::{NOW, keys, pair};

#[test]
fn a_commit_waits_for_a_lock_that_is_given_back_and_loads_do_not() {
    let directory = Directory::new();
    let store = open(&directory.file());
    let _ = wait(store.commit(&pair(1, 10))).unwrap();
    let other = Connection::open(directory.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::thread::scope(|scope| {
        let committed = scope.spawn(|| wait(store.commit(&pair(2, 10))).unwrap());
        std::thread::sleep(Duration::from_millis(200));
        assert!(wait(store.load(&keys(1))).unwrap().iter().all(Option::is_some));
        assert!(!committed.is_finished());
        other.execute_batch("COMMIT").unwrap();
        assert_eq!(committed.join().unwrap(), Committed::Applied);
    });
}

#[test]
fn a_lock_that_is_not_given_back_makes_commits_unavailable_and_nothing_happens() {
    let directory = Directory::new();
    let store = wait(SqliteStore::options().busy_timeout(Duration::from_millis(50)).open(directory.file())).unwrap();
    let other = Connection::open(directory.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::thread::scope(|scope| {
        for number in 0..10 {
            let store = &store;
            scope.spawn(move || {
                let answer = wait(store.commit(&pair(number, 10)));
                assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
            });
        }
    });
    let purged = wait(store.purge(Timestamp::NEVER, 10));
    assert!(matches!(purged, Err(StoreError::Unavailable(_))), "{purged:?}");
    other.execute_batch("COMMIT").unwrap();
    for number in 0..10 {
        assert!(wait(store.load(&keys(number))).unwrap().iter().all(Option::is_none));
    }
    // And it goes on by itself.
    assert_eq!(wait(store.commit(&pair(3, 10))).unwrap(), Committed::Applied);
    let purged = wait(store.purge(NOW.after(Duration::from_millis(1)), 10)).unwrap();
    assert_eq!(purged, Purged { removed: 2, more: false });
}
