//! A thread, or several, with a queue before it.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// What waits to be done.
pub(super) struct Queue<J> {
    state: Mutex<State<J>>,
    filled: Condvar,
    limit: usize,
}

struct State<J> {
    jobs: VecDeque<J>,
    /// How many threads sleep: where none does, nobody need be woken.
    asleep: usize,
    closed: bool,
}

/// Why a job was not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turned {
    Full,
    Closed,
}

impl<J> Queue<J> {
    pub(super) fn new(limit: usize) -> Self {
        let state = State { jobs: VecDeque::new(), asleep: 0, closed: false };
        Self { state: Mutex::new(state), filled: Condvar::new(), limit }
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, job: J) -> Result<(), Turned> {
        let mut state = self.lock();
        if state.closed {
            return Err(Turned::Closed);
        }
        if state.jobs.len() >= self.limit {
            return Err(Turned::Full);
        }
        state.jobs.push_back(job);
        let asleep = state.asleep > 0;
        drop(state);
        if asleep {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Waits for jobs and moves at most `most` of them; false when there will be no more.
    pub(super) fn take(&self, into: &mut Vec<J>, most: usize) -> bool {
        let mut state = self.lock();
        loop {
            if !state.jobs.is_empty() {
                move_some(&mut state, into, most);
                return true;
            }
            if state.closed {
                return false;
            }
            state.asleep = state.asleep.saturating_add(1);
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.asleep = state.asleep.saturating_sub(1);
        }
    }

    /// Moves jobs that are there, without waiting; false when there was none.
    pub(super) fn take_waiting(&self, into: &mut Vec<J>, most: usize) -> bool {
        let mut state = self.lock();
        let some = !state.jobs.is_empty();
        move_some(&mut state, into, most);
        some
    }

    fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
    }

    /// Closes the queue and drops what is in it, so that nobody waits for what will not be done.
    fn abandon(&self) {
        let jobs = {
            let mut state = self.lock();
            state.closed = true;
            std::mem::take(&mut state.jobs)
        };
        // Outside the lock: whoever is told may come back at once.
        drop(jobs);
        self.filled.notify_all();
    }
}

fn move_some<J>(state: &mut State<J>, into: &mut Vec<J>, most: usize) {
    let count = state.jobs.len().min(most);
    into.extend(state.jobs.drain(..count));
}

/// Threads that work off a queue. Dropping it lets them finish what is in the queue, and waits until they have.
pub(super) struct Worker<J> {
    queue: Arc<Queue<J>>,
    threads: Vec<JoinHandle<()>>,
}

impl<J: Send + 'static> Worker<J> {
    pub(super) fn new(limit: usize) -> Self {
        Self { queue: Arc::new(Queue::new(limit)), threads: Vec::new() }
    }

    pub(super) fn queue(&self) -> &Queue<J> {
        &self.queue
    }

    /// Starts one more thread.
    pub(super) fn start(&mut self, name: &str, work: impl FnOnce(&Queue<J>) + Send + 'static) -> std::io::Result<()> {
        let queue = Abandons(Arc::clone(&self.queue));
        let thread = std::thread::Builder::new().name(name.into()).spawn(move || work(&queue.0))?;
        self.threads.push(thread);
        Ok(())
    }
}

impl<J> Drop for Worker<J> {
    fn drop(&mut self) {
        self.queue.close();
        let me = std::thread::current().id();
        for thread in self.threads.drain(..) {
            // The last handle may go in a waker that the thread itself has called; it cannot wait for its own end.
            if thread.thread().id() != me {
                let _ = thread.join();
            }
        }
    }
}

/// Abandons the queue when its thread ends, also by a panic.
struct Abandons<J>(Arc<Queue<J>>);

impl<J> Drop for Abandons<J> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_queued_is_done_before_a_worker_ends() {
        let (sender, receiver) = std::sync::mpsc::channel();
        let mut worker = Worker::new(10);
        worker
            .start("test", move |queue| {
                let mut jobs = Vec::new();
                while queue.take(&mut jobs, 2) {
                    jobs.drain(..).for_each(|job: u32| sender.send(job).unwrap());
                }
            })
            .unwrap();
        (0..5).for_each(|job| worker.queue().push(job).unwrap());
        drop(worker);
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_full_queue_and_a_closed_one_take_nothing_in() {
        let queue = Queue::new(1);
        queue.push('a').unwrap();
        assert_eq!(queue.push('b'), Err(Turned::Full));
        queue.abandon();
        assert_eq!(queue.push('c'), Err(Turned::Closed));
        assert!(!queue.take(&mut Vec::new(), 1));
    }

    #[test]
    fn a_worker_that_panics_leaves_nobody_waiting() {
        let mut worker: Worker<super::super::wait::Answer<()>> = Worker::new(10);
        let (answer, waiting) = super::super::wait::channel();
        worker.queue().push(answer).unwrap();
        worker.start("test", |_| std::panic::resume_unwind(Box::new(()))).unwrap();
        // Ends: the queue drops the answer, and later ones are turned away.
        let thread = std::thread::spawn(move || {
            let mut waiting = std::pin::pin!(waiting);
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            while waiting.as_mut().poll(&mut context).is_pending() {
                std::thread::yield_now();
            }
        });
        thread.join().unwrap();
    }
}
