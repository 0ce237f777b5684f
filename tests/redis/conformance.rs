//! The kit.

use std::sync::Arc;
use std::time::Duration;

use grantor::store::kit::{self, Fixture, ProcessRace, Task};
use grantor::store::{RedisOptions, Store};

use super::child;
use super::cluster::Cluster;
use super::server::{NO_FILE, Server, open, options, wait};

/// A server that is emptied for each check.
struct OneServer {
    server: Server,
    options: RedisOptions,
}

impl Fixture for OneServer {
    fn reset(&self) {
        assert_eq!(self.server.said(&["FLUSHALL"]), "OK");
    }

    fn open(&self) -> Arc<dyn Store> {
        Arc::new(wait(self.options.clone().open(self.server.url())).unwrap())
    }

    fn drive(&self, task: Task<'_>) {
        wait(task);
    }
}

#[test]
fn the_store_passes_every_check() {
    let server = Server::start(NO_FILE);
    kit::run(&OneServer { server, options: options() }).assert();
}

/// A Cluster that is emptied for each check.
struct SixNodes(Cluster);

impl Fixture for SixNodes {
    fn reset(&self) {
        self.0.masters().for_each(|master| assert_eq!(master.said(&["FLUSHALL"]), "OK"));
    }

    fn open(&self) -> Arc<dyn Store> {
        Arc::new(wait(options().open(self.0.url())).unwrap())
    }

    fn drive(&self, task: Task<'_>) {
        wait(task);
    }
}

#[test]
fn the_store_passes_every_check_in_a_cluster() {
    kit::run(&SixNodes(Cluster::start(NO_FILE))).assert();
}

#[test]
fn the_store_passes_every_check_with_events_kept_and_keys_that_expire() {
    let options = options().keep_events().expire_after(Duration::ZERO).prefix("another");
    kit::run(&OneServer { server: Server::start(NO_FILE), options }).assert();
}

const RACE: ProcessRace = ProcessRace { workers: 3, rounds: 100 };

/// A database that others use too.
struct Shared(String);

impl Fixture for Shared {
    fn reset(&self) {
        panic!("the database is shared");
    }

    fn open(&self) -> Arc<dyn Store> {
        Arc::new(open(&self.0))
    }

    fn drive(&self, task: Task<'_>) {
        wait(task);
    }
}

fn processes_race(url: &str) {
    let shared = Shared(url.into());
    RACE.prepare(&shared).unwrap();
    let children: Vec<_> = (0..RACE.workers).map(|me| child::start("race", url, &me.to_string())).collect();
    children.into_iter().for_each(child::join);
    RACE.verify(&shared).unwrap();
}

#[test]
fn processes_race_and_agree_on_who_won() {
    processes_race(&Server::start(NO_FILE).url());
}

#[test]
fn processes_race_in_a_cluster_and_agree_on_who_won() {
    processes_race(&Cluster::start(NO_FILE).url());
}

pub(crate) fn take_part(url: String, me: &str) {
    RACE.take_part(&Shared(url), me.parse().unwrap()).unwrap();
}
