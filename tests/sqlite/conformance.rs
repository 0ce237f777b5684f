//! The kit, in one process and in several.

use std::path::PathBuf;

use grantor::store::kit::{self, ProcessRace};
use grantor::store::{SqliteOptions, SqliteReads};

use super::child;
use super::database::{Directory, Files, Shared};

#[test]
fn the_store_passes_every_check() {
    kit::run(&Files::new(SqliteOptions::new())).assert();
}

#[test]
fn the_store_passes_every_check_with_all_reads_on_threads_and_events_kept() {
    kit::run(&Files::new(SqliteOptions::new().reads(SqliteReads::OnThreads).readers(1).keep_events())).assert();
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
