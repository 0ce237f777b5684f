//! A query as a statement.

use std::fmt::Write as _;
use std::sync::Arc;

use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::fault::words;
use super::row::decode;
use super::session::Parameter;
use crate::store::{Cursor, Key, Listing, Order, Page, Query, Record, State, StoreError};

/// A statement made for one query, with its parameters.
#[derive(Debug)]
pub(super) struct Select {
    pub(super) statement: String,
    values: Vec<(Value, Type)>,
    limit: usize,
}

#[derive(Debug)]
enum Value {
    Small(i16),
    Middle(i32),
    Large(i64),
    Bytes(Vec<u8>),
    Text(String),
}

impl Select {
    /// `None` where nothing can match.
    pub(super) fn of(query: &Query, page: &Page) -> Option<Self> {
        let home = |key: Option<Key>| key.is_none_or(|key| query.partition.is_none_or(|it| it == key.partition));
        let texts = [query.class.as_deref(), query.search.as_deref(), page.after.as_ref().map(|it| it.name.as_str())];
        // No text here contains NUL, so none is equal to one that does, or contains it.
        if !home(query.parent) || !home(query.subject) || texts.iter().flatten().any(|text| text.contains('\0')) {
            return None;
        }
        let limit = page.limit.clamp(1, 1_000);
        // What lies in one partition is read there and sorted: a walk by time, which a planner with old figures might prefer, passes
        // everybody's. An expression is in no index.
        let narrow = query.partition.is_some() || query.parent.is_some() || query.subject.is_some();
        let moment = if narrow { "(r.created_at + 0)" } else { "r.created_at" };
        let mut select = Self {
            statement: "SELECT record_send(r) FROM grantor.record r WHERE r.tenant = ".into(),
            values: Vec::new(),
            limit: usize::try_from(limit).unwrap_or(1_000),
        };
        select.value(Value::Bytes(query.tenant.0.to_vec()));
        select.and("r.kind = ", Value::Small(i16::from(query.kind.0)));
        select.filter(query);
        if let Some(after) = &page.after {
            select.after(query.order, moment, after);
        }
        select.text(" ORDER BY ");
        match query.order {
            Order::NewestFirst => select.statement.extend([moment, " DESC"]),
            Order::OldestFirst => select.text(moment),
            Order::Name => select.text("left(r.name, 100), r.name"),
        }
        select.text(", r.partition, r.id");
        select.text(" LIMIT ");
        // One more than the page, to know whether there is another.
        select.value(Value::Large(i64::from(limit).saturating_add(1)));
        Some(select)
    }

    fn filter(&mut self, query: &Query) {
        if let Some(partition) = query.partition {
            self.and("r.partition = ", Value::Middle(i32::from(partition.0)));
        }
        if let Some(parent) = &query.parent {
            // A parent lives in the partition of what hangs on it.
            self.and("r.partition = ", Value::Middle(i32::from(parent.partition.0)));
            self.and("r.parent_kind = ", Value::Small(i16::from(parent.kind.0)));
            self.and("r.parent_id = ", Value::Bytes(parent.id.to_vec()));
        }
        if let Some(client) = &query.client {
            self.and("r.client_partition = ", Value::Middle(i32::from(client.partition.0)));
            self.and("r.client_kind = ", Value::Small(i16::from(client.kind.0)));
            self.and("r.client_id = ", Value::Bytes(client.id.to_vec()));
        }
        if let Some(subject) = &query.subject {
            self.and("r.partition = ", Value::Middle(i32::from(subject.partition.0)));
            self.and("r.subject_kind = ", Value::Small(i16::from(subject.kind.0)));
            self.and("r.subject_id = ", Value::Bytes(subject.id.to_vec()));
        }
        if let Some(state) = query.state {
            self.and("r.state = ", Value::Small(state as i16));
            if state != State::Live {
                // In the words of the index that has these alone, so that it serves a plan that is made without the value too.
                self.text(" AND r.state <> 1");
            }
        }
        if let Some(class) = &query.class {
            self.and("r.class = ", Value::Text(class.clone()));
        }
        let labelled = query.order == Order::Name || query.class.is_some() || query.search.is_some();
        if labelled {
            self.text(" AND r.name IS NOT NULL");
        }
        if let Some(search) = &query.search {
            // In the collation "C", which the columns have, `lower` changes ASCII alone.
            let search = search.to_ascii_lowercase();
            self.text(" AND (position(");
            self.value(Value::Text(search.clone()));
            self.text(" IN lower(r.name)) > 0 OR starts_with(lower(r.public_id), ");
            self.value(Value::Text(search));
            self.text("))");
        }
    }

    /// What comes after a record, first as the index has it, then among its equals.
    fn after(&mut self, order: Order, moment: &str, after: &Cursor) {
        let created = || Value::Large(after.created_at.as_millis());
        match order {
            Order::NewestFirst => {
                self.and(&[moment, " <= "].concat(), created());
                self.and(&["(", moment, " < "].concat(), created());
            }
            Order::OldestFirst => {
                self.and(&[moment, " >= "].concat(), created());
                self.and(&["(", moment, " > "].concat(), created());
            }
            Order::Name => {
                self.and("left(r.name, 100) >= left(", Value::Text(after.name.clone()));
                self.text(", 100)");
                self.and("(r.name > ", Value::Text(after.name.clone()));
                self.text(" OR r.name = ");
                self.value(Value::Text(after.name.clone()));
                self.text(" AND");
            }
        }
        if order != Order::Name {
            self.text(" OR");
        }
        self.text(" (r.partition, r.kind, r.id) > (");
        self.value(Value::Middle(i32::from(after.key.partition.0)));
        self.text(", ");
        self.value(Value::Small(i16::from(after.key.kind.0)));
        self.text(", ");
        self.value(Value::Bytes(after.key.id.to_vec()));
        self.text("))");
    }

    fn text(&mut self, text: &str) {
        self.statement.push_str(text);
    }

    fn value(&mut self, value: Value) {
        let kind = match &value {
            Value::Small(_) => Type::INT2,
            Value::Middle(_) => Type::INT4,
            Value::Large(_) => Type::INT8,
            Value::Bytes(_) => Type::BYTEA,
            Value::Text(_) => Type::TEXT,
        };
        self.values.push((value, kind));
        // Writing to a string does not fail.
        let _ = write!(self.statement, "${}", self.values.len());
    }

    fn and(&mut self, condition: &str, value: Value) {
        self.text(" AND ");
        self.text(condition);
        self.value(value);
    }

    pub(super) fn parameters(&self) -> Vec<Parameter<'_>> {
        self.values.iter().map(|(value, kind)| (value.borrow(), kind.clone())).collect()
    }

    pub(super) fn listing(&self, rows: &[Row]) -> Result<Listing, StoreError> {
        let records: Vec<Arc<Record>> = rows.iter().take(self.limit).map(record).collect::<Result<_, _>>()?;
        let more = rows.len() > self.limit;
        let next = records.last().filter(|_| more).map(|record| Cursor::of(record));
        Ok(Listing { records, next })
    }
}

/// The record in a row that `record_send` made.
pub(super) fn record(row: &Row) -> Result<Arc<Record>, StoreError> {
    let bytes: &[u8] = row.try_get(0).map_err(|error| StoreError::Corrupt(words(&error)))?;
    decode(bytes).map(Arc::<Record>::new)
}

impl Value {
    fn borrow(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Small(value) => value,
            Self::Middle(value) => value,
            Self::Large(value) => value,
            Self::Bytes(value) => value,
            Self::Text(value) => value,
        }
    }
}
