//! Two processes race; a writer that is killed leaves all or nothing.
//!
//! The children are this test binary again, told by the environment what to do.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use grantor::store::kit::{Fixture, ProcessRace, Task};
use grantor::store::{Committed, PostgresOptions, PostgresStore, Store, Write};

use super::fixture::{Database, runtime};
use super::records::{commit, grant, token};

const ROLE: &str = "GRANTOR_POSTGRES_CHILD";
const URL: &str = "GRANTOR_POSTGRES_URL";
const RACE: ProcessRace = ProcessRace { workers: 2, rounds: 30 };

/// Starts this test binary as a child in this role.
fn child(role: &str, url: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["processes::plays_its_part", "--exact", "--nocapture", "--test-threads=1"]);
    command.env(ROLE, role).env(URL, url).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap()
}

/// The database of the parent, opened by a child.
struct Joined {
    runtime: tokio::runtime::Runtime,
    url: String,
}

impl Fixture for Joined {
    fn reset(&self) {
        unreachable!("the parent has emptied it");
    }

    fn open(&self) -> Arc<dyn Store> {
        let _inside = self.runtime.enter();
        Arc::new(PostgresStore::connect(&self.url, PostgresOptions::new()).unwrap())
    }

    fn drive(&self, task: Task<'_>) {
        self.runtime.block_on(task);
    }
}

/// Does nothing but in a child.
#[test]
fn plays_its_part() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let joined = Joined { runtime: runtime(), url: std::env::var(URL).unwrap() };
    match role.as_str() {
        "writer" => writes_until_killed(&joined),
        number => RACE.take_part(&joined, number.parse().unwrap()).unwrap(),
    }
}

#[test]
fn two_processes_race_and_agree_on_who_won_at_every_level_of_isolation() {
    for isolation in ["read committed", "repeatable read", "serializable"] {
        let database = Database::new(isolation, PostgresOptions::new());
        RACE.prepare(&database).unwrap();
        let url = database.server.url(&database.name);
        let children = ["0", "1"].map(|role| child(role, &url));
        for child in children {
            let done = child.wait_with_output().unwrap();
            assert!(done.status.success(), "{isolation}: {}", String::from_utf8_lossy(&done.stdout));
        }
        RACE.verify(&database).unwrap();
    }
}

/// Commits pairs of records, four at a time, and says which were acknowledged.
fn writes_until_killed(joined: &Joined) {
    let store = joined.open();
    joined.runtime.block_on(async {
        let lanes = (0..4).map(|lane| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for number in (lane..).step_by(4) {
                    let pair = vec![Write::Insert(grant(number).into()), Write::Insert(token(number).into())];
                    assert_eq!(store.commit(&commit(Vec::new(), pair)).await.unwrap(), Committed::Applied);
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "done {number}").unwrap();
                    out.flush().unwrap();
                }
            })
        });
        for lane in lanes.collect::<Vec<_>>() {
            lane.await.unwrap();
        }
    });
}

#[test]
fn a_writer_that_is_killed_leaves_all_or_nothing_and_loses_nothing_it_was_told() {
    let database = Database::new("read committed", PostgresOptions::new());
    let store = database.store();
    for _ in 0..5 {
        database.reset();
        let mut writer = child("writer", &database.server.url(&database.name));
        let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        let number = |line: String| line.strip_prefix("done ").and_then(|number| number.parse::<u64>().ok());
        let mut told: Vec<u64> = lines.by_ref().map(Result::unwrap).filter_map(number).take(100).collect();
        writer.kill().unwrap();
        told.extend(lines.map_while(Result::ok).filter_map(number));
        writer.wait().unwrap();
        // What it had sent may still be under way: wait for its sessions to end.
        let others = "SELECT count(*) FROM pg_stat_activity \
            WHERE application_name = 'grantor' AND datname = current_database() AND state <> 'idle'";
        let busy = || database.runtime.block_on(database.server.sql(&database.name, others)).unwrap()[0].clone();
        while busy() != Some("0".into()) {
            std::thread::yield_now();
        }
        let last = told.iter().max().unwrap() + 10;
        for number in 0..last {
            let keys = [grant(number).key, token(number).key];
            let found = database.runtime.block_on(store.load(&keys)).unwrap();
            assert_eq!(found[0].is_some(), found[1].is_some(), "half a commit is there");
            assert!(found[0].is_some() || !told.contains(&number), "{number} was acknowledged, and is gone");
        }
    }
}
