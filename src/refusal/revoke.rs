//! The revocation endpoint.

use super::{ClientError, RequestError};
use crate::error::Failure;

/// A revocation request was refused, and why. A token that is unknown or another client's is no reason: it is answered
/// as a success (RFC 7009 §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RevokeError {
    /// Its parameters cannot be read.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The client could not be authenticated.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The server could not do it.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// `token` is missing.
    #[error("token is missing")]
    TokenMissing,
}
