//! The `Authorization` header, RFC 9110 §11.4: a scheme, spaces, and what the scheme makes of the rest.

/// How long the credentials of any scheme may be, in bytes, before anything is done with them.
pub const MAX_CREDENTIALS: usize = 8 * 1024;

/// What follows `scheme` and its spaces; `None` where the header is of another scheme.
///
/// Schemes are compared without case (RFC 9110 §11.1). A scheme with nothing after it gives the empty slice.
pub fn credentials<'h>(header: &'h [u8], scheme: &str) -> Option<&'h [u8]> {
    let (name, rest) = header.split_at_checked(scheme.len())?;
    if !name.eq_ignore_ascii_case(scheme.as_bytes()) {
        return None;
    }
    let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
    if spaces == 0 && !rest.is_empty() {
        return None;
    }
    rest.get(spaces..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_ends_at_a_space_and_has_no_case() {
        assert_eq!(credentials(b"Basic abc", "Basic"), Some(&b"abc"[..]));
        assert_eq!(credentials(b"bAsIc   abc ", "Basic"), Some(&b"abc "[..]));
        assert_eq!(credentials(b"Basic", "Basic"), Some(&b""[..]));
        assert_eq!(credentials(b"Basic ", "Basic"), Some(&b""[..]));
        for other in [&b"Basicabc"[..], b"Basic\tabc", b"Basic=abc", b"Basi", b"", b" Basic abc", b"Bearer abc"] {
            assert_eq!(credentials(other, "Basic"), None, "{other:?}");
        }
    }
}
