//! Where records live: the contract of a store, and the stores.
//!
//! A store executes records and conditions and knows no protocol. Read [`Store`] first; it is the whole of what a
//! backend implements. The rest of this module is what passes through it:
//!
//! | file | holds |
//! |---|---|
//! | `contract.rs` | the trait [`Store`] and what it promises |
//! | `key.rs` | [`Key`], [`Kind`], [`Partition`], [`Tenant`]: the name of a record |
//! | `keyspace.rs` | from what a thing is called to its key |
//! | `record.rs` | [`Record`]: fixed columns and one opaque payload; [`Loaded`] |
//! | `commit.rs` | [`Commit`]: conditions, writes and events that happen together or not at all |
//! | `query.rs` | [`Query`], [`Page`], [`Listing`]: keyset pagination |
//! | `outbox.rs` | [`Outbox`]: events kept with the change they tell of |
//! | `error.rs` | [`StoreError`]: unavailable, in doubt, corrupt |
//! | `memory/` | [`MemoryStore`], the reference |
//! | `redis/` | [`RedisStore`], in Redis or Valkey (feature `redis`) |
//! | `kit/` | the conformance kit (feature `store-tests`) |

mod commit;
mod contract;
mod error;
mod key;
pub(crate) mod keyspace;
#[cfg(feature = "store-tests")]
pub mod kit;
mod memory;
mod outbox;
mod query;
mod record;
#[cfg(feature = "redis")]
mod redis;

pub use commit::{Commit, Committed, Condition, Failed, Write};
pub use contract::{Durability, Purged, Store};
pub use error::StoreError;
pub use key::{Key, Kind, Partition, Tenant};
pub(crate) use keyspace::KeySpace;
pub use memory::MemoryStore;
pub use outbox::{EventCursor, Outbox, StoredEvent};
pub use query::{Cursor, Listing, Order, Page, Query};
pub use record::{Labels, Link, Loaded, Owner, Payload, Record, State, Used};
#[cfg(feature = "redis")]
pub use redis::{RedisFsync, RedisLoss, RedisOptions, RedisStore};
