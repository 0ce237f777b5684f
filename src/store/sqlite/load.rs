//! Records by key, with what they hang on.

use std::sync::Arc;

use rusqlite::{CachedStatement, Connection};

use super::fault::Fault;
use super::row;
use crate::store::{Key, Loaded, Record};

/// All of it as it was at one moment.
pub(super) fn load(connection: &Connection, keys: &[Key]) -> Result<Vec<Option<Loaded>>, Fault> {
    let _snapshot = Snapshot::begin(connection)?;
    let mut get = connection.prepare_cached(row::GET)?;
    keys.iter().map(|key| load_one(&mut get, key)).collect()
}

fn load_one(get: &mut CachedStatement<'_>, key: &Key) -> Result<Option<Loaded>, Fault> {
    let Some(record) = find(get, key)? else { return Ok(None) };
    let parent = match &record.parent {
        Some(link) => find(get, &link.key)?,
        None => None,
    };
    let owner = record.owner.as_deref().or_else(|| parent.as_ref()?.owner.as_deref()).copied();
    let subject = match owner.and_then(|owner| owner.subject) {
        Some(link) => find(get, &link.key)?,
        None => None,
    };
    let client = match owner.map(|owner| owner.client.key) {
        Some(key) if parent.as_ref().is_some_and(|parent| parent.key == key) => parent.clone(),
        Some(key) => find(get, &key)?,
        // What hangs on a client directly need not name it twice.
        None => parent.clone(),
    };
    Ok(Some(Loaded { record, parent, client, subject }))
}

fn find(get: &mut CachedStatement<'_>, key: &Key) -> Result<Option<Arc<Record>>, Fault> {
    let mut rows = get.query([row::key(key)])?;
    match rows.next()? {
        Some(found) => Ok(Some(Arc::new(row::read(found)?))),
        None => Ok(None),
    }
}

/// A transaction that only reads; it ends with this.
pub(super) struct Snapshot<'c>(&'c Connection);

impl<'c> Snapshot<'c> {
    pub(super) fn begin(connection: &'c Connection) -> Result<Self, Fault> {
        connection.prepare_cached("BEGIN")?.execute([])?;
        Ok(Self(connection))
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        // It has nothing to lose. Should it not end now, the next `BEGIN` fails and is told.
        let _ = self.0.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([]));
    }
}
