//! Opening: many at once, and files that are not ours.

use std::path::Path;

use grantor::store::{SqliteStore, Store as _, StoreError};
use rusqlite::Connection;

use super::child;
use super::database::{Directory, open, wait};
use super::records::{insert, keys, pair, record};

fn refused(path: &Path) -> StoreError {
    wait(SqliteStore::open(path)).expect_err("the file was opened")
}

#[test]
fn many_processes_that_start_together_make_the_tables_once() {
    let directory = Directory::new();
    let file = directory.file();
    let children: Vec<_> = (0..8).map(|me| child::start("start", &file, me)).collect();
    children.into_iter().for_each(child::join);
    let store = open(&file);
    for number in 0..8 {
        let found = wait(store.load(&keys(number))).unwrap();
        assert!(found.iter().all(Option::is_some), "what process {number} wrote is not there");
    }
    let tables: i64 = Connection::open(&file)
        .unwrap()
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'record'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(tables, 1);
}

pub(crate) fn start(file: &Path, me: u32) {
    let _ = wait(open(file).commit(&pair(me.into(), 10))).unwrap();
}

#[test]
fn what_was_committed_is_there_when_the_file_is_opened_again() {
    let directory = Directory::new();
    for number in 0..3 {
        let store = open(&directory.file());
        let _ = wait(store.commit(&pair(number, 10))).unwrap();
        for number in 0..=number {
            assert!(wait(store.load(&keys(number))).unwrap().iter().all(Option::is_some));
        }
    }
    // The last to close tidies the log away.
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_file_that_is_no_database_is_corrupt() {
    let directory = Directory::new();
    let text = "this is not a database, however long it may be ".repeat(1_000);
    std::fs::write(directory.file(), &text).unwrap();
    assert!(matches!(refused(&directory.file()), StoreError::Corrupt(_)));
    assert_eq!(std::fs::read_to_string(directory.file()).unwrap(), text);
}

#[test]
fn a_database_of_another_application_is_left_as_it_is() {
    let directory = Directory::new();
    let other = Connection::open(directory.file()).unwrap();
    other.execute_batch("CREATE TABLE users (name TEXT)").unwrap();
    let before = std::fs::read(directory.file()).unwrap();
    assert!(matches!(refused(&directory.file()), StoreError::Corrupt(_)));
    assert_eq!(std::fs::read(directory.file()).unwrap(), before);
}

#[test]
fn tables_of_a_later_version_are_not_touched() {
    let directory = Directory::new();
    drop(open(&directory.file()));
    Connection::open(directory.file()).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = refused(&directory.file());
    assert!(matches!(&error, StoreError::Corrupt(words) if words.contains("99")), "{error}");
}

#[test]
fn a_file_that_cannot_be_opened_is_unavailable() {
    let directory = Directory::new();
    for path in
        [directory.path().join("nowhere").join("auth.db"), directory.path().into(), "".into(), ":memory:".into()]
    {
        let error = refused(&path);
        assert!(matches!(error, StoreError::Unavailable(_)), "{}: {error}", path.display());
    }
}

#[test]
fn the_scripts_can_be_run_by_other_means() {
    let directory = Directory::new();
    let script = include_str!("../../src/store/sqlite/sql/migrations/0001_records.sql");
    Connection::open(directory.file()).unwrap().execute_batch(script).unwrap();
    let store = open(&directory.file());
    let _ = wait(store.commit(&insert(record(grantor::store::Kind::GRANT, 1, 10)))).unwrap();
}
