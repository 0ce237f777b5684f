//! A writer of JSON objects for the answers that are given most often: tokens, introspection, errors.
//!
//! It knows nothing of nesting: what is nested, `serde_json` prints, and [`JsonObject::raw`] takes.

/// A JSON object (RFC 8259 §4) while it is written, member by member.
///
/// Names are not compared: whoever writes one twice gets it twice.
///
/// ```
/// use grantor::wire::json::JsonObject;
///
/// let mut object = JsonObject::new();
/// object.text("token_type", "Bearer").number("expires_in", 3600);
/// assert_eq!(object.finish(), r#"{"token_type":"Bearer","expires_in":3600}"#);
/// ```
#[derive(Clone, Default)]
pub struct JsonObject {
    /// Empty, or an opening brace and at least one member.
    out: String,
}

impl JsonObject {
    /// An object without members.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An object without members, with room for `bytes`.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self { out: String::with_capacity(bytes) }
    }

    /// An object of which this was written: its opening brace and at least one member.
    pub(crate) const fn begun(out: String) -> Self {
        Self { out }
    }

    /// A member whose value is a string.
    pub fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.name(name);
        quote(&mut self.out, value);
        self
    }

    /// A member whose value is a number.
    ///
    /// Readers that hold numbers as doubles keep them exact up to 2^53 (RFC 8259 §6); times and lifetimes are far
    /// below.
    pub fn number(&mut self, name: &str, value: u64) -> &mut Self {
        self.name(name);
        push_number(&mut self.out, value);
        self
    }

    /// A member whose value is `true` or `false`.
    pub fn boolean(&mut self, name: &str, value: bool) -> &mut Self {
        self.raw(name, if value { "true" } else { "false" })
    }

    /// A member whose value is an array of strings.
    pub fn texts<'t>(&mut self, name: &str, values: impl IntoIterator<Item = &'t str>) -> &mut Self {
        self.name(name);
        self.out.push('[');
        for (at, value) in values.into_iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            quote(&mut self.out, value);
        }
        self.out.push(']');
        self
    }

    /// A member whose value is JSON already. It is not checked: only for what a serializer printed.
    pub fn raw(&mut self, name: &str, json: &str) -> &mut Self {
        self.name(name);
        self.out.push_str(json);
        self
    }

    /// The text of the object, which leaves this one without members.
    #[must_use]
    pub fn finish(&mut self) -> String {
        if self.out.is_empty() {
            return "{}".to_owned();
        }
        self.out.push('}');
        std::mem::take(&mut self.out)
    }

    fn name(&mut self, name: &str) {
        self.out.push(if self.out.is_empty() { '{' } else { ',' });
        quote(&mut self.out, name);
        self.out.push(':');
    }
}

/// Answers hold tokens: nothing of one is shown.
impl std::fmt::Debug for JsonObject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JsonObject(..)")
    }
}

/// Prints `value` as a JSON string (RFC 8259 §7): what must be escaped is, and nothing else.
pub fn quote(out: &mut String, value: &str) {
    out.push('"');
    // A fold without exit, so that the compiler can look at many bytes at once; next to nothing must be escaped.
    if value.bytes().fold(false, |found, byte| found | must_escape(byte)) {
        push_escaped(out, value);
    } else {
        out.push_str(value);
    }
    out.push('"');
}

fn push_escaped(out: &mut String, value: &str) {
    let mut rest = value;
    while let Some((at, byte)) = rest.bytes().enumerate().find(|(_, byte)| must_escape(*byte)) {
        // What must be escaped is ASCII, so that both cuts fall between characters.
        let (plain, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(plain);
        escape(out, byte);
        rest = tail.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
}

/// Prints `number` in decimal.
pub(crate) fn push_number(out: &mut String, number: u64) {
    let mut digits = [0; 20];
    let mut rest = number;
    let mut first = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit = b'0' | u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        first = first.saturating_sub(1);
        if rest == 0 {
            break;
        }
    }
    out.push_str(digits.get(first..).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default());
}

const fn must_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn escape(out: &mut String, byte: u8) {
    out.push('\\');
    match byte {
        b'"' | b'\\' => out.push(char::from(byte)),
        b'\n' => out.push('n'),
        b'\r' => out.push('r'),
        b'\t' => out.push('t'),
        _ => {
            out.push_str("u00");
            out.extend([byte >> 4, byte & 0xF].into_iter().filter_map(|nibble| char::from_digit(nibble.into(), 16)));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn an_object_without_members_is_an_empty_object() {
        assert_eq!(JsonObject::new().finish(), "{}");
    }

    #[test]
    fn members_stand_in_the_order_of_writing() {
        let printed = JsonObject::with_capacity(64)
            .boolean("active", true)
            .text("scope", "read write")
            .texts("aud", ["https://a", "https://b"])
            .texts("none", [])
            .raw("cnf", r#"{"jkt":"x"}"#)
            .number("exp", 1_719_000_000)
            .finish();
        assert_eq!(
            printed,
            r#"{"active":true,"scope":"read write","aud":["https://a","https://b"],"none":[],"cnf":{"jkt":"x"},"exp":1719000000}"#
        );
    }

    #[test]
    fn a_finished_object_starts_anew() {
        let mut object = JsonObject::new();
        assert_eq!(object.text("a", "b").finish(), r#"{"a":"b"}"#);
        assert_eq!(object.number("c", 0).finish(), r#"{"c":0}"#);
    }

    #[test]
    fn numbers_are_printed_in_full() {
        for number in [0, 9, 10, 12_345, u64::MAX - 1, u64::MAX] {
            assert_eq!(JsonObject::new().number("n", number).finish(), format!("{{\"n\":{number}}}"));
        }
    }

    #[test]
    fn what_needs_no_escape_passes_unchanged() {
        let mut out = String::new();
        quote(&mut out, "a\u{e9}\u{2028}\u{1f600}</script>'\u{7f}");
        assert_eq!(out, "\"a\u{e9}\u{2028}\u{1f600}</script>'\u{7f}\"");
    }

    #[test]
    fn debug_output_holds_nothing_of_the_object() {
        let mut object = JsonObject::new();
        assert_eq!(format!("{:?}", object.text("access_token", "hunter2")), "JsonObject(..)");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_by_serde_json(
            name in any::<String>(),
            text in any::<String>(),
            controls in "[\\x00-\\x20\"\\\\a]{0,20}",
            number in any::<u64>(),
            flag in any::<bool>(),
            list in prop::collection::vec(any::<String>(), 0..5),
        ) {
            let printed = JsonObject::new()
                .text(&format!("1{name}"), &text)
                .text("2", &controls)
                .number("3", number)
                .boolean("4", flag)
                .texts("5", list.iter().map(String::as_str))
                .finish();
            let read: Value = serde_json::from_str(&printed).unwrap();
            prop_assert_eq!(&read[format!("1{name}")], &Value::from(text));
            prop_assert_eq!(&read["2"], &Value::from(controls));
            prop_assert_eq!(&read["3"], &Value::from(number));
            prop_assert_eq!(&read["4"], &Value::from(flag));
            prop_assert_eq!(&read["5"], &Value::from(list));
        }
    }
}
