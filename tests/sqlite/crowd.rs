//! Many callers: 64 in one process, and 64 in each of two.

use std::path::Path;
use std::time::Instant;

use grantor::store::{Committed, SqliteStore, Store as _};
use rusqlite::Connection;

use super::child;
use super::database::{Directory, open, wait};
use super::records::{keys, pair};

const CALLERS: u64 = 64;
const EACH: u64 = 25;

/// Commits and loads from 64 threads; none may fail. Prints how long the slowest took.
fn crowd(store: &SqliteStore, first: u64) {
    let slowest = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                scope.spawn(move || {
                    let mut slowest = 0;
                    for count in 0..EACH {
                        let number = first + caller * EACH + count;
                        let begun = Instant::now();
                        assert_eq!(wait(store.commit(&pair(number, 100))).unwrap(), Committed::Applied);
                        slowest = slowest.max(begun.elapsed().as_millis());
                        // Seen at once, by whichever connection.
                        assert!(wait(store.load(&keys(number))).unwrap().iter().all(Option::is_some));
                    }
                    slowest
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).max()
    });
    println!("the slowest of {} commits took {} ms", CALLERS * EACH, slowest.unwrap());
}

fn count(file: &Path) -> u64 {
    let count = Connection::open(file).unwrap().query_row("SELECT count(*) FROM record", [], |row| row.get(0));
    u64::try_from(count.unwrap_or(-1_i64)).unwrap()
}

#[test]
fn no_caller_of_64_is_told_that_the_database_is_locked() {
    let directory = Directory::new();
    let store = open(&directory.file());
    crowd(&store, 0);
    assert_eq!(count(&directory.file()), CALLERS * EACH * 2);
}

#[test]
fn no_caller_of_64_in_each_of_two_processes_is_told_that_the_database_is_locked() {
    let directory = Directory::new();
    let file = directory.file();
    let children = [0, 1].map(|me| child::start("crowd", &file, me));
    children.into_iter().for_each(child::join);
    assert_eq!(count(&file), CALLERS * EACH * 2 * 2);
}

pub(crate) fn take_part(file: &Path, me: u32) {
    crowd(&open(file), u64::from(me) << 32);
}
