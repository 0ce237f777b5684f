//! What a store costs, beside the same database without us.
//!
//! | file | holds |
//! |---|---|
//! | `question.rs` | [`run`]: rounds, rows, targets |
//! | `ours.rs` | an authorization server on the store |
//! | `together.rs` | tasks that begin together, timed |
//! | `floor.rs` | the least that the same work takes: as many round trips, commits and rows |
//! | `bare_sqlite.rs`, `bare_postgres.rs`, `bare_redis.rs` | the floor in each database |

mod bare_postgres;
mod bare_redis;
mod bare_sqlite;
mod floor;
mod ours;
mod question;
mod together;

#[path = "../../../tests/postgres/server.rs"]
#[allow(dead_code, unreachable_pub, clippy::pedantic, reason = "the tests of the store need more of it")]
mod postgres;
#[path = "../../../tests/redis/server.rs"]
#[allow(dead_code, unreachable_pub, clippy::pedantic, reason = "the tests of the store need more of it")]
mod redis_server;

pub use question::run;
