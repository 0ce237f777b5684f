//! The console from outside: requests and responses of the `http` crate, as a browser would send and read them, and as
//! an attacker would.
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

mod escaping;
mod forgery;
mod headers;
mod html;
mod once;
mod own;
mod rights;
mod world;
