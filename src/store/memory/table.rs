//! The records of one partition, by key.
//!
//! A table for each partition, rather than one for each shard: the partition is then the index by subject and by
//! parent (both live in the partition of what hangs on them), which costs no memory at all, and a table that grows
//! moves a few dozen entries, not all of a shard.
//!
//! Open addressing, probed one after the other, in the order of the heads of the ids: what is looked for lies where the
//! processor has just been, and what hangs together (a token and its grant) mostly on the same few lines of its cache.

use std::sync::Arc;

use super::expiry::Place;
use crate::store::{Key, Record};

/// A record in its table: 16 bytes, since the key is in the record and need not be here as well.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) record: Arc<Record>,
    /// Where the record stands in the expiry queue.
    pub(super) place: Place,
    /// The head of the id, so that neither a search nor a table that grows need visit records in vain.
    head: u32,
}

impl Entry {
    pub(super) fn new(record: Arc<Record>, place: Place) -> Self {
        let head = head(&record.key);
        Self { record, place, head }
    }
}

/// What a record is looked for by.
///
/// The id is a SHA-256 digest already: hashing it again buys nothing, and neither would a random seed. Most ids are
/// digests of what the server drew at random; whoever chooses the name of a record (a `jti`) would have to grind
/// a digest for every collision, and would slow down nothing but the one partition that is his own.
fn head(key: &Key) -> u32 {
    key.id.first_chunk().map_or(0, |head| u32::from_be_bytes(*head))
}

/// The fewest slots that a table with a record in it has.
const FEWEST: usize = 4;

/// The records of one partition.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Some are always vacant, so that every search ends.
    slots: Vec<Option<Entry>>,
    held: usize,
}

impl Table {
    pub(super) const fn new() -> Self {
        Self { slots: Vec::new(), held: 0 }
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Entry> {
        let head = head(key);
        let (before, after) = self.slots.split_at_checked(home(head, self.slots.len()))?;
        let probed = after.iter().chain(before).map_while(Option::as_ref);
        probed.filter(|entry| entry.head == head).find(|entry| entry.record.key == *key)
    }

    /// Takes `entry` in, in place of the one of the same name.
    pub(super) fn put(&mut self, entry: Entry) {
        // Four of five slots at most are taken: beyond that, searches become long.
        if self.held.saturating_add(1).saturating_mul(5) > self.slots.len().saturating_mul(4) {
            let more = self.slots.len() / 2;
            self.resize(self.slots.len().saturating_add(more).max(FEWEST));
        }
        self.settle(entry);
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<Entry> {
        let mut gap = self.position(key)?;
        let removed = self.slots.get_mut(gap)?.take();
        self.held = self.held.saturating_sub(1);
        // Whoever stood behind, and not at home, moves up, so that no search ends too soon.
        let size = self.slots.len();
        let mut at = next(gap, size);
        while let Some(head) = self.slots.get(at).and_then(Option::as_ref).map(|entry| entry.head) {
            if distance(home(head, size), at, size) >= distance(gap, at, size) {
                self.slots.swap(gap, at);
                gap = at;
            }
            at = next(at, size);
        }
        // Memory goes back as records go: all of it with the last, and in between whenever three quarters stand empty.
        if self.held == 0 {
            self.slots = Vec::new();
        } else if size > 64 && self.held < size / 4 {
            self.resize(self.held.saturating_mul(2));
        }
        removed
    }

    pub(super) const fn len(&self) -> usize {
        self.held
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &Arc<Record>> {
        self.slots.iter().flatten().map(|entry| &entry.record)
    }

    fn position(&self, key: &Key) -> Option<usize> {
        let head = head(key);
        let mut at = home(head, self.slots.len());
        while let Some(entry) = self.slots.get(at)?.as_ref() {
            if entry.head == head && entry.record.key == *key {
                return Some(at);
            }
            at = next(at, self.slots.len());
        }
        None
    }

    fn settle(&mut self, entry: Entry) {
        let size = self.slots.len();
        let mut at = home(entry.head, size);
        while let Some(slot) = self.slots.get_mut(at) {
            match slot {
                None => {
                    *slot = Some(entry);
                    self.held = self.held.saturating_add(1);
                    return;
                }
                Some(old) if old.head == entry.head && old.record.key == entry.record.key => {
                    *old = entry;
                    return;
                }
                Some(_) => at = next(at, size),
            }
        }
    }

    fn resize(&mut self, size: usize) {
        let mut slots = Vec::new();
        slots.resize_with(size, || None);
        let old = std::mem::replace(&mut self.slots, slots);
        self.held = 0;
        old.into_iter().flatten().for_each(|entry| self.settle(entry));
    }
}

/// The slot where the search for a head begins: its share of all heads, as a share of all slots.
const fn home(head: u32, slots: usize) -> usize {
    ((head as u64).wrapping_mul(slots as u64) >> 32) as usize
}

/// The slot after `at`, round and round.
const fn next(at: usize, slots: usize) -> usize {
    let next = at.saturating_add(1);
    if next < slots { next } else { 0 }
}

/// How many steps it is from one slot to another.
const fn distance(from: usize, to: usize, slots: usize) -> usize {
    if to >= from { to.saturating_sub(from) } else { to.saturating_add(slots).saturating_sub(from) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::Timestamp;
    use crate::store::{Kind, Partition, Payload, State, Tenant};

    /// Many of the same head, so that runs are long and go round the end.
    fn entry(head: u8, tail: u8, place: Place) -> Entry {
        let mut id = [0; 32];
        (id[0], id[1], id[31]) = (head, head, tail);
        let record = Record {
            key: Key { partition: Partition(0), kind: Kind(1), id },
            tenant: Tenant([0; 16]),
            revision: 1,
            state: State::Live,
            epoch: 0,
            parent: None,
            owner: None,
            labels: None,
            created_at: Timestamp::NEVER,
            expires_at: Timestamp::NEVER,
            purge_after: Timestamp::NEVER,
            used: None,
            payload: Payload::default(),
        };
        Entry::new(Arc::new(record), place)
    }

    proptest! {
        #[test]
        fn a_table_holds_what_a_map_holds(
            steps in prop::collection::vec((any::<bool>(), prop::sample::select(vec![0_u8, 1, 128, 254, 255]), 0_u8..40), 0..400),
        ) {
            let mut table = Table::new();
            let mut map = std::collections::BTreeMap::new();
            for (at, (put, head, tail)) in (0_u32..).zip(steps) {
                let entry = entry(head, tail, at);
                let key = entry.record.key;
                if put {
                    table.put(entry);
                    map.insert(key, at);
                } else {
                    prop_assert_eq!(table.remove(&key).map(|entry| entry.place), map.remove(&key));
                }
                prop_assert_eq!(table.len(), map.len());
                prop_assert_eq!(table.records().count(), map.len());
                for (key, place) in &map {
                    prop_assert_eq!(table.get(key).map(|entry| entry.place), Some(*place));
                }
            }
        }
    }
}
