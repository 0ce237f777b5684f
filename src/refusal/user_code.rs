//! A user code that leads to no device.

use super::RequestError;
use crate::error::Failure;

/// A user code leads to no device that waits (RFC 8628 §3.3), and why. To whoever typed it the first four are alike: a
/// guesser must not learn which codes there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UserCodeError {
    /// It is not a user code, whatever its case and punctuation.
    #[error("this is not a user code")]
    Malformed,
    /// No device has it.
    #[error("no device has this user code")]
    Unknown,
    /// Its time is over, or its client is not active any more.
    #[error("the user code has expired")]
    Expired,
    /// It was allowed or refused before.
    #[error("the user code was decided about before")]
    Decided,
    /// There were too many attempts: [`RequestError::RateLimited`].
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The server could not do it.
    #[error(transparent)]
    Failure(#[from] Failure),
}
