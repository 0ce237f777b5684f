//! Servers over what is put in front of a store, and over a store that was moved.
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

#[path = "../attacks/forge.rs"]
mod forge;
#[allow(dead_code, unused_imports, clippy::unused_self, reason = "the attacks use all of it")]
#[path = "../attacks/harness.rs"]
mod harness;

mod moved;
mod nodes;
mod sealed;
