//! Events, in an order that is settled.

use async_trait::async_trait;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use super::fault::{Fault, words};
use super::options::Events;
use super::store::PostgresStore;
use crate::store::{EventCursor, Outbox, Purged, StoreError, StoredEvent, Tenant};

const HORIZON: &str = "SELECT grantor.event_horizon_v1()";

const AFTER: &str = "SELECT position, number, event FROM grantor.event \
    WHERE tenant = $1 AND (position, number) > ($2, $3) AND position <= $4 ORDER BY position, number LIMIT $5";

const FORGET: &str = "WITH gone AS (DELETE FROM grantor.event e USING ( \
        SELECT d.tenant, d.position, d.number, d.partition FROM grantor.event d \
        WHERE d.tenant = $1 AND (d.position, d.number) <= ($2, $3) \
        ORDER BY d.position, d.number LIMIT $4 FOR UPDATE SKIP LOCKED \
    ) AS due WHERE e.tenant = due.tenant AND e.position = due.position AND e.number = due.number \
        AND e.partition = due.partition RETURNING 1) SELECT count(*) FROM gone";

/// How many events one statement forgets.
const PIECE: u32 = 1_000;

#[async_trait]
impl Outbox for PostgresStore {
    /// Two round trips: the events are read by a transaction of their own, which begins when the horizon is known.
    async fn events_after(
        &self,
        tenant: Tenant,
        after: Option<&EventCursor>,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.keeps_events()?;
        let (position, number) = after.map_or(Ok((0, 0)), place)?;
        let rows = self.ask(HORIZON, &[]).await.map_err(Fault::of_a_read)?;
        let horizon: i64 = column(rows.first(), 0)?;
        let limit = i64::from(limit.clamp(1, 10_000));
        let parameters = [
            (&tenant.0.as_slice() as _, Type::BYTEA),
            (&position as _, Type::INT8),
            (&number as _, Type::INT4),
            (&horizon as _, Type::INT8),
            (&limit as _, Type::INT8),
        ];
        let rows = self.ask(AFTER, &parameters).await.map_err(Fault::of_a_read)?;
        rows.iter().map(|row| event(Some(row))).collect()
    }

    async fn forget_events(&self, tenant: Tenant, up_to: &EventCursor, limit: u32) -> Result<Purged, StoreError> {
        self.keeps_events()?;
        let (position, number) = place(up_to)?;
        let mut removed = 0_u32;
        while removed < limit {
            let piece = i64::from(limit.saturating_sub(removed).min(PIECE));
            let parameters = [
                (&tenant.0.as_slice() as _, Type::BYTEA),
                (&position as _, Type::INT8),
                (&number as _, Type::INT4),
                (&piece as _, Type::INT8),
            ];
            let rows = self.ask(FORGET, &parameters).await.map_err(Fault::of_a_read)?;
            let gone: i64 = column(rows.first(), 0)?;
            removed = removed.saturating_add(u32::try_from(gone).unwrap_or(0));
            if gone < piece {
                return Ok(Purged { removed, more: false });
            }
        }
        Ok(Purged { removed, more: true })
    }
}

impl PostgresStore {
    fn keeps_events(&self) -> Result<(), StoreError> {
        match self.options().events {
            Events::Kept => Ok(()),
            Events::Dropped => {
                Err(StoreError::Corrupt("this store was opened without PostgresOptions::keep_events".into()))
            }
        }
    }
}

/// A cursor is the position of the commit and the number of the event within it.
fn place(cursor: &EventCursor) -> Result<(i64, i32), StoreError> {
    let parts = cursor.0.split_once('.').and_then(|(position, number)| {
        let (position, number) = (position.parse().ok()?, number.parse().ok()?);
        Some((position, number))
    });
    parts.ok_or_else(|| StoreError::Corrupt("a cursor of events that this store did not make".into()))
}

fn event(row: Option<&Row>) -> Result<StoredEvent, StoreError> {
    let (position, number): (i64, i32) = (column(row, 0)?, column(row, 1)?);
    Ok(StoredEvent { cursor: EventCursor(format!("{position}.{number}")), json: column(row, 2)? })
}

fn column<'a, T: FromSql<'a>>(row: Option<&'a Row>, number: usize) -> Result<T, StoreError> {
    let row = row.ok_or_else(|| StoreError::Corrupt("an answer without a row".into()))?;
    row.try_get(number).map_err(|error| StoreError::Corrupt(words(&error)))
}
