//! Everything, in the order in which it lies here: shard by shard, partition by partition, by key.

use std::sync::Arc;

use super::shard::{SHARDS, shard_of, slot};
use super::store::{MemoryStore, lock};
use super::table::Table;
use crate::store::{Key, Record, ScanCursor, Scanned, StoreError};

pub(super) fn scan(store: &MemoryStore, after: Option<&ScanCursor>, limit: u32) -> Result<Scanned, StoreError> {
    let limit = usize::try_from(limit.clamp(1, 1_000)).unwrap_or(1_000);
    let place = after.map(read).transpose()?;
    let (first_shard, first_slot) = place.map_or((0, 0), |key| (shard_of(key.partition), slot(key.partition)));
    let mut records = Vec::new();
    for number in first_shard..SHARDS {
        let resumed = number == first_shard;
        let shard = lock(store.shard(number));
        for table in shard.tables_from(if resumed { first_slot } else { 0 }) {
            gather(table, place.as_ref(), limit, &mut records);
            if records.len() >= limit {
                let next = records.last().map(|record| ScanCursor(record.key.to_text()));
                return Ok(Scanned { records, next });
            }
        }
    }
    Ok(Scanned { records, next: None })
}

/// Adds what a partition holds after `place`, and no more than fits.
fn gather(table: &Table, place: Option<&Key>, limit: usize, records: &mut Vec<Arc<Record>>) {
    let seen =
        |record: &Record| place.is_some_and(|place| record.key.partition == place.partition && record.key <= *place);
    let mut here: Vec<_> = table.records().filter(|record| !seen(record)).collect();
    here.sort_unstable_by_key(|record| record.key);
    records.extend(here.into_iter().take(limit.saturating_sub(records.len())).cloned());
}

fn read(cursor: &ScanCursor) -> Result<Key, StoreError> {
    Key::from_text(&cursor.0)
        .ok_or_else(|| StoreError::Corrupt("a cursor of a scan that this store did not make".into()))
}
