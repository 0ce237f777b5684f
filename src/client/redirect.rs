//! Redirect URIs: what may be registered, and what matches a registration.
//!
//! Matching is equality of bytes (RFC 9700 §2.1, RFC 3986 §6.2.1), with one exception: a native client may use any port
//! of a loopback address (RFC 8252 §7.3). Nothing is normalised, on either side.

use fluent_uri::Uri;

use super::Client;
use crate::config::OmittedRedirectUri;
use crate::wire::uri::is_loopback_host;

/// A redirect URI that was found in the client's registration. Only this can become a `Location`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedRedirectUri(String);

impl VerifiedRedirectUri {
    /// The URI, byte for byte as the request had it (or as registered, where the request left it out).
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A redirect URI that cannot be registered, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedirectUriError {
    /// Not an absolute URI (RFC 6749 §3.1.2), or longer than 2,048 bytes, or with a character that does not belong in
    /// one.
    #[error("it is not an absolute URI of at most 2048 bytes")]
    NotAbsolute,
    /// It has a fragment (RFC 6749 §3.1.2).
    #[error("it has a fragment")]
    Fragment,
    /// It carries a user name.
    #[error("it carries a user name")]
    UserInfo,
    /// http, and not to a loopback address (RFC 9700 §2.6).
    #[error("http is only for loopback addresses")]
    PlainHttp,
    /// A scheme that a browser would run or read from the disk.
    #[error("its scheme is not one that can receive an authorization response")]
    Scheme,
    /// A private-use scheme without a dot (RFC 8252 §7.1).
    #[error("a private-use scheme must be a reversed domain name")]
    SchemeWithoutDot,
    /// A path with `.` or `..` in it, or a backslash: the browser would go elsewhere.
    #[error("its path has segments that a browser would remove")]
    Path,
}

const MAX_LENGTH: usize = 2048;

/// Schemes that are never registered, dot or no dot.
const REFUSED_SCHEMES: [&str; 9] =
    ["javascript", "data", "file", "vbscript", "about", "blob", "urn", "view-source", "filesystem"];

/// Whether `uri` may be registered.
pub(crate) fn check_registration(uri: &str) -> Result<(), RedirectUriError> {
    if uri.len() > MAX_LENGTH {
        return Err(RedirectUriError::NotAbsolute);
    }
    let parsed = Uri::parse(uri).map_err(|_| RedirectUriError::NotAbsolute)?;
    if parsed.has_fragment() {
        return Err(RedirectUriError::Fragment);
    }
    let authority = parsed.authority();
    if authority.as_ref().is_some_and(fluent_uri::component::Authority::has_userinfo) {
        return Err(RedirectUriError::UserInfo);
    }
    let segments = parsed.path().as_str().split('/');
    if segments.into_iter().any(is_dot_segment) {
        return Err(RedirectUriError::Path);
    }
    let scheme = parsed.scheme().as_str();
    let host = authority.as_ref().map_or("", |authority| authority.host());
    match scheme.to_ascii_lowercase().as_str() {
        // In another case it would be the same scheme to a browser, and another to whoever compares bytes, as we do.
        "https" | "http" if !matches!(scheme, "https" | "http") => Err(RedirectUriError::Scheme),
        "https" | "http" if !is_plain_host(host) => Err(RedirectUriError::NotAbsolute),
        "https" => port_is_sound(authority.as_ref()),
        "http" if is_loopback_host(host) => port_is_sound(authority.as_ref()),
        "http" => Err(RedirectUriError::PlainHttp),
        refused if REFUSED_SCHEMES.contains(&refused) => Err(RedirectUriError::Scheme),
        private if !private.contains('.') => Err(RedirectUriError::SchemeWithoutDot),
        _ => Ok(()),
    }
}

/// Whether a host is an address or made of what names are made of. RFC 3986 allows `*`, `;`, `,` and escapes as well,
/// which no name has, and which mean something in a content security policy.
fn is_plain_host(host: &str) -> bool {
    let named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    host.starts_with('[') || (!host.is_empty() && host.bytes().all(named))
}

fn port_is_sound(authority: Option<&fluent_uri::component::Authority<'_>>) -> Result<(), RedirectUriError> {
    let port = authority.and_then(fluent_uri::component::Authority::port);
    if port.is_none_or(|port| port.as_str().parse::<u16>().is_ok()) {
        Ok(())
    } else {
        Err(RedirectUriError::NotAbsolute)
    }
}

fn is_dot_segment(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

/// Whether it leads to the user's own device: a loopback address or a private-use scheme.
pub(crate) fn is_on_device(uri: &str) -> bool {
    let Ok(parsed) = Uri::parse(uri) else { return false };
    match parsed.scheme().as_str() {
        "https" => false,
        "http" => parsed.authority().is_some_and(|authority| is_loopback_host(authority.host())),
        _ => true,
    }
}

/// Whether `url` is one that people may be shown as a link.
pub(crate) fn is_web_page(url: &str) -> bool {
    url.len() <= MAX_LENGTH
        && Uri::parse(url).is_ok_and(|parsed| {
            matches!(parsed.scheme().as_str(), "https" | "http")
                && parsed.authority().is_some_and(|authority| !authority.host().is_empty() && !authority.has_userinfo())
        })
}

/// The request's redirect URI is none of the client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unmatched {
    Unregistered,
    Missing,
}

/// The redirect URI that a response to this request may go to.
///
/// Left out, it is the client's only one (RFC 6749 §3.1.2.3); with several or none there is nothing to fall back on.
pub(crate) fn verify(
    client: &Client,
    requested: Option<&str>,
    omitted: OmittedRedirectUri,
) -> Result<VerifiedRedirectUri, Unmatched> {
    let registered = &client.metadata().redirect_uris;
    let Some(requested) = requested else {
        return match registered.as_slice() {
            [only] if omitted == OmittedRedirectUri::MeansTheOnlyOne => Ok(VerifiedRedirectUri(only.clone())),
            _ => Err(Unmatched::Missing),
        };
    };
    let same = registered.iter().any(|uri| uri == requested);
    let but_for_port =
        || client.metadata().is_native() && registered.iter().any(|uri| same_but_for_port(uri, requested));
    if same || but_for_port() { Ok(VerifiedRedirectUri(requested.to_owned())) } else { Err(Unmatched::Unregistered) }
}

/// Whether two URIs are plain-http loopback URIs that differ in the port and in nothing else.
fn same_but_for_port(registered: &str, requested: &str) -> bool {
    match (split_port(registered), split_port(requested)) {
        (Some((host, _, rest)), Some((other_host, port, other_rest))) => {
            let sound = port.is_none_or(|port| {
                !port.starts_with('0') && port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
            });
            sound && host == other_host && rest == other_rest && Uri::parse(requested).is_ok()
        }
        _ => false,
    }
}

/// Host, port and the rest of a plain-http loopback URI; `None` for any other.
fn split_port(uri: &str) -> Option<(&str, Option<&str>, &str)> {
    let after_scheme = uri.strip_prefix("http://")?;
    let host = ["127.0.0.1", "[::1]", "localhost"].into_iter().find(|host| after_scheme.starts_with(host))?;
    let rest = after_scheme.strip_prefix(host)?;
    let Some(with_port) = rest.strip_prefix(':') else {
        return rest
            .is_empty()
            .then_some((host, None, rest))
            .or_else(|| rest.starts_with(['/', '?']).then_some((host, None, rest)));
    };
    let end = with_port.find(['/', '?']).unwrap_or(with_port.len());
    let (port, rest) = with_port.split_at_checked(end)?;
    Some((host, Some(port), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_port_of_a_loopback_address_may_differ() {
        let registered = "http://127.0.0.1/cb";
        assert!(same_but_for_port(registered, "http://127.0.0.1:49152/cb"));
        assert!(same_but_for_port("http://[::1]/cb", "http://[::1]:61023/cb"));
        assert!(same_but_for_port("http://localhost:1/cb", "http://localhost:2/cb"));
        for other in [
            "http://127.0.0.1:51004/cb/",
            "http://localhost:51004/cb",
            "https://127.0.0.1:51004/cb",
            "http://127.0.0.1:51004/cb?x=1",
            "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.1:51004@evil/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:080/cb",
            "http://127.0.0.1:99999/cb",
            "http://127.0.0.1:+80/cb",
            "http://127.0.0.1:80\\@evil/cb",
        ] {
            assert!(!same_but_for_port(registered, other), "{other}");
        }
    }

    #[test]
    fn what_a_browser_would_misread_is_not_registered() {
        for (uri, reason) in [
            ("https://app.example/cb#f", RedirectUriError::Fragment),
            ("https://user:pw@app.example/cb", RedirectUriError::UserInfo),
            ("http://app.example/cb", RedirectUriError::PlainHttp),
            ("javascript:alert(1)", RedirectUriError::Scheme),
            ("urn:ietf:wg:oauth:2.0:oob", RedirectUriError::Scheme),
            ("myapp:/cb", RedirectUriError::SchemeWithoutDot),
            ("/cb", RedirectUriError::NotAbsolute),
            ("https:/app.example/cb", RedirectUriError::NotAbsolute),
            ("https://app.example\\evil", RedirectUriError::NotAbsolute),
            ("https://app.example/a/../cb", RedirectUriError::Path),
            ("https://app.example/%2e%2E/cb", RedirectUriError::Path),
            ("https://app.example:99999/cb", RedirectUriError::NotAbsolute),
        ] {
            assert_eq!(check_registration(uri), Err(reason), "{uri}");
        }
        for uri in ["https://app.example/cb?x=1", "http://[::1]/cb", "com.example.app:/cb", "http://localhost:8080"] {
            assert_eq!(check_registration(uri), Ok(()), "{uri}");
        }
    }
}
