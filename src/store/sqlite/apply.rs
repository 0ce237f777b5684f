//! One commit, inside a transaction.

use rusqlite::{Connection, OptionalExtension as _, Statement, params};

use super::fault::Fault;
use super::row;
use crate::store::{Committed, Condition, Failed, Key, State, Tenant, Write};

/// A commit as it is handed to the thread that writes.
pub(super) struct Prepared {
    pub(super) conditions: Vec<Condition>,
    pub(super) writes: Vec<Write>,
    pub(super) tenant: Tenant,
    /// As JSON.
    pub(super) events: Vec<String>,
}

/// The statements that change something, prepared once.
pub(super) struct Statements<'c> {
    savepoint: Statement<'c>,
    release: Statement<'c>,
    roll_back: Statement<'c>,
    peek: Statement<'c>,
    insert: Statement<'c>,
    replace: Statement<'c>,
    use_once: Statement<'c>,
    set_state: Statement<'c>,
    delete: Statement<'c>,
    keep_event: Statement<'c>,
    purge: Statement<'c>,
    forget_events: Statement<'c>,
}

/// What a condition asks of a record.
struct Peeked {
    live: bool,
    epoch: u64,
    revision: u64,
    unused: bool,
}

impl<'c> Statements<'c> {
    pub(super) fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            savepoint: connection.prepare("SAVEPOINT one")?,
            release: connection.prepare("RELEASE one")?,
            roll_back: connection.prepare("ROLLBACK TO one")?,
            peek: connection.prepare(include_str!("sql/peek.sql"))?,
            insert: connection.prepare(include_str!("sql/insert.sql"))?,
            replace: connection.prepare(include_str!("sql/replace.sql"))?,
            use_once: connection.prepare(include_str!("sql/use.sql"))?,
            set_state: connection.prepare(include_str!("sql/set_state.sql"))?,
            delete: connection.prepare(include_str!("sql/delete.sql"))?,
            keep_event: connection.prepare(include_str!("sql/keep_event.sql"))?,
            purge: connection.prepare(include_str!("sql/purge.sql"))?,
            forget_events: connection.prepare(include_str!("sql/forget_events.sql"))?,
        })
    }

    /// All of a commit or nothing, in a savepoint of its own. After a fault the whole transaction must be rolled back.
    pub(super) fn commit(&mut self, commit: &Prepared) -> Result<Committed, Fault> {
        for (position, condition) in commit.conditions.iter().enumerate() {
            if !self.holds(condition)? {
                return Ok(Committed::Refused(Failed::Condition(position)));
            }
        }
        // A single write that is refused has changed nothing.
        let several = commit.writes.len() > 1;
        if several {
            self.savepoint.execute([])?;
        }
        for (position, write) in commit.writes.iter().enumerate() {
            if !self.write(write)? {
                if several {
                    self.roll_back.execute([])?;
                    self.release.execute([])?;
                }
                return Ok(Committed::Refused(Failed::Write(position)));
            }
        }
        if several {
            self.release.execute([])?;
        }
        for json in &commit.events {
            self.keep_event.execute(params![commit.tenant.0, json])?;
        }
        Ok(Committed::Applied)
    }

    /// Whether a condition holds. The transaction has the lock of the only writer there may be, so what is seen here is what the writes will find.
    fn holds(&mut self, condition: &Condition) -> Result<bool, Fault> {
        let found = self.peek(&condition.key())?;
        Ok(match (condition, found) {
            (Condition::Unused(_), Some(record)) => record.unused,
            (Condition::Live { epoch, .. }, Some(record)) => record.live && record.epoch == *epoch,
            (Condition::Unchanged { revision, .. }, Some(record)) => record.revision == *revision,
            (Condition::Unused(_) | Condition::Live { .. } | Condition::Unchanged { .. }, None) => false,
        })
    }

    fn peek(&mut self, key: &Key) -> Result<Option<Peeked>, Fault> {
        let peeked = self.peek.query_row([row::key(key)], |row| {
            Ok(Peeked {
                live: row.get::<_, i64>(0)? == i64::from(State::Live as u8),
                epoch: row.get::<_, i64>(1)?.cast_unsigned(),
                revision: row.get::<_, i64>(2)?.cast_unsigned(),
                unused: row.get(3)?,
            })
        });
        Ok(peeked.optional()?)
    }

    /// Whether a write found what its guard asks for.
    fn write(&mut self, write: &Write) -> Result<bool, Fault> {
        let changed = match write {
            Write::Insert(record) => row::write(&mut self.insert, record)?,
            Write::Replace(record) => row::write(&mut self.replace, record)?,
            Write::Use { key, at, answer, purge_after } => {
                self.use_once.execute(params![row::key(key), at.as_millis(), &**answer, purge_after.as_millis()])?
            }
            Write::SetState { key, state } => self.set_state.execute(params![row::key(key), *state as u8])?,
            Write::Delete(key) => self.delete.execute([row::key(key)])?,
        };
        Ok(changed == 1)
    }

    /// Forgets records whose `purge_after` lies before this; tells how many.
    pub(super) fn purge(&mut self, before: i64, limit: u32) -> Result<u32, Fault> {
        Ok(count(self.purge.execute(params![before, limit])?))
    }

    /// Forgets the oldest events of a server up to this number; tells how many.
    pub(super) fn forget_events(&mut self, tenant: Tenant, up_to: i64, limit: u32) -> Result<u32, Fault> {
        Ok(count(self.forget_events.execute(params![tenant.0, up_to, limit])?))
    }
}

fn count(changed: usize) -> u32 {
    u32::try_from(changed).unwrap_or(u32::MAX)
}
