//! Bringing an interaction back.

use crate::error::Failure;

/// A handle that does not bring back an authorization, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResumeError {
    /// It is not one of ours, or was changed: 400.
    #[error("the handle is not valid")]
    Invalid,
    /// It took too long: 400.
    #[error("the handle has expired")]
    Expired,
    /// It is another browser's, or the cookie is gone: 403.
    #[error("the handle belongs to another browser")]
    OtherBrowser,
    /// The form does not bring what the page gave it: 403.
    #[error("the form was not sent from the page that was shown")]
    Forged,
    /// The client was changed meanwhile, so that the request is no longer valid: 400.
    #[error("the client has changed")]
    ClientChanged,
    /// The server could not do it.
    #[error(transparent)]
    Failure(#[from] Failure),
}
