//! A record as it travels: a row in PostgreSQL's binary form (`record_send`).

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::store::{Key, Kind, Labels, Link, Owner, Partition, Payload, Record, State, StoreError, Tenant, Used};

/// A record from the bytes of its row.
pub(super) fn decode(bytes: &[u8]) -> Result<Record, StoreError> {
    let mut fields = Fields::of(bytes)?;
    // In the order of the columns.
    let (created_at, expires_at, purge_after) = (fields.moment()?, fields.moment()?, fields.moment()?);
    let (revision, epoch) = (fields.number()?, fields.number()?);
    let (partition, kind, state) = (fields.partition()?, Kind(fields.kind()?), fields.state()?);
    Ok(Record {
        key: Key { partition, kind, id: fields.array()? },
        tenant: Tenant(fields.array()?),
        revision,
        state,
        epoch,
        created_at,
        expires_at,
        purge_after,
        payload: Payload::new(fields.bytes()?),
        parent: fields.link(partition)?,
        owner: fields.owner(partition)?,
        used: fields.used()?,
        labels: fields.labels()?,
    })
}

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt(format!("a row of grantor.record has {what}"))
}

/// The fields of a row, taken one by one.
struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// A row begins with the number of its fields; a later step may have added columns behind those that are known here.
    fn of(bytes: &'a [u8]) -> Result<Self, StoreError> {
        let mut fields = Self { rest: bytes };
        fields.word().ok_or_else(|| corrupt("no fields"))?;
        Ok(fields)
    }

    fn word(&mut self) -> Option<i32> {
        let (word, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(i32::from_be_bytes(*word))
    }

    /// The bytes of the next field; each comes with its type, which is as the function says, and its length.
    fn next(&mut self) -> Result<Option<&'a [u8]>, StoreError> {
        let cut = || corrupt("an end where a field should be");
        let _type = self.word().ok_or_else(cut)?;
        let length = self.word().ok_or_else(cut)?;
        let Ok(length) = usize::try_from(length) else { return Ok(None) };
        let (field, rest) = self.rest.split_at_checked(length).ok_or_else(cut)?;
        self.rest = rest;
        Ok(Some(field))
    }

    fn bytes(&mut self) -> Result<&'a [u8], StoreError> {
        self.next()?.ok_or_else(|| corrupt("NULL where it must not be"))
    }

    fn fixed<const N: usize>(&mut self) -> Result<Option<[u8; N]>, StoreError> {
        let wrong = |_| corrupt("a value of the wrong length");
        self.next()?.map(|field| field.try_into().map_err(wrong)).transpose()
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        self.fixed()?.ok_or_else(|| corrupt("NULL where it must not be"))
    }

    fn number(&mut self) -> Result<u64, StoreError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    fn moment(&mut self) -> Result<Timestamp, StoreError> {
        Ok(Timestamp::from_millis(i64::from_be_bytes(self.array()?)))
    }

    fn some_partition(&mut self) -> Result<Option<Partition>, StoreError> {
        let Some(bytes) = self.fixed()? else { return Ok(None) };
        let number = u16::try_from(i32::from_be_bytes(bytes)).map_err(|_| corrupt("a partition that there is not"))?;
        Ok(Some(Partition(number)))
    }

    fn partition(&mut self) -> Result<Partition, StoreError> {
        self.some_partition()?.ok_or_else(|| corrupt("no partition"))
    }

    fn some_kind(&mut self) -> Result<Option<u8>, StoreError> {
        let Some(bytes) = self.fixed()? else { return Ok(None) };
        u8::try_from(i16::from_be_bytes(bytes)).map(Some).map_err(|_| corrupt("a kind that there is not"))
    }

    fn kind(&mut self) -> Result<u8, StoreError> {
        self.some_kind()?.ok_or_else(|| corrupt("no kind"))
    }

    fn state(&mut self) -> Result<State, StoreError> {
        let number = u8::try_from(i16::from_be_bytes(self.array()?)).ok();
        number.and_then(State::from_number).ok_or_else(|| corrupt("a state that there is not"))
    }

    /// All of kind, id and epoch, or none.
    fn link(&mut self, partition: Partition) -> Result<Option<Link>, StoreError> {
        match (self.some_kind()?, self.fixed()?, self.fixed()?) {
            (None, None, None) => Ok(None),
            (Some(kind), Some(id), Some(epoch)) => {
                let key = Key { partition, kind: Kind(kind), id };
                Ok(Some(Link { key, epoch: u64::from_be_bytes(epoch) }))
            }
            _ => Err(corrupt("half a reference")),
        }
    }

    fn owner(&mut self, home: Partition) -> Result<Option<Arc<Owner>>, StoreError> {
        let partition = self.some_partition()?;
        let client = self.link(partition.unwrap_or(home))?;
        let subject = self.link(home)?;
        match (partition, client, subject) {
            (None, None, None) => Ok(None),
            (Some(_), Some(client), subject) => Ok(Some(Arc::new(Owner { client, subject }))),
            _ => Err(corrupt("half an owner")),
        }
    }

    fn text(&mut self) -> Result<Option<String>, StoreError> {
        let wrong = |_| corrupt("text that is not UTF-8");
        self.next()?.map(|text| String::from_utf8(text.to_vec()).map_err(wrong)).transpose()
    }

    fn labels(&mut self) -> Result<Option<Box<Labels>>, StoreError> {
        match (self.text()?, self.text()?, self.text()?) {
            (None, None, None) => Ok(None),
            (Some(name), Some(public_id), Some(class)) => Ok(Some(Box::new(Labels { name, public_id, class }))),
            _ => Err(corrupt("some labels, and not all")),
        }
    }

    fn used(&mut self) -> Result<Option<Box<Used>>, StoreError> {
        match (self.fixed()?, self.next()?) {
            (None, None) => Ok(None),
            (Some(at), Some(answer)) => {
                let at = Timestamp::from_millis(i64::from_be_bytes(at));
                Ok(Some(Box::new(Used { at, answer: answer.into() })))
            }
            _ => Err(corrupt("half a use")),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unnecessary_wraps, reason = "a field may be NULL, though these are not")]
