//! Lists: which index answers a query, and a page of it.

use std::cmp::Ordering;
use std::ops::Bound;
use std::sync::{Arc, Mutex};

use super::index::{Spot, Stretch};
use super::shard::{Shard, shard_of};
use super::store::{MemoryStore, lock};
use super::table::Table;
use crate::clock::Timestamp;
use crate::store::{Cursor, Key, Kind, Listing, Order, Page, Partition, Query, Record};

/// How many records are looked at before others get the lock: a few dozen microseconds.
const BATCH: usize = 256;

const LOWEST: Key = Key { partition: Partition(0), kind: Kind(0), id: [0; 32] };
const HIGHEST: Key = Key { partition: Partition(u16::MAX), kind: Kind(u8::MAX), id: [u8::MAX; 32] };

pub(super) fn list(store: &MemoryStore, query: &Query, page: &Page) -> Listing {
    let limit = usize::try_from(page.limit.clamp(1, 1000)).unwrap_or(1000);
    let mut best = Best { query, after: page.after.as_ref(), limit, found: Vec::new(), worst: None };
    if let Some(partition) = query.partition {
        let shard = lock(store.shard(shard_of(partition)));
        for record in shard.table(partition).into_iter().flat_map(Table::records) {
            best.offer(record);
        }
    } else if let Some(client) = &query.client {
        let stretch = Stretch::owned(query.tenant, query.kind, client);
        for shard in store.shards() {
            walk(shard, stretch, &mut best);
            // What a full page holds already, the next shards need not beat.
            best.trim();
        }
    } else {
        let labelled = query.order == Order::Name || query.class.is_some() || query.search.is_some();
        let stretch = Stretch::labelled(query.tenant, query.kind);
        for shard in store.shards() {
            if labelled || lock(shard).all_labelled(query.kind) {
                walk(shard, stretch, &mut best);
                best.trim();
            } else {
                scan(shard, &mut best);
            }
        }
    }
    best.page()
}

/// Offers a stretch of the index, in the order of the list where that is by time, so that it can stop early.
fn walk(shard: &Mutex<Shard>, stretch: Stretch, best: &mut Best<'_>) {
    let after = best.after.map(|cursor| cursor.created_at);
    let (oldest, newest) = match best.query.order {
        Order::NewestFirst => (None, after),
        Order::OldestFirst => (after, None),
        Order::Name => (None, None),
    };
    let oldest = oldest.unwrap_or(Timestamp::from_millis(i64::MIN));
    let newest = newest.unwrap_or(Timestamp::from_millis(i64::MAX));
    let mut from = Bound::Included(Spot { stretch, created_at: oldest, key: LOWEST });
    let mut to = Bound::Included(Spot { stretch, created_at: newest, key: HIGHEST });
    let mut matched = 0_usize;
    let mut last = None;
    loop {
        let shard = lock(shard);
        let mut range = shard.index().range(from, to);
        let mut looked_at = 0_usize;
        let spot = loop {
            let next = if best.query.order == Order::NewestFirst { range.next_back() } else { range.next() };
            let Some(record) = next else { return };
            // More than a page of this shard's own; those made in the same moment are ordered by key, so all of them
            // count.
            if best.query.order != Order::Name && matched > best.limit && last != Some(record.created_at) {
                return;
            }
            if best.is_beyond(record) {
                return;
            }
            if best.offer(record) {
                matched = matched.saturating_add(1);
                last = Some(record.created_at);
            }
            looked_at = looked_at.saturating_add(1);
            if looked_at == BATCH {
                break Spot { stretch, created_at: record.created_at, key: record.key };
            }
        };
        if best.query.order == Order::NewestFirst {
            to = Bound::Excluded(spot);
        } else {
            from = Bound::Excluded(spot);
        }
    }
}

/// Offers every record of a shard, some partitions at a time.
fn scan(shard: &Mutex<Shard>, best: &mut Best<'_>) {
    let mut slot = 0_usize;
    loop {
        let shard = lock(shard);
        let mut tables = shard.tables_from(slot);
        let mut looked_at = 0_usize;
        while looked_at < BATCH {
            let Some(table) = tables.next() else { return };
            table.records().for_each(|record| {
                best.offer(record);
            });
            looked_at = looked_at.saturating_add(table.len().max(1));
            slot = slot.saturating_add(1);
        }
    }
}

