//! From a record to a row and back.

use std::sync::Arc;

use rusqlite::types::{Type, ValueRef};
use rusqlite::{Row, Statement, params};

use super::fault::Fault;
use crate::clock::Timestamp;
use crate::store::{Key, Kind, Labels, Link, Owner, Partition, Payload, Record, State, Tenant, Used};

/// The columns of records, in the order in which [`read`] takes them.
pub(super) const SELECT: &str = include_str!("sql/select.sql");
/// The record of a key.
pub(super) const GET: &str = concat!(include_str!("sql/select.sql"), "WHERE key = ?1");

/// How long a key is: partition, kind, id.
pub(super) const KEY: usize = 35;

/// A key as it is kept. Its bytes sort as keys do.
pub(super) fn key(key: &Key) -> [u8; KEY] {
    let mut bytes = [0; KEY];
    let head = key.partition.0.to_be_bytes().into_iter().chain([key.kind.0]);
    for (to, from) in bytes.iter_mut().zip(head.chain(key.id)) {
        *to = from;
    }
    bytes
}

fn to_key(bytes: &[u8]) -> Result<Key, Fault> {
    let short = || Fault::Row("a key is not 35 bytes long");
    let ([high, low, kind], id) = bytes.split_first_chunk().ok_or_else(short)?;
    let id = id.try_into().map_err(|_| short())?;
    Ok(Key { partition: Partition(u16::from_be_bytes([*high, *low])), kind: Kind(*kind), id })
}

/// Runs a statement whose parameters 1 to 20 are the columns of a record, in order, without the revision.
pub(super) fn write(statement: &mut Statement<'_>, record: &Record) -> rusqlite::Result<usize> {
    let Record { key: name, tenant, revision: _, state, epoch, parent, owner, labels, .. } = record;
    let link = |link: Option<&Link>| (link.map(|it| key(&it.key)), link.map(|it| it.epoch.cast_signed()));
    let (parent, parent_epoch) = link(parent.as_ref());
    let (client, client_epoch) = link(owner.as_ref().map(|owner| &owner.client));
    let (subject, subject_epoch) = link(owner.as_ref().and_then(|owner| owner.subject.as_ref()));
    let labels = labels.as_deref();
    let used = record.used.as_deref();
    statement.execute(params![
        key(name),
        name.kind.0,
        tenant.0,
        *state as u8,
        epoch.cast_signed(),
        parent,
        parent_epoch,
        client,
        client_epoch,
        subject,
        subject_epoch,
        labels.map(|it| &it.name),
        labels.map(|it| &it.public_id),
        labels.map(|it| &it.class),
        record.created_at.as_millis(),
        record.expires_at.as_millis(),
        record.purge_after.as_millis(),
        used.map(|used| used.at.as_millis()),
        used.map(|used| &*used.answer),
        record.payload.as_bytes(),
    ])
}

/// The columns of a row, taken one after another.
struct Columns<'r> {
    row: &'r Row<'r>,
    next: usize,
}

impl<'r> Columns<'r> {
    fn take(&mut self) -> Result<ValueRef<'r>, Fault> {
        let value = self.row.get_ref(self.next)?;
        self.next = self.next.saturating_add(1);
        Ok(value)
    }

    fn number(&mut self) -> Result<i64, Fault> {
        self.maybe_number()?.ok_or(Fault::Row("a number is missing"))
    }

    fn maybe_number(&mut self) -> Result<Option<i64>, Fault> {
        match self.take()? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(number) => Ok(Some(number)),
            other => Err(wrong(other.data_type())),
        }
    }

    fn bytes(&mut self) -> Result<&'r [u8], Fault> {
        self.maybe_bytes()?.ok_or(Fault::Row("bytes are missing"))
    }

    fn maybe_bytes(&mut self) -> Result<Option<&'r [u8]>, Fault> {
        match self.take()? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(bytes) => Ok(Some(bytes)),
            other => Err(wrong(other.data_type())),
        }
    }

    fn maybe_text(&mut self) -> Result<Option<String>, Fault> {
        match self.take()? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(bytes) => {
                let text = std::str::from_utf8(bytes).map_err(|_| Fault::Row("a text is not UTF-8"))?;
                Ok(Some(text.to_owned()))
            }
            other => Err(wrong(other.data_type())),
        }
    }

    fn moment(&mut self) -> Result<Timestamp, Fault> {
        self.number().map(Timestamp::from_millis)
    }

    fn maybe_link(&mut self) -> Result<Option<Link>, Fault> {
        match (self.maybe_bytes()?, self.maybe_number()?) {
            (None, None) => Ok(None),
            (Some(key), Some(epoch)) => Ok(Some(Link { key: to_key(key)?, epoch: epoch.cast_unsigned() })),
            (Some(_), None) | (None, Some(_)) => Err(Fault::Row("half of a link is missing")),
        }
    }
}

fn wrong(found: Type) -> Fault {
    Fault::Row(match found {
        Type::Null => "an empty column that must not be",
        Type::Integer => "a number where none belongs",
        Type::Real => "a fraction where none belongs",
        Type::Text => "text where none belongs",
        Type::Blob => "bytes where none belong",
    })
}

/// The record of a row. Whatever the store would not have written is refused, not interpreted.
pub(super) fn read(row: &Row<'_>) -> Result<Record, Fault> {
    let mut columns = Columns { row, next: 0 };
    let key = to_key(columns.bytes()?)?;
    if columns.number()? != i64::from(key.kind.0) {
        return Err(Fault::Row("a kind that is not that of the key"));
    }
    let tenant = columns.bytes()?.try_into().map_err(|_| Fault::Row("a tenant is not 16 bytes long"))?;
    let revision = columns.number()?.cast_unsigned();
    let state = u8::try_from(columns.number()?).ok().and_then(State::from_number);
    let state = state.ok_or(Fault::Row("a state that there is not"))?;
    let epoch = columns.number()?.cast_unsigned();
    let parent = columns.maybe_link()?;
    let owner = match (columns.maybe_link()?, columns.maybe_link()?) {
        (None, None) => None,
        (Some(client), subject) => Some(Arc::new(Owner { client, subject })),
        (None, Some(_)) => return Err(Fault::Row("an owner without a client")),
    };
    let labels = match (columns.maybe_text()?, columns.maybe_text()?, columns.maybe_text()?) {
        (None, None, None) => None,
        (Some(name), Some(public_id), Some(class)) => Some(Box::new(Labels { name, public_id, class })),
        _ => return Err(Fault::Row("some labels are missing")),
    };
    let (created_at, expires_at, purge_after) = (columns.moment()?, columns.moment()?, columns.moment()?);
    let used = match (columns.maybe_number()?, columns.maybe_bytes()?) {
        (None, None) => None,
        (Some(at), Some(answer)) => Some(Box::new(Used { at: Timestamp::from_millis(at), answer: answer.into() })),
        (None, Some(_)) | (Some(_), None) => return Err(Fault::Row("half of a use is missing")),
    };
    let payload = Payload::new(columns.bytes()?);
    Ok(Record {
        key,
        tenant: Tenant(tenant),
        revision,
        state,
        epoch,
        parent,
        owner,
        labels,
        created_at,
        expires_at,
        purge_after,
        used,
        payload,
    })
}
