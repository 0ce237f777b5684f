//! HTTP Basic with OAuth's twist: both halves are form-encoded first (RFC 6749 §2.3.1, RFC 7617 §2).

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::{Zeroize, Zeroizing};

use super::form::decode_component;
use super::scheme::{MAX_CREDENTIALS, credentials};
use crate::secret::Secret;

/// A client identifier and a secret, as a client presented them: nothing about them is checked.
#[derive(Debug, Clone)]
pub struct BasicCredentials {
    /// The identifier, form-decoded where that was possible.
    pub id: String,
    /// The secret, form-decoded where that was possible.
    pub secret: Secret,
    /// Both halves as they stood in the header, where decoding changed or refused them.
    ///
    /// Many clients never encode (so does the example of RFC 9449 §6.2, with a `+` in its secret). A server may try
    /// these second, against a stored secret; it must then not count the first try as a failure.
    pub raw: Option<(String, Secret)>,
}

/// Why a Basic header is unreadable. The answer is `invalid_client`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BasicError {
    /// Longer than [`MAX_CREDENTIALS`].
    #[error("credentials longer than {MAX_CREDENTIALS} bytes")]
    TooLong,
    /// Not base64 of RFC 4648 §4, padded and canonical.
    #[error("credentials that are not base64")]
    NotBase64,
    /// Not UTF-8 inside.
    #[error("credentials that are not UTF-8")]
    NotUtf8,
    /// A control character inside (RFC 7617 §2 forbids them).
    #[error("credentials with a control character")]
    ControlCharacter,
    /// No colon inside.
    #[error("credentials without a colon")]
    NoColon,
}

impl BasicCredentials {
    /// Reads an `Authorization` header; `None` where its scheme is not `Basic`.
    ///
    /// Padding is required: all that send Basic pad, and one header should have one reading. The identifier ends at the
    /// first colon. Where either half is not form-encoded, or would decode to a control character, both stay raw.
    pub fn parse(header: &[u8]) -> Option<Result<Self, BasicError>> {
        credentials(header, "Basic").map(read)
    }
}

fn read(encoded: &[u8]) -> Result<BasicCredentials, BasicError> {
    if encoded.len() > MAX_CREDENTIALS {
        return Err(BasicError::TooLong);
    }
    if encoded.len() > FEW {
        return take_apart(&Zeroizing::new(STANDARD.decode(encoded).map_err(|_| BasicError::NotBase64)?));
    }
    let mut buffer = [0; FEW];
    let length = STANDARD.decode_slice(encoded, &mut buffer).map_err(|_| BasicError::NotBase64);
    let read = length.and_then(|length| take_apart(buffer.get(..length).unwrap_or_default()));
    // What the decoder may have touched, and no more: overwriting for good is done byte by byte.
    buffer.iter_mut().take(encoded.len()).for_each(Zeroize::zeroize);
    read
}

/// Up to so many bytes are decoded without an allocation.
const FEW: usize = 256;

