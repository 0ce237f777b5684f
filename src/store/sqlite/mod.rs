//! The store in a SQLite file (feature `sqlite`).
//!
//! One thread owns the connection that writes; whoever commits hands it the commit and waits. What has gathered meanwhile goes into
//! one transaction, each commit in a savepoint of its own, and is answered when that transaction is on the disk. Reads run on
//! connections of their own and wait for no writer.
//!
//! | file | holds |
//! |---|---|
//! | `store.rs` | [`SqliteStore`] |
//! | `options.rs` | [`SqliteOptions`]: what can be set |
//! | `writer.rs` | the thread that writes: one transaction for many commits |
//! | `apply.rs` | one commit, inside a transaction |
//! | `readers.rs` | the connections that read, and the threads for what takes longer |
//! | `load.rs` | records by key, with what they hang on |
//! | `list.rs` | lists: which index answers a query |
//! | `events.rs` | the outbox |
//! | `row.rs` | from a record to a row and back |
//! | `connection.rs` | opening the file |
//! | `migrate.rs` | the tables, and what to do when they are not there |
//! | `fault.rs` | what went wrong, and what may be said of it |
//! | `worker.rs` | a thread with a queue before it |
//! | `wait.rs` | a value that another thread will give |
//! | `sql/` | the statements, and the tables in `sql/migrations/` |

mod apply;
mod connection;
mod events;
mod fault;
mod list;
mod load;
mod migrate;
mod options;
mod readers;
mod row;
mod store;
mod wait;
mod worker;
mod writer;

pub use options::{SqliteOptions, SqliteReads};
pub use store::SqliteStore;
