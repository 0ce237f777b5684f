//! The store: hands work to those who do it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::Connection;

use super::apply::Prepared;
use super::fault::Fault;
use super::options::{Events, Place, SqliteOptions, Synchronous};
use super::readers::{Readers, reading};
use super::wait::channel;
use super::worker::Worker;
use super::writer::{Done, Job, WAITING, Work, Writer};
use super::{connection, events, list, load};
use crate::clock::Timestamp;
use crate::store::{
    Commit, Committed, Durability, EventCursor, Key, Listing, Loaded, Outbox, Page, Purged, Query, ScanCursor, Scanned,
    Store, StoreError, StoredEvent, Tenant,
};

/// How many records, or events, one transaction forgets: a few milliseconds, so that nobody waits for long.
const PIECE: u32 = 200;

/// A store in a SQLite file.
///
/// What was acknowledged outlives the loss of power ([`Durability::Durable`]): every commit is synced to the disk before it is
/// answered, many at a time where many come at once. It needs no runtime and starts three threads of its own.
///
/// Any number of callers may commit; none is ever told that the database is locked. Several processes of one machine may open the same file.
/// Dropping the store waits for what is queued, and closes the file.
///
/// A future that is dropped has either done nothing or everything: a commit that waits is then left out, one that was begun is finished.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use grantor::AuthorizationServer;
/// use grantor::store::SqliteStore;
///
/// # let secret = [7; 32];
/// let server = AuthorizationServer::builder("https://auth.example.com")
///     .store(SqliteStore::open("auth.db").await?)
///     .secret(secret) // 32 bytes, the same at every start
///     .scope("read", "Read your data")
///     .build()?;
/// # Ok(())
/// # }
/// ```
pub struct SqliteStore {
    // In this order: those who read go first, and the last connection tidies the log away.
    readers: Option<Readers>,
    writer: Worker<Job>,
    busy_timeout: Duration,
    events: Events,
    durability: Durability,
}

impl SqliteStore {
    /// Opens the file, or makes it, as [`SqliteOptions::new`] has it.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        SqliteOptions::new().open(path).await
    }

    /// A database in memory. See [`SqliteOptions::open_in_memory`].
    pub async fn open_in_memory() -> Result<Self, StoreError> {
        SqliteOptions::new().open_in_memory().await
    }

    /// What can be set, to be opened afterwards.
    pub fn options() -> SqliteOptions {
        SqliteOptions::new()
    }

    pub(super) async fn start(options: SqliteOptions, place: Place) -> Result<Self, StoreError> {
        let durability = match (&place, options.synchronous) {
            (Place::Memory, _) => Durability::Volatile,
            (Place::File(_), Synchronous::Full) => Durability::Durable,
            (Place::File(_), Synchronous::Normal) => Durability::Weak,
        };
        let (busy_timeout, events) = (options.busy_timeout, options.events);
        let mut worker = Worker::new(WAITING);
        let (answer, opened) = channel();
        let started = worker.start("grantor-sqlite-write", move |queue| {
            let connection = connection::writing(&place, &options);
            let opened = connection.and_then(|connection| Ok((Readers::of(&place, &options)?, connection)));
            let (readers, connection) = match opened {
                Ok(opened) => opened,
                Err(fault) => return answer.give(Err(fault.nothing_happened())),
            };
            match Writer::new(&connection, options.busy_timeout) {
                Ok(writer) => {
                    answer.give(Ok(readers));
                    writer.run(queue);
                }
                Err(fault) => answer.give(Err(fault.nothing_happened())),
            }
        });
        started.map_err(|error| StoreError::Unavailable(format!("a thread cannot be started: {error}")))?;
        let readers = opened.await.ok_or_else(stopped)??;
        Ok(Self { readers, writer: worker, busy_timeout, events, durability })
    }

    /// How a page of a list is found: the steps of `EXPLAIN QUERY PLAN`, of the statement that [`list`](Store::list)
    /// sends. For tests: the words are those of SQLite, and change with it.
    ///
    /// # Errors
    ///
    /// As those of [`list`](Store::list).
    #[cfg(feature = "store-tests")]
    pub async fn plan(&self, query: &Query, page: &Page) -> Result<Vec<String>, StoreError> {
        let (query, page) = (query.clone(), page.clone());
        self.read(move |connection| list::plan(connection, &query, &page)).await
    }

    async fn write(&self, work: Work) -> Result<Done, StoreError> {
        let (answer, done) = channel();
        self.writer.queue().push(Job::Write(work, answer))?;
        let lost = || StoreError::InDoubt("the thread that writes has stopped".into());
        done.await.ok_or_else(lost)?
    }

    /// Forgets in pieces, between which others get their turn.
    async fn remove(&self, limit: u32, piece: impl Fn(u32) -> Work) -> Result<Purged, StoreError> {
        let mut removed = 0_u32;
        loop {
            let wanted = limit.saturating_sub(removed).min(PIECE);
            if wanted == 0 {
                return Ok(Purged { removed, more: true });
            }
            let gone = match self.write(piece(wanted)).await? {
                Done::Removed(gone) => gone,
                Done::Committed(_) => return Err(confused()),
            };
            removed = removed.saturating_add(gone);
            if gone < wanted {
                return Ok(Purged { removed, more: false });
            }
        }
    }

    /// Reads on a thread of the store.
    async fn read<T: Send + 'static>(
        &self,
        read: impl Fn(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reading, done) = reading(self.busy_timeout, read);
        match &self.readers {
            Some(readers) => readers.later(reading)?,
            None => self.writer.queue().push(Job::Read(reading))?,
        }
        done.await.ok_or_else(stopped)?
    }

    fn keeps_events(&self) -> Result<(), StoreError> {
        match self.events {
            Events::Kept => Ok(()),
            Events::Dropped => {
                Err(StoreError::Unavailable("no events are kept: open the store with `keep_events`".into()))
            }
        }
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the store has stopped".into())
}

