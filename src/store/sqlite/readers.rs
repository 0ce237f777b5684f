//! The connections that read, and the threads for what takes longer.

use std::path::Path;
use std::sync::{Mutex, TryLockError};
use std::time::Duration;

use rusqlite::Connection;

use super::fault::{Fault, patiently};
use super::options::{Place, SqliteOptions, SqliteReads};
use super::wait::{Answer, Waiting, channel};
use super::worker::{Turned, Worker};
use super::writer::WAITING;
use crate::store::StoreError;

/// Something to be read, on whichever connection.
pub(super) type Reading = Box<dyn FnOnce(&Connection) + Send>;

/// How many threads read: lists, and loads where the file is locked for a moment.
const THREADS: usize = 2;

/// The connections of a file that read. Each sees what was committed before it begins, whoever committed it.
pub(super) struct Readers {
    /// For what is read where it is asked for.
    at_once: Box<[Mutex<Connection>]>,
    /// For all else, each thread with a connection of its own.
    threads: Worker<Reading>,
}

impl Readers {
    /// None in memory, where there is but one connection.
    pub(super) fn of(place: &Place, options: &SqliteOptions) -> Result<Option<Self>, Fault> {
        match place {
            Place::File(path) => Self::open(path, options).map(Some),
            Place::Memory => Ok(None),
        }
    }

    fn open(path: &Path, options: &SqliteOptions) -> Result<Self, Fault> {
        let (at_once, threads) = match options.reads {
            SqliteReads::WhereAsked => (options.readers, THREADS),
            SqliteReads::OnThreads => (0, options.readers),
        };
        // Another process may be recovering the log, or tidying it away.
        let open = || patiently(options.busy_timeout, || super::connection::reading(path));
        let at_once = (0..at_once).map(|_| open().map(Mutex::new)).collect::<Result<_, Fault>>()?;
        let mut worker = Worker::new(WAITING);
        for _ in 0..threads {
            let connection = open()?;
            let started = worker.start("grantor-sqlite-read", move |queue| {
                let mut readings: Vec<Reading> = Vec::new();
                while queue.take(&mut readings, 1) {
                    readings.drain(..).for_each(|reading| reading(&connection));
                }
            });
            started.map_err(|error| Fault::Place(format!("a thread cannot be started: {error}")))?;
        }
        Ok(Self { at_once, threads: worker })
    }

    /// Reads on the thread that asks. `None` if no connection is free, or it would have to wait for a lock.
    pub(super) fn at_once<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Option<Result<T, StoreError>> {
        let connection = self.at_once.iter().find_map(|connection| match connection.try_lock() {
            Ok(connection) => Some(connection),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        })?;
        match read(&connection) {
            Err(fault) if fault.is_busy() => None,
            result => Some(result.map_err(|fault| fault.nothing_happened())),
        }
    }

    /// Hands a reading to a thread.
    pub(super) fn later(&self, reading: Reading) -> Result<(), Turned> {
        self.threads.queue().push(reading)
    }
}

/// Makes of a question a reading, and the answer to wait for.
pub(super) fn reading<T: Send + 'static>(
    busy_timeout: Duration,
    read: impl Fn(&Connection) -> Result<T, Fault> + Send + 'static,
) -> (Reading, Waiting<Result<T, StoreError>>) {
    let (answer, waiting): (Answer<_>, _) = channel();
    let reading = move |connection: &Connection| {
        if answer.is_wanted() {
            let result = patiently(busy_timeout, || read(connection));
            answer.give(result.map_err(|fault| fault.nothing_happened()));
        }
    };
    (Box::new(reading), waiting)
}
