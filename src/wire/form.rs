//! `application/x-www-form-urlencoded`: request bodies, query strings, and the two halves of HTTP Basic.

use std::borrow::Cow;
use std::collections::HashSet;

use super::charset::is_unreserved;

/// How many parameters a request may have. The longest request of any specification we speak has some thirty.
pub const MAX_PARAMETERS: usize = 100;
/// How long a parameter's name may be, in bytes, decoded.
pub const MAX_NAME: usize = 256;
/// How long a parameter's value may be, in bytes, decoded: room for a request object or an assertion.
pub const MAX_VALUE: usize = 16 * 1024;

/// The parameters that may occur more than once: RFC 8707 §2, RFC 8693 §2.1.
const REPEATABLE: [&str; 2] = ["resource", "audience"];
/// Up to so many parameters, comparing each with each is cheaper than hashing them.
const FEW: usize = 16;

/// The parameters of a request (RFC 6749 App. B), in the order in which they were sent.
///
/// What needs no decoding is borrowed. Decoding is strict: what a browser would mend, this refuses. `Debug` shows the
/// names alone, since the values include secrets, codes and tokens.
#[derive(Clone, Default)]
pub struct Form<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// Why bytes are not a form. The answer is `invalid_request`, whichever it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// More than [`MAX_PARAMETERS`].
    #[error("more than {MAX_PARAMETERS} parameters")]
    TooManyParameters,
    /// A name longer than [`MAX_NAME`].
    #[error("the name of a parameter is longer than {MAX_NAME} bytes")]
    NameTooLong,
    /// A value longer than [`MAX_VALUE`].
    #[error("the value of a parameter is longer than {MAX_VALUE} bytes")]
    ValueTooLong,
    /// A `%` without two hexadecimal digits after it.
    #[error("a percent sign without two hexadecimal digits")]
    BadEscape,
    /// Bytes that are not UTF-8, before or after decoding.
    #[error("not UTF-8")]
    NotUtf8,
    /// A C0 control character or DEL, raw or escaped: no parameter needs one, and headers, logs and SQL suffer from
    /// them.
    #[error("a control character")]
    ControlCharacter,
}

impl<'a> Form<'a> {
    /// Reads a body or a query string (without its `?`).
    ///
    /// `+` is a space, empty pieces (`a=1&&b=2`) are skipped, and a piece without `=` is a name with an empty value.
    /// The size of the whole is the caller's to limit, before it reads.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FormError> {
        let mut rest = std::str::from_utf8(bytes).map_err(|_| FormError::NotUtf8)?;
        // Counted first, so that what most send fits exactly, and nobody makes room for more than is read.
        let pieces = rest.matches('&').count().saturating_add(1);
        let mut pairs = Vec::with_capacity(pieces.min(MAX_PARAMETERS));
        while !rest.is_empty() {
            let piece = Piece::first(rest);
            rest = piece.rest;
            if piece.is_empty() {
                continue;
            }
            if pairs.len() >= MAX_PARAMETERS {
                return Err(FormError::TooManyParameters);
            }
            let name = bounded(piece.name, piece.seen_in_name, MAX_NAME, FormError::NameTooLong)?;
            pairs.push((name, bounded(piece.value, piece.seen_in_value, MAX_VALUE, FormError::ValueTooLong)?));
        }
        Ok(Self { pairs })
    }

    /// The first value of `name` that is not empty: a parameter without a value counts as omitted (RFC 6749 §3.1).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Whether `name` was sent at all, even without a value.
    pub fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(own, _)| own == name)
    }

    /// Every value of `name` that is not empty, for the parameters that may repeat.
    pub fn all<'f>(&'f self, name: &str) -> impl Iterator<Item = &'f str> {
        self.pairs.iter().filter(move |(own, value)| own == name && !value.is_empty()).map(|(_, value)| &**value)
    }

    /// How often `name` was sent, values or not.
    pub fn count(&self, name: &str) -> usize {
        self.pairs.iter().filter(|(own, _)| own == name).count()
    }

    /// The first parameter that was sent again and may not be (RFC 6749 §3.1 and §3.2).
    ///
    /// All but `resource` (RFC 8707) and `audience` (RFC 8693) count, known or not, and so does one without a value:
    /// who sends `state=&state=x` is not to be guessed at.
    pub fn repeated(&self) -> Option<&str> {
        let mut names = self.pairs.iter().map(|(name, _)| &**name).enumerate();
        if self.pairs.len() <= FEW {
            names.find(|(at, name)| {
                !REPEATABLE.contains(name) && self.pairs.iter().take(*at).any(|(earlier, _)| earlier == name)
            })
        } else {
            let mut seen = HashSet::with_capacity(self.pairs.len());
            names.find(|(_, name)| !seen.insert(*name) && !REPEATABLE.contains(name))
        }
        .map(|(_, name)| name)
    }

    /// All pairs, as sent.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The same form, which borrows from nothing.
    #[must_use]
    pub fn into_owned(self) -> Form<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Form { pairs: self.pairs.into_iter().map(|(name, value)| (own(name), own(value))).collect() }
    }
}