fn take_apart(bytes: &[u8]) -> Result<BasicCredentials, BasicError> {
    let text = std::str::from_utf8(bytes).map_err(|_| BasicError::NotUtf8)?;
    if text.bytes().fold(false, |found, byte| found | byte.is_ascii_control()) {
        return Err(BasicError::ControlCharacter);
    }
    let (id, secret) = text.split_once(':').ok_or(BasicError::NoColon)?;
    let raw = || (id.to_owned(), Secret::new(secret));
    Ok(match (decode_component(id), decode_component(secret)) {
        (Ok(Cow::Borrowed(id)), Ok(Cow::Borrowed(secret))) => {
            BasicCredentials { id: id.to_owned(), secret: Secret::new(secret), raw: None }
        }
        (Ok(id), Ok(secret)) => BasicCredentials { id: id.into_owned(), secret: Secret::new(secret), raw: Some(raw()) },
        (Err(_), _) | (_, Err(_)) => {
            BasicCredentials { id: id.to_owned(), secret: Secret::new(secret), raw: Some(raw()) }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(encoded: &str) -> BasicCredentials {
        BasicCredentials::parse(format!("Basic {encoded}").as_bytes()).unwrap().unwrap()
    }

    fn of(text: impl AsRef<[u8]>) -> Result<BasicCredentials, BasicError> {
        BasicCredentials::parse(format!("Basic {}", STANDARD.encode(text)).as_bytes()).unwrap()
    }

    #[test]
    fn the_examples_of_rfc_6749_are_read() {
        for (encoded, secret) in [
            ("czZCaGRSa3F0MzpnWDFmQmF0M2JW", "gX1fBat3bV"),
            ("czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3", "7Fjfp0ZBr1KtDRbnfVdmIw"),
        ] {
            let read = parsed(encoded);
            assert_eq!((read.id.as_str(), read.secret.expose()), ("s6BhdRkqt3", secret));
            assert!(read.raw.is_none());
        }
    }

    #[test]
    fn both_halves_are_form_decoded_after_the_split() {
        for (encoded, id, secret) in [
            ("czZCaGRSa3F0MzorJTI1JTI2JTJCJUMyJUEzJUUyJTgyJUFD", "s6BhdRkqt3", " %&+\u{a3}\u{20ac}"),
            ("Y2xpZW50JTNBd2l0aCUyRnNwZWNpYWw6cCU0MHNzJTNBK3dvcmQlMkIlMjU=", "client:with/special", "p@ss: word+%"),
            (
                "aHR0cHMlM0ElMkYlMkZhcHAuZXhhbXBsZSUyRmNsaWVudC5qc29uOmF+YiUyMWMqJTI4ZCUyOSUyNyUyMg==",
                "https://app.example/client.json",
                "a~b!c*(d)'\"",
            ),
        ] {
            let read = parsed(encoded);
            assert_eq!((read.id.as_str(), read.secret.expose()), (id, secret));
            assert!(read.raw.is_some());
        }
    }

    #[test]
    fn what_was_not_form_encoded_can_still_be_had_raw() {
        let read = parsed("cnM6cnM6TWt1LTZnX2xDektJZHo0ZnNON2tZY3lhK1Rp");
        assert_eq!((read.id.as_str(), read.secret.expose()), ("rs", "rs:Mku-6g_lCzKIdz4fsN7kYcya Ti"));
        let (id, secret) = read.raw.unwrap();
        assert_eq!((id.as_str(), secret.expose()), ("rs", "rs:Mku-6g_lCzKIdz4fsN7kYcya+Ti"));
    }

    #[test]
    fn where_one_half_does_not_decode_both_stay_raw() {
        for (text, id, secret) in
            [("a%41:100%", "a%41", "100%"), ("a%4:b%41", "a%4", "b%41"), ("a:b%00", "a", "b%00"), ("a:%FF", "a", "%FF")]
        {
            let read = of(text).unwrap();
            assert_eq!((read.id.as_str(), read.secret.expose()), (id, secret));
            assert!(read.raw.is_some());
        }
    }

    #[test]
    fn either_half_may_be_empty_but_the_colon_may_not_be_missing() {
        assert_eq!(of("id:").unwrap().secret.expose(), "");
        assert_eq!(of(":secret").unwrap().id, "");
        assert_eq!(of("idsecret").unwrap_err(), BasicError::NoColon);
        assert_eq!(of("").unwrap_err(), BasicError::NoColon);
    }

    #[test]
    fn what_is_unreadable_is_refused_with_its_reason() {
        assert_eq!(of("id:se\0cret").unwrap_err(), BasicError::ControlCharacter);
        assert_eq!(of("id:secret\n").unwrap_err(), BasicError::ControlCharacter);
        assert_eq!(of(b"id:\xFF").unwrap_err(), BasicError::NotUtf8);
        for encoded in ["YTpi=", "YTpiYw", "YTpiYx==", "YTpi YTpi", "YTpi ", "_-_-", "\u{e9}"] {
            let read = BasicCredentials::parse(format!("Basic {encoded}").as_bytes()).unwrap();
            assert_eq!(read.unwrap_err(), BasicError::NotBase64, "{encoded:?}");
        }
        assert_eq!(of("x".repeat(MAX_CREDENTIALS)).unwrap_err(), BasicError::TooLong);
    }

    #[test]
    fn other_schemes_are_not_ours() {
        assert!(BasicCredentials::parse(b"Bearer YTpi").is_none());
        assert!(BasicCredentials::parse(b"BasicYTpi").is_none());
        assert!(BasicCredentials::parse(b"bASIC  YTpi").unwrap().is_ok());
        assert!(BasicCredentials::parse(b"Basic").unwrap().is_err());
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let read = of("id:hunter+2").unwrap();
        assert!(!format!("{read:?}").contains("hunter"));
    }
}
