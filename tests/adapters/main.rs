//! One suite for every adapter, from the outside: each test starts the example of each framework and talks HTTP to it.
//!
//! Another adapter joins in by the environment variable `GRANTOR_ADAPTER`: the executable of a host like those in
//! `examples/adapters`. `docs/adapters.md` tells what such a host must have.
//!
//! | file | tests |
//! |---|---|
//! | `host.rs` | starts the hosts |
//! | `flow.rs` | sign-in, consent, tokens, and the API that they open |
//! | `edge.rs` | that nothing is lost, added or mended on the way through the framework |
//! | `service.rs` | what the adapter for `tower` has beyond the others, in process |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::missing_panics_doc,
    reason = "a test may fail"
)]

#[path = "../example/browser.rs"]
#[expect(dead_code, reason = "the tests of the example server fill in more forms")]
mod browser;
mod edge;
mod flow;
mod host;
#[path = "../example/http.rs"]
mod http;
mod service;
