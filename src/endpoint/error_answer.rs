//! From a reason to the wire, for the endpoints that answer JSON (RFC 6749 §5.2).
//!
//! What differs between reasons of one kind stays here: to a guesser, "unknown", "wrong" and "expired" are one answer.

use http::StatusCode;

use crate::error::Failure;
use crate::refusal::{ClientError, RequestError};
use crate::wire::error::ErrorCode;
use crate::wire::json::JsonObject;

/// An error as it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ErrorAnswer {
    pub(crate) status: StatusCode,
    pub(crate) code: ErrorCode,
    pub(crate) description: &'static str,
    /// Whether the answer carries a challenge for HTTP Basic.
    pub(crate) challenge: bool,
    /// After how many seconds it makes sense to try again, where it does.
    pub(crate) retry_after: Option<u64>,
}

impl ErrorAnswer {
    pub(crate) const fn bad_request(code: ErrorCode, description: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, description, challenge: false, retry_after: None }
    }

    pub(crate) fn body(&self) -> String {
        let mut json = JsonObject::with_capacity(96);
        json.text("error", self.code.as_str());
        json.text("error_description", self.description);
        json.finish()
    }
}

impl From<RequestError> for ErrorAnswer {
    fn from(error: RequestError) -> Self {
        let answer = |description| Self::bad_request(ErrorCode::InvalidRequest, description);
        match error {
            RequestError::NotAForm => answer("the body must be application/x-www-form-urlencoded"),
            RequestError::TooLong => {
                Self { status: StatusCode::PAYLOAD_TOO_LARGE, ..answer("the request is too long") }
            }
            RequestError::Method => {
                Self { status: StatusCode::METHOD_NOT_ALLOWED, ..answer("the method is not allowed") }
            }
            RequestError::Undecodable => answer("a parameter cannot be decoded"),
            RequestError::TooMuch => answer("there are too many parameters, or one is too long"),
            RequestError::Repeated => answer("a parameter is included more than once"),
            RequestError::RateLimited { retry_after } => Self {
                status: StatusCode::TOO_MANY_REQUESTS,
                code: ErrorCode::TemporarilyUnavailable,
                description: "there were too many such requests: try again later",
                challenge: false,
                retry_after: Some(retry_after),
            },
            RequestError::TwoSources => answer("parameters belong in the body or in the query, not in both"),
        }
    }
}

impl From<ClientError> for ErrorAnswer {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::SeveralMethods => {
                Self::bad_request(ErrorCode::InvalidRequest, "more than one client authentication method was used")
            }
            ClientError::IdMismatch => {
                Self::bad_request(ErrorCode::InvalidRequest, "client_id differs from the authenticated client")
            }
            ClientError::InQuery => {
                Self::bad_request(ErrorCode::InvalidRequest, "credentials must not be sent in the query string")
            }
            ClientError::Missing
            | ClientError::Malformed { .. }
            | ClientError::Unknown { .. }
            | ClientError::Inactive { .. }
            | ClientError::MethodUnsupported { .. }
            | ClientError::MethodNotRegistered { .. }
            | ClientError::WrongSecret { .. }
            | ClientError::NotProven { .. }
            | ClientError::Inconsistent { .. } => Self {
                status: StatusCode::UNAUTHORIZED,
                code: ErrorCode::InvalidClient,
                description: "client authentication failed",
                challenge: error.used_header(),
                retry_after: None,
            },
        }
    }
}

impl From<Failure> for ErrorAnswer {
    fn from(failure: Failure) -> Self {
        if failure.is_temporary() {
            Self {
                status: StatusCode::SERVICE_UNAVAILABLE,
                code: ErrorCode::TemporarilyUnavailable,
                description: "the server cannot answer now: try again",
                challenge: false,
                retry_after: Some(1),
            }
        } else {
            Self {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                code: ErrorCode::ServerError,
                description: "the server met an unexpected condition",
                challenge: false,
                retry_after: None,
            }
        }
    }
}
