//! The reference store: everything in memory, nothing behind one lock.
//!
//! | file | holds |
//! |---|---|
//! | `store.rs` | [`MemoryStore`]: 64 shards, each behind a lock of its own; capacity; purge |
//! | `stage.rs` | the decision of a commit: conditions and guards, before anything changes |
//! | `list.rs` | lists: which index answers a query, and a page of it |
//! | `scan.rs` | everything, a piece at a time |
//! | `outbox.rs` | the events that were committed, where the host wants them kept |
//! | `shard.rs` | what one lock protects: the tables, and the indexes kept in step with them |
//! | `table.rs` | the records of one partition, by key |
//! | `expiry.rs` | which record may be forgotten next |
//! | `index.rs` | records by client and by label, in order of time |

mod expiry;
mod index;
mod list;
mod outbox;
mod scan;
mod shard;
mod stage;
mod store;
mod table;

pub use store::MemoryStore;