fn confused() -> StoreError {
    StoreError::Corrupt("one piece of work was answered with the result of another".into())
}

#[async_trait]
impl Store for SqliteStore {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Loaded>>, StoreError> {
        let readers = self.readers.as_ref();
        if let Some(loaded) = readers.and_then(|it| it.at_once(|connection| load::load(connection, keys))) {
            return loaded;
        }
        let keys = keys.to_vec();
        self.read(move |connection| load::load(connection, &keys)).await
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        if !commit.is_local() {
            return Err(StoreError::Corrupt("a commit names keys of several partitions".into()));
        }
        let events = match self.events {
            Events::Dropped => Vec::new(),
            Events::Kept => commit
                .events
                .iter()
                .map(serde_json::to_string)
                .collect::<Result<_, _>>()
                .map_err(|error| StoreError::Corrupt(format!("an event that cannot be written down: {error}")))?,
        };
        let Commit { tenant, conditions, writes, .. } = commit;
        let (conditions, writes) = (conditions.clone(), writes.clone());
        match self.write(Work::Commit(Prepared { conditions, writes, tenant: *tenant, events })).await? {
            Done::Committed(committed) => Ok(committed),
            Done::Removed(_) => Err(confused()),
        }
    }

    async fn list(&self, query: &Query, page: &Page) -> Result<Listing, StoreError> {
        let (query, page) = (query.clone(), page.clone());
        self.read(move |connection| list::list(connection, &query, &page)).await
    }

    async fn scan(&self, after: Option<&ScanCursor>, limit: u32) -> Result<Scanned, StoreError> {
        let after = after.map(ScanCursor::key).transpose()?;
        self.read(move |connection| list::scan(connection, after.as_ref(), limit)).await
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        self.remove(limit, |limit| Work::Purge { before: before.as_millis(), limit }).await
    }

    fn durability(&self) -> Durability {
        self.durability
    }
}

#[async_trait]
impl Outbox for SqliteStore {
    async fn events_after(
        &self,
        tenant: Tenant,
        after: Option<&EventCursor>,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.keeps_events()?;
        let after = after.map_or(Ok(0), events::number)?;
        let limit = limit.clamp(1, 10_000);
        self.read(move |connection| events::after(connection, tenant, after, limit)).await
    }

    async fn forget_events(&self, tenant: Tenant, up_to: &EventCursor, limit: u32) -> Result<Purged, StoreError> {
        self.keeps_events()?;
        let up_to = events::number(up_to)?;
        self.remove(limit, |limit| Work::ForgetEvents { tenant, up_to, limit }).await
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("durability", &self.durability)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}
