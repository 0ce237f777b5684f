//! The outbox.
//!
//! On one server all events of a tenant stand in one stream, in bucket 0, in the order of the commits. In a Cluster a
//! commit can write to its own slot only, so there is a stream in each bucket, and no order between them that all nodes
//! could agree on: the order within a partition is that of its commits, and how the partitions are put together may
//! differ from one reading to another.
//!
//! A stream counts its events from 1. A cursor is the bucket whose turn is next, and how far the stream of each bucket
//! was read: a few bytes of text on one server, about 400 to 1,000 in a Cluster.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use redis::Value;

use super::bucket::{BUCKETS, Bucket, Roots};
use super::fault::{Fault, garbled};
use super::forget::forget;
use super::list::bytes;
use super::nodes::Nodes;
use super::script::{Call, SCRIPTS};
use crate::store::{EventCursor, Partition, Purged, StoreError, StoredEvent, Tenant};

/// How far each bucket was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Places {
    /// Whose turn is next: else the first buckets would keep the last ones waiting.
    turn: u8,
    read: Vec<u64>,
}

impl Places {
    fn start() -> Self {
        Self { turn: 0, read: vec![0; usize::from(BUCKETS)] }
    }

    fn of(&self, bucket: Bucket) -> u64 {
        self.read.get(bucket.index()).copied().unwrap_or_default()
    }

    fn set(&mut self, bucket: Bucket, number: u64) {
        if let Some(read) = self.read.get_mut(bucket.index()) {
            *read = number;
        }
        self.turn = bucket.0.wrapping_add(1);
    }

    /// These buckets, beginning with the one whose turn it is.
    fn in_turn(&self, mut buckets: Vec<Bucket>) -> Vec<Bucket> {
        buckets.sort_by_key(|bucket| bucket.0.wrapping_sub(self.turn));
        buckets
    }

    fn print(&self) -> EventCursor {
        let mut bytes = vec![self.turn];
        let last = self.read.iter().rposition(|number| *number > 0).map_or(0, |last| last.saturating_add(1));
        for number in self.read.iter().take(last) {
            let mut rest = *number;
            while rest > 0x7f {
                bytes.push((rest & 0x7f) as u8 | 0x80);
                rest >>= 7;
            }
            bytes.push((rest & 0x7f) as u8);
        }
        EventCursor(URL_SAFE_NO_PAD.encode(bytes))
    }

    fn parse(cursor: &EventCursor) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(&cursor.0).ok()?;
        let (turn, mut rest) = bytes.split_first()?;
        let mut places = Self { turn: *turn, ..Self::start() };
        for place in &mut places.read {
            // What is left out was not read.
            if rest.is_empty() {
                break;
            }
            let mut shift = 0_u32;
            loop {
                let (byte, after) = rest.split_first()?;
                rest = after;
                *place |= u64::from(byte & 0x7f).checked_shl(shift)?;
                shift = shift.saturating_add(7);
                if byte & 0x80 == 0 {
                    break;
                }
            }
        }
        rest.is_empty().then_some(places)
    }
}

fn parse(cursor: &EventCursor) -> Result<Places, StoreError> {
    Places::parse(cursor).ok_or_else(|| StoreError::Corrupt("a cursor of events is not one of this store".into()))
}

fn stream(roots: &Roots, bucket: Bucket, tenant: Tenant) -> Vec<u8> {
    [roots.of(bucket), b"e", &tenant.0].concat()
}

/// The stream that the events of a commit go to.
pub(super) fn stream_of(nodes: &Nodes, roots: &Roots, tenant: Tenant, partition: Partition) -> Vec<u8> {
    stream(roots, if nodes.is_one() { Bucket(0) } else { Bucket::of(partition) }, tenant)
}

/// The buckets in which there are streams.
fn buckets(nodes: &Nodes) -> Vec<Bucket> {
    if nodes.is_one() { vec![Bucket(0)] } else { Bucket::all().collect() }
}

