//! From a record to the value of a key, and back.
//!
//! | bytes | hold |
//! |---|---|
//! | 1 | the format: 1 |
//! | 1 | the state |
//! | 1 | what there is: 1 used, 2 parent, 4 client, 8 subject, 16 labels |
//! | 8 | the revision |
//! | 8 | the epoch |
//! | 8 | `purge_after` |
//! | 8 | `created_at` |
//! | 8 | `expires_at` |
//! | 16 | the tenant |
//! | 43 each | parent, client, subject: tail and epoch |
//! | 4 + n each | labels: name, identifier, class |
//! | 4 + n | the payload |
//! | 8 + rest | used: when, and the answer |
//!
//! Numbers are big-endian. A moment has its sign bit turned, so that bytes sort as moments do. `used` is last, so that
//! a script can append it; the scripts know the offsets of all that stands before the payload.

use std::sync::Arc;

use super::bucket::{TAIL, key, tail};
use crate::clock::Timestamp;
use crate::store::{Key, Labels, Link, Owner, Payload, Record, State, StoreError, Tenant, Used};

const FORMAT: u8 = 1;
const USED: u8 = 1;
const PARENT: u8 = 2;
const OWNER: u8 = 4;
const SUBJECT: u8 = 8;
const LABELS: u8 = 16;

