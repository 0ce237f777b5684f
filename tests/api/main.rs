//! The management API, from outside: every answer is held to the document that the server itself serves.
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

mod callers;
mod clients;
mod document;
mod grants;
mod idempotency;
mod own;
mod registrations;
mod world;
