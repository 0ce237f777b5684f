//! How a store fails.

/// A store could not do what it was asked.
///
/// The three are never confused: each leads to another answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Nothing happened: the store could not be reached, is full, or is read-only. Answered as 503 with `Retry-After`.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// It is not known whether the commit happened: the connection died while it was under way. Answered as 503 with
    /// `Retry-After`; never taken for success, and never for theft.
    #[error("the outcome of the commit is in doubt: {0}")]
    InDoubt(String),
    /// What the store holds, or what it was asked to do, makes no sense. Answered as 500.
    #[error("the store is corrupt: {0}")]
    Corrupt(String),
}