/// The first records of a list after its cursor, whatever the order in which they are offered.
struct Best<'a> {
    query: &'a Query,
    after: Option<&'a Cursor>,
    limit: usize,
    found: Vec<Arc<Record>>,
    /// When a page was full, the moment of the last on it.
    worst: Option<Timestamp>,
}

impl Best<'_> {
    /// Takes `record` in if it belongs to the list and lies after the cursor, and tells whether it did.
    fn offer(&mut self, record: &Arc<Record>) -> bool {
        let order = self.query.order;
        let taken = matches(self.query, record)
            && (self.after).is_none_or(|after| compare(order, spot(record), spot_of(after)).is_gt());
        if taken {
            self.found.push(Arc::clone(record));
            if self.found.len() > self.limit.saturating_mul(4).saturating_add(64) {
                self.trim();
            }
        }
        taken
    }

    /// Keeps a page, and one more that tells whether there is another.
    fn trim(&mut self) {
        let order = self.query.order;
        self.found.sort_unstable_by(|a, b| compare(order, spot(a), spot(b)));
        self.found.truncate(self.limit.saturating_add(1));
        self.worst = self.found.get(self.limit).map(|record| record.created_at);
    }

    /// Whether `record`, and all that come after it in a list by time, cannot be on this page.
    fn is_beyond(&self, record: &Record) -> bool {
        self.worst.is_some_and(|worst| match self.query.order {
            Order::NewestFirst => record.created_at < worst,
            Order::OldestFirst => record.created_at > worst,
            Order::Name => false,
        })
    }

    fn page(mut self) -> Listing {
        self.trim();
        let more = self.found.len() > self.limit;
        self.found.truncate(self.limit);
        let next = self.found.last().filter(|_| more).map(|record| Cursor::of(record));
        Listing { records: self.found, next }
    }
}

type Position<'a> = (Timestamp, &'a str, &'a Key);

fn spot(record: &Record) -> Position<'_> {
    (record.created_at, record.labels.as_ref().map_or("", |labels| &labels.name), &record.key)
}

fn spot_of(cursor: &Cursor) -> Position<'_> {
    (cursor.created_at, &cursor.name, &cursor.key)
}

fn compare(order: Order, a: Position<'_>, b: Position<'_>) -> Ordering {
    let first = match order {
        Order::NewestFirst => b.0.cmp(&a.0),
        Order::OldestFirst => a.0.cmp(&b.0),
        Order::Name => a.1.cmp(b.1),
    };
    first.then_with(|| a.2.cmp(b.2))
}

fn matches(query: &Query, record: &Record) -> bool {
    let Query { tenant, kind, partition, parent, client, subject, state, class, search, order } = query;
    let owner = record.owner.as_deref();
    let labels = record.labels.as_deref();
    record.tenant == *tenant
        && record.key.kind == *kind
        && partition.is_none_or(|partition| record.key.partition == partition)
        && parent.is_none_or(|parent| record.parent.is_some_and(|link| link.key == parent))
        && client.is_none_or(|client| owner.is_some_and(|owner| owner.client.key == client))
        && subject.is_none_or(|subject| owner.and_then(|owner| owner.subject).is_some_and(|link| link.key == subject))
        && state.is_none_or(|state| record.state == state)
        && class.as_ref().is_none_or(|class| labels.is_some_and(|labels| labels.class == *class))
        && search.as_ref().is_none_or(|search| {
            labels.is_some_and(|labels| contains(&labels.name, search) || starts_with(&labels.public_id, search))
        })
        && (*order != Order::Name || labels.is_some())
}

fn starts_with(text: &str, wanted: &str) -> bool {
    text.as_bytes().get(..wanted.len()).is_some_and(|head| head.eq_ignore_ascii_case(wanted.as_bytes()))
}

fn contains(text: &str, wanted: &str) -> bool {
    wanted.is_empty() || text.as_bytes().windows(wanted.len()).any(|part| part.eq_ignore_ascii_case(wanted.as_bytes()))
}
