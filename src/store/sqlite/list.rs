//! Lists: which index answers a query, and a page of it.
//!
//! Each query is a walk along one index, from the cursor on, until the page is full:
//!
//! | asked for | walks along | sorts |
//! |---|---|---|
//! | a partition (by subject, by parent) | the records of that kind in the partition | these, by time or name |
//! | a client | what it owns of that kind, by time | by name, where that is asked for |
//! | an order by name | what has a name, by name | the page |
//! | a search, a class | what has a name, by time | the page |
//! | a state, and not the usual one | what is in it, by time | – |
//! | anything else | all of that kind and server, by time | – |
//!
//! What has equal names or moments is sorted by key besides, where the list falls. Other filters are looked at entry by entry; those by name
//! find in the index all that they look at, so that a search reads one row for each record it shows and not for each it passes. The index is named
//! in the statement: a planner that chose otherwise on a bad day would turn a page into a scan.

use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::fault::Fault;
use super::row;
use crate::store::{Cursor, Key, Listing, Order, Page, Partition, Query, ScanCursor, Scanned, State};

/// A statement that is being put together.
struct Sql {
    text: String,
    values: Vec<Value>,
}

impl Sql {
    fn and(&mut self, clause: &str, values: impl IntoIterator<Item = Value>) {
        self.text.push_str(" AND ");
        self.text.push_str(clause);
        self.values.extend(values);
    }
}

fn blob(bytes: impl Into<Vec<u8>>) -> Value {
    Value::Blob(bytes.into())
}

pub(super) fn list(connection: &Connection, query: &Query, page: &Page) -> Result<Listing, Fault> {
    let limit = page.limit.clamp(1, 1_000);
    let sql = statement(query, page.after.as_ref(), limit);
    let mut select = connection.prepare_cached(&sql.text)?;
    let mut rows = select.query(params_from_iter(sql.values))?;
    let mut records = Vec::new();
    let mut more = false;
    while let Some(found) = rows.next()? {
        // One more than a page tells whether there is another.
        if u32::try_from(records.len()).is_ok_and(|count| count >= limit) {
            more = true;
            break;
        }
        records.push(Arc::new(row::read(found)?));
    }
    let next = records.last().filter(|_| more).map(|record| Cursor::of(record));
    Ok(Listing { records, next })
}

/// The steps by which a page is found, as SQLite tells them, of the very statement that [`list`] sends.
#[cfg(feature = "store-tests")]
pub(super) fn plan(connection: &Connection, query: &Query, page: &Page) -> Result<Vec<String>, Fault> {
    let sql = statement(query, page.after.as_ref(), page.limit.clamp(1, 1_000));
    let mut explain = connection.prepare(&["EXPLAIN QUERY PLAN ", &sql.text].concat())?;
    let mut rows = explain.query(params_from_iter(sql.values))?;
    let mut steps = Vec::new();
    while let Some(step) = rows.next()? {
        steps.push(step.get("detail")?);
    }
    Ok(steps)
}

/// Some of all records, in the order of their keys.
pub(super) fn scan(connection: &Connection, after: Option<&Key>, limit: u32) -> Result<Scanned, Fault> {
    let limit = limit.clamp(1, 1_000);
    let mut select =
        connection.prepare_cached(&format!("{select}WHERE key > ? ORDER BY key LIMIT ?", select = row::SELECT))?;
    // No key is as short as this.
    let after = after.map_or_else(Vec::new, |key| row::key(key).to_vec());
    let mut rows = select.query((after, limit))?;
    let mut records = Vec::new();
    while let Some(found) = rows.next()? {
        records.push(Arc::new(row::read(found)?));
    }
    let full = u32::try_from(records.len()).is_ok_and(|found| found == limit);
    let next = records.last().filter(|_| full).map(|record| ScanCursor::at(&record.key));
    Ok(Scanned { records, next })
}

