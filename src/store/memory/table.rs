//! The records of one partition, by key.
//!
//! A table for each partition, rather than one for each shard: the partition is then the index by subject and by
//! parent (both live in the partition of what hangs on them), which costs no memory at all, and a table that grows
//! moves a few dozen entries, not all of a shard.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;

use super::expiry::Place;
use crate::store::{Key, Record};

/// A record in its table: 16 bytes, since the key is in the record and need not be here as well.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) record: Arc<Record>,
    /// Where the record stands in the expiry queue.
    pub(super) place: Place,
    /// What is hashed, kept here so that a table that grows need not visit its records.
    head: u32,
}

impl Entry {
    pub(super) fn new(record: Arc<Record>, place: Place) -> Self {
        let head = head(&record.key.id);
        Self { record, place, head }
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.record.key == other.record.key
    }
}

impl Eq for Entry {}

impl Hash for Entry {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The same as `HeadHasher` makes of a whole key: `Borrow` promises so.
        state.write_u32(self.head);
    }
}

impl Borrow<Key> for Entry {
    fn borrow(&self) -> &Key {
        &self.record.key
    }
}

/// Hashes a [`Key`] to the head of its id.
///
/// The id is a SHA-256 digest already: hashing it again buys nothing, and neither would a random seed. Most ids are
/// digests of what the server drew at random; whoever chooses the name of a record (a `jti`) would have to grind
/// a digest for every collision, and would slow down nothing but the one partition that is his own.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct HeadHasher(u64);

impl Hasher for HeadHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.write_u32(head(bytes));
    }

    fn write_u32(&mut self, head: u32) {
        // An odd multiplier keeps the low bits and spreads them upwards: the table takes its position from the low bits
        // and a check from the top seven.
        self.0 = u64::from(head).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    // The partition and the kind, and the length of the id: the id is a digest of the kind too, and a table is of one
    // partition.
    fn write_u8(&mut self, _kind: u8) {}
    fn write_u16(&mut self, _partition: u16) {}
    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

fn head(id: &[u8]) -> u32 {
    id.first_chunk().map_or(0, |head| u32::from_le_bytes(*head))
}

/// The records of one partition.
#[derive(Debug, Default)]
pub(super) struct Table(HashSet<Entry, BuildHasherDefault<HeadHasher>>);

impl Table {
    pub(super) fn get(&self, key: &Key) -> Option<&Entry> {
        self.0.get(key)
    }

    pub(super) fn put(&mut self, entry: Entry) {
        self.0.replace(entry);
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<Entry> {
        let removed = self.0.take(key);
        // Memory goes back as records go: all of it with the last, and in between whenever three quarters stand empty.
        if self.0.is_empty() {
            self.0 = HashSet::default();
        } else if self.0.capacity() > 64 && self.0.len() < self.0.capacity() / 4 {
            self.0.shrink_to(self.0.len().saturating_mul(2));
        }
        removed
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &Arc<Record>> {
        self.0.iter().map(|entry| &entry.record)
    }
}
