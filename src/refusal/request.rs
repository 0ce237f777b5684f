//! A request whose parameters cannot be read.

use crate::wire::form::FormError;

/// A request whose parameters cannot be read: `invalid_request`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RequestError {
    /// The body is not declared as `application/x-www-form-urlencoded`.
    #[error("the body must be application/x-www-form-urlencoded")]
    NotAForm,
    /// The body or the query is longer than the server reads.
    #[error("the request is too long")]
    TooLong,
    /// It cannot be decoded: bad escapes, not UTF-8, or control characters.
    #[error("a parameter cannot be decoded")]
    Undecodable,
    /// More parameters than any request needs, or a longer one.
    #[error("there are too many parameters, or one is too long")]
    TooMuch,
    /// A parameter occurs twice (RFC 6749 §3.1, §3.2).
    #[error("a parameter is included more than once")]
    Repeated,
    /// The method is none that the endpoint has (RFC 9110 §15.5.6).
    #[error("the method is not allowed")]
    Method,
    /// There were too many like it: 429 with `Retry-After` (RFC 6585 §4).
    #[error("there were too many such requests")]
    RateLimited {
        /// After how many seconds another may be let through.
        retry_after: u64,
    },
    /// Parameters in the body and in the query.
    #[error("parameters belong in the body or in the query, not in both")]
    TwoSources,
}

impl From<FormError> for RequestError {
    fn from(error: FormError) -> Self {
        match error {
            FormError::TooManyParameters | FormError::NameTooLong | FormError::ValueTooLong => Self::TooMuch,
            FormError::BadEscape | FormError::NotUtf8 | FormError::ControlCharacter => Self::Undecodable,
        }
    }
}
