//! JSON documents that others wrote: client metadata, by request or fetched. Read strictly, since what two readers
//! understand differently is how one of them is deceived.

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// How deep arrays and objects may be nested.
pub const MAX_DEPTH: usize = 32;
/// How many members and elements there may be in all.
pub const MAX_VALUES: usize = 2_000;

/// The bytes are no JSON object that can be read in one way only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one JSON object, with each member once and nothing after it")]
pub struct NotAnObject;

/// Reads one JSON object (RFC 8259): UTF-8 without a byte order mark (§8.1), each member once (§4), at most
/// [`MAX_DEPTH`] deep and [`MAX_VALUES`] long, numbers within what a double can hold (§6), and nothing after it.
///
/// ```
/// use grantor::wire::document;
///
/// assert!(document::parse(br#"{"client_name":"Camera wall"}"#).is_ok());
/// assert!(document::parse(br#"{"scope":"read","scope":"admin"}"#).is_err());
/// ```
pub fn parse(bytes: &[u8]) -> Result<Map<String, Value>, NotAnObject> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let mut left = MAX_VALUES;
    let value = Strict { depth: MAX_DEPTH, left: &mut left }.deserialize(&mut reader).map_err(|_| NotAnObject)?;
    reader.end().map_err(|_| NotAnObject)?;
    match value {
        Value::Object(members) => Ok(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Err(NotAnObject),
    }
}

/// One value, and how much there may still be of it.
struct Strict<'l> {
    depth: usize,
    left: &'l mut usize,
}

impl Strict<'_> {
    /// A value inside this one.
    fn inner<E: serde::de::Error>(&mut self) -> Result<Strict<'_>, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("too deep"))?;
        *self.left = self.left.checked_sub(1).ok_or_else(|| E::custom("too much"))?;
        Ok(Strict { depth, left: self.left })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut sequence: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element_seed(self.inner()?)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(self.inner()?)?;
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member occurs twice"));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> String {
        let inner = depth.saturating_sub(1);
        format!("{{\"a\":{}{}}}", "[".repeat(inner), "]".repeat(inner))
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_not_read() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            "\u{feff}{}",
            "{} {}",
            "{}x",
            "{\"a\":1e400}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\n\"}",
            "{'a':1}",
            "{\"a\":1,}",
            "{\"a\":NaN}",
            "{\"a\":01}",
            "null",
            "[]",
            "\"a\"",
            "1",
            "",
            "{",
            &nested(MAX_DEPTH + 1),
            &nested(10_000),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(NotAnObject), "{}", &text[..text.len().min(40)]);
        }
        assert_eq!(parse(b"{\"a\":\"\xff\"}"), Err(NotAnObject));
        assert_eq!(
            parse("{\"a\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>().as_slice()),
            Err(NotAnObject)
        );
        let many = format!("{{\"a\":[{}1]}}", "1,".repeat(MAX_VALUES));
        assert_eq!(parse(many.as_bytes()), Err(NotAnObject));
    }

    #[test]
    fn an_object_is_read_whole() {
        let text = r#" {"a":[1,-2,0.5,"\u00e9",null,true,{"b":{}}],"":""} "#;
        assert_eq!(Value::Object(parse(text.as_bytes()).unwrap()), serde_json::from_str::<Value>(text).unwrap());
        assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
    }
}
