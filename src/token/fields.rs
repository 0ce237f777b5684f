//! The payload of a record: tagged fields, each with its length.
//!
//! ```text
//! version ∥ ( tag ∥ length, 1 to 3 bytes, 7 bits each ∥ bytes )*
//! ```
//!
//! Read in place, without allocation. A reader that meets a tag it does not know refuses the record: a field that a
//! newer version wrote may restrict what the token allows, and ignoring it would lift the restriction.

const VERSION: u8 = 1;

/// The names of fields. A number is never given to another meaning; 23 was one.
pub(crate) mod tag {
    pub(crate) const SCOPE: u8 = 1;
    pub(crate) const RESOURCE: u8 = 2;
    pub(crate) const SUBJECT: u8 = 3;
    pub(crate) const CLIENT: u8 = 4;
    pub(crate) const REDIRECT_URI: u8 = 5;
    pub(crate) const REDIRECT_URI_OMITTED: u8 = 6;
    pub(crate) const CODE_CHALLENGE: u8 = 7;
    pub(crate) const GRANT: u8 = 8;
    pub(crate) const AUTHENTICATED_AT: u8 = 9;
    pub(crate) const GRANT_TYPE: u8 = 10;
    pub(crate) const CREATED_AT: u8 = 11;
    pub(crate) const EXPIRES_AT: u8 = 12;
    pub(crate) const STATE: u8 = 13;
    pub(crate) const RESPONSE_MODE: u8 = 14;
    pub(crate) const FLOW: u8 = 15;
    pub(crate) const BROWSER: u8 = 16;
    pub(crate) const PROMPT: u8 = 17;
    pub(crate) const MAX_AGE: u8 = 18;
    pub(crate) const CONSENTED_UNTIL: u8 = 20;
    pub(crate) const REFRESH: u8 = 21;
    pub(crate) const ACCESS: u8 = 22;
    pub(crate) const DEVICE: u8 = 30;
    pub(crate) const NAME: u8 = 31;
    pub(crate) const INTERVAL: u8 = 32;
    pub(crate) const POLLED_AT: u8 = 33;
    pub(crate) const SUBJECT_EPOCH: u8 = 34;
    pub(crate) const AUTHORIZATION_EPOCH: u8 = 35;
    pub(crate) const USER_CODE: u8 = 36;
    pub(crate) const DEVICE_CODE: u8 = 37;
    pub(crate) const ISSUED: u8 = 38;
    pub(crate) const REFUSED: u8 = 39;
    pub(crate) const DAYS: u8 = 40;
    pub(crate) const BATCHES: u8 = 41;
    pub(crate) const PARAMETER: u8 = 42;
    pub(super) const LAST: u8 = PARAMETER;
}

/// The record is not one that this version wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the payload of a record cannot be read")]
pub(crate) struct Unreadable;

/// Writes a payload.
#[derive(Debug)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn new() -> Self {
        // Room for what nearly all write, so that it is found once and not while they write.
        let mut bytes = Vec::with_capacity(192);
        bytes.push(VERSION);
        Self(bytes)
    }

    #[must_use]
    pub(crate) fn bytes(mut self, tag: u8, bytes: &[u8]) -> Self {
        self.0.push(tag);
        let mut length = bytes.len();
        while length > 0x7f {
            self.0.push(low_bits(length) | 0x80);
            length >>= 7;
        }
        self.0.push(low_bits(length));
        self.0.extend_from_slice(bytes);
        self
    }

    #[must_use]
    pub(crate) fn text(self, tag: u8, text: &str) -> Self {
        self.bytes(tag, text.as_bytes())
    }

    #[must_use]
    pub(crate) fn number(self, tag: u8, number: i64) -> Self {
        self.bytes(tag, &number.to_be_bytes())
    }

    #[must_use]
    pub(crate) fn texts<'a>(self, tag: u8, texts: impl IntoIterator<Item = &'a str>) -> Self {
        texts.into_iter().fold(self, |writer, text| writer.text(tag, text))
    }

    #[must_use]
    pub(crate) fn optional<T>(self, value: Option<T>, write: impl FnOnce(Self, T) -> Self) -> Self {
        match value {
            Some(value) => write(self, value),
            None => self,
        }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }

    /// The payload; an empty one where no field was written, as most tokens leave everything to their grant.
    pub(crate) fn payload(self) -> crate::store::Payload {
        // Copied: what is kept has no room to spare.
        match self.0.as_slice() {
            [_] => crate::store::Payload::default(),
            bytes => crate::store::Payload::new(bytes),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "masked to seven bits")]
