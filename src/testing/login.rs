//! A page on which anybody signs in by giving a name, for tests with a browser.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};

use super::handle::Inner;
use crate::clock::{Clock as _, Timestamp};
use crate::http::SignedIn;
use crate::wire::form::{Form, decode_component, encode_component};
use crate::wire::html::escape;

/// Below the issuer.
pub(super) const PATH: &str = "/_testing/login";
const COOKIE_NAME: &str = "grantor_test_user";

/// Who has signed in on the page: the name, and when.
pub(super) fn signed_in(request: &Parts) -> Option<SignedIn> {
    let mut cookies = request.headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let value = cookies
        .find_map(|line| line.split("; ").find_map(|cookie| cookie.strip_prefix(COOKIE_NAME)?.strip_prefix('=')))?;
    let (at, name) = value.split_once('.')?;
    let at = Timestamp::from_millis(at.parse().ok()?);
    Some(SignedIn::new(decode_component(name).ok()?.into_owned(), at))
}

/// Shows the page, or signs in whoever was named on it.
pub(super) fn answer(inner: &Inner, parts: &Parts, body: &[u8]) -> Response<String> {
    let source = if parts.method == Method::POST { body } else { parts.uri.query().unwrap_or_default().as_bytes() };
    let form = Form::parse(source).unwrap_or_default();
    let return_to = form.get("return_to").unwrap_or_default();
    // Nowhere else, even in a test: applications copy what they see.
    if !inner.server.is_own_url(return_to) {
        return page(StatusCode::BAD_REQUEST, "<p>return_to must be a URL of the server.");
    }
    let named = form.get("username").filter(|_| parts.method == Method::POST);
    let Some(name) = named else {
        let form = format!(
            "<h1>Sign in</h1><p>A server for tests: give any name.\
             <form method=\"post\"><label>Name <input name=\"username\" autofocus required></label>\
             <input type=\"hidden\" name=\"return_to\" value=\"{}\"><button>Sign in</button></form>",
            escape(return_to)
        );
        return page(StatusCode::OK, &form);
    };
    let mut cookie = format!("{COOKIE_NAME}={}.", inner.clock.now().as_millis());
    encode_component(&mut cookie, name);
    cookie.push_str("; Path=/; HttpOnly; SameSite=Lax");
    let mut response = Response::new(String::new());
    *response.status_mut() = StatusCode::SEE_OTHER;
    for (header, value) in [(LOCATION, return_to), (SET_COOKIE, cookie.as_str())] {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(header, value);
        }
    }
    response
}

fn page(status: StatusCode, body: &str) -> Response<String> {
    let mut response = Response::new(format!("<!doctype html><html lang=\"en\"><title>Sign in</title>{body}"));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
