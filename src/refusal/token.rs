//! The token endpoint.

use super::{ClientError, Dead, ExtensionRefusal, RequestError};
use crate::error::Failure;

/// A token request was refused, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TokenError {
    /// Its parameters cannot be read.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The client could not be authenticated.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The server could not do it.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// A parameter is missing.
    #[error("{0} is missing")]
    ParameterMissing(&'static str),
    /// There is no such grant type.
    #[error("there is no such grant type")]
    GrantTypeUnknown,
    /// The client did not register the grant type.
    #[error("the client did not register the grant type")]
    GrantTypeNotAllowed,
    /// The code does not count.
    #[error("the authorization code does not count: {0}")]
    CodeDead(Dead),
    /// The code was issued to another client.
    #[error("the authorization code was issued to another client")]
    CodeOfAnotherClient,
    /// The code was redeemed before; what it bought has ended.
    #[error("the authorization code was redeemed before")]
    CodeReplayed,
    /// The code was being redeemed when the store did not say whether it was: nothing ends, and a new code is needed.
    #[error("whether the authorization code was redeemed is in doubt")]
    CodeInDoubt,
    /// The redirect URI is not that of the authorization request.
    #[error("the redirect URI is not that of the authorization request")]
    RedirectUriMismatch,
    /// The redirect URI must be repeated.
    #[error("the redirect URI of the authorization request must be repeated")]
    RedirectUriMissing,
    /// The code has no challenge, and the client must have one.
    #[error("the authorization code has no challenge, and the client must have one")]
    ChallengeMissing,
    /// The code has a challenge; the verifier is missing.
    #[error("the code verifier is missing")]
    VerifierMissing,
    /// The code has no challenge; there is a verifier.
    #[error("there is a code verifier for a code without a challenge")]
    VerifierUnexpected,
    /// The verifier is not that of the challenge.
    #[error("the code verifier is wrong")]
    VerifierWrong,
    /// The device code does not count.
    #[error("the device code does not count: {0}")]
    DeviceCodeDead(Dead),
    /// The device code was issued to another client.
    #[error("the device code was issued to another client")]
    DeviceCodeOfAnotherClient,
    /// The device code was redeemed before; what it bought has ended.
    #[error("the device code was redeemed before")]
    DeviceCodeReplayed,
    /// The device code was being redeemed when the store did not say whether it was: nothing ends, and the device must
    /// begin anew.
    #[error("whether the device code was redeemed is in doubt")]
    DeviceCodeInDoubt,
    /// The user has not decided yet (RFC 8628 §3.5 `authorization_pending`).
    #[error("the user has not decided yet")]
    DevicePending,
    /// The user has not decided yet, and the device asked too soon: it has to wait five seconds longer each time from
    /// now on (RFC 8628 §3.5 `slow_down`).
    #[error("the device asks too often")]
    DeviceTooFast,
    /// The user refused (RFC 8628 §3.5 `access_denied`).
    #[error("the user refused the device")]
    DeviceDenied,
    /// The refresh token does not count.
    #[error("the refresh token does not count: {0}")]
    RefreshDead(Dead),
    /// The refresh token was issued to another client.
    #[error("the refresh token was issued to another client")]
    RefreshOfAnotherClient,
    /// The refresh token was used before, too long ago; its family has ended.
    #[error("the refresh token was used before")]
    RefreshReplayed,
    /// The refresh token was being used when the store did not say whether it was, and there is no retry window:
    /// nothing ends.
    #[error("whether the refresh token was used is in doubt")]
    RefreshInDoubt,
    /// The scope is not one.
    #[error("the scope is malformed")]
    ScopeMalformed,
    /// No scope was named and there is no default.
    #[error("no scope was named and there is no default")]
    ScopeMissing,
    /// The scope is more than may be had.
    #[error("the scope is more than may be had")]
    ScopeExceeded,
    /// A resource is not one.
    #[error("a resource is malformed")]
    TargetMalformed,
    /// A resource is not one of the server's.
    #[error("a resource is unknown")]
    TargetUnknown,
    /// A resource was not granted.
    #[error("a resource was not granted")]
    TargetExceeded,
    /// A public client cannot act for itself.
    #[error("a public client cannot use client_credentials")]
    PublicClient,
    /// The host refused.
    #[error(transparent)]
    Extension(ExtensionRefusal),
}
