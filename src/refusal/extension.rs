//! A grant type of the host.

/// Why an extension grant gives nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExtensionRefusal {
    /// A parameter is missing or malformed: `invalid_request`.
    #[error("a parameter is missing or malformed")]
    InvalidRequest,
    /// What was presented is not valid: `invalid_grant`.
    #[error("what was presented is not valid")]
    InvalidGrant,
    /// The scope is not to be had: `invalid_scope`.
    #[error("the scope is not to be had")]
    InvalidScope,
    /// This client may not: `unauthorized_client`.
    #[error("this client may not use the grant")]
    UnauthorizedClient,
    /// The host cannot tell now: 503.
    #[error("the host cannot tell now")]
    Unavailable,
}
