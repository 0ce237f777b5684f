//! The thread that writes: one transaction for many commits.

use std::time::Duration;

use rusqlite::{Connection, Statement};

use super::apply::{Prepared, Statements};
use super::fault::{Fault, patiently};
use super::readers::Reading;
use super::wait::Answer;
use super::worker::Queue;
use crate::store::{Committed, StoreError, Tenant};

/// How many callers may wait to be written; more are turned away, so that a disk that hangs does not fill the memory.
pub(super) const WAITING: usize = 16_384;

/// How many go into one transaction.
const TOGETHER: usize = 256;

/// What the thread is asked for.
pub(super) enum Job {
    Write(Work, Answer<Result<Done, StoreError>>),
    /// Where there are no other connections: in memory.
    Read(Reading),
}

/// Something to be written.
pub(super) enum Work {
    Commit(Prepared),
    Purge { before: i64, limit: u32 },
    ForgetEvents { tenant: Tenant, up_to: i64, limit: u32 },
}

/// What became of it.
#[derive(Clone, Copy)]
pub(super) enum Done {
    Committed(Committed),
    Removed(u32),
}

type Writing = (Work, Answer<Result<Done, StoreError>>);

/// Where a transaction failed.
enum Broken {
    /// It never began.
    Begin(Fault),
    /// It was rolled back.
    Work(Fault),
    /// At its `COMMIT`, so that it is not known.
    Doubt(Fault),
}

/// Who writes.
pub(super) struct Writer<'c> {
    connection: &'c Connection,
    statements: Statements<'c>,
    begin: Statement<'c>,
    commit: Statement<'c>,
    busy_timeout: Duration,
}

/// Parts those that write from those that read. Whoever no longer waits is left out: nothing of it was begun.
fn sort(jobs: &mut Vec<Job>, writings: &mut Vec<Writing>) -> Vec<Reading> {
    let mut readings = Vec::new();
    for job in jobs.drain(..) {
        match job {
            Job::Write(work, answer) if answer.is_wanted() => writings.push((work, answer)),
            Job::Write(..) => {}
            Job::Read(reading) => readings.push(reading),
        }
    }
    readings
}

impl<'c> Writer<'c> {
    pub(super) fn new(connection: &'c Connection, busy_timeout: Duration) -> Result<Self, Fault> {
        let statements = Statements::prepare(connection)?;
        let (begin, commit) = (connection.prepare("BEGIN IMMEDIATE")?, connection.prepare("COMMIT")?);
        Ok(Self { connection, statements, begin, commit, busy_timeout })
    }

    /// Works off the queue until it is closed and empty.
    pub(super) fn run(mut self, queue: &Queue<Job>) {
        let (mut jobs, mut writings) = (Vec::new(), Vec::new());
        while queue.take(&mut jobs, TOGETHER) {
            let mut readings = sort(&mut jobs, &mut writings);
            if !writings.is_empty() {
                self.serve(&mut writings, &mut readings, queue);
            }
            // Not inside a transaction, where they would see what may yet be rolled back.
            for reading in readings {
                reading(self.connection);
            }
        }
    }

    /// Does all of it, and whatever comes meanwhile, in one transaction, and answers.
    fn serve(&mut self, writings: &mut Vec<Writing>, readings: &mut Vec<Reading>, queue: &Queue<Job>) {
        let mut newcomers = Vec::new();
        let result = self.together(writings, |writings| {
            let room = TOGETHER.saturating_sub(writings.len());
            let some = room > 0 && queue.take_waiting(&mut newcomers, room);
            readings.append(&mut sort(&mut newcomers, writings));
            some
        });
        match result {
            Ok(done) => writings.drain(..).zip(done).for_each(|((_, answer), done)| answer.give(Ok(done))),
            // One that fails must not take the others with it: each for itself.
            Err(Broken::Work(_)) if writings.len() > 1 => {
                for writing in writings.drain(..) {
                    let mut alone = vec![writing];
                    let result = self.together(&mut alone, |_| false);
                    answer_one(alone, result);
                }
            }
            Err(broken) => {
                for (_, answer) in writings.drain(..) {
                    answer.give(Err(broken.tell()));
                }
            }
        }
    }

    /// One transaction. Before it commits, `more` may add to what is to be done: waiting for the disk costs the same for many as for one.
    fn together(
        &mut self,
        writings: &mut Vec<Writing>,
        mut more: impl FnMut(&mut Vec<Writing>) -> bool,
    ) -> Result<Vec<Done>, Broken> {
        self.begin().map_err(Broken::Begin)?;
        let mut done = Vec::with_capacity(writings.len());
        loop {
            while let Some((work, _)) = writings.get(done.len()) {
                match self.work(work) {
                    Ok(one) => done.push(one),
                    Err(fault) => {
                        self.roll_back();
                        return Err(Broken::Work(fault));
                    }
                }
            }
            if !more(writings) {
                break;
            }
        }
        match self.commit.execute([]) {
            Ok(_) => Ok(done),
            Err(error) => {
                self.roll_back();
                let fault = Fault::from(error);
                Err(if fault.leaves_doubt() { Broken::Doubt(fault) } else { Broken::Work(fault) })
            }
        }
    }

    fn begin(&mut self) -> Result<(), Fault> {
        self.roll_back();
        let begin = &mut self.begin;
        patiently(self.busy_timeout, || Ok(begin.execute([]).map(drop)?))
    }

    fn work(&mut self, work: &Work) -> Result<Done, Fault> {
        match work {
            Work::Commit(commit) => self.statements.commit(commit).map(Done::Committed),
            Work::Purge { before, limit } => self.statements.purge(*before, *limit).map(Done::Removed),
            Work::ForgetEvents { tenant, up_to, limit } => {
                self.statements.forget_events(*tenant, *up_to, *limit).map(Done::Removed)
            }
        }
    }

    /// Ends a transaction that failed, if SQLite has not done so already.
    fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            // If this fails the connection is still in a transaction, and the next to begin tries again.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }
}

fn answer_one(writing: Vec<Writing>, result: Result<Vec<Done>, Broken>) {
    let mut done = result.map(|done| done.first().copied());
    for (_, answer) in writing {
        match &mut done {
            Ok(Some(done)) => answer.give(Ok(*done)),
            // Dropping it says that the answer is lost.
            Ok(None) => {}
            Err(broken) => answer.give(Err(broken.tell())),
        }
    }
}

impl Broken {
    fn tell(&self) -> StoreError {
        match self {
            Self::Begin(fault) | Self::Work(fault) => fault.nothing_happened(),
            Self::Doubt(fault) => fault.in_doubt(),
        }
    }
}
