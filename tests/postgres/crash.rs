//! A server that is killed under load loses nothing that was acknowledged.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use grantor::store::{
    Committed, Condition, Outbox as _, PostgresOptions, PostgresStore, Store as _, StoreError, Write,
};

use super::records::{TENANT, apply, commit, event, grant, insert, spend, token};
use super::server::Server;

/// What a writer was told of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    Applied,
    InDoubt,
    Unavailable,
}

/// Writers that buy tokens with codes, each code by two of them at once, and write down what they were told.
pub struct Load {
    store: PostgresStore,
    next: AtomicU64,
    over: AtomicBool,
    told: Mutex<BTreeMap<(u64, u64), Told>>,
}

impl Load {
    pub fn on(store: PostgresStore) -> Arc<Self> {
        Arc::new(Self { store, next: AtomicU64::new(0), over: AtomicBool::new(false), told: Mutex::default() })
    }

    /// Runs eight writers until it is told to end.
    pub fn run(self: &Arc<Self>) -> Vec<tokio::task::JoinHandle<()>> {
        (0..8).map(|_| tokio::spawn(Arc::clone(self).write())).collect()
    }

    pub fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    pub fn applied(&self) -> usize {
        self.told.lock().unwrap().values().filter(|told| **told == Told::Applied).count()
    }

    /// Waits until so many commits were acknowledged.
    pub async fn reaches(&self, applied: usize) {
        while self.applied() < applied {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn write(self: Arc<Self>) {
        let event = event(7).await;
        while !self.over.load(Ordering::SeqCst) {
            let code = self.next.fetch_add(1, Ordering::SeqCst);
            // Until the code is there: nobody is told of a code that may not be.
            while self.store.commit(&insert(grant(code))).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let buy = |buyer: u64| {
                let mut purchase = commit(
                    vec![Condition::Unused(grant(code).key)],
                    vec![spend(grant(code).key), Write::Insert(token(code * 2 + buyer).into())],
                );
                purchase.events = vec![event.clone()];
                let load = Arc::clone(&self);
                async move {
                    match load.store.commit(&purchase).await {
                        Ok(Committed::Applied) => Some(Told::Applied),
                        Ok(Committed::Refused(_)) => None,
                        Err(StoreError::InDoubt(_)) => Some(Told::InDoubt),
                        Err(StoreError::Unavailable(_)) => Some(Told::Unavailable),
                        Err(error) => panic!("{error}"),
                    }
                }
            };
            let told = tokio::join!(buy(0), buy(1));
            let mut all = self.told.lock().unwrap();
            all.extend([(0, told.0), (1, told.1)].into_iter().filter_map(|(buyer, told)| Some(((code, buyer), told?))));
        }
    }

    /// Compares what is there with what was told; returns how many were in doubt.
    pub async fn check(&self, store: &PostgresStore) -> usize {
        let told = self.told.lock().unwrap().clone();
        let codes = self.next.load(Ordering::SeqCst);
        let mut bought = 0;
        for code in 0..codes {
            let keys = [grant(code).key, token(code * 2).key, token(code * 2 + 1).key];
            let found = store.load(&keys).await.unwrap();
            let used = found[0].as_ref().is_some_and(|loaded| loaded.record.used.is_some());
            let there = [found[1].is_some(), found[2].is_some()];
            assert!(!(there[0] && there[1]), "code {code} was redeemed twice");
            assert_eq!(used, there[0] || there[1], "half of a commit is there");
            bought += usize::from(used);
            for (buyer, there) in (0..).zip(there) {
                match told.get(&(code, buyer)) {
                    Some(Told::Applied) => assert!(there, "what code {code} bought was acknowledged, and is gone"),
                    Some(Told::Unavailable) => assert!(!there, "what was said not to have happened has"),
                    Some(Told::InDoubt) => {}
                    None => assert!(!there, "a commit that was refused has happened"),
                }
            }
        }
        // Each purchase is told of once, and nothing else is.
        let (mut events, mut after) = (0, None);
        loop {
            let page = store.events_after(TENANT, after.as_ref(), 1_000).await.unwrap();
            let Some(last) = page.last() else { break };
            events += page.len();
            after = Some(last.cursor.clone());
        }
        assert_eq!(events, bought);
        told.values().filter(|told| **told == Told::InDoubt).count()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_under_load_loses_nothing_that_was_acknowledged() {
    // What is not flushed with the commit stays in memory for long, and dies with it.
    let mut server = Server::start(&["synchronous_commit=off", "wal_writer_delay=10s"]);
    let options = PostgresOptions::new().keep_events().wait(Duration::from_secs(5));
    let store = PostgresStore::open(&server.url("postgres"), options).await.unwrap();
    let load = Load::on(store.clone());
    let writers = load.run();
    for round in 1..=4 {
        load.reaches(load.applied() + 200).await;
        tokio::task::block_in_place(|| {
            server.kill();
            server.resume();
        });
        println!("round {round}: {} commits were acknowledged", load.applied());
    }
    load.end();
    for writer in writers {
        writer.await.unwrap();
    }
    println!("{} commits were in doubt", load.check(&store).await);
    apply(&store, &insert(grant(1 << 40))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_is_flushed_though_the_session_would_not_unless_loss_is_accepted() {
    let server = Server::start(&["synchronous_commit=off", "wal_writer_delay=10s", "autovacuum=off"]);
    let url = server.url("postgres");
    let careful = PostgresStore::open(&url, PostgresOptions::new()).await.unwrap();
    let careless = PostgresStore::connect(&url, PostgresOptions::new().danger_accept_loss()).unwrap();
    let behind = "SELECT pg_current_wal_insert_lsn() - pg_current_wal_flush_lsn()";
    let (mut flushed, mut unflushed) = (0, 0);
    for number in 0..20 {
        apply(&careful, &insert(token(number * 2))).await;
        flushed += u32::from(server.sql("postgres", behind).await.unwrap()[0] == Some("0".into()));
        apply(&careless, &insert(token(number * 2 + 1))).await;
        unflushed += u32::from(server.sql("postgres", behind).await.unwrap()[0] != Some("0".into()));
    }
    // The server writes now and then on its own account, so a few of each may look otherwise.
    assert!(flushed >= 15 && unflushed >= 15, "{flushed} of 20 were flushed, and {unflushed} of 20 were not");
}
