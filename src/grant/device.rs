//! The record of a device that waits, and what its user decided.
//!
//! ```text
//!   user code ───parent──▶ device code ───owner──▶ client        one partition: that of the user code
//!                              │ used.answer: who allowed what, or that nobody did
//!                              ▼
//!   marker · grant · tokens                                      the partition of the subject
//! ```
//!
//! Who will decide is not known when the device asks, so its record cannot lie with what it buys. Hence two commits,
//! each whole: the decision *uses* the device's record, once; and the tokens are inserted with a marker that is named
//! after it, once.

use std::sync::Arc;

use super::authorization::{GrantName, read_resources};
use super::terms::Granted;
use crate::clock::Timestamp;
use crate::id::Subject;
use crate::store::{Key, KeySpace, Kind, Link, Owner, Partition, Payload, Record, State};
use crate::token::fields::{Fields, Unreadable, Writer, tag};
use crate::wire::scope::Scope;
use crate::wire::uri::Resource;
use crate::wire::user_code::UserCode;

/// The payload of a device's record: what it asks for, and how often it has asked.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    pub(crate) asked: Granted,
    /// The grant it buys, named in advance, so that a second use finds what the first one bought.
    pub(crate) grant: GrantName,
    /// How many seconds it has to wait between two requests.
    pub(crate) interval: i64,
    /// When it last asked.
    pub(crate) polled_at: Option<Timestamp>,
}

impl Device {
    pub(crate) fn payload(&self) -> Payload {
        Writer::new()
            .text(tag::SCOPE, self.asked.scope.as_str())
            .texts(tag::RESOURCE, self.asked.resources.iter().map(Resource::as_str))
            .bytes(tag::GRANT, &self.grant)
            .number(tag::INTERVAL, self.interval)
            .optional(self.polled_at, |writer, at| writer.number(tag::POLLED_AT, at.as_millis()))
            .payload()
    }

    pub(crate) fn read(record: &Record) -> Result<Self, Unreadable> {
        let fields = Fields::read(record.payload.as_bytes())?;
        Ok(Self {
            asked: Granted {
                scope: Scope::from_canonical(fields.text(tag::SCOPE)?.unwrap_or_default()),
                resources: read_resources(fields)?,
            },
            grant: fields.array(tag::GRANT)?.ok_or(Unreadable)?,
            interval: fields.number(tag::INTERVAL)?.ok_or(Unreadable)?,
            polled_at: fields.number(tag::POLLED_AT)?.map(Timestamp::from_millis),
        })
    }
}

/// What the user decided: kept in the record of the device when it is used.
#[derive(Debug, Clone)]
pub(crate) enum Decision {
    Denied,
    Approved(Approved),
}

/// Who allowed what.
#[derive(Debug, Clone)]
pub(crate) struct Approved {
    pub(crate) subject: Subject,
    /// The epoch that the subject had: it is not they who agreed if all that was theirs has ended since.
    pub(crate) subject_epoch: u64,
    /// The epoch of what the subject had allowed the client: raised by whoever takes the application's access away.
    pub(crate) authorization_epoch: u64,
    pub(crate) scope: Scope,
    pub(crate) authenticated_at: Timestamp,
}

impl Decision {
    pub(crate) fn to_bytes(&self) -> Box<[u8]> {
        match self {
            Self::Denied => Writer::new(),
            Self::Approved(approved) => Writer::new()
                .text(tag::SUBJECT, approved.subject.as_str())
                .bytes(tag::SUBJECT_EPOCH, &approved.subject_epoch.to_be_bytes())
                .bytes(tag::AUTHORIZATION_EPOCH, &approved.authorization_epoch.to_be_bytes())
                .text(tag::SCOPE, approved.scope.as_str())
                .number(tag::AUTHENTICATED_AT, approved.authenticated_at.as_millis()),
        }
        .finish()
        .into()
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let fields = Fields::read(bytes)?;
        let Some(subject) = fields.text(tag::SUBJECT)? else { return Ok(Self::Denied) };
        let epoch = |name| Ok(u64::from_be_bytes(fields.array(name)?.ok_or(Unreadable)?));
        Ok(Self::Approved(Approved {
            subject: subject.into(),
            subject_epoch: epoch(tag::SUBJECT_EPOCH)?,
            authorization_epoch: epoch(tag::AUTHORIZATION_EPOCH)?,
            scope: Scope::from_canonical(fields.text(tag::SCOPE)?.ok_or(Unreadable)?),
            authenticated_at: Timestamp::from_millis(fields.number(tag::AUTHENTICATED_AT)?.ok_or(Unreadable)?),
        }))
    }
}

/// The record that leads from a user code to its device.
pub(crate) fn user_code_record(keys: &KeySpace, code: &UserCode, device: &Record) -> Arc<Record> {
    Arc::new(Record {
        key: keys.user_code(code.letters()),
        parent: Some(Link { key: device.key, epoch: device.epoch }),
        owner: None,
        payload: Payload::default(),
        ..Record::clone(device)
    })
}

/// The record of a device that has just asked.
pub(crate) fn terms(
    owner: Owner,
    device: &Device,
    expires_at: Timestamp,
    purge_after: Timestamp,
    now: Timestamp,
) -> crate::token::mint::Terms {
    crate::token::mint::Terms {
        parent: None,
        owner: Some(Arc::new(owner)),
        created_at: now,
        expires_at,
        purge_after,
        payload: device.payload(),
    }
}

/// The mark that a device code was redeemed, in the partition of whoever allowed it.
pub(crate) fn marker_key(keys: &KeySpace, partition: Partition, device: &Key) -> Key {
    keys.drawn(Kind::MARKER, partition, &device.id)
}

pub(crate) fn marker(key: Key, keys: &KeySpace, until: Timestamp, now: Timestamp) -> Arc<Record> {
    Arc::new(Record {
        key,
        tenant: keys.tenant(),
        revision: 1,
        state: State::Live,
        epoch: 0,
        parent: None,
        owner: None,
        labels: None,
        created_at: now,
        expires_at: until,
        purge_after: until,
        used: None,
        payload: Payload::default(),
    })
}
