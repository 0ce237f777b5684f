//! The store in Redis: the kit, the flow over it, and what happens when Redis breaks.
//!
//! Every test starts the servers that it needs, in a directory and on ports of its own. They need the programs
//! `redis-server` and `redis-cli`; see CONTRIBUTING.md.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]
#![allow(clippy::disallowed_methods, reason = "how long a server takes is told by the clock of the machine")]

mod child;
mod cluster;
mod conformance;
mod crash;
mod faults;
mod flow;
mod full;
mod opening;
mod outbox;
mod proxy;
mod rows;
mod sample;
mod server;
mod sizes;
mod slots;
mod trips;