mod tests {
    use super::*;

    type Field = Option<Vec<u8>>;

    fn number(value: i64) -> Field {
        Some(value.to_be_bytes().to_vec())
    }

    fn small(value: i16) -> Field {
        Some(value.to_be_bytes().to_vec())
    }

    fn place(value: i32) -> Field {
        Some(value.to_be_bytes().to_vec())
    }

    fn text(value: &str) -> Field {
        Some(value.as_bytes().to_vec())
    }

    /// A row with all there can be.
    fn whole() -> Vec<Field> {
        let id = || Some(vec![7; 32]);
        let link = || [small(4), id(), number(-1)];
        let mut fields = vec![number(i64::MIN), number(i64::MAX), number(0), number(1), number(-1)];
        fields.extend([place(65_535), small(6), small(1), id(), Some(vec![1; 16]), Some(vec![0, 255])]);
        fields.extend(link());
        fields.push(place(3));
        fields.extend(link());
        fields.extend(link());
        fields.extend([number(5), Some(Vec::new()), text("name"), text("id"), text("")]);
        fields
    }

    fn encode(fields: &[Field]) -> Vec<u8> {
        let mut bytes = i32::try_from(fields.len()).unwrap().to_be_bytes().to_vec();
        for field in fields {
            bytes.extend(17_i32.to_be_bytes());
            let length = field.as_ref().map_or(-1, |field| i32::try_from(field.len()).unwrap());
            bytes.extend(length.to_be_bytes());
            bytes.extend(field.iter().flatten());
        }
        bytes
    }

    #[test]
    fn a_whole_row_is_a_record() {
        let record = decode(&encode(&whole())).unwrap();
        assert_eq!(record.key.partition, Partition(65_535));
        assert_eq!((record.revision, record.epoch), (1, u64::MAX));
        assert_eq!(record.expires_at, Timestamp::NEVER);
        let owner = record.owner.unwrap();
        assert_eq!((owner.client.key.partition, owner.client.epoch), (Partition(3), u64::MAX));
        assert_eq!(owner.subject.unwrap().key.partition, Partition(65_535));
        assert_eq!(&*record.used.unwrap().answer, b"");
    }

    #[test]
    fn a_row_that_is_cut_anywhere_is_corrupt() {
        let bytes = encode(&whole());
        for length in 0..bytes.len() {
            assert!(matches!(decode(&bytes[..length]), Err(StoreError::Corrupt(_))), "{length}");
        }
    }

    #[test]
    fn a_row_that_cannot_be_is_corrupt() {
        let wrong: [(usize, Field); 17] = [
            (0, Some(vec![0; 4])),
            (1, None),
            (5, place(65_536)),
            (5, place(-1)),
            (6, small(256)),
            (7, small(0)),
            (7, small(5)),
            (8, Some(vec![7; 31])),
            (9, None),
            (10, None),
            (11, None),
            (12, Some(Vec::new())),
            (14, None),
            (17, None),
            (21, None),
            (23, Some(vec![0xff])),
            (24, None),
        ];
        for (position, field) in wrong {
            let mut fields = whole();
            fields[position] = field;
            assert!(matches!(decode(&encode(&fields)), Err(StoreError::Corrupt(_))), "{position}");
        }
    }

    #[test]
    fn what_a_later_version_sends_behind_is_left_alone() {
        let mut fields = whole();
        fields.push(text("news"));
        assert!(decode(&encode(&fields)).is_ok());
    }
}
