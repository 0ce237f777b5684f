//! Errors: problem details (RFC 9457).

use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use super::output;
use crate::error::Failure;
use crate::manage::ManageError;
use crate::resource::Challenge;

/// A refusal. `code` is for programs, and does not change; `detail` is for people, and may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into() }
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is no such thing")
    }

    pub(super) fn forbidden(detail: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", detail)
    }

    pub(super) fn unprocessable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    fn body(&self) -> String {
        let title = self.status.canonical_reason().unwrap_or_default();
        serde_json::json!({
            "type": "about:blank",
            "title": title,
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        })
        .to_string()
    }

    pub(super) fn into_response(self) -> Response<String> {
        let mut response = output::json(self.status, self.body());
        response.headers_mut().insert(CONTENT_TYPE, PROBLEM);
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// The method is not one of the path's.
pub(super) fn method_not_allowed(allowed: &[&str]) -> Response<String> {
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this path has other methods");
    let mut response = problem.into_response();
    if let Ok(allowed) = HeaderValue::from_str(&allowed.join(", ")) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

/// The request is larger than the server reads.
pub(crate) fn too_large(status: StatusCode) -> Response<String> {
    Problem::new(status, "too_large", "the request is too large").into_response()
}

/// The token is missing, dead, or not enough: the challenge of RFC 6750, with a body like that of any other error.
pub(super) fn challenge(challenge: Challenge) -> Response<String> {
    let mut response = challenge.into_response();
    let (code, detail) = match response.status() {
        StatusCode::UNAUTHORIZED => ("unauthorized", "a valid token is needed"),
        StatusCode::FORBIDDEN => ("insufficient_scope", "the token needs more scope"),
        StatusCode::BAD_REQUEST => ("invalid_request", "present the token once, in the Authorization header"),
        _ => ("unavailable", "the server cannot answer now"),
    };
    *response.body_mut() = Problem::new(response.status(), code, detail).body();
    response.headers_mut().insert(CONTENT_TYPE, PROBLEM);
    response
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        if failure.is_temporary() {
            Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the server cannot answer now")
        } else {
            Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "the server met an unexpected condition")
        }
    }
}

impl From<ManageError> for Problem {
    fn from(error: ManageError) -> Self {
        use ManageError as E;
        let (status, code) = match &error {
            E::NotFound => return Self::not_found(),
            E::Failure(failure) => return (*failure).into(),
            E::Changed => (StatusCode::PRECONDITION_FAILED, "changed"),
            E::Taken => (StatusCode::CONFLICT, "taken"),
            E::PublicClient => (StatusCode::CONFLICT, "public_client"),
            E::TooManySecrets => (StatusCode::CONFLICT, "too_many_secrets"),
            E::NameTaken => (StatusCode::CONFLICT, "name_taken"),
            E::TooManyTokens => (StatusCode::CONFLICT, "too_many_tokens"),
            E::Document => (StatusCode::CONFLICT, "client_document"),
            E::Inactive => (StatusCode::CONFLICT, "inactive"),
            E::ClientId => (StatusCode::UNPROCESSABLE_ENTITY, "client_id"),
            E::Secret => (StatusCode::UNPROCESSABLE_ENTITY, "secret"),
            E::Label => (StatusCode::UNPROCESSABLE_ENTITY, "label"),
            E::Uses => (StatusCode::UNPROCESSABLE_ENTITY, "uses"),
            E::Name => (StatusCode::UNPROCESSABLE_ENTITY, "name"),
            E::ScopeNotAllowed => (StatusCode::UNPROCESSABLE_ENTITY, "scope"),
            E::LifetimeNotAllowed => (StatusCode::UNPROCESSABLE_ENTITY, "lifetime"),
            E::Metadata(_) => (StatusCode::UNPROCESSABLE_ENTITY, "metadata"),
        };
        Self::new(status, code, error.to_string())
    }
}
