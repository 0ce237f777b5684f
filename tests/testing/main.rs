//! The feature `testing`, as an author of tests meets it.
//!
//! | file | tests |
//! |---|---|
//! | `tokens.rs` | minting, time, ending |
//! | `users.rs` | the scripted user, and the pages |
//! | `faults.rs` | what goes wrong on request, in process and on the wire |
//! | `seen.rs` | requests and events |
//! | `apart.rs` | seeds, issuers, and a thousand servers at once |
//! | `control.rs` | the same over HTTP |
//! | `client.rs` | the smallest client, in process and over a socket |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::missing_panics_doc,
    reason = "a test may fail"
)]

mod apart;
mod client;
mod control;
mod faults;
mod seen;
mod tokens;
mod users;
