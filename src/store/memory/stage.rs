//! The decision of a commit: every condition and every guard, before anything changes.

use std::sync::Arc;

use super::shard::Shard;
use crate::store::{Commit, Condition, Failed, Key, Record, State, StoreError, Used, Write};

/// What a commit would change, with all that can fail behind it.
#[derive(Debug)]
pub(super) struct Staged {
    /// The records as they will be, in the order of the writes; `None` where one is removed.
    pub(super) changes: Vec<(Key, Option<Arc<Record>>)>,
    /// How many records there will be more (fewer, where negative).
    pub(super) growth: isize,
}

/// Decides on `commit` as the shard stands, and changes nothing.
pub(super) fn stage(shard: &Shard, commit: &Commit) -> Result<Result<Staged, Failed>, StoreError> {
    for (position, condition) in commit.conditions.iter().enumerate() {
        if !holds(shard, condition) {
            return Ok(Err(Failed::Condition(position)));
        }
    }
    let mut staged = Staged { changes: Vec::with_capacity(commit.writes.len()), growth: 0 };
    for (position, write) in commit.writes.iter().enumerate() {
        let key = write.key();
        // A guard sees what the writes before it left.
        let found = match staged.changes.iter().rev().find(|(changed, _)| *changed == key) {
            Some((_, change)) => change.as_ref(),
            None => shard.get(&key),
        };
        let Some((change, growth)) = apply(write, found)? else {
            return Ok(Err(Failed::Write(position)));
        };
        staged.growth = staged.growth.saturating_add(growth);
        staged.changes.push((key, change));
    }
    Ok(Ok(staged))
}

fn holds(shard: &Shard, condition: &Condition) -> bool {
    let found = shard.get(&condition.key());
    match condition {
        Condition::Unused(_) => found.is_some_and(|record| record.used.is_none()),
        Condition::Live { epoch, .. } => {
            found.is_some_and(|record| record.state == State::Live && record.epoch == *epoch)
        }
        Condition::Unchanged { revision, .. } => found.is_some_and(|record| record.revision == *revision),
    }
}

/// What a write makes of a record, and by how much the store grows.
type Change = (Option<Arc<Record>>, isize);

/// `None` where the guard of the write fails.
fn apply(write: &Write, found: Option<&Arc<Record>>) -> Result<Option<Change>, StoreError> {
    let change = match (write, found) {
        (Write::Insert(record), None) => (Some(with_revision(record, 1)), 1),
        (Write::Replace(record), Some(old)) => (Some(with_revision(record, next_revision(old)?)), 0),
        (Write::Use { at, answer, purge_after, .. }, Some(old)) if old.used.is_none() => {
            let used = Some(Box::new(Used { at: *at, answer: answer.clone() }));
            let (revision, purge_after) = (next_revision(old)?, *purge_after);
            (Some(Arc::new(Record { used, revision, purge_after, ..Record::clone(old) })), 0)
        }
        (Write::SetState { state, .. }, Some(old)) => {
            (Some(Arc::new(Record { state: *state, revision: next_revision(old)?, ..Record::clone(old) })), 0)
        }
        (Write::Delete(_), Some(_)) => (None, -1),
        (Write::Insert(_) | Write::Use { .. }, Some(_))
        | (Write::Replace(_) | Write::Use { .. } | Write::SetState { .. } | Write::Delete(_), None) => return Ok(None),
    };
    Ok(Some(change))
}

/// The record itself, shared and not copied, where it already has the revision that it is to have.
fn with_revision(record: &Arc<Record>, revision: u64) -> Arc<Record> {
    if record.revision == revision {
        Arc::clone(record)
    } else {
        Arc::new(Record { revision, ..Record::clone(record) })
    }
}

fn next_revision(old: &Record) -> Result<u64, StoreError> {
    // Out of reach, since every record begins at 1; but a revision that stood still would make `Unchanged` a lie.
    old.revision.checked_add(1).ok_or_else(|| StoreError::Corrupt("a revision has come to its end".into()))
}
