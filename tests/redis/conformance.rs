//! The kit.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use grantor::store::kit::{self, Fixture, ProcessRace, Task};
use grantor::store::{RedisOptions, RedisStore, Store};

use super::child;
use super::cluster::Cluster;
use super::server::{NO_FILE, Server, open, options, wait};

/// Handles that were opened: one that nobody holds any more is given out again, as opening looks at every node and every bucket.
struct Handles {
    url: String,
    options: RedisOptions,
    opened: Mutex<Vec<Arc<RedisStore>>>,
}

impl Handles {
    fn new(url: String, options: RedisOptions) -> Self {
        Self { url, options, opened: Mutex::default() }
    }

    fn another(&self) -> Arc<RedisStore> {
        let mut opened = self.opened.lock().unwrap();
        if let Some(idle) = opened.iter().find(|store| Arc::strong_count(store) == 1) {
            return Arc::clone(idle);
        }
        let store = Arc::new(wait(self.options.clone().open(&self.url)).unwrap());
        opened.push(Arc::clone(&store));
        store
    }
}

/// A server that is emptied for each check.
struct OneServer {
    server: Server,
    handles: Handles,
}

impl OneServer {
    fn new(options: RedisOptions) -> Self {
        let server = Server::start(NO_FILE);
        Self { handles: Handles::new(server.url(), options), server }
    }
}

impl Fixture for OneServer {
    fn reset(&self) {
        assert_eq!(self.server.emptied(), "+OK");
    }

    fn open(&self) -> Arc<dyn Store> {
        self.handles.another()
    }

    fn drive(&self, task: Task<'_>) {
        wait(task);
    }
}

#[test]
fn the_store_passes_every_check() {
    kit::run(&OneServer::new(options())).assert();
}

/// A Cluster that is emptied for each check.
struct SixNodes {
    cluster: Cluster,
    handles: Handles,
}

impl Fixture for SixNodes {
    fn reset(&self) {
        // Those that follow refuse, and are emptied with those that they follow.
        let emptied = self.cluster.nodes.iter().filter(|node| node.emptied() == "+OK").count();
        assert_eq!(emptied, 3);
    }

    fn open(&self) -> Arc<dyn Store> {
        self.handles.another()
    }

    fn drive(&self, task: Task<'_>) {
        wait(task);
    }
}

#[test]
fn the_store_passes_every_check_in_a_cluster() {
    let cluster = Cluster::start(NO_FILE);
    kit::run(&SixNodes { handles: Handles::new(cluster.url(), options()), cluster }).assert();
}

#[test]
fn the_store_passes_every_check_with_events_kept_and_keys_that_expire() {
    let options = options().keep_events().expire_after(Duration::ZERO).prefix("another");
    kit::run(&OneServer::new(options)).assert();
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
