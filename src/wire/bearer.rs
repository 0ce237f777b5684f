//! Bearer tokens, RFC 6750: the header that presents one, and the challenge that asks for one.

use super::error::{ErrorCode, sanitize_description};
use super::scheme::{MAX_CREDENTIALS, credentials};
use super::scope::Scope;

/// Why a Bearer header is unreadable. The answer is `invalid_token` with status 401: RFC 6750 §3.1 counts a malformed
/// token among the invalid ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BearerError {
    /// Longer than [`MAX_CREDENTIALS`].
    #[error("a token longer than {MAX_CREDENTIALS} bytes")]
    TooLong,
    /// Not a `b64token`.
    #[error("not a bearer token")]
    Malformed,
}

/// Reads an `Authorization` header (RFC 6750 §2.1); `None` where its scheme is not `Bearer`.
///
/// The grammar is the RFC's: `"Bearer" 1*SP b64token`, so that spaces before the token are allowed, and nothing after.
pub fn parse(header: &[u8]) -> Option<Result<&str, BearerError>> {
    credentials(header, "Bearer").map(read)
}

fn read(token: &[u8]) -> Result<&str, BearerError> {
    if token.len() > MAX_CREDENTIALS {
        return Err(BearerError::TooLong);
    }
    let text = std::str::from_utf8(token).map_err(|_| BearerError::Malformed)?;
    if is_b64token(text) { Ok(text) } else { Err(BearerError::Malformed) }
}

/// Whether a bearer token may look like this (RFC 6750 §2.1).
pub(crate) fn is_b64token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty() && body.bytes().all(is_b64token_byte)
}

const fn is_b64token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
}

/// The value of a `WWW-Authenticate` header that asks for a bearer token (RFC 6750 §3); print it with `Display`.
///
/// Each attribute occurs at most once. A request that brought no token gets no `error` (§3.1). Text is brought into the
/// charset that the RFC allows, so no value can end its quotes or the header.
///
/// ```
/// use grantor::wire::bearer::BearerChallenge;
/// use grantor::wire::error::ErrorCode;
///
/// let challenge = BearerChallenge::new().realm("example").error(ErrorCode::InvalidToken);
/// assert_eq!(challenge.to_string(), r#"Bearer realm="example", error="invalid_token""#);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct BearerChallenge<'a> {
    realm: Option<&'a str>,
    error: Option<ErrorCode>,
    description: Option<&'a str>,
    scope: Option<&'a Scope>,
    max_age: Option<u64>,
    resource_metadata: Option<&'a str>,
}

impl<'a> BearerChallenge<'a> {
    /// A challenge without attributes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What is protected.
    #[must_use]
    pub fn realm(self, realm: &'a str) -> Self {
        Self { realm: Some(realm), ..self }
    }

    /// Why the token was refused.
    #[must_use]
    pub fn error(self, error: ErrorCode) -> Self {
        Self { error: Some(error), ..self }
    }

    /// The same for a developer to read.
    #[must_use]
    pub fn description(self, description: &'a str) -> Self {
        Self { description: Some(description), ..self }
    }

    /// What a token needs; not printed where it is empty.
    #[must_use]
    pub fn scope(self, scope: &'a Scope) -> Self {
        Self { scope: Some(scope), ..self }
    }

    /// How long ago, in seconds, the user may have signed in (RFC 9470 §3).
    #[must_use]
    pub fn max_age(self, seconds: u64) -> Self {
        Self { max_age: Some(seconds), ..self }
    }

    /// Where the metadata of the resource is (RFC 9728 §5.1).
    #[must_use]
    pub fn resource_metadata(self, url: &'a str) -> Self {
        Self { resource_metadata: Some(url), ..self }
    }
}

impl std::fmt::Display for BearerChallenge<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bearer")?;
        let max_age = self.max_age.map(|seconds| seconds.to_string());
        let attributes = [
            ("realm", self.realm),
            ("error", self.error.map(ErrorCode::as_str)),
            ("error_description", self.description),
            ("scope", self.scope.map(Scope::as_str).filter(|scope| !scope.is_empty())),
            ("max_age", max_age.as_deref()),
            ("resource_metadata", self.resource_metadata),
        ];
        let present = attributes.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
        for (at, (name, value)) in present.enumerate() {
            let separator = if at == 0 { " " } else { ", " };
            write!(f, "{separator}{name}=\"{}\"", sanitize_description(value))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_of_the_rfc_is_read() {
        assert_eq!(parse(b"Bearer mF_9.B5f-4.1JqM"), Some(Ok("mF_9.B5f-4.1JqM")));
        assert_eq!(parse(b"bearer   a~+/=="), Some(Ok("a~+/==")));
        assert_eq!(parse(b"DPoP abc"), None);
        assert_eq!(parse(b"Bearerabc"), None);
    }

    #[test]
    fn what_is_no_b64token_is_malformed() {
        for header in [
            &b"Bearer"[..],
            b"Bearer ",
            b"Bearer =",
            b"Bearer a=b",
            b"Bearer a b",
            b"Bearer a ",
            b"Bearer a,b",
            b"Bearer \"a\"",
            b"Bearer a\0",
            b"Bearer a\tb",
            b"Bearer \xFF",
            b"Bearer \xC3\xA9",
        ] {
            assert_eq!(parse(header), Some(Err(BearerError::Malformed)), "{header:?}");
        }
        let long = format!("Bearer {}", "a".repeat(MAX_CREDENTIALS + 1));
        assert_eq!(parse(long.as_bytes()), Some(Err(BearerError::TooLong)));
        assert!(parse(&long.as_bytes()[..long.len() - 1]).unwrap().is_ok());
    }

    #[test]
    fn a_challenge_prints_what_it_was_given_and_no_more() {
        assert_eq!(BearerChallenge::new().to_string(), "Bearer");
        assert_eq!(BearerChallenge::new().scope(&Scope::empty()).to_string(), "Bearer");
        let scope = Scope::parse("read write").unwrap();
        let challenge = BearerChallenge::new()
            .realm("the \"realm\"\r\nSet-Cookie: x")
            .error(ErrorCode::InvalidToken)
            .error(ErrorCode::InsufficientScope)
            .description("needs\u{e9} \\more")
            .scope(&scope)
            .resource_metadata("https://h/.well-known/oauth-protected-resource");
        assert_eq!(
            challenge.to_string(),
            "Bearer realm=\"the ?realm???Set-Cookie: x\", error=\"insufficient_scope\", \
             error_description=\"needs? ?more\", scope=\"read write\", \
             resource_metadata=\"https://h/.well-known/oauth-protected-resource\""
        );
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_header(realm in any::<String>(), description in any::<String>()) {
            let printed = BearerChallenge::new().realm(&realm).description(&description).to_string();
            prop_assert!(printed.bytes().all(|byte| matches!(byte, 0x20..=0x7E)));
            prop_assert_eq!(printed.matches('"').count(), 4);
        }
    }
}
