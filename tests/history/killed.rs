//! Servers in processes of their own, killed with everything under way.

use std::path::PathBuf;
use std::sync::Mutex;

use crate::history::Outcome;
use crate::honest::rounds;
use crate::process::Processes;
use crate::round::Plan;

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

/// Over the store of `examples/custom_store.rs`, whose file belongs to one process. A backend that several processes can share
/// starts two of them here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_at_any_moment_loses_nothing_that_it_acknowledged() {
    let directory = Directory::new("killed");
    let path = directory.0.clone();
    let url = move |number| format!("file:{}", path.join(format!("{number}.jsonl")).display());
    let processes = Processes { url: Box::new(url), count: 1, running: Mutex::default() };
    // In a long run, most of the time goes into starting processes.
    let plan = |seed| Plan { kills: seed < 20 || seed % 20 == 0, ..Plan::of(seed) };
    let histories = rounds(&processes, 12, plan).await;
    let calls = || histories.iter().flat_map(|history| &history.calls);
    let lives = calls().map(|call| call.node.1).max().unwrap();
    let doubts = calls().filter(|call| call.outcome() == Some(&Outcome::InDoubt)).count();
    if histories.len() >= 12 {
        assert!(lives > 5 && doubts > 5, "killed {lives} times, with {doubts} requests under way");
    }
}
