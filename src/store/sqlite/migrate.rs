//! The tables, and what to do when they are not there.

use rusqlite::Connection;

use super::fault::Fault;

/// Each script makes of version `n` version `n + 1`, and says so by `PRAGMA user_version`.
const SCRIPTS: [&str; 2] =
    [include_str!("sql/migrations/0001_records.sql"), include_str!("sql/migrations/0002_lists.sql")];

/// What the scripts write into the head of the file: "gran".
const APPLICATION: i64 = 0x6772_616e;

/// Brings the file to the present version: once, however many processes begin together. `set_up` is called when it is known to be ours.
pub(super) fn migrate(connection: &Connection, set_up: impl FnOnce() -> Result<(), Fault>) -> Result<(), Fault> {
    // In one transaction: between two looks another process may have made the tables.
    connection.execute_batch("BEGIN")?;
    let found = version(connection);
    connection.execute_batch("COMMIT")?;
    let found = found?;
    set_up()?;
    if found == SCRIPTS.len() {
        return Ok(());
    }
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let done = missing(connection).and_then(|()| Ok(connection.execute_batch("COMMIT")?));
    if done.is_err() {
        // The connection is dropped next, and the transaction with it.
        let _ = connection.execute_batch("ROLLBACK");
    }
    done
}

/// Under the lock: another process may have been first.
fn missing(connection: &Connection) -> Result<(), Fault> {
    for script in SCRIPTS.iter().skip(version(connection)?) {
        connection.execute_batch(script)?;
    }
    Ok(())
}

/// How many scripts have run.
fn version(connection: &Connection) -> Result<usize, Fault> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    if application == APPLICATION {
        return match usize::try_from(version) {
            Ok(version) if version <= SCRIPTS.len() => Ok(version),
            _ => Err(Fault::Foreign(format!(
                "the file has tables of version {version}, and this program knows them up to {}",
                SCRIPTS.len()
            ))),
        };
    }
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 && application == 0 && version == 0 {
        Ok(0)
    } else {
        Err(Fault::Foreign("the file is a database of another application".into()))
    }
}
