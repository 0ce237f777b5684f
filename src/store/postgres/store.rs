//! [`PostgresStore`]: the operations of a store.

use std::fmt;
use std::str::FromStr as _;
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::types::Type;
use tokio_postgres::{NoTls, Row};

use super::commit::{self, Arguments};
use super::fault::{Fault, words};
use super::list::{self, Select};
use super::load::{self, Keys};
use super::options::PostgresOptions;
use super::session::{self, Parameter};
use crate::clock::Timestamp;
use crate::store::{
    Commit, Committed, Durability, Key, Listing, Loaded, Page, Purged, Query, ScanCursor, Scanned, Store, StoreError,
};

const SCAN: &str = "SELECT record_send(r) FROM grantor.record r \
    WHERE (r.partition, r.kind, r.id) > ($1, $2, $3) ORDER BY r.partition, r.kind, r.id LIMIT $4";

const PURGE: &str = "SELECT removed, more FROM grantor.purge_v1($1, $2)";

/// How many records one statement of a purge forgets: some milliseconds, in which only these are locked.
const PIECE: u32 = 500;

/// A store in PostgreSQL (15 and later).
///
/// ```no_run
/// # async fn example() -> Result<(), grantor::store::StoreError> {
/// use grantor::store::{PostgresOptions, PostgresStore};
///
/// let store = PostgresStore::open("postgres://auth@db.example/auth", PostgresOptions::new()).await?;
/// # drop(store);
/// # Ok(())
/// # }
/// ```
///
/// A load is one statement and one round trip, and so is a commit. It is right at every level of isolation that the
/// database may have as its default, and behind a pooler that hands a connection to another client after each transaction: it leaves
/// nothing in a session and takes nothing from one.
#[derive(Clone)]
pub struct PostgresStore {
    pool: Pool,
    options: PostgresOptions,
}

impl PostgresStore {
    /// A store with connections of its own, and the tables and functions in place.
    ///
    /// # Errors
    ///
    /// As those of [`connect`](Self::connect) and [`migrate`](Self::migrate).
    pub async fn open(url: &str, options: PostgresOptions) -> Result<Self, StoreError> {
        let store = Self::connect(url, options)?;
        store.migrate().await?;
        Ok(store)
    }

