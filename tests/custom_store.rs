//! The example of a store that somebody else wrote passes the kit, and its file outlives what happens to files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

#[path = "../examples/custom_store.rs"]
#[allow(dead_code, reason = "an example has a `main` of its own")]
mod custom_store;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use custom_store::FileStore;
use grantor::clock::Timestamp;
use grantor::store::kit::{self, Fixture};
use grantor::store::{
    Commit, Committed, Condition, Durability, Key, Kind, Loaded, Partition, Payload, Record, State, Store, Tenant,
    Write,
};

/// A directory that goes with the value.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("grantor-custom-store-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("auth.jsonl")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// One process, one handle: the file belongs to whoever has opened it.
struct Files(Mutex<(Directory, Arc<FileStore>)>);

fn new_file() -> (Directory, Arc<FileStore>) {
    let directory = Directory::new();
    let store = Arc::new(FileStore::open(directory.file()).unwrap());
    (directory, store)
}

impl Fixture for Files {
    fn reset(&self) {
        *self.0.lock().unwrap() = new_file();
    }

    fn open(&self) -> Arc<dyn Store> {
        Arc::clone(&self.0.lock().unwrap().1) as _
    }
}

#[test]
fn a_store_written_from_the_page_passes_the_kit() {
    kit::run(&Files(Mutex::new(new_file()))).assert();
}

fn record(number: u8) -> Record {
    Record {
        key: Key { partition: Partition(7), kind: Kind::GRANT, id: [number; 32] },
        tenant: Tenant([1; 16]),
        revision: 1,
        state: State::Live,
        epoch: u64::MAX,
        parent: None,
        owner: None,
        labels: None,
        created_at: Timestamp::from_secs(1),
        expires_at: Timestamp::NEVER,
        purge_after: Timestamp::from_secs(100),
        used: None,
        payload: Payload::new(*b"\0\xff"),
    }
}

async fn apply(store: &FileStore, writes: Vec<Write>) {
    let commit = Commit {
        tenant: Tenant([1; 16]),
        partition: Partition(7),
        at: Timestamp::from_secs(2),
        conditions: Vec::new(),
        writes,
        events: Vec::new(),
    };
    assert_eq!(store.commit(&commit).await.unwrap(), Committed::Applied);
}

async fn find(store: &FileStore, number: u8) -> Option<Record> {
    let found = store.load(&[record(number).key]).await.unwrap().pop().flatten();
    found.map(|Loaded { record, .. }| Record::clone(&record))
}

#[tokio::test]
async fn everything_is_there_after_the_file_was_opened_again() {
    let directory = Directory::new();
    let store = FileStore::open(directory.file()).unwrap();
    assert_eq!(store.durability(), Durability::Durable);
    apply(&store, (1..=4).map(|number| Write::Insert(record(number).into())).collect()).await;
    let key = record(2).key;
    let spent = Write::Use { key, at: Timestamp::from_secs(3), answer: [9; 5].into(), purge_after: Timestamp::NEVER };
    apply(&store, vec![spent, Write::SetState { key: record(3).key, state: State::Revoked }]).await;
    apply(&store, vec![Write::Delete(record(4).key)]).await;
    let before = [find(&store, 1).await, find(&store, 2).await, find(&store, 3).await, find(&store, 4).await];
    assert_eq!(before[3], None);
    assert_eq!(store.purge(Timestamp::from_secs(50), 10).await.unwrap().removed, 0);
    drop(store);
    for _ in 0..2 {
        let store = FileStore::open(directory.file()).unwrap();
        assert_eq!(
            before,
            [find(&store, 1).await, find(&store, 2).await, find(&store, 3).await, find(&store, 4).await]
        );
    }
    let store = FileStore::open(directory.file()).unwrap();
    assert_eq!(store.purge(Timestamp::from_secs(101), 10).await.unwrap().removed, 2);
    drop(store);
    let store = FileStore::open(directory.file()).unwrap();
    assert_eq!([find(&store, 1).await.is_some(), find(&store, 2).await.is_some()], [false, true]);
}

#[tokio::test]
async fn a_last_line_that_is_torn_anywhere_is_dropped_and_nothing_else_is() {
    let directory = Directory::new();
    let store = FileStore::open(directory.file()).unwrap();
    apply(&store, vec![Write::Insert(record(1).into())]).await;
    let whole = std::fs::read(directory.file()).unwrap().len();
    apply(&store, vec![Write::Insert(record(2).into()), Write::Delete(record(1).key)]).await;
    drop(store);
    let bytes = std::fs::read(directory.file()).unwrap();
    for length in whole..bytes.len() {
        std::fs::write(directory.file(), &bytes[..length]).unwrap();
        let store = FileStore::open(directory.file()).unwrap();
        // All of the last commit is gone, and all of the one before it is there.
        assert_eq!([find(&store, 1).await.is_some(), find(&store, 2).await.is_some()], [true, false], "{length}");
    }
}

#[tokio::test]
async fn a_line_that_is_damaged_in_the_middle_is_no_reason_to_forget() {
    let directory = Directory::new();
    let store = FileStore::open(directory.file()).unwrap();
    apply(&store, vec![Write::Insert(record(1).into())]).await;
    apply(&store, vec![Write::Insert(record(2).into())]).await;
    drop(store);
    let mut bytes = std::fs::read(directory.file()).unwrap();
    bytes[20] ^= 1;
    std::fs::write(directory.file(), &bytes).unwrap();
    let error = FileStore::open(directory.file()).err().unwrap();
    assert!(error.to_string().contains("line 1"), "{error}");
    assert_eq!(std::fs::read(directory.file()).unwrap(), bytes, "what could not be read is left alone");
}

#[test]
fn a_file_in_use_cannot_be_opened_again() {
    let directory = Directory::new();
    let store = FileStore::open(directory.file()).unwrap();
    assert!(FileStore::open(directory.file()).is_err());
    drop(store);
    assert!(FileStore::open(directory.file()).is_ok());
}

#[tokio::test]
async fn a_refused_commit_writes_nothing_to_the_file() {
    let directory = Directory::new();
    let store = FileStore::open(directory.file()).unwrap();
    apply(&store, vec![Write::Insert(record(1).into())]).await;
    let before = std::fs::read(directory.file()).unwrap();
    let commit = Commit {
        tenant: Tenant([1; 16]),
        partition: Partition(7),
        at: Timestamp::from_secs(2),
        conditions: vec![Condition::Unchanged { key: record(1).key, revision: 2 }],
        writes: vec![Write::Delete(record(1).key)],
        events: Vec::new(),
    };
    assert!(matches!(store.commit(&commit).await.unwrap(), Committed::Refused(_)));
    assert_eq!(std::fs::read(directory.file()).unwrap(), before);
}
