//! The store in a SQLite file: the kit, the flow over it, and what happens to the file.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and may look at the clock"
)]

mod child;
mod conformance;
mod crowd;
mod damage;
mod database;
mod events;
mod flow;
mod full;
mod killed;
mod locked;
mod planned;
mod plans;
mod read_only;
mod records;
mod sizes;
mod start;
