//! What a page's form sends: as strict as the server's own forms, but that a text may have several lines.

use std::borrow::Cow;

use crate::wire::form::{FormError, MAX_NAME, MAX_PARAMETERS, MAX_VALUE, decode_component};

/// The fields of a form or a query.
#[derive(Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads a body or a query string.
    ///
    /// Line breaks, which a `<textarea>` sends as `%0D%0A`, are kept as `\n`; every other control character is refused,
    /// as the endpoints refuse it.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        let text = std::str::from_utf8(bytes).map_err(|_| FormError::NotUtf8)?;
        if text.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(FormError::ControlCharacter);
        }
        let mut pairs = Vec::new();
        for piece in text.split('&').filter(|piece| !piece.is_empty()) {
            if pairs.len() >= MAX_PARAMETERS {
                return Err(FormError::TooManyParameters);
            }
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            let (name, value) = (decode_component(name)?, lines(value)?);
            if name.len() > MAX_NAME {
                return Err(FormError::NameTooLong);
            }
            if value.len() > MAX_VALUE {
                return Err(FormError::ValueTooLong);
            }
            pairs.push((name.into_owned(), value));
        }
        Ok(Self(pairs))
    }

    /// The value of a field, with its line breaks, without the space around it; empty where there is none, or several.
    pub(super) fn text(&self, name: &str) -> &str {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (Some(only), None) => only.trim(),
            _ => "",
        }
    }

    /// The value of a field of one line: a line break in it counts as a space.
    pub(super) fn line(&self, name: &str) -> String {
        self.text(name).replace('\n', " ")
    }

    /// Whether a box was checked.
    pub(super) fn has(&self, name: &str, value: &str) -> bool {
        self.all(name).any(|found| found == value)
    }

    /// Every value of a field.
    pub(super) fn all<'f>(&'f self, name: &str) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// Decodes a value line by line.
fn lines(raw: &str) -> Result<String, FormError> {
    let mut broken = Cow::Borrowed(raw);
    for end in ["%0D%0A", "%0d%0a", "%0A", "%0a", "%0D", "%0d"] {
        if broken.contains(end) {
            broken = Cow::Owned(broken.replace(end, "\n"));
        }
    }
    let decoded: Result<Vec<_>, _> = broken.split('\n').map(decode_component).collect();
    Ok(decoded?.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_lines_and_nothing_else_that_controls() {
        let form = Fields::parse(b"uris=a%0D%0Ab%0Ac%0dd+e&name=+x%0a&twice=1&twice=2").unwrap();
        assert_eq!(form.text("uris"), "a\nb\nc\nd e");
        assert_eq!((form.line("name").as_str(), form.text("twice"), form.text("none")), ("x", "", ""));
        assert!(form.has("twice", "2") && !form.has("twice", "3"));
        for bad in [&b"a=%00"[..], b"a=%1b", b"a=%09", b"a=\n", b"a=%", b"a=%%0A", b"a=%FF"] {
            assert!(Fields::parse(bad).is_err(), "{bad:?}");
        }
    }
}
