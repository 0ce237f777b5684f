//! Four products, rebuilt: what their administrators and users do, over HTTP, and what must be refused them.
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

mod api_clients;
mod credentials;
mod dialect;
mod legacy;
mod profile_tokens;
mod world;

/// A client that talks HTTP.
#[allow(dead_code, reason = "it is other tests' client, too")]
#[path = "../example/http.rs"]
mod http_client;
