//! What a request is before anybody reads its parameters: a form, of a sane size, each parameter once.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::client::ClientError;
use crate::wire::form::{Form, FormError, decode_component};

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

/// The parameters in the body of a POST (RFC 6749 §3.2).
pub(crate) fn form_of_body<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<Form<'a>, RequestError> {
    if !declares_form(headers) {
        return Err(RequestError::NotAForm);
    }
    let form = Form::parse(body)?;
    if form.repeated().is_some() { Err(RequestError::Repeated) } else { Ok(form) }
}

pub(crate) fn declares_form(headers: &HeaderMap) -> bool {
    let mut declared = headers.get_all(CONTENT_TYPE).iter();
    let (Some(only), None) = (declared.next(), declared.next()) else { return false };
    let Ok(text) = only.to_str() else { return false };
    let essence = text.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Refuses credentials in the query string, where logs would keep them (RFC 6749 §2.3.1).
pub(crate) fn refuse_credentials_in_query(query: Option<&str>) -> Result<(), ClientError> {
    let names = ["client_secret", "client_assertion", "code", "refresh_token", "token", "code_verifier"];
    let mut pieces = query.unwrap_or_default().split('&');
    // A name is the same name however it is escaped; one that cannot be decoded is none.
    let named = |piece: &str| {
        let name = piece.split('=').next().unwrap_or_default();
        decode_component(name).is_ok_and(|name| names.contains(&&*name))
    };
    if pieces.any(named) { Err(ClientError::InQuery) } else { Ok(()) }
}
