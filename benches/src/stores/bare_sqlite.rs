//! SQLite: one connection that writes, one for each client that reads, all where they are asked.

use std::path::Path;
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, TransactionBehavior, params};

use super::floor::{Bare, Done, Id};

pub(super) struct BareSqlite {
    writer: Arc<Mutex<Connection>>,
    reader: Connection,
}

fn open(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.pragma_update(None, "journal_mode", "wal").unwrap();
    connection.pragma_update(None, "synchronous", "full").unwrap();
    connection
}

pub(super) fn clients(path: &Path, count: usize) -> Vec<Box<dyn Bare>> {
    let writer = open(path);
    let table = "CREATE TABLE IF NOT EXISTS floor (id BLOB PRIMARY KEY, used INTEGER, row BLOB NOT NULL) WITHOUT ROWID";
    writer.execute(table, []).unwrap();
    lengthen_log(&writer);
    let writer = Arc::new(Mutex::new(writer));
    (0..count)
        .map(|_| Box::new(BareSqlite { writer: Arc::clone(&writer), reader: open(path) }) as Box<dyn Bare>)
        .collect()
}

/// Gives the log the length that it has in a database at work: a file that grows is flushed at twice the cost.
fn lengthen_log(writer: &Connection) {
    writer.execute_batch("CREATE TABLE IF NOT EXISTS filling (row BLOB); BEGIN; INSERT INTO filling VALUES (zeroblob(16000000)); COMMIT").unwrap();
    writer.execute_batch("DROP TABLE filling; PRAGMA wal_checkpoint(RESTART)").unwrap();
}

impl Bare for BareSqlite {
    fn read<'a>(&'a mut self, ids: &'a [Id]) -> Done<'a> {
        let mut select = self.reader.prepare_cached("SELECT row FROM floor WHERE id = ?1").unwrap();
        for id in ids {
            let row: Vec<u8> = select.query_row(params![id.as_slice()], |row| row.get(0)).unwrap();
            std::hint::black_box(row);
        }
        Box::pin(async {})
    }

    fn write<'a>(&'a mut self, changed: &'a [Id], inserted: &'a [Id], row: &'a [u8]) -> Done<'a> {
        Box::pin(async move {
            let mut writer = self.writer.lock().unwrap();
            let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
            for id in changed {
                let change = "UPDATE floor SET used = 1 WHERE id = ?1 AND used IS NULL";
                let count = transaction.prepare_cached(change).unwrap().execute(params![id.as_slice()]).unwrap();
                assert_eq!(count, 1);
            }
            for id in inserted {
                let insert = "INSERT INTO floor VALUES (?1, NULL, ?2)";
                transaction.prepare_cached(insert).unwrap().execute(params![id.as_slice(), row]).unwrap();
            }
            transaction.commit().unwrap();
        })
    }
}
