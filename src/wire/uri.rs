//! URIs: the issuer's own, a resource's, and the one an answer is appended to.
//!
//! All are compared byte by byte (RFC 3986 §6.2.1), and kept as they were given.

use std::borrow::Cow;
use std::sync::Arc;

use fluent_uri::Uri;

use super::form::{decode_component, encode_query_component};

/// How long an issuer may be, in bytes.
pub const MAX_ISSUER: usize = 512;
/// How long a resource may be, in bytes.
pub const MAX_RESOURCE: usize = 2048;

/// Why text is not the URI that was needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// Longer than [`MAX_ISSUER`] or [`MAX_RESOURCE`].
    #[error("the URI is too long")]
    TooLong,
    /// Not an absolute URI of RFC 3986 in visible ASCII.
    #[error("not an absolute URI")]
    Malformed,
    /// For an issuer: not `https` in lower case, or `http` beyond the loopback.
    #[error("the scheme must be https; http only with localhost, 127.0.0.1 or [::1]")]
    Scheme,
    /// A user name or password before the host.
    #[error("the URI must not contain a user name")]
    UserInfo,
    /// No host, or for an issuer one that is not written in lower case and without escapes.
    #[error("the host is missing or not written in lower case")]
    Host,
    /// A port that is empty, zero, too large, written with leading zeros or the scheme's own.
    #[error("the port is not a number from 1 to 65535, or the default port, which must be left out")]
    Port,
    /// A path with an empty or dot segment, or with an escape.
    #[error("the path must have no empty segment, no dot segment and no percent sign")]
    Path,
    /// A query where none may be.
    #[error("the URI must not have a query")]
    Query,
    /// A fragment where none may be.
    #[error("the URI must not have a fragment")]
    Fragment,
}

/// Who issues: the URL that names the server (RFC 8414 §2), byte for byte as clients must compare it (RFC 9207 §2.4).
///
/// `https`, or `http` with a [loopback host](is_loopback_host); no user name, query or fragment; scheme and host in
/// lower case and the default port left out, so that [`origin`](Self::origin) is what a browser calls it; no empty and
/// no dot segments and no escapes in the path, so that a route has one spelling.
///
/// A slash at the end is allowed and kept, since an issuer that clients know cannot be renamed. Endpoints never show
/// it: `https://h/` and `https://h` have the same ones.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Issuer {
    text: Arc<str>,
    origin_length: usize,
}

impl Issuer {
    /// Reads an issuer from a configuration.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        let uri = visible_uri(text, MAX_ISSUER)?;
        if uri.has_fragment() {
            return Err(UriError::Fragment);
        }
        if uri.has_query() {
            return Err(UriError::Query);
        }
        let authority = uri.authority().ok_or(UriError::Host)?;
        if authority.has_userinfo() {
            return Err(UriError::UserInfo);
        }
        let host = authority.host();
        if host.is_empty() || !host.bytes().all(is_host_byte) {
            return Err(UriError::Host);
        }
        let default_port = match uri.scheme().as_str() {
            "https" => "443",
            "http" if is_loopback_host(host) => "80",
            _ => return Err(UriError::Scheme),
        };
        if let Some(port) = authority.port()
            && (port.as_str() == default_port || !is_port(port.as_str()))
        {
            return Err(UriError::Port);
        }
        let path = uri.path().as_str();
        if !is_canonical_path(path) {
            return Err(UriError::Path);
        }
        Ok(Self { text: text.into(), origin_length: text.len().saturating_sub(path.len()) })
    }

    /// The issuer as it was given: the value of `iss`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the scheme is `https`: cookies are `Secure` then, and named `__Host-`.
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https:")
    }

    /// The path without a slash at its end: empty, or `/tenant`.
    pub fn path(&self) -> &str {
        let path = self.text.get(self.origin_length..).unwrap_or_default();
        path.strip_suffix('/').unwrap_or(path)
    }

    /// Scheme, host and port, as a browser's `Origin` has them (RFC 6454 §6.2).
    pub fn origin(&self) -> &str {
        self.text.get(..self.origin_length).unwrap_or_default()
    }

    /// The URL of an endpoint below the issuer: `endpoint("/token")` is `https://h/tenant/token`.
    pub fn endpoint(&self, path: &str) -> String {
        [self.origin(), self.path(), leading_slash(path), path].concat()
    }

    /// The URL of a metadata document, which stands between host and path (RFC 8414 §3.1):
    /// `well_known("oauth-authorization-server")` is `https://h/.well-known/oauth-authorization-server/tenant`.
    pub fn well_known(&self, name: &str) -> String {
        [self.origin(), "/.well-known/", name, self.path()].concat()
    }

    /// Whether `url` is absolute and below this issuer, however loosely a browser reads it: the same origin, and no way
    /// out of the path.
    pub fn covers(&self, url: &str) -> bool {
        let Some(rest) = url.strip_prefix(self.origin()).and_then(|rest| rest.strip_prefix(self.path())) else {
            return false;
        };
        let path = rest.split(['?', '#']).next().unwrap_or_default();
        let segments_are_plain = path.split('/').skip(1).all(|segment| !matches!(segment, "." | ".."));
        // Without the slash, `https://h.evil.example`, `https://h@evil.example` and `https://h/tenant2` would begin
        // with an issuer too.
        path.starts_with('/')
            && segments_are_plain
            && !path.contains(['\\', '%'])
            && url.bytes().all(|byte| byte.is_ascii_graphic())
    }
}