const fn low_bits(length: usize) -> u8 {
    (length & 0x7f) as u8
}

/// Reads a payload in place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// Checks the whole payload, so that the readers below cannot meet anything unexpected.
    pub(crate) fn read(payload: &'a [u8]) -> Result<Self, Unreadable> {
        let Some((version, fields)) = payload.split_first() else { return Ok(Self(&[])) };
        if *version != VERSION {
            return Err(Unreadable);
        }
        let mut rest = fields;
        while !rest.is_empty() {
            let (tag, _, after) = next(rest).ok_or(Unreadable)?;
            if tag == 0 || tag > tag::LAST {
                return Err(Unreadable);
            }
            rest = after;
        }
        Ok(Self(fields))
    }

    pub(crate) fn all(self, wanted: u8) -> impl Iterator<Item = &'a [u8]> + Clone {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (tag, bytes, after) = next(rest)?;
            rest = after;
            Some((tag, bytes))
        })
        .filter(move |(tag, _)| *tag == wanted)
        .map(|(_, bytes)| bytes)
    }

    pub(crate) fn bytes(self, wanted: u8) -> Option<&'a [u8]> {
        self.all(wanted).next()
    }

    pub(crate) fn array<const N: usize>(self, wanted: u8) -> Result<Option<[u8; N]>, Unreadable> {
        self.bytes(wanted).map(|bytes| bytes.try_into().map_err(|_| Unreadable)).transpose()
    }

    pub(crate) fn number(self, wanted: u8) -> Result<Option<i64>, Unreadable> {
        Ok(self.array(wanted)?.map(i64::from_be_bytes))
    }

    pub(crate) fn text(self, wanted: u8) -> Result<Option<&'a str>, Unreadable> {
        self.bytes(wanted).map(|bytes| std::str::from_utf8(bytes).map_err(|_| Unreadable)).transpose()
    }

    pub(crate) fn texts(self, wanted: u8) -> impl Iterator<Item = Result<&'a str, Unreadable>> + Clone {
        self.all(wanted).map(|bytes| std::str::from_utf8(bytes).map_err(|_| Unreadable))
    }
}

fn next(fields: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, mut rest) = fields.split_first()?;
    let mut length = 0_usize;
    for shift in [0_u32, 7, 14] {
        let (byte, after) = rest.split_first()?;
        rest = after;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            let (bytes, after) = rest.split_at_checked(length)?;
            return Some((*tag, bytes, after));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_back_in_order_whatever_their_length() {
        let long = "x".repeat(70_000);
        let payload = Writer::new()
            .text(tag::SCOPE, "a b")
            .texts(tag::RESOURCE, ["one", &long])
            .number(tag::MAX_AGE, -1)
            .finish();
        let fields = Fields::read(&payload).unwrap();
        assert_eq!(fields.text(tag::SCOPE).unwrap(), Some("a b"));
        assert_eq!(fields.texts(tag::RESOURCE).map(Result::unwrap).collect::<Vec<_>>(), ["one", &long]);
        assert_eq!(fields.number(tag::MAX_AGE).unwrap(), Some(-1));
        assert_eq!(fields.text(tag::CLIENT).unwrap(), None);
    }

    #[test]
    fn an_unknown_tag_version_or_length_is_refused() {
        assert!(Fields::read(&[]).is_ok());
        assert!(Fields::read(&[2]).is_err());
        assert!(Fields::read(&[1, tag::LAST + 1, 0]).is_err());
        assert!(Fields::read(&[1, 0, 0]).is_err());
        assert!(Fields::read(&[1, tag::SCOPE, 5, b'a']).is_err());
        assert!(Fields::read(&[1, tag::SCOPE, 0x80, 0x80, 0x80, 0]).is_err());
    }
}
