//! Tasks that begin together, timed by the wall.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::Barrier;

use crate::measure::wall;

/// Runs tasks that begin together: how many operations per second they did, and what each returned.
pub(super) async fn rate<T: Send + 'static>(
    tasks: impl Iterator<Item: Future<Output = T> + Send + 'static>,
    operations: impl Fn(&T) -> usize,
) -> (f64, Vec<T>) {
    let tasks: Vec<_> = tasks.collect();
    let start = Arc::new(Barrier::new(tasks.len()));
    let running: Vec<_> = tasks
        .into_iter()
        .map(|task| {
            let start = Arc::clone(&start);
            tokio::spawn(async move {
                start.wait().await;
                let begun = wall();
                let result = task.await;
                (begun, wall(), result)
            })
        })
        .collect();
    let (mut first, mut last, mut results) = (u64::MAX, 0, Vec::new());
    for task in running {
        let (begun, ended, result) = task.await.unwrap();
        (first, last) = (first.min(begun), last.max(ended));
        results.push(result);
    }
    let count: usize = results.iter().map(operations).sum();
    (count as f64 / (last - first) as f64 * 1e9, results)
}
