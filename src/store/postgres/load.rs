//! What a load found.

use std::sync::Arc;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::fault::words;
use super::row::decode;
use super::session::Parameter;
use crate::store::{Key, Loaded, Record, StoreError};

pub(super) const STATEMENT: &str = "SELECT grantor.load_v1($1, $2, $3)";

/// The keys, as arrays.
#[derive(Debug)]
pub(super) struct Keys<'a> {
    partitions: Vec<i32>,
    kinds: Vec<i16>,
    ids: Vec<&'a [u8]>,
}

impl<'a> Keys<'a> {
    pub(super) fn of(keys: &'a [Key]) -> Self {
        Self {
            partitions: keys.iter().map(|key| i32::from(key.partition.0)).collect(),
            kinds: keys.iter().map(|key| i16::from(key.kind.0)).collect(),
            ids: keys.iter().map(|key| key.id.as_slice()).collect(),
        }
    }

    pub(super) fn parameters(&self) -> [Parameter<'_>; 3] {
        [(&self.partitions, Type::INT4_ARRAY), (&self.kinds, Type::INT2_ARRAY), (&self.ids, Type::BYTEA_ARRAY)]
    }
}

/// For each of `count` keys what was found, from the rows of the answer.
pub(super) fn found(rows: &[Row], count: usize) -> Result<Vec<Option<Loaded>>, StoreError> {
    let odd = || StoreError::Corrupt("a load was answered with another number of records than was asked for".into());
    let row = rows.first().ok_or_else(odd)?;
    let all: Vec<Option<&[u8]>> = row.try_get(0).map_err(|error| StoreError::Corrupt(words(&error)))?;
    let (each, []) = all.as_chunks::<4>() else { return Err(odd()) };
    if each.len() != count {
        return Err(odd());
    }
    each.iter().map(loaded).collect()
}

fn loaded(rows: &[Option<&[u8]>; 4]) -> Result<Option<Loaded>, StoreError> {
    let record = |row: Option<&[u8]>| row.map(decode).transpose().map(|found| found.map(Arc::<Record>::new));
    let [it, parent, client, subject] = rows;
    let Some(it) = record(*it)? else { return Ok(None) };
    let (parent, client, subject) = (record(*parent)?, record(*client)?, record(*subject)?);
    let mut found = Loaded { record: it, parent, client, subject };
    if found.owner().is_none() {
        // What hangs on a client directly need not name it twice.
        found.client.clone_from(&found.parent);
    }
    Ok(Some(found))
}
