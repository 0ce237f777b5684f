//! Which record may be forgotten next.
//!
//! Records stand in buckets by `purge_after`, about a minute wide, and each knows its place there: entering, leaving
//! and changing places take constant time, nothing stale is left behind, and a record costs 8 bytes.
//! A heap would cost a logarithm per write, and a queue of stale entries would leak.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::store::Record;

/// A bucket is 2^16 ms wide.
const WIDTH: u32 = 16;

/// Where a record stands in its bucket.
pub(super) type Place = u32;

/// The place of a record that is never forgotten, and so stands in no bucket.
pub(super) const NOWHERE: Place = Place::MAX;

/// The records that may be forgotten one day, soonest bucket first.
#[derive(Debug, Default)]
pub(super) struct Queue {
    buckets: BTreeMap<i64, Vec<Arc<Record>>>,
}

fn bucket(of: Timestamp) -> i64 {
    of.as_millis() >> WIDTH
}

impl Queue {
    pub(super) const fn new() -> Self {
        Self { buckets: BTreeMap::new() }
    }

    /// Lets `record` in.
    pub(super) fn enter(&mut self, record: &Arc<Record>) -> Place {
        if record.purge_after == Timestamp::NEVER {
            return NOWHERE;
        }
        let bucket = self.buckets.entry(bucket(record.purge_after)).or_default();
        let place = Place::try_from(bucket.len()).unwrap_or(NOWHERE);
        if place != NOWHERE {
            bucket.push(Arc::clone(record));
        }
        place
    }

    /// Takes out the record that stood at `place`. If another moved there, it is returned: it must be told.
    pub(super) fn leave(&mut self, record: &Record, place: Place) -> Option<Arc<Record>> {
        let number = bucket(record.purge_after);
        let bucket = self.buckets.get_mut(&number)?;
        let place = usize::try_from(place).ok().filter(|place| *place < bucket.len())?;
        bucket.swap_remove(place);
        let moved = bucket.get(place).cloned();
        if bucket.is_empty() {
            self.buckets.remove(&number);
        } else if bucket.capacity() > 64 && bucket.len() < bucket.capacity() / 4 {
            bucket.shrink_to(bucket.len().saturating_mul(2));
        }
        moved
    }

    /// Puts a newer version of a record in the place of the older, if both belong to the same bucket.
    pub(super) fn renew(&mut self, old: &Record, new: &Arc<Record>, place: Place) -> bool {
        if old.purge_after == Timestamp::NEVER || new.purge_after == Timestamp::NEVER {
            return place == NOWHERE && old.purge_after == new.purge_after;
        }
        let number = bucket(new.purge_after);
        if number != bucket(old.purge_after) {
            return false;
        }
        let slot = usize::try_from(place).ok().and_then(|place| self.buckets.get_mut(&number)?.get_mut(place));
        slot.map(|slot| *slot = Arc::clone(new)).is_some()
    }

    /// A record of a bucket that lies before `now` as a whole: found without looking at any that may not be forgotten
    /// yet.
    pub(super) fn overdue(&self, now: Timestamp) -> Option<&Arc<Record>> {
        let (number, records) = self.buckets.first_key_value()?;
        // The last of its bucket: when it leaves, none has to move.
        if *number < bucket(now) { records.last() } else { None }
    }

    /// The bucket that `now` falls into, where some may be forgotten and others not.
    pub(super) fn current(&self, now: Timestamp) -> &[Arc<Record>] {
        self.buckets.get(&bucket(now)).map(Vec::as_slice).unwrap_or_default()
    }
}
