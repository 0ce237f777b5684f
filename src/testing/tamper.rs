//! Answers that are wrong.

use http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Response, StatusCode};
use serde_json::Value;

use super::{Fault, RecordedRequest};
use crate::endpoint::ErrorAnswer;
use crate::http::{json, json_error};
use crate::wire::error::ErrorCode;
use crate::wire::uri::{append_query, without_parameters};

/// An issuer that no server has.
pub(super) const WRONG_ISSUER: &str = "https://wrong-issuer.invalid";
/// A resource that no server has.
pub(super) const WRONG_AUDIENCE: &str = "https://wrong-audience.invalid";

/// An OAuth error as an endpoint that answers JSON gives it.
pub(super) fn error(code: ErrorCode, request: &RecordedRequest, issuer: &str) -> Response<String> {
    let status = match code {
        ErrorCode::InvalidClient | ErrorCode::InvalidToken => StatusCode::UNAUTHORIZED,
        ErrorCode::InsufficientScope => StatusCode::FORBIDDEN,
        ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    };
    let challenge = code == ErrorCode::InvalidClient && request.headers.contains_key(AUTHORIZATION);
    let description = "the test asked for this error";
    let retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1);
    json_error(&ErrorAnswer { status, code, description, challenge, retry_after }, issuer)
}

/// An answer that a test has written itself.
pub(super) fn written(status: StatusCode, body: &str) -> Response<String> {
    let mut response = json(status, body.to_owned());
    if serde_json::from_str::<serde::de::IgnoredAny>(body).is_err() {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    }
    response
}

/// Makes the answer wrong in the way that this fault has; other faults leave it as it is.
pub(super) fn tamper(fault: &Fault, response: Response<String>, issuer: &str) -> Response<String> {
    match fault {
        Fault::WrongIssuer => wrong_issuer(response, issuer),
        Fault::WrongAudience => with_members(response, |members| replace(members, "aud", WRONG_AUDIENCE)),
        _ => response,
    }
}

fn wrong_issuer(mut response: Response<String>, issuer: &str) -> Response<String> {
    if let Some(location) = response.headers().get(LOCATION).and_then(|location| location.to_str().ok()) {
        let (location, fragment) = location.split_once('#').map_or((location, ""), |(uri, _)| (uri, "#"));
        if location.contains("iss=") {
            let mut changed = append_query(&without_parameters(location, &["iss"]), &[("iss", WRONG_ISSUER)]);
            changed.push_str(fragment);
            if let Ok(value) = HeaderValue::from_str(&changed) {
                response.headers_mut().insert(LOCATION, value);
            }
        }
        return response;
    }
    let is_page = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_page {
        return response.map(|page| page.replace(issuer, WRONG_ISSUER));
    }
    with_members(response, |members| {
        replace(members, "iss", WRONG_ISSUER);
        replace(members, "issuer", WRONG_ISSUER);
    })
}

/// Changes members of a JSON object; anything else stays.
fn with_members(
    response: Response<String>,
    change: impl FnOnce(&mut serde_json::Map<String, Value>),
) -> Response<String> {
    response.map(|body| match serde_json::from_str::<Value>(&body) {
        Ok(Value::Object(mut members)) => {
            change(&mut members);
            Value::Object(members).to_string()
        }
        _ => body,
    })
}

fn replace(members: &mut serde_json::Map<String, Value>, name: &str, value: &str) {
    // A token that is addressed to all has no `aud`, and then is addressed to another all the same.
    let is_introspection = members.get("active") == Some(&Value::Bool(true));
    if members.contains_key(name) || (is_introspection && name == "aud") {
        members.insert(name.to_owned(), value.into());
    }
}
