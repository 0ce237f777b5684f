//! Responses, with the headers that protect them.

use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, PRAGMA, REFERRER_POLICY, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

/// Styles, scripts and images are the console's own files; forms go to the console alone.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'";

fn respond(status: StatusCode, body: String, headers: &[(HeaderName, &'static str)]) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A page (RFC 9700 §4.16): not to be framed, kept or sniffed, nor its address to be told to other sites.
pub(super) fn page(status: StatusCode, html: String) -> Response<String> {
    let mut response =
        respond(status, html, &[(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, POLICY)]);
    protect(response.headers_mut());
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// The browser goes on to `location`, by GET.
pub(super) fn see_other(location: &str) -> Response<String> {
    let mut response = respond(StatusCode::SEE_OTHER, String::new(), &[]);
    match HeaderValue::from_str(location) {
        Ok(location) => {
            response.headers_mut().insert(LOCATION, location);
        }
        Err(_) => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
    }
    protect(response.headers_mut());
    response
}

/// A file that never changes under its name.
pub(super) fn file(kind: &'static str, content: &str) -> Response<String> {
    respond(
        StatusCode::OK,
        content.to_owned(),
        &[
            (CONTENT_TYPE, kind),
            (CACHE_CONTROL, "public, max-age=31536000, immutable"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ],
    )
}

/// The method is not one of the page's.
pub(super) fn method_not_allowed(allow: &'static str) -> Response<String> {
    respond(StatusCode::METHOD_NOT_ALLOWED, String::new(), &[(ALLOW, allow), (CACHE_CONTROL, "no-store")])
}

fn protect(headers: &mut HeaderMap) {
    for (name, value) in [
        (X_FRAME_OPTIONS, "DENY"),
        // Not `no-referrer`, under which browsers send `Origin: null` with our own forms.
        (REFERRER_POLICY, "same-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-store"),
        (PRAGMA, "no-cache"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
