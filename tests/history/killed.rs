//! Servers in processes of their own, killed with everything under way.

use std::path::PathBuf;

use crate::faults::Faults;
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
    let url = format!("file:{}", directory.0.join("auth.jsonl").display());
    let faults = Faults { unavailable: 1, doubt_done: 2, doubt_undone: 1, turns: 2, ..Faults::NONE };
    let processes = Processes::over(&url, 1, faults);
    let histories = rounds(&processes, 10, |seed| Plan { kills: true, faults, ..Plan::of(seed) }).await;
    let lives = histories.iter().flat_map(|history| &history.calls).map(|call| call.node.1).max().unwrap();
    let lost = histories.iter().flat_map(|history| &history.calls);
    let lost = lost.filter(|call| call.outcome() == Some(&Outcome::InDoubt)).count();
    if histories.len() >= 10 {
        assert!(lives > 5 && lost > 5, "killed {lives} times, with {lost} requests under way");
    }
}