/// Which index a list walks along.
enum Walk {
    /// One whose rows are read as they come.
    Rows(&'static str),
    /// One that holds all that is filtered by: only the rows of the page are read.
    Entries(&'static str),
}

impl Walk {
    fn of(query: &Query, partition: Option<Partition>) -> Self {
        let named = query.search.is_some() || query.class.is_some();
        match (partition, query.client, query.order) {
            (Some(_), _, _) => Self::Rows(PRIMARY),
            (None, Some(_), _) => Self::Rows("record_by_client"),
            (None, None, Order::Name) => Self::Entries("record_by_name"),
            (None, None, Order::NewestFirst | Order::OldestFirst) if named => Self::Entries("record_named_by_time"),
            (None, None, Order::NewestFirst | Order::OldestFirst) => match query.state {
                Some(State::Inactive | State::Revoked | State::Deleted) => Self::Rows("record_by_state"),
                Some(State::Live) | None => Self::Rows("record_by_time"),
            },
        }
    }
}

const PRIMARY: &str = "sqlite_autoindex_record_1";

fn statement(query: &Query, after: Option<&Cursor>, limit: u32) -> Sql {
    let Query { tenant, kind, partition, parent, client, subject, state, class, search, order } = query;
    // A parent and a subject live in the partition of what hangs on them.
    let partition = partition.or(parent.map(|key| key.partition)).or(subject.map(|key| key.partition));
    let walk = Walk::of(query, partition);
    let sorted = match order {
        Order::NewestFirst => " ORDER BY created_at DESC, key",
        Order::OldestFirst => " ORDER BY created_at, key",
        Order::Name => " ORDER BY name, key",
    };
    let head = match &walk {
        Walk::Rows(index) => format!("{select}INDEXED BY {index}", select = row::SELECT),
        Walk::Entries(index) => format!(
            "{select}INDEXED BY {PRIMARY} WHERE key IN (SELECT key FROM record INDEXED BY {index}",
            select = row::SELECT
        ),
    };
    let mut sql = Sql {
        text: format!("{head} WHERE tenant = ? AND kind = ?"),
        values: vec![blob(tenant.0), Value::Integer(kind.0.into())],
    };
    if let Some(partition) = partition {
        let ends = [[0; 32], [u8::MAX; 32]].map(|id| blob(row::key(&Key { partition, kind: *kind, id })));
        sql.and("key BETWEEN ? AND ?", ends);
    }
    for (clause, key) in [("parent = ?", parent), ("client = ?", client), ("subject = ?", subject)] {
        if let Some(key) = key {
            sql.and(clause, [blob(row::key(key))]);
        }
    }
    if let Some(state) = state {
        sql.and("state = ?", [Value::Integer((*state as u8).into())]);
        if *state != State::Live {
            // In the words of the index that has these alone.
            sql.and("state <> 1", []);
        }
    }
    if let Some(class) = class {
        sql.and("class = ?", [Value::Text(class.clone())]);
    }
    if let Some(wanted) = search.as_deref().filter(|wanted| !wanted.is_empty()) {
        find(&mut sql, wanted);
    }
    if *order == Order::Name || class.is_some() || search.is_some() {
        sql.and("name IS NOT NULL", []);
    }
    if let Some(after) = after {
        go_on(&mut sql, *order, after);
    }
    sql.text.extend([sorted, " LIMIT ?"]);
    sql.values.push(Value::Integer(i64::from(limit).saturating_add(1)));
    if let Walk::Entries(_) = walk {
        sql.text.extend([")", sorted]);
    }
    sql
}

/// As bytes, and with SQLite's `lower`, which knows ASCII alone: no wildcards, no surprises with a NUL in the text.
fn find(sql: &mut Sql, wanted: &str) {
    let wanted = wanted.to_ascii_lowercase().into_bytes();
    let length = i64::try_from(wanted.len()).unwrap_or(i64::MAX);
    sql.and(
        "(instr(CAST(lower(name) AS BLOB), ?) > 0 OR substr(CAST(lower(public_id) AS BLOB), 1, ?) = ?)",
        [blob(wanted.clone()), Value::Integer(length), blob(wanted)],
    );
}

/// What comes after the cursor. The first comparison is one that the index can begin at; the second leaves out what was seen.
fn go_on(sql: &mut Sql, order: Order, after: &Cursor) {
    let (clause, place) = match order {
        Order::NewestFirst => ("created_at <= ? AND (created_at < ? OR key > ?)", after.created_at.as_millis().into()),
        Order::OldestFirst => ("created_at >= ? AND (created_at > ? OR key > ?)", after.created_at.as_millis().into()),
        Order::Name => ("name >= ? AND (name > ? OR key > ?)", Value::Text(after.name.clone())),
    };
    sql.and(clause, [place.clone(), place, blob(row::key(&after.key))]);
}
