//! The outbox.
//!
//! Events are numbered as they are committed, and commits come one after another, also those of several processes: whoever sees a number
//! has seen all that are smaller.

use rusqlite::{Connection, params};

use super::fault::Fault;
use crate::store::{EventCursor, StoreError, StoredEvent, Tenant};

pub(super) fn after(
    connection: &Connection,
    tenant: Tenant,
    after: i64,
    limit: u32,
) -> Result<Vec<StoredEvent>, Fault> {
    let mut select = connection.prepare_cached(include_str!("sql/events_after.sql"))?;
    let mut rows = select.query(params![tenant.0, after, limit])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(0)?;
        events.push(StoredEvent { cursor: EventCursor(number.to_string()), json: row.get(1)? });
    }
    Ok(events)
}

/// The number in a cursor.
pub(super) fn number(cursor: &EventCursor) -> Result<i64, StoreError> {
    cursor.0.parse().map_err(|_| StoreError::Corrupt("a cursor of events that this store did not make".into()))
}
