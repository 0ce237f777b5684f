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
mod bearer;
mod browser;
mod client_auth;
mod client_credentials;
mod code;
mod consent;
mod edge;
mod extension;
mod harness;
mod html;
mod input;
mod interaction;
mod intercept;
mod introspection;
mod lifecycle;
mod metadata;
mod pages;
mod pkce;
mod races;
mod redirect;
mod refresh;
mod response;
mod revocation;
mod secrets;
mod spy;
mod timing;
