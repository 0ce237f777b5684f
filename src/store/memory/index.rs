//! Records by client and by label, in order of time.
//!
//! What an administrator lists runs through all partitions: the clients, and the grants of a client. Tokens have
//! neither an owner nor a label of their own, so the records that come in numbers cost nothing here.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::store::{Key, Kind, Record, Tenant};

/// A stretch of the index. Two lists may share one where the heads of two digests meet: whoever reads it filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stretch(u64);

impl Stretch {
    /// The records of a kind that have labels.
    pub(super) fn labelled(tenant: Tenant, kind: Kind) -> Self {
        Self::of(kind, 0, head(&tenant.0))
    }

    /// The records of a kind that have an owner, by its client.
    pub(super) fn owned(tenant: Tenant, kind: Kind, client: &Key) -> Self {
        Self::of(kind, 1, head(&tenant.0) ^ head(&client.id))
    }

    fn of(kind: Kind, family: u64, head: u64) -> Self {
        Self((head & !0x1ff) | (family << 8) | u64::from(kind.0))
    }
}

fn head(digest: &[u8]) -> u64 {
    digest.first_chunk().map_or(0, |head| u64::from_be_bytes(*head))
}

/// Where a record stands in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) stretch: Stretch,
    pub(super) created_at: Timestamp,
    pub(super) key: Key,
}

/// What the tree holds: the key is read in the record, and only where two were made in the same millisecond.
#[derive(Debug)]
struct Indexed {
    stretch: Stretch,
    created_at: Timestamp,
    record: Arc<Record>,
}

/// What both a [`Spot`] and an [`Indexed`] can be compared by, so that the tree can be asked for a place that no record
/// has.
trait Place {
    fn stretch(&self) -> Stretch;
    fn created_at(&self) -> Timestamp;
    fn key(&self) -> &Key;
}

impl Place for Spot {
    fn stretch(&self) -> Stretch {
        self.stretch
    }
    fn created_at(&self) -> Timestamp {
        self.created_at
    }
    fn key(&self) -> &Key {
        &self.key
    }
}

impl Place for Indexed {
    fn stretch(&self) -> Stretch {
        self.stretch
    }
    fn created_at(&self) -> Timestamp {
        self.created_at
    }
    fn key(&self) -> &Key {
        &self.record.key
    }
}

impl Ord for dyn Place + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.stretch().cmp(&other.stretch()))
            .then_with(|| self.created_at().cmp(&other.created_at()))
            .then_with(|| self.key().cmp(other.key()))
    }
}
impl PartialOrd for dyn Place + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for dyn Place + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for dyn Place + '_ {}

impl Ord for Indexed {
    fn cmp(&self, other: &Self) -> Ordering {
        (self as &dyn Place).cmp(other as &dyn Place)
    }
}
impl PartialOrd for Indexed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Indexed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Indexed {}

impl<'a> Borrow<dyn Place + 'a> for Indexed {
    fn borrow(&self) -> &(dyn Place + 'a) {
        self
    }
}

/// The records of a shard that are listed by client or by label.
#[derive(Debug, Default)]
pub(super) struct Index {
    tree: BTreeSet<Indexed>,
}

impl Index {
    pub(super) const fn new() -> Self {
        Self { tree: BTreeSet::new() }
    }

    /// Takes `record` in, or a newer version of it in place of the older.
    pub(super) fn put(&mut self, record: &Arc<Record>) {
        for stretch in stretches(record).into_iter().flatten() {
            let created_at = record.created_at;
            self.tree.replace(Indexed { stretch, created_at, record: Arc::clone(record) });
        }
    }

    /// Takes `record` out, but for where `heir` will stand in the same spot.
    pub(super) fn remove(&mut self, record: &Record, heir: Option<&Record>) {
        let kept = heir.map(|heir| (heir.created_at, stretches(heir)));
        for stretch in stretches(record).into_iter().flatten() {
            let inherited = kept.is_some_and(|(created_at, stretches)| {
                created_at == record.created_at && stretches.contains(&Some(stretch))
            });
            if !inherited {
                let spot = Spot { stretch, created_at: record.created_at, key: record.key };
                self.tree.remove::<dyn Place>(&spot);
            }
        }
    }

    /// The records between two bounds, oldest first; none where `from` lies after `to`.
    pub(super) fn range(&self, from: Bound<Spot>, to: Bound<Spot>) -> impl DoubleEndedIterator<Item = &Arc<Record>> {
        // The tree panics when asked for what ends before it begins, and when both ends exclude one spot.
        let ordered = match (&from, &to) {
            (Bound::Excluded(from), Bound::Excluded(to)) => from < to,
            (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => from <= to,
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => true,
        };
        let range = ordered.then(|| {
            let (from, to) = (from.as_ref().map(place), to.as_ref().map(place));
            self.tree.range::<dyn Place, _>((from, to)).map(|indexed| &indexed.record)
        });
        range.into_iter().flatten()
    }
}

fn place(spot: &Spot) -> &dyn Place {
    spot
}

fn stretches(record: &Record) -> [Option<Stretch>; 2] {
    [
        record.labels.as_ref().map(|_| Stretch::labelled(record.tenant, record.key.kind)),
        record.owner.as_ref().map(|owner| Stretch::owned(record.tenant, record.key.kind, &owner.client.key)),
    ]
}
