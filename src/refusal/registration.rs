//! The registration endpoint, and the one where a registration is managed.

use super::RequestError;
use crate::error::Failure;

/// A registration, or a request to manage one, was refused, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RegistrationError {
    /// It cannot be read as a request.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The server could not do it.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// A token is needed, and none was brought: 401.
    #[error("a token is needed")]
    TokenMissing,
    /// The token is unknown, expired, used up, revoked, or that of another client: 401.
    #[error("the token does not count")]
    TokenInvalid,
    /// The body is not declared as `application/json`.
    #[error("the body must be application/json")]
    NotJson,
    /// The body is not one JSON object that can be read in one way only.
    #[error("the body is not one JSON object, with each member once")]
    Unreadable,
    /// A redirect URI cannot be registered: `invalid_redirect_uri`.
    #[error("a redirect URI cannot be registered")]
    RedirectUri,
    /// Some other metadata cannot be registered: `invalid_client_metadata`.
    #[error("the metadata cannot be registered")]
    Metadata,
    /// The host's policy refused the metadata: `invalid_client_metadata`.
    #[error("the policy refused the metadata")]
    Policy,
    /// The software statement does not hold: `invalid_software_statement`.
    #[error("the software statement does not hold")]
    SoftwareStatement,
    /// Software statements, or this one, are not accepted: `unapproved_software_statement`.
    #[error("the software statement is not accepted")]
    UnapprovedStatement,
    /// This very client was registered before, and an administrator has deactivated or deleted it.
    #[error("the client was deactivated")]
    Deactivated,
    /// Too many clients have registered today: 429 with `Retry-After`.
    #[error("too many clients have registered")]
    Quota,
}

/// Why the host's policy does not let a client register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationRefusal {
    /// A redirect URI is not wanted: `invalid_redirect_uri`.
    #[error("a redirect URI is not accepted")]
    RedirectUri,
    /// Something else of it is not wanted: `invalid_client_metadata`.
    #[error("the metadata is not accepted")]
    Metadata,
    /// The software statement does not hold: `invalid_software_statement`.
    #[error("the software statement does not hold")]
    SoftwareStatement,
    /// The software statement is not accepted here: `unapproved_software_statement`.
    #[error("the software statement is not accepted")]
    UnapprovedStatement,
    /// The policy could not be asked: 503 with `Retry-After`.
    #[error("the policy cannot be asked now")]
    Unavailable,
}
