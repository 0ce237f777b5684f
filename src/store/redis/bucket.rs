//! From a partition to the keys of Redis.
//!
//! 65,536 partitions fall into 256 buckets, by their lower byte; every key of a bucket bears the bucket's hash tag, so
//! that in a Cluster all of them live in one slot, on one node, and one script may touch them. 256, not 65,536: what
//! runs through all partitions (purge, lists by client, events) asks every bucket once. Partitions are uniform, so
//! buckets are equally full. The tags are chosen so that bucket `b` lies in the 64 slots from `64 b` on: slots that are
//! dealt out in even ranges, as `redis-cli --cluster create` does, give every node the same number of buckets, give or
//! take one.
//!
//! | key | type | holds |
//! |---|---|---|
//! | root `r` tail | string | a record; see `row.rs` |
//! | root `d` | sorted set | tails, by when they may be forgotten |
//! | root `o` kind client | sorted set | what a client owns, by time |
//! | root `s` kind subject | sorted set | what a subject owns, by time |
//! | root `l` tenant kind | sorted set | what has labels, by time |
//! | root `n` tenant kind | sorted set | what has labels, by name |
//! | root `x` | set | tenants and kinds of which some record has no labels |
//! | root `e` tenant | stream | events; on one server in bucket 0 only |
//! | root `v` | string | the layout; in a Cluster in each bucket, else in bucket 0 |
//!
//! The root is the prefix and the tag: `grantor{a2f}`. A tail is 35 bytes: partition, kind, id.

use std::sync::LazyLock;

use crate::store::{Key, Kind, Partition};

/// How many buckets there are; written into every database, so it never changes.
pub(super) const BUCKETS: u16 = 256;

/// The length of a tail.
pub(super) const TAIL: usize = 35;

/// Where partitions live together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Bucket(pub(super) u8);

impl Bucket {
    pub(super) const fn of(partition: Partition) -> Self {
        let [_, low] = partition.0.to_be_bytes();
        Self(low)
    }

    pub(super) fn all() -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator {
        // `0..=255` does not know its length.
        (0..BUCKETS).map(|bucket| Self(bucket.to_be_bytes()[1]))
    }

    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// The keys of one database.
#[derive(Debug)]
pub(super) struct Roots {
    prefix: String,
    roots: Vec<Vec<u8>>,
}

impl Roots {
    pub(super) fn new(prefix: &str) -> Self {
        let roots = TAGS.iter().map(|tag| format!("{prefix}{{{tag}}}").into_bytes()).collect();
        Self { prefix: prefix.into(), roots }
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(super) fn of(&self, bucket: Bucket) -> &[u8] {
        self.roots.get(bucket.index()).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The tag of each bucket.
static TAGS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut tags = vec![String::new(); usize::from(BUCKETS)];
    let mut missing = tags.len();
    // A third of the 46,656 is enough for a tag in every stretch of slots; a test says so.
    for number in 0..36_u32.pow(3) {
        let tag: String =
            [1296, 36, 1].into_iter().filter_map(|place| char::from_digit(number / place % 36, 36)).collect();
        let (stretch, within) = (slot(tag.as_bytes()) / 64, slot(tag.as_bytes()) % 64);
        let free = tags.get_mut(usize::from(stretch)).filter(|free| free.is_empty());
        // Near the middle of the stretch: a range that ends in between has it or has it not, and its neighbours are as
        // far away.
        if let Some(free) = free.filter(|_| (28..36).contains(&within)) {
            *free = tag;
            missing = missing.saturating_sub(1);
        }
        if missing == 0 {
            break;
        }
    }
    tags
});

/// All tags, one after another: for the script that follows a record into another bucket.
pub(super) fn tags() -> String {
    TAGS.concat()
}

/// The slot of a bucket.
pub(super) fn slot_of(bucket: Bucket) -> u16 {
    TAGS.get(bucket.index()).map_or(0, |tag| slot(tag.as_bytes()))
}

/// The slot of a hash tag in a Cluster: CRC-16 (XMODEM), of which 14 bits count.
fn slot(tag: &[u8]) -> u16 {
    let crc = tag.iter().fold(0_u16, |crc, byte| {
        (0..8).fold(
            crc ^ (u16::from(*byte) << 8),
            |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 },
        )
    });
    crc & 0x3fff
}

/// The name of a record within its bucket.
pub(super) fn tail(key: &Key) -> [u8; TAIL] {
    let mut tail = [0; TAIL];
    let (head, id) = tail.split_at_mut(3);
    let [high, low] = key.partition.0.to_be_bytes();
    head.copy_from_slice(&[high, low, key.kind.0]);
    id.copy_from_slice(&key.id);
    tail
}

/// The record that a tail names.
pub(super) fn key(tail: &[u8]) -> Option<Key> {
    let (head, id) = tail.split_first_chunk::<3>()?;
    let [high, low, kind] = *head;
    let id = <[u8; 32]>::try_from(id).ok()?;
    Some(Key { partition: Partition(u16::from_be_bytes([high, low])), kind: Kind(kind), id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_redis() {
        // `CLUSTER KEYSLOT` of the tags: what the specification gives, and two of ours.
        assert_eq!(slot(b"123456789"), 0x31c3);
        assert_eq!(slot(b""), 0);
        assert_eq!(slot(b"foo"), 12182);
    }

    #[test]
    fn every_bucket_has_a_tag_in_its_own_stretch_of_slots() {
        for bucket in Bucket::all() {
            let slot = slot_of(bucket);
            assert_eq!(slot / 64, u16::from(bucket.0));
        }
        assert_eq!(tags().len(), 768);
    }

    #[test]
    fn the_tags_are_those_of_every_database_there_is() {
        // A database is found by them: if this fails, no record will be found any more.
        let digest = crc32fast::hash(tags().as_bytes());
        assert_eq!(digest, 1_164_611_276, "{}", &tags()[..30]);
    }

    #[test]
    fn even_ranges_hold_as_many_buckets() {
        for nodes in 2..=32_u32 {
            let mut held = vec![0_u32; nodes as usize];
            for bucket in Bucket::all() {
                held[(u32::from(slot_of(bucket)) * nodes / 16_384) as usize] += 1;
            }
            let (least, most) = (held.iter().min().unwrap(), held.iter().max().unwrap());
            assert!(most - least <= 1, "{nodes} nodes hold from {least} to {most}");
        }
    }

    #[test]
    fn a_tail_names_its_record() {
        let original = Key { partition: Partition(0x12fe), kind: Kind(200), id: [7; 32] };
        assert_eq!(key(&tail(&original)), Some(original));
        assert_eq!(key(&tail(&original)[..34]), None);
    }
}
