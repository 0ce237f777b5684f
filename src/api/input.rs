//! What requests hold: segments of paths, queries, JSON, conditions.

use http::header::{CONTENT_TYPE, IF_MATCH};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::store::Cursor;
use crate::wire::form::Form;

/// How many are on a page where nobody says.
const PAGE: u32 = 50;

/// A request, read as far as every operation needs it.
#[derive(Debug)]
pub(super) struct Input<'a> {
    pub(super) parts: &'a Parts,
    pub(super) body: &'a [u8],
    pub(super) parameters: &'a [String],
    pub(super) query: Form<'a>,
}

impl Input<'_> {
    /// A parameter of the path.
    pub(super) fn parameter(&self, at: usize) -> &str {
        self.parameters.get(at).map_or("", String::as_str)
    }

    /// The body, which must be JSON and hold nothing that is not known.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let declared = self.parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = declared.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            let detail = "the body must be application/json";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", detail));
        }
        let refused = |error: serde_json::Error| match error.classify() {
            serde_json::error::Category::Data => Problem::unprocessable("body", error.to_string()),
            _ => Problem::invalid("the body is not JSON"),
        };
        // A list would be taken for the fields in their order.
        if !self.body.trim_ascii_start().starts_with(b"{") {
            serde_json::from_slice::<serde::de::IgnoredAny>(self.body).map_err(refused)?;
            return Err(Problem::unprocessable("body", "the body must be an object"));
        }
        serde_json::from_slice(self.body).map_err(refused)
    }

    /// Refuses parameters of the query that the operation does not know: a filter with a slip of the pen must not
    /// show everything.
    pub(super) fn knows(&self, names: &[&str]) -> Result<(), Problem> {
        let known = |name: &str| names.contains(&name);
        match self.query.pairs().find(|(name, _)| !known(name)) {
            Some(_) => Err(Problem::invalid("the query has a parameter that is not known here")),
            None => Ok(()),
        }
    }

    /// Which page is asked for.
    pub(super) fn page(&self) -> Result<(Option<Cursor>, u32), Problem> {
        let cursor = self.query.get("cursor").map(|text| Cursor::from_text(text).ok_or("cursor"));
        let limit = self.query.get("limit").map_or(Ok(PAGE), |text| text.parse().map_err(|_| "limit"));
        let wrong = |name| Problem::invalid(format!("the parameter {name} cannot be read"));
        let limit = limit.map_err(wrong)?;
        if !(1..=1_000).contains(&limit) {
            return Err(Problem::invalid("limit must be 1 to 1000"));
        }
        Ok((cursor.transpose().map_err(wrong)?, limit))
    }

    /// The revision that an edit was made from (RFC 9110 §13.1.1); `None` for `*`, which is any.
    pub(super) fn if_match(&self) -> Result<Option<u64>, Problem> {
        let detail = "an edit needs If-Match with the ETag that was read";
        let missing = || Problem::new(StatusCode::PRECONDITION_REQUIRED, "precondition_required", detail);
        let mut given = self.parts.headers.get_all(IF_MATCH).iter();
        let only = given.next().filter(|_| given.next().is_none()).ok_or_else(missing)?;
        let text = only.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(None);
        }
        // A list of several, and a weak one, match nothing here.
        let revision =
            text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).and_then(|text| text.parse().ok());
        revision.map(Some).ok_or_else(|| crate::manage::ManageError::Changed.into())
    }
}

/// The only value of a header; `Err` for several, or for what is no text.
pub(super) fn only<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Problem> {
    let mut given = headers.get_all(name).iter();
    let (first, second) = (given.next(), given.next());
    let wrong = || Problem::invalid(format!("{name} cannot be read"));
    if second.is_some() {
        return Err(wrong());
    }
    first.map(|value| value.to_str().map_err(|_| wrong())).transpose()
}

/// A segment of a path, with its escapes undone (RFC 3986 §2.1); `None` for what is no text. A `+` is a plus.
pub(super) fn decode_segment(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let text =
                std::str::from_utf8(&digits).ok().filter(|text| text.bytes().all(|it| it.is_ascii_hexdigit()))?;
            bytes.push(u8::from_str_radix(text, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// A segment of a path, escaped.
pub(super) fn encode_segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    crate::wire::form::encode_query_component(&mut out, text);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_comes_back_whatever_is_in_it() {
        for text in ["alice", "a b", "a+b", "a/b?c#d", "é%2F", "mailto:a@b.example"] {
            let encoded = encode_segment(text);
            assert!(!encoded.contains('/'), "{encoded}");
            assert_eq!(decode_segment(&encoded).as_deref(), Some(text));
        }
        for wrong in ["%", "%2", "%zz", "%+1", "%ff"] {
            assert_eq!(decode_segment(wrong), None, "{wrong}");
        }
    }
}