impl std::fmt::Debug for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self.as_str(), f)
    }
}

impl std::fmt::Display for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a token is for, RFC 8707 §2: an absolute URI without fragment. `https://h` and `https://h/` are two resources.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Resource(Arc<str>);

impl Resource {
    /// Reads a `resource`. What is wrong with it is answered with `invalid_target`.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        let uri = visible_uri(text, MAX_RESOURCE)?;
        if uri.has_fragment() {
            return Err(UriError::Fragment);
        }
        let has_host = uri.authority().is_some_and(|authority| !authority.host().is_empty());
        if !has_host && (is_web(uri.scheme().as_str()) || uri.path().is_empty()) {
            return Err(UriError::Host);
        }
        Ok(Self(text.into()))
    }

    /// The resource as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self.as_str(), f)
    }
}

impl std::fmt::Display for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Resource {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Whether `host` (IPv6 in brackets, as a URI has it) is one of the three that mean this machine: RFC 8252 §7.3 and
/// §8.3, RFC 9700 §4.1.3. The rest of 127.0.0.0/8 and other spellings of it are not.
#[must_use]
pub fn is_loopback_host(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

/// `uri` with `pairs` appended to its query (RFC 6749 §3.1.2 and §4.1.2).
///
/// The query that `uri` brings is kept as it is, byte for byte, but for parameters that have the name of one of
/// `pairs`, however they escape it: those are dropped, so that each name of the answer occurs once, with our value.
/// Names and values are form-encoded, a space as `%20`; see [`encode_query_component`].
///
/// The result has no fragment (a redirect URI has none to begin with, §3.1.2; if `uri` does, it is cut off). A browser
/// then keeps the fragment of the page that redirected; where that matters, call [`close_fragment`] on the result.
#[must_use]
pub fn append_query(uri: &str, pairs: &[(&str, &str)]) -> String {
    let uri = uri.split_once('#').map_or(uri, |(before, _)| before);
    let (base, query) = uri.split_once('?').unwrap_or((uri, ""));
    let needed = pairs.iter().fold(uri.len(), |sum, (name, value)| {
        sum.saturating_add(name.len()).saturating_add(value.len()).saturating_add(8)
    });
    let mut out = String::with_capacity(needed);
    out.push_str(base);
    let mut separator = '?';
    for piece in query.split('&').filter(|piece| !piece.is_empty()) {
        let name = piece.split_once('=').map_or(piece, |(name, _)| name);
        let name = decode_component(name).unwrap_or(Cow::Borrowed(name));
        if !pairs.iter().any(|(ours, _)| *ours == name) {
            out.push(separator);
            out.push_str(piece);
            separator = '&';
        }
    }
    for (name, value) in pairs {
        out.push(separator);
        encode_query_component(&mut out, name);
        out.push('=');
        encode_query_component(&mut out, value);
        separator = '&';
    }
    out
}

/// `uri` without the parameters of its query that have one of these names, however they escape it; all else as it is,
/// byte for byte.
#[must_use]
pub fn without_parameters<'u>(uri: &'u str, names: &[&str]) -> Cow<'u, str> {
    let Some((base, query)) = uri.split_once('?') else { return Cow::Borrowed(uri) };
    let is_kept = |piece: &&str| {
        let name = piece.split_once('=').map_or(*piece, |(name, _)| name);
        let name = decode_component(name).unwrap_or(Cow::Borrowed(name));
        !names.iter().any(|dropped| *dropped == name)
    };
    let kept: Vec<&str> = query.split('&').filter(is_kept).collect();
    if kept.len() == query.split('&').count() {
        return Cow::Borrowed(uri);
    }
    Cow::Owned(if kept.is_empty() { base.to_owned() } else { [base, "?", &kept.join("&")].concat() })
}

