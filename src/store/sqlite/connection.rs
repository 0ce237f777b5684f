//! Opening the file.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::fault::{Fault, patiently};
use super::migrate::migrate;
use super::options::{Place, SqliteOptions, Synchronous};

/// How many statements a connection keeps prepared: those of a load, and the shapes of lists that are in use.
const STATEMENTS: usize = 32;

/// The connection that writes. Makes the tables if they are not there.
pub(super) fn writing(place: &Place, options: &SqliteOptions) -> Result<Connection, Fault> {
    patiently(options.busy_timeout, || {
        let connection = match place {
            Place::File(path) => open(path, OpenFlags::SQLITE_OPEN_CREATE)?,
            Place::Memory => Connection::open_in_memory()?,
        };
        // `migrate` looks first, so that a file of somebody else is left as it is.
        migrate(&connection, || set_up(&connection, place, options))?;
        Ok(connection)
    })
}

/// A connection that reads.
pub(super) fn reading(path: &Path) -> Result<Connection, Fault> {
    let connection = open(path, OpenFlags::empty())?;
    connection.pragma_update(None, "query_only", true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

fn open(path: &Path, more: OpenFlags) -> Result<Connection, Fault> {
    // Without SQLITE_OPEN_URI: a path is a path, whatever it begins with. And without SQLite's own locks: each connection is
    // used by one thread at a time.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
    let connection = Connection::open_with_flags(path, flags)?;
    // We wait ourselves, in smaller steps: see `patiently`.
    connection.busy_timeout(std::time::Duration::ZERO)?;
    Ok(connection)
}

fn set_up(connection: &Connection, place: &Place, options: &SqliteOptions) -> Result<(), Fault> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    if let Place::File(path) = place {
        let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            let path = path.display();
            return Err(Fault::Place(format!("{path} cannot have a write-ahead log: its journal is {mode:?}")));
        }
        let (synchronous, expected) = match options.synchronous {
            Synchronous::Full => ("FULL", 2),
            Synchronous::Normal => ("NORMAL", 1),
        };
        connection.pragma_update(None, "synchronous", synchronous)?;
        let found: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
        if found != expected {
            return Err(Fault::Place(format!("SQLite does not take synchronous = {synchronous}")));
        }
        // Where fsync is a promise and not a deed (macOS); nothing elsewhere.
        connection.pragma_update(None, "fullfsync", true)?;
        connection.pragma_update(None, "checkpoint_fullfsync", true)?;
        // A log that a long reader let grow shrinks again.
        connection.query_row("PRAGMA journal_size_limit = 16777216", [], |_| Ok(()))?;
    }
    if let Some(bytes) = options.max_size {
        let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = i64::try_from(bytes).unwrap_or(i64::MAX).checked_div(page).unwrap_or(i64::MAX);
        // SQLite knows no more pages than this.
        let pages = pages.clamp(1, 4_294_967_294);
        connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
    }
    Ok(())
}
