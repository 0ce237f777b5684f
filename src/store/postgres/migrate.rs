//! The tables and functions, made once by however many nodes.

use tokio_postgres::IsolationLevel;
use tokio_postgres::error::SqlState;

use super::fault::{Fault, words};
use super::session::connection;
use super::store::PostgresStore;
use crate::store::{Durability, StoreError};

/// One step from an empty database to what this version needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migration {
    /// Its number: steps are applied in this order, each once.
    pub number: i32,
    /// What it is about.
    pub name: &'static str,
    /// Statements of SQL, for one transaction. They note the number in the table `grantor.migration`, so whoever applies them.
    pub sql: &'static str,
}

pub(super) const ALL: &[Migration] = &[
    Migration { number: 1, name: "records", sql: include_str!("sql/0001_records.sql") },
    Migration { number: 2, name: "functions", sql: include_str!("sql/0002_functions.sql") },
    Migration { number: 3, name: "lists", sql: include_str!("sql/0003_lists.sql") },
];

pub(super) const HASH_PARTITIONED: &str = include_str!("sql/hash_partitioned.sql");

/// Whoever migrates holds this lock until the end of the transaction, so it is held by nobody who is gone.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7454127460279349761)";

const DONE: &str = "SELECT COALESCE(max(number), 0) FROM grantor.migration";

impl PostgresStore {
    /// Applies what is missing. Any number of nodes may do so at once: one works, the others wait for it and find nothing to do.
    /// Where nothing is missing nothing is locked, and no right to change the schema is needed.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when nothing was changed: also where the server does not flush to disk, or its text is not UTF-8.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.check_server().await?;
        let newest = ALL.last().map_or(0, |migration| migration.number);
        if self.done().await? >= newest {
            return Ok(());
        }
        let mut connection = connection(self.pool(), self.options()).await.map_err(Fault::of_a_read)?;
        let failed = |error: tokio_postgres::Error| Fault::of(&error).of_a_read();
        // Whatever the session would have: what others did must be seen after the wait.
        let builder = connection.build_transaction().isolation_level(IsolationLevel::ReadCommitted);
        let transaction = builder.start().await.map_err(failed)?;
        transaction.batch_execute(LOCK).await.map_err(failed)?;
        let exists = transaction.query_typed("SELECT to_regclass('grantor.migration') IS NOT NULL", &[]).await;
        let exists = exists.map_err(failed)?.first().is_some_and(|row| matches!(row.try_get(0), Ok(true)));
        let done = if exists { number(&transaction.query_typed(DONE, &[]).await.map_err(failed)?)? } else { 0 };
        for migration in ALL.iter().filter(|migration| migration.number > done) {
            transaction.batch_execute(migration.sql).await.map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    /// The steps, in order, for hosts that apply them with a tool of their own.
    pub const fn migrations() -> &'static [Migration] {
        ALL
    }

    /// Makes the table of records in 16 pieces, by hash. Optional; to be applied before the first migration.
    pub const fn hash_partitioned() -> &'static str {
        HASH_PARTITIONED
    }

    /// The number of the last step that was applied.
    async fn done(&self) -> Result<i32, StoreError> {
        match self.ask(DONE, &[]).await {
            Ok(rows) => number(&rows),
            Err(Fault::RolledBack { state, .. })
                if [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME].contains(&state) =>
            {
                Ok(0)
            }
            Err(fault) => Err(fault.of_a_read()),
        }
    }

    /// Refuses a server that cannot keep what is promised.
    async fn check_server(&self) -> Result<(), StoreError> {
        let settings = "SELECT current_setting('fsync') = 'on', current_setting('server_encoding') = 'UTF8'";
        let rows = self.ask(settings, &[]).await.map_err(Fault::of_a_read)?;
        let row = rows.first().ok_or_else(|| StoreError::Corrupt("an answer without a row".into()))?;
        let setting = |number: usize| row.try_get::<_, bool>(number).map_err(|it| StoreError::Corrupt(words(&it)));
        if !setting(0)? && self.options().durability == Durability::Durable {
            let why = "the server runs with fsync = off: a crash would bring spent codes and revoked tokens back";
            return Err(StoreError::Unavailable(why.into()));
        }
        if !setting(1)? {
            return Err(StoreError::Unavailable("the encoding of the database is not UTF8".into()));
        }
        Ok(())
    }
}

fn number(rows: &[tokio_postgres::Row]) -> Result<i32, StoreError> {
    let row = rows.first().ok_or_else(|| StoreError::Corrupt("an answer without a row".into()))?;
    row.try_get(0).map_err(|error| StoreError::Corrupt(words(&error)))
}
