//! What an administrator or a user does: clients, their secrets, what was granted, personal tokens, and who may be
//! granted anything.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    reason = "a test fails by panicking"
)]

mod activity;
mod apps;
mod clients;
#[path = "../attacks/faulty.rs"]
#[allow(dead_code, reason = "what is shared with other tests has more than is needed here")]
mod faulty;
#[path = "../attacks/intercept.rs"]
#[allow(dead_code, reason = "what is shared with other tests has more than is needed here")]
mod intercept;
mod personal;
mod rights;
mod world;