impl std::fmt::Debug for Form<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.pairs.iter().map(|(name, _)| name)).finish()
    }
}

/// What a byte is to a form.
const ESCAPE: u8 = 1;
const CONTROL: u8 = 2;
const EQUALS: u8 = 4;
const AMPERSAND: u8 = 8;

/// What each byte is to a form; 0 for those that stand for themselves.
#[expect(clippy::indexing_slicing, reason = "what is out of bounds in a constant does not compile")]
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < b' ' {
        classes[byte as usize] = CONTROL;
        byte = byte.saturating_add(1);
    }
    classes[0x7F] = CONTROL;
    classes[b'%' as usize] = ESCAPE;
    classes[b'+' as usize] = ESCAPE;
    classes[b'=' as usize] = EQUALS;
    classes[b'&' as usize] = AMPERSAND;
    classes
};

fn class(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(CONTROL)
}

/// What stands before the first `&`, taken apart at its first `=`, and of which classes the bytes of both halves are:
/// every byte is looked at once.
struct Piece<'a> {
    name: &'a str,
    value: &'a str,
    seen_in_name: u8,
    seen_in_value: u8,
    rest: &'a str,
}

impl<'a> Piece<'a> {
    fn first(text: &'a str) -> Self {
        let (mut equals, mut end) = (None, text.len());
        let (mut seen, mut seen_in_name) = (0, 0);
        let mut classes = text.bytes().map(class).enumerate();
        // Most bytes stand for themselves, and are passed over.
        while let Some((at, class)) = classes.find(|(_, class)| *class != 0) {
            if class == AMPERSAND {
                end = at;
                break;
            }
            if class == EQUALS && equals.is_none() {
                equals = Some(at);
                seen_in_name = std::mem::take(&mut seen);
            }
            seen |= class;
        }
        // Both cuts are made at ASCII, and so fall between characters.
        let (piece, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        let rest = rest.get(1..).unwrap_or_default();
        match equals.and_then(|at| piece.split_at_checked(at)) {
            Some((name, value)) => {
                let value = value.get(1..).unwrap_or_default();
                Self { name, value, seen_in_name, seen_in_value: seen, rest }
            }
            None => Self { name: piece, value: "", seen_in_name: seen, seen_in_value: 0, rest },
        }
    }

    fn is_empty(&self) -> bool {
        self.name.is_empty() && self.value.is_empty() && self.seen_in_value & EQUALS == 0
    }
}

fn bounded(raw: &str, seen: u8, limit: usize, too_long: FormError) -> Result<Cow<'_, str>, FormError> {
    // Decoding shrinks to a third at best, so that what is longer than this need not be decoded to be refused.
    if raw.len() > limit.saturating_mul(3) {
        return Err(too_long);
    }
    let text = decode_seen(raw, seen)?;
    if text.len() > limit { Err(too_long) } else { Ok(text) }
}

/// Decodes one name or value; borrowed where nothing is escaped.
pub fn decode_component(raw: &str) -> Result<Cow<'_, str>, FormError> {
    decode_seen(raw, raw.bytes().fold(0, |seen, byte| seen | class(byte)))
}

fn decode_seen(raw: &str, seen: u8) -> Result<Cow<'_, str>, FormError> {
    if seen & CONTROL != 0 {
        return Err(FormError::ControlCharacter);
    }
    if seen & ESCAPE == 0 { Ok(Cow::Borrowed(raw)) } else { unescape(raw).map(Cow::Owned) }
}

fn unescape(raw: &str) -> Result<String, FormError> {
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => match (bytes.next().and_then(hex_value), bytes.next().and_then(hex_value)) {
                (Some(high), Some(low)) => {
                    let byte = (high << 4) | low;
                    if byte.is_ascii_control() {
                        return Err(FormError::ControlCharacter);
                    }
                    byte
                }
                _ => return Err(FormError::BadEscape),
            },
            plain => plain,
        });
    }
    String::from_utf8(decoded).map_err(|_| FormError::NotUtf8)
}

