//! The store in PostgreSQL, on servers that the tests start themselves: `scripts/test.sh postgres`.
//!
//! | file | proves |
//! |---|---|
//! | `conformance.rs` | the kit passes, at every level of isolation |
//! | `processes.rs` | two processes race; a writer that is killed leaves all or nothing |
//! | `crash.rs` | a server that is killed under load loses nothing that was acknowledged |
//! | `faults.rs` | unavailable, in doubt and corrupt are told apart |
//! | `full.rs` | a disk that is full loses nothing, and is used again when it is not |
//! | `trips.rs` | one round trip for each load and each commit |
//! | `outbox.rs` | events appear with their commit, in an order that is settled |
//! | `migrations.rs` | many nodes start at once, with one schema |
//! | `flow.rs` | the authorization server on this store |
//! | `lists.rs` | a page of a long list is found by an index |
//! | `plans.rs` | every page that administrators and users ask for is found by an index, among a million grants too |
//! | `sizes.rs` | what a grant takes |
//! | `speed.rs` | what is done as fast as it goes is found, and rotated once |
//! | `standby.rs` | a standby that is promoted under load has lost nothing |
//! | `server.rs`, `proxy.rs`, `fixture.rs`, `records.rs` | what these need |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

mod conformance;
mod crash;
mod faults;
mod fixture;
mod flow;
mod full;
mod lists;
mod migrations;
mod outbox;
#[path = "../sqlite/planned.rs"]
mod planned;
mod plans;
mod processes;
mod proxy;
mod records;
mod server;
mod sizes;
mod speed;
mod standby;
mod trips;
