//! Servers in processes of their own, killed with everything under way.

use std::path::PathBuf;
use std::sync::Mutex;

use crate::process::Processes;
use crate::round::Plan;
use crate::rounds::{assert_noticed, rounds};

/// A directory that goes with the value.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("grantor-history-{name}-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// In a long run, most of the time goes into starting processes.
fn with_kills(seed: u64) -> Plan {
    Plan { kills: if seed < 20 || seed.is_multiple_of(20) { 2 } else { 0 }, ..Plan::of(seed) }
}

/// Over the store of `examples/custom_store.rs`, whose file belongs to one process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_at_any_moment_loses_nothing_that_it_acknowledged() {
    let directory = Directory::new("killed");
    let path = directory.0.clone();
    let url = move |number| format!("file:{}", path.join(format!("{number}.jsonl")).display());
    let processes = Processes { url: Box::new(url), count: 1, crash: None, running: Mutex::default() };
    assert_noticed(&rounds(&processes, 12, with_kills).await);
}

/// Two at once over one file, either of them killed while the other writes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_over_one_sqlite_file_lose_nothing_when_either_is_killed() {
    let directory = Directory::new("sqlite");
    let path = directory.0.clone();
    let url = move |number| format!("sqlite:{}", path.join(format!("{number}.db")).display());
    let processes = Processes { url: Box::new(url), count: 2, crash: None, running: Mutex::default() };
    assert_noticed(&rounds(&processes, 200, with_kills).await);
}
