//! The introspection endpoint.

use super::{ClientError, RequestError};
use crate::error::Failure;

/// An introspection request was refused, and why. A token that does not count is no reason: it is answered as inactive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IntrospectError {
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
    /// A public client: anyone could be asking (RFC 7662 §2.1).
    #[error("a public client cannot introspect")]
    PublicClient,
}
