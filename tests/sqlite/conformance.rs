//! The kit, in one process and in several.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use grantor::clock::SystemClock;
use grantor::secret::SecretBytes;
use grantor::store::kit::{self, Fixture, ProcessRace};
use grantor::store::{
    CacheOptions, CachingStore, Durability, EncryptingStore, KeyRing, SqliteOptions, SqliteReads, SqliteStore, Store,
};

use super::child;
use super::database::{Directory, Files, Shared, open, wait};

#[test]
fn the_store_passes_every_check() {
    kit::run(&Files::new(SqliteOptions::new())).assert();
}

#[test]
fn the_store_passes_every_check_with_all_reads_on_one_thread_and_events_kept() {
    kit::run(&Files::new(SqliteOptions::new().reads(SqliteReads::OnThreads).readers(1).keep_events())).assert();
}

/// Files behind something that is put in front of each handle.
struct Behind<F> {
    files: Files,
    wrap: F,
}

impl<F: Fn(Arc<dyn Store>) -> Arc<dyn Store> + Sync> Fixture for Behind<F> {
    fn reset(&self) {
        self.files.reset();
    }

    fn open(&self) -> Arc<dyn Store> {
        (self.wrap)(self.files.open())
    }
}

fn sealed(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    Arc::new(EncryptingStore::new(inner, KeyRing::new(1, SecretBytes::new([9; 32]))))
}

fn cached(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    Arc::new(CachingStore::new(inner, Arc::new(SystemClock), CacheOptions::default()))
}

#[test]
fn the_store_behind_encryption_passes_every_check() {
    kit::run(&Behind { files: Files::new(SqliteOptions::new()), wrap: sealed }).assert();
}

#[test]
fn the_store_behind_a_cache_and_encryption_passes_every_check() {
    kit::run(&Behind { files: Files::new(SqliteOptions::new()), wrap: |store| cached(sealed(store)) }).assert();
}

/// Handles that keep what they have seen for an hour: one for each database, since another may trail by that.
struct Remembering {
    files: Files,
    handle: Mutex<Option<Arc<dyn Store>>>,
}

impl Fixture for Remembering {
    fn reset(&self) {
        *self.handle.lock().unwrap() = None;
        self.files.reset();
    }

    fn open(&self) -> Arc<dyn Store> {
        let hour = Duration::from_secs(3_600);
        let options = CacheOptions { clients_for: hour, tokens_for: hour, ..CacheOptions::default() };
        let open = || Arc::new(CachingStore::new(self.files.open(), Arc::new(SystemClock), options)) as Arc<dyn Store>;
        Arc::clone(self.handle.lock().unwrap().get_or_insert_with(open))
    }
}

#[test]
fn the_store_behind_a_cache_that_keeps_for_an_hour_passes_every_check_through_one_handle() {
    kit::run(&Remembering { files: Files::new(SqliteOptions::new()), handle: Mutex::default() }).assert();
}

/// A database in memory has one handle; the checks that want two get it twice.
struct InMemory(Mutex<Arc<SqliteStore>>);

fn in_memory() -> Arc<SqliteStore> {
    Arc::new(wait(SqliteStore::open_in_memory()).unwrap())
}

impl Fixture for InMemory {
    fn reset(&self) {
        *self.0.lock().unwrap() = in_memory();
    }

    fn open(&self) -> Arc<dyn Store> {
        Arc::clone(&self.0.lock().unwrap()) as _
    }
}

#[test]
fn the_store_in_memory_passes_every_check() {
    kit::run(&InMemory(Mutex::new(in_memory()))).assert();
}

#[test]
fn a_store_tells_the_truth_about_what_it_keeps() {
    let directory = Directory::new();
    assert_eq!(open(&directory.file()).durability(), Durability::Durable);
    let weak = wait(SqliteStore::options().danger_synchronous_normal().open(directory.file())).unwrap();
    assert_eq!(weak.durability(), Durability::Weak);
    assert_eq!(in_memory().durability(), Durability::Volatile);
}

const RACE: ProcessRace = ProcessRace { workers: 3, rounds: 100 };

#[test]
fn processes_race_and_agree_on_who_won() {
    let directory = Directory::new();
    let shared = Shared(directory.file());
    RACE.prepare(&shared).unwrap();
    let children: Vec<_> = (0..RACE.workers).map(|me| child::start("race", &shared.0, me)).collect();
    children.into_iter().for_each(child::join);
    RACE.verify(&shared).unwrap();
}

pub(crate) fn take_part(file: PathBuf, me: u32) {
    RACE.take_part(&Shared(file), me).unwrap();
}
