//! What can be set.

use std::path::PathBuf;
use std::time::Duration;

use super::SqliteStore;
use crate::store::StoreError;

/// How a store in a SQLite file is opened; [`new`](Self::new) is what most want.
///
/// ```no_run
/// # async fn example() -> Result<(), grantor::store::StoreError> {
/// use grantor::store::SqliteOptions;
///
/// let store = SqliteOptions::new().readers(8).keep_events().open("auth.db").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "options open nothing by themselves"]
pub struct SqliteOptions {
    pub(super) busy_timeout: Duration,
    pub(super) readers: usize,
    pub(super) reads: SqliteReads,
    pub(super) max_size: Option<u64>,
    pub(super) events: Events,
    pub(super) synchronous: Synchronous,
}

/// Where a load runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SqliteReads {
    /// On the thread that polls the future: a few look-ups by key, some 10 µs where the file is in the memory of the machine, and no waiting for
    /// writers. To hand it to another thread and back would cost more than that.
    WhereAsked,
    /// On threads of the store, as lists always do: for a file that is larger than the memory, or on a slow disk.
    OnThreads,
}

/// What happens to the events of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Events {
    Dropped,
    Kept,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Synchronous {
    Full,
    Normal,
}

/// Where the records are.
#[derive(Debug, Clone)]
pub(super) enum Place {
    File(PathBuf),
    Memory,
}

impl SqliteOptions {
    /// Durable; 10 seconds for a lock; a reader for each core, but two to eight; loads where they are asked for; no events; no bound on the size.
    pub fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self {
            busy_timeout: Duration::from_secs(10),
            readers: cores.clamp(2, 8),
            reads: SqliteReads::WhereAsked,
            max_size: None,
            events: Events::Dropped,
            synchronous: Synchronous::Full,
        }
    }

    /// How long to wait for another **process** that holds the lock before a commit fails as unavailable; what is counted is
    /// the time slept, so it takes somewhat longer. Callers of one store never wait for this: they queue.
    pub fn busy_timeout(self, busy_timeout: Duration) -> Self {
        Self { busy_timeout, ..self }
    }

    /// How many connections read, 1 to 64.
    pub fn readers(self, readers: usize) -> Self {
        Self { readers: readers.clamp(1, 64), ..self }
    }

    /// Where a load runs.
    pub fn reads(self, reads: SqliteReads) -> Self {
        Self { reads, ..self }
    }

    /// How large the file may become, in bytes. A commit that needs more is answered with
    /// [`StoreError::Unavailable`] and changes nothing. Not counted are the log beside it (`-wal`), usually 4 MB, and its index.
    pub fn max_size(self, bytes: u64) -> Self {
        Self { max_size: Some(bytes), ..self }
    }

    /// Keeps the events of every commit, to be read through [`Outbox`](crate::store::Outbox). Whoever asks for this must also
    /// [forget](crate::store::Outbox::forget_events) what was read: nothing else does, and the file grows. Every process that opens the file is to say the same.
    pub fn keep_events(self) -> Self {
        Self { events: Events::Kept, ..self }
    }

    /// Does not wait for the disk at every commit (`PRAGMA synchronous = NORMAL`): what was acknowledged in the last moments before a loss of power or a crash of the operating system may
    /// be gone, so that a code can be redeemed twice and a revocation forgotten. The file stays whole, and a crash of the process alone loses nothing.
    pub fn danger_synchronous_normal(self) -> Self {
        Self { synchronous: Synchronous::Normal, ..self }
    }

    /// Opens the file, or makes it; its directory must exist. Several processes of one machine may open one file; a file on a network is no place for it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if the file is no database, or that of another application or a later version;
    /// [`StoreError::Unavailable`] if it cannot be opened, or not with a write-ahead log.
    pub async fn open(self, path: impl Into<PathBuf>) -> Result<SqliteStore, StoreError> {
        let path = path.into();
        // What SQLite would take for something else than a file.
        if path.as_os_str().is_empty() || path.as_os_str() == ":memory:" {
            return Err(StoreError::Unavailable(
                "a path is needed; for a database in memory call `open_in_memory`".into(),
            ));
        }
        SqliteStore::start(self, Place::File(path)).await
    }

    /// A database in memory that ends with the store: one connection does all, so it is no faster than a file, and
    /// [`MemoryStore`](crate::store::MemoryStore) is far faster. For tests of what only SQLite does.
    pub async fn open_in_memory(self) -> Result<SqliteStore, StoreError> {
        SqliteStore::start(self, Place::Memory).await
    }
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self::new()
    }
}
