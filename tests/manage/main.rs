//! What an administrator or a user does: clients, their secrets, what was granted, personal tokens, and who may be
//! granted anything.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    reason = "a test fails by panicking"
)]

mod apps;
mod clients;
mod personal;
mod rights;
mod world;
