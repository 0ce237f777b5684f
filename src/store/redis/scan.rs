//! Everything, a bucket after another: the tails of a bucket are all in the set by which it forgets.

use redis::Value;

use super::bucket::{Bucket, Roots, key};
use super::fault::{Fault, garbled};
use super::load::records;
use super::nodes::Nodes;
use super::script::Call;
use crate::store::{Key, ScanCursor, Scanned, StoreError};

/// Some of all records. Redis promises that what is in a set all the time is seen, at least once, also while scores move.
pub(super) async fn scan(
    nodes: &Nodes,
    roots: &Roots,
    after: Option<&ScanCursor>,
    limit: u32,
) -> Result<Scanned, StoreError> {
    let (bucket, place) = match after {
        Some(cursor) => {
            read(cursor).ok_or_else(|| StoreError::Corrupt("a cursor that this store did not make".into()))?
        }
        None => (Bucket(0), 0),
    };
    let mut command = redis::cmd("ZSCAN");
    command.arg([roots.of(bucket), b"d"].concat()).arg(place).arg("COUNT").arg(limit.clamp(1, 1_000));
    let answer = nodes.ask(&[Call::plain(bucket, command)]).await.pop().ok_or_else(garbled)?;
    let Value::Array(parts) = answer.map_err(Fault::reading)? else { return Err(garbled()) };
    let [Value::BulkString(next), Value::Array(found)] = parts.as_slice() else { return Err(garbled()) };
    let next: u64 = std::str::from_utf8(next).ok().and_then(|next| next.parse().ok()).ok_or_else(garbled)?;
    // Tails and scores by turns.
    let keys: Vec<Key> = found.iter().step_by(2).map(tail).collect::<Option<_>>().ok_or_else(garbled)?;
    let records = records(nodes, roots, &keys).await?.into_iter().flatten().collect();
    let next = match (next, bucket.0.checked_add(1)) {
        (0, None) => None,
        (0, Some(bucket)) => Some((bucket, 0)),
        (place, _) => Some((bucket.0, place)),
    };
    Ok(Scanned { records, next: next.map(|(bucket, place)| ScanCursor(format!("{bucket}.{place}"))) })
}

fn read(cursor: &ScanCursor) -> Option<(Bucket, u64)> {
    let (bucket, place) = cursor.0.split_once('.')?;
    Some((Bucket(bucket.parse().ok()?), place.parse().ok()?))
}

fn tail(member: &Value) -> Option<Key> {
    match member {
        Value::BulkString(tail) => key(tail),
        _ => None,
    }
}
