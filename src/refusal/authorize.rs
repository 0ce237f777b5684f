//! The authorization endpoint.

use super::{DocumentError, RequestError};
use crate::error::Failure;

/// An authorization request was refused, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AuthorizeError {
    /// Its parameters cannot be read.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The server could not do it.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// `client_id` is missing, malformed or included twice. Never redirected.
    #[error("client_id is missing or malformed")]
    ClientMissing,
    /// There is no such client, or it is not active. Never redirected.
    #[error("there is no such client")]
    ClientUnknown,
    /// The client's identifier is a URL, and the document there cannot be taken for it. Never redirected.
    #[error(transparent)]
    ClientDocument(DocumentError),
    /// `redirect_uri` is missing and the client did not register exactly one, or it is included twice. Never
    /// redirected.
    #[error("redirect_uri is missing")]
    RedirectUriMissing,
    /// `redirect_uri` is none of the client's. Never redirected.
    #[error("redirect_uri is not registered for the client")]
    RedirectUriUnregistered,
    /// A parameter is included twice.
    #[error("a parameter is included more than once")]
    Repeated,
    /// `response_mode` is none of the server's.
    #[error("the response mode is not supported")]
    ResponseMode,
    /// `response_type` is missing.
    #[error("response_type is missing")]
    ResponseTypeMissing,
    /// `response_type` is none of the server's.
    #[error("the response type is not supported")]
    ResponseTypeUnsupported,
    /// The client did not register the authorization code grant.
    #[error("the client may not use this response type")]
    ResponseTypeNotAllowed,
    /// `request` (RFC 9101) is not supported.
    #[error("request objects are not supported")]
    RequestObject,
    /// `request_uri` (RFC 9101) is not supported; nothing is fetched.
    #[error("request URIs are not supported")]
    RequestUri,
    /// The client must send a code challenge (RFC 7636 §4.4.1).
    #[error("code challenge required")]
    ChallengeMissing,
    /// The challenge is not one that S256 can have made.
    #[error("the code challenge is malformed")]
    ChallengeMalformed,
    /// The method is not S256.
    #[error("transform algorithm not supported")]
    ChallengeMethod,
    /// The scope is malformed, or more than the client may ask for, or missing with no default to take its place.
    #[error("the scope is malformed or more than the client may have")]
    Scope,
    /// A resource is malformed or unknown (RFC 8707 §2).
    #[error("a resource is malformed or unknown")]
    Target,
    /// `prompt` is malformed, or has `none` beside others.
    #[error("prompt is malformed")]
    Prompt,
    /// `max_age` is not a number of seconds.
    #[error("max_age is not a number of seconds")]
    MaxAge,
    /// A parameter of the host is longer than 1,024 bytes.
    #[error("a parameter is too long")]
    ParameterTooLong,
    /// Nobody is signed in, or not recently enough, and the request forbids to ask.
    #[error("the user must sign in")]
    LoginRequired,
    /// Consent is needed, and the request forbids to ask.
    #[error("the user must consent")]
    ConsentRequired,
    /// The resource owner refused.
    #[error("the user refused")]
    AccessDenied,
}
