//! The kit, in one process and in several.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use grantor::store::kit::{self, Fixture, ProcessRace};
use grantor::store::{Durability, SqliteOptions, SqliteReads, SqliteStore, Store};

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
