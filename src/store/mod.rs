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
//! | `digest.rs` | hashing what is a hash already |
//! | `record.rs` | [`Record`]: fixed columns and one opaque payload; [`Loaded`] |
//! | `commit.rs` | [`Commit`]: conditions, writes and events that happen together or not at all |
//! | `query.rs` | [`Query`], [`Page`], [`Listing`]: keyset pagination |
//! | `scan.rs` | [`Scanned`], [`ScanCursor`]: everything, a piece at a time |
//! | `outbox.rs` | [`Outbox`]: events kept with the change they tell of |
//! | `error.rs` | [`StoreError`]: unavailable, in doubt, corrupt |
//! | `chain.rs` | [`EventChain`]: shows when somebody has meddled with events |
//! | `cache/` | [`CachingStore`], in front of any store |
//! | `encrypt/` | `EncryptingStore`, in front of any store (feature `encryption`) |
//! | `transfer/` | [`Export`] and [`Import`]: from one store to another |
//! | `memory/` | [`MemoryStore`], the reference |
//! | `postgres/` | `PostgresStore` (feature `postgres`) |
//! | `sqlite/` | `SqliteStore`: records in a file (feature `sqlite`) |
//! | `redis/` | [`RedisStore`], in Redis or Valkey (feature `redis`) |
//! | `kit/` | the conformance kit (feature `store-tests`) |

mod cache;
mod chain;
mod commit;
mod contract;
mod digest;
#[cfg(feature = "encryption")]
mod encrypt;
mod error;
mod key;
pub(crate) mod keyspace;
#[cfg(feature = "store-tests")]
pub mod kit;
mod memory;
mod outbox;
#[cfg(feature = "postgres")]
mod postgres;
mod query;
mod record;
#[cfg(feature = "redis")]
mod redis;
mod scan;
#[cfg(feature = "sqlite")]
mod sqlite;
mod transfer;

pub use cache::{CacheOptions, CachingStore};
pub use chain::{ChainHead, ChainVerdict, EventChain};
pub use commit::{Commit, Committed, Condition, Failed, Write};
pub(crate) use contract::load_all_ready;
pub use contract::{Durability, Purged, Store};
pub(crate) use digest::DigestHasher;
#[cfg(feature = "encryption")]
pub use encrypt::{EncryptingStore, KeyRing, Resealed};
pub use error::StoreError;
pub use key::{Key, Kind, Partition, Tenant};
pub(crate) use keyspace::KeySpace;
pub use memory::MemoryStore;
pub use outbox::{EventCursor, Outbox, StoredEvent};
#[cfg(feature = "postgres")]
pub use postgres::{Migration, PostgresOptions, PostgresStore};
pub use query::{Cursor, Listing, Order, Page, Query};
pub use record::{Labels, Link, Loaded, Owner, Payload, Record, State, Used};
#[cfg(feature = "redis")]
pub use redis::{RedisFsync, RedisLoss, RedisOptions, RedisStore};
pub use scan::{ScanCursor, Scanned};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteOptions, SqliteReads, SqliteStore};
pub use transfer::{DumpReader, Export, Import, Imported, TransferError, export_to, import_from};