/// Ends `uri` with the fragment `#_`, unless it has one, so that a browser does not carry an old fragment over to the
/// client (RFC 9700 §4.1.3).
pub fn close_fragment(uri: &mut String) {
    if !uri.contains('#') {
        uri.push_str("#_");
    }
}

fn visible_uri(text: &str, limit: usize) -> Result<Uri<&str>, UriError> {
    if text.len() > limit {
        return Err(UriError::TooLong);
    }
    // RFC 3986 has no character beyond visible ASCII; the parser knows that, and this does not rest on it.
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(UriError::Malformed);
    }
    Uri::parse(text).map_err(|_| UriError::Malformed)
}

const fn is_host_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'[' | b']' | b':')
}

fn is_port(text: &str) -> bool {
    !text.starts_with('0') && text.parse::<u16>().is_ok()
}

fn is_web(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")
}

fn is_canonical_path(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    !path.contains('%') && path.split('/').skip(1).all(|segment| !matches!(segment, "" | "." | ".."))
}

fn leading_slash(path: &str) -> &'static str {
    if path.starts_with('/') { "" } else { "/" }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_issuer_covers_what_is_below_it_and_no_near_miss() {
        let bare = Issuer::parse("https://h.example").unwrap();
        let tenant = Issuer::parse("https://h.example/tenant").unwrap();
        let slash = Issuer::parse("https://h.example/tenant/").unwrap();
        for url in ["https://h.example/", "https://h.example/x", "https://h.example/x?y=https://z.example/../%2e"] {
            assert!(bare.covers(url), "{url}");
            assert!(!tenant.covers(url), "{url}");
        }
        for url in ["https://h.example/tenant/", "https://h.example/tenant/interaction?handle=A_-"] {
            assert!(bare.covers(url) && tenant.covers(url) && slash.covers(url), "{url}");
        }
        for url in [
            "",
            "/",
            "/x",
            "//h.example/x",
            "https://h.example",
            "http://h.example/x",
            "HTTPS://h.example/x",
            "https://H.example/x",
            "https://h.example:443/x",
            "https://h.example:8443/x",
            "https://h.example.evil.example/x",
            "https://h.example@evil.example/x",
            "https://u:p@h.example/x",
            "https://h.example\\@evil.example/x",
            "https://h.example/\\evil.example",
            "https:/h.example/x",
            "https:///h.example/x",
            " https://h.example/x",
            "https://h.example/x y",
            "https://h.example/x\r\nSet-Cookie: a=b",
            "https://h.example/\u{e9}",
            "javascript:alert(1)//https://h.example/",
        ] {
            assert!(!bare.covers(url), "{url}");
        }
        for url in [
            "https://h.example/tenant",
            "https://h.example/tenant2/x",
            "https://h.example/tenant/../x",
            "https://h.example/tenant/./../x",
            "https://h.example/tenant/x/..",
            "https://h.example/tenant/%2e%2e/x",
            "https://h.example/tenant/..\\x",
            "https://h.example/tenant?x",
            "https://h.example/tenant#/x",
        ] {
            assert!(!tenant.covers(url) && !slash.covers(url), "{url}");
        }
    }
    use crate::wire::form::Form;

    fn issuer(text: &str) -> Issuer {
        Issuer::parse(text).unwrap()
    }

    #[test]
    fn parameters_are_dropped_by_name_and_all_else_stays() {
        let drop = |uri| without_parameters(uri, &["code", "state"]).into_owned();
        for uri in
            ["https://h/cb", "https://h/cb?", "https://h/cb?a=1&&b", "https://h/cb?Code=1&codes=2", "x.y:/?a=%zz"]
        {
            assert_eq!(drop(uri), uri);
        }
        assert_eq!(drop("https://h/cb?code=1&a=%20&st%61te=2&c%6fde&b"), "https://h/cb?a=%20&b");
        assert_eq!(drop("https://h/cb?code&state="), "https://h/cb");
    }

    #[test]
    fn an_issuer_is_taken_apart_where_its_path_begins() {
        let plain = issuer("https://auth.example.com");
        assert_eq!((plain.origin(), plain.path()), ("https://auth.example.com", ""));
        assert_eq!(plain.endpoint("/token"), "https://auth.example.com/token");
        let tenant = issuer("https://auth.example.com:8443/a/b");
        assert_eq!((tenant.origin(), tenant.path()), ("https://auth.example.com:8443", "/a/b"));
        assert_eq!(tenant.endpoint("/token"), "https://auth.example.com:8443/a/b/token");
        assert_eq!(tenant.endpoint("token"), tenant.endpoint("/token"));
        assert_eq!(
            tenant.well_known("oauth-authorization-server"),
            "https://auth.example.com:8443/.well-known/oauth-authorization-server/a/b"
        );
    }

    #[test]
    fn a_slash_at_the_end_stays_in_the_name_and_never_doubles_in_an_endpoint() {
        for (text, token) in [("https://h/", "https://h/token"), ("https://h/a/", "https://h/a/token")] {
            let issuer = issuer(text);
            assert_eq!(issuer.as_str(), text);
            assert_eq!(issuer.endpoint("/token"), token);
        }
        assert_ne!(issuer("https://h/"), issuer("https://h"));
        assert_eq!(issuer("https://h/").path(), "");
        assert_eq!(issuer("https://h/").well_known("x"), "https://h/.well-known/x");
    }

    #[test]
    fn http_is_for_the_loopback_alone() {
        for text in ["http://localhost", "http://localhost:3000", "http://127.0.0.1:8080/a", "http://[::1]:1"] {
            assert!(!issuer(text).is_https(), "{text}");
        }
        for text in ["http://auth.example", "http://127.0.0.2", "http://localhost.evil.example", "ftp://h", "HTTPS://h"]
        {
            assert_eq!(Issuer::parse(text).unwrap_err(), UriError::Scheme, "{text}");
        }
        assert!(issuer("https://[2001:db8::1]/a").is_https());
    }

    #[test]
    fn an_issuer_has_one_spelling() {
        for (text, error) in [
            ("https://h?x=1", UriError::Query),
            ("https://h/?", UriError::Query),
            ("https://h#f", UriError::Fragment),
            ("https://h/#", UriError::Fragment),
            ("https://user@h", UriError::UserInfo),
            ("https://user:pw@h/a", UriError::UserInfo),
            ("https://@h", UriError::UserInfo),
            ("https://Auth.example", UriError::Host),
            ("https://%61.example", UriError::Host),
            ("https:///a", UriError::Host),
            ("https://", UriError::Host),
            ("https:h", UriError::Host),
            ("https:/h", UriError::Host),
            ("https://h:", UriError::Port),
            ("https://h:443", UriError::Port),
            ("http://localhost:80", UriError::Port),
            ("https://h:0443", UriError::Port),
            ("https://h:0", UriError::Port),
            ("https://h:65536", UriError::Port),
            ("https://h//", UriError::Path),
            ("https://h//a", UriError::Path),
            ("https://h/a//b", UriError::Path),
            ("https://h/a/../b", UriError::Path),
            ("https://h/.", UriError::Path),
            ("https://h/./", UriError::Path),
            ("https://h/%2e%2e/b", UriError::Path),
            ("", UriError::Malformed),
            ("h", UriError::Malformed),
            ("//h", UriError::Malformed),
            (" https://h", UriError::Malformed),
            ("https://h/a b", UriError::Malformed),
            ("https://h\\evil", UriError::Malformed),
            ("https://h/\t", UriError::Malformed),
            ("https://m\u{fc}nchen.example", UriError::Malformed),
        ] {
            assert_eq!(Issuer::parse(text).unwrap_err(), error, "{text:?}");
        }
        assert_eq!(Issuer::parse(&format!("https://h/{}", "a".repeat(MAX_ISSUER))).unwrap_err(), UriError::TooLong);
    }

    #[test]
    fn a_resource_is_an_absolute_uri_without_fragment() {
        for text in [
            "https://api.example",
            "https://api.example/",
            "HTTPS://API.example/v1?tenant=a",
            "urn:example:api",
            "api:files",
            "file:///srv/x",
            "http://localhost:3000/mcp",
        ] {
            assert_eq!(Resource::parse(text).unwrap().as_str(), text);
        }
        for text in [
            "",
            "api.example",
            "/v1",
            "//api.example",
            "https:",
            "https://",
            "https:///v1",
            "https:v1",
            "urn:",
            "x://",
            "https://api.example#",
            "https://api.example/#f",
            "https://api.example/a b",
            "https://api.example/\n",
            "https://api.example/%zz",
            "https://api.example/\u{e9}",
            "https://api.example/\"",
            "https://[::1",
        ] {
            assert!(Resource::parse(text).is_err(), "{text:?}");
        }
        let long = format!("https://h/{}", "a".repeat(MAX_RESOURCE));
        assert_eq!(Resource::parse(&long).unwrap_err(), UriError::TooLong);
        assert_ne!(Resource::parse("https://h").unwrap(), Resource::parse("https://h/").unwrap());
    }

    #[test]
    fn a_resource_is_checked_when_it_is_read_back() {
        let resource = Resource::parse("https://api.example").unwrap();
        let stored = serde_json::to_string(&resource).unwrap();
        assert_eq!(stored, "\"https://api.example\"");
        assert_eq!(serde_json::from_str::<Resource>(&stored).unwrap(), resource);
        assert!(serde_json::from_str::<Resource>("\"https://h#f\"").is_err());
    }

    #[test]
    fn the_loopback_has_three_names() {
        assert!(["localhost", "127.0.0.1", "[::1]"].into_iter().all(is_loopback_host));
        let others = ["127.0.0.2", "127.1", "0x7f000001", "2130706433", "LOCALHOST", "localhost.", "::1", "[0::1]", ""];
        assert!(!others.into_iter().any(is_loopback_host));
    }

    #[test]
    fn an_answer_joins_the_query_that_is_there() {
        let pairs = [("code", "a b&c"), ("state", "\u{e9}#\"'")];
        let printed = "code=a%20b%26c&state=%C3%A9%23%22%27";
        assert_eq!(append_query("https://a/cb", &pairs), format!("https://a/cb?{printed}"));
        assert_eq!(append_query("https://a/cb?", &pairs), format!("https://a/cb?{printed}"));
        assert_eq!(append_query("https://a/cb?x=%20+1", &pairs), format!("https://a/cb?x=%20+1&{printed}"));
        assert_eq!(append_query("https://a/cb?x&y=?", &pairs), format!("https://a/cb?x&y=?&{printed}"));
        assert_eq!(append_query("com.example.app:/cb", &pairs), format!("com.example.app:/cb?{printed}"));
        assert_eq!(append_query("https://a/cb?x=1", &[]), "https://a/cb?x=1");
        assert_eq!(append_query("https://a/cb?x=1#f", &[("code", "c")]), "https://a/cb?x=1&code=c");
    }

    #[test]
    fn a_registered_parameter_gives_way_to_ours_of_the_same_name() {
        let answer = append_query(
            "https://a/cb?code=old&x=1&st%61te=old&iss&codes=2",
            &[("code", "c"), ("state", "s"), ("iss", "i")],
        );
        assert_eq!(answer, "https://a/cb?x=1&codes=2&code=c&state=s&iss=i");
    }

    #[test]
    fn a_fragment_is_closed_once() {
        let mut uri = append_query("https://a/cb", &[("code", "c")]);
        close_fragment(&mut uri);
        close_fragment(&mut uri);
        assert_eq!(uri, "https://a/cb?code=c#_");
    }

    proptest! {
        #[test]
        fn every_state_comes_back_as_it_was(state in "[^\\x00-\\x1f\\x7f]{1,60}", own in "(\\?[a-z=&%]{0,12})?") {
            let answer = append_query(&format!("https://a/cb{own}"), &[("code", "c"), ("state", &state)]);
            prop_assert!(answer.bytes().all(|byte| byte.is_ascii_graphic()) && !answer.contains('#'));
            let ours = answer.get(answer.find("code=c&state=").unwrap()..).unwrap();
            let form = Form::parse(ours.as_bytes()).unwrap();
            prop_assert_eq!(form.get("state"), Some(state.as_str()));
            prop_assert_eq!(form.count("state"), 1);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = Issuer::parse(&text);
            let _ = Resource::parse(&text);
            let _ = append_query(&text, &[("code", "c")]);
        }
    }
}
