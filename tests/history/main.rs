//! Histories: what clients saw of two servers over one database, and whether it can be true.
//!
//! Clients run at once against two nodes, over a store that fails and dawdles. Each request is written down when it is sent and when it
//! is answered, in one order of real time. A checker that knows nothing of the inside then asks of the whole whether any server that keeps
//! its promises could have answered so. Every choice comes from a seed; a failure prints it, with the part of the history that matters.
//!
//! | file | holds |
//! |---|---|
//! | `history.rs` | what is written down |
//! | `rules.rs` | what must hold of it: [`rules::check`] |
//! | `family.rs` | what a history says of one family of tokens |
//! | `node.rs` | a server that clients talk to, in this process |
//! | `process.rs` | the same as a process of its own, that can be killed |
//! | `arena.rs` | two nodes over one database: where rounds are played |
//! | `stores.rs` | the databases that processes can share, by URL |
//! | `faults.rs` | a store that fails and dawdles |
//! | `broken.rs` | stores that are wrong on purpose |
//! | `blows.rs` | what is killed in a round, and when |
//! | `round.rs`, `rounds.rs` | one round: who does what; many of them |
//! | `random.rs` | numbers from a seed |
//! | `honest.rs`, `caught.rs`, `killed.rs`, `written.rs` | the tests |
//! | `databases.rs` | a binary of its own: PostgreSQL and Redis, whose servers are killed as well |
//!
//! `GRANTOR_HISTORY_ROUNDS=10000 cargo test --release --all-features --test history` plays ten thousand rounds on each arena;
//! `GRANTOR_HISTORY_SEED=7` plays that one alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    reason = "a test fails by panicking, and its name says what it is about"
)]

mod arena;
mod blows;
mod broken;
mod caught;
mod family;
mod faults;
mod history;
mod honest;
mod killed;
mod node;
mod process;
mod random;
mod round;
mod rounds;
mod rules;
mod stores;
mod written;

#[path = "../../examples/custom_store.rs"]
#[allow(dead_code, reason = "an example has a `main` of its own")]
mod custom_store;
