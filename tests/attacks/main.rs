//! The catalogue of attacks: each test bears the id of its row; `docs/spec-map.md` lists them.
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

mod authorize;
mod client_auth;
mod client_credentials;
mod code;
mod consent;
mod extension;
mod forge;
mod harness;
mod input;
mod introspection;
mod lifecycle;
mod metadata;
mod pkce;
mod printed;
mod races;
mod redirect;
mod refresh;
mod revocation;
mod secrets;
mod spy;
mod timing;
