//! Lists that are kept in order, put together from all buckets.
//!
//! First the places are read, a few from each bucket, since they are small and most are not needed; then the records of
//! those that come first. A record that has gone or moved meanwhile is left out: a list never shows what is not there.

use std::collections::VecDeque;
use std::sync::Arc;

use redis::Value;

use super::bucket::{Bucket, Roots};
use super::fault::{Fault, garbled};
use super::list::{Place, Plan, bytes, matches};
use super::load;
use super::nodes::Nodes;
use super::script::{Call, SCRIPTS};
use super::walk::page;
use crate::store::{Cursor, Key, Listing, Order, Query, Record, StoreError};

/// How many records are fetched at once where few of them match, at most.
const MOST: usize = 2_000;

/// What is known of a bucket's part of the list.
struct Part {
    bucket: Bucket,
    ahead: VecDeque<Place>,
    /// The last place that was read.
    read: Option<Place>,
    at_end: bool,
}

struct Merge<'a> {
    nodes: &'a Nodes,
    roots: &'a Roots,
    plan: &'a Plan,
    order: Order,
    parts: Vec<Part>,
}

/// One page of a list; `None` if it is not the whole of what was asked for.
pub(super) async fn list(
    nodes: &Nodes,
    roots: &Roots,
    plan: &Plan,
    query: &Query,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Option<Listing>, StoreError> {
    let after = after.map(|cursor| Place::after(query.order, cursor));
    let part = |bucket: &Bucket| Part { bucket: *bucket, ahead: VecDeque::new(), read: after.clone(), at_end: false };
    let parts = plan.buckets.iter().map(part).collect();
    let mut merge = Merge { nodes, roots, plan, order: query.order, parts };
    let wanted = limit.saturating_add(1);
    let mut found: Vec<Arc<Record>> = Vec::new();
    let mut take = wanted;
    while found.len() < wanted {
        let Some(places) = merge.next(take).await? else { return Ok(None) };
        let keys: Vec<Key> = places.iter().filter_map(Place::key).collect();
        if keys.len() < places.len() {
            return Err(garbled());
        }
        let records = load::records(nodes, roots, &keys).await?;
        for (place, record) in places.iter().zip(records) {
            found.extend(record.filter(|it| Place::of(query.order, it).as_ref() == Some(place) && matches(query, it)));
        }
        if places.len() < take {
            break;
        }
        // Where few match, more are needed: but not one round trip for each few.
        take = take.saturating_mul(2).min(MOST);
    }
    Ok(Some(page(found, limit)))
}

impl Merge<'_> {
    /// The next places, fewer than `count` only at the end.
    async fn next(&mut self, count: usize) -> Result<Option<Vec<Place>>, StoreError> {
        let mut places = Vec::new();
        while places.len() < count {
            // No place may be taken while a bucket might have an earlier one.
            if self.parts.iter().any(|part| part.ahead.is_empty() && !part.at_end) && !self.read_on(count).await? {
                return Ok(None);
            }
            let first = self
                .parts
                .iter_mut()
                .filter(|part| !part.ahead.is_empty())
                .min_by(|one, other| one.ahead.front().cmp(&other.ahead.front()));
            let Some(place) = first.and_then(|part| part.ahead.pop_front()) else { break };
            places.push(place);
        }
        Ok(Some(places))
    }

    /// Reads on in every bucket of which nothing is left.
    async fn read_on(&mut self, count: usize) -> Result<bool, StoreError> {
        let waiting = |part: &&mut Part| part.ahead.is_empty() && !part.at_end;
        let parts: Vec<&mut Part> = self.parts.iter_mut().filter(waiting).collect();
        // Twice its share, and a few: then most pages need no second look.
        let share = count.saturating_mul(2).checked_div(self.plan.buckets.len()).unwrap_or_default().saturating_add(3);
        let order = if self.order == Order::NewestFirst { b"N" } else { b"A" };
        let whole = self.plan.whole.clone().unwrap_or_default();
        let call = |part: &&mut Part| {
            let position = part.read.as_ref().map(Place::member).unwrap_or_default();
            let arguments = [self.plan.list.clone(), order.to_vec(), position, share.to_string().into(), whole.clone()];
            Call::script(&SCRIPTS.page, self.roots, part.bucket, arguments)
        };
        let calls: Vec<Call> = parts.iter().map(call).collect();
        for (part, answer) in parts.into_iter().zip(self.nodes.ask(&calls).await) {
            let members = match answer.map_err(Fault::reading)? {
                Value::Array(members) => members,
                Value::Nil | Value::Boolean(false) => return Ok(false),
                _ => return Err(garbled()),
            };
            for member in &members {
                let place =
                    bytes(member).and_then(|member| Place::of_member(self.order, member)).ok_or_else(garbled)?;
                part.ahead.push_back(place);
            }
            part.at_end = members.len() < share;
            part.read = part.ahead.back().cloned().or_else(|| part.read.take());
        }
        Ok(true)
    }
}
