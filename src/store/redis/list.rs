//! Lists: which index answers a query.

use redis::Value;

use super::bucket::{Bucket, Roots, TAIL, tail};
use super::nodes::Nodes;
use super::{merge, walk};
use crate::store::{Cursor, Key, Kind, Listing, Order, Page, Query, Record, StoreError};

/// What a list is read from.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// The name of the list in each bucket, without the root.
    pub(super) list: Vec<u8>,
    /// The buckets that it lies in.
    pub(super) buckets: Vec<Bucket>,
    /// Whether it is kept in the order that is asked for.
    pub(super) ordered: bool,
    /// A tenant and kind of which all records must have labels, or the list is not the whole.
    pub(super) whole: Option<Vec<u8>>,
}

/// One page.
pub(super) async fn list(nodes: &Nodes, roots: &Roots, query: &Query, page: &Page) -> Result<Listing, StoreError> {
    let plan = plan(query);
    let limit = usize::try_from(page.limit.clamp(1, 1_000)).unwrap_or(1_000);
    if plan.ordered {
        // `None`: some of what is asked for has no labels, and so stands in no list.
        if let Some(listing) = merge::list(nodes, roots, &plan, query, page.after.as_ref(), limit).await? {
            return Ok(listing);
        }
        let all = Plan { list: b"d".to_vec(), ordered: false, whole: None, ..plan };
        return walk::list(nodes, roots, &all, query, page.after.as_ref(), limit).await;
    }
    walk::list(nodes, roots, &plan, query, page.after.as_ref(), limit).await
}

fn plan(query: &Query) -> Plan {
    let by_time = query.order != Order::Name;
    let owned = |what: u8, owner: &Key| [&[what, query.kind.0], tail(owner).as_slice()].concat();
    let stretch = [query.tenant.0.as_slice(), &[query.kind.0]].concat();
    let labelled = !by_time || query.class.is_some() || query.search.is_some();
    let one = query.partition.or_else(|| query.subject.map(|subject| subject.partition));
    let buckets = match one {
        Some(partition) => vec![Bucket::of(partition)],
        None => Bucket::all().collect(),
    };
    let plan = |list, ordered, whole| Plan { list, buckets, ordered, whole };
    if let Some(subject) = &query.subject {
        plan(owned(b's', subject), by_time, None)
    } else if let Some(client) = &query.client {
        plan(owned(b'o', client), by_time, None)
    } else if labelled {
        let what = if by_time { b'l' } else { b'n' };
        plan([&[what], stretch.as_slice()].concat(), true, None)
    } else if query.partition.is_none() && query.parent.is_none() {
        plan([b"l", stretch.as_slice()].concat(), true, Some(stretch))
    } else {
        plan(b"d".to_vec(), false, None)
    }
}

/// A place in a list, as it sorts: by time or name first, then by key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// The newest first.
    Falling(std::cmp::Reverse<[u8; 8]>, [u8; TAIL]),
    /// The oldest first.
    Rising([u8; 8], [u8; TAIL]),
    /// By name.
    Named(Vec<u8>, [u8; TAIL]),
}

impl Place {
    /// Where a record stands; nowhere if it has no name and is to be listed by it.
    pub(super) fn of(order: Order, record: &Record) -> Option<Self> {
        let name = record.labels.as_ref().map(|labels| labels.name.as_str());
        if order == Order::Name && name.is_none() {
            return None;
        }
        Some(Self::new(order, super::row::moment(record.created_at), name.unwrap_or_default(), tail(&record.key)))
    }

    pub(super) fn after(order: Order, cursor: &Cursor) -> Self {
        Self::new(order, super::row::moment(cursor.created_at), &cursor.name, tail(&cursor.key))
    }

    fn new(order: Order, moment: [u8; 8], name: &str, tail: [u8; TAIL]) -> Self {
        match order {
            Order::NewestFirst => Self::Falling(std::cmp::Reverse(moment), tail),
            Order::OldestFirst => Self::Rising(moment, tail),
            Order::Name => Self::Named(name.into(), tail),
        }
    }

    /// The member of a list that stands there.
    pub(super) fn member(&self) -> Vec<u8> {
        match self {
            Self::Falling(std::cmp::Reverse(moment), tail) | Self::Rising(moment, tail) => {
                [moment.as_slice(), tail].concat()
            }
            Self::Named(name, tail) => {
                let mut member = Vec::with_capacity(name.len().saturating_add(TAIL).saturating_add(2));
                for byte in name {
                    member.push(*byte);
                    if *byte == 0 {
                        member.push(u8::MAX);
                    }
                }
                member.extend([0, 0]);
                member.extend(tail);
                member
            }
        }
    }

    /// Where a member of a list stands.
    pub(super) fn of_member(order: Order, member: &[u8]) -> Option<Self> {
        let (head, tail) = member.split_last_chunk::<TAIL>()?;
        Some(match order {
            Order::NewestFirst => Self::Falling(std::cmp::Reverse(head.try_into().ok()?), *tail),
            Order::OldestFirst => Self::Rising(head.try_into().ok()?, *tail),
            Order::Name => {
                let mut name = Vec::with_capacity(head.len());
                let mut rest = head.strip_suffix(&[0, 0])?;
                while let Some((byte, after)) = rest.split_first() {
                    name.push(*byte);
                    rest = if *byte == 0 { after.strip_prefix(&[u8::MAX])? } else { after };
                }
                Self::Named(name, *tail)
            }
        })
    }

    pub(super) fn key(&self) -> Option<Key> {
        let (Self::Falling(_, tail) | Self::Rising(_, tail) | Self::Named(_, tail)) = self;
        super::bucket::key(tail)
    }
}

/// Whether a record belongs to the list.
pub(super) fn matches(query: &Query, record: &Record) -> bool {
    let owner = record.owner.as_deref();
    let labels = record.labels.as_deref();
    let is = |wanted: Option<Key>, found: Option<Key>| wanted.is_none_or(|wanted| found == Some(wanted));
    let contains =
        |wanted: &String| labels.is_some_and(|it| contains(&it.name, wanted) || begins(&it.public_id, wanted));
    record.tenant == query.tenant
        && record.key.kind == query.kind
        && query.partition.is_none_or(|partition| record.key.partition == partition)
        && is(query.parent, record.parent.map(|link| link.key))
        && is(query.client, owner.map(|owner| owner.client.key))
        && is(query.subject, owner.and_then(|owner| owner.subject).map(|link| link.key))
        && query.state.is_none_or(|state| record.state == state)
        && query.class.as_ref().is_none_or(|class| labels.is_some_and(|labels| labels.class == *class))
        && query.search.as_ref().is_none_or(contains)
}

/// Whether `text` contains `wanted`, without regard to ASCII case.
fn contains(text: &str, wanted: &str) -> bool {
    wanted.is_empty() || text.as_bytes().windows(wanted.len()).any(|part| part.eq_ignore_ascii_case(wanted.as_bytes()))
}

fn begins(text: &str, wanted: &str) -> bool {
    text.as_bytes().get(..wanted.len()).is_some_and(|head| head.eq_ignore_ascii_case(wanted.as_bytes()))
}

/// The kind, as a script compares it.
pub(super) const fn kind(kind: Kind) -> [u8; 1] {
    [kind.0]
}

/// The bytes of an element of an answer.
pub(super) fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.as_bytes()),
        _ => None,
    }
}
