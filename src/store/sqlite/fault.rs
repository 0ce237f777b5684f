//! What went wrong, and what may be said of it.

use std::thread::sleep;
use std::time::Duration;

use rusqlite::ErrorCode;

use super::worker::Turned;
use crate::store::StoreError;

/// Why something that touched the database failed.
#[derive(Debug)]
pub(super) enum Fault {
    /// SQLite said so.
    Engine(rusqlite::Error),
    /// A row is none that the store writes.
    Row(&'static str),
    /// The file is none that the store can work with, or not here.
    Place(String),
    /// The file holds what the store must not touch.
    Foreign(String),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Engine(error)
    }
}

impl Fault {
    fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Engine(error) => error.sqlite_error_code(),
            Self::Row(_) | Self::Place(_) | Self::Foreign(_) => None,
        }
    }

    /// Whether another connection is at work, so that it may succeed a moment later.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.code(), Some(ErrorCode::DatabaseBusy | ErrorCode::FileLockingProtocolFailed))
    }

    /// What became of a transaction whose `COMMIT` ended in this.
    ///
    /// Where the disk is full, or the lock was not to be had, the frame that commits was never written as a whole. Where writing or syncing failed otherwise it
    /// may lie in the log all the same, and count again after a crash.
    pub(super) fn leaves_doubt(&self) -> bool {
        !self.is_busy() && !matches!(self.code(), Some(ErrorCode::DiskFull | ErrorCode::ReadOnly))
    }

    pub(super) fn in_doubt(&self) -> StoreError {
        StoreError::InDoubt(self.words())
    }

    pub(super) fn unavailable(&self) -> StoreError {
        StoreError::Unavailable(self.words())
    }

    /// What to say where nothing was changed.
    pub(super) fn nothing_happened(&self) -> StoreError {
        let Self::Engine(error) = self else {
            return match self {
                Self::Place(_) => self.unavailable(),
                Self::Row(_) | Self::Foreign(_) | Self::Engine(_) => StoreError::Corrupt(self.words()),
            };
        };
        match error.sqlite_error_code() {
            Some(
                ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::ConstraintViolation
                | ErrorCode::TypeMismatch
                | ErrorCode::TooBig
                // A statement that does not fit the tables: they are not ours, or of another version.
                | ErrorCode::Unknown,
            )
            // A column that is not of its type.
            | None => StoreError::Corrupt(self.words()),
            Some(_) => self.unavailable(),
        }
    }

    /// What SQLite calls it; never what is in a row.
    fn words(&self) -> String {
        match self {
            Self::Engine(error) => format!("SQLite: {error}"),
            Self::Row(what) => format!("a row that makes no sense: {what}"),
            Self::Place(what) | Self::Foreign(what) => what.clone(),
        }
    }
}

impl From<Turned> for StoreError {
    fn from(turned: Turned) -> Self {
        Self::Unavailable(match turned {
            Turned::Full => "too many callers wait for the database".into(),
            Turned::Closed => "the store has stopped".into(),
        })
    }
}

const SHORTEST: Duration = Duration::from_micros(50);
const LONGEST: Duration = Duration::from_millis(2);

/// Tries again while another connection is at work, until it has slept for as long as `limit`.
///
/// SQLite's own busy handler sleeps up to 100 ms at a time, and is not asked everywhere.
pub(super) fn patiently<T>(limit: Duration, mut attempt: impl FnMut() -> Result<T, Fault>) -> Result<T, Fault> {
    let (mut pause, mut slept) = (SHORTEST, Duration::ZERO);
    loop {
        match attempt() {
            Err(fault) if fault.is_busy() && slept < limit => {
                sleep(pause);
                slept = slept.saturating_add(pause);
                pause = pause.saturating_mul(2).min(LONGEST);
            }
            other => return other,
        }
    }
}
