//! The reference store passes the kit.

use std::collections::HashSet;

use grantor::store::kit::{self, Fixture, ProcessRace, Task};

use super::fixture::InMemory;

#[test]
fn the_memory_store_passes_every_check() {
    let report = kit::run(&InMemory::behind(|store| store));
    report.assert();
}

#[test]
fn no_two_checks_share_a_name() {
    let mut names = HashSet::new();
    for check in kit::checks() {
        assert!(names.insert(check.name()), "two checks are called {}", check.name());
    }
}

/// A store on a runtime of its own, driven by that from threads that the kit starts.
struct OnTokio<F> {
    inner: F,
    runtime: tokio::runtime::Runtime,
}

impl<F: Fixture> Fixture for OnTokio<F> {
    fn reset(&self) {
        self.inner.reset();
    }

    fn open(&self) -> std::sync::Arc<dyn grantor::store::Store> {
        self.inner.open()
    }

    fn drive(&self, task: Task<'_>) {
        self.runtime.block_on(task);
    }
}

#[test]
fn the_kit_runs_on_a_runtime_too() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    kit::run(&OnTokio { inner: InMemory::behind(|store| store), runtime }).assert();
}

#[test]
fn two_processes_race_and_agree_on_who_won() {
    let fixture = InMemory::behind(|store| store);
    let race = ProcessRace { workers: 2, rounds: 50 };
    race.prepare(&fixture).unwrap();
    // Threads stand in for processes: each opens the database for itself, and they meet nowhere but there.
    std::thread::scope(|scope| {
        let fixture = &fixture;
        let workers = [0, 1].map(|me| scope.spawn(move || race.take_part(fixture, me)));
        for worker in workers {
            worker.join().unwrap().unwrap();
        }
    });
    race.verify(&fixture).unwrap();
}

#[test]
fn a_process_that_gives_up_is_not_waited_for() {
    let fixture = InMemory::behind(|store| store);
    let race = ProcessRace { workers: 2, rounds: 1 };
    race.prepare(&fixture).unwrap();
    // Two that claim to be the first: one is refused and gives up, and the other need not wait for a second that never
    // comes.
    std::thread::scope(|scope| {
        let fixture = &fixture;
        let workers = [0, 0].map(|me| scope.spawn(move || race.take_part(fixture, me)));
        for worker in workers {
            worker.join().unwrap().unwrap_err();
        }
    });
    race.verify(&fixture).unwrap_err();
}
