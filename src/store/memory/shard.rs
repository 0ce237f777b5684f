//! What one lock protects: the tables of its partitions, and the indexes that are kept in step with them.

use std::sync::Arc;

use super::expiry::{Place, Queue};
use super::index::Index;
use super::table::{Entry, Table};
use crate::clock::Timestamp;
use crate::store::{Key, Kind, Partition, Record};

/// There are 2^6 shards.
const SHARD_BITS: u32 = 6;

/// How many shards there are.
pub(super) const SHARDS: usize = 1 << SHARD_BITS;

/// The number of the shard that holds `partition`.
pub(super) fn shard_of(partition: Partition) -> usize {
    // A partition is a uniform hash, so its low bits spread as well as any.
    usize::from(partition.0) & (SHARDS - 1)
}

/// How many records of the bucket that is half past are looked at in one go, at most.
const EXAMINED: usize = 256;

/// The records of one partition in 64.
///
/// Records are shared and never changed: a write puts a new one in place of the old, so that whoever holds what a load
/// returned keeps what it saw. What a method takes out it hands back, to be dropped when the lock is released.
#[derive(Debug)]
pub(super) struct Shard {
    tables: Vec<Table>,
    queue: Queue,
    index: Index,
    /// By kind, how many records have no label: where that is none, the index holds all of a kind.
    unlabelled: Vec<usize>,
}

impl Shard {
    pub(super) const fn new() -> Self {
        Self { tables: Vec::new(), queue: Queue::new(), index: Index::new(), unlabelled: Vec::new() }
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Arc<Record>> {
        self.table(key.partition)?.get(key).map(|entry| &entry.record)
    }

    /// The table of a partition of this shard.
    pub(super) fn table(&self, partition: Partition) -> Option<&Table> {
        self.tables.get(slot(partition))
    }

    /// The tables of all partitions, from the `from`th on.
    pub(super) fn tables_from(&self, from: usize) -> impl Iterator<Item = &Table> {
        self.tables.iter().skip(from)
    }

    pub(super) const fn index(&self) -> &Index {
        &self.index
    }

    /// Whether every record of `kind` has a label.
    pub(super) fn all_labelled(&self, kind: Kind) -> bool {
        self.unlabelled.get(usize::from(kind.0)).is_none_or(|count| *count == 0)
    }

    /// Puts `record` in place of the one of the same name, if there is one, and returns that.
    pub(super) fn put(&mut self, record: Arc<Record>) -> Option<Arc<Record>> {
        let old = self.entry(&record.key);
        let place = match &old {
            None => self.queue.enter(&record),
            Some((old, place)) if self.queue.renew(old, &record, *place) => *place,
            Some((old, place)) => {
                self.leave_queue(old, *place);
                self.queue.enter(&record)
            }
        };
        if let Some((old, _)) = &old {
            self.index.remove(old, Some(&record));
            self.count_unlabelled(old, usize::saturating_sub);
        }
        self.index.put(&record);
        self.count_unlabelled(&record, usize::saturating_add);
        self.settle(record, place);
        old.map(|(old, _)| old)
    }

    /// Takes out the record of this name.
    pub(super) fn remove(&mut self, key: &Key) -> Option<Arc<Record>> {
        let (old, place) = self.entry(key)?;
        self.leave_queue(&old, place);
        self.index.remove(&old, None);
        self.count_unlabelled(&old, usize::saturating_sub);
        if let Some(table) = self.tables.get_mut(slot(key.partition)) {
            table.remove(key);
        }
        Some(old)
    }

    /// Takes out up to `most` records whose `purge_after` lies before `now`, trailing by the width of a bucket: only
    /// records that do go are looked at.
    pub(super) fn forget(&mut self, now: Timestamp, most: usize) -> Vec<Arc<Record>> {
        let mut gone = Vec::new();
        while gone.len() < most {
            let Some(key) = self.queue.overdue(now).map(|record| record.key) else { break };
            gone.extend(self.remove(&key));
        }
        gone
    }

    /// Takes out up to `most` records whose `purge_after` lies before `before`, exactly, and tells whether that was
    /// all.
    ///
    /// Only a few are looked at in one go; `resume` holds the place to go on from, and begins as [`usize::MAX`].
    pub(super) fn purge(&mut self, before: Timestamp, most: usize, resume: &mut usize) -> (Vec<Arc<Record>>, bool) {
        let mut gone = self.forget(before, most);
        // Downwards: a record that leaves is replaced by the last, which has been looked at.
        let mut at = (*resume).min(self.queue.current(before).len());
        let stop = at.saturating_sub(EXAMINED);
        while at > stop && gone.len() < most {
            at = at.saturating_sub(1);
            let record = self.queue.current(before).get(at);
            let due = record.filter(|record| record.purge_after < before).map(|record| record.key);
            gone.extend(due.and_then(|key| self.remove(&key)));
        }
        *resume = at;
        let all = at == 0 && gone.len() < most;
        (gone, all)
    }

    fn entry(&self, key: &Key) -> Option<(Arc<Record>, Place)> {
        self.table(key.partition)?.get(key).map(|entry| (Arc::clone(&entry.record), entry.place))
    }

    fn settle(&mut self, record: Arc<Record>, place: Place) {
        let slot = slot(record.key.partition);
        if self.tables.len() <= slot {
            self.tables.resize_with(slot.saturating_add(1), Table::new);
        }
        if let Some(table) = self.tables.get_mut(slot) {
            table.put(Entry::new(record, place));
        }
    }

    fn leave_queue(&mut self, record: &Record, place: Place) {
        if let Some(moved) = self.queue.leave(record, place) {
            self.settle(moved, place);
        }
    }

    fn count_unlabelled(&mut self, record: &Record, change: fn(usize, usize) -> usize) {
        if record.labels.is_none() {
            let kind = usize::from(record.key.kind.0);
            if self.unlabelled.len() <= kind {
                self.unlabelled.resize(kind.saturating_add(1), 0);
            }
            if let Some(count) = self.unlabelled.get_mut(kind) {
                *count = change(*count, 1);
            }
        }
    }
}

/// The number of the table of a partition within its shard.
pub(super) fn slot(partition: Partition) -> usize {
    usize::from(partition.0 >> SHARD_BITS)
}
