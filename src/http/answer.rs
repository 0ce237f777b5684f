//! Responses, with the headers that each kind must have.

use std::sync::LazyLock;

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    LOCATION, PRAGMA, REFERRER_POLICY, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::endpoint::ErrorAnswer;
use crate::interaction::AuthorizationResponse;
use crate::pages::{ErrorView, FormPostView, Pages};
use crate::secret::Secret;
use crate::wire::bearer::BearerChallenge;
use crate::wire::error::ErrorCode;

fn response(status: StatusCode, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

fn set(headers: &mut HeaderMap, pairs: &[(HeaderName, &'static str)]) {
    for (name, value) in pairs {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// What every answer in JSON has: made once, since copying a map is quicker than filling one.
static JSON: LazyLock<HeaderMap> = LazyLock::new(|| {
    let mut headers = HeaderMap::with_capacity(8);
    let pairs = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
        (PRAGMA, "no-cache"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    set(&mut headers, &pairs);
    headers
});

/// The same, and that scripts of any origin may read it.
static OPEN_JSON: LazyLock<HeaderMap> = LazyLock::new(|| {
    let mut headers = JSON.clone();
    set(&mut headers, &OPEN);
    headers
});

/// JSON that nobody may keep (RFC 6749 §5.1 asks for both headers).
pub(crate) fn json(status: StatusCode, body: String) -> Response<String> {
    let mut response = response(status, body);
    *response.headers_mut() = JSON.clone();
    response
}

/// The same, open to any origin.
pub(super) fn open_json(status: StatusCode, body: String) -> Response<String> {
    let mut response = response(status, body);
    *response.headers_mut() = OPEN_JSON.clone();
    response
}

/// An error of an endpoint that answers JSON.
pub(crate) fn json_error(error: &ErrorAnswer, realm: &str) -> Response<String> {
    let mut response = json(error.status, error.body());
    if error.challenge {
        // The issuer holds no character that a quoted string would have to escape.
        let challenge = HeaderValue::from_str(&format!("Basic realm=\"{realm}\""));
        let challenge = challenge.unwrap_or_else(|_| HeaderValue::from_static("Basic"));
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    if let Some(seconds) = error.retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// An error of an endpoint that asks for a bearer token (RFC 6750 §3.1: who brought none is told of no error).
pub(super) fn bearer_challenge(status: StatusCode, body: String, realm: &str, missing: bool) -> Response<String> {
    let challenge = BearerChallenge::new().realm(realm);
    let challenge = if missing { challenge } else { challenge.error(ErrorCode::InvalidToken) };
    let mut response = json(status, body);
    let challenge = HeaderValue::from_str(&challenge.to_string());
    let challenge = challenge.unwrap_or_else(|_| HeaderValue::from_static("Bearer"));
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}

/// It is done, and there is nothing to say.
pub(super) fn no_content() -> Response<String> {
    let mut response = response(StatusCode::NO_CONTENT, String::new());
    set(response.headers_mut(), &[(CACHE_CONTROL, "no-store"), (PRAGMA, "no-cache")]);
    response
}

/// Metadata, which is public and changes with the configuration only.
pub(super) fn metadata(body: &str) -> Response<String> {
    let mut response = response(StatusCode::OK, body.to_owned());
    let pairs = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "public, max-age=300"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    set(response.headers_mut(), &pairs);
    response
}

/// The method is not one of the endpoint's.
pub(super) fn method_not_allowed(allow: &'static str) -> Response<String> {
    let mut response = response(StatusCode::METHOD_NOT_ALLOWED, String::new());
    set(response.headers_mut(), &[(ALLOW, allow), (CACHE_CONTROL, "no-store")]);
    response
}

/// The answer to a preflight request.
pub(super) fn preflight(methods: &'static str) -> Response<String> {
    let mut response = response(StatusCode::NO_CONTENT, String::new());
    let pairs = [
        (ACCESS_CONTROL_ALLOW_METHODS, methods),
        // The last names the revision that a client of the Model Context Protocol speaks, also when it reads metadata.
        (ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, mcp-protocol-version"),
        (ACCESS_CONTROL_MAX_AGE, "600"),
        (CACHE_CONTROL, "no-store"),
    ];
    set(response.headers_mut(), &pairs);
    response
}

/// Lets scripts of any origin read it: it grants nothing that the request did not prove (no cookies are involved).
pub(super) fn open_to_any_origin(mut response: Response<String>) -> Response<String> {
    set(response.headers_mut(), &OPEN);
    response
}

const OPEN: [(HeaderName, &str); 2] =
    [(ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (ACCESS_CONTROL_EXPOSE_HEADERS, "WWW-Authenticate, Retry-After")];

/// A page (RFC 9700 §4.16): not to be framed, kept, sniffed, or named to others. `form_action` is where its forms may
/// go, redirects included.
pub(super) fn page(pages: &dyn Pages, status: StatusCode, html: String, form_action: &str) -> Response<String> {
    let mut response = response(status, html);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    protect(response.headers_mut());
    // Sources that fit no header are left out: the page may look plain, but not be unprotected.
    let policy = [pages.sources().as_str(), ""].into_iter().find_map(|sources| {
        let sources = if sources.is_empty() { String::new() } else { format!("{sources}; ") };
        let policy =
            format!("default-src 'none'; {sources}base-uri 'none'; frame-ancestors 'none'; form-action {form_action}");
        HeaderValue::from_str(&policy).ok()
    });
    let policy = policy.unwrap_or_else(|| HeaderValue::from_static("default-src 'none'; form-action 'none'"));
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response
}

fn protect(headers: &mut HeaderMap) {
    let pairs = [
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-store"),
        (PRAGMA, "no-cache"),
    ];
    set(headers, &pairs);
}

/// An error for the person at the browser.
pub(super) fn error_page(pages: &dyn Pages, status: StatusCode, message: &str) -> Response<String> {
    let html = pages.error(&ErrorView::new(status, message));
    let mut response = page(pages, status, html, "'none'");
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// The person at the browser asked too often.
pub(super) fn too_many_page(pages: &dyn Pages, retry_after: u64) -> Response<String> {
    let message = "That was too often. Wait a little, and try again.";
    let mut response = error_page(pages, StatusCode::TOO_MANY_REQUESTS, message);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after));
    response
}

/// The browser goes on to `location`, by GET whatever it did before (OAuth 2.1 §7.5.3: never 307).
pub(super) fn see_other(location: &str) -> Response<String> {
    let mut response = response(StatusCode::SEE_OTHER, String::new());
    match HeaderValue::from_str(location) {
        Ok(location) => {
            response.headers_mut().insert(LOCATION, location);
        }
        Err(_) => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
    }
    protect(response.headers_mut());
    response
}

/// An authorization response, on its way to the client.
pub(crate) fn authorization_response(pages: &dyn Pages, answer: AuthorizationResponse) -> Response<String> {
    match answer {
        AuthorizationResponse::Redirect { location } => see_other(&location),
        AuthorizationResponse::FormPost { action, fields } => {
            let fields = fields.iter().map(|(name, value)| (*name, Secret::new(value.as_str()))).collect();
            let html = pages.form_post(&FormPostView { action: &action, fields });
            page(pages, StatusCode::OK, html, &form_target(&action))
        }
    }
}

/// What a content security policy calls the place that a form, or the redirect after it, goes to: its origin, or
/// its scheme where a policy has no words for the host.
pub(super) fn form_target(uri: &str) -> String {
    let Ok(parsed) = fluent_uri::Uri::parse(uri) else { return "'none'".to_owned() };
    let scheme = parsed.scheme().as_str();
    match parsed.authority() {
        Some(authority) if matches!(scheme, "https" | "http") && is_policy_host(authority.host()) => {
            format!("{scheme}://{}", authority.as_str())
        }
        _ => format!("{scheme}:"),
    }
}

/// Whether a policy can name this host (CSP Level 3 §2.3.1 and §6.7.2.8): letters, digits, hyphens and dots, and no IP
/// address but 127.0.0.1. A browser ignores a source it cannot read, and would then block the form; and a `;` or `,`
/// would begin another directive.
fn is_policy_host(host: &str) -> bool {
    let readable = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    let is_address = host.parse::<std::net::Ipv4Addr>().is_ok();
    readable && !host.is_empty() && (!is_address || host == "127.0.0.1")
}
