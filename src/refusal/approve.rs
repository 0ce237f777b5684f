//! Approving and denying.

use crate::error::Failure;

/// An approval or a denial that could not be carried out, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ApproveError {
    /// It was approved or denied before: 400.
    #[error("the authorization was decided before")]
    Decided,
    /// Consent was asked of another user: 400.
    #[error("consent was asked of another user")]
    OtherSubject,
    /// The scope is more than was asked for: 400.
    #[error("the scope is more than was asked for")]
    ScopeExceeded,
    /// The subject is empty or longer than 255 bytes: 500, a mistake of the host.
    #[error("a subject must be 1 to 255 bytes")]
    Subject,
    /// It took too long: 400.
    #[error("the authorization has expired")]
    Expired,
    /// The client was deactivated or changed meanwhile: 400.
    #[error("the client has changed")]
    ClientChanged,
    /// The server could not do it. The authorization can be approved again.
    #[error(transparent)]
    Failure(#[from] Failure),
}
