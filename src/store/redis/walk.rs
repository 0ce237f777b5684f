//! Lists that are not kept in the order asked for: everything is looked at, some at a time, and the best of it kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use redis::Value;

use super::bucket::{Bucket, Roots, key};
use super::fault::{Fault, garbled};
use super::list::{Place, Plan, bytes, kind, matches};
use super::nodes::Nodes;
use super::row::decode;
use super::script::{Call, SCRIPTS};
use crate::store::{Cursor, Listing, Query, Record, StoreError};

/// About how many records of a bucket are looked at in one call.
const PIECE: usize = 64;

/// How many buckets are asked at once.
const ABREAST: usize = 16;

/// One page of a list.
pub(super) async fn list(
    nodes: &Nodes,
    roots: &Roots,
    plan: &Plan,
    query: &Query,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Listing, StoreError> {
    let after = after.map(|cursor| Place::after(query.order, cursor));
    let mut best = BTreeMap::new();
    for buckets in plan.buckets.chunks(ABREAST) {
        let mut open: Vec<(Bucket, Vec<u8>)> = buckets.iter().map(|bucket| (*bucket, b"0".to_vec())).collect();
        while !open.is_empty() {
            let calls: Vec<Call> = open.iter().map(|(bucket, from)| call(roots, plan, query, *bucket, from)).collect();
            let mut next = Vec::new();
            for ((bucket, _), answer) in open.iter().zip(nodes.ask(&calls).await) {
                let Value::Array(parts) = answer.map_err(Fault::reading)? else { return Err(garbled()) };
                let (from, found) = parts.split_first().ok_or_else(garbled)?;
                for pair in found.chunks(2) {
                    if let Some((place, record)) = candidate(query, after.as_ref(), pair)? {
                        best.insert(place, record);
                    }
                }
                // A page, and one more that tells whether there is another.
                while best.len() > limit.saturating_add(1) {
                    best.pop_last();
                }
                let from = bytes(from).ok_or_else(garbled)?;
                if from != b"0" {
                    next.push((*bucket, from.to_vec()));
                }
            }
            open = next;
        }
    }
    Ok(page(best.into_values(), limit))
}

fn call(roots: &Roots, plan: &Plan, query: &Query, bucket: Bucket, from: &[u8]) -> Call {
    let partition = query.partition.map(|partition| partition.0.to_be_bytes().to_vec()).unwrap_or_default();
    let arguments = [plan.list.clone(), from.to_vec(), PIECE.to_string().into(), kind(query.kind).to_vec(), partition];
    Call::script(&SCRIPTS.walk, roots, bucket, arguments)
}

/// A record that belongs to the list and lies after the cursor, and where.
fn candidate(query: &Query, after: Option<&Place>, pair: &[Value]) -> Result<Option<(Place, Arc<Record>)>, StoreError> {
    let [name, value] = pair else { return Err(garbled()) };
    let (Some(name), Some(value)) = (bytes(name), bytes(value)) else { return Err(garbled()) };
    let record = decode(key(name).ok_or_else(garbled)?, value)?;
    let place = Place::of(query.order, &record).filter(|place| after.is_none_or(|after| place > after));
    Ok(place.filter(|_| matches(query, &record)).map(|place| (place, record)))
}

/// The first `limit` of these as a page.
pub(super) fn page(records: impl IntoIterator<Item = Arc<Record>>, limit: usize) -> Listing {
    let mut records: Vec<Arc<Record>> = records.into_iter().take(limit.saturating_add(1)).collect();
    let more = records.len() > limit;
    records.truncate(limit);
    let next = records.last().filter(|_| more).map(|record| Cursor::of(record));
    Listing { records, next }
}
