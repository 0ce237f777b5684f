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

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::history::Outcome;
use crate::process::Processes;
use crate::round::Plan;
use crate::rounds::rounds;

/// Plays rounds over the database of this URL, and says how long it went on being killed.
async fn play(url: String, crash: impl Fn() + Send + Sync + 'static) {
    let crashed = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&crashed);
    let crash = move || {
        crash();
        counted.fetch_add(1, Ordering::SeqCst);
    };
    let processes = Processes {
        url: Box::new(move |_| url.clone()),
        count: 2,
        crash: Some(Arc::new(crash)),
        running: Mutex::default(),
    };
    // It takes a second to come back: most rounds do without, and in a long run nearly all.
    let rare =
        |seed: u64, of_hundred: u64| if seed < 200 { seed % 100 < of_hundred } else { seed % 1_000 < of_hundred };
    let plan = |seed: u64| Plan {
        kills: rare(seed.wrapping_mul(7), 20),
        crashes: rare(seed.wrapping_mul(11), 5),
        ..Plan::of(seed)
    };
    let histories = rounds(&processes, 200, plan).await;
    if histories.len() >= 100 {
        let calls = || histories.iter().flat_map(|history| &history.calls);
        let lives = calls().map(|call| call.node.1).max().unwrap();
        let doubts = calls().filter(|call| call.outcome() == Some(&Outcome::InDoubt)).count();
        let times = crashed.load(Ordering::SeqCst);
        assert!(
            lives > 5 && doubts > 50 && times > 3,
            "servers were killed {lives} times, the database {times} times, with {doubts} requests under way"
        );
    }
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