    /// A store with connections of its own, without TLS, made when they are needed; a host that wants TLS makes the pool
    /// itself ([`on_pool`](Self::on_pool)). Must be called within a tokio runtime.
    ///
    /// Unless the URL says otherwise, a server that only reads is not spoken to, connecting takes at most 5 s, and a peer that has vanished is noticed after 30 s.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the URL cannot be read or asks for TLS.
    pub fn connect(url: &str, options: PostgresOptions) -> Result<Self, StoreError> {
        let unusable = |why: String| StoreError::Unavailable(format!("the URL of the database: {why}"));
        let mut config = tokio_postgres::Config::from_str(url).map_err(|error| unusable(words(&error)))?;
        if config.get_ssl_mode() == SslMode::Require {
            return Err(unusable("it asks for TLS, for which the host makes the pool".into()));
        }
        if !url.contains("target_session_attrs") {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(5));
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(Duration::from_secs(30));
        }
        if config.get_application_name().is_none() {
            config.application_name("grantor");
        }
        // Only looks whether the connection is open: asking the server would be another round trip.
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(config, NoTls, recycling);
        let pool = Pool::builder(manager).max_size(options.connections).build();
        Ok(Self::on_pool(pool.map_err(|error| unusable(words(&error)))?, options))
    }

    /// A store on the host's pool; does nothing yet. Its manager should use [`RecyclingMethod::Fast`], as others cost a
    /// round trip for each operation, and a server that only reads should not be among its hosts (`target_session_attrs`).
    pub const fn on_pool(pool: Pool, options: PostgresOptions) -> Self {
        Self { pool, options }
    }

    /// How a page of a list is found: the lines of `EXPLAIN`, of the statement that [`list`](Store::list) sends; none for
    /// a list that is known to be empty. For tests: the words are those of PostgreSQL, and change with it and with what is
    /// in the table.
    ///
    /// # Errors
    ///
    /// As those of [`list`](Store::list).
    #[cfg(feature = "store-tests")]
    pub async fn plan(&self, query: &Query, page: &Page) -> Result<Vec<String>, StoreError> {
        let Some(select) = Select::of(query, page) else { return Ok(Vec::new()) };
        let explain = ["EXPLAIN (COSTS OFF) ", &select.statement].concat();
        let rows = self.ask(&explain, &select.parameters()).await.map_err(Fault::of_a_read)?;
        rows.iter().map(|row| row.try_get(0).map_err(|error| StoreError::Corrupt(words(&error)))).collect()
    }

    pub(super) const fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(super) const fn options(&self) -> &PostgresOptions {
        &self.options
    }

    pub(super) async fn ask(&self, statement: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Fault> {
        session::ask(&self.pool, &self.options, statement, parameters).await
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the pool: it knows the password.
        f.debug_struct("PostgresStore").field("options", &self.options).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Loaded>>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let arrays = Keys::of(keys);
        let rows = self.ask(load::STATEMENT, &arrays.parameters()).await.map_err(Fault::of_a_read)?;
        load::found(&rows, keys.len())
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        if !commit.is_local() {
            return Err(StoreError::Corrupt("a commit names keys of several partitions".into()));
        }
        let arguments = Arguments::of(commit, &self.options)?;
        commit::outcome(self.ask(commit::STATEMENT, &arguments.parameters()).await)
    }

    async fn list(&self, query: &Query, page: &Page) -> Result<Listing, StoreError> {
        let Some(select) = Select::of(query, page) else {
            return Ok(Listing { records: Vec::new(), next: None });
        };
        let rows = self.ask(&select.statement, &select.parameters()).await.map_err(Fault::of_a_read)?;
        select.listing(&rows)
    }

    async fn scan(&self, after: Option<&ScanCursor>, limit: u32) -> Result<Scanned, StoreError> {
        let after = after.map(ScanCursor::key).transpose()?;
        // Before the first partition there is -1.
        let partition = after.map_or(-1, |key| i32::from(key.partition.0));
        let kind = after.map_or(0, |key| i16::from(key.kind.0));
        let id = after.map_or_else(Vec::new, |key| key.id.to_vec());
        let limit = limit.clamp(1, 1_000);
        let most = i64::from(limit);
        let parameters = [
            (&partition as _, Type::INT4),
            (&kind as _, Type::INT2),
            (&id as _, Type::BYTEA),
            (&most as _, Type::INT8),
        ];
        let rows = self.ask(SCAN, &parameters).await.map_err(Fault::of_a_read)?;
        let records: Vec<_> = rows.iter().map(list::record).collect::<Result<_, _>>()?;
        let full = u32::try_from(records.len()).is_ok_and(|found| found == limit);
        let next = records.last().filter(|_| full).map(|record| ScanCursor::at(&record.key));
        Ok(Scanned { records, next })
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        let mut purged = Purged { removed: 0, more: true };
        while purged.more && purged.removed < limit {
            let piece = i32::try_from(limit.saturating_sub(purged.removed).min(PIECE)).unwrap_or(i32::MAX);
            let parameters = [(&before.as_millis() as _, Type::INT8), (&piece as _, Type::INT4)];
            let rows = self.ask(PURGE, &parameters).await.map_err(Fault::of_a_read)?;
            let odd = || StoreError::Corrupt("a purge was answered without a row".into());
            let row = rows.first().ok_or_else(odd)?;
            let removed: i32 = row.try_get(0).map_err(|error| StoreError::Corrupt(words(&error)))?;
            purged.more = row.try_get(1).map_err(|error| StoreError::Corrupt(words(&error)))?;
            purged.removed = purged.removed.saturating_add(removed.unsigned_abs());
            if removed < piece {
                // What is left is in use: not to be waited for.
                break;
            }
        }
        Ok(purged)
    }

    fn durability(&self) -> Durability {
        self.options.durability
    }
}
