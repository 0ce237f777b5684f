//! The character sets that the specifications name.

/// The longest client identifier, in bytes: room for an https URL as identifier, and short enough to look up blindly.
pub const MAX_CLIENT_ID: usize = 512;

/// `VSCHAR` of RFC 6749 App. A: printable ASCII and the space, `%x20-7E`.
#[must_use]
pub const fn is_vschar(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7E)
}

/// Whether `text` can be a client identifier: `VSCHAR` (RFC 6749 App. A.1), 1 to [`MAX_CLIENT_ID`] bytes.
///
/// The RFC allows the empty one too; we do not, since an empty parameter counts as omitted (§3.1).
#[must_use]
pub fn is_client_id(text: &str) -> bool {
    (1..=MAX_CLIENT_ID).contains(&text.len()) && text.bytes().all(is_vschar)
}

/// `unreserved` of RFC 3986 §2.3: what a URI never needs to escape, and what a code verifier is made of.
#[must_use]
pub const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// `NQCHAR` of RFC 6749 App. A: `%x21 / %x23-5B / %x5D-7E`, visible ASCII without `"` and `\`.
#[must_use]
pub const fn is_nqchar(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_id_is_printable_ascii_and_never_empty() {
        assert!(is_client_id("s6BhdRkqt3"));
        assert!(is_client_id("https://app.example/client.json"));
        assert!(is_client_id("a b\"\\"));
        assert!(!is_client_id(""));
        assert!(!is_client_id("a\tb"));
        assert!(!is_client_id("caf\u{e9}"));
        assert!(!is_client_id("a\u{200b}b"));
        assert!(is_client_id(&"x".repeat(MAX_CLIENT_ID)));
        assert!(!is_client_id(&"x".repeat(MAX_CLIENT_ID + 1)));
    }

    #[test]
    fn quotes_and_backslashes_are_visible_but_not_nqchar() {
        for byte in 0..=u8::MAX {
            let expected = byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
            assert_eq!(is_nqchar(byte), expected, "{byte:#x}");
        }
    }
}
