//! The pages of the example, in the look of the library's own, with the headers that RFC 9700 §4.16 asks for.

use std::sync::LazyLock;

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use grantor::pages::{Pages as _, PlainPages};
use grantor::wire::html::escape;

/// No `form-action`: browsers hold the redirects that follow a form to it too, and the sign-in form may lead on to any
/// client's redirect URI when nobody has to be asked. There is no script, and all that is foreign is escaped.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let sources = PlainPages::new().sources();
    let policy = format!("default-src 'none'; {sources}; base-uri 'none'; frame-ancestors 'none'");
    HeaderValue::from_str(&policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
});

/// A page. `body` is HTML, with all that is foreign escaped.
pub(crate) fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = PlainPages::document(title, &format!("<h1>{}</h1>\n{body}", escape(title)));
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, POLICY.clone()),
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, html).into_response()
}

/// A page that says what is wrong.
pub(crate) fn wrong(status: StatusCode, message: &str) -> Response {
    page(status, "This did not work", &format!("<p>{}</p>\n", escape(message)))
}