/// A moment as bytes that sort as moments do.
pub(super) const fn moment(moment: Timestamp) -> [u8; 8] {
    (moment.as_millis().cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

const fn moment_of(bytes: [u8; 8]) -> Timestamp {
    Timestamp::from_millis((u64::from_be_bytes(bytes) ^ (1 << 63)).cast_signed())
}

/// The value of a record.
///
/// # Errors
///
/// [`StoreError::Corrupt`] where something is longer than 4 GiB.
pub(super) fn encode(record: &Record, revision: u64) -> Result<Vec<u8>, StoreError> {
    let owner = record.owner.as_deref();
    let subject = owner.and_then(|owner| owner.subject);
    let present = [
        (record.used.is_some(), USED),
        (record.parent.is_some(), PARENT),
        (owner.is_some(), OWNER),
        (subject.is_some(), SUBJECT),
        (record.labels.is_some(), LABELS),
    ];
    let flags = present.into_iter().filter(|(there, _)| *there).fold(0, |flags, (_, flag)| flags | flag);

    let mut value = Vec::with_capacity(record.payload.as_bytes().len().saturating_add(256));
    value.extend([FORMAT, record.state as u8, flags]);
    value.extend(revision.to_be_bytes());
    value.extend(record.epoch.to_be_bytes());
    value.extend(moment(record.purge_after));
    value.extend(moment(record.created_at));
    value.extend(moment(record.expires_at));
    value.extend(record.tenant.0);
    for link in [record.parent, owner.map(|owner| owner.client), subject].into_iter().flatten() {
        value.extend(tail(&link.key));
        value.extend(link.epoch.to_be_bytes());
    }
    if let Some(Labels { name, public_id, class }) = record.labels.as_deref() {
        for text in [name, public_id, class] {
            put_long(&mut value, text.as_bytes())?;
        }
    }
    put_long(&mut value, record.payload.as_bytes())?;
    if let Some(used) = &record.used {
        value.extend(moment(used.at));
        value.extend(&used.answer);
    }
    Ok(value)
}

fn put_long(value: &mut Vec<u8>, bytes: &[u8]) -> Result<(), StoreError> {
    let length =
        u32::try_from(bytes.len()).map_err(|_| StoreError::Corrupt("a record is too long to be kept".into()))?;
    value.extend(length.to_be_bytes());
    value.extend(bytes);
    Ok(())
}

/// The record of a value.
///
/// # Errors
///
/// [`StoreError::Corrupt`] where it is none.
pub(super) fn decode(key: Key, value: &[u8]) -> Result<Arc<Record>, StoreError> {
    let record = Reader(value).record(key);
    let wrong = || StoreError::Corrupt(format!("what is kept under a key is no record, kind {}", key.kind.0));
    record.map(Arc::new).ok_or_else(wrong)
}

/// What has not been read yet.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn record(mut self, key: Key) -> Option<Record> {
        let [format, state, flags] = self.array()?;
        if format != FORMAT || flags >= LABELS << 1 || (flags & SUBJECT != 0 && flags & OWNER == 0) {
            return None;
        }
        let has = |flag: u8| flags & flag != 0;
        let state = State::from_number(state)?;
        let (revision, epoch) = (self.number()?, self.number()?);
        let (purge_after, created_at, expires_at) = (self.moment()?, self.moment()?, self.moment()?);
        let tenant = Tenant(self.array()?);
        let parent = if has(PARENT) { Some(self.link()?) } else { None };
        let client = if has(OWNER) { Some(self.link()?) } else { None };
        let subject = if has(SUBJECT) { Some(self.link()?) } else { None };
        let labels = if has(LABELS) {
            Some(Box::new(Labels { name: self.text()?, public_id: self.text()?, class: self.text()? }))
        } else {
            None
        };
        let payload = Payload::new(self.long()?);
        let used =
            if has(USED) { Some(Box::new(Used { at: self.moment()?, answer: self.take_rest().into() })) } else { None };
        let owner = client.map(|client| Arc::new(Owner { client, subject }));
        let whole = self.0.is_empty();
        whole.then_some(Record {
            key,
            state,
            epoch,
            expires_at,
            parent,
            owner,
            used,
            payload,
            tenant,
            revision,
            created_at,
            purge_after,
            labels,
        })
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn take_rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    fn moment(&mut self) -> Option<Timestamp> {
        self.array().map(moment_of)
    }

    fn link(&mut self) -> Option<Link> {
        Some(Link { key: key(self.take(TAIL)?)?, epoch: self.number()? })
    }

    fn long(&mut self) -> Option<&'a [u8]> {
        let length = u32::from_be_bytes(self.array()?);
        self.take(usize::try_from(length).ok()?)
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.long()?.into()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Kind, Partition};

    fn named(kind: Kind) -> Key {
        Key { partition: Partition(0x0102), kind, id: [9; 32] }
    }

    fn full() -> Record {
        let link = |kind, epoch| Link { key: named(kind), epoch };
        let labels = Labels { name: "Ünï\0".into(), public_id: String::new(), class: "basic".into() };
        Record {
            key: named(Kind::GRANT),
            tenant: Tenant([7; 16]),
            revision: 1,
            state: State::Revoked,
            epoch: u64::MAX,
            parent: Some(link(Kind::AUTHORIZATION, 1 << 63)),
            owner: Some(Arc::new(Owner { client: link(Kind::CLIENT, 3), subject: Some(link(Kind::SUBJECT, 4)) })),
            labels: Some(Box::new(labels)),
            created_at: Timestamp::from_millis(i64::MIN),
            expires_at: Timestamp::NEVER,
            purge_after: Timestamp::from_millis(-1),
            used: Some(Box::new(Used { at: Timestamp::from_millis(5), answer: [1, 2, 3].into() })),
            payload: Payload::new([0, 255, 0]),
        }
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let record = full();
        let value = encode(&record, u64::MAX).unwrap();
        assert_eq!(*decode(record.key, &value).unwrap(), Record { revision: u64::MAX, ..record });
    }

    #[test]
    fn what_is_cut_or_prolonged_is_no_record() {
        let record = Record { used: None, ..full() };
        let value = encode(&record, 1).unwrap();
        for length in 0..value.len() {
            assert!(matches!(decode(record.key, &value[..length]), Err(StoreError::Corrupt(_))), "{length} bytes");
        }
        assert!(decode(record.key, &[value.as_slice(), &[0]].concat()).is_err());
    }

    #[test]
    fn an_unknown_format_state_or_flag_is_no_record() {
        let record = full();
        let value = encode(&record, 1).unwrap();
        for (at, byte) in [(0, 0), (0, 2), (1, 0), (1, 5), (2, 32), (2, 255), (2, SUBJECT)] {
            let mut value = value.clone();
            value[at] = byte;
            assert!(matches!(decode(record.key, &value), Err(StoreError::Corrupt(_))), "{byte} at {at}");
        }
    }

    #[test]
    fn moments_sort_as_their_bytes_do() {
        let moments = [i64::MIN, -1, 0, 1, 1 << 53, i64::MAX].map(Timestamp::from_millis);
        assert!(moments.map(moment).is_sorted());
        assert_eq!(moments.map(|it| moment_of(moment(it))), moments);
    }
}
