//! The device authorization endpoint.

use super::{ClientError, RequestError};
use crate::error::Failure;

/// A device authorization request was refused (RFC 8628 §3.1), and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeviceAuthorizationError {
    /// Its parameters cannot be read, or there were too many such requests.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The client could not be authenticated.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The server could not do it.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The client did not register the device grant.
    #[error("the client did not register the grant type")]
    GrantTypeNotAllowed,
    /// The scope is malformed, or more than the client may ask for, or missing with no default to take its place.
    #[error("the scope is malformed or more than the client may have")]
    Scope,
    /// A resource is malformed or unknown (RFC 8707 §2).
    #[error("a resource is malformed or unknown")]
    Target,
}
