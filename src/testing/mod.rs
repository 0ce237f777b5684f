//! The real engine inside a test (feature `testing`).
//!
//! [`TestServer`] is an [`AuthorizationServer`](crate::AuthorizationServer) over a store in memory, with a clock that
//! stands still, randomness from a seed, a user who answers by a script, and faults that are asked for. Nothing of the
//! protocol is imitated: a token that is minted has the records of one that was earned, so that introspection,
//! revocation and [`verify`](crate::AuthorizationServer::verify) cannot tell them apart.
//!
//! ```
//! use grantor::Require;
//! use grantor::testing::{TestServer, hours};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let server = TestServer::in_process();
//! let token = server.mint("alice").scope("read").access().await;
//! assert!(server.oauth().verify(&token, Require::scope("read")).await.is_ok());
//!
//! server.clock().advance(hours(13));
//! assert!(server.oauth().verify(&token, Require::scope("read")).await.is_err());
//! # });
//! ```
//!
//! | to | say |
//! |---|---|
//! | listen on a free port | [`TestServer::start`] |
//! | do without a socket | [`TestServer::in_process`]: [`send`](TestServer::send), or `tower::Service` |
//! | have a token | [`mint`](TestServer::mint), [`mint_for_client`](TestServer::mint_for_client) |
//! | register a client | [`register`](TestServer::register) |
//! | decide for the user | [`sign_in`](TestServer::sign_in), [`deny`](TestServer::deny), [`ask`](TestServer::ask) and their like |
//! | move time | [`clock`](TestServer::clock) |
//! | end something | [`revoke`](TestServer::revoke), [`revoke_all`](TestServer::revoke_all) |
//! | see what happened | [`requests`](TestServer::requests), [`events`](TestServer::events) |
//! | break something | [`inject`](TestServer::inject) a [`Fault`] |
//! | do all this from another language | [`TestServerBuilder::control`] |
//!
//! These helpers panic where a test has made a mistake, with a sentence on which: a test wants no `Result` of its setup.
//!
//! | file | holds |
//! |---|---|
//! | `server.rs` | [`TestServer`], and what a test says to it |
//! | `builder.rs` | [`TestServerBuilder`]: all that can be chosen |
//! | `mint.rs`, `personal.rs` | [`Mint`]: tokens with any content |
//! | `end.rs` | ending tokens, and changing those that were issued |
//! | `script.rs` | what the user does |
//! | `clock.rs`, `entropy.rs`, `store.rs` | time, randomness and records of a test |
//! | `fault.rs`, `tamper.rs` | what can go wrong, and how an answer is made wrong |
//! | `log.rs` | which requests came |
//! | `handle.rs` | the way of a request through all this |
//! | `listen.rs` | the listener |
//! | `control.rs`, `login.rs` | the same over HTTP, and a page on which anybody signs in |
#![expect(clippy::panic, reason = "a test that made a mistake is told where it is made")]

mod builder;
mod clock;
mod control;
mod end;
mod entropy;
mod fault;
mod handle;
mod listen;
mod log;
mod login;
mod mint;
mod personal;
mod script;
mod server;
mod store;
mod tamper;

pub use builder::TestServerBuilder;
pub use clock::{TestClock, days, hours, minutes, seconds};
pub use fault::{ConnectionReset, Fault, Injection};
pub use log::RecordedRequest;
pub use mint::{Mint, Tokens};
pub use server::{TestClient, TestServer};
