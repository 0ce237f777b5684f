//! The histories on PostgreSQL and Redis: two servers over one database, all three killed with everything under way.
//! `scripts/test.sh databases`; `main.rs` explains the parts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    reason = "a test fails by panicking, and how long a server takes is told by the clock of the machine"
)]
#![allow(dead_code, reason = "what is shared with other tests has more than is needed here")]

mod arena;
mod blows;
mod family;
mod faults;
mod history;
mod node;
#[path = "../postgres/server.rs"]
mod postgres;
mod process;
mod random;
#[path = "../redis/server.rs"]
mod redis;
mod round;
mod rounds;
mod rules;
mod stores;

#[path = "../../examples/custom_store.rs"]
mod custom_store;

use std::sync::{Arc, Mutex};

use crate::process::Processes;
use crate::round::Plan;
use crate::rounds::{assert_noticed, rounds};

/// In one round of five, two nodes are killed, and in one of ten the database, which takes a second to come back; in a long run less often.
fn plan(seed: u64) -> Plan {
    let one_in = |often: u64| usize::from(seed.is_multiple_of(if seed < FEW { often } else { often * 10 }));
    Plan { kills: 2 * one_in(5), crashes: one_in(10), ..Plan::of(seed) }
}

/// How many rounds are played on each database unless somebody says otherwise.
const FEW: u64 = 300;

/// Plays rounds over the database of this URL, which is killed by `crash`.
async fn play(url: String, crash: impl Fn() + Send + Sync + 'static) {
    let processes = Processes {
        url: Box::new(move |_| url.clone()),
        count: 2,
        crash: Some(Arc::new(crash)),
        running: Mutex::default(),
    };
    assert_noticed(&rounds(&processes, FEW, plan).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_over_postgresql_lose_nothing_when_any_of_the_three_is_killed() {
    let server = postgres::Server::start(&[]);
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres", server.port);
    let server = Mutex::new(server);
    play(url, move || {
        let mut server = server.lock().unwrap();
        server.kill();
        server.resume();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_over_redis_lose_nothing_when_any_of_the_three_is_killed() {
    let server = redis::Server::start(redis::ALWAYS);
    let url = server.url();
    let server = Mutex::new(server);
    play(url, move || server.lock().unwrap().restart()).await;
}
