//! The token endpoint (RFC 6749 §3.2).

use http::HeaderMap;

use super::{ClientRequest, ErrorAnswer, Refused};
use crate::context::Context;
use crate::error::Failure;
use crate::grant::{TokenAnswer, authorization_code, client_credentials, device_code, extension, refresh_token};
use crate::refusal::{Dead, ExtensionRefusal, TokenError};
use crate::wire::error::ErrorCode;

/// Answers a token request.
pub(crate) async fn token(
    context: &Context,
    headers: &HeaderMap,
    query: Option<&str>,
    body: &[u8],
) -> Result<String, Refused<TokenError>> {
    let request = ClientRequest::read(context, headers, query, body).await?;
    issue(context, &request).await.map_err(|error| request.refused(error))
}

/// The body of the answer to a request that was read.
pub(crate) async fn issue(context: &Context, request: &ClientRequest<'_>) -> Result<String, TokenError> {
    let answer = grant(context, request).await?;
    let mut json = answer.to_json();
    // What was issued is issued and must be told, with or without what the host adds.
    if !context.token_members.is_empty()
        && let Ok(token) = answer.says(context)
    {
        context.token_members.write(&mut json, &token).await;
    }
    Ok(json.finish())
}

/// Hands the request to its grant type.
async fn grant(context: &Context, request: &ClientRequest<'_>) -> Result<TokenAnswer, TokenError> {
    let ClientRequest { form, presented } = request;
    let name = form.get("grant_type").ok_or(TokenError::ParameterMissing("grant_type"))?;
    match name {
        authorization_code::GRANT_TYPE => authorization_code::exchange(context, presented, form).await,
        refresh_token::GRANT_TYPE => refresh_token::refresh(context, presented, form).await,
        client_credentials::GRANT_TYPE => client_credentials::issue(context, presented, form).await,
        device_code::GRANT_TYPE if context.policy.device.is_some() => {
            Box::pin(device_code::redeem(context, presented, form)).await
        }
        other => match context.extension_grants.get(other) {
            Some(grant) => Box::pin(extension::issue(context, presented, other, &**grant, form)).await,
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
            | TokenError::CodeInDoubt
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
            TokenError::DeviceCodeDead(Dead::Expired) => answer(ErrorCode::ExpiredToken, "the device code has expired"),
            TokenError::DeviceCodeDead(_)
            | TokenError::DeviceCodeOfAnotherClient
            | TokenError::DeviceCodeReplayed
            | TokenError::DeviceCodeInDoubt => answer(InvalidGrant, "the device code is not valid"),
            TokenError::DevicePending => answer(ErrorCode::AuthorizationPending, "the user has not decided yet"),
            TokenError::DeviceTooFast => answer(ErrorCode::SlowDown, "wait five seconds longer between requests"),
            TokenError::DeviceDenied => answer(ErrorCode::AccessDenied, "the user refused"),
            TokenError::RefreshDead(_)
            | TokenError::RefreshOfAnotherClient
            | TokenError::RefreshReplayed
            | TokenError::RefreshInDoubt => answer(InvalidGrant, "the refresh token is not valid"),
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
