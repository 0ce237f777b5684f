//! The examples, from the outside: the real executables, real clients, and a browser that has cookies and fills in
//! forms.
//!
//! | file | holds |
//! |---|---|
//! | `process.rs` | an example as a child process, with the address that it printed |
//! | `http.rs` | the smallest HTTP client that will do |
//! | `browser.rs` | cookies, redirects, forms |
//! | `tokens.rs` | what a client has of a user, and whether it is good |
//! | `databases.rs` | a binary of its own: the tests that need PostgreSQL and Redis |
//! | the others | tests, each named after what it is about |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::missing_panics_doc,
    reason = "a test may fail"
)]

mod browser;
mod http;
mod process;
mod tokens;

mod clients;
mod configuration;
mod consent;
mod device;
mod embed;
mod first_minutes;
mod health;
mod limits;
mod management;
mod mcp;
mod protected_resource;
mod registration;
mod restart;
mod sign_in;
mod throttle;
mod transfer;
