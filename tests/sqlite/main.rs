//! The store in a SQLite file: the kit, the flow over it, and what happens to the file.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

mod child;
mod conformance;
mod database;
