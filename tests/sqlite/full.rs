//! No room: in the file, by its own bound, and on the disk.

use std::path::Path;
use std::process::Command;

use grantor::store::{Committed, SqliteStore, Store as _, StoreError, Write};
use rusqlite::Connection;

use super::child;
use super::database::{Directory, open, wait};
use super::records::{commit, insert, keys, pair, record};

#[test]
fn a_full_file_makes_commits_unavailable_changes_nothing_and_recovers() {
    let directory = Directory::new();
    let store = wait(SqliteStore::options().max_size(400_000).open(directory.file())).unwrap();
    let mut held = 0;
    let error = loop {
        match wait(store.commit(&pair(held, 2_000))) {
            Ok(committed) => assert_eq!(committed, Committed::Applied),
            Err(error) => break error,
        }
        held += 1;
    };
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    assert!((20..100).contains(&held), "{held} pairs of 4,000 bytes in 400,000");
    for number in 0..=held {
        let found = wait(store.load(&keys(number))).unwrap();
        assert!(found.iter().all(|it| it.is_some() == (number < held)), "{number} of {held}");
    }
    // Room is made by deleting, and used again.
    let gone = keys(0).into_iter().chain(keys(1)).map(Write::Delete);
    assert_eq!(wait(store.commit(&commit(gone))).unwrap(), Committed::Applied);
    assert_eq!(wait(store.commit(&pair(held, 2_000))).unwrap(), Committed::Applied);
}

#[test]
fn one_commit_that_does_not_fit_takes_no_other_with_it() {
    let directory = Directory::new();
    let store = wait(SqliteStore::options().max_size(2_000_000).open(directory.file())).unwrap();
    // Behind a lock, so that all of them gather and go into one transaction.
    let other = Connection::open(directory.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..20)
            .map(|number| {
                let store = &store;
                let payload = if number % 5 == 2 { 4_000_000 } else { 100 };
                scope.spawn(move || (number, wait(store.commit(&pair(number, payload)))))
            })
            .collect();
        std::thread::sleep(std::time::Duration::from_millis(300));
        other.execute_batch("COMMIT").unwrap();
        for caller in callers {
            let (number, answer) = caller.join().unwrap();
            let fits = number % 5 != 2;
            let right = match &answer {
                Ok(committed) => fits && *committed == Committed::Applied,
                Err(error) => !fits && matches!(error, StoreError::Unavailable(_)),
            };
            assert!(right, "{number}: {answer:?}");
            assert!(wait(store.load(&keys(number))).unwrap().iter().all(|found| found.is_some() == fits));
        }
    });
}

/// A bound of the system on the size of files stands in for a disk that is full while the log is written.
#[test]
#[cfg(unix)]
fn a_log_that_cannot_be_written_loses_nothing_that_was_answered() {
    let directory = Directory::new();
    let file = directory.file();
    drop(open(&file));
    let limited = child::command("fill", &file, 0);
    // In blocks of 512 bytes. The signal is ignored, so that writing fails instead.
    let script = "trap '' XFSZ; ulimit -f 1000; exec \"$0\" \"$@\"";
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).arg(limited.get_program()).args(limited.get_args()).stdin(std::process::Stdio::null());
    shell.envs(limited.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = shell.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}");
    let held: u64 = told.split("held ").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
    assert!(held > 10, "{told}");
    let store = open(&file);
    for number in 0..held {
        assert!(wait(store.load(&keys(number))).unwrap().iter().all(Option::is_some), "{number} of {held}");
    }
    // What was in doubt is there as a whole or not at all.
    let last = wait(store.load(&keys(held))).unwrap();
    assert_eq!(last[0].is_some(), last[1].is_some());
    assert_eq!(wait(store.commit(&pair(held + 1, 2_000))).unwrap(), Committed::Applied);
}

/// Commits until it fails, goes on reading, and says how many were applied.
pub(crate) fn fill(file: &Path) {
    let store = open(file);
    let mut held = 0;
    let error = loop {
        match wait(store.commit(&pair(held, 2_000))) {
            Ok(committed) => assert_eq!(committed, Committed::Applied),
            Err(error) => break error,
        }
        held += 1;
    };
    assert!(matches!(error, StoreError::Unavailable(_) | StoreError::InDoubt(_)), "{error}");
    for number in 0..held {
        assert!(wait(store.load(&keys(number))).unwrap().iter().all(Option::is_some), "{number} of {held}");
    }
    let again = wait(store.commit(&insert(record(grantor::store::Kind::CODE, 1, 60_000))));
    assert!(again.is_err(), "{again:?}");
    println!("held {held} until {error}");
}
