//! What can go wrong between two stores.

use crate::store::StoreError;

/// An export or import came to nothing, or not to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// A store failed.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The file failed.
    #[error("the file: {0}")]
    Io(#[from] std::io::Error),
    /// A line that is none of a dump.
    #[error("line {line}: {reason}")]
    Line {
        /// Which one, from 1 on.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The dump ends before its last line: it was cut off.
    #[error("the dump has no end: it was cut off after line {lines}")]
    CutOff {
        /// How many whole lines there are.
        lines: u64,
    },
    /// The dump has an end, and it does not fit what is before.
    #[error("the dump was altered: its count or checksum does not fit")]
    Altered,
    /// The new store holds another record of that name: it is not empty, and not from an earlier attempt at the same
    /// import.
    #[error("the store already holds another record of the name {key}")]
    Conflict {
        /// The key, as dumps have it.
        key: String,
    },
}
