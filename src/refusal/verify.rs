//! A protected resource.

use super::Dead;
use crate::error::Failure;

/// A token does not open this door, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum VerifyError {
    /// There is no token in the request (RFC 6750 §3.1: a challenge without an error).
    #[error("no token was presented")]
    Missing,
    /// More than one token, or one in the query: `invalid_request`.
    #[error("the token must be presented once, in the Authorization header")]
    Misplaced,
    /// It does not count: `invalid_token`.
    #[error("the token does not count: {0}")]
    Dead(Dead),
    /// It is addressed to another resource: `invalid_token`.
    #[error("the token is addressed to another resource")]
    OtherResource,
    /// Its scope is not enough: `insufficient_scope`.
    #[error("the scope of the token is not enough")]
    InsufficientScope,
    /// The resource owner signed in too long ago, or nobody did: `insufficient_user_authentication` (RFC 9470 §3).
    #[error("the resource owner must sign in again")]
    StaleAuthentication,
    /// The server could not tell.
    #[error(transparent)]
    Failure(#[from] Failure),
}
