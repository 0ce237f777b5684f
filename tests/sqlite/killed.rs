//! A process that is killed while it writes.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::sync::Mutex;

use grantor::store::{Committed, SqliteStore, Store as _};
use rusqlite::Connection;

use super::child;
use super::database::{Directory, open, wait};
use super::records::{keys, pair};

const THREADS: u64 = 8;

/// Commits pairs until it is killed, and says which were answered.
pub(crate) fn write(file: &Path, round: u32) {
    let store = wait(SqliteStore::open(file)).unwrap();
    let told = Mutex::new(std::io::stdout());
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (store, told) = (&store, &told);
            scope.spawn(move || {
                for count in 0.. {
                    let number = u64::from(round) * 1_000_000_000 + count * THREADS + thread;
                    assert_eq!(wait(store.commit(&pair(number, 300))).unwrap(), Committed::Applied);
                    let mut told = told.lock().unwrap();
                    writeln!(told, "applied {number}").unwrap();
                    told.flush().unwrap();
                }
            });
        }
    });
}

#[test]
fn a_process_that_is_killed_loses_nothing_that_was_answered_and_leaves_no_half() {
    let directory = Directory::new();
    let file = directory.file();
    let mut answered = BTreeSet::new();
    // Each time a little later: into a new file, a log that grows, and a log that is written back.
    for (round, wanted) in (0..).zip([1, 40, 150, 700, 300]) {
        let mut writer = child::start("write", &file, round);
        let lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        let mut applied = 0;
        for line in lines {
            let line = line.unwrap();
            // What the test harness prints stands on the same lines as the first of ours.
            let Some((_, number)) = line.split_once("applied ") else { continue };
            answered.insert(number.parse::<u64>().unwrap());
            applied += 1;
            if applied == wanted {
                // SIGKILL. What it still told before it died is read all the same.
                writer.kill().unwrap();
            }
        }
        assert!(!writer.wait().unwrap().success());
        assert!(applied >= wanted, "the writer ended by itself");

        let store = open(&file);
        for number in &answered {
            let found = wait(store.load(&keys(*number))).unwrap();
            assert!(found.iter().all(Option::is_some), "{number} was answered in round {round} or before, and is gone");
        }
        let connection = Connection::open(&file).unwrap();
        let halves = "SELECT count(*) FROM (SELECT substr(key, 4) FROM record GROUP BY 1 HAVING count(*) <> 2)";
        assert_eq!(connection.query_row(halves, [], |row| row.get::<_, i64>(0)).unwrap(), 0, "half a commit");
        let records: i64 = connection.query_row("SELECT count(*) FROM record", [], |row| row.get(0)).unwrap();
        // Not answered were at most those that were under way.
        let unanswered = records / 2 - i64::try_from(answered.len()).unwrap();
        assert!((0..=i64::from(round + 1) * i64::try_from(THREADS).unwrap()).contains(&unanswered), "{unanswered}");
        let whole: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(whole, "ok");
    }
}
