//! The token endpoint (RFC 6749 §3.2).

use http::HeaderMap;

use super::{ErrorAnswer, RequestError, form_of_body, refuse_credentials_in_query};
use crate::client::{ClientError, presented};
use crate::context::Context;
use crate::error::Failure;
use crate::grant::{ExtensionRefusal, TokenAnswer, authorization_code, client_credentials, extension, refresh_token};
use crate::token::Dead;
use crate::wire::error::ErrorCode;

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
    /// The refresh token does not count.
    #[error("the refresh token does not count: {0}")]
    RefreshDead(Dead),
    /// The refresh token was issued to another client.
    #[error("the refresh token was issued to another client")]
    RefreshOfAnotherClient,
    /// The refresh token was used before, too long ago; its family has ended.
    #[error("the refresh token was used before")]
    RefreshReplayed,
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

/// Answers a token request.
pub(crate) async fn token(
    context: &Context,
    headers: &HeaderMap,
    query: Option<&str>,
    body: &[u8],
) -> Result<TokenAnswer, TokenError> {
    refuse_credentials_in_query(query)?;
    let form = form_of_body(headers, body)?;
    let presented = presented(headers, &form)?;
    match form.get("grant_type").ok_or(TokenError::ParameterMissing("grant_type"))? {
        authorization_code::GRANT_TYPE => authorization_code::exchange(context, &presented, &form).await,
        refresh_token::GRANT_TYPE => refresh_token::refresh(context, &presented, &form).await,
        client_credentials::GRANT_TYPE => client_credentials::issue(context, &presented, &form).await,
        other => match context.extension_grants.get(other) {
            Some(grant) => extension::issue(context, &presented, other, &**grant, &form).await,
            None => Err(TokenError::GrantTypeUnknown),
        },
    }
}

/// From a reason to the wire.
impl From<TokenError> for ErrorAnswer {
    fn from(error: TokenError) -> Self {
        use ErrorCode::{InvalidGrant, InvalidRequest, InvalidScope, InvalidTarget, UnauthorizedClient};
        let answer = Self::bad_request;
        match error {
            TokenError::Request(error) => error.into(),
            TokenError::Client(error) => error.into(),
            TokenError::Failure(failure) => failure.into(),
            TokenError::ParameterMissing(_) => answer(InvalidRequest, "a required parameter is missing"),
            TokenError::GrantTypeUnknown => {
                answer(ErrorCode::UnsupportedGrantType, "the server does not have this grant type")
            }
            TokenError::GrantTypeNotAllowed => answer(UnauthorizedClient, "the client may not use this grant type"),
            TokenError::PublicClient => answer(UnauthorizedClient, "a public client may not use this grant type"),
            TokenError::CodeDead(_)
            | TokenError::CodeOfAnotherClient
            | TokenError::CodeReplayed
            | TokenError::ChallengeMissing => answer(InvalidGrant, "the authorization code is not valid"),
            TokenError::RedirectUriMismatch => {
                answer(InvalidGrant, "redirect_uri differs from the authorization request")
            }
            TokenError::RedirectUriMissing => {
                answer(InvalidGrant, "redirect_uri must be that of the authorization request")
            }
            TokenError::VerifierMissing | TokenError::VerifierWrong => {
                answer(InvalidGrant, "code_verifier does not match the code challenge")
            }
            TokenError::VerifierUnexpected => {
                answer(InvalidRequest, "code_verifier without a code challenge in the authorization request")
            }
            TokenError::RefreshDead(_) | TokenError::RefreshOfAnotherClient | TokenError::RefreshReplayed => {
                answer(InvalidGrant, "the refresh token is not valid")
            }
            TokenError::ScopeMalformed => answer(InvalidScope, "the scope is malformed"),
            TokenError::ScopeMissing => answer(InvalidScope, "no scope was named and there is no default"),
            TokenError::ScopeExceeded => answer(InvalidScope, "the scope is more than the client may have"),
            TokenError::TargetMalformed => answer(InvalidTarget, "a resource is malformed"),
            TokenError::TargetUnknown | TokenError::TargetExceeded => {
                answer(InvalidTarget, "a resource is unknown or was not granted")
            }
            TokenError::Extension(refusal) => match refusal {
                ExtensionRefusal::InvalidRequest => answer(InvalidRequest, "a parameter is missing or malformed"),
                ExtensionRefusal::InvalidGrant => answer(InvalidGrant, "what was presented is not valid"),
                ExtensionRefusal::InvalidScope => answer(InvalidScope, "the scope is more than the client may have"),
                ExtensionRefusal::UnauthorizedClient => {
                    answer(UnauthorizedClient, "the client may not use this grant type")
                }
                ExtensionRefusal::Unavailable => Failure::Unavailable.into(),
            },
        }
    }
}