fn hex_value(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Prints one name or value as a form has it (RFC 6749 App. B): a space as `+`, and everything but `unreserved` and `*`
/// as `%XX` of its UTF-8.
pub fn encode_component(out: &mut String, value: &str) {
    encode(out, value, "+");
}

/// Prints one name or value for the query of a URI: as [`encode_component`], but a space as `%20`.
///
/// Every form decoder reads that as a space too, and so do the clients that only know percent-encoding.
pub fn encode_query_component(out: &mut String, value: &str) {
    encode(out, value, "%20");
}

/// What a form prints as it is.
#[expect(clippy::indexing_slicing, reason = "a table that is made when this is compiled")]
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        plain[byte as usize] = is_unreserved(byte) || byte == b'*';
        byte += 1;
    }
    plain
};

fn encode(out: &mut String, value: &str, space: &str) {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble & 0xF)).copied().unwrap_or('0');
    let plain = |byte: u8| PLAIN.get(usize::from(byte)).copied().unwrap_or_default();
    let mut rest = value;
    loop {
        let length = rest.bytes().position(|byte| !plain(byte)).unwrap_or(rest.len());
        let (run, tail) = rest.split_at_checked(length).unwrap_or((rest, ""));
        out.push_str(run);
        let mut after = tail.chars();
        match after.next() {
            None => break,
            Some(' ') => out.push_str(space),
            Some(character) => {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    out.extend(['%', digit(byte >> 4), digit(byte)]);
                }
            }
        }
        rest = after.as_str();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn form(text: &str) -> Form<'_> {
        Form::parse(text.as_bytes()).unwrap()
    }

    fn refused(bytes: &[u8]) -> FormError {
        Form::parse(bytes).unwrap_err()
    }

    #[test]
    fn the_vector_of_rfc_6749_appendix_b_is_printed_and_read() {
        let text = " %&+\u{a3}\u{20ac}";
        let mut printed = String::new();
        encode_component(&mut printed, text);
        assert_eq!(printed, "+%25%26%2B%C2%A3%E2%82%AC");
        assert_eq!(decode_component(&printed).unwrap(), text);
    }

    #[test]
    fn a_plain_form_is_borrowed() {
        let form = form("grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA");
        assert!(form.pairs.iter().all(|(name, value)| matches!((name, value), (Cow::Borrowed(_), Cow::Borrowed(_)))));
        assert_eq!(form.get("code"), Some("SplxlOBeZQQYbYS6WxSbIA"));
        assert_eq!(form.get("Code"), None);
    }

    #[test]
    fn plus_is_a_space_and_an_escaped_plus_is_a_plus() {
        assert_eq!(form("scope=a+b").get("scope"), Some("a b"));
        assert_eq!(form("scope=a%2Bb").get("scope"), Some("a+b"));
        assert_eq!(form("scope=a%20b").get("scope"), Some("a b"));
    }

    #[test]
    fn an_empty_value_counts_as_omitted_but_was_sent() {
        let form = form("code=&state&scope=x");
        assert_eq!(form.get("code"), None);
        assert_eq!(form.get("state"), None);
        assert!(form.has("code") && form.has("state"));
        assert_eq!(form.count("code"), 1);
        assert_eq!(form.all("code").count(), 0);
        assert!(!form.has("nonce"));
    }

    #[test]
    fn empty_pieces_are_skipped_and_later_equals_signs_belong_to_the_value() {
        let form = form("&&a=b=c&&&d=%3D&");
        assert_eq!(form.pairs().collect::<Vec<_>>(), [("a", "b=c"), ("d", "=")]);
        assert_eq!(Form::parse(b"").unwrap().pairs().count(), 0);
    }

    #[test]
    fn only_resource_and_audience_may_repeat() {
        assert_eq!(form("resource=a&resource=b&audience=c&audience=c").repeated(), None);
        assert_eq!(form("a=1&state=x&b=2&state=x&a=3").repeated(), Some("state"));
        assert_eq!(form("state=&state=x").repeated(), Some("state"));
        assert_eq!(form("st%61te=x&state=x").repeated(), Some("state"));
        assert_eq!(form("unknown=1&unknown=2").repeated(), Some("unknown"));
        assert_eq!(form("resource=a&resource=b").all("resource").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn control_characters_are_refused_raw_and_escaped_in_name_and_value() {
        for byte in (0..0x20).chain([0x7F]) {
            assert_eq!(refused(&[b'a', b'=', byte]), FormError::ControlCharacter, "{byte:#x}");
            assert_eq!(refused(&[byte, b'=', b'a']), FormError::ControlCharacter, "{byte:#x}");
            assert_eq!(refused(format!("a=x%{byte:02x}").as_bytes()), FormError::ControlCharacter, "{byte:#x}");
            assert_eq!(refused(format!("%{byte:02X}=x").as_bytes()), FormError::ControlCharacter, "{byte:#x}");
        }
    }

    #[test]
    fn half_escapes_and_foreign_digits_are_refused() {
        for text in ["a=%", "a=%2", "a=%2&b=1", "a=%zz", "a=%+1", "a=%0x", "%=1", "a=%%20", "a=%u0041"] {
            assert_eq!(refused(text.as_bytes()), FormError::BadEscape, "{text}");
        }
    }

    #[test]
    fn what_is_not_utf_8_is_refused_before_and_after_decoding() {
        for bytes in [&b"a=\xFF"[..], b"a=%FF", b"a=%C3", b"a=%C0%80", b"a=%ED%A0%80", b"a=\xC3%A9"] {
            assert_eq!(refused(bytes), FormError::NotUtf8, "{bytes:?}");
        }
        assert_eq!(form("a=%C3%A9").get("a"), Some("\u{e9}"));
        assert_eq!(form("a=\u{e9}").get("a"), Some("\u{e9}"));
    }

    #[test]
    fn the_limits_hold_and_what_reaches_them_passes() {
        let many = |count| vec!["resource=x"; count].join("&");
        assert_eq!(form(&many(MAX_PARAMETERS)).count("resource"), MAX_PARAMETERS);
        assert_eq!(refused(many(MAX_PARAMETERS + 1).as_bytes()), FormError::TooManyParameters);

        let escaped = |count| format!("a={}", "%41".repeat(count));
        assert_eq!(form(&escaped(MAX_VALUE)).get("a").unwrap().len(), MAX_VALUE);
        assert_eq!(refused(escaped(MAX_VALUE + 1).as_bytes()), FormError::ValueTooLong);
        assert_eq!(refused(format!("a={}", "x".repeat(MAX_VALUE + 1)).as_bytes()), FormError::ValueTooLong);
        assert_eq!(refused("x".repeat(MAX_NAME + 1).as_bytes()), FormError::NameTooLong);
        assert!(form(&"x".repeat(MAX_NAME)).has(&"x".repeat(MAX_NAME)));
    }

    #[test]
    fn debug_output_holds_names_and_no_values() {
        assert_eq!(format!("{:?}", form("client_secret=hunter2&code=x")), r#"["client_secret", "code"]"#);
    }

    proptest! {
        #[test]
        fn whatever_is_printed_is_read_back(
            pairs in prop::collection::vec(("[^\\x00-\\x1f\\x7f]{1,20}", "[^\\x00-\\x1f\\x7f]{0,40}"), 0..30),
            for_query in any::<bool>(),
        ) {
            let mut text = String::new();
            for (name, value) in &pairs {
                text.push('&');
                let print = if for_query { encode_query_component } else { encode_component };
                print(&mut text, name);
                text.push('=');
                print(&mut text, value);
            }
            let read = Form::parse(text.as_bytes()).unwrap().into_owned();
            let expected: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            prop_assert_eq!(read.pairs().collect::<Vec<_>>(), expected);
        }

        #[test]
        fn no_bytes_panic_and_no_control_character_passes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(form) = Form::parse(&bytes) {
                form.repeated();
                let mut bytes = form.pairs().flat_map(|(name, value)| name.bytes().chain(value.bytes()));
                prop_assert!(!bytes.any(|byte| byte.is_ascii_control()));
            }
        }

        #[test]
        fn many_names_and_few_find_the_same_repetition(names in prop::collection::vec("[a-z]", 0..16)) {
            let few = names.join("&");
            let padding: Vec<_> = (0..FEW).map(|at| format!("pad{at}")).collect();
            let many = format!("{few}&{}", padding.join("&"));
            let (few, many) = (form(&few), form(&many));
            prop_assert_eq!(few.repeated(), many.repeated());
        }
    }
}
