//! The error codes that a client may see, and the characters that may stand beside them.

use std::borrow::Cow;

use super::charset::is_nqchar;

macro_rules! codes {
    ($($(#[$doc:meta])+ $variant:ident = $code:literal,)+) => {
        /// An error code, as specified. What went wrong in truth is in the error of the endpoint, and in events.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[$doc])+ $variant,)+
        }

        impl ErrorCode {
            /// Every code, in the order of the declaration.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The code on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }
        }
    };
}

codes! {
    /// A parameter is missing, malformed, repeated or in conflict with another (RFC 6749 §4.1.2.1, §5.2; RFC 6750
    /// §3.1).
    InvalidRequest = "invalid_request",
    /// The client could not be authenticated (RFC 6749 §5.2).
    InvalidClient = "invalid_client",
    /// The code, refresh token or assertion does not count, or belongs to another client (RFC 6749 §5.2).
    InvalidGrant = "invalid_grant",
    /// The client may not use this grant or response type (RFC 6749 §4.1.2.1, §5.2).
    UnauthorizedClient = "unauthorized_client",
    /// The server does not know the grant type (RFC 6749 §5.2).
    UnsupportedGrantType = "unsupported_grant_type",
    /// The server does not know the response type (RFC 6749 §4.1.2.1).
    UnsupportedResponseType = "unsupported_response_type",
    /// The scope is unknown, malformed or more than was granted (RFC 6749 §4.1.2.1, §5.2).
    InvalidScope = "invalid_scope",
    /// The user or the server said no (RFC 6749 §4.1.2.1; RFC 8628 §3.5).
    AccessDenied = "access_denied",
    /// Something broke that cannot be told by a status, since the answer is a redirect (RFC 6749 §4.1.2.1).
    ServerError = "server_error",
    /// Overloaded or in maintenance, in an answer that is a redirect (RFC 6749 §4.1.2.1).
    TemporarilyUnavailable = "temporarily_unavailable",
    /// The access token does not count (RFC 6750 §3.1).
    InvalidToken = "invalid_token",
    /// The access token counts, for less than this needs (RFC 6750 §3.1).
    InsufficientScope = "insufficient_scope",
    /// Tokens of this type cannot be revoked (RFC 7009 §2.2.1).
    UnsupportedTokenType = "unsupported_token_type",
    /// The resource is malformed, unknown or not granted (RFC 8707 §2).
    InvalidTarget = "invalid_target",
    /// The user has not decided yet (RFC 8628 §3.5).
    AuthorizationPending = "authorization_pending",
    /// As pending, and asked too often (RFC 8628 §3.5).
    SlowDown = "slow_down",
    /// The device code has expired (RFC 8628 §3.5).
    ExpiredToken = "expired_token",
    /// A redirect URI cannot be registered (RFC 7591 §3.2.2).
    InvalidRedirectUri = "invalid_redirect_uri",
    /// Some other metadata of the client cannot be registered (RFC 7591 §3.2.2).
    InvalidClientMetadata = "invalid_client_metadata",
    /// The software statement does not hold (RFC 7591 §3.2.2).
    InvalidSoftwareStatement = "invalid_software_statement",
    /// The software statement is not accepted here (RFC 7591 §3.2.2).
    UnapprovedSoftwareStatement = "unapproved_software_statement",
    /// The proof of possession does not hold (RFC 9449 §5).
    InvalidDpopProof = "invalid_dpop_proof",
    /// The proof of possession lacks the nonce that comes with this answer (RFC 9449 §8).
    UseDpopNonce = "use_dpop_nonce",
    /// The authorization details are unknown or malformed (RFC 9396 §5).
    InvalidAuthorizationDetails = "invalid_authorization_details",
    /// The user was not authenticated as this needs (RFC 9470 §3).
    InsufficientUserAuthentication = "insufficient_user_authentication",
    /// The user cannot be authenticated as the client asked (OpenID Connect Unmet Authentication Requirements 1.0).
    UnmetAuthenticationRequirements = "unmet_authentication_requirements",
    /// The user would have to act, and `prompt=none` forbids to ask (OpenID Connect Core §3.1.2.6).
    InteractionRequired = "interaction_required",
    /// The user would have to sign in, and `prompt=none` forbids to ask (OpenID Connect Core §3.1.2.6).
    LoginRequired = "login_required",
    /// The user would have to choose a session, and `prompt=none` forbids to ask (OpenID Connect Core §3.1.2.6).
    AccountSelectionRequired = "account_selection_required",
    /// The user would have to consent, and `prompt=none` forbids to ask (OpenID Connect Core §3.1.2.6).
    ConsentRequired = "consent_required",
    /// The `request_uri` is unknown, expired, used or somebody else's (RFC 9101 §7).
    InvalidRequestUri = "invalid_request_uri",
    /// The request object does not hold (RFC 9101 §7).
    InvalidRequestObject = "invalid_request_object",
    /// The server takes no `request` (RFC 9101 §7).
    RequestNotSupported = "request_not_supported",
    /// The server takes no `request_uri` (RFC 9101 §7).
    RequestUriNotSupported = "request_uri_not_supported",
    /// The server takes no `registration` (OpenID Connect Core §3.1.2.6).
    RegistrationNotSupported = "registration_not_supported",
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for ErrorCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Whether `byte` may stand in an `error_description` (RFC 6749 §5.2): `%x20-21 / %x23-5B / %x5D-7E`.
///
/// Without the space it is the set of `error_uri` and of a scope token.
#[must_use]
pub const fn is_description_char(byte: u8) -> bool {
    byte == b' ' || is_nqchar(byte)
}

/// `text` as an `error_description` may have it: every other character becomes one `?`.
///
/// Such text also fits into a quoted string of a header (RFC 9110 §5.6.4), with nothing left to escape.
#[must_use]
pub fn sanitize_description(text: &str) -> Cow<'_, str> {
    if text.bytes().all(is_description_char) {
        return Cow::Borrowed(text);
    }
    let allowed = |char: char| u8::try_from(char).is_ok_and(is_description_char);
    Cow::Owned(text.chars().map(|char| if allowed(char) { char } else { '?' }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_distinct_and_in_the_charset_of_error() {
        let mut codes: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert!(codes.iter().all(|code| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), ErrorCode::ALL.len());
    }

    #[test]
    fn the_code_on_the_wire_is_the_name_of_the_variant() {
        for code in ErrorCode::ALL {
            assert_eq!(code.as_str().replace('_', ""), format!("{code:?}").to_ascii_lowercase());
            assert_eq!(serde_json::to_string(code).unwrap(), format!("\"{code}\""));
        }
    }

    #[test]
    fn a_description_keeps_its_charset() {
        assert!(matches!(sanitize_description("code challenge required"), Cow::Borrowed(_)));
        assert_eq!(sanitize_description("a \"b\" \\ c\r\n\td \u{e9}\u{1f600}\u{7f}"), "a ?b? ? c???d ???");
        for byte in 0..=u8::MAX {
            let expected = matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E);
            assert_eq!(is_description_char(byte), expected, "{byte:#x}");
        }
    }
}
