//! Rows and pages that make no sense: told as corrupt, never guessed at.

use std::io::{Seek as _, SeekFrom, Write as _};

use grantor::store::{Committed, Condition, Kind, Page, Query, Store as _, StoreError};
use rusqlite::Connection;

use super::database::{Directory, open, wait};
use super::records::{TENANT, commit, insert, key, keys, pair, record};

#[test]
fn a_row_that_makes_no_sense_is_corrupt_and_its_neighbours_are_not() {
    let directory = Directory::new();
    let store = open(&directory.file());
    for change in [
        "state = 9",
        "state = -1",
        "kind = 3",
        "tenant = x'00'",
        "parent = x'00'",
        "parent = key",
        "parent_epoch = 1",
        "subject = key, subject_epoch = 1",
        "client = key",
        "name = 'half'",
        "name = CAST(x'ff' AS TEXT), public_id = '', class = ''",
        "used_at = 1",
        "used_answer = x''",
        "key = substr(key, 1, 34)",
    ] {
        let other = Connection::open(directory.file()).unwrap();
        other.execute_batch("DELETE FROM record").unwrap();
        for number in [1, 2] {
            let _ = wait(store.commit(&insert(record(Kind::GRANT, number, 10)))).unwrap();
        }
        let sane = format!("UPDATE record SET {change} WHERE substr(key, 4) = ?1");
        assert_eq!(other.execute(&sane, [key(Kind::GRANT, 1).id]).unwrap(), 1, "{change}");
        let listed = wait(store.list(&Query::new(TENANT, Kind::GRANT), &Page { after: None, limit: 10 }));
        let found = wait(store.load(&[key(Kind::GRANT, 1)]));
        if change.starts_with("key") {
            assert!(matches!(found.as_deref(), Ok([None])), "{change}: {found:?}");
        } else {
            assert!(matches!(found, Err(StoreError::Corrupt(_))), "{change}: {found:?}");
        }
        // Of another kind or server it is not listed at all.
        let elsewhere = change.starts_with("kind") || change.starts_with("tenant");
        match listed {
            Ok(listing) => assert!(elsewhere && listing.records.len() == 1, "{change}"),
            Err(error) => assert!(!elsewhere && matches!(error, StoreError::Corrupt(_)), "{change}: {error}"),
        }
        assert!(wait(store.load(&[key(Kind::GRANT, 2)])).unwrap()[0].is_some(), "{change}");
    }
}

#[test]
fn an_error_does_not_tell_what_is_in_a_row() {
    let directory = Directory::new();
    let store = open(&directory.file());
    let _ = wait(store.commit(&insert(record(Kind::GRANT, 1, 10)))).unwrap();
    let other = Connection::open(directory.file()).unwrap();
    other.execute_batch("UPDATE record SET name = 'confidential'").unwrap();
    let error = wait(store.load(&[key(Kind::GRANT, 1)])).unwrap_err().to_string();
    assert!(!error.contains("confidential"), "{error}");
}

#[test]
fn pages_that_were_overwritten_are_corrupt_for_loads_and_commits() {
    let directory = Directory::new();
    let store = open(&directory.file());
    for number in 0..2_000 {
        assert_eq!(wait(store.commit(&pair(number, 100))).unwrap(), Committed::Applied);
    }
    drop(store);
    let length = std::fs::metadata(directory.file()).unwrap().len();
    let mut file = std::fs::OpenOptions::new().write(true).open(directory.file()).unwrap();
    // All but the first pages, which hold the schema: what is left is the roots of trees that lead nowhere.
    let from = 4_096 * 16;
    file.seek(SeekFrom::Start(from)).unwrap();
    file.write_all(&vec![0xa5; usize::try_from(length - from).unwrap()]).unwrap();
    file.sync_all().unwrap();

    let store = open(&directory.file());
    let mut corrupt = [0, 0];
    for number in 0..2_000 {
        match wait(store.load(&keys(number))) {
            // What was not overwritten is as it was.
            Ok(found) => assert!(found.iter().all(Option::is_some), "{number} is said not to exist"),
            Err(error) => {
                assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
                corrupt[0] += 1;
            }
        }
        let mut change = pair(1_000_000 + number, 100);
        change.conditions = keys(number).map(Condition::Unused).to_vec();
        match wait(store.commit(&change)) {
            Ok(committed) => assert_eq!(committed, Committed::Applied, "{number} is said not to exist"),
            Err(error) => {
                assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
                corrupt[1] += 1;
            }
        }
    }
    assert!(corrupt.iter().all(|count| *count > 500), "{corrupt:?}");
    // A commit of nothing needs no page.
    assert_eq!(wait(store.commit(&commit([]))).unwrap(), Committed::Applied);
}
