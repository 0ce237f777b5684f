//! The catalogue of attacks: each test bears the id of its row; `docs/spec-map.md` lists them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::unused_self,
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    reason = "a test fails by panicking, and its name says what it is about"
)]

mod acts;
mod authorize;
mod bearer;
mod browser;
mod cancellation;
mod cimd;
mod client_auth;
mod client_credentials;
mod code;
mod consent;
mod device;
mod device_pages;
mod device_races;
mod edge;
mod elsewhere;
mod endings;
mod extension;
mod faulty;
mod forge;
mod harness;
mod html;
mod input;
mod interaction;
mod intercept;
mod interleaving;
mod introspection;
mod lifecycle;
mod limits;
mod mcp;
mod metadata;
mod observed;
mod outage;
mod pages;
mod personal;
mod pkce;
mod printed;
mod race;
mod races;
mod redirect;
mod refresh;
mod registered;
mod registration;
mod response;
mod revocation;
mod secrets;
mod spy;
mod timing;
mod tls;
mod transcript;
