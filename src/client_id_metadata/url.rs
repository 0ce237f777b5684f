//! Which URLs may be the identifier of a client.

use fluent_uri::Uri;

use crate::refusal::DocumentError;
use crate::wire::charset::MAX_CLIENT_ID;
use crate::wire::uri::is_loopback_host;

/// Names that are never of the public internet (RFC 6761, RFC 6762, RFC 8375, RFC 7686, RFC 9476 and the private-use
/// `internal`).
const NOT_PUBLIC: [&str; 11] =
    ["localhost", "local", "internal", "arpa", "onion", "alt", "test", "invalid", "lan", "home", "corp"];

/// Whether an identifier claims to be the URL of a document.
pub(crate) fn is_claimed(id: &str) -> bool {
    id.starts_with("https://") || id.starts_with("http://")
}

/// Checks that it may be one; `loopback` lets `http` to this machine pass, for tests and development.
///
/// `https` in lower case; a name of the public internet in lower case, no address; no port but 443, which is left out,
/// or 1024 and above; a path without empty, dot or escaped segments; no user name, query or fragment. So one document
/// has one identifier.
pub(crate) fn check(id: &str, loopback: bool) -> Result<(), DocumentError> {
    let sound = id.len() <= MAX_CLIENT_ID
        && id.bytes().all(|byte| byte.is_ascii_graphic())
        && Uri::parse(id).is_ok_and(|uri| {
            let Some(authority) = uri.authority() else { return false };
            let host = authority.host();
            let place = match uri.scheme().as_str() {
                "https" => is_public_name(host),
                "http" => loopback && is_loopback_host(host),
                _ => false,
            };
            let port = authority.port().is_none_or(|port| {
                let port = port.as_str();
                !port.starts_with('0') && port.parse::<u16>().is_ok_and(|number| number >= 1024)
            });
            let path = uri.path().as_str();
            let segments = path.split('/').skip(1).all(|segment| !matches!(segment, "" | "." | ".."));
            place
                && port
                && segments
                && path.len() > 1
                && !path.contains('%')
                && !authority.has_userinfo()
                && !uri.has_query()
                && !uri.has_fragment()
        });
    if sound { Ok(()) } else { Err(DocumentError::Url) }
}

/// Whether a host is a name of several labels in lower case that could be of the public internet. A name whose last
/// label begins with a digit is an address in some spelling (WHATWG URL §3.5): none is.
fn is_public_name(host: &str) -> bool {
    let mut labels = host.rsplit('.');
    let last = labels.next().unwrap_or_default();
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    host.len() <= 253
        && labels.next().is_some()
        && host.split('.').all(label)
        && last.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-' || byte.is_ascii_digit())
        && !last.starts_with(|first: char| first.is_ascii_digit())
        && !NOT_PUBLIC.contains(&last)
}

/// Host and port of an identifier that is a URL: whom a user must trust, and whose budget a fetch is charged to.
pub(crate) fn host(id: &str) -> Option<&str> {
    let rest = id.strip_prefix("https://").or_else(|| id.strip_prefix("http://"))?;
    rest.split('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_document_has_one_identifier() {
        for url in [
            "https://app.example/client.json",
            "https://app.example/a/b",
            "https://app.example:8443/client",
            "https://xn--bcher-kva.example/c",
            "https://a.b.c.example/.well-known/client",
        ] {
            assert_eq!(check(url, false), Ok(()), "{url}");
        }
        for url in [
            "http://app.example/client.json",
            "HTTPS://app.example/c",
            "https://App.example/c",
            "https://app.example",
            "https://app.example/",
            "https://app.example//c",
            "https://app.example/c/",
            "https://app.example/./c",
            "https://app.example/a/../c",
            "https://app.example/%2e%2e/c",
            "https://app.example/c?x=1",
            "https://app.example/c#x",
            "https://user@app.example/c",
            "https://app.example:443/c",
            "https://app.example:22/c",
            "https://app.example:25/c",
            "https://app.example:08443/c",
            "https://app.example:/c",
            "https://app.example:99999/c",
            "https://app.example./c",
            "https://.example/c",
            "https://app..example/c",
            "https://app_x.example/c",
            "https://localhost/c",
            "https://app/c",
            "https://metadata.google.internal/c",
            "https://printer.local/c",
            "https://a.localhost/c",
            "https://127.0.0.1/c",
            "https://[::1]/c",
            "https://[fe80::1%25eth0]/c",
            "https://2130706433/c",
            "https://0x7f.1/c",
            "https://0177.0.0.01/c",
            "https://127.1/c",
            "https://app.0x7f/c",
            "https://app.example\\@evil.example/c",
            "https://app.example/c d",
        ] {
            assert_eq!(check(url, false), Err(DocumentError::Url), "{url}");
        }
        assert_eq!(check(&format!("https://app.example/{}", "x".repeat(512)), false), Err(DocumentError::Url));
        assert_eq!(check("http://127.0.0.1:5000/c", false), Err(DocumentError::Url));
        assert_eq!(check("http://127.0.0.1:5000/c", true), Ok(()));
        assert_eq!(check("http://app.example:5000/c", true), Err(DocumentError::Url));
    }
}
