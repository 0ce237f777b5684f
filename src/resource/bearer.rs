//! The token in an HTTP request (RFC 6750).

use http::header::{AUTHORIZATION, CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};

use super::{ProtectedResource, Require, Verified, verify};
use crate::context::Context;
use crate::event::{Event, Refusal, What};
use crate::refusal::{Dead, VerifyError};
use crate::wire::bearer::{BearerChallenge, parse};
use crate::wire::error::ErrorCode;
use crate::wire::scope::Scope;

/// A refusal, ready to be sent.
#[derive(Debug, Clone)]
pub struct Challenge {
    error: VerifyError,
    scope: Option<Scope>,
    max_age: Option<u64>,
    resource_metadata: Option<String>,
}

impl std::fmt::Display for Challenge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Challenge {}

impl Challenge {
    /// Why.
    pub const fn error(&self) -> VerifyError {
        self.error
    }

    /// The same, telling where the metadata of the resource is (RFC 9728 §5.1), which is how a client that knows
    /// nothing but the resource finds the authorization server.
    #[must_use]
    pub fn at(self, resource: &ProtectedResource) -> Self {
        Self { resource_metadata: Some(resource.metadata_url().to_owned()), ..self }
    }

    /// What the client is asked for, where a request brought no token or not enough scope: also so that it need not
    /// ask twice.
    pub(super) fn new(error: VerifyError, require: Require<'_>) -> Self {
        let tells_scope = matches!(error, VerifyError::Missing | VerifyError::InsufficientScope);
        let scope = tells_scope.then(|| Scope::parse(require.scope_text()).ok()).flatten();
        let max_age = require.max_age().filter(|_| error == VerifyError::StaleAuthentication);
        Self { error, scope, max_age, resource_metadata: None }
    }

    /// The response (RFC 6750 §3): 401, 403 or 400 with a challenge, or 503.
    pub fn into_response(self) -> http::Response<String> {
        let challenge = BearerChallenge::new();
        let (status, challenge) = match self.error {
            VerifyError::Missing => (StatusCode::UNAUTHORIZED, challenge),
            VerifyError::Misplaced => (
                StatusCode::BAD_REQUEST,
                challenge
                    .error(ErrorCode::InvalidRequest)
                    .description("present the token once, in the Authorization header"),
            ),
            VerifyError::Dead(_) | VerifyError::OtherResource => (
                StatusCode::UNAUTHORIZED,
                challenge.error(ErrorCode::InvalidToken).description("the token is not valid here"),
            ),
            VerifyError::InsufficientScope => (
                StatusCode::FORBIDDEN,
                challenge.error(ErrorCode::InsufficientScope).description("the token needs more scope"),
            ),
            VerifyError::StaleAuthentication => (
                StatusCode::UNAUTHORIZED,
                challenge
                    .error(ErrorCode::InsufficientUserAuthentication)
                    .description("the user must have signed in more recently"),
            ),
            VerifyError::Failure(failure) => return unavailable(failure.is_temporary()),
        };
        let challenge = match &self.scope {
            Some(scope) => challenge.scope(scope),
            None => challenge,
        };
        let challenge = match self.max_age {
            Some(seconds) => challenge.max_age(seconds),
            None => challenge,
        };
        let challenge = match &self.resource_metadata {
            Some(url) => challenge.resource_metadata(url),
            None => challenge,
        };
        let mut response = http::Response::new(String::new());
        *response.status_mut() = status;
        if let Ok(value) = HeaderValue::from_str(&challenge.to_string()) {
            response.headers_mut().insert(WWW_AUTHENTICATE, value);
        }
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

fn unavailable(temporary: bool) -> http::Response<String> {
    let mut response = http::Response::new(String::new());
    *response.status_mut() =
        if temporary { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::INTERNAL_SERVER_ERROR };
    if temporary {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Verifies the token in a request. Only the `Authorization` header is read; a token in the query is refused, for logs
/// keep queries.
pub(crate) async fn check_request(
    context: &Context,
    headers: &HeaderMap,
    uri: &Uri,
    require: Require<'_>,
) -> Result<Verified, Challenge> {
    let verified = match presented(headers, uri) {
        Ok(token) => verify(context, token, require).await,
        Err(error) => Err(error),
    };
    verified.map_err(|error| {
        context.tell(&Event::new(context.now(), What::Refused(Refusal::Verify(error))));
        Challenge::new(error, require)
    })
}

pub(super) fn presented<'h>(headers: &'h HeaderMap, uri: &Uri) -> Result<&'h str, VerifyError> {
    let in_query =
        uri.query().is_some_and(|query| query.split('&').any(|piece| piece.split('=').next() == Some("access_token")));
    let mut presented = headers.get_all(AUTHORIZATION).iter();
    let (first, second) = (presented.next(), presented.next());
    if in_query || second.is_some() {
        return Err(VerifyError::Misplaced);
    }
    match first.and_then(|header| parse(header.as_bytes())) {
        None => Err(VerifyError::Missing),
        Some(Ok(token)) => Ok(token),
        Some(Err(_)) => Err(VerifyError::Dead(Dead::Unknown)),
    }
}