/// Events after a cursor, at most `limit` of them.
pub(super) async fn events_after(
    nodes: &Nodes,
    roots: &Roots,
    tenant: Tenant,
    after: Option<&EventCursor>,
    limit: u32,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut places = after.map_or_else(|| Ok(Places::start()), parse)?;
    let limit = usize::try_from(limit.clamp(1, 10_000)).unwrap_or(10_000);
    let mut events: Vec<StoredEvent> = Vec::new();
    let mut open: Vec<Bucket> = places.in_turn(buckets(nodes));
    while !open.is_empty() && events.len() < limit {
        // More than its share, since some have none: what is read beyond the limit is read again.
        let share = limit
            .saturating_sub(events.len())
            .saturating_mul(4)
            .checked_div(open.len())
            .unwrap_or_default()
            .saturating_add(1);
        let call = |bucket: &Bucket| {
            let mut command = redis::cmd("XRANGE");
            command
                .arg(stream(roots, *bucket, tenant))
                .arg(format!("(0-{}", places.of(*bucket)))
                .arg("+")
                .arg("COUNT")
                .arg(share);
            Call::plain(*bucket, command)
        };
        let calls: Vec<Call> = open.iter().map(call).collect();
        let mut more = Vec::new();
        for (bucket, answer) in open.iter().zip(nodes.ask(&calls).await) {
            let Value::Array(found) = answer.map_err(Fault::reading)? else { return Err(garbled()) };
            if found.len() == share {
                more.push(*bucket);
            }
            for entry in found {
                if events.len() == limit {
                    return Ok(events);
                }
                let (number, json) = read(&entry).ok_or_else(garbled)?;
                places.set(*bucket, number);
                events.push(StoredEvent { cursor: places.print(), json });
            }
        }
        open = more;
    }
    Ok(events)
}

/// The number of an entry of a stream, and its text.
fn read(entry: &Value) -> Option<(u64, String)> {
    let Value::Array(parts) = entry else { return None };
    let [id, Value::Array(fields)] = parts.as_slice() else { return None };
    let [_, json] = fields.as_slice() else { return None };
    let number = std::str::from_utf8(bytes(id)?).ok()?.strip_prefix("0-")?.parse().ok()?;
    Some((number, String::from_utf8(bytes(json)?.to_vec()).ok()?))
}

/// Forgets what lies up to a cursor.
pub(super) async fn forget_events(
    nodes: &Nodes,
    roots: &Roots,
    tenant: Tenant,
    up_to: &EventCursor,
    limit: u32,
) -> Result<Purged, StoreError> {
    let places = parse(up_to)?;
    forget(nodes, buckets(nodes), limit, |bucket, quota| {
        let last = places.of(bucket).to_string();
        let arguments = [stream(roots, bucket, tenant), last.into(), quota.to_string().into()];
        Call::script(&SCRIPTS.forget, roots, bucket, arguments)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_printed_and_read() {
        let mut places = Places::start();
        for (bucket, number) in [(0, 1), (1, 127), (2, 128), (200, 1 << 40), (255, u64::MAX)] {
            places.set(Bucket(bucket), number);
        }
        assert_eq!(Places::parse(&places.print()), Some(places));
        assert_eq!(Places::parse(&Places::start().print()), Some(Places::start()));
    }

    #[test]
    fn what_is_no_cursor_is_not_read() {
        let full = Places { turn: 3, read: vec![1 << 40; 256] }.print().0;
        for text in ["", "not base64 !", &full[..full.len() - 2], &format!("{full}AAAA"), "AP____________Pw"] {
            assert_eq!(Places::parse(&EventCursor(text.into())), None, "{text}");
        }
    }

    #[test]
    fn all_buckets_have_their_turn() {
        let mut places = Places::start();
        let turns = |places: &Places| places.in_turn(Bucket::all().collect());
        places.set(Bucket(255), 1);
        assert_eq!(turns(&places)[0], Bucket(0));
        places.set(Bucket(7), 1);
        let order = turns(&places);
        assert_eq!((order[0], order[255], order.len()), (Bucket(8), Bucket(7), 256));
    }
}
