//! The pages of the example, in the look of the library's own, with the headers that RFC 9700 §4.16 asks for.

use std::sync::LazyLock;

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use grantor::wire::html::escape;
use sha2::{Digest as _, Sha256};

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1d2329;--soft:#57606a;--page:#f6f7f9;--card:#fff;--line:#d8dde3;--go:#0b57d0}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ec;--soft:#a4adb6;--page:#14181c;--card:#1d2329;--line:#39424b;--go:#8ab4f8}}\
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}\
main{max-width:28rem;margin:8vh auto;padding:2rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem}\
@media(max-width:32rem){main{margin:0;border:0;border-radius:0;min-height:100vh;padding:1.5rem}}\
h1{font-size:1.25rem;line-height:1.3;margin:0 0 1rem}p{margin:0 0 1rem;overflow-wrap:anywhere}a{color:var(--go)}\
.soft{color:var(--soft);font-size:.9rem}.warn{border-left:.25rem solid #bf8700;padding-left:.75rem}label{display:block;margin:0 0 1rem}\
input{display:block;width:100%;margin-top:.25rem;padding:.55rem .75rem;font:inherit;color:inherit;background:none;border:1px solid var(--line);border-radius:.5rem}\
button{width:100%;font:inherit;font-weight:600;padding:.6rem 1.25rem;border-radius:.5rem;border:1px solid var(--go);background:var(--go);color:var(--card);cursor:pointer}";

/// No `form-action`: browsers hold the redirects that follow a form to it too, and the sign-in form may lead on to any
/// client's redirect URI when nobody has to be asked. There is no script, and all that is foreign is escaped.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!("default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; frame-ancestors 'none'");
    HeaderValue::from_str(&policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
});

/// A page. `body` is HTML, with all that is foreign escaped.
pub(crate) fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}</main>\n</body>\n</html>\n",
        title = escape(title),
    );
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
