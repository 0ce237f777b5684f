//! The store in PostgreSQL.
//!
//! One table of records, one of events, and one function for each operation: a load and a commit are one statement each,
//! thus one transaction and one round trip. `docs/stores/postgres.md` tells how to run it.
//!
//! | file | holds |
//! |---|---|
//! | `store.rs` | [`PostgresStore`] |
//! | `options.rs` | [`PostgresOptions`] |
//! | `session.rs` | one statement on one connection: time limits, repetition after a conflict |
//! | `fault.rs` | what went wrong, and what that says of a commit |
//! | `commit.rs` | a commit as the arguments of its function |
//! | `load.rs` | what a load found |
//! | `row.rs` | a record as it travels |
//! | `list.rs` | a query as a statement |
//! | `outbox.rs` | events, in an order that is settled |
//! | `migrate.rs` | [`Migration`]: the tables and functions, made once by however many nodes |
//! | `sql/` | the migrations, and the table in pieces for those who want it so |

mod commit;
mod fault;
mod list;
mod load;
mod migrate;
mod options;
mod outbox;
mod row;
mod session;
mod store;

pub use migrate::Migration;
pub use options::PostgresOptions;
pub use store::PostgresStore;
